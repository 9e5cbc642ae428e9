"""SIRUP (LKPP's general procurement plan): its services and rows, in the field names of LKPP's ISB.

Field lists: `sources.md` section 1.3 and the answers for one regency (fiscal year 2025). INAPROC v1 has the same names.
"""

from functools import partial

from schemas.fields import (
    VOLATILE,
    Amount,
    AmountOrMissing,
    Code,
    Codes,
    Count,
    Flag,
    LkppRecord,
    LocalTime,
    OwnCode,
    OwnRupCode,
    RupCode,
    RupCodes,
    SignedAmount,
    Text,
)
from schemas.service import Personal, Service, SourceRecord


class Paket(LkppRecord):
    """What announced packages have in common, of whichever kind."""

    nama_paket: Text = None
    pagu: AmountOrMissing = None
    kd_rup_lokal: Code = None
    volume_pekerjaan: Text = None
    tgl_buat_paket: LocalTime = None
    tgl_pengumuman_paket: LocalTime = None
    nip_ppk: Personal[Text] = None
    nama_ppk: Personal[Text] = None
    username_ppk: Personal[Text] = None
    status_aktif_rup: Flag = None
    status_delete_rup: Flag = None
    status_umumkan_rup: Text = None


class PaketPenyediaTerumumkan(Paket):
    """A package to be bought from providers, as announced."""

    kd_rup: OwnRupCode
    kd_metode_pengadaan: Code = None
    metode_pengadaan: Text = None
    kd_jenis_pengadaan: Codes = ()
    jenis_pengadaan: Codes = ()
    status_pradipa: Text = None
    status_pdn: Text = None
    status_ukm: Text = None
    alasan_non_ukm: Text = None
    status_konsolidasi: Text = None
    tipe_paket: Text = None
    kd_rup_swakelola: RupCodes = ()
    urarian_pekerjaan: Text = None  # (sic)
    spesifikasi_pekerjaan: Text = None
    tgl_awal_pemilihan: LocalTime = None
    tgl_akhir_pemilihan: LocalTime = None
    tgl_awal_kontrak: LocalTime = None
    tgl_akhir_kontrak: LocalTime = None
    tgl_awal_pemanfaatan: LocalTime = None
    tgl_akhir_pemanfaatan: LocalTime = None
    status_dikecualikan: Flag = None
    alasan_dikecualikan: Text = None
    tahun_pertama: Code = None
    kode_rup_tahun_pertama: RupCodes = ()
    nomor_kontrak: Text = None
    spp_aspek_ekonomi: Flag = None
    spp_aspek_sosial: Flag = None
    spp_aspek_lingkungan: Flag = None


class PaketSwakelolaTerumumkan(Paket):
    """A package of self-managed work, as announced."""

    kd_rup: OwnRupCode
    tipe_swakelola: Code = None
    uraian_pekerjaan: Text = None
    kd_klpd_penyelenggara: Code = None
    nama_klpd_penyelenggara: Text = None
    nama_satker_penyelenggara: Text = None
    tgl_awal_pelaksanaan_kontrak: LocalTime = None
    tgl_akhir_pelaksanaan_kontrak: LocalTime = None


class PaketAnggaran(LkppRecord):
    """A budget line of a package: its share of the line, not the line's total. Several rows per package.

    The sum of all lines, equal ones and those below 0 (corrections) included, is the package's pagu.
    """

    kd_rup: OwnRupCode
    kd_rup_lokal: Code = None
    kd_kegiatan: Code = None
    kd_subkegiatan: Code = None
    kd_komponen: Code = None
    mak: Codes = ()
    pagu: SignedAmount = None
    sumber_dana: Codes = ()
    jenis_dana_apbn: Text = None  # INAPROC only
    asal_dana: Code = None
    asal_dana_klpd: Text = None
    asal_dana_satker: Text = None
    tahun_anggaran_dana: Count = None
    status_aktif_rup: Flag = None
    status_delete_rup: Flag = None
    status_umumkan_rup: Text = None


class PaketAnggaranPenyedia(PaketAnggaran):
    """A budget line of a provider package."""

    id_paket_anggaran_penyedia: Code = None  # INAPROC only


class PaketAnggaranSwakelola(PaketAnggaran):
    """A budget line of a self-managed package."""

    id_paket_anggaran_swakelola: Code = None  # INAPROC only


class PaketLokasi(LkppRecord):
    """A place of work of a package. Place codes are LKPP's own, not those of the statistics office."""

    kd_rup: OwnRupCode
    detail_lokasi: Text = None
    kd_kab_kota: Code = None
    kab_kota: Text = None
    kd_provinsi: Code = None
    provinsi: Text = None


class PaketPenyediaLokasi(PaketLokasi):
    """A place of work of a provider package."""


class PaketSwakelolaLokasi(PaketLokasi):
    """A place of work of a self-managed package."""


class HistoryKajiUlang(LkppRecord):
    """A revision: the package `kd_rup_lama` goes on as `kd_rup_baru`.

    `jenis_revisi` is SATUKESATU, SATUKEBANYAK (split: a row for each part), PEMBATALAN (cancelled) or PENGAKTIFAN
    (taken back); of the last two old and new code are the same. A package may have several events.
    """

    kd_rup_baru: OwnRupCode
    kd_rup_lama: RupCode = None
    jenis_paket: Text = None
    jenis_revisi: Text = None
    alasan_kajiulang: Text = None
    tgl_kaji_ulang: LocalTime = None
    datamart_id: Code = None  # INAPROC v1, documented and mostly absent


