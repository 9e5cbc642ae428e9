"""Simulated regencies for tests: served over HTTP on this machine or written as dumps, synced by the real commands."""

import hashlib
import io
import json
import logging
import multiprocessing
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event, select

from commands.main import main
from pipeline import build
from pipeline.fetch import COUNTS
from pipeline.registry import SERVICES, SOURCES
from simulator.dump import write_dumps
from simulator.rendering import Row
from simulator.server import Simulator, running
from simulator.truth import truth
from simulator.world import World
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading
from warehouse.releases import unpacked

PREFIX = "ocds-213czf"
API_KEY = "kunci-isb-yang-dirahasiakan"
TOKEN = "token-inaproc-yang-dirahasiakan"
# The systems that open processes; most tests are about them alone.
LKPP = ("sirup", "lpse")
# Services whose rows belong to a process.
OF_PROCESSES = [name for name, (source, service) in SERVICES.items() if service.kind and source in LKPP]

Edit = Callable[[list[Row]], list[Row]]


class EditedWorld(World):
    """A world whose answers a test may change: `edits` maps a service to what is done to its rows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.edits: dict[str, Edit] = {}
        super().__init__(*args, **options)

    def rows(self, service: str, year: int | None = None) -> list[Row]:
        rows = super().rows(service, year)
        return self.edits[service](rows) if service in self.edits else rows


@dataclass(frozen=True)
class CommandResult:
    """How a command ended and what it printed; `err` holds the log too."""

    status: int
    out: str
    err: str


def jejak(*arguments: object) -> CommandResult:
    """Run `jejak` in this process."""
    out, err = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(err)
    logger = logging.getLogger()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([str(argument) for argument in arguments])
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return CommandResult(status, out.getvalue(), err.getvalue())


@dataclass
class Town:
    """A served world and a warehouse to sync it into. Jejak's clock stands at 19:00 local time of the world's day.

    `secrets` are the environment variables that hold the sources' credentials.
    """

    world: EditedWorld
    server: Simulator
    folder: Path
    warehouse_url: str
    engine: Engine = field(init=False)
    secrets: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.engine = open_warehouse(self.warehouse_url)
        self.secrets = {
            f"JEJAK_SOURCES__{source.upper()}__{name}": secret
            for source in LKPP
            for name, secret in (("API_KEY", API_KEY), ("TOKEN", TOKEN))
        }

    @property
    def simda_url(self) -> str:
        """SIMDA's database, kept by the server."""
        return simda_in(self.folder)

    @property
    def now(self) -> str:
        return f"{self.world.today}T12:00:00Z"

    @property
    def environment(self) -> dict[str, str]:
        """What a command of today has in its environment."""
        return {**self.secrets, "JEJAK_NOW": self.now}

    def settings(
        self,
        transport: str = "isb",
        *,
        only: list[str] | None = None,
        systems: Iterable[str] = LKPP,
        off: str | None = None,
        services: Mapping[str, Mapping[str, Any]] | None = None,
        warehouse_url: str | None = None,
        workers: int = 1,
        **options: Any,
    ) -> Path:
        """A settings file for some systems: LKPP's over `transport`, the others as they are reached in reality. `only`
        switches all other services off, `services` holds options of single ones. Nobody answers for the system `off`.

        With more than one worker the clock and the log of the workers are not those of this process.
        """
        sources: dict[str, Any] = {}
        for source in systems:
            own = {name: {"enabled": only is None or name in only} for name in SOURCES[source].services}
            for name, more in (services or {}).items():
                if name in own:
                    own[name] |= more
            url = self.server.url + ("/api/v1" if transport == "rest" else "/isb-2")
            reached: dict[str, Any] = {"transport": transport, "url": url, "service_no": "0"}
            if source == "simda":
                reached = {"transport": "sql", "database": self.simda_url}
            elif source not in LKPP:
                reached = {"transport": "rest", "url": f"{self.server.url}/{source}/api"}
            if source == off:
                reached |= {"url": "http://127.0.0.1:9", "database": f"sqlite:///{self.folder / 'nothing.db'}"}
            sources[source] = {**reached, "retries": 0, **options, "services": own}
        values = {
            "name": "Pemerintah Kabupaten Rekaan",
            "ocid_prefix": PREFIX,
            "kd_klpd": self.world.kd_klpd,
            "kd_lpse": self.world.kd_lpse,
            "fiscal_years": self.world.years,
            "warehouse_url": warehouse_url or self.warehouse_url,
            "dumps": str(self.folder / "dumps"),
            "workers": workers,
            "sources": sources,
        }
        content = "".join(f"{name} = {toml(value)}\n" for name, value in values.items())
        path = self.folder / f"{hashlib.sha256(content.encode()).hexdigest()[:8]}.toml"
        path.write_text(content, encoding="utf-8")
        return path

    def jejak(self, command: str, *arguments: object, settings: Path | None = None) -> CommandResult:
        """Run a command on the town's day, by default over ISB."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return jejak(command, *arguments, "--settings", settings or self.settings())

    def sync(self, *arguments: object, settings: Path | None = None) -> dict[str, dict[str, Any]]:
        """A sync that must succeed; its counts by service."""
        result = self.jejak("sync", *arguments, settings=settings)
        assert result.status == 0, result.err
        return self.counts()

    def counts(self) -> dict[str, dict[str, Any]]:
        """What the last sync did, by service, summed over years."""
        runs, run = t.run_service, t.run.c
        last = select(run.id).where(run.command == "sync").order_by(run.number.desc()).limit(1)
        found: dict[str, dict[str, Any]] = {}
        for row in self.query(select(runs).where(runs.c.run_id == last.scalar_subquery())):
            entry = found.setdefault(row["service"], row)
            if entry is not row:
                for name in COUNTS:
                    entry[name] += row[name]
        return found

    def query(self, query: Select[Any]) -> list[dict[str, Any]]:
        with reading(self.engine) as conn:
            return [dict(row) for row in conn.execute(query).mappings()]

    def edit(self, service: str, change: Edit | None) -> None:
        """Change what the server answers for a service from now on; None undoes it."""
        self.world.edits.pop(service, None)
        if change:
            self.world.edits[service] = change
        self.server.advance(0, 0)  # forgets the answers it keeps

    def next_day(self, change_share: float = 0.0) -> dict[str, Any]:
        """Move the world on by a day; what happened (see `World.advance`)."""
        return self.server.advance(1, change_share)

    def dump(self, replaced: Mapping[str, str] | None = None, formats: Mapping[str, str] | None = None) -> Path:
        """Write today's rows as a folder of dumps, the one that `settings("files")` names, dated today.

        `replaced` has texts to stand in the JSON files of services instead; `formats` as in `write_dumps`.
        """
        folder = self.folder / "dumps"
        write_dumps(self.world, folder, formats)
        for service, text in (replaced or {}).items():
            (folder / f"{service}.json").write_text(text, encoding="utf-8")
        at = datetime.fromisoformat(self.now).timestamp()
        for path in folder.iterdir():
            os.utime(path, (at, at))
        return folder

    def known(self, service: str, *, current: bool = True) -> list[dict[str, Any]]:
        """The row versions of a service, oldest first: the current ones that are not gone, or all."""
        columns = t.raw_record.c
        query = select(t.raw_record).where(columns.service == service).order_by(columns.id)
        return self.query(query.where(columns.current, ~columns.gone) if current else query)

    def compiled(self, kind: str, code: object) -> dict[str, Any]:
        """The compiled release of the process that a code belongs to."""
        found = self.query(
            select(t.record.c.compiled).join(t.identity, t.identity.c.ocid == t.record.c.ocid)
            .where(t.identity.c.kind == kind, t.identity.c.key == str(code))
        )  # fmt: skip
        assert found, (kind, code)
        record: dict[str, Any] = found[0]["compiled"]
        return record


def toml(value: object) -> str:
    """A value in TOML, tables inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)


