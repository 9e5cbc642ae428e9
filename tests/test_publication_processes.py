"""What a publication tells of each process: its year for ever, its state, its releases, where it comes from."""

from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from reports.process import states_of
from reports.publication.processes import PublishedProcess, digests, fiscal_years, processes
from tests.worlds import Town
from transforms.merge import compiled
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import insert_rows
from warehouse.releases import packed

OCID = "ocds-213czf-rup-1"
PLAN, TENDER, PAYMENT = "RUP-PaketPenyedia-Terumumkan", "SPSE-TenderPengumuman", "SPSE-TenderEkontrak-4BAPBAST"


def read(engine: Engine) -> list[PublishedProcess]:
    with reading(engine) as conn:
        return list(processes(conn, fiscal_years(conn)))


def test_each_process_comes_once_as_the_warehouse_has_it(town_on_both: Town) -> None:
    town_on_both.sync()
    found = read(town_on_both.engine)
    ocids = [process.ocid for process in found]
    assert ocids == sorted(set(ocids))
    assert len(ocids) > 10
    assert {process.fiscal_year for process in found} <= set(town_on_both.world.years)
    with reading(town_on_both.engine) as conn:
        assert states_of(conn, ocids) == {process.ocid: process.state for process in found}
        some = dict(list(fiscal_years(conn).items())[3:7])
        assert [process.ocid for process in processes(conn, some)] == list(some)
    for process in found:
        assert compiled([release.body for release in process.releases]) == process.record
        assert all(release.made_at for release in process.releases)
        assert set(process.sources) <= {"sirup", "lpse"}
    assert any(set(process.sources) == {"sirup", "lpse"} for process in found)


def test_a_digest_is_another_where_the_process_is(town: Town) -> None:
    town.sync()
    before = {process.ocid: process for process in read(town.engine)}
    town.sync()
    assert {process.ocid: process.digest for process in read(town.engine)} == {
        ocid: process.digest for ocid, process in before.items()
    }
    town.next_day(0.2)
    town.sync()
    after = {process.ocid: process for process in read(town.engine)}
    changed = {ocid for ocid, process in before.items() if after[ocid].digest != process.digest}
    assert changed
    assert {ocid for ocid, process in before.items() if after[ocid].releases != process.releases} <= changed


def test_a_plan_that_was_taken_back_is_told_and_makes_another_digest(town: Town) -> None:
    town.sync()
    before = {process.ocid: process for process in read(town.engine)}
    ocid = next(ocid for ocid, process in before.items() if "-rup-" in ocid and not process.deactivated)
    with writing(town.engine) as conn:
        conn.execute(update(t.plan).where(t.plan.c.ocid == ocid).values(status="withdrawn"))
    after = {process.ocid: process for process in read(town.engine)}
    assert after[ocid].deactivated
    assert {name for name, process in after.items() if process.digest != before[name].digest} == {ocid}
    with reading(town.engine) as conn:
        assert digests(conn, after) == {name: process.digest for name, process in after.items()}


def version(service: str, scope: str, kind: str = "rup", code: str = "1") -> list[Any]:
    return [kind, code, service, scope, code, "2025-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("lineage", "year"),
    [
        # Of several announcements the oldest, in whatever order and whenever they were read.
        ([version(PLAN, "2025"), version(PLAN, "2024"), version(PAYMENT, "2023")], 2024),
        # A plan of the family that another process was opened for says nothing of this one.
        ([version(PLAN, "2023", code="9"), version(TENDER, "2024", "tender", "7")], 2024),
        ([version(PLAN, "2023", code="9"), version(PAYMENT, "2024", "tender", "7")], 2023),
        ([version(PAYMENT, "2024", "tender", "7")], 2024),
        ([["rup", "1", PLAN, "all", "1", "2022-01-01T00:00:00Z"]], 2026),  # the year of the release
    ],
)
def test_a_process_keeps_the_year_of_its_first_announcement(
    warehouse: Engine, lineage: list[list[Any]], year: int
) -> None:
    with writing(warehouse) as conn:
        run = {"id": "r", "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
        conn.execute(insert(t.run), run)
        codes = [
            {"kind": kind, "key": key, "ocid": OCID, "run_id": "r"} for kind, key in (("rup", "1"), ("tender", "7"))
        ]
        insert_rows(conn, t.identity, codes)
        # The first release is voided, and the second was made of older rows that came later.
        for number, rows in ((1, lineage), (2, [version(PLAN, "2019")])):
            release = {
                "id": f"r{number}", "ocid": OCID, "number": number, "date": f"2026-01-0{number}T00:00:00+07:00",
                "made_at": "2026-01-09T00:00:00Z", "tags": ["planning"], "body": packed({}), "lineage": packed(rows),
                "run_id": "r", "voided_at": "2026-02-01T00:00:00Z" if number == 1 else None,
            }  # fmt: skip
            insert_rows(conn, t.release, [release])
        record = {"ocid": OCID, "compiled": {}, "releases": 1, "date": "2026-01-02T00:00:00+07:00", "rows": packed([])}
        insert_rows(conn, t.record, [{**record, "run_id": "r"}])
    with reading(warehouse) as conn:
        assert fiscal_years(conn) == {OCID: year}
