"""`sync_<source>`: one source, every night."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from dags.alerts import alerting
from dags.reading import read
from pipeline.registry import SOURCES
from schemas.settings import Settings

DOC = """
Reads every service of **{source}** and takes over what is new, changed or gone: for the open fiscal year and, in the
first months of a year, the one before too (or the `fiscal_years` of the settings). For other years there is
`sync_fiscal_year`. No other source waits for this one.

**Counts** stand in the name of each `sync` task, which is one service and year; their sums, with the links and rejected
rows that wait for somebody, are the XCom of `report` (tab *Storage*). `announce` is skipped where nothing waits to be
built; else it wakes `build_records`, and the asset `{source}_rows` shows the counts. A task that is tried again or
cleared counts what the run as a whole brought.

**Red?** The log of `report` names the services that failed, why, and what to do. The others are in already. Clear the
failed `sync` tasks, with what follows them, to read just those again; one alone can be cleared at any time.
"""


def open_years(settings: Settings, dag_run: Any) -> list[int]:
    """The fiscal years that are read on the day of a run, also when it is cleared later."""
    from pipeline import steps

    years: list[int] = steps.years_of(settings, f"{dag_run.run_after:%Y-%m-%dT%H:%M:%SZ}")
    return years


for name in SOURCES:
    with DAG(
        dag_id=f"sync_{name}",
        description=f"Reads {name}, every night at 01:00",
        schedule=CronTriggerTimetable("0 1 * * *", timezone="Asia/Jakarta"),
        max_active_runs=1,
        # A source that answers nothing takes five hours to fail for good; the next night must find the way free.
        dagrun_timeout=timedelta(hours=12),
        tags=["jejak", "sync", name],
        default_args={"owner": "jejak"},
        doc_md=DOC.format(source=name),
        **alerting(hours=6),
    ):
        read(name, open_years, first=True)
