"""Links through the real commands: what they join, what operators decide, and that arrival's order is no matter."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.registry import SOURCES
from tests.worlds import EditedWorld, Town, contents, served
from warehouse import tables as t

EVERY_SYSTEM = tuple(SOURCES)
JOINING = [name for name, source in SOURCES.items() if any(service.linked for service in source.services.values())]


@pytest.fixture
def joined_town(tmp_path: Path, file_url: str) -> Iterator[Town]:
    """A small town of all systems, each spelled as clerks do."""
    with served(EditedWorld(120, seed=3), tmp_path, file_url, simda=True) as town:
        yield town


def links(town: Town, *statuses: str) -> dict[str, dict[str, Any]]:
    rows = town.query(select(t.link))
    return {row["id"]: row for row in rows if not statuses or row["status"] in statuses}


def records(town: Town) -> dict[str, Any]:
    """Compiled releases without what the time of observation gives them: their date, and the id made of it."""
    found = town.query(select(t.record.c.ocid, t.record.c.compiled))
    return {row["ocid"]: settled({**row["compiled"], "date": None, "id": None}) for row in found}


def settled(value: Any) -> Any:
    """A JSON value with its lists of objects in the order of their ids: which was told first is no content."""
    if isinstance(value, dict):
        return {name: settled(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        items = [settled(item) for item in value]
        return sorted(items, key=lambda item: item["id"]) if items and isinstance(items[0], dict) else items
    return value


def told(town: Town) -> set[tuple[str, ...]]:
    """Which process each current row is told in, by a release that stands."""
    raw, release, lineage = t.raw_record.c, t.release.c, t.lineage.c
    rows = town.query(
        select(raw.source, raw.service, raw.scope, raw.key, release.ocid)
        .join(t.lineage, lineage.raw_id == raw.id)
        .join(t.release, release.id == lineage.release_id)
        .where(raw.current, ~raw.gone, release.voided_at.is_(None))
    )
    return {tuple(row.values()) for row in rows}


def test_a_system_that_comes_later_enriches_records_and_opens_none(joined_town: Town) -> None:
    town = joined_town
    town.sync(settings=town.settings())
    before = records(town)
    settings = town.settings(systems=EVERY_SYSTEM)
    town.sync(*JOINING, settings=settings)
    after = records(town)
    assert after.keys() == before.keys()
    told = {
        "proposals": [r for r in after.values() if r.get("planning", {}).get("proposals")],
        "documents": [r for r in after.values() if r.get("planning", {}).get("documents")],
        "projectID": [r for r in after.values() if r.get("planning", {}).get("budget", {}).get("projectID")],
        "transactions": [r for r in after.values() if any(paid(c) for c in r.get("contracts", ()))],
        "metrics": [
            r for r in after.values() if any(c.get("implementation", {}).get("metrics") for c in r.get("contracts", ()))
        ],
    }
    assert all(told.values()), {name: len(found) for name, found in told.items()}
    said = contents(town.engine)
    town.sync(settings=settings)
    assert contents(town.engine) == said


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
    said = town.jejak("links", "reject", link["id"], "--by", "operator", "--note", "another office", settings=settings)
    assert said.status == 0, said.err
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
    said = joined_town.jejak("links", "confirm", "feedbeef0000")
    assert said.status == 1
    assert "jejak links list" in said.err


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
        names = ("rule", "from_kind", "from_code", "to_kind", "to_code", "confidence", "by", "status")
        ours, theirs = ([[row[n] for n in names] for row in links(each).values()] for each in (town, undisturbed))
        assert sorted(ours) == sorted(theirs)
        assert records(town) == records(undisturbed)
        assert told(town) == told(undisturbed)
        codes = select(t.identity.c.kind, t.identity.c.key, t.identity.c.ocid).order_by("kind", "key")
        assert town.query(codes) == undisturbed.query(codes)
