"""Records built in shards, by several processes at once: the same as built by one, whoever is killed."""

import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from pipeline import build, steps
from pipeline.clock import utc_now
from pipeline.configure import load_settings
from pipeline.fetch import note_signals
from pipeline.queues import enqueue_processes
from pipeline.registry import SOURCES
from pipeline.workers import worker_pool
from tests.worlds import EditedWorld, Town, begin_apart, contents, served
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import upsert_rows
from warehouse.star import star_rows, write_star

SHARDS = 4
NIGHT = {"command": "build", "started_at": "2025-03-01T18:00:00Z", "status": "running"}


def build_apart(town: Town, settings: Path, run_id: str, shards: list[int], die_at: int | None = None) -> list[int]:
    """Build shards of four at once, each in a process of its own and in small batches; their exit codes. SIGKILL ends
    each before it commits transaction `die_at`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.worlds"])  # imported once, not in every process
    together = context.Barrier(len(shards))
    processes = [
        context.Process(target=_build, args=(together, town.environment, str(settings), run_id, shard, die_at))
        for shard in shards
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode or 0 for process in processes]


def _build(
    together: Any, environment: Mapping[str, str], settings: str, run_id: str, shard: int, die_at: int | None
) -> None:
    begin_apart(environment, 5, die_at)
    together.wait()
    steps.build_shard(load_settings(settings), run_id, shard, SHARDS)


def begin(town: Town, settings: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fetch, and place what came; the run whose shards are then built."""
    result = town.jejak("sync", "--no-build", settings=settings)
    assert result.status == 0, result.err
    with monkeypatch.context() as patch:
        for name, value in town.environment.items():
            patch.setenv(name, value)
        loaded = load_settings(str(settings))
        run_id = steps.start_run(loaded, "build")
        steps.place_records(loaded, run_id)
    return run_id


def changes(town: Town, run_id: str) -> dict[str, str]:
    rows = town.query(select(t.run_process).where(t.run_process.c.run_id == run_id))
    return {row["ocid"]: row["change"] for row in rows}


def test_shards_at_once_do_what_one_does(
    tmp_path: Path, warehouse_url: str, file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        served(EditedWorld(40, seed=6), tmp_path, warehouse_url, simda=True) as town,
        served(town.world, tmp_path, file_url) as whole,
    ):
        settings = town.settings(systems=SOURCES)
        one = whole.settings(systems=SOURCES, warehouse_url=file_url)
        one.write_text(one.read_text().replace(whole.simda_url, town.simda_url))
        for _ in range(2):
            whole.sync(settings=one)
            run_id = begin(town, settings, monkeypatch)
            assert build_apart(town, settings, run_id, list(range(SHARDS))) == [0] * SHARDS
            expected, found = contents(whole.engine), contents(town.engine)
            for table in expected:
                assert found[table] == expected[table], table
            [last] = whole.query(select(t.run.c.id).order_by(t.run.c.number.desc()).limit(1))
            assert changes(town, run_id) == changes(whole, last["id"]) != {}
            [run] = town.query(select(t.run.c.built).where(t.run.c.id == run_id))
            assert run["built"] >= len(changes(town, run_id))
            town.next_day(0.1)
            whole.server.advance(0, 0)  # forgets the answers it keeps


def test_shards_that_are_killed_and_run_again_finish(
    tmp_path: Path, warehouse_url: str, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        served(EditedWorld(40, seed=7), tmp_path, warehouse_url) as town,
        served(town.world, tmp_path, new_url()) as whole,
    ):
        whole.sync(settings=whole.settings())
        settings = town.settings()
        run_id = begin(town, settings, monkeypatch)
        killed = [-signal.SIGKILL] * SHARDS
        for die_at in (1, 2, 1):
            assert build_apart(town, settings, run_id, list(range(SHARDS)), die_at) == killed
        # The machine that had shard 2 is given up for lost, but lives.
        assert build_apart(town, settings, run_id, [0, 1, 2, 2, 3]) == [0] * (SHARDS + 1)
        assert contents(town.engine) == contents(whole.engine)
        assert set(changes(town, run_id).values()) == {"new"}
        assert len(changes(town, run_id)) == len(town.query(select(t.record.c.ocid)))


