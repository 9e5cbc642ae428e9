"""From promoted rows to records: place (mint OCIDs, serial), derive (releases), build (compiled records, star tables).

Each step takes what the step before left pending, and clears it in the transaction that writes its result: killed at
any moment and started again, it goes on from there. Derive and build are per process: they run in several workers, and
in shards (processes by the hash of their OCIDs) that know nothing of each other, on several machines at once.
"""

import logging
import multiprocessing
import os
import threading
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, Text, bindparam, cast, func, or_, select, text, update

from pipeline.fetch import defect, note_signals, utc_now
from pipeline.links import (
    LINKED_KINDS,
    Place,
    ask,
    demand,
    note_evidence,
    offices_by_name,
    older_codes,
    processes_of,
    standing_links,
    years_of,
)
from pipeline.registry import SERVICES, SOURCES, TELLINGS
from schemas.errors import RowError
from schemas.ocds import validate_compiled_release, validate_release
from schemas.settings import Settings
from transforms.evidence import Evidence
from transforms.identity import RUP_KINDS, Code, Known, Naming, Placement, Plan, canonical, families, opens, place
from transforms.merge import compiled
from transforms.parties import supplier_keys, tax_numbers
from transforms.releases import Process, Version, derive
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.engine import from_json, holding, reading, to_json, writing
from warehouse.load import delete_by, insert_rows, key_set, upsert_rows
from warehouse.star import WRITTEN, write_records

log = logging.getLogger("jejak.records")

LOG_FORMAT, LOG_TIME = "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"

_BATCH = 200
# Fewer processes than this are done at once; starting workers costs more.
_WORTH_WORKERS = 400
# A sync that has shown nothing for longer than Airflow lets a task take, its retry delay included, was killed.
_READING_ENDS = timedelta(hours=3)
_PATIENCE = timedelta(days=14)
_MINT_LOCK = 0x6A656A616C  # key of PostgreSQL's advisory lock: minting is serial

_T = TypeVar("_T")
_R = TypeVar("_R")


@contextmanager
def alone(engine: Engine, *, but_for_shards: bool = False) -> Iterator[None]:
    """Only one build at a time, or (`but_for_shards`) others that are one of several shards too."""
    with holding(engine, "build", shared=but_for_shards):
        yield


def _falls_in(ocid: str, shard: int, shards: int) -> bool:
    return zlib.crc32(ocid.encode()) % shards == shard


def _hold(conn: Connection, ocids: Iterable[str]) -> None:
    """Keep others from writing these processes until the transaction ends: a shard may be run twice at once, where its
    machine was given up for lost. Always in the same order, so that no two wait for each other."""
    columns = t.process.c
    conn.execute(
        select(columns.ocid).where(columns.ocid.in_(key_set(conn, ocids))).order_by(columns.ocid).with_for_update()
    )


# --- place -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Heard:
    """What unplaced rows say of identity, and of whom they belong to (by the row's place)."""

    plans: list[Plan]
    revisions: set[tuple[Code, Code]]
    namings: dict[Code, Naming]
    suppliers: dict[Code, str]
    codes: set[Code]
    evidence: list[tuple[Place, Evidence | None]]


def place_rows(engine: Engine, settings: Settings, run_id: str) -> int:
    """Find the process of every row that has none yet, opening what has to be opened; return how many were placed.

    Rows whose code nobody has named yet (a schedule without its tender) wait, and are looked at again the next time.
    """
    with writing(engine) as conn:
        if engine.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MINT_LOCK})
        columns = t.raw_record.c
        # The first attempt of a RUP is chosen once and for all: not while its source is still being read.
        being_read = _being_read(conn, run_id)
        for source, (reader, until) in being_read.items():
            log.warning("%s is still being read by %s: its new rows wait, until %s at most", source, reader, until)
        unplaced = conn.execute(
            select(columns.id, columns.kind, columns.code, columns.scope, columns.observed_at, columns.run_id).where(
                ~columns.placed, columns.source.not_in(being_read)
            )
        ).all()
        if not unplaced:
            return 0
        # Only these: what a sync commits meanwhile is for the next time.
        ids = key_set(conn, [row.id for row in unplaced], int)
        heard = _hear(conn, ids)
        heard.codes = {(row.kind, row.code) for row in unplaced if row.kind is not None}
        heard.plans += [Plan(code) for code in heard.codes if code[0] in RUP_KINDS]
        known = _known(conn, heard)
        waiting = _waiting(conn, settings, heard, known, unplaced)
        if waiting:
            log.warning("%d codes wait for a service that does not answer and would say more of them", len(waiting))
            ids = key_set(conn, [row.id for row in unplaced if (row.kind, row.code) not in waiting], int)
            heard = _without(heard, waiting)
        placement = place(settings.ocid_prefix, heard.plans, heard.revisions, heard.namings.values(), known)
        _write_placement(conn, settings.ocid_prefix, heard, known, placement, run_id)
        note_evidence(conn, heard.evidence)
        linked = {code for code in heard.codes if code[0] in LINKED_KINDS}
        revised = {code for pair in heard.revisions for code in pair}
        ask(conn, years_of(conn, linked | revised))
        ocids = _touched(conn, heard, placement)
        _write_families(conn, ocids)
        demand(conn, ocids)
        placed = conn.execute(
            update(t.raw_record)
            .where(columns.id.in_(ids))
            .where(
                or_(
                    columns.kind.is_(None),
                    columns.kind.in_(LINKED_KINDS),
                    select(t.identity.c.ocid)
                    .where(t.identity.c.kind == columns.kind, t.identity.c.key == columns.code)
                    .exists(),
                )
            )
            .values(placed=True)
        ).rowcount
    log.info("placed %d rows in %d processes", placed, len(ocids))
    return placed


