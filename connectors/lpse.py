"""LPSE/SPSE, e-catalogue and online shops: where each access method has their services.

Addresses: `sources.md` sections 1.1, 1.2 and 9.3, and the address list of one regency's ISB subscription.
"""

from collections.abc import Iterator

from connectors.transport.read import Address, read
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

_SPSE = ("4:4", "{year}:{lpse}")
_ECAT = ("4:12", "{year}:{klpd}")

# The numbers of the contract services are part of their dumps' names, not of ISB's.
ADDRESSES: dict[str, Address] = {
    "SPSE-TenderPengumuman": Address("SPSE-TenderPengumuman", *_SPSE, endpoint="tender/pengumuman"),
    "SPSE-TenderSelesai": Address("SPSE-TenderSelesai", *_SPSE, endpoint="tender/tender-selesai"),
    "SPSE-TenderSelesaiNilai": Address("SPSE-TenderSelesaiNilai", *_SPSE, endpoint="tender/tender-selesai-nilai"),
    "SPSE-PesertaTender": Address("SPSE-PesertaTender", *_SPSE, endpoint="tender/peserta-tender"),
    "SPSE-JadwalTahapanTender": Address("SPSE-JadwalTahapanTender", *_SPSE, endpoint="tender/jadwal-tahapan-tender"),
    "SPSE-TenderEkontrak-1SPPBJ": Address(
        "SPSE-TenderEkontrak-SPPBJ", *_SPSE, endpoint="legacy/tender/tender-ekontrak-sppbj"
    ),
    "SPSE-TenderEkontrak-2Kontrak": Address(
        "SPSE-TenderEkontrak-Kontrak", *_SPSE, endpoint="tender/tender-ekontrak-kontrak"
    ),
    "SPSE-TenderEkontrak-3SPMKSPP": Address(
        "SPSE-TenderEkontrak-SPMKSPP", *_SPSE, endpoint="legacy/tender/tender-ekontrak-spmkspp"
    ),
    "SPSE-TenderEkontrak-4BAPBAST": Address(
        "SPSE-TenderEkontrak-BAPBAST", *_SPSE, endpoint="legacy/tender/tender-ekontrak-bapbast"
    ),
    "SPSE-NonTenderPengumuman": Address("SPSE-NonTenderPengumuman", *_SPSE, endpoint="tender/non-tender-pengumuman"),
    "SPSE-NonTenderSelesai": Address("SPSE-NonTenderSelesai", *_SPSE, endpoint="tender/non-tender-selesai"),
    "SPSE-JadwalTahapanNonTender": Address(
        "SPSE-JadwalTahapanNonTender", *_SPSE, endpoint="tender/jadwal-tahapan-non-tender"
    ),
    "SPSE-NonTenderEkontrak-1SPPBJ": Address(
        "SPSE-NonTenderEkontrak-SPPBJ", *_SPSE, endpoint="legacy/tender/non-tender-ekontrak-sppbj"
    ),
    "SPSE-NonTenderEkontrak-2Kontrak": Address(
        "SPSE-NonTenderEkontrak-Kontrak", *_SPSE, endpoint="tender/non-tender-ekontrak-kontrak"
    ),
    "SPSE-NonTenderEkontrak-3SPMKSPP": Address(
        "SPSE-NonTenderEkontrak-SPMKSPP", *_SPSE, endpoint="legacy/tender/non-tender-ekontrak-spmkspp"
    ),
    "SPSE-NonTenderEkontrak-4BAPBAST": Address(
        "SPSE-NonTenderEkontrak-BAPBAST", *_SPSE, endpoint="legacy/tender/non-tender-ekontrak-bapbast"
    ),
    "SPSE-PencatatanNonTender": Address("SPSE-PencatatanNonTender", *_SPSE, endpoint="tender/pencatatan-non-tender"),
    "SPSE-PencatatanNonTenderRealisasi": Address(
        "SPSE-PencatatanNonTenderRealisasi", *_SPSE, endpoint="tender/pencatatan-non-tender-realisasi"
    ),
    "SPSE-PencatatanSwakelola": Address("SPSE-PencatatanSwakelola", *_SPSE, endpoint="tender/pencatatan-swakelola"),
    "SPSE-PencatatanSwakelolaRealisasi": Address(
        "SPSE-PencatatanSwakelolaRealisasi", *_SPSE, endpoint="tender/pencatatan-swakelola-realisasi"
    ),
    "Ecat-PaketEPurchasingV6": Address("Ecat-PaketEPurchasingV6", *_ECAT, endpoint="ekatalog/paket-e-purchasing"),
    "Ecat-PaketEPurchasing": Address("Ecat-PaketEPurchasing", *_ECAT, endpoint="ekatalog-archive/paket-e-purchasing"),
    "Bela-TokoDaringRealisasi": Address(
        "Bela-TokoDaringRealisasi", "12:4", "{klpd}:{year}", endpoint="legacy/bela/toko-daring-realisasi"
    ),
    "Ecat-InstansiSatker": Address(
        "Ecat-InstansiSatker",
        "12",
        "{klpd}",
        endpoint="ekatalog-archive/instansi-satker",
    ),
    # Lists for the whole country take their own name, less the prefix, as parameter.
    "Ecat-MasterKabKota": Address("Ecat-MasterKabKota", "12", "MasterKabKota"),
    "Ecat-MasterProvinsi": Address("Ecat-MasterProvinsi", "12", "MasterProvinsi"),
}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service, rows as received; none where the source, as configured, does not offer it.

    `scope` is a fiscal year, or "all" for a list that is the same for every year; `cursor` is the last staged page's.
    Raises SettingsError, SourceUnavailable or StructureError.
    """
    return read("lpse", ADDRESSES[service.name], service, settings, source, scope, cursor)
