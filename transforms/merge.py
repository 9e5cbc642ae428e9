"""The releases of one process merged: its compiled release (latest values) and its versioned release (all values).

The rules are those of OCDS 1.1.5 and the extensions we declare, as a constant, since the reference implementation would
fetch the schema to derive them. https://standard.open-contracting.org/1.1/en/schema/merging/
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from ocdsmerge import Merger

_DISCARDED = ("id", "date", "tag")
_WHOLE_LISTS = (
    "awards/amendment/changes",
    "awards/amendments/changes",
    "awards/items/additionalClassifications",
    "awards/items/deliveryLocation/gazetteer/identifiers",
    "awards/items/deliveryLocation/geometry/coordinates",
    "awards/suppliers/additionalIdentifiers",
    "bids/details/tenderers/additionalIdentifiers",
    "buyer/additionalIdentifiers",
    "contracts/agreements/payee/additionalIdentifiers",
    "contracts/amendment/changes",
    "contracts/amendments/changes",
    "contracts/implementation/transactions/payee/additionalIdentifiers",
    "contracts/implementation/transactions/payer/additionalIdentifiers",
    "contracts/items/additionalClassifications",
    "contracts/items/deliveryLocation/gazetteer/identifiers",
    "contracts/items/deliveryLocation/geometry/coordinates",
    "contracts/relatedProcesses/relationship",
    "parties/additionalIdentifiers",
    "parties/roles",
    "planning/budget/budgetBreakdown/sourceParty/additionalIdentifiers",
    "planning/proposals/location/gazetteer/identifiers",
    "planning/proposals/location/geometry/coordinates",
    "planning/proposals/organization/additionalIdentifiers",
    "relatedProcesses/relationship",
    "tender/additionalProcurementCategories",
    "tender/amendment/changes",
    "tender/amendments/changes",
    "tender/items/additionalClassifications",
    "tender/items/deliveryLocation/gazetteer/identifiers",
    "tender/items/deliveryLocation/geometry/coordinates",
    "tender/location/gazetteer/identifiers",
    "tender/location/geometry/coordinates",
    "tender/procuringEntity/additionalIdentifiers",
    "tender/submissionMethod",
    "tender/sustainabilityAspects",
    "tender/tenderers/additionalIdentifiers",
)
MERGE_RULES: dict[tuple[str, ...], str] = {
    **{(field,): "omitWhenMerged" for field in _DISCARDED},
    **{tuple(path.split("/")): "wholeListMerge" for path in _WHOLE_LISTS},
}
"""Path -> rule, as ocdsmerge takes it. Lists without a rule are merged by the ids of their entries."""

_REFERENCE = Merger(merge_rules=MERGE_RULES)

_Object = dict[str, Any]
_Rules = dict[str, Any]  # field -> the rules below it; None for a list that is replaced whole
_Index = dict[int, dict[object, _Object]]  # id() of a merged list -> its objects by the value of their id


def _tree(paths: Sequence[str]) -> _Rules:
    tree: _Rules = {}
    for path in paths:
        *parents, field = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[field] = None
    return tree


RULES = _tree(_WHOLE_LISTS)
"""Field -> the rules of the fields below it, None for a list that merging replaces whole."""
_NO_RULES: _Rules = {}
# Types of values that are not simply taken over.
_NESTED = frozenset((dict, list, type(None)))


def compiled(releases: Sequence[_Object]) -> _Object:
    """The compiled release of one process's releases (at least one), each of which passed `ocds.validate_release`.

    Equal to ocdsmerge's, and several times as fast because it walks the releases instead of flattening them. Releases
    of one date count in the order given. The input stays as it is; the result shares its lists of plain values.

        >>> first = {"ocid": "o", "date": "2025-01-01T00:00:00+07:00", "tender": {"id": "1", "status": "active"}}
        >>> then = {"ocid": "o", "date": "2025-01-02T00:00:00+07:00", "tender": {"title": "A", "status": None}}
        >>> compiled([first, then])["tender"]
        {'id': '1', 'title': 'A'}
    """
    ordered = sorted(releases, key=itemgetter("date"))
    merged: _Object = {}
    index: _Index = {}
    for release in ordered:
        _merge({field: value for field, value in release.items() if field not in _DISCARDED}, merged, RULES, index)
    return _headed(ordered[-1], merged)


def of_one(release: _Object) -> _Object:
    """As `compiled`, of one release in which nothing is null or empty, such as a whole state; shares its values."""
    return _headed(release, {field: value for field, value in release.items() if field not in _DISCARDED})


def _headed(last: _Object, merged: _Object) -> _Object:
    return {"tag": ["compiled"], "id": f"{last['ocid']}-{last['date']}", "date": last["date"], **merged}


def extended(record: _Object, release: _Object) -> _Object:
    """A compiled release with one more release, not older than those that it was compiled from: as `compiled` of all.

    The releases are such as `ocds.validate_release` lets pass: their entries have ids. The record stays as it is.

        >>> record = {"date": "2025-01-01T00:00:00+07:00", "awards": [{"id": "1", "title": "A", "value": {}}]}
        >>> update = {"ocid": "o", "date": "2025-01-02T00:00:00+07:00", "awards": [{"id": "1", "title": "B"}]}
        >>> extended(record, update)["awards"]
        [{'id': '1', 'title': 'B', 'value': {}}]
    """
    index: _Index = {}
    merged = _copied({field: value for field, value in record.items() if field not in _DISCARDED}, RULES, index)
    _merge({field: value for field, value in release.items() if field not in _DISCARDED}, merged, RULES, index)
    return _headed(release, merged)


def _copied(merged: _Object, rules: _Rules, index: _Index) -> _Object:
    """A merged object as merging has left it: objects that nulls have emptied too."""
    copy: _Object = {}
    for field, value in merged.items():
        kind = type(value)
        if kind is dict and (rule := rules.get(field, _NO_RULES)) is not None:
            copy[field] = _copied(value, rule, index)
        elif (
            kind is list
            and value
            and {*map(type, value)} == {dict}
            and (rule := rules.get(field, _NO_RULES)) is not None
        ):
            entries = [_copied(entry, rule, index) for entry in value]
            index[id(entries)] = {entry["id"]: entry for entry in entries if "id" in entry}
            copy[field] = entries
        else:
            copy[field] = value
    return copy


def versioned(releases: Sequence[_Object]) -> _Object:
    """The versioned release: for every value, which release gave it when. The work is ocdsmerge's.

    >>> first = {"ocid": "o", "id": "o-1", "date": "2025-01-01T00:00:00+07:00", "tag": ["planning"], "title": "A"}
    >>> then = {"ocid": "o", "id": "o-2", "date": "2025-01-02T00:00:00+07:00", "tag": ["tender"], "title": "B"}
    >>> [(version["releaseID"], version["value"]) for version in versioned([first, then])["title"]]
    [('o-1', 'A'), ('o-2', 'B')]
    """
    versions: _Object = _REFERENCE.create_versioned_release(list(releases))
    return versions


def _merge(source: _Object, target: _Object, rules: _Rules, index: _Index) -> bool:
    """Merge an object into the result's; whether it held anything (an empty object or list does not, a null does)."""
    if _NESTED.isdisjoint(map(type, source.values())):
        # Most objects are such, and the loop below is several times as slow.
        target.update(source)
        return bool(source)
    changed = False
    for field, value in source.items():
        kind = type(value)
        merges = kind is dict or (kind is list and {*map(type, value)} <= {dict})
        if merges and (rule := rules.get(field, _NO_RULES)) is not None:
            below: Any = target.get(field)
            if below is None:
                below = kind()
            merge = _merge if kind is dict else _merge_list
            if merge(value, below, rule, index):
                target[field] = below
                changed = True
        elif value is not None:
            target[field] = value
            changed = True
        else:
            changed = True
            # A null deletes a value; an object or a list of objects stays.
            if field in target and type(target[field]) is not dict and id(target[field]) not in index:
                del target[field]
    return changed


def _merge_list(source: list[_Object], target: list[_Object], rules: _Rules, index: _Index) -> bool:
    """As `_merge`, for lists of objects: one whose id is known is merged into its namesake, any other is appended."""
    known = index.get(id(target), {})
    changed = False
    for item in source:
        entry: _Object = {}
        namesake = known.get(item["id"]) if "id" in item else None
        if namesake is not None:
            changed |= item == namesake or _merge(item, namesake, rules, index)
        elif _merge(item, entry, rules, index):
            changed = True
            target.append(entry)
            if "id" in item:
                known[item["id"]] = entry
    if changed:
        index[id(target)] = known
    return changed
