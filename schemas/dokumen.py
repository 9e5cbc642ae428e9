"""Planning documents that offices attach to a package or a budget line: DPA, Renja, KAK, schedules, cost estimates."""

from schemas.fields import Code, Count, LocalTime, OwnCode, Text, Url
from schemas.service import Office, Service, SourceRecord

KINDS = (
    "DPPA",
    "DPA",
    "RKA",
    "Renstra",
    "Renja",
    "RKPD",
    "KAK",
    "TOR",
    "Kerangka Acuan Kerja",
    "Jadwal",
    "RAB",
    "Rencana Anggaran Biaya",
    "HPS",
    "Spesifikasi",
    "Spek",
    "DED",
    "Gambar",
    "Studi Kelayakan",
    "Survei Pasar",
    "Identifikasi Kebutuhan",
    "UKL-UPL",
    "AMDAL",
)
"""Kinds of documents as offices name them, in the order in which they are looked for in the name of a file."""


class DokumenPerencanaan(SourceRecord):
    """A document by its address. `kode` is the kd_rup of a package, or a `mak` (whole or its sub-activity)."""

    kode: OwnCode
    url: Url
    tahun: Count = None
    jenis: Text = None
    judul: Text = None
    tanggal: LocalTime = None
    format: Text = None
    kd_satker: Code = None
    nama_satker: Text = None

    @property
    def office(self) -> Office:
        """The office that wrote the document."""
        return Office((self.kd_satker,), self.nama_satker)


SERVICES: tuple[Service, ...] = (
    Service("Dokumen-Perencanaan", DokumenPerencanaan, key=("kode", "url"), kind="dokumen", code_parts=2, linked=True),
)
"""The one list of planning documents."""
