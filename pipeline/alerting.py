"""Alerts as they are sent: those of runs (`dags/alerts.py`), and the one of `jejak alert --test`."""

import logging
import re
from typing import Any

POST_SECONDS = 10


def _hide_path(record: logging.LogRecord) -> bool:
    record.msg = re.sub(r'"POST \S+', '"POST ***', record.getMessage())
    record.args = ()
    return True


# urllib3 logs every path at level DEBUG, and a webhook's may hold its secret.
logging.getLogger("urllib3.connectionpool").addFilter(_hide_path)


def post(address: str, body: dict[str, Any]) -> str | None:
    """Send an alert to a webhook; why it was not taken, without the address, which may hold a secret."""
    import requests

    try:
        requests.post(address, json=body, timeout=POST_SECONDS).raise_for_status()
    except requests.RequestException as error:
        return f"HTTP {error.response.status_code}" if error.response is not None else type(error).__name__
    return None


def trial_body(regency: str) -> dict[str, Any]:
    """An alert that only tries the way, of the shape of all others."""
    why = f"This is a test of the alerts of {regency}."
    advice = "Nothing is wrong, and nothing needs to be done."
    return {
        "text": f"Jejak: a test. {why} {advice}",
        "dag": "",
        "run": "",
        "state": "test",
        "tasks": [],
        "why": why,
        "advice": advice,
        "link": "",
    }
