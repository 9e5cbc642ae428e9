"""From rows to records: the right process for every row, releases that say what the rows say, no more work than due."""

import json
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ocdsmerge import Merger
from sqlalchemy import Connection, Engine, insert, select

from pipeline import records
from pipeline.configure import load_settings
from pipeline.registry import TELLINGS
from schemas.settings import Settings
from tests.official import needs_reference, release_validator
from tests.worlds import (
    OF_PROCESSES,
    PREFIX,
    EditedWorld,
    Lived,
    Town,
    contents,
    crosswalk,
    differences,
    lines,
    run_apart,
    served,
)
from transforms.merge import MERGE_RULES
from transforms.said import Said
from warehouse import tables as t
from warehouse.engine import writing
from warehouse.load import insert_rows

Code = tuple[str, str]


def kin(town: Town) -> set[frozenset[Code]]:
    """The codes of each family."""
    members: dict[str, set[Code]] = {}
    rows = town.query(
        select(t.identity.c.kind, t.identity.c.key, t.process.c.family)
        .join(t.process, t.process.c.ocid == t.identity.c.ocid)
    )  # fmt: skip
    for row in rows:
        members.setdefault(row["family"], set()).add((row["kind"], row["key"]))
    return {frozenset(codes) for codes in members.values()}


def revised(town: Town) -> set[Code]:
    """RUP codes that kaji ulang joins to another."""
    rows = town.query(select(t.rup_revision))
    return {(row["kind"], code) for row in rows for code in (row["code"], row["older"])}


# --- the right process -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sources", [("sirup", "lpse"), ("lpse", "sirup")], ids="+".join)
def test_every_row_is_in_its_process_as_the_world_knows_it(
    tmp_path: Path, warehouse_url: str, sources: tuple[str, ...]
) -> None:
    with served(EditedWorld(60, seed=3), tmp_path, warehouse_url) as town:
        town.sync(*sources)
        assert differences(town.engine, town.world) == {}


def test_reading_the_plans_first_is_as_good_as_reading_all_at_once(tmp_path: Path, new_url: Callable[[], str]) -> None:
    found = []
    for runs in ([()], [("sirup",), ("lpse",)]):
        with served(EditedWorld(30, seed=4, years=2), tmp_path, new_url()) as town:
            for sources in runs:
                town.sync(*sources, settings=town.settings(only=OF_PROCESSES))
            assert differences(town.engine, town.world) == {}
            found.append(crosswalk(town.engine))
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", [1, 3])
def test_read_before_the_plans_only_revised_codes_can_be_placed_otherwise(
    tmp_path: Path, new_url: Callable[[], str], seed: int
) -> None:
    """LPSE alone doesn't know of kaji ulang: where it names several codes of one chain, each opens a process, and what
    is minted stays. So the order shows there, but never in who belongs together, and nowhere else."""
    with served(EditedWorld(60, seed=seed), tmp_path, new_url()) as town:
        town.sync(settings=town.settings(only=OF_PROCESSES))
        identity, relations, _ = crosswalk(town.engine)
        families, chains = kin(town), revised(town)
    with served(EditedWorld(60, seed=seed), tmp_path, new_url()) as town:
        town.sync("lpse", settings=town.settings(only=OF_PROCESSES))
        minted = crosswalk(town.engine)[0]
        town.sync("sirup", settings=town.settings(only=OF_PROCESSES))
        found, found_relations, _ = crosswalk(town.engine)
        assert kin(town) == families
    assert minted.items() <= found.items()
    affected = {code for family in families if family & chains for code in family}
    assert {code: found[code] for code in found.keys() - affected} == {
        code: identity[code] for code in identity.keys() - affected
    }
    moved = {identity[code] for code in identity if found[code] != identity[code]}
    assert moved, "this seed shows nothing"
    processes = {found[code] for code in affected} | {identity[code] for code in affected}
    for one, relationship, other in relations ^ found_relations:
        assert {one, other} <= processes
        assert relationship in ("replacementProcess", "planning")


