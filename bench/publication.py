"""A publication of a simulated regency: `python -m bench.publication [PACKAGES] [--years N] [--folder DIR]`.

The first one, one after a night in which nothing changed, and one after a night in which about 1 % of the processes
changed. Of each, and of the syncs before them: seconds, CPU seconds of all its processes, memory of the largest; and
which files kept their bytes and times. Of 100,000 packages the warehouse takes about half an hour before the first
begins; with --folder it stays there, and the next time is begun with it.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import orjson
from sqlalchemy import create_engine, func, select

from bench.pipeline import ROOT, SETTINGS, SYSTEMS, Cost, Version
from simulator.services import SERVICES
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
        _measure(Path(name).resolve(), options.packages, range(_YEAR - options.years + 1, _YEAR + 1))


def _measure(folder: Path, packages: int, years: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    version = Version("this version", ROOT, folder)
    settings, first, now = folder / "settings.toml", folder / "first.db", folder / "jejak.db"
    if not first.is_file():
        sources = "".join(f'sources.{name} = {{ transport = "files" }}\n' for name in SYSTEMS)
        settings.write_text(SETTINGS.replace(f"[{_YEAR}]", str(list(years))) + sources, encoding="utf-8")
        world = World(packages // len(years), seed=1, year=_YEAR, years=len(years))
        _write_dumps(world, folder / "today", years)
        world.advance(change_share=_CHANGED_ROWS)
        _write_dumps(world, folder / "tomorrow", years)
        print(_line("sync of all rows", version.jejak(settings, folder / "today" / "{year}", "sync")), flush=True)
        now.rename(first)
    shutil.copy(first, now)
    processes, releases = _counts(folder)
    print(f"{processes:,} processes of {len(years)} fiscal years, {releases:,} releases", flush=True)
    shutil.rmtree(folder / "publication", ignore_errors=True)
    before = _publish(version, "first publication", {}, processes)
    before = _publish(version, "nothing changed", before, processes)
    cost = version.jejak(settings, folder / "tomorrow" / "{year}", "sync")
    print(f"{_line('sync of the next day', cost)} {_counts(folder)[1] - releases:,} releases more", flush=True)
    _publish(version, "1 % of the processes changed", before, processes)


def _write_dumps(world: World, folder: Path, years: range) -> None:
    for year in years:
        (folder / str(year)).mkdir(parents=True, exist_ok=True)
        for name in SERVICES:
            (folder / str(year) / f"{name}.json").write_bytes(orjson.dumps(world.rows(name, year)))


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
    cost = version.jejak(version.folder / "settings.toml", version.folder, "publish", "--out", str(out), "--draft")
    found = _files(out / "current")
    same = sum(found.get(name) == each for name, each in before.items())
    print(
        f"{_line(what, cost)}{len(found):>10,} files ({len(found) / processes:.1f} a package), {same:,} as before",
        flush=True,
    )
    return found


def _line(what: str, cost: Cost) -> str:
    return f"{what:<32}{cost.wall:>8.1f} s{cost.cpu:>8.1f} s CPU{cost.peak:>7,.0f} MiB"


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for where, _, names in os.walk(folder.resolve()):
        for name in names:
            stat = os.stat(os.path.join(where, name))
            found[os.path.relpath(os.path.join(where, name), folder.resolve())] = (stat.st_ino, stat.st_mtime_ns)
    return found


if __name__ == "__main__":
    main()
