"""The world over HTTP on this machine: as LKPP's ISB, as INAPROC, as the regency's own systems, as SIPD-RI, and with an
interface of its own.

- `/isb-2/api/{key}/json/{service_no}/{service}/tipe/{types}/parameter/{values}`: a bare JSON array, empty body for no
  rows, words instead of JSON for errors; `/isb-2/api/satudata/MasterKLPD` and `/MasterLPSE` without a key
- `/api/v1/{endpoint}`: bearer token; `kode_klpd`, `tahun`, `limit` (1 by default), `cursor`; an envelope.
  `/api/legacy/{endpoint}`: the same token, `kode_klpd`, `tahun`; a bare array. Both count requests
- `/musrenbang/api/{usulan,pokir}`, `/simpen/api/{pekerjaan,progres,dokumentasi}`: `tahun`, pages by number as Laravel
  gives them; `/dokumen/api/dokumen`: `tahun`, a bare array; a bearer token may be given, and must then be right
- `/sipd/{path}`: bearer token; `tahun`, `page`, `limit`; bare arrays, the total in `x-pagination-total-count`
- `/_simulator/...`, for loopback only: POST `advance` {days, change_share}; POST, GET, DELETE `faults`; GET `truth`;
  GET, DELETE `requests`
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import socket
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from simulator import names, sipd
from simulator.faults import ERROR_OBJECTS, Fault, Faults, page_of, parse, spoil
from simulator.inaproc import BOM, LEGACY, V1, read_cursor, reshaped, write_cursor
from simulator.rendering import Row
from simulator.services import LKPP, SERVICES
from simulator.simda_database import Case, write_simda
from simulator.truth import truth
from simulator.world import World

_ISB = re.compile(r"/isb(?:-2)?/api/([^/]+)/json/([^/]+)/([^/]+)(?:/tipe/[^/]*)?(?:/parameter/([^/]*))?/?")
_PUBLIC = re.compile(r"/isb(?:-2)?/api/satudata/(MasterKLPD|MasterLPSE)/?")
_INAPROC = re.compile(r"/api/(v1|legacy)/(.+?)/?")
# ISB names the contract documents without the number that their dumps carry.
_ISB_NAMES = {re.sub(r"-\d(?=[A-Z])", "-", name): name for name in LKPP} | {name: name for name in LKPP}
LOCAL_PATHS = {
    "/musrenbang/api/usulan": "Musrenbang-Usulan",
    "/musrenbang/api/pokir": "Musrenbang-Pokir",
    "/simpen/api/pekerjaan": "SIMPEN-Pekerjaan",
    "/simpen/api/progres": "SIMPEN-Progres",
    "/simpen/api/dokumentasi": "SIMPEN-Dokumentasi",
    "/dokumen/api/dokumen": "Dokumen-Perencanaan",
}
"""Where the regency's own systems answer, and with which service's rows."""
PER_PAGE = 500

_PAGE = b"<!DOCTYPE html><html><head><title>503</title></head><body><h1>Layanan dalam pemeliharaan</h1></body></html>"


class Simulator(ThreadingHTTPServer):
    """The server of one world. `requests` tells what was asked for, without keys and tokens."""

    daemon_threads = True

    def __init__(
        self, world: World, host: str, port: int, api_key: str, token: str, simda_url: str | None, simda_case: Case
    ) -> None:
        self.world = world
        self._simda = (simda_url, simda_case)
        self.api_key = api_key
        self.token = token
        self.faults = Faults()
        self.requests: list[dict[str, Any]] = []
        # One request renders or advances the world at a time.
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._answers: dict[tuple[str, int], list[Row]] = {}
        # Requests that INAPROC takes a minute; when the running one began, and how many there were.
        self.per_minute = 1000
        self._minute, self._asked = 0.0, 0
        self._write_simda()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """`http://host:port`, with the port that was free where 0 was asked for."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def rows(self, service: str, year: int) -> list[Row]:
        """Today's answer of a service."""
        return self.kept(service, year, lambda: self.world.rows(service, year))

    def kept(self, name: str, year: int, make: Callable[[], list[Row]]) -> list[Row]:
        """Rows that are made once and kept until the next day."""
        with self.lock:
            key = (name, year)
            if key not in self._answers:
                self._answers[key] = make()
            return self._answers[key]

    def count_request(self) -> Mapping[str, str]:
        """INAPROC's headers after one more request: how many there may be a minute, are left, and when all are again
        (seconds since 1970). None are left: this one is too many where Retry-After is among the headers."""
        with self.lock:
            now = time.time()
            if now >= self._minute + 60:
                self._minute, self._asked = now, 0
            self._asked += 1
            left = self.per_minute - self._asked
            reset = self._minute + 60
            headers = {
                "X-RateLimit-Limit": str(self.per_minute),
                "X-RateLimit-Remaining": str(max(0, left)),
                "X-RateLimit-Reset": str(int(reset) + 1),
            }
            return headers if left >= 0 else headers | {"Retry-After": str(int(reset - now) + 1)}

    def advance(self, days: int, change_share: float) -> dict[str, Any]:
        """Move the world on; see `World.advance`."""
        with self.lock:
            self._answers.clear()
            happened = self.world.advance(days, change_share)
            self._write_simda()
            return happened

    def _write_simda(self) -> None:
        url, case = self._simda
        if url is not None:
            write_simda(self.world, url, case)

    def server_close(self) -> None:
        self.closing.set()
        super().server_close()


