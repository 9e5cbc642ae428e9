"""What a release says, on histories of states made at random and on those of the simulator's processes.

What the design lets differ between record and state, and how it is held here: a withdrawn tender, award, contract, bid
or proposal keeps all but its status; the planning section and parties stay as last published; whom a reference means,
units, dimensions, measure and value of a statistic stay; all of that stands in `withdrawn`, and the record without what
stands there is the state.
"""

import copy
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.registry import MAPPINGS, SERVICES
from schemas.errors import RowError
from schemas.ocds import validate_compiled_release, validate_release
from simulator.world import World
from tests.official import REFERENCE, release_validator
from tests.releases import state_histories, thorough
from tests.test_merge import reference
from tests.test_state import CASES, row
from tests.test_state import state as built
from transforms.difference import difference, living, withdrawn
from transforms.mapping import Row
from transforms.merge import compiled, extended
from transforms.releases import after, next_release, record_with

OCID = "ocds-213czf-rup-1"
MORNING = "2025-01-01T00:00:00+07:00"
HEAD = ("ocid", "id", "date", "tag", "initiationType", "language")
STATUSES = {
    ("tender", "status"): "withdrawn",
    ("awards", "status"): "cancelled",
    ("contracts", "status"): "cancelled",
    ("bids", "details", "status"): "withdrawn",
    ("planning", "proposals", "status"): "withdrawn",
}

Object = dict[str, Any]


def ordered(value: Any) -> Any:
    """A document with its entries in the order of their ids, since their order is no difference."""
    if isinstance(value, dict):
        return {name: ordered(item) for name, item in value.items()}
    if isinstance(value, list):
        entries = [ordered(item) for item in value]
        by_id = all(isinstance(entry, dict) and "id" in entry for entry in entries)
        return sorted(entries, key=lambda entry: str(entry["id"])) if by_id else entries
    return value


