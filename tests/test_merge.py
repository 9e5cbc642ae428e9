"""Our merge equals the reference merge: on the standard's own cases, on releases of our models, and on looser ones."""

import copy
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocdsmerge import Merger
from ocdsmerge.rules import get_merge_rules

from schemas.ocds import validate_compiled_release
from tests.official import REFERENCE, load, needs_reference, release_schema, release_validator
from tests.releases import histories, thorough
from transforms.merge import MERGE_RULES, compiled, extended, versioned

CASES = [
    "contextual",
    "empty-object",
    "fill-identifiermerge-array",
    "fill-wholelistmerge-array",
    "lists",
    "null",
    "single-empty-identifiermerge-array",
    "single-empty-wholelistmerge-array",
    "unit",
]


def reference(releases: list[dict[str, Any]]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of repeated ids, which looser releases have on purpose
        merged: dict[str, Any] = Merger(merge_rules=MERGE_RULES).create_compiled_release(copy.deepcopy(releases))
    return merged


def step_by_step(releases: list[dict[str, Any]]) -> dict[str, Any]:
    """The releases, which are in the order of their dates, merged one at a time; no record may change by that."""
    record = compiled(releases[:1])
    for release in releases[1:]:
        before = copy.deepcopy(record)
        longer = extended(record, release)
        assert record == before
        record = longer
    return record


def dated(*bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Releases of one process, a day apart."""
    return [
        {
            "ocid": "ocds-213czf-rup-1",
            "id": str(day),
            "date": f"2025-01-{day:02}T00:00:00+07:00",
            "tag": ["planning"],
            **body,
        }
        for day, body in enumerate(bodies, start=1)
    ]


def merged(*bodies: dict[str, Any]) -> dict[str, Any]:
    """What the bodies say together; the reference must say the same."""
    result = compiled(dated(*bodies))
    assert result == reference(dated(*bodies))
    return {field: value for field, value in result.items() if field not in ("ocid", "id", "date", "tag")}


@needs_reference
def test_the_rules_are_those_of_the_official_schema_and_our_extensions() -> None:
    assert get_merge_rules(release_schema()) == MERGE_RULES


@needs_reference
def test_no_case_of_the_standard_is_left_out() -> None:
    assert {path.name.split("-compiled")[0] for path in REFERENCE.glob("merge-cases/*-compiled.json")} == set(CASES)


@needs_reference
@pytest.mark.parametrize("case", CASES)
def test_cases_of_the_standard(case: str) -> None:
    releases = load(f"merge-cases/{case}.json")
    assert compiled(releases) == load(f"merge-cases/{case}-compiled.json")
    assert versioned(releases) == load(f"merge-cases/{case}-versioned.json")


def test_the_latest_release_gives_date_and_id() -> None:
    result = compiled(dated({"title": "old"}, {"title": "new"}))
    assert result == {
        "ocid": "ocds-213czf-rup-1",
        "id": "ocds-213czf-rup-1-2025-01-02T00:00:00+07:00",
        "date": "2025-01-02T00:00:00+07:00",
        "tag": ["compiled"],
        "title": "new",
    }


def test_releases_of_one_date_count_in_the_order_given() -> None:
    first, second = dated({"title": "first"}, {"title": "second"})
    second["date"] = first["date"]
    assert compiled([first, second])["title"] == "second"
    assert compiled([second, first])["title"] == "first"


def test_a_late_release_with_an_old_date_changes_nothing_that_is_newer() -> None:
    old, new = dated({"title": "old", "language": "id"}, {"title": "new"})
    assert compiled([new, old]) == compiled([old, new]) == reference([new, old])


def test_null_deletes_a_value_and_leaves_objects() -> None:
    tender = {"id": "1", "title": "x", "value": {"amount": 1}, "items": [{"id": "i"}], "submissionMethod": ["written"]}
    nulls = dict.fromkeys(("title", "value", "items", "submissionMethod", "description"))
    assert merged({"tender": tender}, {"tender": {"id": "1", **nulls}}) == {
        "tender": {"id": "1", "value": {"amount": 1}, "items": [{"id": "i"}]}
    }
    assert merged({"tender": {"value": {"amount": None}}}) == {"tender": {"value": {}}}


def test_zero_false_and_empty_text_are_values() -> None:
    tender = {"hasEnquiries": False, "numberOfTenderers": 0, "title": ""}
    assert merged({"tender": {"hasEnquiries": True, "numberOfTenderers": 5, "title": "x"}}, {"tender": tender}) == {
        "tender": tender
    }


def test_entries_are_merged_by_id_in_the_order_of_their_first_mention() -> None:
    assert merged(
        {"awards": [{"id": "a", "status": "pending"}, {"id": "b", "title": "B"}]},
        {"awards": [{"id": "c"}, {"id": "a", "status": "active"}, {"title": "nameless"}]},
        {"awards": [{"title": "nameless"}, {"id": "c", "title": "C"}, {"id": "c", "status": "cancelled"}]},
    ) == {
        "awards": [
            {"id": "a", "status": "active"},
            {"id": "b", "title": "B"},
            {"id": "c", "title": "C", "status": "cancelled"},
            {"title": "nameless"},
            {"title": "nameless"},
        ]
    }


def test_lists_without_identity_are_replaced_whole() -> None:
    assert merged(
        {"parties": [{"id": "1", "roles": ["buyer", "payer"], "additionalIdentifiers": [{"id": "x"}]}]},
        {"parties": [{"id": "1", "roles": ["buyer"], "additionalIdentifiers": [{"scheme": "y"}]}]},
    ) == {"parties": [{"id": "1", "roles": ["buyer"], "additionalIdentifiers": [{"scheme": "y"}]}]}


def test_what_is_empty_says_nothing() -> None:
    assert merged({"tender": {}, "awards": [], "contracts": [{}], "planning": {"budget": {}}}) == {}
    assert merged({"awards": [{"id": "a"}], "buyer": {"id": "1"}}, {"awards": [], "buyer": {}}) == {
        "awards": [{"id": "a"}],
        "buyer": {"id": "1"},
    }


def test_compiled_is_not_tied_to_its_input() -> None:
    releases = dated({"awards": [{"id": "a", "value": {"amount": 1}}]}, {"awards": [{"id": "a", "title": "x"}]})
    before = copy.deepcopy(releases)
    result = compiled(releases)
    result["awards"][0]["value"]["amount"] = 2
    assert releases == before


@thorough
@given(histories())
def test_releases_of_our_models_merge_as_the_reference_does_and_stay_valid(releases: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(releases)
    result = compiled(releases)
    assert releases == before
    assert result == reference(releases) == step_by_step(releases)
    validate_compiled_release(result)
    if REFERENCE.is_dir():
        assert [error.message for error in release_validator().iter_errors(result)] == []


# Looser than our models: nulls anywhere, entries without id or with the same one, empty objects and lists; and fields
# that no rule knows. A path keeps one type, since the standard leaves open what else to do.
ENTRY: dict[str, Any] = {"id": "", "title": "", "value": {"amount": ""}, "additionalClassifications": [{"id": ""}]}
SHAPE: dict[str, Any] = {
    "title": "",
    "unknown": [""],
    "parties": [{"id": "", "roles": [""], "identifier": {"id": "", "scheme": ""}}],
    "tender": {"id": "", "items": [ENTRY], "submissionMethod": [""], "unknown": {"deep": [{"id": "", "list": [[""]]}]}},
}


def loose(shape: Any) -> st.SearchStrategy[Any]:
    if isinstance(shape, dict):
        return st.fixed_dictionaries({}, optional={field: st.none() | loose(below) for field, below in shape.items()})
    if isinstance(shape, list):
        return st.lists(loose(shape[0]), max_size=3)
    return st.sampled_from("xyz")


@thorough
@given(st.lists(loose(SHAPE), min_size=1, max_size=5))
def test_looser_releases_merge_as_the_reference_does(bodies: list[dict[str, Any]]) -> None:
    releases = dated(*bodies)
    before = copy.deepcopy(releases)
    assert compiled(releases) == reference(releases)
    assert releases == before
