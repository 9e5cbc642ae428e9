"""The state of a process: the OCDS document that follows from its current rows, and from nothing else.

Every service contributes partial documents (`transforms.mapping`). A field goes to the service that owns it, or to the
best of those that stand in (`codes/field_owners.csv`); a list entry exists if any service that may contribute to its
list names it by its id. Neither the order nor the times in which rows were read matter.

    >>> announced = {"tender": {"id": "t", "title": "Jalan Desa", "status": "active"}}
    >>> awarded = {"tender": {"id": "t", "title": "jalan"}, "awards": [{"id": "t-1", "title": "jalan"}]}
    >>> united([("SPSE-TenderPengumuman", announced), ("SPSE-TenderSelesaiNilai", awarded)])
    {'tender': {'id': 't', 'title': 'Jalan Desa', 'status': 'active'}, 'awards': [{'id': 't-1', 'title': 'jalan'}]}
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from transforms import owners
from transforms.codes import Meanings
from transforms.identity import Code
from transforms.mapping import Body, Context, Partial, Row, SourceMapping, compact, reference
from transforms.parties import regency_party

# Objects whose fields have owners of their own; any other object is one value.
_SECTIONS = {"planning", "planning.budget", "tender", "tender.location", "bids", "contracts.implementation"}
# Lists without entries of their own: one value each.
_VALUES = {"additionalIdentifiers", "additionalClassifications"}
# Types of what is absent where it is empty, as None is; zero and False are values.
_EMPTY = frozenset((str, list, dict))
# References to parties by the field they stand in, and the role that each gives.
_ROLES = {
    "buyer": "buyer",
    "procuringEntity": "procuringEntity",
    "payer": "payer",
    "payee": "payee",
    "sourceParty": "sourceParty",
    "organization": "interestedParty",
    "tenderers": "tenderer",
    "suppliers": "supplier",
}


@dataclass(frozen=True, slots=True)
class Process:
    """All that is known of one contracting process.

    `rows` are its current rows: those of its own codes, of the RUPs whose planning it carries, and of what is linked to
    either. `rups` are the RUP codes it fulfils, `relations` pairs of (relationship, OCID). `links` gives, for each
    linked subject, the codes here that it belongs to. `suppliers` and `offices` are the parts of the crosswalks that it
    may need: (kind, key) -> kd_penyedia, or the name of a supplier's code or a sub-activity, or the code of an office;
    (source, plain name) -> kd_satker_str. `meanings` are what operators say that words mean.
    """

    ocid: str
    rows: Sequence[Row]
    rups: tuple[Code, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()
    links: Mapping[Code, tuple[Code, ...]] = field(default_factory=dict)
    suppliers: Mapping[Code, str] = field(default_factory=dict)
    offices: Mapping[Code, str] = field(default_factory=dict)
    meanings: Meanings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A partial document with the service that made it."""

    source: str
    service: str
    partial: Partial


Facts = dict[str, dict[tuple[str, ...], Body]]


@dataclass(frozen=True, slots=True)
class State:
    """The state of a process and what was found on the way.

    `document` is empty where no row contributes. `announced`: whether a row announces the process. `signals` are
    (source, service, field, value) of unknown code values, `supplier_lookups` supplier keys that only a surrogate id
    could answer, `due` (service, scope, day) of events that have not come yet, `words` (source, list, plain word,
    service, field) of words that no shipped code table knows. `facts` are what analysts ask for beside the document:
    columns by table and key; `fact_parties` the parties that they name.
    """

    document: Body
    announced: bool
    contributions: list[Contribution]
    signals: set[tuple[str, str, str, str]]
    supplier_lookups: set[Code]
    due: set[tuple[str, str, str]]
    words: set[tuple[str, str, str, str, str]]
    facts: Facts
    fact_parties: list[Body]


def state_of(
    process: Process,
    sources: Mapping[str, SourceMapping],
    utc_offset: str,
    kd_klpd: str,
    wilayah: str | None = None,
    unnamed: Collection[str] = (),
) -> State:
    """The state of a process; `sources` gives the mapping of each service's source, by the service's name, `wilayah`
    the region whose places its texts may name, `unnamed` the parties (ids) whose names are given nowhere.

        >>> from schemas.sirup import PaketPenyediaTerumumkan
        >>> from transforms import sirup
        >>> plan = PaketPenyediaTerumumkan(kd_rup="59000001", nama_paket="Jalan Desa", pagu=150_000_000)
        >>> row = Row("RUP-PaketPenyedia-Terumumkan", "2026", "59000001", "59000001", plan)
        >>> process = Process("ocds-213czf-rup-59000001", [row])
        >>> state_of(process, {row.service: sirup.MAPPING}, "+07:00", "D107").document["tender"]
        {'id': 'rup-59000001', 'title': 'Jalan Desa', 'status': 'planned'}
    """
    context = Context(
        process.ocid,
        utc_offset,
        kd_klpd,
        process.rups,
        process.relations,
        process.suppliers,
        links=process.links,
        offices=process.offices,
        wilayah=wilayah,
        meanings=process.meanings,
    )
    rows: dict[str, list[Row]] = {}
    coded: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(process.rows, key=_row_order):
        rows.setdefault(row.service, []).append(row)
        coded.setdefault((row.service, row.code), []).append(row)
    context.rows, context.coded = rows, coded
    context.planned = any(service in sources[service].plan_lists for service in rows)
    found = list(_contributions(context, sources))
    announced = any(service in sources[service].announcing for service in rows)
    document = united([(each.service, each.partial.body) for each in found])
    if document:
        document = _completed(document, found, context, announced=announced)
        if unnamed:
            _without_names(document, unnamed)
    facts, named = _facts(context, sources)
    return State(
        document, announced, found, context.signals, context.supplier_lookups, context.due, context.words, facts, named
    )


