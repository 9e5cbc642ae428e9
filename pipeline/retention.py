"""What is forgotten after `keep_versions_days`: replaced row versions that no release needs, rejects that were settled.

Releases follow from the whole history of a process, and what no longer follows is voided. So a version goes only where
every process that reads it tells the same without it: the same releases in the same order, remembered alike, so that
whatever comes is told alike too. Most replaced versions were told of by a release and stay.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, select

from pipeline.fetch import RESUME_WITHIN, utc_now
from pipeline.links import STANDING, offices_by_name
from pipeline.records import Told, alone, process_of, tell
from pipeline.registry import TELLINGS
from schemas.errors import SettingsError
from schemas.settings import Settings
from transforms.identity import Code
from transforms.releases import Derived, Process, derive
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import delete_by, insert_rows, key_set

log = logging.getLogger("jejak.retention")

_BATCH = 50  # codes whose versions are looked at together
_ROWS = 5000  # rows that one transaction deletes
# Twice the time within which a broken fetch is resumed: no fetch that goes on is that old.
_LEFT_BEHIND = 2 * RESUME_WITHIN


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that decides which versions of some codes are needed: who reads them, and what is known and told of those."""

    readers: dict[Code, set[str]]
    told: list[Told]
    releases: dict[str, list[str]]  # ids of the releases that stand, in order
    waiting: set[str]  # processes that are to be derived again


class _Tale:
    """A process and what it comes to with all its versions."""

    def __init__(self, process: Process, settings: Settings) -> None:
        self.process = process
        self._settings = settings
        self._heard: dict[Any, Any] = {}
        self.derived = self.without(set())
        dates = {release["id"]: release["date"] for *_, release in self.derived.releases}
        seen = {version.raw_id: version.observed_at for version in process.versions}
        self._occasions: dict[str, set[int]] = defaultdict(set)
        for name, raw_id in self.derived.lineage:
            if seen[raw_id] == dates[name]:
                self._occasions[name].add(raw_id)

    def without(self, gone: set[int]) -> Derived:
        left = [version for version in self.process.versions if version.raw_id not in gone]
        settings = self._settings
        process = replace(self.process, versions=left)
        return derive(process, TELLINGS, settings.utc_offset, settings.kd_klpd, self._heard)

    def lasts(self, gone: set[int]) -> bool:
        """Whether all is as it was without these versions."""
        # Most versions are what a release was told for, and which has their date: that need not be tried.
        if any(occasion <= gone for occasion in self._occasions.values()):
            return False
        other = self.without(gone)
        return (
            _ids(other) == _ids(self.derived)
            and other.memory == self.derived.memory
            # The fiscal year of a process that says none is the first of those that its rows are listed in.
            and self._scopes(other) == self._scopes(self.derived)
        )

    def _scopes(self, derived: Derived) -> set[str]:
        scopes = {version.raw_id: version.scope for version in self.process.versions}
        return {scopes[raw_id] for _, raw_id in derived.lineage}


