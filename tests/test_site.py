"""The page for citizens: what it says of each package, its lists, and what it takes over from the one before."""

import hashlib
import io
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import orjson
import pytest
from markupsafe import Markup, escape
from PIL import Image
from sqlalchemy import Engine, select

from pipeline.configure import load_settings
from reports.process import why
from reports.publication.processes import PublishedProcess, fiscal_years, processes
from reports.site import photos, texts
from reports.site.asked import proposals_without_package
from reports.site.history import history
from reports.site.known import known_in
from reports.site.package import beside, entry_words, file_name, photos_of, process_words, summary, update_shown, view
from reports.site.places import Place, named_place, place_around, places_of
from reports.site.write import local, write_site
from schemas.settings import Settings
from tests.answering import Answer, answering
from tests.official import needs_reference, package_validator
from tests.worlds import Lived
from transforms.difference import difference, withdrawn
from transforms.flags.registry import FLAGS
from transforms.merge import compiled
from transforms.parties import is_firm
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing

LIST_BYTES, FIRST_BYTES = 100_000, 150_000


@dataclass(frozen=True)
class Written:
    """The pages of a town in `out`, of the processes `published`."""

    out: Path
    published: list[PublishedProcess]
    settings: Settings

    def read(self, path: str) -> str:
        return (self.out / path).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def written(lived: Lived, tmp_path_factory: pytest.TempPathFactory) -> Written:
    settings = load_settings(str(lived.town.settings()))
    with reading(lived.town.engine) as conn:
        published = list(processes(conn, fiscal_years(conn)))
        out = tmp_path_factory.mktemp("site") / "out"
        write_site(out, iter(published), settings, draft=True, previous=None, conn=conn)
    return Written(out, published, settings)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("href", "src", "action") and value]


def links_of(page: str) -> list[str]:
    parser = _Links()
    parser.feed(page)
    return parser.found


def pages_of(written: Written) -> Iterator[Path]:
    yield from sorted(written.out.rglob("*.html"))


def states(written: Written) -> dict[str, Any]:
    return {each.ocid: each.state for each in written.published}


# -------------------- texts, dates, amounts


def test_every_text_of_a_template_is_in_both_languages_and_none_is_for_nothing() -> None:
    folder = Path(str(resources.files("reports.site")))
    sources = "".join(path.read_text() for path in (*folder.glob("*.py"), *folder.glob("templates/*")))
    words = texts.messages()
    named = set(re.findall(r"""(?:\bt|plain|label)\('([a-z0-9_.]+)'[,)]""", sources))
    assert named <= words.keys()
    assert all(text.id.strip() and text.en.strip() for text in words.values())
    assert all(text.id.count("{}") == text.en.count("{}") for text in words.values())
    made = r"'(nav|stage|state|notice|door|placed|progress|system)\.'"  # keys that templates put together
    by_codes = (
        "tender|award|contract|bid|milestone|from|proposal|category|level|place|relation|document|missing|flag|file"
        "|process|order"
    )
    named_by = re.compile(f"(?:{'|'.join(set(re.findall(made, sources)))}|{by_codes})[.]")
    unused = {key for key in words if key not in sources and not named_by.match(key)}
    assert unused == set()


def test_each_red_flag_has_its_title_in_both_languages() -> None:
    titles = {key.removeprefix("flag."): text.en for key, text in texts.messages().items() if key.startswith("flag.")}
    assert titles == {flag.code: flag.title for flag in FLAGS}


def test_words_that_a_label_points_to_are_explained() -> None:
    explained = {each["term"] for each in texts.glossary()}
    assert {text.term for text in texts.messages().values() if text.term} <= explained
    assert all(each[name] for each in texts.glossary() for name in ("name", "name_en", "id", "en"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (texts.rupiah_text(1234567), "Rp 1.234.567"),
        (texts.rupiah_text(0), "Rp 0"),
        (texts.rupiah_text(-1234.5), "Rp -1.234,50"),
        (texts.day_text("2025-01-15T23:59:59+07:00"), "15 Januari 2025"),
        (texts.month_text("2025-12"), "Desember 2025"),
        (str(texts.day("2025-08-01")), '<time datetime="2025-08-01">1 Agustus 2025</time>'),
        (str(texts.rupiah(1000.0)), '<data value="1000.0" class="rp">Rp 1.000</data>'),
        (str(texts.percent(66.666)), '<data value="66.67">66,67</data>\u00a0%'),
        (str(texts.size(950)), '<data value="1">1</data>\u00a0kB'),
        (str(texts.size(12_345_678)), '<data value="12.3">12,3</data>\u00a0MB'),
        (str(texts.percent(100.0)), '<data value="100.0">100</data>\u00a0%'),
        (texts.shortened("Pembangunan jalan, desa", 22), "Pembangunan jalan…"),
    ],
)
def test_amounts_and_dates_are_written_as_indonesians_write_them(shown: str, expected: str) -> None:
    assert shown == expected


# -------------------- history


def _release(number: int, **body: Any) -> dict[str, Any]:
    date = f"2025-0{number}-01T00:00:00+07:00"
    return {"ocid": "ocds-000000-rup-1", "id": str(number), "date": date, "tag": ["tender"], **body}


def test_the_history_says_what_changed_from_what_to_what() -> None:
    contract = {"id": "7", "awardID": "7", "title": "Jalan", "value": {"amount": 100, "currency": "IDR"}}
    releases = [
        _release(1, tender={"id": "1", "status": "active", "title": "Jalan"}),
        _release(2, tender={"id": "1", "status": "complete"}, contracts=[contract]),
        _release(3, contracts=[{"id": "7", "awardID": "7", "title": None, "value": {"amount": 150}}]),
    ]
    latest, second, first = history(releases)
    found = [(each.path, each.entry, each.kind, each.before, each.after) for each in latest.changes]
    assert found == [
        ("contracts.title", "7", "removed", "Jalan", None),
        ("contracts.value.amount", "7", "changed", 100, 150),
    ]
    found = [(each.path, each.entry, each.kind, each.before, each.after) for each in second.changes]
    assert found == [
        ("tender.status", None, "changed", "active", "complete"),
        ("contracts", "7", "added", None, contract),
    ]
    assert (first.id, first.changes) == ("1", [])


