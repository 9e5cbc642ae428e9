"""The simulator's own systems of the regency: what is typed there, how badly, what is true of it, and who serves it."""

import csv
import json
import re
import sqlite3
import urllib.error
import urllib.request
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

import schemas.simda
from connectors.simda import fetch
from schemas.settings import Settings, SourceSettings
from simulator import command, simda
from simulator.drops import DROPS, write_drops
from simulator.facts import LedgerContract
from simulator.faults import Fault
from simulator.noise import Noise
from simulator.rendering import Row
from simulator.server import LOCAL_PATHS, running
from simulator.simda_database import Case, OthersDatabase, write_simda
from simulator.truth import truth
from simulator.world import LKPP, LOCAL, SERVICES, World, evaluation_world
from transforms.rows import identify

SETTINGS = Settings(name="Contoh", ocid_prefix="ocds-000000", kd_klpd="D999", kd_lpse="999", fiscal_years=[2025])
# SIPD-RI's payments are those of SIMDA, at addresses of their own.
SIMDA = tuple(service for service in schemas.simda.SERVICES if service.name in SERVICES)


@pytest.fixture(scope="module")
def world() -> World:
    return evaluation_world(seed=4, packages=1500)


@pytest.fixture(scope="module")
def links(world: World) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = truth(world)["links"]
    return found


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


# --- one world per seed and noise ------------------------------------------------------------------------------------


def test_noise_is_typed_with_chances_of_its_own() -> None:
    """Without noise and with it LKPP's systems say the same, but for twins."""
    quiet, noisy = World(200, seed=3, noise=Noise(twins=0)), World(200, seed=3, noise=Noise(*[0.0] * 11))
    assert {name: quiet.rows(name) for name in LKPP} == {name: noisy.rows(name) for name in LKPP}
    assert any(quiet.rows(name) != noisy.rows(name) for name in LOCAL)


def test_an_evaluation_has_hundreds_of_contracts() -> None:
    large = evaluation_world(seed=1)
    assert sum(attempt.contract is not None for attempt in large.attempts) > 300
    assert len(large.rows("SIMPEN-Pekerjaan")) > 150


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (0.30, lambda w: [job.rup is None for job in w.jobs]),
        (0.43, lambda w: [entry.number != contract(entry).number for entry in known(w)]),
        (0.05, lambda w: [entry.value != contract(entry).versions[0].value for entry in known(w)]),
        (0.05, lambda w: [fact.absent for fact in (*w.proposals, *w.ledger, *w.jobs, *w.accounts, *w.documents)]),
        (0.10, lambda w: [proposal.village != proposal.need.village.name for proposal in w.proposals]),
        (0.10, lambda w: [proposal.former_office is not office_of(proposal, w) for proposal in fulfilled(w)]),
        (0.05, lambda w: [proposal.office is not office_of(proposal, w) for proposal in fulfilled(w)]),
        (0.02, lambda w: [count > 1 for count in Counter(entry.attempt for entry in known(w)).values()]),
    ],
    ids=["no RUP", "numbers", "amounts", "missing", "villages", "moved", "moved unnoticed", "twice"],
)  # fmt: skip
def test_the_usual_noise(expected: float, found: Callable[[World], list[bool]], world: World) -> None:
    values = found(world)
    assert share(values) == pytest.approx(expected, abs=3.5 * (expected / len(values)) ** 0.5)


def known(world: World) -> list[LedgerContract]:
    return [entry for entry in world.ledger if entry.attempt]


def contract(entry: LedgerContract) -> Any:
    return entry.attempt.contract  # type: ignore[union-attr]


def fulfilled(world: World) -> list[Any]:
    return [proposal for proposal in world.proposals if proposal.need.plans]


def office_of(proposal: Any, world: World) -> Any:
    return proposal.need.plans[0].office


def test_noise_is_a_factor_or_shares() -> None:
    assert Noise().scaled(2).no_rup == 0.6
    assert Noise().scaled(9).no_rup == 0.95
    assert World(60, seed=1, noise=0).noise == Noise().scaled(0)
    none = World(60, seed=1, noise=0)
    facts: list[Any] = [*none.proposals, *none.ledger, *none.jobs, *none.documents]
    assert not any(fact.absent for fact in facts)


# --- the truth -------------------------------------------------------------------------------------------------------


