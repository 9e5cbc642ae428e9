"""The field types of source records: one value whatever the transport, refusal of what makes no sense."""

import datetime as dt
import math
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import fields
from schemas.service import PARTLY_READ


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    """The message with which the value is refused."""
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors(include_input=False, include_context=False)[0]["msg"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("  Kantor Desa ", "Kantor Desa"),
        ("satu\r\ndua\rtiga", "satu\ndua\ntiga"),
        (r"satu\r\ndua", "satu\ndua"),
        (r"C:\nama", r"C:\nama"),
        ("satu_x000d_\ndua_x000D_tiga", "satu\ndua\ntiga"),
        ("Jalan \u202easeD\u202c \u2066Baru\u2069", "Jalan aseD Baru"),
        ("a\u2028b\x85c\x1b[0m", "a\nb\nc[0m"),
        ("Kab. Contoh\u200b\u200b", "Kab. Contoh"),
        ("\ufeffA\x00B", "AB"),
        ("awal \ud83d akhir", "awal  akhir"),
        ("kolom\tlain", "kolom\tlain"),
        ("\u00a0", None),
        ("", None),
        ("-", "-"),
        (None, None),
        (math.nan, None),
        (17, "17"),
        (17.0, "17"),
        (1.5, "1.5"),
        (True, "true"),
        (123456789012345678, "123456789012345678"),
    ],
)
def test_text(written, meant):
    assert read(fields.Text, written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (90000001, "90000001"),
        (90000001.0, "90000001"),
        ("90000001", "90000001"),
        (" 90000001 ", "90000001"),
        ("90000001.0", "90000001"),
        ("1.02.0", "1.02.0"),
        ("007.0", "007.0"),
        (2**53 + 1, "9007199254740993"),
        (10**19, "10000000000000000000"),
        ("01K00000000000000000000000", "01K00000000000000000000000"),
        (Decimal("7.0"), "7"),
        ("", None),
        (None, None),
        (math.nan, None),
    ],
)
def test_code(written, meant):
    assert read(fields.Code, written) == meant


@pytest.mark.parametrize("written", [True, 1.5, float(2**60), math.inf, ["1"], {"kd": 1}])
def test_no_code(written):
    assert refusal(fields.Code, written)


@pytest.mark.parametrize("written", [None, "", " ", "0", 0, 0.0, "0.0", "-", "\u200b"])
def test_a_row_needs_its_own_code(written):
    assert "no code of its own" in refusal(fields.OwnCode, written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("60012;60011", ("60011", "60012")),
        ("60011,60011,60011", ("60011",)),
        ("APBDP;APBD", ("APBD", "APBDP")),
        ("1.02.03.2.02.0015.5.1.02., 1.02.01.2.10.0001.5.1.", ("1.02.01.2.10.0001.5.1.", "1.02.03.2.02.0015.5.1.02.")),
        (60011, ("60011",)),
        (60011.0, ("60011",)),
        ("60011.0", ("60011",)),
        (["60012", 60011], ("60011", "60012")),
        ("60011;", ("60011",)),
        ("60011;0;-", ("60011",)),
        ("0", ()),
        (0, ()),
        ("-", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_codes(written, meant):
    assert read(fields.Codes, written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("60012;60011", ("60011", "60012")),
        ("60011,60011", ("60011",)),
        ("60012 60011", ("60011", "60012")),
        ("60012\n60011", ("60011", "60012")),
        ("60012\r\n60011", ("60011", "60012")),
        ("60012 / 60011", ("60011", "60012")),
        (60011.0, ("60011",)),
        (["60012", 60011, "60012; 60013"], ("60011", "60012", "60013")),
        ("60011;0;-", ("60011",)),
        ("60\u202e011", ("60011",)),
        ("", ()),
        ("-", ()),
        (None, ()),
        (math.nan, ()),
    ],
)
def test_rup_codes(written, meant):
    assert read(fields.RupCodes, written) == meant


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("NULL", ()),
        ("nan", ()),
        ("5,95199E+07", ()),
        ("5.95199E+07", ()),
        ("tidak ada", ()),
        ("#N/A", ()),
        ("59.519.918", ()),
        ("59,519,918", ()),
        ("000", ()),
        ("-5", ()),
        ("60011; 5,95199E+07", ("60011",)),
        ("RUP 60011", ("60011",)),
        ("60011;320401234567890123", ("60011",)),  # as long as a staff number
        ("<b>60011</b>", ()),
        (60011.5, ()),
        (["60011", "NULL", [1]], ("60011",)),
    ],
)
def test_what_is_no_rup_code_is_left_out_and_seen(written, kept):
    with pytest.raises(ValidationError) as caught:
        read(fields.RupCodes, written)
    (fault,) = caught.value.errors()
    assert fault["type"] == PARTLY_READ
    assert fault["ctx"]["kept"] == kept


