"""A whole Airflow for the tests here: opened as anybody opens it, in processes of its own, with folders of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import parts
from deploy.local.parts import Api

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 600  # until it is open; the machine may be busy


@dataclass(frozen=True)
class Airflow:
    """An open Airflow: its API, its files, the process ids of its parts, the environment that it was opened in; a
    cluster's own warehouse."""

    api: Api
    home: Path
    pids: dict[str, int]
    environment: dict[str, str]
    warehouse: str | None


Open = Callable[..., AbstractContextManager[Airflow]]


@pytest.fixture(scope="session")
def opened() -> Open:
    """`opened(command, folder, **environment)`: `python -m deploy.local ui` (or `cluster`), until the block is left.

    Its files lie in `folder`, where the warehouse is too: of `ui` the one that the environment says, if it does.
    """
    return _opened


@contextmanager
def _opened(command: str, folder: Path, **environment: str) -> Iterator[Airflow]:
    home = folder / "airflow"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "JEJAK"))}
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__PORT": "0",  # one that nobody uses
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{folder}/jejak.db",
        **environment,
    }
    output = folder / f"{command}.log"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", command],
            cwd=ROOT,
            env=kept | own,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        for _ in parts.within(SECONDS, "Opening Airflow"):
            assert process.poll() is None, output.read_text() + tails(home)
            if found := parts.opened(home):
                api, started = found
                break
        yield Airflow(api, home, started["parts"], kept | own, started["warehouse"])
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            parts.kill(process.pid)


def tails(home: Path) -> str:
    """The ends of what the parts printed, for whoever looks for the reason of a failure."""
    logs = sorted((home / "logs").glob("*.log"))
    return "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)
