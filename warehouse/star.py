"""Compiled records to the star tables: a pure mapping, the transaction that writes it, and counts per stage."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, case, cast, delete, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.load import delete_by, insert_rows, key_set, upsert_rows
from warehouse.tables import (
    STAGES,
    STAR,
    contracting_process,
    evidence,
    lineage,
    organization,
    pending_build,
    process,
    process_party,
    raw_record,
    record,
    release,
    run_process,
)

Object = dict[str, Any]

WRITTEN = ("built", "new", "changed", "removed")
"""What `write_records` counts."""

_WORDS_LOCK = 0x6A656A616E  # key of PostgreSQL's advisory lock
# The metrics of a job are told apart by how their ids end, the observations of a report by their dimension `kind`.
_METRICS = {"fisik": "physical", "keuangan": "financial"}
_MEASURES = ("plan", "actual", "deviation")


def star_rows(compiled: Object, family: str) -> dict[str, list[Object]]:
    """Rows per star table, `organization` too, for one compiled OCDS release (1.1.5 and the extensions in use).

    `fiscal_year` is that of the plan's first budget line; None where the plan names none.
    """
    ocid = compiled["ocid"]
    planning, tender = compiled.get("planning") or {}, compiled.get("tender") or {}
    budget = planning.get("budget") or {}
    awards = _items(compiled.get("awards"))
    contracts = _items(compiled.get("contracts"))
    proposals = _items(planning.get("proposals"))
    suppliers = {award["id"]: award.get("suppliers") for award in awards}
    progress = {contract["id"]: _progress(ocid, contract) for contract in contracts}

    rows: dict[str, list[Object]] = {
        "tender": [_tender(ocid, tender)] if tender else [],
        "bid": [_bid(ocid, bid) for bid in _items((compiled.get("bids") or {}).get("details"))],
        "award": [_award(ocid, award) for award in awards],
        "contract": [
            _contract(ocid, item, suppliers.get(str(item.get("awardID"))), progress[item["id"]]) for item in contracts
        ],
        "payment": [payment for item in contracts for payment in _payments(ocid, item)],
        "progress": [report for reports in progress.values() for report in reports],
        "proposal": [_proposal(ocid, item) for item in proposals],
        "document": _documents(ocid, planning, proposals, tender, awards, contracts),
        "milestone": _milestones(ocid, planning, tender, contracts),
        "budget_line": [_budget_line(ocid, line) for line in _items(budget.get("budgetBreakdown"))],
        "process_party": _parties(compiled),
        "organization": _organizations(compiled),
    }
    standing_awards = [row for row in rows["award"] if row["status"] not in ("cancelled", "unsuccessful")]
    standing_contracts = [row for row in rows["contract"] if row["status"] != "cancelled"]
    events = [moment for moment in _events(tender, rows) if moment]
    buyer = _first(compiled.get("buyer") or tender.get("procuringEntity"))
    title = compiled.get("title") or tender.get("title") or budget.get("project")
    rows["contracting_process"] = [
        {
            "ocid": ocid,
            "family": family,
            "origin": _origin(ocid),
            "title": title,
            "buyer_id": buyer.get("id"),
            "buyer_name": buyer.get("name"),
            "method": tender.get("procurementMethod"),
            "method_details": tender.get("procurementMethodDetails"),
            "category": tender.get("mainProcurementCategory"),
            "tender_status": tender.get("status"),
            "fiscal_year": min(
                (row["period_start"].year for row in rows["budget_line"] if row["period_start"]), default=None
            ),
            "planned_amount": _amount(budget.get("amount")),
            "tender_value": _amount(tender.get("value")),
            "awarded_amount": _sum(row["value"] for row in standing_awards),
            "contracted_amount": _sum(row["value"] for row in standing_contracts),
            "paid_amount": _sum(row["paid_amount"] for row in standing_contracts),
            "payments": sum(row["payments"] for row in standing_contracts),
            "last_payment_at": max(_each(standing_contracts, "last_payment_at"), default=None),
            "physical_progress": _mean(standing_contracts, "physical_progress"),
            "financial_progress": _mean(standing_contracts, "financial_progress"),
            "last_report_on": max(_each(standing_contracts, "last_report_on"), default=None),
            "has_planning": bool(planning),
            "has_tender": _begun(tender, budget),
            "has_award": bool(standing_awards),
            "has_contract": bool(standing_contracts),
            "has_implementation": any(
                _carried_out(item, row)
                for item, row in zip(contracts, rows["contract"], strict=True)
                if row["status"] != "cancelled"
            ),
            "first_date": min(events, default=None),
            "last_date": max(events, default=None),
            "updated_at": compiled["date"],
        }
    ]
    return rows


def write_records(conn: Connection, records: Iterable[Object], *, batch: int = 1000) -> Counter[str]:
    """Replace records and their star rows, clear their `pending_build` and note in `run_process` what that changed;
    return how many records were `built`, and how many are `new`, `changed` or `removed`.

    A record is `{"ocid", "compiled" (the compiled release; None if no valid release is left), "releases" (how many it
    was compiled from), "run_id"}`. All of it belongs to the caller's transaction; on PostgreSQL several may go on at
    once, of different processes.
    """
    counts: Counter[str] = Counter()
    latest: dict[str, Object] = {}  # organisation -> its row from the latest of these records
    written: list[str] = []
    remaining = iter(records)
    while chunk := list(islice(remaining, batch)):
        ocids = [item["ocid"] for item in chunk]
        written += ocids
        changes = _changes(conn, chunk)
        for table in reversed(STAR):
            delete_by(conn, table, table.c.ocid, ocids)
        living = [item for item in chunk if item["compiled"] is not None]
        delete_by(conn, record, record.c.ocid, set(ocids).difference(item["ocid"] for item in living))
        upsert_rows(conn, record, (_record(item) for item in living))
        rows = _rows_with_context(conn, living)
        for table in STAR:
            insert_rows(conn, table, rows[table.name])
        for row in rows["organization"]:
            if row["id"] not in latest or _age(row) > _age(latest[row["id"]]):
                latest[row["id"]] = row
        delete_by(conn, pending_build, pending_build.c.ocid, ocids)
        _note_changes(conn, changes)
        counts.update(changes.values())
        counts["built"] += len(living)
    _write_organizations(conn, latest, written)
    return counts


def _changes(conn: Connection, items: list[Object]) -> dict[tuple[str, str], str]:
    """(run, process) -> new, changed or removed, for the records that are not as they are stored."""
    ocids = [item["ocid"] for item in items]
    dates = _pairs(conn, select(record.c.ocid, record.c.date).where(record.c.ocid.in_(key_set(conn, ocids))))
    # Only what has the same date can be the same.
    alike = [item["ocid"] for item in items if item["compiled"] and item["compiled"]["date"] == dates.get(item["ocid"])]
    same = select(record.c.ocid, record.c.compiled).where(record.c.ocid.in_(key_set(conn, alike)))
    stored = _pairs(conn, same) if alike else {}
    changes = {}
    for item in items:
        place = item["run_id"], item["ocid"]
        if item["ocid"] not in dates:
            if item["compiled"] is not None:
                changes[place] = "new"
        elif item["compiled"] is None:
            changes[place] = "removed"
        elif stored.get(item["ocid"]) != item["compiled"]:
            changes[place] = "changed"
    return changes


def _note_changes(conn: Connection, changes: dict[tuple[str, str], str]) -> None:
    """Write the changes down under their runs; a run that is tried again keeps what it has made already."""
    columns = run_process.c
    ours = columns.run_id.in_({run_id for run_id, _ in changes}) & columns.ocid.in_(
        key_set(conn, [ocid for _, ocid in changes])
    )
    before = {(row.run_id, row.ocid): row.change for row in conn.execute(select(run_process).where(ours))}
    net = {place: together([before.get(place, change), change]) for place, change in changes.items()}
    upsert_rows(
        conn,
        run_process,
        [
            {"run_id": run_id, "ocid": ocid, "change": change}
            for (run_id, ocid), change in sorted(net.items(), key=itemgetter(0))
            if change
        ],
    )
    for run_id, ocid in (place for place, change in net.items() if change is None):
        conn.execute(delete(run_process).where(columns.run_id == run_id, columns.ocid == ocid))


def together(changes: Sequence[str]) -> str | None:
    """What changes of one record, one after the other, come to; None if it came and went."""
    was, now = changes[0] != "new", changes[-1] != "removed"
    if was:
        return "changed" if now else "removed"
    return "new" if now else None


def _record(item: Object) -> Object:
    names = ("ocid", "compiled", "releases", "run_id")
    return {**{name: item[name] for name in names}, "date": item["compiled"]["date"]}


def _rows_with_context(conn: Connection, records: list[Object]) -> dict[str, list[Object]]:
    """Star rows of some records with what the warehouse knows beyond the release: the family, the year of the rows."""
    ocids = [item["ocid"] for item in records]
    families = _pairs(conn, select(process.c.ocid, process.c.family).where(process.c.ocid.in_(key_set(conn, ocids))))
    rows: dict[str, list[Object]] = {table.name: [] for table in (*STAR, organization)}
    for item in records:
        for name, found in star_rows(item["compiled"], families.get(item["ocid"]) or item["ocid"]).items():
            rows[name].extend(found)
    unplanned = [row for row in rows["contracting_process"] if row["fiscal_year"] is None]
    filed = case((raw_record.c.scope != "all", cast(raw_record.c.scope, Integer)))
    same_row = and_(*(evidence.c[name] == raw_record.c[name] for name in ("source", "service", "scope", "key")))
    scopes = (
        select(release.c.ocid, func.coalesce(func.min(evidence.c.year), func.min(filed)))
        .join(lineage, lineage.c.release_id == release.c.id)
        .join(raw_record, raw_record.c.id == lineage.c.raw_id)
        .outerjoin(evidence, same_row)
        .where(release.c.ocid.in_(key_set(conn, [row["ocid"] for row in unplanned])))
        .where(release.c.voided_at.is_(None))
        .group_by(release.c.ocid)
    )
    years = _pairs(conn, scopes) if unplanned else {}
    for row in unplanned:
        row["fiscal_year"] = years.get(row["ocid"])
    return rows


def _pairs(conn: Connection, query: Select[Any]) -> dict[str, Any]:
    return dict(conn.execute(query).all())


def _age(row: Object) -> tuple[str, str]:
    return row["updated_at"], row["ocid"]


def _write_organizations(conn: Connection, latest: dict[str, Object], written: list[str]) -> None:
    """Keep in `organization` the words of the latest record that has it, whatever order records are written in.

    Where the record that gave the words was rewritten and is no longer the latest, the latest is looked up. Records are
    written by several at once and share organisations: here they take turns, and each sees all that was written before.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WORDS_LOCK})
    columns = organization.c
    from_these = columns.ocid.in_(key_set(conn, written))
    replaced = {
        row.id: (row.updated_at, row.ocid)
        for row in conn.execute(select(columns.id, columns.updated_at, columns.ocid).where(from_these))
    }
    delete_by(conn, organization, columns.id, replaced)
    orphans = [name for name, age in replaced.items() if name not in latest or _age(latest[name]) < age]
    for row in _latest_known(conn, orphans):
        latest[row["id"]] = row
    if latest:
        insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(organization)
        newer = tuple_(insert.excluded.updated_at, insert.excluded.ocid) > tuple_(columns.updated_at, columns.ocid)
        upsert = insert.on_conflict_do_update(index_elements=["id"], set_=dict(insert.excluded), where=newer)
        conn.execute(upsert, [latest[name] for name in sorted(latest)])


