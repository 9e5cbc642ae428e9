"""Field types of source records: lenient on how a source writes a value, strict on whether it makes sense.

The same field comes as a number from JSON, as text from CSV, as a float or a date from a workbook, and as typed into a
form; each type here brings it to one plain value (text, number, bool, tuple or None), so that a row means the same from
every source and by every transport. A value that makes no sense raises ValueError, or PydanticCustomError where a part
of it can be kept; `schemas.service.read_row` leaves the field out. Messages name the shape of a value and never quote
it, since any field may hold personal data.
"""

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from schemas.service import PARTLY_READ, Office, Personal, SourceRecord

AMOUNT_LIMIT = 10**15
"""IDR. The whole budget of Indonesia is some 4 x 10**15; one amount of a regency at or above this is a slip."""

TEXT_LIMIT = 32_767
"""Characters. Longer text is cut: no cell of a workbook holds more, and the longest real text has 17,947."""

CODE_LIMIT = 500
"""Characters. A longer code is none: the longest real number of a document has 251."""

# What shows nothing or changes the direction of what follows: controls, zero-width and bidirectional marks, byte order
# mark, invisible tags, halves of an emoji cut in two. Line feed and tab stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_END = re.compile(r"\\r\\n|\r\n|_x000[dD]_\n?|[\r\x85\u2028\u2029]")
# Markup and addresses that run code: codes become parts of ids and addresses.
_MARKUP = re.compile(r"[<>]|(?:javascript|vbscript)\s*:|data:[a-z]+/", re.IGNORECASE)


def _shape(value: object) -> str:
    """What may be shown of a refused value: its type, and for text its length."""
    return f"text of {len(value)} characters" if isinstance(value, str) else type(value).__name__


def _partly(kept: object, reason: str) -> PydanticCustomError:
    """What is raised for a value that can be read in part."""
    return PydanticCustomError(PARTLY_READ, "{reason}", {"reason": reason, "kept": kept})


def clean(value: str) -> str:
    """Text as it reads: without what shows nothing (NUL, zero-width marks) and blanks around it, `\\n` as line end.

    A carriage return that a spreadsheet library wrote out (`_x000d_`) is a line end too.
    """
    # Nearly all text is printable and needs no more; a line end is not printable or is written out.
    if value.isprintable() and "\\" not in value and "_x000" not in value:
        return value.strip()
    return _UNSEEN.sub("", _LINE_END.sub("\n", value)).strip()


_FAR = 10**40


def _integral(value: float | Decimal) -> int | None:
    """The whole number that a float or decimal holds without loss, else None."""
    # The digits of a decimal such as 1E+999999 are not even tried.
    if not math.isfinite(value) or not -_FAR < value < _FAR or value != int(value):
        return None
    # Above 2**53 a float no longer holds every integer: the last digits are invented.
    return None if isinstance(value, float) and abs(value) > 2**53 else int(value)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        text = clean(value)
        if len(text) > TEXT_LIMIT:
            raise _partly(text[:TEXT_LIMIT], f"text of more than {TEXT_LIMIT} characters, cut there")
        return text or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        whole = _integral(value)
        if whole is not None:
            return str(whole)
        # NaN is how a workbook or a data frame writes "empty".
        return None if math.isnan(value) else str(value)
    if isinstance(value, int | dt.date):
        return str(value)
    raise ValueError(f"expected text, got {_shape(value)}")


# An integer that went through a column of floats: `824093.0`.
_INTEGRAL = re.compile(r"(?:0|[1-9]\d*)\.0+")


def _code_text(text: str) -> str:
    return text.partition(".")[0] if "." in text and _INTEGRAL.fullmatch(text) else text


def _is_markup(code: str) -> bool:
    return ("<" in code or ">" in code or ":" in code) and _MARKUP.search(code) is not None


def _checked(code: str) -> str:
    if len(code) > CODE_LIMIT:
        raise ValueError(f"expected a code of at most {CODE_LIMIT} characters, got {_shape(code)}")
    if _is_markup(code):
        raise ValueError("expected a code, got markup or an address that runs code")
    return code


def _code(value: object) -> str | None:
    if isinstance(value, str):
        return _checked(_code_text(clean(value))) or None
    if isinstance(value, int) and not isinstance(value, bool):
        return _checked(str(value))
    if isinstance(value, float | Decimal):
        whole = _integral(value)
        if whole is not None:
            return str(whole)
        if math.isnan(value):
            return None
        raise ValueError(
            "expected a code, got a number with decimals or more digits than it can hold; export it as text"
        )
    if value is None:
        return None
    raise ValueError(f"expected a code, got {_shape(value)}")


