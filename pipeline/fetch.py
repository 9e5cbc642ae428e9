"""A service's rows from the source into `raw_record`: a complete, checked answer is taken over whole or not at all."""

import logging
import re
import secrets
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine, bindparam, case, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from connectors.transport.read import resumes
from pipeline.clock import local_time, utc_now
from pipeline.facts import Changed, Facts, drop_facts, extract, settle, write_facts
from pipeline.links import RowKey
from pipeline.queues import settling
from pipeline.registry import SOURCES, code_fingerprint
from pipeline.workers import uncollected
from schemas.errors import JejakError, RowError, SettingsError, SourceUnavailable, StructureError
from schemas.fields import LocalTime, clean
from schemas.service import UNREADABLE, Page, Service, read_row
from schemas.settings import ServiceSettings, Settings
from transforms.identity import Code
from transforms.rows import hash_of, identify, renamed, wire_hash
from warehouse import tables as t
from warehouse.engine import from_json, holding, reading, to_json, writing
from warehouse.failures import explained
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
_EXAMPLES = 20
_SIBLING = re.compile(r"#[0-9a-f]{8}$")
_LOST_KEY = "lost key column"
_local_time: TypeAdapter[str | None] = TypeAdapter(LocalTime)


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
    def scope_key(self) -> dict[str, str]:
        """The columns by which tables know a service read for a scope."""
        return {"source": self.source, "service": self.service.name, "scope": self.scope}

    def of(self, table: Any) -> tuple[Any, ...]:
        """The condition for rows of this service and scope."""
        return tuple(table.c[name] == value for name, value in self.scope_key.items())

    def pages(self, settings: Settings, cursor: str | None = None) -> Generator[Page, None, None]:
        """The source's answer, from a cursor on."""
        source = settings.sources[self.source].of(self.service.name)
        yield from SOURCES[self.source].fetch(self.service, settings, source, self.scope, cursor)

    def transport(self, settings: Settings) -> str:
        """How it is read."""
        return settings.sources[self.source].of(self.service.name).transport


@dataclass(frozen=True, slots=True)
class _Answer:
    """A complete answer of a source: when it was given, and its rows."""

    transport: str
    observed_at: str
    rows: Iterable[dict[str, Any]]


class _CurrentRow(NamedTuple):
    """The current row version of a key, as it is stored."""

    key: str
    id: int
    content_hash: str
    wire_hash: str
    observed_at: str
    gone: bool
    code: str
    kind: str | None


@dataclass(slots=True)
class _Content:
    """A row of the answer: as received, and when it was observed; `stored` where it is known with this content."""

    content_hash: str
    wire_hash: str
    observed_at: str
    code: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    stored: _CurrentRow | None = None


@dataclass(slots=True)
class _Version:
    """A row version to be written, with its facts where it becomes current."""

    values: dict[str, Any]
    facts: Facts | None = None


@dataclass(slots=True)
class Diff:
    """What taking over an answer will change; nothing is written before the answer is complete and checked."""

    counts: Counter[str] = field(default_factory=Counter)
    observed_at: str = ""  # when the answer was true at the source; empty where it doesn't say
    older: bool = False  # a newer answer is known: this one adds to the history alone
    first: bool = False  # no row of the service was known
    versions: list[_Version] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    same: list[tuple[int, str]] = field(default_factory=list)  # known content that travelled otherwise: id, wire hash
    codes: set[tuple[str, str]] = field(default_factory=set)  # whose rows changed
    gone: list[_CurrentRow] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)  # open rejects that the answer does not bring again
    new_fields: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)  # (field, reason) left out of rows
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
    """Fetch one service for one scope (fiscal year or "all") and take its answer over; return its counts and status.

    A failure is recorded under the run and returned as status `failed` with its message; it changes no rows. A broken
    fetch over cursors keeps its pages and goes on where it stopped when it is called again. Who comes while another
    reads the same waits, and then fetches anew. Where the same run reads it once more (its task is tried again, or was
    cleared), the counts are those of the run as a whole: what it brought before stays new, changed or gone.
    """
    job = _Job(source, SOURCES[source].services[service_name], scope, run_id, secrets.token_hex(8))

    def read() -> Diff | None:
        with holding(engine, str(job)):
            try:
                return _take_over(engine, settings, job)
            except StructureError:
                # These pages will never do: the next run must fetch again.
                with writing(engine) as conn:
                    _discard(conn, job, t.staged_fetch.c.reader == job.token)
                raise

    diff, row = _outcome(settings, job, read)
    row = {"run_id": run_id, **row}
    if row["status"] == "failed":
        # The same error is logged once; whoever reads the log of one task has a process of his own.
        first = _logged.setdefault((run_id, source, same_reason(str(row["message"]), job.service.name)), str(job))
        if first == str(job):
            log.error("%s: %s.", job, row["message"])
        else:
            log.error("%s: failed as %s did.", job, first)
    else:
        counts = ", ".join(f"{n} {row[n]}" for n in COUNTS) if diff else "the source has no such list"
        if diff and diff.older:
            counts += f"; as of {diff.observed_at}, which is older than what is known: it adds to the history alone"
        log.info("%s: %s.", job, counts)
    if diff is None:
        with writing(engine) as conn:
            before = _counted(conn, job, run_id)
            row |= {name: before[name] for name in COUNTS if before}
            kept = {name: value for name, value in row.items() if name != "final"}
            upsert_rows(conn, t.run_service, [{**kept, "finished_at": utc_now()}])
    return row


