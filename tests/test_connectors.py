"""SIRUP and LPSE over every access method: what is asked, what comes of each kind of answer, what an operator reads."""

import base64
import csv
import datetime as dt
import json
import logging
import os
import socket
import time
import traceback
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
import tenacity
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import connectors.lpse
import connectors.sirup
import schemas.lpse
import schemas.sirup
from connectors.transport import parse
from connectors.transport.http import LONGEST_WAIT
from connectors.transport.read import resumes
from pipeline.configure import load_settings
from schemas.errors import JejakError, SettingsError, SourceUnavailable, StructureError
from schemas.service import Page
from schemas.settings import ServiceSettings, Settings
from tests.answering import Answer, answering

SERVICES = {
    service.name: (source, connector, service)
    for source, connector, schema in (
        ("sirup", connectors.sirup, schemas.sirup),
        ("lpse", connectors.lpse, schemas.lpse),
    )
    for service in schema.SERVICES
}
KEY = "kunci-yang-tak-boleh-bocor"
TENDERS = "SPSE-TenderPengumuman"
ROW = {"kd_tender": 10000000001, "nama_paket": "Pembangunan Jalan Contoh"}


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The seconds of each wait between attempts; nobody waits them."""
    waited: list[float] = []
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=waited.append))
    return waited


def configured(**source: Any) -> Settings:
    """Settings of a regency that doesn't exist, both sources alike."""
    return Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2024, 2025], "sources": {"sirup": source, "lpse": source}}
    )  # fmt: skip


def fetch(name: str, settings: Settings, scope: str = "2025", cursor: str | None = None) -> list[Page]:
    """All pages of the service."""
    source, connector, service = SERVICES[name]
    return list(connector.fetch(service, settings, settings.sources[source], scope, cursor))


def rows_of(pages: list[Page]) -> list[dict[str, object]]:
    return [row for page in pages for row in page.rows]


def isb(url: str, **more: Any) -> Settings:
    return configured(transport="isb", url=url, api_key=KEY, **{"service_no": "0", **more})


def inaproc(url: str, **more: Any) -> Settings:
    return configured(transport="inaproc", url=f"{url}/api", token=KEY, **more)


def folder(path: Path, services: dict[str, Any] | None = None) -> Settings:
    return configured(transport="files", folder=str(path), services=services or {})


# --- ISB -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scope", "path"),
    [
        ("RUP-PaketPenyedia-Terumumkan", "2025", "RUP-PaketPenyedia-Terumumkan/tipe/4:12/parameter/2025:D999"),
        ("RUP-MasterSatker", "2025", "RUP-MasterSatker/tipe/12:12/parameter/D999:2025"),
        ("RUP-MasterProvinsi", "all", "RUP-MasterProvinsi/tipe/12/parameter/RUP-MasterProvinsi"),
        ("SPSE-TenderPengumuman", "2024", "SPSE-TenderPengumuman/tipe/4:4/parameter/2024:999"),
        ("SPSE-TenderEkontrak-4BAPBAST", "2025", "SPSE-TenderEkontrak-BAPBAST/tipe/4:4/parameter/2025:999"),
        ("Ecat-PaketEPurchasingV6", "2025", "Ecat-PaketEPurchasingV6/tipe/4:12/parameter/2025:D999"),
        ("Ecat-InstansiSatker", "2025", "Ecat-InstansiSatker/tipe/12/parameter/D999"),
        ("Ecat-MasterKabKota", "all", "Ecat-MasterKabKota/tipe/12/parameter/MasterKabKota"),
        ("Bela-TokoDaringRealisasi", "2025", "Bela-TokoDaringRealisasi/tipe/12:4/parameter/D999:2025"),
    ],
)
def test_isb_asks_each_service_in_its_own_order(name, scope, path):
    with answering(Answer([ROW])) as server:
        (page,) = fetch(name, isb(f"{server.url}/isb-2", services={name: {"service_no": "5352"}}), scope)
    assert server.paths == [f"/isb-2/api/{KEY}/json/5352/{path}"]
    assert (page.rows, page.cursor, page.observed_at) == ([ROW], None, None)
    assert KEY not in page.name


def test_isb_has_a_key_for_each_service():
    with answering(Answer(b"")) as server:
        fetch(TENDERS, isb(server.url, api_keys={TENDERS: "kunci-lain"}))
        fetch("SPSE-TenderSelesai", isb(server.url, api_keys={TENDERS: "kunci-lain"}))
    assert ["kunci-lain" in path for path in server.paths] == [True, False]


@pytest.mark.parametrize("body", [b"", b" \r\n", b"[]"])
def test_isb_says_nothing_where_there_are_no_rows(body):
    with answering(Answer(body)) as server:
        (page,) = fetch(TENDERS, isb(server.url))
    assert page.rows == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<!DOCTYPE html><title>Login</title>", "HTML"),
        ("<invalid_response>", "HTML or XML"),
        ("URL-NOT-DEFINED", "plain text"),
        ({"message": "no such service"}, "dict where a list"),
        ('[{"kd_tender": 1}, 2]', "row 2"),
    ],
)
def test_what_is_no_list_of_rows_fails_at_once(body, message, waits):
    with answering(Answer(body)) as server, pytest.raises(StructureError, match=message) as caught:
        fetch(TENDERS, isb(server.url, retries=3))
    assert len(server.requests) == 1
    assert waits == []
    assert TENDERS in str(caught.value)


