"""`sync_<source>`: one source, every night.

plan -> sync (a task for each service and scope) -> announce (wakes build_records if something waits)
                                                 -> report   (after it; fails the run if a service failed)
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from pipeline.registry import SOURCES

COUNTS = ("fetched", "new", "changed", "unchanged", "duplicate", "rejected", "gone")
DOC = """
Reads every service of **{source}** for the fiscal years of the settings and takes over what is new, changed or gone.
Each mapped `sync` task is one service and year; its XCom holds the counts, `report` has their sums. `announce` is
skipped on a night without news; otherwise it wakes `build_records`.

**Red?** The log of `report` names the services that failed and says what to do. The others are in already. Clear the
failed `sync` tasks, with what follows them, to read just those again.
"""


def nightly(source: str) -> DAG:
    """The DAG `sync_<source>`."""
    with DAG(
        dag_id=f"sync_{source}",
        schedule=CronTriggerTimetable("0 1 * * *", timezone="Asia/Jakarta"),
        max_active_runs=1,
        tags=["jejak", "sync", source],
        default_args={"owner": "jejak"},
        doc_md=DOC.format(source=source),
    ) as dag:

        @task
        def plan(dag_run: Any = None) -> list[dict[str, str]]:
            """Begin the run; returns what is read tonight, a service and scope for each task."""
            from pipeline import configure, steps

            settings = configure.load_settings()
            steps.start_run(settings, "sync", f"{dag_run.dag_id}/{dag_run.run_id}")
            return [{"service": service, "scope": scope} for _, service, scope in steps.plan_of(settings, [source])]

        @task(
            multiple_outputs=False,
            map_index_template="{{ task.op_kwargs['service'] }} {{ task.op_kwargs['scope'] }}",
            # Two services at a time, so that neither the source nor SQLite is overrun.
            max_active_tis_per_dagrun=2,
            execution_timeout=timedelta(hours=2),
            retries=2,
            retry_delay=timedelta(minutes=2),
            retry_exponential_backoff=2,
        )
        def sync(service: str, scope: str, ti: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Fetch and promote one service; returns its counts."""
            from pipeline import configure, steps

            run_id = f"{dag_run.dag_id}/{dag_run.run_id}"
            counts = steps.sync_service(configure.load_settings(), source, service, scope, run_id)
            if counts["status"] == "failed":
                ti.xcom_push("return_value", counts)  # `report` repeats its message
                raise AirflowException(counts["message"])
            return counts

        @task(trigger_rule="all_done", outlets=[Asset(f"{source}_rows")])
        def announce(done: Any, dag_run: Any = None) -> None:
            """Tell build_records, unless nothing waits for it: tonight's news, or what an earlier night left."""
            from pipeline import configure, steps

            settings = configure.load_settings()
            # The source has been read: a build that is woken now may place its rows. `report` says how it went.
            steps.finish_run(settings, f"{dag_run.dag_id}/{dag_run.run_id}")
            if not steps.has_pending(settings):
                raise AirflowSkipException(f"{source}: nothing new, so there is nothing to build.")

        @task(multiple_outputs=False, trigger_rule="all_done")
        def report(planned: Any, done: Any, dag_run: Any = None) -> dict[str, int]:
            """End the run; returns the sums of its counts, or fails with what failed and why."""
            from pipeline import configure, steps

            if planned is None:
                raise AirflowFailException(f"Nothing of {source} was read: the log of plan says why.")
            told = {(counts["service"], counts["scope"]): counts for counts in done}
            failed = []
            for place in ((each["service"], each["scope"]) for each in planned):
                counts = told.get(place)
                if counts and counts["status"] != "failed":
                    numbers = [f"{counts[name]:,} {name}" for name in COUNTS if counts[name]]
                    print(*place, ", ".join(numbers) or "no rows")
                else:
                    message = counts["message"] if counts else "ended without a word; see its log"
                    failed.append(f"{' '.join(place)}: {message}")
            steps.finish_run(configure.load_settings(), f"{dag_run.dag_id}/{dag_run.run_id}", "; ".join(failed) or None)
            if failed:
                raise AirflowFailException("\n".join([f"{len(failed)} services of {source} failed.", *failed]))
            return {name: sum(counts[name] for counts in told.values()) for name in COUNTS}

        planned = plan()
        done = sync.expand_kwargs(planned)
        announce(done) >> report(planned, done)
    return dag


for name in SOURCES:
    globals()[f"sync_{name}"] = nightly(name)
