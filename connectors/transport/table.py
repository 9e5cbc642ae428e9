"""Tables as people make them: titles above the header, a header in two rows, numbered columns, totals below."""

import datetime as dt
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from typing import NamedTuple

from connectors.transport.parse import Row
from schemas.errors import SettingsError
from schemas.settings import ServiceSettings, SplitColumn

log = logging.getLogger(__name__)

Cells = Sequence[object]
Line = tuple[int, Cells | Row]
"""The number of a line or row, from 1, and its cells; or the row that stands for one that can't be read."""

# As far down as a header is looked for.
_TITLES = 30
# What is said of a sum, and is no name of anything by itself: `JUMLAH KESELURUHAN`, `Total Pagu Anggaran 2025 (Rp)`.
_OF_SUMS = (
    r"keseluruhan|seluruhnya|umum|besar|akhir|pagu|anggaran|nilai|harga|biaya|hps|kontrak|realisasi|belanja|dana|usulan"
    r"|paket|pekerjaan|kegiatan|per|tahun|kecamatan|desa|kelurahan|\d+|\(?rp\.?\)?"
)
_TOTAL = re.compile(rf"(grand|sub)?[ -]?(jumlah|total)( ({_OF_SUMS}))*[ :]*", re.IGNORECASE)
_COLUMN_NUMBER = re.compile(r"\(?(\d{1,3})\)?")


class Header(NamedTuple):
    """The title of each column, empty where it has none, and the number of the last line of the header."""

    titles: list[str]
    line: int

    @property
    def names(self) -> list[str]:
        """What cells go by: a header that is empty or comes twice still names its own cells, visibly."""
        names: list[str] = []
        for number, title in enumerate(self.titles, start=1):
            names.append(title if title and title not in names else f"{title or 'column'}.{number}")
        return names


def known_names(settings: ServiceSettings, fields: Collection[str]) -> set[str]:
    """The column titles by which a header is found: those of the settings, or the fields' own names."""
    mapped = (part.column if isinstance(part, SplitColumn) else part for part in settings.columns.values())
    return {_plain(name) for name in chain(mapped, settings.ignore, fields)}


def matches(titles: Iterable[object], known: Collection[str]) -> int:
    """How many of the titles are known."""
    return len({_plain(title) for title in titles} & set(known))


def find_header(lines: Sequence[Line], known: Collection[str], settings: ServiceSettings, shown: str) -> Header:
    """The header of a table that begins with these lines: the row that settings name, else the one with most of the
    known titles, else the first with more than one cell. Two rows are one header where the lower names parts of what
    the upper spans.

    Raises SettingsError where the settings name a row that is not there.
    """
    rows = [(number, cells) for number, cells in lines if not isinstance(cells, dict) and any(map(_filled, cells))]
    if settings.header_row is not None:
        wanted = [settings.header_row] if isinstance(settings.header_row, int) else settings.header_row
        chosen = [cells for number, cells in rows if number in wanted]
        if len(chosen) < len(wanted):
            raise SettingsError(f"{shown} has no row {wanted} to be its header; set header_row to the one that is")
        titles = [_title(cell) for cell in chosen[0]]
        for lower in chosen[1:]:
            titles = _joined(titles, lower, known)
        return Header(titles, max(wanted))
    if not rows:
        return Header([], 0)
    best = next((at for at, (_, cells) in enumerate(rows) if sum(map(_filled, cells)) > 1), 0)
    found = [matches(cells, known) for _, cells in rows]
    # One cell that reads like a title may stand in any row.
    if max(found) > max(found[best], 1):
        best = found.index(max(found))
    if best and _is_second(rows[best - 1][1], rows[best][1]):
        best -= 1
    number, cells = rows[best]
    titles = [_title(cell) for cell in cells]
    if best + 1 < len(rows) and _is_second(cells, rows[best + 1][1]):
        number = rows[best + 1][0]
        titles = _joined(titles, rows[best + 1][1], known)
    return Header(titles, number)


