"""What takes its place whole: no kill leaves a mixture, and nothing of what was killed stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from warehouse import whole
from warehouse.whole import replacing, staging

REPOSITORY = Path(__file__).parents[1]
# Exports of the same two files again and again, each with a number of its own in both.
EXPORTS = """
import itertools, pathlib, sys
from warehouse.whole import replacing
for number in itertools.count():
    with replacing(pathlib.Path(sys.argv[1])) as folder:
        for name in "ab":
            (folder / name).write_text(str(number))
"""


def write(folder: Path, *names: str, text: str = "new") -> None:
    with replacing(folder) as part:
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_and_its_files_are_their_owners(tmp_path: Path) -> None:
    write(tmp_path / "new" / "out", "a", "deep/b")
    out = tmp_path / "new" / "out"
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (out / "a", out / "deep" / "b")} == {0o600}
    # Whom its owner lets in stays in.
    out.chmod(0o750)
    write(out, "a", "deep/b")
    assert out.stat().st_mode & 0o777 == 0o750


def test_a_folder_that_holds_nothing_else_is_replaced_in_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "out", "a", "b", text="old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", None)
        write(tmp_path / "out", "a", "b", "c")
    assert content(tmp_path / "out") == dict.fromkeys("abc", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_else_a_folder_holds_stays(tmp_path: Path) -> None:
    write(tmp_path / "out", "a", "year=2024/b", text="old")
    write(tmp_path / "out", "a", "year=2025/b")
    assert content(tmp_path / "out") == {"a": "new", "year=2024/b": "old", "year=2025/b": "new"}


def test_a_system_that_cannot_exchange_folders_moves_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "out", "a", text="old")

    def refuse(one: Path, other: Path) -> None:
        raise OSError

    monkeypatch.setattr(whole, "_exchange", refuse)
    write(tmp_path / "out", "a", "b")
    assert content(tmp_path / "out") == {"a": "new", "b": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_who_stands_in_the_folder_goes_on_standing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "out", "a", text="old")
    monkeypatch.chdir(tmp_path / "out")
    write(Path(), "a")
    assert Path("a").read_text() == "new"


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "a", text="old")

    def fail() -> None:
        with replacing(tmp_path) as part:
            (part / "a").write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert content(tmp_path) == {"a": "old"}


def test_who_is_still_at_work_keeps_its_files(tmp_path: Path) -> None:
    with staging(tmp_path) as part:
        write(tmp_path, "a")
        assert part.is_dir()
    assert content(tmp_path) == {"a": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_whenever_it_is_killed_all_files_are_of_one_export_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen = set()
    for number in range(12):
        process = subprocess.Popen([sys.executable, "-c", EXPORTS, out], cwd=REPOSITORY)
        before = content(out).get("a") if out.exists() else None
        while not out.exists() or not (found := content(out)) or found.get("a") == before:
            time.sleep(0.001)
        time.sleep(0.003 * number)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        found = {name: text for name, text in content(out).items() if not name.startswith(".")}
        assert found.keys() == {"a", "b"}
        assert found["a"] == found["b"]
        seen.add(found["a"])
    assert len(seen) > 1
    write(out, "a", "b")
    assert content(out) == {"a": "new", "b": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
