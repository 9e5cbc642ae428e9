"""The steps that the command line and the DAGs call: each opens the warehouse, does one thing and returns counts."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from pipeline import build, facts, fetch, links, meanings, place, queues, retention, workers
from pipeline.clock import utc_now
from pipeline.configure import meant
from pipeline.registry import SERVICES, SOURCES
from pipeline.void import void, void_rejected
from schemas.errors import JejakError, SettingsError
from schemas.settings import FIRST_YEAR, Settings
from transforms.merge import compiled
from transforms.paths import resolved, value_at
from warehouse import tables as t
from warehouse.engine import holding, migrate, open_warehouse, reading, writing
from warehouse.load import upsert_rows
from warehouse.releases import releases_of

log = logging.getLogger("jejak")


@cache
def _open(url: str) -> Engine:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    engine = open_warehouse(url)
    migrate(engine)
    return engine


def warehouse(settings: Settings) -> Engine:
    """The warehouse of these settings, at the schema of this code."""
    return _open(settings.warehouse_url)


def start_run(settings: Settings, command: str, run_id: str | None = None) -> str:
    """Write down that a run begins; return its name (a given one may be begun again: a retried Airflow run).

    `run.number` orders runs by their start: `started_at` has whole seconds, in which several may start.
    """
    engine = warehouse(settings)
    run_id = run_id or f"{utc_now()}-{time.time_ns():x}"
    row = {
        "id": run_id,
        "command": command,
        "started_at": utc_now(),
        "finished_at": None,
        "status": "running",
        "message": None,
    }
    with holding(engine, "start-of-run"), writing(engine) as conn:
        again = update(t.run).where(t.run.c.id == run_id).values(**row, number=t.next_number)
        if not conn.execute(again).rowcount:
            conn.execute(insert(t.run).values(row))
        _write_limits(conn, settings)
    return run_id


def _write_limits(conn: Connection, settings: Settings) -> None:
    """Limits of methods stand in the warehouse too: marts and red flags go by the same."""
    table = t.procurement_limit
    limits = [limit.model_dump() for limit in settings.flags.limits]
    wanted = {tuple(limit[column.name] for column in table.columns) for limit in limits}
    if set(map(tuple, conn.execute(select(table)))) != wanted:
        conn.execute(delete(table))
        upsert_rows(conn, table, limits)


def finish_run(settings: Settings, run_id: str, message: str | None = None) -> None:
    """Write down how a run ended: with `message` it failed."""
    with writing(warehouse(settings)) as conn:
        conn.execute(
            update(t.run)
            .where(t.run.c.id == run_id)
            .values(finished_at=utc_now(), status="failed" if message else "success", message=message)
        )


def end_runs(settings: Settings, name: str, message: str) -> None:
    """Write down that what still goes on of a run of Airflow (`name`, and `name/source`) has failed: Airflow ended it
    before its own last task could say so, and new rows would wait for it."""
    run = t.run.c
    with writing(warehouse(settings)) as conn:
        conn.execute(
            update(t.run)
            .where(or_(run.id == name, run.id.startswith(f"{name}/", autoescape=True)), run.status == "running")
            .values(finished_at=utc_now(), status="failed", message=message)
        )


def reason_of(error: BaseException) -> str:
    """The publishable reason of an error: of an error of ours its own words, of any other only where it came from."""
    return str(error) if isinstance(error, JejakError) else fetch.defect(error)


@contextmanager
def recorded(settings: Settings, command: str, run_id: str | None = None) -> Iterator[str]:
    """A run around a block of work: success at its end, failed with the reason of the error if it raises."""
    run_id = start_run(settings, command, run_id)
    try:
        yield run_id
    except BaseException as error:
        finish_run(settings, run_id, reason_of(error))
        raise
    finish_run(settings, run_id)


def sources_of(settings: Settings) -> list[str]:
    """The configured sources, in the order of the registry."""
    return [name for name in SOURCES if name in settings.sources]


def services_of(settings: Settings, source: str) -> list[str]:
    """The services of a source that are switched on, in the order in which they are read."""
    if source not in SOURCES:
        raise SettingsError(f"unknown source {source}; {meant(source, list(SOURCES))}")
    if source not in settings.sources:
        raise SettingsError(f"source {source} is not in the settings: add a section [sources.{source}]")
    options = settings.sources[source]
    return [name for name in SOURCES[source].services if options.service(name).enabled]


def years_of(settings: Settings, moment: str | None = None) -> list[int]:
    """The fiscal years that a sync reads at a moment (UTC), now by default: see `Settings.years_on`."""
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{settings.utc_offset}").tzinfo
    return settings.years_on(datetime.fromisoformat(moment or utc_now()).astimezone(zone).date())


def with_years(settings: Settings) -> Settings:
    """The settings with the years that are read now, also where the calendar gives them."""
    return settings.model_copy(update={"fiscal_years": years_of(settings)})


def scopes_of(settings: Settings, source: str, service: str, years: list[int] | None = None) -> list[str]:
    """What a service is asked for: each fiscal year, or "all" where its list is the same for every year."""
    if not SOURCES[source].services[service].yearly:
        return ["all"]
    return [str(year) for year in years or years_of(settings)]


def plan_of(
    settings: Settings,
    sources: list[str] | None = None,
    years: list[int] | None = None,
    services: list[str] | None = None,
) -> list[tuple[str, str, str]]:
    """The (source, service, scope)s that a sync reads, each once: of all configured sources by default, or of those
    that have the `services`.

    Raises SettingsError for a source or service that isn't there or is switched off, and for a year that no source has.
    """
    last = max([int(utc_now()[:4]) + 1, *settings.fiscal_years])
    if wrong := [year for year in years or () if not FIRST_YEAR <= year <= last]:
        raise SettingsError(f"no source has rows of the fiscal year {wrong[0]}: give one from {FIRST_YEAR} to {last}")
    chosen = sources or sources_of(settings)
    wanted = {source: services_of(settings, source) for source in chosen}
    if services:
        for name in services:
            _check_service(settings, name, sources)
        owners = {SERVICES[name][0] for name in services}
        wanted = {
            source: [name for name in names if name in services] for source, names in wanted.items() if source in owners
        }
    plan = [
        (source, service, scope)
        for source, names in wanted.items()
        for service in names
        for scope in scopes_of(settings, source, service, years)
    ]
    return list(dict.fromkeys(plan))


def _check_service(settings: Settings, name: str, sources: list[str] | None) -> None:
    """Raise SettingsError for a service that is not read from these sources, or from any."""
    names = [each for each, (source, _) in SERVICES.items() if not sources or source in sources]
    if name not in names:
        where = f" of {' or '.join(sources)}" if sources else ""
        raise SettingsError(f"unknown service {name}{where}; {meant(name, names)}")
    source = SERVICES[name][0]
    if name not in services_of(settings, source):
        raise SettingsError(f'service {name} is switched off: enabled = false in [sources.{source}.services."{name}"]')


def sync_service(settings: Settings, source: str, service: str, scope: str, run_id: str) -> dict[str, Any]:
    """Fetch one service for one scope and promote its rows; counts, status and message (see `pipeline.fetch`).

    A run that had ended (an operator cleared the task) goes on until somebody ends it again; one that nobody has begun
    begins and ends here.
    """
    engine = warehouse(settings)
    with writing(engine) as conn:
        again = update(t.run).where(t.run.c.id == run_id).values(status="running", finished_at=None, message=None)
        begun = conn.execute(again).rowcount
    if not begun:
        with recorded(settings, "sync", run_id):
            return fetch.sync_service(engine, with_years(settings), source, service, scope, run_id)
    return fetch.sync_service(engine, with_years(settings), source, service, scope, run_id)


def preview_service(settings: Settings, source: str, service: str, scope: str) -> dict[str, Any]:
    """What `sync_service` would do now, with `examples` of rows; writes nothing (see `pipeline.fetch`)."""
    return fetch.preview_service(warehouse(settings), with_years(settings), source, service, scope)


def sync_services(settings: Settings, plan: list[tuple[str, str, str]], run_id: str) -> Iterator[dict[str, Any]]:
    """`sync_service` for each (source, service, scope), `settings.workers` at a time; results in the plan's order."""
    if settings.workers == 1:
        for source, service, scope in plan:
            yield sync_service(settings, source, service, scope, run_id)
        return
    warehouse(settings)  # migrated once, before several processes open it
    with workers.worker_pool(settings.workers) as pool:
        waiting = [
            pool.submit(sync_service, settings, source, service, scope, run_id) for source, service, scope in plan
        ]
        for result in waiting:
            yield result.result()


