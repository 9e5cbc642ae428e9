"""Every fault that real sources and bug reports showed, over every transport that it can reach, for one service of each
source: what comes of it is the right value, or a source that failed and changed nothing, or a reject with its reason.

Each case first reads a good list of thirty rows and then the same list with one fault. The numbers of the faults are
those of `FINDINGS`; `ELSEWHERE` lists the faults that are no matter of one list, with where they are tried instead,
`UNREACHED` what a transport can't bring, with the reason.
"""

import csv
import gzip
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pandas as pd
import pytest
import tenacity
from sqlalchemy import Engine, insert, select

from pipeline.fetch import sync_service
from pipeline.registry import SERVICES
from schemas.service import read_row
from schemas.settings import Settings
from tests.answering import Answer, answering
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.engine import open_warehouse, reading, writing

Row = dict[str, Any]

FINDINGS = {
    # What was lost or wrong without a word.
    "equal rows": "equal rows dropped or doubled",
    "error object": "an error object with HTTP 200 taken for an empty list",
    "repeats": "repeated pages, few distinct rows, rows that lose their codes, shifted columns",
    "totals": "totals that the source states and that don't match",
    "rup codes": "RUP codes parted by blanks, in scientific notation, or words",
    "deletion": "a row deleted between two pages",
    "workbooks": "sheets, formulas without a result, total rows, merged cells",
    # What was refused though it could be read.
    "csv": "dialects, escapes, the word null, a broken quote",
    "tables": "title lines, headers in two rows, UTF-16, sep=, lock files",
    "side fields": "wrong dates and amounts that cost the whole row",
    "amounts": "Indonesian amounts and two-digit years",
    "nan": "NaN, and a row nested 900 deep",
    "parquet": "Parquet",
    # What broke.
    "bounds": "an endless answer, a packed one, endless cursors",
    "long keys": "a key of 5,120 characters",
    "codes": "codes that keep markup",
    "files": "broken workbooks, paths that leave the folder, links",
    "http": "refused credentials, redirects, errors, pages of HTML, answers cut short",
}

# What is no matter of one list -> the tests that try it (`lpse::f` is f in tests/test_lpse.py), or why none does.
ELSEWHERE = {
    "budget lines sum to pagu": "sirup::test_the_lines_of_a_budget_sum_to_the_plan_repeats_and_corrections_included "
    "real_years::test_budget_lines_add_up_to_the_pagu_of_every_package",
    "payments without a header wait, then open a process": "health::test_rows_that_wait_are_told "
    "build::test_rows_of_an_attempt_that_nobody_has_announced_wait_for_it",
    "contract rows without a contract, SPPBJ alone, terminated": "lpse::test_a_row_without_a_contract_is_none "
    "lpse::test_a_letter_alone_is_a_pending_award lpse::test_an_ended_contract_is_terminated "
    "real_years::test_rows_without_a_contract_give_none",
    "splits, cancellations and reactivations of plans": "sirup::test_the_last_event_of_a_plan_counts "
    "revisions::test_a_plan_that_is_cancelled_and_taken_up_again "
    "real_years::test_each_new_code_of_a_split_plan_has_a_process_of_its_own",
    "plans that come back under a new code": "revisions::"
    "test_a_plan_that_comes_back_under_a_new_code_is_a_link_to_review",
    "payments of a regency that goes from SIMDA to SIPD-RI": "switch::test_a_switch_doubles_nothing_and_loses_nothing "
    "simda::test_a_payment_is_its_year_office_number_and_amount",
    "agreements are no payments; payments on cancelled recordings": "lpse::"
    "test_agreements_are_papers_of_the_contract_and_the_rest_is_paid "
    "lpse::test_payments_of_a_cancelled_record_are_those_of_no_live_contract",
    "a key part that a service's rows never had": "rows::test_rows_without_a_key_of_their_own_have_their_code_for_one",
    "legacy answers, envelopes without meta": "connectors::test_legacy_answers_with_the_bare_list "
    "connectors::test_an_answer_without_meta_is_the_whole_list",
    "names from before 2023": "source_records::test_names_from_before_2023 "
    "real_years::test_names_from_before_2023_lose_nothing",
    "a package that moves to another office": "difference::test_a_package_that_moves_is_its_new_offices_alone",
    "stale dumps, rows of this run alone": "health::test_a_dump_is_as_fresh_as_its_rows "
    "health::test_a_source_that_always_brings_the_same_is_told cli::test_a_sync_reads_single_services",
    "personal fields": "source_records::test_every_official_and_tax_number_is_marked_as_personal",
    "a private certificate authority": "reaching::test_a_private_authority_is_named_with_its_remedy",
    "orders and their product rows, Toko Daring's lines": "real_years::test_each_order_is_worth_its_own_total "
    "lpse::test_an_order_whose_rows_all_stand_twice_counts_once "
    "lpse::test_the_lines_of_an_online_order_at_one_time_are_summed",
    "numbers of 2^31 or more stop no build": "fields::test_count_and_quantity "
    "build::test_a_process_that_the_tables_cannot_hold_does_not_stop_the_others",
    "answers and headers that drip (they need a clock)": "belief::test_an_answer_that_drips_ends "
    "belief::test_headers_that_drip_end",
    "linear scrub": "parties::test_long_texts_are_scrubbed_whole",
    "the warehouse's password, its failures in sentences": "warehouse_engine::"
    "test_an_unreadable_url_does_not_show_its_password "
    "warehouse_engine::test_a_warehouse_that_cannot_be_is_refused_with_its_remedy",
    "strict idempotence of rejects and signals": "sync::"
    "test_the_same_night_twice_changes_nothing_whatever_is_odd_in_it",
    "a release refused for one secondary field": "sync::test_odd_rows_that_can_be_used_become_releases",
    "exports that were killed; files' modes": "whole::"
    "test_whenever_it_is_killed_all_files_are_of_one_export_and_nothing_is_left_of_it "
    "whole::test_a_folder_and_its_files_are_their_owners whole::test_a_file_is_its_owners "
    "whole::test_a_file_whose_writer_is_killed_is_the_earlier_one warehouse_engine::"
    "test_a_sqlite_file_is_made_with_its_folder_and_is_nobody_elses",
    "repeated keys in a JSON object": "JSON's own rule: the last counts, in all of them alike",
    "kills, two at once, full disks, restarted servers": "torture::test_disturbed_nights_end_as_undisturbed_ones "
    "build::test_a_sync_killed_at_any_moment_and_started_again_ends_as_one_never_killed",
}

