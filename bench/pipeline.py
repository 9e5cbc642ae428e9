"""The whole pipeline on a simulated regency: `python -m bench.pipeline [ROWS] [--before DIR]`.

Source rows per second from the folder of dumps to the star tables, as `jejak sync` does it, on a warehouse of its own:
the first load, the same folder again, and a day on which 1 % of the rows changed; then the same first load over HTTP,
service by service, and from the folder that JEJAK_DUMPS names (with the settings that JEJAK_SETTINGS names), if it is
set. Then the records that it built beside `ocdskit compile` of the releases that it exported.

With --before, a checkout of another version (`git worktree add DIR COMMIT`) does each job right after this one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Version:
    """A version of Jejak, by the folder of its code, with a folder of its own for its warehouses."""

    name: str
    code: Path
    folder: Path

    def jejak(self, settings: Path, dumps: Path, *arguments: str, warehouse: str = "jejak") -> float:
        """Seconds that a `jejak` command takes, from start to end of its process."""
        environment = {
            **os.environ,
            "JEJAK_SETTINGS": str(settings),
            "JEJAK_DUMPS": str(dumps),
            "JEJAK_WAREHOUSE_URL": os.environ.get(
                "JEJAK_BENCH_WAREHOUSE_URL", f"sqlite:///{self.folder / warehouse}.db"
            ),
        }
        module = "commands.main" if (self.code / "commands" / "main.py").is_file() else "pipeline.cli"
        started = time.perf_counter()
        with (self.folder / "log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                cwd=self.code,
                stdout=log,
                stderr=log,
                check=True,
            )
        return time.perf_counter() - started

    def size(self, warehouse: str = "jejak") -> int:
        """Bytes of a warehouse's file; 0 for another database."""
        file = self.folder / f"{warehouse}.db"
        return file.stat().st_size if file.is_file() else 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--before", type=Path, metavar="DIR", help="a checkout of the version to compare with")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as name:
        folder = Path(name)
        versions = [Version("this version", ROOT, folder / "this")]
        if options.before:
            versions.append(Version("before", options.before.resolve(), folder / "before"))
        for version in versions:
            version.folder.mkdir()
        world = World(packages_for_rows(options.rows), seed=1)
        dumps, settings = folder / "dumps", folder / "settings.toml"
        settings.write_text(
            SETTINGS + "".join(f'sources.{name} = {{ transport = "files" }}\n' for name in SYSTEMS), encoding="utf-8"
        )
        rows = sum(write_dumps(world, dumps).values())
        print(f"{rows:,} rows of a simulated regency, from JSON files to star tables (whole command)")
        _compare(versions, "first load", rows, settings, dumps)
        _compare(versions, "nothing changed", rows, settings, dumps)
        world.advance(change_share=0.01)
        rows = sum(write_dumps(world, dumps).values())
        _compare(versions, "1 % of the rows changed", rows, settings, dumps)
        read = sum(path.stat().st_size for path in dumps.iterdir())
        for version in versions:
            if version.size():
                print(f"{'size of the warehouse, ' + version.name:<48}{version.size() / read:>8.1f} bytes per byte")
        with _over_http(world, folder) as reached:
            _compare(versions, "first load over HTTP, service by service", rows, reached, dumps, warehouse="http")
        if "JEJAK_DUMPS" in os.environ and "JEJAK_SETTINGS" in os.environ:
            _real_rows(versions)
        _beside_ocdskit(versions[0], settings, dumps, folder)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'peak memory of the largest process':<48}{peak:>8.0f} MiB")


def _compare(
    versions: list[Version], what: str, rows: int, settings: Path, dumps: Path, *, warehouse: str = "jejak"
) -> None:
    seconds = {version.name: version.jejak(settings, dumps, "sync", warehouse=warehouse) for version in versions}
    for name, each in seconds.items():
        label = what if len(versions) == 1 else f"{what}, {name}"
        print(f"{label:<60}{each:>8.1f} s{rows / each:>10,.0f} rows/s", flush=True)


@contextmanager
def _over_http(world: World, folder: Path) -> Iterator[Path]:
    """Settings that read the world over HTTP, while it is served."""
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
            SETTINGS + "".join(f"sources.{name} = {text}\n" for name, text in reached.items()), encoding="utf-8"
        )
        yield settings


def _numbers(source: str) -> str:
    """A number for each service, any of which the simulated ISB takes."""
    return ", ".join(f'"{service}" = {{ service_no = "0" }}' for service in SOURCES[source].services)


def _real_rows(versions: list[Version]) -> None:
    dumps, settings = Path(os.environ["JEJAK_DUMPS"]).resolve(), Path(os.environ["JEJAK_SETTINGS"]).resolve()
    files = list(dumps.glob("*.json"))
    rows = sum(len(json.loads(path.read_bytes())) for path in files)
    print(f"\n{rows:,} rows of {dumps.name}")
    _compare(versions, "first load", rows, settings, dumps, warehouse="real")
    _compare(versions, "nothing changed", rows, settings, dumps, warehouse="real")
    for version in versions:
        if size := version.size("real"):
            ratio = size / sum(path.stat().st_size for path in files)
            print(f"{'size of the warehouse, ' + version.name:<48}{ratio:>8.1f} bytes per byte")


def _beside_ocdskit(version: Version, settings: Path, dumps: Path, folder: Path) -> None:
    """Every record built again from its rows, beside the reference merge of all releases."""
    version.jejak(settings, dumps, "export", "--out", str(folder / "export"))
    releases, records = (
        sum(1 for _ in (folder / "export" / name).open("rb")) for name in ("releases.jsonl", "compiled.jsonl")
    )
    ours = version.jejak(settings, dumps, "rebuild")
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
