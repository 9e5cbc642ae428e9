"""SIMDA's database: its tables and columns, filled with what the world knows, wherever SQLAlchemy reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Column, DateTime, Integer, MetaData, Numeric, String, Table, create_engine, inspect, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from simulator import simda
from simulator.facts import BudgetAccount, LedgerContract
from simulator.rendering import Row
from simulator.state import State

Case = Literal["as documented", "lower", "upper"]

_UNIT = ("Kd_Urusan", "Kd_Bidang", "Kd_Unit", "Kd_Sub")
_ACTIVITY = ("Kd_Prog", "ID_Prog", "Kd_Keg")
_ACCOUNT = ("Kd_Rek_1", "Kd_Rek_2", "Kd_Rek_3", "Kd_Rek_4", "Kd_Rek_5")
_SUB90 = ("kd_urusan", "kd_bidang", "kd_program", "kd_kegiatan", "kd_sub_kegiatan")
# Table -> its key, and its other columns.
_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Ref_Urusan": (_UNIT[:1], ("Nm_Urusan",)),
    "Ref_Bidang": (_UNIT[:2], ("Nm_Bidang", "Kd_Fungsi")),
    "Ref_Unit": (_UNIT[:3], ("Nm_Unit", "kd_unit90")),
    "Ref_Sub_Unit": (_UNIT, ("Nm_Sub_Unit",)),
    "Ta_Sub_Unit": (("Tahun", *_UNIT), ("Nm_Pimpinan", "Nip_Pimpinan", "Jbt_Pimpinan", "Alamat", "Ur_Visi")),
    "Ta_Program": (("Tahun", *_UNIT, "Kd_Prog", "ID_Prog"), ("Ket_Program", "Kd_Urusan1", "Kd_Bidang1")),
    "Ta_Kegiatan": (("Tahun", *_UNIT, *_ACTIVITY), ("Ket_Kegiatan", "Lokasi", "Pagu_Anggaran", "Kd_Sumber")),
    "Ref_Rek_1": (_ACCOUNT[:1], ("Nm_Rek_1",)),
    "Ref_Rek_2": (_ACCOUNT[:2], ("Nm_Rek_2",)),
    "Ref_Rek_3": (_ACCOUNT[:3], ("Nm_Rek_3", "SaldoNorm")),
    "Ref_Rek_4": (_ACCOUNT[:4], ("Nm_Rek_4",)),
    "Ref_Rek_5": (_ACCOUNT, ("Nm_Rek_5", "Peraturan")),
    "Ta_RASK_Arsip": (
        ("Tahun", "Kd_Perubahan", *_UNIT, *_ACTIVITY, *_ACCOUNT, "No_Rinc", "No_ID"),
        ("Keterangan_Rinc", "Sat_1", "Nilai_1", "Satuan123", "Jml_Satuan", "Nilai_Rp", "Total", "Keterangan",
         "Kd_Ap_Pub", "Kd_Sumber", "DateCreate")
    ),
    "Ta_Kontrak": (
        ("Tahun", "No_Kontrak"),
        (*_UNIT, *_ACTIVITY, "Tgl_Kontrak", "Keperluan", "Waktu", "Nilai", "Nm_Perusahaan", "Bentuk", "Alamat",
         "Nm_Pemilik", "NPWP", "Nm_Bank", "Nm_Rekening", "No_Rekening")
    ),
    "Ta_Kontrak_Addendum": (
        ("Tahun", "No_Kontrak", "No_Addendum"), ("Tgl_Addendum", "Keperluan", "Waktu", "Nilai")
    ),
    "Ta_SPP": (
        ("Tahun", "No_SPP"),
        (*_UNIT, "Jn_SPP", "Tgl_SPP", "Uraian", "Kd_Edit", "Nm_Penerima", "Bank_Penerima", "Rek_Penerima", "NPWP")
    ),
    "Ta_SPP_Kontrak": (
        ("Tahun", "No_SPP"),
        ("No_Kontrak", "Nama", "Bentuk", "Alamat", "Nm_Pemilik", "Tgl_Kontrak", "Waktu", "NPWP", "Nilai",
         "No_Addendum")
    ),
    "Ta_SPM": (
        ("Tahun", "No_SPM"),
        (*_UNIT, "No_SPP", "Jn_SPM", "Tgl_SPM", "Uraian", "Nm_Penerima", "Bank_Penerima", "Rek_Penerima", "NPWP",
         "Bank_Pembayar", "Nm_Verifikator", "Nm_Penandatangan", "Nip_Penandatangan", "Jbt_Penandatangan", "Kd_Edit")
    ),
    "Ta_SPM_Rinc": (("Tahun", "No_SPM", "No_ID"), (*_UNIT, *_ACTIVITY, *_ACCOUNT, "Nilai")),
    "Ta_SP2D": (
        ("Tahun", "No_SP2D"),
        ("No_SPM", "Tgl_SP2D", "Kd_Bank", "No_BKU", "Nm_Penandatangan", "Nip_Penandatangan", "Jbt_Penandatangan",
         "Keterangan")
    ),
    "Ref_Jenis_SPM": (("Jn_SPM",), ("Nm_Jn_SPM",)),
    "Ref_Kegiatan_Mapping": (
        ("kd_urusan", "kd_bidang", "kd_prog", "kd_keg"),
        ("kd_urusan90", "kd_bidang90", "kd_program90", "kd_kegiatan90", "kd_sub_kegiatan")
    ),
    "Ref_Rek_Mapping": (
        tuple(name.lower() for name in _ACCOUNT), tuple(f"kd_rek90_{position}" for position in range(1, 7))
    ),
    "Ref_Sub_Kegiatan90": (_SUB90, ("nm_sub_kegiatan",))
}  # fmt: skip
_TEXTS = {
    "No_Kontrak", "No_Addendum", "No_SPP", "No_SPM", "No_SP2D", "NPWP", "kd_kegiatan", "kd_kegiatan90", "kd_unit90",
    "No_BKU", "No_Rekening", "Rek_Penerima"
}  # fmt: skip
_MONEY = {"Nilai", "Nilai_1", "Nilai_Rp", "Jml_Satuan", "Total", "Pagu_Anggaran"}


def _type(column: str) -> TypeEngine[Any]:
    if column.startswith("Tgl_") or column == "DateCreate":
        whole_seconds: TypeEngine[Any] = sqlite.DATETIME(truncate_microseconds=True)  # type: ignore[no-untyped-call]
        return DateTime().with_variant(whole_seconds, "sqlite")
    if column in _MONEY:
        return Numeric(19, 4, asdecimal=False)
    if column not in _TEXTS and (
        column.startswith(("Kd_", "kd_", "Jn_")) or column in ("Tahun", "ID_Prog", "No_Rinc", "No_ID")
    ):
        return Integer()
    return String(50 if column in _TEXTS else 800)


class OthersDatabase(Exception):
    """Not to be written: its tables are somebody else's."""


