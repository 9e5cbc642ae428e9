"""What only joined data can tell: the views over links, subjects and star tables, on both databases."""

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, select, text

from warehouse.engine import reading, writing
from warehouse.load import insert_rows
from warehouse.tables import (
    answer,
    attempt,
    contract,
    contracting_process,
    identity,
    link,
    plan,
    process_rup,
    proposal,
    record,
    run,
    subject,
    supplier,
)
from warehouse.views import view_metadata

views = view_metadata.tables
OFFICE = "JEJAK-SATKER-1.01"


@pytest.fixture
def today(warehouse: Engine) -> Engine:
    """A warehouse whose last run was on 1 September 2025."""
    days = ("2025-08-31", "2025-09-01")
    with writing(warehouse) as conn:
        conn.execute(
            insert(run),
            [
                {"id": day, "command": "sync", "started_at": f"{day}T20:00:00Z", "status": "success"} for day in days
            ],
        )  # fmt: skip
    return warehouse


def add_process(conn: Connection, kind: str, code: str, *rups: str, **columns: Any) -> str:
    """A process that one code opens and that carries the planning of some RUPs; returns its OCID."""
    ocid = f"ocds-000000-{kind}-{code}"
    row = {
        "ocid": ocid, "family": ocid, "origin": kind, "title": f"Paket {code}", "office_id": OFFICE,
        "office_name": "DINAS CONTOH", "fiscal_year": 2025, "updated_at": "t", **columns,
    }  # fmt: skip
    insert_rows(
        conn, record, [{"ocid": ocid, "compiled": {}, "releases": 1, "date": "t", "rows": b"", "run_id": "2025-09-01"}]
    )
    insert_rows(conn, contracting_process, [row])
    insert_rows(conn, identity, [{"kind": kind, "key": code, "ocid": ocid, "run_id": "2025-09-01"}])
    insert_rows(
        conn,
        process_rup,
        [{"ocid": ocid, "kind": "rup", "code": rup, "by_kind": "rup", "by_code": rup} for rup in rups],
    )
    return ocid


def add_subject(conn: Connection, kind: str, code: str, **columns: Any) -> tuple[str, str]:
    row = {"kind": kind, "code": code, "source": "s", "year": 2025, "office_id": OFFICE, "title": code, **columns}
    insert_rows(conn, subject, [row])
    return kind, code


def add_link(
    conn: Connection, one: tuple[str, str], to: tuple[str, str], status: str = "auto", sure: float = 1
) -> None:
    rule = "a rule"
    insert_rows(
        conn, link,
        [{"id": "|".join((*one, *to)), "rule": rule, "from_kind": one[0], "from_code": one[1], "to_kind": to[0],
          "to_code": to[1], "confidence": sure, "by": "mak", "status": status, "run_id": "2025-09-01"}],
    )  # fmt: skip


def rows(conn: Connection, view: str, *names: str) -> list[tuple[Any, ...]]:
    """These columns of a view, sorted."""
    found = conn.execute(select(*(views[view].c[name] for name in names))).all()
    return sorted((tuple(row) for row in found), key=str)


def stages(*reached: str) -> dict[str, bool]:
    return {f"has_{stage}": True for stage in reached}


