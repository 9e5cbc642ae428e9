"""Histories of rows and the releases that they become: dates, owners, what is taken back, what stays the same."""

import copy
import itertools
from typing import Any

import pytest

from pipeline.registry import SERVICES, TELLINGS
from schemas.ocds import validate_compiled_release, validate_release
from transforms.merge import compiled
from transforms.releases import Derived, Process, Version, assemble, cells, derive

OCID = "ocds-213czf-rup-90000001"
T1, T2, T3 = "2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "2025-03-03T00:00:00Z"
OFFICE = {"kd_klpd": "D999", "kd_satker_str": "1.02.0.00.0.00.02.0000", "nama_satker": "DINAS CONTOH"}
RUP = {
    **OFFICE,
    "kd_rup": 90000001,
    "nama_paket": "Rehabilitasi Jalan",
    "pagu": 200_000_000,
    "metode_pengadaan": "Tender",
    "jenis_pengadaan": "Pekerjaan Konstruksi",
    "status_umumkan_rup": "Terumumkan",
    "tgl_pengumuman_paket": "2025-01-04 22:31:51",
    "status_aktif_rup": True,
    "status_delete_rup": False,
}
TENDER = {
    **OFFICE,
    "kd_tender": 90000001000,
    "kd_rup": "90000001",
    "nama_paket": "Rehabilitasi Jalan Desa",
    "pagu": 200_000_000,
    "hps": 199_000_000.5,
    "jenis_pengadaan": "Pekerjaan Konstruksi",
    "mtd_pemilihan": "Tender",
    "status_tender": "Berlangsung",
    "tgl_pengumuman_tender": "2025-02-01 10:00:00",
}
WINNER = {
    "kd_klpd": "D999",
    "kd_tender": 90000001000,
    "kd_rup_paket": "90000001",
    "kd_penyedia": 71,
    "nama_penyedia": "CV. PERTAMA",
    "nilai_negosiasi": 190_000_000,
    "tgl_penetapan_pemenang": "2025-02-20",
}
ids = itertools.count(1)


def row(service: str, observed_at: str, fields: dict[str, Any] | None, key: str = "k") -> Version:
    """A version of a row; None is its tombstone."""
    source, known = SERVICES[service]
    record = known.model.model_validate(fields) if fields is not None else None
    code = str(fields[known.key[0]]) if fields is not None else "90000001000"
    return Version(next(ids), source, service, "2025", key, code, observed_at, fields is None, record)


def derived(*versions: Version, **more: Any) -> Derived:
    result = derive(Process(OCID, versions, **more), TELLINGS, "+07:00", "D999")
    for *_, release in result.releases:
        validate_release(release)
    if result.releases:
        validate_compiled_release(merged(result))
    return result


def merged(result: Derived) -> dict[str, Any]:
    return compiled([release for *_, release in result.releases])


PLAN = row("RUP-PaketPenyedia-Terumumkan", T1, RUP)
ANNOUNCED = row("SPSE-TenderPengumuman", T1, TENDER)
WON = row("SPSE-TenderSelesaiNilai", T1, WINNER)


def test_deriving_again_gives_the_same() -> None:
    one, two = derived(PLAN, ANNOUNCED, WON), derived(WON, ANNOUNCED, PLAN)
    assert [r[3] for r in one.releases] == [r[3] for r in two.releases]
    assert len({r[3]["id"] for r in one.releases}) == 3


def test_dates_are_the_sources_own_in_utc() -> None:
    by_service = {r[2]: r[3] for r in derived(PLAN, ANNOUNCED, WON).releases}
    assert by_service["RUP-PaketPenyedia-Terumumkan"]["date"] == "2025-01-04T15:31:51Z"
    assert by_service["SPSE-TenderPengumuman"]["date"] == "2025-02-01T03:00:00Z"
    assert by_service["SPSE-TenderSelesaiNilai"]["date"] == "2025-02-19T17:00:00Z"
    assert by_service["SPSE-TenderSelesaiNilai"]["awards"][0]["date"] == "2025-02-20T00:00:00+07:00"


def test_an_event_in_the_future_is_dated_when_it_was_seen() -> None:
    future = row("SPSE-TenderPengumuman", T1, TENDER | {"tgl_pengumuman_tender": "2025-06-01 10:00:00"})
    assert derived(future).releases[0][3]["date"] == T1