def _latest_known(conn: Connection, names: list[str]) -> Iterator[Object]:
    place = func.row_number().over(
        partition_by=process_party.c.organization_id, order_by=[record.c.date.desc(), record.c.ocid.desc()]
    )
    ranked = (
        select(process_party.c.organization_id, record.c.ocid, place.label("place"))
        .join(record, record.c.ocid == process_party.c.ocid)
        .where(process_party.c.organization_id.in_(key_set(conn, names)))
        .subquery()
    )
    query = select(ranked.c.organization_id, record.c.compiled).join(ranked, ranked.c.ocid == record.c.ocid)
    for name, compiled in conn.execute(query.where(ranked.c.place == 1)).all():
        yield from (row for row in _organizations(compiled) if row["id"] == name)


def stage_counts(conn: Connection) -> dict[str, int]:
    """Number of records, and of those that have reached each stage: `{"records": n, "planning": n, ...}`."""
    flags = [func.count(case((contracting_process.c[f"has_{stage}"], 1))) for stage in STAGES]
    counts = conn.execute(select(func.count(), *flags).select_from(contracting_process)).one()
    return dict(zip(("records", *STAGES), counts, strict=True))


# ------------------------------------------------------------------------------------------------ one compiled release


def _tender(ocid: str, tender: Object) -> Object:
    entity, period = _first(tender.get("procuringEntity")), tender.get("tenderPeriod") or {}
    return {
        "ocid": ocid,
        "id": _text(tender.get("id")),
        "title": tender.get("title"),
        "status": tender.get("status"),
        "status_details": tender.get("statusDetails"),
        "method": tender.get("procurementMethod"),
        "method_details": tender.get("procurementMethodDetails"),
        "category": tender.get("mainProcurementCategory"),
        "procuring_entity_id": entity.get("id"),
        "procuring_entity_name": entity.get("name"),
        "value": _amount(tender.get("value")),
        "tenderers": tender.get("numberOfTenderers"),
        "published_at": _moment(tender.get("datePublished")),
        "period_start": _moment(period.get("startDate")),
        "period_end": _moment(period.get("endDate")),
    }


