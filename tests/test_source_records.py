"""Rows of SIRUP and LPSE: models and services, on made-up rows and on the real dumps beside the repository."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import connectors.lpse
import connectors.sirup
import schemas.lpse
import schemas.sirup
from schemas.fields import VOLATILE
from schemas.service import Service

SERVICES = {service.name: service for service in (*schemas.sirup.SERVICES, *schemas.lpse.SERVICES)}
DUMPS = Path(os.environ.get("JEJAK_DUMPS") or Path(__file__).parents[2] / "shared" / "data" / "isb-kab-bandung-2025")

needs_dumps = pytest.mark.skipif(
    not (DUMPS / "SPSE-TenderPengumuman.json").is_file(),
    reason="the dumps of ISB's answers are not beside the repository; name their folder in JEJAK_DUMPS",
)


def record(service: Service, row: dict[str, Any]) -> Any:
    """The row as this service's record."""
    return service.model.model_validate({service.aliases.get(name, name): value for name, value in row.items()})


def smallest(service: Service) -> dict[str, Any]:
    """A row that says no more than it must: its code and, of a certificate, which contract it is for."""
    return {service.key[0]: 7} | ({"no_kontrak": "1/K"} if service.name.endswith("4BAPBAST") else {})


def dumped(service: Service) -> list[dict[str, Any]]:
    path = DUMPS / f"{service.name}.json"
    if not path.is_file():
        pytest.skip(f"no dump of {service.name}")
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_service_names_fields_that_its_rows_have(service):
    names = {field.validation_alias or name for name, field in service.model.model_fields.items()}
    assert set(service.key) <= names
    assert service.sets <= names
    assert service.model.personal <= names
    assert set(service.aliases.values()) <= names
    assert not set(service.aliases) & names, "an alias would overwrite a field of its own"
    assert service.observed_field is None or {service.observed_field} <= names & service.volatile
    assert service.volatile <= names | VOLATILE
    assert not service.volatile & set(service.key)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_only_the_code_is_required(service):
    row = record(service, smallest(service))
    assert getattr(row, service.key[0]) == "7"
    for missing in (None, "", "0", 0):
        with pytest.raises(ValidationError, match="no code of its own"):
            record(service, {service.key[0]: missing})


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_an_unknown_field_is_kept_and_seen(service):
    row = record(service, {**smallest(service), "kolom_baru": "isi"})
    assert row.model_extra == {"kolom_baru": "isi"}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_every_official_and_tax_number_is_marked_as_personal(service):
    marked = ("nip_", "nama_ppk", "nama_pokja", "npwp", "no_rek", "wakil_sah", "alamat_penyedia", "telp", "email")
    for name in service.model.model_fields:
        if any(mark in name for mark in marked):
            assert name in service.model.personal


def test_both_sources_say_where_each_service_is():
    assert [service.name for service in schemas.sirup.SERVICES] == list(connectors.sirup.ADDRESSES)
    assert [service.name for service in schemas.lpse.SERVICES] == list(connectors.lpse.ADDRESSES)


def test_the_same_row_as_json_csv_and_workbook():
    service = SERVICES["SPSE-TenderSelesaiNilai"]
    as_json = {"kd_tender": 10000000001, "kd_rup_paket": "59000002;59000001", "pagu": 500000000, "hps": 499999500.5,
               "nilai_kontrak": 0, "npwp_16_penyedia": "0123456789012345", "nama_penyedia": None,
               "tgl_penetapan_pemenang": "2025-04-09", "_event_date": "2025-10-03"}  # fmt: skip
    as_csv = {"kd_tender": "10000000001", "kd_rup_paket": "59000001;59000002", "pagu": "500000000.0",
              "hps": "499999500.5", "nilai_kontrak": "0", "npwp_penyedia_16": "0123456789012345", "nama_penyedia": "",
              "tgl_penetapan_pemenang": "2025-04-09 00:00:00", "_event_date": "2025-10-03"}  # fmt: skip
    as_workbook = as_json | {"kd_tender": 10000000001.0, "pagu": 5e8, "npwp_16_penyedia": 123456789012345}
    first, second, third = (record(service, row) for row in (as_json, as_csv, as_workbook))
    assert first == second
    assert first.kd_rup_paket == ("59000001", "59000002")
    assert (first.pagu, first.hps, first.nilai_kontrak) == (500000000, 499999500.5, None)
    assert first.event_date == "2025-10-03"
    # A workbook drops the leading zero of a number: no transport's fault that the record could mend.
    assert third.model_copy(update={"npwp_penyedia_16": "0123456789012345"}) == first


