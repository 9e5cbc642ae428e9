"""SIRUP: where each access method has its services.

Addresses: `sources.md` sections 1.1, 1.2 and 9.3, and the address list of one regency's ISB subscription.
"""

from functools import partial

from connectors.transport.read import Address, read

_ENDPOINTS = {
    "RUP-PaketPenyedia-Terumumkan": "rup/paket-penyedia-terumumkan",
    "RUP-PaketSwakelola-Terumumkan": "rup/paket-swakelola-terumumkan",
    "RUP-PaketAnggaranPenyedia": "rup/paket-anggaran-penyedia",
    "RUP-PaketAnggaranSwakelola": "rup/paket-anggaran-swakelola",
    "RUP-PaketPenyediaLokasi": "legacy/rup/paket-penyedia-lokasi",
    "RUP-PaketSwakelolaLokasi": "legacy/rup/paket-swakelola-lokasi",
    # Seen in INAPROC only; ISB's name for it is inferred.
    "RUP-HistoryKajiUlang": "rup/history-kaji-ulang",
    "RUP-ProgramMaster": "rup/program-master",
    "RUP-KegiatanMaster": "legacy/rup/kegiatan-master",
    "RUP-SubKegiatanMaster": "legacy/rup/sub-kegiatan-master",
    "RUP-StrukturAnggaranPD": "legacy/rup/struktur-anggaran-pd",
}

ADDRESSES: dict[str, Address] = {
    **{name: Address(name, "4:12", "{year}:{klpd}", endpoint) for name, endpoint in _ENDPOINTS.items()},
    # The one service of its group with the institution first, and the year as text.
    "RUP-MasterSatker": Address("RUP-MasterSatker", "12:12", "{klpd}:{year}", "rup/master-satker"),
    # Lists for the whole country take their own name as parameter.
    "RUP-MasterProvinsi": Address("RUP-MasterProvinsi", "12", "RUP-MasterProvinsi"),
    "RUP-MasterKabKota": Address("RUP-MasterKabKota", "12", "RUP-MasterKabKota"),
}

fetch = partial(read, "sirup", ADDRESSES)
"""Pages of one service: see `connectors.transport.read`."""