@pytest.mark.parametrize(
    "body", ['[{"kd_tender": 1}, {"kd_te', "[" * 100_000, '[{"a": 1}] []', '[{"a": 1,}]', '{"a": 1']
)
def test_broken_json_is_asked_for_again_and_then_fails(body, waits):
    with answering(Answer(body)) as server, pytest.raises(StructureError, match="get it again"):
        fetch(TENDERS, isb(server.url, retries=2))
    assert len(server.requests) == 3
    assert len(waits) == 2


def test_a_source_that_recovers_is_read(waits):
    trouble = [Answer(status=500), Answer("<html>busy", status=503), Answer("[{"), Answer([ROW], promised=5000)]
    with answering(*trouble, Answer([ROW])) as server:
        assert rows_of(fetch(TENDERS, isb(server.url, retries=4))) == [ROW]
    assert len(server.requests) == 5
    assert all(wait > 0 for wait in waits)
    # Each wait is about twice the one before, less what chance takes off.
    assert waits[3] > waits[0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_source_that_stays_busy_is_unavailable(status):
    with answering(Answer(status=status)) as server, pytest.raises(SourceUnavailable, match=rf"{status}.*try again"):
        fetch(TENDERS, isb(server.url, retries=2))
    assert len(server.requests) == 3


def test_retries_can_be_switched_off(waits):
    with answering(Answer(status=503)) as server, pytest.raises(SourceUnavailable):
        fetch(TENDERS, isb(server.url, retries=0))
    assert len(server.requests) == 1
    assert waits == []


def test_retry_after_is_heard_in_seconds_and_as_a_date(waits):
    soon = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=120), usegmt=True)
    asked = ["7", soon, "-5", "segera", "nan", "inf"]
    busy = [Answer(status=429, headers={"Retry-After": value}) for value in asked]
    with answering(*busy, Answer([ROW])) as server:
        fetch(TENDERS, isb(server.url, retries=9))
    assert waits[0] >= 7
    assert 100 < waits[1] <= 120
    assert all(wait < 60 for wait in waits[2:])


