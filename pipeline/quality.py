"""The step that checks all records, the data set, its history and its sources, and keeps what it finds.

Every finding stands in `quality_finding`, counts in `quality_measure`; a report shows at most 200 of a rule.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import IO, Any

import orjson
from sqlalchemy import Connection, Text, cast, delete, func, select

from pipeline.progress import with_progress
from pipeline.registry import SERVICES
from pipeline.steps import warehouse
from schemas.settings import Settings
from transforms import census
from transforms.census import Census, Measure
from transforms.difference import living
from transforms.parties import SCRUBBED, scrub
from transforms.quality import SEVERITY, at_stake, check
from warehouse import tables as t
from warehouse.engine import from_json, reading, writing
from warehouse.load import insert_rows, key_set

Object = dict[str, Any]

SEVERITIES: dict[str, str] = {**SEVERITY, **census.SEVERITY}
"""Code of every rule -> error, warning or notice."""

_EMPTY: tuple[object, ...] = (None, "", [], {})


def compute_quality(settings: Settings, run_id: str) -> dict[str, int]:
    """Check everything anew, in place of what was found before; return how many findings there are of each code.

    Records are read in one snapshot without a transaction that writes; the findings wait on disk.
    """
    engine = warehouse(settings)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryFile() as spool:
        with reading(engine) as conn:
            counted = Census()
            for finding in (*_sources(conn), *_records(conn, counted)):
                counts[finding["code"]] += 1
                spool.write(orjson.dumps(finding) + b"\n")
            found_measures = [*census.measures(counted), *_rows_filled(conn)]
        spool.seek(0)
        with writing(engine) as conn:
            conn.execute(delete(t.quality_finding))
            conn.execute(delete(t.quality_measure))
            insert_rows(conn, t.quality_finding, _numbered(spool, run_id))
            insert_rows(conn, t.quality_measure, ({**each._asdict(), "run_id": run_id} for each in found_measures))
    return dict(counts)


def _numbered(spool: IO[bytes], run_id: str) -> Iterator[Object]:
    for number, line in enumerate(spool, 1):
        yield {"number": number, **orjson.loads(line), "run_id": run_id}


def _finding(code: str, level: str, path: str, message: str, **more: Any) -> Object:
    empty = dict.fromkeys(
        ("ocid", "title", "office_id", "office_name", "fiscal_year", "source", "service", "amount"), None
    )
    known = {"code": code, "level": level, "severity": SEVERITIES[code], "path": path, "message": message}
    return {**known, **empty, **more}


def _records(conn: Connection, counted: Census) -> Iterator[Object]:
    """What is wrong in single records, over time and beside others; `counted` is filled meanwhile."""
    columns = t.record.c
    query = select(columns.ocid, columns.compiled, columns.withdrawn, columns.rowless_since).order_by(columns.ocid)
    many = conn.scalar(select(func.count()).select_from(t.record)) or 0
    rows = conn.execution_options(yield_per=500).execute(query)
    for row in with_progress(rows, many, "records checked"):
        state = {"ocid": row.ocid, "date": row.compiled["date"], **living(row.compiled, row.withdrawn or ())}
        census.count(counted, state)
        of_it = _about(state)
        for found in check(state):
            yield _finding(found.code, "record", found.path, found.message, **of_it)
        if row.rowless_since:
            yield _finding(
                "ocid_vanished", "time", "", f"no current row is about it since {row.rowless_since[:10]}", **of_it
            )
        elif row.withdrawn:
            for code, path, message in census.went_back(row.compiled, state):
                yield _finding(code, "time", path, message, **of_it)
    beside = list(census.together(counted))
    ocids = key_set(conn, {ocid for _, ocid, _, _ in beside})
    few = select(columns.ocid, columns.compiled, columns.withdrawn).where(columns.ocid.in_(ocids))
    about = {
        row.ocid: _about({"ocid": row.ocid, **living(row.compiled, row.withdrawn or ())}) for row in conn.execute(few)
    }
    for code, ocid, path, message in beside:
        yield _finding(code, "dataset", path, message, **about[ocid])


def _about(state: Object) -> Object:
    """What a finding holds of its process."""
    buyer = state.get("buyer") or {}
    return {
        "ocid": state["ocid"],
        "title": state.get("title") or state.get("tender", {}).get("title"),
        "office_id": buyer.get("id"),
        "office_name": buyer.get("name"),
        "fiscal_year": state.get("planning", {}).get("budget", {}).get("fiscalYear"),
        "amount": at_stake(state),
    }


def _sources(conn: Connection) -> Iterator[Object]:
    """What of the sources' rows could not be used, by service."""
    reject, signal = t.reject.c, t.signal.c
    rejected = (
        select(reject.source, reject.service, reject.reason, func.count().label("rows"))
        .where(reject.resolved_at.is_(None))
        .group_by(reject.source, reject.service, reject.reason)
        .order_by(reject.source, reject.service, reject.reason)
    )
    for row in conn.execute(rejected):
        yield _finding(
            "rows_rejected", "source", "", f"{row.rows:,} rows: {row.reason}", source=row.source, service=row.service
        )
    codes = {"dropped": "field_left_out", "code": "code_unmapped"}
    query = select(signal.source, signal.service, signal.field, signal.kind, signal.value, signal.rows)
    for row in conn.execute(query.where(signal.kind.in_(codes)).order_by(signal.source, signal.service, signal.field)):
        # A value that no code table knows is what somebody typed.
        value = scrub(row.value) or SCRUBBED
        yield _finding(
            codes[row.kind], "source", row.field, f"{row.rows:,} rows: {value}", source=row.source, service=row.service
        )


def _rows_filled(conn: Connection) -> Iterator[Measure]:
    """How many current rows of each service fill each field, by name: no value is kept, personal or not."""
    columns = t.raw_record.c
    rows: Counter[str] = Counter()
    filled: dict[str, Counter[str]] = defaultdict(Counter)
    standing = (columns.current, ~columns.gone)
    query = select(columns.service, cast(columns.payload, Text)).where(*standing)
    many = conn.scalar(select(func.count()).select_from(t.raw_record).where(*standing)) or 0
    found = conn.execution_options(yield_per=2000).execute(query)
    for service, payload in with_progress(found, many, "rows counted"):
        rows[service] += 1
        names = filled[service]
        for name, value in from_json(payload).items():
            names[name] += value not in _EMPTY
    for service in sorted(rows):
        if service in SERVICES:
            for name, number in sorted(filled[service].items()):
                yield Measure("filled", service, name, "", number, rows[service])
