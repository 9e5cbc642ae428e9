"""`jejak check`: one thing at a time is broken, against real servers and files, and the setting to change is named."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import tenacity
from sqlalchemy import inspect, make_url

from pipeline.registry import SERVICES
from tests.answering import Answer, answering
from tests.test_reaching import over_tls
from tests.worlds import CommandResult, EditedWorld, Town, jejak, served, toml

TENDERS, PLANS, ORDERS = "SPSE-TenderPengumuman", "RUP-PaketPenyedia-Terumumkan", "Ecat-PaketEPurchasingV6"
SECRET = "rahasia-yang-tak-boleh-bocor"


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with served(EditedWorld(30, seed=7), folder, f"sqlite:///{folder / 'jejak.db'}") as town:
        yield town


@pytest.fixture
def tried(tmp_path: Path) -> Callable[..., CommandResult]:
    """`jejak check` of one source with these settings; services given as `services` alone are read."""

    def check(source: str, *arguments: str, **options: Any) -> CommandResult:
        only = options.setdefault("services", {})
        off = {name: {"enabled": False} for name, (owner, _) in SERVICES.items() if owner == source}
        settings = {
            "name": "Kabupaten Rekaan",
            "ocid_prefix": "ocds-000000",
            "kd_klpd": "D999",
            "kd_lpse": "999",
            "fiscal_years": [2025],
            "warehouse_url": f"sqlite:///{tmp_path / 'jejak.db'}",
            "sources": {source: {"retries": 0, **options, "services": off | only}},
        }
        path = tmp_path / "settings.toml"
        path.write_text("".join(f"{name} = {toml(value)}\n" for name, value in settings.items()))
        result = jejak("check", source, *arguments, "--settings", path)
        assert SECRET not in result.out + result.err
        assert not (tmp_path / "jejak.db").exists()
        return result

    return check


def assert_wrong(result: CommandResult, *words: str) -> None:
    assert result.status == 1, result.out + result.err
    for word in words:
        assert word in result.out, result.out


# --- all is well -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["isb", "rest", "files"])
def test_what_is_right_is_found_right_and_nothing_is_loaded(town: Town, transport: str) -> None:
    town.dump()
    result = town.jejak("check", settings=town.settings(transport, only=[TENDERS, PLANS, "RUP-MasterProvinsi"]))
    assert result.status == 0, result.out + result.err
    assert result.out.endswith("All is well: run `jejak sync`.\n")
    assert inspect(town.engine).get_table_names() == []


def test_the_answer_as_json(town: Town) -> None:
    settings = town.settings("rest", only=[TENDERS, PLANS])
    result = town.jejak("check", "lpse", "--service", TENDERS, "--json", settings=settings)
    assert result.status == 0, result.err
    (found,) = json.loads(result.out)
    assert (found["source"], found["service"], found["scope"], found["ok"]) == ("lpse", TENDERS, "2025", True)
    assert (found["problems"], found["lost"], found["unreadable"]) == ([], [], 0)
    assert {"kd_tender", "pagu"} <= {*found["own"]}


# --- one thing is wrong ----------------------------------------------------------------------------------------------


def test_host_and_port(tried: Callable[..., CommandResult]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        unused_port = listener.getsockname()[1]
    both: dict[str, Any] = {TENDERS: {}, ORDERS: {}}
    result = tried("lpse", transport="inaproc", token=SECRET, url="http://tidak-ada.invalid/api", services=both)
    assert_wrong(result, "check the host in the source's url", f"{ORDERS}: not tried, since nobody answered before")
    url = f"http://127.0.0.1:{unused_port}/api"
    assert_wrong(
        tried("lpse", transport="inaproc", token=SECRET, url=url, services=both), "check host and port in the source's"
    )


def test_password_of_a_database(tried: Callable[..., CommandResult], postgres_server: str) -> None:
    there = make_url(postgres_server).set(drivername="postgresql+psycopg", username="tidak_ada", password=SECRET)
    database = there.render_as_string(hide_password=False)
    result = tried("simda", transport="sql", database=database, services={"SIMDA-SP2D": {}})
    assert_wrong(result, "check user and password in JEJAK_SOURCES__SIMDA__DATABASE")


@pytest.mark.parametrize("status", [401, 403])
def test_token_and_public_address(tried: Callable[..., CommandResult], status: int) -> None:
    with answering(Answer({"error": {"code": status}}, status=status)) as server:
        result = tried("lpse", transport="inaproc", token=SECRET, url=f"{server.url}/api", services={TENDERS: {}})
    assert_wrong(result, f"answered {status}", "Set JEJAK_SOURCES__LPSE__TOKEN", "public address is registered")


def test_certificate(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    with over_tls(tmp_path) as (url, _):
        result = tried("lpse", transport="inaproc", token=SECRET, url=url, services={TENDERS: {}})
    assert_wrong(result, "set REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize("variable", ["JEJAK_KD_KLPD", "JEJAK_KD_LPSE", "JEJAK_FISCAL_YEARS"])
def test_codes_and_year(town: Town, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "[2019]" if variable == "JEJAK_FISCAL_YEARS" else "D998")
    transport, source = ("isb", "lpse") if variable == "JEJAK_KD_LPSE" else ("rest", "sirup")
    result = town.jejak("check", source, settings=town.settings(transport, only=[TENDERS, ORDERS, PLANS]))
    assert_wrong(result, "check the fiscal year, and kd_klpd and kd_lpse in the settings")


def test_a_new_year_without_rows_yet_is_no_fault(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJAK_FISCAL_YEARS", "[2025, 2026]")
    result = town.jejak("check", "sirup", settings=town.settings("rest", only=[PLANS]))
    assert result.status == 0, result.out
    assert f"{PLANS} 2025: " in result.out


def test_number_of_a_service(town: Town, tried: Callable[..., CommandResult]) -> None:
    reached = {"transport": "isb", "url": f"{town.server.url}/isb-2", "api_key": SECRET}
    assert_wrong(
        tried("lpse", **reached, services={TENDERS: {}}),
        f'ISB knows a service by its number: set service_no in [sources.lpse.services."{TENDERS}"]',
    )
    with answering(Answer("URL-NOT-DEFINED", status=404)) as server:
        reached["url"] = f"{server.url}/isb-2"
        result = tried("lpse", **reached, services={TENDERS: {"service_no": "1"}})
    assert_wrong(result, "answered 404", "service_no")


JOBS = "SIMPEN-Pekerjaan"


def test_key_column(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    (tmp_path / "rekap.csv").write_text("ID Pekerjaan;Nilai Kontrak;nama_pekerjaan\n1;5;Jalan\n2;6;Irigasi\n")
    own = {"file": "rekap.csv", "columns": {"nilai_kontrak": "Nilai Kontrak"}}
    result = tried("simpen", transport="files", folder=str(tmp_path), services={JOBS: own})
    assert_wrong(
        result, f'[sources.simpen.services."{JOBS}".columns] pekerjaan_id = "ID Pekerjaan"', "mapped: nilai_kontrak"
    )
    own["columns"] |= {"pekerjaan_id": "ID Pekerjaan"}  # type: ignore[operator]
    result = tried("simpen", transport="files", folder=str(tmp_path), services={JOBS: own})
    assert result.status == 0, result.out


def test_mapped_column_that_is_not_there(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    (tmp_path / "rekap.csv").write_text("pekerjaan_id;nama\n1;Jalan\n")
    own = {"file": "rekap.csv", "columns": {"nama_pekerjaan": "Nama Paket"}}
    result = tried("simpen", transport="files", folder=str(tmp_path), services={JOBS: own})
    assert_wrong(result, "lacks the mapped columns Nama Paket; mend the file or the mapping in settings")


def test_sheet_and_file(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    rows = pd.DataFrame({"pekerjaan_id": [1], "nama_pekerjaan": ["Jalan"]})
    rows.to_excel(tmp_path / "rekap.xlsx", sheet_name="Kec. Kota", index=False)
    own = {"file": "rekap.xlsx", "sheet": "Kec. Kta"}
    assert_wrong(tried("simpen", transport="files", folder=str(tmp_path), services={JOBS: own}), "sheet", "Kec. Kota")
    own = {"file": "rekp.xlsx"}
    assert_wrong(
        tried("simpen", transport="files", folder=str(tmp_path), services={JOBS: own}), "no file rekp.xlsx", "set file"
    )


def test_folder(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    assert_wrong(
        tried("simpen", transport="files", services={JOBS: {}}), "set JEJAK_DUMPS or JEJAK_SOURCES__SIMPEN__FOLDER"
    )
    result = tried("simpen", transport="files", folder=f"{tmp_path}/none", services={JOBS: {}})
    assert_wrong(result, "set dumps (JEJAK_DUMPS) or the source's folder")


def test_one_fault_is_the_only_one_named(town: Town) -> None:
    """What is broken at one source leaves the others right, and a list that a source lacks is no fault."""
    settings = town.settings("rest", only=[TENDERS, PLANS, "RUP-MasterProvinsi"])
    town.edit(TENDERS, lambda rows: [{"nama": 1}])
    try:
        result = town.jejak("check", "--json", settings=settings)
    finally:
        town.edit(TENDERS, None)
    assert result.status == 1
    found = {each["service"]: each for each in json.loads(result.out)}
    assert [name for name, each in found.items() if not each["ok"]] == [TENDERS]
    assert found["RUP-MasterProvinsi"]["notes"] == ["the source has no such list: it is left out"]


def test_what_many_lists_need_is_said_once(tried: Callable[..., CommandResult]) -> None:
    result = tried("sirup", transport="inaproc", services={PLANS: {}, "RUP-MasterSatker": {}, "RUP-MasterProvinsi": {}})
    assert result.status == 1
    assert result.out.count("set JEJAK_SOURCES__SIRUP__TOKEN") == 1
    assert "the same: RUP-MasterSatker" in result.out
    # A list that nobody offers is no fault where the others could not be asked.
    assert "RUP-MasterProvinsi" not in [line.split()[2] for line in result.out.splitlines() if line.startswith("WRONG")]


def test_a_token_that_no_list_takes_is_said_once(tried: Callable[..., CommandResult]) -> None:
    refused = Answer({"error": {"code": 401}}, status=401)
    with answering(*[refused] * 9) as server:
        lists: dict[str, Any] = {TENDERS: {}, "SPSE-TenderSelesai": {}, "SPSE-PesertaTender": {}}
        result = tried("lpse", transport="inaproc", token=SECRET, url=f"{server.url}/api", services=lists)
    assert result.out.count("Set JEJAK_SOURCES__LPSE__TOKEN") == 1, result.out
    assert "3 of 3 lists need something" in result.out


def test_a_folder_whose_files_are_called_otherwise(tried: Callable[..., CommandResult], tmp_path: Path) -> None:
    folder = tmp_path / "simpen"
    folder.mkdir()
    pd.DataFrame({"ID": [1], "nama pekerjaan": ["Jalan"]}).to_excel(folder / "Rekap 2025.xlsx", index=False)
    (folder / "~$Rekap 2025.xlsx").write_bytes(b"")
    result = tried("simpen", transport="files", folder=str(folder), services={JOBS: {}, "SIMPEN-Progres": {}})
    assert_wrong(result, "(it has Rekap 2025.xlsx)", "set file in")
    assert [line.split()[2] for line in result.out.splitlines() if line.startswith("WRONG")] == [JOBS]
    own = {"file": "Rekap*.xlsx"}
    result = tried("simpen", transport="files", folder=str(folder), services={JOBS: own})
    assert_wrong(result, f'[sources.simpen.services."{JOBS}".columns] pekerjaan_id = "ID"')