# (transports, findings) -> why none of these transports can bring what was found.
UNREACHED = {
    ("isb", "totals"): "a bare array states no total",
    ("isb", "deletion"): "one answer has no pages",
    ("inaproc", "deletion"): "pages by cursor (the last id), which a deletion doesn't move",
    ("isb, inaproc, rest", "csv, tables, workbooks, parquet, files"): "no files",
    ("rest", "long keys"): "its lists open no process; a long key of theirs stands as a digest: tests/test_rows.py",
    ("rest", "codes"): "its lists open no process: no code of theirs goes into an id's place",
    ("json, csv, xlsx, parquet", "http, bounds"): "no HTTP: a file has an end",
    ("json, csv, xlsx, parquet", "deletion"): "a file is read at one moment",
    ("csv, xlsx, parquet", "error object, totals"): "a table holds rows alone",
    ("csv", "nan"): "no numbers, only text; no nesting",
    ("xlsx", "nan"): "cells hold no NaN and no nesting",
    ("parquet", "nan"): "NaN is how it writes that nothing is there: read as such in every case",
    ("json, parquet", "csv, tables, workbooks"): "nothing is typed by hand",
    ("json, csv, xlsx", "parquet"): "another format",
    ("csv", "workbooks"): "another format",
    ("xlsx", "csv"): "another format",
    ("sql", "*"): "a database types and counts its own rows: tests/test_simda.py tries what it can bring",
    ("sipd", "*"): "rows in SIPD's own names: tests/test_sipd.py tries pages, totals and deletions",
}


@dataclass(frozen=True)
class Spec:
    """One service of a source, the fields by which faults come, and the transports that have it."""

    service: str
    key: str
    text: str
    amount: str
    date: str | None
    good: Row
    transports: tuple[str, ...]
    rup: str | None = None

    @property
    def source(self) -> str:
        return SERVICES[self.service][0]

    def rows(self, count: int = 30) -> list[Row]:
        return [
            {**self.good, self.key: self._code(number), self.text: f"Pekerjaan {number}"} for number in range(count)
        ]

    def _code(self, number: int) -> object:
        first = self.good[self.key]
        return first + number if isinstance(first, int) else f"{number:06}{first}"


