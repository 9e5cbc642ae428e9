"""A sixth source, added to a copy of the repository by what CONTRIBUTING names and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.dump import write_dumps
from simulator.world import World

ROOT = Path(__file__).parent.parent
GIVEN = Path(__file__).parent / "sixth_source"


def target(path: Path) -> str:
    """Where a file of `tests/sixth_source` goes: `schemas--padi.py` is schemas/padi.py."""
    return path.name.removesuffix(".add").replace("--", "/")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the sixth source in it."""
    root = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for path in GIVEN.iterdir():
        place = root / target(path)
        if path.suffix != ".add" and path.name != "README.md":
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    add(root)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # the tests of the house ask git for the files
    return root


def add(root: Path) -> None:
    """Add the lines of the `.add` files at the places that CONTRIBUTING names."""
    registry = root / "pipeline" / "registry.py"
    text = registry.read_text()
    for line in (GIVEN / "pipeline--registry.py.add").read_text().splitlines():
        if line.startswith("import "):
            folder = line.removeprefix("import ").partition(".")[0]
            text = re.sub(rf"(import {folder}\.musrenbang\n)", rf"\1{line}\n", text)
        else:
            text = re.sub(r"(?m)^(SOURCES: .* = \{\n)", rf"\1{line}\n", text)
    registry.write_text(text)
    owners = root / "transforms" / "codes" / "field_owners.csv"
    text = owners.read_text()
    for line in (GIVEN / "transforms--codes--field_owners.csv.add").read_text().splitlines():
        path, _, service = line.partition(": ")
        text = re.sub(rf"^({re.escape(path)},.*)$", rf"\1 {service}", text, flags=re.MULTILINE)
    owners.write_text(text)
    settings = root / "settings" / "simulator.toml"
    settings.write_text(settings.read_text() + (GIVEN / "settings--simulator.toml.add").read_text())
    readme = root / "README.md"
    line = (GIVEN / "README.md.add").read_text()
    readme.write_text(re.sub(r"(?m)^(\| `dokumen` \|.*\n)", lambda found: found[1] + line, readme.read_text()))


def run(root: Path, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JEJAK_")}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=root,
        env={**environment, "PYTHONPATH": str(root), **variables},
        capture_output=True,
        text=True,
    )


def test_only_the_files_that_contributing_names() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    section = guide[guide.index("## A sixth source") :].partition("\n## ")[0]
    for path in GIVEN.iterdir():
        if path.name != "README.md":
            assert target(path).replace("padi", "NAME") in section, path.name


def test_the_copy_passes_the_tests_of_a_source(copy: Path) -> None:
    tests = ("tests/test_registry.py", "tests/test_house.py")
    ended = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert ended.returncode == 0, ended.stdout


def test_without_one_of_its_parts_they_fail(copy: Path) -> None:
    codes = copy / "transforms" / "codes" / "padi.csv"
    kept = codes.read_text()
    codes.unlink()
    try:
        ended = run(
            copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_registry.py", "tests/test_house.py"
        )
        assert ended.returncode == 1
        assert "padi" in ended.stdout
    finally:
        codes.write_text(kept)


def test_it_is_synced_and_its_orders_join_the_package_that_they_name(copy: Path, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    world = World(20, seed=1)
    write_dumps(world, dumps)
    order = json.loads((GIVEN / "tests--rows--padi.json").read_text())["PaDi-Pesanan"][0]
    plan = next(plan for plan in world.plans if plan.kind == "rup" and plan.listed and plan.published)
    (dumps / "PaDi-Pesanan.json").write_text(json.dumps([order | {"kd_rup": str(plan.root)}]))
    variables = {
        "JEJAK_SETTINGS": "settings/simulator.toml",
        "JEJAK_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'jejak.db'}",
        "JEJAK_DUMPS": str(dumps),
        "JEJAK_SOURCES__SIRUP__TRANSPORT": "files",
    }
    ended = run(copy, "-m", "commands.main", "sync", "sirup", "padi", **variables)
    assert ended.returncode == 0, ended.stderr
    shown = run(copy, "-m", "commands.main", "show", "PD-90001", "--json", **variables)
    record = json.loads(shown.stdout)
    assert record["ocid"] == f"ocds-000000-rup-{plan.root}"
    assert record["planning"]
    assert [award["id"] for award in record["awards"]] == ["padi-PD-90001"]
    dags = run(copy, "-c", "from pipeline.registry import SOURCES; print(*SOURCES)")
    assert "padi" in dags.stdout.split()
