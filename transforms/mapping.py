"""What a mapping works with: rows, the partial documents that it makes of them, and what it may know besides.

A mapping makes, of the current rows of one service in one process, partial OCDS documents: release bodies without
ocid, id, date and tag. Values that are absent (None, empty text, lists and objects; zero is a value) may stand in them
and are left out later.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from schemas.service import SourceRecord
from transforms import codes
from transforms.evidence import Evidence
from transforms.identity import Code, Plan, Revision, RupReference
from transforms.parties import (
    SCRUBBED,
    has_code,
    is_personal,
    office_party,
    plain_name,
    scrub,
    supplier_keys,
    supplier_party,
    tax_numbers,
)
from transforms.places import SCHEME as PLACE_SCHEME
from transforms.places import place_names, places

Body = dict[str, Any]
Amount = float | int | None
SUPPLIER_CODE = "code"
"""The kind of those keys of the suppliers' crosswalk that lead from a supplier's code to its name."""
SUB_ACTIVITY = "sub_activity"
"""The kind of those that lead from a sub-activity's year and code to its name."""
OFFICE_NUMBER = "office"
"""The kind of those that lead from a fiscal year and SIRUP's number of an office to its code."""

_PARALLEL_STAGES = re.compile(r"\s*\[\.\.\.\]$")


