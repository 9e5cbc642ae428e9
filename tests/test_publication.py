"""A publication: what is in it, how it replaces the last one, and what keeps it from being made."""

import csv
import gzip
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import flatterer
import openpyxl
import pandas as pd
import pytest
from frictionless import Package
from sqlalchemy import select

from pipeline import workers
from pipeline.configure import load_settings
from reports.publication import files, tables
from reports.publication.files import manifest_of, wrong_files
from reports.publication.processes import digests, fiscal_years
from reports.publication.publish import missing
from tests.official import needs_reference, package_validator, review
from tests.worlds import CommandResult, EditedWorld, Lived, Town, served
from transforms.difference import living
from transforms.merge import compiled
from transforms.paths import value_at
from warehouse import tables as t
from warehouse.engine import reading

SITE = "https://kontrak.rekaankab.example"
COMPLETE = {
    "JEJAK_OCID_PREFIX": "ocds-abc123",
    "JEJAK_SITE_URL": SITE,
    "JEJAK_LICENSE": "https://creativecommons.org/licenses/by/4.0/",
    "JEJAK_PUBLICATION_POLICY": f"{SITE}/data.html",
    "JEJAK_PUBLISHER_SCHEME": "ID-REKAAN",
    "JEJAK_PUBLISHER_UID": "D999",
    "JEJAK_PUBLISHER_URI": "https://rekaankab.example",
}


def publish(town: Town, out: Path, *more: object, lacking: str | None = None) -> CommandResult:
    """Run `jejak publish` with all settings that it asks for, but for one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in COMPLETE.items():
            if name != lacking:
                patch.setenv(name, value)
        return town.jejak("publish", "--out", out, *more)


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def package(folder: Path, kind: str) -> dict[str, Any]:
    """A package of the only year of a publication."""
    (path,) = folder.glob(f"data/*/*{kind}_package.json.gz")
    found: dict[str, Any] = json.loads(unpacked(path))
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(unpacked(path).decode())))


@pytest.fixture(scope="module")
def published(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The publication of a town that has lived a little."""
    out = tmp_path_factory.mktemp("publication") / "out"
    result = publish(lived.town, out)
    assert result.status == 0, result.err
    return out / "current"


