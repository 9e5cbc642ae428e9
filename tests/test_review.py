"""The quality step and what is written of it: the findings in the warehouse, the page, and the offices' sheets."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Text, cast, func, select

from pipeline.quality import SEVERITIES, compute_quality
from pipeline.registry import SERVICES
from reports.review import mending
from reports.review.page import write_page
from reports.review.sheets import COLUMNS, MOST, words, write_sheets
from schemas.fields import address
from schemas.service import personal_fields
from schemas.settings import Settings
from tests.worlds import Lived
from transforms.parties import scrub
from transforms.rows import identify, renamed
from warehouse import tables as t
from warehouse.engine import from_json, open_warehouse, reading, writing
from warehouse.load import insert_rows
from warehouse.releases import packed

Object = dict[str, Any]


def read(folder: Path) -> list[Object]:
    """The lines of all sheets, from their CSV."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found += list(csv.DictReader(file))
    return found


def process(number: int, **more: Any) -> Object:
    """A recorded purchase whose award has no supplier."""
    return {
        "ocid": f"ocds-213czf-pencatatan-{number}",
        "date": "2025-06-30T00:00:00+07:00",
        "title": f"Pembelian {number}",
        "buyer": {"id": "office-1", "name": "=DINAS & CONTOH"},
        "parties": [{"id": "office-1", "name": "=DINAS & CONTOH", "roles": ["buyer"]}],
        "planning": {"budget": {"id": "1", "fiscalYear": 2025, "amount": {"amount": 100 + number, "currency": "IDR"}}},
        "tender": {"id": f"pencatatan-{number}", "status": "complete"},
        "awards": [{"id": f"pencatatan-{number}", "status": "active", "value": {"amount": 10 + number}}],
        **more,
    }


def stored(
    engine: Any,
    records: list[Object],
    withdrawn: dict[str, Any] | None = None,
    since: str | None = None,
    lineage: list[Any] | None = None,
) -> None:
    run = {"id": "night", "number": 1, "command": "sync", "started_at": "2025-06-30T00:00:00Z", "status": "success"}
    with writing(engine) as conn:
        insert_rows(conn, t.run, [run])
        insert_rows(
            conn,
            t.record,
            [
                {
                    "ocid": each["ocid"],
                    "compiled": each,
                    "date": "",
                    "rows": packed(lineage or []),
                    "run_id": "night",
                    "withdrawn": (withdrawn or {}).get(each["ocid"]),
                    "rowless_since": since,
                }
                for each in records
            ],
        )


def settings_of(url: str) -> Settings:
    return Settings(name="Contoh", ocid_prefix="ocds-213czf", kd_klpd="D1", kd_lpse="1", warehouse_url=url)


def test_every_rule_is_explained() -> None:
    assert set(words()) == set(SEVERITIES)
    assert all(all(row.values()) for row in words().values())
    assert {name.partition("-")[0] for name in SERVICES} <= set(mending.SYSTEMS)
    known = {name: set(service.fields) for name, (_, service) in SERVICES.items()}
    for (path, kind), places in mending._fields_by_path().items():
        for service, field in places:
            assert field in known[service], (path, kind, service)
            assert SERVICES[service][1].kind == kind
            assert field not in personal_fields(SERVICES[service][1])


