"""e-musrenbang (or SIPD, which has taken its place in many regencies): where each access method has its services."""

from collections.abc import Iterator

from connectors.transport.read import Address, own_address, read
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

ADDRESSES: dict[str, Address] = {
    "Musrenbang-Usulan": own_address("Musrenbang-Usulan", "usulan"),
    "Musrenbang-Pokir": own_address("Musrenbang-Pokir", "pokir"),
}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service, rows as received; none where the source, as configured, does not offer it.

    `scope` is a fiscal year; `cursor` is the last staged page's. Raises SettingsError, SourceUnavailable or
    StructureError.
    """
    return read("musrenbang", ADDRESSES[service.name], service, settings, source, scope, cursor)