def test_a_process_is_traced_from_its_proposals_to_its_progress(today: Engine) -> None:
    """A RUP whose second attempt is a process of its own: both show the plan, the family misses what both miss."""
    plan = {"family": "ocds-000000-rup-1", "planned_amount": 1000}
    paid_at, reported_on = datetime.fromisoformat("2025-05-01"), date(2025, 6, 1)
    with writing(today) as conn:
        first = add_process(conn, "rup", "1", "1", "2", **plan, tender_status="unsuccessful", **stages("planning"))
        second = add_process(
            conn, "tender", "7", "1", **plan, tender_status="complete", tender_value=990, awarded_amount=900,
            contracted_amount=900, payments=2, disbursed_amount=300, last_payment_at=paid_at, physical_progress=40,
            financial_progress=35, last_report_on=reported_on,
            **stages("planning", "tender", "award", "contract"),
        )  # fmt: skip
        alone = add_process(
            conn, "tender", "8", **stages("planning", "tender", "award", "contract", "implementation")
        )  # fmt: skip
        asked = {"title": "Jalan", "status": "accepted"}
        insert_rows(
            conn, proposal,
            [{"ocid": ocid, "id": name, **asked, **more} for ocid in (first, second) for name, more in (
                ("u1", {}), ("u2", {"title": "Drainase", "status": None}), ("u3", {"title": "A", "status": "rejected"}),
                ("u4", {"title": "A", "status": "withdrawn"}),
            )],
        )  # fmt: skip
        line = add_subject(conn, "anggaran", "a", amount=5000)
        add_link(conn, line, ("rup", "1"))
        # The same line, by the other RUP of the process: it counts once.
        add_link(conn, line, ("rup", "2"), "confirmed")
        add_link(conn, add_subject(conn, "anggaran", "b", amount=200), ("rup", "1"), "confirmed")
        add_link(conn, add_subject(conn, "anggaran", "c", amount=1), ("rup", "1"), "pending")
        add_link(conn, add_subject(conn, "anggaran", "d", amount=1), ("rup", "1"), "rejected")
        add_link(conn, add_subject(conn, "anggaran", "e", amount=1, gone=True), ("rup", "1"))
        add_link(conn, add_subject(conn, "dokumen", "f", amount=1), ("rup", "1"))
    with reading(today) as conn:
        trace = views["process_trace"]
        found = {row.ocid: row._asdict() for row in conn.execute(select(trace))}
        assert found[second] == {
            "ocid": second, "family": "ocds-000000-rup-1", "title": "Paket 7", "office_id": OFFICE,
            "office_name": "DINAS CONTOH", "fiscal_year": 2025, "proposals": 2, "proposal_title": "Drainase",
            "budget_lines": 2, "line_total": 5200, "planned_amount": 1000, "tender_status": "complete",
            "tender_value": 990, "awarded_amount": 900, "contracted_amount": 900, "certified_amount": None,
            "recorded_amount": None, "disbursed_amount": 300, "payments": 2,
            "last_payment_at": paid_at, "physical_progress": 40, "financial_progress": 35,
            "last_report_on": reported_on,
            "first_missing": "implementation", "family_first_missing": "implementation",
        }  # fmt: skip
        assert (found[first]["budget_lines"], found[first]["line_total"]) == (2, 5200)
        assert (found[first]["first_missing"], found[first]["family_first_missing"]) == ("tender", "implementation")
        bare = [found[alone][name] for name in ("proposals", "budget_lines", "line_total", "payments", "first_missing")]
        assert bare == [0, 0, None, 0, None]
        assert found[alone]["family_first_missing"] is None


def test_what_a_process_is_linked_with(today: Engine) -> None:
    with writing(today) as conn:
        first = add_process(conn, "rup", "1", "1", "2")
        second = add_process(conn, "tender", "7", "1")
        line = add_subject(conn, "anggaran", "a", amount=50)
        add_link(conn, line, ("rup", "1"), sure=0.5)
        add_link(conn, line, ("rup", "2"), sure=0.75)
        add_link(conn, add_subject(conn, "kontrak", "k"), ("tender", "7"), "confirmed")
        add_link(conn, add_subject(conn, "pekerjaan", "p"), ("tender", "7"), "pending")
        add_link(conn, add_subject(conn, "usulan", "u", gone=True), ("rup", "1"))
        # Purchases and offices are linked too; they are no subjects.
        add_link(conn, ("tender", "7"), ("rup", "1"))
        add_link(conn, ("simda", "1.1"), ("office", "1.01"))
        assert rows(conn, "process_subject", "ocid", "kind", "code", "amount", "confidence") == [
            (first, "anggaran", "a", 50, 0.75),
            (second, "anggaran", "a", 50, 0.5),
            (second, "kontrak", "k", None, 1),
        ]


