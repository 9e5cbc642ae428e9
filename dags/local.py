"""Airflow on this machine, as `make run` and `make airflow` start it.

    python -m dags.local night    one run of every sync DAG now, and of what it sets off; then the counts
    python -m dags.local ui       Airflow's UI until Ctrl-C

Both start the simulator (where the settings are the simulator's), the API server with its UI, the scheduler and the DAG
processor, on loopback and on free ports; all end with the command. A `night` while a `ui` is open uses that one. What
the parts print goes to files in data/airflow/logs.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import make_url
from urllib3.util import Retry

from pipeline.configure import load_settings
from pipeline.registry import SOURCES

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SIMULATOR = ROOT / "settings" / "simulator.toml"
PACKAGES, SEED = 1000, 1  # of the simulated town
SYNCS = [f"sync_{source}" for source in SOURCES]
RECORDS = "build_records"
# Jejak is loaded before the scheduler forks its tasks, each of which would else spend two seconds on that.
LOADED = "import pipeline.steps, airflow.__main__ as airflow; airflow.main()"
START_SECONDS, NIGHT_SECONDS = 180, 1800
ENDED = {"success", "failed"}


@dataclass(frozen=True, slots=True)
class Api:
    """Airflow's REST API, logged in as its one user."""

    url: str
    password: str
    session: requests.Session

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON; None where there is no such thing. Raises requests.RequestException for other failures."""
        answer = self.session.request(method, f"{self.url}/api/v2/{path}", timeout=30, **options)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()


def main() -> int:
    """Run the command that the first argument names; returns the exit status."""
    commands = {"night": night, "ui": ui}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print(__doc__)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    configure()
    try:
        return commands[sys.argv[1]]()
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from there.")
        return 130
    except (RuntimeError, requests.RequestException) as error:
        print(f"{error}\nWhat each part said stands in {logs()}.", file=sys.stderr)
        return 1


def night() -> int:
    """One run of every sync DAG and of the record building that it sets off; returns 0 if all went well."""
    with ExitStack() as stack:
        api = running() or stack.enter_context(started())
        for dag in [*SYNCS, RECORDS]:
            api.call("PATCH", f"dags/{dag}", json={"is_paused": False})
        begun = [*SYNCS]
        if [build["state"] for build in builds(api)[:1]] == ["failed"]:
            begun.append(RECORDS)  # what that one left pending waits even if tonight brings nothing new
        runs = {dag: api.call("POST", f"dags/{dag}/dagRuns", json={"logical_date": None}) for dag in begun}
        failed = follow(api, {dag: runs[dag]["dag_run_id"] for dag in SYNCS})
    print(flush=True)
    subprocess.run([BIN / "jejak", "status"], check=False)
    if not failed:
        print("\nOne package, followed through all systems:\n", flush=True)
        subprocess.run([BIN / "jejak", "trace"], check=False)
    for dag in failed:
        print(f"{dag} failed: make airflow shows which task, and its log says why.", file=sys.stderr)
    print(f"""
Warehouse: {make_url(load_settings().warehouse_url)!r}
Next:      make airflow     these runs in Airflow's UI
           make run         another night: nothing new, so nothing changes
           export JEJAK_SETTINGS={os.path.relpath(os.environ["JEJAK_SETTINGS"])}
           .venv/bin/jejak trace CODE               another package, by its RUP, tender or OCID code
           .venv/bin/jejak links list               links that wait for somebody to decide
           .venv/bin/jejak export --out data/export releases and records as JSON lines""")
    return 1 if failed else 0


def ui() -> int:
    """Airflow's UI until Ctrl-C; where it is open already, only says so."""
    if api := running():
        print(f"Airflow is open already: {api.url} (user admin, password {api.password})")
        return 0
    # Nothing here defers a task, but the UI calls an Airflow without triggerer unhealthy.
    with started({"triggerer": ("airflow", "triggerer", "--skip-serve-logs")}) as api:
        print(f"Airflow: {api.url} (user admin, password {api.password})")
        print("A DAG that is switched on runs every night while this is open. Ctrl-C ends it.", flush=True)
        signal.pause()
    return 0


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