def _facts(context: Context, sources: Mapping[str, SourceMapping]) -> tuple[Facts, list[Body]]:
    """The facts of all services, each column by the service that comes first in the table of owners; their parties."""
    facts: Facts = {}
    named: dict[str, Body] = {}
    for service in sorted(context.rows, key=lambda name: (owners.order(name), name)):
        source = sources[service]
        if service not in source.facts:
            continue
        context.source, context.service = source.name, service
        for fact in source.facts[service](context.rows[service], context):
            known = facts.setdefault(fact.table, {}).setdefault(fact.key, {})
            for name, value in fact.columns.items():
                if known.get(name) is None:
                    known[name] = value
            if fact.party:
                named.setdefault(fact.party["id"], fact.party)
    return facts, list(named.values())


def _row_order(row: Row) -> tuple[str, str, str]:
    return row.code, row.scope, row.key


def _contributions(context: Context, sources: Mapping[str, SourceMapping]) -> Iterator[Contribution]:
    """The partial documents of all services, those of the services that come first in the table of owners first."""
    for service in sorted(context.rows, key=lambda name: (owners.order(name), name)):
        source = sources[service]
        if service not in source.mappers:
            continue
        context.source, context.service = source.name, service
        for partial in source.mappers[service](context.rows[service], context):
            for contract in partial.body.get("contracts") or ():
                named = context.contracts.setdefault(contract["id"], (contract["awardID"], set()))
                named[1].update(row.code for row in partial.rows)
            yield Contribution(source.name, service, partial)


def united(partials: Iterable[tuple[str, Body]]) -> Body:
    """One document of partial ones, (service, body) in the order of services: each field by its owner.

    Of a list that one service contributes whole (`owners.WHOLE`), such as an award's suppliers, the best owner that has
    entries there gives all. A process has one tender and one plan: of several partial documents of one service the
    first alone fills their fields.
    """
    document: Body = {}
    ranks: _Ranks = {}
    first: dict[str, int] = {}
    tenders: list[Body] = []
    for number, (service, body) in enumerate(partials):
        leads = first.setdefault(service, number) == number
        _contribute(document, ranks, body, "", service, number, leads)
        tenders.append(body.get("tender") or {})
    _drop_planned(document.get("tender", {}), ranks.get("tender", {}), tenders)
    return _filled(document)


def _drop_planned(tender: Body, ranks: Body, partials: Sequence[Body]) -> None:
    """Without periods and a status that come from a plan where an attempt has taken its place: they pass for what
    happened. An attempt whose status is not given has none."""
    for name in ("tenderPeriod", "contractPeriod", "status", "statusDetails"):
        if name in tender and partials[ranks[name][1]].get("id") != tender.get("id"):
            del tender[name]


# Beside each object of the document: field -> (rank, number) of the value there, or the ranks of what stands below.
_Ranks = dict[str, Any]


def _contribute(target: Body, ranks: _Ranks, body: Body, path: str, service: str, number: int, leads: bool) -> None:
    for name, value in body.items():
        kind = type(value)
        if value is None or (not value and kind in _EMPTY) or name == "parties":
            continue
        place = path + name
        if kind is dict and place in _SECTIONS:
            below = target.setdefault(name, {})
            _contribute(below, ranks.setdefault(name, {}), value, place + ".", service, number, leads)
            if not below:
                del target[name]
            continue
        rank = owners.rank(place, service)
        if rank is None:
            continue
        if kind is list and type(value[0]) is dict and name not in _VALUES and place not in owners.WHOLE:
            entries = ranks.setdefault(name, {})
            held = target.setdefault(name, [])
            for entry in value:
                known = entries.get(entry["id"])
                if known is None:
                    known = entries[entry["id"]] = ({"id": entry["id"]}, {"id": (-1, -1)})
                    held.append(known[0])
                _contribute(known[0], known[1], entry, place + ".", service, number, True)
        elif (leads or place in owners.WHOLE) and ((held_by := ranks.get(name)) is None or (rank, number) < held_by):
            if (kind is dict or kind is list) and not (value := _value(value)):
                continue
            ranks[name] = (rank, number)
            target[name] = value


