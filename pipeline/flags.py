"""The step that computes red flags of all records and keeps what came of it in the table `flag`."""

import tempfile
from collections.abc import Iterator
from typing import IO

import orjson
from sqlalchemy import Connection, delete, func, select

from pipeline.progress import with_progress
from pipeline.steps import warehouse
from schemas.settings import Settings
from transforms.difference import living
from transforms.flags.model import Object
from transforms.flags.registry import Result, results
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import insert_rows


def compute_flags(settings: Settings, run_id: str, year: int | None = None) -> int:
    """Compute all red flags of a fiscal year, or of all, from the records' states, in place of those there were.

    Returns the number of results. States are read in one snapshot without a transaction that writes; the results wait
    on disk, so that neither memory nor other writers bear them.
    """
    engine = warehouse(settings)
    with tempfile.TemporaryFile() as spool:
        with reading(engine) as conn:
            many = conn.scalar(select(func.count()).select_from(t.record)) or 0
            for result in results(with_progress(states(conn, year), many, "records looked at"), settings.flags):
                spool.write(orjson.dumps(tuple(result)) + b"\n")
        spool.seek(0)
        with writing(engine) as conn:
            old = delete(t.flag)
            conn.execute(old if year is None else old.where(t.flag.c.fiscal_year == year))
            return insert_rows(conn, t.flag, _rows(spool, run_id))


def _rows(spool: IO[bytes], run_id: str) -> Iterator[Object]:
    for line in spool:
        yield {**dict(zip(Result._fields, orjson.loads(line), strict=True)), "run_id": run_id}


def states(conn: Connection, year: int | None = None) -> Iterator[Object]:
    """The states of all records, or of those of a fiscal year, each with its `ocid`, by OCID."""
    columns = t.record.c
    query = select(columns.ocid, columns.compiled, columns.withdrawn).order_by(columns.ocid)
    for row in conn.execution_options(yield_per=500).execute(query):
        state = {"ocid": row.ocid, **living(row.compiled, row.withdrawn or ())}
        if year is None or state.get("planning", {}).get("budget", {}).get("fiscalYear") == year:
            yield state