class MasterSatker(LkppRecord):
    """An office of the regency."""

    kd_satker: OwnCode
    alamat: Text = None
    telepon: Personal[Text] = None
    fax: Personal[Text] = None
    kodepos: Text = None
    status_satker: Text = None
    ket_satker: Text = None
    jenis_satker: Text = None
    kode_eselon: Code = None
    tahun_aktif: Text = None  # years as text: `{2024,2025}`


class ProgramMaster(LkppRecord):
    """A budget programme of an office."""

    kd_program: OwnCode
    kd_program_str: Code = None
    nama_program: Text = None
    pagu_program: Amount = None
    kd_program_lokal: Code = None
    is_deleted: Flag = None


class KegiatanMaster(LkppRecord):
    """A budget activity of a programme."""

    kd_program: Code = None
    kd_kegiatan: OwnCode
    kd_kegiatan_str: Code = None
    nama_kegiatan: Text = None
    pagu_kegiatan: Amount = None
    kd_kegiatan_lokal: Code = None
    is_deleted: Flag = None


class SubKegiatanMaster(LkppRecord):
    """A budget sub-activity of an activity."""

    kd_program: Code = None
    kd_kegiatan: Code = None
    kd_subkegiatan: OwnCode
    kd_subkegiatan_str: Code = None
    nama_subkegiatan: Text = None
    pagu_subkegiatan: Amount = None
    kd_subkegiatan_lokal: Code = None
    is_deleted: Flag = None


class StrukturAnggaranPD(LkppRecord):
    """The budget of an office by kind of spending."""

    kd_satker: OwnCode
    belanja_operasi: Amount = None
    belanja_modal: Amount = None
    belanja_btt: Amount = None
    belanja_pengadaan: Amount = None
    belanja_non_pengadaan: Amount = None
    total_belanja: Amount = None


class MasterProvinsi(SourceRecord):
    """A province, in SIRUP's codes."""

    kd_provinsi: OwnCode
    nama_provinsi: Text = None


class MasterKabKota(SourceRecord):
    """A regency or city, in SIRUP's codes."""

    kd_kabkota: OwnCode
    kd_provinsi: Code = None
    nama_kabkota: Text = None


_ALIASES = {"kode_klpd": "kd_klpd", "kode_satker": "kd_satker"}  # inferred: seen in INAPROC's e-catalogue only

# What most lists of LKPP have in common.
_list = partial(Service, volatile=VOLATILE, aliases=_ALIASES, observed_field="_event_date")

SERVICES: tuple[Service, ...] = (
    _list(
        "RUP-PaketPenyedia-Terumumkan",
        PaketPenyediaTerumumkan,
        key=("kd_rup",),
        kind="rup",
        sets=frozenset({"kd_jenis_pengadaan", "jenis_pengadaan", "kd_rup_swakelola", "kode_rup_tahun_pertama"}),
        # The second is inferred: a corrected spelling, should it come.
        aliases={**_ALIASES, "uraian_pekerjaan": "urarian_pekerjaan"},
    ),
    _list("RUP-PaketSwakelola-Terumumkan", PaketSwakelolaTerumumkan, key=("kd_rup",), kind="swk"),
    _list(
        "RUP-PaketAnggaranPenyedia",
        PaketAnggaranPenyedia,
        key=("kd_rup", "id_paket_anggaran_penyedia"),
        keyless=True,
        optional_key=frozenset({"id_paket_anggaran_penyedia"}),
        essential=frozenset({"pagu"}),
        kind="rup",
        sets=frozenset({"mak", "sumber_dana"}),
    ),
    _list(
        "RUP-PaketAnggaranSwakelola",
        PaketAnggaranSwakelola,
        key=("kd_rup", "id_paket_anggaran_swakelola"),
        keyless=True,
        optional_key=frozenset({"id_paket_anggaran_swakelola"}),
        essential=frozenset({"pagu"}),
        kind="swk",
        sets=frozenset({"mak", "sumber_dana"}),
    ),
    _list("RUP-PaketPenyediaLokasi", PaketPenyediaLokasi, key=("kd_rup", "kd_kab_kota", "detail_lokasi"), kind="rup"),
    _list("RUP-PaketSwakelolaLokasi", PaketSwakelolaLokasi, key=("kd_rup", "kd_kab_kota", "detail_lokasi"), kind="swk"),
    _list(
        "RUP-HistoryKajiUlang",
        HistoryKajiUlang,
        key=("kd_rup_baru", "kd_rup_lama"),
        kind="rup",
        swakelola_field="jenis_paket",
    ),
    _list("RUP-MasterSatker", MasterSatker, key=("kd_satker",)),
    _list("RUP-ProgramMaster", ProgramMaster, key=("kd_program",)),
    _list("RUP-KegiatanMaster", KegiatanMaster, key=("kd_kegiatan",)),
    _list("RUP-SubKegiatanMaster", SubKegiatanMaster, key=("kd_subkegiatan",)),
    _list("RUP-StrukturAnggaranPD", StrukturAnggaranPD, key=("kd_satker",)),
    Service("RUP-MasterProvinsi", MasterProvinsi, key=("kd_provinsi",), yearly=False),
    Service("RUP-MasterKabKota", MasterKabKota, key=("kd_kabkota",), yearly=False),
)
"""Every list that SIRUP publishes and Jejak reads, in the order to read them."""
