"""Backups: a warehouse as one compressed file that either database can be restored from.

A backup is a zip archive: `backup.json` names the regency and the tables, `<table>.jsonl` has a table's rows, one
JSON array each, in the order of its columns. JSON columns stand in it as the text that they are, bytes in base64. Rows
are streamed: memory does not grow with the warehouse.
"""

import base64
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    cast,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError

from schemas.errors import SettingsError, StructureError
from warehouse.engine import alembic_config, known_revisions, refuse_others, revision_of, upgrade
from warehouse.load import insert_rows
from warehouse.tables import VERSION_TABLE, Jsonb, definition, identity, metadata, run, staged_fetch, staged_page
from warehouse.views import drop_views
from warehouse.whole import replacing_file

Seen = Callable[[int, int], None]
"""Is called with how many rows are done, of how many."""

_FORMAT = 1
_HEAD = "backup.json"
_NOTE = "Holds every row of the warehouse, personal data among them: keep it as you keep the warehouse."
# Views are made from the code; a list that is read by half is read again.
_LEFT_OUT = (definition, staged_fetch, staged_page)
_ROWS_AT_ONCE = 2000
_TYPES: dict[str, tuple[Any, Callable[[Any], Any] | None]] = {
    "text": (Text(), None),
    "integer": (Integer(), None),
    "number": (Numeric(asdecimal=False), None),
    "float": (Float(), None),
    "flag": (Boolean(), None),
    "date": (Date(), date.fromisoformat),
    "moment": (DateTime(), datetime.fromisoformat),
    "bytes": (LargeBinary(), base64.b64decode),
    "json": (Text(), None),
    "jsonb": (Text(), None),
}
"""The kinds of columns: as which type they are read and written, and what makes the value of what JSON has for it."""


def backup(conn: Connection, path: Path, about: Mapping[str, str], seen: Seen = lambda done, total: None) -> int:
    """Write the warehouse into `path` and return the number of rows. `conn` is a `reading(engine)`: one state of the
    warehouse, whatever is written meanwhile. The file takes its place as with `replacing_file`.

    `about` holds its regency and when it was made. Raises SettingsError where there is no warehouse, or one
    of another version's tables.
    """
    revision = revision_of(conn)
    if revision is None:
        raise SettingsError("there is no warehouse to back up yet: run `jejak sync`, or look at JEJAK_WAREHOUSE_URL")
    if revision != known_revisions()[0]:
        raise SettingsError(
            f"the warehouse has the tables of another version of Jejak ({revision}): make the backup with the version "
            "that wrote it, before you upgrade"
        )
    tables = _tables()
    total = sum(conn.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = 0
    held: dict[str, Any] = {}
    with replacing_file(path) as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for table in tables:
            digest = 0
            before = done
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
                out = io.BufferedWriter(member, 1 << 18)
                for line, mark in _lines(conn, table.name, _kinds(table)):
                    out.write(line + b"\n")
                    digest = _added(digest, mark)
                    done += 1
                    seen(done, total)
                out.flush()
            held[table.name] = {
                "columns": _kinds(table),
                "numbered": table.autoincrement_column.name if table.autoincrement_column is not None else None,
                "rows": done - before,
                "digest": f"{digest:032x}",
            }
        head = {"format": _FORMAT, "note": _NOTE, "revision": revision, **about, "tables": held}
        archive.writestr(_HEAD, json.dumps(head, indent=1))
    return done


def head_of(path: Path) -> dict[str, Any]:
    """A backup's description. Raises StructureError for a file that is no whole backup, SettingsError for one of
    a newer Jejak."""
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(archive.read(_HEAD))
            known = isinstance(head, dict) and "format" in head and "tables" in head
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError):
        known = False
    if not known:
        raise StructureError(f"{path} is no whole backup of Jejak: give a file that `jejak backup` has written")
    if head["format"] != _FORMAT or head["revision"] not in known_revisions():
        raise SettingsError(f"{path} is the backup of a newer Jejak: install that version, then restore")
    return dict(head)


def restore(
    conn: Connection, path: Path, ended_at: str, *, force: bool = False, seen: Seen = lambda done, total: None
) -> int:
    """Make the warehouse the one of a backup, brought to this version's tables; return the number of rows. All of it is
    of the transaction of `conn`: a restore that fails or is killed changes nothing.

    A warehouse that has rows, or tables of a newer Jejak, is replaced with `force` alone. Each table is compared with
    the backup once it is in, the identities first. Runs that went on when the backup was made are marked as failed at
    `ended_at`. Raises SettingsError, and StructureError for a damaged file.
    """
    head = head_of(path)
    refuse_others(conn)
    if not force:
        _check_replaceable(conn)
    _drop(conn, head["tables"])
    command.upgrade(alembic_config(conn), head["revision"])
    total: int = sum(table["rows"] for table in head["tables"].values())
    done = 0

    def counted(rows: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        nonlocal done
        for row in rows:
            yield row
            done += 1
            seen(done, total)

    try:
        with zipfile.ZipFile(path) as archive:
            for name, held in head["tables"].items():
                insert_rows(conn, _carrier(name, held["columns"]), counted(_rows(archive, name, held["columns"])))
    except (zipfile.BadZipFile, zlib.error, EOFError, orjson.JSONDecodeError):
        raise StructureError(f"{path} is damaged: nothing was restored; take another backup") from None
    except DatabaseError as error:
        raise StructureError(f"{path} doesn't fit the tables that it names: nothing was restored ({error})") from None
    for name, held in head["tables"].items():
        digest = 0
        for _, mark in _lines(conn, name, held["columns"]):
            digest = _added(digest, mark)
        if f"{digest:032x}" != held["digest"]:
            raise StructureError(f"{name} is not what {path} holds of it: nothing was restored; take another backup")
        if held["numbered"] and conn.dialect.name == "postgresql":
            column = conn.dialect.identifier_preparer.quote(held["numbered"])
            conn.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence(:name, :column), max({column})) "
                    f"FROM {conn.dialect.identifier_preparer.quote(name)} HAVING max({column}) IS NOT NULL"
                ),
                {"name": name, "column": held["numbered"]},
            )
    upgrade(conn)
    conn.execute(
        run.update()
        .where(run.c.status == "running")
        .values(status="failed", finished_at=ended_at, message="it was going on when the backup was made")
    )
    return total


