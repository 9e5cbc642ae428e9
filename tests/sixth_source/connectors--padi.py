"""PaDi: where each access method has its services."""

from collections.abc import Iterator

from connectors.transport.read import Address, read
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

ADDRESSES = {"PaDi-Pesanan": Address("PaDi-Pesanan", "4:12", "{year}:{klpd}", endpoint="pesanan")}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service, rows as received (see `connectors.transport.read`)."""
    return read("padi", ADDRESSES[service.name], service, settings, source, scope, cursor)
