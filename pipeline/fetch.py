"""A service's rows from the source into `raw_record`: staged page by page, then promoted whole or not at all."""

from __future__ import annotations

import logging
import os
import secrets
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from pipeline.registry import SOURCES
from schemas.errors import JejakError, RowError, SourceUnavailable, StructureError
from schemas.fields import LocalTime, clean
from schemas.service import Page, Service
from schemas.settings import ServiceSettings, Settings
from transforms.rows import Identified, hash_of, identify, renamed
from warehouse import tables as t
from warehouse.engine import from_json, holding, reading, to_json, writing
from warehouse.load import insert_rows, key_set, upsert_rows

log = logging.getLogger("jejak.fetch")

COUNTS = ("fetched", "new", "changed", "unchanged", "duplicate", "rejected", "gone")
# A fetch that broke off longer ago is begun anew: its first pages no longer belong to the same state of the source.
RESUME_WITHIN = timedelta(hours=12)
_OVERTAKEN = (
    "another run reads the same service and year now, since this one had lost the warehouse for a while. Nothing was "
    "changed; run again if the other fails"
)
# Shares mean nothing on a handful of rows.
_FEW = 20
# Dumps tell the day of their extraction at best: observations as near as this are told apart by the order of reading.
_SAME_DAY = timedelta(hours=1)
_EXAMPLES = 20
_local_time: TypeAdapter[str | None] = TypeAdapter(LocalTime)


