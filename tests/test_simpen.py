"""SIMPEN: other applications' sheets, percentages and slots, and what becomes of jobs, reports and photos."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import connectors.simpen
import schemas.simpen
import transforms.simpen
from schemas.service import Service
from schemas.settings import Settings
from tests.answering import Answer, answering
from tests.states import row, state
from tests.states import rows as made
from transforms.mapping import Row
from transforms.parties import supplier_keys
from transforms.rows import identify
from transforms.state import State
from warehouse.star import star_rows

PEKERJAAN, PROGRES, DOKUMENTASI = schemas.simpen.SERVICES

JOB: dict[str, Any] = {
    "pekerjaan_id": 31,
    "tahun": 2025,
    "kode_rup": "90000002;90000001",
    "nama_pekerjaan": "Peningkatan Jalan Contoh",
    "kd_satker": "1.03.0.00.0.00.02.0000",
    "nama_satker": "Dinas Contoh Kab. Reka",
    "nomor_kontrak": "602 / 12 / KPA / 2025",
    "tanggal_kontrak": "14 Maret 2025",
    "nilai_kontrak": "Rp 1.500.000.000,00",
    "nama_penyedia": "CV. Contoh Jaya",
    "npwp_penyedia": "01.234.567.8-999.000",
    "nomor_spmk": "602/13/SPMK",
    "tgl_spmk": "17/03/2025",
    "tgl_mc0": "2025-03-20 00:00:00",
    "nomor_pho": "602/90/PHO",
    "tgl_pho": "2025-09-10",
    "nomor_fho": None,
    "tgl_fho": "",
    "kecamatan": "Angan",
    "desa": "Sukareka",
    "latitude": "-7,15",
    "longitude": "111,88",
    "nilai_adendum": "1.600.000.000",
    "tanggal_adendum": "2025-06-01",
    "status": "PHO",
}
REPORT: dict[str, Any] = {
    "pekerjaan_id": 31,
    "tanggal_pelaksanaan": "06/04/2025",
    "nomor_pelaksanaan": 3,
    "tahun": 2025,
    "rencana_fisik": "12,50",
    "realisasi_fisik": "10.25 %",
    "deviasi_fisik": "-2,25",
    "rencana_keuangan": "10%",
    "realisasi_keuangan": 10,
    "deviasi_keuangan": None,
    "permasalahan": "Hujan; hubungi 081234567890",
    "tindakan": "Lembur",
}
TENDER = "90000001000"
LINKS = {("pekerjaan", "31"): (("tender", TENDER),)}
AGREED = [
    {"kd_tender": TENDER, "no_kontrak": "602/12/KPA/2025", "no_sppbj": "1", "kd_penyedia": 71, "nama_penyedia": "CV A"},
    {"kd_tender": TENDER, "no_kontrak": "602/99/KPA/2025", "no_sppbj": "2", "kd_penyedia": 72, "nama_penyedia": "CV B"},
]


def of(service: Service, *fields: dict[str, Any]) -> list[Row]:
    return made(service.name, *fields)


def carried(rows: list[Row], job: dict[str, Any] = JOB, links: Any = LINKS) -> State:
    """The state of the process of the contract that job 31 carries out."""
    jobs = [] if any(each.service == PEKERJAAN.name for each in rows) else of(PEKERJAAN, {**job, **NOTHING_DONE})
    return state([*rows, *jobs, *of_contracts()], links=links)


NOTHING_DONE = {"tgl_spmk": None, "tgl_mc0": None, "tgl_pho": None, "tgl_fho": None}


def of_contracts() -> list[Row]:
    return made("SPSE-TenderEkontrak-2Kontrak", *AGREED)


def implementation(service: Service, *fields: dict[str, Any]) -> dict[str, Any]:
    """What the rows of one job give of their contract's implementation."""
    return implemented(carried(of(service, *fields)))


def implemented(found: State) -> dict[str, Any]:
    first, second = found.document["contracts"]
    assert (first["id"], first["awardID"]) == ("90000001000-602/12/KPA/2025", "90000001000-71")
    assert "implementation" not in second
    body: dict[str, Any] = first["implementation"]
    return body


# --- percentages and slots -------------------------------------------------------------------------------------------


def test_percentages_are_cleaned():
    record: Any = PROGRES.model.model_validate(REPORT)
    assert (record.rencana_fisik, record.realisasi_fisik, record.deviasi_fisik) == (12.5, 10.25, -2.25)
    assert (record.rencana_keuangan, record.realisasi_keuangan, record.deviasi_keuangan) == (10, 10, None)
    assert record.tanggal_pelaksanaan == "2025-04-06"
    # A whole number may be a true share: nothing tells it from a slot here.
    assert PROGRES.model.model_validate(REPORT | {"realisasi_fisik": "3"})


