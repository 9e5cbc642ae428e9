"""Real rows published: the standard's own review, the scan, and the page in a browser.

The rows are not part of this repository: see tests/test_real_data.py.
"""

import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import flatterer
import pandas as pd
import pytest
from playwright.sync_api import Browser, expect
from python_calamine import CalamineWorkbook

from pipeline.configure import load_settings
from reports.publication.publish import publish
from tests.e2e.test_site_browser import (
    FIRST_SEARCH,
    FIRST_VIEW,
    PHONE,
    STAGES,
    _no_wider_than_the_screen,
    _opened,
    _serving,
    _Site,
    _weight,
    browser,
)
from tests.e2e.test_workbook import through_libreoffice
from tests.official import needs_reference, package_validator, review
from tests.test_publication import COMPLETE, SITE, references
from tests.test_real_data import DATA, use
from tests.worlds import jejak

__all__ = ["browser"]

pytestmark = pytest.mark.e2e

FOLDERS = {"isb-kab-bandung-2025": "kab-bandung-dumps.toml", "isb-prov-kalbar-2024": "prov-kalbar-dumps.toml"}
LIST_BYTES = 100_000
Object = dict[str, Any]


@dataclass(frozen=True)
class Publication:
    """A publication of real rows, whole but for the prefix, which is the documentation's. Nothing in it is personal, or
    it would not be there: what `publish` finds by its scan it refuses."""

    name: str
    out: Path
    year: str

    def lines(self, name: str) -> Iterator[Object]:
        with gzip.open(self.out / "data" / self.year / f"draft-{name}.jsonl.gz") as file:
            yield from map(json.loads, file)

    def package(self, kind: str) -> Object:
        found: Object = json.loads(
            gzip.decompress((self.out / "data" / self.year / f"draft-{kind}_package.json.gz").read_bytes())
        )
        return found

    @cached_property
    def villages(self) -> dict[str, set[str]]:
        """The codes of the places of each package, as its record names them."""
        return {each["ocid"]: set(_codes(each)) for each in self.lines("compiled")}


def _codes(record: Object) -> Iterator[str]:
    tender = record.get("tender", {})
    items = [
        item
        for holder in (tender, *record.get("awards", ()), *record.get("contracts", ()))
        for item in holder.get("items", ())
    ]
    for location in (tender.get("location"), *(item.get("deliveryLocation") for item in items)):
        yield from ((location or {}).get("gazetteer") or {}).get("identifiers") or ()


@pytest.fixture(scope="module", params=FOLDERS)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publication]:
    dumps, settings = DATA / request.param, FOLDERS[request.param]
    if not dumps.is_dir():
        pytest.skip(f"no folder of real dumps ({dumps.name}); name its parent in JEJAK_REAL_DATA")
    folder = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, folder, settings, dumps)
        for name, value in COMPLETE.items():
            if name != "JEJAK_OCID_PREFIX":
                patch.setenv(name, value)
        assert jejak("sync").status == 0
        known = load_settings()
        publish(known, folder / "out", draft=True)
        yield Publication(request.param, folder / "out" / "current", request.param.rpartition("-")[2])


@needs_reference
@pytest.mark.parametrize("kind", ["release", "record"])
def test_real_packages_pass_the_official_schema_and_review(real: Publication, tmp_path: Path, kind: str) -> None:
    found = real.package(kind)
    assert [error.message for error in package_validator(kind).iter_errors(found)][:5] == []
    reviewed = review(found, SITE, real.out, tmp_path)
    assert reviewed["extensions"]["invalid_extension"] == {}
    assert reviewed["validation_errors"] == []
    assert reviewed["all_additional_fields"] == []
    assert reviewed["additional_closed_codelist_values"] == {}
    assert set(reviewed["additional_checks"]) <= ({"empty_field"} if kind == "record" else set())


def test_what_real_packages_refer_to_is_there(real: Publication) -> None:
    everything = set(real.villages)
    for body in real.lines("compiled"):
        assert set(references(body)) <= {party["id"] for party in body["parties"]}
        named = {each["awardID"] for each in body.get("contracts", []) if not each["awardID"].startswith("swakelola-")}
        assert named <= {award["id"] for award in body.get("awards", [])}
        for related in body.get("relatedProcesses", []):
            page = f"proses/{related['identifier']}.html"
            assert related["identifier"] in everything or (real.out / page).is_file()


