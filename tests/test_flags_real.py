"""The inputs of red flags on real rows, counted here from the raw files of a province's year.

The files are not part of this repository, and no row, code or name of them stands here: `JEJAK_REAL_DATA` names their
folder, by default `../shared/data` beside the repository.
"""

from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from schemas.flags import FlagSettings
from tests.test_mapping_real import PROVINCE, raw, states
from transforms.flags.registry import Result, results

pytestmark = pytest.mark.skipif(not PROVINCE.is_dir(), reason="no folder of real rows; name it in JEJAK_REAL_DATA")

_TENDERS = ("TenderPengumuman", "TenderSelesai", "TenderSelesaiNilai", "PesertaTender")
_DIRECT = ("NonTenderPengumuman", "NonTenderSelesai")
_CONTRACTS = ("1SPPBJ", "2Kontrak", "3SPMKSPP", "4BAPBAST")


@cache
def found() -> dict[str, list[Result]]:
    """The results of all flags on the attempts alone, by code."""
    documents = []
    for kind, services in (("Tender", _TENDERS), ("NonTender", _DIRECT)):
        names = [*(f"SPSE-{name}" for name in services), *(f"SPSE-{kind}Ekontrak-{name}" for name in _CONTRACTS)]
        for number, (document, _) in enumerate(states(PROVINCE, *names)):
            documents.append({**document, "ocid": f"ocds-000000-{kind}-{number}"})
    by_code: dict[str, list[Result]] = defaultdict(list)
    for result in results(documents, FlagSettings()):
        by_code[result.code].append(result)
    return by_code


def counts(code: str) -> tuple[int, int]:
    """For how many subjects a flag is computable, and how many it flags."""
    return sum(each.computable for each in found()[code]), sum(each.flagged for each in found()[code])


@cache
def bids() -> dict[str, list[float]]:
    """Tender -> the prices of those who bid."""
    prices: dict[str, list[float]] = defaultdict(list)
    for row in raw(PROVINCE, "SPSE-PesertaTender"):
        if row["nilai_penawaran"]:
            prices[str(row["kd_tender"])].append(float(row["nilai_penawaran"]))
    return prices


def test_bids() -> None:
    numbers = Counter(len(prices) for prices in bids().values())
    assert counts("R018") == (numbers.total(), numbers[1]) == (146, 42)
    assert counts("R022")[0] == sum(number for bidders, number in numbers.items() if bidders > 2) == 80
    assert counts("R028")[0] == sum(number for bidders, number in numbers.items() if bidders > 1) == 104
    equal = sum(len(set(prices)) < len(prices) for prices in bids().values())
    assert counts("R028")[1] == equal


def test_the_winner_among_two_bids() -> None:
    """Of 104 tenders with two bids, R024 and R058 leave out those that Cardinal does."""
    for code in ("R024", "R058"):
        excluded = Counter(
            each.why["missing"][0]
            for each in found()[code]
            if not each.computable and "." not in each.why["missing"][0]
        )
        # One bid alone is no input.
        single = excluded.pop("two valid bids with a value")
        assert counts(code)[0] + excluded.total() + single == sum(map(bool, bids().values())) - 2
        assert excluded.keys() <= {"the lowest bid as the winning one", "a valid bid of the supplier"}


def codes(kind: str, service: str, *amounts: str) -> set[str]:
    """The attempts of which some row of a service has one of these amounts, above zero."""
    rows = raw(PROVINCE, f"SPSE-{kind}{service}")
    return {str(row[f"kd_{kind.lower()}"]) for row in rows if any(float(row[name] or 0) > 0 for name in amounts)}


def test_estimates_and_awards() -> None:
    offered = ("nilai_penawaran", "nilai_terkoreksi", "nilai_negosiasi")
    tenders = codes("Tender", "SelesaiNilai", *offered) | codes("Tender", "Ekontrak-2Kontrak", "nilai_kontrak")
    bought = codes("NonTender", "Selesai", *offered) | codes("NonTender", "Ekontrak-2Kontrak", "nilai_kontrak")
    assert (len(tenders), len(bought)) == (144, 1784)
    assert counts("R031")[0] == len(tenders) + len(bought)
    limited = [row for row in raw(PROVINCE, "SPSE-NonTenderPengumuman") if row["mtd_pemilihan"] == "Pengadaan Langsung"]
    assert counts("R002")[0] == len(limited)


def test_contracts() -> None:
    rows: list[dict[str, Any]] = []
    for kind in ("Tender", "NonTender"):
        rows += raw(PROVINCE, f"SPSE-{kind}Ekontrak-2Kontrak")
    amended = {
        str(row.get("kd_tender") or row.get("kd_nontender"))
        for row in rows
        if row["versi_addendum"] not in (None, "0", 0)
    }
    assert counts("R064")[1] == len(amended)
    signed = {str(row.get("kd_tender") or row.get("kd_nontender")) for row in rows if row["no_kontrak"]}
    assert counts("R064")[0] == counts("R059")[0] == counts("R060")[0] == len(signed)
    for code in ("R030", "R035", "R036", "R038", "R003", "R061", "R062", "R001"):
        assert counts(code) == (0, 0)
        assert found()[code]
