"""The scanner finds whatever is personal in whatever place of a publication, and nothing where there is nothing."""

import gzip
import html
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
from openpyxl import Workbook
from PIL import Image
from sqlalchemy import select

from pipeline.configure import load_settings
from reports.publication import publish as publishing
from reports.publication.marks import Marks, Met
from reports.publication.processes import processes
from reports.publication.publish import publish
from reports.publication.scan import Finding, Personal, scan
from schemas import ocds
from schemas.errors import SettingsError
from schemas.settings import Settings
from simulator.rendering import Row
from tests.test_parties import OF_NOBODY, OF_PERSONS
from tests.worlds import Lived, Town
from warehouse import tables as t
from warehouse.engine import reading
from warehouse.releases import releases_of

Write = Callable[[Path, str], None]


@pytest.fixture(scope="module")
def settings(lived: Lived) -> Settings:
    return load_settings(str(lived.town.settings()))


@pytest.fixture(scope="module")
def personal(lived: Lived, settings: Settings) -> Personal:
    with reading(lived.town.engine) as conn:
        return Personal.of(conn, settings)


def planted(lived: Lived) -> dict[str, str]:
    """A value of each kind: some from the rows of the town, the others look like one and stand in no row."""
    world = lived.town.world
    contracts, orders = (
        [row["payload"] for row in lived.town.known(f"SPSE-NonTenderEkontrak-{paper}")]
        for paper in ("2Kontrak", "3SPMKSPP")
    )
    official = world.offices[0].officials[0]
    person = next(each for each in world.suppliers if each.person and each.npwp)
    homes = [row["alamat_penyedia"] for row in orders if row["alamat_penyedia"]]
    return {
        "NIP": official.nip,
        "name": official.name,
        "account": next(row["no_rek_bank"] for row in contracts if len(row["no_rek_bank"] or "") > 8),
        "address": next(home for home in homes if len(home) > 14 and any(map(str.isdigit, home))),
        "representative": next(row["wakil_sah_penyedia"] for row in contracts if row["wakil_sah_penyedia"]),
        "NPWP": person.npwp,
        "NIK": "3522011203780004",
        "formatted": "08.123.456.7-601.000",
        "phone": "0812-3456-7890",
        "phone without a sign": "6281234567890",
        "e-mail": "warga.desa@surat.example",
    }


def as_text(path: Path, value: str) -> None:
    path.with_suffix(".txt").write_text(f"Jalan {value}, selesai", encoding="utf-8")


def as_gzip(path: Path, value: str) -> None:
    path.with_suffix(".json.gz").write_bytes(gzip.compress(json.dumps({"title": value}).encode()))


def as_gzip_twice(path: Path, value: str) -> None:
    path.with_suffix(".gz").write_bytes(gzip.compress(gzip.compress(value.encode())))


def as_members(path: Path, value: str) -> None:
    path.with_suffix(".gz").write_bytes(gzip.compress(b"{}\n") + gzip.compress(value.encode()))


def as_workbook(path: Path, value: str) -> None:
    book = Workbook()
    book.create_sheet("b")["C7"] = value
    book.save(path.with_suffix(".xlsx"))


def as_archive(path: Path, value: str) -> None:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/a.csv", f"x,{value}\n")


def as_json_escapes(path: Path, value: str) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in value)
    path.with_suffix(".json").write_text(f'{{"a": "{escaped}"}}')


def as_short_escapes(path: Path, value: str) -> None:
    path.with_suffix(".json").write_text(json.dumps({"a": f"Penanggung jawab:\n{value}\nHP\t{value}"}))


def as_entities(path: Path, value: str) -> None:
    path.with_suffix(".html").write_text("".join(f"&#x{ord(character):x};" for character in value))


def as_attribute(path: Path, value: str) -> None:
    path.with_suffix(".html").write_text(f'<p title="{html.escape(value)}">x</p>')


def as_divided(path: Path, value: str) -> None:
    words = value.split(" ")
    path.with_suffix(".html").write_text("<b>" + "</b> <b>".join(words) + "</b>")


