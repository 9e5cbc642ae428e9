"""What an operator starts by hand, each with a form: `retry_rejects`, `rebuild_records`, `dry_run`."""

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, TaskGroup, task

from dags.alerts import alerting
from dags.building import RECORDS, build_pending, changed, forget_main
from dags.reading import (
    BRIEF,
    NAMED,
    YEARS,
    end_service,
    failing,
    no_retry_mends_settings,
    settings,
    skip_unless_chosen,
    sources_param,
)
from pipeline.registry import SOURCES
from schemas.settings import Settings

log = logging.getLogger("jejak")

ALL = "all"
CHOICE = [str(year) for year in YEARS]  # a list of several is of texts, in Airflow's form
COMMON: dict[str, Any] = {"schedule": None, "max_active_runs": 1, "default_args": {"owner": "jejak"}}

RETRY = """
Tries rejected rows, and processes that could not be built, again with today's code, mappings and settings, and builds
the records of what gets in. For after a mend: a code added to `transforms/codes`, a column named in the settings, a new
version of Jejak.

- **Source**: that of the rows, or *all*.

**Counts** are the task's XCom: how many were tried, what came of them, and `rejects_open`, how many are left over all
sources (`jejak rejects` gives the reasons). The XCom `changed` names the processes whose records are others now.

**Red?** The end of the task's log gives the reason. Nothing is half-written: clear the task to run it again.
Rejected rows that stay rejected don't make it red.
"""

REBUILD = """
Builds the records of chosen processes again, from the rows that are there. For after a
change of mappings or of settings that no row shows; no request goes to any source.

- **OCIDs**: one per line, as `ocds-abc123-rup-123456`; `jejak show CODE` finds one by a source's code. Or the word
  `all`, for every process there is: that takes about as long as the first load did, and nothing that stays as it was
  is written.

**Counts** are the XCom of `report`, as in `build_records`: `changed` there counts the records that are others now, and
the XCom `changed` names them.

**Red?** `place` reports at the end of its log when no process has one of the OCIDs: start the form again. Otherwise
the log of the failed task gives the reason; nothing is half-written: clear that task, with what follows it, to run
it again.
"""

DRY = """
Reads services as a sync does, and shows what a sync would change now. It writes nothing at all, so it can be run at any
time; the source gets just as many requests as from a sync.

- **Sources**: those that are read.
- **Fiscal years**: empty for those that a nightly sync reads.

**What would change** stands in the name of each `preview` task; the sums by source are the XCom of `report`, and its
XCom `examples` has up to 20 codes each of rows that are new, changed or gone, and the reasons of those that would be
rejected.

**Red?** The failed `preview` tasks are services that could not be read, and a sync would fail there too: the log of
`report` names them, with the reasons. The others were looked at.
"""


def request_rebuild(known: Settings, params: Any) -> None:
    """Queue what the form of `rebuild_records` names. Raises SettingsError for an OCID that no process has."""
    from pipeline import steps

    ocids = [ocid for ocid in params["ocids"] if ocid]
    log.info("%s processes are built again.", f"{steps.enqueue(known, None if ALL in ocids else ocids):,}")


with DAG(
    dag_id="retry_rejects",
    description="Tries rejected rows and processes that could not be built again",
    params={
        "source": Param(
            ALL,
            type="string",
            enum=[ALL, *SOURCES],
            title="Source",
            description="Whose rejected rows are tried again.",
        )
    },
    dagrun_timeout=timedelta(hours=12),
    tags=["jejak", "manual", "records"],
    doc_md=RETRY,
    **COMMON,
    **alerting(),
):

    @task(pool="warehouse", multiple_outputs=False, execution_timeout=timedelta(hours=6), outlets=[RECORDS])
    def retry(params: Any = None, ti: Any = None, dag_run: Any = None, outlet_events: Any = None) -> dict[str, int]:
        """Try again what was rejected, and build what comes of it; returns the counts and what is left."""
        from pipeline import steps
        from reports.status import status

        forget_main()
        known = settings()
        source = None if params["source"] == ALL else params["source"]
        with steps.recorded(known, "retry", f"{dag_run.dag_id}/{dag_run.run_id}") as run_id:
            counts = steps.retry(known, run_id, source)
        waiting = status(known)
        sums = {**counts, "links_pending": waiting["links"]["pending"], "rejects_open": waiting["rejects"]}
        log.info("%s.", ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sums.items()))
        ti.xcom_push("changed", changed(known, run_id))
        outlet_events[RECORDS].extra = {"run": run_id, **sums}
        return sums

    retry()