def _waiting(conn: Connection, settings: Settings, heard: _Heard, known: Known, unplaced: Sequence[Any]) -> set[Code]:
    """Codes that must not get their process yet: an OCID is for ever, and a service that has stopped answering would
    say more of them (which code they revise, which RUPs they fulfil). Nobody is waited for longer than a fortnight."""
    silent = _silent(conn, settings)
    if not silent:
        return set()
    patient = (datetime.fromisoformat(utc_now()) - _PATIENCE).strftime("%Y-%m-%dT%H:%M:%SZ")
    # More is said of a code in the years that it was read with: other years may stay silent.
    years: dict[str, set[str]] = defaultdict(set)
    runs = t.run_service.c
    names = key_set(conn, {row.run_id for row in unplaced})
    for name, scope in conn.execute(select(runs.run_id, runs.scope).where(runs.run_id.in_(names)).distinct()):
        years[name].add(scope)
    scopes: dict[Code, set[str]] = defaultdict(set)
    for row in unplaced:
        if row.kind is not None and row.observed_at > patient:
            scopes[row.kind, row.code] |= {row.scope} | years[row.run_id]
    waiting = set()
    for code in scopes.keys() - known.ocids.keys():
        kinds = {kind for kind, unsaid in silent.items() if unsaid & scopes[code]}
        naming = heard.namings.get(code)
        announced = naming is not None and naming.rank == 0
        named = naming.rups if naming else ()
        if (code[0] in kinds and not announced) or any(
            rup[0] in kinds and rup not in known.ocids for rup in named if rup[0] in RUP_KINDS
        ):
            waiting.add(code)
    return waiting


