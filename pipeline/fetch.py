"""A service's rows from the source into `raw_record`: staged page by page, then promoted whole or not at all."""

from __future__ import annotations

import logging
import os
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from pipeline.registry import SOURCES
from schemas.errors import JejakError, RowError, SourceUnavailable, StructureError
from schemas.fields import LocalTime, clean
from schemas.service import Service
from schemas.settings import ServiceSettings, Settings
from transforms.rows import Identified, hash_of, identify, renamed
from warehouse import tables as t
from warehouse.engine import from_json, reading, to_json, writing
from warehouse.load import insert_rows, key_set, upsert_rows

log = logging.getLogger("jejak.fetch")

COUNTS = ("fetched", "new", "changed", "unchanged", "duplicate", "rejected", "gone")
# A fetch that broke off longer ago is begun anew: its first pages no longer belong to the same state of the source.
RESUME_WITHIN = timedelta(hours=12)
_TAKEN = "another run read the same service and year at the same time and took its rows over: nothing is left to do"
# Shares mean nothing on a handful of rows.
_FEW = 20
# Dumps tell the day of their extraction at best: observations as near as this are told apart by the order of reading.
_SAME_DAY = timedelta(hours=1)
_local_time: TypeAdapter[str | None] = TypeAdapter(LocalTime)


def utc_now() -> str:
    """The time of observation and of bookkeeping; JEJAK_NOW (the same form) fixes it, so that a run can be repeated."""
    return os.environ.get("JEJAK_NOW") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Plan:
    """What promoting a fetch will do; nothing is written before it is complete."""

    counts: Counter[str] = field(default_factory=Counter)
    versions: list[dict[str, Any]] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)  # keys whose rejects a good row has answered
    mended: list[str] = field(default_factory=list)  # rejects without a key that the source no longer sends
    new_fields: Counter[str] = field(default_factory=Counter)


def sync_service(
    engine: Engine, settings: Settings, source: str, service_name: str, scope: str, run_id: str
) -> dict[str, Any]:
    """Fetch one service for one scope (fiscal year or "all") and promote it; return its counts and status.

    A failure is recorded under the run and returned as status `failed` with its message; it changes no rows. A broken
    fetch keeps its pages and goes on where it stopped when it is called again.
    """
    service = SOURCES[source].services[service_name]
    counts: dict[str, int] = dict.fromkeys(COUNTS, 0)
    status, message = "success", None
    try:
        if _stage(engine, settings, source, service, scope, run_id):
            plan = _take_over(engine, settings, source, service, scope, run_id)
            counts.update(plan.counts)
        elif wanted := settings.sources[source].service(service_name).file:
            raise SourceUnavailable(f"the folder has no file {wanted}, which the settings name for this service")
        else:
            status = "absent"
    except Exception as error:
        # Whatever goes wrong with one service must not stop the others.
        status, message = "failed", str(error) if isinstance(error, JejakError) else defect(error)
        if isinstance(error, StructureError):
            # These pages will never do: the next run must fetch again.
            with writing(engine) as conn:
                _discard(conn, source, service_name, scope)
        log.error("%s %s %s: %s", source, service_name, scope, message)
    else:
        said = ", ".join(f"{n} {counts[n]}" for n in COUNTS) if status == "success" else "the folder has no such list"
        log.info("%s %s %s: %s", source, service_name, scope, said)
    row = {
        "run_id": run_id,
        "source": source,
        "service": service_name,
        "scope": scope,
        "status": status,
        "message": message,
        **counts,
    }
    with writing(engine) as conn:
        upsert_rows(conn, t.run_service, [row])
    return row


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


