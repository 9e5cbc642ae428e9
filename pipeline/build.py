"""From the current rows of a process to its state, its next release, its record and its star rows.

One step per process: a batch is read in one snapshot, computed in a worker without a transaction, and written in a
short one that clears only queue entries whose token is unchanged. Killed at any moment it begins again; processes are
independent of each other, so shards (processes by the hash of their OCIDs) run on several machines at once.
"""

import gc
import logging
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine, Text, bindparam, cast, select, update

from pipeline.clock import local_time, utc_now
from pipeline.fetch import defect, note_signals
from pipeline.links import offices_by_name, standing_links
from pipeline.meanings import meanings
from pipeline.progress import logged_progress
from pipeline.queues import clear_processes, enqueue_processes, settling
from pipeline.registry import MAPPINGS, SERVICES, code_fingerprint
from pipeline.workers import spread, uncollected
from schemas.errors import RowError
from schemas.ocds import validate_release, wrong_paths
from schemas.service import read_row
from schemas.settings import Settings
from transforms.codes import Meanings
from transforms.difference import withdrawn
from transforms.identity import RUP_KINDS, UNSUCCESSFUL, Code
from transforms.mapping import Row, filled
from transforms.merge import extended
from transforms.parties import names_firm
from transforms.releases import after, next_release, record_with
from transforms.rows import renamed
from transforms.search import Key, process_keys
from transforms.state import Process, State, state_of, united
from warehouse import tables as t
from warehouse.engine import from_json, holding, reading, writing
from warehouse.failures import is_about_data
from warehouse.load import delete_by, insert_rows, key_set, of_codes, upsert_rows
from warehouse.releases import by_process, only_release, packed, unpacked
from warehouse.search import PROCESS, write_keys
from warehouse.star import Details, note_changes, star_rows, write_star

log = logging.getLogger("jejak.build")

Object = dict[str, Any]

_BATCH = 200
# After so many batches memory is tidied up.
_COLLECTED = 50
# So many wrong fields are taken out of a state before it is given up.
_MOST_WRONG = 20

# What a document needs beside its sections to be taken for a release.
_HEAD: Object = {
    "id": "-",
    "date": "2000-01-01T00:00:00+07:00",
    "tag": ["planning"],
    "initiationType": "tender",
}

_T = TypeVar("_T")

# (number, source, service, scope, key, kind, code, content hash, observed at, gone, payload as JSON text)
RawRow = tuple[int, str, str, str, str, str, str, str, str, bool, str]


@contextmanager
def alone(engine: Engine, *, but_for_shards: bool = False) -> Iterator[None]:
    """Only one build at a time, or (`but_for_shards`) others that are one of several shards too."""
    with holding(engine, "build", shared=but_for_shards):
        yield


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored of one process at one moment, as it travels to a worker.

    `rows` are all current ones, tombstones too; `earlier` the replaced versions of those whose mapping takes them.
    `record` is (compiled as JSON text, releases, row versions, since when it has no row), `only` the (id, date, tags)
    of its only release where the record alone holds that one's body. `last` is the (number, date) of its last release,
    voided ones too.
    """

    ocid: str
    token: str
    family: str
    own: tuple[Code, ...]
    rups: tuple[Code, ...]
    relations: tuple[tuple[str, str], ...]
    links: Mapping[Code, tuple[Code, ...]]
    rows: list[RawRow]
    earlier: list[tuple[str, str, str]]  # service, code, payload
    record: tuple[str, int, bytes, str | None] | None = None
    only: tuple[str, str, list[str]] | None = None
    last: tuple[int, str] | None = None


@dataclass(slots=True)
class Built:
    """What building one process came to; `failed` is the reason why it could not be built. `is_new`: it had no record,
    and so no star rows."""

    ocid: str
    token: str
    is_new: bool = False
    release: Object | None = None
    first_body: Object | None = None  # (id, body) of the only release, which `record` no longer holds
    record: Object | None = None
    star: dict[str, list[Object]] = field(default_factory=dict)
    change: str | None = None
    signals: set[tuple[str, str, str, str, str]] = field(default_factory=set)
    suppliers: dict[Code, str] = field(default_factory=dict)
    # (source, list, word, service, field) -> the meaning that was taken, None for none.
    words: dict[tuple[str, str, str, str, str], str | None] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    due: set[tuple[str, str, str, str]] = field(default_factory=set)
    rejects: list[Object] = field(default_factory=list)
    failed: str | None = None


# --- the queue -------------------------------------------------------------------------------------------------------


def build_pending(engine: Engine, settings: Settings, run_id: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Build the processes of a shard in `pending_process`; return how many were `built`, and how many of their states
    that made `new`, `changed` or `removed`."""
    with reading(engine) as conn:
        entries = conn.execute(select(t.pending_process).order_by(t.pending_process.c.ocid))
        pending = [(row.ocid, row.token) for row in entries if _falls_in(row.ocid, shard, shards)]
        context = context_of(conn, settings) if pending else None
    jobs = (_read(engine, batch) for batch in _chunks(pending, _BATCH))
    counts = dict.fromkeys(("built", "new", "changed", "removed"), 0)
    done = 0
    progress = logged_progress("processes built")
    # What comes from workers lives until it is written: going through it again and again costs more than making it.
    with uncollected():
        for number, results in enumerate(spread(settings, len(pending), _build_batch, jobs, _prepare, context), 1):
            written = _written(engine, results, run_id, settings.utc_offset)
            counts["built"] += len(written)
            for built in written:
                if built.change:
                    counts[built.change] += 1
            done += len(results)
            progress(done, len(pending))
            if number % _COLLECTED == 0:
                gc.collect()
    if pending:
        log.info("built %d of %d processes", done, len(pending))
    return counts


