"""A folder of dumps: the services' answers as JSON, JSON Lines, CSV, Parquet or workbooks, or other people's tables.

Rows are as in the file, unless settings map its columns (`ServiceSettings.columns`, `constants`, `ignore`). What can't
be found out is set: `file = "rekap/*.xlsx"`, `sheet = "Kec. Kota"`, `header_row = 4`, `delimiter = "|"`,
`encoding = "utf-16"`.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

from connectors.transport.belief import failure, total_of
from connectors.transport.delimited import lines_of, text_of
from connectors.transport.parse import Listing, Row, mapped, paged, parse_row, read_json, unreadable
from connectors.transport.table import known_names, plain_cell, table_rows
from connectors.transport.workbook import workbook_rows
from schemas.errors import SettingsError, StructureError
from schemas.service import Page, Service
from schemas.settings import ServiceSettings


class _Wanted(NamedTuple):
    """What is known of the rows before they are read: the columns' possible names, and which are amounts."""

    names: set[str]
    measures: set[str]
    settings: ServiceSettings


def pages(folder: str, names: Sequence[str], service: Service, settings: ServiceSettings, year: str) -> Iterator[Page]:
    """Pages of a service's file; no page at all where the folder holds no such file.

    `names` are the stems that the file may have, best first; the year may follow and numbers may precede them
    (`SPSE-TenderPengumuman2025.csv`, `35_1081_SPSE-....json`), or they are folders with one a year
    (`SPSE-TenderPengumuman/2025/data.parquet`). `settings.file`, a path or glob below the folder, comes instead of
    them. `{year}` is replaced in both. `Page.observed_at` is the file's date, in the form of UTC.

    Raises SettingsError for a folder that isn't there, a choice that isn't clear or a path that leads out of the
    folder, StructureError for a file that can't be read as what its suffix names, or that lacks a mapped column.
    """
    fields = service.model.model_fields
    wanted = _Wanted(
        known_names(settings, {*fields, *service.aliases}),
        {name for name, field in fields.items() if "float" in repr(field.annotation)},
        settings,
    )
    found = _find(Path(folder.replace("{year}", year)), names, settings, year)
    parts = chain.from_iterable(_parts(path, wanted) for path in found)
    waiting: Page | None = None
    done = 0
    for page in parts:
        if waiting is not None:
            done += len(waiting.rows)
            yield Page(waiting.rows, str(done), waiting.observed_at, waiting.name)
        waiting = page
    if waiting is not None:
        yield waiting


def _parts(path: Path, wanted: _Wanted) -> Iterator[Page]:
    """The pages of a file, of a workbook sheet by sheet."""
    date = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SettingsError(f"{path.name} is none of {', '.join(_READERS)}; convert it or name another file")
    empty = True
    for name, rows in groupby(reader(path, wanted), key=lambda part: part[0]):
        seen: set[str] = set()
        for page, _, _ in paged(row for _, row in rows):
            empty = False
            yield Page(mapped(page, wanted.settings, name, seen), None, date, name)
            if wanted.settings.columns:
                seen.update(column for row in page for column in row)
    if empty:
        yield Page([], None, date, path.name)


def inside(path: Path, folder: Path) -> bool:
    """Whether a path, all links followed, lies inside the folder."""
    return path.resolve().is_relative_to(folder.resolve())


def _find(folder: Path, names: Sequence[str], settings: ServiceSettings, year: str) -> list[Path]:
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}; set dumps (JEJAK_DUMPS) or the source's folder to one")
    if settings.file:
        pattern = settings.file.replace("{year}", year)
        if Path(pattern).is_absolute():
            raise SettingsError(f"the file of {names[0]} is an absolute path; give it relative to the source's folder")
        if ".." in Path(pattern).parts:
            raise SettingsError(f"the file of {names[0]} leads out of the source's folder (..); set the folder instead")
        return _allowed([path for path in folder.glob(pattern) if path.is_file()], folder, names[0])
    stems: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        if path.suffix.lower() in _READERS and path.is_file():
            stem = re.sub(rf"^(?:\d+_)+|[-_ ]?{re.escape(year)}$", "", path.stem).casefold()
            stems.setdefault(stem, []).append(path)
        elif path.is_dir():
            inner = [each for each in (path / year).glob("*.*") if each.suffix.lower() in _READERS and each.is_file()]
            stems.setdefault(path.name.casefold(), []).extend(inner)
    for name in names:
        found = _allowed(stems.get(name.casefold(), []), folder, names[0])
        if len(found) > 1:
            shown = ", ".join(path.name for path in found)
            raise SettingsError(f"{folder} has several files for {names[0]} ({shown}); name one as the service's file")
        if found:
            return found
    return []


