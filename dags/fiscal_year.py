"""`sync_fiscal_year`: a whole fiscal year of all sources, or of those chosen; a backfill gives one run per year."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, TaskGroup

from dags.alerts import alerting
from dags.reading import YEARS, failing, read, sources_param
from dags.years import FiscalYears
from pipeline.registry import SOURCES
from schemas.settings import Settings

DOC = """
Reads one fiscal year again, whole: every service of all sources, or of those chosen under `sources`. It never runs by
itself; the nightly DAGs read the open year.

**Several years**: *Trigger*, then *Backfill*. `From` 1 January of the first year and `To` 31 December of the last give
one run for each, the open year included. (A year's run lies on 2 January, 12:00 in Jakarta: a range that begins later
or ends earlier leaves that year out.) Leave `fiscal_year` empty there.

- *Missing Runs* reads the years that no backfill has read, *Missing and Errored Runs* the red ones again too,
  *All Runs* all of them; the form says how many that will be. A year that is being read is left alone.
- **Tick *Override parameters on existing runs* to choose `sources`**: without it Airflow's form sends no parameters at
  all. A new year then reads every source, and a year that is read again keeps the sources it had.
- A backfill is over half a minute after all its years are; until then there can be no other.

**One year**: *Trigger*, with a year of the list; left empty it is the open one.

It may run beside the nightly DAGs: they share each source's two places, the nights first, and an older answer never
replaces a newer one.

**Counts** stand in the name of each `sync` task; their sums, with the links and rejected rows that wait for somebody,
are the XCom of each source's `report`. Sources that were not chosen are skipped.

**Red?** The log of the failed `report` names the services that failed, why, and what to do. The others are in already.
Clear the failed `sync` tasks, with what follows them, to read just those again.
"""


def asked_year(settings: Settings, dag_run: Any) -> list[int]:
    """The fiscal year of a run: the parameter's in one by hand, else the local year of its logical date."""
    here = datetime.strptime(settings.utc_offset, "%z").tzinfo
    own = (dag_run.logical_date or dag_run.run_after).astimezone(here).year
    given = (dag_run.conf or {}).get("fiscal_year")
    if given is not None and dag_run.run_type != "manual" and given != own:
        raise failing(
            f"This is a backfill's run for {own}, and its parameter fiscal_year says {given}: leave that empty, "
            "a backfill takes the years of its range."
        )
    return [given or own]


with DAG(
    dag_id="sync_fiscal_year",
    description="Reads whole fiscal years again: by the form Backfill one run per year",
    schedule=FiscalYears(),
    # Of runs by hand; a backfill has a number of its own in its form.
    max_active_runs=1,
    # From a run's start, and twice that of sync_<source>: the nights go first. There is no deadline, which would count
    # from when a backfill makes the runs of all its years, most of which then wait for one another.
    dagrun_timeout=timedelta(hours=24),
    params={
        "fiscal_year": Param(
            None,
            type=["null", "integer"],
            enum=[None, *YEARS],
            values_display={"None": "the open year"},
            title="Fiscal year",
            description="For one run by hand; empty: the open year. Leave it empty in a backfill, whose range says it.",
        ),
        "sources": sources_param(
            "Those that are read; the others are skipped. A backfill takes them only where "
            "'Override parameters on existing runs' is ticked."
        ),
    },
    tags=["jejak", "sync", "backfill"],
    default_args={"owner": "jejak"},
    doc_md=DOC,
    **alerting(),
):
    for name in SOURCES:
        with TaskGroup(name):
            read(name, asked_year)
