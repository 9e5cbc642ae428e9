"""Alerts as they are sent: those of runs (`dags/alerts.py`), and the one of `jejak alert --test`."""

from typing import Any

from connectors.transport.logs import hide

POST_SECONDS = 10


hide(r'"POST \S+', '"POST ***')  # a webhook's path may be its secret


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
