"""Contracts that are paid or reported on, and the purchases that they carry out."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import product

from transforms import mak
from transforms.evidence import Evidence
from transforms.identity import Code
from transforms.linking.numbers import (
    SEGMENT,
    Parts,
    distinguishes,
    letter_level,
    number_keys,
    number_level,
    number_parts,
)
from transforms.linking.rules import HOPELESS, OFFICE, PRESENT, Key
from transforms.linking.scoring import Blocks, Chain, Rarity, Weighed, office_weight, title_weight
from transforms.linking.suppliers import Firm, firm, supplier_level
from transforms.linking.text import acronym, words

# The weights of evidence: see `rules`.
NUMBER = {"part": 5.0, "near": 5.0, "loose": 2.5, "other": -2.5}
SUPPLIER = {"short": 4.0, "near": 3.5, "part": 2.0, "other": -4.0}
AMOUNT = {"rounded": 5.0, "near": 3.0, "changed": 1.0, "other": -4.0}
# A contract's number beside that of the letter of appointment before it: the same but for words, or the next one.
LETTER = {"same": 4.0, "next": 1.3, "near": -0.5, "other": -2.0}
DAYS = ((0, 2.5), (7, 1.5), (31, 0.3), (92, -1.0))
FAR = -2.5
OTHER_RUP = -3.5
OTHER_SUB_ACTIVITY = -1.5
# An attempt that came to nothing has no contract.
FAILED = -5.0


@dataclass(frozen=True, slots=True)
class _Number:
    """A document's number as it is compared: its parts, all of it without signs, and the numbers among the parts."""

    parts: Parts
    plain: str
    digits: frozenset[int]


@dataclass(slots=True)
class ContractFeatures:
    """A purchase, or what is paid or reported of one, as it is compared."""

    office: str | None
    rups: frozenset[Code]
    numbers: tuple[str, ...]  # those that distinguish their document from others
    letters: tuple[str, ...]  # the same of letters of appointment
    firms: tuple[Firm, ...]
    keys: frozenset[str]  # supplier codes and digests of tax numbers
    amounts: tuple[float, ...]
    days: tuple[int, ...]
    titles: tuple[str, ...]
    sub_activities: frozenset[str]
    failed: bool

    @property
    def firm_words(self) -> set[str]:
        return {word for name in self.firms for word in name if len(word) > 2} | {acronym(name) for name in self.firms}


@lru_cache(maxsize=65536)
def _number(written: str) -> _Number:
    parts = number_parts(written)
    digits = frozenset(part for part in parts if isinstance(part, int))
    return _Number(parts, SEGMENT.sub("", written.upper()), digits)


