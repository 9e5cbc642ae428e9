"""The simulator: the same world from the same seed, rows in the shapes of the real ones, and a truth that holds."""

import base64
import csv
import datetime as dt
import gzip
import json
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import schemas.dokumen
import schemas.lpse
import schemas.musrenbang
import schemas.simda
import schemas.simpen
import schemas.sirup
from simulator import command, local_days
from simulator.days import EVENTS, LISTS, STAMPS
from simulator.dump import write_dumps
from simulator.faults import ERROR_OBJECTS, Fault
from simulator.inaproc import LEGACY, V1, ZERO_WIDTH
from simulator.rendering import Row
from simulator.server import Simulator, running, serve
from simulator.truth import truth
from simulator.world import LKPP, LOCAL, SERVICES, World, packages_for_rows

DUMPS = Path(os.environ.get("JEJAK_DUMPS") or Path(__file__).parents[2] / "shared/data/isb-kab-bandung-2025")
SOURCES = (schemas.sirup, schemas.lpse, schemas.simda, schemas.musrenbang, schemas.simpen, schemas.dokumen)
SCHEMAS = {service.name: service for source in SOURCES for service in source.SERVICES}
ANNOUNCED = ("RUP-PaketPenyedia-Terumumkan", "RUP-PaketSwakelola-Terumumkan")
ATTEMPTS = {
    "tender": ("SPSE-TenderPengumuman", "kd_tender", "versi_tender"),
    "nontender": ("SPSE-NonTenderPengumuman", "kd_nontender", "versi_nontender"),
}


@pytest.fixture(scope="module")
def world() -> World:
    return World(600, seed=11)


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, Any]:
    return truth(world)


def all_rows(world: World) -> dict[str, list[Row]]:
    return {name: world.rows(name) for name in SERVICES}


def codes(text: object) -> set[str]:
    return {part.strip() for part in re.split("[;,]", str(text))} - {"", "0", "-"}


def plain(row: Row) -> str:
    """A row without what is another every day: stamps and the order of lists."""
    return json.dumps(
        {
            name: sorted(re.split("[;,] ?", value)) if name in LISTS and isinstance(value, str) else value
            for name, value in row.items()
            if name not in STAMPS
        }
    )


def contents(world: World) -> dict[str, Counter[str]]:
    return {name: Counter(plain(row) for row in rows) for name, rows in all_rows(world).items()}


# --- one world per seed ------------------------------------------------------------


def test_the_same_seed_gives_the_same_world_day_after_day() -> None:
    first, second = World(150, seed=3), World(150, seed=3)
    assert all_rows(first) == all_rows(second)
    assert first.advance(2, change_share=0.05) == second.advance(2, change_share=0.05)
    assert all_rows(first) == all_rows(second)
    assert truth(first) == truth(second)


def test_another_seed_gives_another_world() -> None:
    assert all_rows(World(100, seed=3)) != all_rows(World(100, seed=4))


@pytest.mark.parametrize("packages", [1, 7, 40])
def test_any_size_makes_a_world(packages: int) -> None:
    small = World(packages, seed=1)
    small.advance(change_share=0.1)
    assert truth(small)["counts"]["RUP-PaketPenyedia-Terumumkan"] >= 1


@pytest.mark.parametrize("rows", [5_000, 20_000])
def test_the_number_of_packages_for_a_number_of_rows_is_about_right(rows: int) -> None:
    assert World(packages_for_rows(rows), seed=5).row_count() == pytest.approx(rows, rel=0.12)


def test_fiscal_years_have_rows_of_their_own() -> None:
    both = World(80, seed=2, years=2)
    for name in ("RUP-PaketPenyedia-Terumumkan", "SPSE-NonTenderPengumuman"):
        older, newer = both.rows(name, 2024), both.rows(name, 2025)
        assert {row["tahun_anggaran"] for row in older} == {2024}
        assert {row["tahun_anggaran"] for row in newer} == {2025}
        assert not {row[SERVICES[name].code] for row in older} & {row[SERVICES[name].code] for row in newer}
    assert both.rows("SPSE-TenderPengumuman", 2019) == []
    assert both.rows("RUP-MasterProvinsi", 2019) != []
    first_years = {row["kode_rup_tahun_pertama"] for row in both.rows("RUP-PaketPenyedia-Terumumkan", 2025)}
    assert first_years & {row["kd_rup"] for row in both.rows("RUP-PaketPenyedia-Terumumkan", 2024)}


def test_the_last_year_is_the_same_however_many_there_were_before() -> None:
    one, three = World(80, seed=2), World(80, seed=2, years=3)
    assert {name: one.rows(name) for name in SERVICES} == {name: three.rows(name) for name in SERVICES}


def test_an_unknown_service_is_refused(world: World) -> None:
    with pytest.raises(KeyError):
        world.rows("RUP-TidakAda")


# --- rows like the real ones ------------------------------------------------------------


def test_it_serves_exactly_the_services_that_are_read() -> None:
    # SIPD-RI's payments are those of SIMDA, at addresses of their own: see tests/test_sipd.py.
    assert SERVICES.keys() == SCHEMAS.keys() - {"SIPD-SP2D"}
    for name, service in SERVICES.items():
        assert (service.code, service.yearly) == (SCHEMAS[name].key[0], SCHEMAS[name].yearly), name
        assert service.key == (SCHEMAS[name].key if SCHEMAS[name].linked else ()), name


@pytest.mark.parametrize("name", SERVICES)
def test_rows_fit_the_schema_of_their_service(world: World, name: str) -> None:
    service = SCHEMAS[name]
    rows = world.rows(name)
    assert rows
    for row in rows:
        if name.startswith("RUP-PaketAnggaran") and row["pagu"] < 0:
            continue  # a correction: see test_budget_lines_add_up
        record = service.model.model_validate(
            {service.aliases.get(field, field): value for field, value in row.items()}
        )
        assert set(record.model_extra or ()) <= service.ignored.keys()
    for field in set(service.key) - service.optional_key:
        assert any(row.get(field) not in (None, "") for row in rows)


@pytest.mark.parametrize(
    ("name", "field", "types"),
    [
        ("RUP-PaketPenyedia-Terumumkan", "kd_satker", {int}),
        ("SPSE-TenderPengumuman", "kd_satker", {str}),
        ("RUP-PaketPenyedia-Terumumkan", "kd_rup", {int}),
        ("RUP-PaketPenyedia-Terumumkan", "kd_jenis_pengadaan", {str}),
        ("RUP-PaketPenyedia-Terumumkan", "status_aktif_rup", {bool}),
        ("SPSE-TenderPengumuman", "kd_rup", {str}),
        ("SPSE-TenderPengumuman", "kd_tender", {int}),
        ("SPSE-NonTenderPengumuman", "hps", {int, float}),
        ("SPSE-NonTenderPengumuman", "ket_ditutup", {str, type(None)}),
        ("SPSE-PesertaTender", "nilai_penawaran", {int, float, type(None)}),
        ("SPSE-PesertaTender", "kd_peserta", {int, type(None)}),
        ("SPSE-NonTenderSelesai", "nilai_kontrak", {int, float, type(None)}),
        ("SPSE-PencatatanSwakelolaRealisasi", "nip_ppk", {int}),
        ("Ecat-PaketEPurchasingV6", "kd_paket", {str}),
        ("Ecat-PaketEPurchasing", "kd_rup", {int}),
        ("Bela-TokoDaringRealisasi", "order_id", {str}),
    ],
)
def test_types_are_mixed_as_in_the_real_rows(world: World, name: str, field: str, types: set[type]) -> None:
    assert {type(row[field]) for row in world.rows(name)} == types


