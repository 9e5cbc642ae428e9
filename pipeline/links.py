"""Links between systems that share no key: evidence kept up to date, links that follow from it, decisions kept.

Links are a function of a year's current rows, of the operators' decisions and of the thresholds, never of the order in
which things came. One exception: an automatic link stays after its subject has vanished from its system, or its target
has and the subject has found no other (`_write_links`). A year is linked again in one snapshot, without a transaction
that writes; the result is written in a short one (see `transforms.linking.year` for what has to be looked at again).
"""

import hashlib
import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, func, or_, select, update

import transforms.linking
from pipeline.clock import utc_now
from pipeline.decisions import account, check, digest, note_decisions
from pipeline.link_index import KeptYear, kept_of, write_year
from pipeline.progress import with_progress
from pipeline.queues import enqueue_codes, enqueue_processes, settling
from pipeline.registry import LINKED_KINDS, MAPPINGS, PLAN_LISTS, SERVICES, SOURCES
from pipeline.workers import spread, uncollected
from schemas.errors import RowError, SettingsError
from schemas.service import read_row
from schemas.settings import Settings
from transforms.evidence import Evidence, Link, from_text, to_text, united, united_texts
from transforms.identity import SPLIT, Code
from transforms.linking.rules import OFFICE, REVISION, RULES
from transforms.linking.year import Kept, Outcome, Revisions, relink, worth_keeping
from transforms.parties import office_party, plain_name, scrub
from transforms.rows import renamed
from transforms.search import Key, subject_keys
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing
from warehouse.load import delete_by, insert_rows, key_set, of_codes, upsert_rows
from warehouse.search import write_keys

log = logging.getLogger("jejak.links")

STANDING = ("auto", "confirmed")

# Systems that have codes and names of their own for offices; planning documents bear the regency's.
OFFICE_SYSTEMS = {
    kind: source for kind, source in LINKED_KINDS.items() if kind not in RULES["document-package"].sources
}
# More than this share of a year's subjects is not looked at one by one.
_MOST = 0.1

# Fewer subjects are linked at once; starting workers costs more.
_WORTH_WORKERS = 5_000
_SUBJECTS = 5_000  # in memory at a time

RowKey = tuple[str, str, str, str]  # a row's source, service, scope and key
ROW_KEY = ("source", "service", "scope", "key")
# What belongs to purchases has the numbers of their contracts; any other subject's numbers are its own.
_OF_CONTRACTS = {kind for rule in RULES.values() if not rule.targets for kind in rule.sources}
_ORDER = tuple(t.evidence.c[name] for name in ROW_KEY)
_SHOWN = ("id", "rule", "status", "confidence", "by", "decided_by", "decided_at", "note")


def link_id(rule: str, source: Code, target: Code) -> str:
    """The name of a link, the same in every run: what an operator types."""
    return hashlib.sha256("\n".join((rule, *source, *target)).encode()).hexdigest()[:12]


def note_evidence(conn: Connection, evidence_by_row: Iterable[tuple[RowKey, Evidence | None]]) -> None:
    """Keep the evidence of current rows, by their row keys; None for a row that is gone or has none.

    Subjects whose evidence changed are to be linked again.
    """
    by_row = dict(evidence_by_row)
    if not by_row:
        return
    columns = t.evidence.c
    lists = {row_key[:3] for row_key in by_row}
    here = or_(*(and_(*(columns[name] == part for name, part in zip(ROW_KEY, each, strict=False))) for each in lists))
    keys = columns.key.in_(key_set(conn, {key for *_, key in by_row}))
    known = {
        (row.source, row.service, row.scope, row.key): row for row in conn.execute(select(t.evidence).where(here, keys))
    }
    fresh, changed = [], set()
    for row_key, evidence in by_row.items():
        before = known.get(row_key)
        row = {**dict(zip(ROW_KEY, row_key, strict=True)), **_columns(evidence, scope=row_key[2])} if evidence else None
        if before is not None and row is not None and all(getattr(before, name) == row[name] for name in row):
            continue
        if before is not None:
            changed.add(((before.kind, before.code), before.year))
        if row is not None:
            fresh.append(row)
            changed.add(((row["kind"], row["code"]), row["year"]))
    upsert_rows(conn, t.evidence, fresh)
    empty = [row_key for row_key, evidence in by_row.items() if evidence is None and row_key in known]
    if empty:
        conn.execute(
            t.evidence.delete().where(*(columns[name] == bindparam(f"at_{name}") for name in ROW_KEY)),
            [{f"at_{name}": part for name, part in zip(ROW_KEY, row_key, strict=True)} for row_key in empty],
        )
    enqueue_links(conn, changed)


