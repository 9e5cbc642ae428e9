"""Linking: which payment, report, budget line, proposal and document belongs to which plan or purchase.

A link's confidence is the probability that it is right, worked out as record linkage does (Fellegi and Sunter): every
piece of evidence on which two subjects agree or differ multiplies the odds by how much more often true pairs look like
that than chance pairs do. In logarithms, for a subject and each of its candidates:

    weight = -ln(targets that there are) + ln(odds that the right one is among them) + the sum of the evidence

What few have (an amount to the rupiah, a number, a supplier) weighs ln(all / those that have it); the rest has the
fixed weights below. Of a rule where each subject belongs to one target, all candidates and "none of them" share one
probability: two that can't be told apart get half each and wait for an operator, whatever speaks for both.

A proposal may rightly become several plans, so each pair has a probability of its own, lower beside a better one.

Candidates come from blocks (same office and supplier, same village, a part of a number ...). A block that holds too
many is narrowed by a further piece of evidence, and left out where that is not enough, so that cost grows with the rows
and not with their square. Everything here is a pure function of its input, whatever its order.
"""

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from transforms import mak
from transforms.evidence import Evidence, Link, united
from transforms.identity import RUP_KINDS, Code

_OPERATOR = "operator"
PURCHASES = ("tender", "nontender", "pencatatan", "swakelola", "ecat", "tokodaring")
OFFICE = "office"

Decisions = Mapping[tuple[str, Code, Code], bool]
Canonical = Callable[[Code], Code]


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of link: from subjects of these kinds to targets of those.

    `accept` is the confidence from which it links by itself, `pending` that from which it asks. `truth` says how many
    targets a subject may rightly have.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    truth: str
    says: str
    accept: float
    pending: float


RULES: dict[str, Rule] = {
    "office": Rule(
        (), (OFFICE,), "many-to-one", "a system's own office is an office of the regency: code, else name", 0.9, 0.3
    ),
    "rup-package": Rule(
        PURCHASES,
        RUP_KINDS,
        "many-to-many",
        "a purchase fulfils a plan: by kd_rup alone",
        1.0,
        0.3,
    ),
    "budget-package": Rule(
        ("anggaran",),
        RUP_KINDS,
        "many-to-many",
        "a budget line pays for the plans that carry its account code",
        0.9,
        0.3,
    ),
    "contract-payment": Rule(
        ("kontrak",),
        PURCHASES,
        "many-to-one",
        "a contract that is paid is that of a purchase: number, office, supplier, amount, date, title",
        0.95,
        0.05,
    ),
    "contract-report": Rule(
        ("pekerjaan",),
        PURCHASES,
        "many-to-one",
        "a job that is reported on is a purchase's contract: kd_rup, number, office, supplier, amount, date, title",
        0.95,
        0.05,
    ),
    "proposal-package": Rule(
        ("usulan", "pokir"),
        RUP_KINDS,
        "many-to-many",
        "a proposal became a plan: place, work, sub-activity, office, amount",
        0.82,
        0.05,
    ),
    "document-package": Rule(
        ("dokumen",), RUP_KINDS, "many-to-many", "a planning document is of a plan: kd_rup, else account code", 0.9, 0.3
    ),
}

_JOINED = {kind for name, rule in RULES.items() for kind in rule.sources if name != "rup-package"}


def is_purchase(kind: str) -> bool:
    """Whether a subject of this kind is a purchase, of whatever source: no plan, no office, and joined by no rule."""
    return kind not in _JOINED and kind not in (OFFICE, *RUP_KINDS)


# Which system tells of a kind: whose office codes and names its evidence bears. A kind that is not here is its own.
SYSTEMS = {
    "anggaran": "simda",
    "kontrak": "simda",
    "usulan": "musrenbang",
    "pokir": "musrenbang",
    "pekerjaan": "simpen",
}

# A block of more than this many targets is narrowed or left out.
_BLOCK = 30
# Below this many targets, rarity is judged as though there were as many: a small year is no proof.
_FEWEST = 1000
# How often the right target is among the candidates at all: the rest never came, or came to nothing.
_PRESENT = math.log(0.9 / 0.1)

# ln(m / u): m is how often the two of a true pair look like this, u how often two of different matters do.
_NUMBER = {"part": 5.0, "near": 5.0, "loose": 2.5, "other": -2.5}
_SUPPLIER = {"short": 4.0, "near": 3.5, "part": 2.0, "other": -4.0}
_AMOUNT = {"rounded": 5.0, "changed": 1.0, "other": -4.0}
_DAYS = ((0, 2.5), (7, 1.5), (31, 0.3), (92, -1.0))
_FAR = -2.5
_TITLE = ((95, 3.0), (85, 2.0), (70, 0.7), (50, -0.5))
_OTHER_TITLE = -2.0
_OTHER_OFFICE = -5.0
_SAME_PARENT = 0.5
_OTHER_RUP = -3.5
_OTHER_SUB_ACTIVITY = -1.5
# An attempt that came to nothing has no contract.
_FAILED = -5.0

# The same of proposals and plans. `_OTHER_...`: both name one and they differ; `_MOST_OF_...`: rarity weighs no more.
_OTHER_VILLAGE = -6.0
_OTHER_DISTRICT = -4.5
_OTHER_SPOT = -4.5
_UNLIKE_SPOTS = -4.0  # a road here, a neighbourhood there
_NO_SPOT = -1.5  # only one of the two names any
_WHOLE_VILLAGE = 2.0  # neither does
# Odds that village, office and kind of work reach together: a village has several works of a kind in a year.
_MOST_OF_A_PLACE = 1.75
# The most that a pair is worth of which too little is alike to link it unseen.
_UNSURE = 1.5
_MOST_OF_A_SPOT = 4.0
_MOST_OF_ALL_SPOTS = 5.0
_OTHER_LINE = -1.5
_MOST_OF_A_LINE = 4.0
_MOVED = -2.0  # to another office than it was proposed to
_MOST_OF_AN_OFFICE = 2.0
# Of what the common words weigh, by their share of the shorter text.
_WORK = ((0.75, 1.0), (0.5, 0.5), (0.3, 0.0))
_LEAST_OF_WORK = 1.0
_MOST_OF_WORK = 4.0
_OTHER_WORK = -4.5
_COST = ((0.05, 1.5), (0.15, 0.7), (0.3, 0.2))
_MOST_OF_A_COST = 3.0
_OTHER_COST = -0.5
_REFUSED = -3.0  # a proposal that was rejected or withdrawn
# For each further plan of a proposal that has one for sure: one of ten has several.
_FURTHER = _PRESENT
# Design and supervision are packages of their own beside the work that was proposed.
_COMPANION = -6.0
# A purchase's price as a share of a plan's budget.
_PRICE = ((0.97, 2.0), (0.85, 1.0), (0.6, -0.5))
_CHEAP = -2.0
_DEAR = -4.0
# Below this weight a candidate has no chance, whatever the texts say.
_HOPELESS = -8.0
# How much the odds fall where another subject has the better claim on a target: few targets have two rightly.
_CLAIMED = 20.0


# --- words -----------------------------------------------------------------------------------------------------------


_WORD = re.compile(r"[a-z]+|\d+")
_UNIT = re.compile(r"\b(rt|rw)[\s./]*0*(\d+)")
_UNITS = re.compile(r"\brt[\s.]*0*(\d+)\s*/\s*0*(\d+)")


@cache
def _vocabulary(name: str) -> tuple[re.Pattern[str], dict[str, str], dict[str, str]]:
    """(pattern of its phrases, phrase -> meaning, word -> meaning) of a list in `codes/words.csv`.

    The table holds what clerks write for one and the same, in lists: `short` (abbreviations, for all texts), `office`
    (names of offices), `place` (before places are looked for in a title), `work` (what is to be done). An empty
    meaning drops the word.
    """
    with (Path(__file__).parent / "codes" / "words.csv").open(encoding="utf-8", newline="") as file:
        written = {row["written"]: row["meaning"] for row in csv.DictReader(file) if row["list"] == name}
    phrases = {phrase: meaning for phrase, meaning in written.items() if not phrase.isalpha()}
    ordered = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, ordered or ["\0"])) + r")\b")
    return pattern, phrases, {word: meaning for word, meaning in written.items() if word.isalpha()}


