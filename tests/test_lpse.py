"""What tenders, contracts, recorded purchases and orders of LPSE and the e-catalogue become."""

from typing import Any

import pytest

from tests.states import document, row, rows, state
from transforms import mak
from transforms.lpse import evidence, references
from transforms.mapping import Row

OFFICE = {"kd_klpd": "D999", "kd_satker_str": "1.03.0.00.0.00.03.0000", "nama_satker": "DINAS CONTOH"}
OFFICE_ID = "JEJAK-SATKER-D999-1.03.0.00.0.00.03.0000"
ATTEMPT = {"kd_tender": 7, "tahun_anggaran": 2025, **OFFICE}
WINNER = {"kd_penyedia": 71, "nama_penyedia": "CV MAJU"}


def announced(**more: Any) -> Row:
    fields = {**ATTEMPT, "nama_paket": "Jalan", "status_tender": "Selesai", "mtd_pemilihan": "Tender", "hps": 900}
    return row("SPSE-TenderPengumuman", {**fields, **more})


def contracts(*fields: dict[str, Any], seen: str = "") -> list[Row]:
    return rows("SPSE-TenderEkontrak-2Kontrak", *({**ATTEMPT, **WINNER, **each} for each in fields), seen=seen)


def letter(**more: Any) -> Row:
    fields = {
        **ATTEMPT,
        "nama_penyedia": "CV MAJU",
        "no_sppbj": "1/SPPBJ",
        "tgl_sppbj": "2025-03-01",
        "harga_final": 800,
    }
    return row("SPSE-TenderEkontrak-1SPPBJ", {**fields, **more})


# --- tenders ---------------------------------------------------------------------------------------------------------


def test_a_method_stands_alone_and_its_manner_elsewhere() -> None:
    tender = document([announced(mtd_kualifikasi="Pasca Satu File", kontrak_pembayaran="Lumsum")])["tender"]
    assert tender["procurementMethodDetails"] == "Tender"
    assert tender["submissionMethodDetails"] == "Pasca Satu File"
    assert tender["contractPricing"] == "Lumsum"


def test_an_absent_status_is_absent_and_a_version_tells_a_retender() -> None:
    without = announced(status_tender=None)
    assert "status" not in document([without])["tender"]
    [reference] = references(without.service, without.record)
    assert reference.failed
    [reference] = references("SPSE-TenderPengumuman", announced().record)
    assert not reference.failed


@pytest.mark.parametrize(("rups", "repeated"), [("1", True), ("1;2", None)])
def test_a_plan_is_repeated_where_another_process_has_it(rups: str, repeated: bool | None) -> None:
    known = tuple(("rup", code) for code in rups.split(";"))
    relations = tuple(("planning", f"ocds-000000-rup-{code}") for _, code in known)
    budget = document([announced(kd_rup=rups, pagu=1000)], rups=known, relations=relations)["planning"]["budget"]
    assert budget.get("isRepeated") is repeated
    assert (budget["id"], budget["amount"]["amount"]) == (rups.replace(";", "+"), 1000)
    assert "isRepeated" not in document([announced(kd_rup=rups)], rups=known)["planning"]["budget"]


def test_a_reason_of_closing_is_no_description() -> None:
    tender = document([announced(status_tender="Gagal/Batal", ket_ditutup="Tidak ada penawar")])["tender"]
    assert tender["statusDetails"] == "Gagal/Batal: Tidak ada penawar"
    assert "description" not in tender


def test_stages_have_no_status_and_some_are_periods() -> None:
    def stage(code: int, name: str, start: str, end: str) -> dict[str, Any]:
        return {**ATTEMPT, "kd_akt": code, "nama_tahapan": name, "tgl_awal": start, "tgl_akhir": end}

    stages = rows(
        "SPSE-JadwalTahapanTender",
        stage(1, "Penjelasan dokumen lelang", "2025-02-01 09:00:00", "2025-02-01 10:00:00"),
        stage(2, "Upload Dokumen Penawaran", "2025-02-02 09:00:00", "2025-02-05 10:00:00"),
        stage(3, "Penetapan  pemenang", "2025-02-06 09:00:00", "2025-02-06 10:00:00"),
    )
    tender = document([announced(), *stages])["tender"]
    days = [tender[name]["startDate"][:10] for name in ("enquiryPeriod", "tenderPeriod", "awardPeriod")]
    assert days == ["2025-02-01", "2025-02-02", "2025-02-06"]
    assert {(stage["type"], stage.get("status")) for stage in tender["milestones"]} == {("tenderStage", None)}


