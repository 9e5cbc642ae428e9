"""SIMDA: the budget, contracts and payments as flat rows, which are what a right reading of its database gives.

SIMDA keeps the codes of before Permendagri 90 and maps them to the new ones in tables of its own. Here the old code of
everything is a function of the new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from simulator.facts import BudgetAccount, Disbursement, LedgerContract, Office, SubActivity
from simulator.rendering import Row, Service, midnight
from simulator.state import State

FIRST_BUDGET, REVISED_BUDGET = 4, 6
VOID = 2
DIRECT_PAYMENT = 3
# The bridge between the charts of accounts begins with this fiscal year.
BRIDGED_SINCE = 2021
_URUSAN = 8


def number_of(office: Office) -> int:
    """The office's number among all."""
    return (office.sirup_id - 990_000) // 10


def unit(office: Office) -> dict[str, int]:
    """The office's keys. Some offices stand under another field of government than their programmes do."""
    number = number_of(office)
    field = int(office.code.split(".")[1]) if number % 5 != 4 else 50
    return {"Kd_Urusan": _URUSAN, "Kd_Bidang": field + 1, "Kd_Unit": number, "Kd_Sub": 1}


def unit_code90(office: Office) -> str | None:
    """LKPP's code of the office in SIMDA's spelling, `9-03.0-00.0-00.01`; one office in ten was never mapped."""
    first, second, third, fourth, fifth, sixth, number, _ = office.code.split(".")
    return None if number_of(office) % 10 == 7 else f"{first}-{second}.{third}-{fourth}.{fifth}-{sixth}.{number}"


def own_code(office: Office) -> str:
    """What the office goes by in SIMDA: today's code, or the keys of its tables."""
    return unit_code90(office) or ".".join(map(str, unit(office).values()))


def unit_name(office: Office) -> str:
    """The office's name as SIMDA has it."""
    return office.name.title().replace("Dprd", "DPRD")


def activity(sub: SubActivity) -> dict[str, int]:
    """The keys of a sub-activity: `ID_Prog` is the field of government that the programme belongs to."""
    code = activity90(sub)
    program, (_, group) = code["kd_program90"], str(code["kd_kegiatan90"]).split(".")
    return {
        "Kd_Prog": int(program) + (14 if is_bridged(sub.year) else 50),
        "ID_Prog": _URUSAN * 100 + int(code["kd_bidang90"]) + 1,
        "Kd_Keg": (int(group) - 1) * 20 + int(code["kd_sub_kegiatan"]),
    }


def activity90(sub: SubActivity) -> dict[str, int | str]:
    """The keys of a sub-activity in Permendagri 90's way."""
    urusan, field, program, _, group, number = sub.code.split(".")
    return {
        "kd_urusan90": int(urusan),
        "kd_bidang90": int(field),
        "kd_program90": int(program),
        "kd_kegiatan90": f"2.{group}",
        "kd_sub_kegiatan": int(number),
    }


def is_bridged(year: int) -> bool:
    """Whether the mapping tables know this year's codes."""
    return year >= BRIDGED_SINCE


def account(code: str, year: int) -> dict[str, int]:
    """The keys of an account."""
    _, kind, _, group, part, detail = map(int, code.split("."))
    return {
        "Kd_Rek_1": 5,
        "Kd_Rek_2": 2,
        "Kd_Rek_3": 1 + kind,
        "Kd_Rek_4": (group - 1) * 9 + part + (0 if is_bridged(year) else 100),
        "Kd_Rek_5": detail,
    }


def account_name(code: str) -> str:
    """The account's name."""
    return f"Belanja Rekaan {code}"


def is_mapped(code: str) -> bool:
    """Whether somebody entered the account into the mapping table; a few were forgotten."""
    return not code.endswith(".0060")


def account90(code: str, year: int) -> dict[str, int | None]:
    """The account in Permendagri 90's way, nothing where it isn't mapped."""
    known = is_bridged(year) and is_mapped(code)
    return {f"kd_rek90_{position}": int(part) if known else None for position, part in enumerate(code.split("."), 1)}


def sub_name(world: State, sub: SubActivity) -> str:
    """The name of a sub-activity's code, which offices of one field of government share."""
    return world.sub_names.setdefault(sub.code, sub.name)


def _office(office: Office) -> Row:
    return {**unit(office), "Nm_Sub_Unit": unit_name(office), "kd_unit90": unit_code90(office)}


