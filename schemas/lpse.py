"""LPSE/SPSE (tenders, direct procurement, contracts), e-catalogue and online shops: services and rows, in ISB's names.

Field lists: `sources.md` section 1.3, the answers for one regency (fiscal year 2025) and INAPROC's documented examples,
which use ISB's names except for e-catalogue v6. Names that ISB used before 2023 are aliases (`sources.md`, 9.2).
"""

from functools import partial
from typing import Self

from pydantic import model_validator

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
    Percent,
    Quantity,
    Reference,
    RupCodes,
    SignedAmount,
    SupplierRecord,
    Text,
)
from schemas.service import Office, Personal, Service, SourceRecord


class SpseRecord(LkppRecord):
    """What SPSE's rows add to LKPP's common fields."""

    kd_lpse: Code = None
    nama_lpse: Text = None
    # INAPROC: province and regency of the work.
    provinsi: Text = None
    kabkota: Text = None


class Attempt(SpseRecord):
    """What the lists of announced and of finished attempts have in common."""

    kd_pkt_dce: Code = None
    kd_rup: RupCodes = ()
    nama_paket: Text = None
    pagu: AmountOrMissing = None
    hps: AmountOrMissing = None
    sumber_dana: Codes = ()
    kualifikasi_paket: Text = None
    jenis_pengadaan: Text = None
    mtd_pemilihan: Text = None
    kontrak_pembayaran: Text = None
    tgl_buat_paket: LocalTime = None
    url_lpse: Text = None
    mak: Codes = ()


# --- tenders ------------------------------------------------------------------------------------------------------


class TenderPengumuman(Attempt):
    """A tender attempt, as announced. `kd_pkt_dce` is the package, `kd_tender` the attempt."""

    kd_tender: OwnCode
    list_tahun_anggaran: Codes = ()
    mtd_evaluasi: Text = None
    mtd_kualifikasi: Text = None
    status_tender: Text = None
    tanggal_status: LocalTime = None  # the date of the extraction, not of the status
    versi_tender: Count = None
    ket_ditutup: Text = None
    ket_diulang: Text = None
    tgl_kolektif_kolegial: LocalTime = None
    tgl_pengumuman_tender: LocalTime = None
    nip_ppk: Personal[Text] = None
    nama_ppk: Personal[Text] = None
    nip_pokja: Personal[Text] = None
    nama_pokja: Personal[Text] = None
    lokasi_pekerjaan: Text = None
    kontrak_tahun: Text = None  # before 2023, empty in all rows seen
    jenis_kontrak: Text = None  # before 2023, empty in all rows seen


class TenderSelesai(Attempt):
    """A finished tender: budget codes and the date of the award, no winner."""

    kd_tender: OwnCode
    mtd_evaluasi: Text = None
    mtd_kualifikasi: Text = None
    status_tender: Text = None
    tgl_pengumuman_tender: LocalTime = None
    tgl_penetapan_pemenang: LocalTime = None


class TenderSelesaiNilai(SpseRecord, SupplierRecord):
    """A tender's winner and amounts. `kd_paket` is the others' `kd_pkt_dce`; `kd_satker` holds the dotted code.

    The list of finished tenders of before 2023 is this one with a budget code, a row for each of them.
    """

    kd_tender: OwnCode
    kd_paket: Code = None
    kd_rup_paket: RupCodes = ()
    psr_id: Code = None  # INAPROC: the winner's bidder id
    pagu: AmountOrMissing = None
    hps: AmountOrMissing = None
    nilai_penawaran: AmountOrMissing = None
    nilai_terkoreksi: AmountOrMissing = None
    nilai_negosiasi: AmountOrMissing = None
    nilai_kontrak: AmountOrMissing = None
    nilai_pdn_kontrak: Amount = None
    nilai_umk_kontrak: Amount = None
    mak: Codes = ()
    lokasi_pekerjaan: Text = None  # INAPROC only
    tgl_pengumuman_tender: LocalTime = None
    tgl_penetapan_pemenang: LocalTime = None


class PesertaTender(SpseRecord, SupplierRecord):
    """A registrant of a tender; those who bid have `nilai_penawaran`, which others give as null or 0."""

    kd_tender: OwnCode
    kd_pkt_dce: Code = None
    kd_peserta: Code = None
    nilai_penawaran: AmountOrMissing = None
    nilai_terkoreksi: AmountOrMissing = None
    pemenang: Flag = None
    pemenang_terverifikasi: Flag = None
    alasan: Text = None


