"""What a red flag is and needs, and to what a process is reduced for the rules that look at many."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Any, Literal, NamedTuple

from schemas.flags import FlagSettings, ProcurementLimit
from transforms.paths import values

Object = dict[str, Any]
Kind = Literal["process", "supplier", "office"]

VALUE = "tender.value.amount"
METHOD = "tender.procurementMethod"
METHOD_NAME = "tender.procurementMethodDetails"
CATEGORY = "tender.mainProcurementCategory"
START = "tender.documents.datePublished|tender.tenderPeriod.startDate"
BUYER = "buyer.id"
ITEM = "tender.items.classification.id|contracts.items.classification.id|awards.items.classification.id"
BID = "bids.details.value.amount"
BID_STATUS = "bids.details.status"
BIDDER = "bids.details.tenderers.id"
PLACE = "tender.location.description"
DISQUALIFIED = "bids.details.status=disqualified"
WINNER = "awards.suppliers.id"
AWARDED = "awards.value.amount"
AWARD_STATUS = "awards.status"
AWARD_DAY = "awards.date|contracts.dateSigned"


class Verdict(NamedTuple):
    """What a rule found on a subject, with the figures that decided."""

    flagged: bool
    figures: Object


class Lacking(NamedTuple):
    """Why a rule can't be computed for a subject: what it lacks."""

    missing: tuple[str, ...]


Answer = Verdict | Lacking
Found = tuple[str, Answer]
"""A subject's id, and what a rule found."""


class Bid(NamedTuple):
    suppliers: tuple[str, ...]
    amount: float | None
    status: str | None


class Award(NamedTuple):
    """An award; `day` is that of its decision, else of the first signature of its contracts (YYYY-MM-DD)."""

    suppliers: tuple[str, ...]
    value: float | None
    day: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One process as the rules over many see it; amounts in IDR, days as YYYY-MM-DD in local time.

    `present` are the inputs of all flags that the process has (see `Flag.inputs`). `bidders` is None where unknown.
    """

    ocid: str
    title: str | None
    year: int
    office: str | None
    present: frozenset[str]
    begun: bool
    self_managed: bool
    method: str | None
    method_name: str | None
    category: str | None
    value: float | None
    start: str | None
    items: tuple[str, ...]
    project: str | None
    place: str | None
    status: str | None
    bidders: int | None
    bids: tuple[Bid, ...]
    awards: tuple[Award, ...]
    contracts: int
    consortia: int
    amendments: int

    @property
    def winners(self) -> tuple[Award, ...]:
        """The active awards."""
        return tuple(award for award in self.awards if award.status == "active")

    @property
    def valid_bids(self) -> tuple[Bid, ...]:
        return tuple(bid for bid in self.bids if bid.status == "valid")


@dataclass(frozen=True, slots=True)
class Flag:
    """One red flag.

    `inputs` are OCDS paths that each process needs (`a|b`: either, `a=x`: the value x), `in_year` those that some
    process of the fiscal year must have, since only their absence elsewhere means anything. `among` are the processes
    that it is about, `subjects` whom of a process it judges. `one` judges a process by its document, `many` all at
    once. `rule`, `source` and `fed` (which real rows have the inputs) are for the documentation; `settings` names the
    thresholds; `never` gives why no source here can feed it.
    """

    code: str
    title: str
    subject: Kind
    inputs: tuple[str, ...]
    rule: str
    source: str
    fed: str
    among: Callable[[Case, FlagSettings], bool]
    settings: tuple[str, ...] = ()
    in_year: tuple[str, ...] = ()
    never: str | None = None
    one: Callable[[Case, Object, FlagSettings], Answer] | None = None
    many: Callable[[Sequence[Case], FlagSettings], Iterable[Found]] | None = None
    subjects: Callable[[Case], Iterable[str]] | None = None

    def subjects_of(self, case: Case) -> Iterable[str]:
        """The ids of those whom the flag judges in a process."""
        if self.subjects:
            return self.subjects(case)
        if self.subject == "process":
            return (case.ocid,)
        return (case.office,) if case.office else ()

    def missing(self, case: Case, in_year: frozenset[str]) -> tuple[str, ...]:
        """The inputs that a process lacks, or (`in_year`: what some process of its year has) all processes lack."""
        lacks = [path for path in self.inputs if not there(case.present, path)]
        return (*lacks, *(path for path in self.in_year if not there(in_year, path)))


def there(present: frozenset[str], path: str) -> bool:
    """Whether an input, or one of its alternatives, is present."""
    return path in present or ("|" in path and any(each in present for each in path.split("|")))


def amount(holder: Object, field: str = "value") -> float | None:
    """The amount of a value, in IDR."""
    found: float | None = (holder.get(field) or {}).get("amount")
    return found


def day(moment: str | None) -> str | None:
    """The local day of a moment."""
    return moment[:10] if moment else None


def days_between(earlier: str, later: str) -> float:
    """Days from one moment or day to a later one, with parts of days where both have a time."""
    return round((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() / 86_400, 2)


def started(tender: Object) -> str | None:
    """When a tender began for bidders: its notice, or the start of its period if that is earlier or alone."""
    dates = [*values(tender, "documents.datePublished"), *values(tender, "tenderPeriod.startDate")]
    return min(dates, default=None)


def item_class(code: str, settings: FlagSettings) -> str:
    """The class of an item: the first levels of an account code, or the first digits of any other code."""
    if "." in code:
        return ".".join(code.split(".")[: settings.account_levels])
    return code[: settings.item_digits]


def limit_of(case: Case, settings: FlagSettings, on: str | None = None) -> ProcurementLimit | None:
    """The most that the case's method allowed for its category on a day, by default that of its start."""
    moment = on or case.start or ""
    fitting = [
        limit
        for limit in settings.limits
        if limit.method == case.method_name and limit.category == case.category and limit.since.isoformat() <= moment
    ]
    return max(fitting, key=lambda limit: limit.since, default=None)


