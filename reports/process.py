"""One process: its state now or as of a day, and which row gives a value."""

import difflib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, or_, select

from pipeline.build import Shared, Snapshot, context_of, process_of, snapshots
from pipeline.registry import MAPPINGS, SERVICES
from schemas.errors import SettingsError
from schemas.settings import Settings
from transforms import owners
from transforms.difference import Path, living
from transforms.mapping import Row
from transforms.merge import compiled
from transforms.parties import SCRUBBED, scrub
from transforms.paths import paths_of, resolved, value_at
from transforms.state import Contribution, Process, State, state_of, without_rows
from warehouse import tables as t
from warehouse.load import key_set
from warehouse.releases import lineages_of, releases_of

Object = dict[str, Any]


def ocids_of(conn: Connection, code: str) -> list[str]:
    """The processes with an OCID or a source's own code. Raises SettingsError where there is none."""
    query = select(t.identity.c.ocid).where(or_(t.identity.c.key == code, t.identity.c.ocid == code))
    found = sorted(set(conn.execute(query).scalars()))
    if not found:
        raise SettingsError(f"no process has the code {code}; `jejak status` shows what has been synced")
    return found


def states_of(conn: Connection, ocids: list[str]) -> dict[str, Object]:
    """The states of some processes as their records hold them, with `ocid`; none for a process without a record."""
    columns = t.record.c
    query = select(columns.ocid, columns.compiled, columns.withdrawn).where(columns.ocid.in_(key_set(conn, ocids)))
    return {row.ocid: {"ocid": row.ocid, **living(row.compiled, row.withdrawn or ())} for row in conn.execute(query)}


def record_as_of(conn: Connection, ocid: str, day: str) -> Object | None:
    """The record of a process as it was at the end of a local day (YYYY-MM-DD); None where nothing was published yet.
    Releases that were voided since are not part of it."""
    releases = [release for release in releases_of(conn, [ocid])[ocid] if release["date"][:10] <= day]
    return compiled(releases) if releases else None


def contributions_of(conn: Connection, settings: Settings, ocid: str) -> list[Contribution]:
    """The partial documents that the rows of a process give now."""
    return _computed(conn, settings, ocid)[1].contributions


def giving_services(
    snapshot: Snapshot, context: Shared, settings: Settings, paths: Iterable[Path]
) -> dict[tuple[str, ...], str]:
    """The service whose row gives a value now, by the value's path in the state of a process."""
    process, _ = process_of(snapshot, context)
    state = _state(process, settings)
    giving = {tuple(path): _giving(state, path) for path in paths}
    return {path: each[0][0].service for path, each in giving.items() if each}


def _computed(conn: Connection, settings: Settings, ocid: str) -> tuple[Process, State]:
    snapshot = snapshots(conn, {ocid: ""})[0]
    process, _ = process_of(snapshot, context_of(conn, settings))
    return process, _state(process, settings)


def _state(process: Process, settings: Settings) -> State:
    return state_of(
        process, MAPPINGS, settings.utc_offset, settings.kd_klpd, settings.wilayah, settings.unnamed_parties
    )


def why(conn: Connection, settings: Settings, ocid: str, path: str) -> Object:
    """Which rows give a value of a record, by which right, and who gives another.

    `path` are names of fields, and ids of entries behind the name of their list: `contracts/77-SPK-1/value/amount`.
    Returns `{"ocid", "path", "value", "withdrawn", "rows", "right", "others", "release"}`: `rows` are `{"source",
    "service", "scope", "key", "run", "observed_at"}`, `right` is why their service may give it, `others` are
    `{"service", "value", "right"}`, `release` is the `{"id", "date"}` that gave it last.

    Raises SettingsError for a process without a record or a path that it does not have; the message names near ones.
    """
    record = conn.execute(select(t.record).where(t.record.c.ocid == ocid)).one_or_none()
    if record is None:
        raise SettingsError(f"{ocid} has no record yet; `jejak waiting` shows rows that wait")
    parts = resolved(record.compiled, path)
    if parts is None:
        near = difflib.get_close_matches(path, list(paths_of(record.compiled)), n=5, cutoff=0.4)
        hint = f"; near ones: {', '.join(near)}" if near else ""
        raise SettingsError(f"the record of {ocid} has no path {path}{hint}")
    process, state = _computed(conn, settings, ocid)
    answer: Object = {"ocid": ocid, "path": "/".join(parts), "value": value_at(record.compiled, parts)}
    answer["release"] = _last_release(conn, ocid, parts)
    if value_at(state.document, parts) is None:
        return {**answer, "withdrawn": True, "rows": [], "right": "no current row gives it", "others": []}
    giving = _giving(state, parts)
    rows = _rows_behind(process, state, settings, giving[0][0], parts) if giving else []
    return {
        **answer,
        "withdrawn": False,
        "rows": [_described(conn, row) for row in rows],
        "right": giving[0][1] if giving else "it follows from the crosswalk, or from other values of the record",
        "others": [
            {"service": each.service, "value": value, "right": right}
            for each, right in giving[1:]
            if (value := value_at(each.partial.body, parts)) != answer["value"]
        ],
    }


def _pattern(parts: Path, document: Object) -> str:
    """The path without ids: what the table of owners knows it by."""
    names: list[str] = []
    node: Any = document
    for part in parts:
        if isinstance(node, list):
            node = next((entry for entry in node if entry.get("id") == part), {})
        else:
            names.append(part)
            node = node.get(part) if isinstance(node, dict) else None
    return ".".join(names)


def _giving(state: State, parts: Path) -> list[tuple[Contribution, str]]:
    """The partial documents that have a path, the one whose value counts first, each with its right."""
    pattern = _pattern(parts, state.document)
    whole = next((path for path in owners.WHOLE if pattern == path or pattern.startswith(f"{path}.")), None)
    found = []
    for number, each in enumerate(state.contributions):
        if value_at(each.partial.body, parts) is None:
            continue
        rank = owners.order(each.service) if parts[0] == "parties" else owners.rank(whole or pattern, each.service)
        if rank is not None:
            right = "owner" if rank == 0 else f"stands in, {rank + 1}. in the table of owners"
            found.append((rank, number, each, right))
    return [(each, right) for _, _, each, right in sorted(found, key=lambda item: item[:2])]


def _rows_behind(
    process: Process, state: State, settings: Settings, contribution: Contribution, parts: Path
) -> list[Row]:
    """Of the rows of a partial document those without which the value would be another."""
    rows = list(contribution.partial.rows)
    if len(rows) == 1:
        return rows
    value = value_at(state.document, parts)
    needed = [row for row in rows if value_at(_state(without_rows(process, [row]), settings).document, parts) != value]
    return needed or rows


def _described(conn: Connection, row: Row) -> Object:
    columns = t.raw_record.c
    found = conn.execute(
        select(columns.run_id, columns.observed_at).where(
            columns.service == row.service, columns.scope == row.scope, columns.key == row.key, columns.current
        )
    ).one()
    return {
        "source": SERVICES[row.service][0],
        "service": row.service,
        "scope": row.scope,
        "key": scrub(row.key) or SCRUBBED,
        "run": found.run_id,
        "observed_at": found.observed_at,
    }


def _last_release(conn: Connection, ocid: str, parts: Path) -> Object | None:
    giving = [release for release in releases_of(conn, [ocid])[ocid] if value_at(release, parts) is not None]
    if not giving:
        return None
    lineage = lineages_of(conn, ocid)[giving[-1]["id"]]
    return {"id": giving[-1]["id"], "date": giving[-1]["date"], "rows": len(lineage)}