@pytest.mark.parametrize("value", [101, "-1", "4500", "hampir selesai"])
def test_what_is_no_percentage_is_rejected_with_a_reason(value):
    with pytest.raises(ValidationError, match="a percentage"):
        PROGRES.model.model_validate(REPORT | {"realisasi_fisik": value})


@pytest.mark.parametrize("slot", [1, "4", "2"])
def test_a_photos_slot_is_no_percentage(slot):
    with pytest.raises(ValidationError, match="slot of a photo") as caught:
        PROGRES.model.model_validate({"pekerjaan_id": 31, "tanggal_pelaksanaan": "2025-04-06", "persentase": slot})
    assert "map realisasi_fisik to it" in str(caught.value)
    assert PROGRES.model.model_validate(REPORT | {"persentase": slot})
    assert PROGRES.model.model_validate({"pekerjaan_id": 31, "persentase": ""})


def test_a_photos_address_is_required():
    assert DOKUMENTASI.model.model_validate({"pekerjaan_id": 1, "url": "https://contoh.example/a b.jpg"})
    for url in (None, "", "foto.jpg"):
        with pytest.raises(ValidationError, match="http or https address"):
            DOKUMENTASI.model.model_validate({"pekerjaan_id": 1, "url": url})


# --- a flat sheet ----------------------------------------------------------------------------------------------------

# LaporanPBJ (sources.md, section 5): contract and progress in one row, no number of the job and no date of the report.
SHEET = (
    "kode_rup;kontrak_nomor;kontrak_nilai;realisasi_keuangan;fisik_rencana;fisik_realisasi;deviasi_fisik;nomor_sp2d;tgl_sp2d\n"
    "90000001;602/12/KPA/2025;1.500.000.000;30,00;45,5;40,25;-5,25;1/SP2D;2025-05-01\n"
    "90000001;602/12/KPA/2025;1.500.000.000;30,00;45,5;40,25;-5,25;2/SP2D;2025-06-01\n"
)
PAID = ["nomor_sp2d", "tgl_sp2d"]
FLAT = {
    "SIMPEN-Pekerjaan": {
        "file": "laporan-pbj-{year}.csv",
        "columns": {
            "pekerjaan_id": "kontrak_nomor",
            "nomor_kontrak": "kontrak_nomor",
            "kode_rup": "kode_rup",
            "nilai_kontrak": "kontrak_nilai",
        },
        "ignore": [*PAID, "realisasi_keuangan", "fisik_rencana", "fisik_realisasi", "deviasi_fisik"],
    },
    "SIMPEN-Progres": {
        "file": "laporan-pbj-{year}.csv",
        "columns": {
            "pekerjaan_id": "kontrak_nomor",
            "rencana_fisik": "fisik_rencana",
            "realisasi_fisik": "fisik_realisasi",
            "deviasi_fisik": "deviasi_fisik",
            "realisasi_keuangan": "realisasi_keuangan",
        },
        "constants": {"tanggal_pelaksanaan": "2025-06-30", "nomor_pelaksanaan": "Juni"},
        "ignore": [*PAID, "kode_rup", "kontrak_nilai"],
    },
}


def fetched(service: Service, **source: Any) -> list[dict[str, object]]:
    settings = Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {"simpen": {"retries": 0, **source}}}
    )  # fmt: skip
    pages = connectors.simpen.fetch(service, settings, settings.sources["simpen"], "2025")
    return [found for page in pages for found in page.rows]


def test_one_flat_sheet_serves_two_services(tmp_path: Path):
    (tmp_path / "laporan-pbj-2025.csv").write_text(SHEET)
    jobs = fetched(PEKERJAAN, transport="files", folder=str(tmp_path), services=FLAT)
    reports = fetched(PROGRES, transport="files", folder=str(tmp_path), services=FLAT)
    assert fetched(DOKUMENTASI, transport="files", folder=str(tmp_path), services=FLAT) == []
    for service, found in ((PEKERJAAN, jobs), (PROGRES, reports)):
        assert all(set(service.key) <= set(fields) for fields in found)
        # One row for each payment of the contract: without the payments they are one.
        assert len({identify(service, fields).content_hash for fields in found}) == 1
        assert not service.model.model_validate(found[0]).model_extra
    (evidence,) = transforms.simpen.evidence(PEKERJAAN.name, row(PEKERJAAN.name, jobs[0]).record)
    assert evidence.subject == ("pekerjaan", "602/12/KPA/2025")
    assert (evidence.rups, evidence.numbers, evidence.amounts) == (
        (("rup", "90000001"),),
        ("602/12/KPA/2025",),
        (1_500_000_000.0,),
    )
    links = {("pekerjaan", "602/12/KPA/2025"): (("tender", TENDER),)}
    known = [*of_contracts(), row(PEKERJAAN.name, jobs[0]), row(PROGRES.name, reports[0])]
    one = state(known, links=links)
    physical, financial = implemented(one)["metrics"]
    (planned,) = one.document["contracts"][0]["agreedMetrics"]
    assert [(seen["id"], seen["measure"]) for seen in physical["observations"]] == [("2025-06-30-Juni", 40.25)]
    assert [(seen["id"], seen["measure"]) for seen in planned["observations"]] == [("2025-06-30-Juni", 45.5)]
    assert [seen["measure"] for seen in financial["observations"]] == [30]


