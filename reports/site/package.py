"""One package as its page shows it: five stages, what is missing, figures, and how they came about."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from markupsafe import Markup

from reports.publication.processes import PublishedProcess, shown_state
from reports.site import texts
from reports.site.history import OBSERVATIONS, Change, Update, entry_title, history
from reports.site.places import Place, place_of_proposal, places_of
from transforms.parties import is_organisation, names_firm, names_organisation
from transforms.paths import value_at
from warehouse.star import RECORDINGS, star_rows
from warehouse.tables import STAGES

Object = dict[str, Any]

_LISTS = (
    *("planning/proposals", "planning/budget/budgetBreakdown", "planning/documents"),
    *("tender/milestones", "tender/documents", "bids/details"),
)
_LISTS_OF_CONTRACT = (
    *("amendments", "guarantees", "documents", "milestones", "agreedMetrics"),
    *(f"implementation/{name}" for name in ("milestones", "transactions", "metrics", "documents")),
)
_SAFE = re.compile(r"[^A-Za-z0-9._-]")
_ENDED = ("cancelled", "unsuccessful", "withdrawn")
_LIST_TITLE = 160
_CHANGES_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a stage: the key of its label, what is shown, and where the value stands in the state."""

    label: str
    shown: Markup | str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five stages: whether it is there, what is known of it, and the keys of what is missing."""

    name: str
    present: bool
    facts: list[Fact]
    missing: list[str]

    @property
    def word(self) -> str:
        """The key of how far it is: recorded, cancelled or missing."""
        over = any(key.endswith("_cancelled") for key in self.missing)
        return "trail.cancelled" if over else "trail.yes" if self.present else "trail.no"


@dataclass(slots=True)
class Package:
    """What lists, totals, feeds and the search know of a package; amounts in IDR, days as ISO text.

    `districts` names what is around places that are known by a proposal's words alone. `suppliers` are firms, with
    what was awarded to each alone, and whether an award to it stands: a pending one does not. `planned` is None where
    another process of the family has the same budget.
    `recorded` is what was spent through recorded purchases and self-managed work, which is no price of a contract.
    `due` is the day on which the last of its running contracts should end, `late_days` by how much ended ones were
    late. `news` are the keys of what the latest release changed. What is `deactivated` counts in no sum of budgets.
    `date` is that of the latest release, `made_at` when the newest was made (UTC).
    """

    ocid: str
    year: int
    family: str
    title: str
    office: tuple[str, str] | None
    places: list[Place]
    districts: dict[str, str]
    suppliers: list[tuple[str, str, float | None, bool]]
    stages: tuple[bool, ...]
    status: str
    planned: float | None
    contracted: float | None
    recorded: float | None
    month: str | None
    due: str | None
    late_days: int
    date: str
    made_at: str
    news: list[str]
    codes: list[str]
    proposals: list[tuple[Place, str, str | None, float | None]] = field(default_factory=list)
    deactivated: bool = False


def file_name(name: str) -> str:
    """A name that may be part of an address and of a file's name; an OCID or a code stays as it is as a rule."""
    return _SAFE.sub("_", name)


def summary(process: PublishedProcess) -> Package:
    """What is known of a process beyond its own page."""
    state = shown_state(process)
    rows = star_rows(state, process.family, process.fiscal_year)
    row = rows["contracting_process"][0]
    tender, planning = state.get("tender") or {}, state.get("planning") or {}
    contracts = [each for each in state.get("contracts") or () if each.get("status") != "cancelled"]
    open_ends = [end for each in contracts if not _ended(each) and (end := _end(each))]
    budget = planning.get("budget") or {}
    places = places_of(state)
    return Package(
        process.ocid,
        process.fiscal_year,
        process.family,
        row["title"] or _named_by_kind(state, row) or process.ocid,
        (intern(row["office_id"]), intern(row["office_name"] or row["office_id"])) if row["office_id"] else None,
        places,
        {
            place.key: each["address"]["region"]
            for each in planning.get("proposals") or ()
            if (each.get("address") or {}).get("region") and (place := place_of_proposal(each))
        },
        _firms(state),
        tuple(
            bool(row[f"has_{stage}"]) and not (stage in ("tender", "award") and is_self_managed(process.ocid))
            for stage in STAGES
        ),
        status_of(state),
        None if budget.get("isRepeated") else row["planned_amount"],
        row["contracted_amount"],
        row["recorded_amount"],
        _month(state, tender, contracts),
        max(open_ends, default=None),
        max((_late_days(each) for each in contracts), default=0),
        process.releases[-1].date,
        max(each.made_at for each in process.releases),
        _news(process),
        sorted(_codes(state)),
        _proposals(planning, places),
        process.deactivated,
    )