def leaves(value: Any, path: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any, Any]]:
    """(path with ids of entries, path of field names, value) of all that is no object and no list of entries."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name), (*names, name))
    elif isinstance(value, list) and value and all(isinstance(entry, dict) and "id" in entry for entry in value):
        for entry in value:
            yield from leaves(entry, (*path, f"#{entry['id']}"), names)
    else:
        yield path, names, repr(value)


def body_of(release: Object) -> Object:
    return {name: value for name, value in release.items() if name not in HEAD}


def passes(release: Object, *, merged: bool = False) -> None:
    """Our models and, if it is here, the official schema let it pass."""
    (validate_compiled_release if merged else validate_release)(release)
    if REFERENCE.is_dir():
        assert [error.message for error in release_validator().iter_errors(release)] == []


def follow(states: list[Object]) -> tuple[Object, list[Object]]:
    """The record and the releases of a history of states; what must hold of every step is asserted."""
    record: Object | None = None
    releases: list[Object] = []
    known: set[Any] = set()
    for state in states:
        before = copy.deepcopy((record, state))
        date = after(MORNING, releases[-1]["date"] if releases else None)
        release = next_release(OCID, record, state, date)
        assert (record, state) == before
        stated = {(path, value) for path, _, value in leaves(state)}
        held = {(path, value) for path, _, value in leaves(record or {})}
        known |= stated
        if release is not None:
            passes(release)
            for path, names, value in leaves(body_of(release)):
                # Only what is, what the schema requires beside it, or what takes something back.
                assert (path, value) in stated | held or value in ("None", "[]") or repr(STATUSES.get(names)) == value
            releases.append(release)
            record = record_with(record, release)
        assert record is not None
        passes(record, merged=True)
        for path, names, value in leaves(body_of(record)):
            # Nothing that was never in a state; an object or list may have been emptied.
            assert (path, value) in known or value == "[]" or repr(STATUSES.get(names)) == value
        assert ordered(living(record, withdrawn(record, state))) == ordered(state)
        assert difference(record, state) == {}
        assert next_release(OCID, record, state, date) is None
        assert record == compiled(releases) == reference(releases)
    assert record is not None
    return record, releases


@thorough
@given(state_histories())
def test_every_history_of_states(states: list[Object]) -> None:
    follow(states)


@thorough
@given(state_histories())
def test_coming_back_to_a_state(states: list[Object]) -> None:
    """Whatever was between, and also after the process had no row at all."""
    there = follow(states)[0]
    again, releases = follow([*states, {}, states[-1]])
    assert ordered(living(again, withdrawn(again, states[-1]))) == ordered(states[-1])
    assert {entry["id"] for entry in again.get("awards", ())} == {entry["id"] for entry in there.get("awards", ())}
    assert len({release["id"] for release in releases}) == len(releases)


# --- rule by rule ----------------------------------------------------------------------------------------------------

BUYER = {"id": "b", "name": "DINAS CONTOH"}
AWARD = {"id": "1", "title": "A", "status": "active", "value": {"amount": 5, "currency": "IDR"}}


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"tender": {"id": "1", "title": "A", "status": "active", "value": {"amount": 5}}}, "withdrawn"),
        ({"awards": [AWARD]}, "cancelled"),
        ({"contracts": [{"id": "1", "awardID": "a", "title": "A", "status": "active"}]}, "cancelled"),
        ({"bids": {"details": [{"id": "1", "value": {"amount": 5}}]}}, "withdrawn"),
    ],
)
def test_what_has_a_status_loses_nothing_else(known: Object, status: str) -> None:
    def with_status(value: Any) -> Any:
        if isinstance(value, list):
            return [with_status(entry) for entry in value]
        return {**value, "status": status} if "id" in value else {name: with_status(v) for name, v in value.items()}

    record, releases = follow([{"buyer": BUYER, **known}, {"buyer": BUYER}])
    assert {name: record[name] for name in known} == {name: with_status(value) for name, value in known.items()}
    assert len(releases) == 2


def test_an_entry_without_a_status_stands_empty_under_its_id_and_comes_back_whole() -> None:
    item = {"id": "1", "description": "Kertas", "deliveryAddress": {"locality": "Contoh"}}
    tender = {"id": "1", "items": [item]}
    states: list[Object] = [{"tender": tender}, {"tender": {"id": "1"}}, {"tender": tender}]
    assert follow(states[:2])[0]["tender"] == {"id": "1", "items": [{"id": "1", "deliveryAddress": {}}]}
    assert follow(states)[0]["tender"] == tender


def test_planning_stays_as_last_published() -> None:
    state: Object = {"planning": {"rationale": "Jalan rusak", "budget": {"amount": {"amount": 7, "currency": "IDR"}}}}
    record, releases = follow([{**state, "title": "A"}, {"title": "A"}])
    assert record["planning"] == state["planning"]
    assert withdrawn(record, {"title": "A"}) == [["planning"]]
    assert len(releases) == 1


def test_a_plan_that_says_less_while_it_stands_is_a_difference() -> None:
    state = {"rationale": "Jalan rusak", "budget": {"id": "1"}}
    assert difference({"planning": state}, {"planning": {"budget": {"id": "1"}}}) == {"planning": {"rationale": None}}


def test_a_party_that_nobody_names_any_more_keeps_its_last_roles() -> None:
    supplier = {"id": "s", "name": "CV. CONTOH", "roles": ["supplier"]}
    award = {**AWARD, "suppliers": [{"id": "s", "name": "CV. CONTOH"}]}
    buyer = {**BUYER, "roles": ["buyer"]}
    record, releases = follow(
        [
            {"buyer": BUYER, "awards": [award], "parties": [buyer, supplier]},
            {"buyer": BUYER, "parties": [buyer]},
        ]
    )
    assert supplier in record["parties"]
    assert releases[1]["awards"] == [{"id": "1", "status": "cancelled"}]


def test_a_package_that_moves_is_its_new_offices_alone() -> None:
    """The record keeps whom it named; the state, of which sums are made, does not."""
    offices: list[Object] = [{"id": name, "name": f"DINAS {name}"} for name in ("lama", "baru")]
    states: list[Object] = [
        {"buyer": office, "title": "Jalan", "parties": [{**office, "roles": ["buyer"]}]} for office in offices
    ]
    record, _ = follow(states)
    assert record["buyer"] == offices[1]
    assert living(record, withdrawn(record, states[1])) == states[1]


def test_a_party_loses_what_is_gone_of_it_at_any_depth() -> None:
    register = {"scheme": "JEJAK-SATKER", "id": "1", "legalName": "DINAS CONTOH"}
    tax = [{"scheme": "ID-DJP", "id": "1"}]
    party: Object = {**BUYER, "roles": ["buyer"], "identifier": register, "additionalIdentifiers": tax}
    less: Object = {**BUYER, "roles": ["buyer"], "identifier": {"scheme": "JEJAK-SATKER", "id": "1"}}
    record, _ = follow([{"buyer": BUYER, "parties": [party]}, {"buyer": BUYER, "parties": [less]}])
    assert record["parties"] == [{**less, "additionalIdentifiers": []}]


def test_whom_a_reference_means_is_published_whole() -> None:
    known = {"tender": {"id": "1", "procuringEntity": {"id": "a", "name": "A"}}}
    state = {"tender": {"id": "1", "procuringEntity": {"id": "b"}}}
    assert difference(known, state) == {"tender": {"id": "1", "procuringEntity": {"id": "b", "name": None}}}
    assert difference(known, {"tender": {"id": "1"}}) == {}
    assert withdrawn(known, {"tender": {"id": "1"}}) == [["tender", "procuringEntity"]]


def test_what_the_schema_requires_stands_beside_what_changes() -> None:
    known = {"contracts": [{"id": "1", "awardID": "a", "title": "A"}], "bids": {"statistics": [
        {"id": "1", "measure": "bids", "value": 3, "notes": "A"}]}}  # fmt: skip
    assert difference(known, {}) == {
        "contracts": [{"id": "1", "awardID": "a", "status": "cancelled"}],
        "bids": {"statistics": [{"id": "1", "measure": "bids", "value": 3, "notes": None}]},
    }


def test_the_order_of_entries_is_no_difference() -> None:
    one, other = {**AWARD, "id": "1"}, {**AWARD, "id": "2"}
    assert difference({"awards": [one, other]}, {"awards": [other, one]}) == {}


def test_dates_are_strictly_later() -> None:
    later = after(MORNING, MORNING)
    assert datetime.fromisoformat(later) - datetime.fromisoformat(MORNING) == timedelta(seconds=1)
    assert later.endswith("+07:00")
    assert after(MORNING, None) == MORNING


def test_a_record_with_emptied_objects_is_extended_as_it_is() -> None:
    emptied = {"id": "1", "value": {"amount": None, "currency": None}}
    bodies: list[Object] = [{"awards": [AWARD]}, {"awards": [emptied]}, {"title": "A"}]
    releases: list[Object] = [
        {"ocid": OCID, "id": str(day), "date": f"2025-01-0{day}T00:00:00+07:00", "tag": ["award"], **body}
        for day, body in enumerate(bodies, 1)
    ]
    record = compiled(releases[:2])
    assert record["awards"][0]["value"] == {}
    assert extended(record, releases[2]) == compiled(releases) == reference(releases)


# --- the documents of real mappings ----------------------------------------------------------------------------------


def by_code() -> dict[tuple[str | None, str], list[Row]]:
    """The rows of a simulated regency and of the golden cases, by kind and code (a case is one)."""
    groups: dict[tuple[str | None, str], list[Row]] = {("case", name): rows for name, rows in CASES.items()}
    world = World(packages=40, seed=1)
    for name in MAPPINGS:
        service = SERVICES[name][1]
        if service.kind is None:
            continue
        try:
            answer = world.rows(name, world.year)
        except KeyError:
            continue  # the world serves this system in another form
        for position, fields in enumerate(answer):
            try:
                found = row(name, fields, f"#{position}")
            except (RowError, ValidationError):
                continue  # noise
            groups.setdefault((service.kind, found.code), []).append(found)
    return groups


GROUPS = by_code()


@thorough
@given(st.sampled_from(sorted(GROUPS, key=str)), st.integers(0, 2**32))
def test_rows_that_come_go_and_come_back(code: tuple[str | None, str], seed: int) -> None:
    chance = random.Random(seed)
    rows = GROUPS[code]
    nights = [rows, *([each for each in rows if chance.random() < 0.7] for _ in range(3)), [], rows]
    states = [built(*night).document for night in nights]
    if states[0]:
        record, _ = follow(states)
        assert ordered(living(record, withdrawn(record, states[0]))) == ordered(states[0])