@dataclass(frozen=True, slots=True)
class Row:
    """A current row of a source.

    `seen` is the local day of the newest answer that holds it, empty where unknown; `earlier` are the records of
    replaced versions of the rows of its code, the oldest first, for the services that `SourceMapping.histories` names.
    """

    service: str
    scope: str
    key: str
    code: str
    record: Any  # the service's SourceRecord
    seen: str = ""
    earlier: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial document of one subject of a service, and the rows that it was made of."""

    body: Body
    rows: tuple[Row, ...]


@dataclass(slots=True)
class Context:
    """What a mapping may know beside its rows: the process, its neighbours, the settings that matter, the crosswalks.

    `service` is the one whose rows are being mapped; `signals` collects (source, service, field, value) of code values
    that no code table knows; `words` (source, list, plain word, service, field) of those that the shipped ones lack,
    whether `meanings` have them or not; `supplier_lookups` the supplier keys that a later row may answer or answer
    otherwise.
    """

    ocid: str
    utc_offset: str
    kd_klpd: str
    rups: tuple[Code, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()
    suppliers: Mapping[Code, str] = field(default_factory=dict)
    # The process's current rows by service, for what one service needs of another (a contract its award's supplier).
    rows: Mapping[str, list[Row]] = field(default_factory=dict)
    # The same rows by (service, code).
    coded: Mapping[tuple[str, str], list[Row]] = field(default_factory=dict)
    source: str = ""
    service: str = ""
    # Whether a plan itself is among the rows, not only what names it.
    planned: bool = False
    # (source, plain name of an office there) -> kd_satker_str, where the office's rows don't give it themselves.
    offices: Mapping[Code, str] = field(default_factory=dict)
    # (kind, code) of the purchases that a linked subject belongs to here, by the subject's own (kind, code).
    links: Mapping[Code, tuple[Code, ...]] = field(default_factory=dict)
    # The contracts of the services mapped so far: id -> (award's id, codes of the rows that name it).
    contracts: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    # What the buyer's own system has of a contract's values, by its id: the first one, and of each amendment (id, day,
    # value that the contract came to have).
    values: dict[str, tuple[Amount, list[tuple[str, str | None, Amount]]]] = field(default_factory=dict)
    # (service, scope, day) of events that lie after the day on which their rows were seen last.
    due: set[tuple[str, str, str]] = field(default_factory=set)
    signals: set[tuple[str, str, str, str]] = field(default_factory=set)
    supplier_lookups: set[Code] = field(default_factory=set)
    # The province or regency whose villages and districts texts may name: Kemendagri's code, from the settings.
    wilayah: str | None = None
    meanings: codes.Meanings = field(default_factory=dict)
    words: set[tuple[str, str, str, str, str]] = field(default_factory=set)

    def code(self, source: str, code_list: str, field_name: str, value: str | None) -> str | None:
        """The OCDS code of a source's word; None, and a signal, where the table does not know the word."""
        if not value:
            return None
        word = _PARALLEL_STAGES.sub("", value)
        found = codes.table(source).get((code_list, codes.plain(word)))
        if found is None:
            found = self._meaning(source, code_list, field_name, word)
        if found is None:
            self.signals.add((source, self.service, field_name, scrub(value) or SCRUBBED))
        return found or None

    def _meaning(self, source: str, code_list: str, field_name: str, word: str) -> str | None:
        """The meaning that an operator gave to a word; a word that may be somebody's number is not asked about."""
        if is_personal(word):
            return None
        plain = codes.plain(word)
        self.words.add((source, code_list, plain, self.service, field_name))
        return self.meanings.get((source, code_list, plain))

    def of(self, code: str, *services: str) -> list[Row]:
        """The rows of a code in these services, in the order of the services."""
        return [row for service in services for row in self.coded.get((service, code), ())]

    def happened(self, row: Row, day: str | None) -> bool:
        """Whether an event of a row had come when the row was seen last; else it is due, and the process is built again
        once a later answer still holds the row."""
        if not day or not row.seen or day[:10] <= row.seen:
            return True
        self.due.add((row.service, row.scope, day[:10]))
        return False

    def moment(self, local: str | None, end: bool = False) -> str | None:
        """Local source time as RFC 3339 with the sources' offset; bare dates start at 00:00:00, end at 23:59:59."""
        if not local:
            return None
        if len(local) == 10:
            local += "T23:59:59" if end else "T00:00:00"
        return local + self.utc_offset

    def period(self, start: str | None, end: str | None) -> Body | None:
        """A period of local times; None where neither is known, the end alone where it lies before the start."""
        first, last = self.moment(start), self.moment(end, end=True)
        if first and last and last < first:
            first = None
        if first is None and last is None:
            return None
        return compact({"startDate": first, "endDate": last})

    def location(self, description: str | None, *texts: str | None) -> Body | None:
        """The location that a row gives: its own words for the place, and the codes of the villages, else districts,
        that its texts name."""
        found = places((description, *texts), self.wilayah)
        if not found:
            return {"description": description} if description else None
        return {
            "description": description or place_names(found),
            "gazetteer": {"scheme": PLACE_SCHEME, "identifiers": list(found)},
        }

    def office(self, record: SourceRecord) -> Body | None:
        """The party of the office that a row names."""
        office = record.office
        code = office.code or self.offices.get((self.source, plain_name(office.name)))
        if not code and office.number:
            key = (OFFICE_NUMBER, f"{office.year}-{office.number}")
            self.supplier_lookups.add(key)
            code = self.suppliers.get(key)
        return office_party(office.institution or self.kd_klpd, code, office.name, office.address)

    def contract(self, kind: str, row: Row, *numbers: str | None) -> tuple[str, str] | None:
        """(contract id, award id) of the contract that a row of a linked subject belongs to, of several the one that
        bears one of these numbers; None while no row gives it."""
        codes = self.links.get((kind, row.code), ())
        rows = {code for _, code in codes}
        found = sorted(name for name, (_, named_by) in self.contracts.items() if named_by & rows)
        # Codes of two kinds may be the same number: the ids of all but an attempt's contracts bear the kind.
        named = tuple(lead for of, code in codes for lead in (code, f"{of}-{code}"))
        found = [name for name in found if name.startswith(named)] or found
        plain = {plain_number(number) for number in numbers if number}
        found.sort(key=lambda name: not any(number and plain_number(name).endswith(number) for number in plain))
        return (found[0], self.contracts[found[0]][0]) if found else None

    def supplier(self, kd: str | None, name: str | None, *numbers: str | None, form: str | None = None) -> Body | None:
        """The party of a supplier. What is looked up in the crosswalk is noted: the process is built again when the
        answer changes."""
        if kd and not name:
            self.supplier_lookups.add((SUPPLIER_CODE, kd))
            name = self.suppliers.get((SUPPLIER_CODE, kd))
        party = supplier_party(self.suppliers, kd, name, *numbers, form=form)
        if party and not has_code(party):
            self.supplier_lookups.update(supplier_keys(name, tax_numbers(*numbers)))
        return party

    def sub_activity(self, year: int | None, code: str) -> str | None:
        """The name of a sub-activity in a fiscal year, looked up as suppliers are."""
        key = (SUB_ACTIVITY, f"{year}-{code}")
        self.supplier_lookups.add(key)
        return self.suppliers.get(key) or None


_NOT_IN_NUMBER = re.compile(r"[^0-9A-Z]+")


def fields_of(record: SourceRecord, *names: str) -> tuple[str, ...]:
    """Those of some fields that a row's list has. Asking a record for one that it lacks is slow, and finds a column of
    that name which the list doesn't know: as it came, never read as this field."""
    return _fields_of(record.__class__, names)


@cache
def _fields_of(model: type[SourceRecord], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in model.model_fields)


