"""The process of every code: minting OCIDs, and what follows from current rows (RUPs, relations, families).

One serial step: it has to see all codes at once. The codes that it has to look at are in the queue `pending_code`.
"""

import logging
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, or_, select, text

from pipeline.clock import utc_now
from pipeline.links import enqueue_links, processes_of, revised_codes, years_of
from pipeline.queues import enqueue_processes, settling
from pipeline.registry import LINKED_KINDS, SOURCES
from pipeline.revisions import note_possible_revisions
from pipeline.workers import uncollected
from schemas.settings import Settings
from transforms.identity import (
    ATTEMPT_KINDS,
    RUP_KINDS,
    Code,
    Known,
    Placement,
    Plan,
    RupReference,
    canonical,
    chain,
    families,
    place,
)
from warehouse import tables as t
from warehouse.engine import writing
from warehouse.load import insert_rows, key_set, of_codes, upsert_rows

log = logging.getLogger("jejak.place")

# A sync that has shown nothing for longer than Airflow lets a task take, its retry delay included, was killed.
_READING_ENDS = timedelta(hours=3)
_PATIENCE = timedelta(days=14)
_MINT_LOCK = 0x6A656A616C  # key of PostgreSQL's advisory lock: minting is serial


def place_rows(engine: Engine, settings: Settings, run_id: str) -> int:
    """Find the process of every code in `pending_code`, opening what has to be opened, and queue the processes whose
    state may have changed; return how many codes were looked at.

    A code that nobody has announced yet (a schedule without its tender) has no process: `row_waiting` shows its rows.
    """
    with writing(engine) as conn, uncollected():
        if engine.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MINT_LOCK})
        settling(conn)
        # The first attempt of a RUP is chosen once and for all: not while its source is still being read.
        being_read = _being_read(conn, run_id)
        for source, (reader, until) in being_read.items():
            log.warning("%s is still being read by %s: its new rows wait, until %s at most", source, reader, until)
        columns = t.pending_code.c
        pending = conn.execute(select(t.pending_code).where(columns.source.not_in(being_read))).all()
        if not pending:
            return 0
        codes: set[Code] = {(row.kind, row.code) for row in pending}
        linked = {code for code in codes if code[0] in LINKED_KINDS}
        ocids, waiting = _place(conn, settings, codes - linked, run_id)
        ocids |= _write_families(conn, ocids)
        revised = {code for code in codes if code[0] in RUP_KINDS}
        note_possible_revisions(conn, revised, run_id)
        enqueue_links(conn, years_of(conn, linked | revised))
        enqueue_processes(conn, ocids)
        done = [row for row in pending if (row.kind, row.code) not in waiting]
        if done:
            seen = {"of": columns.kind, "at": columns.code, "by": columns.source, "seen": columns.token}
            conn.execute(
                delete(t.pending_code).where(*(column == bindparam(name) for name, column in seen.items())),
                [{"of": row.kind, "at": row.code, "by": row.source, "seen": row.token} for row in done],
            )
    log.info("placed %d codes in %d processes", len(codes), len(ocids))
    return len(codes)


def _place(conn: Connection, settings: Settings, codes: set[Code], run_id: str) -> tuple[set[str], set[Code]]:
    """Place codes; return the processes whose rows, RUPs or relations may be others now, and the codes that wait."""
    codes = codes | _referring_to_revised(conn, codes)
    references = _references(conn, codes)
    references |= _standalone(conn, codes - references.keys())
    plans = _plans(conn, codes)
    known = _known(conn, codes, references, plans)
    waiting = _waiting(conn, settings, codes, references, known)
    if waiting:
        log.warning("%d codes wait for a service that does not answer and would say more of them", len(waiting))
        codes = codes - waiting
        plans = [plan for plan in plans if plan.rup not in waiting]
    # An attempt that failed is named by the later ones of its package, though nothing came of those today.
    batch = {code: each for code, each in known.references.items() if code not in waiting}
    placement = place(
        settings.ocid_prefix, (code for code in codes if code[0] in RUP_KINDS), plans, batch.values(), known
    )
    changed = _write_placement(conn, codes | batch.keys(), placement, run_id)
    return changed | set(placement.ocids.values()) | processes_of(conn, codes), waiting