def _silent(conn: Connection, settings: Settings) -> dict[str, set[str]]:
    """Kinds of codes, with the scopes for which a service that says more of them failed when it was last asked.

    Plans don't wait for what has never answered: some regencies have no access to it.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in settings.sources.keys() & SOURCES.keys():
        for kind, awaited in SOURCES[name].transform.AWAITED.items():
            for service in awaited:
                if settings.sources[name].service(service).enabled:
                    kinds[service].add(kind)
    # A nightly sync and those of other years go on side by side: each scope was last asked for by one of them.
    runs, run = t.run_service.c, t.run.c
    last = {
        (row.service, row.scope): row.status
        for row in conn.execute(
            select(runs.service, runs.scope, runs.status)
            .join(t.run, run.id == runs.run_id)
            .where(runs.service.in_(kinds))
            .order_by(func.coalesce(runs.finished_at, run.started_at), run.started_at, run.id)
        )
    }
    answered = set(
        conn.execute(select(runs.service).where(runs.service.in_(kinds), runs.status == "success").distinct()).scalars()
    )
    silent: dict[str, set[str]] = defaultdict(set)
    for (service, scope), status in last.items():
        for kind in kinds[service] if status == "failed" else ():
            if kind not in RUP_KINDS or service in answered:
                silent[kind].add(scope)
    return silent


def _without(heard: _Heard, waiting: set[Code]) -> _Heard:
    """What was heard, less what is said of waiting codes and by them."""
    return _Heard(
        [plan for plan in heard.plans if plan.rup not in waiting],
        heard.revisions,
        {subject: naming for subject, naming in heard.namings.items() if subject not in waiting},
        heard.suppliers,
        heard.codes - waiting,
        heard.evidence,
    )


def _being_read(conn: Connection, run_id: str) -> dict[str, tuple[str, str]]:
    """Sources that another sync is reading (the nightly one, one of an old year, or both), with the name of the run and
    the time until which it is believed to be alive.

    A sync that waits for its turn, or whose services failed, has brought nothing. One that has shown no sign of life
    for hours was killed, as was one whose years a later one has read since.
    """
    since = (datetime.fromisoformat(utc_now()) - _READING_ENDS).strftime("%Y-%m-%dT%H:%M:%SZ")
    runs, run = t.run_service.c, t.run.c
    query = (
        select(runs.source, runs.scope, runs.status, runs.finished_at, run.id, run.started_at, run.status.label("run"))
        .join(t.run, run.id == runs.run_id)
        .where(run.command == "sync", or_(run.status == "running", run.started_at > since))
    )
    scopes: dict[tuple[str, str, str], set[str]] = defaultdict(set)  # by source, start and name of the run
    seen: dict[tuple[str, str, str], str] = {}  # when it showed itself last
    going_on = set()
    for row in conn.execute(query):
        reader = (row.source, row.started_at, row.id)
        scopes[reader].add(row.scope)
        seen[reader] = max(row.started_at, row.finished_at or "", seen.get(reader, ""))
        if row.run == "running" and row.status == "success" and row.id != run_id:
            going_on.add(reader)

    def read_since(reader: tuple[str, str, str]) -> bool:
        return any(other[0] == reader[0] and other > reader and scopes[other] >= scopes[reader] for other in scopes)

    return {
        reader[0]: (reader[2], (datetime.fromisoformat(seen[reader]) + _READING_ENDS).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for reader in sorted(going_on)
        if seen[reader] > since and not read_since(reader)
    }


def _hear(conn: Connection, ids: Select[Any]) -> _Heard:
    """Read those of these rows whose services say something of identity."""
    heard = _Heard([], set(), {}, {}, set(), [])
    speaking = {
        name for source in SOURCES.values() for name in (*source.transform.IDENTIFYING, *source.transform.EVIDENT)
    }
    columns = t.raw_record.c
    place = (columns.source, columns.service, columns.scope, columns.key)
    rows = conn.execute(
        select(
            *place,
            columns.kind,
            columns.code,
            columns.current,
            columns.gone,
            cast(columns.payload, Text).label("payload"),
        )
        .where(columns.id.in_(ids), columns.service.in_(speaking))
        .order_by(columns.id)
    )
    ambiguous: set[Code] = set()
    for row in rows:
        service_name = row.service
        source, service = SERVICES[service_name]
        transform = SOURCES[source].transform
        evident = row.current and service_name in transform.EVIDENT
        here = (row.source, row.service, row.scope, row.key)
        if row.gone:
            if evident:
                heard.evidence.append((here, None))
            continue
        record = service.model.model_validate(renamed(service, from_json(row.payload)))
        if evident:
            said = next(transform.evidence(service_name, record), None)
            # The code as the row is known by.
            heard.evidence.append(
                (here, replace(said, subject=(row.kind, row.code)) if said and service.linked else said)
            )
        if service_name not in transform.IDENTIFYING:
            continue
        heard.plans += transform.plans(service_name, record)
        heard.revisions.update(transform.revisions(service_name, record))
        for naming in transform.namings(service_name, record):
            heard.namings[naming.subject] = _better(heard.namings.get(naming.subject), naming)
        kd_penyedia = getattr(record, "kd_penyedia", None)
        if kd_penyedia and hasattr(record, "nama_penyedia") and hasattr(record, "npwp_penyedia_16"):
            numbers = tax_numbers(getattr(record, "npwp_penyedia", None), record.npwp_penyedia_16)
            for key in supplier_keys(record.nama_penyedia, numbers):
                if heard.suppliers.setdefault(key, kd_penyedia) != kd_penyedia:
                    ambiguous.add(key)
    # A name or number of two suppliers tells them not apart: it is kept as a key to nobody.
    heard.suppliers.update(dict.fromkeys(ambiguous, ""))
    return heard


def _better(one: Naming | None, other: Naming) -> Naming:
    """Of two witnesses the better; what only one of them knows is kept."""
    if one is None:
        return other
    best, rest = (one, other) if one.rank <= other.rank else (other, one)
    return replace(
        best,
        created=best.created or rest.created,
        package=best.package or rest.package,
        rups=best.rups or rest.rups,
        version=max(best.version, rest.version),
        failed=best.failed or rest.failed,
    )


def _known(conn: Connection, heard: _Heard) -> Known:
    """The part of the crosswalk that the unplaced rows touch."""
    known = Known()
    _load_revisions(conn, known, heard)
    stored = {}
    for row in conn.execute(select(t.naming).where(t.naming.c.code.in_(key_set(conn, {c for _, c in heard.namings})))):
        stored[(row.kind, row.code)] = _naming(row)
    for subject, naming in heard.namings.items():
        if subject in stored:
            heard.namings[subject] = _better(naming, stored[subject])
    packages = {naming.package for naming in heard.namings.values() if naming.package}
    for row in conn.execute(select(t.naming).where(t.naming.c.package.in_(key_set(conn, packages)))):
        known.namings[(row.kind, row.code)] = _naming(row)
    # A failure heard today is told to the later attempts of its package, though nothing came of them today.
    for subject, naming in list(known.namings.items()):
        heard.namings.setdefault(subject, naming)
    known.namings.update(heard.namings)
    codes = set(heard.codes) | {rup for naming in heard.namings.values() for rup in naming.rups} | set(heard.namings)
    for plan in heard.plans:
        codes |= {plan.rup, *(("swk", code) for code in plan.inside)}
        if plan.first_year:
            codes.add((plan.rup[0], plan.first_year))
    for old, new in heard.revisions:
        codes |= {old, new}
    codes |= {canonical(code, known.older) for code in codes if code[0] in RUP_KINDS}
    for row in conn.execute(select(t.identity).where(t.identity.c.key.in_(key_set(conn, {code for _, code in codes})))):
        known.ocids[(row.kind, row.key)] = row.ocid
    attempts = select(t.identity.c.ocid).where(
        t.identity.c.kind.in_(("tender", "nontender")), t.identity.c.ocid.in_(key_set(conn, set(known.ocids.values())))
    )
    known.attempted = set(conn.execute(attempts).scalars())
    return known


def _load_revisions(conn: Connection, known: Known, heard: _Heard) -> None:
    """All revisions: they are few, and a chain has to be known whole."""
    known.older.update(older_codes(conn))
    for old, new in sorted(heard.revisions):
        known.older.setdefault(new, old)


def _naming(row: Any) -> Naming:
    rups = tuple((kind, code) for kind, code in row.rups)
    return Naming((row.kind, row.code), rups, row.rank, row.created, row.package, row.version, row.failed)


def _write_placement(
    conn: Connection, prefix: str, heard: _Heard, known: Known, placement: Placement, run_id: str
) -> None:
    insert_rows(
        conn,
        t.identity,
        [
            {"kind": kind, "key": code, "ocid": ocid, "run_id": run_id}
            for (kind, code), ocid in sorted(placement.ocids.items())
        ],
    )
    own = {opens(prefix, subject) for subject in heard.namings} & (set(placement.rups) | set(placement.relations))
    # What an attempt names now replaces what it named before.
    delete_by(conn, t.process_rup, t.process_rup.c.ocid, own)
    delete_by(conn, t.process_relation, t.process_relation.c.ocid, own)
    upsert_rows(
        conn,
        t.process_rup,
        [
            {"ocid": ocid, "kind": kind, "code": code}
            for ocid, rups in sorted(placement.rups.items())
            for kind, code in sorted(rups)
        ],
    )
    upsert_rows(
        conn,
        t.process_relation,
        [
            {"ocid": ocid, "relationship": relationship, "related_ocid": related}
            for ocid, relations in sorted(placement.relations.items())
            for relationship, related in sorted(relations)
        ],
    )
    upsert_rows(
        conn,
        t.rup_revision,
        [
            {"kind": new[0], "code": new[1], "older": old[1]}
            for new, old in sorted(known.older.items())
            if (old, new) in heard.revisions
        ],
    )
    upsert_rows(
        conn,
        t.naming,
        [
            {
                "kind": n.subject[0],
                "code": n.subject[1],
                "rups": [list(rup) for rup in n.rups],
                "rank": n.rank,
                "created": n.created,
                "package": n.package,
                "version": n.version,
                "failed": n.failed,
            }
            for _, n in sorted(heard.namings.items())
        ],
    )
    keys = key_set(conn, {key for _, key in heard.suppliers})
    have = {
        (row.kind, row.key): row.kd_penyedia
        for row in conn.execute(select(t.supplier_key).where(t.supplier_key.c.key.in_(keys)))
    }
    upsert_rows(
        conn,
        t.supplier_key,
        [
            {"kind": kind, "key": key, "kd_penyedia": kd if have.get((kind, key), kd) == kd else ""}
            for (kind, key), kd in sorted(heard.suppliers.items())
        ],
    )


def _touched(conn: Connection, heard: _Heard, placement: Placement) -> set[str]:
    """The processes that the batch concerns: those of its codes, those that carry its RUPs, those it related, and those
    that had waited for one of its suppliers."""
    ocids = set(placement.ocids.values()) | set(placement.rups) | set(placement.relations)
    ocids |= processes_of(conn, heard.codes)
    wanted = t.supplier_wanted.c
    answered = conn.execute(
        select(wanted.kind, wanted.key, wanted.ocid).where(
            wanted.key.in_(key_set(conn, {key for _, key in heard.suppliers}))
        )
    )
    return ocids | {row.ocid for row in answered if (row.kind, row.key) in heard.suppliers}


def _write_families(conn: Connection, ocids: set[str]) -> None:
    """Name the families of these processes anew, and of all that share a RUP with them, however far."""
    edges: set[tuple[str, Code]] = set()
    members, frontier = set(ocids), set(ocids)
    rups = t.process_rup.c
    while frontier:
        own = conn.execute(select(t.process_rup).where(rups.ocid.in_(key_set(conn, frontier)))).all()
        codes = {(row.kind, row.code) for row in own} - {rup for _, rup in edges}
        shared = conn.execute(
            select(t.process_rup).where(rups.code.in_(key_set(conn, {code for _, code in codes})))
        ).all()
        edges |= {(row.ocid, (row.kind, row.code)) for row in (*own, *shared)}
        frontier = {row.ocid for row in shared if (row.kind, row.code) in codes} - members
        members |= frontier
    named = {ocid: ocid for ocid in members} | {o: f for o, f in families(sorted(edges)).items() if o in members}
    before = {
        row.ocid: row.family
        for row in conn.execute(select(t.process).where(t.process.c.ocid.in_(key_set(conn, members))))
    }
    changed = {ocid: family for ocid, family in named.items() if before.get(ocid) != family}
    upsert_rows(conn, t.process, [{"ocid": ocid, "family": family} for ocid, family in sorted(changed.items())])
    upsert_rows(conn, t.pending_build, [{"ocid": ocid} for ocid in sorted(changed) if ocid in before])


# --- derive ----------------------------------------------------------------------------------------------------------

_suppliers: dict[Code, str] = {}
_offices: dict[Code, str] = {}


def _know(suppliers: dict[Code, str], offices: dict[Code, str]) -> None:
    """Give a worker the crosswalks of suppliers and offices, once."""
    for known, given in ((_suppliers, suppliers), (_offices, offices)):
        known.clear()
        known.update(given)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one process, as it travels to a worker: row payloads are JSON text."""

    ocid: str
    asked: str
    rups: tuple[Code, ...]
    relations: tuple[tuple[str, str], ...]
    versions: list[tuple[Any, ...]]
    links: dict[Code, tuple[Code, ...]]


