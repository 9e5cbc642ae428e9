"""SIMDA Keuangan: the questions to its tables, one statement per service and fiscal year; and SIPD-RI in its place.

Tables, columns and the rules of joining: `sources.md` section 3. Every table of a year is joined with the year.
SIPD-RI: section 9.4.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Subquery, Table, and_, case, func, null, or_, select

from connectors.transport import sipd, sql
from connectors.transport.chain import Access
from connectors.transport.parse import Row, is_readable
from connectors.transport.read import Address, own_address, read
from schemas.errors import SettingsError, StructureError
from schemas.service import Page, Service
from schemas.settings import Settings, SourceSettings
from schemas.simda import NEVER_READ, SERVICES

ADDRESSES: dict[str, Address] = {service.name: own_address(service.name) for service in SERVICES}

_UNIT = ("Kd_Urusan", "Kd_Bidang", "Kd_Unit")
_OFFICE = (*_UNIT, "Kd_Sub")
_PROGRAM = (*_OFFICE, "Kd_Prog", "ID_Prog")
_ACCOUNT = ("Kd_Rek_1", "Kd_Rek_2", "Kd_Rek_3", "Kd_Rek_4", "Kd_Rek_5")
_ACCOUNT90 = ("kd_rek90_1", "kd_rek90_2", "kd_rek90_3", "kd_rek90_4", "kd_rek90_5", "kd_rek90_6")
_MAPPED_FROM = ("kd_urusan", "kd_bidang", "kd_prog", "kd_keg")
_ACTIVITY90 = ("kd_urusan90", "kd_bidang90", "kd_program90", "kd_kegiatan90", "kd_sub_kegiatan")
_SUB_ACTIVITY90 = ("kd_urusan", "kd_bidang", "kd_program", "kd_kegiatan", "kd_sub_kegiatan")

_OFFICES = {"Ref_Unit": (*_UNIT, "kd_unit90"), "Ref_Sub_Unit": (*_OFFICE, "Nm_Sub_Unit")}
TABLES: dict[str, dict[str, Sequence[str]]] = {
    "SIMDA-Anggaran": {
        "Ta_RASK_Arsip": (
            *("Tahun", "Kd_Perubahan", *_PROGRAM, "Kd_Keg", *_ACCOUNT, "No_Rinc", "No_ID"),
            *("Keterangan_Rinc", "Keterangan", "Total", "Kd_Sumber"),
        ),
        **_OFFICES,
        "Ta_Program": ("Tahun", *_PROGRAM, "Ket_Program", "Kd_Urusan1", "Kd_Bidang1"),
        "Ta_Kegiatan": ("Tahun", *_PROGRAM, "Kd_Keg", "Ket_Kegiatan"),
        "Ref_Rek_5": (*_ACCOUNT, "Nm_Rek_5"),
        "Ref_Kegiatan_Mapping": (*_MAPPED_FROM, *_ACTIVITY90),
        "Ref_Sub_Kegiatan90": (*_SUB_ACTIVITY90, "nm_sub_kegiatan"),
        "Ref_Rek_Mapping": (*_ACCOUNT, *_ACCOUNT90),
    },
    "SIMDA-Kontrak": {
        "Ta_Kontrak": (
            *("Tahun", "No_Kontrak", *_PROGRAM, "Kd_Keg", "Tgl_Kontrak", "Keperluan", "Waktu", "Nilai"),
            *("Nm_Perusahaan", "Bentuk", "NPWP"),
        ),
        **_OFFICES,
    },
    "SIMDA-Addendum": {
        "Ta_Kontrak_Addendum": ("Tahun", "No_Kontrak", "No_Addendum", "Tgl_Addendum", "Keperluan", "Waktu", "Nilai")
    },
    "SIMDA-SP2D": {
        "Ta_SPP_Kontrak": ("Tahun", "No_SPP", "No_Kontrak", "Nilai"),
        "Ta_SPP": ("Tahun", "No_SPP", "Tgl_SPP"),
        "Ta_SPM": (
            *("Tahun", "No_SPM", *_OFFICE, "No_SPP", "Jn_SPM", "Tgl_SPM", "Uraian", "Nm_Penerima", "NPWP", "Kd_Edit"),
        ),
        "Ta_SPM_Rinc": ("Tahun", "No_SPM", "Nilai"),
        "Ta_SP2D": ("Tahun", "No_SP2D", "No_SPM", "Tgl_SP2D"),
        **_OFFICES,
    },
}
"""The tables and columns that each service is read from, as documented."""

OPTIONAL = frozenset({"Ref_Unit.kd_unit90", "Ref_Kegiatan_Mapping", "Ref_Sub_Kegiatan90", "Ref_Rek_Mapping"})
"""What databases from before Permendagri 90 (2021) do not have."""

_SPENDING = 5  # the first part of an account: 4 is revenue, 6 financing
_VOID = 2


def fetch(
    service: Service, settings: Settings, source: SourceSettings, scope: str, cursor: str | None = None
) -> Iterator[Page]:
    """Pages of one service and fiscal year from the database, from dumps of what the database answers, or from SIPD-RI,
    which has replaced SIMDA in many regencies (not yet tried; it has no lists of contracts and addenda).

    Raises SettingsError, SourceUnavailable or StructureError.
    """
    if source.transport in ("sql", "sipd") and not scope.isdecimal():
        raise SettingsError(f"{service.name} is read by fiscal year; give one instead of {scope!r}")
    match source.transport:
        case "sql" if service.name not in TABLES:
            return
        case "sql":
            yield from sql.pages(
                source,
                variable="JEJAK_SOURCES__SIMDA__DATABASE",
                name=f"{service.name} {scope}",
                wanted=TABLES[service.name],
                optional=OPTIONAL,
                statement=lambda tables: STATEMENTS[service.name](tables, int(scope)),
                cursor=cursor,
            )
        case "files":
            known = {name.casefold(): name for name in service.model.model_fields}
            left_out = {name.casefold() for name in NEVER_READ}
            for page in read("simda", ADDRESSES, service, settings, source, scope, cursor):
                rows = [
                    {known.get(name.casefold(), name): v for name, v in row.items() if name.casefold() not in left_out}
                    for row in page.rows
                ]
                yield dataclasses.replace(page, rows=rows)
        case "sipd":
            if service.name in SIPD:
                yield from SIPD[service.name](source, scope, cursor)
        case other:
            own = source.service(service.name).transport
            where = f'transport of services."{service.name}"' if own else "JEJAK_SOURCES__SIMDA__TRANSPORT"
            raise SettingsError(f"simda is not offered by {other}; set {where} to sql, sipd or files")


def anggaran(tables: sql.Tables, year: int) -> Select[Any]:
    """The budget: every detail of the latest revision that is archived for the year.

    Revisions are archived whole, for all offices at once: a line that the latest one lacks was dropped, and an office
    that it lacks has no budget any more. So the latest is the year's, not each office's.
    """
    line = tables["Ta_RASK_Arsip"]
    archive = line.alias()
    latest = select(func.max(archive.c.Kd_Perubahan)).where(archive.c.Tahun == year).scalar_subquery()
    program, activity, account = tables["Ta_Program"], tables["Ta_Kegiatan"], tables["Ref_Rek_5"]
    sub_unit, unit = tables["Ref_Sub_Unit"], tables["Ref_Unit"]
    joined: FromClause = (
        line.outerjoin(sub_unit, _same(line, sub_unit, _OFFICE))
        .outerjoin(unit, _same(line, unit, _UNIT))
        .outerjoin(program, _same(line, program, ("Tahun", *_PROGRAM)))
        .outerjoin(activity, _same(line, activity, ("Tahun", *_PROGRAM, "Kd_Keg")))
        .outerjoin(account, _same(line, account, _ACCOUNT))
    )
    columns: dict[str, ColumnElement[Any]] = dict(line.c.items())
    columns |= {
        "Nm_Sub_Unit": sub_unit.c.Nm_Sub_Unit,
        "kd_unit90": _or_null(unit, "kd_unit90"),
        "Ket_Program": program.c.Ket_Program,
        "Ket_Kegiatan": activity.c.Ket_Kegiatan,
        "Nm_Rek_5": account.c.Nm_Rek_5,
        **dict.fromkeys((*_ACTIVITY90, "nm_sub_kegiatan", *_ACCOUNT90), null()),
    }
    if "Ref_Kegiatan_Mapping" in tables:
        mapping = _unambiguous(tables["Ref_Kegiatan_Mapping"], _MAPPED_FROM, _ACTIVITY90)
        # A program may be of another field than its office: the mapping is by the program's own.
        own = (program.c.Kd_Urusan1, program.c.Kd_Bidang1, line.c.Kd_Prog, line.c.Kd_Keg)
        joined = joined.outerjoin(
            mapping, and_(*(mapping.c[name] == ours for name, ours in zip(_MAPPED_FROM, own, strict=True)))
        )
        columns |= {name: mapping.c[name] for name in _ACTIVITY90}
        if "Ref_Sub_Kegiatan90" in tables:
            named = tables["Ref_Sub_Kegiatan90"]
            to = zip(_SUB_ACTIVITY90, _ACTIVITY90, strict=True)
            joined = joined.outerjoin(named, and_(*(named.c[theirs] == mapping.c[ours] for theirs, ours in to)))
            columns["nm_sub_kegiatan"] = named.c.nm_sub_kegiatan
    if "Ref_Rek_Mapping" in tables:
        accounts = _unambiguous(tables["Ref_Rek_Mapping"], _ACCOUNT, _ACCOUNT90)
        joined = joined.outerjoin(accounts, _same(line, accounts, _ACCOUNT))
        columns |= {name: accounts.c[name] for name in _ACCOUNT90}
    return (
        _labelled(columns)
        .select_from(joined)
        .where(line.c.Tahun == year, line.c.Kd_Perubahan == latest, line.c.Kd_Rek_1 == _SPENDING)
        .order_by(*(line.c[name] for name in (*_PROGRAM, "Kd_Keg", *_ACCOUNT, "No_Rinc", "No_ID")))
    )


def kontrak(tables: sql.Tables, year: int) -> Select[Any]:
    """The contracts registered in the year."""
    contract = tables["Ta_Kontrak"]
    offices, names = _with_office(contract, contract, tables)
    return (
        _labelled({**dict(contract.c.items()), **names})
        .select_from(offices)
        .where(contract.c.Tahun == year)
        .order_by(contract.c.No_Kontrak)
    )


def addendum(tables: sql.Tables, year: int) -> Select[Any]:
    """The addenda registered in the year."""
    change = tables["Ta_Kontrak_Addendum"]
    return (
        _labelled(dict(change.c.items()))
        .where(change.c.Tahun == year)
        .order_by(change.c.No_Kontrak, change.c.No_Addendum)
    )


def sp2d(tables: sql.Tables, year: int) -> Select[Any]:
    """The payments of the year on contracts: one row for each contract that an SP2D's request (SPP) names.

    Ta_Kontrak is not asked: a contract of an earlier year, or one that nobody registered, is paid all the same. What
    is not paid yet (no SP2D) or void is left out.

    An amount is given once. A request that names several contracts is one amount for all: each gets what the request
    itself books on it if that adds up to the amount, else none of them does. Of two SP2D on one SPM neither does.
    """
    named, spm, order = tables["Ta_SPP_Kontrak"], tables["Ta_SPM"], tables["Ta_SP2D"]
    request, detail, twin = tables["Ta_SPP"], tables["Ta_SPM_Rinc"], order.alias()
    share = (
        select(named.c.No_SPP, named.c.No_Kontrak, func.sum(named.c.Nilai).label("Nilai"))
        .where(named.c.Tahun == year)
        .group_by(named.c.No_SPP, named.c.No_Kontrak)
        .subquery("share")
    )
    shared = (
        select(share.c.No_SPP, func.count().label("contracts"), func.sum(share.c.Nilai).label("Nilai"))
        .group_by(share.c.No_SPP)
        .subquery("shared")
    )
    paid = (
        select(detail.c.No_SPM, func.sum(detail.c.Nilai).label("Nilai"))
        .where(detail.c.Tahun == year)
        .group_by(detail.c.No_SPM)
        .subquery("paid")
    )
    ordered = (
        select(twin.c.No_SPM, func.count().label("orders"))
        .where(twin.c.Tahun == year)
        .group_by(twin.c.No_SPM)
        .subquery("ordered")
    )
    amount = case(
        (ordered.c.orders > 1, null()),
        (shared.c.contracts == 1, paid.c.Nilai),
        (shared.c.Nilai == paid.c.Nilai, share.c.Nilai),
    )
    joined: FromClause = (
        share.join(shared, shared.c.No_SPP == share.c.No_SPP)
        .join(spm, spm.c.No_SPP == share.c.No_SPP)
        .join(order, _same(spm, order, ("Tahun", "No_SPM")))
        .join(ordered, ordered.c.No_SPM == order.c.No_SPM)
        .outerjoin(paid, paid.c.No_SPM == spm.c.No_SPM)
        .outerjoin(request, _same(spm, request, ("Tahun", "No_SPP")))
    )
    offices, names = _with_office(joined, spm, tables)
    columns = {
        "Tahun": order.c.Tahun,
        "No_Kontrak": share.c.No_Kontrak,
        "No_SP2D": order.c.No_SP2D,
        **{name: spm.c[name] for name in _OFFICE},
        **names,
        "No_SPP": spm.c.No_SPP,
        "Tgl_SPP": request.c.Tgl_SPP,
        "No_SPM": spm.c.No_SPM,
        "Tgl_SPM": spm.c.Tgl_SPM,
        "Jn_SPM": spm.c.Jn_SPM,
        "Tgl_SP2D": order.c.Tgl_SP2D,
        "Nilai": amount,
        "Uraian": spm.c.Uraian,
        "Nm_Penerima": spm.c.Nm_Penerima,
        "NPWP": spm.c.NPWP,
    }
    return (
        _labelled(columns)
        .select_from(offices)
        .where(spm.c.Tahun == year, or_(spm.c.Kd_Edit != _VOID, spm.c.Kd_Edit.is_(None)))
        .order_by(share.c.No_Kontrak, order.c.No_SP2D)
    )


STATEMENTS: dict[str, Callable[[sql.Tables, int], Select[Any]]] = {
    "SIMDA-Anggaran": anggaran,
    "SIMDA-Kontrak": kontrak,
    "SIMDA-Addendum": addendum,
    "SIMDA-SP2D": sp2d,
}


def _labelled(columns: dict[str, ColumnElement[Any]]) -> Select[Any]:
    return select(*(column.label(name) for name, column in columns.items()))


def _same(left: FromClause, right: FromClause, names: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(left.c[name] == right.c[name] for name in names))


def _or_null(table: Table, name: str) -> ColumnElement[Any]:
    return table.c[name] if name in table.c else null()


def _with_office(
    joined: FromClause, row: Table, tables: sql.Tables
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """What is joined, and the office's names beside it."""
    sub_unit, unit = tables["Ref_Sub_Unit"], tables["Ref_Unit"]
    return joined.outerjoin(sub_unit, _same(row, sub_unit, _OFFICE)).outerjoin(unit, _same(row, unit, _UNIT)), {
        "Nm_Sub_Unit": sub_unit.c.Nm_Sub_Unit,
        "kd_unit90": _or_null(unit, "kd_unit90"),
    }


