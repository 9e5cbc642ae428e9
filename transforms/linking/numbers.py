"""Document numbers, as different hands write them."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz

_MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN = {roman: month for month, roman in enumerate(_MONTHS, 1)}
SEGMENT = re.compile(r"[^0-9A-Z]+")
_RUN = re.compile(r"\d+|[A-Z]+")
_ZEROS = str.maketrans("OIL", "011")
_LIKE_DIGITS = re.compile(r"[0-9OIL]*\d[0-9OIL]*")
Parts = tuple[str | int, ...]


@lru_cache(maxsize=65536)
def number_parts(number: str) -> Parts:
    """A document's number in parts: numbers without zeros in front, roman months as numbers, words in capitals, and no
    signs.

    >>> number_parts("027/ 03 /SPK/VIII/2025") == number_parts("27.3-spk-8-2025")
    True
    """
    parts: list[str | int] = []
    for segment in SEGMENT.split(number.upper()):
        if segment in _ROMAN:
            parts.append(_ROMAN[segment])
            continue
        if len(segment) > 1 and _LIKE_DIGITS.fullmatch(segment):
            segment = segment.translate(_ZEROS)
        parts += (int(run) if run.isdecimal() else run for run in _RUN.findall(segment))
    return tuple(parts)


def _is_year(part: str | int) -> bool:
    return isinstance(part, int) and 1990 <= part <= 2100


def distinguishes(parts: Parts) -> bool:
    """Whether parts of a number distinguish it from others: besides words and years a number."""
    return len(parts) > 1 and any(isinstance(part, int) and not _is_year(part) for part in parts)


def number_keys(parts: Parts) -> set[Parts]:
    """A number's parts as they may stand elsewhere: without what is first (027/...) or last (office, month, year)."""
    keys = {parts[first : len(parts) - last] for first in range(4) for last in range(3)}
    return {key for key in keys if distinguishes(key)}


def number_level(one: Parts, other: Parts) -> str:
    """How two numbers agree: `same`, `part` (one lacks parts of the other), `near` (words differ by a slip, numbers
    don't), `loose` (both at once), `other`.

    >>> number_level(number_parts("027/03/SPK/VIII/2025"), number_parts("03/SPK/2025"))
    'part'
    """
    if one == other:
        return "same"
    shorter, longer = sorted((one, other), key=lambda parts: (len(parts), str(parts)))
    if "".join(map(str, shorter)) == "".join(map(str, longer)):
        return "same"
    if distinguishes(shorter) and 2 * len(shorter) >= len(longer) and within(shorter, longer):
        return "part"
    digits = [tuple(p for p in parts if isinstance(p, int)) for parts in (shorter, longer)]
    letters = ["".join(p for p in parts if isinstance(p, str)) for parts in (shorter, longer)]
    alike = fuzz.ratio(*letters) >= 75
    if alike and digits[0] == digits[1] and distinguishes(shorter):
        return "near"
    fewer, more = sorted(digits, key=len)
    if alike and len(fewer) > 1 and 3 * len(fewer) >= 2 * len(more) and within(fewer, more):
        return "loose"
    return "other"


def letter_level(contract: Parts, letter: Parts) -> str:
    """How a contract's number goes with that of a letter of appointment: `same` but for words (46/SPK/x, 46/SPPBJ/x),
    `next` (an office's register counts on), `near` (one other number differs, or there are more of them), `other`."""
    one, other = ([part for part in parts if isinstance(part, int)] for parts in (contract, letter))
    if one == other:
        return "same"
    differences = [a - b for a, b in zip(one, other, strict=False) if a != b]
    if len(one) != len(other):
        return "near"
    return ("next" if differences == [1] else "near") if len(differences) == 1 and differences != [-1] else "other"


def within(few: Sequence[Any], many: Sequence[Any]) -> bool:
    """Whether all of `few` stand in `many`, in their order."""
    rest = iter(many)
    return all(part in rest for part in few)
