"""Torture: whole nights of all sources, disturbed at random moments, end as the same nights undisturbed.

Two warehouses read one world, over HTTP and from SIMDA's database. In one each night runs once. In the other, before it
runs through, it is killed at commits drawn at random (while fetching, placing, linking, building, rebuilding,
exporting), gets answers that are broken, reads from a server that is restarted meanwhile, runs twice at once, has its
disk full (SQLite) or its connections ended (PostgreSQL). Rows of all services are mutated, for both alike. In the end
all tables are the same but for the bookkeeping of runs and for what became one release or two.

`make torture` takes more nights: JEJAK_TEST_TORTURE says how many, JEJAK_TEST_TORTURE_SEED which.
"""

import multiprocessing
import os
import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from commands.main import main
from pipeline.registry import SERVICES
from simulator.faults import Fault
from tests.worlds import EditedWorld, Town, begin_apart, contents, plain, served
from transforms.difference import living

NIGHTS = int(os.environ.get("JEJAK_TEST_TORTURE", "2"))
SEED = int(os.environ.get("JEJAK_TEST_TORTURE_SEED", "7"))
SYSTEMS = ("sirup", "lpse", "simda", "musrenbang", "simpen", "dokumen")
# Faults of answers that must not be believed: the service fails and changes nothing.
BROKEN = ("html", "truncated", "status", "drop", "error_object", "few_rows", "empty", "few_distinct", "missing_column")
# What mutated rows hold in some field: nothing, junk, other types, too much.
JUNK: tuple[object, ...] = (
    None, "", "-", "??", "NULL", "tidak ada", 0, -1, 2**40, 1e300, "x" * 5000, "9" * 400, "<b>1</b>", "\u202eabc",
    "1900-01-01", "32 Januari 2025", "1.234.567,89", {"a": [1]}, [[]], True, "5,95199E+07", "'; DROP TABLE record; --",
)  # fmt: skip

OVER_HTTP = [name for name, (source, _) in SERVICES.items() if source in SYSTEMS and source != "simda"]
# In two nights: lists of every kind, from every source.
SOME = [
    "RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia", "RUP-HistoryKajiUlang", "SPSE-TenderPengumuman",
    "SPSE-NonTenderPengumuman", "SPSE-NonTenderSelesai", "SPSE-NonTenderEkontrak-2Kontrak",
    "SPSE-PencatatanNonTender", "SPSE-PencatatanNonTenderRealisasi", "Ecat-PaketEPurchasingV6",
    "SIMDA-Anggaran", "SIMDA-Kontrak", "SIMDA-SP2D", "Musrenbang-Usulan", "SIMPEN-Pekerjaan", "SIMPEN-Progres",
    "Dokumen-Perencanaan",
]  # fmt: skip

pytestmark = pytest.mark.torture


def mutated(seed: int) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Junk in some fields of a tenth of the rows, the same each time."""

    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        dice = random.Random(seed)
        return [
            {**row, **{dice.choice(list(row)): dice.choice(JUNK) for _ in range(2)}} if dice.random() < 0.1 else row
            for row in rows
        ]

    return change


def apart(
    environment: Mapping[str, str],
    log: Path,
    *arguments: object,
    die_at: int | None = None,
    most_bytes: int | None = None,
) -> Any:
    """A `jejak` in a process of its own, begun; see `tests.worlds.run_apart`. Its files may grow to `most_bytes`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.worlds"])  # imported once, not in every process
    words = [str(argument) for argument in arguments]
    process = context.Process(target=_apart, args=(dict(environment), log, words, die_at, most_bytes))
    process.start()
    return process