def test_who_reads_every_day_and_who_reads_late_give_the_same_processes(
    tmp_path: Path, new_url: Callable[[], str]
) -> None:
    with served(EditedWorld(40, seed=5), tmp_path, new_url()) as town:
        settings = town.settings(only=OF_PROCESSES)
        town.sync(settings=settings)
        for _ in range(2):
            town.next_day(0.08)
            town.sync(settings=settings)
        daily, daily_relations, _ = crosswalk(town.engine)
        assert differences(town.engine, town.world) == {}
        rows = current_rows(town)
        paid = {row["ocid"]: row["paid_amount"] for row in town.query(select(t.contracting_process))}
    with served(EditedWorld(40, seed=5), tmp_path, new_url()) as town:
        for _ in range(2):
            town.next_day(0.08)
        town.sync(settings=town.settings(only=OF_PROCESSES))
        late, late_relations, _ = crosswalk(town.engine)
        assert current_rows(town) == rows
        assert late.items() <= daily.items()
        assert daily.keys() - late.keys() <= vanished(town)
        assert late_relations <= daily_relations
        amounts = {row["ocid"]: row["paid_amount"] for row in town.query(select(t.contracting_process))}
        assert amounts.items() <= paid.items()


def current_rows(town: Town) -> set[tuple[str, str, str]]:
    """(service, key without suffix, content) of all rows that are there."""
    columns = t.raw_record.c
    rows = town.query(select(columns.service, columns.key, columns.content_hash).where(columns.current, ~columns.gone))
    return {(row["service"], row["key"].partition("#")[0], row["content_hash"]) for row in rows}


def vanished(town: Town) -> set[Code]:
    """The codes of what is no longer in the world."""
    kinds = {"RUP-PaketPenyedia": "rup", "RUP-PaketSwakelola": "swk", "SPSE-NonTender": "nontender"}
    return {
        (kind, code)
        for service, codes in town.world.gone.items()
        for start, kind in kinds.items()
        if service.startswith(start)
        for code in codes
    }


# --- no more work than due -------------------------------------------------------------------------------------------


def test_a_night_of_changes_builds_the_processes_that_changed_and_no_others(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(50, seed=7), tmp_path, file_url) as town:
        settings = town.settings(only=OF_PROCESSES)
        town.sync(settings=settings)
        first = {row["ocid"]: row for row in town.query(select(t.record))}
        for _ in range(2):
            happened = town.next_day(0.01)
            said = town.jejak("sync", settings=settings)
            assert said.status == 0
            status = json.loads(town.jejak("status", "--json").out)
            [run] = town.query(select(t.run).where(t.run.c.command == "sync").order_by(t.run.c.number.desc()).limit(1))
            records = {row["ocid"]: row for row in town.query(select(t.record))}
            built = {ocid for ocid, row in records.items() if row["run_id"] == run["id"]}
            assert run["built"] == status["records"]["built"] == len(built)
            touched = {f"{PREFIX}-{process}" for process in happened["processes"]}
            # A plan that changed is told by every process that carries it.
            carried = town.query(
                select(t.process_rup.c.ocid, t.identity.c.ocid.label("plan")).join(
                    t.identity, (t.identity.c.kind == t.process_rup.c.kind) & (t.identity.c.key == t.process_rup.c.code)
                )
            )
            touched |= {row["ocid"] for row in carried if row["plan"] in touched}
            assert built
            assert built <= touched
            assert len(built) < len(records) / 4
            for ocid, row in first.items():
                if ocid not in touched:
                    assert records[ocid] == row
            first = records


# --- killed and started again ----------------------------------------------------------------------------------------


# Enough for all that happens to a process.
SOME = [
    "RUP-PaketPenyedia-Terumumkan",
    "RUP-PaketAnggaranPenyedia",
    "RUP-HistoryKajiUlang",
    "SPSE-TenderPengumuman",
    "SPSE-TenderSelesaiNilai",
    "SPSE-PesertaTender",
    "SPSE-TenderEkontrak-2Kontrak",
    "SPSE-NonTenderPengumuman",
    "SPSE-NonTenderSelesai",
    "Ecat-PaketEPurchasingV6",
]


