"""The DAGs: their graphs, what reading them costs, and nights that they run for real against the simulator.

Airflow settles its configuration when it is imported and keeps it, so it is only ever imported in processes of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.registry import SOURCES
from simulator.server import running
from simulator.world import World
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

ROOT = Path(__file__).resolve().parent.parent
SYNCS = [f"sync_{source}" for source in SOURCES]

# While the files are read no connection succeeds, and there are neither settings nor a metadata database.
INSPECT = """
import json, socket, time
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk, airflow.providers.standard.operators.python

def refuse(*_):
    raise AssertionError("a DAG file opens a connection")

socket.socket.connect = refuse
began = time.process_time()
bag = DagBag()
cost = time.process_time() - began
print(json.dumps({
    "errors": bag.import_errors,
    "cost": cost,
    "dags": {
        dag.dag_id: {
            "tasks": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
            "rules": {task.task_id: task.trigger_rule for task in dag.tasks},
            "tries": {task.task_id: task.retries + 1 for task in dag.tasks},
            "outlets": sorted(outlet.name for task in dag.tasks for outlet in task.outlets),
            "schedule": getattr(dag.timetable, "expression", None),
            "timezone": str(getattr(dag.timetable, "timezone", None)),
            "wakes_on": sorted(asset.name for asset in dag.timetable.asset_condition.objects)
            if dag.timetable.asset_condition else [],
            "max_active_runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "tags": sorted(dag.tags),
            "told": bool(dag.doc_md),
        }
        for dag in bag.dags.values()
    },
}))
"""

# Night after night, what the scheduler does, without its waiting: no task is tried twice, and build_records runs after
# the syncs if one of them woke it. Before each night a fault may be set, or a variable of the environment.
NIGHTS = """
import json, os, sys
import requests
from airflow.dag_processing.dagbag import DagBag

simulator, result, nights = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
bag = DagBag()
told = []
for night in nights:
    os.environ.update(night.get("environment", {}))
    if "fault" in night:
        requests.post(f"{simulator}/_simulator/faults", json=night["fault"]).raise_for_status()
    told.append({})
    for dag_id, dag in sorted(bag.dags.items(), reverse=True):
        if dag_id == "build_records" and not any("announce" in done["success"] for done in told[-1].values()):
            continue
        for task in dag.tasks:
            task.retries = 0
        run = dag.test()
        done = {"run": run.state, "success": [], "skipped": [], "failed": [], "upstream_failed": []}
        for ti in run.get_task_instances():
            done[ti.state].append(f"{ti.task_id} {ti.rendered_map_index or ''}".strip())
        told[-1][dag_id] = done
with open(result, "w") as file:
    json.dump(told, file)