def serve(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str = "simulator",
    token: str = "simulator",
    simda_url: str | None = None,
    simda_case: Case = "as documented",
) -> Simulator:
    """A bound server that answers once its `serve_forever` runs; port 0 takes a free one (`server.url`).

    With `simda_url` SIMDA's database is there too, and moves on with the world (see `write_simda`).
    Raises OSError where the port is taken.
    """
    return Simulator(world, host, port, api_key, token, simda_url, simda_case)


@contextmanager
def running(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str = "simulator",
    token: str = "simulator",
    simda_url: str | None = None,
    simda_case: Case = "as documented",
) -> Iterator[Simulator]:
    """A server that answers from a thread of its own until the block is left."""
    server = serve(world, host, port, api_key, token, simda_url, simda_case)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out as one packet, which spares a client the delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def simulator(self) -> Simulator:
        return cast(Simulator, self.server)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing goes to the terminal: a path may hold a key."""

    def _answer(self) -> None:
        # Read in any case: what is left of a body would be taken for the next request.
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if path.startswith("/_simulator/"):
            self._control(path.removeprefix("/_simulator/"), body)
        elif self.command != "GET":
            self._send(405, b"", "text/plain")
        elif public := _PUBLIC.fullmatch(path):
            self._public(public[1])
        elif isb := _ISB.fullmatch(path):
            self._isb(isb[1], isb[2], isb[3], isb[4] or "")
        elif inaproc := _INAPROC.fullmatch(path):
            self._inaproc(inaproc[1], inaproc[2], query)
        elif path.startswith("/sipd/"):
            self._sipd(path.removeprefix("/sipd/").rstrip("/"), query)
        elif service := LOCAL_PATHS.get(path.rstrip("/")):
            self._local(path.rstrip("/"), service, query)
        else:
            self._send(404, b"URL-NOT-DEFINED", "text/plain")

    # --- ISB ------------------------------------------------------------------------------------------------------

    def _isb(self, key: str, number: str, name: str, parameter: str) -> None:
        simulator, world = self.simulator, self.simulator.world
        service = _ISB_NAMES.get(name)
        if service is None:
            self._send(404, b"URL-NOT-DEFINED", "text/plain", log=f"isb {name}")
            return
        if key != simulator.api_key:
            self._send(200, b"<invalid_response>", "text/plain", log=f"isb {name}")
            return
        values = parameter.split(":")
        year = next((int(value) for value in values if re.fullmatch(r"20\d\d", value)), world.year)
        bodies = {value for value in values if not re.fullmatch(r"20\d\d", value)}
        known = {world.kd_klpd, world.kd_lpse, str(int(world.kd_lpse))}
        ours = not SERVICES[service].yearly or bodies <= known
        rows = simulator.rows(service, year) if ours else []
        shown = f"isb {service} (service_no {number}) {parameter}"
        fault = simulator.faults.take((service, name, "isb"))
        if fault:
            rows = _bare(spoil(rows, fault, SERVICES[service].code), fault)
        self._send(200, _encode(rows) if rows else b"", "application/json", fault, shown, len(rows))

    def _public(self, name: str) -> None:
        world = self.simulator.world
        rows = {
            "MasterKLPD": [
                {
                    "kd_klpd": world.kd_klpd,
                    "nama_klpd": names.REGENCY,
                    "jenis_klpd": "KABUPATEN",
                    "kd_provinsi": 901,
                    "kd_kabupaten": 990_001,
                },
                {
                    "kd_klpd": "B999",
                    "nama_klpd": "BUMD Rekaan",
                    "jenis_klpd": "BUMD",
                    "kd_provinsi": 901,
                    "kd_kabupaten": 990_001,
                },
            ],
            "MasterLPSE": [
                {"kd_lpse": int(world.kd_lpse), "nama_lpse": names.LPSE, "_event_date": world.today.isoformat()}
            ],
        }[name]
        fault = self.simulator.faults.take((name, "isb"))
        self._send(200, orjson.dumps(rows), "application/json", fault, f"isb {name}", len(rows))

    # --- INAPROC --------------------------------------------------------------------------------------------------

    def _inaproc(self, way: str, path: str, query: dict[str, str]) -> None:
        simulator, world = self.simulator, self.simulator.world
        shown = f"inaproc {'' if way == 'v1' else 'legacy/'}{path}"
        headers = simulator.count_request()
        endpoint = (V1 if way == "v1" else LEGACY).get(path)

        def refuse(status: int, code: str, message: str) -> None:
            body = {
                "success": False,
                "error": {"code": code, "message": message, "details": None},
                "meta": {"request_id": str(uuid.uuid4())},
            }
            self._send(status, orjson.dumps(body), "application/json", log=shown, headers=headers)

        given = self.headers.get("Authorization", "")
        if not given:
            return refuse(401, "UNAUTHORIZED", "Authorization field missing")
        if given != f"Bearer {simulator.token}":
            return refuse(401, "UNAUTHORIZED", "invalid token")
        if "Retry-After" in headers:
            return refuse(429, "RATE_LIMIT_EXCEEDED", "too many requests")
        if endpoint is None:
            return refuse(404, "NOT_FOUND", "endpoint not found")
        try:
            limit = int(query.get("limit", "1"))
            offset, page = read_cursor(query["cursor"]) if query.get("cursor") else (0, 1)
            # A tender's code is enough to ask for it.
            alone = way == "v1" and path == "tender/pengumuman" and "kd_tender" in query
            years = world.years if alone and "tahun" not in query else [int(query["tahun"])]
        except (KeyError, ValueError):
            return refuse(400, "BAD_REQUEST", "invalid limit, cursor or tahun")
        if not 1 <= limit <= 1000:
            return refuse(400, "BAD_REQUEST", "limit must be between 1 and 1000")

        def answer(year: int) -> list[Row]:
            return simulator.kept(
                f"{way} {path}",
                year,
                lambda: [reshaped(row, position) for position, row in enumerate(endpoint.answer(world, year))],
            )

        rows: list[Row] = []
        if query.get("kode_klpd", world.kd_klpd if alone else "") == world.kd_klpd:
            rows = [row for year in years for row in answer(year)]
        for field in ("kd_tender", "jenis_paket"):
            if field in query:
                rows = [row for row in rows if str(row.get(field)) == query[field]]
        fault = simulator.faults.take((path, endpoint.service, "inaproc", f"{way}/{path}"), page)
        if fault:
            rows = spoil(rows, fault, endpoint.code or SERVICES[endpoint.service].code)
        shown = f"{shown} {years[-1]}"
        if way == "legacy":
            rows = _bare(rows, fault)
            body = (BOM if endpoint.marked else b"") + _encode(rows)
            self._send(200, body, "application/json", fault, shown, len(rows), headers)
            return None
        # It is another at each request and says nothing.
        now = dt.datetime.combine(world.today, dt.time(6)) + dt.timedelta(microseconds=time.monotonic_ns() // 1000)
        part, following, total = page_of(rows, offset, len(rows) + 1 if endpoint.whole else limit, fault)
        envelope: dict[str, Any] = {
            "success": True,
            "data": [row | {"last_update_ref": now.isoformat()} for row in part] or None,
        }
        if not endpoint.whole:
            envelope["meta"] = {
                "limit": limit,
                "has_more": following is not None,
                "cursor": "" if following is None else write_cursor(following, page + 1),
            }
            if fault and fault.kind == "wrong_total":
                envelope["meta"]["total"] = total
        self._send(200, _encode(envelope), "application/json", fault, f"{shown} page {page}", len(part), headers)
        return None

    # --- the regency's own systems, and SIPD-RI -------------------------------------------------------------------

    def _refuse(self, status: int, error: str, shown: str) -> None:
        self._send(status, orjson.dumps({"error": error}), "application/json", log=shown)

    def _local(self, path: str, service: str, query: dict[str, str]) -> None:
        simulator = self.simulator
        system = path.split("/")[1]
        shown = f"{system} {service}"
        if self.headers.get("Authorization") not in (None, "", f"Bearer {simulator.token}"):
            self._refuse(401, "Unauthenticated.", shown)
            return
        try:
            year, page = int(query.get("tahun") or simulator.world.year), int(query.get("page") or 1)
        except ValueError:
            self._refuse(422, "The given data was invalid.", shown)
            return
        rows = simulator.rows(service, year)
        fault = simulator.faults.take((service, system), page)
        if fault:
            rows = spoil(rows, fault, SERVICES[service].code)
        if system == "dokumen":
            rows = _bare(rows, fault)
            self._send(200, _encode(rows), "application/json", fault, f"{shown} {year}", len(rows))
            return
        part, following, total = page_of(rows, (page - 1) * PER_PAGE, PER_PAGE, fault)
        address = f"http://{self.headers.get('Host')}{path}?tahun={year}&page="
        envelope = {
            "current_page": page,
            "data": part,
            "next_page_url": None if following is None else f"{address}{following // PER_PAGE + 1}",
            "last_page": max(1, -(-total // PER_PAGE)),
            "per_page": PER_PAGE,
            "total": total,
        }
        self._send(200, _encode(envelope), "application/json", fault, f"{shown} {year} page {page}", len(part))

    def _sipd(self, path: str, query: dict[str, str]) -> None:
        simulator, world = self.simulator, self.simulator.world
        shown = f"sipd {path}"
        if self.headers.get("Authorization") != f"Bearer {simulator.token}":
            self._refuse(401, "Unauthorized", shown)
            return
        try:
            year = int(query.get("tahun") or world.year)
            page, limit = int(query.get("page") or 1), int(query.get("limit") or 10)
        except ValueError:
            page = limit = year = 0
        if page < 1 or limit < 1:
            self._refuse(400, "page, limit or tahun is no number above 0", shown)
            return
        with simulator.lock:
            found = sipd.answer(world, path, year, query)
        if found is None:
            self._refuse(404, "not found", shown)
            return
        fault = simulator.faults.take((path, "sipd"), page)
        if isinstance(found, dict):
            self._send(200, _encode(found), "application/json", fault, shown)
            return
        rows = spoil(found, fault, "nomor_sp_2_d") if fault else found
        part, _, total = page_of(rows, (page - 1) * limit, limit, fault)
        headers = {"x-pagination-total-count": str(total)}
        self._send(200, _encode(part), "application/json", fault, f"{shown} {year} page {page}", len(part), headers)

    # --- the simulator's own interface ----------------------------------------------------------------------------

    def _control(self, what: str, body: bytes) -> None:
        simulator = self.simulator
        if not ipaddress.ip_address(self.client_address[0]).is_loopback:
            self._json({"error": "only from this machine"}, 403)
            return
        try:
            asked = orjson.loads(body) if body else {}
            match self.command, what:
                case "POST", "advance":
                    days, share = asked.get("days", 1), asked.get("change_share", 0.01)
                    self._json(simulator.advance(int(days), float(share)))
                case "POST", "faults":
                    simulator.faults.add(*parse(asked))
                    self._json(simulator.faults.listed())
                case "GET", "faults":
                    self._json(simulator.faults.listed())
                case "DELETE", "faults":
                    simulator.faults.clear()
                    self._json([])
                case "GET", "requests":
                    self._json(simulator.requests)
                case "DELETE", "requests":
                    simulator.requests.clear()
                    self._json([])
                case "GET", "truth":
                    with simulator.lock:
                        told = truth(simulator.world)
                    self._json(told)
                case _:
                    self._json({"error": "no such thing here"}, 404)
        except (ValueError, TypeError, AttributeError) as error:
            self._json({"error": str(error)}, 400)

    def _json(self, value: object, status: int = 200) -> None:
        self._write(status, orjson.dumps(value), "application/json")

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str,
        fault: Fault | None = None,
        log: str = "",
        rows: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer, unless the fault has it otherwise, and note in the log what was sent."""
        simulator = self.simulator
        noted = {"method": self.command, "asked": log, "status": status, "rows": rows}
        simulator.requests.append({**noted, "fault": fault.kind if fault else None})
        if fault is None:
            self._write(status, body, kind, headers)
            return
        assert fault.seconds is not None
        match fault.kind:
            case "html":
                self._write(200, _PAGE, "text/html")
            case "error_object":
                self._write(200, orjson.dumps(ERROR_OBJECTS[fault.wording]), "application/json", headers)
            case "truncated":
                self._write(status, body[: len(body) // 2], kind, headers)
            case "status":
                simulator.requests[-1]["status"] = fault.status
                self._write(fault.status, _PAGE, "text/html")
            case "rate_limit":
                simulator.requests[-1]["status"] = 429
                wait = {"Retry-After": fault.retry_after}
                self._write(429, b'{"error":"rate limit exceeded"}', "application/json", wait)
            case "hang":
                simulator.closing.wait(fault.seconds)
                self._break_off()
            case "drop":
                self._begin(status, kind, max(2, len(body)), headers)
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self._break_off()
            case "slow":
                self._begin(status, kind, len(body), headers)
                self._stream((body[at : at + 1] for at in range(len(body))), fault.seconds)
            case "huge":
                self._begin(status, kind, len(body) + fault.megabytes * len(_BLANKS), headers)
                self._stream(_swollen(body, fault.megabytes))
            case "gzip_bomb":
                packed = zlib.compressobj(wbits=31)
                parts = [packed.compress(part) for part in _swollen(body, fault.megabytes)]
                whole = b"".join(parts) + packed.flush()
                self._write(status, whole, kind, {**(headers or {}), "Content-Encoding": "gzip"})
            case _:
                self._write(status, body, kind, headers)

    def _begin(self, status: int, kind: str, length: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _write(self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self._begin(status, kind, len(body), headers)
        self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, parts: Iterator[bytes], pause: float = 0) -> None:
        """Parts of a body, one after the other, until the client has enough or the server closes."""
        try:
            for part in parts:
                self.wfile.write(part)
                self.wfile.flush()
                if self.simulator.closing.wait(pause):
                    break
        except OSError:
            self.close_connection = True

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _encode(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # A fault's numbers of more than 64 bits.
        return json.dumps(value).encode()


_BLANKS = b" " * 2**20


def _swollen(body: bytes, megabytes: int) -> Iterator[bytes]:
    """A body, and blanks before its last byte."""
    yield body[:-1]
    yield from (_BLANKS for _ in range(megabytes))
    yield body[-1:]


def _bare(rows: list[Row], fault: Fault | None) -> list[Row]:
    """The rows of a bare list, with what faults of pages do to it."""
    kind = fault.kind if fault else None
    if kind == "duplicate_page":
        return rows + rows
    return rows[: len(rows) // 3] if kind == "wrong_total" else rows
