"""What takes its place whole: no kill leaves a mixture, and nothing of what was killed stays."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from warehouse import whole
from warehouse.whole import replacing, replacing_file, staging

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
KILLED = """
import os, pathlib, signal, sys
from warehouse.whole import replacing_file
with replacing_file(pathlib.Path(sys.argv[1])) as new:
    new.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write(folder: Path, *names: str, text: str = "new") -> None:
    with replacing(folder) as part:
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def access(path: Path) -> tuple[int, int]:
    """The group and the mode."""
    return path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)


def let_in(path: Path, mode: int) -> tuple[int, int]:
    """As an owner does it, who gives it to a group of theirs; root has all groups."""
    os.chown(path, -1, os.getgroups()[-1] if os.geteuid() else 1)
    path.chmod(mode)
    return access(path)


# Files that no longer are in a new export, so that each is moved by itself.
@pytest.mark.parametrize("others", [(), ("c",)])
def test_a_folder_and_its_files_are_their_owners(tmp_path: Path, others: tuple[str, ...]) -> None:
    out = tmp_path / "new" / "out"
    write(out, "a", "deep/b", *others)
    assert {access(path)[1] for path in (out, out / "deep")} == {0o700}
    assert {access(path)[1] for path in (out / "a", out / "deep" / "b")} == {0o600}
    # Whom its owner lets in stays in.
    opened = {out / name: let_in(out / name, mode) for name, mode in (("", 0o750), ("a", 0o640), ("deep", 0o755))}
    write(out, "a", "deep/b", "d")
    assert {path: access(path) for path in opened} == opened
    assert {access(path)[1] for path in (out / "deep" / "b", out / "d")} == {0o600}


def test_who_is_of_another_group_is_not_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "out", "a")
    let_in(tmp_path / "out" / "a", 0o664)

    def refuse(path: Path, user: int, group: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "chown", refuse)
    write(tmp_path / "out", "a")
    assert access(tmp_path / "out" / "a")[1] == 0o604


def test_a_file_is_its_owners(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.csv"
    with replacing_file(out) as new:
        new.write_text("old")
    assert access(out)[1] == 0o600
    opened = let_in(out, 0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(out)
    with replacing_file(link) as new:
        new.write_text("new")
        assert out.read_text() == "old"
    assert out.read_text() == "new"
    assert access(out) == opened
    assert link.is_symlink()
    assert content(tmp_path) == {"link.csv": "new", "new/out.csv": "new"}


def test_what_is_no_file_is_written_into(tmp_path: Path) -> None:
    read, write_end = os.pipe()
    with replacing_file(Path(f"/dev/fd/{write_end}")) as new:
        new.write_text("new")
    assert os.read(read, 10) == b"new"
    os.close(read)
    os.close(write_end)


def test_a_file_whose_writer_is_killed_is_the_earlier_one(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    process = subprocess.run([sys.executable, "-c", KILLED, out], cwd=REPOSITORY, check=False)
    assert process.returncode == -signal.SIGKILL
    assert out.read_text() == "old"
    with pytest.raises(ZeroDivisionError), replacing_file(out) as new:  # noqa: PT012
        new.write_text("half")
        raise ZeroDivisionError
    # What the killed one has left is gone too.
    assert content(tmp_path) == {"out.csv": "old"}
    assert list(tmp_path.iterdir()) == [out]


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


def test_a_folder_that_another_removes_before_it_is_held_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make, lock = tempfile.mkdtemp, fcntl.flock

    def make_and_remove(**where: Any) -> str:
        made.append(make(**where))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    def lock_and_remove(folder: int, how: int) -> None:
        lock(folder, how)
        if len(made) == 2:
            os.rmdir(made[1])

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_remove)
    monkeypatch.setattr(fcntl, "flock", lock_and_remove)
    write(tmp_path, "a")
    assert len(made) == 3
    assert content(tmp_path) == {"a": "new"}


def test_what_others_call_a_part_stays(tmp_path: Path) -> None:
    for folder in (tmp_path / ".part-1", tmp_path / "out" / ".part-2"):
        folder.mkdir(parents=True)
        (folder / "theirs").touch()
    write(tmp_path / "out", "a")
    assert content(tmp_path) == {".part-1/theirs": "", "out/.part-2/theirs": "", "out/a": "new"}


def number_in(out: Path) -> str | None:
    """What is in a file that another process replaces meanwhile."""
    with suppress(FileNotFoundError):
        return (out / "a").read_text()
    return None


def test_whenever_it_is_killed_all_files_are_of_one_export_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen = set()
    for number in range(12):
        before = number_in(out)
        process = subprocess.Popen([sys.executable, "-c", EXPORTS, out], cwd=REPOSITORY)
        while number_in(out) in (None, before):
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
