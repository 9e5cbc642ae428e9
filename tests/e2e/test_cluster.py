"""A cluster as `make cluster` opens it: one of its two workers dies in the middle of a task."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, func, select

from deploy.local.parts import BIN, ROOT, kill, members, within
from pipeline.registry import SOURCES
from simulator.faults import Fault
from tests.e2e.conftest import Airflow, Open, tails
from tests.worlds import EditedWorld, Town, contents, served
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

pytestmark = pytest.mark.e2e

# Enough of each system that the packages are followed through all of them; the first is the one that is read when the
# worker dies.
HIT = "RUP-PaketPenyedia-Terumumkan"
READ = [
    HIT,
    "RUP-PaketAnggaranPenyedia",
    "SPSE-TenderPengumuman",
    "SPSE-TenderSelesaiNilai",
    "SIMDA-Kontrak",
    "Musrenbang-Usulan",
    "SIMPEN-Pekerjaan",
]
SYNCS = [f"sync_{source}" for source in ("sirup", "lpse", "simda", "musrenbang", "simpen")]
SECONDS = 300  # for each thing that is waited for; the machine may be busy


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, postgres_warehouse: str) -> Iterator[Town]:
    """A small town, whose own warehouse is the one that nothing disturbs."""
    with served(EditedWorld(60, seed=4), tmp_path_factory.mktemp("town"), postgres_warehouse, simda=True) as town:
        yield town


@pytest.fixture(scope="module")
def settings(town: Town) -> Path:
    """All systems, LKPP's in pages of ten rows."""
    return town.settings("rest", only=READ, systems=SOURCES, page_size=10)


@pytest.fixture(scope="module")
def undisturbed(town: Town, settings: Path) -> Engine:
    """The warehouse that the command line fills."""
    environment = {**os.environ, **town.environment, "JEJAK_SETTINGS": str(settings)}
    for command in (["sync", "--no-build"], ["build"]):
        subprocess.run([BIN / "jejak", *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    return town.engine


@pytest.fixture(scope="module")
def cluster(town: Town, settings: Path, opened: Open, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    environment = {
        **town.environment,
        "JEJAK_SETTINGS": str(settings),
        # The next try need not wait minutes for a source that is restarted.
        "AIRFLOW__CORE__MAX_TASK_RETRY_DELAY": "5",
    }
    with opened("cluster", tmp_path_factory.mktemp("cluster"), **environment) as airflow:
        yield airflow


def test_everything_listens_on_loopback(cluster):
    addresses = set()
    for pid in (pid for leader in cluster.pids.values() for pid in members(leader)):
        with suppress(psutil.NoSuchProcess):
            connections = psutil.Process(pid).net_connections("inet")
            addresses |= {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}


def test_a_worker_is_killed(cluster, town, undisturbed):
    assert cluster.warehouse
    warehouse = open_warehouse(cluster.warehouse)
    town.server.requests.clear()
    # No answer to the third page: the task waits in the middle of its reading, until it is killed.
    town.server.faults.add(Fault("hang", HIT, after_page=2, seconds=SECONDS))
    cluster.api.call("PATCH", "dags/build_records", json={"is_paused": True})
    runs = {dag: switched_on(cluster, dag) for dag in SYNCS}
    for _ in within(SECONDS, "Reading two pages"):
        if any(request["fault"] == "hang" for request in town.server.requests):
            break
    assert counted(warehouse, t.staged_page) >= 2
    victim = reader(cluster, runs["sync_sirup"])
    assert (victim["state"], victim["try_number"]) == ("running", 1)
    worker = os.getsid(victim["pid"])
    assert worker in {cluster.pids["worker-1"], cluster.pids["worker-2"]}
    kill(worker)

    ended(cluster, runs)
    again = reader(cluster, runs["sync_sirup"])
    assert (again["state"], again["try_number"]) == ("success", 2)
    # The second try went on where the first was: it asked again only for the page that had not come.
    asked = [request["asked"] for request in town.server.requests]
    (unanswered,) = [request["asked"] for request in town.server.requests if request["fault"]]
    assert unanswered.endswith("page 3")
    assert [asked.count(unanswered.replace("page 3", page)) for page in ("page 1", "page 2", "page 3")] == [1, 1, 2]
    cluster.api.call("PATCH", "dags/build_records", json={"is_paused": False})
    ended(cluster, {"build_records": begun(cluster, "build_records")})

    assert counted(warehouse, t.record) > 0
    assert contents(warehouse) == contents(undisturbed)
    assert bookkeeping(warehouse) == bookkeeping(undisturbed)


def switched_on(cluster: Airflow, dag: str) -> str:
    """The id of the one run of a DAG that is switched on now: in the hours after its own hour Airflow begins one by
    itself, else it is begun here."""
    due = cluster.api.call("GET", f"dags/{dag}")["next_dagrun_run_after"]
    cluster.api.call("PATCH", f"dags/{dag}", json={"is_paused": False})
    if datetime.fromisoformat(due) > datetime.now(UTC):
        return begun(cluster, dag)
    runs: list[dict[str, Any]] = []
    for _ in within(SECONDS, f"The run that {dag} has missed"):
        runs = cluster.api.call("GET", f"dags/{dag}/dagRuns")["dag_runs"]
        if runs:
            break
    return str(runs[0]["dag_run_id"])


def begun(cluster: Airflow, dag: str) -> str:
    """The id of a new run of a DAG."""
    return str(cluster.api.call("POST", f"dags/{dag}/dagRuns", json={"logical_date": None})["dag_run_id"])


def reader(cluster: Airflow, run: str) -> dict[str, Any]:
    """The task that reads the service that is hit."""
    tasks = cluster.api.call("GET", f"dags/sync_sirup/dagRuns/{run}/taskInstances")["task_instances"]
    (found,) = [task for task in tasks if (task["rendered_map_index"] or "").startswith(HIT)]
    return dict(found)


def ended(cluster: Airflow, runs: dict[str, str]) -> None:
    """Wait until the runs have succeeded."""
    states: dict[str, str] = {}
    for _ in within(SECONDS, f"{', '.join(runs)}"):
        states = {dag: cluster.api.call("GET", f"dags/{dag}/dagRuns/{run}")["state"] for dag, run in runs.items()}
        if not {"queued", "running"} & set(states.values()):
            break
    assert states == dict.fromkeys(runs, "success"), tails(cluster.home)


def counted(engine: Engine, table: Any) -> int:
    with reading(engine) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def bookkeeping(engine: Engine) -> list[tuple[Any, ...]]:
    """What was counted of each service. Names of runs differ, and Airflow has a run for each source and for the build,
    so that those names, and the runs themselves, are left out here and in `contents`."""
    columns = [column for column in t.run_service.c if column.name != "run_id"]
    with reading(engine) as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(*columns[:3]))]
