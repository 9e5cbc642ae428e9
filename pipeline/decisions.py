"""What operators decide is kept: what, before, after, by whom, when and why, and what they had seen."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from pipeline.clock import utc_now
from schemas.errors import Conflict
from transforms.parties import SCRUBBED, scrub
from warehouse import tables as t
from warehouse.engine import to_json
from warehouse.load import insert_rows


def digest(seen: Any) -> str:
    """A digest of what is shown to somebody who decides: another one where anything of it has changed."""
    return hashlib.sha256(to_json(seen).encode()).hexdigest()[:16]


def check(seen: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Raise Conflict where something is no longer as it was seen; both are digests by name."""
    if changed := [name for name, value in seen.items() if value and now.get(name) != value]:
        raise Conflict(f"{', '.join(changed)} has changed since it was shown: nothing was decided; look at it again")


def account(who: str) -> str:
    """The name of an operator's account; of an e-mail address what stands before the sign."""
    return scrub(who.partition("@")[0]) or SCRUBBED


def note_decisions(
    conn: Connection, kind: str, changes: Iterable[tuple[str, str, str, str]], who: str, note: str | None
) -> None:
    """Keep decisions, (subject, before, after, seen) each, as one operator made them for one reason."""
    now, who, note = utc_now(), account(who), scrub(note)
    rows = [
        {
            "kind": kind,
            "subject": subject,
            "before": before,
            "after": after,
            "seen": seen,
            "decided_by": who,
            "decided_at": now,
            "note": note,
        }
        for subject, before, after, seen in changes
    ]
    insert_rows(conn, t.decision, rows)
