"""SIMPEN, the progress reports of public works: where each access method has its services."""

from functools import partial

from connectors.transport.read import Address, own_address, read

ADDRESSES: dict[str, Address] = {
    "SIMPEN-Pekerjaan": own_address("SIMPEN-Pekerjaan", "pekerjaan"),
    "SIMPEN-Progres": own_address("SIMPEN-Progres", "progres"),
    "SIMPEN-Dokumentasi": own_address("SIMPEN-Dokumentasi", "dokumentasi"),
}

fetch = partial(read, "simpen", ADDRESSES)
"""Pages of one service: see `connectors.transport.read`."""