def _bid(ocid: str, bid: Object) -> Object:
    tenderer = _first(bid.get("tenderers"))
    return {
        "ocid": ocid,
        "id": bid["id"],
        "status": bid.get("status"),
        "date": _moment(bid.get("date")),
        "value": _amount(bid.get("value")),
        "tenderer_id": tenderer.get("id"),
        "tenderer_name": tenderer.get("name"),
    }


def _award(ocid: str, award: Object) -> Object:
    supplier = _first(award.get("suppliers"))
    return {
        "ocid": ocid,
        "id": award["id"],
        "title": award.get("title"),
        "status": award.get("status"),
        "status_details": award.get("statusDetails"),
        "date": _moment(award.get("date")),
        "value": _amount(award.get("value")),
        "supplier_id": supplier.get("id"),
        "supplier_name": supplier.get("name"),
        "suppliers": len(award.get("suppliers") or []),
    }


def _contract(ocid: str, contract: Object, suppliers: list[Object] | None, reports: list[Object]) -> Object:
    supplier, period = _first(suppliers), contract.get("period") or {}
    implementation = contract.get("implementation") or {}
    reached = [row for row in reports if row["actual"] is not None and row["date"]]
    payments = _payments(ocid, contract)
    return {
        "ocid": ocid,
        "id": contract["id"],
        "award_id": _text(contract.get("awardID")),
        "title": contract.get("title"),
        "status": contract.get("status"),
        "status_details": contract.get("statusDetails"),
        "signed_at": _moment(contract.get("dateSigned")),
        "period_start": _moment(period.get("startDate")),
        "period_end": _moment(period.get("endDate")),
        "value": _amount(contract.get("value")),
        "supplier_id": supplier.get("id"),
        "supplier_name": supplier.get("name"),
        "ended_at": _moment(implementation.get("endDate")),
        "final_value": _amount(implementation.get("finalValue")),
        "paid_amount": _sum(payment["value"] for payment in payments),
        "payments": len(payments),
        "last_payment_at": max(_each(payments, "date"), default=None),
        "physical_progress": _latest(reached, "physical"),
        "financial_progress": _latest(reached, "financial"),
        "last_report_on": max((row["date"] for row in reached), default=None),
    }