def test_a_plan_alone_is_a_whole_process() -> None:
    result = derived(PLAN)
    record = merged(result)
    assert result.releases[0][3]["tag"] == ["planning"]
    assert record["planning"]["budget"]["amount"] == {"amount": 200_000_000, "currency": "IDR"}
    assert record["tender"]["status"] == "planned"
    assert record["tender"]["procurementMethod"] == "open"
    assert record["parties"][0]["roles"] == ["buyer", "procuringEntity"]


def test_the_tenders_words_outlive_a_late_revision_of_the_plan() -> None:
    late = row("RUP-PaketPenyedia-Terumumkan", T2, RUP | {"nama_paket": "Judul RUP baru", "pagu": 210_000_000})
    record = merged(derived(PLAN, ANNOUNCED, late))
    assert record["tender"]["title"] == "Rehabilitasi Jalan Desa"
    assert record["title"] == "Judul RUP baru"
    assert record["planning"]["budget"]["amount"]["amount"] == 210_000_000


def test_an_owner_who_speaks_late_overrides_who_stood_in() -> None:
    revised = row("RUP-PaketPenyedia-Terumumkan", T2, RUP | {"tgl_pengumuman_paket": "2025-03-01 20:00:00", "pagu": 1})
    announced = row("SPSE-TenderPengumuman", T3, TENDER)
    result = derived(PLAN, revised, announced)
    # Its own event is older than the stand-in's words, so it is dated when it was seen.
    assert result.releases[-1][3]["date"] == T3
    assert merged(result)["tender"]["title"] == "Rehabilitasi Jalan Desa"
    assert merged(result)["tender"]["id"] == "90000001000"


def test_nothing_new_is_no_release() -> None:
    again = row("SPSE-TenderPengumuman", T2, TENDER | {"kualifikasi_paket": None})
    assert len(derived(ANNOUNCED, again).releases) == 1


def test_a_change_is_the_next_release_and_an_update() -> None:
    done = row("SPSE-TenderPengumuman", T2, TENDER | {"status_tender": "Selesai"})
    result = derived(ANNOUNCED, done)
    assert [r[3]["tag"] for r in result.releases] == [["tender"], ["tenderUpdate"]]
    assert [r[3]["date"] for r in result.releases] == ["2025-02-01T03:00:00Z", T2]
    assert merged(result)["tender"]["status"] == "complete"


def test_a_field_that_is_said_no_more_is_taken_back() -> None:
    less = row("SPSE-TenderPengumuman", T2, TENDER | {"hps": None, "mtd_pemilihan": None})
    record = merged(derived(ANNOUNCED, less))
    # Merging keeps an object whose fields were all deleted.
    assert record["tender"]["value"] == {}
    assert "procurementMethod" not in record["tender"]
    assert record["tender"]["title"] == "Rehabilitasi Jalan Desa"


def test_a_replaced_winner_comes_back_cancelled() -> None:
    other = row("SPSE-TenderSelesaiNilai", T2, WINNER | {"kd_penyedia": 72, "nama_penyedia": "CV. KEDUA"})
    result = derived(ANNOUNCED, WON, other)
    awards = {award["id"]: award for award in merged(result)["awards"]}
    assert awards["90000001000-71"]["status"] == "cancelled"
    assert awards["90000001000-71"]["value"]["amount"] == 190_000_000
    assert awards["90000001000-72"]["status"] == "active"
    assert "awardCancellation" in result.releases[-1][3]["tag"]


def test_a_winner_who_comes_back_is_active_again() -> None:
    other = row("SPSE-TenderSelesaiNilai", T2, WINNER | {"kd_penyedia": 72, "nama_penyedia": "CV. KEDUA"})
    back = row("SPSE-TenderSelesaiNilai", T3, WINNER)
    awards = {award["id"]: award["status"] for award in merged(derived(ANNOUNCED, WON, other, back))["awards"]}
    assert awards == {"90000001000-71": "active", "90000001000-72": "cancelled"}


def test_a_vanished_award_is_cancelled_and_a_vanished_tender_withdrawn() -> None:
    result = derived(PLAN, ANNOUNCED, WON, row("SPSE-TenderSelesaiNilai", T2, None))
    assert [a["status"] for a in merged(result)["awards"]] == ["cancelled"]
    result = derived(ANNOUNCED, row("SPSE-TenderPengumuman", T2, None))
    assert merged(result)["tender"]["status"] == "withdrawn"
    assert merged(result)["tender"]["title"] == "Rehabilitasi Jalan Desa"


