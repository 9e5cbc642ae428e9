"""Who may read and write what in a PostgreSQL warehouse: two roles without a login, which logins join."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, text

from warehouse.tables import OPEN, VERSION_TABLE, metadata
from warehouse.views import view_metadata

ANALYST = "jejak_analyst"
"""Reads the views, the star tables, links with their subjects, runs, records and releases, and nothing else."""
ETL = "jejak_etl"
"""Reads and writes all tables and reads the views: all that a night needs. It owns nothing, so that it changes no table
and makes no view: `jejak migrate` is for the owner."""


def grant_roles(conn: Connection) -> list[str]:
    """Make the two roles where this login may, and let each have its part of the tables and views that are there.

    Logins join them with `GRANT jejak_analyst TO name`. Returns the roles that are missing, because the server's
    administrator has to make them: both on SQLite, which has none.
    """
    if conn.dialect.name != "postgresql":
        return [ANALYST, ETL]
    # Grants of two processes at once on the same tables would fail.
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('jejak roles', 0))"))
    schema = conn.dialect.identifier_preparer.quote(conn.scalar(text("SELECT current_schema()")) or "public")
    tables, views = metadata.sorted_tables, view_metadata.sorted_tables
    closed = [table for table in tables if table not in OPEN]
    wanted = {
        ANALYST: (
            f"REVOKE ALL ON {_names(conn, closed)} FROM {ANALYST}",
            f"GRANT SELECT ON {_names(conn, (*views, *OPEN))} TO {ANALYST}",
        ),
        ETL: (
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_names(conn, tables)} TO {ETL}",
            f"GRANT SELECT ON {_names(conn, views)}, {VERSION_TABLE} TO {ETL}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {ETL}",
        ),
    }
    missing = [role for role in wanted if not _made(conn, role)]
    for role, grants in wanted.items():
        if role not in missing:
            for statement in (f"GRANT USAGE ON SCHEMA {schema} TO {role}", *grants):
                conn.execute(text(statement))
    return missing


def _made(conn: Connection, role: str) -> bool:
    """Whether a role is there, once this login has tried to make it."""
    known = text("SELECT count(*) FROM pg_roles WHERE rolname = :role").bindparams(role=role)
    if not conn.scalar(known):
        # Roles are the server's: another warehouse there may be making it.
        conn.execute(
            text(
                f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL; END $$"
            )
        )
    return bool(conn.scalar(known))


def _names(conn: Connection, tables: Iterable[Table]) -> str:
    return ", ".join(conn.dialect.identifier_preparer.quote(table.name) for table in tables)