@lru_cache(maxsize=16384)
def _completed(word: str, vocabulary: str) -> str:
    """The one word of a vocabulary that a word is the beginning of (`peningk`), if there is one; else the word."""
    _, _, meanings = _vocabulary(vocabulary)
    known = {*meanings, *(each for meaning in meanings.values() for each in meaning.split())}
    if len(word) < 4 or word in known:
        return word
    begun = sorted(each for each in known if each.startswith(word))
    return begun[0] if len({meanings.get(each, each) for each in begun}) == 1 else word


@lru_cache(maxsize=65536)
def words(text: str, vocabulary: str) -> tuple[str, ...]:
    """The words of a text in one spelling, numbers without zeros in front: what clerks abbreviate written out."""
    pattern, phrases, meanings = _vocabulary(vocabulary)
    text = _UNITS.sub(r"rt \1 rw \2", text.lower())
    text = _UNIT.sub(lambda found: f" {found[1]}_{found[2]} ", text.replace("&", " dan ")).replace(".", " ")
    _, _, short = _vocabulary("short")
    text = " ".join(short.get(word, word) for word in text.split())
    text = pattern.sub(lambda found: phrases[found[0]], text)
    found: list[str] = []
    for part in re.split(r"[^a-z0-9_]+", text):
        if "_" in part:
            found.append(part)
            continue
        for word in _WORD.findall(part):
            seen = set()
            word = _completed(word, vocabulary)
            while word in meanings and word not in seen:
                seen.add(word)
                word = meanings[word]
            found += (str(int(word)) if word.isdecimal() else word for word in word.split())
    return tuple(found)


# --- offices ---------------------------------------------------------------------------------------------------------


_BRACKETS = re.compile(r"\([^()]*\)")
_BLANKS = re.compile(r"\s+")
_REGENCY_WORDS = {"kabupaten", "kota", "pemerintah"}


def office_code(code: str | None) -> str | None:
    """An office's dotted code without padding, blanks and empty ends; None for what is none (a bare number, a word)."""
    parts = [part for part in _BLANKS.sub("", code or "").replace("-", ".").split(".") if part]
    if len(parts) < 4 or not all(part.isdecimal() for part in parts):
        return None
    plain = [str(int(part)) for part in parts]
    while plain and plain[-1] == "0":
        plain.pop()
    return ".".join(plain)


@lru_cache(maxsize=4096)
def _name_forms(name: str) -> tuple[tuple[str, ...], ...]:
    """An office's name as it may be compared: in words, these in any order, with what stands in brackets."""
    plain = _office_words(name)
    return tuple(form for form in (plain, tuple(sorted(plain)), words(name, OFFICE)) if form)


@dataclass(slots=True)
class Offices:
    """The regency's offices, and how other systems' codes and names lead to them."""

    codes: dict[str, str] = field(default_factory=dict)  # plain code -> kd_satker_str
    names: dict[tuple[str, ...], set[str]] = field(default_factory=lambda: defaultdict(set))
    known: dict[tuple[str, str], str | None] = field(default_factory=dict)  # (system, code or name) -> kd_satker_str

    def of(self, evidence: Evidence) -> str | None:
        """kd_satker_str of the office that a subject names."""
        identifier = evidence.office or evidence.office_name
        if identifier is None:
            return None
        kind = evidence.subject[0]
        system = SYSTEMS.get(kind, kind)
        if (system, identifier) in self.known:
            return self.known[system, identifier]
        return self.codes.get(office_code(evidence.office) or "") or self.named(evidence.office_name)[0]

    def named(self, name: str | None) -> tuple[str | None, float]:
        """(kd_satker_str, confidence) of the one office that bears a name, as clerks vary it."""
        return _office_named(self, name) if name else (None, 0.0)


def _office_words(name: str) -> tuple[str, ...]:
    """The words of an office's name without what stands in brackets and the regency's name at its end."""
    found = words(_BRACKETS.sub(" ", name), OFFICE)
    return next((found[:cut] for cut in range(2, len(found)) if found[cut] in _REGENCY_WORDS), found)


def _office_named(offices: Offices, name: str) -> tuple[str | None, float]:
    for plain in (_office_words(name), words(name, OFFICE)):
        for form in (plain, tuple(sorted(plain))):
            if form and len(found := offices.names.get(form, set())) == 1:
                return next(iter(found)), 0.99
    plain = _office_words(name)
    if not plain:
        return None, 0.0
    text = " ".join(plain)
    forms = {form: " ".join(form) for form in sorted(offices.names) if len(form) > 1 or len(plain) == 1}
    best: dict[str, float] = {}
    for _, score, form in process.extract(text, forms, scorer=fuzz.token_sort_ratio, score_cutoff=80, limit=10):
        for code in offices.names[form]:
            best[code] = max(best.get(code, 0.0), score)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    if ranked and (len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= 4):
        return ranked[0][0], 0.95 if ranked[0][1] >= 90 else 0.7
    # An acronym (DPUSDA) or the distinctive words alone (PEKERJAAN UMUM SUMBER DAYA AIR).
    squeezed = text.replace(" ", "")
    short = {code for form, codes in offices.names.items() for code in codes if _acronym(form) == squeezed}
    if len(short) == 1:
        return next(iter(short)), 0.9
    within = {code for form, codes in offices.names.items() for code in codes if len(plain) > 1 and {*plain} < {*form}}
    if len(within) == 1:
        return next(iter(within)), 0.7
    return None, 0.0


def _acronym(form: tuple[str, ...]) -> str:
    return "".join(word[0] for word in form)


def offices(subjects: Sequence[Evidence], decided: Decisions) -> tuple[Offices, list[Link]]:
    """The regency's offices and the links of rule `office`: from (system, its own code or, without one, its name)."""
    found = Offices()
    # The regency's own list of offices speaks first.
    first = {kind: place for place, kind in enumerate((OFFICE, *RUP_KINDS, *PURCHASES))}
    tellers = [e for e in subjects if e.subject[0] in first or is_purchase(e.subject[0])]
    for e in sorted(tellers, key=lambda e: (first.get(e.subject[0], len(first)), e.subject)):
        plain = office_code(e.office)
        if e.office is None or plain is None:
            continue
        own = found.codes.setdefault(plain, e.office)
        for form in _name_forms(e.office_name) if e.office_name else ():
            found.names[form].add(own)
    asked: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for e in subjects:
        if e.subject[0] in SYSTEMS and (identifier := e.office or e.office_name):
            asked[SYSTEMS[e.subject[0]], identifier][e.office_name or ""] += 1
    links: list[Link] = []
    cached: dict[str, tuple[str | None, float]] = {}
    for (system, identifier), names in sorted(asked.items()):
        decisions = {
            target[1]: says
            for (rule, source, target), says in decided.items()
            if rule == OFFICE and source == (system, identifier)
        }
        confirmed = sorted(code for code, says in decisions.items() if says)
        if confirmed:
            found.known[system, identifier] = confirmed[0]
            links += (Link(OFFICE, (system, identifier), (OFFICE, code), 1.0, _OPERATOR) for code in confirmed)
            continue
        code: str | None = found.codes.get(office_code(identifier) or "")
        confidence, by = 1.0, "code"
        if code is None:
            votes: dict[str, float] = defaultdict(float)
            for name, count in sorted(names.items()):
                if name not in cached:
                    cached[name] = found.named(name)
                named, sure = cached[name]
                if named and decisions.get(named) is not False:
                    votes[named] += count * sure
            code = min(votes, key=lambda each: (-votes[each], each), default=None)
            confidence, by = (votes[code] / sum(names.values()) if code else 0.0), "name"
        if code is not None and decisions.get(code) is False:
            code = None
        found.known[system, identifier] = code
        if code is not None:
            links.append(Link(OFFICE, (system, identifier), (OFFICE, code), confidence, by))
    return found, links


