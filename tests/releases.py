"""Releases for tests: hypothesis makes them from our models (all fields, in all combinations), `changed` by hand."""

import copy
import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.ocds import Release

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
_utc_times = st.sampled_from(["2024-12-31T17:00:00Z", "2025-01-01T00:00:00Z", "2025-06-30T23:59:59Z"])


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
            return _utc_times if pattern.endswith("Z$") else _times
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
