"""Linking by rules: how clerks vary what they write, and what a link must not be taken in by."""

import random
from dataclasses import replace

import pytest

import schemas.lpse
import schemas.sirup
from transforms import lpse, sirup
from transforms.evidence import Evidence, Link, from_text, to_text, united
from transforms.linking import RULES, links, packages
from transforms.linking.numbers import letter_level, number_level, number_parts
from transforms.linking.offices import office_code, office_reference, offices
from transforms.linking.rules import step
from transforms.linking.suppliers import firm, supplier_level
from transforms.linking.text import words

SYSTEMS = {
    "anggaran": "simda",
    "kontrak": "simda",
    "usulan": "musrenbang",
    "pokir": "musrenbang",
    "pekerjaan": "simpen",
}
ROADS = ("9.03.0.00.0.00.01.0000", "DINAS PEKERJAAN UMUM BINA MARGA DAN PENATAAN RUANG")
HEALTH = ("9.02.0.00.0.00.02.0000", "DINAS KESEHATAN")
WATER = ("9.03.0.00.0.00.03.0000", "DINAS PEKERJAAN UMUM SUMBER DAYA AIR")
OFFICES = [Evidence(("office", code), None, code, name) for code, name in (ROADS, HEALTH, WATER)]

AWARD = Evidence(
    ("nontender", "9000000001"),
    2025,
    *ROADS,
    rups=(("rup", "90000001"),),
    numbers=("602.1/03/SPK/RTS.10/DPU/VIII/2025",),
    suppliers=("CV. Maju Jaya",),
    amounts=(187_345_600.0,),
    dates=("2025-08-14",),
    titles=("Rehabilitasi Jalan Desa Contoh Kecamatan Misal",),
)
# Another contract of the same office and supplier.
OTHER = replace(
    AWARD,
    subject=("nontender", "9000000002"),
    rups=(("rup", "90000002"),),
    numbers=("602.1/17/SPK/TPT.4/DPU/III/2025",),
    amounts=(94_120_000.0,),
    dates=("2025-03-03",),
    titles=("Pembangunan TPT Jalan Umpama",),
)
PAID = Evidence(
    ("kontrak", "2025|602.1/03/SPK/RTS.10/DPU/VIII/2025"),
    2025,
    "9.3.1.1",
    "Dinas PU Bina Marga & Penataan Ruang",
    numbers=AWARD.numbers,
    suppliers=("MAJU JAYA",),
    amounts=AWARD.amounts,
    dates=AWARD.dates,
    titles=("Rehab. Jl. Ds. Contoh",),
)
ROAD_PLAN = Evidence(
    ("rup", "90000001"),
    2025,
    *ROADS,
    maks=("9.3.10.2.1.33.5.2.4.1.1.3",),
    amounts=(200_000_000.0,),
    titles=("Peningkatan Jalan Gang Melati RT 02 RW 05 Desa Contoh Kec. Misal",),
)
PROPOSED = Evidence(
    ("usulan", "98000001"),
    2025,
    None,
    "Dinas PU Bina Marga dan Penataan Ruang",
    amounts=(180_000_000.0,),
    titles=("peningk. jln. Gg. Melati RT.2/RW.5",),
    villages=("Contoh",),
    districts=("Misal",),
)


SIRUP = {service.name: service for service in schemas.sirup.SERVICES}
LPSE = {service.name: service for service in schemas.lpse.SERVICES}


def found(rule: str, *subjects: Evidence, decided: dict | None = None) -> list[Link]:
    return [link for link in links([*OFFICES, *subjects], SYSTEMS, decided=decided) if link.rule == rule]


def sure(rule: str, *subjects: Evidence, decided: dict | None = None) -> set[tuple[str, str]]:
    """(code, code) of what links by itself."""
    return {
        (link.source[1], link.target[1])
        for link in found(rule, *subjects, decided=decided)
        if link.confidence >= RULES[rule].accept
    }