def test_findings_stand_in_the_warehouse(warehouse: Any, warehouse_url: str) -> None:
    other = process(1, relatedProcesses=[{"id": "1", "identifier": "ocds-213czf-rup-9", "relationship": ["planning"]}])
    twin = {**process(2), "ocid": "ocds-213czf-twin"}
    stored(warehouse, [other, process(2), twin])
    counts = compute_quality(settings_of(warehouse_url), "night")
    assert counts["supplier_missing"] == 3
    assert (counts["related_missing"], counts["tender_id_repeated"]) == (1, 2)
    finding, measure = t.quality_finding.c, t.quality_measure.c
    with reading(warehouse) as conn:
        rows = conn.execute(select(t.quality_finding).order_by(finding.number)).mappings().all()
        filled = conn.execute(
            select(measure.rows, measure.of).where(
                measure.kind == "filled", measure.subject == "award", measure.field == "value.amount"
            )
        ).one()
    assert Counter(row["code"] for row in rows) == counts
    first = next(row for row in rows if row["code"] == "supplier_missing")
    assert (first["severity"], first["level"], first["path"]) == ("warning", "record", "awards/0/suppliers")
    twins = [row for row in rows if row["code"] == "tender_id_repeated"]
    assert [(row["level"], row["title"], row["amount"]) for row in twins] == [("dataset", "Pembelian 2", 12)] * 2
    assert (first["office_name"], first["fiscal_year"], first["amount"]) == ("=DINAS & CONTOH", 2025, 11)
    assert tuple(filled) == (3, 3)
    # Again: in place of what was found, not beside it.
    assert compute_quality(settings_of(warehouse_url), "night") == counts
    with reading(warehouse) as conn:
        assert conn.execute(select(func.count()).select_from(t.quality_finding)).scalar_one() == len(rows)


def test_what_was_told_and_no_longer_is(warehouse: Any, warehouse_url: str) -> None:
    back = process(1)
    stored(warehouse, [back], {back["ocid"]: [["awards", "pencatatan-1"]]})
    assert compute_quality(settings_of(warehouse_url), "night")["stage_went_back"] == 1


def test_a_record_without_rows_has_vanished(warehouse: Any, warehouse_url: str) -> None:
    stored(warehouse, [process(1)], since="2025-06-30T00:00:00Z")
    assert compute_quality(settings_of(warehouse_url), "night")["ocid_vanished"] == 1


def test_no_rule_fills_a_sheet_or_the_page(warehouse: Any, warehouse_url: str, tmp_path: Path) -> None:
    stored(warehouse, [process(number) for number in range(1, MOST + 6)])
    compute_quality(settings_of(warehouse_url), "night")
    with reading(warehouse) as conn:
        written = write_sheets(conn, tmp_path / "kantor")
        write_page(conn, tmp_path / "index.html", "Contoh & <Co>", written)
        assert write_sheets(conn, tmp_path / "other", 2024) == []
    assert written == [{"file": "dinas-contoh-office-1", "office": "=DINAS & CONTOH", "lines": MOST + 1}]
    lines = read(tmp_path / "kantor")
    assert Counter(line["Aturan"] for line in lines) == {"supplier_missing": MOST + 1}
    assert lines[-1]["Yang salah"] == "... dan 5 lagi"
    # Ranked by money.
    assert [line["Kode"] for line in lines[:2]] == ["205", "204"]
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Contoh &amp; &lt;Co&gt;" in page
    assert "=DINAS &amp; CONTOH" in page
    assert page.count("awards/0/suppliers") == MOST
    assert page.count("<svg") == 4
    assert "<script" not in page


def test_texts_of_sheets_are_no_formulas(warehouse: Any, warehouse_url: str, tmp_path: Path) -> None:
    marks = ["=1+1", "+62", "-5", "@x", "\tx", "\rx"]
    stored(warehouse, [process(number, title=title) for number, title in enumerate(marks, 1)])
    compute_quality(settings_of(warehouse_url), "night")
    with reading(warehouse) as conn:
        write_sheets(conn, tmp_path)
    titles = {f"'{mark}" for mark in marks}
    assert {line["Nama paket"] for line in read(tmp_path)} == titles
    sheet = load_workbook(next(tmp_path.glob("*.xlsx"))).active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    assert rows[0][0].value == "Data yang perlu diperbaiki: =DINAS & CONTOH"
    assert [cell.value for cell in rows[1]] == list(COLUMNS)
    assert {str(row[3].value).replace("_x000D_", "\r") for row in rows[2:]} == titles
    assert not [cell for row in rows for cell in row if cell.data_type == "f"]


def test_personal_fields_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nama_ppk" in personal_fields(SERVICES["SPSE-PencatatanNonTender"][1])
    row = {"nama_ppk": "Seseorang", "nama_paket": "Rapat 081234567890"}
    assert mending._shown("SPSE-PencatatanNonTender", "nama_ppk", row) == mending.PERSONAL
    assert "081234567890" not in str(mending._shown("SPSE-PencatatanNonTender", "nama_paket", row))


