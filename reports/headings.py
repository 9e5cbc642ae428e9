"""The Indonesian headings of the tables that analysts carry away."""

import csv
from functools import cache
from pathlib import Path

from sqlalchemy import Table

PATH = Path(__file__).with_name("headings.csv")


def headings(table: Table) -> list[str]:
    """The heading of each column of a table, by the names in `headings.csv`; a column that it lacks keeps its name."""
    words = _words()
    return [words.get(f"{table.name}.{column.name}") or words.get(column.name, column.name) for column in table.columns]


@cache
def _words() -> dict[str, str]:
    with PATH.open(encoding="utf-8", newline="") as file:
        return {row["column"]: row["heading"] for row in csv.DictReader(file)}
