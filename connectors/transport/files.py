"""A folder of dumps: the services' answers as JSON, JSON Lines, CSV or XLSX files, or other people's spreadsheets.

Rows are as in the file, unless settings map its columns (`ServiceSettings.columns`, `constants`, `ignore`).
"""

import csv
import datetime as dt
import io
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.transport.parse import Row, as_rows, decode, mapped, parse_json
from schemas.errors import SettingsError, StructureError
from schemas.service import Page
from schemas.settings import ServiceSettings

PAGE_ROWS = 5000


def pages(
    folder: str, names: Sequence[str], settings: ServiceSettings, year: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of a service's file, from the row number `cursor` on; no page at all where the folder holds no such file.

    `names` are the stems that the file may have, best first; the year may follow and numbers may precede them
    (`SPSE-TenderPengumuman2025.csv`, `35_1081_SPSE-....json`). `settings.file`, a path or glob below the folder, comes
    instead of them. `{year}` is replaced in both. `Page.observed_at` is the file's date.

    Raises SettingsError for a folder that isn't there or a choice that isn't clear, StructureError for a file that
    can't be read as what its name says, or that lacks a mapped column.
    """
    files = [
        (path, mapped(_read(path, settings), settings, path.name))
        for path in _find(Path(folder.replace("{year}", year)), names, settings, year)
    ]
    total = sum(len(rows) for _, rows in files)
    done, resumed = 0, int(cursor or 0)
    if resumed and resumed >= total:
        raise StructureError(f"the files of {names[0]} are shorter than when this fetch began; begin it anew")
    for path, rows in files:
        for start in range(0, len(rows), PAGE_ROWS):
            page = rows[start : start + PAGE_ROWS]
            done += len(page)
            if done > resumed:
                yield Page(page, str(done) if done < total else None, _date(path), path.name)
    if files and not total:
        yield Page([], None, _date(files[-1][0]), files[-1][0].name)


def _date(path: Path) -> str:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _find(folder: Path, names: Sequence[str], settings: ServiceSettings, year: str) -> list[Path]:
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}; set dumps (JEJAK_DUMPS) or the source's folder to one")
    if settings.file:
        pattern = settings.file.replace("{year}", year)
        if Path(pattern).is_absolute():
            raise SettingsError(f"the file of {names[0]} is an absolute path; give it relative to the source's folder")
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    stems: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _READERS and path.is_file():
            stem = re.sub(rf"^(?:\d+_)+|[-_ ]?{re.escape(year)}$", "", path.stem).casefold()
            stems.setdefault(stem, []).append(path)
    for name in names:
        found = stems.get(name.casefold(), [])
        if len(found) > 1:
            shown = ", ".join(path.name for path in found)
            raise SettingsError(f"{folder} has several files for {names[0]} ({shown}); name one as the service's file")
        if found:
            return found
    return []


def _read(path: Path, settings: ServiceSettings) -> list[Row]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SettingsError(f"{path.name} is none of {', '.join(_READERS)}; convert it or name another file")
    return reader(path, settings.sheet)


def _read_json(path: Path, _sheet: str | None) -> list[Row]:
    text = decode(path.read_bytes()).strip()
    if not text:
        return []
    # Not splitlines(): it also splits at characters that may stand inside JSON text.
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if path.suffix.lower() != ".json" or (len(lines) > 1 and lines[0].startswith("{") and lines[0].endswith("}")):
        return as_rows([parse_json(line, path.name) for line in lines], path.name)
    value = parse_json(text, path.name)
    if isinstance(value, dict):
        # `{"data": [...]}` and the like.
        lists = [part for part in value.values() if isinstance(part, list)]
        value = lists[0] if len(lists) == 1 else value
    return as_rows(value, path.name)


def _read_csv(path: Path, _sheet: str | None) -> list[Row]:
    text = decode(path.read_bytes())
    if text.lstrip().startswith("<"):
        raise StructureError(f"{path.name} holds an HTML or XML page, not CSV; export it again")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    csv.field_size_limit(sys.maxsize)
    try:
        return _table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise StructureError(f"{path.name} breaks as CSV ({error}); export it again") from None


def _read_xlsx(path: Path, sheet: str | None) -> list[Row]:
    # A third of a second, which only workbooks need.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
        if sheet is not None and sheet not in workbook.sheetnames:
            raise SettingsError(f"{path.name} has no sheet {sheet!r}; it has {', '.join(workbook.sheetnames)}")
        worksheet = workbook[sheet] if sheet is not None else workbook.worksheets[0]
        # Some programs write a wrong size into the sheet, which read-only mode would believe.
        worksheet.reset_dimensions()
        rows = _table([_cell(value) for value in row] for row in worksheet.iter_rows(values_only=True))
        workbook.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise StructureError(
            f"{path.name} can't be read as a workbook ({type(error).__name__}); open it and save it as .xlsx"
        ) from None
    return rows


_READERS = {".json": _read_json, ".jsonl": _read_json, ".ndjson": _read_json, ".csv": _read_csv, ".xlsx": _read_xlsx}


def _cell(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, dt.timedelta) else value


def _table(lines: Iterator[Sequence[object]]) -> list[Row]:
    """Rows of a table whose first line is the header. Blank lines are left out; cells without a header are kept."""
    header = [str(name).strip() if name is not None else "" for name in next(lines, [])]
    names: list[str] = []
    for number, name in enumerate(header, start=1):
        # A header that is empty or comes twice still names its own cells, visibly.
        names.append(name if name and name not in names else f"{name or 'column'}.{number}")
    rows = []
    for cells in lines:
        filled = [cell is not None and cell != "" for cell in cells]
        if not any(filled):
            continue
        row: Row = dict.fromkeys(name for name, title in zip(names, header, strict=True) if title)
        for number, cell in enumerate(cells):
            if number < len(header) and header[number]:
                row[names[number]] = cell
            elif filled[number]:
                row[names[number] if number < len(names) else f"column.{number + 1}"] = cell
        rows.append(row)
    return rows
