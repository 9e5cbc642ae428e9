"""The registry is complete: a source that lacks a part fails here, with the name of the part."""

import csv
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import MAPPINGS, SERVICES, SOURCES
from simulator.world import SERVICES as SIMULATED
from simulator.world import World
from tests.states import row
from transforms import codes, owners
from transforms.state import Process, state_of

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
    connector = importlib.import_module(SOURCES[source].fetch.__module__)
    assert set(connector.ADDRESSES) == set(services)
    assert set(services) <= set(SIMULATED) | set(fixtures(source))


@EVERY_SOURCE
def test_every_service_that_names_a_process_is_mapped_or_only_identifies(source: str) -> None:
    mapping = SOURCES[source].mapping
    mapped = set(mapping.mappers) | set(mapping.identifying)
    assert {name for name, service in SOURCES[source].services.items() if service.kind} <= mapped
    assert mapped <= set(SOURCES[source].services)


@EVERY_SOURCE
def test_every_code_table_is_sound(source: str) -> None:
    path = ROOT / "transforms" / "codes" / f"{source}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["list"], codes.plain(row["value"])) for row in rows]
    assert len(keys) == len(set(keys)) > 0


def test_every_owner_is_a_service_and_every_mapped_one_owns_something() -> None:
    with (ROOT / "transforms" / "codes" / "field_owners.csv").open(encoding="utf-8", newline="") as file:
        named = {owner for row in csv.DictReader(file) for owner in row["owners"].split()} - {"*"}
    assert named <= set(SERVICES)
    assert _mapped() <= named


def _mapped() -> set[str]:
    return {name for name, mapping in MAPPINGS.items() if name in mapping.mappers}


def test_codes_of_a_kind_are_of_one_source_that_links_them_or_not() -> None:
    kinds: dict[str, set[tuple[str, bool]]] = {}
    for source, service in SERVICES.values():
        if service.kind:
            kinds.setdefault(service.kind, set()).add((source, service.linked))
    assert not {kind: found for kind, found in kinds.items() if len(found) > 1}


@EVERY_SOURCE
def test_what_links_a_source_is_there(source: str) -> None:
    services, mapping = SOURCES[source].services, SOURCES[source].mapping
    assert set(mapping.evident) <= set(services)
    assert {name for awaited in mapping.awaited.values() for name in awaited} <= set(services)
    linked = {service.kind for service in services.values() if service.linked}
    assert linked == {services[name].kind for name in mapping.evident if services[name].linked}


def test_no_service_gives_what_it_does_not_own() -> None:
    world = World(100, seed=3, unknown_rows=0)
    contract = row("SPSE-NonTenderEkontrak-2Kontrak", {"kd_nontender": 1, "no_kontrak": "1", "kd_satker_str": "1.01"})
    for name in sorted(_mapped()):
        source, service = SERVICES[name]
        given = world.rows(name) if name in SIMULATED else fixtures(source)[name]
        rows = [row(name, raw, number=number) for number, raw in enumerate(given, 1)]
        assert rows, f"the simulator has no row of {name}"
        # Everything linked belongs to one contract.
        links = {(str(service.kind), each.code): (("nontender", "1"),) for each in rows}
        process = Process("ocds-000000-x-1", [*rows, *([contract] if service.linked else [])], links=links)
        state = state_of(process, MAPPINGS, "+07:00", "D999")
        found = {path for each in state.contributions if each.service == name for path in _paths(each.partial.body)}
        assert found or not service.linked, f"{name} gives nothing"
        unowned = {path for path in found if owners.rank(path, name) is None}
        assert not unowned, f"{name} gives {sorted(unowned)}; give it a place in codes/field_owners.csv"
        assert not state.signals
        assert owners.order(name) < len(_mapped())


def _paths(body: dict[str, Any], above: str = "") -> set[str]:
    """The paths of a partial document's values; of objects and lists those of what stands in them."""
    found: set[str] = set()
    for name, value in body.items():
        entries = value if isinstance(value, list) else [value]
        if (above or name != "parties") and name != "id":
            for entry in entries:
                if isinstance(entry, dict):
                    found |= _paths(entry, f"{above}{name}.")
                elif entry not in (None, ""):
                    found.add(above + name)
    return found
