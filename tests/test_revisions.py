"""Plans that vanish and come back under a new code: links to review, which only an operator makes revisions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.worlds import EditedWorld, Town, served
from warehouse import tables as t

PLANS = "RUP-PaketPenyedia-Terumumkan"
RULE = "possible-revision"
Row = dict[str, Any]


@pytest.fixture
def town(tmp_path: Path, warehouse_url: str) -> Iterator[Town]:
    with served(EditedWorld(60, seed=4, noise=0, unknown_rows=0), tmp_path, warehouse_url) as town:
        town.sync(settings=settings(town))
        yield town


def settings(town: Town) -> Path:
    return town.settings(only=[PLANS, "RUP-HistoryKajiUlang", "SPSE-NonTenderPengumuman"])


def links(town: Town) -> list[Row]:
    return town.query(select(t.link).where(t.link.c.rule == RULE).order_by(t.link.c.from_code, t.link.c.to_code))


def known(town: Town, count: int) -> list[Row]:
    """Plans that nothing revises, with names of their own."""
    revised = {row[name] for row in town.world.rows("RUP-HistoryKajiUlang") for name in ("kd_rup_lama", "kd_rup_baru")}
    rows = town.world.rows(PLANS)
    names = [row["nama_paket"] for row in rows]
    return [row for row in rows if row["kd_rup"] not in revised and names.count(row["nama_paket"]) == 1][:count]


def recoded(codes: dict[int, Row]) -> Callable[[list[Row]], list[Row]]:
    """Each of these plans under another code, and with what else is changed of it."""
    return lambda rows: [{**row, **codes.get(row["kd_rup"], {})} for row in rows]


def test_a_plan_that_comes_back_under_a_new_code_is_a_link_to_review(town: Town) -> None:
    same, cheaper, other, late = known(town, 4)
    town.next_day()
    changes: dict[int, Row] = {
        same["kd_rup"]: {"kd_rup": 99000001},
        cheaper["kd_rup"]: {"kd_rup": 99000002, "pagu": cheaper["pagu"] + 1},
        other["kd_rup"]: {"kd_rup": 99000003, "nama_paket": "Pengadaan yang lain sama sekali"},
    }
    town.edit(PLANS, lambda rows: [row for row in recoded(changes)(rows) if row["kd_rup"] != late["kd_rup"]])
    town.sync(settings=settings(town))
    found = [(row["from_code"], row["to_code"], row["status"], row["by"]) for row in links(town)]
    assert sorted(found) == sorted(
        [
            (str(same["kd_rup"]), "99000001", "pending", "office+title+amount"),
            (str(cheaper["kd_rup"]), "99000002", "pending", "office+title"),
        ]
    )
    # One comes back a day later; the first has its old code again.
    town.next_day()
    del changes[same["kd_rup"]]
    town.edit(PLANS, recoded({**changes, late["kd_rup"]: {"kd_rup": 99000004}}))
    town.sync(settings=settings(town))
    assert sorted(row["to_code"] for row in links(town)) == ["99000002", "99000004"]
    assert {row["status"] for row in links(town)} == {"pending"}
    # What is shown of the one that vanished is what it said last.
    [waiting] = [row for row in links(town) if row["to_code"] == "99000004"]
    result = town.jejak("links", "show", waiting["id"], settings=settings(town))
    assert result.out.count(late["nama_paket"][:40]) == 2


@pytest.mark.parametrize("lots", [3, 4])
@pytest.mark.parametrize("daily", [True, False])
def test_how_many_of_a_name_there_are_decides_alike_in_any_order(town: Town, lots: int, daily: bool) -> None:
    [plan] = known(town, 1)
    others = [{**plan, "kd_rup": 99000001 + lot, "pagu": plan["pagu"] + 1 + lot} for lot in range(lots)]

    def listed(*more: Row) -> list[Row]:
        town.next_day()
        town.edit(PLANS, lambda rows: [*(row for row in rows if row["kd_rup"] != plan["kd_rup"]), *more])
        town.sync(settings=settings(town))
        return links(town)

    listed()
    for count in range(1, lots) if daily else ():
        listed(*others[:count])
    # Lots are told apart by their amounts alone.
    few = [str(other["kd_rup"]) for other in others] if lots <= 3 else []
    assert [row["to_code"] for row in listed(*others)] == few
    # One of them gets another name, so that three are left; another has the old amount.
    others[0]["nama_paket"] = "Pengadaan yang lain sama sekali"
    assert [row["to_code"] for row in listed(*others)] == [str(other["kd_rup"]) for other in others[1:]]
    others[0] |= {"nama_paket": plan["nama_paket"], "pagu": plan["pagu"]}
    found = [(row["to_code"], row["by"]) for row in listed(*others)]
    assert found[0] == (str(others[0]["kd_rup"]), "office+title+amount")
    assert [code for code, _ in found[1:]] == few[1:]


def test_an_operator_makes_it_a_revision_and_takes_that_back(town: Town) -> None:
    [plan] = known(town, 1)
    town.next_day()
    town.edit(PLANS, recoded({plan["kd_rup"]: {"kd_rup": 99000001}}))
    town.sync(settings=settings(town))
    [link] = links(town)
    older, newer = (town.compiled("rup", code)["ocid"] for code in (plan["kd_rup"], 99000001))

    def related() -> list[tuple[str, str]]:
        found = town.compiled("rup", 99000001).get("relatedProcesses") or []
        return [(relation, each["identifier"]) for each in found for relation in each.get("relationship", ())]

    assert related() == []
    assert town.jejak("links", "confirm", link["id"], settings=settings(town)).status == 0
    assert related() == [("replacementProcess", older)]
    assert older != newer
    assert town.jejak("links", "reject", link["id"], settings=settings(town)).status == 0
    assert related() == []
    # The decision outlives what comes.
    town.next_day()
    town.sync(settings=settings(town))
    assert [row["status"] for row in links(town)] == ["rejected"]


def test_a_plan_that_is_cancelled_and_taken_up_again(town: Town) -> None:
    codes = [row["kd_rup"] for row in known(town, 60)]
    code = next(each for each in codes if town.compiled("rup", each)["tender"]["status"] == "planned")
    template = town.world.rows("RUP-HistoryKajiUlang")[0]
    history: list[Row] = []

    def event(kind: str) -> None:
        at = f"{town.world.today} 0{len(history) + 1}:00:00"
        paket = {"kd_rup_lama": code, "kd_rup_baru": code, "jenis_paket": "PENYEDIA", "tgl_kaji_ulang": at}
        history.append({**template, **paket, "jenis_revisi": kind})
        town.edit("RUP-HistoryKajiUlang", lambda rows: [*rows, *history])

    def status() -> str:
        town.sync(settings=settings(town))
        found: str = town.compiled("rup", code)["tender"]["status"]
        return found

    town.next_day()
    event("PEMBATALAN")
    town.edit(PLANS, lambda rows: [row for row in rows if row["kd_rup"] != code])
    assert status() == "cancelled"
    assert links(town) == []
    # Nothing of it is counted any more.
    ocid = town.compiled("rup", code)["ocid"]
    assert town.query(select(t.contracting_process).where(t.contracting_process.c.ocid == ocid)) == []
    town.next_day()
    event("PENGAKTIFAN")
    town.edit(PLANS, None)
    assert status() == "planned"
