"""The desk's texts in Indonesian and English: `messages.csv` (key, id, en); what the pipeline says in English, such as
why a row was rejected, in Indonesian (`sentences.csv`); and how the desk writes numbers and times."""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.clock import shown
from reports.reasons import LANGUAGES

_VARIES = re.compile(r"{\*?}")
_LONGEST = 500
_ABOUT = r"(.*?: |(?:[A-Z]+ \S+ )(?:\(service_no \S+\) )?)"
_BETWEEN = re.compile(r"(; |\. (?=[A-Z])|\.$)")
_AMOUNT = re.compile(r"Rp \d{1,3}(?:,\d{3})+")


@cache
def _messages() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("messages.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: row for row in csv.DictReader(file)}


@cache
def _sentences() -> list[tuple[re.Pattern[str], str, list[bool]]]:
    """What an English sentence looks like, the Indonesian one, and of what varies in it whether that has words of ours
    too (`{*}`) or is as it is (`{}`): first whole sentences, then those after what they are about (a field, or the
    request that failed). Those with most words of their own come first."""
    with Path(__file__).with_name("sentences.csv").open(encoding="utf-8", newline="") as file:
        known = sorted(csv.DictReader(file), key=lambda row: len(_VARIES.sub("", row["en"])), reverse=True)
    whole, after = [], []
    for row in known:
        english = "(.*?)".join(map(re.escape, _VARIES.split(row["en"])))
        ours = [each == "{*}" for each in _VARIES.findall(row["en"])]
        whole.append((re.compile(f"(){english}"), row["id"], ours))
        if row["kind"] == "sentence":
            after.append((re.compile(_ABOUT + english), row["id"], ours))
    return [*whole, *after]


def _in_indonesian(text: str) -> str:
    """One sentence, or what varies in one; as it is where it is none that the desk knows, or too long for one."""
    for english, indonesian, ours in _sentences() if len(text) <= _LONGEST else ():
        if found := english.fullmatch(text):
            about, *varying = found.groups()
            translated = [_in_indonesian(each) if own else each for each, own in zip(varying, ours, strict=True)]
            return about + indonesian.format(*translated)
    return text


def language_of(*wishes: str | None) -> str:
    """The first wish that is a language of the desk, else Indonesian."""
    return next((wish for wish in wishes if wish in LANGUAGES), LANGUAGES[0])


class Words:
    """What templates say with: `say("links.title")`, `number(1234)`, `money(…)`, `moment("2025-01-31T01:14:00Z")`."""

    def __init__(self, language: str, utc_offset: str) -> None:
        self.language, self.utc_offset = language, utc_offset

    def say(self, key: str, /, **values: Any) -> str:
        """A message; the key itself where there is none (a word of a source, say)."""
        found = _messages().get(key)
        return found[self.language].format(**values) if found else key.rpartition(".")[2]

    def local(self, text: Any) -> str:
        """A text whose amounts are written as the language does; a dash for none."""
        written = str(text or "-")
        return _AMOUNT.sub(lambda found: found[0].replace(",", "."), written) if self.language == "id" else written

    def sentence(self, text: str) -> str:
        """What the pipeline said in English; of what the desk has no words for, the English is left."""
        if self.language == "en":
            return text
        return "".join(_in_indonesian(part) for part in _BETWEEN.split(text))

    def number(self, value: float | int | None) -> str:
        """A number, in groups of three as the language writes them."""
        if value is None:
            return "-"
        text = f"{value:,.0f}"
        return text.replace(",", ".") if self.language == "id" else text

    def money(self, value: float | int | None) -> str:
        """An amount in rupiah."""
        return "-" if value is None else f"Rp {self.number(value)}"

    def share(self, value: float) -> str:
        """A probability in percent; nothing but certainty is shown as such."""
        text = f"{100 * value:.0f}" if value in (0, 1) else f"{min(max(100 * value, 0.1), 99.9):.1f}"
        return f"{text.replace('.', ',') if self.language == 'id' else text} %"

    def moment(self, value: str | None) -> str:
        """A UTC time in the regency's zone, with its name."""
        return shown(value, self.utc_offset) if value else "-"
