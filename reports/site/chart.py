"""The points of a progress chart: planned and actual, in percent, over time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from reports.site.texts import as_day, day, percent

_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 312, 10, 130


class Drawn(NamedTuple):
    """Points of the two lines as SVG takes them (empty for none), the actual ones again as dots, the first and last
    day, and the latest actual figure with its day."""

    plan: str
    actual: str
    dots: list[tuple[float, float]]
    first: str
    last: str
    latest: Markup | None


def _numbers(moment: str) -> str:
    """`31/01/2025`, the same in both languages."""
    return f"{as_day(moment):%d/%m/%Y}"


def plotted(reports: Sequence[dict[str, Any]]) -> Drawn:
    """The lines of some reports (at least one), each with an ISO `date`, `plan` and `actual` in percent or None."""
    days = [as_day(each["date"]).toordinal() for each in reports]
    span = max(days) - min(days) or 1

    def points(name: str) -> list[tuple[float, float]]:
        return [
            (
                round(_LEFT + (_RIGHT - _LEFT) * (day - min(days)) / span, 1),
                round(_BOTTOM - (_BOTTOM - _TOP) * min(max(each[name], 0), 100) / 100, 1),
            )
            for day, each in zip(days, reports, strict=True)
            if each[name] is not None
        ]

    plan, actual = points("plan"), points("actual")
    latest = next((each for each in reversed(reports) if each["actual"] is not None), None)
    return Drawn(
        " ".join(f"{x},{y}" for x, y in plan),
        " ".join(f"{x},{y}" for x, y in actual),
        actual,
        _numbers(reports[0]["date"]),
        _numbers(reports[-1]["date"]),
        Markup("{} ({})").format(percent(latest["actual"]), day(latest["date"])) if latest else None,
    )
