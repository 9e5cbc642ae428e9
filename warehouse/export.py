"""Streaming exports of OCDS as JSON Lines. The same warehouse gives the same files.

Files take the place of the earlier ones when all are whole: a killed export leaves those. They are readable by their
owner alone, like the warehouse.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, select

from warehouse.load import key_set
from warehouse.releases import Lineage, by_process, releases_of, unpacked
from warehouse.tables import raw_record, record, release
from warehouse.whole import replacing

# Rows held in memory at a time.
_CHUNK = 1000


def export(
    conn: Connection,
    out_dir: Path,
    *,
    package: Mapping[str, Any],
    sources: Mapping[str, str],
    beside: Mapping[str, bytes] = MappingProxyType({}),
    seen: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int]:
    """Write the OCDS exports into `out_dir` and return the number of lines per file.

    - `releases.jsonl`: the valid releases, by ocid and time
    - `compiled.jsonl`: the compiled releases
    - `records.jsonl`: OCDS records: `{"ocid", "releases", "compiledRelease"}`
    - `rows.jsonl`: per current source row and process `{"source", "service", "key", "ocid", "release"}`: `key` is the
      source's own code, `release` the latest release of the process that was made of the row: of its current version,
      else of an earlier one that gave the same; null where the process has no release that the row changed
    - `package.json`: `package`, the metadata (publisher, extensions, ...) that a package of these lines needs
    - `beside`: other files by their names

    `sources` gives the source of each service, `seen` gets how many processes are written, of how many. `conn` is
    best a `reading(engine)`: then all files show one state.
    """
    names = ("releases.jsonl", "compiled.jsonl", "records.jsonl", "rows.jsonl")
    with replacing(out_dir) as folder:
        counts = dict.fromkeys(names, 0)
        with ExitStack() as stack:
            files = {name: stack.enter_context((folder / name).open("wb")) for name in names}
            for process in _processes(conn, seen):
                for name, lines in zip(names, _lines(process, sources), strict=True):
                    files[name].writelines(line + b"\n" for line in lines)
                    counts[name] += len(lines)
        (folder / "package.json").write_bytes(orjson.dumps(package, option=orjson.OPT_INDENT_2) + b"\n")
        for name, content in beside.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return counts


_Process = tuple[str, Any, list[list[Any]], list[dict[str, Any]], list[tuple[str, Lineage]]]


def _processes(conn: Connection, seen: Callable[[int, int], None]) -> Iterator[_Process]:
    """OCID, compiled release, row versions of the state, releases, and the lineage of each, by OCID."""
    ocids = conn.execute(select(record.c.ocid).order_by(record.c.ocid)).scalars().all()
    for start in range(0, len(ocids), _CHUNK):
        seen(start, len(ocids))
        chunk = ocids[start : start + _CHUNK]
        keys = key_set(conn, chunk)
        columns = release.c
        lineages = by_process(
            conn.execute(
                select(columns.ocid, columns.id, columns.lineage)
                .where(columns.ocid.in_(keys), columns.voided_at.is_(None))
                .order_by(columns.ocid, columns.number)
            )
        )
        releases = releases_of(conn, chunk)
        records = conn.execute(
            select(record.c.ocid, record.c.compiled, record.c.rows)
            .where(record.c.ocid.in_(keys))
            .order_by(record.c.ocid)
        ).all()
        versions = {row.ocid: unpacked(row.rows) for row in records}
        # Tombstones are part of what a record was made of; they are no rows.
        numbers = key_set(conn, {version[-1] for each in versions.values() for version in each}, int)
        raw = raw_record.c
        gone = set(conn.execute(select(raw.id).where(raw.id.in_(numbers), raw.gone)).scalars())
        for row in records:
            made_of = [(each.id, unpacked(each.lineage)) for each in lineages[row.ocid]]
            rows = [version for version in versions[row.ocid] if version[-1] not in gone]
            yield row.ocid, row.compiled, rows, releases[row.ocid], made_of


def _lines(process: _Process, sources: Mapping[str, str]) -> tuple[list[bytes], ...]:
    """What a process gives to each file. Keys are sorted, since JSONB does not keep their order."""
    ocid, compiled, rows, releases, lineages = process
    bodies = [orjson.dumps(body, option=orjson.OPT_SORT_KEYS) for body in releases]
    merged = orjson.dumps(compiled, option=orjson.OPT_SORT_KEYS)
    record_line = b'{"ocid":%b,"releases":[%b],"compiledRelease":%b}' % (orjson.dumps(ocid), b",".join(bodies), merged)
    latest: dict[tuple[str, ...], str] = {}
    for name, lineage in lineages:
        for version in lineage:
            latest[tuple(version)] = latest[tuple(version[:5])] = name
    of_rows = [
        orjson.dumps(
            {
                "source": sources.get(service),
                "service": service,
                "key": code,
                "ocid": ocid,
                "release": latest.get((kind, code, service, scope, key, observed_at))
                or latest.get((kind, code, service, scope, key)),
            }
        )
        for kind, code, service, scope, key, observed_at, gone, _ in sorted(rows)
        if not gone
    ]
    return bodies, [merged], [record_line], of_rows
