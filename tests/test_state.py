"""The state of a process: whose words count, what exists, and that the order of rows changes nothing."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.registry import MAPPINGS, SERVICES
from schemas.ocds import validate_release
from transforms.mapping import Row
from transforms.rows import identify
from transforms.state import Process, State, references, state_of, united, without_rows

OCID = "ocds-213czf-rup-90000001"
OFFICE = {"kd_klpd": "D999", "kd_satker_str": "1.02.0.00.0.00.02.0000", "nama_satker": "DINAS CONTOH"}
RUP = {
    **OFFICE,
    "kd_rup": 90000001,
    "nama_paket": "Rehabilitasi Jalan",
    "pagu": 200_000_000,
    "metode_pengadaan": "Tender",
    "jenis_pengadaan": "Pekerjaan Konstruksi",
    "status_umumkan_rup": "Terumumkan",
    "tgl_awal_pemilihan": "2025-02-01",
    "tgl_akhir_pemilihan": "2025-02-28",
    "status_aktif_rup": True,
    "status_delete_rup": False,
}
TENDER = {
    **OFFICE,
    "kd_tender": 90000001000,
    "kd_rup": "90000001",
    "nama_paket": "Rehabilitasi Jalan Desa",
    "hps": 199_000_000.5,
    "mtd_pemilihan": "Tender",
    "status_tender": "Berlangsung",
}
WINNER = {
    "kd_klpd": "D999",
    "kd_tender": 90000001000,
    "kd_penyedia": 71,
    "nama_penyedia": "CV. PERTAMA",
    "nilai_negosiasi": 190_000_000,
    "tgl_penetapan_pemenang": "2025-02-20",
}
PLANNED, ANNOUNCED, FINISHED, WON = (
    "RUP-PaketPenyedia-Terumumkan",
    "SPSE-TenderPengumuman",
    "SPSE-TenderSelesai",
    "SPSE-TenderSelesaiNilai",
)
Object = dict[str, Any]


def row(name: str, fields: Object, suffix: str = "") -> Row:
    service = SERVICES[name][1]
    found = identify(service, fields)
    return Row(name, "2025", found.key + suffix, found.code, service.model.model_validate(found.fields))


def state(*rows: Row, **more: Any) -> State:
    result = state_of(Process(OCID, rows, **more), MAPPINGS, "+07:00", "D999")
    if result.document:
        head = {"ocid": OCID, "id": "1", "date": "2025-01-01T00:00:00+07:00", "tag": ["planning"]}
        validate_release({**head, "initiationType": "tender", **result.document})
    return result


PLAN, TENDERED, AWARDED = row(PLANNED, RUP), row(ANNOUNCED, TENDER), row(WON, WINNER)


# --- whose words count -----------------------------------------------------------------------------------------------


def test_a_field_goes_to_its_owner_and_else_to_who_stands_in() -> None:
    document = state(PLAN, TENDERED).document
    assert document["title"] == "Rehabilitasi Jalan"
    assert document["tender"]["title"] == "Rehabilitasi Jalan Desa"
    assert document["tender"]["procurementMethod"] == "open"
    # The announcement names no category.
    assert document["tender"]["mainProcurementCategory"] == "works"
    assert state(TENDERED).document["title"] == "Rehabilitasi Jalan Desa"


@pytest.mark.parametrize("turned", [False, True])
def test_the_best_owner_counts_in_whatever_order_partial_documents_come(turned: bool) -> None:
    partials: list[tuple[str, Object]] = [
        (ANNOUNCED, {"tender": {"id": "t", "title": "A"}, "awards": [{"id": "1", "title": "nobody's"}]}),
        (PLANNED, {"title": "B", "tender": {"id": "t", "title": "B", "description": "B"}}),
        (WON, {"awards": [{"id": "1", "title": "A"}]}),
        ("SPSE-TenderEkontrak-1SPPBJ", {"awards": [{"id": "2", "title": "B"}, {"id": "1", "title": "B"}]}),
    ]
    document = united(partials[::-1] if turned else partials)
    assert document["title"] == "B"
    assert document["tender"] == {"id": "t", "title": "A", "description": "B"}
    assert sorted(document["awards"], key=lambda award: str(award["id"])) == [
        {"id": "1", "title": "A"},
        {"id": "2", "title": "B"},
    ]


def test_who_may_not_give_a_field_or_name_an_entry_gives_nothing() -> None:
    assert united([(ANNOUNCED, {"bids": {"details": [{"id": "1"}]}, "contracts": [{"id": "1"}]})]) == {}
    assert united([("SIMDA-SP2D", {"title": "A", "tender": {"title": "A"}})])["title"] == "A"


def test_what_is_absent_stands_in_nobodys_way() -> None:
    absent: Object = {"title": None, "description": "", "value": {"amount": None}, "submissionMethod": [], "items": []}
    known = {"title": "A", "description": "B", "value": {"amount": 0}, "submissionMethod": ["written"]}
    assert united([(ANNOUNCED, {"tender": absent}), (PLANNED, {"tender": known})])["tender"] == known
    assert united([(ANNOUNCED, {"tender": {"hasEnquiries": False, "numberOfTenderers": 0}})]) == {
        "tender": {"hasEnquiries": False}
    }


def test_an_award_that_only_the_contract_names_exists() -> None:
    contract = {"id": "c", "awardID": "a"}
    document = united([("SPSE-TenderEkontrak-2Kontrak", {"awards": [{"id": "a"}], "contracts": [contract]})])
    assert document == {"awards": [{"id": "a"}], "contracts": [contract]}


def test_one_service_gives_a_list_whole_for_each_holder() -> None:
    def paid(contract: str, *transactions: str) -> Object:
        entries = [{"id": entry} for entry in transactions]
        return {"id": contract, "implementation": {"transactions": entries}}

    document = united(
        [
            ("SPSE-PencatatanNonTenderRealisasi", {"contracts": [paid("1", "r1", "r2"), paid("2", "r3")]}),
            ("SIMDA-SP2D", {"contracts": [paid("1", "s1")]}),
        ]
    )
    assert document["contracts"] == [paid("1", "s1"), paid("2", "r3")]


def test_the_first_partial_document_of_a_service_leads() -> None:
    partials: list[tuple[str, Object]] = [
        (ANNOUNCED, {"tender": {"id": "1", "title": "A"}}),
        # What it alone gives is left out whole: an empty object would be in no release and in no compiled record.
        (ANNOUNCED, {"tender": {"id": "2", "title": "B", "location": {"description": "B"}}}),
    ]
    assert united(partials) == {"tender": {"id": "1", "title": "A"}}


def test_entries_of_every_partial_document_exist() -> None:
    partials = [(WON, {"awards": [{"id": code, "title": code}]}) for code in "12"]
    assert united(partials) == {"awards": [{"id": "1", "title": "1"}, {"id": "2", "title": "2"}]}


def test_planned_periods_are_dropped_once_an_attempt_is_there() -> None:
    assert state(PLAN).document["tender"]["tenderPeriod"] == {
        "startDate": "2025-02-01T00:00:00+07:00",
        "endDate": "2025-02-28T23:59:59+07:00",
    }
    assert "tenderPeriod" not in state(PLAN, TENDERED).document["tender"]


def test_an_attempt_without_a_status_has_none_of_its_plan() -> None:
    planned = (PLANNED, {"tender": {"id": "rup-1", "status": "planned", "statusDetails": "Terumumkan"}})
    assert united([planned])["tender"]["status"] == "planned"
    assert united([(ANNOUNCED, {"tender": {"id": "tender-1"}}), planned]) == {"tender": {"id": "tender-1"}}


def test_a_period_of_the_attempt_stays_though_it_is_that_of_the_plan() -> None:
    period = {"startDate": "2025-02-01T00:00:00+07:00"}
    partials: list[tuple[str, Object]] = [
        (ANNOUNCED, {"tender": {"id": "tender-1"}}),
        ("SPSE-JadwalTahapanTender", {"tender": {"id": "tender-1", "tenderPeriod": period}}),
        (PLANNED, {"tender": {"id": "rup-1", "tenderPeriod": period}}),
    ]
    assert united(partials) == {"tender": {"id": "tender-1", "tenderPeriod": period}}


# --- the process as a whole ------------------------------------------------------------------------------------------


def test_no_row_is_no_state() -> None:
    result = state()
    assert (result.document, result.announced) == ({}, False)


def test_what_nobody_announces_is_withdrawn() -> None:
    assert state(TENDERED).announced
    location = row("RUP-PaketPenyediaLokasi", {**OFFICE, "kd_rup": 90000001, "detail_lokasi": "Desa Contoh"})
    assert state(location).document["tender"]["status"] == "withdrawn"
    assert state(location, PLAN).document["tender"]["status"] == "planned"


def test_the_buyer_is_who_a_row_names_and_else_the_regency() -> None:
    payment = {"kd_swakelola_pct": 5, "jenis_realisasi": "Kwitansi", "nilai_realisasi": 1}
    name = "SPSE-PencatatanSwakelolaRealisasi"
    assert state(row(name, payment)).document["buyer"]["id"] == "JEJAK-KLPD-D999"
    [party] = state(row(name, {**payment, **OFFICE})).document["parties"]
    assert party["name"] == "DINAS CONTOH"
    assert "buyer" in party["roles"]


def test_parties_are_those_referred_to_with_the_roles_of_it() -> None:
    document = state(PLAN, TENDERED, AWARDED).document
    roles = {party["id"]: party["roles"] for party in document["parties"]}
    assert roles.keys() == references(document)
    assert roles["JEJAK-PENYEDIA-71"] == ["supplier"]
    [office] = roles.keys() - {"JEJAK-PENYEDIA-71"}
    assert roles[office] == ["buyer", "procuringEntity"]


def test_a_related_process_has_one_entry() -> None:
    retried, whole = "ocds-213czf-rup-2", "ocds-213czf-swk-1"
    relations = (("planning", retried), ("unsuccessfulProcess", retried), ("parent", whole))
    assert state(TENDERED, relations=relations).document["relatedProcesses"] == [
        {
            "id": ocid,
            "relationship": relationship,
            "scheme": "ocid",
            "identifier": ocid,
        }
        for ocid, relationship in (
            (retried, ["planning", "unsuccessfulProcess"]),
            (whole, ["parent"]),
        )
    ]


def test_without_a_row_its_words_are_gone() -> None:
    process = Process(OCID, (PLAN, TENDERED))
    assert without_rows(process, [TENDERED]).rows == [PLAN]


def test_unknown_codes_are_signalled_never_guessed() -> None:
    result = state(row(ANNOUNCED, TENDER | {"mtd_pemilihan": "Cara Baru"}))
    assert result.signals == {("lpse", ANNOUNCED, "mtd_pemilihan", "Cara Baru")}
    assert "procurementMethod" not in result.document["tender"]


# --- order -----------------------------------------------------------------------------------------------------------


def golden_rows(case: Path) -> list[Row]:
    return [
        row(name, fields, f"#{position}")
        for name, rows in json.loads(case.read_text(encoding="utf-8")).items()
        for position, fields in enumerate(rows)
    ]


CASES = {path.parent.name: golden_rows(path) for path in (Path(__file__).parent / "golden").glob("*/rows.json")}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(case: str, seed: int) -> None:
    chance = random.Random(seed)
    rows = [each for each in CASES[case] if chance.random() < 0.9]
    one, other = state(*rows), state(*chance.sample(rows, len(rows)))
    assert one.document == other.document
    assert list(one.document) == list(other.document)
    assert (one.announced, one.signals, one.supplier_lookups, one.due) == (
        other.announced,
        other.signals,
        other.supplier_lookups,
        other.due,
    )
