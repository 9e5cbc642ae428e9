"""`jejak why`: which row gives a value; and the record as it was on an earlier day."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from commands.main import main
from pipeline.registry import SERVICES
from tests.test_build import ANNOUNCED, WON, night, ocid_of, only, record, releases, state, won
from tests.worlds import Lived, Town
from transforms.paths import paths_of, resolved, value_at
from warehouse import tables as t

RECORDED, PAID = "SPSE-PencatatanNonTender", "SPSE-PencatatanNonTenderRealisasi"
PLANS, PLACES = "RUP-PaketPenyedia-Terumumkan", "RUP-PaketPenyediaLokasi"


def why(town: Town, ocid: str, path: str) -> dict[str, Any]:
    result = town.jejak("why", ocid, path, "--json")
    assert result.status == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def row_of(town: Town, service: str, code: str) -> dict[str, Any]:
    [row] = [row for row in town.known(service) if row["code"] == code]
    return {
        "source": SERVICES[service][0],
        "service": service,
        "scope": row["scope"],
        "key": row["key"],
        "run": row["run_id"],
        "observed_at": row["observed_at"],
    }


def test_a_value_of_one_row_and_who_says_otherwise(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[ANNOUNCED, WON, PLANS])
    code = won(town)
    town.edit(ANNOUNCED, only("kd_tender", code, {"hps": 123_000_000}))
    town.sync(settings=settings)
    ocid = ocid_of(town, "tender", code)
    found = why(town, ocid, "tender/value/amount")
    assert (found["value"], found["withdrawn"], found["right"]) == (123_000_000, False, "owner")
    assert found["rows"] == [row_of(town, ANNOUNCED, code)]
    [other] = [each for each in found["others"] if each["service"] == WON]
    assert other["value"] == state_of_row(town, WON, code)["hps"]
    assert other["right"].startswith("stands in")
    [release] = releases(town, ocid)
    assert (found["release"]["id"], found["release"]["date"]) == (release["id"], release["date"])
    result = town.jejak("show", code, "--why", "tender/value/amount")
    assert result.status == 0, result.err
    assert f"lpse {ANNOUNCED}" in result.out
    assert f"taken over by run {found['rows'][0]['run']}" in result.out
    assert f"{WON} gives" in result.out
    # The award is of the row that names its winner, its supplier's party too.
    award = state(town, ocid)["awards"][0]
    for path in (f"awards/{award['id']}", f"awards/{award['id']}/value/amount"):
        assert [row["service"] for row in why(town, ocid, path)["rows"]] == [WON]
    party = award["suppliers"][0]["id"]
    assert [row["service"] for row in why(town, ocid, f"parties/{party}/name")["rows"]] == [WON]
    assert "roles" in why(town, ocid, f"parties/{party}")["value"]


def state_of_row(town: Town, service: str, code: str) -> dict[str, Any]:
    payload: dict[str, Any] = next(row["payload"] for row in town.known(service) if row["code"] == code)
    return payload


def test_a_list_that_many_rows_give(town: Town) -> None:
    town.sync(settings=town.settings(only=[RECORDED, PAID]))
    code = town.known(PAID)[0]["code"]
    ocid = ocid_of(town, "pencatatan", code)
    mine: dict[bool, set[str]] = {True: set(), False: set()}  # agreements and payments
    for row in town.known(PAID):
        if row["code"] == code:
            mine[row["payload"]["jenis_realisasi"] == "Surat Perjanjian"].add(row["key"])
    assert mine[True]
    assert mine[False]
    found = why(town, ocid, f"contracts/pencatatan-{code}/agreements")
    assert {row["key"] for row in found["rows"]} == mine[True]
    path = f"contracts/pencatatan-{code}/implementation/transactions"
    found = why(town, ocid, path)
    assert {row["key"] for row in found["rows"]} == mine[False]
    for transaction in found["value"]:
        one = why(town, ocid, f"{path}/{transaction['id']}/value/amount")
        assert one["value"] == transaction["value"]["amount"]
        assert {row["key"] for row in one["rows"]} <= mine[False]


def test_related_processes_follow_from_the_crosswalk(lived: Lived) -> None:
    town = lived.town
    [relation, *_] = town.query(select(t.process_relation).order_by("ocid"))
    found = why(town, relation["ocid"], f"relatedProcesses/{relation['related_ocid']}/identifier")
    assert found["value"] == relation["related_ocid"]
    assert found["rows"] == []
    assert "crosswalk" in found["right"]


def test_a_withdrawn_value_and_one_that_is_back(town: Town) -> None:
    settings = town.settings(only=[ANNOUNCED, WON])
    town.sync(settings=settings)
    code = won(town)
    ocid = ocid_of(town, "tender", code)
    [award] = state(town, ocid)["awards"]
    town.edit(WON, lambda rows: [row for row in rows if str(row["kd_tender"]) != code])
    night(town, settings)
    found = why(town, ocid, f"awards/{award['id']}/value/amount")
    assert (found["withdrawn"], found["rows"]) == (True, [])
    assert found["release"]["id"] == releases(town, ocid)[0]["id"]
    found = why(town, ocid, f"awards/{award['id']}/status")
    assert (found["value"], found["withdrawn"]) == ("cancelled", True)
    assert found["release"]["id"] == releases(town, ocid)[-1]["id"]
    assert "(withdrawn)" in town.jejak("why", ocid, f"awards/{award['id']}/status").out


def test_a_wrong_path_names_the_nearest_and_ids_may_hold_slashes(town: Town) -> None:
    town.sync(settings=town.settings(only=[ANNOUNCED, WON]))
    ocid = ocid_of(town, "tender", town.known(WON)[0]["code"])
    result = town.jejak("why", ocid, "tender/titel")
    assert result.status == 1
    assert "has no path tender/titel; near ones: tender/title" in result.err
    assert town.jejak("why", "ocds-213czf-rup-0", "tender").status == 1
    document = {"contracts": [{"id": "7-01/SPK/2025", "value": {"amount": 5}}, {"id": "7-01", "title": "x"}]}
    parts = resolved(document, "contracts/7-01/SPK/2025/value/amount")
    assert parts == ["contracts", "7-01/SPK/2025", "value", "amount"]
    assert value_at(document, parts) == 5
    assert resolved(document, "contracts/7-01/title") == ["contracts", "7-01", "title"]
    assert resolved(document, "contracts/7-01/value") is None
    assert resolved(document, "") is None


def test_every_path_of_some_records_is_answered(lived: Lived) -> None:
    """Whatever a record holds comes from rows, or follows from the crosswalk or from the whole."""
    town = lived.town
    fullest = select(t.record.c.ocid).order_by(t.record.c.releases.desc(), t.record.c.ocid).limit(2)
    known = {(row["service"], row["scope"], row["key"]) for row in town.query(select(t.raw_record)) if row["current"]}
    for each in town.query(fullest):
        compiled = record(town, each["ocid"])["compiled"]
        body = {name: compiled[name] for name in compiled.keys() - {"ocid", "id", "date", "tag"}}
        paths = list(paths_of(body))
        for path in paths[:: max(1, len(paths) // 12)]:
            found = why(town, each["ocid"], path)
            assert found["path"] == path
            assert found["value"] == value_at(compiled, resolved(compiled, path) or [])
            assert found["rows"] or found["withdrawn"] or "follows" in found["right"], path
            assert all((row["service"], row["scope"], row["key"]) in known for row in found["rows"])


def test_the_record_as_of_a_day(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[ANNOUNCED])
    town.sync(settings=settings)
    code = town.known(ANNOUNCED)[0]["code"]
    ocid = ocid_of(town, "tender", code)
    first, day = record(town, ocid)["compiled"], town.world.today
    town.edit(ANNOUNCED, only("kd_tender", code, {"nama_paket": "Nama Kemudian"}))
    night(town, settings)
    assert json.loads(town.jejak("show", code, "--as-of", day).out) == first
    later = json.loads(town.jejak("show", ocid, "--as-of", town.world.today).out)
    assert later == record(town, ocid)["compiled"]
    assert later["tender"]["title"] == "Nama Kemudian"
    assert town.jejak("show", code, "--as-of", "2020-01-01").out == ""


@pytest.mark.parametrize("day", ["yesterday", "2025-13-01", "2025-1-1"])
@pytest.mark.parametrize("words", [("show", "1"), ("void", "1", "tender", "--reason", "r")], ids=" ".join)
def test_a_day_that_is_none(words: tuple[str, ...], day: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--as-of", day])
    assert ended.value.code == 2
    assert "write YYYY-MM-DD" in capsys.readouterr().err