def test_rewriting_all_records_at_once_changes_nothing(
    tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(EditedWorld(40, seed=8), tmp_path, warehouse_url) as town:
        settings = town.settings()
        run_id = begin(town, settings, monkeypatch)
        assert build_apart(town, settings, run_id, list(range(SHARDS))) == [0] * SHARDS
        before, noted = contents(town.engine), changes(town, run_id)
        for _ in range(2):
            with writing(town.engine) as conn:
                enqueue_processes(conn, conn.execute(select(t.record.c.ocid)).scalars().all())
            assert build_apart(town, settings, run_id, list(range(SHARDS))) == [0] * SHARDS
            after = contents(town.engine)
            # Unknown words are counted in each build: signals alone have other numbers.
            assert {name for name in before if after[name] != before[name]} <= {"signal"}
        assert changes(town, run_id) == noted


def test_shards_keep_only_builds_of_all_waiting(warehouse: Engine) -> None:
    order: list[str] = []

    def whole() -> None:
        with build.alone(warehouse):
            order.append("whole")

    def part() -> None:
        with build.alone(warehouse, but_for_shards=True):
            order.append("another shard")

    with ThreadPoolExecutor(2) as pool:
        with build.alone(warehouse, but_for_shards=True):
            pool.submit(part).result(60)
            waits = pool.submit(whole)
            with pytest.raises(TimeoutError):
                waits.result(0.5)
            order.append("shard")
        waits.result(60)
    assert order == ["another shard", "shard", "whole"]


@pytest.fixture
def started(warehouse: Engine) -> Engine:
    with writing(warehouse) as conn:
        conn.execute(insert(t.run), {"id": "r", **NIGHT})
    return warehouse


def test_suppliers_keep_the_words_of_the_first_record_whoever_writes_them(started: Engine) -> None:
    """Each round rewrites all records, some of them gone, each with other organisations, some without a name."""
    chance = random.Random(4)

    def write(mine: list[tuple[str, dict[str, Any]]]) -> None:
        for start in range(0, len(mine), 3):
            with writing(started) as conn:
                some = mine[start : start + 3]
                upsert_rows(conn, t.record, [_record(ocid, state) for ocid, state in some])
                write_star(conn, [(ocid, star_rows(state, ocid) if state else {}) for ocid, state in some])

    with ThreadPoolExecutor(SHARDS) as pool:
        for night in range(6):
            written = [(f"o{number:02}", _state(f"o{number:02}", night, chance)) for number in range(48)]
            chance.shuffle(written)
            list(pool.map(write, [written[shard::SHARDS] for shard in range(SHARDS)]))
            first: dict[str, tuple[bool, str, str]] = {}
            for ocid, state in written:
                for party in state.get("parties", ()):
                    words = ("name" not in party, ocid, party.get("name") or party["id"])
                    first[party["id"]] = min(first.get(party["id"], words), words)
            with reading(started) as conn:
                found = {row.id: (not row.named, row.ocid, row.name) for row in conn.execute(select(t.supplier))}
            assert found == first, night


def _state(ocid: str, night: int, chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.2:
        return {}
    parties = [
        {"id": f"ID-{number}", "roles": ["tenderer"], **({"name": f"{ocid} {night}"} if chance.random() < 0.7 else {})}
        for number in chance.sample(range(16), 4)
    ]
    return {"ocid": ocid, "tender": {"id": "1"}, "parties": parties}


def _record(ocid: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"ocid": ocid, "compiled": {"ocid": ocid, **state}, "releases": 1, "date": "d", "rows": b"", "run_id": "r"}


def test_unknown_values_of_all_shards_add_up(started: Engine) -> None:
    chance = random.Random(5)
    batches = [
        [("lpse", "S", f"f{chance.randint(1, 5)}", f"v{number}", "code", chance.randint(1, 9)) for number in some]
        for some in (chance.sample(range(12), 6) for _ in range(80))
    ]
    expected: Counter[tuple[str, str]] = Counter()
    for batch in batches:
        for _, _, field, value, _, rows in batch:
            expected[field, value] += rows

    def note(batch: list[tuple[str, str, str, str, str, int]]) -> None:
        with writing(started) as conn:
            note_signals(conn, batch, "r")

    with ThreadPoolExecutor(SHARDS) as pool:
        list(pool.map(note, batches))
    with reading(started) as conn:
        assert {(row.field, row.value): row.rows for row in conn.execute(select(t.signal))} == expected


@pytest.mark.parametrize("second", [NIGHT["started_at"], "2025-03-02T18:00:00Z"])
def test_the_next_run_counts_unknown_values_anew_also_within_a_second(
    started: Engine, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(started) as conn:
        conn.execute(insert(t.run), {"id": "next", **NIGHT, "started_at": second})
    # A run that began before it changes nothing of what it found.
    calls = (("r", 5, 5), ("next", 5, 5), ("r", 9, 5), ("next", 2, 7))
    for hour, (run_id, rows, counted) in enumerate(calls):
        monkeypatch.setenv("JEJAK_NOW", f"2025-03-09T0{hour}:00:00Z")
        with writing(started) as conn:
            note_signals(conn, [("lpse", "S", "f1", "v1", "code", rows)], run_id)
            assert conn.execute(select(t.signal.c.rows)).scalar_one() == counted
    with reading(started) as conn:
        row = conn.execute(select(t.signal)).one()
        # A task of an old run may be done again on any later day: when it saw something is not when its run began.
        assert (row.first_seen, row.last_seen) == ("2025-03-09T00:00:00Z", "2025-03-09T03:00:00Z")
        assert row.run_number == 2


def test_workers_have_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    # What forks them has begun at the first pool and keeps the environment of then.
    for now in ("2025-03-01T18:00:00Z", "2025-03-02T18:00:00Z"):
        monkeypatch.setenv("JEJAK_NOW", now)
        with worker_pool(2) as pool:
            assert pool.submit(utc_now).result() == now