@dataclass(slots=True)
class _Answer:
    """The releases of one process, ready to be stored; `refused` are those that the OCDS model does not let pass,
    `failed` why there are none."""

    ocid: str
    asked: str
    releases: list[dict[str, Any]]
    lineage: list[tuple[str, int]]
    signals: set[tuple[str, str, str, str]]
    wanted: set[Code]
    refused: list[dict[str, Any]]
    failed: str | None = None


def derive_pending(engine: Engine, settings: Settings, run_id: str, shard: int = 0, shards: int = 1) -> int:
    """Derive the releases of a shard's processes in `pending_derive`; return how many processes that were."""
    with reading(engine) as conn:
        asked = conn.execute(select(t.pending_derive).order_by(t.pending_derive.c.ocid))
        pending = [row for row in asked if _falls_in(row.ocid, shard, shards)]
        # All shards of a run count unknown values together.
        began = conn.execute(select(t.run.c.started_at).where(t.run.c.id == run_id)).scalar_one()
        suppliers = (
            {(row.kind, row.key): row.kd_penyedia for row in conn.execute(select(t.supplier_key))} if pending else {}
        )
        offices = offices_by_name(conn) if pending else {}
    batches = (_tell(engine, batch) for batch in _chunks(pending, _BATCH))
    jobs = ((batch, settings.utc_offset, settings.kd_klpd) for batch in batches)
    done = 0
    for answers in _spread(settings, len(pending), _derive_batch, jobs, _know, suppliers, offices):
        seen = Counter(signal for answer in answers for signal in answer.signals)
        with writing(engine) as conn:
            _store(conn, answers, run_id)
            note_signals(conn, ((*found, "code", rows) for found, rows in sorted(seen.items())), began)
        done += len(answers)
        log.info("derived %d of %d processes", done, len(pending))
    return done


