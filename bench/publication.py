"""A publication of a simulated regency: `python -m bench.publication [PACKAGES] [--years N] [--folder DIR]`.

The first one, one after a night in which nothing changed, and one after a night in which about 1 % of the processes
changed, all of the latest fiscal year. Of each: seconds, CPU seconds of all its processes, memory of the largest; and
which files kept their bytes and times. 100,000 packages take about an hour, most of it for the warehouse; with
--folder it stays there, and the next time is begun with it.
"""

import argparse
import os
import pickle
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from sqlalchemy import create_engine, func, select

from bench.pipeline import ROOT, SETTINGS, Cost, Version, over_http
from simulator.world import World
from warehouse import tables as t

_YEAR = 2025
_CHANGED_ROWS = 0.006  # share of the rows by which 1 % of the processes change


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=int, nargs="?", default=5_000)
    parser.add_argument("--years", type=int, default=5, help="fiscal years that they are of")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keeps the warehouse and the publication")
    options = parser.parse_args(arguments)
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory(prefix="jejak-bench-") as name:
        _measure(Path(name).resolve(), options.packages, options.years)


def _measure(folder: Path, packages: int, years: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    version = Version("this version", ROOT, folder)
    kept = folder / "world"
    if kept.is_file():
        world: World = pickle.loads(kept.read_bytes())
    else:
        world = World(packages // years, seed=1, year=_YEAR, years=years)
        _sync(version, world, years)
        kept.write_bytes(pickle.dumps(world))
    processes, releases = _counts(folder)
    print(f"{processes:,} processes of {years} fiscal years, {releases:,} releases")
    before = _publish(version, "first publication", {}, processes)
    before = _publish(version, "nothing changed", before, processes)
    world.advance(change_share=_CHANGED_ROWS)
    _sync(version, world, years)
    kept.write_bytes(pickle.dumps(world))
    print(f"{_counts(folder)[1] - releases:,} processes changed")
    _publish(version, "1 % of the processes changed", before, processes)


def _sync(version: Version, world: World, years: int) -> Cost:
    reached = [str(year) for year in range(_YEAR - years + 1, _YEAR + 1)]
    settings = SETTINGS.replace("[2025]", f"[{', '.join(reached)}]")
    with over_http(world, version.folder, settings) as path:
        return version.jejak(path, version.folder, "sync")


def _counts(folder: Path) -> tuple[int, int]:
    engine = create_engine(f"sqlite:///{folder / 'jejak.db'}")
    with engine.connect() as conn:
        return tuple(  # type: ignore[return-value]
            conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (t.record, t.release)
        )


def _publish(
    version: Version, what: str, before: dict[str, tuple[int, int]], processes: int
) -> dict[str, tuple[int, int]]:
    """Publish and print what it took; `before` and what it returns are place and time of each file."""
    out = version.folder / "publication"
    cost = version.jejak(version.folder / "http.toml", version.folder, "publish", "--out", str(out), "--draft")
    found = _files(out / "current")
    same = sum(found.get(name) == each for name, each in before.items())
    print(
        f"{what:<32}{cost.wall:>8.1f} s{cost.cpu:>8.1f} s CPU{cost.peak:>7,.0f} MiB{len(found):>10,} files "
        f"({len(found) / processes:.1f} a package), {same:,} as before",
        flush=True,
    )
    return found


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for where, _, names in os.walk(folder.resolve()):
        for name in names:
            stat = os.stat(os.path.join(where, name))
            found[os.path.relpath(os.path.join(where, name), folder.resolve())] = (stat.st_ino, stat.st_mtime_ns)
    return found


if __name__ == "__main__":
    main()
