"""The sources' masters to their tables: lists that belong to no process, such as the budget of each office."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, select

from pipeline.registry import MAPPINGS, SERVICES, code_fingerprint
from schemas.errors import RowError
from schemas.service import read_row
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import delete_by, insert_rows, key_set, upsert_rows

# Beside the services in the table of fingerprints: which code made the rows of the masters' tables.
_MADE_BY = "masters"


def refresh(engine: Engine) -> int:
    """Bring the masters' tables to the current rows of their services; how many rows are new or gone."""
    code = code_fingerprint()
    with reading(engine) as conn:
        made_by = select(t.fingerprint.c.extraction).where(t.fingerprint.c.service == _MADE_BY)
        anew = conn.scalar(made_by) != code
        current, known = _current(conn), _known(conn)
    gone, fresh = (known, current) if anew else (known - current, current - known)
    if not (gone or fresh or anew):
        return 0
    with writing(engine) as conn:
        for table in t.MASTERS:
            delete_by(conn, table, table.c.row_id, gone)
        rows = list(_rows(conn, fresh))
        for table in t.MASTERS:
            insert_rows(conn, table, [row for name, row in rows if name == table.name])
        upsert_rows(conn, t.fingerprint, [{"service": _MADE_BY, "extraction": code}])
    return len(gone) + len(fresh)


def _services() -> list[str]:
    return [name for name, mapping in MAPPINGS.items() if name in mapping.masters]


def _current(conn: Connection) -> set[int]:
    raw = t.raw_record.c
    query = select(raw.id).where(raw.service.in_(_services()), raw.current, ~raw.gone)
    return set(conn.execute(query.where(raw.source.in_({SERVICES[name][0] for name in _services()}))).scalars())


def _known(conn: Connection) -> set[int]:
    return {number for table in t.MASTERS for number in conn.execute(select(table.c.row_id)).scalars()}


def _rows(conn: Connection, numbers: Iterable[int]) -> Iterable[tuple[str, dict[str, Any]]]:
    """(table, row) of row versions; what today's model refuses is among the rejects."""
    raw = t.raw_record.c
    columns = select(raw.id, raw.service, raw.scope, raw.payload).where(raw.id.in_(key_set(conn, numbers, int)))
    for row in conn.execute(columns.order_by(raw.id)):
        service = SERVICES[row.service][1]
        try:
            record, _ = read_row(service, renamed(service, row.payload))
        except RowError:
            continue
        name, found = MAPPINGS[row.service].masters[row.service](record)
        year = record.tahun_anggaran or (int(row.scope) if row.scope.isdecimal() else None)  # type: ignore[attr-defined]
        yield name, {"row_id": row.id, "fiscal_year": year, **found}
