"""How quick search and the desk's pages are: `python -m bench.desk [PROCESSES] [LINKS]` on a warehouse of made-up rows.

Every process has a title of six words, a code, a contract's number, an SP2D and an SPM; the links wait for a decision.
Prints the slowest of some searches and pages in milliseconds, and what the keys weigh.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import func, insert, select, text

from desk.app import alone, application
from reports.find import find
from schemas.settings import Settings
from transforms.search import process_keys
from warehouse import tables as t
from warehouse.engine import migrate, open_warehouse, reading, writing
from warehouse.load import insert_rows

_CHUNK = 20_000
_WORKS = ("Pembangunan", "Peningkatan", "Rehabilitasi", "Pemeliharaan", "Belanja", "Pengadaan")
_THINGS = ("Jalan", "Drainase", "Gedung", "Jembatan", "Irigasi", "Obat", "Komputer", "Rabat Beton")
_SYLLABLES = ("ba", "ka", "lo", "ngo", "ra", "su", "ti", "wi", "ja", "mu", "pe", "do")


def main(processes: int = 100_000, links: int = 100_000) -> None:
    """Make the warehouse in a temporary folder (or the one that JEJAK_WAREHOUSE_URL names), measure and print."""
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as folder:
        url = os.environ.get("JEJAK_WAREHOUSE_URL") or f"sqlite:///{Path(folder) / 'desk.db'}"
        engine = open_warehouse(url)
        migrate(engine)
        for rows in _chunks(processes):
            with writing(engine) as conn:
                _write(conn, rows)
        with writing(engine) as conn:
            _write_links(conn, links)
        with engine.connect() as conn:
            conn.execute(text("ANALYZE"))
            conn.commit()
        _measure(engine, url, processes, links)


def _chunks(processes: int) -> Iterator[list[dict[str, Any]]]:
    draw = random.Random(1)
    villages = ["".join(draw.choices(_SYLLABLES, k=4)).capitalize() for _ in range(5000)]
    for start in range(0, processes, _CHUNK):
        yield [
            {
                "code": str(50_000_000 + number),
                "ocid": f"ocds-000000-rup-{50_000_000 + number}",
                "title": f"{draw.choice(_WORKS)} {draw.choice(_THINGS)} Desa {draw.choice(villages)} RT {number % 20} "
                f"{draw.choice(villages)}",
                "numbers": [
                    ("contract", f"900.3/{number:06}/SPK/{number % 74}/2025"),
                    ("sp2d", f"{number:06}/SP2D-LS/{number % 74}/2025"),
                    ("spm", f"{number:06}/SPM-LS/{number % 74}/2025"),
                ],
            }
            for number in range(start, min(start + _CHUNK, processes))
        ]


def _write(conn: Any, rows: list[dict[str, Any]]) -> None:
    if conn.scalar(select(t.run.c.id)) is None:
        conn.execute(
            insert(t.run).values(id="bench", command="sync", started_at="2025-01-01T00:00:00Z", status="success")
        )
    own = {"run_id": "bench"}
    insert_rows(conn, t.process, [{"ocid": row["ocid"], "family": row["ocid"]} for row in rows])
    insert_rows(conn, t.identity, [{"kind": "rup", "key": row["code"], "ocid": row["ocid"], **own} for row in rows])
    compiled = [{"ocid": row["ocid"], "compiled": {}, "date": "2025", "rows": b"", **own} for row in rows]
    insert_rows(conn, t.record, compiled)
    processes = [
        {"ocid": row["ocid"], "family": row["ocid"], "title": row["title"], "office_name": "DINAS",
         "updated_at": "2025-01-01T00:00:00Z"}
        for row in rows
    ]  # fmt: skip
    insert_rows(conn, t.contracting_process, processes)
    keys = [
        {"key": key, "kind": kind, "holder_kind": "process", "holder": row["ocid"]}
        for row in rows
        for key, kind in sorted(
            process_keys(row["title"], [])
            | {("".join(filter(str.isalnum, number)), kind) for kind, number in row["numbers"]}
        )
    ]
    insert_rows(conn, t.search_key, keys)


def _write_links(conn: Any, links: int) -> None:
    draw = random.Random(2)
    for start in range(0, links, _CHUNK):
        numbers = range(start, min(start + _CHUNK, links))
        subjects = [
            {"kind": "usulan", "code": str(number), "source": "musrenbang", "year": 2025,
             "office_name": f"DINAS {number % 74}", "title": f"Usulan {number}", "amount": draw.randrange(10**9)}
            for number in numbers
        ]  # fmt: skip
        insert_rows(conn, t.subject, subjects)
        waiting = [
            {"id": f"{number:012}", "rule": "proposal-package", "from_kind": "usulan", "from_code": str(number),
             "to_kind": "rup", "to_code": str(50_000_000 + number), "year": 2025, "confidence": draw.random(),
             "by": "village+work", "status": "pending", "run_id": "bench"}
            for number in numbers
        ]  # fmt: skip
        insert_rows(conn, t.link, waiting)


def _measure(engine: Any, url: str, processes: int, links: int) -> None:
    last = f"{processes - 1:06}"
    searches = {
        "contract number": f"900.3/{last}/SPK",
        "first figures of a number": "9003",
        "SP2D": f"{last}/SP2D-LS",
        "RUP code": str(50_000_000 + processes - 1),
        "OCID": f"ocds-000000-rup-{50_000_000 + processes - 1}",
        "two common words": "pembangunan jalan",
        "common words and a village": "pembangunan jalan desa bakalo",
        "first letters": "pem jal bak",
        "nothing": "tidakada sama sekali",
    }
    print(f"{processes:,} processes, {links:,} links that wait, {engine.dialect.name}")
    with reading(engine) as conn:
        for name, asked in searches.items():
            print(f"{'find, ' + name:<40}{_slowest(partial(find, conn, asked)):>8.0f} ms")
        print(f"{'keys':<40}{conn.scalar(select(func.count()).select_from(t.search_key)):>8,}")
    known = Settings(
        name="Bench", ocid_prefix="ocds-000000", kd_klpd="D999", kd_lpse="999", warehouse_url=url, sources={}
    )
    client = TestClient(application(known, alone("bench")))
    for path in (
        "links",
        "links?at=4000",
        "links?office=dinas 7&least=50",
        "codes",
        "rejects",
        "waiting",
        "changes",
        "decisions",
    ):
        print(f"{'page, ' + path:<40}{_slowest(partial(client.get, path)):>8.0f} ms")


def _slowest(work: Callable[[], object], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return 1000 * max(taken)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
