"""A source row's identity and content, before anything is mapped.

Ids come from raw keys and the content hash from raw values, both made independent of how the row travelled: a number
in JSON, the same number as text in a CSV and as a float in a workbook are one content.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from schemas.errors import RowError
from schemas.fields import clean
from schemas.service import Service
from transforms.parties import is_personal

_BLANKS = re.compile(r"\s+")
_INTEGRAL = re.compile(r"-?(?:0|[1-9]\d*)\.0+")
_LIST = re.compile(r"[;,]")
# How a number or a word of truth may end that is written otherwise elsewhere.
_ENDS = {".0", "00", "ue", "se", "UE", "SE"}
_WORDS = {"True": True, "False": False, "true": True, "false": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True, slots=True)
class Identified:
    """A row that can be told from others: its key, the source's own code and the hash of its content."""

    key: str
    code: str
    content_hash: str
    fields: dict[str, object]


def identify(service: Service, row: Mapping[str, object]) -> Identified:
    """Key, code and content hash of a row as received; `fields` is the row under this service's field names.

    Raises RowError where the service's code is missing.
    """
    fields = renamed(service, row)
    code = code_text(fields.get(service.key[0]))
    if not code:
        raise RowError(
            f"{service.key[0]} is empty or 0: a row of {service.name} without its own code can't be told apart"
        )
    parts = [code, *(code_text(fields.get(part)).replace("|", "¦") for part in service.key[1:])]
    own = parts[: service.code_parts]
    if service.linked:
        # What is linked is listed by its code, also where a clerk typed somebody's number into it.
        own = [hashlib.sha256(part.encode()).hexdigest()[:12] if is_personal(part) else part for part in own]
    return Identified("|".join(parts), "|".join(own), hash_of(service, fields), fields)


def hash_of(service: Service, fields: Mapping[str, object]) -> str:
    """The hash of what a row says, the same however it travelled: volatile fields left out, lists taken as sets."""
    volatile, sets = service.volatile, service.sets
    content: dict[str, object] = {}
    for name, value in fields.items():
        if value is None or value == "" or name in volatile:
            continue
        settled = _parts(value) if name in sets else _settle(value)
        if settled is not None and settled != []:
            content[name] = settled
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a character (lone surrogate), which JSON can carry and orjson can't
        canonical = json.dumps(content, sort_keys=True).encode()
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def wire_hash(service: Service, row: Mapping[str, object]) -> str:
    """The hash of a row as received, volatile fields left out: the quick way to tell that nothing changed."""
    volatile = service.volatile
    content = {name: value for name, value in row.items() if name not in volatile} if volatile else row
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        canonical = json.dumps(content, sort_keys=True, default=str).encode()
    return hashlib.blake2b(canonical, digest_size=12).hexdigest()


def renamed(service: Service, row: Mapping[str, object]) -> dict[str, object]:
    """A row as received under this service's field names."""
    aliases = service.aliases
    if aliases.keys().isdisjoint(row):
        return dict(row)
    return {aliases.get(name, name): value for name, value in row.items()}


def code_text(value: object) -> str:
    """A code as text: blanks folded, what shows nothing left out, an integral float as the integer it means, nothing
    (and 0) as ''."""
    if value is None or value is False or value is True:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = _BLANKS.sub(" ", clean(str(value)))
    if _INTEGRAL.fullmatch(text):
        text = text.partition(".")[0]
    return "" if text == "0" else text


def _settle(value: object) -> object:
    """A value's one form whatever the transport: text for scalars, None for nothing said."""
    kind = type(value)
    if kind is str:
        text = clean(value)  # type: ignore[arg-type]
        if text[-2:] in _ENDS:
            if text in _WORDS:
                return _WORDS[text]
            if _INTEGRAL.fullmatch(text):
                return text.partition(".")[0]
        return text or None
    if kind is int:
        return str(value)
    if kind is bool:
        return value
    if kind is float:
        whole: float = value  # type: ignore[assignment]
        return str(int(whole)) if whole.is_integer() and abs(whole) < 1e15 else repr(whole)
    if kind is list:
        return [_settle(item) for item in value]  # type: ignore[attr-defined]
    if kind is dict:
        return {str(name): _settle(item) for name, item in value.items()}  # type: ignore[attr-defined]
    return None if value is None else str(value)


def _parts(value: object) -> list[str]:
    """A list field as the set that it is."""
    text = value if isinstance(value, str) else str(_settle(value) or "")
    if ";" not in text and "," not in text:
        text = text.strip()
        return [text] if text else []
    return sorted({part for part in map(str.strip, _LIST.split(text)) if part})
