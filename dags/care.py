"""What is looked after by the calendar: `review_records` and `source_health` in the morning, `prune_versions` on
Sundays."""

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alerting
from dags.reading import BRIEF, failing, settings

log = logging.getLogger("jejak")

HEALTH = """
Looks every morning at what the last syncs brought; no request goes to any source. Each mapped `check` is one source:
its name shows its state, when it was last read whole, how many rows it brought and how many are usual, and what is new
in its answers. `jejak health` prints the same with each service.

**Red?** A red `check` is a source that is *late* (not read for longer than the setting `stale_hours`), *failing* (the
last read of a service failed), *empty* (all was read, and no row ever came) or was *never* read. The end of its log
names what to do; its own DAG, `sync_<source>`, has more. Clear `look`, with what follows it, to look again.

The run as a whole is red, and sends an alert, as long as a source is not well: also for one whose sync has sent an
alert at night.
"""

REVIEW = """
Works out every morning, from all records, the red flags (`flags`) and what quality checks find (`quality`), in place of
those of the day before. Analysts find them in the tables `flag`, `quality_finding` and `quality_measure`; `jejak flags`
and `jejak quality --out DIR` do the same by hand, and write what people read.

**Counts** are the XCom of each task: results of flags, findings of each rule.

**Red?** The end of the task's log gives the reason. What was there stays: clear the task to run it again.
"""

PRUNE = """
Deletes, every Sunday, replaced versions of rows that are older than the setting `keep_versions_days`, rejected rows
that were settled before then, and what broken fetches left behind. Versions that a record still needs, as for
a contract's addenda, stay. It is skipped where the setting is missing: then every version is kept for ever.

- **Only count**: shows how many would go, and deletes nothing.

**Counts** are the task's XCom: `versions`, `rejects`, `fetches`.

**Red?** The end of the task's log gives the reason. Nothing was deleted: clear the task to run it again.
"""

with DAG(
    dag_id="source_health",
    description="Shows every morning how fresh and whole each source is",
    schedule=CronTriggerTimetable("0 7 * * *", timezone="Asia/Jakarta"),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    tags=["jejak", "health"],
    default_args={"owner": "jejak"},
    doc_md=HEALTH,
    **alerting(),
):

    @task(multiple_outputs=False, **BRIEF)
    def look() -> list[dict[str, Any]]:
        """How each configured source is, in words."""
        from reports.health import health, health_line

        known = settings()
        return [{"health": each, "label": health_line(each, known.utc_offset)} for each in health(known)]

    @task(multiple_outputs=False, map_index_template="{{ task.op_kwargs.label }}", **BRIEF)
    def check(health: dict[str, Any], label: str) -> dict[str, Any]:
        """One source: fails with what to do unless it is ok."""
        log.info("%s.", label)
        for each in health["services"]:
            if each["message"]:
                log.info("%s %s: %s", each["service"], each["scope"], each["message"])
        if health["new_fields"]:
            log.info("New fields: %s.", ", ".join(health["new_fields"]))
        if health["left_out"]:
            fields = ", ".join(f"{each['field']} (last in {each['rows']:,} rows)" for each in health["left_out"])
            log.info("Fields left out where they can't be read: %s.", fields)
        if health["state"] != "ok":
            raise failing(f"{health['source']} is {health['state']}. {health['advice']}")
        if health["advice"]:
            log.info(health["advice"])
        return health

    @task(trigger_rule="all_done", **BRIEF)
    def report(looked: Any, done: Any, ti: Any = None) -> None:
        """Fails with the sources at which somebody must look: late, failing, or never read."""
        if looked is None:
            raise failing("No source was looked at: the log of look shows why.")
        unwell = [each for each in looked if each["health"]["state"] != "ok"]
        if sentences := [f"{each['label']}. {each['health']['advice']}" for each in unwell]:
            ti.xcom_push("why", " ".join(sentences))
            raise failing(*sentences)

    looked: Any = look()
    report(looked, check.expand_kwargs(looked))


with DAG(
    dag_id="review_records",
    description="Works out red flags and quality findings of all records every morning",
    # After the night's syncs and builds.
    schedule=CronTriggerTimetable("0 6 * * *", timezone="Asia/Jakarta"),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    tags=["jejak", "records"],
    default_args={"owner": "jejak"},
    doc_md=REVIEW,
    **alerting(),
):

    @task(pool="warehouse", execution_timeout=timedelta(hours=3))
    def flags(dag_run: Any = None) -> int:
        """Compute all red flags; returns how many results there are."""
        from pipeline import steps
        from pipeline.flags import compute_flags

        known = settings()
        with steps.recorded(known, "flags", f"{dag_run.dag_id}/{dag_run.run_id}/flags") as run_id:
            number = compute_flags(known, run_id)
        log.info("%s results of red flags.", f"{number:,}")
        return number

    @task(pool="warehouse", multiple_outputs=False, execution_timeout=timedelta(hours=3))
    def quality(dag_run: Any = None) -> dict[str, int]:
        """Check all records, the data set, its history and its sources; returns the findings of each rule."""
        from pipeline import steps
        from pipeline.quality import compute_quality

        known = settings()
        with steps.recorded(known, "quality", f"{dag_run.dag_id}/{dag_run.run_id}/quality") as run_id:
            found = compute_quality(known, run_id)
        log.info("%s findings.", f"{sum(found.values()):,}")
        return found

    flags()
    quality()


with DAG(
    dag_id="prune_versions",
    description="Deletes old versions of rows that nothing needs, where the settings say so",
    # After the night's syncs and builds, on the morning on which nobody waits.
    schedule=CronTriggerTimetable("0 5 * * 0", timezone="Asia/Jakarta"),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    params={
        "only_count": Param(
            False,
            type="boolean",
            title="Only count",
            description="Show how many would go, and delete nothing.",
        )
    },
    tags=["jejak", "records"],
    default_args={"owner": "jejak"},
    doc_md=PRUNE,
    **alerting(),
):
    # As long as a task may take (the reason is in deploy/airflow.env), and half the run: the other half is for waiting.
    @task(pool="warehouse", multiple_outputs=False, execution_timeout=timedelta(hours=6))
    def prune(params: Any = None, dag_run: Any = None) -> dict[str, int]:
        """Delete what is not kept; returns how much."""
        from pipeline import steps

        known = settings()
        if known.keep_versions_days is None:
            raise AirflowSkipException("The setting keep_versions_days is missing: every version is kept for ever.")
        if params["only_count"]:
            counts = steps.prune_versions(known, None)
        else:
            with steps.recorded(known, "prune", f"{dag_run.dag_id}/{dag_run.run_id}") as run_id:
                counts = steps.prune_versions(known, run_id)
        log.info(
            "%s: %s old versions, %s settled rejected rows, %s broken fetches.",
            "Would go" if params["only_count"] else "Deleted",
            *(f"{counts[name]:,}" for name in ("versions", "rejects", "fetches")),
        )
        return counts

    prune()
