"""INAPROC: which of its endpoints answers what, and how its rows differ from ISB's.

v1 answers in an envelope, page by page; `legacy` in bare lists, and alone has some of the services. The names are ISB's
except for e-catalogue v6, without the stamps of the extraction.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from simulator import lpse
from simulator.facts import NON_TENDER, TENDER
from simulator.rendering import Row, listed
from simulator.world import World

ZERO_WIDTH = "\u200b"
"""What real names of institutions and offices end with now and then."""

BOM = b"\xef\xbb\xbf"
# Beyond what a double or a signed integer of 64 bits holds.
_FIRST_ID = 9_228_168_332_519_836_945


# What an endpoint makes of its service's rows for a fiscal year.
Reshape = Callable[[World, int, list[Row]], list[Row]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is at INAPROC. `reshape` where its rows have other fields, or there are more; `whole` where all
    of it comes at once, without `meta`; `marked` where a byte order mark comes first; `code` is what rows are known by,
    where it isn't the service's own field."""

    service: str
    reshape: Reshape | None = None
    whole: bool = False
    marked: bool = False
    code: str | None = None

    def answer(self, world: World, year: int) -> list[Row]:
        """Today's rows for a fiscal year."""
        rows = world.rows(self.service, year)
        return self.reshape(world, year, rows) if self.reshape else rows


def _budgets(key: str) -> Reshape:
    """Budget lines have a key here."""

    def reshape(world: World, year: int, rows: list[Row]) -> list[Row]:
        lines: Counter[int] = Counter()
        found = []
        for row in rows:
            lines[row["kd_rup"]] += 1
            found.append(row | {key: row["kd_rup"] * 100 + lines[row["kd_rup"]], "jenis_dana_apbn": None})
        return found

    return reshape


