"""Airflow from the operator's chair: Chromium on the real UI, on an Airflow opened as `make airflow` opens it.

The tests go on from one another, in the order of the file. With JEJAK_TEST_SCREENSHOTS=docs/screenshots they leave the
pictures of the manual there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from sqlalchemy import select

from deploy.local.parts import Api, within
from pipeline.registry import SOURCES
from simulator.server import Simulator, running
from simulator.world import LKPP, World
from tests.e2e.conftest import ROOT, Open
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading

pytestmark = pytest.mark.e2e

YEARLY = "sync_fiscal_year"
# The open year is the last one: a year's run is due on its second day.
LAST = (datetime.now(UTC) - timedelta(days=3)).year
YEARS = [LAST - 2, LAST - 1, LAST]
CHOSEN = {
    "sirup": ["RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia"],
    "lpse": ["SPSE-TenderPengumuman", "SPSE-NonTenderPengumuman"],
}
READ = {*(service for services in CHOSEN.values() for service in services), "Musrenbang-Usulan"}
# The simple auth manager's, of three of its roles.
USERS = "admin:admin,petugas:user,tamu:viewer"
SECONDS = 900  # for what Airflow does, and
PATIENCE = 120_000  # milliseconds for what a page shows; the machine may be busy
# Chromium calls its maker at every start, unless told not to.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """The operator's: an open Airflow, the simulator it reads, its settings file and its warehouse."""

    api: Api
    simulator: Simulator
    settings: Path
    warehouse: str
    home: Path
    environment: dict[str, str]

    def runs(self, dag: str = YEARLY) -> list[dict[str, Any]]:
        """The DAG's runs by logical date."""
        found = self.api.call("GET", f"dags/{dag}/dagRuns?order_by=run_after")["dag_runs"]
        return list(found)

    def states(self) -> dict[int, str]:
        """Fiscal year, by the local date of the run -> state."""
        return {_year(run): run["state"] for run in self.runs()}

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        for _ in within(SECONDS, what):
            if ready():
                return

    def rest(self) -> None:
        """Wait until every backfill is over: only then may there be another."""
        path = f"backfills?dag_id={YEARLY}"
        self.wait_for(
            lambda: all(each["completed_at"] for each in self.api.call("GET", path)["backfills"]), "The backfill"
        )

    def query(self, query: Any) -> list[Any]:
        engine = open_warehouse(self.warehouse)
        with reading(engine) as conn:
            rows = list(conn.execute(query).all())
        engine.dispose()
        return rows


def _year(run: dict[str, Any]) -> int:
    return (datetime.fromisoformat(run["logical_date"]) + timedelta(hours=7)).year


@pytest.fixture(scope="module")
def desk(opened: Open, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Airflow on a small regency of three years, of which few services are read."""
    folder = tmp_path_factory.mktemp("desk")
    simda = f"sqlite:///{folder}/simda.db"
    world = World(30, seed=5, year=LAST, years=len(YEARS), today=datetime.now(UTC).date())
    with running(world, simda_url=simda) as simulator:
        settings = folder / "jejak.toml"
        settings.write_text(_settings(simulator.url, simda))
        with opened(
            "ui", folder, JEJAK_SETTINGS=str(settings), AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=USERS
        ) as airflow:
            airflow.api.call("PATCH", "dags/build_records", json={"is_paused": False})
            yield Desk(
                airflow.api, simulator, settings, f"sqlite:///{folder}/jejak.db", airflow.home, airflow.environment
            )


def _settings(url: str, simda: str) -> str:
    """A settings file of all sources, most of whose services are switched off."""
    lines = ['name = "Contoh"', 'ocid_prefix = "ocds-000000"', 'kd_klpd = "D999"', 'kd_lpse = "999"']
    for name, source in SOURCES.items():
        lines += ["", f"[sources.{name}]"]
        if LKPP.keys() & source.services:
            lines += ['transport = "isb"', f'url = "{url}/isb-2"', 'api_key = "simulator"', 'service_no = "0"']
        elif name == "simda":
            lines += ['transport = "sql"', f'database = "{simda}"']
        else:
            lines += ['transport = "rest"', f'url = "{url}/{name}/api"']
        lines += [f'services."{service}".enabled = false' for service in source.services if service not in READ]
    return "\n".join([*lines, ""])


# ------------------------------------------------------------------------------------------------------- in the browser


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """A browser that asks nobody but this machine, in an operator's time zone and in English."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        if not Path(chromium).exists():
            pytest.fail(
                "These tests need Chromium. On Debian: apt-get install chromium; "
                "elsewhere: python -m playwright install chromium"
            )
        browser: Browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        context.set_default_timeout(PATIENCE)
        yield context
        browser.close()


@pytest.fixture(scope="module")
def asked(context: BrowserContext) -> set[str]:
    """The hosts that the pages have asked for something."""
    hosts: set[str] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url.removeprefix("blob:")).hostname or ""))
    return hosts


