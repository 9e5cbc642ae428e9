"""From a finding in a record back to the field of the source row that should be mended."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, cast, select

from pipeline.registry import SERVICES
from reports.process import states_of
from schemas.dokumen import DokumenPerencanaan
from schemas.errors import RowError
from schemas.fields import address
from schemas.service import SourceRecord, personal_fields, read_row
from schemas.simda import Sp2d
from transforms.parties import SCRUBBED, scrub
from transforms.rows import renamed
from transforms.simda import document_number
from warehouse import tables as t
from warehouse.engine import from_json
from warehouse.load import key_set
from warehouse.releases import unpacked

Object = dict[str, Any]

PERSONAL = "(data pribadi, tidak ditampilkan)"
SYSTEMS = {
    "RUP": "SIRUP",
    "SPSE": "SPSE",
    "Ecat": "E-Katalog",
    "Bela": "Toko Daring",
    "SIMDA": "SIMDA",
    "SIPD": "SIPD-RI",
    "SIMPEN": "SIMPEN",
    "Musrenbang": "e-Musrenbang",
    "Dokumen": "Dokumen perencanaan",
}
"""The first word of a service -> the system where its rows are typed."""

_PLAN_KINDS = {"swk": "swk", "swakelola": "swk"}
_KINDS = ("pencatatan", "swakelola", "ecat", "tokodaring")
_TREASURY = ("simda-", "sipd-")


class SourceField(NamedTuple):
    """Where a value of a record stands at its source: `stands` is the source's own words, None where no row holds it.

    `key` is the key of the row in the warehouse, empty where none was found.
    """

    system: str
    service: str
    field: str
    kind: str
    code: str
    scope: str
    key: str
    stands: str | None


@cache
def _fields_by_path() -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(path, kind) -> the services and fields that give it, the usual one first."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    with Path(__file__).with_name("mending.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["path"], row["kind"]].append((row["service"], row["field"]))
    return dict(found)


def candidates(path: str, kind: str) -> list[tuple[str, str]]:
    """Services and fields that give a path (`contracts/0/value`) of records of a kind: those of the longest known."""
    names = [name for name in path.split("/") if not name.isdigit()]
    while names:
        if found := _fields_by_path().get((".".join(names), kind)):
            return found
        names.pop()
    return []


def subjects_of(state: Object, path: str, lineage: Iterable[Sequence[Any]] = ()) -> list[tuple[str, str]]:
    """The kinds and codes of whom a path of a state may be about, the likeliest first: its plan, then the attempt that
    stands in for an unknown one; the order or recorded purchase that an award or contract comes from; its attempt.

    `lineage` is that of the record: of systems that share no code with LKPP's it alone says which row is meant.
    """
    parts = path.split("/")
    of, _ = _linked(state, path)
    services = {service for service, _ in candidates(path, of)}
    if linked := dict.fromkeys((each[0], each[1]) for each in lineage if each[0] == of and each[2] in services):
        return list(linked)
    kind, _, code = str(state.get("tender", {}).get("id", "")).partition("-")
    if parts[0] == "planning":
        plan = state.get("planning", {}).get("budget", {}).get("id", "").partition("+")[0]
        return [*([(_PLAN_KINDS.get(kind, "rup"), plan)] if plan else ()), (kind, code)]
    if parts[0] in ("awards", "contracts") and len(parts) > 1:
        first, _, rest = str(value_at(state, f"{parts[0]}/{parts[1]}/id") or "").partition("-")
        if first in _KINDS:
            return [(first, rest.partition("-")[0])]
        if first.isdigit():
            return [(kind if kind in ("tender", "nontender") else "nontender", first)]
    return [(kind, code)]


def _linked(state: Object, path: str) -> tuple[str, set[str]]:
    """Of the document or the treasury's payments at a path the kind of their codes, and their addresses or numbers, by
    which their rows are told; nothing where it is about something else, or no longer there."""
    parts = path.split("/")
    if parts[:2] == ["planning", "documents"]:
        kind, name, node = "dokumen", "url", _node_at(state, parts[:3])
    elif parts[0] == "contracts" and parts[2:4] == ["implementation", "transactions"]:
        kind, name, node = "kontrak", "number", _node_at(state, parts[:5])
    else:
        return "", set()
    entries = node if isinstance(node, list) else [node] if node else []
    if kind == "kontrak":  # payments may also be those that SPSE recorded
        entries = [each for each in entries if str(each.get("id", "")).startswith(_TREASURY)]
    return (kind if entries else ""), {each[name] for each in entries if name in each}


def _named(record: SourceRecord | None) -> str | None:
    """The address of a document or the number of the treasury's payment, as states have it."""
    if isinstance(record, DokumenPerencanaan):
        return address(record.url)
    return document_number(record.No_SP2D) if isinstance(record, Sp2d) else None