@pytest.mark.parametrize("written", ["NULL", "5,95199E+07", "60011;60012", "#N/A", "0", "", None, 60011.5, "6 0"])
def test_a_row_of_sirup_needs_its_own_rup_code(written):
    assert refusal(fields.OwnRupCode, written)


@given(st.text(alphabet="0123456789;,./ E+-\nN", max_size=40))
def test_a_rup_code_is_digits_whatever_stands_there(written):
    try:
        codes = read(fields.RupCodes, written)
    except ValidationError as error:
        codes = error.errors()[0]["ctx"]["kept"]
    assert all(code.isdecimal() and int(code) for code in codes)


@pytest.mark.parametrize("written", ["<script>1</script>", "JavaScript:alert(1)", "data:text/html,1", "1" * 501])
@pytest.mark.parametrize("kind", [fields.Code, fields.OwnCode, fields.Reference, fields.Codes])
def test_markup_and_what_is_too_long_is_no_code(kind, written):
    assert refusal(kind, written)


@given(st.text(st.characters() | st.sampled_from("\u202a\u202e\u2066\u2069\x00\x9b\r")))
def test_nothing_unseen_passes(written):
    text = read(fields.Text, written) or ""
    assert not {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs")} - {"\n", "\t"}
    directions = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not directions & {unicodedata.bidirectional(sign) for sign in text}


def test_long_text_is_cut_and_seen():
    with pytest.raises(ValidationError) as caught:
        read(fields.Text, "x" * 40_000)
    (fault,) = caught.value.errors()
    assert (fault["type"], fault["ctx"]["kept"]) == (PARTLY_READ, "x" * fields.TEXT_LIMIT)


@given(st.lists(st.integers(1, 10**12), max_size=8), st.randoms())
def test_the_order_and_repeats_of_codes_mean_nothing(codes, random):
    again = codes + codes[:2]
    random.shuffle(again)
    assert read(fields.Codes, ";".join(map(str, codes))) == read(fields.Codes, ",".join(map(str, again)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1500000000, 1500000000),
        (1500000000.0, 1500000000),
        ("1500000000.0", 1500000000),
        ("1500000000", 1500000000),
        (362304000.02, 362304000.02),
        ("362304000.02", 362304000.02),
        (Decimal("250000.0000"), 250000),
        (Decimal("250000.2500"), 250000.25),
        (0, 0),
        ("0", 0),
        (" 12 ", 12),
        ("1.234.567,89", 1234567.89),
        ("Rp 1.234.567", 1234567),
        ("Rp. 1.234,-", 1234),
        ("", None),
        ("-", None),
        (None, None),
        (math.nan, None),
        (Decimal("NaN"), None),
        (10**15 - 1, 10**15 - 1),
    ],
)
def test_amount(written, meant):
    amount = read(fields.Amount, written)
    assert amount == meant
    assert type(amount) is type(meant)


@pytest.mark.parametrize("written", [10**15, "1000000000000000", 1e15, -1, "-1", -0.5])
def test_an_amount_beyond_the_limits_names_them(written):
    assert "from 0 to below 1000000000000000" in refusal(fields.Amount, written)


