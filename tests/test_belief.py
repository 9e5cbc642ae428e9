"""An answer is believed only for a reason: what it says of itself, what it counts, bounds of size and time."""

import gzip
import itertools
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import tenacity

import connectors.lpse
import connectors.musrenbang
import schemas.lpse
import schemas.musrenbang
from schemas.errors import JejakError, SettingsError, SourceUnavailable, StructureError
from schemas.service import Page, Service
from schemas.settings import Settings
from tests.answering import Answer, answering

TOKEN = "rahasia-yang-tak-boleh-bocor"
TENDERS = next(service for service in schemas.lpse.SERVICES if service.name == "SPSE-TenderPengumuman")
LETTERS = next(service for service in schemas.lpse.SERVICES if service.name == "SPSE-TenderEkontrak-1SPPBJ")
PROPOSALS = next(service for service in schemas.musrenbang.SERVICES if service.name == "Musrenbang-Usulan")


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda seconds: None))


def settings_of(url: str, transport: str, **more: Any) -> Settings:
    source = {
        "transport": transport,
        "url": url,
        "token": TOKEN,
        "api_key": TOKEN,
        "service_no": "0",
        "retries": 1,
    } | more
    return Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {"lpse": source, "musrenbang": source}}
    )  # fmt: skip


def v1(url: str, cursor: str | None = None, **more: Any) -> list[Page]:
    return pages("lpse", TENDERS, settings_of(url, "inaproc", **more), cursor)


def legacy(url: str, cursor: str | None = None, **more: Any) -> list[Page]:
    return pages("lpse", LETTERS, settings_of(url, "inaproc", **more), cursor)


def isb(url: str, cursor: str | None = None, **more: Any) -> list[Page]:
    return pages("lpse", TENDERS, settings_of(url, "isb", **more), cursor)


def rest(url: str, cursor: str | None = None, **more: Any) -> list[Page]:
    return pages("musrenbang", PROPOSALS, settings_of(url, "rest", **more), cursor)


def pages(source: str, service: Service, settings: Settings, cursor: str | None) -> list[Page]:
    connector = connectors.lpse if source == "lpse" else connectors.musrenbang
    return list(connector.fetch(service, settings, settings.sources[source], "2025", cursor))


def rows_of(read: list[Page]) -> list[dict[str, object]]:
    return [row for page in read for row in page.rows]


TRANSPORTS: dict[str, Callable[..., list[Page]]] = {"v1": v1, "legacy": legacy, "isb": isb, "rest": rest}


# --- what it says of itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetch", TRANSPORTS.values(), ids=TRANSPORTS)
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({"status": "error", "message": "Token kedaluwarsa", "data": []}, StructureError, '"Token kedaluwarsa"'),
        ({"status": False, "data": []}, StructureError, "failed .status."),
        ({"status": "gagal", "data": None}, StructureError, "failed .status."),
        ({"code": 401, "data": None}, SettingsError, "__(TOKEN|API_KEY)"),
        ({"code": "500", "message": "Kesalahan server", "data": []}, SourceUnavailable, '"Kesalahan server"'),
        ({"error": "Layanan ditutup", "data": None}, StructureError, '"Layanan ditutup"'),
        ({"errors": [{"x": 1}], "data": []}, StructureError, "failed .errors."),
        ({"success": "false", "data": []}, StructureError, "failed .success."),
        ({"success": None, "data": []}, StructureError, "failed .success."),
        (
            {"success": False, "error": {"code": 429, "message": "Terlalu sering"}, "meta": {"request_id": "x"}},
            SourceUnavailable,
            '"Terlalu sering"',
        ),
    ],
)
def test_an_answer_that_says_it_failed_is_no_empty_list(fetch, body, error, message):
    with answering(Answer(body)) as server, pytest.raises(error, match=message):
        fetch(server.url)


