"""SIPD-RI, which replaces SIMDA from a day on: its payments (SP2D), their orders (SPM), and budget lines.

Paths and names are those of public clients; no answer of the real system has been seen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from simulator import simda
from simulator.facts import Disbursement, LedgerContract, Office
from simulator.rendering import Row, midnight
from simulator.state import State

_REGENCY_ID = 990
_INDEX, _PRINT = "pengeluaran/strict/sp2d/pembuatan/index", "pengeluaran/strict/sp2d/pembuatan/cetak"
_ORDERS, _BUDGET = "pengeluaran/strict/spm/index", "referensi/strict/laporan/dpa/dpa/rincian-belanja"


def answer(world: State, path: str, year: int, query: Mapping[str, str]) -> list[Row] | Row | None:
    """Today's answer below the address of SIPD: rows, one object, or None where there is nothing of that name."""
    if path == _INDEX:
        # Only payments for contracts are direct ones (LS); they are all transferred.
        wanted = query.get("jenis", "LS") == "LS" and query.get("status", "ditransfer") == "ditransfer"
        return [_payment(entry, paper) for entry, paper in _papers(world, year)] if wanted else []
    if path == _ORDERS:
        return [_order(entry, paper) for entry, paper in _papers(world, year)]
    name, _, code = path.rpartition("/")
    if name == _PRINT and re.fullmatch(r"\d+", code):
        found = (each for any_year in world.years for each in _papers(world, any_year) if _id(each[1]) == int(code))
        return next((_print(*each) for each in found), None)
    if name == _BUDGET and re.fullmatch(r"\d+", code):
        office = next((each for each in world.offices if _office_id(each) == int(code)), None)
        return None if office is None else list(_budget(world, office, year))
    return None


def _papers(world: State, year: int) -> Iterator[tuple[LedgerContract, Disbursement]]:
    """The payments that SIPD holds: those made since it is in use, and one that SIMDA holds too."""
    for entry in world.ledger:
        if entry.year == year and not entry.absent:
            for paper in entry.payments:
                if simda.is_made(paper) and (paper.shared or not simda.is_held(world, paper.paid)):
                    yield entry, paper


def _id(paper: Disbursement) -> int:
    return 3_000_000 + 2 * int(paper.order.partition("/")[0]) + paper.shared


def _office_id(office: Office) -> int:
    return 5_000 + simda.number_of(office)


def _payment(entry: LedgerContract, paper: Disbursement) -> Row:
    assert paper.paid is not None
    return {
        "id_sp_2_d": _id(paper),
        "nomor_sp_2_d": paper.paid_by,
        "id_spm": _id(paper) + 1_000_000,
        "nomor_spm": paper.order,
        "tahun": entry.year,
        "id_daerah": _REGENCY_ID,
        "id_skpd": _office_id(entry.sub.office),
        "nilai_sp_2_d": simda.total(paper.parts),
        "tanggal_sp_2_d": _at(paper.paid),
        "keterangan_sp_2_d": paper.text,
        "is_transfer_sp_2_d": 1,
        "transfer_sp_2_d_at": _at(paper.paid + dt.timedelta(days=1)),
        "jenis_sp_2_d": "LS",
        "jenis_ls_sp_2_d": "kontrak",
        "deleted_at": None,
    }


def _order(entry: LedgerContract, paper: Disbursement) -> Row:
    return {
        "id_spm": _id(paper) + 1_000_000,
        "nomor_spm": paper.order,
        "tanggal_spm": _at(paper.ordered),
        "nilai_spm": simda.total(paper.parts),
        "tahun": entry.year,
        "id_daerah": _REGENCY_ID,
        "id_skpd": _office_id(entry.sub.office),
        "id_spp": _id(paper) + 2_000_000,
        "nomor_spp": paper.request,
        "menggunakan_data_kontrak": 1,
        "id_kontrak": _id(entry.payments[0]) + 4_000_000,
        "nomor_kontrak_po": entry.number,
    }


def _print(entry: LedgerContract, paper: Disbursement) -> dict[str, Any]:
    account = entry.sub.accounts[0]
    return {
        "jenis": "LS",
        "ls": {
            "header": {
                "nomor_sp_2_d": paper.paid_by,
                "tahun": entry.year,
                "nama_skpd": entry.sub.office.name,
                "nomor_spm": paper.order,
                "tanggal_spm": _at(paper.ordered),
                "nama_pihak_ketiga": paper.payee,
                "npwp_pihak_ketiga": entry.npwp,
                "no_rek_pihak_ketiga": entry.supplier.account,
            },
            "detail_belanja": [
                {
                    "kode_rekening": f"{entry.sub.code}.{account}",
                    "uraian": simda.account_name(account),
                    "total_anggaran": entry.sub.amount,
                    "jumlah": part,
                }
                for part in paper.parts
            ],
            "pajak_potongan": [],
        },
    }


def _budget(world: State, office: Office, year: int) -> Iterator[Row]:
    for line in world.accounts:
        if line.year == year and line.sub.office is office and not line.absent:
            for detail in line.details:
                amount = detail.revised if year in world.revised_years else detail.first
                if amount is not None:
                    yield {
                        "tahun": year,
                        "id_skpd": _office_id(office),
                        "kode_skpd": office.code,
                        "nama_skpd": office.name,
                        "kode_sub_giat": line.sub.code,
                        "nama_sub_giat": simda.sub_name(world, line.sub),
                        "kode_akun": line.account,
                        "nama_akun": simda.account_name(line.account),
                        "subs_bl_teks": detail.head,
                        "nama_komponen": detail.text,
                        "volume": 1,
                        "satuan": "Paket",
                        "koefisien": "1 Paket",
                        "harga_satuan": amount,
                        "rincian": amount,
                        "nama_dana": "APBD",
                    }


def _at(day: dt.date) -> str:
    """`2025-07-03T00:00:00Z`; local time, whatever the Z says."""
    return midnight(day).replace(" ", "T") + "Z"
