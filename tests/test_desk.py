"""The operators' page: what its routes show and write, and whom they refuse."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from desk.access import Operator
from desk.app import PAGE, application
from desk.applying import Builder
from desk.words import Words, _messages, _sentences
from pipeline.configure import load_settings
from pipeline.registry import SERVICES, SOURCES
from reports.health import health
from reports.reasons import LANGUAGES
from reports.rejects import shape
from reports.waiting import waiting_rows
from tests.worlds import EditedWorld, Lived, Town, served
from transforms.linking.rules import REVISION, RULES
from warehouse import tables as t
from warehouse.engine import reading, writing

EVERY_SYSTEM = tuple(SOURCES)
PAGES = ("", "health", "links", "codes", "rejects", "waiting", "changes", "decisions", "find")
WRITING = ("decide", "mean", "codes.csv", "apply")
ACCOUNTS = {"ani": Operator("ani", may_decide=True), "budi": Operator("budi", may_decide=False)}


def signed_in(request: Request) -> Operator:
    """Who the header says, as a server before the desk would."""
    name = request.headers.get("x-account")
    if name not in ACCOUNTS:
        raise HTTPException(401, "error.401")
    return ACCOUNTS[name]


class Desk:
    """The desk of a town, as an account sees it."""

    def __init__(self, town: Town, settings: Path, patch: pytest.MonkeyPatch) -> None:
        for name, value in town.environment.items():
            patch.setenv(name, value)
        self.town = town
        known = load_settings(str(settings))
        self.builder = Builder(known)
        self.client = TestClient(application(known, signed_in, self.builder), raise_server_exceptions=True)

    def get(self, path: str, account: str = "ani", **options: Any) -> Any:
        return self.client.get(path, headers={"x-account": account, "accept": "text/html"}, **options)

    def text(self, path: str, **query: str) -> str:
        answer = self.get(path, params={"lang": "en", **query})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def post(self, path: str, fields: dict[str, str], account: str = "ani", **headers: str) -> Any:
        own = {"x-account": account, "cookie": "jejak_desk_language=en", **headers}
        return self.client.post(path, json=fields, headers=own)

    def applied(self) -> dict[str, Any]:
        """What a build that the page begins comes to."""
        assert self.post("apply", {}).status_code == 200
        self.builder.wait()
        state: dict[str, Any] = self.get("apply").json()
        assert not state["error"]
        return state


@pytest.fixture
def desk(tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A small town's desk on each database; nothing is paid there by itself."""
    world = EditedWorld(120, seed=3)
    world.edits["RUP-PaketPenyedia-Terumumkan"] = lambda rows: [
        rows[0] | {"metode_pengadaan": "Metode Baru"},
        *rows[1:],
    ]
    with served(world, tmp_path, warehouse_url, simda=True) as town:
        settings = town.settings(systems=EVERY_SYSTEM)
        path = settings.with_name("asking.toml")
        path.write_text(settings.read_text() + "\n[links.contract-payment]\naccept = 1.0\npending = 0.05\n")
        assert town.jejak("sync", settings=path).status == 0
        yield Desk(town, path, monkeypatch)


