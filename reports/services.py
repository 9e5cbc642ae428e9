"""The counts of a sync's services as sums and in words, and why services failed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.fetch import COUNTS, same_reason


def total_counts(services: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The sums of the counts of services, by the names of COUNTS."""
    totals = dict.fromkeys(COUNTS, 0)
    for counts in services:
        for name in COUNTS:
            totals[name] += counts[name]
    return totals


def counts_text(counts: Mapping[str, Any]) -> str:
    """Counts as a clause: "120 fetched, 3 new, 117 unchanged"."""
    if counts.get("status") == "absent":
        return "the folder has no such list"
    return ", ".join(f"{counts[name]:,} {name}" for name in COUNTS if counts[name]) or "no rows"


def failure_messages(
    source: str, planned: Sequence[tuple[str, str]], results: Mapping[tuple[str, str], Mapping[str, Any]]
) -> list[str]:
    """A sentence for each reason for which services failed, with their names where they are not all.

    `planned` are the (service, scope)s that were to be read, `results` the counts, status and message of those that
    have any.
    """
    reasons: dict[str, dict[str, str]] = defaultdict(dict)
    for place in planned:
        if place not in results:
            message = "the task ended without a result; its log may show why"
        elif results[place]["status"] == "failed":
            message = results[place]["message"].rstrip(".")
        else:
            continue
        reasons[same_reason(message, place[0])][" ".join(place)] = message
    return [
        f"{len(failed)} of {len(planned)} services of {source} failed"
        + ("" if len(failed) == len(planned) > 1 else f" ({', '.join(failed)})")
        + f": {reason if len(failed) > 1 else next(iter(failed.values()))}."
        for reason, failed in reasons.items()
    ]
