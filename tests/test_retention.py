"""Forgetting: what goes is needed by nothing, and all that is published stays as though nothing had gone."""

import json
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline.queues import enqueue_processes
from pipeline.registry import SOURCES
from simulator.faults import Fault
from simulator.rendering import Row
from tests.worlds import EditedWorld, Town, run_apart, served
from warehouse import tables as t
from warehouse.engine import reading, writing

PUBLISHED = (t.release, t.record, *t.STAR, t.organization)
ATTEMPTS = "SPSE-NonTenderPengumuman"
TENDERS = "SPSE-TenderPengumuman"
PROVINCES = "RUP-MasterProvinsi"
SOME = ["RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia", ATTEMPTS, "SPSE-NonTenderSelesai", PROVINCES]


@pytest.fixture(autouse=True)
def _two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJAK_KEEP_VERSIONS_DAYS", "2")


def published(engine: Engine) -> dict[str, list[str]]:
    """All that analysts read, whichever run wrote it."""
    found = {}
    with reading(engine) as conn:
        for table in PUBLISHED:
            rows = [
                # The two databases give the same amount as another type of number.
                {name: float(value) if type(value) is int else value for name, value in row.items() if name != "run_id"}
                for row in conn.execute(select(table)).mappings()
            ]
            found[table.name] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def versions(town: Town) -> list[dict[str, Any]]:
    """The row versions that were replaced, oldest first."""
    return town.query(select(t.raw_record).where(~t.raw_record.c.current).order_by(t.raw_record.c.id))


def pruned(town: Town, *arguments: str, settings: Path) -> dict[str, int]:
    """What `jejak prune` says it did."""
    said = town.jejak("prune", *arguments, settings=settings)
    assert said.status == 0, said.err
    return {name: int(count) for name, count in (part.split() for part in said.out.split(", "))}


def stamped(town: Town) -> Callable[[list[Row]], list[Row]]:
    """Rows that are others every day, in a field that no mapping reads."""
    return lambda rows: [row | {"catatan": str(town.world.today)} for row in rows]


def test_what_is_published_stays_and_goes_on_as_though_nothing_had_gone(
    tmp_path: Path, new_url: Callable[[], str], warehouse_url: str
) -> None:
    with served(EditedWorld(20, seed=1), tmp_path, new_url(), simda=True) as kept:
        town = Town(kept.world, kept.server, tmp_path, warehouse_url)
        everything = [(each, each.settings(systems=SOURCES)) for each in (kept, town)]
        settings = everything[1][1]
        town.edit(ATTEMPTS, stamped(town))
        town.edit(PROVINCES, stamped(town))

        def live(days: int) -> None:
            for _ in range(days):
                kept.next_day(0.1)
                for each, own in everything:
                    each.sync(settings=own)

        live(2)
        assert pruned(town, settings=settings) == {"versions": 0, "needed": 0, "rejects": 0, "pages": 0}
        live(4)
        before, counted = versions(town), pruned(town, "--dry-run", settings=settings)
        assert versions(town) == before
        assert [run["command"] for run in town.query(select(t.run))].count("prune") == 1
        assert pruned(town, settings=settings) == counted
        assert counted["needed"] > 5
        left = versions(town)
        assert {row["service"] for row in before if row not in left} >= {ATTEMPTS, PROVINCES}
        assert len(before) - len(left) == counted["versions"]
        # Of a list that no process reads only what held within the days that are kept is left.
        oldest = min(row["observed_at"] for row in left if row["service"] == PROVINCES)
        assert datetime.fromisoformat(town.now) - datetime.fromisoformat(oldest) == timedelta(days=3)
        # Every row that is left and says something is shown as the origin of some release.
        told = {row["raw_id"] for row in town.query(select(t.lineage))}
        assert {row["id"] for row in left if not row["gone"] and row["kind"] in ("nontender", "rup")} <= told
        assert published(town.engine) == published(kept.engine)
        assert pruned(town, settings=settings) == {**counted, "versions": 0}
        for each, own in everything:
            assert each.jejak("rebuild", settings=own).status == 0
        assert published(town.engine) == published(kept.engine)
        live(1)
        assert pruned(town, settings=settings)["versions"] > 0
        live(1)
        assert published(town.engine) == published(kept.engine)
        town.engine.dispose()