def utc_now() -> str:
    """The time of observation and of bookkeeping; JEJAK_NOW (the same form) fixes it, so that a run can be repeated."""
    return os.environ.get("JEJAK_NOW") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class _Job:
    """One service for one scope (fiscal year or "all"), as one run reads it; `token` marks its fetch as its own."""

    source: str
    service: Service
    scope: str
    run_id: str = ""
    token: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.service.name} {self.scope}"

    @property
    def place(self) -> dict[str, str]:
        return {"source": self.source, "service": self.service.name, "scope": self.scope}

    def of(self, table: Any) -> tuple[Any, ...]:
        """The condition for rows of this place."""
        return tuple(table.c[name] == value for name, value in self.place.items())

    def pages(self, settings: Settings, cursor: str | None = None) -> Iterator[Page]:
        """The source's answer, from a cursor on."""
        return SOURCES[self.source].fetch(self.service, settings, settings.sources[self.source], self.scope, cursor)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A complete answer of a source: when it was given, and its rows as often as they are asked for."""

    transport: str
    observed_at: str
    rows: Callable[[], Iterator[dict[str, Any]]]


@dataclass(slots=True)
class Plan:
    """What promoting a fetch will do; nothing is written before it is complete."""

    counts: Counter[str] = field(default_factory=Counter)
    observed_at: str = ""  # when the answer was true at the source; empty where it doesn't say
    older: bool = False  # newer answers are known: this one adds to the history alone
    versions: list[dict[str, Any]] = field(default_factory=list)
    copies: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # of known versions: id, what differs
    superseded: list[int] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    repeated: dict[int, str] = field(default_factory=dict)  # open rejects that the source still sends, and as of when
    settled: list[str] = field(default_factory=list)  # keys whose rejects a good row has answered
    mended: list[str] = field(default_factory=list)  # rejects without a key that the source no longer sends
    new_fields: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, None]] = field(
        default_factory=lambda: {name: {} for name in ("new", "changed", "gone", "rejected")}
    )

    def count(self, name: str, example: str) -> None:
        """Count one row, and remember some of its kind."""
        self.counts[name] += 1
        if len(self.examples[name]) < _EXAMPLES:
            self.examples[name][example] = None


def sync_service(
    engine: Engine, settings: Settings, source: str, service_name: str, scope: str, run_id: str
) -> dict[str, Any]:
    """Fetch one service for one scope (fiscal year or "all") and promote it; return its counts and status.

    A failure is recorded under the run and returned as status `failed` with its message; it changes no rows. A broken
    fetch keeps its pages and goes on where it stopped when it is called again. Who comes while another reads the same
    waits, and then fetches anew. Where the same run reads it once more (its task is tried again, or was cleared), the
    counts are those of the run as a whole: what it brought before stays new, changed or gone, also if it fails now.
    """
    job = _Job(source, SOURCES[source].services[service_name], scope, run_id, secrets.token_hex(8))

    def read() -> Plan | None:
        with holding(engine, str(job)):
            try:
                return _take_over(engine, settings, job) if _stage(engine, settings, job) else None
            except StructureError:
                # These pages will never do: the next run must fetch again.
                with writing(engine) as conn:
                    _discard(conn, job, t.staged_fetch.c.reader == job.token)
                raise

    plan, row = _outcome(settings, job, read)
    row = {"run_id": run_id, **row}
    if row["status"] == "failed":
        log.error("%s: %s.", job, row["message"])
    else:
        said = ", ".join(f"{n} {row[n]}" for n in COUNTS) if plan else "the folder has no such list"
        if plan and plan.older:
            said += f"; as of {plan.observed_at}, which is older than what is known: it adds to the history alone"
        log.info("%s: %s.", job, said)
    if plan is None:
        with writing(engine) as conn:
            before = _told(conn, job, run_id)
            row |= {name: before[name] for name in COUNTS if before}
            upsert_rows(conn, t.run_service, [{**row, "finished_at": utc_now()}])
    return row


def preview_service(engine: Engine, settings: Settings, source: str, service_name: str, scope: str) -> dict[str, Any]:
    """What `sync_service` would do now, with examples: codes of rows that are new, changed or gone, and the reasons of
    those that would be rejected.

    Fetches all and writes nothing. A fetch that broke off before is left as it is, and not gone on with.
    """
    job = _Job(source, SOURCES[source].services[service_name], scope)

    def read() -> Plan | None:
        now = utc_now()
        pages = list(job.pages(settings))
        if not pages:
            return None
        content = [to_json(page.rows) for page in pages]  # as a sync stages them
        answer = _Answer(
            settings.sources[source].transport,
            pages[0].observed_at or now,
            lambda: (row for page in content for row in from_json(page)),
        )
        with reading(engine) as conn:
            return _plan(conn, settings, job, answer)

    plan, row = _outcome(settings, job, read)
    return {**row, "examples": {name: list(found) for name, found in (plan or Plan()).examples.items()}}


def _outcome(settings: Settings, job: _Job, read: Callable[[], Plan | None]) -> tuple[Plan | None, dict[str, Any]]:
    """What reading came to: the plan, and its place with status, message and counts."""
    plan, status, message = None, "success", None
    try:
        plan = read()
        if plan is None:
            status = "absent"
            if wanted := settings.sources[job.source].service(job.service.name).file:
                raise SourceUnavailable(f"the folder has no file {wanted}, which the settings name for this service")
    except Exception as error:
        # Whatever goes wrong with one service must not stop the others.
        status, message = "failed", str(error) if isinstance(error, JejakError) else defect(error)
    return plan, _row(job, status, message, plan.counts if plan else {})


def _row(job: _Job, status: str, message: str | None, counts: Mapping[str, int]) -> dict[str, Any]:
    return {**job.place, "status": status, "message": message, **{name: counts.get(name, 0) for name in COUNTS}}


def defect(error: BaseException) -> str:
    """What may be said of an error that nobody foresaw: its own text could hold a row's values."""
    if isinstance(error, SQLAlchemyError | OSError):
        return f"{type(error).__name__}: warehouse or disk failed. Nothing was changed; mend that and run again"
    steps = traceback.extract_tb(error.__traceback__)
    place = next(
        (
            f"{Path(step.filename).name}:{step.lineno}"
            for step in reversed(steps)
            if Path(step.filename).parent.name in ("pipeline", "transforms", "warehouse", "connectors")
        ),
        "?",
    )
    return f"{type(error).__name__} at {place}: a defect of Jejak. Nothing was changed; please report it with this line"


# --- staging ---------------------------------------------------------------------------------------------------------


