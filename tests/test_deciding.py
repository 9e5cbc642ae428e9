"""What operators find and decide at the command line: search, links one by one and by sheet, meanings of words."""

import builtins
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from pipeline.registry import SOURCES
from reports.deciding import _COLUMNS
from reports.reasons import LANGUAGES, _words, speaking_against, speaking_for
from reports.sheets import defused
from tests.worlds import EditedWorld, Lived, Town, served
from transforms.search import number_key, process_keys, title_words
from warehouse import tables as t
from warehouse.engine import writing

EVERY_SYSTEM = tuple(SOURCES)


@pytest.fixture
def town(tmp_path: Path, warehouse_url: str) -> Iterator[Town]:
    """A small town of all systems with a warehouse on each database."""
    with served(EditedWorld(120, seed=3), tmp_path, warehouse_url, simda=True) as town:
        assert town.jejak("sync", settings=everything(town)).status == 0
        yield town


def everything(town: Town) -> Path:
    return town.settings(systems=EVERY_SYSTEM)


def asking(town: Town) -> Path:
    """Settings under which nothing is paid by itself: each link waits."""
    path = everything(town).with_name("asking.toml")
    path.write_text(everything(town).read_text() + "\n[links.contract-payment]\naccept = 1.0\npending = 0.05\n")
    assert town.jejak("build", settings=path).status == 0
    assert len(waiting(town, rule="contract-payment")) > 5
    return path


def found(town: Town, *text: str) -> list[dict[str, Any]]:
    result = town.jejak("find", *text, "--json", settings=everything(town))
    hits: list[dict[str, Any]] = json.loads(result.out)["hits"]
    assert result.status == (0 if hits else 1), result.err
    return hits


def waiting(town: Town, **columns: Any) -> list[dict[str, Any]]:
    return town.query(select(t.link).filter_by(status="pending", **columns).order_by(t.link.c.id))


def decisions(town: Town) -> list[tuple[str, str, str, str, str | None]]:
    rows = town.query(select(t.decision).order_by(t.decision.c.id))
    return [(row["subject"], row["before"], row["after"], row["decided_by"], row["note"]) for row in rows]


# --- search ----------------------------------------------------------------------------------------------------------


def test_keys_of_numbers_and_titles() -> None:
    assert number_key("900.3/003/SPK 2025") == number_key("900.3 003 spk/2025") == "9003003SPK2025"
    # A person's number is none, nor is what every paper might have.
    assert [number_key(text) for text in ("199001012015011001", "0812-3456-7890", "12", "SPK", None)] == [None] * 5
    assert title_words("Pembangunan Jalan dan Drainase, Jalan 199001012015011001") == [
        "pembangunan",
        "jalan",
        "drainase",
    ]
    assert process_keys("Jalan", []) == {("jalan", "title")}


def test_everything_that_people_hold_is_found(town: Town) -> None:
    row = town.known("SPSE-NonTenderEkontrak-2Kontrak")[0]["payload"]
    number = row["no_kontrak"]
    code = (t.identity.c.kind == "nontender") & (t.identity.c.key == str(row["kd_nontender"]))
    contract = town.query(select(t.identity.c.ocid).where(code))[0]
    for written in (number, number.lower().replace("/", " "), number[:-4], contract["ocid"], contract["ocid"][:-1]):
        assert contract["ocid"] in {hit["ocid"] for hit in found(town, written)}, written
    paid = town.query(select(t.payment).where(t.payment.c.kind == "sp2d").order_by("ocid", "id").limit(1))[0]
    order = next(
        row["payload"] for row in town.known("SIMDA-SP2D") if f"simda-{row['payload']['No_SP2D']}" == paid["id"]
    )
    for name, what in (("No_SP2D", "sp2d"), ("No_SPM", "spm")):
        assert paid["ocid"] in {hit["ocid"] for hit in found(town, order[name]) if hit["what"] == what}
    proposal = town.query(select(t.link).filter_by(rule="proposal-package", status="auto").order_by("id").limit(1))[0]
    hit = next(hit for hit in found(town, proposal["from_code"]) if hit["what"] == proposal["from_kind"])
    assert hit["ocid"]
    title = town.query(select(t.contracting_process).order_by("ocid").limit(1))[0]
    words = title_words(title["title"])
    assert title["ocid"] in {hit["ocid"] for hit in found(town, *words[::-1][:-1], words[0][:4])}
    # What is linked to nothing is found too, and says so.
    linked = {(row["from_kind"], row["from_code"]) for row in town.query(select(t.link))}
    alone = next(row for row in town.query(select(t.subject)) if (row["kind"], row["code"]) not in linked)
    assert any(
        hit["subject"] == [alone["kind"], alone["code"]] and not hit["ocid"] for hit in found(town, alone["code"])
    )


