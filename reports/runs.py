"""The runs that read or built, and what they changed."""

from typing import Any

from sqlalchemy import Connection, case, func, select

from warehouse import tables as t


def last_runs(conn: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The last runs that changed a record, or that read: `{"id", "command", "started_at", "status", "message", "built",
    "new", "changed", "removed"}`, the newest first."""
    run, process = t.run.c, t.run_process.c
    last = (
        select(run.id, run.number, run.command, run.started_at, run.status, run.message, run.built)
        .where(run.command.in_(("sync", "build", "retry", "rebuild", "links")))
        .order_by(run.number.desc())
        .limit(limit)
        .subquery()
    )
    counts = [func.count(case((process.change == kind, 1))).label(kind) for kind in ("new", "changed", "removed")]
    query = (
        select(last, *counts)
        .join_from(last, t.run_process, process.run_id == last.c.id, isouter=True)
        .group_by(*last.c)
        .order_by(last.c.number.desc())
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def changes_of(conn: Connection, run_id: str, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Some of the records that a run wrote otherwise than they were: `{"ocid", "change", "title", "office"}`."""
    process, star = t.run_process.c, t.contracting_process.c
    query = (
        select(process.ocid, process.change, star.title, star.office_name.label("office"))
        .join_from(t.run_process, t.contracting_process, star.ocid == process.ocid, isouter=True)
        .where(process.run_id == run_id)
        .order_by(process.change, process.ocid)
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in conn.execute(query).mappings()]
