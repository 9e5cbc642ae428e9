"""The ten questions on real rows, each beside an answer worked out from the raw files by other means.

The files are not part of this repository; `JEJAK_REAL_DATA` names their folder, by default `../shared/data` beside it.
"""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reports.review.sheets import write_sheets
from tests import counts
from tests import questions_by_hand as hand
from tests.counts import DATA, FOLDERS, REPOSITORY, warehouse_of
from tests.databases import on_postgresql
from tests.test_marts import asked_of_both
from tests.test_review import lead_back, read, spread
from warehouse.engine import open_warehouse, reading
from warehouse.questions import QUESTIONS
from warehouse.tables import DIMENSIONS, MASTERS, STAR

pytestmark = pytest.mark.skipif(
    not all((DATA / name).is_dir() for name in FOLDERS.values()),
    reason="no folders of real rows; name their parent in JEJAK_REAL_DATA",
)


@pytest.fixture(scope="session")
def real_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


@pytest.fixture(params=FOLDERS)
def synced(request: pytest.FixtureRequest, real_place: Path) -> tuple[Path, Engine]:
    """A folder of real rows and its warehouse."""
    return DATA / FOLDERS[request.param], open_warehouse(warehouse_of(request.param, real_place))


@cache
def read_by_hand(folder: Path) -> hand.Folder:
    return hand.Folder(folder)


@pytest.fixture
def answers(synced: tuple[Path, Engine]) -> tuple[hand.Folder, Engine]:
    folder, engine = synced
    return read_by_hand(folder), engine


def asked(engine: Engine, query: str) -> list[Any]:
    with reading(engine) as conn:
        return list(conn.execute(text(query)))


def close(amount: float) -> Any:
    """To the rupiah."""
    return pytest.approx(amount, abs=0.5, rel=0)


