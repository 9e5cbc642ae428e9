"""Whole folders of real answers through the whole pipeline: what must come out is counted here from the raw files.

The province's year comes from a folder of dumps; the answers of INAPROC are served again as it serves them, v1's in
pages by cursor and those of `legacy` as bare lists. The files are not part of this repository, and no row, code or name
of them stands here: `JEJAK_REAL_DATA` names their folder, by default `../shared/data` beside the repository.
"""

import base64
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.test_real_data import DATA, Run, synced, use
from tests.test_real_rows import OTHER_NAMES
from tests.worlds import jejak, toml

PROVINCE, ORDERS, OLD = (DATA / name for name in ("isb-prov-kalbar-2024", "isb-ecat-kalbar-2022", "isb-old-2022"))
V1, LEGACY = DATA / "inaproc-v1-k34", DATA / "inaproc-legacy-kobar-2026"
pytestmark = pytest.mark.skipif(
    not all(folder.is_dir() for folder in (PROVINCE, ORDERS, OLD, V1, LEGACY)),
    reason="no folders of real rows; name their parent in JEJAK_REAL_DATA",
)

Row = dict[str, Any]
COUNTED = ("new", "changed", "unchanged", "duplicate", "rejected")
AGREEMENTS = {"Surat Perjanjian", "Surat Pesanan"}


def raw(path: Path) -> list[Row]:
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8-sig"))
    return rows


def amount(holder: Row) -> float:
    found: float = holder.get("value", {}).get("amount", 0)
    return found


def to_the_rupiah(value: float) -> Any:
    return pytest.approx(value, abs=0.5, rel=0)


def every_row_is_accounted_for(run: Run, fetched: dict[tuple[str, str], int], rejected: int = 0) -> None:
    """No service fails, of each (service, scope) what came is what the files hold, each row under one count, and no
    word or column is unknown."""
    found = run.query(f"SELECT service, scope, status, fetched, {', '.join(COUNTED)} FROM run_service")
    assert {row[2] for row in found} == {"success"} | ({"absent"} & {row[2] for row in found})
    assert {row[:2]: row[3] for row in found if row[3]} == fetched
    assert all(row[3] == sum(row[4:]) for row in found)
    assert sum(row[-1] for row in found) == rejected
    for queue in ("pending_code", "pending_process"):
        assert run.query(f"SELECT count(*) FROM {queue}") == [(0,)]
    assert run.query("SELECT service, field, value FROM signal WHERE kind <> 'dropped'") == []


def settings_of(folder: Path, klpd: str, years: list[int], **sources: Row) -> str:
    """A settings file."""
    values = {
        "name": "Instansi Rekaan", "ocid_prefix": "ocds-213czf", "kd_klpd": klpd, "kd_lpse": "999",
        "fiscal_years": years, "sources": sources,
    }  # fmt: skip
    path = folder / "settings.toml"
    path.write_text("".join(f"{name} = {toml(value)}\n" for name, value in values.items()), encoding="utf-8")
    return str(path)


# --- a province's year ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return synced(tmp_path_factory.mktemp("province"), "prov-kalbar-dumps.toml", PROVINCE)


@pytest.fixture(scope="module")
def records(province: Run) -> dict[str, Row]:
    return province.compiled()


def test_every_row_of_the_province_is_accounted_for(province: Run) -> None:
    every_row_is_accounted_for(province, {(path.stem, "2024"): len(raw(path)) for path in PROVINCE.glob("*.json")})


def test_budget_lines_add_up_to_the_pagu_of_every_package(province: Run, records: dict[str, Row]) -> None:
    pagu = {str(row["kd_rup"]): row["pagu"] for row in raw(PROVINCE / "RUP-PaketPenyedia-Terumumkan.json")}
    assert len(pagu) == 16_975
    rows = "SELECT code, sum(json_extract(payload, '$.pagu')) FROM raw_record WHERE service = '{}' GROUP BY code"
    kept = dict(province.query(rows.format("RUP-PaketAnggaranPenyedia").replace("WHERE", "WHERE current AND")))
    assert {code: kept[code] for code in pagu} == pagu
    ocids = dict(province.query("SELECT key, ocid FROM identity WHERE kind = 'rup'"))
    found = {code: records[ocids[code]]["planning"]["budget"] for code in pagu}
    lines = {
        code: sum(line["amount"]["amount"] for line in budget["budgetBreakdown"]) for code, budget in found.items()
    }
    assert lines == {code: budget["amount"]["amount"] for code, budget in found.items()} == pagu
    star = province.query(
        "SELECT kd_rup, coalesce(pagu, pagu_not_counted), sum(amount) FROM plan "
        "JOIN plan_account AS line ON line.ocid = plan.ocid AND plan_id = plan.id "
        "WHERE kind = 'rup' GROUP BY plan.ocid, plan.id"
    )
    assert {(code, own, lines) for code, own, lines in star} == {(code, own, own) for code, own in pagu.items()}