def test_workers_make_the_same(lived: Lived, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_WORTH_WORKERS", 0)
    monkeypatch.setenv("JEJAK_WORKERS", "2")
    result = publish(lived.town, tmp_path / "out")
    assert result.status == 0, result.err
    made = tmp_path / "out" / "current"
    assert wrong_files(made) == []
    names = set(files.names_of(published))
    assert set(files.names_of(made)) == names
    pages = [name for name in names if name.startswith(("proses/", "instansi/", "tempat/", "bulan/", "penyedia/"))]
    assert len(pages) > 2 * len(lived.town.query(select(t.record)))
    assert [name for name in pages if (made / name).read_bytes() != (published / name).read_bytes()] == []


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_the_packages_hold_every_record_and_release(lived: Lived, published: Path) -> None:
    records = {row["ocid"]: row["compiled"] for row in lived.town.query(select(t.record))}
    found = {record["ocid"]: record for record in package(published, "record")["records"]}
    assert {ocid: record["compiledRelease"] for ocid, record in found.items()} == records
    assert all(compiled(record["releases"]) == records[ocid] for ocid, record in found.items())
    releases = package(published, "release")["releases"]
    assert releases == [release for record in found.values() for release in record["releases"]]
    lines = unpacked(published / "data" / str(lived.town.world.year) / "releases.jsonl.gz").splitlines()
    assert [json.loads(line) for line in lines] == releases
    metadata = {name: value for name, value in package(published, "release").items() if name != "releases"}
    assert metadata["publisher"] == {
        "name": "Pemerintah Kabupaten Rekaan", "scheme": "ID-REKAAN", "uid": "D999", "uri": "https://rekaankab.example"
    }  # fmt: skip
    assert metadata["uri"] == f"{SITE}/data/{lived.town.world.year}/release_package.json.gz"
    assert (metadata["license"], metadata["publicationPolicy"]) == (
        COMPLETE["JEJAK_LICENSE"],
        COMPLETE["JEJAK_PUBLICATION_POLICY"],
    )


@needs_reference
@pytest.mark.parametrize("kind", ["release", "record"])
def test_the_packages_pass_the_official_schema_and_review(published: Path, tmp_path: Path, kind: str) -> None:
    found = package(published, kind)
    assert [error.message for error in package_validator(kind).iter_errors(found)] == []
    reviewed = review(found, SITE, published, tmp_path)
    assert reviewed["extensions"]["invalid_extension"] == {}
    assert reviewed["validation_errors"] == []
    assert reviewed["all_additional_fields"] == []
    assert reviewed["additional_closed_codelist_values"] == {}
    # Merging leaves an empty object where all that was in it is withdrawn.
    assert set(reviewed["additional_checks"]) <= ({"empty_field"} if kind == "record" else set())


def test_what_is_referred_to_is_there(published: Path) -> None:
    for record in package(published, "record")["records"]:
        body = record["compiledRelease"]
        parties = {party["id"]: party for party in body["parties"]}
        assert set(references(body)) <= parties.keys()
        # Self-managed work is awarded to nobody.
        named = {each["awardID"] for each in body.get("contracts", []) if not each["awardID"].startswith("swakelola-")}
        assert named <= {award["id"] for award in body.get("awards", [])}
        bids = {bid["id"] for bid in body.get("bids", {}).get("details", [])}
        assert {award["relatedBid"] for award in body.get("awards", []) if award.get("relatedBid")} <= bids
        for related in body.get("relatedProcesses", []):
            assert len({each["identifier"] for each in body["relatedProcesses"]}) == len(body["relatedProcesses"])
            assert related["scheme"] == "ocid"


def references(node: Any, name: str = "") -> Iterator[str]:
    """The ids of the parties that a document refers to."""
    roles = {"buyer", "procuringEntity", "suppliers", "tenderers", "payer", "payee", "sourceParty", "organization"}
    if isinstance(node, list):
        for entry in node:
            yield from references(entry, name)
    elif isinstance(node, dict):
        if name in roles:
            yield node["id"]
        for field, value in node.items():
            if field != "parties":
                yield from references(value, field)


def test_the_tables_open_where_people_open_tables(lived: Lived, published: Path, tmp_path: Path) -> None:
    year = str(lived.town.world.year)
    states = {
        row["ocid"]: living(row["compiled"], row["withdrawn"] or ()) for row in lived.town.query(select(t.record))
    }
    described = Package(str(published / "datapackage.json"))
    report = described.validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type"])
    awards = published / "data" / year / "csv" / "awards.csv.gz"
    found = sum(len(state.get("awards", [])) for state in states.values())
    assert len(pd.read_csv(awards)) == found > 5
    assert duckdb.execute(f"SELECT count(*) FROM read_csv('{awards}')").fetchall() == [(found,)]
    lines = published / "data" / year / "compiled.jsonl.gz"
    assert duckdb.execute(f"SELECT count(DISTINCT ocid) FROM read_json('{lines}')").fetchall() == [(len(states),)]
    frames = flatterer.flatten(str(lines), ndjson=True, gzip_input=True, dataframe=True)
    assert len(frames["data"]["main"]) == len(states)
    coverage = {row["path"]: row for row in rows(published / "data" / year / "coverage.csv")}
    titled = sum(value_at(state, ["tender", "title"]) is not None for state in states.values())
    assert coverage["tender/title"]["processes"] == str(titled)
    assert float(coverage["tender/title"]["share_of_processes"]) == pytest.approx(titled / len(states), abs=1e-4)


def test_the_workbook_is_for_people(lived: Lived, published: Path) -> None:
    book = openpyxl.load_workbook(published / "data" / str(lived.town.world.year) / "tabel.xlsx")
    assert book.sheetnames[:3] == ["Keterangan", "Paket", "Anggaran"]
    states = lived.town.query(select(t.record).order_by(t.record.c.ocid))
    found = [
        (row["ocid"], each)
        for row in states
        for each in living(row["compiled"], row["withdrawn"] or ()).get("contracts", ())
    ]
    title, *rows = list(book["Kontrak"].values)
    assert title[:2] == ("OCID", "Kode kontrak")
    assert [row[:2] for row in rows] == [(ocid, each["id"]) for ocid, each in found]
    value, status = title.index("Nilai (Rp)"), title.index("Status")
    assert [row[value] for row in rows] == [each.get("value", {}).get("amount") for _, each in found]
    assert {row[status] for row in rows} <= {"menunggu", "berjalan", "dibatalkan", "berakhir", None}
    payments = list(book["Pembayaran"].values)
    assert {row[:2] for row in payments[1:]} <= {(ocid, each["id"]) for ocid, each in found}
    for sheet in book.worksheets[1:]:
        cells: Any = sheet.iter_cols()
        for heading, *column in cells:
            formats = {cell.number_format for cell in column if cell.value is not None}
            if str(heading.value).endswith("(Rp)"):
                assert formats <= {"#,##0"}, heading.value
            elif any(cell.is_date for cell in column):
                assert formats <= {"dd/mm/yyyy", "dd/mm/yyyy hh:mm"}, heading.value


def test_a_sheet_goes_on_in_another_and_holds_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 4)
    titles = ["=1+1", "+62", "-", "@SUM(1)", "\tx", "a" * 40_000, "b\x01", "c\nd"]
    states = [
        {"ocid": f"o-{number}", "title": title, "date": "2025-01-02T10:00:00+07:00"}
        for number, title in enumerate(titles)
    ]
    (tmp_path / "states.jsonl").write_text("".join(json.dumps(state) + "\n" for state in states))
    tables.write_csv(tmp_path / "states.jsonl", tmp_path / "csv", "", tmp_path / "flat")
    assert [row["title"] for row in rows(tmp_path / "csv" / "processes.csv.gz")] == titles
    tables.write_workbook(tmp_path / "flat", tmp_path / "a.xlsx", "=HYPERLINK(1)\n+62")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Keterangan", "Paket", "Paket (2)", "Paket (3)"]
    found = [row for name in book.sheetnames[1:] for row in list(book[name].values)[1:]]
    assert [row[0] for row in found] == [state["ocid"] for state in states]
    assert [row[1] for row in found[:4]] == ["'=1+1", "'+62", "'-", "'@SUM(1)"]
    assert str(found[5][1]).endswith("[... selanjutnya di CSV]")
    assert [row[1] for row in found[6:]] == ["b ", "c\nd"]
    assert {row[-1] for row in found} == {datetime.fromisoformat("2025-01-02T10:00:00")}
    assert [row[0] for row in book["Keterangan"].values] == ["'=HYPERLINK(1)", "'+62"]
    assert "f" not in {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def test_files_are_cut_where_they_grow_too_large(
    lived: Lived, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LIMIT", 100_000)
    assert publish(lived.town, tmp_path / "out").status == 0
    folder = tmp_path / "out" / "current" / "data" / str(lived.town.world.year)
    parts = sorted(folder.glob("release_package*.json.gz"), key=lambda path: len(path.name))
    assert len(parts) > 2
    assert all(len(unpacked(path)) <= 100_000 for path in parts)
    packages = [json.loads(unpacked(path)) for path in parts]
    assert {each["uri"].rpartition("/")[2] for each in packages} == {path.name for path in parts}
    whole = package(published, "release")["releases"]
    assert sorted(release["id"] for each in packages for release in each["releases"]) == sorted(
        release["id"] for release in whole
    )
    parties = sorted(folder.glob("csv/parties*.csv.gz"))
    assert len(parties) > 1
    assert sum(len(rows(path)) for path in parties if "additional" not in path.name) == len(
        rows(published / "data" / folder.name / "csv" / "parties.csv.gz")
    )
    assert Package(str(folder.parents[1] / "datapackage.json")).validate().valid


def test_what_describes_it_names_every_file(published: Path) -> None:
    assert wrong_files(published) == []
    listed = {file["path"] for file in manifest_of(published)["files"]}
    catalog = json.loads((published / "catalog.jsonld").read_text(encoding="utf-8"))
    assert catalog["@type"] == "dcat:Catalog"
    distributions = [each for dataset in catalog["dcat:dataset"] for each in dataset["dcat:distribution"]]
    named = {each["dcat:downloadURL"]["@id"].removeprefix(f"{SITE}/") for each in distributions}
    assert named == {path for path in listed if path.startswith("data/2")}
    digests = {file["path"]: file["sha256"] for file in manifest_of(published)["files"]}
    for each in distributions:
        assert each["spdx:checksum"]["spdx:checksumValue"] == digests[each["@id"].removeprefix(f"{SITE}/")]
    assert {"extensions/indonesia/extension.json", "codelists/identifierScheme.csv", "sitemap.xml"} <= listed
    (published.resolve() / "strange").write_text("?")
    try:
        assert wrong_files(published) == ["strange"]
    finally:
        (published.resolve() / "strange").unlink()


def test_a_page_lists_the_files_with_size_and_what_each_is(published: Path) -> None:
    page = (published / "data" / "index.html").read_text(encoding="utf-8")
    listed = set(re.findall(r'<li><a href="([^"]+)">', page.partition("<h1>")[2]))
    data = published / "data"
    assert listed >= {path.relative_to(data).as_posix() for path in files.files_of(data)} - {"index.html"}
    assert {"../manifest.json", "../datapackage.json"} <= listed
    assert {"../extensions/indonesia/extension.json", "../codelists/identifierScheme.csv"} <= listed
    assert all((data / link).is_file() for link in listed)
    lines = re.findall(r"<li><a href=\S+>\S+</a> <small>.+?</small>(.*)</li>", page)
    assert len(lines) > 20
    found = [re.fullmatch(r' <span data-t="file\.([a-z_]+)">[^<]+</span>', line) for line in lines if line]
    assert {each[1] for each in found if each} == {
        "release_package", "record_package", "releases", "compiled", "release_ids", "tables", "tabel", "coverage",
        "changes", "voided",
    }  # fmt: skip
    assert all(found)


# --- one after another ------------------------------------------------------------------------------------------------


def test_nothing_is_published_before_it_is_known_who_publishes(town: Town, tmp_path: Path) -> None:
    town.sync()
    out = tmp_path / "out"
    result = town.jejak("publish", "--out", out)
    assert result.status == 1
    for name in ("license", "publication_policy", "publisher_scheme", "publisher_uid", "publisher_uri", "site_url"):
        assert name in result.err
    assert "ocid_prefix" in result.err
    assert not out.exists()
    for name in COMPLETE:
        result = publish(town, out, lacking=name)
        assert result.status == 1, name
    assert not (out / "current").exists()
    assert town.jejak("publish", "--out", out, "--draft").status == 0
    data = [path.name for path in files.files_of(out / "current" / "data")]
    assert [name for name in data if not name.startswith("draft-")] == ["index.html"]
    assert 'class="draft"' in (out / "current" / "data" / "index.html").read_text(encoding="utf-8")
    assert package(out / "current", "record")["publisher"]["name"].startswith("DRAF: ")
    assert manifest_of(out / "current")["draft"]
    # A digest may consist of decimal digits alone: it is longer than any number of a person.
    pages = [path.read_text(encoding="utf-8") for path in (out / "current" / "proses").glob("*.html")]
    digests = [found for page in pages for found in re.findall('name="jejak-digest" content="([0-9a-f]+)"', page)]
    assert len(digests) == len(pages) > 0
    assert {len(digest) for digest in digests} == {32}
    assert publish(town, out).status == 0
    assert not list((out / "current").rglob("draft-*"))


def test_a_folder_that_can_take_no_publication_is_refused(town: Town, tmp_path: Path) -> None:
    town.sync()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    result = publish(town, tmp_path / "full")
    assert result.status == 1
    assert "empty folder" in result.err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.doc"]
    (tmp_path / "file").write_text("")
    result = publish(town, tmp_path / "file" / "out")
    assert result.status == 1
    assert "can't take a publication" in result.err


def test_a_first_one_that_fails_leaves_nothing(town: Town, tmp_path: Path) -> None:
    town.sync()
    result = publish(town, tmp_path / "out", "--year", 1999)
    assert result.status == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_the_next_one_says_what_is_new_and_keeps_what_is_not(town_on_both: Town, tmp_path: Path) -> None:
    town, out = town_on_both, tmp_path / "out"
    town.sync()
    assert publish(town, out).status == 0
    before = stats(out)
    first = rows(out / "current" / "data" / "changes.csv.gz")
    assert {row["change"] for row in first} == {"new"}
    first_made = manifest_of(out / "current")["made_at"]
    town.next_day()  # nothing is read of it yet
    assert publish(town, out).status == 0
    again = stats(out)
    manifest = manifest_of(out / "current")
    assert manifest["years"][str(town.world.year)]["made_at"] == first_made < manifest["made_at"]
    catalog = json.loads((out / "current" / "catalog.jsonld").read_text(encoding="utf-8"))
    [dataset] = catalog["dcat:dataset"]
    modified = [datetime.fromisoformat(each["dct:modified"]["@value"]) for each in (dataset, catalog)]
    assert modified == [datetime.fromisoformat(each) for each in (first_made, manifest["made_at"])]
    year = f"data/{town.world.year}/"
    assert {name: each for name, each in again.items() if name.startswith(year)} == {
        name: each for name, each in before.items() if name.startswith(year)
    }
    assert rows(out / "current" / "data" / "changes.csv.gz") == []
    found = read_digests(town)
    town.next_day(0.3)
    town.sync()
    ocid = first[0]["ocid"]
    result = town.jejak("void", ocid, "buyer", "--reason", "for a test")
    assert result.status == 0, result.err
    town.sync()
    assert publish(town, out).status == 0
    changes = rows(out / "current" / "data" / "changes.csv.gz")
    known = {row["id"] for row in first}
    releases = {row["id"]: row for row in town.query(select(t.release))}
    valid = {name for name, row in releases.items() if row["voided_at"] is None}
    assert {row["id"] for row in changes if row["change"] != "voided"} == valid - known
    assert {row["id"] for row in changes if row["change"] == "voided"} == known - valid != set()
    ocids = {row["ocid"] for row in first}
    assert all((row["change"] == "new") == (row["ocid"] not in ocids) for row in changes if row["change"] != "voided")
    assert all(row["made_at"] == releases[row["id"]]["made_at"] for row in changes)
    voided = rows(out / "current" / "data" / "voided.csv.gz")
    assert {row["id"] for row in voided} == releases.keys() - valid
    made = os.readlink(out / "current")
    assert {path.name for path in out.iterdir()} == {"current", made, f".known-{made}", f".marks-{made}"}
    after = stats(out)
    now = read_digests(town)
    pages = [
        name for name in again if name.startswith("proses/") and found.get(Path(name).stem) == now[Path(name).stem]
    ]
    assert len(pages) > 10
    assert {name: after[name] for name in pages} == {name: again[name] for name in pages}
    # What was taken over is what would be made now.
    assert publish(town, tmp_path / "anew").status == 0
    anew = stats(tmp_path / "anew")
    alike = [name for name in anew if name.startswith(("proses/", "cari/")) or name.endswith((".html", ".atom"))]
    assert {name: after[name][2] for name in alike} == {name: anew[name][2] for name in alike}


def test_pages_that_somebody_removed_or_nobody_knows_are_made_again(town: Town, tmp_path: Path) -> None:
    out = tmp_path / "out"
    town.sync()
    assert publish(town, out).status == 0
    before = stats(out)
    removed = next(name for name in before if name.startswith("proses/"))
    (out / "current" / removed).unlink()
    assert publish(town, out).status == 0
    assert wrong_files(out / "current") == []
    assert {name: each[2] for name, each in stats(out).items() if name.endswith((".html", ".json.gz"))} == {
        name: each[2] for name, each in before.items() if name.endswith((".html", ".json.gz"))
    }
    (known,) = out.glob(".known-*")
    known.unlink()
    pages = {name: each for name, each in stats(out).items() if name.startswith("proses/")}
    assert publish(town, out).status == 0
    assert {name: each for name, each in stats(out).items() if name.startswith("proses/")} == pages


def read_digests(town: Town) -> dict[str, str]:
    with reading(town.engine) as conn:
        return digests(conn, fiscal_years(conn))


def stats(out: Path) -> dict[str, tuple[int, int, bytes]]:
    """Of each file its place on the disk, its time and its bytes."""
    folder = (out / "current").resolve()
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in files.files_of(folder)
    }


def test_a_year_alone_does_not_take_the_others_out(tmp_path: Path, file_url: str) -> None:
    out = tmp_path / "out"
    with served(EditedWorld(20, seed=1, years=2), tmp_path, file_url) as town:
        town.sync()
        assert publish(town, out).status == 0
        years = sorted(path.name for path in (out / "current" / "data").iterdir() if path.is_dir())
        assert len(years) > 1
        before = os.readlink(out / "current")
        result = publish(town, out, "--year", years[-1])
        assert result.status == 1
        assert f"the last publication has {', '.join(years[:-1])} too" in result.err
        assert os.readlink(out / "current") == before
        assert publish(town, out, *(word for year in years for word in ("--year", year))).status == 0
        assert publish(town, tmp_path / "other", "--year", years[-1]).status == 0


def test_a_year_can_be_published_alone(town: Town, tmp_path: Path) -> None:
    town.sync()
    result = publish(town, tmp_path / "out", "--year", 1999)
    assert result.status == 1
    assert "1999" in result.err
    assert publish(town, tmp_path / "out", "--year", town.world.year, "--versioned").status == 0
    records = package(tmp_path / "out" / "current", "record")["records"]
    assert all(record["versionedRelease"]["ocid"] == record["ocid"] for record in records)
    assert [path.name for path in (tmp_path / "out" / "current" / "data").iterdir() if path.is_dir()] == [
        str(town.world.year)
    ]


# --- killed ----------------------------------------------------------------------------------------------------------


def made_so_far(out: Path) -> int:
    """The files of the new publication; none once its folder is being put in its place."""
    try:
        return sum(1 for each in out.glob(".building-*/files/**/*") if each.is_file())
    except FileNotFoundError:
        return 0


def test_a_killed_publication_leaves_the_last_one_whole(file_url: str, tmp_path: Path) -> None:
    # JEJAK_TEST_KILLS=50 also makes the regency so large that workers publish it.
    times = int(os.environ.get("JEJAK_TEST_KILLS", "4"))
    chance = random.Random(5)
    out = tmp_path / "out"
    with served(EditedWorld(500 if times > 10 else 20, seed=5), tmp_path, file_url) as town:
        town.sync()
        assert publish(town, out).status == 0
        settings = town.settings(workers=2)
        command = [sys.executable, "-m", "commands.main", "publish", "--out", out, "--settings", settings]
        for number in range(times):
            town.next_day(0.3 if times < 10 else 0.03)
            town.sync()
            before = manifest_of(out / "current")
            # Killed when so many files of the new one are there: a moment that no clock decides.
            at = chance.randrange(len(before["files"]))
            environment = {**os.environ, **town.environment, **COMPLETE}
            process = subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.DEVNULL)
            while process.poll() is None and made_so_far(out) < at:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert wrong_files(out / "current") == [], number
        assert publish(town, out).status == 0
        assert wrong_files(out / "current") == []
        assert len(list(out.iterdir())) == 4


def test_settings_that_are_whole_miss_nothing(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    assert missing(load_settings(str(lived.town.settings()))) == []
