"""Red flags of one process: its plan, method, value and the time that bidders had."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from math import log10
from statistics import mean

from schemas.flags import FlagSettings
from transforms.flags.model import (
    BUYER,
    CATEGORY,
    ITEM,
    METHOD,
    METHOD_NAME,
    PLACE,
    START,
    VALUE,
    Answer,
    Case,
    Flag,
    Found,
    Lacking,
    Object,
    Verdict,
    anyone,
    begun,
    competitive,
    days_between,
    fences,
    limit_of,
    limited,
    started,
)

_LIMITED = ("tender.value.amount", METHOD_NAME, CATEGORY, START, BUYER)


def _r001(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    for case in cases:
        documents = "planning.documents.documentType" in case.present
        yield case.ocid, Verdict(not documents, {"planning_documents": documents})


def _r002(case: Case, document: Object, settings: FlagSettings) -> Answer:
    limit = limit_of(case, settings)
    if limit is None:
        return Lacking(("a limit of the method for the category",))
    share = (case.value or 0) / limit.most
    figures = {"value": case.value, "limit": limit.most, "share": round(share, 4), "rule": limit.rule}
    return Verdict(share >= settings.r002_near, figures)


def _r003(case: Case, document: Object, settings: FlagSettings) -> Answer:
    least = settings.r003_days.get(case.method or "")
    if least is None:
        return Lacking((f"a shortest period for {case.method}",))
    tender = document["tender"]
    days = days_between(started(tender) or "", tender["tenderPeriod"]["endDate"])
    return Verdict(days < least, {"days": days, "least": least, "method": case.method})


def _r010(case: Case, document: Object, settings: FlagSettings) -> Answer:
    letters = sum(map(str.isalpha, document["tender"]["procurementMethodRationale"]))
    return Verdict(letters < settings.r010_letters, {"letters_of_reason": letters, "method": case.method_name})


def _needs_reason(case: Case, settings: FlagSettings) -> bool:
    if case.self_managed or case.method not in (None, "direct"):
        return False
    return case.method_name in (None, *settings.r010_methods) or "tender.procurementMethodRationale" in case.present


def _r011(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    groups: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in cases:
        limit = limit_of(case, settings)
        if limit is None:
            yield case.ocid, Lacking(("a limit of the method for the category",))
        else:
            groups[case.office, case.method_name, case.category, case.project, case.items, case.place].append(case)
    for group in groups.values():
        group.sort(key=lambda case: (case.start or "", case.ocid))
        for case, window in _windows(group, settings.r011_days):
            limit = limit_of(case, settings)
            most = limit.most if limit else 0
            together = sum(each.value or 0 for each in window)
            split = len(window) > 1 and together > most and all((each.value or 0) <= most for each in window)
            others = [each.ocid for each in window if each is not case]
            figures = {"together": together, "limit": most, "purchases": len(window), "with": others[:5]}
            yield case.ocid, Verdict(split, figures)


def _windows(group: Sequence[Case], days: int) -> Iterator[tuple[Case, Sequence[Case]]]:
    """Each case of a group, ordered by start, with the dearest run of cases around it that began within some days."""
    dates = [date.fromisoformat(case.start or "") for case in group]
    best: list[Sequence[Case]] = [[case] for case in group]
    worth = [case.value or 0.0 for case in group]
    end = 0
    for first in range(len(group)):
        while end < len(group) and (dates[end] - dates[first]).days <= days:
            end += 1
        window = group[first:end]
        together = sum(case.value or 0 for case in window)
        for place in range(first, end):
            if together > worth[place]:
                best[place], worth[place] = window, together
    return zip(group, best, strict=True)


def _bought(case: Case, settings: FlagSettings) -> bool:
    """Under a method with a limit, and not in vain."""
    return limited(case, settings) and case.status not in ("unsuccessful", "cancelled", "withdrawn")


def _r012(case: Case, document: Object, settings: FlagSettings) -> Answer:
    planned = document["planning"]["procurementMethodDetails"]
    differs = planned.casefold() != (case.method_name or "").casefold()
    return Verdict(differs and case.method == "direct", {"planned": planned, "used": case.method_name})


def _r016(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    groups: dict[tuple[str | None, str], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.method_name, case.items[0]].append(case)
    for (_, item), group in groups.items():
        measured = [case for case in group if case.value and case.value > 0]
        enough = len(measured) >= settings.r016_fewest
        low, high = fences([log10(case.value or 0) for case in measured]) if enough else (0.0, 0.0)
        for case in group:
            if not case.value or case.value <= 0:
                yield case.ocid, Lacking(("a value above zero",))
            elif not enough:
                yield case.ocid, Lacking((f"{settings.r016_fewest} tenders of the method and class",))
            else:
                figures = {
                    "value": case.value,
                    "lower_fence": round(10**low),
                    "upper_fence": round(10**high),
                    "class": item,
                    "tenders": len(measured),
                }
                yield case.ocid, Verdict(not low <= log10(case.value) <= high, figures)


def _r018(case: Case, document: Object, settings: FlagSettings) -> Answer:
    if not case.bidders:
        return Lacking(("a bid",))
    return Verdict(case.bidders == 1 and case.method in settings.r018_methods, {"tenderers": case.bidders})


def _r019(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    by_class: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        for item in case.items:
            by_class[item][case.office or ""].append(case.bidders or 0)
    worst: dict[str, tuple[float, Verdict]] = {}
    for item, offices in by_class.items():
        for office, numbers in offices.items():
            others = [number for other, each in offices.items() if other != office for number in each]
            if min(len(numbers), len(others)) < settings.r019_fewest or not mean(others):
                continue
            share = mean(numbers) / mean(others)
            figures = {
                "class": item,
                "tenders": len(numbers),
                "mean_tenderers": round(mean(numbers), 2),
                "mean_elsewhere": round(mean(others), 2),
            }
            if office not in worst or share < worst[office][0]:
                worst[office] = share, Verdict(share <= settings.r019_share, figures)
    for office in dict.fromkeys(case.office or "" for case in cases):
        lack = Lacking((f"{settings.r019_fewest} tenders of one class, here and elsewhere",))
        yield office, worst[office][1] if office in worst else lack


FLAGS = (
    Flag(
        "R001",
        "Planning documents not available",
        "process",
        (),
        "No planning document is linked to the process. Computable once the source of documents has brought any in the "
        "fiscal year: else nobody looked.",
        "title and field: OCP's list of red flags (2024); rule: ours",
        "the source `dokumen` (planning documents); LKPP's services have none",
        anyone,
        in_year=("planning.documents.documentType",),
        many=_r001,
    ),
    Flag(
        "R002",
        "Manipulation of procurement thresholds",
        "process",
        _LIMITED,
        "The estimate (HPS) of a direct purchase reaches `r002_near` of the most that its method allows for its "
        "category on the day it was announced, or exceeds it.",
        "OCP's list; limits: Perpres 16/2018, 12/2021, 46/2025; nearness: ours",
        "every non-tender attempt",
        limited,
        ("limits", "r002_near"),
        one=_r002,
    ),
    Flag(
        "R003",
        "The submission period is too short",
        "process",
        (METHOD, "tender.tenderPeriod.endDate", "tender.tenderPeriod.startDate"),
        "From the notice, or the start of the upload if that is earlier, to the deadline there are fewer days than "
        "`r003_days` has for the method.",
        "Cardinal R003 (15 days, open methods); days: ours, after the five working days of Peraturan LKPP 12/2021 (to "
        "be confirmed)",
        "tenders with a schedule (JadwalTahapanTender)",
        competitive,
        ("r003_days",),
        one=_r003,
    ),
    Flag(
        "R010",
        "Unjustified use of non competitive procedure",
        "process",
        (METHOD, METHOD_NAME, "tender.procurementMethodRationale"),
        "The reason given for a procedure without competition has fewer than `r010_letters` letters. A method that "
        "needs a reason (`r010_methods`) and has none is not computable: it may stand elsewhere.",
        "OCP's list; rule: ours",
        '`alasan_dikecualikan` of RUP packages, which so far holds blanks or the word "Diutamakan"',
        _needs_reason,
        ("r010_methods", "r010_letters"),
        one=_r010,
    ),
    Flag(
        "R011",
        "Splitting purchases to avoid procurement thresholds",
        "process",
        (*_LIMITED, ITEM, PLACE),
        "One office announced several direct purchases for the same accounts of one sub-activity at the same place "
        "within `r011_days`; each is within the limit of the method, together they exceed it. Attempts that failed are "
        "left out. Same place: the villages, else districts, that title and place of work name, else the same words. "
        "Works in many villages aren't split: to unite what is scattered over places is forbidden as well.",
        "OCP's list; Perpres 16/2018 art. 20 (2): d forbids splitting, a uniting packages of several places; window: "
        "ours",
        "non-tender attempts whose plan or order names an account (`mak`) and that name a place (`lokasi_pekerjaan`, "
        "or a village in the title)",
        _bought,
        ("limits", "r011_days"),
        many=_r011,
    ),
    Flag(
        "R012",
        "Direct awards in contravention of the procurement plan",
        "process",
        (METHOD, METHOD_NAME, "planning.procurementMethodDetails"),
        "The attempt is direct, and the plan (RUP) named another method.",
        "OCP's list; rule: ours",
        "attempts whose RUP package was read (`metode_pengadaan` against `mtd_pemilihan`)",
        begun,
        one=_r012,
    ),
    Flag(
        "R016",
        "Tender value higher or lower than average for this item category",
        "process",
        (VALUE, METHOD_NAME, ITEM),
        "The estimate, as a logarithm, lies outside the fences (1.5 times the distance of the quartiles outside of "
        "them) of the tenders of its method and class of items, if there are `r016_fewest`.",
        "OCP's list; rule: ours, with Cardinal's fences",
        "attempts whose plan names an account (`mak`)",
        begun,
        ("account_levels", "item_digits", "r016_fewest"),
        many=_r016,
    ),
    Flag(
        "R018",
        "Single bid received",
        "process",
        (METHOD, "tender.numberOfTenderers"),
        "A competitive tender (`r018_methods`) received one bid. One that received none is not computable.",
        "Cardinal R018",
        "PesertaTender with a bid (`nilai_penawaran`)",
        competitive,
        ("r018_methods",),
        one=_r018,
    ),
    Flag(
        "R019",
        "Low number of bidders for item and procuring entity",
        "office",
        (METHOD, ITEM, BUYER, "tender.numberOfTenderers"),
        "In some class of items the office's competitive tenders had on average at most `r019_share` of the bidders of "
        "the other offices' tenders; both must have `r019_fewest` tenders. The figures are of the lowest class.",
        "OCP's list; rule: ours",
        "PesertaTender, with an account (`mak`) of the plan",
        competitive,
        ("r019_share", "r019_fewest", "account_levels"),
        many=_r019,
    ),
)