def _apart(
    environment: Mapping[str, str], log: Path, arguments: list[str], die_at: int | None, most_bytes: int | None
) -> None:
    commits = begin_apart(environment, 10, die_at)
    if most_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    with log.open("a", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        status = main(arguments)
        print(commits(), flush=True)
        sys.exit(status)


class Torturer:
    """Disturbs one town's nights and counts what it did."""

    def __init__(self, town: Town, settings: Path, dice: random.Random) -> None:
        self.town, self.settings, self.dice = town, settings, dice
        self.log = town.folder / "tortured.log"
        self.log.touch()
        self.done: Counter[str] = Counter()

    def run(self, *arguments: object, **disturbance: Any) -> int | None:
        process = apart(self.town.environment, self.log, *arguments, "--settings", self.settings, **disturbance)
        process.join()
        log = self.log.read_text(encoding="utf-8")
        assert "Traceback" not in log
        assert "usage:" not in log
        status: int | None = process.exitcode
        return status

    def kill(self, commits: int, *arguments: object) -> None:
        """Killed before a commit; where it makes fewer commits than last time it ends by itself."""
        status = self.run(*arguments, die_at=self.dice.randint(1, max(1, commits)))
        self.done["kills"] += status == -signal.SIGKILL

    def break_answers(self) -> None:
        # A fault is matched by a part of the name: it must be no other service's too.
        services = [
            name
            for name in OVER_HTTP
            if len(self.town.world.rows(name)) >= 20
            and not SERVICES[name][1].keyless
            and sum(name in other for other in SERVICES) == 1
        ]
        for service in self.dice.sample(services, 3):
            self.town.server.faults.add(Fault(self.dice.choice(BROKEN), service, times=None))
            self.done["broken answers"] += 1
        self.run("sync", "--no-build")
        self.mend()

    def mend(self) -> None:
        self.town.server.faults.clear()
        self.town.server.advance(0, 0)  # it forgets the broken answers that it keeps

    def restart_server(self) -> None:
        """What a server that goes away in mid-answer leaves: connections that break."""
        self.town.server.faults.add(Fault("drop", "", times=None, after_page=self.dice.randint(0, 1)))
        self.run("sync", "--no-build")
        self.mend()
        self.done["servers restarted"] += 1

    def twice_at_once(self) -> None:
        both = [apart(self.town.environment, self.log, "sync", "--settings", self.settings) for _ in range(2)]
        for process in both:
            process.join()
        self.done["two at once"] += 1

    def fail_warehouse(self) -> None:
        """The disk is full, or PostgreSQL ends all connections, while it fetches and while it builds."""
        url = make_url(self.town.warehouse_url)
        for command in (("sync", "--no-build"), ("build",)):
            if url.get_backend_name() == "sqlite":
                size = Path(str(url.database)).stat().st_size
                status = self.run(*command, most_bytes=size + self.dice.choice((0, 8192, 65536)))
                self.done["disks full"] += 1
            else:
                process = apart(self.town.environment, self.log, *command, "--settings", self.settings)
                ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                engine = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
                with engine.connect() as conn:
                    while process.is_alive():
                        conn.execute(text(f"{ended}AND pid <> pg_backend_pid()"))
                        process.join(self.dice.uniform(0.05, 0.6))
                engine.dispose()
                status = process.exitcode
                self.done["connections ended"] += 1
            if command != ("build",) and status:
                # What has never answered is not waited for: a build between may choose other OCIDs for ever.
                self.run("sync", "--no-build")


def compared(found: dict[str, list[Any]]) -> dict[str, Any]:
    """All tables, of records the states: what was learned in one build or in two is another release. Of signals how
    many rows had them in the last run is bookkeeping of that run."""
    names = ("source", "service", "field", "value", "kind")
    signals = sorted([row[name] for name in names] for row in found["signal"])
    states = {row["ocid"]: plain(living(row["compiled"], row["withdrawn"] or ())) for row in found["record"]}
    return {**found, "signal": signals, "record": states, "release": None}


def test_disturbed_nights_end_as_undisturbed_ones(tmp_path: Path, warehouse_url: str, file_url: str) -> None:
    dice = random.Random(SEED)
    options: dict[str, Any] = {"systems": SYSTEMS, "max_pages": 50, "only": None if NIGHTS > 2 else SOME}
    with (
        served(EditedWorld(30, seed=SEED), tmp_path, warehouse_url, simda=True) as town,
        served(town.world, tmp_path, file_url) as calm,
    ):
        undisturbed, settings = calm.settings(**options), town.settings(**options)
        calm_log = tmp_path / "calm.log"
        torturer = Torturer(town, settings, dice)

        def calmly(each: Town, where: Path, command: str) -> int | None:
            process = apart(each.environment, calm_log, command, "--settings", where)
            process.join()
            status: int | None = process.exitcode
            return status

        for night in range(NIGHTS):
            for name in dice.sample(OVER_HTTP, 8) if night else ():
                town.edit(name, mutated(dice.randint(0, 10**9)))
                torturer.done["lists with mutated rows"] += 1
            calm.server.advance(0, 0)  # it forgets the answers of before
            status = calmly(calm, undisturbed, "sync")
            commits = int(calm_log.read_text(encoding="utf-8").split()[-1])
            disturbances: list[Callable[[], None]] = [
                *([partial(torturer.kill, commits, "sync")] * 2),
                torturer.break_answers,
                torturer.restart_server,
                torturer.fail_warehouse,
            ]
            dice.shuffle(disturbances)
            for disturb in disturbances:
                disturb()
            torturer.twice_at_once()
            for command in (("rebuild",), ("retry",), ("export", "--out", str(tmp_path / "out"))):
                torturer.kill(8, *command)
            assert torturer.run("sync") == status
            calmly(calm, undisturbed, "retry")
            calmly(town, settings, "retry")
            found, wanted = compared(contents(town.engine)), compared(contents(calm.engine))
            assert {name for name in wanted if found[name] != wanted[name]} == set(), (night, torturer.done)
            assert found["pending_code"] == found["pending_process"] == found["staged_fetch"] == []
            town.next_day(0.1)
        assert torturer.done["kills"] >= NIGHTS
    print(f"\n{NIGHTS} nights: {dict(torturer.done)}")
