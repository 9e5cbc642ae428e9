"""Releases as they are stored: compressed, and the body of a process's only release once, as its record."""

import zlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, select

from warehouse.load import key_set
from warehouse.tables import record, release

Object = dict[str, Any]
Lineage = list[list[Any]]
"""Row versions: [[kind, code, service, scope, key, observed_at]]."""


def packed(value: Any) -> bytes:
    """A value as compressed JSON."""
    return zlib.compress(orjson.dumps(value), 6)


def unpacked(content: bytes) -> Any:
    """The inverse of `packed`."""
    return orjson.loads(zlib.decompress(content))


def only_release(compiled: Object, name: str, date: str, tags: list[str]) -> Object:
    """The one release that a record was compiled from."""
    return {**compiled, "id": name, "date": date, "tag": tags}


def releases_of(conn: Connection, ocids: Iterable[str], *, voided: bool = False) -> dict[str, list[Object]]:
    """The releases of some processes, in the order in which they are merged: of each process a list, empty where it has
    none. Voided ones are left out, or (`voided`) they alone are given; those whose body was erased have id and date."""
    found: dict[str, list[Object]] = {ocid: [] for ocid in ocids}
    columns = release.c
    keys = key_set(conn, found)
    state = columns.voided_at.is_not(None) if voided else columns.voided_at.is_(None)
    query = select(columns.ocid, columns.id, columns.date, columns.tags, columns.body)
    rows = conn.execute(query.where(columns.ocid.in_(keys), state).order_by(columns.ocid, columns.number)).all()
    bare = key_set(conn, {row.ocid for row in rows if row.body is None})
    records = dict(conn.execute(select(record.c.ocid, record.c.compiled).where(record.c.ocid.in_(bare))).all())
    for row in rows:
        if row.body is not None:
            found[row.ocid].append(unpacked(row.body))
        elif not voided and row.ocid in records:
            found[row.ocid].append(only_release(records[row.ocid], row.id, row.date, row.tags))
        else:
            found[row.ocid].append({"ocid": row.ocid, "id": row.id, "date": row.date})
    return found


def lineages_of(conn: Connection, ocid: str) -> dict[str, Lineage]:
    """The row versions that each valid release of a process was made of, by release id, in the order of merging."""
    columns = release.c
    query = select(columns.id, columns.lineage).where(columns.ocid == ocid, columns.voided_at.is_(None))
    return {row.id: unpacked(row.lineage) for row in conn.execute(query.order_by(columns.number))}


def by_process(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Rows with an `ocid` by it."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.ocid].append(row)
    return found
