"""Opening the warehouse: one engine for SQLite (a file, nothing to install) and PostgreSQL, and its migration.

engine = open_warehouse("sqlite:///data/jejak.db")
migrate(engine)
with writing(engine) as conn:   # one transaction; on SQLite writers take turns
    ...
with reading(engine) as conn:   # one snapshot; never waits for writers
    ...
with holding(engine, "name"):   # no other process or thread is in a block of this name
    ...
"""

import fcntl
import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import orjson
import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from schemas.errors import SettingsError
from warehouse.roles import grant_roles
from warehouse.tables import VERSION_TABLE
from warehouse.views import create_views, drop_views, views_differ

log = logging.getLogger("jejak.warehouse")

# Writers of a SQLite file wait for one another at most this long; a killed writer's lock falls at once.
WAIT_SECONDS = 300
_OF_EXTENSIONS = {"spatial_ref_sys"}  # PostGIS brings it into every schema that has it
_MIGRATION_LOCK = 0x6A656A616B  # "jejak": key of the PostgreSQL advisory lock


def to_json(value: Any) -> str:
    """JSON text of `value`.

    orjson refuses integers beyond 64 bits and lone surrogates, which sources do send; the standard library writes
    those, after a space by which `from_json` knows them.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return " " + json.dumps(value, separators=(",", ":"), allow_nan=False)


def from_json(content: str | bytes) -> Any:
    """The value of JSON text written by `to_json`, integers of any size whole."""
    return json.loads(content) if content[:1] in (" ", b" ") else orjson.loads(content)


def without_values(error: psycopg.Error) -> psycopg.Error:
    """The error without its detail and context, in which the server quotes values of the rows."""
    if error.diag.message_primary:
        error.args = (error.diag.message_primary,)
    return error


def open_warehouse(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...` (psycopg 3). Creates a SQLite file's folder, no tables.

    Error texts and logs carry neither the password nor statement parameters. Raises SettingsError for other databases.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "the address in JEJAK_WAREHOUSE_URL (or warehouse_url) can't be read: write sqlite:///path/to/file.db or "
            "postgresql://user@host:5432/database"
        ) from None
    options: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": from_json, "hide_parameters": True}
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed, options)
        case "postgresql" | "postgres" if parsed.host and "@" in parsed.host:
            raise SettingsError("the password in JEJAK_WAREHOUSE_URL has an @: write it as %40")
        case "postgresql" | "postgres":
            return _open_postgresql(parsed.set(drivername="postgresql+psycopg"), options)
        case other:
            raise SettingsError(f"the warehouse can't be a {other} database; use sqlite or postgresql")


def _open_sqlite(url: URL, options: dict[str, Any]) -> Engine:
    if not url.database or url.database == ":memory:":
        raise SettingsError("the warehouse needs a file, since several processes share it: sqlite:///path/to/file.db")
    file = Path(url.database)
    try:
        # Raw rows hold personal data.
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            file.touch(mode=0o600)
    except OSError as error:
        raise SettingsError(
            f"the warehouse {file} can't be made ({error.strerror}): look at the path in JEJAK_WAREHOUSE_URL"
        ) from None
    if file.is_dir():
        raise SettingsError(f"the warehouse {file} is a folder: name a file in it in JEJAK_WAREHOUSE_URL")
    read_only = _is_read_only(file)
    if read_only:
        # A file that nobody writes needs no log beside it, which could not be made there.
        still = "" if Path(f"{file}-wal").exists() else "&immutable=1"
        address = f"file:{quote(str(file.absolute()))}?mode=ro{still}"
        options["creator"] = lambda: sqlite3.connect(address, uri=True, check_same_thread=False)
    else:
        options["connect_args"] = {"timeout": WAIT_SECONDS}
    engine = create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not when sqlite3 sees an INSERT
        if read_only:
            return
        connection.execute("PRAGMA page_size = 16384")
        _use_wal(connection)
        for pragma in (
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "cache_size = -65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        # A writer takes the lock at once: a transaction that reads first and writes later can't wait for its turn.
        reads = conn.get_execution_options().get("jejak_reading", False)
        conn.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        conn.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once. Where several processes open a new file, this is refused to some of them
    at once, whatever time they would wait."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.05)


def _open_postgresql(url: URL, options: dict[str, Any]) -> Engine:
    engine = create_engine(
        url, pool_pre_ping=True, connect_args={"application_name": "jejak", "keepalives_idle": 60}, **options
    )

    @event.listens_for(engine, "handle_error")
    def _hide_values(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, psycopg.Error) and context.sqlalchemy_exception:
            kind = type(without_values(context.original_exception)).__name__
            context.sqlalchemy_exception.args = (f"({kind}) {context.original_exception}",)

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in one transaction that may write; committed at the end, rolled back on an exception."""
    with engine.begin() as conn:
        yield conn


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection in one read-only transaction: everything read in it belongs to one state of the warehouse."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            conn = connection.execution_options(jejak_reading=True)
        else:
            conn = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with conn.begin():
            yield conn


