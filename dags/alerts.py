"""Alerts of runs that failed or are late: none, unless the settings' `alerts` or the connection `jejak_webhook` has an
address.

    with DAG("sync_lpse", ..., **alerting(hours=5)):

A webhook gets a JSON object by POST (`text` alone is what chat programs show), an address of `alerts.email_to` a mail
through Airflow's connection `smtp_default`. Neither carries data of a source. An alert that can't be sent fails
nothing: it is a warning in the log.
"""

import html
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert
from asgiref.sync import sync_to_async

log = logging.getLogger("jejak")

ENDED = (
    "What was not done is marked as skipped: the log of the task that hung shows what it waited for. Clear those "
    "tasks, with what follows them, to do the rest."
)
LATE = "Its page shows which task it waits for, and that task's log what for; a task that hangs can be cleared there."


class Begun(BaseDeadlineReference):
    """When a run came to be. With Airflow's own DAGRUN_QUEUED_AT a red run can't be cleared in 3.3.2: it stumbles over
    the interval there, in the UI and in a backfill."""

    def _evaluate_with(self, **_: Any) -> datetime:
        return datetime.now(UTC)  # Airflow calls this when it makes the run


def alerting(hours: float | None = None) -> dict[str, Any]:
    """Arguments of a DAG that sends an alert for each failed run, once, and for one that is not done after `hours`,
    waiting included."""
    arguments: dict[str, Any] = {"on_failure_callback": failed}
    if hours is not None:
        arguments["deadline"] = DeadlineAlert(
            # Not the logical date: of a run of a past year, or of a DAG that is switched on at noon, it is long over.
            reference=Begun(),
            interval=timedelta(hours=hours),
            # In the triggerer: what the executor runs may not read Airflow's own connections in 3.3.2.
            callback=AsyncCallback(late, kwargs={"hours": hours}),
        )
    return arguments


def failed(context: Any) -> None:
    """A run has failed: end it in the warehouse too, and send the alert. Called by the DAG processor, once."""
    dag, run = context["dag"], context["run_id"]
    _end(dag.dag_id, run)
    tasks: list[str] = []
    why: list[str] = []
    advice = " ".join((dag.doc_md or "").partition("**Red?**")[2].split("\n\n")[0].split())
    if context.get("reason") == "timed_out":
        why.append(f"It was not done within {dag.dagrun_timeout / timedelta(hours=1):g} hours and was ended.")
        advice = ENDED
    with suppress(Exception):  # better an alert without the tasks than none
        ti = context["ti"]
        states = ti.get_task_states(dag_id=dag.dag_id, run_ids=[run])[run]
        # Of mapped tasks Airflow knows the numbers alone, which say nothing.
        tasks += sorted(task for task, state in states.items() if state == "failed" and dag.has_task(task))
        # The reason that a task has left for those before it.
        why += filter(None, (ti.xcom_pull(task_ids=task, key="why") for task in tasks))
    _send(dag.dag_id, run, "failed", tasks, " ".join(why), advice or "The logs of the failed tasks say why.")


def _end(dag: str, run: str) -> None:
    from dags import connections
    from pipeline import steps

    try:
        steps.end_runs(connections.settings(), f"{dag}/{run}", "Airflow ended the run before its last task could")
    except Exception as error:
        log.warning("%s could not be ended in the warehouse: %s.", run, steps.reason_of(error))


async def late(hours: float, context: dict[str, Any]) -> None:
    """A run is not done in time. Called by the triggerer, also for one that has failed meanwhile, for which `failed`
    has sent an alert."""
    run = context["dag_run"]
    if run["state"] in ("queued", "running"):
        await sync_to_async(_send)(
            run["dag_id"], run["dag_run_id"], "late", [], f"It is not done after {hours:g} hours.", LATE
        )


def _send(dag: str, run: str, state: str, tasks: list[str], why: str, advice: str) -> None:
    from airflow.sdk.configuration import conf

    from dags import connections
    from schemas.errors import JejakError

    try:
        receivers = connections.alerts()
    except JejakError as error:
        log.warning("No alert is sent of %s, which is %s: %s.", dag, state, error)
        return
    link = f"{conf.get('api', 'base_url', fallback='http://localhost:8080').rstrip('/')}/dags/{dag}/runs/{quote(run)}"
    what = f"{dag} is late" if state == "late" else f"{dag} failed" + (f" ({', '.join(tasks)})" if tasks else "")
    body = {
        "text": " ".join(part for part in (f"Jejak: {what}.", why, advice, link) if part),
        "dag": dag,
        "run": run,
        "state": state,
        "tasks": tasks,
        "why": why,
        "advice": advice,
        "link": link,
    }
    if receivers.webhook:
        _post(receivers.webhook.get_secret_value(), body)
    if receivers.email_to:
        _mail(receivers.email_to, f"Jejak: {what}", body)


def _post(address: str, body: dict[str, Any]) -> None:
    from pipeline.alerting import post

    if reason := post(address, body):
        log.warning("The webhook did not take the alert of %s: %s.", body["dag"], reason)


def _mail(addresses: list[str], subject: str, body: dict[str, Any]) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook
    from airflow.sdk.exceptions import AirflowException

    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in (f"{subject}.", body["why"], body["advice"]) if part)
    link = html.escape(body["link"])
    content = f'{paragraphs}<p><a href="{link}">{link}</a></p>'
    try:
        with SmtpHook("smtp_default") as mail:
            mail.send_email_smtp(to=addresses, subject=subject, html_content=content)
    except Exception as error:
        # A mail server's answer may quote addresses; an error of Airflow itself is about its connection.
        reason = str(error) if isinstance(error, AirflowException) else type(error).__name__
        log.warning("No mail about %s was sent: %s.", body["dag"], reason)
