"""PaDi, a marketplace of small firms: its orders."""

from schemas.fields import Amount, Codes, LkppRecord, LocalTime, OwnCode, Text
from schemas.service import Personal, Service


class Pesanan(LkppRecord):
    """An order."""

    nomor_pesanan: OwnCode
    kd_rup: Codes = ()
    uraian: Text = None
    nilai: Amount = None
    tgl_pesanan: LocalTime = None
    status: Text = None
    nama_penjual: Text = None
    npwp_penjual: Personal[Text] = None


SERVICES = (Service("PaDi-Pesanan", Pesanan, key=("nomor_pesanan",), kind="padi"),)
