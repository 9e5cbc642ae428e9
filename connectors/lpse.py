"""LPSE/SPSE, e-catalogue and online shops: where each access method has their services.

Addresses: `sources.md` sections 1.1, 1.2 and 9.3, and the address list of one regency's ISB subscription.
"""

import re
from functools import partial

from connectors.transport.read import Address, read

_ENDPOINTS = {
    "SPSE-TenderPengumuman": "tender/pengumuman",
    "SPSE-TenderSelesai": "tender/tender-selesai",
    "SPSE-TenderSelesaiNilai": "tender/tender-selesai-nilai",
    "SPSE-PesertaTender": "tender/peserta-tender",
    "SPSE-JadwalTahapanTender": "tender/jadwal-tahapan-tender",
    "SPSE-TenderEkontrak-1SPPBJ": "legacy/tender/tender-ekontrak-sppbj",
    "SPSE-TenderEkontrak-2Kontrak": "tender/tender-ekontrak-kontrak",
    "SPSE-TenderEkontrak-3SPMKSPP": "legacy/tender/tender-ekontrak-spmkspp",
    "SPSE-TenderEkontrak-4BAPBAST": "legacy/tender/tender-ekontrak-bapbast",
    "SPSE-NonTenderPengumuman": "tender/non-tender-pengumuman",
    "SPSE-NonTenderSelesai": "tender/non-tender-selesai",
    "SPSE-JadwalTahapanNonTender": "tender/jadwal-tahapan-non-tender",
    "SPSE-NonTenderEkontrak-1SPPBJ": "legacy/tender/non-tender-ekontrak-sppbj",
    "SPSE-NonTenderEkontrak-2Kontrak": "tender/non-tender-ekontrak-kontrak",
    "SPSE-NonTenderEkontrak-3SPMKSPP": "legacy/tender/non-tender-ekontrak-spmkspp",
    "SPSE-NonTenderEkontrak-4BAPBAST": "legacy/tender/non-tender-ekontrak-bapbast",
    "SPSE-PencatatanNonTender": "tender/pencatatan-non-tender",
    "SPSE-PencatatanNonTenderRealisasi": "tender/pencatatan-non-tender-realisasi",
    "SPSE-PencatatanSwakelola": "tender/pencatatan-swakelola",
    "SPSE-PencatatanSwakelolaRealisasi": "tender/pencatatan-swakelola-realisasi",
}
# In the names of the contract services the number is of their dumps, not of ISB.
_NUMBER = re.compile(r"(?<=-)\d")

ADDRESSES: dict[str, Address] = {
    **{name: Address(_NUMBER.sub("", name), "4:4", "{year}:{lpse}", endpoint) for name, endpoint in _ENDPOINTS.items()},
    "Ecat-PaketEPurchasingV6": Address(
        "Ecat-PaketEPurchasingV6", "4:12", "{year}:{klpd}", "ekatalog/paket-e-purchasing"
    ),
    "Ecat-PaketEPurchasing": Address(
        "Ecat-PaketEPurchasing", "4:12", "{year}:{klpd}", "ekatalog-archive/paket-e-purchasing"
    ),
    "Bela-TokoDaringRealisasi": Address(
        "Bela-TokoDaringRealisasi", "12:4", "{klpd}:{year}", "legacy/bela/toko-daring-realisasi"
    ),
    "Ecat-InstansiSatker": Address("Ecat-InstansiSatker", "12", "{klpd}", "ekatalog-archive/instansi-satker"),
    # Lists for the whole country take their own name, less the prefix, as parameter.
    "Ecat-MasterKabKota": Address("Ecat-MasterKabKota", "12", "MasterKabKota"),
    "Ecat-MasterProvinsi": Address("Ecat-MasterProvinsi", "12", "MasterProvinsi"),
}

fetch = partial(read, "lpse", ADDRESSES)
"""Pages of one service: see `connectors.transport.read`."""
