"""Exports, the data dictionary and the analysts' role."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, Engine, insert, make_url, select, text, update
from sqlalchemy.exc import ProgrammingError

from schemas.errors import SettingsError
from tests.official import needs_reference, package_validator
from tests.processes import whole
from warehouse import dictionary, export
from warehouse.engine import open_warehouse, reading, writing
from warehouse.export import export_parquet
from warehouse.load import insert_rows
from warehouse.roles import grant_analyst
from warehouse.star import write_records
from warehouse.tables import (
    OPEN,
    PRIVATE,
    STAR,
    bid,
    evidence,
    lineage,
    link,
    metadata,
    organization,
    raw_record,
    record,
    release,
    run,
    subject,
)
from warehouse.views import view_metadata

PACKAGE = {"version": "1.1", "publisher": {"name": "Kabupaten Contoh"}}
FILES = {"releases.jsonl", "compiled.jsonl", "records.jsonl", "rows.jsonl", "package.json"}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def add_release(conn: Connection, name: str, ocid: str, date: str, position: int, raws: list[int], **more: Any) -> None:
    body = {
        "ocid": ocid, "id": name, "date": date, "tag": ["tender"], "initiationType": "tender",
        "tender": {"id": "1", "title": "Jembatan é"},
    }  # fmt: skip
    insert_rows(
        conn, release,
        [{"id": name, "ocid": ocid, "subject": "s", "source": "lpse", "service": "SPSE-TenderPengumuman", "date": date,
          "position": position, "tags": body["tag"], "body": body, "run_id": "r1", **more}],
    )  # fmt: skip
    insert_rows(conn, lineage, [{"release_id": name, "raw_id": raw_id} for raw_id in raws])


@pytest.fixture
def town(warehouse: Engine) -> Engine:
    """Two processes with records, one without yet; rows that are current, superseded, gone, and of no process."""
    first, second, third = "ocds-213czf-rup-1", "ocds-213czf-tender-2", "ocds-213czf-rup-3"
    row = {
        "source": "lpse", "service": "SPSE-TenderPengumuman", "scope": "2025", "kind": "tender", "content_hash": "h",
        "observed_at": "2025-01-01T00:00:00Z", "run_id": "r1", "payload": {"npwp": "99.999.999.9-999.999"},
    }  # fmt: skip
    with writing(warehouse) as conn:
        conn.execute(
            insert(run), {"id": "r1", "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
        )
        states = (("7", True, False), ("8", True, False), ("8", False, False), ("9", True, True), ("10", True, False))
        built = ((first, 3), (second, 1))
        insert_rows(
            conn, raw_record,
            [{**row, "key": code, "code": code, "current": current, "gone": gone} for code, current, gone in states],
        )  # fmt: skip
        r7, r8, r8_old, r9, _ = conn.scalars(select(raw_record.c.id).order_by(raw_record.c.id)).all()
        add_release(conn, "b", second, "2025-01-02T00:00:00Z", 0, [r7, r8])
        add_release(conn, "d", first, "2025-01-02T00:00:00Z", 1, [r7])
        add_release(conn, "c", first, "2025-01-02T00:00:00Z", 0, [r7, r8_old])
        add_release(conn, "a", first, "2025-01-03T00:00:00Z", 0, [r9])
        add_release(
            conn, "v", first, "2025-01-04T00:00:00Z", 0, [r7], voided_at="2025-01-05T00:00:00Z", void_reason="mended"
        )
        add_release(conn, "e", third, "2025-01-01T00:00:00Z", 0, [])
        write_records(
            conn,
            [{"ocid": ocid, "compiled": whole(ocid), "releases": count, "run_id": "r1"} for ocid, count in built],
        )  # fmt: skip
    return warehouse


def test_the_exports_hold_what_is_valid_in_order(town: Engine, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with reading(town) as conn:
        counts = export.export(conn, out, package=PACKAGE)
    assert counts == {"releases.jsonl": 5, "compiled.jsonl": 2, "records.jsonl": 2, "rows.jsonl": 3}
    assert {path.name for path in out.iterdir()} == FILES
    assert json.loads((out / "package.json").read_text()) == PACKAGE
    assert [one["id"] for one in lines(out / "releases.jsonl")] == ["c", "d", "a", "e", "b"]
    assert [one["ocid"] for one in lines(out / "compiled.jsonl")] == ["ocds-213czf-rup-1", "ocds-213czf-tender-2"]
    assert lines(out / "compiled.jsonl")[0] == whole("ocds-213czf-rup-1")
    records = lines(out / "records.jsonl")
    assert [list(one) for one in records] == [["ocid", "releases", "compiledRelease"]] * 2
    assert [[one["id"] for one in entry["releases"]] for entry in records] == [["c", "d", "a"], ["b"]]
    assert records[1]["compiledRelease"] == whole("ocds-213czf-tender-2")
    service = {"source": "lpse", "service": "SPSE-TenderPengumuman"}
    assert lines(out / "rows.jsonl") == [
        {**service, "key": "7", "ocid": "ocds-213czf-rup-1", "release": "d"},
        {**service, "key": "7", "ocid": "ocds-213czf-tender-2", "release": "b"},
        {**service, "key": "8", "ocid": "ocds-213czf-tender-2", "release": "b"},
    ]


def test_both_databases_export_the_same_bytes(town: Engine, tmp_path: Path) -> None:
    """The bytes are pinned once for both: JSONB keeps neither order nor blanks, and locales sort as they like."""
    with reading(town) as conn:
        export.export(conn, tmp_path, package=PACKAGE)
    assert (
        (tmp_path / "releases.jsonl")
        .read_bytes()
        .startswith(
            b'{"ocid":"ocds-213czf-rup-1","id":"c","date":"2025-01-02T00:00:00Z","tag":["tender"],'
            + '"initiationType":"tender","tender":{"id":"1","title":"Jembatan é"}}\n'.encode()
        )
    )
    assert (tmp_path / "compiled.jsonl").read_bytes().startswith(b'{"awards":[{"id":"a0","status":"cancelled",')


@needs_reference
def test_records_are_valid_ocds(town: Engine, tmp_path: Path) -> None:
    with reading(town) as conn:
        export.export(conn, tmp_path, package=PACKAGE)
    package = {
        "uri": "https://example.org/records.json", "version": "1.1", "publisher": PACKAGE["publisher"],
        "publishedDate": "2025-01-01T00:00:00Z", "records": lines(tmp_path / "records.jsonl"),
    }  # fmt: skip
    assert [error.message for error in package_validator("record").iter_errors(package)] == []


def test_an_export_that_fails_leaves_the_earlier_one(town: Engine, tmp_path: Path) -> None:
    with reading(town) as conn:
        export.export(conn, tmp_path / "out", package=PACKAGE)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with writing(town) as conn:
        conn.execute(update(release).values(position=5))
    with reading(town) as conn, pytest.raises(TypeError):
        export.export(conn, tmp_path / "out", package={"publisher": object()})
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_an_empty_warehouse_exports_empty_files(warehouse: Engine, tmp_path: Path) -> None:
    with reading(warehouse) as conn:
        assert set(export.export(conn, tmp_path, package={}).values()) == {0}
        assert set(export_parquet(conn, tmp_path / "parquet").values()) == {0}
    assert pq.read_schema(tmp_path / "parquet" / "bid.parquet").names == [column.name for column in bid.columns]


def test_parquet_keeps_types_and_comments(town: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_PARQUET_CHUNK", 1)
    with reading(town) as conn:
        counts = export_parquet(conn, tmp_path)
    assert set(counts) == {table.name for table in (*STAR, organization, link, subject)} | set(view_metadata.tables)
    assert counts["contracting_process"] == 2
    frame = pd.read_parquet(tmp_path / "contracting_process.parquet")
    assert frame["ocid"].tolist() == ["ocds-213czf-rup-1", "ocds-213czf-tender-2"]
    assert frame["planned_amount"].dtype == "float64"
    assert frame["has_award"].dtype == "bool"
    assert frame["fiscal_year"].dtype == "int64"
    assert frame["first_date"].tolist() == [pd.Timestamp("2025-01-31T23:30:00")] * 2
    assert frame["contracted_amount"].sum() == 1800
    assert pq.read_schema(tmp_path / "link.parquet").field("confidence").type == "double"
    trace = pq.read_table(tmp_path / "family_trace.parquet")
    assert trace.column("stages").to_pylist() == [5, 5]
    assert trace.schema.field("planned_amount").metadata == {
        b"comment": b"planned budget, each plan counted once (IDR)"
    }
    assert pd.read_parquet(tmp_path / "budget_line.parquet")["period_start"].tolist()[0].isoformat() == "2025-01-01"


def test_the_data_dictionary_is_up_to_date() -> None:
    assert dictionary.PATH.read_text(encoding="utf-8") == dictionary.dictionary(), "run: python -m warehouse.dictionary"


def test_every_table_and_column_is_explained() -> None:
    for table in (*metadata.sorted_tables, *view_metadata.sorted_tables):
        assert table.comment
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


# ---------------------------------------------------------------------------------------------------------------- roles

on_postgresql = pytest.mark.parametrize("warehouse_url", ["postgresql"], indirect=True)


@on_postgresql
def test_an_analyst_reads_results_and_no_source_rows(town: Engine, warehouse_url: str) -> None:
    grant_analyst(town, "jejak_test_analyst")
    grant_analyst(town, "jejak_test_analyst")
    with writing(town) as conn:
        conn.execute(text("DROP ROLE IF EXISTS jejak_test_login"))
        conn.execute(text("CREATE ROLE jejak_test_login LOGIN PASSWORD 'secret' IN ROLE jejak_test_analyst"))
    engine = open_warehouse(
        make_url(warehouse_url).set(username="jejak_test_login", password="secret").render_as_string(False)
    )
    try:
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
            conn.execute(organization.delete())
    finally:
        engine.dispose()
        with writing(town) as conn:
            conn.execute(text("DROP ROLE jejak_test_login"))
            conn.execute(text("DROP OWNED BY jejak_test_analyst"))
            conn.execute(text("DROP ROLE jejak_test_analyst"))


def test_what_may_hold_personal_data_is_not_open() -> None:
    assert not set(PRIVATE) & set(OPEN)
    assert evidence in PRIVATE


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_sqlite_has_no_roles(warehouse: Engine) -> None:
    with pytest.raises(SettingsError, match="Parquet"):
        grant_analyst(warehouse)