def _named_by_kind(state: Object, row: Object) -> str:
    """What a package without a title is, and of whom; empty where neither method nor office is known."""
    kind = row["method_details"] or (state.get("planning") or {}).get("procurementMethodDetails")
    key = "untitled.purchase" if row["origin"] in ("ecat", "tokodaring") else "untitled"
    what = texts.plain(key).format(kind or "").strip()
    return ", ".join(filter(None, (what, row["office_name"]))) if kind or row["office_name"] else ""


def process_words(ocid: str) -> Markup | str:
    """A process by its kind and code, for pages that don't know its title; the OCID where the page has no word for its
    kind."""
    kind, _, code = ocid.split("-", 2)[-1].partition("-")
    key = f"process.{kind}"
    return texts.t(key, code) if key in texts.messages() and code else ocid


def is_self_managed(ocid: str) -> bool:
    """Whether a package is work of the office or a community group itself, which has no tender and no award."""
    return "-swk-" in ocid or "-swakelola-" in ocid


def status_of(state: Object) -> str:
    """How far a package has come, as a key of the texts: cancelled, unsuccessful, withdrawn, finished, running,
    awarded, pending (an award that may still change), tendered or planned."""
    tender = state.get("tender") or {}
    if tender.get("status") in _ENDED:
        return str(tender["status"])
    contracts = [each for each in state.get("contracts") or () if each.get("status") != "cancelled"]
    if contracts:
        return "finished" if all(_ended(each) for each in contracts) else "running"
    awards = {each.get("status") for each in state.get("awards") or ()}
    if awards & {"active", "pending"}:
        return "awarded" if "active" in awards else "pending"
    attempt = tender and not str(tender.get("id", "")).startswith(("rup-", "swk-"))
    return "tendered" if attempt else "planned"


def view(process: PublishedProcess, package: Package) -> Object:
    """All that the template of a package's page shows; `package` is its summary."""
    state = shown_state(process)
    updates = history([release.body for release in process.releases])
    return {
        "package": package,
        "state": state,
        "gone": [each["id"] for each in _proposals_of(state) if each not in _proposals_of(process.state)],
        "self_managed": is_self_managed(process.ocid),
        "stages": [
            Stage("planning", package.stages[0], *_planning(state)),
            Stage("tender", package.stages[1], *_tender(state)),
            Stage("award", package.stages[2], *_award(state)),
            Stage("contract", package.stages[3], *_contract(state)),
            Stage("implementation", package.stages[4], *_implementation(state)),
        ],
        "bids": _bids(state),
        "awards": [_award_view(state, each) for each in state.get("awards") or ()],
        "contracts": [_contract_view(process, each) for each in state.get("contracts") or ()],
        "updates": [update_shown(update) for update in updates],
        "first_seen": process.releases[0].date,
        "last_changed": process.releases[-1].date,
        "sources": sorted(process.sources.items()),
        "services": sorted(process.services.items()),
        "key_figures": list(_key_figures(state, package)),
    }


def shown_paths(view: Object) -> list[list[str]]:
    """The paths of the figures and of the list entries that a view shows."""
    facts = [fact for stage in view["stages"] for fact in stage.facts]
    facts += [fact for each in view["awards"] for fact in each["facts"]]
    facts += [fact for each in view["contracts"] for fact in (*each["facts"], *each["outcome"])]
    return [list(fact.path) for fact in facts] + [
        [*path, entry["id"]] for path, entries in _lists(view["state"]) for entry in entries
    ]


def beside(state: Object, origin: Mapping[tuple[str, ...], Markup]) -> dict[tuple[str, ...], Markup]:
    """What stands below a list, by its path, where all its entries have one origin; else beside each entry, by its."""
    found: dict[tuple[str, ...], Markup] = {}
    for path, entries in _lists(state):
        each = {(*path, entry["id"]): origin.get((*path, entry["id"])) for entry in entries}
        whole = {path: next(iter(each.values()))} if len(set(each.values())) == 1 else each
        found |= {where: words for where, words in whole.items() if words}
    return found


def _lists(state: Object) -> Iterator[tuple[tuple[str, ...], list[Object]]]:
    """The lists of a state whose entries a page shows, with their paths."""
    parents: list[tuple[tuple[str, ...], Object, tuple[str, ...]]] = [((), state, _LISTS)]
    parents += [(("contracts", each["id"]), each, _LISTS_OF_CONTRACT) for each in state.get("contracts") or ()]
    for parent, node, names in parents:
        for name in names:
            path = tuple(name.split("/"))
            if entries := value_at(node, list(path)):
                yield (*parent, *path), entries