def _distinguishing(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(number for number in dict.fromkeys(numbers) if distinguishes(_number(number).parts))


def features(e: Evidence, office: str | None, rups: Iterable[Code], maks: Iterable[str]) -> ContractFeatures:
    """What is compared of a subject, whose office, first codes of the RUPs and account codes are known."""
    signed = bool(e.numbers or e.suppliers or e.supplier_codes)
    return ContractFeatures(
        office,
        frozenset(rups),
        _distinguishing(e.numbers),
        _distinguishing(e.letters),
        tuple(dict.fromkeys(name for name in map(firm, e.suppliers) if name)),
        frozenset((*e.supplier_codes, *e.taxes)),
        tuple(sorted(set(map(float, e.amounts)))),
        tuple(sorted({date.fromisoformat(day[:10]).toordinal() for day in e.dates})),
        tuple(sorted({" ".join(sorted(set(words(title, "work")))) for title in e.titles})),
        frozenset(map(mak.sub_activity, maks)),
        not signed and e.status in ("cancelled", "unsuccessful"),
    )


def _size(amount: float) -> int:
    """The step of an amount on a scale of 10 %."""
    return int(math.log(max(amount, 1.0)) / math.log(1.1))


def blocks(contract: ContractFeatures) -> list[Chain]:
    """Blocks of a target: of each chain the keys from wide to narrow."""
    office, sizes = contract.office, {_size(amount) for amount in contract.amounts}
    months = {day // 30 for day in contract.days}
    numbers = list(map(_number, contract.numbers))
    parts: set[Parts | str] = {key for number in numbers for key in number_keys(number.parts)}
    parts.update(number.plain for number in numbers)
    words = contract.firm_words
    return [
        ([("rup", rup) for rup in contract.rups],),
        ([("number", key) for key in parts], [("number", key, office) for key in parts]),
        ([("key", key) for key in contract.keys], [("key", key, size) for key in contract.keys for size in sizes]),
        (
            [("firm", office, word) for word in words],
            [("firm", office, word, size) for word in words for size in sizes],
        ),
        ([("firm", word, size) for word in words for size in sizes],),
        (
            [("amount", int(amount)) for amount in contract.amounts],
            [("amount", int(amount), office) for amount in contract.amounts],
            [("amount", int(amount), office, month) for amount in contract.amounts for month in months],
        ),
        (
            [("size", office, size) for size in sizes],
            [("size", office, size, month) for size in sizes for month in months],
        ),
    ]


def lookups(contract: ContractFeatures) -> list[Chain]:
    """The keys under which a source's candidates stand: those of a target, and the steps and months beside its own."""
    widened = replace(
        contract,
        amounts=tuple(sorted({amount * step for amount in contract.amounts for step in (1 / 1.1, 1.0, 1.1)})),
        days=tuple(sorted({day + step for day in contract.days for step in (-30, 0, 30)})),
    )
    return blocks(widened)


def counts(contract: ContractFeatures) -> set[Key]:
    """The values of a target whose rarity weighs."""
    return {
        (OFFICE, contract.office),
        *(("rup", rup) for rup in contract.rups),
        *(("written", _number(number).parts) for number in contract.numbers),
        *(("firm", name) for name in contract.firms),
        *(("key", key) for key in contract.keys),
        *(("amount", int(amount)) for amount in contract.amounts),
        *(("sub", line) for line in contract.sub_activities),
    }


def weighed(
    sources: Mapping[Code, ContractFeatures], targets: Mapping[Code, ContractFeatures], rarity: Rarity
) -> Weighed:
    """What each contract, paid or reported on, weighs beside the purchases of its blocks; those without a chance left
    out. `targets` hold all that share a wide block with one of the sources."""
    prior = PRESENT - math.log(rarity.total)
    codes = sorted(targets)
    near = Blocks(blocks(targets[code]) for code in codes)
    return {
        source: {
            codes[place]: weight
            for place in near.candidates(lookups(contract))
            if (weight := _weigh(contract, targets[codes[place]], rarity, prior))
        }
        for source, contract in sources.items()
    }


def _weigh(
    source: ContractFeatures, target: ContractFeatures, rarity: Rarity, prior: float
) -> tuple[float, str] | None:
    """(weight for a contract, paid or reported on, being that of a purchase, the evidence for it); None for no chance.

    What is quick to compare comes first: most candidates are out of the question before names and texts are.
    """
    evidence: list[tuple[str, float]] = []
    if source.rups and target.rups:
        shared = source.rups & target.rups
        evidence.append(("kd_rup", max(rarity.weight(("rup", rup)) for rup in shared) if shared else OTHER_RUP))
    if source.office and target.office:
        evidence.append((OFFICE, office_weight(source.office, target.office, rarity)))
    if source.amounts and target.amounts:
        evidence.append(("amount", max([_amount_weight(a, b, rarity) for a in source.amounts for b in target.amounts])))
    if source.days and target.days:
        evidence.append(("date", _days_weight(min([abs(a - b) for a in source.days for b in target.days]))))
    if source.sub_activities and target.sub_activities:
        lines = source.sub_activities & target.sub_activities
        weight = max(rarity.weight(("sub", line)) for line in lines) / 2 if lines else OTHER_SUB_ACTIVITY
        evidence.append(("sub-activity", weight))
    if source.numbers and target.numbers:
        pairs = product(map(_number, source.numbers), map(_number, target.numbers))
        evidence.append(("number", max([_number_weight(one, other, rarity) for one, other in pairs])))
    if source.numbers and target.letters:
        pairs = product(map(_number, source.numbers), map(_number, target.letters))
        evidence.append(("letter", max([LETTER[letter_level(one.parts, other.parts)] for one, other in pairs])))
    supplier = _supplier_weight(source, target, rarity)
    if supplier is not None:
        evidence.append(("supplier", supplier))
    total = prior + sum([weight for _, weight in evidence]) + (FAILED if target.failed else 0.0)
    if total < HOPELESS:
        return None
    if source.titles and target.titles:
        evidence.append(("title", title_weight(source.titles, target.titles)))
        total += evidence[-1][1]
    strongest = sorted((-weight, name) for name, weight in evidence if weight >= 1)
    return total, "+".join(name for _, name in strongest)


def _number_weight(one: _Number, other: _Number, rarity: Rarity) -> float:
    if one.plain == other.plain:
        level = "same"
    elif one.digits <= other.digits or other.digits <= one.digits:
        level = number_level(one.parts, other.parts)
    else:
        level = "other"
    return rarity.weight(("written", other.parts)) if level == "same" else NUMBER[level]


def _supplier_weight(source: ContractFeatures, target: ContractFeatures, rarity: Rarity) -> float | None:
    if shared := source.keys & target.keys:
        return max(rarity.weight(("key", key)) for key in shared)
    levels = [(supplier_level(one, other), other) for one in source.firms for other in target.firms]
    if not levels:
        return None
    return max(rarity.weight(("firm", other)) if level == "same" else SUPPLIER[level] for level, other in levels)


def _amount_weight(one: float, other: float, rarity: Rarity) -> float:
    gap = abs(one - other)
    if gap <= 1:
        return rarity.weight(("amount", int(other)))
    larger = max(one, other)
    if gap <= 1000:
        return AMOUNT["rounded"]
    if gap <= larger / 1000:
        return AMOUNT["rounded" if one % 10_000 == 0 or other % 10_000 == 0 else "near"]
    # A contract may grow by a tenth at most (an addendum).
    return AMOUNT["changed"] if gap <= 0.1 * min(one, other) else AMOUNT["other"]


def _days_weight(days: int) -> float:
    return next((weight for limit, weight in DAYS if days <= limit), FAR)