def test_lists_over_rest():
    with answering(Answer({"data": [REPORT]})) as server:
        assert fetched(PROGRES, transport="rest", url=server.url) == [REPORT]
        fetched(PEKERJAAN, transport="rest", url=server.url)
        fetched(DOKUMENTASI, transport="rest", url=server.url)
    assert server.paths == ["/progres?tahun=2025", "/pekerjaan?tahun=2025", "/dokumentasi?tahun=2025"]


# --- what becomes of it ---------------------------------------------------------------------------------------------


def test_milestones_of_a_job():
    found = implementation(PEKERJAAN, JOB)
    assert [(m["id"], m["code"], m["type"], m["status"], m["dateMet"]) for m in found["milestones"]] == [
        ("simpen-31-spmk", "SPMK", "commencement", "met", "2025-03-17T00:00:00+07:00"),
        ("simpen-31-mc0", "MC-0", "assessment", "met", "2025-03-20T00:00:00+07:00"),
        ("simpen-31-pho", "PHO", "delivery", "met", "2025-09-10T00:00:00+07:00"),
    ]
    assert found["milestones"][2]["title"] == "PHO (serah terima pertama)"
    assert found["milestones"][2]["number"] == "602/90/PHO"
    assert (found["endDate"], found["endDateDetails"]) == ("2025-09-10T23:59:59+07:00", "Tanggal PHO")
    assert "01.234" not in json.dumps(found)


def test_progress_over_time():
    later = REPORT | {"tanggal_pelaksanaan": "13/04/2025", "nomor_pelaksanaan": 4, "realisasi_fisik": "15"}
    found = carried(of(PROGRES, later | {"deviasi_fisik": "2,5"}, REPORT))
    metrics, agreed = implemented(found)["metrics"], found.document["contracts"][0]["agreedMetrics"]
    for physical, financial in (metrics, agreed):
        assert (physical["id"], physical["title"]) == ("simpen-31-fisik", "Realisasi fisik")
        assert (financial["id"], financial["title"]) == ("simpen-31-keuangan", "Realisasi keuangan")
        assert [seen["id"] for seen in physical["observations"]] == ["2025-04-06-3", "2025-04-13-4"]
        assert [(s["measure"], "notes" in s) for s in financial["observations"]] == [(10, False)] * 2
    planned = {
        "id": "2025-04-06-3",
        "period": {"startDate": "2025-04-06T00:00:00+07:00", "endDate": "2025-04-06T23:59:59+07:00"},
        "measure": 12.5,
        "unit": {"scheme": "UNCEFACT", "id": "P1", "name": "percent"},
    }
    notes = "Permasalahan: Hujan; hubungi […]\nTindakan: Lembur"
    assert agreed[0]["observations"][0] == planned
    assert metrics[0]["observations"][0] == planned | {"measure": 10.25, "notes": notes}
    assert not found.signals


def test_a_reported_deviation_is_told_where_nothing_else_gives_it():
    """In the star it is actual less planned, whatever is reported."""
    reports = [REPORT | {"nomor_pelaksanaan": n, "deviasi_fisik": d} for n, d in ((1, None), (2, "2,25"), (3, "-2,24"))]
    alone = REPORT | {"nomor_pelaksanaan": 4, "rencana_fisik": None}
    found = carried(of(PROGRES, *reports, alone))
    told = [
        (seen["id"], seen["measure"], seen["dimensions"])
        for seen in implemented(found)["metrics"][0]["observations"]
        if seen["id"].endswith("-deviasi")
    ]
    assert told == [
        ("2025-04-06-2-deviasi", 2.25, {"kind": "deviation"}),
        ("2025-04-06-4-deviasi", -2.25, {"kind": "deviation"}),
    ]
    assert found.signals == {("simpen", "SIMPEN-Progres", "deviasi_fisik", "is not realisasi less rencana")}
    rows = star_rows({"ocid": "o", "date": "d", **found.document}, "o")["progress"]
    assert [(row["id"], row["plan"], row["actual"], row["deviation"]) for row in rows if row["kind"] == "physical"] == [
        ("2025-04-06-1", 12.5, 10.25, -2.25),
        ("2025-04-06-2", 12.5, 10.25, -2.25),
        ("2025-04-06-3", 12.5, 10.25, -2.25),
        ("2025-04-06-4", None, 10.25, -2.25),
    ]