def test_what_offices_announced_stands_against_their_budgets(province: Run) -> None:
    sums = ("budgeted_amount", "provider_amount", "swakelola_amount")
    [found] = province.query(f"SELECT {', '.join(f'sum({name})' for name in sums)} FROM announced_against_budget")
    assert found == (2_670_831_057_549, 2_286_200_387_053, 499_319_769_319)
    budgets = {row["nama_satker"]: row["belanja_pengadaan"] for row in raw(PROVINCE / "RUP-StrukturAnggaranPD.json")}
    assert len(budgets) == 88
    assert dict(province.query("SELECT office_name, budgeted_amount FROM announced_against_budget")) == budgets


def test_what_was_recorded_with_purchases_sums_to_their_totals(province: Run, records: dict[str, Row]) -> None:
    headers = raw(PROVINCE / "SPSE-PencatatanNonTender.json")
    totals = {str(row["kd_nontender_pct"]): row["total_realisasi"] or 0 for row in headers}
    lines = raw(PROVINCE / "SPSE-PencatatanNonTenderRealisasi.json")
    assert (len(totals), sum(totals.values())) == (853, 102_524_281_141)
    agreed: dict[str, float] = defaultdict(float)
    paid: dict[str, float] = defaultdict(float)
    undated = 0.0
    for record in records.values():
        for contract in record.get("contracts", []):
            kind, _, code = contract["id"].partition("-")
            if kind == "pencatatan":
                implementation = contract.get("implementation", {})
                due = [each for each in implementation.get("milestones", []) if each["type"] == "payment"]
                agreed[code] += sum(map(amount, contract.get("agreements", [])))
                paid[code] += sum(map(amount, [*implementation.get("transactions", []), *due]))
                undated += sum(map(amount, due))
    assert sum(agreed.values()) == sum(r["nilai_realisasi"] for r in lines if r["jenis_realisasi"] in AGREEMENTS)
    assert sum(agreed.values()) == 95_424_981_163
    assert {code: agreed[code] + paid[code] for code in totals} == {code: float(sum_) for code, sum_ in totals.items()}
    # The star tables hold what was paid on a day; the sum of a recording is its contract's.
    of_purchases = "FROM {} WHERE contract_id LIKE 'pencatatan-%'"
    [(agreements,)] = province.query(f"SELECT sum(value) {of_purchases.format('agreement')}")
    [(payments,)] = province.query(f"SELECT sum(value) {of_purchases.format('payment')}")
    assert (agreements, payments) == (95_424_981_163, sum(paid.values()) - undated)
    recorded = "SELECT sum(recorded_amount) FROM contract WHERE channel = 'pencatatan'"
    assert province.query(recorded) == [(102_524_281_141,)]


def test_recorded_swakelola_that_does_not_add_up_is_told_and_left_as_it_is(province: Run) -> None:
    headers = raw(PROVINCE / "SPSE-PencatatanSwakelola.json")
    totals = {row["kd_swakelola_pct"]: row["total_realisasi"] or 0 for row in headers}
    sums: Counter[int] = Counter()
    for row in raw(PROVINCE / "SPSE-PencatatanSwakelolaRealisasi.json"):
        sums[row["kd_swakelola_pct"]] += row["nilai_realisasi"] or 0
    wrong = {code for code, total in totals.items() if abs(total - sums[code]) >= 1}
    assert (len(totals), len(wrong)) == (168, 6)
    kept = "SELECT id, recorded_amount FROM contract WHERE channel = 'swakelola'"
    assert {int(name.partition("-")[2]): value or 0 for name, value in province.query(kept)} == totals
    with pytest.MonkeyPatch.context() as patch:
        use(patch, province.folder, "prov-kalbar-dumps.toml", PROVINCE)
        found = {each["source"]: each["sums"] for each in json.loads(jejak("health", "--json").out)}
    assert [(each["of"], each["broken"]) for each in found["lpse"]] == [(853 + 168, 6)]
    assert [each["broken"] for each in found["sirup"]] == [0]


