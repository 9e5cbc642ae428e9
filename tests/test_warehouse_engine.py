"""Opening, transactions, JSON and migrations, on both databases."""

import json
import logging
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from pipeline import steps
from pipeline.fetch import _CurrentRow
from schemas.errors import SettingsError
from schemas.settings import Settings
from warehouse.engine import (
    alembic_config,
    from_json,
    migrate,
    open_warehouse,
    reading,
    to_json,
    writing,
)
from warehouse.load import insert_rows
from warehouse.tables import VERSION_TABLE, metadata, raw_record, run
from warehouse.views import drop_views, view_metadata

RUN = {"id": "r1", "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
ROW = {
    "source": "lpse", "service": "S", "scope": "2025", "key": "1", "code": "1", "content_hash": "h", "wire_hash": "w",
    "observed_at": "2025-01-01T00:00:00Z", "run_id": "r1", "payload": {"secret": "3201011234567890"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/db", "can't be a mysql database"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("data/jejak.db", "can't be read"),
    ],
)
def test_a_warehouse_that_cannot_be_is_refused_with_its_remedy(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        open_warehouse(url)


def test_an_unreadable_url_does_not_show_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        open_warehouse("postgresql//user:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg_and_keeps_its_password_to_itself(scheme: str) -> None:
    engine = open_warehouse(f"{scheme}://user:hunter2@host/db")
    assert engine.dialect.driver == "psycopg"
    assert "hunter2" not in repr(engine)
    assert engine.url.password == "hunter2"


def test_a_sqlite_file_is_made_with_its_folder_and_is_nobody_elses(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path}/new/folder/jejak.db")
    folder = tmp_path / "new" / "folder"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "jejak.db").stat().st_mode & 0o777 == 0o600
    migrate(engine)
    assert (folder / "jejak.db").exists()
    engine.dispose()


def test_an_exception_leaves_nothing_behind(warehouse: Engine) -> None:
    def fail() -> None:
        with writing(warehouse) as conn:
            conn.execute(insert(run), RUN)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(warehouse) as conn:
        assert conn.scalar(select(func.count()).select_from(run)) == 0


def test_readers_do_not_wait_for_a_writer_and_keep_their_state(warehouse: Engine) -> None:
    count = select(func.count()).select_from(run)
    with writing(warehouse) as writer:
        writer.execute(insert(run), RUN)
        with reading(warehouse) as reader:
            assert reader.scalar(count) == 0
    with reading(warehouse) as reader:
        assert reader.scalar(count) == 1
        with writing(warehouse) as writer:
            writer.execute(insert(run), {**RUN, "id": "r2"})
        assert reader.scalar(count) == 1
    with reading(warehouse) as reader:
        assert reader.scalar(count) == 2


def test_reading_cannot_write_and_leaves_the_connection_able_to(warehouse: Engine) -> None:
    with pytest.raises(DBAPIError), reading(warehouse) as conn:
        conn.execute(insert(run), RUN)
    with writing(warehouse) as conn:
        conn.execute(insert(run), RUN)


def test_a_second_writer_waits_for_its_turn(warehouse: Engine) -> None:
    """Two threads that read and then write; on PostgreSQL the second waits for the row, on SQLite for the file."""
    entered, done = threading.Event(), []

    def second() -> None:
        entered.wait()
        with writing(warehouse) as conn:
            conn.execute(text("UPDATE run SET message = message || 'b'"))
            done.append("second")

    with writing(warehouse) as conn:
        conn.execute(insert(run), {**RUN, "message": ""})
    thread = threading.Thread(target=second)
    thread.start()
    with writing(warehouse) as conn:
        conn.execute(select(run)).all()
        conn.execute(text("UPDATE run SET message = message || 'a'"))
        entered.set()
        thread.join(0.3)
        assert thread.is_alive()
        done.append("first")
    thread.join(30)
    assert done == ["first", "second"]
    with reading(warehouse) as conn:
        assert conn.scalar(select(run.c.message)) == "ab"


def test_references_are_enforced(warehouse: Engine) -> None:
    with pytest.raises(IntegrityError), writing(warehouse) as conn:
        conn.execute(insert(raw_record), ROW)


def test_errors_and_logs_show_no_value_of_a_row(warehouse: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sqlalchemy")
    with writing(warehouse) as conn:
        conn.execute(insert(run), RUN)
    broken: list[Callable[[Any], object]] = [
        lambda conn: conn.execute(insert(raw_record), {**ROW, "key": None, "code": "3201011234567890"}),
        lambda conn: conn.execute(insert(run), {**RUN, "message": "3201011234567890"}),
        lambda conn: insert_rows(conn, raw_record, [{**ROW, "key": None, "code": "3201011234567890"}]),
    ]
    for fails in broken:
        with pytest.raises(Exception, match=r"null|NULL|UNIQUE|unique") as caught, writing(warehouse) as conn:
            fails(conn)
        error: BaseException | None = caught.value
        while error is not None:
            assert "3201011234567890" not in str(error)
            error = error.__cause__
    assert "3201011234567890" not in caplog.text


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_json_text_gives_back_what_was_put_in(value: object) -> None:
    assert from_json(to_json(value)) == value
    assert from_json(to_json(value).encode()) == value
    assert json.loads(to_json(value)) == value


def test_payloads_come_back_as_they_were(warehouse: Engine) -> None:
    payload = {"z": 1, "a": [None, True, "é", 1.5], "huge": 10**30, "lone": "\ud800", "nul": "\0", "empty": ""}
    with writing(warehouse) as conn:
        conn.execute(insert(run), RUN)
        insert_rows(conn, raw_record, [{**ROW, "payload": payload}])
        conn.execute(insert(raw_record), {**ROW, "payload": payload})
    with reading(warehouse) as conn:
        for found in conn.scalars(select(raw_record.c.payload)):
            assert found == payload
            assert list(found) == list(payload)


# ---------------------------------------------------------------------------------------------------------- migrations


def _differences(engine: Engine) -> list[object]:
    with reading(engine) as conn:
        options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(conn, opts=options)
        return list(compare_metadata(context, metadata))


def test_migrations_lead_to_the_tables_of_the_code_and_back(empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    migrate(engine)
    migrate(engine)
    assert _differences(engine) == []
    for view in view_metadata.sorted_tables:
        found = [column["name"] for column in inspect(engine).get_columns(view.name)]
        assert found == [column.name for column in view.columns]
    with writing(engine) as conn:
        drop_views(conn)
        command.downgrade(alembic_config(conn), "base")
    inspector = inspect(engine)
    assert set(inspector.get_table_names()) <= {VERSION_TABLE}
    assert inspector.get_view_names() == []
    engine.dispose()


def _start(url: str) -> list[str]:
    settings = Settings(name="Uji", ocid_prefix="ocds-000000", kd_klpd="D999", kd_lpse="999", warehouse_url=url)
    return [steps.start_run(settings, "sync") for _ in range(5)]


def test_runs_that_start_at_once_are_numbered_in_the_order_of_their_start(empty_url: str) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        started = pool.map(_start, [empty_url] * 4, chunksize=1)
    engine = open_warehouse(empty_url)
    with reading(engine) as conn:
        numbers = dict(conn.execute(select(run.c.id, run.c.number)).all())
    assert sorted(numbers.values()) == list(range(1, 21))
    for names in started:
        assert names == sorted(names, key=lambda name: numbers[name])
    engine.dispose()


def test_indexes_are_those_of_the_code(empty_url: str) -> None:
    """Alembic compares neither conditions of partial indexes nor the order of their columns."""
    engine = open_warehouse(empty_url)

    def indexes() -> set[str]:
        query = {
            "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "
            f"AND tablename <> '{VERSION_TABLE}'",
        }[engine.dialect.name]
        with reading(engine) as conn:
            return set(conn.scalars(text(query)))

    migrate(engine)
    migrated = indexes()
    with writing(engine) as conn:
        drop_views(conn)
        command.downgrade(alembic_config(conn), "base")
        metadata.create_all(conn)
    assert migrated == indexes()
    engine.dispose()


def _migrate(url: str) -> None:
    migrate(open_warehouse(url))


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_migrate, [empty_url] * 8, chunksize=1)
    engine = open_warehouse(empty_url)
    assert _differences(engine) == []
    engine.dispose()


def test_a_warehouse_of_a_newer_jejak_is_left_alone(empty_url: str) -> None:
    engine = open_warehouse(empty_url)
    migrate(engine)
    with writing(engine) as conn:
        conn.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"9999.*install the newer Jejak"):
        migrate(engine)
    engine.dispose()


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_a_quiet_night_reads_no_payload(warehouse: Engine) -> None:
    """What is known of a place comes from an index alone; what is known of older times, and the rows of a code, by one.

    SQLite uses a partial index only where the query has its very condition.
    """
    columns = raw_record.c
    place = (columns.source == "lpse", columns.service == "S", columns.scope == "2025")
    known = [columns[name] for name in _CurrentRow._fields]
    queries = {
        "USING COVERING INDEX raw_record_current": select(*known).where(*place, columns.current),
        "USING INDEX raw_record_key": select(columns.content_hash).where(*place, columns.key == "1", ~columns.current),
        "USING INDEX raw_record_code": select(raw_record).where(
            columns.kind == "rup", columns.code == "1", columns.current
        ),
    }
    with reading(warehouse) as conn:
        for used, query in queries.items():
            sql = query.compile(warehouse, compile_kwargs={"literal_binds": True})
            assert used in " ".join(row.detail for row in conn.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