# Marks a database as one that may be replaced at will.
_OURS = "jejak_simulator"


def _tables(case: Case) -> tuple[MetaData, dict[str, Table]]:
    ways: dict[str, Callable[[str], str]] = {"as documented": str, "lower": str.lower, "upper": str.upper}
    spelled = ways[case]
    metadata = MetaData()
    Table(_OURS, metadata, Column("version", Integer, primary_key=True))
    tables = {}
    for name, (key, others) in _TABLES.items():
        columns = [Column(spelled(column), _type(column), primary_key=True, autoincrement=False) for column in key]
        columns += [Column(spelled(column), _type(column), key=spelled(column)) for column in others]
        tables[name] = Table(spelled(name), metadata, *columns)
    return metadata, tables


def write_simda(world: State, url: str, case: Case = "as documented") -> None:
    """Make SIMDA's tables where they are not there, and replace what is in them by what is the case today.

    It is one transaction: a reader sees the day before or the day after. `case` is how tables and columns are named.
    Raises KeyError for another case, OthersDatabase for one that holds anything of somebody else's, and what
    SQLAlchemy raises for one that can't be reached.
    """
    metadata, tables = _tables(case)
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with suppress(OSError):  # then the database says that it can't be opened
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # A reader of an SQLite file may take its time.
    engine = create_engine(parsed, connect_args={"timeout": 60} if parsed.get_backend_name() == "sqlite" else {})
    try:
        there = inspect(engine).get_table_names()
        if there and _OURS not in there:
            raise OthersDatabase(f"the database of --simda holds tables ({there[0]}, ...) that no simulator has made")
        metadata.create_all(engine)
        with engine.begin() as conn:
            for name, rows in _contents(world).items():
                table = tables[name]
                conn.execute(table.delete())
                if rows:
                    conn.execute(table.insert(), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])
    finally:
        engine.dispose()


def _contents(world: State) -> dict[str, list[tuple[object, ...]]]:
    """Table -> rows, in the order of its columns."""
    found: dict[str, dict[tuple[object, ...], Row]] = {name: {} for name in _TABLES}

    def put(table: str, **values: object) -> None:
        key = tuple(values[column] for column in _TABLES[table][0])
        found[table].setdefault(key, values)

    _put_masters(world, put)
    for line in world.accounts:
        if not line.absent:
            _put_budget(world, line, put)
    for entry in world.ledger:
        if not entry.absent and simda.is_held(world, entry.signed):
            _put_contract(world, entry, put)
    _put_salaries(world, put)
    return {
        name: [tuple(row.get(column) for column in (*key, *others)) for row in found[name].values()]
        for name, (key, others) in _TABLES.items()
    }


