"""CSV in the dialects in which databases, spreadsheets and people write it."""

import codecs
import csv
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator

from connectors.transport.parse import decode, unreadable
from connectors.transport.table import Line, matches
from schemas.errors import SettingsError, StructureError
from schemas.settings import ServiceSettings

_DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# How databases and programs write nothing.
_NOTHING = {"null", "Null", "NULL", "(null)", "(NULL)", "<null>", "<NULL>", r"\N", "None", "NaN", "nan", "#N/A"}
# No record of a healthy file has more lines than this inside its quotes.
_LONGEST = 2000
_SEP = re.compile(r"sep=(.)\s*")


def text_of(body: bytes, encoding: str | None, shown: str) -> str:
    """The text of a file: by the setting, by its byte order mark, by the zeros of UTF-16, else UTF-8 or cp1252.

    Raises SettingsError for an encoding that doesn't exist or doesn't fit.
    """
    if encoding is not None:
        try:
            return body.decode(encoding)
        except (LookupError, UnicodeError):
            raise SettingsError(
                f"{shown} can't be read as {encoding!r}; set encoding to what it is written in"
            ) from None
    for mark, name in _MARKS:
        if body.startswith(mark):
            return decode(body) if name == "utf-8-sig" else body.decode(name, "replace")
    head = body[:400]
    if head.count(0) > len(head) // 4:
        return body.decode("utf-16-be" if head[:1] == b"\0" else "utf-16-le", "replace")
    return decode(body)


def lines_of(text: str, known: Collection[str], settings: ServiceSettings, shown: str) -> Iterator[Line]:
    """The records of a CSV file, each with the number of its first line; one that is broken stands for itself.

    The delimiter is that of the settings, of a first line `sep=;`, or the one that parts known titles, or most lines
    alike. Quotes inside quotes are doubled or escaped (`\\"`), as the file has it. Words for nothing (`NULL`, `\\N`)
    are None. Raises StructureError for a page of HTML or XML.
    """
    if text.lstrip().startswith("<"):
        raise StructureError(f"{shown} holds an HTML or XML page, not CSV; export it again")
    if not text.strip():
        return
    csv.field_size_limit(sys.maxsize)
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    start = 0
    delimiter = settings.delimiter
    if found := _SEP.fullmatch(lines[0]):
        delimiter, start = delimiter or found[1], 1
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=lambda sign: _parting(lines[start : start + 20], sign, known))
    sign = re.escape(delimiter)
    escaped = re.search(rf'[^\\{sign}\r\n](?:\\\\)*\\"(?!"|\s*(?:{sign}|[\r\n]|\Z))', text) is not None
    width = 0
    at = start
    while at < len(lines):
        broken = None
        for record, first, used in _records(lines, at, delimiter, escaped=escaped):
            if width and len(record) > width and '\\"' in "".join(lines[first : first + used]):
                # It may be that this line alone is of the other dialect.
                other = next(_records(lines, first, delimiter, escaped=not escaped), None)
                if other and len(other[0]) == width:
                    yield first + 1, _cells(other[0])
                    at = first + other[2]
                    break
            width = max(width, len(record)) if first < start + 20 else width
            yield first + 1, _cells(record)
            at = first + used
        else:
            if at < len(lines):
                broken = at
        if broken is not None:
            other = next(_records(lines, at, delimiter, escaped=not escaped), None)
            if other and len(other[0]) == width:
                yield at + 1, _cells(other[0])
                at += other[2]
            else:
                yield (
                    at + 1,
                    unreadable(at + 1, "broken as CSV: a quote stands where none may", lines[at].rstrip("\r\n")),
                )
                at += 1


def _parting(lines: list[str], sign: str, known: Collection[str]) -> tuple[int, int, int]:
    """How well a delimiter parts the first lines: titles that are known, lines of one width, that width."""
    titles = max(matches(next(csv.reader([line], delimiter=sign), []), known) for line in lines)
    counts = Counter(re.sub(r'"[^"]*"', "", line).count(sign) for line in lines)
    del counts[0]
    width, alike = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return titles, alike, width


def _records(lines: list[str], start: int, delimiter: str, *, escaped: bool) -> Iterator[tuple[list[str], int, int]]:
    """Records from a line on, with the place of their first line and the number of their lines, to the first that is
    broken."""
    taken = start
    begun = start

    def feed() -> Iterator[str]:
        nonlocal taken
        while taken < len(lines) and taken - begun < _LONGEST:
            line = lines[taken]
            taken += 1
            if escaped:
                line = re.sub(rf"(^|[{re.escape(delimiter)}])\\N(?=[{re.escape(delimiter)}\r\n]|\Z)", r"\1", line)
            yield line

    reader = csv.reader(feed(), delimiter=delimiter, strict=True, escapechar="\\" if escaped else None)
    try:
        for record in reader:
            yield record, begun, taken - begun
            begun = taken
    except csv.Error:
        return


def _cells(record: list[str]) -> list[object]:
    return [None if cell in _NOTHING else cell for cell in record]