def _is_second(upper: Cells, lower: Cells) -> bool:
    """Whether the lower row names the parts of columns that the upper one spans."""
    width = max(len(upper), len(lower))
    above = [_title(upper[at]) if at < len(upper) else "" for at in range(width)]
    below = [_title(lower[at]) if at < len(lower) else "" for at in range(width)]
    if any(_filled(cell) and (not isinstance(cell, str) or any(map(str.isdigit, cell))) for cell in lower):
        return False
    parts = [at for at in range(1, width) if below[at] and not above[at]]
    spans = all(below[at - 1] for at in parts)
    whole = sum(1 for at in range(width) if above[at] and not below[at])
    both = sum(1 for at in range(width) if above[at] and below[at])
    # A title above the header is one cell.
    return bool(parts) and spans and whole + both > 1 and whole >= both


def _joined(upper: Sequence[str], lower: Cells, known: Collection[str]) -> list[str]:
    """The titles of a header in two rows: the lower alone where it is known, else both."""
    titles: list[str] = []
    span = ""
    for at in range(max(len(upper), len(lower))):
        above, below = upper[at] if at < len(upper) else "", _title(lower[at]) if at < len(lower) else ""
        span = above or (span if below else "")
        titles.append(below if below and (not span or _plain(below) in known) else f"{span} {below}".strip())
    return titles


def table_rows(
    lines: Iterable[Line], known: Collection[str], settings: ServiceSettings, shown: str, header: Header | None = None
) -> Iterator[Row]:
    """Rows of a table with its header. Blank lines are left out, totals and a row of column numbers too; cells without
    a title are kept."""
    lines = iter(lines)
    if header is None:
        head = list(islice(lines, _TITLES))
        lines = chain(head, lines)
        header = find_header(head, known, settings, shown)
    names = header.names
    first = True
    for number, cells in lines:
        if isinstance(cells, dict):
            yield cells
            continue
        filled = list(map(_filled, cells))
        if number <= header.line or not any(filled):
            continue
        if first and _numbers_columns(cells):
            log.info("%s: row %d numbers the columns and is left out", shown, number)
            continue
        first = False
        if is_total(cells):
            log.warning("%s: row %d is a total and left out", shown, number)
            continue
        row: Row = dict.fromkeys(name for name, title in zip(names, header.titles, strict=True) if title)
        for at, cell in enumerate(cells):
            if at < len(names) and header.titles[at]:
                row[names[at]] = cell
            elif filled[at]:
                row[names[at] if at < len(names) else f"column.{at + 1}"] = cell
        yield row


def is_total(cells: Cells) -> bool:
    """Whether a row is the sum of those above it."""
    first = next((cell for cell in cells if isinstance(cell, str) and cell.strip()), "")
    return _TOTAL.fullmatch(" ".join(str(first).split())) is not None


def _numbers_columns(cells: Cells) -> bool:
    """Whether a row only numbers the columns: (1), (2), (3) ... Bare numbers may be a row's own where they are few."""
    texts = [str(plain_cell(cell)).strip() for cell in cells if _filled(cell)]
    numbers = [number for text in texts if (number := _COLUMN_NUMBER.fullmatch(text))]
    bare = any(text.isdigit() for text in texts)
    return len(texts) >= (5 if bare else 2) and [int(number[1]) for number in numbers] == list(range(1, len(texts) + 1))


def plain_cell(value: object) -> object:
    """A cell as JSON can hold it."""
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        if value != value:  # NaN
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return f"{value.isoformat()} 00:00:00"
    if isinstance(value, dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): plain_cell(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_cell(part) for part in value]
    return value if value is None or isinstance(value, str | int) else str(value)


def _filled(cell: object) -> bool:
    return cell is not None and cell != ""


def _title(cell: object) -> str:
    return " ".join(str(cell).split()) if _filled(cell) else ""


def _plain(title: object) -> str:
    return _title(title).casefold()