def _tell(engine: Engine, pending: Sequence[Any]) -> list[Told]:
    with reading(engine) as conn:
        return tell(conn, {row.ocid: row.asked for row in pending})


def tell(conn: Connection, asked: Mapping[str, str]) -> list[Told]:
    """All rows ever seen of some processes, which `asked` gives the demands for: of their own codes, of the RUPs whose
    planning they carry, and of what is linked to either."""
    rups: dict[str, set[Code]] = defaultdict(set)
    relations: dict[str, set[tuple[str, str]]] = defaultdict(set)
    owners: dict[Code, set[str]] = defaultdict(set)
    keys = key_set(conn, asked)
    for row in conn.execute(select(t.identity).where(t.identity.c.ocid.in_(keys))):
        owners[(row.kind, row.key)].add(row.ocid)
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
    versions: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    columns = t.raw_record.c
    for kind, codes in _by_kind(owners).items():
        rows = conn.execute(
            select(
                columns.id,
                columns.source,
                columns.service,
                columns.scope,
                columns.key,
                columns.code,
                columns.observed_at,
                columns.gone,
                cast(columns.payload, Text),
            ).where(columns.kind == kind, columns.code.in_(key_set(conn, codes)))
        )
        for row in rows:
            for ocid in owners[(kind, row.code)]:
                versions[ocid].append(tuple(row))
    # In one order, so that what is told twice can be compared.
    return [
        Told(
            ocid,
            token,
            tuple(sorted(rups[ocid])),
            tuple(sorted(relations[ocid])),
            sorted(versions[ocid]),
            {subject: tuple(sorted(codes)) for subject, codes in links[ocid].items()},
        )
        for ocid, token in asked.items()
    ]


