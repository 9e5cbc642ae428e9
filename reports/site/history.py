"""What each release changed in a process: when, from what to what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.difference import LASTING
from transforms.merge import compiled, extended

Object = dict[str, Any]

# What is not news by itself: ids, units, whom a reference means, what only repeats something else.
_MINOR = {
    *(
        "id",
        "currency",
        "scheme",
        "language",
        "roles",
        "awardID",
        "uri",
        "format",
        "unit",
        "dimensions",
        "code",
        "type",
    ),
    *("countryName", "projectID", "procurementMethod", "submissionMethod"),
}
# Nor is who takes part in an entry, which stays where the entry is taken back.
_NO_NEWS = _MINOR | LASTING
_SKIPPED = {"parties", "buyer", "relatedProcesses", "ocid", "date", "tag", "initiationType", "language", "id"}
# Of an entry that comes new, what describes it best, the first that it has.
_TELLING = ("title", "number", "description", "measure")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a release changed. `path` is without ids (`contracts.value.amount`), `entry` the id of the list
    entry that it belongs to. `kind` is added, changed or removed; of an added entry `after` is the entry, of a removed
    one `before`."""

    path: str
    entry: str | None
    kind: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Update:
    """What one release changed; nothing for the first, which is all that was known then."""

    id: str
    date: str
    changes: list[Change]


def history(releases: Sequence[Object]) -> list[Update]:
    """The updates of a process, the latest first, of its valid releases in the order of merging (at least one)."""
    record = compiled(releases[:1])
    updates = [Update(releases[0]["id"], releases[0]["date"], [])]
    for release in releases[1:]:
        updates.append(Update(release["id"], release["date"], list(_changes(record, release))))
        record = extended(record, release)
    return updates[::-1]


def _changes(record: Object, release: Object) -> Iterator[Change]:
    for name, value in release.items():
        if name not in _SKIPPED:
            yield from _changed(record.get(name), value, name, None)


def _changed(before: Any, after: Any, path: str, entry: str | None) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(after, dict):
        for name, value in after.items():
            if name not in _MINOR:
                yield from _changed((before or {}).get(name), value, f"{path}.{name}", entry)
    elif isinstance(after, list) and after and all(isinstance(item, dict) and "id" in item for item in after):
        known = {item["id"]: item for item in before or () if isinstance(item, dict)}
        for item in after:
            was = known.get(item["id"], {})
            if not _has_news(was):  # new, or back again
                if _has_news(item):
                    yield Change(path, item["id"], "added", None, item)
            elif not _has_news(item) and _gone(was, item):
                yield Change(path, item["id"], "removed", was, None)
            else:
                yield from _changed(was, item, path, item["id"])
    else:
        kind = "added" if before is None else "removed" if after in (None, []) else "changed"
        yield Change(path, entry, kind, before, after)


def _has_news(value: Any) -> bool:
    """Whether anything that is news by itself is left of a value."""
    if isinstance(value, dict):
        return any(name not in _NO_NEWS and _has_news(each) for name, each in value.items())
    if isinstance(value, list):
        return any(map(_has_news, value))
    return value is not None


def _gone(before: Any, after: Any) -> bool:
    """Whether a release takes back all that was known of a value."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(
            name in _NO_NEWS or not _has_news(value) or (name in after and _gone(value, after[name]))
            for name, value in before.items()
        )
    if isinstance(before, list) and before and isinstance(after, list) and after:
        entries = {item["id"]: item for item in after if isinstance(item, dict) and "id" in item}
        return all(isinstance(item, dict) and _gone(item, entries.get(item.get("id"))) for item in before)
    return after is None or after == []


def entry_title(entry: Object) -> str:
    """What a new list entry is called: its own words, else its id."""
    return str(next((entry[name] for name in _TELLING if entry.get(name)), entry["id"]))
