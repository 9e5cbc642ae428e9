"""A real HTTP server on 127.0.0.1 that gives the answers a test lists, in order, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """One answer. `promised` is a Content-Length that the body doesn't keep; `delay` is in seconds, before the answer
    or (`stops`) in the middle of its body. `pieces` make a body without a length, sent one by one, until who asked has
    had enough."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    delay: float = 0
    stops: bool = False
    pieces: Callable[[], Iterable[bytes]] | None = None

    def content(self) -> bytes:
        """The body as it goes over the wire: bytes and text as they are, anything else as JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Server:
    """Where it listens, and the requests so far as (path with query, headers)."""

    url: str
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [path for path, _ in self.requests]


@contextmanager
def answering(*answers: Answer) -> Iterator[Server]:
    """Serve the answers one a request, whatever is sent; the last one again and again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if not answer.stops:
                time.sleep(answer.delay)
            content = answer.content()
            # Who asked may have lost patience meanwhile.
            with suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.pieces is not None:
                    self.close_connection = True
                    self.end_headers()
                    for piece in answer.pieces():
                        self.wfile.write(piece)
                    return
                self.send_header("Content-Length", str(len(content) if answer.promised is None else answer.promised))
                self.end_headers()
                self.wfile.write(content[:1])
                if answer.stops:
                    time.sleep(answer.delay)
                self.wfile.write(content[1:])
            self.close_connection = answer.promised is not None

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = Server(f"http://127.0.0.1:{listener.server_address[1]}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
