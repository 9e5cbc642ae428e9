"""Compiled records to the star tables and the views, on both databases."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, func, insert, select

from tests.processes import OFFICE, WINNER, idr, whole
from tests.releases import releases
from warehouse.engine import reading, writing
from warehouse.load import insert_rows, upsert_rows
from warehouse.star import note_changes, stage_counts, star_rows, write_star
from warehouse.tables import (
    DIMENSIONS,
    OPEN,
    STAR,
    attempt,
    award,
    bid,
    contract,
    contracting_process,
    document,
    office,
    payment,
    process,
    process_party,
    progress,
    proposal,
    record,
    run,
    run_process,
    stage_event,
    supplier,
)
from warehouse.views import view_metadata

family_trace = view_metadata.tables["family_trace"]
office_stage_completeness = view_metadata.tables["office_stage_completeness"]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def started(warehouse: Engine) -> Engine:
    with writing(warehouse) as conn:
        conn.execute(insert(run), {"id": "r1", "command": "sync", "started_at": "t", "status": "running"})
    return warehouse


def write(conn: Connection, *compiled: dict[str, Any]) -> int:
    """Write states as a build does; returns how many."""
    families = dict(conn.execute(select(process.c.ocid, process.c.family)).all())
    for one in compiled:
        row = {"ocid": one["ocid"], "compiled": one, "releases": 1, "date": "d", "rows": b"", "run_id": "r1"}
        upsert_rows(conn, record, [row])
        rows = star_rows(one, families.get(one["ocid"], one["ocid"]), None, "2025-06-01T00:00:00Z")
        write_star(conn, [(one["ocid"], rows)])
    return len(compiled)


def count(conn: Connection, table: Table) -> int:
    return conn.scalar(select(func.count()).select_from(table)) or 0


def carried(implementation: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "c", "awardID": "a", "implementation": implementation, **more}


def metric(name: str, month: int, measure: float | None) -> dict[str, Any]:
    """A metric of one report."""
    seen = {"id": f"2025-{month:02}-01-1", "period": {"startDate": f"2025-{month:02}-01T00:00:00+07:00"}}
    return {"id": name, "observations": [seen if measure is None else {**seen, "measure": measure}]}


def test_a_process_of_five_stages(started: Engine) -> None:
    with writing(started) as conn:
        assert write(conn, whole()) == 1
    with reading(started) as conn:
        row = conn.execute(select(contracting_process)).one()._mapping
        assert dict(row) == {
            "ocid": "ocds-213czf-rup-100",
            "family": "ocds-213czf-rup-100",
            "origin": "rup",
            "title": "Jalan desa",
            "office_id": "JEJAK-SATKER-1.01",
            "office_name": "DINAS CONTOH",
            "method": "open",
            "method_details": "Tender",
            "category": "works",
            "tender_status": "complete",
            "place_code": None,
            "village": None,
            "district": None,
            "fiscal_year": 2025,
            "planned_amount": 1000,
            "tender_value": 990,
            "awarded_amount": 900,
            "contracted_amount": 900,
            "certified_amount": None,
            "recorded_amount": None,
            "recorded_cancelled_amount": None,
            "disbursed_amount": 900.5,
            "payments": 2,
            "last_payment_at": local("2025-05-01T00:00:00"),
            "physical_progress": None,
            "financial_progress": None,
            "last_report_on": None,
            "has_planning": True,
            "has_tender": True,
            "has_award": True,
            "has_contract": True,
            "has_implementation": True,
            "first_date": local("2025-03-01T00:00:00"),
            "last_date": local("2025-05-02T23:59:59"),
            "updated_at": "2025-06-01T00:00:00Z",
        }
        names = ("id", "channel", "hps", "bidders", "bids_from")
        assert conn.execute(select(*(attempt.c[name] for name in names))).one() == (
            "tender-555", "tender", 990, 2, local("2025-02-01T08:00:00"),
        )  # fmt: skip
        assert conn.execute(select(bid.c.id, bid.c.supplier_id, bid.c.value).order_by(bid.c.id)).all() == [
            ("b1", "JEJAK-PENYEDIA-7", 900),
            ("b2", "JEJAK-PENYEDIA-8", 950),
        ]
        standing = select(award.c.id, award.c.status, award.c.stands, award.c.suppliers, award.c.attempt_id)
        assert conn.execute(standing.order_by(award.c.id)).all() == [
            ("a0", "cancelled", False, 1, "tender-555"),
            ("a1", None, True, 1, "tender-555"),
        ]
        signed = conn.execute(select(contract).where(contract.c.id == "c1")).one()
        assert (signed.supplier_id, signed.disbursed_amount, signed.payments) == ("JEJAK-PENYEDIA-7", 900.5, 2)
        assert (signed.value, signed.channel, signed.last_payment_at) == (900, "tender", local("2025-05-01T00:00:00"))
        assert conn.execute(select(payment.c.contract_id, payment.c.id, payment.c.value, payment.c.kind)).all() == [
            ("c1", "t1", 300, "sp2d"),
            ("c1", "t2", 600.5, "sp2d"),
        ]
        stage = stage_event.c
        assert conn.execute(select(stage.stage, stage.contract_id, stage.id).order_by(stage.id)).all() == [
            ("tender", "", "555-1"),
            ("implementation", "c1", "bast"),
            ("contract", "c1", "spmk"),
        ]
        assert count(conn, process_party) == 5
        named = conn.execute(select(office).where(office.c.id == OFFICE["id"])).one()
        assert (named.name, named.named, named.ocid) == ("DINAS CONTOH", True, "ocds-213czf-rup-100")
        assert conn.scalars(select(supplier.c.name).order_by(supplier.c.name)).all() == ["CV CONTOH", "CV LAIN"]


REACHED = ["tender", "contract", "implementation"]


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        ({"planning": {"budget": {"id": "100"}}, "tender": {"id": "rup-100", "status": "planned"}}, ["planning"]),
        ({"planning": {"budget": {"id": "9"}}, "tender": {"id": "swk-9", "status": "cancelled"}}, ["planning"]),
        ({"tender": {"id": "tender-555", "status": "planned"}}, ["tender"]),
        ({"planning": {"budget": {"id": "1"}}, "tender": {"id": "tender-5"}}, ["planning", "tender"]),
        ({"tender": {"id": "nontender-555", "status": "cancelled"}}, ["tender"]),
        ({"bids": {"details": [{"id": "b"}]}}, ["tender"]),
        ({"awards": [{"id": "a", "status": "unsuccessful"}]}, ["tender"]),
        ({"awards": [{"id": "a"}]}, ["tender", "award"]),
        ({"contracts": [{"id": "c", "awardID": "a", "status": "cancelled"}]}, ["tender"]),
        (
            {"contracts": [{"id": "c", "awardID": "a", "milestones": [{"id": "m", "status": "scheduled"}]}]},
            ["tender", "contract"],
        ),
        ({"contracts": [{"id": "c", "awardID": "a", "milestones": [{"id": "m", "status": "met"}]}]}, REACHED),
        ({"contracts": [carried({"transactions": [{"id": "t", "value": idr(1)}]})]}, REACHED),
        ({"contracts": [carried({"transactions": [{"id": "t"}]})]}, ["tender", "contract"]),
        ({"contracts": [carried({"metrics": [metric("simpen-1-fisik", 3, 0)]})]}, REACHED),
        (
            {"contracts": [carried({}, agreedMetrics=[metric("simpen-1-fisik", 3, 25)])]},
            ["tender", "contract"],
        ),
        ({"contracts": [carried({"documents": [{"id": "d", "title": "Foto"}]})]}, REACHED),
        ({"contracts": [carried({"finalValue": idr(1)}, status="cancelled")]}, ["tender"]),
    ],
)
def test_a_stage_counts_when_it_was_reached(changed: dict[str, Any], stages: list[str]) -> None:
    row = star_rows({"ocid": "ocds-213czf-rup-100", "date": "d", **changed}, "f")["contracting_process"][0]
    assert [name for name in row if name.startswith("has_") and row[name]] == [f"has_{stage}" for stage in stages]


def test_payments_and_progress_of_contracts_that_stand_make_up_the_process(started: Engine) -> None:
    """Two contracts that stand, one that was cancelled; what a source took back counts nowhere."""
    compiled = {
        "ocid": "ocds-000000-rup-1", "date": "d",
        "contracts": [
            {**carried(
                {
                    "transactions": [
                        {"id": "simda-1/LS", "type": "SP2D", "date": "2025-04-01T00:00:00+07:00", "value": idr(100),
                         "payer": OFFICE, "payee": WINNER},
                        {"id": "simda-2/LS"},
                    ],
                    "metrics": [
                        metric("simpen-1-fisik", 3, 15), metric("simpen-2-fisik", 4, 40),
                        metric("simpen-1-keuangan", 3, 10), metric("lain-3-fisik", 6, None),
                    ],
                }), "id": "c1", "value": idr(300),
                "agreedMetrics": [
                    metric("simpen-1-fisik", 3, 20), metric("simpen-2-fisik", 4, 30),
                    metric("simpen-1-keuangan", 3, 20), metric("lain-3-fisik", 6, 90),
                ]},
            {**carried({"metrics": [metric("simpen-4-fisik", 2, 100)]}), "id": "c2", "value": idr(100)},
            {**carried(
                {"transactions": [{"id": "x", "type": "SP2D", "value": idr(7)}],
                 "metrics": [metric("simpen-5-fisik", 9, 1)]},
                status="cancelled"), "id": "c3", "value": idr(9)},
        ],
    }  # fmt: skip
    with writing(started) as conn:
        write(conn, compiled)
        row = conn.execute(select(contracting_process)).one()
        assert (row.disbursed_amount, row.payments, row.last_payment_at) == (100, 1, local("2025-04-01T00:00:00"))
        assert (row.physical_progress, row.financial_progress) == (55, 10)
        assert row.last_report_on == date(2025, 4, 1)
        columns = contract.c
        assert conn.execute(
            select(columns.id, columns.disbursed_amount, columns.physical_progress, columns.last_report_on).order_by(
                "id"
            )
        ).all() == [
            ("c1", 100, 40, date(2025, 4, 1)),
            ("c2", None, 100, date(2025, 2, 1)),
            ("c3", 7, 1, date(2025, 9, 1)),
        ]
        paid = conn.execute(select(payment).where(payment.c.contract_id == "c1")).one()
        assert (paid.id, paid.kind, paid.payer_id, paid.payee_id) == (
            "simda-1/LS", "sp2d", OFFICE["id"], WINNER["id"],
        )  # fmt: skip
        columns = progress.c
        assert conn.execute(
            select(
                columns.source,
                columns.metric_id,
                columns.id,
                columns.kind,
                columns.date,
                columns.plan,
                columns.actual,
                columns.deviation,
            )
            .where(columns.contract_id == "c1")
            .order_by(columns.metric_id)
        ).all() == [
            ("lain", "lain-3-fisik", "2025-06-01-1", "physical", date(2025, 6, 1), 90, None, None),
            ("simpen", "simpen-1-fisik", "2025-03-01-1", "physical", date(2025, 3, 1), 20, 15, -5),
            ("simpen", "simpen-1-keuangan", "2025-03-01-1", "financial", date(2025, 3, 1), 20, 10, -10),
            ("simpen", "simpen-2-fisik", "2025-04-01-1", "physical", date(2025, 4, 1), 30, 40, 10),
        ]


def test_contracts_without_a_value_weigh_alike() -> None:
    contracts = [
        {**carried({"metrics": [metric("m-fisik", 1, done)]}), "id": name, **worth}
        for name, done, worth in (("1", 10, {"value": idr(999)}), ("2", 30, {}), ("3", 50, {"value": idr(0)}))
    ]
    row = star_rows({"ocid": "o", "date": "d", "contracts": contracts}, "o")["contracting_process"][0]
    assert row["physical_progress"] == 30


def test_proposals_and_documents(started: Engine) -> None:
    paper = {
        "id": "d", "documentType": "plan", "title": "KAK", "url": "https://example.org/kak.pdf",
        "format": "application/pdf", "datePublished": "2025-01-02T00:00:00+07:00",
    }  # fmt: skip
    compiled = {
        "ocid": "ocds-000000-rup-1", "date": "d",
        "planning": {
            "proposals": [
                {"id": "usulan-1", "title": "Jalan", "status": "accepted", "statusDetails": "Diterima",
                 "date": "2024-01-02T00:00:00+07:00", "proposedBy": "RW", "organization": OFFICE,
                 "address": {"locality": "Desa Contoh", "region": "Kecamatan Contoh"},
                 "quantity": 12.5, "unit": {"name": "meter"}, "value": idr(50), "documents": [paper]},
                {"id": "usulan-2", "status": "withdrawn"},
            ],
            "documents": [paper],
        },
        "tender": {"id": "1", "documents": [paper]},
        "awards": [{"id": "a", "documents": [paper]}],
        "contracts": [{**carried({"documents": [paper]}), "documents": [paper]}],
    }  # fmt: skip
    with writing(started) as conn:
        write(conn, compiled)
        asked = conn.execute(select(proposal).order_by(proposal.c.id)).all()
        assert asked[0]._asdict() == {
            "ocid": "ocds-000000-rup-1", "id": "usulan-1", "title": "Jalan", "status": "accepted",
            "status_details": "Diterima", "village": "Desa Contoh", "district": "Kecamatan Contoh", "value": 50,
            "quantity": 12.5, "unit": "meter", "proposed_by": "RW", "office_id": OFFICE["id"], "repeated": False,
            "date": local("2024-01-02T00:00:00"),
        }  # fmt: skip
        assert (asked[1].id, asked[1].status) == ("usulan-2", "withdrawn")
        found = conn.execute(select(document).order_by(document.c.stage)).all()
        assert [(row.stage, row.parent_id, row.id) for row in found] == [
            ("award", "a", "d"),
            ("contract", "c", "d"),
            ("implementation", "c", "d"),
            ("planning", "", "d"),
            ("proposal", "usulan-1", "d"),
            ("tender", "", "d"),
        ]
        assert (found[0].type, found[0].title, found[0].url, found[0].format, found[0].date) == (
            "plan", "KAK", "https://example.org/kak.pdf", "application/pdf", local("2025-01-02T00:00:00"),
        )  # fmt: skip


def test_zero_is_an_amount_and_missing_is_none() -> None:
    compiled = {
        "ocid": "o",
        "date": "d",
        "tender": {"value": idr(0)},
        "awards": [{"id": "a", "value": {"currency": "IDR"}}],
    }
    row = star_rows(compiled, "o")["contracting_process"][0]
    assert (row["tender_value"], row["awarded_amount"], row["planned_amount"]) == (0, None, None)


def test_money_of_another_currency_is_not_added_up() -> None:
    compiled = {"ocid": "o", "date": "d", "awards": [{"id": "a", "value": {"amount": 5, "currency": "USD"}}]}
    assert star_rows(compiled, "o")["contracting_process"][0]["awarded_amount"] is None


def test_writing_again_replaces_and_a_process_without_rows_goes(started: Engine) -> None:
    changed = whole()
    del changed["bids"], changed["contracts"]
    with writing(started) as conn:
        write(conn, whole(), whole("ocds-213czf-rup-101"))
        write(conn, changed)
        assert stage_counts(conn) == {
            "records": 2, "planning": 2, "tender": 2, "award": 2, "contract": 1, "implementation": 1,
        }  # fmt: skip
        assert count(conn, bid) == 2
        write_star(conn, [(ocid, {}) for ocid in ("ocds-213czf-rup-100", "ocds-213czf-rup-101", "never-there")])
        assert {table.name: count(conn, table) for table in (*STAR, *DIMENSIONS)} == dict.fromkeys(
            (table.name for table in (*STAR, *DIMENSIONS)), 0
        )
        assert count(conn, record) == 2


def test_a_run_that_is_tried_again_keeps_what_it_has_changed(started: Engine) -> None:
    with writing(started) as conn:
        conn.execute(insert(run), {"id": "r2", "command": "build", "started_at": "t", "status": "running"})

        def noted(run_id: str, change: str | None) -> list[str]:
            note_changes(conn, run_id, {"o": change} if change else {})
            return list(conn.scalars(select(run_process.c.change).where(run_process.c.run_id == run_id)))

        for run_id, change, net in (
            ("r1", "new", ["new"]),
            ("r1", "changed", ["new"]),
            ("r1", None, ["new"]),
            ("r2", "changed", ["changed"]),
            ("r2", "removed", ["removed"]),
            ("r2", "new", ["changed"]),
            ("r1", "removed", []),
        ):
            assert noted(run_id, change) == net


def test_the_fiscal_year_falls_back_to_that_of_the_rows() -> None:
    state = whole("ocds-213czf-tender-9")
    assert star_rows(state, "f", 2030)["contracting_process"][0]["fiscal_year"] == 2025
    del state["planning"]
    assert star_rows(state, "f", 2030)["contracting_process"][0]["fiscal_year"] == 2030
    assert star_rows(state, "f")["contracting_process"][0]["fiscal_year"] is None


def test_a_family_counts_its_plan_once_and_its_money_whole(started: Engine) -> None:
    """A RUP, a failed attempt that joined it, a retender and a direct purchase of their own; and a process alone."""
    plan = whole("ocds-213czf-rup-1")
    for section in ("bids", "awards", "contracts"):
        del plan[section]
    plan["tender"]["status"] = "unsuccessful"
    retender, purchase = whole("ocds-213czf-tender-2"), whole("ocds-213czf-ecat-3")
    for other in (retender, purchase):
        other["planning"]["budget"]["isRepeated"] = True
    purchase["buyer"] = {"id": "JEJAK-SATKER-2.02", "name": "KECAMATAN CONTOH"}
    alone = {
        "ocid": "ocds-213czf-tender-9", "date": "d", "buyer": OFFICE,
        "planning": {"budget": {"amount": idr(50)}}, "tender": {"id": "9", "value": idr(49)},
    }  # fmt: skip
    with writing(started) as conn:
        insert_rows(
            conn, process,
            [{"ocid": one["ocid"], "family": "ocds-213czf-rup-1"} for one in (plan, retender, purchase)],
        )  # fmt: skip
        write(conn, plan, retender, purchase, alone)
    with reading(started) as conn:
        family, single = conn.execute(select(family_trace).order_by(family_trace.c.family)).all()
        assert (family.family, family.processes, family.stages, family.first_missing) == (
            "ocds-213czf-rup-1",
            3,
            5,
            None,
        )
        assert (family.planned_amount, family.tendered_amount) == (1000, 1980)
        assert (family.awarded_amount, family.contracted_amount, family.disbursed_amount) == (1800, 1800, 1801)
        assert (single.planned_amount, single.stages, single.first_missing) == (50, 2, "award")
        offices = {
            row.office_id: row for row in conn.execute(select(office_stage_completeness)).all() if row.fiscal_year
        }
        assert {name: (row.families, row.with_tender, row.complete) for name, row in offices.items()} == {
            "JEJAK-SATKER-1.01": (1, 1, 1),
            "JEJAK-SATKER-2.02": (1, 1, 1),
        }
        alone_there = conn.execute(
            select(office_stage_completeness).where(office_stage_completeness.c.fiscal_year.is_(None))
        ).one()
        assert (alone_there.families, alone_there.with_planning, alone_there.with_award) == (1, 1, 0)


# ------------------------------------------------------------------------------------------------------- organizations


def naming(ocid: str, names: dict[str, str]) -> dict[str, Any]:
    """A state that names organisations; an empty name is none, and one that begins with PT tells a legal form."""
    parties: list[dict[str, Any]] = [{"id": party, "roles": ["supplier"]} for party in names]
    for party in parties:
        if name := names[party["id"]]:
            party["name"] = name
        if name.startswith("PT"):
            party["details"] = {"legalForm": "Perseroan Terbatas (PT)"}
    return {"ocid": ocid, "parties": parties}


def test_a_supplier_has_the_words_of_the_first_record_that_names_it(started: Engine) -> None:
    def names() -> dict[str, str]:
        return dict(conn.execute(select(supplier.c.id, supplier.c.name)).all())

    with writing(started) as conn:
        write(conn, naming("b", {"p": "of b", "q": "only"}))
        write(conn, naming("c", {"p": "of c"}))
        assert names() == {"p": "of b", "q": "only"}
        write(conn, naming("a", {"p": ""}))
        assert names() == {"p": "of b", "q": "only"}
        write(conn, naming("a", {"p": "of a"}))
        assert names() == {"p": "of a", "q": "only"}
        write(conn, naming("a", {}))
        assert names() == {"p": "of b", "q": "only"}
        write(conn, naming("b", {}))
        assert names() == {"p": "of c"}
        # Who tells the legal form, too, goes before.
        write(conn, naming("a", {"p": "of a"}), naming("d", {"p": "PT of d"}))
        assert conn.execute(select(supplier.c.name, supplier.c.legal_form)).one() == (
            "PT of d", "Perseroan Terbatas (PT)",
        )  # fmt: skip
        write(conn, naming("d", {"p": "of d"}))
        assert names() == {"p": "of a"}


_names = st.dictionaries(st.sampled_from("pq"), st.sampled_from(["", "A", "B", "PT A"]), max_size=2)
_records = st.tuples(st.sampled_from("abc"), _names)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_records, max_size=8))
def test_suppliers_do_not_depend_on_the_order_of_writing(
    started: Engine, written: list[tuple[str, dict[str, str]]]
) -> None:
    """After any sequence of writes the table is what writing only the last version of each record gives."""
    columns = supplier.c.id, supplier.c.name, supplier.c.ocid
    last = {ocid: naming(ocid, names) for ocid, names in written}
    with writing(started) as conn:
        for ocid, names in written:
            write(conn, naming(ocid, names))
        found = conn.execute(select(*columns).order_by(supplier.c.id)).all()
        write_star(conn, [(ocid, {}) for ocid in "abc"])
        assert count(conn, supplier) == 0
        write(conn, *last.values())
        assert found == conn.execute(select(*columns).order_by(supplier.c.id)).all()
        conn.rollback()


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.lists(releases, min_size=1, max_size=4, unique_by=lambda one: one["ocid"]))
@example(
    [naming("a", {}) | {"tender": {"id": "1", "location": {"geometry": {"type": "Point", "coordinates": [[112.0]]}}}}]
)
def test_any_valid_release_can_be_a_row(started: Engine, compiled: list[dict[str, Any]]) -> None:
    with writing(started) as conn:
        assert write(conn, *compiled) == len(compiled)
        assert stage_counts(conn)["records"] == len(compiled)
        for table in (*OPEN, *view_metadata.sorted_tables):
            conn.execute(select(table)).all()
        conn.rollback()
