"""A run that is late, and then fails: told by a whole Airflow to a webhook that stands in Airflow's own connections."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.parts import ROOT, within
from tests.e2e.conftest import Airflow, Open, tails
from tests.test_alerts import webhook

pytestmark = pytest.mark.e2e

SECONDS = 300  # for each thing that is waited for; the machine may be busy
# Its task ends, badly, when the alert that it is late has come.
SLOW = """
import time
from pathlib import Path

from airflow.sdk import DAG, task
from dags.alerts import alerting

with DAG("slow", doc_md="**Red?** Look at the clock.", **alerting(hours=5 / 3600)):

    @task
    def wait():
        while not Path({ended!r}).exists():
            time.sleep(1)
        raise ValueError("Ibu Siti, NIK 3522010101010001")

    wait()
"""
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alerts")


@pytest.fixture(scope="module")
def airflow(opened: Open, folder: Path) -> Iterator[Airflow]:
    """Airflow with Jejak's DAGs and one more."""
    (folder / "dags").mkdir()
    (folder / "dags" / "slow.py").write_text(SLOW.format(ended=str(folder / "ended")))
    bundles = [
        {"name": "jejak", "classpath": LOCAL, "kwargs": {"path": str(ROOT / "dags")}},
        {"name": "more", "classpath": LOCAL, "kwargs": {"path": str(folder / "dags")}},
    ]
    environment = {
        "JEJAK_SETTINGS": str(ROOT / "settings" / "bojonegoro.toml"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
    }
    with opened("ui", folder, **environment) as airflow:
        yield airflow


def test_a_late_run_and_its_failure_are_told_once_each(airflow, folder):
    with webhook() as (address, posts):
        host, _, port = address.removeprefix("http://").partition(":")
        connection = {"connection_id": "jejak_webhook", "conn_type": "http", "password": "s3cret-path"}
        airflow.api.call("POST", "connections", json={**connection, "host": host, "port": int(port)})
        for _ in within(SECONDS, "Reading the DAG"):
            if airflow.api.call("PATCH", "dags/slow", json={"is_paused": False}):
                break
        run = airflow.api.call("POST", "dags/slow/dagRuns", json={"logical_date": None})["dag_run_id"]
        late = awaited_alert(airflow, posts, 1)
        (folder / "ended").touch()
        failed = awaited_alert(airflow, posts, 2)
    assert (late["dag"], late["run"], late["state"]) == ("slow", run, "late")
    assert late["text"].startswith("Jejak: slow is late. It is not done after ")
    assert late["link"].startswith(f"{airflow.api.url}/dags/slow/runs/")
    assert (failed["run"], failed["state"], failed["tasks"]) == (run, "failed", ["wait"])
    assert failed["advice"] == "Look at the clock."
    assert "3522010101010001" not in json.dumps(posts)


def awaited_alert(airflow: Airflow, posts: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """The last of so many alerts, once they have come."""
    try:
        for _ in within(SECONDS, f"Alert {number}"):
            if len(posts) >= number:
                break
    except RuntimeError as error:
        pytest.fail(f"{error}{tails(airflow.home)}")
    assert len(posts) == number
    return posts[-1]
