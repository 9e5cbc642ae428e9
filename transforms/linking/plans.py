"""Plans, and the budget lines and documents that name them or their account codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from transforms import mak
from transforms.evidence import Evidence
from transforms.identity import Code


def enriched(plan: Evidence, purchases: Iterable[Evidence]) -> Evidence:
    """A plan; what its own rows leave out is taken from `purchases` that name it alone, in their order."""
    known = list(purchases)
    filled = {
        name: next((value for purchase in known if (value := getattr(purchase, name))), None)
        for name in ("office", "office_name", "maks", "titles")
        if not getattr(plan, name)
    }
    return replace(plan, **{name: value for name, value in filled.items() if value})


@dataclass(frozen=True, slots=True)
class LineFeatures:
    """A plan, or what is attached to one (a budget line, a document), as the two are compared."""

    office: str | None
    maks: tuple[str, ...]
    rups: tuple[Code, ...] = ()


def attached(
    source: LineFeatures,
    by_mak: Mapping[str, Sequence[tuple[Code, LineFeatures]]],
    by_code: Mapping[Code, Sequence[Code]],
) -> dict[Code, tuple[float, str]]:
    """The plans that a source names by their codes, else by an account code that they carry: probability and evidence.

    `by_code` holds the plans that are meant by a RUP code.
    """
    near: dict[Code, tuple[float, str]] = {}
    for rup in source.rups:
        for code in by_code.get(rup, ()):
            near[code] = (1.0, "kd_rup")
    if len({kind for kind, _ in near}) > 1:
        # A bare number may be a code of either kind: which one is meant is for an operator to decide.
        near = dict.fromkeys(near, (0.5, "kd_rup"))
    for line in source.maks if not near else ():
        for code, plan in by_mak.get(line, ()) if mak.is_whole(line) else ():
            if (alike := _same_office(source.office, plan.office)) is not None:
                near[code] = max(near.get(code, (0.0, "")), (alike, "mak"))
    return near


def _same_office(one: str | None, other: str | None) -> float | None:
    """The probability that the account code is enough, by the offices of both; None for different ones."""
    if one is None or other is None:
        return 0.97
    if one == other:
        return 0.99
    return 0.93 if one.rpartition(".")[0] == other.rpartition(".")[0] else None