LINKS = [
    "https://x.go.id/KAK.pdf",
    "https://x.go.id/KAK Jalan Desa.pdf",
    "HTTPS://x.go.id/RAB.pdf",
    *(f"https://x.go.id/{'a' * 200}/{number}.pdf" for number in range(2)),
    "https://x.go.id/a|b.pdf",
]
PAPERS = ["00001/SP2D/2025", "00002|SP2D|2025", "00003/SP2D/081234567890", "00004/SP2D/2025"]


@pytest.fixture
def linked(warehouse: Any) -> tuple[Any, Object]:
    """A warehouse with the documents and payments of one record, and the record."""
    given: list[tuple[str, Object]] = [
        ("Dokumen-Perencanaan", {"kode": "7", "url": url, "jenis": f"DPA {number}"}) for number, url in enumerate(LINKS)
    ]
    given += [
        ("SIMDA-SP2D", {"Tahun": 2025, "No_Kontrak": "1/SPK", "No_SP2D": number, "Nilai": 5, "Tgl_SP2D": "2025-03-01"})
        for number in PAPERS
    ]
    documents = [{"id": str(number), "documentType": "x", "url": address(url)} for number, url in enumerate(LINKS)]
    paid = [{"id": f"simda-{paper}", "number": scrub(paper), "date": "2025-03-01T00:00:00+07:00"} for paper in PAPERS]
    contract = {"id": "pencatatan-1", "implementation": {"transactions": paid}}
    record = process(1, contracts=[contract])
    record["planning"]["documents"] = documents
    rows: list[Object] = []
    lineage: list[Any] = []
    for name, row in given:
        source, service = SERVICES[name]
        found = identify(service, row)
        # A row may bear a number behind its key that tells it from others of this key.
        key = f"{found.key}#1234abcd" if row.get("No_SP2D") == PAPERS[3] else found.key
        known = {"source": source, "service": name, "scope": "2025", "key": key, "kind": service.kind}
        hashes = {"content_hash": "", "wire_hash": "", "observed_at": "2025-01-01T00:00:00Z"}
        rows.append({**known, **hashes, "code": found.code, "payload": row, "run_id": "night"})
        lineage.append([service.kind, found.code, name, "2025", key, "", False, 1])
    stored(warehouse, [record], lineage=lineage)
    with writing(warehouse) as conn:
        insert_rows(conn, t.raw_record, rows)
    return warehouse, record


def test_documents_and_payments_lead_back_to_their_own_rows(linked: tuple[Any, Object]) -> None:
    """Whatever a key makes of an address or number."""
    warehouse, record = linked
    paths = [f"planning/documents/{number}/documentType" for number in range(len(LINKS))]
    paths += [f"contracts/0/implementation/transactions/{number}/date" for number in range(len(PAPERS))]
    with reading(warehouse) as conn:
        found = mending.source_fields(conn, [{"ocid": record["ocid"], "path": path} for path in paths])
        payload = {
            row.key: from_json(row.payload)
            for row in conn.execute(select(t.raw_record.c.key, cast(t.raw_record.c.payload, Text).label("payload")))
        }
    rows = [payload[each.key] for each in found]
    assert [row["url"] for row in rows if "url" in row] == LINKS
    assert [row["No_SP2D"] for row in rows if "url" not in row] == PAPERS
    assert {(each.system, each.field) for each in found} == {("Dokumen perencanaan", "jenis"), ("SIMDA", "Tgl_SP2D")}


def test_a_finding_about_what_a_build_took_away_costs_no_sheet(linked: tuple[Any, Object]) -> None:
    warehouse, record = linked
    paths = ["planning/documents/99/documentType", "contracts/0/implementation/transactions/99/date"]
    paths += ["contracts/9/implementation/transactions/0/date", "contracts/9/value", "awards/9/suppliers"]
    with reading(warehouse) as conn:
        for ocid in (record["ocid"], "ocds-213czf-gone"):
            found = mending.source_fields(conn, [{"ocid": ocid, "path": path} for path in paths])
            assert [each.stands for each in found] == [None] * len(paths)


