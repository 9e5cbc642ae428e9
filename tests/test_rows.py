"""A row's key and content hash: the same by every transport, moved by nothing that is not content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.registry import SERVICES
from schemas.errors import RowError
from transforms.rows import identify

TENDER = SERVICES["SPSE-TenderPengumuman"][1]
CONTRACT = SERVICES["SPSE-NonTenderEkontrak-2Kontrak"][1]
ORDER = SERVICES["Ecat-PaketEPurchasingV6"][1]


def test_one_content_in_json_csv_and_workbook() -> None:
    json_row = {
        "kd_tender": 90000001000,
        "pagu": 1500000,
        "hps": 999995334.78,
        "kd_rup": "90000001",
        "ket_diulang": None,
    }
    csv_row = {
        "kd_tender": "90000001000",
        "pagu": "1500000",
        "hps": "999995334.78",
        "kd_rup": "90000001",
        "ket_diulang": "",
    }
    sheet_row = {"kd_tender": 90000001000.0, "pagu": 1500000.0, "hps": 999995334.78, "kd_rup": 90000001.0}
    hashes = {identify(TENDER, row).content_hash for row in (json_row, csv_row, sheet_row)}
    assert len(hashes) == 1
    assert {identify(TENDER, row).key for row in (json_row, csv_row, sheet_row)} == {"90000001000"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"_event_date": "2025-10-03"}, {"_event_date": "2025-10-04"}),
        ({"tanggal_status": "2025-10-02"}, {"tanggal_status": "2025-10-03"}),
        ({"sumber_dana": "APBD;APBDP"}, {"sumber_dana": "APBDP;APBD"}),
        ({"kd_rup": "90000001,90000001"}, {"kd_rup": "90000001"}),
        ({"nama_paket": "a\r\nb"}, {"nama_paket": "a\\r\\nb"}),
        ({"nama_paket": ""}, {"nama_paket": None}),
    ],
)
def test_what_is_no_change(one: dict[str, object], other: dict[str, object]) -> None:
    base = {"kd_tender": 90000001000}
    assert identify(TENDER, base | one).content_hash == identify(TENDER, base | other).content_hash


@pytest.mark.parametrize(
    ("one", "other"),
    [({"pagu": 0}, {"pagu": None}), ({"pagu": 1}, {"pagu": 10}), ({"nama_paket": "a"}, {"nama_paket": "A"})],
)
def test_what_is_a_change(one: dict[str, object], other: dict[str, object]) -> None:
    base = {"kd_tender": 90000001000}
    assert identify(TENDER, base | one).content_hash != identify(TENDER, base | other).content_hash


def test_leading_zeros_and_long_numbers_keep_their_digits() -> None:
    rows = [{"kd_tender": 1, "nip_ppk": value} for value in ("007", "7", 400809767062206515, 400809767062206516)]
    assert len({identify(TENDER, row).content_hash for row in rows}) == 4


def test_a_key_of_several_fields_folds_blanks_only() -> None:
    one = identify(CONTRACT, {"kd_nontender": 9, "no_kontrak": "602.1/09/  KTR ", "versi_addendum": 0})
    other = identify(CONTRACT, {"kd_nontender": "9", "no_kontrak": "602.1/09/ KTR"})
    assert one.key == other.key == "9|602.1/09/ KTR|"
    assert one.code == "9"


def test_inaproc_names_are_the_same_row() -> None:
    isb = {"kd_paket": "00A", "kd_rup": "90000001", "total_harga": 5, "tgl_order": "2025-08-27"}
    inaproc = {"order_id": "00A", "rup_code": "90000001", "total": 5, "order_date": "2025-08-27"}
    assert identify(ORDER, isb) == identify(ORDER, inaproc)


@pytest.mark.parametrize("code", [None, "", 0, "0", " "])
def test_a_row_without_its_code_is_refused(code: object) -> None:
    with pytest.raises(RowError, match="kd_tender"):
        identify(TENDER, {"kd_tender": code, "pagu": 1})


@given(
    st.dictionaries(
        st.text(min_size=1), st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
    )
)
def test_any_row_with_a_code_can_be_identified(row: dict[str, object]) -> None:
    row = {**row, "kd_tender": 90000001000}
    assert identify(TENDER, row) == identify(TENDER, dict(reversed(row.items())))
