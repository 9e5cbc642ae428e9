"""From the history of a process's rows to its OCDS releases: a pure function, so deriving again gives the same ids.

The history is replayed in the order in which things became known (`observed_at`). At each time the mappings say what
every service says now; a field is emitted by its owner alone; a service that says something else than before gives the
next release. Merging never removes what was said, so what is no longer said is taken back in words: a replaced award
comes back as cancelled, a vanished field as null.

A body is handled as *cells*: (pattern, ids) -> value, where entries of lists are addressed by their ids, for example
`("awards[].value", ("90000001000-71",))`. Values, periods and references are one cell each.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from transforms import owners
from transforms.identity import Code
from transforms.parties import regency_party
from transforms.said import Body, Context, Row, Said, Telling, compact, reference, utc

Ids = tuple[str, ...]
Cell = tuple[str, Ids]  # also what cells stand in: ("awards[]", ("1",)) is an entry, ("tender", ()) a section
Cells = dict[Cell, Any]

_SECTIONS = {"planning", "planning.budget", "tender", "bids"}
_WHOLE_LISTS = {"additionalIdentifiers", "additionalClassifications"}
# How an entry is taken back that has a status of its own; any other loses its fields and keeps its id.
_TAKEN_BACK = {
    "tender": "withdrawn",
    "awards[]": "cancelled",
    "contracts[]": "cancelled",
    "bids.details[]": "withdrawn",
    "planning.proposals[]": "withdrawn",
    "tender.milestones[]": "notMet",
    "contracts[].milestones[]": "notMet",
    "contracts[].implementation.milestones[]": "notMet",
}
# Required wherever their section or entry stands, whoever owns them.
_ANCHORS = {"tender": ("id",), "contracts[]": ("awardID",)}
# Nothing else may be said of a reference than whom it means.
_REFERENCES = {"buyer", "procuringEntity", "payer", "payee", "sourceParty", "organization"}
# Of a measure that is no longer said the unit is kept: a unit without its id would be none.
_LASTING = {"unit", "dimensions"}
_ROLES = {"organization": "interestedParty", "tenderers": "tenderer", "suppliers": "supplier"}
_STAGES = ("planning", "tender", "award", "contract", "implementation")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a source row: what it said from `observed_at` on, or (`gone`) that it said nothing any more."""

    raw_id: int
    source: str
    service: str
    scope: str
    key: str
    code: str
    observed_at: str
    gone: bool
    record: Any


