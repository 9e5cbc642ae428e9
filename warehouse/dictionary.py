"""The data dictionary, from the comments of tables and views: `python -m warehouse.dictionary` writes DICTIONARY.md."""

from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from warehouse.tables import OPEN, PRIVATE, metadata
from warehouse.views import view_metadata

PATH = Path(__file__).with_name("DICTIONARY.md")

_HEAD = """# Data dictionary

Made from `warehouse/tables.py` and `warehouse/views/*.sql` by `python -m warehouse.dictionary`. Types are PostgreSQL's;
a SQLite warehouse has the same tables, columns and views.

Columns marked (UTC) are text `YYYY-MM-DDTHH:MM:SSZ`; other dates and times are the source's local time.
"""


def dictionary() -> str:
    """The data dictionary as Markdown."""
    closed = [table for table in metadata.sorted_tables if table in PRIVATE]
    inner = [table for table in metadata.sorted_tables if table not in (*OPEN, *closed)]
    return "\n".join(
        [
            _HEAD,
            "## For analysts\n",
            *(_section(table) for table in (*view_metadata.sorted_tables, *OPEN)),
            "## How the warehouse works inside\n",
            *(_section(table) for table in inner),
            "## Closed: rows as received\n",
            "These may hold personal data; the analysts' role can't read them.\n",
            *(_section(table) for table in closed),
        ]
    )


def _section(table: Table) -> str:
    lines = [f"### {table.name}\n", f"{table.comment}\n", "| column | type | what |", "|---|---|---|"]
    for column in table.columns:
        kind = column.type.compile(postgresql.dialect()).lower().split(" collate")[0]  # type: ignore[no-untyped-call]
        kind += ", key" if column.primary_key else "" if column.nullable else ", not null"
        lines.append(f"| {column.name} | {kind} | {column.comment} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PATH.write_text(dictionary(), encoding="utf-8")
