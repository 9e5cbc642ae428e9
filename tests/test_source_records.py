"""Rows of SIRUP and LPSE: models and services, on made-up rows. Real ones: `tests/test_real_rows.py`."""

from typing import Any

import pytest
from pydantic import ValidationError

import connectors.lpse
import connectors.sirup
import pipeline.registry
import schemas.lpse
import schemas.sirup
from schemas.errors import RowError
from schemas.fields import VOLATILE
from schemas.service import Service, personal_fields, read_row

ALL_SERVICES = pipeline.registry.SERVICES
SERVICES = {service.name: service for service in (*schemas.sirup.SERVICES, *schemas.lpse.SERVICES)}


def record(service: Service, row: dict[str, Any]) -> Any:
    """The row as this service's record."""
    return service.model.model_validate({service.aliases.get(name, name): value for name, value in row.items()})


def read(service: Service, row: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    """The row's record and the fields left out."""
    return read_row(service, row)


def smallest(service: Service) -> dict[str, Any]:
    """A row that says no more than it must: its code and, of a certificate, which contract it is for."""
    return {service.key[0]: 7} | ({"no_kontrak": "1/K"} if service.name.endswith("4BAPBAST") else {})


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_service_names_fields_that_its_rows_have(service):
    names = {field.validation_alias or name for name, field in service.model.model_fields.items()}
    assert set(service.key) | service.essential <= names
    assert service.optional_key <= set(service.key[service.code_parts :][-len(service.optional_key) :])
    assert not service.ignored.keys() & (names | service.aliases.keys()), "a field that is read can't be ignored"
    assert service.sets <= names
    assert set(service.aliases.values()) <= names
    assert not set(service.aliases) & names, "an alias would overwrite a field of its own"
    assert service.observed_field is None or {service.observed_field} <= names & service.volatile
    assert service.volatile <= names | VOLATILE | service.ignored.keys()
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
    marked: tuple[str, ...] = (
        "nip_",
        "nama_ppk",
        "nama_pokja",
        "npwp",
        "no_rek",
        "rek_bank",
        "wakil_sah",
        "alamat_penyedia",
        "telp",
    )
    marked += ("email", "_nip", "nama_pemesan", "username", "alamat_pengiriman", "kd_user", "fax")
    offices = {"jabatan_wakil_penyedia"}
    for name in service.model.model_fields.keys() | service.aliases.keys():
        if any(mark in name for mark in marked) and name not in offices:
            assert name in personal_fields(service)


AMOUNTS = {
    "RUP-PaketAnggaranPenyedia": "pagu",
    "SPSE-PencatatanNonTenderRealisasi": "nilai_realisasi",
    "Ecat-PaketEPurchasing": "total_harga",
    "Bela-TokoDaringRealisasi": "valuasi",
}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_wrong_side_field_costs_itself_and_nothing_else(service):
    names = {field.validation_alias or name for name, field in service.model.model_fields.items()}
    row = smallest(service)
    whole, nothing = read(service, row)
    assert nothing == {}
    for name in names - service.required:
        found, left_out = read(service, {**row, name: {"rahasia": "3171"}})
        assert found == whole
        assert left_out.keys() == {name}
        assert "3171" not in str(left_out)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_row_whose_key_or_amount_is_wrong_is_refused_by_the_fields_names(service):
    for name in service.required:
        with pytest.raises(RowError, match=name) as caught:
            read(service, {**smallest(service), name: {"rahasia": "3171"}, "tgl_realisasi": "3171 rahasia"})
        assert "3171" not in str(caught.value)


@pytest.mark.parametrize(("name", "amount"), AMOUNTS.items())
def test_the_amount_that_a_row_is_about_may_cost_it(name, amount):
    service = SERVICES[name]
    with pytest.raises(RowError, match=amount):
        read(service, {**smallest(service), amount: "??"})


def test_side_fields_that_real_rows_have_wrong():
    bidder, left_out = read(SERVICES["SPSE-PesertaTender"], {"kd_tender": 1, "kd_peserta": 2, "nilai_penawaran": "??"})
    assert (bidder.kd_peserta, bidder.nilai_penawaran) == ("2", None)
    assert left_out.keys() == {"nilai_penawaran"}
    paid, left_out = read(
        SERVICES["SPSE-PencatatanNonTenderRealisasi"],
        {"kd_nontender_pct": 1, "nilai_realisasi": "Rp 1.500.000,-", "tgl_realisasi": "2204-05-01"},
    )
    assert (paid.nilai_realisasi, paid.tgl_realisasi) == (1500000, None)
    assert left_out.keys() == {"tgl_realisasi"}
    stamped, left_out = read(
        SERVICES["SPSE-TenderPengumuman"],
        {"kd_tender": 1, "kd_rup": "60011;NULL", "_event_date": "0000-00-00", "versi_tender": 2**31},
    )
    assert (stamped.kd_rup, stamped.event_date, stamped.versi_tender) == (("60011",), None, None)
    assert left_out.keys() == {"kd_rup", "_event_date", "versi_tender"}


def test_what_a_model_asks_of_its_fields_together_is_asked_of_those_that_can_be_read():
    service = SERVICES["SPSE-NonTenderEkontrak-4BAPBAST"]
    with pytest.raises(RowError, match="no_bap"):
        read(service, {"kd_nontender": 1, "progres_pekerjaan": "??"})


def test_budget_lines_may_be_below_zero_and_repeat():
    service = SERVICES["RUP-PaketAnggaranPenyedia"]
    assert service.keyless
    line, left_out = read(service, {"kd_rup": 60011, "pagu": -1500000})
    assert (line.pagu, left_out) == (-1500000, {})


def test_names_from_before_2023():
    service = SERVICES["SPSE-NonTenderPengumuman"]
    row = {"kd_nontender": 1, "kd_rup_paket": "60011", "anggaran": "APBD", "kategori_pengadaan": "Pengadaan Barang",
           "metode_pengadaan": "Pengadaan Langsung", "nama_status_nontender": "Draft",
           "tanggal_buat_paket": "2021-04-05", "tanggal_pengumuman_nontender": None,
           "lokasi_pekerjaan": "Contoh"}  # fmt: skip
    found = record(service, row)
    assert (found.kd_rup, found.sumber_dana) == (("60011",), ("APBD",))
    assert (found.jenis_pengadaan, found.mtd_pemilihan) == ("Pengadaan Barang", "Pengadaan Langsung")
    assert (found.status_nontender, found.tgl_buat_paket) == ("Draft", "2021-04-05")
    assert not found.model_extra


def test_fields_that_repeat_others_are_ignored_with_a_reason():
    for name, fields in {
        "SPSE-TenderPengumuman": {"kgr_id", "kgr_nama", "max_lls_auditupdate"},
        "SPSE-NonTenderPengumuman": {"lls_id"},
        "SPSE-NonTenderSelesai": {"lls_id", "kontrak_id"},
        "SPSE-PencatatanSwakelolaRealisasi": {"rn_id"},
    }.items():
        assert fields <= SERVICES[name].ignored.keys()
        assert all(SERVICES[name].ignored.values())


@pytest.mark.parametrize(("source", "service"), ALL_SERVICES.values(), ids=ALL_SERVICES)
def test_what_a_service_of_any_source_says_of_its_fields_is_true(source: str, service: Service) -> None:
    names = {field.validation_alias or name for name, field in service.model.model_fields.items()}
    assert service.required | service.optional_key <= names
    assert personal_fields(service) <= names | service.aliases.keys()
    # A list of lines is keyed by its code alone, and by the line's own number where there is one.
    assert not service.keyless or set(service.key[service.code_parts :]) == service.optional_key


def test_both_sources_say_where_each_service_is():
    assert {service.name for service in schemas.sirup.SERVICES} == set(connectors.sirup.ADDRESSES)
    assert {service.name for service in schemas.lpse.SERVICES} == set(connectors.lpse.ADDRESSES)


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
