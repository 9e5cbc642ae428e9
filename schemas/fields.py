"""Field types of source records: lenient on how a source writes a value, strict on whether it makes sense.

The same field comes as a number from JSON, as text from CSV and as a float or a date from a workbook; each type here
brings it to one plain value (text, number, bool, tuple or None), so that a row means the same by every transport.
A value that makes no sense raises ValueError, and the row is rejected. Messages name the shape of a value and never
quote it, since any field may hold personal data.
"""

import datetime as dt
import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import Field, PlainValidator

from schemas.service import SourceRecord

AMOUNT_LIMIT = 10**15
"""IDR. The whole budget of Indonesia is some 4 x 10**15; one amount of a regency at or above this is a slip."""

# What shows nothing: NUL and other controls, zero-width characters, byte order mark, halves of an emoji cut in two.
# Line feed and tab stay.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff\ud800-\udfff]")


def _shape(value: object) -> str:
    """What may be said of a refused value: its type, and for text its length."""
    return f"text of {len(value)} characters" if isinstance(value, str) else type(value).__name__


def clean(value: str) -> str:
    """Text as it reads: without what shows nothing (NUL, zero-width marks) and blanks around it, `\\n` as line end."""
    # Nearly all text is printable and needs no more; a line end is not printable or is written out with a backslash.
    if value.isprintable() and "\\" not in value:
        return value.strip()
    value = value.replace("\\r\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", value).strip()


def _integral(value: float | Decimal) -> int | None:
    """The whole number that a float or decimal holds without loss, else None."""
    if not math.isfinite(value) or value != int(value):
        return None
    # Above 2**53 a float no longer holds every integer: the last digits are invented.
    return None if isinstance(value, float) and abs(value) > 2**53 else int(value)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value) or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        whole = _integral(value)
        if whole is not None:
            return str(whole)
        # NaN is how a workbook or a data frame says "empty".
        return None if math.isnan(value) else str(value)
    if isinstance(value, int | dt.date):
        return str(value)
    raise ValueError(f"expected text, got {_shape(value)}")


# An integer that went through a column of floats: `824093.0`.
_INTEGRAL = re.compile(r"(?:0|[1-9]\d*)\.0+")


def _code_text(text: str) -> str:
    return text.partition(".")[0] if "." in text and _INTEGRAL.fullmatch(text) else text


def _code(value: object) -> str | None:
    if isinstance(value, str):
        return _code_text(clean(value)) or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
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
        raise ValueError("the row has no code of its own (empty, 0 or -), so nothing can be said of it")
    return code


