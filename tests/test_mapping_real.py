"""Real rows through the mappings: sums that are known to hold, worked out here from the raw files.

The files are not part of this repository, and no row, code or name of them stands here: `JEJAK_REAL_DATA` names their
folder, by default `../shared/data` beside the repository.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import MAPPINGS
from schemas.errors import RowError
from tests.states import row
from transforms.mapping import Row
from transforms.state import Process, state_of

DATA = Path(os.environ.get("JEJAK_REAL_DATA") or Path(__file__).parents[2] / "shared" / "data")
PROVINCE, ORDERS = DATA / "isb-prov-kalbar-2024", DATA / "isb-ecat-kalbar-2022"
pytestmark = pytest.mark.skipif(
    not PROVINCE.is_dir() or not ORDERS.is_dir(), reason="no folder of real rows; name it in JEJAK_REAL_DATA"
)


def raw(folder: Path, service: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / f"{service}.json").read_text(encoding="utf-8"))
    return found


def states(folder: Path, *services: str) -> Iterator[tuple[dict[str, Any], bool]]:
    """The document of the rows of each code, and whether a row of it was refused."""
    processes: dict[str, list[Row]] = defaultdict(list)
    refused: set[str] = set()
    for service in services:
        for number, fields in enumerate(raw(folder, service), 1):
            code = str(next(fields[name] for name in _CODES if name in fields))
            try:
                processes[code].append(row(service, fields, number=number))
            except RowError:
                refused.add(code)
    for code, rows in processes.items():
        yield state_of(Process("ocds-000000-x-1", rows), MAPPINGS, "+07:00", "D999").document, code in refused


_CODES = ("kd_nontender_pct", "kd_swakelola_pct", "kd_tender", "kd_nontender", "kd_paket", "order_id")


def amount(holder: dict[str, Any]) -> float:
    found: float = holder.get("value", {}).get("amount", 0)
    return found


def recorded(contract: dict[str, Any]) -> list[float]:
    implementation = contract.get("implementation", {})
    parts = (contract.get("agreements", ()), *(implementation.get(part, ()) for part in ("transactions", "milestones")))
    return [amount(entry) for part in parts for entry in part]


@pytest.mark.parametrize(("service", "wrong"), [("SPSE-PencatatanNonTender", 0), ("SPSE-PencatatanSwakelola", 6)])
def test_what_is_recorded_sums_to_the_total(service: str, wrong: int) -> None:
    found = [state for state, refused in states(PROVINCE, service, f"{service}Realisasi") if not refused]
    contracts = [contract for state in found for contract in state["contracts"]]
    assert len(contracts) > 150
    assert sum(abs(sum(recorded(each)) - amount(each)) >= 1 for each in contracts) == wrong
    total = {str(line[_code(line)]): line["total_realisasi"] or 0 for line in raw(PROVINCE, service)}
    assert {each["id"].partition("-")[2]: amount(each) for each in contracts}.items() <= total.items()


def _code(line: dict[str, Any]) -> str:
    return next(name for name in _CODES if name in line)


def test_agreements_are_no_payments() -> None:
    found = states(PROVINCE, "SPSE-PencatatanNonTender", "SPSE-PencatatanNonTenderRealisasi")
    agreed = sum(amount(each) for state, _ in found for c in state["contracts"] for each in c.get("agreements", ()))
    kinds = ("Surat Perjanjian", "Surat Pesanan")
    lines = raw(PROVINCE, "SPSE-PencatatanNonTenderRealisasi")
    assert agreed == sum(line["nilai_realisasi"] for line in lines if line["jenis_realisasi"] in kinds)


@pytest.mark.parametrize("kind", ["Tender", "NonTender"])
def test_contracts_count_once_by_attempt_and_number(kind: str) -> None:
    service = f"SPSE-{kind}Ekontrak-2Kontrak"
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for line in raw(PROVINCE, service):
        key = (str(line[f"kd_{kind.lower()}"]), line["no_kontrak"].strip())
        if key not in latest or (line["versi_addendum"] or 0) >= (latest[key]["versi_addendum"] or 0):
            latest[key] = line
    found = [amount(contract) for state, _ in states(PROVINCE, service) for contract in state["contracts"]]
    assert len(found) == len(latest)
    assert sum(found) == pytest.approx(sum(line["nilai_kontrak"] or 0 for line in latest.values()), abs=0.01)


def test_an_order_is_worth_its_own_total() -> None:
    totals = {str(line["kd_paket"]): line["total"] for line in raw(ORDERS, "Ecat-PaketEPurchasing")}
    found = {
        contract["id"].partition("-")[2]: amount(contract)
        for state, refused in states(ORDERS, "Ecat-PaketEPurchasing")
        if not refused
        for contract in state["contracts"]
    }
    assert len(found) > 2600
    assert found.items() <= totals.items()


def test_the_lines_of_online_orders_are_summed() -> None:
    times: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in raw(ORDERS, "Bela-TokoDaringRealisasi"):
        times[line["order_id"]][line["tanggal_transaksi"]] += line["valuasi"]
    found = [
        amount(contract) for state, _ in states(ORDERS, "Bela-TokoDaringRealisasi") for contract in state["contracts"]
    ]
    assert sum(found) == sum(lines[max(lines)] for lines in times.values())