# --------------------------------------------------------------------------------------------------------- five stages


def _key_figures(state: Object, package: Package) -> Iterator[tuple[str, Markup]]:
    budget = (state.get("planning") or {}).get("budget") or {}
    tender = state.get("tender") or {}
    if (amount := _amount(budget.get("amount"))) is not None:
        yield "fact.budget", texts.rupiah(amount)
    if (amount := _amount(tender.get("value"))) is not None:
        yield "fact.estimate", texts.rupiah(amount)
    if package.contracted is not None:
        yield "fact.contract_value", texts.rupiah(package.contracted)
    if package.recorded is not None:
        yield "fact.recorded", texts.rupiah(package.recorded)


def _planning(state: Object) -> tuple[list[Fact], list[str]]:
    planning = state.get("planning") or {}
    budget, tender = planning.get("budget") or {}, state.get("tender") or {}
    facts = _facts(
        ("fact.budget", texts.rupiah(_amount(budget.get("amount"))), "planning/budget/amount/amount"),
        ("fact.year", str(budget.get("fiscalYear") or ""), "planning/budget/fiscalYear"),
        ("fact.fund", budget.get("fund"), "planning/budget/fund"),
        ("fact.activity", budget.get("project"), "planning/budget/project"),
        ("fact.program", budget.get("description"), "planning/budget/description"),
        ("fact.rup", budget.get("id"), "planning/budget/id"),
        ("fact.rationale", _unless(planning.get("rationale"), tender.get("title")), "planning/rationale"),
    )
    missing = _missing(
        ("budget", not budget.get("amount")),
        ("fund", not (budget.get("fund") or budget.get("budgetBreakdown"))),
        ("proposal", not planning.get("proposals")),
        ("planning_documents", not planning.get("documents")),
    )
    return facts, missing


def _tender(state: Object) -> tuple[list[Fact], list[str]]:
    tender = state.get("tender") or {}
    period = tender.get("tenderPeriod") or {}
    planned = str(tender.get("id", "")).startswith(("rup-", "swk-"))
    contract = tender.get("contractPeriod") or {}
    facts = _facts(
        ("fact.status", texts.known("tender", tender.get("status")), "tender/status"),
        ("fact.status_words", texts.known("order", tender.get("statusDetails")), "tender/statusDetails"),
        ("fact.method", tender.get("procurementMethodDetails"), "tender/procurementMethodDetails"),
        (
            "fact.category",
            texts.known("category", tender.get("mainProcurementCategory")),
            "tender/mainProcurementCategory",
        ),
        ("fact.estimate", texts.rupiah(_amount(tender.get("value"))), "tender/value/amount"),
        (
            "fact.planned_from" if planned else "fact.from",
            texts.day(period.get("startDate")),
            "tender/tenderPeriod/startDate",
        ),
        ("fact.planned_to" if planned else "fact.to", texts.day(period.get("endDate")), "tender/tenderPeriod/endDate"),
        ("fact.work_from", texts.day(contract.get("startDate")), "tender/contractPeriod/startDate"),
        ("fact.work_to", texts.day(contract.get("endDate")), "tender/contractPeriod/endDate"),
        ("fact.bidders", texts.number(tender.get("numberOfTenderers")), "tender/numberOfTenderers"),
        ("fact.pricing", tender.get("contractPricing"), "tender/contractPricing"),
        ("fact.eligibility", tender.get("eligibilityCriteria"), "tender/eligibilityCriteria"),
        ("fact.reason", _unless(tender.get("description"), tender.get("title")), "tender/description"),
        ("fact.place", (tender.get("location") or {}).get("description"), "tender/location/description"),
    )
    begun = tender and not planned
    missing = _missing(
        ("tender", not begun),
        ("estimate", begun and not tender.get("value")),
        ("bidders", begun and tender.get("numberOfTenderers") is None),
    )
    return facts, missing


def _award(state: Object) -> tuple[list[Fact], list[str]]:
    standing = [each for each in state.get("awards") or () if each.get("status") not in ("cancelled", "unsuccessful")]
    return [], _missing(
        ("award_cancelled" if state.get("awards") else "award", not standing),
        ("award_date", bool(standing) and not any(each.get("date") for each in standing)),
        ("award_value", bool(standing) and not any(each.get("value") for each in standing)),
    )


