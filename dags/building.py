"""The tasks that build records, for every DAG that does.

place -> build (a task for each shard) -> report (fails the run if a shard failed)
"""

import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, task

from dags.reading import failing, no_retry_mends_settings, settings
from schemas.settings import Settings

log = logging.getLogger("jejak")

RECORDS = Asset("records")
COUNTS = ("built", "new", "changed", "removed")
# Rendered once more when the task has ended: then `counted` is what came of it.
NAMED = (
    "shard {{ task.op_kwargs.shard + 1 }} of {{ task.op_kwargs.shards }}"
    "{{ ': ' ~ counted if counted is defined else '' }}"
)
SHOWN = 500  # OCIDs of a kind in an XCom; `jejak changes` has all

# Of both a worker that dies and a database that is restarted; what is built already is not built again.
RETRIES: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(minutes=1)}


def build_pending(command: str, request: Callable[[Settings, Any], None] | None = None) -> None:
    """Add the tasks that build what is pending to the DAG around the call, as a run of that command.

    `request` (settings, params) first queues what else is to be built.
    """

    # In the pool of all that writes much: on SQLite one task at a time.
    # With all its tries it leaves half of build_records' hours to build.
    @task(pool="warehouse", **RETRIES, execution_timeout=timedelta(hours=3))
    def place(params: Any = None, ti: Any = None, dag_run: Any = None) -> list[dict[str, int]]:
        """Give new rows their processes and find links, all in one; returns the shards that are then built."""
        from pipeline import steps

        known = settings()
        run_id = steps.start_run(known, command, f"{dag_run.dag_id}/{dag_run.run_id}")
        with no_retry_mends_settings():
            try:
                if request:
                    request(known, params)
                counts = steps.place_records(known, run_id)
            except BaseException as error:
                steps.finish_run(known, run_id, steps.reason_of(error))
                raise
        log.info("%s rows were placed in processes, %s links found.", f"{counts['placed']:,}", f"{counts['linked']:,}")
        ti.xcom_push("counts", counts)
        return [{"shard": shard, "shards": known.shards} for shard in range(known.shards)]

    @task(
        pool="warehouse",
        multiple_outputs=False,
        map_index_template=NAMED,
        **RETRIES,
        execution_timeout=timedelta(hours=6),
    )
    def build(shard: int, shards: int, ti: Any = None, dag_run: Any = None) -> dict[str, int]:
        """Build what is pending of a shard; returns how many records that built, and changed."""
        from pipeline import steps

        forget_main()
        counts: dict[str, int] = steps.build_shard(settings(), f"{dag_run.dag_id}/{dag_run.run_id}", shard, shards)
        ti.get_template_context()["counted"] = f"{counts['built']:,} built"
        return counts

    @task(
        multiple_outputs=False,
        trigger_rule="all_done",
        outlets=[RECORDS],
        **RETRIES,
        execution_timeout=timedelta(minutes=15),
    )
    def report(
        planned: Any, done: Any, ti: Any = None, dag_run: Any = None, outlet_events: Any = None
    ) -> dict[str, int]:
        """End the run; returns its counts, or fails with the shards that failed. XCom `changed`: whose records."""
        from pipeline import steps
        from reports.status import status

        if planned is None:
            raise failing("Nothing was built: the log of place shows why.")
        known = settings()
        run_id = f"{dag_run.dag_id}/{dag_run.run_id}"
        if missing := len(planned) - len(done):
            message = f"{missing} of {len(planned)} shards failed: their logs say why"
            steps.finish_run(known, run_id, message)
            ti.xcom_push("why", f"{message}.")
            raise failing(f"{message}. Then clear them, with what follows them.")
        steps.finish_run(known, run_id)
        sums = {
            **ti.xcom_pull(task_ids="place", key="counts"),
            **{name: sum(each[name] for each in done) for name in COUNTS},
            "links_pending": status(known)["links"]["pending"],
        }
        log.info("Records: %s.", ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sums.items()))
        ti.xcom_push("changed", changed(known, run_id))
        outlet_events[RECORDS].extra = {"run": run_id, **sums}
        return sums

    planned: Any = place()
    report(planned, build.expand_kwargs(planned))


def changed(known: Settings, run_id: str) -> dict[str, list[str]]:
    """Whose records a run made new, otherwise than they were, or removed: as many OCIDs as an XCom should carry."""
    from reports.changes import changed_processes

    return {kind: ocids[:SHOWN] for kind, ocids in changed_processes(known, run_id).items()}


def forget_main() -> None:
    """Worker processes load the main module first, here Airflow's command, which can't be loaded inside a task."""
    main = sys.modules["__main__"]
    main.__spec__, main.__file__ = None, None
