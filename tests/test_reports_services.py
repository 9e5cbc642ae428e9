"""Counts of services as sums and in words, and the sentences about those that failed."""

from typing import Any

from pipeline.fetch import COUNTS
from reports.services import counts_text, failure_messages, total_counts

NONE = dict.fromkeys(COUNTS, 0)


def failed(message: str) -> dict[str, Any]:
    return {**NONE, "status": "failed", "message": message}


def test_counts_in_words() -> None:
    assert counts_text({**NONE, "fetched": 1200, "new": 1200, "status": "success"}) == "1,200 fetched, 1,200 new"
    assert counts_text(NONE) == "no rows"
    assert counts_text({**NONE, "status": "absent"}) == "the folder has no such list"


def test_totals() -> None:
    one = {**NONE, "fetched": 3, "unchanged": 3, "status": "success"}
    assert total_counts([one, one]) == {**NONE, "fetched": 6, "unchanged": 6}
    assert total_counts([]) == NONE


def test_services_that_fail_for_one_reason_share_a_sentence() -> None:
    planned = [("A", "2025"), ("B", "2025"), ("C", "all"), ("D", "all")]
    results = {
        ("A", "2025"): failed("REST /a answers 503; try again later."),
        ("B", "2025"): failed("REST /b answers 503; try again later."),
        ("C", "all"): {**NONE, "status": "success", "message": None},
    }
    assert failure_messages("lpse", planned, results) == [
        "2 of 4 services of lpse failed (A 2025, B 2025): it answers 503; try again later.",
        "1 of 4 services of lpse failed (D all): the task ended without a result; its log may show why.",
    ]
    assert failure_messages("lpse", planned[2:3], results) == []


def test_one_service_is_named_with_what_was_asked_of_it() -> None:
    planned = [("A", "2025")]
    results = {planned[0]: failed("REST /a answers 503.")}
    assert failure_messages("lpse", planned, results) == [
        "1 of 1 services of lpse failed (A 2025): REST /a answers 503."
    ]