@pytest.mark.parametrize("message", [f"token {TOKEN} tidak berlaku", "NIK 3522000000000001", "lihat https://x.y/z?k=1"])
def test_a_message_that_may_hold_what_is_secret_is_not_repeated(message):
    for status in (200, 400, 403, 500):
        body = {"success": False, "error": {"code": 1, "message": message}}
        with answering(Answer(body, status)) as server, pytest.raises(JejakError) as caught:
            v1(server.url)
        assert message not in str(caught.value)
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "good",
    [{"success": True}, {"status": "success"}, {"status": 200}, {"status": True, "code": "00"}, {"code": 200},
     {"status": "Berhasil", "error": None, "errors": []}, {"error": False, "message": "OK"}],
)  # fmt: skip
def test_words_for_success_are_known(good):
    with answering(Answer({**good, "data": [{"n": 1}]})) as server:
        assert rows_of(rest(server.url)) == [{"n": 1}]


def test_a_refusal_in_words_is_passed_on():
    answer = Answer({"success": False, "error": {"code": "X", "message": "IP tidak terdaftar"}}, 403)
    with answering(answer) as server, pytest.raises(SettingsError, match=r'"IP tidak terdaftar".*public address'):
        v1(server.url)


@pytest.mark.parametrize("fetch", TRANSPORTS.values(), ids=TRANSPORTS)
@pytest.mark.parametrize("body", ["<!DOCTYPE html><form>Login", "%PDF-1.7", "nomor;nama\n1;a\n", '"teks"', "null"])
def test_what_is_no_json_is_no_answer(fetch, body):
    with answering(Answer(body, headers={"Content-Type": "text/html"})) as server, pytest.raises(StructureError):
        fetch(server.url)


# --- what it counts --------------------------------------------------------------------------------------------------


ROWS = [{"n": number} for number in range(15)]


@pytest.mark.parametrize(
    "claim",
    [{"total": 15}, {"recordsTotal": "15"}, {"meta": {"total": 15}}, {"pagination": {"total": 15}},
     {"meta": {"pagination": {"total": 15}}}],
)  # fmt: skip
def test_an_answer_holds_what_it_claims(claim):
    with answering(Answer({"data": ROWS[:5], **claim})) as server:
        with pytest.raises(StructureError, match=r"15 rows by its own count and sent 5.*check_total = false"):
            rest(server.url)
        assert len(rows_of(rest(server.url, services={PROPOSALS.name: {"check_total": False}}))) == 5
    with answering(Answer({"data": ROWS, **claim})) as server:
        assert rows_of(rest(server.url)) == ROWS


def test_the_total_of_v1_counts_too():
    answers = [
        Answer({"success": True, "data": ROWS[:5], "meta": {"has_more": True, "cursor": "a", "total": 15}}),
        Answer({"success": True, "data": ROWS[5:9], "meta": {"has_more": False, "total": 15}}),
    ]
    with answering(*answers) as server, pytest.raises(StructureError, match="15 rows by its own count and sent 9"):
        v1(server.url)