def test_real_tables_open_where_people_open_tables(real: Publication, tmp_path: Path) -> None:
    folder, count = real.out / "data" / real.year, len(real.villages)
    lines, processes = folder / "draft-compiled.jsonl.gz", folder / "csv" / "draft-processes.csv.gz"
    assert duckdb.execute(f"SELECT count(DISTINCT ocid) FROM read_json('{lines}')").fetchall() == [(count,)]
    assert pd.read_csv(processes, low_memory=False)["ocid"].nunique() == count
    assert duckdb.execute(f"SELECT count(DISTINCT ocid) FROM read_csv('{processes}')").fetchall() == [(count,)]
    frames = flatterer.flatten(str(lines), ndjson=True, gzip_input=True, dataframe=True)
    assert len(frames["data"]["main"]) == count
    tables = _cells(folder / "draft-tabel.xlsx")
    assert len(tables["Paket"]) == count + 1
    assert _cells(through_libreoffice(folder / "draft-tabel.xlsx", tmp_path)) == tables


def _cells(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_each_real_package_stands_on_the_pages_of_its_places(real: Publication) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in (real.out / "tempat").glob("*.html"):
        for ocid in re.findall(r'href="\.\./proses/([^"]+)\.html"', path.read_text(encoding="utf-8")):
            found[ocid].add(re.sub(r"-\d+$", "", path.stem))
    counts = {"village": 0, "none": 0}
    for ocid, codes in real.villages.items():
        assert found[ocid] == (codes or {"tidak-disebut"}), ocid
        counts["village"] += any(len(code) == 13 for code in codes)
        counts["none"] += not codes
    index = (real.out / "index.html").read_text(encoding="utf-8")
    for count in counts.values():
        assert f"{count:,}".replace(",", ".") in index


def test_real_lists_and_first_view_are_light(real: Publication) -> None:
    for folder in ("tempat", "instansi", "bulan", "penyedia", "perubahan"):
        heavy = [path.name for path in (real.out / folder).glob("*.html") if path.stat().st_size >= LIST_BYTES]
        assert heavy == []


def test_five_real_villages_on_a_phone(browser: Browser, real: Publication) -> None:
    of_villages = defaultdict(list)
    for ocid, codes in real.villages.items():
        for code in codes:
            if len(code) == 13:
                of_villages[code].append(ocid)
    chosen = random.Random(7).sample(sorted(of_villages), min(5, len(of_villages)))
    assert chosen
    with _serving(real.out) as url:
        site = _Site(real.out, [], url)
        for javascript in (True, False):
            with _opened(browser, site, java_script_enabled=javascript) as (page, _):
                for code in chosen:
                    page.goto(f"{url}/tempat/index.html")
                    district = code.rpartition(".")[0]
                    while not page.locator(f'a[href="{district}.html"]').count():
                        page.get_by_role("link", name=re.compile("Berikutnya|berikutnya")).first.click()
                    page.locator(f'a[href="{district}.html"]').first.click()
                    page.locator(f'a[href="{code}.html"]').first.click()
                    page.locator(f'a[href="../proses/{of_villages[code][0]}.html"]').first.click()
                    expect(page.locator("section h2 .step")).to_have_count(5)
                    for name in STAGES:
                        expect(page.get_by_role("heading", level=2, name=name)).to_be_visible()
                    _no_wider_than_the_screen(page)
        with _opened(browser, site, viewport=PHONE) as (page, asked):
            page.goto(f"{url}/index.html")
            page.wait_for_load_state("networkidle")
            assert _weight(site, asked) < FIRST_VIEW
            page.get_by_role("searchbox").fill("rehabilitasi jalan")
            page.get_by_role("button", name="Cari").click()
            expect(page.get_by_role("status")).to_have_text(re.compile("cocok"))
            assert _weight(site, asked) < FIRST_SEARCH
