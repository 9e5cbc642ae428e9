"""What `jejak simulate` does: serve a fictional regency over HTTP, or write it as folders of dumps."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Protocol

from simulator.dump import write_dumps
from simulator.server import serve
from simulator.world import World


class Options(Protocol):
    """The arguments of `jejak simulate`; one of `serve` ("HOST:PORT") and `out` is given."""

    packages: int
    seed: int
    year: int
    days: int
    serve: str | None
    out: Path | None


def run(options: Options) -> int:
    """Build the world, let `days` go by, then serve until stopped, or write the dumps; returns the exit status.

    Served days are over before the first request. With `out` each day gets a folder of its own, named by its date, if
    there is more than one.
    """
    world = World(options.packages, options.seed, year=options.year)
    if options.out is not None:
        return _write(world, options.out, options.days)
    if options.days:
        world.advance(options.days)
    host, _, port = (options.serve or "127.0.0.1:0").rpartition(":")
    if not port.isdecimal():
        print(f"{options.serve!r} is no HOST:PORT, such as 127.0.0.1:8765 (port 0 takes a free one)", file=sys.stderr)
        return 2
    try:
        server = serve(world, host or "127.0.0.1", int(port))
    except (OSError, OverflowError) as error:
        print(f"{options.serve} can't be listened on ({error}); choose another port", file=sys.stderr)
        return 1
    before = None
    if threading.current_thread() is threading.main_thread():
        # Ended by a supervisor as by Ctrl-C.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"A regency of {options.packages:,} packages and {world.row_count():,} rows, fiscal year {options.year}:")
    print(f"  ISB      {server.url}/isb-2   (key: simulator)")
    print(f"  INAPROC  {server.url}/api/v1  (token: simulator)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 0


def _write(world: World, out: Path, days: int) -> int:
    for day in range(days + 1):
        if day:
            world.advance()
        folder = out / world.today.isoformat() if days else out
        counts = write_dumps(world, folder)
        print(f"{folder}: {sum(counts.values()):,} rows of {len(counts)} services, and truth.json")
    return 0
