"""The marts and the ten questions: by hand, on both databases, and alike on both for a town."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, insert, select, text, update

from pipeline.registry import LINKED_KINDS
from schemas.flags import FlagSettings
from tests.databases import on_postgresql
from tests.worlds import Lived
from warehouse import tables as t
from warehouse import views
from warehouse.engine import reading, writing
from warehouse.load import insert_rows
from warehouse.questions import QUESTIONS
from warehouse.views import view_metadata

DAY_0 = date(1970, 1, 1).toordinal()
REQUIRED: dict[str, dict[str, Any]] = {
    "attempt": {"channel": "nontender", "status": "complete", "method_details": "Pengadaan Langsung"},
    "award": {"suppliers": 1, "stands": True, "channel": "nontender"},
    "contract": {"payments": 0, "addenda": 0, "stands": True, "channel": "nontender"},
    "plan": {"kind": "rup", "status": "announced"},
}


@pytest.fixture
def office(warehouse: Engine) -> Engine:
    """A warehouse with one process, two offices and two suppliers, whose tables tests fill."""
    with writing(warehouse) as conn:
        conn.execute(insert(t.run), {"id": "r", "command": "sync", "started_at": "t", "status": "success"})
        row = {"ocid": "o", "compiled": {}, "releases": 1, "date": "t", "rows": b"", "run_id": "r"}
        insert_rows(conn, t.record, [row])
        insert_rows(conn, t.contracting_process, [{"ocid": "o", "family": "o", "updated_at": "t"}])
        for table, names in ((t.office, ("DINAS", "BADAN")), (t.supplier, ("CV SATU", "CV DUA"))):
            insert_rows(conn, table, [{"id": name, "name": name, "named": True, "ocid": "o"} for name in names])
        insert_rows(conn, t.procurement_limit, [limit.model_dump() for limit in FlagSettings().limits])
    return warehouse


def fill(conn: Connection, table: Table, **columns: Any) -> None:
    """One row of 2025 of an office, with what its table asks for."""
    row = {"ocid": "o", "family": "o", "office_id": "DINAS", "fiscal_year": 2025, **REQUIRED.get(table.name, {})}
    for name, number in (("signed_at", "signed_day"), ("announced_at", "announced_day")):
        if name in columns:
            columns[number] = columns[name].toordinal() - DAY_0
    insert_rows(conn, table, [{name: value for name, value in {**row, **columns}.items() if name in table.c}])


def found(engine: Engine, view: str, *names: str) -> list[tuple[Any, ...]]:
    with reading(engine) as conn:
        rows = conn.execute(select(*(view_metadata.tables[view].c[name] for name in names))).all()
    return sorted((tuple(row) for row in rows), key=str)


def test_suppliers_share_what_was_contracted_and_recordings_are_no_part_of_it(office: Engine) -> None:
    with writing(office) as conn:
        fill(conn, t.contract, id="1", supplier_id="CV SATU", value=300)
        fill(conn, t.contract, id="2", supplier_id="CV DUA", value=100, channel="ecat", office_id="BADAN")
        fill(conn, t.contract, id="3", supplier_id="CV SATU", value=900, stands=False)
        fill(conn, t.contract, id="4", supplier_id="CV DUA", recorded_amount=50, channel="pencatatan")
        fill(conn, t.contract, id="5", supplier_id="CV DUA", value=7, fiscal_year=2024)
    assert found(office, "supplier_share", "fiscal_year", "supplier_name", "contracted_amount", "share", "place") == [
        (2024, "CV DUA", 7, 1, 1),
        (2025, "CV DUA", 100, 0.25, 2),
        (2025, "CV SATU", 300, 0.75, 1),
    ]
    assert ("CV DUA", 50) in found(office, "supplier_share", "supplier_name", "recorded_amount")


@pytest.mark.parametrize(
    ("days", "values", "groups"),
    [
        ((1, 20), (150, 60), 1),
        # As much as one contract may be.
        ((1, 20), (150, 50), 0),
        # One alone is above: no direct procurement could be.
        ((1, 20), (210, 60), 0),
        ((1, 31), (150, 60), 1),
        ((1, 32), (150, 60), 0),
    ],
)
def test_what_may_be_split(office: Engine, days: tuple[int, ...], values: tuple[int, ...], groups: int) -> None:
    with writing(office) as conn:
        for number, (day, value) in enumerate(zip(days, values, strict=True)):
            signed = datetime.fromordinal(date(2025, 1, 1).toordinal() + day - 1)
            fill(conn, t.attempt, id=f"n-{number}", code=str(number), category="goods", consulting=False)
            fill(
                conn, t.contract, id=str(number), attempt_id=f"n-{number}", supplier_id="CV SATU",
                value=value * 1_000_000, signed_at=signed,
            )  # fmt: skip
            account = {"mak": "m", "account": "5.1.02.01.01.0024", "share": 1}
            fill(conn, t.attempt_account, attempt_id=f"n-{number}", **account)
    groups_found = found(office, "split_suspect", "contracts", "total", "threshold")
    assert groups_found == [(2, sum(values) * 1_000_000, 200_000_000)] * groups


def test_the_threshold_is_the_limit_of_the_kind_on_the_day(office: Engine) -> None:
    """Of what no setting limits nothing can be split."""
    with writing(office) as conn:
        for number, (category, consulting, day, method) in enumerate(
            (
                ("works", False, "2025-04-29", "Pengadaan Langsung"),
                ("works", False, "2025-04-30", "Pengadaan Langsung"),
                ("services", True, "2025-04-30", "Pengadaan Langsung"),
                ("goods", False, "2025-04-30", "Penunjukan Langsung"),
            )
        ):
            fill(conn, t.attempt, id=f"n-{number}", code=str(number), category=category, category_details=str(number),
                 consulting=consulting, method_details=method)  # fmt: skip
            fill(conn, t.attempt_account, attempt_id=f"n-{number}", mak="m", account="5.1", share=1)
            for half in "ab":
                fill(conn, t.contract, id=f"{number}{half}", attempt_id=f"n-{number}", supplier_id="CV SATU",
                     value=99_000_000, signed_at=datetime.fromisoformat(day))  # fmt: skip
        conn.execute(update(t.contract).where(t.contract.c.id == "0a").values(value=190_000_000))
        conn.execute(update(t.contract).where(t.contract.c.id.in_(("1a", "1b"))).values(value=390_000_000))
    assert found(office, "split_suspect", "category_details", "total", "threshold") == [
        ("0", 289_000_000, 200_000_000),
        ("1", 780_000_000, 400_000_000),
        ("2", 198_000_000, 100_000_000),
    ]


@pytest.mark.parametrize(
    ("payloads", "amount"),
    [
        ([{"pagu": 5}, {"pagu": -2.5}, {"pagu": "7"}], 9.5),
        ([{"besar_pembayaran": 3, "nilai_kontrak": 10, "pagu": 20}], 3),
        # As received: what is no plain number is none.
        ([{"pagu": "1.000.000"}, {"pagu": "-"}, {"pagu": ""}, {"pagu": "."}, {"pagu": "5-"}, {"pagu": None}], None),
        ([{}], None),
    ],
)
def test_rows_that_wait(office: Engine, payloads: list[dict[str, Any]], amount: float | None) -> None:
    row: dict[str, Any] = {
        "source": "sirup",
        "service": "S",
        "scope": "2025",
        "kind": "rup",
        "code": "7",
        "content_hash": "h",
        "wire_hash": "h",
        "observed_at": "2025-01-02T00:00:00Z",
        "run_id": "r",
    }
    others: list[dict[str, Any]] = [{"gone": True}, {"current": False}, {"kind": "anggaran"}, {"code": "8"}]
    with writing(office) as conn:
        rows = [{**row, "id": number, "key": str(number), "payload": each} for number, each in enumerate(payloads)]
        for number, changes in enumerate(others, 90):
            insert_rows(
                conn, t.raw_record, [{**row, "id": number, "key": str(number), "payload": {"pagu": 1}, **changes}]
            )
        insert_rows(conn, t.raw_record, rows)
        insert_rows(conn, t.identity, [{"kind": "rup", "key": "8", "ocid": "o", "run_id": "r"}])
    assert found(office, "row_waiting", "code", "rows", "amount", "since") == [
        ("7", len(payloads), amount, "2025-01-02T00:00:00Z")
    ]


def test_rows_of_linked_services_wait_for_a_link_instead() -> None:
    query = (Path(views.__file__).parent / "row_waiting.sql").read_text(encoding="utf-8")
    assert all(f"'{kind}'" in query for kind in LINKED_KINDS)


def test_lead_times_leave_out_what_was_signed_before_it_was_announced(office: Engine) -> None:
    announced = datetime.fromisoformat("2025-03-01T23:00:00")
    with writing(office) as conn:
        for number, days in enumerate((1, 2, 4, 8, 9, 10, 11, 12, 13, 40, -5, None)):
            signed = {} if days is None else {"signed_at": datetime.fromordinal(announced.toordinal() + days)}
            fill(conn, t.attempt, id=f"n-{number}", code=str(number), announced_at=announced)
            fill(conn, t.contract, id=str(number), attempt_id=f"n-{number}", **signed)
        fill(conn, t.contract, id="none", attempt_id="n-0", signed_at=announced, stands=False)
    names = ("contracts", "median_days", "p90_days", "shortest_days", "longest_days", "negative", "without_days")
    assert found(office, "lead_time", *names) == [(10, 9.5, 13, 1, 40, 1, 1)]


def test_only_completed_attempts_save(office: Engine) -> None:
    with writing(office) as conn:
        for number, (status, hps, awarded, decided) in enumerate(
            (
                ("complete", 100, 90, "active"),
                ("complete", 200, 203, "pending"),
                ("complete", 50, 40, "cancelled"),
                ("unsuccessful", 1000, 10, "active"),
                ("complete", None, 10, "active"),
            )
        ):
            fill(conn, t.attempt, id=f"n-{number}", code=str(number), status=status, hps=hps)
            fill(conn, t.award, id=str(number), attempt_id=f"n-{number}", value=awarded, status=decided)
    names = ("attempts", "hps", "awarded_amount", "saved", "above_hps", "incomplete")
    assert found(office, "savings", *names) == [(2, 300, 293, 7, 1, 2)]
    [(percent,)] = found(office, "savings", "saved_percent")
    assert percent == pytest.approx(100 * 7 / 300)


def test_the_kinds_of_money_spent_stand_beside_each_other(office: Engine) -> None:
    with writing(office) as conn:
        structure = {"row_id": 1, "office_name": "DINAS", "procurement": 2000}
        fill(conn, t.office_structure, **structure)
        fill(conn, t.plan, id="rup-1", kd_rup="1", pagu=900)
        fill(conn, t.plan, id="swk-2", kd_rup="2", pagu=100, kind="swk")
        fill(conn, t.plan, id="rup-3", kd_rup="3", pagu_not_counted=5000, status="withdrawn")
        fill(conn, t.contract, id="1", value=500, certified_amount=300, disbursed_amount=200)
        fill(conn, t.contract, id="2", recorded_amount=70, channel="pencatatan")
        fill(conn, t.contract, id="3", recorded_amount=11, channel="swakelola", office_id="BADAN")
        fill(conn, t.contract, id="4", value=999, stands=False)
    names = ("office_name", "budgeted_amount", "announced_amount", "contracted_amount", "certified_amount",
             "recorded_amount", "disbursed_amount", "announced_percent", "contracted_percent", "certified_percent",
             "recorded_percent", "disbursed_percent")  # fmt: skip
    assert found(office, "office_budget", *names) == [
        ("BADAN", None, None, None, None, 11, None, None, None, None, None, None),
        ("DINAS", 2000, 1000, 500, 300, 70, 200, 50, 50, 60, 7, 40),
    ]
    of_plans = (
        "provider_amount",
        "swakelola_amount",
        "announced_amount",
        "plans",
        "announced_percent",
        "missing_amount",
    )
    assert found(office, "announced_against_budget", *of_plans) == [(900, 100, 1000, 2, 50, 1000)]
    shares = (
        "swakelola_plans",
        "plans",
        "swakelola_amount",
        "announced_amount",
        "swakelola_percent",
        "recorded_amount",
    )
    assert found(office, "swakelola_share", *shares) == [(0, 0, None, None, None, 11), (1, 2, 100, 1000, 10, None)]


def test_local_content_is_a_share_of_what_gives_it(office: Engine) -> None:
    with writing(office) as conn:
        fill(conn, t.contract, id="1", value=100, local_content_value=60, micro_enterprise_value=100)
        fill(conn, t.contract, id="2", value=100, local_content_value=0)
        fill(conn, t.contract, id="3", value=800)
        fill(conn, t.contract, id="4", value=1, channel="ecat")
        fill(conn, t.contract, id="5", recorded_amount=50, local_content_value=50, channel="pencatatan")
        fill(conn, t.contract, id="6", local_content_value=0, channel="pencatatan")
    names = ("contracts", "contract_value", "local_content_percent", "micro_enterprise_percent",
             "recorded_local_percent", "unreported")  # fmt: skip
    assert found(office, "local_content", *names) == [(2, 200, 30, 100, 100, 2)]


def test_retenders_and_competition(office: Engine) -> None:
    with writing(office) as conn:
        for number, (package, version, status, registrants, bidders) in enumerate(
            (
                ("a", 1, "unsuccessful", 9, 0),
                ("a", 2, "complete", 5, 1),
                ("b", 2, "complete", 4, 3),
                ("c", 1, "active", None, None),
                (None, 1, "complete", 2, 1),
            )
        ):
            fill(
                conn, t.attempt, id=f"t-{number}", code=str(number), channel="tender", package=package,
                version=version, status=status, registrants=registrants, bidders=bidders,
            )  # fmt: skip
    names = ("packages", "attempts", "repeated", "began_earlier", "never_complete")
    assert found(office, "retender", *names) == [(3, 4, 1, 1, 1)]
    names = ("tenders", "registrants", "with_bids", "bidders", "single")
    assert found(office, "competition", *names) == [(4, 20, 3, 5, 2)]


def test_a_recording_that_repeats_a_contract_is_told(office: Engine) -> None:
    with writing(office) as conn:
        fill(conn, t.contract, id="1", value=100, supplier_id="CV SATU")
        recording = {"channel": "pencatatan", "recorded_amount": 100}
        fill(conn, t.contract, id="2", supplier_id="CV DUA", **recording)
        fill(conn, t.contract, id="3", supplier_id="CV SATU", **recording | {"recorded_amount": 90})
        fill(conn, t.contract, id="4", supplier_id="CV SATU", **recording)
        fill(conn, t.contract, id="5", supplier_id="CV DUA", **recording | {"recorded_amount": 90})
        fill(conn, t.contract, id="6", **recording, stands=False)
    assert found(office, "possible_duplicate", "contract_id", "possible_duplicate_of", "by") == [
        ("2", "1", "amount"),
        ("3", "1", "supplier"),
        ("4", "1", "both"),
    ]


# ---------------------------------------------------------------------------------------------------- both databases


def plain(value: Any) -> Any:
    """A value as either database may give it: numbers to the third digit after the point, times as text."""
    if value is None or isinstance(value, str):
        return value and value.removesuffix(".000000")
    return str(value) if isinstance(value, date) else round(float(value), 3)


def asked_of_both(first: Engine, second: Engine) -> set[str]:
    """Copy what analysts read from one warehouse into an empty one, and ask all marts and questions of both. Returns
    those that had an answer."""
    with reading(first) as conn, writing(second) as other:
        for table in t.metadata.sorted_tables:
            of_raw_rows = any(key.column.table is t.raw_record for key in table.foreign_keys)
            if table not in (t.definition, t.release, *t.PRIVATE) and not of_raw_rows:
                left_out: dict[str, Any] = {"compiled": {}} if table is t.record else {}
                rows = conn.execute(select(table)).mappings()
                insert_rows(other, table, ({**row, **left_out} for row in rows))
    # The raw rows stay behind, and what waits among them is tried above.
    names = view_metadata.tables.keys() - {"row_waiting"}
    asked = {name: f'SELECT * FROM "{name}"' for name in names} | QUESTIONS
    filled = set()
    for name, query in asked.items():
        answers = []
        for engine in (first, second):
            with reading(engine) as conn:
                answers.append(sorted((tuple(map(plain, row)) for row in conn.execute(text(query))), key=str))
        assert answers[0] == answers[1], name
        filled |= {name} if answers[0] else set()
    return filled


@on_postgresql
def test_both_databases_answer_alike(lived: Lived, warehouse: Engine) -> None:
    unanswered = (view_metadata.tables.keys() | QUESTIONS.keys()) - asked_of_both(lived.town.engine, warehouse)
    assert unanswered <= {
        "possible_duplicate", "split_suspect", "02_splitting", "paid_ahead_of_progress", "row_waiting",
    }  # fmt: skip


def test_the_masters_are_those_of_the_newest_rows(lived: Lived) -> None:
    town = lived.town
    for table, services in (
        (t.office_structure, ["RUP-StrukturAnggaranPD"]),
        (t.budget_activity, ["RUP-ProgramMaster", "RUP-KegiatanMaster", "RUP-SubKegiatanMaster"]),
    ):
        rows = {row["id"]: row["payload"] for service in services for row in town.known(service)}
        made = {row["row_id"]: row for row in town.query(select(table))}
        assert made.keys() == rows.keys() != set()
    assert {row["row_id"]: row["total"] for row in town.query(select(t.office_structure))} == {
        row["id"]: row["payload"]["total_belanja"] for row in town.known("RUP-StrukturAnggaranPD")
    }
    lines = {row["sub_activity"] for row in town.query(select(t.plan_account)) if row["sub_activity"]}
    named = {row["code"] for row in town.query(select(t.budget_activity).filter_by(level="sub_activity"))}
    assert lines & named


def test_each_question_says_what_it_counts() -> None:
    assert len(QUESTIONS) == 10
    for name, query in QUESTIONS.items():
        head = " ".join(line.removeprefix("--") for line in query.splitlines() if line.startswith("--"))
        assert "Population:" in head, name
        assert "?" in head, name
        assert sum(word in head for word in ("Amount:", "Denominator:", "Date:")) > 0, name
        assert len([line for line in query.splitlines() if not line.startswith("--")]) <= 8, name
