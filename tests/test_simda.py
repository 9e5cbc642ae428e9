"""SIMDA: its database (SQLite and PostgreSQL, names in any case), dumps of it, its rows, and what is made of them."""

import csv
import datetime as dt
import tracemalloc
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import (
    CHAR,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    create_engine,
    make_url,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from connectors.simda import OPTIONAL, STATEMENTS, TABLES, fetch
from connectors.transport import sql
from schemas.errors import SettingsError, SourceUnavailable, StructureError
from schemas.service import Page
from schemas.settings import ServiceSettings, Settings, SourceSettings
from schemas.simda import NEVER_READ, SERVICES
from tests import states
from tests.databases import new_database
from tests.states import document, row, state
from transforms import codes, simda
from transforms.mapping import Context, Row
from transforms.parties import supplier_keys
from transforms.rows import identify
from transforms.state import State

SETTINGS = Settings(name="Contoh", ocid_prefix="ocds-000000", kd_klpd="D999", kd_lpse="999", fiscal_years=[2025])
BY_NAME = {service.name: service for service in SERVICES}
EVERY_SERVICE = pytest.mark.parametrize("name", BY_NAME)
EVERY_STATEMENT = pytest.mark.parametrize("name", STATEMENTS)
T_SQL = make_url("mssql+pymssql://").get_dialect()()
VARIABLE = "JEJAK_SOURCES__SIMDA__DATABASE"
# What may be in no answer: the values of the columns that are never read.
PRIVATE = "REK 0099887766"

# --- a small SIMDA ---------------------------------------------------------------------------------------------------

_OFFICE = "Kd_Urusan Kd_Bidang Kd_Unit Kd_Sub"
_LINE = f"{_OFFICE} Kd_Prog ID_Prog Kd_Keg"
_REK = "Kd_Rek_1 Kd_Rek_2 Kd_Rek_3 Kd_Rek_4 Kd_Rek_5"
_ACTIVITY90 = "kd_urusan90 kd_bidang90 kd_program90 kd_kegiatan90 kd_sub_kegiatan"
COLUMNS = {
    "Ref_Unit": "Kd_Urusan Kd_Bidang Kd_Unit Nm_Unit kd_unit90",
    "Ref_Sub_Unit": f"{_OFFICE} Nm_Sub_Unit",
    "Ta_Sub_Unit": f"Tahun {_OFFICE} Nm_Pimpinan Nip_Pimpinan Alamat",
    "Ta_Program": f"Tahun {_OFFICE} Kd_Prog ID_Prog Ket_Program Kd_Urusan1 Kd_Bidang1",
    "Ta_Kegiatan": f"Tahun {_LINE} Ket_Kegiatan Lokasi",
    "Ref_Rek_5": f"{_REK} Nm_Rek_5",
    "Ref_Kegiatan_Mapping": f"kd_urusan kd_bidang kd_prog kd_keg {_ACTIVITY90}",
    "Ref_Sub_Kegiatan90": "kd_urusan kd_bidang kd_program kd_kegiatan kd_sub_kegiatan nm_sub_kegiatan",
    "Ref_Rek_Mapping": f"{_REK} kd_rek90_1 kd_rek90_2 kd_rek90_3 kd_rek90_4 kd_rek90_5 kd_rek90_6",
    "Ta_RASK_Arsip": f"Tahun Kd_Perubahan {_LINE} {_REK} No_Rinc No_ID Keterangan_Rinc Total Keterangan Kd_Sumber",
    "Ta_Kontrak": f"Tahun No_Kontrak {_LINE} Tgl_Kontrak Keperluan Waktu Nilai Nm_Perusahaan Bentuk Alamat Nm_Pemilik "
    "NPWP Nm_Bank Nm_Rekening No_Rekening",
    "Ta_Kontrak_Addendum": "Tahun No_Kontrak No_Addendum Tgl_Addendum Keperluan Waktu Nilai",
    "Ta_SPP": f"Tahun No_SPP {_OFFICE} Tgl_SPP Uraian Kd_Edit Nm_Penerima Rek_Penerima",
    "Ta_SPP_Kontrak": "Tahun No_SPP No_Kontrak Nm_Bank No_Rekening Nilai",
    "Ta_SPM": f"Tahun No_SPM {_OFFICE} No_SPP Jn_SPM Tgl_SPM Uraian Nm_Penerima Bank_Penerima Rek_Penerima NPWP "
    "Nip_Penandatangan Kd_Edit",
    "Ta_SPM_Rinc": "Tahun No_SPM No_ID Nilai",
    "Ta_SP2D": "Tahun No_SP2D No_SPM Tgl_SP2D Nm_Penandatangan",
}


def _type(name: str) -> Any:
    if name.startswith("Tgl_"):
        return DateTime()
    if name in ("Nilai", "Total"):
        return Numeric(19, 4, asdecimal=False)
    if name == "No_Kontrak":
        return CHAR(50)
    if name.startswith(("No_S", "No_A", "No_Rek", "Nm_", "nm_", "Ket", "Kep")) or name in (
        *("kd_unit90", "kd_kegiatan90", "kd_kegiatan", "Waktu", "Uraian", "Bentuk", "NPWP", "Lokasi"),
        *NEVER_READ,
    ):
        return String(255)
    return Integer() if name in ("ID_Prog", "No_ID") else SmallInteger()


CASES: dict[str, Callable[[str], str]] = {"documented": str, "lower": str.lower, "upper": str.upper}
OFFICE = {"Kd_Urusan": 1, "Kd_Bidang": 3, "Kd_Unit": 1, "Kd_Sub": 1}
ROADS = {**OFFICE, "Kd_Prog": 15, "ID_Prog": 103, "Kd_Keg": 7}
BUILDING = {"Kd_Rek_1": 5, "Kd_Rek_2": 2, "Kd_Rek_3": 3, "Kd_Rek_4": 21, "Kd_Rek_5": 1}
MODERN = {"kd_urusan90": 1, "kd_bidang90": 3, "kd_program90": 10, "kd_kegiatan90": "2.01", "kd_sub_kegiatan": 5}


def day(date: str) -> Any:
    return dt.datetime.fromisoformat(date)


def line(total: float, **other: Any) -> dict[str, Any]:
    """A budget detail: of the road activity, in the latest revision, unless told otherwise."""
    usual = {"Tahun": 2025, "Kd_Perubahan": 6, **ROADS, **BUILDING, "No_Rinc": 1, "No_ID": 1, "Kd_Sumber": 1}
    return {**usual, "Keterangan_Rinc": "Belanja modal  ", "Keterangan": None, "Total": total, **other}


def contract(number: str, value: float, **other: Any) -> dict[str, Any]:
    usual = {"Tahun": 2025, **ROADS, "Tgl_Kontrak": day("2025-03-03"), "Keperluan": "Rehabilitasi Jalan Desa Sukamaju"}
    private = dict.fromkeys(("Alamat", "Nm_Pemilik", "Nm_Bank", "Nm_Rekening", "No_Rekening"), PRIVATE)
    supplier = {"Nm_Perusahaan": "CV CONTOH MAJU", "Bentuk": "CV", "NPWP": "01.234.567.8-999.000"}
    return {**usual, **private, **supplier, "Waktu": "120 hari kalender", "No_Kontrak": number, "Nilai": value, **other}


def payment(
    number: str,
    contracts: dict[str, float],
    details: list[float],
    *,
    year: int = 2025,
    edit: int | None = None,
    request: str | None = None,
    paid: bool = True,
) -> dict[str, list[dict[str, Any]]]:
    """The papers of a payment: `contracts` with what the request books on each, `details` the amounts by account."""
    request = request or f"{number}/SPP"
    who = {"Nm_Penerima": "CV CONTOH MAJU", "NPWP": "012345678999000"}
    spm = {"Tahun": year, "No_SPM": f"{number}/SPM", **OFFICE, "No_SPP": request, "Jn_SPM": 3, **who, "Kd_Edit": edit}
    private = {"Bank_Penerima": PRIVATE, "Rek_Penerima": PRIVATE, "Nip_Penandatangan": PRIVATE}
    sp2d = {"Tahun": year, "No_SP2D": f"{number}/SP2D", "No_SPM": f"{number}/SPM", "Nm_Penandatangan": PRIVATE}
    return {
        "Ta_SPP": [{"Tahun": year, "No_SPP": request, **OFFICE, "Tgl_SPP": day(f"{year}-05-01"), "Nm_Penerima": "X"}],
        "Ta_SPP_Kontrak": [
            {"Tahun": year, "No_SPP": request, "No_Kontrak": c, "Nilai": share, "No_Rekening": PRIVATE}
            for c, share in contracts.items()
        ],
        "Ta_SPM": [{**spm, **private, "Tgl_SPM": day(f"{year}-05-02"), "Uraian": "Termin"}],
        "Ta_SPM_Rinc": [
            {"Tahun": year, "No_SPM": f"{number}/SPM", "No_ID": i, "Nilai": amount} for i, amount in enumerate(details)
        ],
        "Ta_SP2D": [{**sp2d, "Tgl_SP2D": day(f"{year}-05-03")}] if paid else [],
    }


def small_simda() -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {
        "Ref_Unit": [
            {"Kd_Urusan": 1, "Kd_Bidang": 3, "Kd_Unit": 1, "Nm_Unit": "DINAS", "kd_unit90": "1-03.0-00.0-00.01"}
        ],
        "Ref_Sub_Unit": [{**OFFICE, "Nm_Sub_Unit": "DINAS CONTOH JALAN "}],
        "Ta_Sub_Unit": [{"Tahun": 2025, **OFFICE, "Nm_Pimpinan": PRIVATE, "Nip_Pimpinan": PRIVATE, "Alamat": PRIVATE}],
        "Ta_Program": [
            {"Tahun": year, **ROADS, "Kd_Prog": programme, "Ket_Program": name, "Kd_Urusan1": 1, "Kd_Bidang1": 3}
            for year in (2024, 2025)
            for programme, name in ((15, "PROGRAM JALAN"), (1, "PROGRAM PENUNJANG"), (16, "PROGRAM LAMA"))
        ],
        "Ta_Kegiatan": [
            {"Tahun": 2025, **ROADS, "Ket_Kegiatan": "Rehabilitasi Jalan"},
            {"Tahun": 2024, **ROADS, "Ket_Kegiatan": "Rehabilitasi Jalan 2024"},
        ],
        "Ref_Rek_5": [{**BUILDING, "Nm_Rek_5": "Belanja Modal Jalan"}],
        "Ref_Kegiatan_Mapping": [
            {"kd_urusan": 1, "kd_bidang": 3, "kd_prog": 15, "kd_keg": 7, **MODERN},
            {"kd_urusan": 1, "kd_bidang": 3, "kd_prog": 1, "kd_keg": 2, **MODERN, "kd_urusan90": 0, "kd_bidang90": 0}
            | {"kd_program90": 1, "kd_kegiatan90": "2.10", "kd_sub_kegiatan": 3},
            # Two answers for one activity.
            {"kd_urusan": 1, "kd_bidang": 3, "kd_prog": 16, "kd_keg": 1, **MODERN},
            {"kd_urusan": 1, "kd_bidang": 3, "kd_prog": 16, "kd_keg": 1, **MODERN, "kd_sub_kegiatan": 6},
        ],
        "Ref_Sub_Kegiatan90": [
            {"kd_urusan": 1, "kd_bidang": 3, "kd_program": 10, "kd_kegiatan": "2.01", "kd_sub_kegiatan": 5}
            | {"nm_sub_kegiatan": "Rehabilitasi Jalan"}
        ],
        "Ref_Rek_Mapping": [{**BUILDING, **{f"kd_rek90_{n}": v for n, v in enumerate((5, 2, 4, 1, 1, 3), 1)}}],
        "Ta_RASK_Arsip": [
            # The budget, and its revision: one detail shrinks, one goes, a whole line goes.
            line(900, Kd_Perubahan=4),
            line(500, Kd_Perubahan=4, No_ID=2),
            line(300, Kd_Perubahan=4, Kd_Prog=16, Kd_Keg=1, No_Rinc=1),
            line(700, Kd_Perubahan=4, Kd_Prog=17),
            line(650.5),
            line(300, Kd_Prog=16, Kd_Keg=1),
            line(40, Kd_Prog=1, Kd_Keg=2),
            line(10**12, Kd_Rek_1=4, Kd_Prog=0, ID_Prog=0, Kd_Keg=0),
            line(1, Tahun=2024, Kd_Perubahan=9),
        ],
        "Ta_Kontrak": [
            contract("602/K1/2025", 1_000),
            contract("602/K1/2025", 77, Tahun=2024),
            *(contract(f"602/K{n}/2025", 100 * n) for n in (2, 3, 4, 5, 6, 7)),
        ],
        "Ta_Kontrak_Addendum": [
            {"Tahun": 2025, "No_Kontrak": "602/K1/2025", "No_Addendum": "ADD-1", "Tgl_Addendum": day("2025-04-04")}
            | {"Keperluan": "Tambah volume", "Waktu": "150 hari kalender", "Nilai": 1_234_567.5},
        ],
    }
    papers = [
        # Two payments of one contract, of which the first was ordered twice: the first order is void.
        payment("01", {"602/K1/2025": 1000}, [100], edit=2),
        payment("02", {}, [150, 250.25], request="01/SPP", edit=1),
        payment("03", {"602/K1/2025": 1000}, [600]),
        # One request for two contracts: what it books adds up to what is paid.
        payment("04", {"602/K2/2025": 200, "602/K3/2025": 300}, [450, 50]),
        # It doesn't here.
        payment("05", {"602/K4/2025": 400, "602/K5/2025": 500}, [333]),
        payment("06", {"602/K7/2025": 700}, [700], paid=False),
        payment("07", {"602/K8/2025": 800}, [800]),
        # The numbers of another year are others.
        payment("03", {"602/K1/2025": 5}, [5], year=2024),
    ]
    for paper in papers:
        for table, added in paper.items():
            rows.setdefault(table, []).extend(added)
    rows["Ta_SPP"] = list({(row["Tahun"], row["No_SPP"]): row for row in rows["Ta_SPP"]}.values())
    return rows


def built(
    url: str, rows: dict[str, list[dict[str, Any]]], case: str = "documented", leave_out: Collection[str] = ()
) -> None:
    """A SIMDA database: tables and columns named in the given case, those of `leave_out` missing."""
    engine = create_engine(make_url(url))
    spelled = CASES[case]
    metadata = MetaData()
    tables = {
        name: Table(
            spelled(name),
            metadata,
            *(Column(spelled(c), _type(c), key=c) for c in columns.split() if f"{name}.{c}" not in leave_out),
        )
        for name, columns in COLUMNS.items()
        if name not in leave_out
    }
    metadata.create_all(engine)
    with engine.begin() as connection:
        for name, table in tables.items():
            entries = rows.get(name, [])
            if entries:
                fields = [column.key for column in table.columns]
                connection.execute(table.insert(), [{field: row.get(field) for field in fields} for row in entries])
    engine.dispose()


def source(url: str, **other: Any) -> SourceSettings:
    return SourceSettings(transport="sql", database=SecretStr(url), **other)


def asked(name: str, url: str, year: str = "2025", cursor: str | None = None) -> list[Page]:
    return list(fetch(BY_NAME[name], SETTINGS, source(url), year, cursor))


def rows_of(name: str, url: str, year: str = "2025") -> list[dict[str, Any]]:
    return [row for page in asked(name, url, year) for row in page.rows]


@pytest.fixture
def simda_url(empty_url: str) -> str:
    built(empty_url, small_simda())
    return empty_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/simda.db"
    built(url, small_simda())
    return url


# --- what is asked ---------------------------------------------------------------------------------------------------


@EVERY_STATEMENT
def test_a_statement_is_plain_t_sql(name: str) -> None:
    statement = STATEMENTS[name](sql.documented_tables(TABLES[name]), 2025)
    asks = str(statement.compile(dialect=T_SQL, compile_kwargs={"literal_binds": True}))
    assert asks.startswith("SELECT ")
    assert "[Ta_" in asks
    for word in (" LIMIT ", " OFFSET ", " ILIKE ", " USING ", "||", "::", " TRUE", " IS NOT DISTINCT", '"', "`"):
        assert word not in asks.upper()
    # T-SQL sorts the outermost question only.
    assert asks.count("ORDER BY") == 1
    assert ")" not in asks.partition("ORDER BY")[2]


@EVERY_STATEMENT
def test_a_statement_compiles_without_what_may_be_missing(name: str) -> None:
    present = {
        table: [column for column in columns if f"{table}.{column}" not in OPTIONAL]
        for table, columns in TABLES[name].items()
        if table not in OPTIONAL
    }
    statement = STATEMENTS[name](sql.documented_tables(present), 2025)
    assert set(statement.selected_columns.keys()) == set(BY_NAME[name].model.model_fields)
    asks = str(statement.compile(dialect=T_SQL))
    assert not [table for table in OPTIONAL if table in asks]


@EVERY_STATEMENT
def test_a_statement_gives_the_fields_of_the_record_and_nothing_private(name: str) -> None:
    statement = STATEMENTS[name](sql.documented_tables(TABLES[name]), 2025)
    assert set(statement.selected_columns.keys()) == set(BY_NAME[name].model.model_fields)
    asks = str(statement.compile(dialect=T_SQL)).casefold()
    assert not [column for column in NEVER_READ if column.casefold() in asks]
    assert not {column for columns in TABLES[name].values() for column in columns} & NEVER_READ


# --- what is answered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_names_come_in_any_case_and_leave_in_one(empty_url: str, case: str) -> None:
    built(empty_url, small_simda(), case)
    for name in STATEMENTS:
        rows = rows_of(name, empty_url)
        assert rows
        assert set(rows[0]) == set(BY_NAME[name].model.model_fields)
        assert PRIVATE not in repr(rows)


def test_the_budget_is_the_latest_revision_of_the_year(simda_url: str) -> None:
    rows = rows_of("SIMDA-Anggaran", simda_url)
    assert [(row["Kd_Prog"], row["Kd_Perubahan"], row["Total"]) for row in rows] == [
        (1, 6, 40),
        (15, 6, 650.5),
        (16, 6, 300),
    ]
    assert [type(row["Total"]) for row in rows] == [int, float, int]
    roads = rows[1]
    assert roads["Keterangan_Rinc"] == "Belanja modal"
    assert roads["Nm_Sub_Unit"] == "DINAS CONTOH JALAN"
    assert (roads["Ket_Program"], roads["Ket_Kegiatan"]) == ("PROGRAM JALAN", "Rehabilitasi Jalan")
    assert (roads["Nm_Rek_5"], roads["nm_sub_kegiatan"]) == ("Belanja Modal Jalan", "Rehabilitasi Jalan")
    assert [row["kd_kegiatan90"] for row in rows] == ["2.10", "2.01", None]
    assert rows_of("SIMDA-Anggaran", simda_url, "2024")[0]["Kd_Perubahan"] == 9


def test_a_mapping_with_two_answers_is_none_and_doubles_nothing(simda_url: str) -> None:
    ambiguous = [row for row in rows_of("SIMDA-Anggaran", simda_url) if row["Kd_Prog"] == 16]
    assert len(ambiguous) == 1
    assert ambiguous[0]["kd_program90"] is None
    assert ambiguous[0]["kd_rek90_6"] == 3


def test_contracts_and_addenda_are_of_the_year(simda_url: str) -> None:
    contracts = rows_of("SIMDA-Kontrak", simda_url)
    assert [row["No_Kontrak"] for row in contracts] == [f"602/K{n}/2025" for n in range(1, 8)]
    assert contracts[0]["Nilai"] == 1000
    assert contracts[0]["kd_unit90"] == "1-03.0-00.0-00.01"
    assert contracts[0]["Tgl_Kontrak"].startswith("2025-03-03 00:00:00")
    [addendum] = rows_of("SIMDA-Addendum", simda_url)
    assert (addendum["No_Kontrak"], addendum["Nilai"]) == ("602/K1/2025", 1_234_567.5)
    assert rows_of("SIMDA-Addendum", simda_url, "2024") == []


def test_a_payment_is_told_once_and_void_orders_never(simda_url: str) -> None:
    rows = rows_of("SIMDA-SP2D", simda_url)
    assert [(row["No_Kontrak"][4:6], row["No_SP2D"][:2], row["Nilai"]) for row in rows] == [
        ("K1", "02", 400.25),
        ("K1", "03", 600),
        ("K2", "04", 200),
        ("K3", "04", 300),
        ("K4", "05", None),
        ("K5", "05", None),
        ("K8", "07", 800),
    ]
    first = rows[0]
    assert (first["No_SPP"], first["No_SPM"], first["Jn_SPM"]) == ("01/SPP", "02/SPM", 3)
    assert first["Tgl_SP2D"].startswith("2025-05-03")
    assert first["Tgl_SPP"].startswith("2025-05-01")
    assert first["Nm_Sub_Unit"] == "DINAS CONTOH JALAN"
    [other] = rows_of("SIMDA-SP2D", simda_url, "2024")
    assert other["Nilai"] == 5


def test_two_payments_on_one_order_have_no_amount(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO Ta_SP2D (Tahun, No_SP2D, No_SPM) VALUES (2025, '99/SP2D', '03/SPM')"))
    engine.dispose()
    amounts = {row["No_SP2D"]: row["Nilai"] for row in rows_of("SIMDA-SP2D", sqlite_url)}
    assert amounts["03/SP2D"] is None
    assert amounts["99/SP2D"] is None
    assert amounts["02/SP2D"] == 400.25


def test_a_database_from_before_permendagri_90_gives_nulls(empty_url: str) -> None:
    mappings = {"Ref_Kegiatan_Mapping", "Ref_Sub_Kegiatan90", "Ref_Rek_Mapping"}
    built(empty_url, small_simda(), leave_out={*mappings, "Ref_Unit.kd_unit90"})
    rows = rows_of("SIMDA-Anggaran", empty_url)
    assert len(rows) == 3
    assert {value for row in rows for field, value in row.items() if "90" in field} == {None}
    records = [BY_NAME["SIMDA-Anggaran"].model.model_validate(row) for row in rows]
    assert {simda.canonical_mak(record) for record in records} == {None}
    assert rows_of("SIMDA-Kontrak", empty_url)[0]["kd_unit90"] is None


def test_what_is_needed_and_missing_is_named(empty_url: str) -> None:
    built(empty_url, small_simda(), leave_out={"Ta_SPM", "Ta_SP2D.No_SPM"})
    with pytest.raises(StructureError, match=r"Ta_SPM, Ta_SP2D\.No_SPM"):
        asked("SIMDA-SP2D", empty_url)
    assert rows_of("SIMDA-Kontrak", empty_url)


def test_views_do_as_well(sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE Ta_Kontrak RENAME TO rahasia"))
        connection.execute(text("CREATE VIEW TA_KONTRAK AS SELECT * FROM rahasia"))
    engine.dispose()
    assert len(rows_of("SIMDA-Kontrak", sqlite_url)) == 7


def test_a_year_without_rows_is_an_empty_page(simda_url: str) -> None:
    for name in STATEMENTS:
        assert [(page.rows, page.cursor) for page in asked(name, simda_url, "2031")] == [([], None)]


# --- only read, page by page -----------------------------------------------------------------------------------------


def test_the_connection_can_not_write(simda_url: str) -> None:
    for write in ("DELETE FROM {}", "UPDATE {} SET {} = NULL", "CREATE TABLE baru (a INTEGER)"):
        with sql.reading(source(simda_url), VARIABLE) as connection:
            quoted = connection.dialect.identifier_preparer.quote
            with pytest.raises(SQLAlchemyError, match=r"readonly|read-only"):
                connection.exec_driver_sql(write.format(quoted("Ta_Kontrak"), quoted("Nilai")))
    assert len(rows_of("SIMDA-Kontrak", simda_url)) == 7


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "tidak ada.db"
    with pytest.raises(SourceUnavailable, match=VARIABLE):
        asked("SIMDA-Kontrak", f"sqlite:///{path}")
    assert not path.exists()


def test_a_file_with_signs_in_its_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/SIMDA 2025 #1.db"
    built(url, small_simda())
    assert len(rows_of("SIMDA-Kontrak", url)) == 7


def many(rows: int) -> dict[str, list[dict[str, Any]]]:
    return {"Ta_Kontrak": [contract(f"{number:06}", number) for number in range(rows)]}


def test_pages_follow_one_another(simda_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "PAGE_ROWS", 3)
    found = asked("SIMDA-Kontrak", simda_url)
    assert [len(page.rows) for page in found] == [3, 3, 1]
    assert [page.cursor is None for page in found] == [False, False, True]
    assert [row for page in found for row in page.rows] == rows_of("SIMDA-Kontrak", simda_url)
    monkeypatch.setattr(sql, "PAGE_ROWS", 7)
    assert [(len(page.rows), page.cursor) for page in asked("SIMDA-Kontrak", simda_url)] == [(7, None)]


def test_a_broken_read_goes_on_in_the_same_state_of_the_database_or_not_at_all(
    simda_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "PAGE_ROWS", 3)
    whole = asked("SIMDA-Kontrak", simda_url)
    assert asked("SIMDA-Kontrak", simda_url, cursor=whole[0].cursor) == whole[1:]
    assert asked("SIMDA-Kontrak", simda_url, cursor=whole[1].cursor) == whole[2:]
    engine = create_engine(make_url(simda_url))
    quoted = engine.dialect.identifier_preparer.quote
    with engine.begin() as connection:
        table, number, value = map(quoted, ("Ta_Kontrak", "No_Kontrak", "Nilai"))
        connection.exec_driver_sql(f"UPDATE {table} SET {value} = 1 WHERE {number} = '602/K5/2025'")
    engine.dispose()
    # What was staged before the break is as it was.
    assert len(asked("SIMDA-Kontrak", simda_url, cursor=whole[0].cursor)) == 2
    with pytest.raises(StructureError, match="begin it anew"):
        asked("SIMDA-Kontrak", simda_url, cursor=whole[1].cursor)


def test_rows_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "PAGE_ROWS", 200)
    url = f"sqlite:///{tmp_path}/besar.db"
    built(url, many(4_000))

    def peak(read: Callable[[], object]) -> int:
        tracemalloc.start()
        read()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    def one_by_one() -> None:
        assert sum(len(page.rows) for page in fetch(BY_NAME["SIMDA-Kontrak"], SETTINGS, source(url), "2025")) == 4_000

    one_by_one()
    assert peak(one_by_one) < peak(lambda: asked("SIMDA-Kontrak", url)) / 2


def test_postgresql_streams_through_a_cursor_of_its_own(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "PAGE_ROWS", 500)
    with new_database(postgres_server) as url:
        built(url, many(1_200))
        found = fetch(BY_NAME["SIMDA-Kontrak"], SETTINGS, source(url), "2025")
        assert len(next(found).rows) == 500
        engine = create_engine(make_url(url))
        with engine.connect() as connection:
            doing = connection.execute(
                text(
                    "SELECT query, state FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                    "AND backend_type = 'client backend'"
                )
            ).all()
        engine.dispose()
        assert [(query.split()[0], state) for query, state in doing] == [("FETCH", "idle in transaction")]
        assert [len(page.rows) for page in found] == [500, 200]


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mssql+pymssql//sa:sangatrahasia@host/db", SettingsError),
        ("postgresql://sa:sangatrahasia@host:satu/db", SettingsError),
        ("tidakada://sa:sangatrahasia@host/db", SettingsError),
        ("sqlite://", SettingsError),
        ("sqlite:///:memory:", SettingsError),
        ("mssql+pymssql://sa:sangatrahasia@127.0.0.1:9/db", SourceUnavailable),
        ("postgresql+psycopg://sa:sangatrahasia@127.0.0.1:9/db", SourceUnavailable),
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(url: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=VARIABLE) as raised:
        asked("SIMDA-Kontrak", url)
    assert "sangatrahasia" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_no_url_no_year_no_such_transport() -> None:
    service = BY_NAME["SIMDA-Kontrak"]
    with pytest.raises(SettingsError, match=VARIABLE):
        next(fetch(service, SETTINGS, SourceSettings(transport="sql"), "2025"))
    with pytest.raises(SettingsError, match="fiscal year"):
        next(fetch(service, SETTINGS, source("sqlite:///x.db"), "all"))
    with pytest.raises(SettingsError, match="sql, sipd or files"):
        next(fetch(service, SETTINGS, SourceSettings(transport="rest"), "2025"))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "bukan.db").write_text("ini bukan basis data " * 100)
    with pytest.raises((StructureError, SourceUnavailable)) as raised:
        asked("SIMDA-Kontrak", f"sqlite:///{tmp_path}/bukan.db")
    assert str(tmp_path) not in str(raised.value)


def test_a_refused_question_names_the_tables(postgres_server: str) -> None:
    with new_database(postgres_server) as whole:
        built(whole, small_simda())
        engine: Engine = create_engine(make_url(whole), isolation_level="AUTOCOMMIT")
        limited = make_url(whole).update_query_dict({"options": "-c role=simda_terbatas"})
        with engine.connect() as connection:
            connection.execute(text("CREATE ROLE simda_terbatas"))
            try:
                with pytest.raises(StructureError, match="may read Ta_Kontrak"):
                    asked("SIMDA-Kontrak", limited.render_as_string(hide_password=False))
            finally:
                connection.execute(text("DROP ROLE simda_terbatas"))
        engine.dispose()


# --- dumps -----------------------------------------------------------------------------------------------------------


def dumped(folder: Path, name: str, rows: list[dict[str, Any]], spelled: Callable[[str], str] = str) -> None:
    with (folder / f"{name}2025.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([spelled(field) for field in rows[0]])
        writer.writerows(["" if value is None else value for value in row.values()] for row in rows)


@pytest.mark.parametrize("case", CASES)
@EVERY_STATEMENT
def test_a_dump_says_the_same_as_the_database(sqlite_url: str, tmp_path: Path, name: str, case: str) -> None:
    rows = rows_of(name, sqlite_url)
    dumped(tmp_path, name, rows, CASES[case])
    service = BY_NAME[name]
    files = SourceSettings(transport="files", folder=str(tmp_path))
    [page] = list(fetch(service, SETTINGS, files, "2025"))
    assert [service.model.model_validate(row) for row in page.rows] == [
        service.model.model_validate(row) for row in rows
    ]
    assert [identify(service, row).key for row in page.rows] == [identify(service, row).key for row in rows]


def test_a_dump_of_a_whole_table_leaves_what_is_private(tmp_path: Path) -> None:
    dumped(tmp_path, "Ta_Kontrak", [contract("602/K1/2025", 1_000_000)])
    service = BY_NAME["SIMDA-Kontrak"]
    named = {service.name: ServiceSettings(file="Ta_Kontrak{year}.csv")}
    [page] = list(
        fetch(service, SETTINGS, SourceSettings(transport="files", folder=str(tmp_path), services=named), "2025")
    )
    assert PRIVATE not in repr(page.rows)
    assert page.rows[0]["No_Kontrak"] == "602/K1/2025"


# --- rows ------------------------------------------------------------------------------------------------------------


def record(name: str, **fields: Any) -> Any:
    return BY_NAME[name].model.model_validate({"Tahun": 2025, **fields})


def test_codes_are_whole_and_keys_tell_rows_apart(sqlite_url: str) -> None:
    found = {name: [identify(BY_NAME[name], row) for row in rows_of(name, sqlite_url)] for name in STATEMENTS}
    for rows in found.values():
        assert len({row.key for row in rows}) == len(rows)
    assert found["SIMDA-Anggaran"][1].code == "2025|1|3|1|1|15|103|7|5|2|3|21|1"
    assert found["SIMDA-Anggaran"][1].key == "2025|1|3|1|1|15|103|7|5|2|3|21|1|1|1"
    assert {row.code for row in found["SIMDA-SP2D"]} >= {"2025|602/K1/2025", "2025|602/K8/2025"}
    assert found["SIMDA-Addendum"][0].code == found["SIMDA-Kontrak"][0].code == "2025|602/K1/2025"


@pytest.mark.parametrize("number", [None, "", "-", 0])
def test_a_contract_without_a_number_is_refused(number: object) -> None:
    for name in ("SIMDA-Kontrak", "SIMDA-Addendum", "SIMDA-SP2D"):
        with pytest.raises(ValidationError):
            record(name, No_Kontrak=number, No_SP2D="1")


def test_zero_is_no_value_of_a_contract_and_a_payment_all_the_same() -> None:
    assert record("SIMDA-Kontrak", No_Kontrak="1", Nilai="0.0000").Nilai is None
    assert record("SIMDA-Addendum", No_Kontrak="1", Nilai=0).Nilai is None
    assert record("SIMDA-SP2D", No_Kontrak="1", No_SP2D="2", Nilai="0.00").Nilai == 0
    assert record("SIMDA-SP2D", No_Kontrak="1", No_SP2D="2", Nilai="1500000.0000").Nilai == 1_500_000


@pytest.mark.parametrize(
    ("unit90", "code"),
    [
        ("1-03.2-15.1-04.03", "1.03.2.15.1.04.03.0000"),
        ("1.03.2.15.1.04.03.0000", "1.03.2.15.1.04.03.0000"),
        ("1.03.2.15.1.04.03.0002", "1.03.2.15.1.04.03.0002"),
        ("1.03.01", None),
        ("1-03..0-00.0-00.01", None),
        (None, None),
    ],
)
def test_an_office_is_known_by_the_code_of_lkpp(unit90: str | None, code: str | None) -> None:
    assert record("SIMDA-Kontrak", No_Kontrak="1", kd_unit90=unit90).office.code == code


SUPPORT = {"kd_urusan90": "X", "kd_bidang90": "XX", "kd_program90": 1}
ACCOUNT90 = {f"kd_rek90_{n}": value for n, value in enumerate((5, 2, 4, 1, 1, 3), 1)}


@pytest.mark.parametrize(
    ("fields", "mak"),
    [
        ({**MODERN, **ACCOUNT90}, "1.3.10.2.1.5.5.2.4.1.1.3"),
        (MODERN, "1.3.10.2.1.5"),
        # The same with padding, as text, and as numbers of a workbook.
        ({**MODERN, "kd_bidang90": "03", "kd_sub_kegiatan": "0005", **dict.fromkeys(ACCOUNT90, "01")},
         "1.3.10.2.1.5.1.1.1.1.1.1"),
        ({**MODERN, "kd_kegiatan90": 2.01}, "1.3.10.2.1.5"),
        ({**MODERN, "kd_kegiatan90": 2.1}, "1.3.10.2.10.5"),
        ({**MODERN, "kd_kegiatan90": "2.10"}, "1.3.10.2.10.5"),
        # The support programme counts under the office's own field.
        ({**MODERN, **SUPPORT, "kd_unit90": "7-01.0-00.0-00.05"}, "7.1.1.2.1.5"),
        ({**MODERN, **SUPPORT, "kd_program90": "01", "kd_unit90": "1.03.2.15.1.04.03.0000"}, "1.3.1.2.1.5"),
        ({**MODERN, "kd_program90": 1}, "1.3.1.2.1.5"),
        ({**MODERN, **SUPPORT}, None),
        ({**MODERN, "kd_sub_kegiatan": None}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_account_code_is_that_of_lkpp(fields: dict[str, Any], mak: str | None) -> None:
    assert simda.canonical_mak(record("SIMDA-Anggaran", **fields)) == mak


# --- evidence --------------------------------------------------------------------------------------------------------


@EVERY_SERVICE
def test_evidence_is_of_the_subject_of_the_row(sqlite_url: str, name: str) -> None:
    service = BY_NAME[name]
    odd = {"No_Kontrak": " 602 |\nK1 ", "Kd_Prog": 0, "Kd_Urusan": "01", "No_SP2D": "7.0", "Tahun": "2025"}
    for fields in [*rows_of(name, sqlite_url), odd]:
        found = identify(service, fields)
        [evidence] = simda.evidence(name, service.model.model_validate(found.fields))
        assert evidence.subject == (service.kind, found.code)
        assert evidence.year == 2025


def test_what_a_budget_line_and_a_contract_tell() -> None:
    office = {**{name: str(value) for name, value in OFFICE.items()}, "Nm_Sub_Unit": "DINAS CONTOH"}
    line = record("SIMDA-Anggaran", **office, **MODERN, Total=5, Keterangan_Rinc="Aspal", Ket_Kegiatan="Jalan")
    [found] = simda.evidence("SIMDA-Anggaran", line)
    assert (found.office, found.office_name) == ("1.3.1.1", "DINAS CONTOH")
    assert (found.maks, found.amounts, found.titles) == (("1.3.10.2.1.5",), (5,), ("Jalan", "Aspal"))
    digest = dict(supplier_keys(None, ["012345678999000"]))["npwp"]
    paper = record("SIMDA-Kontrak", **{**contract("602/K1", 900), "kd_unit90": "1-03.0-00.0-00.01"})
    [found] = simda.evidence("SIMDA-Kontrak", paper)
    assert found.office == "1-03.0-00.0-00.01"
    assert (found.numbers, found.suppliers, found.taxes) == (("602/K1",), ("CV CONTOH MAJU",), (digest,))
    assert (found.amounts, found.dates, found.titles) == (
        (900,),
        ("2025-03-03",),
        ("Rehabilitasi Jalan Desa Sukamaju",),
    )
    [found] = simda.evidence(
        "SIMDA-Addendum", record("SIMDA-Addendum", No_Kontrak="602/K1", Nilai=950, No_Addendum="1")
    )
    assert (found.amounts, found.numbers, found.dates, found.office) == ((950,), ("602/K1",), (), None)
    paid = {
        "No_Kontrak": "602/K1",
        "No_SP2D": "1",
        "Nilai": 10,
        "Nm_Penerima": "BENDAHARA",
        "NPWP": "01.234.567.8-999.000",
    }
    [found] = simda.evidence("SIMDA-SP2D", record("SIMDA-SP2D", **paid, Jn_SPM=3))
    assert (found.amounts, found.dates, found.suppliers, found.taxes) == ((), (), ("BENDAHARA",), (digest,))
    [found] = simda.evidence("SIMDA-SP2D", record("SIMDA-SP2D", **paid, Jn_SPM=2))
    assert (found.suppliers, found.taxes) == ((), ())


# --- OCDS ------------------------------------------------------------------------------------------------------------

TENDER = ("tender", "90000001000")
CONTRACT, AWARD = "90000001000-602/K1/2025", "90000001000-71"
UNIT90 = "1-03.0-00.0-00.01"
DIVISION = {"Nm_Sub_Unit": "DINAS CONTOH", "kd_unit90": UNIT90}
BUYER = "JEJAK-SATKER-D999-1.03.0.00.0.00.01.0000"
LKPP = {"kd_klpd": "D999", "kd_satker_str": "1.03.0.00.0.00.01.0000", "nama_satker": "DINAS CONTOH"}
BOUGHT = {**LKPP, "kd_tender": 90000001000, "kd_penyedia": 71, "nama_penyedia": "CV CONTOH MAJU"}
SIGNED = {**BOUGHT, "no_kontrak": "602 / k1/2025", "nilai_kontrak": 1000, "tgl_kontrak": "2025-03-03"}
ANNOUNCED = {**LKPP, "kd_tender": 90000001000, "nama_paket": "Rehabilitasi Jalan", "status_tender": "Selesai"}


def rows(name: str, *fields: dict[str, Any]) -> list[Row]:
    given = ({"Tahun": 2025, "No_Kontrak": "602/K1/2025", **each} for each in fields)
    return [row(name, each, scope=str(each["Tahun"])) for each in given]


def linked(found: list[Row], signed: dict[str, Any], **known: Any) -> State:
    """The state of the process whose contract these rows belong to."""
    tender = [row("SPSE-TenderPengumuman", ANNOUNCED), row("SPSE-TenderEkontrak-2Kontrak", signed)]
    links = {("kontrak", each.code): (TENDER,) for each in found if each.service != "SIMDA-Anggaran"}
    return state([*found, *tender], links=links, **known)


def contracted(found: list[Row], signed: dict[str, Any] = SIGNED, **known: Any) -> dict[str, Any]:
    """The contract that these rows belong to, as the state has it."""
    [agreed] = linked(found, signed, **known).document["contracts"]
    assert (agreed["id"], agreed["awardID"]) == (CONTRACT, AWARD)
    return dict(agreed)


UNVALUED = {name: value for name, value in SIGNED.items() if name not in ("nilai_kontrak", "tgl_kontrak")}


def test_the_budget_names_the_activity_and_no_amount() -> None:
    modern = {**ROADS, **BUILDING, **MODERN, **DIVISION, "Total": 900, "Ket_Program": "PROGRAM JALAN"}
    named = {"Ket_Kegiatan": "Rehabilitasi  Jalan", "nm_sub_kegiatan": "REHABILITASI JALAN"}
    body = document(
        rows(
            "SIMDA-Anggaran",
            {**modern, **named, "No_ID": 1},
            {**modern, **named, "No_ID": 2},
            {**modern, "Kd_Keg": 8, "kd_sub_kegiatan": 6, "Ket_Kegiatan": "Pembangunan Jalan, hub. 0812 3456 7890"},
        )
    )
    assert body["planning"] == {
        "budget": {
            "description": "PROGRAM JALAN / Pembangunan Jalan, hub. […]; PROGRAM JALAN / REHABILITASI JALAN",
            "project": "Pembangunan Jalan, hub. […]; REHABILITASI JALAN",
            "projectID": "1.3.10.2.1.5+1.3.10.2.1.6",
            "fiscalYear": 2025,
        }
    }
    assert body["buyer"]["id"] == BUYER
    assert document(rows("SIMDA-Anggaran", {"Total": 1})) == {}


def test_an_addendum_replaces_the_value_and_is_an_amendment() -> None:
    agreed = rows("SIMDA-Kontrak", {**contract("602/K1/2025", 1000), **DIVISION, "Tgl_Kontrak": "2025-03-03 00:00:00"})
    addenda = rows(
        "SIMDA-Addendum",
        {"No_Addendum": "ADD-2", "Tgl_Addendum": "2025-06-01", "Nilai": 0, "Waktu": "150 (seratus lima puluh) Hari"},
        {"No_Addendum": "ADD-1", "Tgl_Addendum": "2025-04-04", "Nilai": 1_234_567.5, "Keperluan": "Tambah volume"},
    )
    found = contracted([*agreed, *addenda], UNVALUED)
    assert (found["value"]["amount"], found["initialValue"]["amount"]) == (1_234_567.5, 1000)
    assert found["dateSigned"] == "2025-03-03T00:00:00+07:00"
    assert found["period"] == {"durationInDays": 150}
    assert found["amendments"] == [
        {
            "id": "simda-addendum-ADD-1",
            "date": "2025-04-04T00:00:00+07:00",
            "description": "Tambah volume",
            "rationale": "Nilai menjadi Rp 1.234.567,50",
        },
        {
            "id": "simda-addendum-ADD-2",
            "date": "2025-06-01T00:00:00+07:00",
            "description": "Addendum ADD-2",
            "rationale": "Waktu menjadi 150 (seratus lima puluh) Hari",
        },
    ]


@pytest.mark.parametrize(
    ("change", "ids"),
    [
        ({"Tgl_Addendum": "2025-06-01"}, ["addendum-1"]),
        ({"Tgl_Addendum": "2025-06-04", "Nilai": 1200}, ["addendum-1"]),
        ({"Tgl_Addendum": "2025-06-04", "Nilai": 1300}, ["addendum-1", "simda-addendum-A"]),
    ],
)
def test_an_addendum_that_both_systems_have_is_one(change: dict[str, Any], ids: list[str]) -> None:
    amended = {**SIGNED, "versi_addendum": 1, "tgl_kontrak": "2025-06-01", "nilai_kontrak": 1200}
    found = [*rows("SIMDA-Addendum", {"No_Addendum": "A", **change}), row("SPSE-TenderEkontrak-2Kontrak", amended)]
    agreed = contracted(found)
    assert [each["id"] for each in agreed["amendments"]] == ids
    assert agreed["value"]["amount"] == (1200 if len(ids) == 1 else 1300)
    assert agreed["initialValue"]["amount"] == 1000


def test_contracts_that_are_one_have_no_value_of_their_own() -> None:
    twice = rows("SIMDA-Kontrak", contract("602/K1/2025", 10), {**contract("602/K1/2025", 20), "Tahun": 2026})
    assert "value" not in contracted(twice, UNVALUED)


def order(number: str, amount: float | None, **other: Any) -> dict[str, Any]:
    return {"No_SP2D": number, "Tgl_SP2D": "2025-05-03 00:00:00", "Nilai": amount, "Jn_SPM": 3, **DIVISION, **other}


def payments(found: list[Row], **known: Any) -> list[dict[str, Any]]:
    transactions: list[dict[str, Any]] = contracted(found, **known)["implementation"]["transactions"]
    return transactions


def test_payments_are_transactions_from_the_office_to_the_supplier() -> None:
    agreed = rows("SIMDA-Kontrak", contract("602/K1/2025", 1000), {**contract("602/K1/2025", 1), "Tahun": 2026})
    paid = rows(
        "SIMDA-SP2D",
        order("00002/LS", 600, Tgl_SP2D="2025-08-08", Nm_Penerima="BENDAHARA"),
        order("00001/LS", 400.5),
        order("00001/LS", 50, Tahun=2026, Tgl_SP2D="2026-01-05"),
        order("00003/LS", None, Tgl_SP2D="2025-09-09"),
    )
    transactions = payments([*agreed, *paid], suppliers={("name", "CV CONTOH MAJU"): "71"})
    assert [(t["id"], t["date"][:10], t.get("value", {}).get("amount")) for t in transactions] == [
        ("simda-00001/LS", "2025-05-03", 400.5),
        ("simda-00002/LS", "2025-08-08", 600),
        ("simda-00003/LS", "2025-09-09", None),
        ("simda-00001/LS-2026", "2026-01-05", 50),
    ]
    assert {t["payer"]["id"] for t in transactions} == {BUYER}
    assert {t["payee"]["id"] for t in transactions} == {"JEJAK-PENYEDIA-71"}
    assert "BENDAHARA" not in repr(transactions)


def test_a_payment_to_come_is_due() -> None:
    ordered = row("SIMDA-SP2D", {"Tahun": 2025, "No_Kontrak": "602/K1/2025", **order("1", 40)}, seen="2025-05-02")
    found = linked([ordered], SIGNED)
    implementation = found.document["contracts"][0]["implementation"]
    assert "transactions" not in implementation
    [due] = implementation["milestones"]
    assert (due["status"], due["dueDate"][:10], due["value"]["amount"]) == ("scheduled", "2025-05-03", 40)
    assert found.due == {("SIMDA-SP2D", "2025", "2025-05-03")}


def switched(simda_rows: list[Row], sipd_rows: list[Row]) -> list[tuple[str, str, float | None]]:
    """The transactions of a contract that is paid through both systems, the same whichever is read first."""
    found = payments([*simda_rows, *sipd_rows])
    assert found == payments([*sipd_rows, *simda_rows][::-1])
    return [(each["id"], each["date"][:10], each.get("value", {}).get("amount")) for each in found]


SIPD_OFFICE = {"kd_unit90": "1.03.0.00.0.00.01.0000"}


def test_payments_of_a_regency_that_switches_are_those_of_both_systems_each_once() -> None:
    before = rows("SIMDA-SP2D", order("00001/LS", 400), order("00002/LS", 300, Tgl_SP2D="2025-06-30"))
    later = {"Tgl_SP2D": "2025-08-01", **SIPD_OFFICE}
    after = rows(
        "SIPD-SP2D",
        # One that SIMDA holds too, written otherwise; one under a number that SIMDA had given; one of its own.
        order("2 / LS", 300, **{**later, "Tgl_SP2D": "2025-07-01"}),
        order("00001/LS", 250, **later),
        order("00003/LS", 50, **{**later, "Tgl_SP2D": "2025-09-01"}),
    )
    assert switched(before, after) == [
        ("simda-00001/LS", "2025-05-03", 400),
        ("simda-00002/LS", "2025-06-30", 300),
        ("sipd-00001/LS", "2025-08-01", 250),
        ("sipd-00003/LS", "2025-09-01", 50),
    ]
    # Each system alone: what it holds.
    assert switched(before, []) == switched(before, after)[:2]
    assert [amount for _, _, amount in switched([], after)] == [300, 250, 50]


@pytest.mark.parametrize(
    ("simda_row", "sipd_row", "amounts"),
    [
        (order("1/LS", 40), order("1/LS", 40, **SIPD_OFFICE), [40]),
        (order("1/LS", 40, kd_unit90=None), order("1/LS", 40, Tgl_SP2D="2025-07-01", **SIPD_OFFICE), [40]),
        # Another office, another amount on another day, another year, another number: another payment.
        (order("1/LS", 40), order("1/LS", 40, kd_unit90="1.03.0.00.0.00.02.0000"), [40, 40]),
        (order("1/LS", 40), order("1/LS", 41, Tgl_SP2D="2025-07-01", **SIPD_OFFICE), [40, 41]),
        (order("1/LS", 40), order("1/LS", 40, Tahun=2026, **SIPD_OFFICE), [40, 40]),
        (order("1/LS", 40), order("11/LS", 40, **SIPD_OFFICE), [40, 40]),
        # A share of a payment, or one whose share nothing shows, stands whole in SIPD.
        (order("1/LS", 40), order("1/LS", 100, **SIPD_OFFICE), [40]),
        (order("1/LS", None), order("1/LS", 100, **SIPD_OFFICE), [100]),
        (order("1/LS", None), order("1/LS", 100, Tgl_SP2D="2025-07-01", **SIPD_OFFICE), [100]),
    ],
)
def test_a_payment_is_its_year_office_number_and_amount(
    simda_row: dict[str, Any], sipd_row: dict[str, Any], amounts: list[float]
) -> None:
    assert [amount for _, _, amount in switched(rows("SIMDA-SP2D", simda_row), rows("SIPD-SP2D", sipd_row))] == amounts


def test_one_payment_of_simda_is_one_of_sipd_at_most() -> None:
    before = rows("SIMDA-SP2D", order("1/LS", 40))
    for amounts in ((60, 40), (40, 60)):
        # SIPD's numbers are its own: the second of a day stands under one that differs in nothing but its spelling.
        after = rows(
            "SIPD-SP2D",
            *(order(number, n, **SIPD_OFFICE) for number, n in zip(("1/LS", "1 / LS"), amounts, strict=True)),
        )
        assert sorted(amount or 0 for _, _, amount in switched(before, after)) == [40, 60]


def test_the_rows_of_both_systems_show_where_a_payment_comes_from() -> None:
    both = [*rows("SIMDA-SP2D", order("1/LS", 40)), *rows("SIPD-SP2D", order("1/LS", 40, **SIPD_OFFICE))]
    context = Context("ocds-000000-x-1", "+07:00", "D999", rows={each.service: [each] for each in both})
    context.source, context.links = "simda", {("kontrak", both[0].code): (TENDER,)}
    context.contracts = {CONTRACT: (AWARD, {TENDER[1]})}
    for each in both:
        context.service = each.service
        [found] = simda.sp2d([each], context)
        assert set(found.rows) == set(both)


def test_two_payments_of_one_number_in_a_dump_are_two() -> None:
    twice = states.rows(
        "SIMDA-SP2D", *({"Tahun": 2025, "No_Kontrak": "602/K1/2025", **order("1/LS", n)} for n in (40, 60))
    )
    found = payments(twice)
    assert sorted(each["value"]["amount"] for each in found) == [40, 60]
    assert len({each["id"] for each in found}) == 2


def test_a_payment_of_two_registered_contracts_that_are_one_is_one() -> None:
    paid = rows("SIMDA-SP2D", order("1", 40), {**order("1", 60), "No_Kontrak": "602.K1.2025"})
    [transaction] = payments(paid)
    assert transaction["value"]["amount"] == 100


def test_who_is_paid_without_a_contract_is_the_supplier_and_never_a_treasurer() -> None:
    named = {"Nm_Penerima": "Bu Bendahara", "NPWP": "01.234.567.8-999.000"}
    for kind, payee in ((3, True), ("3", True), (2, False), (None, False), (9, False)):
        paid = rows("SIMDA-SP2D", order("1", 40, **{**named, "Jn_SPM": kind}))
        found = linked(paid, SIGNED)
        [transaction] = found.document["contracts"][0]["implementation"]["transactions"]
        assert ("payee" in transaction) is payee
        assert ("Bendahara" in repr(found.document)) is payee
        assert "012345678999000" not in repr(found.document)
        assert bool(found.signals) is (kind == 9)


def test_a_person_whom_the_treasury_pays_for_self_managed_work_is_not_named() -> None:
    work = {**LKPP, "kd_swakelola_pct": 6, "nama_paket": "Sosialisasi", "status_swakelola_pct_ket": "Paket Selesai"}
    recorded = row("SPSE-PencatatanSwakelola", work)
    for name, payee in (("Budi Contoh", "perorangan"), ("CV MAJU", "JEJAK-PENYEDIA-71")):
        paid = rows("SIMDA-SP2D", order("1", 40, Nm_Penerima=name))
        links = {("kontrak", each.code): (("swakelola", "6"),) for each in paid}
        suppliers = {("name", "BUDI CONTOH"): "72", ("name", "CV MAJU"): "71"}
        found = state([recorded, *paid], links=links, suppliers=suppliers).document
        [transaction] = found["contracts"][0]["implementation"]["transactions"]
        assert transaction["payee"]["id"] == payee
        assert "Budi" not in repr(found)


def test_a_form_of_business_shows_a_firm() -> None:
    paid = rows("SIMDA-SP2D", order("1", 40))
    for form, published in (("CV", True), ("PT.", True), ("Perorangan", False), ("UD", False), (None, False)):
        agreed = rows("SIMDA-Kontrak", contract("602/K1/2025", 1, Nm_Perusahaan="MAJU JAYA", Bentuk=form))
        assert ("012345678999000" in repr(linked([*agreed, *paid], SIGNED).document)) is published


def test_without_its_code_the_payer_is_the_office_that_buys() -> None:
    [transaction] = payments(rows("SIMDA-SP2D", {**order("1", 40), "kd_unit90": None}))
    assert transaction["payer"]["id"] == BUYER


@EVERY_SERVICE
def test_rows_of_a_contract_that_is_not_there_wait(name: str) -> None:
    if name == "SIMDA-Anggaran":
        return
    known = rows(name, order("1", 40) if name.endswith("SP2D") else {"Nilai": 1})
    assert document(known, links={("kontrak", known[0].code): (TENDER,)}) == {}


# --- a process from its budget to its payments -----------------------------------------------------------------------

PLAN = {**LKPP, "kd_rup": 90000001, "nama_paket": "Rehabilitasi Jalan", "pagu": 5000, "metode_pengadaan": "Tender"}
LINE = {**ROADS, **BUILDING, **MODERN, **DIVISION, "Total": 9000, "Ket_Program": "PROGRAM JALAN"}


def test_a_process_from_its_budget_to_its_payments() -> None:
    known = [
        *rows("SIMDA-Anggaran", LINE),
        *rows("SIMDA-Kontrak", {**contract("602/K1/2025", 999), **DIVISION, "Tgl_Kontrak": "2025-03-04"}),
        *rows("SIMDA-SP2D", order("1", 400), order("2", 600, Tgl_SP2D="2025-09-09")),
        *rows("SIMDA-Addendum", {"No_Addendum": "1", "Tgl_Addendum": "2025-06-01", "Nilai": 1100}),
        row("RUP-PaketPenyedia-Terumumkan", PLAN),
    ]
    suppliers = {("name", "CV CONTOH MAJU"): "71"}
    found = linked(known, SIGNED, suppliers=suppliers)
    assert found.signals == set()
    state = found.document
    assert state["planning"]["budget"]["description"] == "PROGRAM JALAN"
    assert state["planning"]["budget"]["projectID"] == "1.3.10.2.1.5"
    assert state["planning"]["budget"]["amount"]["amount"] == 5000
    [agreed] = state["contracts"]
    # The buyer's own system has what the contract was worth and when it was signed, the treasury what it came to.
    assert (agreed["initialValue"]["amount"], agreed["dateSigned"][:10]) == (1000, "2025-03-03")
    assert agreed["value"]["amount"] == 1100
    assert agreed["period"] == {"durationInDays": 120}
    assert [each["rationale"] for each in agreed["amendments"]] == ["Nilai menjadi Rp 1.100"]
    assert [(t["id"], t["value"]["amount"]) for t in agreed["implementation"]["transactions"]] == [
        ("simda-1", 400),
        ("simda-2", 600),
    ]
    assert {party["id"]: party["roles"] for party in state["parties"]} == {
        BUYER: ["buyer", "payer", "procuringEntity"],
        "JEJAK-PENYEDIA-71": ["payee", "supplier"],
    }
    # In any order the same; without the links nothing of it stands there.
    assert linked(known[::-1], SIGNED, suppliers=suppliers).document == state


def test_the_code_table_leads_to_what_is_known() -> None:
    table = codes.table("simda")
    assert {code for (kind, _), code in table.items() if kind == "recipient"} == {"supplier", "treasurer"}
