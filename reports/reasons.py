"""The reasons for a link and against it, in words: the evidence codes of `link.by`, explained once, in
`evidence_words.csv` (code, field of the two sides that it compares, Indonesian, English)."""

import csv
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("id", "en")

# What each rule compares: evidence that is missing from `by` though both sides have its field counts against a link;
# where one side has none, nothing can be compared.
_COMPARED = {
    "office": ("code", "name"),
    "rup-package": ("kd_rup", "office", "mak", "title", "amount"),
    "budget-package": ("kd_rup", "mak"),
    "document-package": ("kd_rup", "mak"),
    "contract-payment": ("kd_rup", "office", "number", "supplier", "amount", "date", "title", "sub-activity"),
    "contract-report": ("kd_rup", "office", "number", "supplier", "amount", "date", "title", "sub-activity"),
    "proposal-package": ("village", "spot", "work", "office", "sub-activity", "amount"),
}
_AGAINST = {
    "id": "{field}: berbeda, atau hanya mirip",
    "en": "{field}: different, or only alike",
}
_NOTHING = {"id": "tidak ada bukti kuat", "en": "no strong evidence"}
FIELDS = {
    "code": ("kode", "code"),
    "title": ("judul", "title"),
    "office": ("perangkat daerah", "office"),
    "year": ("tahun anggaran", "fiscal year"),
    "numbers": ("nomor", "number"),
    "suppliers": ("penyedia", "supplier"),
    "amounts": ("nilai", "amount"),
    "dates": ("tanggal", "date"),
    "place": ("lokasi", "place"),
    "mak": ("kode rekening (MAK)", "account code (MAK)"),
    "kd_rup": ("kode RUP", "RUP code"),
}
"""The fields of both sides of a link, as they are called in Indonesian and English."""


@cache
def _words() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("evidence_words.csv").open(encoding="utf-8", newline="") as file:
        return {row["evidence"]: row for row in csv.DictReader(file)}


def field_name(name: str, language: str) -> str:
    """What a field of a link's sides is called."""
    return FIELDS[name][LANGUAGES.index(language)]


def speaking_for(by: str, language: str) -> list[str]:
    """The evidence of a link in words, the strongest first."""
    words = _words()
    return [words[code][language] if code in words else code for code in by.split("+") if code] or [_NOTHING[language]]


def speaking_against(link: dict[str, Any], language: str) -> list[str]:
    """What its rule compares of a link (as `pipeline.links` shows it) and is no evidence for it."""
    given = set(link["by"].split("+"))
    if "operator" in given:
        return []
    words = _words()
    # Several kinds of evidence look at one field: one of them is enough.
    fields = {words[code]["field"] for code in given if code in words}
    if "no spot" in given:
        fields.add("place")
    found = []
    for code in _COMPARED[link["rule"]]:
        field = words[code]["field"]
        if field in fields or code in given:
            continue
        fields.add(field)
        if link["from"].get(field) and link["to"].get(field):
            found.append(_AGAINST[language].format(field=field_name(field, language)))
    return found
