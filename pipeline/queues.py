"""What changed and has to be looked at again: by (kind, code), and by OCID once a code has its process.

An entry bears the token of the latest change. Who has worked on it clears it only with the token that it saw, so that
what changes meanwhile is not lost.
"""

import secrets
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, text

from transforms.identity import Code
from warehouse import tables as t
from warehouse.load import upsert_rows

_QUEUE_LOCK = 0x6A656A616F  # key of PostgreSQL's advisory lock


def settling(conn: Connection, *, shared: bool = False) -> None:
    """Let transactions that queue take turns on PostgreSQL (builds, `shared`, only with those): each has to see what
    the others looked up and what they answered. To be called before any row of a queue is locked."""
    if conn.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        conn.execute(text(f"SELECT {lock}(:key)"), {"key": _QUEUE_LOCK})


def enqueue_codes(conn: Connection, source: str, codes: Iterable[Code]) -> None:
    """Queue codes whose rows, of this source, changed."""
    token = secrets.token_hex(8)
    upsert_rows(
        conn,
        t.pending_code,
        [{"kind": kind, "code": code, "source": source, "token": token} for kind, code in sorted(set(codes))],
    )


def enqueue_processes(conn: Connection, ocids: Iterable[str]) -> None:
    """Queue processes whose state may have changed."""
    token = secrets.token_hex(8)
    upsert_rows(conn, t.pending_process, [{"ocid": ocid, "token": token} for ocid in sorted(set(ocids))])


def clear_processes(conn: Connection, seen: Mapping[str, str]) -> None:
    """Take processes off the queue, by the tokens that were seen."""
    columns = t.pending_process.c
    if seen:
        conn.execute(
            delete(t.pending_process).where(columns.ocid == bindparam("at"), columns.token == bindparam("seen")),
            [{"at": ocid, "seen": token} for ocid, token in sorted(seen.items())],
        )