# --- words, numbers, names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("027/03/SPK/VIII/2025", "027/ 3 /spk/08/2025", "same"),
        ("PA.02.02/1610 - BidSMP", "pa.2.2/1610-bidsmp", "same"),
        ("O27/03/SPK/2025", "027/03/SPK/2025", "same"),
        ("602.1/03/SPK/RTS.10/DPU/2025", "03/SPK/RTS.10/DPU/2025", "part"),
        ("602.1/03/SPK/RTS.10/DPU/2025", "602.1/03/SPK/RTS.10", "part"),
        ("027/15/SPPBJ/Disnaker/2025", "027/15/SPBBJ/Disnaker/2025", "near"),
        ("602.1/03/SPK/RTS.10/DPU/2025", "602.1/04/SPK/RTS.10/DPU/2025", "other"),
        ("SPK/2025", "KTR/2025", "other"),
    ],
)
def test_numbers(one: str, other: str, level: str) -> None:
    assert number_level(number_parts(one), number_parts(other)) == level
    assert number_level(number_parts(other), number_parts(one)) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("CV. Maju  Jaya", "MAJU JAYA, CV", "same"),
        ("C.V. MAJU JAYA", "PT Maju Jaya", "same"),
        ("CV. M. JAYA", "MAJU JAYA", "short"),
        ("CV KRY UTAMA", "CV KARYA UTAMA", "short"),
        ("CV MAJO JAYA", "CV MAJU JAYA", "near"),
        ("PT MAJU JAYA", "PT MAJU JAYA ABADI", "part"),
        ("CV MAJU JAYA", "CV SUMBER REJEKI", "other"),
    ],
)
def test_suppliers(one: str, other: str, level: str) -> None:
    assert supplier_level(firm(one), firm(other)) == level
    assert supplier_level(firm(other), firm(one)) == level


@pytest.mark.parametrize(
    ("letter", "level"),
    [
        ("000.3/46/SPPBJ/DPU/2025", "same"),
        ("000.3/45/SPPBJ/DPU/2025", "next"),
        ("000.3/40/SPPBJ/DPU/2025", "near"),
        ("000.3/46/SPPBJ/DPU/VIII/2025", "near"),
        ("000.3/47/SPPBJ/DPU/2025", "other"),
        ("000.9/12/SPPBJ/DPU/2025", "other"),
    ],
)
def test_numbers_of_letters(letter: str, level: str) -> None:
    assert letter_level(number_parts("000.3/46/SPK/DPU/2025"), number_parts(letter)) == level


def test_twin_contracts_are_told_apart_by_their_letters() -> None:
    """Two contracts of one supplier, day and amount: the number of each runs beside that of its own letter."""
    twins = [
        replace(
            AWARD, subject=("nontender", code), rups=(), numbers=(), titles=(), letters=(f"000.3/{code}/SPPBJ/2025",)
        )
        for code in ("46", "52")
    ]
    paid = replace(PAID, numbers=("000.3/52/SPK/2025",), titles=())
    assert sure("contract-payment", paid, *twins) == {(paid.subject[1], "52")}
    assert not sure("contract-payment", replace(paid, numbers=()), *twins)


def test_an_amount_that_is_near_is_less_than_the_same() -> None:
    near = replace(
        OTHER, suppliers=AWARD.suppliers, dates=AWARD.dates, amounts=(AWARD.amounts[0] - 17_000,), numbers=()
    )
    same = replace(AWARD, numbers=(), titles=())
    paid = replace(PAID, numbers=(), titles=())
    assert sure("contract-payment", paid, same, replace(near, titles=())) == {(paid.subject[1], same.subject[1])}


def test_steps() -> None:
    steps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48]
    assert [step(count) for count in steps] == steps
    assert [step(count) for count in (0, 5, 7, 11, 31, 47)] == [0, 4, 6, 8, 24, 32]


def test_words() -> None:
    assert words("Rehab. Jl. Lingkungan (paving blok) RT.02/RW 5", "work") == words(
        "PERBAIKAN JALAN LINGKUNGAN PAVINGISASI rt 2 rw 05", "work"
    )
    assert words("peningk. drainase", "work") == words("Peningkatan Saluran Air", "work")


# --- offices --------------------------------------------------------------------------------------------------------


def test_an_office_is_known_by_its_code_however_padded() -> None:
    assert office_code("9.03.0.00.0.00.01.0000") == office_code(" 9. 3.0.0.0.0.1") == "9.3.0.0.0.0.1"
    assert office_code("12345") is None


