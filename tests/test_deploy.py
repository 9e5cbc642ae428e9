"""The example of a deployment: what it says must exist in Airflow and in Jejak."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import cli
from pipeline.registry import SOURCES

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VARIABLE = re.compile(r"\bAIRFLOW__[A-Z_]+?__[A-Z0-9_]+\b")
# Of providers that are installed only where they are used; their names were read in FAB 3.10.2 and Keycloak 0.11.2.
ELSEWHERE = {"FAB", "KEYCLOAK_AUTH_MANAGER"}

# What Airflow knows: the options of its configuration, and whether it takes commands.
ASK = """
import json, sys
from airflow.configuration import conf
from airflow.cli.cli_parser import get_parser
from airflow.providers_manager import ProvidersManager

options = dict(conf.configuration_description)
for _, section in ProvidersManager().provider_configs:
    options |= section
for command in json.loads(sys.argv[1]):
    get_parser().parse_args(command)
names = [f"AIRFLOW__{section}__{option}" for section in options for option in options[section]["options"]]
print(json.dumps([name.upper() for name in names]))
"""


def commands() -> list[list[str]]:
    """The commands of the services, each a list of words."""
    found = []
    for service in COMPOSE["services"].values():
        words = service.get("command", [])
        parts = words[2].split(" && ") if words[:2] == ["bash", "-c"] else [" ".join(words)]
        found += [part.split() for part in parts]
    return found


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The variables that Airflow reads; it must take every command of the services too."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= dict(line.split("=", 1) for line in lines("airflow.env"))
    environment["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    asked = json.dumps([words[1:] for words in commands() if words and words[0] == "airflow"])
    done = subprocess.run([sys.executable, "-c", ASK, asked], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return set(json.loads(done.stdout.splitlines()[-1]))


def lines(name: str) -> list[str]:
    """The lines of a file of variables."""
    return [line for line in (DEPLOY / name).read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("path", [*sorted(DEPLOY.glob("*")), DEPLOY / ".env.example", ROOT / "dags" / "airflow.env"])
def test_airflow_reads_every_variable(path, known):
    named = {name for name in VARIABLE.findall(path.read_text()) if name.split("__")[1] not in ELSEWHERE}
    assert named <= known


def test_commands_exist(capsys):
    assert ["airflow", "db", "migrate"] in commands()
    for words in commands():
        match words:
            case ["python", "-m", module]:
                assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()
            case ["jejak", action]:
                with pytest.raises(SystemExit) as ended:
                    cli.main([action, "--help"])
                assert ended.value.code == 0
            case ["airflow" | "redis-server", *_] | []:
                pass
            case _:
                pytest.fail(f"a command that no test knows: {words}")


def test_parts_wait_for_parts_that_exist():
    services: dict[str, Any] = COMPOSE["services"]
    assert {"api-server", "scheduler", "dag-processor", "triggerer", "worker"} <= services.keys()
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith("${") or (DEPLOY / source).is_file()


def test_secrets_are_named_and_none_is_given():
    example = (DEPLOY / ".env.example").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert wanted <= {line.partition("=")[0] for line in lines(".env.example")}
    given = dict(
        line.removeprefix("# ").split("=", 1) for line in example.splitlines() if re.match(r"(# )?[A-Z_]+=", line)
    )
    assert {name: value for name, value in given.items() if value} == {"JEJAK_SETTINGS": given["JEJAK_SETTINGS"]}
    assert (ROOT / given["JEJAK_SETTINGS"]).is_file()
    assert {f"AIRFLOW_CONN_JEJAK_{name.upper()}" for name in SOURCES} <= given.keys()
