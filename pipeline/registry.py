"""The source systems, literally: one line each. DAGs, CLI, documentation and tests iterate this table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

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
from transforms.said import Telling


@dataclass(frozen=True, slots=True)
class Source:
    """One source system: its services, how they are fetched and what their rows mean."""

    name: str
    schema: ModuleType
    connector: ModuleType
    transform: ModuleType

    @property
    def services(self) -> dict[str, Service]:
        """The source's services by name, in the order in which they are read."""
        return {service.name: service for service in self.schema.SERVICES}

    @property
    def fetch(self) -> Callable[..., Iterator[Page]]:
        """The connector's generator of pages."""
        fetch: Callable[..., Iterator[Page]] = self.connector.fetch
        return fetch


SOURCES = {
    "sirup": Source("sirup", schemas.sirup, connectors.sirup, transforms.sirup),
    "lpse": Source("lpse", schemas.lpse, connectors.lpse, transforms.lpse),
    "simda": Source("simda", schemas.simda, connectors.simda, transforms.simda),
    "musrenbang": Source("musrenbang", schemas.musrenbang, connectors.musrenbang, transforms.musrenbang),
    "simpen": Source("simpen", schemas.simpen, connectors.simpen, transforms.simpen),
    "dokumen": Source("dokumen", schemas.dokumen, connectors.dokumen, transforms.dokumen),
}

SERVICES: dict[str, tuple[str, Service]] = {
    service.name: (source.name, service) for source in SOURCES.values() for service in source.services.values()
}

TELLINGS: dict[str, tuple[str, Telling]] = {
    name: (source.name, telling) for source in SOURCES.values() for name, telling in source.transform.TELLINGS.items()
}