def _unambiguous(table: Table, keys: Sequence[str], values: Sequence[str]) -> Subquery:
    """What each key is mapped to, where that is one thing: a second answer would double the rows it is joined to."""
    answers = select(*(table.c[name].label(name) for name in (*keys, *values))).distinct().subquery()
    return (
        select(
            *(answers.c[name].label(name) for name in keys), *(func.min(answers.c[name]).label(name) for name in values)
        )
        .group_by(*(answers.c[name] for name in keys))
        .having(func.count() == 1)
        .subquery()
    )


# --- SIPD-RI ---------------------------------------------------------------------------------------------------------

_DIRECT = "3"  # LS: paid to who did the work. The other kinds (UP, GU, TU) fill an office's purse and name no contract.
_ORDERS, _PAYMENTS = "pengeluaran/strict/spm/index", "pengeluaran/strict/sp2d/pembuatan/index"
_LINES = "referensi/strict/laporan/dpa/dpa/rincian-belanja"
# The office in a number such as `.../5.02.0.00.0.00.01.0000/P6/10/2024`.
_OFFICE_CODE = re.compile(r"(?<![\d.])\d\.\d\d\.\d\.\d\d\.\d\.\d\d\.\d\d\.\d{4}(?![\d.])")
# How Go writes a time that is not set.
_NEVER = "0001-01-01"


