"""Who may be named, and what of whom may be published."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.parties import (
    is_firm,
    is_organisation,
    is_personal,
    office_party,
    payee_party,
    plain_name,
    scrub,
    supplier_keys,
    supplier_party,
    surrogate,
    tax_numbers,
)

NUMBER = "012345678901234"  # made up: 15 digits


# All made up; the scanner looks for them too.
OF_PERSONS = [
    "123456789012345678",
    "01.234.567.8-901.234",
    "01.234.567.8.901.234",
    "01.234.567.8-901-234",
    "0012 3456 7890 1234",
    "3204012345678901",
    "3522 0112 0378 0004",
    "3522.0112.0378.0004",
    "3522 0152 0378 0004",
    "352201 710378 0004",
    "352201.120378.0004",
    "19700101 199003 1 001",
    "19700101.199003.1.001",
    "19700101-199003-1-001",
    "19700101 1990031001",
    "0812-3456-7890",
    "0812 3456 7890",
    "0812.3456.789",
    "62-812-3456-7890",
    "+62 812 3456 7890",
    "+62 (0)812 3456 7890",
    "(+62) 812-3456-7890",
    "(0812) 3456 7890",
    "(0812)34567890",
    "nama.orang@contoh.go.id",
]
OF_NOBODY = [
    "Rehabilitasi Jalan Desa 2025",
    "5.1.02.01.01.0024",
    "5.1.02.02.01.0047 5.1.02.02.01.0048",
    "3.29.01.1.06.05.5.1.02.01.01.0026",
    "510201010024 510201010025",
    "000.3.2/2247/2025/Dinkes",
    "027-2025-0112-0378",
    "3522-0112-0378-0004",
    "Rp 1.234.567.890",
    "62.812.345.678",
    "1.234.567.890 1.234.567.890.123",
    "90000001000",
    "2021 2022 2023 2024",
    "2019.2020.2021.2022",
    "1234 5678 9012 3456",
    "3522 0132 0378 0004",
    "3522 0112 1378 0004",
    "3522 0100 0378 0004",
    "352201 123456 7890",
    "2222 0112 0378 0004",
    "1234567890 12 11 2025",
    "31-12-2025 10:00:00",
    "19701301.199003.1.001",
    "19700132-199003-1-001",
    "a3522011203780004",
    "9f3522011203780004b7",
    "C202501021234567890",
    "5d0812345678e9",
    "1b4e28ba-2fa1-4123-9123-0812345678ab",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "123 x 0.949289861404550",
]


@pytest.mark.parametrize(
    "text",
    [
        *OF_PERSONS,
        *(f"NIK{value}." for value in OF_PERSONS[:-1]),
        *("NIK 3204012345678901dan lain", "NIP 19700101  199003 1 001"),
        *("kantor (022) 5891234", "(0353) 881-234", "Telp. 0353-881234", "HP.081234567890", "WA: 812 3456 7890"),
        *("Telp/Fax 0353 881234", "hp +62 353 881234", "WA081234567890", "081234567890Fax.0353881234"),
    ],
)
def test_scrub_removes_what_is_personal(text: str) -> None:
    left = scrub(f"kepada {text} lain") or ""
    assert "[…]" in left
    assert sum(map(str.isdigit, left)) < 3
    assert "@" not in left
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        *OF_NOBODY,
        *("Belanja Telp 5.1.02.02.01.0061", "Telp 0.00.01.2.08.0001", "HP 14 inci 2025", "Belanja Telp 1.234.567.890"),
        *("Telp 01-12-2025", "TAWA 812 3456 7890"),
    ],
)
def test_scrub_leaves_what_is_not(text: str) -> None:
    assert scrub(text) == text
    assert not is_personal(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Rehab. Hubungi BUDI REKAAN 43, NIP 9919670101199203, HP 0899000001", "Rehab. Hubungi […], NIP […], HP […]"),
        ("CP: Budi Rekaan (WA 089900000012)", "CP: […] (WA […])"),
        ("Dibayar kepada Rekaan, S.T. 089900000012", "Dibayar kepada […] […]"),
        ("Dibayar kepada CV. REKAAN, NPWP 01.234.567.8-601.000", "Dibayar kepada CV. REKAAN, NPWP […]"),
        ("Hibah kepada Kelompok Tani Rekaan, HP 089900000012", "Hibah kepada Kelompok Tani Rekaan, HP […]"),
        ("Laporan topic Jalan 089900000012", "Laporan topic Jalan […]"),
        ("Hubungi Bagian Umum", "Hubungi Bagian Umum"),
    ],
)
def test_scrub_removes_whose_number_it_is(text: str, left: str) -> None:
    assert scrub(text) == left


def test_scrub_removes_markup() -> None:
    assert scrub("<p>Lingkup&nbsp;kerja &amp; mutu</p>") == "Lingkup kerja & mutu"


@pytest.mark.parametrize(
    "text",
    [
        "<script>a</script>",
        "<<b>script>a<</b>/script>",
        "<img src=x onerror=a",
        "buka JavaScript : alert(1)",
        "javajavascript:script:alert(1)",
        "jalan \u202easeD\u202c \u2066Baru",
        "a\x00b\x1b[0m",
    ],
)
def test_scrub_leaves_nothing_that_runs_or_hides(text: str) -> None:
    found = scrub(text) or ""
    assert not re.search(r"<\w|(?:java|vb)script\s*:|[\u202a-\u202e\u2066-\u2069\x00\x1b]", found)


def test_scrub_leaves_signs_that_are_no_markup() -> None:
    assert scrub("nilai < 50 juta, mutu > K-250") == "nilai < 50 juta, mutu > K-250"
    assert scrub("Sumber data: APBD") == "Sumber data: APBD"


SIGNS = st.sampled_from(
    [
        "CP ",
        "kepada Ana ",
        ", HP ",
        "[…]",
        "<",
        ">",
        "<b>",
        "&",
        "amp;",
        "nbsp;",
        "&#160;",
        "javascript",
        ":",
        "@",
        "a.b",
        "0812",
        "34567",
        "8",
        "3522",
        "0112",
        "352201",
        "3522011203780004",
        "a",
        "Fax.",
        "0.",
        "-",
        ")",
        " ",
        "/",
        "(",
        "+62",
    ]
)


@given(st.text() | st.lists(SIGNS, max_size=20).map("".join))
@example("a@a.b-a@a.b")
@example("081234567890Fax.0353881234Fax.")
@example("0812345678903522011203780004aaa081234567890")
@example("javascriptjavascript::")
@example("javajavascript:script: :")
def test_scrub_is_stable(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "sign",
    ["a", "1", ".", "<", "&", "@", "a.", "0812 ", "(0", "62-", "3522 ", "19700101-", "Telp: ", "javascript ", "cp A "],
)
def test_long_texts_are_scrubbed_whole(sign: str) -> None:
    # Work that grew with the square of the length would not end here.
    found = scrub((sign * 400_000)[:400_000] + " 3204012345678901 nama@contoh.example") or ""
    assert found.endswith("[…] […]")


def test_a_firms_sixteen_digits_are_its_fifteen() -> None:
    assert tax_numbers("01.234.567.8-901.234", "0012345678901234", None, "", "-", "000000000000000") == [NUMBER]
    assert tax_numbers("3204012345678901") == ["3204012345678901"]


@pytest.mark.parametrize(
    ("name", "form", "firm"),
    [
        ("CV. MAJU JAYA", None, True),
        ("PT Karya Bersama", None, True),
        ("Maju Jaya, CV", None, True),
        ("PTERIDA", None, False),
        ("BUDI", "Orang Perseorangan", False),
        ("CV. BUDI", "Konsultan Perseorangan", False),
        ("BUDI", "Perseroan Terbatas (PT) Perorangan", True),
        ("UD. SUMBER REJEKI", None, False),
        (None, None, False),
    ],
)
def test_who_is_a_firm(name: str | None, form: str | None, firm: bool) -> None:
    assert is_firm(name, form) is firm


def test_only_a_firms_tax_number_is_published() -> None:
    firm = supplier_party({}, "77", "CV. MAJU", NUMBER)
    person = supplier_party({}, "78", "BUDI", NUMBER)
    assert firm
    assert firm["id"] == "JEJAK-PENYEDIA-77"
    assert firm["identifier"] == {"scheme": "ID-DJP", "id": NUMBER, "legalName": "CV. MAJU"}
    assert firm["additionalIdentifiers"] == [{"scheme": "JEJAK-PENYEDIA", "id": "77", "legalName": "CV. MAJU"}]
    assert person
    assert person["identifier"] == {"scheme": "JEJAK-PENYEDIA", "id": "78", "legalName": "BUDI"}
    assert "additionalIdentifiers" not in person
    assert NUMBER not in str(person)


def test_persons_who_are_paid_are_one_party_without_names() -> None:
    assert payee_party("Budi Contoh, S.Pd") == payee_party("SITI CONTOH") == {"id": "perorangan", "name": "Perorangan"}
    for organisation in ("CV. MAJU", "Kelompok Tani Contoh", "SDN 1 Contoh", "Dinas Contoh"):
        assert payee_party(organisation) == {"id": surrogate("supplier", organisation), "name": organisation}
    assert payee_party(" - ") is None


def test_a_supplier_is_found_by_number_then_name_else_gets_a_surrogate() -> None:
    known = dict.fromkeys(supplier_keys("CV. MAJU JAYA", [NUMBER]), "77")
    assert supplier_party(known, None, "Toko Lain", NUMBER)["id"] == "JEJAK-PENYEDIA-77"  # type: ignore[index]
    assert supplier_party(known, None, "CV MAJU  JAYA")["id"] == "JEJAK-PENYEDIA-77"  # type: ignore[index]
    stranger = supplier_party(known, None, "Warung Bu Siti")
    assert stranger
    assert str(stranger["id"]).startswith("supplier-")
    assert "identifier" not in stranger
    assert supplier_party(known, None, "WARUNG BU. SITI")["id"] == stranger["id"]  # type: ignore[index]
    assert supplier_party(known, None, None) is None


def test_keys_hold_no_tax_number() -> None:
    assert NUMBER not in str(supplier_keys("CV. MAJU", [NUMBER]))


def test_offices_are_told_apart_by_regency() -> None:
    one = office_party("D171", "1.02.0.00.0.00.02.0000", "DINAS KESEHATAN")
    other = office_party("D107", "1.02.0.00. 0.00.02.0000", "DINAS KESEHATAN")
    assert one
    assert other
    assert one["id"] != other["id"]
    assert other["id"] == "JEJAK-SATKER-D107-1.02.0.00.0.00.02.0000"
    named = office_party("D171", "01", "Dinas Kesehatan")
    assert named
    assert str(named["id"]).startswith("office-")
    assert office_party("D171", None, None) is None


def test_plain_names() -> None:
    assert plain_name(" cv.  Maju-Jaya ") == plain_name("CV MAJU JAYA")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Kelompok Tani Maju", True),
        ("UPTD Puskesmas Ngasem", True),
        ("CV. Maju Jaya", True),
        ("Budi Rekaan, Bendahara Desa Sukareka", False),
        ("NUR REKAAN (PUSKESMAS NGASEM)", False),
        ("Drs. H. Budi, Kepala Dinas PU", False),
        ("Rekaan Hidayah", False),
    ],
)
def test_a_body_is_told_from_who_works_there(name: str, body: bool) -> None:
    assert is_organisation(name) == body