def test_what_is_not_found_says_where_it_was_looked_for(lived: Lived) -> None:
    town = lived.town
    result = town.jejak("find", "XX-999999999", settings=everything(town))
    assert (result.status, result.out) == (1, "Nothing begins so in the systems' codes, numbers of papers, titles.\n")
    result = town.jejak("find", "199001012015011001", settings=everything(town))
    assert "person" in result.out
    assert "19900101" not in result.out


def test_keys_are_those_of_the_state(town: Town) -> None:
    before = town.query(select(t.search_key))
    with writing(town.engine) as conn:
        conn.execute(update(t.search_key).values(key=t.search_key.c.key + "X"))
        conn.execute(t.pending_link.insert(), [{"kind": r["kind"], "code": r["code"], "year": r["year"] or 0,
                                                "token": "t"} for r in town.query(select(t.subject))])  # fmt: skip
    assert town.jejak("rebuild", settings=everything(town)).status == 0
    after = town.query(select(t.search_key))
    assert sorted(map(str, after)) == sorted(map(str, before))


# --- links -----------------------------------------------------------------------------------------------------------


def test_every_evidence_has_its_words() -> None:
    words = _words()
    assert all(row[language] for row in words.values() for language in LANGUAGES)
    sides = {"office": "a", "numbers": "1", "amounts": "", "suppliers": "", "dates": "", "title": "x", "mak": ""}
    link: dict[str, Any] = {
        "rule": "contract-payment",
        "by": "number+office",
        "from": {**sides, "kd_rup": ""},
        "to": {**sides, "kd_rup": "7"},
    }
    assert speaking_for(link["by"], "en") == [words["number"]["en"], words["office"]["en"]]
    assert speaking_against(link, "en") == ["title: different, or only alike"]
    assert speaking_for("", "id") == ["tidak ada bukti kuat"]


def test_the_evidence_that_rules_name_is_explained(lived: Lived) -> None:
    named = {code for row in lived.town.query(select(t.link.c.by).distinct()) for code in row["by"].split("+") if code}
    assert named
    assert named <= _words().keys()


