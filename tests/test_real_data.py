"""Real rows: one regency's answers of a year and a spreadsheet of tenders, synced by the real commands.

What must come out is worked out here from the raw files, without the pipeline's own code. The files are not part of
this repository, and no row, code or name of them stands here: `JEJAK_REAL_DATA` names their folder, by default
`../shared/data` beside the repository.
"""

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ocdsmerge import Merger

from pipeline import place, steps
from pipeline.configure import load_settings
from tests.official import needs_reference, release_schema, release_validator
from tests.worlds import jejak, lines

REPOSITORY = Path(__file__).parents[1]
DATA = Path(os.environ.get("JEJAK_REAL_DATA") or REPOSITORY.parent / "shared" / "data")
DUMPS = DATA / "isb-kab-bandung-2025"
SHEETS = DATA / "lpse-bojonegoro"
needs_dumps = pytest.mark.skipif(
    not DUMPS.is_dir(), reason=f"no folder of real dumps ({DUMPS.name}); name its parent in JEJAK_REAL_DATA"
)
needs_sheets = pytest.mark.skipif(
    not SHEETS.is_dir(), reason=f"no real spreadsheet ({SHEETS.name}); name its parent in JEJAK_REAL_DATA"
)

Row = dict[str, Any]
Code = tuple[str, str]
COUNTS = ("new", "changed", "unchanged", "duplicate", "rejected")
EMPTY = {"", "0", "-"}


# --- the raw files, read anew -----------------------------------------------------------------------------------------


@cache
def raw(service: str) -> list[Row]:
    path = DUMPS / f"{service}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def codes(value: object) -> tuple[str, ...]:
    """A `;` or `,` list as a set of codes, in order."""
    return tuple(sorted({part.strip() for part in re.split("[;,]", str(value or ""))} - EMPTY))


def squeezed(text: str | None) -> str:
    """Text as it is compared: without markup, blanks and capitals."""
    return re.sub(r"<[^<>]*>|&nbsp;|\\r\\n|_x000[dD]_|\s", "", (text or "").replace("&amp;", "&")).upper()


def number(text: str | None) -> str:
    """A document's number without what clerks vary."""
    return re.sub(r"\s*([/.-])\s*", r"\1", " ".join((text or "").split())).upper()


def local(value: str | None, end: bool = False) -> str | None:
    """A source's local time, whatever its shape, as OCDS writes it."""
    if not value:
        return None
    if value[0].isalpha():
        value = pd.to_datetime(value, format="%b %d, %Y, %I:%M:%S%p").strftime("%Y-%m-%d %H:%M:%S")
    day, clock = value[:10], value[11:19] or "00:00:00"
    return f"{day}T{'23:59:59' if end and clock == '00:00:00' else clock}+07:00"


def amount(value: Any) -> Any:
    return (value or {}).get("amount")