def test_a_vanished_plan_stays_planned_but_its_tender_is_withdrawn() -> None:
    gone = row("RUP-PaketPenyedia-Terumumkan", T2, None)
    record = merged(derived(PLAN, gone))
    assert record["planning"]["budget"]["amount"]["amount"] == 200_000_000
    assert record["tender"]["status"] == "withdrawn"


def test_a_withdrawn_bid() -> None:
    bids = [
        row(
            "SPSE-PesertaTender",
            T1,
            {
                "kd_tender": 90000001000,
                "kd_peserta": n,
                "kd_penyedia": 70 + n,
                "nama_penyedia": f"CV. NOMOR {n}",
                "nilai_penawaran": value,
            },
            key=str(n),
        )
        for n, value in ((1, 190_000_000), (2, 191_000_000), (3, None))
    ]
    record = merged(derived(ANNOUNCED, *bids))
    assert record["tender"]["numberOfTenderers"] == 2  # who only registered is no tenderer
    assert {s["measure"]: s["value"] for s in record["bids"]["statistics"]} == {"requests": 3, "bids": 2}
    gone = row("SPSE-PesertaTender", T2, None, key="2")
    record = merged(derived(ANNOUNCED, *bids, gone))
    assert {bid["id"]: bid.get("status") for bid in record["bids"]["details"]} == {"1": None, "2": "withdrawn"}


def test_roles_add_up_along_the_process() -> None:
    bid = {
        "kd_tender": 90000001000,
        "kd_peserta": 1,
        "kd_penyedia": 71,
        "nama_penyedia": "CV. PERTAMA",
        "nilai_penawaran": 9,
    }
    result = derived(ANNOUNCED, row("SPSE-PesertaTender", T1, bid), row("SPSE-TenderSelesaiNilai", T2, WINNER))
    roles = {party["id"]: party["roles"] for party in merged(result)["parties"]}
    assert roles["ID-LKPP-PENYEDIA-71"] == ["supplier", "tenderer"]


def test_zero_is_a_value_where_the_source_means_it() -> None:
    payment = {
        "kd_nontender_pct": 5,
        "jenis_realisasi": "Kwitansi",
        "no_realisasi": "1",
        "tgl_realisasi": "2025-02-01",
        "nilai_realisasi": 0,
        "nama_penyedia": "CV. PERTAMA",
    }
    record = merged(derived(row("SPSE-PencatatanNonTenderRealisasi", T1, payment)))
    assert record["contracts"][0]["implementation"]["transactions"][0]["value"]["amount"] == 0
    assert "value" not in merged(derived(row("SPSE-TenderPengumuman", T1, TENDER | {"hps": 0})))["tender"]


def test_a_payment_repeated_per_rup_counts_once() -> None:
    payment = {
        "kd_nontender_pct": 5,
        "jenis_realisasi": "Kwitansi",
        "no_realisasi": "1",
        "tgl_realisasi": "2025-02-01",
        "nilai_realisasi": 100,
        "ket_realisasi": "Kertas",
        "nama_penyedia": "CV. PERTAMA",
    }
    rows = [
        row("SPSE-PencatatanNonTenderRealisasi", T1, payment | {"kd_rup_paket": rup}, key=rup) for rup in ("1", "2")
    ]
    transactions = merged(derived(*rows))["contracts"][0]["implementation"]["transactions"]
    assert [t["value"]["amount"] for t in transactions] == [100]


def test_unknown_codes_are_signalled_never_guessed() -> None:
    result = derived(row("SPSE-TenderPengumuman", T1, TENDER | {"mtd_pemilihan": "Cara Baru"}))
    assert result.signals == {("lpse", "SPSE-TenderPengumuman", "mtd_pemilihan", "Cara Baru")}
    tender = merged(result)["tender"]
    assert "procurementMethod" not in tender
    assert tender["procurementMethodDetails"] == "Cara Baru"


