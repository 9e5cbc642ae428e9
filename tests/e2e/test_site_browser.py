"""The page for citizens in a real browser: on a phone, with and without JavaScript, in both languages."""

import os
import random
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from pipeline.configure import load_settings
from reports.publication.processes import PublishedProcess, fiscal_years, processes
from reports.site.package import summary
from reports.site.write import write_site
from tests.worlds import EditedWorld, served
from warehouse.engine import reading

pytestmark = pytest.mark.e2e

SOURCES = ("sirup", "lpse", "simda", "musrenbang", "simpen", "dokumen")
STAGES = ("Perencanaan", "Pemilihan penyedia", "Pemenang", "Kontrak", "Pelaksanaan")
PHONE = {"width": 360, "height": 740}
BELOW = "/bagian/terbuka"  # the page is served below a path, as a regency's web server may do
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
FIRST_VIEW, FIRST_SEARCH = 150_000, 400_000
EVIL = 'Jalan <script>document.title="diretas"</script> desa'
NUMBERED = "Rehabilitasi SDN Ngarecita 3 - Ngarecita RT.05/RW.01"


class _Site:
    """A written site, what it publishes, and its address while it is served."""

    def __init__(self, out: Path, published: list[PublishedProcess], url: str) -> None:
        self.out, self.published, self.url = out, published, url

    def villages(self) -> list[tuple[str, str, PublishedProcess]]:
        """Key and name of each village, with one of its packages."""
        found: dict[str, tuple[str, str, PublishedProcess]] = {}
        for each in self.published:
            for place in summary(each).places:
                if place.kind == "village":
                    found.setdefault(place.key, (place.key, place.name, each))
        return [found[key] for key in sorted(found)]


