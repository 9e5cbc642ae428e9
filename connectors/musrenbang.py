"""e-musrenbang (or SIPD, which has taken its place in many regencies): where each access method has its services."""

from functools import partial

from connectors.transport.read import Address, own_address, read

ADDRESSES: dict[str, Address] = {
    "Musrenbang-Usulan": own_address("Musrenbang-Usulan", "usulan"),
    "Musrenbang-Pokir": own_address("Musrenbang-Pokir", "pokir"),
}

fetch = partial(read, "musrenbang", ADDRESSES)
"""Pages of one service: see `connectors.transport.read`."""
