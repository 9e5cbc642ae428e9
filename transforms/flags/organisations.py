"""Red flags of buyers and suppliers: who gets how much, of what, and how. Awards are the active ones of a year."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import log10
from statistics import mean

from schemas.flags import FlagSettings
from transforms.flags.model import (
    AWARD_DAY,
    AWARD_STATUS,
    AWARDED,
    BUYER,
    CATEGORY,
    ITEM,
    METHOD,
    METHOD_NAME,
    WINNER,
    Case,
    Flag,
    Found,
    Lacking,
    Verdict,
    begun,
    fences,
    limit_of,
    limited,
    suppliers_of,
)

_AWARDS = (WINNER, AWARDED, AWARD_STATUS)


def _won(case: Case) -> Iterator[tuple[str, float, str]]:
    """(supplier, value, day) of the active awards to one supplier that have a value."""
    for award in case.winners:
        if len(award.suppliers) == 1 and award.value is not None:
            yield award.suppliers[0], award.value, award.day or ""


def _r013(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    numbers = Counter(case.office or "" for case in cases)
    without = Counter(case.office or "" for case in cases if case.method == "direct")
    for office, number in numbers.items():
        if number < settings.r013_fewest:
            yield office, Lacking((f"{settings.r013_fewest} processes",))
        else:
            share = without[office] / number
            figures = {"processes": number, "without_competition": without[office], "share": round(share, 4)}
            yield office, Verdict(share >= settings.r013_share, figures)


def _r026(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    contracts: Counter[str] = Counter()
    joint: Counter[str] = Counter()
    for case in cases:
        contracts[case.office or ""] += case.contracts
        joint[case.office or ""] += case.consortia
    for office, number in contracts.items():
        if number < settings.r026_fewest:
            yield office, Lacking((f"{settings.r026_fewest} contracts",))
        else:
            share = joint[office] / number
            yield (
                office,
                Verdict(
                    share >= settings.r026_share,
                    {"contracts": number, "of_consortia": joint[office], "share": round(share, 4)},
                ),
            )


_BENFORD = [log10(1 + 1 / digit) for digit in range(1, 10)]


def _r029(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    amounts: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        amounts[case.office or ""].extend(award.value for award in case.winners if award.value and award.value >= 1)
    for office, values in amounts.items():
        if len(values) < settings.r029_fewest:
            yield office, Lacking((f"{settings.r029_fewest} amounts",))
            continue
        digits = Counter(str(int(value))[0] for value in values)
        shares = [digits[str(digit)] / len(values) for digit in range(1, 10)]
        deviation = mean(abs(share - due) for share, due in zip(shares, _BENFORD, strict=True))
        figures = {
            "amounts": len(values),
            "deviation": round(deviation, 5),
            "shares": [round(share, 4) for share in shares],
        }
        yield office, Verdict(deviation >= settings.r029_deviation, figures)


def _r040(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    awards: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for case in cases:
        awards[case.office or ""].extend((supplier, value) for supplier, value, _ in _won(case))
    for office, each in awards.items():
        sums = _sums(each)
        total = sum(sums.values())
        if len(each) < settings.r040_fewest or not total:
            yield office, Lacking((f"{settings.r040_fewest} awards to one supplier each, worth anything",))
            continue
        top = max(sums, key=lambda supplier: (sums[supplier], supplier))
        share = sums[top] / total
        figures = {
            "awards": len(each),
            "total": total,
            "supplier": top,
            "of_supplier": sums[top],
            "share": round(share, 4),
        }
        yield office, Verdict(share >= settings.r040_share, figures)


def _sums(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for name, value in pairs:
        sums[name] += value
    return sums


def _r048(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    classes: dict[str, set[str]] = defaultdict(set)
    processes: Counter[str] = Counter()
    for case in cases:
        for supplier in {award.suppliers[0] for award in case.winners if len(award.suppliers) == 1}:
            classes[supplier].update(case.items)
            processes[supplier] += 1
    compared = [len(classes[each]) for each, number in processes.items() if number >= settings.r048_processes]
    enough = len(compared) >= settings.fewest or settings.r048_variety is not None
    fence = settings.r048_variety or (fences(compared)[1] if enough else 0)
    for supplier in {each for case in cases for each in suppliers_of(case)}:
        if supplier not in classes:
            yield supplier, Lacking(("an award to it alone",))
        elif not enough:
            yield supplier, Lacking((f"{settings.fewest} suppliers of {settings.r048_processes} processes",))
        else:
            variety = len(classes[supplier])
            figures = {"classes": variety, "processes": processes[supplier], "fence": round(fence, 4)}
            yield supplier, Verdict(variety >= fence, figures)


def _r049(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    near: dict[tuple[str, str], list[float]] = defaultdict(list)
    seen: set[str] = set()
    for case in cases:
        for supplier, value, day in _won(case):
            limit = limit_of(case, settings, day)
            if limit is not None:
                seen.add(supplier)
                if settings.r049_near * limit.most <= value <= limit.most:
                    near[supplier, case.office or ""].append(value)
    most: dict[str, tuple[int, str]] = {}
    for (supplier, office), each in near.items():
        most[supplier] = max(most.get(supplier, (0, "")), (len(each), office))
    for supplier in {each for case in cases for each in suppliers_of(case)}:
        if supplier not in seen:
            yield supplier, Lacking(("an award to it alone under a method with a limit",))
            continue
        number, office = most.get(supplier, (0, ""))
        figures = {"near_limit": number, "office": office, "together": sum(near.get((supplier, office), ()))}
        yield supplier, Verdict(number >= settings.r049_awards, figures)


def _by_class(cases: Sequence[Case]) -> dict[str, list[tuple[str, float]]]:
    """Class of items -> (supplier, value) of its awards. An award counts in the first class of its process."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for case in cases:
        found[case.items[0]].extend((supplier, value) for supplier, value, _ in _won(case))
    return found