def _payments(ocid: str, contract: Object) -> list[Object]:
    """A payment that its source took back keeps its id and loses its value."""
    return [
        {
            "ocid": ocid,
            "contract_id": contract["id"],
            "id": item["id"],
            "date": _moment(item.get("date")),
            "value": _amount(item["value"]),
            "payer_id": _first(item.get("payer")).get("id"),
            "payee_id": _first(item.get("payee")).get("id"),
            "payee_name": _first(item.get("payee")).get("name"),
            "source": "simda" if item["id"].startswith("simda-") else "lpse",
        }
        for item in _items((contract.get("implementation") or {}).get("transactions"))
        if _amount(item.get("value")) is not None
    ]


def _progress(ocid: str, contract: Object) -> list[Object]:
    """One row per report; a report that its source took back keeps its ids and loses its measures."""
    rows = []
    for metric in _items((contract.get("implementation") or {}).get("metrics")):
        reports: dict[str, Object] = {}
        for item in _items(metric.get("observations")):
            name, measure = (item.get("dimensions") or {}).get("kind"), item.get("measure")
            if name not in _MEASURES or not isinstance(measure, int | float):
                continue
            report = reports.setdefault(item["id"].rpartition("-")[0] or item["id"], {})
            report[name] = measure
            report["date"] = _day((item.get("period") or {}).get("startDate")) or report.get("date")
            report["notes"] = item.get("notes") or report.get("notes")
        rows += [
            {
                "ocid": ocid,
                "contract_id": contract["id"],
                "metric_id": metric["id"],
                "id": name,
                "kind": _METRICS.get(metric["id"].rpartition("-")[2]),
                **{column: report.get(column) for column in ("date", *_MEASURES, "notes")},
            }
            for name, report in reports.items()
        ]
    return rows


