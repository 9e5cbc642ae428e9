"""From a record and a state to the next release: what is in it, its tags, date and id."""

import re
from typing import Any

import pytest

from schemas.ocds import validate_release
from tests.processes import LOSER, OFFICE, WINNER, idr, whole
from transforms.merge import compiled
from transforms.releases import after, next_release, record_with, tags

OCID = "ocds-213czf-rup-100"
DAYS = [f"2025-06-0{day}T08:00:00+07:00" for day in range(1, 8)]

Object = dict[str, Any]


def state(**changes: Any) -> Object:
    """A process that has reached all five stages, with some of its sections others; None takes one away."""
    head = ("ocid", "id", "date", "tag", "initiationType")
    document = {name: value for name, value in whole(OCID).items() if name not in head}
    document["tender"] = {name: value for name, value in document["tender"].items() if name != "datePublished"}
    return {name: value for name, value in {**document, **changes}.items() if value is not None}


def published(*states: Object) -> list[Object]:
    """The releases of states that follow each other, each of which differs from the one before."""
    record: Object | None = None
    releases = []
    for document, date in zip(states, DAYS, strict=False):
        release = next_release(OCID, record, document, date)
        assert release is not None
        validate_release(release)
        record = record_with(record, release)
        releases.append(release)
    assert record == compiled(releases)
    return releases


def last_tags(*states: Object) -> list[str]:
    tag: list[str] = published(*states)[-1]["tag"]
    return tag


def entry(section: str, position: int, **changes: Any) -> Object:
    """The whole state with one entry of a section changed."""
    entries = [dict(each) for each in state()[section]]
    entries[position] = {name: value for name, value in {**entries[position], **changes}.items() if value is not None}
    return state(**{section: entries})


PLAN = state(tender=None, bids=None, awards=None, contracts=None)
ANNOUNCED = state(bids=None, awards=None, contracts=None)
AWARDED = state(contracts=None)
[SIGNED, CANCELLED] = state()["contracts"]
BARE = {name: value for name, value in SIGNED.items() if name != "implementation"}


def test_the_first_release_is_the_whole_state() -> None:
    [first] = published(state())
    assert {name: first[name] for name in state()} == state()
    assert first["ocid"] == OCID
    assert first["date"] == DAYS[0]
    assert (first["initiationType"], first["language"]) == ("tender", "id")
    assert first["tag"] == ["planning", "tender", "award", "contract", "implementation"]


def test_no_difference_is_no_release() -> None:
    [first] = published(state())
    assert next_release(OCID, record_with(None, first), state(), DAYS[1]) is None


def test_a_process_without_a_state_has_no_first_release() -> None:
    assert next_release(OCID, None, {}, DAYS[0]) is None


def test_a_later_release_holds_what_changed_the_buyer_and_its_party() -> None:
    changed = state(title="Jalan kabupaten")
    update = published(state(), changed)[1]
    body = {name: update[name] for name in update.keys() - {"ocid", "id", "date", "tag", "initiationType", "language"}}
    [office] = [party for party in state()["parties"] if party["id"] == OFFICE["id"]]
    assert body == {"title": "Jalan kabupaten", "buyer": OFFICE, "parties": [office]}


def test_every_party_that_a_body_names_is_whole_in_it() -> None:
    update = published(state(), entry("awards", 1, suppliers=[WINNER, LOSER]))[1]
    assert update["awards"] == [{"id": "a1", "suppliers": [LOSER]}]
    whole_parties = {party["id"]: party for party in state()["parties"]}
    assert {party["id"]: party for party in update["parties"]} == {
        each["id"]: whole_parties[each["id"]] for each in (OFFICE, LOSER)
    }


def test_parties_that_changed_are_whole_too_whether_or_not_the_body_names_them() -> None:
    parties = [dict(party) for party in state()["parties"]]
    parties[2] = {**parties[2], "name": "CV CONTOH LAIN"}
    update = published(state(), state(parties=parties))[1]
    assert parties[2] in update["parties"]


