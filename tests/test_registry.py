"""The registry is complete: a source that lacks a part fails here, with the name of the part."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import SERVICES, SOURCES, TELLINGS
from simulator.world import SERVICES as SIMULATED
from simulator.world import World
from transforms import codes, owners
from transforms.releases import _rank, cells
from transforms.rows import identify
from transforms.said import Context, Row

ROOT = Path(__file__).parent.parent
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES)


def fixtures(source: str) -> dict[str, list[dict[str, Any]]]:
    """Made-up rows of a source that the simulator does not play, by service."""
    path = ROOT / "tests" / "rows" / f"{source}.json"
    rows: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return rows


@EVERY_SOURCE
def test_every_service_has_an_address_and_made_up_rows(source: str) -> None:
    services = SOURCES[source].services
    assert set(SOURCES[source].connector.ADDRESSES) == set(services)
    assert set(services) <= set(SIMULATED) | set(fixtures(source))


@EVERY_SOURCE
def test_every_service_that_names_a_process_is_told_or_only_identifies(source: str) -> None:
    transform = SOURCES[source].transform
    told = set(transform.TELLINGS) | set(transform.IDENTIFYING)
    assert {name for name, service in SOURCES[source].services.items() if service.kind} <= told
    assert told <= set(SOURCES[source].services)


@EVERY_SOURCE
def test_every_code_table_is_sound(source: str) -> None:
    path = ROOT / "transforms" / "codes" / f"{source}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["list"], codes.plain(row["value"])) for row in rows]
    assert len(keys) == len(set(keys)) > 0


def test_every_owner_is_a_service_and_every_teller_owns_something() -> None:
    with (ROOT / "transforms" / "codes" / "field_owners.csv").open(encoding="utf-8", newline="") as file:
        named = {owner for row in csv.DictReader(file) for owner in row["owners"].split()} - {"*"}
    assert named <= set(SERVICES)
    assert set(TELLINGS) <= named


def test_codes_of_a_kind_are_told_by_one_source_that_links_them_or_not() -> None:
    kinds: dict[str, set[tuple[str, bool]]] = {}
    for source, service in SERVICES.values():
        if service.kind:
            kinds.setdefault(service.kind, set()).add((source, service.linked))
    assert not {kind: told for kind, told in kinds.items() if len(told) > 1}


@EVERY_SOURCE
def test_what_links_a_source_is_there(source: str) -> None:
    services, transform = SOURCES[source].services, SOURCES[source].transform
    assert set(transform.EVIDENT) <= set(services)
    assert {name for awaited in transform.AWAITED.values() for name in awaited} <= set(services)
    linked = {service.kind for service in services.values() if service.linked}
    assert linked == {services[name].kind for name in transform.EVIDENT if services[name].linked}


def test_no_service_says_what_it_may_not_say() -> None:
    world = World(100, seed=3, unknown_rows=0)
    for name, (source, telling) in TELLINGS.items():
        service = SERVICES[name][1]
        rows = []
        for number, raw in enumerate(world.rows(name) if name in SIMULATED else fixtures(source)[name]):
            found = identify(service, raw)
            rows.append(Row(number, name, found.key, found.code, service.model.model_validate(found.fields)))
        assert rows, f"the simulator has no row of {name}"
        # Everything linked belongs to the one contract that has been told of.
        links = {(str(service.kind), row.code): (("nontender", "1"),) for row in rows}
        context = Context("ocds-000000-x-1", "+07:00", "D999", rows={name: rows}, service=name, links=links)
        context.contracts = {"1-1": ("1-award", {"1"})}
        said = {pattern for each in telling.mapper(rows, context) for pattern, _ in cells(each.body)}
        assert said or not service.linked, f"{name} says nothing"
        unowned = {p for p in said if not p.startswith("parties") and _rank(p, name) is None}
        assert not unowned, f"{name} says {sorted(unowned)}; give it a place in codes/field_owners.csv"
        assert not context.signals
        assert owners.order(name) < len(TELLINGS)
