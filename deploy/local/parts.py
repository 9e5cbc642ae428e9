"""The processes that Airflow on this machine is made of: started, waited for, ended; and its API."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import psutil
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
START_SECONDS = 300
Command = tuple[str | Path, ...]
Processes = dict[str, subprocess.Popen[bytes]]
NO_ADMIN = (
    "Airflow has no user admin here whose password it made itself. The make commands log in as that one: they need the "
    "simple auth manager with admin:admin among its users. With other users or another auth manager: deploy/README.md."
)
# Jejak is loaded before the scheduler or a worker forks its tasks, each of which would else spend two seconds on that.
LOADED: Command = ("python", "-c", "import pipeline.steps, airflow.__main__ as airflow; airflow.main()")


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
        if not answer.ok:
            raise requests.HTTPError(f"Airflow answers {answer.status_code} to {method} {path}: {answer.text}")
        return answer.json() if answer.content else None


# --------------------------------------------------------------------------------------------------------- environment


def configure(*files: Path, **more: str) -> None:
    """Put `more`, then what the files say, into the environment where it doesn't say otherwise: the first one wins."""
    os.environ["PWD"] = str(ROOT)
    for name, value in more.items():
        os.environ.setdefault(name, value)
    for line in (line for file in files for line in file.read_text().splitlines()):
        if line and not line.startswith("#"):
            name, value = line.split("=", 1)
            os.environ.setdefault(name, os.path.expandvars(value))
    logs().mkdir(parents=True, exist_ok=True)


def home() -> Path:
    """The folder of this Airflow's own files."""
    return Path(os.environ["AIRFLOW_HOME"])


def logs() -> Path:
    """The folder of what the parts print; Airflow's task logs lie there too."""
    return home() / "logs"


def address(folder: Path) -> Path:
    """The file with the address of Airflow, beside the folder of its files: one for all kinds of starting it."""
    return folder.parent / "open.json"


# ----------------------------------------------------------------------------------------------------------- processes


@contextmanager
def ended() -> Iterator[Processes]:
    """A place for processes, all of which end when the block is left."""
    processes: Processes = {}
    try:
        yield processes
    finally:
        end(list(processes.values()))


@contextmanager
def started(processes: Processes, parts: Mapping[str, Command], dags: list[str], **details: Any) -> Iterator[Api]:
    """Airflow of an API server, a scheduler, a DAG processor and `parts`, once it has read the DAGs; `processes` gets
    them. While the block runs the address file has its address and processes, and `details`."""
    if start("migrate", "airflow", "db", "migrate").wait():
        raise RuntimeError("Airflow's own database could not be made.")
    if start("pools", "python", "-m", "dags.pools").wait():
        raise RuntimeError("Airflow's pools could not be made.")
    url = airflow_url()
    everything: dict[str, Command] = {
        "api-server": ("airflow", "api-server"),
        # Task logs are read from the disk; a log server would listen on every address.
        "scheduler": (*LOADED, "scheduler", "--skip-serve-logs"),
        "dag-processor": ("airflow", "dag-processor"),
        **parts,
    }
    for name, command in everything.items():
        processes[name] = start(name, *command)
    wait_for(lambda: healthy(url), processes, "Airflow's start")
    api = logged_in(url, home())
    wait_for(lambda: all(api.call("GET", f"dags/{dag}") for dag in dags), processes, "Reading the DAGs")
    pids = {name: process.pid for name, process in processes.items()}
    found = {"url": url, "home": str(home()), "by": os.getpid(), "parts": pids, **details}
    address(home()).write_text(json.dumps(found))
    try:
        yield api
    finally:
        address(home()).unlink(missing_ok=True)


def start(name: str, *command: str | Path) -> subprocess.Popen[bytes]:
    """A process of this environment, leader of a session of its own, its output in a file."""
    program, *arguments = command
    with (logs() / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [BIN / program, *arguments], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
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
        kill(process.pid)
        process.wait()


def kill(leader: int) -> None:
    """SIGKILL for a whole session, as when its machine fails: a task has a process group of its own in it."""
    for pid in members(leader):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def members(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                found.append(pid)
    return found


def watch(processes: Processes) -> NoReturn:
    """Wait until interrupted. A worker that ends is only reported, as long as another one works.

    Raises RuntimeError when any other process ends, or the last worker.
    """
    while True:
        time.sleep(1)
        for name in [name for name, process in processes.items() if process.poll() is not None]:
            kill(processes.pop(name).pid)  # its children, if it left any
            if not (name.startswith("worker") and any(other.startswith("worker") for other in processes)):
                raise RuntimeError(f"The {name} ended, so everything does.")
            print(f"{name} ended. Its tasks are tried again elsewhere.", flush=True)


# ------------------------------------------------------------------------------------------------------------- waiting


def within(seconds: float, what: str) -> Iterator[None]:
    """Turns of about a second; raises RuntimeError when they have taken longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(1)
    raise RuntimeError(f"{what} took longer than {seconds} seconds.")


def wait_for(ready: Callable[[], bool], processes: Processes, what: str) -> None:
    """Wait until `ready`; raises RuntimeError if that takes too long or one of the processes has ended."""
    for _ in within(START_SECONDS, what):
        if gone := [name for name, process in processes.items() if process.poll() is not None]:
            raise RuntimeError(f"{what} failed: {' and '.join(gone)} ended at once.")
        if ready():
            return


# ----------------------------------------------------------------------------------------------------------- addresses


def airflow_url() -> str:
    """The address of Airflow's UI and API: the environment's port, or 8080, where it is free; Airflow's settings are
    pointed at it."""
    port = free_port(int(os.environ.get("AIRFLOW__API__PORT", "8080")))
    url = f"http://127.0.0.1:{port}"
    os.environ["AIRFLOW__API__PORT"] = str(port)
    os.environ["AIRFLOW__API__BASE_URL"] = url
    os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"{url}/execution/"
    return url


def opened(folder: Path) -> tuple[Api, dict[str, Any]] | None:
    """The Airflow that is open here, if any, and what its address file holds; `folder` is any Airflow's home here.

    What is left of one whose command was killed is ended: nobody looks after it any more.
    """
    with suppress(FileNotFoundError):
        found: dict[str, Any] = json.loads(address(folder).read_text())
        if not is_ours(found["by"]):
            for leader in found["parts"].values():
                if any(is_ours(pid) for pid in members(leader)):
                    kill(leader)
            address(folder).unlink()
        elif healthy(found["url"]):
            return logged_in(found["url"], Path(found["home"])), found
    return None


def is_ours(pid: int) -> bool:
    """Whether a process works in this repository: its number may be another's by now."""
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).cwd() == str(ROOT))
    return False


def healthy(url: str) -> bool:
    """Whether Airflow's API answers there and its scheduler and DAG processor are alive."""
    try:
        health = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except (requests.RequestException, ValueError):
        return False
    return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))


def logged_in(url: str, folder: Path) -> Api:
    """The API with a token of the user that Airflow, at home in `folder`, made at its first start. Raises RuntimeError
    where there is none, as with another auth manager."""
    passwords = folder / "simple_auth_manager_passwords.json.generated"
    try:
        password = json.loads(passwords.read_text())["admin"]
    except (FileNotFoundError, KeyError):
        raise RuntimeError(NO_ADMIN) from None
    session = requests.Session()
    session.mount(url, HTTPAdapter(max_retries=Retry(5, backoff_factor=1)))
    answer = session.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
    if answer.status_code in (401, 404):  # the file is of earlier days
        raise RuntimeError(NO_ADMIN)
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