def _tables() -> list[Table]:
    """All tables of a backup, each after those that it refers to: runs, then identities, then the others."""
    first = [run, identity]
    return first + [table for table in metadata.sorted_tables if table not in (*first, *_LEFT_OUT)]


def _check_replaceable(conn: Connection) -> None:
    revision = revision_of(conn)
    if revision is not None and revision not in known_revisions():
        raise SettingsError("the warehouse was written by a newer Jejak; `--force` replaces it by the backup")
    there = set(inspect(conn).get_table_names())
    for table in metadata.sorted_tables:
        if table is definition or table.name not in there:
            continue
        if conn.execute(select(text("1")).select_from(table).limit(1)).first():
            raise SettingsError(
                "the warehouse is not empty: give another one in JEJAK_WAREHOUSE_URL, or `--force` to replace all that "
                "it holds by the backup"
            )


def _drop(conn: Connection, names: Iterable[str]) -> None:
    drop_views(conn)
    there = set(inspect(conn).get_table_names())
    known = [table.name for table in metadata.sorted_tables]
    # Backwards: what refers to others goes first.
    order = [VERSION_TABLE, *(name for name in names if name not in known), *reversed(known)]
    present = [conn.dialect.identifier_preparer.quote(name) for name in order if name in there]
    if conn.dialect.name == "postgresql":
        if present:
            conn.execute(text(f"DROP TABLE {', '.join(present)}"))
        return
    for name in present:
        conn.execute(text(f"DROP TABLE {name}"))


def _kinds(table: Table) -> dict[str, str]:
    return {column.name: _kind(column) for column in table.columns}


def _kind(column: Column[Any]) -> str:
    match column.type:
        case JSON():
            return "jsonb" if column.type is Jsonb else "json"
        case LargeBinary():
            return "bytes"
        case Boolean():
            return "flag"
        case Integer():
            return "integer"
        case Float():
            return "float"
        case Numeric():
            return "number"
        case DateTime():
            return "moment"
        case Date():
            return "date"
        case String():
            return "text"
        case other:
            raise TypeError(f"a backup has no form for {other!r}")


def _carrier(name: str, kinds: Mapping[str, str]) -> Table:
    """A table that carries what the backup holds of each column."""
    return Table(name, MetaData(), *(Column(column, _TYPES[kind][0]) for column, kind in kinds.items()))


def _rows(archive: zipfile.ZipFile, name: str, kinds: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    names = list(kinds)
    makes = [(place, make) for place, kind in enumerate(kinds.values()) if (make := _TYPES[kind][1])]
    with archive.open(f"{name}.jsonl") as member:
        for line in member:
            values = orjson.loads(line)
            for place, make in makes:
                if values[place] is not None:
                    values[place] = make(values[place])
            yield dict(zip(names, values, strict=True))


def _lines(conn: Connection, name: str, kinds: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Each row of a table as JSON, and what distinguishes it from any other on either database."""
    table = _carrier(name, kinds)
    # Integers among numbers are SQLite's own.
    makes = [
        (place, float if kind == "number" else lambda value: base64.b64encode(value).decode())
        for place, kind in enumerate(kinds.values())
        if kind in ("number", "bytes")
    ]
    loose = [place for place, kind in enumerate(kinds.values()) if kind == "jsonb"]
    columns = [
        cast(table.c[column], Text).label(column) if kind in ("json", "jsonb") else table.c[column]
        for column, kind in kinds.items()
    ]
    for row in conn.execute(select(*columns), execution_options={"yield_per": _ROWS_AT_ONCE}):
        values = list(row)
        for place, make in makes:
            if values[place] is not None:
                values[place] = make(values[place])
        line = orjson.dumps(values)
        for place in loose:
            # JSONB keeps neither the order of keys nor how a number was written.
            values[place] = values[place] and json.dumps(json.loads(values[place], parse_int=float), sort_keys=True)
        yield line, orjson.dumps(values) if loose else line


def _added(digest: int, mark: bytes) -> int:
    """The digest of rows, in whatever order they come, with one more."""
    return (digest + int.from_bytes(hashlib.blake2b(mark, digest_size=16).digest())) % (1 << 128)