@pytest.mark.parametrize(
    "written", [True, False, math.inf, 9.99e99, Decimal("1E+999999"), "1e9", "1,5E+09", "nihil", "??", "9" * 5000, [1]]
)
def test_no_amount(written):
    assert refusal(fields.Amount, written)


def test_zero_is_missing_only_where_the_source_means_it():
    assert [read(fields.AmountOrMissing, value) for value in (0, "0", 0.0, None, "0.00")] == [None] * 5
    assert read(fields.AmountOrMissing, 1) == 1
    assert "from 0 to below" in refusal(fields.AmountOrMissing, -1)
    assert read(fields.Amount, "0.00") == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [(-5, -5), ("-1.500.000,50", -1500000.5), ("(1.500.000)", -1500000), ("Rp -2.500", -2500), (0, 0), ("", None)],
)
def test_an_amount_that_corrects_another_may_be_below_zero(written, meant):
    assert read(fields.SignedAmount, written) == meant
    assert "within 1000000000000000" in refusal(fields.SignedAmount, -(10**15))


@given(st.integers(0, 10**15 - 1))
def test_an_amount_is_the_same_by_every_transport(amount):
    # JSON gives the number, CSV its text, a data frame's CSV a float's text.
    written = [amount, str(amount), f"{amount}.0", Decimal(amount)] + ([float(amount)] if amount < 2**53 else [])
    assert {read(fields.Amount, value) for value in written} == {amount}


def test_count_and_quantity():
    assert [read(fields.Count, value) for value in (2025, 2025.0, "2025", "", None)] == [2025, 2025, 2025, None, None]
    assert [read(fields.Quantity, value) for value in ("12.5", 12.5, 855000, None)] == [12.5, 12.5, 855000, None]
    assert refusal(fields.Count, 1.5)
    # What 32 bits hold, as the tables do; a year or a version has no thousands.
    assert [read(fields.Count, value) for value in (2**31 - 1, "12.000")] == [2**31 - 1, 12]
    assert refusal(fields.Count, 2**31)
    assert refusal(fields.Count, str(2**63))
    assert refusal(fields.Count, True)
    assert refusal(fields.Quantity, -1)


@pytest.mark.parametrize("written", [True, "true", "True", "Ya", "ya", 1, "1", 1.0, "t"])
def test_yes(written):
    assert read(fields.Flag, written) is True


@pytest.mark.parametrize("written", [False, "false", "False", "Tidak", "tidak", 0, "0", 0.0, "f"])
def test_no(written):
    assert read(fields.Flag, written) is False