def grouped(rows: Iterable[Row], field: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[str(row[field])].append(row)
    return groups


@cache
def read_on(service: str) -> str:
    """The day of a service's answer: what is dated later was still to come. Files without a stamp are of one day."""
    stamps = [str(row[name]) for row in raw(service) for name in STAMPS if row.get(name)]
    return max(stamps, default=DUMPED_ON)[:10]


def happened(service: str, day: str | None) -> bool:
    return bool(day) and str(day)[:10] <= read_on(service)


DUMPED_ON = "2025-10-03"
STAMPS = {"_event_date", "_inserted_date", "tgl_penarikan"}
SETS = {"kd_rup", "kd_rup_paket", "mak", "sumber_dana", "list_tahun_anggaran", "nip_pokja", "nama_pokja", "product_ids"}


def content(service: str, row: Row) -> str:
    """What a row says: without stamps, empty values and the order of lists."""
    stamps = STAMPS | ({"tanggal_status"} if service == "SPSE-TenderPengumuman" else set())
    result = {
        name: sorted(filter(None, map(str.strip, re.split("[;,]", str(value))))) if name in SETS else str(value).strip()
        for name, value in row.items()
        if value not in (None, "") and name not in stamps
    }
    return json.dumps(result, sort_keys=True)


# --- identity, worked out from the rules ------------------------------------------------------------------------------

ATTEMPTS = {
    "tender": ("SPSE-TenderPengumuman", "kd_tender", "versi_tender", "status_tender"),
    "nontender": ("SPSE-NonTenderPengumuman", "kd_nontender", "versi_nontender", "status_nontender"),
}
PURCHASES = {
    "pencatatan": ("SPSE-PencatatanNonTender", "kd_nontender_pct", "rup"),
    "swakelola": ("SPSE-PencatatanSwakelola", "kd_swakelola_pct", "swk"),
    "ecat": ("Ecat-PaketEPurchasingV6", "kd_paket", "rup"),
}
PLANS = {
    "rup": ("RUP-PaketPenyedia-Terumumkan", "RUP-PaketAnggaranPenyedia", "RUP-PaketPenyediaLokasi"),
    "swk": ("RUP-PaketSwakelola-Terumumkan", "RUP-PaketAnggaranSwakelola", "RUP-PaketSwakelolaLokasi"),
}


@dataclass(frozen=True)
class Identity:
    """What the rules make of the raw rows: the process of each code, what each process is related to."""

    ocids: dict[Code, str]
    relations: set[tuple[str, str, str]]
    shared: dict[str, set[Code]]


@cache
def identity(prefix: str = "ocds-213czf") -> Identity:
    rups: dict[Code, list[Code]] = {}
    attempts: dict[Code, Row] = {}
    for kind, (service, field, *_) in ATTEMPTS.items():
        for row in raw(service):
            attempts[kind, str(row[field])] = row
            rups[kind, str(row[field])] = [("rup", code) for code in codes(row["kd_rup"])]
    for kind, (service, field, plan) in PURCHASES.items():
        for row in raw(service):
            rups[kind, str(row[field])] = [(plan, code) for code in codes(row["kd_rup"])]
    for row in raw("Bela-TokoDaringRealisasi"):
        rups["tokodaring", str(row["order_id"])] = []

    opened = {rup for named in rups.values() for rup in named}
    for kind, services in PLANS.items():
        opened |= {(kind, str(row["kd_rup"])) for service in services for row in raw(service)}
    ocids = {(kind, code): f"{prefix}-{kind}-{code}" for kind, code in opened}
    first: dict[Code, Code] = {}
    for subject in sorted(attempts, key=lambda s: (attempts[s]["tgl_buat_paket"], int(s[1]))):
        if len(rups[subject]) == 1:
            first.setdefault(rups[subject][0], subject)
    for subject, named in rups.items():
        joins = len(named) == 1 and (subject not in attempts or first[named[0]] == subject)
        ocids[subject] = ocids[named[0]] if joins else f"{prefix}-{subject[0]}-{subject[1]}"

    packages = defaultdict(list)
    for subject, row in attempts.items():
        packages[subject[0], row["kd_pkt_dce"]].append(subject)
    relations, shared = set(), defaultdict(set)
    for rup in opened:
        shared[ocids[rup]].add(rup)
    for subject, named in rups.items():
        shared[ocids[subject]].update(named)
        relations |= {(ocids[subject], "planning", ocids[rup]) for rup in named if ocids[rup] != ocids[subject]}
    for (kind, _), tries in packages.items():
        *_, version, status = ATTEMPTS[kind]
        for subject in tries:
            failed = [
                other
                for other in tries
                if attempts[other][version] < attempts[subject][version] and attempts[other][status] == "Gagal/Batal"
            ]
            if failed:
                last = max(failed, key=lambda other: attempts[other][version])
                relations.add((ocids[subject], "unsuccessfulProcess", ocids[last]))
    return Identity(ocids, {r for r in relations if r[0] != r[2]}, shared)


def families(shared: dict[str, set[Code]]) -> set[frozenset[str]]:
    """Processes that share a RUP, directly or through others."""
    of_rup = defaultdict(set)
    for ocid, rups in shared.items():
        for rup in rups:
            of_rup[rup].add(ocid)
    found, left = set(), set(shared)
    while left:
        family, frontier = set(), {left.pop()}
        while frontier:
            family |= frontier
            frontier = {other for ocid in frontier for rup in shared[ocid] for other in of_rup[rup]} - family
        left -= family
        found.add(frozenset(family))
    return found


# --- the run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A warehouse after `jejak sync`, and what `jejak export` wrote of it."""

    folder: Path
    printed: str
    logged: str

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.db"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def lines(self, name: str) -> list[Row]:
        return lines(self.folder / "out" / f"{name}.jsonl")

    def compiled(self) -> dict[str, Row]:
        return {record["ocid"]: record for record in self.lines("compiled")}


def use(patch: pytest.MonkeyPatch, folder: Path, settings: str, dumps: Path, warehouse: str = "warehouse.db") -> None:
    patch.setenv("JEJAK_SETTINGS", str(REPOSITORY / "settings" / settings))
    patch.setenv("JEJAK_DUMPS", str(dumps))
    patch.setenv("JEJAK_WAREHOUSE_URL", f"sqlite:///{folder / warehouse}")


def synced(folder: Path, settings: str, dumps: Path) -> Run:
    """Sync and export as an operator does: a process of its own, its log and its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        use(patch, folder, settings, dumps)
        command = [sys.executable, "-m", "commands.main", "sync"]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert jejak("export", "--out", folder / "out").status == 0
        return Run(folder, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return synced(tmp_path_factory.mktemp("bandung"), "kab-bandung-dumps.toml", DUMPS)


@pytest.fixture(scope="module")
def compiled(run: Run) -> dict[str, Row]:
    return run.compiled()


@pytest.fixture(scope="module")
def processes(compiled: dict[str, Row]) -> dict[Code, Row]:
    """Code -> the compiled release of its own process."""
    return {code: compiled[ocid] for code, ocid in identity().ocids.items() if ocid in compiled}


@pytest.fixture
def at_hand(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run, with the settings that its commands need."""
    use(monkeypatch, run.folder, "kab-bandung-dumps.toml", DUMPS)
    return run


pytestmark = needs_dumps


# --- nothing is lost --------------------------------------------------------------------------------------------------


def test_every_row_of_every_service_is_accounted_for(at_hand: Run) -> None:
    status = json.loads(jejak("status", "--json").out)
    services = {entry["service"]: entry for entry in status["services"]}
    files = {path.stem for path in DUMPS.glob("*.json")}
    assert files <= services.keys()
    kept = dict(at_hand.query("SELECT service, count(*) FROM raw_record GROUP BY service"))
    rejects = json.loads(jejak("rejects", "--json").out)
    for name, counts in services.items():
        assert counts["fetched"] == len(raw(name)) == sum(counts[count] for count in COUNTS), name
        assert counts["rejected"] == sum(reject["service"] == name for reject in rejects), name
        assert kept.get(name, 0) == counts["new"], name
        if not counts["rejected"]:
            assert counts["new"] == len({content(name, row) for row in raw(name)}), name
    # One file holds another service's rows: bidders where certificates are due.
    [name] = {reject["service"] for reject in rejects}
    assert services[name]["rejected"] == len(raw(name))
    for reject in rejects:
        lost = re.findall(r"\b(?:no|kd)_\w+", reject["reason"])
        assert lost
        assert not any(field in row for field in lost for row in raw(name))
    assert at_hand.query("SELECT count(*) FROM pending_code") == at_hand.query("SELECT count(*) FROM pending_process")
    assert status["records"]["total"] == status["records"]["built"] == len(at_hand.compiled())


def test_every_row_of_a_process_is_in_the_export(run: Run) -> None:
    found = Counter((row["service"], row["key"]) for row in run.lines("rows"))
    releases = {release["id"]: release["ocid"] for release in run.lines("releases")}
    assert all(releases[row["release"]] == row["ocid"] for row in run.lines("rows"))
    rows = run.query(
        "SELECT service, code, count(*) FROM raw_record JOIN identity USING (kind) JOIN record USING (ocid) "
        "WHERE current AND NOT gone AND identity.key = raw_record.code GROUP BY service, code"
    )
    assert {(service, code) for service, code, _ in rows} == found.keys()
    for service, code, count in rows:
        # A plan's rows may stand in several processes of its family, any other row stands in one.
        assert found[service, code] == count or (service.startswith("RUP-") and found[service, code] > count)


# --- the right process ------------------------------------------------------------------------------------------------


def test_every_subject_is_in_the_process_that_the_rules_give_it(at_hand: Run) -> None:
    rows = {(row["service"], row["key"], row["ocid"]) for row in at_hand.lines("rows")}
    subjects = {kind: (service, field) for kind, (service, field, *_) in (ATTEMPTS | PURCHASES).items()}
    for kind, (service, field) in subjects.items():
        expected = {(service, str(row[field]), identity().ocids[kind, str(row[field])]) for row in raw(service)}
        assert {row for row in rows if row[0] == service} == expected
        assert len(expected) == len(raw(service))
    file = at_hand.folder / "crosswalk.csv"
    assert jejak("identity", "export", file).status == 0
    with file.open(encoding="utf-8", newline="") as crosswalk:
        minted = {(row["kind"], row["key"]): row["ocid"] for row in csv.DictReader(crosswalk)}
    assert minted == identity().ocids
    # The data must hold what the rules are about, or this says nothing.
    named = Counter(len(codes(row["kd_rup"])) for service, *_ in ATTEMPTS.values() for row in raw(service))
    assert named[1] > 2000
    assert sum(named.values()) - named[1] > 20
    assert len({ocid for (kind, _), ocid in minted.items() if kind == "nontender" and "-nontender-" in ocid}) > 100


def test_relations_and_families_are_those_of_the_rules(run: Run, compiled: dict[str, Row]) -> None:
    found = {
        (ocid, relationship, related["identifier"])
        for ocid, record in compiled.items()
        for related in record.get("relatedProcesses", [])
        for relationship in related["relationship"]
    }
    assert found == identity().relations
    assert {relationship for _, relationship, _ in found} == {"planning", "unsuccessfulProcess"}
    members = defaultdict(set)
    for ocid, family in run.query("SELECT ocid, family FROM process"):
        members[family].add(ocid)
    shared = {ocid: identity().shared[ocid] for ocid in identity().ocids.values()}
    assert set(map(frozenset, members.values())) == families(shared)
    assert all(min(family) == name for name, family in members.items())


def test_the_source_that_is_read_first_makes_no_difference(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, tmp_path, "kab-bandung-dumps.toml", DUMPS)
    settings = load_settings()
    run_id = steps.start_run(settings, "sync")
    for source in ("lpse", "sirup"):
        # Services whose rows name no RUP say nothing of it, but for the online shops.
        referring = [
            each for each in steps.services_of(settings, source) if re.search("kd_rup|order_", str(raw(each)[:1]))
        ]
        for service in referring:
            for scope in steps.scopes_of(settings, source, service):
                steps.sync_service(settings, source, service, scope, run_id)
        place.place_rows(steps.warehouse(settings), settings, run_id)
    other = Run(tmp_path, "", "")
    for names in ("ocid, family FROM process", "* FROM process_rup", "* FROM process_relation"):
        assert set(other.query(f"SELECT {names}")) == set(run.query(f"SELECT {names}")), names
    crosswalk = "SELECT kind, key, ocid FROM identity"
    assert set(other.query(crosswalk)) == set(run.query(crosswalk))


# --- valid, and merged as the reference merges ------------------------------------------------------------------------


@needs_reference
def test_all_that_is_exported_is_valid_and_merges_as_the_reference_does(run: Run, compiled: dict[str, Row]) -> None:
    releases = run.lines("releases")
    validator = release_validator()
    for body in (*releases, *compiled.values()):
        assert validator.is_valid(body), [error.message for error in validator.iter_errors(body)]
    schema = run.folder / "schema.json"
    schema.write_text(json.dumps(release_schema()), encoding="utf-8")
    merger = Merger(release_schema())
    merged = {
        ocid: merger.create_compiled_release(list(group)) for ocid, group in groupby(releases, itemgetter("ocid"))
    }
    # By OCID: what pytest shows of two whole sets that differ takes a quarter of an hour.
    assert merged.keys() == compiled.keys()
    assert [ocid for ocid, record in merged.items() if record != compiled[ocid]] == []
    assert len({release["id"] for release in releases}) == len(releases)
    command = [str(Path(sys.executable).with_name("ocdskit")), "compile", "--schema", str(schema)]
    with (run.folder / "out" / "releases.jsonl").open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = {record["ocid"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == compiled.keys()
    assert [ocid for ocid, record in found.items() if record != compiled[ocid]] == []


def test_all_dates_have_the_offset_of_the_regency(run: Run) -> None:
    dated = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00")
    for record in (*run.lines("releases"), *run.lines("compiled")):
        for path, value in texts(record):
            name = path.rpartition(".")[2]
            if name in ("date", "dueDate") or name.startswith("date") or name.endswith("Date"):
                assert dated.fullmatch(value), path


PAYMENTS = ("SPSE-PencatatanNonTenderRealisasi", "SPSE-PencatatanSwakelolaRealisasi")

# --- nobody's personal data -------------------------------------------------------------------------------------------

# Fields of officials, of those who sign for suppliers and of accounts, and tax numbers (NIK for persons).
NAMES = ("nama_ppk", "nama_pokja", "username_ppk", "wakil_sah_penyedia", "nama_pemilik_rek_bank", "nama_pemesan")
PLACES = ("alamat_penyedia", "alamat_pengiriman")
BOTH = ("nip_nama_ppk", "nip_nama_pp", "nip_nama_pokja")
NUMBERS = ("nip_ppk", "nip_pokja", "no_rek_bank")
FIRM = re.compile(r"\b(PT|CV|FA|FIRMA|KOPERASI|YAYASAN|PERSERO|PERUM|PERUMDA|PERSERODA|TBK)\b")
FORM = re.compile(r"Perseroan|Persekutuan|Koperasi|Yayasan|Perusahaan Umum")


def texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every text in a JSON value."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from texts(value, f"{path}.{name}" if path else name)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, path)
    elif isinstance(node, str):
        yield path, node


def digits(value: object) -> str:
    return re.sub(r"\D", "", str(value))


@cache
def personal() -> tuple[set[str], set[str], set[str]]:
    """Personal words and numbers of the raw rows, trivial ones left out, and the tax numbers of firms."""
    words, numbers, firms = set(), set(), set()
    suppliers = set()
    for path in DUMPS.glob("*.json"):
        for row in raw(path.stem):
            name = row.get("nama_penyedia") or row.get("nama_pelaksana") or ""
            suppliers.add(name.upper())
            firm = FIRM.search(name.upper()) or FORM.search(row.get("bentuk_usaha_penyedia") or "")
            for field, value in row.items():
                parts = [part.strip() for part in str(value).split(";")] if value not in (None, "") else []
                if field in BOTH:
                    numbers |= {digits(part.partition(" - ")[0]) for part in parts}
                    words |= {part.partition(" - ")[2].upper() for part in parts}
                elif field in NAMES or field in PLACES:
                    words |= {part.upper() for part in parts}
                elif field in NUMBERS:
                    numbers |= {digits(part) for part in parts}
                elif "npwp" in field:
                    found = {digits(part) for part in parts}
                    found |= {tax[1:] for tax in found if len(tax) == 16 and tax[0] == "0"}
                    numbers |= found
                    firms |= found if firm else set()
    words = {word for word in words if len(word) > 5 and re.search("[A-Z]{3}", word)} - suppliers
    numbers = {each for each in numbers if len(each) > 7 and len(set(each)) > 2}
    return words, numbers, firms


@pytest.fixture(scope="module")
def published(run: Run) -> set[tuple[str, str]]:
    """(where, text) of all that is published: the exports and the star tables."""
    found = {
        (path, text)
        for name in ("releases", "compiled", "rows")
        for line in run.lines(name)
        for path, text in texts(line)
    }
    for (table,) in run.query("SELECT name FROM sqlite_master WHERE type = 'table'"):
        closed = ("raw_record", "reject", "staged_", "release", "record", "supplier_", "alembic", "sqlite_")
        if not table.startswith(closed):
            found |= {
                (table, value) for row in run.query(f"SELECT * FROM {table}") for value in row if type(value) is str
            }
    return found


def test_no_personal_value_is_published_or_logged(run: Run, published: set[tuple[str, str]]) -> None:
    words, numbers, firms = personal()
    assert len(words) > 500
    assert len(numbers) > 1000
    everything = "\n".join({text.upper() for _, text in published} | {run.logged.upper(), run.printed.upper()})
    assert {word for word in words if word in everything} == set()
    leaked = set()
    for path, text in published | {("log", run.logged), ("printed", run.printed)}:
        # Tax numbers stand where identifiers do and nowhere else, and they are firms'.
        identifier = path in ("parties.identifier.id", "supplier", "process_party") and text in firms
        if len(text) < 8 or path in ("id", "release") or identifier:
            continue
        leaked |= {
            path
            for run_of_digits in re.findall(r"\d[\d .-]{5,30}\d", text)
            if digits(run_of_digits) in numbers or any(part in numbers for part in re.findall(r"\d{8,}", run_of_digits))
        }
    assert leaked == set()


def test_only_parties_with_the_name_or_form_of_a_firm_have_a_tax_number(run: Run) -> None:
    """The same number may stand beside a person's name too: what counts is the party that it is published with."""
    forms = {
        squeezed(row["nama_penyedia"]): row.get("bentuk_usaha_penyedia") or ""
        for name in PAPERS.values()
        for row in raw(f"{name}-2Kontrak")
        if row["nama_penyedia"]
    }
    _, _, firms = personal()
    found = set()
    for record in (*run.lines("releases"), *run.lines("compiled")):
        for party in record.get("parties", []):
            identifiers = [party.get("identifier"), *party.get("additionalIdentifiers", [])]
            for taxed in [each for each in identifiers if each and each["scheme"] == "ID-DJP"]:
                found.add(taxed["id"])
                name = party["name"]
                assert FIRM.search(name.upper()) or FORM.search(forms.get(squeezed(name), ""))
                assert taxed["legalName"] == name
                assert taxed is party["identifier"]
    assert found <= firms
    assert len(found) > 400


def test_no_name_or_number_slips_through_in_free_text(published: set[tuple[str, str]]) -> None:
    # Persons were replaced by look-alikes, "WORD 1234": one shape per kind, also where free text names them.
    shapes = {match[1] for word in personal()[0] if (match := re.fullmatch(r"([A-Z. ]+?) ?\d{3,}", word))}
    assert len(shapes) >= 3
    official = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(shapes)))}) ?\d{{3,}}", re.IGNORECASE)
    phone_or_mail = re.compile(r"(?<![\w./-])(?:\+?62|0)8\d{8,11}(?!\d)|[\w.+-]+@[\w-]+\.\w+")
    # Notes on payments name who was paid: officials on duty travel, speakers, staff; not all were replaced.
    notes = {row["ket_realisasi"] for name in PAYMENTS for row in raw(name) if len(row["ket_realisasi"] or "") > 30}
    for path, text in published:
        if path not in ("id", "ocid", "release"):
            assert not official.search(text), path
            assert not phone_or_mail.search(text), path
        if path.startswith("contracts.implementation."):
            assert text not in notes, path


