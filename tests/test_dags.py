"""The DAGs: their graphs, what reading them costs, a backfill's runs, and nights run for real against the simulator."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.registry import SOURCES
from simulator.server import running
from simulator.world import World
from tests.nights import ROOT, SYNCS, in_airflow, spend
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

# While the files are read no connection succeeds, Airflow is asked for nothing, and there are neither settings nor a
# metadata database.
INSPECT = """
import json, socket, sys
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk, airflow.providers.standard.operators.python
from airflow.sdk.execution_time import context

def refuse(*_, **__):
    raise AssertionError("a DAG file opens a connection, or asks Airflow for a Variable or Connection")

socket.socket.connect = context._get_connection = context._get_variable = refuse
before = set(sys.modules)
bag = DagBag()
loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
print(json.dumps({
    "errors": bag.import_errors,
    "loaded": loaded,
    "dags": {
        dag.dag_id: {
            "tasks": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
            "rules": {task.task_id: task.trigger_rule for task in dag.tasks},
            "tries": {task.task_id: task.retries + 1 for task in dag.tasks},
            "pools": {task.task_id: task.pool for task in dag.tasks},
            "owners": sorted({task.owner for task in dag.tasks}),
            "unlimited": [task.task_id for task in dag.tasks if not task.execution_timeout],
            "outlets": sorted(outlet.name for task in dag.tasks for outlet in task.outlets),
            "schedule": getattr(dag.timetable, "expression", None) or getattr(dag.timetable, "_expression", None),
            "timezone": str(getattr(dag.timetable, "timezone", None)),
            "wakes_on": sorted(asset.name for asset in dag.timetable.asset_condition.objects)
            if dag.timetable.asset_condition else [],
            "max_active_runs": dag.max_active_runs,
            "limited": dag.dagrun_timeout is not None,
            "catchup": dag.catchup,
            "tags": sorted(dag.tags),
            "doc": dag.doc_md or "",
            "description": dag.description,
            "alerts": dag.has_on_failure_callback,
            "params": {name: dag.params.get_param(name).schema for name in dag.params},
        }
        for dag in bag.dags.values()
    },
}))
"""

# The runs that Airflow makes of a backfill's range, as its form and API do; and the one it would start by itself.
RANGES = """
import json, sys
from datetime import datetime
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
from airflow.models import backfill
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from dags.fiscal_year import asked_year

dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(DagBag().dags["sync_fiscal_year"]))
runs = []
for today, start, end in json.loads(sys.argv[1]):
    backfill.timezone.utcnow = lambda: datetime.fromisoformat(today)
    infos = backfill._get_info_list(
        from_date=datetime.fromisoformat(start), to_date=datetime.fromisoformat(end), reverse=False, dag=dag
    )
    runs.append([info.logical_date.isoformat() for info in infos])
next_one = [dag.next_dagrun_info(last_automated_run_info=info) for info in (None, *infos)]
years = {}
for name, (run_type, logical_date, run_after, conf) in json.loads(sys.argv[2]).items():
    moments = [datetime.fromisoformat(moment) if moment else None for moment in (logical_date, run_after)]
    run = SimpleNamespace(run_type=run_type, logical_date=moments[0], run_after=moments[1], conf=conf)
    try:
        years[name] = asked_year(SimpleNamespace(utc_offset="+07:00"), run)
    except AirflowFailException as error:
        years[name] = str(error)
