"""The views that analysts read, one SQL file each. `migrate` makes them again when a file changes.

The head of a file is a comment: what a row of the view is; after an empty line each column, in the order of the SELECT,
as `name (kind): what it holds`, continued in further lines with an indent; KINDS names the kinds, text is left out.
After a blank line follows one SELECT that both databases understand:

    -- One row per office.
    --
    -- office_id: the office (office.id)
    -- disbursed_amount (money): sum of the SP2D

    SELECT ...

`view_metadata` holds the columns and comments for queries, for the Parquet export and for the dictionary.
"""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SetColumnComment, SetTableComment

from schemas.errors import SettingsError
from warehouse.tables import Money, definition, metadata

KINDS: dict[str, tuple[Any, str]] = {
    "text": (Text, ""),
    "integer": (Integer, ""),
    "float": (Float, ""),
    "numeric": (Money, ""),
    "money": (Money, " (IDR)"),
    "percent": (Money, " (percent)"),
    "date": (Date, ""),
    "moment": (DateTime, " (local time)"),
}
"""The type of each kind of column, and the unit that its comment ends with."""

_COLUMN = re.compile(r"(?P<name>\w+)(?: \((?P<kind>\w+)\))?: (?P<comment>.+)")
Grant = tuple[str, str | None]
"""A view, and a role that may read it; no role means everybody."""


def parse_view(name: str, content: str, into: MetaData) -> str:
    """Read the SQL file of a view: adds the table `name` with columns and comments to `into`, returns the SELECT.

    Raises ValueError for a head that can't be read.
    """
    head, _, query = content.partition("\n\n")
    lines = [line.removeprefix("--").removeprefix(" ") for line in head.splitlines()]
    if "" not in lines or not all(line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"view {name}: the head is a comment: what a row is, an empty line, then the columns")
    end = lines.index("")
    described = " ".join(lines[:end])
    columns: list[Column[Any]] = []
    for line in re.sub(r"\n +", " ", "\n".join(lines[end + 1 :])).splitlines():
        found = _COLUMN.fullmatch(line)
        if found is None or (found["kind"] or "text") not in KINDS:
            kinds = ", ".join(KINDS)
            raise ValueError(f"view {name}: a column is `name (kind): what it holds`, kind one of {kinds}: {line}")
        kind, unit = KINDS[found["kind"] or "text"]
        columns.append(Column(found["name"], kind, comment=found["comment"] + unit))
    Table(name, into, *columns, comment=described)
    return query.strip().removesuffix(";")


view_metadata = MetaData()
_QUERIES = {
    path.stem: parse_view(path.stem, path.read_text(encoding="utf-8"), view_metadata)
    for path in sorted(Path(__file__).parent.glob("*.sql"))
}


def creation_order(queries: dict[str, str]) -> list[str]:
    """The names of the views, each after those that its SELECT reads."""
    ordered: list[str] = []

    def add(name: str) -> None:
        if name not in ordered:
            for other in queries:
                if other != name and re.search(rf"\b{other}\b", queries[name]):
                    add(other)
            ordered.append(name)

    for name in queries:
        add(name)
    return ordered


def views_differ(conn: Connection) -> bool:
    """Whether the database has other views or comments than the code."""
    have = {row.name: row.digest for row in conn.execute(select(definition))}
    return have != _digests()


def drop_views(conn: Connection) -> list[Grant]:
    """Drop the views of the code, and those that an earlier version has made; returns who could read them.

    Raises SettingsError where somebody has made other views on them.
    """
    names = set(_QUERIES)
    if inspect(conn).has_table(definition.name):
        names |= set(conn.execute(select(definition.c.name)).scalars())
        conn.execute(delete(definition))
    grants = _grants(conn, names) if conn.dialect.name == "postgresql" else []
    quote = conn.dialect.identifier_preparer.quote
    present = [name for name in inspect(conn).get_view_names() if name in names]
    try:
        if conn.dialect.name == "postgresql" and present:
            conn.execute(text(f"DROP VIEW {', '.join(map(quote, present))}"))
        else:
            for name in present:
                conn.execute(text(f"DROP VIEW {quote(name)}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "2BP01":
            raise
        raise SettingsError(
            "the warehouse's views have changed and can't be made again while others are built on them: drop those "
            "(psql's \\d+ shows what they select), run `jejak migrate`, and create them again"
        ) from None
    return grants


def create_views(conn: Connection, grants: Collection[Grant] = ()) -> None:
    """Make the views, none of which is there, let the same roles read them, and set the comments of all."""
    quote = conn.dialect.identifier_preparer.quote
    for name in creation_order(_QUERIES):
        conn.execute(text(f"CREATE VIEW {quote(name)} AS\n{_QUERIES[name]}"))
    for view, role in grants:
        if view in _QUERIES:
            conn.execute(text(f"GRANT SELECT ON {quote(view)} TO {quote(role) if role else 'PUBLIC'}"))
    if conn.dialect.name == "postgresql":
        _set_comments(conn)
    conn.execute(insert(definition), [{"name": name, "digest": digest} for name, digest in _digests().items()])


def _grants(conn: Connection, names: Collection[str]) -> list[Grant]:
    query = """
        SELECT view.relname, role.rolname
        FROM pg_class AS view
        CROSS JOIN LATERAL aclexplode(view.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE view.relkind = 'v' AND view.relnamespace = to_regnamespace(current_schema())
            AND acl.privilege_type = 'SELECT' AND acl.grantee <> view.relowner
        ORDER BY view.relname, role.rolname
    """
    return [(row.relname, row.rolname) for row in conn.execute(text(query)) if row.relname in names]


def _set_comments(conn: Connection) -> None:
    for table in metadata.sorted_tables:
        conn.execute(SetTableComment(table))
    for view in view_metadata.sorted_tables:
        statement = str(SetTableComment(view).compile(dialect=conn.dialect))
        conn.exec_driver_sql(statement.replace("COMMENT ON TABLE", "COMMENT ON VIEW", 1))
    for table in (*metadata.sorted_tables, *view_metadata.sorted_tables):
        for column in table.columns:
            conn.execute(SetColumnComment(column))


def _digests() -> dict[str, str]:
    """The digest of each view's SELECT, and of all comments."""
    comments = [
        [table.name, table.comment, *((column.name, column.comment) for column in table.columns)]
        for table in (*metadata.sorted_tables, *view_metadata.sorted_tables)
    ]
    texts = {**_QUERIES, "comments": repr(comments)}
    return {name: hashlib.sha256(content.encode()).hexdigest() for name, content in texts.items()}