# --- what the rows say is what the records say ------------------------------------------------------------------------

TENDER_STATUS = {"Selesai": "complete", "Berlangsung": "active", "Gagal/Batal": "unsuccessful", "-": "planned"}
METHOD = {"Tender": "open", "Seleksi": "selective"} | dict.fromkeys(
    ("Pengadaan Langsung", "Penunjukan Langsung", "Dikecualikan"), "direct"
)
PAPERS = {"tender": "SPSE-TenderEkontrak", "nontender": "SPSE-NonTenderEkontrak"}


def category(words: str) -> str:
    goods_or_works = {"Barang": "goods", "Konstruksi": "works"}
    return next((code for word, code in goods_or_works.items() if words.endswith(f" {word}")), "services")


def alike(found: str | None, text: str | None) -> bool:
    """Whether a text is told, but for numbers that were cut out of it. A dash is how clerks leave a field empty."""
    if not found:
        return squeezed(text) in EMPTY
    parts = [re.escape(squeezed(part)) for part in (found or "").split("[…]")]
    return re.fullmatch(".*".join(parts), squeezed(text)) is not None


@pytest.mark.parametrize("kind", ATTEMPTS)
def test_announcements(kind: str, processes: dict[Code, Row]) -> None:
    service, field, _, status = ATTEMPTS[kind]
    planned = {str(row["kd_rup"]) for row in raw("RUP-PaketPenyedia-Terumumkan")}
    for row in raw(service):
        record = processes[kind, str(row[field])]
        tender = record["tender"]
        assert tender["id"] == f"{kind}-{row[field]}"
        assert squeezed(tender["title"]) == squeezed(row["nama_paket"])
        assert amount(tender.get("value")) == (row["hps"] or None)
        assert tender["status"] == TENDER_STATUS[row[status]]
        reason = row["ket_ditutup"]
        details, separator, found = tender["statusDetails"].partition(": ")
        assert (details, bool(separator)) == (row[status], bool(squeezed(reason)))
        assert alike(found, reason)
        assert tender["procurementMethod"] == METHOD[row["mtd_pemilihan"]]
        assert tender["procurementMethodDetails"].startswith(row["mtd_pemilihan"])
        consulting = "Konsultansi" in row["jenis_pengadaan"]
        assert tender["mainProcurementCategory"] == ("services" if consulting else category(row["jenis_pengadaan"]))
        assert ("additionalProcurementCategories" in tender) == consulting
        for office in (record["buyer"], tender["procuringEntity"]):
            assert squeezed(office["name"]) == squeezed(row["nama_satker"])
            if row["kd_satker_str"].count(".") > 3:
                assert office["id"].endswith(f"-{row['kd_klpd']}-{row['kd_satker_str']}")
        [notice] = tender["documents"]
        assert notice["url"].startswith(row["url_lpse"])
        assert notice["datePublished"] == local(row[f"tgl_pengumuman_{kind}"] or row["tgl_buat_paket"])
        if not planned & set(codes(row["kd_rup"])):
            assert amount(record["planning"]["budget"].get("amount")) == (row["pagu"] or None)


