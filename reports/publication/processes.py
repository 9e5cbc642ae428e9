"""The contracting processes as a publication gives them: what both its files and its pages are made of."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select

from pipeline.registry import MAPPINGS, SERVICES
from transforms.difference import Path, living
from warehouse import tables as t
from warehouse.load import key_set
from warehouse.releases import releases_of, unpacked

Object = dict[str, Any]

# Rows held in memory at a time.
_CHUNK = 500
_OF_TENDER = ("title", "buyer", "planning", "tender")
_PROPOSALS = ["planning", "proposals"]
_ANNOUNCING = {service for mapping in MAPPINGS.values() for service in mapping.announcing}


@dataclass(frozen=True, slots=True)
class PublishedRelease:
    """One valid release: `made_at` is when it was written (UTC), `body` the whole OCDS release."""

    id: str
    date: str
    made_at: str
    tags: list[str]
    body: Object


@dataclass(frozen=True, slots=True)
class PublishedProcess:
    """One contracting process with a record.

    `record` is the compiled release, `withdrawn` the paths in it that no row gives any more, `state` the record without
    them (with `ocid`). `releases` are the valid ones in the order of merging. `services` gives, for each service
    that has current rows in the state, the time (UTC) when the newest of them was first seen as it is. Two processes
    with one `digest` have the same content. `deactivated`: SIRUP has taken back all plans of its own, which the state
    does not say once an attempt speaks for the tender.
    """

    ocid: str
    fiscal_year: int
    family: str
    record: Object
    withdrawn: Sequence[Path]
    releases: list[PublishedRelease]
    services: dict[str, str]
    digest: str
    state: Object = field(repr=False)
    deactivated: bool = False

    @property
    def sources(self) -> dict[str, str]:
        """Of each source system the time (UTC) of the newest of its rows in the state."""
        newest: dict[str, str] = {}
        for service, observed_at in self.services.items():
            source = SERVICES[service][0]
            newest[source] = max(observed_at, newest.get(source, ""))
        return newest


def fiscal_years(conn: Connection, known: Mapping[str, int] | None = None) -> dict[str, int]:
    """The fiscal year of every process that has a record, by OCID, in the order of OCIDs.

    It is the oldest fiscal year in which the process was announced when its first release was made. That release, and
    the rows that it was made of, never change; so the year doesn't either, and what is `known` isn't worked out again.
    """
    known = known or {}
    columns, own = t.release.c, t.identity.c
    ocids = conn.execute(select(t.record.c.ocid).order_by(t.record.c.ocid)).scalars().all()
    years = {ocid: known.get(ocid, 0) for ocid in ocids}
    unknown = [ocid for ocid, year in years.items() if not year]
    for start in range(0, len(unknown), _CHUNK):
        keys = key_set(conn, unknown[start : start + _CHUNK])
        codes: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for row in conn.execute(select(own.ocid, own.kind, own.key).where(own.ocid.in_(keys))):
            codes[row.ocid].add((row.kind, row.key))
        first = select(columns.ocid, columns.date, columns.lineage).where(columns.ocid.in_(keys), columns.number == 1)
        for row in conn.execute(first.order_by(columns.ocid)):
            years[row.ocid] = _oldest(unpacked(row.lineage), codes[row.ocid]) or int(row.date[:4])
    return years


def _oldest(lineage: Iterable[Any], codes: set[tuple[str, str]]) -> int | None:
    """The oldest fiscal year of rows: those that announce the process itself, else any announcement, else any row."""
    rows = [(kind, code, service, int(scope)) for kind, code, service, scope, *_ in lineage if scope.isdecimal()]
    announcing = [row for row in rows if row[2] in _ANNOUNCING]
    own = [row for row in announcing if row[:2] in codes]
    return min((row[3] for row in own or announcing or rows), default=None)


def digests(conn: Connection, ocids: Iterable[str]) -> dict[str, str]:
    """The digest of each process with a record, as `PublishedProcess` has it, without reading what it stands for."""
    found: dict[str, str] = {}
    remaining = iter(ocids)
    while chunk := list(islice(remaining, _CHUNK)):
        keys = key_set(conn, chunk)
        columns, record = t.release.c, t.record.c
        ids: dict[str, list[str]] = defaultdict(list)
        valid = select(columns.ocid, columns.id).where(columns.ocid.in_(keys), columns.voided_at.is_(None))
        for ocid, name in conn.execute(valid.order_by(columns.ocid, columns.number)):
            ids[ocid].append(name)
        deactivated = _deactivated(conn, keys)
        query = select(record.ocid, record.rows, record.withdrawn, t.process.c.family)
        joined = query.join(t.process, t.process.c.ocid == record.ocid).where(record.ocid.in_(keys))
        for row in conn.execute(joined.order_by(record.ocid)):
            content = _services(unpacked(row.rows)), row.family, row.withdrawn, row.ocid in deactivated
            found[row.ocid] = _digest(ids[row.ocid], *content)
    return found


def processes(conn: Connection, years: dict[str, int]) -> Iterator[PublishedProcess]:
    """The processes of `years` (see `fiscal_years`; a part of it gives a part of them), in its order, streaming.

    `conn` is best a `reading(engine)`: then all belong to one state of the warehouse.
    """
    ocids = list(years)
    for start in range(0, len(ocids), _CHUNK):
        chunk = ocids[start : start + _CHUNK]
        keys = key_set(conn, chunk)
        columns = t.release.c
        written = {
            row.id: row
            for row in conn.execute(
                select(columns.id, columns.made_at, columns.tags).where(
                    columns.ocid.in_(keys), columns.voided_at.is_(None)
                )
            )
        }
        bodies = releases_of(conn, chunk)
        families = dict(
            conn.execute(select(t.process.c.ocid, t.process.c.family).where(t.process.c.ocid.in_(keys))).all()
        )
        deactivated = _deactivated(conn, keys)
        record = t.record.c
        query = select(record.ocid, record.compiled, record.withdrawn, record.rows).where(record.ocid.in_(keys))
        for row in conn.execute(query.order_by(record.ocid)):
            releases = [
                PublishedRelease(body["id"], body["date"], written[body["id"]].made_at, written[body["id"]].tags, body)
                for body in bodies[row.ocid]
            ]
            services = _services(unpacked(row.rows))
            family, over = families[row.ocid], row.ocid in deactivated
            yield PublishedProcess(
                row.ocid,
                years[row.ocid],
                family,
                row.compiled,
                row.withdrawn or (),
                releases,
                services,
                _digest([each.id for each in releases], services, family, row.withdrawn, over),
                {"ocid": row.ocid, **living(row.compiled, row.withdrawn or ())},
                over,
            )


def _deactivated(conn: Connection, ocids: Select[Any]) -> set[str]:
    """Which processes have plans that were taken back and none that stands."""
    plan = t.plan.c
    query = select(plan.ocid, plan.status).where(plan.ocid.in_(ocids)).distinct()
    found: dict[str, set[str]] = defaultdict(set)
    for ocid, status in conn.execute(query):
        found[ocid].add(status)
    return {ocid for ocid, statuses in found.items() if "withdrawn" in statuses and "announced" not in statuses}


def shown_state(process: PublishedProcess) -> Object:
    """The state as tables and pages give it: with what was withdrawn from it and says so by its status. That is its
    tender, then with the plan behind it as last known, and its proposals."""
    record, gone = process.record, process.withdrawn
    over = ["tender"] in gone and record["tender"].get("status") == "withdrawn"

    def stays(path: Path) -> bool:
        return (over and path[0] in _OF_TENDER) or (path[:2] == _PROPOSALS and len(path) <= len(_PROPOSALS) + 1)

    kept = [path for path in gone if stays(path)]
    if not kept:
        return process.state
    others = [path for path in gone if path not in kept and not (path[0] == "parties" and len(path) <= 2)]
    state = {"ocid": process.ocid, **living(record, others)}
    # The office of a withdrawn plan is the tender's: no row names a buyer any more.
    if over and "name" not in state.get("buyer", {}) and "procuringEntity" in state["tender"]:
        state["buyer"] = state["tender"]["procuringEntity"]
    return state


def _services(versions: Iterable[Any]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for _, _, service, _, _, observed_at, gone, _ in versions:
        if not gone:
            newest[service] = max(observed_at, newest.get(service, ""))
    return dict(sorted(newest.items()))


def _digest(releases: Sequence[str], *others: Any) -> str:
    """Releases never change, so their ids stand for their bodies, and for the record that merging makes of them."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((list(releases), *others)).encode())
    return digest.hexdigest()