def test_bids_have_a_status_and_the_award_its_bid() -> None:
    def bidder(code: int, price: int | None, *, won: int = 0) -> dict[str, Any]:
        return {**ATTEMPT, "kd_peserta": code, "kd_penyedia": code * 10, "nama_penyedia": f"CV {code}",
                "nilai_penawaran": price, "pemenang": won}  # fmt: skip

    winner = {**ATTEMPT, "kd_penyedia": 10, "nama_penyedia": "CV 1", "nilai_negosiasi": 800}
    registered = [bidder(1, 800, won=1), bidder(2, 850), bidder(3, None)]
    found = document([*rows("SPSE-PesertaTender", *registered), row("SPSE-TenderSelesaiNilai", winner), announced()])
    assert [(bid["id"], bid["status"]) for bid in found["bids"]["details"]] == [("1", "valid"), ("2", "valid")]
    assert [award["relatedBid"] for award in found["awards"]] == ["1"]
    found = document(rows("SPSE-PesertaTender", bidder(1, 800)))
    assert [bid["status"] for bid in found["bids"]["details"]] == ["pending"]


# --- contracts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, "", " "])
def test_a_row_without_a_contract_is_none(number: str | None) -> None:
    bare = contracts({"no_kontrak": number, "no_sppbj": None, "status_kontrak": "Kontrak Sedang Berjalan"})
    found = document([announced(), *bare])
    assert "contracts" not in found
    assert "awards" not in found
    # With a letter alone the award is pending.
    found = document([announced(), *contracts({"no_kontrak": number, "no_sppbj": "1/SPPBJ"})])
    assert "contracts" not in found
    [award] = found["awards"]
    assert (award["id"], award["status"], award["number"]) == ("7-71", "pending", "1/SPPBJ")


def test_a_letter_alone_is_a_pending_award() -> None:
    winner = row("SPSE-TenderSelesaiNilai", {**ATTEMPT, **WINNER})
    [award] = document([announced(), letter(), winner])["awards"]
    assert (award["status"], award["number"], award["date"][:10]) == ("pending", "1/SPPBJ", "2025-03-01")
    [award] = document([announced(), letter(), winner, *contracts({"no_kontrak": "2/K"})])["awards"]
    assert award["status"] == "active"


def test_an_ended_contract_is_terminated() -> None:
    [contract] = document(contracts({"no_kontrak": "2/K", "status_kontrak": "Pemutusan Kontrak"}))["contracts"]
    assert (contract["status"], contract["statusDetails"]) == ("terminated", "Pemutusan Kontrak")


def test_a_contract_counts_once_and_an_addendum_replaces_its_value() -> None:
    signed = {"no_kontrak": "2/K", "tgl_kontrak": "2025-03-03", "nilai_kontrak": 1000.5}
    changed = {
        **signed,
        "no_kontrak": " 2 / k ",
        "versi_addendum": 1,
        "nilai_kontrak": 1200,
        "alasan_addendum": "Volume",
    }
    [contract] = document(contracts(signed, signed, changed))["contracts"]
    assert contract["id"] == "7-2/K"
    assert (contract["value"]["amount"], contract["initialValue"]["amount"]) == (1200, 1000.5)
    assert contract["amendments"] == [{"id": "addendum-1", "description": "Addendum 1", "rationale": "Volume"}]
    [agreement] = contract["agreements"]
    assert (agreement["type"], agreement["number"], agreement["date"][:10]) == ("Kontrak", "2/K", "2025-03-03")
    assert "documents" not in contract


def test_what_a_contract_carries_besides() -> None:
    given = {"no_kontrak": "2/K", "no_sppbj": "1/SPPBJ", "nilai_pdn_kontrak": 5, "nilai_umk_kontrak": 0,
             "bentuk_usaha_penyedia": "Perseroan Terbatas (PT)", "alamat_satker": "Jl. Contoh 1"}  # fmt: skip
    guarantee = letter(nilai_jaminan_pelaksanaan=40, masa_berlaku_jaminan=104)
    found = document([announced(), guarantee, *contracts(given)])
    [contract] = found["contracts"]
    assert (contract["localContentValue"]["amount"], contract["microEnterpriseValue"]["amount"]) == (5, 0)
    [held] = contract["guarantees"]
    assert (held["type"], held["value"]["amount"], held["period"]) == ("performance", 40, {"durationInDays": 104})
    parties = {party["id"]: party for party in found["parties"]}
    assert parties["JEJAK-PENYEDIA-71"]["details"] == {"legalForm": "Perseroan Terbatas (PT)"}
    assert parties[OFFICE_ID]["address"] == {"streetAddress": "Jl. Contoh 1"}


