"""A source row's identity and content, before anything is mapped.

Ids come from raw keys and the content hash from raw values, both made independent of how the row travelled: a number
in JSON, the same number as text in a CSV and as a float in a workbook are one content.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from schemas.errors import RowError
from schemas.fields import clean, is_rup_code
from schemas.service import Service
from transforms.identity import RUP_KINDS
from transforms.parties import is_personal

KEY_LIMIT = 500
"""Characters of a key, which both databases can index. Parts longer than `PART_LIMIT` stand in it as a digest."""

PART_LIMIT = 120

DEPTH_LIMIT = 16
"""Lists and objects within each other that a row may hold; real rows hold one or two."""

# What a process's code may be made of: it becomes part of an OCID, of addresses and file names. All real ones have a
# digit; `NULL`, `nan` and `N/A` have none.
_PROCESS_CODE = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_BLANKS = re.compile(r"\s+")
_INTEGRAL = re.compile(r"-?(?:0|[1-9]\d*)\.0+")
_LIST = re.compile(r"[;,]")
# How a number or a word of truth may end that is written otherwise elsewhere.
_ENDS = {".0", "00", "ue", "se", "UE", "SE"}
_WORDS = {"True": True, "False": False, "true": True, "false": False, "TRUE": True, "FALSE": False}


@dataclass(frozen=True, slots=True)
class Identified:
    """A row that can be distinguished from others: its key, the source's own code and the hash of its content."""

    key: str
    code: str
    content_hash: str
    fields: dict[str, object]


def identify(service: Service, row: Mapping[str, object]) -> Identified:
    """Key, code and content hash of a row as received; `fields` is the row under this service's field names.

    Raises RowError where the service's code is missing or can't be a process's, and where the row is nested too deep.

        >>> from schemas.sirup import SERVICES
        >>> lines = next(service for service in SERVICES if service.name == "RUP-PaketAnggaranPenyedia")
        >>> found = identify(lines, {"kd_rup": 59000001.0, "id_paket_anggaran_penyedia": "7", "pagu": 150000000})
        >>> found.key, found.code
        ('59000001|7', '59000001')
    """
    fields = renamed(service, row)
    if not _NESTED.isdisjoint(map(type, fields.values())):
        if _is_deep(fields):
            raise RowError(f"lists and objects within each other, more than {DEPTH_LIMIT} deep")
        for part in service.key:
            if type(fields.get(part)) in _NESTED:
                raise RowError(f"{part}: expected a code, got {type(fields[part]).__name__}")
    first, *others = service.key
    plain = _plain(fields.get(first))
    if not plain:
        raise RowError(f"{first} is empty or 0: a row of {service.name} without its own code can't be distinguished")
    if plain == "-":
        raise RowError(f"{first}: a dash, so the row has no code of its own")
    if service.kind and not service.linked:
        if service.kind_of(fields) in RUP_KINDS:
            if not is_rup_code(plain):
                raise RowError(f"{first} is no RUP code, which is up to 14 digits")
        elif not _PROCESS_CODE.fullmatch(plain):
            raise RowError(f"{first} is no code of a process: up to 64 letters and digits (one at least), . _ / -")
    parts = [_short(plain)]
    for name in others:
        part = code_text(fields.get(name)).replace("|", "¦")
        if part or name not in service.optional_key:
            parts.append(part)
    own = parts[: service.code_parts]
    if service.linked:
        # What is linked is listed by its code, also where a clerk typed somebody's number into it.
        own = [hashlib.sha256(part.encode()).hexdigest()[:12] if is_personal(part) else part for part in own]
    key = "|".join((*own, *parts[len(own) :]))
    if len(key) > KEY_LIMIT:
        raise RowError(f"a key of more than {KEY_LIMIT} characters")
    return Identified(key, "|".join(own), hash_of(service, fields), fields)