def _stage(engine: Engine, settings: Settings, job: _Job) -> bool:
    """Bring all pages of a fetch into staging; False where the source has no such list (a folder without the file)."""
    transport = settings.sources[job.source].transport
    now = utc_now()
    with writing(engine) as conn:
        begun = conn.execute(select(t.staged_fetch).where(*job.of(t.staged_fetch))).mappings().one_or_none()
        if begun and (begun["transport"] != transport or _age(begun["started_at"], now) >= RESUME_WITHIN):
            begun = None
        if begun:
            conn.execute(update(t.staged_fetch).where(*job.of(t.staged_fetch)).values(reader=job.token))
            number = conn.execute(
                select(func.count()).select_from(t.staged_page).where(*job.of(t.staged_page))
            ).scalar_one()
            cursor = begun["next_cursor"]
        else:
            _discard(conn, job)
            cursor, number = None, 0
            fetch = {"run_id": job.run_id, "transport": transport, "observed_at": now, "started_at": now}
            insert_rows(conn, t.staged_fetch, [{**job.place, **fetch, "reader": job.token}])
    if begun and begun["complete"]:
        return True
    if number:
        log.info("%s: going on after page %d of a broken fetch.", job, number)
    for pages, page in enumerate(job.pages(settings, cursor), 1):
        values: dict[str, Any] = {"next_cursor": page.cursor, "complete": page.cursor is None}
        if page.observed_at and number == 0:
            values["observed_at"] = page.observed_at
        with writing(engine) as conn:
            if not conn.execute(update(t.staged_fetch).where(*_own(job)).values(**values)).rowcount:
                raise SourceUnavailable(_OVERTAKEN)
            staged = {**job.place, "number": number, "rows": to_json(page.rows), "name": page.name}
            insert_rows(conn, t.staged_page, [staged])
        number += 1
        if pages % 10 == 0:
            log.info("%s: %d pages so far.", job, number)
    if number == 0:
        with writing(engine) as conn:
            _discard(conn, job, t.staged_fetch.c.reader == job.token)
        return False
    return True


def _own(job: _Job) -> tuple[Any, ...]:
    """The condition for the fetch that this job reads: none if another has taken it over."""
    return *job.of(t.staged_fetch), t.staged_fetch.c.reader == job.token


def _discard(conn: Connection, job: _Job, *conditions: Any) -> None:
    """Forget a fetch and, by the reference, its pages."""
    conn.execute(delete(t.staged_fetch).where(*job.of(t.staged_fetch), *conditions))