def _columns(evidence: Evidence, scope: str) -> dict[str, Any]:
    kind, code = evidence.subject
    # The offices are the same in every year.
    year = evidence.year or (int(scope) if scope.isdecimal() else None) if kind != OFFICE else None
    return {"kind": kind, "code": code, "year": year, "content": to_text(evidence)}


def years_of(conn: Connection, subjects: set[Code]) -> set[tuple[Code, int | None]]:
    """Subjects with the fiscal years that have evidence of them."""
    columns = t.evidence.c
    these = of_codes(conn, columns.kind, columns.code, subjects)
    rows = conn.execute(select(columns.kind, columns.code, columns.year).where(these).distinct())
    return {((row.kind, row.code), row.year) for row in rows}


def older_codes(conn: Connection) -> dict[Code, Code]:
    """The RUP code that each revised one alone revises."""
    return revised_codes(conn)[0]


def revised_codes(conn: Connection) -> tuple[dict[Code, Code], dict[Code, Code]]:
    """(newer RUP code -> the code that it alone revises, newer -> the code that was split into it and others). All of
    them: they are few, and a chain has to be known whole. A link that an operator confirmed is a revision too."""
    columns = t.rup_revision.c
    older: dict[Code, Code] = {}
    split: dict[Code, Code] = {}
    for row in conn.execute(
        select(columns.kind, columns.older, columns.newer, columns.type)
        .where(columns.older != columns.newer)
        .order_by(columns.kind, columns.older)
    ):
        (split if row.type == SPLIT else older).setdefault((row.kind, row.newer), (row.kind, row.older))
    link = t.link.c
    for row in conn.execute(
        select(t.link).where(link.rule == REVISION, link.status == "confirmed").order_by(link.from_kind, link.from_code)
    ):
        older.setdefault((row.to_kind, row.to_code), (row.from_kind, row.from_code))
    return older, split


def enqueue_links(conn: Connection, subjects: Iterable[tuple[Code, int | None]]) -> None:
    """Enqueue these (subject, fiscal year), whose links are to be looked at again.

    Who writes evidence does so by itself (`note_evidence`). Of a revision of a RUP code that came, went or changed,
    enqueue all codes that are or were part of it.
    """
    token = secrets.token_hex(8)
    upsert_rows(
        conn,
        t.pending_link,
        [
            {"kind": kind, "code": code, "year": year or 0, "token": token}
            for (kind, code), year in sorted(subjects, key=str)
        ],
    )


@dataclass(slots=True)
class _Linked:
    """What came of linking one year."""

    kept: KeptYear
    outcome: Outcome
    offices: list[Link] | None  # None where they are as before
    anew: bool


def link_pending(engine: Engine, settings: Settings, run_id: str) -> int:
    """Link again what shares evidence with the subjects in `pending_link`, and enqueue the processes that gained or
    lost a linked subject, or of which one changed. Returns how many links are new, gone or changed.

    Each year by itself, in workers where there is much to do. Entries that were enqueued anew meanwhile stay. A kill
    leaves all of them, and the same again comes to nothing new.
    """
    fingerprint = _fingerprint(thresholds(settings))
    with reading(engine) as conn:
        pending = conn.execute(select(t.pending_link)).all()
        years = sorted(_subjects_by_year(conn, pending, fingerprint).items())
        size = len(pending)
        if not all(subjects for _, subjects in years):  # of some all are linked
            size = conn.execute(select(func.count()).select_from(t.evidence)).scalar_one()
    if not pending and not years:
        return 0
    linked: Iterator[int]
    if len(years) == 1 or size < _WORTH_WORKERS:
        linked = (_link_year(engine, settings, fingerprint, run_id, *year) for year in years)
    else:
        linked = spread(settings, size, partial(_link_year_apart, settings, fingerprint, run_id), years)
    changed = sum(with_progress(linked, len(years), "years linked"))
    with writing(engine) as conn:
        settling(conn)
        changed += _settle(conn, settings, pending, run_id)
    log.info("linked %d subjects again, %d links changed", len(pending), changed)
    return changed


