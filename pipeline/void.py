"""Voiding: releases that should never have been published. What is true and was in them is published anew by the next
build, later than all releases of the process."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from pipeline.clock import utc_now
from pipeline.links import standing_links
from pipeline.queues import enqueue_processes
from transforms.identity import Code
from transforms.merge import compiled
from transforms.paths import value_at
from warehouse import tables as t
from warehouse.releases import lineages_of, packed, releases_of
from warehouse.search import PROCESS, write_keys
from warehouse.star import write_star

log = logging.getLogger("jejak.void")


def void(
    conn: Connection,
    ocid: str,
    wrong: Callable[[dict[str, Any], list[list[Any]]], bool],
    reason: str,
    *,
    erase: bool = False,
) -> list[str]:
    """Void the releases of a process that are `wrong` (given body and lineage), and queue the process; return their
    ids. `erase` erases their bodies too: id, date and reason stay."""
    bodies = releases_of(conn, [ocid])[ocid]
    lineages = lineages_of(conn, ocid)
    voided = {body["id"] for body in bodies if wrong(body, lineages[body["id"]])}
    columns = t.release.c
    if erase:
        # Also of releases that were voided before, for another reason.
        for body in releases_of(conn, [ocid], voided=True)[ocid]:
            if wrong(body, []):
                conn.execute(update(t.release).where(columns.id == body["id"]).values(body=None))
    if not voided:
        return []
    now = utc_now()
    conn.execute(
        update(t.release)
        .where(columns.id == bindparam("release"))
        .values(body=bindparam("content"), voided_at=bindparam("at"), void_reason=bindparam("why")),
        [
            {
                "release": body["id"],
                "content": None if erase and body["id"] in voided else packed(body),
                "at": now if body["id"] in voided else None,
                "why": reason if body["id"] in voided else None,
            }
            for body in bodies
        ],
    )
    _record_without(conn, ocid, [body for body in bodies if body["id"] not in voided])
    enqueue_processes(conn, [ocid])
    log.info("%s: voided %d of %d releases", ocid, len(voided), len(bodies))
    return sorted(voided)


def _record_without(conn: Connection, ocid: str, left: list[dict[str, Any]]) -> None:
    """The record as the remaining releases give it; the build that follows brings it to the state."""
    columns = t.record.c
    if left:
        merged = compiled(left)
        before = conn.execute(select(columns.withdrawn).where(columns.ocid == ocid)).scalar_one_or_none() or ()
        gone = [path for path in before if value_at(merged, path) is not None]
        values = {"compiled": merged, "withdrawn": gone or None, "releases": len(left), "date": merged["date"]}
        conn.execute(update(t.record).where(columns.ocid == ocid).values(**values))
        return
    write_star(conn, [(ocid, {})])
    write_keys(conn, PROCESS, {ocid: set()})
    conn.execute(delete(t.record).where(columns.ocid == ocid))


def _made_of(subject: Code, body: dict[str, Any], lineage: list[list[Any]]) -> bool:
    return any((row[0], row[1]) == subject for row in lineage)


def _codes_of(conn: Connection, ocid: str) -> set[Code]:
    """The codes of a process and the RUPs whose planning it carries."""
    own = select(t.identity.c.kind, t.identity.c.key).where(t.identity.c.ocid == ocid)
    carried = select(t.process_rup.c.kind, t.process_rup.c.code).where(t.process_rup.c.ocid == ocid)
    return {(kind, code) for query in (own, carried) for kind, code in conn.execute(query)}


def void_rejected(conn: Connection, links: Iterable[Any]) -> int:
    """Void what rejected links had brought into processes: the releases that hold or withdraw rows of a link's subject,
    in the processes of its target, unless another link still joins the subject to them. Returns how many."""
    count = 0
    for link in links:
        subject: Code = (link.from_kind, link.from_code)
        target = select(t.identity.c.ocid).where(t.identity.c.kind == link.to_kind, t.identity.c.key == link.to_code)
        carrying = select(t.process_rup.c.ocid).where(
            t.process_rup.c.kind == link.to_kind, t.process_rup.c.code == link.to_code
        )
        for ocid in sorted({*conn.execute(target).scalars(), *conn.execute(carrying).scalars()}):
            if any(subject in joined for joined in standing_links(conn, _codes_of(conn, ocid)).values()):
                continue
            voided = void(
                conn,
                ocid,
                partial(_made_of, subject),
                f"link {link.id} was rejected: {subject[0]} {subject[1]} does not belong to this process",
            )
            count += len(voided)
    return count