def _age(then: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(then)


# --- promotion -------------------------------------------------------------------------------------------------------


def _take_over(engine: Engine, settings: Settings, job: _Job) -> Plan:
    """Plan and promote a complete fetch; planning, the long part, keeps no other writer waiting."""
    latest = select(func.coalesce(func.max(t.raw_record.c.id), 0)).where(*job.of(t.raw_record))
    staged = select(t.staged_fetch.c.transport, t.staged_fetch.c.observed_at).where(*_own(job))
    with reading(engine) as conn:
        begun = conn.execute(staged).one_or_none()
        if begun is None:
            raise SourceUnavailable(_OVERTAKEN)
        known = conn.execute(latest).scalar_one()
        answer = _Answer(begun.transport, begun.observed_at, lambda: _staged_rows(conn, job))
        plan = _plan(conn, settings, job, answer)
    with writing(engine) as conn:
        # The plan holds only if nobody has written rows of this place since; `prune` may have deleted some.
        if conn.execute(staged.with_for_update()).one_or_none() is None or conn.execute(latest).scalar_one() > known:
            raise SourceUnavailable(_OVERTAKEN)
        _promote(conn, plan, job)
    return plan


def _plan(conn: Connection, settings: Settings, job: _Job, answer: _Answer) -> Plan:
    """Compare a complete answer with what is known and count every row once.

    An answer older than one that is known adds to the history alone. Raises StructureError where the answer as a whole
    can't be taken over: a lost key column, far fewer rows than usual, more rejects than the settings allow, older than
    what is kept.
    """
    service = job.service
    options = settings.sources[job.source].service(service.name)
    open_rejects: dict[tuple[str | None, str], int | None] = {
        (reject.key, reject.content_hash): reject.id
        for reject in conn.execute(
            select(t.reject.c.key, t.reject.c.content_hash, t.reject.c.id).where(
                *job.of(t.reject), t.reject.c.resolved_at.is_(None)
            )
        )
    }
    plan = Plan()
    lost = _lost_keys(service, answer)
    if lost and options.max_reject_share < 1:
        raise StructureError(
            f"no row has {', '.join(lost)}, which it is known by. Nothing was changed. Look at what the source answers "
            f"now: if the column has a new name, add it to the aliases in schemas/{job.source}.py"
        )
    base = {**job.place, "run_id": job.run_id}
    rows: dict[str, dict[str, tuple[Identified, dict[str, Any], str]]] = defaultdict(dict)
    bad_keys: set[str] = set()
    nameless: set[str] = set()  # rows without a code, by their content
    observed = _Observed(settings, job.source, service, answer)
    plan.observed_at = answer.observed_at if answer.transport != "files" else ""
    for row in answer.rows():
        plan.counts["fetched"] += 1
        try:
            found = identify(service, row)
            if lost:
                raise RowError(f"lost key column: {', '.join(lost)} is in no row of this answer")
        except RowError as error:
            content = hash_of(service, renamed(service, row))
            nameless.add(content)
            _reject(plan, base, open_rejects, None, content, str(error), row, observed.at(row))
            continue
        same_key = rows[found.key]
        if found.content_hash in same_key:
            plan.counts["duplicate"] += 1
        else:
            when = observed.at(found.fields)
            plan.observed_at = max(plan.observed_at, when)
            same_key[found.content_hash] = (found, row, when)

    answers = _answers(conn, job)
    plan.older = bool(answers) and _is_older(plan.observed_at, answers[-1])
    history = _history(conn, job) if plan.older else {}
    kept = settings.keep_versions_days
    if plan.older and kept is not None and _age(plan.observed_at, utc_now()) > timedelta(days=kept):
        raise StructureError(
            f"this answer is of {plan.observed_at}, and of what was known then only a part is kept (keep_versions_days "
            "in the settings): put into its place it would tell of changes that never were. Nothing was changed; take "
            "it out of the folder, or set keep_versions_days to more days if `jejak prune` has not run yet"
        )
    if plan.older:
        # Compared with what was known of its own time.
        told = ((key, _at(versions, plan.observed_at)) for key, versions in history.items())
        heads = {key: head for key, head in told if head is not None}
    else:
        heads = {head.key: head for head in conn.execute(_versions(job).where(t.raw_record.c.current))}
    _check_rows(plan, heads, options)

    seen: set[str] = set()
    rejected_before = {key for key, _ in open_rejects}
    late: list[dict[str, Any]] = []
    for bare, contents in rows.items():
        for key, content_hash in _keys(bare, contents, heads).items():
            found, row, when = contents[content_hash]
            head = heads.get(key)
            if head is not None and not head.gone and head.content_hash == content_hash:
                seen.add(key)
                plan.counts["unchanged"] += 1
                if key in rejected_before:
                    plan.settled.append(key)
                continue
            try:
                record = service.model.model_validate(found.fields)
            except ValidationError as failure:
                _reject(plan, base, open_rejects, key, content_hash, _reason(failure), row, when)
                bad_keys.add(key)
                continue
            seen.add(key)
            plan.new_fields.update(clean(name) for name in record.model_extra or ())
            version: dict[str, Any] = {
                **base,
                "key": key,
                "kind": service.kind_of(found.fields),
                "code": found.code,
                "content_hash": content_hash,
                "observed_at": when,
                "payload": row,
                "gone": False,
                "current": True,
                "placed": False,
            }
            if head is not None and head.gone and not plan.older:
                # It is back as of this answer, though its own date may be that of before.
                when = max(when, plan.observed_at)
            later = when if head is None else _later(when, head.observed_at)
            if plan.older or later is None:
                # An older observation never replaces a newer one; it is history all the same.
                plan.counts["unchanged"] += 1
                late.append(version)
                continue
            plan.versions.append({**version, "observed_at": later})
            plan.settled.append(key)
            plan.count("new" if head is None or head.gone else "changed", found.code)
            if head is not None:
                plan.superseded.append(head.id)
    _check_rejects(plan, options)
    vanished = [
        head
        for key, head in heads.items()
        if plan.observed_at and not head.gone and key not in seen and key not in bad_keys
    ]
    if late and not plan.older:
        history = _history(conn, job, [version["key"] for version in late])
    for version in late:
        _remember(plan, history.get(version["key"], []), version["observed_at"], version, answers)
    if plan.older:
        # What is known now stands: this answer settles nothing, and what it lacks was gone for a while at most.
        plan.settled, plan.repeated = [], {}
        for head in vanished:
            _remember(plan, history[head.key], plan.observed_at, None, answers)
    else:
        plan.mended += [content for key, content in open_rejects if key is None and content not in nameless]
        for head in vanished:
            if (later := _later(plan.observed_at, head.observed_at)) is not None:
                plan.superseded.append(head.id)
                plan.copies.append((head.id, {"gone": True, "current": True, "observed_at": later}))
    for copy in _copied(conn, base, plan.copies):
        plan.versions.append(copy)
        if copy["gone"] and not plan.older:
            plan.count("gone", copy["code"])
    return plan


def _versions(job: _Job) -> Select[Any]:
    """The versions of a place's rows, without what they say: all of it comes from an index."""
    columns = t.raw_record.c
    return select(
        columns.key, columns.id, columns.content_hash, columns.observed_at, columns.gone, columns.current
    ).where(*job.of(t.raw_record))


def _answers(conn: Connection, job: _Job) -> list[str]:
    """When the answers that were taken over for this place were true at the source, in order."""
    observed = t.run_service.c.observed_at
    query = select(observed).where(*job.of(t.run_service), observed.is_not(None)).distinct().order_by(observed)
    return list(conn.execute(query).scalars())


def _history(conn: Connection, job: _Job, keys: list[str] | None = None) -> dict[str, list[Any]]:
    """The versions of each key in the order in which they became true: of these keys, or of all."""
    columns = t.raw_record.c
    query = _versions(job).order_by(columns.observed_at, columns.id)
    found: dict[str, list[Any]] = defaultdict(list)
    for version in conn.execute(query if keys is None else query.where(columns.key.in_(key_set(conn, keys)))):
        found[version.key].append(version)
    return found


def _at(versions: list[Any], when: str) -> Any:
    """The version that was the latest one at a time, if there was any."""
    return next((version for version in reversed(versions) if version.observed_at <= when), None)


def _remember(plan: Plan, versions: list[Any], when: str, version: dict[str, Any] | None, answers: list[str]) -> None:
    """Put what an older answer said of a key into its history: a version, or (None) that it was not there.

    What was the latest word at that time was repeated by the next answer, though nothing was written then: now that the
    two no longer stand side by side, it is written. So the history becomes the same in whatever order answers are read.
    """
    before = _at(versions, when)
    present = before is not None and not before.gone
    if version is None and not present:
        return
    if version is not None and present and before.content_hash == version["content_hash"]:
        return
    if version is None:
        plan.copies.append((before.id, {"gone": True, "current": False, "observed_at": when}))
    else:
        plan.versions.append({**version, "current": False})
    after = [known for known in versions if known.observed_at > when]
    following = next((answer for answer in answers if answer > when), None)
    if following is None or (after and after[0].observed_at <= following):
        return
    again = {"current": not after, "observed_at": following}
    if present:
        plan.copies.append((before.id, {**again, "gone": False}))
    elif version is not None:
        plan.versions.append({**version, **again, "gone": True})
    if not after:
        plan.superseded += [known.id for known in versions if known.current]


def _is_older(when: str, known: str) -> bool:
    """Whether an observation is older than what is known, and not of the same day."""
    return bool(when) and when < known and _age(when, known) >= _SAME_DAY


def _later(when: str, known: str) -> str | None:
    """The time to give to what was observed at `when` and differs from what is `known`: `when` itself, one second after
    what is known where both tell the same day, None where it is the older of the two."""
    if when > known:
        return when
    if _is_older(when, known):
        return None
    return (datetime.fromisoformat(known) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _promote(conn: Connection, plan: Plan, job: _Job) -> None:
    """Write what was planned and, so that no kill can part the two, what it came to."""
    now = utc_now()
    _write_versions(conn, plan)
    insert_rows(conn, t.reject, plan.rejects)
    rejects = update(t.reject).where(*job.of(t.reject), t.reject.c.resolved_at.is_(None))
    if plan.repeated:
        # The newest answer has them, whatever the dates of their rows.
        conn.execute(
            update(t.reject).where(t.reject.c.id == bindparam("number")).values(observed_at=bindparam("when")),
            [{"number": number, "when": max(when, plan.observed_at)} for number, when in plan.repeated.items()],
        )
    if plan.settled:
        conn.execute(rejects.where(t.reject.c.key.in_(key_set(conn, plan.settled))).values(resolved_at=now))
    if plan.mended:
        conn.execute(
            rejects.where(t.reject.c.key.is_(None), t.reject.c.content_hash.in_(key_set(conn, plan.mended))).values(
                resolved_at=now
            )
        )
    found = ((job.source, job.service.name, name, "", "field", rows) for name, rows in plan.new_fields.items())
    note_signals(conn, found, now)
    _discard(conn, job)
    before = _told(conn, job, job.run_id)
    _add_up(plan.counts, before)
    times = {"observed_at": max(plan.observed_at, before.get("observed_at") or "") or None, "finished_at": now}
    upsert_rows(conn, t.run_service, [{"run_id": job.run_id, **_row(job, "success", None, plan.counts), **times}])


def _told(conn: Connection, job: _Job, run_id: str) -> dict[str, Any]:
    """What a run has written of the place so far: some if its task is tried again, or was cleared by an operator."""
    runs = t.run_service
    found = conn.execute(select(runs).where(runs.c.run_id == run_id, *job.of(runs))).mappings().one_or_none()
    return dict(found) if found else {}


def _add_up(counts: Counter[str], before: Mapping[str, Any]) -> None:
    """Add what the same run had brought before: its counts say what came of all of it, `fetched` what it read last."""
    for name in ("new", "changed", "gone"):
        counts[name] += before.get(name, 0)
    # Rows that it brought before are mostly unchanged now; each counts once.
    for name in ("unchanged", "changed", "new"):
        counts[name] -= min(counts[name], sum(counts[each] for each in COUNTS[1:6]) - counts["fetched"])


def _write_versions(conn: Connection, plan: Plan) -> None:
    if plan.superseded:
        conn.execute(
            update(t.raw_record).where(t.raw_record.c.id.in_(key_set(conn, plan.superseded))).values(current=False)
        )
    insert_rows(conn, t.raw_record, plan.versions)


def note_signals(conn: Connection, found: Iterable[tuple[str, str, str, str, str, int]], now: str) -> None:
    """Write down what the sources say that nothing here knows: (source, service, field, value, kind, rows).

    Rows of several calls with the same `now` add up, also of several processes at once: the batches of one run.
    """
    columns = t.signal.c
    # Always in the same order: writers of the same rows wait for each other.
    rows = [
        {**dict(zip(("source", "service", "field", "value", "kind", "rows"), each, strict=True)), "last_seen": now}
        for each in sorted(found)
    ]
    if not rows:
        return
    seen = select(columns.source, columns.service, columns.field, columns.value)
    named = columns.value.in_(key_set(conn, [str(row["value"]) for row in rows]))
    known = {tuple(row) for row in conn.execute(seen.where(named))}
    for row in rows:
        place = (row["source"], row["service"], row["field"], row["value"])
        if place not in known:
            what = "field" if row["kind"] == "field" else "value of"
            log.warning("%s %s: unknown %s %s %s.", row["source"], row["service"], what, row["field"], row["value"])
    insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(t.signal)
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=list(t.signal.primary_key),
        set_={
            "kind": new.kind,
            "rows": new.rows + case((columns.last_seen == new.last_seen, columns.rows), else_=0),
            "last_seen": new.last_seen,
        },
        # Of two runs at once the one that began later is the last.
        where=columns.last_seen <= new.last_seen,
    )
    conn.execute(upsert, [{**row, "first_seen": now} for row in rows])


def _staged_rows(conn: Connection, job: _Job) -> Iterator[dict[str, Any]]:
    pages = conn.execute(select(t.staged_page.c.rows).where(*job.of(t.staged_page)).order_by(t.staged_page.c.number))
    for (page,) in pages:
        yield from from_json(page)


def _lost_keys(service: Service, answer: _Answer) -> list[str]:
    """Key fields that no row of a non-empty answer has."""
    missing = set(service.key) - service.optional_key
    any_rows = False
    for row in answer.rows():
        any_rows = True
        missing -= row.keys()
        if missing:
            missing -= {service.aliases.get(name, name) for name in row}
        if not missing:
            break
    return [name for name in service.key if name in missing] if any_rows else []


def _check_rows(plan: Plan, heads: dict[str, Any], options: ServiceSettings) -> None:
    usual = options.usual_rows if options.usual_rows is not None else sum(not head.gone for head in heads.values())
    if usual >= _FEW and plan.counts["fetched"] < options.min_share * usual:
        raise StructureError(
            f"{plan.counts['fetched']} rows where about {usual} are usual. Nothing was "
            "changed. Look at the source; if so few are right, lower min_share for this service in the settings"
        )


def _check_rejects(plan: Plan, options: ServiceSettings) -> None:
    rejected, fetched = plan.counts["rejected"], plan.counts["fetched"]
    if rejected >= _FEW and rejected > options.max_reject_share * fetched:
        raise StructureError(
            f"{rejected} of {fetched} rows can't be used, the first because "
            f"{plan.rejects[0]['reason'] if plan.rejects else 'of what `jejak rejects` shows'}. Nothing was changed. "
            "Mend the source or the schema; to keep them as rejects, raise max_reject_share for this service"
        )


def _keys(bare: str, contents: dict[str, Any], heads: dict[str, Any]) -> dict[str, str]:
    """key -> content hash. Rows that share a key and differ are all kept: one under the bare key (the one that had it
    before, else the lowest hash), the others with their hash as suffix."""
    if len(contents) == 1:
        return {bare: next(iter(contents))}
    head = heads.get(bare)
    first = head.content_hash if head is not None and head.content_hash in contents else min(contents)
    return {bare if content == first else f"{bare}#{content[:8]}": content for content in sorted(contents)}


class _Observed:
    """When rows were true at the source: live answers now; dumps on the day their rows, settings or file say."""

    def __init__(self, settings: Settings, source: str, service: Service, answer: _Answer) -> None:
        dumped = answer.transport == "files"
        self._field = service.observed_field if dumped else None
        self._offset = settings.utc_offset
        self._now = utc_now()
        self._known: dict[object, str] = {}
        dumped_on = settings.sources[source].dumped_on
        self._default = self._end_of(str(dumped_on)) if dumped and dumped_on else min(answer.observed_at, self._now)

    def at(self, fields: dict[str, Any]) -> str:
        """UTC time of observation of one row."""
        value = fields.get(self._field) if self._field else None
        if value is None or isinstance(value, dict | list):
            return self._default
        if value not in self._known:
            try:
                local = _local_time.validate_python(value)
            except ValidationError:
                local = None
            self._known[value] = self._end_of(local) if local else self._default
        return self._known[value]

    def _end_of(self, local: str) -> str:
        # An extraction date has no time: what happened on that day may be in it, as far as the day has gone.
        text = local if len(local) > 10 else f"{local}T23:59:59"
        moment = datetime.fromisoformat(text + self._offset).astimezone(UTC)
        return min(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), self._now)


