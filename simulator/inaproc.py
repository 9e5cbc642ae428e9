"""INAPROC API v1: its endpoints, and how its rows differ from ISB's.

The names are ISB's except for e-catalogue v6. Endpoints marked as inferred are in no public list; real ones may differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from simulator import lpse
from simulator.facts import NON_TENDER, TENDER, Attempt
from simulator.rendering import Row, listed
from simulator.state import State

ZERO_WIDTH = "\u200b"
"""What real names of institutions and offices end with now and then."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is at INAPROC. `rows` where the answer is more than the service's own rows."""

    service: str
    rows: Callable[[State, int], list[Row]] | None = None
    needs_year: bool = True


def _ekontrak(kind: str) -> Callable[[State, int], list[Row]]:
    return lambda world, year: [
        _nested(world, attempt)
        for attempt in world.attempts
        if attempt.year == year and attempt.kind == kind and attempt.contract
    ]


def _nested(world: State, attempt: Attempt) -> Row:
    """A contract with its start orders and certificates inside; of a non-tender only the package, named `kd_tender`."""
    contract = list(lpse.contracts(world, attempt))[-1]
    starts = list(lpse.orders_to_start(world, attempt))
    # One snapshot, where ISB's answer holds two.
    certificates = {(row["no_bap"], row["no_bast"]): row for row in lpse.certificates(world, attempt)}.values()
    if attempt.kind == NON_TENDER:
        kept = ("tahun_anggaran", "kd_klpd", "alamat_satker", "nama_paket")
        contract = {name: contract[name] for name in kept} | {"kd_tender": attempt.id}
    return contract | {
        "spmkspp_history_json": [
            {name: start[name] for name in _START} | {name: _clock(start[name]) for name in _START_DAYS}
            for start in starts
        ],
        "bapbast_history_json": [{name: row[name] for name in _CERTIFICATE} for row in certificates],
        "penilaian_kinerja_penyedia": [{"indikator_penilaian": "Kualitas", "nilai_indikator": 4}]
        if certificates
        else [],
    }


_START = (
    "no_spmk_spp",
    "tgl_spmk_spp",
    "waktu_penyelesaian",
    "kota_spmk_spp",
    "alamat_pengiriman",
    "wakil_sah_penyedia",
    "jabatan_wakil_penyedia",
)
_START_DAYS = ("tgl_mulai_pekerjaan", "tgl_selesai_pekerjaan")
_CERTIFICATE = (
    "no_bap",
    "tgl_bap",
    "no_bast",
    "tgl_bast",
    "besar_pembayaran",
    "progres_pekerjaan",
    "jabatan_penandatangan_sk",
    "wakil_sah_penyedia",
    "jabatan_wakil_penyedia",
)


def _clock(value: object) -> str:
    """`Jul 3, 2025 12:00:00 AM`, which ISB writes `Jul 3, 2025, 12:00:00AM`."""
    return str(value).replace(", 12:00:00AM", " 12:00:00 AM")


def _catalogue(world: State, year: int) -> list[Row]:
    """E-catalogue v6 under v1's own names."""
    return [
        {
            "kode_klpd": world.kd_klpd,
            "fiscal_year": order.year,
            "order_id": order.id,
            "product_id": listed(world, [product for product, _, _ in order.products], ","),
            "kode_penyedia": order.supplier.ulid,
            "rekan_id": order.supplier.sikap,
            "status": order.status,
            "shipment_status": order.delivery,
            "is_swasta": not order.supplier.person,
            "kode_satker": order.office.code,
            "nama_satker": order.office.name,
            "rup_code": listed(world, order.named, ","),
            "rup_name": order.title,
            "rup_desc": order.title,
            "mak": listed(world, order.maks, ", "),
            "funding_source": listed(world, order.sources, ","),
            "count_product": len(order.products),
            "total_qty": sum(quantity for _, quantity, _ in order.products),
            "shipping_fee": order.shipping,
            "total": order.total,
            "order_date": order.at.isoformat(),
            "last_update_date": (order.at + dt.timedelta(days=3)).isoformat(),
        }
        for order in world.orders
        if order.year == year
    ]