def test_schedules_and_bids(processes: dict[Code, Row]) -> None:
    stages = grouped(raw("SPSE-JadwalTahapanTender"), "kd_tender")
    registered = grouped((row for row in raw("SPSE-PesertaTender") if row["kd_peserta"]), "kd_tender")
    statuses: Counter[str] = Counter()
    for code in stages.keys() | registered.keys():
        record = processes["tender", code]
        tender = record["tender"]
        assert Counter(stage["dueDate"] for stage in tender["milestones"]) == Counter(
            local(row["tgl_akhir"], end=True) for row in stages[code]
        )
        # Whether a stage of a schedule was kept is not known.
        assert not any("status" in stage for stage in tender["milestones"])
        [upload] = [row for row in stages[code] if row["nama_tahapan"] == "Upload Dokumen Penawaran"]
        assert tender["tenderPeriod"] == {
            "startDate": local(upload["tgl_awal"]), "endDate": local(upload["tgl_akhir"], end=True)
        }  # fmt: skip
        bids = [row for row in registered[code] if row["nilai_penawaran"]]
        found = record.get("bids", {})
        details = found.get("details", [])
        assert sorted(amount(bid["value"]) for bid in details) == sorted(row["nilai_penawaran"] for row in bids)
        decided = any(row["pemenang"] for row in bids)
        status = {
            str(row["kd_peserta"]): "disqualified" if row["alasan"] else "valid" if decided else "pending"
            for row in bids
        }
        assert {bid["id"]: bid["status"] for bid in details} == status
        statuses.update(status.values())
        bidders = {f"JEJAK-PENYEDIA-{row['kd_penyedia']}" for row in bids}
        assert {party["id"] for party in tender.get("tenderers", [])} == bidders
        assert {bid["tenderers"][0]["id"] for bid in details} == bidders
        if registered[code]:
            assert tender["numberOfTenderers"] == len(bidders)
            statistics = {each["measure"]: each["value"] for each in found["statistics"]}
            assert statistics == {"requests": len(registered[code]), "bids": len(bids)}
    # Of this year's bids with a price none was refused, and each has a winner beside it or is it.
    assert statuses.keys() == {"valid"}