def _own_code(value: object) -> str:
    code = _code(value)
    if code is None or code in ("0", "-"):
        raise ValueError("the row has no code of its own (empty, 0 or -), so nothing can refer to it")
    return code


def _reference(value: object) -> str | None:
    text = _text(value)
    return None if text is None else _checked(text)


def _codes(value: object) -> tuple[str, ...]:
    codes, refused = _listed(value, _split)
    if refused:
        raise _partly(codes, f"{refused} entries of the list are no codes (markup, or too long)")
    return codes


def _rup_codes(value: object) -> tuple[str, ...]:
    codes, refused = _listed(value, _split_rup)
    if refused:
        raise _partly(codes, f"{refused} entries of the list are no RUP codes, which are digits")
    return codes


def _listed(value: object, split: Callable[[str], tuple[tuple[str, ...], int]]) -> tuple[tuple[str, ...], int]:
    """The codes of a list in order, without repeats, and how many entries are none."""
    if isinstance(value, list | tuple):
        parts = [_listed(part, split) for part in value if not isinstance(part, list | tuple)]
        nested = len(value) - len(parts)
        return tuple(sorted({code for codes, _ in parts for code in codes})), nested + sum(bad for _, bad in parts)
    if isinstance(value, str):
        return split(value)
    if isinstance(value, float) and not value.is_integer() and math.isfinite(value):
        return (), 1
    code = _code(value)
    return split(code) if code else ((), 0)


@lru_cache(maxsize=65536)
def _split(text: str) -> tuple[tuple[str, ...], int]:
    parts = {_code_text(part.strip()) for part in clean(text).replace(",", ";").split(";")} - {"", "0", "-"}
    codes = {part for part in parts if len(part) <= CODE_LIMIT and not _is_markup(part)}
    return tuple(sorted(codes)), len(parts) - len(codes)


# Digits of which one is not 0. Runs of 15 and more are tax and staff numbers.
_RUP = re.compile(r"(?=0*[1-9])\d{1,14}", re.ASCII)
_BETWEEN_RUPS = re.compile(r"[\s;,/|&+]+")
# What a workbook makes of a code: `5,95199E+07`, whose last digits are lost, and `59.519.918`.
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE][+-]?\d+")
_GROUPED_CODE = re.compile(r"\d{1,3}(?:[.,]\d{3})+")


@lru_cache(maxsize=65536)
def _split_rup(text: str) -> tuple[tuple[str, ...], int]:
    text = clean(text)
    if _GROUPED_CODE.fullmatch(text):
        return (), 1
    parts = {_code_text(part) for part in _BETWEEN_RUPS.split(_SCIENTIFIC.sub("?", text))} - {"", "0", "-"}
    codes = {part for part in parts if _RUP.fullmatch(part)}
    return tuple(sorted(codes)), len(parts) - len(codes)


def is_rup_code(text: str) -> bool:
    """Whether a code is one of SIRUP: up to 14 digits, not all of them 0."""
    return _RUP.fullmatch(text) is not None


def _rup_code(value: object) -> str | None:
    code = _code(value)
    if code is None or code in ("0", "-"):
        return None
    if not is_rup_code(code):
        raise ValueError(f"expected a RUP code, which is up to 14 digits, got {_shape(value)}")
    return code


def _own_rup_code(value: object) -> str:
    code = _rup_code(value)
    if code is None:
        raise ValueError("the row has no code of its own (empty, 0 or -), so nothing can refer to it")
    return code


# --- numbers ----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
# `1.500.000,00`; `1.500` is a thousand and a half, as Indonesian writes it.
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
# `1,500,000` and `1,500.00`, which can be nothing else than the English way.
_ENGLISH = re.compile(r"-?[1-9]\d{0,2}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)")
_DECIMAL = re.compile(r"-?\d+(?:[.,]\d+)?")
# A decimal comma in Indonesian, a thousand in English: as an amount of IDR neither is certain.
_EITHER = re.compile(r"-?[1-9]\d{0,2},\d{3}")
_RUPIAH = re.compile(r"^(?:rp\.?|idr)\s*|\s*,-+$", re.IGNORECASE)
_MEASURED = re.compile(r"([\d.,]+)\s*(?:[A-Za-z]+(?:[23²³]|/[A-Za-z]+)?)?")
_PERCENT_SIGN = re.compile(r"\s*%$")
# How a clerk leaves a field empty.
_NOTHING = frozenset({"", "-"})