def test_a_report_without_physical_progress_or_a_date_is_still_told():
    report = {"pekerjaan_id": 31, "realisasi_keuangan": "0", "permasalahan": "Belum mulai"}
    (financial,) = implementation(PROGRES, report)["metrics"]
    (seen,) = financial["observations"]
    assert (seen["measure"], seen["notes"]) == (0, "Permasalahan: Belum mulai")
    assert "period" not in seen


def test_two_reports_of_one_day_and_number_are_one():
    physical = implementation(PROGRES, REPORT, REPORT | {"realisasi_fisik": "11"})["metrics"][0]
    assert [s["measure"] for s in physical["observations"]] == [10.25]


def test_photos_and_documents():
    photo = {"pekerjaan_id": 31, "url": "https://contoh.example/foto/0 %.JPG", "judul": "Foto 0 %", "jenis": "Foto",
             "tanggal": "2025-04-06", "keterangan": "Sebelum", "tahun": 2025}  # fmt: skip
    report = {"pekerjaan_id": 31, "url": "https://contoh.example/laporan?id=7", "jenis": "dokumen"}
    private = {"pekerjaan_id": 31, "url": "https://contoh.example/1234567890123456.jpg", "jenis": "denah"}
    later = row(DOKUMENTASI.name, photo | {"tahun": 2026}, scope="2026")
    within = carried([*of(DOKUMENTASI, photo, report, private), later])
    found = within.document["contracts"][0]["implementation"]["documents"]
    # By year and address; one may hold somebody's number and is kept back.
    typed, whole = ({name: paper[name] for name in paper if name != "id"} for paper in found)
    assert whole == {
        "documentType": "illustration",
        "title": "Foto 0 %",
        "description": "Sebelum",
        "url": "https://contoh.example/foto/0%20%25.JPG",
        "datePublished": "2025-04-06T00:00:00+07:00",
        "format": "image/jpeg",
        "language": "id",
    }
    assert typed == {
        "documentType": "physicalProgressReport",
        "url": "https://contoh.example/laporan?id=7",
        "language": "id",
    }
    assert len({paper["id"] for paper in found}) == 2
    assert all(paper["id"].startswith("simpen-31-") for paper in found)
    assert within.signals == {("simpen", "SIMPEN-Dokumentasi", "jenis", "denah")}


def test_a_job_without_its_contract_gives_nothing():
    for service, fields in ((PEKERJAAN, JOB), (PROGRES, REPORT)):
        unlinked = carried(of(service, fields), links={}).document
        assert not any("implementation" in contract for contract in unlinked["contracts"])
        assert state(of(service, fields), links=LINKS).document == {}
    assert not any("implementation" in c for c in carried(of(PEKERJAAN, {"pekerjaan_id": 31})).document["contracts"])


def test_of_several_contracts_the_one_that_bears_the_jobs_number_is_meant():
    found = carried(of(PROGRES, REPORT), JOB | {"nomor_kontrak": "602/99/KPA/2025"}).document
    assert ["implementation" in contract for contract in found["contracts"]] == [False, True]


def test_of_two_years_lists_the_later_counts():
    later = row(PEKERJAAN.name, JOB | {"tahun": 2026, "tgl_pho": "2026-01-05"}, scope="2026")
    found = implemented(carried([later, *of(PEKERJAAN, JOB)]))
    assert found["endDate"] == "2026-01-05T23:59:59+07:00"


def test_what_a_job_tells_of_where_it_belongs():
    (found,) = transforms.simpen.evidence(PEKERJAAN.name, row(PEKERJAAN.name, JOB).record)
    assert (found.subject, found.year) == (("pekerjaan", "31"), 2025)
    assert (found.office, found.office_name) == ("1.03.0.00.0.00.02.0000", "Dinas Contoh Kab. Reka")
    assert found.rups == (("rup", "90000001"), ("rup", "90000002"))
    assert (found.numbers, found.suppliers) == (("602 / 12 / KPA / 2025",), ("CV. Contoh Jaya",))
    assert found.taxes == tuple(key for _, key in supplier_keys(None, ["012345678999000"]))
    assert found.amounts == (1_500_000_000.0, 1_600_000_000.0)
    assert found.dates == ("2025-03-14", "2025-03-17")
    assert (found.villages, found.districts, found.points) == (("Sukareka",), ("Angan",), ((-7.15, 111.88),))
    (least,) = transforms.simpen.evidence(PEKERJAAN.name, row(PEKERJAAN.name, {"pekerjaan_id": "7.0"}).record)
    assert least.subject == ("pekerjaan", "7")
    assert list(transforms.simpen.evidence(PROGRES.name, row(PROGRES.name, REPORT).record)) == []
