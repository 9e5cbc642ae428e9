"""Red flags: each just above and just below its threshold, without each of its inputs; Cardinal's by its examples."""

import copy
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.flags import compute_flags
from reports import flags as report
from schemas.flags import FlagSettings
from schemas.settings import Settings
from tests.worlds import jejak
from transforms.flags.model import quartiles
from transforms.flags.registry import FLAGS, PATHS, Result, results
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import insert_rows

Object = dict[str, Any]
BY_CODE = {flag.code: flag for flag in FLAGS}
CARDINAL = ("R003", "R018", "R024", "R025", "R028", "R030", "R035", "R036", "R038", "R048", "R058")
OURS = """
    R001 R002 R010 R011 R012 R013 R016 R019 R022 R026 R029 R031 R040 R049 R050 R051 R052 R053 R054 R055 R057 R059 R060
    R061 R062 R064 R067 R068 R069
"""
WANTED = {*CARDINAL, *OURS.split()}
EXAMPLES = Path(os.environ.get("JEJAK_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data").parent
EXAMPLES = EXAMPLES / "reference" / "cardinal-examples"


def idr(amount: float) -> Object:
    return {"amount": amount, "currency": "IDR"}


def at(day: str, days: float = 0) -> str:
    return f"{date.fromisoformat(day) + timedelta(days)}T00:00:00+07:00"


def one(
    number: int = 0, *, office: str = "office", supplier: str = "s", value: float = 150e6, **changes: Any
) -> Object:
    """A direct purchase of goods, from plan to delivery; a change `a__b` replaces `a.b`."""
    process: Object = {
        "ocid": f"ocds-213czf-{number}",
        "title": f"Pembelian {number}",
        "buyer": {"id": office},
        "parties": [{"id": office, "name": f"Dinas {office}"}, {"id": supplier, "name": f"CV {supplier}"}],
        "planning": {
            "procurementMethodDetails": "Pengadaan Langsung",
            "budget": {"fiscalYear": 2024, "projectID": "1.1"},
            "documents": [{"id": "d", "documentType": "procurementPlan"}],
        },
        "tender": {
            "id": f"nontender-{number}",
            "status": "complete",
            "procurementMethod": "direct",
            "procurementMethodDetails": "Pengadaan Langsung",
            "procurementMethodRationale": "hanya satu penyedia",
            "mainProcurementCategory": "goods",
            "value": idr(value),
            "documents": [{"id": "n", "datePublished": at("2024-03-01")}],
            "tenderPeriod": {"startDate": at("2024-03-01"), "endDate": at("2024-03-11")},
            "items": [{"id": "i", "classification": {"scheme": "REKENING", "id": "5.1.02.01.01.0039"}}],
            "numberOfTenderers": 2,
            "location": {"description": "Jl. Mawar"},
        },
        "bids": {"details": []},
        "awards": [
            {
                "id": "a",
                "status": "active",
                "date": at("2024-03-20"),
                "value": idr(value),
                "suppliers": [{"id": supplier}],
            }
        ],
        "contracts": [
            {
                "id": "c",
                "awardID": "a",
                "status": "active",
                "value": idr(value),
                "initialValue": idr(value),
                "consortiumSize": 2,
                "dateSigned": at("2024-03-25"),
                "period": {"startDate": at("2024-03-25"), "endDate": at("2024-06-30")},
                "amendments": [{"id": "addendum-1", "rationale": "tambah volume"}],
                "implementation": {
                    "endDate": at("2024-06-30"),
                    "transactions": [{"id": "p", "value": idr(value)}],
                },
            }
        ],
    }
    for path, content in changes.items():
        *parents, last = path.split("__")
        node: Any = process
        for name in parents:
            node = node[int(name)] if name.isdigit() else node[name]
        node[last] = content
    return process


def tender(number: int, prices: dict[str, float], winner: str, **changes: Any) -> Object:
    """An open tender with valid bids; the winner's price is the award's."""
    bids = [
        {"id": name, "status": "valid", "date": at("2024-03-10"), "tenderers": [{"id": name}], "value": idr(price)}
        for name, price in prices.items()
    ]
    method = {"tender__procurementMethod": "open", "tender__procurementMethodDetails": "Tender"}
    numbers = {"tender__id": f"tender-{number}", "tender__numberOfTenderers": len(prices)}
    values = {"bids__details": bids, "awards__0__value": idr(prices[winner])}
    return one(number, supplier=winner, **{**method, **numbers, **values, **changes})


def refused(process: Object, *names: str) -> Object:
    for bid in process["bids"]["details"]:
        if bid["id"] in names:
            bid["status"] = "disqualified"
    return process


def nine(make: Callable[[int], Object]) -> list[Object]:
    return [make(number) for number in range(1, 10)]


def gaps(second: float) -> list[Object]:
    """Nine tenders whose second bid is 5 to 13 % above the winning one, and one of which it is `second`."""
    return [
        tender(0, {"w": 100.0, "l": second}, "w"),
        *nine(lambda n: tender(n, {"w": 100.0, "l": 104.0 + n}, "w")),
    ]


def bought(pairs: list[tuple[str, float]], **changes: Any) -> list[Object]:
    return [one(n, supplier=supplier, value=value, **changes) for n, (supplier, value) in enumerate(pairs)]


def amounts(digits: list[int]) -> list[Object]:
    return [one(n, value=float(digit * 10**6)) for n, digit in enumerate(digits)]


# Of a hundred amounts so many begin with 1, 2, ... by Benford's law.
_BENFORD = [30, 18, 12, 10, 8, 7, 6, 5, 4]
_BY_LAW = [digit for digit, number in enumerate(_BENFORD, 1) for _ in range(number)]

# Of each flag: the processes that raise it on the subject, those that don't quite, and the subject.
CASES: dict[str, tuple[Callable[[], list[Object]], Callable[[], list[Object]], str]] = {
    "R001": (
        lambda: [one(0, planning__documents=[]), one(1)],
        lambda: [one(0), one(1)],
        "ocds-213czf-0",
    ),
    "R002": (lambda: [one(value=190e6)], lambda: [one(value=190e6 - 1)], "ocds-213czf-0"),
    "R003": (
        lambda: [tender(0, {"w": 1.0}, "w", tender__tenderPeriod__endDate="2024-03-07T22:00:00+07:00")],
        lambda: [tender(0, {"w": 1.0}, "w", tender__tenderPeriod__endDate=at("2024-03-08"))],
        "ocds-213czf-0",
    ),
    "R010": (
        lambda: [one(tender__procurementMethodRationale="a" * 14, tender__procurementMethodDetails="Dikecualikan")],
        lambda: [one(tender__procurementMethodRationale="a" * 15, tender__procurementMethodDetails="Dikecualikan")],
        "ocds-213czf-0",
    ),
    "R011": (
        lambda: [one(0, value=100e6 + 1), one(1, value=100e6)],
        lambda: [one(0, value=100e6), one(1, value=100e6)],
        "ocds-213czf-0",
    ),
    "R012": (
        lambda: [one(planning__procurementMethodDetails="Tender")],
        lambda: [one(planning__procurementMethodDetails="PENGADAAN LANGSUNG")],
        "ocds-213czf-0",
    ),
    "R013": (
        lambda: [*(one(n) for n in range(19)), tender(19, {"w": 1.0}, "w")],
        lambda: [*(one(n) for n in range(18)), tender(18, {"w": 1.0}, "w"), tender(19, {"w": 1.0}, "w")],
        "office",
    ),
    # Of the logarithms of 10, 11 ... 18 and one above all the quartiles are those of 11.9 and 17.1 (type 8): the upper
    # fence lies at 29.3.
    "R016": (
        lambda: [one(0, value=30.0), *nine(lambda n: one(n, value=9.0 + n))],
        lambda: [one(0, value=27.0), *nine(lambda n: one(n, value=9.0 + n))],
        "ocds-213czf-0",
    ),
    "R018": (
        lambda: [tender(0, {"w": 1.0}, "w")],
        lambda: [tender(0, {"w": 1.0, "l": 2.0}, "w")],
        "ocds-213czf-0",
    ),
    "R019": (
        lambda: [
            *(tender(n, {"w": 1.0, "l": 2.0}, "w") for n in range(3)),
            *(tender(n, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, "a", buyer__id="else") for n in range(3, 6)),
        ],
        lambda: [
            *(tender(n, {"w": 1.0, "l": 2.0}, "w") for n in range(3)),
            *(tender(n, {"a": 1.0, "b": 2.0, "c": 3.0}, "a", buyer__id="else") for n in range(3, 6)),
        ],
        "office",
    ),
    "R022": (
        lambda: [tender(0, {"w": 100.0, "l": 110.0, "m": 130.0}, "w")],
        lambda: [tender(0, {"w": 100.0, "l": 110.0, "m": 129.0}, "w")],
        "ocds-213czf-0",
    ),
    # Of 0.05 ... 0.13 and one below all the quartiles are 0.0592 and 0.1108 (type 8), so the lower fence is below zero,
    # which no difference reaches: the setting stands in for it.
    "R024": (lambda: gaps(104.0), lambda: gaps(104.1), "ocds-213czf-0"),
    # Loser won one of ten, or of nine; each of the others bid once and won. The fence lies at 1, above every ratio but
    # theirs: the setting stands in for it.
    "R025": (
        lambda: [tender(0, {"loser": 1.0}, "loser"), *nine(lambda n: tender(n, {f"w{n}": 1.0, "loser": 2.0}, f"w{n}"))],
        lambda: [
            tender(0, {"loser": 1.0}, "loser"),
            *nine(lambda n: tender(n, {f"w{n}": 1.0, "loser": 2.0}, f"w{n}"))[:8],
        ],
        "loser",
    ),
    "R026": (
        lambda: [one(0), *(one(n, contracts__0__consortiumSize=None) for n in range(1, 5))],
        lambda: [one(0), *(one(n, contracts__0__consortiumSize=None) for n in range(1, 6))],
        "office",
    ),
    "R028": (
        lambda: [tender(0, {"w": 100.0, "l": 100.0}, "w")],
        lambda: [tender(0, {"w": 100.0, "l": 100.01}, "w")],
        "ocds-213czf-0",
    ),
    # Of a hundred amounts by the law seven that begin with 9 in place of 1: the mean deviation is 0.0171; six: 0.0149.
    "R029": (lambda: amounts([9] * 7 + _BY_LAW[7:]), lambda: amounts([9] * 6 + _BY_LAW[6:]), "office"),
    "R030": (
        lambda: [tender(0, {"w": 1.0}, "w", tender__tenderPeriod__endDate=at("2024-03-09"))],
        lambda: [tender(0, {"w": 1.0}, "w", tender__tenderPeriod__endDate=at("2024-03-10"))],
        "ocds-213czf-0",
    ),
    "R031": (
        lambda: [one(value=1000.0, awards__0__value=idr(999))],
        lambda: [one(value=1000.0, awards__0__value=idr(998))],
        "ocds-213czf-0",
    ),
    "R035": (
        lambda: [refused(tender(0, {"w": 2.0, "l": 1.0}, "w"), "l")],
        lambda: [tender(0, {"w": 2.0, "l": 1.0}, "w"), refused(tender(1, {"w": 2.0, "l": 1.0}, "w"), "l")],
        "ocds-213czf-0",
    ),
    "R036": (
        lambda: [refused(tender(0, {"w": 2.0, "l": 1.0}, "w"), "l")],
        lambda: [refused(tender(0, {"w": 2.0, "l": 3.0}, "w"), "l")],
        "ocds-213czf-0",
    ),
    # Eight offices refuse none of two bids: the quartiles are 0, so is the fence. A ninth refuses one, or (its bids all
    # valid) none, while the fence is moved to a half by the setting.
    "R038": (
        lambda: [
            refused(tender(0, {"w": 2.0, "l": 1.0}, "w"), "l"),
            *nine(lambda n: tender(n, {"w": 2.0, "l": 1.0}, "w", buyer__id=f"o{n}")),
        ],
        lambda: [
            refused(tender(0, {"w": 2.0, "l": 1.0, "m": 3.0}, "w"), "l"),
            *nine(lambda n: tender(n, {"w": 2.0, "l": 1.0}, "w", buyer__id=f"o{n}")),
        ],
        "office",
    ),
    "R040": (
        lambda: bought([("top", 900.0), *((f"s{n}", 100.0) for n in range(9))]),
        lambda: bought([("top", 899.0), *((f"s{n}", 100.0) for n in range(9))]),
        "office",
    ),
    "R048": (
        lambda: [
            one(n, supplier="s", tender__items=[{"id": "i", "classification": {"id": f"{10 + n}0000"}}])
            for n in range(3)
        ],
        lambda: [
            one(n, supplier="s", tender__items=[{"id": "i", "classification": {"id": f"{10 + n}0000"}}])
            for n in range(2)
        ],
        "s",
    ),
    "R049": (
        lambda: [one(0, value=180e6), one(1, value=200e6)],
        lambda: [one(0, value=180e6 - 1), one(1, value=200e6), one(2, value=200e6 + 1)],
        "s",
    ),
    "R050": (
        lambda: bought([("s", 900.0), *((f"s{n}", 100.0) for n in range(9))]),
        lambda: bought([("s", 899.0), *((f"s{n}", 100.0) for n in range(9))]),
        "s",
    ),
    # One of 16 and nine of 2 each: 0.4706² + 9 * 0.0588² = 0.2526; with 15.7 it is 0.2489.
    "R051": (
        lambda: bought([("s", 16.0), *((f"s{n}", 2.0) for n in range(9))]),
        lambda: bought([("s", 15.7), *((f"s{n}", 2.0) for n in range(9))]),
        "office",
    ),
    "R052": (
        lambda: [one(0, value=5e6), one(1, value=50e6, awards__0__date=at("2024-05-01"))],
        lambda: [one(0, value=5e6), one(1, value=50e6 - 1, awards__0__date=at("2024-05-01"))],
        "s",
    ),
    "R053": (
        lambda: [tender(n, {"w": 1.0, "l": 2.0}, "w") for n in range(3)],
        lambda: [*(tender(n, {"w": 1.0, "l": 2.0}, "w") for n in range(2)), tender(2, {"w": 2.0, "l": 1.0}, "l")],
        "w",
    ),
    "R054": (
        lambda: [one(contracts__0__value=idr(200e6 + 1))],
        lambda: [one(contracts__0__value=idr(200e6))],
        "ocds-213czf-0",
    ),
    "R055": (
        lambda: [one(0, value=100e6 + 1), one(1, value=100e6, awards__0__date=at("2024-06-18"))],
        lambda: [one(0, value=100e6 + 1), one(1, value=100e6, awards__0__date=at("2024-06-19"))],
        "s",
    ),
    "R057": (
        lambda: [tender(n, {"a": 1.0, "b": 2.0}, "ab"[n % 2]) for n in range(4)],
        lambda: [tender(n, {"a": 1.0, "b": 2.0}, "aaab"[n]) for n in range(4)],
        "a",
    ),
    # Of 0.05 ... 0.13 and one above all the quartiles are 0.0692 and 0.1208: the upper fence lies at 0.1983.
    "R058": (lambda: gaps(120.0), lambda: gaps(119.0), "ocds-213czf-0"),
    "R059": (
        lambda: [one(value=100.0, contracts__0__value=idr(110))],
        lambda: [one(value=100.0, contracts__0__value=idr(109))],
        "ocds-213czf-0",
    ),
    "R060": (
        lambda: [one(contracts__0__dateSigned=at("2024-03-20", 15))],
        lambda: [one(contracts__0__dateSigned=at("2024-03-20", 14))],
        "ocds-213czf-0",
    ),
    "R061": (
        lambda: [tender(0, {"w": 1.0}, "w", awards__0__date=at("2024-03-13"))],
        lambda: [tender(0, {"w": 1.0}, "w", awards__0__date=at("2024-03-14"))],
        "ocds-213czf-0",
    ),
    "R062": (
        lambda: [tender(0, {"w": 1.0}, "w", awards__0__date=at("2024-03-11", 61))],
        lambda: [tender(0, {"w": 1.0}, "w", awards__0__date=at("2024-03-11", 60))],
        "ocds-213czf-0",
    ),
    "R064": (
        lambda: [one(0), one(1)],
        lambda: [one(0, contracts__0__amendments=[]), one(1)],
        "ocds-213czf-0",
    ),
    "R067": (
        lambda: [one(contracts__0__implementation__endDate=at("2024-07-01"))],
        lambda: [one(contracts__0__implementation__endDate=at("2024-06-30"))],
        "ocds-213czf-0",
    ),
    "R068": (
        lambda: [one(value=100.0, contracts__0__implementation__transactions=[{"id": "p", "value": idr(101)}])],
        lambda: [one(value=100.0, contracts__0__implementation__transactions=[{"id": "p", "value": idr(100.9)}])],
        "ocds-213czf-0",
    ),
    "R069": (
        lambda: [one(value=100.0, contracts__0__value=idr(101))],
        lambda: [one(value=100.0, contracts__0__value=idr(100))],
        "ocds-213czf-0",
    ),
}
SETTINGS = {
    "R024": FlagSettings(r024_difference=0.04),
    "R025": FlagSettings(r025_ratio=0.1),
    "R038": FlagSettings(r038_ratio=0.5),
    "R048": FlagSettings(r048_variety=3),
}


def of(code: str, documents: list[Object], settings: FlagSettings | None = None) -> dict[str, Result]:
    """The results of a flag by subject."""
    found = results(documents, settings or SETTINGS.get(code, FlagSettings()))
    return {result.subject_id: result for result in found if result.code == code}


def test_all_flags_are_there() -> None:
    assert set(BY_CODE) == WANTED == set(CASES)
    assert [flag.code for flag in FLAGS] == sorted(WANTED)
    assert {flag.code for flag in FLAGS if flag.never} == {"R030", "R035", "R036", "R038"}
    assert all(flag.title and flag.rule and flag.source and flag.fed for flag in FLAGS)
    assert all(bool(flag.one) != bool(flag.many) for flag in FLAGS)


@pytest.mark.parametrize("code", sorted(CASES))
def test_above_the_threshold_and_just_below(code: str) -> None:
    above, below, subject = CASES[code]
    high, low = of(code, above())[subject], of(code, below())[subject]
    assert (high.computable, high.flagged) == (True, True), high.why
    assert (low.computable, low.flagged) == (True, False), low.why
    assert high.why
    assert high.subject_kind == BY_CODE[code].subject
    assert high.ocid == (subject if high.subject_kind == "process" else None)
    assert (high.fiscal_year, bool(high.name)) == (2024, True)


def without(node: Any, path: str) -> Any:
    """A copy without the values at a path (with `=x`: that are x)."""
    path, _, wanted = path.partition("=")
    names = path.split(".")

    def take(part: Any, rest: list[str]) -> None:
        if isinstance(part, list):
            for entry in part:
                take(entry, rest)
        elif isinstance(part, dict) and rest[0] in part:
            if len(rest) > 1:
                take(part[rest[0]], rest[1:])
            elif not wanted or part[rest[0]] == wanted:
                del part[rest[0]]

    copied = copy.deepcopy(node)
    take(copied, names)
    return copied


INPUTS = [(flag.code, path) for flag in FLAGS for path in (*flag.inputs, *flag.in_year)]


@pytest.mark.parametrize(("code", "path"), INPUTS)
def test_without_an_input_it_is_not_computable(code: str, path: str) -> None:
    above, _, subject = CASES[code]
    assert of(code, above())[subject].computable
    documents = above()
    for each in path.split("|"):
        documents = [without(document, each) for document in documents]
    found = of(code, documents)
    assert not [result for result in found.values() if result.computable or result.flagged]
    if subject in found:
        assert path in found[subject].why["missing"]
    else:
        # Without its id, or without what makes the flag be about it, there is no subject.
        assert path in ("buyer.id", "awards.suppliers.id", "bids.details.tenderers.id", "awards.status", "contracts.id")


def test_a_flag_that_is_not_about_a_process_says_nothing_of_it() -> None:
    assert of("R018", [one()]) == {}
    assert of("R002", [tender(0, {"w": 1.0}, "w")]) == {}
    assert of("R013", [one(tender__id="swakelola-1")]) == {}


def test_purchases_of_several_places_are_not_split() -> None:
    """The same village is the same place, however it is written."""
    village = {"scheme": "JEJAK-WILAYAH", "identifiers": ["35.22.01.2001"]}
    for second, flagged in (
        ({"description": "jl.  mawar"}, True),
        ({"description": "Jl. Melati"}, False),
        ({"description": "Jl. Mawar", "gazetteer": village}, False),
    ):
        found = of("R011", [one(0), one(1, tender__location=second)])
        assert [result.flagged for result in found.values()] == [flagged, flagged]
    named = [one(n, tender__location={"description": str(n), "gazetteer": village}) for n in range(2)]
    assert all(result.flagged for result in of("R011", named).values())


def test_each_fiscal_year_is_judged_by_itself() -> None:
    years = [one(n, supplier="s", value=100e6 + 1, planning__budget={"fiscalYear": 2024 + n}) for n in range(2)]
    found = [result for result in results(years, FlagSettings()) if result.code == "R055"]
    assert [(result.fiscal_year, result.flagged) for result in found] == [(2024, False), (2025, False)]


def test_limits_follow_the_day_and_the_settings() -> None:
    road: Object = {"tender__mainProcurementCategory": "works", "value": 300e6}
    assert of("R002", [one(**road)])["ocds-213czf-0"].flagged
    later = one(**road, tender__documents=[{"id": "n", "datePublished": at("2025-04-30")}])
    later["tender"]["tenderPeriod"]["startDate"] = at("2025-05-02")
    assert of("R002", [later])["ocds-213czf-0"].why["limit"] == 400_000_000
    advice = one(value=99e6, tender__additionalProcurementCategories=["consultingServices"])
    assert of("R002", [advice])["ocds-213czf-0"].flagged
    higher = FlagSettings.model_validate(
        {
            "limits": [
                {"method": "Pengadaan Langsung", "category": "goods", "most": 10**9, "since": "2020-01-01", "rule": "x"}
            ]
        }
    )
    assert not of("R002", [one(value=190e6)], higher)["ocds-213czf-0"].flagged
    with pytest.raises(ValueError, match="r099"):
        FlagSettings.model_validate({"r099_days": 3})


def test_quartiles_are_those_of_cardinal() -> None:
    # Its documentation: of five differences 0, 100, 100, 100, 100 the quartiles are 66.6667 and 100.
    assert quartiles([0, 100, 100, 100, 100]) == pytest.approx((66.66667, 100))
    assert quartiles([1]) == (1, 1)


# --- Cardinal's examples ---------------------------------------------------------------------------------------------


def bid(name: str, status: str = "valid", amount: float | None = None, **more: Any) -> Object:
    value = {} if amount is None else {"value": idr(amount)}
    return {"status": status, "tenderers": [{"id": name}], **value, **more}


def offered(ocid: str, bids: list[Object], winner: str | None = None, **more: Any) -> Object:
    awards = [{"status": "active", "suppliers": [{"id": winner}]}] if winner else []
    return {"ocid": ocid, "bids": {"details": bids}, "awards": awards, **more}


def priced(ocid: str, second: float) -> Object:
    return offered(ocid, [bid("W", amount=1), bid("L", amount=second)], "W")


def supplied(ocid: str, supplier: str, *items: str) -> Object:
    award = {"status": "active", "suppliers": [{"id": supplier}]}
    return {"ocid": ocid, "awards": [{**award, "items": [{"classification": {"id": item}} for item in items]}]}


# What the pages of docs/cli/indicators/R say of Cardinal, as documents of our own; who is flagged, and why, by hand:
# R003: without a method the process is excluded.
# R018: one tenderer, open.
# R024: differences 1, 99, 99, 99, 99; quartiles 66.33 and 99; the lower fence is 17.33.
# R025: F won 1 of 6 bids; bids 6, 1, 1, 1, 1, 1 have the third quartile 1.42; ratios 1/6, 1, ... the lower fence 0.83.
# R028: V and D bid the same. R030: received 1 April, due 15 March, won. R035: V alone is valid and won, D is out.
# R036: of 1 (disqualified) and 2 the lowest is out. R038: B refused 1 of its 2 bids; the other buyers had one bid each.
# R048: F supplied the classes 10 and 11, four others 10 alone: quartiles 1 and 1.33, the upper fence is 1.83.
# R058: differences 99, 1, 1, 1, 1; quartiles 1 and 33.67; the upper fence is 82.67.
EXPECTED: dict[str, tuple[list[Object], set[str]]] = {
    "R003": (
        [{"ocid": "F", "tender": {"tenderPeriod": {"startDate": at("2020-08-03"), "endDate": at("2020-08-04")}}}],
        set(),
    ),
    "R018": ([{"ocid": "F", "tender": {"numberOfTenderers": 1, "procurementMethod": "open"}}], {"F"}),
    "R024": ([priced("F", 2), *(priced(str(n), 100) for n in range(1, 5))], {"F"}),
    "R025": (
        [
            offered("0", [bid("F")], "F"),
            *(offered(str(n), [bid("F"), bid(str(n))], str(n)) for n in range(1, 6)),
        ],
        {"F"},
    ),
    "R028": ([offered("F", [bid("V", amount=1), bid("D", "disqualified", 1)])], {"F"}),
    "R030": (
        [
            offered(
                "F",
                [bid("W", date="2000-04-01T00:00:00Z")],
                "W",
                tender={"tenderPeriod": {"endDate": "2000-03-15T00:00:00Z"}},
            )
        ],
        {"F"},
    ),
    "R035": ([offered("F", [bid("D", "disqualified"), bid("V")], "V")], {"F"}),
    "R036": ([offered("F", [bid("D", "disqualified", 1), bid("V", amount=2)], "V")], {"F"}),
    "R038": (
        [
            offered("0", [bid("W1"), bid("D", "disqualified")], buyer={"id": "B"}),
            *(offered(str(n), [bid(f"W{n + 1}")], buyer={"id": str(n)}) for n in range(1, 5)),
        ],
        {"B"},
    ),
    "R048": ([supplied("F", "F", "10000000", "11000000"), *(supplied(n, n, "10000000") for n in "1234")], {"F"}),
    "R058": ([priced("F", 100), *(priced(str(n), 2) for n in range(1, 5))], {"F"}),
}
# As Cardinal: an outlier may be sought in a single subject. Its example of R048 counts suppliers from one process on.
AS_CARDINAL = FlagSettings(fewest=1, r048_processes=1)


@pytest.mark.parametrize("code", CARDINAL)
def test_cardinal_by_its_documentation(code: str) -> None:
    documents, flagged = EXPECTED[code]
    found = of(code, documents, AS_CARDINAL)
    assert {subject for subject, result in found.items() if result.flagged} == flagged


def test_a_period_without_a_method_is_not_computable() -> None:
    example = EXPECTED["R003"][0][0]
    process = {"ocid": "F", "tender": {"id": "tender-1", **example["tender"]}}
    assert of("R003", [process])["F"].why == {"missing": ["tender.procurementMethod"]}


@pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason=f"no examples of Cardinal ({EXAMPLES.name}); they lie beside the folder in JEJAK_REAL_DATA",
)
@pytest.mark.parametrize("code", CARDINAL)
def test_cardinal_by_its_example_files(code: str) -> None:
    lines = (EXAMPLES / "R" / f"{code[1:]}.jsonl").read_text(encoding="utf-8").splitlines()
    found = of(code, [json.loads(line) for line in lines if line], AS_CARDINAL)
    assert {subject for subject, result in found.items() if result.flagged} == EXPECTED[code][1]