@contextmanager
def started(more: dict[str, tuple[str, ...]] | None = None) -> Iterator[Api]:
    """The simulator, where the settings are its own, and Airflow, with `more` parts; all end when the block is left."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        if Path(os.environ["JEJAK_SETTINGS"]).resolve() == SIMULATOR:
            print(f"Starting the simulator ({PACKAGES:,} packages of a regency that does not exist) ...", flush=True)
            port = simulated_port()
            size = ("--packages", str(PACKAGES), "--seed", str(SEED))
            serve = ("--serve", f"127.0.0.1:{port}", "--simda", simda_url())
            processes["simulator"] = start("simulator", "jejak", "simulate", *size, *serve)
            wait_for(lambda: answers(port), processes, "The simulator's start")
        print("Starting Airflow (half a minute) ...", flush=True)
        if start("migrate", "airflow", "db", "migrate").wait():
            raise RuntimeError("Airflow's own database could not be made.")
        url = airflow_url()
        parts = {
            "api-server": ("airflow", "api-server"),
            # Task logs are read from the disk; a log server would listen on every address.
            "scheduler": ("python", "-c", LOADED, "scheduler", "--skip-serve-logs"),
            "dag-processor": ("airflow", "dag-processor"),
            **(more or {}),
        }
        processes |= {name: start(name, *command) for name, command in parts.items()}
        wait_for(lambda: healthy(url), processes, "Airflow's start")
        api = logged_in(url)
        wait_for(
            lambda: all(api.call("GET", f"dags/{dag}") for dag in [*SYNCS, RECORDS]), processes, "Reading the DAGs"
        )
        address().write_text(json.dumps({"url": url}))
        yield api
    finally:
        address().unlink(missing_ok=True)
        end(list(processes.values()))


def running() -> Api | None:
    """The Airflow that another `make airflow` has open here, if any."""
    if not address().exists():
        return None
    url = json.loads(address().read_text())["url"]
    return logged_in(url) if healthy(url) else None


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


def airflow_url() -> str:
    """The address of Airflow's UI and API: port 8080 where it is free; Airflow's settings are pointed at it."""
    port = free_port(8080)
    url = f"http://127.0.0.1:{port}"
    os.environ["AIRFLOW__API__PORT"] = str(port)
    os.environ["AIRFLOW__API__BASE_URL"] = url
    os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"{url}/execution/"
    return url


def start(name: str, command: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process of this environment, leader of a group of its own, its output in a file."""
    with (logs() / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [BIN / command, *arguments], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the processes with all their children: politely, and after ten seconds not so."""
    for impatience in (signal.SIGINT, signal.SIGTERM):
        signal.signal(impatience, signal.SIG_IGN)
    deadline = time.monotonic() + 10
    for process in processes:
        process.terminate()
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def configure() -> None:
    """Put dags/airflow.env into the environment, and the simulator's settings, where it doesn't say otherwise."""
    os.environ["PWD"] = str(ROOT)
    for line in (ROOT / "dags" / "airflow.env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            os.environ.setdefault(name, os.path.expandvars(value))
    os.environ.setdefault("JEJAK_SETTINGS", str(SIMULATOR))
    logs().mkdir(parents=True, exist_ok=True)


def logs() -> Path:
    """The folder of what the parts print; Airflow's task logs lie there too."""
    return Path(os.environ["AIRFLOW_HOME"]) / "logs"


def address() -> Path:
    """The file that says where Airflow is open."""
    return Path(os.environ["AIRFLOW_HOME"]) / "open.json"


def healthy(url: str) -> bool:
    """Whether Airflow's API answers there and its scheduler and DAG processor are alive."""
    try:
        health = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except (requests.RequestException, ValueError):
        return False
    return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))


def logged_in(url: str) -> Api:
    """The API with a token of the user that Airflow made at its first start."""
    passwords = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    password = json.loads(passwords.read_text())["admin"]
    session = requests.Session()
    # On SQLite Airflow's own requests sometimes lock each other out; the loser is undone and can be sent again.
    again = Retry(5, status_forcelist=[500, 503], allowed_methods=None, backoff_factor=1)
    session.mount(url, HTTPAdapter(max_retries=again))
    answer = session.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
    answer.raise_for_status()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return Api(url, password, session)


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port(usual: int | None) -> int:
    """`usual` where nobody listens on it, else one that the system gives."""
    for port in (usual or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("No free port on 127.0.0.1.")


def within(seconds: float, what: str) -> Iterator[None]:
    """Turns of about a second; raises RuntimeError when they have taken longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(1)
    raise RuntimeError(f"{what} took longer than {seconds} seconds.")


def wait_for(ready: Callable[[], bool], processes: dict[str, subprocess.Popen[bytes]], what: str) -> None:
    """Wait until `ready`; raises RuntimeError if that takes too long or one of the processes has ended."""
    for _ in within(START_SECONDS, what):
        if ended := [name for name, process in processes.items() if process.poll() is not None]:
            raise RuntimeError(f"{what} failed: {' and '.join(ended)} ended at once.")
        if ready():
            return


if __name__ == "__main__":
    sys.exit(main())