@dataclass(frozen=True, slots=True)
class Process:
    """All that is known of one contracting process; `suppliers` is the part of the supplier crosswalk that it needs.

    `links` gives, for each linked subject whose rows are among the versions, the codes here that it belongs to. A link
    is no event: what it joins is told as though it had always been known to belong together. `offices` is as in
    `Context`.
    """

    ocid: str
    versions: Sequence[Version]
    rups: tuple[Code, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()
    suppliers: Mapping[Code, str] = field(default_factory=dict)
    links: Mapping[Code, tuple[Code, ...]] = field(default_factory=dict)
    offices: Mapping[Code, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Derived:
    """The releases of a process, ordered, with what they were derived from.

    `releases` are (subject, source, service, release); `lineage` pairs release ids with raw row versions; `signals` are
    (source, service, field, value) of unknown codes; `wanted` are supplier keys that had to be answered by a surrogate.
    `memory` is what the latest time was told against: histories that end alike, with the same releases and memory, go
    on alike whatever comes.
    """

    releases: list[tuple[str, str, str, Body]]
    lineage: list[tuple[str, int]]
    signals: set[tuple[str, str, str, str]]
    wanted: set[Code]
    memory: dict[str, Any]


@dataclass(slots=True)
class _Speaker:
    """One subject of one service at one time."""

    name: str  # service and subject
    source: str
    service: str
    said: Said
    parties: list[Body]
    cells: Cells
    owned: Cells = field(default_factory=dict)
    holders: dict[Cell, None] = field(default_factory=dict)  # the sections and entries that the owned cells stand in


@dataclass(slots=True)
class _Draft:
    date: str
    known: int
    speaker: str
    source: str
    service: str
    stage: str
    references: list[tuple[str, str]]  # (party id, role)
    body: Body
    rows: tuple[Row, ...]


def derive(
    process: Process,
    tellings: Mapping[str, tuple[str, Telling]],
    utc_offset: str,
    kd_klpd: str,
    heard: dict[Any, Any] | None = None,
) -> Derived:
    """The releases of a process; `tellings` gives the source and the mapping of each service that has one.

    Who derives several histories of one process gives a dictionary, `heard`, to spare mapping the same rows again;
    signals and wanted keys are then those of rows that had not been mapped before.
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
    )
    state: dict[tuple[str, str, str], Row] = {}
    history = sorted(process.versions, key=lambda v: (v.observed_at, v.raw_id))
    drafts: list[_Draft] = []
    story = _Story()
    start = 0
    while start < len(history):
        now = history[start].observed_at
        end = start
        while end < len(history) and history[end].observed_at == now:
            version = history[end]
            place = (version.service, version.scope, version.key)
            if version.gone:
                state.pop(place, None)
            else:
                state[place] = Row(version.raw_id, version.service, version.key, version.code, version.record)
            end += 1
        start = end
        has_buyer = ("buyer", ()) in story.cells
        if heard is None:
            speakers = _claimed(state, context, tellings, has_buyer=has_buyer)
        else:
            known = has_buyer, frozenset(row.raw_id for row in state.values())
            if known not in heard:
                heard[known] = _claimed(state, context, tellings, has_buyer=has_buyer)
            speakers = heard[known]
        drafts += story.tell(now, len(drafts), speakers, context, tellings, last=end == len(history))
    releases, lineage = _finish(process, drafts)
    lineage += _unspoken(history, releases, lineage)
    return Derived(
        [(d.speaker.partition(" ")[2], d.source, d.service, release) for d, release in releases],
        lineage,
        context.signals,
        context.wanted,
        vars(story),
    )


def _claimed(
    state: Mapping[tuple[str, str, str], Row],
    context: Context,
    tellings: Mapping[str, tuple[str, Telling]],
    *,
    has_buyer: bool,
) -> list[_Speaker]:
    """What every service says now, each field by its owner alone."""
    speakers = _speakers(state, context, tellings, has_buyer=has_buyer)
    _claim(speakers)
    return speakers


def _speakers(
    state: Mapping[tuple[str, str, str], Row],
    context: Context,
    tellings: Mapping[str, tuple[str, Telling]],
    *,
    has_buyer: bool,
) -> list[_Speaker]:
    """What every service says now, in the order of the story."""
    rows: dict[str, list[Row]] = {}
    for row in state.values():
        rows.setdefault(row.service, []).append(row)
    context.rows, context.contracts = rows, {}
    speakers = []
    for service in sorted(rows, key=lambda s: (owners.order(s), s)):
        if service in tellings:
            source, telling = tellings[service]
            context.source, context.service = source, service
            for said in telling.mapper(sorted(rows[service], key=lambda r: (r.code, r.key)), context):
                if found := cells(said.body):
                    parties = list(said.body.get("parties", ()))
                    speakers.append(_Speaker(f"{service} {said.subject}", source, service, said, parties, found))
                    for contract in said.body.get("contracts") or ():
                        told = context.contracts.setdefault(contract["id"], (contract["awardID"], set()))
                        told[1].update(row.code for row in said.rows)
    if speakers and not has_buyer and not any(("buyer", ()) in speaker.cells for speaker in speakers):
        # Every release has parties: tools take one without for a release of OCDS 1.0. Before the announcement is known,
        # any row may name the office.
        offices = (_office(row, speaker, context) for speaker in speakers for row in speaker.said.rows)
        buyer = next(filter(None, offices), None) or regency_party(context.kd_klpd)
        speakers[0].cells["buyer", ()] = reference(buyer)
        speakers[0].parties.append(buyer)
    if context.relations and speakers:
        speakers[0].cells.update(
            cells(
                {
                    "relatedProcesses": [
                        {
                            "id": f"{relationship}-{ocid}",
                            "relationship": [relationship],
                            "scheme": "ocid",
                            "identifier": ocid,
                        }
                        for relationship, ocid in context.relations
                    ]
                }
            )
        )
    return speakers


def _office(row: Row, speaker: _Speaker, context: Context) -> Body | None:
    context.source, context.service = speaker.source, speaker.service
    return context.office(row.record)


def _claim(speakers: list[_Speaker]) -> None:
    """Give every field to its owner, or to who stands in; of two subjects of one service the first speaks."""
    best: dict[Cell, tuple[int, int]] = {}
    bids: list[list[tuple[Cell, Cell, tuple[int, int]]]] = []
    first: dict[str, int] = {}
    for number, speaker in enumerate(speakers):
        leads = first.setdefault(speaker.service, number) == number
        mine = []
        for cell in speaker.cells:
            pattern, ids = cell
            rank = _rank(pattern, speaker.service)
            # A process has one tender and one plan: a second order of the same service must not complete the first.
            if rank is None or not (leads or ids):
                continue
            whole, depth = _claimed_as(pattern)
            claim = (whole, ids[:depth])
            bid = (rank, number)
            mine.append((cell, claim, bid))
            if claim not in best or bid < best[claim]:
                best[claim] = bid
        bids.append(mine)
    for speaker, mine in zip(speakers, bids, strict=True):
        owned = [cell for cell, claim, bid in mine if best[claim] == bid]
        said = _holders(cell for cell in owned if not _is_label(cell[0]))
        speaker.owned = {
            cell: speaker.cells[cell] for cell in owned if not _is_label(cell[0]) or (_parent(cell[0]), cell[1]) in said
        }
        speaker.holders = said


class _Story:
    """What has been said so far: the merged cells, who wrote each and when, and which entries were taken back."""

    def __init__(self) -> None:
        self.cells: Cells = {}
        self.writer: dict[Cell, tuple[str, str, str]] = {}
        self.written: dict[Cell, str] = {}
        self.retired: set[Cell] = set()
        self.parties: dict[str, Body] = {}

    def tell(
        self,
        now: str,
        known: int,
        speakers: list[_Speaker],
        context: Context,
        tellings: Mapping[str, tuple[str, Telling]],
        *,
        last: bool,
    ) -> list[_Draft]:
        """The releases of one time; the story moves on by them unless this is its `last`."""
        current: Cells = {}
        for speaker in speakers:
            current.update(speaker.owned)
        parties = _party_words(speakers)
        renamed = {i for i, words in parties.items() if i in self.parties and self.parties[i] != words}
        known_parties = {**self.parties, **parties}
        told = {speaker.name for speaker in speakers}
        taken_back = self._taken_back(current, told)
        anchors = _anchors(current)
        buyer = current.get(("buyer", ())) or self.cells.get(("buyer", ()))
        before, written = dict(self.cells), dict(self.written)
        silent = sorted({writer for writer in taken_back if writer[0] not in told})
        drafts = []
        for name, source, service, said, owned, holders in [
            *((s.name, s.source, s.service, s.said, s.owned, s.holders) for s in speakers),
            *((name, source, service, None, {}, {}) for name, source, service in silent),
        ]:
            back = taken_back.get((name, source, service), {})
            named = renamed & {party for party, _ in _references(owned)} if renamed else renamed
            if not back and not named and not _news(owned, before):
                continue
            renamed = renamed - named
            words = {**self._shrunk(owned), **_needed(holders, anchors), **back}
            if buyer:
                words["buyer", ()] = buyer
            # A release must be later than whatever wrote the values that it replaces.
            floor = max(
                (written[c] for c, v in words.items() if c in written and before.get(c) != v),
                default="",
            )
            event = utc(said.event, context.utc_offset) if said and said.event and not named else now
            date = event if floor < event <= now else now
            references = list(_references(words))
            body = assemble(words)
            body["parties"] = [known_parties[i] for i in sorted({i for i, _ in references}) if i in known_parties]
            stage = tellings[service][1].stage
            drafts.append(
                _Draft(date, known, name, source, service, stage, references, body, said.rows if said else ())
            )
            if not last:
                self._write(words, date, (name, source, service), {*owned, *back})
        self.parties = known_parties
        return drafts

    def _write(self, words: Cells, date: str, writer: tuple[str, str, str], own: set[Cell]) -> None:
        for cell, value in words.items():
            if type(value) is dict:
                value = _without_nulls(value)
            # Of a value that was taken back too: who says it again must be later than that.
            self.written[cell] = max(date, self.written.get(cell, ""))
            if value is None or value == {}:
                self.cells.pop(cell, None)
                continue
            self.cells[cell] = value
            if cell in own:
                self.writer[cell] = writer

    def _shrunk(self, owned: Cells) -> Cells:
        """The owned cells, with a null for what an object said before and says no more (merging would keep it)."""
        if not self.cells:
            return owned
        out: Cells = {}
        for cell, value in owned.items():
            old = self.cells.get(cell)
            if isinstance(value, dict) and isinstance(old, dict) and not _is_lasting(cell[0]):
                value = {**value, **{name: _nulls(old[name]) for name in old.keys() - value.keys()}}
            out[cell] = value
        return out

    def _taken_back(self, current: Cells, told: set[str]) -> dict[tuple[str, str, str], Cells]:
        """What was said and no longer is, by who said it, in the words that take it back; `told` are today's voices."""
        missing = [cell for cell in self.cells if cell not in current and cell in self.writer]
        if not missing and not self.retired:
            return {}
        alive = _holders(current)
        for entry in [holder for holder in alive if holder[0] in _TAKEN_BACK]:
            status: Cell = (f"{entry[0]}.status", entry[1])
            if status in self.cells and status not in current and self.writer[status][0] not in told:
                # Who told its status is silent: it is over, even if others still mention it.
                del alive[entry]
        self.retired -= alive.keys()
        anchors = _anchors({**self.cells, **current})
        back: dict[tuple[str, str, str], Cells] = {}
        for cell in missing:
            pattern = cell[0]
            holders = list(_holders([cell]))
            if any(holder in self.retired for holder in holders):
                continue
            words = back.setdefault(self.writer[cell], {})
            ended = next((h for h in holders if h not in alive and (h[0] in _TAKEN_BACK or h[0].endswith("[]"))), None)
            if ended and ended[0] in _TAKEN_BACK:
                self.retired.add(ended)
                status = (f"{ended[0]}.status", ended[1])
                words[status] = _TAKEN_BACK[ended[0]]
                words.update(_needed(_holders([status]), anchors))
            elif pattern.startswith("planning") and ("planning", ()) not in alive:
                continue  # a plan was made, even if its RUP is withdrawn
            elif not (pattern == "title" or pattern.endswith("[].id") or _is_lasting(pattern) or cell in anchors):
                words[cell] = _nulls(self.cells[cell])
                words.update(_needed(_holders([cell]), anchors))
        return {writer: words for writer, words in back.items() if words}


def _news(owned: Cells, before: Cells) -> bool:
    """Whether a speaker says anything that has not been said before."""
    return any(
        (cell not in before or before[cell] != value) and not _is_label(cell[0]) for cell, value in owned.items()
    )


def _anchors(said: Cells) -> Cells:
    return {cell: value for cell, value in said.items() if _is_anchor(cell[0])}


def _needed(holders: Iterable[Cell], anchors: Cells) -> Cells:
    """The ids and required fields of sections and entries."""
    needed: Cells = {}
    for pattern, ids in holders:
        if pattern.endswith("[]"):
            needed[f"{pattern}.id", ids] = ids[-1]
        for name in _ANCHORS.get(pattern, ()):
            anchor = (f"{pattern}.{name}", ids)
            if anchor in anchors:
                needed[anchor] = anchors[anchor]
    return needed


def _nulls(value: Any) -> Any:
    return {name: _nulls(item) for name, item in value.items()} if isinstance(value, dict) else None


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: _without_nulls(item) for name, item in value.items()}
    return {name: item for name, item in kept.items() if item is not None and item != {}}


def _party_words(speakers: Iterable[_Speaker]) -> dict[str, Body]:
    """The words on each party: those of the service that comes first in the story, the others filling gaps."""
    words: dict[str, Body] = {}
    for speaker in speakers:
        for party in speaker.parties:
            words[party["id"]] = {**compact(party), **words.get(party["id"], {})}
    return words


def _references(said: Cells) -> Iterator[tuple[str, str]]:
    """(party id, role) of every reference to a party."""
    for (pattern, _), value in said.items():
        role = _role(pattern)
        if role:
            yield (value if pattern.endswith(".id") else value["id"]), role


def _finish(process: Process, drafts: list[_Draft]) -> tuple[list[tuple[_Draft, Body]], list[tuple[str, int]]]:
    """Order the drafts, give each its roles so far, tag and id."""
    drafts.sort(key=lambda d: (d.date, d.known, _STAGES.index(d.stage), owners.order(d.service), d.speaker))
    roles: dict[str, list[str]] = {}
    seen: set[str] = set()
    releases = []
    lineage = []
    for draft in drafts:
        for party, role in draft.references:
            if role not in roles.setdefault(party, []):
                roles[party].append(role)
        parties = [{**party, "roles": sorted(roles[party["id"]])} for party in draft.body.pop("parties")]
        release: Body = {
            "ocid": process.ocid,
            "id": "",
            "date": draft.date,
            "tag": _tags(draft, seen),
            "initiationType": "tender",
            "language": "id",
            **({"parties": parties} if parties else {}),
            **draft.body,
        }
        digest = hashlib.sha256(draft.speaker.encode() + orjson.dumps(release, option=orjson.OPT_SORT_KEYS)).hexdigest()
        release["id"] = f"{process.ocid}-{digest[:16]}"
        releases.append((draft, release))
        lineage += [(release["id"], row.raw_id) for row in draft.rows]
    return releases, lineage


def _tags(draft: _Draft, seen: set[str]) -> list[str]:
    """The stages that a release tells of; `...Update` once an earlier release told of the stage."""
    body = draft.body
    stages = {draft.stage}
    if draft.stage in ("award", "contract"):
        # These services also stand in for silent ones: what counts is what they were let to say.
        stages = set()
        if len(body.get("tender", {})) > 1:
            stages.add("tender")
        if "contracts" in body:
            stages.add("contract")
    if "awards" in body:
        stages.add("award")
    tags = []
    for stage in _STAGES:
        if stage in stages or (not stages and stage == draft.stage):
            tags.append(f"{stage}Update" if stage in seen else stage)
    ended = {
        "tender": body.get("tender", {}).get("status") in ("cancelled", "withdrawn"),
        "award": any(award.get("status") == "cancelled" for award in body.get("awards", ())),
    }
    tags += [f"{stage}Cancellation" for stage, has_ended in ended.items() if has_ended and stage in seen]
    seen |= stages or {draft.stage}
    return tags


def _unspoken(
    history: list[Version], releases: list[tuple[_Draft, Body]], lineage: list[tuple[str, int]]
) -> list[tuple[str, int]]:
    """A home for rows whose words all belong to another owner: the first release of their code, else of the process."""
    if not releases:
        return []
    spoken = {raw_id for _, raw_id in lineage}
    by_code: dict[str, str] = {}
    for draft, release in releases:
        for row in draft.rows:
            by_code.setdefault(row.code, release["id"])
    fallback: str = releases[0][1]["id"]
    return [
        (by_code.get(version.code, fallback), version.raw_id)
        for version in history
        if not version.gone and version.raw_id not in spoken
    ]


def cells(body: Mapping[str, Any]) -> Cells:
    """A release body as cells."""
    found: Cells = {}
    _walk("", (), body, found)
    return found


def _walk(prefix: str, ids: Ids, node: Mapping[str, Any], found: Cells) -> None:
    for name, value in node.items():
        if value is None or value == "" or value == [] or value == {}:
            continue  # not said
        pattern = prefix + name
        kind = type(value)
        if kind is list and type(value[0]) is dict and "id" in value[0] and name not in _WHOLE_LISTS:
            for entry in value:
                _walk(f"{pattern}[].", (*ids, entry["id"]), entry, found)
        elif kind is not dict:
            found[pattern, ids] = value
        elif pattern in _SECTIONS or name == "implementation":
            _walk(f"{pattern}.", ids, value, found)
        elif said := compact(value):
            found[pattern, ids] = said


def assemble(said: Cells) -> Body:
    """The release body of cells: the inverse of `cells`."""
    nodes: dict[Cell, Body] = {("", ()): {}}
    for (pattern, ids), value in said.items():
        holder = (_parent(pattern), ids)
        node = nodes.get(holder)
        if node is None:
            node = _node(holder, nodes)
        node[_name(pattern)] = value
    return nodes["", ()]


def _node(holder: Cell, nodes: dict[Cell, Body]) -> Body:
    """The object that a section or entry is, made in its own holder where it is not there yet."""
    found = nodes.get(holder)
    if found is None:
        pattern, ids = holder
        entry = pattern.endswith("[]")
        above = _node((_parent(pattern), ids[:-1] if entry else ids), nodes)
        if entry:
            found = {"id": ids[-1]}
            above.setdefault(_name(pattern), []).append(found)
        else:
            found = above.setdefault(_name(pattern), {})
        nodes[holder] = found
    return found


def _holders(said: Iterable[Cell]) -> dict[Cell, None]:
    """The sections and entries that cells stand in, outermost first."""
    found: dict[Cell, None] = {}
    for pattern, ids in dict.fromkeys([(_parent(pattern), ids) for pattern, ids in said]):
        for prefix, depth in _prefixes(pattern):
            found[prefix, ids[:depth]] = None
    return found


@cache
def _parent(pattern: str) -> str:
    """What a cell, entry or section stands in; it has the same ids (an entry one more)."""
    return pattern.rpartition(".")[0]


@cache
def _prefixes(pattern: str) -> tuple[tuple[str, int], ...]:
    """A holder and its holders, outermost first, each with the number of its ids."""
    parts = pattern.split(".") if pattern else []
    prefixes = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return tuple((prefix, prefix.count("[]")) for prefix in prefixes)


@cache
def _name(pattern: str) -> str:
    return pattern.rpartition(".")[2].removesuffix("[]")


@cache
def _is_label(pattern: str) -> bool:
    """Whether a cell is an entry's id, which says nothing by itself (but for references, which say whom)."""
    return pattern.endswith("[].id") and not _role(pattern)


@cache
def _is_anchor(pattern: str) -> bool:
    holder, _, name = pattern.rpartition(".")
    return name in _ANCHORS.get(holder, ())


@cache
def _is_lasting(pattern: str) -> bool:
    """Whether a cell's words stay once they were said: whom a reference means, what a measure is counted in."""
    return _name(pattern) in _REFERENCES | _LASTING


@cache
def _role(pattern: str) -> str | None:
    """The role that a cell gives to the party that it refers to."""
    name = _name(pattern)
    if name in _REFERENCES:
        return _ROLES.get(name, name)
    return _ROLES.get(_name(pattern.rpartition(".")[0])) if name == "id" else None


@cache
def _rank(pattern: str, service: str) -> int | None:
    if pattern.startswith("parties"):
        return None  # told of by reference, not owned
    return 0 if pattern.startswith("relatedProcesses") else owners.rank(pattern.replace("[]", ""), service)


@cache
def _claimed_as(pattern: str) -> tuple[str, int]:
    """What is claimed with a cell, and how many of its ids that has: the whole list where its entries must not mix."""
    for prefix, depth in _prefixes(_parent(pattern)):
        if prefix.endswith("[]") and prefix[:-2].replace("[]", "") in owners.WHOLE:
            return prefix[:-2], depth - 1
    return pattern, pattern.count("[]")