def test_both_ends_of_every_link_have_a_row(world: World, links: dict[str, list[list[str]]]) -> None:
    ends = {("office", row["kd_satker_str"]) for row in world.rows("RUP-MasterSatker")}
    for service in SIMDA:
        ends |= {(str(service.kind), identify(service, row).code) for row in world.rows(service.name)}
    for name, kind in {
        "Musrenbang-Usulan": "usulan",
        "Musrenbang-Pokir": "pokir",
        "SIMPEN-Pekerjaan": "pekerjaan",
        "SPSE-TenderPengumuman": "tender",
        "SPSE-NonTenderPengumuman": "nontender",
        "SPSE-PencatatanNonTender": "pencatatan",
        "SPSE-PencatatanSwakelola": "swakelola",
        "Ecat-PaketEPurchasingV6": "ecat",
        "Ecat-PaketEPurchasing": "ecat",
        "RUP-PaketAnggaranPenyedia": "rup",
        "RUP-PaketAnggaranSwakelola": "swk",
    }.items():
        ends |= {(kind, str(row[SERVICES[name].code])) for row in world.rows(name)}
    ends |= {("dokumen", f"{row['kode']}|{row['url']}") for row in world.rows("Dokumen-Perencanaan")}
    older = {str(code) for plan in world.plans for code in (plan.root, *(each.old for each in plan.revisions))}
    assert all(links.values())
    for rule, pairs in links.items():
        assert pairs == sorted(pairs)
        for from_kind, from_code, to_kind, to_code in pairs:
            assert rule == "office" or (from_kind, from_code) in ends, rule
            # A purchase or document may name a package by a code that was revised since.
            assert (to_kind, to_code) in ends or to_code in older, rule


def test_proposals_are_merged_split_and_often_come_to_nothing(world: World, links: dict[str, list[list[str]]]) -> None:
    pairs = [(tuple(link[:2]), tuple(link[2:])) for link in links["proposal-package"]]
    packages, proposals = Counter(to for _, to in pairs), Counter(of for of, _ in pairs)
    assert max(packages.values()) > 1
    assert max(proposals.values()) > 1
    rows = len(world.rows("Musrenbang-Usulan")) + len(world.rows("Musrenbang-Pokir"))
    assert 0.3 < len(proposals) / rows < 0.6
    named = [
        plan
        for proposal in fulfilled(world)
        for plan in proposal.need.plans
        if not any(need.village.name in f"{plan.title} {plan.places}" for need in plan.needs)
    ]
    assert not named


def plain(parts: list[Any]) -> str:
    """The parts of a budget code without leading zeros."""
    return re.sub(r"(^|\.)0+(?=\d)", r"\1", ".".join(map(str, parts)))


def test_a_budget_is_linked_to_the_packages_that_carry_its_code(
    world: World, links: dict[str, list[list[str]]]
) -> None:
    """Rebuilt from the rows as a reader must."""
    carried = {
        (plain(row["mak"].split(".")[:12]), row["kd_satker_str"], str(row["kd_rup"]))
        for name in ("RUP-PaketAnggaranPenyedia", "RUP-PaketAnggaranSwakelola")
        for row in world.rows(name)
    }
    budget = schemas.simda.SERVICES[0]
    offices = {simda.unit_name(office): office.code for office in world.offices}
    expected = set()
    for row in world.rows(budget.name):
        parts = [row[name] for name in row if name.startswith(("kd_u", "kd_b", "kd_p", "kd_k", "kd_s", "kd_r"))]
        if row["kd_rek90_1"]:
            parts = [part for part in parts if part != row["kd_unit90"]]
            names = (plain(parts), offices[row["Nm_Sub_Unit"]])
            expected |= {(identify(budget, row).code, to) for *carrier, to in carried if tuple(carrier) == names}
    assert {(of, to) for _, of, _, to in links["budget-package"]} == expected


def test_links_end_with_the_rows_that_they_are_of() -> None:
    living = World(300, seed=6)
    before = truth(living)["links"]
    summary = living.advance(6, change_share=0.05)
    after = truth(living)["links"]
    assert summary["events"]["late_row_came"]
    assert summary["events"]["row_vanished"]
    for rule in ("contract-payment", "contract-report", "proposal-package", "document-package"):
        assert before[rule] != after[rule], rule


# --- who serves it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["as documented", "lower", "upper"])
def test_the_database_says_what_the_flat_rows_say(empty_url: str, case: Case) -> None:
    town = World(150, seed=8, years=2)
    for _ in range(2):
        write_simda(town, empty_url, case)
        for service in SIMDA:
            for year in (2024, 2025):
                assert read(empty_url, service, year) == known_rows(service, town.rows(service.name, year))
        town.advance(2, change_share=0.1)


def read(url: str, service: Any, year: int) -> Counter[tuple[str, str]]:
    source = SourceSettings(transport="sql", database=SecretStr(url))
    return known_rows(service, [row for page in fetch(service, SETTINGS, source, str(year)) for row in page.rows])


def known_rows(service: Any, rows: list[Any]) -> Counter[tuple[str, str]]:
    found = [identify(service, row) for row in rows]
    return Counter((each.key, each.content_hash) for each in found)