def test_an_addendum_replaces_the_value_and_is_told() -> None:
    contract = {
        "kd_tender": 90000001000,
        "no_kontrak": "602/ 1",
        "nilai_kontrak": 190_000_000,
        "versi_addendum": 0,
        "tgl_kontrak": "2025-02-25",
        "nama_penyedia": "CV. PERTAMA",
        "status_kontrak": "Kontrak Sedang Berjalan",
    }
    addendum = contract | {"versi_addendum": 1, "nilai_kontrak": 195_000_000, "alasan_addendum": "Tambah volume"}
    result = derived(
        ANNOUNCED,
        WON,
        row("SPSE-TenderEkontrak-2Kontrak", T1, contract, key="a"),
        row("SPSE-TenderEkontrak-2Kontrak", T2, addendum, key="b"),
    )
    [signed] = merged(result)["contracts"]
    assert signed["id"] == "90000001000-602/1"
    assert signed["awardID"] == "90000001000-71"  # the winner of the same name lends his code
    assert signed["value"]["amount"] == 195_000_000
    assert signed["amendments"] == [{"id": "addendum-1", "description": "Addendum 1", "rationale": "Tambah volume"}]


def test_relations_are_told() -> None:
    other = "ocds-213czf-rup-90000002"
    [related] = merged(derived(ANNOUNCED, relations=(("planning", other),)))["relatedProcesses"]
    assert (related["identifier"], related["relationship"], related["scheme"]) == (other, ["planning"], "ocid")


def test_every_row_has_a_release() -> None:
    silent = row("SPSE-TenderSelesai", T1, TENDER | {"status_tender": "Selesai"})
    result = derived(PLAN, ANNOUNCED, WON, silent)
    assert {raw_id for _, raw_id in result.lineage} >= {v.raw_id for v in (PLAN, ANNOUNCED, WON, silent)}


def test_late_rows_with_old_dates_leave_the_rest_alone() -> None:
    early = derived(ANNOUNCED, WON)
    with_plan = derived(ANNOUNCED, WON, row("RUP-PaketPenyedia-Terumumkan", T2, RUP))
    assert {r[3]["id"] for r in early.releases} - {r[3]["id"] for r in with_plan.releases} == set()
    assert merged(with_plan)["planning"]["budget"]["id"] == "90000001"


@pytest.mark.parametrize("first", [0, 1, 2])
def test_cells_and_bodies_are_inverse(first: int) -> None:
    body = derived(PLAN, ANNOUNCED, WON).releases[first][3]
    before = copy.deepcopy(body)
    assert assemble(cells(body)) == body == before


def test_every_release_has_parties_also_when_nobody_names_an_office() -> None:
    payment = {"kd_swakelola_pct": 5, "jenis_realisasi": "Kwitansi", "nilai_realisasi": 1}
    [(*_, release)] = derived(row("SPSE-PencatatanSwakelolaRealisasi", T1, payment)).releases
    assert [party["id"] for party in release["parties"]] == ["ID-LKPP-KLPD-D999"]
    last = derived(ANNOUNCED, row("SPSE-TenderPengumuman", T2, None)).releases[-1][3]
    assert [party["roles"] for party in last["parties"]] == [["buyer", "procuringEntity"]]


def test_what_was_taken_back_can_be_said_again() -> None:
    def paid(number: str, day: str) -> dict[str, Any]:
        purchase = {"kd_nontender_pct": 90000003000, "kd_rup_paket": "90000001", "jenis_realisasi": "Kwitansi"}
        supplier = {"nama_penyedia": "CV. CONTOH", "npwp_penyedia": "", "nilai_realisasi": 1_000_000}
        return {**OFFICE, **purchase, **supplier, "no_realisasi": number, "tgl_realisasi": f"2025-02-{day}T00:00:00Z"}

    name = "SPSE-PencatatanNonTenderRealisasi"
    result = derived(
        row(name, T1, paid("1/KW", "03"), "a"),
        row(name, T2, paid("2/KW", "01"), "b"),
        Version(next(ids), "lpse", name, "2025", "a", "90000003000", T2, True, None),
        # The same supplier as the first, paid earlier than the day on which that was taken back.
        row(name, T3, paid("1/KW", "03"), "a"),
    )
    amounts = [payment["value"]["amount"] for payment in transactions(merged(result))]
    assert amounts == [1_000_000, 1_000_000]


def transactions(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [payment for contract in record["contracts"] for payment in contract["implementation"]["transactions"]]
