"""Health: an operator is told which source is stale, broken or odd, and what to do, and of nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.clock import shown
from pipeline.registry import SERVICES
from simulator.faults import Fault
from simulator.rendering import Row
from tests.worlds import Edit, EditedWorld, Town, jejak, served
from warehouse import tables as t

PLANS, BUDGETS = "RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"
ATTEMPTS = "SPSE-NonTenderPengumuman"
OFFICES = "RUP-MasterSatker"
PURCHASES, PAID = "SPSE-PencatatanNonTender", "SPSE-PencatatanNonTenderRealisasi"
SOME = [PLANS, BUDGETS, ATTEMPTS]


def health(town: Town, settings: Path) -> dict[str, dict[str, Any]]:
    """What `jejak health --json` says, by source; its exit status says whether all is well."""
    result = town.jejak("health", "--json", settings=settings)
    found = {each["source"]: each for each in json.loads(result.out)}
    assert (result.status == 0) == all(each["state"] == "ok" for each in found.values())
    return found


def service(found: dict[str, Any], name: str) -> dict[str, Any]:
    each: dict[str, Any]
    [each] = [each for each in found["services"] if each["service"] == name]
    return each


def but_for(count: int) -> Edit:
    """An answer without its last few rows."""
    return lambda rows: rows[: len(rows) - count]


def test_a_source_is_never_read_then_well_then_late(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=SOME)
    found = health(town, settings)
    assert {name: each["state"] for name, each in found.items()} == {"sirup": "never", "lpse": "never"}
    assert "jejak sync sirup" in found["sirup"]["advice"]
    town.sync(settings=settings)
    plans = len(town.world.rows(PLANS))
    found = health(town, settings)
    assert found["sirup"]["state"] == "ok"
    assert found["sirup"]["last_success"] == town.now
    assert service(found["sirup"], PLANS) == {
        "source": "sirup",
        "service": PLANS,
        "scope": "2025",
        "rows": plans,
        "expected": None,
        "observed_at": town.now,
        "status": "success",
        "message": None,
    }
    assert found["sirup"]["rows"] == found["sirup"]["expected"] == plans + len(town.world.rows(BUDGETS))
    first = town.now
    town.next_day()
    town.sync("sirup", settings=settings)
    town.next_day()
    found = health(town, settings)
    assert {name: each["state"] for name, each in found.items()} == {"sirup": "ok", "lpse": "late"}
    assert found["lpse"]["last_success"] == first
    assert "29 hours" in found["lpse"]["advice"]
    result = town.jejak("health", settings=settings)
    assert result.status == 1
    assert "sirup      ok " in result.out
    assert "lpse       late " in result.out
    assert shown(first, "+07:00") in result.out


def test_a_source_that_answers_without_a_row_is_not_well(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings(only=[*SOME, "RUP-ProgramMaster"])
    for name, value in {**town.environment, "JEJAK_KD_KLPD": "D998", "JEJAK_KD_LPSE": "998"}.items():
        monkeypatch.setenv(name, value)
    # A list that tells of no process says nothing of it.
    result = jejak("sync", "--service", "RUP-ProgramMaster", "--settings", settings)
    assert result.status == 0
    assert "none has a row" not in result.out + result.err
    result = jejak("sync", "--settings", settings)
    assert result.status == 1
    assert "jejak: nothing came: all lists were read, and none has a row: check kd_klpd, kd_lpse" in result.err
    result = jejak("health", "--settings", settings)
    assert result.status == 1
    assert "sirup      empty " in result.out
    assert "check kd_klpd, kd_lpse" in result.out
    monkeypatch.delenv("JEJAK_KD_KLPD")
    result = jejak("sync", "--settings", settings)
    assert result.status == 0
    assert result.out.count("none has a row") == 1
    assert {name: each["state"] for name, each in health(town, settings).items()} == {"sirup": "ok", "lpse": "empty"}
    monkeypatch.setenv("JEJAK_KD_LPSE", "")
    result = jejak("sync", "--settings", settings)
    assert result.status == 1
    assert "JEJAK_KD_LPSE" in result.err


def test_a_service_that_failed_is_named_with_its_remedy_until_it_is_read_again(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=SOME)
    town.sync(settings=settings)
    first = town.now
    town.next_day()
    town.server.faults.add(Fault("html", PLANS))
    assert town.jejak("sync", settings=settings).status == 1
    found = health(town, settings)
    assert {name: each["state"] for name, each in found.items()} == {"sirup": "failing", "lpse": "ok"}
    broken = service(found["sirup"], PLANS)
    assert (broken["rows"], broken["expected"], broken["status"]) == (0, len(town.world.rows(PLANS)), "failed")
    assert "HTML" in broken["message"]
    assert found["sirup"]["last_success"] == first
    assert PLANS in found["sirup"]["advice"]
    result = town.jejak("health", settings=settings).out
    assert f"  {PLANS} 2025: {broken['message']}" in result
    # Another run mends it, even one of the same second.
    town.sync("sirup", settings=settings)
    assert {each["state"] for each in health(town, settings).values()} == {"ok"}
    # What the settings switch off concerns nobody.
    town.server.faults.add(Fault("status", BUDGETS, times=None))
    assert town.jejak("sync", "sirup", settings=settings).status == 1
    assert health(town, settings)["sirup"]["state"] == "failing"
    assert health(town, town.settings(only=[PLANS, ATTEMPTS]))["sirup"]["state"] == "ok"


def test_what_is_usual_is_the_middle_of_a_week_without_the_last_night(town: Town) -> None:
    settings = town.settings(only=[PLANS], services={PLANS: {"min_share": 0.1}})
    rows = len(town.world.rows(PLANS))
    for dropped in (0, 1, 0, rows - 4, 2):
        town.edit(PLANS, but_for(dropped))
        town.next_day()
        town.sync("--no-build", settings=settings)
    found = health(town, settings)["sirup"]
    # Before the last night: rows, rows - 1, rows, 4.
    assert (found["rows"], found["expected"], found["state"]) == (rows - 2, rows - 1, "ok")
    fixed = town.settings(only=[PLANS], services={PLANS: {"usual_rows": 1990}})
    assert health(town, fixed)["sirup"]["expected"] == 1990
    assert f"{rows - 2} rows, 1,990 expected" in town.jejak("health", settings=fixed).out


def test_a_source_is_as_fresh_as_the_years_that_are_read_now(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(20, seed=1, years=2), tmp_path, file_url) as town:
        both = town.settings(only=[PLANS])
        town.world.years.remove(2024)
        current, alone = town.settings(only=[PLANS]), town.settings(only=[BUDGETS])
        town.world.years.insert(0, 2024)
        town.sync("--no-build", settings=current)
        first = town.now
        found = health(town, both)["sirup"]
        assert (found["state"], found["last_success"]) == ("late", None)
        assert [each["status"] for each in found["services"]] == ["never", "success"]
        assert f"{PLANS} 2024 was never read" in found["advice"]
        town.next_day()
        town.next_day()
        assert town.jejak("sync", "--year", 2024, "--no-build", settings=current).status == 0
        found = health(town, current)["sirup"]
        assert (found["state"], found["last_success"]) == ("late", first)
        assert [each["scope"] for each in found["services"]] == ["2025"]
        # Nothing that is read now was ever read but by a backfill.
        assert town.jejak("sync", "--year", 2024, "--no-build", settings=alone).status == 0
        assert health(town, alone)["sirup"]["state"] == "never"
        more = health(town, town.settings(only=[PLANS, BUDGETS]))["sirup"]
        assert more["state"] == "late"
        assert BUDGETS in more["advice"]


def test_lists_that_a_folder_does_not_hold_count_neither_way(town: Town) -> None:
    settings = town.settings("files", only=[PLANS, BUDGETS])
    folder = town.dump()
    (folder / f"{BUDGETS}.json").unlink()
    town.sync(settings=settings)
    found = health(town, settings)["sirup"]
    assert (found["state"], service(found, BUDGETS)["status"]) == ("ok", "absent")
    assert found["rows"] == found["expected"] == len(town.world.rows(PLANS))
    (folder / f"{PLANS}.json").unlink()
    assert town.jejak("sync", "sirup", settings=settings).status == 1
    found = health(town, settings)["sirup"]
    assert found["state"] == "failing"
    assert "JEJAK_DUMPS" in found["advice"]


def test_what_is_new_in_the_answers_is_told_for_a_week(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    settings = town.settings(only=SOME)
    town.sync(settings=settings)
    assert health(town, settings)["lpse"]["new_fields"] == []
    codes = health(town, settings)["lpse"]["unknown_codes"]
    town.next_day()
    town.edit(
        ATTEMPTS,
        lambda rows: [
            {**rows[0], "mtd_pemilihan": "Cara Baru", "kolom_baru": 1},
            {**rows[1], "kd_nontender": "?"},
            {**rows[2], "pagu": "?"},
            {**rows[3], "pagu": "tidak ada"},
            *rows[4:],
        ],
    )
    town.sync(settings=settings)
    found = health(town, settings)["lpse"]
    assert found["new_fields"] == [f"{ATTEMPTS}.kolom_baru"]
    # A side field that can't be read costs no row, and is no unknown code.
    assert found["unknown_codes"] == codes + 1
    assert (found["left_out"], found["rejects"]) == ([{"field": f"{ATTEMPTS}.pagu", "rows": 2}], 1)
    dropped = town.query(select(t.signal).where(t.signal.c.kind == "dropped"))
    assert [row["field"] for row in dropped] == ["pagu"] * 2  # each reason by itself
    assert f"lpse {ATTEMPTS}: left out pagu: expected an amount of IDR" in caplog.text
    assert "schemas/lpse.py" in found["advice"]
    result = town.jejak("health", settings=settings)
    assert result.status == 0
    assert f"new fields: {ATTEMPTS}.kolom_baru" in result.out
    assert f"left out where they can't be read: {ATTEMPTS}.pagu (last in 2 rows)" in result.out
    town.edit(ATTEMPTS, None)
    for _ in range(8):
        town.next_day()
    town.sync(settings=settings)
    assert town.query(select(t.signal).where(t.signal.c.kind == "field"))
    found = health(town, settings)["lpse"]
    assert (found["new_fields"], found["unknown_codes"], found["rejects"], found["advice"]) == ([], 0, 0, None)


def test_a_column_that_no_row_can_be_read_in_fails_its_service(tmp_path: Path, file_url: str) -> None:
    current = select(t.raw_record.c.id).where(t.raw_record.c.current).order_by(t.raw_record.c.id)
    with served(EditedWorld(120, seed=1), tmp_path, file_url) as town:
        settings = town.settings(only=[ATTEMPTS])
        town.sync("--no-build", settings=settings)
        before = town.query(current)
        assert len(before) >= 20
        town.next_day()
        town.edit(ATTEMPTS, lambda rows: [{**row, "pagu": "lihat lampiran"} for row in rows])
        result = town.jejak("sync", "--no-build", settings=settings)
        assert result.status == 1
        message = service(health(town, settings)["lpse"], ATTEMPTS)["message"]
        assert f"pagu can be read in none of {len(before)} rows" in message
        assert "`columns`" in message
        assert "lampiran" not in result.out + result.err + message
        assert town.query(current) == before
        # One row that can be read shows that the column is the same.
        town.edit(ATTEMPTS, lambda rows: [rows[0], *({**row, "pagu": "?"} for row in rows[1:])])
        town.sync("--no-build", settings=settings)


def test_a_dump_is_as_fresh_as_its_rows(town: Town) -> None:
    settings = town.settings("files", only=[PLANS])
    town.dump()
    town.sync("--no-build", settings=settings)
    as_of = health(town, settings)["sirup"]["as_of"]
    for _ in range(20):
        town.next_day()
    town.sync("--no-build", settings=settings)
    assert health(town, settings)["sirup"]["state"] == "ok"
    for _ in range(20):
        town.next_day()
    town.sync("--no-build", settings=settings)
    found = health(town, settings)["sirup"]
    # Read today, and the rows are the same old ones.
    assert (found["state"], found["last_success"], found["as_of"][:10]) == ("late", town.now, as_of[:10])
    assert found["stale"] == [f"{PLANS} 2025"]
    assert f"as of {as_of[:10]}" in found["advice"]
    assert f"rows as of {as_of[:10]}" in town.jejak("health", settings=settings).out
    patient = town.settings("files", only=[PLANS], stale_days=300)
    assert health(town, patient)["sirup"]["state"] == "ok"


def test_a_source_that_always_brings_the_same_is_told(town: Town) -> None:
    settings = town.settings(only=[PLANS, BUDGETS], stale_days=5)
    town.sync("--no-build", settings=settings)
    town.next_day()
    # A run that found all as it was, and within the same second one of which one list brings something.
    town.sync("--no-build", settings=settings)
    town.edit(BUDGETS, but_for(1))
    town.sync("--no-build", settings=settings)
    first = town.now
    for _ in range(7):
        assert health(town, settings)["sirup"]["unchanged_since"] is None
        town.next_day()
        town.sync("--no-build", settings=settings)
    found = health(town, settings)["sirup"]
    assert (found["state"], found["unchanged_since"]) == ("ok", first)
    assert first[:10] in found["advice"]


def test_what_the_rows_lack_is_told_by_field_word_reason_and_sum(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(120, seed=1), tmp_path, file_url) as town:
        town.secrets["JEJAK_WILAYAH"] = "35.22"
        settings = town.settings(only=[PLANS, BUDGETS, ATTEMPTS, PAID, PURCHASES])
        town.sync(settings=settings)
        before = health(town, settings)
        assert [each["broken"] for name in ("sirup", "lpse") for each in before[name]["sums"]] == [0, 0]
        assert (before["sirup"]["emptied"], before["lpse"]["reasons"]) == ([], [])
        assert before["sirup"]["places"]["processes"] > before["sirup"]["places"]["village"]
        lost = town.world.rows(PURCHASES)[0]["kd_nontender_pct"]
        town.next_day()
        town.edit(ATTEMPTS, lambda rows: [{**row, "sumber_dana": None, "mtd_pemilihan": "Cara Baru"} for row in rows])
        town.edit(PLANS, lambda rows: [{**rows[0], "pagu": 1, "nama_paket": "Balai Desa Ngasem"}, *rows[1:]])
        town.edit(PURCHASES, lambda rows: [row for row in rows if row["kd_nontender_pct"] != lost] + [{"pagu": 1}])
        town.edit(PAID, lambda rows: [{**rows[0], "nilai_realisasi": 1}, *rows[1:]])
        town.sync(settings=settings)
        found = health(town, settings)
        [emptied] = [each for each in found["lpse"]["emptied"] if each["field"] == "sumber_dana"]
        attempts = len(town.world.rows(ATTEMPTS))
        assert emptied == {
            "service": ATTEMPTS, "scope": "2025", "field": "sumber_dana", "rows": attempts, "before": 100, "now": 0
        }  # fmt: skip
        assert {"field": f"{ATTEMPTS}.mtd_pemilihan", "word": "Cara Baru"} in [
            {"field": each["field"], "word": each["word"]} for each in found["lpse"]["words"]
        ]
        [reason] = found["lpse"]["reasons"]
        assert (reason["service"], reason["rows"]) == (PURCHASES, 1)
        assert "kd_nontender_pct" in reason["reason"]
        assert [each["broken"] for name in ("sirup", "lpse") for each in found[name]["sums"]] == [1, 1]
        assert found["sirup"]["places"]["village"] == before["sirup"]["places"]["village"] + 1
        result = town.jejak("health", settings=settings).out
        for text in (
            f"gone empty: {ATTEMPTS}.sumber_dana, filled in 0 % of the {attempts} rows of 2025, usually in 100 %",
            f"unknown word: {ATTEMPTS}.mtd_pemilihan 'Cara Baru'",
            f"{PURCHASES}, 1 rows: kd_nontender_pct",
            "sums that don't hold: budgets and their lines, 1 of",
            "sums that don't hold: recorded purchases and what was recorded with them, 1 of",
            "processes name a village",
        ):
            assert text in result, text


def emptied_after(town: Town, service: str, change: Edit) -> list[dict[str, Any]]:
    """What is gone empty once a list comes changed that was read more than a week ago."""
    settings = town.settings(only=[service])
    town.sync("--no-build", settings=settings)
    for _ in range(8):
        town.next_day()
    assert health(town, settings)[SERVICES[service][0]]["emptied"] == []
    town.edit(service, change)
    town.sync("--no-build", settings=settings)
    found: list[dict[str, Any]] = health(town, settings)[SERVICES[service][0]]["emptied"]
    return found


def without(*names: str) -> Edit:
    return lambda rows: [{**row, **dict.fromkeys(names)} for row in rows]


def test_a_field_that_a_new_answer_lacks_is_gone_empty_in_any_list(town: Town) -> None:
    # Short lists whose rows have keys, and a list whose rows are known by their content alone.
    for service, name in ((PLANS, "metode_pengadaan"), (BUDGETS, "sumber_dana"), (OFFICES, "nama_klpd")):
        rows = len(town.world.rows(service))
        [found] = emptied_after(town, service, without(name))
        assert (found["field"], found["before"], found["now"], found["rows"]) == (name, 100, 0, rows)


def test_a_field_that_few_rows_lose_is_not_gone_empty(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(120, seed=1), tmp_path, file_url) as town:
        few = len(town.world.rows(PLANS)) // 3
        assert few >= 20
        change = without("metode_pengadaan")
        assert emptied_after(town, PLANS, lambda rows: [*change(rows[:few]), *rows[few:]]) == []


def test_a_list_of_a_few_days_is_compared_with_what_it_was_at_first(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(120, seed=1), tmp_path, file_url) as town:
        settings = town.settings(only=[PLANS, BUDGETS])
        some = len(town.world.rows(PLANS)) * 3 // 10
        assert some >= 20

        def seldom(rows: list[Row]) -> list[Row]:
            return [*rows[:some], *without("jenis_pengadaan")(rows[some:])]

        def emptied(plans: Edit, budgets: Edit | None = None) -> list[tuple[str, str, int, int]]:
            town.edit(PLANS, plans)
            town.edit(BUDGETS, budgets)
            town.sync("--no-build", settings=settings)
            found = health(town, settings)["sirup"]["emptied"]
            town.next_day()
            return [(each["service"], each["field"], each["before"], each["now"]) for each in found]

        assert emptied(seldom) == []
        # A row that has what few have says nothing of the others.
        assert emptied(lambda rows: [{**rows[0], "nama_paket": "Balai Desa Ngasem"}, *seldom(rows)[1:]]) == []
        lacking = without("metode_pengadaan", "jenis_pengadaan")
        share = round(100 * some / len(town.world.rows(PLANS)))
        assert emptied(lacking, without("sumber_dana")) == [
            (BUDGETS, "sumber_dana", 100, 0),
            (PLANS, "jenis_pengadaan", share, 0),
            (PLANS, "metode_pengadaan", 100, 0),
        ]


def test_a_few_old_rows_do_not_judge_many_new_ones(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(120, seed=1), tmp_path, file_url) as town:
        settings = town.settings(only=[PLANS])
        change = without("metode_pengadaan")
        town.edit(PLANS, lambda rows: rows[:6])
        town.sync("--no-build", settings=settings)
        for _ in range(8):
            town.next_day()
        town.edit(PLANS, lambda rows: [*rows[:6], *change(rows[6:])])
        town.sync("--no-build", settings=settings)
        assert health(town, settings)["sirup"]["emptied"] == []


def test_a_new_years_list_is_compared_with_those_of_other_years(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(120, seed=1, years=2), tmp_path, file_url) as town:
        settings = town.settings(only=[PLANS])
        last, this = map(str, town.world.years)
        town.sync("--no-build", "--year", last, settings=settings)
        for _ in range(8):
            town.next_day()
        town.edit(PLANS, without("metode_pengadaan"))
        town.sync("--no-build", "--year", this, settings=settings)
        [found] = health(town, settings)["sirup"]["emptied"]
        assert (found["scope"], found["field"], found["before"], found["now"]) == (this, "metode_pengadaan", 100, 0)


def test_rows_that_wait_are_told(town: Town) -> None:
    settings = town.settings(only=[BUDGETS])
    town.sync(settings=settings)
    [waiting] = health(town, settings)["sirup"]["waiting"]
    assert (waiting["service"], waiting["rows"]) == (BUDGETS, len(town.world.rows(BUDGETS)))
    assert f"waiting: {BUDGETS} 2025, " in town.jejak("health", settings=settings).out


@pytest.mark.parametrize("command", [["health"], ["health", "--json"]])
def test_health_holds_no_secret(town: Town, command: list[str]) -> None:
    settings = town.settings(only=SOME, off="lpse")
    town.jejak("sync", settings=settings)
    result = town.jejak(*command, settings=settings)
    assert result.status == 1
    assert not [secret for secret in town.secrets.values() if secret in result.out + result.err]
