"""Evidence: what rows hold that shows what they belong to. The input of linking.

Each source's `evidence(service, record)` yields that of one row; `transforms.linking` compares the evidence of all
current rows of a subject together. Codes, names and numbers stand as the source spells them: the rules know how clerks
vary them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import orjson

from transforms.identity import Code


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one subject: (kind, code) of a purchase, plan, budget line, proposal, contract, job, document.

    `office` is kd_satker_str or the system's own office code; `maks` are canonical (`transforms.mak`); `taxes` are
    digests of tax numbers as in `transforms.parties.supplier_keys`; `letters` are the numbers of letters of
    appointment, beside which those of contracts run; `amounts` are IDR, as are `budgets`, what a purchase's plan
    allows it (`pagu`); `dates` are local days; `points` are (latitude, longitude); `papers` are (what it is, number)
    of payment papers, to be found by: nothing compares them. `status` is the code of the subject's state where that
    matters to who reads the results.
    """

    subject: Code
    year: int | None = None
    office: str | None = None
    office_name: str | None = None
    rups: tuple[Code, ...] = ()
    maks: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()
    supplier_codes: tuple[str, ...] = ()
    taxes: tuple[str, ...] = ()
    amounts: tuple[float, ...] = ()
    budgets: tuple[float, ...] = ()
    dates: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    villages: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    papers: tuple[tuple[str, str], ...] = ()
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One subject belongs to another, or may: `source` (a proposal, a payment's contract) to `target` (a plan, a
    purchase). `confidence` is in [0, 1]; `by` names the evidence that decided, for example `number`."""

    rule: str
    source: Code
    target: Code
    confidence: float
    by: str


def united(parts: Iterable[Evidence]) -> Evidence:
    """All evidence of one subject: lists are joined without repeats, of single values the first one stands."""
    subject, year = None, None
    values: dict[str, Any] = {}
    for part in parts:
        subject = subject or part.subject
        year = part.year if year is None else year
        _join(values, {name: value for name in _NAMES[2:] if (value := getattr(part, name)) not in (None, ())})
    if subject is None:
        raise ValueError("evidence of no subject")
    return Evidence(subject, year, **{name: _distinct(value) for name, value in values.items()})


def united_texts(subject: Code, parts: Iterable[tuple[int | None, str]]) -> Evidence:
    """`united` of what `to_text` made of each part; `parts` are (year, text)."""
    first: int | None = None
    values: dict[str, Any] = {}
    for year, text in parts:
        first = year if first is None else first
        _join(values, orjson.loads(text))
    return Evidence(subject, first, **{name: _distinct(_tuples(name, value)) for name, value in values.items()})


def _join(values: dict[str, Any], part: Mapping[str, Any]) -> None:
    for name, value in part.items():
        if name not in values:
            values[name] = value
        elif not isinstance(value, str):
            values[name] = [*values[name], *value]


def _distinct(value: Any) -> Any:
    return value if isinstance(value, str) else tuple(dict.fromkeys(value))


def to_text(evidence: Evidence) -> str:
    """JSON text of the evidence, without subject and year, which are columns of their own."""
    values = {name: value for name in _NAMES[2:] if (value := getattr(evidence, name)) not in (None, ())}
    return orjson.dumps(values).decode()


def from_text(subject: Code, year: int | None, text: str) -> Evidence:
    """The inverse of `to_text`."""
    return Evidence(subject, year, **{name: _tuples(name, value) for name, value in orjson.loads(text).items()})


def _tuples(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    return tuple(map(tuple, value)) if name in _PAIRS else tuple(value)


_NAMES = tuple(field.name for field in fields(Evidence))
_PAIRS = ("rups", "points", "papers")