def prune(engine: Engine, settings: Settings, run_id: str | None) -> dict[str, int]:
    """Delete what is older than `keep_versions_days` and needed by nothing; without a run only count what would go.

    `{"versions": deleted, "needed": old ones that stay, "rejects": settled ones, "pages": of fetches left behind}`.
    Each batch is one transaction that checks that nothing it was decided on has changed: safe beside syncs and builds,
    and when killed. Raises SettingsError where the settings keep all.
    """
    if settings.keep_versions_days is None:
        raise SettingsError(
            "keep_versions_days is not set, so every version of every row is kept for ever; "
            "to have old ones deleted that no release needs, set it in the settings to the days that they are kept"
        )
    before = _ago(timedelta(days=settings.keep_versions_days))
    with reading(engine) as conn:
        of_nobody, by_code = _replaced(conn, before)
        suppliers = {(row.kind, row.key): row.kd_penyedia for row in conn.execute(select(t.supplier_key))}
        offices = offices_by_name(conn)
        readers = _readers(conn, by_code)

    def begin(told: Told) -> _Tale:
        return _Tale(process_of(told, suppliers, offices), settings)

    total = len(of_nobody) + sum(map(len, by_code.values()))
    really = run_id is not None
    deleted = _delete_rows(engine, of_nobody, really=really)
    # Codes that are read together stand together.
    codes = sorted(by_code, key=lambda code: (min(readers.get(code, ("",))), code))
    for number, batch in enumerate(_chunks(codes, _BATCH), 1):
        deleted += _prune_codes(engine, {code: by_code[code] for code in batch}, begin, really=really)
        if number % 20 == 0:
            log.info("looked at %d of %d codes: %d versions are not needed", number * _BATCH, len(codes), deleted)
    with (writing if really else reading)(engine) as conn:
        rejects = _clear(conn, t.reject, t.reject.c.resolved_at < before, really=really)
        left = t.staged_fetch.c.started_at < _ago(_LEFT_BEHIND)
        place = (t.staged_page.c[name] == t.staged_fetch.c[name] for name in ("source", "service", "scope"))
        pages = _clear(conn, t.staged_page, select(t.staged_fetch).where(*place, left).exists(), really=really)
        _clear(conn, t.staged_fetch, left, really=really)
    return {"versions": deleted, "needed": total - deleted, "rejects": rejects, "pages": pages}


def _ago(age: timedelta) -> str:
    return (datetime.fromisoformat(utc_now()) - age).strftime("%Y-%m-%dT%H:%M:%SZ")


def _replaced(conn: Connection, before: str) -> tuple[list[int], dict[Code, list[int]]]:
    """Versions that were replaced before a time: those of rows that no process reads, and the others by their code."""
    columns = t.raw_record.c
    place = (columns.source, columns.service, columns.scope, columns.key)
    replaced_at = func.lead(columns.observed_at).over(partition_by=place, order_by=(columns.observed_at, columns.id))
    versions = select(
        columns.id, columns.kind, columns.code, columns.current, columns.placed, replaced_at.label("replaced_at")
    ).subquery()
    found = conn.execute(
        select(versions.c.id, versions.c.kind, versions.c.code)
        .where(~versions.c.current, versions.c.placed, versions.c.replaced_at < before)
        # SQLite would give the highest number again, and who compares numbers would see nothing new.
        .where(versions.c.id < select(func.max(columns.id)).scalar_subquery())
        .order_by(versions.c.id)
    )
    of_nobody: list[int] = []
    by_code: dict[Code, list[int]] = defaultdict(list)
    for raw_id, kind, code in found:
        (of_nobody if kind is None else by_code[kind, code]).append(raw_id)
    return of_nobody, dict(by_code)


def _readers(conn: Connection, codes: Iterable[Code]) -> dict[Code, set[str]]:
    """The processes that read the rows of each code: its own, those that carry its plan, those that it is linked to."""
    reached: dict[Code, set[Code]] = {code: {code} for code in codes}
    link = t.link.c
    subjects = key_set(conn, {code for _, code in reached})
    for row in conn.execute(select(t.link).where(link.from_code.in_(subjects), link.status.in_(STANDING))).all():
        if (row.from_kind, row.from_code) in reached:
            reached.setdefault((row.to_kind, row.to_code), set()).add((row.from_kind, row.from_code))
    readers: dict[Code, set[str]] = defaultdict(set)
    keys = key_set(conn, {code for _, code in reached})
    for table, column in ((t.identity, t.identity.c.key), (t.process_rup, t.process_rup.c.code)):
        for ocid, kind, code in conn.execute(select(table.c.ocid, table.c.kind, column).where(column.in_(keys))):
            for read in reached.get((kind, code), ()):
                readers[read].add(ocid)
    return dict(readers)


def _prune_codes(engine: Engine, old: dict[Code, list[int]], begin: Callable[[Told], _Tale], *, really: bool) -> int:
    """Delete those old versions of some codes that nobody needs; how many."""
    while True:
        with reading(engine) as conn:
            seen = _see(conn, old)
        tales = _settled(seen, begin)
        gone = _needless(old, seen, tales)
        if not gone or not really:
            return len(gone)
        with alone(engine), writing(engine) as conn:
            if _see(conn, old) == seen:
                _forget(conn, seen, tales, gone)
                return len(gone)