# --- document numbers ------------------------------------------------------------------------------------------------


_MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ROMAN = {roman: month for month, roman in enumerate(_MONTHS, 1)}
_SEGMENT = re.compile(r"[^0-9A-Z]+")
_RUN = re.compile(r"\d+|[A-Z]+")
_ZEROS = str.maketrans("OIL", "011")
_LIKE_DIGITS = re.compile(r"[0-9OIL]*\d[0-9OIL]*")
Parts = tuple[str | int, ...]


@lru_cache(maxsize=65536)
def number_parts(number: str) -> Parts:
    """A document's number in parts: numbers without zeros in front, roman months as numbers, words in capitals, and no
    signs. `027/ 03 /SPK/VIII/2025` and `27.3-spk-8-2025` have the same parts."""
    parts: list[str | int] = []
    for segment in _SEGMENT.split(number.upper()):
        if segment in _ROMAN:
            parts.append(_ROMAN[segment])
            continue
        if len(segment) > 1 and _LIKE_DIGITS.fullmatch(segment):
            segment = segment.translate(_ZEROS)
        parts += (int(run) if run.isdecimal() else run for run in _RUN.findall(segment))
    return tuple(parts)


def _is_year(part: str | int) -> bool:
    return isinstance(part, int) and 1990 <= part <= 2100


def _tells(parts: Parts) -> bool:
    """Whether parts of a number can tell it from others: besides words and years a number."""
    return len(parts) > 1 and any(isinstance(part, int) and not _is_year(part) for part in parts)


def _number_keys(parts: Parts) -> set[Parts]:
    """A number's parts as they may stand elsewhere: without what is first (027/...) or last (office, month, year)."""
    keys = {parts[first : len(parts) - last] for first in range(4) for last in range(3)}
    return {key for key in keys if _tells(key)}


def number_level(one: Parts, other: Parts) -> str:
    """How two numbers agree: `same`, `part` (one lacks parts of the other), `near` (words differ by a slip, numbers
    don't), `loose` (both at once), `other`."""
    if one == other:
        return "same"
    shorter, longer = sorted((one, other), key=lambda parts: (len(parts), str(parts)))
    if "".join(map(str, shorter)) == "".join(map(str, longer)):
        return "same"
    if _tells(shorter) and 2 * len(shorter) >= len(longer) and _within(shorter, longer):
        return "part"
    digits = [tuple(p for p in parts if isinstance(p, int)) for parts in (shorter, longer)]
    letters = ["".join(p for p in parts if isinstance(p, str)) for parts in (shorter, longer)]
    alike = fuzz.ratio(*letters) >= 75
    if alike and digits[0] == digits[1] and _tells(shorter):
        return "near"
    fewer, more = sorted(digits, key=len)
    if alike and len(fewer) > 1 and 3 * len(fewer) >= 2 * len(more) and _within(fewer, more):
        return "loose"
    return "other"


def _within(few: Sequence[Any], many: Sequence[Any]) -> bool:
    """Whether all of `few` stand in `many`, in their order."""
    rest = iter(many)
    return all(part in rest for part in few)


# --- suppliers -------------------------------------------------------------------------------------------------------


_LEGAL_FORMS = {
    "PT",
    "CV",
    "UD",
    "FA",
    "PD",
    "TB",
    "FIRMA",
    "KOP",
    "KOPERASI",
    "YAYASAN",
    "PERSERO",
    "TBK",
    "TOKO",
    "KSO",
}
Firm = tuple[str, ...]


@lru_cache(maxsize=65536)
def firm(name: str) -> Firm:
    """The words of a supplier's name without its legal form."""
    plain = re.sub(r"\b([CP])\s*\.?\s*([VT])\b\.?", r"\1\2", name.upper())
    found = tuple(re.findall(r"[A-Z0-9]+", plain.replace("'", "")))
    return tuple(word for word in found if word not in _LEGAL_FORMS) or found


@lru_cache(maxsize=262144)
def supplier_level(one: Firm, other: Firm) -> str:
    """How two names agree: `same`, `short` (words abbreviated), `near` (slips), `part` (words missing), `other`."""
    if one == other or "".join(one) == "".join(other) or sorted(one) == sorted(other):
        return "same"
    if {word[0] for word in one}.isdisjoint({word[0] for word in other}):
        return "other"
    shorter, longer = sorted((one, other), key=lambda words: (len(words), len("".join(words)), words))
    if len(shorter) == len(longer) and all(map(_abbreviates, one, other)):
        return "short"
    if len(longer) > 1 and "".join(shorter) == _acronym(longer):
        return "short"
    if fuzz.token_sort_ratio(" ".join(one), " ".join(other)) >= 86:
        return "near"
    if len(shorter) < len(longer) and _each_stands_for_one(shorter, longer):
        return "part"
    return "other"


def _abbreviates(one: str, other: str) -> bool:
    """Whether one word is short for the other: its beginning (M, MAJ) or its first letter and others of it (KRY)."""
    shorter, longer = sorted((one, other), key=lambda word: (len(word), word))
    return shorter[0] == longer[0] and (len(shorter) < len(longer) or shorter == longer) and _within(shorter, longer)


def _each_stands_for_one(few: Firm, many: Firm) -> bool:
    rest = iter(many)
    return any(len(word) > 2 for word in few) and all(any(_abbreviates(word, other) for other in rest) for word in few)


# --- contracts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as it is compared: its parts, all of it without signs, and the numbers among the parts."""

    parts: Parts
    plain: str
    digits: frozenset[int]


@dataclass(slots=True)
class _Deal:
    """A purchase, or what is paid or reported of one, as it is compared."""

    subject: Code
    office: str | None
    rups: frozenset[Code]
    numbers: tuple[_Number, ...]
    firms: tuple[Firm, ...]
    keys: frozenset[str]  # supplier codes and digests of tax numbers
    amounts: tuple[float, ...]
    days: tuple[int, ...]
    titles: tuple[str, ...]
    sub_activities: frozenset[str]
    failed: bool

    @property
    def firm_words(self) -> set[str]:
        return {word for name in self.firms for word in name if len(word) > 2} | {_acronym(name) for name in self.firms}


def _numbers(written: Iterable[str]) -> Iterator[_Number]:
    for number in dict.fromkeys(written):
        parts = number_parts(number)
        if _tells(parts):
            digits = frozenset(part for part in parts if isinstance(part, int))
            yield _Number(parts, _SEGMENT.sub("", number.upper()), digits)


def _deal(e: Evidence, offices: Offices, canonical: Canonical, of_rups: Mapping[Code, Evidence]) -> _Deal:
    rups = frozenset(map(canonical, e.rups))
    lines = e.maks or tuple(line for rup in sorted(rups) if rup in of_rups for line in of_rups[rup].maks)
    signed = bool(e.numbers or e.suppliers or e.supplier_codes)
    return _Deal(
        e.subject,
        offices.of(e),
        rups,
        tuple(_numbers(e.numbers)),
        tuple(dict.fromkeys(name for name in map(firm, e.suppliers) if name)),
        frozenset((*e.supplier_codes, *e.taxes)),
        tuple(sorted(set(e.amounts))),
        tuple(sorted({date.fromisoformat(day[:10]).toordinal() for day in e.dates})),
        tuple(sorted({" ".join(sorted(set(words(title, "work")))) for title in e.titles})),
        frozenset(map(mak.sub_activity, lines)),
        not signed and e.status in ("cancelled", "unsuccessful"),
    )


def _size(amount: float) -> int:
    """The step of an amount on a scale of 10 %."""
    return int(math.log(max(amount, 1.0)) / math.log(1.1))


Keys = list[Hashable]