# --- in the warehouse ------------------------------------------------------------------------------------------------


def stored(engine: Any, documents: list[Object]) -> None:
    run = {"id": "night", "number": 1, "command": "sync", "started_at": "2024-12-31T00:00:00Z", "status": "success"}
    with writing(engine) as conn:
        insert_rows(conn, t.run, [run])
        insert_rows(
            conn,
            t.record,
            [
                {"ocid": each["ocid"], "compiled": each, "date": "", "rows": b"", "run_id": "night", "withdrawn": None}
                for each in documents
            ],
        )


def test_results_are_kept_and_counted(warehouse: Any, warehouse_url: str, tmp_path: Path) -> None:
    other = one(5, planning__budget={"fiscalYear": 2025})
    stored(warehouse, [tender(0, {"w": 1.0}, "w"), tender(1, {"w": 1.0, "l": 2.0}, "w"), other])
    file = tmp_path / "settings.toml"
    file.write_text(
        f'name = "X"\nocid_prefix = "ocds-213czf"\nkd_klpd = "D1"\nkd_lpse = "1"\nwarehouse_url = "{warehouse_url}"\n',
        encoding="utf-8",
    )
    result = jejak("flags", "--settings", file, "--json")
    found = json.loads(result.out)
    assert set(found) == {"flags"}
    assert all(list(row) == ["code", "title", "computable", "flagged", "subject"] for row in found["flags"])
    assert [row["code"] for row in found["flags"]] == sorted(WANTED)
    counts = {row["code"]: (row["computable"], row["flagged"], row["subject"]) for row in found["flags"]}
    assert counts["R018"] == (2, 1, "process")
    assert counts["R030"][1:] == (0, "process")
    listed = jejak("flags", "--settings", file, "--code", "R018", "--list").out
    assert listed.splitlines() == ["R018  2024  ocds-213czf-0  Pembelian 0: tenderers 1"]
    before = rows_of(warehouse)
    jejak("flags", "--settings", file, "--year", "2025")
    again = rows_of(warehouse)
    assert {row[:4] for row in before} == {row[:4] for row in again}
    # Of the other year nothing was computed anew.
    runs = {row[:3]: row[4] for row in before}
    assert {row[2] for row in again if row[4] != runs[row[:3]]} == {2025}
    assert jejak("flags", "--settings", file, "--code", "R999").status == 1
    with reading(warehouse) as conn:
        limits = set(conn.execute(select(t.procurement_limit.c.category, t.procurement_limit.c.most)))
    assert limits == {(limit.category, limit.most) for limit in FlagSettings().limits}


def rows_of(engine: Any) -> list[tuple[Any, ...]]:
    columns = t.flag.c
    with reading(engine) as conn:
        query = select(columns.code, columns.subject_id, columns.fiscal_year, columns.flagged, columns.run_id)
        return [tuple(row) for row in conn.execute(query)]


def test_the_page_is_what_the_code_says() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.documented()
    assert set(PATHS) == {each for flag in FLAGS for path in (*flag.inputs, *flag.in_year) for each in path.split("|")}


def test_the_step_needs_no_records(warehouse: Any, warehouse_url: str) -> None:
    stored(warehouse, [])
    settings = Settings(name="X", ocid_prefix="ocds-213czf", kd_klpd="D1", kd_lpse="1", warehouse_url=warehouse_url)
    assert compute_flags(settings, "night") == 0