print(json.dumps({"runs": runs, "by itself": [info for info in next_one if info], "years": years}))
"""
TODAY = "2026-11-23T06:00:00+00:00"
# today, From, To, the fiscal years of the runs
BACKFILLS = {
    "years that are over": (TODAY, "2023-01-01T00:00:00Z", "2025-12-31T00:00:00Z", [2023, 2024, 2025]),
    "the open year included": (TODAY, "2024-01-01T00:00:00Z", "2026-12-31T00:00:00Z", [2024, 2025, 2026]),
    "until today": (TODAY, "2025-01-01T00:00:00Z", "2026-11-23T00:00:00Z", [2025, 2026]),
    "the end of the last day": (TODAY, "2024-01-01T00:00:00Z", "2025-12-31T23:59:59Z", [2024, 2025]),
    "a form in Jakarta's time": (TODAY, "2022-12-31T17:00:00Z", "2025-12-30T17:00:00Z", [2023, 2024, 2025]),
    "and to the end of the day": (TODAY, "2022-12-31T17:00:00Z", "2025-12-31T16:59:59Z", [2023, 2024, 2025]),
    "a form far in the west": (TODAY, "2024-01-01T11:00:00Z", "2025-12-31T11:00:00Z", [2024, 2025]),
    "a form far in the east": (TODAY, "2023-12-31T10:00:00Z", "2025-12-30T10:00:00Z", [2024, 2025]),
    "one year": (TODAY, "2011-01-01T00:00:00Z", "2011-12-31T00:00:00Z", [2011]),
    "years to come": (TODAY, "2025-01-01T00:00:00Z", "2030-12-31T00:00:00Z", [2025, 2026]),
    "one day, the year's": (TODAY, "2025-01-02T05:00:00Z", "2025-01-02T05:00:00Z", [2025]),
    "one day, another": (TODAY, "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z", []),
    "a year just begun": ("2026-01-02T05:00:01Z", "2024-01-01T00:00:00Z", "2026-12-31T00:00:00Z", [2024, 2025, 2026]),
    "the day before": ("2026-01-01T05:00:00Z", "2024-01-01T00:00:00Z", "2026-12-31T00:00:00Z", [2024, 2025]),
}  # fmt: skip

# run_type, logical date, run_after, what the form says; the fiscal year that is read
RUNS = {
    "a year's run": (("backfill", "2024-01-02T05:00:00Z", "2024-01-02T05:00:00Z", {"fiscal_year": None}), [2024]),
    "by hand": (("manual", None, "2026-11-23T06:00:00Z", {}), [2026]),
    "by hand on New Year's Eve in UTC": (("manual", None, "2026-12-31T17:00:00Z", {}), [2027]),
    "by hand for a day": (("manual", "2023-12-31T16:59:59Z", "2026-11-23T06:00:00Z", {}), [2023]),
    "by hand for a year": (("manual", None, "2026-11-23T06:00:00Z", {"fiscal_year": 2013}), [2013]),
    "the form says the same": (
        ("backfill", "2024-01-02T05:00:00Z", "2024-01-02T05:00:00Z", {"fiscal_year": 2024}),
        [2024],
    ),
    "the form contradicts": (
        ("backfill", "2024-01-02T05:00:00Z", "2024-01-02T05:00:00Z", {"fiscal_year": 2013}),
        "This is a backfill's run for 2024, and its parameter fiscal_year says 2013: leave that empty, "
        "a backfill takes the years of its range.",
    ),
}

# The services that the nights read; all others are switched off.
LKPP = {"RUP-PaketPenyedia-Terumumkan", "RUP-MasterProvinsi", "SPSE-TenderPengumuman", "SPSE-PesertaTender"}
READ = LKPP | {"SIMDA-Kontrak", "Musrenbang-Usulan", "SIMPEN-Pekerjaan", "Dokumen-Perencanaan"}

READING: dict[str, list[str]] = {
    "plan": ["announce", "report", "sync"],
    "sync": ["announce", "report"],
    "announce": ["report"],
    "report": [],
}
BUILDING = {"place": ["build", "report"], "build": ["report"], "report": []}
DAGS: dict[str, dict[str, list[str]]] = {
    **dict.fromkeys(SYNCS, READING),
    "sync_fiscal_year": {
        f"{source}.{task}": [f"{source}.{each}" for each in after]
        for source in SOURCES
        for task, after in READING.items()
    },
    "build_records": BUILDING,
    "retry_rejects": {"retry": []},
    "rebuild_records": BUILDING,
    "dry_run": {
        **{f"{source}.plan": [f"{source}.preview", "report"] for source in SOURCES},
        **{f"{source}.preview": ["report"] for source in SOURCES},
        "report": [],
    },
    "prune_versions": {"prune": []},
    "publish": {"publish": []},
    "review_records": {"flags": [], "quality": []},
    "source_health": {"look": ["check", "report"], "check": ["report"], "report": []},
}
"""The graph of each DAG: each task's followers."""
POOLS = {"default_pool", "warehouse", *(f"source_{source}" for source in SOURCES)}


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