def test_a_sync_killed_at_any_moment_and_started_again_ends_as_one_never_killed(
    tmp_path: Path, warehouse_url: str, file_url: str
) -> None:
    moments = random.Random(12)
    log = tmp_path / "log"
    with (
        served(EditedWorld(20, seed=9), tmp_path, warehouse_url) as town,
        served(town.world, tmp_path, file_url) as calm,
    ):
        undisturbed = calm.settings("rest", page_size=50, only=SOME)
        settings = town.settings("rest", page_size=50, only=SOME)
        for night in range(2):
            status = run_apart(town.environment, log, "sync", "--settings", undisturbed)
            assert status == 0, log.read_text(encoding="utf-8")
            commits = int(log.read_text(encoding="utf-8").split()[-1])
            killed = []
            # Half of the moments while fetching, half while placing, deriving and building.
            for earliest, latest in ((0.0, 0.4), (0.4, 0.75), (0.75, 0.84), (0.84, 0.92), (0.92, 1.0)):
                die_at = 1 + int(commits * moments.uniform(earliest, latest))
                killed.append(run_apart(town.environment, log, "sync", "--settings", settings, die_at=die_at))
            assert killed.count(-signal.SIGKILL) >= 4
            status = run_apart(town.environment, log, "sync", "--settings", settings)
            assert status == 0, log.read_text(encoding="utf-8")
            expected, found = contents(calm.engine), contents(town.engine)
            for table in expected:
                assert found[table] == expected[table], (night, table)
            assert found["pending_derive"] == found["pending_build"] == found["staged_fetch"] == []
            town.next_day(0.1)


# --- what is published -----------------------------------------------------------------------------------------------


def test_the_reference_merge_makes_the_same_records(lived: Lived) -> None:
    by_ocid: dict[str, list[dict[str, Any]]] = {}
    for release in lines(lived.out / "releases.jsonl"):
        by_ocid.setdefault(release["ocid"], []).append(release)
    records = {record["ocid"]: record for record in lines(lived.out / "compiled.jsonl")}
    assert records.keys() == by_ocid.keys()
    merger = Merger(merge_rules=MERGE_RULES)
    for ocid, releases in by_ocid.items():
        assert records[ocid] == merger.create_compiled_release(releases)
    for record in lines(lived.out / "records.jsonl"):
        assert record["compiledRelease"] == records[record["ocid"]]
        assert record["releases"] == by_ocid[record["ocid"]]
    stored = lived.town.query(select(t.record.c.ocid, t.record.c.compiled, t.record.c.releases))
    assert {row["ocid"]: row["compiled"] for row in stored} == records
    assert {row["ocid"]: row["releases"] for row in stored} == {ocid: len(found) for ocid, found in by_ocid.items()}


@needs_reference
@pytest.mark.parametrize("name", ["releases", "compiled"])
def test_all_that_is_published_passes_the_official_schema(lived: Lived, name: str) -> None:
    validator = release_validator()
    bodies = lines(lived.out / f"{name}.jsonl")
    assert len(bodies) > 50
    assert [(body["id"], error.message) for body in bodies for error in validator.iter_errors(body)] == []


def test_release_ids_are_the_same_wherever_they_are_derived(lived: Lived) -> None:
    ids = [release["id"] for release in lines(lived.out / "releases.jsonl")]
    assert len(ids) == len(set(ids))
    assert all("#" not in name for name in ids)
    said = lived.town.jejak("rebuild")
    assert said.status == 0
    assert "built 0" in said.out  # derived again, and nothing is new or untrue
    again = lived.town.query(select(t.release.c.id).where(t.release.c.voided_at.is_(None)))
    assert {row["id"] for row in again} == set(ids)