def test_the_database_holds_what_is_not_to_be_read(tmp_path: Path) -> None:
    """Void orders, an earlier budget, payments without a contract, and personal data that the world owns up to."""
    town = evaluation_world(seed=2, packages=300)
    url = f"sqlite:///{tmp_path}/simda.db"
    write_simda(town, url)
    engine = create_engine(make_url(url))
    with engine.connect() as conn:
        assert set(conn.scalars(text("SELECT DISTINCT Kd_Perubahan FROM Ta_RASK_Arsip"))) == {4, 6}
        void = conn.scalar(text("SELECT count(*) FROM Ta_SPM JOIN Ta_SP2D USING (Tahun, No_SPM) WHERE Kd_Edit = 2"))
        assert void > 0
        paid = conn.scalar(text("SELECT count(*) FROM Ta_SP2D"))
        assert paid > void + len(town.rows("SIMDA-SP2D"))
        personal = town.personal_values()
        for column in ("Nm_Pemilik", "Alamat", "No_Rekening", "Nm_Rekening"):
            assert set(conn.scalars(text(f"SELECT {column} FROM Ta_Kontrak"))) - {"-"} <= personal
        assert set(conn.scalars(text("SELECT Nip_Penandatangan FROM Ta_SPM WHERE Jn_SPM = 3"))) <= personal
    engine.dispose()


def ask(url: str, token: str | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_regencys_systems_answer_page_by_page(tmp_path: Path) -> None:
    town = evaluation_world(seed=5, packages=1200)
    url = f"sqlite:///{tmp_path}/simda.db"
    with running(town, token="rahasia", simda_url=url) as server:

        def rows_of(path: str) -> list[Row]:
            following: str | None = f"{server.url}{path}?tahun=2025"
            rows = []
            while following:
                status, body = ask(following, "rahasia")
                assert status == 200
                if isinstance(body, list):
                    return body
                assert len(body["data"]) <= 500
                rows += body["data"]
                following = body["next_page_url"]
            return rows

        for path, name in LOCAL_PATHS.items():
            assert rows_of(path) == town.rows(name), name
        assert any(len(town.rows(name)) > 500 for name in LOCAL_PATHS.values())
        first = f"{server.url}/simpen/api/progres"
        assert ask(first)[0] == 200
        assert ask(first, "salah")[0] == 401
        assert ask(f"{first}?tahun=kini")[0] == 422
        assert ask(f"{first}?tahun=2019")[1]["data"] == []
        for kind in ("duplicate_page", "null_first_page"):
            server.faults.add(Fault(kind, match="SIMPEN-Progres"))
            got = Counter(map(str, rows_of("/simpen/api/progres")))
            assert got.keys() == set(map(str, town.rows("SIMPEN-Progres")))
            assert (max(got.values()) == 2) == (kind == "duplicate_page")
        server.faults.add(Fault("empty", match="musrenbang"))
        assert rows_of("/musrenbang/api/usulan") == []
        server.advance(1, 0.2)
        service = SIMDA[-1]
        assert read(url, service, 2025) == known_rows(service, town.rows(service.name))


def test_drops_have_headings_and_numbers_of_their_own(world: World, tmp_path: Path) -> None:
    counts = write_drops(world, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {file for file, _ in DROPS.values()}
    for name, (file, columns) in DROPS.items():
        if file.endswith(".csv"):
            with (tmp_path / file).open(encoding="utf-8-sig", newline="") as lines:
                header, *rows = csv.reader(lines, delimiter=";")
        else:
            sheet = openpyxl.load_workbook(tmp_path / file, read_only=True).worksheets[0]
            header, *rows = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
        assert header == list(columns.values())
        assert len(rows) == counts[name] == len(world.rows(name))
        assert columns.keys() - {"persentase"} <= world.rows(name)[0].keys()
        if name == "SIMPEN-Progres":
            actual = [row[list(columns).index("realisasi_fisik")] for row in rows]
            slots = [row[list(columns).index("persentase")] for row in rows]
            assert {slot for slot in slots if slot} == {"1", "2", "3", "4"}
            assert {value for value in actual if not re.fullmatch(r"\d+,\d\d( %)?|", value)} <= {
                "#REF!",
                "empat puluh",
                "145%",
            }


def test_the_command_makes_simdas_database_and_drops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"packages": 60, "seed": 2, "year": 2025, "days": 0, "serve": None, "out": tmp_path / "out", "noise": 0.0}
    assert command.run(Namespace(**given, simda=f"sqlite:///{tmp_path}/simda.db")) == 0
    town = World(60, seed=2, noise=0)
    assert json.loads((tmp_path / "out/SIMPEN-Progres.json").read_bytes()) == town.rows("SIMPEN-Progres")
    assert {path.name for path in (tmp_path / "out/drops").iterdir()} == {file for file, _ in DROPS.values()}
    service = schemas.simda.SERVICES[1]
    assert read(f"sqlite:///{tmp_path}/simda.db", service, 2025) == known_rows(service, town.rows(service.name))
    assert command.run(Namespace(**given, simda=f"sqlite:///{tmp_path}/simda.db/rahasia.db")) == 1
    assert "rahasia" not in capsys.readouterr().err


def test_a_database_of_somebody_else_is_no_simda_of_the_simulator(tmp_path: Path) -> None:
    database = tmp_path / "others.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE Ta_SPM (No_SPM TEXT)")
    with pytest.raises(OthersDatabase, match=r"holds tables \(Ta_SPM, ...\) that no simulator has made"):
        write_simda(World(5, seed=1), f"sqlite:///{database}")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("Ta_SPM",)]
