"""What a row holds of identity and belonging, extracted once when the row is taken over, and kept beside it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from pipeline.links import ROW_KEY, RowKey, note_evidence
from pipeline.queues import enqueue_codes, enqueue_processes, settling
from pipeline.registry import SERVICES, SOURCES, code_fingerprint
from schemas.errors import RowError
from schemas.fields import CODE_LIMIT, SupplierRecord
from schemas.service import Service, SourceRecord, read_row
from transforms.evidence import Evidence
from transforms.identity import Code, Plan, Revision, RupReference
from transforms.mapping import OFFICE_NUMBER, SUB_ACTIVITY, SUPPLIER_CODE
from transforms.parties import scrub, supplier_keys, tax_numbers
from transforms.rows import renamed
from warehouse import tables as t
from warehouse.engine import reading, writing
from warehouse.load import insert_rows, key_set, of_codes, upsert_rows

log = logging.getLogger("jejak.facts")

_BATCH = 2000


@dataclass(slots=True)
class Changed:
    """What a change of rows concerns: codes by (kind, code), supplier keys, and processes. It is queued at once, at the
    end of the transaction (`settle`)."""

    codes: set[Code] = field(default_factory=set)
    suppliers: set[Code] = field(default_factory=set)
    ocids: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Facts:
    """What one row holds of identity; `suppliers` are ((kind, key), kd_penyedia, name), of a row of one of the masters
    without its fiscal year. `evidence` is empty where the row holds nothing about whom it belongs to, `master` is
    (table, columns) of a row of one of the masters."""

    plan: Plan | None
    revision: Revision | None
    reference: RupReference | None
    suppliers: tuple[tuple[Code, str, str | None], ...]
    evidence: Evidence | None
    master: tuple[str, dict[str, Any]] | None


def extract(source: str, service: Service, record: SourceRecord, subject: tuple[str | None, str]) -> Facts:
    """The facts of a row; `subject` is its (kind, code) as the row is known by."""
    mapping, name = SOURCES[source].mapping, service.name
    identifying = name in mapping.identifying
    master = mapping.masters[name](record) if name in mapping.masters else None
    keys = tuple(_suppliers(record)) if isinstance(record, SupplierRecord) else ()
    if master:
        keys = tuple(_mastered(record, *master))
    evidence = next(iter(mapping.evidence(name, record)), None) if name in mapping.evident else None
    if evidence is not None and service.linked and subject[0]:
        evidence = replace(evidence, subject=(subject[0], subject[1]))
    return Facts(
        next(iter(mapping.plans(name, record)), None) if identifying else None,
        next(iter(mapping.revisions(name, record)), None) if identifying else None,
        next(iter(mapping.references(name, record)), None) if identifying else None,
        keys,
        evidence,
        master,
    )


def _suppliers(record: SupplierRecord) -> Iterator[tuple[Code, str, str | None]]:
    if code := record.kd_penyedia:
        numbers = tax_numbers(record.npwp_penyedia, record.npwp_penyedia_16)
        for key in dict.fromkeys(supplier_keys(record.nama_penyedia, numbers)):
            yield key, code, scrub(record.nama_penyedia)


def _mastered(record: SourceRecord, table: str, columns: dict[str, Any]) -> Iterator[tuple[Code, str, str | None]]:
    """The name of a sub-activity, the code of an office that SIRUP numbers."""
    if table == t.office_structure.name and columns["sirup_code"] and record.office.code:
        yield (OFFICE_NUMBER, columns["sirup_code"]), record.office.code, None
    if table == t.budget_activity.name and columns["level"] == "sub_activity" and columns["name"]:
        yield (SUB_ACTIVITY, columns["code"]), columns["name"], None


def write_facts(
    conn: Connection, rows: Iterable[tuple[int, RowKey, Facts]], gone: Iterable[RowKey], changed: Changed
) -> None:
    """Keep the facts of new current row versions (id, row key, facts); `gone` are keys whose row is there no more.
    Adds to `changed` what they concern."""
    plans: list[dict[str, Any]] = []
    revisions: list[dict[str, Any]] = []
    references: list[dict[str, Any]] = []
    suppliers: list[dict[str, Any]] = []
    masters: dict[str, list[dict[str, Any]]] = {table.name: [] for table in t.MASTERS}
    evidence: list[tuple[RowKey, Evidence | None]] = [(row_key, None) for row_key in gone]
    for row_id, row_key, facts in rows:
        if plan := facts.plan:
            kind, code = plan.rup
            plans.append(
                {"row_id": row_id, "kind": kind, "code": code, "first_year": plan.first_year, "inside": plan.inside}
            )
        if revision := facts.revision:
            revisions.append(
                {
                    "row_id": row_id,
                    "kind": revision.older[0],
                    "older": revision.older[1],
                    "newer": revision.newer[1],
                    "type": revision.type,
                    "date": revision.date,
                }
            )
        if reference := facts.reference:
            references.append(
                {
                    "row_id": row_id,
                    "kind": reference.subject[0],
                    "code": reference.subject[1],
                    "rups": reference.rups,
                    "priority": reference.priority,
                    "created": reference.created,
                    "package": reference.package,
                    "version": reference.version,
                    "failed": reference.failed,
                }
            )
        lead = ""
        if facts.master:
            table, columns = facts.master
            scope = row_key[2]
            year = columns["fiscal_year"] or (int(scope) if scope.isdecimal() else None)
            masters[table].append({"row_id": row_id, **columns, "fiscal_year": year})
            lead = f"{year}-"
        # Key and answer are indexed, and no index takes a text of any length.
        suppliers += [
            {"row_id": row_id, "kind": kind, "key": f"{lead}{key}", "kd_penyedia": code[:CODE_LIMIT], "name": name}
            for (kind, key), code, name in facts.suppliers
        ]
        evidence.append((row_key, facts.evidence))
    insert_rows(conn, t.plan_fact, plans)
    insert_rows(conn, t.rup_revision, revisions)
    insert_rows(conn, t.rup_reference, references)
    insert_rows(conn, t.supplier_name, suppliers)
    for master in t.MASTERS:
        insert_rows(conn, master, masters[master.name])
    changed.codes |= _revised(revisions)
    changed.suppliers |= _looked_up((row["kind"], row["key"], row["kd_penyedia"]) for row in suppliers)
    note_evidence(conn, evidence)


def extract_outdated(engine: Engine) -> None:
    """Extract the facts of all current rows again whose service's facts another code extracted."""
    columns, code = t.raw_record.c, code_fingerprint()
    with reading(engine) as conn:
        outdated = (
            conn.execute(
                select(t.fingerprint.c.service)
                .where(t.fingerprint.c.extraction != code)
                .order_by(t.fingerprint.c.service)
            )
            .scalars()
            .all()
        )
    for name in outdated:
        if name not in SERVICES:
            continue
        source, service = SERVICES[name]
        log.info("%s: its rows' codes were extracted by another version; they are extracted again", name)
        last = 0
        rows: list[Any] = []
        while last == 0 or rows:
            with writing(engine) as conn:
                rows = list(
                    conn.execute(
                        select(*(columns[c] for c in ("id", *ROW_KEY, "kind", "code", "payload")))
                        .where(columns.service == name, columns.current, ~columns.gone, columns.id > last)
                        .order_by(columns.id)
                        .limit(_BATCH)
                        # Not while it is replaced: facts of a row that is current no more would stay.
                        .with_for_update()
                    )
                )
                last = rows[-1].id if rows else last + 1
                changed = Changed({(row.kind, row.code) for row in rows if row.kind})
                drop_facts(conn, [row.id for row in rows], changed)
                found, refused = [], []
                for row in rows:
                    row_key: RowKey = (row.source, row.service, row.scope, row.key)
                    try:
                        record, _ = read_row(service, renamed(service, row.payload))
                        found.append((row.id, row_key, extract(source, service, record, (row.kind, row.code))))
                    except RowError:
                        # Today's model refuses it: a build leaves it out and keeps it among the rejects.
                        refused.append(row_key)
                    except Exception as error:
                        # What nobody foresaw in one row must not stop the others.
                        refused.append(row_key)
                        log.error(
                            "%s: the facts of row %d can't be extracted: %s, a defect of Jejak; please report it",
                            *(name, row.id, type(error).__name__),
                        )
                write_facts(conn, found, refused, changed)
                settling(conn)
                settle(conn, source, changed)
        with writing(engine) as conn:
            upsert_rows(conn, t.fingerprint, [{"service": name, "extraction": code}])