def _deal_keys(deal: _Deal) -> list[tuple[Keys, ...]]:
    """Blocks of a target: of each chain the keys from wide to narrow."""
    office, sizes = deal.office, {_size(amount) for amount in deal.amounts}
    months = {day // 30 for day in deal.days}
    parts: set[Hashable] = {key for number in deal.numbers for key in _number_keys(number.parts)}
    parts.update(number.plain for number in deal.numbers)
    words = deal.firm_words
    return [
        ([("rup", rup) for rup in deal.rups],),
        ([("number", key) for key in parts], [("number", key, office) for key in parts]),
        ([("key", key) for key in deal.keys], [("key", key, size) for key in deal.keys for size in sizes]),
        (
            [("firm", office, word) for word in words],
            [("firm", office, word, size) for word in words for size in sizes],
        ),
        ([("firm", word, size) for word in words for size in sizes],),
        (
            [("amount", int(amount)) for amount in deal.amounts],
            [("amount", int(amount), office) for amount in deal.amounts],
            [("amount", int(amount), office, month) for amount in deal.amounts for month in months],
        ),
        (
            [("size", office, size) for size in sizes],
            [("size", office, size, month) for size in sizes for month in months],
        ),
    ]


def _deal_lookups(deal: _Deal) -> list[tuple[Keys, ...]]:
    """The keys under which a source's candidates stand: those of a target, and the steps and months beside its own."""
    widened = replace(
        deal,
        amounts=tuple(sorted({amount * step for amount in deal.amounts for step in (1 / 1.1, 1.0, 1.1)})),
        days=tuple(sorted({day + step for day in deal.days for step in (-30, 0, 30)})),
    )
    return _deal_keys(widened)


class _Blocks:
    """Targets by block; `candidates` follows each chain of keys from wide to narrow until blocks are small enough."""

    def __init__(self, keyed: Iterable[list[tuple[Keys, ...]]]) -> None:
        self.blocks: dict[Hashable, list[int]] = defaultdict(list)
        for place, chains in enumerate(keyed):
            for chain in chains:
                for key in {key for keys in chain for key in keys}:
                    self.blocks[key].append(place)

    def candidates(self, chains: list[tuple[Keys, ...]]) -> list[int]:
        found: set[int] = set()
        for chain in chains:
            for position, keys in enumerate(chain):
                blocks = [self.blocks[key] for key in keys if key in self.blocks]
                small = [block for block in blocks if len(block) <= _BLOCK]
                if position == len(chain) - 1 or len(small) == len(blocks):
                    found.update(*small)
                    break
        return sorted(found)


@dataclass(slots=True)
class _Rarity:
    """How many targets there are (`known`; `total` as they are judged) and how many share a value."""

    known: int
    total: int
    counts: Counter[Hashable]

    def weight(self, value: Hashable) -> float:
        return math.log(self.total / max(self.counts[value], 1))


def _rarity(deals: Sequence[_Deal]) -> _Rarity:
    counts: Counter[Hashable] = Counter()
    for deal in deals:
        counts[OFFICE, deal.office] += 1
        counts.update(("rup", rup) for rup in deal.rups)
        counts.update(("number", number.parts) for number in deal.numbers)
        counts.update({("firm", name) for name in deal.firms})
        counts.update(("key", key) for key in deal.keys)
        counts.update({("amount", int(amount)) for amount in deal.amounts})
        counts.update(("sub", line) for line in deal.sub_activities)
    return _Rarity(max(len(deals), 1), max(len(deals), _FEWEST), counts)


def _weigh(source: _Deal, target: _Deal, rarity: _Rarity, prior: float) -> tuple[float, str] | None:
    """(weight for a contract, paid or reported on, being that of a purchase, what speaks for it); None for no chance.

    What is quick to compare comes first: most candidates are out of the question before names and texts are.
    """
    said: list[tuple[str, float]] = []
    if source.rups and target.rups:
        shared = source.rups & target.rups
        said.append(("kd_rup", max(rarity.weight(("rup", rup)) for rup in shared) if shared else _OTHER_RUP))
    if source.office and target.office:
        said.append((OFFICE, _office_weight(source.office, target.office, rarity)))
    if source.amounts and target.amounts:
        said.append(("amount", max([_amount_weight(a, b, rarity) for a in source.amounts for b in target.amounts])))
    if source.days and target.days:
        said.append(("date", _days_weight(min([abs(a - b) for a in source.days for b in target.days]))))
    if source.sub_activities and target.sub_activities:
        lines = source.sub_activities & target.sub_activities
        weight = max(rarity.weight(("sub", line)) for line in lines) / 2 if lines else _OTHER_SUB_ACTIVITY
        said.append(("sub-activity", weight))
    if source.numbers and target.numbers:
        said.append(("number", max([_number_weight(a, b, rarity) for a in source.numbers for b in target.numbers])))
    supplier = _supplier_weight(source, target, rarity)
    if supplier is not None:
        said.append(("supplier", supplier))
    total = prior + sum([weight for _, weight in said]) + (_FAILED if target.failed else 0.0)
    if total < _HOPELESS:
        return None
    if source.titles and target.titles:
        said.append(("title", _title_weight(source.titles, target.titles)))
        total += said[-1][1]
    speaking = sorted((-weight, name) for name, weight in said if weight >= 1)
    return total, "+".join(name for _, name in speaking)


def _number_weight(one: "_Number", other: "_Number", rarity: _Rarity) -> float:
    if one.plain == other.plain:
        level = "same"
    elif one.digits <= other.digits or other.digits <= one.digits:
        level = number_level(one.parts, other.parts)
    else:
        level = "other"
    return rarity.weight(("number", other.parts)) if level == "same" else _NUMBER[level]


def _office_weight(one: str, other: str, rarity: _Rarity) -> float:
    if one == other:
        return math.log(rarity.known / max(rarity.counts[OFFICE, other], 1))
    # A health centre under its department: the codes differ in the last part only.
    return _SAME_PARENT if one.rpartition(".")[0] == other.rpartition(".")[0] else _OTHER_OFFICE


def _supplier_weight(source: _Deal, target: _Deal, rarity: _Rarity) -> float | None:
    if shared := source.keys & target.keys:
        return max(rarity.weight(("key", key)) for key in shared)
    levels = [(supplier_level(one, other), other) for one in source.firms for other in target.firms]
    if not levels:
        return None
    return max(rarity.weight(("firm", other)) if level == "same" else _SUPPLIER[level] for level, other in levels)


def _amount_weight(one: float, other: float, rarity: _Rarity) -> float:
    gap = abs(one - other)
    if gap <= 1:
        return rarity.weight(("amount", int(other)))
    larger = max(one, other)
    if gap <= max(1000.0, larger / 1000):
        return _AMOUNT["rounded"]
    # A contract may grow by a tenth at most (an addendum).
    return _AMOUNT["changed"] if gap <= 0.1 * min(one, other) else _AMOUNT["other"]


def _days_weight(days: int) -> float:
    return next((weight for limit, weight in _DAYS if days <= limit), _FAR)


def _title_weight(some: Sequence[str], others: Sequence[str]) -> float:
    alike = max(fuzz.token_set_ratio(one, other) for one in some for other in others)
    return next((weight for limit, weight in _TITLE if alike >= limit), _OTHER_TITLE)


Weighed = dict[Code, dict[Code, tuple[float, str]]]  # source -> target -> (weight, what speaks for it)


def _contracts(sources: Sequence[_Deal], targets: Sequence[_Deal], rarity: _Rarity, blocks: _Blocks) -> Weighed:
    prior = _PRESENT - math.log(rarity.total)
    weighed: Weighed = {}
    for source in sources:
        found = {}
        for place in blocks.candidates(_deal_lookups(source)):
            if weight := _weigh(source, targets[place], rarity, prior):
                found[targets[place].subject] = weight
        weighed[source.subject] = found
    return weighed


def _of_one(weighed: Weighed) -> Weighed:
    """Weights -> probabilities, where each source belongs to one target or to none of its candidates."""
    shared: Weighed = {}
    for source, found in weighed.items():
        highest = max((weight for weight, _ in found.values()), default=0.0)
        top = max(highest, 0.0)
        all_of = math.exp(-top) + sum(math.exp(weight - top) for weight, _ in found.values())
        shared[source] = {target: (math.exp(w - top) / all_of, by) for target, (w, by) in found.items()}
    return shared


def _less_claimed(weighed: Weighed) -> Weighed:
    """Weights, less where another source has the better claim on the target: what is taken is seldom meant twice."""
    claims: dict[Code, list[tuple[float, float, Code]]] = defaultdict(list)
    likely = _of_one(weighed)
    for source, found in weighed.items():
        for target, (weight, _) in found.items():
            claims[target].append((weight, likely[source][target][0], source))
    lessened: Weighed = {}
    for source, found in weighed.items():
        lessened[source] = {}
        for target, (weight, by) in found.items():
            better = max((p for w, p, other in claims[target] if other != source and w > weight + 2), default=0.0)
            lessened[source][target] = (weight - math.log1p(_CLAIMED * better), by)
    return lessened


# --- plans: budget lines, documents ----------------------------------------------------------------------------------


def _enriched(plans: Iterable[Evidence], purchases: Iterable[Evidence], canonical: Canonical) -> dict[Code, Evidence]:
    """Plans by code; what a plan's own rows leave out is taken from purchases that name it alone."""
    named: dict[Code, list[Evidence]] = defaultdict(list)
    for purchase in purchases:
        if len(purchase.rups) == 1:
            named[canonical(purchase.rups[0])].append(purchase)
    found = {}
    for plan in plans:
        said = {}
        for name in ("office", "office_name", "maks", "titles"):
            if not getattr(plan, name):
                said[name] = next((v for p in named[canonical(plan.subject)] if (v := getattr(p, name))), None)
        found[plan.subject] = replace(plan, **{name: value for name, value in said.items() if value})
    return found


def _lines(
    sources: Iterable[Evidence], plans: Mapping[Code, Evidence], offices: Offices, canonical: Canonical
) -> Weighed:
    """What names a plan by its code or by an account code that the plan carries: probabilities."""
    by_mak: dict[str, list[Evidence]] = defaultdict(list)
    by_code: dict[Code, list[Code]] = defaultdict(list)
    for code, plan in sorted(plans.items()):
        by_code[canonical(code)].append(code)
        for line in plan.maks:
            by_mak[line].append(plan)
    found: Weighed = {}
    for source in sources:
        near: dict[Code, tuple[float, str]] = {}
        for rup in source.rups:
            for code in [rup] if rup in plans else by_code.get(canonical(rup), []):
                near[code] = (1.0, "kd_rup")
        if len({kind for kind, _ in near}) > 1:
            # A bare number may be a code of either kind: which one is meant is for an operator to say.
            near = dict.fromkeys(near, (0.5, "kd_rup"))
        office = offices.of(source)
        for line in source.maks if not near else ():
            for plan in by_mak.get(line, ()):
                other = offices.of(plan)
                alike = 0.97 if office is None or other is None else 0.99 if office == other else None
                if alike is None and office and other and office.rpartition(".")[0] == other.rpartition(".")[0]:
                    alike = 0.93
                if alike is not None and mak.is_whole(line):
                    near[plan.subject] = max(near.get(plan.subject, (0.0, "")), (alike, "mak"))
        found[source.subject] = near
    return found


# --- proposals -------------------------------------------------------------------------------------------------------


_DISTRICT_WORDS = frozenset({"kecamatan"})
_MARKS = frozenset({"desa", "kelurahan"}) | _DISTRICT_WORDS
# Works whose name ends in the word for a village: `Balai Desa Maju`.
_VILLAGE_WORKS = frozenset({"balaidesa", "jalandesa", "poskesdes"})
# Words that say what kind of spot inside a village a name is of.
_SPOT_KINDS = {
    **dict.fromkeys(("jalan", "ruas"), "road"),
    **dict.fromkeys(("gang", "lorong"), "alley"),
    **dict.fromkeys(("kali", "sungai"), "river"),
    **dict.fromkeys(("dusun", "kampung", "lingkungan", "blok"), "hamlet"),
    **dict.fromkeys(("sd", "smp", "tk", "paud", "mi", "mts"), "school"),
}
# Of these what may itself be the work.
_SPOT_WORKS = {"jalan", "sd", "smp", "tk", "paud", "mi", "mts"}
# What may follow such a word and is no name.
_NO_NAMES = {
    *(
        "rusak",
        "kabupaten",
        "kota",
        "negeri",
        "paket",
        "tahap",
        "lanjutan",
        "baru",
        "rabat",
        "beton",
        "paving",
        "aspal",
    ),
    *("drainase", "saluran", "jembatan", "irigasi", "penerangan", "umum", "rehabilitasi", "pembangunan", "peningkatan"),
}
# What is done, whatever it is done to.
_DOING = {
    "pembangunan",
    "peningkatan",
    "perbaikan",
    "pengadaan",
    "pemasangan",
    "normalisasi",
    "lanjutan",
    "tahap",
    "paket",
}
# What tells the stages of one work apart.
_STAGES = {"lanjutan", "tahap", "1", "2", "3", "4", "5"}
# What names the design or the supervision of a work.
_COMPANIONS = {"perencanaan", "pengawasan", "supervisi", "ded", "konsultan", "konsultansi", "kajian", "studi"}


@dataclass(slots=True)
class _Matter:
    """A proposal or a plan, as it is compared."""

    subject: Code
    office: str | None
    sub_activities: frozenset[str]
    villages: frozenset[str]
    districts: frozenset[str]
    # Of a plan whose title names other villages: those that only its places of work name.
    further: frozenset[str]
    spots: Mapping[str, frozenset[str]]
    # Of a plan for several villages: the spots in each.
    inside: Mapping[str, Mapping[str, frozenset[str]]]
    words: frozenset[str]
    text: tuple[str, ...]
    companion: bool
    refused: bool
    amounts: tuple[float, ...]


@dataclass(slots=True)
class _Places:
    """What a text names: villages, districts, spots by kind; and the rest of its words, which tell of the work.

    `inside` holds the spots that stand before each village: of a work in several places each has its own.
    """

    villages: set[str] = field(default_factory=set)
    districts: set[str] = field(default_factory=set)
    spots: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    inside: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    rest: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)  # what was named and may be the work, if nothing else is


