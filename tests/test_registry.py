"""The registry is complete: a source that lacks a part fails here, with the name of the part."""

import csv
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import LINKED_KINDS, MAPPINGS, SERVICES, SOURCES
from simulator.world import SERVICES as SIMULATED
from simulator.world import World
from transforms import codes, owners
from transforms.mapping import Context, Row
from transforms.rows import identify

ROOT = Path(__file__).parent.parent
# Metrics of LPSE's payment certificates.
CERTIFIED = {"physicalProgress", "certifiedPayments"}
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES)


def fixtures(source: str) -> dict[str, list[dict[str, Any]]]:
    """Made-up rows of a source that the simulator does not play, by service."""
    path = ROOT / "tests" / "rows" / f"{source}.json"
    rows: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return rows


@EVERY_SOURCE
def test_every_service_has_an_address_and_made_up_rows(source: str) -> None:
    services = SOURCES[source].services
    connector = import_module(f"connectors.{source}")
    assert SOURCES[source].fetch is connector.fetch
    assert set(connector.ADDRESSES) == set(services)
    assert set(services) <= set(SIMULATED) | set(fixtures(source))


@EVERY_SOURCE
def test_every_service_of_a_mapping_is_one_of_the_source(source: str) -> None:
    services, mapping = SOURCES[source].services, SOURCES[source].mapping
    assert mapping.name == source
    used = {*mapping.mappers, *mapping.identifying}
    assert {name for name, service in services.items() if service.kind} <= used
    named = {*mapping.evident, *mapping.announcing, *mapping.standalone, *mapping.histories}
    named |= {name for awaited in mapping.awaited.values() for name in awaited} | set(mapping.standalone.values())
    assert used | named <= set(services)
    assert {*mapping.announcing, *mapping.standalone} <= set(mapping.mappers) | set(mapping.identifying)
    assert set(mapping.histories) <= set(mapping.mappers)
    assert set(mapping.plan_lists) <= set(mapping.announcing)


@EVERY_SOURCE
def test_every_code_table_is_sound(source: str) -> None:
    path = ROOT / "transforms" / "codes" / f"{source}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["list"], codes.plain(row["value"])) for row in rows]
    assert len(keys) == len(set(keys)) > 0


def test_every_owner_is_a_service_and_every_mapped_service_owns_something() -> None:
    with (ROOT / "transforms" / "codes" / "field_owners.csv").open(encoding="utf-8", newline="") as file:
        named = {owner for row in csv.DictReader(file) for owner in row["owners"].split()} - {"*"}
    assert named <= set(SERVICES)
    assert {name for name, mapping in MAPPINGS.items() if name in mapping.mappers} <= named


def test_codes_of_a_kind_are_of_one_source_that_links_them_or_not() -> None:
    kinds: dict[str, set[tuple[str, bool]]] = {}
    for source, service in SERVICES.values():
        if service.kind:
            kinds.setdefault(service.kind, set()).add((source, service.linked))
    assert not {kind: found for kind, found in kinds.items() if len(found) > 1}
    assert {kind: source for kind, [(source, linked)] in kinds.items() if linked} == LINKED_KINDS


@EVERY_SOURCE
def test_what_is_linked_has_evidence(source: str) -> None:
    services, mapping = SOURCES[source].services, SOURCES[source].mapping
    linked = {service.kind for service in services.values() if service.linked}
    assert linked == {services[name].kind for name in mapping.evident if services[name].linked}
    assert set(mapping.amounts) <= linked


def paths(node: Any, above: str = "") -> Iterator[str]:
    """The paths of a partial document's values without ids, as the table of owners has them."""
    if isinstance(node, list):
        for entry in node:
            yield from paths(entry, above) if isinstance(entry, dict) else [above]
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from paths(value, f"{above}.{name}".lstrip("."))
    elif node not in (None, "") and not above.endswith(".id") and above != "id":
        yield above


def test_no_service_gives_what_it_may_not_give() -> None:
    world = World(100, seed=3, unknown_rows=0)
    for name, mapping in MAPPINGS.items():
        if name not in mapping.mappers:
            continue
        service = SERVICES[name][1]
        rows = []
        for raw in world.rows(name) if name in SIMULATED else fixtures(mapping.name)[name]:
            found = identify(service, raw)
            rows.append(Row(name, "2025", found.key, found.code, service.model.model_validate(found.fields)))
        assert rows, f"the simulator has no row of {name}"
        # Everything linked belongs to the one contract that there is.
        links = {(str(service.kind), row.code): (("nontender", "1"),) for row in rows}
        coded: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            coded.setdefault((name, row.code), []).append(row)
        context = Context("ocds-000000-x-1", "+07:00", "D999", rows={name: rows}, coded=coded, links=links)
        context.source, context.service = mapping.name, name
        context.contracts = {"1-1": ("1-award", {"1"})}
        bodies = [partial.body for partial in mapping.mappers[name](rows, context)]
        given = {path for body in bodies for path in paths(body)}
        assert given or not service.linked, f"{name} gives nothing"
        unowned = {path for path in given if not path.startswith("parties") and owners.rank(path, name) is None}
        assert not unowned, f"{name} gives {sorted(unowned)}; give it a place in codes/field_owners.csv"
        contracts = [contract for body in bodies for contract in body.get("contracts") or ()]
        told = [(each.get("implementation") or {}).get("metrics") for each in contracts]
        told += [each.get("agreedMetrics") for each in contracts]
        metrics = {metric["id"] for metrics in told for metric in metrics or ()}
        # Star rows of progress name their source by this.
        assert all(metric.startswith(f"{mapping.name}-") for metric in metrics - CERTIFIED), (name, metrics)
        assert not context.signals
        assert owners.order(name) < len(MAPPINGS)
