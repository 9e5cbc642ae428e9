"""Whatever order, transport and times rows are read in, the same rows give the same states, star rows and links."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline import steps
from pipeline.configure import load_settings
from pipeline.registry import SOURCES
from tests.worlds import EditedWorld, Town, plain, served
from transforms.difference import living
from warehouse import tables as t
from warehouse.engine import reading


def picture(engine: Engine) -> dict[str, Any]:
    """What a warehouse holds that must not depend on how its rows came: identity, states, star rows, links."""
    with reading(engine) as conn:
        found: dict[str, Any] = {
            "identity": {(row.kind, row.key): row.ocid for row in conn.execute(select(t.identity))},
            "family": {row.ocid: row.family for row in conn.execute(select(t.process))},
            "state": {
                row.ocid: plain(living(row.compiled, row.withdrawn or ())) for row in conn.execute(select(t.record))
            },
            "link": {row.id: (row.status, round(row.confidence, 3), row.by) for row in conn.execute(select(t.link))},
        }
        for table in (*t.STAR, *t.DIMENSIONS, t.subject):
            rows = [dict(row) for row in conn.execute(select(table)).mappings()]
            for row in rows:
                row.pop("updated_at", None)
            found[table.name] = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
    return found


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The parts of two pictures that differ, with an example of each."""
    found: dict[str, Any] = {}
    for name, part in one.items():
        if part == other[name]:
            continue
        if isinstance(part, dict):
            places = [place for place in part.keys() | other[name].keys() if part.get(place) != other[name].get(place)]
            place = sorted(places, key=str)[0]
            found[name] = len(places), place, part.get(place), other[name].get(place)
        else:
            found[name] = sorted(set(part) ^ set(other[name]))[:2]
    return found


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Any:
    """A town of all systems after some days."""
    folder = tmp_path_factory.mktemp("grown")
    with served(EditedWorld(60, seed=4), folder, f"sqlite:///{folder}/unused.db", simda=True) as town:
        for _ in range(4):
            town.next_day(0.05)
        town.dump()
        yield town


def read(
    town: Town, url: str, monkeypatch: pytest.MonkeyPatch, transport: str, seed: int | None, shards: int = 1
) -> dict[str, Any]:
    """Read all services of the town into a new warehouse, each at a time of its own and in an order by `seed`, and
    build once."""
    for name, value in town.environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(str(town.settings(transport, systems=SOURCES, warehouse_url=url)))
    plan = steps.plan_of(settings)
    if seed is not None:
        random.Random(seed).shuffle(plan)
    run_id = steps.start_run(settings, "sync")
    for minute, (source, service, scope) in enumerate(plan):
        if seed is not None:
            monkeypatch.setenv("JEJAK_NOW", f"{town.world.today}T{minute // 60:02}:{minute % 60:02}:00Z")
        result = steps.sync_service(settings, source, service, scope, run_id)
        assert result["status"] != "failed", result
    monkeypatch.setenv("JEJAK_NOW", town.now)
    steps.finish_run(settings, run_id)
    steps.place_records(settings, run_id)
    for shard in random.Random(seed).sample(range(shards), shards):
        steps.build_shard(settings, run_id, shard, shards)
    assert not steps.has_pending(settings)
    return picture(steps.warehouse(settings))


@pytest.mark.parametrize(("transport", "seed", "shards"), [("isb", 1, 1), ("isb", 2, 3), ("files", 3, 1)])
def test_order_times_transport_and_shards_make_no_difference(
    grown: Town,
    new_url: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    seed: int,
    shards: int,
) -> None:
    at_once = read(grown, new_url(), monkeypatch, "isb", None)
    shuffled = read(grown, new_url(), monkeypatch, transport, seed, shards)
    assert at_once["state"]
    assert differing(at_once, shuffled) == {}


def test_who_reads_every_day_and_who_reads_late_have_the_same_but_for_what_is_no_longer_there(
    tmp_path: Path, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(EditedWorld(60, seed=4), tmp_path, new_url(), simda=True) as town:
        settings = town.settings(systems=SOURCES)
        town.sync(settings=settings)
        for _ in range(3):
            town.next_day(0.05)
            town.sync(settings=settings)
        daily, late = picture(town.engine), read(town, new_url(), monkeypatch, "isb", None)
        earlier = known_earlier(town, daily, late)
    for name in ("identity", "family", "link"):
        assert late[name].items() <= daily[name].items()
    same = daily["state"].keys() - earlier
    assert len(same) > len(daily["state"]) / 2, "this seed shows little"
    assert {ocid: daily["state"][ocid] for ocid in same} == {ocid: late["state"][ocid] for ocid in same}
    for table in (*t.STAR, *t.DIMENSIONS, t.subject):
        others = [
            row for row in set(daily[table.name]) ^ set(late[table.name]) if not any(map(row.__contains__, earlier))
        ]
        assert others == [], table.name


def known_earlier(town: Town, daily: dict[str, Any], late: dict[str, Any]) -> set[str]:
    """The OCIDs and codes of which only who read every day knows something: what vanished, what it was linked to, what
    lost its announcement, and contracts as they were before they changed."""
    histories = [name for source in SOURCES.values() for name in source.mapping.histories]
    raw, link = t.raw_record.c, t.link.c
    replaced = town.query(select(raw.kind, raw.code).where(~raw.current, raw.service.in_(histories)))
    codes = {(row["kind"], row["code"]) for row in replaced} | (daily["identity"].keys() - late["identity"].keys())
    for row in town.query(select(t.link).where(link.id.in_(daily["link"].keys() - late["link"].keys()))):
        codes |= {(row["from_kind"], row["from_code"]), (row["to_kind"], row["to_code"])}
    ocids = {daily["identity"][code] for code in codes & daily["identity"].keys()}
    ocids |= daily["state"].keys() - late["state"].keys()
    families = {daily["family"][ocid] for ocid in ocids}
    return {ocid for ocid, family in daily["family"].items() if family in families} | {code for _, code in codes}
