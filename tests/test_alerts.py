"""Who hears of runs that fail or are late: a run that really fails, told by a real DAG processor to real servers."""

import email
import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from tests.nights import ROOT, in_airflow
from tests.worlds import jejak
from warehouse.engine import open_warehouse, reading
from warehouse.tables import run

FAILS = '''
from datetime import timedelta
from airflow.sdk import DAG, task
from dags.alerts import alerting

DOC = """
Fails.

**Red?** Look for the needle
in the <haystack>.

More of it.
"""

with DAG("fails", doc_md=DOC, dagrun_timeout=timedelta(hours=2), **alerting(hours=1.5)):

    @task
    def sync(number):
        if number:
            raise ValueError("Ibu Siti, NIK 3522010101010001")

    @task(trigger_rule="all_done")
    def report(done, ti=None):
        ti.xcom_push("why", "1 of 2 services failed: it did not answer.")
        raise ValueError("Ibu Siti, NIK 3522010101010001")

    report(sync.expand(number=[0, 1]))
'''

# Three runs that fail, with nobody to tell, with nobody who listens, and with those who do: the last one's callback is
# left to the DAG processor, as a scheduler leaves it, and once more as of a run that took too long. Between them a
# deadline is missed, by a run that goes on and by one that has failed meanwhile.
FAILING = """
import asyncio, json, os, sys
from airflow.callbacks.database_callback_sink import DatabaseCallbackSink
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.sdk._shared.module_loading import import_string
from airflow.utils.session import create_session
from pipeline import configure, steps

deaf, listening = json.loads(sys.argv[1]), json.loads(sys.argv[2])
dag = DagBag().dags["fails"]
print("NOBODY", flush=True)
assert dag.test().state == "failed"
os.environ.update(deaf)
print("DEAF", flush=True)
assert dag.test().state == "failed"
os.environ.update(listening)
print("LATE", flush=True)
callback = dag.deadline[0].callback
for run, state in (("slow", "running"), ("failed", "failed")):
    context = {"dag_run": {"dag_id": "fails", "dag_run_id": run, "state": state}}
    asyncio.run(import_string(callback.path)(**callback.kwargs, context=context))
print("HEARD", flush=True)
dag.on_failure_callback = None
done = dag.test()
for name in (f"fails/{done.run_id}", f"fails/{done.run_id}/sirup", f"fails/{done.run_id}0"):
    steps.start_run(configure.load_settings(), "sync", name)
with create_session() as session:
    run = session.get(DagRun, done.id)
    last = [ti for ti in run.get_task_instances(session=session) if ti.state == "failed"][-1]
    for reason in ("task_failure", "timed_out"):
        request = run.produce_dag_callback(dag=None, success=False, relevant_ti=last, reason=reason)
        DatabaseCallbackSink().send(request)
"""
PROCESS = """
import sys
from airflow.__main__ import main
sys.argv = ["airflow", "dag-processor", "--num-runs", "6"]
main()
"""


@pytest.fixture(scope="module")
def alerts(tmp_path_factory) -> dict[str, Any]:
    """What the servers got, and the log by what happened."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    (folder / "dags" / "fails.py").write_text(FAILS)
    settings = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__API__BASE_URL": "https://airflow.example/",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "1",
        "JEJAK_SETTINGS": str(ROOT / "settings" / "simulator.toml"),
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{folder}/jejak.db",
    }
    in_airflow(folder, settings, "from airflow.utils.db import initdb; initdb()")
    with webhook() as (address, posts), mail_server() as (port, mails):
        listening = {
            "JEJAK_ALERTS__WEBHOOK": f"{address}/s3cret-path",
            "JEJAK_ALERTS__EMAIL_TO": '["ops@example.org", "chief@example.org"]',
            "AIRFLOW_CONN_SMTP_DEFAULT": mail_connection(port),
        }
        deaf = {**listening, "JEJAK_ALERTS__WEBHOOK": f"{address}/no", "AIRFLOW_CONN_SMTP_DEFAULT": mail_connection(1)}
        done = in_airflow(folder, settings, FAILING, json.dumps(deaf), json.dumps(listening))
        before = len(posts), len(mails)
        processed = in_airflow(folder, settings | listening, PROCESS)
    parts = ("NOBODY", "DEAF", "LATE", "HEARD")
    log = done.stdout
    logs = {}
    for part in reversed(parts):
        log, _, logs[part] = log.rpartition(f"{part}\n")
    with reading(open_warehouse(settings["JEJAK_WAREHOUSE_URL"])) as conn:
        ended = [row.status for row in conn.execute(select(run).order_by(run.c.id))]
    return {
        "posts": posts,
        "mails": mails,
        "before": before,
        "logs": logs,
        "processed": processed.stdout,
        "ended": ended,
    }


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a server that takes JSON, and what it took; under /no it takes nothing."""
    posts: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/s3cret-path":
                posts.append(body)
            self.send_response(200 if self.path == "/s3cret-path" else 500)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posts
        server.shutdown()


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """The port of a mail server, and what it took."""
    mails: list[EmailMessage] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            recipients: list[str] = []
            for line in self.rfile:
                match line.split()[0].upper():
                    case b"RCPT":
                        recipients.append(line.decode().split("<")[1].split(">")[0])
                    case b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = list(iter(self.rfile.readline, b".\r\n"))
                        mail = email.message_from_bytes(b"".join(lines), policy=default)
                        mail["X-Recipients"] = ", ".join(recipients)
                        mails.append(mail)
                    case b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                self.wfile.write(b"250 yes\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], mails
        server.shutdown()


def mail_connection(port: int) -> str:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "jejak@example.org", "retry_limit": 0}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})


