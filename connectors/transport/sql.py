"""The database behind an application, through SQLAlchemy: only read, in one statement per service, page by page."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Column, Connection, MetaData, Select, Table, create_engine, inspect, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from schemas.errors import JejakError, SettingsError, SourceUnavailable, StructureError
from schemas.service import Page
from schemas.settings import SourceSettings

PAGE_ROWS = 5000

Tables = Mapping[str, Table]
"""Tables by their documented names, with columns by theirs, whatever the database calls them."""


def pages(
    source: SourceSettings,
    *,
    variable: str,
    name: str,
    wanted: Mapping[str, Sequence[str]],
    optional: Collection[str],
    statement: Callable[[Tables], Select[Any]],
    cursor: str | None = None,
) -> Iterator[Page]:
    """Pages of what the statement selects: text without trailing blanks, times as text, whole decimals as int.

    `wanted` gives the documented columns of each table that the statement may use; tables and columns (`Table.column`)
    in `optional` may be absent, and are then absent from what the statement is built from. `variable` is the setting
    of the database, `name` that of the service. The statement must order its rows by something unique.

    A page's cursor is the number of rows up to its end and their digest. A broken read is repeated from its first row,
    and goes on where the digest agrees, so that the pages before and after the break are of one state of the database.

    Raises SettingsError, SourceUnavailable or StructureError (a table or column that is needed is missing, or the rows
    before a break have changed); texts are free of the URL and of rows.
    """
    with reading(source, variable) as connection:
        try:
            select = statement(found_tables(connection, wanted, optional))
            result = connection.execution_options(yield_per=min(PAGE_ROWS, 1000)).execute(select)
            names = list(result.keys())
            rows = (dict(zip(names, map(_plain, row), strict=True)) for row in result)
            yield from _paged(rows, name, cursor)
        except SQLAlchemyError as error:
            raise _explained(error, name, wanted) from None


@contextmanager
def reading(source: SourceSettings, variable: str) -> Iterator[Connection]:
    """A connection to the source's database that can't write to it, where the database can promise that.

    Raises SettingsError for a URL that can't be used and SourceUnavailable where it leads to no database.
    """
    if source.database is None:
        raise SettingsError(f"the source has no database; set {variable} to dialect+driver://user:password@host/name")
    try:
        url = make_url(source.database.get_secret_value())
        backend = url.get_backend_name()
        engine = create_engine(
            _read_only_file(url, variable) if backend == "sqlite" else url,
            connect_args=_patience(url, source.timeout_seconds),
            poolclass=NullPool,
            hide_parameters=True,
        )
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"{variable} is no database URL; write dialect+driver://user:password@host/name, a password with signs in "
            "it percent-encoded, for example mssql+pymssql://"
        ) from None
    except ImportError as error:
        raise SettingsError(f"{variable} needs a driver that is not installed ({error.name}); install it") from None
    if backend == "postgresql":
        engine = engine.execution_options(postgresql_readonly=True)
    elif backend == "mssql":
        # SQL Server knows no read-only transaction, so the login should have SELECT alone. Without locks the reading
        # neither waits for the clerks who are at work nor holds them up; what is half typed now is read again tonight.
        engine = engine.execution_options(isolation_level="READ UNCOMMITTED")
    try:
        connection = engine.connect()
        if backend == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(source.timeout_seconds * 1000)}")
    except SQLAlchemyError as error:
        raise _refusal(error, variable) from None
    with connection:
        yield connection


# What drivers write (psycopg, pymssql, SQLite and others), and what that means. The first that fits counts.
_REFUSALS: tuple[tuple[tuple[str, ...], type[JejakError], str], ...] = (
    (
        ("password authentication failed", "login failed", "access denied", "no password supplied", "role ", "18456"),
        SettingsError,
        "the database refused the login; check user and password in {variable}",
    ),
    (
        ("cannot open database", "unknown database", "database "),
        SettingsError,
        "the server has no database of that name, or doesn't show it to this login; check the name in {variable}",
    ),
    (
        ("resolve host", "not known", "translate host", "getaddrinfo", "unknown host"),
        SourceUnavailable,
        "the database's host has a name that is unknown; check the host in {variable} and this machine's DNS",
    ),
    (
        ("refused",),
        SourceUnavailable,
        "nothing listens at the database's host and port (connection refused); check both in {variable}, and that the "
        "database runs and takes connections over the network",
    ),
    (
        ("no route", "unreachable"),
        SourceUnavailable,
        "no route leads to the database's host; check the host in {variable}, network and VPN",
    ),
    (
        ("timeout", "timed out"),
        SourceUnavailable,
        "the database took no connection in time; check the host in {variable}, and firewalls on the way",
    ),
    (("unable to open",), SourceUnavailable, "the database's file isn't there or may not be read; check {variable}"),
)


def _refusal(error: SQLAlchemyError, variable: str) -> JejakError:
    """Why no connection came to be, in words of our own: those of drivers repeat host, user and more."""
    text = str(getattr(error, "orig", error)).casefold()
    for words, kind, message in _REFUSALS:
        # A file can be called anything.
        if any(word in text for word in words) and ("unable to open" not in text or "unable to open" in words):
            return kind(message.format(variable=variable))
    return SourceUnavailable(
        f"the database can't be reached ({type(error).__name__}); see that it runs and lets this machine in, and "
        f"that {variable} is right"
    )


def _read_only_file(url: URL, variable: str) -> URL:
    if not url.database or url.database == ":memory:":
        raise SettingsError(f"{variable} names no file; write sqlite:///path/to/file.db")
    path = url.database if url.database.startswith("file:") else f"file:{quote(url.database)}"
    return url.set(database=path, query={**url.query, "mode": "ro", "uri": "true"})


def _patience(url: URL, seconds: float) -> dict[str, Any]:
    """How the driver is made to give up waiting."""
    match url.get_driver_name():
        case "pysqlite":
            return {"timeout": seconds}
        case "psycopg" | "psycopg2":
            return {"connect_timeout": max(int(min(seconds, 10)), 1)}
        case "pymssql":
            return {"login_timeout": max(int(min(seconds, 10)), 1), "timeout": max(int(seconds), 1)}
    return {}


def documented_tables(wanted: Mapping[str, Sequence[str]]) -> dict[str, Table]:
    """The tables as documented, for statements that are built without a database."""
    return {name: _table(name, {column: column for column in columns}) for name, columns in wanted.items()}


def found_tables(
    connection: Connection, wanted: Mapping[str, Sequence[str]], optional: Collection[str] = ()
) -> dict[str, Table]:
    """The tables and views that are there, under the names that the database uses: their case varies.

    Raises StructureError naming what is missing and not optional.
    """
    inspector = inspect(connection)
    names = {name.casefold(): name for name in (*inspector.get_view_names(), *inspector.get_table_names())}
    found: dict[str, Table] = {}
    missing: list[str] = []
    for name, columns in wanted.items():
        real = names.get(name.casefold())
        if real is None:
            missing += [name] if name not in optional else []
            continue
        there = {column["name"].casefold(): column["name"] for column in inspector.get_columns(real)}
        lacking = [f"{name}.{column}" for column in columns if column.casefold() not in there]
        if name in optional and lacking:
            continue
        missing += [column for column in lacking if column not in optional]
        found[name] = _table(real, {c: there[c.casefold()] for c in columns if c.casefold() in there})
    if missing:
        raise StructureError(
            f"the database has no {', '.join(missing)}, or its login may not see it; check the database's name in the "
            "URL and the login's rights"
        )
    return found


def _table(real: str, columns: Mapping[str, str]) -> Table:
    return Table(real, MetaData(), *(Column(name, key=key) for key, name in columns.items()))


def _plain(value: object) -> object:
    """A value as JSON can hold it."""
    if isinstance(value, str):
        return value.rstrip()
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _paged(rows: Iterable[dict[str, object]], name: str, cursor: str | None) -> Iterator[Page]:
    digest = hashlib.blake2b(digest_size=16)
    skipping = cursor is not None
    page: list[dict[str, object]] = []
    for done, row in enumerate(rows):
        if len(page) == PAGE_ROWS:
            mark = f"{done}-{digest.hexdigest()}"
            if not skipping:
                yield Page(page, mark, name=name)
            skipping = skipping and mark != cursor
            page = []
        digest.update(repr(list(row.values())).encode("utf-8", "backslashreplace"))
        page.append(row)
    if skipping:
        raise StructureError(f"the rows of {name} have changed since this fetch broke off; begin it anew")
    yield Page(page, name=name)


def _explained(error: SQLAlchemyError, name: str, wanted: Mapping[str, Sequence[str]]) -> Exception:
    tables = f"see that the login may read {', '.join(wanted)}"
    if isinstance(error, OperationalError | InterfaceError):
        return SourceUnavailable(
            f"the database broke off while {name} was read ({type(error).__name__}); try again later. If it goes on, "
            f"raise the source's timeout_seconds and {tables}"
        )
    return StructureError(f"the database refused the question for {name} ({type(error).__name__}); {tables}")
