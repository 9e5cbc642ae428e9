"""The tables of the warehouse and the views on them; their comments are the data dictionary.

Times of Jejak itself are UTC text `YYYY-MM-DDTHH:MM:SSZ`, so that both databases order and compare them alike. Dates of
the process (`Date`, `DateTime` in the star tables) are the source's local wall clock. Amounts are IDR.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    }
)
# Views have a metadata of their own: migrations create them in SQL, here they lend their columns to queries, to the
# Parquet export and to the dictionary.
view_metadata = MetaData()

# JSON keeps a payload byte for byte, its order of keys too; only `record.compiled`, which analysts query, is JSONB.
Json = JSON(none_as_null=True)
Jsonb = Json.with_variant(JSONB(none_as_null=True), "postgresql")
# Codes sort by their bytes on both databases, whatever PostgreSQL's locale.
Code = Text().with_variant(Text(collation="C"), "postgresql")
STAGES = ("planning", "tender", "award", "contract", "implementation")
RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite gives numbers by itself only to an INTEGER key
UtcTime = String(20)
Money = Numeric(asdecimal=False)


def _text(name: str, comment: str, *args: Any, **options: Any) -> Column[str]:
    return Column(name, Code, *args, comment=comment, nullable=False, **options)


def _time(name: str, comment: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, UtcTime, comment=f"{comment} (UTC)", nullable=nullable)


def _number(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, comment=comment, nullable=False, server_default="0")


def _flag(name: str, comment: str, *, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, comment=comment, nullable=False, server_default=true() if default else false())


def _maybe(name: str, comment: str) -> Column[str]:
    return Column(name, Text, comment=comment)


def _money(name: str, comment: str) -> Column[float]:
    return Column(name, Money, comment=f"{comment} (IDR)")


def _percent(name: str, comment: str) -> Column[float]:
    return Column(name, Money, comment=f"{comment} (percent)")


def _year(comment: str) -> Column[int]:
    return Column("year", Integer, comment=comment)


def _day(name: str, comment: str) -> Column[Any]:
    return Column(name, Date, comment=comment)


def _moment(name: str, comment: str) -> Column[Any]:
    return Column(name, DateTime, comment=f"{comment} (local time)")


def _run() -> Column[str]:
    return _text("run_id", "the run that wrote the row", ForeignKey("run.id"))


# ---------------------------------------------------------------------------------------------------------------- runs

run = Table(
    "run",
    metadata,
    _text("id", "name of the run", primary_key=True),
    _text("command", "what was asked for: sync, retry, identity import, ..."),
    _time("started_at", "start"),
    _time("finished_at", "end; empty while it runs, or if it was killed", nullable=True),
    _text("status", "running, success or failed"),
    _maybe("message", "why it failed, with the remedy"),
    _number("built", "records that it built"),
    comment="One row per run of a command that writes.",
)

run_service = Table(
    "run_service",
    metadata,
    _run(),
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what was asked of the service: a fiscal year, or `all`"),
    _text("status", "success, failed, or absent (a folder of dumps without this service)"),
    _number("fetched", "rows received = new + changed + unchanged + duplicate + rejected"),
    _number("new", "rows whose key was not known in the scope"),
    _number("changed", "rows whose key was known with other content"),
    _number("unchanged", "rows known with the same content, or older than what is known"),
    _number("duplicate", "rows that the same answer had already brought with the same content"),
    _number("rejected", "rows kept aside in `reject`"),
    _number("gone", "known rows that a complete answer no longer brought (not part of fetched)"),
    _maybe("message", "why the service failed, with the remedy"),
    _time("observed_at", "when the newest answer that the run took over was true at the source", nullable=True),
    _time("finished_at", "end of the service's reading", nullable=True),
    PrimaryKeyConstraint("run_id", "source", "service", "scope"),
    comment="What a run did with each service and scope: every row received is in exactly one count.",
)
Index("run_service_scope", run_service.c.source, run_service.c.service, run_service.c.scope)

run_process = Table(
    "run_process",
    metadata,
    _run(),
    _text("ocid", "the contracting process"),
    _text("change", "what happened to its record: new, changed or removed"),
    PrimaryKeyConstraint("run_id", "ocid"),
    comment="Which records a build wrote otherwise than they were.",
)
Index("run_process_ocid", run_process.c.ocid)

# ------------------------------------------------------------------------------------------------------------- staging

staged_fetch = Table(
    "staged_fetch",
    metadata,
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what is asked of the service: a fiscal year, or `all`"),
    _run(),
    _text("transport", "how it is read: isb, rest, sql, files; a fetch resumes only over the transport that began it"),
    _time("observed_at", "when the rows were true at the source: fixed when the fetch began"),
    _time("started_at", "start of the fetch"),
    _maybe("next_cursor", "the transport's token for the next page; empty at the start and at the end"),
    _flag("complete", "all pages are in; the fetch may be promoted"),
    _maybe("reader", "token of the one that reads it now: pages and promotion of any other are refused"),
    PrimaryKeyConstraint("source", "service", "scope"),
    comment="Fetches that have begun and are not promoted yet; what a later run resumes.",
)

staged_page = Table(
    "staged_page",
    metadata,
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what is asked of the service: a fiscal year, or `all`"),
    Column("number", Integer, comment="place of the page in the fetch, from 0", nullable=False),
    _text("rows", "JSON array of the rows as received"),
    _text("name", "where the rows came from (file name, endpoint), without secrets"),
    PrimaryKeyConstraint("source", "service", "scope", "number"),
    ForeignKeyConstraint(
        ["source", "service", "scope"],
        ["staged_fetch.source", "staged_fetch.service", "staged_fetch.scope"],
        ondelete="CASCADE",
    ),
    comment="The pages of a fetch that is not promoted yet. May hold personal data.",
)

# ------------------------------------------------------------------------------------------------------------ raw rows

raw_record = Table(
    "raw_record",
    metadata,
    Column("id", RowId, primary_key=True, comment="number of the row version"),
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what was asked of the service: a fiscal year, or `all`"),
    _text("key", "what a row is known by within its scope: its service's key fields"),
    _maybe("kind", "space of the code: rup, swk, tender, nontender, ...; empty for a master list"),
    _text("code", "the source's own code of the subject, such as kd_tender"),
    _text("content_hash", "hash of the content without volatile fields, lists taken as sets"),
    _time("observed_at", "when the row was true at the source"),
    _run(),
    Column("payload", Json, nullable=False, comment="the row as received. May hold personal data"),
    _flag("gone", "a tombstone: a complete answer no longer brought this key"),
    _flag("current", "the latest version of its key", default=True),
    _flag("placed", "its process has been found, and derived from it or queued for that"),
    comment="Every version of every row ever received, in the source's own words.",
)
# Holds all that a night without changes asks of the known rows, so that it need not read their payloads.
Index(
    "raw_record_key",
    raw_record.c.source,
    raw_record.c.service,
    raw_record.c.scope,
    raw_record.c.key,
    raw_record.c.content_hash,
    raw_record.c.observed_at,
    raw_record.c.current,
    raw_record.c.gone,
)
Index("raw_record_code", raw_record.c.kind, raw_record.c.code)
# SQLite uses a partial index only for its very condition: queries say `~raw_record.c.placed`, not `.is_(False)`.
Index(
    "raw_record_unplaced",
    raw_record.c.source,
    raw_record.c.service,
    sqlite_where=text("placed = 0"),
    postgresql_where=text("NOT placed"),
)
reject = Table(
    "reject",
    metadata,
    Column("id", RowId, primary_key=True, comment="number of the reject"),
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what was asked of the service: a fiscal year, or `all`"),
    _maybe("key", "the row's key where it has one"),
    _text("content_hash", "hash of the row: the same row rejected again is the same reject"),
    _text("reason", "why the row can't be used, naming fields, never their values"),
    _text("payload", "the row as received, JSON text. May hold personal data"),
    _run(),
    _time("observed_at", "when the row was true at the source"),
    _time("rejected_at", "when it was rejected"),
    _time("resolved_at", "when a retry or a mended row at the source settled it", nullable=True),
    comment="Rows that could not be used, kept whole with the reason.",
)
Index("reject_content", reject.c.source, reject.c.service, reject.c.scope, reject.c.content_hash)

signal = Table(
    "signal",
    metadata,
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("field", "field of the row"),
    _text("value", "the unknown code value; empty for a new field"),
    _text("kind", "code (a value that no code table knows) or field (a column that the schema does not know)"),
    _number("rows", "rows that had it in the last run that saw it"),
    _time("first_seen", "first run that saw it"),
    _time("last_seen", "last run that saw it"),
    PrimaryKeyConstraint("source", "service", "field", "value"),
    comment="What the sources say that Jejak does not know yet: code values and fields to map or to ignore on purpose.",
)

# ------------------------------------------------------------------------------------------------------------ identity

identity = Table(
    "identity",
    metadata,
    _text("kind", "space of the code: rup, swk, tender, nontender, ..."),
    _text("key", "the source's own code"),
    _text("ocid", "the process that the code belongs to"),
    _run(),
    PrimaryKeyConstraint("kind", "key"),
    comment="The crosswalk from codes to contracting processes: written once per code, never rewritten.",
)
Index("identity_ocid", identity.c.ocid)

process = Table(
    "process",
    metadata,
    _text("ocid", "the contracting process", primary_key=True),
    _text("family", "name shared by the processes that share a RUP, directly or through others"),
    comment="Every contracting process that was ever opened, and its family.",
)
Index("process_family", process.c.family)

process_rup = Table(
    "process_rup",
    metadata,
    _text("ocid", "the contracting process"),
    _text("kind", "rup (provider package) or swk (self-managed work)"),
    _text("code", "RUP code"),
    PrimaryKeyConstraint("ocid", "kind", "code"),
    comment="The RUP codes whose planning section a process carries.",
)
Index("process_rup_code", process_rup.c.kind, process_rup.c.code)

process_relation = Table(
    "process_relation",
    metadata,
    _text("ocid", "the contracting process"),
    _text("relationship", "OCDS relatedProcess code: planning, unsuccessfulProcess, replacementProcess, parent"),
    _text("related_ocid", "the process it is related to"),
    PrimaryKeyConstraint("ocid", "relationship", "related_ocid"),
    comment="Relations between contracting processes.",
)

naming = Table(
    "naming",
    metadata,
    _text("kind", "space of the code: tender, nontender, pencatatan, swakelola, ecat, tokodaring"),
    _text("code", "the attempt's, order's or recorded purchase's own code"),
    Column("rups", Json, comment="the RUP codes it names, as [kind, code] pairs", nullable=False),
    Column("rank", Integer, comment="how good a witness the naming service is; lower is better", nullable=False),
    _maybe("created", "tgl_buat_paket (local time)"),
    _maybe("package", "kd_pkt_dce: attempts of one package"),
    Column("version", Integer, comment="versi_tender, versi_nontender", nullable=False),
    _flag("failed", "the attempt came to nothing"),
    PrimaryKeyConstraint("kind", "code"),
    comment="What attempts, orders and recorded purchases say of the RUPs they fulfil.",
)
Index("naming_package", naming.c.package)

rup_revision = Table(
    "rup_revision",
    metadata,
    _text("kind", "rup or swk"),
    _text("code", "the newer RUP code"),
    _text("older", "the RUP code that it revises"),
    PrimaryKeyConstraint("kind", "code"),
    comment="Revisions of RUP codes (kaji ulang).",
)
Index("rup_revision_older", rup_revision.c.kind, rup_revision.c.older)

supplier_wanted = Table(
    "supplier_wanted",
    metadata,
    _text("kind", "npwp or name, as in supplier_key"),
    _text("key", "the key itself"),
    _text("ocid", "the process whose supplier has only a surrogate id for want of this key"),
    PrimaryKeyConstraint("kind", "key", "ocid"),
    comment="Supplier keys that could not be answered: their processes are derived again once they can.",
)

supplier_key = Table(
    "supplier_key",
    metadata,
    _text("kind", "npwp (SHA-256 of the digits) or name (normalised)"),
    _text("key", "the key itself"),
    _text("kd_penyedia", "LKPP's code of the supplier"),
    PrimaryKeyConstraint("kind", "key"),
    comment="The crosswalk from tax numbers and names to LKPP's supplier codes.",
)

pending_derive = Table(
    "pending_derive",
    metadata,
    _text("ocid", "the contracting process", primary_key=True),
    _text("asked", "token of the latest demand: a derivation clears only the demand that it has answered"),
    comment="Processes whose releases must be derived again.",
)

pending_build = Table(
    "pending_build",
    metadata,
    _text("ocid", "the contracting process", primary_key=True),
    comment="Processes whose record must be compiled again: written with their releases, cleared with their record.",
)

# ------------------------------------------------------------------------------------------------------------- linking

evidence = Table(
    "evidence",
    metadata,
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("scope", "what was asked of the service: a fiscal year, or `all`"),
    _text("key", "what the row is known by within its scope, as in raw_record"),
    _text("kind", "space of the subject's code: rup, tender, anggaran, usulan, kontrak, pekerjaan, ..."),
    _text("code", "the source's own code of the subject that the row tells of"),
    _year("fiscal year of the row; empty where it says none"),
    _text("says", "what the row says that tells to whom it belongs, JSON text. May hold personal data"),
    PrimaryKeyConstraint("source", "service", "scope", "key"),
    comment="What the current version of each row says that links are made of.",
)
Index("evidence_year", evidence.c.year, evidence.c.kind)
Index("evidence_code", evidence.c.kind, evidence.c.code)

pending_link = Table(
    "pending_link",
    metadata,
    _text("kind", "space of the subject's code"),
    _text("code", "code of the subject"),
    Column("year", Integer, comment="fiscal year of its evidence; 0 for none", nullable=False, autoincrement=False),
    _text("token", "changes whenever it is asked for anew: linking clears only what it has read"),
    PrimaryKeyConstraint("kind", "code", "year"),
    comment="Subjects whose links must be looked at again.",
)

link_year = Table(
    "link_year",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False, comment="fiscal year"),
    _text("token", "changes whenever the year is linked: of two at once the second begins again"),
    _text("fingerprint", "digest of rules, thresholds and code; where it is another one, the year is linked anew"),
    Column("namings", Json, nullable=False, comment="kind, code and name of an office as subjects have them; how many"),
    Column("resolved", Json, nullable=False, comment="kind, code and name of an office, and the office that is meant"),
    Column("offices", Json, nullable=False, comment="links of rule `office` that the year gives"),
    comment="What linking keeps of a fiscal year between two builds; see also the tables link_subject, link_key and "
    "link_pair.",
)

link_subject = Table(
    "link_subject",
    metadata,
    Column("year", Integer, comment="fiscal year", nullable=False, autoincrement=False),
    Column("id", Integer, comment="number within the year", nullable=False, autoincrement=False),
    _text("kind", "space of the subject's code"),
    _text("code", "code of the subject"),
    _text("facts", "what is compared of it, JSON text. May hold personal data"),
    _text("mentions", "its texts as they are searched for names of places"),
    PrimaryKeyConstraint("year", "id"),
    comment="What linking compares of each subject of a year.",
)
Index("link_subject_code", link_subject.c.kind, link_subject.c.code)

link_key = Table(
    "link_key",
    metadata,
    Column("year", Integer, comment="fiscal year", nullable=False, autoincrement=False),
    _text("key", "a value that subjects are found by, or whose rarity weighs. May hold personal data"),
    Column("subject", Integer, comment="number of the subject (link_subject.id)", nullable=False, autoincrement=False),
    PrimaryKeyConstraint("year", "key", "subject"),
    comment="Under which values the subjects of a year are found by linking.",
    sqlite_with_rowid=False,
)

link_pair = Table(
    "link_pair",
    metadata,
    Column("year", Integer, comment="fiscal year", nullable=False, autoincrement=False),
    _text("rule", "linking rule"),
    _text("from_kind", "space of the code that may be linked"),
    _text("from_code", "the code that may be linked"),
    _text("to_kind", "space of the code that it may belong to"),
    _text("to_code", "the code that it may belong to"),
    Column("weight", Float, comment="logarithm of the odds that they belong together", nullable=False),
    _text("by", "the evidence that speaks for it"),
    PrimaryKeyConstraint("year", "rule", "from_kind", "from_code", "to_kind", "to_code"),
    comment="What was weighed of contracts that are paid or reported on, before they compete for purchases.",
)
Index("link_pair_to", link_pair.c.year, link_pair.c.rule, link_pair.c.to_kind, link_pair.c.to_code)

office_name = Table(
    "office_name",
    metadata,
    _text("source", "source system", primary_key=True),
    _text("name", "name of an office there, in plain words", primary_key=True),
    _text("code", "the office (kd_satker_str)"),
    comment="Which office of the regency a system means by a name: from the links of rule `office` that stand.",
)

link = Table(
    "link",
    metadata,
    _text("id", "digest of rule and both ends: the same link has the same id in every warehouse", primary_key=True),
    _text(
        "rule",
        "what was compared: office, budget-package, contract-payment, contract-report, proposal-package, "
        "document-package, ...",
    ),
    _text("from_kind", "space of the code that is linked: anggaran, usulan, pokir, kontrak, pekerjaan, dokumen, ..."),
    _text("from_code", "the code that is linked (subject.code)"),
    _text("to_kind", "space of the code that it belongs to: rup, swk, tender, nontender, ..."),
    _text("to_code", "the code that it belongs to"),
    _year("fiscal year in which both were compared"),
    Column("confidence", Float, comment="how sure the rule is, from 0 to 1", nullable=False),
    _text("by", "the evidence that decided, such as `mak`, `number`, `place+title`"),
    _text(
        "status",
        "auto (sure enough to link), pending (waits for an operator), confirmed or rejected (an operator's word); "
        "auto and confirmed ones stand",
    ),
    _maybe("decided_by", "the operator's account, not a person's name; empty while nobody has decided"),
    _time("decided_at", "when an operator decided", nullable=True),
    _maybe("note", "why, in the operator's words"),
    _run(),
    UniqueConstraint("rule", "from_kind", "from_code", "to_kind", "to_code"),
    comment="What belongs together across systems that share no key, how sure that is, and who decided it.",
)
Index("link_from", link.c.from_kind, link.c.from_code)
Index("link_to", link.c.to_kind, link.c.to_code)
Index("link_status", link.c.rule, link.c.status)

subject = Table(
    "subject",
    metadata,
    _text(
        "kind",
        "anggaran (SIMDA budget line), usulan and pokir (proposals), kontrak (contract in SIMDA), "
        "pekerjaan (job in SIMPEN), dokumen (planning document)",
    ),
    _text("code", "its code in the system of its own"),
    _text("source", "source system"),
    _year("fiscal year"),
    _maybe("office_id", "the office, as parties name it (organization.id)"),
    _maybe("office_name", "its name in that system"),
    _maybe("title", "title"),
    _money("amount", "amount: of the budget line, asked for, of the contract with its addenda"),
    _day("date", "date"),
    _maybe("village", "village or ward"),
    _maybe("district", "district"),
    _maybe("status", "of a proposal: proposed, verified, accepted, rejected or withdrawn"),
    _maybe("number", "number of the document, such as a contract's"),
    _maybe(
        "mak",
        "budget account code without leading zeros: sub-activity (6 segments), account (6 segments); "
        "account 5.1.1 is salaries, which no package spends",
    ),
    _flag("gone", "its system no longer has it"),
    PrimaryKeyConstraint("kind", "code"),
    comment="What stands in a system of its own and opens no process: links join it to the processes it belongs to.",
)

# ---------------------------------------------------------------------------------------------------- releases, records

release = Table(
    "release",
    metadata,
    _text("id", "OCDS release id: a hash of ocid, subject and body", primary_key=True),
    _text("ocid", "the contracting process"),
    _text("subject", "what the release speaks of: an announcement, its bidders, one contract, ..."),
    _text("source", "source system that it was derived from"),
    _text("service", "service that it was derived from"),
    _time("date", "release date"),
    Column("position", Integer, comment="order among the releases of a process with the same date", nullable=False),
    Column("tags", Json, comment="OCDS release tags", nullable=False),
    Column("body", Json, comment="the whole OCDS release", nullable=False),
    _run(),
    _time("voided_at", "when it was found never to have been true; empty for a valid release", nullable=True),
    _maybe("void_reason", "why it was voided"),
    comment="OCDS releases: what a service says of one subject at one time. Voided ones are not compiled or exported.",
)
Index("release_order", release.c.ocid, release.c.date, release.c.position)

lineage = Table(
    "lineage",
    metadata,
    _text("release_id", "the release", ForeignKey("release.id")),
    Column("raw_id", RowId, ForeignKey("raw_record.id"), comment="a row version it was derived from", nullable=False),
    PrimaryKeyConstraint("release_id", "raw_id"),
    comment="Which source rows each release was derived from.",
)
Index("lineage_raw_id", lineage.c.raw_id)

record = Table(
    "record",
    metadata,
    _text("ocid", "the contracting process", primary_key=True),
    Column("compiled", Jsonb, comment="the compiled OCDS release", nullable=False),
    _number("releases", "releases that it was compiled from"),
    _time("date", "date of the latest of them"),
    _run(),
    comment="One compiled OCDS record per contracting process.",
)

# -------------------------------------------------------------------------------------------------------- star schema


def _ocid(**options: Any) -> Column[str]:
    return _text("ocid", "the contracting process", ForeignKey("contracting_process.ocid"), **options)


contracting_process = Table(
    "contracting_process",
    metadata,
    _text("ocid", "the contracting process", ForeignKey("record.ocid"), primary_key=True),
    _text("family", "name shared by the processes that share a RUP; count planning once per family"),
    _maybe(
        "origin",
        "the kind of code that opened the process: rup, swk, tender, nontender, ...; the planning amounts of a family "
        "are those of its rup and swk processes, the others repeat them",
    ),
    _maybe("title", "title of the process, else of its tender or plan"),
    _maybe("buyer_id", "the office that buys (organization.id)"),
    _maybe("buyer_name", "its name"),
    _maybe("method", "OCDS procurementMethod: open, selective, limited or direct; empty for self-managed work"),
    _maybe("method_details", "the method in the source's words"),
    _maybe("category", "OCDS mainProcurementCategory: goods, works or services"),
    _maybe("tender_status", "OCDS status of the tender"),
    Column(
        "fiscal_year",
        Integer,
        comment="fiscal year of the first budget line, else the first of its rows, else of the scopes they came in",
    ),
    _money("planned_amount", "planned budget"),
    _money("tender_value", "value of the tender"),
    _money("awarded_amount", "sum of the awards that stand (not cancelled, not unsuccessful)"),
    _money("contracted_amount", "sum of the contracts that stand (not cancelled)"),
    _money("paid_amount", "sum of the payments on contracts that stand"),
    _number("payments", "number of them"),
    _moment("last_payment_at", "the last of them"),
    _percent("physical_progress", "latest actual physical progress of contracts that stand, weighted by value"),
    _percent("financial_progress", "latest actual financial progress as the office reports it, weighted alike"),
    _day("last_report_on", "latest progress report on them"),
    _flag("has_planning", "a planning section is known"),
    _flag("has_tender", "a tender, selection or direct purchase was begun, not only planned"),
    _flag("has_award", "an award stands"),
    _flag("has_contract", "a contract stands"),
    _flag(
        "has_implementation",
        "something is known of the execution of a contract that stands: payments, progress, milestones met, documents, "
        "completion",
    ),
    _moment("first_date", "first event: publication, bid, award, signature, payment, milestone met"),
    _moment("last_date", "last event"),
    _time("updated_at", "date of the latest release"),
    comment="One row per contracting process: its stages and amounts.",
)
Index("contracting_process_family", contracting_process.c.family)
Index("contracting_process_buyer", contracting_process.c.buyer_id, contracting_process.c.fiscal_year)

organization = Table(
    "organization",
    metadata,
    _text("id", "OCDS party id, such as an office's or a supplier's code with its scheme", primary_key=True),
    _text("name", "name in the latest record that has the organisation"),
    _maybe("scheme", "scheme of the identifier"),
    _maybe("identifier", "the identifier in that scheme"),
    _maybe("locality", "town"),
    _maybe("region", "province or regency"),
    _text("ocid", "the record that these words are taken from"),
    _time("updated_at", "date of that record"),
    comment="One row per organisation of any role: offices, suppliers, bidders.",
)
Index("organization_ocid", organization.c.ocid)

process_party = Table(
    "process_party",
    metadata,
    _ocid(),
    _text("organization_id", "the organisation (organization.id)"),
    _text("role", "OCDS party role: buyer, procuringEntity, tenderer, supplier, ..."),
    PrimaryKeyConstraint("ocid", "organization_id", "role"),
    comment="Who plays which role in which process.",
)
Index("process_party_organization", process_party.c.organization_id, process_party.c.role)

tender = Table(
    "tender",
    metadata,
    _ocid(primary_key=True),
    _maybe("id", "the source's code of the attempt, such as kd_tender; the RUP code while it is only planned"),
    _maybe("title", "title"),
    _maybe("status", "OCDS status"),
    _maybe("status_details", "status in the source's words"),
    _maybe("method", "OCDS procurementMethod"),
    _maybe("method_details", "the method in the source's words"),
    _maybe("category", "OCDS mainProcurementCategory"),
    _maybe("procuring_entity_id", "the office that runs it (organization.id)"),
    _maybe("procuring_entity_name", "its name"),
    _money("value", "estimated value"),
    Column("tenderers", BigInteger, comment="number of tenderers: those who bid, not all who registered"),
    _moment("published_at", "publication"),
    _moment("period_start", "start of the submission period"),
    _moment("period_end", "end of the submission period"),
    comment="The tender, selection or direct purchase of a process.",
)

bid = Table(
    "bid",
    metadata,
    _ocid(),
    _text("id", "id of the bid within the process"),
    _maybe("status", "OCDS bid status"),
    _moment("date", "when it was submitted"),
    _money("value", "amount of the bid"),
    _maybe("tenderer_id", "the bidder, or the first of a joint bid (organization.id)"),
    _maybe("tenderer_name", "its name"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="The bids of a tender.",
)
Index("bid_tenderer", bid.c.tenderer_id)

award = Table(
    "award",
    metadata,
    _ocid(),
    _text("id", "id of the award within the process"),
    _maybe("title", "title"),
    _maybe("status", "OCDS status; a winner who was replaced stays as cancelled"),
    _maybe("status_details", "status in the source's words"),
    _moment("date", "date of the award"),
    _money("value", "amount awarded"),
    _maybe("supplier_id", "the winner, or the first of several (organization.id)"),
    _maybe("supplier_name", "its name"),
    Column("suppliers", Integer, comment="number of winners", nullable=False),
    PrimaryKeyConstraint("ocid", "id"),
    comment="The awards of a process, those that no longer stand too.",
)
Index("award_supplier", award.c.supplier_id)

contract = Table(
    "contract",
    metadata,
    _ocid(),
    _text("id", "id of the contract within the process"),
    _maybe("award_id", "its award"),
    _maybe("title", "title"),
    _maybe("status", "OCDS status"),
    _maybe("status_details", "status in the source's words"),
    _moment("signed_at", "signature"),
    _moment("period_start", "start of the work"),
    _moment("period_end", "end of the work as agreed"),
    _money("value", "amount of the contract, with its addenda"),
    _maybe("supplier_id", "the supplier, through its award (organization.id)"),
    _maybe("supplier_name", "its name"),
    _moment("ended_at", "completion"),
    _money("final_value", "final amount"),
    _money("paid_amount", "sum of the payments"),
    Column("payments", Integer, comment="number of payments", nullable=False),
    _moment("last_payment_at", "the last of them"),
    _percent("physical_progress", "latest actual physical progress"),
    _percent("financial_progress", "latest actual financial progress as the office reports it"),
    _day("last_report_on", "latest progress report"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="The contracts of a process.",
)
Index("contract_supplier", contract.c.supplier_id)

milestone = Table(
    "milestone",
    metadata,
    _ocid(),
    _text("stage", "where it stands: planning, tender, contract or implementation"),
    _text("contract_id", "its contract; empty text for planning and tender"),
    _text("id", "id of the milestone"),
    _maybe("title", "title"),
    _maybe("type", "OCDS milestone type"),
    _maybe("code", "code of the milestone"),
    _maybe("status", "OCDS milestone status"),
    _moment("due_at", "when it is due"),
    _moment("met_at", "when it was met"),
    PrimaryKeyConstraint("ocid", "stage", "contract_id", "id"),
    comment="Schedules of tenders, and what was delivered and certified under contracts.",
)

budget_line = Table(
    "budget_line",
    metadata,
    _ocid(),
    _text("id", "id of the line within the plan"),
    _maybe("description", "source of the money and code of the budget line"),
    _money("amount", "the plan's share of the line, not the line's total"),
    _maybe("source_party_id", "who pays (organization.id)"),
    _maybe("source_party_name", "its name"),
    _day("period_start", "start of the budget's period"),
    _day("period_end", "end of the budget's period"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="Budget lines of the plan. All processes of a family repeat them: count those of rup and swk processes.",
)

proposal = Table(
    "proposal",
    metadata,
    _ocid(),
    _text("id", "id of the proposal within the plan"),
    _maybe("title", "what is asked for"),
    _maybe("status", "proposed, verified, accepted, rejected or withdrawn; one that was taken back stays as withdrawn"),
    _maybe("status_details", "state in the source's words"),
    _maybe("village", "village or ward"),
    _maybe("district", "district"),
    _money("value", "amount asked for"),
    Column("quantity", Money, comment="quantity asked for"),
    _maybe("unit", "its unit"),
    _maybe("proposed_by", "the level or group that proposed it"),
    _maybe("office_id", "the office that should act (organization.id)"),
    _maybe("office_name", "its name"),
    _moment("date", "when it was proposed"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="Proposals behind the plan. All processes of a family repeat them: count those of rup and swk processes.",
)

document = Table(
    "document",
    metadata,
    _ocid(),
    _text("stage", "where it stands: planning, proposal, tender, award, contract or implementation"),
    _text(
        "holder_id",
        "what it is attached to: its contract (stages contract and implementation), award or proposal; "
        "empty text for planning and tender",
    ),
    _text("id", "id of the document"),
    _maybe("type", "OCDS document type"),
    _maybe("title", "title"),
    _maybe("url", "where it is published"),
    _maybe("format", "media type"),
    _moment("date", "publication"),
    PrimaryKeyConstraint("ocid", "stage", "holder_id", "id"),
    comment="Documents and photos. All processes of a family repeat those of planning and proposals.",
)

payment = Table(
    "payment",
    metadata,
    _ocid(),
    _text("contract_id", "its contract"),
    _text("id", "id of the payment, such as a SP2D's number"),
    _moment("date", "date"),
    _money("value", "amount"),
    _maybe("payer_id", "who paid (organization.id)"),
    _maybe("payee_id", "who was paid (organization.id)"),
    _maybe("payee_name", "its name"),
    _text("source", "system that tells of it: simda (SP2D), lpse (recorded purchases)"),
    PrimaryKeyConstraint("ocid", "contract_id", "id"),
    comment="Payments on contracts, those on cancelled contracts too.",
)
Index("payment_payee", payment.c.payee_id)

progress = Table(
    "progress",
    metadata,
    _ocid(),
    _text("contract_id", "its contract"),
    _text("metric_id", "id of the metric: one per job and kind"),
    _text("id", "id of the report"),
    _maybe("kind", "physical or financial; empty for another metric"),
    _day("date", "day that the report tells of"),
    _percent("plan", "what should have been reached by then"),
    _percent("actual", "what was reached"),
    _percent("deviation", "actual less plan, as the source says it"),
    _maybe("notes", "problems and actions"),
    PrimaryKeyConstraint("ocid", "contract_id", "metric_id", "id"),
    comment="Progress reports on contracts over time.",
)

# What `warehouse.star` writes for a process, in the order that foreign keys ask for.
STAR = (
    contracting_process,
    process_party,
    tender,
    bid,
    award,
    contract,
    milestone,
    budget_line,
    proposal,
    document,
    payment,
    progress,
)
# What analysts may read, beside the views.
OPEN = (*STAR, organization, subject, link, record, release)
# Closed to analysts: rows as received and what was made of them to link them, which may hold personal data, and the
# keys made of tax numbers.
LINKING = (link_year, link_subject, link_key, link_pair)
PRIVATE = (staged_fetch, staged_page, raw_record, reject, supplier_key, supplier_wanted, evidence, *LINKING)

# --------------------------------------------------------------------------------------------------------------- views


def _count(name: str, comment: str) -> Column[int]:
    return Column(name, Integer, comment=comment)


_amounts = (
    ("planned_amount", "planned budget, each plan counted once"),
    ("tendered_amount", "value of the tenders that did not fail"),
    ("awarded_amount", "sum of the awards that stand"),
    ("contracted_amount", "sum of the contracts that stand"),
    ("paid_amount", "sum of the payments on contracts that stand"),
)

family_trace = Table(
    "family_trace",
    view_metadata,
    _maybe("family", "the processes that share a RUP, directly or through others"),
    _maybe("title", "title of the process that names the family, else the first in the alphabet"),
    _count("fiscal_year", "first fiscal year of its processes"),
    _count("processes", "number of its processes"),
    *(_count(f"has_{stage}", f"1 if any of its processes has reached the stage {stage}, else 0") for stage in STAGES),
    _count("stages", "number of stages reached, 0 to 5"),
    _maybe("first_missing", "the first stage that is missing; empty if all five are there"),
    *(_money(name, comment) for name, comment in _amounts),
    comment="One row per family of processes: how far the money can be followed, planning counted once.",
)

office_stage_completeness = Table(
    "office_stage_completeness",
    view_metadata,
    _maybe("buyer_id", "the office (organization.id)"),
    _maybe("buyer_name", "its name"),
    _count("fiscal_year", "fiscal year of the processes"),
    _count("families", "families in which the office has a process of that year"),
    *(_count(f"with_{stage}", f"families that have reached the stage {stage}") for stage in STAGES),
    _count("complete", "families with all five stages: the regency's rule asks for all of them"),
    comment="Per office and fiscal year: how many families of processes have reached each stage, how many all five.",
)

# The views below say what only joined data can tell. Links stand where they are auto or confirmed; the pending ones are
# counted beside, since an operator's word may settle the case.

_PENDING = "links of it that wait for an operator"


def _process() -> tuple[Column[Any], ...]:
    return (
        _maybe("ocid", "the contracting process"),
        _maybe("family", "the processes that share a RUP, directly or through others"),
        _maybe("title", "title of the process"),
        _maybe("buyer_id", "the office that buys (organization.id)"),
        _maybe("buyer_name", "its name"),
        _count("fiscal_year", "fiscal year of the process"),
    )


process_subject = Table(
    "process_subject",
    view_metadata,
    _maybe("ocid", "the contracting process"),
    _maybe("kind", "kind of the subject: anggaran, usulan, pokir, kontrak, pekerjaan, dokumen"),
    _maybe("code", "its code (subject.code)"),
    _maybe("title", "its title"),
    _money("amount", "its amount: of a budget line the whole, not the share of this process"),
    Column("confidence", Float, comment="of the link that joins them, the best of several; from 0 to 1"),
    comment="What each process is linked with in the other systems. All processes of a family repeat budget lines, "
    "proposals and planning documents.",
)

process_trace = Table(
    "process_trace",
    view_metadata,
    *_process(),
    _count("proposals", "proposals behind the plan, without withdrawn and rejected ones"),
    _maybe("proposal_title", "the first of them in the alphabet"),
    _count("budget_lines", "SIMDA budget lines that are linked to the plan"),
    _money("line_total", "sum of those lines; packages share a line, so it is not what this one may spend"),
    _money("planned_amount", "planned budget; all processes of a family repeat it"),
    _maybe("tender_status", "OCDS status of the tender"),
    _money("tender_value", "value of the tender"),
    _money("awarded_amount", "sum of the awards that stand"),
    _money("contracted_amount", "sum of the contracts that stand"),
    _count("payments", "payments on contracts that stand"),
    _money("paid_amount", "sum of those payments"),
    _moment("last_payment_at", "the last of them"),
    _percent("physical_progress", "latest actual physical progress"),
    _percent("financial_progress", "latest actual financial progress as the office reports it"),
    _day("last_report_on", "latest progress report"),
    _maybe("first_missing", "the first stage that this process has not reached; empty if all five are there"),
    _maybe("family_first_missing", "the first stage that no process of its family has reached"),
    comment="One row per process: proposal, budget, package, tender, contract, payments, progress. "
    "Planning is repeated in a family: add it up over rup and swk processes, or take family_trace.",
)

proposal_without_budget = Table(
    "proposal_without_budget",
    view_metadata,
    _maybe("kind", "usulan or pokir"),
    _maybe("code", "code of the proposal (subject.code)"),
    _count("year", "fiscal year that it was made for"),
    _maybe("title", "what is asked for"),
    _maybe("village", "village or ward"),
    _maybe("district", "district"),
    _maybe("office_id", "the office that it was given to (organization.id)"),
    _maybe("office_name", "its name"),
    _money("amount", "amount asked for"),
    _maybe("status", "accepted or verified"),
    _count("pending", _PENDING),
    comment="Proposals that were accepted or verified and are linked to no plan.",
)

budget_line_without_package = Table(
    "budget_line_without_package",
    view_metadata,
    _count("year", "fiscal year"),
    _maybe("office_id", "the office (organization.id)"),
    _maybe("office_name", "its name"),
    _maybe("mak", "budget account code; empty for lines from before the present codes, which stand one by one"),
    _maybe("title", "title of the lines, the first in the alphabet"),
    _count("lines", "number of lines"),
    _money("amount", "sum of the lines"),
    _count("pending", _PENDING),
    comment="Budget lines of SIMDA, per office and account code, of which none is linked to a package. Salaries "
    "(account 5.1.1) and transfers never have one.",
)

package_without_tender = Table(
    "package_without_tender",
    view_metadata,
    *_process(),
    _money("planned_amount", "planned budget"),
    _moment("planned_until", "planned end of the selection; empty where the plan names none and its year is over"),
    _count("has_contract", "1 if a contract of the family is known all the same, else 0"),
    comment="Provider packages (RUP) that were not withdrawn, whose planned selection had ended, or whose fiscal year "
    "was over, on the day of the last run, and of whose family no process has reached the stage tender.",
)


def _contract() -> tuple[Column[Any], ...]:
    return (
        *_process(),
        _maybe("contract_id", "id of the contract within the process"),
        _maybe("supplier_id", "the supplier (organization.id)"),
        _maybe("supplier_name", "its name"),
        _moment("signed_at", "signature"),
        _moment("period_end", "end of the work as agreed"),
        _money("value", "amount of the contract"),
    )


contract_without_payment = Table(
    "contract_without_payment",
    view_metadata,
    *_contract(),
    _count("pending", "contracts in SIMDA that may be one of this process and wait for an operator"),
    comment="Contracts that stand and on which no payment is known.",
)

contract_without_report = Table(
    "contract_without_report",
    view_metadata,
    *_contract(),
    _count("pending", "jobs in SIMPEN that may be of this process and wait for an operator"),
    comment="Contracts for works (category works: progress on goods and services is not reported) that stand and on "
    "which no progress report is known.",
)

paid_ahead_of_progress = Table(
    "paid_ahead_of_progress",
    view_metadata,
    *_contract(),
    _money("paid_amount", "sum of the payments"),
    _percent("paid_percent", "payments as a share of the contract's value"),
    _percent("physical_progress", "latest actual physical progress"),
    _day("last_report_on", "latest progress report"),
    Column("ahead", Money, comment="paid_percent less physical_progress (points)"),
    comment="Contracts of which the share that was paid exceeds the latest actual physical progress by more than 10 "
    "points. An advance at the start is no irregularity in itself.",
)

subject_without_link = Table(
    "subject_without_link",
    view_metadata,
    _maybe("kind", "kontrak (payments without a contract), pekerjaan (reports without one), anggaran, usulan, ..."),
    _maybe("code", "its code (subject.code)"),
    _maybe("source", "source system"),
    _count("year", "fiscal year"),
    _maybe("title", "title"),
    _maybe("number", "number of the document, such as a contract's"),
    _money("amount", "amount"),
    _day("date", "date"),
    _maybe("office_id", "the office (organization.id)"),
    _maybe("office_name", "its name"),
    _count("pending", _PENDING),
    comment="What a system has that is linked to nothing: payments and reports without a contract, documents without a "
    "plan, and so on.",
)
