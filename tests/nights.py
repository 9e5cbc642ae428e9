"""Airflow in a process of its own, and runs of the DAGs in it.

Airflow settles its configuration when it is imported and keeps it, so no test imports it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.registry import SOURCES

ROOT = Path(__file__).resolve().parent.parent
SYNCS = [f"sync_{source}" for source in SOURCES]

# Night after night, what the scheduler does, without its waiting: no task is tried twice, and build_records runs after
# the syncs if one of them woke it. Before each night a fault may be set, or a variable of the environment; from then on
# tasks of a name may run out of time before they have begun.
NIGHTS = """
import json, os, sys
import requests
from datetime import datetime, timedelta
from airflow.dag_processing import dagbag
from airflow.models.asset import AssetEvent
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

result, nights = sys.argv[1], json.loads(sys.argv[2])
bag = dagbag.DagBag()
assert not bag.import_errors, bag.import_errors
results = []
for night in nights:
    os.environ.update(night.get("environment", {}))
    if "fault" in night:
        simulator, fault = night["fault"]
        requests.post(f"{simulator}/_simulator/faults", json=fault).raise_for_status()
    results.append({})
    for dag_id in [*night["dags"], "build_records"]:
        if dag_id == "build_records" and not any(done["extras"] for done in results[-1].values()):
            continue
        dag = bag.dags[dag_id]
        dag.deadline = None  # dag.test() can't have one
        for task in dag.tasks:
            task.retries = 0
            if task.label == night.get("out_of_time"):
                task.execution_timeout = timedelta(seconds=-1)
        logical_date = night.get("logical_date")
        more = {"logical_date": datetime.fromisoformat(logical_date)} if logical_date else {}
        run = dag.test(run_conf=night.get("conf"), **more)
        done = {"name": f"{dag_id}/{run.run_id}", "run": run.state}
        done |= {"success": [], "skipped": [], "failed": [], "upstream_failed": []}
        for ti in run.get_task_instances():
            done[ti.state].append(f"{ti.task_id} {ti.rendered_map_index or ''}".strip())
        with create_session() as session:
            xcoms = session.execute(
                select(XComModel.task_id, XComModel.key, XComModel.value)
                .where(XComModel.run_id == run.run_id, XComModel.dag_id == dag_id, XComModel.map_index == -1)
            )
            done["xcoms"] = {f"{row.task_id}.{row.key}": XComModel.deserialize_value(row) for row in xcoms}
            events = select(AssetEvent.extra).where(
                AssetEvent.source_run_id == run.run_id, AssetEvent.source_dag_id == dag_id
            )
            done["extras"] = list(session.scalars(events))
        results[-1][dag_id] = done
        # dag.test() writes all DAGs anew before each run, which takes longer than the run itself: once will do.
        dagbag.BundleDagBag = dagbag.sync_bag_to_db = lambda *_, **__: None
with open(result, "w") as file:
    json.dump(results, file)
"""


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


def spend(folder: Path, settings: dict[str, str], nights: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """Let the nights pass: for each, how the run of each DAG ended; and the logs of all.

    A night is `{"environment", "fault", "out_of_time", "dags", "conf", "logical_date"}`, all optional: else every
    source is read.
    """
    in_airflow(folder, {}, "from airflow.utils.db import initdb; initdb()")
    result = folder / "nights.json"
    plan = [{"dags": SYNCS, **night} for night in nights]
    done = in_airflow(folder, settings, NIGHTS, str(result), json.dumps(plan))
    return json.loads(result.read_text()), done.stdout + done.stderr