@pytest.mark.parametrize(
    ("code", "name", "office"),
    [
        ("9.3.0.0.0.0.1", None, ROADS[0]),
        ("9.3.1.1", "DIN. PU BINA MARGA & PENATAAN RUANG", ROADS[0]),
        (None, "Dinas Kesehatan (UPTD Contoh)", HEALTH[0]),
        (None, "Dinkes Kab. Rekaan", HEALTH[0]),
        (None, "DPUSDA", WATER[0]),
        (None, "Dinas Pekerjaan Umum", None),  # two are
        (None, "Badan Rekaan", None),
    ],
)
def test_offices(code: str | None, name: str | None, office: str | None) -> None:
    subject = replace(PAID, office=code, office_name=name)
    known, shown = offices(dict.fromkeys(map(office_reference, [*OFFICES, subject]), 1), SYSTEMS, {})
    assert known.of(office_reference(subject)) == office
    assert [link.target[1] for link in shown] == ([office] if office else [])
    assert all(link.source == ("simda", code or name) for link in shown)


# --- contracts ------------------------------------------------------------------------------------------------------

HIT = {(PAID.subject[1], AWARD.subject[1])}


@pytest.mark.parametrize(
    "spelled",
    [
        {},
        {"numbers": ("03/SPK/RTS.10/DPU/8/2025",), "amounts": ()},
        {"numbers": (), "dates": ()},
        {"numbers": ("6021/03/SPK/RTS10/DPU/VIII/2025",), "suppliers": (), "titles": ()},
        {"numbers": (), "suppliers": ("CV M. JAYA",)},
        {"numbers": (), "amounts": (187_345_000.0,)},
        {"amounts": (203_000_000.0,), "suppliers": (), "titles": ()},
        {"numbers": ("999/77/KTR/2024",)},
    ],
)
def test_a_payment_finds_its_contract(spelled: dict) -> None:
    assert sure("contract-payment", AWARD, OTHER, replace(PAID, **spelled)) == HIT


def test_a_wrong_number_that_is_anothers_does_not_link_by_itself() -> None:
    """Number of one contract, all else of another."""
    assert sure("contract-payment", AWARD, OTHER, replace(PAID, numbers=OTHER.numbers)) == HIT
    stranger = replace(
        PAID,
        suppliers=("PT LAIN SEKALI",),
        amounts=(12_000_000.0,),
        dates=("2025-01-10",),
        titles=("Belanja Makanan dan Minuman",),
    )
    assert not sure("contract-payment", AWARD, OTHER, stranger)


def test_what_cannot_be_told_apart_waits() -> None:
    twin = replace(AWARD, subject=("nontender", "9000000003"))
    shown = found("contract-payment", AWARD, twin, PAID)
    assert {link.target for link in shown} == {AWARD.subject, twin.subject}
    assert all(0.4 < link.confidence < 0.6 for link in shown)


def test_a_target_that_another_claims_better_is_not_taken_twice() -> None:
    """The contract of the second payment is not there; the only one left is paid already."""
    late = replace(
        PAID, subject=("kontrak", "2025|x"), numbers=(), dates=("2025-08-30",), titles=(), amounts=(187_000_000.0,)
    )
    assert sure("contract-payment", AWARD, PAID, late) == HIT


def test_an_operator_decides() -> None:
    pair = ("contract-payment", PAID.subject, AWARD.subject)
    assert not found("contract-payment", AWARD, PAID, decided={pair: False})
    wrong = ("contract-payment", PAID.subject, OTHER.subject)
    [link] = found("contract-payment", AWARD, OTHER, PAID, decided={wrong: True})
    assert (link.target, link.confidence) == (OTHER.subject, 1.0)
    twin = replace(AWARD, subject=("nontender", "9000000003"))
    assert sure("contract-payment", AWARD, twin, PAID, decided={pair: False}) == {(PAID.subject[1], twin.subject[1])}


def test_a_report_is_led_by_its_plan_and_told_apart_by_the_rest() -> None:
    job = Evidence(("pekerjaan", "J-1"), 2025, None, ROADS[1], rups=AWARD.rups, titles=AWARD.titles)
    assert sure("contract-report", AWARD, OTHER, job) == {("J-1", AWARD.subject[1])}
    failed = replace(AWARD, subject=("nontender", "9000000004"), numbers=(), suppliers=(), amounts=(), dates=())
    failed = replace(failed, status="unsuccessful")
    assert sure("contract-report", AWARD, failed, job) == {("J-1", AWARD.subject[1])}


# --- plans ----------------------------------------------------------------------------------------------------------