class Jadwal(SpseRecord):
    """A planned stage of an attempt."""

    kd_tahapan: Code = None
    nama_tahapan: Text = None
    kd_akt: Code = None
    nama_akt: Text = None
    dtj_id: Code = None  # INAPROC only: the stage's own number
    tgl_awal: LocalTime = None
    tgl_akhir: LocalTime = None


class JadwalTahapanTender(Jadwal):
    """A planned stage of a tender."""

    kd_tender: OwnCode


# --- contracts: the same four lists for tenders and non-tenders -----------------------------------------------------


class Ekontrak(SpseRecord):
    """What the contract documents of a tender or non-tender have in common."""

    alamat_satker: Text = None
    nama_paket: Text = None
    mtd_pengadaan: Text = None  # non-tenders only
    no_sppbj: Reference = None
    nip_ppk: Personal[Text] = None
    nama_ppk: Personal[Text] = None
    jabatan_ppk: Text = None
    nama_penyedia: Text = None
    npwp_penyedia: Personal[Text] = None
    npwp_penyedia_16: Personal[Text] = None
    status_kontrak: Text = None
    tgl_penetapan_status_kontrak: LocalTime = None
    alasan_penetapan_status_kontrak: Text = None
    apakah_addendum: Flag = None
    versi_addendum: Count = None
    alasan_addendum: Text = None

    @property
    def office(self) -> Office:
        """With its address."""
        return super().office._replace(address=self.alamat_satker)


class Sppbj(Ekontrak):
    """Letter that appoints the provider (surat penunjukan penyedia barang/jasa)."""

    lampiran_sppbj: Text = None
    tgl_sppbj: LocalTime = None
    kota_sppbj: Text = None
    harga_final: AmountOrMissing = None
    nilai_jaminan_pelaksanaan: Amount = None
    masa_berlaku_jaminan: Count = None


class Kontrak(Ekontrak, SupplierRecord):
    """A contract or one version of it after an addendum.

    INAPROC has a row for each attempt: without `no_kontrak` there is no contract yet, at most an SPPBJ (`no_sppbj`).
    """

    no_kontrak: Reference = None
    # INAPROC: its own numbers of the contract (kontrak_id, of a small one spk_id) and of the letter.
    kontrak_id: Code = None
    spk_id: Code = None
    sppbj_id: Code = None
    lingkup_pekerjaan: Text = None  # HTML
    tgl_kontrak: LocalTime = None
    tgl_kontrak_awal: LocalTime = None
    tgl_kontrak_akhir: LocalTime = None
    kota_kontrak: Text = None
    no_sk_ppk: Text = None
    bentuk_usaha_penyedia: Text = None
    tipe_penyedia: Text = None
    anggota_kso: Personal[Text] = None
    wakil_sah_penyedia: Personal[Text] = None
    jabatan_wakil_penyedia: Text = None
    nama_rek_bank: Personal[Text] = None
    no_rek_bank: Personal[Text] = None
    nama_pemilik_rek_bank: Personal[Text] = None
    nilai_kontrak: AmountOrMissing = None
    nilai_pdn_kontrak: Amount = None
    nilai_umk_kontrak: Amount = None
    alasan_ubah_nilai_kontrak: Text = None
    alasan_nilai_kontrak_10_persen: Text = None
    jenis_kontrak: Text = None
    informasi_lainnya: Text = None


class SpmkSpp(Ekontrak):
    """Order to start the work (SPMK) or to deliver (SPP)."""

    no_kontrak: Reference = None
    tgl_kontrak: LocalTime = None
    no_spmk_spp: Reference = None
    tgl_spmk_spp: LocalTime = None
    tgl_mulai_pekerjaan: LocalTime = None
    tgl_selesai_pekerjaan: LocalTime = None
    waktu_penyelesaian: Text = None
    kota_spmk_spp: Text = None
    alamat_pengiriman: Personal[Text] = None
    alamat_penyedia: Personal[Text] = None
    wakil_sah_penyedia: Personal[Text] = None
    jabatan_wakil_penyedia: Text = None