def _node_at(state: Object, parts: Iterable[str]) -> Any:
    node: Any = state
    for part in parts:
        if isinstance(node, list):
            node = node[int(part)] if int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, dict) else None
    return node


def value_at(state: Object, path: str) -> Any:
    """The value at a path of names and places; of an amount its number, of a period its end; None where none is."""
    node = _node_at(state, path.split("/") if path else ())
    if isinstance(node, dict):
        return node.get("amount", node.get("endDate"))
    return None if isinstance(node, list) else node


def source_fields(conn: Connection, findings: Sequence[Mapping[str, Any]]) -> list[SourceField]:
    """For each finding on a record (`ocid`, `path`) where its value stands at the source."""
    ocids = sorted({each["ocid"] for each in findings})
    states = states_of(conn, ocids)
    linked = sorted({each["ocid"] for each in findings if _linked(states.get(each["ocid"], {}), each["path"])[0]})
    stored = select(t.record.c.ocid, t.record.c.rows).where(t.record.c.ocid.in_(key_set(conn, linked)))
    lineage = {row.ocid: unpacked(row.rows) for row in conn.execute(stored)}
    subjects = [
        subjects_of(states.get(each["ocid"], {}), each["path"], lineage.get(each["ocid"], ())) for each in findings
    ]
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each, about in zip(findings, subjects, strict=True):
        for kind, code in about:
            for service, _ in candidates(each["path"], kind):
                wanted[kind, service].add(code)
    rows = {
        (service, code): found
        for (kind, service), codes in wanted.items()
        for code, found in _rows(conn, kind, service, codes).items()
    }
    return [
        _source_field(states.get(each["ocid"], {}), each["path"], about, rows)
        for each, about in zip(findings, subjects, strict=True)
    ]


def _rows(conn: Connection, kind: str, service: str, codes: Iterable[str]) -> dict[str, list[tuple[str, str, Object]]]:
    """Code -> (scope, key, content under our names) of its current rows of a service."""
    columns = t.raw_record.c
    query = select(columns.code, columns.scope, columns.key, cast(columns.payload, Text)).where(
        columns.current, ~columns.gone, columns.service == service, columns.kind == kind
    )
    found: dict[str, list[tuple[str, str, Object]]] = defaultdict(list)
    chosen = query.where(columns.code.in_(key_set(conn, codes))).order_by(columns.scope, columns.key, columns.id)
    for code, scope, key, payload in conn.execute(chosen):
        found[code].append((scope, key, renamed(SERVICES[service][1], from_json(payload))))
    return found


def _source_field(
    state: Object, path: str, subjects: Sequence[tuple[str, str]], rows: Mapping[tuple[str, str], list[Any]]
) -> SourceField:
    """The row of the very document or payment, then the one that holds the value; else the first row there is; else
    where it ought to stand."""
    value, (_, names) = value_at(state, path), _linked(state, path)
    chosen: SourceField | None = None
    best = (False, False)
    for kind, code in subjects:
        for service, field in candidates(path, kind):
            for scope, key, content in rows.get((service, code), ()):
                record = _read(service, content)
                fit = (_named(record) in names, _gives(record, field, value))
                if chosen is None or fit > best:
                    stands = _shown(service, field, content)
                    chosen, best = SourceField(_system(service), service, field, kind, code, scope, key, stands), fit
                if best == (bool(names), True):
                    return chosen
    if chosen:
        return chosen
    kind, code = subjects[0]
    service, field = next(iter(candidates(path, kind)), ("", ""))
    return SourceField(_system(service), service, field, kind, code, "", "", None)


def _system(service: str) -> str:
    return SYSTEMS.get(service.partition("-")[0], "")


def _read(service: str, content: Object) -> SourceRecord | None:
    try:
        return read_row(SERVICES[service][1], content)[0]
    except RowError:
        return None


def _gives(record: SourceRecord | None, field: str, value: Any) -> bool:
    """Whether a row's field, read as Jejak reads it, is the value of the record; an empty field gives no value."""
    if record is None:
        return False
    own = getattr(record, field, None)
    if value is None or own in (None, "", ()):
        return value is None and own in (None, "", (), 0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return isinstance(own, int | float) and abs(float(own) - value) < 1
    return str(own)[:10] == str(value)[:10]


def _shown(service: str, field: str, content: Object) -> str | None:
    value = content.get(field)
    if value in (None, ""):
        return None
    if field in personal_fields(SERVICES[service][1]):
        return PERSONAL
    return (scrub(value) or SCRUBBED) if isinstance(value, str) else str(value)
