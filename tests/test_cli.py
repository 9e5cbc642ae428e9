"""The command line that others script: what it prints, what it writes, how it ends."""

import csv
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import make_url, select

from pipeline import progress
from pipeline.configure import load_settings
from pipeline.registry import SERVICES, SOURCES
from reports.status import status as report_status
from simulator.faults import Fault
from simulator.truth import truth
from simulator.world import LKPP as SIMULATED
from tests.worlds import (
    API_KEY,
    LKPP,
    OF_PROCESSES,
    PREFIX,
    TOKEN,
    EditedWorld,
    Lived,
    Town,
    contents,
    crosswalk,
    differences,
    jejak,
    lines,
    served,
)
from warehouse import tables as t

ROOT = Path(__file__).parents[1]
# One announcement (or order, or record) each: what stands in one process as its own.
ANNOUNCEMENTS = [
    "SPSE-TenderPengumuman",
    "SPSE-NonTenderPengumuman",
    "SPSE-PencatatanNonTender",
    "SPSE-PencatatanSwakelola",
    "Ecat-PaketEPurchasingV6",
    "Ecat-PaketEPurchasing",
    "Bela-TokoDaringRealisasi",
]


# Of the record, not of the state.
HEAD = {"id", "date", "tag", "initiationType", "language"}


def assert_matches(text: str, pattern: str) -> None:
    assert re.search(pattern, text, re.DOTALL), text


# --- status and show -------------------------------------------------------------------------------------------------


def test_status_tells_what_the_last_sync_did(town: Town) -> None:
    empty = json.loads(town.jejak("status", "--json").out)
    assert (empty["services"], empty["records"], empty["sources"]) == ([], {"total": 0, "built": 0}, {})
    assert "jejak sync" in town.jejak("status").out
    town.server.faults.add(Fault("html", "SPSE-PesertaTender"))
    town.edit("SPSE-TenderPengumuman", lambda rows: [*rows, rows[0], rows[0] | {"kd_tender": 0}])
    assert town.jejak("sync").status == 1
    result = town.jejak("status", "--json")
    assert result.status == 0
    status = json.loads(result.out)
    counts = ["fetched", "new", "changed", "unchanged", "duplicate", "rejected", "gone"]
    names = ["source", "service", *counts, "status", "message"]
    assert list(status) == ["warehouse", "services", "sources", "records", "stages", "waiting", "rejects", "links"]
    assert status["sources"] == {name: {"read_at": town.now, "scopes": ["2025"], "empty": False} for name in LKPP}
    assert [list(each) for each in status["services"]] == [names] * len(SIMULATED)
    assert [(each["source"], each["service"]) for each in status["services"]] == [
        (source, service) for source in LKPP for service in SOURCES[source].services
    ]
    by_service = {each["service"]: each for each in status["services"]}
    known = len(town.world.rows("SPSE-TenderPengumuman")) - 2
    assert list(by_service["SPSE-TenderPengumuman"].values())[2:9] == [known + 2, known, 0, 0, 1, 1, 0]
    assert list(by_service["SPSE-PesertaTender"].values())[2:10] == [*[0] * 7, "failed"]
    total = len(town.query(select(t.record)))
    assert status["records"] == {"total": total, "built": total}

    table = town.jejak("status").out
    assert "SPSE-PesertaTender" in table
    assert "FAILED" in table
    assert "an HTML or XML page where JSON is due" in table
    assert "Rejects: 1; see `jejak rejects`." in table
    assert f"lpse       read {town.now[:10]} 19:00 WIB, fiscal year 2025\n" in table
    # A source that was not asked this time keeps its last counts.
    town.next_day(0)
    town.sync("sirup")
    later = json.loads(town.jejak("status", "--json").out)
    assert len(later["services"]) == len(SIMULATED)
    assert {each["service"]: each for each in later["services"]}["SPSE-TenderPengumuman"]["new"] == known
    assert later["records"] == {"total": total, "built": 0}
    # What is no longer in the settings is not told of.
    found = report_status(load_settings(str(town.settings(systems=["sirup"]))))
    assert {each["source"] for each in found["services"]} == {*found["sources"]} == {"sirup"}