def _contract(state: Object) -> tuple[list[Fact], list[str]]:
    standing = [each for each in state.get("contracts") or () if each.get("status") != "cancelled"]
    return [], _missing(
        ("contract_cancelled" if state.get("contracts") else "contract", not standing),
        ("signed", bool(standing) and not any(each.get("dateSigned") for each in standing)),
        ("period", bool(standing) and not any(_end(each) for each in standing)),
        ("contract_documents", bool(standing) and not any(each.get("documents") for each in standing)),
    )


def _implementation(state: Object) -> tuple[list[Fact], list[str]]:
    contracts = state.get("contracts") or ()
    standing = [each for each in contracts if each.get("status") != "cancelled"]
    if contracts and not standing:
        return [], _missing(("contract_cancelled", True))
    # What was paid and reported before a contract was cancelled is on the page too.
    carried = [each.get("implementation") or {} for each in contracts]
    reported = [each.get("agreedMetrics") or (each.get("implementation") or {}).get("metrics") for each in contracts]
    return [], _missing(
        ("progress", not any(reported)),
        ("payment", not any(each.get("transactions") for each in carried)),
        ("handover", not any((each.get("implementation") or {}).get("endDate") for each in standing)),
        ("photo", not any(each.get("documents") for each in carried)),
    )


def _facts(*entries: tuple[str, Any, str], parent: tuple[str, ...] = ()) -> list[Fact]:
    """The facts that there are; paths begin at the `parent`, a list and the id of its entry."""
    return [Fact(label, shown, (*parent, *path.split("/"))) for label, shown, path in entries if shown]


def _missing(*entries: tuple[str, Any]) -> list[str]:
    return [f"missing.{name}" for name, missing in entries if missing]


def _unless(text: str | None, same: str | None) -> str | None:
    return None if text == same else text


def _bids(state: Object) -> list[Object]:
    return [
        {
            "id": bid["id"],
            "names": [_named(state, each) for each in bid.get("tenderers") or ()],
            "value": texts.rupiah(_amount(bid.get("value"))),
            "status": texts.known("bid", bid.get("status")),
        }
        for bid in (state.get("bids") or {}).get("details") or ()
    ]


def _award_view(state: Object, award: Object) -> Object:
    parent = ("awards", award["id"])
    ended = award.get("status") in ("cancelled", "unsuccessful")
    return {
        "suppliers": [_supplier(state, each, linked=not ended) for each in award.get("suppliers") or ()],
        "ended": ended,
        "facts": _facts(
            (
                "fact.recorded" if _is_recording(award["id"]) else "fact.award_value",
                texts.rupiah(_amount(award.get("value"))),
                "value/amount",
            ),
            ("fact.award_date", texts.day(award.get("date")), "date"),
            ("fact.award_number", award.get("number"), "number"),
            ("fact.status", texts.known("award", award.get("status")), "status"),
            ("fact.status_words", texts.known("order", award.get("statusDetails")), "statusDetails"),
            ("fact.reason", award.get("description"), "description"),
            parent=parent,
        ),
    }


def _contract_view(process: PublishedProcess, contract: Object) -> Object:
    parent = ("contracts", contract["id"])
    period, carried = contract.get("period") or {}, contract.get("implementation") or {}
    value, initial = _amount(contract.get("value")), _amount(contract.get("initialValue"))
    numbers = [each["number"] for each in contract.get("agreements") or () if each.get("number")]
    documents = carried.get("documents") or []
    return {
        "contract": contract,
        "ended": contract.get("status") == "cancelled",
        "facts": _facts(
            ("fact.contract_number", ", ".join(dict.fromkeys(numbers)), "agreements"),
            (
                "fact.recorded" if _is_recording(contract["id"]) else "fact.contract_value",
                texts.rupiah(value),
                "value/amount",
            ),
            ("fact.initial_value", texts.rupiah(initial) if initial != value else "", "initialValue/amount"),
            ("fact.signed", texts.day(contract.get("dateSigned")), "dateSigned"),
            ("fact.work_from", texts.day(period.get("startDate")), "period/startDate"),
            ("fact.work_to", texts.day(period.get("endDate")), "period/endDate"),
            ("fact.status", texts.known("contract", contract.get("status")), "status"),
            ("fact.status_words", texts.known("order", contract.get("statusDetails")), "statusDetails"),
            (
                "fact.local_content",
                texts.rupiah(_amount(contract.get("localContentValue"))),
                "localContentValue/amount",
            ),
            (
                "fact.small_firms",
                texts.rupiah(_amount(contract.get("microEnterpriseValue"))),
                "microEnterpriseValue/amount",
            ),
            parent=parent,
        ),
        "outcome": _facts(
            ("fact.ended", texts.day(carried.get("endDate")), "implementation/endDate"),
            ("fact.ended_by", carried.get("endDateDetails"), "implementation/endDateDetails"),
            (
                "fact.final_value",
                texts.rupiah(_amount(carried.get("finalValue"))),
                "implementation/finalValue/amount",
            ),
            parent=parent,
        ),
        "amendments": contract.get("amendments") or [],
        "guarantees": contract.get("guarantees") or [],
        "documents": contract.get("documents") or [],
        "milestones": [
            ((*parent, *path), each)
            for path, entries in (
                (("milestones",), contract.get("milestones") or ()),
                (("implementation", "milestones"), carried.get("milestones") or ()),
            )
            for each in entries
        ],
        "path": parent,
        "payments": _payments(process.state, carried),
        "progress": _progress(process, contract),
        "photos": [each for each in documents if _is_photo(each)],
        "reports": [each for each in documents if not _is_photo(each)],
    }