def _value(value: Any) -> Any:
    """An object or list without what is absent in it."""
    if type(value) is dict:
        return {name: found for name, item in value.items() if (found := _present(item)) is not None}
    return [found for item in value if (found := _present(item)) is not None]


def _present(value: Any) -> Any:
    """A value without what is absent in it; None where nothing is left."""
    kind = type(value)
    if kind not in _EMPTY:
        return value
    if value and kind is not str:
        value = _value(value)
    return value or None


def _filled(document: Body) -> Body:
    """Without sections that no service filled."""
    for name in [name for name, value in document.items() if type(value) is dict and not value]:
        del document[name]
    if document.get("planning") and not document["planning"].get("budget", True):
        del document["planning"]["budget"]
        return _filled(document)
    for contract in document.get("contracts", ()):
        if not contract.get("implementation", True):
            del contract["implementation"]
    return document


def _completed(document: Body, found: list[Contribution], context: Context, *, announced: bool) -> Body:
    """The document with what belongs to the process as a whole: buyer, relations, parties."""
    offices: list[Body] = []
    if "buyer" not in document:
        # Every release has parties, since tools take one without for a release of OCDS 1.0. Before the announcement is
        # known any row may name the office.
        named = (_office(row, each, context) for each in found for row in each.partial.rows)
        buyer = next(filter(None, named), None) or regency_party(context.kd_klpd)
        document["buyer"] = reference(buyer)
        offices.append(buyer)
    if not announced and "tender" in document and document["tender"].get("status") != "cancelled":
        document["tender"]["status"] = "withdrawn"
    if relations := _relations(context.relations):
        document["relatedProcesses"] = relations
    words: dict[str, Body] = {}
    for party in (*(party for each in found for party in each.partial.body.get("parties") or ()), *offices):
        words[party["id"]] = {**compact(party), **words.get(party["id"], {})}
    roles: dict[str, set[str]] = {}
    _collect_roles(document, roles, words)
    _name_alike(document, words)
    document["parties"] = [{**words[party], "roles": sorted(roles[party])} for party in sorted(roles)]
    return document


def _office(row: Row, contribution: Contribution, context: Context) -> Body | None:
    context.source, context.service = contribution.source, contribution.service
    return context.office(row.record)


def _relations(relations: Iterable[tuple[str, str]]) -> list[Body]:
    """One entry for each related process, with all that relates the two."""
    related: dict[str, list[str]] = {}
    for relationship, ocid in sorted(relations):
        related.setdefault(ocid, []).append(relationship)
    return [
        {"id": ocid, "relationship": relationships, "scheme": "ocid", "identifier": ocid}
        for ocid, relationships in sorted(related.items())
    ]


def _collect_roles(node: Body, roles: dict[str, set[str]], words: dict[str, Body]) -> None:
    """The role of every party that a document refers to; a party that no row describes has the reference's words."""
    for name, value in node.items():
        kind = type(value)
        if name in _ROLES:
            for party in value if kind is list else [value]:
                roles.setdefault(party["id"], set()).add(_ROLES[name])
                words.setdefault(party["id"], dict(party))
        elif kind is dict:
            _collect_roles(value, roles, words)
        elif kind is list:
            for entry in value:
                if type(entry) is dict:
                    _collect_roles(entry, roles, words)


def _name_alike(node: Body, words: dict[str, Body]) -> None:
    """Give every reference the name that its party has: rows spell names differently."""
    for name, value in node.items():
        entries = value if type(value) is list else [value]
        for entry in entries:
            if type(entry) is not dict:
                continue
            if name not in _ROLES:
                _name_alike(entry, words)
            elif known := words[entry["id"]].get("name"):
                entry["name"] = known


def _without_names(node: Any, unnamed: Collection[str]) -> None:
    """Take the names of some parties from where they stand as parties, and from where others refer to them."""
    if type(node) is list:
        for entry in node:
            _without_names(entry, unnamed)
    elif type(node) is dict:
        if node.get("id") in unnamed:
            node.pop("name", None)
            for identifier in (node.get("identifier", {}), *node.get("additionalIdentifiers", ())):
                identifier.pop("legalName", None)
        for value in node.values():
            _without_names(value, unnamed)


def references(document: Body) -> set[str]:
    """The ids of the parties that a document refers to."""
    roles: dict[str, set[str]] = {}
    _collect_roles({name: value for name, value in document.items() if name != "parties"}, roles, {})
    return set(roles)


def without_rows(process: Process, rows: Iterable[Row]) -> Process:
    """The process as though some of its rows were not there: what a value rests on shows where it is gone."""
    left_out = {(row.service, row.scope, row.key) for row in rows}
    return replace(process, rows=[row for row in process.rows if (row.service, row.scope, row.key) not in left_out])
