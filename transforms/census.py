"""What all states show together: how often fields are filled, which values occur and repeat, what must be unique."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from transforms.paths import values
from transforms.quality import at_stake

Object = dict[str, Any]

FILLED = {
    "plan": (
        "planning.budget.amount.amount",
        "planning.budget.fund",
        "planning.budget.projectID",
        "planning.budget.budgetBreakdown",
        "planning.procurementMethodDetails",
        "planning.documents",
        "planning.proposals",
    ),
    "attempt": (
        "tender.value.amount",
        "tender.procurementMethodDetails",
        "tender.mainProcurementCategory",
        "tender.items.classification.id",
        "tender.documents.datePublished",
        "tender.tenderPeriod.endDate",
        "tender.numberOfTenderers",
    ),
    "award": ("date", "value.amount", "suppliers", "suppliers.name", "relatedBid"),
    "contract": (
        "value.amount",
        "dateSigned",
        "period.startDate",
        "period.endDate",
        "items",
        "localContentValue.amount",
        "microEnterpriseValue.amount",
        "implementation.endDate",
        "implementation.transactions",
        "implementation.metrics",
    ),
}
"""Of which records, which fields should be filled; awards and contracts are counted each."""

VALUES = (
    "tender.status",
    "tender.procurementMethod",
    "tender.procurementMethodDetails",
    "tender.mainProcurementCategory",
    "awards.status",
    "contracts.status",
)
"""Fields of codes whose values are counted."""

_REPEATED = 10
_STAGES = ("planning", "tender", "awards", "contracts")


class Measure(NamedTuple):
    """A count: `rows` of `of`. `kind` is filled, values, repeated or share; `value` is the value counted, if any."""

    kind: str
    subject: str
    field: str
    value: str
    rows: int
    of: int


@dataclass(slots=True)
class Census:
    """What was counted so far."""

    seen: Counter[str] = field(default_factory=Counter)
    filled: Counter[tuple[str, str]] = field(default_factory=Counter)
    values: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    titles: Counter[str] = field(default_factory=Counter)
    amounts: Counter[float] = field(default_factory=Counter)
    money: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    tender_ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    related: list[tuple[str, str]] = field(default_factory=list)
    ocids: set[str] = field(default_factory=set)


def count(census: Census, state: Object) -> None:
    """Add a state (with `ocid`) to a census."""
    ocid, tender = state["ocid"], state.get("tender", {})
    census.ocids.add(ocid)
    census.related += [(ocid, each["identifier"]) for each in state.get("relatedProcesses", []) if "identifier" in each]
    if "id" in tender:
        census.tender_ids[tender["id"]].append(ocid)
    whole = {
        "plan": [state] if state.get("planning") else [],
        "attempt": [state] if str(tender.get("id", "")).startswith(("tender-", "nontender-")) else [],
        "award": state.get("awards", []),
        "contract": state.get("contracts", []),
    }
    for subject, entries in whole.items():
        for entry in entries:
            census.seen[subject] += 1
            for path in FILLED[subject]:
                census.filled[subject, path] += next(values(entry, path), None) is not None
    for path in VALUES:
        census.values[path].update(map(str, values(state, path)))
    census.values["stage"].update(stage for stage in _STAGES if state.get(stage))
    if "title" in tender:
        census.titles[tender["title"]] += 1
    for award in state.get("awards", []):
        if "value" in award and award.get("status") == "active":
            census.amounts[award["value"]["amount"]] += 1
    office = state.get("buyer", {})
    census.money["office"][office.get("name") or office.get("id", "")] += at_stake(state)
    for award in state.get("awards", []):
        for supplier in award.get("suppliers", []) if award.get("status") == "active" else ():
            census.money["supplier"][supplier.get("name") or supplier["id"]] += award.get("value", {}).get("amount", 0)


def measures(census: Census) -> Iterator[Measure]:
    """The counts of a census."""
    for subject, paths in FILLED.items():
        for path in paths:
            yield Measure("filled", subject, path, "", census.filled[subject, path], census.seen[subject])
    for path, found in sorted(census.values.items()):
        for value, number in found.most_common():
            yield Measure("values", "record", path, value, number, found.total())
    repeated: dict[str, Counter[Any]] = {"tender.title": census.titles, "awards.value.amount": census.amounts}
    for path, counted in repeated.items():
        for value, number in counted.most_common(_REPEATED):
            if number > 1:
                yield Measure("repeated", "record", path, str(value), number, counted.total())
    for subject, sums in census.money.items():
        total = sum(sums.values())
        for name, amount in sorted(sums.items(), key=lambda item: -item[1])[:_REPEATED]:
            yield Measure("share", subject, "amount", name, round(amount), round(total))


def together(census: Census) -> Iterator[tuple[str, str, str, str]]:
    """(code, OCID, path, message) of what is wrong only beside other records."""
    for name, ocids in census.tender_ids.items():
        for ocid in ocids if len(ocids) > 1 else ():
            yield "tender_id_repeated", ocid, "tender/id", f"{len(ocids)} processes have the tender id {name}"
    for ocid, other in census.related:
        if other not in census.ocids:
            yield "related_missing", ocid, "relatedProcesses", f"the related process {other} has no record"


def went_back(compiled: Object, state: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(code, path, message) of what a record once held and its state no longer does."""
    for name in ("bids", "awards", "contracts"):
        if compiled.get(name) and not state.get(name):
            yield "stage_went_back", name, f"there once were {name}, and the sources no longer have any"
    if state.get("tender", {}).get("status") == "withdrawn":
        yield "announcement_withdrawn", "tender/status", "no source announces the process any more"


SEVERITY = {
    "tender_id_repeated": "error",
    "related_missing": "notice",
    "stage_went_back": "warning",
    "announcement_withdrawn": "notice",
    "ocid_vanished": "warning",
    "rows_rejected": "error",
    "field_left_out": "warning",
    "code_unmapped": "warning",
}
"""Severity of what is found beside other records, over time, and in sources."""