def _payments(state: Object, carried: Object) -> list[tuple[str, list[Object], float]]:
    """Payments by kind, each kind with a sum of its own: kinds may count the same money, so nothing adds them up."""
    kinds: dict[str, list[Object]] = {}
    for each in carried.get("transactions") or ():
        kinds.setdefault(each.get("type") or "-", []).append(
            {
                "id": each["id"],
                "date": texts.day(each.get("date")),
                "number": each.get("number") or "",
                "value": texts.rupiah(_amount(each.get("value"))),
                "amount": _amount(each.get("value")) or 0,
                "payee": _named(state, each["payee"]) if each.get("payee") else "",
                "order": (each.get("date") or "", each["id"]),
            }
        )
    return [
        (kind, sorted(entries, key=lambda entry: entry["order"]), sum(entry["amount"] for entry in entries))
        for kind, entries in sorted(kinds.items())
    ]


def _progress(process: PublishedProcess, contract: Object) -> list[tuple[str, list[Object]]]:
    """Per kind (physical, financial) the reports in order of their days, each with plan and actual in percent."""
    rows = star_rows({"ocid": process.ocid, "contracts": [contract]}, process.family)["progress"]
    kinds: dict[str, list[Object]] = {}
    for row in rows:
        if row["date"] and (row["plan"] is not None or row["actual"] is not None):
            kinds.setdefault(row["kind"] or "physical", []).append({**row, "date": row["date"].isoformat()})
    return [
        (kind, sorted(kinds[kind], key=lambda row: (row["date"], row["id"]))) for kind in sorted(kinds, reverse=True)
    ]


def photos_of(state: Object) -> list[str]:
    """The addresses of a process's photos."""
    return [
        document["url"]
        for contract in state.get("contracts") or ()
        for document in (contract.get("implementation") or {}).get("documents") or ()
        if _is_photo(document) and document.get("url")
    ]


def _is_photo(document: Object) -> bool:
    return str(document.get("format") or "").startswith("image/")


# -------------------------------------------------------------------------------------------------------- who is named


def _firms(state: Object) -> list[tuple[str, str, float | None, bool]]:
    """The firms of awards that stand or are pending: id, name, what was awarded to them alone (IDR), and whether one
    stands; pending ones count for nothing."""
    found: dict[str, tuple[str, float | None, bool]] = {}
    for award in state.get("awards") or ():
        if award.get("status") in ("cancelled", "unsuccessful"):
            continue
        suppliers, stands = award.get("suppliers") or [], award.get("status") != "pending"
        for each in suppliers:
            name = each.get("name") or _party(state, each["id"]).get("name")
            if name and _is_firm(state, each):
                _, before, stood = found.get(each["id"], (name, None, False))
                value = _amount(award.get("value")) if len(suppliers) == 1 and stands else None
                both = [amount for amount in (before, value) if amount is not None]
                found[each["id"]] = (name, sum(both) if both else None, stood or stands)
    return [(intern(firm), intern(name), amount, stands) for firm, (name, amount, stands) in sorted(found.items())]


def _party(state: Object, name: str) -> Object:
    return next((party for party in state.get("parties") or () if party["id"] == name), {})


def _referred(state: Object, reference: Object) -> Object:
    """The party of a reference, by the name that the reference gives it."""
    party = _party(state, reference["id"])
    return {**party, "name": reference.get("name") or party.get("name")}


def _is_firm(state: Object, reference: Object) -> bool:
    return names_firm(_referred(state, reference))