def _allowed(paths: list[Path], folder: Path, name: str) -> list[Path]:
    """The files in order, without those that programs keep beside a file that is open (`~$...xlsx`)."""
    kept = sorted(path for path in paths if not path.name.startswith(("~$", ".~lock")))
    for path in kept:
        if not inside(path, folder):
            raise SettingsError(
                f"{path.name}, a file of {name}, is a link that leads out of {folder}; put the file itself there"
            )
    return kept


def _read_json(path: Path, wanted: _Wanted) -> Iterator[tuple[str, Row]]:
    with path.open("rb") as file:
        head = file.read(1 << 20)
        if not head.strip(b"\xef\xbb\xbf \t\r\n") and len(head) < 1 << 20:
            return
        # Only at line ends of their own: others may stand inside JSON text.
        begun = [line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2) if line.strip()]
        if path.suffix.lower() != ".json" or (
            len(begun) > 1 and begun[0].startswith(b"{") and begun[0].endswith(b"}") and begun[1].startswith(b"{")
        ):
            file.seek(0)
            yield from ((path.name, row) for row in _json_lines(file, path.name))
            return
        listing = read_json(file, path.stat().st_size, path.name)
        if listing.count is None:
            raise StructureError(
                f"{path.name} holds a dict where a list of rows is due; open it by hand to see what it holds"
            )
        _refuse_failure(listing, path.name, wanted.settings)
        yield from ((path.name, row) for row in listing.rows())


def _refuse_failure(listing: Listing, name: str, settings: ServiceSettings) -> None:
    """Refuse a kept answer that reports a failure or holds less than the whole list."""
    found = failure(listing.members)
    if found is not None:
        raise StructureError(
            f"{name} is an answer that reports a failure ({found.member}){found.message}; get it again"
        )
    members = listing.members
    meta = members["meta"] if isinstance(members.get("meta"), dict) else {}
    total = total_of(members, meta, members.get("pagination"))
    if settings.check_total and settings.file is None and total is not None and total != listing.count:
        raise StructureError(
            f"{name} has {total} rows by its own count and holds {listing.count}; get the other pages too and name all "
            "of them as file, or set check_total = false if `total` counts something else"
        )


def _json_lines(file: Iterator[bytes], name: str) -> Iterator[Row]:
    good = False
    for number, body in enumerate(file, start=1):
        line = body.decode("utf-8-sig", "jejak-cp1252").strip()
        if not line:
            continue
        if line.startswith("<") and not good:
            raise StructureError(
                f"{name} holds an HTML or XML page where JSON is due; open it by hand to see what it holds"
            )
        try:
            row = parse_row(line)
        except (ValueError, RecursionError) as error:
            deep = isinstance(error, RecursionError)
            yield unreadable(number, "nested too deep" if deep else "broken as JSON", line)
            continue
        if not isinstance(row, dict):
            raise StructureError(f"{name} holds a {type(row).__name__} as row {number} where an object is due")
        good = True
        yield row


def _read_csv(path: Path, wanted: _Wanted) -> Iterator[tuple[str, Row]]:
    text = text_of(path.read_bytes(), wanted.settings.encoding, path.name)
    lines = lines_of(text, wanted.names, wanted.settings, path.name)
    yield from ((path.name, row) for row in table_rows(lines, wanted.names, wanted.settings, path.name))


def _read_workbook(path: Path, wanted: _Wanted) -> Iterator[tuple[str, Row]]:
    yield from workbook_rows(path, wanted.names, wanted.measures, wanted.settings)


def _read_parquet(path: Path, _wanted: _Wanted) -> Iterator[tuple[str, Row]]:
    # Half a second, which only Parquet needs.
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(1000):
                for row in batch.to_pylist():
                    # An index that pandas wrote along is no column.
                    yield (
                        path.name,
                        {
                            name: plain_cell(value)
                            for name, value in row.items()
                            if not name.startswith("__index_level")
                        },
                    )
    except (pyarrow.ArrowException, OSError) as error:
        raise StructureError(f"{path.name} can't be read as Parquet ({type(error).__name__}); get it again") from None


_READERS: dict[str, Callable[[Path, _Wanted], Iterator[tuple[str, Row]]]] = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _read_json),
    **dict.fromkeys((".csv", ".tsv"), _read_csv),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), _read_workbook),
    ".parquet": _read_parquet,
}