def budget(world: State, line: BudgetAccount) -> Iterator[Row]:
    """SIMDA-Anggaran: the budget in force."""
    if line.absent:
        return
    sub, bridged = line.sub, is_bridged(line.year)
    revised = line.year in world.revised_years
    for detail in line.details:
        total = detail.revised if revised else detail.first
        if total is None:
            continue
        yield {
            "Tahun": line.year,
            "Kd_Perubahan": REVISED_BUDGET if revised else FIRST_BUDGET,
            **_office(sub.office),
            **activity(sub),
            **account(line.account, line.year),
            "No_Rinc": detail.number,
            "No_ID": detail.id,
            "Ket_Program": sub.program[2],
            "Ket_Kegiatan": sub.name,
            "Nm_Rek_5": account_name(line.account),
            "Keterangan_Rinc": detail.head,
            "Total": total,
            "Keterangan": detail.text,
            "Kd_Sumber": line.source,
            **(activity90(sub) if bridged else dict.fromkeys(activity90(sub))),
            "nm_sub_kegiatan": sub_name(world, sub) if bridged else None,
            **account90(line.account, line.year),
        }


def contracts(world: State, entry: LedgerContract) -> Iterator[Row]:
    """SIMDA-Kontrak."""
    if not entry.absent and is_held(world, entry.signed):
        yield {
            "Tahun": entry.year,
            "No_Kontrak": entry.number,
            **_office(entry.sub.office),
            **activity(entry.sub),
            "Tgl_Kontrak": midnight(entry.signed),
            "Keperluan": entry.purpose,
            "Waktu": entry.duration,
            "Nilai": entry.value,
            "Nm_Perusahaan": entry.supplier_name,
            "Bentuk": entry.supplier.form.partition(" (")[0],
            "NPWP": entry.npwp,
        }


def addenda(world: State, entry: LedgerContract) -> Iterator[Row]:
    """SIMDA-Addendum."""
    for each in () if entry.absent or not is_held(world, entry.signed) else entry.addenda:
        if not is_held(world, each.at):
            continue
        yield {
            "Tahun": entry.year,
            "No_Kontrak": entry.number,
            "No_Addendum": each.number,
            "Tgl_Addendum": midnight(each.at),
            "Keperluan": each.reason,
            "Waktu": each.duration,
            "Nilai": each.value,
        }


def is_made(paper: Disbursement) -> bool:
    """Whether the money went out."""
    return paper.paid is not None and not paper.void


def is_held(world: State, day: dt.date | None) -> bool:
    """Whether SIMDA was in use on a day, before SIPD replaced it."""
    return world.sipd_since is None or (day is not None and day < world.sipd_since)


def payments(world: State, entry: LedgerContract) -> Iterator[Row]:
    """SIMDA-SP2D: payments that were made, those on a void order left out."""
    for each in () if entry.absent else entry.payments:
        if each.paid is None or not is_made(each) or not is_held(world, each.paid):
            continue
        yield {
            "Tahun": entry.year,
            "No_Kontrak": entry.number,
            "No_SP2D": each.paid_by,
            **_office(entry.sub.office),
            "No_SPP": each.request,
            "Tgl_SPP": midnight(each.requested),
            "No_SPM": each.order,
            "Tgl_SPM": midnight(each.ordered),
            "Jn_SPM": DIRECT_PAYMENT,
            "Tgl_SP2D": midnight(each.paid),
            "Nilai": total(each.parts),
            "Uraian": each.text,
            "Nm_Penerima": each.payee,
            "NPWP": entry.npwp,
        }


def total(parts: list[int | float]) -> int | float:
    """What the parts of a payment come to, in whole rupiah as int."""
    amount = round(sum(parts), 2)
    return int(amount) if amount == int(amount) else amount


_BUDGET_KEY = (
    "Tahun", "Kd_Urusan", "Kd_Bidang", "Kd_Unit", "Kd_Sub", "Kd_Prog", "ID_Prog", "Kd_Keg",
    "Kd_Rek_1", "Kd_Rek_2", "Kd_Rek_3", "Kd_Rek_4", "Kd_Rek_5", "No_Rinc", "No_ID",
)  # fmt: skip
SERVICES = (
    Service("SIMDA-Anggaran", "Tahun", "accounts", budget, key=_BUDGET_KEY),
    Service("SIMDA-Kontrak", "Tahun", "ledger", contracts, key=("Tahun", "No_Kontrak")),
    Service("SIMDA-Addendum", "Tahun", "ledger", addenda, key=("Tahun", "No_Kontrak", "No_Addendum")),
    Service("SIMDA-SP2D", "Tahun", "ledger", payments, key=("Tahun", "No_Kontrak", "No_SP2D")),
)
"""SIMDA's services."""


def day(text: dt.date) -> dt.datetime:
    """Midnight of a day, as the database keeps it."""
    return dt.datetime.combine(text, dt.time())