def enqueue_outdated(engine: Engine) -> None:
    """Queue the processes that another code built last; before any shard builds, since this replaces tokens."""
    columns = t.process.c
    with writing(engine) as conn:
        outdated = columns.fingerprint.is_not(None) & (columns.fingerprint != code_fingerprint())
        ocids = conn.execute(select(columns.ocid).where(outdated)).scalars().all()
        if ocids:
            log.info("%d processes were built by another version of the mappings: they are built again", len(ocids))
            enqueue_processes(conn, ocids)


def _falls_in(ocid: str, shard: int, shards: int) -> bool:
    return zlib.crc32(ocid.encode()) % shards == shard


def _chunks(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


# --- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes share: crosswalks, the local day of each service's newest answer, settings, the clock, what
    operators say that words mean."""

    suppliers: dict[Code, str]
    offices: dict[Code, str]
    seen: dict[tuple[str, str], str]
    utc_offset: str
    kd_klpd: str
    wilayah: str | None
    unnamed: frozenset[str]
    now: str
    meanings: Meanings


def context_of(conn: Connection, settings: Settings) -> Shared:
    """What all processes share, as it is stored now."""
    return Shared(
        {(row.kind, row.key): row.kd_penyedia for row in conn.execute(select(t.supplier_key))},
        offices_by_name(conn),
        _answered_days(conn, settings.utc_offset),
        settings.utc_offset,
        settings.kd_klpd,
        settings.wilayah,
        frozenset(settings.unnamed_parties),
        utc_now(),
        meanings(conn),
    )


def _read(engine: Engine, pending: Sequence[tuple[str, str]]) -> list[Snapshot]:
    with reading(engine) as conn:
        return snapshots(conn, dict(pending))


def snapshots(conn: Connection, tokens: Mapping[str, str]) -> list[Snapshot]:
    """What is stored of some processes, `tokens` by OCID those of their queue entries: rows of their own codes, of the
    RUPs whose planning they carry, and of what is linked to either."""
    rups: dict[str, set[Code]] = defaultdict(set)
    relations: dict[str, set[tuple[str, str]]] = defaultdict(set)
    owners: dict[Code, set[str]] = defaultdict(set)
    own: dict[str, set[Code]] = defaultdict(set)
    keys = key_set(conn, tokens)
    for row in conn.execute(select(t.identity).where(t.identity.c.ocid.in_(keys))):
        owners[(row.kind, row.key)].add(row.ocid)
        own[row.ocid].add((row.kind, row.key))
    for row in conn.execute(select(t.process_rup).where(t.process_rup.c.ocid.in_(keys))):
        owners[(row.kind, row.code)].add(row.ocid)
        rups[row.ocid].add((row.kind, row.code))
    for row in conn.execute(select(t.process_relation).where(t.process_relation.c.ocid.in_(keys))):
        relations[row.ocid].add((row.relationship, row.related_ocid))
    links: dict[str, dict[Code, tuple[Code, ...]]] = defaultdict(dict)
    for target, subjects in standing_links(conn, list(owners)).items():
        for subject in subjects:
            for ocid in owners[target]:
                links[ocid][subject] = (*links[ocid].get(subject, ()), target)
    for ocid, joined in links.items():
        for subject in joined:
            owners[subject].add(ocid)
    rows: dict[str, list[RawRow]] = defaultdict(list)
    earlier: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    columns = t.raw_record.c
    selected = [
        columns[name]
        for name in ("id", "source", "service", "scope", "key", "kind", "code", "content_hash", "observed_at", "gone")
    ]
    histories = {name for mapping in MAPPINGS.values() for name in mapping.histories}
    for kind, codes in _by_kind(owners).items():
        named = (columns.kind == kind, columns.code.in_(key_set(conn, codes)))
        for row in conn.execute(select(*selected, cast(columns.payload, Text)).where(*named, columns.current)):
            for ocid in owners[(kind, row.code)]:
                rows[ocid].append(tuple(row))
        replaced = select(columns.service, columns.code, cast(columns.payload, Text)).where(
            *named, ~columns.current, ~columns.gone, columns.service.in_(histories)
        )
        for row in conn.execute(replaced.order_by(columns.observed_at, columns.id)):
            for ocid in owners[(kind, row.code)]:
                earlier[ocid].append(tuple(row))
    record, release, process = t.record.c, t.release.c, t.process.c
    records = {
        row.ocid: row
        for row in conn.execute(
            select(
                record.ocid,
                cast(record.compiled, Text).label("compiled"),
                record.releases,
                record.rows,
                record.rowless_since,
            ).where(record.ocid.in_(keys))
        )
    }
    releases = by_process(
        conn.execute(
            select(
                release.ocid,
                release.number,
                release.id,
                release.date,
                release.tags,
                (release.voided_at.is_(None) & release.body.is_(None)).label("bare"),
            )
            .where(release.ocid.in_(keys))
            .order_by(release.ocid, release.number)
        )
    )
    families = dict(conn.execute(select(process.ocid, process.family).where(process.ocid.in_(keys))).all())
    found = []
    for ocid, token in tokens.items():
        stored, made = records.get(ocid), releases.get(ocid, [])
        bare = next((row for row in made if row.bare), None)
        found.append(
            Snapshot(
                ocid,
                token,
                families.get(ocid, ocid),
                tuple(sorted(own[ocid])),
                tuple(sorted(rups[ocid])),
                tuple(sorted(relations[ocid])),
                {subject: tuple(sorted(codes)) for subject, codes in links[ocid].items()},
                sorted(rows[ocid]),
                earlier[ocid],
                (stored.compiled, stored.releases, stored.rows, stored.rowless_since) if stored else None,
                (bare.id, bare.date, bare.tags) if stored and bare else None,
                (made[-1].number, max(row.date for row in made)) if made else None,
            )
        )
    return found


def _by_kind(codes: Iterable[Code]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, code in codes:
        kinds[kind].append(code)
    return kinds


# --- computing -------------------------------------------------------------------------------------------------------

_shared: list[Shared] = []


def _prepare(context: Shared | None) -> None:
    """Give a worker what all processes share, once."""
    _shared[:] = [context] if context else []


def _build_batch(batch: list[Snapshot]) -> list[Built]:
    """Runs in a worker."""
    results = []
    with uncollected():
        for snapshot in batch:
            try:
                results.append(build(snapshot, _shared[0]))
            except Exception as error:
                # One process that can't be built must not stop the others.
                reason = str(error) if isinstance(error, RowError) else defect(error)
                results.append(Built(snapshot.ocid, snapshot.token, failed=reason))
    return results


def process_of(snapshot: Snapshot, context: Shared) -> tuple[Process, list[Object]]:
    """What the state of a process follows from, and the rows that today's models refuse, as rejects."""
    earlier: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for service_name, code, payload in snapshot.earlier:
        service = SERVICES[service_name][1]
        try:
            earlier[service_name, code].append(read_row(service, renamed(service, from_json(payload)))[0])
        except RowError:
            continue  # a version that is not current is not needed for the state
    rows, rejects = [], []
    for _, source, service_name, scope, key, _, code, content_hash, observed_at, gone, payload in snapshot.rows:
        if gone or service_name not in MAPPINGS:
            continue
        service = SERVICES[service_name][1]
        try:
            record, _ = read_row(service, renamed(service, from_json(payload)))
        except RowError as error:
            rejects.append(
                {
                    "source": source,
                    "service": service_name,
                    "scope": scope,
                    "key": key,
                    "content_hash": content_hash,
                    "reason": str(error),
                    "payload": payload,
                    "observed_at": observed_at,
                }
            )
            continue
        seen = context.seen.get((service_name, scope), "")
        rows.append(Row(service_name, scope, key, code, record, seen, tuple(earlier.get((service_name, code), ()))))
    process = Process(
        snapshot.ocid,
        rows,
        snapshot.rups,
        snapshot.relations,
        snapshot.links,
        context.suppliers,
        context.offices,
        context.meanings,
    )
    return process, rejects


def build(snapshot: Snapshot, context: Shared) -> Built:
    """The next release, record and star rows of a process: a pure function of what is stored and of the clock."""
    built = Built(snapshot.ocid, snapshot.token, is_new=snapshot.record is None)
    process, built.rejects = process_of(snapshot, context)
    state = state_of(process, MAPPINGS, context.utc_offset, context.kd_klpd, context.wilayah, context.unnamed)
    document, passed = _passing(snapshot.ocid, state.document, built.signals)
    built.signals |= {(*signal, "code") for signal in state.signals}
    built.suppliers = {key: context.suppliers.get(key, "") for key in state.supplier_lookups}
    built.words = {word: context.meanings.get(word[:3]) for word in state.words}
    built.due = {(SERVICES[service][0], service, scope, day) for service, scope, day in state.due}
    # Once announced, a process stays so: also where all its releases were voided.
    if snapshot.record is None and not (document and (state.announced or snapshot.last)):
        return built
    compiled = from_json(snapshot.record[0]) if snapshot.record else None
    lineage = [[row[5], row[6], row[2], row[3], row[4], row[8], bool(row[9]), row[0]] for row in snapshot.rows]
    before: list[list[Any]] = unpacked(snapshot.record[2]) if snapshot.record else []
    date = _release_date(snapshot, before, context)
    given = document if state.announced or compiled is None else _with_last_values(compiled, document)
    release = next_release(snapshot.ocid, compiled, given, date)
    if release is not None:
        if not passed or compiled is not None:  # the first release is the state, which has passed
            validate_release(release)
        built.release = {
            "id": release["id"],
            "number": snapshot.last[0] + 1 if snapshot.last else 1,
            "ocid": snapshot.ocid,
            "date": date,
            "made_at": context.now,
            "tags": release["tag"],
            "body": None if compiled is None else packed(release),
            "lineage": packed(_lineage(release, state, lineage, before, first=compiled is None)),
        }
        if compiled is not None and snapshot.only:
            built.first_body = {"id": snapshot.only[0], "body": packed(only_release(compiled, *snapshot.only))}
        compiled = record_with(compiled, release)
    assert compiled is not None
    # In one order on both databases: JSONB keeps none.
    paths = sorted(withdrawn(compiled, document))
    built.record = {
        "ocid": snapshot.ocid,
        "compiled": orjson.dumps(compiled),  # once, and quicker to pass on than the object
        "withdrawn": paths or None,
        "releases": (snapshot.record[1] if snapshot.record else 0) + (release is not None),
        "date": compiled["date"],
        "rowless_since": None if document else (snapshot.record and snapshot.record[3]) or context.now,
        "rows": packed(lineage),
    }
    if document and not _is_bare(document):
        built.star = star_rows(
            {"ocid": snapshot.ocid, **document},
            snapshot.family,
            _fiscal_year(process),
            max((row[8] for row in snapshot.rows if not row[9]), default=context.now),
            _details(snapshot, process, state),
        )
        # What is linked is found by keys of its own.
        own = (row.record for row in process.rows if not SERVICES[row.service][1].linked)
        built.keys = process_keys(built.star["contracting_process"][0]["title"], own)
    had_rows = snapshot.record is not None and snapshot.record[3] is None
    if not had_rows:
        built.change = "new" if document else None
    elif not document:
        built.change = "removed"
    elif release is not None:
        built.change = "changed"
    return built


def _is_bare(document: Object) -> bool:
    """Whether nothing is known of a process but that its plan, which is gone, was cancelled. It counts nowhere."""
    known = document.keys() - {"buyer", "parties", "relatedProcesses"}
    return known == {"tender"} and document["tender"].keys() <= {"id", "status"}


def _with_last_values(compiled: Object, document: Object) -> Object:
    """The state of a process that nothing announces any more, with what its record holds of plan and tender: neither
    loses more than the tender's status, whatever other rows go on giving."""
    kept: Object = {name: compiled[name] for name in ("planning", "tender") if name in compiled and name in document}
    if not kept:
        return document
    merged = extended(
        {**_HEAD, "ocid": compiled["ocid"], **kept},
        {**_HEAD, "ocid": compiled["ocid"], **{name: document[name] for name in kept}},
    )
    return {**document, **{name: merged[name] for name in kept}}


def _passing(ocid: str, document: Object, signals: set[tuple[str, str, str, str, str]]) -> tuple[Object, bool]:
    """The document without the fields that no release may hold, and whether it passes so; what is left out is
    signalled."""
    if not document:
        return document, False
    for _ in range(_MOST_WRONG):
        wrong = wrong_paths({**_HEAD, "ocid": ocid, **document})
        if not wrong:
            return document, True
        path, reason = wrong[0]
        name = "/".join(str(part) for part in path if isinstance(part, str))
        if not path or path[0] in _HEAD or path[0] == "ocid" or not _taken_out(document, list(path)):
            break
        signals.add(("-", "OCDS", name, reason, "dropped"))
    return document, False


def _taken_out(document: Object, path: list[str | int]) -> bool:
    """Take a value out of a document, and what became empty by that; entries that lost what they need go whole."""
    node: Any = document
    for part in path[:-1]:
        node = node[part]
    last = path[-1]
    if isinstance(node, dict) and last not in node:
        return len(path) > 1 and _taken_out(document, path[:-1])
    if last == "id" and len(path) > 1:
        return _taken_out(document, path[:-1])
    del node[last]
    if not node and len(path) > 1:
        return _taken_out(document, path[:-1])
    return True


def _release_date(snapshot: Snapshot, before: list[list[Any]], context: Shared) -> str:
    """The newest observation of the rows that make the difference; the time of the build where a link, a mapping or a
    table makes it. Always later than the release before."""
    known = {row[-1] for row in before}
    times = [row[8] for row in snapshot.rows if row[0] not in known]
    date = local_time(max(times, default=context.now), context.utc_offset)
    if snapshot.last and after(date, snapshot.last[1]) != date:
        # Rows that were there before the last release: a link made since then brings them.
        date = local_time(context.now, context.utc_offset)
    return after(date, snapshot.last[1] if snapshot.last else None)


def _lineage(
    release: Object, state: State, lineage: list[list[Any]], before: list[list[Any]], *, first: bool
) -> list[list[Any]]:
    """The row versions that a release was made of: of the first all; of a later one those that changed, those that it
    withdraws, and those whose mapping gives a value that stands in it."""
    if first:
        return [row[:6] for row in lineage]
    now, then = {row[-1] for row in lineage}, {row[-1] for row in before}
    giving = {
        (row.service, row.scope, row.key)
        for each in state.contributions
        if _share(each.partial.body, release)
        for row in each.partial.rows
    }
    rows = [row[:6] for row in lineage if row[-1] not in then or (row[2], row[3], row[4]) in giving]
    return rows + [row[:6] for row in before if row[-1] not in now and row[:6] not in rows]


def _share(partial: Any, release: Any, top: bool = True) -> bool:
    """Whether a partial document gives a value that a release holds; parties and the buyer stand in any."""
    for name, value in partial.items():
        if name not in release or name == "id" or (top and name in ("buyer", "parties")):
            continue
        held = release[name]
        if type(value) is dict and type(held) is dict:
            if _share(value, held, False):
                return True
        elif type(value) is list and value and type(value[0]) is dict and type(held) is list:
            entries = {entry.get("id"): entry for entry in held if type(entry) is dict}
            if any(
                entry.get("id") in entries and (len(entry) == 1 or _share(entry, entries[entry["id"]], False))
                for entry in value
            ):
                return True
        elif value not in (None, "", [], {}):
            return True
    return False


def _fiscal_year(process: Process) -> int | None:
    """The first fiscal year of the process's own rows: that which they name, else that of the list they stand in."""
    years = []
    for row in process.rows:
        if SERVICES[row.service][1].linked:
            continue
        year = filled(row.record, "tahun_anggaran") or (int(row.scope) if row.scope.isdecimal() else None)
        years += [year] if year else []
    return min(years, default=None)


def _details(snapshot: Snapshot, process: Process, state: State) -> Details:
    """What the star tables take of the rows of a process beside its document."""
    tenders: dict[str, list[tuple[str, Object]]] = defaultdict(list)
    entry_attempts: dict[tuple[str, str], str] = {}
    for each in state.contributions:
        service, body = SERVICES[each.service][1], each.partial.body
        if service.linked or service.kind in (None, *RUP_KINDS):
            continue
        attempt = f"{service.kind}-{each.partial.rows[0].code}"
        tenders[attempt].append((each.service, {"tender": body.get("tender") or {}}))
        lists = {
            "awards": body.get("awards"),
            "contracts": body.get("contracts"),
            "bids": (body.get("bids") or {}).get("details"),
            "stages": (body.get("tender") or {}).get("milestones"),
        }
        for name, entries in lists.items():
            for entry in entries or ():
                entry_attempts.setdefault((name, entry["id"]), attempt)
    facts = state.facts
    rups: dict[str, list[Code]] = {}
    for row in process.rows:
        for reference in MAPPINGS[row.service].references(row.service, row.record):
            attempt = "-".join(reference.subject)
            if attempt in tenders and reference.rups:
                known = rups.setdefault(attempt, [])
                known += [rup for rup in reference.rups if rup not in known]
    for kind, failed in snapshot.relations:
        # The process of a retry is opened by the retry's own code.
        if kind == UNSUCCESSFUL:
            for attempt in tenders:
                if snapshot.ocid.endswith(f"-{attempt}"):
                    facts.setdefault("attempt", {}).setdefault((attempt,), {})["retry_of"] = failed
    for plan, columns in facts.pop("plan_funds", {}).items():
        if plan in facts.get("plan", {}):
            facts["plan"][plan] |= columns
    parties = [*state.document.get("parties", ()), *state.fact_parties]
    firms = (party["id"] for party in parties if names_firm(party))
    return Details(
        {attempt: united(found).get("tender", {}) for attempt, found in tenders.items()},
        entry_attempts,
        rups,
        frozenset(snapshot.own),
        facts,
        state.fact_parties,
        frozenset(firms),
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def _written(engine: Engine, results: list[Built], run_id: str, utc_offset: str) -> list[Built]:
    """As `_write`, in a transaction. One process that the tables can't hold must not stop the others."""
    try:
        with writing(engine) as conn:
            return _write(conn, results, run_id, utc_offset)
    except Exception as error:
        if not is_about_data(error):
            raise
        if len(results) > 1:
            return [built for each in results for built in _written(engine, [each], run_id, utc_offset)]
        [built] = results
        if built.failed is not None:
            raise
        reason = f"{type(error).__name__}: the tables can't hold what came of it, a defect of Jejak; please report it"
        return _written(engine, [Built(built.ocid, built.token, failed=reason)], run_id, utc_offset)


def _write(conn: Connection, results: list[Built], run_id: str, utc_offset: str) -> list[Built]:
    """Write what was built, as far as its queue entry stands with the same token; return that."""
    settling(conn, shared=True)
    columns = t.pending_process.c
    # A shard may be run twice at once, where its machine was given up for lost: the second finds the entries gone.
    entries = conn.execute(
        select(t.pending_process)
        .where(columns.ocid.in_(key_set(conn, [built.ocid for built in results])))
        .order_by(columns.ocid)
        .with_for_update()
    )
    tokens = {row.ocid: row.token for row in entries}
    results = [built for built in results if tokens.get(built.ocid) == built.token]
    _write_rejects(conn, results, run_id)
    whole = [built for built in results if built.failed is None]
    seen = Counter(signal for built in whole for signal in built.signals)
    note_signals(conn, [(*signal, rows) for signal, rows in seen.items()], run_id)
    if first := [built.first_body for built in whole if built.first_body]:
        conn.execute(
            update(t.release).where(t.release.c.id == bindparam("release")).values(body=bindparam("content")),
            [{"release": each["id"], "content": each["body"]} for each in first],
        )
    insert_rows(conn, t.release, [{**built.release, "run_id": run_id} for built in whole if built.release])
    upsert_rows(conn, t.record, [{**built.record, "run_id": run_id} for built in whole if built.record])
    new = {built.ocid for built in whole if built.is_new}
    write_star(conn, [(built.ocid, built.star) for built in whole if built.record], new)
    write_keys(conn, PROCESS, {built.ocid: built.keys for built in whole if built.record}, new)
    note_changes(conn, run_id, {built.ocid: built.change for built in whole if built.change})
    _write_lookups(conn, whole)
    conn.execute(
        update(t.process)
        .where(t.process.c.ocid.in_(key_set(conn, [built.ocid for built in results])))
        .values(fingerprint=code_fingerprint())
    )
    clear_processes(conn, {built.ocid: built.token for built in results})
    _requeue(conn, whole, utc_offset)
    return [built for built in whole if built.record]


def _write_lookups(conn: Connection, results: list[Built]) -> None:
    """Which supplier keys a process looked up, which words no code table knows, and which events it waits for."""
    ocids = [built.ocid for built in results]
    delete_by(conn, t.supplier_use, t.supplier_use.c.ocid, ocids)
    insert_rows(
        conn,
        t.supplier_use,
        [{"kind": kind, "key": key, "ocid": built.ocid} for built in results for kind, key in sorted(built.suppliers)],
    )
    delete_by(conn, t.code_use, t.code_use.c.ocid, ocids)
    insert_rows(
        conn,
        t.code_use,
        [
            dict(zip(("source", "code_list", "word", "service", "field"), word, strict=True), ocid=built.ocid)
            for built in results
            for word in sorted(built.words)
        ],
    )
    delete_by(conn, t.due_event, t.due_event.c.ocid, ocids)
    insert_rows(
        conn,
        t.due_event,
        [
            {"ocid": built.ocid, "source": source, "service": service, "scope": scope, "day": day}
            for built in results
            for source, service, scope, day in sorted(built.due)
        ],
    )


def _requeue(conn: Connection, results: list[Built], utc_offset: str) -> None:
    """Queue again the processes that looked up a supplier or a word which has another answer since, or wait for a day
    that a newer answer has reached: they were not yet known to do so when it changed."""
    keys = {key for built in results for key in built.suppliers}
    columns = t.supplier_key.c
    rows = conn.execute(select(t.supplier_key).where(of_codes(conn, columns.kind, columns.key, keys)))
    now = {(row.kind, row.key): row.kd_penyedia for row in rows}
    days = _answered_days(conn, utc_offset) if any(built.due for built in results) else {}
    given = meanings(conn) if any(built.words for built in results) else {}
    enqueue_processes(
        conn,
        (
            built.ocid
            for built in results
            if any(now.get(key, "") != answer for key, answer in built.suppliers.items())
            or any(given.get(word[:3]) != answer for word, answer in built.words.items())
            or any(day <= days.get((service, scope), "") for _, service, scope, day in built.due)
        ),
    )


def _answered_days(conn: Connection, utc_offset: str) -> dict[tuple[str, str], str]:
    """The local day of the newest answer of each service and scope."""
    return {
        (row.service, row.scope): local_time(row.observed_at, utc_offset)[:10] for row in conn.execute(select(t.answer))
    }


def _write_rejects(conn: Connection, results: list[Built], run_id: str) -> None:
    """Keep the rows that a record was built without, and the processes that could not be built; settle mended ones."""
    columns = t.reject.c
    now = utc_now()
    stored = {
        (row.ocid, row.service, row.scope, row.key, row.content_hash): row.id
        for row in conn.execute(
            select(columns.ocid, columns.service, columns.scope, columns.key, columns.content_hash, columns.id).where(
                columns.ocid.in_(key_set(conn, [built.ocid for built in results])), columns.resolved_at.is_(None)
            )
        )
    }
    fresh = []
    for built in results:
        rejects = built.rejects
        if built.failed is not None:
            log.error("%s was not built: %s", built.ocid, built.failed)
            rejects = [
                {
                    "source": "-",
                    "service": "-",
                    "scope": "record",
                    "key": built.ocid,
                    "content_hash": built.ocid,
                    "reason": built.failed,
                    "payload": "{}",
                    "observed_at": now,
                }
            ]
        for reject in rejects:
            place = (built.ocid, reject["service"], reject["scope"], reject["key"], reject["content_hash"])
            if stored.pop(place, None) is None:
                fresh.append({**reject, "ocid": built.ocid, "run_id": run_id, "rejected_at": now})
    # What a process that could not be built would have been built without is not known.
    failed = {built.ocid for built in results if built.failed is not None}
    stored = {place: name for place, name in stored.items() if place[0] not in failed}
    insert_rows(conn, t.reject, fresh)
    if stored:
        conn.execute(
            update(t.reject).where(columns.id.in_(key_set(conn, stored.values(), int))).values(resolved_at=now)
        )
