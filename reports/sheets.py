"""Spreadsheets and CSV files for people: what no spreadsheet takes for a formula."""

from typing import Any

_MARKS = ("=", "+", "-", "@", "\t", "\r")


def defused(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe before it.

    >>> defused("=1+1"), defused(-3)
    ("'=1+1", -3)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_MARKS) else value
