"""Links through the real commands: what they join, what operators decide, and that arrival's order is no matter."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from pipeline.links import decide, link_pending, note_evidence
from pipeline.registry import SOURCES
from schemas.settings import Settings
from tests.test_side_by_side import empty
from tests.worlds import EditedWorld, Town, contents, plain, run_apart, served
from transforms.difference import living
from transforms.evidence import Evidence
from transforms.linking import contracts
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing
from warehouse.releases import unpacked

EVERY_SYSTEM = tuple(SOURCES)
JOINING = [name for name, source in SOURCES.items() if any(service.linked for service in source.services.values())]


@pytest.fixture
def joined_town(tmp_path: Path, file_url: str) -> Iterator[Town]:
    """A small town of all systems, each spelled as clerks do."""
    with served(EditedWorld(120, seed=3), tmp_path, file_url, simda=True) as town:
        yield town


@pytest.fixture
def joined_town_on_both(tmp_path: Path, warehouse_url: str) -> Iterator[Town]:
    """The same with a warehouse on SQLite and on PostgreSQL."""
    with served(EditedWorld(120, seed=3), tmp_path, warehouse_url, simda=True) as town:
        yield town


def links(town: Town, *statuses: str) -> dict[str, dict[str, Any]]:
    rows = town.query(select(t.link))
    return {row["id"]: row for row in rows if not statuses or row["status"] in statuses}


def records(town: Town) -> dict[str, Any]:
    """The states of all processes."""
    columns = t.record.c
    found = town.query(select(columns.ocid, columns.compiled, columns.withdrawn))
    return {row["ocid"]: plain(living(row["compiled"], row["withdrawn"] or ())) for row in found}


def placed(town: Town) -> set[tuple[str, ...]]:
    """Which process each current row is part of."""
    return {
        (service, scope, key, row["ocid"])
        for row in town.query(select(t.record.c.ocid, t.record.c.rows))
        for _, _, service, scope, key, _, gone, _ in unpacked(row["rows"])
        if not gone
    }


def test_a_system_that_comes_later_enriches_records_and_opens_none(joined_town_on_both: Town) -> None:
    town = joined_town_on_both
    town.sync(settings=town.settings())
    before = records(town)
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(*JOINING, settings=settings)
    after = records(town)
    assert after.keys() == before.keys()
    shown = {
        "proposals": [r for r in after.values() if r.get("planning", {}).get("proposals")],
        "documents": [r for r in after.values() if r.get("planning", {}).get("documents")],
        "projectID": [r for r in after.values() if r.get("planning", {}).get("budget", {}).get("projectID")],
        "transactions": [r for r in after.values() if any(paid(c) for c in r.get("contracts", ()))],
        "metrics": [
            r for r in after.values() if any(c.get("implementation", {}).get("metrics") for c in r.get("contracts", ()))
        ],
    }
    assert all(shown.values()), {name: len(found) for name, found in shown.items()}
    stored = contents(town.engine)
    town.sync(settings=settings)
    assert contents(town.engine) == stored


def paid(contract: dict[str, Any]) -> list[str]:
    payments = contract.get("implementation", {}).get("transactions", ())
    return [payment["id"] for payment in payments if payment["id"].startswith("simda-") and "value" in payment]


def test_decisions_outlive_every_rerun_and_leave_no_trace_when_undone(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(settings=settings)
    before, minted = records(town), town.query(select(t.identity).order_by("kind", "key"))
    # A purchase with one contract in SIMDA: of some the clerks typed two.
    joined = [each for each in links(town, "auto").values() if each["rule"] == "contract-payment"]
    targets = [(each["to_kind"], each["to_code"]) for each in joined]
    link = next(each for each in joined if targets.count((each["to_kind"], each["to_code"])) == 1)
    ocid = town.query(
        select(t.identity.c.ocid).where(t.identity.c.kind == link["to_kind"], t.identity.c.key == link["to_code"])
    )[0]["ocid"]
    result = town.jejak(
        "links", "reject", link["id"], "--by", "operator", "--note", "another office", settings=settings
    )
    assert result.status == 0, result.err
    assert [p for contract in before[ocid]["contracts"] for p in paid(contract)]
    assert not [p for contract in records(town)[ocid]["contracts"] for p in paid(contract)]
    assert town.query(select(t.release).where(t.release.c.ocid == ocid, t.release.c.voided_at.is_not(None)))
    town.next_day()
    town.sync(settings=settings)
    assert town.jejak("rebuild", settings=settings).status == 0
    kept = links(town)[link["id"]]
    assert (kept["status"], kept["decided_by"], kept["note"]) == ("rejected", "operator", "another office")
    assert not [p for contract in records(town)[ocid]["contracts"] for p in paid(contract)]
    assert town.jejak("links", "confirm", link["id"], "--by", "operator", settings=settings).status == 0
    assert records(town)[ocid] == before[ocid]
    assert town.query(select(t.identity).order_by("kind", "key")) == minted


def test_a_confirmed_link_enriches(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    path = settings.with_name("asking.toml")
    # Nothing links by itself here.
    path.write_text(settings.read_text() + "\n[links.contract-payment]\naccept = 1.0\npending = 0.5\n")
    town.sync(settings=path)
    pending = [each for each in links(town, "pending").values() if each["rule"] == "contract-payment"]
    assert pending
    listed = town.jejak("links", "list", "--rule", "contract-payment", "--json", settings=path)
    assert {each["id"] for each in json.loads(listed.out)} == {each["id"] for each in pending}
    assert town.jejak("links", "show", pending[0]["id"], settings=path).status == 0
    before = records(town)
    assert town.jejak("links", "confirm", pending[0]["id"], settings=path).status == 0
    changed = [ocid for ocid, record in records(town).items() if record != before[ocid]]
    assert len(changed) <= 1
    assert links(town)[pending[0]["id"]]["status"] == "confirmed"


def test_no_link_of_that_name(joined_town: Town) -> None:
    result = joined_town.jejak("links", "confirm", "feedbeef0000")
    assert result.status == 1
    assert "jejak links list" in result.err


def test_what_came_and_went_leaves_the_links_as_they_were(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(settings=settings)
    before = compared(town)
    service = "SPSE-NonTenderEkontrak-2Kontrak"
    # Each contract has a twin of another code for a night: nobody can tell which of the two was paid.
    town.edit(service, lambda rows: [*rows, *(row | {"kd_nontender": row["kd_nontender"] + 5} for row in rows)])
    town.next_day()
    town.sync(settings=settings)
    assert compared(town) != before
    town.edit(service, None)
    town.next_day()
    town.sync(settings=settings)
    assert compared(town) == before


def test_a_vanished_payment_is_told_of_where_it_belonged(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(settings=settings)
    jobs = [each for each in links(town, "auto").values() if each["rule"] == "contract-report"]
    town.edit(
        "SIMPEN-Pekerjaan", lambda rows: [row for row in rows if str(row["pekerjaan_id"]) != jobs[0]["from_code"]]
    )
    town.next_day()
    town.sync(settings=settings)
    kept = links(town)[jobs[0]["id"]]
    assert kept["status"] == "auto"
    assert town.query(select(t.subject.c.gone).where(t.subject.c.kind == "pekerjaan", t.subject.c.gone))
    released = town.query(select(t.release.c.id).where(t.release.c.voided_at.is_not(None)))
    assert not [row for row in released if "metrics" in str(row)]


def compared(town: Town) -> list[list[Any]]:
    """Links without what names the run."""
    names = ("rule", "from_kind", "from_code", "to_kind", "to_code", "confidence", "by", "status")
    return sorted([row[name] for name in names] for row in links(town).values())


def test_other_thresholds_hold_from_the_next_build_on(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(settings=settings)
    before = compared(town)
    strict = settings.with_name("strict.toml")
    strict.write_text(settings.read_text() + "\n[links.contract-payment]\naccept = 1.0\npending = 0.5\n")
    assert town.jejak("build", settings=strict).status == 0
    assert not [each for each in links(town, "auto").values() if each["rule"] == "contract-payment"]
    assert not [p for record in records(town).values() for c in record.get("contracts", ()) for p in paid(c)]
    assert town.jejak("build", settings=settings).status == 0
    assert compared(town) == before
    wrong = settings.with_name("wrong.toml")
    wrong.write_text(settings.read_text() + "\n[links.contract-payment]\naccept = 0.1\npending = 0.5\n")
    result = town.jejak("build", settings=wrong)
    assert result.status == 1
    assert "pending lies above accept" in result.err


def test_a_decision_holds_when_the_subject_is_listed_in_a_later_year_too(warehouse_url: str) -> None:
    engine = open_warehouse(warehouse_url)
    settings = Settings(
        name="Uji",
        ocid_prefix="ocds-000000",
        kd_klpd="D999",
        kd_lpse="999",
        fiscal_years=[2025],
        warehouse_url=warehouse_url,
    )
    with writing(engine) as conn:
        began = {"command": "build", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
        conn.execute(insert(t.run), {"id": "r", **began})

    def say(year: int) -> None:
        number, supplier = ("900.3/001/SPK/UJI/2024",), ("CV. CONTOH",)
        same: dict[str, Any] = {
            "numbers": number,
            "suppliers": supplier,
            "amounts": (1_000_000.0,),
            "dates": ("2024-03-01",),
        }
        with writing(engine) as conn:
            for kind, code in (("nontender", "90000001000"), ("pekerjaan", "970001")):
                evidence = Evidence((kind, code), year, office="9.01.0.00.0.00.01.0000", **same)
                note_evidence(conn, [(("any", kind, str(year), code), evidence)])
        link_pending(engine, settings, "r")

    def standing() -> list[tuple[str, int | None]]:
        with reading(engine) as conn:
            return [
                (row.status, row.year) for row in conn.execute(select(t.link).where(t.link.c.rule == "contract-report"))
            ]

    say(2024)
    assert standing() == [("auto", 2024)]
    with writing(engine) as conn:
        name = conn.execute(select(t.link.c.id).where(t.link.c.rule == "contract-report")).scalar_one()
        decide(conn, [name], "rejected", "operator", "not ours")
    say(2025)
    assert standing() == [("rejected", 2024)]
    engine.dispose()


def test_a_change_counts_also_beside_a_row_that_says_the_same(warehouse: Engine) -> None:
    subject = ("nontender", "90000001000")
    places = [("lpse", "Kontrak", "2025", "a"), ("lpse", "SPMK", "2025", "b")]
    with writing(warehouse) as conn:
        note_evidence(conn, [(place, Evidence(subject, 2025, amounts=(1.0,))) for place in places])
        conn.execute(t.pending_link.delete())
        changed, same = Evidence(subject, 2025, amounts=(2.0,)), Evidence(subject, 2025, amounts=(1.0,))
        note_evidence(conn, [(places[0], changed), (places[1], same)])
        assert [row[:3] for row in conn.execute(select(t.pending_link))] == [(*subject, 2025)]
        note_evidence(conn, [(places[0], None)])
        assert [row.key for row in conn.execute(select(t.evidence))] == ["b"]


def test_a_subject_that_cannot_be_compared_stops_no_other(
    joined_town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    joined_town.sync(settings=joined_town.settings(systems=EVERY_SYSTEM))
    known, expected = contracts.features, links(joined_town)
    broken = next(row["from_code"] for row in expected.values() if row["rule"] == "contract-payment")
    empty(joined_town.engine)

    def fail(evidence: Evidence, *more: Any) -> Any:
        if evidence.subject == ("kontrak", broken):
            raise ZeroDivisionError
        return known(evidence, *more)

    with monkeypatch.context() as patch:
        patch.setattr(contracts, "features", fail)
        joined_town.sync(settings=joined_town.settings(systems=EVERY_SYSTEM))
    assert f"kontrak {broken} was not linked: ZeroDivisionError, a defect of Jejak" in caplog.text
    found = links(joined_town)
    assert broken not in {row["from_code"] for row in found.values()}
    assert {name for name, row in expected.items() if row["from_code"] != broken} <= found.keys()
    assert records(joined_town)


def test_what_fails_for_many_subjects_fails_the_linking(joined_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(contracts, "features", fail)
    with pytest.raises(ZeroDivisionError):
        joined_town.jejak("sync", settings=joined_town.settings(systems=EVERY_SYSTEM))
    assert not links(joined_town)


def test_numbers_of_persons_in_codes_are_not_listed(joined_town: Town) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    nip, phone = "199001012015011001", "081234567890"
    addresses = iter((f"https://opd.example/{nip}.pdf", f"https://opd.example/wa%20{phone}.jpg"))
    town.edit(
        "Dokumen-Perencanaan",
        lambda rows: [row | {"url": next(addresses, row["url"])} for row in rows],
    )
    town.sync(settings=settings)
    tables = {
        name: str(rows)
        for name, rows in contents(town.engine).items()
        if name not in {table.name for table in t.PRIVATE}
    }
    result = town.jejak("links", "list", "--status", "all", settings=settings)
    assert {name for name, text in {**tables, "list": result.out}.items() if nip in text or phone in text} == set()


def test_killed_while_linking_and_started_again(joined_town: Town, new_url: Callable[[], str], tmp_path: Path) -> None:
    town = joined_town
    settings = town.settings(systems=EVERY_SYSTEM)
    log = tmp_path / "log"
    assert run_apart(town.environment, log, "sync", "--settings", settings) == 0
    commits, whole = int(log.read_text().split()[-1]), contents(town.engine)
    # The last transactions: placing, linking, deriving, building.
    for die_at in (commits - 40, commits - 31, commits - 30, commits - 29, commits - 20, commits - 3):
        url = new_url()
        again = town.settings(systems=EVERY_SYSTEM, warehouse_url=url)
        assert run_apart(town.environment, log, "sync", "--settings", again, die_at=die_at) == -signal.SIGKILL
        assert run_apart(town.environment, log, "sync", "--settings", again) == 0
        engine = open_warehouse(url)
        assert contents(engine) == whole, die_at
        engine.dispose()


# --- a system that is off ---------------------------------------------------------------------------------------------

DAYS_OFF = (2, 5, 8)  # the days of the week on which the others are read
BACK = 9


def live(town: Town, off: str | None) -> None:
    """A first night, a week that `off` spends switched off, and a night with all again."""
    everything = town.settings(systems=EVERY_SYSTEM)
    town.sync(settings=everything)
    day = 1
    for read in (*DAYS_OFF, BACK):
        while day < read:
            town.next_day(0.02)
            day += 1
        if off is None or read == BACK:
            town.sync(settings=everything)
        else:
            assert town.jejak("sync", settings=town.settings(systems=EVERY_SYSTEM, off=off)).status == 1


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(sqlite_template, folder / "jejak.db")
    with served(EditedWorld(60, seed=5), folder, f"sqlite:///{folder}/jejak.db", simda=True) as town:
        live(town, None)
        yield town


@pytest.mark.parametrize("off", EVERY_SYSTEM)
def test_a_week_off_leaves_no_trace(off: str, undisturbed: Town, tmp_path: Path, new_url: Callable[[], str]) -> None:
    with served(EditedWorld(60, seed=5), tmp_path, new_url(), simda=True) as town:
        live(town, off)
        assert compared(town) == compared(undisturbed)
        assert records(town) == records(undisturbed)
        assert placed(town) == placed(undisturbed)
        codes = select(t.identity.c.kind, t.identity.c.key, t.identity.c.ocid).order_by("kind", "key")
        assert town.query(codes) == undisturbed.query(codes)
