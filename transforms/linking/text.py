"""Words as clerks write them, in one spelling."""

import csv
import re
from functools import cache, lru_cache
from pathlib import Path

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
    with (Path(__file__).parents[1] / "codes" / "words.csv").open(encoding="utf-8", newline="") as file:
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


def acronym(words: tuple[str, ...]) -> str:
    """The first letters of words."""
    return "".join(word[0] for word in words)
