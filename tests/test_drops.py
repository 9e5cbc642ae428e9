"""Drops as people make them: Parquet, CSV of databases and spreadsheets, workbooks as they are filled by hand."""

import datetime as dt
import json
import logging
import os
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook.workbook import Workbook

import connectors.lpse
import connectors.musrenbang
import schemas.lpse
import schemas.musrenbang
from schemas.errors import SettingsError, StructureError
from schemas.service import Page
from schemas.settings import Settings

SERVICES = {
    service.name: (source, connector, service)
    for source, connector, schema in (
        ("lpse", connectors.lpse, schemas.lpse),
        ("musrenbang", connectors.musrenbang, schemas.musrenbang),
    )
    for service in schema.SERVICES
}
TENDERS = "SPSE-TenderPengumuman"
PROPOSALS = "Musrenbang-Usulan"


def fetch(path: Path, name: str = TENDERS, **options: Any) -> list[Page]:
    """The pages of a service from a folder, by the settings of the service."""
    source, connector, service = SERVICES[name]
    settings = Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025],
         "sources": {source: {"transport": "files", "folder": str(path), "services": {name: options}}}}
    )  # fmt: skip
    return list(connector.fetch(service, settings, settings.sources[source], "2025"))


def rows(path: Path, name: str = TENDERS, **options: Any) -> list[dict[str, object]]:
    return [row for page in fetch(path, name, **options) for row in page.rows]


def unreadable(row: dict[str, object]) -> tuple[int, str]:
    """Line and text of a row that could not be read."""
    (mark,) = row.values()
    assert isinstance(mark, dict)
    assert list(row) == ["__unreadable__"]
    assert set(mark) == {"line", "reason", "text"}
    return mark["line"], mark["text"]


