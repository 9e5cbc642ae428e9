"""Planning documents: an index, a list over REST or a bare folder, and what becomes of them."""

import csv
import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import connectors.dokumen
import schemas.dokumen
import transforms.dokumen
from schemas.dokumen import KINDS
from schemas.errors import SettingsError
from schemas.service import Page
from schemas.settings import Settings
from tests.answering import Answer, answering
from tests.official import REFERENCE, needs_reference
from tests.states import document, row, state
from transforms import codes
from transforms.rows import identify

(DOKUMEN,) = schemas.dokumen.SERVICES
MAK = "1.03.10.2.01.0005.5.2.04.01.01.0003."
ROW: dict[str, Any] = {
    "kode": 90000001,
    "url": "https://contoh.example/berkas/KAK jalan.pdf",
    "jenis": "KAK",
    "judul": "KAK Peningkatan Jalan",
    "tanggal": "3 Februari 2025",
    "format": "pdf",
    "tahun": 2025,
}


def pages_of(dumps: str | None = None, **source: Any) -> list[Page]:
    settings = Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "dumps": dumps, "sources": {"dokumen": {"retries": 0, **source}}}
    )  # fmt: skip
    return list(connectors.dokumen.fetch(DOKUMEN, settings, settings.sources["dokumen"], "2025"))


def files(folder: Path, **more: Any) -> list[Page]:
    return pages_of(transport="files", folder=f"{folder}/{{year}}", **more)


PUBLISHED = "https://contoh.example/dokumen/{year}/"