def test_payments_that_spse_recorded_are_not_looked_for_in_the_treasury() -> None:
    paid = {"id": "pencatatan-1-abc", "number": "1", "date": "2025-03-01T00:00:00+07:00"}
    contract = {"id": "pencatatan-1", "implementation": {"transactions": [paid]}}
    lineage = [["kontrak", "2025|1/SPK", "SIMDA-SP2D", "2025", "2025|1/SPK|1", "", False, 1]]
    path = "contracts/0/implementation/transactions/0/date"
    assert mending.subjects_of(process(1, contracts=[contract]), path, lineage) == [("pencatatan", "1")]


# --- back to the raw rows --------------------------------------------------------------------------------------------


def lead_back(conn: Any, lines: list[Object], most: int) -> int:
    """Take lines back to the current rows that they are about, and compare; how many name a value of such a row."""
    columns = t.raw_record.c
    found = 0
    for line in lines[:most]:
        query = select(columns.service, columns.current & ~columns.gone, cast(columns.payload, Text)).where(
            columns.kind == line["Jenis kode"], columns.code == line["Kode"]
        )
        known = conn.execute(query).all()
        # Where the list that ought to have it lacks the package, others have it, or had it until it vanished.
        assert known, line
        service = SERVICES[line["Daftar"]][1]
        rows = [renamed(service, from_json(row)) for name, stands, row in known if stands and name == line["Daftar"]]
        if line["Tertulis"] == "(kosong)":
            assert not rows or any(row.get(line["Isian"]) in (None, "") for row in rows), line
        else:
            assert line["Tertulis"].removeprefix("'") in {str(row.get(line["Isian"])) for row in rows}, line
            found += 1
        assert line["Perbaiki di"] == mending.SYSTEMS[line["Daftar"].split("-")[0]]
    return found


def spread(lines: list[Object]) -> list[Object]:
    """Lines of sheets that are about a value, of as many rules as there are in turn."""
    by_rule: dict[str, list[Object]] = {}
    for line in lines:
        if line["Kode"] and line["Daftar"]:
            by_rule.setdefault(line["Aturan"], []).append(line)
    return [each[place] for place in range(MOST) for each in by_rule.values() if place < len(each)]


@pytest.fixture(scope="module")
def reviewed(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Object]:
    """A folder with a copy of the town's warehouse, its page and its sheets; what the command said."""
    folder = tmp_path_factory.mktemp("reviewed")
    shutil.copy(lived.town.folder / "jejak.db", folder)
    settings = lived.town.settings(warehouse_url=f"sqlite:///{folder}/jejak.db")
    result = lived.town.jejak("quality", "--out", folder, "--json", settings=settings)
    assert result.status == 0, result.err
    return folder, json.loads(result.out)


def test_no_personal_value_is_in_what_people_read(reviewed: tuple[Path, Object], lived: Lived) -> None:
    folder, _ = reviewed
    settings = lived.town.settings(warehouse_url=f"sqlite:///{folder}/jejak.db")
    found = [lived.town.jejak("flags", "--list", settings=settings).out]
    found += [path.read_text(encoding="utf-8") for path in (*folder.glob("*.html"), *folder.rglob("*.csv"))]
    for path in folder.rglob("*.xlsx"):
        found += [str(cell.value) for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row]
    with reading(open_warehouse(f"sqlite:///{folder}/jejak.db")) as conn:
        for table in (t.flag, t.quality_finding, t.quality_measure):
            found.append(str(conn.execute(select(table)).all()))
    everything = "\n".join(found)
    assert {value for value in lived.town.world.personal_values() if value in everything} == set()


def test_lines_lead_back_to_rows(reviewed: tuple[Path, Object]) -> None:
    folder, result = reviewed
    assert {each["code"] for each in result["findings"]} >= {"rows_rejected", "code_unmapped"}
    lines = spread(read(folder / "kantor"))
    assert len(lines) >= 50
    assert "document_misplaced" in {line["Aturan"] for line in lines}
    with reading(open_warehouse(f"sqlite:///{folder}/jejak.db")) as conn:
        assert lead_back(conn, lines, len(lines)) >= 50
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert all(words()[each["code"]]["english"] in page for each in result["findings"])