def test_proposals_without_a_budget_are_those_that_were_taken_up(today: Engine) -> None:
    with writing(today) as conn:
        for status in ("proposed", "verified", "accepted", "rejected", "withdrawn", None):
            add_subject(conn, "usulan", f"none-{status}", status=status, village="Desa Contoh", amount=5)
        for status in ("auto", "confirmed", "pending", "rejected"):
            one = add_subject(conn, "pokir", status, status="accepted")
            add_link(conn, one, ("rup", "1"), status)
            add_link(conn, one, ("rup", "2"), "pending")
        add_subject(conn, "pokir", "gone", status="accepted", gone=True)
        add_subject(conn, "kontrak", "no proposal", status="accepted")
        assert rows(conn, "proposal_without_budget", "kind", "code", "status", "village", "amount", "pending") == [
            ("pokir", "pending", "accepted", None, None, 2),
            ("pokir", "rejected", "accepted", None, None, 1),
            ("usulan", "none-accepted", "accepted", "Desa Contoh", 5, 0),
            ("usulan", "none-verified", "verified", "Desa Contoh", 5, 0),
        ]


def test_budget_lines_without_a_package_stand_by_office_and_account(today: Engine) -> None:
    mak, other = "1.3.2.2.1.5.5.1.2.2.1.47", "1.3.2.2.1.5.5.1.1.1.1.1"
    with writing(today) as conn:
        # One linked line of an account is enough.
        add_link(conn, add_subject(conn, "anggaran", "a", mak=mak, amount=1), ("rup", "1"))
        add_subject(conn, "anggaran", "b", mak=mak, amount=1)
        add_subject(
            conn, "anggaran", "c", mak=mak, amount=10, office_id="o2", office_name="KECAMATAN CONTOH", title="Z"
        )
        add_link(
            conn, add_subject(conn, "anggaran", "d", mak=mak, amount=20, office_id="o2", title="Y"), ("rup", "1"),
            "pending",
        )  # fmt: skip
        add_subject(conn, "anggaran", "e", mak=mak, amount=30, office_id="o2", year=2024, title="X")
        add_subject(conn, "anggaran", "f", mak=other, amount=40)
        # Lines from before the present account codes are not one line.
        add_subject(conn, "anggaran", "g", amount=50)
        add_subject(conn, "anggaran", "h", amount=60)
        add_subject(conn, "anggaran", "i", amount=70, gone=True)
        add_subject(conn, "kontrak", "j", mak=other, amount=80)
        names = ("year", "office_id", "office_name", "mak", "title", "lines", "amount", "pending")
        assert rows(conn, "budget_line_without_package", *names) == [
            (2024, "o2", None, mak, "X", 1, 30, 0),
            (2025, OFFICE, None, other, "f", 1, 40, 0),
            (2025, OFFICE, None, None, "g", 1, 50, 0),
            (2025, OFFICE, None, None, "h", 1, 60, 0),
            (2025, "o2", "KECAMATAN CONTOH", mak, "Y", 2, 30, 1),
        ]