def test_personal_values_are_in_nothing_that_leaves_the_raw_rows(lived: Lived) -> None:
    town = lived.town
    values = town.world.personal_values()
    raw = str(town.query(select(t.raw_record.c.payload)))
    assert sum(value in raw for value in values) > 50  # they were there to be taken
    told = {"log": lived.said}
    for name, rows in contents(town.engine).items():
        if name == "reject":
            rows = [{key: value for key, value in row.items() if key != "payload"} for row in rows]
        if name != "raw_record":
            told[name] = str(rows)
    for path in filter(Path.is_file, lived.out.rglob("*")):
        told[path.name] = (
            pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
        )
    commands = [["status"], ["status", "--json"], ["rejects"], ["rejects", "--json"], ["validate", "--findings"]]
    for row in town.query(select(t.record.c.ocid).limit(20)):
        commands += [["show", row["ocid"], *more] for more in ([], ["--json"], ["--versioned"])]
    for words in commands:
        said = town.jejak(*words)
        told[" ".join(words)] = said.out + said.err
    found = {(where, value) for where, text in told.items() for value in values if value in text}
    assert found == set()


def test_an_unfinished_mapping_refuses_its_releases_and_a_retry_takes_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = "SPSE-NonTenderPengumuman"
    source, telling = TELLINGS[service]

    def half_done(rows: list[Any], context: Any) -> Iterator[Said]:
        for said in telling.mapper(rows, context):
            said.body["tender"]["status"] = "belum dipetakan"
            yield said

    settings = town.settings(only=[service])
    with monkeypatch.context() as patch:
        patch.setitem(TELLINGS, service, (source, replace(telling, mapper=half_done)))
        said = town.jejak("sync", settings=settings)
        assert said.status == 0
        rejects = json.loads(town.jejak("rejects", "--json", settings=settings).out)
        assert len(rejects) == len(town.world.rows(service))
        assert {(reject["source"], reject["service"], reject["scope"]) for reject in rejects} == {
            (source, service, "release")
        }
        assert all("tender/status" in reject["reason"] for reject in rejects)
        assert town.query(select(t.release)) == []
        assert town.query(select(t.record)) == []
    said = town.jejak("retry", settings=settings)
    assert said.status == 0
    assert json.loads(town.jejak("rejects", "--json", settings=settings).out) == []
    assert len(town.query(select(t.record))) == len(town.world.rows(service))