def test_an_entry_that_is_taken_back_is_told_once_in_its_own_words() -> None:
    paid = {"id": "a", "number": "0031/SP2D/2025", "type": "SP2D", "value": {"amount": 7, "currency": "IDR"}}
    paid |= {"payee": {"id": "x", "name": "CV Maju"}}
    nothing = {"id": "a", "number": None, "type": None, "value": {"amount": None, "currency": None}}
    milestone = {"id": "m", "title": "PHO", "status": "scheduled"}
    carried = {"transactions": [paid], "milestones": [milestone]}
    releases = [
        _release(1, contracts=[{"id": "7", "implementation": carried}]),
        _release(2, contracts=[{"id": "7", "implementation": {"transactions": [nothing]}}]),
        _release(3, contracts=[{"id": "7", "implementation": {"milestones": [{"id": "m", "status": "met"}]}}]),
    ]
    [met, removed, _] = history(releases)
    path = "contracts.implementation.transactions"
    assert [(each.path, each.kind, each.before) for each in removed.changes] == [(path, "removed", paid)]
    [line] = update_shown(removed)["lines"]
    assert (line["label"], line["after"]) == ("fact.payment", [])
    assert "0031/SP2D/2025" in line["before"][0]
    # Back again, it is one line too; what only takes part in it is no news.
    again = [_release(4, contracts=[{"id": "7", "implementation": {"transactions": [paid]}}])]
    [back, *_] = history([*releases, *again])
    assert [(each.path, each.kind, each.after) for each in back.changes] == [(path, "added", paid)]
    [line] = update_shown(met)["lines"]
    assert [re.sub("<[^>]+>", "", each) for each in (*line["before"], *line["after"])] == ["Dijadwalkan", "Tercapai"]


@pytest.mark.parametrize(("value", "shown"), [({"amount": 5_000_000}, "5.000.000"), (40, "Jalan"), (None, "Jalan")])
def test_a_new_entry_is_told_with_its_amount(value: object, shown: str) -> None:
    """The value of a statistic is a mere number."""
    words = entry_words("contracts", {"id": "7", "title": "Jalan", "value": value})
    assert shown in re.sub("<[^>]+>", "", words)
    assert ("Rp" in words) == isinstance(value, dict)


def _metric(measures: dict[int, float]) -> list[dict[str, Any]]:
    """A list of one metric, with its measures by their days."""
    observations = [
        {"id": str(day), "measure": measure, "period": {"endDate": f"2025-05-{day}T23:59:59+07:00"}}
        for day, measure in measures.items()
    ]
    return [{"id": "1-fisik", "title": "Realisasi fisik", "observations": observations}]


def _reached(measures: dict[int, float]) -> dict[str, Any]:
    return {"implementation": {"metrics": _metric(measures)}}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (
            {"contracts": [_reached({13: 30})]},
            {"contracts": [{**_reached({20: 74.58}), "agreedMetrics": _metric({20: 77.78})}]},
            "fact.progress added Realisasi fisik 20 Mei 2025: rencana 77,78\u00a0%, nyata 74,58\u00a0%",
        ),
        (
            {"contracts": [_reached({20: 30})]},
            {"contracts": [_reached({20: 40})]},
            "fact.progress changed Realisasi fisik 20 Mei 2025: nyata 30\u00a0% > "
            "Realisasi fisik 20 Mei 2025: nyata 40\u00a0%",
        ),
        (
            {"contracts": [{"title": "Jalan"}]},
            {"contracts": [_reached({day: day for day in (11, 25, 18)})]},
            "fact.progress added Realisasi fisik 25 Mei 2025: nyata 25\u00a0% (terbaru dari 3 laporan)",
        ),
        (
            {"planning": {"proposals": [{"id": "usulan-1", "title": "Mohon jalan"}]}},
            {"planning": {"proposals": [{"id": "usulan-1", "recommendations": [{"id": "skpd", "description": "Ya"}]}]}},
            "fact.recommendation added Menurut instansi: Ya",
        ),
        (
            {},
            {"tender": {"documents": [{"id": "90002794000-notice", "documentType": "tenderNotice"}]}},
            "fact.documents added Pengumuman pengadaan",
        ),
        (
            {},
            {"tender": {"items": [{"id": "9-1", "deliveryAddress": {"locality": "Rekaan (Kab.)"}}]}},
            "fact.items added Rekaan (Kab.)",
        ),
        ({}, {"tender": {"items": [{"id": "9-1", "quantity": 5}]}}, "fact.items added 1 butir"),
        (
            {"contracts": [{"title": "Jalan", "period": {"durationInDays": 30}}]},
            {"contracts": [{"period": {"durationInDays": None}}]},
            "fact.period removed 30 hari",
        ),
        (
            {"contracts": [{"title": "Jalan"}]},
            {
                "contracts": [
                    {"implementation": {"documents": [{"id": "a", "title": "Laporan", "format": "application/pdf"}]}}
                ]
            },
            "fact.reports added Laporan",
        ),
        (
            {"contracts": [{"value": {"amount": 133}}]},
            {"contracts": [{"initialValue": {"amount": 133}}]},
            "",
        ),
        (
            {"tender": {"procuringEntity": {"id": "1", "name": "UPTD X"}}},
            {"tender": {"procuringEntity": {"id": "2", "name": "BADAN Y"}}},
            "fact.procuring_entity changed UPTD X > BADAN Y",
        ),
        (
            {"awards": [{"id": "ecat-002S54RY-9", "statusDetails": "ON_PROCESS"}]},
            {"awards": [{"id": "ecat-002S54RY-9", "statusDetails": "PAYMENT_OUTSIDE_SYSTEM"}]},
            "fact.award_status changed Sedang diproses > Dibayar di luar sistem",
        ),
        (
            {"awards": [{"id": "9", "number": "027/SPPBJ", "statusDetails": "Lama"}]},
            {"awards": [{"id": "9", "statusDetails": "Baru"}]},
            "fact.award_status changed 027/SPPBJ: Lama > Baru",
        ),
    ],
)
def test_the_history_speaks_words_and_no_ids(before: dict[str, Any], after: dict[str, Any], found: str) -> None:
    for body in (before, after):
        for each in body.get("contracts", ()):
            each |= {"id": "7", "awardID": "7"}
    [latest, _] = history([_release(1, **before), _release(2, **after)])
    lines = []
    for line in update_shown(latest)["lines"]:
        sides = filter(None, ("; ".join(line[side]) for side in ("before", "after")))
        called = f"{line['entry']}: " if line["entry"] and line["kind"] == "changed" else ""
        lines.append(f"{line['label']} {line['kind']} {called}{' > '.join(sides)}")
    assert re.sub("<[^>]+>", "", "".join(lines)) == found