"""
# The services that the nights read; all others are switched off.
LKPP = {"RUP-PaketPenyedia-Terumumkan", "RUP-MasterProvinsi", "SPSE-TenderPengumuman", "SPSE-PesertaTender"}
READ = LKPP | {"SIMDA-Kontrak", "Musrenbang-Usulan", "SIMPEN-Pekerjaan", "Dokumen-Perencanaan"}


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What reading dags/ gives."""
    folder = tmp_path_factory.mktemp("airflow")
    nowhere = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/nothing/here.db",
        "JEJAK_SETTINGS": str(folder / "nothing.toml"),
    }
    done = in_airflow(folder, nowhere, INSPECT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def in_airflow(folder: Path, more: dict[str, str], script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python whose Airflow lives in `folder` and reads this repository's DAGs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "JEJAK"))}
    environment |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment | more, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Four nights: the first, one without news, one with a failing service, one without settings."""
    folder = tmp_path_factory.mktemp("airflow")
    in_airflow(folder, {}, "from airflow.utils.db import initdb; initdb()")
    settings = {
        "JEJAK_SETTINGS": str(ROOT / "settings" / "simulator.toml"),
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{folder}/jejak.db",
    }
    plan = [
        {},
        {},
        {"fault": {"kind": "html", "match": "SPSE-PesertaTender", "times": None}},
        {"environment": {"JEJAK_SETTINGS": str(folder / "nothing.toml")}},
    ]
    simda = f"sqlite:///{folder}/simda.db"
    settings["JEJAK_SOURCES__SIMDA__DATABASE"] = simda
    with running(World(40, seed=7), simda_url=simda) as simulator:
        for name, source in SOURCES.items():
            off = {service: {"enabled": False} for service in source.services if service not in READ}
            settings[f"JEJAK_SOURCES__{name.upper()}__SERVICES"] = json.dumps(off)
            settings[f"JEJAK_SOURCES__{name.upper()}__URL"] = (
                f"{simulator.url}/isb-2" if LKPP & source.services.keys() else f"{simulator.url}/{name}/api"
            )
        result = folder / "nights.json"
        in_airflow(folder, settings, NIGHTS, simulator.url, str(result), json.dumps(plan))
        world = simulator.world
        rows = {service: len(world.rows(service, world.year)) for service in READ}
    return {"nights": json.loads(result.read_text()), "url": settings["JEJAK_WAREHOUSE_URL"], "rows": rows}


def test_files_load(bag):
    assert bag["errors"] == {}
    assert sorted(bag["dags"]) == sorted([*SYNCS, "build_records"])


def test_reading_them_is_cheap(bag):
    assert bag["cost"] < 1


@pytest.mark.parametrize("source", SOURCES)
def test_sync_dag(bag, source):
    dag = bag["dags"][f"sync_{source}"]
    assert dag["tasks"] == {
        "plan": ["report", "sync"],
        "sync": ["announce", "report"],
        "announce": ["report"],
        "report": [],
    }
    assert dag["rules"]["announce"] == dag["rules"]["report"] == "all_done"
    assert dag["tries"] == {"plan": 1, "sync": 3, "announce": 1, "report": 1}
    assert dag["outlets"] == [f"{source}_rows"]
    assert (dag["schedule"], dag["timezone"], dag["catchup"]) == ("0 1 * * *", "Asia/Jakarta", False)
    assert dag["max_active_runs"] == 1
    assert dag["tags"] == sorted(["jejak", "sync", source])
    assert dag["told"]


def test_records_dag(bag):
    dag = bag["dags"]["build_records"]
    assert dag["tasks"] == {"build": []}
    assert dag["wakes_on"] == sorted(f"{source}_rows" for source in SOURCES)
    assert dag["max_active_runs"] == 1
    assert dag["told"]


def test_first_night(nights):
    night = nights["nights"][0]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys([*SYNCS, "build_records"], "success")
    assert {task for done in night.values() for task in done["success"] if task.startswith("sync ")} == {
        f"sync {service} {'all' if service == 'RUP-MasterProvinsi' else 2025}" for service in READ
    }
    with reading(open_warehouse(nights["url"])) as conn:
        runs = conn.execute(
            select(t.run.c.id, t.run.c.command, t.run.c.status).order_by(t.run.c.started_at, t.run.c.id)
        ).all()
        first = {run.id for run in runs[: len(SYNCS)]}
        counted = conn.execute(
            select(t.run_service.c.service, t.run_service.c.fetched, t.run_service.c.new + t.run_service.c.duplicate)
            .where(t.run_service.c.run_id.in_(first))
        ).all()  # fmt: skip
        records = conn.execute(select(func.count()).select_from(t.record)).scalar_one()
    assert {(run.command, run.status) for run in runs[: len(SYNCS)]} == {("sync", "success")}
    assert ("build", "success") in {(run.command, run.status) for run in runs}
    assert {service: fetched for service, fetched, _ in counted} == nights["rows"]
    assert {service: known for service, _, known in counted} == nights["rows"]
    assert records > 0


def test_night_without_news(nights):
    night = nights["nights"][1]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys(SYNCS, "success")
    assert {dag: done["skipped"] for dag, done in night.items()} == {dag: ["announce"] for dag in SYNCS}


def test_night_with_a_failing_service(nights):
    night = nights["nights"][2]
    assert night["sync_sirup"]["run"] == "success"
    assert night["sync_lpse"]["run"] == "failed"
    assert sorted(night["sync_lpse"]["failed"]) == ["report", "sync SPSE-PesertaTender 2025"]
    assert "sync SPSE-TenderPengumuman 2025" in night["sync_lpse"]["success"]
    with reading(open_warehouse(nights["url"])) as conn:
        messages = conn.execute(select(t.run.c.message).where(t.run.c.status == "failed")).scalars().all()
    assert len(messages) == 1
    assert messages[0].startswith("SPSE-PesertaTender 2025: ")


def test_night_without_settings(nights):
    night = nights["nights"][3]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys(SYNCS, "failed")
    assert {dag: sorted(done["failed"]) for dag, done in night.items()} == {
        dag: ["announce", "plan", "report"] for dag in SYNCS
    }
