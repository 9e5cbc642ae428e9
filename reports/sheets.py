"""Spreadsheets and CSV files for people: what no spreadsheet takes for a formula."""

from typing import Any

_MARKS = ("=", "+", "-", "@", "\t", "\r")


def plain(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a text that begins like one gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_MARKS) else value