@pytest.mark.parametrize("kind", ATTEMPTS)
def test_awards(kind: str, processes: dict[Code, Row]) -> None:
    field = ATTEMPTS[kind][1]
    winners = {
        str(row[field]): row for row in raw("SPSE-TenderSelesaiNilai" if kind == "tender" else "SPSE-NonTenderSelesai")
    }
    letters, contracts = (grouped(raw(f"{PAPERS[kind]}-{name}"), field) for name in ("1SPPBJ", "2Kontrak"))
    announced = {str(row[field]): row for row in raw(ATTEMPTS[kind][0])}
    statuses: Counter[str] = Counter()
    for code in announced:
        awards = [award for award in processes[kind, code].get("awards", []) if award["id"].startswith(f"{code}-")]
        row = winners.get(code, {})
        if not (row.get("kd_penyedia") or letters[code] or contracts[code]):
            assert awards == []
            continue
        [award] = awards
        [supplier] = award["suppliers"]
        if row.get("kd_penyedia"):
            assert supplier["id"] == f"JEJAK-PENYEDIA-{row['kd_penyedia']}"
            assert squeezed(supplier["name"]) == squeezed(row["nama_penyedia"])
            assert award["id"] == f"{code}-{row['kd_penyedia']}"
            if row["nilai_negosiasi"]:
                assert amount(award["value"]) == row["nilai_negosiasi"]
        if kind == "tender" and row.get("kd_penyedia"):
            assert award["date"] == local(row["tgl_penetapan_pemenang"])
        else:
            # tgl_selesai_nontender is the end of a schedule: it lies in the future for hundreds of them.
            # A letter of a day to come is none yet.
            days = [each["tgl_sppbj"] for each in letters[code]]
            written = [local(day) or "" for day in days if happened(f"{PAPERS[kind]}-1SPPBJ", day)]
            assert award.get("date") == min(written, default=None)
        # A contract makes an award active; a letter alone waits for it, and so does a winner of what is not ended.
        failed = announced[code][ATTEMPTS[kind][3]] == "Gagal/Batal"
        waiting = bool(letters[code]) or row.get("status_nontender") == "Berlangsung"
        expected = "active" if contracts[code] else "unsuccessful" if failed else "pending" if waiting else "active"
        assert award["status"] == expected
        statuses.update([expected])
        # The letters of one attempt have one number.
        assert {award.get("number")} - {None} == {" ".join(each["no_sppbj"].split()) for each in letters[code]}
    assert statuses.keys() >= ({"active"} if kind == "tender" else {"active", "unsuccessful", "pending"})


@pytest.mark.parametrize("kind", ATTEMPTS)
def test_contracts_their_addenda_periods_and_certificates(kind: str, processes: dict[Code, Row]) -> None:
    field = ATTEMPTS[kind][1]
    papers = {name: raw(f"{PAPERS[kind]}-{name}") for name in ("2Kontrak", "3SPMKSPP", "4BAPBAST")}
    by_contract: dict[str, dict[tuple[str, str], list[Row]]] = {name: defaultdict(list) for name in papers}
    for name, rows in papers.items():
        for row in rows:
            if row.get("no_kontrak"):
                code = str(row[field])
                by_contract[name][code, number(row["no_kontrak"])].append(row)
    assert len(by_contract["2Kontrak"]) > 40
    found: dict[str, set[str]] = defaultdict(set)
    due = 0
    for (code, contract_number), versions in by_contract["2Kontrak"].items():
        found[code].add(f"{code}-{contract_number}")
        [contract] = [each for each in processes[kind, code]["contracts"] if each["id"] == f"{code}-{contract_number}"]
        versions.sort(key=lambda row: row["versi_addendum"])
        assert amount(contract["value"]) == versions[-1]["nilai_kontrak"]
        assert contract["dateSigned"] == local(versions[0]["tgl_kontrak"])
        assert (
            contract["status"]
            == {"Kontrak Selesai": "terminated", "Kontrak Sedang Berjalan": "active"}[versions[-1]["status_kontrak"]]
        )
        assert contract["awardID"] in {award["id"] for award in processes[kind, code]["awards"]}
        addenda = {row["versi_addendum"] for row in versions} - {0}
        assert {each["id"] for each in contract.get("amendments", [])} == {f"addendum-{each}" for each in addenda}
        orders = by_contract["3SPMKSPP"][code, contract_number]
        if orders:
            # From the first order's start to the end that the last version of it gives.
            version = max(row.get("versi_addendum") or 0 for row in orders)
            ends = [row["tgl_selesai_pekerjaan"] for row in orders if (row.get("versi_addendum") or 0) == version]
            start = min(filter(None, (local(row["tgl_mulai_pekerjaan"]) for row in orders)))
            end = max(filter(None, (local(each, end=True) for each in ends)))
            assert contract["period"] == ({"startDate": start} if start < end else {}) | {"endDate": end}
        assert len(contract.get("milestones", [])) == len({number(row["no_spmk_spp"]) for row in orders})
        # The snapshot of certificates stands in its file twice.
        certificates = by_contract["4BAPBAST"][code, contract_number]
        paid = {(number(row["no_bap"]), row["tgl_bap"], row["besar_pembayaran"]) for row in certificates}
        handed = {(number(row["no_bast"]), row["tgl_bast"]) for row in certificates if row["tgl_bast"]}
        done = contract.get("implementation", {})
        # What is dated after the day of the answer is still due: a milestone, but nothing that was certified.
        service = f"{PAPERS[kind]}-4BAPBAST"
        release_milestones = Counter(
            (each["code"], each["status"], each.get("dateMet") or each.get("dueDate"), amount(each.get("value")))
            for each in done.get("milestones", [])
        )
        dated = [("BAP", day, value) for _, day, value in paid] + [("BAST", day, None) for _, day in handed]
        assert release_milestones == Counter(
            (code, "met" if happened(service, day) else "scheduled", local(day), value) for code, day, value in dated
        )
        due += sum(not happened(service, day) for _, day, _ in dated)
        metrics = {metric["id"]: metric["observations"] for metric in done.get("metrics", [])}
        certified = [value for _, day, value in paid if happened(service, day)]
        assert sorted(amount(each["value"]) for each in metrics.get("certifiedPayments", [])) == sorted(certified)
    assert bool(due) == (kind == "nontender")
    for code, contracts in found.items():
        record = processes[kind, code]
        assert {each["id"] for each in record["contracts"] if each["id"].startswith(f"{code}-")} == contracts


