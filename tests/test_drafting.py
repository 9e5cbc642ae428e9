"""A proposal for the columns of sheets that nobody has mapped: most of it is right, and no wrong guess is unmarked."""

import random
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import schemas.simpen
from connectors import draft
from pipeline.registry import SOURCES
from schemas.service import Service
from tests.worlds import jejak

JOBS, REPORTS, _ = schemas.simpen.SERVICES
# Headings of systems like SIMPEN (the progress reports of public works), the field of ours that each is, and a value.
SHEETS: dict[str, tuple[Service, list[tuple[str, str | None, str]]]] = {
    "reports": (
        REPORTS,
        [("uuid", None, "7f3a-11"), ("pekerjaan_id", "pekerjaan_id", "12"),
         ("nomor_pelaksanaan", "nomor_pelaksanaan", "3"), ("tanggal_pelaksanaan", "tanggal_pelaksanaan", "2025-05-03"),
         ("rencana_fisik", "rencana_fisik", "40,5"), ("realisasi_fisik", "realisasi_fisik", "38"),
         ("deviasi_fisik", "deviasi_fisik", "-2,5"), ("rencana_keuangan", "rencana_keuangan", "30"),
         ("realisasi_keuangan", "realisasi_keuangan", "25"), ("deviasi_keuangan", "deviasi_keuangan", "-5"),
         ("permasalahan", "permasalahan", "hujan"), ("tindakan", "tindakan", "lembur")],
    ),
    "physical progress": (
        REPORTS,
        [("kegiatan_id", "pekerjaan_id", "12"), ("tanggal_rencana", None, "2025-05-01"),
         ("rencana_fisik", "rencana_fisik", "40"), ("tanggal_realisasi", "tanggal_pelaksanaan", "2025-05-03"),
         ("realisasi_fisik", "realisasi_fisik", "38"), ("deviasi_fisik", "deviasi_fisik", "-2")],
    ),
    "contracts": (
        JOBS,
        [("pekerjaan_id", "pekerjaan_id", "12"), ("pagu", None, "Rp 900.000.000"),
         ("nilai_kontrak", "nilai_kontrak", "Rp 850.000.000,00"), ("panjang_jalan", None, "1,2"),
         ("panjang_jembatan", None, "0"), ("tanggal_kontrak_awal", "tanggal_kontrak", "15 Januari 2025"),
         ("tanggal_adendum_kontrak", "tanggal_adendum", "1 Juni 2025"), ("tanggal_pho", "tgl_pho", "1 Juli 2025"),
         ("tanggal_fho", "tgl_fho", "1 Desember 2025"), ("data_teknis", None, "lapen")],
    ),
    "goods and services": (
        JOBS,
        [("nomor_spmk", "nomor_spmk", "600/1/SPMK"), ("tgl_spmk", "tgl_spmk", "20/01/2025"),
         ("nomor_bast", None, "600/9/BAST"), ("tgl_bast", None, "01/07/2025"), ("nilai_bast", None, "850000000"),
         ("tgl_pho", "tgl_pho", "01/07/2025"), ("tgl_fho", "tgl_fho", "01/12/2025"), ("nomor_sp2d", None, "900/1"),
         ("tgl_sp2d", None, "02/07/2025"), ("nilai_sp2d", None, "850000000"), ("status", "status", "selesai")],
    ),
    "the head of a contract": (
        JOBS,
        [("nomorKontrak", "nomor_kontrak", "600/1/KTR"), ("TglKontrak", "tanggal_kontrak", "2025-01-15"),
         ("tglakhir", "tanggal_selesai", "2025-06-30"), ("NomorPHO", "nomor_pho", "600/2"),
         ("tglPHO", "tgl_pho", "2025-07-01"), ("NomorFHO", "nomor_fho", "600/3"), ("tglFHO", "tgl_fho", "2025-12-01"),
         ("nilaiKontrak", "nilai_kontrak", "850000000"), ("kdpaket", "pekerjaan_id", "12"),
         ("kode_rup", "kode_rup", "59000001")],
    ),
}  # fmt: skip


