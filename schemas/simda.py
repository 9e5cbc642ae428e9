"""SIMDA Keuangan (budget and payments), and SIPD-RI in its place: services and rows, in the names of SIMDA's columns.

Columns: `sources.md` section 3. A service here is a question to several tables (`connectors.simda`), so a row holds
what its tables say together. The columns of Permendagri 90 (`...90`) are empty before 2021 and where nothing is mapped.
"""

import re
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator

from schemas.fields import Amount, AmountOrMissing, Code, Count, LocalTime, OwnCode, SignedAmount, Text
from schemas.service import Office, Personal, Service, SourceRecord

NEVER_READ = frozenset(
    {
        "Alamat",
        "Alamat_Penerima",
        "Bank_Pembayar",
        "Bank_Penerima",
        "Jbt_Penandatangan",
        "Nama_PPTK",
        "NIP_PPTK",
        "Nip_Penandatangan",
        "Nip_Pimpinan",
        "Nm_Bank",
        "Nm_Pemilik",
        "Nm_Penandatangan",
        "Nm_Pimpinan",
        "Nm_Rekening",
        "Nm_Verifikator",
        "No_Rekening",
        "Rek_Penerima",
    }
)
"""Columns about persons, accounts and addresses: not asked of the database, left out of dumps that hold them."""

_BETWEEN = re.compile(r"[.-]")
_WITHOUT_SUB_UNIT = 7
# Two digits follow the dot. A column of numbers drops the last of them when it is zero: 2.10 comes as 2.1.
_SHORTENED = re.compile(r"\d+\.\d")


def _whole_kegiatan(value: object) -> object:
    text = str(value).strip() if isinstance(value, int | float | str) else value
    return f"{text}0" if isinstance(text, str) and _SHORTENED.fullmatch(text) else text


Kegiatan = Annotated[Text, BeforeValidator(_whole_kegiatan)]
"""The activity of Permendagri 90, such as `2.01`."""


class SimdaRecord(SourceRecord):
    """What all rows have."""

    Tahun: Count


class OfficeRecord(SimdaRecord):
    """What all rows have that name their office."""

    Kd_Urusan: Code = None
    Kd_Bidang: Code = None
    Kd_Unit: Code = None
    Kd_Sub: Code = None
    Nm_Sub_Unit: Text = None
    kd_unit90: Text = None

    @property
    def office(self) -> Office:
        """The sub unit; LKPP's code, `1.03.2.15.1.04.03.0000`, from `kd_unit90`, which is `1-03.2-15.1-04.03`."""
        segments = _BETWEEN.split(self.kd_unit90 or "")
        if not all(segments) or len(segments) < _WITHOUT_SUB_UNIT:
            return Office(name=self.Nm_Sub_Unit)
        code = ".".join([*segments, "0000"] if len(segments) == _WITHOUT_SUB_UNIT else segments)
        return Office((code,), self.Nm_Sub_Unit)


class Anggaran(OfficeRecord):
    """A detail of a budget line, as the latest revision of the year's budget has it."""

    Kd_Perubahan: Count = None  # 4 the budget (APBD), 5 a shift (pergeseran), 6 the revised budget (perubahan)
    Kd_Prog: Code = None
    ID_Prog: Code = None
    Ket_Program: Text = None
    Kd_Keg: Code = None
    Ket_Kegiatan: Text = None
    Kd_Rek_1: Code = None
    Kd_Rek_2: Code = None
    Kd_Rek_3: Code = None
    Kd_Rek_4: Code = None
    Kd_Rek_5: Code = None
    Nm_Rek_5: Text = None
    No_Rinc: Code = None
    No_ID: Code = None
    Keterangan_Rinc: Text = None
    Keterangan: Text = None
    Total: Amount = None
    Kd_Sumber: Code = None
    kd_urusan90: Code = None
    kd_bidang90: Code = None
    kd_program90: Code = None
    kd_kegiatan90: Kegiatan = None
    kd_sub_kegiatan: Code = None
    nm_sub_kegiatan: Text = None
    kd_rek90_1: Code = None
    kd_rek90_2: Code = None
    kd_rek90_3: Code = None
    kd_rek90_4: Code = None
    kd_rek90_5: Code = None
    kd_rek90_6: Code = None


class Kontrak(OfficeRecord):
    """A contract, as registered to be paid. Its value is that before any addendum."""

    No_Kontrak: OwnCode
    Kd_Prog: Code = None
    ID_Prog: Code = None
    Kd_Keg: Code = None
    Tgl_Kontrak: LocalTime = None
    Keperluan: Text = None
    Waktu: Text = None
    Nilai: AmountOrMissing = None
    Nm_Perusahaan: Text = None
    Bentuk: Text = None
    NPWP: Personal[Text] = None


class Addendum(SimdaRecord):
    """A change of a contract. Its value replaces the contract's; 0 where only the time or the work changed."""

    No_Kontrak: OwnCode
    No_Addendum: Code = None
    Tgl_Addendum: LocalTime = None
    Keperluan: Text = None
    Waktu: Text = None
    Nilai: AmountOrMissing = None


class Sp2d(OfficeRecord):
    """An order to the treasury to pay on a contract, whose payment order (SPM) is not void."""

    No_Kontrak: OwnCode
    No_SP2D: OwnCode
    No_SPP: Code = None
    Tgl_SPP: LocalTime = None
    No_SPM: Code = None
    Tgl_SPM: LocalTime = None
    Jn_SPM: Code = None
    Tgl_SP2D: LocalTime = None
    # None where one payment serves several contracts and nothing shows how much each of them got; below 0 a return.
    Nilai: SignedAmount = None
    Uraian: Text = None
    Nm_Penerima: Text = None
    NPWP: Personal[Text] = None


_LINE = (
    "Tahun",
    "Kd_Urusan",
    "Kd_Bidang",
    "Kd_Unit",
    "Kd_Sub",
    "Kd_Prog",
    "ID_Prog",
    "Kd_Keg",
    "Kd_Rek_1",
    "Kd_Rek_2",
    "Kd_Rek_3",
    "Kd_Rek_4",
    "Kd_Rek_5",
)

_SP2D = Service(
    "SIMDA-SP2D",
    Sp2d,
    key=("Tahun", "No_Kontrak", "No_SP2D"),
    kind="kontrak",
    code_parts=2,
    linked=True,
    essential=frozenset({"Nilai"}),
)

SERVICES: tuple[Service, ...] = (
    Service(
        "SIMDA-Anggaran",
        Anggaran,
        key=(*_LINE, "No_Rinc", "No_ID"),
        kind="anggaran",
        code_parts=len(_LINE),
        linked=True,
        essential=frozenset({"Total"}),
    ),
    Service("SIMDA-Kontrak", Kontrak, key=("Tahun", "No_Kontrak"), kind="kontrak", code_parts=2, linked=True),
    Service(
        "SIMDA-Addendum",
        Addendum,
        key=("Tahun", "No_Kontrak", "No_Addendum"),
        kind="kontrak",
        code_parts=2,
        linked=True,
    ),
    _SP2D,
    # A list of its own: in the year in which SIPD-RI replaces SIMDA both systems hold a part of the payments, and when
    # one of them is shut, what it held still stands.
    replace(_SP2D, name="SIPD-SP2D"),
)
"""What is read of SIMDA and SIPD-RI, in the order to read it."""