def rounded(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, amounts to the rupiah, None as nothing."""
    return sorted(
        tuple(round(each, 2) if isinstance(each, float) else 0 if each is None else each for each in row)
        for row in rows
    )


def test_suppliers(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    shares = asked(
        engine, "SELECT fiscal_year, contracts, contracted_amount, share FROM supplier_share WHERE contracts > 0"
    )
    by_hand = hand.suppliers(folder)
    assert rounded(row[:3] for row in shares) == rounded(by_hand)
    assert sum(row.share for row in shares) == pytest.approx(1)
    first = asked(engine, QUESTIONS["01_top_suppliers"])
    largest = sorted((amount for *_, amount in by_hand), reverse=True)[:20]
    assert [row.contracted_amount for row in first] == [close(amount) for amount in largest]
    total = sum(amount for *_, amount in by_hand)
    assert [row.percent for row in first] == [pytest.approx(100 * amount / total, abs=0.01) for amount in largest]


def test_splitting(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = asked(engine, QUESTIONS["02_splitting"])
    assert rounded(
        (row.fiscal_year, str(row.first_day), str(row.last_day), row.contracts, row.total, float(row.threshold))
        for row in found
    ) == rounded((year, str(first), str(last), *rest) for year, first, last, *rest in hand.splitting(folder))


def test_lead_times(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = asked(engine, QUESTIONS["03_lead_times"])
    assert {tuple(row[:3]): tuple(row[3:]) for row in found} == hand.lead_times(folder) != {}


def test_savings(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = asked(engine, QUESTIONS["04_savings"])
    assert rounded(
        (row.fiscal_year, row.channel, row.method_details, row.attempts, row.hps, row.awarded_amount, row.above_hps,
         row.incomplete)
        for row in found
    ) == rounded((*key, *values) for key, values in hand.savings(folder).items())  # fmt: skip
    assert all(row.saved_percent == pytest.approx(100 - 100 * row.awarded_amount / row.hps, abs=0.01) for row in found)


def test_what_was_realised(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = asked(engine, QUESTIONS["05_realised_per_office"])
    by_hand = hand.realised(folder)
    assert rounded(
        (row.fiscal_year, row.contracted, row.certified, row.recorded, row.contracts, row.with_certificate)
        for row in found
    ) == rounded((year, *map(float, values[:3]), *values[3:]) for (year, _), values in by_hand.items())
    assert [row.disbursed for row in found] == [None] * len(by_hand)
    [sums] = asked(engine, "SELECT sum(recorded_amount), sum(recorded_cancelled_amount) FROM contracting_process")
    assert tuple(sums) == tuple(map(close, hand.recorded_and_cancelled(folder)))


def test_local_content(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    [row] = asked(engine, QUESTIONS["06_local_content"])
    value, local, micro, *recorded = hand.local_content(folder)
    assert (row.contract_value, row.local_content_value, row.micro_enterprise_value) == (
        close(value), close(local), close(micro),
    )  # fmt: skip
    assert tuple(row[5:]) == tuple(map(close, recorded))
    assert row.local_percent == pytest.approx(100 * local / value, abs=0.01)


def test_late_plans(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    rows = asked(engine, QUESTIONS["07_late_plans"])
    names = ("plans", "pagu", "unseen", "unseen_pagu")
    assert [sum(getattr(row, name) or 0 for row in rows) for name in names] == [
        close(each) for kind in hand.late_plans(folder).values() for each in kind
    ]


def test_swakelola_share(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    [row] = asked(engine, QUESTIONS["08_swakelola_share"])
    own, plans, own_pagu, pagu, recorded = hand.swakelola_share(folder)
    assert tuple(row[1:5]) == (own, plans, close(own_pagu), close(pagu))
    assert row.swakelola_percent == pytest.approx(100 * own_pagu / pagu, abs=0.01)
    assert [tuple(row) for row in asked(engine, "SELECT sum(recorded_amount) FROM swakelola_share")] == [
        (close(recorded),)
    ]
    # Nothing that is summed the obvious way counts a plan twice.
    [(every,)] = asked(engine, "SELECT sum(pagu) FROM plan")
    assert every == close(pagu)


def test_retenders(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = {
        row.channel: (row.packages, row.attempts, row.repeated, row.began_earlier, row.never_complete)
        for row in asked(engine, QUESTIONS["09_retenders"])
    }
    assert found == hand.retenders(folder)


def test_bidders(answers: tuple[hand.Folder, Engine]) -> None:
    folder, engine = answers
    found = {row.method_details: tuple(row[2:7]) for row in asked(engine, QUESTIONS["10_single_bidders"])}
    assert found == hand.bidders(folder)


# --- what the rows hold stands in the star tables -------------------------------------------------------------------

PLANNED = {
    "tgl_pengumuman_paket": "announced_at",
    "tgl_buat_paket": "created_at",
    "volume_pekerjaan": "volume",
    "tgl_awal_pemilihan": "selection_start",
    "tgl_akhir_pemilihan": "selection_end",
    "tgl_awal_kontrak": "contract_start",
    "tgl_awal_pemanfaatan": "use_start",
    "status_pdn": "domestic_products",
    "status_ukm": "small_enterprises",
    "status_pradipa": "before_budget",
    "jenis_pengadaan": "category_details",
    "status_konsolidasi": "consolidation",
    "tipe_paket": "package_type",
    "alasan_dikecualikan": "exempt_reason",
    "spp_aspek_ekonomi": "economic_aspect",
    "tipe_swakelola": "swakelola_type",
    "tgl_awal_pelaksanaan_kontrak": "contract_start",
}
ATTEMPTED = {
    "tgl_buat_paket": "created_at",
    "tgl_pengumuman_tender": "announced_at",
    "tgl_pengumuman_nontender": "announced_at",
    "kd_pkt_dce": "package",
    "versi_tender": "version",
    "versi_nontender": "version",
    "sumber_dana": "funds",
    "jenis_pengadaan": "category_details",
    "kategori_pengadaan": "category_details",
    "kualifikasi_paket": "business_size",
    "kontrak_pembayaran": "contract_type",
    "mtd_evaluasi": "evaluation",
    "mtd_kualifikasi": "qualification",
    "lokasi_pekerjaan": "place",
    "ket_ditutup": "closed_reason",
    "alasan_pembatalan": "closed_reason",
    "tgl_mulai_paket": "work_start",
    "tgl_selesai_paket": "work_end",
    "tgl_penetapan_pemenang": "decided_at",
    "tgl_order": "created_at",
    "jml_produk": "quantity",
    "ongkir": "shipping",
    "status_pengiriman": "delivery_status",
    "marketplace": "marketplace",
    "metode_bayar": "payment_method",
    "status_verif": "verification",
    "mak": "(SELECT 1 FROM attempt_account AS a WHERE a.ocid = attempt.ocid AND a.attempt_id = attempt.id)",
}
CONTRACTED = {
    "tgl_kontrak": "signed_at",
    "nilai_pdn_kontrak": "local_content_value",
    "nilai_umk_kontrak": "micro_enterprise_value",
    "jenis_kontrak": "contract_type",
    "alasan_ubah_nilai_kontrak": "value_change_reason",
    "nilai_pdn_pct": "local_content_value",
    "nilai_umk_pct": "micro_enterprise_value",
    "total_realisasi": "recorded_amount",
    "tgl_mulai_paket": "period_start",
    "total_harga": "value",
}
WHERE = {
    "RUP-PaketPenyedia-Terumumkan": ("kd_rup", "rup"),
    "RUP-PaketSwakelola-Terumumkan": ("kd_rup", "swk"),
    "SPSE-TenderPengumuman": ("kd_tender", "tender"),
    "SPSE-TenderSelesai": ("kd_tender", "tender"),
    "SPSE-TenderSelesaiNilai": ("kd_tender", "tender"),
    "SPSE-NonTenderSelesai": ("kd_nontender", "nontender"),
    "SPSE-NonTenderPengumuman": ("kd_nontender", "nontender"),
    "SPSE-PencatatanNonTender": ("kd_nontender_pct", "pencatatan"),
    "SPSE-PencatatanSwakelola": ("kd_swakelola_pct", "swakelola"),
    "SPSE-TenderEkontrak-2Kontrak": ("kd_tender", "tender"),
    "SPSE-NonTenderEkontrak-2Kontrak": ("kd_nontender", "nontender"),
    "Ecat-PaketEPurchasingV6": ("kd_paket", "ecat"),
    "Bela-TokoDaringRealisasi": ("order_id", "tokodaring"),
}
# What clerks type where they leave a field open; of these fields alone zero is said.
EMPTY = ("", "-", "--", ".", "0")
ZERO = ("nilai_pdn_kontrak", "nilai_umk_kontrak", "nilai_pdn_pct", "nilai_umk_pct", "ongkir")
# Papers that agree on something, beside receipts.
AGREED = ("Surat Perjanjian", "Surat Pesanan")


def is_filled(row: dict[str, Any], field: str) -> bool:
    value = "" if row[field] is None else str(row[field]).strip()
    return value not in EMPTY or (field in ZERO and value == "0")


def test_what_the_rows_fill_is_filled(synced: tuple[Path, Engine]) -> None:
    """Of each column as many codes fill it in the raw rows as in the star tables, and the same."""
    folder, engine = synced
    given: dict[tuple[str, str, str], set[str]] = {}
    for service, (code, kind) in WHERE.items():
        rows = hand.rows(folder, service)
        fields = {"plan": PLANNED} if kind in ("rup", "swk") else {"attempt": ATTEMPTED}
        if "Kontrak" in service:
            fields = {"contract": CONTRACTED}
        elif service.startswith(("SPSE-Pencatatan", "Ecat")):
            fields["contract"] = CONTRACTED
        for table, columns in fields.items():
            for field, column in columns.items():
                if rows and field in rows[0]:
                    filled = given.setdefault((table, column, kind), set())
                    filled |= {f"{kind}-{row[code]}" for row in rows if is_filled(row, field)}
    assert sum(map(len, given.values())) > 30_000
    for (table, column, kind), filled in given.items():
        name = "attempt_id" if table == "contract" else "id"
        query = f"SELECT DISTINCT {name} FROM {table} WHERE {column} IS NOT NULL AND {name} LIKE '{kind}-%'"
        assert {row[0] for row in asked(engine, query)} == filled, (table, column, kind)


def filled_keys(folder: Path, service: str, kind: str, field: str, *names: str) -> set[tuple[str, ...]]:
    """Of the rows of a list that fill a field: the id of their attempt or plan, and other fields as they stand."""
    code = {"rup": "kd_rup", "ecat": "kd_paket", "pencatatan": "kd_nontender_pct"}.get(kind, f"kd_{kind}")
    rows = hand.rows(folder, service)
    # Of one list the regency's folder holds another's rows.
    return {
        (f"{kind}-{row[code]}", *(str(row[name]).strip() for name in names))
        for row in rows
        if field in row and is_filled(row, field)
    }


def test_what_has_rows_of_its_own_is_there(synced: tuple[Path, Engine]) -> None:
    """Registrants, stages, products, budget lines, and what the papers of contracts tell: the same as in the rows."""
    folder, engine = synced

    def stands(query: str) -> set[tuple[str, ...]]:
        return {tuple(row) for row in asked(engine, query)}

    registered = filled_keys(folder, "SPSE-PesertaTender", "tender", "kd_peserta", "kd_peserta")
    assert stands("SELECT attempt_id, id FROM registrant") == registered
    stages = filled_keys(folder, "SPSE-JadwalTahapanTender", "tender", "tgl_awal", "kd_tender", "kd_akt")
    assert stands("SELECT attempt_id, id FROM stage_event WHERE stage = 'tender' AND start_at IS NOT NULL") == {
        (attempt, f"{code}-{stage}") for attempt, code, stage in stages
    }
    products = filled_keys(folder, "Ecat-PaketEPurchasingV6", "ecat", "product_ids", "product_ids")
    assert stands("SELECT contract_id, id FROM item WHERE contract_id LIKE 'ecat-%'") == {
        (order, product.strip()) for order, listed in products for product in listed.split(",")
    }
    lines = "FROM plan_account JOIN plan ON plan.ocid = plan_account.ocid AND plan.id = plan_id WHERE kind = 'rup'"
    plans = stands("SELECT id FROM plan")
    funds = filled_keys(folder, "RUP-PaketAnggaranPenyedia", "rup", "sumber_dana", "sumber_dana")
    assert stands(f"SELECT plan.id, fund {lines}") == {line for line in funds if line[:1] in plans}
    accounts = filled_keys(folder, "RUP-PaketAnggaranPenyedia", "rup", "mak")
    assert stands(f"SELECT plan.id {lines} AND mak IS NOT NULL") == accounts & plans
    agreed = [row for row in hand.rows(folder, "SPSE-PencatatanNonTenderRealisasi") if row["jenis_realisasi"] in AGREED]
    assert stands("SELECT attempt_id FROM contract WHERE channel = 'pencatatan' AND signed_at IS NOT NULL") == {
        (f"pencatatan-{row['kd_nontender_pct']}",) for row in agreed if is_filled(row, "tgl_realisasi")
    }
    for kind, name in (("tender", "Tender"), ("nontender", "NonTender")):
        papers = f"SPSE-{name}Ekontrak-"
        signed = filled_keys(folder, f"{papers}2Kontrak", kind, "no_kontrak")
        for paper, field, column in (
            ("1SPPBJ", "nilai_jaminan_pelaksanaan", "guarantee_value > 0"),
            ("2Kontrak", "bentuk_usaha_penyedia", "supplier.legal_form IS NOT NULL"),
            ("3SPMKSPP", "tgl_spmk_spp", "ordered_at IS NOT NULL"),
            ("4BAPBAST", "tgl_bast", "handed_over_at IS NOT NULL"),
        ):
            query = "SELECT attempt_id FROM contract LEFT JOIN supplier ON supplier.id = supplier_id"
            found = stands(f"{query} WHERE channel = '{kind}' AND {column}")
            filled = filled_keys(folder, f"{papers}{paper}", kind, field) & signed
            # Of a supplier whose form one paper tells it is known on all.
            assert found >= filled if field == "bentuk_usaha_penyedia" else found == filled, field


def test_columns_that_no_real_row_fills_are_listed(real_place: Path) -> None:
    """Each with the source that would fill it: the list may only shrink."""
    with (REPOSITORY / "warehouse" / "unfilled.csv").open(encoding="utf-8", newline="") as file:
        listed = {(row["table"], row["column"]) for row in csv.DictReader(file) if row["source"]}
    engines = [open_warehouse(warehouse_of(name, real_place)) for name in FOLDERS]
    empty = set()
    for table in (*STAR, *DIMENSIONS, *MASTERS):
        names = [
            column.name
            for column in table.columns
            if not any(
                asked(engine, f'SELECT 1 FROM "{table.name}" WHERE "{column.name}" IS NOT NULL LIMIT 1')
                for engine in engines
            )
        ]
        empty |= {(table.name, "*")} if len(names) == len(table.columns) else {(table.name, name) for name in names}
    assert empty == listed


def test_the_pages_count_what_the_rows_give(real_place: Path) -> None:
    """What red flags and quality checks find, each rest of these explained."""
    for path, page in counts.pages(real_place).items():
        assert path.read_text(encoding="utf-8") == page, "run: python -m tests.counts, and explain what is new"
        assert "| ? |" not in page


@pytest.mark.parametrize("name", FOLDERS)
def test_lines_of_the_offices_sheets_lead_back_to_rows(name: str, real_place: Path, tmp_path: Path) -> None:
    counts.counted(name, real_place, "quality")
    with reading(open_warehouse(warehouse_of(name, real_place))) as conn:
        write_sheets(conn, tmp_path)
        lines = spread(read(tmp_path))
        assert len(lines) > 500
        assert lead_back(conn, lines, 50) >= 25


@on_postgresql
def test_both_databases_answer_alike(synced: tuple[Path, Engine], warehouse: Engine) -> None:
    """The marts and the ten questions on real rows."""
    _, engine = synced
    assert len(asked_of_both(engine, warehouse) & QUESTIONS.keys()) >= 9