def _referring_to_revised(conn: Connection, codes: set[Code]) -> set[Code]:
    """The codes whose rows name a RUP of a revision that one of these is part of: what they relate may be another."""
    older, split = revised_codes(conn)
    roots = {canonical(code, older) for code in codes if code[0] in RUP_KINDS}
    chained = {*older, *older.values(), *split, *split.values()}
    revised = {code for code in chained if canonical(code, older) in roots}
    rups = t.process_rup.c
    rows = conn.execute(
        select(rups.by_kind, rups.by_code).where(of_codes(conn, rups.kind, rups.code, revised)).distinct()
    )
    return {(row.by_kind, row.by_code) for row in rows}


def _references(conn: Connection, codes: set[Code]) -> dict[Code, RupReference]:
    """What the current rows of codes say of the RUPs they fulfil: the best service first, gaps filled by the others."""
    columns = t.rup_reference.c
    found: dict[Code, RupReference] = {}
    query = select(t.rup_reference).where(of_codes(conn, columns.kind, columns.code, codes))
    for each in sorted(
        map(_reference, conn.execute(query)),
        key=lambda each: (each.priority, each.created or "", each.rups, -each.version),
    ):
        found[each.subject] = _better(found.get(each.subject), each)
    return found


def _reference(row: Any) -> RupReference:
    rups = tuple((kind, code) for kind, code in row.rups)
    return RupReference((row.kind, row.code), rups, row.priority, row.created, row.package, row.version, row.failed)


def _better(one: RupReference | None, other: RupReference) -> RupReference:
    """Of two sources the better; what only one of them knows is kept."""
    if one is None:
        return other
    best, rest = (one, other) if one.priority <= other.priority else (other, one)
    return replace(
        best,
        created=best.created or rest.created,
        package=best.package or rest.package,
        rups=best.rups or rest.rups,
        version=max(best.version, rest.version),
        failed=best.failed or rest.failed,
    )


def _standalone(conn: Connection, codes: set[Code]) -> dict[Code, RupReference]:
    """Codes of which only contract papers or payments are known, though the service that announces such codes has
    answered for their year: they open a process of their own."""
    announced_by = {
        service: announcing for source in SOURCES.values() for service, announcing in source.mapping.standalone.items()
    }
    answered = {(row.service, row.scope) for row in conn.execute(select(t.answer.c.service, t.answer.c.scope))}
    columns = t.raw_record.c
    found = {}
    for row in conn.execute(
        select(columns.kind, columns.code, columns.service, columns.scope)
        .where(columns.current, ~columns.gone, columns.service.in_(announced_by))
        .where(of_codes(conn, columns.kind, columns.code, codes))
    ):
        if (announced_by[row.service], row.scope) in answered:
            found[row.kind, row.code] = RupReference((row.kind, row.code), (), 9)
    return found


def _plans(conn: Connection, codes: set[Code]) -> list[Plan]:
    columns = t.plan_fact.c
    rups = {code for code in codes if code[0] in RUP_KINDS}
    rows = conn.execute(select(t.plan_fact).where(of_codes(conn, columns.kind, columns.code, rups)))
    return [Plan((row.kind, row.code), row.first_year, tuple(row.inside)) for row in rows]


def _known(conn: Connection, codes: set[Code], references: dict[Code, RupReference], plans: list[Plan]) -> Known:
    """The part of the crosswalk that the codes touch."""
    known = Known()
    known.older, known.split_from = revised_codes(conn)
    packages = {reference.package for reference in references.values() if reference.package}
    columns = t.rup_reference.c
    same = conn.execute(
        select(columns.kind, columns.code).where(columns.package.in_(key_set(conn, packages))).distinct()
    )
    others = {(row.kind, row.code) for row in same} - references.keys()
    # Of a package's other attempts those alone that have their process: the rest come with their own rows.
    placed = _ocids(conn, others)
    known.references = references | {code: each for code, each in _references(conn, others).items() if code in placed}
    wanted = set(codes) | {rup for each in known.references.values() for rup in each.rups} | known.references.keys()
    for plan in plans:
        wanted |= {plan.rup, *(("swk", code) for code in plan.inside)}
        if plan.first_year:
            wanted.add((plan.rup[0], plan.first_year))
    rups = {code for code in wanted if code[0] in RUP_KINDS}
    wanted |= {member for code in rups for member in chain(code, known.older)}
    split = {before for code in wanted if (before := known.split_from.get(code))}
    wanted |= {member for code in split for member in chain(code, known.older)}
    known.ocids = _ocids(conn, wanted)
    attempts = select(t.identity.c.ocid).where(
        t.identity.c.kind.in_(ATTEMPT_KINDS), t.identity.c.ocid.in_(key_set(conn, set(known.ocids.values())))
    )
    known.attempted = set(conn.execute(attempts).scalars())
    return known