@pytest.mark.parametrize(("asked", "attempts"), [("86400", 1), (str(LONGEST_WAIT // 2 - 1), 3)])
def test_a_source_that_asks_to_be_left_alone_for_long_is_left_alone(waits, asked, attempts):
    busy = Answer(status=503, headers={"Retry-After": asked})
    with answering(*[busy] * 9) as server, pytest.raises(SourceUnavailable, match=f"for {asked} s; try again later"):
        fetch(TENDERS, isb(server.url, retries=9))
    assert len(waits) == attempts - 1


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_source_out_of_reach_is_unavailable(waits):
    with pytest.raises(SourceUnavailable, match="nothing listens there; check host and port"):
        fetch(TENDERS, isb(f"http://127.0.0.1:{unused_port()}", retries=2))
    with pytest.raises(SourceUnavailable, match="host whose name is unknown"):
        fetch(TENDERS, isb("http://tidak-ada.invalid", retries=2))
    assert len(waits) == 4


@pytest.mark.parametrize("stops", [False, True])
def test_a_source_that_keeps_silent_is_unavailable(stops):
    late = Answer([ROW], delay=0.5, stops=stops)
    with answering(late) as server, pytest.raises(SourceUnavailable, match=r"within 0\.1 s"):
        fetch(TENDERS, isb(server.url, retries=1, timeout_seconds=0.1))
    assert len(server.requests) == 2


def test_patience_runs_out_twice_at_most(waits):
    """A source that accepts and never answers costs two time-outs, not as many as there are retries."""
    late = Answer([ROW], delay=0.5)
    busy = Answer(status=503)
    with answering(busy, late, busy, late) as server, pytest.raises(SourceUnavailable, match="raise timeout_seconds"):
        fetch(TENDERS, isb(server.url, retries=5, timeout_seconds=0.1))
    assert len(server.requests) == 4
    with answering(late, Answer([ROW])) as server:
        assert rows_of(fetch(TENDERS, isb(server.url, retries=5, timeout_seconds=0.1))) == [ROW]
    assert len(waits) == 4


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_names_the_variable_to_set(status, waits):
    with answering(Answer("<html>Cloudflare", status=status)) as server:
        with pytest.raises(SettingsError, match="JEJAK_SOURCES__LPSE__API_KEY"):
            fetch(TENDERS, isb(server.url))
        with pytest.raises(SettingsError, match="JEJAK_SOURCES__SIRUP__TOKEN"):
            fetch("RUP-MasterSatker", inaproc(server.url))
    assert waits == []


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        (configured(transport="isb", api_key=KEY), "JEJAK_SOURCES__LPSE__URL"),
        (configured(transport="isb", url="http://127.0.0.1:1"), "JEJAK_SOURCES__LPSE__API_KEY"),
        (configured(transport="inaproc"), "JEJAK_SOURCES__LPSE__TOKEN"),
        (configured(transport="sql"), "JEJAK_SOURCES__LPSE__TRANSPORT to inaproc, isb or files"),
        (configured(transport="files"), "JEJAK_DUMPS"),
    ],
)
def test_what_is_not_set_is_asked_for(settings, variable):
    with pytest.raises(SettingsError, match=variable):
        fetch(TENDERS, settings)


def test_a_yearly_list_needs_a_year():
    with pytest.raises(SettingsError, match="fiscal year"):
        fetch(TENDERS, isb("http://127.0.0.1:1"), scope="all")


FAILURES = {
    "refused key": [Answer(status=401)],
    "not found": [Answer(status=404)],
    "redirect": [Answer(status=302, headers={"Location": f"/login?next=/api/{KEY}/json"})],
    "bad request": [Answer(status=400)],
    "busy": [Answer(status=503)],
    "page that repeats the address": [Answer(f"<html>/api/{KEY}/json not found")],
    "text that repeats the address": [Answer(f"/api/{KEY}/json not found")],
    "truncated": [Answer(f'[{{"url": "{KEY}"')],
    "cut off": [Answer([ROW], promised=5000)],
    "silent": [Answer([ROW], delay=0.3)],
    "nobody there": [],
}


def failure_of(kind: str, transport: Callable[..., Settings], retries: int) -> JejakError:
    """The error of a fetch that fails in this way."""
    with answering(*(FAILURES[kind] or [Answer()])) as server:
        url = {"nobody there": f"http://127.0.0.1:{unused_port()}"}.get(kind, server.url)
        settings = transport(url, retries=retries, timeout_seconds=0.1 if kind == "silent" else 5)
        try:
            fetch(TENDERS, settings)
        except JejakError as error:
            return error
    raise AssertionError(f"{kind} did not fail")


@pytest.mark.parametrize("transport", [isb, inaproc])
@pytest.mark.parametrize("kind", FAILURES)
def test_no_failure_lets_the_key_out(kind, transport, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    error = failure_of(kind, transport, retries=1)
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    assert frames
    # What the most talkative handler shows: every frame below this file with its variables, and the chain of causes.
    found = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    for text in (str(error), repr(error), "".join(found.format()), caplog.text):
        assert KEY not in text
    assert error.__cause__ is None
    assert TENDERS in str(error) or "pengumuman" in str(error)


@pytest.mark.parametrize("inside", ["\r\nHost: lain", "\u2026"])
def test_a_token_that_fits_no_header_is_told_from_a_bad_network(inside):
    with answering(envelope([])) as server:
        settings = configured(transport="inaproc", url=server.url, token=f"{KEY}{inside}")
        with pytest.raises(SettingsError, match="JEJAK_SOURCES__LPSE__TOKEN") as caught:
            fetch(TENDERS, settings)
        assert KEY not in str(caught.value)
        # The line end that a file or a prompt leaves behind does no harm.
        fetch(TENDERS, configured(transport="inaproc", url=server.url, token=f"{KEY}\n"))
    assert [headers["authorization"] for _, headers in server.requests] == [f"Bearer {KEY}"]


def test_the_key_stays_out_of_the_logs_of_a_good_fetch(caplog):
    caplog.set_level(logging.DEBUG)
    with answering(Answer([ROW])) as server:
        fetch(TENDERS, isb(server.url))
    assert "/api/***/json/" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'[{"kd_tender": 123456789012345678901234567890}]', {"kd_tender": 123456789012345678901234567890}),
        (b'[{"nip": 9007199254740993, "hps": 16199917589.08}]', {"nip": 9007199254740993, "hps": 16199917589.08}),
        (b'[{"uraian": "satu\r\n\tdua\x00"}]', {"uraian": "satu\r\n\tdua\x00"}),
        (b'[{"nama": "caf\xe9 \xe2\x80\x93 kedai"}]', {"nama": "caf\u00e9 \u2013 kedai"}),
        (b'\xef\xbb\xbf[{"nama": "Kab. Contoh\xe2\x80\x8b"}]', {"nama": "Kab. Contoh\u200b"}),
        # What pandas writes for missing; a number that is none is left to the field that it stands in.
        (b'[{"pagu": NaN, "hps": 1e999, "a": -Infinity}]', {"pagu": None, "hps": "1e999", "a": "-Infinity"}),
        (b'[{"pagu": %s}]' % (b"9" * 5000), {"pagu": "9" * 5000}),
        # Of a key that comes twice the last value counts, and another one is seen.
        (b'[{"pagu": 1, "hps": 3, "pagu": 2, "hps": 3}]', {"pagu": 2, "hps": 3, "pagu.1": 1}),
    ],
)
def test_rows_come_as_they_were_written(body, read):
    with answering(Answer(body)) as server:
        assert rows_of(fetch(TENDERS, isb(server.url))) == [read]


# --- INAPROC ---------------------------------------------------------------------------------------------------------


def envelope(rows: object, cursor: object = None, **meta: Any) -> Answer:
    return Answer(
        {"success": True, "data": rows, "meta": {"limit": 2, "has_more": cursor is not None, "cursor": cursor} | meta}
    )


