"""From a process's record and state to its next release and the record with it."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import orjson

from transforms.difference import difference
from transforms.merge import extended, of_one
from transforms.state import references

Object = dict[str, Any]

_STAGES = ("planning", "tender", "awards", "contracts")
_TAGS = {"planning": "planning", "tender": "tender", "awards": "award", "contracts": "contract"}


def next_release(ocid: str, record: Object | None, state: Object, date: str) -> Object | None:
    """What was learned of a process: the release that brings its record to its state; None where they agree.

    `record` is the compiled release so far, `date` a time with the regency's offset. The first release is the whole
    state. The body of any other carries the buyer and, whole, every party that it names.

        >>> record = {"tender": {"id": "tender-555", "title": "Jalan Desa", "status": "active"}}
        >>> ended = {"tender": {**record["tender"], "status": "complete"}}
        >>> release = next_release("ocds-213czf-rup-1", record, ended, "2025-06-02T08:00:00+07:00")
        >>> release["tag"], release["tender"]
        (['tenderUpdate'], {'id': 'tender-555', 'status': 'complete'})
    """
    body = dict(state) if record is None else difference(record, state)
    if not body:
        return None
    if record is not None:
        body = _with_parties(body, record, state)
    release: Object = {
        "ocid": ocid,
        "id": "",
        "date": date,
        "tag": tags(body, record or {}),
        "initiationType": "tender",
        "language": "id",
        **body,
    }
    digest = hashlib.sha256(orjson.dumps([ocid, date, body], option=orjson.OPT_SORT_KEYS)).hexdigest()
    release["id"] = f"{ocid}-{digest[:16]}"
    return release


def record_with(record: Object | None, release: Object) -> Object:
    """The record with one more release.

    >>> record = {"date": "2025-06-01T08:00:00+07:00", "tender": {"id": "tender-555", "title": "Jalan Desa"}}
    >>> update = {"ocid": "ocds-213czf-rup-1", "date": "2025-06-02T08:00:00+07:00", "tender": {"status": "active"}}
    >>> record_with(record, update)["tender"]
    {'id': 'tender-555', 'title': 'Jalan Desa', 'status': 'active'}
    """
    return of_one(release) if record is None else extended(record, release)


def after(date: str, earlier: str | None) -> str:
    """A release date (time with offset) that is later than an earlier one's: itself, or one second after that.

    >>> after("2025-06-01T08:00:00+07:00", "2025-06-01T09:00:00+07:00")
    '2025-06-01T09:00:01+07:00'
    """
    if earlier is None or datetime.fromisoformat(date) > datetime.fromisoformat(earlier):
        return date
    return (datetime.fromisoformat(earlier) + timedelta(seconds=1)).isoformat()


def _with_parties(body: Object, record: Object, state: Object) -> Object:
    if "buyer" not in body and (buyer := state.get("buyer") or record.get("buyer")):
        body["buyer"] = buyer
    changed = {party["id"]: party for party in body.get("parties", ())}
    known = {party["id"]: party for party in (*record.get("parties", ()), *state.get("parties", ()))}
    named = sorted(changed.keys() | (references(body) & known.keys()))
    parties = [_changed(known.get(party, {}), changed.get(party, {})) for party in named]
    return {**body, "parties": parties} if parties else body


def _changed(value: Object, change: Object) -> Object:
    """An object whole, with what changes in it: a null at any depth deletes what the record still has there."""
    return {
        **value,
        **{
            name: _changed(value[name], item) if type(item) is dict and type(value.get(name)) is dict else item
            for name, item in change.items()
        },
    }


def tags(body: Object, record: Object) -> list[str]:
    """What a release body does to each stage, beside the record that it changes: `tender` the first time, later
    `tenderUpdate`, `tenderCancellation` and so on. An addendum is a `contractAmendment`, also one that is published
    together with its contract.

        >>> tags({"contracts": [{"id": "555-1", "value": {"amount": 1}}]}, {"contracts": [{"id": "555-1"}]})
        ['contractUpdate']
        >>> tags({"contracts": [{"id": "555-1", "amendments": [{"id": "1"}]}]}, {"contracts": [{"id": "555-1"}]})
        ['contractAmendment']
    """
    found = []
    for section in _STAGES:
        if section in body:
            found.append(f"{_TAGS[section]}Update" if section in record else _TAGS[section])
    contracts = body.get("contracts", ())
    if any(contract.get("amendments") for contract in contracts):
        # An amendment is more than an update.
        found = [tag for tag in found if tag != "contractUpdate"] + ["contractAmendment"]
    if any(contract.get("implementation") for contract in contracts):
        known = any(contract.get("implementation") for contract in record.get("contracts", ()))
        found.append("implementationUpdate" if known else "implementation")
        if all(contract.keys() <= {"id", "awardID", "implementation"} for contract in contracts):
            found = [tag for tag in found if tag != "contractUpdate"]
    if any(contract.get("status") == "terminated" for contract in contracts) and "contracts" in record:
        found.append("contractTermination")
    if body.get("tender", {}).get("status") in ("cancelled", "withdrawn") and "tender" in record:
        found.append("tenderCancellation")
    if any(award.get("status") == "cancelled" for award in body.get("awards", ())) and "awards" in record:
        found.append("awardCancellation")
    # A change of the parties or the title alone belongs to the first stage that there is.
    return found or [next((f"{_TAGS[section]}Update" for section in _STAGES if section in record), "planning")]
