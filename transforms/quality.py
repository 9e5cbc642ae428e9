"""Quality checks on one compiled release: what is valid OCDS and still looks wrong. A finding stops nothing.

The checks follow Pelican, the quality review of the standard's makers. Where one event must follow another, days are
compared, not moments: of a source that knows only the day, the time is 00:00:00 or 23:59:59.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

_Object = dict[str, Any]
_Path = tuple[str | int, ...]
_Seen = Iterator[tuple[_Path, str]]


class Finding(NamedTuple):
    """What a check saw: its code (a key of `CHECKS`), where (`contracts/0/value`), and what is wrong there."""

    code: str
    path: str
    message: str


class _Process(NamedTuple):
    """A compiled release and, walked once for all checks, its objects: path, the field it stands in, the object."""

    compiled: _Object
    objects: list[tuple[_Path, str, _Object]]


def check(compiled: _Object, codes: Collection[str] | None = None) -> list[Finding]:
    """All findings on a compiled release that passed `schemas.ocds.validate_compiled_release`; of some checks alone, by
    their codes."""
    process = _Process(compiled, list(_objects(compiled)))
    return [
        Finding(code, "/".join(map(str, path)), message)
        for code, look in CHECKS.items()
        if codes is None or code in codes
        for path, message in look(process)
    ]


def _objects(node: _Object, path: _Path = (), field: str = "") -> Iterator[tuple[_Path, str, _Object]]:
    yield path, field, node
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _objects(value, (*path, name), name)
        elif isinstance(value, list):
            for position, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _objects(entry, (*path, name, position), name)


def _day(moment: str) -> str:
    """The day in the moment's own offset, which the sources' times share; as text it sorts as a day does."""
    return moment[:10]


def _amount(holder: _Object, field: str = "value") -> float | None:
    amount: float | None = holder.get(field, {}).get("amount")
    return amount


Severity = Literal["error", "warning", "notice"]
_Look = Callable[[_Process], _Seen]

CHECKS: dict[str, _Look] = {}
"""Code -> check: where in a compiled release something looks wrong, and what. Each bears its code as its name."""

SEVERITY: dict[str, Severity] = {}
"""Code -> how bad: a contradiction, something missing or unlikely, something to know."""


def _finds(severity: Severity) -> Callable[[_Look], _Look]:
    def listed(look: _Look) -> _Look:
        code = look.__name__.removeprefix("_")
        CHECKS[code], SEVERITY[code] = look, severity
        return look

    return listed


# Less than a rupiah is rounding.
_ROUNDED = 1
_EVENTS = ("date", "dateMet", "dateModified", "datePublished", "dateSigned")
_PLANS = ("dueDate", "startDate", "endDate", "maxExtentDate")


@_finds("error")
def _date_out_of_range(process: _Process) -> _Seen:
    for path, _, node in process.objects:
        for name in (*_EVENTS, *_PLANS):
            if name in node and not "1990" <= node[name][:4] <= "2050":
                yield (*path, name), "the date lies outside 1990 to 2050"


@_finds("error")
def _date_in_future(process: _Process) -> _Seen:
    latest = datetime.fromisoformat(process.compiled["date"])
    for path, field, node in process.objects:
        for name in (*_EVENTS, "endDate") if field == "implementation" else _EVENTS:
            if name in node and datetime.fromisoformat(node[name]) > latest:
                yield (*path, name), "the event lies after the latest release"


@_finds("error")
def _period_reversed(process: _Process) -> _Seen:
    for path, _, node in process.objects:
        if "startDate" in node and "endDate" in node and _day(node["endDate"]) < _day(node["startDate"]):
            yield path, "the period ends before it starts"


@_finds("error")
def _amount_negative(process: _Process) -> _Seen:
    for path, _, node in process.objects:
        amount = node.get("amount")
        # A line of a budget may correct another one.
        if isinstance(amount, int | float) and amount < 0 and "budgetBreakdown" not in path:
            yield (*path, "amount"), "the amount is below zero"


@_finds("warning")
def _budget_not_sum_of_lines(process: _Process) -> _Seen:
    budget = process.compiled.get("planning", {}).get("budget", {})
    lines, whole = [_amount(line, "amount") for line in budget.get("budgetBreakdown", [])], _amount(budget, "amount")
    if lines and whole is not None and None not in lines and abs(sum(filter(None, lines)) - whole) >= _ROUNDED:
        yield ("planning", "budget", "amount"), "the budget is not the sum of its lines"


_CODES = {
    "roles": {
        "buyer",
        "enquirer",
        "funder",
        "interestedParty",
        "payee",
        "payer",
        "procuringEntity",
        "reviewBody",
        "sourceParty",
        "supplier",
        "tenderer",
    },
    "relationship": {
        "framework",
        "parent",
        "planning",
        "prior",
        "renewalProcess",
        "replacementProcess",
        "subContract",
        "unsuccessfulProcess",
    },
    "additionalProcurementCategories": {"consultingServices", "goods", "services", "works"},
    "submissionMethod": {"electronicAuction", "electronicSubmission", "inPerson", "written"},
}
"""The open codelists that we draw on, extensions included, by the field that holds their codes."""


@_finds("error")
def _code_unknown(process: _Process) -> _Seen:
    for path, _, node in process.objects:
        for name, codes in _CODES.items():
            for position, code in enumerate(node.get(name, [])):
                if code not in codes:
                    yield (*path, name, position), "the code is not in the standard's list"


@_finds("error")
def _award_before_tender_end(process: _Process) -> _Seen:
    end = process.compiled.get("tender", {}).get("tenderPeriod", {}).get("endDate")
    for i, award in enumerate(process.compiled.get("awards", [])):
        if end and "date" in award and _day(award["date"]) < _day(end):
            yield ("awards", i, "date"), "the award was made before the tender period ended"


@_finds("error")
def _award_of_unfinished_tender(process: _Process) -> _Seen:
    status = process.compiled.get("tender", {}).get("status", "complete")
    for i, award in enumerate(process.compiled.get("awards", [])):
        if award.get("status") == "active" and status != "complete":
            yield ("awards", i, "status"), f"the award is active, but the tender is {status}"


@_finds("error")
def _award_missing(process: _Process) -> _Seen:
    awards = {award.get("id") for award in process.compiled.get("awards", [])}
    for i, contract in enumerate(process.compiled.get("contracts", [])):
        # Self-managed work has no award: its contract refers to itself.
        if contract["awardID"] not in (*awards, contract["id"]):
            yield ("contracts", i, "awardID"), "no award has this id"


@_finds("error")
def _bid_missing(process: _Process) -> _Seen:
    bids = {bid["id"] for bid in process.compiled.get("bids", {}).get("details", [])}
    for i, award in enumerate(process.compiled.get("awards", [])):
        if "relatedBid" in award and award["relatedBid"] not in bids:
            yield ("awards", i, "relatedBid"), "no bid has this id"


@_finds("error")
def _signed_before_award(process: _Process) -> _Seen:
    awarded = {award["id"]: _day(award["date"]) for award in process.compiled.get("awards", []) if "date" in award}
    for i, contract in enumerate(process.compiled.get("contracts", [])):
        day = awarded.get(contract["awardID"])
        if day and "dateSigned" in contract and _day(contract["dateSigned"]) < day:
            yield ("contracts", i, "dateSigned"), "the contract was signed before its award"


def _transactions(process: _Process) -> Iterator[tuple[int, _Object, list[_Object]]]:
    for i, contract in enumerate(process.compiled.get("contracts", [])):
        yield i, contract, contract.get("implementation", {}).get("transactions", [])


@_finds("error")
def _paid_before_signed(process: _Process) -> _Seen:
    for i, contract, transactions in _transactions(process):
        for j, paid in enumerate(transactions):
            if "date" in paid and "dateSigned" in contract and _day(paid["date"]) < _day(contract["dateSigned"]):
                path = ("contracts", i, "implementation", "transactions", j, "date")
                yield path, "the payment was made before the contract was signed"


@_finds("error")
def _paid_without_contract(process: _Process) -> _Seen:
    for i, contract, transactions in _transactions(process):
        if transactions and contract.get("status") in ("pending", "cancelled"):
            yield ("contracts", i, "status"), f"there are payments, but the contract is {contract['status']}"


@_finds("error")
def _paid_too_much(process: _Process) -> _Seen:
    for i, contract, transactions in _transactions(process):
        value = _amount(contract)
        if value is not None and sum(_amount(paid) or 0 for paid in transactions) > value:
            yield ("contracts", i, "implementation", "transactions"), "the payments exceed the contract's value"


@_finds("error")
def _recorded_otherwise(process: _Process) -> _Seen:
    for i, contract, transactions in _transactions(process):
        milestones = contract.get("implementation", {}).get("milestones", [])
        # What was recorded with a purchase bears the purchase's id.
        recorded = [
            _amount(entry) or 0
            for entry in (*contract.get("agreements", []), *transactions, *milestones)
            if entry["id"].startswith(f"{contract['id']}-")
        ]
        value = _amount(contract)
        if recorded and value is not None and abs(sum(recorded) - value) >= _ROUNDED:
            yield ("contracts", i, "value"), "the value is not the sum of the agreements and payments recorded with it"


@_finds("error")
def _direct_with_rivals(process: _Process) -> _Seen:
    tender = process.compiled.get("tender", {})
    if tender.get("procurementMethod") == "direct" and len(tender.get("tenderers", [])) > 1:
        yield ("tender", "tenderers"), "the method is direct, but several have bid"


@_finds("error")
def _unmet_with_date(process: _Process) -> _Seen:
    for path, _, node in process.objects:
        if "dateMet" in node and node.get("status") in ("scheduled", "notMet"):
            yield (*path, "dateMet"), f"the milestone is {node['status']}, but has a date on which it was met"


def _far(amount: float | None, other: float | None) -> bool:
    """Whether an amount lies outside 50 to 150 % of another; never where one is zero or missing."""
    return bool(amount and other and not 0.5 <= amount / other <= 1.5)


@_finds("warning")
def _budget_far_from_tender(process: _Process) -> _Seen:
    budget = _amount(process.compiled.get("planning", {}).get("budget", {}), "amount")
    if _far(budget, _amount(process.compiled.get("tender", {}))):
        yield ("planning", "budget", "amount"), "the budget is not within 50 to 150 % of the tender's value"


@_finds("warning")
def _contracts_far_from_award(process: _Process) -> _Seen:
    contracted: dict[str, float] = {}
    for contract in process.compiled.get("contracts", []):
        if contract.get("status") != "cancelled":
            award = contract["awardID"]
            contracted[award] = contracted.get(award, 0) + (_amount(contract) or 0)
    for i, award in enumerate(process.compiled.get("awards", [])):
        if _far(contracted.get(award["id"]), _amount(award)):
            yield ("awards", i, "value"), "the award's contracts are not worth 50 to 150 % of it"


_REFERENCES = {
    "buyer": "buyer",
    "procuringEntity": "procuringEntity",
    "tenderers": "tenderer",
    "suppliers": "supplier",
    "payer": "payer",
    "payee": "payee",
    "sourceParty": "sourceParty",
}
"""Field that holds references to parties -> the role that such a party must have."""


def _roles(process: _Process) -> dict[str, list[str]]:
    return {party["id"]: party.get("roles", []) for party in process.compiled.get("parties", [])}


@_finds("error")
def _party_missing(process: _Process) -> _Seen:
    roles = _roles(process)
    for path, field, node in process.objects:
        if field in _REFERENCES and node["id"] not in roles:
            yield path, "no party has this id"


@_finds("error")
def _role_missing(process: _Process) -> _Seen:
    roles = _roles(process)
    for path, field, node in process.objects:
        role = _REFERENCES.get(field)
        if role and role not in roles.get(node["id"], [role]):
            yield path, f"the party lacks the role {role}"


@_finds("notice")
def _role_unused(process: _Process) -> _Seen:
    used = {(node["id"], _REFERENCES[field]) for _, field, node in process.objects if field in _REFERENCES}
    for i, party in enumerate(process.compiled.get("parties", [])):
        for j, role in enumerate(party.get("roles", [])):
            if role in _REFERENCES.values() and (party["id"], role) not in used:
                yield ("parties", i, "roles", j), f"nothing refers to this party as {role}"


def _of_attempt(process: _Process) -> bool:
    """Whether the process had a tender or a direct purchase in SPSE: recorded purchases and orders hold less."""
    return str(process.compiled.get("tender", {}).get("id", "")).startswith(("tender-", "nontender-"))


@_finds("warning")
def _contract_missing(process: _Process) -> _Seen:
    contracted = {contract["awardID"] for contract in process.compiled.get("contracts", [])}
    complete = process.compiled.get("tender", {}).get("status") == "complete"
    for i, award in enumerate(process.compiled.get("awards", []) if complete and _of_attempt(process) else []):
        if award.get("status") == "active" and award["id"] not in contracted:
            yield ("awards", i, "status"), "the award is active and the tender complete, but there is no contract"


@_finds("warning")
def _still_running(process: _Process) -> _Seen:
    today = _day(process.compiled["date"])
    for i, contract in enumerate(process.compiled.get("contracts", [])):
        end = contract.get("period", {}).get("endDate")
        delivered = contract.get("implementation", {}).get("endDate")
        if contract.get("status") == "active" and end and _day(end) < today and not delivered:
            path = ("contracts", i, "period", "endDate")
            yield path, "the contract is past its end, but neither ended nor delivered"


def _standing(entries: list[_Object]) -> Iterator[tuple[int, _Object]]:
    """Awards or contracts that count."""
    for i, entry in enumerate(entries):
        if entry.get("status") not in ("cancelled", "unsuccessful", "pending"):
            yield i, entry


@_finds("warning")
def _supplier_missing(process: _Process) -> _Seen:
    for i, award in _standing(process.compiled.get("awards", [])):
        if not award.get("suppliers"):
            yield ("awards", i, "suppliers"), "the award has no supplier"


@_finds("notice")
def _supplier_nameless(process: _Process) -> _Seen:
    for i, award in _standing(process.compiled.get("awards", [])):
        for j, supplier in enumerate(award.get("suppliers", [])):
            if not supplier.get("name"):
                yield ("awards", i, "suppliers", j, "name"), "the supplier has a code and no name"


@_finds("warning")
def _value_missing(process: _Process) -> _Seen:
    for name in ("awards", "contracts"):
        for i, entry in _standing(process.compiled.get(name, [])):
            if not _amount(entry):
                yield (name, i, "value"), f"the {name[:-1]} has no value above zero"


@_finds("warning")
def _signature_missing(process: _Process) -> _Seen:
    for i, contract in _standing(process.compiled.get("contracts", [])):
        # Orders and recorded purchases of the same process begin with their kind, and have no such date.
        if _of_attempt(process) and contract["id"][0].isdigit() and "dateSigned" not in contract:
            yield ("contracts", i, "dateSigned"), "the contract has no date of signature"


@_finds("notice")
def _budget_missing(process: _Process) -> _Seen:
    budget = process.compiled.get("planning", {}).get("budget", {})
    if budget and not _amount(budget, "amount"):
        yield ("planning", "budget", "amount"), "the plan has no budget above zero, or is not known"


@_finds("error")
def _tenderers_miscounted(process: _Process) -> _Seen:
    tender = process.compiled.get("tender", {})
    if "numberOfTenderers" in tender and tender["numberOfTenderers"] != len(tender.get("tenderers", [])):
        yield ("tender", "numberOfTenderers"), "the number of bidders is not that of the bidders named"


@_finds("notice")
def _name_differs(process: _Process) -> _Seen:
    names = {party["id"]: party.get("name") for party in process.compiled.get("parties", [])}
    for path, field, node in process.objects:
        if field in _REFERENCES and node.get("name", names.get(node["id"])) != names.get(node["id"]):
            yield (*path, "name"), "the name is another than that of the party with this id"


_PLANNING_PAPERS = {
    "assetAndLiabilityAssessment",
    "environmentalImpact",
    "feasibilityStudy",
    "marketStudies",
    "needsAssessment",
    "plannedProcurementNotice",
    "procurementPlan",
    "projectPlan",
    "riskProvisions",
}
"""The document types that the standard's list puts into the planning section."""


@_finds("notice")
def _document_misplaced(process: _Process) -> _Seen:
    for i, document in enumerate(process.compiled.get("planning", {}).get("documents", [])):
        if "documentType" in document and document["documentType"] not in _PLANNING_PAPERS:
            yield (
                ("planning", "documents", i, "documentType"),
                "the standard puts this type outside the planning section",
            )


def at_stake(state: _Object) -> float:
    """The money of a process (IDR): of its contracts that count, else of its awards, its tender, its plan; 0 where none
    is given."""
    for name in ("contracts", "awards"):
        if total := sum(_amount(entry) or 0 for _, entry in _standing(state.get(name, []))):
            return total
    budget = state.get("planning", {}).get("budget", {})
    return _amount(state.get("tender", {})) or _amount(budget, "amount") or 0