@dataclass(frozen=True, slots=True)
class _Gazetteer:
    """The names of villages and districts that proposals give."""

    villages: frozenset[str]
    districts: frozenset[str]

    def places(self, text: str) -> _Places:
        """What a text names, read from left to right."""
        found = words(text, "place")
        places = _Places()
        before: set[tuple[str, str]] = set()
        start = 0
        while start < len(found):
            word, after = found[start], found[start + 1 : start + 2]
            if word in _MARKS | _VILLAGE_WORKS and (length := self._length(found, start + 1, word)):
                if word in _VILLAGE_WORKS:
                    places.rest.append(word)
                name = "".join(found[start + 1 : start + 1 + length])
                if word in _DISTRICT_WORDS:
                    places.districts.add(name)
                else:
                    places.villages.add(name)
                    places.inside[name] |= before
                    before = set()
                start += 1 + length
            elif word in _SPOT_KINDS and (length := _spot_length(found, start + 1)):
                name = "".join(found[start + 1 : start + 1 + length])
                # A road or a school is often called after its village.
                called = [each for each in (name, name.rstrip("0123456789")) if each in self.villages]
                places.villages.update(called)
                if name not in called:
                    before.add((_SPOT_KINDS[word], name))
                if word in _SPOT_WORKS:
                    places.marked.append(word)
                start += 1 + length
            elif word.startswith("rt_"):
                paired = bool(after) and after[0].startswith("rw_")
                before.add(("unit", " ".join(found[start : start + 1 + paired])))
                start += 1 + paired
            elif word.startswith("rw_"):
                before.add(("unit", word))
                start += 1
            elif length := self._length(found, start, None):
                name = "".join(found[start : start + length])
                if name in self.villages:
                    places.villages.add(name)
                    places.inside[name] |= before
                    before = set()
                if name in self.districts:
                    places.districts.add(name)
                start += length
            else:
                places.rest.append(word)
                start += 1
        # What stands behind the last village is in none of several.
        for kind, name in before.union(*places.inside.values()):
            places.spots[kind].add(name)
        return places

    def _length(self, found: tuple[str, ...], start: int, mark: str | None) -> int:
        """How many words from `start` on name a place. After a word that says so any name is one, with slips too."""
        known = self.districts if mark in _DISTRICT_WORDS else self.villages if mark else self.villages | self.districts
        names = {length: "".join(found[start : start + length]) for length in (3, 2, 1) if start + length <= len(found)}
        for length, name in names.items():
            if name in known and (mark or len(name) > 4):
                return length
        if not mark or 1 not in names or not names[1].isalpha() or names[1] in _MARKS | _SPOT_KINDS.keys() | _NO_NAMES:
            return 0
        return next((length for length in (2, 1) if _slip_of(names.get(length, ""), known)), 1)


