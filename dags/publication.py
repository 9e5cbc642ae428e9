"""`publish`: the publication, made anew every morning where the settings say where to."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.alerts import alerting
from dags.reading import settings

log = logging.getLogger("jejak")

DOC = """
Makes the publication of all records (data, descriptions, pages) in the folder that the setting `publish_to` names, and
puts it in the place of the last one when it is whole. All workers must reach that folder; `current` in it is what a web
server serves. It is skipped where the setting is missing.

- **Draft**: publishes without licence, publisher, address and registered prefix; every page and file says so.

**Counts** are the task's XCom: files, processes and releases of each year, and the releases that are new, changed or
voided since the last publication.

**Red?** The end of the task's log names the settings that are missing, or where something personal was found. The last
publication stays as it is: mend that and clear the task.
"""

with DAG(
    dag_id="publish",
    description="Makes the publication anew, where the settings say where to",
    # After the night's builds and the morning's look at them.
    schedule=CronTriggerTimetable("30 7 * * *", timezone="Asia/Jakarta"),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    params={"draft": Param(False, type="boolean", title="Draft", description="Publish what is not complete yet.")},
    tags=["jejak", "publication"],
    default_args={"owner": "jejak"},
    doc_md=DOC,
    **alerting(),
):

    @task(multiple_outputs=False, execution_timeout=timedelta(hours=6))
    def publish(params: Any = None) -> dict[str, Any]:
        """Make the publication; returns its counts."""
        from reports.publication import publish as publication

        known = settings()
        if known.publish_to is None:
            raise AirflowSkipException("The setting publish_to is missing: nothing is published.")
        report = publication.publish(known, Path(known.publish_to), draft=params["draft"])
        log.info("%s files in %s.", f"{report['files']:,}", report["folder"])
        return report

    publish()
