"""Tables for people who open them in a spreadsheet program."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from reports.sheets import defused

ROWS = 1_048_575
"""Rows that a sheet holds beside its heading."""


def write_csv(path: Path, headings: list[str], rows: Iterable[Iterable[list[Any]]]) -> int:
    """Write chunks of rows as UTF-8 with a mark that Excel reads it by; return the number of rows."""
    count = 0
    pd.DataFrame(columns=headings).to_csv(path, index=False, encoding="utf-8-sig")
    for chunk in rows:
        frame = pd.DataFrame([[defused(value) for value in row] for row in chunk], dtype=object)
        frame.to_csv(path, mode="a", header=False, index=False)
        count += len(frame)
    return count


def write_xlsx(path: Path, sheet: str, headings: list[str], rows: Iterable[Iterable[list[Any]]]) -> int:
    """Write chunks of rows as a workbook, on further sheets where one is full; return the number of rows."""
    count = 0
    with pd.ExcelWriter(path, engine="openpyxl", engine_kwargs={"write_only": True}) as writer:
        for number, part in enumerate(_sheets(rows), 1):
            name = sheet[:28] + (f" {number}" if number > 1 else "")
            pd.DataFrame(part, columns=headings, dtype=object).to_excel(writer, sheet_name=name, index=False)
            count += len(part)
    return count


def _sheets(rows: Iterable[Iterable[list[Any]]]) -> Iterator[list[list[Any]]]:
    """The rows of one sheet after the other; one empty sheet where there is no row."""
    part: list[list[Any]] = []
    for chunk in rows:
        for row in chunk:
            if len(part) == ROWS:
                yield part
                part = []
            part.append([defused(value) for value in row])
    yield part
