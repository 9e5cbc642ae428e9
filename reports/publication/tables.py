"""Tables of a fiscal year: the states flattened to CSV as they are, and a workbook with headings in Indonesian."""

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import flatterer
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from reports.publication.files import CutFile
from reports.sheets import defused

MAX_ROWS = 1_048_576
"""Rows of a sheet, its headings among them: Excel's limit."""

_MAX_TEXT = 32_767  # characters of a cell
# Columns of moments; of the others the day counts.
_TIMED = ("tenderPeriod_startDate", "tenderPeriod_endDate", "dueDate")
_METRICS = ("contracts_agreedMetrics", "contracts_implementation_metrics")
_TYPES = {"string": "string", "number": "number", "boolean": "boolean", "datetime": "datetime", "date": "datetime"}


def write_csv(states: Path, folder: Path, mark: str, work: Path) -> list[dict[str, Any]]:
    """Flatten states (JSON Lines) into `folder`, a gzipped CSV per list of objects, and return a Table Schema resource
    of each: `{"name", "path", "schema"}`, the path from `folder` on. `mark` begins the files' names, `work` takes what
    is needed meanwhile."""
    flatterer.flatten(
        str(states), str(work), ndjson=True, main_table_name="processes", force=True, low_memory=True, no_link=False
    )
    described = json.loads((work / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    found = []
    for table in sorted(described, key=lambda each: str(each["name"])):
        fields = [
            {"name": field["name"], "type": _TYPES.get(field["type"], "any")} for field in table["schema"]["fields"]
        ]
        name = Path(table["path"]).stem
        with (work / "csv" / f"{name}.csv").open("rb") as lines:
            head = next(lines)
            with CutFile(folder, f"{mark}{name}", ".csv.gz", partial(_same, head)) as file:
                for row in _whole_rows(lines):
                    file.write(row)
        for path in file.paths:
            found.append({"name": path.name.removesuffix(".csv.gz"), "path": path.name, "schema": {"fields": fields}})
    return found


def _same(head: bytes, _: str) -> bytes:
    return head


def _whole_rows(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Rows of a CSV file: a quoted text may hold line feeds, and quotes stand twice in it."""
    row = b""
    for line in lines:
        row += line
        if row.count(b'"') % 2 == 0:
            yield row
            row = b""


def write_workbook(flat: Path, path: Path, heading: str) -> None:
    """Write what `write_csv` has flattened into `flat` as a workbook that people read: sheets and columns by
    `sheets.csv`, codes in words. Text that a spreadsheet could take for a formula has an apostrophe before it. What
    exceeds a sheet goes on in another one; of a text that exceeds a cell the end is in the CSV file alone. `heading` is
    the first sheet."""
    book = Workbook(write_only=True)
    cover = book.create_sheet("Keterangan")
    for line in heading.splitlines():
        cover.append([_text(line)])
    words = {(row["column"], row["code"]): row["word"] for row in _own("words.csv")}
    described = json.loads((flat / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    types = {
        (Path(table["path"]).stem, field["name"]): field["type"]
        for table in described
        for field in table["schema"]["fields"]
    }
    columns: dict[str, list[dict[str, str]]] = {}
    for row in _own("sheets.csv"):
        columns.setdefault(row["table"], []).append(row)
    names = {each: _names(flat, each) for each in ("processes", "awards", "contracts", *_METRICS)}
    for table, own in columns.items():
        own = [each for each in own if each["column"] == "ocid" or (table, each["column"]) in types]
        rows, sheet, formats = MAX_ROWS, None, []
        for row in _rows(flat, table):
            if rows >= MAX_ROWS or sheet is None:
                sheet = _sheet(book, own, 1 + sum(name.startswith(own[0]["sheet"]) for name in book.sheetnames))
                formats = [_formatted(sheet, each, types.get((table, each["column"]), "")) for each in own]
                rows = 1
            cells: list[Any] = []
            for each, styled in zip(own, formats, strict=True):
                name = each["column"]
                if name == "ocid":
                    cells.append(names["processes"][row["_link" if table == "processes" else "_link_processes"]])
                elif name.startswith("_link_"):
                    cells.append(_text(names[name.removeprefix("_link_")].get(row[name], "")))
                else:
                    value = words.get((f"{table}.{name}", row[name])) or _cell(row[name], types[table, name])
                    # One cell serves a whole column: a row is written when it is appended.
                    styled.value = value
                    cells.append(styled if styled.has_style and value is not None else value)
            sheet.append(cells)
            rows += 1
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _rows(flat: Path, table: str) -> Iterator[dict[str, str]]:
    path = flat / "csv" / f"{table}.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _names(flat: Path, table: str) -> dict[str, str]:
    """What entries of a table are called where others point at them: the OCID of a process, the title of a metric."""
    name = {"processes": "ocid", **dict.fromkeys(_METRICS, "title")}.get(table, "id")
    return {row["_link"]: row.get(name) or row.get("id", "") for row in _rows(flat, table)}


def _sheet(book: Workbook, columns: list[dict[str, str]], number: int) -> Any:
    name = columns[0]["sheet"]
    sheet = book.create_sheet(name if number == 1 else f"{name} ({number})")
    sheet.freeze_panes = "A2"
    for place, each in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = _width(each)
    sheet.append([_bold(sheet, each["heading"]) for each in columns])
    return sheet


def _width(column: dict[str, str]) -> int:
    """In characters."""
    if column["column"].endswith(("title", "name", "description", "Details", "notes")):
        return 42
    return 26 if column["column"].endswith(("ocid", "id", "number")) else max(16, len(column["heading"]) + 2)


def _formatted(sheet: Any, column: dict[str, str], kind: str) -> Any:
    """A cell with the number format of a column: amounts in groups of three, days as Indonesians write them."""
    cell = WriteOnlyCell(sheet)
    if column["heading"].endswith("(Rp)"):
        cell.number_format = "#,##0"
    elif kind in ("date", "datetime"):
        cell.number_format = "dd/mm/yyyy hh:mm" if column["column"].endswith(_TIMED) else "dd/mm/yyyy"
    return cell


def _own(name: str) -> list[dict[str, str]]:
    content = (resources.files("reports.publication") / name).read_text(encoding="utf-8")
    return list(csv.DictReader(content.splitlines()))


def _cell(value: str, kind: str) -> Any:
    if not value:
        return None
    match kind:
        case "number":
            number = float(value)
            return int(number) if number.is_integer() else number
        case "boolean":
            return "ya" if value == "true" else "tidak"
        case "date" | "datetime":
            return datetime.fromisoformat(value).replace(tzinfo=None)  # Excel knows local times alone
        case _:
            return _text(value)


def _text(text: str) -> str:
    text = defused(ILLEGAL_CHARACTERS_RE.sub(" ", text))
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 30]} [... selanjutnya di CSV]"


def _bold(sheet: Any, title: str) -> Any:
    cell = WriteOnlyCell(sheet, title)
    cell.font = Font(bold=True)
    return cell