def _sipd_pages(
    source: SourceSettings, path: str, service: str, params: dict[str, str], cursor: str | None = None
) -> Iterator[Page]:
    variable = "JEJAK_SOURCES__SIMDA__TOKEN"
    if source.token is None:
        raise SettingsError(f"the source has no token; set {variable}")
    check_total = source.service(service).check_total
    access = Access(source, source.url or sipd.BASE, source.token, variable, cursor, check_total=check_total)
    return sipd.pages(access, path, params)


def _orders(source: SourceSettings, service: str, year: str) -> Iterator[Row]:
    """The payment orders (SPM) of the year: each has its request (SPP), and the request its contract."""
    for page in _sipd_pages(source, _ORDERS, service, {"tahun": year, "jenis": "LS"}):
        yield from (row for row in page.rows if is_readable(row) and _is_of(row, year))


def _is_of(row: Row, year: str) -> bool:
    """Whether a row is of the year and stands: SIPD keeps what was deleted, with the time of it."""
    deleted = str(row.get("deleted_at") or _NEVER)
    return str(row.get("tahun") or year) == year and deleted.startswith(_NEVER)


def _sipd_payments(source: SourceSettings, year: str, cursor: str | None) -> Iterator[Page]:
    """SIPD-SP2D: the transferred payments on contracts. One whose order names no contract (salaries, for example) is
    left out; one whose order isn't there has no contract, and is rejected as such."""
    service = "SIPD-SP2D"
    orders = {order.get("id_spm"): order for order in _orders(source, service, year)}
    params = {"tahun": year, "jenis": "LS", "status": "ditransfer"}
    for page in _sipd_pages(source, _PAYMENTS, service, params, cursor):
        rows = []
        for row in page.rows:
            order = orders.get(row.get("id_spm"))
            if is_readable(row) and (not _is_of(row, year) or (order and not order.get("nomor_kontrak_po"))):
                continue
            rows.append(_payment(row, order or {}, year) if is_readable(row) else row)
        yield dataclasses.replace(page, rows=rows)


