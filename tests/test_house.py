"""The rules of the house: who may import whom, what a source must have, and that the documents tell the truth."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from commands import main as cli
from pipeline.registry import SOURCES

ROOT = Path(__file__).resolve().parent.parent
# Whom the modules of each folder may import, apart from their own folder and libraries.
ARROWS = {
    "schemas": set(),
    "connectors": {"schemas"},
    "transforms": {"schemas"},
    "warehouse": {"schemas"},
    "simulator": {"schemas"},
    "pipeline": {"schemas", "connectors", "transforms", "warehouse"},
    "reports": {"schemas", "connectors", "transforms", "warehouse", "pipeline", "simulator"},
    "desk": {"schemas", "transforms", "warehouse", "pipeline", "reports"},
    "commands": {"schemas", "transforms", "warehouse", "pipeline", "reports", "simulator", "desk"},
    "dags": {"pipeline", "reports", "schemas", "desk"},
    "deploy": {"pipeline"},
}
FILES = sorted(path for folder in ARROWS for path in (ROOT / folder).rglob("*.py"))
# What reads the outside: a database, the network, another process, the clock.
OUTSIDE = {
    "alembic",
    "http",
    "psycopg",
    "random",
    "requests",
    "secrets",
    "socket",
    "sqlalchemy",
    "subprocess",
    "time",
    "urllib",
}
TEXTS = [
    path
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (path := ROOT / name).is_file()
]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(str(node.module).partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows(path):
    folder = path.relative_to(ROOT).parts[0]
    ours = imported(path) & ARROWS.keys()
    assert ours <= ARROWS[folder] | {folder}
    assert folder == "dags" or "airflow" not in imported(path)


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.relative_to(ROOT).parts[0] in ("schemas", "transforms")],
    ids=lambda p: p.stem,
)
def test_schemas_and_transforms_are_pure(path):
    assert not imported(path) & OUTSIDE
    clock = {"now", "utcnow", "today"}
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    assert not [call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in clock]


@pytest.mark.parametrize("source", SOURCES)
def test_source_is_whole(source):
    for place in (f"schemas/{source}.py", f"connectors/{source}.py", f"transforms/{source}.py"):
        assert (ROOT / place).is_file()
    assert (ROOT / "transforms" / "codes" / f"{source}.csv").is_file()
    services = SOURCES[source].services
    assert services
    mapping = SOURCES[source].mapping
    assert mapping.name == source
    assert mapping.mappers
    assert set(mapping.mappers) <= set(services)
    assert f"[sources.{source}]" in (ROOT / "settings" / "simulator.toml").read_text()
    assert f"| `{source}` |" in (ROOT / "README.md").read_text()


def test_no_registry_is_named():
    places = [PyPI.netloc, PyPI.file_storage_domain]
    for listing in (*Path("/etc/apt").rglob("*.list"), *Path("/etc/apt").rglob("*.sources")):
        places += re.findall(r"https?://([\w.-]+)", listing.read_text())
    named = {path.name: place for path in TEXTS for place in places if place in path.read_text(errors="ignore")}
    assert not named


def test_no_personal_paths():
    personal = re.compile(r"(?<![\w.$}~-])/(?:home|root|Users|work|tmp)/\w")
    found = {path.name: personal.findall(path.read_text(errors="ignore")) for path in TEXTS}
    assert not {name: paths for name, paths in found.items() if paths}


def commands() -> list[str]:
    """The commands of the documents' console blocks."""
    blocks = [
        block
        for name in DOCUMENTS
        for block in re.findall(r"^```console\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)
    ]
    lines = {line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")}
    return sorted(line for line in lines if "# not run: " not in line)


@pytest.mark.parametrize("command", commands())
def test_documented_command_exists(command, capsys):
    words = command.partition("  #")[0].split()
    match words[0]:
        case "make":
            targets = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert words[1] in targets
        case ".venv/bin/jejak":
            action = words[1:3] if words[1] in ("links", "codes") else words[1:2]
            with pytest.raises(SystemExit) as ended:
                cli.main([*action, "--help"])
            assert ended.value.code == 0
            known = capsys.readouterr().out
            assert not [word for word in words if word.startswith("--") and word not in known]
        case ".venv/bin/python":
            module = ROOT / words[2].replace(".", "/")
            assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
        case "export":
            name, _, value = words[1].partition("=")
            assert name.startswith("JEJAK_")
            if name == "JEJAK_SETTINGS":
                assert (ROOT / value).is_file() or f".venv/bin/jejak init {value}" in commands()
        case _:
            pytest.fail(f"a console block shows a command that no test knows: {command}")


@pytest.mark.parametrize("document", [*DOCUMENTS, "deploy/README.md"])
def test_what_documents_link_to_is_there(document):
    text = (ROOT / document).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert not [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]


# Shown, and neither run nor known to a test, each with its reason in the document.
NOT_RUN = ["git pull    # not run: a test has no remote"]


def test_commands_that_no_test_knows_are_few():
    shown = [line for name in DOCUMENTS for line in (ROOT / name).read_text().splitlines() if "# not run: " in line]
    assert [line.removeprefix("$ ") for line in shown] == NOT_RUN
    assert len(NOT_RUN) <= 10


def test_both_promised_commands_are_shown():
    assert {"make run", "make test"} <= set(commands())
