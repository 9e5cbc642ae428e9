"""PaDi, a marketplace of small firms: its orders."""

from typing import ClassVar

from schemas.fields import Amount, Codes, LkppRecord, LocalTime, OwnCode, Text
from schemas.service import Service


class Pesanan(LkppRecord):
    """An order."""

    personal: ClassVar[frozenset[str]] = frozenset({"npwp_penjual"})

    nomor_pesanan: OwnCode
    kd_rup: Codes = ()
    uraian: Text = None
    nilai: Amount = None
    tgl_pesanan: LocalTime = None
    status: Text = None
    nama_penjual: Text = None
    npwp_penjual: Text = None


SERVICES = (Service("PaDi-Pesanan", Pesanan, key=("nomor_pesanan",), kind="padi"),)
