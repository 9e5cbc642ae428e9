"""What rows say that tells to whom they belong: the input of linking.

Each source's `evidence(service, record)` yields what one row says of its subject; the evidence of all current rows of a
subject together is what `transforms.linking` compares. Codes, names and numbers stand as the source spells them: the
rules know how clerks vary them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import orjson

from transforms.identity import Code


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one subject: (kind, code) of a purchase, plan, budget line, proposal, contract, job, document.

    `office` is kd_satker_str or the system's own office code; `maks` are canonical (`transforms.mak`); `taxes` are
    digests of tax numbers as in `transforms.parties.supplier_keys`; `amounts` are IDR, `dates` local days; `points` are
    (latitude, longitude). `status` is the code of the subject's state where that matters to who reads the results.
    """

    subject: Code
    year: int | None = None
    office: str | None = None
    office_name: str | None = None
    rups: tuple[Code, ...] = ()
    maks: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    suppliers: tuple[str, ...] = ()
    supplier_codes: tuple[str, ...] = ()
    taxes: tuple[str, ...] = ()
    amounts: tuple[float, ...] = ()
    dates: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    villages: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
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
    """All that is said of one subject: lists are joined without repeats, of single words the first one stands."""
    said: dict[str, Any] = {}
    for part in parts:
        for name in _NAMES:
            value = getattr(part, name)
            if isinstance(value, tuple) and name != "subject":
                said[name] = tuple(dict.fromkeys((*said.get(name, ()), *value)))
            elif value is not None and said.get(name) is None:
                said[name] = value
    return Evidence(**said)


def to_text(evidence: Evidence) -> str:
    """JSON text of what is said, without subject and year, which are columns of their own."""
    said = {name: value for name in _NAMES[2:] if (value := getattr(evidence, name)) not in (None, ())}
    return orjson.dumps(said).decode()


def from_text(subject: Code, year: int | None, text: str) -> Evidence:
    """The inverse of `to_text`."""
    said = {name: _tuples(value) for name, value in orjson.loads(text).items()}
    return Evidence(subject, year, **said)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


_NAMES = tuple(field.name for field in fields(Evidence))
