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
from schemas.service import personal_fields
from schemas.settings import Settings
from tests.worlds import Lived
from transforms.rows import renamed
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
    engine: Any, records: list[Object], withdrawn: dict[str, Any] | None = None, since: str | None = None
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
                    "rows": packed([]),
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