def wire_hash(service: Service, row: Mapping[str, object]) -> bytes:
    """16 bytes that are the same where a row comes again as it came, stamps of the extraction left out.

    Much cheaper than `identify`, and blind to how values travel: other bytes may be the same content (`hash_of`).

        >>> from schemas.sirup import SERVICES
        >>> wire_hash(SERVICES[0], {"pagu": 150000000}) == wire_hash(SERVICES[0], {"pagu": "150000000"})
        False
    """
    content = dict(row)
    for stamp in service.stamps:
        content.pop(stamp, None)
    try:
        written = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # what JSON carries and orjson refuses: long integers, half a character, decimals, deep nesting
        try:
            written = json.dumps(content, sort_keys=True, default=str).encode()
        except (TypeError, ValueError, RecursionError):
            return bytes.fromhex(hash_of(service, renamed(service, row)))
    return hashlib.blake2b(written, digest_size=16).digest()


def hash_of(service: Service, fields: Mapping[str, object]) -> str:
    """The hash of a row's content, the same however it travelled: volatile fields left out, lists taken as sets.

    >>> from schemas.sirup import SERVICES
    >>> from_json = {"pagu": 150000000, "alasan_non_ukm": None, "_event_date": "2025-06-01"}
    >>> from_workbook = {"pagu": 150000000.0, "alasan_non_ukm": "", "_event_date": "2025-06-02"}
    >>> hash_of(SERVICES[0], from_json) == hash_of(SERVICES[0], from_workbook)
    True
    """
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


def renamed(service: Service, row: Mapping[str, object]) -> dict[str, object]:
    """A row as received under this service's field names. Where it has a field under two names, the first that is
    filled counts, the service's own before others. A dict without other names is given back itself."""
    aliases = service.aliases
    if aliases.keys().isdisjoint(row):
        return row if isinstance(row, dict) else dict(row)
    fields = {name: value for name, value in row.items() if name not in aliases}
    for alias, name in aliases.items():
        if alias in row and fields.get(name) in (None, ""):
            fields[name] = row[alias]
    return fields


def code_text(value: object) -> str:
    """A code as text: blanks folded, what shows nothing left out, an integral float as the integer it means, nothing
    (and 0) as '', and a digest for what is longer than `PART_LIMIT` (addresses, places)."""
    return _short(_plain(value))


def _short(text: str) -> str:
    return text if len(text) <= PART_LIMIT else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: object) -> str:
    if value is None or value is False or value is True:
        return ""
    if isinstance(value, float):
        if math.isnan(value):  # how a workbook or a data frame writes "empty"
            return ""
        value = int(value) if value.is_integer() else value
    text = _BLANKS.sub(" ", clean(str(value)))
    if _INTEGRAL.fullmatch(text):
        text = text.partition(".")[0]
    return "" if text == "0" else text


_NESTED = frozenset({list, dict})


def _is_deep(row: Mapping[str, object]) -> bool:
    level: list[object] = [row]
    for _ in range(DEPTH_LIMIT + 1):
        level = [
            part
            for nested in level
            for part in (nested.values() if isinstance(nested, dict) else nested)  # type: ignore[attr-defined]
            if type(part) in _NESTED
        ]
        if not level:
            return False
    return True


def _settle(value: object, depth: int = 0) -> object:
    """A value's one form whatever the transport: text for scalars, None for what is absent and below `DEPTH_LIMIT`."""
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
        if depth > DEPTH_LIMIT:
            return None
        return [_settle(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    if kind is dict:
        if depth > DEPTH_LIMIT:
            return None
        return {str(name): _settle(item, depth + 1) for name, item in value.items()}  # type: ignore[attr-defined]
    return None if value is None else str(value)


def _parts(value: object) -> list[str]:
    """A list field as the set that it is."""
    text = value if isinstance(value, str) else str(_settle(value) or "")
    if ";" not in text and "," not in text:
        text = text.strip()
        return [text] if text else []
    return sorted({part for part in map(str.strip, _LIST.split(text)) if part})
