"""A regency that goes from SIMDA to SIPD-RI in July: both are read, and its books are those of a year in one system."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from simulator.truth import truth
from tests.worlds import TOKEN, EditedWorld, Town, served
from warehouse import tables as t

SYSTEMS = ("sirup", "lpse", "simda")
BOTH = {name: {"transport": "sipd"} for name in ("SIPD-SP2D", "SIMDA-Anggaran")}


def world(since: dt.date | None = None) -> EditedWorld:
    return EditedWorld(150, seed=5, noise=0, bought_share=0.8, unknown_rows=0, sipd_since=since)


@pytest.fixture
def towns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Town, Town]]:
    """The same regency twice: one that keeps SIMDA, and one that switches."""
    folders = [tmp_path / name for name in ("kept", "switched")]
    for folder in folders:
        folder.mkdir()
    with (
        served(world(), folders[0], f"sqlite:///{folders[0]}/jejak.db", simda=True) as kept,
        served(world(dt.date(2025, 7, 1)), folders[1], f"sqlite:///{folders[1]}/jejak.db", simda=True) as switched,
    ):
        switched.secrets |= {
            "JEJAK_SOURCES__SIMDA__TOKEN": TOKEN,
            "JEJAK_SOURCES__SIMDA__URL": f"{switched.server.url}/sipd",
        }
        yield kept, switched


def paid(town: Town) -> Counter[tuple[str, str, float]]:
    """What was disbursed, payment by payment."""
    columns = t.payment.c
    query = select(columns.ocid, columns.contract_id, columns.value).where(columns.kind == "sp2d")
    return Counter((row["ocid"], row["contract_id"], float(row["value"])) for row in town.query(query))


def sums(town: Town) -> list[tuple[str, float, int]]:
    """What was disbursed, by process."""
    columns = t.contracting_process.c
    query = select(columns.ocid, columns.disbursed_amount, columns.payments).order_by(columns.ocid)
    return [(row["ocid"], float(row["disbursed_amount"] or 0), row["payments"]) for row in town.query(query)]


def budgets(town: Town) -> dict[str, float]:
    """What the budget lines of each office come to."""
    columns = t.subject.c
    query = select(columns.office_id, func.sum(columns.amount).label("sum"))
    query = query.where(columns.kind == "anggaran", ~columns.gone).group_by(columns.office_id)
    return {row["office_id"]: float(row["sum"]) for row in town.query(query)}


def test_a_switch_doubles_nothing_and_loses_nothing(towns: tuple[Town, Town], monkeypatch: pytest.MonkeyPatch) -> None:
    kept, switched = towns
    kept.sync(settings=kept.settings(systems=SYSTEMS))
    # The half-year of SIMDA, read before anybody knew of SIPD's.
    first = switched.sync(settings=switched.settings(systems=SYSTEMS))
    assert (first["SIPD-SP2D"]["status"], first["SIMDA-SP2D"]["status"]) == ("absent", "success")
    half = paid(switched)
    assert half < paid(kept)

    both = switched.sync(settings=switched.settings(systems=SYSTEMS, services=BOTH))
    assert (both["SIMDA-SP2D"]["unchanged"], both["SIMDA-SP2D"]["gone"]) == (first["SIMDA-SP2D"]["fetched"], 0)
    # One payment is in both systems, and many numbers are given anew.
    held = [{row["payload"]["No_SP2D"] for row in switched.known(name)} for name in ("SIMDA-SP2D", "SIPD-SP2D")]
    assert (
        len(switched.known("SIMDA-SP2D")) + len(switched.known("SIPD-SP2D")) - 1
        == truth(kept.world)["payments"]["count"]
    )
    assert len(held[0] & held[1]) > 5
    assert paid(switched) == paid(kept)
    assert sums(switched) == sums(kept)
    # The budget is read from one of them: its lines have taken the place of those of the other.
    assert both["SIMDA-Anggaran"]["gone"] == first["SIMDA-Anggaran"]["fetched"]
    # SIPD is asked for those offices that have orders.
    assert len(budgets(switched)) > 2
    assert budgets(switched).items() <= budgets(kept).items()

    # SIMDA is shut: what it held stands.
    monkeypatch.setenv("JEJAK_SOURCES__SIMDA__TRANSPORT", "sipd")
    monkeypatch.setenv("JEJAK_SOURCES__SIMDA__DATABASE", "sqlite:////nowhere/simda.db")
    releases = select(func.count().label("count")).select_from(t.release)
    before = switched.query(releases)
    after = switched.sync(settings=switched.settings(systems=SYSTEMS))
    assert {name: row["status"] for name, row in after.items() if name.startswith(("SIMDA", "SIPD"))} == {
        "SIMDA-Anggaran": "success",
        "SIMDA-Kontrak": "absent",
        "SIMDA-Addendum": "absent",
        "SIMDA-SP2D": "absent",
        "SIPD-SP2D": "success",
    }
    assert sums(switched) == sums(kept)
    assert switched.query(releases) == before
