"""Every quality check, on a process where it has something to find and on one where it has not."""

import csv
from typing import Any

import pytest
from hypothesis import given

from schemas.ocds import validate_compiled_release
from tests.official import REFERENCE, needs_reference
from tests.releases import ABSENT, changed, releases, thorough
from transforms.merge import compiled
from transforms.quality import _CODES, _PLANNING_PAPERS, CHECKS, SEVERITY, Finding, at_stake, check


def idr(amount: float) -> dict[str, Any]:
    return {"amount": amount, "currency": "IDR"}


SOUND: dict[str, Any] = {
    "ocid": "ocds-213czf-rup-1",
    "id": "ocds-213czf-rup-1-2025-12-31T00:00:00+00:00",
    "date": "2025-12-31T00:00:00+00:00",
    "tag": ["compiled"],
    "initiationType": "tender",
    "parties": [
        {"id": "office", "roles": ["buyer", "procuringEntity", "payer", "sourceParty"]},
        {"id": "winner", "name": "CV Pemenang", "roles": ["tenderer", "supplier", "payee"]},
        {"id": "visitor", "roles": ["interestedParty"]},
    ],
    "buyer": {"id": "office"},
    "relatedProcesses": [{"id": "1", "relationship": ["planning"]}],
    "planning": {
        "documents": [{"id": "plan", "documentType": "procurementPlan"}],
        "budget": {
            "amount": idr(1000),
            "budgetBreakdown": [
                {"id": "b", "amount": idr(1100), "sourceParty": {"id": "office"}},
                {"id": "c", "amount": idr(-100)},
            ],
        },
    },
    "tender": {
        "id": "nontender-1",
        "status": "complete",
        "procurementMethod": "direct",
        "value": idr(900),
        "procuringEntity": {"id": "office"},
        "tenderPeriod": {"startDate": "2025-01-01T00:00:00+07:00", "endDate": "2025-01-31T23:59:59+07:00"},
        "tenderers": [{"id": "winner"}],
        "numberOfTenderers": 1,
        "milestones": [
            {"id": "met", "status": "met", "dateMet": "2025-01-02T00:00:00+07:00"},
            {"id": "late", "status": "notMet", "dueDate": "2026-02-01T00:00:00+07:00"},
        ],
    },
    "bids": {"details": [{"id": "1", "tenderers": [{"id": "winner"}], "value": idr(0)}]},
    "awards": [
        {
            "id": "a",
            "status": "active",
            "date": "2025-01-31T10:00:00+07:00",
            "value": idr(800),
            "suppliers": [{"id": "winner", "name": "CV Pemenang"}],
            "relatedBid": "1",
        },
        {"id": "lost", "status": "unsuccessful"},
    ],
    "contracts": [
        {
            "id": "1-k",
            "awardID": "a",
            "status": "active",
            "period": {"startDate": "2025-02-01T00:00:00+07:00", "endDate": "2025-06-30T23:59:59+07:00"},
            "dateSigned": "2025-01-31T00:00:00+07:00",
            "value": idr(800),
            "agreements": [{"id": "1-k-1", "value": idr(800)}],
            "implementation": {
                "endDate": "2025-12-30T00:00:00+07:00",
                "transactions": [
                    {
                        "id": str(part),
                        "date": "2025-01-31T00:00:00+07:00",
                        "value": idr(400),
                        "payer": {"id": "office"},
                        "payee": {"id": "winner"},
                    }
                    for part in range(2)
                ],
            },
        },
        {"id": "dropped", "awardID": "a", "status": "cancelled", "value": idr(800)},
    ],
}

