"""From the sources into `raw_record`: every row counted once, no half fetch, nothing lost, whatever they answer."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import schemas.fields
from pipeline import fetch
from pipeline.fetch import COUNTS
from pipeline.registry import SERVICES, SOURCES
from schemas.service import read_row
from simulator.days import settled
from simulator.faults import Fault
from simulator.rendering import Row
from simulator.world import LKPP as SIMULATED
from tests.worlds import API_KEY, OF_PROCESSES, TOKEN, EditedWorld, Town, contents, served
from warehouse import tables as t
from warehouse.engine import from_json

STAGES = "SPSE-JadwalTahapanNonTender"  # enough rows for shares to mean something
ATTEMPTS = "SPSE-NonTenderPengumuman"
TENDERS = "SPSE-TenderPengumuman"
FINISHED = "SPSE-NonTenderSelesai"
PAYMENTS = "SPSE-PencatatanNonTenderRealisasi"
BIDDERS = "SPSE-PesertaTender"
ORDERS = "Ecat-PaketEPurchasingV6"  # its rows are about their `total_harga`: without it they can't be used


def counted(counts: dict[str, Any]) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: counts[name] for name in COUNTS if counts[name]}


def changed(**fields: object) -> Callable[[list[Row]], list[Row]]:
    """Other values in the first row."""
    return lambda rows: [rows[0] | fields, *rows[1:]]


def declare(monkeypatch: pytest.MonkeyPatch, name: str, **otherwise: Any) -> None:
    """Declare a service otherwise for the rest of a test."""
    source, service = SERVICES[name]
    service = replace(service, **otherwise)
    monkeypatch.setitem(SERVICES, name, (source, service))
    monkeypatch.setitem(SOURCES[source].services, name, service)


def by_key(service: str, rows: list[Row]) -> Mapping[tuple[str, ...], Set[object]]:
    """What a service's rows say, without stamps and the order of lists, by what they are known by."""
    found: dict[tuple[str, ...], set[object]] = defaultdict(set)
    for row in rows:
        found[tuple(str(row.get(part)) for part in SERVICES[service][1].key)].add(settled(row))
    return found


def assert_matches(text: str, pattern: str) -> None:
    assert re.search(pattern, text, re.DOTALL), text


# --- counts ----------------------------------------------------------------------------------------------------------


def test_every_row_is_in_exactly_one_count_and_a_second_sync_changes_nothing(town_on_both: Town) -> None:
    town = town_on_both
    first = town.sync()
    assert first.keys() == SIMULATED.keys()
    for name, counts in first.items():
        assert counts["status"] == "success"
        assert counts["fetched"] == len(town.world.rows(name)) == sum(counts[each] for each in COUNTS[1:6])
        assert len(town.known(name)) == counts["new"]
    before = contents(town.engine)
    second = town.sync()
    for name, counts in second.items():
        assert (counts["unchanged"], counts["duplicate"]) == (first[name]["new"], first[name]["duplicate"])
        assert counted(counts).keys() <= {"fetched", "unchanged", "duplicate"}
    assert contents(town.engine) == before
    [run] = town.query(select(t.run).order_by(t.run.c.number.desc()).limit(1))
    assert (run["status"], run["built"]) == ("success", 0)


def test_the_same_night_twice_changes_nothing_whatever_is_odd_in_it(town: Town) -> None:
    settings = town.settings("files", only=[ATTEMPTS, FINISHED, TENDERS, ORDERS])
    old = town.dump({TENDERS: json.dumps(town.world.rows(TENDERS)[1:])})
    older = (old / f"{TENDERS}.json").read_text(encoding="utf-8")
    town.next_day(0)

    def odd(rows: list[Row]) -> list[Row]:
        return [
            rows[0] | {"kd_nontender": None},
            *(row | {"kolom_baru": 1, "mtd_pemilihan": "Cara Aneh"} for row in rows),
            rows[1],
            rows[1],
        ]

    town.edit(ATTEMPTS, odd)
    town.edit(ORDERS, lambda rows: [rows[0] | {"kd_paket": "5", "total_harga": -1}, *rows])
    town.edit(TENDERS, lambda rows: [row | {"nama_paket": "Judul baru", "kolom_lain": 1} for row in rows])
    for text in ({}, {TENDERS: older}):
        town.dump(text)
        town.sync(settings=settings)
        before = contents(town.engine)
        assert {row["kind"] for row in before["signal"]} >= {"field", "code"}
        assert len(before["reject"]) == 2
        for _ in range(2):
            town.sync(settings=settings)
            assert contents(town.engine) == before


def test_stamps_and_the_order_of_lists_are_no_change(town: Town) -> None:
    settings = town.settings(only=OF_PROCESSES)
    town.sync(settings=settings)
    before = contents(town.engine)
    town.next_day(0)
    for counts in town.sync(settings=settings).values():
        assert counted(counts).keys() <= {"fetched", "unchanged", "duplicate"}
    after = contents(town.engine)
    # When the newest answer was given, and how its rows travelled.
    for each in (before, after):
        del each["answer"]
        each["raw_record"] = [row | {"wire_hash": ""} for row in each["raw_record"]]
    assert after == before


def test_what_happened_in_a_night_is_what_is_counted(town: Town) -> None:
    town.sync("--no-build")
    before = {name: by_key(name, town.world.rows(name)) for name in SIMULATED}
    assert town.next_day(0.06)["changed"]
    after = {name: by_key(name, town.world.rows(name)) for name in SIMULATED}
    seen = Counter[str]()
    for name, counts in town.sync("--no-build").items():
        assert counts["fetched"] == len(town.world.rows(name)) == sum(counts[each] for each in COUNTS[1:6])
        assert len(town.known(name)) == counts["fetched"] - counts["duplicate"]
        old, new = before[name], after[name]
        if any(len(contents) > 1 for contents in (*old.values(), *new.values())):
            continue  # of rows that share a key it can't be said which one changed
        assert [counts[each] for each in ("new", "changed", "unchanged", "gone")] == [
            len(new.keys() - old.keys()),
            sum(old[key] != new[key] for key in old.keys() & new.keys()),
            sum(old[key] == new[key] for key in old.keys() & new.keys()),
            len(old.keys() - new.keys()),
        ]
        seen.update(counted(counts).keys())
    assert seen.keys() >= {"new", "changed", "unchanged", "gone"}


