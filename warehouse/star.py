"""Compiled records to the star tables: a pure mapping, the transaction that writes it, and counts per stage."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, case, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from warehouse.load import delete_by, insert_rows, key_set, upsert_rows
from warehouse.tables import (
    STAGES,
    STAR,
    contracting_process,
    lineage,
    organization,
    pending_build,
    process,
    process_party,
    raw_record,
    record,
    release,
)

Object = dict[str, Any]


def star_rows(compiled: Object, family: str) -> dict[str, list[Object]]:
    """Rows per star table, `organization` too, for one compiled OCDS release (1.1.5 and the extensions in use).

    `fiscal_year` is that of the plan's first budget line; None where the plan names none.
    """
    ocid = compiled["ocid"]
    planning, tender = compiled.get("planning") or {}, compiled.get("tender") or {}
    budget = planning.get("budget") or {}
    awards = _items(compiled.get("awards"))
    contracts = _items(compiled.get("contracts"))
    suppliers = {award["id"]: award.get("suppliers") for award in awards}

    rows: dict[str, list[Object]] = {
        "tender": [_tender(ocid, tender)] if tender else [],
        "bid": [_bid(ocid, bid) for bid in _items((compiled.get("bids") or {}).get("details"))],
        "award": [_award(ocid, award) for award in awards],
        "contract": [_contract(ocid, item, suppliers.get(str(item.get("awardID")))) for item in contracts],
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
            "paid_amount": _sum(row["paid_amount"] for row in rows["contract"]),
            "has_planning": bool(planning),
            "has_tender": _begun(tender, budget),
            "has_award": bool(standing_awards),
            "has_contract": bool(standing_contracts),
            "has_implementation": any(_carried_out(item) for item in contracts),
            "first_date": min(events, default=None),
            "last_date": max(events, default=None),
            "updated_at": compiled["date"],
        }
    ]
    return rows


def write_records(conn: Connection, records: Iterable[Object], *, batch: int = 1000) -> int:
    """Replace records and their star rows, clear their `pending_build`, and return how many records were written.

    A record is `{"ocid", "compiled" (the compiled release; None if no valid release is left), "releases" (how many it
    was compiled from), "run_id"}`. All of it belongs to the caller's transaction.
    """
    written = 0
    latest: dict[str, Object] = {}  # organisation -> its row from the latest of these records
    replaced: dict[str, tuple[str, str]] = {}  # organisation -> the record, among these, that its words were from
    remaining = iter(records)
    while chunk := list(islice(remaining, batch)):
        ocids = [item["ocid"] for item in chunk]
        replaced.update(_organizations_from(conn, ocids))
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
        written += len(living)
    _write_organizations(conn, latest, replaced)
    return written


def _record(item: Object) -> Object:
    names = ("ocid", "compiled", "releases", "run_id")
    return {**{name: item[name] for name in names}, "date": item["compiled"]["date"]}


def _rows_with_context(conn: Connection, records: list[Object]) -> dict[str, list[Object]]:
    """Star rows of some records with what the warehouse knows beyond the release: the family, the scope of the rows."""
    ocids = [item["ocid"] for item in records]
    families = _pairs(conn, select(process.c.ocid, process.c.family).where(process.c.ocid.in_(key_set(conn, ocids))))
    rows: dict[str, list[Object]] = {table.name: [] for table in (*STAR, organization)}
    for item in records:
        for name, found in star_rows(item["compiled"], families.get(item["ocid"]) or item["ocid"]).items():
            rows[name].extend(found)
    unplanned = [row for row in rows["contracting_process"] if row["fiscal_year"] is None]
    scopes = (
        select(release.c.ocid, func.min(raw_record.c.scope))
        .join(lineage, lineage.c.release_id == release.c.id)
        .join(raw_record, raw_record.c.id == lineage.c.raw_id)
        .where(release.c.ocid.in_(key_set(conn, [row["ocid"] for row in unplanned])))
        .where(release.c.voided_at.is_(None), raw_record.c.scope != "all")
        .group_by(release.c.ocid)
    )
    years = _pairs(conn, scopes) if unplanned else {}
    for row in unplanned:
        row["fiscal_year"] = int(years[row["ocid"]]) if row["ocid"] in years else None
    return rows


def _pairs(conn: Connection, query: Select[Any]) -> dict[str, str]:
    return dict(conn.execute(query).all())


def _age(row: Object) -> tuple[str, str]:
    return row["updated_at"], row["ocid"]


def _organizations_from(conn: Connection, ocids: list[str]) -> dict[str, tuple[str, str]]:
    columns = organization.c.id, organization.c.updated_at, organization.c.ocid
    query = select(*columns).where(organization.c.ocid.in_(key_set(conn, ocids)))
    return {name: (updated_at, ocid) for name, updated_at, ocid in conn.execute(query)}


def _write_organizations(conn: Connection, latest: dict[str, Object], replaced: dict[str, tuple[str, str]]) -> None:
    """Keep in `organization` the words of the latest record that has it, whatever order records are written in.

    Where the record that gave the words was rewritten and is no longer the latest, the latest is looked up.
    """
    delete_by(conn, organization, organization.c.id, replaced)
    orphans = [name for name, age in replaced.items() if name not in latest or _age(latest[name]) < age]
    for row in _latest_known(conn, orphans):
        latest[row["id"]] = row
    if latest:
        insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(organization)
        newer = tuple_(insert.excluded.updated_at, insert.excluded.ocid) > tuple_(
            organization.c.updated_at, organization.c.ocid
        )
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


def _contract(ocid: str, contract: Object, suppliers: list[Object] | None) -> Object:
    supplier, period = _first(suppliers), contract.get("period") or {}
    implementation = contract.get("implementation") or {}
    payments = _items(implementation.get("transactions"))
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
        "paid_amount": _sum(_amount(payment.get("value")) for payment in payments),
        "payments": len(payments),
        "last_payment_at": max(filter(None, (_moment(payment.get("date")) for payment in payments)), default=None),
    }


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


def _carried_out(contract: Object) -> bool:
    implementation = contract.get("implementation") or {}
    if any(implementation.get(field) for field in ("transactions", "metrics", "documents", "endDate", "finalValue")):
        return True
    milestones = [*(contract.get("milestones") or []), *(implementation.get("milestones") or [])]
    return any(item.get("dateMet") or item.get("status") in ("met", "partiallyMet") for item in milestones)


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


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _moment(text: str | None) -> datetime | None:
    """The local wall clock of an OCDS date, to the second: what stands before its offset."""
    return datetime.fromisoformat(text[:19]) if text else None


def _day(text: str | None) -> date | None:
    moment = _moment(text)
    return moment.date() if moment else None
