"""The source systems, literally: one line each. DAGs, CLI, documentation and tests iterate this table."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import connectors.dokumen
import connectors.lpse
import connectors.musrenbang
import connectors.simda
import connectors.simpen
import connectors.sirup
import schemas.dokumen
import schemas.lpse
import schemas.musrenbang
import schemas.simda
import schemas.simpen
import schemas.sirup
import transforms.dokumen
import transforms.lpse
import transforms.musrenbang
import transforms.simda
import transforms.simpen
import transforms.sirup
from schemas.service import Page, Service
from transforms.mapping import SourceMapping

Fetch = Callable[..., Iterator[Page]]


@dataclass(frozen=True, slots=True)
class Source:
    """One source system: its services by name in the order in which they are read, the generator of their pages, and
    what their rows mean."""

    services: dict[str, Service]
    fetch: Fetch
    mapping: SourceMapping

    @property
    def name(self) -> str:
        return self.mapping.name


def _source(services: tuple[Service, ...], fetch: Fetch, mapping: SourceMapping) -> Source:
    return Source({service.name: service for service in services}, fetch, mapping)


SOURCES: dict[str, Source] = {
    "sirup": _source(schemas.sirup.SERVICES, connectors.sirup.fetch, transforms.sirup.MAPPING),
    "lpse": _source(schemas.lpse.SERVICES, connectors.lpse.fetch, transforms.lpse.MAPPING),
    "simda": _source(schemas.simda.SERVICES, connectors.simda.fetch, transforms.simda.MAPPING),
    "musrenbang": _source(schemas.musrenbang.SERVICES, connectors.musrenbang.fetch, transforms.musrenbang.MAPPING),
    "simpen": _source(schemas.simpen.SERVICES, connectors.simpen.fetch, transforms.simpen.MAPPING),
    "dokumen": _source(schemas.dokumen.SERVICES, connectors.dokumen.fetch, transforms.dokumen.MAPPING),
}

SERVICES: dict[str, tuple[str, Service]] = {
    service.name: (name, service) for name, source in SOURCES.items() for service in source.services.values()
}

MAPPINGS: dict[str, SourceMapping] = {name: SOURCES[source].mapping for name, (source, _) in SERVICES.items()}
"""Of each service the mapping of its source."""

LINKED_KINDS: dict[str, str] = {
    service.kind: source for source, service in SERVICES.values() if service.linked and service.kind
}
"""Kinds of the subjects that links join to processes, and the source that has them."""

OPENED_KINDS: dict[str, str] = {
    service.kind: source for source, service in SERVICES.values() if service.kind and not service.linked
}
"""Kinds of the codes that open processes, and the source that has them."""

PLAN_LISTS: tuple[str, ...] = tuple(name for source in SOURCES.values() for name in source.mapping.plan_lists)
"""The lists in which plans stand as they are announced."""


_CODE = {".py", ".csv"}


@cache
def code_fingerprint() -> str:
    """A digest of the code and tables that decide what rows mean. Facts and records bear that of the code that made
    them: where it differs they are made again."""
    digest = hashlib.blake2b(digest_size=8)
    root = Path(str(schemas.__file__)).parent.parent
    paths = [path for name in ("schemas", "transforms") for path in (root / name).rglob("*") if path.suffix in _CODE]
    for path in sorted((*paths, root / "warehouse" / "star.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
