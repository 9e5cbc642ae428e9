"""Code tables: what a source's words mean in OCDS. One CSV per source beside this file: `list,value,code`.

The first list of a value wins nowhere: (list, value) is unique, values are compared without regard to case and blanks.
"""

import csv
from functools import cache
from pathlib import Path

Meanings = dict[tuple[str, str, str], str]
"""(source, list, plain word) -> OCDS code: what operators add to the tables."""


def plain(value: str) -> str:
    """A source word as it is compared: lower case, single blanks."""
    return " ".join(value.lower().split())


@cache
def table(source: str) -> dict[tuple[str, str], str]:
    """(list, plain value) -> OCDS code of one source; a code may be empty: the value is known and has no OCDS code."""
    with (Path(__file__).parent / f"{source}.csv").open(encoding="utf-8", newline="") as file:
        return {(row["list"], plain(row["value"])): row["code"] for row in csv.DictReader(file)}


def choices(source: str, code_list: str) -> list[str]:
    """The codes that words of a list may mean, those that its table uses; empty text for none in OCDS."""
    return sorted({"", *(code for (name, _), code in table(source).items() if name == code_list)})
