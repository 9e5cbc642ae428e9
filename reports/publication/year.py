"""The files of one fiscal year: OCDS packages and lines, tables, coverage, the ids of all releases."""

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from reports.publication.files import CutFile, opened
from reports.publication.processes import PublishedProcess, processes, shown_state
from reports.publication.tables import write_csv, write_workbook
from transforms.merge import versioned

RELEASE_IDS = ("ocid", "id", "date", "made_at", "tags")
TABLES = "tables.json"

_END = b"\n]}\n"


def write_year(
    conn: Connection,
    years: Mapping[str, int],
    folder: Path,
    work: Path,
    package: Callable[[str], dict[str, Any]],
    *,
    mark: str,
    heading: str,
    with_versions: bool,
    pool: Executor,
) -> tuple[dict[str, int], "Future[None]"]:
    """Write the files of the processes in `years`, all of one fiscal year, into `folder`; return how many processes and
    releases they hold, and what is done once their tables are written too, by `pool`.

    `package` gives the metadata of the package in the file of a name; `mark` begins the names of all files; `heading`
    is the first sheet of the workbook; `work` takes what is needed meanwhile.
    """
    counts = {"processes": 0, "releases": 0}
    paths: Counter[str] = Counter()
    parents: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    work.mkdir()
    states = work / "states.jsonl"
    with ExitStack() as stack:

        def file(name: str, suffix: str, **options: Any) -> CutFile:
            return stack.enter_context(CutFile(folder, f"{mark}{name}", suffix, **options))

        def packed(name: str, what: str) -> CutFile:
            def head(of: str) -> bytes:
                return orjson.dumps(package(of))[:-1] + b',"%b":[\n' % what.encode()

            return file(name, ".json.gz", head=head, between=b",\n", tail=_END)

        releases, records = packed("release_package", "releases"), packed("record_package", "records")
        release_lines, compiled_lines = file("releases", ".jsonl.gz"), file("compiled", ".jsonl.gz")
        ids = stack.enter_context(opened(folder / f"{mark}release_ids.csv.gz"))
        ids.write(csv_line(RELEASE_IDS))
        flat = stack.enter_context(states.open("wb"))
        for process in processes(conn, dict(years)):
            bodies = [_json(release.body) for release in process.releases]
            compiled = _json(process.record)
            for body, release in zip(bodies, process.releases, strict=True):
                releases.write(body)
                release_lines.write(body + b"\n")
                ids.write(csv_line((process.ocid, release.id, release.date, release.made_at, " ".join(release.tags))))
            compiled_lines.write(compiled + b"\n")
            records.write(_record(process, bodies, compiled, with_versions=with_versions))
            flat.write(_json({**shown_state(process), "date": process.record["date"]}) + b"\n")
            _count(process.state, "", paths, parents, filled, set())
            counts["processes"] += 1
            counts["releases"] += len(bodies)
    with opened(folder / f"{mark}coverage.csv") as coverage:
        coverage.write(csv_line(("path", "processes", "share_of_processes", "filled", "share_of_parents")))
        for path in sorted(paths):
            above = parents[path.rpartition("/")[0]] or counts["processes"]
            share = (f"{filled[path] / counts['processes']:.4f}", paths[path], f"{paths[path] / above:.4f}")
            coverage.write(csv_line((path, filled[path], *share)))
    return counts, pool.submit(_write_tables, states, folder, work, mark, heading)


def _write_tables(states: Path, folder: Path, work: Path, mark: str, heading: str) -> None:
    tables = write_csv(states, folder / "csv", mark, work / "flat")
    (folder / f"{mark}{TABLES}").write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
    write_workbook(work / "flat", folder / f"{mark}tabel.xlsx", heading)
    shutil.rmtree(work)


def _json(value: Any) -> bytes:
    # Sorted, since JSONB does not keep the order of keys.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _record(process: PublishedProcess, bodies: list[bytes], compiled: bytes, *, with_versions: bool) -> bytes:
    parts = [orjson.dumps(process.ocid), b",".join(bodies), compiled]
    if not with_versions:
        return b'{"ocid":%b,"releases":[%b],"compiledRelease":%b}' % tuple(parts)
    parts.append(_json(versioned([release.body for release in process.releases])))
    return b'{"ocid":%b,"releases":[%b],"compiledRelease":%b,"versionedRelease":%b}' % tuple(parts)


def _count(
    node: Any, path: str, paths: Counter[str], parents: Counter[str], filled: Counter[str], seen: set[str]
) -> None:
    """Count where values stand in a state: in how many objects (`paths`) of how many (`parents`), and in how many
    processes (`filled`)."""
    if isinstance(node, list):
        for entry in node:
            if isinstance(entry, dict | list):
                _count(entry, path, paths, parents, filled, seen)
        return
    if not isinstance(node, dict):
        return
    parents[path] += 1
    for name, value in node.items():
        here = f"{path}/{name}" if path else name
        paths[here] += 1
        if here not in seen:
            seen.add(here)
            filled[here] += 1
        _count(value, here, paths, parents, filled, seen)


def csv_line(values: Iterable[Any]) -> bytes:
    """One line of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()