def preview_service(engine: Engine, settings: Settings, source: str, service_name: str, scope: str) -> dict[str, Any]:
    """What `sync_service` would do now, with examples: codes of rows that are new, changed or gone, and the reasons of
    those that would be rejected.

    Fetches all and writes nothing. A fetch that broke off before is left as it is, and not gone on with.
    """
    job = _Job(source, SOURCES[source].services[service_name], scope)

    def read() -> Diff | None:
        answer = _direct(settings, job)
        with reading(engine) as conn:
            return _diff(conn, settings, job, answer) if answer else None

    diff, row = _outcome(settings, job, read)
    return {**row, "examples": {name: list(found) for name, found in (diff or Diff()).examples.items()}}


_logged: dict[tuple[str, str, str], str] = {}
"""The first job that failed, by run, source and reason."""
# Of an HTTP source's message: what was asked for, which differs from service to service where the reason does not.
_REQUEST = re.compile(r"^(ISB \S+ \(service_no \S+\)|(INAPROC|REST) \S+) ")


def same_reason(message: str, service: str) -> str:
    """Why a service failed, alike for all services that failed for that reason."""
    return _REQUEST.sub("it ", message.rstrip(".")).replace(f'"{service}"', '"..."')


def _outcome(settings: Settings, job: _Job, read: Callable[[], Diff | None]) -> tuple[Diff | None, dict[str, Any]]:
    """What reading came to: the diff, and the columns of `run_service` with status, message and counts; `final` where
    no further attempt helps, but other settings."""
    diff, status, message, final = None, "success", None, False
    try:
        diff = read()
        if diff is None:
            status = "absent"
            if wanted := settings.sources[job.source].service(job.service.name).file:
                raise SourceUnavailable(f"the folder has no file {wanted}, which the settings name for this service")
    except Exception as error:
        # Whatever goes wrong with one service must not stop the others.
        status, message = "failed", str(error) if isinstance(error, JejakError) else defect(error)
        final = isinstance(error, SettingsError)
    row = _row(job, status, message, diff.counts if diff else {})
    return diff, row | {"final": True} if final else row


def _row(job: _Job, status: str, message: str | None, counts: Mapping[str, int]) -> dict[str, Any]:
    return {**job.scope_key, "status": status, "message": message, **{name: counts.get(name, 0) for name in COUNTS}}


def defect(error: BaseException) -> str:
    """What may be printed of an error that nobody foresaw: its own text could hold a row's values."""
    if isinstance(error, KeyboardInterrupt):
        return "it was stopped by Ctrl-C; the same command goes on"
    if reason := explained(error):
        return f"{reason}. Nothing was changed"
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


# --- reading ---------------------------------------------------------------------------------------------------------


def _direct(settings: Settings, job: _Job) -> _Answer | None:
    """An answer that is read as its rows are asked for; None where the source has no such list."""
    now = utc_now()
    pages = job.pages(settings)
    first = next(pages, None)
    if first is None:
        return None

    def rows() -> Iterator[dict[str, Any]]:
        yield from first.rows
        for page in pages:
            yield from page.rows

    return _Answer(job.transport(settings), first.observed_at or now, rows())


def _staged(engine: Engine, settings: Settings, job: _Job) -> _Answer | None:
    """Bring all pages of a fetch into staging; None where the source has no such list."""
    transport = job.transport(settings)
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
            cursor, observed_at = begun["next_cursor"], begun["observed_at"]
        else:
            _discard(conn, job)
            cursor, number, observed_at = None, 0, now
            fetch = {"run_id": job.run_id, "transport": transport, "observed_at": now, "started_at": now}
            insert_rows(conn, t.staged_fetch, [{**job.scope_key, **fetch, "reader": job.token}])
    answer = _Answer(transport, observed_at, _staged_rows(engine, job))
    if begun and begun["complete"]:
        return answer
    if number:
        log.info("%s: going on after page %d of a broken fetch.", job, number)
    # Closed at once also where the warehouse fails: a connection to the source ends in the thread that began it.
    with closing(job.pages(settings, cursor)) as pages:
        for count, page in enumerate(pages, 1):
            values: dict[str, Any] = {"next_cursor": page.cursor, "complete": page.cursor is None}
            with writing(engine) as conn:
                if not conn.execute(update(t.staged_fetch).where(*_own(job)).values(**values)).rowcount:
                    raise SourceUnavailable(_OVERTAKEN)
                page_row = {**job.scope_key, "number": number, "rows": to_json(page.rows), "name": page.name}
                insert_rows(conn, t.staged_page, [page_row])
            number += 1
            if count % 10 == 0:
                log.info("%s: %d pages so far.", job, number)
    if number == 0:
        with writing(engine) as conn:
            _discard(conn, job, t.staged_fetch.c.reader == job.token)
        return None
    return answer