def _point_decimal(text: str) -> str:
    """Digits with a decimal point; what is no number by any way of writing stays as it is."""
    if _GROUPED.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _ENGLISH.fullmatch(text):
        return text.replace(",", "")
    return _ungrouped(text)


def _ungrouped(text: str) -> str:
    """As `_point_decimal`, where thousands are never grouped: a comma and a point both begin the decimals."""
    return text.replace(",", ".") if _DECIMAL.fullmatch(text) else text


def _rupiah(text: str) -> str:
    text = _RUPIAH.sub("", text)
    if text.startswith("(") and text.endswith(")"):  # as accountants write what is below zero
        text = f"-{text[1:-1]}"
    if _EITHER.fullmatch(text):
        raise ValueError("expected an amount of IDR, got one whose comma may stand for thousands or for decimals")
    return _point_decimal(text)


def _measured(text: str) -> str:
    found = _MEASURED.fullmatch(text)
    return _point_decimal(found[1] if found else text)


def _share(text: str) -> str:
    return _ungrouped(_PERCENT_SIGN.sub("", text))


def _number(value: object, what: str, plain: Callable[[str], str]) -> int | float | None:
    """A finite number; integral floats and text become int. None for None, NaN, empty text and a dash.

    `plain` brings text to digits with a decimal point.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = clean(value)
        if text in _NOTHING:
            return None
        text = plain(text)
        if not _NUMBER.fullmatch(text):
            # An exponent is refused too: a workbook shows so the numbers that it has cut.
            raise ValueError(f"expected {what} in plain digits, got {_shape(value)}")
        whole, _, decimals = text.partition(".")
        return float(text) if decimals.strip("0") else int(whole)
    if isinstance(value, float | Decimal):
        if math.isnan(value):
            return None
        if not math.isfinite(value) or not -_FAR < value < _FAR:
            raise ValueError(f"expected {what}, got a number that is not finite or far too large")
        return int(value) if value == int(value) else float(value)
    if value is None:
        return None
    raise ValueError(f"expected {what}, got {_shape(value)}")


def _amount(value: object) -> int | float | None:
    amount = value if type(value) is int else _number(value, "an amount of IDR", _rupiah)
    if amount is None or 0 <= amount < AMOUNT_LIMIT:
        return amount
    raise ValueError(f"expected an amount of IDR from 0 to below {AMOUNT_LIMIT} (10**15), got one outside these limits")


def _amount_or_missing(value: object) -> int | float | None:
    return _amount(value) or None


def _signed_amount(value: object) -> int | float | None:
    amount = value if type(value) is int else _number(value, "an amount of IDR", _rupiah)
    if amount is None or abs(amount) < AMOUNT_LIMIT:
        return amount
    raise ValueError(f"expected an amount of IDR within {AMOUNT_LIMIT} (10**15) of 0, got one outside these limits")


def _quantity(value: object) -> int | float | None:
    quantity = _number(value, "a quantity", _measured)
    if quantity is None or 0 <= quantity < AMOUNT_LIMIT:
        return quantity
    raise ValueError(f"expected a quantity from 0 to below {AMOUNT_LIMIT} (10**15), got one outside these limits")


def _quantity_or_missing(value: object) -> int | float | None:
    return _quantity(value) or None


def quantity_of(text: str | None) -> int | float | None:
    """The quantity in a text: a number, with or without one unit (`2,5 km`); None where it holds more or less."""
    try:
        return _quantity_or_missing(text)
    except ValueError:
        return None


def _count(value: object) -> int | None:
    count = value if type(value) is int else _number(value, "a whole number", _ungrouped)
    if count is None or (isinstance(count, int) and -(2**31) <= count < 2**31):
        return count
    raise ValueError("expected a whole number, got one with decimals or beyond 32 bits")


def _percentage(value: object, least: int) -> int | float | None:
    share = _number(value, "a percentage", _share)
    if share is None or least <= share <= 100:
        return share
    raise ValueError(f"expected a percentage from {least} to 100, got one outside these limits")


def _percent(value: object) -> int | float | None:
    return _percentage(value, 0)


def _deviation(value: object) -> int | float | None:
    return _percentage(value, -100)


_FLAGS = {
    **dict.fromkeys(("true", "t", "1", "1.0", "ya", "yes", "y"), True),
    **dict.fromkeys(("false", "f", "0", "0.0", "tidak", "no", "n"), False),
}


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = _text(value)
    if text is None:
        return None
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise ValueError(f"expected yes or no (true, false, 1, 0, Ya, Tidak), got {_shape(value)}")
    return flag


# --- dates ------------------------------------------------------------------------------------------------------------

_CLOCK = (
    r"(?:[T ,]\s*(?P<hour>\d\d?)[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r"\s?(?P<half>[AaPp][Mm])?\s?(?P<zone>Z|[+-]\d\d:?\d\d|WIB|WITA|WIT)?)?"
)
_DATES = tuple(
    re.compile(shape + _CLOCK, re.ASCII)
    for shape in (
        r"(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)",
        # `Jul 3, 2025, 12:00:00AM` (ISB) and `May 7, 2021 12:00:00 AM` (INAPROC).
        r"(?P<word>[A-Za-z]+) (?P<day>\d\d?), ?(?P<year>\d{4})",
        # `22 Januari 2019`, `15-Jan-19`, `Rabu, 15 Januari 2025 08:00 WIB`, as typed into workbooks.
        r"(?:[A-Za-z']{4,7},? )?(?P<day>\d\d?)[ -](?P<word>[A-Za-z]+)[ -](?P<year>\d{4}|\d\d)",
        # Indonesian forms put the day first: `03/10/2025` is in October.
        r"(?P<day>\d\d?)(?P<sign>[/.-])(?P<month>\d\d?)(?P=sign)(?P<year>\d{4}|\d\d)",
    )
)
# The services stamp `Z` on local times; a time with another offset of Indonesia is that of who wrote it.
_LOCAL = frozenset({"Z", "WIB", "WITA", "WIT", "+0000", "+0700", "+0800", "+0900", "-0000"})
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januari january",
            "feb februari pebruari february",
            "mar maret march",
            "apr april",
            "mei may",
            "jun juni june",
            "jul juli july",
            "agu ags agt agustus aug august",
            "sep sept september",
            "okt oktober oct october",
            "nov nop november nopember",
            "des desember dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_DAY_0 = dt.datetime(1899, 12, 30)  # noqa: DTZ001
"""From where workbooks count days."""
_SERIALS = range((dt.datetime(1990, 1, 1) - _DAY_0).days, (dt.datetime(2101, 1, 1) - _DAY_0).days)  # noqa: DTZ001
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
_NO_DAY = re.compile(r"-?000[01]-\d\d-\d\d.*|0{1,4}[-/.]0{1,2}[-/.]0{1,4}.*", re.DOTALL)


@lru_cache(maxsize=65536)
def _parse_time(written: str) -> str | None:
    text = " ".join(clean(written).split())  # also the narrow blank before AM
    if text in _NOTHING:
        return None
    if _SERIAL.fullmatch(text):
        return _serial(float(text.replace(",", ".")))
    if _NO_DAY.fullmatch(text):
        raise ValueError("expected a date, got the day of zeros that databases write for none")
    found = next(filter(None, (shape.fullmatch(text) for shape in _DATES)), None)
    part = found.groupdict() if found else {}
    month = _MONTHS.get(part["word"].lower()) if part.get("word") else int(part.get("month") or 0)
    zone = (part.get("zone") or "Z").replace(":", "")
    if not month or zone not in _LOCAL:
        raise ValueError(f"expected a date in one of the shapes the sources use, got {_shape(text)}")
    try:
        day = dt.date(_year(part["year"]), month, int(part["day"]))
        clock = dt.time(int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0))
        if part["half"]:
            clock = clock.replace(hour=clock.hour % 12 + (12 if part["half"].lower() == "pm" else 0))
    except ValueError:
        raise ValueError("expected a date, got a day or time that the calendar doesn't have") from None
    return _canonical(day, clock)


def _year(digits: str) -> int:
    """Two digits are of 1990 to 1999 or of 2000 to 2049: no record is older, and no plan goes further."""
    if len(digits) == 4:
        return int(digits)
    if 50 <= int(digits) < 90:
        raise ValueError("a year of two digits that is neither")
    return int(digits) + (1900 if int(digits) >= 90 else 2000)


def _serial(days: float) -> str:
    if int(days) not in _SERIALS:
        raise ValueError("expected a date, got a number that is no day of a workbook from 1990 to 2100")
    moment = _DAY_0 + dt.timedelta(seconds=round(days * 86_400))
    return _canonical(moment.date(), moment.time())


def _canonical(day: dt.date, clock: dt.time) -> str:
    if not 1990 <= day.year <= 2100:
        raise ValueError("expected a date from 1990 to 2100, got one outside")
    seconds = clock.isoformat("seconds")
    return day.isoformat() if seconds == "00:00:00" else f"{day.isoformat()}T{seconds}"


def _local_time(value: object) -> str | None:
    if isinstance(value, str):
        return _parse_time(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None and f"{value:%z}" not in _LOCAL:
            raise ValueError("expected a local time, got one with the offset of another country")
        return _canonical(value.date(), value.replace(tzinfo=None).time())
    if isinstance(value, dt.date):
        return _canonical(value, dt.time())
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and 0 < value < 10**6:
        return _serial(float(value))
    raise ValueError(f"expected a date, got {_shape(value)}")


# --- places and addresses ---------------------------------------------------------------------------------------------


def _degrees(value: object) -> float | None:
    text = str(value).strip().rstrip("°") if isinstance(value, str | int | float | Decimal) else ""
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None


# Longitudes and latitudes of Indonesia, in degrees: no number lies in both.
_EAST = (94.5, 141.5)
_NORTH = (-11.5, 6.5)


def point(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees of a place in Indonesia; set right where the two were swapped.

    None where one is missing or the place lies elsewhere: a slip in a place is no reason to lose the row.
    """
    if latitude is None or longitude is None:
        return None
    for north, east in ((latitude, longitude), (longitude, latitude)):
        if _NORTH[0] <= north <= _NORTH[1] and _EAST[0] <= east <= _EAST[1]:
            return north, east
    return None


