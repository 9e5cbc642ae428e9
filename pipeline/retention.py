"""Replaced versions of rows that the settings don't keep. A build needs none of them."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select

from pipeline.clock import utc_now
from pipeline.registry import MAPPINGS
from schemas.errors import SettingsError
from schemas.settings import Settings
from warehouse import tables as t
from warehouse.engine import reading, writing

log = logging.getLogger("jejak.retention")


def prune(engine: Engine, settings: Settings, *, dry_run: bool = False) -> dict[str, int]:
    """Delete replaced versions of rows, and rejects that were settled, older than `keep_versions_days`; return how many
    `versions` and `rejects`. Versions that a mapping takes (`SourceMapping.histories`) stay.

    Raises SettingsError where the settings say nothing of it.
    """
    if settings.keep_versions_days is None:
        raise SettingsError(
            "every version of a row is kept for ever, since keep_versions_days is not set: set it in the settings to "
            "the number of days after which replaced versions may go"
        )
    cutoff = (datetime.fromisoformat(utc_now()) - timedelta(days=settings.keep_versions_days)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    raw, reject, staged = t.raw_record.c, t.reject.c, t.staged_fetch.c
    histories = {name for mapping in MAPPINGS.values() for name in mapping.histories}
    old = {
        "versions": (t.raw_record, ~raw.current & (raw.observed_at < cutoff) & raw.service.not_in(histories)),
        "rejects": (t.reject, reject.resolved_at < cutoff),
        "fetches": (t.staged_fetch, staged.started_at < cutoff),
    }
    if dry_run:
        with reading(engine) as conn:
            return {
                name: conn.execute(select(func.count()).select_from(table).where(where)).scalar_one()
                for name, (table, where) in old.items()
            }
    with writing(engine) as conn:
        counts = {name: conn.execute(delete(table).where(where)).rowcount for name, (table, where) in old.items()}
    log.info("pruned %s", ", ".join(f"{count} {name}" for name, count in counts.items()))
    return counts
