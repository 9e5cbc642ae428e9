"""The registry is complete: a source that lacks a part fails here, with the name of the part."""

import csv
from pathlib import Path

import pytest

from pipeline.registry import SERVICES, SOURCES, TELLINGS
from simulator.world import SERVICES as SIMULATED
from simulator.world import World
from transforms import codes, owners
from transforms.identity import ATTEMPT_KINDS, RUP_KINDS
from transforms.releases import _rank, cells
from transforms.rows import identify
from transforms.said import Context, Row

ROOT = Path(__file__).parent.parent
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES)


@EVERY_SOURCE
def test_every_service_has_an_address_and_a_simulation(source: str) -> None:
    services = SOURCES[source].services
    assert set(SOURCES[source].connector.ADDRESSES) == set(services)
    assert set(services) <= set(SIMULATED)


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


def test_every_kind_is_known() -> None:
    others = {"pencatatan", "swakelola", "ecat", "tokodaring", None}
    assert {service.kind for _, service in SERVICES.values()} == {*RUP_KINDS, *ATTEMPT_KINDS, *others}


def test_no_service_says_what_it_may_not_say() -> None:
    world = World(60, seed=3, unknown_rows=0)
    for name, (_, telling) in TELLINGS.items():
        service = SERVICES[name][1]
        rows = []
        for number, raw in enumerate(world.rows(name)):
            found = identify(service, raw)
            rows.append(Row(number, name, found.key, found.code, service.model.model_validate(found.fields)))
        assert rows, f"the simulator has no row of {name}"
        context = Context("ocds-000000-x-1", "+07:00", "D999", rows={name: rows}, service=name)
        said = {pattern for each in telling.mapper(rows, context) for pattern, _ in cells(each.body)}
        unowned = {p for p in said if not p.startswith("parties") and _rank(p, name) is None}
        assert not unowned, f"{name} says {sorted(unowned)}; give it a place in codes/field_owners.csv"
        assert not context.signals
        assert owners.order(name) < len(TELLINGS)