def query(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def cursors(name: str, settings: Settings, cursor: str | None = None) -> list[str | None]:
    return [page.cursor for page in fetch(name, settings, cursor=cursor)]


def test_inaproc_is_read_page_by_page():
    pages = [envelope(None, "a"), envelope([{"n": 1}, {"n": 2}], "b/+ ="), envelope([{"n": 3}])]
    with answering(*pages) as server:
        read = fetch(TENDERS, inaproc(server.url, page_size=2))
    assert [page.rows for page in read] == [[], [{"n": 1}, {"n": 2}], [{"n": 3}]]
    assert [page.cursor is None for page in read] == [False, False, True]
    assert {urlsplit(path).path for path in server.paths} == {"/api/v1/tender/pengumuman"}
    asked = {"kode_klpd": "D999", "tahun": "2025", "limit": "2"}
    assert [query(path) for path in server.paths] == [asked, asked | {"cursor": "a"}, asked | {"cursor": "b/+ ="}]
    assert {headers["authorization"] for _, headers in server.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("base", ["/api", "/api/", "/api/v1", "/api/legacy"])
def test_inaproc_has_one_address_however_it_is_written(base):
    with answering(envelope([]), Answer([])) as server:
        settings = configured(transport="inaproc", url=f"{server.url}{base}", token=KEY)
        fetch(TENDERS, settings)
        fetch("RUP-KegiatanMaster", settings)
    assert [urlsplit(path).path for path in server.paths] == [
        "/api/v1/tender/pengumuman",
        "/api/legacy/rup/kegiatan-master",
    ]


def test_inaproc_goes_on_from_a_cursor():
    with answering(envelope([{"n": 1}], "b"), envelope([{"n": 2}])) as server:
        first, _ = cursors(TENDERS, inaproc(server.url))
    with answering(envelope([{"n": 3}], "c"), envelope([{"n": 4}])) as server:
        read = fetch(TENDERS, inaproc(server.url), cursor=first)
    assert rows_of(read) == [{"n": 3}, {"n": 4}]
    assert [query(path)["cursor"] for path in server.paths] == ["b", "c"]


def test_every_digit_of_a_cursor_is_kept():
    encoded = base64.b64encode(b'{"id": 9228168332519836945}').decode()
    for cursor in (encoded, 9228168332519836945):
        with answering(envelope([{"n": 1}], cursor), envelope([{"n": 2}])) as server:
            fetch(TENDERS, inaproc(server.url))
        assert query(server.paths[1])["cursor"] == str(cursor)


def test_an_answer_without_meta_is_the_whole_list():
    with answering(Answer(b"\xef\xbb\xbf" + json.dumps({"success": True, "data": [ROW]}).encode())) as server:
        assert rows_of(fetch("RUP-ProgramMaster", inaproc(server.url))) == [ROW]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [[ROW], b"\xef\xbb\xbf" + json.dumps([ROW]).encode(), {"success": True, "data": [ROW]}]
)
def test_legacy_answers_with_the_bare_list(body):
    with answering(Answer(body)) as server:
        assert rows_of(fetch("SPSE-TenderEkontrak-4BAPBAST", inaproc(server.url))) == [ROW]
    (path,) = server.paths
    assert urlsplit(path).path == "/api/legacy/tender/tender-ekontrak-bapbast"
    assert query(path) == {"kode_klpd": "D999", "tahun": "2025"}


def test_every_list_of_inaproc_has_its_address():
    addresses = {**connectors.sirup.ADDRESSES, **connectors.lpse.ADDRESSES}
    assert {name for name, address in addresses.items() if address.endpoint is None} == {
        "RUP-MasterProvinsi",
        "RUP-MasterKabKota",
        "Ecat-MasterKabKota",
        "Ecat-MasterProvinsi",
    }
    assert {address.endpoint for address in addresses.values() if (address.endpoint or "").startswith("legacy/")} == {
        *(f"legacy/rup/{name}-lokasi" for name in ("paket-penyedia", "paket-swakelola")),
        *(f"legacy/rup/{name}" for name in ("kegiatan-master", "sub-kegiatan-master", "struktur-anggaran-pd")),
        *(
            f"legacy/tender/{kind}-ekontrak-{part}"
            for kind in ("tender", "non-tender")
            for part in ("sppbj", "spmkspp", "bapbast")
        ),
        "legacy/bela/toko-daring-realisasi",
    }


@pytest.mark.parametrize("begins", [lambda: 0, time.time], ids=["seconds", "moment"])
def test_a_used_up_limit_is_waited_for_before_the_next_request(begins, waits):
    reset = str(int(begins()) + 40)
    used_up = envelope([{"n": 1}], "a")
    used_up.headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    free = envelope([{"n": 2}], "b")
    free.headers = {"X-RateLimit-Remaining": "999", "X-RateLimit-Reset": reset}
    with answering(used_up, free, envelope([{"n": 3}])) as server:
        assert len(fetch(TENDERS, inaproc(server.url))) == 3
    (wait,) = waits
    assert 20 < wait <= 40


def test_the_next_list_waits_too_and_none_waits_for_hours(waits):
    used_up = envelope([{"n": 1}])
    used_up.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3600"}
    with answering(used_up) as server:
        fetch(TENDERS, inaproc(server.url))
        with pytest.raises(SourceUnavailable, match="used up for 3"):
            fetch("SPSE-TenderSelesai", inaproc(server.url))
    assert waits == []


def test_pages_before_a_failure_are_handed_over():
    source, connector, service = SERVICES[TENDERS]
    with answering(envelope([{"n": 1}], "a"), Answer(status=500)) as server:
        settings = inaproc(server.url, retries=1)
        pages = connector.fetch(service, settings, settings.sources[source], "2025")
        cursor = next(pages).cursor
        with pytest.raises(SourceUnavailable):
            next(pages)
    with answering(envelope([{"n": 2}])) as server:
        assert rows_of(fetch(TENDERS, inaproc(server.url), cursor=cursor)) == [{"n": 2}]
    assert query(server.paths[0])["cursor"] == "a"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([envelope([{"n": 1}], has_more=True)], "no cursor"),
        ([envelope([{"n": 1}], has_more=True, cursor="")], "no cursor"),
        ([envelope([{"n": 1}], "a"), envelope([{"n": 2}], "a")], "same cursor"),
        ([envelope([{"n": 1}], "a"), envelope([{"n": 2}], "b"), envelope([{"n": 3}], "a")], "same cursor"),
        ([envelope(None, "a"), envelope(None, "b")], "empty page"),
        ([Answer({"error": "Authorization field missing"})], 'failed .error.: "Authorization field missing"'),
        ([Answer({"data": [], "meta": {}})], "envelope"),
        ([Answer([])], "envelope"),
        ([Answer(b"")], "envelope"),
        ([Answer({"success": False, "data": None, "meta": {}})], "failed .success."),
        ([Answer({"success": True, "data": {"n": 1}, "meta": {}})], "dict where a list"),
        ([Answer(status=400)], "cursor may be too old"),
    ],
)
def test_an_envelope_that_leads_nowhere_fails(answers, message):
    with answering(*answers) as server, pytest.raises(StructureError, match=message):
        fetch(TENDERS, inaproc(server.url))


