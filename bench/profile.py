"""Where the CPU time of a first load goes, beside the floor: `python -m bench.profile SETTINGS DUMPS`.

One process, looked at every two milliseconds of CPU time; each moment counts for the innermost of the functions named
below. The floor is parsing, hashing and storing the same bytes with nothing in between.
"""

import hashlib
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import orjson

# Files and functions (all of a file where there is no name), the innermost of which gives a moment its part.
_PARTS = {
    ("connectors/transport/parse.py", ""): "read and parse",
    ("transforms/rows.py", ""): "hash, key",
    ("schemas/service.py", "read_row"): "validate",
    ("schemas/fields.py", ""): "validate",
    ("pipeline/facts.py", "extract"): "what rows say of identity and belonging",
    ("pipeline/fetch.py", "_write"): "write rows and facts",
    ("pipeline/fetch.py", "_plan"): "compare with what is known",
    ("pipeline/place.py", ""): "place",
    ("pipeline/links.py", "link_pending"): "link",
    ("pipeline/build.py", "_read"): "read processes",
    ("transforms/state.py", ""): "map, unite",
    ("schemas/ocds.py", ""): "check against the schema",
    ("transforms/difference.py", ""): "difference, record",
    ("transforms/merge.py", ""): "difference, record",
    ("transforms/releases.py", ""): "difference, record",
    ("warehouse/releases.py", ""): "compress",
    ("warehouse/star.py", "star_rows"): "star rows",
    ("pipeline/build.py", "_write"): "write records and star rows",
}
_OTHER = "other"
_INTERVAL = 0.002


def _part_of(frame: FrameType | None) -> str:
    while frame is not None:
        file = "/".join(Path(frame.f_code.co_filename).parts[-3:])
        for (end, name), part in _PARTS.items():
            if file.endswith(end) and name in ("", frame.f_code.co_name):
                return part
        frame = frame.f_back
    return _OTHER


def sampled(job: Callable[[], int]) -> tuple[int, dict[str, float]]:
    """The result of a job, and the CPU seconds of each part of it."""
    found: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        found[_part_of(frame)] += 1

    signal.signal(signal.SIGPROF, look)
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        result = job()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - started
    return result, {part: seconds * count / found.total() for part, count in found.most_common()}


def floor(files: Sequence[Path], database: Path) -> dict[str, float]:
    """CPU seconds of parsing, hashing and storing the rows of files of JSON lists."""
    start = time.process_time()
    rows = [row for file in files for row in orjson.loads(file.read_bytes())]
    parsed = time.process_time()
    texts = [orjson.dumps(row) for row in rows]
    hashes = [hashlib.blake2b(text, digest_size=16).digest() for text in texts]
    hashed = time.process_time()
    with sqlite3.connect(database) as conn:
        conn.execute("CREATE TABLE row (hash BLOB PRIMARY KEY, content TEXT)")
        conn.executemany("INSERT OR IGNORE INTO row VALUES (?, ?)", zip(hashes, texts, strict=True))
    return {
        "floor: parse": parsed - start,
        "floor: hash": hashed - parsed,
        "floor: store": time.process_time() - hashed,
    }


def main(arguments: Sequence[str]) -> None:
    """Print CPU microseconds a row, by part."""
    settings_file, dumps = arguments
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as folder:
        os.environ |= {
            "JEJAK_DUMPS": dumps,
            "JEJAK_WORKERS": "1",
            "JEJAK_WAREHOUSE_URL": f"sqlite:///{folder}/jejak.db",
        }
        from pipeline import steps
        from pipeline.configure import load_settings

        settings = load_settings(settings_file)
        steps.warehouse(settings)

        def load() -> int:
            run_id = steps.start_run(settings, "sync")
            plan = steps.plan_of(settings)
            fetched = sum(steps.sync_service(settings, *place, run_id)["fetched"] for place in plan)
            steps.finish_run(settings, run_id)
            steps.build_records(settings, run_id)
            return int(fetched)

        rows, parts = sampled(load)
        parts |= {"all": sum(parts.values())} | floor(sorted(Path(dumps).glob("*.json")), Path(folder, "floor.db"))
    print(f"CPU microseconds a row of a first load in one process, {rows:,} rows")
    for part, seconds in parts.items():
        print(f"{part:<48}{seconds / rows * 1e6:>8.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