ENDPOINTS: dict[str, Endpoint] = {
    "rup/master-satker": Endpoint("RUP-MasterSatker"),
    "rup/program-master": Endpoint("RUP-ProgramMaster"),
    "rup/paket-penyedia": Endpoint("RUP-PaketPenyedia-Terumumkan"),
    "rup/paket-penyedia-terumumkan": Endpoint("RUP-PaketPenyedia-Terumumkan"),
    "rup/paket-swakelola": Endpoint("RUP-PaketSwakelola-Terumumkan"),
    "rup/paket-swakelola-terumumkan": Endpoint("RUP-PaketSwakelola-Terumumkan"),
    "rup/paket-anggaran-penyedia": Endpoint("RUP-PaketAnggaranPenyedia"),
    "rup/paket-anggaran-swakelola": Endpoint("RUP-PaketAnggaranSwakelola"),
    "rup/history-kaji-ulang": Endpoint("RUP-HistoryKajiUlang"),
    "tender/pengumuman": Endpoint("SPSE-TenderPengumuman"),
    "tender/jadwal-tahapan-tender": Endpoint("SPSE-JadwalTahapanTender"),
    "tender/peserta-tender": Endpoint("SPSE-PesertaTender"),
    "tender/tender-selesai": Endpoint("SPSE-TenderSelesai"),
    "tender/tender-selesai-nilai": Endpoint("SPSE-TenderSelesaiNilai"),
    "tender/tender-ekontrak": Endpoint("SPSE-TenderEkontrak-2Kontrak", _ekontrak(TENDER)),
    "tender/tender-ekontrak-kontrak": Endpoint("SPSE-TenderEkontrak-2Kontrak"),
    "tender/tender-ekontrak-sppbj": Endpoint("SPSE-TenderEkontrak-1SPPBJ"),
    "tender/tender-ekontrak-spmkspp": Endpoint("SPSE-TenderEkontrak-3SPMKSPP"),
    "tender/tender-ekontrak-bapbast": Endpoint("SPSE-TenderEkontrak-4BAPBAST"),
    "tender/non-tender-pengumuman": Endpoint("SPSE-NonTenderPengumuman"),
    "tender/non-tender-selesai": Endpoint("SPSE-NonTenderSelesai"),
    "tender/jadwal-tahapan-non-tender": Endpoint("SPSE-JadwalTahapanNonTender"),
    "tender/non-tender-ekontrak": Endpoint("SPSE-NonTenderEkontrak-2Kontrak", _ekontrak(NON_TENDER)),
    "tender/non-tender-ekontrak-kontrak": Endpoint("SPSE-NonTenderEkontrak-2Kontrak"),
    "tender/pencatatan-non-tender": Endpoint("SPSE-PencatatanNonTender"),
    "tender/pencatatan-non-tender-realisasi": Endpoint("SPSE-PencatatanNonTenderRealisasi"),
    "tender/pencatatan-swakelola": Endpoint("SPSE-PencatatanSwakelola"),
    "tender/pencatatan-swakelola-realisasi": Endpoint("SPSE-PencatatanSwakelolaRealisasi"),
    "ekatalog/paket-e-purchasing": Endpoint("Ecat-PaketEPurchasingV6", _catalogue),
    "ekatalog-archive/paket-e-purchasing": Endpoint("Ecat-PaketEPurchasing"),
    "ekatalog-archive/instansi-satker": Endpoint("Ecat-InstansiSatker", needs_year=False),
}
"""Path below `/api/v1/` or `/api/legacy/` -> what it answers."""

# Fields that v1 writes as full times, by how: T...Z, or a blank and fractions before the Z.
_TIMES = {
    "tgl_buat_paket": "T",
    "tgl_kolektif_kolegial": "T",
    "tgl_mulai_paket": "T",
    "tgl_selesai_paket": "T",
    "tgl_penetapan_pemenang": "T",
    "tanggal_status": "T",
    "tgl_pengumuman_tender": " ",
    "tgl_pengumuman_nontender": " ",
    "tgl_selesai_nontender": " ",
}


def reshaped(row: Row, position: int) -> Row:
    """A row as INAPROC sends it: other shapes of the same times, line ends written out, empty text as null, and in one
    of a few rows a zero-width character after a name, or no institution."""
    shaped: Row = {}
    for name, value in row.items():
        if isinstance(value, str):
            if name in _TIMES and value:
                value = _time(value, _TIMES[name])
            elif name in ("nama_klpd", "nama_satker") and position % 5 == 0:
                value += ZERO_WIDTH
            value = value.replace("\r\n", "\\r\\n") or None
        shaped[name] = value
    if "tgl_selesai_nontender" in row and position % 9 == 0:
        shaped |= {"kd_klpd": None, "nama_klpd": None, "jenis_klpd": None, "kd_satker_str": None}
    return shaped


def _time(value: str, middle: str) -> str:
    day, clock = value[:10], value[11:19] or "00:00:00"
    return f"{day}{middle}{clock}{'.000000' if middle == ' ' else ''}Z"
