"""From current rows to records: the right process for every row, releases that hold what was learned, no more work than
due, and the same end whoever is killed."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ocdsmerge import Merger
from pydantic import field_validator
from sqlalchemy import Connection, Engine, insert, select

from pipeline import build, facts, fetch, place, steps
from pipeline.clock import shown
from pipeline.configure import load_settings
from pipeline.queues import settling
from pipeline.registry import MAPPINGS, SERVICES
from schemas.service import read_row
from schemas.settings import Settings
from tests.official import needs_reference, release_schema, release_validator
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
    plain,
    run_apart,
    served,
)
from transforms import codes
from transforms.difference import living
from transforms.mapping import Context, Partial, Row
from transforms.merge import MERGE_RULES, compiled
from transforms.parties import supplier_keys
from transforms.state import state_of
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing
from warehouse.load import insert_rows
from warehouse.releases import lineages_of, releases_of
from warehouse.star import star_rows

Code = tuple[str, str]
Rows = list[dict[str, Any]]

ANNOUNCED, WON = "SPSE-TenderPengumuman", "SPSE-TenderSelesaiNilai"
RECORDED, PAID = "SPSE-PencatatanNonTender", "SPSE-PencatatanNonTenderRealisasi"
NONTENDER, STAGES = "SPSE-NonTenderPengumuman", "SPSE-JadwalTahapanNonTender"


def releases(town: Town, ocid: str, *, voided: bool = False) -> list[dict[str, Any]]:
    """The valid releases of a process, or its voided ones."""
    with reading(town.engine) as conn:
        return releases_of(conn, [ocid], voided=voided)[ocid]


def record(town: Town, ocid: str) -> dict[str, Any]:
    [found] = town.query(select(t.record).where(t.record.c.ocid == ocid))
    return found


def state(town: Town, ocid: str) -> dict[str, Any]:
    found = record(town, ocid)
    return living(found["compiled"], found["withdrawn"] or ())


def ocid_of(town: Town, kind: str, code: object) -> str:
    columns = t.identity.c
    [found] = town.query(select(columns.ocid).where(columns.kind == kind, columns.key == str(code)))
    return str(found["ocid"])


def only(field: str, code: object, change: dict[str, Any]) -> Callable[[Rows], Rows]:
    """An edit of the rows of one code."""
    return lambda rows: [row | change if str(row[field]) == str(code) else row for row in rows]


def won(town: Town) -> str:
    """A tender that has a winner; of those that still run the list of winners has a row too."""
    return next(str(row["kd_tender"]) for row in town.world.rows(WON) if row["kd_penyedia"])


def without(field: str, code: object) -> Callable[[Rows], Rows]:
    """An edit that takes the rows of one code away."""
    return lambda rows: [row for row in rows if str(row[field]) != str(code)]


def night(town: Town, settings: Path) -> None:
    town.next_day()
    town.sync(settings=settings)


def assert_sound(town: Town) -> None:
    """Of every process: merging its releases gives its record, by our merge and by the reference; the record without
    what is withdrawn is the state that its rows give now; each release is later than the one before it, voided ones
    too, and no two bear one id."""
    settings = load_settings(str(town.settings()))
    merger = Merger(merge_rules=MERGE_RULES)
    with reading(town.engine) as conn:
        records = {row.ocid: row for row in conn.execute(select(t.record))}
        context = build.context_of(conn, settings)
        snapshots = build.snapshots(conn, dict.fromkeys(records, ""))
        published = releases_of(conn, records)
        made = conn.execute(select(t.release).order_by(t.release.c.ocid, t.release.c.number)).all()
    assert records
    for snapshot in snapshots:
        stored, bodies = records[snapshot.ocid], published[snapshot.ocid]
        assert stored.compiled == compiled(bodies) == merger.create_compiled_release(bodies)
        assert stored.releases == len(bodies) > 0
        process, _ = build.process_of(snapshot, context)
        now = state_of(process, MAPPINGS, context.utc_offset, context.kd_klpd, context.wilayah).document
        assert plain(living(stored.compiled, stored.withdrawn or ())) == plain(now)
        again = build.build(snapshot, context)
        assert again.release is None
        assert again.change is None
        # What merging gives from the first release on ends with one offset, in order.
        assert [body["date"][-6:] for body in bodies] == ["+07:00"] * len(bodies)
    for before, after in pairwise(made):
        if before.ocid == after.ocid:
            assert after.number == before.number + 1
            assert before.date < after.date
    assert len({row.id for row in made}) == len(made)
    at_once = {(row.ocid, row.run_id) for row in made}
    assert len(at_once) == len(made), "more than one release of a process in one build"


# --- the right process -----------------------------------------------------------------------------------------------


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
    return {(row["kind"], row[name]) for row in rows for name in ("older", "newer")}


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


@pytest.mark.parametrize("seed", [2, 3])
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
        paid = {row["ocid"]: row["recorded_amount"] for row in town.query(select(t.contracting_process))}
    with served(EditedWorld(40, seed=5), tmp_path, new_url()) as town:
        for _ in range(2):
            town.next_day(0.08)
        town.sync(settings=town.settings(only=OF_PROCESSES))
        late, late_relations, _ = crosswalk(town.engine)
        assert current_rows(town) == rows
        assert late.items() <= daily.items()
        assert daily.keys() - late.keys() <= vanished(town)
        assert late_relations <= daily_relations
        amounts = {row["ocid"]: row["recorded_amount"] for row in town.query(select(t.contracting_process))}
        assert amounts.items() <= paid.items()


def current_rows(town: Town) -> set[tuple[str, str, str]]:
    """(service, key without suffix, content) of all rows that are there."""
    columns = t.raw_record.c
    rows = town.query(select(columns.service, columns.key, columns.content_hash).where(columns.current, ~columns.gone))
    return {(row["service"], row["key"].partition("#")[0], row["content_hash"]) for row in rows}


def vanished(town: Town) -> set[Code]:
    """The codes of what is no longer in the world, and of plans that nobody lists and it alone may have named."""
    kinds = {"RUP-PaketPenyedia": "rup", "RUP-PaketSwakelola": "swk", "SPSE-NonTender": "nontender"}
    listed = {str(row["kd_rup"]) for row in town.world.rows("RUP-PaketPenyedia-Terumumkan")}
    found = set()
    for service, processes in town.world.gone.items():
        for code, process in processes.items():
            found |= {(kind, code) for start, kind in kinds.items() if service.startswith(start)}
            kind, _, plan = process.partition("-")
            if kind == "rup" and plan not in listed:
                found.add((kind, plan))
    return found


# --- no more work than due -------------------------------------------------------------------------------------------


def test_a_night_of_changes_builds_the_processes_that_changed_and_no_others(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(50, seed=7), tmp_path, file_url) as town:
        settings = town.settings(only=OF_PROCESSES)
        town.sync(settings=settings)
        first = {row["ocid"]: row for row in town.query(select(t.record))}
        for _ in range(2):
            happened = town.next_day(0.01)
            result = town.jejak("sync", settings=settings)
            assert result.status == 0
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


def test_the_same_build_twice_writes_nothing(town_on_both: Town) -> None:
    town = town_on_both
    town.sync()
    before = contents(town.engine)
    for _ in range(2):
        result = town.jejak("rebuild")
        assert result.status == 0, result.err
        assert f"built {len(before['record'])}, new 0, changed 0, removed 0" in result.out
        after = contents(town.engine)
        # When an unknown word was seen last is told of each run.
        assert {name for name in before if after[name] != before[name]} <= {"signal"}
        town.next_day()
    assert_sound(town)


def test_a_process_has_one_release_for_all_that_one_build_finds(town: Town) -> None:
    settings = town.settings(only=[ANNOUNCED, WON])
    town.sync(settings=town.settings(only=[ANNOUNCED]))
    code = won(town)
    for word in ("satu", "dua"):
        town.edit(ANNOUNCED, only("kd_tender", code, {"nama_paket": f"Nama {word}"}))
        town.next_day()
        assert town.jejak("sync", "--no-build", settings=settings).status == 0
    assert town.jejak("build", settings=settings).status == 0
    ocid = ocid_of(town, "tender", code)
    first, second = releases(town, ocid)
    assert second["tender"]["title"] == "Nama dua"
    assert second["awards"]
    assert second["tag"][-2:] == ["tenderUpdate", "award"]
    assert second["date"] == f"{town.world.today}T19:00:00+07:00"
    assert first["date"] < second["date"]
    assert "parties" in second
    assert second["buyer"] == first["buyer"]
    # The body of an only release stands in the record alone, and moves out of it unchanged.
    bodies = {row["number"]: row["body"] for row in town.query(select(t.release).where(t.release.c.ocid == ocid))}
    assert bodies[1] is not None
    assert bodies[2] is not None
    once = select(t.record.c.ocid).where(t.record.c.releases == 1)
    others = town.query(select(t.release.c.body).where(t.release.c.ocid.in_(once)))
    assert others
    assert all(row["body"] is None for row in others)
    assert_sound(town)


# --- what changes become ---------------------------------------------------------------------------------------------


def test_a_replaced_winner_is_another_award(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[ANNOUNCED, WON])
    town.sync(settings=settings)
    code = won(town)
    ocid = ocid_of(town, "tender", code)
    [before] = state(town, ocid)["awards"]
    town.edit(
        WON,
        only(
            "kd_tender",
            code,
            {
                "kd_penyedia": 900099009,
                "nama_penyedia": "PT PENGGANTI REKAAN",
                "npwp_penyedia": "99.000.009.9-999.000",
                "npwp_16_penyedia": "0990000099999000",
            },
        ),
    )
    night(town, settings)
    [after] = state(town, ocid)["awards"]
    assert after["id"] != before["id"]
    assert [supplier["name"] for supplier in after["suppliers"]] == ["PT PENGGANTI REKAAN"]
    last = releases(town, ocid)[-1]
    assert "awardCancellation" in last["tag"]
    found = {award["id"]: award for award in last["awards"]}
    assert found == {before["id"]: {"id": before["id"], "status": "cancelled"}, after["id"]: after}
    held = {award["id"]: award for award in record(town, ocid)["compiled"]["awards"]}
    assert held == {before["id"]: {**before, "status": "cancelled"}, after["id"]: after}
    loser = before["suppliers"][0]["id"]
    assert record(town, ocid)["withdrawn"] == [["awards", before["id"]], ["parties", loser]]
    assert [row["id"] for row in town.query(select(t.award).where(t.award.c.ocid == ocid))] == [after["id"]]
    roles = town.query(select(t.process_party).where(t.process_party.c.ocid == ocid))
    assert loser not in {row["party_id"] for row in roles}
    assert_sound(town)
    # The first winner is back: its award too, under the id that it had.
    town.edit(WON, None)
    night(town, settings)
    assert state(town, ocid)["awards"] == [before]
    assert record(town, ocid)["withdrawn"] == [["awards", after["id"]], ["parties", "JEJAK-PENYEDIA-900099009"]]
    assert_sound(town)


def transactions(document: dict[str, Any], contract: str) -> dict[str, dict[str, Any]]:
    """The transactions of one contract by their ids."""
    [found] = [each for each in document["contracts"] if each["id"] == contract]
    return {each["id"]: each for each in found["implementation"]["transactions"]}


def test_a_payment_that_its_source_takes_back_is_withdrawn(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[RECORDED, PAID])
    row = town.world.rows(PAID)[0]
    code = str(row["kd_nontender_pct"])
    more = row | {"no_realisasi": "90001/KW/REKAAN/2025", "nilai_realisasi": 5_000_000}
    town.edit(PAID, lambda rows: [*rows, more])
    town.sync(settings=settings)
    ocid = ocid_of(town, "pencatatan", code)
    name = f"pencatatan-{code}"
    before = transactions(state(town, ocid), name)
    town.edit(PAID, None)
    night(town, settings)
    after = transactions(state(town, ocid), name)
    [gone] = before.keys() - after.keys()
    assert after == {name: each for name, each in before.items() if name != gone}
    last = releases(town, ocid)[-1]
    found = transactions(last, name)
    assert found.keys() == {gone}
    assert found[gone]["value"] == {"amount": None, "currency": None}
    assert ["contracts", name, "implementation", "transactions", gone] in record(town, ocid)["withdrawn"]
    paid = t.payment.c
    assert len(town.query(select(paid.id).where(paid.ocid == ocid, paid.contract_id == name))) == len(after)
    tombstone = next(row for row in town.known(PAID, current=False) if row["gone"])
    with reading(town.engine) as conn:
        assert [tombstone["key"]] == [
            row[4] for row in lineages_of(conn, ocid)[last["id"]] if row[5] == tombstone["observed_at"]
        ]
    assert_sound(town)


CONTRACTS = "SPSE-NonTenderEkontrak-2Kontrak"


def addendum(row: dict[str, Any]) -> dict[str, Any]:
    """The row of a contract's first addendum, which keeps the contract's number and raises its value by a tenth."""
    return row | {"versi_addendum": 1, "nilai_kontrak": round(row["nilai_kontrak"] * 1.1)}


@pytest.mark.parametrize("together", [False, True], ids=["one after the other", "first seen together"])
def test_an_addendum_is_an_amendment_of_its_contract(town_on_both: Town, together: bool) -> None:
    town = town_on_both
    settings = town.settings(only=[NONTENDER, CONTRACTS])
    signed = {"versi_addendum": 0, "no_sppbj": "900.3/901/SPPBJ/REKAAN/2025", "no_kontrak": "900.3/901/SPK/REKAAN/2025"}
    row = town.world.rows(CONTRACTS)[0] | signed
    code = row["kd_nontender"]

    def listed(*versions: dict[str, Any]) -> Callable[[Rows], Rows]:
        return lambda rows: [*(each for each in rows if each["kd_nontender"] != code), *versions]

    town.edit(CONTRACTS, listed(row, addendum(row)) if together else listed(row))
    town.sync(settings=settings)
    ocid = ocid_of(town, "nontender", code)
    if not together:
        [before] = state(town, ocid)["contracts"]
        assert "amendments" not in before
        assert before["value"]["amount"] == row["nilai_kontrak"]
        assert "contractAmendment" not in releases(town, ocid)[-1]["tag"]
        town.edit(CONTRACTS, listed(row, addendum(row)))
        night(town, settings)
    [contract] = state(town, ocid)["contracts"]
    assert contract["value"]["amount"] == addendum(row)["nilai_kontrak"]
    assert contract["initialValue"] == {"amount": row["nilai_kontrak"], "currency": "IDR"}
    [amendment] = contract["amendments"]
    last = releases(town, ocid)[-1]
    assert "contractAmendment" in last["tag"]
    assert "contractUpdate" not in last["tag"]
    assert [each["id"] for each in last["contracts"][0]["amendments"]] == [amendment["id"]]
    assert len(releases(town, ocid)) == (1 if together else 2)
    assert_sound(town)


def mended(patch: pytest.MonkeyPatch, name: str) -> None:
    """From now on the code that decides what rows mean is another."""
    for module in (build, facts, fetch):
        patch.setattr(module, "code_fingerprint", str(name).strip)


def test_a_mended_mapping_makes_the_next_release_and_voids_nothing(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    mapping = MAPPINGS[NONTENDER]

    def better(rows: list[Row], context: Context) -> Iterator[Partial]:
        for partial in mapping.mappers[NONTENDER](rows, context):
            partial.body["tender"]["title"] = "Judul yang benar"
            yield partial

    settings = town.settings(only=[NONTENDER])
    town.sync(settings=settings)
    before = {row["ocid"]: row["compiled"] for row in town.query(select(t.record))}
    town.next_day()
    with monkeypatch.context() as patch:
        patch.setitem(MAPPINGS, NONTENDER, replace(mapping, mappers={**mapping.mappers, NONTENDER: better}))
        mended(patch, "mended")
        result = town.jejak("build", settings=settings)
        assert result.status == 0, result.err
        assert f"changed {len(before)}" in result.out
        assert_sound(town)
        for ocid in before:
            first, second = releases(town, ocid)
            assert second["tender"] == {"id": first["tender"]["id"], "title": "Judul yang benar"}
            assert second["tag"] == ["tenderUpdate"]
            # Made by the code, not by a row: of the time of the build.
            assert second["date"] == f"{town.world.today}T19:00:00+07:00"
            assert releases(town, ocid, voided=True) == []
        assert "built 0" in town.jejak("build", settings=settings).out
    town.next_day()
    assert town.jejak("build", settings=settings).status == 0
    assert_sound(town)
    after = {row["ocid"]: row["compiled"] for row in town.query(select(t.record))}
    assert {ocid: each["tender"] for ocid, each in after.items()} == {
        ocid: each["tender"] for ocid, each in before.items()
    }


def test_a_mended_code_table_makes_the_next_release(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = town.settings(only=[NONTENDER])
    row = town.world.rows(NONTENDER)[0]
    word = "Kategori Yang Baru"
    town.edit(NONTENDER, only("kd_nontender", row["kd_nontender"], {"jenis_pengadaan": word}))
    town.sync(settings=settings)
    ocid = ocid_of(town, "nontender", row["kd_nontender"])
    assert "mainProcurementCategory" not in state(town, ocid)["tender"]
    signals = {(each["field"], each["value"]) for each in town.query(select(t.signal))}
    assert ("jenis_pengadaan", word) in signals
    town.next_day()
    mended(monkeypatch, "mended")
    monkeypatch.setitem(codes.table("lpse"), ("category", codes.plain(word)), "works")
    assert town.jejak("build", settings=settings).status == 0
    first, second = releases(town, ocid)
    assert second["tender"] == {"id": first["tender"]["id"], "mainProcurementCategory": "works"}
    others = [each["ocid"] for each in town.query(select(t.record)) if each["ocid"] != ocid]
    assert [len(releases(town, other)) for other in others] == [1] * len(others)


def test_a_row_that_todays_model_refuses_is_left_out_and_settled_later(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    settings = town.settings(only=[ANNOUNCED, WON])
    town.sync(settings=settings)
    code = won(town)
    ocid = ocid_of(town, "tender", code)
    source, service = SERVICES[WON]

    class Stricter(service.model):  # type: ignore[misc, name-defined]
        @field_validator("kd_tender")
        @classmethod
        def _refuse(cls, value: str) -> str:
            if value == code:
                raise ValueError("is refused today")
            return value

    town.next_day()
    with monkeypatch.context() as patch:
        patch.setitem(SERVICES, WON, (source, replace(service, model=Stricter)))
        mended(patch, "stricter")
        for _ in range(2):
            assert town.jejak("build", settings=settings).status == 0
            assert "awards" not in state(town, ocid)
            [reject] = town.query(select(t.reject))
            assert (reject["ocid"], reject["service"], reject["key"]) == (ocid, WON, code)
            assert "is refused today" in reject["reason"]
            assert reject["resolved_at"] is None
        assert state(town, ocid)["tender"]
        assert "is refused today" in town.jejak("rejects", settings=settings).out
        assert_sound(town)
    result = town.jejak("retry", settings=settings)
    assert result.status == 0, result.err
    assert state(town, ocid)["awards"]
    [reject] = town.query(select(t.reject))
    assert reject["resolved_at"]
    assert_sound(town)


def test_a_process_that_cannot_be_built_does_not_stop_the_others(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    mapping = MAPPINGS[NONTENDER]
    settings = town.settings(only=[NONTENDER])
    broken = str(town.world.rows(NONTENDER)[0]["kd_nontender"])

    def half_done(rows: list[Row], context: Context) -> Iterator[Partial]:
        if rows[0].code == broken:
            raise ZeroDivisionError
        yield from mapping.mappers[NONTENDER](rows, context)

    with monkeypatch.context() as patch:
        patch.setitem(MAPPINGS, NONTENDER, replace(mapping, mappers={**mapping.mappers, NONTENDER: half_done}))
        town.sync(settings=settings)
        ocid = ocid_of(town, "nontender", broken)
        built = {row["ocid"] for row in town.query(select(t.record.c.ocid))}
        announced = select(t.identity.c.ocid).where(t.identity.c.kind == "nontender")
        assert built == {row["ocid"] for row in town.query(announced)} - {ocid} != set()
        [reject] = json.loads(town.jejak("rejects", "--json", settings=settings).out)
        assert reject["key"] == ocid
        assert "ZeroDivisionError" in reject["reason"]
    assert town.jejak("retry", settings=settings).status == 0
    assert json.loads(town.jejak("rejects", "--json", settings=settings).out) == []
    assert len(town.query(select(t.record))) == len(built) + 1


def test_a_process_that_the_tables_cannot_hold_does_not_stop_the_others(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    settings = town.settings(only=[NONTENDER])
    broken = f"-nontender-{town.world.rows(NONTENDER)[0]['kd_nontender']}"

    def too_much(document: dict[str, Any], *more: Any) -> dict[str, list[dict[str, Any]]]:
        rows = star_rows(document, *more)
        if document["ocid"].endswith(broken):
            rows["contracting_process"][0]["fiscal_year"] = 2**70
        return rows

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.build.star_rows", too_much)
        town.sync(settings=settings)
    [reject] = town.query(select(t.reject))
    assert reject["ocid"].endswith(broken)
    assert "tables can't hold" in reject["reason"]
    built = {row["ocid"] for row in town.query(select(t.record.c.ocid))}
    announced = {row["ocid"] for row in town.query(select(t.identity.c.ocid).where(t.identity.c.kind == "nontender"))}
    assert announced - built == {reject["ocid"]}
    assert built
    assert town.query(select(t.pending_process)) == []
    assert town.jejak("retry", settings=settings).status == 0
    assert len(town.query(select(t.record))) == len(built) + 1


def test_a_row_whose_facts_cannot_be_extracted_again_does_not_stop_the_others(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = town.settings(only=[NONTENDER])
    town.sync(settings=settings)
    broken, extract = town.world.rows(NONTENDER)[0]["kd_nontender"], facts.extract

    def fail(source: str, service: Any, record: Any, subject: Code) -> Any:
        if subject[1] == str(broken):
            raise ZeroDivisionError
        return extract(source, service, record, subject)

    known = town.query(select(t.rup_reference))
    with monkeypatch.context() as patch:
        patch.setattr(facts, "extract", fail)
        mended(patch, "broken")
        assert town.jejak("build", settings=settings).status == 0
    assert "can't be extracted: ZeroDivisionError, a defect of Jejak" in caplog.text
    assert 0 < len(town.query(select(t.rup_reference))) < len(known)
    assert town.jejak("build", settings=settings).status == 0
    assert len(town.query(select(t.rup_reference))) == len(known)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.DiskFull("no space left"),
        psycopg.errors.AdminShutdown("terminating connection"),
        psycopg.errors.DeadlockDetected("deadlock detected"),
        sqlite3.OperationalError("database or disk is full"),
        OSError("no space left"),
        MemoryError(),
    ],
)
def test_a_warehouse_that_fails_is_no_fault_of_a_process(
    town: Town, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    settings = town.settings(only=[NONTENDER])

    def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.build.write_star", fail)
        assert town.jejak("sync", settings=settings).status != 0
    assert town.query(select(t.reject)) == []
    assert town.query(select(t.pending_process))
    town.sync(settings=settings)
    assert town.query(select(t.pending_process)) == []
    assert town.query(select(t.record))


def test_an_old_dump_that_comes_late_is_history_alone(town: Town) -> None:
    services = [ANNOUNCED, WON]
    code = str(town.world.rows(ANNOUNCED)[0]["kd_tender"])
    columns = {"formats": {"*": "json"}}
    town.edit(ANNOUNCED, only("kd_tender", code, {"nama_paket": "Nama lama"}))
    extra = {**town.world.rows(ANNOUNCED)[0], "kd_tender": 90000099000, "kd_pkt_dce": 90000099000, "kd_rup": None}
    old = town.world.edits[ANNOUNCED]
    town.edit(ANNOUNCED, lambda rows: [*old(rows), extra])
    town.dump()
    assert columns
    kept = town.folder / "kept"
    shutil.copytree(town.folder / "dumps", kept)
    town.edit(ANNOUNCED, None)
    town.next_day()
    town.sync(settings=town.settings("isb", only=services))
    before = contents(town.engine)
    shutil.rmtree(town.folder / "dumps")
    shutil.copytree(kept, town.folder / "dumps")
    town.sync(settings=town.settings("files", only=services))
    after = contents(town.engine)
    assert {name for name in before if before[name] != after[name]} <= {"raw_record"}
    versions = [row for row in town.known(ANNOUNCED, current=False) if row["code"] in (code, "90000099000")]
    assert [(row["code"], row["current"]) for row in versions if not row["current"]] == [
        (code, False),
        ("90000099000", False),
    ]
    assert not town.query(select(t.identity).where(t.identity.c.key == "90000099000"))
    assert_sound(town)


# --- announced, and no longer ----------------------------------------------------------------------------------------


def test_a_process_that_loses_its_announcement_keeps_its_plan_and_its_other_rows(town_on_both: Town) -> None:
    town = town_on_both
    plans, payments = "RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"
    settings = town.settings(only=[plans, payments])
    town.sync(settings=settings)
    code = town.known(payments)[0]["code"]
    ocid = ocid_of(town, "rup", code)
    before = state(town, ocid)
    town.edit(plans, without("kd_rup", code))
    night(town, settings)
    after = state(town, ocid)
    assert record(town, ocid)["compiled"]["tender"]["status"] == "withdrawn"
    assert record(town, ocid)["compiled"]["planning"] == before["planning"]
    assert after["planning"]["budget"]["budgetBreakdown"] == before["planning"]["budget"]["budgetBreakdown"]
    assert record(town, ocid)["rowless_since"] is None
    [row] = town.query(select(t.contracting_process).where(t.contracting_process.c.ocid == ocid))
    assert not row["has_tender"]
    assert_sound(town)
    town.edit(plans, None)
    night(town, settings)
    assert state(town, ocid) == before
    assert_sound(town)


def test_a_process_without_any_row_leaves_the_star_tables_and_stays_on_record(town_on_both: Town) -> None:
    town = town_on_both
    settings = town.settings(only=[NONTENDER])
    town.sync(settings=settings)
    code = town.known(NONTENDER)[0]["code"]
    ocid = ocid_of(town, "nontender", code)
    before = state(town, ocid)
    town.edit(NONTENDER, without("kd_nontender", code))
    night(town, settings)
    since = town.now
    kept = record(town, ocid)
    assert kept["rowless_since"] == since
    assert kept["compiled"]["tender"] == {**before["tender"], "status": "withdrawn"}
    assert state(town, ocid) == {}
    for table in t.STAR:
        assert not town.query(select(table).where(table.c.ocid == ocid)), table.name
    [run] = town.query(select(t.run.c.id).order_by(t.run.c.number.desc()).limit(1))
    change = t.run_process.c
    assert [
        row["change"]
        for row in town.query(select(change.change).where(change.run_id == run["id"], change.ocid == ocid))
    ] == ["removed"]
    result = town.jejak("show", ocid, settings=settings)
    assert f"no current row is about it since {shown(since, '+07:00')}" in result.out
    assert_sound(town)
    town.next_day()
    assert town.jejak("rebuild", settings=settings).status == 0
    assert record(town, ocid)["rowless_since"] == since
    [package] = [each for each in lines(exported(town, settings) / "records.jsonl") if each["ocid"] == ocid]
    assert package["compiledRelease"] == kept["compiled"]
    # Its row is back: so is the process, as it was.
    town.edit(NONTENDER, None)
    night(town, settings)
    assert record(town, ocid)["rowless_since"] is None
    assert state(town, ocid) == before
    assert town.query(select(t.contracting_process).where(t.contracting_process.c.ocid == ocid))
    assert_sound(town)


def exported(town: Town, settings: Path) -> Path:
    out = town.folder / "out"
    result = town.jejak("export", "--out", out, settings=settings)
    assert result.status == 0, result.err
    return out


def test_rows_of_an_attempt_that_nobody_has_announced_wait_for_it(town: Town) -> None:
    town.sync(settings=town.settings(only=[STAGES]))
    rows = len(town.known(STAGES))
    [waits] = json.loads(town.jejak("waiting", "--json").out)
    assert (waits["service"], waits["rows"]) == (STAGES, rows)
    assert f"{rows:,} rows wait" in town.jejak("waiting").out
    assert f"Waiting: {rows} rows" in town.jejak("status").out
    assert town.query(select(t.record)) == []
    town.sync(settings=town.settings(only=[STAGES, NONTENDER]))
    assert json.loads(town.jejak("waiting", "--json").out) == []
    assert "Waiting" not in town.jejak("status").out
    milestones = {row["ocid"] for row in town.query(select(t.stage_event))}
    assert milestones == {row["ocid"] for row in town.query(select(t.record))}
    assert_sound(town)


def test_places_of_plans_that_nobody_has_announced_make_no_record(town: Town) -> None:
    places = "RUP-PaketPenyediaLokasi"
    town.sync(settings=town.settings(only=[places]))
    assert town.known(places)
    assert town.query(select(t.record)) == []
    assert town.query(select(t.contracting_process)) == []
    town.sync(settings=town.settings(only=[places, "RUP-PaketPenyedia-Terumumkan"]))
    assert town.query(select(t.record))
    flags = town.query(select(t.contracting_process.c.has_planning, t.contracting_process.c.has_tender))
    assert {tuple(row.values()) for row in flags} == {(True, False)}
    assert_sound(town)


def test_an_event_in_the_future_becomes_a_fact_when_a_later_answer_still_holds_it(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    mapping = MAPPINGS[NONTENDER]

    def dated(rows: list[Row], context: Context) -> Iterator[Partial]:
        for partial in mapping.mappers[NONTENDER](rows, context):
            [row] = partial.rows
            if not context.happened(row, row.record.tgl_pengumuman_nontender):
                partial.body["tender"]["title"] = "Belum diumumkan"
            yield partial

    monkeypatch.setitem(MAPPINGS, NONTENDER, replace(mapping, mappers={**mapping.mappers, NONTENDER: dated}))
    settings = town.settings(only=[NONTENDER])
    code = town.world.rows(NONTENDER)[0]["kd_nontender"]
    due = town.world.today + timedelta(days=2)
    town.edit(NONTENDER, only("kd_nontender", code, {"tgl_pengumuman_nontender": f"{due} 09:00:00"}))
    town.sync(settings=settings)
    waits = town.query(select(t.due_event))
    ocid = ocid_of(town, "nontender", code)
    assert [(row["ocid"], row["service"], row["day"]) for row in waits] == [(ocid, NONTENDER, str(due))]
    assert state(town, ocid)["tender"]["title"] == "Belum diumumkan"
    night(town, settings)
    assert town.query(select(t.due_event)) == waits
    assert len(releases(town, ocid)) == 1
    night(town, settings)
    assert town.world.today == due
    assert town.query(select(t.due_event)) == []
    assert state(town, ocid)["tender"]["title"] != "Belum diumumkan"
    assert len(releases(town, ocid)) == 2
    assert_sound(town)


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
            # Half of the moments while fetching, half while placing and building.
            for earliest, latest in ((0.0, 0.4), (0.4, 0.75), (0.75, 0.84), (0.84, 0.92), (0.92, 1.0)):
                die_at = 1 + int(commits * moments.uniform(earliest, latest))
                killed.append(run_apart(town.environment, log, "sync", "--settings", settings, die_at=die_at))
            assert killed.count(-signal.SIGKILL) >= 4
            status = run_apart(town.environment, log, "sync", "--settings", settings)
            assert status == 0, log.read_text(encoding="utf-8")
            expected, found = contents(calm.engine), contents(town.engine)
            for table in expected:
                assert found[table] == expected[table], (night, table)
            assert found["pending_code"] == found["pending_process"] == found["staged_fetch"] == []
            town.next_day(0.1)
            calm.server.advance(0, 0)  # it forgets the answers of the day before


def test_a_build_killed_at_any_commit_and_started_again_ends_as_one_never_killed(
    tmp_path: Path, new_url: Callable[[], str]
) -> None:
    log = tmp_path / "log"
    with served(EditedWorld(20, seed=9), tmp_path, new_url()) as town:
        settings = town.settings(only=SOME)
        town.sync(settings=settings)
        for service, field in (("SPSE-NonTenderPengumuman", "kd_nontender"), (WON, "kd_tender")):
            town.edit(service, without(field, town.world.rows(service)[0][field]))
        town.next_day(0.1)
        assert town.jejak("sync", "--no-build", settings=settings).status == 0
        town.engine.dispose()
        waiting = Path(town.warehouse_url.removeprefix("sqlite:///"))

        def built(die_at: int | None) -> tuple[int | None, str]:
            url = new_url()
            shutil.copy(waiting, url.removeprefix("sqlite:///"))
            own = town.settings(only=SOME, warehouse_url=url)
            return run_apart(town.environment, log, "build", "--settings", own, die_at=die_at), url

        status, url = built(None)
        assert status == 0, log.read_text(encoding="utf-8")
        commits = int(log.read_text(encoding="utf-8").split()[-1])
        assert commits > 8
        engine = open_warehouse(url)
        expected = contents(engine)
        engine.dispose()
        for die_at in range(1, commits + 1):
            status, url = built(die_at)
            assert status == -signal.SIGKILL
            own = town.settings(only=SOME, warehouse_url=url)
            assert run_apart(town.environment, log, "build", "--settings", own) == 0
            engine = open_warehouse(url)
            found = contents(engine)
            engine.dispose()
            assert {name for name in expected if found[name] != expected[name]} == set(), die_at


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


def test_what_is_published_is_what_the_rows_give_after_some_days(lived: Lived) -> None:
    assert_sound(lived.town)
    changed = lived.town.query(select(t.record).where(t.record.c.releases > 1))
    assert len(changed) > 3
    assert any(row["withdrawn"] for row in changed)


@needs_reference
def test_ocdskit_compiles_the_same_records(lived: Lived, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(release_schema()), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ocdskit")), "compile", "--schema", str(schema)]
    with (lived.out / "releases.jsonl").open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    merged = {record["ocid"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert merged == {record["ocid"]: record for record in lines(lived.out / "compiled.jsonl")}


def test_personal_values_are_in_nothing_that_leaves_the_raw_rows(lived: Lived) -> None:
    town = lived.town
    values = town.world.personal_values()
    raw = str(town.query(select(t.raw_record.c.payload)))
    assert sum(value in raw for value in values) > 50  # they were there to be taken
    outcome = {"log": lived.output}
    for name, rows in contents(town.engine).items():
        if name == "reject":
            rows = [{key: value for key, value in row.items() if key != "payload"} for row in rows]
        if name != "raw_record":
            outcome[name] = str(rows)
    for path in filter(Path.is_file, lived.out.rglob("*")):
        outcome[path.name] = path.read_text(encoding="utf-8")
    commands = [["status"], ["status", "--json"], ["rejects"], ["rejects", "--json"], ["validate", "--findings"]]
    for row in town.query(select(t.record.c.ocid).limit(20)):
        commands += [["show", row["ocid"], *more] for more in ([], ["--json"], ["--versioned"])]
    for words in commands:
        result = town.jejak(*words)
        outcome[" ".join(words)] = result.out + result.err
    found = {(where, value) for where, text in outcome.items() for value in values if value in text}
    assert found == set()


def test_a_supplier_learned_later_takes_the_place_of_its_surrogate(town: Town) -> None:
    payments, recorded, bidders = "SPSE-PencatatanNonTenderRealisasi", "SPSE-PencatatanNonTender", "SPSE-PesertaTender"
    town.sync(settings=town.settings(only=[payments, recorded]))
    surrogates = {
        row["party_id"] for row in town.query(select(t.process_party)) if row["party_id"].startswith("supplier-")
    }
    assert surrogates
    town.sync(settings=town.settings(only=[payments, recorded, bidders, "SPSE-TenderPengumuman"]))
    left = {row["party_id"] for row in town.query(select(t.process_party)) if row["party_id"].startswith("supplier-")}
    assert left < surrogates
    known = {(row["kind"], row["key"]) for row in town.query(select(t.supplier_key))}
    assert known.isdisjoint((row["kind"], row["key"]) for row in town.query(select(t.supplier_use)))


def test_a_budget_bears_the_names_of_its_sub_activities_once_the_masters_have_them(town: Town) -> None:
    """One name for each code of a year: a code with two names has none."""
    lists = ["RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"]
    masters = ["RUP-ProgramMaster", "RUP-KegiatanMaster", "RUP-SubKegiatanMaster"]

    def budgets() -> Rows:
        records = town.query(select(t.record.c.compiled))
        return [row["compiled"]["planning"]["budget"] for row in records]

    town.sync(settings=town.settings(only=lists))
    assert not any("project" in budget for budget in budgets())
    town.sync(settings=town.settings(only=[*lists, *masters]))
    names: dict[str, set[str]] = defaultdict(set)
    for row in town.known("RUP-SubKegiatanMaster"):
        code = ".".join(str(int(part)) for part in row["payload"]["kd_subkegiatan_str"].split("."))
        names[code].add(row["payload"]["nama_subkegiatan"])
    named = 0
    for budget in budgets():
        codes = budget.get("projectID", "").split("+")
        expected = {next(iter(names[code])) for code in codes if len(names[code]) == 1}
        assert budget.get("project", "") == "; ".join(sorted(expected))
        named += bool(expected)
    assert named > 0


def test_what_masters_name_is_of_a_year_and_fits_an_index(warehouse: Engine) -> None:
    """An office renumbered since keeps the code of each year; a garbled name fails no service."""
    garbled = "".join(random.Random(1).choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=30_000))
    old, new = "1.01.0.00.0.00.01.0000", "1.03.0.00.0.00.01.0000"
    activity = {"kd_subkegiatan": 7, "kd_subkegiatan_str": "1.03.10.2.01.0005", "nama_subkegiatan": garbled}
    bidder = {"kd_tender": 7, "kd_peserta": 1, "nama_penyedia": garbled, "kd_penyedia": "71"}
    given: list[tuple[str, str, dict[str, Any]]] = [
        ("RUP-StrukturAnggaranPD", "2024", {"kd_satker": 60442, "kd_satker_str": old}),
        ("RUP-StrukturAnggaranPD", "2025", {"kd_satker": 60442, "kd_satker_str": new}),
        ("RUP-SubKegiatanMaster", "2025", activity),
        ("SPSE-PesertaTender", "2025", bidder),
    ]
    run = {"id": "r", "number": 1, "command": "sync", "started_at": "2025-01-01T00:00:00Z", "status": "running"}
    with writing(warehouse) as conn:
        insert_rows(conn, t.run, [run])
        settling(conn)
        for number, (name, scope, payload) in enumerate(given):
            source, service = SERVICES[name]
            row_key = (source, name, scope, str(number))
            named = dict(zip(("source", "service", "scope", "key"), row_key, strict=True))
            hashes = {"code": "7", "content_hash": "", "wire_hash": "", "observed_at": "2025-01-01T00:00:00Z"}
            insert_rows(conn, t.raw_record, [{"id": number, **named, **hashes, "payload": payload, "run_id": "r"}])
            record, _ = read_row(service, payload)
            changed = facts.Changed()
            found = facts.extract(source, service, record, (service.kind, "7"))
            facts.write_facts(conn, [(number, row_key, found)], [], changed)
            facts.settle(conn, source, changed)
        keys = {(row.kind, row.key): row.kd_penyedia for row in conn.execute(select(t.supplier_key))}
    assert (keys["office", "2024-60442"], keys["office", "2025-60442"]) == (old, new)
    assert keys["sub_activity", "2025-1.3.10.2.1.5"] == garbled[:500]
    assert {keys[key] for key in supplier_keys(garbled, [])} == {"71"}


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
        assert list(place._being_read(conn, "ours")) == (["lpse"] if reading else [])
        # A later sync of the same years has made up for what a dead one left.
        note(conn, "later", "22", "success", A=("2019", "success", "22"), B=("2025", "success", "22"))
        assert place._being_read(conn, "ours") == {}


def test_a_service_is_failing_for_the_scopes_that_it_did_not_answer_last(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, loaded: Settings
) -> None:
    with writing(warehouse) as conn:
        # Interleaved: the run that began first read this service last.
        note(conn, "nightly", "01", "failed", SPSE_TenderPengumuman=("2025", "success", "05"))
        note(conn, "backfill", "02", "failed", SPSE_TenderPengumuman=("2025", "failed", "03"))
        note(conn, "old", "04", "failed", SPSE_TenderPengumuman=("2019", "failed", "06"))
        assert place._failing(conn, loaded) == {"tender": {"2019"}}
        note(conn, "again", "07", "success", SPSE_TenderPengumuman=("2019", "success", "08"))
        assert place._failing(conn, loaded) == {}


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

    def outcome(*run: str) -> dict[str, Any]:
        found = json.loads(town.jejak("changes", *run, "--json", settings=settings).out)
        return {name: value for name, value in found.items() if value and name != "run"}

    assert outcome() == {}
    town.sync(settings=settings)
    every = sorted(row["ocid"] for row in town.query(select(t.record.c.ocid)))
    assert outcome() == {"new": every}
    assert town.jejak("rebuild", settings=settings).status == 0
    assert outcome() == {}
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
    assert outcome() == {"waiting": [identity["ocid"]]}
    assert "jejak build" in town.jejak("changes", settings=settings).out
    assert town.jejak("build", settings=settings).status == 0
    assert outcome() == outcome(synced) == {"changed": [identity["ocid"]]}
    result = town.jejak("changes", settings=settings).out.splitlines()
    assert result[0].endswith(": 0 new, 1 changed, 0 removed.")
    assert result[1:] == [f"{identity['ocid']}  changed  Nama yang lain"]
    assert town.jejak("changes", "never", settings=settings).status == 1


def test_what_a_run_changed_goes_by_the_order_of_runs_and_not_by_seconds(
    town_on_both: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = town_on_both
    settings = town.settings(only=[NONTENDER])

    def synced(**fields: object) -> str:
        town.edit(NONTENDER, lambda rows: [rows[0] | fields, *rows[1:]])
        town.sync("--no-build", settings=settings)
        name: str = town.query(select(t.run.c.id).order_by(t.run.c.number.desc()).limit(1))[0]["id"]
        return name

    def changed(run: str) -> list[str]:
        found = json.loads(town.jejak("changes", run, "--json", settings=settings).out)
        return [ocid for change in ("new", "changed", "removed", "waiting") for ocid in found[change]]

    town.sync(settings=settings)
    ocid = ocid_of(town, "nontender", town.world.rows(NONTENDER)[0]["kd_nontender"])
    first = synced(nama_paket="Nama yang lain")
    assert town.jejak("build", settings=settings).status == 0
    assert changed(first) == [ocid]
    # What a build made of the process before this sync of the same second is none of its own.
    second = synced(nama_paket="Nama yang lain", kolom_baru="x")
    assert town.jejak("build", settings=settings).status == 0
    assert changed(second) == []
    # A build that had begun before takes its rows along.
    for name, value in town.environment.items():
        monkeypatch.setenv(name, value)
    loaded = load_settings(str(settings))
    begun = steps.start_run(loaded, "build")
    third = synced(nama_paket="Nama ketiga")
    steps.place_records(loaded, begun)
    steps.build_shard(loaded, begun, 0, 1)
    assert changed(third) == [ocid]
    assert len({row["started_at"] for row in town.query(select(t.run.c.started_at))}) == 1


def test_a_build_waits_for_a_sync_that_goes_on_but_not_for_a_dead_one(
    town: Town, tmp_path: Path, new_url: Callable[[], str]
) -> None:
    log = tmp_path / "log"
    settings = town.settings(only=SOME)
    whole = town.settings(only=SOME, warehouse_url=new_url())
    assert run_apart(town.environment, log, "sync", "--no-build", "--settings", whole) == 0
    commits = int(log.read_text(encoding="utf-8").split()[-1])
    # Killed before its last few lists: for all that can be known it is still reading.
    status = run_apart(town.environment, log, "sync", "--no-build", "--settings", settings, die_at=commits - 4)
    assert status == -signal.SIGKILL
    assert town.jejak("build").out == "placed 0, linked 0, built 0, new 0, changed 0, removed 0\n"
    # The next sync of the same sources has read all that the dead one would have.
    assert town.jejak("sync", "--no-build", settings=settings).status == 0
    town.jejak("build")
    assert town.query(select(t.pending_code)) == []
    assert len(town.query(select(t.record))) > 20