def respelt(heading: str, chance: random.Random) -> str:
    """A heading as another office would write it: words apart, abbreviated, in capitals, with a slip or a unit."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading).lower().split("_")
    short = {"tanggal": "Tgl.", "nomor": "No.", "realisasi": "realisasi", "adendum": "addendum"}
    words = [short.get(word, word) if chance.random() < 0.5 else {"tgl": "tanggal"}.get(word, word) for word in words]
    long = [number for number, word in enumerate(words) if len(word) > 7]
    if long and chance.random() < 0.3:
        number = chance.choice(long)
        at = chance.randrange(2, len(words[number]) - 2)
        words[number] = words[number][:at] + words[number][at + 1 :]
    text = chance.choice((" ", "_", " ")).join(words)
    text = chance.choice((str.upper, str.title, str.capitalize, str))(text)
    if "nilai" in heading.lower() and chance.random() < 0.5:
        text += " (Rp)"
    if "fisik" in heading and chance.random() < 0.5:
        text += " (%)"
    return text


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("sheet", SHEETS)
def test_most_fields_are_found_and_no_wrong_one_is_unmarked(sheet: str, seed: int) -> None:
    service, columns = SHEETS[sheet]
    chance = random.Random(f"{sheet} {seed}")
    written = [(respelt(heading, chance), field, value) for heading, field, value in columns]
    chance.shuffle(written)
    rows: list[dict[str, object]] = [{heading: value for heading, _, value in written}] * 3
    found = {guess.column: guess for guess in draft(service, rows)}
    due = [(heading, field) for heading, field, _ in written if field and (heading in found or heading != field)]
    right = [heading for heading, field in due if heading in found and found[heading].field == field]
    assert len(right) >= 0.8 * len(due), {heading: found.get(heading) for heading, _ in due if heading not in right}
    wrong = [found[heading] for heading, field, _ in written if heading in found and found[heading].field != field]
    assert not [guess for guess in wrong if guess.sure]


def test_values_speak_against_a_heading() -> None:
    rows: list[dict[str, object]] = [{"Tgl Kontrak": "600/1/KTR", "Nilai Kontrak": "lunas"}] * 3
    assert [(guess.field, guess.sure) for guess in draft(JOBS, rows)] == [(None, False)] * 2


@pytest.mark.parametrize("heading", ["Tgl Mulai", "Tanggal Mulai Pekerjaan", "Awal Kontrak"])
def test_a_beginning_is_no_end(heading: str) -> None:
    service = SOURCES["simpen"].services["SIMPEN-Pekerjaan"]
    [guess] = draft(service, [{heading: "2025-02-01"}])
    assert "tanggal_selesai" not in (guess.field, guess.other)


@pytest.mark.parametrize("heading", ["OPD", "SKPD", "Satuan Kerja", "Nama Perangkat Daerah", "Kode OPD"])
def test_an_office_is_found_by_any_of_its_names(heading: str) -> None:
    [guess] = draft(JOBS, [{heading: "1.03.0.00.0.00.03.0000" if "Kode" in heading else "Dinas Contoh"}])
    assert guess.field == ("kd_satker" if "Kode" in heading else "nama_satker")


def test_two_columns_for_one_field_are_marked() -> None:
    rows: list[dict[str, object]] = [{"Nilai Kontrak": 5, "Harga Kontrak (Rp)": 6, "pekerjaan_id": 1}]
    found = draft(JOBS, rows)
    assert [guess.column for guess in found] == ["Nilai Kontrak", "Harga Kontrak (Rp)"]
    assert not any(guess.sure for guess in found)


BASE = """name = "Kabupaten Contoh"
ocid_prefix = "ocds-000000"
kd_klpd = "D999"
kd_lpse = "999"
fiscal_years = [2025]
[sources.simpen]
transport = "files"
folder = "{folder}"
"""


def test_a_draft_is_pasted_and_the_source_is_well(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"Kode Paket": ["1", "2"], "No. Kontrak": ["a", "b"], "Nilai (Rp)": ["Rp 1.000", "Rp 2.000"], "Warna": "x"}
    )
    table.to_excel(tmp_path / "rekap.xlsx", index=False)
    service = '[sources.simpen.services."SIMPEN-Pekerjaan"]\nfile = "rekap.xlsx"\n'
    path = tmp_path / "settings.toml"
    path.write_text(BASE.format(folder=tmp_path) + service)
    assert jejak("check", "simpen", "--service", "SIMPEN-Pekerjaan", "--settings", path).status == 1
    result = jejak("check", "simpen", "--draft", "--service", "SIMPEN-Pekerjaan", "--settings", path)
    assert result.status == 0, result.err
    own = tomllib.loads(result.out)["sources"]["simpen"]["services"]["SIMPEN-Pekerjaan"]
    assert own["file"] == "rekap.xlsx"
    assert {"pekerjaan_id": "Kode Paket", "nomor_kontrak": "No. Kontrak"}.items() <= own["columns"].items()
    assert '"Warna",  # ? like no field of ours' in result.out
    assert "# Fields without a column here: " in result.out
    path.write_text(BASE.format(folder=tmp_path) + result.out)
    checked = jejak("check", "simpen", "--service", "SIMPEN-Pekerjaan", "--settings", path)
    assert checked.status == 0, checked.out + checked.err
    # What is drafted again is the same: what the settings map now does not count.
    again = jejak("check", "simpen", "--draft", "--service", "SIMPEN-Pekerjaan", "--settings", path)
    assert again.out == result.out


def test_no_draft_of_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(BASE.format(folder=tmp_path))
    result = jejak("check", "simpen", "--draft", "--settings", path)
    assert (result.status, result.out) == (1, "")
    assert "name the file (or endpoint) of a service in the settings" in result.err
    result = jejak("check", "simpen", "--draft", "--service", "SIMPEN-Pekerjaan", "--settings", path)
    assert result.status == 1
    assert "# SIMPEN-Pekerjaan: no such list for 2025" in result.out
