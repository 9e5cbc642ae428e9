"""The marts and the ten questions on a large warehouse: `python -m bench.marts [YEARS] [--sqlite]`.

A simulated regency is loaded, and its star tables are multiplied until each of ten fiscal years (YEARS) has 100,000
processes; offices stay, suppliers, packages and links are multiplied with their processes. Of each mart: seconds to
compute all rows of one fiscal year, and of all years; of views for looking at one process, that of a process; CPU
seconds of all the server's processes, its workers included.
On PostgreSQL as it is installed, on the same cores; with --sqlite on a file.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Column, Connection, Engine, Table, func, select, text

from bench.pipeline import ROOT, SETTINGS, SYSTEMS, Version, postgresql
from simulator.dump import write_dumps
from simulator.world import World
from warehouse.engine import migrate, open_warehouse, reading, writing
from warehouse.load import insert_rows
from warehouse.questions import QUESTIONS
from warehouse.tables import (
    answer,
    attempt,
    attempt_account,
    award,
    contract,
    contracting_process,
    identity,
    link,
    office,
    office_structure,
    plan,
    process_rup,
    procurement_limit,
    proposal,
    record,
    run,
    subject,
    supplier,
)
from warehouse.views import view_metadata

PACKAGES = 5_000
YEAR = 100_000  # processes
# What the marts read, in an order that foreign keys allow.
MULTIPLIED = (
    run, record, office, supplier, contracting_process, plan, attempt, attempt_account, award, contract, proposal,
    process_rup, identity, subject, link,
)  # fmt: skip
OF_ONE = ("process_trace", "process_subject")
# What differs from copy to copy; the rest of a row is the same.
NAMES = {"ocid", "family", "supplier_id", "kd_rup", "package", "code", "from_code", "to_code", "key", "retry_of"}
KEYS: dict[str, set[str]] = {"office": set(), "run": set(), "supplier": {"id", "ocid"}, "link": {"id"}}
NUMBERS = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {last}) "


def multiply(conn: Connection, table: Table, copies: int, per_year: int) -> None:
    """Add copies of a table's rows: `per_year` in each fiscal year, counted back from the newest."""
    names = {column.name for column in table.columns} & NAMES | KEYS.get(table.name, set())
    if not KEYS.get(table.name, names):
        return

    def value(column: Column[Any]) -> str:
        if column.name in names:
            return f"t.\"{column.name}\" || '-' || n.k"
        return f"t.fiscal_year - n.k / {per_year}" if column.name == "fiscal_year" else f't."{column.name}"'

    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(map(value, table.columns))
    query = f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {table.name} AS t CROSS JOIN n"
    conn.execute(text(NUMBERS.format(last=copies - 1) + query))


def fill(engine: Engine, base: Engine, years: int) -> int:
    """Copy the star tables of a small warehouse into an empty one and multiply them. Returns how many processes."""
    with reading(base) as source, writing(engine) as conn:
        for table in (*MULTIPLIED, answer, office_structure, procurement_limit):
            # Nothing that is measured reads what a record holds.
            left_out: dict[str, Any] = {"compiled": {}} if table is record else {}
            insert_rows(conn, table, ({**row._mapping, **left_out} for row in source.execute(select(table))))
    with reading(base) as source:
        each = source.scalar(select(func.count()).select_from(contracting_process)) or 1
    per_year = max(1, round(YEAR / each))
    for table in MULTIPLIED:
        with writing(engine) as conn:
            multiply(conn, table, per_year * years, per_year)
    with writing(engine) as conn:
        if years > 1:
            numbers = NUMBERS.format(last=years - 1)
            conn.execute(
                text(
                    numbers + "INSERT INTO answer SELECT source, service, CAST(CAST(scope AS integer) - n.k AS text), "
                    "observed_at, run_id FROM answer CROSS JOIN n WHERE scope <> 'all'"
                )
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))
    return each * per_year * years


@contextmanager
def measured(engine: Engine) -> Iterator[list[float]]:
    """Wall and CPU seconds of a block: of this process on SQLite, else of all the server's processes."""
    spent: list[float] = []
    before, started = _cpu(engine), time.perf_counter()
    yield spent
    spent += [time.perf_counter() - started, _cpu(engine) - before]


def _cpu(engine: Engine) -> float:
    if engine.dialect.name == "sqlite":
        return time.process_time()
    with engine.connect() as conn:
        backend = psutil.Process(conn.scalar(text("SELECT pg_backend_pid()")))
    server = backend.parent() or backend
    ended = server.cpu_times()
    running = [each.cpu_times() for each in server.children()]
    return float(sum(each.user + each.system for each in running) + ended.children_user + ended.children_system)


def measure(engine: Engine, years: int) -> None:
    """Print what each mart and each question costs."""
    newest = 2025
    for name, view in view_metadata.tables.items():
        yearly = "fiscal_year" in view.columns
        queries = [f"SELECT * FROM {name} WHERE fiscal_year = {newest}"] if yearly else []
        if name in OF_ONE:
            queries = [f"SELECT * FROM {name} WHERE ocid = (SELECT max(ocid) FROM proposal)"]
        elif years > 1 or not yearly:
            queries.append(f"SELECT * FROM {name}")
        _print(engine, name, queries)
    for name, query in QUESTIONS.items():
        _print(engine, name, [query])


def _print(engine: Engine, name: str, queries: list[str]) -> None:
    results = []
    for query in queries:
        with measured(engine) as spent, writing(engine) as conn:
            # All columns are computed, and none is sent.
            conn.execute(text(f"CREATE TEMPORARY TABLE answered AS {query}"))
            found = conn.scalar(text("SELECT count(*) FROM answered"))
            conn.execute(text("DROP TABLE answered"))
        results.append(f"{spent[0]:>8.2f} s {spent[1]:>8.2f} s CPU {found:>10,} rows")
    print(f"{name:<28}" + "".join(results), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("years", type=int, nargs="?", default=10)
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of PostgreSQL")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jejak-bench-") as name:
        folder = Path(name)
        small = Version("this version", ROOT, folder)
        settings = folder / "settings.toml"
        settings.write_text(SETTINGS + "".join(f'sources.{each}.transport = "files"\n' for each in SYSTEMS), "utf-8")
        write_dumps(World(PACKAGES, seed=1), folder / "dumps")
        small.jejak(settings, folder / "dumps", "sync", warehouse="small")
        with nullcontext() if options.sqlite else postgresql(folder / "server") as server:
            url = Version("large", ROOT, folder, server).url("large")
            engine = open_warehouse(url)
            migrate(engine)
            with measured(engine) as spent:
                processes = fill(engine, open_warehouse(small.url("small")), options.years)
            print(f"{processes:,} processes of {options.years} fiscal years, filled in {spent[0]:.0f} s")
            print(f"{'':<28}{'one fiscal year':>36}{'all years':>36}")
            measure(engine, options.years)
            engine.dispose()


if __name__ == "__main__":
    main()
