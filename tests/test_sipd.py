"""SIPD-RI in SIMDA's place: its lists by page and limit, told in SIMDA's names. No real answer has been seen yet."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.simda import fetch
from schemas.errors import JejakError, SettingsError, StructureError
from schemas.service import Page
from schemas.settings import Settings
from schemas.simda import SERVICES
from transforms.rows import identify

TOKEN = "token-contoh"
SERVICE = {service.name: service for service in SERVICES}
OFFICE = "1.03.2.10.0.00.01.0000"
Lists = dict[str, list[dict[str, Any]]]


def order(number: int, contract: str | None, **more: Any) -> dict[str, Any]:
    return {"id_spm": number, "nomor_spm": f"{number}/SPM/2025", "tanggal_spm": "2025-06-01T00:00:00Z",
            "nomor_spp": f"{number}/SPP/2025", "nomor_kontrak_po": contract, "id_skpd": 7, "tahun": 2025,
            **more}  # fmt: skip


def payment(number: int, **more: Any) -> dict[str, Any]:
    return {"id_sp_2_d": number, "nomor_sp_2_d": f"{number}/{OFFICE}/P6/7/2025", "id_spm": number,
            "nomor_spm": f"{number}/SPM/2025", "tahun": 2025, "nilai_sp_2_d": 1000 * number,
            "tanggal_sp_2_d": "2025-07-03T00:00:00Z", "keterangan_sp_2_d": "Termin I",
            "deleted_at": "0001-01-01T00:00:00Z"} | more  # fmt: skip


def line(account: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"tahun": 2025, "kode_skpd": OFFICE, "nama_skpd": "DINAS CONTOH", "kode_sub_giat": "1.03.10.2.01.0005",
            "nama_sub_giat": "Pembangunan Jalan", "kode_akun": account, "nama_akun": "Belanja Modal Jalan",
            "subs_bl_teks": "Jalan", "nama_komponen": "Aspal", "rincian": amount} | more  # fmt: skip


PAYMENTS = "pengeluaran/strict/sp2d/pembuatan/index"
ORDERS = "pengeluaran/strict/spm/index"
LINES = "referensi/strict/laporan/dpa/dpa/rincian-belanja"


@contextmanager
def sipd(lists: Lists, *, totals: bool = True, most: int = 1000) -> Iterator[tuple[str, list[str]]]:
    """A server of these lists, at most `most` rows a page, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            rows = lists.get(url.path.strip("/"))
            right = self.headers["Authorization"] == f"Bearer {TOKEN}"
            page, limit = int(query["page"]), min(int(query["limit"]), most)
            self.send_response(401 if not right else 404 if rows is None else 200)
            if totals and rows is not None:
                self.send_header("x-pagination-total-count", str(len(rows)))
            self.end_headers()
            # Go writes an empty list as null.
            self.wfile.write(json.dumps((rows or [])[(page - 1) * limit : page * limit] or {"data": None}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def read(url: str, name: str, cursor: str | None = None, year: str = "2025", **more: Any) -> list[Page]:
    source = {"transport": "sipd", "url": url, "token": TOKEN, "retries": 0, **more}
    settings = Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {"simda": source}}
    )  # fmt: skip
    return list(fetch(SERVICE[name], settings, settings.sources["simda"], year, cursor))


def rows_of(pages: list[Page]) -> list[dict[str, object]]:
    return [row for page in pages for row in page.rows]


@pytest.mark.parametrize("totals", [True, False])
def test_payments_have_the_contract_of_their_order(totals):
    lists: Lists = {
        ORDERS: [order(1, "600/1/KONTRAK"), order(2, "600/2/KONTRAK"), order(3, None), order(5, "x", tahun=2024)],
        PAYMENTS: [payment(1), payment(2), payment(3), payment(4, deleted_at="2025-08-01T00:00:00Z"), payment(6)],
    }
    with sipd(lists, totals=totals) as (url, asked):
        pages = read(url, "SIPD-SP2D", page_size=2)
        again = read(url, "SIPD-SP2D", pages[0].cursor, page_size=2)
    assert [[row["No_SP2D"] for row in page.rows] for page in pages] == [
        [f"1/{OFFICE}/P6/7/2025", f"2/{OFFICE}/P6/7/2025"],
        [],
        [f"6/{OFFICE}/P6/7/2025"],
    ]
    assert again == pages[1:]
    first, second, unknown = rows_of(pages)
    service = SERVICE["SIPD-SP2D"]
    record = service.model.model_validate(first)
    assert record.model_dump(exclude_none=True, exclude_unset=True) == {
        "Tahun": 2025, "No_Kontrak": "600/1/KONTRAK", "No_SP2D": f"1/{OFFICE}/P6/7/2025", "kd_unit90": OFFICE,
        "No_SPP": "1/SPP/2025", "No_SPM": "1/SPM/2025", "Tgl_SPM": "2025-06-01", "Jn_SPM": "3",
        "Tgl_SP2D": "2025-07-03", "Nilai": 1000, "Uraian": "Termin I",
    }  # fmt: skip
    assert record.office.code == OFFICE
    assert not record.model_extra
    assert second["No_Kontrak"] == "600/2/KONTRAK"
    # Its order isn't there: it can't be a payment on no contract, and is rejected as one without.
    assert unknown["No_Kontrak"] is None
    assert {urlsplit(path).path.strip("/") for path in asked} == {ORDERS, PAYMENTS}
    assert all("tahun=2025" in path for path in asked)