_HOST = re.compile(r"(https?)(://[A-Za-z0-9.-]+(?::\d{1,5})?)((?:[/?#].*)?)", re.IGNORECASE | re.DOTALL)
_NOT_IN_ADDRESS = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]")


def address(text: str | None) -> str | None:
    """An http or https address, percent-encoded as OCDS wants it; None for what is none (a bare file name, a path)."""
    found = _HOST.fullmatch(clean(text or ""))
    if not found:
        return None
    path, sign, fragment = found[3].partition("#")
    encoded = [_NOT_IN_ADDRESS.sub(_percent_encoded, part) for part in (path, fragment)]
    return f"{found[1].lower()}{found[2]}{encoded[0]}{sign}{encoded[1]}"


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _url(value: object) -> str:
    text = _text(value)
    if address(text) is None or text is None:
        raise ValueError(f"expected an http or https address, got {_shape(value)}")
    return text


_MEDIA_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_SUFFIX = re.compile(r"\.([A-Za-z0-9]+)(?:[?#].*)?", re.DOTALL)


def media_type(name: str) -> str | None:
    """The IANA media type that a file's name or address ends in; None for a suffix that offices don't use."""
    found = _SUFFIX.fullmatch(name, max(name.partition("?")[0].partition("#")[0].rfind("."), 0))
    return _MEDIA_TYPES.get(found[1].lower()) if found else None


