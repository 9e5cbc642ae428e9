"""Who may read and write what in a PostgreSQL warehouse."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, text

from schemas.errors import SettingsError
from warehouse.engine import VERSION_TABLE, writing
from warehouse.tables import OPEN, metadata
from warehouse.views import view_metadata


def grant_analyst(engine: Engine, role: str = "jejak_analyst") -> None:
    """Let `role` read the views, the star tables, links with their subjects, records and releases, and nothing else.

    Creates the role, without a login of its own, if it isn't there; logins join it with `GRANT jejak_analyst TO name`.
    Views that are made again keep their readers; run this again for tables and views that a new version of Jejak adds.
    Raises SettingsError where the role is missing and the warehouse's login may not create it, and on SQLite, which has
    no roles: give analysts the Parquet export there.
    """
    closed = [table for table in metadata.sorted_tables if table not in OPEN]
    with _granting(engine, role) as (conn, name):
        conn.execute(text(f"REVOKE ALL ON {_names(conn, closed)} FROM {name}"))
        conn.execute(text(f"GRANT SELECT ON {_names(conn, (*view_metadata.sorted_tables, *OPEN))} TO {name}"))


def grant_etl(engine: Engine, role: str = "jejak_etl") -> None:
    """Let `role` read and write all tables and read the views: all that a night needs. It owns nothing, so that it
    changes no table and makes no view: `jejak migrate` is for the owner.

    Creates the role as `grant_analyst` does, and raises the same.
    """
    with _granting(engine, role) as (conn, name):
        conn.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_names(conn, metadata.sorted_tables)} TO {name}"))
        conn.execute(text(f"GRANT SELECT ON {_names(conn, view_metadata.sorted_tables)}, {VERSION_TABLE} TO {name}"))
        conn.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {_schema(conn)} TO {name}"))


@contextmanager
def _granting(engine: Engine, role: str) -> Iterator[tuple[Connection, str]]:
    """A transaction, and the quoted name of a role that is there and may use the schema."""
    if engine.dialect.name != "postgresql":
        raise SettingsError("roles are PostgreSQL's; from a SQLite warehouse give analysts the Parquet export")
    name = engine.dialect.identifier_preparer.quote(role)
    with writing(engine) as conn:
        _create(conn, role, name)
        conn.execute(text(f"GRANT USAGE ON SCHEMA {_schema(conn)} TO {name}"))
        yield conn, name


def _create(conn: Connection, role: str, name: str) -> None:
    if not conn.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role}):
        if not conn.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")):
            raise SettingsError(
                "the warehouse's login may not create roles; let the server's administrator run: "
                f"CREATE ROLE {name} NOLOGIN"
            )
        conn.execute(text(f"CREATE ROLE {name} NOLOGIN"))


def _schema(conn: Connection) -> str:
    return conn.dialect.identifier_preparer.quote(conn.scalar(text("SELECT current_schema()")) or "public")


def _names(conn: Connection, tables: Iterable[Table]) -> str:
    return ", ".join(conn.dialect.identifier_preparer.quote(table.name) for table in tables)