class BapBast(Ekontrak):
    """A payment certificate (BAP) or a handover certificate (BAST) of a contract."""

    no_kontrak: Reference = None
    tgl_kontrak: LocalTime = None
    lingkup_pekerjaan: Text = None
    nilai_kontrak: AmountOrMissing = None
    no_sk_ppk: Text = None
    jabatan_penandatangan_sk: Text = None
    alamat_penyedia: Personal[Text] = None
    wakil_sah_penyedia: Personal[Text] = None
    jabatan_wakil_penyedia: Text = None
    no_bast: Reference = None
    tgl_bast: LocalTime = None
    no_bap: Reference = None
    tgl_bap: LocalTime = None
    besar_pembayaran: Amount = None
    progres_pekerjaan: Percent = None
    cara_pembayaran_kontrak: Text = None

    @model_validator(mode="after")
    def _names_a_document(self) -> Self:
        # A tender's list has been seen to hold another service's rows.
        if not (self.no_kontrak or self.no_bap or self.no_bast):
            raise ValueError("names no contract (no_kontrak) and no certificate (no_bap, no_bast): not a BAP/BAST row")
        return self


class TenderEkontrakSppbj(Sppbj):
    """Appointment letter of a tender."""

    kd_tender: OwnCode


class TenderEkontrakKontrak(Kontrak):
    """Contract of a tender."""

    kd_tender: OwnCode


class TenderEkontrakSpmkSpp(SpmkSpp):
    """Start or delivery order of a tender's contract."""

    kd_tender: OwnCode


class TenderEkontrakBapBast(BapBast):
    """Payment or handover certificate of a tender's contract."""

    kd_tender: OwnCode


# --- non-tenders (direct procurement, direct appointment) -----------------------------------------------------------


class NonTenderPengumuman(Attempt):
    """A non-tender attempt, as announced."""

    kd_nontender: OwnCode
    status_nontender: Text = None
    versi_nontender: Count = None
    ket_ditutup: Text = None
    ket_diulang: Text = None
    tgl_kolektif_kolegial: LocalTime = None
    tgl_pengumuman_nontender: LocalTime = None
    nip_nama_ppk: Personal[Text] = None
    nip_nama_pp: Personal[Text] = None
    nip_nama_pokja: Personal[Text] = None
    repeat_order: Flag = None
    lokasi_pekerjaan: Text = None


class NonTenderSelesai(Attempt, SupplierRecord):
    """A finished non-tender: winner and amounts."""

    kd_nontender: OwnCode
    lpse_id: Code = None
    nip_nama_ppk: Personal[Text] = None
    nip_nama_pp: Personal[Text] = None
    nip_nama_pokja: Personal[Text] = None
    lokasi_pekerjaan: Text = None
    nilai_penawaran: AmountOrMissing = None
    nilai_terkoreksi: AmountOrMissing = None
    nilai_negosiasi: AmountOrMissing = None
    nilai_kontrak: AmountOrMissing = None
    nilai_pdn_kontrak: Amount = None
    nilai_umk_kontrak: Amount = None
    status_nontender: Text = None
    tgl_pengumuman_nontender: LocalTime = None
    tgl_selesai_nontender: LocalTime = None
    tgl_penarikan: LocalTime = None


class JadwalTahapanNonTender(Jadwal):
    """A planned stage of a non-tender."""

    kd_nontender: OwnCode


class NonTenderEkontrakSppbj(Sppbj):
    """Appointment letter of a non-tender."""

    kd_nontender: OwnCode


class NonTenderEkontrakKontrak(Kontrak):
    """Contract of a non-tender."""

    kd_nontender: OwnCode


class NonTenderEkontrakSpmkSpp(SpmkSpp):
    """Start or delivery order of a non-tender's contract."""

    kd_nontender: OwnCode


class NonTenderEkontrakBapBast(BapBast):
    """Payment or handover certificate of a non-tender's contract."""

    kd_nontender: OwnCode


# --- recorded purchases and self-managed work ------------------------------------------------------------------------


class Pencatatan(SpseRecord):
    """What recorded purchases and recorded self-managed work have in common."""

    kd_pkt_dce: Code = None
    kd_rup: RupCodes = ()
    nama_paket: Text = None
    pagu: AmountOrMissing = None
    total_realisasi: Amount = None
    nilai_pdn_pct: Amount = None
    nilai_umk_pct: Amount = None
    sumber_dana: Codes = ()
    uraian_pekerjaan: Text = None  # HTML
    informasi_lainnya: Text = None
    alasan_pembatalan: Text = None
    nip_ppk: Personal[Text] = None
    nama_ppk: Personal[Text] = None
    tgl_buat_paket: LocalTime = None
    tgl_mulai_paket: LocalTime = None
    tgl_selesai_paket: LocalTime = None