# `| None` outside the validator lets pydantic pass null without a call into Python.
Text = Annotated[str, PlainValidator(_text)] | None
"""Text without the blanks around it, with `\\n` as line end; empty text is None, `-` stays. Cut at `TEXT_LIMIT`."""

Code = Annotated[str, PlainValidator(_code)] | None
"""A code as text, whether it came as text, int (of any size) or integral float (also as text: `7.0`); empty is None.

Markup, and more than `CODE_LIMIT` characters, are no code.
"""

OwnCode = Annotated[str, PlainValidator(_own_code)]
"""The code that the row is about; the row is refused without it (empty, `0`, `-`)."""

Codes = Annotated[tuple[str, ...], PlainValidator(_codes)]
"""A `;` or `,` list as a sorted tuple without repeats; `0`, `-` and empty parts are no codes. `()` when empty."""

RupCode = Annotated[str, PlainValidator(_rup_code)] | None
"""A code of SIRUP, as text: up to 14 digits. Empty, `0` and `-` are None; anything else is refused."""

OwnRupCode = Annotated[str, PlainValidator(_own_rup_code)]
"""The code of SIRUP that the row is about; the row is refused without it."""

RupCodes = Annotated[tuple[str, ...], PlainValidator(_rup_codes)]
"""Codes of SIRUP parted by `;`, `,`, blanks, line ends, `/`, `|`, `&` or `+`, as a sorted tuple without repeats.

`0`, `-` and empty parts are nothing; what else is no code (`NULL`, `5,95199E+07`, `tidak ada`) is left out.
"""

