"""Releases that should never have been published: voided by value or by lineage, and what is true told anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.test_build import assert_sound, exported, night, ocid_of, only, record, releases, state
from tests.worlds import EditedWorld, Town, lines, served
from warehouse import tables as t
from warehouse.engine import reading
from warehouse.releases import lineages_of

SERVICE = "SPSE-NonTenderPengumuman"


@pytest.fixture
def joined(tmp_path: Path, warehouse_url: str) -> Iterator[Town]:
    """A town of which SIMPEN's reports are read too."""
    with served(EditedWorld(60, seed=3), tmp_path, warehouse_url) as town:
        yield town


def ids(town: Town, ocid: str) -> list[str]:
    """The ids of all releases of a process, voided ones too, in their order."""
    columns = t.release.c
    return [str(row["id"]) for row in town.query(select(columns.id).where(columns.ocid == ocid).order_by("number"))]


def test_a_rejected_link_voids_what_it_had_brought_and_what_is_true_is_told_anew(joined: Town) -> None:
    town = joined
    settings = town.settings(systems=[*("sirup", "lpse"), "simpen"])
    town.sync(settings=town.settings())
    town.next_day()
    town.sync(settings=settings)
    links = town.query(
        select(t.link).where(t.link.c.rule == "contract-report", t.link.c.status == "auto").order_by("id")
    )
    subjects = [(row["from_kind"], row["from_code"]) for row in links]
    targets = [(row["to_kind"], row["to_code"]) for row in links]
    link = next(
        row
        for row, subject, target in zip(links, subjects, targets, strict=True)
        if subjects.count(subject) == targets.count(target) == 1
    )
    ocid, subject = ocid_of(town, link["to_kind"], link["to_code"]), [link["from_kind"], link["from_code"]]
    before, state_before = ids(town, ocid), state(town, ocid)
    assert "simpen-" in str(state_before)
    others = {row["id"]: row["voided_at"] for row in town.query(select(t.release)) if row["ocid"] != ocid}
    with reading(town.engine) as conn:
        lineage = lineages_of(conn, ocid)
    wrong = [name for name, rows in lineage.items() if any(row[:2] == subject for row in rows)]
    assert wrong == before[1:]  # the first release was made before SIMPEN was read
    town.next_day()
    result = town.jejak("links", "reject", link["id"], "--by", "operator", settings=settings)
    assert result.status == 0, result.err
    assert [body["id"] for body in releases(town, ocid, voided=True)] == wrong
    assert all(link["id"] in row["void_reason"] for row in town.query(select(t.release)) if row["voided_at"])
    assert "simpen-" not in str(record(town, ocid)["compiled"])
    assert not [row for row in town.query(select(t.progress)) if row["ocid"] == ocid]
    assert {row["id"]: row["voided_at"] for row in town.query(select(t.release)) if row["ocid"] != ocid} == others
    assert_sound(town)
    # Another day all is as it was, and a change of mind brings it back: under ids that nobody has seen.
    night(town, settings)
    assert set(before) <= set(ids(town, ocid))
    town.next_day()
    assert town.jejak("links", "confirm", link["id"], "--by", "operator", settings=settings).status == 0
    assert state(town, ocid) == state_before
    assert releases(town, ocid)[-1]["date"] == f"{town.world.today}T19:00:00+07:00"
    assert_sound(town)
    out = exported(town, settings)
    published = {release["id"] for release in lines(out / "releases.jsonl")}
    assert published.isdisjoint(wrong)


def test_a_link_that_never_stood_voids_nothing_when_it_is_rejected(joined: Town) -> None:
    town = joined
    settings = town.settings(systems=["sirup", "lpse", "simpen"])
    asking = settings.with_name("asking.toml")
    asking.write_text(settings.read_text() + "\n[links.contract-report]\naccept = 1.0\npending = 0.5\n")
    town.sync(settings=asking)
    [link, *_] = town.query(select(t.link).where(t.link.c.rule == "contract-report", t.link.c.status == "pending"))
    before = town.query(select(t.release.c.id, t.release.c.voided_at).order_by("id"))
    assert town.jejak("links", "reject", link["id"], settings=asking).status == 0
    assert town.query(select(t.release.c.id, t.release.c.voided_at).order_by("id")) == before


