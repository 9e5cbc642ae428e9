"""Backups: made while others write, restored on either database, refused where that would lose something."""

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update

from pipeline.registry import SOURCES
from schemas.errors import StructureError
from tests.backups import FOLDER
from tests.worlds import CommandResult, EditedWorld, Lived, Town, contents, jejak, served
from warehouse import tables as t
from warehouse.backup import backup, head_of, restore
from warehouse.engine import open_warehouse, reading, writing

ABOUT = {"kd_klpd": "D999"}
ENDED = "2026-01-02T00:00:00Z"


def all_of(engine: Engine) -> dict[str, Any]:
    """Everything in a warehouse, runs with their numbers too."""
    with reading(engine) as conn:
        runs = [dict(row) for row in conn.execute(select(t.run).order_by(t.run.c.number)).mappings()]
    return {**contents(engine), "run": runs}


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    """A database without tables."""
    engine = open_warehouse(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def made(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a town that has lived a little."""
    folder = tmp_path_factory.mktemp("backups")
    result = lived.town.jejak("backup", folder / "town.zip", settings=lived.town.settings(systems=SOURCES))
    assert result.status == 0, result.err
    assert "It holds personal data" in result.out
    return folder / "town.zip"


def test_a_backup_is_its_owners_alone(made: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert [path.name for path in made.parent.iterdir()] == ["town.zip"]


def test_a_warehouse_comes_back_whole_and_goes_on(lived: Lived, made: Path, empty: Engine, tmp_path: Path) -> None:
    """From SQLite into SQLite and PostgreSQL, and from there back again."""
    town = lived.town
    url = empty.url.render_as_string(hide_password=False)
    settings = town.settings(systems=SOURCES, warehouse_url=url)
    result = town.jejak("restore", made, settings=settings)
    assert result.status == 0, result.err
    before = all_of(town.engine)
    assert all_of(empty) == before
    assert town.jejak("backup", tmp_path / "again.zip", settings=settings).status == 0
    again = f"sqlite:///{tmp_path}/again.db"
    settings_again = town.settings(systems=SOURCES, warehouse_url=again)
    assert town.jejak("restore", tmp_path / "again.zip", settings=settings_again).status == 0
    other = open_warehouse(again)
    assert all_of(other) == before
    other.dispose()
    # Nothing is new for a warehouse that came from a backup, and new rows get numbers of their own.
    result = town.jejak("sync", settings=settings)
    assert result.status == 0, result.err
    with reading(empty) as conn:
        last = select(func.max(t.run.c.number)).scalar_subquery()
        name = select(t.run.c.id).where(t.run.c.number == last).scalar_subquery()
        counts = conn.execute(select(t.run_service).where(t.run_service.c.run_id == name)).mappings().all()
    assert {row["source"] for row in counts} == set(SOURCES)
    assert sum(row["new"] + row["changed"] + row["gone"] for row in counts) == 0
    with writing(empty) as conn:
        highest = conn.scalar(select(func.max(t.reject.c.id)))
        row = dict(conn.execute(select(t.reject).limit(1)).mappings().one())
        del row["id"]
        number = conn.scalar(insert(t.reject).values(row).returning(t.reject.c.id))
        assert number == highest + 1


def test_a_backup_is_one_state_whatever_is_written_meanwhile(warehouse: Engine, tmp_path: Path) -> None:
    def run(number: int, status: str) -> dict[str, Any]:
        return {"id": f"r{number}", "number": number, "command": "sync", "started_at": ENDED, "status": status}

    with writing(warehouse) as conn:
        conn.execute(insert(t.run), [run(1, "success"), run(2, "running")])
        conn.execute(insert(t.identity), {"kind": "rup", "key": "1", "ocid": "ocds-000000-rup-1", "run_id": "r1"})
    before = all_of(warehouse)
    written: list[tuple[int, int]] = []

    def meanwhile(done: int, total: int) -> None:
        if not written:
            with writing(warehouse) as conn:
                conn.execute(insert(t.run), run(3, "running"))
                conn.execute(delete(t.identity))
            written.append((done, total))

    with reading(warehouse) as conn:
        assert backup(conn, tmp_path / "one.zip", ABOUT, meanwhile) == 3
    assert written == [(1, 3)]
    assert all_of(warehouse) != before
    with writing(warehouse) as conn:
        restore(conn, tmp_path / "one.zip", ENDED, force=True)
    after = all_of(warehouse)
    assert after["run"][1] == before["run"][1] | {
        "status": "failed", "finished_at": ENDED, "message": "it was going on when the backup was made"
    }  # fmt: skip
    assert after["identity"] == before["identity"]


def test_a_restore_that_ends_midway_changes_nothing(made: Path, warehouse: Engine) -> None:
    with writing(warehouse) as conn:
        restore(conn, made, ENDED)
        conn.execute(update(t.run).values(command="mine"))
    before = all_of(warehouse)

    def stop(done: int, total: int) -> None:
        if done == total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), writing(warehouse) as conn:
        restore(conn, made, ENDED, force=True, seen=stop)
    assert all_of(warehouse) == before


def refused(town: Town, *arguments: object, **options: Any) -> str:
    result: CommandResult = town.jejak(
        *(str(each) for each in arguments), settings=town.settings(systems=SOURCES, **options)
    )
    assert (result.status, result.out) == (1, "")
    return result.err


def test_what_would_lose_something_is_refused(town: Town, made: Path, tmp_path: Path) -> None:
    assert town.jejak("sync").status == 0
    before = all_of(town.engine)
    assert "the warehouse is not empty" in refused(town, "restore", made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(tmp_path / "other.zip", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"kd_klpd": "D999"', b'"kd_klpd": "D107"'))
    assert "is a backup with kd_klpd D107" in refused(town, "restore", tmp_path / "other.zip")
    assert all_of(town.engine) == before
    result = town.jejak("restore", made, "--force", settings=town.settings(systems=SOURCES))
    assert result.status == 0, result.err
    assert all_of(town.engine) != before


def test_a_file_that_is_no_whole_backup_is_refused(town: Town, made: Path, tmp_path: Path) -> None:
    content = made.read_bytes()
    (tmp_path / "cut.zip").write_bytes(content[: len(content) // 2])
    (tmp_path / "other.zip").write_text("nothing")
    middle = len(content) // 2
    (tmp_path / "bit.zip").write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    for name, result in (("cut", "no whole backup"), ("other", "no whole backup"), ("bit", "is damaged")):
        assert result in refused(town, "restore", tmp_path / f"{name}.zip")
    assert "No such file" in refused(town, "restore", tmp_path / "none.zip")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(tmp_path / "newer.zip", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"revision": "', b'"revision": "9'))
    assert "the backup of a newer Jejak" in refused(town, "restore", tmp_path / "newer.zip")


def test_rows_that_do_not_come_in_as_they_were_are_noticed(made: Path, tmp_path: Path, file_url: str) -> None:
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(tmp_path / "lost.zip", "w") as new:
        for name in old.namelist():
            rows = old.read(name)
            new.writestr(name, rows.partition(b"\n")[2] if name == "identity.jsonl" else rows)
    engine = open_warehouse(file_url)
    with pytest.raises(StructureError, match=r"identity is not what .* holds of it"), writing(engine) as conn:
        restore(conn, tmp_path / "lost.zip", ENDED)
    with reading(engine) as conn:
        assert conn.scalar(select(func.count()).select_from(t.run)) == 0
    engine.dispose()


def test_the_newest_backups_of_a_folder_are_kept(lived: Lived, tmp_path: Path, monkeypatch: Any) -> None:
    settings = str(lived.town.settings(systems=SOURCES))
    (tmp_path / "jejak-D107-2026-01-01T000000Z.zip").write_text("another regency's")
    (tmp_path / ".jejak-part-killed").mkdir()
    (tmp_path / ".jejak-part-killed" / "town.zip").write_text("half a backup")
    for day in (1, 2, 3):
        monkeypatch.setenv("JEJAK_NOW", f"2026-01-0{day}T18:00:00Z")
        assert jejak("backup", tmp_path, "--keep", 2, "--settings", settings).status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "jejak-D107-2026-01-01T000000Z.zip",
        "jejak-D999-2026-01-02T180000Z.zip",
        "jejak-D999-2026-01-03T180000Z.zip",
    ]
    with zipfile.ZipFile(tmp_path / "jejak-D999-2026-01-03T180000Z.zip") as archive:
        head = json.loads(archive.read("backup.json"))
    assert (head["name"], head["made_at"]) == ("Pemerintah Kabupaten Rekaan", "2026-01-03T18:00:00Z")
    assert "--keep is about the backups of a folder" in jejak(
        "backup", tmp_path / "one.zip", "--keep", 2, "--settings", settings
    ).err  # fmt: skip


def test_there_is_nothing_to_back_up_before_the_first_sync(empty_url: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("JEJAK_WAREHOUSE_URL", empty_url)
    result = jejak("backup", tmp_path / "x.zip", "--settings", "settings/simulator.toml")
    assert (result.status, "there is no warehouse to back up yet" in result.err) == (1, True)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.zip")), ids=lambda path: path.stem)
def test_a_backup_of_each_version_is_restored_and_goes_on(path: Path, empty: Engine, tmp_path: Path) -> None:
    with writing(empty) as conn:
        rows = restore(conn, path, ENDED)
    assert rows == sum(table["rows"] for table in head_of(path)["tables"].values())
    before = all_of(empty)
    assert before["record"]
    with served(EditedWorld(10, seed=3), tmp_path, empty.url.render_as_string(hide_password=False), simda=True) as town:
        town.next_day(0.2)
        settings = town.settings(systems=SOURCES)
        town.sync(settings=settings)
        after = contents(town.engine)
    assert after["identity"] == before["identity"]
    assert len(after["record"]) == len(before["record"])
