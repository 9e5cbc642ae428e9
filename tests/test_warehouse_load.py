"""Bulk writes, on both databases; several processes that write at once."""

import multiprocessing
from collections.abc import Iterator
from datetime import date, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select

from warehouse.engine import open_warehouse, reading, writing
from warehouse.load import delete_by, insert_rows, key_set, of_codes, upsert_rows
from warehouse.tables import (
    contracting_process,
    document,
    pending_code,
    pending_link,
    plan_fact,
    progress,
    raw_record,
    record,
    run,
    signal,
)

RUN = {"id": "r1", "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}


def raw_rows(keys: Iterator[int] | range, **changed: Any) -> Iterator[dict[str, Any]]:
    for key in keys:
        yield {
            "source": "lpse", "service": "S", "scope": "2025", "key": str(key), "kind": "tender", "code": str(key),
            "content_hash": f"h{key}", "wire_hash": "w", "observed_at": "2025-01-01T00:00:00Z", "run_id": "r1",
            "payload": {"kd_tender": key, "nama_paket": "jalan\tdesa\n\\N"}, **changed,
        }  # fmt: skip


@pytest.fixture
def loaded(warehouse: Engine) -> Engine:
    with writing(warehouse) as conn:
        conn.execute(insert(run), RUN)
    return warehouse


def test_rows_of_codes_are_those_of_both_kind_and_code(warehouse: Engine) -> None:
    there = [("rup", "1"), ("rup", "2"), ("swk", "1"), ("swk", '"é", | {1}')]
    asked = {("rup", "1"), ("swk", '"é", | {1}'), ("swk", "2"), ("tender", "1")}
    columns = pending_code.c
    with writing(warehouse) as conn:
        insert_rows(conn, pending_code, [{"kind": k, "code": c, "source": "lpse", "token": "t"} for k, c in there])
    with reading(warehouse) as conn:
        for codes in (asked, set()):
            query = select(columns.kind, columns.code).where(of_codes(conn, columns.kind, columns.code, codes))
            assert {tuple(row) for row in conn.execute(query)} == codes & set(there)


def test_rows_arrive_whole_and_take_defaults(loaded: Engine) -> None:
    with writing(loaded) as conn:
        assert insert_rows(conn, raw_record, raw_rows(range(1234))) == 1234
    with reading(loaded) as conn:
        rows = conn.execute(select(raw_record).order_by(raw_record.c.id)).all()
    assert [row.payload["kd_tender"] for row in rows] == list(range(1234))
    assert {(row.gone, row.current) for row in rows} == {(False, True)}
    assert rows[7].payload == {"kd_tender": 7, "nama_paket": "jalan\tdesa\n\\N"}


def test_no_rows_are_no_work(loaded: Engine) -> None:
    with writing(loaded) as conn:
        assert insert_rows(conn, raw_record, []) == 0
        assert upsert_rows(conn, pending_link, iter(())) == 0
        assert delete_by(conn, pending_link, pending_link.c.code, []) == 0


def test_rows_of_one_insert_have_the_same_columns(loaded: Engine) -> None:
    rows = [*raw_rows(range(1)), *raw_rows(range(1, 2), gone=True)]
    with pytest.raises(ValueError, match="gone"), writing(loaded) as conn:
        insert_rows(conn, raw_record, rows)
    with pytest.raises(KeyError), writing(loaded) as conn:
        insert_rows(conn, raw_record, raw_rows(range(1), colour="red"))
    with reading(loaded) as conn:
        assert conn.scalar(select(func.count()).select_from(raw_record)) == 0


def test_nothing_is_written_outside_a_transaction(loaded: Engine) -> None:
    with loaded.connect() as conn, pytest.raises(RuntimeError, match="writing"):
        insert_rows(conn, raw_record, raw_rows(range(1)))


def test_an_upsert_inserts_replaces_and_lets_the_last_win(warehouse: Engine) -> None:
    row = {
        "source": "s", "service": "S", "field": "f", "value": "v", "kind": "code", "first_seen": "t1", "run_number": 1,
    }  # fmt: skip
    with writing(warehouse) as conn:
        upsert_rows(conn, signal, [{**row, "rows": 1, "last_seen": "t1"}, {**row, "rows": 2, "last_seen": "t2"}])
        upsert_rows(
            conn, signal, [{**row, "rows": 3, "last_seen": "t3"}, {**row, "value": "w", "rows": 4, "last_seen": "t3"}]
        )
        assert conn.execute(
            select(signal.c.value, signal.c.rows, signal.c.last_seen).order_by(signal.c.value)
        ).all() == [
            ("v", 3, "t3"),
            ("w", 4, "t3"),
        ]


def test_an_upsert_of_keys_alone_keeps_what_is_there(warehouse: Engine) -> None:
    with writing(warehouse) as conn:
        rows = [{"kind": "k", "code": code, "year": 0, "token": "t"} for code in "bab"]
        assert upsert_rows(conn, pending_link, rows) == 3
        assert conn.scalars(select(pending_link.c.code).order_by(pending_link.c.code)).all() == ["a", "b"]


def test_dates_and_amounts_keep_their_types(loaded: Engine) -> None:
    moment = datetime.fromisoformat("2025-01-31T23:59:59")
    with writing(loaded) as conn:
        insert_rows(
            conn, record, [{"ocid": "o", "compiled": {}, "releases": 1, "date": "d", "rows": b"", "run_id": "r1"}]
        )
        insert_rows(conn, contracting_process, [{"ocid": "o", "family": "o", "updated_at": "d"}])
        insert_rows(
            conn, document,
            [{"ocid": "o", "stage": "tender", "parent_id": "", "id": "1", "date": moment},
             {"ocid": "o", "stage": "tender", "parent_id": "", "id": "2", "date": None}],
        )  # fmt: skip
        insert_rows(
            conn, progress,
            [{"ocid": "o", "contract_id": "c", "metric_id": "m", "id": str(number), "date": day, "actual": amount}
             for number, (day, amount) in enumerate([(date(2025, 1, 1), 10**25), (None, 0.25), (None, 0)])],
        )  # fmt: skip
    with reading(loaded) as conn:
        assert conn.execute(select(document.c.date).order_by(document.c.id)).all() == [(moment,), (None,)]
        assert conn.execute(select(progress.c.date, progress.c.actual).order_by(progress.c.id)).all() == [
            (date(2025, 1, 1), 1e25),
            (None, 0.25),
            (None, 0),
        ]


def test_keys_have_no_limit_and_no_meaning(loaded: Engine) -> None:
    """More keys than either database takes parameters; text and numbers; quotes and braces."""
    with writing(loaded) as conn:
        insert_rows(conn, raw_record, raw_rows(range(3)))
        insert_rows(conn, raw_record, raw_rows(range(1), code='it\'s {a},"b"'))
        keys = [str(number) for number in range(1, 100_000)]
        found = select(raw_record.c.code).order_by(raw_record.c.code)
        assert conn.scalars(found.where(raw_record.c.code.in_(key_set(conn, keys)))).all() == ["1", "2"]
        joined = key_set(conn, {'it\'s {a},"b"', "nothing"}).subquery()
        assert conn.scalars(found.join(joined, joined.c.key == raw_record.c.code)).all() == ['it\'s {a},"b"']
        ids = conn.scalars(select(raw_record.c.id).order_by(raw_record.c.id)).all()
        assert delete_by(conn, raw_record, raw_record.c.id, ids[1:3]) == 2
        assert conn.scalars(found.where(raw_record.c.id.in_(key_set(conn, [], int)))).all() == []
    with reading(loaded) as conn:
        assert conn.scalars(found.where(raw_record.c.code.in_(key_set(conn, [*keys[:2], "0"])))).all() == ["0"]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
        st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        max_size=8,
    )
)
def test_any_text_survives_every_way_in(warehouse: Engine, texts: dict[str, str | None]) -> None:
    def rows(prefix: str) -> list[dict[str, Any]]:
        return [{**RUN, "id": prefix + key, "number": next(numbers), "message": text} for key, text in texts.items()]

    numbers = count(1)

    with writing(warehouse) as conn:
        conn.execute(run.delete())
        insert_rows(conn, run, rows("i"))
        upsert_rows(conn, run, rows("u"))
        found = dict(conn.execute(select(run.c.id, run.c.message)).all())
        assert found == {prefix + key: message for prefix in "iu" for key, message in texts.items()}
        assert delete_by(conn, run, run.c.id, ["i" + key for key in texts]) == len(texts)


