"""Who may read what in a PostgreSQL warehouse."""

from sqlalchemy import Engine, text

from schemas.errors import SettingsError
from warehouse.engine import writing
from warehouse.tables import OPEN, metadata
from warehouse.views import view_metadata


def grant_analyst(engine: Engine, role: str = "jejak_analyst") -> None:
    """Let `role` read the views, the star tables, links with their subjects, records and releases, and nothing else.

    Creates the role, without a login of its own, if it isn't there; logins join it with `GRANT jejak_analyst TO name`.
    Views that are made again keep their readers; run this again for tables and views that a new version of Jejak adds.
    Raises SettingsError where the role is missing and the warehouse's login may not create it, and on SQLite, which has
    no roles: give analysts the Parquet export there.
    """
    if engine.dialect.name != "postgresql":
        raise SettingsError("roles are PostgreSQL's; from a SQLite warehouse give analysts the Parquet export")
    quote = engine.dialect.identifier_preparer.quote
    name = quote(role)
    closed = ", ".join(quote(table.name) for table in metadata.sorted_tables if table not in OPEN)
    readable = ", ".join(quote(table.name) for table in (*view_metadata.sorted_tables, *OPEN))
    with writing(engine) as conn:
        if not conn.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role}):
            if not conn.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")):
                raise SettingsError(
                    "the warehouse's login may not create roles; let the server's administrator run: "
                    f"CREATE ROLE {name} NOLOGIN"
                )
            conn.execute(text(f"CREATE ROLE {name} NOLOGIN"))
        schema = quote(conn.scalar(text("SELECT current_schema()")) or "public")
        conn.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
        conn.execute(text(f"REVOKE ALL ON {closed} FROM {name}"))
        conn.execute(text(f"GRANT SELECT ON {readable} TO {name}"))
