"""Faults on demand: what goes wrong with which answers, and how often."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

from simulator.rendering import Row

# What the server does instead of answering.
TRANSPORT = (
    "html", "truncated", "status", "rate_limit", "hang", "drop", "error_object", "slow", "huge", "gzip_bomb"
)  # fmt: skip
# What is wrong with the pages of an answer that looks right.
PAGES = ("duplicate_page", "null_first_page", "same_page", "wrong_total", "deleted_row", "endless")
# What is wrong with its rows.
ROWS = (
    "missing_column", "few_rows", "empty", "wrong_types", "huge_numbers", "few_distinct", "lost_codes", "shifted_row"
)  # fmt: skip

ERROR_OBJECTS: tuple[Row, ...] = (
    {"status": "error", "message": "Token kedaluwarsa", "data": []},
    {"status": False, "data": []},
    {"code": 401, "data": None},
    {"error": "Token kedaluwarsa", "data": None},
    {"success": "false", "data": []},
    {"data": []},
)
"""What sources send with status 200 where they failed; the last is INAPROC's envelope without `success`."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    kind:
      instead of an answer: `html` (a page with status 200), `truncated` (half the JSON), `status` (an error with
        `status`), `rate_limit` (429 with Retry-After), `hang` (no answer for `seconds`), `drop` (the connection breaks
        in mid-answer), `error_object` (status 200, and `ERROR_OBJECTS[wording]`), `slow` (a byte every `seconds`),
        `huge` (`megabytes` more of blanks), `gzip_bomb` (the same, small on the way)
      pages: `duplicate_page` (the page comes again on the next cursor; bare lists: all rows twice), `null_first_page`
        (no rows, and a cursor to the real first page), `same_page` (each page holds the rows of the first),
        `wrong_total` (a third of the rows, and a total of all of them), `deleted_row` (the first row is gone from the
        second page on, so that the others move up), `endless` (each page promises another)
      rows: `missing_column` (`column`, by default the service's code, is in no row), `few_rows` (a fifth of them),
        `empty`, `wrong_types` (words for amounts), `huge_numbers`, `few_distinct` (a twentieth of them, again and
        again), `lost_codes` (two in five have no code), `shifted_row` (one row's values stand a column further)
    match: part of the service's or endpoint's name; "" matches every request
    times: answers that it spoils; None for all until it is cleared
    after_page: pages that still come right
    """

    kind: str
    match: str = ""
    times: int | None = 1
    after_page: int = 0
    status: int = 503
    retry_after: str = "1"
    seconds: float | None = None
    column: str | None = None
    wording: int = 0
    megabytes: int = 300

    def __post_init__(self) -> None:
        known = TRANSPORT + PAGES + ROWS
        if self.kind not in known:
            raise ValueError(f"unknown fault {self.kind!r}; choose one of {', '.join(known)}")
        if self.seconds is None:
            self.seconds = 0.5 if self.kind == "slow" else 60.0


class Faults:
    """The faults in force; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, names: tuple[str, ...], page: int = 1) -> Fault | None:
        """The first fault for an answer that goes by any of these names; one of its times is used up."""
        with self._lock:
            for fault in self._faults:
                if page > fault.after_page and any(fault.match in name for name in names):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
            return None


def parse(value: object) -> list[Fault]:
    """Faults from JSON: one object or a list. Raises ValueError for what is no fault."""
    known = {field.name for field in fields(Fault)}
    faults = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict) or "kind" not in each or not each.keys() <= known:
            raise ValueError(f"a fault is an object with kind and any of {', '.join(sorted(known - {'kind'}))}")
        faults.append(Fault(**each))
    return faults


def spoil(rows: list[Row], fault: Fault, code: str) -> list[Row]:
    """The rows of an answer that a fault spoils; `code` is the service's own code field."""
    match fault.kind:
        case "missing_column":
            return [{name: value for name, value in row.items() if name != (fault.column or code)} for row in rows]
        case "few_rows":
            return rows[: len(rows) // 5]
        case "empty":
            return []
        case "wrong_types":
            return [{name: _mistyped(name, value) for name, value in row.items()} for row in rows]
        case "huge_numbers":
            return [{name: 10**30 if _is_amount(name, value) else value for name, value in row.items()} for row in rows]
        case "few_distinct":
            few = rows[: max(1, len(rows) // 20)]
            return [few[position % len(few)] for position in range(len(rows))]
        case "lost_codes":
            return [row | {code: None} if position % 5 < 2 else row for position, row in enumerate(rows)]
        case "shifted_row":
            return [dict(zip(row, ["", *row.values()], strict=False)) for row in rows[:1]] + rows[1:]
        case _:
            return rows


def page_of(rows: list[Row], offset: int, limit: int, fault: Fault | None) -> tuple[list[Row], int | None, int]:
    """The rows of a page that begins after `offset` rows, where the next one begins (None: this is the last) and the
    total that the source states, with what a fault does to them."""
    kind = fault.kind if fault else None
    total = len(rows)
    if kind == "wrong_total":
        rows = rows[: len(rows) // 3]
    elif kind == "deleted_row" and offset:
        rows, total = rows[1:], total - 1
    elif kind == "null_first_page" and not offset:
        return [], 0, total
    part = rows[offset : offset + limit]
    following: int | None = offset + limit if offset + limit < len(rows) else None
    if kind == "same_page":
        part = rows[:limit]
    elif kind == "duplicate_page":
        following = offset
    elif kind == "endless":
        part, following = part or rows[:limit], offset + limit
    return part, following, total


def _is_amount(name: str, value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and name.startswith(("pagu", "nilai", "total"))
    )


def _mistyped(name: str, value: object) -> object:
    return "sepuluh juta rupiah" if _is_amount(name, value) else value
