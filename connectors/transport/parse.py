"""What the sources send, as rows: JSON in pieces (raw control characters, stray bytes and NaN are taken) and the
mapping of columns to our fields."""

import codecs
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import orjson

from schemas.errors import StructureError
from schemas.service import UNREADABLE
from schemas.settings import ServiceSettings, SplitColumn

Row = dict[str, object]

PAGE_ROWS = 5000
"""Rows of one page, where a source sends its list whole."""

_DEEPEST = 64
_PIECE = 1 << 18
# One value that is longer than this (characters) is no row: it would only fill the memory.
_LONGEST = 1 << 26
# What is read whole; the parser takes twelve times as much memory while it reads.
_KEPT = 16 << 20
_SHOWN = 20_000
_DIGITS = 4000
# What may be left of a literal or number where a piece of text ends, `-Infinity` at most.
_CUT = 10
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_BLANK = re.compile(r"[ \t\r\n]*")
_SPACED = re.compile(rb'"[ \t\r\n]+:')


class BrokenJson(StructureError):
    """Text that begins as JSON and doesn't end as such: cut off on the way, or written wrongly."""


class _Text(Protocol):
    def read(self, size: int = ..., /) -> str: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of rows as a source sent it, alone or inside an object.

    `members` are the object's other members; `bare`: there is no object. `rows` reads the rows as often as it is
    called; `count` is their number, None where the object has no such list. `headers` are those of the answer.
    """

    members: Mapping[str, object]
    bare: bool
    count: int | None
    rows: Callable[[], Iterator[Row]]
    headers: Mapping[str, str] = field(default_factory=dict)


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("jejak-cp1252", _as_cp1252)


def decode(body: bytes) -> str:
    """UTF-8 text without its byte order mark; bytes that are not UTF-8 are read one by one as Windows' cp1252."""
    return body.decode("utf-8-sig", "jejak-cp1252")


def unreadable(line: int, reason: str, text: str) -> Row:
    """The row that stands for one that could not be read, with the number of its line or row."""
    return {UNREADABLE: {"line": line, "reason": reason, "text": text[:_SHOWN]}}


def is_readable(row: Row) -> bool:
    """Whether a row is one, and not the stand-in for one that could not be read."""
    return UNREADABLE not in row


def _object(pairs: list[tuple[str, object]]) -> Row:
    """An object; of a key that comes twice the last value counts, and others stay beside it under `key.position`."""
    found = dict(pairs)
    if len(found) < len(pairs):
        others = {f"{key}.{at}": value for at, (key, value) in enumerate(pairs, 1) if value != found[key]}
        found.update(others)
    return found


def _constant(name: str) -> str | None:
    """NaN is how many programs write what is missing; infinity stays a word, which no field of numbers takes."""
    return None if name == "NaN" else name


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _DIGITS else digits


def _decimal(digits: str) -> float | str:
    number = float(digits)
    return number if abs(number) != float("inf") else digits


# strict=False: line ends and tabs stand raw inside text.
_DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_decimal,
)