@pytest.fixture(scope="module")
def backfills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The logical dates of the runs of each of BACKFILLS, what would run by itself, and the year of each of RUNS."""
    ranges = json.dumps([each[:3] for each in BACKFILLS.values()])
    runs = json.dumps({name: run for name, (run, _) in RUNS.items()})
    done = in_airflow(tmp_path_factory.mktemp("airflow"), {}, RANGES, ranges, runs)
    found = json.loads(done.stdout.splitlines()[-1])
    return {**dict(zip(BACKFILLS, found.pop("runs"), strict=True)), **found}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The first night, one without news, one with a failing service, one without settings; then a fiscal year, and
    one whose news nobody is told."""
    folder = tmp_path_factory.mktemp("airflow")
    settings = {
        "JEJAK_SETTINGS": str(ROOT / "settings" / "simulator.toml"),
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{folder}/jejak.db",
    }
    simda = f"sqlite:///{folder}/simda.db"
    settings["JEJAK_SOURCES__SIMDA__DATABASE"] = simda
    with running(World(40, seed=7, years=2), simda_url=simda) as simulator:
        for name, source in SOURCES.items():
            off = {service: {"enabled": False} for service in source.services if service not in READ}
            settings[f"JEJAK_SOURCES__{name.upper()}__SERVICES"] = json.dumps(off)
            settings[f"JEJAK_SOURCES__{name.upper()}__URL"] = (
                f"{simulator.url}/isb-2" if LKPP & source.services.keys() else f"{simulator.url}/{name}/api"
            )
        fault = {"kind": "html", "match": "SPSE-PesertaTender", "times": None}
        year = {"dags": ["sync_fiscal_year"], "conf": {"sources": ["sirup", "musrenbang"]}}
        spent, logs = spend(
            folder,
            settings,
            [
                {},
                {},
                {"fault": (simulator.url, fault)},
                {"environment": {"JEJAK_SETTINGS": str(folder / "nothing.toml")}},
                # Seven hours before midnight in UTC it is midnight in Jakarta.
                {
                    **year,
                    "environment": {"JEJAK_SETTINGS": settings["JEJAK_SETTINGS"]},
                    "logical_date": "2023-12-31T17:00:00+00:00",
                },
                {"dags": ["sync_sirup", "sync_fiscal_year"], "conf": {"sources": ["sirup"]}, "out_of_time": "announce"},
                {**year, "logical_date": "2009-01-02T05:00:00+00:00"},
            ],
        )
        world = simulator.world
        rows = {service: len(world.rows(service, world.year)) for service in READ}
        before = {service: len(world.rows(service, world.year - 1)) for service in READ}
    return {"nights": spent, "logs": logs, "url": settings["JEJAK_WAREHOUSE_URL"], "rows": rows, "before": before}


def test_files_load(bag):
    assert bag["errors"] == {}
    assert sorted(bag["dags"]) == sorted(DAGS)


def test_reading_them_is_cheap(bag):
    """Airflow reads DAG files every minute: what only tasks need is loaded in the task."""
    ours = {"commands", "connectors", "desk", "pipeline", "reports", "schemas", "simulator", "transforms", "warehouse"}
    assert ours & set(bag["loaded"]) == {"connectors", "pipeline", "schemas", "transforms"}
    heavy = {"altair", "flatterer", "lokal", "openpyxl", "pandas", "PIL", "psycopg", "pyarrow", "python_calamine"}
    assert not heavy & set(bag["loaded"])


@pytest.mark.parametrize("name", DAGS)
def test_graph(bag, name):
    assert bag["dags"][name]["tasks"] == {task: sorted(after) for task, after in DAGS[name].items()}


@pytest.mark.parametrize("name", DAGS)
def test_what_an_operator_needs(bag, name):
    dag = bag["dags"][name]
    assert dag["owners"] == ["jejak"]
    assert "jejak" in dag["tags"]
    assert dag["description"]
    assert "**Red?**" in dag["doc"]
    assert dag["alerts"] or name == "dry_run"  # who asks for that one waits for it
    assert dag["limited"]
    assert dag["unlimited"] == []
    assert set(dag["pools"].values()) <= POOLS


@pytest.mark.parametrize("source", SOURCES)
def test_sync_dag(bag, source):
    dag = bag["dags"][f"sync_{source}"]
    assert dag["rules"]["announce"] == "all_done_min_one_success"
    assert dag["rules"]["report"] == "all_done"
    assert dag["tries"] == dict.fromkeys(READING, 3)
    assert dag["pools"] == {**dict.fromkeys(READING, "default_pool"), "sync": f"source_{source}"}
    assert dag["outlets"] == [f"{source}_rows"]
    assert (dag["schedule"], dag["timezone"], dag["catchup"]) == ("0 1 * * *", "Asia/Jakarta", False)
    assert dag["max_active_runs"] == 1
    assert dag["tags"] == sorted(["jejak", "sync", source])


