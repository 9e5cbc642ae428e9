"""What a publication knows of each package, so that the next works out only what changed: a line of JSON each, beside
the publication, for its maker alone."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from reports.site.package import Package
from reports.site.places import Place


@dataclass(frozen=True, slots=True)
class Known:
    """A package, with the digest of its process and the red flags that its page shows; which `services` gave it and
    when (UTC), the OCIDs that it names as `related`, the addresses of its `photos`; `wanting` where its page lacks
    copies of some that could not be fetched then."""

    package: Package
    digest: str
    flags: list[str]
    services: dict[str, str]
    related: list[str]
    photos: list[str]
    wanting: bool = False


def line_of(known: Known) -> bytes:
    """A package as a line, which `known_in` reads."""
    return orjson.dumps([getattr(known, name) for name in _NAMES], default=_named, option=orjson.OPT_APPEND_NEWLINE)


def known_in(path: Path) -> Iterator[Known]:
    """The packages of a file of lines; none where it is missing."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            package, *others = orjson.loads(line)
            yield Known(_package(package), *others)


def _named(value: Any) -> Any:
    if isinstance(value, tuple):  # a Place
        return list(value)
    raise TypeError(type(value).__name__)


def _package(line: dict[str, Any]) -> Package:
    line["office"] = tuple(line["office"]) if line["office"] else None
    line["places"] = [Place(*each) for each in line["places"]]
    line["suppliers"] = [tuple(each) for each in line["suppliers"]]
    line["stages"] = tuple(line["stages"])
    line["proposals"] = [(Place(*place), *others) for place, *others in line["proposals"]]
    return Package(**line)


_NAMES = [each.name for each in fields(Known)]