@pytest.mark.parametrize(
    ("name", "field", "shape"),
    [
        ("RUP-PaketPenyedia-Terumumkan", "tgl_awal_pemilihan", r"\d{4}-\d\d-\d\d"),
        ("SPSE-TenderPengumuman", "tgl_buat_paket", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("SPSE-NonTenderPengumuman", "tgl_pengumuman_nontender", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}Z"),
        ("SPSE-NonTenderEkontrak-1SPPBJ", "tgl_sppbj", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
        ("SPSE-NonTenderEkontrak-3SPMKSPP", "tgl_mulai_pekerjaan", r"[A-Z][a-z]{2} \d\d?, \d{4}, 12:00:00AM"),
    ],
)
def test_dates_come_in_five_shapes(world: World, name: str, field: str, shape: str) -> None:
    for row in world.rows(name):
        assert row[field] is None or re.fullmatch(shape, row[field])


def test_codes_lie_outside_the_real_ranges(world: World) -> None:
    for row in world.rows("RUP-PaketPenyedia-Terumumkan"):
        assert 90_000_000 < row["kd_rup"] < 92_000_000
    for row in world.rows("SPSE-NonTenderPengumuman"):
        assert re.fullmatch(r"9\d{7}000", str(row["kd_nontender"]))
    for row in world.rows("Ecat-PaketEPurchasingV6"):
        assert re.fullmatch(r"00[0-9A-Z]{24}", row["kd_paket"])


def test_code_spaces_of_kinds_overlap(world: World) -> None:
    spaces = [
        {row[field] for row in world.rows(name)}
        for name, field in (
            ("SPSE-TenderPengumuman", "kd_tender"),
            ("SPSE-NonTenderPengumuman", "kd_nontender"),
            ("SPSE-PencatatanSwakelola", "kd_swakelola_pct"),
        )
    ]
    assert spaces[0] & spaces[1]
    assert spaces[1] & spaces[2]


def repeated(rows: list[Row]) -> int:
    return max(Counter(json.dumps(row) for row in rows).values())


def disputed(world: World, name: str) -> list[tuple[str, ...]]:
    """Keys whose rows say different things."""
    service = SCHEMAS[name]
    contents_by_key = defaultdict(set)
    for row in world.rows(name):
        contents_by_key[tuple(str(row.get(part)) for part in service.key)].add(plain(row))
    return [key for key, contents in contents_by_key.items() if len(contents) > 1]


def by_letter(world: World) -> list[list[Row]]:
    """The versions of each contract: rows of one attempt and one letter of appointment."""
    found = defaultdict(list)
    for kind in ("tender", "nontender"):
        for row in world.rows(f"SPSE-{'Tender' if kind == 'tender' else 'NonTender'}Ekontrak-2Kontrak"):
            found[kind, row[f"kd_{kind}"], row["no_sppbj"]].append(row)
    return list(found.values())


QUIRKS: dict[str, Callable[[Any], object]] = {
    "a tender tried again": lambda w: any(r["versi_tender"] == 2 for r in w.rows("SPSE-TenderPengumuman")),
    "a consolidated tender": lambda w: any(";" in r["kd_rup"] for r in w.rows("SPSE-TenderPengumuman")),
    "a consolidated non-tender": lambda w: any(";" in r["kd_rup"] for r in w.rows("SPSE-NonTenderPengumuman")),
    "a consolidated record": lambda w: any(";" in r["kd_rup"] for r in w.rows("SPSE-PencatatanNonTender")),
    "a code said three times": lambda w: any(
        len(r["kd_rup"].split(",")) == 3 and len(codes(r["kd_rup"])) == 1 for r in w.rows("Ecat-PaketEPurchasingV6")
    ),
    "a tender without RUP": lambda w: any(r["kd_rup"] == "0" for r in w.rows("SPSE-TenderPengumuman")),
    "a tender whose status is not told": lambda w: any(
        r["status_tender"] is None for r in w.rows("SPSE-TenderPengumuman")
    ),
    "three ways of no RUP": lambda w: {"0", "-", ""} <= {r["kd_rup"] for r in w.rows("SPSE-NonTenderPengumuman")},
    "a multi-year package": lambda w: any(r["kode_rup_tahun_pertama"] for r in w.rows("RUP-PaketPenyedia-Terumumkan")),
    "a package inside self-managed work": lambda w: any(
        r["kd_rup_swakelola"] for r in w.rows("RUP-PaketPenyedia-Terumumkan")
    ),
    "an addendum": lambda w: any(r["versi_addendum"] == 1 for r in w.rows("SPSE-NonTenderEkontrak-2Kontrak")),
    "an addendum with a number of its own": lambda w: any(
        len({r["no_kontrak"] for r in rows}) > 1 for rows in by_letter(w) if any(r["versi_addendum"] for r in rows)
    ),
    "an addendum under the contract's number": lambda w: any(
        r["versi_addendum"] and r["no_kontrak"] == rows[0]["no_kontrak"] for rows in by_letter(w) for r in rows
    ),
    "an addendum that changes the value": lambda w: any(
        len({r["nilai_kontrak"] for r in rows}) > 1 for rows in by_letter(w)
    ),
    "a contract terminated early": lambda w: any(
        r["status_kontrak"] == "Pemutusan Kontrak" and r["alasan_penetapan_status_kontrak"]
        for rows in by_letter(w)
        for r in rows
    ),
    "SIMDA's addendum with another value": lambda w: any(
        r["Nilai"] != c["Nilai"] and r["No_Kontrak"] == c["No_Kontrak"]
        for r in w.rows("SIMDA-Addendum")
        for c in w.rows("SIMDA-Kontrak")
    ),
    "repeated contracts": lambda w: repeated(w.rows("SPSE-NonTenderEkontrak-2Kontrak")) > 1,
    "repeated orders": lambda w: repeated(w.rows("Bela-TokoDaringRealisasi")) == 12,
    "one snapshot twice": lambda w: len({r["_event_date"] for r in w.rows("SPSE-NonTenderEkontrak-4BAPBAST")}) == 2,
    "a disputed contract": lambda w: disputed(w, "SPSE-NonTenderEkontrak-2Kontrak"),
    "a disputed payment": lambda w: disputed(w, "SPSE-PencatatanNonTenderRealisasi"),
    "registrants without a bid": lambda w: (
        Counter(r["nilai_penawaran"] is None for r in w.rows("SPSE-PesertaTender"))[True] > 100
    ),
    "a winner of none": lambda w: any(r["kd_penyedia"] is None for r in w.rows("SPSE-TenderSelesaiNilai")),
    "an unlisted package": lambda w: any(
        r["status_umumkan_rup"] == "Terinisiasi" for r in w.rows("RUP-PaketAnggaranPenyedia")
    ),
    "a budget code that slipped": lambda w: any(
        part[:17] not in {r["kd_subkegiatan_str"] for r in w.rows("RUP-SubKegiatanMaster")}
        for r in w.rows("SPSE-NonTenderPengumuman")
        for part in r["mak"].split(";")
    ),
    "an old local id": lambda w: any(
        str(r["kd_nontender_pct"]).endswith("999") for r in w.rows("SPSE-PencatatanNonTender")
    ),
    "another body": lambda w: any(r["kd_klpd"] == "B999" for r in w.rows("SPSE-TenderPengumuman")),
    "double spaces": lambda w: any("  " in r["no_kontrak"] for r in w.rows("SPSE-NonTenderEkontrak-2Kontrak")),
    "line ends and HTML": lambda w: any(
        "\r\n</p>" in r["uraian_pekerjaan"] for r in w.rows("SPSE-PencatatanNonTender")
    ),
    "a person's data in free text": lambda w: any(
        re.search(r"NIK \d{16}.*telp\. 08", r["ket_realisasi"]) for r in w.rows("SPSE-PencatatanNonTenderRealisasi")
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_the_quirks_of_the_real_rows_are_there(world: World, quirk: str) -> None:
    assert QUIRKS[quirk](world)


def test_small_worlds_too_have_the_cases_that_identity_is_about() -> None:
    small = World(60, seed=1)
    for quirk in (
        "a tender tried again",
        "a consolidated tender",
        "a consolidated non-tender",
        "a consolidated record",
        "a code said three times",
        "a tender without RUP",
        "three ways of no RUP",
        "a multi-year package",
        "a package inside self-managed work",
        "an addendum with a number of its own",
        "an addendum under the contract's number",
        "an addendum that changes the value",
        "a contract terminated early",
        "SIMDA's addendum with another value",
    ):
        assert QUIRKS[quirk](small), quirk


def one_to_one(world: World) -> list[Row]:
    return [row for row in world.rows("RUP-HistoryKajiUlang") if row["jenis_revisi"] == "SATUKESATU"]


def test_revisions_are_chains_with_one_circle(world: World) -> None:
    older: dict[int, int] = {}
    for row in one_to_one(world):
        older.setdefault(row["kd_rup_baru"], row["kd_rup_lama"])
    circles, longest = set(), 0
    for start in older:
        path = [start]
        while path[-1] in older and older[path[-1]] not in path:
            path.append(older[path[-1]])
        longest = max(longest, len(path))
        if older.get(path[-1]) in path:
            circles.add(min(path))
    assert longest >= 3
    assert len(circles) == 1
    named = {row["kd_rup"] for row in world.rows("SPSE-PencatatanSwakelola")}
    listed = {str(row["kd_rup"]) for row in world.rows("RUP-PaketSwakelola-Terumumkan")}
    assert named & {str(code) for code in older.values()} - listed


def test_budget_lines_add_up() -> None:
    """To the package's amount, always: with lines that stand there twice and corrections below zero."""
    living = World(600, seed=11, splits=True)
    living.advance(5, 0.05)
    for kind in ("Penyedia", "Swakelola"):
        lines = living.rows(f"RUP-PaketAnggaran{kind}")
        sums: Counter[int] = Counter()
        for line in lines:
            sums[line["kd_rup"]] += line["pagu"]
        announced = {row["kd_rup"]: row["pagu"] for row in living.rows(f"RUP-Paket{kind}-Terumumkan")}
        assert {code: sums[code] for code in announced} == announced
        assert repeated(lines) > 1
        assert min(line["pagu"] for line in lines) < 0


def test_kaji_ulang_cancels_takes_back_and_splits() -> None:
    """The last event counts; of a split each new code has a process of its own, related to the old one."""
    town = World(600, seed=11, splits=True)
    expected = truth(town)
    events: dict[int, list[Row]] = defaultdict(list)
    parts: dict[int, set[int]] = defaultdict(set)
    for row in town.rows("RUP-HistoryKajiUlang"):
        if row["jenis_revisi"] == "SATUKEBANYAK":
            parts[row["kd_rup_lama"]].add(row["kd_rup_baru"])
        elif row["kd_rup_lama"] == row["kd_rup_baru"]:
            events[row["kd_rup_baru"]].append(row)
    announced = {row["kd_rup"] for name in ANNOUNCED for row in town.rows(name)}
    last = {code: max(rows, key=lambda row: row["tgl_kaji_ulang"])["jenis_revisi"] for code, rows in events.items()}
    assert set(last.values()) == {"PEMBATALAN", "PENGAKTIFAN"}
    assert any(len(rows) > 1 for rows in events.values())
    history = expected["rows"]["RUP-HistoryKajiUlang"]
    cancelled = {code for code, event in last.items() if event == "PEMBATALAN"}
    assert expected["cancelled"] == sorted(history[str(code)] for code in cancelled)
    assert not cancelled & announced
    assert {len(new) for new in parts.values()} <= {2, 3, 4}
    relations = [tuple(relation) for relation in expected["relations"] if relation[1] == "replacementProcess"]
    assert len(relations) == sum(len(new) for new in parts.values()) > 2
    for old, new in parts.items():
        assert old not in announced
        assert len({history[str(code)] for code in new}) == len(new)
        assert {of.split("-")[1] for of, _, to in relations if to == f"rup-{old}" or to == f"swk-{old}"} == set(
            map(str, new)
        )
    assert not any(row["jenis_revisi"] == "SATUKEBANYAK" for row in World(600, seed=11).rows("RUP-HistoryKajiUlang"))


def test_agreements_stand_beside_payments_and_both_add_up(world: World) -> None:
    spent: Counter[int] = Counter()
    sorts: dict[int, set[str]] = defaultdict(set)
    for payment in {
        (row["kd_nontender_pct"], row["jenis_realisasi"], row["no_realisasi"], row["nilai_realisasi"])
        for row in world.rows("SPSE-PencatatanNonTenderRealisasi")
    }:
        spent[payment[0]] += payment[3]
        sorts[payment[0]].add(payment[1])
    for row in world.rows("SPSE-PencatatanNonTender"):
        assert spent[row["kd_nontender_pct"]] == (row["total_realisasi"] or 0)
    assert any("Surat Perjanjian" in each and len(each) > 1 for each in sorts.values())
    assert any("Surat Pesanan" in each for each in sorts.values())


def test_recorded_payments_may_name_their_purchase_only() -> None:
    bare = World(200, seed=11, bare_payments=True).rows("SPSE-PencatatanNonTenderRealisasi")
    assert bare
    assert not any({"kd_rup_paket", "kd_paket_dce", "nama_paket", "pagu", "nama_satker"} & row.keys() for row in bare)


def test_a_payment_of_a_consolidated_record_is_repeated_for_each_package(world: World) -> None:
    several = {
        r["kd_nontender_pct"]: codes(r["kd_rup"]) for r in world.rows("SPSE-PencatatanNonTender") if ";" in r["kd_rup"]
    }
    paid = defaultdict(set)
    for row in world.rows("SPSE-PencatatanNonTenderRealisasi"):
        if row["kd_nontender_pct"] in several:
            paid[row["kd_nontender_pct"], row["no_realisasi"], row["nilai_realisasi"]].add(row["kd_rup_paket"])
    assert paid
    assert all(named == several[key[0]] for key, named in paid.items())


def test_the_share_of_unknown_code_values_is_a_setting() -> None:
    few, many = World(300, seed=8, unknown_rows=0), World(300, seed=8, unknown_share=0.5, unknown_rows=0)
    assert truth(few)["unknown"] == []
    unknown = [row for row in many.rows("SPSE-NonTenderPengumuman") if row["jenis_pengadaan"].endswith("Tak Dikenal")]
    assert len(unknown) == pytest.approx(len(many.rows("SPSE-NonTenderPengumuman")) / 2, rel=0.4)
    assert ["SPSE-NonTenderPengumuman", "jenis_pengadaan", "Pekerjaan Tak Dikenal"] in truth(many)["unknown"]


def test_personal_values_are_those_of_the_rows(world: World) -> None:
    personal = world.personal_values()
    rows = world.rows("SPSE-NonTenderEkontrak-2Kontrak")
    for field in ("nip_ppk", "nama_ppk", "no_rek_bank"):
        assert {row[field] for row in rows} <= personal
    persons = [row for row in world.rows("SPSE-NonTenderSelesai") if row["nama_penyedia"].startswith("ORANG REKAAN")]
    assert persons
    assert {row["npwp16_penyedia"] for row in persons} - {None} <= personal
    assert not {row["nama_penyedia"] for row in persons} & personal
    notes = [row["ket_realisasi"] for row in world.rows("SPSE-PencatatanNonTenderRealisasi")]
    assert {number for note in notes for number in re.findall(r"\d{16}|0899\d{8}", note)} <= personal


@pytest.fixture(scope="module")
def dumps() -> dict[str, list[Row]]:
    if not DUMPS.is_dir():
        pytest.skip("the real dumps are not here: set JEJAK_DUMPS to their folder")
    return {path.stem: json.loads(path.read_bytes()) for path in DUMPS.glob("*.json")}


def test_fields_and_types_are_those_of_the_real_dumps(dumps: dict[str, list[Row]]) -> None:
    """Where the real field is never filled, any type will do. One real file holds another service's rows."""
    world = World(2500, seed=6)
    for name in SERVICES.keys() & dumps.keys() - {"SPSE-TenderEkontrak-4BAPBAST"}:
        mine, real = world.rows(name), dumps[name]
        assert {field for row in mine for field in row} == {field for row in real for field in row}, name
        for field in real[0]:
            known = {type(row.get(field)) for row in real} | {type(None)}
            if known != {type(None)}:
                assert {type(row[field]) for row in mine} <= known, (name, field)


def test_no_code_name_or_number_is_a_real_one(dumps: dict[str, list[Row]], world: World) -> None:
    for name in SERVICES.keys() & dumps.keys():
        for field in dumps[name][0]:
            if re.match(
                r"kd_(rup|tender|nontender|pkt|paket|penyedia|peserta|satker|program|kegiatan|sub|swakelola|kab)", field
            ) or (
                field.startswith(("npwp", "nip_", "no_", "nama_p", "nama_k", "nama_satker")) and field != "nama_program"
            ):
                real = {str(row.get(field)) for row in dumps[name]} - {"None", "", "0", "-", "01"}
                assert not real & {str(row.get(field)) for row in world.rows(name)}, (name, field)


def test_events_follow_each_other_and_none_is_in_the_future(world: World) -> None:
    assert any(attempt.contract for attempt in world.attempts)
    for attempt in world.attempts:
        times = [attempt.created, attempt.announced, attempt.decided]
        if attempt.letter:
            times.append(attempt.letter.at)
        if attempt.contract:
            times += [attempt.contract.signed, *(certificate.at for certificate in attempt.contract.certificates)]
        days = [at.date() for at in times if at]
        assert days == sorted(days)
        assert days[-1] <= world.today


# --- the truth ------------------------------------------------------------


def test_the_truth_has_every_code_of_every_row_that_names_a_process(world: World, expected: dict[str, Any]) -> None:
    for name, service in SERVICES.items():
        rows = world.rows(name)
        assert expected["counts"][name] == len(rows)
        if isinstance(service.facts, str) and name in LKPP:
            assert expected["rows"][name].keys() == {str(row[service.code]) for row in rows}
        else:
            assert name not in expected["rows"]
    assert json.loads(json.dumps(expected)) == expected


def test_processes_are_named_by_kind_and_code(expected: dict[str, Any]) -> None:
    pattern = (
        r"(rup|swk)-\d{8}|(tender|nontender)-9\d{7}000|(pencatatan|swakelola)-\d+"
        r"|ecat-(00[0-9A-Z]{24}|9\d{6})|tokodaring-9\d{6}"
    )
    for processes in expected["rows"].values():
        for process in processes.values():
            assert re.fullmatch(pattern, process)


def test_of_the_attempts_on_a_package_the_first_joins_it(world: World, expected: dict[str, Any]) -> None:
    joined = defaultdict(list)
    for kind, (name, field, _) in ATTEMPTS.items():
        for row in world.rows(name):
            process = expected["rows"][name][str(row[field])]
            if len(codes(row["kd_rup"])) != 1:
                assert process == f"{kind}-{row[field]}"
                continue
            planning = {process} | {to for of, how, to in expected["relations"] if of == process and how == "planning"}
            own = process == f"{kind}-{row[field]}"
            assert own == (len(planning) == 2)
            (package,) = (each for each in planning if each.startswith("rup-"))
            joined[package].append((row["tgl_buat_paket"], not own))
    assert any(len(attempts) > 2 for attempts in joined.values())
    for attempts in joined.values():
        firsts = [first for _, first in sorted(attempts)]
        assert firsts == [True, *[False] * (len(firsts) - 1)]


def test_a_retry_is_related_to_the_failed_attempt(world: World, expected: dict[str, Any]) -> None:
    retries = 0
    for name, field, version in ATTEMPTS.values():
        packages: dict[int, dict[int, Row]] = defaultdict(dict)
        for row in world.rows(name):
            packages[row["kd_pkt_dce"]][row[version]] = row
        for attempts in packages.values():
            assert sorted(attempts) == list(range(1, len(attempts) + 1))
            for number in range(2, len(attempts) + 1):
                process, failed = (expected["rows"][name][str(attempts[each][field])] for each in (number, number - 1))
                assert [process, "unsuccessfulProcess", failed] in expected["relations"]
                retries += 1
    assert retries > 2
    assert retries == sum(how == "unsuccessfulProcess" for _, how, _ in expected["relations"])


def test_what_names_several_packages_is_related_to_each(world: World, expected: dict[str, Any]) -> None:
    consolidated = [row for row in world.rows("SPSE-NonTenderPengumuman") if len(codes(row["kd_rup"])) > 1]
    assert consolidated
    for row in consolidated:
        process = f"nontender-{row['kd_nontender']}"
        related = [to for of, how, to in expected["relations"] if of == process and how == "planning"]
        assert len(related) == len(codes(row["kd_rup"]))
        done = [each for each in world.rows("SPSE-NonTenderSelesai") if each["kd_nontender"] == row["kd_nontender"]]
        # The list of finished ones names only one of them.
        assert all(";" not in each["kd_rup"] for each in done)


def test_revised_packages_keep_the_process_of_their_first_code(world: World, expected: dict[str, Any]) -> None:
    history = expected["rows"]["RUP-HistoryKajiUlang"]
    for row in one_to_one(world):
        earlier = history.get(str(row["kd_rup_lama"]))
        kind = "swk" if row["jenis_paket"] == "SWAKELOLA" else "rup"
        assert history[str(row["kd_rup_baru"])] == (earlier or f"{kind}-{row['kd_rup_lama']}")


def test_multi_year_packages_and_parts_of_self_managed_work(world: World, expected: dict[str, Any]) -> None:
    listed = expected["rows"]["RUP-PaketPenyedia-Terumumkan"]
    managed = expected["rows"]["RUP-PaketSwakelola-Terumumkan"]
    for row in world.rows("RUP-PaketPenyedia-Terumumkan"):
        if row["kode_rup_tahun_pertama"]:
            assert listed[str(row["kd_rup"])] == f"rup-{row['kode_rup_tahun_pertama']}"
        if str(row["kd_rup_swakelola"]) in managed:
            assert [listed[str(row["kd_rup"])], "parent", managed[str(row["kd_rup_swakelola"])]] in expected[
                "relations"
            ]


def test_families_share_packages(expected: dict[str, Any]) -> None:
    planning = [(of, to) for of, how, to in expected["relations"] if how == "planning"]
    family = {process: number for number, members in enumerate(expected["families"]) for process in members}
    assert all(family[of] == family[to] for of, to in planning)
    assert len(family) == len({process for pair in planning for process in pair})


# --- the next day ------------------------------------------------------------


def test_a_day_without_changes_changes_only_stamps_and_the_order_of_lists() -> None:
    quiet = World(200, seed=4)
    before, rows, expected = contents(quiet), all_rows(quiet), truth(quiet)
    assert quiet.advance(change_share=0)["changed"] == 0
    assert contents(quiet) == before
    after = all_rows(quiet)
    assert after != rows
    orders = zip(rows["SPSE-NonTenderPengumuman"], after["SPSE-NonTenderPengumuman"], strict=True)
    assert any(old["kd_rup"] != new["kd_rup"] for old, new in orders)
    assert truth(quiet) == {**expected, "date": "2025-10-04"}


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_a_day_changes_the_share_that_was_asked_for(share: float) -> None:
    busy = World(800, seed=9)

    def by_code() -> dict[tuple[str, str], Counter[str]]:
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for name, rows in all_rows(busy).items():
            for row in rows:
                found[name, SERVICES[name].known_by(row)][plain(row)] += 1
        return found

    before, processes = by_code(), truth(busy)["rows"]
    summary = busy.advance(change_share=share)
    after = by_code()
    for name, codes_now in truth(busy)["rows"].items():
        processes[name] = processes[name] | codes_now
    touched = 0
    for key in before.keys() | after.keys():
        added, removed = after[key] - before[key], before[key] - after[key]
        touched += max(added.total(), removed.total())
        # Rows that differ belong to the processes that the summary names.
        if (added or removed) and key[0] in LKPP:
            assert processes[key[0]][key[1]] in summary["processes"]
    total = sum(rows.total() for rows in before.values())
    assert touched / total == pytest.approx(share, rel=0.15)
    # A row that was touched twice in a day is counted twice there.
    assert summary["new"] + summary["changed"] + summary["gone"] == pytest.approx(touched, rel=0.15)
    assert sum(rows.total() for rows in after.values()) == total + summary["new"] - summary["gone"] == busy.row_count()


def test_over_some_days_everything_happens_and_no_process_moves() -> None:
    living = World(800, seed=12, splits=True)
    processes = dict(truth(living)["rows"])
    events: Counter[str] = Counter()
    gone = 0
    for _ in range(12):
        summary = living.advance(change_share=0.04)
        events.update(summary["events"])
        gone += summary["gone"]
        expected = truth(living)
        for name, known in processes.items():
            now = expected["rows"].get(name, {}) | expected["gone"].get(name, {})
            assert {code: now[code] for code in known.keys() & now.keys()}.items() <= known.items()
        for name, rows in expected["rows"].items():
            processes[name] = processes[name] | rows
    assert events.keys() == {event.__name__ for event, _ in (*EVENTS, *local_days.EVENTS)}
    assert gone > 0
    assert set(expected["gone"]) >= {"SPSE-NonTenderPengumuman", "RUP-PaketPenyedia-Terumumkan"}
    assert living.today.isoformat() == "2025-10-15"


def test_what_was_told_changes_over_days() -> None:
    """Contract values, suppliers and payments."""
    living = World(400, seed=14)
    before = {name: living.rows(name) for name in SERVICES}
    living.advance(8, change_share=0.05)

    def values(rows: list[Row], key: str, field: str) -> dict[Any, set[Any]]:
        found = defaultdict(set)
        for row in rows:
            found[row[key]].add(row[field])
        return found

    for name, key, field in (
        ("SPSE-NonTenderEkontrak-2Kontrak", "kd_nontender", "nilai_kontrak"),
        ("SPSE-NonTenderSelesai", "kd_nontender", "kd_penyedia"),
        ("SPSE-NonTenderEkontrak-1SPPBJ", "kd_nontender", "no_sppbj"),
    ):
        old, new = values(before[name], key, field), values(living.rows(name), key, field)
        assert any(old[code] != new[code] for code in old.keys() & new.keys()), name
    for name, number in (("SIMDA-SP2D", "No_SP2D"), ("SPSE-PencatatanNonTenderRealisasi", "no_realisasi")):
        assert {row[number] for row in before[name]} - {row[number] for row in living.rows(name)}, name


def test_the_truth_has_the_values_of_contracts() -> None:
    living = World(400, seed=14)
    living.advance(4, change_share=0.05)
    for kind, name in (("tender", "SPSE-Tender"), ("nontender", "SPSE-NonTender")):
        latest: dict[str, Row] = {}
        for row in living.rows(f"{name}Ekontrak-2Kontrak"):
            code = str(row[f"kd_{kind}"])
            latest[code] = max(latest.get(code, row), row, key=lambda each: each["versi_addendum"])
        expected = {code: facts for of, code, *facts in truth(living)["contracts"] if of == kind}
        assert expected.keys() == latest.keys()
        for code, (_, value, addenda, early) in expected.items():
            row = latest[code]
            assert (row["nilai_kontrak"], row["versi_addendum"]) == (value, addenda)
            assert (row["status_kontrak"] == "Pemutusan Kontrak") == early


def test_a_first_sync_on_a_later_day_would_see_the_same_first_attempts() -> None:
    """Vanished rows aside, the truth does not depend on the day on which reading began."""
    living = World(400, seed=13)
    living.advance(8, change_share=0.05)
    test_of_the_attempts_on_a_package_the_first_joins_it(living, truth(living))


# --- over HTTP ------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    with running(World(120, seed=21), api_key="kunci-rahasia", token="token-rahasia") as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "server" in request.fixturenames:
        request.getfixturevalue("server").faults.clear()


def ask(url: str, method: str = "GET", body: object = None, token: str | None = None) -> tuple[int, Message, bytes]:
    """Status, headers and body of an answer; connection errors are raised."""
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def isb(
    server: Simulator, name: str, parameter: str = "2025:D999", key: str = "kunci-rahasia"
) -> tuple[int, Message, bytes]:
    return ask(f"{server.url}/isb-2/api/{key}/json/1234/{name}/tipe/4:12/parameter/{parameter}")


def inaproc(
    server: Simulator,
    path: str,
    query: str = "kode_klpd=D999&tahun=2025&limit=1000",
    token: str | None = "token-rahasia",
) -> tuple[int, Message, Any]:
    status, headers, body = ask(f"{server.url}/api/v1/{path}?{query}", token=token)
    return status, headers, json.loads(body)


def test_isb_answers_with_the_rows_of_the_world(server: Simulator) -> None:
    for name in LKPP:
        parameter = "2025:999" if name.startswith("SPSE") else "D999:2025" if "Satker" in name else "2025:D999"
        status, headers, body = isb(server, name, parameter)
        assert status == 200
        assert int(headers["Content-Length"]) == len(body)
        assert json.loads(body) == server.world.rows(name)


def test_isb_knows_contract_documents_without_their_number(server: Simulator) -> None:
    assert (
        isb(server, "SPSE-TenderEkontrak-SPPBJ", "2025:999")[2]
        == isb(server, "SPSE-TenderEkontrak-1SPPBJ", "2025:999")[2]
    )


@pytest.mark.parametrize("parameter", ["2019:D999", "2025:D107"])
def test_isb_answers_nothing_at_all_for_another_year_or_regency(server: Simulator, parameter: str) -> None:
    assert isb(server, "RUP-PaketPenyedia-Terumumkan", parameter)[::2] == (200, b"")


def test_isb_answers_errors_in_words(server: Simulator) -> None:
    assert isb(server, "RUP-TidakAda")[::2] == (404, b"URL-NOT-DEFINED")
    assert isb(server, "RUP-MasterSatker", key="salah")[2] == b"<invalid_response>"
    assert ask(f"{server.url}/isb-2/")[0] == 404


def test_isb_has_public_masters_without_a_key(server: Simulator) -> None:
    status, _, body = ask(f"{server.url}/isb-2/api/satudata/MasterKLPD")
    assert status == 200
    assert "D999" in {row["kd_klpd"] for row in json.loads(body)}
    assert json.loads(ask(f"{server.url}/isb-2/api/satudata/MasterLPSE")[2])[0]["kd_lpse"] == 999


def test_the_log_of_requests_holds_no_key_and_no_token(server: Simulator) -> None:
    isb(server, "RUP-MasterSatker")
    isb(server, "RUP-MasterSatker", key="kunci-salah")
    inaproc(server, "rup/master-satker")
    log = ask(f"{server.url}/_simulator/requests")[2].decode()
    assert "RUP-MasterSatker" in log
    assert "rup/master-satker" in log
    assert not re.search("kunci|token-rahasia", log)


def test_inaproc_pages_add_up(server: Simulator) -> None:
    query, rows, pages = "kode_klpd=D999&tahun=2025&limit=7", [], 0
    cursor = ""
    while True:
        status, _, envelope = inaproc(server, "tender/non-tender-pengumuman", query + cursor)
        assert status == 200
        assert envelope["success"] is True
        assert envelope["meta"]["limit"] == 7
        rows += envelope["data"]
        pages += 1
        if not envelope["meta"]["has_more"]:
            break
        cursor = f"&cursor={envelope['meta']['cursor']}"
    own = server.world.rows("SPSE-NonTenderPengumuman")
    assert pages == -(-len(own) // 7)
    assert [row["kd_nontender"] for row in rows] == [row["kd_nontender"] for row in own]


def test_inaproc_takes_one_row_unless_told_otherwise(server: Simulator) -> None:
    assert len(inaproc(server, "rup/paket-penyedia-terumumkan", "kode_klpd=D999&tahun=2025")[2]["data"]) == 1


def test_cursors_hold_numbers_that_a_double_rounds(server: Simulator) -> None:
    cursor = inaproc(server, "rup/paket-penyedia-terumumkan", "kode_klpd=D999&tahun=2025")[2]["meta"]["cursor"]
    number = json.loads(base64.b64decode(cursor))["id"]
    assert number > 2**63
    assert int(float(number)) != number


@pytest.mark.parametrize("endpoint", V1)
def test_every_endpoint_of_v1_answers_in_an_envelope(server: Simulator, endpoint: str) -> None:
    status, _, envelope = inaproc(server, endpoint)
    assert status == 200
    assert envelope["success"] is True
    assert envelope["data"]
    assert ("meta" in envelope) != (endpoint in WITHOUT_META)
    assert not any("_event_date" in row or "_inserted_date" in row for row in envelope["data"])
    # Without `meta` it is all there is.
    alone = inaproc(server, endpoint, "kode_klpd=D999&tahun=2025&limit=1")[2]["data"]
    assert (len(alone) == 1) == (endpoint not in WITHOUT_META)


WITHOUT_META = {"rup/program-master", "rup/paket-swakelola", "rup/paket-swakelola-terumumkan"}


def legacy(server: Simulator, endpoint: str, query: str = "kode_klpd=D999&tahun=2025") -> tuple[int, bytes]:
    return ask(f"{server.url}/api/legacy/{endpoint}?{query}", token="token-rahasia")[::2]


@pytest.mark.parametrize("endpoint", LEGACY)
def test_every_endpoint_of_legacy_answers_with_a_bare_list(server: Simulator, endpoint: str) -> None:
    status, body = legacy(server, endpoint)
    assert status == 200
    rows = json.loads(body.decode("utf-8-sig"))
    own = server.world.rows(LEGACY[endpoint].service)
    assert [set(row) for row in rows] == [row.keys() - {"_event_date", "_inserted_date"} for row in own]
    assert json.loads(legacy(server, endpoint, "kode_klpd=D107&tahun=2025")[1].decode("utf-8-sig")) == []


def test_legacy_begins_some_lists_with_a_byte_order_mark_and_lacks_what_v1_has(server: Simulator) -> None:
    marked = {endpoint: legacy(server, endpoint)[1].startswith(b"\xef\xbb\xbf") for endpoint in LEGACY}
    assert set(marked.values()) == {True, False}
    for endpoint in V1.keys() - LEGACY.keys():
        assert legacy(server, endpoint)[0] == 404
    for endpoint in LEGACY.keys() - V1.keys():
        assert inaproc(server, endpoint)[0] == 404
    assert legacy(server, "rup/master-satker", "kode_klpd=D999")[0] == 400


def test_inaproc_stamps_each_page_anew_and_masks_numbers(server: Simulator) -> None:
    first, second = (inaproc(server, "tender/non-tender-ekontrak-kontrak")[2]["data"] for _ in range(2))
    stamps = [{row.pop("last_update_ref") for row in rows} for rows in (first, second)]
    assert [len(each) for each in stamps] == [1, 1]
    assert stamps[0] != stamps[1]
    assert first == second
    signed = [row for row in first if row["no_kontrak"]]
    assert all(re.fullmatch(r"\*+\d{3}", row["nip_ppk"]) for row in signed)
    sent = "".join(json.dumps(inaproc(server, endpoint)[2]) for endpoint in V1)
    sent += "".join(legacy(server, endpoint)[1].decode() for endpoint in LEGACY)
    assert not re.search(r'"(nip_\w+|ppk_nip)": ?"?\d{4}', sent)


def test_inaproc_counts_requests() -> None:
    with running(World(10, seed=1)) as server:
        server.per_minute = 3
        answers = [inaproc(server, "rup/master-satker", token="simulator") for _ in range(5)]
        assert [status for status, _, _ in answers] == [200] * 3 + [429] * 2
        assert [headers["X-RateLimit-Remaining"] for _, headers, _ in answers] == ["2", "1", "0", "0", "0"]
        headers = answers[-1][1]
        assert headers["X-RateLimit-Limit"] == "3"
        assert int(headers["X-RateLimit-Reset"]) > int(headers["Retry-After"]) > 0
        assert answers[-1][2]["error"]["code"]


@pytest.mark.parametrize(
    ("status", "query", "token"),
    [
        (401, "kode_klpd=D999&tahun=2025", None),
        (401, "kode_klpd=D999&tahun=2025", "salah"),
        (400, "kode_klpd=D999&tahun=2025&limit=1001", "token-rahasia"),
        (400, "kode_klpd=D999&tahun=2025&limit=0", "token-rahasia"),
        (400, "kode_klpd=D999&tahun=2025&cursor=bukan-kursor", "token-rahasia"),
        (400, "kode_klpd=D999", "token-rahasia"),
    ],
)
def test_inaproc_refuses(server: Simulator, status: int, query: str, token: str | None) -> None:
    answer = inaproc(server, "tender/pengumuman", query, token)
    assert answer[0] == status
    assert answer[2]["success"] is False
    assert answer[2]["error"].keys() == {"code", "message", "details"}
    assert answer[2]["meta"]["request_id"]
    assert token or answer[2]["error"]["message"] == "Authorization field missing"


def test_inaproc_has_null_for_no_rows(server: Simulator) -> None:
    envelope = inaproc(server, "tender/pengumuman", "kode_klpd=D999&tahun=2019")[2]
    assert envelope["data"] is None
    assert envelope["meta"]["has_more"] is False


def test_inaproc_names_and_shapes_differ_from_isb(server: Simulator) -> None:
    tender = inaproc(server, "tender/pengumuman")[2]["data"]
    assert {row["nama_klpd"].endswith(ZERO_WIDTH) for row in tender} == {True, False}
    assert all(row["tgl_buat_paket"].endswith("Z") for row in tender)
    assert any(row["kd_klpd"] is None for row in inaproc(server, "tender/non-tender-selesai")[2]["data"])
    texts = json.dumps(inaproc(server, "rup/paket-penyedia-terumumkan")[2]["data"])
    assert "\\\\r\\\\n" in texts
    assert '"\\r\\n' not in texts
    order = inaproc(server, "ekatalog/paket-e-purchasing")[2]["data"][0]
    assert {"order_id", "rup_code", "funding_source", "total", "kode_klpd"} <= order.keys()
    assert "kd_paket" not in order


@pytest.mark.parametrize("kind", ["tender", "non-tender"])
def test_inaproc_has_a_row_of_contract_for_every_attempt(server: Simulator, kind: str) -> None:
    """Also where there is none, with a letter of appointment or without; each has keys of its own."""
    code, own_id = f"kd_{kind.replace('-', '')}", "kontrak_id" if kind == "tender" else "spk_id"
    rows = inaproc(server, f"tender/{kind}-ekontrak-kontrak")[2]["data"]
    names = {"tender": "SPSE-Tender", "non-tender": "SPSE-NonTender"}[kind]
    assert {row[code] for row in rows} == {row[code] for row in server.world.rows(f"{names}Pengumuman")}
    signed = [row for row in rows if row["no_kontrak"]]
    assert len(signed) == len(server.world.rows(f"{names}Ekontrak-2Kontrak"))
    assert all(row[own_id] and row["sppbj_id"] for row in signed)
    assert not any(row[own_id] for row in rows if not row["no_kontrak"])
    assert {bool(row["no_sppbj"]) for row in rows if not row["no_kontrak"]} >= {False}
    assert len({frozenset(row) for row in rows}) == 1


@pytest.mark.parametrize("kind", ["penyedia", "swakelola"])
def test_inaprocs_budget_lines_have_a_key(server: Simulator, kind: str) -> None:
    rows = inaproc(server, f"rup/paket-anggaran-{kind}")[2]["data"]
    assert len({row[f"id_paket_anggaran_{kind}"] for row in rows}) == len(rows)
    own = server.world.rows(f"RUP-PaketAnggaran{kind.title()}")
    assert [(row["kd_rup"], row["mak"], row["pagu"]) for row in rows] == [
        (row["kd_rup"], row["mak"], row["pagu"]) for row in own
    ]


def test_what_a_test_does_to_the_rows_is_served_everywhere() -> None:
    class Edited(World):
        def rows(self, service: str, year: int | None = None) -> list[Row]:
            return super().rows(service, year)[1:]

    town = Edited(60, seed=1)
    with running(town, token="token-rahasia") as server:
        for endpoint, place in V1.items():
            if place.code is None and "ekontrak" not in endpoint:
                assert len(inaproc(server, endpoint)[2]["data"] or []) == len(town.rows(place.service)), endpoint
        for endpoint, place in LEGACY.items():
            assert len(json.loads(legacy(server, endpoint)[1].decode("utf-8-sig"))) == len(town.rows(place.service))


def test_inaproc_tells_kaji_ulang_by_sort_of_package(server: Simulator) -> None:
    query = "kode_klpd=D999&tahun=2025&limit=1000"
    both = inaproc(server, "rup/history-kaji-ulang", query)[2]["data"]
    parts = [
        inaproc(server, "rup/history-kaji-ulang", f"{query}&jenis_paket={sort}")[2]["data"]
        for sort in ("PENYEDIA", "SWAKELOLA")
    ]
    assert all(parts)
    assert sum(map(len, parts)) == len(both)


def test_inaproc_finds_one_tender_by_its_code(server: Simulator) -> None:
    code = server.world.rows("SPSE-TenderPengumuman")[1]["kd_tender"]
    for query in (f"kode_klpd=D999&tahun=2025&kd_tender={code}", f"kd_tender={code}"):
        found = inaproc(server, "tender/pengumuman", query)[2]["data"]
        assert [row["kd_tender"] for row in found] == [code]
    assert inaproc(server, "tender/peserta-tender", f"kd_tender={code}")[0] == 400


# --- SIPD-RI ------------------------------------------------------------

INDEX = "pengeluaran/strict/sp2d/pembuatan/index"


@pytest.fixture(scope="module")
def switched() -> Iterator[Simulator]:
    """A regency that went from SIMDA to SIPD in July."""
    world = World(600, seed=5, noise=0, bought_share=0.8, sipd_since=dt.date(2025, 7, 1))
    with running(world, token="token-rahasia") as simulator:
        yield simulator


def sipd(server: Simulator, path: str, query: str = "", token: str = "token-rahasia") -> tuple[int, Any, Any]:
    status, headers, body = ask(f"{server.url}/sipd/{path}?{query}", token=token)
    return status, headers.get("x-pagination-total-count"), json.loads(body)


def test_sipd_answers_page_by_page(switched: Simulator) -> None:
    rows: list[Row] = []
    for page in range(1, 100):
        status, total, part = sipd(switched, INDEX, f"jenis=LS&status=ditransfer&page={page}&limit=7")
        assert status == 200
        rows += part
        if not part:
            break
    assert len(rows) == int(total) == len({row["id_sp_2_d"] for row in rows}) > 14
    assert sipd(switched, INDEX, "jenis=GU&limit=100")[2] == []
    assert sipd(switched, INDEX, "tahun=2024&limit=100")[1:] == ("0", [])
    assert sipd(switched, INDEX, "page=0")[0] == 400
    assert sipd(switched, INDEX, token="salah")[0] == 401
    assert sipd(switched, "pengeluaran/strict/lain")[0] == 404


def test_sipds_payments_have_orders_with_the_contracts_number_and_details(switched: Simulator) -> None:
    payments = sipd(switched, INDEX, "limit=1000")[2]
    orders = {row["id_spm"]: row for row in sipd(switched, "pengeluaran/strict/spm/index", "limit=1000")[2]}
    numbers = {entry.number for entry in switched.world.ledger}
    for payment in payments:
        order = orders[payment["id_spm"]]
        assert order["nomor_kontrak_po"] in numbers
        printed = sipd(switched, f"pengeluaran/strict/sp2d/pembuatan/cetak/{payment['id_sp_2_d']}")[2]["ls"]
        assert printed["header"]["nomor_sp_2_d"] == payment["nomor_sp_2_d"]
        assert printed["header"]["nomor_spm"] == order["nomor_spm"]
        assert sum(line["jumlah"] for line in printed["detail_belanja"]) == pytest.approx(payment["nilai_sp_2_d"])
    office = payments[0]["id_skpd"]
    lines = sipd(switched, f"referensi/strict/laporan/dpa/dpa/rincian-belanja/{office}", "limit=1000")[2]
    assert lines
    assert sipd(switched, "pengeluaran/strict/sp2d/pembuatan/cetak/1")[0] == 404


def test_the_switch_doubles_no_payment(switched: Simulator) -> None:
    """Numbers begin anew, so that different payments bear one; one payment is in both systems."""
    paid = {
        (row["nomor_sp_2_d"], row["id_skpd"] - 5000, row["nilai_sp_2_d"])
        for row in sipd(switched, INDEX, "limit=1000")[2]
    }
    before = switched.world.rows("SIMDA-SP2D")
    known = {(row["No_SP2D"], row["Kd_Unit"], row["Nilai"]) for row in before}
    assert max(row["Tgl_SP2D"] for row in before) < "2025-07-01"
    assert len(paid & known) == 1
    assert len({number for number, _, _ in paid} & {number for number, _, _ in known}) > 5
    expected = truth(switched.world)["payments"]
    assert expected["count"] == len(paid | known)
    assert expected["amount"] == pytest.approx(sum(amount for _, _, amount in paid | known))


def test_without_a_switch_sipd_holds_nothing(server: Simulator) -> None:
    assert sipd(server, INDEX)[1:] == ("0", [])
    assert truth(server.world)["payments"]["count"] == len(server.world.rows("SIMDA-SP2D"))


# --- faults ------------------------------------------------------------


def test_faults_spoil_the_answers_they_are_meant_for_and_then_pass(server: Simulator) -> None:
    name = "SPSE-TenderPengumuman"
    good = isb(server, name, "2025:999")[2]
    server.faults.add(Fault("html", match=name, times=2))
    assert isb(server, "RUP-MasterSatker", "D999:2025")[2].startswith(b"[")
    assert [isb(server, name, "2025:999")[2][:9] for _ in range(2)] == [b"<!DOCTYPE"] * 2
    assert isb(server, name, "2025:999")[2] == good


def test_broken_answers(server: Simulator) -> None:
    name, parameter = "SPSE-TenderPengumuman", "2025:999"
    good = isb(server, name, parameter)[2]
    server.faults.add(Fault("truncated", match=name))
    assert isb(server, name, parameter)[2] == good[: len(good) // 2]
    server.faults.add(Fault("status", match=name, status=500))
    assert isb(server, name, parameter)[0] == 500
    server.faults.add(Fault("rate_limit", match=name, retry_after="3"))
    status, headers, _ = isb(server, name, parameter)
    assert (status, headers["Retry-After"]) == (429, "3")
    server.faults.add(Fault("drop", match=name))
    with pytest.raises((HTTPException, OSError)):
        isb(server, name, parameter)
    server.faults.add(Fault("hang", match=name, seconds=0.3))
    began = time.monotonic()
    with pytest.raises((OSError, urllib.error.URLError)):
        isb(server, name, parameter)
    assert time.monotonic() - began >= 0.3
    assert isb(server, name, parameter)[2] == good


def test_answers_that_look_right_and_are_not(server: Simulator) -> None:
    name, parameter = "SPSE-NonTenderPengumuman", "2025:999"
    good = json.loads(isb(server, name, parameter)[2])

    def spoiled(kind: str, **more: Any) -> Any:
        server.faults.add(Fault(kind, match=name, **more))
        return json.loads(isb(server, name, parameter)[2] or b"[]")

    assert all("kd_nontender" not in row and "kd_rup" in row for row in spoiled("missing_column"))
    assert all("kd_rup" not in row for row in spoiled("missing_column", column="kd_rup"))
    assert spoiled("few_rows") == good[: len(good) // 5]
    assert spoiled("empty") == []
    assert {row["pagu"] for row in spoiled("wrong_types")} == {"sepuluh juta rupiah"}
    assert {row["pagu"] for row in spoiled("huge_numbers")} == {10**30}
    assert spoiled("duplicate_page") == good + good
    assert spoiled("wrong_total") == good[: len(good) // 3]
    few = spoiled("few_distinct")
    assert len(few) == len(good) > 10 * len({row["kd_nontender"] for row in few})
    lost = [row for row in spoiled("lost_codes") if row["kd_nontender"] is None]
    assert len(lost) == pytest.approx(len(good) * 0.4, abs=1)
    shifted = spoiled("shifted_row")
    assert shifted[1:] == good[1:]
    assert list(shifted[0].values())[1:] == list(good[0].values())[:-1]


def pages_of(server: Simulator, endpoint: str, limit: int = 8) -> list[Any]:
    """Pages of INAPROC until the last; None where the connection broke."""
    pages: list[Any] = []
    cursor = ""
    while True:
        try:
            envelope = inaproc(server, endpoint, f"kode_klpd=D999&tahun=2025&limit={limit}{cursor}")[2]
        except (HTTPException, OSError):
            return [*pages, None]
        for row in envelope["data"] or []:
            del row["last_update_ref"]
        pages.append(envelope["data"])
        if len(pages) > 500 or not envelope["meta"]["has_more"]:
            return pages
        cursor = f"&cursor={envelope['meta']['cursor']}"


def test_pages_break_come_twice_or_begin_empty(server: Simulator) -> None:
    endpoint = "rup/paket-penyedia-terumumkan"
    good = pages_of(server, endpoint)
    assert len(good) > 4
    server.faults.add(Fault("drop", match=endpoint, after_page=2))
    assert pages_of(server, endpoint) == [*good[:2], None]
    assert pages_of(server, endpoint) == good
    server.faults.add(Fault("duplicate_page", match=endpoint, after_page=1))
    assert pages_of(server, endpoint) == [*good[:2], *good[1:]]
    server.faults.add(Fault("null_first_page", match=endpoint))
    assert pages_of(server, endpoint) == [None, *good]
    server.faults.add(Fault("same_page", match=endpoint, times=None))
    assert pages_of(server, endpoint) == [good[0]] * len(good)
    server.faults.clear()
    server.faults.add(Fault("deleted_row", match=endpoint, times=None))
    received = [row["kd_rup"] for page in pages_of(server, endpoint) for row in page]
    assert received == [row["kd_rup"] for page in good for row in page if row is not good[1][0]]
    server.faults.clear()
    server.faults.add(Fault("endless", match=endpoint, times=None))
    assert len(pages_of(server, endpoint)) > 500


def test_totals_that_do_not_match(server: Simulator) -> None:
    for match, address in (
        ("peserta-tender", f"{server.url}/api/v1/tender/peserta-tender?kode_klpd=D999&tahun=2025&limit=1000"),
        ("Usulan", f"{server.url}/musrenbang/api/usulan?tahun=2025"),
    ):
        server.faults.add(Fault("wrong_total", match=match))
        envelope = json.loads(ask(address, token="token-rahasia")[2])
        total = envelope.get("total") or envelope["meta"]["total"]
        assert len(envelope["data"]) == total // 3
        assert len(json.loads(ask(address, token="token-rahasia")[2])["data"]) == total
    good = sipd(server, "referensi/strict/laporan/dpa/dpa/rincian-belanja/5001", "limit=1000")[1:]
    server.faults.add(Fault("wrong_total", match="rincian-belanja"))
    bad = sipd(server, "referensi/strict/laporan/dpa/dpa/rincian-belanja/5001", "limit=1000")[1:]
    assert bad == (good[0], good[1][: len(good[1]) // 3])


@pytest.mark.parametrize("wording", range(len(ERROR_OBJECTS)))
@pytest.mark.parametrize("path", ["api/v1/rup/master-satker?kode_klpd=D999&tahun=2025", "simpen/api/progres"])
def test_errors_that_come_with_status_200(server: Simulator, path: str, wording: int) -> None:
    server.faults.add(Fault("error_object", wording=wording))
    status, _, body = ask(f"{server.url}/{path}", token="token-rahasia")
    assert (status, json.loads(body)) == (200, ERROR_OBJECTS[wording])


def test_answers_that_are_slow_or_far_too_large(server: Simulator) -> None:
    path = f"{server.url}/simpen/api/pekerjaan"
    good = ask(path)[2]
    server.faults.add(Fault("huge", megabytes=3), Fault("gzip_bomb", megabytes=3))
    assert len(ask(path)[2]) == len(good) + 3 * 2**20
    _, headers, packed = ask(path)
    assert headers["Content-Encoding"] == "gzip"
    assert len(packed) < len(good)
    assert json.loads(gzip.decompress(packed)) == json.loads(good)
    path = f"{server.url}/simpen/api/progres?tahun=2019"
    good = ask(path)[2]
    server.faults.add(Fault("slow", seconds=0.01))
    began = time.monotonic()
    assert ask(path)[2] == good
    assert time.monotonic() - began >= 0.01 * len(good)


def test_faults_and_days_can_be_had_over_http() -> None:
    with running(World(100, seed=5)) as server:
        status, _, body = ask(
            f"{server.url}/_simulator/faults", "POST", [{"kind": "empty", "match": "pengumuman", "times": None}]
        )
        assert status == 200
        assert json.loads(body)[0]["kind"] == "empty"
        assert inaproc(server, "tender/pengumuman", token="simulator")[2]["data"] is None
        assert ask(f"{server.url}/_simulator/faults", "POST", {"kind": "gempa"})[0] == 400
        assert ask(f"{server.url}/_simulator/faults", "POST", {"kind": "empty", "bukan": 1})[0] == 400
        assert ask(f"{server.url}/_simulator/faults", "DELETE")[2] == b"[]"
        assert inaproc(server, "tender/pengumuman", token="simulator")[2]["data"]
        before = isb(server, "RUP-PaketPenyedia-Terumumkan", key="simulator")[2]
        summary = json.loads(ask(f"{server.url}/_simulator/advance", "POST", {"days": 2, "change_share": 0.05})[2])
        assert summary["date"] == "2025-10-05"
        assert summary["new"] > 0
        after = isb(server, "RUP-PaketPenyedia-Terumumkan", key="simulator")[2]
        assert after != before
        assert json.loads(after) == server.world.rows("RUP-PaketPenyedia-Terumumkan")
        assert json.loads(ask(f"{server.url}/_simulator/truth")[2]) == truth(server.world)
        assert ask(f"{server.url}/_simulator/gempa")[0] == 404


def test_answers_come_to_several_clients_at_once(server: Simulator) -> None:
    answers: list[bytes] = []

    def read() -> None:
        answers.extend(isb(server, "SPSE-PesertaTender", "2025:999")[2] for _ in range(3))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 18
    assert len(set(answers)) == 1


# --- dumps and the command ------------------------------------------------------------


def test_dumps_are_what_the_server_says(server: Simulator, tmp_path: Path) -> None:
    counts = write_dumps(server.world, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.json")} == SERVICES.keys() | {"truth"}
    for name in SERVICES:
        rows = json.loads((tmp_path / f"{name}.json").read_bytes())
        assert len(rows) == counts[name]
        parameter = "2025:999" if name.startswith("SPSE") else "2025:D999"
        assert rows == (server.world.rows(name) if name in LOCAL else json.loads(isb(server, name, parameter)[2]))
    assert json.loads((tmp_path / "truth.json").read_bytes()) == truth(server.world)


def test_dumps_can_be_csv_and_xlsx(world: World, tmp_path: Path) -> None:
    write_dumps(world, tmp_path, {"SPSE-NonTenderPengumuman": "csv", "RUP-PaketAnggaranPenyedia": "xlsx"})
    assert not (tmp_path / "SPSE-NonTenderPengumuman.json").exists()
    with (tmp_path / "SPSE-NonTenderPengumuman.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    own = world.rows("SPSE-NonTenderPengumuman")
    assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in own] == rows
    sheet = openpyxl.load_workbook(tmp_path / "RUP-PaketAnggaranPenyedia.xlsx", read_only=True).worksheets[0]
    header, *cells = sheet.iter_rows(values_only=True)
    assert [dict(zip(header, row, strict=True)) for row in cells] == world.rows("RUP-PaketAnggaranPenyedia")


def test_dumps_refuse_what_they_can_not_write(world: World, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose json, csv or xlsx"):
        write_dumps(world, tmp_path, {"RUP-MasterSatker": "dbf"})
    with pytest.raises(KeyError, match="RUP-TidakAda"):
        write_dumps(world, tmp_path, {"RUP-TidakAda": "csv"})


def options(**given: Any) -> Any:
    return Namespace(**{"packages": 60, "seed": 2, "year": 2026, "days": 0, "serve": None, "out": None} | given)


def test_the_command_writes_a_folder_or_one_for_each_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(options(out=tmp_path / "one")) == 0
    assert json.loads((tmp_path / "one/truth.json").read_bytes())["date"] == "2026-10-03"
    assert command.run(options(out=tmp_path / "more", days=2)) == 0
    assert sorted(path.name for path in (tmp_path / "more").iterdir()) == ["2026-10-03", "2026-10-04", "2026-10-05"]
    first, last = (tmp_path / f"more/2026-10-0{day}/RUP-PaketPenyedia-Terumumkan.json" for day in (3, 5))
    assert first.read_bytes() != last.read_bytes()
    assert "RUP" not in capsys.readouterr().err


def test_the_command_serves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Until it is stopped; a port that is taken or no port at all is said plainly."""
    served = threading.Event()

    def stop_at_once(server: Simulator, **_: object) -> None:
        served.set()
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.server.Simulator.serve_forever", stop_at_once)
    assert command.run(options(serve="127.0.0.1:0", days=1)) == 0
    assert served.is_set()
    assert re.search(r"http://127\.0\.0\.1:\d+/isb-2", capsys.readouterr().out)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert command.run(options(serve=f"127.0.0.1:{taken.getsockname()[1]}")) == 1
    assert "choose another port" in capsys.readouterr().err
    assert command.run(options(serve="127.0.0.1")) == 2


def test_a_server_is_bound_before_it_answers() -> None:
    server = serve(World(10, seed=1))
    try:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=1) as client:
            assert client.getpeername()[0] == "127.0.0.1"
    finally:
        server.server_close()