@pytest.fixture(scope="module")
def page(context: BrowserContext, asked: set[str], desk: Desk) -> Page:
    """A page of Airflow, logged in."""
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    page.goto(desk.api.url)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(desk.api.password)
    page.get_by_role("button", name=re.compile("sign in|log in", re.IGNORECASE)).click()
    page.wait_for_url(f"{desk.api.url}/")
    return page


def picture(page: Page, name: str, height: int = 800) -> None:
    """Keep what is shown, where pictures are asked for."""
    if folder := os.environ.get("JEJAK_TEST_SCREENSHOTS"):
        page.set_viewport_size({"width": 1280, "height": height})
        page.wait_for_timeout(1000)  # until nothing slides or spins any more
        page.screenshot(path=Path(folder) / f"{name}.png")
        page.set_viewport_size({"width": 1280, "height": 800})


def form(page: Page, desk: Desk, dag: str) -> Locator:
    """The dialog that the button Trigger of a DAG opens."""
    page.goto(f"{desk.api.url}/dags/{dag}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog").filter(has=page.get_by_role("heading"))  # pickers are dialogs, too
    expect(dialog.get_by_role("heading", name=dag)).to_be_visible()
    return dialog


def backfill_form(page: Page, desk: Desk, first: int, last: int) -> Locator:
    """The form Backfill with a range of years."""
    dialog = form(page, desk, YEARLY)
    dialog.get_by_text("Backfill", exact=True).click()
    for name, day in (("From", f"{first}/01/01"), ("To", f"{last}/12/31")):
        # A group that opens a picker with a text field of the same name.
        dialog.get_by_role("group").filter(has_text=re.compile(f"^{name}")).click()
        page.get_by_role("textbox", name=name).fill(day)
        page.keyboard.press("Escape")
    return dialog


def choose(page: Page, dialog: Locator, sources: set[str]) -> None:
    """Leave only these among the sources of the form, and have them sent: without the tick parameters are not."""
    dialog.get_by_text("Override parameters on existing runs", exact=True).click()
    box = dialog.get_by_role("group").filter(has_text=re.compile("^Sources"))
    for source in set(SOURCES) - sources:
        box.get_by_label(f"Remove {source}", exact=True).click()


def submit(dialog: Locator) -> None:
    """Send the form Backfill."""
    dialog.get_by_role("button", name="Run Backfill").click()
    expect(dialog).to_be_hidden()


# ------------------------------------------------------------------------------------------------------------ the tests


def test_the_sync_dags_are_listed(page: Page) -> None:
    page.get_by_role("link", name="Dags").first.click()
    for dag in [*(f"sync_{source}" for source in SOURCES), YEARLY]:
        expect(page.get_by_role("link", name=dag, exact=True)).to_be_visible()
    page.get_by_role("button", name="Show table view").click()
    picture(page, "dags")


def test_a_backfill_gives_one_run_for_each_year(page: Page, desk: Desk) -> None:
    dialog = backfill_form(page, desk, YEARS[0], YEARS[-1])
    expect(dialog.get_by_text("3 runs will be triggered.")).to_be_visible()
    choose(page, dialog, set(CHOSEN))
    picture(page, "backfill", height=1120)
    submit(dialog)
    # Nothing is started beside them, though the form has switched the DAG on.
    desk.wait_for(lambda: desk.states() == dict.fromkeys(YEARS, "success"), "The backfill of three years")
    assert [_year(run) for run in desk.runs()] == YEARS
    page.goto(f"{desk.api.url}/dags/{YEARLY}/runs")
    expect(page.get_by_role("heading", name="3 Dag Runs")).to_be_visible()
    for year in YEARS:
        expect(
            page.get_by_role("row", name=re.compile(f"^backfill__{year}-.* Success Backfill admin "))
        ).to_be_visible()
    picture(page, "runs")