def test_plans_are_late_on_the_day_of_the_newest_answer(today: Engine) -> None:
    """Whatever day it is: SIRUP's answers were true on 20 September 2025 of one year, on 1 March 2026 of the other. A
    plan for September isn't late then."""
    late, due = map(datetime.fromisoformat, ("2025-08-31T23:59:59", "2025-09-01"))
    announced = {"source": "sirup", "service": "RUP-PaketPenyedia-Terumumkan", "run_id": "2025-09-01"}
    with writing(today) as conn:
        insert_rows(
            conn, answer,
            [{**announced, "scope": year, "observed_at": day}
             for year, day in (("2025", "2025-09-20T16:59:59Z"), ("2024", "2026-03-01T00:00:00Z"))],
        )  # fmt: skip
        for code, planned_until, more, reached in (
            ("late", late, {}, {}),
            ("due", due, {}, {}),
            ("this year", None, {}, {}),
            ("last year", None, {"fiscal_year": 2024}, {}),
            ("due then", due, {"fiscal_year": 2024}, {}),
            ("no answer", late, {"fiscal_year": 2023}, {}),
            ("withdrawn", late, {"status": "withdrawn"}, {}),
            ("tendered", late, {}, stages("tender")),
            ("tendered elsewhere", late, {"family": "f"}, {"family": "f"}),
            ("contracted", late, {}, stages("contract")),
            ("swakelola", late, {"kind": "swk"}, {}),
            ("catalogue", late, {"method_details": "E-Purchasing"}, {}),
            ("catalogue last year", None, {"method_details": "E-Purchasing", "fiscal_year": 2024}, {}),
        ):
            ocid = add_process(conn, "rup", code, **reached)
            row = {"kind": "rup", "status": "announced", "fiscal_year": 2025, "family": ocid, **more}
            insert_rows(
                conn, plan,
                [{"ocid": ocid, "id": f"rup-{code}", "kd_rup": code, "title": code, "selection_end": planned_until,
                  **row}],
            )  # fmt: skip
        add_process(conn, "tender", "1", family="f", **stages("planning", "tender"))
        order = {"id": "ecat-1", "family": "f", "channel": "ecat", "code": "1", "fiscal_year": 2025}
        insert_rows(conn, attempt, [{"ocid": ocid, **order}])
        assert rows(conn, "late_plan", "title", "planned_until", "unseen", "as_of", "has_contract") == [
            ("catalogue last year", None, 1, date(2026, 3, 1), 0),
            ("catalogue", late, 0, date(2025, 9, 20), 0),
            ("contracted", late, 0, date(2025, 9, 20), 1),
            ("due then", due, 0, date(2026, 3, 1), 0),
            ("last year", None, 0, date(2026, 3, 1), 0),
            ("late", late, 0, date(2025, 9, 20), 0),
        ]


def test_contracts_without_payment_or_report(today: Engine) -> None:
    """Only those that stand; reports are asked of works alone."""
    with writing(today) as conn:
        works = add_process(conn, "tender", "7", category="works")
        goods = add_process(conn, "ecat", "8", category="goods")
        insert_rows(conn, supplier, [{"id": "s", "name": "CV CONTOH", "named": True, "ocid": works}])
        found = {"payments": 1, "last_report_on": date(2025, 5, 1)}
        for ocid, name, more in (
            (works, "nothing", {"value": 5, "supplier_id": "s"}),
            (works, "paid", {"payments": 1}),
            (works, "reported", found),
            (works, "cancelled", {"stands": False}),
            (goods, "goods", {"status": "active"}),
        ):
            row = {"stands": True, "payments": 0, "addenda": 0, "family": "f", **more}
            insert_rows(conn, contract, [{"ocid": ocid, "id": name, **row}])
        pending = add_subject(conn, "kontrak", "k")
        add_link(conn, pending, ("tender", "7"), "pending")
        add_link(conn, pending, ("ecat", "8"), "rejected")
        add_link(conn, add_subject(conn, "kontrak", "l"), ("tender", "7"), "pending")
        add_link(conn, add_subject(conn, "pekerjaan", "p"), ("tender", "7"), "pending")
        names = ("ocid", "contract_id", "value", "supplier_name", "pending")
        assert rows(conn, "contract_without_payment", *names) == [
            (goods, "goods", None, None, 0),
            (works, "nothing", 5, "CV CONTOH", 2),
        ]
        assert rows(conn, "contract_without_report", *names) == [
            (works, "nothing", 5, "CV CONTOH", 1),
            (works, "paid", None, None, 1),
        ]