def _payment(row: Row, order: Row, year: str) -> Row:
    office = _OFFICE_CODE.search(str(row.get("nomor_sp_2_d"))) or _OFFICE_CODE.search(str(row.get("nomor_spm")))
    return {
        "Tahun": row.get("tahun") or year,
        "No_Kontrak": order.get("nomor_kontrak_po"),
        "No_SP2D": row.get("nomor_sp_2_d"),
        "kd_unit90": office[0] if office else None,
        "Nm_Sub_Unit": row.get("nama_skpd"),
        "No_SPP": order.get("nomor_spp"),
        "No_SPM": row.get("nomor_spm"),
        "Tgl_SPM": order.get("tanggal_spm"),
        "Jn_SPM": _DIRECT,
        "Tgl_SP2D": row.get("tanggal_sp_2_d"),
        "Nilai": row.get("nilai_sp_2_d"),
        "Uraian": row.get("keterangan_sp_2_d"),
    }


def _sipd_lines(source: SourceSettings, year: str, cursor: str | None) -> Iterator[Page]:
    """SIMDA-Anggaran: the budget lines of every office that has a payment order in the year, office by office.

    A cursor is the office's number and the cursor of its own pages.
    """
    service = "SIMDA-Anggaran"
    numbers = {str(order["id_skpd"]) for order in _orders(source, service, year) if order.get("id_skpd")}
    offices = sorted(numbers, key=lambda number: (len(number), number))
    begun, _, mark = (cursor or "").partition(":")
    if begun and begun not in offices:
        raise StructureError("the offices have changed since this fetch of budget lines broke off; begin it anew")
    if begun:
        offices = offices[offices.index(begun) :]
    if not offices:
        yield Page([], name=f"SIPD {_LINES}")
        return
    for office, following in zip(offices, [*offices[1:], None], strict=True):
        at = mark if office == begun and mark else None
        for page in _sipd_pages(source, f"{_LINES}/{office}", service, {"tahun": year}, at):
            rows = [_line(row, year) if is_readable(row) else row for row in page.rows if _is_of(row, year)]
            inside = f"{office}:{page.cursor}" if page.cursor is not None else None
            yield dataclasses.replace(page, rows=rows, cursor=inside or (f"{following}:" if following else None))