def _latest(reached: list[Object], kind: str) -> float | None:
    """What the latest report of a kind says was reached."""
    told = [(row["date"], row["metric_id"], row["id"], row["actual"]) for row in reached if row["kind"] == kind]
    return max(told)[3] if told else None


def _mean(contracts: list[Object], column: str) -> float | None:
    """The mean over the contracts that report, weighted by their value where all of them have one."""
    told = [(row["value"], row[column]) for row in contracts if row[column] is not None]
    if not told:
        return None
    weights = [value for value, _ in told] if all(value and value > 0 for value, _ in told) else [1] * len(told)
    total: float = sum(weight * share for weight, (_, share) in zip(weights, told, strict=True))
    return total / sum(weights)


def _proposal(ocid: str, proposal: Object) -> Object:
    address, office = proposal.get("address") or {}, _first(proposal.get("organization"))
    return {
        "ocid": ocid,
        "id": proposal["id"],
        "title": proposal.get("title"),
        "status": proposal.get("status"),
        "status_details": proposal.get("statusDetails"),
        "village": address.get("locality"),
        "district": address.get("region"),
        "value": _amount(proposal.get("value")),
        "quantity": proposal.get("quantity"),
        "unit": (proposal.get("unit") or {}).get("name"),
        "proposed_by": proposal.get("proposedBy"),
        "office_id": office.get("id"),
        "office_name": office.get("name"),
        "date": _moment(proposal.get("date")),
    }


def _documents(
    ocid: str,
    planning: Object,
    proposals: list[Object],
    tender: Object,
    awards: list[Object],
    contracts: list[Object],
) -> list[Object]:
    holders = [("planning", "", planning), ("tender", "", tender)]
    holders += [("proposal", proposal["id"], proposal) for proposal in proposals]
    holders += [("award", award["id"], award) for award in awards]
    holders += [("contract", contract["id"], contract) for contract in contracts]
    holders += [("implementation", item["id"], item.get("implementation") or {}) for item in contracts]
    return [
        {
            "ocid": ocid,
            "stage": stage,
            "holder_id": holder_id,
            "id": item["id"],
            "type": item.get("documentType"),
            "title": item.get("title"),
            "url": item.get("url"),
            "format": item.get("format"),
            "date": _moment(item.get("datePublished")),
        }
        for stage, holder_id, holder in holders
        for item in _told_documents(holder)
    ]


def _told_documents(holder: Object) -> list[Object]:
    """A document that its source took back keeps its id alone."""
    return [item for item in _items(holder.get("documents")) if item.get("title") or item.get("url")]


def _milestones(ocid: str, planning: Object, tender: Object, contracts: list[Object]) -> list[Object]:
    lists = [("planning", "", planning), ("tender", "", tender)]
    for contract in contracts:
        lists.append(("contract", contract["id"], contract))
        lists.append(("implementation", contract["id"], contract.get("implementation") or {}))
    return [
        {
            "ocid": ocid,
            "stage": stage,
            "contract_id": contract_id,
            "id": item["id"],
            "title": item.get("title"),
            "type": item.get("type"),
            "code": item.get("code"),
            "status": item.get("status"),
            "due_at": _moment(item.get("dueDate")),
            "met_at": _moment(item.get("dateMet")),
        }
        for stage, contract_id, holder in lists
        for item in _items(holder.get("milestones"))
    ]