def test_fiscal_year_dag(bag):
    dag = bag["dags"]["sync_fiscal_year"]
    assert {task.partition(".")[0] for task in dag["tasks"]} == set(SOURCES)
    assert all(dag["pools"][f"{source}.sync"] == f"source_{source}" for source in SOURCES)
    assert dag["outlets"] == sorted(f"{source}_rows" for source in SOURCES)
    assert dag["catchup"] is False
    assert dag["params"]["fiscal_year"]["enum"] == [None, *range(datetime.now(UTC).year + 1, 2010, -1)]
    assert dag["params"]["sources"]["items"]["enum"] == list(SOURCES)


def test_records_dag(bag):
    dag = bag["dags"]["build_records"]
    assert dag["wakes_on"] == sorted(f"{source}_rows" for source in SOURCES)
    assert dag["pools"] == {"place": "warehouse", "build": "warehouse", "report": "default_pool"}
    assert dag["outlets"] == ["records"]
    assert dag["max_active_runs"] == 1


@pytest.mark.parametrize("name", BACKFILLS)
def test_backfill_has_one_run_per_fiscal_year(backfills, name):
    years = BACKFILLS[name][3]
    assert backfills[name] == [f"{year}-01-02T05:00:00+00:00" for year in years]


@pytest.mark.parametrize("name", RUNS)
def test_year_of_a_run(backfills, name):
    assert backfills["years"][name] == RUNS[name][1]


def test_no_fiscal_year_runs_by_itself(backfills):
    assert backfills["by itself"] == []


def test_pools(tmp_path):
    """Missing pools are made; what an operator has changed stays."""
    script = """
import sys
from airflow.models.pool import Pool
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from dags.pools import main
initdb()
with create_session() as session:
    Pool.create_or_update_pool("source_lpse", 7, "changed by hand", include_deferred=False, session=session)
assert main() == main() == 0
print("slots", {name: stats["total"] for name, stats in Pool.slots_stats().items()})
"""
    environment = {
        "JEJAK_SETTINGS": str(ROOT / "settings" / "simulator.toml"),
        "JEJAK_WAREHOUSE_URL": "postgresql://jejak@db.example/jejak",
        "JEJAK_SHARDS": "3",
    }
    done = in_airflow(tmp_path, environment, script)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("slots ")]
    slots = json.loads(line.removeprefix("slots ").replace("'", '"'))
    assert slots.keys() == POOLS
    assert slots["source_lpse"] == 7
    assert slots["source_sirup"] == 2
    assert slots["warehouse"] == 3


def test_first_night(nights):
    night = nights["nights"][0]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys([*SYNCS, "build_records"], "success")
    found = {
        task: counts
        for done in night.values()
        for task, _, counts in (each.partition(": ") for each in done["success"])
        if task.startswith("sync ")
    }
    places = {f"sync {name} {'all' if name == 'RUP-MasterProvinsi' else 2025}": name for name in READ}
    assert found.keys() == places.keys()
    for task, counts in found.items():
        rows = nights["rows"][places[task]]
        assert counts.startswith(f"{rows:,} fetched, " if rows else "no rows")
    with reading(open_warehouse(nights["url"])) as conn:
        runs = conn.execute(select(t.run.c.id, t.run.c.command, t.run.c.status).order_by(t.run.c.number)).all()
        first = [run.id for run in runs[: len(SYNCS)]]
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


def test_counts_without_opening_logs(nights):
    night = nights["nights"][0]
    fetched = {source: sum(nights["rows"].get(name, 0) for name in SOURCES[source].services) for source in SOURCES}
    for source in SOURCES:
        sums = night[f"sync_{source}"]["xcoms"]["report.return_value"]
        assert sums["fetched"] == fetched[source]
        assert sums.keys() >= {"new", "changed", "unchanged", "rejected", "gone", "links_pending", "rejects_open"}
        assert [extra["fetched"] for extra in night[f"sync_{source}"]["extras"]] == [fetched[source]]
    built = night["build_records"]["xcoms"]
    assert built["report.return_value"]["built"] == built["report.return_value"]["new"] > 0
    assert len(built["report.changed"]["new"]) == built["report.return_value"]["new"]
    assert night["build_records"]["extras"][0]["placed"] > 0
    assert [task for task in night["build_records"]["success"] if task.startswith("build ")] == [
        f"build shard 1 of 1: {built['report.return_value']['built']:,} built"
    ]