def _copied(conn: Connection, base: dict[str, Any], copies: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """New versions that repeat known ones, by their ids, but for what is said to differ."""
    if not copies:
        return []
    columns = t.raw_record.c
    found = {
        row["id"]: {**base, **{name: row[name] for name in row if name != "id"}, "placed": False}
        for row in conn.execute(
            select(columns.id, columns.key, columns.kind, columns.code, columns.content_hash, columns.payload).where(
                columns.id.in_(key_set(conn, [copy for copy, _ in copies]))
            )
        ).mappings()
    }
    return [{**found[copy], **changes} for copy, changes in sorted(copies, key=lambda each: each[0])]


def _reject(
    plan: Plan,
    base: dict[str, Any],
    known: dict[tuple[str | None, str], int | None],
    key: str | None,
    content_hash: str,
    reason: str,
    row: dict[str, Any],
    observed_at: str,
) -> None:
    plan.count("rejected", reason)
    if (key, content_hash) in known:
        if (number := known[key, content_hash]) is not None:
            plan.repeated[number] = observed_at
        return
    known[key, content_hash] = None
    plan.rejects.append(
        {
            **base,
            "key": key,
            "content_hash": content_hash,
            "reason": reason,
            "payload": to_json(row),
            "observed_at": observed_at,
            "rejected_at": utc_now(),
        }
    )


def _reason(failure: ValidationError) -> str:
    """Which fields are wrong and how, never their values."""
    faults = failure.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'row'}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults
    )


