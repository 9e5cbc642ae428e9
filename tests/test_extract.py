"""Star tables and marts to carry away."""

import csv
import json
import math
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest
from sqlalchemy import select

from pipeline.configure import load_settings
from reports.extract import FORMATS, tables
from reports.headings import PATH, headings
from reports.publication.scan import personal_now, scan
from reports.sheets import defused
from reports.spreadsheets import write_csv, write_xlsx
from tests.worlds import Town
from warehouse.tables import OPEN, PRIVATE, contracting_process, record, release
from warehouse.views import view_metadata


@pytest.fixture
def full(town: Town) -> Town:
    town.sync()
    assert town.jejak("flags").status == 0
    return town


def extracted(town: Town, form: str, *more: object) -> Path:
    out = town.folder / (f"out.{form}" if form == "sqlite" else f"out-{form}")
    result = town.jejak("extract", "--out", out, "--format", form, *more)
    assert result.status == 0, result.err
    return out


def stored(town: Town, name: str) -> list[dict[str, Any]]:
    (table,) = (table for table in tables() if table.name == name)
    return town.query(select(table))


def test_one_file_holds_all_that_analysts_may_carry_away(town_on_both: Town) -> None:
    full = town_on_both
    full.sync()
    out = extracted(full, "sqlite", "--describe", full.folder / "about.json")
    assert out.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(out)) as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert names - {"dictionary", "sqlite_stat1"} == {table.name for table in tables()}
        for table in tables():
            assert db.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0] == len(stored(full, table.name))
        total = db.execute("SELECT sum(pagu) FROM plan").fetchone()[0]
        assert total == sum(row["pagu"] or 0 for row in stored(full, "plan")) > 0
        documented = db.execute("SELECT meaning FROM dictionary WHERE table_name = 'plan' AND column_name = 'pagu'")
        assert "summed" in documented.fetchone()[0]
        # What the description asks can be asked of the file.
        about = json.loads((full.folder / "about.json").read_text())["databases"]["out"]
        assert set(about["tables"]) == {table.name for table in tables()}
        for query in about["queries"].values():
            db.execute(query["sql"])
    leftovers = [path.name for path in full.folder.iterdir() if path.name.startswith(".jejak-part-")]
    assert not leftovers


def test_the_browser_answers_the_questions(full: Town) -> None:
    """As `make explore` opens it."""
    about = full.folder / "about.json"
    out = extracted(full, "sqlite", "--describe", about)
    datasette = Path(sys.executable).with_name("datasette")
    pages = {
        "/out": "supplier_share",
        "/out/plan": "Pagu may always be summed",
        "/out/02_splitting": "below the threshold, together above it?</h1>",
        "/out/04_savings": "Denominator",
    }
    for page, held in pages.items():
        words = [str(word) for word in ("serve", "--immutable", out, "--metadata", about, "--get", page)]
        answer = subprocess.run([str(datasette), *words], capture_output=True, text=True, check=True).stdout
        assert held in answer
        # Nothing is loaded from elsewhere.
        assert not re.findall(r"<(?:script|img|link rel=.stylesheet)[^>]+(?:src|href)=.(?:https?:)?//", answer)


def test_what_is_carried_away_passes_the_personal_data_scan(full: Town) -> None:
    """Of CSV and workbooks; the other forms hold the same rows. The offices' sheets beside them."""
    assert full.jejak("quality", "--out", full.folder / "quality").status == 0
    folders = [full.folder / "quality", *(extracted(full, form) for form in ("csv", "xlsx"))]
    settings = load_settings(str(full.settings()))
    personal = personal_now(settings)
    assert len(personal.values) > 50
    for folder in folders:
        assert list(scan(folder, personal, settings)) == []
    (folders[1] / "contract.csv").write_text(next(iter(personal.numbers)))
    assert list(scan(folders[1], personal, settings))


def test_no_row_as_received_is_carried_away() -> None:
    closed = {table.name for table in (*PRIVATE, record, release)}
    assert not closed & {table.name for table in tables()}
    assert {table.name for table in tables()} <= {table.name for table in (*OPEN, *view_metadata.sorted_tables)}


def test_files_of_other_formats_hold_the_same(full: Town) -> None:
    """Parquet is parted by fiscal year; sheets have Indonesian headings."""
    contracts, attempts = stored(full, "contract"), stored(full, "attempt")
    out = extracted(full, "parquet")
    query = f"SELECT fiscal_year, count(*) FROM read_parquet('{out}/contract/*/part.parquet') GROUP BY ALL"
    found = duckdb.connect().execute(query).fetchall()
    assert {int(year): count for year, count in found} == Counter(row["fiscal_year"] for row in contracts)
    frame = pd.read_parquet(out / "attempt")
    assert len(frame) == len(attempts)
    assert math.fsum(frame["hps"].dropna()) == math.fsum(row["hps"] or 0 for row in attempts)
    assert len(pd.read_parquet(out / "supplier.parquet")) == len(stored(full, "supplier"))
    flags = pd.read_parquet(out / "flag")
    assert [json.loads(each) for each in flags["why"]]
    year = full.world.years[-1]
    rows = [row for row in contracts if row["fiscal_year"] == year]
    for form in ("csv", "xlsx"):
        path = extracted(full, form, "--year", year) / f"contract.{form}"
        frame = pd.read_csv(path) if form == "csv" else pd.read_excel(path)
        assert {"Nilai (Rp)", "Tahun anggaran"} <= set(frame.columns)
        assert len(frame) == len(rows) > 0
        assert math.fsum(frame["Nilai (Rp)"].dropna()) == math.fsum(row["value"] or 0 for row in rows)


def test_every_column_has_an_indonesian_heading() -> None:
    with PATH.open(encoding="utf-8", newline="") as file:
        named = [row["column"] for row in csv.DictReader(file)]
    assert named == sorted(set(named))
    used = {column.name for table in tables() for column in table.columns}
    assert used <= set(named), sorted(used - set(named))
    assert headings(contracting_process)[0] == "OCID"


def test_a_text_is_no_formula(tmp_path: Path) -> None:
    texts = ["=1+1", "+62", "-", "@SUM(A1)", "\tx", "plain", -3, None]
    rows = [[[text] for text in texts]]
    assert write_csv(tmp_path / "t.csv", ["a"], rows) == len(texts)
    assert write_xlsx(tmp_path / "t.xlsx", "t", ["a"], rows) == len(texts)
    cells = [cell for (cell,) in openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == [defused(text) for text in texts]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        written = [row[0] if row else "" for row in csv.reader(file)][1:]
    assert written == ["" if text is None else str(defused(text)) for text in texts]


def test_a_broken_extract_leaves_the_earlier_one(full: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    out = extracted(full, "csv")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    known = headings(contracting_process)
    monkeypatch.setattr("reports.extract.headings", lambda table: known if table is contracting_process else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        full.jejak("extract", "--out", out, "--format", "csv", "--year", 1999)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_formats_are_those_of_the_command() -> None:
    from commands.main import _parser

    for form in FORMATS:
        assert _parser().parse_args(["extract", "--out", "x", "--format", form]).format == form
