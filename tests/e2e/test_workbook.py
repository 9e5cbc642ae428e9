"""The workbooks of a publication in LibreOffice, with which offices open them: every cell comes back as it was."""

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reports.publication import tables
from tests.test_publication import publish
from tests.worlds import Lived

pytestmark = pytest.mark.e2e


def cells(path: Path) -> dict[str, list[list[Any]]]:
    """The values of each sheet, without the empty cells and rows at its ends; numbers as floats, times in seconds."""
    found = {}
    for sheet in openpyxl.load_workbook(path).worksheets:
        rows = [[_plain(value) for value in row] for row in sheet.values]
        for row in rows:
            while row and row[-1] is None:
                row.pop()
        while rows and not rows[-1]:
            rows.pop()
        found[sheet.title] = rows
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return float(value) if isinstance(value, int) else value if value != "" else None


def through_libreoffice(path: Path, work: Path) -> Path:
    """The workbook as LibreOffice saves it after opening it."""
    office = shutil.which("soffice")
    if office is None:
        pytest.fail("This test needs LibreOffice. On Debian: apt-get install --no-install-recommends libreoffice-calc")
    profile = f"-env:UserInstallation={(work / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(work / "again"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    again = work / "again" / path.name
    assert again.is_file(), done.stdout + done.stderr
    return again


def test_libreoffice_gives_back_every_cell_of_the_workbooks(lived: Lived, tmp_path: Path) -> None:
    assert publish(lived.town, tmp_path / "out").status == 0
    books = sorted((tmp_path / "out" / "current" / "data").glob("*/tabel.xlsx"))
    assert books
    for book in books:
        written = cells(book)
        assert sum(map(len, written.values())) > 100
        assert cells(through_libreoffice(book, tmp_path)) == written


def test_libreoffice_takes_no_text_for_a_formula_and_drops_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 4)
    titles = ["=1+1", "+62", "-", "@SUM(1)", "\tx", "a" * 40_000, "b\x01", "c\nd", "0812", "2025-01-02", " e ", "'f"]
    states = [
        {"ocid": f"o-{number}", "title": title, "date": "2025-01-02T10:00:01+07:00"}
        for number, title in enumerate(titles)
    ]
    (tmp_path / "states.jsonl").write_text("".join(json.dumps(state) + "\n" for state in states))
    tables.write_csv(tmp_path / "states.jsonl", tmp_path / "csv", "", tmp_path / "flat")
    tables.write_workbook(tmp_path / "flat", tmp_path / "a.xlsx", "=HYPERLINK(1)\n+62")
    written = cells(tmp_path / "a.xlsx")
    assert len(written) == 5
    assert cells(through_libreoffice(tmp_path / "a.xlsx", tmp_path)) == written
