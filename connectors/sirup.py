"""SIRUP: where each access method has its services.

Addresses: `sources.md` sections 1.1, 1.2 and 9.3, and the address list of one regency's ISB subscription.
"""

from collections.abc import Iterator

from connectors.transport.read import Address, read
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings

_YEARLY = ("4:12", "{year}:{klpd}")

ADDRESSES: dict[str, Address] = {
    "RUP-PaketPenyedia-Terumumkan": Address(
        "RUP-PaketPenyedia-Terumumkan", *_YEARLY, endpoint="rup/paket-penyedia-terumumkan"
    ),
    "RUP-PaketSwakelola-Terumumkan": Address(
        "RUP-PaketSwakelola-Terumumkan", *_YEARLY, endpoint="rup/paket-swakelola-terumumkan"
    ),
    "RUP-PaketAnggaranPenyedia": Address("RUP-PaketAnggaranPenyedia", *_YEARLY, endpoint="rup/paket-anggaran-penyedia"),
    "RUP-PaketAnggaranSwakelola": Address(
        "RUP-PaketAnggaranSwakelola", *_YEARLY, endpoint="rup/paket-anggaran-swakelola"
    ),
    "RUP-PaketPenyediaLokasi": Address(
        "RUP-PaketPenyediaLokasi", *_YEARLY, endpoint="legacy/rup/paket-penyedia-lokasi"
    ),
    "RUP-PaketSwakelolaLokasi": Address(
        "RUP-PaketSwakelolaLokasi", *_YEARLY, endpoint="legacy/rup/paket-swakelola-lokasi"
    ),
    # Seen in INAPROC only; ISB's name for it is inferred.
    "RUP-HistoryKajiUlang": Address("RUP-HistoryKajiUlang", *_YEARLY, endpoint="rup/history-kaji-ulang"),
    # The one service of its group with the institution first, and the year as text.
    "RUP-MasterSatker": Address("RUP-MasterSatker", "12:12", "{klpd}:{year}", endpoint="rup/master-satker"),
    "RUP-ProgramMaster": Address("RUP-ProgramMaster", *_YEARLY, endpoint="rup/program-master"),
    "RUP-KegiatanMaster": Address("RUP-KegiatanMaster", *_YEARLY, endpoint="legacy/rup/kegiatan-master"),
    "RUP-SubKegiatanMaster": Address("RUP-SubKegiatanMaster", *_YEARLY, endpoint="legacy/rup/sub-kegiatan-master"),
    "RUP-StrukturAnggaranPD": Address("RUP-StrukturAnggaranPD", *_YEARLY, endpoint="legacy/rup/struktur-anggaran-pd"),
    # Lists for the whole country take their own name as parameter.
    "RUP-MasterProvinsi": Address("RUP-MasterProvinsi", "12", "RUP-MasterProvinsi"),
    "RUP-MasterKabKota": Address("RUP-MasterKabKota", "12", "RUP-MasterKabKota"),
}


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service, rows as received; none where the source, as configured, does not offer it.

    `scope` is a fiscal year, or "all" for a list that is the same for every year; `cursor` is the last staged page's.
    Raises SettingsError, SourceUnavailable or StructureError.
    """
    return read("sirup", ADDRESSES[service.name], service, settings, source, scope, cursor)