Put = Callable[..., None]


def _put_masters(world: State, put: Put) -> None:
    for number, name in ((1, "SPP-UP"), (2, "SPP-GU"), (3, "SPP-LS"), (4, "SPP-TU")):
        put("Ref_Jenis_SPM", Jn_SPM=number, Nm_Jn_SPM=name)
    for office in world.offices:
        unit = simda.unit(office)
        put("Ref_Urusan", **_part(unit, _UNIT[:1]), Nm_Urusan="Urusan Rekaan")
        put("Ref_Bidang", **_part(unit, _UNIT[:2]), Nm_Bidang=f"Bidang Rekaan {unit['Kd_Bidang']}", Kd_Fungsi=1)
        put("Ref_Unit", **_part(unit, _UNIT[:3]), Nm_Unit=simda.unit_name(office), kd_unit90=simda.unit_code90(office))
        put("Ref_Sub_Unit", **unit, Nm_Sub_Unit=simda.unit_name(office))
        for year in world.years:
            head = office.officials[0]
            put(
                "Ta_Sub_Unit",
                Tahun=year,
                **unit,
                Nm_Pimpinan=head.name,
                Nip_Pimpinan=head.nip,
                Jbt_Pimpinan=head.position,
                Alamat=office.address,
            )
    for sub in world.subs:
        unit, activity = simda.unit(sub.office), simda.activity(sub)
        of_program = {"Kd_Urusan1": activity["ID_Prog"] // 100, "Kd_Bidang1": activity["ID_Prog"] % 100}
        put(
            "Ta_Program",
            Tahun=sub.year,
            **unit,
            **_part(activity, _ACTIVITY[:2]),
            Ket_Program=sub.program[2],
            **of_program,
        )
        put(
            "Ta_Kegiatan",
            Tahun=sub.year,
            **unit,
            **activity,
            Ket_Kegiatan=sub.name,
            Lokasi="Kabupaten Rekaan",
            Pagu_Anggaran=sub.amount,
            Kd_Sumber=1,
        )
        if simda.is_bridged(sub.year):
            new = simda.activity90(sub)
            put(
                "Ref_Kegiatan_Mapping",
                kd_urusan=of_program["Kd_Urusan1"],
                kd_bidang=of_program["Kd_Bidang1"],
                kd_prog=activity["Kd_Prog"],
                kd_keg=activity["Kd_Keg"],
                **new,
            )
            put(
                "Ref_Sub_Kegiatan90",
                **dict(zip(_SUB90, new.values(), strict=True)),
                nm_sub_kegiatan=simda.sub_name(world, sub),
            )


def _part(values: dict[str, int], names: Iterable[str]) -> dict[str, int]:
    return {name: values[name] for name in names}


def _put_budget(world: State, line: BudgetAccount, put: Put) -> None:
    account = simda.account(line.account, line.year)
    for position, column in enumerate(_ACCOUNT[:4], 1):
        put(
            f"Ref_Rek_{position}", **_part(account, _ACCOUNT[:position]), **{f"Nm_Rek_{position}": f"Rekening {column}"}
        )
    put("Ref_Rek_5", **account, Nm_Rek_5=simda.account_name(line.account))
    if simda.is_bridged(line.year) and simda.is_mapped(line.account):
        put(
            "Ref_Rek_Mapping",
            **{name.lower(): value for name, value in account.items()},
            **simda.account90(line.account, line.year),
        )
    budgets = [(simda.FIRST_BUDGET, False)]
    if line.year in world.revised_years:
        budgets.append((simda.REVISED_BUDGET, True))
    for number, revised in budgets:
        for detail in line.details:
            total = detail.revised if revised else detail.first
            if total is not None:
                put(
                    "Ta_RASK_Arsip",
                    Tahun=line.year,
                    Kd_Perubahan=number,
                    **simda.unit(line.sub.office),
                    **simda.activity(line.sub),
                    **account,
                    No_Rinc=detail.number,
                    No_ID=detail.id,
                    Keterangan_Rinc=detail.head,
                    Sat_1="Paket",
                    Nilai_1=1,
                    Satuan123="Paket",
                    Jml_Satuan=1,
                    Nilai_Rp=total,
                    Total=total,
                    Keterangan=detail.text,
                    Kd_Ap_Pub=1,
                    Kd_Sumber=line.source,
                )


def _put_contract(world: State, entry: LedgerContract, put: Put) -> None:
    office, supplier = entry.sub.office, entry.supplier
    unit, activity = simda.unit(office), simda.activity(entry.sub)
    form = supplier.form.partition(" (")[0]
    put(
        "Ta_Kontrak",
        Tahun=entry.year,
        No_Kontrak=entry.number,
        **unit,
        **activity,
        Tgl_Kontrak=simda.day(entry.signed),
        Keperluan=entry.purpose,
        Waktu=entry.duration,
        Nilai=entry.value,
        Nm_Perusahaan=entry.supplier_name,
        Bentuk=form,
        Alamat=supplier.address,
        Nm_Pemilik=supplier.representative,
        NPWP=entry.npwp,
        Nm_Bank=supplier.bank,
        Nm_Rekening=f"PEMILIK {supplier.representative}",
        No_Rekening=supplier.account,
    )
    for addendum in (each for each in entry.addenda if simda.is_held(world, each.at)):
        put(
            "Ta_Kontrak_Addendum",
            Tahun=entry.year,
            No_Kontrak=entry.number,
            No_Addendum=addendum.number,
            Tgl_Addendum=simda.day(addendum.at),
            Keperluan=addendum.reason,
            Waktu=addendum.duration,
            Nilai=addendum.value,
        )
    signer = office.officials[0]
    signed_by = {"Nm_Penandatangan": signer.name, "Nip_Penandatangan": signer.nip, "Jbt_Penandatangan": signer.position}
    for paper in (each for each in entry.payments if simda.is_held(world, each.paid)):
        to = {
            "Nm_Penerima": paper.payee,
            "Bank_Penerima": supplier.bank,
            "Rek_Penerima": supplier.account,
            "NPWP": entry.npwp,
        }
        put(
            "Ta_SPP",
            Tahun=entry.year,
            No_SPP=paper.request,
            **unit,
            Jn_SPP=simda.DIRECT_PAYMENT,
            Tgl_SPP=simda.day(paper.requested),
            Uraian=paper.text,
            Kd_Edit=1,
            **to,
        )
        put(
            "Ta_SPP_Kontrak",
            Tahun=entry.year,
            No_SPP=paper.request,
            No_Kontrak=entry.number,
            Nama=entry.supplier_name,
            Bentuk=form,
            Alamat=supplier.address,
            Nm_Pemilik=supplier.representative,
            Tgl_Kontrak=simda.day(entry.signed),
            Waktu=entry.duration,
            NPWP=entry.npwp,
            Nilai=entry.value,
        )
        put(
            "Ta_SPM",
            Tahun=entry.year,
            No_SPM=paper.order,
            **unit,
            No_SPP=paper.request,
            Jn_SPM=simda.DIRECT_PAYMENT,
            Tgl_SPM=simda.day(paper.ordered),
            Uraian=paper.text,
            **to,
            Bank_Pembayar="Kas Daerah",
            Nm_Verifikator=office.officials[-1].name,
            **signed_by,
            Kd_Edit=simda.VOID if paper.void else 1,
        )
        accounts = simda.account(entry.sub.accounts[0], entry.year)
        for number, part in enumerate(paper.parts, 1):
            put(
                "Ta_SPM_Rinc",
                Tahun=entry.year,
                No_SPM=paper.order,
                No_ID=number,
                **unit,
                **activity,
                **accounts,
                Nilai=part,
            )
        if paper.paid_by is not None and paper.paid is not None:
            put(
                "Ta_SP2D",
                Tahun=entry.year,
                No_SP2D=paper.paid_by,
                No_SPM=paper.order,
                Tgl_SP2D=simda.day(paper.paid),
                Kd_Bank=1,
                **signed_by,
                Keterangan="-",
            )


def _put_salaries(world: State, put: Put) -> None:
    """Payments without a contract."""
    for year in world.years:
        for office in world.offices:
            unit = simda.unit(office)
            number = f"{simda.number_of(office):05d}"
            request, order = f"{number}/SPP-GU/{year}", f"{number}/SPM-GU/{year}"
            put("Ta_SPP", Tahun=year, No_SPP=request, **unit, Jn_SPP=2, Uraian="Gaji Rekaan", Kd_Edit=1)
            put("Ta_SPM", Tahun=year, No_SPM=order, **unit, No_SPP=request, Jn_SPM=2, Uraian="Gaji Rekaan", Kd_Edit=1)
            put("Ta_SPM_Rinc", Tahun=year, No_SPM=order, No_ID=1, **unit, Nilai=5_000_000)
            put("Ta_SP2D", Tahun=year, No_SP2D=f"{number}/SP2D-GU/{year}", No_SPM=order, Kd_Bank=1)
