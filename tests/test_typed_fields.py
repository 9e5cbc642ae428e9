"""Field types for what is typed into a regency's forms: amounts, quantities, percentages, dates, places, addresses."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import fields
from schemas.ocds import Document


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors(include_input=False, include_context=False)[0]["msg"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.500.000,00", 1_500_000),
        ("1.500.000,50", 1_500_000.5),
        ("Rp 1.500.000", 1_500_000),
        ("Rp. 150.000.000,-", 150_000_000),
        ("rp1.500", 1500),
        ("IDR 5", 5),
        ("1500000", 1_500_000),
        ("1500000.0000", 1_500_000),
        ("1500000.5", 1_500_000.5),
        ("1,500,000", 1_500_000),
        ("1,500.25", 1500.25),
        (1500000.0, 1_500_000),
        (7, 7),
        ("0", None),
        ("0,00", None),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_amounts_as_typed(written, meant):
    assert read(fields.AmountOrMissing, written) == meant


@pytest.mark.parametrize("written", ["1,500", "1.50.0", "1.500.00", "sejuta", "-5", "1.000.000.000.000.000", True, [1]])
def test_no_amount(written):
    assert refusal(fields.AmountOrMissing, written)


def test_a_comma_that_can_mean_two_things_is_named():
    assert "thousands or for decimals" in refusal(fields.AmountOrMissing, "1,500")


@given(st.integers(1, 10**15 - 1))
def test_an_amount_is_the_same_however_it_is_grouped(amount):
    grouped = f"{amount:,}"
    dots = grouped.replace(",", ".")
    written = [amount, str(amount), dots, f"Rp {dots},00", f"Rp{dots},-", f"{grouped}.00"]
    assert {read(fields.AmountOrMissing, value) for value in written} == {amount}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.250,5", 1250.5),
        ("1,5", 1.5),
        ("1.5", 1.5),
        ("1.500", 1500),
        ("0.125", 0.125),
        ("200 m", 200),
        ("200 m2", 200),
        ("2,5km", 2.5),
        ("5 orang/hari", 5),
        (3.0, 3),
        (0, None),
        ("", None),
    ],
)
def test_quantities_as_typed(written, meant):
    assert read(fields.QuantityOrMissing, written) == meant
    assert fields.quantity_of(written) == meant


@pytest.mark.parametrize("written", ["2 x 100 m", "dua", "200 m x 2", "-3", "2x100"])
def test_no_quantity(written):
    assert refusal(fields.QuantityOrMissing, written)
    assert fields.quantity_of(written) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("45,5", 45.5),
        ("45.5 %", 45.5),
        ("45%", 45),
        ("45.125", 45.125),
        ("45,125 %", 45.125),
        ("45,50", 45.5),
        ("100", 100),
        ("0,00", 0),
        (0, 0),
        (3, 3),
        (0.455, 0.455),  # never taken for a fraction
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_percentages_as_typed(written, meant):
    assert read(fields.Percent, written) == meant


@pytest.mark.parametrize("written", [100.01, "101", -1, "-0,5", "45,5,5", "45 persen", True, math.inf])
def test_no_percentage(written):
    assert refusal(fields.Percent, written)


def test_a_deviation_may_be_below_zero():
    assert [read(fields.Deviation, value) for value in ("-3,25", "-3.25 %", 2, "-0,00")] == [-3.25, -3.25, 2, 0]
    assert "from -100 to 100" in refusal(fields.Deviation, "-100,5")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("03/10/2025", "2025-10-03"),
        ("3-10-2025", "2025-10-03"),
        ("31.12.2025", "2025-12-31"),
        ("14 Maret 2025", "2025-03-14"),
        ("2025-03-14 00:00:00", "2025-03-14"),
        ("-", None),
        ("", None),
    ],
)
def test_dates_as_typed(written, meant):
    assert read(fields.LocalTime, written) == meant


@pytest.mark.parametrize("written", ["10/14/2025", "31-02-2025", "3/10-2025", "00/10/2025", "1/1/1980"])
def test_no_date(written):
    assert refusal(fields.LocalTime, written)


@pytest.mark.parametrize(
    ("latitude", "longitude", "meant"),
    [
        ("-7,15", "111,88", (-7.15, 111.88)),
        ("-7.15", 111.88, (-7.15, 111.88)),
        ("111,88", "-7,15", (-7.15, 111.88)),
        (" -7.15° ", "111.88°", (-7.15, 111.88)),
        ("-7.15", None, None),
        ("", "", None),
        ("7° 9' S", "111.88", None),
        ("-7.15, 111.88", "", None),
        ("7.15", "111.88", None),  # in the sea, north of Indonesia
        (0, 0, None),
        ("-715", "11188", None),
        ([1], {}, None),
    ],
)
def test_a_place_is_set_right_or_left_out(latitude, longitude, meant):
    assert fields.point(read(fields.Degrees, latitude), read(fields.Degrees, longitude)) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://contoh.example/a.pdf", "https://contoh.example/a.pdf"),
        (" HTTP://contoh.example:8080/KAK Jalan.pdf ", "http://contoh.example:8080/KAK%20Jalan.pdf"),
        ("https://contoh.example/%2F%zz?a=1 2#b#c", "https://contoh.example/%2F%25zz?a=1%202#b%23c"),
        ("https://contoh.example/jal\u00e9n[1].jpg", "https://contoh.example/jal%C3%A9n%5B1%5D.jpg"),
        ("https://contoh.example", "https://contoh.example"),
        ("berkas/a.pdf", None),
        ("ftp://contoh.example/a", None),
        ("javascript:alert(1)", None),
        ("https://nama@contoh.example/a", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses(written, meant):
    assert fields.address(written) == meant


def test_a_row_keeps_its_address_as_written():
    assert read(fields.Url, " https://contoh.example/a b ") == "https://contoh.example/a b"
    assert "http or https address, got text of 8 characters" in refusal(fields.Url, "foto.jpg")
    assert refusal(fields.Url, None)


@given(st.text())
def test_any_address_is_one_that_ocds_takes(path):
    found = fields.address(f"https://contoh.example/{path}")
    if found is not None:
        Document.model_validate({"id": "1", "url": found})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("a.PDF", "application/pdf"),
        ("https://contoh.example/a.b.jpeg?x=1.doc#y.png", "image/jpeg"),
        ("https://contoh.example", None),
        ("a", None),
        ("a.exe", None),
        ("", None),
    ],
)
def test_media_types(name, meant):
    assert fields.media_type(name) == meant


KINDS = (
    fields.AmountOrMissing,
    fields.QuantityOrMissing,
    fields.Percent,
    fields.Deviation,
    fields.LocalTime,
    fields.Degrees,
)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_a_value_is_read_or_refused_and_nothing_else(value):
    faults = set()
    for kind in (*KINDS, fields.Url):
        try:
            read(kind, value)
        except ValidationError as error:
            faults |= {fault["type"] for fault in error.errors()}
    assert faults <= {"value_error"}


@pytest.mark.parametrize("kind", [*KINDS[:5], fields.Url])
def test_a_refusal_never_quotes_the_value(kind):
    assert "3171" not in refusal(kind, "3171 rahasia 3204 x")