def test_killed_in_the_middle_it_goes_on_from_there(town_on_both: Town, tmp_path: Path) -> None:
    town = town_on_both
    settings = town.settings(only=SOME)
    town.edit(ATTEMPTS, stamped(town))
    town.edit(PROVINCES, stamped(town))
    for _ in range(5):
        town.next_day(0.05)
        town.sync(settings=settings)
    before, counted = published(town.engine), pruned(town, "--dry-run", settings=settings)
    found = len(versions(town))
    environment = {**town.environment, "JEJAK_KEEP_VERSIONS_DAYS": "2"}
    left = set()
    for die_at in (5, 7, 9):
        status = run_apart(environment, tmp_path / "log", "prune", "--settings", settings, die_at=die_at)
        assert status in (-signal.SIGKILL, 0)
        assert published(town.engine) == before
        left.add(found - len(versions(town)))
    assert len(left) > 1, "it was never killed in the middle"
    pruned(town, settings=settings)
    assert found - len(versions(town)) == counted["versions"]
    assert published(town.engine) == before
    assert town.jejak("rebuild", settings=settings).status == 0
    assert published(town.engine) == before


def test_a_process_that_waits_to_be_derived_keeps_all_it_has(town: Town) -> None:
    settings = town.settings(only=[ATTEMPTS])
    town.edit(ATTEMPTS, stamped(town))
    for _ in range(5):
        town.next_day()
        town.sync(settings=settings)
    attempts = len(town.known(ATTEMPTS))
    with writing(town.engine) as conn:
        enqueue_processes(conn, conn.execute(select(t.process.c.ocid)).scalars().all())
    assert pruned(town, settings=settings) == {"versions": 0, "needed": attempts, "rejects": 0, "pages": 0}
    town.jejak("build", settings=settings)
    assert pruned(town, settings=settings) == {"versions": attempts, "needed": 0, "rejects": 0, "pages": 0}


def test_settled_rejects_and_pages_left_behind_go_and_what_is_open_stays(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("rest", only=["SPSE-PesertaTender", ATTEMPTS], page_size=5)
    town.edit(ATTEMPTS, lambda rows: [row | {"pagu": "?"} for row in rows[:2]] + rows[2:])
    town.sync(settings=settings)
    town.edit(ATTEMPTS, lambda rows: [row | {"pagu": "?"} for row in rows[:1]] + rows[1:])
    town.next_day()
    town.server.faults.add(Fault("status", "tender/peserta-tender", after_page=3, times=None))
    assert town.jejak("sync", settings=settings).status == 1
    pages = len(town.query(select(t.staged_page)))
    assert pages
    assert pruned(town, settings=settings) == {"versions": 0, "needed": 0, "rejects": 0, "pages": 0}
    for _ in range(3):
        town.next_day()
    assert pruned(town, settings=settings) == {"versions": 0, "needed": 0, "rejects": 1, "pages": pages}
    assert town.query(select(t.staged_fetch)) == []
    assert [row["resolved_at"] for row in town.query(select(t.reject))] == [None]


def test_a_dump_of_before_what_is_kept_is_refused(town: Town) -> None:
    settings = town.settings("files", only=[TENDERS])
    older = (town.dump() / f"{TENDERS}.json").read_text(encoding="utf-8")
    first = town.now
    for _ in range(4):
        town.next_day(0.1)
        town.dump()
        town.sync(settings=settings)
    known = town.known(TENDERS, current=False)
    town.dump({TENDERS: older})
    said = town.jejak("sync", settings=settings)
    assert said.status == 1
    assert f"of {first[:10]}" in said.err
    assert "keep_versions_days" in said.err
    assert town.known(TENDERS, current=False) == known
    # It is read anew once it is mended.
    town.dump()
    assert town.sync(settings=settings)[TENDERS]["unchanged"] == len(town.known(TENDERS))


def test_without_the_setting_nothing_goes_and_it_is_said_how_to_set_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JEJAK_KEEP_VERSIONS_DAYS")
    said = town.jejak("prune", "--dry-run")
    assert (said.status, said.out) == (1, "")
    assert "set it in the settings" in said.err