# -------------------------------------------------------------------------------------------------------- concurrency

_WRITERS, _TRANSACTIONS, _ROWS = 4, 12, 50


def _write(job: tuple[str, int]) -> int:
    """Read, then write, as every step of the pipeline does."""
    url, writer = job
    engine, written = open_warehouse(url), 0
    for transaction in range(_TRANSACTIONS):
        with writing(engine) as conn:
            known = conn.scalar(select(func.count()).select_from(raw_record)) or 0
            first = (writer * _TRANSACTIONS + transaction) * _ROWS
            written += insert_rows(conn, raw_record, raw_rows(range(first, first + _ROWS)))
            upsert_rows(conn, pending_link, [{"kind": "k", "code": f"c{known % 7}", "year": 0, "token": "t"}])
    engine.dispose()
    return written


def test_processes_that_write_at_once_lose_nothing(loaded: Engine, warehouse_url: str) -> None:
    with multiprocessing.get_context("fork").Pool(_WRITERS) as pool:
        written = pool.map(_write, [(warehouse_url, writer) for writer in range(_WRITERS)], chunksize=1)
    assert sum(written) == _WRITERS * _TRANSACTIONS * _ROWS
    with reading(loaded) as conn:
        keys = conn.scalars(select(raw_record.c.key)).all()
        assert sorted(map(int, keys)) == list(range(_WRITERS * _TRANSACTIONS * _ROWS))


def test_facts_are_of_a_row_that_is_there(loaded: Engine) -> None:
    fact: dict[str, Any] = {"kind": "rup", "code": "1", "first_year": None, "inside": []}
    with writing(loaded) as conn:
        insert_rows(conn, raw_record, raw_rows(range(1)))
        row_id = conn.scalar(select(raw_record.c.id))
        insert_rows(conn, plan_fact, [fact | {"row_id": row_id}])
    with pytest.raises(Exception, match=r"FOREIGN KEY|foreign key"), writing(loaded) as conn:
        insert_rows(conn, plan_fact, [fact | {"row_id": -1}])