_OFFICE = {"kd_klpd": "D999", "kd_satker_str": "9.01.0.00.0.00.02.0000", "nama_satker": "DINAS REKAAN"}
FILES = ("json", "csv", "xlsx", "parquet")
SPECS = [
    Spec("RUP-PaketPenyedia-Terumumkan", "kd_rup", "nama_paket", "pagu", "tgl_buat_paket",
         {"tahun_anggaran": 2025, **_OFFICE, "kd_rup": 90000001, "pagu": 100000, "tgl_buat_paket": "2025-01-14",
          "kode_rup_tahun_pertama": None}, ("isb", "inaproc", *FILES), rup="kode_rup_tahun_pertama"),
    Spec("SPSE-NonTenderPengumuman", "kd_nontender", "nama_paket", "hps", "tgl_buat_paket",
         {"tahun_anggaran": 2025, **_OFFICE, "kd_nontender": 90000001000, "kd_rup": "90000001", "hps": 100000,
          "tgl_buat_paket": "2025-01-14 10:51:33"}, ("isb", "inaproc", *FILES), rup="kd_rup"),
    Spec("SIMDA-SP2D", "No_SP2D", "Uraian", "Nilai", "Tgl_SP2D",
         {"Tahun": 2025, "No_Kontrak": "900.3/001/SPK/2025", "No_SP2D": "/SP2D-LS/2025", "Kd_Urusan": 8, "Kd_Bidang": 3,
          "Kd_Unit": 3, "Kd_Sub": 1, "Nilai": 100000, "Tgl_SP2D": "2025-07-18 00:00:00"}, FILES),
    Spec("Musrenbang-Usulan", "id_usulan", "giat_teks", "anggaran", "tanggal_usul",
         {"tahun_anggaran": 2025, "id_usulan": 98000001, "anggaran": 100000, "tanggal_usul": "2025-01-14"},
         ("rest", *FILES)),
    Spec("SIMPEN-Pekerjaan", "pekerjaan_id", "nama_pekerjaan", "nilai_kontrak", "tanggal_kontrak",
         {"tahun": 2025, "pekerjaan_id": 970001, "kode_rup": "90000001", "nilai_kontrak": 100000,
          "tanggal_kontrak": "2025-01-14"}, ("rest", *FILES), rup="kode_rup"),
    Spec("Dokumen-Perencanaan", "kode", "judul", "", "tanggal",
         {"tahun": 2025, "kode": 95000001, "url": "https://dokumen.rekaan.example/a.pdf", "tanggal": "2025-01-14"},
         ("rest", *FILES)),
]  # fmt: skip
HTTP = ("isb", "inaproc", "rest")


@dataclass
class Reading:
    """Where a case reads from: a folder, or the answers of a server; and what the settings say besides."""

    spec: Spec
    transport: str
    folder: Path
    answers: list[Answer] = field(default_factory=list)
    source_options: Row = field(default_factory=dict)
    options: Row = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.spec.service}.{self.transport}"

    def give(self, rows: list[Row]) -> None:
        """Have a whole list read."""
        match self.transport:
            case "isb":
                self.answers = [Answer(rows)]
            case "inaproc":
                self.answers = [Answer({"success": True, "data": rows, "meta": {"has_more": False}})]
            case "rest":
                self.answers = [Answer({"data": rows})]
            case "json":
                self.path.write_text(json.dumps(rows), encoding="utf-8")
            case "csv":
                self.path.write_text(as_csv(rows), encoding="utf-8", newline="")
            case "xlsx":
                book = openpyxl.Workbook()
                fill(book.worksheets[0], rows)
                book.save(self.path)
            case "parquet":
                columns = {name: [row.get(name) for row in rows] for name in columns_of(rows)}
                mixed = {
                    name: [None if each is None else str(each) for each in values]
                    if len({type(each) for each in values if each is not None}) > 1
                    else values
                    for name, values in columns.items()
                }
                pd.DataFrame(mixed).to_parquet(self.path)