def _spot_length(found: tuple[str, ...], start: int) -> int:
    """How many words from `start` on name a spot: one, or two before a number (`SDN Maju Lor 3`), and the number."""
    if start >= len(found) or not found[start].isalpha() or found[start] in _MARKS | _NO_NAMES:
        return 0
    if found[start] in _SPOT_KINDS:
        return 0  # `Jalan Gang Melati`: the next word names it
    for length in (1, 2):
        if start + length < len(found) and found[start + length].isdecimal():
            return length + 1
        if start + length >= len(found) or not found[start + length].isalpha():
            return 1
    return 1


@lru_cache(maxsize=65536)
def _slip_of(name: str, known: frozenset[str]) -> str | None:
    """The one name of which another is a slip: a letter wrong, lost, added or swapped with the next."""
    if len(name) < 5:
        return None
    found = process.extract(name, known, scorer=OSA.distance, score_cutoff=1, limit=2)
    return str(found[0][0]) if len(found) == 1 else None


def _matter(e: Evidence, offices: Offices, gazetteer: _Gazetteer, own: bool) -> _Matter:
    """A proposal (`own`: it gives its places in fields of their own) or a plan, whose places stand in its texts."""
    titled = [gazetteer.places(title) for title in e.titles[:2]]
    villages = frozenset(name for each in titled for name in each.villages)
    districts = frozenset(name for each in titled for name in each.districts)
    further: frozenset[str] = frozenset()
    named = list(titled)
    if own:
        villages = frozenset(filter(None, map(place_name, e.villages)))
        districts = frozenset(filter(None, map(place_name, e.districts)))
    else:
        # The place of work is often the office's seat, or the regency as a whole: the title knows better.
        sites = [gazetteer.places(place) for place in (*e.villages, *e.districts)]
        there = frozenset(name for each in sites for name in each.villages)
        villages, further = villages or there, there - villages if villages else further
        districts |= {name for each in sites for name in each.districts}
        named += sites
    spots: dict[str, set[str]] = defaultdict(set)
    for each in named:
        for kind, names in each.spots.items():
            spots[kind] |= names
    told = [frozenset(words(" ".join(each.rest), "work")) for each in titled]
    told = [each if each - _DOING else each | {*place.marked} for each, place in zip(told, titled, strict=True)]
    return _Matter(
        e.subject,
        offices.of(e),
        frozenset(map(mak.sub_activity, e.maks)),
        villages,
        districts,
        further,
        {kind: frozenset(names) for kind, names in spots.items()},
        _inside(titled) if len(villages) > 1 and not own else {},
        frozenset().union(*told) if told else frozenset(),
        tuple(sorted({" ".join(sorted(each)) for each in told})),
        any(word in _COMPANIONS for each in told for word in each),
        e.status in ("rejected", "withdrawn"),
        e.amounts,
    )


def _inside(titled: Iterable[_Places]) -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for places in titled:
        for village, spots in places.inside.items():
            for kind in {kind for kind, _ in spots} or {""}:
                names = frozenset(name for each, name in spots if each == kind)
                found[village] |= {kind: found[village].get(kind, frozenset()) | names} if kind else {}
    return found


def place_name(name: str) -> str:
    """A village's or district's name as it is compared: letters only, without the word that says what it is."""
    return "".join(word for word in words(name, "place") if word not in _MARKS)


def _matter_keys(matter: _Matter) -> list[tuple[Keys, ...]]:
    office, words = matter.office, matter.words
    return [
        (
            [("village", name) for name in matter.villages | matter.further],
            [("village", name, office) for name in matter.villages | matter.further],
            [("village", name, office, word) for name in matter.villages | matter.further for word in words],
        ),
        (
            [("sub", line) for line in matter.sub_activities],
            [("sub", line, name) for line in matter.sub_activities for name in matter.districts],
            [("sub", line, word) for line in matter.sub_activities for word in words],
        ),
        (
            [("district", name, office) for name in matter.districts],
            [("district", name, office, word) for name in matter.districts for word in words],
        ),
        ([(OFFICE, office)], [(OFFICE, office, word) for word in words]),
        (
            [("amount", int(amount)) for amount in matter.amounts],
            [("amount", int(amount), office) for amount in matter.amounts],
        ),
    ]


def _proposals(sources: Sequence[Evidence], plans: Sequence[Evidence], offices: Offices) -> Weighed:
    gazetteer = _Gazetteer(
        frozenset(filter(None, (place_name(name) for e in sources for name in e.villages))),
        frozenset(filter(None, (place_name(name) for e in sources for name in e.districts))),
    )
    targets = [_matter(plan, offices, gazetteer, own=False) for plan in plans]
    counts: Counter[Hashable] = Counter()
    for target in targets:
        counts[OFFICE, target.office] += 1
        for name, values in (
            ("village", target.villages | target.further),
            ("district", target.districts),
            *target.spots.items(),
            ("sub", target.sub_activities),
            ("word", target.words),
        ):
            counts.update((name, value) for value in values)
        counts.update({("amount", int(amount)) for amount in target.amounts})
    rarity = _Rarity(max(len(targets), 1), max(len(targets), _FEWEST), counts)
    blocks = _Blocks(map(_matter_keys, targets))
    named = frozenset(name for target in targets for name in target.villages | target.further)
    proposing = Counter(name for e in sources for name in {place_name(village) for village in e.villages})
    prior = _PRESENT - math.log(rarity.total)
    weighed: Weighed = {}
    for e in sources:
        source = _matter(e, offices, gazetteer, own=True)
        # A name that nobody else writes so may be a slip of one that is known.
        alone = [name for name in source.villages - named if proposing[name] == 1]
        slips = {name: slip for name in alone if (slip := _slip_of(name, named))}
        asked = replace(source, villages=source.villages | {*slips.values()})
        found = {}
        for place in blocks.candidates(_matter_keys(asked)):
            if weight := _weigh_matter(source, targets[place], slips, rarity, prior):
                found[targets[place].subject] = weight
        weighed[source.subject] = found
    names = {
        target.subject: (
            target.office,
            target.villages,
            target.words - _STAGES,
        )
        for target in targets
    }
    alike = {plan.subject: (plan.office, plan.titles, plan.amounts) for plan in plans if plan.titles}
    return _unsure_of_twins(_rarely_more(weighed, names), alike)


