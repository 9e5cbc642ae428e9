"""The desk in a real browser, as operators use it: `jejak desk` on a small town's warehouse."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select, update

from deploy.local.parts import within
from pipeline.registry import SOURCES
from tests.worlds import EditedWorld, Town, served
from warehouse import tables as t
from warehouse.engine import open_warehouse, writing

pytestmark = pytest.mark.e2e

SECONDS = 120
ROOT = Path(__file__).resolve().parent.parent.parent
ATTACK = "<script>document.title='taken'</script> & Jalan"


@dataclass(frozen=True)
class Desk:
    """An open desk and the town whose warehouse it shows."""

    url: str
    town: Town


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """`jejak desk` on a town in which every payment's contract waits for an operator."""
    folder = tmp_path_factory.mktemp("desk")
    world = EditedWorld(250, seed=3)
    world.edits["RUP-PaketPenyedia-Terumumkan"] = lambda rows: [
        rows[0] | {"metode_pengadaan": "Metode Baru", "nama_paket": ATTACK},
        *rows[1:],
    ]
    world.edits["SPSE-NonTenderSelesai"] = lambda rows: [rows[0] | {"kd_nontender": "?"}, *rows]
    with served(world, folder, f"sqlite:///{folder}/jejak.db", simda=True) as town:
        settings = town.settings(systems=tuple(SOURCES))
        path = folder / "asking.toml"
        path.write_text(settings.read_text() + "\n[links.contract-payment]\naccept = 1.0\npending = 0.05\n")
        assert town.jejak("sync", settings=path).status == 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JEJAK")}
        process = subprocess.Popen(
            [sys.executable, "-m", "commands.main", "desk", "--port", str(port), "--settings", str(path)],
            cwd=ROOT,
            env={**kept, **town.environment},
        )
        try:
            for _ in within(SECONDS, "Opening the desk"):
                try:
                    if requests.get(f"http://127.0.0.1:{port}/health", timeout=30).ok:
                        break
                except requests.ConnectionError:
                    assert process.poll() is None
            yield Desk(f"http://127.0.0.1:{port}", town)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def page(desk: Desk) -> Iterator[Page]:
    """A page of the desk in Indonesian. What the page does wrong fails the test that sees it."""
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        browser.close()
    assert not wrong