@pytest.mark.parametrize(
    ("kind", "contracts", "hps"),
    [("tender", 772_329_540_029.35, 849_270_718_051.08), ("nontender", 455_079_302_052.30, 258_320_586_021.52)],
)
def test_contracts_and_hps(province: Run, kind: str, contracts: float, hps: float) -> None:
    [(value,)] = province.query(f"SELECT sum(value) FROM contract WHERE channel = '{kind}'")
    assert value == pytest.approx(contracts, abs=0.01, rel=0)
    [(estimated,)] = province.query(f"SELECT sum(hps) FROM attempt WHERE channel = '{kind}'")
    assert estimated == pytest.approx(hps, abs=0.01, rel=0)
    statuses = province.query(f"SELECT count(*) FROM attempt WHERE channel = '{kind}' AND status IS NULL")
    assert statuses == [(42 if kind == "tender" else 0,)]
    packages = f"SELECT packages, repeated FROM retender WHERE channel = '{kind}'"
    assert province.query(packages) == [(168, 20) if kind == "tender" else (1923, 208)]


def test_links_with_keys_hidden(province: Run) -> None:
    with pytest.MonkeyPatch.context() as patch:
        use(patch, province.folder, "prov-kalbar-dumps.toml", PROVINCE)
        shown = json.loads(jejak("links", "evaluate", "--hidden", "--json").out)["rules"]
    found = {each["rule"]: each for each in shown}
    assert found["rup-package"]["recall"] >= 0.965
    assert found["contract-payment"]["recall"] >= 0.97
    assert all(each["precision"] >= 0.995 for each in found.values())


# --- INAPROC: v1 in pages, legacy as bare lists -----------------------------------------------------------------------

PAGE = 200