def csv_file(folder: Path, content: str | bytes, name: str = TENDERS) -> Path:
    (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


# --- Parquet ---------------------------------------------------------------------------------------------------------


def test_parquet_gives_plain_values(tmp_path):
    frame = pd.DataFrame(
        {"kd_tender": [10000000001, None], "nama_paket": ["Jalan", None], "hps": [1.5, float("nan")],
         "tgl_buat_paket": [pd.Timestamp("2025-01-04 22:31:51"), pd.NaT], "lengkap": [True, False],
         "isi": [[{"a": 1}], None]},
        index=[7, 9],
    )  # fmt: skip
    frame.to_parquet(tmp_path / f"{TENDERS}.parquet")
    assert rows(tmp_path) == [
        {"kd_tender": 10000000001, "nama_paket": "Jalan", "hps": 1.5, "tgl_buat_paket": "2025-01-04 22:31:51",
         "lengkap": True, "isi": [{"a": 1}]},
        {"kd_tender": None, "nama_paket": None, "hps": None, "tgl_buat_paket": None, "lengkap": False, "isi": None},
    ]  # fmt: skip
    json.dumps(rows(tmp_path))


def test_a_mirror_keeps_a_folder_a_list_and_year(tmp_path):
    for year in ("2024", "2025"):
        (tmp_path / TENDERS / year).mkdir(parents=True)
        pd.DataFrame({"kd_tender": [int(year)]}).to_parquet(tmp_path / TENDERS / year / "data.parquet")
    assert rows(tmp_path) == [{"kd_tender": 2025}]
    assert rows(tmp_path, file="*/{year}/data.parquet") == [{"kd_tender": 2025}]


# --- CSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "read"),
    [
        # As MySQL exports it.
        (
            '"kd_tender","nama_paket","pagu"\n"1","Jalan \\"Poros\\", Desa","5"\n"2","Jalan",\\N\n"3",NULL,null\n',
            [("1", 'Jalan "Poros", Desa', "5"), ("2", "Jalan", ""), ("3", None, None)],
        ),
        ("kd_tender;nama_paket;pagu\n1;(null);<NULL>\n2;None;Null\n", [("1", None, None), ("2", None, None)]),
        # A backslash that ends a text is one.
        ('kd_tender,nama_paket,pagu\n1,"D:\\",5\n2,"a\\b",6\n', [("1", "D:\\", "5"), ("2", "a\\b", "6")]),
        ('sep=;\nkd_tender;nama_paket;pagu\n1;"a;b";5\n', [("1", "a;b", "5")]),
        ('"kd_tender";"nama_paket";"pagu"\n1;a,b,c,d;5,5\n', [("1", "a,b,c,d", "5,5")]),
        ("kd_tender|nama_paket|pagu\n1|a;b|5\n", [("1", "a;b", "5")]),
        ("kd_tender\tnama_paket\tpagu\r\n1\ta\t5\r\n", [("1", "a", "5")]),
        ("DAFTAR TENDER, TAHUN 2025\n\nkd_tender;nama_paket;pagu\n(1);(2);(3)\n1;a;5\nJUMLAH;;5\n", [("1", "a", "5")]),
        ("kd_tender,nama_paket,pagu\r1,a,5\r2,b,6\r", [("1", "a", "5"), ("2", "b", "6")]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_csv_is_read_in_any_dialect(content, read, encoding, tmp_path):
    csv_file(tmp_path, content.encode(encoding))
    assert [tuple(row.values()) for row in rows(tmp_path)] == read
    assert list(rows(tmp_path)[0]) == ["kd_tender", "nama_paket", "pagu"]


def test_titles_with_delimiters_of_their_own_mislead_nobody(tmp_path):
    csv_file(tmp_path, '"a, b";"c, d";"kd, e"\n1;2;3\n')
    assert rows(tmp_path) == [{"a, b": "1", "c, d": "2", "kd, e": "3"}]


BROKEN = '2,"Jalan "Poros" Desa, rusak,6'


def test_a_broken_line_is_one_row_with_its_number(tmp_path):
    good = [f'{number},"Jalan {number}, dua\nbaris",{number}' for number in range(100)]
    content = "\n".join(["kd_tender,nama_paket,pagu", *good[:50], BROKEN, *good[50:], '9,"tak ditutup'])
    read = rows(csv_file(tmp_path, content))
    assert len(read) == 102
    assert unreadable(read[50]) == (102, BROKEN)
    assert unreadable(read[101]) == (203, '9,"tak ditutup')
    assert [row["kd_tender"] for row in read[:50] + read[51:101]] == [str(number) for number in range(100)]


def test_a_broken_line_does_not_hide_from_a_mapping(tmp_path):
    csv_file(tmp_path, f'kode,nama,pagu\n1,"a",5\n{BROKEN}\n')
    first, second = rows(tmp_path, columns={"kd_tender": "kode"}, constants={"kd_lpse": "999"})
    assert first["kd_tender"] == "1"
    assert unreadable(second) == (3, BROKEN)


def test_a_broken_line_of_json_is_one_row_too(tmp_path):
    (tmp_path / f"{TENDERS}.jsonl").write_text('{"kd_tender": 1}\n\n{"kd_te\n{"kd_tender": NaN}\n')
    first, broken, last = rows(tmp_path)
    assert (first, last) == ({"kd_tender": 1}, {"kd_tender": None})
    assert unreadable(broken) == (3, '{"kd_te')


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": "error", "message": "Token kedaluwarsa", "data": []}, '"Token kedaluwarsa"; get it again'),
        ({"success": False, "data": []}, "reports a failure .success."),
        ({"data": [{"kd_tender": 1}], "total": 15}, "15 rows by its own count and holds 1"),
        ({"data": [{"kd_tender": 1}], "meta": {"total": 15}}, "name all of them"),
    ],
)
def test_a_kept_answer_is_believed_as_little_as_a_fresh_one(answer, message, tmp_path):
    (tmp_path / f"{TENDERS}.json").write_text(json.dumps(answer))
    with pytest.raises(StructureError, match=message):
        rows(tmp_path)


def test_pages_that_were_kept_are_one_list(tmp_path):
    for page in (1, 2):
        content = {"success": True, "data": [{"kd_tender": page}], "meta": {"total": 2, "has_more": page == 1}}
        (tmp_path / f"tender-{page}.json").write_text(json.dumps(content))
    assert rows(tmp_path, file="tender-*.json") == [{"kd_tender": 1}, {"kd_tender": 2}]


def test_what_cannot_be_found_out_is_set(tmp_path):
    csv_file(tmp_path, "Rekap\nNo!Kode!Nama\n\nA!B!C\n1!2!Jalan Łódź\n".encode("cp1250"))
    options: dict[str, Any] = {"delimiter": "!", "header_row": 4, "encoding": "cp1250"}
    assert rows(tmp_path, **options) == [{"A": "1", "B": "2", "C": "Jalan Łódź"}]
    with pytest.raises(SettingsError, match="'utf-32'; set encoding"):
        rows(tmp_path, encoding="utf-32")
    with pytest.raises(SettingsError, match="set header_row"):
        rows(tmp_path, header_row=40)


# --- workbooks -------------------------------------------------------------------------------------------------------


def book(**sheets: list[Any]) -> Workbook:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, lines in sheets.items():
        sheet = workbook.create_sheet(name)
        for line in lines:
            sheet.append(line)
    return workbook


def saved(workbook: Workbook, folder: Path, name: str = TENDERS) -> Path:
    workbook.save(folder / f"{name}.xlsx")
    return folder


HEAD: list[Any] = ["kd_tender", "nama_paket", "pagu"]


def test_every_sheet_with_the_header_is_read(tmp_path, caplog):
    workbook = book(
        Petunjuk=[["Cara mengisi", "lihat lampiran"]],
        Kosong=[],
        Kota=[["REKAP TENDER"], ["Tahun 2025"], [], HEAD, ["(1)", "(2)", "(3)"], [1, "a", 5]],
        Lama=[HEAD, [9, "rahasia", 9]],
        Dander=[[*HEAD, "keterangan"], [2, "b", 6, "x"]],
        Sheet4=[HEAD],
    )
    workbook["Lama"].sheet_state = "hidden"
    read = fetch(saved(workbook, tmp_path))
    assert [(page.name, page.rows) for page in read] == [
        (f"{TENDERS}.xlsx, sheet Kota", [{"kd_tender": 1, "nama_paket": "a", "pagu": 5}]),
        (f"{TENDERS}.xlsx, sheet Dander", [{"kd_tender": 2, "nama_paket": "b", "pagu": 6, "keterangan": "x"}]),
    ]
    assert read[-1].cursor is None
    assert "hidden sheets are left out: Lama" in caplog.text
    assert rows(tmp_path, sheet="Lama") == [{"kd_tender": 9, "nama_paket": "rahasia", "pagu": 9}]


def test_an_unknown_list_is_read_from_its_first_sheet(tmp_path, caplog):
    workbook = book(Isi=[["Kode", "Uraian"], ["x", "y"]], Lain=[["Nama", "Alamat", "Telepon"], ["a", "b", "c"]])
    assert rows(saved(workbook, tmp_path)) == [{"Kode": "x", "Uraian": "y"}]
    assert "sheet Lain has another header than Isi" in caplog.text


def test_a_header_in_two_rows_and_merged_cells(tmp_path, caplog):
    workbook = book(
        Usulan=[
            ["USULAN MUSRENBANG"],
            ["No", "id_usulan", "Lokasi", None, "anggaran"],
            [None, None, "detail_camatteks", "Desa", None],
            [1, "U-1", "Kec. A", "Desa B", 5_000_000],
            [2, "U-2", None, "Desa C", None],
            [3, "U-3", "Kec. D", "Desa E", 7],
            ["JUMLAH", None, None, None, 5_000_007],
        ]
    )
    sheet = workbook["Usulan"]
    for merged in ("A1:E1", "A2:A3", "B2:B3", "C2:D2", "E2:E3", "C4:C5", "E4:E5", "A7:D7"):
        sheet.merge_cells(merged)
    read = rows(saved(workbook, tmp_path, PROPOSALS), PROPOSALS)
    assert [list(row.values()) for row in read] == [
        [1, "U-1", "Kec. A", "Desa B", 5_000_000],
        # One amount for two rows counts once.
        [2, "U-2", "Kec. A", "Desa C", None],
        [3, "U-3", "Kec. D", "Desa E", 7],
    ]
    assert "sheet Usulan: anggaran in merged cells belongs to several rows and counts in the first" in caplog.text
    assert list(read[0]) == ["No", "id_usulan", "detail_camatteks", "Lokasi Desa", "anggaran"]
    mapped = rows(tmp_path, PROPOSALS, header_row=[2, 3], columns={"detail_lurahteks": "Lokasi Desa"}, ignore=["No"])
    assert [row["detail_lurahteks"] for row in mapped] == ["Desa B", "Desa C", "Desa E"]


def test_a_title_beside_the_table_is_no_part_of_its_header(tmp_path):
    lines = [["REKAP"], [None, "Kode", "Uraian"], [None, "x", "y"], [None, "z", None]]
    assert rows(saved(book(Isi=lines), tmp_path)) == [{"Kode": "x", "Uraian": "y"}, {"Kode": "z", "Uraian": None}]


def test_totals_are_left_out_visibly_and_names_that_sound_like_them_stay(tmp_path, caplog):
    lines = [HEAD, [1, "Total Station", 5], ["Sub Total", None, 5], [None, "Jumlah", 5], [2, "Jumlah Air", 6],
             ["TOTAL KESELURUHAN :", None, 11], ["Jumlah Pagu Anggaran 2025 (Rp)", None, 11]]  # fmt: skip
    read = rows(saved(book(Isi=lines), tmp_path))
    assert [row["nama_paket"] for row in read] == ["Total Station", "Jumlah Air"]
    assert caplog.text.count("is a total and left out") == 4
    assert all(record.levelno == logging.WARNING for record in caplog.records)


def test_a_formula_without_a_result_is_named(tmp_path):
    lines: list[Any] = [HEAD, [1, "a", "=2+3"], [2, "b", "=1+1"], ["JUMLAH", None, "=SUM(C2:C3)"]]
    saved(book(Isi=lines), tmp_path)
    with pytest.raises(StructureError, match=r"sheet Isi: the formula in C2 and 1 more has no stored result"):
        rows(tmp_path)
    assert [row["nama_paket"] for row in rows(tmp_path, ignore=["pagu"])] == ["a", "b"]


def test_a_formula_with_a_result_is_its_result(tmp_path):
    saved(book(Isi=[HEAD, [1, "a", "=2+3"]]), tmp_path)
    path = tmp_path / f"{TENDERS}.xlsx"
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            parts.writestr(
                name, content.replace(b"<f>2+3</f><v />", b"<f>2+3</f><v>5</v>").replace(b"<v></v>", b"<v>5</v>")
            )
    assert rows(tmp_path) == [{"kd_tender": 1, "nama_paket": "a", "pagu": 5}]


def test_other_workbooks_are_read_alike(tmp_path):
    def cell(value: object) -> str:
        kind = f'"float" office:value="{value}"' if isinstance(value, int) else '"string"'
        return f"<table:table-cell office:value-type={kind}><text:p>{value}</text:p></table:table-cell>"

    lines: list[list[Any]] = [["kd_tender", "pagu"], [1, 5]]
    content = "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(tmp_path / f"{TENDERS}.ods", "w") as parts:
        parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        parts.writestr(
            "META-INF/manifest.xml", '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"></manifest>'
        )
        parts.writestr(
            "content.xml",
            f"<office:document-content{spaces}><office:body><office:spreadsheet><table:table table:name='Isi'>{content}"
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )
    assert rows(tmp_path) == [{"kd_tender": 1, "pagu": 5}]


def test_lock_files_are_no_drops(tmp_path):
    saved(book(Isi=[HEAD, [1, "a", 5]]), tmp_path)
    (tmp_path / f"~${TENDERS}.xlsx").write_bytes(b"\x05admin")
    (tmp_path / f".~lock.{TENDERS}.xlsx#").write_bytes(b",admin")
    assert len(rows(tmp_path)) == len(rows(tmp_path, file="*.xlsx")) == 1


def damaged(path: Path) -> None:
    """Let the checksum of a part of the workbook be wrong."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as parts:
        place = parts.getinfo("xl/worksheets/sheet1.xml").header_offset + 60
    content[place] ^= 0xFF
    path.write_bytes(content)


def test_broken_workbooks_are_told_in_sentences(tmp_path):
    path = tmp_path / f"{TENDERS}.xlsx"
    saved(book(Isi=[HEAD, *[[number, "a", 5] for number in range(50)]]), tmp_path)
    damaged(path)
    with pytest.raises(StructureError, match=r"workbook.*damaged.*save it anew"):
        rows(tmp_path)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    with pytest.raises(StructureError, match=r"encrypted.*without a password"):
        rows(tmp_path)
    for content in (b"", b"PK\x03\x04", b"<html><table>"):
        path.write_bytes(content)
        with pytest.raises(StructureError, match=r"workbook.*save it anew"):
            rows(tmp_path)
    saved(book(Isi=[], Lain=[]), tmp_path)
    with pytest.raises(StructureError, match="no sheet with a table"):
        rows(tmp_path)
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            if name == "xl/workbook.xml":
                head, _, rest = content.partition(b"<sheets>")
                content = head + b"<sheets></sheets>" + rest.partition(b"</sheets>")[2]
            parts.writestr(name, content)
    with pytest.raises(StructureError, match="no sheet with a table"):
        rows(tmp_path)


def test_dates_and_numbers_of_a_workbook_are_plain(tmp_path):
    lines = [["kd_tender", "tgl_buat_paket", "hps"], [1.0, dt.date(2025, 1, 4), 1.5]]
    assert rows(saved(book(Isi=lines), tmp_path)) == [
        {"kd_tender": 1, "tgl_buat_paket": "2025-01-04 00:00:00", "hps": 1.5}
    ]


# --- paths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["../secret/*.json", "a/../../secret/x.json", "../secret/x.json"])
def test_a_path_stays_in_its_folder(file, tmp_path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x.json").write_text('[{"kd_tender": 1}]')
    with pytest.raises(SettingsError, match="leads out of the source's folder"):
        rows(tmp_path / "drop", file=file)


def test_a_link_that_leads_out_is_refused(tmp_path):
    drop, secret = tmp_path / "drop", tmp_path / "secret"
    drop.mkdir()
    secret.mkdir()
    (secret / "x.json").write_text('[{"kd_tender": 1}]')
    (drop / f"{TENDERS}.json").symlink_to(secret / "x.json")
    for options in ({}, {"file": "*.json"}):
        with pytest.raises(SettingsError, match="a link that leads out"):
            rows(drop, **options)
    os.remove(drop / f"{TENDERS}.json")
    (drop / "dalam").symlink_to(secret)
    with pytest.raises(SettingsError, match="a link that leads out"):
        rows(drop, file="dalam/*.json")
    # A link inside the folder, and a folder that is itself reached by one, are fine.
    (drop / "dalam").unlink()
    (drop / "asli.json").write_text('[{"kd_tender": 2}]')
    (drop / f"{TENDERS}.json").symlink_to(drop / "asli.json")
    (tmp_path / "pintu").symlink_to(drop)
    assert rows(tmp_path / "pintu") == [{"kd_tender": 2}]
