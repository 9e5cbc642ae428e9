"""The rules of the house: who may import whom, what a source must have, and that the documents tell the truth."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

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
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "deploy/README.md"),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]


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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_documents_link_to_is_there(document):
    text = (ROOT / document).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert not [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]
