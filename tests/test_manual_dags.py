"""The DAGs that an operator starts with a form, and those that look after the warehouse: real runs of them."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from pipeline.registry import SOURCES
from simulator.server import running
from simulator.world import World
from tests.dag_runs import run_dags
from warehouse import tables as t
from warehouse.engine import migrate, open_warehouse, reading, to_json, writing

PLANS, TENDERS, ATTEMPTS = "RUP-PaketPenyedia-Terumumkan", "SPSE-TenderPengumuman", "SPSE-NonTenderPengumuman"
WRONG = json.dumps({"conn_type": "http", "host": "lpse.example", "login": "jejak"})
SETTINGS = """
name = "Kabupaten Rekaan"
ocid_prefix = "ocds-000000"
kd_klpd = "D999"
kd_lpse = "999"
fiscal_years = [{year}]
warehouse_url = "{warehouse}"

[sources.sirup]
url = "{url}/isb-2"
api_key = "simulator"
service_no = "0"
retries = 0

[sources.lpse]
url = "{url}/isb-2"
api_key = "simulator"
service_no = "0"
retries = 0
"""


@pytest.fixture(scope="module")
def done_runs(tmp_path_factory) -> dict[str, Any]:
    """What became of the runs by name, and the warehouse and the world that they worked on."""
    folder = tmp_path_factory.mktemp("airflow")
    warehouse = f"sqlite:///{folder}/jejak.db"
    settings = {"JEJAK_SETTINGS": str(folder / "settings.toml")}
    for source in ("sirup", "lpse"):
        off = {name: {"enabled": False} for name in SOURCES[source].services if name not in (PLANS, TENDERS)}
        settings[f"JEJAK_SOURCES__{source.upper()}__SERVICES"] = json.dumps(off)
    world = World(40, seed=7)
    package = world.rows(PLANS, world.year)[0]["kd_rup"]
    reject(warehouse, world.rows(ATTEMPTS, world.year)[0], world.year)
    with running(world) as simulator:
        text = SETTINGS.format(year=world.year, url=simulator.url, warehouse=warehouse)
        (folder / "settings.toml").write_text(text)
        plan: dict[str, dict[str, Any]] = {
            "never": {"dag": "source_health"},
            "dry": {"dag": "dry_run", "conf": {"sources": ["sirup", "simda"]}},
            "nothing yet": {"dag": "prune_versions"},
            "sirup": {"dag": "sync_sirup"},
            "lpse": {"dag": "sync_lpse"},
            "build": {"dag": "build_records"},
            "well": {"dag": "source_health"},
            "dry again": {"dag": "dry_run", "fault": (simulator.url, {"kind": "html", "match": TENDERS, "times": 1})},
            "retry": {"dag": "retry_rejects", "conf": {"source": "lpse"}},
            "one": {"dag": "rebuild_records", "conf": {"ocids": [f"ocds-000000-rup-{package}", ""]}},
            "all": {"dag": "rebuild_records", "conf": {"ocids": ["all"]}},
            "neither": {"dag": "rebuild_records"},
            "blank": {"dag": "rebuild_records", "conf": {"ocids": [""]}},
            "unknown": {"dag": "rebuild_records", "conf": {"ocids": ["ocds-000000-rup-1"]}},
            "no ocid": {"dag": "rebuild_records", "conf": {"ocids": ["rup 1"]}},
            "no source": {"dag": "retry_rejects", "conf": {"source": "spse"}},
            "no sources": {"dag": "dry_run", "conf": {"sources": []}},
            "no year": {"dag": "dry_run", "conf": {"fiscal_years": ["1999"]}},
            "count": {
                "dag": "prune_versions",
                "conf": {"only_count": True},
                "environment": {"JEJAK_KEEP_VERSIONS_DAYS": "30"},
            },
            "prune": {"dag": "prune_versions"},
            "review": {"dag": "review_records"},
            "unread": {"dag": "sync_lpse", "fault": (simulator.url, {"kind": "html", "match": TENDERS, "times": None})},
            # From here on the connection of a source is wrong, which concerns nobody else.
            "unwell": {"dag": "source_health", "environment": {"AIRFLOW_CONN_JEJAK_LPSE": WRONG}},
            "build again": {"dag": "build_records"},
            "one source": {"dag": "dry_run", "conf": {"sources": ["sirup"]}},
            "unread again": {"dag": "sync_lpse"},
        }
        runs = dict(zip(plan, run_dags(folder, settings, list(plan.values())), strict=True))
    return {"runs": runs, "url": warehouse, "world": world, "package": package}


def reject(url: str, row: dict[str, Any], year: int) -> None:
    """Put a row that nothing is wrong with among the rejected ones: an older Jejak could not use it."""
    engine = open_warehouse(url)
    migrate(engine)
    now = "2025-03-01T00:00:00Z"
    with writing(engine) as conn:
        conn.execute(insert(t.run).values(id="old", command="sync", started_at=now, finished_at=now, status="success"))
        conn.execute(
            insert(t.reject).values(
                source="lpse",
                service=ATTEMPTS,
                scope=str(year),
                content_hash="old",
                reason="an unfinished mapping",
                payload=to_json(row),
                run_id="old",
                observed_at=now,
                rejected_at=now,
            )
        )


def tasks(run: dict[str, Any], state: str) -> list[str]:
    return sorted(task for task, found in run["tasks"].items() if found == state)


def test_a_dry_run_tells_what_a_sync_would_bring_and_writes_nothing(done_runs):
    run = done_runs["runs"]["dry"]
    rows = done_runs["world"].rows(PLANS, done_runs["world"].year)
    count = len(rows)
    assert run["run"] == "success"
    assert f"sirup.preview {PLANS} {done_runs['world'].year}: {count} fetched, {count} new" in tasks(run, "success")
    assert {"lpse.plan", "simda.plan"} <= set(tasks(run, "skipped"))  # not chosen; chosen, but not in the settings
    sums = run["xcoms"]["report.return_value"]
    assert list(sums) == ["sirup"]
    assert (sums["sirup"]["fetched"], sums["sirup"]["new"]) == (count, count)
    [examples] = run["xcoms"]["report.examples"].values()
    assert len(examples["new"]) == 20
    assert set(examples["new"]) <= {str(row["kd_rup"]) for row in rows}
    # The sync that follows brings all of it: the dry run left nothing.
    with reading(open_warehouse(done_runs["url"])) as conn:
        synced = conn.execute(
            select(t.run_service.c.new, t.run_service.c.run_id).where(t.run_service.c.service == PLANS)
        ).all()
    assert synced == [(count, done_runs["runs"]["sirup"]["name"])]


def test_a_dry_run_tells_what_could_not_be_read(done_runs):
    run = done_runs["runs"]["dry again"]
    assert run["run"] == "failed"
    assert tasks(run, "failed") == [f"lpse.preview {TENDERS} {done_runs['world'].year}: failed", "report"]
    assert f"1 of 1 services of lpse failed ({TENDERS} {done_runs['world'].year}): " in run["log"]
    sums = run["xcoms"]["report.return_value"]
    assert sums["sirup"]["unchanged"] == sums["sirup"]["fetched"] > 0


def test_a_retry_tells_what_is_left(done_runs):
    run = done_runs["runs"]["retry"]
    assert run["run"] == "success"
    counts = run["xcoms"]["retry.return_value"]
    assert (counts["accepted"], counts["left"], counts["rejects_open"]) == (1, 0, 0)
    changed = run["xcoms"]["retry.changed"]
    assert [len(changed[kind]) for kind in ("new", "changed", "removed")] == [1, 0, 0]


def test_a_rebuild_of_one_process(done_runs):
    run = done_runs["runs"]["one"]
    assert run["run"] == "success"
    counts = run["xcoms"]["report.return_value"]
    # What nobody has mapped otherwise comes out as it was.
    assert (counts["built"], counts["new"], counts["changed"], counts["removed"]) == (1, 0, 0, 0)
    assert run["xcoms"]["report.changed"] == {"new": [], "changed": [], "removed": []}


def test_a_rebuild_of_all(done_runs):
    run = done_runs["runs"]["all"]
    assert run["run"] == "success"
    with reading(open_warehouse(done_runs["url"])) as conn:
        records = conn.execute(select(func.count()).select_from(t.record)).scalar_one()
    assert run["xcoms"]["report.return_value"]["built"] == records > 1


def test_a_form_that_makes_no_sense_fails_with_a_sentence(done_runs):
    run = done_runs["runs"]["unknown"]
    result = "no process has the OCID ocds-000000-rup-1; `jejak show CODE` finds one by a source's code"
    assert run["run"] == "failed"
    assert "place" in tasks(run, "failed")
    assert f"AirflowFailException: {result}" in run["log"]
    with reading(open_warehouse(done_runs["url"])) as conn:
        message = conn.execute(select(t.run.c.message).where(t.run.c.id == run["name"])).scalar_one()
    assert message == result


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("neither", "Invalid input for param ocids: [] should be non-empty"),
        ("blank", "Invalid input for param ocids: [''] does not contain items"),
        ("no ocid", "Invalid input for param ocids: 'rup 1' does not match"),
        ("no source", "Invalid input for param source: 'spse' is not one of ['all', 'sirup', "),
        ("no sources", "Invalid input for param sources: [] should be non-empty"),
        ("no year", "Invalid input for param fiscal_years: '1999' is not one of ['20"),
    ],
)
def test_a_wrong_value_starts_no_run(done_runs, run, message):
    assert done_runs["runs"][run]["refused"].startswith(message)


def test_nothing_is_pruned_by_default(done_runs):
    run = done_runs["runs"]["nothing yet"]
    assert (run["run"], run["tasks"]) == ("success", {"prune": "skipped"})
    assert "The setting keep_versions_days is missing: every version is kept for ever." in run["log"]


def test_pruning_counts_or_deletes(done_runs):
    count, prune = done_runs["runs"]["count"], done_runs["runs"]["prune"]
    assert count["run"] == prune["run"] == "success"
    # All is of today.
    nothing = dict.fromkeys(count["xcoms"]["prune.return_value"], 0)
    assert "Would go: 0 old versions, 0 settled rejected rows, 0 broken fetches." in count["log"]
    assert count["xcoms"]["prune.return_value"] == prune["xcoms"]["prune.return_value"] == nothing
    with reading(open_warehouse(done_runs["url"])) as conn:
        runs = conn.execute(select(t.run.c.id, t.run.c.status).where(t.run.c.command == "prune")).all()
    assert runs == [(prune["name"], "success")]


def test_records_are_reviewed(done_runs):
    review = done_runs["runs"]["review"]
    assert review["run"] == "success"
    with reading(open_warehouse(done_runs["url"])) as conn:
        flags = conn.execute(select(func.count()).select_from(t.flag)).scalar_one()
        findings = conn.execute(select(func.count()).select_from(t.quality_finding)).scalar_one()
        runs = set(
            conn.execute(select(t.run.c.command, t.run.c.status).where(t.run.c.id.like("review_records/%"))).all()
        )
    assert review["xcoms"]["flags.return_value"] == flags > 0
    assert sum(review["xcoms"]["quality.return_value"].values()) == findings
    assert runs == {("flags", "success"), ("quality", "success")}


def test_sources_that_were_never_read_are_red(done_runs):
    run = done_runs["runs"]["never"]
    assert run["run"] == "failed"
    assert sorted(tasks(run, "failed")) == [
        "check lpse: never, 0 rows of 0 expected, 1 rejected row",
        "check sirup: never, 0 rows of 0 expected",
        "report",
    ]
    assert "run `jejak sync sirup`" in run["xcoms"]["report.why"]


def test_sources_that_were_read_are_green(done_runs):
    run = done_runs["runs"]["well"]
    assert run["run"] == "success"
    [lpse] = [task for task in tasks(run, "success") if task.startswith("check lpse")]
    count = len(done_runs["world"].rows(TENDERS, done_runs["world"].year))
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d WIB"
    assert re.fullmatch(rf"check lpse: ok, last success {when}, {count} rows of {count} expected, 1 rejected row", lpse)


def test_a_source_that_fails_makes_health_red(done_runs):
    run = done_runs["runs"]["unwell"]
    assert run["run"] == "failed"
    [lpse, report] = sorted(tasks(run, "failed"))
    assert report == "report"
    assert lpse.startswith("check lpse: failing, last success ")
    assert [task for task in tasks(run, "success") if task.startswith("check sirup: ok, ")]
    assert f"Follow the message of {TENDERS}" in run["log"]


def test_a_wrong_connection_of_a_source_stops_nothing_else(done_runs):
    for name in ("build again", "one source"):
        assert done_runs["runs"][name]["run"] == "success", name
    run = done_runs["runs"]["unread again"]
    assert tasks(run, "failed") == ["plan", "report"]
    assert "connection jejak_lpse has a login" in run["log"]