def test_budget_lines_are_told_in_simdas_names():
    lists: Lists = {
        ORDERS: [order(1, "a"), order(2, "b", id_skpd=10), order(3, None)],
        f"{LINES}/7": [line("5.2.04.01.01.0003", 100), line("5.2.04.01.01.0003", 50, nama_komponen="Batu")],
        f"{LINES}/10": [line("5.1.02.01.01.0024", 7, kode_skpd="1.04.0.00.0.00.01.0000")],
    }
    with sipd(lists) as (url, _):
        pages = read(url, "SIMDA-Anggaran", page_size=1)
        for at, page in enumerate(pages[:-1], 1):
            assert read(url, "SIMDA-Anggaran", page.cursor, page_size=1) == pages[at:]
    assert [len(page.rows) for page in pages] == [1, 1, 1]
    service = SERVICE["SIMDA-Anggaran"]
    first, second, other = (service.model.model_validate(row) for row in rows_of(pages))
    assert not first.model_extra
    found = first.model_dump()
    assert (found["Total"], found["Nm_Sub_Unit"], found["Keterangan"]) == (100, "DINAS CONTOH", "Aspal")
    activity = ("kd_urusan90", "kd_bidang90", "kd_program90", "kd_kegiatan90", "kd_sub_kegiatan")
    assert [found[name] for name in activity] == ["1", "03", "10", "2.01", "0005"]
    assert [found[f"kd_rek90_{level}"] for level in range(1, 7)] == ["5", "2", "04", "01", "01", "0003"]
    assert service.lost_key(rows_of(pages)[0]) == []
    keys = [identify(service, row) for row in rows_of(pages)]
    assert len({row.key for row in keys}) == 3
    # Details of one line share its code.
    assert keys[0].code == keys[1].code != keys[2].code
    assert second.model_dump()["Total"] + other.model_dump()["Total"] == 57


def test_what_sipd_does_not_have_yields_no_page():
    for name in ("SIMDA-Kontrak", "SIMDA-Addendum", "SIMDA-SP2D"):
        assert read("http://127.0.0.1:9", name) == []


def test_no_orders_are_no_lines():
    with sipd({ORDERS: [], PAYMENTS: []}) as (url, _):
        assert rows_of(read(url, "SIMDA-Anggaran")) == rows_of(read(url, "SIPD-SP2D")) == []


@pytest.mark.parametrize(
    ("lists", "more", "error", "message"),
    [
        ({ORDERS: [], PAYMENTS: []}, {"token": "lain"}, SettingsError, "JEJAK_SOURCES__SIMDA__TOKEN"),
        ({ORDERS: [], PAYMENTS: []}, {"token": None}, SettingsError, "JEJAK_SOURCES__SIMDA__TOKEN"),
        ({ORDERS: []}, {}, SettingsError, "404"),
    ],
)
def test_failures_name_what_to_do(lists, more, error, message):
    with sipd(lists) as (url, _), pytest.raises(error, match=message) as caught:
        read(url, "SIPD-SP2D", **more)
    assert isinstance(caught.value, JejakError)


def test_a_page_smaller_than_asked_for_is_no_end():
    lists: Lists = {ORDERS: [order(number, "k") for number in range(30)]}
    with sipd(lists, most=10) as (url, _), pytest.raises(StructureError, match="set the source's page_size"):
        read(url, "SIPD-SP2D")


def test_a_year_is_needed():
    with pytest.raises(SettingsError, match="fiscal year"):
        read("http://127.0.0.1:9", "SIPD-SP2D", year="all")