def test_neither_yes_nor_no():
    assert read(fields.Flag, "") is None
    assert refusal(fields.Flag, "mungkin")
    assert refusal(fields.Flag, 2)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-10-03", "2025-10-03"),
        ("2025-01-04 22:31:51", "2025-01-04T22:31:51"),
        ("2025-05-28 00:00:00", "2025-05-28"),
        ("2025-02-03T00:00:00.000000Z", "2025-02-03"),
        ("2025-06-24T11:18:32.999000Z", "2025-06-24T11:18:32"),
        ("2025-10-02 15:00:00.000000Z", "2025-10-02T15:00:00"),
        ("2024-01-15T00:00:00Z", "2024-01-15"),
        ("2024-01-05T09:07:06.5Z", "2024-01-05T09:07:06"),
        ("Aug 13, 2025, 12:00:00AM", "2025-08-13"),
        ("Jul 3, 2025, 1:05:09PM", "2025-07-03T13:05:09"),
        ("Jul 3, 2025, 12:05:09PM", "2025-07-03T12:05:09"),
        ("May 7, 2021 12:00:00 AM", "2021-05-07"),
        ("May 7, 2021, 12:00:00\u202fAM", "2021-05-07"),
        ("22 Januari 2019", "2019-01-22"),
        ("1 Agustus 2019", "2019-08-01"),
        ("15-Jan-19", "2019-01-15"),
        ("15-Mei-2019", "2019-05-15"),
        ("31-Des-19", "2019-12-31"),
        ("15 Januari 2025 08:00", "2025-01-15T08:00:00"),
        ("Rabu, 15 Januari 2025 08.30 WIB", "2025-01-15T08:30:00"),
        ("Jum'at, 3 Januari 2025", "2025-01-03"),
        ("15-Jan-98", "1998-01-15"),
        ("15-Jan-49", "2049-01-15"),
        ("03/10/2025", "2025-10-03"),
        ("3/10/25", "2025-10-03"),
        ("1-01-15", "2015-01-01"),
        ("03/10/2025 14:05", "2025-10-03T14:05:00"),
        ("2025/10/03", "2025-10-03"),
        ("2025-01-15T08:00:00+07:00", "2025-01-15T08:00:00"),
        ("2025-01-15 08:00:00.123+00:00", "2025-01-15T08:00:00"),
        ("2025-01-15T08:00:00+0900", "2025-01-15T08:00:00"),
        (dt.datetime(2025, 1, 15, 8, tzinfo=dt.timezone(dt.timedelta(hours=7))), "2025-01-15T08:00:00"),
        (dt.datetime(2025, 1, 1, tzinfo=dt.UTC), "2025-01-01"),
        (45809, "2025-06-01"),
        (45809.5, "2025-06-01T12:00:00"),
        ("45809", "2025-06-01"),
        ("45809,25", "2025-06-01T06:00:00"),
        (math.nan, None),
        ("-", None),
        (dt.datetime(2018, 5, 1), "2018-05-01"),  # noqa: DTZ001
        (dt.datetime(2018, 5, 1, 7, 30, 0, 5), "2018-05-01T07:30:00"),  # noqa: DTZ001
        (dt.date(2018, 5, 1), "2018-05-01"),
        ("", None),
        (None, None),
    ],
)
def test_local_time(written, meant):
    assert read(fields.LocalTime, written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "2025-13-01", "2025-02-30", "2025-01-01 25:00", "1989-12-31", "2101-01-01", "2204-05-01", "0001-01-01",
        "1900-01-01", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "-0001-11-30", "-0001-11-30T00:00:00Z",
        "Januari 2025", "15-Jan-50", "15-Jan-89", "2025-01-01T00:00:00-05:00", "22 Brumaire 2019",
        "Foo 3, 2025, 12:00:00AM", "besok", 2025, "2025", 1735689600, math.inf, 10**20, True,
        dt.datetime(2025, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
    ],
)  # fmt: skip
def test_no_local_time(written):
    assert refusal(fields.LocalTime, written)


@given(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 12, 31, 23, 59, 59)))  # noqa: DTZ001
def test_a_time_is_the_same_in_every_shape(moment):
    moment = moment.replace(microsecond=0)
    shapes = [
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        f"{moment:%b} {moment.day}, {moment:%Y}, {moment:%I:%M:%S%p}",
        moment,
    ]
    assert len({read(fields.LocalTime, shape) for shape in shapes}) == 1
    assert read(fields.LocalTime, read(fields.LocalTime, moment)) == read(fields.LocalTime, moment)


SECRET = "3204 rahasia 3171"


@pytest.mark.parametrize("kind", [fields.Amount, fields.Count, fields.Quantity, fields.Flag, fields.LocalTime])
def test_a_refusal_names_the_shape_and_never_the_value(kind):
    message = refusal(kind, SECRET)
    assert "3204" not in message
    assert "text of 17 characters" in message


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_a_value_is_read_or_refused_and_nothing_else(value):
    kinds = (fields.Text, fields.Code, fields.OwnCode, fields.Codes, fields.Amount, fields.AmountOrMissing)
    more = (fields.RupCode, fields.RupCodes, fields.Reference, fields.SignedAmount)
    faults = set()
    for kind in (*kinds, *more, fields.Count, fields.Quantity, fields.Flag, fields.LocalTime):
        try:
            read(kind, value)
        except ValidationError as error:
            faults |= {fault["type"] for fault in error.errors()}
    # Refused by our own rules, not by an accident inside them.
    assert faults <= {"value_error", PARTLY_READ}