@pytest.mark.parametrize(
    ("states", "tag"),
    [
        ([PLAN], ["planning"]),
        ([PLAN, ANNOUNCED], ["tender"]),
        ([ANNOUNCED, AWARDED], ["award"]),
        ([AWARDED, state(contracts=[BARE])], ["contract"]),
        ([state(contracts=[BARE]), state(contracts=[SIGNED])], ["implementation"]),
        ([PLAN, {**PLAN, "planning": {"budget": {"id": "100", "amount": idr(1)}}}], ["planningUpdate"]),
        ([ANNOUNCED, {**ANNOUNCED, "tender": {**ANNOUNCED["tender"], "title": "A"}}], ["tenderUpdate"]),
        ([state(), entry("awards", 1, title="A")], ["awardUpdate"]),
        ([state(), entry("contracts", 0, title="A")], ["contractUpdate"]),
        (
            [state(), entry("contracts", 0, implementation={**SIGNED["implementation"], "finalValue": idr(9)})],
            ["implementationUpdate"],
        ),
        ([state(), entry("contracts", 0, amendments=[{"id": "addendum-1"}])], ["contractAmendment"]),
        (
            [AWARDED, state(contracts=[{**BARE, "amendments": [{"id": "addendum-1"}]}])],
            ["contract", "contractAmendment"],
        ),
        ([state(), entry("contracts", 0, status="terminated")], ["contractUpdate", "contractTermination"]),
        ([state(), entry("contracts", 0, status="cancelled")], ["contractUpdate"]),
        (
            [ANNOUNCED, {**ANNOUNCED, "tender": {**ANNOUNCED["tender"], "status": "cancelled"}}],
            ["tenderUpdate", "tenderCancellation"],
        ),
        ([ANNOUNCED, PLAN], ["tenderUpdate", "tenderCancellation"]),
        ([state(), entry("awards", 1, status="cancelled")], ["awardUpdate", "awardCancellation"]),
        ([AWARDED, ANNOUNCED], ["awardUpdate", "awardCancellation"]),
        ([PLAN, {**PLAN, "title": "A"}], ["planningUpdate"]),
        ([ANNOUNCED, {**ANNOUNCED, "title": "A"}], ["planningUpdate"]),
    ],
)
def test_tags(states: list[Object], tag: list[str]) -> None:
    assert last_tags(*states) == tag


def test_what_is_cancelled_from_the_start_is_no_cancellation() -> None:
    cancelled = {"tender": {"id": "1", "status": "cancelled"}, "awards": [{"id": "1", "status": "cancelled"}]}
    assert tags(cancelled, {}) == ["tender", "award"]


def test_a_change_of_the_title_alone_belongs_to_the_first_stage_that_there_is() -> None:
    assert tags({"title": "A"}, {"awards": [{"id": "1"}]}) == ["awardUpdate"]
    assert tags({"title": "A"}, {}) == ["planning"]


def test_ids_follow_from_ocid_date_and_body() -> None:
    first, update = published(state(), state(title="A"))
    assert published(state(), state(title="A")) == [first, update]
    assert re.fullmatch(rf"{OCID}-[0-9a-f]{{16}}", first["id"])
    others = [
        next_release("ocds-213czf-rup-101", None, state(), DAYS[0]),
        next_release(OCID, None, state(), DAYS[1]),
        next_release(OCID, None, state(title="A"), DAYS[0]),
    ]
    digests = [str(release["id"]).rsplit("-", 1)[1] for release in (first, update, *others) if release]
    assert len(set(digests)) == len(digests) == 5


def test_a_date_is_later_than_the_one_before_it() -> None:
    assert after(DAYS[1], None) == DAYS[1]
    assert after(DAYS[1], DAYS[0]) == DAYS[1]
    assert after(DAYS[0], DAYS[0]) == "2025-06-01T08:00:01+07:00"
    assert after(DAYS[0], DAYS[3]) == "2025-06-04T08:00:01+07:00"
    assert after("2025-06-01T08:00:00+07:00", "2025-06-01T01:00:00+00:00") == "2025-06-01T01:00:01+00:00"
