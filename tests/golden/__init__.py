"""Golden files: what small made-up processes become. See README.md here; `python -m tests.golden` writes them anew."""

import json
from pathlib import Path
from typing import Any

from pipeline.registry import SERVICES, TELLINGS
from transforms.merge import compiled
from transforms.releases import Process, Version, derive
from transforms.rows import identify

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/rows.json"))
OBSERVED_AT = "2025-10-03T16:59:59Z"


def outcome(case: str) -> dict[str, Any]:
    """The releases and the compiled release of a case's rows, all seen at one time."""
    versions: list[Version] = []
    for name, rows in json.loads((FOLDER / case / "rows.json").read_text(encoding="utf-8")).items():
        source, service = SERVICES[name]
        for position, row in enumerate(rows):
            found = identify(service, row)
            record = service.model.model_validate(found.fields)
            key = f"{found.key}#{position}" if position else found.key
            version = Version(len(versions), source, name, "2025", key, found.code, OBSERVED_AT, False, record)
            versions.append(version)
    derived = derive(Process(f"ocds-000000-{case}", versions), TELLINGS, "+07:00", "D999")
    assert not derived.signals
    releases = [release for *_, release in derived.releases]
    return {"releases": releases, "compiled": compiled(releases)}


def golden(case: str) -> Path:
    """The file that holds what a case became."""
    return FOLDER / case / "outcome.json"