def test_what_a_mended_mapping_no_longer_says_is_voided_and_gone_from_what_is_published(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = "SPSE-NonTenderPengumuman"
    source, telling = TELLINGS[service]

    def mended(rows: list[Any], context: Any) -> Iterator[Said]:
        for said in telling.mapper(rows, context):
            said.body["tender"]["title"] = "Judul yang benar"
            yield said

    settings = town.settings(only=[service])
    town.sync(settings=settings)
    before = {row["id"] for row in town.query(select(t.release))}
    with monkeypatch.context() as patch:
        patch.setitem(TELLINGS, service, (source, replace(telling, mapper=mended)))
        assert town.jejak("rebuild", settings=settings).status == 0
        voided = [row for row in town.query(select(t.release)) if row["voided_at"]]
        assert {row["id"] for row in voided} == before
        assert all(row["void_reason"] for row in voided)
        town.jejak("export", "--out", town.folder / "out", settings=settings)
        published = lines(town.folder / "out" / "releases.jsonl")
        assert {release["id"] for release in published}.isdisjoint(before)
        assert {record["tender"]["title"] for record in lines(town.folder / "out" / "compiled.jsonl")} == {
            "Judul yang benar"
        }
    # And back again: the same ids, valid once more.
    assert town.jejak("rebuild", settings=settings).status == 0
    assert {row["id"] for row in town.query(select(t.release)) if row["voided_at"] is None} == before


def test_rows_of_an_attempt_that_nobody_has_announced_wait_for_it(town: Town) -> None:
    stages, announcements = "SPSE-JadwalTahapanNonTender", "SPSE-NonTenderPengumuman"
    town.sync(settings=town.settings(only=[stages]))
    waiting = len(town.known(stages))
    assert f"Waiting: {waiting} rows" in town.jejak("status").out
    assert town.query(select(t.record)) == []
    town.sync(settings=town.settings(only=[stages, announcements]))
    assert "Waiting" not in town.jejak("status").out
    milestones = {row["ocid"] for row in town.query(select(t.milestone))}
    assert milestones == {row["ocid"] for row in town.query(select(t.record))}


def test_a_supplier_learned_later_takes_the_place_of_its_surrogate(town: Town) -> None:
    payments, recorded, bidders = "SPSE-PencatatanNonTenderRealisasi", "SPSE-PencatatanNonTender", "SPSE-PesertaTender"
    town.sync(settings=town.settings(only=[payments, recorded]))
    surrogates = {
        row["organization_id"]
        for row in town.query(select(t.process_party))
        if row["organization_id"].startswith("supplier-")
    }
    assert surrogates
    town.sync(settings=town.settings(only=[payments, recorded, bidders, "SPSE-TenderPengumuman"]))
    left = {
        row["organization_id"]
        for row in town.query(select(t.process_party))
        if row["organization_id"].startswith("supplier-")
    }
    assert left < surrogates
    known = {(row["kind"], row["key"]) for row in town.query(select(t.supplier_key))}
    assert known.isdisjoint((row["kind"], row["key"]) for row in town.query(select(t.supplier_wanted)))


@pytest.fixture
def loaded(town_on_both: Town) -> Settings:
    return load_settings(str(town_on_both.settings()))


def note(conn: Connection, name: str, at: str, status: str, **services: tuple[str, str, str | None]) -> None:
    """A sync that began at an hour of one day; of each service the scope, the status and the hour when it was read."""
    began = f"2025-03-05T{at}:00:00Z"
    conn.execute(insert(t.run), {"id": name, "command": "sync", "started_at": began, "status": status})
    for service, (scope, how, ended) in services.items():
        row = {"run_id": name, "source": "lpse", "service": service.replace("_", "-"), "scope": scope, "status": how}
        insert_rows(conn, t.run_service, [{**row, "finished_at": ended and f"2025-03-05T{ended}:00:00Z"}])


@pytest.mark.parametrize(
    ("nightly", "old_year", "reading"),
    [
        (("20", "success", "21"), ("19", "running", "21"), True),  # the one that began first still reads
        (("20", "running", "21"), ("19", "success", "21"), True),
        (("20", "success", "21"), ("19", "success", "21"), False),
        (("20", "success", "21"), ("10", "running", "21"), True),  # began long ago, but has read since
        (("20", "success", "21"), ("10", "running", "18"), False),  # silent for too long
    ],
)
def test_a_source_is_being_read_while_any_sync_of_it_goes_on(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, nightly: Any, old_year: Any, reading: bool
) -> None:
    monkeypatch.setenv("JEJAK_NOW", "2025-03-05T22:00:00Z")
    with writing(warehouse) as conn:
        for name, year, (at, status, ended) in (("nightly", "2025", nightly), ("backfill", "2019", old_year)):
            note(conn, name, at, status, SPSE_TenderPengumuman=(year, "success", ended))
        note(conn, "waits", "21", "running")
        note(conn, "ours", "21", "running", SPSE_TenderPengumuman=("2023", "success", "21"))
        # What failed has brought nothing that would have to wait for the rest.
        note(conn, "fails", "21", "running", SPSE_TenderPengumuman=("2018", "failed", "21"))
        assert list(records._being_read(conn, "ours")) == (["lpse"] if reading else [])
        # A later sync of the same years has made up for what a dead one left.
        note(conn, "later", "22", "success", A=("2019", "success", "22"), B=("2025", "success", "22"))
        assert records._being_read(conn, "ours") == {}


def test_a_service_is_silent_for_the_scopes_that_it_did_not_answer_last(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, loaded: Settings
) -> None:
    with writing(warehouse) as conn:
        # Interleaved: the run that began first read this service last.
        note(conn, "nightly", "01", "failed", SPSE_TenderPengumuman=("2025", "success", "05"))
        note(conn, "backfill", "02", "failed", SPSE_TenderPengumuman=("2025", "failed", "03"))
        note(conn, "old", "04", "failed", SPSE_TenderPengumuman=("2019", "failed", "06"))
        assert records._silent(conn, loaded) == {"tender": {"2019"}}
        note(conn, "again", "07", "success", SPSE_TenderPengumuman=("2019", "success", "08"))
        assert records._silent(conn, loaded) == {}


def test_an_old_year_that_failed_keeps_no_new_code_waiting(tmp_path: Path, warehouse_url: str) -> None:
    announcements, outcomes = "SPSE-TenderPengumuman", "SPSE-TenderSelesai"
    with served(EditedWorld(80, seed=2, years=2), tmp_path, warehouse_url) as town:
        old, new = map(str, town.world.years)
        codes = {year: {str(row["kd_tender"]) for row in town.world.rows(outcomes, int(year))} for year in (old, new)}
        # Nobody announces tonight's tenders, and last year's announcements have lost the column that names them.
        town.edit(
            announcements,
            lambda rows: [
                {name: value for name, value in row.items() if name != "kd_tender"}
                for row in rows
                if str(row["tahun_anggaran"]) == old
            ],
        )
        settings = town.settings(only=[announcements, outcomes])
        assert town.jejak("sync", "--no-build", "--year", new, settings=settings).status == 0
        assert town.jejak("sync", "--no-build", "--year", old, settings=settings).status == 1
        assert town.jejak("build", settings=settings).status == 0
        minted = {row["key"] for row in town.query(select(t.identity).where(t.identity.c.kind == "tender"))}
        assert minted == codes[new] - codes[old] != set()


def test_what_a_run_changed_is_told(town_on_both: Town) -> None:
    town, service = town_on_both, "SPSE-NonTenderPengumuman"
    settings = town.settings(only=[service])

    def told(*run: str) -> dict[str, Any]:
        found = json.loads(town.jejak("changes", *run, "--json", settings=settings).out)
        return {name: value for name, value in found.items() if value and name != "run"}

    assert told() == {}
    town.sync(settings=settings)
    every = sorted(row["ocid"] for row in town.query(select(t.record.c.ocid)))
    assert told() == {"new": every}
    assert town.jejak("rebuild", settings=settings).status == 0
    assert told() == {}
    first = town.known(service)[0]
    [identity] = town.query(select(t.identity.c.ocid).where(t.identity.c.key == first["code"]))
    town.edit(
        service,
        lambda rows: [
            row | {"nama_paket": "Nama yang lain"} if str(row["kd_nontender"]) == first["code"] else row for row in rows
        ],
    )
    town.next_day()
    town.sync("--no-build", settings=settings)
    synced = town.query(select(t.run.c.id).order_by(t.run.c.number.desc()).limit(1))[0]["id"]
    assert told() == {"waiting": [identity["ocid"]]}
    assert "jejak build" in town.jejak("changes", settings=settings).out
    assert town.jejak("build", settings=settings).status == 0
    assert told() == told(synced) == {"changed": [identity["ocid"]]}
    said = town.jejak("changes", settings=settings).out.splitlines()
    assert said[0].endswith(": 0 new, 1 changed, 0 removed.")
    assert said[1:] == [f"{identity['ocid']}  changed  Nama yang lain"]
    assert town.jejak("changes", "never", settings=settings).status == 1


def test_a_build_waits_for_a_sync_that_goes_on_but_not_for_a_dead_one(town: Town, tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = town.settings(only=SOME)
    # Killed before its last few lists: for all that can be known it is still reading.
    status = run_apart(town.environment, log, "sync", "--no-build", "--settings", settings, die_at=35)
    assert status == -signal.SIGKILL
    assert town.jejak("build").out == "placed 0, linked 0, derived 0, built 0, new 0, changed 0, removed 0\n"
    # The next sync of the same sources has read all that the dead one would have.
    assert town.jejak("sync", "--no-build", settings=settings).status == 0
    town.jejak("build")
    assert town.query(select(t.raw_record).where(~t.raw_record.c.placed)) == []
    assert len(town.query(select(t.record))) > 20
