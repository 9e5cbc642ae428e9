"""When `sync_fiscal_year` runs: on no day by itself, and once for each year that a backfill makes.

Airflow finds the timetable as a plugin, which pyproject.toml names.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from dags.alerts import Begun
from dags.mounting import APPS, VIEWS


class FiscalYears(CronTriggerTimetable):
    """Noon of 2 January in Jakarta: within the year on every clock of the world, after the first of its days.

    Airflow calls this with `catchup` for the runs of a backfill, and without for the next one to start by itself:
    there is none. A plain yearly trigger would start the latest year, with all sources, soon after any backfill.
    """

    def __init__(self) -> None:
        super().__init__("0 12 2 1 *", timezone="Asia/Jakarta")
        self.description = "Once for each fiscal year of a backfill"

    @property
    def summary(self) -> str:
        """What the UI shows as schedule."""
        return "by backfill"

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "FiscalYears":
        """The timetable, which has no data."""
        return cls()

    def serialize(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next year's run within a backfill's range."""
        if not restriction.catchup:
            return None
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


class JejakPlugin(AirflowPlugin):
    """What Airflow loads of Jejak."""

    name = "jejak"
    timetables = [FiscalYears]  # noqa: RUF012 (as Airflow declares it)
    deadline_references = [Begun]  # noqa: RUF012
    fastapi_apps = APPS
    external_views = VIEWS