def test_a_budget_line_pays_for_the_plans_of_its_office_that_carry_its_code() -> None:
    line = Evidence(("anggaran", "2025|9|3"), 2025, *ROADS, maks=ROAD_PLAN.maks)
    sibling = replace(ROAD_PLAN, subject=("swk", "90000009"))
    elsewhere = replace(ROAD_PLAN, subject=("rup", "90000008"), office=HEALTH[0], office_name=HEALTH[1])
    assert sure("budget-package", line, ROAD_PLAN, sibling, elsewhere) == {
        (line.subject[1], ROAD_PLAN.subject[1]),
        (line.subject[1], sibling.subject[1]),
    }
    # The plan's own budget rows did not come, but a purchase that names it alone tells them.
    bought = replace(AWARD, maks=ROAD_PLAN.maks)
    assert sure("budget-package", line, replace(ROAD_PLAN, maks=()), bought) == {(line.subject[1], "90000001")}


def test_a_document_goes_with_the_plan_that_it_names_before_and_after_a_revision() -> None:
    paper = Evidence(("dokumen", "90000000|u"), 2025, rups=(("rup", "90000000"), ("swk", "90000000")))
    older = {("rup", "90000001"): ("rup", "90000000")}
    shown = links([*OFFICES, ROAD_PLAN, paper], SYSTEMS, older=older)
    assert [(link.rule, link.target) for link in shown] == [("document-package", ROAD_PLAN.subject)]
    by_mak = Evidence(("dokumen", "9.3|u"), 2025, maks=ROAD_PLAN.maks)
    assert sure("document-package", ROAD_PLAN, by_mak) == {("9.3|u", "90000001")}


# Fifty plans of the village's office and of others, so that words and places are as common as they are.
CROWD = [
    replace(
        ROAD_PLAN,
        subject=("rup", str(90001000 + number)),
        amounts=(1e6 * (60 + number),),
        titles=(f"{work} RT 0{number % 7 + 1} RW 11 Desa Lain{'abcdefghij'[number % 10]} Kec. Misal",),
    )
    for number in range(50)
    for work in [("Peningkatan Jalan", "Pembangunan Drainase", "Rehabilitasi Balai Desa")[number % 3]]
]
OUTCOME = {(PROPOSED.subject[1], ROAD_PLAN.subject[1])}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"titles": ("Mohon dibangun jalan Gang Melati", "Gang Melati RT 02 RW 05")},
        {"villages": ("Contho",)},
        {"office_name": "Dinas Kesehatan"},  # it was proposed to another office
        {"amounts": (90_000_000.0,)},
    ],
)
def test_a_proposal_finds_its_plan(changes: dict) -> None:
    assert sure("proposal-package", ROAD_PLAN, *CROWD, replace(PROPOSED, **changes)) == OUTCOME


@pytest.mark.parametrize(
    "title",
    [
        "Peningkatan Jalan Gang Melati RT 02 RW 05 Desa Laina Kec. Misal",
        "Peningkatan Jalan Gang Kenanga RT 04 RW 01 Desa Contoh Kec. Misal",
        "Rehabilitasi Balai Desa Contoh Kec. Misal",
        "Pengawasan Peningkatan Jalan Desa Contoh",
    ],
)
def test_a_proposal_does_not_become_what_is_elsewhere_or_other(title: str) -> None:
    assert not sure("proposal-package", replace(ROAD_PLAN, titles=(title,)), *CROWD, PROPOSED)


def test_proposals_are_split_and_merged() -> None:
    stages = [
        replace(ROAD_PLAN, subject=("rup", f"9000010{stage}"), titles=(f"{ROAD_PLAN.titles[0]} Tahap {stage}",))
        for stage in (1, 2)
    ]
    assert sure("proposal-package", *stages, *CROWD, PROPOSED) == {("98000001", "90000101"), ("98000001", "90000102")}
    merged = replace(ROAD_PLAN, titles=("Peningkatan Jalan Gang Melati Desa Contoh dan Gang Anggrek Desa Umpama",))
    second = replace(
        PROPOSED, subject=("usulan", "98000002"), villages=("Umpama",), titles=("Peningkatan Jalan Gang Anggrek",)
    )
    first = replace(PROPOSED, titles=("Peningkatan Jalan Gang Melati",))
    assert sure("proposal-package", merged, *CROWD, first, second) == {
        ("98000001", "90000001"),
        ("98000002", "90000001"),
    }


