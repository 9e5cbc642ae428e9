"""What the rows of a source show of it: fields gone empty, reasons of rejects, sums that don't hold, places found."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, case, func, or_, select

from pipeline.registry import OPENED_KINDS, SERVICES
from reports.process import states_of
from transforms.quality import check
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.star import RECORDINGS

# A field is gone empty if fewer than half of those rows have it that usually would, or none of a short list; of fewer
# rows than these a share means nothing.
_FEW, _NONE_OF = 20, 5
# Rows of a list that stand for all of it, and the share of them below which chance decides how many are among these.
_SAMPLE, _SELDOM = 400, 0.1
# Under this name the rows themselves are counted, beside the fields that they have.
_ALL = ""
_BATCH = 500
# Less than a rupiah is rounding.
_ROUNDED = 1


def brought_nothing(conn: Connection, source: str, services: Iterable[str]) -> bool:
    """Whether no row of a process was ever read of a source, though one of these `services` would have them: master
    lists are there for any regency."""
    if all(SERVICES[name][1].kind is None for name in services):
        return False
    columns = t.raw_record.c
    row = select(columns.id).where(columns.source == source, columns.kind.is_not(None)).limit(1)
    return conn.execute(row).first() is None


def emptied_fields(
    conn: Connection, source: str, lists: Collection[tuple[str, str]], since: str
) -> list[dict[str, Any]]:
    """Fields that far fewer rows of one of these (service, scope)s have than did before a moment (UTC): `{"service",
    "scope", "field", "rows", "before", "now"}`: of how many rows it is filled in which percentage, and was.

    Lists are looked at that have brought rows since then. One that had none before (a new fiscal year) is compared
    with those of the service's other years, or where these had none either with what it held when it was first read.
    A sample stands for many rows.
    """
    columns = t.raw_record.c
    later = columns.run_id.in_(select(t.run.c.id).where(t.run.c.started_at >= since))
    moving = select(columns.service, columns.scope).where(columns.source == source, columns.current, later).distinct()
    found = []
    for service, scope in sorted({(row.service, row.scope) for row in conn.execute(moving)} & set(lists)):
        of = (columns.source == source, columns.service == service)
        here = (*of, columns.scope == scope)
        moved = select(columns.key).where(*here, columns.current, later)
        replaced = (
            select(func.max(columns.id))
            .where(*here, ~columns.current, ~columns.gone, ~later, columns.key.in_(moved))
            .group_by(columns.key)
        )
        first = select(columns.run_id).where(*here).order_by(columns.id).limit(1)
        stands = (columns.current, ~columns.gone)
        same = _rows_with(conn, *here, *stands, ~later)
        now = same + _rows_with(conn, *here, *stands, later)
        before = (
            same + _rows_with(conn, columns.id.in_(replaced))
            or _rows_with(conn, *of, columns.scope != scope, *stands, ~later)
            or _rows_with(conn, *here, ~columns.gone, columns.run_id == first.scalar_subquery())
        )
        for name, had in sorted(before.items()):
            usual = had * now[_ALL] / before[_ALL]
            enough = max(_FEW if now[name] else _NONE_OF, now[_ALL] * _SELDOM)
            if name != _ALL and min(had, usual) >= enough and now[name] * 2 < usual:
                shares = {"before": _percent(had, before[_ALL]), "now": _percent(now[name], now[_ALL])}
                found.append({"service": service, "scope": scope, "field": name, "rows": now[_ALL], **shares})
    return found


def _rows_with(conn: Connection, *conditions: Any) -> Counter[str]:
    """How many rows of one service have each field, by a sample of them, and how many there are."""
    columns = t.raw_record.c
    rows = conn.execute(select(func.count()).select_from(t.raw_record).where(*conditions)).scalar_one()
    sample = select(columns.service, columns.payload).where(*conditions).order_by(columns.content_hash).limit(_SAMPLE)
    found = Counter({_ALL: rows} if rows else {})
    had: Counter[str] = Counter()
    for row in conn.execute(sample):
        had.update(_filled(row.service, row.payload))
    return found + Counter({name: -(-number * rows // min(rows, _SAMPLE)) for name, number in had.items()})


def _percent(part: int, of: int) -> int:
    return round(100 * part / of)


def _filled(service: str, row: dict[str, Any]) -> set[str]:
    fields = renamed(SERVICES[service][1], row).items()
    return {name for name, value in fields if value is not None and str(value).strip() not in ("", "-", "[]")}


def reject_reasons(conn: Connection, source: str) -> list[dict[str, Any]]:
    """The reasons of a source's open rejects, `{"service", "reason", "rows"}`, the most frequent first."""
    columns = t.reject.c
    rows = func.count().label("rows")
    query = (
        select(columns.service, columns.reason, rows)
        .where(columns.source == source, columns.resolved_at.is_(None))
        .group_by(columns.service, columns.reason)
        .order_by(rows.desc(), columns.service, columns.reason)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def broken_sums(conn: Connection, source: str) -> list[dict[str, Any]]:
    """The sums that must hold in a source's rows: `{"sum", "of", "broken", "example"}`.

    SIRUP: a plan's budget is the sum of its lines. SPSE: the value of a recorded purchase or of recorded self-managed
    work is the sum of the agreements and payments recorded with it. What doesn't hold is reported and altered nowhere.
    """
    if source == "sirup":
        return [_budgets(conn)]
    return [_recordings(conn)] if source == "lpse" else []


def _budgets(conn: Connection) -> dict[str, Any]:
    plan, line = t.plan.c, t.plan_account.c
    lines = (
        select(line.ocid, line.plan_id, func.sum(line.amount).label("total"))
        .group_by(line.ocid, line.plan_id)
        .having(func.count() == func.count(line.amount))
        .subquery()
    )
    budget = func.coalesce(plan.pagu, plan.pagu_not_counted)
    query = (
        select(plan.ocid, budget.label("budget"), lines.c.total)
        .join(lines, (lines.c.ocid == plan.ocid) & (lines.c.plan_id == plan.id))
        .where(budget.is_not(None))
        .order_by(plan.ocid, plan.id)
    )
    rows = conn.execute(query).all()
    wrong = [row.ocid for row in rows if abs(row.budget - row.total) >= _ROUNDED]
    return _sum("budgets and their lines", len(rows), wrong)


def _recordings(conn: Connection) -> dict[str, Any]:
    contract = t.contract.c
    recorded = or_(*(contract.id.like(f"{kind}-%") for kind in RECORDINGS))
    ocids = list(conn.execute(select(contract.ocid).where(recorded).distinct().order_by(contract.ocid)).scalars())
    count = conn.execute(select(func.count()).select_from(t.contract).where(recorded)).scalar_one()
    wrong = [
        ocid
        for start in range(0, len(ocids), _BATCH)
        for ocid, state in sorted(states_of(conn, ocids[start : start + _BATCH]).items())
        for _ in check(state, ["recorded_otherwise"])
    ]
    return _sum("recorded purchases and what was recorded with them", count, wrong)


def _sum(what: str, of: int, wrong: list[str]) -> dict[str, Any]:
    return {"sum": what, "of": of, "broken": len(wrong), "example": wrong[0] if wrong else None}


def places_found(conn: Connection, source: str) -> dict[str, int] | None:
    """Of how many processes that a source opened (`processes`) a `village` or only a `district` is known; None for
    sources that open none."""
    process = t.contracting_process.c
    kinds = [kind for kind, opener in OPENED_KINDS.items() if opener == source]
    if not kinds:
        return None
    villages = func.count(process.village)
    districts = func.sum(case((process.place_code.is_not(None) & process.village.is_(None), 1), else_=0))
    row = conn.execute(
        select(func.count(), villages, func.coalesce(districts, 0)).where(process.origin.in_(kinds))
    ).one()
    return dict(zip(("processes", "village", "district"), row, strict=True))
