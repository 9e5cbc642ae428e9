"""Workbooks (XLSX, XLS, XLSB, ODS): every sheet that holds the list, as people fill them."""

import logging
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree import ElementTree

from connectors.transport.parse import Row
from connectors.transport.table import Header, Line, find_header, is_total, matches, plain_cell, table_rows
from schemas.errors import SettingsError, StructureError
from schemas.settings import ServiceSettings

log = logging.getLogger(__name__)

_OLE = b"\xd0\xcf\x11\xe0"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A formula whose result was never stored. The empty text is a result (t="str").
_UNSAVED = re.compile(
    rb'<c r="([A-Z]+)(\d+)"(?![^>]*t="str")[^>]*>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)


def workbook_rows(
    path: Path, known: Collection[str], measures: Collection[str], settings: ServiceSettings
) -> Iterator[tuple[str, Row]]:
    """Rows of a workbook, each with the name of what it was read from.

    Read are the sheet that settings name, or all that are visible and have the header of the one with most of the known
    titles; others are left out with a line in the log. Cells below a merged one have its value, but for `measures`
    (amounts and quantities), which would count more than once.

    Raises StructureError for what is no workbook, is encrypted, has no sheet with rows, or holds formulas without a
    stored result; SettingsError for a sheet that isn't there.
    """
    # A tenth of a second, which only workbooks need.
    import python_calamine as calamine

    unsaved = _unsaved_formulas(path)
    tables: dict[str, tuple[Header, list[Line]]] = {}
    try:
        with calamine.load_workbook(path) as workbook:
            visible = calamine.SheetVisibleEnum.Visible
            names = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == visible]
            if settings.sheet is not None:
                if settings.sheet not in workbook.sheet_names:
                    raise SettingsError(
                        f"{path.name} has no sheet {settings.sheet!r}; it has {', '.join(workbook.sheet_names)}"
                    )
                names = [settings.sheet]
            elif hidden := [name for name in workbook.sheet_names if name not in names]:
                log.warning("%s: hidden sheets are left out: %s", path.name, ", ".join(hidden))
            for name in names:
                sheet = workbook.get_sheet_by_name(name)
                cells: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
                lines: list[Line] = list(enumerate(cells, start=1))
                header = find_header(lines[:30], known, settings, f"{path.name}, sheet {name}")
                if once := _fill(cells, sheet.merged_cell_ranges or [], header, measures, settings):
                    log.warning(
                        "%s, sheet %s: %s in merged cells belongs to several rows and counts in the first of them",
                        path.name,
                        name,
                        ", ".join(once),
                    )
                if any(number > header.line and any(cell != "" for cell in row) for number, row in enumerate(cells, 1)):
                    tables[name] = header, lines
                elif settings.sheet is not None or header.titles:
                    tables.setdefault(name, (header, []))
    except calamine.PasswordError:
        raise StructureError(f"{path.name} is encrypted; save it without a password") from None
    except (calamine.CalamineError, OSError, ValueError) as error:
        with path.open("rb") as file:
            sealed = path.suffix.lower() != ".xls" and file.read(4) == _OLE
        remedy = "it is encrypted, or an old .xls by another name" if sealed else "it is damaged, or no workbook at all"
        raise StructureError(
            f"{path.name} can't be read as a workbook: {remedy} ({type(error).__name__}); open it in a spreadsheet "
            "program and save it anew, without a password"
        ) from None
    if not tables:
        raise StructureError(f"{path.name} has no sheet with a table; see by hand what it holds")
    best = max(tables, key=lambda name: (matches(tables[name][0].titles, known), bool(tables[name][1])))
    titles = {title for title in tables[best][0].titles if title}
    for name, (header, lines) in tables.items():
        shared = titles & set(header.titles)
        if len(shared) * 2 <= len(titles):
            if lines:
                log.warning("%s: sheet %s has another header than %s and is left out", path.name, name, best)
            continue
        shown = path.name if len(tables) == 1 else f"{path.name}, sheet {name}"
        _refuse_unsaved(lines, header, unsaved.get(name, []), settings, f"{path.name}, sheet {name}")
        plain: list[Line] = [(number, [_cell(cell) for cell in cells]) for number, cells in lines]
        for row in table_rows(plain, known, settings, shown, header):
            yield shown, row


def _cell(value: object) -> object:
    return None if value == "" else plain_cell(value)


def _fill(
    cells: list[list[object]],
    merged: list[tuple[tuple[int, int], tuple[int, int]]],
    header: Header,
    measures: Collection[str],
    settings: ServiceSettings,
) -> list[str]:
    """Give the cells of a merged range below the header its value; return the titles of measures, which keep it in the
    first of its rows alone."""
    once: dict[str, None] = {}
    columns = {column: field for field, column in settings.columns.items() if isinstance(column, str)}
    for (top, left), (bottom, right) in merged:
        if top < header.line or top >= len(cells) or is_total(cells[top]):
            continue
        for column in range(left, right + 1):
            title = header.titles[column] if column < len(header.titles) else ""
            if column == left and bottom > top and columns.get(title, title) in measures:
                once[title] = None
            if column > left or columns.get(title, title) in measures:
                continue
            for row in range(top + 1, min(bottom + 1, len(cells))):
                if column < len(cells[row]):
                    cells[row][column] = cells[top][left]
    return list(once)


def _refuse_unsaved(
    lines: list[Line], header: Header, unsaved: list[tuple[int, int, str]], settings: ServiceSettings, shown: str
) -> None:
    """Raise StructureError where a cell that is wanted holds a formula without a result."""
    by_row = {number: cells for number, cells in lines if not isinstance(cells, dict)}
    wanted = [
        cell
        for row, column, cell in unsaved
        if row > header.line
        and row in by_row
        and not is_total(by_row[row])
        and column < len(header.titles)
        and header.titles[column]
        and header.titles[column] not in settings.ignore
    ]
    if wanted:
        more = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
        raise StructureError(
            f"{shown}: the formula in {wanted[0]}{more} has no stored result; open the workbook in a spreadsheet "
            "program and save it, or add the column to ignore"
        )


def _unsaved_formulas(path: Path) -> dict[str, list[tuple[int, int, str]]]:
    """Row, column (from 0) and name of the cells of each sheet whose formula has no stored result; none where the file
    can't be looked into: reading it shows why."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return {}
    try:
        with zipfile.ZipFile(path) as parts:
            relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
            targets = {each.get("Id"): str(each.get("Target")) for each in relations}
            found: dict[str, list[tuple[int, int, str]]] = {}
            for sheet in ElementTree.fromstring(parts.read("xl/workbook.xml")).iterfind(".//{*}sheet"):
                target = targets.get(sheet.get(_RELATION), "")
                name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                content = parts.read(name) if name in parts.namelist() else b""
                if b"<f" in content:
                    found[str(sheet.get("name"))] = [
                        (int(row), _column(letters.decode()), f"{letters.decode()}{row.decode()}")
                        for letters, row in _UNSAVED.findall(content)
                    ]
            return found
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ElementTree.ParseError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ):
        return {}


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