def picture(page: Page, name: str) -> None:
    """Keep what is shown, where pictures are asked for."""
    if folder := os.environ.get("JEJAK_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_the_pages_can_be_read_by_everybody(page: Page, desk: Desk) -> None:
    for path in ("health", "links", "codes", "rejects", "waiting", "changes", "decisions", "find?q=jalan"):
        page.goto(f"{desk.url}/{path}")
        found = Axe().run(page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert not serious, path


def test_twenty_links_in_a_row(page: Page, desk: Desk) -> None:
    columns = (t.link.c.status == "pending", t.link.c.rule == "contract-payment")
    assert len(desk.town.query(select(t.link).where(*columns))) >= 20
    page.goto(f"{desk.url}/links?rule=contract-payment")
    cases = page.locator("[data-case]")
    clicks = 0
    first = None
    for number in range(20):
        case = cases.nth(number)
        assert case.get_by_text("mendukung").is_visible()
        first = first or case.get_by_role("link", name="lihat jejaknya").first.get_attribute("href")
        case.get_by_role("button", name="Benar").first.click()
        clicks += 1
        expect(case.get_by_text("dibenarkan")).to_be_visible()
    assert clicks == 20
    decided = desk.town.query(select(t.decision))
    assert [(row["before"], row["after"]) for row in decided] == [("pending", "confirmed")] * 20
    # Afterwards the record that has changed.
    page.get_by_role("button", name="Terapkan sekarang").click()
    page.get_by_role("link", name="Lihat yang berubah").click()
    expect(page.get_by_role("heading", name="Yang berubah")).to_be_visible()
    assert first
    ocid = first.partition("=")[2]
    page.get_by_role("link", name=ocid).click()
    expect(page.locator(".steps")).to_contain_text("SP2D")


def test_the_keyboard_alone_decides(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/links?rule=proposal-package")
    picture(page, "desk-links")
    before = len(desk.town.query(select(t.decision)))
    page.locator("[data-case]").first.get_by_role("button", name="Bukan").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("ditolak")
    assert len(desk.town.query(select(t.decision))) == before + 1
    # The focus has moved on: the next Enter decides the next case.
    expect(page.locator("[data-case]").nth(1).locator("button:focus")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_a_link_that_changed_is_shown_as_it_is(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/links?status=confirmed&rule=contract-payment")
    case = page.locator("[data-case]").first
    name = case.locator("input[name=link]").first.get_attribute("value")
    engine = open_warehouse(desk.town.warehouse_url)
    with writing(engine) as conn:
        conn.execute(update(t.link).where(t.link.c.id == name).values(note="meanwhile"))
    engine.dispose()
    case.get_by_role("button", name="Batalkan").first.click()
    expect(page.locator("#notice")).to_contain_text("sudah berubah")
    expect(page.locator("[data-case]").first).to_contain_text("meanwhile")
    page.locator("[data-case]").first.get_by_role("button", name="Batalkan").first.click()
    expect(page.locator("#notice")).to_contain_text("dibatalkan")


def test_a_package_is_found_by_its_contracts_number(page: Page, desk: Desk) -> None:
    row = desk.town.known("SPSE-NonTenderEkontrak-2Kontrak")[0]["payload"]
    page.goto(f"{desk.url}/health")
    page.locator("#q").fill(row["no_kontrak"].lower().replace("/", " "))
    page.keyboard.press("Enter")
    code = (t.identity.c.kind == "nontender") & (t.identity.c.key == str(row["kd_nontender"]))
    ocid = desk.town.query(select(t.identity.c.ocid).where(code))[0]["ocid"]
    page.locator(".hits li", has_text=ocid).get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text(row["no_kontrak"])
    picture(page, "desk-trace")


def test_a_rejected_rows_reason_is_seen(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/health")
    page.get_by_role("link", name="Baris ditolak").click()
    reason = desk.town.query(select(t.reject.c.reason))[0]["reason"]
    assert "no code of a process" in reason
    expect(page.get_by_text("kd_nontender bukan kode proses")).to_be_visible()
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_text(reason)).to_be_visible()
    page.get_by_role("link", name="ID", exact=True).click()
    page.get_by_text("contoh:").first.click()
    expect(page.locator(".shapes").first).to_contain_text("kd_nontender")


def test_an_unknown_word_gets_its_meaning_and_loses_it(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/codes")
    case = page.locator("[data-case]", has_text="metode baru")
    case.get_by_label("artinya").select_option("selective")
    case.get_by_role("button", name="Beri arti").click()
    expect(case.get_by_text("berarti selective")).to_be_visible()
    page.get_by_role("button", name="Terapkan sekarang").click()
    expect(page.get_by_role("link", name="Lihat yang berubah")).to_be_visible()
    word = t.code_use.c.word == "metode baru"
    columns = t.contracting_process.c
    query = select(columns.method).join(t.code_use, t.code_use.c.ocid == columns.ocid).where(word)
    assert "selective" in {row["method"] for row in desk.town.query(query)}
    case.get_by_role("button", name="Batalkan artinya").click()
    expect(case.get_by_label("artinya")).to_be_visible()


def test_texts_of_sources_stay_texts(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/find?q=jalan")
    engine = open_warehouse(desk.town.warehouse_url)
    with writing(engine) as conn:
        conn.execute(update(t.contracting_process).values(title=ATTACK, office_name=ATTACK))
    engine.dispose()
    for path in ("find?q=jalan", "changes", f"find?q={ATTACK}"):
        page.goto(f"{desk.url}/{path}")
        assert page.title().startswith(("Pencarian", "Yang berubah"))
    page.goto(f"{desk.url}/find?q=jalan")
    expect(page.get_by_text("<script>").first).to_be_visible()


def test_the_other_language(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.url}/links")
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Links that wait"))).to_be_visible()
    page.goto(f"{desk.url}/health")
    expect(page.get_by_role("heading", name="Health of sources")).to_be_visible()
    page.get_by_role("link", name="ID", exact=True).click()
    expect(page.get_by_role("heading", name="Kesehatan sumber")).to_be_visible()


def test_the_quality_report_is_read_without_a_server(page: Page, desk: Desk, tmp_path: Path) -> None:
    result = desk.town.jejak("quality", "--out", tmp_path, settings=desk.town.folder / "asking.toml")
    assert result.status == 0, result.err
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "index.html").as_uri())
    charts = page.locator("svg")
    assert charts.count() >= 4
    assert all(charts.nth(number).bounding_box() for number in range(charts.count()))
    findings = page.locator("details").first
    findings.locator("summary").click()
    assert findings.locator("tbody tr").count() > 0
    expect(findings.locator("tbody tr").first).to_be_visible()
    assert {url.partition(":")[0] for url in asked} == {"file"}
    found = Axe().run(page).response["violations"]
    assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    picture(page, "quality")
