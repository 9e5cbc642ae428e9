"""The inputs of red flags on real rows, counted here from the raw files of a province's year and of a regency's.

The files are not part of this repository, and no row, code or name of them stands here: `JEJAK_REAL_DATA` names their
folder, by default `../shared/data` beside the repository.
"""

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from schemas.flags import FlagSettings
from tests.test_mapping_real import DATA, PROVINCE, raw, states
from transforms.flags.model import case_of
from transforms.flags.registry import PATHS, Result, results

REGENCY = DATA / "isb-kab-bandung-2025"
pytestmark = pytest.mark.skipif(not PROVINCE.is_dir(), reason="no folder of real rows; name it in JEJAK_REAL_DATA")

_TENDERS = ("TenderPengumuman", "TenderSelesai", "TenderSelesaiNilai", "PesertaTender", "JadwalTahapanTender")
_DIRECT = ("NonTenderPengumuman", "NonTenderSelesai")
_CONTRACTS = ("1SPPBJ", "2Kontrak", "3SPMKSPP", "4BAPBAST")
# This file of the regency holds rows of another list.
_MISFILED = {(REGENCY, "SPSE-TenderEkontrak-4BAPBAST")}


@cache
def attempts(folder: Path) -> list[dict[str, Any]]:
    """The states of the tenders and direct purchases of a folder, without their plans."""
    documents = []
    for kind, services in (("Tender", _TENDERS), ("NonTender", _DIRECT)):
        names = [*(f"SPSE-{name}" for name in services), *(f"SPSE-{kind}Ekontrak-{name}" for name in _CONTRACTS)]
        there = [name for name in names if (folder / f"{name}.json").is_file() and (folder, name) not in _MISFILED]
        for number, (document, _) in enumerate(states(folder, *there)):
            documents.append({**document, "ocid": f"ocds-000000-{kind}-{number}"})
    return documents


@cache
def found() -> dict[str, list[Result]]:
    """The results of all flags on the attempts alone, by code."""
    by_code: dict[str, list[Result]] = defaultdict(list)
    for result in results(attempts(PROVINCE), FlagSettings()):
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


def given(folder: Path, service: str, field: str) -> set[str]:
    """The ids of the attempts of which some row of an e-contract fills a field."""
    filled = set()
    for kind in ("Tender", "NonTender"):
        name = f"SPSE-{kind}{service}"
        if (folder / f"{name}.json").is_file() and (folder, name) not in _MISFILED:
            codes = {row[f"kd_{kind.lower()}"] for row in raw(folder, name) if row[field] not in (None, "", "0", 0)}
            filled |= {f"{kind.lower()}-{code}" for code in codes}
    return filled


@pytest.mark.parametrize(
    ("path", "service", "field", "numbers"),
    [
        ("contracts.dateSigned", "Ekontrak-2Kontrak", "tgl_kontrak", (1590, 1084)),
        ("contracts.value.amount", "Ekontrak-2Kontrak", "nilai_kontrak", (1590, 1084)),
        ("contracts.amendments.id", "Ekontrak-2Kontrak", "versi_addendum", (5, 7)),
        ("contracts.consortiumSize", "Ekontrak-2Kontrak", "anggota_kso", (20, 0)),
        ("contracts.implementation.milestones.dateMet", "Ekontrak-4BAPBAST", "tgl_bap", (226, 304)),
        (
            "contracts.implementation.metrics.observations.value.amount",
            "Ekontrak-4BAPBAST",
            "besar_pembayaran",
            (226, 304),
        ),
    ],
)
def test_inputs_are_those_of_the_rows(path: str, service: str, field: str, numbers: tuple[int, int]) -> None:
    for folder, number in zip((PROVINCE, REGENCY), numbers, strict=True):
        cases = ((document, case_of(document, PATHS, FlagSettings())) for document in attempts(folder))
        having = {document["tender"]["id"] for document, case in cases if path in case.present}
        assert having == given(folder, service, field)
        assert len(having) == number
