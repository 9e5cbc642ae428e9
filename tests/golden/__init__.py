"""Golden files: what small made-up processes become. See README.md here; `python -m tests.golden` writes them anew."""

import json
from pathlib import Path
from typing import Any

from tests.states import DATE, OCID, document, rows
from transforms.releases import after, next_release, record_with

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/rows.json"))


def outcome(case: str) -> dict[str, Any]:
    """The state of a case's rows, the first release, and the second one after the case's change."""
    given: dict[str, list[dict[str, Any]]] = _read(case, "rows")
    state = _state(given)
    first = next_release(OCID, None, state, DATE)
    assert first is not None
    for change in _read(case, "change"):
        given[change["service"]][change["row"]] |= change["fields"]
    second = next_release(OCID, record_with(None, first), _state(given), after(DATE, DATE))
    return {"state": state, "first": first, "second": second}


def golden(case: str) -> Path:
    """The file that holds what a case became."""
    return FOLDER / case / "outcome.json"


def _read(case: str, name: str) -> Any:
    return json.loads((FOLDER / case / f"{name}.json").read_text(encoding="utf-8"))


def _state(given: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return document([row for service, fields in given.items() for row in rows(service, *fields)])