def place_records(settings: Settings, run_id: str) -> dict[str, int]:
    """Find the processes of new rows, and links: what needs to see all at once; return `{"placed", "linked"}`."""
    engine = warehouse(settings)
    with build.alone(engine):
        facts.extract_outdated(engine)
        build.enqueue_outdated(engine)
        placed = place.place_rows(engine, settings, run_id)
        linked = links.link_pending(engine, settings, run_id)
    return {"placed": placed, "linked": linked}


def build_shard(settings: Settings, run_id: str, shard: int, shards: int) -> dict[str, int]:
    """Build what is pending of the processes of a shard (the first is 0), beside the other shards.

    Returns `{"built"}` and how many states that made `new`, `changed` or `removed`. A shard that failed or was killed
    is run again and goes on.
    """
    engine = warehouse(settings)
    with build.alone(engine, but_for_shards=shards > 1):
        counts = build.build_pending(engine, settings, run_id, shard, shards)
    with writing(engine) as conn:
        conn.execute(update(t.run).where(t.run.c.id == run_id).values(built=t.run.c.built + counts["built"]))
    return counts


def build_records(settings: Settings, run_id: str) -> dict[str, int]:
    """Place, link and build all that is pending; return the counts of `place_records` and `build_shard`."""
    return {**place_records(settings, run_id), **build_shard(settings, run_id, 0, 1)}


