"""One owner per field: which service may give which OCDS path, and which stand in where the owner gives none.

The table is `codes/field_owners.csv`: a path without ids, and the services that may emit it, owner first; `*` stands
for the services of the row `*` not named before. The longest path that leads a field decides.
"""

import csv
from functools import cache
from pathlib import Path

# Lists that one service gives whole: entries of two services must not mix.
WHOLE = ("planning.budget.budgetBreakdown", "tender.items", "awards.suppliers", "contracts.implementation.transactions")


@cache
def _table() -> dict[str, dict[str, int]]:
    with (Path(__file__).parent / "codes" / "field_owners.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row["owners"].split() for row in csv.DictReader(file)}
    everyone = rows.pop("*")
    table = {}
    for path, owners in rows.items():
        if "*" in owners:
            named = [owner for owner in owners if owner != "*"]
            owners = named + [service for service in everyone if service not in named]
        table[path] = {service: rank for rank, service in enumerate(owners)}
    return table


@cache
def rank(path: str, service: str) -> int | None:
    """A service's place among those that may emit a path; None where it may not.

    >>> rank("tender.title", "SPSE-TenderPengumuman")
    0
    >>> rank("tender.title", "RUP-PaketPenyedia-Terumumkan") > 0
    True
    >>> rank("contracts.value", "RUP-PaketPenyedia-Terumumkan") is None
    True
    """
    table = _table()
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        owners = table.get(".".join(parts[:length]))
        if owners is not None:
            return owners.get(service)
    return None


@cache
def order(service: str) -> int:
    """A service's place among all services: partial documents are united, and parties described, in this order."""
    return _table()["tender"].get(service, len(_table()["tender"]))
