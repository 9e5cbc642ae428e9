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
_TITLE_FIELDS = ("title", "number", "description")
# Reports of progress, whose values are shown together: what each list tells of them.
OBSERVATIONS = {
    "contracts.agreedMetrics.observations": "plan",
    "contracts.implementation.metrics.observations": "actual",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that a release changed. `path` is without ids (`contracts.value.amount`), `entry` the id of the list
    entry that it belongs to, `words` what that is called: its number or title, else that of what holds it, else empty.
    `kind` is added, changed or removed; of an added entry `after` is the entry, of a removed one `before`, of a changed
    observation both are."""

    path: str
    entry: str | None
    kind: str
    before: Any
    after: Any
    words: str = ""


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


def _changed(before: Any, after: Any, path: str, entry: str | None, words: str = "") -> Iterator[Change]:
    if before == after:
        return
    if isinstance(after, dict):
        for name, value in after.items():
            if name not in _MINOR and not (name == "initialValue" and _as_now(value, before or {}, after)):
                yield from _changed((before or {}).get(name), value, f"{path}.{name}", entry, words)
    elif isinstance(after, list) and after and all(isinstance(item, dict) and "id" in item for item in after):
        known = {item["id"]: item for item in before or () if isinstance(item, dict)}
        for item in after:
            was = known.get(item["id"], {})
            now = {**was, **item}
            called = str(now.get("number") or now.get("title") or words)
            if not _has_news(was):  # new, or back again
                if _has_news(item):
                    yield Change(path, item["id"], "added", None, item, words)
            elif not _has_news(item) and _gone(was, item):
                yield Change(path, item["id"], "removed", was, None, words)
            elif path in OBSERVATIONS:
                if any(_changed(was, item, path, item["id"])):
                    yield Change(path, item["id"], "changed", was, now, words)
            else:
                yield from _changed(was, item, path, item["id"], called)
    else:
        kind = "added" if before is None else "removed" if after in (None, []) else "changed"
        yield Change(path, entry, kind, before, after, words)


def _as_now(initial: Object | None, before: Object, after: Object) -> bool:
    """Whether a contract's value before its amendments is the one that it has."""
    value = {**(before.get("value") or {}), **(after.get("value") or {})}
    return initial is not None and initial.get("amount") == value.get("amount")


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
    """What a new list entry is called in its own words; empty where it has none."""
    return str(next((entry[name] for name in _TITLE_FIELDS if entry.get(name)), ""))