def callback_alerts(alerts: dict[str, Any], kind: str, timed_out: bool) -> list[Any]:
    """The posts or mails that the DAG processor sent: of the run that failed, or of the one that took too long."""
    sent = alerts[kind][alerts["before"][kind == "mails"] :]
    assert len(sent) == 2, alerts["processed"]
    return [each for each in sent if ("was ended" in text_of(each)) == timed_out]


def text_of(sent: dict[str, Any] | EmailMessage) -> str:
    """The words of a post or mail."""
    if isinstance(sent, dict):
        return str(sent["text"])
    [part] = sent.iter_parts()
    return str(part.get_content())


def test_nothing_is_sent_or_said_by_default(alerts):
    assert "Executing on_failure dag callback" in alerts["logs"]["NOBODY"]
    for word in ("webhook", "mail", "No alert is sent", "Callback failed"):
        assert word not in alerts["logs"]["NOBODY"]


def test_an_alert_that_nobody_takes_is_a_sentence_of_the_log(alerts):
    log = alerts["logs"]["DEAF"]
    assert "The webhook did not take the alert of fails: HTTP 500" in log
    assert "No mail about fails was sent: ConnectionRefusedError" in log
    assert "Callback failed" not in log
    assert "/no" not in log.replace("/nothing", "")
    assert "example.org" not in log


def test_a_failed_run_is_told_once_with_what_to_do(alerts):
    [post] = callback_alerts(alerts, "posts", timed_out=False)
    run = post["run"]
    link = f"https://airflow.example/dags/fails/runs/{run.replace(':', '%3A').replace('+', '%2B')}"
    assert post == {
        "text": "Jejak: fails failed (report). 1 of 2 services failed: it did not answer. "
        f"Look for the needle in the <haystack>. {link}",
        "dag": "fails",
        "run": run,
        "state": "failed",
        "tasks": ["report"],
        "why": "1 of 2 services failed: it did not answer.",
        "advice": "Look for the needle in the <haystack>.",
        "link": link,
    }


def test_a_failed_run_is_told_by_mail(alerts):
    [mail] = callback_alerts(alerts, "mails", timed_out=False)
    assert (mail["Subject"], mail["From"]) == ("Jejak: fails failed (report)", "jejak@example.org")
    assert mail["X-Recipients"] == mail["To"] == "ops@example.org, chief@example.org"
    content = text_of(mail)
    assert "<p>Look for the needle in the &lt;haystack&gt;.</p>" in content
    assert 'href="https://airflow.example/dags/fails/runs/manual__' in content


def test_a_run_that_took_too_long_is_told_as_that(alerts):
    [post] = callback_alerts(alerts, "posts", timed_out=True)
    assert post["why"].startswith("It was not done within 2 hours and was ended. ")
    assert post["advice"].startswith("What was not done is marked as skipped: ")
    assert len(callback_alerts(alerts, "mails", timed_out=True)) == 1


def test_a_late_run_is_told_unless_it_has_failed_meanwhile(alerts):
    assert alerts["before"] == (1, 1)
    post = alerts["posts"][0]
    assert (post["state"], post["run"], post["tasks"]) == ("late", "slow", [])
    assert post["text"].startswith("Jejak: fails is late. It is not done after 1.5 hours. Its page shows ")
    assert alerts["mails"][0]["Subject"] == "Jejak: fails is late"


def test_no_alert_holds_what_a_source_said(alerts):
    assert "3522010101010001" not in json.dumps(alerts["posts"])
    assert "3522010101010001" not in "".join(mail.as_string() for mail in alerts["mails"])


def test_what_was_ended_does_not_go_on_in_the_warehouse(alerts):
    # By name: the run, that of one of its sources, and one that is no part of it.
    assert alerts["ended"] == ["failed", "failed", "running"]


def test_an_alert_can_be_tried_from_the_shell(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG, "urllib3")
    taken = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if self.path == "/hook" else 500)
            self.end_headers()

        def log_message(self, format, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    results = {}
    for path in (None, "hook", "rahasia"):
        if path:
            monkeypatch.setenv("JEJAK_ALERTS__WEBHOOK", f"http://127.0.0.1:{server.server_port}/{path}")
        results[path] = jejak("alert", "--test", "--settings", "settings/bojonegoro.toml")
    server.shutdown()
    server.server_close()
    assert (results[None].status, "set JEJAK_ALERTS__WEBHOOK" in results[None].err) == (1, True)
    assert (results["hook"].status, taken[0]["state"]) == (0, "test")
    assert "This is a test of the alerts of Pemerintah Kabupaten Bojonegoro" in taken[0]["text"]
    assert (results["rahasia"].status, "HTTP 500" in results["rahasia"].err) == (1, True)
    assert "rahasia" not in results["rahasia"].err
    assert "POST ***" in caplog.text
    assert "rahasia" not in caplog.text
