"""What SIRUP's plans, budget lines, places and revisions become."""

from dataclasses import replace
from typing import Any

import pytest

from tests.states import document, row, rows
from transforms.mapping import Row

OFFICE = {"kd_klpd": "D999", "kd_satker_str": "1.03.0.00.0.00.03.0000", "nama_satker": "DINAS CONTOH"}
MAK = "1.03.10.2.01.0005.5.2.04.01.01.0003."


def plan(code: int, **more: Any) -> Row:
    fields = {"kd_rup": code, "nama_paket": f"Jalan {code}", "pagu": 100, "tahun_anggaran": 2025, **OFFICE}
    return row("RUP-PaketPenyedia-Terumumkan", {**fields, "metode_pengadaan": "Tender", **more})


def lines(code: int, *amounts: float, **more: Any) -> list[Row]:
    fields = {"kd_rup": code, "mak": MAK, "sumber_dana": "APBD", "tahun_anggaran_dana": 2025, **OFFICE, **more}
    return rows("RUP-PaketAnggaranPenyedia", *({**fields, "pagu": amount} for amount in amounts))


def event(kind: str, day: str, older: int, newer: int) -> Row:
    fields = {"kd_rup_lama": older, "kd_rup_baru": newer, "jenis_paket": "PENYEDIA", "jenis_revisi": kind}
    found = row("RUP-HistoryKajiUlang", {**fields, "tgl_kaji_ulang": day})
    return Row(found.service, found.scope, f"{found.key}|{kind}|{day}", found.code, found.record)


def test_the_lines_of_a_budget_sum_to_the_plan_repeats_and_corrections_included() -> None:
    first, second, third = lines(1, 150, 150, 50)
    correction = replace(third, record=third.record.model_copy(update={"pagu": -50}))
    budget = document([plan(1, pagu=250), first, second, correction])["planning"]["budget"]
    assert budget["amount"]["amount"] == 250
    [line] = budget["budgetBreakdown"]
    assert line["amount"]["amount"] == 250
    assert line["description"] == f"{MAK.rstrip('.')}. APBD".replace("..", ".")
    assert (budget["id"], budget["fund"], budget["fiscalYear"]) == ("1", "APBD", 2025)
    assert budget["projectID"] == "1.3.10.2.1.5"
    # The tender's title is no project, the sub-activity's name in the master is.
    assert "project" not in budget
    master = {("sub_activity", "2025-1.3.10.2.1.5"): "Rekonstruksi Jalan"}
    named = document([plan(1), *lines(1, 100, tahun_anggaran=2025)], suppliers=master)["planning"]["budget"]
    assert named["project"] == "Rekonstruksi Jalan"
    assert "isRepeated" not in budget


def test_a_plan_that_has_a_process_of_its_own_is_marked() -> None:
    budget = document([plan(1)], relations=(("planning", "ocds-000000-rup-1"),), rups=(("rup", "1"),))["planning"][
        "budget"
    ]
    assert budget["isRepeated"] is True


def test_places_are_items_classified_by_account() -> None:
    place = {"kd_rup": 1, "detail_lokasi": "Desa Contoh", "kab_kota": "Rekaan (Kab.)", "kd_kab_kota": 1, **OFFICE}
    account = {"scheme": "JEJAK-REKENING", "id": "5.2.04.01.01.0003"}
    known = [plan(1), *lines(1, 100), row("RUP-PaketPenyediaLokasi", place)]
    [item] = document(known)["tender"]["items"]
    assert item["id"] == "1-1"
    assert item["classification"] == account
    assert item["deliveryLocation"] == {"description": "Desa Contoh"}
    # Without places there is an item for each account.
    [item] = document(known[:2])["tender"]["items"]
    assert item == {"id": "rekening-5.2.04.01.01.0003", "classification": account}


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], "planned"),
        ([("PEMBATALAN", "2025-03-01")], "cancelled"),
        ([("PEMBATALAN", "2025-03-01"), ("PENGAKTIFAN", "2025-03-02")], "planned"),
        ([("PENGAKTIFAN", "2025-03-02"), ("PEMBATALAN", "2025-03-03")], "cancelled"),
        ([("PEMBATALAN", "2025-03-01"), ("PENGAKTIFAN", "2025-03-01")], "planned"),
    ],
)
def test_the_last_event_of_a_plan_counts(events: list[tuple[str, str]], status: str) -> None:
    for order in (events, events[::-1]):
        known = [plan(1), *(event(kind, day, 1, 1) for kind, day in order)]
        assert document(known)["tender"]["status"] == status


def test_of_a_plan_and_its_revision_only_the_revision_counts() -> None:
    known = [plan(1, pagu=100), plan(2, pagu=300), *lines(1, 100), *lines(2, 200, 100)]
    revised = document([*known, event("SATUKESATU", "2025-03-01", 1, 2)])
    assert revised["planning"]["budget"]["amount"]["amount"] == 300
    assert [line["amount"]["amount"] for line in revised["planning"]["budget"]["budgetBreakdown"]] == [300]
    assert revised["tender"]["id"] == "rup-2"
    # A split replaces nothing: its parts have processes of their own.
    both = document([*known, event("SATUKEBANYAK", "2025-03-01", 1, 2)])
    assert both["planning"]["budget"]["amount"]["amount"] == 400
    # Where two revise each other one is left.
    circle = [event("SATUKESATU", "2025-03-01", 1, 2), event("SATUKESATU", "2025-04-01", 2, 1)]
    assert document([*known, *circle])["planning"]["budget"]["amount"]["amount"] == 300


def test_of_several_plans_the_withdrawn_ones_are_not_summed() -> None:
    known = [plan(1, pagu=100), plan(2, pagu=300, status_aktif_rup=False), *lines(1, 100), *lines(2, 300)]
    budget = document(known)["planning"]["budget"]
    assert (budget["id"], budget["amount"]["amount"]) == ("1", 100)
    assert [line["amount"]["amount"] for line in budget["budgetBreakdown"]] == [100]


def test_what_a_plan_is_reserved_for() -> None:
    tender = document([plan(1, status_ukm="UKM", status_pdn="Non-PDN")])["tender"]
    assert (tender["smallEnterprisesOnly"], tender["domesticProductsOnly"]) == (True, False)
    assert "sustainabilityAspects" not in tender
    aspects = {"spp_aspek_ekonomi": True, "spp_aspek_sosial": False, "spp_aspek_lingkungan": True}
    assert document([plan(1, **aspects)])["tender"]["sustainabilityAspects"] == ["economic", "environmental"]


def test_zero_is_no_method() -> None:
    assert "procurementMethodDetails" not in document([plan(1, metode_pengadaan="0")])["tender"]