def test_a_supplier_has_one_name_however_rows_spell_it() -> None:
    winner = row("SPSE-TenderSelesaiNilai", {**ATTEMPT, "kd_penyedia": 71, "nama_penyedia": "CV. Maju"})
    found = document([announced(), winner, *contracts({"no_kontrak": "2/K", "nama_penyedia": "CV  MAJU"})])
    names = {party["id"]: party["name"] for party in found["parties"]}
    assert {award["suppliers"][0]["name"] for award in found["awards"]} == {names["JEJAK-PENYEDIA-71"]}


def test_what_has_not_come_yet_is_due() -> None:
    signed = contracts({"no_kontrak": "2/K", "tgl_kontrak": "2025-11-01", "status_kontrak": "Kontrak Sedang Berjalan"},
                       seen="2025-10-03")  # fmt: skip
    start = {**ATTEMPT, "no_kontrak": "2/K", "no_spmk_spp": "3", "tgl_spmk_spp": "2025-11-05"}
    found = state([announced(), *signed, row("SPSE-TenderEkontrak-3SPMKSPP", start, seen="2025-10-03")])
    [contract] = found.document["contracts"]
    assert contract["status"] == "pending"
    assert "dateSigned" not in contract
    [milestone] = contract["milestones"]
    assert (milestone["type"], milestone["status"], milestone["number"]) == ("commencement", "scheduled", "3")
    assert milestone["dueDate"] == "2025-11-05T00:00:00+07:00"
    assert {day for *_, day in found.due} == {"2025-11-01", "2025-11-05"}


def test_a_paper_without_the_contracts_number_belongs_to_the_only_contract() -> None:
    handed = row("SPSE-TenderEkontrak-4BAPBAST", {**ATTEMPT, "no_bast": "9", "tgl_bast": "2025-05-05"})
    [contract] = document([handed, *contracts({"no_kontrak": "2/K"})])["contracts"]
    assert [each["code"] for each in contract["implementation"]["milestones"]] == ["BAST"]
    found = document([handed, *contracts({"no_kontrak": "2/K"}, {"no_kontrak": "3/K"})])
    assert not any("implementation" in contract for contract in found["contracts"])


# --- recorded purchases and self-managed work ------------------------------------------------------------------------

RECORDED = {"kd_nontender_pct": 5, "nama_paket": "ATK", "tahun_anggaran": 2025, "mtd_pemilihan": "Pengadaan Langsung",
            "tgl_mulai_paket": "2025-02-01", "tgl_selesai_paket": "2025-02-28",
            "status_nontender_pct_ket": "Paket Selesai", **OFFICE}  # fmt: skip


def recorded(total: float, *payments: dict[str, Any], seen: str = "", **more: Any) -> dict[str, Any]:
    given = ({"kd_nontender_pct": 5, "nama_penyedia": "CV MAJU", **each} for each in payments)
    header = row("SPSE-PencatatanNonTender", {**RECORDED, "total_realisasi": total, **more})
    return document([header, *rows("SPSE-PencatatanNonTenderRealisasi", *given, seen=seen)])


def paid(amount: float, kind: str = "Kwitansi", **more: Any) -> dict[str, Any]:
    return {
        "jenis_realisasi": kind,
        "no_realisasi": "K 1",
        "tgl_realisasi": "2025-02-10",
        "nilai_realisasi": amount,
    } | more


def test_agreements_are_papers_of_the_contract_and_the_rest_is_paid() -> None:
    agreed = paid(900, "Surat Perjanjian", no_realisasi="602/SP", tgl_realisasi="2025-02-03")
    found = recorded(1000, agreed, paid(60), paid(40, "Dokumen Lainnya", no_realisasi="Pak Contoh"))
    [contract] = found["contracts"]
    [agreement] = contract["agreements"]
    assert (agreement["type"], agreement["number"], agreement["value"]["amount"]) == ("Surat Perjanjian", "602/SP", 900)
    assert contract["dateSigned"] == "2025-02-03T00:00:00+07:00"
    assert contract["period"]["endDate"] == "2025-02-28T23:59:59+07:00"
    transactions = contract["implementation"]["transactions"]
    assert sorted((t["type"], t.get("number"), t["value"]["amount"]) for t in transactions) == [
        ("Dokumen Lainnya", None, 40),
        ("Kwitansi", "K 1", 60),
    ]
    assert {t["payer"]["id"] for t in transactions} == {OFFICE_ID}
    assert "Pak Contoh" not in repr(found)