def _see(conn: Connection, codes: Iterable[Code]) -> _Seen:
    readers = _readers(conn, codes)
    ocids = sorted(set().union(*readers.values()))
    releases: dict[str, list[str]] = {ocid: [] for ocid in ocids}
    columns = t.release.c
    for ocid, name in conn.execute(
        select(columns.ocid, columns.id)
        .where(columns.ocid.in_(key_set(conn, ocids)), columns.voided_at.is_(None))
        .order_by(columns.ocid, columns.position)
    ):
        releases[ocid].append(name)
    pending = t.pending_derive.c.ocid
    waiting = set(conn.execute(select(pending).where(pending.in_(key_set(conn, ocids)))).scalars())
    return _Seen(readers, tell(conn, dict.fromkeys(ocids, "")), releases, waiting)


def _settled(seen: _Seen, begin: Callable[[Told], _Tale]) -> dict[str, _Tale]:
    """The processes whose releases are those that follow from their rows today; the others must be derived first."""
    tales = {}
    for told in seen.told:
        if told.ocid in seen.waiting:
            continue
        try:
            tale = begin(told)
        except Exception:
            continue  # a process that can't be derived keeps all that it has
        if _ids(tale.derived) == seen.releases[told.ocid]:
            tales[told.ocid] = tale
    return tales


def _needless(old: dict[Code, list[int]], seen: _Seen, tales: dict[str, _Tale]) -> set[int]:
    """The old versions that can go together."""
    groups: dict[frozenset[str], list[int]] = defaultdict(list)
    for code, raw_ids in old.items():
        groups[frozenset(seen.readers.get(code, ()))] += raw_ids
    known = {version.raw_id for tale in tales.values() for version in tale.process.versions}
    gone: set[int] = set()
    for ocids, raw_ids in groups.items():
        # What no process reads yet (a proposal without a package) is kept: once it is linked, all of it is told.
        if ocids and ocids <= tales.keys():
            read_by = [tales[ocid] for ocid in ocids]
            there = [raw_id for raw_id in raw_ids if raw_id in known]
            gone |= _sift(there, gone, read_by)
    return gone


def _sift(some: list[int], gone: set[int], read_by: list[_Tale]) -> set[int]:
    """Those of `some` that can go beside what is `gone`: all at once, else half by half down to the single version."""
    if not some or all(tale.lasts(gone.union(some)) for tale in read_by):
        return set(some)
    if len(some) == 1:
        return set()
    middle = len(some) // 2
    first = _sift(some[:middle], gone, read_by)
    return first | _sift(some[middle:], gone | first, read_by)


def _forget(conn: Connection, seen: _Seen, tales: dict[str, _Tale], gone: set[int]) -> None:
    """Delete versions; what they were shown as the origin of, others are now."""
    touched = [tale for tale in tales.values() if any(version.raw_id in gone for version in tale.process.versions)]
    pairs = {pair for tale in touched for pair in tale.without(gone).lineage}
    stand = [name for tale in touched for name in seen.releases[tale.process.ocid]]
    delete_by(conn, t.lineage, t.lineage.c.release_id, stand)
    insert_rows(conn, t.lineage, [{"release_id": name, "raw_id": raw_id} for name, raw_id in sorted(pairs)])
    delete_by(conn, t.raw_record, t.raw_record.c.id, gone)


def _ids(derived: Derived) -> list[str]:
    return [str(release["id"]) for *_, release in derived.releases]


def _delete_rows(engine: Engine, raw_ids: list[int], *, really: bool) -> int:
    for some in _chunks(raw_ids, _ROWS) if really else ():
        with writing(engine) as conn:
            delete_by(conn, t.raw_record, t.raw_record.c.id, some)
    return len(raw_ids)


def _clear(conn: Connection, table: Table, condition: ColumnElement[bool], *, really: bool) -> int:
    """Delete the rows for which a condition holds, or only count them."""
    if really:
        return conn.execute(delete(table).where(condition)).rowcount
    return int(conn.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])
