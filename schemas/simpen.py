"""SIMPEN, the progress reports of public works: jobs, their progress over time, their photos and documents.

No schema of it is public: these are the fields that systems like it share (`sources.md`, section 5); an application's
own come to them by the column mapping of settings. Percentages and amounts are as typed.
"""

from typing import Self

from pydantic import model_validator

from schemas.fields import (
    AmountOrMissing,
    Code,
    Count,
    Degrees,
    Deviation,
    LocalTime,
    OwnCode,
    Percent,
    RupCodes,
    Text,
    Url,
)
from schemas.service import Office, Personal, Service, SourceRecord


class SimpenRecord(SourceRecord):
    """What each row begins with: the application's own number of the job, the fiscal year, the office."""

    pekerjaan_id: OwnCode
    tahun: Count = None
    kd_satker: Code = None
    nama_satker: Text = None

    @property
    def office(self) -> Office:
        """The office whose job it is."""
        return Office((self.kd_satker,), self.nama_satker)


class Pekerjaan(SimpenRecord):
    """A job: the contract that it carries out, and its milestones from the order to start (SPMK) to the last handover.

    MC-0 is the first joint measurement on site, PHO and FHO the first and the final handover.
    """

    kode_rup: RupCodes = ()
    nama_pekerjaan: Text = None
    nomor_kontrak: Text = None
    tanggal_kontrak: LocalTime = None
    nilai_kontrak: AmountOrMissing = None
    nama_penyedia: Text = None
    npwp_penyedia: Personal[Text] = None
    nomor_spmk: Text = None
    tgl_spmk: LocalTime = None
    tgl_mc0: LocalTime = None
    nomor_pho: Text = None
    tgl_pho: LocalTime = None
    nomor_fho: Text = None
    tgl_fho: LocalTime = None
    tanggal_selesai: LocalTime = None
    kecamatan: Text = None
    desa: Text = None
    latitude: Degrees = None
    longitude: Degrees = None
    nilai_adendum: AmountOrMissing = None
    tanggal_adendum: LocalTime = None
    status: Text = None


class Progres(SimpenRecord):
    """A report on a job: planned and actual progress in percent, physical and financial, and what stood in the way.

    A deviation is actual less planned. `persentase` is a photo's slot (1 to 4) in applications descended from SIIPP.
    """

    nomor_pelaksanaan: Code = None
    tanggal_pelaksanaan: LocalTime = None
    rencana_fisik: Percent = None
    realisasi_fisik: Percent = None
    deviasi_fisik: Deviation = None
    rencana_keuangan: Percent = None
    realisasi_keuangan: Percent = None
    deviasi_keuangan: Deviation = None
    permasalahan: Text = None
    tindakan: Text = None
    persentase: Text = None

    @model_validator(mode="after")
    def _is_no_slot(self) -> Self:
        if self.persentase is not None and self.realisasi_fisik is None:
            raise ValueError(
                "persentase is the slot of a photo (1 to 4), not a percentage, and the row has no realisasi_fisik; "
                "where it does hold percentages, map realisasi_fisik to it in the settings of this service"
            )
        return self


class Dokumentasi(SimpenRecord):
    """A photo or document of a job, by its address."""

    url: Url
    judul: Text = None
    jenis: Text = None
    tanggal: LocalTime = None
    latitude: Degrees = None
    longitude: Degrees = None
    keterangan: Text = None


SERVICES: tuple[Service, ...] = (
    Service(
        "SIMPEN-Pekerjaan",
        Pekerjaan,
        key=("pekerjaan_id",),
        kind="pekerjaan",
        linked=True,
        sets=frozenset({"kode_rup"}),
    ),
    Service(
        "SIMPEN-Progres",
        Progres,
        key=("pekerjaan_id", "tanggal_pelaksanaan", "nomor_pelaksanaan"),
        kind="pekerjaan",
        linked=True,
    ),
    Service("SIMPEN-Dokumentasi", Dokumentasi, key=("pekerjaan_id", "url"), kind="pekerjaan", linked=True),
)
"""Every list of SIMPEN that Jejak reads, in the order to read them."""