def _scan(text: _Text, shown: str) -> Iterator[tuple[str | None, str, object]]:
    """The parts of a JSON array or object: ("name", "value", ...), and of a list first ("name", "list", None), then
    ("name", "row", ...) for each of its rows. The name is None where the array is all there is.

    Raises as `read_json`. The memory needed is that of a row, not that of the text.
    """
    buffer, at, read = "", 0, 0

    def more() -> bool:
        nonlocal buffer, at, read
        piece = text.read(max(_PIECE, len(buffer) - at))
        buffer, at = buffer[at:] + piece, 0
        read += len(piece)
        return bool(piece)

    def broken() -> BrokenJson:
        return BrokenJson(f"{shown} holds JSON that breaks at character {read - len(buffer) + at}; get it again")

    def coming() -> str:
        """The next character that is no blank; none at the end."""
        nonlocal at
        while True:
            blank = _BLANK.match(buffer, at)
            at = blank.end() if blank else at
            if at < len(buffer):
                return buffer[at]
            if not more():
                return ""

    def expect(*wanted: str) -> str:
        nonlocal at
        if (found := coming()) not in wanted or not found:
            raise broken()
        at += 1
        return found

    def value(number: int | None = None) -> object:
        """The value that comes; that of row `number` may be nested too deep."""
        nonlocal at
        coming()
        deep = False
        while True:
            end = None
            try:
                found, end = (None, _end_of_nest(buffer, at)) if deep else _DECODER.raw_decode(buffer, at)
            except RecursionError:
                deep = True
                continue
            except json.JSONDecodeError as error:
                cut = error.msg.startswith(("Unterminated", "Invalid \\")) or error.pos >= len(buffer) - _CUT
                if not cut:
                    at = error.pos
                    raise broken() from None
            if end is None or end == len(buffer):
                if len(buffer) - at > _LONGEST:
                    raise broken()
                if more():
                    continue
                if end is None:
                    raise broken()
            start, at = at, end
            # Few brackets make no deep nest; counting them is quicker than looking into every row.
            nested = buffer.count("[", start, end) + buffer.count("{", start, end) > _DEEPEST
            if deep or (nested and _too_deep(found)):
                if number is None:
                    raise BrokenJson(f"{shown} holds a nest too deep to be read; get it again")
                return unreadable(number, "nested too deep", buffer[start : min(end, start + _SHOWN)])
            return found

    def rows(name: str | None) -> Iterator[tuple[str | None, str, object]]:
        nonlocal at
        expect("[")
        yield name, "list", None
        number = tried = 0
        if coming() == "]":
            at += 1
            return
        while True:
            # All whole rows of a piece at once. Where the piece does not end with one (its last "}," stands inside a
            # text, say) that fails, and they are read one by one.
            end = buffer.rfind("},", at) if tried != read else -1
            tried = read
            if end != -1 and (plain := _plain_rows(f"[{buffer[at : end + 1]}]".encode())) is not None:
                yield from ((name, "row", row) for row in plain)
                number, at = number + len(plain), end + 2
            number += 1
            yield name, "row", value(number)
            if expect(",", "]") == "]":
                return

    start = coming()
    if start not in ("[", "{") or not start:
        kind = "an HTML or XML page" if start == "<" else "plain text"
        raise StructureError(f"{shown} holds {kind} where JSON is due; open it by hand to see what it holds")
    if start == "[":
        yield from rows(None)
    else:
        expect("{")
        while coming() != "}":
            name = str(value())
            expect(":")
            if coming() == "[":
                yield from rows(name)
            else:
                yield name, "value", value()
            if coming() == ",":
                at += 1
                if coming() == "}":
                    raise broken()
            elif coming() != "}":
                raise broken()
        at += 1
    if coming():
        raise broken()


def _end_of_nest(text: str, start: int) -> int | None:
    depth = 0
    for token in _BRACKETS.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return None


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def read_json(file: BinaryIO, size: int, shown: str, name: str | None = None) -> Listing:
    """The list of rows that a file of `size` bytes holds: the whole, or the member `name` of an object; with `name`
    None its only list. Rows are read again from the file where it is large.

    NaN is null, a number too long stays text, and a row nested too deep is one that could not be read (`UNREADABLE`).
    Raises StructureError for what is not JSON at all (an HTML page, an error word) and BrokenJson for broken JSON,
    before any row is handed over. Errors quote nothing of the text: an error page may repeat the address that was asked
    for, key and all. `shown` names the text in errors.
    """

    if size <= _KEPT:
        file.seek(0)
        if (plain := _plain_rows(file.read())) is not None:
            return Listing({}, True, len(plain), lambda: iter(plain))

    def text() -> _Text:
        file.seek(0)
        return codecs.getreader("utf-8-sig")(file, "jejak-cp1252")

    members: dict[str, object] = {}
    lists: dict[str | None, int] = {}
    kept: dict[str | None, list[object]] = {}
    for part, kind, value in _scan(text(), shown):
        if kind == "value":
            members[str(part)] = value
        elif kind == "list":
            lists[part], kept[part] = 0, []
        else:
            lists[part] += 1
            if size <= _KEPT:
                kept[part].append(value)
    chosen: str | None = name
    if None in lists:
        chosen = None
    elif name is None and len(lists) == 1:
        (chosen,) = lists
    if chosen not in lists:
        members |= {str(part): values for part, values in kept.items()}
        return Listing(members, False, None, lambda: iter(()))
    members |= {str(part): values for part, values in kept.items() if part != chosen}

    def rows() -> Iterator[Row]:
        if size <= _KEPT:
            return _objects(kept[chosen], shown)
        parts = _scan(text(), shown)
        return _objects((value for part, kind, value in parts if kind == "row" and part == chosen), shown)

    return Listing(members, chosen is None, lists[chosen], rows)