def _supplier(state: Object, reference: Object, *, linked: bool) -> Markup | str:
    """A supplier's name; a firm's may lead to its page, a person's stands here alone."""
    name = reference.get("name") or _party(state, reference["id"]).get("name") or ""
    if not (name and linked and _is_firm(state, reference)):
        return str(name)
    return Markup('<a href="../penyedia/{}.html">{}</a>').format(file_name(reference["id"]), name)


def _named(state: Object, reference: Object) -> Markup | str:
    """Who bid or was paid, by name if it is no person."""
    party = _referred(state, reference)
    if names_organisation(party) or {"buyer", "procuringEntity"} & set(party.get("roles") or ()):
        return party["name"] or ""
    return texts.t("person")


# ------------------------------------------------------------------------------------------------- lists, search, feeds


def _ended(contract: Object) -> bool:
    return contract.get("status") == "terminated" or bool((contract.get("implementation") or {}).get("endDate"))


def _end(contract: Object) -> str | None:
    end = (contract.get("period") or {}).get("endDate")
    return str(end)[:10] if end else None


def _late_days(contract: Object) -> int:
    due, ended = _end(contract), (contract.get("implementation") or {}).get("endDate")
    return max(0, (_ordinal(ended) - _ordinal(due))) if due and ended else 0


def _ordinal(moment: str) -> int:
    return texts.as_day(moment).toordinal()


def _month(state: Object, tender: Object, contracts: Sequence[Object]) -> str | None:
    """The month of the signature, else of the award, else in which the tender began or is planned to begin."""
    signed = [each["dateSigned"] for each in contracts if each.get("dateSigned")]
    awarded = [each["date"] for each in state.get("awards") or () if each.get("date")]
    begun = (tender.get("tenderPeriod") or {}).get("startDate")
    found = min(signed, default=None) or min(awarded, default=None) or begun
    return str(found)[:7] if found else None


def amount_of(package: Package) -> tuple[str, float] | None:
    """The amount that a line about a package shows, after the key of what it is; None where none is known."""
    contracted, recorded = ("item.contract", package.contracted), ("item.recorded", package.recorded)
    amounts = (contracted, recorded, ("item.budget", package.planned))
    return next(((key, amount) for key, amount in amounts if amount is not None), None)


def _is_recording(name: str) -> bool:
    """Whether an award or contract, by its id, is of what was only recorded: its value is what was spent."""
    return name.partition("-")[0] in RECORDINGS


def _amount(value: Object | None) -> float | None:
    return (value or {}).get("amount")


def _codes(state: Object) -> Iterator[str]:
    """What somebody may have in hand: codes of plan, attempt and order, numbers of contract and award."""
    yield state["ocid"]
    yield from state["ocid"].split("-", 3)[3:]
    tender, budget = state.get("tender") or {}, (state.get("planning") or {}).get("budget") or {}
    yield from filter(None, [str(tender.get("id", "")).partition("-")[2], budget.get("id")])
    for contract in state.get("contracts") or ():
        yield from (each["number"] for each in contract.get("agreements") or () if each.get("number"))
    yield from (each["number"] for each in state.get("awards") or () if each.get("number"))


def _proposals(planning: Object, places: Sequence[Place]) -> list[tuple[Place, str, str | None, float | None]]:
    return [
        (place, each.get("title") or each["id"], each.get("status"), _amount(each.get("value")))
        for each in planning.get("proposals") or ()
        if (place := place_of_proposal(each))
    ]


def _proposals_of(state: Object) -> list[Object]:
    return (state.get("planning") or {}).get("proposals") or []


def _news(process: PublishedProcess) -> list[str]:
    """The keys of what the latest release changed; `news.first` where it is the only one."""
    if len(process.releases) == 1:
        return ["news.first"]
    latest: Update = history([release.body for release in process.releases])[0]
    return list(dict.fromkeys(label(each) for each in latest.changes)) or ["fact.other"]


# ------------------------------------------------------------------------------------------------------------- history