def test_what_difference_takes_back_is_one_line() -> None:
    """As the releases of a process say it that lost its payment, its progress report and a budget line."""
    metric = {
        "id": "m",
        "title": "Kemajuan",
        "observations": [{"id": "o", "dimensions": {"kind": "deviation"}, "measure": 5}],
    }
    paid = {"id": "t", "type": "SP2D", "number": "1", "payer": {"id": "p", "name": "Dinas"}, "value": {"amount": 1}}
    contract = {"id": "7", "awardID": "7", "title": "Jalan"}
    line = {"id": "b", "description": "Belanja", "sourceParty": {"id": "s", "name": "APBD"}}
    before = {
        "planning": {"budget": {"budgetBreakdown": [line]}},
        "contracts": [
            {**contract, "agreedMetrics": [metric], "implementation": {"metrics": [metric], "transactions": [paid]}}
        ],
    }
    after = {"planning": {"budget": {}}, "contracts": [contract]}
    first = _release(1, **difference({}, before))
    second = _release(2, **difference(compiled([first]), after))
    third = _release(3, **difference(compiled([first, second]), before))
    back, gone, _ = history([first, second, third])
    lists = {
        "planning.budget.budgetBreakdown",
        "contracts.agreedMetrics",
        "contracts.implementation.metrics",
        "contracts.implementation.transactions",
    }
    assert {(each.path, each.kind) for each in gone.changes} == {(path, "removed") for path in lists}
    assert {(each.path, each.kind) for each in back.changes} == {(path, "added") for path in lists}


def test_the_page_tells_every_release_of_its_process(written: Written) -> None:
    several = [each for each in written.published if len(each.releases) > 1]
    assert several
    for each in several:
        page = written.read(f"proses/{each.ocid}.html")
        found = page[page.index('class="history"') :]
        for release in each.releases:
            assert str(texts.day(release.date)) in found


# -------------------- package pages


def test_every_process_has_its_page_and_its_json(written: Written) -> None:
    files = {path.name for path in (written.out / "proses").iterdir() if 'data-t="waiting"' not in path.read_text()}
    assert files == {f"{each.ocid}.{kind}" for each in written.published for kind in ("html", "json")}
    for each in written.published:
        [record] = orjson.loads((written.out / "proses" / f"{each.ocid}.json").read_bytes())["records"]
        assert record["compiledRelease"] == each.record == compiled(record["releases"])


@needs_reference
def test_the_json_beside_a_page_is_a_valid_record_package(written: Written) -> None:
    validator = package_validator("record")
    for each in written.published[:100]:
        package = orjson.loads((written.out / "proses" / f"{each.ocid}.json").read_bytes())
        assert [str(error) for error in validator.iter_errors(package)] == []


def test_the_five_stages_say_what_is_missing(written: Written) -> None:
    for each in written.published:
        shown = view(each, summary(each))
        page = written.read(f"proses/{each.ocid}.html")
        positions = [page.index(f'<section id="{stage.name}"') for stage in shown["stages"]]
        assert positions == sorted(positions)
        if not shown["self_managed"]:
            for stage in shown["stages"]:
                assert all(f'data-t="{key}"' in page for key in stage.missing), (each.ocid, stage)
                assert stage.present or stage.missing


def test_what_was_cancelled_stays_and_says_so(written: Written) -> None:
    over = [each for each in written.published if summary(each).status in ("cancelled", "withdrawn", "unsuccessful")]
    assert {summary(each).status for each in over} >= {"cancelled", "unsuccessful"}
    for each in over:
        assert 'class="notice"' in written.read(f"proses/{each.ocid}.html")


def test_a_budget_that_stands_with_its_plans_too_says_so_and_leads_there(written: Written) -> None:
    repeated = [each for each in written.published if "'isRepeated': True" in str(each.state.get("planning"))]
    assert repeated
    for each in written.published:
        page = written.read(f"proses/{each.ocid}.html")
        sentence = re.search(r'data-t="figures.repeated">.*?</p>', page)
        assert (sentence is not None) == (each in repeated)
        if sentence:
            plans = [one for one in each.state["relatedProcesses"] if "planning" in one["relationship"]]
            assert links_of(sentence[0]) == [f"{one['identifier']}.html" for one in plans] != []


def test_self_managed_work_has_no_tender_and_where_stages_are_counted_that_is_said(written: Written) -> None:
    own = [each.ocid for each in written.published if "-swk-" in each.ocid or "-swakelola-" in each.ocid]
    assert own
    for ocid in own:
        trail = re.findall(r'<li class="(\w+)">.*?<small><span data-t="([^"]+)"', written.read(f"proses/{ocid}.html"))
        assert trail[1:3] == [("no", "trail.na")] * 2
    offices = sorted(path for path in (written.out / "instansi").glob("*.html") if path.name[0].isupper())
    assert offices
    for page in (written.out / "index.html", written.out / "data.html", *offices):
        assert 'data-t="stages.self_managed"' in page.read_text(encoding="utf-8"), page


