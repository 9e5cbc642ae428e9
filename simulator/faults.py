"""Faults on demand: what goes wrong with which answers, and how often."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

from simulator.rendering import Row

# What the server does instead of answering.
TRANSPORT = ("html", "truncated", "status", "rate_limit", "hang", "drop")
# What is wrong with the rows of an answer that looks right.
ROWS = ("missing_column", "few_rows", "empty", "wrong_types", "huge_numbers", "duplicate_page", "null_first_page")


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    kind: `html` (a page with status 200), `truncated` (half the JSON), `status` (an error with `status`), `rate_limit`
      (429 with Retry-After), `hang` (no answer for `seconds`), `drop` (the connection breaks in mid-answer),
      `missing_column` (`column`, by default the service's code, is in no row), `few_rows` (a fifth of them), `empty`,
      `wrong_types` (words for amounts), `huge_numbers`, `duplicate_page` (INAPROC: the page comes again on the next
      cursor; ISB: all rows twice), `null_first_page` (INAPROC: `data` null, and a cursor to the real first page)
    match: part of the service's or endpoint's name; "" matches every request
    times: answers that it spoils; None for all until it is cleared
    after_page: pages of INAPROC that still come right
    """

    kind: str
    match: str = ""
    times: int | None = 1
    after_page: int = 0
    status: int = 503
    retry_after: str = "1"
    seconds: float = 60.0
    column: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in TRANSPORT + ROWS:
            raise ValueError(f"unknown fault {self.kind!r}; choose one of {', '.join(TRANSPORT + ROWS)}")


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
        case _:
            return rows


def _is_amount(name: str, value: object) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and name.startswith(("pagu", "nilai", "total"))
    )


def _mistyped(name: str, value: object) -> object:
    return "sepuluh juta rupiah" if _is_amount(name, value) else value