def award_and_contract(record: Row, kind: str, code: str) -> tuple[Row | None, Row]:
    """Those of an order or a recorded purchase; self-managed work has no award."""
    [contract] = [each for each in record["contracts"] if each["id"] == f"{kind}-{code}"]
    awards = [each for each in record.get("awards", []) if each["id"] == contract["awardID"]]
    if kind == "swakelola":
        assert awards == []
        return None, contract
    [award] = awards
    # An award's id names its suppliers: one by its code or the digest of its name, several by a digest.
    suppliers = [party["id"].rpartition("-")[2] for party in award.get("suppliers", [])]
    name = award["id"].removeprefix(f"{kind}-{code}")
    if len(suppliers) > 1:
        assert re.fullmatch("-[0-9a-f]{12}", name)
    else:
        assert name == "".join(f"-{supplier}" for supplier in suppliers)
    return award, contract


AGREEMENTS = {"Surat Perjanjian", "Surat Pesanan"}


@pytest.mark.parametrize("kind", ["pencatatan", "swakelola"])
def test_recorded_purchases_and_their_payments(kind: str, processes: dict[Code, Row]) -> None:
    service, field, _ = PURCHASES[kind]
    status = "status_nontender_pct_ket" if kind == "pencatatan" else "status_swakelola_pct_ket"
    payments = grouped(raw(f"{service}Realisasi"), field)
    kinds: Counter[str] = Counter()
    renamed = 0
    for row in raw(service):
        code = str(row[field])
        record = processes[kind, code]
        award, contract = award_and_contract(record, kind, code)
        cancelled, ended = row[status] == "Paket Dibatalkan", row[status] == "Paket Selesai"
        assert contract["status"] == ("cancelled" if cancelled else "terminated" if ended else "active")
        assert amount(contract.get("value")) == row["total_realisasi"]
        for each in filter(None, (award, contract)):
            details, _, reason = each["statusDetails"].partition(": ")
            assert details == row[status]
            assert alike(reason, row["alasan_pembatalan"])
        done = contract.get("implementation", {})
        shown = {
            "agreed": contract.get("agreements", []),
            "paid": done.get("transactions", []),
            "due": done.get("milestones", []),
        }
        # An agreement is no payment, and a payment of a day to come is due.
        expected: dict[str, list[Row]] = {"agreed": [], "paid": [], "due": []}
        for each in payments[code]:
            come = happened(f"{service}Realisasi", each["tgl_realisasi"])
            expected["agreed" if each["jenis_realisasi"] in AGREEMENTS else "paid" if come else "due"].append(each)
        for part, entries in shown.items():
            day = "dueDate" if part == "due" else "date"
            assert {(each["type"] if part != "due" else each["title"], amount(each["value"]), each.get(day))
                    for each in entries} == {
                (each["jenis_realisasi"], each["nilai_realisasi"],
                 local(each["tgl_realisasi"]) if part == "due" or happened(f"{service}Realisasi", each["tgl_realisasi"])
                 else None)
                for each in expected[part]
            }  # fmt: skip
            kinds[part] += len(entries)
        if payments[code]:
            found = sum(amount(each["value"]) for entries in shown.values() for each in entries)
            # Where a recorded purchase is booked on several RUPs, each of them has a row with the whole amount.
            listed = sum(each["nilai_realisasi"] for each in payments[code])
            assert found == (row["total_realisasi"] if kind == "pencatatan" else listed)
        signed = [each["date"] for each in shown["agreed"] if "date" in each]
        assert contract.get("dateSigned") == min(signed, default=None)
        assert all(each["payer"]["name"] for each in shown["paid"])
        named = {plain(each.get("nama_penyedia") or each.get("nama_pelaksana")) for each in payments[code]} - {""}
        payees = {plain(each["payee"]["name"]) for each in shown["paid"] if "payee" in each}
        if award:
            assert award["status"] == ("cancelled" if cancelled else "active")
            assert amount(award.get("value")) == row["total_realisasi"]
            suppliers = {plain(party["name"]) for party in award.get("suppliers", [])}
            if suppliers != named:
                # The tax number is another name's, who is then the supplier.
                by_tax = [named_by_tax()[tax] for each in payments[code] if (tax := tax_of(each["npwp_penyedia"]))]
                assert by_tax
                assert all(suppliers & names for names in by_tax)
                renamed += 1
            assert payees <= suppliers
        else:
            paid = {plain(each["nama_pelaksana"]) for each in expected["paid"]} - {""}
            # Organisations by their names, all persons as one.
            assert payees - {"PERORANGAN"} <= paid
            assert ("PERORANGAN" in payees) >= any(re.fullmatch(r"PERORANGAN\d+", name) for name in paid)
        standing = [each for each in record.get("awards", []) if each["status"] == "active"]
        if record["tender"]["status"] == "cancelled":
            assert not standing
    assert all(kinds[part] for part in ("agreed", "paid"))
    assert renamed < 5


def tax_of(value: str | None) -> str:
    """A tax number as digits, a firm's sixteen (0 before it) as its fifteen."""
    found = digits(value or "")
    return found[1:] if len(found) == 16 and found[0] == "0" else found


