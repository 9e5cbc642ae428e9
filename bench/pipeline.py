"""The whole pipeline on a simulated regency: `python -m bench.pipeline [ROWS]`.

Source rows per second from the folder of dumps to the star tables, as `jejak sync` does it, on a warehouse of its own:
the first load, the same folder again, and a day on which 1 % of the rows changed. Then the records that it built beside
`ocdskit compile` of the releases that it exported.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.merge import offline_schema
from simulator.dump import write_dumps
from simulator.world import World, packages_for_rows

SETTINGS = """
name = "Pemerintah Kabupaten Rekaan"
ocid_prefix = "ocds-000000"
kd_klpd = "D999"
kd_lpse = "999"
fiscal_years = [2025]
sources.sirup = { transport = "files" }
sources.lpse = { transport = "files" }
sources.simda = { transport = "files" }
sources.musrenbang = { transport = "files" }
sources.simpen = { transport = "files" }
sources.dokumen = { transport = "files" }
"""


def jejak(folder: Path, *arguments: str) -> float:
    """Seconds that a `jejak` command takes, from start to end of its process."""
    environment = {
        **os.environ,
        "JEJAK_SETTINGS": str(folder / "settings.toml"),
        "JEJAK_DUMPS": str(folder / "dumps"),
        "JEJAK_WAREHOUSE_URL": os.environ.get("JEJAK_BENCH_WAREHOUSE_URL", f"sqlite:///{folder}/jejak.db"),
    }
    started = time.perf_counter()
    with (folder / "log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "commands.main", *arguments], env=environment, stdout=log, stderr=log, check=True
        )
    return time.perf_counter() - started


def built(folder: Path) -> tuple[int, int]:
    """Releases and compiled releases in an export."""
    counts = [sum(1 for _ in (folder / "export" / name).open("rb")) for name in ("releases.jsonl", "compiled.jsonl")]
    return counts[0], counts[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as name:
        folder = Path(name)
        (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
        world = World(packages_for_rows(options.rows), seed=1)
        rows = sum(write_dumps(world, folder / "dumps").values())
        print(f"{rows:,} rows of a simulated regency, from JSON files to star tables (whole command)")

        def tell(what: str, seconds: float) -> None:
            print(f"{what:<48}{seconds:>8.1f} s{rows / seconds:>10,.0f} rows/s", flush=True)

        tell("first load", jejak(folder, "sync"))
        tell("nothing changed", jejak(folder, "sync"))
        world.advance(change_share=0.01)
        rows = sum(write_dumps(world, folder / "dumps").values())
        tell("1 % of the rows changed", jejak(folder, "sync"))

        jejak(folder, "export", "--out", str(folder / "export"))
        releases, records = built(folder)
        ours = _seconds_of_rebuild(folder)
        (folder / "schema.json").write_text(json.dumps(offline_schema()), encoding="utf-8")
        started = time.perf_counter()
        with (folder / "export" / "releases.jsonl").open("rb") as source:
            subprocess.run(
                [sys.executable, "-m", "ocdskit", "compile", "--schema", str(folder / "schema.json")],
                stdin=source, stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
        theirs = time.perf_counter() - started
        print(f"\n{releases:,} releases of {records:,} processes to compiled releases")
        print(f"{'ocdskit compile, to a file':<48}{theirs:>8.1f} s{releases / theirs:>10,.0f} releases/s")
        print(f"{'jejak build, to records and star tables':<48}{ours:>8.1f} s{releases / ours:>10,.0f} releases/s")


def _seconds_of_rebuild(folder: Path) -> float:
    """Seconds of compiling every record again and writing its star rows, from the stored releases."""
    script = (
        "from sqlalchemy import select\n"
        "from pipeline import steps\n"
        "from pipeline.configure import load_settings\n"
        "from warehouse import tables as t\n"
        "from warehouse.engine import writing\n"
        "from warehouse.load import upsert_rows\n"
        "with writing(steps.warehouse(load_settings())) as conn:\n"
        "    ocids = conn.execute(select(t.record.c.ocid)).scalars().all()\n"
        "    upsert_rows(conn, t.pending_build, [{'ocid': ocid} for ocid in ocids])\n"
    )
    environment = {
        **os.environ,
        "JEJAK_SETTINGS": str(folder / "settings.toml"),
        "JEJAK_WAREHOUSE_URL": os.environ.get("JEJAK_BENCH_WAREHOUSE_URL", f"sqlite:///{folder}/jejak.db"),
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    return jejak(folder, "build")


if __name__ == "__main__":
    main()