def _by_kind(codes: Iterable[Code]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for kind, code in codes:
        kinds[kind].append(code)
    return kinds


def _derive_batch(job: tuple[list[Told], str, str]) -> list[_Answer]:
    """Runs in a worker."""
    batch, utc_offset, kd_klpd = job
    answers = []
    for told in batch:
        try:
            answers.append(_derive(told, utc_offset, kd_klpd))
        except Exception as error:
            # One process that can't be derived must not stop the others.
            answers.append(_Answer(told.ocid, told.asked, [], [], set(), set(), [], defect(error)))
    return answers


def process_of(told: Told, suppliers: Mapping[Code, str], offices: Mapping[Code, str]) -> Process:
    """What a process's releases are derived from."""
    versions = []
    for raw_id, source, service_name, scope, key, code, observed_at, gone, payload in told.versions:
        service = SERVICES[service_name][1]
        record = None if gone else service.model.model_validate(renamed(service, from_json(payload)))
        versions.append(Version(raw_id, source, service_name, scope, key, code, observed_at, bool(gone), record))
    return Process(told.ocid, versions, told.rups, told.relations, suppliers, told.links, offices)


def _derive(told: Told, utc_offset: str, kd_klpd: str) -> _Answer:
    derived = derive(process_of(told, _suppliers, _offices), TELLINGS, utc_offset, kd_klpd)
    answer = _Answer(told.ocid, told.asked, [], derived.lineage, derived.signals, derived.wanted, [])
    for position, (subject, source, service_name, release) in enumerate(derived.releases):
        row = {
            "id": release["id"],
            "ocid": told.ocid,
            "subject": subject,
            "source": source,
            "service": service_name,
            "date": release["date"],
            "position": position,
            "tags": release["tag"],
            "body": release,
        }
        try:
            validate_release(release)
        except RowError as error:
            answer.refused.append({**row, "reason": str(error)})
        else:
            answer.releases.append(row)
    return answer


def _store(conn: Connection, answers: list[_Answer], run_id: str) -> None:
    """Bring the stored releases of some processes to what was derived: new ones in, untrue ones voided."""
    _hold(conn, [answer.ocid for answer in answers])
    pending = t.pending_derive.c
    demands = conn.execute(
        select(t.pending_derive)
        .where(pending.ocid.in_(key_set(conn, [answer.ocid for answer in answers])))
        .order_by(pending.ocid)
        .with_for_update()
    )
    asked = {row.ocid: row.asked for row in demands}
    # An answer to a demand that has been renewed or answered meanwhile is stale.
    answers = [answer for answer in answers if asked.get(answer.ocid) == answer.asked]
    delete_by(conn, t.pending_derive, t.pending_derive.c.ocid, [answer.ocid for answer in answers])
    _store_failed(conn, answers, run_id)
    answers = [answer for answer in answers if answer.failed is None]
    columns = t.release.c
    ocids = [answer.ocid for answer in answers]
    stored = {
        row.id: row
        for row in conn.execute(
            select(columns.id, columns.ocid, columns.position, columns.voided_at).where(
                columns.ocid.in_(key_set(conn, ocids))
            )
        )
    }
    derived = {row["id"]: row for answer in answers for row in answer.releases}
    now = utc_now()
    touched: set[str] = set()
    fresh = [{**row, "run_id": run_id} for name, row in derived.items() if name not in stored]
    insert_rows(conn, t.release, fresh)
    touched.update(row["ocid"] for row in fresh)
    moved = [
        {"release": name, "place": row["position"]}
        for name, row in derived.items()
        if name in stored and (stored[name].position != row["position"] or stored[name].voided_at is not None)
    ]
    if moved:
        conn.execute(
            update(t.release)
            .where(columns.id == bindparam("release"))
            .values(position=bindparam("place"), voided_at=None, void_reason=None),
            moved,
        )
        touched.update(stored[row["release"]].ocid for row in moved)
    untrue = [row.id for row in stored.values() if row.id not in derived and row.voided_at is None]
    if untrue:
        conn.execute(
            update(t.release)
            .where(columns.id.in_(key_set(conn, untrue)))
            .values(voided_at=now, void_reason="no longer follows from the rows, links and mappings known now")
        )
        touched.update(stored[name].ocid for name in untrue)
    delete_by(conn, t.lineage, t.lineage.c.release_id, stored)
    pairs = {pair for answer in answers for pair in answer.lineage if pair[0] in derived}
    insert_rows(conn, t.lineage, [{"release_id": name, "raw_id": raw_id} for name, raw_id in sorted(pairs)])
    delete_by(conn, t.supplier_wanted, t.supplier_wanted.c.ocid, ocids)
    insert_rows(
        conn,
        t.supplier_wanted,
        [{"kind": kind, "key": key, "ocid": answer.ocid} for answer in answers for kind, key in sorted(answer.wanted)],
    )
    _store_refused(conn, answers, ocids, run_id, now)
    upsert_rows(conn, t.pending_build, [{"ocid": ocid} for ocid in sorted(touched)])


def _store_failed(conn: Connection, answers: list[_Answer], run_id: str) -> None:
    """Keep among the rejects the processes whose releases could not be derived; what they had stays."""
    now = utc_now()
    rows = [
        {
            "source": "-",
            "service": "-",
            "scope": "release",
            "key": answer.ocid,
            "content_hash": answer.ocid,
            "reason": answer.failed,
            "payload": "{}",
            "run_id": run_id,
            "observed_at": now,
            "rejected_at": now,
        }
        for answer in answers
        if answer.failed is not None
    ]
    for reason, count in Counter(row["reason"] for row in rows).items():
        log.error("%d processes not derived: %s", count, reason)
    insert_rows(conn, t.reject, rows)


def _store_refused(conn: Connection, answers: list[_Answer], ocids: list[str], run_id: str, now: str) -> None:
    """Keep releases that the model refused among the rejects (scope `release`, key the OCID); settle mended ones."""
    columns = t.reject.c
    conn.execute(
        update(t.reject)
        .where(columns.scope == "release", columns.resolved_at.is_(None), columns.key.in_(key_set(conn, ocids)))
        .values(resolved_at=now)
    )
    rows = [
        {
            "source": row["source"],
            "service": row["service"],
            "scope": "release",
            "key": row["ocid"],
            "content_hash": row["id"],
            "reason": row["reason"],
            "payload": to_json(row["body"]),
            "run_id": run_id,
            "observed_at": now,
            "rejected_at": now,
        }
        for answer in answers
        for row in answer.refused
    ]
    for reason, count in Counter(row["reason"].partition(": ")[2] for row in rows).items():
        log.error("%d releases refused: %s", count, reason)
    insert_rows(conn, t.reject, rows)


# --- build -----------------------------------------------------------------------------------------------------------


def build_pending(engine: Engine, settings: Settings, run_id: str, shard: int = 0, shards: int = 1) -> dict[str, int]:
    """Compile the records of a shard's processes in `pending_build` and write their star rows; return how many were
    `built`, and how many records that made `new`, `changed` or `removed`."""
    with reading(engine) as conn:
        asked = conn.execute(select(t.pending_build.c.ocid).order_by(t.pending_build.c.ocid)).scalars()
        pending = [ocid for ocid in asked if _falls_in(ocid, shard, shards)]
    jobs = (_releases_of(engine, batch) for batch in _chunks(pending, _BATCH))
    counts = dict.fromkeys(WRITTEN, 0)
    for results in _spread(settings, len(pending), _compile_batch, jobs):
        with writing(engine) as conn:
            _hold(conn, [ocid for ocid, _, _ in results])
            current: dict[str, list[str]] = defaultdict(list)
            columns = t.release.c
            for ocid, name in conn.execute(
                select(columns.ocid, columns.id)
                .where(columns.ocid.in_(key_set(conn, [ocid for ocid, _, _ in results])), columns.voided_at.is_(None))
                .order_by(columns.ocid, columns.date, columns.position)
            ):
                current[ocid].append(name)
            # Releases that came meanwhile have left the process pending: the next round builds it.
            written = write_records(
                conn,
                [
                    {"ocid": ocid, "compiled": record, "releases": len(names), "run_id": run_id}
                    for ocid, names, record in results
                    if current[ocid] == names and not isinstance(record, str)
                ],
            )
        for name in WRITTEN:
            counts[name] += written[name]
        for ocid, _, record in results:
            if isinstance(record, str):
                log.error("%s: %s. It stays pending", ocid, record)
        log.info("built %d of %d records", counts["built"], len(pending))
    return counts


def _releases_of(engine: Engine, ocids: list[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(ocid, [(release id, body as JSON text)]), releases in the order in which they are merged."""
    found: dict[str, list[tuple[str, str]]] = {ocid: [] for ocid in ocids}
    columns = t.release.c
    with reading(engine) as conn:
        for ocid, name, body in conn.execute(
            select(columns.ocid, columns.id, cast(columns.body, Text))
            .where(columns.ocid.in_(key_set(conn, ocids)), columns.voided_at.is_(None))
            .order_by(columns.ocid, columns.date, columns.position)
        ):
            found[ocid].append((name, body))
    return list(found.items())


def _compile_batch(
    batch: list[tuple[str, list[tuple[str, str]]]],
) -> list[tuple[str, list[str], dict[str, Any] | str | None]]:
    """Runs in a worker. A compiled release, None where no release is left, or why there can't be one."""
    results: list[tuple[str, list[str], dict[str, Any] | str | None]] = []
    for ocid, releases in batch:
        names = [name for name, _ in releases]
        try:
            record = compiled([from_json(body) for _, body in releases]) if releases else None
            if record is not None:
                validate_compiled_release(record)
        except Exception as error:
            results.append((ocid, names, str(error) if isinstance(error, RowError) else defect(error)))
        else:
            results.append((ocid, names, record))
    return results


# --- workers ---------------------------------------------------------------------------------------------------------


def _spread(
    settings: Settings,
    processes: int,
    function: Callable[[_T], _R],
    jobs: Iterable[_T],
    prepare: Callable[..., None] | None = None,
    *context: Any,
) -> Iterator[_R]:
    """Results of `function` for each job, in order; in workers where there is enough to do. Jobs are made as needed."""
    if processes < _WORTH_WORKERS or settings.workers == 1:
        if prepare:
            prepare(*context)
        yield from map(function, jobs)
        return
    with worker_pool(settings.workers, prepare, *context) as pool:
        waiting: deque[Future[_R]] = deque()
        remaining = iter(jobs)
        for job in islice(remaining, settings.workers + 1):
            waiting.append(pool.submit(function, job))
        while waiting:
            result = waiting.popleft().result()
            for job in islice(remaining, 1):
                waiting.append(pool.submit(function, job))
            yield result


def worker_pool(workers: int, prepare: Callable[..., None] | None = None, *context: Any) -> ProcessPoolExecutor:
    """Worker processes that log as this one does and know what `prepare` tells them.

    Not forked from here, since the caller may hold threads and database connections; what they import is imported once.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["pipeline.records"])
    return ProcessPoolExecutor(workers, processes, _begin_worker, (logging.getLogger().level, prepare, context))


def _begin_worker(level: int, prepare: Callable[..., None] | None, context: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(level=level, format=LOG_FORMAT, datefmt=LOG_TIME)
    if prepare:
        prepare(*context)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on writing: another run may have begun."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _chunks(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
