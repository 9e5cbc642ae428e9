"""Every command that the documents show is run, in the order of each document, on a small simulated regency."""

import io
import json
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Select, select

from deploy.local.parts import within
from pipeline.registry import SOURCES
from simulator.server import Simulator, running
from simulator.world import World
from tests.answering import Answer, answering
from tests.databases import new_database
from tests.test_house import DOCUMENTS, TEXTS
from tests.test_new_regency import with_key, write_sheet
from tests.worlds import CommandResult, jejak
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

ROOT = Path(__file__).resolve().parent.parent
# Shown and run by no test, each with its reason in the document.
NOT_RUN = [
    ".venv/bin/python -m bench.pipeline 30000 --before ../before    # not run: a test has no earlier version beside it",
    "make format    # not run: it changes files; make lint looks for the same",
    "make lock    # not run: it asks a package index for newer versions",
    "docker compose up --detach --build    # not run: a test has no Docker",
    "docker compose exec api-server cat /opt/airflow/users/passwords.json    # not run: a test has no Docker",
    ".venv/bin/python -m bench.marts 10    # not run: it fills and measures for minutes",
    "make site    # not run: it shows what make run has made, until Ctrl-C",
    ".venv/bin/python -m bench.publication 104000 --folder data/bench    # not run: it takes an hour or more",
    "git pull    # not run: a test has no remote",
]
# What make does is run by another test, or by the check of a fresh machine: where, and by which words there.
MAKE = {
    "setup": ("Makefile", "lint: $(READY)"),
    **{target: (".ci/run", f"make {target}") for target in ("lint", "test", "e2e")},
    "run": ("tests/e2e/test_browser.py", '"night"'),
    "airflow": ("tests/e2e/test_browser.py", '"ui"'),
    "cluster": ("tests/e2e/test_cluster.py", '"cluster"'),
    "explore": ("tests/test_extract.py", '"datasette"'),
    "torture": ("tests/test_torture.py", "pytest.mark.torture"),
}
# What takes minutes is run smaller.
SMALLER = {
    ".venv/bin/jejak links evaluate": "--packages 60",
    ".venv/bin/python -m bench.merge": "200 --rounds 1",
}
# They say by their status that somebody must do something.
MAY_FAIL = ("check", "health")
SHEET = "data/simpen/rekap.xlsx"
# What `init` asks for, in its order.
ANSWERS = ["Kabupaten Contoh", "Contoh", "D999", "999", "", "", "", "2025", "inaproc", "inaproc", "", "", "", ""]


