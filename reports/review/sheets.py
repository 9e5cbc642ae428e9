"""For each office a sheet of what it should mend at the source, as XLSX and CSV, in Indonesian, one line a thing."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from sqlalchemy import Connection, func, select

from pipeline.progress import with_progress
from reports.review.mending import SourceField, source_fields
from reports.sheets import defused
from warehouse import tables as t

Object = dict[str, Any]

MOST = 200
"""So many lines of one rule a sheet has; one more line counts those beyond."""

COLUMNS = {
    "Tingkat": 11,
    "Kode": 16,
    "Jenis kode": 12,
    "Nama paket": 48,
    "Tahun": 7,
    "Nilai paket (Rp)": 18,
    "Masalah": 34,
    "Isian": 22,
    "Tertulis": 24,
    "Yang salah": 48,
    "Saran": 34,
    "Perbaiki di": 13,
    "Daftar": 32,
    "Aturan": 24,
    "OCID": 34,
}
"""The columns of a sheet, and their width."""

_SEVERITIES = {"error": "Galat", "warning": "Peringatan", "notice": "Catatan"}
_FILLS = {"Galat": "F8D7DA", "Peringatan": "FFF3CD", "Catatan": "E2E3E5"}


@cache
def words() -> dict[str, dict[str, str]]:
    """Rule -> its words: `english`, and in Indonesian `judul`, `salah` and `saran`."""
    with Path(__file__).with_name("words.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


def write_sheets(conn: Connection, folder: Path, year: int | None = None) -> list[Object]:
    """Write the sheets of all offices that have something to mend; return of each
    `{"file", "office", "lines"}` (the file's name without suffix), the longest first.

    The sheets name packages, no persons. Texts that begin like a formula have a quote before them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = t.quality_finding.c
    named = select(columns.office_id, func.max(columns.office_name).label("name")).where(columns.office_id.is_not(None))
    offices = conn.execute(named.group_by(columns.office_id).order_by(columns.office_id)).all()
    written: list[Object] = []
    for office, name in with_progress(offices, len(offices), "sheets written"):
        lines = list(_lines(conn, office, year))
        if lines:
            file = re.sub(r"[^0-9A-Za-z]+", "-", f"{(name or '')[:60]} {office}").strip("-").lower()
            _write_csv(folder / f"{file}.csv", lines)
            _write_xlsx(folder / f"{file}.xlsx", name or office, lines)
            written.append({"file": file, "office": name or office, "lines": len(lines)})
    return sorted(written, key=lambda sheet: (-sheet["lines"], sheet["file"]))


def _lines(conn: Connection, office: str, year: int | None) -> Iterator[Object]:
    """The lines of an office, those of contradictions and of most money first."""
    columns = t.quality_finding.c
    query = select(t.quality_finding).where(columns.office_id == office)
    if year is not None:
        query = query.where(columns.fiscal_year == year)
    found = [dict(row) for row in conn.execute(query).mappings()]
    order = list(_SEVERITIES)
    found.sort(key=lambda each: (order.index(each["severity"]), -(each["amount"] or 0), each["number"]))
    counts: Counter[str] = Counter()
    shown = []
    for each in found:
        counts[each["code"]] += 1
        if counts[each["code"]] <= MOST:
            shown.append(each)
    for each, source_field in zip(shown, source_fields(conn, shown), strict=True):
        yield _line(each, source_field)
    for code, number in sorted(counts.items()):
        if number > MOST:
            more = {"Masalah": words()[code]["judul"], "Aturan": code, "Yang salah": f"... dan {number - MOST} lagi"}
            yield {**dict.fromkeys(COLUMNS), **more}


def _line(finding: Mapping[str, Any], source_field: SourceField) -> Object:
    text = words()[finding["code"]]
    return {
        "Tingkat": _SEVERITIES[finding["severity"]],
        "Kode": source_field.code,
        "Jenis kode": source_field.kind,
        "Nama paket": finding["title"],
        "Tahun": finding["fiscal_year"],
        "Nilai paket (Rp)": finding["amount"],
        "Masalah": text["judul"],
        "Isian": source_field.field,
        "Tertulis": source_field.stands if source_field.stands is not None else "(kosong)",
        "Yang salah": text["salah"],
        "Saran": text["saran"],
        "Perbaiki di": source_field.system,
        "Daftar": source_field.service,
        "Aturan": finding["code"],
        "OCID": finding["ocid"],
    }


def _write_csv(path: Path, lines: list[Object]) -> None:
    # With the mark that makes a spreadsheet read UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([defused(line[name]) for name in COLUMNS] for line in lines)


def _write_xlsx(path: Path, office: str, lines: list[Object]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Perbaikan data")
    for number, width in enumerate(COLUMNS.values()):
        sheet.column_dimensions[chr(ord("A") + number)].width = width
    sheet.freeze_panes = "A3"
    sheet.auto_filter.ref = f"A2:{chr(ord('A') + len(COLUMNS) - 1)}{len(lines) + 2}"
    title = WriteOnlyCell(sheet, defused(f"Data yang perlu diperbaiki: {office}"))
    title.font = Font(bold=True, size=14)
    sheet.append([title])
    head = [WriteOnlyCell(sheet, name) for name in COLUMNS]
    for cell in head:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F4E79")
    sheet.append(head)
    for line in lines:
        cells = [WriteOnlyCell(sheet, defused(line[name])) for name in COLUMNS]
        for name, cell in zip(COLUMNS, cells, strict=True):
            cell.alignment = Alignment(vertical="top", wrap_text=name in ("Nama paket", "Yang salah", "Saran"))
            if name == "Tingkat" and line[name]:
                cell.fill = PatternFill("solid", fgColor=_FILLS[line[name]])
            if name == "Nilai paket (Rp)":
                cell.number_format = "#,##0"
            elif isinstance(cell.value, str):
                cell.data_type = "s"
        sheet.append(cells)
    book.save(path)