# What a path of the state is called in the history; the longest that leads it counts.
_LABELS: Mapping[str, str] = {
    "title": "fact.title",
    "planning": "stage.planning",
    "planning.budget": "fact.budget_lines",
    "planning.budget.amount": "fact.budget",
    "planning.budget.fund": "fact.fund",
    "planning.budget.fiscalYear": "fact.year",
    "planning.budget.project": "fact.activity",
    "planning.budget.description": "fact.program",
    "planning.procurementMethodDetails": "fact.method",
    "planning.rationale": "fact.rationale",
    "planning.proposals": "fact.proposal",
    "planning.proposals.status": "fact.proposal_status",
    "planning.proposals.statusDetails": "fact.proposal_status",
    "planning.proposals.recommendations": "fact.recommendation",
    "planning.documents": "fact.documents",
    "tender": "stage.tender",
    "tender.title": "fact.title",
    "tender.status": "fact.status",
    "tender.statusDetails": "fact.status_words",
    "tender.value": "fact.estimate",
    "tender.tenderPeriod.startDate": "fact.from",
    "tender.tenderPeriod.endDate": "fact.to",
    "tender.contractPeriod.startDate": "fact.work_from",
    "tender.contractPeriod.endDate": "fact.work_to",
    "tender.contractPricing": "fact.pricing",
    "tender.description": "fact.reason",
    "tender.domesticProductsOnly": "fact.local_content",
    "tender.eligibilityCriteria": "fact.eligibility",
    "tender.location": "fact.place",
    "tender.mainProcurementCategory": "fact.category",
    "tender.additionalProcurementCategories": "fact.category",
    "tender.smallEnterprisesOnly": "fact.small_firms",
    "tender.milestones": "fact.schedule",
    "tender.procurementMethodDetails": "fact.method",
    "tender.numberOfTenderers": "fact.bidders",
    "tender.tenderers": "fact.bidder",
    "tender.items": "fact.items",
    "tender.procuringEntity": "fact.procuring_entity",
    "tender.documents": "fact.documents",
    "bids": "fact.bid",
    "awards": "fact.award",
    "awards.value": "fact.award_value",
    "awards.date": "fact.award_date",
    "awards.description": "fact.reason",
    "awards.number": "fact.award_number",
    "awards.status": "fact.award_status",
    "awards.statusDetails": "fact.award_status",
    "awards.suppliers": "fact.supplier",
    "contracts": "fact.contract",
    "contracts.value": "fact.contract_value",
    "contracts.initialValue": "fact.initial_value",
    "contracts.agreements": "fact.contract_number",
    "contracts.documents": "fact.documents",
    "contracts.items": "fact.items",
    "contracts.guarantees": "fact.guarantee",
    "contracts.localContentValue": "fact.local_content",
    "contracts.microEnterpriseValue": "fact.small_firms",
    "contracts.status": "fact.contract_status",
    "contracts.statusDetails": "fact.contract_status",
    "contracts.dateSigned": "fact.signed",
    "contracts.period": "fact.period",
    "contracts.period.startDate": "fact.work_from",
    "contracts.period.endDate": "fact.work_to",
    "contracts.amendments": "fact.amendment",
    "contracts.milestones": "fact.milestone",
    "contracts.agreedMetrics": "fact.progress",
    "contracts.implementation": "stage.implementation",
    "contracts.implementation.metrics": "fact.progress",
    "contracts.implementation.transactions": "fact.payment",
    "contracts.implementation.milestones": "fact.milestone",
    "contracts.implementation.documents": "fact.documents",
    "contracts.implementation.endDate": "fact.ended",
    "contracts.implementation.endDateDetails": "fact.ended_by",
    "contracts.implementation.finalValue": "fact.final_value",
}
_REPORTED = {"plan": "reported.plan", "actual": "reported.actual"}
_CODES = {
    "tender.status": "tender",
    "awards.status": "award",
    "contracts.status": "contract",
    "planning.proposals.status": "proposal",
    "tender.mainProcurementCategory": "category",
    "tender.additionalProcurementCategories": "category",
    "bids.details.status": "bid",
    "tender.milestones.status": "milestone",
    "contracts.milestones.status": "milestone",
    "contracts.implementation.milestones.status": "milestone",
}


def label(change: Change) -> str:
    """The key of what a change is about."""
    path = change.path
    if path.startswith(("awards.value", "contracts.value")) and _is_recording(change.entry or ""):
        return "fact.recorded"
    if path == "contracts.implementation.documents":
        entry = change.after or change.before
        return "fact.photos" if isinstance(entry, dict) and _is_photo(entry) else "fact.reports"
    while path not in _LABELS and "." in path:
        path = path.rpartition(".")[0]
    return _LABELS.get(path, "fact.other")


def update_shown(update: Update) -> Object:
    """An update as the page shows it: entries that one list gained, or lost, are one line."""
    lines: dict[tuple[object, ...], list[Change]] = {}
    for number, change in enumerate(update.changes):
        whole = isinstance(change.before or change.after, dict)
        lines.setdefault((label(change), change.kind) if whole else (number,), []).append(change)
    shown = [
        {
            "label": label(changes[0]),
            "kind": changes[0].kind,
            "entry": _entry_called(changes[0]),
            "before": _in_words((change.path, change.before, change.words) for change in changes),
            "after": _in_words((change.path, change.after, change.words) for change in changes),
        }
        for changes in list(lines.values())[:_CHANGES_SHOWN]
    ]
    return {"date": update.date, "lines": shown, "more": len(lines) - len(shown)}