@pytest.mark.parametrize(
    ("total", "rows"),
    [
        (120, [paid(40), paid(40), paid(40)]),
        (40, [paid(40, kd_rup_paket="1"), paid(40, kd_rup_paket="2")]),
        (80, [paid(40, kd_rup_paket="1"), paid(40, kd_rup_paket="2"), paid(40, kd_rup_paket="2")]),
        (80, [paid(40, nama_penyedia="CV SATU"), paid(40, nama_penyedia="CV DUA")]),
        (80.4, [paid(40.2), paid(40.2)]),
    ],
)
def test_payments_count_as_often_as_they_stand_but_once_for_all_plans(total: float, rows: list[dict[str, Any]]) -> None:
    for order in (rows, rows[::-1]):
        [contract] = recorded(total, *order)["contracts"]
        transactions = contract["implementation"]["transactions"]
        assert sum(t["value"]["amount"] for t in transactions) == total
        assert len({t["id"] for t in transactions}) == len(transactions)


def test_rows_that_do_not_sum_to_the_total_stay_as_they_are() -> None:
    [contract] = recorded(500, paid(40), paid(40))["contracts"]
    assert [t["value"]["amount"] for t in contract["implementation"]["transactions"]] == [40, 40]


def test_payments_of_a_cancelled_record_are_those_of_no_live_contract() -> None:
    found = recorded(40, paid(40), status_nontender_pct_ket="Paket Dibatalkan", alasan_pembatalan="Ganda")
    [contract] = found["contracts"]
    assert (contract["status"], contract["statusDetails"]) == ("cancelled", "Paket Dibatalkan: Ganda")
    assert [t["value"]["amount"] for t in contract["implementation"]["transactions"]] == [40]
    assert {award["status"] for award in found["awards"]} == {"cancelled"}


def test_a_payment_to_come_is_due() -> None:
    [contract] = recorded(40, paid(40, tgl_realisasi="2025-12-31"), seen="2025-10-03")["contracts"]
    assert "transactions" not in contract["implementation"]
    [due] = contract["implementation"]["milestones"]
    assert (due["status"], due["dueDate"][:10], due["value"]["amount"]) == ("scheduled", "2025-12-31", 40)


def test_self_managed_work_has_no_award_but_payer_and_payee() -> None:
    header = {"kd_swakelola_pct": 6, "nama_paket": "Sosialisasi", "total_realisasi": 60, "tahun_anggaran": 2025,
              "status_swakelola_pct_ket": "Paket Selesai", **OFFICE}  # fmt: skip
    payees = ("Dinas  Contoh", "Budi Contoh, S.Pd", "CV MAJU")
    payments = [paid(20, nama_pelaksana=name, no_realisasi=str(n)) for n, name in enumerate(payees)]
    given = rows("SPSE-PencatatanSwakelolaRealisasi", *({"kd_swakelola_pct": 6, **each} for each in payments))
    found = document([row("SPSE-PencatatanSwakelola", header), *given])
    assert found["tender"]["procurementMethodDetails"] == "Swakelola"
    plan = {"kd_rup": 5, "nama_paket": "Sosialisasi", "pagu": 60, "tahun_anggaran": 2025, "tipe_swakelola": 1, **OFFICE}
    planned = document([row("RUP-PaketSwakelola-Terumumkan", plan), row("SPSE-PencatatanSwakelola", header)])
    assert planned["tender"]["procurementMethodDetails"] == "Swakelola tipe 1"
    assert "awards" not in found
    [contract] = found["contracts"]
    assert contract["awardID"] == contract["id"] == "swakelola-6"
    transactions = contract["implementation"]["transactions"]
    assert {t["payer"]["id"] for t in transactions} == {OFFICE_ID}
    assert {t["payee"]["id"] for t in transactions} >= {OFFICE_ID, "perorangan"}
    assert "Budi" not in repr(found)


