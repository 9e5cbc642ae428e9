"""Settings from Airflow's connections: in tasks of a real Airflow, from its own store and from the environment."""

import json
import re
from typing import Any

import pytest

from tests.dag_runs import run_dags

SETTINGS = """
name = "Kabupaten Rekaan"
ocid_prefix = "ocds-000000"
kd_klpd = "D999"
kd_lpse = "999"
warehouse_url = "sqlite:///of/the/file.db"

[sources.sirup]
url = "http://file.example/isb"
api_key = "file-key"
retries = 2

[sources.lpse]
transport = "rest"
url = "http://file.example/api"

[sources.simda]
transport = "sql"
"""

# A task writes down what it reads, secrets and all; prints what may be seen; and fails with what it is told.
READS = """
import json, os
from airflow.sdk import DAG, task

with DAG("reads"):

    @task
    def read():
        from airflow.sdk._shared.secrets_masker import redact
        from dags import connections

        known = connections.settings("sirup", "lpse", "simda", "simpen")
        plain = {"warehouse_url": known.warehouse_url}
        for name, source in known.sources.items():
            plain[name] = {key: _plain(value) for key, value in source.model_dump(exclude_unset=True).items()}
        hook = connections.alerts().webhook
        plain["webhook"] = hook and hook.get_secret_value()
        # What Airflow's supervisor, which dag.test does without, writes to a task's log of that.
        plain["logged"] = redact(f"{known} {plain}")
        with open(os.environ["RESULT"], "w") as file:
            json.dump(plain, file)

    def _plain(value):
        if isinstance(value, dict):
            return {key: _plain(each) for key, each in value.items()}
        return value.get_secret_value() if hasattr(value, "get_secret_value") else value

    read()
"""
SECRETS = ("s3cr3t/pw", "s3cr3t%2Fpw", "sup3r-t0ken", "serv1ce-key", "h00k-secret", "m$sql-pw", "wareh0use-pw")


WRONG: dict[str, dict[str, Any]] = {
    "extra retires is no setting of a source": {"extra": {"retires": 3, "api_key": "sup3r-t0ken"}},
    "extra page_size: must be a whole number": {"extra": {"page_size": "sup3r-t0ken"}},
    "extra is no JSON object": {"extra": '["sup3r-t0ken"]'},
    "has a login, which transport rest doesn't use": {"login": "sup3r-t0ken"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[dict[str, Any]]:
    """A run without connections, some with a wrong one, and one with many; each with what it read."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    (folder / "dags" / "reads.py").write_text(READS)
    (folder / "settings.toml").write_text(SETTINGS)
    settings = {"AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"), "JEJAK_SETTINGS": str(folder / "settings.toml")}
    plan: list[dict[str, Any]] = [
        {},
        *({"environment": lpse({"conn_type": "http", **wrong})} for wrong in WRONG.values()),
        {
            "environment": {
                **lpse({"conn_type": "http", "host": "https://lpse.example/v1/", "password": "sup3r-t0ken"}),
                "JEJAK_SOURCES__SIRUP__PAGE_SIZE": "60",
            },
            "connections": {
                "jejak_warehouse": "postgresql://jejak:wareh0use-pw@db.example:5433/jejak?sslmode=require",
                "jejak_sirup": "https://:s3cr3t%2Fpw@isb.example:8443/isb-2?__extra__="
                "%7B%22page_size%22%3A50%2C%22api_keys%22%3A%7B%22RUP-MasterSatker%22%3A%22serv1ce-key%22%7D%7D",
                "jejak_simda": "mssql://reader:m%24sql-pw@sql.example/SIMDA",
                "jejak_webhook": "https://:h00k-secret@hooks.example/services",
                "jejak_simpen": "https://nobody.example",  # of a source that this regency does not read
            },
        },
    ]
    results = [folder / f"read{number}.json" for number in range(len(plan))]
    for run, result in zip(plan, results, strict=True):
        run["dag"] = "reads"
        run["environment"] = {**run.get("environment", {}), "RESULT": str(result)}
    return [
        {**run, "known": json.loads(result.read_text()) if result.exists() else None}
        for run, result in zip(run_dags(folder, settings, plan), results, strict=True)
    ]


def lpse(connection: dict[str, Any]) -> dict[str, str]:
    """A connection in the environment, where Airflow looks too."""
    return {"AIRFLOW_CONN_JEJAK_LPSE": json.dumps(connection)}


def test_without_connections_the_file_says_it_all(runs):
    assert runs[0]["run"] == "success"
    assert {name: value for name, value in runs[0]["known"].items() if name != "logged"} == {
        "warehouse_url": "sqlite:///of/the/file.db",
        "sirup": {"url": "http://file.example/isb", "api_key": "file-key", "retries": 2},
        "lpse": {"transport": "rest", "url": "http://file.example/api"},
        "simda": {"transport": "sql"},
        "webhook": None,
    }
    assert "isn't defined" not in runs[0]["log"]  # what is missing is no news


def test_connections_lie_over_the_file_and_the_environment_over_them(runs):
    assert runs[-1]["run"] == "success"
    assert {name: value for name, value in runs[-1]["known"].items() if name != "logged"} == {
        "warehouse_url": "postgresql://jejak:wareh0use-pw@db.example:5433/jejak?sslmode=require",
        "sirup": {
            "url": "https://isb.example:8443/isb-2",
            "api_key": "s3cr3t/pw",
            "api_keys": {"RUP-MasterSatker": "serv1ce-key"},
            "retries": 2,
            "page_size": 60,
        },
        "lpse": {"transport": "rest", "url": "https://lpse.example/v1", "token": "sup3r-t0ken"},
        "simda": {"transport": "sql", "database": "mssql+pymssql://reader:m%24sql-pw@sql.example/SIMDA"},
        "webhook": "https://hooks.example/services/h00k-secret",
    }


def test_what_a_task_logs_of_them_is_masked(runs):
    shown = runs[-1]["known"]["logged"]
    assert "isb.example" in shown
    for secret in SECRETS:
        assert secret not in shown, secret


@pytest.mark.parametrize("number", range(1, 1 + len(WRONG)))
def test_a_wrong_connection_is_named_and_its_values_are_not(runs, number):
    name = list(WRONG)[number - 1]
    assert runs[number]["run"] == "failed"
    assert re.search(f"SettingsError: connection jejak_lpse:? {re.escape(name)}", runs[number]["log"])
    assert "sup3r-t0ken" not in runs[number]["log"]