def laravel(page: int, rows: list[dict[str, Any]], total: int, *, linked: bool = True) -> Answer:
    last = -(-total // 5)
    following = f"?page={page + 1}" if page < last and linked else None
    return Answer(
        {"data": rows, "current_page": page, "last_page": last, "per_page": 5, "total": total,
         "next_page_url": following}
    )  # fmt: skip


def test_rows_that_a_broken_fetch_had_before_are_counted():
    with answering(laravel(1, ROWS[:5], 15), laravel(2, ROWS[5:10], 15), Answer(status=500)) as server:
        cursor = next(iter(connectors_pages(server.url))).cursor
    with answering(laravel(2, ROWS[5:10], 15), laravel(3, ROWS[10:], 15)) as server:
        assert rows_of(rest(server.url, cursor)) == ROWS[5:]
    with (
        answering(laravel(2, ROWS[5:10], 15), laravel(3, ROWS[10:14], 15)) as server,
        pytest.raises(StructureError, match="sent 14"),
    ):
        rest(server.url, cursor)


def connectors_pages(url: str) -> Iterator[Page]:
    settings = settings_of(url, "rest")
    return connectors.musrenbang.fetch(PROPOSALS, settings, settings.sources["musrenbang"], "2025")


def test_a_row_deleted_between_two_pages_is_noticed():
    """The row that moved up to page 1 is on no page that was read, and yet the count of rows agrees."""
    left = [row for row in ROWS if row["n"] != 2]
    answers = [laravel(1, ROWS[:5], 15), laravel(2, left[5:10], 14), laravel(3, left[10:], 14)]
    with answering(*answers) as server, pytest.raises(StructureError, match="15 rows by its own count and then 14"):
        rest(server.url)
    with answering(answers[0]) as server:
        cursor = next(connectors_pages(server.url)).cursor
    with answering(*answers[1:]) as server, pytest.raises(StructureError, match=r"and then 14.*run again"):
        rest(server.url, cursor)


def simple(page: int, rows: list[dict[str, Any]]) -> Answer:
    """A page of Laravel's `simplePaginate`, which counts nothing."""
    part = rows[5 * page - 5 : 5 * page]
    return Answer({"data": part, "current_page": page, "next_page_url": f"?page={page + 1}" if page < 3 else None})


def test_pages_that_count_nothing_are_as_they_were_when_they_are_asked_for_again():
    with answering(*(simple(page, ROWS) for page in (1, 2, 3, 1, 2))) as server:
        assert rows_of(rest(server.url)) == ROWS
        assert [path.partition("page=")[2] for path in server.paths] == ["", "2", "3", "", "2"]
    # Row 2 is deleted when page 1 has been read: row 5 is on no page that was read.
    left = [row for row in ROWS if row["n"] != 2]
    answers = [simple(1, ROWS), *(simple(page, left) for page in (2, 3, 1, 2))]
    with answering(*answers) as server, pytest.raises(StructureError, match="changed while it was read; run again"):
        rest(server.url)
    # Also where the fetch broke off between the two.
    with answering(answers[0]) as server:
        cursor = next(connectors_pages(server.url)).cursor
    with answering(*answers[1:]) as server, pytest.raises(StructureError, match="changed while it was read; run again"):
        rest(server.url, cursor)
    with answering(*(simple(page, ROWS) for page in (2, 3, 1, 2))) as server:
        assert rows_of(rest(server.url, cursor)) == ROWS[5:]


def test_pages_are_counted_where_no_link_leads_on():
    answers = [laravel(page, ROWS[5 * page - 5 : 5 * page], 15, linked=False) for page in (1, 2, 3)]
    with answering(*answers) as server:
        assert rows_of(rest(server.url)) == ROWS
    assert [path.partition("page=")[2] for path in server.paths] == ["", "2", "3"]


def test_a_page_that_comes_again_is_noticed():
    """Every page answers page 1, with another stamp each time."""
    answers = [
        Answer(
            {"success": True, "data": [{"n": 1, "last_update_ref": number}, {"n": 2, "last_update_ref": number}],
             "meta": {"has_more": True, "cursor": f"c{number}"}}
        )
        for number in range(4)
    ]  # fmt: skip
    with answering(*answers) as server, pytest.raises(StructureError, match="same page twice"):
        v1(server.url)
    assert len(server.requests) == 2
    with answering(*answers) as server:
        settings = settings_of(server.url, "inaproc")
        cursor = next(connectors.lpse.fetch(TENDERS, settings, settings.sources["lpse"], "2025")).cursor
    with answering(*answers[1:]) as server, pytest.raises(StructureError, match="same page twice"):
        v1(server.url, cursor)


def test_equal_rows_inside_a_whole_list_are_no_repeated_page():
    rows = [{"n": 1}] * 12_000
    with answering(Answer(rows)) as server:
        assert len(rows_of(isb(server.url))) == len(rows_of(legacy(server.url))) == 12_000


def test_a_page_inside_an_answer_is_nothing_to_go_on_with():
    rows = [{"n": number} for number in range(6000)]
    with answering(Answer({"success": True, "data": rows})) as server:
        read = v1(server.url)
        assert [len(page.rows) for page in read] == [5000, 1000]
        with pytest.raises(StructureError, match="begins anew"):
            v1(server.url, read[0].cursor)


# --- bounds ----------------------------------------------------------------------------------------------------------


def endless() -> Iterator[bytes]:
    yield b"["
    yield from itertools.repeat(json.dumps(ROWS).encode()[1:-1] + b",")


@pytest.mark.parametrize("fetch", TRANSPORTS.values(), ids=TRANSPORTS)
def test_an_endless_answer_ends(fetch):
    with (
        answering(Answer(pieces=endless)) as server,
        pytest.raises(StructureError, match=r"more than 2 MB.*raise max_megabytes"),
    ):
        fetch(server.url, max_megabytes=2)


@pytest.mark.parametrize("fetch", TRANSPORTS.values(), ids=TRANSPORTS)
def test_a_packed_answer_counts_as_it_is_unpacked(fetch):
    bomb = gzip.compress(b"[" + b" " * 40_000_000 + b"]")
    with (
        answering(Answer(bomb, headers={"Content-Encoding": "gzip"})) as server,
        pytest.raises(StructureError, match="raise max_megabytes"),
    ):
        fetch(server.url, max_megabytes=10)
    packed = gzip.compress(json.dumps([{"n": 1}]).encode())
    with answering(Answer(packed, headers={"Content-Encoding": "gzip"})) as server:
        assert rows_of(isb(server.url)) == [{"n": 1}]


@pytest.mark.parametrize("fetch", TRANSPORTS.values(), ids=TRANSPORTS)
def test_an_answer_that_drips_ends(fetch):
    def dripping() -> Iterator[bytes]:
        for _ in range(400):
            time.sleep(0.05)
            yield b" "

    with (
        answering(Answer(pieces=dripping)) as server,
        pytest.raises(SourceUnavailable, match=r"more than 0\.4 s in all.*raise max_seconds"),
    ):
        fetch(server.url, max_seconds=0.4)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX-Isi: ", b"", b"HTTP/1.1 2"])
def test_headers_that_drip_end(begin):
    """The timeout of a socket begins anew with every byte."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with listener, suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(begin)
                for _ in range(200):
                    time.sleep(0.05)
                    connection.sendall(b"0")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with pytest.raises(SourceUnavailable, match=r"within 0\.3 s.*raise timeout_seconds"):
        isb(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.3, retries=0)
    thread.join(10)
    assert not thread.is_alive()


def test_cursors_without_end_end():
    def page(number: int) -> Answer:
        return Answer({"success": True, "data": [{"n": number}], "meta": {"has_more": True, "cursor": str(number)}})

    with (
        answering(*map(page, range(20))) as server,
        pytest.raises(StructureError, match=r"more than 7 pages.*raise max_pages"),
    ):
        v1(server.url, max_pages=7)
    assert len(server.requests) == 7


def test_a_large_answer_is_read_piece_by_piece():
    def rows(count: int) -> Iterator[bytes]:
        yield b"["
        for number in range(count):
            text = json.dumps({"n": number, "uraian": "x" * 2000})
            yield f"{',' if number else ''}{text}".encode()
        yield b"]"

    with answering(Answer(pieces=lambda: rows(20_000))) as server:
        settings = settings_of(server.url, "isb")
        tracemalloc.start()
        try:
            read = connectors.lpse.fetch(TENDERS, settings, settings.sources["lpse"], "2025")
            assert sum(len(page.rows) for page in read) == 20_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # 40 MB came. A page holds 5,000 rows of 2,000 characters, and while it is handed over the next one begins.
    assert peak < 30 << 20


def test_a_large_answer_that_breaks_at_its_end_hands_over_nothing():
    def broken() -> Iterator[bytes]:
        yield b"["
        for _ in range(10_000):
            yield json.dumps({"uraian": "x" * 2000}).encode() + b","

    with answering(Answer(pieces=broken)) as server:
        settings = settings_of(server.url, "isb")
        read = connectors.lpse.fetch(TENDERS, settings, settings.sources["lpse"], "2025")
        with pytest.raises(StructureError, match="get it again"):
            next(read)
    assert len(server.requests) == 2


@pytest.mark.parametrize("depth", [900, 90_000])
def test_a_row_nested_deep_is_that_rows_fault(depth):
    nested = f'{{"n": 2, "isi": {"[" * depth}{"]" * depth}}}'
    with answering(Answer(f'[{{"n": 1}}, {nested}, {{"n": 3}}]')) as server:
        first, deep, last = rows_of(isb(server.url))
    assert (first, last) == ({"n": 1}, {"n": 3})
    (mark,) = deep.values()
    assert list(deep) == ["__unreadable__"]
    assert isinstance(mark, dict)
    assert (mark["line"], mark["reason"], mark["text"][:20]) == (2, "nested too deep", nested[:20])
