"""Names of villages, districts and spots inside them, as texts name them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from transforms.linking.text import words

_DISTRICT_WORDS = frozenset({"kecamatan"})
_MARKS = frozenset({"desa", "kelurahan"}) | _DISTRICT_WORDS
# Works whose name ends in the word for a village: `Balai Desa Maju`.
_VILLAGE_WORKS = frozenset({"balaidesa", "jalandesa", "poskesdes"})
# Words for the kind of spot inside a village a name is of.
_SPOT_KINDS = {
    **dict.fromkeys(("jalan", "ruas"), "road"),
    **dict.fromkeys(("gang", "lorong"), "alley"),
    **dict.fromkeys(("kali", "sungai"), "river"),
    **dict.fromkeys(("dusun", "kampung", "lingkungan", "blok"), "hamlet"),
    **dict.fromkeys(("sd", "smp", "tk", "paud", "mi", "mts"), "school"),
}
# Of these what may itself be the work.
_SPOT_WORKS = {"jalan", "sd", "smp", "tk", "paud", "mi", "mts"}
_BEFORE_NAMES = _MARKS | _VILLAGE_WORKS
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
_NOT_SPOTS = _MARKS | _NO_NAMES
_NOT_AFTER_MARKS = _NOT_SPOTS | _SPOT_KINDS.keys()


@dataclass(slots=True)
class Places:
    """What a text names: villages, districts, spots by kind; and the rest of its words, which name the work.

    `inside` holds the spots that stand before each village: of a work in several places each has its own.
    """

    villages: set[str] = field(default_factory=set)
    districts: set[str] = field(default_factory=set)
    spots: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    inside: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    rest: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)  # what was named and may be the work, if nothing else is


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The names of villages and districts that proposals give."""

    villages: frozenset[str]
    districts: frozenset[str]
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.villages | self.districts)

    def places(self, text: str) -> Places:
        """What a text names, read from left to right."""
        found = words(text, "place")
        places = Places()
        before: set[tuple[str, str]] = set()
        start = 0
        while start < len(found):
            word, after = found[start], found[start + 1 : start + 2]
            if word in _BEFORE_NAMES and (length := self._length(found, start + 1, word)):
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
        """How many words from `start` on name a place. After `mark` any name is one, with slips too."""
        known = self.districts if mark in _DISTRICT_WORDS else self.villages if mark else self.names
        names = {length: "".join(found[start : start + length]) for length in (3, 2, 1) if start + length <= len(found)}
        for length, name in names.items():
            if name in known and (mark or len(name) > 4):
                return length
        if not mark or 1 not in names or not names[1].isalpha() or names[1] in _NOT_AFTER_MARKS:
            return 0
        return 2 if slip_of(names.get(2, ""), known) else 1


def _spot_length(found: tuple[str, ...], start: int) -> int:
    """How many words from `start` on name a spot: one, or two before a number (`SDN Maju Lor 3`), and the number."""
    if start >= len(found) or not found[start].isalpha() or found[start] in _NOT_SPOTS:
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
def slip_of(name: str, known: frozenset[str]) -> str | None:
    """The one name of which another is a slip: a letter wrong, lost, added or swapped with the next."""
    if len(name) < 5:
        return None
    found = process.extract(name, known, scorer=OSA.distance, score_cutoff=1, limit=2)
    return str(found[0][0]) if len(found) == 1 else None


def place_name(name: str) -> str:
    """A village's or district's name as it is compared: letters only, without the word for its kind."""
    return "".join(word for word in words(name, "place") if word not in _MARKS)


def mentions(texts: Iterable[str]) -> str:
    """Texts as they are searched for the names that they may hold: see `may_mention`."""
    found = []
    for text in texts:
        read = words(text, "place")
        found.append("".join(read))
        for start, word in enumerate(read):
            if word in _BEFORE_NAMES and len(pair := read[start + 1 : start + 3]) == 2:
                found.append(f"@{''.join(pair)}@")
    return " ".join(dict.fromkeys(found))


def may_mention(name: str) -> tuple[str, ...]:
    """Parts of which `mentions` holds at least one, if knowing this name could change what texts are read to name.

    The name itself; or, after a word for a village, two words that are a slip of it: a slip leaves one half as it is.
    """
    half = len(name) // 2
    return (name, f"@{name[: half - 1]}", f"{name[half + 1 :]}@") if len(name) > 3 else (name,)