def _plain_rows(body: bytes) -> list[Row] | None:
    """The rows of a bare list, by a parser that is several times as fast; None where it might read them otherwise."""
    try:
        rows = orjson.loads(body)
    except ValueError:
        return None
    if type(rows) is not list:
        return None
    names = 0
    for row in rows:
        if type(row) is not dict:
            return None
        kinds = {*map(type, row.values())}
        if not kinds.isdisjoint((list, dict)) or (
            # Whole numbers of more than 64 bits have become decimals.
            float in kinds and any(type(each) is float and abs(each) >= 2**63 for each in row.values())
        ):
            return None
        names += len(row)
    # Of a name that comes twice in a row one value is lost: with as many names as there are, none does.
    return rows if body.count(b'":') == names and not _SPACED.search(body) else None


def _objects(values: Iterable[object], shown: str) -> Iterator[Row]:
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise StructureError(f"{shown} holds a {type(value).__name__} as row {number} where an object is due")
        yield value


def parse_row(line: str) -> object:
    """The value of one line. Raises ValueError for what is no JSON, RecursionError for what is nested too deep."""
    value = _DECODER.decode(line)
    if _too_deep(value):
        raise RecursionError
    return value


def paged(rows: Iterable[Row]) -> Iterator[tuple[list[Row], int, bool]]:
    """Rows by pages, with the number of rows up to the end of each, and whether more follow. No row makes one page."""
    page: list[Row] = []
    done = 0
    for row in rows:
        if len(page) == PAGE_ROWS:
            yield page, done, True
            page = []
        page.append(row)
        done += 1
    yield page, done, False


def mapped(rows: list[Row], settings: ServiceSettings, shown: str, seen: Collection[str] = ()) -> list[Row]:
    """The rows under our field names: columns mapped, split, left out and added by the settings.

    `seen` are columns that earlier pages of the same answer had. Raises StructureError where a mapped column is neither
    there nor in any row here.
    """
    if rows and any(name != name.strip() for name in rows[0]):
        rows = [{name.strip(): value for name, value in row.items()} for row in rows]
    if not (settings.columns or settings.constants or settings.ignore):
        return rows
    plain = {field: part for field, part in settings.columns.items() if isinstance(part, str)}
    split = {field: part for field, part in settings.columns.items() if isinstance(part, SplitColumn)}
    used = {*plain.values(), *(part.column for part in split.values())}
    there = {name for row in rows for name in row} - {UNREADABLE}
    if there and (missing := used - there - set(seen)):
        raise StructureError(
            f"{shown} lacks the mapped columns {', '.join(sorted(missing))}; mend the file or the mapping in settings"
        )
    dropped = used | set(settings.ignore)
    return [
        row
        if not is_readable(row)
        else {
            **{name: value for name, value in row.items() if name not in dropped},
            **{field: row.get(column) for field, column in plain.items()},
            **{field: _part(row.get(part.column), part) for field, part in split.items()},
            **settings.constants,
        }
        for row in rows
    ]


def _part(value: object, wanted: SplitColumn) -> str | None:
    parts = str(value).split(wanted.split) if value is not None else []
    return parts[wanted.part] if wanted.part < len(parts) else None