def _r050(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    best: dict[str, tuple[float, Verdict]] = {}
    for item, each in _by_class(cases).items():
        sums = _sums(each)
        total = sum(sums.values())
        if len(each) < settings.r050_fewest or not total:
            continue
        for supplier, value in sums.items():
            share = value / total
            figures = {
                "class": item,
                "of_it": value,
                "total": total,
                "share": round(share, 4),
                "awards": len(each),
            }
            if supplier not in best or share > best[supplier][0]:
                best[supplier] = share, Verdict(share >= settings.r050_share, figures)
    lack = Lacking((f"an award in a class of {settings.r050_fewest}",))
    for supplier in {each for case in cases for each in suppliers_of(case)}:
        yield supplier, best[supplier][1] if supplier in best else lack


def _r051(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    offices: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        offices[case.office or ""].append(case)
    for office, own in offices.items():
        worst: tuple[float, Verdict] | None = None
        for item, each in _by_class(own).items():
            sums = _sums(each)
            total = sum(sums.values())
            if len(each) < settings.r051_fewest or not total:
                continue
            index = sum((value / total) ** 2 for value in sums.values())
            figures = {
                "class": item,
                "index": round(index, 4),
                "suppliers": len(sums),
                "awards": len(each),
                "total": total,
            }
            if worst is None or index > worst[0]:
                worst = index, Verdict(index >= settings.r051_index, figures)
        yield office, worst[1] if worst else Lacking((f"a class of {settings.r051_fewest} awards",))


def _between(cases: Sequence[Case]) -> dict[tuple[str, str], list[tuple[str, float, Case]]]:
    """(supplier, office) -> (day, value, process) of its awards there, by day."""
    found: dict[tuple[str, str], list[tuple[str, float, Case]]] = defaultdict(list)
    for case in cases:
        for supplier, value, day in _won(case):
            if day:
                found[supplier, case.office or ""].append((day, value, case))
    for each in found.values():
        each.sort(key=lambda entry: entry[:2])
    return found


def _worst(cases: Sequence[Case], judged: dict[str, tuple[float, Verdict]], lack: str) -> Iterator[Found]:
    for supplier in {each for case in cases for each in suppliers_of(case)}:
        yield supplier, judged[supplier][1] if supplier in judged else Lacking((lack,))


def _days(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def _r052(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    judged: dict[str, tuple[float, Verdict]] = {}
    for (supplier, office), awards in _between(cases).items():
        day, first, case = awards[0]
        later = [value for when, value, _ in awards[1:] if _days(day, when) <= settings.r052_days]
        if not later or first <= 0:
            continue
        times = max(later) / first
        small = case.method == "direct" and first <= settings.r052_small
        weight = times if small else 0.0
        figures = {"office": office, "first": first, "later": max(later), "times": round(times, 2), "first_day": day}
        if supplier not in judged or weight > judged[supplier][0]:
            judged[supplier] = weight, Verdict(small and times >= settings.r052_times, figures)
    yield from _worst(cases, judged, "two awards of one office")


def _r055(cases: Sequence[Case], settings: FlagSettings) -> Iterator[Found]:
    judged: dict[str, tuple[float, Verdict]] = {}
    groups: dict[tuple[str, str, str | None], list[tuple[str, float, float]]] = defaultdict(list)
    for (supplier, office), awards in _between(cases).items():
        for day, value, case in awards:
            limit = limit_of(case, settings, day)
            if limit is not None:
                groups[supplier, office, case.category].append((day, value, limit.most))
    for (supplier, office, category), each in groups.items():
        for number, (day, _, most) in enumerate(each):
            window = [value for when, value, _ in each[number:] if _days(day, when) <= settings.r055_days]
            share = sum(window) / most
            flagged = len(window) > 1 and share > 1 and max(window) <= most
            weight = share if len(window) > 1 else 0.0
            figures = {
                "office": office,
                "category": category,
                "awards": len(window),
                "together": sum(window),
                "limit": most,
                "from": day,
            }
            if supplier not in judged or (flagged, weight) > (judged[supplier][1].flagged, judged[supplier][0]):
                judged[supplier] = weight, Verdict(flagged, figures)
    yield from _worst(cases, judged, "an award to it alone under a method with a limit")


def _flag(
    code: str,
    title: str,
    inputs: tuple[str, ...],
    rule: str,
    source: str,
    fed: str,
    settings: tuple[str, ...],
    many: Callable[[Sequence[Case], FlagSettings], Iterator[Found]],
    among: Callable[[Case, FlagSettings], bool] = begun,
) -> Flag:
    """A flag of suppliers."""
    return Flag(code, title, "supplier", inputs, rule, source, fed, among, settings, many=many, subjects=suppliers_of)


_FED = "attempts, orders and recorded purchases with supplier and value (`kd_penyedia`, `nilai_negosiasi`, ...)"
_FED_ITEM = f"{_FED} whose plan or order names an account (`mak`)"
_LIST = "OCP's list; rule: ours"

FLAGS = (
    Flag(
        "R013",
        "High use of non competitive methods",
        "office",
        (METHOD, BUYER),
        "Of the processes of an office that has `r013_fewest` begun ones, `r013_share` were without competition "
        "(direct, which includes the e-catalogue).",
        _LIST,
        "every attempt, order and recorded purchase, per office",
        begun,
        ("r013_share", "r013_fewest"),
        many=_r013,
    ),
    Flag(
        "R026",
        "Prevalence of consortia",
        "office",
        (WINNER, AWARD_STATUS, BUYER),
        "Of the contracts of an office with `r026_fewest`, consortia (KSO) have `r026_share`. Computable where some "
        "contract of the fiscal year names members.",
        _LIST,
        "`anggota_kso` of TenderEkontrak-2Kontrak",
        lambda case, settings: begun(case, settings) and case.contracts > 0,
        ("r026_share", "r026_fewest"),
        in_year=("contracts.consortiumSize",),
        many=_r026,
    ),
    Flag(
        "R029",
        "Bid prices deviate from Benford's law",
        "office",
        (AWARDED, AWARD_STATUS, BUYER),
        "The first digits of an office's `r029_fewest` or more winning prices deviate from Benford's law: the mean "
        "absolute deviation of the nine shares reaches `r029_deviation`.",
        "OCP's list; measure and 0.015 after Nigrini, Benford's Law (2012); winning prices, since few bids have one",
        "awards with a value, per office",
        begun,
        ("r029_deviation", "r029_fewest"),
        many=_r029,
    ),
    Flag(
        "R040",
        "High share of buyer's contracts",
        "office",
        (*_AWARDS, BUYER),
        "One supplier has `r040_share` of the value of an office's `r040_fewest` or more awards.",
        _LIST,
        "awards with supplier and value, per office",
        begun,
        ("r040_share", "r040_fewest"),
        many=_r040,
    ),
    _flag(
        "R048",
        "Heterogeneous supplier",
        (WINNER, AWARD_STATUS, ITEM),
        "The number of classes of items of the supplier's processes reaches the upper fence of the suppliers with "
        "`r048_processes`, or `r048_variety`.",
        "Cardinal R048; classes are levels of the account code, since awards have no items of their own: ours",
        _FED_ITEM,
        ("account_levels", "item_digits", "r048_processes", "r048_variety", "fewest"),
        _r048,
    ),
    _flag(
        "R049",
        "Direct awards below threshold",
        (*_AWARDS, AWARD_DAY, METHOD_NAME, CATEGORY, BUYER),
        "One office gave the supplier `r049_awards` direct awards, each between `r049_near` of the limit of its method "
        "and the limit.",
        "OCP's list; limits: Perpres 16/2018, 12/2021, 46/2025; nearness: ours",
        "non-tenders and recorded purchases with supplier, value and day",
        ("limits", "r049_near", "r049_awards"),
        _r049,
        limited,
    ),
    _flag(
        "R050",
        "High market share",
        (*_AWARDS, ITEM),
        "In some class of items with `r050_fewest` awards the supplier has `r050_share` of their value. The figures "
        "are of its highest share.",
        _LIST,
        _FED_ITEM,
        ("r050_share", "r050_fewest", "account_levels"),
        _r050,
    ),
    Flag(
        "R051",
        "High market concentration",
        "office",
        (*_AWARDS, ITEM, BUYER),
        "In some class of items of which an office made `r051_fewest` awards the Herfindahl-Hirschman index of its "
        "suppliers, by value, reaches `r051_index`. The figures are of the highest.",
        "OCP's list; 0.25: the usual border of high concentration (US merger guidelines 2010)",
        _FED_ITEM,
        begun,
        ("r051_index", "r051_fewest", "account_levels"),
        many=_r051,
    ),
    _flag(
        "R052",
        "Small initial purchase from supplier followed by much larger purchases",
        (*_AWARDS, AWARD_DAY, METHOD, BUYER),
        "The office's first award of the year to the supplier was direct and at most `r052_small`; within `r052_days` "
        "another was `r052_times` as large.",
        _LIST,
        _FED,
        ("r052_small", "r052_times", "r052_days"),
        _r052,
    ),
    _flag(
        "R055",
        "Multiple direct awards above or just below competitive threshold",
        (*_AWARDS, AWARD_DAY, METHOD_NAME, CATEGORY, BUYER),
        "Within `r055_days` one office gave the supplier several direct awards of a category, each within the limit of "
        "its method, together above it.",
        "OCP's list; limits: Perpres 16/2018, 12/2021, 46/2025; window: ours",
        "as R049",
        ("limits", "r055_days"),
        _r055,
        limited,
    ),
)
