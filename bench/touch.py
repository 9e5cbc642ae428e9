"""What one more version of one row costs, of a process that has few versions and one that has many.

`touch.py SETTINGS FOLDER ROW VERSIONS`, in the folder of the version of Jejak that is measured: ROW is a file with one
row of a plan as JSON. Prints the seconds of a touch (fetch, place, build) at the first versions and at the last ones.
"""

import json
import os
import statistics
import sys
import time
from datetime import date, timedelta
from pathlib import Path

_SERVICE = "RUP-PaketPenyedia-Terumumkan"
_SOME = 5


def main(settings_file: str, folder: str, row_file: str, versions: int) -> None:
    """Print two numbers."""
    # Of the version in whose folder this runs.
    sys.path.insert(0, os.getcwd())
    from pipeline import steps
    from pipeline.configure import load_settings

    os.environ["JEJAK_DUMPS"] = folder
    os.environ["JEJAK_WORKERS"] = "1"
    row = json.loads(Path(row_file).read_bytes())
    settings = load_settings(settings_file)
    file = Path(folder, f"{_SERVICE}.json")
    seconds = []
    for number in range(versions):
        day = date(2025, 1, 1) + timedelta(number)
        file.write_text(json.dumps([{**row, "pagu": 1_000_000 + number, "_event_date": f"{day}"}]), encoding="utf-8")
        started = time.perf_counter()
        run_id = steps.start_run(settings, "sync")
        steps.sync_service(settings, "sirup", _SERVICE, "2025", run_id)
        steps.finish_run(settings, run_id)
        if (built := steps.build_records(settings, run_id)["built"]) != 1:
            raise SystemExit(f"version {number} built {built} processes")
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds[1 : 1 + _SOME]), statistics.median(seconds[-_SOME:]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