def _codes(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return _split(value)
    if isinstance(value, list | tuple):
        return tuple(sorted({code for part in value for code in _codes(part)}))
    code = _code(value)
    return () if code is None else _split(code)


@lru_cache(maxsize=65536)
def _split(text: str) -> tuple[str, ...]:
    parts = {_code_text(part.strip()) for part in clean(text).replace(",", ";").split(";")}
    return tuple(sorted(parts - {"", "0", "-"}))


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _number(value: object, what: str) -> int | float | None:
    """A finite number; integral floats and text become int. None for None, empty text and a workbook's NaN."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = clean(value)
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            # Digits grouped by dots or an exponent are refused too: `1.500` is two different numbers in two places.
            raise ValueError(f"expected {what} in plain digits, got {_shape(value)}")
        whole, _, decimals = text.partition(".")
        return float(text) if decimals.strip("0") else int(whole)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise ValueError(f"expected {what}, got a number that is not finite")
        return int(value) if value == int(value) else float(value)
    if value is None:
        return None
    raise ValueError(f"expected {what}, got {_shape(value)}")


def _amount(value: object) -> int | float | None:
    amount = value if type(value) is int else _number(value, "an amount of IDR")
    if amount is None or 0 <= amount < AMOUNT_LIMIT:
        return amount
    raise ValueError(f"expected an amount of IDR from 0 to below {AMOUNT_LIMIT} (10**15), got one outside these limits")


def _amount_or_missing(value: object) -> int | float | None:
    return _amount(value) or None


def _quantity(value: object) -> int | float | None:
    quantity = _number(value, "a quantity")
    if quantity is None or 0 <= quantity < AMOUNT_LIMIT:
        return quantity
    raise ValueError(f"expected a quantity from 0 to below {AMOUNT_LIMIT} (10**15), got one outside these limits")


def _count(value: object) -> int | None:
    count = value if type(value) is int else _number(value, "a whole number")
    if count is None or (isinstance(count, int) and abs(count) < 2**63):
        return count
    raise ValueError("expected a whole number, got one with decimals or beyond 63 bits")


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


_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z?)?")
# `Jul 3, 2025, 12:00:00AM` (ISB) and `May 7, 2021 12:00:00 AM` (INAPROC); the space before AM may be a narrow one.
_CLOCK = re.compile(r"([A-Z][a-z]{2}) (\d\d?), (\d{4}),? (\d\d?):(\d\d):(\d\d)\s?([AP]M)")
# `22 Januari 2019` and `15-Jan-19`, as typed into workbooks.
_TYPED = re.compile(r"(\d\d?)[ -]([A-Za-z]+)[ -](\d{4}|\d\d)")
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


@lru_cache(maxsize=65536)
def _parse_time(written: str) -> str | None:
    text = clean(written)
    if not text:
        return None
    if found := _ISO.fullmatch(text):
        return _canonical(dt.date.fromisoformat(found[1]), dt.time.fromisoformat(found[2] or "00:00"))
    if (found := _CLOCK.fullmatch(text)) and found[1].lower() in _MONTHS:
        day = dt.date(int(found[3]), _MONTHS[found[1].lower()], int(found[2]))
        hour = int(found[4]) % 12 + (12 if found[7] == "PM" else 0)
        return _canonical(day, dt.time(hour, int(found[5]), int(found[6])))
    if (found := _TYPED.fullmatch(text)) and found[2].lower() in _MONTHS:
        year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
        return _canonical(dt.date(year, _MONTHS[found[2].lower()], int(found[1])), dt.time())
    raise ValueError(f"expected a date in one of the shapes the sources use, got {_shape(text)}")


def _canonical(day: dt.date, clock: dt.time) -> str:
    if not 1990 <= day.year <= 2100:
        raise ValueError("expected a date from 1990 to 2100, got one outside")
    seconds = clock.isoformat("seconds")
    return day.isoformat() if seconds == "00:00:00" else f"{day.isoformat()}T{seconds}"


def _local_time(value: object) -> str | None:
    if isinstance(value, str):
        return _parse_time(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise ValueError("expected a local time, got one with an offset")
        return _canonical(value.date(), value.time())
    if isinstance(value, dt.date):
        return _canonical(value, dt.time())
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    raise ValueError(f"expected a date, got {_shape(value)}")


# --- values typed into a regency's own forms and sheets ---------------------------------------------------------------

# `1.500.000,00`; `1.500` is a thousand and a half, as Indonesian writes it.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
# `1,500,000` and `1,500.00`, which can be nothing else than the English way.
_ENGLISH = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)")
_DECIMAL = re.compile(r"-?\d+(?:[.,]\d+)?")
# A decimal comma in Indonesian, a thousand in English: as an amount of IDR neither can be told.
_EITHER = re.compile(r"[1-9]\d{0,2},\d{3}")
_RUPIAH = re.compile(r"(?i:rp\.?|idr)\s*|\s*,-$")
_MEASURED = re.compile(r"([\d.,]+)\s*(?:[A-Za-z]+(?:[23²³]|/[A-Za-z]+)?)?")
_PERCENT_SIGN = re.compile(r"\s*%$")


def _typed(value: object) -> object:
    """A dash is how a clerk leaves a field empty, a day of zeros how MySQL does."""
    if not isinstance(value, str):
        return value
    text = clean(value)
    return None if text == "-" or text.startswith("0000-00-00") else text


def _point_decimal(text: str) -> str:
    """Digits with a decimal point, as `_number` reads them; what is no number by any way of writing stays as it is."""
    if _GROUPED.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    if _ENGLISH.fullmatch(text):
        return text.replace(",", "")
    return text.replace(",", ".") if _DECIMAL.fullmatch(text) else text


def _typed_amount(value: object) -> int | float | None:
    value = _typed(value)
    if isinstance(value, str):
        value = _RUPIAH.sub("", value)
        if _EITHER.fullmatch(value):
            raise ValueError("expected an amount of IDR, got one whose comma may stand for thousands or for decimals")
        value = _point_decimal(value)
    return _amount_or_missing(value)


def _typed_quantity(value: object) -> int | float | None:
    value = _typed(value)
    if isinstance(value, str) and (found := _MEASURED.fullmatch(value)):
        value = _point_decimal(found[1])
    return _quantity(value) or None


def quantity_of(text: str | None) -> int | float | None:
    """The quantity that a text says: a number, with or without one unit (`2,5 km`); None where it says more or less."""
    try:
        return _typed_quantity(text)
    except ValueError:
        return None


def _percentage(value: object, least: int) -> int | float | None:
    value = _typed(value)
    if isinstance(value, str):
        value = _point_decimal(_PERCENT_SIGN.sub("", value))
    share = _number(value, "a percentage")
    if share is None or least <= share <= 100:
        return share
    raise ValueError(f"expected a percentage from {least} to 100, got one outside these limits")


def _percent(value: object) -> int | float | None:
    return _percentage(value, 0)


def _deviation(value: object) -> int | float | None:
    return _percentage(value, -100)


# Indonesian forms put the day first: `03/10/2025` is in October. LKPP's never write so.
_DAY_FIRST = re.compile(r"(\d\d?)([/.-])(\d\d?)\2(\d{4})")


def _typed_date(value: object) -> str | None:
    value = _typed(value)
    if isinstance(value, str) and (found := _DAY_FIRST.fullmatch(value)):
        try:
            day = dt.date(int(found[4]), int(found[3]), int(found[1]))
        except ValueError:
            raise ValueError("expected a date with the day first, got one that the calendar doesn't have") from None
        return _canonical(day, dt.time())
    return _local_time(value)


def _degrees(value: object) -> float | None:
    text = str(value).strip().rstrip("°") if isinstance(value, str | int | float | Decimal) else ""
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None


# Longitudes and latitudes of Indonesia, in degrees: no number lies in both.
_EAST = (94.5, 141.5)
_NORTH = (-11.5, 6.5)


def point(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees of a place in Indonesia; set right where the two were swapped.

    None where one is missing or the place lies elsewhere: a slip in a place is no reason to lose what is said of it.
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
"""Text without the blanks around it, with `\\n` as line end; empty text is None, `-` stays."""

Code = Annotated[str, PlainValidator(_code)] | None
"""A code as text, whether it came as text, int (of any size) or integral float (also as text: `7.0`); empty is None."""

OwnCode = Annotated[str, PlainValidator(_own_code)]
"""The code that the row is about; the row is refused without it (empty, `0`, `-`)."""

Codes = Annotated[tuple[str, ...], PlainValidator(_codes)]
"""A `;` or `,` list as a sorted tuple without repeats; `0`, `-` and empty parts are no codes. `()` when empty."""

Amount = Annotated[int | float, PlainValidator(_amount)] | None
"""IDR, from 0 to below `AMOUNT_LIMIT`; int where the value is whole, else float. Zero is a value."""

AmountOrMissing = Annotated[int | float, PlainValidator(_amount_or_missing)] | None
"""As `Amount`, in a field where the source writes 0 for "not filled": 0 is None."""

Quantity = Annotated[int | float, PlainValidator(_quantity)] | None
"""A number of units or a percentage, not negative, with decimals where the source has them."""

Count = Annotated[int, PlainValidator(_count)] | None
"""A whole number: a year, a version, a count."""

Flag = Annotated[bool, PlainValidator(_flag)] | None
"""Yes or no, in any of the ways the sources write it."""

LocalTime = Annotated[str, PlainValidator(_local_time)] | None
"""Local time (`Settings.utc_offset`) as `YYYY-MM-DD`, or `YYYY-MM-DDTHH:MM:SS` where the source knows a time of day.

Midnight is how most services write a date without a time, so it becomes the date alone. A trailing `Z` is dropped: the
services stamp it on local times (`sources.md`, section 8).
"""


TypedAmount = Annotated[int | float, PlainValidator(_typed_amount)] | None
"""IDR as typed into a form (`Rp 1.500.000,00`, `150.000.000,-`) or plain; 0 is "not filled". Limits as `Amount`."""

TypedQuantity = Annotated[int | float, PlainValidator(_typed_quantity)] | None
"""A number of units as typed (`1.250,5`), one unit after it allowed (`200 m`); 0 is "not filled". Limits as `Quantity`.

Thousands are grouped by dots, as Indonesian does: `1.500` is 1500, `1,5` and `1.5` are one and a half.
"""

Percent = Annotated[int | float, PlainValidator(_percent)] | None
"""A percentage from 0 to 100, with comma or point and with or without `%`.

`0,45` is less than one percent: a share that a workbook keeps as a fraction can't be told from a small percentage, so
nothing is ever multiplied.
"""

Deviation = Annotated[int | float, PlainValidator(_deviation)] | None
"""A difference of two percentages, from -100 to 100."""

TypedDate = Annotated[str, PlainValidator(_typed_date)] | None
"""As `LocalTime`, and with the day first as Indonesian forms write it (`03/10/2025`, `3-10-2025`: 3 October)."""

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


VOLATILE = frozenset({"_event_date", "_inserted_date", "tgl_penarikan", "last_update_ref"})
"""Stamps of the extraction in LKPP's rows: stored, not part of a row's content."""