Reference = Annotated[str, PlainValidator(_reference)] | None
"""The number of a document as its writer typed it; without markup, of at most `CODE_LIMIT` characters."""

Amount = Annotated[int | float, PlainValidator(_amount)] | None
"""IDR, from 0 to below `AMOUNT_LIMIT`; int where the value is whole, else float. Zero is a value.

Plain (`1500000.5`) or as typed in Indonesian (`Rp 1.500.000,50`, `150.000.000,-`); `1.500` is 1500.
"""

AmountOrMissing = Annotated[int | float, PlainValidator(_amount_or_missing)] | None
"""As `Amount`, in a field where the source writes 0 for "not filled": 0 is None."""

SignedAmount = Annotated[int | float, PlainValidator(_signed_amount)] | None
"""As `Amount`, in a field where an amount below 0 is a correction, a discount or a return."""

Quantity = Annotated[int | float, PlainValidator(_quantity)] | None
"""A number of units, not negative, with decimals where the source has them; one unit after it allowed (`200 m`).

Thousands are grouped by dots, as Indonesian does: `1.500` is 1500, `1,5` and `1.5` are one and a half.
"""

QuantityOrMissing = Annotated[int | float, PlainValidator(_quantity_or_missing)] | None
"""As `Quantity`, in a field where 0 is "not filled": 0 is None."""

Count = Annotated[int, PlainValidator(_count)] | None
"""A whole number of 32 bits, which is what the tables hold: a year, a version, a count. No thousands: `1.000` is 1."""

Percent = Annotated[int | float, PlainValidator(_percent)] | None
"""A percentage from 0 to 100, with comma or point and with or without `%`. No thousands: `45.125` is below 46.

`0,45` is less than one percent: a fraction in a workbook can't be distinguished from a small percentage, so nothing
is ever multiplied.
"""

Deviation = Annotated[int | float, PlainValidator(_deviation)] | None
"""A difference of two percentages, from -100 to 100."""

Flag = Annotated[bool, PlainValidator(_flag)] | None
"""Yes or no, in any of the ways the sources write it."""

LocalTime = Annotated[str, PlainValidator(_local_time)] | None
"""Local time (`Settings.utc_offset`) as `YYYY-MM-DD`, or `YYYY-MM-DDTHH:MM:SS` where the source knows a time of day.

ISO, English or Indonesian months, the day first where all are numbers (`03/10/2025` is in October), a workbook's number
of days (45809). Two digits of a year are 1990 to 1999 or 2000 to 2049. Midnight is how most services write a date
without a time, so it becomes the date alone. The clock is taken as it stands: `Z` is stamped on local times
(`sources.md`, section 8), `+00:00` is taken for the same (inferred), and `+07:00` to `+09:00` are Indonesia's. A month
without a day, a day of zeros and years outside 1990 to 2100 are refused.
"""

Degrees = Annotated[float, PlainValidator(_degrees)] | None
"""Degrees of latitude or longitude, with comma or point; None where the text is no such number. See `point`."""

Url = Annotated[str, PlainValidator(_url)]
"""An http or https address as the source writes it; the row is refused without it. See `address`."""


class LkppRecord(SourceRecord):
    """What most of LKPP's rows begin with: fiscal year, institution, office and the date of the extraction."""

    tahun_anggaran: Count = None
    kd_klpd: Code = None
    nama_klpd: Text = None
    jenis_klpd: Text = None
    kd_satker: Code = None
    kd_satker_str: Code = None
    nama_satker: Text = None
    # pydantic takes no field name that begins with an underscore.
    event_date: LocalTime = Field(None, validation_alias="_event_date")
    inserted_date: LocalTime = Field(None, validation_alias="_inserted_date")
    # INAPROC's marker of the extraction; its meaning is not documented.
    last_update_ref: Text = None

    @property
    def office(self) -> Office:
        """`kd_satker` holds the code in some lists, in others SIRUP's number of the office."""
        return Office((self.kd_satker_str, self.kd_satker), self.nama_satker, self.kd_klpd)


class SupplierRecord(LkppRecord):
    """What rows add that name a supplier with its code."""

    kd_penyedia: Code = None
    nama_penyedia: Text = None
    npwp_penyedia: Personal[Text] = None
    npwp_penyedia_16: Personal[Text] = None


VOLATILE = frozenset({"_event_date", "_inserted_date", "tgl_penarikan", "last_update_ref"})
"""Stamps of the extraction in LKPP's rows: stored, not part of a row's content."""
