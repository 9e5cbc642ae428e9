"""Star tables and marts to carry away, without a row as received: one SQLite file, or Parquet, CSV or XLSX.

Files take the place of the earlier ones when all are whole: a killed extract leaves those. They are readable by their
owner alone, like the warehouse.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    Select,
    Table,
    select,
)

from pipeline.progress import with_progress
from reports.headings import headings
from reports.spreadsheets import write_csv, write_xlsx
from warehouse.questions import QUESTIONS
from warehouse.tables import (
    STAR,
    budget_activity,
    contracting_process,
    flag,
    office,
    office_structure,
    procurement_limit,
    supplier,
)
from warehouse.views import view_metadata
from warehouse.whole import replacing, replacing_file

# Rows held in memory at a time.
_CHUNK = 20_000
FORMATS = ("sqlite", "parquet", "csv", "xlsx")


def questions() -> list[tuple[str, str, str]]:
    """The worked questions: (name, title, SQL); the SQL keeps its head, which begins with the title."""
    heads = {name: sql.partition("?")[0].replace("\n-- ", " ").removeprefix("-- ") for name, sql in QUESTIONS.items()}
    return [(name, f"{heads[name]}?", sql) for name, sql in QUESTIONS.items()]


def tables() -> tuple[Table, ...]:
    """What is carried away: star tables, what the masters name, red flags, marts."""
    named = (office, supplier, office_structure, budget_activity, procurement_limit)
    return (*STAR, *named, flag, *view_metadata.sorted_tables)


def extract(conn: Connection, out: Path, form: str, year: int | None = None) -> dict[str, int]:
    """Write the star tables and marts (of one fiscal year); return the number of rows per table.

    `form` is one of FORMATS: `sqlite` writes the file `out`, the others a file a table into the folder `out`; Parquet
    is parted by fiscal year, as `contract/fiscal_year=2025/part.parquet`. `conn` is best a `reading(engine)`: then all
    tables show one state. Amounts are IDR, dates and times local.
    """
    if form == "sqlite":
        return _to_sqlite(conn, out, year)
    writers: dict[str, Callable[[Connection, Table, Path, int | None], int]] = {
        "parquet": _to_parquet,
        "csv": lambda conn, table, folder, year: write_csv(
            folder / f"{table.name}.csv", headings(table), _rows(conn, table, year)
        ),
        "xlsx": lambda conn, table, folder, year: write_xlsx(
            folder / f"{table.name}.xlsx", table.name, headings(table), _rows(conn, table, year)
        ),
    }
    with replacing(out) as folder:
        return {table.name: writers[form](conn, table, folder, year) for table in _tables()}


def _tables() -> Iterator[Table]:
    return with_progress(tables(), len(tables()), "tables written")


def _fiscal_year(table: Table) -> ColumnElement[Any] | None:
    """The fiscal year of a table's rows: their own, else their process's; offices and suppliers are of all years."""
    if table in (office, supplier):
        return None
    own = table.columns.get("fiscal_year", table.columns.get("year"))
    return contracting_process.c.fiscal_year if own is None and "ocid" in table.columns else own


def _query(table: Table, year: int | None, *columns: ColumnElement[Any]) -> Select[Any]:
    query = select(*columns).select_from(table)
    by_year = _fiscal_year(table)
    if by_year is not None and by_year.table is contracting_process and table is not contracting_process:
        query = query.outerjoin(contracting_process, contracting_process.c.ocid == table.c.ocid)
    return query if year is None or by_year is None else query.where(by_year == year)


def _order(table: Table) -> list[ColumnElement[Any]]:
    return list(table.primary_key.columns) or list(table.columns)


def _chunks(conn: Connection, query: Select[Any]) -> Iterator[list[Any]]:
    yield from map(list, conn.execute(query, execution_options={"yield_per": _CHUNK}).partitions())


def _rows(conn: Connection, table: Table, year: int | None) -> Iterator[list[Any]]:
    return _chunks(conn, _query(table, year, *table.columns).order_by(*_order(table)))


def _to_sqlite(conn: Connection, out: Path, year: int | None) -> dict[str, int]:
    with replacing_file(out) as path, closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        counts = {table.name: _copy(conn, target, table, year) for table in _tables()}
        target.execute("CREATE TABLE dictionary (table_name TEXT, column_name TEXT, meaning TEXT)")
        for table in tables():
            meanings = [(table.name, "", table.comment), *((table.name, c.name, c.comment) for c in table.columns)]
            target.executemany("INSERT INTO dictionary VALUES (?, ?, ?)", meanings)
        target.commit()
        target.execute("ANALYZE")
    return counts


def _copy(conn: Connection, target: sqlite3.Connection, table: Table, year: int | None) -> int:
    kinds = ", ".join(f'"{column.name}" {_sqlite_type(column.type)}' for column in table.columns)
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    target.execute(f'CREATE TABLE "{table.name}" ({kinds}{f", PRIMARY KEY ({keys})" if keys else ""})')
    marks = ", ".join("?" * len(table.columns))
    count = 0
    for rows in _rows(conn, table, year):
        target.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', [list(map(_plain, row)) for row in rows])
        count += len(rows)
    first = keys.partition(",")[0].strip('"')
    for name in ("ocid", "family", "supplier_id", "office_id", "kd_rup"):
        if name in table.columns and name != first:
            target.execute(f'CREATE INDEX "{table.name}_{name}" ON "{table.name}" ("{name}")')
    return count


def _plain(value: Any) -> Any:
    """A value as a text file keeps it: dates as ISO text, figures of a flag as JSON."""
    value = _as_text(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _as_text(value: Any) -> Any:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if isinstance(value, dict | list) else value


def _sqlite_type(kind: Any) -> str:
    if isinstance(kind, Boolean | Integer):
        return "INTEGER"
    return "REAL" if isinstance(kind, Numeric | Float) else "TEXT"


def _to_parquet(conn: Connection, table: Table, folder: Path, year: int | None) -> int:
    """One file a fiscal year, which stands in the file's path alone; one file where the rows have none."""
    by_year = _fiscal_year(table)
    columns = [column for column in table.columns if column is not by_year]
    schema = pa.schema(
        [
            pa.field(column.name, _arrow_type(column.type), metadata={"comment": column.comment or ""})
            for column in columns
        ],
        metadata={"comment": table.comment or ""},
    )
    years: list[Any] = [None]
    if by_year is not None:
        # Where there is no row an empty file has the columns.
        years = list(conn.execute(_query(table, year, by_year).distinct().order_by(by_year)).scalars()) or [None]
    count = 0
    for each in years:
        path = folder / f"{table.name}.parquet"
        if by_year is not None:
            named = "__HIVE_DEFAULT_PARTITION__" if each is None else each
            path = folder / table.name / f"fiscal_year={named}" / "part.parquet"
            path.parent.mkdir(parents=True)
        with pq.ParquetWriter(path, schema) as writer:
            query = _query(table, year, *columns)
            if by_year is not None:
                query = query.where(by_year == each)
            for rows in _chunks(conn, query.order_by(*_order(table))):
                arrays = [
                    pa.array(map(_as_text, values), field.type)
                    for values, field in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                count += len(rows)
    return count


def _arrow_type(kind: Any) -> pa.DataType:
    types: tuple[tuple[type, Callable[[], pa.DataType]], ...] = (
        (Boolean, pa.bool_),
        (Integer, pa.int64),
        (Numeric, pa.float64),
        (Float, pa.float64),
        (DateTime, lambda: pa.timestamp("us")),
        (Date, pa.date32),
    )
    return next((make() for base, make in types if isinstance(kind, base)), pa.string())


def describe(path: Path, database: str, publisher: str) -> None:
    """Write Datasette's description of an extract: the dictionary, and the questions as queries that it names."""
    about = {
        "title": publisher,
        "databases": {
            database: {
                "tables": {
                    table.name: {
                        "description": table.comment,
                        "columns": {column.name: column.comment for column in table.columns},
                    }
                    for table in tables()
                },
                "queries": {name: {"title": title, "sql": sql} for name, title, sql in questions()},
            }
        },
    }
    path.write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