def _stage(engine: Engine, settings: Settings, source: str, service: Service, scope: str, run_id: str) -> bool:
    """Bring all pages of a fetch into staging; False where the source has no such list (a folder without the file)."""
    options = settings.sources[source]
    place = {"source": source, "service": service.name, "scope": scope}
    now = utc_now()
    with writing(engine) as conn:
        begun = conn.execute(_staged(source, service.name, scope)).mappings().one_or_none()
        if begun and (begun["transport"] != options.transport or _age(begun["started_at"], now) >= RESUME_WITHIN):
            begun = None
        if begun and begun["complete"]:
            return True
        if begun:
            cursor = begun["next_cursor"]
            number = conn.execute(
                select(func.count())
                .select_from(t.staged_page)
                .where(*_place(t.staged_page, source, service.name, scope))
            ).scalar_one()
            if number:
                log.info("%s %s %s: going on after page %d of a broken fetch", source, service.name, scope, number)
        else:
            _discard(conn, source, service.name, scope)
            cursor, number = None, 0
            fetch = {"run_id": run_id, "transport": options.transport, "observed_at": now, "started_at": now}
            insert_rows(conn, t.staged_fetch, [{**place, **fetch}])
    for pages, page in enumerate(SOURCES[source].fetch(service, settings, options, scope, cursor), 1):
        with writing(engine) as conn:
            staged = {**place, "number": number, "rows": to_json(page.rows), "name": page.name}
            insert_rows(conn, t.staged_page, [staged])
            values: dict[str, Any] = {"next_cursor": page.cursor, "complete": page.cursor is None}
            if page.observed_at and number == 0:
                values["observed_at"] = page.observed_at
            conn.execute(
                update(t.staged_fetch).where(*_place(t.staged_fetch, source, service.name, scope)).values(**values)
            )
        number += 1
        if pages % 10 == 0:
            log.info("%s %s %s: %d pages so far", source, service.name, scope, number)
    if number == 0:
        with writing(engine) as conn:
            _discard(conn, source, service.name, scope)
        return False
    return True


def _staged(source: str, service: str, scope: str) -> Any:
    return select(t.staged_fetch).where(*_place(t.staged_fetch, source, service, scope))


def _place(table: Any, source: str, service: str, scope: str) -> tuple[Any, ...]:
    return table.c.source == source, table.c.service == service, table.c.scope == scope


def _discard(conn: Connection, source: str, service: str, scope: str) -> None:
    for table in (t.staged_page, t.staged_fetch):
        conn.execute(delete(table).where(*_place(table, source, service, scope)))