def lay(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / "2025" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF")
        # 20:00 UTC is the next day in western Indonesia.
        os.utime(path, (0, dt.datetime(2025, 2, 3, 20, tzinfo=dt.UTC).timestamp()))


# --- how they are found ----------------------------------------------------------------------------------------------


def test_a_list_over_rest():
    with answering(Answer([ROW])) as server:
        (page,) = pages_of(transport="rest", url=server.url)
    assert (page.rows, server.paths) == ([ROW], ["/dokumen?tahun=2025"])


def test_an_index_comes_before_the_files_beside_it(tmp_path):
    lay(tmp_path, "90000002/KAK.pdf")
    (tmp_path / "2025" / "Dokumen-Perencanaan.csv").write_text("kode,url\n90000001,https://contoh.example/a.pdf\n")
    (page,) = files(tmp_path)
    assert page.rows == [{"kode": "90000001", "url": "https://contoh.example/a.pdf"}]


def test_a_bare_folder_is_a_list_of_its_files(tmp_path):
    lay(
        tmp_path,
        "90000001/KAK Jalan Contoh.pdf",
        "90000001/gambar/DED-jalan.PDF",
        f"{MAK}/DPA.xlsx",
        "90000002_RAB_jembatan desa.xlsx",
        "90000003-jadwal pelaksanaan.docx",
        "Rapat/undangan.pdf",
        ".DS_Store",
        "90000001/~$KAK.docx",
        "90000001/Thumbs.db",
    )
    (page,) = files(tmp_path, url=PUBLISHED)
    assert (page.cursor, page.observed_at) == (None, None)
    assert [(r["kode"], r["jenis"], r["judul"], r["format"]) for r in page.rows] == [
        ("90000002", "RAB", "RAB jembatan desa", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("90000003", "Jadwal", "jadwal pelaksanaan",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (MAK, "DPA", "DPA", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("90000001", "KAK", "KAK Jalan Contoh", "application/pdf"),
        ("90000001", "DED", "DED-jalan", "application/pdf"),
        (None, None, "undangan", "application/pdf"),
    ]  # fmt: skip
    base = "https://contoh.example/dokumen/2025"
    assert page.rows[0]["url"] == f"{base}/90000002_RAB_jembatan%20desa.xlsx"
    assert page.rows[3]["url"] == f"{base}/90000001/KAK%20Jalan%20Contoh.pdf"
    assert {r["tanggal"] for r in page.rows} == {"2025-02-04"}
    for fields in page.rows[:-1]:
        assert not DOKUMEN.model.model_validate(fields).model_extra
        body = document([row(DOKUMEN.name, fields)])
        assert body["planning"]["documents"][0]["url"] == fields["url"]
    # A file that nothing is known of is seen, and rejected with the reason.
    with pytest.raises(ValidationError, match="no code of its own"):
        DOKUMEN.model.model_validate(page.rows[-1])


def test_a_folder_needs_an_address_and_a_year(tmp_path):
    lay(tmp_path, "90000001/KAK.pdf")
    with pytest.raises(SettingsError, match="JEJAK_SOURCES__DOKUMEN__URL"):
        files(tmp_path)
    with pytest.raises(SettingsError, match=r"write \{year\} in JEJAK_SOURCES__DOKUMEN__FOLDER"):
        pages_of(transport="files", folder=str(tmp_path / "2025"), url=PUBLISHED)
    with pytest.raises(SettingsError, match="there is no folder"):
        files(tmp_path / "nowhere", url=PUBLISHED)


def test_a_folder_of_dumps_is_no_folder_of_documents(tmp_path):
    (tmp_path / "SPSE-TenderPengumuman.json").write_text("[]")
    assert pages_of(dumps=str(tmp_path), transport="files", url=PUBLISHED) == []


def test_an_index_that_was_named_is_not_replaced_when_it_is_missing(tmp_path):
    lay(tmp_path, "90000001/KAK.pdf")
    named = {"Dokumen-Perencanaan": {"file": "daftar.csv"}}
    assert files(tmp_path, url=PUBLISHED, services=named) == []


def test_an_empty_folder_is_an_empty_list(tmp_path):
    (tmp_path / "2025").mkdir()
    (page,) = files(tmp_path, url=PUBLISHED)
    assert page.rows == []


# --- what becomes of it ---------------------------------------------------------------------------------------------


def test_a_document_in_ocds():
    body = document([row(DOKUMEN.name, ROW)])
    (found,) = body["planning"]["documents"]
    assert found.pop("id").startswith("dokumen-")
    assert found == {
        "documentType": "technicalSpecifications",
        "title": "KAK Peningkatan Jalan",
        "url": "https://contoh.example/berkas/KAK%20jalan.pdf",
        "datePublished": "2025-02-03T00:00:00+07:00",
        "format": "application/pdf",
        "language": "id",
    }


def test_a_document_that_is_listed_twice_stands_once():
    again = ROW | {"kode": MAK, "tahun": 2024, "judul": "Judul lama"}
    body = document([row(DOKUMEN.name, ROW), row(DOKUMEN.name, again)])
    assert [each["title"] for each in body["planning"]["documents"]] == ["KAK Peningkatan Jalan"]


def test_an_unknown_kind_is_signalled_and_a_known_one_may_have_no_code():
    rows = [
        row(DOKUMEN.name, ROW | {"jenis": kind, "url": f"https://contoh.example/{kind}"}) for kind in ("Surat", "hps")
    ]
    found = state(rows)
    assert not any("documentType" in each for each in found.document["planning"]["documents"])
    assert found.signals == {("dokumen", "Dokumen-Perencanaan", "jenis", "Surat")}


@pytest.mark.parametrize(
    ("kode", "rups", "maks"),
    [
        ("90000001", (("rup", "90000001"), ("swk", "90000001")), ()),
        (90000001.0, (("rup", "90000001"), ("swk", "90000001")), ()),
        (MAK, (), ("1.3.10.2.1.5.5.2.4.1.1.3",)),
        ("1.03.10.2.01.0005", (), ("1.3.10.2.1.5",)),
        ("DPA-1", (), ()),
    ],
)
def test_what_a_document_tells_of_where_it_belongs(kode, rups, maks):
    fields = ROW | {"kode": kode, "url": "https://contoh.example/a  b|c.pdf"}
    read = row(DOKUMEN.name, fields)
    (found,) = transforms.dokumen.evidence(DOKUMEN.name, read.record)
    assert (found.rups, found.maks, found.year, found.dates) == (rups, maks, 2025, ("2025-02-03",))
    assert found.subject == ("dokumen", identify(DOKUMEN, fields).code)


def test_every_kind_that_a_files_name_can_tell_has_a_code():
    table = codes.table("dokumen")
    assert [kind for kind in KINDS if ("documentType", codes.plain(kind)) not in table] == []


@needs_reference
@pytest.mark.parametrize("source", ["dokumen", "simpen"])
def test_document_types_are_the_standards(source):
    with (REFERENCE / "1.1.5" / "codelists" / "documentType.csv").open(encoding="utf-8", newline="") as file:
        listed = {line["Code"] for line in csv.DictReader(file)}
    assert {code for (name, _), code in codes.table(source).items() if name == "documentType"} <= listed | {""}
