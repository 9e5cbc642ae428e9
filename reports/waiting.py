"""Rows that belong to no record yet, since nobody has announced their process."""

from typing import Any

from sqlalchemy import Connection, exists, func, select

from pipeline.registry import LINKED_KINDS
from warehouse import tables as t


def waiting_rows(conn: Connection, source: str | None = None) -> list[dict[str, Any]]:
    """Rows that wait (of one source, or all): `{"source", "service", "scope", "codes", "rows", "since"}` each year.

    Rows of linked services wait for a link instead (view `subject_without_link`).
    """
    raw, identity = t.raw_record.c, t.identity.c
    recorded = exists().where(identity.kind == raw.kind, identity.key == raw.code, t.record.c.ocid == identity.ocid)
    carried = exists().where(
        t.process_rup.c.kind == raw.kind, t.process_rup.c.code == raw.code, t.record.c.ocid == t.process_rup.c.ocid
    )
    query = (
        select(
            raw.source,
            raw.service,
            raw.scope,
            func.count(raw.code.distinct()).label("codes"),
            func.count().label("rows"),
            func.min(raw.observed_at).label("since"),
        )
        .where(raw.current, ~raw.gone, raw.kind.is_not(None), raw.kind.not_in(LINKED_KINDS), ~recorded, ~carried)
        .group_by(raw.source, raw.service, raw.scope)
        .order_by(raw.source, raw.service, raw.scope)
    )
    if source is not None:
        query = query.where(raw.source == source)
    return [dict(row) for row in conn.execute(query).mappings()]
