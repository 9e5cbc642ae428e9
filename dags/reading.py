"""The tasks that read one source, for every DAG that does.

plan -> sync (a task for each service and scope) -> announce (wakes build_records if something waits)
                                                 -> report   (after it; fails the run if a service failed)
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from pipeline.registry import SOURCES
from schemas.errors import SettingsError
from schemas.settings import FIRST_YEAR, Settings

log = logging.getLogger("jejak")

# Tasks that only read or write the warehouse: minutes, unless its server is away, and that is soon over.
BRIEF: dict[str, Any] = {"execution_timeout": timedelta(minutes=15), "retries": 2, "retry_delay": timedelta(minutes=1)}
# Rendered once more when the task has ended: then `counted` is what came of it.
NAMED = "{{ task.op_kwargs.service }} {{ task.op_kwargs.scope }}{{ ': ' ~ counted if counted is defined else '' }}"
UNWOKEN = "announce failed, so that build_records was not woken: its log shows why. Clear it, with what follows it."
YEARS = list(range(datetime.now(UTC).year + 1, FIRST_YEAR - 1, -1))  # what forms offer
CLEAR = "Then clear the failed sync tasks, with what follows them, to read just those again."


def read(source: str, years: Callable[[Settings, Any], list[int]], first: bool = False) -> None:
    """Add the tasks that read a source to the DAG or task group around the call.

    `years` gives the fiscal years of a run (settings, dag_run); of two DAGs that read a source at once, `first` gives
    one its turn before the other. A DAG with a parameter `sources` reads those alone, as far as the settings know them.
    """
    rows = Asset(f"{source}_rows")

    @task(multiple_outputs=False, **BRIEF)
    def plan(params: Any = None, dag_run: Any = None) -> list[dict[str, str]]:
        """Begin the run; returns what it reads, a service and scope for each task."""
        from pipeline import steps

        skip_unless_chosen(source, params)
        known = settings(source)
        with no_retry_mends_settings():
            found = steps.plan_of(known, [source], years(known, dag_run))
        steps.start_run(known, "sync", _run_of(dag_run, source))
        log.info("%s services and years of %s are read.", len(found), source)
        return [{"service": service, "scope": scope} for _, service, scope in found]

    @task(
        multiple_outputs=False,
        map_index_template=NAMED,
        # Two services at a time for all DAGs together, so that the source is not overrun.
        pool=f"source_{source}",
        priority_weight=2 if first else 1,
        weight_rule="absolute",
        # The largest list takes minutes; a source that trickles for two hours is as good as away.
        execution_timeout=timedelta(hours=2),
        # Within a task each request is repeated too, for seconds; this is for a source that is restarted or in
        # maintenance, and for a worker that dies.
        retries=2,
        retry_delay=timedelta(minutes=2),
        retry_exponential_backoff=2,
        max_retry_delay=timedelta(minutes=15),
    )
    def sync(service: str, scope: str, ti: Any = None, dag_run: Any = None) -> dict[str, Any]:
        """Fetch one service and take it over; returns its counts. Clear it to read it again."""
        from pipeline import steps

        counts = steps.sync_service(settings(source), source, service, scope, _run_of(dag_run, source))
        return end_service(ti, counts)

    @task(trigger_rule="all_done_min_one_success", outlets=[rows], **BRIEF)
    def announce(planned: Any, done: Any, dag_run: Any = None, outlet_events: Any = None) -> None:
        """Wake build_records, unless nothing waits for it: this run's news, or what an earlier one left."""
        from pipeline import steps
        from reports.services import total_counts

        run_id = _run_of(dag_run, source)
        known = settings()
        # The source has been read: a build that is woken now may place its rows. `report` settles whether it failed.
        steps.finish_run(known, run_id)
        if not steps.has_pending(known):
            raise AirflowSkipException(f"{source}: nothing new, so there is nothing to build.")
        outlet_events[rows].extra = {"run": run_id, **total_counts(done[:])}

    @task(multiple_outputs=False, trigger_rule="all_done", **BRIEF)
    def report(planned: Any, done: Any, params: Any = None, ti: Any = None, dag_run: Any = None) -> dict[str, int]:
        """End the run; returns the sums of its counts and what waits for an operator, or fails with what to do."""
        from pipeline import steps
        from reports.services import counts_text, failure_messages, total_counts
        from reports.status import status

        skip_unless_chosen(source, params)
        known = settings()
        if planned is None:
            raise failing(f"Nothing of {source} was read: the log of plan shows why.")
        results = {(counts["service"], counts["scope"]): counts for counts in done[:]}
        for counts in results.values():
            if counts["status"] != "failed":
                log.info("%s %s: %s.", counts["service"], counts["scope"], counts_text(counts))
        places = [(each["service"], each["scope"]) for each in planned]
        failures = failure_messages(source, places, results)
        advice = [CLEAR] if failures else []
        # Whether the run is red is up to its last task alone.
        announced = ti.task_id.removesuffix("report") + "announce"
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[announced], run_ids=[ti.run_id])
        if states[ti.run_id][announced] == "failed":
            failures.append(UNWOKEN)
        steps.finish_run(known, _run_of(dag_run, source), " ".join(failures) or None)
        waiting = status(known)
        sums = total_counts(results.values()) | {
            "links_pending": waiting["links"]["pending"],
            "rejects_open": waiting["rejects"],
        }
        log.info("%s as a whole: %s.", source, counts_text(sums))
        log.info(
            "In the warehouse %s links wait for somebody to decide (jejak links list), %s rejected rows for a mend "
            "(jejak rejects).",
            f"{sums['links_pending']:,}",
            f"{sums['rejects_open']:,}",
        )
        if failures:
            ti.xcom_push("return_value", sums)  # they are of use all the same
            ti.xcom_push("why", " ".join(failures))
            raise failing(*failures, *advice)
        return sums

    planned = plan()
    done = sync.expand_kwargs(planned)
    announce(planned, done) >> report(planned, done)