def test_night_without_news(nights):
    night = nights["nights"][1]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys(SYNCS, "success")
    assert {dag: done["skipped"] for dag, done in night.items()} == {dag: ["announce"] for dag in SYNCS}


def test_night_with_a_failing_service(nights):
    night = nights["nights"][2]
    assert night["sync_sirup"]["run"] == "success"
    assert night["sync_lpse"]["run"] == "failed"
    assert sorted(night["sync_lpse"]["failed"]) == ["report", "sync SPSE-PesertaTender 2025: failed"]
    assert any(task.startswith("sync SPSE-TenderPengumuman 2025: ") for task in night["sync_lpse"]["success"])
    assert night["sync_lpse"]["xcoms"]["report.return_value"]["unchanged"] > 0
    with reading(open_warehouse(nights["url"])) as conn:
        messages = conn.execute(select(t.run.c.message).where(t.run.c.id == night["sync_lpse"]["name"])).scalars().all()
    assert len(messages) == 1
    assert messages[0].startswith("1 of 2 services of lpse failed (SPSE-PesertaTender 2025): ISB SPSE-PesertaTender (")
    assert messages[0].endswith("holds an HTML or XML page where JSON is due; open it by hand to see what it holds.")


def test_night_without_settings(nights):
    night = nights["nights"][3]
    assert {dag: done["run"] for dag, done in night.items()} == dict.fromkeys(SYNCS, "failed")
    assert {dag: sorted(done["failed"]) for dag, done in night.items()} == {dag: ["plan", "report"] for dag in SYNCS}


def test_fiscal_year_of_chosen_sources(nights):
    run = nights["nights"][4]["sync_fiscal_year"]
    assert run["run"] == "success"
    assert {task.partition(".")[0] for task in run["success"]} == {"sirup", "musrenbang"}
    assert {task.partition(".")[0] for task in run["skipped"]} == set(SOURCES) - {"sirup", "musrenbang"}
    (proposals,) = [task for task in run["success"] if "Musrenbang-Usulan" in task]
    count = nights["before"]["Musrenbang-Usulan"]
    assert proposals == f"musrenbang.sync Musrenbang-Usulan 2024: {count} fetched, {count} new"
    with reading(open_warehouse(nights["url"])) as conn:
        runs = conn.execute(select(t.run.c.id, t.run.c.status).where(t.run.c.id.startswith(run["name"]))).all()
    assert sorted((run.id.rpartition("/")[2], run.status) for run in runs) == [
        ("musrenbang", "success"),
        ("sirup", "success"),
    ]


@pytest.mark.parametrize(("dag", "group"), [("sync_sirup", ""), ("sync_fiscal_year", "sirup.")])
def test_a_source_whose_news_nobody_was_told_is_red(nights, dag, group):
    run = nights["nights"][5][dag]
    assert run["run"] == "failed"
    assert sorted(run["failed"]) == [f"{group}announce", f"{group}report"]
    assert run["xcoms"][f"{group}report.return_value"]["fetched"] > 0
    why = run["xcoms"][f"{group}report.why"]
    assert why.startswith("announce failed, so that build_records was not woken: ")
    assert "build_records" not in nights["nights"][5]
    with reading(open_warehouse(nights["url"])) as conn:
        messages = conn.execute(select(t.run.c.message).where(t.run.c.id.startswith(run["name"]))).scalars().all()
    assert messages == [why]


def test_a_backfill_of_a_year_that_no_source_has_ends_at_once(nights):
    run = nights["nights"][6]["sync_fiscal_year"]
    assert run["run"] == "failed"
    assert {task for task in run["failed"] if task.endswith(".plan")} == {"sirup.plan", "musrenbang.plan"}
    assert not [task for task in run["success"] if ".sync" in task]
    assert nights["logs"].count("no source has rows of the fiscal year 2009: give one from 2011 to ") >= 2


def test_logs_read_as_sentences(nights):
    """What tasks and fetches of ours say, apart from Airflow's own lines."""
    logged = set(re.findall(r"(?m)^.*\[\w+ *\] (.*?) +\[jejak(?:\.fetch)?\]", nights["logs"]))
    assert logged
    assert not [line for line in logged if not re.fullmatch(r"[\w(].*\.", line)]