def slipped(town: Town, settings: Path) -> tuple[str, str]:
    """A process whose title held, for two nights, what must not be published; the title."""
    code, bad = town.world.rows(SERVICE)[0]["kd_nontender"], "Hubungi Bapak Rekaan di rumahnya"
    town.edit(SERVICE, only("kd_nontender", code, {"nama_paket": bad}))
    town.sync(settings=settings)
    town.edit(SERVICE, only("kd_nontender", code, {"nama_paket": bad, "pagu": 1_000_000, "hps": 900_000}))
    night(town, settings)
    ocid = ocid_of(town, "nontender", code)
    assert len(releases(town, ocid)) == 2
    return ocid, bad


@pytest.mark.parametrize("erase", [False, True])
def test_a_value_is_voided_wherever_a_release_gives_it(town_on_both: Town, erase: bool) -> None:
    town, settings = town_on_both, town_on_both.settings(only=[SERVICE])
    ocid, bad = slipped(town, settings)
    before, mended = ids(town, ocid), town.world.today
    # The row is mended at its source, and read, before anybody voids.
    town.edit(SERVICE, None)
    night(town, settings)
    third = releases(town, ocid)[-1]
    assert third["tender"]["title"] != bad
    words = ["void", ocid, "tender/title", "--as-of", str(mended), "--reason", "a person's address"]
    result = town.jejak(*words, *(["--erase"] if erase else []), settings=settings)
    assert result.status == 0, result.err
    # The second release gives another value of the tender, not the title.
    assert result.out.splitlines()[0] == before[0]
    assert result.out.splitlines()[-1] == "1 releases voided, 1 records built again."
    [voided] = releases(town, ocid, voided=True)
    assert voided["id"] == before[0]
    assert ("tender" in voided) is not erase
    assert (bad in str(voided)) is not erase
    assert bad not in str([row["compiled"] for row in town.query(select(t.record))])
    assert [row["void_reason"] for row in town.query(select(t.release)) if row["voided_at"]] == ["a person's address"]
    kept = ids(town, ocid)
    assert kept[:3] == [*before, third["id"]]
    assert len(kept) == 4
    assert_sound(town)
    # Nothing more to tell.
    assert "changed 0" in town.jejak("rebuild", ocid, settings=settings).out


def test_what_the_rows_still_give_is_told_anew(town_on_both: Town) -> None:
    town, settings = town_on_both, town_on_both.settings(only=[SERVICE])
    town.sync(settings=settings)
    ocid = ocid_of(town, "nontender", town.known(SERVICE)[0]["code"])
    before, [first] = state(town, ocid), ids(town, ocid)
    result = town.jejak("void", ocid, "tender", "--reason", "wrong", settings=settings)
    assert result.status == 0, result.err
    assert state(town, ocid) == before
    [again] = releases(town, ocid)
    assert again["id"] != first
    assert "tender" in again["tag"]
    [voided] = releases(town, ocid, voided=True)
    assert voided["id"] == first
    assert voided["date"] < again["date"]
    assert_sound(town)


def test_a_process_whose_releases_are_all_void_stays_told_of_without_its_announcement(town_on_both: Town) -> None:
    town = town_on_both
    plans, money = "RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"
    settings = town.settings(only=[plans, money])
    town.sync(settings=settings)
    code = town.known(money)[0]["code"]
    ocid = ocid_of(town, "rup", code)
    town.edit(plans, lambda rows: [row for row in rows if str(row["kd_rup"]) != code])
    night(town, settings)
    assert town.jejak("void", ocid, "planning", "--reason", "wrong", settings=settings).status == 0
    assert "budgetBreakdown" in state(town, ocid)["planning"]["budget"]
    assert len(releases(town, ocid, voided=True)) >= 1
    assert_sound(town)


def test_a_release_that_is_left_alone_keeps_its_body(town_on_both: Town) -> None:
    town, settings = town_on_both, town_on_both.settings(only=[SERVICE])
    ocid, _ = slipped(town, settings)
    second = releases(town, ocid)[-1]
    town.edit(SERVICE, None)
    night(town, settings)
    assert town.jejak("void", ocid, "tender/title", "--as-of", "2025-10-04", "--reason", "r", settings=settings)
    for _ in range(2):
        town.next_day()
        assert town.jejak("rebuild", ocid, settings=settings).status == 0
        assert second in releases(town, ocid)


@pytest.mark.parametrize("path", ["tender/nothing", "awards/none/status"])
def test_no_such_path(town: Town, path: str) -> None:
    settings = town.settings(only=[SERVICE])
    town.sync(settings=settings)
    ocid = ocid_of(town, "nontender", town.known(SERVICE)[0]["code"])
    result = town.jejak("void", ocid, path, "--reason", "r", settings=settings)
    assert result.status == 1
    assert "has no path" in result.err
    assert town.query(select(t.release).where(t.release.c.voided_at.is_not(None))) == []
