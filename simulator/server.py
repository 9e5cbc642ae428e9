"""The world over HTTP on this machine: as LKPP's ISB, as INAPROC API v1, as the regency's own systems, and with an
interface of its own.

- `/isb-2/api/{key}/json/{service_no}/{service}/tipe/{types}/parameter/{values}`: a bare JSON array, empty body for no
  rows, words instead of JSON for errors; `/isb-2/api/satudata/MasterKLPD` and `/MasterLPSE` without a key
- `/api/v1/{endpoint}` and `/api/legacy/{endpoint}`: bearer token, `kode_klpd`, `tahun`, `limit`, `cursor`
- `/musrenbang/api/{usulan,pokir}`, `/simpen/api/{pekerjaan,progres,dokumentasi}`: `tahun`, pages by number as Laravel
  gives them; `/dokumen/api/dokumen`: `tahun`, a bare array; a bearer token may be given, and must then be right
- `/_simulator/...`, for loopback only: POST `advance` {days, change_share}; POST, GET, DELETE `faults`; GET `truth`;
  GET, DELETE `requests`
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from simulator import names
from simulator.faults import Fault, Faults, parse, spoil
from simulator.inaproc import ENDPOINTS, Endpoint, reshaped
from simulator.rendering import Row
from simulator.services import LKPP, SERVICES
from simulator.simda_database import Case, write_simda
from simulator.truth import truth
from simulator.world import World

_ISB = re.compile(r"/isb(?:-2)?/api/([^/]+)/json/([^/]+)/([^/]+)(?:/tipe/[^/]*)?(?:/parameter/([^/]*))?/?")
_PUBLIC = re.compile(r"/isb(?:-2)?/api/satudata/(MasterKLPD|MasterLPSE)/?")
_INAPROC = re.compile(r"/api/(?:v1|legacy)/(.+?)/?")
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
        self._answers: dict[tuple[str, int, str], list[Row]] = {}
        self._write_simda()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """`http://host:port`, with the port that was free where 0 was asked for."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def rows(self, service: str, year: int, path: str = "", endpoint: Endpoint | None = None) -> list[Row]:
        """Today's answer of a service, or of an endpoint of INAPROC; kept until the next day."""
        with self.lock:
            key = (path or service, year, self.world.today.isoformat())
            if key not in self._answers:
                if endpoint is None:
                    self._answers[key] = self.world.rows(service, year)
                else:
                    rows = endpoint.rows(self.world, year) if endpoint.rows else self.world.rows(service, year)
                    self._answers[key] = [reshaped(row, position) for position, row in enumerate(rows)]
            return self._answers[key]

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
            self._inaproc(inaproc[1], query)
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
            rows = spoil(rows, fault, SERVICES[service].code)
            if fault.kind == "duplicate_page":
                rows = rows + rows
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

    def _inaproc(self, path: str, query: dict[str, str]) -> None:
        simulator, world = self.simulator, self.simulator.world
        shown = f"inaproc {path}"
        given = self.headers.get("Authorization", "")
        if not given:
            self._refuse(401, "Authorization field missing", shown)
            return
        if given != f"Bearer {simulator.token}":
            self._refuse(401, "invalid token", shown)
            return
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            self._refuse(404, "endpoint not found", shown)
            return
        try:
            limit = int(query.get("limit", "10"))
            offset, page = _read_cursor(query["cursor"]) if query.get("cursor") else (0, 1)
            year = int(query["tahun"]) if endpoint.needs_year else world.year
        except (KeyError, ValueError, binascii.Error):
            self._refuse(400, "invalid limit, cursor or tahun", shown)
            return
        if not 1 <= limit <= 1000:
            self._refuse(400, "limit must be between 1 and 1000", shown)
            return
        rows = simulator.rows(endpoint.service, year, path, endpoint) if query.get("kode_klpd") == world.kd_klpd else []
        if "kd_tender" in query:
            rows = [row for row in rows if str(row.get("kd_tender")) == query["kd_tender"]]
        fault = simulator.faults.take((path, endpoint.service, "inaproc"), page)
        if fault:
            rows = spoil(
                rows, fault, "order_id" if path == "ekatalog/paket-e-purchasing" else SERVICES[endpoint.service].code
            )
        part = rows[offset : offset + limit]
        following = offset + limit
        if fault and fault.kind == "duplicate_page":
            following = offset
        if fault and fault.kind == "null_first_page" and page == 1:
            part, following = [], offset
        more = following < len(rows)
        envelope = {
            "success": True,
            "data": part or None,
            "meta": {"limit": limit, "has_more": more, "cursor": _write_cursor(following, page + 1) if more else ""},
        }
        self._send(200, _encode(envelope), "application/json", fault, f"{shown} {year} page {page}", len(part))

    def _refuse(self, status: int, error: str, shown: str) -> None:
        self._send(status, orjson.dumps({"error": error}), "application/json", log=shown)

    # --- the regency's own systems --------------------------------------------------------------------------------

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
            if fault and fault.kind == "duplicate_page":
                rows = rows + rows
            self._send(200, _encode(rows), "application/json", fault, f"{shown} {year}", len(rows))
            return
        following = page + 1 if page * PER_PAGE < len(rows) else None
        part = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
        if fault and fault.kind == "duplicate_page":
            following = page
        if fault and fault.kind == "null_first_page" and page == 1:
            part, following = [], page
        address = f"http://{self.headers.get('Host')}{path}?tahun={year}&page="
        envelope = {
            "current_page": page,
            "data": part,
            "next_page_url": f"{address}{following}" if following else None,
            "per_page": PER_PAGE,
            "total": len(rows),
        }
        self._send(200, _encode(envelope), "application/json", fault, f"{shown} {year} page {page}", len(part))

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
        self, status: int, body: bytes, kind: str, fault: Fault | None = None, log: str = "", rows: int | None = None
    ) -> None:
        """Answer, unless the fault has it otherwise, and note in the log what was sent."""
        simulator = self.simulator
        simulator.requests.append(
            {
                "method": self.command,
                "asked": log,
                "status": status,
                "rows": rows,
                "fault": fault.kind if fault else None,
            }
        )
        match fault.kind if fault else None:
            case "html":
                self._write(200, _PAGE, "text/html")
            case "truncated":
                self._write(status, body[: len(body) // 2], kind)
            case "status":
                assert fault is not None
                simulator.requests[-1]["status"] = fault.status
                self._write(fault.status, _PAGE, "text/html")
            case "rate_limit":
                assert fault is not None
                simulator.requests[-1]["status"] = 429
                self._write(429, b'{"error":"rate limit exceeded"}', "application/json", fault.retry_after)
            case "hang":
                assert fault is not None
                simulator.closing.wait(fault.seconds)
                self._break_off()
            case "drop":
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(max(2, len(body))))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self._break_off()
            case _:
                self._write(status, body, kind)

    def _write(self, status: int, body: bytes, kind: str, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _encode(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # A fault's numbers of more than 64 bits.
        return json.dumps(value).encode()


def _write_cursor(offset: int, page: int) -> str:
    return base64.urlsafe_b64encode(f"{offset}:{page}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, int]:
    offset, _, page = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    return int(offset), int(page)
