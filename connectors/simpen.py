"""SIMPEN, the progress reports of public works: where each access method has its services."""

from collections.abc import Iterator

from connectors.transport.read import Address, own_address, read
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

ADDRESSES: dict[str, Address] = {
    "SIMPEN-Pekerjaan": own_address("SIMPEN-Pekerjaan", "pekerjaan"),
    "SIMPEN-Progres": own_address("SIMPEN-Progres", "progres"),
    "SIMPEN-Dokumentasi": own_address("SIMPEN-Dokumentasi", "dokumentasi"),
}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service, rows as received; none where the source, as configured, does not offer it.

    `scope` is a fiscal year; `cursor` is the last staged page's. Raises SettingsError, SourceUnavailable or
    StructureError.
    """
    return read("simpen", ADDRESSES[service.name], service, settings, source, scope, cursor)
