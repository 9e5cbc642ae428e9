"""PaDi: where each access method has its services."""

from functools import partial

from connectors.transport.read import Address, read

ADDRESSES = {"PaDi-Pesanan": Address("PaDi-Pesanan", "4:12", "{year}:{klpd}", endpoint="pesanan")}

fetch = partial(read, "padi", ADDRESSES)
"""Pages of one service: see `connectors.transport.read`."""