def _entry_called(change: Change) -> Markup | str:
    """What the entry is called in which a value changed; empty for whole entries, which say it themselves."""
    if change.path.startswith("planning.proposals.recommendations."):
        return texts.known("level", change.entry)
    return "" if isinstance(change.before or change.after, dict) else change.words


def _in_words(values: Iterable[tuple[str, Any, str]]) -> list[Markup | str]:
    """Values or entries of one line, by (path, value, what holds it), in words; those that have none are counted."""
    found: list[Markup | str] = []
    reports: dict[str, list[tuple[str, Object]]] = {}
    unnamed = 0
    for path, value, parent in values:
        if path in OBSERVATIONS and value:
            reports.setdefault(parent, []).append((OBSERVATIONS[path], value))
        elif (told := OBSERVATIONS.get(f"{path}.observations")) and value and value.get("observations"):
            reports.setdefault(entry_title(value), []).extend((told, each) for each in value["observations"])
        elif words := entry_words(path, value):
            found.append(words)
        else:
            unnamed += bool(value)
    found += [_reported(*each) for each in reports.items()]
    return [*found, texts.t("history.count", unnamed)] if unnamed else found


def _reported(name: str, observations: Iterable[tuple[str, Object]]) -> Markup:
    """The latest of some reports of progress: its day, what was planned and what was reached."""
    days: dict[str, dict[str, Object]] = {}
    for told, each in observations:
        days.setdefault(_day_of(each), {})[(each.get("dimensions") or {}).get("kind") or told] = each
    day = max(days)
    shown = []
    for kind, key in _REPORTED.items():
        one = days[day].get(kind, {})
        amount, measure = _amount(one.get("value")), one.get("measure")
        if number := texts.rupiah(amount) if measure is None else texts.percent(measure):
            shown.append(number if measure is None else texts.t(key, number))
    more = Markup(" ({})").format(texts.t("reported.count", len(days))) if len(days) > 1 else ""
    return Markup("{} {}: {}{}").format(name, texts.day(day), Markup(", ").join(shown), more)


def _day_of(observation: Object) -> str:
    period = observation.get("period") or {}
    return str(period.get("endDate") or period.get("startDate") or "")[:10]


def entry_words(path: str, value: Any) -> Markup | str:
    """An entry in its own words, with its amount where it has one; empty where it has neither, since an id says nothing
    to a reader. A person is named as supplier alone."""
    if not isinstance(value, dict):
        return _value(path, value)
    if "name" in value:
        return value["name"] if path == "awards.suppliers" or is_organisation(value["name"]) else texts.t("person")
    # The value of a statistic, such as the number of bids, is a mere number.
    amount = _amount(value.get("value")) if isinstance(value.get("value"), dict) else None
    words: Markup | str = texts.shortened(entry_title(value), _LIST_TITLE)
    if path.endswith(".recommendations"):
        words = Markup("{}: {}").format(texts.known("level", value["id"]), words)
    elif not words and path.endswith(".documents"):
        words = texts.known("document", value.get("documentType")) or texts.t("fact.document")
    elif not words and path.endswith(".items"):
        place, address = value.get("deliveryLocation") or {}, value.get("deliveryAddress") or {}
        words = ", ".join(filter(None, (place.get("description"), address.get("locality"))))
    return Markup(" · ").join(filter(None, (words, texts.rupiah(amount))))


def _value(path: str, value: Any) -> Markup | str:
    if value is None or value == []:
        return ""
    if path.endswith((".payee.name", ".tenderers.name")) and not is_organisation(value):
        return texts.t("person")
    if path in _CODES:
        words = [texts.known(_CODES[path], each) for each in (value if isinstance(value, list) else [value])]
        return Markup(", ").join(words)
    if path.endswith(".documentType"):
        return texts.known("document", value)
    if path.endswith(".amount"):
        return texts.rupiah(value)
    if path.endswith(".durationInDays"):
        return texts.t("days", value)
    if path.endswith((".statusDetails", ".milestones.description")):
        return texts.known("order", texts.shortened(str(value), _LIST_TITLE))
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return texts.day(value)
    if isinstance(value, bool):
        return texts.t("yes" if value else "no")
    if isinstance(value, int | float):
        return texts.number(value)
    if isinstance(value, list):
        return ", ".join(
            str(each.get("name") or each.get("id")) if isinstance(each, dict) else str(each) for each in value
        )
    return texts.shortened(str(value), _LIST_TITLE)