class PencatatanNonTender(Pencatatan):
    """A purchase made outside SPSE and recorded in it."""

    kd_nontender_pct: OwnCode
    kategori_pengadaan: Text = None
    mtd_pemilihan: Text = None
    bukti_pembayaran: Text = None
    status_nontender_pct: Text = None
    status_nontender_pct_ket: Text = None


class PencatatanNonTenderRealisasi(SpseRecord):
    """A payment of a recorded purchase, or the paper that agrees it; repeated for each `kd_rup_paket` of the purchase,
    where the list names them."""

    kd_nontender_pct: OwnCode
    kd_paket_dce: Code = None
    kd_rup_paket: RupCodes = ()
    nama_paket: Text = None
    pagu: AmountOrMissing = None
    kategori_pengadaan: Text = None
    mtd_pemilihan: Text = None
    jenis_realisasi: Text = None
    no_realisasi: Reference = None
    tgl_realisasi: LocalTime = None
    nilai_realisasi: Amount = None
    dok_realisasi: Text = None
    ket_realisasi: Text = None
    nama_penyedia: Text = None
    npwp_penyedia: Personal[Text] = None
    npwp_penyedia_16: Personal[Text] = None
    nip_ppk: Personal[Text] = None
    nama_ppk: Personal[Text] = None


class PencatatanSwakelola(Pencatatan):
    """Self-managed work recorded in SPSE. Here `kd_satker` may be SIRUP's."""

    kd_swakelola_pct: OwnCode
    tipe_swakelola: Code = None
    tipe_swakelola_nama: Text = None
    status_swakelola_pct: Text = None
    status_swakelola_pct_ket: Text = None


class PencatatanSwakelolaRealisasi(SpseRecord):
    """A payment of recorded self-managed work. `nama_pelaksana` is an office, a firm or a person."""

    kd_swakelola_pct: OwnCode
    rsk_id: Code = None  # INAPROC only: the row's own number
    jenis_realisasi: Text = None
    no_realisasi: Reference = None
    tgl_realisasi: LocalTime = None
    nilai_realisasi: Amount = None
    dok_realisasi: Text = None
    ket_realisasi: Text = None
    nama_pelaksana: Text = None
    npwp_pelaksana: Personal[Text] = None
    nip_ppk: Personal[Text] = None  # an int of 18 digits here
    nama_ppk: Personal[Text] = None


# --- e-catalogue and online shops ------------------------------------------------------------------------------------


class PaketEPurchasingV6(LkppRecord):
    """An order in e-catalogue v6: one row per order, which may hold many products."""

    kd_paket: OwnCode
    jenis_instansi: Text = None
    nama_instansi: Text = None
    kd_rup: RupCodes = ()
    rup_nama_pkt: Text = None
    rup_desc: Text = None  # INAPROC only
    product_ids: Codes = ()
    sumber_dana: Codes = ()
    mak: Codes = ()
    kd_penyedia_v6: Code = None
    kd_penyedia_sikap: Code = None  # 0 where the supplier is not in SIKaP
    is_swasta: Flag = None  # INAPROC only
    flag_minikom: Flag = None  # INAPROC only: bought by a mini-competition (inferred)
    jml_jenis_produk: Count = None
    jml_produk: Quantity = None
    ongkir: Amount = None
    total_harga: Amount = None
    tgl_order: LocalTime = None
    last_update_date: LocalTime = None  # INAPROC only
    status_pkt: Text = None
    status_pengiriman: Text = None