def test_what_machines_are_told_has_the_same_names_everywhere(town: Town) -> None:
    only = ["RUP-PaketPenyedia-Terumumkan", "SPSE-TenderPengumuman"]
    settings = town.settings(only=only)

    def shown(*arguments: str, status: int = 0) -> Any:
        result = town.jejak(*arguments, "--json", settings=settings)
        assert result.status == status
        return json.loads(result.out)

    preview = shown("sync", "--dry-run")
    read = shown("sync")
    last = shown("status")
    assert read == {"run": read["run"], "failed": [], **last}
    assert [each["service"] for each in preview["services"]] == [each["service"] for each in read["services"]] == only
    assert {*last["services"][0]} <= {*preview["services"][0]}
    assert [each["new"] for each in preview["services"]] == [each["new"] for each in last["services"]]
    made = shown("changes", read["run"])
    assert made["run"] == read["run"]
    total = last["records"]["total"]
    nothing = {"placed": 0, "linked": 0, "built": 0, "new": 0, "changed": 0, "removed": 0}
    for command, counts in (
        ("build", nothing),
        ("rebuild", {**nothing, "built": total}),
        ("retry", {**shown("retry"), **nothing}),
    ):
        again = shown(command)
        assert again == {**counts, "run": again["run"]}
        assert {each: len(found) for each, found in shown("changes", again["run"]).items() if each in nothing} == {
            "new": 0,
            "changed": 0,
            "removed": 0,
        }
    town.server.faults.add(Fault("html", only[1]))
    failed = shown("sync", "lpse", status=1)
    assert failed["failed"] == [f"{only[1]} 2025"]
    assert [each["status"] for each in failed["services"]] == ["failed"]
    assert "an HTML or XML page" in failed["services"][0]["message"]


def test_two_years_of_a_service_are_one_line_of_the_status(tmp_path: Path, file_url: str) -> None:
    with served(EditedWorld(20, seed=1, years=2), tmp_path, file_url) as town:
        only = ["RUP-PaketPenyedia-Terumumkan", "SPSE-TenderPengumuman"]
        town.sync(settings=town.settings(only=only))
        services = json.loads(town.jejak("status", "--json").out)["services"]
        rows = {name: [len(town.world.rows(name, year)) for year in town.world.years] for name in only}
        assert {each["service"]: each["fetched"] for each in services} == {n: sum(each) for n, each in rows.items()}
        # One year alone, twice over.
        town.sync("lpse", "--year", "2024", settings=town.settings(only=only))
        services = json.loads(town.jejak("status", "--json").out)["services"]
        assert services[1]["fetched"] == services[1]["unchanged"] == rows["SPSE-TenderPengumuman"][0]


def test_show_finds_a_process_by_its_ocid_and_by_the_codes_of_the_sources(lived: Lived) -> None:
    town = lived.town
    tender = next(
        row
        for row in town.world.rows("SPSE-TenderPengumuman")
        if row["kd_rup"].isdecimal() and row["versi_tender"] == 1
    )
    ocid = town.compiled("tender", tender["kd_tender"])["ocid"]
    whole = town.jejak("show", ocid)
    assert whole.status == 0
    assert whole.out.splitlines()[1].startswith(f"{ocid}  ")
    assert "awarded" in whole.out or "tender value" in whole.out
    for code in (tender["kd_rup"], tender["kd_tender"]):
        result = town.jejak("show", code)
        assert result.status == 0
        # Kinds of codes overlap: what else goes by this code is shown too.
        assert f"\n{ocid}  " in result.out
    [compiled] = json_stream(town.jejak("show", ocid, "--json").out)
    # Nothing of it is withdrawn: the state is the record, without what names and dates that.
    record = town.compiled("tender", tender["kd_tender"])
    assert compiled == {name: record[name] for name in record if name not in HEAD}
    [versions] = json_stream(town.jejak("show", ocid, "--versioned").out)
    assert versions["ocid"] == ocid
    assert versions["tender"]["title"][0]["value"]