with DAG(
    dag_id="rebuild_records",
    description="Derives and compiles chosen processes again, or all",
    params={
        "ocids": Param(
            [],
            type="array",
            items={"type": "string", "pattern": r"^(ocds-\S+|all|)$"},
            minItems=1,
            contains={"minLength": 1},  # a blank line between them does no harm; nothing else would mean nothing
            title="OCIDs",
            description="One per line, as ocds-abc123-rup-123456; or the word all, for every process there is, which "
            "takes as long as a first load.",
        ),
    },
    dagrun_timeout=timedelta(hours=24),
    tags=["jejak", "manual", "records"],
    doc_md=REBUILD,
    **COMMON,
    **alerting(),
):
    build_pending("rebuild", request_rebuild)


with DAG(
    dag_id="dry_run",
    description="Shows what a sync would change, and writes nothing",
    params={
        "sources": sources_param("Those that are read; the others are skipped."),
        "fiscal_years": Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": CHOICE},
            examples=CHOICE,
            uniqueItems=True,
            title="Fiscal years",
            description="Empty: those that a nightly sync reads.",
        ),
    },
    dagrun_timeout=timedelta(hours=12),
    tags=["jejak", "manual", "sync"],
    doc_md=DRY,
    **COMMON,
):

    def preview_source(source: str) -> dict[str, Any]:
        """Add the tasks that look at a source; returns what they read and what came of it."""

        @task(multiple_outputs=False, **BRIEF)
        def plan(params: Any = None) -> list[dict[str, str]]:
            """What is read, a service and scope for each task."""
            from pipeline import steps

            skip_unless_chosen(source, params)
            known = settings(source)
            years = [int(year) for year in params["fiscal_years"] or []]
            with no_retry_mends_settings():
                found = steps.plan_of(known, [source], years or None)
            return [{"service": service, "scope": scope} for _, service, scope in found]

        @task(
            multiple_outputs=False,
            map_index_template=NAMED,
            pool=f"source_{source}",
            priority_weight=1,  # the nights first, as in reading.py
            weight_rule="absolute",
            execution_timeout=timedelta(hours=2),
            retries=2,
            retry_delay=timedelta(minutes=1),
        )
        def preview(service: str, scope: str, ti: Any = None) -> dict[str, Any]:
            """Fetch one service and compare it with what is there; returns the counts and examples."""
            from pipeline import steps

            return end_service(ti, steps.preview_service(settings(source), source, service, scope))

        planned: Any = plan()
        return {"planned": planned, "done": preview.expand_kwargs(planned)}

    looked: dict[str, dict[str, Any]] = {}
    for name in SOURCES:
        with TaskGroup(name):
            looked[name] = preview_source(name)

    @task(multiple_outputs=False, trigger_rule="all_done", **BRIEF)
    def report(looked: dict[str, Any], params: Any = None, ti: Any = None) -> dict[str, dict[str, int]]:
        """What would change, by source, or fails with what could not be read. XCom `examples`: which rows."""
        from reports.services import counts_text, failure_messages, total_counts

        known = settings()
        sums, examples, failures = {}, {}, []
        for source in (name for name in params["sources"] if name in known.sources):
            planned, done = looked[source]["planned"], looked[source]["done"]
            if planned is None:
                failures.append(f"Nothing of {source} was read: the log of {source}.plan shows why.")
                continue
            results = {(counts["service"], counts["scope"]): counts for counts in done}
            for place, counts in results.items():
                if counts["status"] != "failed":
                    log.info("%s %s: %s.", *place, counts_text(counts))
                    examples[" ".join(place)] = {kind: some for kind, some in counts["examples"].items() if some}
            failures += failure_messages(source, [(each["service"], each["scope"]) for each in planned], results)
            sums[source] = total_counts(done)
            log.info("%s as a whole: %s.", source, counts_text(sums[source]))
        ti.xcom_push("examples", {place: some for place, some in examples.items() if some})
        if failures:
            ti.xcom_push("return_value", sums)  # they are of use all the same
            raise failing(*failures)
        return sums

    report(looked)