def _ocids(conn: Connection, codes: set[Code]) -> dict[Code, str]:
    columns = t.identity.c
    rows = conn.execute(select(t.identity).where(of_codes(conn, columns.kind, columns.key, codes)))
    return {(row.kind, row.key): row.ocid for row in rows}


def _write_placement(conn: Connection, codes: set[Code], placement: Placement, run_id: str) -> set[str]:
    """Write new crosswalk entries, and bring RUPs and relations to what the rows of these codes give now; return the
    processes that have others now than before."""
    insert_rows(
        conn,
        t.identity,
        [
            {"kind": kind, "key": code, "ocid": ocid, "run_id": run_id}
            for (kind, code), ocid in sorted(placement.ocids.items())
        ],
    )
    by = codes | placement.rups.keys() | placement.relations.keys()
    changed: set[str] = set()
    for table, rows in (
        (
            t.process_rup,
            [
                {"ocid": ocid, "kind": rup[0], "code": rup[1], "by_kind": kind, "by_code": code}
                for (kind, code), given in placement.rups.items()
                for ocid, rup in given
            ],
        ),
        (
            t.process_relation,
            [
                {
                    "ocid": ocid,
                    "relationship": relationship,
                    "related_ocid": related,
                    "by_kind": kind,
                    "by_code": code,
                }
                for (kind, code), given in placement.relations.items()
                for ocid, relationship, related in given
            ],
        ),
    ):
        columns = table.c
        stored = [
            dict(row)
            for row in conn.execute(
                select(table).where(of_codes(conn, columns.by_kind, columns.by_code, by))
            ).mappings()
        ]
        now = {tuple(row.values()) for row in rows}
        # Of other codes that were opened on the way the placement has only a part of what their rows give.
        gone = [
            row
            for row in stored
            if (row["by_kind"], row["by_code"]) in codes and tuple(row[name] for name in (rows or stored)[0]) not in now
        ]
        known = {tuple(row[name] for name in rows[0]) for row in stored} if rows else set()
        changed |= {row["ocid"] for row in gone} | {row["ocid"] for row in rows if tuple(row.values()) not in known}
        if gone:
            conn.execute(
                delete(table).where(*(columns[name] == bindparam(f"at_{name}") for name in gone[0])),
                [{f"at_{name}": value for name, value in row.items()} for row in gone],
            )
        upsert_rows(conn, table, sorted(rows, key=lambda row: tuple(row.values())))
    return changed


def _waiting(
    conn: Connection, settings: Settings, codes: set[Code], references: dict[Code, RupReference], known: Known
) -> set[Code]:
    """Codes that must not get their process yet: an OCID is for ever, and a service that has stopped answering would
    say more of them (which code they revise, which RUPs they fulfil). Nobody is waited for longer than a fortnight."""
    failing = _failing(conn, settings)
    new = codes - known.ocids.keys()
    if not failing or not new:
        return set()
    patient = (datetime.fromisoformat(utc_now()) - _PATIENCE).strftime("%Y-%m-%dT%H:%M:%SZ")
    columns, runs = t.raw_record.c, t.run_service.c
    rows = conn.execute(
        select(columns.kind, columns.code, columns.scope, columns.observed_at, columns.run_id).where(
            columns.current, of_codes(conn, columns.kind, columns.code, new)
        )
    ).all()
    # More is known of a code in the years that it was read with: other years may stay without an answer.
    years: dict[str, set[str]] = defaultdict(set)
    names = key_set(conn, {row.run_id for row in rows})
    for name, scope in conn.execute(select(runs.run_id, runs.scope).where(runs.run_id.in_(names)).distinct()):
        years[name].add(scope)
    scopes: dict[Code, set[str]] = defaultdict(set)
    for row in rows:
        if row.observed_at > patient:
            scopes[row.kind, row.code] |= {row.scope} | years[row.run_id]
    waiting = set()
    for code in scopes:
        kinds = {kind for kind, unanswered in failing.items() if unanswered & scopes[code]}
        reference = references.get(code)
        announced = reference is not None and reference.priority == 0
        named = reference.rups if reference else ()
        if (code[0] in kinds and not announced) or any(
            rup[0] in kinds and rup not in known.ocids for rup in named if rup[0] in RUP_KINDS
        ):
            waiting.add(code)
    return waiting