def test_links_reviewed_one_after_another(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = asking(town)
    answers = iter(["9000", "1", "same village", "-1", "", "q"])
    monkeypatch.setattr(builtins, "input", lambda prompt: next(answers))
    result = town.jejak("links", "review", "--by", "operator@example.go.id", settings=settings)
    assert result.status == 0, result.err
    assert "'9000' is none of these" in result.out
    assert "2 decided." in result.out
    (_, before, after, who, note), second = decisions(town)
    assert (before, after, who, note) == ("pending", "confirmed", "operator", "same village")
    assert second[1:] == ("pending", "rejected", "operator", None)
    # The one with most money came first.
    amounts = {(row["kind"], row["code"]): row["amount"] or 0 for row in town.query(select(t.subject))}
    rows = {row["id"]: row for row in town.query(select(t.link))}
    first = amounts[rows[decisions(town)[0][0]]["from_kind"], rows[decisions(town)[0][0]]["from_code"]]
    assert first >= max(amounts[row["from_kind"], row["from_code"]] for row in waiting(town))


def test_a_decision_is_taken_back(town: Town) -> None:
    link = waiting(town)[0]
    settings = everything(town)
    assert town.jejak("links", "reject", link["id"], settings=settings).status == 0
    assert town.jejak("links", "pending", link["id"], settings=settings).status == 0
    again = town.query(select(t.link).where(t.link.c.id == link["id"]))[0]
    assert {**again, "run_id": link["run_id"]} == link
    assert [row[1:3] for row in decisions(town)] == [("pending", "rejected"), ("rejected", "pending")]


def test_decisions_by_sheet(town: Town, tmp_path: Path) -> None:
    settings = asking(town)
    path = tmp_path / "links.xlsx"
    assert town.jejak("links", "export", path, "--language", "id", settings=settings).status == 0
    assert path.stat().st_mode & 0o777 == 0o600
    book = load_workbook(path)
    sheet = book["links"]
    names = {name: place for place, name in enumerate(_COLUMNS, start=1)}
    links = {row["id"]: row for row in waiting(town)}
    assert {sheet.cell(row, 1).value for row in range(2, sheet.max_row + 1)} == links.keys()
    confirmed, other, changed, undecided = (sheet.cell(row, 1).value for row in range(2, 6))
    for row, word in ((2, "confirm"), (3, "Reject"), (4, "confirm")):
        sheet.cell(row, names["decision"], word)
    sheet.cell(2, names["note"], "=1+1")
    sheet.cell(6, names["link"], "nowhere")
    sheet.cell(6, names["decision"], "reject")
    book.save(path)
    with writing(town.engine) as conn:
        conn.execute(update(t.link).where(t.link.c.id == changed).values(confidence=0.111))
    dry = town.jejak("links", "import", path, "--dry-run", "--json", settings=settings)
    assert [line["result"] for line in json.loads(dry.out)] == ["apply", "apply", "conflict", "unknown"]
    assert not decisions(town)
    result = town.jejak("links", "import", path, "--by", "office", settings=settings)
    assert result.status == 1
    assert "2 applied, 1 in conflict, 1 unknown" in result.out
    status = {row["id"]: row["status"] for row in town.query(select(t.link))}
    assert [status.get(name, "pending") for name in (confirmed, other, undecided)] == [
        "confirmed",
        "rejected",
        "pending",
    ]
    # The same sheet again: nothing is left to do.
    again = json.loads(town.jejak("links", "import", path, "--json", settings=settings).out)
    assert [line["result"] for line in again[:2]] == ["unchanged", "unchanged"]
    assert len(decisions(town)) == 2


def test_texts_are_no_formulas() -> None:
    assert [defused(value) for value in ("=1+1", "@x", "+62", "-", 1.5, None, "a=b")] == [
        "'=1+1",
        "'@x",
        "'+62",
        "'-",
        1.5,
        None,
        "a=b",
    ]


def test_a_sheet_that_is_none(lived: Lived, tmp_path: Path) -> None:
    town = lived.town
    wrong = tmp_path / "wrong.xlsx"
    wrong.write_text("no workbook")
    for path in (wrong, tmp_path / "missing.xlsx"):
        result = town.jejak("links", "import", path, settings=everything(town))
        assert result.status == 1
        assert result.err.splitlines()[-1].startswith("jejak: ")


# --- meanings of words -----------------------------------------------------------------------------------------------


def meaning_of_a_method(town: Town) -> tuple[str, str]:
    """Let a plan's method be a word that nobody knows; its RUP code and the word."""
    word = "Metode  Baru"
    plans = town.known("RUP-PaketPenyedia-Terumumkan")
    code = str(plans[0]["payload"]["kd_rup"])
    town.edit(
        "RUP-PaketPenyedia-Terumumkan",
        lambda rows: [row | {"metode_pengadaan": word} if str(row["kd_rup"]) == code else row for row in rows],
    )
    town.sync("sirup", settings=everything(town))
    return code, word


def method(town: Town, code: str) -> str | None:
    found: str | None = town.compiled("rup", code)["tender"].get("procurementMethod")
    return found


def signals(town: Town) -> list[str]:
    rows = town.query(select(t.signal).filter_by(field="metode_pengadaan", kind="code"))
    return [row["value"] for row in rows if "Baru" in row["value"]]


def test_a_word_gets_a_meaning_and_loses_it(town: Town, tmp_path: Path) -> None:
    settings = everything(town)
    code, word = meaning_of_a_method(town)
    assert signals(town)
    listed = json.loads(town.jejak("codes", "list", "--json", settings=settings).out)
    entry = next(each for each in listed if each["word"] == "metode baru")
    assert (entry["list"], entry["field"], entry["code"]) == ("method", "metode_pengadaan", None)
    assert set(entry["choices"]) == {"", "direct", "open", "selective", "limited"} & set(entry["choices"])
    before = town.query(select(t.plan).order_by("ocid", "id"))
    result = town.jejak("codes", "give", "sirup", "method", word, "selective", "--by", "me", settings=settings)
    assert result.status == 0, result.err
    assert f"{entry['processes']} records built again" in result.out
    assert method(town, code) == "selective"
    assert not signals(town)
    path = tmp_path / "meanings.csv"
    assert town.jejak("codes", "export", path, settings=settings).status == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert town.jejak("codes", "undo", "sirup", "method", word, settings=settings).status == 0
    assert town.query(select(t.plan).order_by("ocid", "id")) == before
    assert signals(town)
    result = town.jejak("codes", "import", path, settings=settings)
    assert "1 meanings applied, 0 unchanged" in result.out
    assert method(town, code) == "selective"
    assert "0 meanings applied, 1 unchanged" in town.jejak("codes", "import", path, settings=settings).out
    assert [row[1:4] for row in decisions(town)][:2] == [
        ("", "selective", "me"),
        ("selective", "", decisions(town)[1][3]),
    ]
    # A word that nothing uses any more keeps its meaning until somebody undoes it.
    town.edit("RUP-PaketPenyedia-Terumumkan", None)
    town.sync("sirup", settings=settings)
    left = [each for each in json.loads(town.jejak("codes", "list", "--json", settings=settings).out) if each["code"]]
    assert [(each["word"], each["processes"]) for each in left] == [("metode baru", 0)]
    assert town.jejak("codes", "undo", "sirup", "method", word, settings=settings).status == 0
    listed = json.loads(town.jejak("codes", "list", "--json", settings=settings).out)
    assert "metode baru" not in {each["word"] for each in listed}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (("nowhere", "method", "Baru", "open"), "unknown source nowhere"),
        (("../sirup", "method", "Baru", "open"), "unknown source"),
        (("sirup", "nothing", "Baru", "open"), "no list nothing"),
        (("sirup", "method", "Baru", "best"), "'best' is no code of method"),
        (("sirup", "method", "tender ", "open"), "knows 'tender ' already"),
    ],
)
def test_meanings_that_are_refused(lived: Lived, word: tuple[str, ...], reason: str) -> None:
    result = lived.town.jejak("codes", "give", *word, settings=lived.town.settings(systems=EVERY_SYSTEM))
    assert result.status == 1
    assert reason in result.err


def test_a_line_that_is_refused_takes_all_with_it(lived: Lived, tmp_path: Path) -> None:
    town = lived.town
    path = tmp_path / "meanings.csv"
    path.write_text("source,list,word,code\nsirup,method,Baru,open\nsirup,method,Lain,best\n")
    result = town.jejak("codes", "import", path, settings=everything(town))
    assert result.status == 1
    assert "line 3: 'best' is no code of method" in result.err
    assert not town.query(select(t.code_meaning))
    path.write_text("word\nBaru\n")
    assert "no column source, list, code" in town.jejak("codes", "import", path, settings=everything(town)).err