def _age(then: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(then)


# --- promotion -------------------------------------------------------------------------------------------------------


def _take_over(engine: Engine, settings: Settings, source: str, service: Service, scope: str, run_id: str) -> Plan:
    """Plan and promote a complete fetch; planning, the long part, keeps no other writer waiting."""
    columns = t.raw_record.c
    latest = select(func.max(columns.id)).where(*_place(t.raw_record, source, service.name, scope))
    staged = _staged(source, service.name, scope).with_for_update()
    while True:
        with reading(engine) as conn:
            known = conn.execute(latest).scalar_one()
            plan = _plan(conn, settings, source, service, scope, run_id)
        with writing(engine) as conn:
            if conn.execute(staged).one_or_none() is None:
                raise SourceUnavailable(_TAKEN)
            # The plan holds if nobody has written rows of this service and scope since.
            if conn.execute(latest).scalar_one() == known:
                _promote(conn, plan, source, service, scope, run_id)
                return plan


def _plan(conn: Connection, settings: Settings, source: str, service: Service, scope: str, run_id: str) -> Plan:
    """Compare a complete fetch with what is known and count every row once.

    Raises StructureError where the fetch as a whole can't be believed: a lost key column, far fewer rows than usual,
    more rejects than the settings allow.
    """
    options = settings.sources[source].service(service.name)
    staged = conn.execute(_staged(source, service.name, scope)).mappings().one_or_none()
    if staged is None:
        raise SourceUnavailable(_TAKEN)
    heads = {
        head.key: head
        for head in conn.execute(
            select(
                t.raw_record.c.key,
                t.raw_record.c.id,
                t.raw_record.c.content_hash,
                t.raw_record.c.observed_at,
                t.raw_record.c.gone,
            ).where(*_place(t.raw_record, source, service.name, scope), t.raw_record.c.current)
        )
    }
    open_rejects = {
        (reject.key, reject.content_hash)
        for reject in conn.execute(
            select(t.reject.c.key, t.reject.c.content_hash).where(
                *_place(t.reject, source, service.name, scope), t.reject.c.resolved_at.is_(None)
            )
        )
    }
    plan = Plan()
    lost = _lost_keys(conn, service, source, scope)
    if lost and options.max_reject_share < 1:
        raise StructureError(
            f"no row has {', '.join(lost)}, which it is known by. Nothing was changed. Look at "
            f"what the source answers now: if the column has a new name, add it to the aliases in schemas/{source}.py"
        )
    base = {"source": source, "service": service.name, "scope": scope, "run_id": run_id}
    rows: dict[str, dict[str, tuple[Identified, dict[str, Any]]]] = defaultdict(dict)
    bad_keys: set[str] = set()
    nameless: set[str] = set()  # rows without a code, by their content
    observed = _Observed(settings, source, service, staged["transport"], staged["observed_at"])
    for row in _staged_rows(conn, source, service.name, scope):
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
            same_key[found.content_hash] = (found, row)
    _check_rows(plan, heads, options)

    snapshot = staged["observed_at"] if staged["transport"] != "files" else ""
    seen: set[str] = set()
    rejected_before = {key for key, _ in open_rejects}
    older: list[dict[str, Any]] = []
    for bare, contents in rows.items():
        for key, content_hash in _keys(bare, contents, heads).items():
            found, row = contents[content_hash]
            head = heads.get(key)
            when = observed.at(found.fields)
            snapshot = max(snapshot, when)
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
            version = {
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
            later = _later(when, head.observed_at) if head is not None else when
            if later is None:
                # An older observation never replaces a newer one; it is history all the same.
                plan.counts["unchanged"] += 1
                older.append({**version, "current": False})
                continue
            plan.versions.append({**version, "observed_at": later})
            plan.settled.append(key)
            if head is None:
                plan.counts["new"] += 1
            else:
                plan.counts["new" if head.gone else "changed"] += 1
                plan.superseded.append(head.id)
    _check_rejects(plan, options)
    plan.mended += [content for key, content in open_rejects if key is None and content not in nameless]
    known_older = _known_versions(conn, source, service.name, scope, [version["key"] for version in older])
    plan.versions += [v for v in older if (v["key"], v["content_hash"]) not in known_older]
    vanished = {
        head.id: later
        for key, head in heads.items()
        if snapshot and not head.gone and key not in seen and key not in bad_keys
        if (later := _later(snapshot, head.observed_at)) is not None
    }
    plan.counts["gone"] = len(vanished)
    plan.superseded += vanished
    plan.versions += _tombstones(conn, base, vanished)
    return plan


def _later(when: str, known: str) -> str | None:
    """The time to give to what was observed at `when` and differs from what is `known`: `when` itself, one second after
    what is known where both tell the same day, None where it is the older of the two."""
    if when > known:
        return when
    moment = datetime.fromisoformat(known)
    if moment - datetime.fromisoformat(when) >= _SAME_DAY:
        return None
    return (moment + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _promote(conn: Connection, plan: Plan, source: str, service: Service, scope: str, run_id: str) -> None:
    if plan.superseded:
        conn.execute(
            update(t.raw_record).where(t.raw_record.c.id.in_(key_set(conn, plan.superseded))).values(current=False)
        )
    insert_rows(conn, t.raw_record, plan.versions)
    insert_rows(conn, t.reject, plan.rejects)
    now = utc_now()
    if plan.settled:
        conn.execute(
            update(t.reject)
            .where(
                *_place(t.reject, source, service.name, scope),
                t.reject.c.resolved_at.is_(None),
                t.reject.c.key.in_(key_set(conn, plan.settled)),
            )
            .values(resolved_at=now)
        )
    if plan.mended:
        conn.execute(
            update(t.reject)
            .where(
                *_place(t.reject, source, service.name, scope),
                t.reject.c.resolved_at.is_(None),
                t.reject.c.key.is_(None),
                t.reject.c.content_hash.in_(key_set(conn, plan.mended)),
            )
            .values(resolved_at=now)
        )
    found = ((source, service.name, name, "", "field", rows) for name, rows in plan.new_fields.items())
    note_signals(conn, found, now)
    _discard(conn, source, service.name, scope)


def note_signals(conn: Connection, found: Iterable[tuple[str, str, str, str, str, int]], now: str) -> None:
    """Write down what the sources say that nothing here knows: (source, service, field, value, kind, rows).

    Rows of several calls with the same `now` add up: the batches of one run.
    """
    for source, service, name, value, kind, rows in found:
        columns = t.signal.c
        known = conn.execute(
            select(columns.rows, columns.first_seen, columns.last_seen).where(
                columns.source == source,
                columns.service == service,
                columns.field == name,
                columns.value == value,
            )
        ).one_or_none()
        if known is None:
            log.warning(
                "%s %s: unknown %s %s %s", source, service, "field" if kind == "field" else "value of", name, value
            )
        row = {
            "source": source,
            "service": service,
            "field": name,
            "value": value,
            "kind": kind,
            "rows": rows + (known.rows if known and known.last_seen == now else 0),
            "first_seen": known.first_seen if known else now,
            "last_seen": now,
        }
        upsert_rows(conn, t.signal, [row])


def _staged_rows(conn: Connection, source: str, service: str, scope: str) -> Iterator[dict[str, Any]]:
    pages = conn.execute(
        select(t.staged_page.c.rows)
        .where(*_place(t.staged_page, source, service, scope))
        .order_by(t.staged_page.c.number)
    )
    for (page,) in pages:
        yield from from_json(page)


def _lost_keys(conn: Connection, service: Service, source: str, scope: str) -> list[str]:
    """Key fields that no row of a non-empty answer has."""
    missing = set(service.key)
    any_rows = False
    for row in _staged_rows(conn, source, service.name, scope):
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

    def __init__(self, settings: Settings, source: str, service: Service, transport: str, fetched: str) -> None:
        self._field = service.observed_field if transport == "files" else None
        self._offset = settings.utc_offset
        self._default = fetched
        self._known: dict[object, str] = {}
        dumped_on = settings.sources[source].dumped_on
        if transport == "files" and dumped_on:
            self._default = self._end_of(str(dumped_on))

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
        # An extraction date has no time: what happened on that day may be in it.
        text = local if len(local) > 10 else f"{local}T23:59:59"
        return datetime.fromisoformat(text + self._offset).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known_versions(conn: Connection, source: str, service: str, scope: str, keys: list[str]) -> set[tuple[str, str]]:
    if not keys:
        return set()
    found = conn.execute(
        select(t.raw_record.c.key, t.raw_record.c.content_hash).where(
            *_place(t.raw_record, source, service, scope), t.raw_record.c.key.in_(key_set(conn, keys))
        )
    )
    return {(row.key, row.content_hash) for row in found}


def _tombstones(conn: Connection, base: dict[str, Any], vanished: dict[int, str]) -> list[dict[str, Any]]:
    """Tombstones of rows by their ids, each with the time at which the row was seen to be gone."""
    if not vanished:
        return []
    columns = t.raw_record.c
    found = conn.execute(
        select(columns.id, columns.key, columns.kind, columns.code, columns.content_hash, columns.payload)
        .where(columns.id.in_(key_set(conn, vanished)))
        .order_by(columns.id)
    ).mappings()
    tombstone = {"gone": True, "current": True, "placed": False}
    return [
        {**base, **{name: row[name] for name in row if name != "id"}, "observed_at": vanished[row["id"]], **tombstone}
        for row in found
    ]


def _reject(
    plan: Plan,
    base: dict[str, Any],
    known: set[tuple[str | None, str]],
    key: str | None,
    content_hash: str,
    reason: str,
    row: dict[str, Any],
    observed_at: str,
) -> None:
    plan.counts["rejected"] += 1
    if (key, content_hash) not in known:
        known.add((key, content_hash))
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
    accepted = 0
    with writing(engine) as conn:
        columns = t.reject.c
        # Refused releases and processes that could not be derived are no rows: they are derived again.
        query = select(t.reject).where(columns.resolved_at.is_(None), columns.scope != "release").order_by(columns.id)
        for reject in conn.execute(query if source is None else query.where(columns.source == source)).mappings().all():
            service = SOURCES[reject["source"]].services[reject["service"]]
            row = from_json(reject["payload"])
            try:
                found = identify(service, row)
                service.model.model_validate(found.fields)
            except (RowError, ValidationError):
                continue
            if any(part not in found.fields for part in service.key):
                continue
            place = _place(t.raw_record, reject["source"], reject["service"], reject["scope"])
            key = reject["key"] or found.key
            head = conn.execute(
                select(t.raw_record.c.id, t.raw_record.c.observed_at, t.raw_record.c.run_id).where(
                    *place, t.raw_record.c.key == key, t.raw_record.c.current
                )
            ).one_or_none()
            if head is not None and (
                head.run_id == reject["run_id"] or (head.run_id == run_id and head.observed_at == reject["observed_at"])
            ):
                # Rows of one answer that share a key and differ are all kept.
                key, head = f"{key}#{found.content_hash[:8]}", None
            newest = head is None or head.observed_at < reject["observed_at"]
            if head is not None and newest:
                conn.execute(update(t.raw_record).where(t.raw_record.c.id == head.id).values(current=False))
            insert_rows(
                conn,
                t.raw_record,
                [
                    {
                        "source": reject["source"],
                        "service": reject["service"],
                        "scope": reject["scope"],
                        "key": key,
                        "kind": service.kind_of(found.fields),
                        "code": found.code,
                        "content_hash": found.content_hash,
                        "observed_at": reject["observed_at"],
                        "run_id": run_id,
                        "payload": row,
                        "gone": False,
                        "current": newest,
                        "placed": False,
                    }
                ],
            )
            conn.execute(update(t.reject).where(columns.id == reject["id"]).values(resolved_at=utc_now()))
            accepted += 1
        left = conn.execute(
            select(func.count()).select_from(t.reject).where(columns.resolved_at.is_(None))
        ).scalar_one()
    return {"accepted": accepted, "left": left}