@pytest.fixture
def seen(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk of the town that tests share: only to look at."""
    return Desk(lived.town, lived.town.settings(systems=EVERY_SYSTEM), monkeypatch)


def forms(html: str) -> list[dict[str, str]]:
    """The hidden fields of the forms in a page."""
    return [
        {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}
        for form in re.findall(r"<form[^>]*data-post.*?</form>", html, re.DOTALL)
    ]


# --- whom it refuses -------------------------------------------------------------------------------------------------


def test_nobody_sees_a_page(seen: Desk) -> None:
    for path in (*PAGES, "link?id=x", "trace?ocid=x", "codes.csv", "apply"):
        assert seen.get(path, account="nobody").status_code == 401, path
    for path in WRITING:
        assert seen.post(path, {}, account="nobody").status_code == 401, path


def test_who_may_look_may_not_write(seen: Desk) -> None:
    for path in PAGES:
        assert seen.get(path, account="budi").status_code == 200, path
    for path in WRITING:
        answer = seen.post(path, {}, account="budi")
        assert answer.status_code == 403, path
        assert "may look" in answer.json()["message"]
    assert '<form action="decide"' not in seen.get("links", account="budi").text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"sec-fetch-site": "same-origin", "origin": "https://proxy.example"}, 404),
        ({"origin": "http://testserver"}, 404),
        ({}, 404),
    ],
)
def test_only_json_of_the_same_origin_writes(seen: Desk, headers: dict[str, str], status: int) -> None:
    fields = {"link": "feedbeef", "decision": "confirm", "seen": "x"}
    assert seen.post("decide", fields, **headers).status_code == status


def test_pages_run_nothing_of_others(seen: Desk) -> None:
    answer = seen.get("links")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]
    # Nothing is asked of elsewhere, and no path begins at the root: the desk may be mounted anywhere.
    for path in PAGES:
        assert not re.findall(r'(?:href|src|action)="(?:/|https?:)', seen.get(path).text), path


# --- what it shows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_in_both_languages(seen: Desk, language: str) -> None:
    for path in PAGES:
        html = seen.get(path, params={"lang": language}).text
        assert f'<html lang="{language}">' in html
        words = Words(language, "+07:00")
        assert words.say("page." + (path or "health")) in html


def test_health_says_what_to_do_in_the_language_of_the_page(seen: Desk) -> None:
    known = load_settings(str(seen.town.settings(systems=EVERY_SYSTEM)))
    found = {language: health(known, language) for language in LANGUAGES}
    assert any(each["advice"] for each in found["id"])
    for language, sources in found.items():
        html = unescape(seen.get("health", params={"lang": language}).text)
        for each, other in zip(sources, found["en"], strict=True):
            assert (each["advice"] or "") in html
            assert language == "en" or not each["advice"] or each["advice"] != other["advice"]
        assert "{'" not in html  # no value is shown as Python writes it


def test_a_warehouse_that_fails_is_told_in_a_sentence(desk: Desk) -> None:
    with writing(desk.town.engine) as conn:
        conn.execute(text("ALTER TABLE decision RENAME TO away"))
    answer = desk.get("decisions")
    with writing(desk.town.engine) as conn:
        conn.execute(text("ALTER TABLE away RENAME TO decision"))
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert answer.text.startswith("Jejak: tables of the warehouse are missing: ")


def test_every_message_has_both_languages() -> None:
    for key, row in _messages().items():
        assert bool(row["id"]) == bool(row["en"]), key
        assert re.findall(r"{\w+}", row["id"]) == re.findall(r"{\w+}", row["en"]) or set(
            re.findall(r"{\w+}", row["id"])
        ) == set(re.findall(r"{\w+}", row["en"])), key
    kinds = {service.kind for _, service in SERVICES.values() if service.kind}
    assert {f"kind.{kind}" for kind in kinds} | {f"rule.{rule}" for rule in (*RULES, REVISION)} <= _messages().keys()


def test_what_the_pipeline_says_is_told_in_indonesian() -> None:
    """Every reason for which a value or a row is refused, and every answer of an HTTP source."""
    root = Path(__file__).parent.parent
    found = []
    for path, raised in (
        ("schemas/fields.py", "ValueError|_partly"),
        ("transforms/rows.py", "RowError"),
        ("connectors/transport/http.py", "SourceUnavailable|SettingsError|StructureError|problem = "),
        ("connectors/transport/parse.py", "StructureError|BrokenJson"),
        ("connectors/transport/files.py", "SettingsError|StructureError"),
        ("connectors/transport/delimited.py", "StructureError"),
        ("connectors/transport/chain.py", "StructureError"),
        ("pipeline/fetch.py", "SourceUnavailable|StructureError"),
    ):
        code = re.sub(r'"\s*\n\s*f?"', "", (root / path).read_text())  # a text over several lines
        found += re.findall(rf'(?:{raised})\(?(?:codes, |text[^,]*, )?\(?\s*f?"([^"]+)"', code)
    assert len(found) > 40
    words = Words("id", "+07:00")
    assert all(english.groups - 1 == indonesian.count("{}") for english, indonesian, _ in _sentences())
    for text_ in found:
        text_ = re.sub(r"^{(?:self\.|request\.)?shown}", "ISB X", text_)
        for sentence in re.split(r"; |\. (?=[A-Z])", re.sub(r"{[^}]+}", "x", text_)):
            assert not re.sub(r"ISB X|x|\W", "", sentence) or words.sentence(sentence) != sentence, sentence
    assert words.sentence("pagu: expected an amount of IDR in plain digits, got text of 5 characters") == (
        "pagu: seharusnya nilai rupiah dalam angka biasa, yang ada teks 5 karakter"
    )
    assert words.sentence("ISB X (service_no 1) answered 503; try again later") == (
        "ISB X (service_no 1) menjawab 503; coba lagi nanti"
    )
    assert words.sentence("lost key column: date is in no row of this answer") == (
        "kolom kunci hilang: date tidak ada di baris mana pun"
    )
    assert words.sentence("x: expected y, got " * 100) == "x: expected y, got " * 100
    assert words.sentence("something else: x") == Words("en", "+07:00").sentence("something else: x")


def test_a_page_beyond_the_last_leads_to_the_last(seen: Desk) -> None:
    for path in ("links", "changes", "decisions", "rejects", "codes"):
        answer = seen.get(path, params={"at": "9999", "lang": "id"}, follow_redirects=False)
        assert answer.status_code == 303
        assert re.fullmatch(rf"{path}\?at=\d+", answer.headers["location"]), answer.headers["location"]
        assert seen.get(path, params={"at": "9999"}).status_code == 200


def test_what_is_not_there_is_told_in_the_language_of_the_page(seen: Desk) -> None:
    assert "Halaman ini tidak ada." in seen.get("nirgends", params={"lang": "id"}).text


def test_numbers_are_written_as_the_language_does() -> None:
    one, other = Words("id", "+08:00"), Words("en", "+07:00")
    assert (one.money(1234567), other.money(1234567), one.money(None)) == ("Rp 1.234.567", "Rp 1,234,567", "-")
    assert (one.share(0.9996), other.share(0.5), one.share(1.0)) == ("99,9 %", "50.0 %", "100 %")
    assert one.moment("2025-01-31T18:00:00Z") == "2025-02-01 02:00 WITA"
    assert (one.local("a, Rp 1,000, b"), other.local(None)) == ("a, Rp 1.000, b", "-")


def test_a_rejected_row_shows_its_reason_and_no_value(seen: Desk) -> None:
    html = unescape(seen.text("rejects"))
    rows = seen.town.query(select(t.reject).where(t.reject.c.resolved_at.is_(None)))
    assert rows
    assert all(row["reason"] in html for row in rows)
    assert "example:" in html
    values = {str(v) for row in seen.town.known("SPSE-NonTenderSelesai") for v in row["payload"].values()}
    long = {value for value in values if len(value) > 20}
    assert long
    assert not [value for value in long if value in html]


def test_rows_that_wait_show_their_amount(seen: Desk) -> None:
    with reading(seen.town.engine) as conn:
        amounts = [row["amount"] for row in waiting_rows(conn)]
    assert any(amounts)
    html = seen.text("waiting")
    assert all(f'<td class="number">{"-" if each is None else f"Rp {each:,.0f}"}</td>' in html for each in amounts)


def test_shapes_say_no_value() -> None:
    values = ("19900101", "", None, True, 3.5, [1, 2], "2025-01-31", "CV Maju", {"a": 1})
    assert [shape(value) for value in values] == [
        "8 digits",
        "empty",
        "empty",
        "yes or no",
        "number",
        "list of 2",
        "date",
        "text of 7",
        "list of 1",
    ]


def test_what_changed_leads_to_the_records(seen: Desk) -> None:
    html = seen.text("changes")
    ocid = re.findall(r"trace\?ocid=([\w-]+)", html)[0]
    found = seen.text("trace", ocid=ocid)
    assert ocid in found
    assert "Tender" in found


def test_what_is_not_there_is_said(seen: Desk) -> None:
    for path, status in (("trace?ocid=nothing", 400), ("link?id=nothing", 404), ("nothing", 404)):
        answer = seen.get(path)
        assert (answer.status_code, "Tidak bisa" in answer.text) == (status, True), path
    assert "It was looked for in:" in seen.text("find", q="XX-99999")
    assert "somebody&#39;s number" in seen.text("find", q="199001012015011001")
    assert "19900101" not in seen.text("find", q="199001012015011001")


@pytest.mark.parametrize(
    "query", ["at=0", "at=x", "at=99999", "year=x", "least=x", "rule=x", "status=x", "office=%25_"]
)
def test_wrong_filters_do_no_harm(seen: Desk, query: str) -> None:
    assert seen.get(f"links?{query}").status_code == 200


# --- what is decided -------------------------------------------------------------------------------------------------


def test_a_link_is_decided_and_taken_back(desk: Desk) -> None:
    html = desk.text("links", rule="contract-payment")
    form = forms(html)[0]
    link = desk.town.query(select(t.link).where(t.link.c.id == form["link"]))[0]
    ocid = desk.town.query(
        select(t.identity.c.ocid).where(t.identity.c.kind == link["to_kind"], t.identity.c.key == link["to_code"])
    )[0]["ocid"]
    paid = select(t.payment).where(t.payment.c.ocid == ocid)
    before = len(desk.town.query(paid))
    answer = desk.post("decide", {**form, "decision": "confirm", "note": "<script>alert(1)</script> same road"})
    assert answer.status_code == 200, answer.text
    assert "is confirmed" in answer.json()["message"]
    assert "<script>" not in answer.json()["html"]
    state = desk.applied()
    assert state["built"] >= 1
    assert len(desk.town.query(paid)) > before
    assert ocid in desk.text("changes", run=state["run"])
    fresh = next(each for each in forms(desk.text("link", id=form["link"])) if each["link"] == form["link"])
    assert desk.post("decide", {**fresh, "decision": "pending"}).status_code == 200
    desk.applied()
    assert len(desk.town.query(paid)) == before
    rows = desk.town.query(select(t.decision).order_by(t.decision.c.id))
    assert [(row["before"], row["after"], row["decided_by"]) for row in rows] == [
        ("pending", "confirmed", "ani"),
        ("confirmed", "pending", "ani"),
    ]
    assert all(row["seen"] for row in rows)
    assert form["link"] in desk.text("decisions")


def test_a_link_that_changed_meanwhile_is_refused_and_shown(desk: Desk) -> None:
    form = forms(desk.text("links"))[0]
    with writing(desk.town.engine) as conn:
        conn.execute(update(t.link).where(t.link.c.id == form["link"]).values(confidence=0.123))
    answer = desk.post("decide", {**form, "decision": "reject"})
    assert answer.status_code == 409
    assert "has changed" in answer.json()["message"]
    assert "12.3 %" in answer.json()["html"]
    assert not desk.town.query(select(t.decision))
    # As it is now it may be decided.
    fresh = next(each for each in forms(answer.json()["html"]) if each["link"] == form["link"])
    assert desk.post("decide", {**fresh, "decision": "reject"}).status_code == 200
    # Whoever looked at the same page before is refused.
    assert desk.post("decide", {**fresh, "decision": "confirm"}).status_code == 409


def test_what_was_not_seen_is_not_decided(desk: Desk) -> None:
    form = forms(desk.text("links"))[0]
    for wrong, status in (({"seen": ""}, 422), ({"decision": "burn"}, 422), ({"link": "nowhere"}, 404)):
        assert desk.post("decide", {**form, "decision": "confirm", **wrong}).status_code == status
    assert (
        desk.client.post(
            "decide", content="[", headers={"x-account": "ani", "content-type": "application/json"}
        ).status_code
        == 422
    )
    assert not desk.town.query(select(t.decision))


def test_links_by_money_and_by_filter(desk: Desk) -> None:
    html = desk.text("links")
    money = [int(each.replace(",", "")) for each in re.findall(r'class="money">Rp ([\d,]+)', html)]
    assert len(money) > 5
    assert money == sorted(money, reverse=True)
    waiting = desk.town.query(select(t.link).where(t.link.c.status == "pending"))
    subjects = {(row["rule"], row["from_kind"], row["from_code"]) for row in waiting}
    assert html.count("data-case") == min(len(subjects), PAGE)
    few = desk.text("links", least="90", rule="contract-payment")
    sure = {row["from_code"] for row in waiting if row["confidence"] >= 0.9 and row["rule"] == "contract-payment"}
    assert few.count("data-case") == min(len(sure), PAGE)
    assert desk.text("links", year="1999").count("data-case") == 0
    office = desk.town.query(select(t.subject).where(t.subject.c.kind == "kontrak"))[0]["office_name"]
    assert 0 < desk.text("links", office=office.lower(), status="all").count("data-case") <= PAGE


def test_a_word_gets_its_meaning(desk: Desk) -> None:
    def given(ocid: str, code_list: str) -> str | None:
        found: str | None = desk.town.query(select(t.contracting_process).where(t.contracting_process.c.ocid == ocid))[
            0
        ][code_list]
        return found

    # A word that nothing else stands in for.
    form, ocid = next(
        (each, row["ocid"])
        for each in forms(desk.text("codes"))
        if each.get("list") in ("method", "category")
        for row in desk.town.query(select(t.code_use).where(t.code_use.c.word == each["word"]))
        if given(row["ocid"], each["list"]) is None
    )
    own, code = form["list"], {"method": "selective", "category": "works"}[form["list"]]
    assert desk.post("mean", {**form, "code": f"={code}", "note": "as LKPP says"}).status_code == 200
    # Somebody who still sees it without a meaning.
    assert desk.post("mean", {**form, "code": f"={code}"}).status_code == 409
    desk.applied()
    assert given(ocid, own) == code
    assert f"means {code}" in desk.text("codes")
    assert form["word"] in desk.get("codes.csv").text
    fresh = next(
        each for each in forms(desk.text("codes")) if (each.get("list"), each.get("word")) == (own, form["word"])
    )
    assert desk.post("mean", {**fresh, "undo": "1"}).status_code == 200
    desk.applied()
    assert given(ocid, own) is None
    csv = f"source,list,word,code\n{form['source']},{own},{form['word']},{code}\n"
    assert "1 meanings applied" in desk.post("codes.csv", {"csv": csv}).json()["message"]
    assert desk.post("codes.csv", {"csv": csv.replace(code, "burn")}).status_code == 400
    assert desk.post("mean", {**form, "word": "nothing", "code": "=open"}).status_code == 404


def test_texts_of_sources_stay_texts(desk: Desk) -> None:
    attack = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>"
    with writing(desk.town.engine) as conn:
        conn.execute(update(t.contracting_process).values(title=attack, office_name=attack))
        conn.execute(update(t.subject).values(office_name=attack, title=attack))
        conn.execute(update(t.link).values(note=attack, decided_by=attack, decided_at="2025-01-01T00:00:00Z"))
        conn.execute(t.reject.insert().values(
            source=attack, service=attack, scope=attack, key=attack, content_hash="x", reason=attack,
            payload='{"<script>": "<script>"}', run_id=desk.town.query(select(t.run))[0]["id"],
            observed_at="2025-01-01T00:00:00Z", rejected_at="2025-01-01T00:00:00Z",
        ))  # fmt: skip
        conn.execute(update(t.code_use).values(word=attack))
    ocid = desk.town.query(select(t.contracting_process))[0]["ocid"]
    for path in (
        *PAGES,
        f"trace?ocid={ocid}",
        f"find?q={ocid}",
        f"find?q={attack}",
        f"links?office={attack}",
        f"changes?run={attack}",
    ):
        html = desk.get(path).text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert not re.findall(r"<script(?! src=\"static/desk.js\" defer)", html), path


def test_decisions_do_not_wait_for_a_build(desk: Desk, held: Callable[[Any], Any]) -> None:
    form = forms(desk.text("links"))[0]
    with held(desk.town.engine):
        assert desk.post("decide", {**form, "decision": "confirm"}).status_code == 200


@pytest.fixture
def held() -> Callable[[Any], Any]:
    """A block in which another process builds."""
    from pipeline.build import alone

    return alone