class _Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix(BELOW)) if path.startswith(BELOW) else "/nothing"

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{BELOW}"
    finally:
        server.shutdown()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[_Site]:
    folder = tmp_path_factory.mktemp("town")
    shutil.copy(sqlite_template, folder / "jejak.db")
    world = EditedWorld(150, seed=4)
    world.edits["RUP-PaketPenyedia-Terumumkan"] = lambda rows: [
        row | {"nama_paket": (EVIL, NUMBERED)[number]} if number < 2 else row for number, row in enumerate(rows)
    ]
    with served(world, folder, f"sqlite:///{folder}/jejak.db", simda=True) as town:
        everything = town.settings(systems=SOURCES)
        assert town.jejak("sync", settings=everything).status == 0
        settings = load_settings(str(everything))
        with reading(town.engine) as conn:
            published = list(processes(conn, fiscal_years(conn)))
    write_site(folder / "out", published, settings, draft=False, previous=None)
    with _serving(folder / "out") as url:
        yield _Site(folder / "out", published, url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(chromium).exists():
            pytest.fail(
                "These tests need Chromium. On Debian: apt-get install chromium; "
                "elsewhere: python -m playwright install chromium"
            )
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def _opened(browser: Browser, site: _Site, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """A page of a context of its own, by default on a phone, and the sizes of what it loads; nothing may come from
    elsewhere, and no script may fail."""
    context: BrowserContext = browser.new_context(**{"viewport": PHONE, "locale": "id-ID", **options})
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page, asked
    hosts = {urlsplit(url.removeprefix("blob:")).netloc for url in asked if not url.startswith(("data:", "file:"))}
    assert hosts <= {urlsplit(site.url).netloc}
    assert wrong == []
    context.close()


def _weight(site: _Site, asked: list[str]) -> int:
    """Bytes of the files that were asked for, each once."""
    paths = {urlsplit(url).path.removeprefix(BELOW).lstrip("/") for url in asked if url.startswith("http")}
    return sum((site.out / path).stat().st_size for path in paths if (site.out / path).is_file())


def _no_wider_than_the_screen(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def picture(page: Page, name: str) -> None:
    """Keep what is shown, where pictures are asked for."""
    if folder := os.environ.get("JEJAK_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.parametrize("javascript", [True, False])
def test_five_villages_lead_to_a_package_and_its_five_stages(browser: Browser, site: _Site, javascript: bool) -> None:
    chosen = random.Random(7).sample(site.villages(), 5)
    with _opened(browser, site, java_script_enabled=javascript) as (page, _):
        for key, village, process in chosen:
            package = summary(process)
            page.goto(f"{site.url}/index.html")
            page.get_by_role("link", name=re.compile("Desa saya")).click()
            page.locator(f'a[href="{key.rpartition(".")[0]}.html"]').click()
            page.locator(f'a[href="{key}.html"]').click()
            expect(page.get_by_role("heading", level=1)).to_contain_text(village)
            page.locator(f'a[href="../proses/{process.ocid}.html"]').first.click()
            expect(page.get_by_role("heading", level=1)).to_have_text(" ".join(package.title.split()))
            stages = page.locator("section h2 .step")
            expect(stages).to_have_count(5)
            for name, present in zip(STAGES, package.stages, strict=True):
                mark = page.get_by_role("list", name="Lima tahap paket ini").get_by_role("link", name=name)
                expect(mark).to_contain_text("ada catatan" if present else re.compile("belum ada|tidak ada tender"))
                expect(page.get_by_role("heading", level=2, name=name)).to_be_visible()
            expect(page.get_by_role("heading", name="Riwayat: apa yang berubah, kapan")).to_be_visible()
            if not javascript:
                expect(page.locator("#bahasa")).to_be_hidden()


def test_the_language_changes_and_is_remembered(browser: Browser, site: _Site) -> None:
    _, _, process = site.villages()[0]
    with _opened(browser, site) as (page, _):
        page.goto(f"{site.url}/proses/{process.ocid}.html")
        before = page.locator("main").inner_text()
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", level=2, name="Planning")).to_be_visible()
        expect(page.locator("main time").first).to_have_text(
            re.compile(r"^\d+ (January|February|March|May|June|July|Au|O|De|No|S|April)")
        )
        expect(page.locator("[data-t]:not([lang])")).to_have_count(0)
        page.goto(f"{site.url}/istilah.html")
        expect(page.get_by_role("heading", level=1)).to_have_text("Words explained")
        page.goto(f"{site.url}/proses/{process.ocid}.html")
        page.get_by_role("button", name="Bahasa Indonesia").click()
        expect(page.get_by_role("heading", level=2, name="Perencanaan")).to_be_visible()
        assert page.locator("main").inner_text() == before


def test_the_search_finds_by_name_village_office_supplier_and_code(browser: Browser, site: _Site) -> None:
    for number, process in enumerate(
        each for each in site.published if summary(each).suppliers and summary(each).places
    ):
        package = summary(process)
        number_of = next((code for code in package.codes if "/" in code), None)
        asked = [package.title, package.places[0].name, package.suppliers[0][1], package.ocid, number_of]
        with _opened(browser, site) as (page, _):
            for text in filter(None, asked):
                page.goto(f"{site.url}/cari/index.html")
                page.get_by_label("Tahun anggaran").select_option(str(process.fiscal_year))
                page.get_by_role("searchbox").fill(text)
                page.get_by_role("button", name="Cari").click()
                expect(page.get_by_role("status")).to_have_text(re.compile(r"paket cocok"))
                found = page.locator(f'#daftar a[href="../proses/{process.ocid}.html"]')
                more = page.get_by_role("button", name="Tampilkan lagi")
                while not found.count() and more.is_visible():
                    shown = page.locator("#daftar li").count()
                    more.click()
                    expect(page.locator("#daftar li").nth(shown)).to_be_visible()
                expect(found).to_have_count(1)
            found.click()
            expect(page.get_by_role("heading", level=1)).to_have_text(" ".join(package.title.split()))
        if number == 2:
            break


def test_titles_with_digits_are_found_word_by_word_and_numbers_however_their_blanks_are(
    browser: Browser, site: _Site
) -> None:
    numbers = (
        (each, code) for each in site.published for code in summary(each).codes if re.search("/ +[0-9]+ +/", code)
    )
    numbered, number = next(numbers)
    titled = next(each for each in site.published if summary(each).title == NUMBERED)
    asked = [(titled, NUMBERED), (titled, NUMBERED.upper().replace("/", " / "))]
    asked += [(numbered, text) for text in (number, number.replace(" ", ""), number.replace("/", " / "))]
    with _opened(browser, site) as (page, _):
        for process, text in asked:
            page.goto(f"{site.url}/cari/index.html")
            page.get_by_label("Tahun anggaran").select_option(str(process.fiscal_year))
            page.get_by_role("searchbox").fill(text)
            page.get_by_role("button", name="Cari").click()
            expect(page.locator(f'#daftar a[href="../proses/{process.ocid}.html"]')).to_have_count(1)
            line = page.locator(f'#daftar li:has(a[href="../proses/{process.ocid}.html"]) p')
            expect(line).to_have_text(re.compile(r" · (kontrak|realisasi tercatat|pagu) Rp [\d.,]+$"))
            family = {each.ocid for each in site.published if each.family == process.family}
            assert page.locator("#daftar li").count() <= len(family), text
        page.get_by_role("button", name="English").click()
        expect(line).to_have_text(re.compile(r" · (contract|recorded spending|budget) Rp [\d.,]+$"))


def test_a_first_view_and_a_first_search_are_light(browser: Browser, site: _Site) -> None:
    with _opened(browser, site) as (page, asked):
        page.goto(f"{site.url}/index.html")
        page.wait_for_load_state("networkidle")
        assert _weight(site, asked) < FIRST_VIEW
        page.get_by_role("searchbox").fill("jalan desa")
        page.get_by_role("button", name="Cari").click()
        expect(page.get_by_role("status")).to_have_text(re.compile("cocok"))
        assert _weight(site, asked) < FIRST_SEARCH


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_pages_are_accessible_and_no_wider_than_the_screen(browser: Browser, site: _Site, size: dict[str, int]) -> None:
    fullest = max(site.published, key=lambda each: (sum(summary(each).stages), len(str(each.state))))
    over = next(each for each in site.published if summary(each).status == "cancelled")
    key, *_ = site.villages()[0]
    paths = [
        "index.html",
        f"proses/{fullest.ocid}.html",
        f"proses/{over.ocid}.html",
        f"tempat/{key}.html",
        *(f"{name}/index.html" for name in ("tempat", "instansi", "bulan", "penyedia", "perubahan", "cari")),
        *(path.relative_to(site.out).as_posix() for path in sorted((site.out / "instansi").glob("JEJAK*.html"))[:1]),
        *(path.relative_to(site.out).as_posix() for path in sorted((site.out / "penyedia").glob("JEJAK*.html"))[:1]),
        *(f"{name}.html" for name in ("istilah", "tanya", "data", "data/index")),
    ]
    axe = Axe()
    with _opened(browser, site, viewport=size) as (page, _):
        for path in paths:
            page.goto(f"{site.url}/{path}")
            _no_wider_than_the_screen(page)
            spilling = "[...document.querySelectorAll('.figures div')].filter(box => box.scrollWidth > box.clientWidth)"
            assert page.evaluate(f"{spilling}.map(box => box.textContent)") == []
            found = axe.run(page).response["violations"]
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            assert serious == [], (path, [(each["id"], each["nodes"][0]["html"]) for each in serious])
        page.goto(f"{site.url}/{f'proses/{fullest.ocid}.html' if size == PHONE else 'index.html'}")
        picture(page, "package-phone" if size == PHONE else "site-desktop")


def test_all_can_be_done_by_keyboard(browser: Browser, site: _Site) -> None:
    with _opened(browser, site) as (page, _):
        page.goto(f"{site.url}/index.html")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Langsung ke isi")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("jalan")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text(re.compile("cocok"))


def test_it_opens_from_a_folder_without_a_server(browser: Browser, site: _Site) -> None:
    with _opened(browser, site) as (page, _):
        page.goto((site.out / "index.html").as_uri())
        expect(page.locator(".brand")).to_have_css("font-weight", "700")  # its style was read
        page.get_by_role("link", name=re.compile("Instansi Siapa")).click()
        page.locator(".directory a").first.click()
        page.locator(".packages a").first.click()
        expect(page.get_by_role("heading", level=2, name="Perencanaan")).to_be_visible()
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", level=2, name="Planning")).to_be_visible()
        page.goto((site.out / "cari" / "index.html").as_uri())
        expect(page.locator("#berkas")).to_be_visible()


def test_markup_in_a_title_is_shown_and_does_nothing(browser: Browser, site: _Site) -> None:
    process = next(each for each in site.published if "diretas" in str(each.state.get("title")))
    with _opened(browser, site) as (page, _):
        page.goto(f"{site.url}/proses/{process.ocid}.html")
        assert "diretas" not in page.title().partition("·")[2]
        expect(page.get_by_role("heading", level=1)).to_contain_text("Jalan")
        assert page.evaluate("document.title").startswith(summary(process).title[:10])


def test_a_board_is_printed_with_its_code(browser: Browser, site: _Site, tmp_path: Path) -> None:
    _, _, process = site.villages()[0]
    with _opened(browser, site) as (page, _):
        page.goto(f"{site.url}/proses/{process.ocid}.html")
        page.emulate_media(media="print")
        expect(page.locator(".top nav")).to_be_hidden()
        expect(page.locator("#history")).to_be_hidden()
        expect(page.locator(".share")).to_be_visible()