def commands(document: str) -> list[str]:
    """The commands of a document's console blocks, without comments but for those that say why one isn't run. Settings
    that it shows between them come as `toml` and their lines."""
    found = []
    for kind, block in re.findall(r"^```(console|toml)\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S):
        if kind == "toml":
            found.append(f"toml\n{block}")
        for line in block.splitlines() if kind == "console" else ():
            if line.startswith("$ "):
                found.append(line[2:] if "# not run: " in line else re.sub(r"\s+# .*", "", line[2:]))
    return found


@dataclass
class Place:
    """A copy of the repository beside a simulated regency, and the environment of a shell there."""

    folder: Path
    simulator: Simulator
    simda: str
    postgresql: str
    webhook: str
    headings: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    link: str = ""

    def begin(self) -> None:
        """A new shell: the environment is that of the simulator's settings, into one warehouse for all documents."""
        self.link = ""
        self.environment = {
            "JEJAK_NOW": f"{self.simulator.world.today}T12:00:00Z",
            "JEJAK_WORKERS": "1",
            "JEJAK_WAREHOUSE_URL": f"sqlite:///{self.folder}/data/jejak.db",
        }
        self.export("JEJAK_SETTINGS", "settings/simulator.toml")

    def export(self, name: str, value: str) -> None:
        """Set a variable, to what the test has where the document shows none that works."""
        url, own = self.simulator.url, self.environment
        if name == "JEJAK_SETTINGS":
            path = "isb-2" if value == "settings/simulator.toml" else "api"
            own |= {f"JEJAK_SOURCES__{source}__URL": f"{url}/{path}" for source in ("SIRUP", "LPSE")}
            if path == "isb-2":
                own["JEJAK_SOURCES__SIMDA__DATABASE"] = self.simda
                for source in ("musrenbang", "simpen", "dokumen"):
                    own[f"JEJAK_SOURCES__{source.upper()}__URL"] = f"{url}/{source}/api"
            else:
                for source in ("MUSRENBANG", "SIMPEN", "DOKUMEN"):
                    del own[f"JEJAK_SOURCES__{source}__URL"]
                own["JEJAK_WAREHOUSE_URL"] = f"sqlite:///{self.folder}/data/contoh.db"
        shown = {"TOKEN": "simulator", "SIMDA__DATABASE": self.simda, "WEBHOOK": self.webhook}
        for end, works in (shown | {"WAREHOUSE_URL": self.postgresql}).items():
            value = works if name.endswith(end) else value
        own[name] = value

    def jejak(self, *words: str) -> CommandResult:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", Typed("\n".join(ANSWERS) + "\n" if words[0] == "init" else "q\n"))
            return jejak(*words)

    def values(self, query: Select[Any]) -> list[Any]:
        """What the warehouse answers, of one column."""
        engine = open_warehouse(self.environment["JEJAK_WAREHOUSE_URL"])
        with reading(engine) as conn:
            found = list(conn.scalars(query))
        engine.dispose()
        return found


class Typed(io.StringIO):
    """What somebody types in a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Place]:
    """A copy of the repository, and a regency whose first night has been read."""
    folder = tmp_path_factory.mktemp("documents")
    for path in TEXTS:
        (folder / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / path.relative_to(ROOT))
    (folder / "data").mkdir()
    world = World(100, seed=1, years=3)
    headings = write_sheet(world.rows("SIMPEN-Pekerjaan"), "SIMPEN-Pekerjaan", folder / SHEET, random.Random(1))
    simda = f"sqlite:///{folder}/simda.db"
    with (
        running(world, simda_url=simda) as simulator,
        answering(Answer(b"")) as webhook,
        new_database(postgres_server) as url,
    ):
        found = Place(folder, simulator, simda, url, webhook.url, headings)
        found.begin()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert found.jejak("sync").status == 0
        yield found


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if commands(name)])
def test_the_commands_of_a_document_run(place: Place, document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place.begin()
    monkeypatch.chdir(place.folder)
    for line in commands(document):
        if "# not run: " not in line:
            run(place, line, monkeypatch)


def run(place: Place, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one command; it must do what it is for."""
    line = f"{line} {SMALLER.get(line, '')}".partition(" > ")[0]
    match shlex.split(line):
        case ["make", target]:
            file, words = MAKE[target]
            assert words in (ROOT / file).read_text()
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)
        case ["export", pair]:
            place.export(*pair.split("=", 1))
        case ["cd", folder]:
            monkeypatch.chdir(folder)
        case ["cp", *_]:
            subprocess.run(line, shell=True, check=True)
        case ["toml", *_]:
            if Path("settings/contoh.toml").exists():
                with Path("settings/contoh.toml").open("a") as settings:
                    settings.write(line.removeprefix("toml"))
        case [".venv/bin/python", *words]:
            subprocess.run([sys.executable, *words], env=os.environ | {"PYTHONPATH": str(place.folder)}, check=True)
        case [".venv/bin/jejak", "simulate" | "desk" as name, *words]:
            serves(place, name, words)
        case [".venv/bin/jejak", *words]:
            given = dict(place.environment)
            result = place.jejak(*prepared(place, words))
            if words[0] == "migrate":
                place.environment = given
            assert result.status == 0 or words[0] in MAY_FAIL, result.err
            assert "Traceback" not in result.err
            if "--json" in words:
                json.loads(result.out)
            if "--draft" in words and words[0] == "check":
                draft_taken(place, result.out)
        case _:
            pytest.fail(f"a console block shows a command that this test doesn't know: {line}")


