"""Single runs of DAGs in an Airflow of its own, each with its form, its environment and what it left in XCom."""

import json
from pathlib import Path
from typing import Any

from tests.nights import in_airflow

# One after the other, without the scheduler's waiting; no task is tried twice. Before each a fault may be set at the
# simulator, variables of the environment, or connections in Airflow's own store.
RUNS = """
import json, os, sys
import requests
from airflow.dag_processing.dagbag import DagBag
from airflow.models import Connection
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

result, plan = sys.argv[1], json.loads(sys.argv[2])
results = []
for each in plan:
    os.environ.update(each.get("environment", {}))
    if "fault" in each:
        simulator, fault = each["fault"]
        requests.post(f"{simulator}/_simulator/faults", json=fault).raise_for_status()
    with create_session() as session:
        session.add_all(Connection(conn_id=name, uri=uri) for name, uri in each.get("connections", {}).items())
    bag = DagBag()  # a run leaves what its form said in the parameters
    assert not bag.import_errors, bag.import_errors
    dag = bag.dags[each["dag"]]
    dag.deadline = None  # dag.test can't have one
    for task in dag.tasks:
        task.retries = 0
    print("BEGIN", flush=True)
    try:
        run = dag.test(run_conf=each.get("conf"))
    except Exception as error:
        results.append({"refused": str(error)})
        continue
    done = {"run": run.state, "name": f"{run.dag_id}/{run.run_id}", "tasks": {}, "xcoms": {}}
    for ti in run.get_task_instances():
        done["tasks"][f"{ti.task_id} {ti.rendered_map_index or ''}".strip()] = ti.state
    with create_session() as session:
        rows = session.execute(
            select(XComModel.task_id, XComModel.key, XComModel.value)
            .where(XComModel.run_id == run.run_id, XComModel.dag_id == run.dag_id, XComModel.map_index == -1)
        )
        done["xcoms"] = {f"{row.task_id}.{row.key}": XComModel.deserialize_value(row) for row in rows}
    results.append(done)
with open(result, "w") as file:
    json.dump(results, file)
"""


def run_dags(folder: Path, settings: dict[str, str], plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run DAGs one after the other in a new Airflow in `folder`; what became of each.

    A run is `{"dag", "conf", "environment", "connections", "fault"}`, all but the first optional. What became of it is
    `{"run": state, "name", "tasks": {"id label": state}, "xcoms": {"task.key": value}, "log"}`, or `{"refused"}` with
    the message where there was no run.
    """
    in_airflow(folder, settings, "from airflow.utils.db import initdb; initdb()")
    result = folder / "runs.json"
    done = in_airflow(folder, settings, RUNS, str(result), json.dumps(plan))
    runs = json.loads(result.read_text())
    return [{**run, "log": log} for run, log in zip(runs, done.stdout.split("BEGIN\n")[1:], strict=True)]