def has_pending(settings: Settings) -> bool:
    """Whether codes, links or processes wait for a build, whoever left them."""
    with reading(warehouse(settings)) as conn:
        waiting = (
            select(t.pending_code.c.code),
            select(t.pending_link.c.code),
            select(t.pending_process.c.ocid),
        )
        return any(conn.execute(query.limit(1)).first() is not None for query in waiting)


def enqueue(settings: Settings, ocids: list[str] | None = None) -> int:
    """Queue processes to be built again: these, or all; return how many.

    Raises SettingsError for an OCID that no process has.
    """
    with writing(warehouse(settings)) as conn:
        known = set(conn.execute(select(t.process.c.ocid)).scalars())
        if unknown := sorted(set(ocids or ()) - known):
            raise SettingsError(f"no process has the OCID {unknown[0]}; `jejak show CODE` finds one by a source's code")
        chosen = known if ocids is None else set(ocids)
        queues.enqueue_processes(conn, chosen)
    return len(chosen)


def retry(settings: Settings, run_id: str, source: str | None = None) -> dict[str, int]:
    """Try rejected rows and processes that could not be built again with today's code; build what comes of it."""
    engine = warehouse(settings)
    columns = t.reject.c
    with writing(engine) as conn:
        failed = select(columns.ocid).where(columns.resolved_at.is_(None), columns.ocid.is_not(None)).distinct()
        queues.enqueue_processes(conn, conn.execute(failed).scalars())
    counts = fetch.retry_rejects(engine, source, run_id)
    return {**counts, **build_records(settings, run_id)}


def void_value(
    settings: Settings, ocid: str, path: str, reason: str, *, as_of: str | None = None, erase: bool = False
) -> list[str]:
    """Void the releases of a process that give the value that its record has at a path (see `transforms.paths`), or had
    at the end of the local day `as_of` (YYYY-MM-DD); of an object or a list, those that give any part of it. Returns
    their ids. Raises SettingsError for a path that the record does not have.

    What the rows still give is published anew by the next build: mend the row, the mapping or the settings first.
    """
    engine = warehouse(settings)
    with build.alone(engine), writing(engine) as conn:
        queues.settling(conn)
        releases = releases_of(conn, [ocid])[ocid]
        if as_of:
            releases = [release for release in releases if release["date"][:10] <= as_of]
        record = compiled(releases) if releases else {}
        parts = resolved(record, path)
        if parts is None:
            when = f" at the end of {as_of}" if as_of else ""
            raise SettingsError(f"the record of {ocid} has no path {path}{when}; `jejak show {ocid} --json` shows it")
        value = value_at(record, parts)

        def gives(body: dict[str, Any], lineage: list[list[Any]]) -> bool:
            found = value_at(body, parts)
            return found is not None if isinstance(value, dict | list) else found == value

        return void(conn, ocid, gives, reason, erase=erase)


def prune_versions(settings: Settings, run_id: str | None) -> dict[str, int]:
    """Delete what the settings don't keep; without a run only count it (see `pipeline.retention.prune`)."""
    return retention.prune(warehouse(settings), settings, dry_run=run_id is None)


def decide(
    settings: Settings,
    names: list[str],
    status: str,
    who: str,
    note: str | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[Any]:
    """An operator's decision on links (see `pipeline.links.decide`). What a rejected link had brought into a process is
    voided. It doesn't wait for a build that goes on: what it touches is queued anew, for the build after."""
    with writing(warehouse(settings)) as conn:
        queues.settling(conn)
        links_decided = links.decide(conn, names, status, who, note, seen)
        if status == "rejected":
            void_rejected(conn, links_decided)
        return links_decided


def give_meaning(
    settings: Settings, word: meanings.Word, code: str | None, who: str, note: str | None = None, seen: str = ""
) -> list[str]:
    """Let a word mean a code, or (None) nothing again (see `pipeline.meanings`); the processes that are queued."""
    with writing(warehouse(settings)) as conn:
        queues.settling(conn)
        if code is None:
            return meanings.take_back(conn, word, who, note, seen)
        return meanings.give(conn, word, code, who, note, seen)


def links_of(settings: Settings, status: str | None = None, rule: str | None = None) -> list[dict[str, Any]]:
    """Links with the descriptions of both sides (see `pipeline.links.listed`)."""
    with reading(warehouse(settings)) as conn:
        return links.listed(conn, status, rule)


def link_of(settings: Settings, name: str) -> dict[str, Any]:
    """One link with the descriptions of both sides. Raises SettingsError where there is none of that name."""
    with reading(warehouse(settings)) as conn:
        return links.shown(conn, name)