def test_a_cursor_given_back_by_its_own_page_fails():
    with answering(envelope([{"n": 1}], "b"), envelope([{"n": 2}])) as server:
        first, _ = cursors(TENDERS, inaproc(server.url))
    with answering(envelope([{"n": 3}], "b")) as server, pytest.raises(StructureError, match="same cursor"):
        fetch(TENDERS, inaproc(server.url), cursor=first)


def test_a_redirect_is_not_followed():
    with answering(Answer([ROW])) as elsewhere:
        moved = Answer(status=302, headers={"Location": elsewhere.url})
        with answering(moved) as server, pytest.raises(SettingsError, match="redirect"):
            fetch(TENDERS, inaproc(server.url))
        assert elsewhere.requests == []


def test_a_netrc_does_not_replace_the_token(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(envelope([]), Answer([])) as server:
        fetch(TENDERS, inaproc(server.url))
        fetch(TENDERS, isb(server.url))
    assert [headers.get("authorization") for _, headers in server.requests] == [f"Bearer {KEY}", None]


def test_what_inaproc_does_not_offer_yields_no_page():
    with answering(Answer(status=500)) as server:
        assert fetch("Ecat-MasterProvinsi", inaproc(server.url), "all") == []
        assert fetch("RUP-MasterProvinsi", inaproc(server.url), "all") == []
    assert server.requests == []


# --- files -----------------------------------------------------------------------------------------------------------

TABLE = [
    {"kd_tender": 10000000001, "kd_rup": "59000001;59000002", "nama_paket": "Jalan “Contoh” Utara", "hps": 150000000.5,
     "tgl_buat_paket": "2025-01-04 22:31:51", "ket_ditutup": None},
    {"kd_tender": 10000000002, "kd_rup": "59000003", "nama_paket": "Belanja; koma, dan \"kutip\"\nbaris dua",
     "hps": 200, "tgl_buat_paket": "2025-02-03 00:00:00", "ket_ditutup": "batal"},
]  # fmt: skip


def as_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")


def as_wrapped_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.with_suffix(".json").write_text(json.dumps({"success": True, "data": rows, "meta": {}}), encoding="utf-8-sig")


def as_json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.with_suffix(".jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def as_json_lines_called_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.with_suffix(".json").write_text("\r\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def as_csv(path: Path, rows: list[dict[str, Any]], encoding: str = "utf-8", delimiter: str = ",") -> None:
    with path.with_suffix(".csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def as_excel_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    as_csv(path, rows, "utf-8-sig", ";")


def as_windows_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    as_csv(path, rows, "cp1252", ";")


def as_xlsx(path: Path, rows: list[dict[str, Any]]) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.create_sheet("baris", 0)
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(
            [dt.datetime.fromisoformat(value) if name.startswith("tgl") else value for name, value in row.items()]
        )
    workbook.save(path.with_suffix(".xlsx"))


FORMATS = [
    as_json,
    as_wrapped_json,
    as_json_lines,
    as_json_lines_called_json,
    as_csv,
    as_excel_csv,
    as_windows_csv,
    as_xlsx,
]


@pytest.mark.parametrize("write", FORMATS)
def test_a_dump_means_the_same_in_every_format(write, tmp_path):
    write(tmp_path / TENDERS, TABLE)
    (page,) = fetch(TENDERS, folder(tmp_path))
    model = SERVICES[TENDERS][2].model
    assert [model.model_validate(row) for row in page.rows] == [model.model_validate(row) for row in TABLE]
    (path,) = tmp_path.iterdir()
    assert page.name == path.name


def test_a_dump_is_as_old_as_its_file(tmp_path):
    as_json(tmp_path / TENDERS, TABLE)
    os.utime(tmp_path / f"{TENDERS}.json", (0, dt.datetime(2025, 10, 3, 12, tzinfo=dt.UTC).timestamp()))
    (page,) = fetch(TENDERS, folder(tmp_path))
    assert page.observed_at == "2025-10-03T12:00:00Z"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("SPSE-TenderPengumuman", "SPSE-TenderPengumuman"),
        ("SPSE-TenderPengumuman", "TenderPengumuman"),
        ("SPSE-TenderPengumuman", "spse-tenderpengumuman2025"),
        ("SPSE-TenderPengumuman", "SPSE-TenderPengumuman_2025"),
        ("SPSE-TenderEkontrak-2Kontrak", "44_1073_SPSE-TenderEkontrak-2Kontrak"),
        ("SPSE-TenderEkontrak-2Kontrak", "SPSE-TenderEkontrak-Kontrak"),
        ("SPSE-TenderEkontrak-2Kontrak", "TenderEkontrak-Kontrak"),
        ("RUP-PaketPenyedia-Terumumkan", "PaketPenyedia-Terumumkan"),
        ("Ecat-PaketEPurchasingV6", "PaketEPurchasingV6"),
    ],
)
def test_a_dump_is_found_under_its_usual_names(name, stem, tmp_path):
    as_json(tmp_path / stem, [ROW])
    assert rows_of(fetch(name, folder(tmp_path))) == [ROW]


def test_a_service_without_a_file_yields_no_page(tmp_path):
    as_json(tmp_path / "SPSE-TenderPengumuman2024", TABLE)
    (tmp_path / f"{TENDERS}.txt").write_text("[]")
    (tmp_path / f"{TENDERS}.json").mkdir()
    assert fetch(TENDERS, folder(tmp_path)) == []


def test_the_whole_name_comes_before_the_short_one(tmp_path):
    as_json(tmp_path / "RUP-MasterKabKota", [{"kd_kabkota": 1}])
    as_json(tmp_path / "Ecat-MasterKabKota", [{"kd_kabupaten": 2}])
    assert rows_of(fetch("RUP-MasterKabKota", folder(tmp_path), "all")) == [{"kd_kabkota": 1}]
    assert rows_of(fetch("Ecat-MasterKabKota", folder(tmp_path), "all")) == [{"kd_kabupaten": 2}]


def test_two_files_for_one_service_need_a_choice(tmp_path):
    as_json(tmp_path / TENDERS, TABLE)
    as_csv(tmp_path / TENDERS, TABLE)
    with pytest.raises(SettingsError, match="several files"):
        fetch(TENDERS, folder(tmp_path))
    chosen = folder(tmp_path, {TENDERS: {"file": f"{TENDERS}.csv"}})
    assert [page.name for page in fetch(TENDERS, chosen)] == [f"{TENDERS}.csv"]


def test_a_glob_reads_all_its_files_in_order(tmp_path):
    (tmp_path / "sub").mkdir()
    for month in ("02", "01"):
        as_json(tmp_path / "sub" / f"tender-2025-{month}", [{"bulan": month}])
    settings = folder(tmp_path, {TENDERS: {"file": "sub/tender-{year}-*.json"}})
    read = fetch(TENDERS, settings)
    assert [(page.name, page.rows, page.cursor) for page in read] == [
        ("tender-2025-01.json", [{"bulan": "01"}], "1"),
        ("tender-2025-02.json", [{"bulan": "02"}], None),
    ]


def test_dumps_may_lie_in_a_folder_a_year(tmp_path):
    for year in ("2024", "2025"):
        (tmp_path / year).mkdir()
        as_json(tmp_path / year / TENDERS, [{"tahun_anggaran": year}])
        as_json(tmp_path / year / "RUP-MasterProvinsi", [{"dari": year}])
    settings = folder(tmp_path / "{year}")
    assert rows_of(fetch(TENDERS, settings, "2024")) == [{"tahun_anggaran": "2024"}]
    # A list without years is read where the newest one lies.
    assert rows_of(fetch("RUP-MasterProvinsi", settings, "all")) == [{"dari": "2025"}]


def test_the_folder_of_dumps_serves_sources_without_one(tmp_path):
    as_json(tmp_path / TENDERS, TABLE)
    settings = configured(transport="files").model_copy(update={"dumps": str(tmp_path)})
    assert len(rows_of(fetch(TENDERS, settings))) == 2


def test_a_folder_that_is_not_there_is_no_absent_service(tmp_path):
    with pytest.raises(SettingsError, match="JEJAK_DUMPS"):
        fetch(TENDERS, folder(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="absolute"):
        fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": str(tmp_path / "x.json")}}))
    (tmp_path / "tender.pdf").write_bytes(b"%PDF")
    with pytest.raises(SettingsError, match="convert it"):
        fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": "tender.pdf"}}))


def test_what_is_read_whole_comes_in_pages_and_begins_anew(tmp_path):
    rows = [{"kd_tender": number} for number in range(12001)]
    as_json(tmp_path / TENDERS, rows)
    with answering(Answer(rows)) as server:
        for settings in (folder(tmp_path), isb(server.url)):
            pages = fetch(TENDERS, settings)
            assert [(len(page.rows), page.cursor) for page in pages] == [(5000, "5000"), (5000, "10000"), (2001, None)]
            assert rows_of(pages) == rows
            with pytest.raises(StructureError, match="begins anew"):
                fetch(TENDERS, settings, cursor="10000")
    assert [resumes(way) for way in ("inaproc", "rest", "sipd", "isb", "files", "sql")] == [True] * 3 + [False] * 3


@pytest.mark.parametrize("name", [f"{TENDERS}.json", f"{TENDERS}.jsonl", f"{TENDERS}.csv"])
def test_an_empty_file_is_an_empty_answer(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    (page,) = fetch(TENDERS, folder(tmp_path))
    assert (page.rows, page.cursor) == ([], None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", b"<html>login</html>", "HTML"),
        ("x.csv", b"\n <!DOCTYPE html>", "HTML"),
        ("x.xlsx", b"<html><table>", "workbook"),
        ("x.json", b'[{"kd_tender": 1}, {', "breaks at character"),
        ("x.jsonl", b"\n<html>", "HTML"),
        ("x.json", b'{"kd_tender": 1}', "dict where a list"),
        ("x.json", b'{"a": [], "b": []}', "dict where a list"),
        ("x.json", b"[1]", "row 1"),
        ("x.parquet", b"PAR1", "Parquet"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_fails(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StructureError, match=message) as caught:
        fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": name}}))
    assert name in str(caught.value)


def test_cells_that_slipped_out_of_their_columns_are_seen(tmp_path):
    (tmp_path / f"{TENDERS}.csv").write_text("kd_tender,,nama,nama\n1,x,a,b\n2,,a,b,tambahan\n\n3\n")
    assert rows_of(fetch(TENDERS, folder(tmp_path))) == [
        {"kd_tender": "1", "column.2": "x", "nama": "a", "nama.4": "b"},
        {"kd_tender": "2", "nama": "a", "nama.4": "b", "column.5": "tambahan"},
        {"kd_tender": "3", "nama": None, "nama.4": None},
    ]


def test_a_workbook_gives_plain_values(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.create_sheet("tender")
    sheet.append([" kd_tender ", "hps", "lengkap", "tanggal", "jam", "kosong", None])
    sheet.append([5.0, 1.5, True, dt.date(2018, 5, 1), dt.time(7, 30), None, None])
    sheet.append([None] * 7)
    sheet.append([10**14, "teks", None, dt.datetime(2018, 5, 1, 7, 30), None, None, None])  # noqa: DTZ001
    workbook.save(tmp_path / "buku.xlsx")
    rows = rows_of(fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": "buku.xlsx", "sheet": "tender"}})))
    assert rows == [
        {"kd_tender": 5, "hps": 1.5, "lengkap": True, "tanggal": "2018-05-01 00:00:00", "jam": "07:30:00",
         "kosong": None},
        {"kd_tender": 10**14, "hps": "teks", "lengkap": None, "tanggal": "2018-05-01 07:30:00", "jam": None,
         "kosong": None},
    ]  # fmt: skip
    assert type(rows[0]["kd_tender"]) is int
    with pytest.raises(SettingsError, match="Sheet, tender"):
        fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": "buku.xlsx", "sheet": "Tender"}}))


MAPPING = {
    "file": "sheet.csv",
    "columns": {
        "kd_tender": "kode_lelang",
        "nilai_penawaran": "harga_penawaran",
        "mtd_pemilihan": {"column": "sistem", "split": " - ", "part": 0},
        "mtd_evaluasi": {"column": "sistem", "split": " - ", "part": 2},
        "tahun_anggaran": "tahun_ang",
        "sumber_dana": {"column": "tahun_anggaran", "split": " ", "part": 0},
    },
    "constants": {"kd_lpse": "999"},
    "ignore": ["keterangan"],
}


def test_columns_are_mapped_split_added_and_left_out(tmp_path):
    (tmp_path / "sheet.csv").write_text(
        "kode_lelang, harga_penawaran,sistem,tahun_ang,tahun_anggaran,keterangan,satker\n"
        "7,100,Tender - Pascakualifikasi Satu File - Harga Terendah,2019,APBD 2019,x,DINAS CONTOH\n"
        "8,,Tender Cepat,2020,,,\n"
    )
    assert rows_of(fetch(TENDERS, folder(tmp_path, {TENDERS: MAPPING}))) == [
        {"kd_tender": "7", "nilai_penawaran": "100", "mtd_pemilihan": "Tender", "mtd_evaluasi": "Harga Terendah",
         "tahun_anggaran": "2019", "sumber_dana": "APBD", "satker": "DINAS CONTOH", "kd_lpse": "999"},
        {"kd_tender": "8", "nilai_penawaran": "", "mtd_pemilihan": "Tender Cepat", "mtd_evaluasi": None,
         "tahun_anggaran": "2020", "sumber_dana": "", "satker": "", "kd_lpse": "999"},
    ]  # fmt: skip


def test_a_mapped_column_that_is_gone_fails_by_name(tmp_path):
    (tmp_path / "sheet.csv").write_text("kode_lelang,sistem,tahun_anggaran\n7,Tender,APBD 2019\n")
    with pytest.raises(StructureError, match="harga_penawaran, tahun_ang"):
        fetch(TENDERS, folder(tmp_path, {TENDERS: MAPPING}))


def test_the_blanks_around_names_in_json_are_dropped_too(tmp_path):
    as_json(tmp_path / TENDERS, [{" kd_tender": 1, "pagu ": 2}])
    assert rows_of(fetch(TENDERS, folder(tmp_path))) == [{"kd_tender": 1, "pagu": 2}]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6), delimiter=st.sampled_from(",;\t"))
def test_any_csv_reads_back_as_written(rows, delimiter, tmp_path):
    written = [{"kd": f"#{first}", "nama": second, "ket": third} for first, second, third in rows]
    as_csv(tmp_path / TENDERS, written, delimiter=delimiter)
    nothing = {"null", "Null", "NULL", "(null)", "(NULL)", "<null>", "<NULL>", "\\N", "None", "nan", "NaN", "#N/A"}
    assert rows_of(fetch(TENDERS, folder(tmp_path))) == [
        {name: None if value in nothing else value for name, value in row.items()} for row in written
    ]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), st.integers() | TEXT | st.none(), min_size=1), max_size=5))
def test_any_json_reads_back_as_written(rows, tmp_path):
    as_json(tmp_path / TENDERS, rows)
    assert rows_of(fetch(TENDERS, folder(tmp_path))) == rows
    as_json_lines(tmp_path / "baris", rows)
    assert rows_of(fetch(TENDERS, folder(tmp_path, {TENDERS: {"file": "baris.jsonl"}}))) == rows


@pytest.mark.parametrize("piece", [50, 700, 20_000])
def test_json_that_is_read_in_pieces_reads_back_as_written(piece, monkeypatch, tmp_path):
    monkeypatch.setattr(parse, "_KEPT", 0)
    monkeypatch.setattr(parse, "_PIECE", piece)
    # Among plain rows such as the fast parser can't read, or reads otherwise.
    strange = ["},{", {"b": [{"c": 1}, {"c": 2}]}, 2**70, "raw\n\tline ends", '":', None, -1.5]
    rows = [{"n": n, "a": strange[n // 9 % 7] if n % 9 == 0 else "kata, " * (n % 5)} for n in range(500)]
    body = json.dumps(rows).replace("\\n", "\n").replace("\\t", "\t")
    path = tmp_path / f"{TENDERS}.json"
    for text in (body, f'{{"meta": {{"a": [{{}}, {{}}]}}, "data": {body}, "after": 1}}'):
        path.write_text(text)
        assert rows_of(fetch(TENDERS, folder(tmp_path))) == rows
    path.write_text(body[:-2])
    with pytest.raises(StructureError, match="breaks at character"):
        fetch(TENDERS, folder(tmp_path))


# --- the settings files ----------------------------------------------------------------------------------------------

SETTINGS = Path(__file__).parents[1] / "settings"
SHEETS = Path(__file__).parents[2] / "shared" / "data" / "lpse-bojonegoro"


@pytest.mark.parametrize("path", sorted(SETTINGS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_settings_file_is_valid_and_names_services_that_exist(path):
    settings = load_settings(str(path))
    for name, source in settings.sources.items():
        assert set(source.services) <= {service for service, (owner, *_) in SERVICES.items() if owner == name}
        for service, options in source.services.items():
            fields = SERVICES[service][2].model.model_fields
            assert set(options.columns) | set(options.constants) <= set(fields)


@pytest.mark.skipif(not SHEETS.is_dir(), reason="the spreadsheet of Bojonegoro's tenders is not beside the repository")
def test_every_column_and_row_of_the_spreadsheet_is_accounted_for(monkeypatch):
    monkeypatch.setenv("JEJAK_DUMPS", str(SHEETS))
    settings = load_settings(str(SETTINGS / "bojonegoro-sheets.toml"))
    workbook = openpyxl.load_workbook(SHEETS / "tender-2018.xlsx", read_only=True)
    header = {str(cell).strip() for cell in next(workbook.worksheets[0].iter_rows(values_only=True))}
    for name in (TENDERS, "SPSE-TenderSelesaiNilai"):
        rows = rows_of(fetch(name, settings, str(settings.fiscal_years[0])))
        assert len(rows) == 1354
        records = [SERVICES[name][2].model.model_validate(row) for row in rows]
        assert not any(record.model_extra for record in records)
        options = settings.sources["lpse"].service(name)
        used = {column if isinstance(column, str) else column.column for column in options.columns.values()}
        assert used.isdisjoint(options.ignore)
        assert used | set(options.ignore) == header
    assert {name for name, (owner, *_) in SERVICES.items() if owner == "lpse" and fetch(name, settings)} == {
        TENDERS,
        "SPSE-TenderSelesaiNilai",
    }


def test_options_of_a_service_default_to_nothing_special():
    assert configured().sources["lpse"].service(TENDERS) == ServiceSettings()
