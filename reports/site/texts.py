"""The texts of the page, in Indonesian with its English beside it, and dates and amounts as Indonesians write them.

Pages are written once, in Indonesian. Each text of the interface bears its key (`data-t`), each amount and date its
machine form; a small script puts the English in their place for who asks for it. Texts stand in `messages.csv`, words
of procurement in `glossary.csv`, for translators to edit.
"""

import csv
from datetime import date
from functools import cache
from importlib import resources
from typing import NamedTuple

import orjson
from markupsafe import Markup

_MONTHS = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
]


class Message(NamedTuple):
    """A text in both languages; `term` is the word of the glossary that explains it, or empty."""

    id: str
    en: str
    term: str


@cache
def messages() -> dict[str, Message]:
    """The texts by key."""
    return {row["key"]: Message(row["id"], row["en"], row["term"]) for row in _rows("messages.csv")}


@cache
def glossary() -> list[dict[str, str]]:
    """The words explained: `{"term", "name", "name_en", "id", "en"}`, in the order of the file."""
    return _rows("glossary.csv")


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((resources.files("reports.site") / name).read_text(encoding="utf-8").splitlines()))


def english() -> bytes:
    """The script that holds the English texts by key, loaded only by who asks for English."""
    return b"window.JEJAK_EN=" + orjson.dumps({key: text.en for key, text in messages().items()}) + b";\n"


def t(key: str, *values: object) -> Markup:
    """A text, escaped, in an element that names its key. `{}` in it takes the values in turn, each an element of its
    own, so that the script finds them again. Raises KeyError for a key that is in no table."""
    return _bare(key) if not values else _filled(key, values)


@cache
def _bare(key: str) -> Markup:
    return Markup('<span data-t="{}">{}</span>').format(key, messages()[key].id)


def _filled(key: str, values: tuple[object, ...]) -> Markup:
    parts = messages()[key].id.split("{}")
    text = Markup("").join(
        Markup("{}<b>{}</b>").format(part, value) for part, value in zip(parts, values, strict=False)
    )
    return Markup('<span data-t="{}">{}{}</span>').format(key, text, parts[-1])


def plain(key: str) -> str:
    """A text in Indonesian alone, for attributes, titles and feeds."""
    return messages()[key].id


def term(key: str) -> str:
    """The word of the glossary that explains a text; empty where none does."""
    return messages()[key].term


def known(prefix: str, code: str | None) -> Markup | str:
    """The text of a code of a code list, or the code itself where the page has no word for it."""
    if not code:
        return ""
    return t(f"{prefix}.{code}") if f"{prefix}.{code}" in messages() else code


def day_text(moment: str | None) -> str:
    """`15 Januari 2025` of an ISO date or time; empty without one.

    >>> day_text("2025-01-05T10:00:00+07:00")
    '5 Januari 2025'
    """
    if not moment:
        return ""
    year, month, day = moment[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


def month_text(month: str) -> str:
    """`Januari 2025` of `2025-01`."""
    return f"{_MONTHS[int(month[5:7]) - 1]} {month[:4]}"


def number_text(number: float) -> str:
    """A number with Indonesian separators, two decimals where it isn't whole.

    >>> number_text(1234567), number_text(1234.5), number_text(-7)
    ('1.234.567', '1.234,50', '-7')
    """
    text = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"
    return text.translate({ord(","): ".", ord("."): ","})


def rupiah_text(amount: float | None) -> str:
    """`Rp 1.234.567`; empty without an amount.

    >>> rupiah_text(1234567.5), rupiah_text(None)
    ('Rp 1.234.567,50', '')
    """
    return "" if amount is None else f"Rp {number_text(amount)}"


def day(moment: str | None) -> Markup:
    """A date as an element that keeps its machine form."""
    return Markup('<time datetime="{}">{}</time>').format(moment[:10], day_text(moment)) if moment else Markup()


def month(text: str) -> Markup:
    """A month as an element that keeps its machine form."""
    return Markup('<time datetime="{}">{}</time>').format(text, month_text(text))


def rupiah(amount: float | None) -> Markup:
    """An amount in IDR as an element that keeps its machine form."""
    return (
        Markup()
        if amount is None
        else Markup('<data value="{}" class="rp">{}</data>').format(amount, rupiah_text(amount))
    )


def number(amount: float | None) -> Markup:
    """A number as an element that keeps its machine form."""
    return Markup() if amount is None else Markup('<data value="{}">{}</data>').format(amount, number_text(amount))


def percent(share: float | None) -> Markup:
    """A percentage with two decimals at most, as `number`."""
    if share is None:
        return Markup()
    shown = number_text(round(share, 2))
    shown = shown.rstrip("0").rstrip(",") if "," in shown else shown
    return Markup('<data value="{}">{}</data>\u00a0%').format(round(share, 2), shown)


def size(count: int) -> Markup:
    """A number of bytes, in kB or MB."""
    shown, unit = (round(count / 1e6, 1), "MB") if count >= 1e6 else (max(1, round(count / 1e3)), "kB")
    text = number_text(shown)
    return Markup('<data value="{}">{}</data>\u00a0{}').format(shown, text[:-1] if "," in text else text, unit)


def shortened(text: str, length: int) -> str:
    """A text cut at a word so that it has at most `length` characters, an ellipsis included."""
    return text if len(text) <= length else f"{text[: length - 1].rsplit(' ', 1)[0].rstrip(' ,;(-')}…"


def as_day(moment: str) -> date:
    """The day of an ISO date or time."""
    return date.fromisoformat(moment[:10])


_KINDS = {
    "application/pdf": "PDF",
    "text/html": "HTML",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "application/msword": "DOC",
    "application/vnd.ms-excel": "XLS",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
}


def kind_of(media_type: str | None) -> str:
    """The short name of a document's media type; empty for one that few know."""
    return _KINDS.get(media_type or "", "")