def drop_facts(conn: Connection, row_ids: list[int], changed: Changed) -> None:
    """Forget the facts of row versions that are current no more; adds to `changed` what they concerned."""
    if not row_ids:
        return
    ids = key_set(conn, row_ids, int)
    revision, supplier = t.rup_revision.c, t.supplier_name.c
    changed.codes |= _revised(conn.execute(select(t.rup_revision).where(revision.row_id.in_(ids))).mappings())
    given = select(supplier.kind, supplier.key, supplier.kd_penyedia).where(supplier.row_id.in_(ids)).distinct()
    keys = conn.execute(given).all()
    for table in (t.plan_fact, t.rup_revision, t.rup_reference, t.supplier_name, *t.MASTERS):
        conn.execute(delete(table).where(table.c.row_id.in_(ids)))
    changed.suppliers |= _looked_up(keys)


def _looked_up(given: Iterable[Sequence[str]]) -> set[Code]:
    """The keys whose answers hang on some (kind, key, answer): the keys themselves, and the code of a supplier."""
    known = list(given)
    return {(kind, key) for kind, key, _ in known} | {
        (SUPPLIER_CODE, code) for kind, _, code in known if kind not in (SUB_ACTIVITY, OFFICE_NUMBER)
    }


def _revised(revisions: Iterable[Any]) -> set[Code]:
    """Both codes of revisions: where their processes belong may be another."""
    return {(row["kind"], row[name]) for row in revisions for name in ("older", "newer")}