@contextmanager
def holding(engine: Engine, name: str, *, shared: bool = False) -> Iterator[None]:
    """While the block runs nobody else is in a block of this name, in whatever process or thread; who comes waits.
    Blocks that are `shared` keep only those out that are not.

    Nothing is left behind by a process that is killed. Not to be entered twice by the same thread.
    """
    with (_hold_file if engine.dialect.name == "sqlite" else _hold_session)(engine, name, shared):
        yield


@contextmanager
def _hold_session(engine: Engine, name: str, shared: bool) -> Iterator[None]:
    """An advisory lock of PostgreSQL: it ends with its connection, which is therefore closed and not kept in the pool,
    and which is in no transaction, since that would keep the server from tidying up."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.detach()
        key, lock = {"name": name}, "advisory_lock_shared" if shared else "advisory_lock"
        if not conn.scalar(text(f"SELECT pg_try_{lock}(hashtextextended(:name, 0))"), key):
            _say_waiting(name)
            conn.execute(text(f"SELECT pg_{lock}(hashtextextended(:name, 0))"), key)
        yield


@contextmanager
def _hold_file(engine: Engine, name: str, shared: bool) -> Iterator[None]:
    """A lock of the operating system on a file beside the database, which is there only as long as it is held."""
    lock = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    path = Path(f"{engine.url.database}.{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.lock")
    if is_read_only(engine):
        raise SettingsError(
            "the warehouse's file or its folder is read-only: let this user write both, or give another one in "
            "JEJAK_WAREHOUSE_URL"
        )
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, lock | fcntl.LOCK_NB)
            except BlockingIOError:
                _say_waiting(name)
                fcntl.flock(file, lock)
            # Who held it has deleted it: only a lock on the file that the next one would open keeps anybody out.
            if _is_at(path, file):
                try:
                    yield
                finally:
                    # The last one out deletes it.
                    with suppress(BlockingIOError):
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        if _is_at(path, file):
                            path.unlink(missing_ok=True)
                return


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _say_waiting(name: str) -> None:
    log.info("%s: another process is at it; waiting until it is done", name)


def alembic_config(conn: Connection | None = None) -> Config:
    """Alembic's configuration without a file; `conn` is what its commands work on."""
    config = Config()
    config.set_main_option("script_location", "warehouse:migrations")
    config.attributes["connection"] = conn
    return config


def migrate(engine: Engine) -> None:
    """Bring the warehouse to the tables, views and comments of this code. Safe to call at every start and by several
    processes at once. Roles that could read a view can read it afterwards; those of `warehouse.roles` have their part.

    Raises SettingsError if the warehouse was written by a newer Jejak, or if views of others select from ours that have
    changed.
    """
    if is_read_only(engine):
        with reading(engine) as conn:
            if revision_of(conn) != known_revisions()[0] or views_differ(conn):
                raise SettingsError(
                    "the warehouse's file is read-only and has the tables or views of another version of Jejak: let "
                    "this user write it once, or use that version"
                )
        return
    with writing(engine) as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        upgrade(conn)


def known_revisions() -> list[str]:
    """The revisions of the tables that this code knows, its own first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def revision_of(conn: Connection) -> str | None:
    """The revision of the tables of a database; None where there are none."""
    return MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE}).get_current_revision()


def is_read_only(engine: Engine) -> bool:
    """Whether the warehouse is a SQLite file that this user may read alone."""
    return engine.dialect.name == "sqlite" and _is_read_only(Path(str(engine.url.database)))


def _is_read_only(file: Path) -> bool:
    return file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def refuse_others(conn: Connection) -> None:
    """Raise SettingsError for a database that holds tables and is no warehouse."""
    if revision_of(conn) is None and (others := set(inspect(conn).get_table_names()) - _OF_EXTENSIONS):
        raise SettingsError(
            f"the database of JEJAK_WAREHOUSE_URL holds other tables ({', '.join(sorted(others)[:3])}, ...) and is no "
            "warehouse of Jejak's: name an empty one, or a file that isn't there yet"
        )


def upgrade(conn: Connection) -> None:
    """`migrate` within the transaction of `conn`."""
    known = known_revisions()
    revision = revision_of(conn)
    if revision is not None and revision not in known:
        raise SettingsError(
            f"the warehouse has revision {revision}, which this version of Jejak doesn't know; "
            "install the newer Jejak, or give another warehouse in JEJAK_WAREHOUSE_URL"
        )
    refuse_others(conn)
    outdated = revision != known[0]
    if outdated or views_differ(conn):
        # Views keep a table from changing.
        grants = drop_views(conn)
        if outdated:
            command.upgrade(alembic_config(conn), "head")
        create_views(conn, grants)
        grant_roles(conn)