def simda_in(folder: Path) -> str:
    """URL of SIMDA's database in a town's folder."""
    return f"sqlite:///{folder / 'simda.db'}"


@contextmanager
def served(world: EditedWorld, folder: Path, warehouse_url: str, *, simda: bool = False) -> Iterator[Town]:
    """The world answers until the block is left; `folder` takes settings files, dumps and, where asked for, SIMDA's
    database."""
    with running(world, api_key=API_KEY, token=TOKEN, simda_url=simda_in(folder) if simda else None) as server:
        town = Town(world, server, folder, warehouse_url)
        yield town
        town.engine.dispose()


@pytest.fixture
def new_url(tmp_path: Path, sqlite_template: Path) -> Callable[[], str]:
    """Makes SQLite warehouses, migrated and empty, and gives their URLs."""

    def make() -> str:
        path = tmp_path / f"jejak-{len(list(tmp_path.glob('jejak-*.db')))}.db"
        shutil.copy(sqlite_template, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def file_url(new_url: Callable[[], str]) -> str:
    """URL of a migrated, empty SQLite warehouse."""
    return new_url()


@pytest.fixture
def town(tmp_path: Path, file_url: str) -> Iterator[Town]:
    """A small town with an empty SQLite warehouse."""
    with served(EditedWorld(20, seed=1), tmp_path, file_url) as town:
        yield town


@pytest.fixture
def town_on_both(tmp_path: Path, warehouse_url: str) -> Iterator[Town]:
    """A small town with an empty warehouse, on SQLite and on PostgreSQL."""
    with served(EditedWorld(20, seed=1), tmp_path, warehouse_url) as town:
        yield town


# --- processes to be killed ------------------------------------------------------------------------------------------


def run_apart(environment: Mapping[str, str], log: Path, *arguments: object, die_at: int | None = None) -> int | None:
    """Run `jejak` as a process of its own, in small batches, and return its exit code.

    What it says goes to the log file, at last the number of its transactions. SIGKILL ends it before it commits
    transaction `die_at`.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not in every process
    process = context.Process(target=_run, args=(environment, log, [str(argument) for argument in arguments], die_at))
    process.start()
    process.join()
    return process.exitcode


def begin_apart(environment: Mapping[str, str], batch: int, die_at: int | None) -> Callable[[], int]:
    """What a forked process does first: take the environment of its test, work in small batches and, if that is asked,
    be killed at a commit. Returns what counts the commits."""
    # The server that forked this process was started under some other test's environment.
    for name in [name for name in os.environ if name.startswith("JEJAK_")]:
        del os.environ[name]
    os.environ.update(environment)
    build._BATCH = batch
    commits = 0

    @event.listens_for(Engine, "commit")
    def _commit(_: object) -> None:
        nonlocal commits
        commits += 1
        if commits == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: commits


def _run(environment: Mapping[str, str], log: Path, arguments: list[str], die_at: int | None) -> None:
    commits = begin_apart(environment, 10, die_at)
    with log.open("a", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        status = main(arguments)
        print(commits())
        sys.exit(status)


# --- what is in a warehouse ------------------------------------------------------------------------------------------


def contents(engine: Engine) -> dict[str, list[Any]]:
    """All tables but the bookkeeping of runs, alike for alike warehouses: numbers of row versions become ranks within
    the row's key, since services may be read in any order, and the moment that INAPROC puts on each answer is left out.
    """
    found = {}
    raw = t.raw_record.c
    versions = select(raw.id, raw.source, raw.service, raw.scope, raw.key).order_by(raw.id)
    with reading(engine) as conn:
        raw_ids = {}
        ranks: Counter[tuple[str, ...]] = Counter()
        for number, *key in conn.execute(versions):
            ranks[tuple(key)] += 1
            raw_ids[number] = (*key, ranks[tuple(key)])
        for table in t.metadata.sorted_tables:
            if table in (t.run, t.run_service, t.run_process, t.decision, *t.LINKING):
                continue
            rows = [dict(row) for row in conn.execute(select(table)).mappings()]
            for row in rows:
                row.pop("run_id", None)
                row.pop("run_number", None)
                row.pop("token", None)
                if table is t.reject:
                    del row["id"]
                if table is t.raw_record:
                    row["payload"].pop("last_update_ref", None)
                for name in ("id", "row_id"):
                    if isinstance(row.get(name), int):
                        row[name] = raw_ids[row[name]]
                row |= {name: unpacked(value) for name, value in row.items() if isinstance(value, bytes)}
                if table is t.record:
                    row["rows"] = sorted([*version[:-1], raw_ids[version[-1]]] for version in row["rows"])
                if table is t.release:
                    row["lineage"] = sorted(row["lineage"])
            found[table.name] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))
    return found


def plain(value: Any) -> Any:
    """A document whose lists of entries are in the order of their ids: order of entries is no difference."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "id" in item for item in value):
        return sorted((plain(item) for item in value), key=lambda entry: str(entry["id"]))
    return value


def differences(engine: Engine, world: World) -> dict[str, Any]:
    """Where the warehouse disagrees with the world's truth about identity, relations, families and unknown codes."""
    expected = truth(world)
    identity, relations, families = crosswalk(engine)
    wrong = {}
    for service, codes in expected["rows"].items():
        # Kaji ulang revises packages of both kinds.
        kinds = ("rup", "swk") if service == "RUP-HistoryKajiUlang" else (str(SERVICES[service][1].kind),)
        for code, process in codes.items():
            found = [identity.get((kind, code)) for kind in kinds]
            if process not in found:
                wrong[service, code] = (found, process)
    with reading(engine) as conn:
        signals = {(row.service, row.field, row.value) for row in conn.execute(select(t.signal)) if row.kind == "code"}
    return {
        name: found
        for name, found in {
            "rows": wrong,
            "relations": relations ^ {tuple(relation) for relation in expected["relations"]},
            "families": families ^ {frozenset(family) for family in expected["families"]},
            "signals": {signal for signal in map(tuple, expected["unknown"]) if signal not in signals},
        }.items()
        if found
    }


Crosswalk = tuple[dict[tuple[str, str], str], set[tuple[str, str, str]], set[frozenset[str]]]


def crosswalk(engine: Engine) -> Crosswalk:
    """Identity, relations, and families of more than one process; processes without the prefix, as `truth` has them."""
    with reading(engine) as conn:
        identity = {(row.kind, row.key): _bare(row.ocid) for row in conn.execute(select(t.identity))}
        relations = {
            (_bare(row.ocid), row.relationship, _bare(row.related_ocid))
            for row in conn.execute(select(t.process_relation))
        }
        members: dict[str, set[str]] = {}
        for row in conn.execute(select(t.process)):
            members.setdefault(row.family, set()).add(_bare(row.ocid))
    return identity, relations, {frozenset(family) for family in members.values() if len(family) > 1}


def _bare(ocid: str) -> str:
    return ocid.removeprefix(f"{PREFIX}-")


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- a town that has lived a little ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """A town after some nights, with rejects, withdrawals and unknown codes; what the commands printed and exported.

    Tests share it and only read.
    """

    town: Town
    output: str
    out: Path


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("lived")
    shutil.copy(sqlite_template, folder / "jejak.db")
    world = EditedWorld(60, seed=10)
    # A few rows that can't be used, and one that can be in part, which hold as much personal data as the others.
    world.edits["SPSE-NonTenderSelesai"] = lambda rows: [
        *rows[:-1],
        rows[-1] | {"tgl_buat_paket": "?"},
        *(row | {"kd_nontender": "?"} for row in rows[:3]),
    ]
    world.edits["SPSE-PencatatanSwakelolaRealisasi"] = lambda rows: [
        *(row | {"nilai_realisasi": "?"} for row in rows[:2]),
        *rows,
    ]
    with served(world, folder, f"sqlite:///{folder}/jejak.db", simda=True) as town:
        everything = town.settings(systems=SOURCES)
        results = [town.jejak("sync", settings=everything)]
        for _ in range(3):
            town.next_day(0.05)
            results.append(town.jejak("sync", settings=everything))
        results.append(town.jejak("export", "--out", folder / "out"))
        results.append(town.jejak("extract", "--out", folder / "out" / "tables", "--format", "csv"))
        assert [each.status for each in results] == [0] * 6
        yield Lived(town, "".join(each.out + each.err for each in results), folder / "out")
