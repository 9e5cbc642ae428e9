"""Releases and states for tests: hypothesis makes them from our models (all fields, in all combinations), `changed` by
hand."""

import copy
import os
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.ocds import Release
from transforms.state import references

# The thorough run before a release: JEJAK_EXAMPLES=5000.
thorough = settings(
    max_examples=int(os.environ.get("JEJAK_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Few ids, so that the entries of one release meet those of another.
_ids = st.sampled_from("abc")
_times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "+07:00"),
    st.sampled_from(["2024-02-29T23:59:59.5Z", "1999-12-31T00:00:00-23:59"]),
)
_release_times = st.sampled_from([f"2025-01-0{day}T00:00:00+07:00" for day in (1, 2, 3)])


def _lists(schema: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    size = {"min_size": schema.get("minItems", 0), "max_size": schema.get("maxItems", 3)}
    match schema["items"]:
        case {"$ref": _} as model:
            return st.lists(_values(model), unique_by=lambda entry: entry.get("id"), **size)
        case {"type": "string"} as codes:
            return st.lists(_values(codes), unique=True, **size)
        case numbers:
            return st.lists(_values(numbers), **size)


def _values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema:
        case {"$ref": reference}:
            return _objects(reference.rsplit("/", 1)[1])
        case {"anyOf": options}:
            return st.one_of([_values(option) for option in options])
        case {"enum": codes}:
            return st.sampled_from(codes)
        case {"const": code}:
            return st.just(code)
        case {"format": "date-time", "pattern": pattern}:
            return _times if r"\." in pattern else _release_times
        case {"type": "string", "pattern": pattern}:
            return st.from_regex(pattern, fullmatch=True)
        case {"type": "integer"}:
            return st.integers(schema["minimum"], schema["maximum"])
        case {"type": "number"}:
            return st.floats(schema["minimum"], schema["maximum"])
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "null"}:
            return st.none()
        case {"type": "array"}:
            return _lists(schema)
        case {"patternProperties": patterns}:
            [(keys, values)] = patterns.items()
            return st.dictionaries(st.from_regex(keys, fullmatch=True), _values(values), min_size=1, max_size=2)
    raise NotImplementedError(f"a model came to use what no strategy here knows: {schema}")


@st.composite
def _objects(draw: st.DrawFn, model: str) -> dict[str, Any]:
    """The required fields and up to four others, so that deep objects stay small."""
    required, optional = _NAMES[model]
    names = draw(st.lists(st.sampled_from(optional), max_size=4, unique=True)) if optional else []
    return {name: draw(_FIELDS[model][name]) for name in (*required, *names)}


_RELEASE = Release.model_json_schema()
_MODELS = {**_RELEASE["$defs"], "Release": _RELEASE}
_FIELDS = {
    model: {name: _ids if name == "id" else _values(field) for name, field in schema["properties"].items()}
    for model, schema in _MODELS.items()
}
_NAMES = {
    model: (schema.get("required", []), [n for n in schema["properties"] if n not in schema.get("required", [])])
    for model, schema in _MODELS.items()
}

releases = _objects("Release")


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The releases of one process, in the order of their dates; some dates are the same."""
    drawn = draw(st.lists(releases, min_size=1, max_size=5))
    return sorted(({**release, "ocid": drawn[0]["ocid"]} for release in drawn), key=lambda release: release["date"])


# What no release may lack of an object that it holds.
_ALWAYS = {"id", "awardID"}
_HEAD = ("ocid", "id", "date", "tag", "initiationType", "language")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _without_nulls(item) for name, item in value.items() if item is not None}
        return {name: item for name, item in kept.items() if item != {}}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With a buyer, and with those parties that it refers to, as every state has them."""
    described = {party["id"]: party for party in document.get("parties", ())}
    document = {**document, "buyer": document.get("buyer", {"id": "a"})}
    named = sorted(references(document))
    return {**document, "parties": [{"roles": ["buyer"], **described.get(party, {"id": party})} for party in named]}


def state_like(release: dict[str, Any]) -> dict[str, Any]:
    """A release made into what a state is: no head, nothing null or empty, a buyer, the parties referred to."""
    return _completed(_without_nulls({name: value for name, value in release.items() if name not in _HEAD}))


def _by_id(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and "id" in entry for entry in value)


def _mixed(one: Any, other: Any, chance: random.Random) -> Any:
    """Something of both of two values: of objects each field from either or neither, of lists some entries of each."""
    if isinstance(one, dict) and isinstance(other, dict):
        # A statistic has both, and so has no object that they would make one.
        always = _ALWAYS | ({"measure", "value"} if "measure" in one.keys() & other.keys() else set())
        fields = {}
        for name in [*one, *(name for name in other if name not in one)]:
            if name in one and name in other:
                if name in always or chance.random() < 0.85:
                    fields[name] = _mixed(one[name], other[name], chance)
            elif name in always or chance.random() < 0.6:
                fields[name] = one.get(name, other.get(name))
        return {name: value for name, value in fields.items() if value not in ({}, [])}
    if _by_id(one) and _by_id(other):
        before, after = ({entry["id"]: entry for entry in entries} for entries in (one, other))
        names = [*before, *(name for name in after if name not in before)]
        chance.shuffle(names)
        return [
            _mixed(before.get(name, after.get(name)), after.get(name, before.get(name)), chance)
            for name in names
            if chance.random() < 0.7
        ]
    return chance.choice((one, other))


@st.composite
def state_histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """States of one process as they follow each other: fields, entries and objects come, change, go and come back."""
    drawn = [state_like(release) for release in draw(st.lists(releases, min_size=1, max_size=3))]
    return list(state_walk(drawn, draw(st.integers(0, 2**32)), draw(st.integers(2, 6))))


def state_walk(documents: list[dict[str, Any]], seed: int, steps: int) -> Iterator[dict[str, Any]]:
    """States that begin with the first of some documents; each mixes the state before, or the first one, with one of
    the documents."""
    chance = random.Random(seed)
    state = documents[0]
    for _ in range(steps):
        yield state
        state = _completed(_mixed(chance.choice((state, state, documents[0])), chance.choice(documents), chance))


ABSENT = object()


def changed(release: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one value set at a path such as `awards/0/date`, or taken away where it is `ABSENT`."""
    release = copy.deepcopy(release)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    node: Any = release
    for part in parents:
        node = node[part]
    if value is ABSENT:
        del node[last]
    else:
        node[last] = value
    return release
