"""What came of a run: the processes whose records it made new, otherwise than they were, or took away."""

from collections import defaultdict

from sqlalchemy import Connection, select

from pipeline.links import STANDING, processes_of
from pipeline.registry import LINKED_KINDS
from pipeline.steps import warehouse
from schemas.errors import SettingsError
from schemas.settings import Settings
from transforms.identity import Code
from warehouse import tables as t
from warehouse.engine import reading
from warehouse.load import key_set, of_codes
from warehouse.star import together

# Other commands neither read sources nor build records.
_COMMANDS = ("sync", "build", "retry", "rebuild", "links")


def last_run(settings: Settings) -> str | None:
    """The name of the last run that read or built."""
    with reading(warehouse(settings)) as conn:
        return _last_run(conn)


def changed_processes(settings: Settings, run_id: str | None = None) -> dict[str, list[str]]:
    """What came of a run, by default of the last that read or built: `{"new": [OCID], "changed": [...], "removed":
    [...]}`, and for a sync that left building to others `"waiting"` (see `reports._changes_of`)."""
    with reading(warehouse(settings)) as conn:
        name = run_id or _last_run(conn)
        return _changes_of(conn, name) if name else {"new": [], "changed": [], "removed": []}


def _last_run(conn: Connection) -> str | None:
    """The name of the last run that read or built."""
    run = t.run.c
    query = select(run.id).where(run.command.in_(_COMMANDS)).order_by(run.number.desc()).limit(1)
    return conn.execute(query).scalar_one_or_none()


def _changes_of(conn: Connection, run_id: str) -> dict[str, list[str]]:
    """The OCIDs of the processes that a run made `new`, `changed` or `removed`.

    A sync in Airflow builds nothing itself: of the processes that its rows belong to, it is what builds have written of
    them since it began, and `waiting` are those that none has come to yet. Raises SettingsError where there is no such
    run.
    """
    run = conn.execute(select(t.run).where(t.run.c.id == run_id)).one_or_none()
    if run is None:
        raise SettingsError(f"there is no run {run_id}; without a name `jejak changes` shows the last")
    columns = t.run_process.c
    own = conn.execute(select(columns.ocid, columns.change).where(columns.run_id == run_id)).all()
    found: dict[str, list[str]] = {"new": [], "changed": [], "removed": []}
    if own or run.command != "sync":
        for ocid, change in sorted(own):
            found[change].append(ocid)
        return found
    ocids, waiting = _of_rows(conn, run_id)
    made: dict[str, list[str]] = defaultdict(list)
    for ocid, change in conn.execute(
        select(columns.ocid, columns.change)
        .join(t.run, t.run.c.id == columns.run_id)
        # Also by a build that had begun before and took the new rows along.
        .where(columns.newest_run >= run.number, columns.ocid.in_(key_set(conn, ocids)))
        .order_by(columns.newest_run, t.run.c.number)
    ):
        made[ocid].append(change)
    for ocid in sorted(made.keys() - waiting):
        # What came and went meanwhile is gone.
        found[together(made[ocid]) or "removed"].append(ocid)
    return {**found, "waiting": sorted(waiting)}


def _of_rows(conn: Connection, run_id: str) -> tuple[set[str], set[str]]:
    """The processes that the rows of a sync belong to, and those of them that still wait for a build."""
    columns, pending = t.raw_record.c, t.pending_code.c
    rows = conn.execute(
        select(columns.kind, columns.code).where(columns.run_id == run_id, columns.kind.is_not(None)).distinct()
    )
    codes = {(row.kind, row.code) for row in rows}
    queued = conn.execute(select(pending.kind, pending.code).where(of_codes(conn, pending.kind, pending.code, codes)))
    unplaced = {(row.kind, row.code) for row in queued}
    ocids = processes_of(conn, _targets(conn, codes))
    waiting = processes_of(conn, _targets(conn, unplaced))
    process = t.pending_process.c.ocid
    return ocids, waiting | set(conn.execute(select(process).where(process.in_(key_set(conn, ocids)))).scalars())


def _targets(conn: Connection, codes: set[Code]) -> set[Code]:
    """What opens processes: the codes themselves, or what they are linked to."""
    link = t.link.c
    linked = {code for code in codes if code[0] in LINKED_KINDS}
    rows = conn.execute(
        select(link.to_kind, link.to_code).where(
            of_codes(conn, link.from_kind, link.from_code, linked), link.status.in_(STANDING)
        )
    )
    return codes - linked | {(row.to_kind, row.to_code) for row in rows}