class PaketEPurchasing(LkppRecord):
    """A product of an order in e-catalogue v5: one row per product, the order's fields repeated.

    `total` is the order's amount: the sum of `total_harga` of all its rows, equal ones included.
    """

    kd_paket: OwnCode
    no_paket: Reference = None
    nama_paket: Text = None
    kd_rup: RupCodes = ()
    satker_id: Code = None
    alamat_satker: Text = None
    npwp_satker: Personal[Text] = None
    kode_anggaran: Codes = ()
    nama_sumber_dana: Codes = ()
    kd_komoditas: Code = None
    kd_produk: Code = None
    kd_paket_produk: Code = None
    kd_penyedia: Code = None
    kd_penyedia_distributor: Code = None
    nama_komoditas: Text = None
    jenis_katalog: Text = None
    nama_instansi_katalog: Text = None
    jml_jenis_produk: Count = None
    total: Amount = None
    kuantitas: Quantity = None
    harga_satuan: Amount = None
    ongkos_kirim: SignedAmount = None  # below 0 where it is a discount
    total_harga: Amount = None
    kd_provinsi_wilayah_harga: Code = None
    kd_kabupaten_wilayah_harga: Code = None
    deskripsi: Text = None
    catatan_produk: Text = None
    status_paket: Text = None
    paket_status_str: Text = None
    tanggal_buat_paket: LocalTime = None
    tanggal_edit_paket: LocalTime = None
    kd_user_pokja: Personal[Code] = None
    email_user_pokja: Personal[Text] = None
    no_telp_user_pokja: Personal[Text] = None
    kd_user_ppk: Personal[Code] = None
    email_user_ppk: Personal[Text] = None
    no_telp_user_ppk: Personal[Text] = None
    ppk_nip: Personal[Text] = None
    jabatan_ppk: Text = None

    @property
    def office(self) -> Office:
        """With its address."""
        return super().office._replace(address=self.alamat_satker)


class TokoDaringRealisasi(LkppRecord):
    """A line of an order in an online shop (Bela Pengadaan, Toko Daring). It names no RUP."""

    order_id: OwnCode
    tahun: Count = None
    order_desc: Text = None
    valuasi: Amount = None
    kategori: Text = None
    metode_bayar: Text = None
    tanggal_transaksi: LocalTime = None
    marketplace: Text = None
    merchant_name: Text = None
    jenis_transaksi: Text = None
    kota_kab: Text = None
    provinsi: Text = None
    nama_pemesan: Personal[Text] = None
    status_verif: Text = None
    sumber_data: Text = None
    status_konfirmasi_ppmse: Text = None
    keterangan_ppmse: Text = None

    @property
    def office(self) -> Office:
        """SIRUP's number of the office stands here instead of its code; older lists have no fiscal year."""
        year = self.tahun or (int(self.tanggal_transaksi[:4]) if self.tanggal_transaksi else None)
        return super().office._replace(number=self.kd_satker, year=year)


class InstansiSatker(LkppRecord):
    """An office, as e-catalogue knows it."""

    kd_satker: OwnCode


class EcatMasterKabKota(SourceRecord):
    """A regency or city, in e-catalogue's codes."""

    kd_kabupaten: OwnCode
    kd_provinsi: Code = None
    nama_kabupaten: Text = None


class EcatMasterProvinsi(SourceRecord):
    """A province, in e-catalogue's codes."""

    kd_provinsi: OwnCode
    nama_provinsi: Text = None


# Inferred: INAPROC's examples use ISB's names; `kode_klpd` is seen in e-catalogue v6 and as its query parameter.
_ALIASES = {"kode_klpd": "kd_klpd"}
# The 16-digit tax number has three spellings in ISB itself.
_NPWP = {"npwp16_penyedia": "npwp_penyedia_16", "npwp_16_penyedia": "npwp_penyedia_16"}
_TENDER = {**_ALIASES, **_NPWP}
# ISB's names before 2023 (`sources.md`, 9.2).
_BEFORE_2023 = {
    "ang": "sumber_dana",
    "anggaran": "sumber_dana",
    "kategori_pengadaan": "jenis_pengadaan",
    "kd_paket": "kd_pkt_dce",
    "kd_rup_paket": "kd_rup",
    "kode_mak": "mak",
    "metode_pengadaan": "mtd_pemilihan",
    "tanggal_buat_paket": "tgl_buat_paket",
}
_TENDER_BEFORE_2023 = {
    **_BEFORE_2023,
    "nama_status_tender": "status_tender",
    "tanggal_pengumuman_tender": "tgl_pengumuman_tender",
}
_NONTENDER_BEFORE_2023 = {
    **_BEFORE_2023,
    "nama_status_nontender": "status_nontender",
    "tanggal_pengumuman_nontender": "tgl_pengumuman_nontender",
}
# INAPROC's non-tender contracts call their id `kd_tender`.
_NONTENDER = {**_TENDER, "kd_tender": "kd_nontender"}

_ATTEMPT_AGAIN = {"lls_id": "kd_nontender again"}

# What most lists of LKPP have in common.
_list = partial(Service, volatile=VOLATILE, aliases=_ALIASES, observed_field="_event_date")