def _staged_rows(engine: Engine, job: _Job) -> Iterator[dict[str, Any]]:
    pages = select(t.staged_page.c.rows).where(*job.of(t.staged_page)).order_by(t.staged_page.c.number)
    with reading(engine) as conn:
        for (page,) in conn.execute(pages):
            yield from from_json(page)


def _own(job: _Job) -> tuple[Any, ...]:
    """The condition for the fetch that this job reads: none if another has taken it over."""
    return *job.of(t.staged_fetch), t.staged_fetch.c.reader == job.token


def _discard(conn: Connection, job: _Job, *conditions: Any) -> None:
    """Forget a fetch and, by the reference, its pages."""
    conn.execute(delete(t.staged_fetch).where(*job.of(t.staged_fetch), *conditions))


def _age(then: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(then)


# --- taking over -----------------------------------------------------------------------------------------------------


def _take_over(engine: Engine, settings: Settings, job: _Job) -> Diff | None:
    """Compare and write a complete answer; comparing, the long part, keeps no other writer waiting."""
    columns = t.raw_record.c
    latest = select(func.max(columns.id)).where(*job.of(t.raw_record), columns.current)
    staged = resumes(job.transport(settings))
    answer = _staged(engine, settings, job) if staged else _direct(settings, job)
    if answer is None:
        return None
    with uncollected():
        with reading(engine) as conn:
            known = conn.execute(latest).scalar_one()
            diff = _diff(conn, settings, job, answer)
        with writing(engine) as conn:
            reader = select(t.staged_fetch.c.reader).where(*_own(job)).with_for_update()
            if staged and conn.execute(reader).first() is None:
                raise SourceUnavailable(_OVERTAKEN)
            # The diff holds only if nobody has written rows of this service and scope since.
            if conn.execute(latest).scalar_one() != known:
                raise SourceUnavailable(_OVERTAKEN)
            _write(conn, settings, diff, job)
    return diff


def _diff(conn: Connection, settings: Settings, job: _Job, answer: _Answer) -> Diff:
    """Compare a complete answer with what is known, and count every row once.

    Raises StructureError where the answer as a whole can't be believed: a lost key column, far fewer usable keys than
    usual, more rejects than the settings allow.
    """
    service = job.service
    options = settings.sources[job.source].service(service.name)
    current = _current_rows(conn, job)
    observed = _Observed(settings, job, answer)
    reader = _Reader(job, current, observed.at)
    if answer.transport != "files":
        reader.observed_at = observed.default
    for row in answer.rows:
        reader.take(row)
    diff = reader.diff
    diff.observed_at = reader.observed_at
    diff.first = not current
    newest = conn.execute(select(t.answer.c.observed_at).where(*job.of(t.answer))).scalar_one_or_none()
    diff.older = bool(newest and diff.observed_at and diff.observed_at < newest)
    reader.check_keys(options)
    reader.settle(conn)
    reader.reject_open(conn)
    _check_rejects(diff, options)
    _check_fields(diff)
    live = [stored for stored in current.values() if not stored.gone]
    if not diff.older:
        _check_rows(diff, len(reader.present()), len(live), options)
    if not diff.older and diff.observed_at:
        reader.find_gone(live)
    return diff


def _current_rows(conn: Connection, job: _Job) -> dict[str, _CurrentRow]:
    columns = t.raw_record.c
    query = select(*(columns[name] for name in _CurrentRow._fields)).where(*job.of(t.raw_record), columns.current)
    return {row.key: _CurrentRow(*row) for row in conn.execute(query)}


def _refusal(error: Exception) -> str:
    """Why a row can't be used. Also what nobody foresaw in one row must not stop the others."""
    return str(error) if isinstance(error, RowError) else defect(error)


def _base(stored: _CurrentRow) -> str:
    """The key of a row of a list without keys, without its number."""
    return stored.key if stored.key.endswith(stored.content_hash[:16]) else stored.key.rpartition("|")[0]


class _Reader:
    """Sorts the rows of one answer: known ones by their hash as received, others by what they hold."""

    def __init__(
        self,
        job: _Job,
        current: dict[str, _CurrentRow],
        when: Callable[[Mapping[str, Any]], str],
        *,
        retried: bool = False,
    ) -> None:
        self.job, self.current, self.when, self.retried = job, current, when, retried
        self.diff = Diff()
        self.observed_at = ""
        self.known: dict[str, list[_CurrentRow]] = defaultdict(list)  # by hash as received
        for stored in sorted(current.values()):
            if not stored.gone:
                self.known[stored.wire_hash].append(stored)
        self.seen: dict[str, str] = {}  # key -> when, of rows that are as they were
        self.wires: Counter[str] = Counter()
        self.taken: dict[str, _Content] = {}  # by hash as received
        self.order: list[str] = []  # of a list without keys: its rows as they came
        self.rows: dict[str, dict[str, _Content]] = defaultdict(dict)  # bare key -> content hash -> content
        self.unread: list[
            tuple[str | None, str, str, dict[str, Any], str]
        ] = []  # rejected: key, hash, reason, row, when
        self.unread_codes: set[str | None] = set()
        self.numbered: dict[str, list[str]] = defaultdict(list)  # of a list without keys: the keys of equal rows
        self.fields: dict[str, None] = {}
        self.old: list[tuple[str, _Content]] = []  # what older times held, with its key

    def take(self, row: dict[str, Any]) -> None:
        """One row of the answer."""
        service, diff = self.job.service, self.diff
        diff.counts["fetched"] += 1
        if row.keys() != self.fields.keys():
            self.fields.update(dict.fromkeys(row))
        wire = wire_hash(service, row).hex()
        times = self.wires[wire]
        self.wires[wire] = times + 1
        if service.keyless:
            self.order.append(wire)
        elif times:
            diff.counts["duplicate"] += 1
            self._take_again(wire, self.when(row))
            return
        if (fault := row.get(UNREADABLE)) is not None:
            self.unread.append((None, wire, f"line {fault['line']}: {fault['reason']}", row, self.when({})))
            self.unread_codes.add(None)
            return
        stored = self.known.get(wire, ())
        if times < len(stored):
            when = self.when(row)
            self.seen[stored[times].key] = when
            self.observed_at = max(self.observed_at, when)
            if service.keyless:
                self.numbered[_base(stored[times])].append(stored[times].key)
            return
        try:
            found = identify(service, row)
        except Exception as error:
            hashed = hash_of(service, renamed(service, row)) if isinstance(error, RowError) else wire
            self.unread.append((None, hashed, _refusal(error), row, self.when(row)))
            self.unread_codes.add(None)
            return
        when = self.when(found.fields)
        self.observed_at = max(self.observed_at, when)
        key = found.key
        if service.keyless:
            # A row without a key is known by its content; equal rows are numbered.
            base = f"{found.key}|{found.content_hash[:16]}"
            number = len(self.numbered[base]) + 1
            key = base if number == 1 else f"{base}|{number}"
            while key in self.seen or key in self.rows:
                number += 1
                key = f"{base}|{number}"
            self.numbered[base].append(key)
        same = self.rows[key]
        content = _Content(found.content_hash, wire, when, found.code, found.fields, row)
        if (before := same.get(found.content_hash)) is None:
            same[found.content_hash] = content
        else:
            before.observed_at = max(before.observed_at, when)
            diff.counts["duplicate"] += 1
        self.taken[wire] = same[found.content_hash]

    def _take_again(self, wire: str, when: str) -> None:
        """A row that the answer has once more: it is as new as the newest of them."""
        if stored := self.known.get(wire):
            self.seen[stored[0].key] = max(self.seen[stored[0].key], when)
        elif content := self.taken.get(wire):
            content.observed_at = max(content.observed_at, when)
        else:
            return
        self.observed_at = max(self.observed_at, when)

    def check_keys(self, options: ServiceSettings) -> None:
        """Raises StructureError where no row has one of the fields that rows are known by."""
        service, diff = self.job.service, self.diff
        lost = service.lost_key(self.fields)
        if lost and diff.counts["fetched"] and options.max_reject_share < 1:
            raise StructureError(
                f"no row has {', '.join(lost)}, which it is known by. Nothing was changed. Look at what the source "
                f"answers now: if the column has a new name, name it under `columns` of this service in the settings"
            )
        if lost and diff.counts["fetched"]:
            for bare, contents in self.rows.items():
                for each in contents.values():
                    reason = f"{_LOST_KEY}: {', '.join(lost)} is in no row of this answer"
                    self.unread.append((bare, each.content_hash, reason, each.row, each.observed_at))
                    self.unread_codes.add(None)
            self.rows.clear()

    def settle(self, conn: Connection) -> None:
        """Decide what becomes of every row that is not as it was."""
        if self.job.service.keyless:
            self._drop_repeats()
        suffixed: dict[str, list[str]] = defaultdict(list)
        for key in self.current:
            if _SIBLING.search(key):
                suffixed[key[:-9]].append(key)  # without "#" and eight digits
        # Also of rows that are all as they were one may be the only one left, or older than another.
        for bare in sorted(self.rows.keys() | suffixed.keys()):
            contents = dict(self.rows.get(bare, {}))
            for key in (bare, *suffixed.get(bare, ())):
                if key in self.seen:
                    stored = self.current[key]
                    self.diff.counts["duplicate"] += stored.content_hash in contents
                    contents[stored.content_hash] = _Content(
                        stored.content_hash, stored.wire_hash, self.seen.pop(key), stored.code, stored=stored
                    )
            latest = max((each.observed_at for each in contents.values()), default="")
            current = sorted(name for name, each in contents.items() if each.observed_at == latest)
            for content in current:
                key = bare if content == current[0] else f"{bare}#{content[:8]}"
                self._settle(conn, key, contents[content])
            self.old += [(bare, each) for each in contents.values() if each.observed_at != latest]
        self._keep_history(conn)
        self.diff.counts["unchanged"] += len(self.seen)

    def present(self) -> set[str]:
        """The usable keys of the answer."""
        return {version.values["key"] for version in self.diff.versions} | self.seen.keys() | {k for k, _ in self.old}

    def _drop_repeats(self) -> None:
        """A list without keys that stands in the answer several times as a whole counts once."""
        rows = self.order
        parts = (part for part in range(2, len(rows) // 2 + 1) if len(rows) % part == 0)
        # The same row over and over is no list that repeats.
        part = next((part for part in parts if rows[part:] == rows[:-part] and len(set(rows[:part])) > 1), None)
        if part is None:
            return
        times = len(rows) // part
        for keys in self.numbered.values():
            for key in sorted(keys, key=lambda each: (len(each), each))[len(keys) // times :]:
                self.rows.pop(key, None)
                self.seen.pop(key, None)
                self.diff.counts["duplicate"] += 1

    def _settle(self, conn: Connection, key: str, content: _Content) -> None:
        """A row that the answer holds as the present one of its key."""
        diff, service = self.diff, self.job.service
        stored = self.current.get(key)
        if stored is not None and not stored.gone and stored.content_hash == content.content_hash:
            self.seen[key] = content.observed_at
            if stored.wire_hash != content.wire_hash:
                diff.same.append((stored.id, content.wire_hash))
            return
        if content.stored is not None:
            # It is known under another key: of rows that share one, the suffix is another now.
            payload = select(t.raw_record.c.payload).where(t.raw_record.c.id == content.stored.id)
            content.row = conn.execute(payload).scalar_one()
            content.fields = renamed(service, content.row)
        older = diff.older or (self.retried and stored and not stored.gone and content.observed_at < stored.observed_at)
        version = self._version(key, content)
        subject = (version.values["kind"], content.code)
        try:
            record, dropped = read_row(service, content.fields)
            if not older:
                version.facts = extract(self.job.source, service, record, subject)
        except Exception as error:
            self.unread.append((key, content.content_hash, _refusal(error), content.row, content.observed_at))
            self.unread_codes.add(content.code)
            return
        if older:
            self.old.append((key, content))
            return
        diff.new_fields.update(clean(name) for name in record.model_extra or () if name not in service.ignored)
        diff.dropped.update(dropped.items())
        diff.versions.append(version)
        if subject[0]:
            diff.codes.add((subject[0], content.code))
        diff.count("new" if stored is None or stored.gone else "changed", content.code)
        if stored is not None:
            diff.superseded.append(stored.id)

    def _version(self, key: str, content: _Content) -> _Version:
        job = self.job
        return _Version(
            {
                **job.scope_key,
                "key": key,
                "kind": job.service.kind_of(content.fields),
                "code": content.code,
                "content_hash": content.content_hash,
                "wire_hash": content.wire_hash,
                "observed_at": content.observed_at,
                "run_id": job.run_id,
                "payload": content.row,
                "gone": False,
                "current": True,
            }
        )

    def _keep_history(self, conn: Connection) -> None:
        """Keep what older times held, as far as it is not known: it changes nothing but the history."""
        if not self.old:
            return
        columns = t.raw_record.c
        bare = [_SIBLING.sub("", key) for key, _ in self.old]
        keys = {*bare, *(f"{key}#{each.content_hash[:8]}" for key, (_, each) in zip(bare, self.old, strict=True))}
        rows = conn.execute(
            select(columns.key, columns.content_hash)
            .where(*self.job.of(t.raw_record), ~columns.current)
            .where(columns.key.in_(key_set(conn, keys)))
        )
        # What is known was known by its key with or without a suffix.
        known = {(_SIBLING.sub("", row.key), row.content_hash) for row in rows}
        known |= {(_SIBLING.sub("", stored.key), stored.content_hash) for stored in self.current.values()}
        for bare_key, (key, content) in zip(bare, self.old, strict=True):
            self.diff.counts["unchanged"] += 1
            if (bare_key, content.content_hash) not in known:
                known.add((bare_key, content.content_hash))
                version = self._version(key, content)
                version.values["current"] = False
                self.diff.versions.append(version)
                if self.job.service.name in SOURCES[self.job.source].mapping.histories and version.values["kind"]:
                    self.diff.codes.add((version.values["kind"], content.code))

    def reject_open(self, conn: Connection) -> None:
        """Count the rows that can't be used; those known as such stay as they are, the answer closes the others."""
        columns = t.reject.c
        open_rejects = {
            (row.key, row.content_hash): row.id
            for row in conn.execute(
                select(columns.key, columns.content_hash, columns.id).where(
                    *self.job.of(t.reject), columns.resolved_at.is_(None), columns.ocid.is_(None)
                )
            )
        }
        for key, content_hash, reason, row, when in self.unread:
            self.diff.count("rejected", reason)
            if open_rejects.pop((key, content_hash), None) is None:
                self.diff.rejects.append(
                    {
                        **self.job.scope_key,
                        "run_id": self.job.run_id,
                        "key": key,
                        "content_hash": content_hash,
                        "reason": reason,
                        "payload": to_json(row),
                        "observed_at": when,
                        "rejected_at": utc_now(),
                        # Of an older answer it is history, and is not tried again.
                        "resolved_at": utc_now() if self.diff.older else None,
                    }
                )
        if not self.diff.older:
            self.diff.closed = list(open_rejects.values())

    def find_gone(self, live: list[_CurrentRow]) -> None:
        """Keys that the answer no longer holds: none that a row may be which could not be read."""
        if None in self.unread_codes:
            return
        present = self.present()
        for stored in live:
            if (
                stored.key not in present
                and stored.code not in self.unread_codes
                and stored.observed_at <= self.diff.observed_at
            ):
                self.diff.gone.append(stored)
                self.diff.superseded.append(stored.id)
                self.diff.count("gone", stored.code)
                if stored.kind:
                    self.diff.codes.add((stored.kind, stored.code))
                tombstone: dict[str, Any] = {
                    **self.job.scope_key,
                    "key": stored.key,
                    "kind": stored.kind,
                    "code": stored.code,
                    "content_hash": stored.content_hash,
                    "wire_hash": stored.wire_hash,
                    "observed_at": self.diff.observed_at,
                    "run_id": self.job.run_id,
                    "payload": {},
                    "gone": True,
                    "current": True,
                }
                self.diff.versions.append(_Version(tombstone))


def _check_rows(diff: Diff, usable: int, live: int, options: ServiceSettings) -> None:
    usual = options.usual_rows if options.usual_rows is not None else live
    if options.min_share and ((usual >= _FEW and usable < options.min_share * usual) or (live and not usable)):
        raise StructureError(
            f"{diff.counts['fetched']} rows with {usable} usable keys where about {usual} are usual. Nothing was "
            "changed. Look at the source; if so few are right, lower min_share for this service in the settings"
        )


def _check_rejects(diff: Diff, options: ServiceSettings) -> None:
    rejected, fetched = diff.counts["rejected"], diff.counts["fetched"]
    if rejected >= _FEW and rejected > options.max_reject_share * fetched:
        raise StructureError(
            f"{rejected} of {fetched} rows can't be used, the first because "
            f"{diff.rejects[0]['reason'] if diff.rejects else 'of what `jejak rejects` shows'}. Nothing was changed. "
            "Mend the source or the schema; to keep them as rejects, raise max_reject_share for this service"
        )


def _check_fields(diff: Diff) -> None:
    """Raises StructureError where a column could be read in no row of the answer: another column has its name, or the
    source writes it otherwise than before."""
    read = sum(version.facts is not None for version in diff.versions)
    if read < _FEW or read < diff.counts["fetched"] - diff.counts["duplicate"] - diff.counts["rejected"]:
        return
    unread: Counter[str] = Counter()
    for (name, _), rows in diff.dropped.items():
        unread[name] += rows
    for name, rows in unread.items():
        if rows >= read:
            reason = next(reason for field, reason in diff.dropped if field == name)
            raise StructureError(
                f"{name} can be read in none of {read} rows: {reason}. Nothing was changed. Mend the source; if the "
                f"column is something else there, give {name} its own under `columns` of this service in the settings, "
                "or name it under `ignore`"
            )


def _write(conn: Connection, settings: Settings, diff: Diff, job: _Job) -> None:
    """Write a diff and, so that no kill can part the two, its counts."""
    now = utc_now()
    changed = write_versions(conn, diff)
    insert_rows(conn, t.reject, diff.rejects)
    if diff.closed:
        conn.execute(update(t.reject).where(t.reject.c.id.in_(key_set(conn, diff.closed, int))).values(resolved_at=now))
    found = [(job.source, job.service.name, name, "", "field", rows) for name, rows in diff.new_fields.items()]
    found += [
        (job.source, job.service.name, name, reason, "dropped", rows) for (name, reason), rows in diff.dropped.items()
    ]
    note_signals(conn, found, job.run_id)
    settling(conn)
    if not diff.older:
        _note_answer(conn, settings, diff, job, changed)
    settle(conn, job.source, changed)
    _discard(conn, job)
    before = _counted(conn, job, job.run_id)
    _add_up(diff.counts, before)
    times = {"observed_at": max(diff.observed_at, before.get("observed_at") or "") or None, "finished_at": now}
    upsert_rows(conn, t.run_service, [{"run_id": job.run_id, **_row(job, "success", None, diff.counts), **times}])


def _note_answer(conn: Connection, settings: Settings, diff: Diff, job: _Job, changed: Changed) -> None:
    """Note that this answer is the newest. Events that were due before its day are facts now; codes that waited for the
    service to answer at all may open processes of their own."""
    if diff.observed_at:
        if conn.execute(select(t.answer.c.run_id).where(*job.of(t.answer))).first() is None:
            changed.codes |= _awaiting(conn, job)
        upsert_rows(conn, t.answer, [{**job.scope_key, "observed_at": diff.observed_at, "run_id": job.run_id}])
        due = t.due_event.c
        day = local_time(diff.observed_at, settings.utc_offset)[:10]
        changed.ocids |= set(conn.execute(select(due.ocid).where(*job.of(t.due_event), due.day <= day)).scalars())
    known = select(t.fingerprint.c.service).where(t.fingerprint.c.service == job.service.name)
    if diff.first and conn.execute(known).first() is None:
        upsert_rows(conn, t.fingerprint, [{"service": job.service.name, "extraction": code_fingerprint()}])


def _awaiting(conn: Connection, job: _Job) -> set[Code]:
    """Codes of contract papers and payments that this service would announce."""
    columns = t.raw_record.c
    announced = SOURCES[job.source].mapping.standalone
    papers = [name for name, announcing in announced.items() if announcing == job.service.name]
    rows = conn.execute(
        select(columns.kind, columns.code)
        .where(columns.source == job.source, columns.service.in_(papers), columns.scope == job.scope)
        .where(columns.current, ~columns.gone)
        .distinct()
    )
    return {(row.kind, row.code) for row in rows}


def write_versions(conn: Connection, diff: Diff) -> Changed:
    """Write the row versions of a diff and their facts; return what that concerns."""
    columns, changed = t.raw_record.c, Changed(set(diff.codes))
    if diff.superseded:
        ids = key_set(conn, diff.superseded, int)
        conn.execute(update(t.raw_record).where(columns.id.in_(ids)).values(current=False))
        drop_facts(conn, diff.superseded, changed)
    if diff.same:
        conn.execute(
            update(t.raw_record).where(columns.id == bindparam("number")).values(wire_hash=bindparam("wire")),
            [{"number": number, "wire": wire} for number, wire in diff.same],
        )
    numbers = _new_numbers(conn, len(diff.versions))
    insert_rows(
        conn,
        t.raw_record,
        ({"id": number, **version.values} for number, version in zip(numbers, diff.versions, strict=True)),
    )
    facts = [
        (number, _row_key(version), version.facts)
        for number, version in zip(numbers, diff.versions, strict=True)
        if version.facts is not None
    ]
    write_facts(conn, facts, [_row_key(version) for version in diff.versions if version.values["gone"]], changed)
    return changed


def _row_key(version: _Version) -> RowKey:
    values = version.values
    return values["source"], values["service"], values["scope"], values["key"]


def _new_numbers(conn: Connection, count: int) -> list[int]:
    """Numbers for new row versions. On SQLite nobody else writes meanwhile."""
    if not count:
        return []
    if conn.dialect.name == "postgresql":
        query = text("SELECT nextval(pg_get_serial_sequence('raw_record', 'id')) FROM generate_series(1, :count)")
        return sorted(conn.execute(query, {"count": count}).scalars())
    last = conn.execute(select(func.coalesce(func.max(t.raw_record.c.id), 0))).scalar_one()
    return list(range(last + 1, last + 1 + count))


def _counted(conn: Connection, job: _Job, run_id: str) -> dict[str, Any]:
    """What a run has written of the service and scope so far: some if its task is tried again, or was cleared by an
    operator."""
    runs = t.run_service
    found = conn.execute(select(runs).where(runs.c.run_id == run_id, *job.of(runs))).mappings().one_or_none()
    return dict(found) if found else {}


def _add_up(counts: Counter[str], before: Mapping[str, Any]) -> None:
    """Add what the same run had brought before: its counts are of all of it, `fetched` of what it read last."""
    for name in ("new", "changed", "gone"):
        counts[name] += before.get(name, 0)
    # Rows that it brought before are mostly unchanged now; each counts once.
    for name in ("unchanged", "changed", "new"):
        counts[name] -= min(counts[name], max(0, sum(counts[each] for each in COUNTS[1:6]) - counts["fetched"]))


_SIGNALS = {
    "field": "unknown field {field}",
    "code": "unknown value of {field} {value}",
    "dropped": "left out {field}: {value}",
}
"""How each kind of signal is logged."""


def note_signals(conn: Connection, found: Iterable[tuple[str, str, str, str, str, int]], run_id: str) -> None:
    """Write down what the sources say that nothing here knows: (source, service, field, value, kind, rows).

    Rows of several calls of one run add up, also of several processes at once; those of a later run replace them.
    """
    names, columns = ("source", "service", "field", "value", "kind", "rows"), t.signal.c
    # Always in the same order: writers of the same rows wait for each other.
    rows = [dict(zip(names, each, strict=True)) for each in sorted(found)]
    if not rows:
        return
    seen = select(columns.source, columns.service, columns.field, columns.value)
    named = columns.value.in_(key_set(conn, [str(row["value"]) for row in rows]))
    known = {tuple(row) for row in conn.execute(seen.where(named))}
    for row in rows:
        signal = (row["source"], row["service"], row["field"], row["value"])
        if signal not in known:
            log.warning("%s %s: %s.", row["source"], row["service"], _SIGNALS[str(row["kind"])].format_map(row))
    insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(t.signal)
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=list(t.signal.primary_key),
        set_={
            "kind": new.kind,
            "rows": new.rows + case((columns.run_number == new.run_number, columns.rows), else_=0),
            "last_seen": new.last_seen,
            "run_number": new.run_number,
        },
        # Of two runs at once the one that began later is the last.
        where=columns.run_number <= new.run_number,
    )
    number, now = conn.scalars(select(t.run.c.number).where(t.run.c.id == run_id)).one(), utc_now()
    seen_by = {"first_seen": now, "last_seen": now, "run_number": number}
    conn.execute(upsert, [{**row, **seen_by} for row in rows])


class _Observed:
    """When rows were true at the source: live answers now; dumps on the day that their rows, settings or file give."""

    def __init__(self, settings: Settings, job: _Job, answer: _Answer) -> None:
        dumped = answer.transport == "files"
        self._field = job.service.observed_field if dumped else None
        self._offset = settings.utc_offset
        self._now = utc_now()
        self._known: dict[object, str] = {}
        dumped_on = settings.sources[job.source].dumped_on
        self.default = self._end_of(str(dumped_on)) if dumped and dumped_on else min(answer.observed_at, self._now)

    def at(self, fields: Mapping[str, Any]) -> str:
        """UTC time of observation of one row."""
        value = fields.get(self._field) if self._field else None
        if value is None or isinstance(value, dict | list):
            return self.default
        if value not in self._known:
            try:
                local = _local_time.validate_python(value)
            except ValidationError:
                local = None
            self._known[value] = self._end_of(local) if local else self.default
        return self._known[value]

    def _end_of(self, local: str) -> str:
        # An extraction date has no time: what happened on that day may be in it, as far as the day has gone.
        moment = datetime.fromisoformat((local if len(local) > 10 else f"{local}T23:59:59") + self._offset)
        return min(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), self._now)


# --- rejects ---------------------------------------------------------------------------------------------------------


def retry_rejects(engine: Engine, source: str | None, run_id: str) -> dict[str, int]:
    """Try every open reject again with today's code; accepted ones become row versions, the others stay."""
    columns = t.reject.c
    # A process that could not be built is no row: it is built again.
    waiting = select(t.reject).where(columns.resolved_at.is_(None), columns.ocid.is_(None)).order_by(columns.id)
    with reading(engine) as conn:
        rejects = conn.execute(waiting if source is None else waiting.where(columns.source == source)).all()
    accepted = 0
    jobs = dict.fromkeys((reject.source, reject.service, reject.scope) for reject in rejects)
    for name, service, scope in jobs:
        job = _Job(name, SOURCES[name].services[service], scope, run_id)
        with holding(engine, str(job)), writing(engine) as conn:
            found = conn.execute(waiting.where(*job.of(t.reject))).all()
            accepted += _retry(conn, job, found)
    with reading(engine) as conn:
        left = conn.execute(
            select(func.count()).select_from(t.reject).where(columns.resolved_at.is_(None))
        ).scalar_one()
    return {"accepted": accepted, "left": left}


def _retry(conn: Connection, job: _Job, rejects: Sequence[Any]) -> int:
    """Take over those rejected rows of a service and scope that today's code can use; return how many."""
    accepted = _retry_as(conn, job, rejects)
    if accepted:
        ids = key_set(conn, accepted, int)
        conn.execute(update(t.reject).where(t.reject.c.id.in_(ids)).values(resolved_at=utc_now()))
    return len(accepted)


def _retry_as(conn: Connection, job: _Job, rejects: Sequence[Any]) -> list[int]:
    """Take over what can be used of rejected rows of one answer; return the numbers of these rejects."""
    observed = ""
    reader = _Reader(job, _current_rows(conn, job), lambda row: observed, retried=True)
    rows = {}
    for reject in rejects:
        row = from_json(reject.payload)
        if not (reject.reason.startswith(_LOST_KEY) and job.service.lost_key(row)):
            observed = reject.observed_at
            rows[reject.id] = row
            reader.take(row)
    reader.settle(conn)
    changed = write_versions(conn, reader.diff)
    settling(conn)
    settle(conn, job.source, changed)
    refused = {id(row) for _, _, _, row, _ in reader.unread}
    return [name for name, row in rows.items() if id(row) not in refused]
