"""Streaming exports: OCDS as JSON Lines, the star schema as Parquet. The same warehouse gives the same files.

Files are written beside their place and moved there when all are whole: a killed export leaves the earlier ones.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    Select,
    Table,
    Text,
    cast,
    func,
    select,
)

from warehouse.engine import from_json
from warehouse.tables import STAR, lineage, link, organization, raw_record, record, release, subject
from warehouse.views import view_metadata

# Rows held in memory at a time.
_CHUNK = 1000
_PARQUET_CHUNK = 50_000


def export(conn: Connection, out_dir: Path, *, package: Mapping[str, Any]) -> dict[str, int]:
    """Write the OCDS exports into `out_dir` and return the number of lines per file.

    - `releases.jsonl`: the valid releases, by ocid and time
    - `compiled.jsonl`: the compiled releases
    - `records.jsonl`: OCDS records: `{"ocid", "releases", "compiledRelease"}`
    - `rows.jsonl`: per source row and process `{"source", "service", "key", "ocid", "release"}`: `key` is the source's
      own code, `release` the latest release of the process that was derived from the row
    - `package.json`: `package`, the metadata (publisher, extensions, ...) that a package of these lines needs

    `conn` is best a `reading(engine)`: then all files show one state.
    """
    with _whole(out_dir) as folder:
        counts = {
            name: _write_lines(folder / name, lines(conn))
            for name, lines in (
                ("releases.jsonl", _releases),
                ("compiled.jsonl", _compiled),
                ("records.jsonl", _records),
                ("rows.jsonl", _rows),
            )
        }
        (folder / "package.json").write_bytes(orjson.dumps(package, option=orjson.OPT_INDENT_2) + b"\n")
    return counts


def export_parquet(conn: Connection, out_dir: Path) -> dict[str, int]:
    """Write each star table and view, the links and their subjects as `<name>.parquet` into `out_dir`.

    Returns the number of rows per file. Dates and times are local; amounts are IDR as doubles; comments stand in the
    fields' metadata.
    """
    tables = (*STAR, organization, subject, link, *view_metadata.sorted_tables)
    with _whole(out_dir) as folder:
        return {table.name: _write_parquet(conn, table, folder / f"{table.name}.parquet") for table in tables}


@contextmanager
def _whole(out_dir: Path) -> Iterator[Path]:
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out_dir) as folder:
        yield Path(folder)
        for path in sorted(Path(folder).iterdir()):
            path.replace(out_dir / path.name)


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line)
            file.write(b"\n")
            count += 1
    return count


def _stream(conn: Connection, query: Select[Any]) -> Iterator[Any]:
    return iter(conn.execute(query, execution_options={"yield_per": _CHUNK}))


def _valid_releases(conn: Connection) -> Iterator[Any]:
    columns = release.c
    return _stream(
        conn,
        select(columns.ocid, cast(columns.body, Text))
        .where(columns.voided_at.is_(None))
        .order_by(columns.ocid, columns.date, columns.position),
    )


def _compiled_by_ocid(conn: Connection) -> Iterator[tuple[str, bytes]]:
    """Keys sorted, since JSONB does not keep their order."""
    for ocid, compiled in _stream(conn, select(record.c.ocid, cast(record.c.compiled, Text)).order_by(record.c.ocid)):
        yield ocid, orjson.dumps(from_json(compiled), option=orjson.OPT_SORT_KEYS)


def _releases(conn: Connection) -> Iterator[bytes]:
    return (_body(body) for _, body in _valid_releases(conn))


def _compiled(conn: Connection) -> Iterator[bytes]:
    return (compiled for _, compiled in _compiled_by_ocid(conn))


def _records(conn: Connection) -> Iterator[bytes]:
    releases = groupby(_valid_releases(conn), key=itemgetter(0))
    ocid, group = next(releases, (None, iter(())))
    for name, compiled in _compiled_by_ocid(conn):
        # A process whose record is not built yet has releases only.
        while ocid is not None and ocid < name:
            ocid, group = next(releases, (None, iter(())))
        bodies = b",".join(_body(body) for _, body in group) if ocid == name else b""
        yield b'{"ocid":%b,"releases":[%b],"compiledRelease":%b}' % (orjson.dumps(name), bodies, compiled)


def _body(content: str) -> bytes:
    return content.lstrip().encode()


def _rows(conn: Connection) -> Iterator[bytes]:
    place = func.row_number().over(
        partition_by=[raw_record.c.id, release.c.ocid], order_by=[release.c.date.desc(), release.c.position.desc()]
    )
    columns = raw_record.c
    told = (
        select(
            columns.id,
            columns.source,
            columns.service,
            columns.code.label("key"),
            release.c.ocid,
            release.c.id.label("release"),
            place.label("place"),
        )
        .join(lineage, lineage.c.raw_id == columns.id)
        .join(release, release.c.id == lineage.c.release_id)
        .where(columns.current, ~columns.gone, release.c.voided_at.is_(None))
        .subquery()
    )
    names = ("source", "service", "key", "ocid", "release")
    fields = [told.c[name] for name in names]
    query = select(*fields).where(told.c.place == 1).order_by(*fields[:4], told.c.id)
    return (orjson.dumps(dict(zip(names, row, strict=True))) for row in _stream(conn, query))


def _write_parquet(conn: Connection, table: Table, path: Path) -> int:
    schema = pa.schema(
        [
            pa.field(column.name, _arrow_type(column.type), metadata={"comment": column.comment or ""})
            for column in table.columns
        ],
        metadata={"comment": table.comment or ""},
    )
    query = select(table).order_by(*table.primary_key.columns or list(table.columns)[:1])
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        result = conn.execute(query, execution_options={"yield_per": _PARQUET_CHUNK})
        for rows in result.partitions():
            columns = [
                pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
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
