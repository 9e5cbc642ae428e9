"""One page of a service, tried: what is wrong is said with the setting to change."""

import json
from pathlib import Path
from typing import Any

import pytest

import connectors.lpse
import connectors.simpen
import schemas.lpse
import schemas.simpen
from connectors import Checked, check
from schemas.settings import Settings
from tests.answering import Answer, answering

TENDERS = next(service for service in schemas.lpse.SERVICES if service.name == "SPSE-TenderPengumuman")
JOBS = next(service for service in schemas.simpen.SERVICES if service.name == "SIMPEN-Pekerjaan")
TOKEN = "rahasia-yang-tak-boleh-bocor"
GOOD = dict.fromkeys(schemas.lpse.SERVICES[0].fields) | {"kd_tender": 1}


def tried(source: str, **settings: Any) -> Checked:
    known = Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {source: {"retries": 0, "token": TOKEN, **settings}}}
    )  # fmt: skip
    if source == "lpse":
        return check(connectors.lpse.fetch, "lpse", TENDERS, known, "2025")
    return check(connectors.simpen.fetch, "simpen", JOBS, known, "2025")


def inaproc(*answers: Answer) -> Checked:
    with answering(*answers) as server:
        return tried("lpse", transport="inaproc", url=f"{server.url}/api")


def test_a_good_page_is_all_it_takes():
    page = {"success": True, "data": [GOOD, GOOD], "meta": {"has_more": True, "cursor": "a"}}
    with answering(Answer(page), Answer(status=500)) as server:
        found = tried("lpse", transport="inaproc", url=f"{server.url}/api")
    assert len(server.requests) == 1
    assert (found.read_from, found.rows, found.unreadable) == ("INAPROC v1/tender/pengumuman", 2, 0)
    assert found.problems == found.lost == found.unknown == ()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(status=401), "Set JEJAK_SOURCES__LPSE__TOKEN"),
        (Answer(status=403), "public address is registered"),
        (Answer(status=404), "check the source's url"),
        (Answer({"success": True, "data": []}), "check the fiscal year, and kd_klpd and kd_lpse"),
        (Answer({"success": True, "data": [{"kd_tendr": 1}]}), 'kd_tender = "kd_tendr"'),
        (Answer("<html>login"), "HTML"),
    ],
)
def test_what_is_wrong_is_said_with_the_setting(answer, message):
    found = inaproc(answer)
    assert any(message in problem for problem in found.problems)
    assert TOKEN not in repr(found)


def test_a_new_field_of_a_national_system_is_seen_and_no_problem():
    found = inaproc(Answer({"success": True, "data": [{**GOOD, "kolom_baru": 1}]}))
    assert (found.unknown, found.problems) == (("kolom_baru",), ())


def test_a_folder_is_tried_too(tmp_path: Path):
    found = tried("simpen", transport="files", folder=str(tmp_path))
    assert "no file SIMPEN-Pekerjaan.json, .csv, .parquet or .xlsx; put it there" in found.problems[0]
    (tmp_path / "rekap.csv").write_text("Kode;Nama Paket;Nilai\n1;Jalan;5\n")
    found = tried("simpen", transport="files", folder=str(tmp_path), services={JOBS.name: {"file": "rekap.csv"}})
    assert (found.rows, found.unknown) == (1, ("Kode", "Nama Paket", "Nilai"))
    assert any('sources.simpen.services."SIMPEN-Pekerjaan".columns' in problem for problem in found.problems)
    assert "Jalan" not in json.dumps([found.problems, found.unknown])