def columns_of(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def as_csv(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns_of(rows))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def fill(sheet: Any, rows: list[Row], above: int = 0) -> None:
    for _ in range(above):
        sheet.append(["DAFTAR"])
    sheet.append(columns_of(rows))
    for row in rows:
        sheet.append([row.get(name) for name in columns_of(rows)])


# --- outcomes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What the warehouse has of the service: the records of current rows by their text, their numbers, and (text,
    reason) of open rejects."""

    rows: dict[str, Any]
    versions: frozenset[int]
    reasons: tuple[tuple[str, str], ...]


Check = Callable[[Spec, Row, Known, Known], None]


def failed(spec: Spec, row: Row, before: Known, after: Known) -> None:
    """The source failed, says why, and nothing changed."""
    assert row["status"] == "failed", row
    assert row["message"]
    assert "a defect of Jejak" not in row["message"]
    assert after == before


def unchanged(spec: Spec, row: Row, before: Known, after: Known) -> None:
    """The list is read as it is meant: nothing is new."""
    assert row["status"] == "success", row["message"]
    assert after == before
    assert row["fetched"] == row["unchanged"] + row["duplicate"]


def same_values(spec: Spec, row: Row, before: Known, after: Known) -> None:
    """Rows that are written otherwise say what they said."""
    assert (row["status"], row["rejected"], row["gone"]) == ("success", 0, 0)
    assert after.rows == before.rows


def rejected(spec: Spec, row: Row, before: Known, after: Known) -> None:
    """One row is kept aside with its reason; all others, and what was known of it, stay."""
    assert row["status"] == "success", row["message"]
    assert (row["rejected"], row["gone"]) == (1, 0)
    assert len(after.reasons) == 1
    assert all("a defect of Jejak" not in reason for _, reason in after.reasons)
    assert before.rows.keys() <= after.rows.keys()


def emptied(spec: Spec, row: Row, before: Known, after: Known) -> None:
    """The amount of one row is left out; the row stays."""
    assert row["status"] == "success", row["message"]
    assert (row["changed"], row["rejected"], row["gone"]) == (1, 0, 0)
    assert getattr(after.rows["Pekerjaan 5"], spec.amount) is None


# --- faults -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowFault:
    """A fault of one row: what it changes there, and what must come of the row: a value of a field (None where it is
    left out), or a reject (`REJECT`)."""

    name: str
    finding: str
    change: Callable[[Spec], Row]
    field: Callable[[Spec], str]
    expected: object
    has: Callable[[Spec], bool] = lambda spec: True


REJECT = "reject"


@dataclass(frozen=True)
class Fault:
    """A fault of a whole list: what it makes of a reading, by which transports it comes, and what must come of it."""

    name: str
    finding: str
    reach: tuple[str, ...]
    make: Callable[[Reading], None]
    check: Check
    has: Callable[[Spec], bool] = lambda spec: True


def rows_as(change: Callable[[list[Row], Spec], list[Row]]) -> Callable[[Reading], None]:
    return lambda given: given.give(change(given.spec.rows(), given.spec))


def answered(*answers: Answer, **options: Any) -> Callable[[Reading], None]:
    def make(given: Reading) -> None:
        given.answers = list(answers)
        given.source_options |= options

    return make


def written(content: Callable[[Spec], str | bytes]) -> Callable[[Reading], None]:
    def make(given: Reading) -> None:
        text = content(given.spec)
        given.path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return make


def fixed(content: str | bytes) -> Callable[[Spec], str | bytes]:
    return lambda _: content


def encoded(code: str) -> Callable[[str], bytes]:
    return lambda text: text.encode(code)


ALL = (*HTTP, *FILES)
JSON = (*HTTP, "json")


def _has_amount(spec: Spec) -> bool:
    return bool(spec.amount)


def _about_amount(spec: Spec) -> bool:
    return spec.amount in SERVICES[spec.service][1].essential


def _side_amount(spec: Spec) -> bool:
    return bool(spec.amount) and not _about_amount(spec)


def _opens_process(spec: Spec) -> bool:
    service = SERVICES[spec.service][1]
    return service.kind is not None and not service.linked


def _set(name: Callable[[Spec], str], text: object) -> Callable[[Spec], Row]:
    return lambda spec: {name(spec): text}


def _amount(spec: Spec) -> str:
    return spec.amount


def _date(spec: Spec) -> str:
    return str(spec.date)


def _rup(spec: Spec) -> str:
    return str(spec.rup)


def _key(spec: Spec) -> str:
    return spec.key


def _row_faults() -> Iterator[RowFault]:
    for text, amount in {"1.234.567,89": 1234567.89, "Rp 1.234.567": 1234567, "Rp1.234.567,00": 1234567}.items():
        yield RowFault(f"amount {text}", "amounts", _set(_amount, text), _amount, amount, _has_amount)
    for text in ("??", "lihat lampiran", "1e999"):
        change = _set(_amount, text)
        yield RowFault(f"amount {text}", "side fields", change, _amount, None, _side_amount)
        yield RowFault(f"amount {text} that it is about", "side fields", change, _amount, REJECT, _about_amount)
    dates = {
        "1900-01-01": None, "0000-00-00": None, "-0001-11-30": None, "2204-05-01": None, "kemarin": None,
        "15 Januari 2025 08:00": "2025-01-15T08:00:00", "15-Jan-98": "1998-01-15", "45809": "2025-06-01",
        "2025-01-15T08:00:00+07:00": "2025-01-15T08:00:00", "15/01/2025": "2025-01-15",
    }  # fmt: skip
    for text, moment in dates.items():
        yield RowFault(f"date {text}", "side fields", _set(_date, text), _date, moment, lambda s: s.date is not None)
    rups: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(("5,95199E+07", "NULL", "nan", "#N/A", "tidak ada", "-", "0"), ()),
        **dict.fromkeys(
            ("90000002;90000003", "90000002 / 90000003", "90000002\n90000003", "90000002 90000003"),
            ("90000002", "90000003"),
        ),
    }
    for text, found in rups.items():
        yield RowFault(f"kd_rup {text!r}", "rup codes", _set(_rup, text), _rup, found, lambda s: s.rup is not None)
    for text in ("5,95199E+07", "NULL", "tidak ada", "90000002 90000003"):
        yield RowFault(f"own kd_rup {text!r}", "rup codes", _set(_key, text), _key, REJECT, lambda s: s.key == "kd_rup")
    for empty in (None, "", "-"):
        yield RowFault(f"key {empty!r}", "repeats", _set(_key, empty), _key, REJECT, _known_by_key)
    yield RowFault("key of 5,120 characters", "long keys", _set(_key, "9" * 5120), _key, REJECT, _opens_process)
    for text in ("<script>1</script>", "javascript:1", "90\u202e/01 x"):
        yield RowFault(f"code {text!r}", "codes", _set(_key, text), _key, REJECT, _opens_process)


def _known_by_key(spec: Spec) -> bool:
    return spec.key == SERVICES[spec.service][1].key[0]


def _shifted(rows: list[Row], spec: Spec) -> list[Row]:
    names, values = list(rows[5]), list(rows[5].values())
    at = names.index(spec.key)
    return [*rows[:5], dict(zip(names, [*values[:at], "Pekerjaan bergeser", *values[at:-1]], strict=True)), *rows[6:]]


def _list_faults() -> Iterator[Fault]:
    shifted = rows_as(_shifted)
    yield Fault("columns shifted", "repeats", ALL, shifted, rejected, lambda s: s.key == "kd_nontender")
    yield Fault("the same list twice", "equal rows", ALL, rows_as(lambda rows, _: rows + rows), unchanged)
    yield Fault("some rows again", "equal rows", ALL, rows_as(lambda rows, _: rows + rows[:3]), unchanged)
    yield Fault("ten rows twenty times", "repeats", ALL, rows_as(lambda rows, _: rows[:10] * 20), failed)
    yield Fault("most rows lose their code", "repeats", ALL,
                rows_as(lambda rows, s: [{**row, s.key: None} for row in rows[:25]] + rows[25:]), failed,
                _known_by_key)  # fmt: skip
    yield Fault("a few rows only", "repeats", ALL, rows_as(lambda rows, _: rows[:3]), failed)
    keyless = rows_as(lambda rows, s: [{k: v for k, v in row.items() if k != s.key} for row in rows])
    yield Fault("no column that rows are known by", "repeats", ALL, keyless, failed)
    yield Fault("no rows", "repeats", (*HTTP, "json", "csv"), rows_as(lambda rows, _: []), failed)


def _answer_faults() -> Iterator[Fault]:
    objects: list[Row] = [
        {"status": "error", "message": "Token kedaluwarsa", "data": []},
        {"status": False, "data": []},
        {"code": 401, "data": None},
        {"error": "Layanan ditutup", "data": None},
        {"success": "false", "data": []},
        {"success": False, "error": {"code": 500, "message": "x"}, "meta": {"request_id": "1"}},
    ]
    for each in objects:
        yield Fault(f"error object {each}", "error object", HTTP, answered(Answer(each)), failed)
        yield Fault(f"error object {each}", "error object", ("json",), written(fixed(json.dumps(each))),
                    failed)  # fmt: skip
    for status in (301, 400, 401, 403, 404, 500, 503):
        yield Fault(f"HTTP {status}", "http", HTTP, answered(Answer([], status)), failed)
    page = Answer("<!DOCTYPE html><form>Login", headers={"Content-Type": "text/html"})
    yield Fault("a page of HTML", "http", HTTP, answered(page), failed)
    yield Fault("an answer cut short", "http", HTTP, answered(Answer('[{"a": 1}, {"a"')), failed)
    yield Fault("fewer bytes than promised", "http", HTTP, answered(Answer([{"a": 1}], promised=999)), failed)
    bomb = Answer(gzip.compress(b"[" + b" " * 9_000_000 + b"]"), headers={"Content-Encoding": "gzip"})
    yield Fault("a packed answer without end", "bounds", HTTP, answered(bomb, max_megabytes=2), failed)
    yield Fault("an answer without end", "bounds", HTTP, answered(Answer(pieces=_endless), max_megabytes=2), failed)
    yield Fault("pages without end", "bounds", ("inaproc",), _endless_pages, failed)
    for members in ({"total": 45}, {"meta": {"total": 45}}, {"recordsTotal": "45"}):

        def short(given: Reading, members: Row = members) -> None:
            body = {"success": True, "data": given.spec.rows(), **members}
            if given.transport == "json":
                given.path.write_text(json.dumps(body))
            else:
                given.answers = [Answer(body)]

        yield Fault(f"rows that are fewer than {members}", "totals", ("inaproc", "rest", "json"), short, failed)
    yield Fault("page 1 again and again", "repeats", ("inaproc", "rest"), _same_page, failed)
    yield Fault("a row deleted between two pages", "deletion", ("rest",), _deletion, failed)


def _endless() -> Iterator[bytes]:
    yield b"["
    while True:
        yield b'{"a": 1},' * 10_000


def _endless_pages(given: Reading) -> None:
    rows = given.spec.rows()
    given.source_options |= {"max_pages": 5}
    given.answers = [
        Answer({"success": True, "data": [row], "meta": {"has_more": True, "cursor": f"c{number}"}})
        for number, row in enumerate(rows[:20])
    ]


def _same_page(given: Reading) -> None:
    rows = given.spec.rows()[:10]
    if given.transport == "inaproc":
        bodies: list[Row] = [
            {"success": True, "data": rows, "meta": {"has_more": True, "cursor": f"c{n}"}} for n in "123"
        ]
    else:
        bodies = [
            {"data": rows, "current_page": n, "last_page": 3, "next_page_url": f"?page={n + 1}"} for n in (1, 2, 3)
        ]
    given.answers = [Answer(body) for body in bodies]


def _deletion(given: Reading) -> None:
    rows = given.spec.rows()
    left = [*rows[:2], *rows[3:]]
    pages = [rows[:10], left[10:20], left[20:], left[:10], left[10:20]]
    links = ["?page=2", "?page=3", None, "?page=2", "?page=3"]
    given.answers = [Answer({"data": page, "next_page_url": link}) for page, link in zip(pages, links, strict=True)]


def _json_faults() -> Iterator[Fault]:
    def nan(given: Reading) -> None:
        given.give([*given.spec.rows()[:5], {**given.spec.rows()[5], given.spec.amount: math.nan},
                      *given.spec.rows()[6:]])  # fmt: skip

    def as_body(given: Reading, text: str) -> None:
        if given.transport == "json":
            given.path.write_text(text)
        else:
            given.answers = [Answer(text if given.transport == "isb" else f'{{"success": true, "data": {text}}}')]

    def deep(given: Reading) -> None:
        rows = [json.dumps(row) for row in given.spec.rows()]
        rows[5] = rows[5][:-1] + ', "isi": ' + "[" * 900 + "]" * 900 + "}"
        as_body(given, f"[{', '.join(rows)}]")

    yield Fault("an amount that is NaN", "nan", JSON, nan, emptied, _has_amount)
    yield Fault("a row nested 900 deep", "nan", JSON, deep, rejected)
    yield Fault("a column of dates as Parquet has them", "parquet", ("parquet",), _typed_parquet, same_values)


def _typed_parquet(given: Reading) -> None:
    frame = pd.DataFrame(given.spec.rows())
    frame[given.spec.date] = pd.to_datetime(frame[given.spec.date])
    frame.to_parquet(given.path)


def _table_faults() -> Iterator[Fault]:
    def texts(change: Callable[[str], str | bytes]) -> Callable[[Reading], None]:
        return written(lambda spec: change(as_csv(spec.rows())))

    yield Fault(
        "a broken quote", "csv", ("csv",), texts(lambda text: text + '1,"Jalan "Poros" Desa, rusak,6\n'), rejected
    )
    nulls = written(lambda s: as_csv([{**row, "catatan": "NULL", "lain": "null"} for row in s.rows()]))
    yield Fault("null as a word", "csv", ("csv",), nulls, unchanged)
    quoted = texts(lambda text: text.replace("Pekerjaan 5", '"Pekerjaan \\"5\\", Desa"'))
    yield Fault("quotes escaped by backslash", "csv", ("csv",), quoted, _quoted)
    for code in ("utf-16", "utf-8-sig", "utf-16-le"):
        yield Fault(f"text in {code}", "tables", ("csv",), texts(encoded(code)), unchanged)
    yield Fault("sep=; above the header", "tables", ("csv",),
                texts(lambda text: "sep=;\n" + text.replace(",", ";")), unchanged)  # fmt: skip
    yield Fault(
        "titles above the header", "tables", ("csv",), texts(lambda text: "DAFTAR TAHUN 2025\n\n" + text), unchanged
    )

    def sheets(fill_book: Callable[[Any, list[Row], Spec], None]) -> Callable[[Reading], None]:
        def make(given: Reading) -> None:
            book = openpyxl.Workbook()
            fill_book(book, given.spec.rows(), given.spec)
            book.save(given.path)

        return make

    def split(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.worksheets[0], rows[:15])
        fill(book.create_sheet("Kec. B"), rows[15:])

    def hidden(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.worksheets[0], rows[:2])
        book.worksheets[0].sheet_state = "hidden"
        fill(book.create_sheet("Data"), rows)

    def empty_first(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.create_sheet("Data"), rows)

    def titled(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.worksheets[0], rows, above=3)

    def summed(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.worksheets[0], rows)
        book.worksheets[0].append(["JUMLAH"])

    def formula(book: Any, rows: list[Row], spec: Spec) -> None:
        fill(book.worksheets[0], [{**rows[0], spec.text: "=1+2"}, *rows[1:]])

    for name, make in {
        "a sheet for each district": split, "a hidden first sheet": hidden, "an empty first sheet": empty_first,
        "titles above the table": titled, "a last row of sums": summed,
    }.items():  # fmt: skip
        yield Fault(name, "workbooks", ("xlsx",), sheets(make), unchanged)
    yield Fault("a formula without a result", "workbooks", ("xlsx",), sheets(formula), failed)

    def locked(given: Reading) -> None:
        given.give(given.spec.rows())
        given.path.with_name(f"~${given.path.name}").write_bytes(b"lock")
        given.options["file"] = "*.xlsx"

    yield Fault("a lock file beside it", "tables", ("xlsx",), locked, unchanged)
    for name, content in {
        "no workbook": b"PK\x03\x04broken",
        "an empty file": b"",
        "an old one": b"\xd0\xcf\x11\xe0x",
    }.items():
        yield Fault(f"{name} of its name", "files", ("xlsx", "parquet"), written(fixed(content)), failed)

    def outside(given: Reading) -> None:
        (given.folder.parent / "rahasia.json").write_text("[]")
        given.options["file"] = "../rahasia.json"

    def linked(given: Reading) -> None:
        target = given.folder.parent / f"rahasia.{given.transport}"
        given.path.rename(target)
        given.path.symlink_to(target)

    yield Fault("a path that leaves the folder", "files", ("json",), outside, failed)
    yield Fault("a link that leaves the folder", "files", FILES, linked, failed)


def _quoted(spec: Spec, row: Row, before: Known, after: Known) -> None:
    assert (row["status"], row["changed"], row["rejected"], row["gone"]) == ("success", 1, 0, 0)
    assert after.rows.keys() - before.rows.keys() == {'Pekerjaan "5", Desa'}


ROW_FAULTS = list(_row_faults())
FAULTS = [fault for faults in (_list_faults, _answer_faults, _json_faults, _table_faults) for fault in faults()]
CASES = [
    (fault, spec, transport)
    for fault in FAULTS
    for spec in SPECS
    for transport in spec.transports
    if transport in fault.reach and fault.has(spec)
]
ROW_CASES = [
    (fault, spec, transport)
    for fault in ROW_FAULTS
    for spec in SPECS
    for transport in spec.transports
    if fault.has(spec)
]


def named(case: tuple[RowFault | Fault, Spec, str]) -> str:
    return f"{case[0].name}-{case[2]}-{case[1].service}"


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setenv("JEJAK_NOW", "2025-10-03T12:00:00Z")


def settings_of(given: Reading, url: str) -> Settings:
    transport = given.transport if given.transport in HTTP else "files"
    source = {
        "transport": transport, "url": url, "token": "t", "api_key": "k", "service_no": "0", "retries": 0,
        "folder": str(given.folder) if transport == "files" else None, "dumped_on": "2025-10-03",
        **given.source_options, "services": {given.spec.service: given.options},
    }  # fmt: skip
    return Settings.model_validate(
        {"name": "Kabupaten Contoh", "ocid_prefix": "ocds-000000", "kd_klpd": "D999", "kd_lpse": "999",
         "fiscal_years": [2025], "sources": {given.spec.source: source}}
    )  # fmt: skip


def read(engine: Engine, given: Reading, run: str) -> Row:
    spec = given.spec
    with writing(engine) as conn:
        conn.execute(insert(t.run), {"id": run, "command": "sync", "started_at": "t", "status": "running"})
    with answering(*(given.answers or [Answer([])])) as server:
        return sync_service(engine, settings_of(given, server.url), spec.source, spec.service, "2025", run)


def known(engine: Engine, spec: Spec) -> Known:
    columns = t.raw_record.c
    service = SERVICES[spec.service][1]
    with reading(engine) as conn:
        rows = conn.execute(select(columns.id, columns.payload).where(columns.current, ~columns.gone)).all()
        rejects = conn.execute(
            select(t.reject.c.payload, t.reject.c.reason).where(t.reject.c.resolved_at.is_(None))
        ).all()
    records = [read_row(service, renamed(service, row.payload))[0] for row in rows]
    return Known(
        {getattr(record, spec.text): record for record in records},
        frozenset(row.id for row in rows),
        tuple((str(json.loads(row.payload).get(spec.text)), row.reason) for row in rejects),
    )


@pytest.mark.parametrize(("fault", "spec", "transport"), CASES, ids=map(named, CASES))
def test_a_fault_of_a_list_ends_in_the_right_rows_a_failed_source_or_a_reject(
    fault: Fault, spec: Spec, transport: str, tmp_path: Path, file_url: str
) -> None:
    engine = open_warehouse(file_url)
    (tmp_path / "drop").mkdir()
    case = Reading(spec, transport, tmp_path / "drop")
    case.give(spec.rows())
    first = read(engine, case, "first")
    assert (first["status"], first["new"]) == ("success", 30), first["message"]
    before = known(engine, spec)
    case.answers = []
    fault.make(case)
    fault.check(spec, read(engine, case, "second"), before, known(engine, spec))
    engine.dispose()


@pytest.fixture(scope="module")
def row_outcomes(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Spec, str], tuple[Row, Known, Known, dict[str, str]]]:
    """What comes of all faults of rows at once, each in a row of its own: read once for each service and transport."""

    @cache
    def outcome(service: str, transport: str) -> tuple[Row, Known, Known, dict[str, str]]:
        spec = next(each for each in SPECS if each.service == service)
        faults = [fault for fault in ROW_FAULTS if fault.has(spec)]
        folder = tmp_path_factory.mktemp("drop")
        shutil.copy(sqlite_template, folder / "jejak.db")
        engine = open_warehouse(f"sqlite:///{folder / 'jejak.db'}")
        case = Reading(spec, transport, folder)
        rows = spec.rows(len(faults) + 30)
        case.give(rows)
        read(engine, case, "first")
        before = known(engine, spec)
        broken = [{**row, **fault.change(spec)} for row, fault in zip(rows, faults, strict=False)]
        case.give(broken + rows[len(faults) :])
        row = read(engine, case, "second")
        after = known(engine, spec)
        engine.dispose()
        return row, before, after, {fault.name: str(row[spec.text]) for row, fault in zip(rows, faults, strict=False)}

    return lambda spec, transport: outcome(spec.service, transport)


@pytest.mark.parametrize(("fault", "spec", "transport"), ROW_CASES, ids=map(named, ROW_CASES))
def test_a_fault_of_a_row_ends_in_the_right_value_or_a_reject(
    fault: RowFault, spec: Spec, transport: str, row_outcomes: Any
) -> None:
    row, before, after, texts = row_outcomes(spec, transport)
    assert (row["status"], row["gone"]) == ("success", 0), row["message"]
    text = texts[fault.name]
    reasons = [reason for shown, reason in after.reasons if shown == text]
    if fault.expected == REJECT:
        assert len(reasons) == 1
        assert "a defect of Jejak" not in reasons[0]
        # What was known of the row stays until the source is mended.
        assert after.rows[text] == before.rows[text]
    else:
        assert reasons == []
        found = getattr(after.rows[text], fault.field(spec))
        assert (tuple(sorted(found)) if isinstance(found, tuple) else found) == fault.expected


def test_every_finding_is_tried_on_every_source() -> None:
    tried = {(fault.finding, spec.source) for fault, spec, _ in CASES}
    tried |= {(fault.finding, spec.source) for fault, spec, _ in ROW_CASES}
    assert {finding for finding, _ in tried} == FINDINGS.keys()
    assert {source for _, source in tried} == {"sirup", "lpse", "simda", "musrenbang", "simpen", "dokumen"}
    reached = {(transport, fault.finding) for fault, _, transport in CASES}
    reached |= {(transport, fault.finding) for fault, _, transport in ROW_CASES}
    unreached = {
        (transport, finding) for transports, findings in UNREACHED for transport in transports.split(", ")
        for finding in findings.split(", ") if finding != "*"
    }  # fmt: skip
    assert not reached & unreached
    assert reached | unreached == set(product((*HTTP, *FILES), FINDINGS))
    for each in (word for where in ELSEWHERE.values() for word in where.split() if "::" in word):
        file, _, function = each.partition("::")
        assert f"def {function}(" in (Path(__file__).parent / f"test_{file}.py").read_text(encoding="utf-8"), each