def test_paid_ahead_of_progress_is_more_than_ten_points(today: Engine) -> None:
    with writing(today) as conn:
        ocid = add_process(conn, "tender", "7")
        for name, paid, done, more in (
            ("ten", 60, 50, {}),
            ("more", 125, 50, {"value": 200}),
            ("unknown", 60, None, {}),
            ("unpaid", None, 0, {}),
            ("no value", 60, 10, {"value": None}),
            ("free", 60, 10, {"value": 0}),
            ("cancelled", 60, 10, {"stands": False}),
            ("not begun", 30, 0, {}),
            ("certified", None, 50, {"certified_amount": 80}),
            # Both kinds are known: they are two accounts of one money.
            ("both", 55, 50, {"certified_amount": 80}),
        ):
            row = {"value": 100, "stands": True, "payments": 1, "addenda": 0, "family": "f", **more}
            insert_rows(
                conn, contract, [{"ocid": ocid, "id": name, "disbursed_amount": paid, "physical_progress": done, **row}]
            )
        names = ("contract_id", "value", "paid_by", "paid_amount", "paid_percent", "physical_progress", "ahead")
        assert rows(conn, "paid_ahead_of_progress", *names) == [
            ("certified", 100, "bap", 80, 80, 50, 30),
            ("more", 200, "sp2d", 125, 62.5, 50, 12.5),
            ("not begun", 100, "sp2d", 30, 30, 0, 30),
        ]


def test_what_is_linked_to_nothing(today: Engine) -> None:
    with writing(today) as conn:
        for kind in ("kontrak", "pekerjaan"):
            add_subject(conn, kind, "none", number="1/SP/2025", amount=5, date=date(2025, 1, 2))
            for status in ("auto", "confirmed", "pending", "rejected"):
                add_link(conn, add_subject(conn, kind, status), ("tender", "7"), status)
        add_subject(conn, "kontrak", "gone", gone=True)
        names = ("kind", "code", "number", "amount", "date", "pending")
        assert rows(conn, "subject_without_link", *names) == [
            ("kontrak", "none", "1/SP/2025", 5, date(2025, 1, 2), 0),
            ("kontrak", "pending", None, None, None, 1),
            ("kontrak", "rejected", None, None, None, 0),
            ("pekerjaan", "none", "1/SP/2025", 5, date(2025, 1, 2), 0),
            ("pekerjaan", "pending", None, None, None, 1),
            ("pekerjaan", "rejected", None, None, None, 0),
        ]


def _plan(conn: Connection, query: str) -> str:
    if conn.dialect.name == "sqlite":
        return " ".join(row.detail for row in conn.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    # Of a small table all is read, whatever indexes there are.
    conn.execute(text("SET LOCAL enable_seqscan = off"))
    return " ".join(conn.scalars(text(f"EXPLAIN {query}")))


@pytest.mark.parametrize(
    ("query", "used", "unused"),
    [
        ("SELECT * FROM process_trace WHERE ocid = 'o'", ("link_to", "contracting_process_family"), ("link_from",)),
        ("SELECT * FROM contract_without_payment", ("identity_ocid", "link_to"), ("link_from",)),
        ("SELECT * FROM contract_without_report", ("identity_ocid", "link_to"), ("link_from",)),
        ("SELECT * FROM subject_without_link", ("link_standing", "link_pending"), ()),
        ("SELECT * FROM proposal_without_budget", ("link_standing", "link_pending"), ()),
        ("SELECT * FROM budget_line_without_package", ("link_standing", "link_pending"), ()),
        ("SELECT * FROM late_plan", ("contracting_process_tendered",), ()),
    ],
)
def test_results_are_found_by_index(today: Engine, query: str, used: tuple[str, ...], unused: tuple[str, ...]) -> None:
    """Also without statistics: going through all links of a kind for each process would take hours."""
    end = {"rule": "r", "confidence": 1, "by": "b", "status": "pending", "run_id": "2025-09-01"}
    ends = [{"from_kind": "kontrak", "from_code": str(n), "to_kind": "tender", "to_code": str(n)} for n in range(5000)]
    with writing(today) as conn:
        insert_rows(conn, link, ({"id": one["to_code"], **one, **end} for one in ends))
        insert_rows(
            conn, identity,
            ({"kind": "tender", "key": one["to_code"], "ocid": one["to_code"], "run_id": "2025-09-01"} for one in ends),
        )  # fmt: skip
        plan = _plan(conn, query)
    assert [name for name in used if name not in plan] == []
    assert [name for name in unused if name in plan] == []
