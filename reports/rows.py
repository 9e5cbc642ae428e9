"""What the rows of a source show of it: fields gone empty, reasons of rejects, sums that don't hold, places found."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, case, func, or_, select

from pipeline.registry import SERVICES
from reports.process import states_of
from transforms.quality import check
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.load import key_set

# A field is gone empty if fewer than half of those rows have it that had it before they changed; of fewer rows than
# these a share means nothing.
_FEW = 20
# Changed rows of a service that are looked at: its newest.
_SAMPLE = 400
_BATCH = 500
# Less than a rupiah is rounding.
_ROUNDED = 1
_RECORDED = ("pencatatan-", "swakelola-")


def emptied_fields(conn: Connection, source: str, since: str) -> list[dict[str, Any]]:
    """Fields that rows had before they changed and mostly have no more: `{"service", "field", "before", "now"}` in
    numbers of rows, of those that changed since a moment (UTC)."""
    runs, columns = t.run_service.c, t.raw_record.c
    recent = select(t.run.c.id).where(t.run.c.started_at >= since)
    changed = select(runs.service).where(runs.source == source, runs.changed >= _FEW, runs.run_id.in_(recent))
    found = []
    for service in sorted(set(conn.execute(changed).scalars())):
        of = (columns.source == source, columns.service == service, ~columns.gone)
        newest = (
            select(columns.id, columns.scope, columns.key, columns.payload)
            .where(*of, columns.current, columns.run_id.in_(recent))
            .order_by(columns.id.desc())
            .limit(_SAMPLE)
        )
        now = {(row.scope, row.key): row for row in conn.execute(newest)}
        earlier = (
            select(columns.scope, columns.key, columns.payload)
            .where(*of, ~columns.current, columns.key.in_(key_set(conn, [key for _, key in now])))
            .order_by(columns.id)
        )
        before = {(row.scope, row.key): row.payload for row in conn.execute(earlier)}
        had: Counter[str] = Counter()
        have: Counter[str] = Counter()
        for place, old in before.items():
            if place in now:
                known = _filled(service, old)
                had.update(known)
                have.update(known & _filled(service, now[place].payload))
        found += [
            {"service": service, "field": name, "before": rows, "now": have[name]}
            for name, rows in sorted(had.items())
            if rows >= _FEW and have[name] * 2 < rows
        ]
    return found


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
    recorded = or_(*(contract.id.like(f"{kind}%") for kind in _RECORDED))
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
    plans = process.origin.in_(("rup", "swk"))
    if source not in ("sirup", "lpse"):
        return None
    villages = func.count(process.village)
    districts = func.sum(case((process.place_code.is_not(None) & process.village.is_(None), 1), else_=0))
    row = conn.execute(
        select(func.count(), villages, func.coalesce(districts, 0)).where(plans if source == "sirup" else ~plans)
    ).one()
    return dict(zip(("processes", "village", "district"), row, strict=True))
