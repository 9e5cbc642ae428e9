"""What the sources send, as rows: JSON (raw control characters and stray bytes are taken, what is no number is not) and
the mapping of columns to our fields."""

import codecs
import json
import math
from collections.abc import Collection
from typing import NoReturn

from schemas.errors import StructureError
from schemas.settings import ServiceSettings, SplitColumn

Row = dict[str, object]


class BrokenJson(StructureError):
    """Text that begins as JSON and doesn't end as such: cut off on the way, or written wrongly."""


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("jejak-cp1252", _as_cp1252)


def decode(body: bytes) -> str:
    """UTF-8 text without its byte order mark; bytes that are not UTF-8 are read one by one as Windows' cp1252."""
    return body.decode("utf-8-sig", "jejak-cp1252")


def _refuse_constant(name: str) -> NoReturn:
    raise ArithmeticError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_constant("Infinity")


def parse_json(text: str, shown: str) -> object:
    """The value that the text holds, integers with all their digits. `shown` names the text in errors.

    Raises StructureError for what is not JSON at all (an HTML page, an error word, NaN) and BrokenJson for broken JSON.
    Errors quote nothing of the text: an error page may repeat the address that was asked for, key and all.
    """
    start = text.lstrip()[:1]
    if start not in ("[", "{"):
        kind = "an HTML or XML page" if start == "<" else "plain text"
        raise StructureError(f"{shown} holds {kind} where JSON is due; open it by hand to see what it says")
    try:
        # strict=False: line ends and tabs stand raw inside text.
        return json.loads(text, strict=False, parse_constant=_refuse_constant, parse_float=_finite)
    except ArithmeticError as error:
        raise StructureError(f"{shown} holds the number {error}, which is not JSON; ask for a new export") from None
    except json.JSONDecodeError as error:
        place = f"character {error.pos} of {len(text)}"
        raise BrokenJson(f"{shown} holds JSON that breaks at {place}; get it again") from None
    except (ValueError, RecursionError):
        raise BrokenJson(f"{shown} holds a number too long or a nest too deep to be read; get it again") from None


def as_rows(value: object, shown: str) -> list[Row]:
    """The value if it is a list of objects, else StructureError."""
    if not isinstance(value, list):
        kind = type(value).__name__
        raise StructureError(f"{shown} holds a {kind} where a list of rows is due; open it by hand to see what it says")
    for number, row in enumerate(value, start=1):
        if not isinstance(row, dict):
            raise StructureError(f"{shown} holds a {type(row).__name__} as row {number} where an object is due")
    return value


def mapped(rows: list[Row], settings: ServiceSettings, shown: str, seen: Collection[str] = ()) -> list[Row]:
    """The rows under our field names: columns mapped, split, left out and added as the settings say.

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
    if rows and (missing := used - {name for row in rows for name in row} - set(seen)):
        raise StructureError(
            f"{shown} lacks the mapped columns {', '.join(sorted(missing))}; mend the file or the mapping in settings"
        )
    dropped = used | set(settings.ignore)
    return [
        {
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
