"""The body of a release: the difference between a process's record and its state.

Merging never removes what was published, so what the state no longer holds is *withdrawn*: an object or entry that has
a status by that status alone, others by null in their fields. What the schema requires stands beside whatever changed;
what it lets nobody null stays in the record, marked as withdrawn.

    >>> difference({"tender": {"id": "1", "title": "A"}}, {"tender": {"id": "1", "title": "B"}})
    {'tender': {'id': '1', 'title': 'B'}}
    >>> difference({"awards": [{"id": "1", "status": "active"}]}, {})
    {'awards': [{'id': '1', 'status': 'cancelled'}]}
    >>> withdrawn({"awards": [{"id": "1", "status": "cancelled"}, {"id": "2"}]}, {"awards": [{"id": "2"}]})
    [['awards', '1']]
"""

from collections.abc import Sequence
from typing import Any

from transforms.merge import RULES

Object = dict[str, Any]
Path = list[str]
"""From the root of a document: names of fields, and ids of entries behind the name of their list."""

_STATUS = {
    "tender": "withdrawn",
    "awards": "cancelled",
    "contracts": "cancelled",
    "bids/details": "withdrawn",
    "planning/proposals": "withdrawn",
}
_REQUIRED = {"tender": ("id",), "contracts": ("awardID",), "bids/statistics": ("measure", "value")}
# Published whole, never null: whom a reference means, what a measure is counted in. Of those that change some fields
# may be null, but none of the second.
LASTING = {
    "buyer",
    "procuringEntity",
    "payer",
    "payee",
    "sourceParty",
    "organization",
    "relatedImplementationMilestone",
    "unit",
    "dimensions",
}
_NEVER_NULL = {"id", "scheme"}
# A plan was made, even if its row is gone; a party that nobody names any more keeps its last roles.
_STAYING = {"planning", "parties"}
# Lists that may be empty and not null.
_MAY_BE_EMPTY = {"additionalIdentifiers", "additionalClassifications"}
# Of the record and its releases, not of the state.
_HEAD = {"ocid", "id", "date", "tag", "initiationType", "language"}
_NOTHING = ...


def difference(record: Object, state: Object) -> Object:
    """What merging must add to a record so that it equals the state; empty where they agree.

    Neither holds null. Order of entries is no difference.
    """
    record = {name: value for name, value in record.items() if name not in _HEAD}
    return _difference(record, state, RULES, "")


def withdrawn(record: Object, state: Object) -> list[Path]:
    """The paths of a record that are not in the state: the record without them is the state."""
    found: list[Path] = []
    _collect(record, state, RULES, [], found)
    return found


def living(record: Object, paths: Sequence[Path]) -> Object:
    """A record without what is withdrawn in it, and without ocid, id, date and tag: the state.

    >>> record = {"ocid": "o", "awards": [{"id": "1", "status": "cancelled"}, {"id": "2", "title": "A"}]}
    >>> living(record, [["awards", "1"]])
    {'awards': [{'id': '2', 'title': 'A'}]}
    """
    gone: Object = {}
    for path in paths:
        node = gone
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = None
    state: Object = _pruned({name: value for name, value in record.items() if name not in _HEAD}, gone)
    return state


def _is_list_by_id(value: Any, rule: Any) -> bool:
    return rule is not None and type(value) is list and bool(value) and all(type(entry) is dict for entry in value)


def _difference(record: Object, state: Object, rules: Object, path: str) -> Object:
    out: Object = {}
    for name, value in state.items():
        rule, here = rules.get(name, {}), path + name
        known: Any = record.get(name)
        if known == value:
            continue
        if type(value) is dict and type(known) is dict:
            if name in LASTING:
                changed = _difference(known, value, rule or {}, here + "/")
                inner = {
                    field: each
                    for field, each in changed.items()
                    if each is not None or (field not in _NEVER_NULL and name != "dimensions")
                }
                if inner:
                    out[name] = {**value, **inner}
            elif inner := _difference(known, value, rule or {}, here + "/"):
                out[name] = _with_required(inner, here, value)
        elif _is_list_by_id(value, rule) and _is_list_by_id(known, rule):
            if entries := _entries(known, value, rule, here):
                out[name] = entries
        else:
            out[name] = value
    for name, known in record.items():
        if name in state or (not path and name in _STAYING):
            continue
        if (gone := _withdrawn(known, rules.get(name, {}), path + name, name)) is not _NOTHING:
            out[name] = gone
    return out


