"""What the page shows beyond the processes themselves, read from the warehouse."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from pipeline.links import STANDING
from transforms.parties import scrub
from warehouse import tables as t
from warehouse.load import key_set


class Proposal(NamedTuple):
    """A proposal that no package is linked to."""

    title: str
    village: str | None
    district: str | None
    status: str | None
    amount: float | None


def proposals_without_package(conn: Connection) -> list[Proposal]:
    """The proposals that nothing answers as far as is known, in the order of their codes."""
    subject, link = t.subject.c, t.link.c
    linked = exists().where(link.from_kind == subject.kind, link.from_code == subject.code, link.status.in_(STANDING))
    query = select(t.subject).where(subject.kind.in_(("usulan", "pokir")), ~subject.gone, ~linked)
    return [
        Proposal(scrub(row.title) or row.code, scrub(row.village), scrub(row.district), row.status, row.amount)
        for row in conn.execute(query.order_by(subject.kind, subject.code))
    ]


def flags_of(conn: Connection, ocids: Iterable[str]) -> dict[str, list[str]]:
    """The codes of the red flags of some processes, by OCID."""
    columns = t.flag.c
    query = select(columns.ocid, columns.code).where(columns.flagged, columns.ocid.in_(key_set(conn, ocids)))
    found: dict[str, list[str]] = defaultdict(list)
    for row in conn.execute(query.distinct().order_by(columns.ocid, columns.code)):
        found[row.ocid].append(row.code)
    return found