PAYMENTS = "contracts/0/implementation/transactions"
# code, what is changed in the sound process, to what, where the finding is
FOUND: list[tuple[str, str, object, str]] = [
    ("date_out_of_range", "tender/milestones/1/dueDate", "0225-02-01T00:00:00+07:00", "tender/milestones/1/dueDate"),
    ("date_in_future", "tender/milestones/0/dateMet", "2025-12-31T07:00:01+07:00", "tender/milestones/0/dateMet"),
    ("date_in_future", f"{PAYMENTS}/0/date", "2026-01-02T00:00:00+07:00", f"{PAYMENTS}/0/date"),
    (
        "date_in_future",
        "contracts/0/implementation/endDate",
        "2026-01-02T00:00:00+07:00",
        "contracts/0/implementation/endDate",
    ),
    ("period_reversed", "tender/tenderPeriod/startDate", "2025-02-01T00:00:00+07:00", "tender/tenderPeriod"),
    ("amount_negative", "bids/details/0/value/amount", -1, "bids/details/0/value/amount"),
    ("code_unknown", "parties/2/roles", ["interestedParty", "onlooker"], "parties/2/roles/1"),
    ("code_unknown", "relatedProcesses/0/relationship", ["cousin"], "relatedProcesses/0/relationship/0"),
    ("budget_not_sum_of_lines", "planning/budget/budgetBreakdown/0/amount/amount", 999, "planning/budget/amount"),
    ("bid_missing", "awards/0/relatedBid", "2", "awards/0/relatedBid"),
    ("recorded_otherwise", "contracts/0/agreements/0/value/amount", 799, "contracts/0/value"),
    ("award_before_tender_end", "tender/tenderPeriod/endDate", "2025-02-01T00:00:00+07:00", "awards/0/date"),
    ("award_of_unfinished_tender", "tender/status", "active", "awards/0/status"),
    ("award_missing", "contracts/1/awardID", "x", "contracts/1/awardID"),
    ("signed_before_award", "contracts/0/dateSigned", "2025-01-30T00:00:00+07:00", "contracts/0/dateSigned"),
    ("paid_before_signed", f"{PAYMENTS}/0/date", "2025-01-30T00:00:00+07:00", f"{PAYMENTS}/0/date"),
    ("paid_without_contract", "contracts/0/status", "pending", "contracts/0/status"),
    ("paid_too_much", f"{PAYMENTS}/1/value/amount", 401, PAYMENTS),
    ("direct_with_rivals", "tender/tenderers", [{"id": "winner"}, {"id": "visitor"}], "tender/tenderers"),
    ("unmet_with_date", "tender/milestones/0/status", "scheduled", "tender/milestones/0/dateMet"),
    ("budget_far_from_tender", "tender/value/amount", 2001, "planning/budget/amount"),
    ("contracts_far_from_award", "contracts/0/value/amount", 1201, "awards/0/value"),
    ("contracts_far_from_award", "contracts/1/status", "pending", "awards/0/value"),
    ("party_missing", "bids/details/0/tenderers/0/id", "stranger", "bids/details/0/tenderers/0"),
    ("role_missing", "bids/details/0/tenderers/0/id", "visitor", "bids/details/0/tenderers/0"),
    ("contract_missing", "contracts", ABSENT, "awards/0/status"),
    ("still_running", "contracts/0/implementation", {}, "contracts/0/period/endDate"),
    ("supplier_missing", "awards/0", {"id": "a", "status": "active", "value": idr(800)}, "awards/0/suppliers"),
    ("supplier_nameless", "awards/0/suppliers", [{"id": "winner"}], "awards/0/suppliers/0/name"),
    ("value_missing", "awards/0/value/amount", 0, "awards/0/value"),
    (
        "signature_missing",
        "contracts/0",
        {"id": "1-k", "awardID": "a", "status": "terminated", "value": idr(800)},
        "contracts/0/dateSigned",
    ),
    ("budget_missing", "planning/budget", {"id": "1"}, "planning/budget/amount"),
    ("tenderers_miscounted", "tender/numberOfTenderers", 2, "tender/numberOfTenderers"),
    ("name_differs", "awards/0/suppliers/0/name", "CV Lain", "awards/0/suppliers/0/name"),
    ("document_misplaced", "planning/documents/0/documentType", "tenderNotice", "planning/documents/0/documentType"),
    ("role_unused", "parties/2/roles", ["interestedParty", "payee"], "parties/2/roles/1"),
]


def test_a_sound_process_has_no_findings() -> None:
    validate_compiled_release(SOUND)
    assert check(SOUND) == []


def test_every_check_has_a_case() -> None:
    assert {code for code, *_ in FOUND} == set(CHECKS) == set(SEVERITY)


@pytest.mark.parametrize(("code", "path", "value", "where"), FOUND)
def test_what_is_wrong_is_found_where_it_is(code: str, path: str, value: object, where: str) -> None:
    wrong = changed(SOUND, path, value)
    validate_compiled_release(wrong)
    findings = [finding for finding in check(wrong) if finding.code == code]
    assert [finding.path for finding in findings] == [where]
    assert all(isinstance(finding, Finding) and finding.message for finding in findings)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tender/value/amount", 2000),  # the budget is 50 % of it
        ("tender/value/amount", 1000 / 1.5),  # 150 %
        ("tender/value/amount", 0),  # nothing to compare with
        ("planning/budget/budgetBreakdown/0/amount/amount", 1100.9),
        ("contracts/0/period/endDate", "2025-12-31T23:59:59+07:00"),  # the day of the release
        ("contracts/1/awardID", "dropped"),  # self-managed work
        ("tender/procurementMethod", "open"),
        ("tender/milestones/1/status", "scheduled"),
        ("tender/milestones/0/dateMet", "2025-12-31T07:00:00+07:00"),  # the very moment of the release
        (f"{PAYMENTS}/0/value/amount", 0),
    ],
)
def test_what_is_at_the_border_is_not_found(path: str, value: object) -> None:
    assert check(changed(SOUND, path, value)) == []


def test_a_process_that_is_only_planned_has_no_findings() -> None:
    assert check({field: SOUND[field] for field in ("ocid", "id", "date", "tag", "initiationType")}) == []


@needs_reference
@pytest.mark.parametrize(
    ("field", "files"),
    [
        ("roles", ["1.1.5/codelists/partyRole.csv", "extensions/budget_breakdown/codelists/+partyRole.csv"]),
        ("relationship", ["1.1.5/codelists/relatedProcess.csv"]),
        ("additionalProcurementCategories", ["1.1.5/codelists/extendedProcurementCategory.csv"]),
        ("submissionMethod", ["1.1.5/codelists/submissionMethod.csv"]),
    ],
)
def test_the_known_codes_are_those_of_the_standard(field: str, files: list[str]) -> None:
    rows = [row for file in files for row in csv.DictReader((REFERENCE / file).open(encoding="utf-8"))]
    assert _CODES[field] == {row["Code"] for row in rows}


@thorough
@given(releases)
def test_no_valid_process_is_too_odd_to_check(release: dict[str, Any]) -> None:
    assert all(finding.code in CHECKS for finding in check(compiled([release])))


@needs_reference
def test_the_planning_papers_are_those_of_the_standard() -> None:
    rows = csv.DictReader((REFERENCE / "1.1.5/codelists/documentType.csv").open(encoding="utf-8"))
    assert {row["Code"] for row in rows if "planning" in row["Section"].split(", ")} == _PLANNING_PAPERS


def test_money_at_stake_is_of_the_latest_stage() -> None:
    assert at_stake(SOUND) == 800
    assert at_stake(changed(SOUND, "contracts", [])) == 800
    assert at_stake({"tender": SOUND["tender"], "planning": SOUND["planning"]}) == 900
    assert at_stake({"planning": SOUND["planning"]}) == 1000
    assert at_stake({}) == 0