def quartiles(numbers: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile (median-unbiased, type 8 of Hyndman and Fan, as Cardinal has them)."""
    return quantile(numbers, 0.25), quantile(numbers, 0.75)


def quantile(numbers: Sequence[float], share: float) -> float:
    """A quantile, type 8 of Hyndman and Fan."""
    ordered = sorted(numbers)
    place = (len(ordered) + 1 / 3) * share + 1 / 3
    if place < 1:
        return ordered[0]
    if place >= len(ordered):
        return ordered[-1]
    below = floor(place)
    return ordered[below - 1] + (place - below) * (ordered[below] - ordered[below - 1])


def fences(numbers: Sequence[float]) -> tuple[float, float]:
    """The lower and the upper fence: 1.5 times the distance of the quartiles outside of them."""
    low, high = quartiles(numbers)
    return low - 1.5 * (high - low), high + 1.5 * (high - low)


# --- the processes that a flag is about ------------------------------------------------------------------------------


def anyone(case: Case, settings: FlagSettings) -> bool:
    """Every process, planned ones too."""
    return True


def begun(case: Case, settings: FlagSettings) -> bool:
    """Of which an attempt, bid, award or contract is known; not self-managed work (swakelola): nobody is chosen."""
    return case.begun and not case.self_managed


def competitive(case: Case, settings: FlagSettings) -> bool:
    """Begun, and not known to be direct."""
    return begun(case, settings) and case.method != "direct"


def direct(case: Case, settings: FlagSettings) -> bool:
    """Begun, and not known to be competitive."""
    return begun(case, settings) and case.method in (None, "direct")


def limited(case: Case, settings: FlagSettings) -> bool:
    """Begun, and not known to be of a method without a limit."""
    return begun(case, settings) and case.method_name in {None, *(limit.method for limit in settings.limits)}


def contracted(case: Case, settings: FlagSettings) -> bool:
    """With a contract."""
    return case.contracts > 0


def suppliers_of(case: Case) -> Iterable[str]:
    """Who won: the suppliers of active awards."""
    return {supplier for award in case.winners for supplier in award.suppliers}


def bidders_of(case: Case) -> Iterable[str]:
    """Who bid."""
    return {supplier for bid in case.bids for supplier in bid.suppliers}


# --- from a document to a case ---------------------------------------------------------------------------------------


def case_of(document: Object, paths: Iterable[str], settings: FlagSettings) -> Case:
    """A state as a case; `paths` are the inputs of all flags, without alternatives."""
    tender = document.get("tender") or {}
    further = tender.get("additionalProcurementCategories") or ()
    signed: dict[str, str] = {}
    for contract in document.get("contracts", ()):
        if contract.get("dateSigned"):
            award = contract.get("awardID", "")
            signed[award] = min(signed.get(award, contract["dateSigned"]), contract["dateSigned"])
    awards = [
        Award(
            tuple(supplier["id"] for supplier in award.get("suppliers", ()) if "id" in supplier),
            amount(award),
            day(award.get("date") or signed.get(award.get("id", ""))),
            award.get("status"),
        )
        for award in document.get("awards", ())
    ]
    bids = [
        Bid(
            tuple(tenderer["id"] for tenderer in bid.get("tenderers", ()) if "id" in tenderer),
            amount(bid),
            bid.get("status"),
        )
        for bid in (document.get("bids") or {}).get("details", ())
    ]
    budget = (document.get("planning") or {}).get("budget") or {}
    attempt = str(tender.get("id", "")).startswith(("tender-", "nontender-"))
    contracts = document.get("contracts", ())
    return Case(
        document["ocid"],
        document.get("title") or tender.get("title"),
        budget.get("fiscalYear") or 0,
        (document.get("buyer") or {}).get("id"),
        frozenset(path for path in paths if next(values(document, path), None) is not None),
        bool(attempt or bids or awards or contracts or tender.get("numberOfTenderers")),
        str(tender.get("id", "")).startswith(("swk-", "swakelola-")),
        tender.get("procurementMethod"),
        tender.get("procurementMethodDetails"),
        "consultingServices" if "consultingServices" in further else tender.get("mainProcurementCategory"),
        amount(tender),
        day(started(tender)),
        tuple(sorted({item_class(str(code), settings) for path in ITEM.split("|") for code in values(document, path)})),
        budget.get("projectID"),
        _place(tender.get("location") or {}),
        tender.get("status"),
        tender.get("numberOfTenderers"),
        tuple(bids),
        tuple(dict.fromkeys(awards)),
        len(contracts),
        sum((contract.get("consortiumSize") or 0) > 1 for contract in contracts),
        sum(len(contract.get("amendments", ())) for contract in contracts),
    )


def _place(location: Object) -> str | None:
    """The villages, else districts, that a location names; else its words without case and spaces."""
    codes = (location.get("gazetteer") or {}).get("identifiers")
    return " ".join(codes) if codes else "".join((location.get("description") or "").casefold().split()) or None
