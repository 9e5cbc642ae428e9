"""The offices of the regency, and which of them other systems' codes and names mean."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import fuzz, process

from transforms.evidence import Evidence, Link
from transforms.identity import RUP_KINDS
from transforms.linking.rules import OFFICE, OPERATOR, Decisions, Systems, is_purchase, step
from transforms.linking.text import acronym, words

# The kind of a subject, the code and the name that it has of its office.
OfficeReference = tuple[str, str | None, str | None]

_BRACKETS = re.compile(r"\([^()]*\)")
_BLANKS = re.compile(r"\s+")
_REGENCY_WORDS = {"kabupaten", "kota", "pemerintah"}


def office_reference(evidence: Evidence) -> OfficeReference:
    """How a subject names its office."""
    return evidence.subject[0], evidence.office, evidence.office_name


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

    systems: Systems
    codes: dict[str, str] = field(default_factory=dict)  # plain code -> kd_satker_str
    names: dict[tuple[str, ...], set[str]] = field(default_factory=lambda: defaultdict(set))
    known: dict[tuple[str, str], str | None] = field(default_factory=dict)  # (system, code or name) -> kd_satker_str
    found: dict[str, tuple[str | None, float]] = field(default_factory=dict)  # results of `named`

    def of(self, reference: OfficeReference) -> str | None:
        """kd_satker_str of the office that a subject names."""
        kind, code, name = reference
        if not (code or name):
            return None
        referred = self.systems.get(kind, kind), code or name or ""
        if referred in self.known:
            return self.known[referred]
        return self.codes.get(office_code(code) or "") or self.named(name)[0]

    def named(self, name: str | None) -> tuple[str | None, float]:
        """(kd_satker_str, confidence) of the one office that bears a name, as clerks vary it."""
        if not name:
            return None, 0.0
        if name not in self.found:
            self.found[name] = _office_named(self, name)
        return self.found[name]


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
    short = {code for form, codes in offices.names.items() for code in codes if acronym(form) == squeezed}
    if len(short) == 1:
        return next(iter(short)), 0.9
    within = {code for form, codes in offices.names.items() for code in codes if len(plain) > 1 and {*plain} < {*form}}
    if len(within) == 1:
        return next(iter(within)), 0.7
    return None, 0.0


def offices(named: Mapping[OfficeReference, int], systems: Systems, decided: Decisions) -> tuple[Offices, list[Link]]:
    """The regency's offices and the links of rule `office`: from (system, its own code or, without one, its name).

    `named` counts the subjects that name an office so.
    """
    found = Offices(systems)
    # The regency's own list of offices comes first, plans before purchases.
    first = {kind: place for place, kind in enumerate((OFFICE, *RUP_KINDS))}
    listed = sorted(
        (first.get(kind, len(first)), code, name or "")
        for kind, code, name in named
        if code and (kind in first or is_purchase(kind))
    )
    for _, spelled, name in listed:
        if plain := office_code(spelled):
            own = found.codes.setdefault(plain, spelled)
            for form in _name_forms(name) if name else ():
                found.names[form].add(own)
    referred: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (kind, own_code, own_name), count in named.items():
        if kind in systems and (identifier := own_code or own_name):
            referred[systems[kind], identifier][own_name or ""] += count
    decisions: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for (rule, source, target), confirms in decided.items():
        if rule == OFFICE:
            decisions[source][target[1]] = confirms
    links: list[Link] = []
    for source, names in sorted(referred.items()):
        confirmed = sorted(office for office, confirms in decisions[source].items() if confirms)
        if confirmed:
            found.known[source] = confirmed[0]
            links += (Link(OFFICE, source, (OFFICE, office), 1.0, OPERATOR) for office in confirmed)
            continue
        meant, confidence, by = _meant(found, source[1], names, decisions[source])
        found.known[source] = meant
        if meant is not None:
            links.append(Link(OFFICE, source, (OFFICE, meant), confidence, by))
    return found, links


def _meant(
    offices: Offices, identifier: str, names: Mapping[str, int], decided: Mapping[str, bool]
) -> tuple[str | None, float, str]:
    """(kd_satker_str, confidence, evidence) of the office that a system means by a code of its own, whose names are
    counted."""
    code = offices.codes.get(office_code(identifier) or "")
    if code is not None:
        return None if decided.get(code) is False else code, 1.0, "code"
    votes: dict[str, float] = defaultdict(float)
    for name, count in sorted(names.items()):
        named, sure = offices.named(name)
        if named and decided.get(named) is not False:
            votes[named] += step(count) * sure
    code = min(votes, key=lambda each: (-votes[each], each), default=None)
    return code, votes[code] / sum(map(step, names.values())) if code else 0.0, "name"
