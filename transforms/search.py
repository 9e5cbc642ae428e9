"""What processes and linked subjects are found by, beside their codes: numbers of papers, and words of titles.

A number is compared without signs and in capitals (`900.3/003/SPK/2025` and `900.3 003 spk 2025` are one), a word of a
title in small letters. Numbers of persons are no keys.
"""

import re
from collections.abc import Iterable
from typing import Any

from transforms.mapping import plain_number
from transforms.parties import is_personal

Key = tuple[str, str]  # the key, and what it is

TITLE = "title"
# Fields of rows that hold the number of a paper, and what that paper is.
NUMBERS = {
    "no_kontrak": "contract",
    "No_Kontrak": "contract",
    "nomor_kontrak": "contract",
    "nomor_pelaksanaan": "contract",
    "no_sppbj": "letter",
    "no_spmk_spp": "letter",
    "nomor_spmk": "letter",
    "no_bap": "certificate",
    "no_bast": "certificate",
    "nomor_pho": "certificate",
    "nomor_fho": "certificate",
    "no_realisasi": "receipt",
    "no_paket": "order",
    "No_SP2D": "sp2d",
    "No_SPM": "spm",
    "No_SPP": "spp",
}
# A shorter number is a number of many papers.
_SHORTEST = 3
_LONGEST = 80
_WORD = re.compile(r"[^\W_]{3,}")
# Words that join others find nothing.
_JOINING = frozenset({"atau", "dan", "dari", "dengan", "oleh", "pada", "serta", "untuk", "yang"})


def number_key(written: str | None) -> str | None:
    """A number as it is looked up; None for what is no number, is too short, or may be somebody's."""
    if not written or is_personal(written):
        return None
    key = plain_number(written)[:_LONGEST]
    return key if len(key) >= _SHORTEST and any(map(str.isdigit, key)) and not is_personal(key) else None


def title_words(title: str | None) -> list[str]:
    """The words of a title as they are looked up, each once."""
    return [
        word[:_LONGEST]
        for word in dict.fromkeys(_WORD.findall((title or "").lower()))
        if word not in _JOINING and not is_personal(word)
    ]


def process_keys(title: str | None, records: Iterable[Any]) -> set[Key]:
    """The keys of a process: the words of its title, and the numbers in the records of its own rows."""
    keys = {(word, TITLE) for word in title_words(title)}
    for record in records:
        for name in NUMBERS.keys() & record.model_fields_set:
            if key := number_key(getattr(record, name)):
                keys.add((key, NUMBERS[name]))
    return keys


def subject_keys(kind: str, title: str | None, numbers: Iterable[str], papers: Iterable[tuple[str, str]]) -> set[Key]:
    """The keys of a linked subject: the words of its title, its numbers, and its papers as (what it is, number)."""
    keys = {(word, TITLE) for word in title_words(title)}
    named = [*((kind, number) for number in numbers), *papers]
    return keys | {(key, what) for what, number in named if (key := number_key(number))}