def as_address(path: Path, value: str) -> None:
    path.with_suffix(".html").write_text(f'<a href="?q={"".join(f"%{byte:02X}" for byte in value.encode())}">x</a>')


def as_picture(path: Path, value: str) -> None:
    picture = Image.new("RGB", (4, 4))
    exif = picture.getexif()
    exif[0x010E] = value
    picture.save(path.with_suffix(".jpg"), exif=exif)


def as_drawing(path: Path, value: str) -> None:
    path.with_suffix(".svg").write_text(f"<svg><title>{html.escape(value)}</title></svg>")


def as_qr_code(path: Path, value: str) -> None:
    path.with_suffix(".html").write_text(f"<p>{segno.make_qr(value).svg_inline(scale=2)}</p>")


def as_drawn_qr_code(path: Path, value: str) -> None:
    segno.make_qr(value).save(str(path.with_suffix(".svg")), border=0)


def at_an_edge(path: Path, value: str) -> None:
    text = "a, " * (1 << 18)
    cut = (1 << 18) - len(value) // 2
    path.with_suffix(".txt").write_text(text[:cut] + " " + value + " " + text[cut:])


PLACES: list[Write] = [
    as_text,
    as_gzip,
    as_gzip_twice,
    as_members,
    as_workbook,
    as_archive,
    as_json_escapes,
    as_short_escapes,
    as_entities,
    as_attribute,
    as_divided,
    as_address,
    as_picture,
    as_drawing,
    as_qr_code,
    as_drawn_qr_code,
    at_an_edge,
]


@pytest.mark.parametrize("write", PLACES)
def test_a_planted_value_of_each_kind_is_found_in_each_place(
    lived: Lived, settings: Settings, personal: Personal, tmp_path: Path, write: Write
) -> None:
    for kind, value in planted(lived).items():
        folder = tmp_path / kind
        folder.mkdir()
        write(folder / "planted", value)
        found = list(scan(folder, personal, settings))
        assert found, kind
        # What is said of it names kind and place, never the value.
        assert all(value not in f"{each.path} {each.kind}" for each in found)


def test_a_number_is_found_in_each_way_to_write_it(settings: Settings, tmp_path: Path) -> None:
    for number, value in enumerate(OF_PERSONS):
        (tmp_path / f"{number:02}.txt").write_text(f'"a": "1, {value}", selesai', encoding="utf-8")
        (tmp_path / f"{number:02}.html").write_text(f"<td>{value}</td><td>1</td>", encoding="utf-8")
    found = {each.path for each in scan(tmp_path, Personal(), settings)}
    assert found == {path.name for path in tmp_path.iterdir()}
    known = Personal(not_personal=frozenset("".join(filter(str.isdigit, value)) for value in OF_PERSONS[:-1]))
    assert {each.kind for each in scan(tmp_path, known, settings)} == {"e-mail"}
    (tmp_path / "00.html").write_text("<td>3522</b>0112 0378 0004</td>")
    assert "00.html" in {each.path for each in scan(tmp_path, Personal(), settings)}


def test_what_is_nobodys_is_no_finding(lived: Lived, settings: Settings, personal: Personal, tmp_path: Path) -> None:
    firm = next(each for each in lived.town.world.suppliers if not each.person and each.npwp)
    person = next(each for each in lived.town.world.suppliers if each.person)
    lines = [
        "ocds-213czf-tender-90000001000-1234567890123456 2025-01-31T10:00:00+07:00",
        "5.1.02.01.01.0024 Rp 1.234.567.890.123 900.3/001/SPK/DISDIKREK/2025 45678.416666666664",
        "".join(filter(str.isdigit, firm.npwp)),
        f"{firm.name} {person.name} JEJAK-PENYEDIA-{firm.code} lapor.go.id @media",
        "f0e1d2c3123456789012345aa" * 3,
        *OF_NOBODY,
        "9.3522.0112.0378.0004",
        "<td>35220112</td><td>03780004</td><td>3522</td><td>0112</td><td>0378</td><td>0004</td>",
        "<td>19700101</td><td>199003</td><td>1</td><td>001</td><td>0812</td><td>3456</td><td>7890</td>",
        '6286484130.25,IDR {"amount":6286484130} Rp6.286.484.130,25 9.1.0812345678',
    ]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    # Where the next block is read after the end of the one before, that begins within the number of a contract.
    (tmp_path / "b.txt").write_text("x " * 130_569 + "900.3/0812345678/SPK" + " y" * 2_000)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    assert list(scan(tmp_path, personal, settings)) == []