def test_show_names_the_rest_of_the_family(lived: Lived) -> None:
    family = max(crosswalk(lived.town.engine)[2], key=len)
    first, *others = sorted(f"{PREFIX}-{process}" for process in family)
    result = lived.town.jejak("show", first)
    assert "Of the same family:" in result.out
    for other in others:
        assert f"  {other}  " in result.out


def test_show_of_an_unknown_code_says_so(lived: Lived) -> None:
    result = lived.town.jejak("show", "12345")
    assert (result.status, result.out) == (1, "")
    assert result.err == "jejak: no process has the code 12345; `jejak status` shows what has been synced\n"


def json_stream(text: str) -> Iterator[Any]:
    """The JSON values that stand one after the other in a text."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


# --- rejects ---------------------------------------------------------------------------------------------------------


def test_rejects_are_listed_by_source_with_key_and_reason(lived: Lived) -> None:
    listed = json.loads(lived.town.jejak("rejects", "--json").out)
    names = ["id", "source", "service", "scope", "key", "reason", "rejected_at"]
    assert [list(each) for each in listed] == [names] * len(listed)
    assert {(each["source"], each["service"]) for each in listed} == {
        ("lpse", "SPSE-NonTenderSelesai"),
        ("lpse", "SPSE-PencatatanSwakelolaRealisasi"),
    }
    assert {re.split("[: ]", each["reason"])[0] for each in listed} == {"kd_nontender", "nilai_realisasi"}
    # A side field that can't be read costs no row.
    dropped = lived.town.query(select(t.signal).where(t.signal.c.kind == "dropped"))
    assert "tgl_buat_paket" in {row["field"] for row in dropped}
    text = lived.town.jejak("rejects").out
    assert f"{len(listed)} open rejects." in text
    for each in listed:
        assert f"{each['service']} {each['scope']} {each['key'] or '(no key)'}: {each['reason']}" in text
    of_sirup = lived.town.jejak("rejects", "--source", "sirup", "--json")
    assert json.loads(of_sirup.out) == []
    of_lpse = lived.town.jejak("rejects", "--source", "lpse", "--json")
    assert json.loads(of_lpse.out) == listed


# --- export, validate, identity --------------------------------------------------------------------------------------


def test_every_accepted_row_is_exported_with_its_process_and_release(lived: Lived) -> None:
    exported = lines(lived.out / "rows.jsonl")
    assert [list(row) for row in exported] == [["source", "service", "key", "ocid", "release"]] * len(exported)
    releases = {release["id"]: release["ocid"] for release in lines(lived.out / "releases.jsonl")}
    made = [row for row in exported if row["release"]]
    assert all(releases[row["release"]] == row["ocid"] for row in made)
    # A row that came later and changed nothing is of no release.
    assert len(made) > 0.9 * len(exported)
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in exported:
        assert SERVICES[row["service"]][0] == row["source"]
        found.setdefault((row["service"], row["key"]), Counter())[row["ocid"]] += 1
    ocids = {(row["kind"], row["key"]): row["ocid"] for row in lived.town.query(select(t.identity))}
    records = {row["ocid"] for row in lived.town.query(select(t.record.c.ocid))}
    rows = 0
    for service in OF_PROCESSES:
        # What waits for an announcement is of no record.
        versions = Counter(
            row["code"] for row in lived.town.known(service) if records & {ocids.get((row["kind"], row["code"]))}
        )
        rows += versions.total()
        for code, count in versions.items():
            processes = found.get((service, code), Counter())
            assert set(processes.values()) == {count}, (service, code)
    assert rows <= len(exported)
    for service in ANNOUNCEMENTS:
        for row in lived.town.known(service):
            assert found[service, row["code"]].keys() == {ocids[row["kind"], row["code"]]}


def test_the_exported_files_agree_with_one_another(lived: Lived) -> None:
    names = {path.name for path in lived.out.iterdir()}
    assert names >= {"releases.jsonl", "compiled.jsonl", "records.jsonl", "rows.jsonl", "package.json"}
    compiled = lines(lived.out / "compiled.jsonl")
    assert [record["ocid"] for record in compiled] == sorted(record["ocid"] for record in compiled)
    releases = lines(lived.out / "releases.jsonl")
    order = [(release["ocid"], release["date"]) for release in releases]
    assert order == sorted(order)
    package = json.loads((lived.out / "package.json").read_text(encoding="utf-8"))
    assert package["publisher"]["name"] == "Pemerintah Kabupaten Rekaan"
    # The same warehouse gives the same files.
    again = lived.town.folder / "again"
    assert lived.town.jejak("export", "--out", again).status == 0
    for path in again.glob("*.jsonl"):
        assert path.read_bytes() == (lived.out / path.name).read_bytes()


def test_validate_checks_all_and_lists_findings(lived: Lived) -> None:
    result = lived.town.jejak("validate")
    assert result.status == 0
    counts = len(lines(lived.out / "releases.jsonl")), len(lines(lived.out / "compiled.jsonl"))
    assert_matches(result.out, rf"^{counts[0]} releases\D+{counts[1]} compiled releases\D+0 invalid\.\n")
    schema = lived.town.folder / "schema.json"
    schema.write_text('{"properties": {"language": {"const": "en"}}}', encoding="utf-8")
    result = lived.town.jejak("validate", "--schema", schema)
    assert result.status == 1
    assert f"{counts[0]} invalid" in result.out or f"{sum(counts)} invalid" in result.out
    assert "language" in result.out
    found = json.loads(lived.town.jejak("validate", "--findings", "--json").out)
    assert (found["releases"], found["compiled"], found["invalid"]) == (*counts, [])
    assert found["findings"]
    assert Counter(each["code"] for each in found["listed"]) == {
        code: min(count, 200) for code, count in found["findings"].items()
    }
    found = json.loads(lived.town.jejak("validate", "--schema", schema, "--json").out)
    assert len(found["invalid"]) in (counts[0], sum(counts))


def test_the_crosswalk_goes_to_a_new_warehouse_and_keeps_every_ocid(tmp_path: Path, new_url: Callable[[], str]) -> None:
    crosswalk_file = tmp_path / "identity.csv"
    with served(EditedWorld(40, seed=1), tmp_path, new_url()) as town:
        town.sync("lpse")
        town.sync("sirup")
        for _ in range(2):
            town.next_day(0.05)
            town.sync()
        result = town.jejak("identity", "export", crosswalk_file)
        before = crosswalk(town.engine)
        assert result.out == f"{crosswalk_file}: {len(before[0]):,} codes\n"
        assert crosswalk_file.stat().st_mode & 0o777 == 0o600
        with crosswalk_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["kind", "key", "ocid"]
        assert {(kind, key): ocid.removeprefix(f"{PREFIX}-") for kind, key, ocid in rows[1:]} == before[0]

        other = Town(town.world, town.server, tmp_path, new_url())
        fresh = town.settings(warehouse_url=other.warehouse_url)
        result = town.jejak("identity", "import", crosswalk_file, settings=fresh)
        assert result.out == f"{len(before[0]):,} codes imported, 0 were known\n"
        # Read in the other order, and late: without the crosswalk some codes would come out otherwise.
        town.jejak("sync", settings=fresh)
        after = crosswalk(other.engine)
        assert after[0] == before[0]
        assert after[1] - before[1] == set()
        result = town.jejak("identity", "import", crosswalk_file, settings=fresh)
        assert result.out == f"0 codes imported, {len(before[0]):,} were known\n"

        # A code that has an OCID keeps it, whatever a file says; and then nothing of the file is taken.
        rows[1][2] = f"{PREFIX}-rup-1"
        rows.append(["rup", "123", f"{PREFIX}-rup-123"])
        crosswalk_file.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
        result = town.jejak("identity", "import", crosswalk_file, settings=fresh)
        assert result.status == 1
        assert f"1 codes already have another OCID, the first being {rows[1][0]} {rows[1][1]}" in result.err
        assert crosswalk(other.engine)[0] == before[0]
        other.engine.dispose()


# --- what a call loads -----------------------------------------------------------------------------------------------

LOADED = """
import json, sys
from commands.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded(*words: str) -> set[str]:
    """The packages that a call of `jejak` loads, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", LOADED, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("words", ["--help", "sync --help", "links list --help", "export --help", "simulate --help"])
def test_help_loads_no_library(words: str) -> None:
    heavy = {"airflow", "pandas", "pyarrow", "pydantic", "requests", "sqlalchemy", "simulator", "warehouse"}
    assert loaded(*words.split()) & heavy == set()


def test_a_command_loads_what_it_uses(lived: Lived) -> None:
    used = loaded("status", "--settings", str(lived.town.settings()))
    assert "sqlalchemy" in used
    assert used & {"airflow", "pandas", "pyarrow", "ocdskit", "simulator"} == set()


# --- settings --------------------------------------------------------------------------------------------------------

WRONG_SETTINGS: dict[str, tuple[str, str]] = {
    "no TOML": ("name = ", "is not valid TOML"),
    "a name that nobody knows": ('nama = "x"', "nama is no setting; did you mean name[?]"),
    "nothing": ("", "name: is missing.*ocid_prefix: is missing.*kd_klpd: is missing"),
    "a wrong prefix": (
        'ocid_prefix = "ocds-AAA"',
        "ocid_prefix: has another form than it must have, such as ocds-213czf",
    ),
    "a wrong transport": ('[sources.lpse]\ntransport = "ftp"', "sources.lpse.transport: must be 'isb'"),
    "a secret in the wrong place": (
        f'[sources.lpse]\napi_key = ["{API_KEY}"]\ntoken = {{a = "{TOKEN}"}}',
        "sources.lpse.api_key: must be a text",
    ),
    "not UTF-8": ("\udcff", "is no text in UTF-8: save it as UTF-8"),
    "a share above one": (
        '[sources.lpse.services."SPSE-TenderPengumuman"]\nmin_share = 2',
        "services.SPSE-TenderPengumuman.min_share: must be less than or equal to 1",
    ),
}


@pytest.mark.parametrize("kind", WRONG_SETTINGS)
def test_wrong_settings_are_named_and_secrets_not_repeated(tmp_path: Path, kind: str) -> None:
    content, message = WRONG_SETTINGS[kind]
    path = tmp_path / "wrong.toml"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    result = jejak("status", "--settings", path)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("jejak: settings file ")
    assert_matches(result.err, message)
    assert API_KEY not in result.err
    assert TOKEN not in result.err


def test_settings_must_be_given_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JEJAK_SETTINGS", raising=False)
    result = jejak("status")
    assert result.status == 1
    assert "no settings file: give --settings FILE or set JEJAK_SETTINGS" in result.err
    result = jejak("status", "--settings", tmp_path / "none.toml")
    assert result.status == 1
    assert "none.toml can't be read: No such file" in result.err


def test_the_environment_comes_before_the_file(
    town: Town, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = ["SPSE-TenderPengumuman", "RUP-MasterProvinsi"]
    settings = town.settings(only=only, url="http://127.0.0.1:9/nothing")
    other = new_url()
    for name, value in {
        **town.environment,
        "JEJAK_SETTINGS": str(settings),
        "JEJAK_WAREHOUSE_URL": other,
        "JEJAK_SOURCES__SIRUP__URL": f"{town.server.url}/isb-2",
        "JEJAK_SOURCES__LPSE__TRANSPORT": "rest",
        "JEJAK_SOURCES__LPSE__URL": f"{town.server.url}/api/v1",
        "JEJAK_FISCAL_YEARS": "[2023, 2025]",
    }.items():
        monkeypatch.setenv(name, value)
    result = jejak("sync")
    assert result.status == 0, result.err
    assert town.query(select(t.run)) == []
    there = Town(town.world, town.server, town.folder, other)
    assert len(there.known("SPSE-TenderPengumuman")) == len(town.world.rows("SPSE-TenderPengumuman"))
    scopes = there.query(select(t.run_service.c.service, t.run_service.c.scope))
    assert sorted((each["service"], each["scope"]) for each in scopes) == [
        ("RUP-MasterProvinsi", "all"),
        ("SPSE-TenderPengumuman", "2023"),
        ("SPSE-TenderPengumuman", "2025"),
    ]
    asked = [request["asked"] for request in town.server.requests]
    assert [each.split()[0] for each in asked] == ["isb", "inaproc", "inaproc"]
    # What the environment says wrongly is named too, and not repeated.
    for name, value in (
        ("JEJAK_SOURCES__LPSE__API_KEYS", '{"SPSE-TenderPengumuman": "kunci-terpotong'),
        ("JEJAK_FISCAL_YEARS", "kunci-terpotong"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            result = jejak("status")
        assert result.status == 1, name
        assert result.err.startswith("jejak: ")
        assert "kunci-terpotong" not in result.err
    there.engine.dispose()


# --- how commands end ------------------------------------------------------------------------------------------------


WRONG_PLANS = {
    "--year 1850": "no source has rows of the fiscal year 1850: give one from 2011 to ",
    "lpse --year 2100": "no source has rows of the fiscal year 2100",
    "--service SPSE-TenderPengumumn": "unknown service SPSE-TenderPengumumn; did you mean SPSE-TenderPengumuman?",
    "sirup --service SPSE-TenderPengumuman": "unknown service SPSE-TenderPengumuman of sirup; ",
    "--service SIMDA-SP2D": "source simda is not in the settings: add a section [sources.simda]",
}


def test_a_sync_reads_single_services(town: Town) -> None:
    wanted = ("SPSE-TenderPengumuman", "RUP-MasterProvinsi")
    counts = town.sync(*(f"--service={name}" for name in wanted))
    assert counts.keys() == {*wanted}
    assert counts["SPSE-TenderPengumuman"]["new"] == len(town.world.rows("SPSE-TenderPengumuman"))
    off = town.settings(services={"SPSE-TenderPengumuman": {"enabled": False}})
    result = town.jejak("sync", "lpse", "--service", "SPSE-TenderPengumuman", settings=off)
    assert result.status == 1
    assert 'switched off: enabled = false in [sources.lpse.services."SPSE-TenderPengumuman"]' in result.err


def test_settings_that_read_nothing_are_no_success(town: Town) -> None:
    result = town.jejak("sync", settings=town.settings(only=[]))
    assert (result.status, result.out) == (1, "")
    assert "nothing to read: the settings have no source, or all their services are switched off" in result.err


def test_wrong_calls_end_with_what_to_write(town: Town, tmp_path: Path) -> None:
    result = town.jejak("sync", "simbada")
    assert result.status == 1
    assert "unknown source simbada; did you mean simda?" in result.err
    result = town.jejak("sync", "padi")
    assert result.status == 1
    assert "unknown source padi; there are sirup, lpse, simda" in result.err
    for words, message in WRONG_PLANS.items():
        result = town.jejak("sync", *words.split())
        assert (result.status, result.out) == (1, "")
        assert message in result.err
    assert town.query(select(t.run)) == []
    without = tmp_path / "without.toml"
    rows = town.settings().read_text(encoding="utf-8").splitlines(keepends=True)
    without.write_text("".join(row for row in rows if not row.startswith("sources")), encoding="utf-8")
    result = jejak("sync", "sirup", "--settings", without)
    assert result.status == 1
    assert "source sirup is not in the settings: add a section [sources.sirup]" in result.err
    for arguments in (
        ["berangkat"],
        [],
        ["identity", "import"],
        ["rejects", "--source", "simbada"],
        ["sync", "--year", "x"],
    ):
        with pytest.raises(SystemExit) as ended:
            jejak(*arguments)
        assert ended.value.code == 2
    for command in (
        ("identity", "import", tmp_path / "none.csv"),
        ("identity", "import", without),
        ("validate", "--schema", tmp_path / "none.json"),
        ("export", "--out", without),
    ):
        result = town.jejak(*command)
        assert result.status == 1, command
        assert result.err.startswith("jejak: "), command
        assert str(command[-1]) in result.err, command
    assert town.query(select(t.identity)) == []


def test_no_command_writes_over_the_warehouse_or_the_settings(town: Town) -> None:
    town.sync()
    settings = town.settings()
    database = Path(str(make_url(town.warehouse_url).database))
    before = settings.read_bytes()
    for command in ("links export", "codes export", "identity export", "extract --out"):
        for taken in (database, settings):
            first, *more = command.split()
            result = town.jejak(first, *more, taken, settings=settings)
            assert result.status == 1, (command, taken)
            assert "give another file" in result.err
    assert settings.read_bytes() == before
    assert town.jejak("status", settings=settings).status == 0


def test_a_file_is_replaced_once_it_is_whole(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.sync()
    out = town.folder / "out.xlsx"

    def refuse(path: Path, target: Path) -> None:
        raise OSError(f"{target} stays")

    for command in ("links export", "codes export", "identity export", "extract --out"):
        out.write_text("old", encoding="utf-8")
        out.chmod(0o640)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            assert town.jejak(*command.split(), out).status == 1, command
        assert out.read_text(encoding="utf-8") == "old", command
        assert town.jejak(*command.split(), out).status == 0, command
        assert out.read_bytes() != b"old", command
        assert out.stat().st_mode & 0o777 == 0o640, command


def test_a_database_of_somebody_else_stays_as_it_is(town: Town) -> None:
    database = town.folder / "others.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE ta_kontrak (no_kontrak TEXT)")
    result = town.jejak("status", settings=town.settings(warehouse_url=f"sqlite:///{database}"))
    assert result.status == 1
    assert "holds other tables (ta_kontrak" in result.err
    town.sync()
    assert town.jejak("backup", town.folder / "whole.zip").status == 0
    for force in ((), ("--force",)):
        result = town.jejak(
            "restore", town.folder / "whole.zip", *force, settings=town.settings(warehouse_url=f"sqlite:///{database}")
        )
        assert result.status == 1
        assert "holds other tables (ta_kontrak" in result.err
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("ta_kontrak",)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("kind,key,ocid\nrup,1,Pembangunan \xe9\n".encode("cp1252"), "save it as CSV UTF-8"),
        (b"kind,key,ocid\nx\n", "line 2 lacks kind, key or ocid"),
        (b"\xef\xbb\xbfkind,key,ocid\n", ""),
    ],
)
def test_a_table_that_excel_has_saved_is_read_or_refused(town: Town, content: bytes, reason: str) -> None:
    table = town.folder / "table.csv"
    table.write_bytes(content)
    result = town.jejak("identity", "import", table)
    assert result.status == (1 if reason else 0)
    assert reason in result.err
    assert "Traceback" not in town.jejak("codes", "import", table).err


def test_fetching_and_building_can_go_apart(town: Town) -> None:
    settings = town.settings(only=OF_PROCESSES)
    assert town.jejak("sync", "--no-build", settings=settings).status == 0
    assert town.query(select(t.identity)) == []
    result = town.jejak("build", settings=settings)
    assert result.status == 0
    assert differences(town.engine, town.world) == {}
    total = len(town.query(select(t.record)))
    assert result.out.endswith(f"built {total}, new {total}, changed 0, removed 0\n")
    # The last sync itself has built nothing.
    assert json.loads(town.jejak("status", "--json").out)["records"] == {"total": total, "built": 0}
    result = town.jejak("build", settings=settings)
    assert result.out == "placed 0, linked 0, built 0, new 0, changed 0, removed 0\n"


def test_a_warehouse_is_made_where_there_is_none(town: Town, tmp_path: Path) -> None:
    settings = town.settings(warehouse_url=f"sqlite:///{tmp_path}/deep/down/new.db")
    assert town.jejak("migrate", settings=settings).status == 0
    assert (tmp_path / "deep/down/new.db").exists()
    result = town.jejak("migrate", settings=town.settings(warehouse_url="mysql://root@127.0.0.1/x"))
    assert result.status == 1
    assert "can't be a mysql database; use sqlite or postgresql" in result.err


def test_the_simulator_writes_dumps_that_sync_reads(tmp_path: Path, new_url: Callable[[], str]) -> None:
    folder = tmp_path / "dumps"
    assert jejak("simulate", "--packages", 20, "--seed", 3, "--out", folder).status == 0
    with served(EditedWorld(20, seed=3), tmp_path, new_url()) as town:
        counts = town.sync(settings=town.settings("files"))
        assert {name: each["fetched"] for name, each in counts.items()} == {
            name: len(town.world.rows(name)) for name in SIMULATED
        }
        assert differences(town.engine, town.world) == {}


def test_dumps_are_of_one_year(tmp_path: Path) -> None:
    result = jejak("simulate", "--packages", 20, "--years", 2, "--out", tmp_path / "dumps")
    assert (result.status, result.out) == (2, "")
    assert "--years 2 can't be" in result.err
    assert not (tmp_path / "dumps").exists()


# --- as a process of its own -----------------------------------------------------------------------------------------


def test_the_simulator_serves_as_many_years_as_it_is_told_to() -> None:
    command = [sys.executable, "-m", "commands.main", "simulate", "--packages", "20", "--years", "2"]
    with subprocess.Popen([*command, "--serve", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            assert simulator.stdout.readline().endswith("rows, fiscal years 2024 to 2025:\n")
            url = simulator.stdout.readline().split()[1]
            path = f"{url}/api/simulator/json/1/RUP-PaketPenyedia-Terumumkan/tipe/4:12/parameter"
            answers = {year: requests.get(f"{path}/{year}:D999", timeout=10).content for year in (2023, 2024, 2025)}
        finally:
            simulator.terminate()
    assert {year for year, answer in answers.items() if answer} == {2024, 2025}


def test_a_killed_sync_leaves_nobody_behind_and_the_next_one_ends_well(town: Town) -> None:
    some = ("RUP-MasterSatker", "RUP-PaketPenyedia", "RUP-HistoryKajiUlang", "SPSE-Tender")
    only = [name for name in SERVICES if name.startswith(some)]
    settings = town.settings(workers=2, timeout_seconds=50, only=only)
    mark = str(time.time_ns())
    environment = {**os.environ, **town.environment, "JEJAK_SETTINGS": str(settings), "JEJAK_TEST_MARK": mark}
    command = [sys.executable, "-m", "commands.main", "sync"]
    town.server.faults.add(Fault("hang", "SPSE-TenderSelesai", seconds=20))
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    wait(lambda: any("SPSE-TenderSelesai" in request["asked"] for request in town.server.requests))
    assert len(marked(mark)) > 2  # it has workers
    process.kill()
    process.communicate()
    wait(lambda: not marked(mark))

    town.server.faults.clear()
    town.server.faults.add(Fault("html", "RUP-MasterSatker"))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RUP-MasterSatker 2025: ISB RUP-MasterSatker (service_no 0) holds an HTML or XML page" in done.stderr
    assert done.stderr.endswith("jejak: failed: RUP-MasterSatker 2025. The others are in, and nothing was lost\n")
    assert API_KEY not in done.stdout + done.stderr
    shown = truth(town.world)["rows"]
    found = crosswalk(town.engine)[0]
    for name in only:
        kinds = ("rup", "swk") if name == "RUP-HistoryKajiUlang" else (str(SERVICES[name][1].kind),)
        for code, process in shown.get(name, {}).items():
            assert process in [found.get((kind, code)) for kind in kinds]
    assert contents(town.engine)["pending_process"] == []
    assert json.loads(town.jejak("status", "--json").out)["services"][0]["fetched"] > 0


def wait(ready: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def marked(mark: str) -> list[str]:
    """The processes of this machine that have a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:  # it has just ended, or is another user's
            continue
    return found


def test_long_work_says_how_far_it_is(monkeypatch, caplog):
    monkeypatch.setattr(progress, "_FIRST_SECONDS", -1)
    monkeypatch.setattr(progress, "_SECONDS", -1)
    caplog.set_level(logging.INFO)
    assert list(progress.with_progress("abcd", 4, "letters read")) == list("abcd")
    result = [re.sub(r"about \d+ s", "about N s", record.getMessage()) for record in caplog.records]
    assert result == [f"letters read: {share} % of 4, about N s left" for share in (0, 25, 50, 75)]


def test_lists_that_are_not_there_are_no_others_that_came(town):
    result = town.jejak("sync", "sirup", settings=town.settings("inaproc", off="sirup"))
    assert result.status == 1
    assert "ABSENT" in result.out
    assert "failed: RUP-" in result.err
    assert "The others" not in result.err
