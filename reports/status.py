"""What the last sync of each source did, and what the warehouse holds."""

from typing import Any

from sqlalchemy import func, make_url, select

from pipeline import links
from pipeline.fetch import COUNTS
from pipeline.registry import SOURCES
from pipeline.steps import sources_of, warehouse
from reports.rows import brought_nothing
from reports.waiting import waiting_rows
from schemas.settings import Settings
from warehouse import tables as t
from warehouse.engine import reading
from warehouse.star import stage_counts


def status(settings: Settings, run_id: str | None = None) -> dict[str, Any]:
    """What the last sync of each configured source did (or the run `run_id` alone), per service over its scopes, and
    the records there are.

    `{"warehouse": its address without the password, "services": [{"source", "service", "status", "message", "fetched",
    ...}], "sources": {name: {"read_at": UTC, "scopes": years, or `all`, "empty": whether all answered and no row of a
    process ever came}}, "records": {"total", "built": by the last sync}, "stages": {...}, "waiting": rows whose process
    nobody has named yet, "rejects": open rejects, "links": {"standing", "pending"}}`.
    """
    with reading(warehouse(settings)) as conn:
        runs = t.run_service
        services: list[dict[str, Any]] = []
        sources: dict[str, dict[str, Any]] = {}
        for source in sources_of(settings):
            last = conn.execute(
                select(runs.c.run_id)
                .join(t.run, t.run.c.id == runs.c.run_id)
                .where(runs.c.source == source, *([runs.c.run_id == run_id] if run_id else []))
                .order_by(t.run.c.number.desc())
                .limit(1)
            ).scalar_one_or_none()
            found: dict[str, dict[str, Any]] = {}
            rows = (
                conn.execute(select(runs).where(runs.c.run_id == last, runs.c.source == source).order_by(runs.c.scope))
                .mappings()
                .all()
            )
            if rows:
                sources[source] = {
                    "read_at": max((row["finished_at"] for row in rows if row["finished_at"]), default=None),
                    "scopes": sorted({row["scope"] for row in rows if row["scope"] != "all"}) or ["all"],
                }
            for row in rows:
                entry = found.setdefault(
                    row["service"],
                    {
                        "source": source,
                        "service": row["service"],
                        **dict.fromkeys(COUNTS, 0),
                        "status": "success",
                        "message": None,
                    },
                )
                for name in COUNTS:
                    entry[name] += row[name]
                if row["status"] == "failed" or entry["status"] == "success":
                    entry["status"], entry["message"] = row["status"], row["message"] or entry["message"]
            if source in sources:
                failed = any(entry["status"] == "failed" for entry in found.values())
                read = [name for name, entry in found.items() if entry["status"] == "success"]
                sources[source]["empty"] = not failed and brought_nothing(conn, source, read)
            services += [found[name] for name in SOURCES[source].services if name in found]
        synced = conn.execute(
            select(t.run.c.id, t.run.c.started_at, t.run.c.built)
            .where(t.run.c.command == "sync")
            .order_by(t.run.c.number.desc())
            .limit(1)
        ).one_or_none()
        built = synced.built if synced else 0
        if synced and "/" in synced.id:
            # In Airflow a sync builds nothing itself, it wakes builds: those of its night.
            since = select(func.min(t.run.c.number)).where(
                t.run.c.command == "sync", t.run.c.id.contains("/"), t.run.c.started_at >= synced.started_at[:10]
            )
            built = conn.execute(
                select(func.sum(t.run.c.built)).where(t.run.c.number >= since.scalar_subquery())
            ).scalar_one()
        waiting = sum(row["rows"] for row in waiting_rows(conn))
        rejects = conn.execute(
            select(func.count()).select_from(t.reject).where(t.reject.c.resolved_at.is_(None))
        ).scalar_one()
        stages = stage_counts(conn)
        by_status = select(t.link.c.status, func.count()).group_by(t.link.c.status)
        joined = {str(row[0]): int(row[1]) for row in conn.execute(by_status)}
    total = stages.pop("records")
    return {
        "warehouse": make_url(settings.warehouse_url).set(query={}).render_as_string(),
        "services": services,
        "sources": sources,
        "records": {"total": total, "built": built or 0},
        "stages": stages,
        "waiting": waiting,
        "rejects": rejects,
        "links": {"standing": sum(joined.get(name, 0) for name in links.STANDING), "pending": joined.get("pending", 0)},
    }
