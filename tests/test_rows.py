"""A row's key and content hash: the same by every transport, moved by nothing that is not content."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.registry import SERVICES
from schemas.errors import RowError
from schemas.service import Service
from transforms.rows import DEPTH_LIMIT, KEY_LIMIT, code_text, hash_of, identify, renamed, wire_hash

TENDER = SERVICES["SPSE-TenderPengumuman"][1]
CONTRACT = SERVICES["SPSE-NonTenderEkontrak-2Kontrak"][1]
PLAN = SERVICES["RUP-PaketPenyedia-Terumumkan"][1]
DOCUMENT = SERVICES["Dokumen-Perencanaan"][1]
BUDGET = SERVICES["SIMDA-Anggaran"][1]
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


@pytest.mark.parametrize("code", [None, "", 0, "0", " ", math.nan, "-"])
def test_a_row_without_its_code_is_refused(code: object) -> None:
    with pytest.raises(RowError, match="kd_tender"):
        identify(TENDER, {"kd_tender": code, "pagu": 1})


@pytest.mark.parametrize(
    "code",
    [
        "<script>1",
        "javascript:alert(1)",
        "1 2",
        "1#2",
        "tidak ada",
        "NULL",
        "nan",
        "N/A",
        "1" * 65,
        "/etc",
        "5,95199E+07",
    ],
)
def test_a_code_that_can_be_no_part_of_an_ocid_is_refused(code: str) -> None:
    with pytest.raises(RowError, match="kd_tender"):
        identify(TENDER, {"kd_tender": code})


@pytest.mark.parametrize("service", [TENDER, BUDGET, DOCUMENT])
def test_a_list_or_an_object_is_no_part_of_a_key(service: Service) -> None:
    row: dict[str, object] = dict.fromkeys(service.key, "1")
    for part in service.key:
        with pytest.raises(RowError, match=f"{part}: expected a code, got dict"):
            identify(service, {**row, part: {"a": "3171"}})


def test_marks_that_turn_text_round_are_no_part_of_a_code() -> None:
    assert identify(TENDER, {"kd_tender": "1\u202e2\u2069\x00"}).code == "12"


def test_rows_without_a_key_of_their_own_have_their_code_for_one() -> None:
    line = SERVICES["RUP-PaketAnggaranPenyedia"][1]
    row = {"kd_rup": 60011, "mak": "1.02", "pagu": 5}
    assert identify(line, row).key == identify(line, {**row, "pagu": -5}).key == "60011"
    # INAPROC numbers them.
    assert identify(line, {**row, "id_paket_anggaran_penyedia": 7}).key == "60011|7"


@pytest.mark.parametrize("code", ["NULL", "5,95199E+07", "tidak ada", "1 2", "A1", "320401234567890123", 1.5])
def test_a_row_of_sirup_needs_a_rup_code(code: object) -> None:
    with pytest.raises(RowError, match="kd_rup"):
        identify(PLAN, {"kd_rup": code})


@pytest.mark.parametrize("code", ["MIZ-220101-123456-1", "01K00000000000000000000000", "P-1ABC/2", 90074302000])
def test_codes_of_processes_as_sources_write_them(code: object) -> None:
    assert identify(TENDER, {"kd_tender": code}).code == str(code)


def test_long_parts_of_a_key_stand_in_it_as_a_digest() -> None:
    rows = [{"kode": "1", "url": f"https://contoh.example/{'x' * 3000}{end}"} for end in "ab"]
    first, second = (identify(DOCUMENT, row) for row in rows)
    assert first.key != second.key
    assert len(first.key) < 100
    # What a mapping makes of the record's fields is the same code.
    assert first.code == f"1|{code_text(rows[0]['url'])}"


def test_a_key_that_no_index_holds_is_refused() -> None:
    line = dict.fromkeys(BUDGET.key, "9" * 100)
    with pytest.raises(RowError, match=str(KEY_LIMIT)):
        identify(BUDGET, line)
    with pytest.raises(RowError, match="kd_tender"):
        identify(TENDER, {"kd_tender": "9" * 5120})


def nested(depth: int) -> object:
    value: object = "isi"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def test_a_row_nested_too_deep_is_refused_alone() -> None:
    assert identify(TENDER, {"kd_tender": 1, "daftar": nested(DEPTH_LIMIT)})
    for depth in (DEPTH_LIMIT + 1, 900, 50_000):
        row = {"kd_tender": 1, "daftar": nested(depth)}
        with pytest.raises(RowError, match="deep"):
            identify(TENDER, row)
        # It is kept all the same, under its hash.
        assert hash_of(TENDER, row)
        assert wire_hash(TENDER, row)


def test_of_two_names_of_a_field_the_filled_one_counts() -> None:
    assert renamed(ORDER, {"kd_rup": "1", "rup_code": None}) == {"kd_rup": "1"}
    assert renamed(ORDER, {"kd_rup": "", "rup_code": "2"}) == {"kd_rup": "2"}
    assert renamed(ORDER, {"rup_code": "2", "kd_rup": "1"}) == {"kd_rup": "1"}
    assert renamed(ORDER, {"rup_code": None}) == {"kd_rup": None}


def test_a_row_that_comes_again_as_it_came() -> None:
    row = {"kd_tender": 1, "pagu": 5, "nama_paket": "a", "_event_date": "2025-10-03"}
    again = {"_event_date": "2025-10-04", "nama_paket": "a", "pagu": 5, "kd_tender": 1, "last_update_ref": "x"}
    assert wire_hash(TENDER, row) == wire_hash(TENDER, again)
    assert wire_hash(TENDER, row) != wire_hash(TENDER, {**row, "pagu": 6})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.datetimes()
    | st.text(st.characters(categories=None)),  # halves of a character too
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(categories=None)), VALUES))
def test_any_row_has_a_wire_hash_and_what_has_one_has_one_content(row: dict[str, object]) -> None:
    turned = dict(reversed(row.items()))
    assert wire_hash(TENDER, row) == wire_hash(TENDER, turned)
    assert hash_of(TENDER, renamed(TENDER, row)) == hash_of(TENDER, renamed(TENDER, turned))


@given(
    st.dictionaries(
        st.text(min_size=1), st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
    )
)
def test_any_row_with_a_code_can_be_identified(row: dict[str, object]) -> None:
    row = {**row, "kd_tender": 90000001000}
    assert identify(TENDER, row) == identify(TENDER, dict(reversed(row.items())))