def _weigh_matter(
    source: _Matter, target: _Matter, slips: Mapping[str, str], rarity: _Rarity, prior: float
) -> tuple[float, str] | None:
    """(weight for a proposal having become a plan, what speaks for it); None for no chance."""
    said: list[tuple[str, float]] = [("village", _place_weight(source, target, slips, rarity))]
    if source.office and target.office:
        same = source.office == target.office
        said.append((OFFICE, min(rarity.weight((OFFICE, target.office)), _MOST_OF_AN_OFFICE) if same else _MOVED))
    named = (source.villages | {*slips.values()}) & target.inside.keys()
    there = target.inside[min(named)] if named else target.spots
    spots = _spot_weight(source.spots, there, rarity)
    further: list[tuple[str, float]] = [("spot" if source.spots else "no spot", spots)]
    if source.sub_activities and target.sub_activities:
        shared = source.sub_activities & target.sub_activities
        weight = max(rarity.weight(("sub", line)) for line in shared) if shared else _OTHER_LINE
        further.append(("sub-activity", min(weight, _MOST_OF_A_LINE)))
    if source.amounts and target.amounts:
        further.append(("amount", max([_cost_weight(a, b, rarity) for a in source.amounts for b in target.amounts])))
    companion = _COMPANION if target.companion and not source.companion else 0.0
    base = companion + (_REFUSED if source.refused else 0.0) + sum([weight for _, weight in further])
    if prior + base + sum([weight for _, weight in said]) < _HOPELESS:
        return None
    work = _work_weight(source, target, rarity)
    # The same kind of works in the same village is asked for again and again: without a third witness that is no proof.
    # Nor is anything else where the works are not said to be alike, or the village or the spot is another one.
    speaks = {name for name, weight in (*said, *further) if weight >= 1}
    # An amount alone is no witness for another office, unless neither side says where in the village.
    third = speaks & {OFFICE, "spot", "sub-activity"} or {"amount", "no spot"} <= speaks
    sure = bool(third) and work >= 1 and said[0][1] > _OTHER_DISTRICT and spots > _UNLIKE_SPOTS
    said.append(("work", work))
    speaking = sorted((-weight, name) for name, weight in (*said, *further) if weight >= 1)
    # A village's works of a kind are mostly those of one office, and seldom there is but one: these three say less
    # together than each by itself.
    total = base + min(prior + sum([weight for _, weight in said]), _MOST_OF_A_PLACE)
    return total if sure else min(total, _UNSURE), "+".join(name for _, name in speaking)


def _place_weight(source: _Matter, target: _Matter, slips: Mapping[str, str], rarity: _Rarity) -> float:
    same = source.villages & target.villages
    alike = {slip for name, slip in slips.items() if slip in target.villages}
    elsewhere = bool(source.districts and target.districts) and not any(
        fuzz.ratio(a, b) >= 84 for a in source.districts for b in target.districts
    )
    if same or alike:
        weight = max(rarity.weight(("village", name)) for name in same | alike)
        return weight - (0.0 if same else 1.0) + (_OTHER_DISTRICT if elsewhere else 0.0)
    if source.villages & target.further:
        return 0.0
    if source.villages and target.villages:
        return _OTHER_VILLAGE
    if elsewhere:
        return _OTHER_DISTRICT
    shared = source.districts & target.districts
    return max((rarity.weight(("district", name)) for name in shared), default=0.0)


def _spot_weight(some: Mapping[str, frozenset[str]], others: Mapping[str, frozenset[str]], rarity: _Rarity) -> float:
    """What names inside a village say: a road, a hamlet, a school, a number of the neighbourhood."""
    if not some and not others:
        return _WHOLE_VILLAGE
    if not some or not others:
        return _NO_SPOT
    common = some.keys() & others.keys()
    if not common:
        return _UNLIKE_SPOTS
    weights = []
    for kind in sorted(common):
        shared = some[kind] & others[kind]
        if shared:
            weights.append(min(max(rarity.weight((kind, name)) for name in shared), _MOST_OF_A_SPOT))
        elif any(OSA.distance(a, b) == 1 for a in some[kind] for b in others[kind] if a.isalpha()):
            weights.append(1.0)
        else:
            weights.append(_OTHER_SPOT)
    return min(sum(weights), _MOST_OF_ALL_SPOTS)


def _work_weight(source: _Matter, target: _Matter, rarity: _Rarity) -> float:
    """What the words say that name no place: the share that is common, and how rare that is."""
    if not source.words or not target.words:
        return 0.0
    objects = source.words - _DOING, target.words - _DOING
    if all(objects) and not objects[0] & objects[1]:
        return _OTHER_WORK
    shared = sum(rarity.weight(("word", word)) for word in source.words & target.words)
    least = min(sum(rarity.weight(("word", word)) for word in each) for each in (source.words, target.words))
    if max(fuzz.token_sort_ratio(one, other) for one in source.text for other in target.text) >= 90:
        share = 1.0
    else:
        share = shared / least if least else 0.0
    told = min(max(shared, _LEAST_OF_WORK), _MOST_OF_WORK)
    return next((told * factor for limit, factor in _WORK if share >= limit), _OTHER_WORK)


def _cost_weight(one: float, other: float, rarity: _Rarity) -> float:
    gap = abs(one - other) / max(one, other)
    if gap < 1e-6:
        return min(rarity.weight(("amount", int(other))), _MOST_OF_A_COST)
    return next((weight for limit, weight in _COST if gap <= limit), _OTHER_COST)


# --- the key hidden --------------------------------------------------------------------------------------------------


def hidden_contracts(rows: Iterable[tuple[str, str, Evidence]]) -> tuple[list[Evidence], set[tuple[Code, Code]]]:
    """(subjects, true pairs) that tell how well contracts are found without their key, made of real rows of SPSE.

    `rows` are (service, row's key, evidence). A contract's row stands for what is paid, with what a treasury would
    have of it: office, number, supplier's name, amount, date. What announcements and awards say stands for the
    purchases; other papers of the contract, which repeat its number, are left out.
    """
    contracts: dict[Code, Evidence] = {}
    awards: dict[Code, list[Evidence]] = defaultdict(list)
    kept: list[Evidence] = []
    true: set[tuple[Code, Code]] = set()
    for service, key, evidence in sorted(rows, key=lambda row: row[:2]):
        if service.endswith("Ekontrak-2Kontrak"):
            subject = ("kontrak", f"{evidence.subject[0]}|{key}")
            bare = replace(evidence, subject=subject, rups=(), maks=(), supplier_codes=(), taxes=(), titles=())
            contracts[subject] = united([contracts[subject], bare]) if subject in contracts else bare
            true.add((subject, evidence.subject))
        elif is_purchase(evidence.subject[0]) and not service.endswith(("3SPMKSPP", "4BAPBAST")):
            awards[evidence.subject].append(evidence)
        elif evidence.subject[0] == OFFICE:
            kept.append(evidence)
    kept += contracts.values()
    kept += (united(parts) for parts in awards.values())
    return kept, {(contract, award) for contract, award in true if award in awards}


# --- packages --------------------------------------------------------------------------------------------------------


def packages(
    purchases: Iterable[Evidence], plans: Iterable[Evidence], canonical: Canonical = lambda code: code
) -> list[Link]:
    """Which plan each purchase fulfils (rule `rup-package`): by kd_rup, else by office, account code, name and amount.

    The crosswalk of processes knows kd_rup and nothing else; what is found without it is for an operator's eye, and
    measures how well plans and purchases could be joined were the key not there.
    """
    wanted = sorted(plans, key=lambda e: e.subject)
    asking = sorted(purchases, key=lambda e: e.subject)
    known, _ = offices([*wanted, *asking], {})
    by_code: dict[Code, list[Code]] = defaultdict(list)
    for plan in wanted:
        by_code[canonical(plan.subject)].append(plan.subject)
    named = [e for e in asking if any(canonical(rup) in by_code for rup in e.rups)]
    found = [
        Link("rup-package", e.subject, plan, 1.0, "kd_rup")
        for e in named
        for plan in sorted({plan for rup in e.rups for plan in by_code.get(canonical(rup), ())})
    ]
    targets = [_package(plan, known) for plan in wanted]
    counts: Counter[Hashable] = Counter(key for target in targets for key in _package_counts(target))
    rarity = _Rarity(max(len(targets), 1), max(len(targets), _FEWEST), counts)
    blocks = _Blocks(map(_package_keys, targets))
    prior = _PRESENT - math.log(rarity.total)
    weighed: Weighed = {}
    for e in asking:
        if e.rups:
            continue
        source = _package(e, known)
        near = {}
        for place in blocks.candidates(_package_keys(source)):
            weight, by = _weigh_package(source, targets[place], rarity)
            if prior + weight > -6:
                near[targets[place].subject] = (prior + weight, by)
        weighed[source.subject] = near
    least = RULES["rup-package"].pending
    found += [link for link in _chosen("rup-package", _of_one(weighed), {}) if link.confidence >= least]
    return sorted(found, key=lambda link: (link.source, link.target))


