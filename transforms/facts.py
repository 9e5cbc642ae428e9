"""What analysts ask of rows and an OCDS document has no place for: columns of `warehouse.tables`, by field of the row.

Each table here reads: column, and the fields that hold it, the first that a row has and fills. Texts are scrubbed,
lists are joined, times stay local.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from transforms import mak
from transforms.mapping import Body
from transforms.parties import scrub

Fields = Mapping[str, tuple[str, ...]]

ATTEMPT: Fields = {
    "package": ("kd_pkt_dce",),
    "version": ("versi_tender", "versi_nontender"),
    "closed_reason": ("ket_ditutup", "alasan_pembatalan"),
    "repeated_reason": ("ket_diulang",),
    "pagu": ("pagu",),
    "evaluation": ("mtd_evaluasi",),
    "qualification": ("mtd_kualifikasi",),
    "business_size": ("kualifikasi_paket",),
    "contract_type": ("kontrak_pembayaran",),
    "category_details": ("jenis_pengadaan", "kategori_pengadaan"),
    "funds": ("sumber_dana", "nama_sumber_dana"),
    "swakelola_type": ("tipe_swakelola",),
    "created_at": ("tgl_buat_paket", "tgl_order", "tanggal_buat_paket", "tanggal_transaksi"),
    "announced_at": ("tgl_pengumuman_tender", "tgl_pengumuman_nontender"),
    "decided_at": ("tgl_penetapan_pemenang",),
    "schedule_end": ("tgl_selesai_nontender",),
    "work_start": ("tgl_mulai_paket",),
    "work_end": ("tgl_selesai_paket",),
    "place": ("lokasi_pekerjaan",),
    "regency": ("kabkota", "kota_kab"),
    "province": ("provinsi",),
    "repeat_order": ("repeat_order",),
    "product_kinds": ("jml_jenis_produk",),
    "quantity": ("jml_produk",),
    "shipping": ("ongkir",),
    "delivery_status": ("status_pengiriman",),
    "marketplace": ("marketplace",),
    "payment_method": ("metode_bayar",),
    "verification": ("status_verif",),
}
PLAN: Fields = {
    "title": ("nama_paket",),
    "status_details": ("status_umumkan_rup",),
    "method_details": ("metode_pengadaan",),
    "category_details": ("jenis_pengadaan",),
    "swakelola_type": ("tipe_swakelola",),
    "volume": ("volume_pekerjaan",),
    "created_at": ("tgl_buat_paket",),
    "announced_at": ("tgl_pengumuman_paket",),
    "selection_start": ("tgl_awal_pemilihan",),
    "selection_end": ("tgl_akhir_pemilihan",),
    "contract_start": ("tgl_awal_kontrak", "tgl_awal_pelaksanaan_kontrak"),
    "contract_end": ("tgl_akhir_kontrak", "tgl_akhir_pelaksanaan_kontrak"),
    "use_start": ("tgl_awal_pemanfaatan",),
    "use_end": ("tgl_akhir_pemanfaatan",),
    "domestic_products": ("status_pdn",),
    "small_enterprises": ("status_ukm",),
    "not_small_reason": ("alasan_non_ukm",),
    "before_budget": ("status_pradipa",),
    "consolidation": ("status_konsolidasi",),
    "package_type": ("tipe_paket",),
    "exempt": ("status_dikecualikan",),
    "exempt_reason": ("alasan_dikecualikan",),
    "inside_swakelola": ("kd_rup_swakelola",),
    "first_year_rup": ("kode_rup_tahun_pertama",),
    "economic_aspect": ("spp_aspek_ekonomi",),
    "social_aspect": ("spp_aspek_sosial",),
    "environmental_aspect": ("spp_aspek_lingkungan",),
    "organiser": ("nama_satker_penyelenggara",),
    "organiser_institution": ("nama_klpd_penyelenggara",),
}
BID: Fields = {
    "corrected_value": ("nilai_terkoreksi",),
    "won": ("pemenang",),
    "verified": ("pemenang_terverifikasi",),
    "reason": ("alasan",),
}
AWARD: Fields = {
    "offered": ("nilai_penawaran",),
    "corrected": ("nilai_terkoreksi",),
    "negotiated": ("nilai_negosiasi",),
    "contract_value": ("nilai_kontrak",),
    "local_content_value": ("nilai_pdn_kontrak",),
    "micro_enterprise_value": ("nilai_umk_kontrak",),
}
CONTRACT: Fields = {
    "value_change_reason": ("alasan_ubah_nilai_kontrak",),
    "over_10_percent_reason": ("alasan_nilai_kontrak_10_persen",),
    "contract_type": ("jenis_kontrak",),
}


def columns(table: Fields, record: Any) -> Body:
    """The columns that a row fills."""
    found: Body = {}
    for column, names in _fields(record.__class__, id(table)):
        for name in names:
            value = _plain(getattr(record, name))
            if value is not None:
                found[column] = value
                break
    return found


_TABLES = {id(table): table for table in (ATTEMPT, PLAN, BID, AWARD, CONTRACT)}


@cache
def _fields(model: type[BaseModel], table: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of the columns of a table those that a service's records may fill."""
    known = model.model_fields
    found = ((column, tuple(n for n in names if n in known)) for column, names in _TABLES[table].items())
    return tuple((column, names) for column, names in found if names)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, tuple):
        return scrub(joined(value))
    return value


def account_columns(line: str | None) -> Body:
    """What an account code (mak) gives: its sub-activity in the form that all sources share, and its account."""
    known = mak.canonical(line)
    return {"sub_activity": known and mak.sub_activity(known), "account": mak.account(line)}


def joined(values: Iterable[str]) -> str | None:
    """Distinct texts of a list field, in one order."""
    return "; ".join(sorted(set(values))) or None
