"""Forgetting: what goes is needed by nothing, and all that is published stays as though nothing had gone."""

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline.registry import MAPPINGS, SOURCES
from simulator.faults import Fault
from simulator.rendering import Row
from tests.worlds import EditedWorld, Town, run_apart, served
from warehouse import tables as t
from warehouse.engine import reading
from warehouse.releases import unpacked

PUBLISHED = (t.release, t.record, *t.STAR, *t.DIMENSIONS)
ATTEMPTS = "SPSE-NonTenderPengumuman"
TENDERS = "SPSE-TenderPengumuman"
PROVINCES = "RUP-MasterProvinsi"
HISTORIES = {name for mapping in MAPPINGS.values() for name in mapping.histories}
SOME = ["RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia", ATTEMPTS, "SPSE-NonTenderSelesai", PROVINCES]


@pytest.fixture(autouse=True)
def _two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJAK_KEEP_VERSIONS_DAYS", "2")


def published(engine: Engine) -> dict[str, list[str]]:
    """All that analysts read, whichever run and row version it came from."""
    found = {}
    with reading(engine) as conn:
        for table in PUBLISHED:
            rows = [
                {name: plain(value) for name, value in row.items() if name not in ("run_id", "rows")}
                for row in conn.execute(select(table)).mappings()
            ]
            found[table.name] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def plain(value: Any) -> Any:
    """A value as both databases give it."""
    if isinstance(value, bytes):
        value = unpacked(value)
    if isinstance(value, list):
        return sorted(value)
    return float(value) if type(value) is int else value


def versions(town: Town) -> list[dict[str, Any]]:
    """The row versions that were replaced, oldest first."""
    return town.query(select(t.raw_record).where(~t.raw_record.c.current).order_by(t.raw_record.c.id))


def pruned(town: Town, *arguments: str, settings: Path) -> dict[str, int]:
    """What `jejak prune` says it did."""
    result = town.jejak("prune", *arguments, settings=settings)
    assert result.status == 0, result.err
    return {name: int(count) for name, count in (part.split() for part in result.out.split(", "))}


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
        assert pruned(town, settings=settings) == {"versions": 0, "rejects": 0, "fetches": 0}
        live(4)
        before, counted = versions(town), pruned(town, "--dry-run", settings=settings)
        assert versions(town) == before
        assert [run["command"] for run in town.query(select(t.run))].count("prune") == 1
        assert pruned(town, settings=settings) == counted
        left = versions(town)
        assert {row["service"] for row in before if row not in left} >= {ATTEMPTS, PROVINCES}
        assert len(before) - len(left) == counted["versions"]
        # What holds within the days that are kept is left, and versions that a mapping takes.
        oldest = min(row["observed_at"] for row in left if row["service"] not in HISTORIES)
        assert datetime.fromisoformat(town.now) - datetime.fromisoformat(oldest) == timedelta(days=2)
        assert [row for row in left if row["service"] in HISTORIES] == [
            row for row in before if row["service"] in HISTORIES
        ]
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


def test_killed_at_any_commit_it_has_done_all_or_nothing(town_on_both: Town, tmp_path: Path) -> None:
    town = town_on_both
    settings = town.settings(only=SOME)
    town.edit(ATTEMPTS, stamped(town))
    town.edit(PROVINCES, stamped(town))
    for _ in range(5):
        town.next_day(0.05)
        town.sync(settings=settings)
    before, counted = published(town.engine), pruned(town, "--dry-run", settings=settings)
    found = len(versions(town))
    assert counted["versions"]
    environment = {**town.environment, "JEJAK_KEEP_VERSIONS_DAYS": "2"}
    for die_at in itertools.count(1):
        status = run_apart(environment, tmp_path / "log", "prune", "--settings", settings, die_at=die_at)
        assert found - len(versions(town)) in (0, counted["versions"])
        assert published(town.engine) == before
        if status == 0:
            break
    assert found - len(versions(town)) == counted["versions"]
    assert town.jejak("rebuild", settings=settings).status == 0
    assert published(town.engine) == before


def test_settled_rejects_and_pages_left_behind_go_and_what_is_open_stays(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("rest", only=["SPSE-PesertaTender", ATTEMPTS], page_size=5)
    town.edit(ATTEMPTS, lambda rows: [row | {"kd_nontender": "?"} for row in rows[:2]] + rows[2:])
    town.sync(settings=settings)
    town.edit(ATTEMPTS, lambda rows: [row | {"kd_nontender": "?"} for row in rows[:1]] + rows[1:])
    town.next_day()
    town.server.faults.add(Fault("status", "tender/peserta-tender", after_page=3, times=None))
    assert town.jejak("sync", settings=settings).status == 1
    assert town.query(select(t.staged_page))
    assert pruned(town, settings=settings) == {"versions": 0, "rejects": 0, "fetches": 0}
    for _ in range(3):
        town.next_day()
    assert pruned(town, settings=settings) == {"versions": 0, "rejects": 1, "fetches": 1}
    assert town.query(select(t.staged_fetch)) == town.query(select(t.staged_page)) == []
    assert [row["resolved_at"] for row in town.query(select(t.reject))] == [None]


def test_a_dump_of_before_what_is_kept_is_history_that_goes_again(town: Town) -> None:
    settings = town.settings("files", only=[TENDERS])
    older = (town.dump() / f"{TENDERS}.json").read_text(encoding="utf-8")
    for _ in range(4):
        town.next_day(0.1)
        town.edit(TENDERS, stamped(town))
        town.dump()
        town.sync(settings=settings)
    pruned(town, settings=settings)
    before, known = published(town.engine), town.known(TENDERS, current=False)
    town.dump({TENDERS: older})
    for _ in range(2):
        assert town.sync(settings=settings)[TENDERS]["gone"] == 0
        assert published(town.engine) == before
        assert pruned(town, settings=settings)["versions"] > 0
        assert town.known(TENDERS, current=False) == known


def test_without_the_setting_nothing_goes_and_it_is_said_how_to_set_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JEJAK_KEEP_VERSIONS_DAYS")
    result = town.jejak("prune", "--dry-run")
    assert (result.status, result.out) == (1, "")
    assert "set it in the settings" in result.err