def test_zero_means_missing_field_by_field():
    bidder = record(SERVICES["SPSE-PesertaTender"], {"kd_tender": 1, "nilai_penawaran": "0", "pemenang": "0"})
    assert (bidder.nilai_penawaran, bidder.pemenang) == (None, False)
    letter = record(SERVICES["SPSE-TenderEkontrak-1SPPBJ"], {"kd_tender": 1, "nilai_jaminan_pelaksanaan": 0})
    assert letter.nilai_jaminan_pelaksanaan == 0
    order = record(SERVICES["Ecat-PaketEPurchasingV6"], {"kd_paket": "01K", "ongkir": 0})
    assert order.ongkir == 0


def test_inaprocs_names_of_an_order_and_of_a_non_tender():
    order = record(
        SERVICES["Ecat-PaketEPurchasingV6"],
        {"kode_klpd": "D999", "fiscal_year": 2026, "order_id": "01K", "rup_code": "59000001,59000001", "total": 12000,
         "funding_source": "APBD", "order_date": "2026-01-05", "status": "COMPLETED", "shipping_fee": 0},
    )  # fmt: skip
    assert (order.kd_klpd, order.tahun_anggaran, order.kd_paket, order.kd_rup) == ("D999", 2026, "01K", ("59000001",))
    assert (order.total_harga, order.tgl_order, order.status_pkt) == (12000, "2026-01-05", "COMPLETED")
    assert not order.model_extra
    contract = record(SERVICES["SPSE-NonTenderEkontrak-2Kontrak"], {"kd_tender": 5, "npwp16_penyedia": "1"})
    assert (contract.kd_nontender, contract.npwp_penyedia_16) == ("5", "1")


def test_a_row_of_another_service_is_no_certificate():
    with pytest.raises(ValidationError, match="no_bap"):
        record(
            SERVICES["SPSE-TenderEkontrak-4BAPBAST"], {"kd_tender": 1, "kd_peserta": 2, "nama_penyedia": "CV CONTOH"}
        )


def test_errors_of_a_row_do_not_quote_it():
    with pytest.raises(ValidationError) as caught:
        record(SERVICES["SPSE-TenderSelesaiNilai"], {"kd_tender": 1, "npwp_penyedia": ["3171"], "pagu": "CV RAHASIA"})
    assert "3171" not in str(caught.value)
    assert "RAHASIA" not in str(caught.value)
    assert {fault["loc"] for fault in caught.value.errors()} == {("npwp_penyedia",), ("pagu",)}


@needs_dumps
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_every_real_row_is_valid_and_known_in_every_field(service):
    rows = dumped(service)
    refused, unknown = [], set()
    for row in rows:
        try:
            unknown |= set(record(service, row).model_extra or ())
        except ValidationError as error:
            refused.append(error)
    # This file holds another service's rows (settings/kab-bandung-dumps.toml).
    assert len(refused) == (len(rows) if service.name == "SPSE-TenderEkontrak-4BAPBAST" else 0)
    assert not unknown


@needs_dumps
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_nothing_of_a_real_row_is_lost_in_reading(service):
    if service.name == "SPSE-TenderEkontrak-4BAPBAST":
        pytest.skip("the dump holds another service's rows")
    # Read as missing on purpose: zero amounts, and the codes 0 and -.
    nothing = (None, "", "0", 0, "-")
    for row in dumped(service):
        read = record(service, row)
        for name, value in row.items():
            field = service.aliases.get(name, name).lstrip("_")
            if isinstance(value, str):
                value = value.strip("\r\n\t \u00a0\u200b")
            assert value in nothing or getattr(read, field) not in (None, ())