@cache
def named_by_tax() -> dict[str, set[str]]:
    """Tax number -> the names that rows have beside it."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in DUMPS.glob("*.json"):
        for row in raw(path.stem):
            for field, value in row.items():
                if "npwp" in field and (tax := tax_of(value)):
                    names[tax].add(plain(row.get("nama_penyedia") or row.get("nama_pelaksana")))
    return names


def plain(name: str | None) -> str:
    return re.sub(r"\W", "", squeezed(name))


DELIVERY = dict.fromkeys(("COMPLETED", "DELIVERED", "BUYER_CONFIRMED"), "met")


def test_orders(processes: dict[Code, Row]) -> None:
    ended = {"COMPLETED", "PAYMENT_OUTSIDE_SYSTEM"}
    statuses: Counter[str] = Counter()
    naming = ("SPSE-PesertaTender", "SPSE-NonTenderSelesai", "SPSE-TenderSelesaiNilai", "SPSE-TenderEkontrak-2Kontrak")
    named = {row["kd_penyedia"] for name in naming for row in raw(name) if row["nama_penyedia"]}
    assert len(named & {row["kd_penyedia_sikap"] for row in raw("Ecat-PaketEPurchasingV6")}) == 32
    for row in raw("Ecat-PaketEPurchasingV6"):
        code = row["kd_paket"]
        record = processes["ecat", code]
        award, contract = award_and_contract(record, "ecat", code)
        assert award
        assert amount(award["value"]) == amount(contract["value"]) == row["total_harga"]
        ordered = local(row["tgl_order"]) if happened("Ecat-PaketEPurchasingV6", row["tgl_order"]) else None
        assert award.get("date") == contract.get("dateSigned") == ordered
        # An order is over once it is paid, or once all of it has come.
        over = row["status_pkt"] in ended or row["status_pengiriman"] == "COMPLETED"
        assert (award["status"], contract["status"]) == ("active", "terminated" if over else "active")
        statuses[contract["status"]] += 1
        [delivery] = contract["implementation"]["milestones"]
        assert delivery["description"] == row["status_pengiriman"]
        assert delivery["status"] == DELIVERY.get(row["status_pengiriman"], "scheduled")
        supplier = row["kd_penyedia_sikap"] or row["kd_penyedia_v6"]
        [party] = award["suppliers"]
        assert party["id"] == f"JEJAK-PENYEDIA-{supplier}"
        # Named where any row of the year names the code.
        assert ("name" in party) == (supplier in named)
        assert record["tender"]["procurementMethod"] == "direct"
    assert statuses.keys() == {"active", "terminated"}


def activity(mak: str) -> str:
    """The sub-activity of an account code, without leading zeros."""
    return ".".join(str(int(part)) for part in mak.split(".")[:6])


def test_plans(processes: dict[Code, Row]) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for row in raw("RUP-SubKegiatanMaster"):
        names[activity(row["kd_subkegiatan_str"])].add(" ".join(row["nama_subkegiatan"].split()))
    for kind, (service, lines_of, places_of) in PLANS.items():
        lines_by, places_by = grouped(raw(lines_of), "kd_rup"), grouped(raw(places_of), "kd_rup")
        for row in raw(service):
            budget = processes[kind, str(row["kd_rup"])]["planning"]["budget"]
            assert budget["id"] == str(row["kd_rup"])
            assert amount(budget["amount"]) == row["pagu"]
            # A package is no project: it gives the process its title, its account codes the project's code and name.
            assert squeezed(processes[kind, str(row["kd_rup"])]["title"]) == squeezed(row["nama_paket"])
        announced = {str(row["kd_rup"]) for row in raw(service)}
        for code, rows in lines_by.items():
            if code not in announced and (kind, code) not in processes:
                continue  # waits for a row that announces its process
            record = processes[kind, code]
            breakdown = record["planning"]["budget"]["budgetBreakdown"]
            assert sorted(amount(line["amount"]) for line in breakdown) == sorted(row["pagu"] for row in rows)
            assert record["buyer"]["name"] == rows[0]["nama_satker"]
            activities = sorted({activity(row["mak"]) for row in rows})
            assert record["planning"]["budget"]["projectID"] == "+".join(activities)
            known = sorted({name for code in activities if len(names[code]) == 1 for name in names[code]})
            assert record["planning"]["budget"].get("project", "") == "; ".join(known)
        for code, rows in places_by.items():
            if code not in announced and (kind, code) not in processes:
                continue
            assert len(processes[kind, code]["tender"]["items"]) == len(rows)


# --- the folder is read again -----------------------------------------------------------------------------------------


def written(folder: Path, service: str, rows: list[Row]) -> None:
    (folder / f"{service}.json").write_text(json.dumps(rows), encoding="utf-8")


def another_winner(row: Row) -> Row:
    """The row of a tender's winner, of whom another bidder takes the place."""
    bidders = grouped(raw("SPSE-PesertaTender"), "kd_tender")[str(row["kd_tender"])]
    other = next(each for each in bidders if str(each["kd_penyedia"] or row["kd_penyedia"]) != str(row["kd_penyedia"]))
    taken = {name: other[name] for name in ("kd_penyedia", "nama_penyedia", "npwp_penyedia")}
    return row | taken | {"npwp_16_penyedia": other["npwp_penyedia_16"]}