def _failing(conn: Connection, settings: Settings) -> dict[str, set[str]]:
    """Kinds of codes, with the scopes for which a service with more about them failed when it was last asked.

    Plans don't wait for what has never answered: some regencies have no access to it.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in settings.sources.keys() & SOURCES.keys():
        for kind, awaited in SOURCES[name].mapping.awaited.items():
            for service in awaited:
                if settings.sources[name].service(service).enabled:
                    kinds[service].add(kind)
    # A nightly sync and those of other years go on side by side: the one that began first may have asked last.
    runs, run = t.run_service.c, t.run.c
    last = {
        (row.service, row.scope): row.status
        for row in conn.execute(
            select(runs.service, runs.scope, runs.status)
            .join(t.run, run.id == runs.run_id)
            .where(runs.service.in_(kinds))
            .order_by(func.coalesce(runs.finished_at, run.started_at), run.number)
        )
    }
    answered = set(
        conn.execute(select(runs.service).where(runs.service.in_(kinds), runs.status == "success").distinct()).scalars()
    )
    failing: dict[str, set[str]] = defaultdict(set)
    for (service, scope), status in last.items():
        for kind in kinds[service] if status == "failed" else ():
            if kind not in RUP_KINDS or service in answered:
                failing[kind].add(scope)
    return failing


def _being_read(conn: Connection, run_id: str) -> dict[str, tuple[str, str]]:
    """Sources that another sync is reading (the nightly one, one of an old year, or both), with the name of the run and
    the time until which it is believed to be alive.

    A sync that waits for its turn, or whose services failed, has brought nothing. One that has shown no sign of life
    for hours was killed, as was one whose years a later one has read since.
    """
    since = (datetime.fromisoformat(utc_now()) - _READING_ENDS).strftime("%Y-%m-%dT%H:%M:%SZ")
    runs, run = t.run_service.c, t.run.c
    query = (
        select(
            runs.source,
            runs.scope,
            runs.status,
            runs.finished_at,
            run.id,
            run.number,
            run.started_at,
            run.status.label("run"),
        )
        .join(t.run, run.id == runs.run_id)
        .where(run.command == "sync", or_(run.status == "running", run.started_at > since))
    )
    scopes: dict[tuple[str, int, str], set[str]] = defaultdict(set)  # by source, number and name of the run
    seen: dict[tuple[str, int, str], str] = {}  # when it showed itself last
    going_on = set()
    for row in conn.execute(query):
        reader = (row.source, row.number, row.id)
        scopes[reader].add(row.scope)
        seen[reader] = max(row.started_at, row.finished_at or "", seen.get(reader, ""))
        if row.run == "running" and row.status == "success" and row.id != run_id:
            going_on.add(reader)

    def read_since(reader: tuple[str, int, str]) -> bool:
        return any(other[0] == reader[0] and other > reader and scopes[other] >= scopes[reader] for other in scopes)

    return {
        reader[0]: (reader[2], (datetime.fromisoformat(seen[reader]) + _READING_ENDS).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for reader in sorted(going_on)
        if seen[reader] > since and not read_since(reader)
    }


def _write_families(conn: Connection, ocids: set[str]) -> set[str]:
    """Name the families of these processes anew, of all that share a RUP with them, however far, and of those that did;
    return the known processes whose family is another now."""
    process, rups = t.process.c, t.process_rup.c
    old = select(process.family).where(process.ocid.in_(key_set(conn, ocids)))
    members = set(ocids) | set(conn.execute(select(process.ocid).where(process.family.in_(old))).scalars())
    edges: set[tuple[str, Code]] = set()
    frontier = set(members)
    while frontier:
        own = conn.execute(select(t.process_rup).where(rups.ocid.in_(key_set(conn, frontier)))).all()
        codes = {(row.kind, row.code) for row in own} - {rup for _, rup in edges}
        shared = conn.execute(select(t.process_rup).where(of_codes(conn, rups.kind, rups.code, codes))).all()
        edges |= {(row.ocid, (row.kind, row.code)) for row in (*own, *shared)}
        frontier = {row.ocid for row in shared} - members
        members |= frontier
    named = {ocid: ocid for ocid in members} | {o: f for o, f in families(sorted(edges)).items() if o in members}
    before = {
        row.ocid: row.family for row in conn.execute(select(t.process).where(process.ocid.in_(key_set(conn, members))))
    }
    changed = {ocid: family for ocid, family in named.items() if before.get(ocid) != family}
    upsert_rows(conn, t.process, [{"ocid": ocid, "family": family} for ocid, family in sorted(changed.items())])
    return changed.keys() & before.keys()