def test_a_person_who_is_paid_for_self_managed_work_is_not_named_though_known_as_a_supplier() -> None:
    header = {"kd_swakelola_pct": 6, "nama_paket": "Sosialisasi", "total_realisasi": 60, "tahun_anggaran": 2025,
              "status_swakelola_pct_ket": "Paket Selesai", **OFFICE}  # fmt: skip
    person, firm = "Budi Contoh, S.Pd", "CV MAJU"
    suppliers = {("name", "BUDI CONTOH S PD"): "72", ("name", "CV MAJU"): "71"}
    entries = [
        paid(20, nama_pelaksana=person),
        paid(20, "Surat Perjanjian", nama_pelaksana=person, no_realisasi="602/SP"),
        paid(20, nama_pelaksana=firm),
    ]
    given = rows("SPSE-PencatatanSwakelolaRealisasi", *({"kd_swakelola_pct": 6, **each} for each in entries))
    found = document([row("SPSE-PencatatanSwakelola", header), *given], suppliers=suppliers)
    [contract] = found["contracts"]
    payees = [each["payee"]["id"] for each in (*contract["agreements"], *contract["implementation"]["transactions"])]
    assert sorted(payees) == ["JEJAK-PENYEDIA-71", "perorangan", "perorangan"]
    assert "budi" not in repr(found).lower()
    assert "JEJAK-PENYEDIA-72" not in repr(found)


def test_an_agreement_of_self_managed_work_names_its_other_party() -> None:
    header = {"kd_swakelola_pct": 6, "nama_paket": "Sosialisasi", "total_realisasi": 60, "tahun_anggaran": 2025,
              "status_swakelola_pct_ket": "Paket Selesai", **OFFICE}  # fmt: skip
    agreed = paid(60, "Surat Perjanjian", nama_pelaksana="CV MAJU", no_realisasi="602/SP")
    given = row("SPSE-PencatatanSwakelolaRealisasi", {"kd_swakelola_pct": 6, **agreed})
    found = document([row("SPSE-PencatatanSwakelola", header), given])
    [agreement] = found["contracts"][0]["agreements"]
    assert agreement["payee"]["name"] == "CV MAJU"
    assert [party["roles"] for party in found["parties"] if party["id"] == agreement["payee"]["id"]] == [["payee"]]


def test_payments_whose_record_is_gone_are_of_a_contract_that_stands() -> None:
    payment = {"kd_swakelola_pct": 6, **paid(20, nama_pelaksana="CV MAJU"), **OFFICE}
    [contract] = document([row("SPSE-PencatatanSwakelolaRealisasi", payment)])["contracts"]
    assert contract["status"] == "active"


# --- orders ----------------------------------------------------------------------------------------------------------

ORDER = {"kd_paket": "01K", "rup_nama_pkt": "ATK", "status_pkt": "ON_PROCESS", "status_pengiriman": "PROCESSING",
         "tgl_order": "2025-08-27", "total_harga": 100, "product_ids": "p1,p2", "jml_produk": 7,
         "mak": "5.03.01.2.06.0005.5.1.02.01.01.0024.1", "kd_penyedia_sikap": 71, "tahun_anggaran": 2025,
         **OFFICE}  # fmt: skip


def test_an_order_has_a_date_products_and_a_category() -> None:
    found = document([row("Ecat-PaketEPurchasingV6", ORDER)], suppliers={("code", "71"): "CV MAJU"})
    [contract] = found["contracts"]
    assert (contract["status"], contract["dateSigned"]) == ("active", "2025-08-27T00:00:00+07:00")
    assert [item["id"] for item in contract["items"]] == ["p1", "p2"]
    assert contract["items"][0]["classification"] == {"scheme": "JEJAK-REKENING", "id": "5.1.02.01.01.0024"}
    assert found["tender"]["mainProcurementCategory"] == "goods"
    assert found["awards"][0]["suppliers"] == [{"id": "JEJAK-PENYEDIA-71", "name": "CV MAJU"}]
    assert [m["status"] for m in contract["implementation"]["milestones"]] == ["scheduled"]


def test_a_delivered_order_has_come_to_its_end() -> None:
    [contract] = document([row("Ecat-PaketEPurchasingV6", {**ORDER, "status_pengiriman": "COMPLETED"})])["contracts"]
    assert contract["status"] == "terminated"


def test_an_order_by_mini_competition_is_one_in_words() -> None:
    for flag, words in (("Ya", "E-Purchasing (mini kompetisi)"), ("Tidak", "E-Purchasing"), (None, "E-Purchasing")):
        tender = document([row("Ecat-PaketEPurchasingV6", {**ORDER, "flag_minikom": flag})])["tender"]
        assert (tender["procurementMethod"], tender["procurementMethodDetails"]) == ("direct", words)