def filled(record: SourceRecord, *names: str) -> Any:
    """The first that is filled of some fields, which only some lists have; None where none is. Zero is a value."""
    values = (getattr(record, name) for name in fields_of(record, *names))
    return next((value for value in values if value not in (None, "", (), [])), None)


def plain_number(text: str) -> str:
    """A document's number without what clerks vary most: blanks, signs and capitals."""
    return _NOT_IN_NUMBER.sub("", text.upper())


Mapper = Callable[[list[Row], Context], Iterator[Partial]]


@dataclass(frozen=True, slots=True)
class Fact:
    """Columns of a row of an analysts' table (`warehouse.tables`) that have no place in an OCDS document; times are
    local text, as rows have them. Of two services that give a column the first in the table of owners counts.

    `party` is one that the document does not hold, with its roles.
    """

    table: str
    key: tuple[str, ...]
    columns: Body
    party: Body | None = None


FactMaker = Callable[[list[Row], Context], Iterator[Fact]]


def nothing(service: str, record: Any) -> Iterator[Any]:
    """The plans, revisions, RUP references or evidence of a source whose rows hold none."""
    return iter(())


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """What the rows of one source system mean.

    `mappers` make partial documents of a service's rows, `facts` what analysts ask for beside them, `masters` (table,
    columns) of a row of a list that belongs to no process; the year of a row that gives none is that of its answer.
    `plans`, `revisions` and `references` yield the identity facts of a row of one of the services `identifying`
    (`transforms.identity`), `evidence` the evidence of one of `evident` (`transforms.evidence`).

    `announcing` are the services whose rows announce a process: its record exists from then on; `plan_lists` those of
    them whose rows are plans. `amounts` give, by kind, a linked subject's amount from those parts of its evidence that
    have any (by default the last one of the latest date, as an addendum replaces the value). `awaited` gives, for a
    kind of codes, the services that add to the identity of a new code: while one of them fails, new codes wait.
    `standalone` are services whose rows open a process of their own code, if the service that announces codes of that
    kind has answered without it. The rows of a service of `histories` bear the records of the versions that they
    replaced (`Row.earlier`).
    """

    name: str
    mappers: Mapping[str, Mapper]
    facts: Mapping[str, FactMaker] = field(default_factory=dict)
    masters: Mapping[str, Callable[[Any], tuple[str, Body]]] = field(default_factory=dict)
    plans: Callable[[str, Any], Iterator[Plan]] = nothing
    revisions: Callable[[str, Any], Iterator[Revision]] = nothing
    references: Callable[[str, Any], Iterator[RupReference]] = nothing
    evidence: Callable[[str, Any], Iterator[Evidence]] = nothing
    identifying: tuple[str, ...] = ()
    evident: tuple[str, ...] = ()
    announcing: tuple[str, ...] = ()
    plan_lists: tuple[str, ...] = ()
    amounts: Mapping[str, Callable[[list[Evidence]], float]] = field(default_factory=dict)
    awaited: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    standalone: Mapping[str, str] = field(default_factory=dict)
    histories: tuple[str, ...] = ()


def compact(value: Body) -> Body:
    """A copy without what is absent: None, '', [] and {} at any depth. Zero and False are values.

    >>> compact({"title": "", "value": {"amount": 0, "currency": None}, "items": []})
    {'value': {'amount': 0}}
    """
    out: Body = {}
    for name, item in value.items():
        kind = type(item)
        if kind is dict:
            item = compact(item)
        if item is not None and item != "" and item != [] and item != {}:
            out[name] = item
    return out


def money(amount: float | int | None) -> Body | None:
    """IDR; None where the source gives none."""
    return None if amount is None else {"amount": amount, "currency": "IDR"}


def reference(party: Body | None) -> Body | None:
    """A reference to a party."""
    if party is None:
        return None
    name = party.get("name")
    return {"id": party["id"], "name": name} if name else {"id": party["id"]}


def parties(*named: Body | None) -> list[Body]:
    """Parties, each once; their roles follow from where a release refers to them."""
    return list({party["id"]: party for party in named if party}.values())


def by_code(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows grouped by the source's own code, in the order of codes and keys.

    A row that the lists of several fiscal years hold stands once, as the latest year has it.
    """
    once = {row.key: row for row in sorted(rows, key=lambda r: filled(r.record, "tahun_anggaran") or 0)}
    groups: dict[str, list[Row]] = {}
    for row in sorted(once.values(), key=lambda r: (r.code, r.key)):
        groups.setdefault(row.code, []).append(row)
    return groups