SERVICES: tuple[Service, ...] = (
    _list(
        "SPSE-TenderPengumuman",
        TenderPengumuman,
        key=("kd_tender",),
        kind="tender",
        volatile=VOLATILE | {"tanggal_status", "max_lls_auditupdate"},
        sets=frozenset({"kd_rup", "list_tahun_anggaran", "sumber_dana", "nip_pokja", "nama_pokja", "mak"}),
        aliases={**_ALIASES, **_TENDER_BEFORE_2023},
        ignored={
            "kgr_id": "SPSE's number of what kgr_nama names",
            "kgr_nama": "jenis_pengadaan again",
            "max_lls_auditupdate": "when somebody last edited the attempt in SPSE, whatever it was",
        },
    ),
    _list(
        "SPSE-TenderSelesai",
        TenderSelesai,
        key=("kd_tender",),
        kind="tender",
        sets=frozenset({"kd_rup", "mak", "sumber_dana"}),
        aliases={**_ALIASES, **_TENDER_BEFORE_2023, "tanggal_penetapan_pemenang": "tgl_penetapan_pemenang"},
        ignored=dict.fromkeys(
            (
                "nilai_penawaran",
                "nilai_terkoreksi",
                "nilai_negosiasi",
                "nilai_kontrak",
                "nilai_pdn",
                "kd_penyedia",
                "nama_penyedia",
                "npwp_penyedia",
            ),
            "rows of before 2023 with a winner are those of SPSE-TenderSelesaiNilai",
        ),
    ),
    _list(
        "SPSE-TenderSelesaiNilai",
        TenderSelesaiNilai,
        key=("kd_tender",),
        kind="tender",
        sets=frozenset({"kd_rup_paket", "mak"}),
        aliases={**_TENDER, "nilai_pdn": "nilai_pdn_kontrak", "kode_mak": "mak"},
    ),
    _list("SPSE-PesertaTender", PesertaTender, key=("kd_tender", "kd_peserta"), kind="tender", aliases=_TENDER),
    _list(
        "SPSE-JadwalTahapanTender",
        JadwalTahapanTender,
        key=("kd_tender", "kd_akt", "dtj_id"),
        optional_key=frozenset({"dtj_id"}),
        kind="tender",
    ),
    _list(
        "SPSE-TenderEkontrak-1SPPBJ", TenderEkontrakSppbj, key=("kd_tender", "no_sppbj"), kind="tender", aliases=_TENDER
    ),
    _list(
        "SPSE-TenderEkontrak-2Kontrak",
        TenderEkontrakKontrak,
        key=("kd_tender", "no_kontrak", "versi_addendum"),
        kind="tender",
        aliases=_TENDER,
    ),
    _list(
        "SPSE-TenderEkontrak-3SPMKSPP",
        TenderEkontrakSpmkSpp,
        key=("kd_tender", "no_kontrak", "no_spmk_spp"),
        kind="tender",
        aliases=_TENDER,
    ),
    _list(
        "SPSE-TenderEkontrak-4BAPBAST",
        TenderEkontrakBapBast,
        key=("kd_tender", "no_kontrak", "no_bap", "no_bast"),
        kind="tender",
        aliases=_TENDER,
    ),
    _list(
        "SPSE-NonTenderPengumuman",
        NonTenderPengumuman,
        key=("kd_nontender",),
        kind="nontender",
        sets=frozenset({"kd_rup", "mak", "sumber_dana", "nip_nama_pokja"}),
        aliases={**_ALIASES, **_NONTENDER_BEFORE_2023},
        ignored=_ATTEMPT_AGAIN,
    ),
    _list(
        "SPSE-NonTenderSelesai",
        NonTenderSelesai,
        key=("kd_nontender",),
        kind="nontender",
        sets=frozenset({"kd_rup", "mak", "sumber_dana", "nip_nama_pokja"}),
        aliases={**_TENDER, **_NONTENDER_BEFORE_2023, "tanggal_selesai_nontender": "tgl_selesai_nontender"},
        observed_field="tgl_penarikan",
        ignored={**_ATTEMPT_AGAIN, "kontrak_id": "SPSE's number of the contract, which the list of contracts names"},
    ),
    _list(
        "SPSE-JadwalTahapanNonTender",
        JadwalTahapanNonTender,
        key=("kd_nontender", "kd_akt", "dtj_id"),
        optional_key=frozenset({"dtj_id"}),
        kind="nontender",
    ),
    _list(
        "SPSE-NonTenderEkontrak-1SPPBJ",
        NonTenderEkontrakSppbj,
        key=("kd_nontender", "no_sppbj", "versi_addendum"),
        kind="nontender",
        aliases=_NONTENDER,
    ),
    _list(
        "SPSE-NonTenderEkontrak-2Kontrak",
        NonTenderEkontrakKontrak,
        key=("kd_nontender", "no_kontrak", "versi_addendum"),
        kind="nontender",
        aliases=_NONTENDER,
    ),
    _list(
        "SPSE-NonTenderEkontrak-3SPMKSPP",
        NonTenderEkontrakSpmkSpp,
        key=("kd_nontender", "no_kontrak", "no_spmk_spp"),
        kind="nontender",
        aliases=_NONTENDER,
    ),
    _list(
        "SPSE-NonTenderEkontrak-4BAPBAST",
        NonTenderEkontrakBapBast,
        key=("kd_nontender", "no_kontrak", "no_bap", "no_bast", "tgl_bap"),
        optional_key=frozenset({"tgl_bap"}),
        kind="nontender",
        aliases=_NONTENDER,
    ),
    _list(
        "SPSE-PencatatanNonTender",
        PencatatanNonTender,
        key=("kd_nontender_pct",),
        kind="pencatatan",
        sets=frozenset({"kd_rup", "sumber_dana"}),
    ),
    _list(
        "SPSE-PencatatanNonTenderRealisasi",
        PencatatanNonTenderRealisasi,
        key=("kd_nontender_pct",),
        keyless=True,
        essential=frozenset({"nilai_realisasi"}),
        kind="pencatatan",
        sets=frozenset({"kd_rup_paket"}),
        aliases=_TENDER,
    ),
    _list(
        "SPSE-PencatatanSwakelola",
        PencatatanSwakelola,
        key=("kd_swakelola_pct",),
        kind="swakelola",
        sets=frozenset({"kd_rup", "sumber_dana"}),
    ),
    _list(
        "SPSE-PencatatanSwakelolaRealisasi",
        PencatatanSwakelolaRealisasi,
        key=("kd_swakelola_pct", "rsk_id"),
        keyless=True,
        optional_key=frozenset({"rsk_id"}),
        essential=frozenset({"nilai_realisasi"}),
        kind="swakelola",
        ignored={"rn_id": "rsk_id again"},
    ),
    _list(
        "Ecat-PaketEPurchasingV6",
        PaketEPurchasingV6,
        key=("kd_paket",),
        essential=frozenset({"total_harga"}),
        kind="ecat",
        sets=frozenset({"kd_rup", "product_ids", "sumber_dana", "mak"}),
        aliases={
            **_ALIASES,
            "fiscal_year": "tahun_anggaran",
            "order_id": "kd_paket",
            "product_id": "product_ids",
            "kode_penyedia": "kd_penyedia_v6",
            "rekan_id": "kd_penyedia_sikap",  # inferred
            "status": "status_pkt",
            "shipment_status": "status_pengiriman",
            "kode_satker": "kd_satker_str",
            "rup_code": "kd_rup",
            "rup_name": "rup_nama_pkt",
            "funding_source": "sumber_dana",
            "count_product": "jml_jenis_produk",
            "total_qty": "jml_produk",
            "shipping_fee": "ongkir",
            "total": "total_harga",
            "order_date": "tgl_order",
        },
    ),
    _list(
        "Ecat-PaketEPurchasing",
        PaketEPurchasing,
        key=("kd_paket",),
        keyless=True,
        essential=frozenset({"total_harga"}),
        kind="ecat",
        sets=frozenset({"kd_rup", "kode_anggaran", "nama_sumber_dana"}),
    ),
    _list(
        "Bela-TokoDaringRealisasi",
        TokoDaringRealisasi,
        key=("order_id",),
        essential=frozenset({"valuasi"}),
        kind="tokodaring",
        aliases={**_ALIASES, "nama_merchant": "merchant_name"},
    ),
    _list("Ecat-InstansiSatker", InstansiSatker, key=("kd_satker",)),
    Service("Ecat-MasterKabKota", EcatMasterKabKota, key=("kd_kabupaten",), yearly=False),
    Service("Ecat-MasterProvinsi", EcatMasterProvinsi, key=("kd_provinsi",), yearly=False),
)
"""Every list that SPSE, the e-catalogue and the online shops publish and Jejak reads, in the order to read them."""