def _budget_line(ocid: str, line: Object) -> Object:
    payer, period = _first(line.get("sourceParty")), line.get("period") or {}
    return {
        "ocid": ocid,
        "id": line["id"],
        "description": line.get("description"),
        "amount": _amount(line.get("amount")),
        "source_party_id": payer.get("id"),
        "source_party_name": payer.get("name"),
        "period_start": _day(period.get("startDate")),
        "period_end": _day(period.get("endDate")),
    }


def _parties(compiled: Object) -> list[Object]:
    ocid = compiled["ocid"]
    pairs = {(party["id"], role): None for party in _known(compiled) for role in party["roles"]}
    return [{"ocid": ocid, "organization_id": party, "role": role} for party, role in pairs]


def _organizations(compiled: Object) -> list[Object]:
    rows = []
    for party in _known(compiled):
        identifier, address = party.get("identifier") or {}, party.get("address") or {}
        rows.append(
            {
                "id": party["id"],
                "name": party.get("name") or identifier.get("legalName") or party["id"],
                "scheme": identifier.get("scheme"),
                "identifier": _text(identifier.get("id")),
                "locality": address.get("locality"),
                "region": address.get("region"),
                "ocid": compiled["ocid"],
                "updated_at": compiled["date"],
            }
        )
    return rows


def _known(compiled: Object) -> list[Object]:
    return [party for party in compiled.get("parties") or [] if party.get("id") and party.get("roles")]


def _events(tender: Object, rows: dict[str, list[Object]]) -> Iterator[datetime | None]:
    """Things that happened; schedules and periods are plans."""
    yield _moment(tender.get("datePublished"))
    for table, column in (
        ("bid", "date"),
        ("award", "date"),
        ("contract", "signed_at"),
        ("contract", "ended_at"),
        ("contract", "last_payment_at"),
        ("milestone", "met_at"),
    ):
        for row in rows[table]:
            yield row[column]


def _begun(tender: Object, budget: Object) -> bool:
    """Whether the tender is more than a plan: a plan's stands under the code of the plan, or says `planned`."""
    plans = str(budget.get("id") or "").split("+")
    if str(tender.get("id")) in plans:
        return False
    return bool(tender) and (plans != [""] or tender.get("status") not in ("planning", "planned"))


def _carried_out(contract: Object, row: Object) -> bool:
    """Whether anything is known of a contract's execution; `row` is its star row."""
    if row["payments"] or row["last_report_on"] or row["ended_at"] or row["final_value"] is not None:
        return True
    implementation = contract.get("implementation") or {}
    milestones = [*(contract.get("milestones") or []), *(implementation.get("milestones") or [])]
    return bool(_told_documents(implementation)) or any(
        item.get("dateMet") or item.get("status") in ("met", "partiallyMet") for item in milestones
    )


def _origin(ocid: str) -> str | None:
    """`tender` of `ocds-xxxxxx-tender-123`: the registered prefix has two parts."""
    parts = ocid.split("-", 3)
    return parts[2] if len(parts) == 4 else None


def _items(items: list[Object] | None) -> list[Object]:
    """Objects of a list with their ids as text: its place for one without an id, the last of two with one id."""
    named = {str(item.get("id", place)): item for place, item in enumerate(items or [])}
    return [{**item, "id": name} for name, item in named.items()]


def _first(reference: Object | list[Object] | None) -> Object:
    if isinstance(reference, list):
        reference = reference[0] if reference else None
    return reference or {}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _amount(value: Object | None) -> float | int | None:
    """IDR; an amount in another currency can't be added up with them and stays in the record alone."""
    if not value or value.get("currency", "IDR") != "IDR":
        return None
    return value.get("amount")


def _each(rows: list[Object], column: str) -> Iterator[Any]:
    """The values of a column that there are."""
    return (row[column] for row in rows if row[column] is not None)


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _moment(text: str | None) -> datetime | None:
    """The local wall clock of an OCDS date, to the second: what stands before its offset."""
    return datetime.fromisoformat(text[:19]) if text else None


def _day(text: str | None) -> date | None:
    moment = _moment(text)
    return moment.date() if moment else None