@contextmanager
def inaproc(lists: dict[tuple[str, str], list[Row]]) -> Iterator[str]:
    """Serve lists, each by its path and year, as INAPROC does; what isn't there is an empty list."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            path = address.path.removeprefix("/api/")
            rows = lists.get((path.removeprefix("v1/"), asked.get("tahun", "")), [])
            body = json.dumps(self.page(rows, asked) if path.startswith("v1/") else rows).encode()
            if not path.startswith("v1/"):
                body = b"\xef\xbb\xbf" + body
            self.send_response(200 if self.headers["Authorization"] == "Bearer token" else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def page(self, rows: list[Row], asked: dict[str, str]) -> Row:
            at = json.loads(base64.b64decode(asked["cursor"]))["id"] - 2**63 if "cursor" in asked else 0
            to = at + min(int(asked.get("limit", 1)), PAGE)
            more = to < len(rows)
            cursor = base64.b64encode(json.dumps({"id": 2**63 + to}).encode()).decode() if more else None
            return {"success": True, "data": rows[at:to], "meta": {"has_more": more, "cursor": cursor}}

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
    finally:
        server.shutdown()
        server.server_close()


def over_inaproc(folder: Path, klpd: str, lists: dict[tuple[str, str], list[Row]], **services: Row) -> Run:
    years = sorted({int(year) for _, year in lists})
    with inaproc(lists) as url:
        reached = {"transport": "inaproc", "url": url, "token": "token"}
        sources: dict[str, Row] = {"sirup": {**reached, "services": services}, "lpse": reached}
        return synced(folder, settings_of(folder, klpd, years, **sources), folder)


def named(path: Path) -> str:
    """Where INAPROC has a list: `tender--pengumuman.json` is `tender/pengumuman`."""
    return path.stem.replace("--", "/")


@pytest.fixture(scope="module")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Run:
    lists = {(named(path), path.parent.name): raw(path) for path in V1.rglob("*.json")}
    return over_inaproc(tmp_path_factory.mktemp("ministry"), "K34", lists)


def test_every_row_of_v1_is_accounted_for(ministry: Run) -> None:
    fetched = {(OTHER_NAMES[path.stem], path.parent.name): len(raw(path)) for path in V1.rglob("*.json")}
    assert sum(fetched.values()) == 16_142
    every_row_is_accounted_for(ministry, fetched)


def test_rows_of_v1_as_files_give_the_same_states(ministry: Run, tmp_path: Path) -> None:
    for path in V1.rglob("*.json"):
        copy = tmp_path / path.parent.name / f"{OTHER_NAMES[path.stem]}.json"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    files = {"transport": "files", "folder": f"{tmp_path}/{{year}}"}
    run = synced(tmp_path, settings_of(tmp_path, "K34", [2024, 2025], sirup=files, lpse=files), tmp_path)
    assert states(run) == states(ministry)


def states(run: Run) -> dict[str, Row]:
    """The records but for the moments at which they were read."""
    return {
        ocid: {name: value for name, value in record.items() if name not in ("date", "id")}
        for ocid, record in run.compiled().items()
    }


def test_rows_without_a_contract_give_none(ministry: Run) -> None:
    lists = {path.parent.name: raw(path) for path in V1.rglob("tender--tender-ekontrak-kontrak.json")}
    without = {year: [str(row["kd_tender"]) for row in rows if not row["no_kontrak"]] for year, rows in lists.items()}
    assert {year: len(codes) for year, codes in without.items()} == {"2024": 25, "2025": 4}
    records = {
        record["tender"]["id"]: record for record in ministry.compiled().values() if record.get("tender", {}).get("id")
    }
    signed = {str(row["kd_tender"]) for rows in lists.values() for row in rows if row["no_kontrak"]}
    for code in {code for codes in without.values() for code in codes} - signed:
        for contract in records.get(f"tender-{code}", {}).get("contracts", []):
            # A letter alone: it waits for its contract, and says what it is worth or with whom it is made.
            assert contract["status"] == "pending"
            assert contract.keys() > {"id", "status", "awardID"}


def test_each_new_code_of_a_split_plan_has_a_process_of_its_own(ministry: Run) -> None:
    splits = defaultdict(set)
    for row in raw(V1 / "2024" / "rup--history-kaji-ulang.json"):
        if row["jenis_revisi"] == "SATUKEBANYAK":
            splits[str(row["kd_rup_lama"])].add(str(row["kd_rup_baru"]))
    assert (len(splits), sum(map(len, splits.values()))) == (182, 412)
    ocids = dict(ministry.query("SELECT key, ocid FROM identity WHERE kind = 'rup'"))
    new = [code for codes in splits.values() for code in codes]
    assert len({ocids[code] for code in new}) == len(new)
    related = Counter(ministry.query("SELECT DISTINCT ocid, relationship, related_ocid FROM process_relation"))
    for old, codes in splits.items():
        for code in codes:
            assert related[ocids[code], "replacementProcess", ocids[old]] == 1


def test_every_row_of_legacy_is_accounted_for(tmp_path: Path) -> None:
    lists = {(f"legacy/{named(path)}", "2026"): raw(path) for path in LEGACY.glob("*.json")}
    fetched = {(OTHER_NAMES[path.stem], "2026"): len(raw(path)) for path in LEGACY.glob("*.json")}
    assert sum(fetched.values()) == 480
    # Most of these lists v1 has too; here the answers of legacy are at hand.
    services = {OTHER_NAMES[path.stem]: {"endpoint": f"legacy/{named(path)}"} for path in LEGACY.glob("*.json")}
    every_row_is_accounted_for(over_inaproc(tmp_path, "D228", lists, **services), fetched)


# --- orders, and names from before 2023 -------------------------------------------------------------------------------


def test_each_order_is_worth_its_own_total(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "D197", [2022], lpse={"transport": "files", "dumped_on": "2023-06-30"})
    run = synced(tmp_path, settings, ORDERS)
    lists = {path.stem: raw(path) for path in ORDERS.glob("*.json")}
    every_row_is_accounted_for(run, {(name, "2022"): len(rows) for name, rows in lists.items()})
    totals = {f"ecat-{row['kd_paket']}": row["total"] for row in lists["Ecat-PaketEPurchasing"]}
    assert len(totals) == 2_700
    assert sum(totals.values()) == pytest.approx(360_631_355_276.19, abs=0.01, rel=0)
    shops: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in lists["Bela-TokoDaringRealisasi"]:
        shops[f"tokodaring-{row['order_id']}"][row["tanggal_transaksi"]] += row["valuasi"]
    latest_lines = {order: lines[max(lines)] for order, lines in shops.items()}
    contracts = {c["id"]: amount(c) for record in run.compiled().values() for c in record.get("contracts", [])}
    assert contracts == totals | latest_lines
    assert {name: value or 0 for name, value in run.query("SELECT id, value FROM contract")} == contracts


def test_names_from_before_2023_lose_nothing(tmp_path: Path) -> None:
    services = {
        OTHER_NAMES[name]: {"file": f"{name}.json"}
        for name in ("non-tender-pengumuman", "non-tender-selesai", "tender-pengumuman", "tender-selesai")
    }
    read = {"transport": "files", "dumped_on": "2023-01-31", "services": services}
    run = synced(tmp_path, settings_of(tmp_path, "K9", [2022], lpse=read), OLD)
    every_row_is_accounted_for(run, {(service, "2022"): 25 for service in services})
    attempts = {row[0]: row[1:] for row in run.query("SELECT id, status, method, category, hps FROM attempt")}
    references = run.query("SELECT kind, code, rups FROM rup_reference")
    named_rups = {f"{kind}-{code}": json.loads(rups) for kind, code, rups in references}
    for name in ("tender", "nontender"):
        for row in raw(OLD / f"{'non-' if name == 'nontender' else ''}tender-pengumuman.json"):
            attempt = f"{name}-{row[f'kd_{name}']}"
            assert all(value is not None for value in attempts[attempt][:3]), attempts[attempt]
            assert [code for _, code in named_rups[attempt]] == str(row["kd_rup_paket"]).split(";")