def _contracts(kind: str) -> Reshape:
    """One row for each attempt at least, with or without a contract, and even without a letter."""
    own_id = "kontrak_id" if kind == TENDER else "spk_id"

    def reshape(world: World, year: int, rows: list[Row]) -> list[Row]:
        ids: Row = {"kontrak_id": None, own_id: None, "sppbj_id": None}
        found = []
        for row in rows:
            number = row[f"kd_{kind}"] // 1000
            found.append(row | ids | {own_id: 7_000_000 + number, "sppbj_id": 5_000_000 + number})
        signed = {row[f"kd_{kind}"] for row in rows}
        empty = dict.fromkeys(rows[0]) if rows else {}
        for attempt in world.attempts:
            if attempt.year == year and attempt.kind == kind and attempt.id not in signed:
                letter = attempt.letter
                row = empty | lpse.contracted(world, attempt) | ids | {"no_sppbj": letter.number if letter else None}
                found.append(row | ({"sppbj_id": 5_000_000 + attempt.id // 1000} if letter else {}))
        return found

    return reshape


def _stages(kind: str) -> Reshape:
    """Stages of a schedule have a key here."""
    return lambda world, year, rows: [
        row | {"dtj_id": row[f"kd_{kind}"] // 1000 * 100 + row["kd_tahapan"] % 100} for row in rows
    ]


def _catalogue(world: World, year: int, rows: list[Row]) -> list[Row]:
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
            "flag_minikom": False,
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


V1: dict[str, Endpoint] = {
    "rup/master-satker": Endpoint("RUP-MasterSatker"),
    "rup/program-master": Endpoint("RUP-ProgramMaster", whole=True),
    "rup/paket-penyedia": Endpoint("RUP-PaketPenyedia-Terumumkan"),
    "rup/paket-penyedia-terumumkan": Endpoint("RUP-PaketPenyedia-Terumumkan"),
    "rup/paket-swakelola": Endpoint("RUP-PaketSwakelola-Terumumkan", whole=True),
    "rup/paket-swakelola-terumumkan": Endpoint("RUP-PaketSwakelola-Terumumkan", whole=True),
    "rup/paket-anggaran-penyedia": Endpoint("RUP-PaketAnggaranPenyedia", _budgets("id_paket_anggaran_penyedia")),
    "rup/paket-anggaran-swakelola": Endpoint("RUP-PaketAnggaranSwakelola", _budgets("id_paket_anggaran_swakelola")),
    "rup/history-kaji-ulang": Endpoint("RUP-HistoryKajiUlang"),
    "tender/pengumuman": Endpoint("SPSE-TenderPengumuman"),
    "tender/jadwal-tahapan-tender": Endpoint("SPSE-JadwalTahapanTender", _stages(TENDER)),
    "tender/peserta-tender": Endpoint("SPSE-PesertaTender"),
    "tender/tender-selesai": Endpoint("SPSE-TenderSelesai"),
    "tender/tender-selesai-nilai": Endpoint("SPSE-TenderSelesaiNilai"),
    "tender/tender-ekontrak-kontrak": Endpoint("SPSE-TenderEkontrak-2Kontrak", _contracts(TENDER)),
    "tender/non-tender-pengumuman": Endpoint("SPSE-NonTenderPengumuman"),
    "tender/non-tender-selesai": Endpoint("SPSE-NonTenderSelesai"),
    "tender/jadwal-tahapan-non-tender": Endpoint("SPSE-JadwalTahapanNonTender", _stages(NON_TENDER)),
    "tender/non-tender-ekontrak-kontrak": Endpoint("SPSE-NonTenderEkontrak-2Kontrak", _contracts(NON_TENDER)),
    "tender/pencatatan-non-tender": Endpoint("SPSE-PencatatanNonTender"),
    "tender/pencatatan-non-tender-realisasi": Endpoint("SPSE-PencatatanNonTenderRealisasi"),
    "tender/pencatatan-swakelola": Endpoint("SPSE-PencatatanSwakelola"),
    "tender/pencatatan-swakelola-realisasi": Endpoint("SPSE-PencatatanSwakelolaRealisasi"),
    "ekatalog/paket-e-purchasing": Endpoint("Ecat-PaketEPurchasingV6", _catalogue, code="order_id"),
    "ekatalog-archive/paket-e-purchasing": Endpoint("Ecat-PaketEPurchasing"),
    "ekatalog-archive/instansi-satker": Endpoint("Ecat-InstansiSatker"),
}
"""Path below `/api/v1/` -> what it answers."""

LEGACY: dict[str, Endpoint] = {
    "rup/master-satker": Endpoint("RUP-MasterSatker"),
    "rup/program-master": Endpoint("RUP-ProgramMaster"),
    "rup/kegiatan-master": Endpoint("RUP-KegiatanMaster"),
    "rup/sub-kegiatan-master": Endpoint("RUP-SubKegiatanMaster", marked=True),
    "rup/paket-swakelola-terumumkan": Endpoint("RUP-PaketSwakelola-Terumumkan"),
    "rup/paket-anggaran-swakelola": Endpoint("RUP-PaketAnggaranSwakelola"),
    "rup/paket-penyedia-lokasi": Endpoint("RUP-PaketPenyediaLokasi", marked=True),
    "rup/paket-swakelola-lokasi": Endpoint("RUP-PaketSwakelolaLokasi"),
    "rup/struktur-anggaran-pd": Endpoint("RUP-StrukturAnggaranPD"),
    **{
        f"tender/{path}-ekontrak-{paper.lower()}": Endpoint(f"SPSE-{kind}Ekontrak-{number}{paper}", marked=number == 4)
        for path, kind in (("tender", "Tender"), ("non-tender", "NonTender"))
        for number, paper in enumerate(("SPPBJ", "Kontrak", "SPMKSPP", "BAPBAST"), 1)
    },
    "tender/tender-selesai": Endpoint("SPSE-TenderSelesai"),
    "tender/tender-selesai-nilai": Endpoint("SPSE-TenderSelesaiNilai"),
    "tender/non-tender-pengumuman": Endpoint("SPSE-NonTenderPengumuman"),
    "tender/non-tender-selesai": Endpoint("SPSE-NonTenderSelesai"),
    "tender/jadwal-tahapan-non-tender": Endpoint("SPSE-JadwalTahapanNonTender"),
    "tender/pencatatan-non-tender": Endpoint("SPSE-PencatatanNonTender"),
    "tender/pencatatan-non-tender-realisasi": Endpoint("SPSE-PencatatanNonTenderRealisasi"),
    "ekatalog/paket-e-purchasing": Endpoint("Ecat-PaketEPurchasingV6"),
    "ekatalog-archive/instansi-satker": Endpoint("Ecat-InstansiSatker"),
    "bela/toko-daring-realisasi": Endpoint("Bela-TokoDaringRealisasi"),
}
"""Path below `/api/legacy/` -> what it answers."""


def write_cursor(offset: int, page: int) -> str:
    """The cursor to a page that begins after `offset` rows."""
    return base64.b64encode(json.dumps({"id": _FIRST_ID + page * 10**7 + offset}).encode()).decode()


def read_cursor(cursor: str) -> tuple[int, int]:
    """Offset and number of the page that a cursor leads to. Raises ValueError for what `write_cursor` didn't write."""
    try:
        position = int(json.loads(base64.b64decode(cursor, validate=True))["id"]) - _FIRST_ID
    except (KeyError, TypeError) as error:
        raise ValueError("no cursor") from error
    page, offset = divmod(position, 10**7)
    if page < 1:
        raise ValueError("no cursor")
    return offset, page


# Fields that INAPROC writes as full times, by how: T...Z, or a blank and fractions before the Z.
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
_STAMPS = ("_event_date", "_inserted_date")


def reshaped(row: Row, position: int) -> Row:
    """A row as INAPROC sends it: without stamps of the extraction, NIP and bank accounts masked, other shapes of the
    same times, line ends written out, empty text as null, and in one of a few rows a zero-width character after a name,
    or no institution."""
    shaped: Row = {}
    for name, value in row.items():
        if name in _STAMPS:
            continue
        if value is not None and ("nip" in name.split("_") or name == "no_rek_bank"):
            value = re.sub(r"\d(?=\d{3})", "*", str(value))
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
