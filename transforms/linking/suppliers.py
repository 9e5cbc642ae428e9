"""Suppliers' names, as different hands write them."""

import re
from functools import lru_cache

from rapidfuzz import fuzz

from transforms.linking.numbers import within
from transforms.linking.text import acronym

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
    if len(longer) > 1 and "".join(shorter) == acronym(longer):
        return "short"
    if fuzz.token_sort_ratio(" ".join(one), " ".join(other)) >= 86:
        return "near"
    if len(shorter) < len(longer) and _each_stands_for_one(shorter, longer):
        return "part"
    return "other"


def _abbreviates(one: str, other: str) -> bool:
    """Whether one word is short for the other: its beginning (M, MAJ) or its first letter and others of it (KRY)."""
    shorter, longer = sorted((one, other), key=lambda word: (len(word), word))
    return shorter[0] == longer[0] and (len(shorter) < len(longer) or shorter == longer) and within(shorter, longer)


def _each_stands_for_one(few: Firm, many: Firm) -> bool:
    rest = iter(many)
    return any(len(word) > 2 for word in few) and all(any(_abbreviates(word, other) for other in rest) for word in few)