def sources_param(description: str) -> Param:
    """The field of a form in which sources are chosen, all at first."""
    return Param(
        list(SOURCES),
        type="array",
        items={"type": "string", "enum": list(SOURCES)},
        examples=list(SOURCES),
        minItems=1,
        uniqueItems=True,
        title="Sources",
        description=description,
    )


def settings(*sources: str) -> Settings:
    """The settings, with Airflow's connections of the warehouse and of these sources; only inside tasks."""
    from dags import connections

    with no_retry_mends_settings():
        return connections.settings(*sources)


@contextmanager
def no_retry_mends_settings() -> Iterator[None]:
    """A task whose settings are wrong fails at once, with the error's text."""
    try:
        yield
    except SettingsError as error:
        raise failing(str(error)) from None


def failing(*sentences: str) -> AirflowFailException:
    """An error that no further attempt mends. What to do is the first ERROR of the log, before Airflow's traceback."""
    for sentence in sentences:
        log.error("%s.", sentence.rstrip("."))
    return AirflowFailException("\n".join(sentences))


def _run_of(dag_run: Any, source: str) -> str:
    """The run's name in the warehouse. Where a DAG reads several sources, each has its own run there, so that one that
    is slow holds up no other's rows."""
    name = f"{dag_run.dag_id}/{dag_run.run_id}"
    return name if dag_run.dag_id == f"sync_{source}" else f"{name}/{source}"


def skip_unless_chosen(source: str, params: Any) -> None:
    """Skip the task where a form chose other sources; before it reads the settings of its own."""
    if "sources" not in params:
        return
    if source not in params["sources"]:
        raise AirflowSkipException(f"{source} is not among the sources that were chosen.")
    if source not in settings().sources:
        raise AirflowSkipException(f"{source} is not in the settings.")


def end_service(ti: Any, counts: dict[str, Any]) -> dict[str, Any]:
    """End the task of a service: shows its counts in the task's name and returns them, or fails with their message."""
    from reports.services import counts_text

    failed = counts["status"] == "failed"
    ti.get_template_context()["counted"] = "failed" if failed else counts_text(counts)
    if failed:
        ti.xcom_push("return_value", counts)  # `report` repeats its message
        # What a sync logs in its own words a dry run has not logged yet.
        raise failing(counts["message"]) if counts.get("final") else AirflowException(counts["message"])
    return counts