def test_a_setting_says_what_is_not_personal(lived: Lived, settings: Settings, tmp_path: Path) -> None:
    values = planted(lived)
    (tmp_path / "a.txt").write_text("\n".join(f"{value}, " for value in values.values()), encoding="utf-8")
    listed = [value.replace("-", " ") if kind == "phone" else value for kind, value in values.items()]
    known = settings.model_copy(update={"not_personal": listed})
    with reading(lived.town.engine) as conn:
        assert list(scan(tmp_path, Personal.of(conn, known), known)) == []


def test_nothing_is_published_that_holds_a_personal_value(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapping that lets an official's name through is caught, and the last publication stays."""
    town.sync()
    assert town.jejak("publish", "--out", tmp_path / "out", "--draft").status == 0
    before = (tmp_path / "out" / "current").resolve()
    name = town.world.offices[0].officials[0].name
    monkeypatch.setattr(ocds, "extension_files", lambda: {"extensions/a.txt": f"oleh {name}.".encode()})
    with pytest.raises(SettingsError, match=r"extensions/a\.txt: text of") as refused:
        publish(load_settings(str(town.settings())), tmp_path / "out", draft=True)
    assert name not in str(refused.value)
    assert (tmp_path / "out" / "current").resolve() == before
    assert before.is_dir()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "current",
        before.name,
        f".known-{before.name}",
        f".marks-{before.name}",
    }


