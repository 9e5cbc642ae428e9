"""`build_records`: when a source has brought something, the records that it touches."""

import sys
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAny, task

from pipeline.registry import SOURCES

DOC = """
Places new rows in their processes, derives their releases and compiles the records that they touch: only what waits for
it, so that a run that was missed is made up for by the next.

**Red?** The end of the task's log says why. Nothing is half-written: clear the task to run it again.
"""

with DAG(
    dag_id="build_records",
    schedule=AssetAny(*(Asset(f"{source}_rows") for source in SOURCES)),
    max_active_runs=1,
    tags=["jejak", "records"],
    default_args={"owner": "jejak"},
    doc_md=DOC,
):

    @task(multiple_outputs=False, retries=2, retry_delay=timedelta(minutes=1), execution_timeout=timedelta(hours=6))
    def build(dag_run: Any = None) -> dict[str, int]:
        """Place, derive and compile what is pending; returns how many of each."""
        from pipeline import configure, steps

        # Worker processes load the main module first, here Airflow's command, which can't be loaded inside a task.
        main = sys.modules["__main__"]
        main.__spec__, main.__file__ = None, None
        settings = configure.load_settings()
        with steps.recorded(settings, "build", f"{dag_run.dag_id}/{dag_run.run_id}") as run_id:
            return steps.build_records(settings, run_id)

    build()