def test_a_purchase_without_a_plan_is_proposed_one() -> None:
    unnamed = replace(AWARD, rups=(), titles=ROAD_PLAN.titles, maks=ROAD_PLAN.maks)
    [link] = packages([unnamed], [ROAD_PLAN, *CROWD])
    assert link.target == ROAD_PLAN.subject
    assert 0.9 < link.confidence < RULES["rup-package"].accept
    named = packages([AWARD], [ROAD_PLAN, *CROWD])
    assert [(each.target, each.confidence) for each in named] == [(ROAD_PLAN.subject, 1.0)]


def test_plans_of_the_same_words_are_told_apart_by_budget_and_spelling() -> None:
    bought = replace(AWARD, rups=(), titles=("Rehabilitasi Jalan Desa Contoh RT 006/RW 002",), budgets=(180_000_000.0,))
    plan = replace(ROAD_PLAN, titles=bought.titles, amounts=bought.budgets)
    dearer = replace(plan, subject=("rup", "90000008"), amounts=(250_000_000.0,))
    respelt = replace(plan, subject=("rup", "90000009"), titles=("Rehabilitasi Jalan Desa Contoh RT. 06/RW. 02",))
    for other in (dearer, respelt):
        confidence = {link.target: link.confidence for link in packages([bought], [plan, other, *CROWD])}
        assert confidence[plan.subject] > 0.9
        assert confidence.get(other.subject, 0) < 0.1


# --- what always holds ----------------------------------------------------------------------------------------------


def test_links_are_the_same_in_any_order() -> None:
    subjects = [*OFFICES, AWARD, OTHER, PAID, ROAD_PLAN, *CROWD, PROPOSED]
    shown = links(subjects, SYSTEMS)
    assert {link.rule for link in shown} >= {"office", "contract-payment", "proposal-package"}
    for seed in range(3):
        random.Random(seed).shuffle(subjects)
        assert links(subjects, SYSTEMS) == shown


def test_cost_grows_with_the_rows_and_not_with_their_square() -> None:
    """Ten thousand contracts of one office and one supplier, alike but for the number."""
    many = [replace(AWARD, subject=("nontender", str(n)), numbers=(f"602.1/{n}/SPK/DPU/2025",)) for n in range(10_000)]
    paid = [replace(PAID, subject=("kontrak", str(n)), numbers=many[n].numbers) for n in range(0, 10_000, 500)]
    assert sure("contract-payment", *many, *paid) == {(p.subject[1], p.subject[1]) for p in paid}


def test_evidence_of_plans_and_purchases() -> None:
    plan = sirup_record(
        "RUP-PaketPenyedia-Terumumkan", kd_rup=90000001, nama_paket="Jalan", pagu=5, tahun_anggaran=2025
    )
    line = sirup_record("RUP-PaketAnggaranPenyedia", kd_rup=90000001, mak="9.03.10.2.01.0033.5.2.04.01.01.0003.")
    place = sirup_record("RUP-PaketPenyediaLokasi", kd_rup=90000001, detail_lokasi="Desa Contoh")
    shown = united([*plan, *line, *place])
    assert shown.subject == ("rup", "90000001")
    assert (shown.amounts, shown.titles, shown.maks, shown.villages) == (
        (5.0,),
        ("Jalan",),
        ("9.3.10.2.1.33.5.2.4.1.1.3",),
        ("Desa Contoh",),
    )
    assert from_text(shown.subject, shown.year, to_text(shown)) == shown
    row = {"kd_nontender": "9000000001", "no_kontrak": "027/1/SPK", "nilai_kontrak": 7, "tgl_kontrak": "2025-02-03"}
    [contract] = purchase_record("SPSE-NonTenderEkontrak-2Kontrak", **row, nama_penyedia="CV MAJU JAYA")
    assert contract.subject == ("nontender", "9000000001")
    assert (contract.numbers, contract.amounts, contract.dates) == (("027/1/SPK",), (7.0,), ("2025-02-03",))
    assert contract.suppliers == ("CV MAJU JAYA",)
    assert not purchase_record("SPSE-PesertaTender", kd_tender="9000000001", nama_penyedia="CV KALAH", pemenang=0)


def sirup_record(service: str, **row: object) -> list[Evidence]:
    return list(sirup.evidence(service, SIRUP[service].model.model_validate(row)))


def purchase_record(service: str, **row: object) -> list[Evidence]:
    return list(lpse.evidence(service, LPSE[service].model.model_validate(row)))