def test_a_column_that_a_list_does_not_know_is_no_field_of_another_list() -> None:
    order = row("Ecat-PaketEPurchasingV6", {**ORDER, "pagu": "lihat lampiran"})
    assert "amount" not in document([order])["planning"]["budget"]


def products(*fields: dict[str, Any], kinds: int = 1) -> list[Row]:
    order = {"kd_paket": 8, "nama_paket": "Laptop", "jml_jenis_produk": kinds, "paket_status_str": "Paket Proses",
             "tanggal_buat_paket": "2022-03-01", "kode_anggaran": "5.2.02.10.01.0002", **OFFICE}  # fmt: skip
    return rows("Ecat-PaketEPurchasing", *({**order, **each} for each in fields))


def product(code: int, amount: float, quantity: int = 1) -> dict[str, Any]:
    return {"kd_produk": code, "kuantitas": quantity, "harga_satuan": amount / quantity, "total_harga": amount}


def test_an_order_of_v5_is_the_sum_of_its_rows_equal_ones_included() -> None:
    [contract] = document(products(product(1, 10), product(1, 10), product(2, 30, 3), kinds=3))["contracts"]
    assert contract["value"]["amount"] == 50
    assert [(item["id"], item["quantity"]) for item in contract["items"]] == [("1", 2), ("2", 3)]


def test_e_catalogue_v5_numbers_its_suppliers_itself() -> None:
    given = products({**product(1, 10), "kd_penyedia": 71})
    [award] = document(given, suppliers={("code", "71"): "CV MAJU"})["awards"]
    assert award["suppliers"] == [{"id": "JEJAK-PENYEDIA-ecat.71"}]
    [known] = evidence("Ecat-PaketEPurchasing", given[0].record)
    assert known.supplier_codes == ("ecat.71",)


def test_an_order_whose_rows_all_stand_twice_counts_once() -> None:
    twice = [product(1, 10), product(2, 30)] * 2
    [contract] = document(products(*twice, kinds=2))["contracts"]
    assert contract["value"]["amount"] == 40
    assert [item["quantity"] for item in contract["items"]] == [1, 1]


def test_the_lines_of_an_online_order_at_one_time_are_summed() -> None:
    order = {"order_id": "A1", "order_desc": "Nasi", "status_verif": "verified", "merchant_name": "Warung", **OFFICE}
    first, again = "2022-03-01 10:00:00", "2022-04-01 10:00:00"
    given = [(first, 10), (first, 10), (first, 5), (again, 10), (again, 10), (again, 5)]
    lines = rows(
        "Bela-TokoDaringRealisasi", *({**order, "tanggal_transaksi": time, "valuasi": value} for time, value in given)
    )
    [award] = document(lines)["awards"]
    assert (award["value"]["amount"], award["date"][:10]) == (25, "2022-03-01")


def test_an_online_order_is_of_the_office_that_sirup_has_the_number_of() -> None:
    order = {"order_id": "A1", "kd_klpd": "D999", "kd_satker": "60442", "nama_satker": "DINAS CONTOH", "valuasi": 10}
    numbers = {("office", "2022-60442"): OFFICE["kd_satker_str"]}
    # Lists of 2022 have no fiscal year.
    for year in ({"tahun": 2022}, {"tanggal_transaksi": "2022-03-01 10:00:00"}):
        line = row("Bela-TokoDaringRealisasi", {**order, **year})
        assert document([line], suppliers=numbers)["buyer"]["id"] == OFFICE_ID
    unknown = state([row("Bela-TokoDaringRealisasi", {**order, "tahun": 2023})], suppliers=numbers)
    assert unknown.document["buyer"]["id"].startswith("office-")
    assert ("office", "2023-60442") in unknown.supplier_lookups


# --- accounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "account"),
    [
        ("1.03.10.2.01.0005.5.2.04.01.01.0003.", "5.2.04.01.01.0003"),
        ("1.3.10.2.1.5.5.2.4.1.1.3", "5.2.04.01.01.0003"),
        ("5.03.01.2.06.0005.5.1.02.01.01.0024.1.1.1", "5.1.02.01.01.0024"),
        ("5.1.02.02.01.0063", "5.1.02.02.01.0063"),
        ("5.03.01.2.06.0005", None),
        ("0.30.12.0.60.0055.1.0.20.10.10.0251", None),
        ("WA.6621.EBA.994.002.0F.521111", None),
        ("-", None),
        (None, None),
    ],
)
def test_the_account_of_a_budget_code(code: str | None, account: str | None) -> None:
    assert mak.account(code) == account
