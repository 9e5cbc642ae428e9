"""Exports, the data dictionary and the analysts' role."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, Engine, false, insert, select, text, update
from sqlalchemy.exc import ProgrammingError

from reports.extract import extract
from tests.official import needs_reference, package_validator
from tests.processes import whole
from warehouse import dictionary, export
from warehouse.engine import migrate, open_warehouse, reading, writing
from warehouse.load import insert_rows, upsert_rows
from warehouse.releases import packed
from warehouse.roles import ANALYST, ETL
from warehouse.star import star_rows, write_star
from warehouse.tables import (
    OPEN,
    PRIVATE,
    definition,
    evidence,
    metadata,
    record,
    release,
    run,
    supplier,
)
from warehouse.views import view_metadata

PACKAGE = {"version": "1.1", "publisher": {"name": "Kabupaten Contoh"}}
FILES = {"releases.jsonl", "compiled.jsonl", "records.jsonl", "rows.jsonl", "package.json"}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


SERVICES = {"SPSE-TenderPengumuman": "lpse"}


def version(code: str, day: int = 1) -> list[Any]:
    """A row version, as lineage names it."""
    return ["tender", code, "SPSE-TenderPengumuman", "2025", code, f"2025-01-0{day}T00:00:00Z"]


def add_release(
    conn: Connection, name: str, ocid: str, number: int, lineage: list[list[Any]], *, bare: bool = False, **more: Any
) -> None:
    body = {
        "ocid": ocid, "id": name, "date": f"2025-01-0{number}T00:00:00+07:00", "tag": ["tender"],
        "initiationType": "tender", "tender": {"id": "1", "title": "Jembatan é"},
    }  # fmt: skip
    insert_rows(
        conn, release,
        [{"id": name, "ocid": ocid, "number": number, "date": body["date"], "made_at": "2025-01-09T00:00:00Z",
          "tags": body["tag"], "body": None if bare else packed(body), "lineage": packed(lineage), "run_id": "r1",
          **more}],
    )  # fmt: skip


@pytest.fixture
def town(warehouse: Engine) -> Engine:
    """Two processes with records, the second of one release alone; and a voided release."""
    first, second = "ocds-213czf-rup-1", "ocds-213czf-tender-2"
    with writing(warehouse) as conn:
        conn.execute(
            insert(run), {"id": "r1", "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
        )
        add_release(conn, "d", first, 1, [version("7")])
        add_release(conn, "c", first, 2, [version("7"), version("8")])
        add_release(conn, "v", first, 3, [version("7")], voided_at="2025-01-05T00:00:00Z", void_reason="wrong")
        add_release(conn, "a", first, 4, [version("9"), version("8", 4)])
        add_release(conn, "b", second, 2, [version("7"), version("10")], bare=True)
        for ocid, count, rows in (
            (first, 3, [[*version("8", 4), False, 11], [*version("7", 5), False, 12]]),
            (second, 1, [[*version("10"), False, 6], [*version("7"), False, 3]]),
        ):
            stored = {"compiled": whole(ocid), "releases": count, "date": "d", "rows": packed(rows), "run_id": "r1"}
            insert_rows(conn, record, [{"ocid": ocid, **stored}])
            write_star(conn, [(ocid, star_rows(whole(ocid), ocid))])
    return warehouse


def test_the_exports_hold_what_is_valid_in_order(town: Engine, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with reading(town) as conn:
        counts = export.export(conn, out, package=PACKAGE, sources=SERVICES)
    assert counts == {"releases.jsonl": 4, "compiled.jsonl": 2, "records.jsonl": 2, "rows.jsonl": 4}
    assert {path.name for path in out.iterdir()} == FILES
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert json.loads((out / "package.json").read_text()) == PACKAGE
    assert [one["id"] for one in lines(out / "releases.jsonl")] == ["d", "c", "a", "b"]
    assert [one["ocid"] for one in lines(out / "compiled.jsonl")] == ["ocds-213czf-rup-1", "ocds-213czf-tender-2"]
    assert lines(out / "compiled.jsonl")[0] == whole("ocds-213czf-rup-1")
    records = lines(out / "records.jsonl")
    assert [list(one) for one in records] == [["ocid", "releases", "compiledRelease"]] * 2
    assert [[one["id"] for one in entry["releases"]] for entry in records] == [["d", "c", "a"], ["b"]]
    assert records[1]["compiledRelease"] == whole("ocds-213czf-tender-2")
    # The release whose body the record holds.
    [alone] = records[1]["releases"]
    assert alone == {
        **whole("ocds-213czf-tender-2"), "id": "b", "date": "2025-01-02T00:00:00+07:00", "tag": ["tender"]
    }  # fmt: skip
    service = {"source": "lpse", "service": "SPSE-TenderPengumuman"}
    assert lines(out / "rows.jsonl") == [
        {**service, "key": "7", "ocid": "ocds-213czf-rup-1", "release": "c"},
        {**service, "key": "8", "ocid": "ocds-213czf-rup-1", "release": "a"},
        {**service, "key": "10", "ocid": "ocds-213czf-tender-2", "release": "b"},
        {**service, "key": "7", "ocid": "ocds-213czf-tender-2", "release": "b"},
    ]


def test_both_databases_export_the_same_bytes(town: Engine, tmp_path: Path) -> None:
    """The bytes are pinned once for both: JSONB keeps neither order nor blanks, and locales sort as they like."""
    with reading(town) as conn:
        export.export(conn, tmp_path, package=PACKAGE, sources=SERVICES)
    assert (
        (tmp_path / "releases.jsonl")
        .read_bytes()
        .startswith(
            b'{"date":"2025-01-01T00:00:00+07:00","id":"d","initiationType":"tender","ocid":"ocds-213czf-rup-1",'
            + '"tag":["tender"],"tender":{"id":"1","title":"Jembatan é"}}\n'.encode()
        )
    )
    assert (tmp_path / "compiled.jsonl").read_bytes().startswith(b'{"awards":[{"id":"a0","status":"cancelled",')


@needs_reference
def test_records_are_valid_ocds(town: Engine, tmp_path: Path) -> None:
    with reading(town) as conn:
        export.export(conn, tmp_path, package=PACKAGE, sources=SERVICES)
    package = {
        "uri": "https://example.org/records.json", "version": "1.1", "publisher": PACKAGE["publisher"],
        "publishedDate": "2025-01-01T00:00:00Z", "records": lines(tmp_path / "records.jsonl"),
    }  # fmt: skip
    assert [error.message for error in package_validator("record").iter_errors(package)] == []


def test_an_export_that_fails_leaves_the_earlier_one(town: Engine, tmp_path: Path) -> None:
    with reading(town) as conn:
        export.export(conn, tmp_path / "out", package=PACKAGE, sources=SERVICES)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with writing(town) as conn:
        conn.execute(update(release).values(void_reason="other", voided_at="2025-01-06T00:00:00Z"))
    with reading(town) as conn, pytest.raises(TypeError):
        export.export(conn, tmp_path / "out", package={"publisher": object()}, sources={})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_an_empty_warehouse_exports_empty_files(warehouse: Engine, tmp_path: Path) -> None:
    with reading(warehouse) as conn:
        assert set(export.export(conn, tmp_path, package={}, sources={}).values()) == {0}
        assert set(extract(conn, tmp_path / "parquet", "parquet").values()) == {0}
    assert pq.read_schema(tmp_path / "parquet" / "supplier.parquet").names == [
        column.name for column in supplier.columns
    ]


def test_parquet_keeps_types_and_comments(town: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.extract._CHUNK", 1)
    with reading(town) as conn:
        counts = extract(conn, tmp_path, "parquet")
    assert counts["contracting_process"] == 2
    frame = pd.read_parquet(tmp_path / "contracting_process")
    assert frame["ocid"].tolist() == ["ocds-213czf-rup-1", "ocds-213czf-tender-2"]
    assert frame["planned_amount"].dtype == "float64"
    assert frame["has_award"].dtype == "bool"
    assert frame["first_date"].tolist() == [pd.Timestamp("2025-03-01T00:00:00")] * 2
    assert frame["contracted_amount"].sum() == 1800
    (trace,) = (tmp_path / "family_trace").rglob("*.parquet")
    schema = pq.read_schema(trace)
    assert schema.field("planned_amount").metadata == {b"comment": b"planned budget, each plan counted once (IDR)"}
    assert str(pq.read_schema(next((tmp_path / "progress").rglob("*.parquet"))).field("date").type) == "date32[day]"


def test_the_data_dictionary_is_up_to_date() -> None:
    assert dictionary.PATH.read_text(encoding="utf-8") == dictionary.dictionary(), "run: python -m warehouse.dictionary"


def test_every_table_and_column_is_explained() -> None:
    for table in (*metadata.sorted_tables, *view_metadata.sorted_tables):
        assert table.comment
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


# ---------------------------------------------------------------------------------------------------------------- roles

on_postgresql = pytest.mark.parametrize("warehouse_url", ["postgresql"], indirect=True)


@contextmanager
def joined(warehouse: Engine, role: str) -> Iterator[Engine]:
    """The warehouse as a login sees it that has joined a role."""
    with writing(warehouse) as conn:
        conn.execute(text("DROP ROLE IF EXISTS jejak_test_login"))
        conn.execute(text(f"CREATE ROLE jejak_test_login LOGIN PASSWORD 'secret' IN ROLE {role}"))
    url = warehouse.url.set(drivername="postgresql", username="jejak_test_login", password="secret")
    engine = open_warehouse(url.render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with writing(warehouse) as conn:
            conn.execute(text("DROP ROLE jejak_test_login"))


@on_postgresql
def test_an_analyst_reads_results_and_no_source_rows(town: Engine) -> None:
    with joined(town, ANALYST) as engine:
        with reading(engine) as conn:
            for table in (*OPEN, *view_metadata.sorted_tables):
                conn.execute(select(table)).all()
            assert conn.scalar(select(record.c.compiled["title"].as_string())) == "Jalan desa"
        for table in metadata.sorted_tables:
            if table in OPEN:
                continue
            with pytest.raises(ProgrammingError, match="permission denied"), reading(engine) as conn:
                conn.execute(select(table)).all()
        with pytest.raises(ProgrammingError, match="permission denied"), writing(engine) as conn:
            conn.execute(supplier.delete())


@on_postgresql
def test_a_night_needs_no_owner(town: Engine) -> None:
    with joined(town, ETL) as engine:
        # What each command does first: nothing has to change.
        migrate(engine)
        with writing(engine) as conn:
            for table in metadata.sorted_tables:
                rows = [dict(row) for row in conn.execute(select(table)).mappings()]
                upsert_rows(conn, table, rows)
                conn.execute(table.delete().where(false()))
            for view in view_metadata.sorted_tables:
                conn.execute(select(view)).all()
            conn.execute(text("SELECT nextval(pg_get_serial_sequence('raw_record', 'id'))"))
        for change in ("DROP VIEW late_plan", "ALTER TABLE plan ADD COLUMN more text", "CREATE TABLE more (a integer)"):
            with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"), writing(engine) as conn:
                conn.execute(text(change))


@on_postgresql
def test_a_migration_renews_what_roles_may_do(town: Engine) -> None:
    """Of views that are made again, of tables that an earlier version granted otherwise, and of new ones."""
    with writing(town) as conn:
        conn.execute(text(f"GRANT SELECT ON raw_record TO {ANALYST}"))
        conn.execute(text(f"REVOKE ALL ON plan, late_plan FROM {ANALYST}, {ETL}"))
        conn.execute(definition.update().where(definition.c.name == "late_plan").values(digest="old"))
    migrate(town)
    allowed = text("SELECT has_table_privilege(:role, :name, 'SELECT')")
    with reading(town) as conn:
        for role in (ANALYST, ETL):
            for name in ("plan", "late_plan"):
                assert conn.scalar(allowed, {"role": role, "name": name})
        assert not conn.scalar(allowed, {"role": ANALYST, "name": "raw_record"})


def test_what_may_hold_personal_data_is_not_open() -> None:
    assert not set(PRIVATE) & set(OPEN)
    assert evidence in PRIVATE