def test_a_second_sync_changes_nothing_and_one_of_a_changed_folder_only_what_changed(
    run: Run, compiled: dict[str, Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.query(f"VACUUM INTO '{tmp_path / 'warehouse.db'}'")
    use(monkeypatch, tmp_path, "kab-bandung-dumps.toml", DUMPS)
    again = Run(tmp_path, "", "")
    releases = "SELECT id, voided_at FROM release"
    before = set(again.query(releases))
    assert jejak("sync").status == 0
    status = json.loads(jejak("status", "--json").out)
    assert status["records"] == {"total": len(compiled), "built": 0}
    assert {(entry["new"], entry["changed"], entry["gone"]) for entry in status["services"]} == {(0, 0, 0)}
    assert set(again.query(releases)) == before

    # Two tenders have another winner, one of them with papers of the old one; an attempt, a purchase (but not its
    # payments), an order and a plan vanish; 1 % of the attempts have another HPS. All dates of extraction stay.
    folder = tmp_path / "changed"
    folder.mkdir()
    papers = {row["kd_tender"] for row in raw("SPSE-TenderEkontrak-1SPPBJ")}
    won = [row for row in raw("SPSE-TenderSelesaiNilai") if row["kd_penyedia"]]
    losers = [next(row for row in won if (row["kd_tender"] in papers) is signed) for signed in (True, False)]
    winners = {row["kd_tender"]: another_winner(row) for row in losers}
    finished = {row["kd_nontender"] for row in raw("SPSE-NonTenderSelesai")}
    attempts = [dict(row) for row in raw("SPSE-NonTenderPengumuman")]
    attempt = next(row for row in attempts if row["kd_nontender"] not in finished)
    attempts.remove(attempt)
    revised = attempts[::100]
    for row in revised:
        row["hps"] = (row["hps"] or 0) + 1000
    paid = {row["kd_swakelola_pct"] for row in raw("SPSE-PencatatanSwakelolaRealisasi")}
    purchases = raw("SPSE-PencatatanSwakelola")
    purchase = next(
        row
        for row in purchases
        if row["kd_swakelola_pct"] in paid and [each["kd_rup"] for each in purchases].count(row["kd_rup"]) == 1
    )
    order, *orders = raw("Ecat-PaketEPurchasingV6")
    plan, *plans = raw("RUP-PaketPenyedia-Terumumkan")
    written(folder, "SPSE-TenderSelesaiNilai", [winners.get(r["kd_tender"], r) for r in raw("SPSE-TenderSelesaiNilai")])
    written(folder, "SPSE-NonTenderPengumuman", attempts)
    written(folder, "SPSE-PencatatanSwakelola", [row for row in purchases if row is not purchase])
    written(folder, "Ecat-PaketEPurchasingV6", orders)
    written(folder, "RUP-PaketPenyedia-Terumumkan", plans)
    use(monkeypatch, tmp_path, "kab-bandung-dumps.toml", folder)
    assert jejak("sync").status == 0
    services = {entry["service"]: entry for entry in json.loads(jejak("status", "--json").out)["services"]}
    assert {name: (entry["changed"], entry["gone"]) for name, entry in services.items() if entry["fetched"]} == {
        "SPSE-TenderSelesaiNilai": (len(winners), 0),
        "SPSE-NonTenderPengumuman": (len(revised), 1),
        "SPSE-PencatatanSwakelola": (0, 1),
        "Ecat-PaketEPurchasingV6": (0, 1),
        "RUP-PaketPenyedia-Terumumkan": (0, 1),
    }

    assert jejak("export", "--out", tmp_path / "out").status == 0
    after, ocids = again.compiled(), identity().ocids
    gone = [("nontender", attempt["kd_nontender"]), ("swakelola", purchase["kd_swakelola_pct"])]
    gone += [("ecat", order["kd_paket"]), ("rup", plan["kd_rup"])]
    subjects = [*gone, *(("tender", code) for code in winners), *(("nontender", r["kd_nontender"]) for r in revised)]
    own = {(kind, str(code)): ocids[kind, str(code)] for kind, code in subjects}
    family = {ocid for ocid, rups in identity().shared.items() if ("rup", str(plan["kd_rup"])) in rups}
    touched = {*own.values(), *family}
    assert {ocid for ocid in after if after[ocid] != compiled[ocid]} == touched
    [(last_run,)] = again.query("SELECT id FROM run ORDER BY number DESC LIMIT 1")
    assert {ocid for (ocid,) in again.query(f"SELECT ocid FROM record WHERE run_id = '{last_run}'")} == touched

    for loser in losers:
        code, winner = str(loser["kd_tender"]), winners[loser["kd_tender"]]
        awards = {award["id"]: award["status"] for award in after[ocids["tender", code]]["awards"]}
        assert awards == {f"{code}-{loser['kd_penyedia']}": "cancelled", f"{code}-{winner['kd_penyedia']}": "active"}
    for kind, code in gone[:3]:
        record = after[ocids[kind, str(code)]]
        if kind == "ecat":
            assert [entry["status"] for entry in award_and_contract(record, kind, str(code)) if entry] == [
                "cancelled"
            ] * 2
        if kind == "swakelola":
            # Its payments stay, and with them the contract, of which nobody says any more what it is worth.
            _, contract = award_and_contract(record, kind, str(code))
            _, before_it = award_and_contract(compiled[record["ocid"]], kind, str(code))
            assert contract["implementation"] == before_it["implementation"]
            assert contract["status"] == "active"
            assert amount(contract.get("value")) is None
        assert record["tender"]["id"] == f"{kind}-{code}"
        assert record["tender"]["status"] == "withdrawn"
        # Rows of payments name no office: what is left of self-managed work is the regency's.
        regency = {"id": f"JEJAK-KLPD-{purchase['kd_klpd']}"}
        assert record["buyer"] == (regency if kind == "swakelola" else compiled[record["ocid"]]["buyer"])
    assert "planning" in after[ocids["rup", str(plan["kd_rup"])]]  # a plan was made, though it was withdrawn
    for row in revised:
        assert amount(after[ocids["nontender", str(row["kd_nontender"])]]["tender"]["value"]) == row["hps"]


# --- the operator's chair ---------------------------------------------------------------------------------------------


def test_the_commands_tell_an_operator_what_there_is(at_hand: Run) -> None:
    for name in ("fetched", "duplicate", "rejected", "SPSE-NonTenderPengumuman", "Records:"):
        assert name in at_hand.printed
    for kind, (service, field, *_) in (ATTEMPTS | PURCHASES).items():
        code = str(raw(service)[0][field])
        result = jejak("show", code)
        assert result.status == 0
        assert identity().ocids[kind, code] in result.out
        assert "Traceback" not in result.err
    consolidated = next(row for row in raw("SPSE-NonTenderPengumuman") if len(codes(row["kd_rup"])) > 1)
    result = jejak("show", codes(consolidated["kd_rup"])[0])
    assert result.status == 0
    assert identity().ocids["nontender", str(consolidated["kd_nontender"])] in result.out
    unknown = jejak("show", "no-such-code")
    assert unknown.status == 1
    assert "no-such-code" in unknown.err
    valid = jejak("validate")
    assert valid.status == 0
    assert re.search(r"\b0 invalid", valid.out)


# --- a spreadsheet as typed and scraped by hand -----------------------------------------------------------------------


@needs_sheets
def test_every_row_of_the_spreadsheet_becomes_a_tender(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    [workbook] = SHEETS.glob("*.xlsx")
    sheet = pd.read_excel(workbook, dtype=object).rename(columns=str.strip)
    rows: list[Row] = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in sheet.to_dict("records")
    ]
    folder = tmp_path_factory.mktemp("bojonegoro")
    run = synced(folder, "bojonegoro-sheets.toml", SHEETS)
    use(monkeypatch, folder, "bojonegoro-sheets.toml", SHEETS)
    for entry in json.loads(jejak("status", "--json").out)["services"]:
        assert entry["fetched"] in (0, len(rows))
        assert entry["fetched"] == sum(entry[count] for count in COUNTS)
        assert entry["rejected"] == 0
    compiled = run.compiled()
    first: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (row["tanggal_pembuatan"], row["kode_lelang"])):
        first.setdefault(str(row["id_rup"]), str(row["kode_lelang"]))
    found = set()
    for row in rows:
        code, rup = str(row["kode_lelang"]), str(row["id_rup"])
        own = rup in EMPTY or first[rup] != code
        record = compiled[f"ocds-213czf-tender-{code}" if own else f"ocds-213czf-rup-{rup}"]
        found.add(record["ocid"])
        tender = record["tender"]
        assert tender["id"] == f"tender-{code}"
        assert squeezed(tender["title"]) == squeezed(row["nama_paket"])
        assert amount(tender.get("value")) == (row["hps"] or None)
        assert amount(record["planning"]["budget"].get("amount")) == (row["pagu"] or None)
        assert tender["statusDetails"] == row["tahap_tender"]
        done, unscheduled = "Sudah Selesai" in row["tahap_tender"], row["tahap_tender"] == "Tidak Ada Jadwal"
        assert tender.get("status") == ("complete" if done else None if unscheduled else "active")
        method = row["sistem_pengadaan"].split(" - ")[0]
        selective = method.startswith("Seleksi") or method == "Tender Cepat"
        assert tender["procurementMethod"] == ("selective" if selective else "open")
        assert tender["mainProcurementCategory"] == category(row["kategori"])
        awards = record.get("awards", [])
        assert [squeezed(party["name"]) for award in awards for party in award["suppliers"]] == (
            [squeezed(row["nama_pemenang"])] if row["nama_pemenang"] else []
        )
        for award in awards:
            agreed = row["hasil_negosiasi"] or row["harga_terkoreksi"] or row["harga_penawaran"]
            assert amount(award.get("value")) == (agreed or None)
    assert found == compiled.keys()
    assert len(found) == len(rows)
    addresses = {str(row[name]) for row in rows for name in ("alamat_pemenang", "alamat_kontraktor") if row[name]}
    published = {text for name in ("releases", "compiled") for line in run.lines(name) for _, text in texts(line)}
    assert not any(address in text for address in addresses for text in published)