def settle(conn: Connection, source: str, changed: Changed) -> None:
    """Queue what a change of rows of a source concerns, after `settling`: last in its transaction."""
    ocids = changed.ocids | _write_supplier_keys(conn, changed.suppliers)
    enqueue_codes(conn, source, changed.codes)
    enqueue_processes(conn, ocids)


def _write_supplier_keys(conn: Connection, keys: set[Code]) -> set[str]:
    """Bring the supplier crosswalk to what current rows give for some keys; return the processes that had looked up
    one whose answer changed."""
    if not keys:
        return set()
    name = t.supplier_name.c
    found: dict[Code, set[str]] = {key: set() for key in keys}
    given = name.key.in_(key_set(conn, {key for kind, key in keys if kind != SUPPLIER_CODE}))
    for row in conn.execute(select(name.kind, name.key, name.kd_penyedia).where(given).distinct()):
        if (row.kind, row.key) in found:
            found[row.kind, row.key].add(row.kd_penyedia)
    # A name or number of two suppliers does not distinguish them: it is a key to nobody.
    now = {key: next(iter(codes)) if len(codes) == 1 else "" for key, codes in found.items()}
    coded = name.kd_penyedia.in_(key_set(conn, {key for kind, key in keys if kind == SUPPLIER_CODE}))
    named = select(name.kd_penyedia, func.min(name.name)).where(coded).group_by(name.kd_penyedia)
    now |= {(SUPPLIER_CODE, code): first or "" for code, first in conn.execute(named)}
    stored = {
        (row.kind, row.key): row.kd_penyedia
        for row in conn.execute(
            select(t.supplier_key).where(of_codes(conn, t.supplier_key.c.kind, t.supplier_key.c.key, keys))
        )
    }
    changed = {key: code for key, code in now.items() if stored.get(key, "") != code or key not in stored}
    if not changed:
        return set()
    upsert_rows(
        conn,
        t.supplier_key,
        [{"kind": kind, "key": key, "kd_penyedia": code} for (kind, key), code in sorted(changed.items())],
    )
    use = t.supplier_use.c
    return set(conn.execute(select(use.ocid).where(of_codes(conn, use.kind, use.key, changed))).scalars())