def prepared(place: Place, words: list[str]) -> list[str]:
    """What a document leaves to its reader: a link's name, a file's; and where the command needs a warehouse of its
    own, that."""
    match words:
        case ["init", path, *_]:
            Path(path).unlink(missing_ok=True)
        case ["restore", path]:
            if "postgresql" not in place.environment["JEJAK_WAREHOUSE_URL"]:
                place.environment["JEJAK_WAREHOUSE_URL"] = f"sqlite:///{place.folder}/data/restored.db"
            if not Path(path).exists():
                return ["restore", str(max(Path(path).parent.glob("jejak-*.zip")))]
        case ["migrate", "--analyst", *_]:
            place.environment["JEJAK_WAREHOUSE_URL"] = place.postgresql
        case ["links", action, "LINK", *more]:
            place.link = place.link or place.values(select(t.link.c.id).where(t.link.c.status == "pending"))[0]
            return ["links", action, place.link, *more]
        case ["void", _, path, *more] if "1234567" in path:
            suppliers = [
                (record["ocid"], party["id"])
                for record in place.values(select(t.record.c.compiled))
                for party in record["parties"]
                if "supplier" in party["roles"]
            ]
            ocid, party = suppliers[0]
            return ["void", ocid, path.replace("JEJAK-PENYEDIA-1234567", party), *more]
    return words


def serves(place: Place, name: str, words: list[str]) -> None:
    """A command that serves until Ctrl-C, on a free port: it answers, and then it ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [word.replace("8765", port) for word in words] if "--serve" in words else [*words, "--port", port]
    kept = {each: value for each, value in os.environ.items() if not each.startswith("JEJAK")}
    with subprocess.Popen(
        [sys.executable, "-m", "commands.main", name, *words],
        env={**kept, **place.environment, "PYTHONPATH": str(place.folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(("A regency of", "The desk is open"))
        for _ in within(60, name):
            with suppress(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/health", timeout=30)
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)


def draft_taken(place: Place, drafted: str) -> None:
    """What docs/configure.md then says: the draft in the place of the section, and each heading that says nothing."""
    path = Path(place.environment["JEJAK_SETTINGS"])
    key = SOURCES["simpen"].services["SIMPEN-Pekerjaan"].key[0]
    columns = tomllib.loads(drafted)["sources"]["simpen"]["services"]["SIMPEN-Pekerjaan"]["columns"]
    text = drafted if key in columns else with_key(drafted, key, place.headings[key])
    before, _, _ = path.read_text().partition('\n[sources.simpen.services."SIMPEN-Pekerjaan"]')
    path.write_text(f"{before}\n{text}")


def test_both_promised_commands_are_shown() -> None:
    assert {"make run", "make test"} <= set(commands("README.md"))


def test_commands_that_no_test_runs_are_few() -> None:
    shown = [line for name in DOCUMENTS for line in commands(name) if "# not run: " in line]
    assert sorted(shown) == sorted(NOT_RUN)
    assert len(NOT_RUN) <= 10


# Put together from parts; tests/test_settings.py has them.
PUT_TOGETHER = {"is no setting; did you mean", "no service of"}


def test_messages_of_troubleshooting_are_those_of_the_code() -> None:
    code = "\n".join(path.read_text() for path in TEXTS if path.suffix == ".py" and "tests" not in path.parts)
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a text over several lines
    rows = (ROOT / "docs" / "troubleshooting.md").read_text().splitlines()
    shown = [message for row in rows if row[:2] == "| " for message in re.findall("`([^`]+)`", row.split("|")[1])]
    parts = {part.strip() for message in shown for part in re.split(r"\.\.\.|NAME|FILE|\d{3}", message)}
    assert len(parts) > 20
    assert {part for part in parts if part.strip("?") and part not in code} == PUT_TOGETHER
