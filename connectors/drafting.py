"""Which column of an unknown table may be which field of ours: a proposal for `columns` in the settings."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from rapidfuzz import fuzz, process

from connectors.transport.parse import is_readable
from schemas.service import Service

# From which likeness (0 to 100) a heading is proposed at all, and from which without a mark.
_LIKELY, _SURE = 75, 93
# How much better than any other a guess without a mark must be.
_AHEAD = 5
# A field whose type takes fewer of the values than this share is not the column's.
_TAKEN = 0.7
_VALUES = 50
# From which likeness a word is another one with a slip in it.
_SLIP = 90
# Words of so few letters mean another thing where one letter differs: PHO and FHO.
_SHORT = 4
# Headings that have one word of a pair each mean another thing, however alike they are.
_OPPOSITES = (("mulai", "selesai"), ("awal", "selesai"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNIT = re.compile(r"\((?:rp|idr|%|persen|m|km|rupiah)\.?\)|%|\brp\b\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column may be: a field of ours or None, how alike they are (0 to 100), whether there is hardly a doubt,
    and the field that comes next, where there is one."""

    column: str
    field: str | None
    likeness: int = 0
    sure: bool = False
    other: str | None = None


def draft(service: Service, rows: Sequence[Mapping[str, object]]) -> list[Guess]:
    """A guess for each column of the rows that doesn't go by a field's own name, in the columns' order.

    Headings are compared word by word, abbreviations and other words for the same written out (`headings.csv`); values
    are the second hint: a field that refuses them is none. No field is proposed twice.
    """
    good = [row for row in rows if is_readable(dict(row))]
    columns = list(dict.fromkeys(column for row in good for column in row))
    own = {column for column in columns if column in service.fields or column in service.aliases}
    fields = [field for field in service.fields if field not in own and not field.startswith("_")]
    likeness = {
        (column, field): _likeness(column, field) if _takes(service, field, _values(good, column)) else 0
        for column in columns
        if column not in own
        for field in fields
    }
    guesses = {column: Guess(column, None) for column in columns if column not in own}
    taken: set[str] = set()
    for (column, field), score in sorted(likeness.items(), key=lambda item: -item[1]):
        if score < _LIKELY or guesses[column].field or field in taken:
            continue
        others = [(each, likeness[column, each]) for each in fields if each != field]
        rivals = [likeness[each, field] for each in guesses if each != column]
        next_field, next_score = max(others, key=lambda item: item[1], default=(None, 0))
        ahead = score - max([next_score, *rivals]) >= _AHEAD
        sure = score >= _SURE and ahead and _short(column) == _short(field)
        guesses[column] = Guess(column, field, score, sure, next_field if next_score >= _LIKELY else None)
        taken.add(field)
    return list(guesses.values())


@cache
def _meanings() -> list[tuple[str, str]]:
    """Words and what they mean, those of several words first."""
    with (Path(__file__).parent / "headings.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["written"], row["means"]) for row in csv.DictReader(file)]
    return sorted(found, key=lambda item: -len(item[0].split()))


@cache
def _words(name: str) -> str:
    """A heading's words as they are compared: lower case, without units, abbreviations written out, in order."""
    plain = re.sub(r"[\W_]+", " ", _CAMEL.sub(" ", _UNIT.sub(" ", name)).casefold()).strip()
    plain = " ".join(_corrected(word) for word in plain.split())
    # Phrases before their words are written out, and once more as they are then.
    for single in (False, True, False):
        for written, means in _meanings():
            if (" " not in written) == single:
                plain = re.sub(rf"\b{written}\b(?! {means.rpartition(' ')[2]}\b)", means, plain)
    return " ".join(dict.fromkeys(sorted(plain.split())))


def _corrected(word: str) -> str:
    """A word without a slip of the pen, where it is long enough to be sure what was meant."""
    vocabulary = {each for pair in _meanings() for part in pair for each in part.split()}
    if len(word) <= _SHORT or word in vocabulary:
        return word
    found = process.extractOne(word, vocabulary, scorer=fuzz.ratio, score_cutoff=_SLIP)
    return found[0] if found else word


@cache
def _likeness(column: str, field: str) -> int:
    one, other = _words(column), _words(field)
    for first, last in _OPPOSITES:
        for word, against in ((first, last), (last, first)):
            if word in one.split() and against in other.split():
                return 0
    return round(fuzz.ratio(one, other))


def _short(name: str) -> set[str]:
    return {word for word in _words(name).split() if len(word) <= _SHORT}


def _values(rows: Sequence[Mapping[str, object]], column: str) -> list[object]:
    filled = (row.get(column) for row in rows)
    return list(islice((value for value in filled if value not in (None, "", "-")), _VALUES))


def _takes(service: Service, field: str, values: list[object]) -> bool:
    """Whether a field's type takes most of the values; text takes anything."""
    adapter = _adapter(service, field)
    taken = sum(_accepted(adapter, values))
    return taken >= _TAKEN * len(values)


def _adapter(service: Service, field: str) -> TypeAdapter[Any]:
    name = next(name for name, each in service.model.model_fields.items() if (each.validation_alias or name) == field)
    info = service.model.model_fields[name]
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind)


def _accepted(adapter: TypeAdapter[Any], values: list[object]) -> Iterator[bool]:
    for value in values:
        try:
            adapter.validate_python(value)
        except ValidationError:
            yield False
        else:
            yield True