def _fingerprint(accept: Mapping[str, tuple[float, float]]) -> str:
    """Digest of all that links follow from besides evidence and decisions."""
    return hashlib.sha256((_code_digest() + repr(sorted(accept.items()))).encode()).hexdigest()[:16]


@cache
def _code_digest() -> str:
    folder = Path(transforms.linking.__file__).parent
    digest = hashlib.sha256()
    for path in sorted((*folder.glob("*.py"), *(folder.parent / "codes").glob("words.csv"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _subjects_by_year(conn: Connection, pending: Sequence[Any], fingerprint: str) -> dict[int, set[Code]]:
    """The subjects to be looked at again, by fiscal year; years that another code or other thresholds linked, too."""
    codes = {(row.kind, row.code) for row in pending}
    found: dict[int, set[Code]] = defaultdict(set)
    if not _has_linked(conn, None) and conn.execute(select(t.link_year.c.year).limit(1)).first() is None:
        return found
    kept = {row.year: row.fingerprint for row in conn.execute(select(t.link_year.c.year, t.link_year.c.fingerprint))}
    for year, made_by in kept.items():
        if made_by != fingerprint:
            found[year] = set()
    if not kept:  # each year is linked whole
        known = set(conn.execute(select(t.evidence.c.year).distinct()).scalars()) - {None}
        return {year: set() for year in known | {row.year for row in pending if row.year}}
    everywhere = {(row.kind, row.code) for row in pending if row.year == 0}
    if everywhere:
        # An office, or something of no year: it may matter to any.
        known = set(conn.execute(select(t.evidence.c.year).distinct()).scalars()) - {None}
        for year in known | kept.keys():
            found[year] |= everywhere
    for row in pending:
        if row.year:
            found[row.year].add((row.kind, row.code))
    for code, year in (*years_of(conn, codes), *kept_of(conn, codes)):
        if year:
            found[year].add(code)
    # Whoever is linked to what changed may have to let it go.
    columns = t.link.c
    for row in conn.execute(
        select(columns.from_kind, columns.from_code, columns.year).where(
            columns.rule.not_in((OFFICE, REVISION)), of_codes(conn, columns.to_kind, columns.to_code, codes)
        )
    ):
        if row.year:
            found[row.year].add((row.from_kind, row.from_code))
    return found


def _decided(conn: Connection) -> dict[tuple[str, Code, Code], bool]:
    """What operators decided."""
    columns = t.link.c
    rows = conn.execute(
        select(t.link).where(columns.rule.in_(list(RULES)), columns.status.in_(("confirmed", "rejected")))
    )
    return {
        (row.rule, (row.from_kind, row.from_code), (row.to_kind, row.to_code)): row.status == "confirmed"
        for row in rows
    }


def _link_year_apart(settings: Settings, fingerprint: str, run_id: str, job: tuple[int, set[Code]]) -> int:
    """As `_link_year`, in a worker."""
    engine = open_warehouse(settings.warehouse_url)
    try:
        return _link_year(engine, settings, fingerprint, run_id, *job)
    finally:
        engine.dispose()


def _link_year(
    engine: Engine, settings: Settings, fingerprint: str, run_id: str, year: int, subjects: set[Code]
) -> int:
    """Link again what shares evidence with subjects of a year; return how many links are new, gone or changed.

    Reads one snapshot and computes while others may write, and writes in a short transaction. Where another process
    linked the year meanwhile, begins again.
    """
    while True:
        with uncollected(), reading(engine) as conn:
            linked = _linked(conn, settings, year, subjects, fingerprint)
        with writing(engine) as conn:
            settling(conn)
            if KeptYear(conn, year).token == linked.kept.token:
                changed = _write_links(conn, settings, linked, run_id)
                write_year(conn, linked.kept, linked.outcome, linked.offices, fingerprint, anew=linked.anew)
                enqueue_processes(conn, processes_of(conn, {target for _, _, target in changed}))
                return len(changed)
        log.info("another build linked %d meanwhile: linking it again", year)


def _linked(conn: Connection, settings: Settings, year: int, subjects: set[Code], fingerprint: str) -> _Linked:
    """What follows today from the evidence of a year."""
    kept = KeptYear(conn, year)
    accept, decided, revisions = thresholds(settings), _decided(conn), Revisions(older_codes(conn))

    def evidence_of(codes: set[Code]) -> dict[Code, Evidence]:
        columns = t.evidence.c
        return _of_year(conn, year, of_codes(conn, columns.kind, columns.code, codes))

    outcome = None
    size = sum(kept.office_counts.values())
    some = _has_linked(conn, year)
    if some and size and kept.fingerprint == fingerprint and 0 < len(subjects) < max(_MOST * size, 50):
        outcome = relink(kept, subjects, evidence_of, OFFICE_SYSTEMS, decided, revisions)
    anew = outcome is None
    if outcome is None:
        everything = _of_year(conn, year) if some else {}

        def found(codes: set[Code]) -> dict[Code, Evidence]:
            return {code: everything[code] for code in codes if code in everything}

        whole = relink(Kept(), subjects | everything.keys(), found, OFFICE_SYSTEMS, decided, revisions)
        if whole is None:
            raise RuntimeError("a year of which nothing is kept can be linked")
        outcome = whole
    for (kind, code), error in sorted(outcome.failed.items()):
        log.error("%s %s was not linked: %s, a defect of Jejak; please report it", kind, code, error)
    outcome.links = worth_keeping(outcome.links, accept, decided)
    offices = outcome.offices if outcome.offices is not None or not anew else []
    return _Linked(kept, outcome, None if offices is None else worth_keeping(offices, accept, decided), anew)


def _has_linked(conn: Connection, year: int | None) -> bool:
    """Whether anything is to be linked: of a year, or at all."""
    columns = t.evidence.c
    query = select(columns.key).where(columns.kind.in_(list(LINKED_KINDS))).limit(1)
    return conn.execute(query if year is None else query.where(columns.year == year)).first() is not None


def _of_year(conn: Connection, year: int, where: ColumnElement[bool] | None = None) -> dict[Code, Evidence]:
    """The evidence of each subject of a year (of those chosen by `where`), and of the offices, which have none.

    What a system lists in two years is linked in the later one alone, so that a link has one year.
    """
    columns = t.evidence.c
    listed_later = select(columns.kind, columns.code).where(columns.year > year, columns.kind.in_(LINKED_KINDS))
    of_year = or_(columns.year == year, columns.year.is_(None))
    if where is not None:
        listed_later, of_year = listed_later.where(where), of_year & where
    later = {(row.kind, row.code) for row in conn.execute(listed_later)}
    parts_of: dict[Code, list[tuple[int | None, str]]] = defaultdict(list)
    for row in conn.execute(
        select(columns.kind, columns.code, columns.year, columns.content).where(of_year).order_by(*_ORDER)
    ):
        parts_of[row.kind, row.code].append((row.year, row.content))
    return {subject: united_texts(subject, parts) for subject, parts in parts_of.items() if subject not in later}


def _settle(conn: Connection, settings: Settings, pending: Sequence[Any], run_id: str) -> int:
    """Once all years are linked: bring the offices up to them, and what analysts read of the pending subjects, enqueue
    their processes and empty the queue. Returns how many links of offices are new, gone or changed."""
    names_before, offices_before = offices_by_name(conn), _offices(conn)
    changed = _write_offices(conn, settings, run_id)
    renamed = {source for (source, _), _ in _write_office_names(conn).items() ^ names_before.items()}
    renamed |= {source for (source, _), _ in _offices(conn).items() ^ offices_before.items()}
    subjects = {(row.kind, row.code) for row in pending if row.kind in LINKED_KINDS}
    subjects |= _subjects_of(conn, renamed)
    touched = {target for _, _, target in changed}
    columns = t.link.c
    for row in conn.execute(
        select(columns.to_kind, columns.to_code).where(
            of_codes(conn, columns.from_kind, columns.from_code, subjects), columns.status.in_(STANDING)
        )
    ):
        touched.add((row.to_kind, row.to_code))
    ordered = sorted(subjects)
    for start in range(0, len(ordered), _SUBJECTS):
        _write_subjects(conn, set(ordered[start : start + _SUBJECTS]), settings.kd_klpd)
    enqueue_processes(conn, processes_of(conn, touched))
    queue = t.pending_link.c
    if pending:
        conn.execute(
            delete(t.pending_link).where(
                *(queue[name] == bindparam(f"of_{name}") for name in ("kind", "code", "year", "token"))
            ),
            [{"of_kind": row.kind, "of_code": row.code, "of_year": row.year, "of_token": row.token} for row in pending],
        )
    return len(changed)


Change = tuple[str, str, Code]  # of a link that changed: rule, kind that it comes from, target


def _write_links(conn: Connection, settings: Settings, linked: _Linked, run_id: str) -> list[Change]:
    """Bring the links of a year's subjects that were linked again to what follows from their evidence."""
    year, outcome, columns = linked.kept.year, linked.outcome, t.link.c
    here = (columns.rule.not_in((OFFICE, REVISION)), columns.year == year)
    theirs = () if linked.anew else (of_codes(conn, columns.from_kind, columns.from_code, outcome.sources),)
    stored = {row.id: row for row in conn.execute(select(t.link).where(*here, *theirs))}
    accept = thresholds(settings)
    found: dict[str, dict[str, Any]] = {}
    single: set[tuple[str, Code]] = set()
    for link in outcome.links:
        name = link_id(link.rule, link.source, link.target)
        found[name] = link_row(name, link, year, accept[link.rule][0], run_id)
        if RULES[link.rule].truth == "many-to-one":
            single.add((link.rule, link.source))
    unfound = [row for name, row in stored.items() if name not in found]
    # What vanished from its system keeps the link that it had: that it is withdrawn is shown where it belonged.
    ends = {end for row in unfound for end in _ends(row)}
    there = {end for end, _ in years_of(conn, ends)}

    def lasts(row: Any) -> bool:
        source, target = _ends(row)
        if row.status == "pending":
            return False
        return source not in there or (target not in there and (row.rule, source) not in single)

    return replace_links(conn, found, [row for row in unfound if not lasts(row)])


def replace_links(conn: Connection, found: dict[str, dict[str, Any]], gone: Iterable[Any]) -> list[Change]:
    """Write links that differ from those stored and delete others, but for what operators decided."""
    columns = t.link.c
    stored = {row.id: row for row in conn.execute(select(t.link).where(columns.id.in_(key_set(conn, sorted(found)))))}
    rows = [
        row
        for name, row in found.items()
        if (before := stored.get(name)) is None or (before.decided_at is None and _differs(before, row))
    ]
    ended = [row for row in gone if row.decided_at is None]
    delete_by(conn, t.link, columns.id, [row.id for row in ended])
    upsert_rows(conn, t.link, rows)
    return [(row.rule, row.from_kind, (row.to_kind, row.to_code)) for row in ended] + [
        (row["rule"], row["from_kind"], (row["to_kind"], row["to_code"])) for row in rows
    ]


def _write_offices(conn: Connection, settings: Settings, run_id: str) -> list[Change]:
    """Bring the links of offices to what the years give: of several years that give one the latest counts."""
    accept = thresholds(settings)[OFFICE][0]
    found = {}
    for row in conn.execute(select(t.link_year.c.year, t.link_year.c.offices).order_by(t.link_year.c.year)):
        for system, own, code, confidence, by in row.offices:
            link = Link(OFFICE, (system, own), (OFFICE, code), confidence, by)
            name = link_id(OFFICE, link.source, link.target)
            found[name] = link_row(name, link, row.year, accept, run_id)
    stored = conn.execute(select(t.link).where(t.link.c.rule == OFFICE)).all()
    return replace_links(conn, found, [row for row in stored if row.id not in found])


def _write_office_names(conn: Connection) -> dict[Code, str]:
    """Bring the table of offices' names to that of subjects and of the links that stand; return it."""
    offices = _offices(conn)
    votes: dict[Code, tuple[int, int, str]] = {}
    for row in conn.execute(select(t.link_year.c.year, t.link_year.c.office_counts)):
        for kind, own, name, count in row.office_counts:
            source = LINKED_KINDS.get(kind)
            code = offices.get((source, own or name or "")) if source else None
            if source and code and name:
                key = (source, plain_name(name))
                votes[key] = max(votes.get(key, (0, 0, "")), (row.year, count, code))
    found = {key: code for key, (_, _, code) in votes.items()}
    before = offices_by_name(conn)
    if found != before:
        conn.execute(t.office_name.delete())
        rows = [{"source": source, "name": name, "code": code} for (source, name), code in sorted(found.items())]
        insert_rows(conn, t.office_name, rows)
    return found


def _subjects_of(conn: Connection, systems: set[str]) -> set[Code]:
    """All subjects that some systems have."""
    columns = t.evidence.c
    kinds = [kind for kind, source in LINKED_KINDS.items() if source in systems]
    rows = conn.execute(select(columns.kind, columns.code).where(columns.kind.in_(kinds)).distinct())
    return {(row.kind, row.code) for row in rows}


def thresholds(settings: Settings) -> dict[str, tuple[float, float]]:
    """(accept, pending) of every rule: its own, or the settings'. Raises SettingsError for a rule that isn't there."""
    if unknown := sorted(settings.links.keys() - RULES.keys()):
        raise SettingsError(f"links.{unknown[0]} names no linking rule: there are {', '.join(RULES)}")
    return {
        name: (settings.links[name].accept, settings.links[name].pending)
        if name in settings.links
        else (rule.accept, rule.pending)
        for name, rule in RULES.items()
    }


def link_row(name: str, link: Link, year: int, accept: float, run_id: str) -> dict[str, Any]:
    # Nothing but certainty is shown as such.
    confidence = link.confidence if link.confidence == 1 else min(round(link.confidence, 3), 0.999)
    return {
        "id": name,
        "rule": link.rule,
        "from_kind": link.source[0],
        "from_code": link.source[1],
        "to_kind": link.target[0],
        "to_code": link.target[1],
        "year": year,
        "confidence": confidence,
        "by": link.by,
        "status": "auto" if confidence >= accept else "pending",
        "decided_by": None,
        "decided_at": None,
        "note": None,
        "run_id": run_id,
    }


def _differs(before: Any, row: dict[str, Any]) -> bool:
    return any(getattr(before, name) != row[name] for name in ("confidence", "by", "status", "year"))


def known_evidence(conn: Connection, codes: set[Code]) -> dict[Code, list[Evidence]]:
    """The evidence of these subjects, of all years, always in the same order."""
    columns = t.evidence.c
    found: dict[Code, list[Evidence]] = defaultdict(list)
    for row in conn.execute(
        select(columns.kind, columns.code, columns.year, columns.content)
        .where(of_codes(conn, columns.kind, columns.code, codes))
        .order_by(*_ORDER)
    ):
        found[row.kind, row.code].append(from_text((row.kind, row.code), row.year, row.content))
    return found


def last_evidence(conn: Connection, codes: set[Code]) -> dict[Code, list[Evidence]]:
    """The evidence of plans that their lists no longer hold, as their rows had it last."""
    columns = t.raw_record.c
    here = (columns.service.in_(PLAN_LISTS), ~columns.gone, of_codes(conn, columns.kind, columns.code, codes))
    newest = select(func.max(columns.id)).where(*here).group_by(columns.kind, columns.code)
    found = {}
    for row in conn.execute(
        select(columns.kind, columns.code, columns.service, columns.payload).where(columns.id.in_(newest))
    ):
        service = SERVICES[row.service][1]
        try:
            record, _ = read_row(service, renamed(service, row.payload))
        except RowError:  # today's model may refuse what an earlier one took
            continue
        found[row.kind, row.code] = list(MAPPINGS[row.service].evidence(row.service, record))
    return found


def processes_of(conn: Connection, codes: set[Code]) -> set[str]:
    """The processes that purchases and plans belong to; all processes of a family carry its plans."""
    ocids: set[str] = set()
    for table, code in ((t.identity, t.identity.c.key), (t.process_rup, t.process_rup.c.code)):
        ocids |= set(conn.execute(select(table.c.ocid).where(of_codes(conn, table.c.kind, code, codes))).scalars())
    return ocids


def standing_links(conn: Connection, codes: Iterable[Code]) -> dict[Code, list[Code]]:
    """The linked subjects of purchases and plans, by the code of the latter."""
    columns = t.link.c
    found: dict[Code, list[Code]] = defaultdict(list)
    for row in conn.execute(
        select(columns.from_kind, columns.from_code, columns.to_kind, columns.to_code)
        .where(of_codes(conn, columns.to_kind, columns.to_code, codes), columns.status.in_(STANDING))
        .order_by(columns.from_kind, columns.from_code)
    ):
        if row.from_kind in LINKED_KINDS:
            found[row.to_kind, row.to_code].append((row.from_kind, row.from_code))
    return found


def offices_by_name(conn: Connection) -> dict[Code, str]:
    """(source, plain name of an office there) -> kd_satker_str, for the systems whose offices are linked."""
    return {(row.source, row.name): row.code for row in conn.execute(select(t.office_name))}


def _offices(conn: Connection) -> dict[Code, str]:
    """(source, its code or name of an office) -> kd_satker_str."""
    columns = t.link.c
    rows = conn.execute(
        select(t.link)
        .where(columns.rule == OFFICE, columns.status.in_(STANDING))
        .order_by(columns.confidence, columns.id)
    )
    return {(row.from_kind, row.from_code): row.to_code for row in rows}


def _write_subjects(conn: Connection, codes: set[Code], kd_klpd: str) -> None:
    """What analysts may read of linked subjects, joined to a process or not."""
    offices = _offices(conn)
    found = known_evidence(conn, codes)
    rows = []
    keys: dict[str, dict[str, set[Key]]] = defaultdict(dict)
    for (kind, code), parts in sorted(found.items()):
        evidence = united(parts)
        named = evidence.office or evidence.office_name or ""
        office = office_party(kd_klpd, offices.get((LINKED_KINDS[kind], named)), evidence.office_name)
        rows.append(_subject(evidence, parts, office or {}))
        what = "contract" if kind in _OF_CONTRACTS else kind
        keys[kind][code] = subject_keys(what, rows[-1]["title"], evidence.numbers, evidence.papers)
    upsert_rows(conn, t.subject, rows)
    for kind, of_kind in keys.items():
        write_keys(conn, kind, of_kind)
    empty: dict[str, set[str]] = defaultdict(set)
    for kind, code in codes - found.keys():
        empty[kind].add(code)
    subject = t.subject.c
    for kind, names in empty.items():
        conn.execute(
            update(t.subject).where(subject.kind == kind, subject.code.in_(key_set(conn, names))).values(gone=True)
        )


def _latest(priced: list[Evidence]) -> float:
    """The amount of the latest date: an addendum replaces the value."""
    return max(priced, key=lambda part: max(part.dates, default="")).amounts[-1]


def _subject(evidence: Evidence, parts: list[Evidence], office: Mapping[str, object]) -> dict[str, Any]:
    kind, code = evidence.subject
    priced = [part for part in parts if part.amounts]
    amount = SOURCES[LINKED_KINDS[kind]].mapping.amounts.get(kind, _latest)
    return {
        "kind": kind,
        "code": code,
        "source": LINKED_KINDS[kind],
        "year": evidence.year,
        "office_id": office.get("id"),
        "office_name": office.get("name"),
        "title": scrub(next(iter(evidence.titles), None)),
        "amount": amount(priced) if priced else None,
        "date": date.fromisoformat(min(evidence.dates)) if evidence.dates else None,
        "village": scrub(next(iter(evidence.villages), None)),
        "district": scrub(next(iter(evidence.districts), None)),
        "status": evidence.status,
        "number": scrub(next(iter(evidence.numbers), None)),
        "mak": next(iter(evidence.maks), None),
        "gone": False,
    }


def decide(
    conn: Connection, names: list[str], status: str, who: str, note: str | None, seen: Mapping[str, str] | None = None
) -> list[Any]:
    """Write down an operator's decision on links (`confirmed` or `rejected`); it outlives every rerun. `pending` takes
    a decision back: the link is what evidence makes of it. What is decided here frees or takes the place of other
    links, which the next build looks at again. `seen` are the states of links as they were shown (`state_of`), by name.

    Returns the links' rows. Raises SettingsError where no link has one of the names, and Conflict where one is no
    longer as it was seen; then nothing is decided.
    """
    columns = t.link.c
    chosen = columns.id.in_(key_set(conn, names))
    rows = conn.execute(select(t.link).where(chosen)).all()
    if unknown := sorted(set(names) - {row.id for row in rows}):
        raise _no_link(unknown[0])
    seen = seen or {}
    if seen:
        check(seen, {link["id"]: state_of(link) for link in _all_shown(conn, rows)})
    who = account(who)
    note_decisions(conn, "link", [(row.id, row.status, status, seen.get(row.id, "")) for row in rows], who, note)
    conn.execute(
        update(t.link).where(chosen).values(status=status, decided_by=None, decided_at=None, note=None)
        if status == "pending"
        else update(t.link).where(chosen).values(status=status, decided_by=who, decided_at=utc_now(), note=scrub(note))
    )
    revised = {end for row in rows if row.rule == REVISION for end in _ends(row)}
    enqueue_codes(conn, SERVICES[PLAN_LISTS[0]][0], revised)
    for row in rows:
        year = 0 if row.rule == OFFICE else row.year
        enqueue_links(conn, {((row.from_kind, row.from_code), year), ((row.to_kind, row.to_code), year)})
    enqueue_processes(conn, processes_of(conn, {(row.to_kind, row.to_code) for row in rows}))
    # Whose office it is matters to all of the system's subjects.
    systems = {row.from_kind for row in rows if row.rule == OFFICE}
    enqueue_links(conn, years_of(conn, _subjects_of(conn, systems)))
    return list(conn.execute(select(t.link).where(chosen).order_by(columns.id)).all())


def _ends(row: Any) -> tuple[Code, Code]:
    return (row.from_kind, row.from_code), (row.to_kind, row.to_code)


def listed(conn: Connection, status: str | None, rule: str | None) -> list[dict[str, Any]]:
    """Links of a status and a rule (all, where None), the surest first, with what is known of both sides."""
    columns = t.link.c
    query = select(t.link).order_by(columns.rule, columns.confidence.desc(), columns.id)
    if status:
        query = query.where(columns.status == status)
    if rule:
        query = query.where(columns.rule == rule)
    return _all_shown(conn, conn.execute(query).all())


def these(conn: Connection, names: Iterable[str]) -> list[dict[str, Any]]:
    """Links by their names, the surest first, with what is known of both sides; without those that aren't there."""
    columns = t.link.c
    query = select(t.link).where(columns.id.in_(key_set(conn, names)))
    return _all_shown(conn, conn.execute(query.order_by(columns.confidence.desc(), columns.id)).all())


def state_of(link: Mapping[str, Any]) -> str:
    """Digest of a link as it is shown: a decision names the one that was seen."""
    return digest(link)


def _all_shown(conn: Connection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    described = _described(conn, {(r.from_kind, r.from_code) for r in rows} | {(r.to_kind, r.to_code) for r in rows})
    return [_shown(row, described) for row in rows]


def shown(conn: Connection, name: str) -> dict[str, Any]:
    """One link, with what is known of both sides. Raises SettingsError where no link has that name."""
    row = conn.execute(select(t.link).where(t.link.c.id == name)).one_or_none()
    if row is None:
        raise _no_link(name)
    return _shown(row, _described(conn, {(row.from_kind, row.from_code), (row.to_kind, row.to_code)}))


def _no_link(name: str) -> SettingsError:
    return SettingsError(f"there is no link {name}; `jejak links list` shows those there are")


def _shown(row: Any, described: Mapping[Code, dict[str, Any]]) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _SHOWN},
        "from": {"kind": row.from_kind, "code": row.from_code, **described[row.from_kind, row.from_code]},
        "to": {"kind": row.to_kind, "code": row.to_code, **described[row.to_kind, row.to_code]},
    }


def _described(conn: Connection, codes: set[Code]) -> dict[Code, dict[str, Any]]:
    """What may be shown of subjects: no tax numbers, texts scrubbed."""
    described = known_evidence(conn, codes)
    described |= last_evidence(conn, codes - described.keys())
    return {code: _description(united([Evidence(code), *described.get(code, ())])) for code in codes}


def _description(evidence: Evidence) -> dict[str, Any]:
    return {
        "title": scrub(next(iter(evidence.titles), None)),
        "office": scrub(evidence.office_name) or evidence.office,
        "year": evidence.year,
        "numbers": "; ".join(filter(None, map(scrub, evidence.numbers))),
        "suppliers": "; ".join(filter(None, map(scrub, evidence.suppliers))),
        "amounts": "; ".join(f"Rp {amount:,.0f}" for amount in evidence.amounts),
        "dates": "; ".join(evidence.dates),
        "place": "; ".join(filter(None, map(scrub, (*evidence.villages, *evidence.districts)))),
        "mak": "; ".join(evidence.maks),
        "kd_rup": "; ".join(code for _, code in evidence.rups),
    }