def test_a_package_without_a_title_is_called_by_what_it_is_and_its_office(written: Written) -> None:
    each = next(each for each in written.published if "-tokodaring-" in each.ocid)
    state = {name: value for name, value in each.state.items() if name not in ("title", "planning")}
    state["tender"] = {name: value for name, value in state["tender"].items() if name != "title"}
    office = state["buyer"]["name"]
    assert summary(replace(each, state=state)).title == f"Pembelian Toko Daring, {office}"
    nameless = replace(each, ocid="ocds-213czf-rup-1", state={"ocid": "ocds-213czf-rup-1", "buyer": state["buyer"]})
    assert summary(nameless).title == f"Paket, {office}"
    assert summary(replace(each, state={"ocid": each.ocid})).title == each.ocid


def test_a_plan_that_sirup_deactivated_says_so_and_counts_in_no_sum(written: Written, tmp_path: Path) -> None:
    each = next(each for each in written.published if summary(each).planned and summary(each).status == "finished")
    for over in (False, True):
        found = replace(each, deactivated=over)
        write_site(tmp_path / str(over), [found], written.settings, draft=False, previous=None)
        package = summary(found)
        assert package.office
        office = tmp_path / str(over) / "instansi" / f"{file_name(package.office[0])}.html"
        budget = _figure(office.read_text(encoding="utf-8"), "figure.budget")
        page = (tmp_path / str(over) / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
        assert (budget, 'data-t="figures.deactivated"' in page) == (0 if over else package.planned, over)


def test_where_all_is_cancelled_the_stages_say_so(written: Written, tmp_path: Path) -> None:
    each = next(
        each for each in written.published if any(one["payments"] for one in view(each, summary(each))["contracts"])
    )
    over = {name: [one | {"status": "cancelled"} for one in each.state[name]] for name in ("awards", "contracts")}
    cancelled = replace(each, state={**each.state, **over})
    shown = view(cancelled, summary(cancelled))
    assert [stage.missing for stage in shown["stages"][2:]] == [
        ["missing.award_cancelled"],
        ["missing.contract_cancelled"],
        ["missing.contract_cancelled"],
    ]
    assert {stage.word for stage in shown["stages"][2:]} == {"trail.cancelled"}
    write_site(tmp_path, [cancelled], written.settings, draft=False, previous=None)
    page = (tmp_path / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
    assert 'data-t="contract.cancelled"' in page[page.index('<section id="implementation"') :]
    assert 'data-t="missing.payment"' not in page

    other = {name: value for name, value in each.state["contracts"][0].items() if name != "implementation"}
    beside = replace(each, state={**cancelled.state, "contracts": [*over["contracts"], other | {"id": "another"}]})
    missing = view(beside, summary(beside))["stages"][4].missing
    assert "missing.handover" in missing
    assert "missing.payment" not in missing


def _without(each: PublishedProcess, state: dict[str, Any]) -> PublishedProcess:
    """A process after a night on which its rows give another state."""
    body = _release(9, **difference(each.record, state)) | {"ocid": each.ocid, "date": "2031-01-09T00:00:00+07:00"}
    record = compiled([*(release.body for release in each.releases), body])
    releases = [*each.releases, replace(each.releases[-1], id=body["id"], date=body["date"], body=body)]
    return replace(each, record=record, withdrawn=withdrawn(record, state), state=state, releases=releases)


def test_a_withdrawn_package_keeps_its_title_office_and_figures_and_says_so(written: Written, tmp_path: Path) -> None:
    each = next(each for each in written.published if summary(each).status == "planned" and summary(each).planned)
    before = summary(each)
    assert before.office
    parties = [{"id": "JEJAK-KLPD-X", "roles": ["buyer"]}]
    gone = _without(each, {"ocid": each.ocid, "buyer": {"id": "JEJAK-KLPD-X"}, "parties": parties})
    after = summary(gone)
    assert after.status == "withdrawn"
    assert (after.title, after.planned, after.office) == (before.title, before.planned, before.office)
    write_site(tmp_path, [gone], written.settings, draft=False, previous=None)
    page = (tmp_path / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
    assert 'data-t="notice.withdrawn"' in page
    office = (tmp_path / "instansi" / f"{file_name(before.office[0])}.html").read_text(encoding="utf-8")
    assert "chip withdrawn" in office
    assert before.title in office
    assert _figure(office, "figure.budget") == 0


def test_a_withdrawn_proposal_stays_with_its_package_and_village(written: Written, tmp_path: Path) -> None:
    each = next(
        each
        for each in written.published
        if any(one.get("address") for one in (each.state.get("planning") or {}).get("proposals") or ())
    )
    planning = {name: value for name, value in each.state["planning"].items() if name != "proposals"}
    gone = _without(each, {**each.state, "planning": planning})
    write_site(tmp_path, [gone], written.settings, draft=False, previous=None)
    page = (tmp_path / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
    assert page.count('data-t="proposal.gone"') == len(each.state["planning"]["proposals"])
    for place, title, status, _ in summary(gone).proposals:
        village = (tmp_path / "tempat" / f"{file_name(place.key)}.html").read_text(encoding="utf-8")
        assert status == "withdrawn"
        assert str(escape(title)) in page
        assert str(escape(texts.shortened(title, 160))) in village
    # Where another package answers it, it is told there alone.
    other = next(one for one in written.published if one.family != each.family)
    moved = replace(other, state={**other.state, "planning": each.state["planning"]})
    write_site(tmp_path / "moved", [gone, moved], written.settings, draft=False, previous=None)
    for path in (tmp_path / "moved" / "tempat").glob("*.html"):
        assert 'data-t="proposal.withdrawn"' not in path.read_text(encoding="utf-8")


def test_payments_are_added_up_within_their_kind_alone(written: Written) -> None:
    paid = [each for each in written.published if "transactions" in str(each.state.get("contracts"))]
    assert paid
    for each in paid:
        contracts = each.state["contracts"]
        for contract, shown in zip(contracts, view(each, summary(each))["contracts"], strict=True):
            transactions = (contract.get("implementation") or {}).get("transactions") or []
            for kind, entries, total in shown["payments"]:
                own = [one["value"]["amount"] for one in transactions if one.get("type") == kind]
                assert (len(entries), total) == (len(own), sum(own))
            assert sum(len(entries) for _, entries, _ in shown["payments"]) == len(transactions)


def test_what_was_only_recorded_is_no_contract_value(written: Written) -> None:
    """Its amount is what was spent: it has a label and sums of its own."""
    recorded = [each for each in written.published if summary(each).recorded is not None]
    assert recorded
    for each in recorded:
        package = summary(each)
        page = written.read(f"proses/{each.ocid}.html")
        labels = [
            fact.label
            for contract in view(each, package)["contracts"]
            if contract["contract"]["id"].startswith(("pencatatan-", "swakelola-"))
            for fact in contract["facts"]
            if fact.path[-2:] == ("value", "amount")
        ]
        assert set(labels) == {"fact.recorded"}
        assert ("fact.contract_value" in page) == (package.contracted is not None)
    home = written.read("index.html")
    sums = {
        "figure.contracts": sum(summary(each).contracted or 0 for each in written.published),
        "figure.recorded": sum(summary(each).recorded or 0 for each in written.published),
    }
    for key, total in sums.items():
        assert _figure(home, key) == int(total) > 0
    value, more = ({"amount": amount, "currency": "IDR"} for amount in (100, 150))
    contracts = [{"id": "swakelola-1", "awardID": "1"}, {"id": "1-kontrak-2", "awardID": "2"}]
    first, second = ([{**each, "value": amount} for each in contracts] for amount in (value, more))
    [latest, _] = history([_release(1, contracts=first), _release(2, contracts=second)])
    assert [line["label"] for line in update_shown(latest)["lines"]] == ["fact.recorded", "fact.contract_value"]


def test_markup_in_a_title_stays_text(written: Written, tmp_path: Path) -> None:
    each = written.published[0]
    title = 'Jalan <script>alert("x")</script> & \'"jembatan'
    bodies = [replace(release, body={**release.body, "title": title}) for release in each.releases]
    evil = replace(each, state={**each.state, "title": title}, record={**each.record, "title": title}, releases=bodies)
    write_site(tmp_path, [evil], written.settings, draft=False, previous=None)
    for path in tmp_path.rglob("*"):
        if path.suffix in (".html", ".atom"):
            content = path.read_text(encoding="utf-8")
            assert "<script>alert" not in content
            if path.suffix == ".atom":
                ElementTree.fromstring(content)
    page = (tmp_path / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert orjson.loads(data[1])["name"] == title


def test_a_related_package_is_named_by_what_it_is() -> None:
    assert process_words("ocds-213czf-rup-90000931") == texts.t("process.rup", "90000931")
    assert process_words("ocds-213czf-simda-1") == "ocds-213czf-simda-1"


def test_a_related_package_without_a_record_says_so(written: Written) -> None:
    related = {one["identifier"] for each in written.published for one in each.state.get("relatedProcesses") or ()}
    waiting = related - {each.ocid for each in written.published}
    assert waiting
    for ocid in waiting:
        assert 'data-t="waiting.text"' in written.read(f"proses/{ocid}.html")


# -------------------- lists


def test_every_link_leads_somewhere_within_the_page(written: Written) -> None:
    for path in pages_of(written):
        for link in links_of(path.read_text(encoding="utf-8")):
            if link.startswith(("http", "#", "data:")):
                continue
            target = (path.parent / unquote(link.partition("#")[0])).resolve()
            # The publication describes itself beside the pages.
            described = target.parent == written.out.resolve() and target.suffix in (".json", ".jsonld")
            assert target.is_file() or described, (path.name, link)
            assert not link.startswith("/")


def test_lists_and_first_view_are_light(written: Written) -> None:
    for path in pages_of(written):
        assert path.stat().st_size < LIST_BYTES, path
    first = [written.out / name for name in ("index.html", "aset/site.css", "aset/site.js", "aset/jejak.svg")]
    assert sum(path.stat().st_size for path in first) < FIRST_BYTES


def _listed(written: Written, folder: str) -> dict[str, list[str]]:
    """Of each package the lists of a folder that name it, page numbers left out."""
    found: dict[str, list[str]] = {}
    for path in (written.out / folder).glob("*.html"):
        content = path.read_text(encoding="utf-8")
        if 'class="packages"' in content:
            content = content[content.rindex('<ul class="packages"') :]
            for link in links_of(content):
                if link.startswith("../proses/"):
                    found.setdefault(link.removeprefix("../proses/").removesuffix(".html"), []).append(path.stem)
    return found


def test_every_package_stands_on_its_office_month_place_and_suppliers(written: Written) -> None:
    offices, months, places, suppliers = (
        _listed(written, name) for name in ("instansi", "bulan", "tempat", "penyedia")
    )
    assert any(places_of(each.state) for each in written.published)
    for each in written.published:
        package = summary(each)
        office = package.office[0] if package.office else "tidak-disebut"
        assert [name.startswith(office) for name in offices[each.ocid]] == [True]
        assert len(months[each.ocid]) == 1
        assert len(places[each.ocid]) == (len(package.places) or 1)
        assert len(suppliers.get(each.ocid, [])) == len(package.suppliers)


def test_suppliers_count_the_awards_that_stand(written: Written, tmp_path: Path) -> None:
    """A pending one is listed; one of several firms counts without a value."""
    each = next(each for each in written.published if summary(each).status == "awarded" and summary(each).suppliers)
    firm, name, _, stands = summary(each).suppliers[0]
    assert stands
    value = {"amount": 100, "currency": "IDR"}
    awards = [
        {"id": str(number), "status": status, "value": value, "suppliers": [{"id": firm, "name": name}, *others]}
        for number, (status, others) in enumerate(
            [("active", []), ("pending", []), ("active", [{"id": "JEJAK-PENYEDIA-2", "name": "CV Lain"}])]
        )
    ]
    found = [
        replace(each, ocid=f"{each.ocid}-{number}", state={**each.state, "awards": [award]})
        for number, award in enumerate(awards)
    ]
    assert [summary(one).status for one in found] == ["awarded", "pending", "awarded"]
    write_site(tmp_path, found, written.settings, draft=True, previous=None)
    page = (tmp_path / "penyedia" / f"{firm}.html").read_text(encoding="utf-8")
    assert (_figure(page, "figure.won"), _figure(page, "figure.awarded")) == (2, 100)
    assert all(f"/{one.ocid}.html" in page for one in found)
    assert 'data-t="state.pending"' in page


def test_a_long_list_is_divided(written: Written, tmp_path: Path) -> None:
    each = written.published[0]
    many = [replace(each, ocid=f"{each.ocid}-{number}") for number in range(400)]
    write_site(tmp_path, many, written.settings, draft=True, previous=None)
    [office] = {summary(one).office for one in many}
    assert office is not None
    pages = sorted((tmp_path / "instansi").glob(f"{office[0]}*.html"))
    assert len(pages) > 1
    assert all(path.stat().st_size < LIST_BYTES for path in pages)
    named = [link for path in pages for link in links_of(path.read_text(encoding="utf-8")) if "/proses/" in link]
    assert len(set(named)) == 400


def test_proposals_without_a_package_stand_on_their_villages(written: Written, lived: Lived) -> None:
    with reading(lived.town.engine) as conn:
        alone = proposals_without_package(conn)
    assert alone
    for each in alone:
        place = named_place(each.village, each.district)
        assert place is not None
        page = written.read(f"tempat/{place.key}.html")
        assert str(escape(texts.shortened(each.title, 160))) in page
        assert 'data-t="place.proposals.none"' in page


def _figure(page: str, key: str) -> int:
    shown = re.search(rf'data-t="{re.escape(key)}">.*?<dd><data value="([\d.]+)"', page)
    assert shown is not None
    return int(float(shown[1]))


def test_a_district_counts_the_proposals_of_its_villages_and_lists_them_while_they_are_few(
    written: Written, lived: Lived, tmp_path: Path
) -> None:
    districts = 0
    for path in sorted((written.out / "tempat").glob("*.html")):
        page = path.read_text(encoding="utf-8")
        if 'data-t="place.below"' not in page:
            continue
        below = re.findall(
            r'<li><a href="([^"/]+)">[^\n]*?<small><data value="(\d+)">[^\n]*?<data value="(\d+)">',
            page[(start := page.index('data-t="place.below"')) : page.index("</ul>", start)],
        )
        assert below
        for file, packages, asked in below:
            village = written.read(f"tempat/{file}")
            assert _figure(village, "figure.packages") == int(packages)
            assert _figure(village, "figure.proposals") == int(asked) == village.count('<li><span class="chip')
        assert _figure(page, "figure.proposals") == sum(int(asked) for *_, asked in below) > 0
        assert page.count('<li><span class="chip') == _figure(page, "figure.proposals")
        districts += 1
    assert districts
    # Where they are many, they stand on their villages' pages alone.
    engine = _moved(lived.town.engine, tmp_path / "many.db", 1, village="Suka Reka", district="Uji Coba")
    with writing(engine) as conn:
        row = conn.execute(select(t.subject).where(t.subject.c.village == "Suka Reka")).mappings().one()
        conn.execute(t.subject.insert(), [{**row, "code": f"{row['code']}-{number}"} for number in range(400)])
    with reading(engine) as conn:
        write_site(tmp_path / "out", written.published[:1], written.settings, draft=True, previous=None, conn=conn)
    engine.dispose()
    district = (tmp_path / "out" / "tempat" / "uji-coba.html").read_text(encoding="utf-8")
    assert _figure(district, "figure.proposals") == 401
    assert row["title"] not in district
    assert not (tmp_path / "out" / "tempat" / "uji-coba-2.html").exists()
    assert (tmp_path / "out" / "tempat" / "uji-coba.suka-reka-2.html").exists()


def _moved(engine: Engine, path: Path, count: int, **where: str) -> Engine:
    """A copy of a warehouse in which as many proposals without a package are of another place."""
    shutil.copy(str(engine.url.database), path)
    copy = open_warehouse(f"sqlite:///{path}")
    with writing(copy) as conn:
        alone = {each.title for each in proposals_without_package(conn)}
        subject = t.subject.c
        rows = conn.execute(select(subject.kind, subject.code).where(subject.title.in_(alone)).limit(count)).all()
        for row in rows:
            conn.execute(t.subject.update().where(subject.kind == row.kind, subject.code == row.code).values(**where))
    return copy


def test_a_village_has_one_page_whether_its_proposals_led_to_a_package_or_not(
    written: Written, lived: Lived, tmp_path: Path
) -> None:
    each = next(each for each in written.published if (each.state.get("planning") or {}).get("proposals"))
    proposal = each.state["planning"]["proposals"][0] | {
        "address": {"locality": "Ngasem", "region": "Ngasem"},
        "location": {"gazetteer": {"scheme": "X", "identifiers": ["35.22.04.2008"]}},
    }
    planning = {**each.state["planning"], "proposals": [proposal]}
    linked = replace(each, state={**each.state, "planning": planning})
    engine = _moved(lived.town.engine, tmp_path / "moved.db", 2, village="Ngasem", district="Ngasem")
    settings = written.settings.model_copy(update={"wilayah": "35.22"})
    with reading(engine) as conn:
        alone = [one.title for one in proposals_without_package(conn) if one.village == "Ngasem"]
        write_site(tmp_path / "out", [linked], settings, draft=True, previous=None, conn=conn)
    engine.dispose()
    page = (tmp_path / "out" / "tempat" / "35.22.04.2008.html").read_text(encoding="utf-8")
    assert len(alone) == 2
    for title in (proposal["title"], *alone):
        assert str(escape(texts.shortened(title, 160))) in page
    assert not list((tmp_path / "out" / "tempat").glob("ngasem*"))


def test_figures_name_the_system_whose_row_gives_them(written: Written, lived: Lived) -> None:
    paid = next(each for each in written.published if each.services.get("SIMDA-SP2D") and each.state.get("contracts"))
    contract = paid.state["contracts"][0]
    with reading(lived.town.engine) as conn:
        found = why(conn, written.settings, paid.ocid, f"contracts/{contract['id']}/value/amount")
    source = found["rows"][0]["source"]
    page = written.read(f"proses/{paid.ocid}.html")
    beside = page[page.index('data-t="fact.contract_value"', page.index('<section id="contract"')) :]
    origin = beside[beside.index('class="origin"') :][:200]
    assert f'data-t="from.{source}"' in origin
    day = texts.day(local(paid.services[found["rows"][0]["service"]], "+07:00"))
    assert str(day) in origin


def test_payments_and_reports_name_the_system_that_gives_them(written: Written, lived: Lived) -> None:
    lists = (("transactions", "fact.payments"), ("metrics", "progress.caption"), ("documents", "fact.photos"))
    for name, heading in lists:
        each, page = next(
            (each, page)
            for each in written.published
            if _implemented(each.state, name) and heading in (page := written.read(f"proses/{each.ocid}.html"))
        )
        contract, entry = _implemented(each.state, name)[0]
        with reading(lived.town.engine) as conn:
            found = why(conn, written.settings, each.ocid, f"contracts/{contract}/implementation/{name}/{entry}")
        below = page[page.index(f'data-t="{heading}"', page.index('<section id="implementation"')) :]
        origins = re.findall(r'class="origin">.*?data-t="from\.(\w+)"', below[: below.index("<section")])
        assert found["rows"][0]["source"] in origins, name


def test_entries_of_two_systems_are_told_apart() -> None:
    state = {"bids": {"details": [{"id": "1"}, {"id": "2"}]}, "tender": {"milestones": [{"id": "a"}, {"id": "b"}]}}
    one, other = Markup("SPSE"), Markup("SIMDA")
    origin: dict[tuple[str, ...], Markup] = {("bids", "details", "1"): one, ("bids", "details", "2"): other}
    origin |= {("tender", "milestones", "a"): one, ("tender", "milestones", "b"): one}
    assert beside(state, origin) == {
        ("bids", "details", "1"): one,
        ("bids", "details", "2"): other,
        ("tender", "milestones"): one,
    }
    assert beside(state, {}) == {}


def _implemented(state: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [
        (contract["id"], entry["id"])
        for contract in state.get("contracts") or ()
        for entry in (contract.get("implementation") or {}).get(name) or ()
    ]


def test_red_flags_stay_inside_unless_a_setting_publishes_them(written: Written, lived: Lived, tmp_path: Path) -> None:
    each = written.published[0]
    shutil.copy(str(lived.town.engine.url.database), tmp_path / "flagged.db")
    engine = open_warehouse(f"sqlite:///{tmp_path}/flagged.db")
    with writing(engine) as conn:
        run = conn.execute(select(t.run.c.id)).scalars().first()
        flag = {"code": "R018", "subject_kind": "process", "subject_id": each.ocid, "ocid": each.ocid, "why": {}}
        conn.execute(t.flag.insert().values(**flag, fiscal_year=2025, computable=True, flagged=True, run_id=run))
    site = written.settings.site.model_copy(update={"red_flags": True})
    public = written.settings.model_copy(update={"site": site})
    with reading(engine) as conn:
        for name, settings in (("inside", written.settings), ("public", public)):
            write_site(tmp_path / name, [each], settings, draft=True, previous=written.out, conn=conn)
    engine.dispose()
    inside, found = ((tmp_path / name / "proses" / f"{each.ocid}.html").read_text() for name in ("inside", "public"))
    assert '<li>R018: <span data-t="flag.R018">Hanya satu penawaran masuk</span></li>' in found
    assert "R018" not in inside


def test_places_go_by_kemendagris_codes_before_words() -> None:
    coded = {"location": {"gazetteer": {"scheme": "X", "identifiers": ["35.22.01.2001"]}}, "id": "1"}
    named = {"id": "2", "address": {"locality": "Suka Reka", "region": "Angan"}, "status": "accepted"}
    refused = {**named, "id": "3", "address": {"locality": "Lain", "region": "Angan"}, "status": "rejected"}
    village, words = places_of({"tender": coded, "planning": {"proposals": [named, refused]}})
    assert (village.key, village.kind, village.above) == ("35.22.01.2001", "village", "35.22.01")
    assert words == Place("angan.suka-reka", "Suka Reka", "village", "angan")
    assert place_around(words, "Angan") == Place("angan", "Angan", "district", None)
    around = place_around(village)
    assert around is not None
    assert (around.kind, around.above) == ("district", "35.22")


def test_persons_are_named_on_their_own_package_alone(written: Written) -> None:
    persons = set()
    for each in written.published:
        forms = {
            party["id"]: (party.get("details") or {}).get("legalForm") for party in each.state.get("parties") or ()
        }
        for award in each.state.get("awards") or ():
            for supplier in award.get("suppliers") or ():
                if supplier.get("name") and not is_firm(supplier["name"], forms.get(supplier["id"])):
                    persons.add(supplier["name"])
    assert persons
    for path in pages_of(written):
        if path.parent.name != "proses":
            content = path.read_text(encoding="utf-8")
            assert not [name for name in persons if name in content], path


def test_feeds_are_well_formed_and_newest_first(written: Written) -> None:
    feeds = sorted((written.out / "umpan").glob("*.atom"))
    assert {path.stem.partition("-")[0] for path in feeds} == {"semua", "instansi", "tempat"}
    for path in feeds:
        atom = "{http://www.w3.org/2005/Atom}"
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        dates = [str(entry.findtext(f"{atom}updated")) for entry in root.iter(f"{atom}entry")]
        assert dates == sorted(dates, reverse=True)
        assert root.findtext(f"{atom}updated") == (dates[0] if dates else "1970-01-01T00:00:00Z")
        page = str(root.findall(f"{atom}link")[0].get("href"))
        assert (path.parent / unquote(page)).is_file()
        assert path.stem != "semua" or page == "../perubahan/index.html"


def test_a_week_of_changes_goes_by_when_releases_were_made(written: Written, tmp_path: Path) -> None:
    """One that is published now is new, whatever day it tells of; the feed of all holds the whole week."""
    each = written.published[0]
    moments = [("now", "2026-01-20T17:30:00Z"), ("old", "2026-01-14T16:30:00Z"), ("week", "2026-01-14T17:30:00Z")]
    found = [
        replace(
            each,
            ocid=f"{each.ocid}-{name}",
            releases=[replace(release, date="2024-05-01T00:00:00+07:00", made_at=at) for release in each.releases],
        )
        for name, at in [*moments, *((f"now-{number}", "2026-01-20T17:30:00Z") for number in range(600))]
    ]
    for name, those in (("few", found[:100]), ("many", found)):
        write_site(tmp_path / name, those, written.settings, draft=True, previous=None)
    week = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "few" / "perubahan").iterdir())
    assert [f"{each.ocid}-{name}.html" in week for name in ("now", "old", "week")] == [True, False, True]
    assert '<time datetime="2026-01-15">' in week
    assert '<time datetime="2026-01-21">' in week
    feeds = [(tmp_path / name / "umpan" / "semua.atom").read_text(encoding="utf-8") for name in ("few", "many")]
    assert [feed.count("<entry>") for feed in feeds] == [99, 500]


# -------------------- publication


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_site(tmp_path / name, written.published, written.settings, draft=True, previous=None)
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_pages_that_stay_the_same_are_taken_over_with_their_time(written: Written, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_site(first, written.published, written.settings, draft=True, previous=None)
    for path in first.rglob("*.*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    changed, *others = written.published
    news = replace(changed, digest="another", state={**changed.state, "title": "Judul baru"})
    counts = write_site(second, [news, *others], written.settings, draft=True, previous=first)
    assert counts == {"written": 1, "kept": len(others)}
    for each in others:
        for kind in ("html", "json"):
            assert (second / "proses" / f"{each.ocid}.{kind}").stat().st_mtime == 1_000_000_000
    assert (second / "proses" / f"{changed.ocid}.html").stat().st_mtime > 1_000_000_000
    write_site(tmp_path / "alone", [news, *others], written.settings, draft=True, previous=None)
    assert _files(second) == _files(tmp_path / "alone")


def test_a_draft_says_so_on_every_page(written: Written, tmp_path: Path) -> None:
    for path in pages_of(written):
        assert 'class="draft"' in path.read_text(encoding="utf-8")
    write_site(tmp_path, written.published[:3], written.settings, draft=False, previous=written.out)
    assert not [path for path in tmp_path.rglob("*.html") if 'class="draft"' in path.read_text(encoding="utf-8")]


# -------------------- photos


def _photo(side: int) -> bytes:
    picture = Image.effect_noise((side, side), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x013B] = "Juru Foto Rekaan"  # Artist
    exif[0x0112] = 6  # to be turned
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("side", [50, 900, 2500])
def test_a_copied_photo_is_small_and_says_nothing_of_its_maker(side: int) -> None:
    copy = photos.small(_photo(side))
    assert copy is not None
    assert len(copy) <= photos.MOST_BYTES
    assert b"Juru Foto" not in copy
    with Image.open(io.BytesIO(copy)) as picture:
        assert not picture.getexif()


@pytest.mark.parametrize("content", [b"", b"<html>login</html>", _photo(50)[:400]], ids=["empty", "page", "cut"])
def test_what_is_no_picture_is_not_copied(content: bytes) -> None:
    assert photos.small(content) is None


@pytest.mark.parametrize(("status", "final"), [(404, True), (410, True), (429, False), (401, False), (503, False)])
def test_a_photo_that_may_come_later_is_told_from_one_that_will_not(status: int, final: bool) -> None:
    with answering(Answer(b"", status=status)) as server:
        assert photos.fetched(f"{server.url}/a.jpg") == (b"" if final else None)


def test_a_photo_that_breaks_off_is_tried_again() -> None:
    with answering(Answer(_photo(50), promised=100_000)) as server:
        assert photos.fetched(f"{server.url}/a.jpg") is None


def test_photos_are_copied_where_a_setting_asks_for_it(written: Written, tmp_path: Path) -> None:
    each = next(each for each in written.published if len(photos_of(each.state)) > 1)
    there, gone = photos_of(each.state)[:2]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.jpg").write_bytes(_photo(600))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "source"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        url = f"http://127.0.0.1:{port}"
        text = orjson.dumps(each.state).decode().replace(there, f"{url}/a.jpg").replace(gone, f"{url}/b.jpg")
        moved = replace(each, state=orjson.loads(text))
        site = written.settings.site.model_copy(update={"photos": "copy"})
        settings = written.settings.model_copy(update={"site": site})
        write_site(tmp_path / "first", [moved], settings, draft=True, previous=None)
        server.shutdown()
    [copy] = (tmp_path / "first" / "foto").iterdir()
    page = (tmp_path / "first" / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8")
    assert f'href="../foto/{copy.name}"' in page
    assert f'href="{url}/b.jpg"' in page
    # Without the source the copy stays, and the other one is wanted for the next time.
    second = tmp_path / "second"
    with (tmp_path / "known").open("w+b") as knowing:
        write_site(second, [moved], settings, draft=True, previous=tmp_path / "first", knowing=knowing)
    [known] = known_in(tmp_path / "known")
    assert known.wanting
    assert (second / "foto" / copy.name).read_bytes() == copy.read_bytes()
    assert (second / "proses" / f"{each.ocid}.html").read_text(encoding="utf-8") == page
    (tmp_path / "source" / "b.jpg").write_bytes(_photo(300))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with (tmp_path / "known").open("w+b") as knowing:
            write_site(tmp_path / "third", [moved], settings, draft=True, previous=second, knowing=knowing)
        server.shutdown()
    [known] = known_in(tmp_path / "known")
    assert not known.wanting
    assert len(list((tmp_path / "third" / "foto").iterdir())) == 2
    counts = write_site(tmp_path / "fourth", [moved], settings, draft=True, previous=tmp_path / "third")
    assert counts["kept"] == 1
