"""How fresh and whole each source is, from what the last runs brought: nothing is asked of the source itself."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.clock import shown, utc_now
from pipeline.steps import plan_of, sources_of, warehouse
from reports.advice import advice
from reports.rows import broken_sums, brought_nothing, emptied_fields, places_found, reject_reasons
from reports.waiting import waiting_rows
from schemas.settings import Settings
from warehouse import tables as t
from warehouse.engine import reading

# The median of so many answers is what is usual: a week of nights.
_USUAL = 7
# For so long a new field or code is news; older ones stand in the table signal.
_NEWS = timedelta(days=7)


def health(settings: Settings, language: str = "en") -> list[dict[str, Any]]:
    """How fresh and whole each source is today of which something is switched on (see `source_health`); what to do in
    one of `reports.reasons.LANGUAGES`."""
    plans = {source: plan_of(settings, [source]) for source in sources_of(settings)}
    with reading(warehouse(settings)) as conn:
        return [source_health(conn, settings, source, plan, language) for source, plan in plans.items() if plan]


def source_health(
    conn: Connection, settings: Settings, source: str, plan: Sequence[tuple[str, str, str]], language: str = "en"
) -> dict[str, Any]:
    """Whether a source was read as it should be, by the (source, service, scope)s of today's `plan`, at least one.

    `state` is `never` (nothing of the plan was ever read), `failing` (what was read last of some service failed, or a
    folder of dumps holds no list at all), `late` (see `last_success`), `empty` (all was read, and no row of a process
    ever came: a wrong code of the regency does that) or `ok`. `last_success` is how fresh the source
    is: for each service and scope the last time that it was read successfully, and of those the oldest. It is late when
    that is longer ago than `stale_hours`, or when some of them was never read. Years that are not in the plan don't
    count, however recently a backfill read them. A list that a folder does not hold (`absent`) counts neither way.

    `rows` are those that the last read brought (none where it failed), `expected` those that were to be expected:
    `usual_rows` of the settings, else the median of the seven successful answers before. The last answer itself is no
    part of it, since it is what is compared: an operator sees "1,986 rows, 1,990 expected", and one odd night does not
    move what is usual. It is empty for a service that has nothing to compare with, and then its rows stand in the sum.

    `as_of` is when the rows themselves were true at the source: of each answer the newest of its rows' own dates (those
    of a dump, or its file's), and of the answers the oldest. Dumps of an open fiscal year that are older than
    `stale_days` make the source late, however often they are read. `unchanged_since` is the last run that brought
    anything new, where seven or more after it brought nothing in `stale_days`.

    `new_fields`, `left_out` (fields that could not be read, and in how many rows of the last run that brought any) and
    `unknown_codes` (`words`: which, by field) are those first seen within a week: when one was seen last means little,
    since only rows that change are looked at, and all ever seen would be the same words every day. `emptied` compares
    lists of today with what they were a week ago. `reasons` are those of all open rejects, `waiting` all rows whose
    process nobody has announced, `sums` those that must hold in the rows, `places` how many processes name one.
    """
    now = datetime.fromisoformat(utc_now())
    read = _read(conn, source)
    answers = _answers(conn, source)
    services = [_service(settings, read, answers, *each) for each in plan]
    counted = [each for each in services if each["status"] != "absent"]
    times = [_last(read.get((each["service"], each["scope"]), []), "success") for each in counted]
    last_success = min(filter(None, times)) if times and all(times) else None
    stale = (now - timedelta(hours=settings.stale_hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if all(each["status"] == "never" for each in services):
        state = "never"
    elif any(each["status"] == "failed" for each in services) or not counted:
        state = "failing"
    elif last_success is None or last_success < stale:
        state = "late"
    else:
        state = "ok"
    old = [each for each in counted if _is_old(each, settings, now)]
    if state == "ok" and old:
        state = "late"
    if state == "ok" and brought_nothing(conn, source, (each["service"] for each in counted)):
        state = "empty"
    news = (now - _NEWS).strftime("%Y-%m-%dT%H:%M:%SZ")
    signals = conn.execute(select(t.signal).where(t.signal.c.source == source, t.signal.c.first_seen >= news)).all()
    reasons = reject_reasons(conn, source)
    words = sorted((f"{row.service}.{row.field}", row.value, row.rows) for row in signals if row.kind == "code")
    left_out: Counter[str] = Counter()
    for row in signals:
        if row.kind == "dropped":
            left_out[f"{row.service}.{row.field}"] += row.rows
    health = {
        "source": source,
        "state": state,
        "last_success": last_success,
        "as_of": min((each["observed_at"] for each in counted if each["observed_at"]), default=None),
        "stale": [f"{each['service']} {each['scope']}" for each in old],
        "unchanged_since": _unchanged_since(conn, source, plan, now - timedelta(days=_stale_days(settings, source))),
        "services": services,
        "rows": sum(each["rows"] for each in counted),
        "expected": sum(each["rows"] if each["expected"] is None else each["expected"] for each in counted),
        "new_fields": sorted(f"{row.service}.{row.field}" for row in signals if row.kind == "field"),
        "left_out": [{"field": name, "rows": rows} for name, rows in sorted(left_out.items())],
        "emptied": emptied_fields(conn, source, {(service, scope) for _, service, scope in plan}, news),
        "unknown_codes": len(words),
        "words": [{"field": name, "word": word, "rows": rows} for name, word, rows in words],
        "rejects": sum(reason["rows"] for reason in reasons),
        "reasons": reasons,
        "waiting": waiting_rows(conn, source),
        "sums": broken_sums(conn, source),
        "places": places_found(conn, source) if settings.wilayah else None,
    }
    return {**health, "advice": advice(health, settings, language)}


def health_line(health: dict[str, Any], utc_offset: str) -> str:
    """A source's health in a line, its time in the zone of that offset.

    "lpse: ok, last success 2026-11-22 01:14 WIB, 1,986 rows of 1,990 expected, 2 new fields"
    """
    parts = [f"{health['source']}: {health['state']}"]
    if health["last_success"]:
        parts.append(f"last success {shown(health['last_success'], utc_offset)}")
    parts.append(f"{health['rows']:,} rows of {health['expected']:,} expected")
    news = {
        "new field": len(health["new_fields"]),
        "unreadable field": len(health["left_out"]),
        "unknown code": health["unknown_codes"],
        "rejected row": health["rejects"],
    }
    parts += [f"{number:,} {what}{'s' if number > 1 else ''}" for what, number in news.items() if number]
    return ", ".join(parts)


_Read = dict[tuple[str, str], list[Any]]


def _read(conn: Connection, source: str) -> _Read:
    """The latest reads of each service and scope, enough of each outcome, the newest first."""
    runs, run = t.run_service.c, t.run.c
    read_at = func.coalesce(runs.finished_at, run.finished_at, run.started_at)
    newest = (read_at.desc(), run.number.desc())
    place = func.row_number().over(partition_by=(runs.service, runs.scope, runs.status), order_by=newest)
    reads = (
        select(
            runs.service,
            runs.scope,
            runs.status,
            runs.fetched,
            runs.message,
            read_at.label("read_at"),
            func.row_number().over(order_by=newest).label("age"),
            place.label("place"),
        )
        .join(t.run, run.id == runs.run_id)
        .where(runs.source == source)
        .subquery()
    )
    found: _Read = defaultdict(list)
    for row in conn.execute(select(reads).where(reads.c.place <= _USUAL + 1).order_by(reads.c.age)):
        found[row.service, row.scope].append(row)
    return found


def _last(reads: list[Any], status: str) -> str | None:
    return next((row.read_at for row in reads if row.status == status), None)


def _answers(conn: Connection, source: str) -> dict[tuple[str, str], str]:
    """When the newest answer of each service and scope was true at the source."""
    rows = conn.execute(select(t.answer).where(t.answer.c.source == source))
    return {(row.service, row.scope): row.observed_at for row in rows}


def _stale_days(settings: Settings, source: str) -> int:
    return settings.sources[source].stale_days


def _is_old(service: dict[str, Any], settings: Settings, now: datetime) -> bool:
    """Whether a service's rows come from a dump that is too old for its fiscal year: one that was made after the year's
    books were closed will do for ever."""
    source, scope, observed = service["source"], service["scope"], service["observed_at"]
    if settings.sources[source].of(service["service"]).transport != "files" or not observed:
        return False
    year = int(scope) if scope.isdigit() else max(settings.fiscal_years, default=now.year)
    closed = datetime(year + 1, settings.closing_months % 12 + 1, 1, tzinfo=now.tzinfo)
    made = datetime.fromisoformat(observed)
    return made < closed and now - made > timedelta(days=_stale_days(settings, source))


def _unchanged_since(
    conn: Connection, source: str, plan: Sequence[tuple[str, str, str]], before: datetime
) -> str | None:
    """The last run that brought anything new of what is read today, if that is long ago (`before`) and enough runs
    since have found all as it was."""
    runs = t.run_service.c
    scopes = {scope for _, _, scope in plan}
    finished_at = func.max(runs.finished_at)
    query = (
        select(finished_at, func.sum(runs.new + runs.changed + runs.gone))
        .join(t.run, t.run.c.id == runs.run_id)
        .where(runs.source == source, runs.status == "success", runs.scope.in_(scopes), runs.finished_at.is_not(None))
        .group_by(t.run.c.number)
    )
    last = ""
    idle: set[str] = set()
    for finished, changes in conn.execute(query.order_by(finished_at, t.run.c.number)):
        if changes:
            last, idle = finished, set()
        else:
            idle.add(finished[:10])
    return last if last and last < before.strftime("%Y-%m-%dT%H:%M:%SZ") and len(idle) >= _USUAL else None


def _service(
    settings: Settings, read: _Read, answers: dict[tuple[str, str], str], source: str, service: str, scope: str
) -> dict[str, Any]:
    reads = read.get((service, scope), [])
    last = reads[0] if reads else None
    before = [row.fetched for row in reads[1:] if row.status == "success"][:_USUAL]
    usual = settings.sources[source].service(service).usual_rows
    return {
        "source": source,
        "service": service,
        "scope": scope,
        "rows": last.fetched if last is not None and last.status == "success" else 0,
        "expected": usual if usual is not None else median_low(before) if before else None,
        "observed_at": answers.get((service, scope)),
        "status": last.status if last is not None else "never",
        "message": last.message if last is not None else None,
    }