def test_a_page_that_stays_is_read_again_once_more_is_known_to_be_personal(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans, name, out = "RUP-PaketPenyedia-Terumumkan", "Gondokusumo Tirtawijaya", tmp_path / "out"
    read: list[Path | None] = []

    def noted(*given: Any) -> Iterator[Finding]:
        read.append(given[3])
        return scan(*given)

    monkeypatch.setattr(publishing, "scan", noted)

    def titled(rows: list[Row], official: str | None = None) -> list[Row]:
        """The first is called by a name, and the last is an official's."""
        first, *others, last = rows
        return [first | {"nama_paket": f"Rumah {name}"}, *others, last | {"nama_ppk": official or last["nama_ppk"]}]

    town.edit(plans, titled)
    town.sync()
    # Nobody's name, as far as is known; the next night another that no page holds becomes known.
    assert town.jejak("publish", "--out", out, "--draft").status == 0
    first = (out / "current").resolve()
    town.edit(plans, lambda rows: titled(rows, "Suryokusumo Wirjodinoto"))
    town.sync()
    assert town.jejak("publish", "--out", out, "--draft").status == 0
    before = (out / "current").resolve()
    assert read == [None, first]
    town.edit(plans, lambda rows: titled(rows, name))
    town.sync()
    result = town.jejak("publish", "--out", out, "--draft")
    assert result.status == 1
    assert "text of nama_ppk" in result.err
    assert read[2] is None
    assert (out / "current").resolve() == before


def test_marks_tell_what_cannot_stand_in_what_was_read(tmp_path: Path) -> None:
    met = Met()
    met.add(b" RUMAH SITI AMINAH DI JALAN MAWAR ", ["3522011203780004"])
    met.add(b"  ", [])
    marks = Marks()
    marks.add(met.values())
    assert not marks.none_of([])  # nothing has been looked for
    marks.write(tmp_path / "marks", ["SITI ROCHMAH"])
    kept = Marks.read(tmp_path / "marks")
    for elsewhere in ("AMINAH SITI", "AMINAH", "SITI MAWAR", "MELATI", "3522011203780005"):
        assert kept.none_of(["SITI ROCHMAH", elsewhere]) == (elsewhere != "AMINAH")
    for there in ("SITI AMINAH", "RUMAH SITI AMINAH", "JALAN", "3522011203780004"):
        assert not kept.none_of([there])
    kept.write(tmp_path / "marks", ["SITI AMINAH"])
    assert Marks.read(tmp_path / "marks").none_of(["SITI AMINAH", "SITI ROCHMAH"])
    assert not Marks.read(tmp_path / "none").none_of([])


def test_of_a_file_that_the_last_publication_has_too_what_is_new_is_read(
    settings: Settings, personal: Personal, lived: Lived, tmp_path: Path
) -> None:
    first, second = lived.town.world.offices[0].officials[0].name.split()[:2]
    name = next(text for text in personal.texts if text.startswith(f"{first} {second}".upper()))
    last, new = tmp_path / "last", tmp_path / "new"

    def found(before: list[str], after: list[str]) -> list[str]:
        for folder, lines in ((last, before), (new, after)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "a.csv").write_text("".join(f"{line}\n" for line in lines))
            (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
            book = Workbook(write_only=True)
            sheet = book.create_sheet("a")
            for line in lines:
                sheet.append([line])
            book.save(folder / "a.xlsx")
        return sorted({each.path for each in scan(new, personal, settings, last)})

    lines = [f"line {number}" for number in range(5)]
    row = "a.xlsx/xl/worksheets/sheet1.xml"
    assert found(lines, lines) == []
    assert found(lines, [*lines, name]) == ["a.csv", "a.csv.gz", row]
    assert found([*lines, name], ["first", *lines, name]) == []
    half, rest = name.split(" ", 1)
    assert found([half, "between", rest], [half, rest]) == ["a.csv", "a.csv.gz", row]
    # A file that it hasn't is read whole.
    (last / "a.csv").unlink()
    assert next(each.path for each in scan(new, personal, settings, last)) == "a.csv"


def test_scan_reads_a_publication_again(town: Town, tmp_path: Path) -> None:
    town.sync()
    assert town.jejak("publish", "--out", tmp_path / "out", "--draft").status == 0
    result = town.jejak("scan", tmp_path / "out")
    assert result.status == 0, result.out
    value = town.world.offices[0].officials[0].nip
    (tmp_path / "out" / "current" / "index.html").open("a").write(value)
    result = town.jejak("scan", tmp_path / "out")
    assert result.status == 1
    assert "index.html: not as manifest.json says" in result.out
    assert "index.html: number of nip" in result.out
    assert value not in result.out
    found = json.loads(town.jejak("scan", tmp_path / "out", "--json").out)
    kinds = ("a number as long as NIP, NIK or NPWP", "number of nip_ppk")
    assert found == {"wrong": ["index.html"], "personal": [{"path": "index.html", "kind": kind} for kind in kinds]}
    assert town.jejak("scan", tmp_path).status == 1


def test_a_supplier_who_asks_for_it_is_named_no_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sync()
    rows = town.query(select(t.record))
    supplier, ocid = next(
        (party, row["ocid"])
        for row in rows
        for party in row["compiled"]["parties"]
        if "supplier" in party["roles"] and party.get("name") and party["id"].startswith("JEJAK-PENYEDIA-")
    )
    monkeypatch.setenv("JEJAK_UNNAMED_PARTIES", json.dumps([supplier["id"]]))
    result = town.jejak("void", ocid, f"parties/{supplier['id']}/name", "--reason", "asked for", "--erase")
    assert result.status == 0, result.err
    assert town.jejak("rebuild", ocid).status == 0
    with reading(town.engine) as conn:
        (process,) = processes(conn, {ocid: town.world.year})
        erased = releases_of(conn, [ocid], voided=True)[ocid]
    found = str([process.record, *(release.body for release in process.releases), *erased])
    assert supplier["id"] in found
    assert supplier["name"] not in found
    assert all(body.keys() == {"ocid", "id", "date"} for body in erased)