def _with_required(inner: Object, path: str, full: Object) -> Object:
    return {**{field: full[field] for field in _REQUIRED.get(path, ()) if field in full}, **inner}


def _entries(known: list[Object], state: list[Object], rules: Object, path: str) -> list[Object]:
    before, now = ({entry["id"]: entry for entry in entries} for entries in (known, state))
    out = []
    for name, entry in now.items():
        if name not in before:
            out.append(entry)
        elif changed := _difference(before[name], entry, rules, path + "/"):
            out.append({"id": name, **_with_required(changed, path, entry)})
    for name, entry in before.items():
        if name not in now and path not in _STAYING and (gone := _gone(entry, rules, path)):
            out.append({"id": name, **_with_required(gone, path, entry)})
    return out


def _gone(entry: Object, rules: Object, path: str) -> Object:
    """What withdraws an object or entry, beside what the schema requires of it; empty where nothing is left to do."""
    if path in _STATUS:
        return {} if entry.get("status") == _STATUS[path] else {"status": _STATUS[path]}
    kept = ("id", *_REQUIRED.get(path, ()))
    return {
        name: gone
        for name, value in entry.items()
        if name not in kept and (gone := _withdrawn(value, rules.get(name, {}), f"{path}/{name}", name)) is not _NOTHING
    }


def _withdrawn(value: Any, rule: Any, path: str, name: str) -> Any:
    """What withdraws the value of a field; `_NOTHING` where it stays, or is withdrawn already."""
    if name in LASTING:
        return _NOTHING
    if path in _STATUS and type(value) is dict:
        gone = _gone(value, rule or {}, path)
        return _with_required(gone, path, value) if gone else _NOTHING
    if type(value) is dict:
        inner = {key: _withdrawn(each, (rule or {}).get(key, {}), f"{path}/{key}", key) for key, each in value.items()}
        return {key: gone for key, gone in inner.items() if gone is not _NOTHING} or _NOTHING
    if _is_list_by_id(value, rule):
        return [
            {"id": entry["id"], **_with_required(gone, path, entry)}
            for entry in value
            if (gone := _gone(entry, rule, path))
        ] or _NOTHING
    if name in _MAY_BE_EMPTY:
        return [] if value else _NOTHING
    return None


def _collect(record: Object, state: Object, rules: Object, path: Path, found: list[Path]) -> None:
    for name, known in record.items():
        if not path and name in _HEAD:
            continue
        rule = rules.get(name, {})
        value: Any = state.get(name)
        if known == value:
            continue
        if name not in state:
            found.append([*path, name])
        elif type(known) is dict and type(value) is dict:
            _collect(known, value, rule or {}, [*path, name], found)
        elif _is_list_by_id(known, rule) and _is_list_by_id(value, rule):
            now = {entry["id"]: entry for entry in value}
            for entry in known:
                if entry["id"] not in now:
                    found.append([*path, name, entry["id"]])
                elif entry != now[entry["id"]]:
                    _collect(entry, now[entry["id"]], rule, [*path, name, entry["id"]], found)


def _pruned(node: Any, gone: Object | None) -> Any:
    """A value without the paths in `gone` (a tree of names and ids that ends in None)."""
    if not gone:
        return node
    if type(node) is list:
        kept = (entry for entry in node if gone.get(entry["id"], ...) is not None)
        return [_pruned(entry, gone.get(entry["id"])) for entry in kept]
    return {name: _pruned(value, gone.get(name)) for name, value in node.items() if gone.get(name, ...) is not None}
