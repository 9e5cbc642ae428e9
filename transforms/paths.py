"""Paths of a document: names of fields, and ids of entries behind the name of their list."""

from collections.abc import Iterator
from typing import Any

Path = list[str]


def value_at(node: Any, parts: Path) -> Any:
    """The value at a path; None where there is none.

    >>> value_at({"awards": [{"id": "555-7", "title": "Jalan Desa"}]}, ["awards", "555-7", "title"])
    'Jalan Desa'
    """
    for part in parts:
        if isinstance(node, list):
            node = next((entry for entry in node if isinstance(entry, dict) and entry.get("id") == part), None)
        elif isinstance(node, dict):
            node = node.get(part)
        else:
            return None
    return node


def resolved(document: dict[str, Any], path: str) -> Path | None:
    """A path as names and ids; ids may hold slashes. None where the document has no such path.

    >>> resolved({"contracts": [{"id": "027/SPK/2025", "value": {"amount": 1}}]}, "contracts/027/SPK/2025/value")
    ['contracts', '027/SPK/2025', 'value']
    """
    parts: Path = []
    node: Any = document
    rest = path.strip("/")
    while rest:
        if isinstance(node, list):
            names = [str(entry["id"]) for entry in node if isinstance(entry, dict) and "id" in entry]
        else:
            names = list(node) if isinstance(node, dict) else []
        name = max((each for each in names if rest == each or rest.startswith(f"{each}/")), key=len, default=None)
        if name is None:
            return None
        parts.append(name)
        rest = rest[len(name) + 1 :]
        node = value_at(node, [name])
    return parts or None


def paths_of(node: Any, above: str = "") -> Iterator[str]:
    """All paths of a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{above}{name}"
            yield from paths_of(value, f"{above}{name}/")
    elif isinstance(node, list):
        for entry in node:
            if isinstance(entry, dict) and "id" in entry:
                yield f"{above}{entry['id']}"
                yield from paths_of(entry, f"{above}{entry['id']}/")


def values(node: Any, path: str) -> Iterator[Any]:
    """All values at a dotted path, through lists; `path=x` gives only those equal to x.

    >>> list(values({"awards": [{"id": "1", "status": "active"}, {"id": "2"}]}, "awards.status"))
    ['active']
    """
    path, _, wanted = path.partition("=")
    for value in _walk(node, path.split(".")):
        if not wanted or value == wanted:
            yield value


def _walk(node: Any, parts: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for entry in node:
            yield from _walk(entry, parts)
    elif not parts:
        if node is not None:
            yield node
    elif isinstance(node, dict) and parts[0] in node:
        yield from _walk(node[parts[0]], parts[1:])