def test_the_years_are_in_the_warehouse(desk: Desk) -> None:
    read = desk.query(
        select(t.run_service.c.source, t.run_service.c.service, t.run_service.c.scope, t.run_service.c.fetched)
    )
    assert {tuple(row) for row in read} == {
        (source, service, str(year), len(desk.simulator.world.rows(service, year)))
        for source, services in CHOSEN.items()
        for service in services
        for year in YEARS
    }
    years = select(t.contracting_process.c.fiscal_year).distinct()
    desk.wait_for(lambda: {row.fiscal_year for row in desk.query(years)} == set(YEARS), "The records of three years")


def test_counts_are_seen_without_a_log(page: Page, desk: Desk) -> None:
    rows = {service: len(desk.simulator.world.rows(service, LAST)) for service in CHOSEN["lpse"]}
    run = f"{desk.api.url}/dags/{YEARLY}/runs/{desk.runs()[-1]['dag_run_id']}"
    page.goto(f"{run}/tasks/lpse.sync/mapped")
    for service, number in rows.items():
        expect(page.get_by_role("link", name=f"{service} {LAST}: {number} fetched, {number} new")).to_be_visible()
    picture(page, "counts")
    page.goto(f"{run}/tasks/lpse.report/xcom")
    page.get_by_role("button", name="Expand all extra JSON").last.click()
    expect(page.get_by_role("row", name="return_value")).to_contain_text(f'"fetched": {sum(rows.values())},')
    picture(page, "sums")


def test_missing_runs_are_no_more(page: Page, desk: Desk) -> None:
    dialog = backfill_form(page, desk, YEARS[0], YEARS[-1])
    expect(dialog.get_by_text("No runs matching selected criteria.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Run Backfill")).to_be_disabled()


def test_years_are_read_again_as_the_form_says(page: Page, desk: Desk) -> None:
    def begun() -> dict[int, str]:
        return {_year(run): run["start_date"] for run in desk.runs()}

    first = begun()
    desk.rest()
    good = desk.settings.read_text()
    whole = {"from_date": f"{YEARS[1]}-01-01T00:00:00Z", "to_date": f"{LAST}-12-31T00:00:00Z"}
    again = {"dag_id": YEARLY, "reprocess_behavior": "completed", "dag_run_conf": {"sources": [*CHOSEN]}}
    red = {YEARS[0]: "success", YEARS[1]: "failed", LAST: "failed"}
    desk.settings.write_text(good.replace("kd_klpd", "kd_klpdd"))
    try:
        desk.api.call("POST", "backfills", json=again | whole)
        desk.wait_for(lambda: desk.states() == red, "All runs of two years, with broken settings")
    finally:
        desk.settings.write_text(good)
    second = begun()
    assert [year for year in YEARS if second[year] != first[year]] == YEARS[1:]
    desk.rest()

    dialog = backfill_form(page, desk, YEARS[0], YEARS[-1])
    dialog.get_by_text("Missing and Errored Runs").click()
    expect(dialog.get_by_text("2 runs will be triggered.")).to_be_visible()
    choose(page, dialog, set(CHOSEN))
    submit(dialog)
    desk.wait_for(lambda: desk.states() == dict.fromkeys(YEARS, "success"), "The errored runs")
    third = begun()
    assert [year for year in YEARS if third[year] != second[year]] == YEARS[1:]
    # No other source was read, and no run has come to be.
    assert {row.source for row in desk.query(select(t.run_service.c.source))} == set(CHOSEN)
    assert len(desk.runs()) == len(YEARS)
    page.goto(f"{desk.api.url}/dags/{YEARLY}")
    page.get_by_role("button", name="Collapse Details Panel").click()
    page.get_by_role("button", name="Expand all", exact=False).first.click()
    picture(page, "grid")


def test_a_form_refuses_what_it_cannot_use(page: Page, desk: Desk) -> None:
    dialog = form(page, desk, "rebuild_records")
    dialog.get_by_role("group").filter(has_text=re.compile("^OCIDs")).get_by_role("textbox").fill("rup-90000001")
    dialog.get_by_role("button", name="Trigger").click()
    expect(dialog.get_by_text("Invalid input for param ocids: 'rup-90000001' does not match")).to_be_visible()
    picture(page, "refused")
    assert desk.runs("rebuild_records") == []


