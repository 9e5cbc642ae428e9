"""Rows that could not be used, by reason, with examples of their shape: no value of a row is shown."""

import re
from typing import Any

from sqlalchemy import Connection, func, select

from transforms.parties import SCRUBBED, is_personal, scrub
from warehouse import tables as t
from warehouse.engine import from_json

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,2}[-/]\d{1,2}[-/]\d{4}.*")
_LONGEST = 60  # fields of an example


def by_reason(conn: Connection, *, limit: int, offset: int = 0) -> tuple[int, list[dict[str, Any]]]:
    """How many reasons there are, and some of them, those of most open rejects first: `{"source", "service", "reason",
    "rows", "first", "last", "ocid", "examples"}`. `examples` are (key, [(field, shape)]) of up to two rows."""
    columns = t.reject.c
    grouped = (
        select(
            columns.source,
            columns.service,
            columns.reason,
            func.count().label("rows"),
            func.min(columns.rejected_at).label("first"),
            func.max(columns.rejected_at).label("last"),
            func.min(columns.ocid).label("ocid"),
            func.min(columns.id).label("one"),
            func.max(columns.id).label("other"),
        )
        .where(columns.resolved_at.is_(None))
        .group_by(columns.source, columns.service, columns.reason)
    )
    count = conn.execute(select(func.count()).select_from(grouped.subquery())).scalar_one()
    order = (func.count().desc(), columns.source, columns.service, columns.reason)
    rows = conn.execute(grouped.order_by(*order).limit(limit).offset(offset)).mappings().all()
    numbers = {row[name] for row in rows for name in ("one", "other")}
    shapes = {
        row.id: (row.key and (scrub(row.key) or SCRUBBED), _shapes(row.payload))
        for row in conn.execute(select(columns.id, columns.key, columns.payload).where(columns.id.in_(numbers)))
    }
    return count, [
        {
            **{name: row[name] for name in ("source", "service", "reason", "rows", "first", "last", "ocid")},
            "examples": [shapes[number] for number in sorted({row["one"], row["other"]})],
        }
        for row in rows
    ]


def _shapes(payload: str) -> list[tuple[str, str]]:
    row = from_json(payload)
    if not isinstance(row, dict):
        return []
    return [(SCRUBBED if is_personal(str(name)) else str(name), shape(value)) for name, value in row.items()][:_LONGEST]


def shape(value: Any) -> str:
    """What a value looks like, without saying it: `empty`, `7 digits`, `date`, `text of 12`, `number`, `list of 3`."""
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | dict):
        return f"list of {len(value)}"
    text = str(value)
    if text.isdecimal():
        return f"{len(text)} digits"
    return "date" if _DATE.fullmatch(text) else f"text of {len(text)}"
