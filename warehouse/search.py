"""What processes and linked subjects are found by: the table search_key, kept as they are built."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, select

from warehouse import tables as t
from warehouse.load import insert_rows, key_set

PROCESS = "process"


def write_keys(
    conn: Connection, holder_kind: str, keys: Mapping[str, set[tuple[str, str]]], new: Collection[str] = ()
) -> None:
    """Bring the keys, (key, what it is), of some holders of one kind to these; only what differs is written. `new` are
    those that have none yet."""
    columns = t.search_key.c
    stored: dict[str, set[tuple[str, str]]] = defaultdict(set)
    if known := keys.keys() - set(new):
        query = select(columns.holder, columns.key, columns.kind)
        for holder, key, kind in conn.execute(
            query.where(columns.holder_kind == holder_kind, columns.holder.in_(key_set(conn, known)))
        ):
            stored[holder].add((key, kind))
    gone = [(*each, holder) for holder, now in keys.items() for each in stored[holder] - now]
    if gone:
        conn.execute(
            delete(t.search_key).where(
                columns.key == bindparam("of_key"),
                columns.kind == bindparam("of_kind"),
                columns.holder_kind == holder_kind,
                columns.holder == bindparam("of_holder"),
            ),
            [{"of_key": key, "of_kind": kind, "of_holder": holder} for key, kind, holder in gone],
        )
    insert_rows(
        conn,
        t.search_key,
        [
            {"key": key, "kind": kind, "holder_kind": holder_kind, "holder": holder}
            for holder, now in keys.items()
            for key, kind in sorted(now - stored[holder])
        ],
    )
