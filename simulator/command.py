"""What `jejak simulate` does: serve a fictional regency over HTTP, or write it as folders of dumps."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from simulator.drops import write_drops
from simulator.dump import write_dumps
from simulator.server import serve
from simulator.simda_database import OthersDatabase, write_simda
from simulator.world import World


class Options(Protocol):
    """The arguments of `jejak simulate`; one of `serve` ("HOST:PORT") and `out` is given.

    There may be `noise`, a factor of the usual noise, `years`, how many fiscal years there are up to `year`, and
    `simda`, the SQLAlchemy URL of a database to be SIMDA's.
    """

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
    simda: str | None = getattr(options, "simda", None)
    noise: float | None = getattr(options, "noise", None)
    years: int = getattr(options, "years", 1)
    if years < 1 or (years > 1 and options.out is not None):
        print(f"--years {years} can't be; it is 1 or more, and 1 for --out: dumps are of one year", file=sys.stderr)
        return 2
    world = World(options.packages, options.seed, year=options.year, years=years, noise=1.0 if noise is None else noise)
    if options.out is not None:
        return _write(world, options.out, options.days, simda)
    if options.days:
        world.advance(options.days)
    host, _, port = (options.serve or "127.0.0.1:0").rpartition(":")
    if not port.isdecimal():
        print(f"{options.serve!r} is no HOST:PORT, such as 127.0.0.1:8765 (port 0 takes a free one)", file=sys.stderr)
        return 2
    try:
        server = serve(world, host or "127.0.0.1", int(port), simda_url=simda)
    except (SQLAlchemyError, OthersDatabase) as error:
        return _refused(error)
    except (OSError, OverflowError) as error:
        print(f"{options.serve} can't be listened on ({error}); choose another port", file=sys.stderr)
        return 1
    before = None
    if threading.current_thread() is threading.main_thread():
        # Ended by a supervisor as by Ctrl-C.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    served = f"fiscal year {options.year}" if years == 1 else f"fiscal years {world.years[0]} to {options.year}"
    print(f"A regency of {options.packages:,} packages a year and {world.row_count():,} rows, {served}:")
    print(f"  ISB        {server.url}/isb-2   (key: simulator)")
    print(f"  INAPROC    {server.url}/api/v1, {server.url}/api/legacy  (token: simulator)")
    for system in ("musrenbang", "simpen", "dokumen"):
        print(f"  {system:<10} {server.url}/{system}/api")
    print(f"  SIPD       {server.url}/sipd  (token: simulator)")
    if simda is not None:
        print(f"  SIMDA      {make_url(simda).render_as_string(hide_password=True)}")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 0


def _write(world: World, out: Path, days: int, simda: str | None) -> int:
    for day in range(days + 1):
        if day:
            world.advance()
        folder = out / world.today.isoformat() if days else out
        counts = write_dumps(world, folder)
        write_drops(world, folder / "drops")
        print(f"{folder}: {sum(counts.values()):,} rows of {len(counts)} services, truth.json, and drops/")
    if simda is not None:
        try:
            write_simda(world, simda)
        except (SQLAlchemyError, OthersDatabase) as error:
            return _refused(error)
    return 0


def _refused(error: SQLAlchemyError | OthersDatabase) -> int:
    if isinstance(error, OthersDatabase):
        print(f"{error}; choose an empty one, or delete it if an earlier simulator made it", file=sys.stderr)
        return 1
    # The URL may hold a password.
    print(f"the database of --simda can't be written ({type(error).__name__}); choose another", file=sys.stderr)
    return 1