def retry_rejects(engine: Engine, source: str | None, run_id: str) -> dict[str, int]:
    """Try every open reject again with today's code; accepted ones become row versions, the others stay."""
    columns = t.reject.c
    # Refused releases and processes that could not be derived are no rows: they are derived again.
    waiting = select(t.reject).where(columns.resolved_at.is_(None), columns.scope != "release").order_by(columns.id)
    with reading(engine) as conn:
        rejects = conn.execute(waiting if source is None else waiting.where(columns.source == source)).all()
    accepted = 0
    for place in dict.fromkeys((reject.source, reject.service, reject.scope) for reject in rejects):
        job = _Job(place[0], SOURCES[place[0]].services[place[1]], place[2])
        with holding(engine, str(job)), writing(engine) as conn:
            for reject in conn.execute(waiting.where(*job.of(t.reject))).mappings().all():
                accepted += _retry(conn, job, reject, run_id)
    with reading(engine) as conn:
        left = conn.execute(
            select(func.count()).select_from(t.reject).where(columns.resolved_at.is_(None))
        ).scalar_one()
    return {"accepted": accepted, "left": left}


def _retry(conn: Connection, job: _Job, reject: RowMapping, run_id: str) -> bool:
    """Take over a rejected row if today's code can use it."""
    service = job.service
    row = from_json(reject["payload"])
    try:
        found = identify(service, row)
        service.model.model_validate(found.fields)
    except (RowError, ValidationError):
        return False
    if any(part not in found.fields for part in set(service.key) - service.optional_key):
        return False
    key = reject["key"] or found.key
    columns = t.raw_record.c
    head = conn.execute(
        select(columns.id, columns.observed_at, columns.run_id, columns.gone).where(
            *job.of(t.raw_record), columns.key == key, columns.current
        )
    ).one_or_none()
    # The answer that it came with may be newer than its own date.
    answered_at = max(reject["observed_at"], _told(conn, job, reject["run_id"]).get("observed_at") or "")
    if head is not None and (
        head.run_id == reject["run_id"] or (head.run_id == run_id and head.observed_at == reject["observed_at"])
    ):
        # Rows of one answer that share a key and differ are all kept.
        key, head = f"{key}#{found.content_hash[:8]}", None
    version = {
        **job.place,
        "key": key,
        "kind": service.kind_of(found.fields),
        "code": found.code,
        "content_hash": found.content_hash,
        "observed_at": answered_at if head is not None and head.gone else reject["observed_at"],
        "run_id": run_id,
        "payload": row,
        "gone": False,
        "current": True,
        "placed": False,
    }
    plan = Plan()
    answers = _answers(conn, job)
    if answers and _is_older(answered_at, answers[-1]):
        # The source has answered since, without this row.
        _remember(plan, _history(conn, job, [key])[key], version["observed_at"], version, answers)
        plan.versions += _copied(conn, {**job.place, "run_id": run_id}, plan.copies)
    elif head is None or head.observed_at < version["observed_at"]:
        plan.versions.append(version)
        plan.superseded += [head.id] if head is not None else []
    else:
        plan.versions.append({**version, "current": False})
    _write_versions(conn, plan)
    conn.execute(update(t.reject).where(t.reject.c.id == reject["id"]).values(resolved_at=utc_now()))
    return True
