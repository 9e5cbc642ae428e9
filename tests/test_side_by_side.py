"""Runs beside one another and answers out of order: nothing is doubled, nothing newer is overwritten, nobody fails."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text

from pipeline import fetch, steps
from pipeline.configure import load_settings
from pipeline.fetch import COUNTS
from pipeline.place import _being_read, _failing
from pipeline.registry import SOURCES
from schemas.settings import Settings
from simulator.faults import Fault
from simulator.rendering import Row
from simulator.world import World
from tests.test_sync import ATTEMPTS, BIDDERS, FINISHED, PAYMENTS, TENDERS, changed, counted, open_rejects
from tests.worlds import CommandResult, EditedWorld, Town, contents, plain, run_apart, served
from transforms.difference import living
from warehouse import tables as t
from warehouse.engine import holding, open_warehouse, reading, writing
from warehouse.load import upsert_rows

REPOSITORY = Path(__file__).parents[1]
ORDERS = "Ecat-PaketEPurchasingV6"


# --- two at once -----------------------------------------------------------------------------------------------------


class Apart:
    """A sync of one service in a process of its own, and what it says."""

    def __init__(self, town: Town, settings: Path) -> None:
        self.log = town.folder / f"{time.time_ns()}.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JEJAK_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "commands.main", "sync", "lpse", "--no-build", "--settings", str(settings)],
                cwd=REPOSITORY,
                env=environment | town.environment,
                stdout=log,
                stderr=log,
            )

    def matches(self, words: str) -> bool:
        return words in self.log.read_text(encoding="utf-8")

    def ends(self) -> int:
        return self.process.wait(60)


@contextmanager
def gated(town: Town, service: str) -> Iterator[threading.Event]:
    """Nobody gets an answer from this service before the event is set."""
    gate = threading.Event()

    def wait(rows: list[Row]) -> list[Row]:
        assert gate.wait(60)
        return rows

    town.edit(service, wait)
    try:
        yield gate
    finally:
        gate.set()


def until(happened: Callable[[], object]) -> None:
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def locks(town: Town) -> list[Any]:
    """The locks that are held: files beside SQLite's, advisory locks of PostgreSQL."""
    if town.engine.dialect.name == "sqlite":
        return list(town.folder.glob("*.lock"))
    with reading(town.engine) as conn:
        return list(conn.scalars(text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")))


def test_two_processes_read_the_same_place_at_once(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("rest", only=[BIDDERS], page_size=50)
    with gated(town, BIDDERS) as gate:
        first = Apart(town, settings)
        until(lambda: locks(town))
        second = Apart(town, settings)
        until(lambda: second.matches(f"{BIDDERS} 2025: another process is at it; waiting until it is done"))
        gate.set()
        assert (first.ends(), second.ends()) == (0, 0)
    assert locks(town) == []
    runs = town.query(select(t.run_service).order_by(t.run_service.c.finished_at, t.run_service.c.unchanged))
    assert [counted(each) for each in runs] == [{"fetched": 271, "new": 271}, {"fetched": 271, "unchanged": 271}]
    known = town.known(BIDDERS, current=False)
    assert len(known) == len({row["key"] for row in known}) == 271
    assert {row["run_id"] for row in known} == {runs[0]["run_id"]}
    assert town.query(select(t.staged_fetch)) == town.query(select(t.staged_page)) == []
    # As one sync would have left it.
    before = contents(town.engine)
    town.sync("--no-build", settings=settings)
    assert contents(town.engine) == before


def test_who_waits_for_a_process_that_is_killed_goes_on_at_once(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("rest", only=[BIDDERS], page_size=50)
    with gated(town, BIDDERS) as gate:
        first = Apart(town, settings)
        until(lambda: town.query(select(t.staged_fetch)))
        second = Apart(town, settings)
        until(lambda: second.matches("waiting"))
        first.process.kill()
        assert first.ends() == -signal.SIGKILL
        gate.set()
        assert second.ends() == 0
    assert len(town.known(BIDDERS)) == 271
    assert locks(town) == []


def test_what_a_killed_process_left_of_its_lock_keeps_nobody_out(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[BIDDERS])
    with gated(town, BIDDERS):
        first = Apart(town, settings)
        until(lambda: locks(town))
        first.process.kill()
        first.ends()
    result = town.jejak("sync", "lpse", "--no-build", settings=settings)
    assert result.status == 0
    assert "waiting" not in result.err
    assert locks(town) == []


def test_who_has_lost_its_lock_can_spoil_nothing(town_on_both: Town) -> None:
    """Its connection breaks, or somebody deletes the file, while it waits for the source; then another reads."""
    town = town_on_both
    settings = town.settings("rest", only=[BIDDERS], page_size=50, retries=1)
    town.server.faults.add(Fault("hang", "tender/peserta-tender", after_page=2, seconds=5))
    first = Apart(town, settings)
    until(lambda: any(request["fault"] for request in town.server.requests))
    if town.engine.dialect.name == "sqlite":
        [lock] = locks(town)
        lock.unlink()
    else:
        with writing(town.engine) as conn:
            conn.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    assert counted(town.sync("lpse", "--no-build", settings=settings)[BIDDERS]) == {"fetched": 271, "new": 271}
    before = contents(town.engine)
    assert first.process.poll() is None
    assert first.ends() == 1
    assert first.matches("another run reads the same service and year now")
    assert contents(town.engine) == before
    assert locks(town) == []


def test_one_of_many_threads_at_a_time_holds_a_name(warehouse: Engine) -> None:
    inside, most = 0, 0
    done = []

    def enter() -> None:
        nonlocal inside, most
        for _ in range(5):
            with holding(warehouse, "a place / of its own"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1
        done.append(True)

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    with holding(warehouse, "another place"):
        for thread in threads:
            thread.join(60)
    assert (len(done), most) == (6, 1)


def test_a_lock_is_in_no_transaction_and_ends_with_its_block(warehouse: Engine) -> None:
    def fail() -> None:
        with holding(warehouse, "a place"):
            if warehouse.dialect.name == "postgresql":
                with reading(warehouse) as conn:
                    idle = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
                    assert conn.scalar(idle) == 0
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()


def test_counts_are_there_as_soon_as_the_rows_are(town: Town) -> None:
    """Whenever it is killed, a run's counts add up to the rows it has written."""
    settings = town.settings(only=[ATTEMPTS])
    arguments = ("sync", "--no-build", "--settings", settings)
    versions = len(town.known(ATTEMPTS, current=False))
    for die_at in itertools.count(1):
        ended = run_apart(town.environment, town.folder / "log", *arguments, die_at=die_at)
        rows = town.known(ATTEMPTS, current=False)
        found = town.query(select(t.run_service))
        assert sum(each["new"] for each in found) == len(rows) - versions
        for each in found:
            assert each["fetched"] == sum(each[name] for name in COUNTS[1:6])
            assert (each["observed_at"], each["finished_at"]) == (town.now, town.now)
        if ended == 0:
            break
    assert die_at > 5


def test_a_sync_killed_at_a_commit_ends_as_one_never_killed(
    tmp_path: Path, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(EditedWorld(8, seed=3), tmp_path, new_url()) as town:
        town.edit(ATTEMPTS, lambda rows: [*rows, rows[0] | {"kd_nontender": None}])
        services = ["RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia", ATTEMPTS, FINISHED]
        town.sync(settings=town.settings(only=services))
        town.next_day(0.3)
        town.edit(ATTEMPTS, lambda rows: [row | {"kolom_baru": 1} for row in rows[:-1]])
        before = Path(str(town.engine.url.database))
        expected = None
        for die_at in itertools.chain([0], itertools.count(1, 3)):
            url = new_url()
            for suffix in ("", "-wal", "-shm"):
                if Path(f"{before}{suffix}").exists():
                    shutil.copy(f"{before}{suffix}", f"{url.removeprefix('sqlite:///')}{suffix}")
            settings = town.settings(only=services, warehouse_url=url)
            arguments = ("sync", "--settings", settings)
            killed = run_apart(town.environment, tmp_path / "log", *arguments, die_at=die_at or None)
            if expected is not None and killed == 0:
                break
            if killed:
                assert killed == -signal.SIGKILL
                assert run_apart(town.environment, tmp_path / "log", *arguments) == 0
            found = contents(open_warehouse(url))
            expected = expected or found
            assert found == expected, die_at
        assert die_at > 15


# --- runs that are taken up again ------------------------------------------------------------------------------------


def settings_of(town: Town, path: Path, patch: pytest.MonkeyPatch) -> Settings:
    for name, value in town.environment.items():
        patch.setenv(name, value)
    return load_settings(str(path))


def test_a_run_that_had_ended_goes_on_while_it_reads(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(town, town.settings(only=[ATTEMPTS]), monkeypatch)
    run_id = steps.start_run(settings, "sync", "sync_lpse/tonight")
    assert steps.sync_service(settings, "lpse", ATTEMPTS, "2025", run_id)["status"] == "success"
    taken_over = town.now
    steps.finish_run(settings, run_id, "1 service failed")
    town.next_day(0)
    town.server.faults.add(Fault("status", ATTEMPTS))
    assert steps.sync_service(settings, "lpse", ATTEMPTS, "2025", run_id)["status"] == "failed"
    [run] = town.query(select(t.run))
    assert (run["status"], run["finished_at"], run["message"]) == ("running", None, None)
    [found] = town.query(select(t.run_service))
    # What it had taken over before it has taken over.
    assert (found["status"], found["observed_at"]) == ("failed", taken_over)


def test_a_run_that_reads_a_place_again_counts_what_it_brought_as_a_whole(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    settings = settings_of(town, town.settings(only=[ATTEMPTS]), monkeypatch)
    rows = len(town.world.rows(ATTEMPTS))
    gone = {"fetched": rows - 1, "new": rows - 1, "gone": 1}
    for edit, expected in (
        (None, {"fetched": rows, "new": rows}),
        (None, {"fetched": rows, "new": rows}),
        (changed(nama_paket="Judul baru"), {"fetched": rows, "new": rows}),
        (lambda rows: rows[1:], gone),
        (lambda rows: [*rows[1:], rows[1], rows[1] | {"kd_nontender": 5}], gone | {"fetched": rows + 1, "new": rows}),
    ):
        town.edit(ATTEMPTS, edit)
        counts = steps.sync_service(settings, "lpse", ATTEMPTS, "2025", "tonight")
        duplicate = {"duplicate": 1} if expected["fetched"] > rows else {}
        assert counted(counts) == expected | duplicate
        [found] = town.query(select(t.run_service))
        assert {name: found[name] for name in counts} == counts
    town.server.faults.add(Fault("status", ATTEMPTS))
    counts = steps.sync_service(settings, "lpse", ATTEMPTS, "2025", "tonight")
    assert (counts["status"], counted(counts)) == ("failed", counted(found))
    assert [counted(each) for each in town.query(select(t.run_service))] == [counted(found)]
    assert counted(steps.sync_service(settings, "lpse", ATTEMPTS, "2025", "the next night")).keys() == {
        "fetched", "unchanged", "duplicate"
    }  # fmt: skip


def test_what_is_pruned_while_an_answer_is_compared_keeps_it_from_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = shutil.copytree(town.dump(), town.folder / "older")
    path = town.settings("files", only=[ATTEMPTS])
    town.next_day(0)
    town.edit(ATTEMPTS, changed(nama_paket="Judul baru"))
    newer = shutil.copytree(town.dump(), town.folder / "newer")
    for folder in (newer, older):
        read(town, folder, path, "--no-build")
    known = town.known(ATTEMPTS)
    assert town.known(ATTEMPTS, current=False)[-1]["id"] > known[-1]["id"]
    settings = settings_of(town, path, monkeypatch)
    begin = fetch._check_rejects

    def prune(*arguments: Any) -> None:
        with writing(town.engine) as conn:
            conn.execute(delete(t.raw_record).where(~t.raw_record.c.current))
        begin(*arguments)

    monkeypatch.setattr(fetch, "_check_rejects", prune)
    assert steps.sync_service(settings, "lpse", ATTEMPTS, "2025", "third")["status"] == "success"
    assert town.known(ATTEMPTS) == known


def test_a_run_that_nobody_has_begun_begins_and_ends_with_the_service(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(town, town.settings(only=[ATTEMPTS]), monkeypatch)
    assert steps.sync_service(settings, "lpse", ATTEMPTS, "2025", "by hand")["status"] == "success"
    [run] = town.query(select(t.run))
    assert (run["id"], run["status"]) == ("by hand", "success")


def test_years_are_those_of_the_calendar_where_settings_name_none(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(town, town.settings(), monkeypatch)
    assert steps.years_of(settings, "2026-07-01T00:00:00Z") == [2025]
    by_calendar = settings.model_copy(update={"fiscal_years": []})
    # New Year is at 17:00 UTC in Bojonegoro.
    assert steps.years_of(by_calendar, "2025-12-31T16:59:59Z") == [2025]
    assert steps.years_of(by_calendar, "2025-12-31T17:00:00Z") == [2025, 2026]
    assert steps.years_of(by_calendar, "2026-03-31T16:59:59Z") == [2025, 2026]
    assert steps.years_of(by_calendar, "2026-03-31T17:00:00Z") == [2026]
    assert steps.scopes_of(by_calendar, "lpse", TENDERS) == [town.now[:4]]


def test_lists_of_all_years_lie_with_the_newest_year_of_the_calendar(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumped = town.dump()
    dumped.rename(town.folder / "2025")
    name = "RUP-MasterProvinsi"
    settings = settings_of(town, town.settings("files", only=[name]), monkeypatch).model_copy(
        update={"fiscal_years": [], "dumps": f"{town.folder}/{{year}}"}
    )
    [place] = steps.plan_of(settings, ["sirup"])
    assert place == ("sirup", name, "all")
    assert steps.sync_service(settings, *place, "by hand")["new"] == 3


def test_which_sync_reads_and_which_failed_last_follows_from_the_numbers_of_runs(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in one second, and the names in no order."""
    settings = settings_of(town, town.settings(), monkeypatch)
    [(kind, service), *_] = [
        (kind, service) for kind, awaited in SOURCES["sirup"].mapping.awaited.items() for service in awaited
    ]
    place = {"source": "sirup", "service": service, "scope": "2025", "finished_at": town.now}
    for name, status, readers in (("c", "success", {"c"}), ("b", "success", {"b"}), ("a", "failed", set())):
        steps.start_run(settings, "sync", name)
        with writing(town.engine) as conn:
            upsert_rows(conn, t.run_service, [{**place, "run_id": name, "status": status}])
            assert {reader for reader, _ in _being_read(conn, "ours").values()} == readers
            assert _failing(conn, settings).get(kind, set()) == ({"2025"} if status == "failed" else set())
    steps.start_run(settings, "sync", "c")
    with reading(town.engine) as conn:
        assert {reader for reader, _ in _being_read(conn, "ours").values()} == {"c"}
        assert _failing(conn, settings).get(kind, set()) == set()


# --- what a sync would do --------------------------------------------------------------------------------------------


def everything(town: Town) -> dict[str, list[Any]]:
    with reading(town.engine) as conn:
        return {table.name: sorted(map(repr, conn.execute(select(table)))) for table in t.metadata.sorted_tables}


def printed(result: CommandResult) -> dict[str, dict[str, int]]:
    """The table of counts that a command printed, by the service's name."""
    rows = re.findall(rf"^\w+ +(\S+) 2025 *{'( +[0-9,]+)' * len(COUNTS)}", result.out, re.MULTILINE)
    return {
        name: counted(dict(zip(COUNTS, (int(each.replace(",", "")) for each in counts), strict=True)))
        for name, *counts in rows
    }


@pytest.mark.parametrize("transport", ["isb", "files"])
def test_a_dry_run_tells_what_the_sync_after_it_does_and_writes_nothing(town_on_both: Town, transport: str) -> None:
    town = town_on_both
    services = [ATTEMPTS, BIDDERS, FINISHED, PAYMENTS]
    settings = town.settings(transport, only=services)
    town.dump()
    dry = town.jejak("sync", "--dry-run", settings=settings)
    assert dry.status == 0
    assert {counts["new"] for counts in printed(dry).values()} == {len(town.world.rows(name)) for name in services}
    town.sync(settings=settings)
    attempts = town.world.rows(ATTEMPTS)
    town.next_day(0.1)
    town.edit(ATTEMPTS, lambda rows: [rows[0] | {"nama_paket": "Judul baru"}, *rows[2:], rows[2] | {"hps": "rahasia"}])
    town.edit(PAYMENTS, lambda rows: [*rows, rows[0] | {"nilai_realisasi": "rahasia"}])
    town.dump()
    before = everything(town)
    dry = town.jejak("sync", "--dry-run", settings=settings)
    assert dry.status == 0
    assert everything(town) == before
    counts = town.sync(settings=settings)
    assert printed(dry) == {name: counted(each) for name, each in counts.items()}
    assert counts[ATTEMPTS]["changed"] > 0
    for number, happened in enumerate(("changed", "gone")):
        [codes] = re.findall(rf"{ATTEMPTS} 2025: {happened} ([0-9, ]+)\n", dry.out)
        assert str(attempts[number]["kd_nontender"]) in codes.split(", ")
    # What is wrong with its amount costs a payment, but not an attempt.
    assert re.search(rf"{PAYMENTS} 2025: rejected nilai_realisasi: .* got text of 7 characters", dry.out)
    assert {name for name, each in counts.items() if each["rejected"]} == {PAYMENTS}
    assert [row["field"] for row in town.query(select(t.signal).where(t.signal.c.kind == "dropped"))] == ["hps"]
    assert "rahasia" not in dry.out + dry.err
    assert "Nothing was written" in dry.out


def test_a_dry_run_of_a_source_that_fails_says_so_and_leaves_a_broken_fetch_as_it_is(town: Town) -> None:
    settings = town.settings("rest", only=[BIDDERS], page_size=50)
    town.server.faults.add(Fault("status", "tender/peserta-tender", after_page=3, times=2))
    town.jejak("sync", settings=settings)
    before = everything(town)
    dry = town.jejak("sync", "--dry-run", settings=settings)
    assert dry.status == 1
    assert f"{BIDDERS} 2025: " in dry.out
    assert "FAILED" in dry.out
    assert "answered 503; try again later" in dry.out
    assert everything(town) == before
    dry = town.jejak("sync", "--dry-run", settings=settings)
    assert (dry.status, printed(dry)) == (0, {BIDDERS: {"fetched": 271, "new": 271}})
    assert everything(town) == before


# --- answers out of order --------------------------------------------------------------------------------------------

# What each of the first attempts is on the three days: a title, or not there.
DAYS = {
    "back again": "XYX", "changed once": "XYY", "changed at last": "XXY", "changed twice": "XYZ",
    "only on the first": "X--", "only on the second": "-X-", "only on the last": "--X",
    "not on the first": "-XX", "not on the second": "X-X", "not on the last": "XX-",
    "gone and back as another": "X-Y", "there and gone and changed": "XY-", "late and changed": "-XY",
}  # fmt: skip


def only_tries(rows: list[Row]) -> list[Row]:
    """Of several attempts at one package the first that is known gets its OCID, for good: they do depend on order."""
    tries = Counter(row["kd_rup"] for row in rows)
    return [row for row in rows if tries[row["kd_rup"]] == 1]


def on_day(day: int) -> Callable[[list[Row]], list[Row]]:
    def edit(rows: list[Row]) -> list[Row]:
        rows = only_tries(rows)
        titles = [each[day] for each in DAYS.values()]
        titled = [
            row | {"nama_paket": f"Judul {title}"} for row, title in zip(rows, titles, strict=False) if title != "-"
        ]
        return [*titled, *rows[len(titles) :]]

    return edit


def awards_on_day(day: int) -> Callable[[list[Row]], list[Row]]:
    """Nearly all vanish on the second day, and come back."""

    def edit(rows: list[Row]) -> list[Row]:
        rows = only_tries(rows)
        return [rows[1:], rows[:1], rows][day]

    return edit


def dumps_of_three_days(town: Town) -> list[Path]:
    folders = []
    for day in range(3):
        town.next_day(0)
        town.next_day(0)
        town.edit(ATTEMPTS, on_day(day))
        town.edit(FINISHED, awards_on_day(day))
        folders.append(Path(shutil.copytree(town.dump(), town.folder / f"day-{day}")))
    town.next_day(0)
    return folders


def empty(engine: Engine) -> None:
    with writing(engine) as conn:
        for table in reversed(t.metadata.sorted_tables):
            if table is not t.definition:  # of the views, which stay
                conn.execute(delete(table))


def read(town: Town, folder: Path, settings: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    shutil.rmtree(town.folder / "dumps")
    shutil.copytree(folder, town.folder / "dumps")
    return town.sync(*arguments, settings=settings)


def known_now(town: Town) -> dict[tuple[str, str], str]:
    columns = t.raw_record.c
    rows = town.query(select(t.raw_record).where(columns.current).order_by(columns.id))
    assert len(rows) == len({(row["service"], row["key"]) for row in rows})
    return {(row["service"], row["key"]): row["content_hash"] for row in rows if not row["gone"]}


def states_now(town: Town) -> dict[str, Any]:
    """The state of every process that a current row announces."""
    announced = select(t.identity.c.ocid).join(
        t.raw_record, (t.raw_record.c.kind == t.identity.c.kind) & (t.raw_record.c.code == t.identity.c.key)
    )
    announced = announced.where(t.raw_record.c.service == ATTEMPTS, t.raw_record.c.current, ~t.raw_record.c.gone)
    rows = town.query(select(t.record).where(t.record.c.ocid.in_(announced)))
    return {row["ocid"]: plain(living(row["compiled"], row["withdrawn"] or ())) for row in rows}


def test_answers_make_the_same_of_it_in_whatever_order_they_are_read(tmp_path: Path, warehouse_url: str) -> None:
    with served(EditedWorld(45, seed=2), tmp_path, warehouse_url) as town:
        settings = town.settings("files", only=[ATTEMPTS, FINISHED])
        days = dumps_of_three_days(town)
        assert len(town.world.rows(ATTEMPTS)) >= sum(each[2] != "-" for each in DAYS.values())
        for folder in days:
            read(town, folder, settings)
        expected = known_now(town), states_now(town)
        titles = {record["tender"].get("title") for record in expected[1].values() if "tender" in record}
        assert titles >= {"Judul X", "Judul Y", "Judul Z"}
        for order in list(itertools.permutations(range(3)))[1:]:
            empty(town.engine)
            newest = -1
            for day in order:
                before = known_now(town)
                counts = read(town, days[day], settings)
                if day < newest:
                    assert known_now(town) == before
                    for each in counts.values():
                        assert each["fetched"] == each["unchanged"] + each["duplicate"]
                        assert each["gone"] == 0
                newest = max(newest, day)
            assert (known_now(town), states_now(town)) == expected, order
        # Once more, all of them: there is nothing in them that is not known.
        rows = contents(town.engine)["raw_record"]
        for folder in days:
            for each in read(town, folder, settings, "--no-build").values():
                assert counted(each).keys() <= {"fetched", "unchanged", "duplicate"}, folder.name
        assert contents(town.engine)["raw_record"] == rows


_answers = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from("XYZ"), st.sampled_from([0, 0, 3])), min_size=1, max_size=5),
    min_size=2,
    max_size=3,
)


@hypothesis.settings(
    max_examples=100, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(_answers, st.randoms(use_true_random=False))
def test_any_answers_in_any_order_leave_the_rows_of_the_newest(
    town: Town, answers: list[list[tuple[int, str, int]]], random: Random
) -> None:
    """An answer is rows of (key, title, days before the answer)."""
    path = town.settings("files", only=[ATTEMPTS], services={ATTEMPTS: {"min_share": 0}})
    template = World.rows(town.world, ATTEMPTS)[0]
    folder = town.folder / "dumps"
    folder.mkdir(exist_ok=True)
    first = date(2025, 6, 1)
    files = []
    for number, answer in enumerate(answers):
        day = first + timedelta(days=10 * number)
        rows = [
            template | {"kd_nontender": key, "nama_paket": title, "_event_date": str(day - timedelta(days=before))}
            for key, title, before in [*answer, (9, "W", 0)]
        ]
        files.append(json.dumps(random.sample(rows, len(rows))))
    newest: dict[int, dict[str, int]] = {}
    for key, title, before in [*answers[-1], (9, "W", 0)]:
        newest.setdefault(key, {})[title] = min(before, newest.get(key, {}).get(title, before))
    expected = sorted(
        (str(key), title)
        for key, titles in newest.items()
        for title, before in titles.items()
        if before == min(titles.values())
    )
    with pytest.MonkeyPatch.context() as patch:
        settings = settings_of(town, path, patch)
        empty(town.engine)
        for name in random.sample(range(len(files)), len(files)):
            (folder / f"{ATTEMPTS}.json").write_text(files[name])
            for again in range(2):
                known = town.known(ATTEMPTS, current=False)
                counts = steps.sync_service(settings, "lpse", ATTEMPTS, "2025", steps.start_run(settings, "sync"))
                assert counts["status"] == "success", counts["message"]
                assert not again or town.known(ATTEMPTS, current=False) == known
        now = town.known(ATTEMPTS)
        assert sorted((row["code"], row["payload"]["nama_paket"]) for row in now) == expected
        assert len({row["key"] for row in now}) == len(now)


def test_a_reject_of_an_older_answer_is_history_and_never_tried_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = town.settings("files", only=[ORDERS])

    def too_much(rows: list[Row]) -> list[Row]:
        order = rows[0] | {"total_harga": 4 * 10**15}
        return [order, *rows[1:], order | {"kd_paket": "5"}]

    folders: list[Path] = []
    for edit in (None, too_much, None):
        town.next_day(0)
        town.next_day(0)
        town.edit(ORDERS, edit)
        folders.append(Path(shutil.copytree(town.dump(), town.folder / f"day-{len(folders)}")))
    town.next_day(0)
    for day in (0, 2, 1):
        counts = read(town, folders[day], settings)[ORDERS]
    assert counts["rejected"] == len(town.query(select(t.reject))) == 2
    assert open_rejects(town) == []
    now, history = known_now(town), town.known(ORDERS, current=False)
    monkeypatch.setattr("schemas.fields.AMOUNT_LIMIT", 10**16)
    assert "accepted 0, left 0" in town.jejak("retry", settings=settings).out
    assert (known_now(town), town.known(ORDERS, current=False)) == (now, history)


def test_a_dump_of_today_is_no_newer_than_what_is_asked_for_after_it(town: Town) -> None:
    """It is dated by its day, which has not ended."""
    town.dump()
    town.sync("--no-build", settings=town.settings("files", only=[ATTEMPTS]))
    town.edit(ATTEMPTS, changed(nama_paket="Judul baru"))
    counts = town.sync("--no-build", settings=town.settings(only=[ATTEMPTS]))[ATTEMPTS]
    assert counts["changed"] == 1