@dataclass(slots=True)
class _Package:
    """A plan or a purchase, as the two are compared."""

    subject: Code
    office: str | None
    lines: frozenset[str]
    words: frozenset[str]
    titles: tuple[str, ...]
    amounts: tuple[float, ...]


def _package(e: Evidence, offices: Offices) -> _Package:
    said = [words(title, "work") for title in e.titles]
    return _Package(
        e.subject,
        offices.of(e),
        frozenset(e.maks),
        frozenset(word for each in said for word in each),
        tuple(sorted({" ".join(each) for each in said})),
        tuple(sorted(set(e.amounts))),
    )


def _package_counts(package: _Package) -> set[Hashable]:
    return {
        (OFFICE, package.office),
        *(("line", line) for line in package.lines),
        *(("title", title) for title in package.titles),
        *(("amount", int(amount)) for amount in package.amounts),
    }


def _package_keys(package: _Package) -> list[tuple[Keys, ...]]:
    office, words = package.office, package.words
    return [
        ([("title", title) for title in package.titles], [("title", title, office) for title in package.titles]),
        (
            [("amount", int(amount)) for amount in package.amounts],
            [("amount", int(a), office) for a in package.amounts],
        ),
        (
            [("line", line) for line in package.lines],
            [("line", line, word) for line in package.lines for word in words],
        ),
        (
            [(OFFICE, office)],
            [(OFFICE, office, word) for word in words],
            [(OFFICE, office, *pair) for pair in combinations(sorted(words), 2)],
        ),
    ]


def _weigh_package(source: _Package, target: _Package, rarity: _Rarity) -> tuple[float, str]:
    """(weight of the evidence that a purchase fulfils a plan, what speaks for it)."""
    said: list[tuple[str, float]] = []
    if source.office and target.office:
        said.append((OFFICE, _office_weight(source.office, target.office, rarity)))
    if source.lines and target.lines:
        shared = source.lines & target.lines
        said.append(("mak", max(map(rarity.weight, (("line", line) for line in shared))) if shared else _OTHER_LINE))
    if source.titles and target.titles:
        same = {title for title in target.titles if title in source.titles}
        weight = _title_weight(source.titles, target.titles)
        said.append(("title", max([weight, *(rarity.weight(("title", title)) for title in same)])))
    if source.amounts and target.amounts:
        said.append(("amount", max(_price_weight(a, b, rarity) for a in source.amounts for b in target.amounts)))
    speaking = sorted((-weight, name) for name, weight in said if weight >= 1)
    return sum(weight for _, weight in said), "+".join(name for _, name in speaking)


def _price_weight(price: float, budget: float, rarity: _Rarity) -> float:
    """What a purchase costs beside what its plan allows: rarely more, mostly not much less."""
    if abs(price - budget) <= 1:
        return rarity.weight(("amount", int(budget)))
    return next((weight for share, weight in _PRICE if price >= share * budget), _CHEAP) if price < budget else _DEAR


# --- links -----------------------------------------------------------------------------------------------------------


def links(
    subjects: Iterable[Evidence],
    thresholds: Mapping[str, tuple[float, float]] | None = None,
    decided: Decisions | None = None,
    canonical: Canonical = lambda code: code,
) -> list[Link]:
    """The links of one fiscal year whose confidence reaches their rule's pending threshold, and the confirmed ones.

    `subjects` are united, one a subject, of all kinds mixed; `thresholds` are (accept, pending) by rule, those of
    `RULES` by default. `decided` holds what operators said of (rule, source, target): True (confirmed) stands with
    confidence 1 whatever the evidence, and alone where a source has one target; False (rejected) never comes back, and
    leaves its source to the others. `canonical` leads from a revised RUP to the code that its chain began with.
    Sorted by rule, source and target; `rup-package` is not among them (`packages`).
    """
    said = sorted(subjects, key=lambda e: e.subject)
    decided = decided or {}
    by_kind: dict[str, list[Evidence]] = defaultdict(list)
    for evidence in said:
        by_kind[evidence.subject[0]].append(evidence)

    def of(kinds: tuple[str, ...]) -> list[Evidence]:
        return [evidence for kind in kinds for evidence in by_kind[kind]]

    known, found = offices(said, decided)
    purchases = [evidence for evidence in said if is_purchase(evidence.subject[0])]
    plans = _enriched(of(RUP_KINDS), purchases, canonical)
    deals = [_deal(e, known, canonical, plans) for e in purchases]
    rarity, blocks = _rarity(deals), _Blocks(map(_deal_keys, deals))
    for rule in ("budget-package", "document-package"):
        found += _chosen(rule, _lines(of(RULES[rule].sources), plans, known, canonical), decided)
    for rule in ("contract-payment", "contract-report"):
        asking = [_deal(e, known, canonical, plans) for e in of(RULES[rule].sources)]
        weighed = _contracts(asking, deals, rarity, blocks)
        found += _chosen(rule, _of_one(_less_claimed(_undecided(rule, weighed, decided))), decided)
    proposed = _proposals(of(RULES["proposal-package"].sources), list(plans.values()), known)
    found += _chosen("proposal-package", _each(proposed), decided)
    least = {rule: (thresholds or {}).get(rule, (each.accept, each.pending))[1] for rule, each in RULES.items()}
    return sorted(
        (
            link
            for link in found
            if link.confidence >= least[link.rule] or decided.get((link.rule, link.source, link.target))
        ),
        key=lambda link: (link.rule, link.source, link.target),
    )


def _undecided(rule: str, weighed: Weighed, decided: Decisions) -> Weighed:
    """Weights without those of rejected links; of a source that has a confirmed one, that alone, beyond doubt."""
    confirmed: dict[Code, list[Code]] = defaultdict(list)
    for (name, source, target), says in decided.items():
        if name == rule and says:
            confirmed[source].append(target)
    left: Weighed = {}
    for source, found in weighed.items():
        if source in confirmed:
            left[source] = dict.fromkeys(confirmed[source], (50.0, _OPERATOR))
        else:
            left[source] = {t: w for t, w in found.items() if decided.get((rule, source, t)) is not False}
    return left


def _rarely_more(weighed: Weighed, names: Mapping[Code, Hashable]) -> Weighed:
    """Weights, less for all but a source's best target as far as that is sure: few proposals end in several plans.

    `names` are what plans are called without their stage: the further stages of the best one go with it.
    """
    lessened: Weighed = {}
    for source, found in weighed.items():
        best, first = max(((weight, target) for target, (weight, _) in found.items()), default=(0.0, None))
        less = _FURTHER / (1 + math.exp(-best))
        lessened[source] = {
            target: (weight if first and names[target] == names[first] else weight - less, by)
            for target, (weight, by) in found.items()
        }
    return lessened


def _unsure_of_twins(weighed: Weighed, alike: Mapping[Code, Hashable]) -> Weighed:
    """Weights, too small to link by for targets that nothing tells apart: of one office, name and amount."""
    told: Weighed = {}
    for source, found in weighed.items():
        likely = Counter(alike.get(target) for target, (weight, _) in found.items() if weight > _UNSURE)
        twins = {name for name, count in likely.items() if name is not None and count > 1}
        told[source] = {
            target: (min(weight, _UNSURE) if alike.get(target) in twins else weight, by)
            for target, (weight, by) in found.items()
        }
    return told


def _each(weighed: Weighed) -> Weighed:
    """Weights -> probabilities, where a source may belong to several targets: each by itself."""
    return {
        source: {target: (1 / (1 + math.exp(-weight)), by) for target, (weight, by) in found.items()}
        for source, found in weighed.items()
    }


def _chosen(rule: str, likely: Weighed, decided: Decisions) -> list[Link]:
    """The links of a rule after the operators' decisions."""
    confirmed = {(source, target) for (name, source, target), says in decided.items() if name == rule and says}
    found = [Link(rule, source, target, 1.0, _OPERATOR) for source, target in confirmed if source in likely]
    for source, targets in likely.items():
        for target, (probability, by) in targets.items():
            if (source, target) not in confirmed and decided.get((rule, source, target)) is not False:
                found.append(Link(rule, source, target, probability, by))
    return found