def _line(row: Row, year: str) -> Row:
    """A budget line in SIMDA's names. Its codes are those of Permendagri 90; where SIMDA has older ones, which make the
    line's key, the same parts of the new ones stand."""
    activity = str(row.get("kode_sub_giat") or "").split(".")
    account = str(row.get("kode_akun") or "").split(".")
    field, area, program, first, second, sub = [*activity, *[""] * 6][:6]
    kegiatan = f"{first}.{second}" if second else ""
    parts = [*account, *[""] * 6][:6]
    return {
        "Tahun": row.get("tahun") or year,
        "Kd_Urusan": field,
        "Kd_Bidang": area,
        "Kd_Unit": row.get("kode_skpd"),
        "Kd_Sub": row.get("kode_sub_skpd"),
        "Nm_Sub_Unit": row.get("nama_skpd"),
        "kd_unit90": row.get("kode_skpd"),
        "Kd_Prog": program,
        "ID_Prog": None,
        "Ket_Program": row.get("nama_program"),
        "Kd_Keg": f"{kegiatan}.{sub}" if sub else kegiatan,
        "Ket_Kegiatan": row.get("nama_giat"),
        **{f"Kd_Rek_{level}": part for level, part in enumerate(parts[:4], 1)},
        "Kd_Rek_5": ".".join(part for part in parts[4:] if part),
        "Nm_Rek_5": row.get("nama_akun"),
        "No_Rinc": row.get("subs_bl_teks"),
        "No_ID": row.get("id_rinci_sub_bl") or row.get("nama_komponen"),
        "Keterangan_Rinc": row.get("subs_bl_teks"),
        "Keterangan": row.get("nama_komponen"),
        "Total": row.get("rincian"),
        "kd_urusan90": field,
        "kd_bidang90": area,
        "kd_program90": program,
        "kd_kegiatan90": kegiatan,
        "kd_sub_kegiatan": sub,
        "nm_sub_kegiatan": row.get("nama_sub_giat"),
        **{f"kd_rek90_{level}": part for level, part in enumerate(parts, 1)},
    }


SIPD: dict[str, Callable[[SourceSettings, str, str | None], Iterator[Page]]] = {
    "SIMDA-Anggaran": _sipd_lines,
    "SIPD-SP2D": _sipd_payments,
}