def test_years_are_scopes_of_their_own(town: Town) -> None:
    town.world.years = [2024, 2025]
    settings = town.settings(only=["RUP-PaketPenyedia-Terumumkan", "RUP-MasterProvinsi"])
    town.sync("--no-build", settings=settings)
    # This world's older year is empty; the country's provinces are asked for once.
    scopes = town.query(select(t.run_service.c.service, t.run_service.c.scope, t.run_service.c.fetched))
    rows = len(town.world.rows("RUP-PaketPenyedia-Terumumkan"))
    assert {(each["service"], each["scope"]): each["fetched"] for each in scopes} == {
        ("RUP-PaketPenyedia-Terumumkan", "2024"): 0,
        ("RUP-PaketPenyedia-Terumumkan", "2025"): rows,
        ("RUP-MasterProvinsi", "all"): 3,
    }
    town.sync("--no-build", "--year", "2024", settings=settings)
    assert len(town.known("RUP-PaketPenyedia-Terumumkan")) == rows


# --- answers that can't be believed ----------------------------------------------------------------------------------

NO_JSON = r"holds an HTML or XML page where JSON is due"
BAD_FILES: dict[str, tuple[Callable[[list[Row]], str], str]] = {
    "an HTML page": (lambda rows: "<!DOCTYPE html><html>Layanan dalam pemeliharaan</html>", NO_JSON),
    "an error word": (lambda rows: "URL-NOT-DEFINED", "holds plain text where JSON is due"),
    "truncated JSON": (lambda rows: json.dumps(rows)[:-200], "breaks at character"),
    "an object": (lambda rows: json.dumps({"pesan": "maaf"}), "holds a dict where a list of rows is due"),
    "a list of numbers": (lambda rows: json.dumps([*rows, 5]), "holds a int as row 31 where an object is due"),
    "a lost key column": (
        lambda rows: json.dumps([{n: v for n, v in row.items() if n != "kd_akt"} for row in rows]),
        "no row has kd_akt, which it is known by.*name it under `columns`",
    ),
    "another service's rows": (lambda rows: json.dumps([{"kd_tender": 1}] * 30), "no row has kd_nontender, kd_akt"),
    "no rows": (lambda rows: "[]", "0 rows with 0 usable keys where about 30 are usual.*lower min_share"),
    "an empty file": (lambda rows: "", "0 rows with 0 usable keys where about 30 are usual"),
    "a fifth of the rows": (lambda rows: json.dumps(rows[:6]), "6 rows with 6 usable keys where about 30 are usual"),
    "a handful of rows over and over": (lambda rows: json.dumps(rows[:6] * 5), "30 rows with 6 usable keys"),
    "objects for codes": (
        lambda rows: json.dumps([row | {"kd_nontender": {"kd": row["kd_nontender"]}} for row in rows]),
        "30 of 30 rows can't be used.*kd_nontender: .*got dict.*raise max_reject_share",
    ),
    "words for codes in most rows": (
        lambda rows: json.dumps([row | {"kd_nontender": "tidak ada"} for row in rows[:20]] + rows[20:]),
        "20 of 30 rows can't be used.*kd_nontender is no code",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_FILES)
def test_an_answer_that_cannot_be_believed_changes_nothing(town: Town, kind: str) -> None:
    spoil, message = BAD_FILES[kind]
    town.settings()
    town.dump()
    good = town.world.rows(STAGES)
    settings = town.settings("files", only=[STAGES, ATTEMPTS])
    town.sync("--no-build", settings=settings)
    before = contents(town.engine)

    rows = town.world.rows(ATTEMPTS)
    rows[0]["nama_paket"] = "Judul baru"
    town.dump({STAGES: spoil(good), ATTEMPTS: json.dumps(rows)})
    result = town.jejak("sync", "--no-build", settings=settings)
    assert result.status == 1
    counts = town.counts()
    assert counts[STAGES]["status"] == "failed"
    assert counted(counts[STAGES]) == {}
    assert_matches(counts[STAGES]["message"], message)
    assert_matches(result.err, message)
    assert_matches(result.out, message)
    # The other service has gone on.
    assert counted(counts[ATTEMPTS]) == {"fetched": len(rows), "changed": 1, "unchanged": len(rows) - 1}
    after = contents(town.engine)
    assert [row for row in after["raw_record"] if row["service"] == STAGES] == [
        row for row in before["raw_record"] if row["service"] == STAGES
    ]
    assert after["reject"] == after["staged_fetch"] == after["staged_page"] == []

    town.dump()
    counts = town.sync("--no-build", settings=settings)
    assert counted(counts[STAGES]) == {"fetched": 30, "unchanged": 30}


FAULTS = {
    "RUP-PaketPenyedia-Terumumkan": (
        Fault("html", "RUP-PaketPenyedia-Terumumkan"),
        "an HTML or XML page where JSON is due",
    ),
    BIDDERS: (Fault("truncated", BIDDERS), "breaks at character"),
    "RUP-MasterSatker": (Fault("status", "RUP-MasterSatker", status=500), "answered 500; try again later"),
    "SPSE-JadwalTahapanTender": (
        Fault("missing_column", "SPSE-JadwalTahapanTender", column="kd_akt"),
        "no row has kd_akt",
    ),
    STAGES: (Fault("few_rows", STAGES), "where about .* are usual"),
    "RUP-PaketPenyediaLokasi": (
        Fault("empty", "RUP-PaketPenyediaLokasi"),
        "0 rows with 0 usable keys where about .* are usual",
    ),
    "SPSE-NonTenderEkontrak-2Kontrak": (Fault("drop", "SPSE-NonTenderEkontrak-Kontrak"), "broke off.*try again later"),
    "RUP-ProgramMaster": (Fault("rate_limit", "RUP-ProgramMaster"), "answered 429 and asked to be left alone for 1 s"),
    "RUP-PaketAnggaranPenyedia": (
        Fault("wrong_types", "RUP-PaketAnggaranPenyedia"),
        "rows can't be used, the first because pagu: .* got text",
    ),
    "SPSE-PencatatanNonTender": (Fault("hang", "SPSE-PencatatanNonTender", seconds=3), "did not answer within 1 s"),
}


def test_sources_that_fail_in_every_way_stop_nobody_and_lose_nothing(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(60, seed=2), tmp_path, file_url) as town:
        settings = town.settings(timeout_seconds=1)
        town.sync("--no-build", settings=settings)
        before = contents(town.engine)
        town.server.faults.add(*(fault for fault, _ in FAULTS.values()))
        result = town.jejak("sync", "--no-build", settings=settings)
        assert result.status == 1
        assert re.search(rf"jejak: failed: .* and {len(FAULTS) - 5} more\. The others are in, and", result.err)
        assert set(re.findall(r"^\S+ +(\S+) .*  FAILED$", result.out, re.MULTILINE)) == FAULTS.keys()
        for name, counts in town.counts().items():
            if name in FAULTS:
                assert counts["status"] == "failed", name
                assert_matches(counts["message"], FAULTS[name][1])
                assert counted(counts) == {}
            else:
                assert counts["status"] == "success", counts["message"]
        assert not town.server.faults.listed()
        assert contents(town.engine) == before
        for counts in town.sync("--no-build", settings=settings).values():
            assert counted(counts).keys() <= {"fetched", "unchanged", "duplicate"}
        assert contents(town.engine) == before


def test_an_inaproc_page_that_comes_twice_changes_nothing(town: Town) -> None:
    settings = town.settings("rest", only=[BIDDERS], page_size=100)
    rows = len(town.world.rows(BIDDERS))
    assert rows > 200  # several pages
    town.server.faults.add(Fault("duplicate_page", "tender/peserta-tender", after_page=1))
    result = town.jejak("sync", settings=settings)
    assert result.status == 1
    assert_matches(town.counts()[BIDDERS]["message"], "same page twice.*run again")
    assert counted(town.sync(settings=settings)[BIDDERS]) == {"fetched": rows, "new": rows}


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_answer_is_refused_where_rows_were_however_few(town: Town, rows: int) -> None:
    settings = town.settings(only=[PAYMENTS])
    town.edit(PAYMENTS, lambda known: known[:3])
    town.sync(settings=settings)
    before = contents(town.engine)
    town.next_day(0)
    town.edit(PAYMENTS, lambda known: known[:rows])
    result = town.jejak("sync", settings=settings)
    assert result.status == (0 if rows else 1)
    if not rows:
        assert "0 rows with 0 usable keys where about 3 are usual" in result.err
        assert contents(town.engine) == before


# --- rows that can't be used -----------------------------------------------------------------------------------------

BAD_ROWS: dict[str, tuple[dict[str, object], str]] = {
    "words for an amount": ({"total_harga": "sepuluh juta"}, "total_harga: .* in plain digits, got text of 12 char"),
    "an amount beyond 64 bits": ({"total_harga": 10**30}, "total_harga: .* outside these limits"),
    "a negative amount": ({"total_harga": -777123}, "total_harga: .* outside these limits"),
    "truth for an amount": ({"total_harga": True}, "total_harga: .* got bool"),
    "a list for an amount": ({"total_harga": ["Rahasia"]}, "total_harga: .* got list"),
    "no code": ({"kd_paket": None}, "kd_paket is empty or 0"),
    "the code 0": ({"kd_paket": "0"}, "kd_paket is empty or 0"),
    "no more than a dash": ({"kd_paket": "-"}, "kd_paket: .*no code of its own"),
    "words for a code": ({"kd_paket": "Rahasia juga"}, "kd_paket is no code of a process"),
    "an object for a code": ({"kd_paket": {"a": 1}}, "kd_paket: .*got dict"),
    "half a character in the name of a column": ({"kolom\ud83d": "x"}, "raw data as a unicode string"),
}


def test_rows_that_cannot_be_used_are_kept_whole_with_their_reason(town_on_both: Town) -> None:
    town = town_on_both
    good = len(town.world.rows(ORDERS))
    bad = [
        {**town.world.rows(ORDERS)[0], "kd_paket": str(99_000_000_000 + number), **fields}
        for number, (fields, _) in enumerate(BAD_ROWS.values())
    ]
    town.edit(ORDERS, lambda rows: [*bad, *rows])
    counts = town.sync(settings=town.settings(only=[ORDERS]))[ORDERS]
    assert counted(counts) == {"fetched": good + len(bad), "new": good, "rejected": len(bad)}
    rejects = town.query(select(t.reject).order_by(t.reject.c.id))
    by_payload = {row["payload"]: row["reason"] for row in rejects}
    for row, (_, reason) in zip(bad, BAD_ROWS.values(), strict=True):
        found = [by_payload[payload] for payload in by_payload if from_json(payload) == row]
        assert len(found) == 1
        assert_matches(found[0], reason)
    shown = town.jejak("rejects", "--json").out + town.jejak("rejects").out
    for word in ("sepuluh", "Rahasia", "777123", str(10**30)):
        assert word not in shown
    # The same rows on the next night are the same rejects.
    counts = town.sync(settings=town.settings(only=[ORDERS]))[ORDERS]
    assert counted(counts) == {"fetched": good + len(bad), "unchanged": good, "rejected": len(bad)}
    assert town.query(select(t.reject).order_by(t.reject.c.id)) == rejects


ODD_FIELDS: dict[str, tuple[object, str]] = {
    "pagu": ("sepuluh juta", "an amount of IDR in plain digits, got text of 12 characters"),
    "hps": (-777123, "outside these limits"),
    "nama_paket": (["Rahasia"], "expected text, got list"),
    "nip_nama_ppk": ({"nama": "Rahasia"}, "expected text, got dict"),
    "tgl_buat_paket": ("2025-02-30 10:00:00", ""),
    "tgl_pengumuman_nontender": ("1899-12-30", "from 1990 to 2100"),
}


def test_a_field_that_cannot_be_read_is_left_out_and_signalled_and_its_row_used(town_on_both: Town) -> None:
    town = town_on_both
    odd = {name: value for name, (value, _) in ODD_FIELDS.items()}
    [first, *others] = town.world.rows(ATTEMPTS)
    town.edit(ATTEMPTS, changed(**odd))
    settings = town.settings(only=[ATTEMPTS])
    result = town.jejak("sync", settings=settings)
    assert result.status == 0
    assert counted(town.counts()[ATTEMPTS]) == {"fetched": len(others) + 1, "new": len(others) + 1}
    signals = {row["field"]: row for row in town.query(select(t.signal).where(t.signal.c.kind == "dropped"))}
    assert signals.keys() == odd.keys()
    for name, (_, reason) in ODD_FIELDS.items():
        assert reason in signals[name]["value"]
        assert signals[name]["rows"] == 1
    [kept] = [row["payload"] for row in town.known(ATTEMPTS) if row["code"] == str(first["kd_nontender"])]
    assert kept.items() >= odd.items()
    tender = town.compiled("nontender", first["kd_nontender"])["tender"]
    assert tender["id"] == f"nontender-{first['kd_nontender']}"
    assert "value" not in tender
    assert "title" not in tender
    shown = [town.jejak(*words, settings=settings) for words in (("status",), ("health",), ("rejects",))]
    found = "".join(each.out + each.err for each in (result, *shown))
    for word in ("sepuluh", "Rahasia", "777123", "1899", "02-30"):
        assert word not in found + str(signals)
    assert town.query(select(t.reject)) == []


@pytest.mark.parametrize("step", ["identify", "extract"])
def test_what_nobody_foresaw_in_a_row_stops_no_other(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    town = town_on_both
    settings = town.settings(only=[ATTEMPTS])
    rows = town.world.rows(ATTEMPTS)
    broken, known = str(rows[0]["kd_nontender"]), getattr(fetch, step)

    def fail(*given: Any) -> Any:
        if (str(given[1]["kd_nontender"]) if step == "identify" else given[3][1]) == broken:
            raise ZeroDivisionError
        return known(*given)

    with monkeypatch.context() as patch:
        patch.setattr(fetch, step, fail)
        counts = town.sync(settings=settings)[ATTEMPTS]
        assert counted(counts) == {"fetched": len(rows), "new": len(rows) - 1, "rejected": 1}
        [reject] = open_rejects(town)
        assert "ZeroDivisionError" in reject["reason"]
        # The same the next night.
        counts = town.sync(settings=settings)[ATTEMPTS]
        assert counted(counts) == {"fetched": len(rows), "unchanged": len(rows) - 1, "rejected": 1}
        assert open_rejects(town) == [reject]
    assert "accepted 1, left 0" in town.jejak("retry", settings=settings).out
    assert town.compiled("nontender", broken)


ODD_ROWS: dict[str, dict[str, object]] = {
    "a NUL in a title": {"nama_paket": "Jalan\x00 Desa"},
    "half a character in a title": {"nama_paket": "Jalan \ud83d Desa"},
    "a number beyond 64 bits in an unknown column": {"kolom_baru": 10**30},
    "a code beyond 64 bits": {"kd_nontender": 10**30 + 7},
    "a code as a float": {"kd_nontender": 99_000_000_104.0},
    "blanks around a code": {"kd_nontender": " 99000000105 "},
    "a mark that shows nothing around a code": {"kd_nontender": "\ufeff99000000106\u200b"},
    "a NUL behind a code": {"kd_nontender": "99000000107\x00"},
    "half a character behind a code": {"kd_nontender": "99000000108\ud83d"},
    "a NUL in the name of an unknown column": {"kolom\x00baru": "x"},
    "a NUL in an unknown code value": {"mtd_pemilihan": "Cara\x00 Aneh"},
    "half a character in an unknown code value": {"mtd_pemilihan": "Cara\ud83d Aneh"},
    "a book for a title": {"nama_paket": "Jalan " * 50_000},
}


@pytest.mark.parametrize("kind", ODD_ROWS)
def test_odd_rows_that_can_be_used_become_releases(town_on_both: Town, kind: str) -> None:
    town = town_on_both
    odd = {"kd_nontender": 99_000_000_100, "kd_rup": "", **ODD_ROWS[kind]}
    town.edit(ATTEMPTS, lambda rows: [*rows, rows[0] | odd])
    settings = town.settings(only=[ATTEMPTS])
    good = len(town.world.rows(ATTEMPTS))
    assert counted(town.sync(settings=settings)[ATTEMPTS]) == {"fetched": good, "new": good}
    assert counted(town.sync(settings=settings)[ATTEMPTS]) == {"fetched": good, "unchanged": good}
    assert town.query(select(t.pending_code)) == town.query(select(t.pending_process)) == []
    code = re.sub(r"\D", "", str(read_row(SERVICES[ATTEMPTS][1], odd)[0].kd_nontender))  # type: ignore[attr-defined]
    record = town.compiled("nontender", code)
    assert record["tender"]["id"] == f"nontender-{code}"
    assert "\x00" not in json.dumps(record)
    json.dumps(record, ensure_ascii=False).encode()
    assert town.jejak("export", "--out", town.folder / "out").status == 0


def test_a_new_column_is_signalled_by_name_and_number_of_rows(town: Town) -> None:
    town.edit(ATTEMPTS, lambda rows: [row | {"kolom_baru": f"Nilai {row['kd_nontender']}"} for row in rows])
    result = town.jejak("sync", settings=town.settings(only=[ATTEMPTS]))
    assert f"lpse {ATTEMPTS}: unknown field kolom_baru" in result.err
    [signal] = town.query(select(t.signal).where(t.signal.c.kind == "field"))
    assert (signal["service"], signal["field"], signal["value"]) == (ATTEMPTS, "kolom_baru", "")
    assert signal["rows"] == len(town.world.rows(ATTEMPTS))
    assert "Nilai" not in json.dumps(signal) + result.out + result.err


def test_a_run_counts_the_rows_with_a_new_column_apart_from_one_of_the_same_second(town: Town) -> None:
    settings, rows = town.settings(only=[ATTEMPTS]), len(town.world.rows(ATTEMPTS))

    def with_column(value: str) -> Callable[[list[Row]], list[Row]]:
        return lambda rows: [row | {"kolom_baru": value} for row in rows]

    for value in ("Nilai", "Nilai lain"):
        town.edit(ATTEMPTS, with_column(value))
        assert counted(town.sync(settings=settings)[ATTEMPTS])["fetched"] == rows
        [signal] = town.query(select(t.signal).where(t.signal.c.kind == "field"))
        assert signal["rows"] == rows
    assert len({row["started_at"] for row in town.query(select(t.run.c.started_at))}) == 1


# --- rows that change, vanish, come back, or disagree ----------------------------------------------------------------


def only_payments(town: Town) -> Path:
    return town.settings(only=[PAYMENTS, "SPSE-PencatatanNonTender"])


def test_rows_that_share_a_key_and_differ_are_all_kept_in_any_order(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, PAYMENTS, keyless=False)
    settings = only_payments(town)
    town.edit(PAYMENTS, lambda rows: [rows[0]])
    counts = town.sync(settings=settings)[PAYMENTS]
    assert counted(counts) == {"fetched": 1, "new": 1}
    [first] = town.known(PAYMENTS)

    def disagreeing(rows: list[Row]) -> list[Row]:
        return [rows[0] | {"nilai_realisasi": 5}, rows[0], rows[0] | {"nilai_realisasi": 7}, rows[0]]

    town.edit(PAYMENTS, disagreeing)
    counts = counted(town.sync(settings=settings)[PAYMENTS])
    assert counts["new"] == 2
    assert counts["duplicate"] == counts.get("unchanged", 0) + counts.get("changed", 0) == 1
    kept = {row["key"]: row["content_hash"] for row in town.known(PAYMENTS)}
    # Who bears which suffix follows from the contents alone, not from who was there first.
    bare, *others = sorted(kept.values())
    assert kept == {first["key"]: bare, **{f"{first['key']}#{each[:8]}": each for each in others}}
    transactions = [
        transaction["value"]["amount"]
        for contract in town.compiled("pencatatan", first["code"])["contracts"]
        for transaction in contract.get("implementation", {}).get("transactions", [])
    ]
    assert {5, 7, first["payload"]["nilai_realisasi"]} == set(transactions)

    town.edit(PAYMENTS, lambda rows: disagreeing(rows)[::-1])
    assert counted(town.sync(settings=settings)[PAYMENTS]) == {"fetched": 4, "unchanged": 3, "duplicate": 1}
    town.next_day(0)
    town.edit(PAYMENTS, lambda rows: [rows[0] | {"nilai_realisasi": 7}, rows[0]])
    counts = town.sync(settings=settings)[PAYMENTS]
    assert counts["fetched"] == counts["unchanged"] + counts["changed"] == 2
    assert counts["gone"] == 1
    assert {row["payload"]["nilai_realisasi"] for row in town.known(PAYMENTS)} == {
        7,
        first["payload"]["nilai_realisasi"],
    }


def test_a_row_that_vanishes_leaves_a_tombstone_and_may_come_back(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[ATTEMPTS, FINISHED])
    town.sync(settings=settings)
    finished = {row["kd_nontender"] for row in town.world.rows(FINISHED) if row["kd_penyedia"]}
    code = next(row["kd_nontender"] for row in town.world.rows(ATTEMPTS) if row["kd_nontender"] in finished)
    first = town.compiled("nontender", code)
    assert first["tender"]["status"] != "withdrawn"
    assert [award["status"] for award in first["awards"]] == ["active"]

    def without(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["kd_nontender"] != code]

    # The award is taken back first, then the whole attempt.
    town.next_day(0)
    town.edit(FINISHED, without)
    counts = town.sync(settings=settings)
    assert counted(counts[FINISHED])["gone"] == 1
    assert counts[FINISHED]["fetched"] == counts[FINISHED]["unchanged"]
    tombstone = town.known(FINISHED, current=False)[-1]
    assert (tombstone["gone"], tombstone["current"], tombstone["code"]) == (True, True, str(code))
    assert tombstone["observed_at"] == town.now
    record = town.compiled("nontender", code)
    assert [award["status"] for award in record["awards"]] == ["cancelled"]
    assert record["awards"][0]["value"] == first["awards"][0]["value"]
    assert record["tender"]["status"] == first["tender"]["status"]

    town.next_day(0)
    town.edit(ATTEMPTS, without)
    assert counted(town.sync(settings=settings)[ATTEMPTS])["gone"] == 1
    record = town.compiled("nontender", code)
    assert record["tender"]["status"] == "withdrawn"
    assert record["tender"]["title"] == first["tender"]["title"]
    tags = town.query(select(t.release.c.tags).where(t.release.c.ocid == record["ocid"]).order_by(t.release.c.date))
    assert "tenderCancellation" in tags[-1]["tags"]
    # A night later it is still gone, and that is no news.
    town.next_day(0)
    assert "gone" not in counted(town.sync(settings=settings)[ATTEMPTS])

    town.next_day(0)
    town.edit(ATTEMPTS, None)
    town.edit(FINISHED, None)
    counts = town.sync(settings=settings)
    assert (counts[ATTEMPTS]["new"], counts[FINISHED]["new"]) == (1, 1)
    again = town.compiled("nontender", code)
    assert again["tender"] == first["tender"]
    assert again["awards"] == first["awards"]
    versions = [row for row in town.known(FINISHED, current=False) if row["code"] == str(code)]
    assert [(row["gone"], row["current"]) for row in versions] == [(False, False), (True, False), (False, True)]


def test_a_row_comes_back_however_old_its_own_date_is(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings("files", only=[ORDERS])
    rows = len(town.world.rows(ORDERS))
    there = changed(_event_date="2025-01-10")
    for edit, count in (
        (there, {"new": rows}),
        (lambda rows: rows[1:], {"unchanged": rows - 1, "gone": 1}),
        (there, {"new": 1, "unchanged": rows - 1}),
        (lambda rows: rows[1:], {"unchanged": rows - 1, "gone": 1}),
        (changed(_event_date="2025-01-10", total_harga=4 * 10**15), {"unchanged": rows - 1, "rejected": 1}),
    ):
        town.next_day(0)
        town.edit(ORDERS, edit)
        town.dump()
        counts = town.sync(settings=settings)[ORDERS]
        assert counted(counts) == {"fetched": sum(count.values()) - counts["gone"], **count}
    # So it does when it could not be used at first.
    monkeypatch.setattr(schemas.fields, "AMOUNT_LIMIT", 10**16)
    assert "accepted 1, left 0" in town.jejak("retry", settings=settings).out
    assert len(town.known(ORDERS)) == rows


def test_an_older_observation_never_replaces_a_newer_one(town: Town) -> None:
    settings = town.settings("files", only=[TENDERS])
    older = (town.dump() / f"{TENDERS}.json").read_text(encoding="utf-8")
    rows = town.world.rows(TENDERS)
    town.edit(TENDERS, lambda rows: [*(row | {"nama_paket": "Judul baru"} for row in rows), rows[0] | {"kd_tender": 5}])
    town.next_day(0)
    town.dump()
    town.sync(settings=settings)
    newest = town.known(TENDERS)
    for again in range(2):
        town.next_day(0)
        town.dump({TENDERS: older})
        counts = town.sync(settings=settings)[TENDERS]
        assert counted(counts) == {"fetched": len(rows), "unchanged": len(rows)}, again
        assert town.known(TENDERS) == newest  # what came after the older file is not gone from it either
        assert len(town.known(TENDERS, current=False)) == len(newest) + len(rows)
    record = town.compiled("tender", rows[0]["kd_tender"])
    assert record["tender"]["title"] == "Judul baru"


def test_an_older_answer_adds_to_the_history_alone(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("files", only=[ATTEMPTS, FINISHED])
    first = town.world.rows(ATTEMPTS)[0]
    alone = first | {"kd_nontender": 99_000_000_001, "kd_rup": "99000001"}
    another, seen = {"kd_rup": "99000002", "kolom_baru": 1}, {"_event_date": str(town.world.today)}
    town.edit(ATTEMPTS, lambda rows: [row | seen for row in [*(row | another for row in rows[1:]), alone]])
    older = (town.dump() / f"{ATTEMPTS}.json").read_text(encoding="utf-8")
    town.next_day(0)
    town.edit(ATTEMPTS, None)
    town.dump()
    town.sync(settings=settings)
    before = contents(town.engine)
    town.dump({ATTEMPTS: older})
    counts = town.sync("--no-build", settings=settings)[ATTEMPTS]
    assert counts["fetched"] == counts["unchanged"] == len(town.world.rows(ATTEMPTS))
    after = contents(town.engine)
    history = [row for row in after["raw_record"] if row["service"] == ATTEMPTS and not row["current"]]
    assert {row["key"] for row in history} == {
        str(row["kd_nontender"]) for row in [*town.world.rows(ATTEMPTS)[1:], alone]
    }
    assert not any(row["gone"] for row in history)
    # No facts, no codes to place, no signals, no other current row.
    for each in (before, after):
        each["raw_record"] = [row | {"id": 0} for row in each["raw_record"] if row["current"]]
        for table in ("rup_reference", "plan_fact", "rup_revision", "supplier_name"):
            each[table] = [row | {"row_id": 0} for row in each[table]]
        each["record"] = [row | {"rows": b""} for row in each["record"]]
    assert after == before


def test_contents_of_different_times_in_one_answer_are_versions_of_one_row(town: Town) -> None:
    settings = town.settings("files", only=[ATTEMPTS])
    rows = town.world.rows(ATTEMPTS)
    titles = [("X", "2025-09-01"), ("Z", "2025-09-03"), ("Y", "2025-09-02")]
    versions = [rows[0] | {"nama_paket": title, "_event_date": day} for title, day in titles]
    for again in range(2):
        town.dump({ATTEMPTS: json.dumps([*versions[again:], *versions[:again], *rows[1:]])})
        counts = town.sync(settings=settings)[ATTEMPTS]
        assert counts["gone"] == counts["changed"] == counts["duplicate"] == 0
        known = [row for row in town.known(ATTEMPTS, current=False) if row["code"] == str(rows[0]["kd_nontender"])]
        assert {row["payload"]["nama_paket"]: row["current"] for row in known} == {"X": False, "Y": False, "Z": True}
        assert {row["key"] for row in known} == {str(rows[0]["kd_nontender"])}
    # A newer answer is believed, whatever older date a row of it bears.
    town.next_day(0)
    town.dump({ATTEMPTS: json.dumps([versions[0], *rows[1:]])})
    town.sync(settings=settings)
    expected = town.known(ATTEMPTS)
    assert [row["payload"]["nama_paket"] for row in expected if row["key"] == str(rows[0]["kd_nontender"])] == ["X"]
    assert counted(town.sync(settings=settings)[ATTEMPTS]) == {"fetched": len(rows), "unchanged": len(rows)}
    assert town.known(ATTEMPTS) == expected


@pytest.mark.parametrize("bad", ["another row", "the row itself", "a row without a code"])
def test_a_row_is_missing_only_where_no_row_that_could_not_be_read_may_be_it(town: Town, bad: str) -> None:
    settings = town.settings(only=[ORDERS])
    town.sync(settings=settings)
    missing = town.world.rows(ORDERS)[0]["kd_paket"]
    code = {"another row": "5", "the row itself": missing, "a row without a code": None}[bad]
    town.next_day(0)
    town.edit(ORDERS, lambda rows: [*rows[1:], rows[1] | {"kd_paket": code, "total_harga": "?"}])
    counts = town.sync(settings=settings)[ORDERS]
    assert counts["rejected"] == 1
    assert counts["gone"] == (1 if bad == "another row" else 0)
    assert (str(missing) in {row["code"] for row in town.known(ORDERS)}) is (bad != "another row")
    town.next_day(0)
    town.edit(ORDERS, lambda rows: rows[1:])
    assert town.sync(settings=settings)[ORDERS]["gone"] == (0 if bad == "another row" else 1)


def test_equal_rows_of_a_list_without_keys_are_all_kept(town: Town) -> None:
    assert SERVICES[PAYMENTS][1].keyless
    settings = only_payments(town)
    one, other = town.world.rows(PAYMENTS)[:2]
    third = one | {"nilai_realisasi": 7}
    for answer, kept in (
        ([one, one, other], 3),
        ([other, one, one], 3),
        ([one, one, one, other, third], 5),
        ([one, other, third], 3),
        ([one, other, third] * 2, 3),
        ([one, one, other] * 4, 3),
        ([one, one, other, one, one, other, one], 7),
        ([one] * 4, 4),
        ([one, one, other], 3),
    ):
        town.next_day(0)
        town.edit(PAYMENTS, lambda rows, answer=answer: answer)  # type: ignore[misc]
        for again in range(2):
            counts = town.sync(settings=settings)[PAYMENTS]
            assert counts["fetched"] == len(answer)
            assert counts["duplicate"] == len(answer) - kept
            assert not again or counts["unchanged"] == kept
            known = [json.dumps(row["payload"], sort_keys=True) for row in town.known(PAYMENTS)]
            wanted = Counter(json.dumps(row, sort_keys=True) for row in answer)
            assert Counter(known) == {row: times * kept // len(answer) for row, times in wanted.items()}


# --- rejects and their end -------------------------------------------------------------------------------------------


def open_rejects(town: Town) -> list[dict[str, Any]]:
    return town.query(select(t.reject).where(t.reject.c.resolved_at.is_(None)))


def test_a_reject_is_tried_again_when_the_code_has_changed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings(only=[ORDERS])
    code = town.world.rows(ORDERS)[0]["kd_paket"]
    town.edit(ORDERS, changed(total_harga=4 * 10**15))
    assert town.sync(settings=settings)[ORDERS]["rejected"] == 1
    assert "accepted 0, left 1" in town.jejak("retry", settings=settings).out
    assert str(code) not in {row["code"] for row in town.known(ORDERS)}

    monkeypatch.setattr(schemas.fields, "AMOUNT_LIMIT", 10**16)
    result = town.jejak("retry", settings=settings)
    assert (result.status, result.out.strip()[:20]) == (0, "accepted 1, left 0, ")
    assert open_rejects(town) == []
    amounts = {each["id"]: each["value"]["amount"] for each in town.compiled("ecat", code)["contracts"]}
    assert [amount for name, amount in amounts.items() if code in name] == [4 * 10**15]
    counts = town.sync(settings=settings)[ORDERS]
    assert counted(counts).keys() == {"fetched", "unchanged"}


def test_a_row_mended_at_the_source_settles_its_reject(town: Town) -> None:
    settings = town.settings(only=[ORDERS])
    town.edit(ORDERS, changed(total_harga="?"))
    town.sync(settings=settings)
    [reject] = open_rejects(town)
    assert reject["key"] == str(town.world.rows(ORDERS)[0]["kd_paket"])
    town.next_day(0)
    town.edit(ORDERS, None)
    assert town.sync(settings=settings)[ORDERS]["new"] == 1
    [settled] = town.query(select(t.reject))
    assert settled == reject | {"resolved_at": town.now}


def test_a_row_that_goes_bad_keeps_its_last_good_version_until_it_is_mended(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = town.settings(only=[ORDERS])

    def known() -> list[dict[str, Any]]:
        # Lists within rows come in another order every day.
        return [row | {"wire_hash": ""} for row in town.known(ORDERS)]

    town.sync(settings=settings)
    before = known()
    town.next_day(0)
    town.edit(ORDERS, changed(total_harga=4 * 10**15))
    counts = town.sync(settings=settings)[ORDERS]
    assert counted(counts) == {"fetched": len(before), "unchanged": len(before) - 1, "rejected": 1}
    assert known() == before
    # It comes back as it was: that settles the reject, so that no later retry takes the bad version for the newest.
    town.next_day(0)
    town.edit(ORDERS, None)
    assert counted(town.sync(settings=settings)[ORDERS]) == {"fetched": len(before), "unchanged": len(before)}
    assert open_rejects(town) == []
    monkeypatch.setattr(schemas.fields, "AMOUNT_LIMIT", 10**16)
    town.jejak("retry", settings=settings)
    assert known() == before


def test_rows_of_a_renamed_column_are_taken_once_it_has_an_alias(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings("files", only=[STAGES, ATTEMPTS], services={STAGES: {"max_reject_share": 1.0}})
    rows = town.world.rows(STAGES)
    renamed = [{"kode_akt" if name == "kd_akt" else name: row[name] for name in row} for row in rows]
    # Two of them have the same key.
    renamed[1] = renamed[0] | {"tgl_akhir": "2025-01-01 00:00:00"}
    town.dump({STAGES: json.dumps(renamed)})
    town.next_day(0)
    counts = town.sync(settings=settings)[STAGES]
    assert counted(counts) == {"fetched": 30, "rejected": 30}
    assert {row["reason"] for row in open_rejects(town)} == {"lost key column: kd_akt is in no row of this answer"}
    assert "accepted 0, left 30" in town.jejak("retry", settings=settings).out

    declare(monkeypatch, STAGES, aliases={**SERVICES[STAGES][1].aliases, "kode_akt": "kd_akt"})
    assert "accepted 30, left 0" in town.jejak("retry", settings=settings).out
    known = town.known(STAGES)
    assert len(known) == 30
    # They are as old as their file, not as the retry: a file of the day between is newer.
    assert {row["observed_at"] for row in known} == {"2025-10-03T16:59:59Z"}
    town.dump()
    counts = town.sync(settings=settings)[STAGES]
    assert (counts["fetched"], counts["new"], counts["unchanged"] + counts["changed"], counts["gone"]) == (30, 1, 29, 1)


def test_a_row_without_a_code_is_settled_once_the_source_no_longer_sends_it(town: Town) -> None:
    settings = town.settings(only=[ATTEMPTS])
    town.edit(ATTEMPTS, lambda rows: [*rows, rows[0] | {"kd_nontender": None}])
    town.sync(settings=settings)
    [reject] = open_rejects(town)
    assert reject["key"] is None
    town.next_day(0)
    town.sync(settings=settings)
    assert open_rejects(town) == [reject]
    town.edit(ATTEMPTS, None)
    town.sync(settings=settings)
    assert open_rejects(town) == []


@pytest.mark.parametrize("answers", [1, 2])
def test_a_reject_of_the_newest_answer_is_there_however_old_its_own_date_is(
    town: Town, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    settings = town.settings("files", only=[ORDERS])
    town.edit(ORDERS, changed(total_harga=4 * 10**15, _event_date="2025-01-10"))
    for _ in range(answers):
        town.dump()
        assert town.sync(settings=settings)[ORDERS]["rejected"] == 1
        town.next_day(0)
    monkeypatch.setattr(schemas.fields, "AMOUNT_LIMIT", 10**16)
    assert "accepted 1, left 0" in town.jejak("retry", settings=settings).out
    assert len(town.known(ORDERS)) == len(town.world.rows(ORDERS))


def test_a_retry_leaves_alone_what_shares_the_key_of_the_reject(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = only_payments(town)
    town.edit(PAYMENTS, lambda rows: [rows[0], rows[0] | {"nilai_realisasi": 4 * 10**15}])
    counts = town.sync(settings=settings)[PAYMENTS]
    assert counted(counts) == {"fetched": 2, "new": 1, "rejected": 1}
    monkeypatch.setattr(schemas.fields, "AMOUNT_LIMIT", 10**16)
    town.jejak("retry", settings=settings)
    assert len(town.known(PAYMENTS)) == 2
    assert counted(town.sync(settings=settings)[PAYMENTS]) == {"fetched": 2, "unchanged": 2}


# --- transports ------------------------------------------------------------------------------------------------------


def test_a_broken_fetch_goes_on_after_its_last_page(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings("rest", only=[BIDDERS], page_size=50)
    town.server.faults.add(Fault("status", "tender/peserta-tender", after_page=3))
    result = town.jejak("sync", settings=settings)
    assert result.status == 1
    assert "answered 503; try again later" in result.err
    assert town.known(BIDDERS, current=False) == []
    asked = [request["asked"] for request in town.server.requests]
    assert asked[-1].endswith("page 4")
    town.server.requests.clear()
    rows = len(town.world.rows(BIDDERS))
    assert counted(town.sync(settings=settings)[BIDDERS]) == {"fetched": rows, "new": rows}
    assert [request["asked"] for request in town.server.requests] == [
        f"inaproc tender/peserta-tender 2025 page {page}" for page in range(4, -(-rows // 50) + 1)
    ]
    assert town.query(select(t.staged_page)) == []


def test_a_fetch_broken_too_long_ago_or_over_another_transport_begins_anew(town: Town) -> None:
    settings = town.settings("rest", only=[BIDDERS], page_size=50)
    for begin_anew in (lambda: town.next_day(0), lambda: None):
        town.server.faults.add(Fault("status", "tender/peserta-tender", after_page=3))
        assert town.jejak("sync", settings=settings).status == 1
        town.server.requests.clear()
        begin_anew()
        if begin_anew() is None:
            settings = town.settings(only=[BIDDERS])
        assert town.sync(settings=settings)[BIDDERS]["fetched"] == len(town.world.rows(BIDDERS))
        assert not town.server.requests[0]["asked"].endswith("page 4")
        assert town.query(select(t.staged_fetch)) == []


# What INAPROC has not as ISB has it: certificates without the manner of payment, and for non-tenders start orders and
# certificates without the number of the contract.
AS_AT_ISB = [
    name
    for name in SERVICES
    if name
    not in (
        "SPSE-TenderEkontrak-4BAPBAST",
        "SPSE-NonTenderEkontrak-3SPMKSPP",
        "SPSE-NonTenderEkontrak-4BAPBAST",
    )
]
# INAPROC has the contracts' own numbers too, and rows of attempts that came to none.
CONTRACTS = ["SPSE-TenderEkontrak-2Kontrak", "SPSE-NonTenderEkontrak-2Kontrak"]
AS_AT_BOTH = [name for name in AS_AT_ISB if name not in CONTRACTS]


def test_another_transport_makes_no_new_release(town: Town) -> None:
    town.sync(settings=town.settings(only=AS_AT_ISB))
    before = contents(town.engine)
    for transport, asked, alike in (
        ("files", AS_AT_ISB, True),
        ("isb", AS_AT_ISB, True),
        ("rest", AS_AT_BOTH, False),
        ("isb", AS_AT_BOTH, False),
    ):
        town.next_day(0)
        town.dump(formats={BIDDERS: "csv", "RUP-PaketPenyedia-Terumumkan": "xlsx"})
        counts = town.sync(settings=town.settings(transport, only=asked))
        if alike:
            for name, each in counts.items():
                assert counted(each).keys() <= {"fetched", "unchanged", "duplicate"}, (transport, name)
        assert not any(each["rejected"] for each in counts.values()), transport
        absent = {name for name, each in counts.items() if each["status"] == "absent"}
        # Some lists INAPROC has not at all: those are absent, not gone.
        assert ("RUP-MasterProvinsi" in absent) == (transport == "rest")
        assert town.known("RUP-MasterProvinsi")
        after = contents(town.engine)
        for each in (before, after):
            # Rows are other versions; all that was made of them is as it was.
            each["record"] = [row | {"rows": b""} for row in each["record"]]
            each["contracting_process"] = [row | {"updated_at": ""} for row in each["contracting_process"]]
        for table in ("identity", "process_relation", "process", "release", "record", *(star.name for star in t.STAR)):
            assert after[table] == before[table], (transport, table)


def test_contracts_say_the_same_at_inaproc_and_which_addenda_are_theirs(town: Town) -> None:
    def shown() -> dict[str, Any]:
        found = {row["ocid"]: row["compiled"] for row in town.query(select(t.record))}
        for compiled in found.values():
            del compiled["id"], compiled["date"]
        return found

    town.sync(settings=town.settings(only=AS_AT_ISB))
    before = shown()
    town.next_day(0)
    rows = town.sync(settings=town.settings("rest", only=CONTRACTS))
    assert any(rows[name]["fetched"] > len(town.world.rows(name)) for name in CONTRACTS)
    after = shown()
    learned = 0
    for ocid, compiled in after.items():
        initial = {each["id"]: each.get("initialValue") for each in before[ocid].get("contracts", [])}
        for contract in compiled.get("contracts", []):
            # An addendum under another number than its contract's is one by the contract's own number.
            if initial[contract["id"]] is None and contract.pop("initialValue", None):
                assert contract["amendments"]
                learned += 1
    assert learned
    assert after == before


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_keys_and_tokens_are_nowhere(town: Town, capfd: pytest.CaptureFixture[str]) -> None:
    results = []
    for transport in ("isb", "rest"):
        settings = town.settings(transport)
        kinds = ("html", "truncated", "status", "drop", "rate_limit")
        town.server.faults.add(*(Fault(kind, "SPSE-" if transport == "isb" else "tender/") for kind in kinds))
        results.append(town.jejak("sync", settings=settings))
        results += [
            town.jejak(*words, settings=settings) for words in (("status",), ("status", "--json"), ("rejects",))
        ]
    town.secrets["JEJAK_SOURCES__LPSE__TOKEN"] = "token-lain-yang-salah"
    refused = town.jejak("sync", "lpse", settings=town.settings("rest", only=[ATTEMPTS]))
    assert refused.status == 1
    assert "the credential was refused. Set JEJAK_SOURCES__LPSE__TOKEN" in refused.err
    town.secrets["JEJAK_SOURCES__LPSE__API_KEY"] = "kunci-lain-yang-salah"
    refused_too = town.jejak("sync", "lpse", settings=town.settings(only=[ATTEMPTS]))
    assert refused_too.status == 1
    # Nobody listens there.
    unreachable = town.jejak("sync", "lpse", settings=town.settings(only=[ATTEMPTS], url="http://127.0.0.1:9/isb-2"))
    assert unreachable.status == 1
    found = "".join(each.out + each.err for each in (*results, refused, refused_too, unreachable))
    found += "".join(capfd.readouterr())
    found += str(contents(town.engine)) + str(town.query(select(t.run))) + str(town.query(select(t.run_service)))
    for secret in (API_KEY, TOKEN, "token-lain-yang-salah", "kunci-lain-yang-salah"):
        assert secret not in found