def test_how_the_sources_are_is_seen_without_a_log(page: Page, desk: Desk) -> None:
    dialog = form(page, desk, "source_health")
    dialog.get_by_role("button", name="Trigger").click()
    expect(dialog).to_be_hidden()

    def asked() -> list[dict[str, Any]]:
        # Whoever triggers a DAG switches it on: in the hours after its time of day its own run comes as well.
        return [run for run in desk.runs("source_health") if run["run_type"] == "manual"]

    # Red: one source was never read.
    desk.wait_for(lambda: [run["state"] for run in asked()] == ["failed"], "The look at the sources")
    run = asked()[0]["dag_run_id"]
    page.goto(f"{desk.api.url}/dags/source_health/runs/{run}/tasks/check/mapped")
    for source, state in {**dict.fromkeys(CHOSEN, "ok"), "musrenbang": "(never|late)"}.items():
        expect(page.get_by_role("link", name=re.compile(f"^{source}: {state},"))).to_be_visible()
    picture(page, "health", height=960)


def test_airflow_says_who_may_look_and_who_may_decide(desk: Desk) -> None:
    kept = json.loads((desk.home / "simple_auth_manager_passwords.json.generated").read_text())
    fields = {"link": "feedbeef0000", "decision": "confirm", "seen": "x"}
    expected = {None: (401, {401}), "tamu": (200, {403}), "petugas": (200, {400, 404}), "admin": (200, {400, 404})}
    for account, (looking, deciding) in expected.items():
        session = requests.Session()
        if account:
            login = {"username": account, "password": kept[account]}
            token = session.post(f"{desk.api.url}/auth/token", json=login, timeout=60).json()["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
        for path in ("", "health", "links", "codes", "rejects", "waiting", "changes", "decisions", "find?q=jalan"):
            answer = session.get(f"{desk.api.url}/jejak/{path}", timeout=60)
            assert answer.status_code == looking, (account, path, answer.text)
        for path in ("decide", "mean", "codes.csv", "apply"):
            answer = session.post(f"{desk.api.url}/jejak/{path}", json=fields, timeout=60)
            assert answer.status_code in deciding, (account, path, answer.text)
        elsewhere = {"Origin": "https://elsewhere.example"}
        answer = session.post(f"{desk.api.url}/jejak/decide", json=fields, headers=elsewhere, timeout=60)
        assert answer.status_code == (401 if account is None else 403)


def test_the_desk_stands_in_the_menu(page: Page, desk: Desk) -> None:
    page.goto(desk.api.url)
    page.get_by_role("link", name="Meja Jejak").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Kesehatan sumber")).to_be_visible()
    frame.get_by_role("link", name="Yang berubah").click()
    frame.locator("td a code").first.click()
    expect(frame.locator(".steps")).to_be_visible()
    runs = len(desk.runs("build_records"))
    button = frame.get_by_role("button", name="Terapkan sekarang")
    # Nothing waits; the button is there all the same for what is decided next.
    frame.locator("#queued").evaluate("each => { each.hidden = false; }")
    button.click()
    expect(frame.locator("#notice")).to_contain_text("build_records")
    assert len(desk.runs("build_records")) == runs + 1


def test_the_form_counts_three_years_in_an_operators_time_zone_too(
    context: BrowserContext, desk: Desk, page: Page
) -> None:
    state = context.storage_state()
    assert context.browser
    with context.browser.new_context(timezone_id="Asia/Jakarta", locale="en-US", storage_state=state) as other:
        dialog = backfill_form(other.new_page(), desk, YEARS[0], YEARS[-1])
        dialog.get_by_text("All Runs").click()
        expect(dialog.get_by_text("3 runs will be triggered.")).to_be_visible()


def test_a_night_as_make_run_has_it(desk: Desk) -> None:
    """In the Airflow that is open; without one it opens its own."""
    night = [sys.executable, "-m", "deploy.local", "night"]
    done = subprocess.run(night, cwd=ROOT, env=desk.environment, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "One package, followed through all systems:" in done.stdout
    assert "Records: " in done.stdout
    assert [run["state"] for run in desk.runs("sync_musrenbang")][-1:] == ["success"]


def test_nobody_elsewhere_is_asked_for_anything(page: Page, asked: set[str]) -> None:
    assert asked == {"127.0.0.1"}
