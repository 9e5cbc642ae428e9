"""Rows that belong to no record yet, since nobody has announced their process."""

from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from warehouse.views import view_metadata


def waiting_rows(conn: Connection, source: str | None = None) -> list[dict[str, Any]]:
    """Rows that wait (of one source, or all), of each service and year:
    `{"source", "service", "scope", "codes", "rows", "amount" (IDR or None), "since"}` (view `row_waiting`).

    Rows of linked services wait for a link instead (view `subject_without_link`).
    """
    view = view_metadata.tables["row_waiting"]
    where = (view.c.source, view.c.service, view.c.scope)
    query = select(
        *where,
        func.count(view.c.code.distinct()).label("codes"),
        cast(func.sum(view.c.rows), Integer).label("rows"),
        func.sum(view.c.amount).label("amount"),
        func.min(view.c.since).label("since"),
    )
    query = query.group_by(*where).order_by(*where)
    if source is not None:
        query = query.where(view.c.source == source)
    return [dict(row) for row in conn.execute(query).mappings()]
