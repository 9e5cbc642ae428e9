"""The tables of the warehouse; their comments are the data dictionary (`warehouse.views` has the views).

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
    Double,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
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
from sqlalchemy.schema import SchemaItem

VERSION_TABLE = "jejak_version"  # not Alembic's usual name, which Airflow uses if it shares the database

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    }
)

# JSON keeps a payload byte for byte, its order of keys too; only `record.compiled`, which analysts query, is JSONB.
Json = JSON(none_as_null=True)
Jsonb = Json.with_variant(JSONB(none_as_null=True), "postgresql")
# Codes sort by their bytes on both databases, whatever PostgreSQL's locale.
Code = Text().with_variant(Text(collation="C"), "postgresql")
STAGES = ("planning", "tender", "award", "contract", "implementation")
RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite gives numbers by itself only to an INTEGER key
UtcTime = String(20)
# A float on both databases, so that ratios are no whole numbers on one of them.
Money: Double[float] = Double()


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


def _table(name: str, *parts: SchemaItem, comment: str, **options: Any) -> Table:
    return Table(name, metadata, *parts, comment=comment, **options)


def _scope() -> list[Column[str]]:
    """Which list of a source: the rows of a service for one scope."""
    return [
        _text("source", "source system"),
        _text("service", "service, named as LKPP's ISB names it"),
        _text("scope", "requested scope: a fiscal year, or `all`"),
    ]


def _run() -> Column[str]:
    return _text("run_id", "the run that wrote the row", ForeignKey("run.id"))


definition = _table(
    "definition",
    _text("name", "a view, or `comments`: those of all tables, views and columns", primary_key=True),
    _text("digest", "SHA-256 of its text"),
    comment="The text of views and comments that the database has: they are made again where the code has another.",
)

# ---------------------------------------------------------------------------------------------------------------- runs

# The number after the last; `steps.start_run` takes it while nobody else does.
next_number = text("(SELECT coalesce(max(number), 0) + 1 FROM run)")
run = _table(
    "run",
    _text("id", "name of the run", primary_key=True),
    Column(
        "number",
        RowId,
        comment="order in which runs started; a run that is started again gets a new number",
        nullable=False,
        default=next_number,
    ),
    _text("command", "what was asked for: sync, retry, identity import, ..."),
    _time("started_at", "start"),
    _time("finished_at", "end; empty while it runs, or if it was killed", nullable=True),
    _text("status", "running, success or failed"),
    _maybe("message", "why it failed, with the remedy"),
    _number("built", "records that it built"),
    comment="One row per run of a command that writes.",
)
Index("run_number", run.c.number, unique=True)

run_service = _table(
    "run_service",
    _run(),
    *_scope(),
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

run_process = _table(
    "run_process",
    _run(),
    _text("ocid", "the contracting process"),
    _text("change", "what happened to its record: new, changed or removed"),
    Column(
        "newest_run",
        RowId,
        comment="number of the newest run when this was written: rows of no later run are in it",
        nullable=False,
    ),
    PrimaryKeyConstraint("run_id", "ocid"),
    comment="Which records a build wrote otherwise than they were.",
)
Index("run_process_ocid", run_process.c.ocid)

# ------------------------------------------------------------------------------------------------------------- staging

staged_fetch = _table(
    "staged_fetch",
    *_scope(),
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

staged_page = _table(
    "staged_page",
    *_scope(),
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

answer = _table(
    "answer",
    *_scope(),
    _time("observed_at", "when the newest answer that was believed was true at the source"),
    _run(),
    PrimaryKeyConstraint("source", "service", "scope"),
    comment="The newest answer of each service: the current rows are those that it held.",
)

raw_record = _table(
    "raw_record",
    Column("id", RowId, primary_key=True, comment="number of the row version"),
    *_scope(),
    _text("key", "what a row is known by within its scope: its service's key fields"),
    _maybe("kind", "space of the code: rup, swk, tender, nontender, ...; empty for a master list"),
    _text("code", "the source's own code of the subject, such as kd_tender"),
    _text("content_hash", "hash of the content without volatile fields, lists taken as sets"),
    _text("wire_hash", "hash of the row as received, without volatile fields: the quick way to an unchanged row"),
    _time("observed_at", "when the row was fetched; of dumps their own day"),
    _run(),
    Column("payload", Json, nullable=False, comment="the row as received. May hold personal data"),
    _flag("gone", "a tombstone: a complete answer no longer brought this key"),
    _flag("current", "the latest version of its key; else history", default=True),
    comment="Every version of every row ever received, in the source's own words.",
)
# Holds all that a night without changes asks of the known rows, so that it need not read their payloads.
# SQLite uses a partial index only for its very condition: queries say `raw_record.c.current`, not `.is_(True)`.
_CURRENT: dict[str, Any] = {"sqlite_where": text("current = 1"), "postgresql_where": text("current")}
Index(
    "raw_record_current",
    raw_record.c.source,
    raw_record.c.service,
    raw_record.c.scope,
    raw_record.c.key,
    raw_record.c.wire_hash,
    raw_record.c.content_hash,
    raw_record.c.observed_at,
    raw_record.c.gone,
    raw_record.c.kind,
    raw_record.c.code,
    raw_record.c.current,  # else SQLite looks into the row for it
    **_CURRENT,
)
Index(
    "raw_record_key",
    raw_record.c.source,
    raw_record.c.service,
    raw_record.c.scope,
    raw_record.c.key,
    sqlite_where=text("current = 0"),
    postgresql_where=text("NOT current"),
)
Index("raw_record_code", raw_record.c.kind, raw_record.c.code, **_CURRENT)
Index(
    "raw_record_replaced",
    raw_record.c.kind,
    raw_record.c.code,
    sqlite_where=text("current = 0"),
    postgresql_where=text("NOT current"),
)
Index("raw_record_run", raw_record.c.run_id)
reject = _table(
    "reject",
    Column("id", RowId, primary_key=True, comment="number of the reject"),
    *_scope(),
    _maybe("key", "the row's key where it has one"),
    _text("content_hash", "hash of the row: the same row rejected again is the same reject"),
    _text("reason", "why the row can't be used, naming fields, never their values"),
    _text("payload", "the row as received, JSON text. May hold personal data"),
    _run(),
    _time("observed_at", "when the row was true at the source"),
    _time("rejected_at", "when it was rejected"),
    _time("resolved_at", "when a retry or a mended row at the source settled it", nullable=True),
    _maybe(
        "ocid",
        "the process that was built without the row, or could not be built; empty for a row that was not taken over",
    ),
    comment="Rows that could not be used, kept whole with the reason.",
)
Index("reject_content", reject.c.source, reject.c.service, reject.c.scope, reject.c.content_hash)
Index("reject_ocid", reject.c.ocid)

signal = _table(
    "signal",
    _text("source", "source system"),
    _text("service", "service, named as LKPP's ISB names it"),
    _text("field", "field of the row"),
    _text("value", "the unknown code value, or why a field is left out; empty for a new field"),
    _text(
        "kind",
        "code (a value that no code table knows), field (a column that the schema does not know) or dropped (a field "
        "left out because its value can't be read)",
    ),
    _number("rows", "rows that had it in the last run that saw it"),
    _time("first_seen", "when a row first had it"),
    _time("last_seen", "when a row last had it"),
    Column("run_number", RowId, comment="number of the last run that saw it", nullable=False),
    PrimaryKeyConstraint("source", "service", "field", "value"),
    comment="What the sources say that Jejak does not know yet: code values and fields to map or to ignore on purpose.",
)

# ------------------------------------------------------------------------------------------------------------ identity

identity = _table(
    "identity",
    _text("kind", "space of the code: rup, swk, tender, nontender, ..."),
    _text("key", "the source's own code"),
    _text("ocid", "the process that the code belongs to"),
    _run(),
    PrimaryKeyConstraint("kind", "key"),
    comment="The crosswalk from codes to contracting processes: written once per code, never rewritten.",
)
Index("identity_ocid", identity.c.ocid)

process = _table(
    "process",
    _text("ocid", "the contracting process", primary_key=True),
    _text("family", "name shared by the processes that share a RUP, directly or through others"),
    _maybe("fingerprint", "of the code that built its state last; empty if it was never built"),
    comment="Every contracting process that was ever opened, and its family.",
)
Index("process_family", process.c.family)
Index("process_fingerprint", process.c.fingerprint)

process_rup = _table(
    "process_rup",
    _text("ocid", "the contracting process"),
    _text("kind", "rup (provider package) or swk (self-managed work)"),
    _text("code", "RUP code"),
    _text("by_kind", "kind of the code whose rows name it: the RUP itself, or an attempt, order, recorded purchase"),
    _text("by_code", "that code"),
    PrimaryKeyConstraint("ocid", "kind", "code", "by_kind", "by_code"),
    comment="The RUP codes whose planning section a process carries, as the current rows of its codes name them.",
)
Index("process_rup_code", process_rup.c.kind, process_rup.c.code)
Index("process_rup_by", process_rup.c.by_kind, process_rup.c.by_code)

process_relation = _table(
    "process_relation",
    _text("ocid", "the contracting process"),
    _text("relationship", "OCDS relatedProcess code: planning, unsuccessfulProcess, replacementProcess, parent"),
    _text("related_ocid", "the process it is related to"),
    _text("by_kind", "kind of the code whose rows relate the two"),
    _text("by_code", "that code"),
    PrimaryKeyConstraint("ocid", "relationship", "related_ocid", "by_kind", "by_code"),
    comment="Relations between contracting processes, as the current rows of their codes give them.",
)
Index("process_relation_by", process_relation.c.by_kind, process_relation.c.by_code)


def _row_id(**options: Any) -> Column[int]:
    return Column(
        "row_id",
        RowId,
        ForeignKey("raw_record.id"),
        comment="the row version",
        nullable=False,
        autoincrement=False,
        **options,
    )


rup_reference = _table(
    "rup_reference",
    _row_id(primary_key=True),
    _text("kind", "space of the code: tender, nontender, pencatatan, swakelola, ecat, tokodaring"),
    _text("code", "the attempt's, order's or recorded purchase's own code"),
    Column("rups", Json, comment="the RUP codes it names, as [kind, code] pairs", nullable=False),
    Column(
        "priority", Integer, comment="of the service among those that may name them; lower is better", nullable=False
    ),
    _maybe("created", "tgl_buat_paket (local time)"),
    _maybe("package", "kd_pkt_dce: attempts of one package"),
    Column("version", BigInteger, comment="versi_tender, versi_nontender", nullable=False),
    _flag("failed", "the attempt came to nothing"),
    comment="The RUPs that current rows of attempts, orders and recorded purchases name.",
)
Index("rup_reference_code", rup_reference.c.kind, rup_reference.c.code)
Index("rup_reference_package", rup_reference.c.package)

plan_fact = _table(
    "plan_fact",
    _row_id(primary_key=True),
    _text("kind", "rup or swk"),
    _text("code", "RUP code"),
    _maybe("first_year", "kode_rup_tahun_pertama: the RUP whose contract it pays on"),
    Column("inside", Json, comment="kd_rup_swakelola: self-managed work that it is part of", nullable=False),
    comment="What current rows of plans say of other plans.",
)
Index("plan_fact_code", plan_fact.c.kind, plan_fact.c.code)

rup_revision = _table(
    "rup_revision",
    _row_id(primary_key=True),
    _text("kind", "rup or swk"),
    _text("older", "the RUP code that is revised"),
    _text("newer", "the RUP code that it becomes"),
    _maybe("type", "jenis_revisi: SATUKESATU, SATUKEBANYAK, PEMBATALAN, PENGAKTIFAN"),
    _maybe("date", "tgl_kaji_ulang (local time)"),
    comment="Revisions of RUP codes (kaji ulang), one row for each current row that gives one.",
)
Index("rup_revision_older", rup_revision.c.kind, rup_revision.c.older)
Index("rup_revision_newer", rup_revision.c.kind, rup_revision.c.newer)

supplier_name = _table(
    "supplier_name",
    _row_id(),
    _text(
        "kind",
        "npwp (SHA-256 of the digits), name (normalised), sub_activity (its fiscal year and code) or office (fiscal "
        "year and SIRUP's number)",
    ),
    _text("key", "the key itself"),
    _text("kd_penyedia", "LKPP's code of the supplier; of a sub-activity its name, of an office its code"),
    # By bytes, as codes are: which spelling comes first must not hang on a locale.
    Column("name", Code, comment="its name as the row has it"),
    PrimaryKeyConstraint("row_id", "kind", "key"),
    comment="Tax numbers and names that current rows give beside a supplier's code; names of sub-activities, codes of "
    "offices.",
)
Index("supplier_name_key", supplier_name.c.key)
Index("supplier_name_code", supplier_name.c.kd_penyedia)

supplier_key = _table(
    "supplier_key",
    _text("kind", "npwp (SHA-256 of the digits), name (normalised), code, sub_activity or office"),
    _text("key", "the key itself"),
    _text(
        "kd_penyedia",
        "LKPP's code of the supplier, the name of the sub-activity, the code of the office; empty where several have "
        "this key. Of a code its first name",
    ),
    PrimaryKeyConstraint("kind", "key"),
    comment="The crosswalk from tax numbers and names to LKPP's supplier codes and from codes to names, as "
    "`supplier_name` has it: of suppliers, of sub-activities that pay for plans, of offices.",
)

supplier_use = _table(
    "supplier_use",
    _text("kind", "npwp, name, code, sub_activity or office, as in supplier_key"),
    _text("key", "the key itself"),
    _text("ocid", "the process of which a row names a supplier, sub-activity or office by such a key"),
    PrimaryKeyConstraint("kind", "key", "ocid"),
    comment="Keys that were looked up in supplier_key: their processes are built again when the answer changes.",
)
Index("supplier_use_ocid", supplier_use.c.ocid)

pending_code = _table(
    "pending_code",
    _text("kind", "space of the code"),
    _text("code", "the source's own code"),
    _text("source", "source whose rows of it changed"),
    _text("token", "of the latest change: a build clears only the entry that it has seen"),
    PrimaryKeyConstraint("kind", "code", "source"),
    comment="Codes whose rows changed and whose processes have not been looked for since.",
)

pending_process = _table(
    "pending_process",
    _text("ocid", "the contracting process", primary_key=True),
    _text("token", "of the latest change: a build clears only the entry that it has seen"),
    comment="Processes whose state may have changed: their record is built again.",
)

due_event = _table(
    "due_event",
    _text("ocid", "the contracting process"),
    _text("source", "source system"),
    _text("service", "service whose rows hold the event"),
    _text("scope", "requested scope: a fiscal year, or `all`"),
    _text("day", "local day of an event that lies after the newest answer: YYYY-MM-DD"),
    PrimaryKeyConstraint("ocid", "source", "service", "scope", "day"),
    comment="Events that have not come yet: an answer of a later day that still holds them makes them facts.",
)
Index("due_event_service", due_event.c.source, due_event.c.service, due_event.c.scope)

fingerprint = _table(
    "fingerprint",
    _text("service", "service whose current rows it is about", primary_key=True),
    _text("extraction", "of the code that extracted identity and evidence from all of them"),
    comment="Which code extracted the facts of each service's rows: another code extracts them again.",
)

# ------------------------------------------------------------------------------------------------------------- linking

evidence = _table(
    "evidence",
    *_scope(),
    _text("key", "what the row is known by within its scope, as in raw_record"),
    _text("kind", "space of the subject's code: rup, tender, anggaran, usulan, kontrak, pekerjaan, ..."),
    _text("code", "the source's own code of the subject that the row is about"),
    _year("fiscal year of the row; empty where it has none"),
    _text("content", "what the row holds about whom it belongs to, JSON text. May hold personal data"),
    PrimaryKeyConstraint("source", "service", "scope", "key"),
    comment="What links are made of: evidence in the current version of each row.",
)
Index("evidence_year", evidence.c.year, evidence.c.kind)
Index("evidence_code", evidence.c.kind, evidence.c.code)

pending_link = _table(
    "pending_link",
    _text("kind", "space of the subject's code"),
    _text("code", "code of the subject"),
    Column("year", Integer, comment="fiscal year of its evidence; 0 for none", nullable=False, autoincrement=False),
    _text("token", "changes whenever it is enqueued anew: linking clears only what it has read"),
    PrimaryKeyConstraint("kind", "code", "year"),
    comment="Subjects whose links must be looked at again.",
)

link_year = _table(
    "link_year",
    Column("year", Integer, primary_key=True, autoincrement=False, comment="fiscal year"),
    _text("token", "changes whenever the year is linked: of two at once the second begins again"),
    _text("fingerprint", "digest of rules, thresholds and code; where it is another one, the year is linked anew"),
    Column(
        "office_counts",
        Json,
        nullable=False,
        comment="kind, code and name of an office as subjects have them, and of how many subjects",
    ),
    Column("resolved", Json, nullable=False, comment="kind, code and name of an office, and the office that is meant"),
    Column("offices", Json, nullable=False, comment="links of rule `office` that the year gives"),
    comment="What linking keeps of a fiscal year between two builds; see also the tables link_subject, link_key and "
    "link_pair.",
)

link_subject = _table(
    "link_subject",
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

link_key = _table(
    "link_key",
    Column("year", Integer, comment="fiscal year", nullable=False, autoincrement=False),
    _text("key", "a value that subjects are found by, or whose rarity weighs. May hold personal data"),
    Column("subject", Integer, comment="number of the subject (link_subject.id)", nullable=False, autoincrement=False),
    PrimaryKeyConstraint("year", "key", "subject"),
    comment="Under which values the subjects of a year are found by linking.",
    sqlite_with_rowid=False,
)

link_pair = _table(
    "link_pair",
    Column("year", Integer, comment="fiscal year", nullable=False, autoincrement=False),
    _text("rule", "linking rule"),
    _text("from_kind", "space of the code that may be linked"),
    _text("from_code", "the code that may be linked"),
    _text("to_kind", "space of the code that it may belong to"),
    _text("to_code", "the code that it may belong to"),
    Column("weight", Float, comment="logarithm of the odds that they belong together", nullable=False),
    _text("by", "the evidence for it"),
    PrimaryKeyConstraint("year", "rule", "from_kind", "from_code", "to_kind", "to_code"),
    comment="What was weighed of contracts that are paid or reported on, before they compete for purchases.",
)
Index("link_pair_to", link_pair.c.year, link_pair.c.rule, link_pair.c.to_kind, link_pair.c.to_code)

office_name = _table(
    "office_name",
    _text("source", "source system", primary_key=True),
    _text("name", "name of an office there, in plain words", primary_key=True),
    _text("code", "the office (kd_satker_str)"),
    comment="Which office of the regency a system means by a name: from the links of rule `office` that stand.",
)

link = _table(
    "link",
    _text("id", "digest of rule and both ends: the same link has the same id in every warehouse", primary_key=True),
    _text(
        "rule",
        "what was compared: office, budget-package, contract-payment, contract-report, proposal-package, "
        "document-package, possible-revision, ...",
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
# For the marts, which ask of every subject whether it is linked; their conditions are these very words.
for _name, _status in (("link_standing", "status IN ('auto', 'confirmed')"), ("link_pending", "status = 'pending'")):
    _only = text(_status)
    Index(_name, link.c.from_kind, link.c.from_code, sqlite_where=_only, postgresql_where=_only)

subject = _table(
    "subject",
    _text(
        "kind",
        "anggaran (SIMDA budget line), usulan and pokir (proposals), kontrak (contract in SIMDA), "
        "pekerjaan (job in SIMPEN), dokumen (planning document)",
    ),
    _text("code", "its code in the system of its own"),
    _text("source", "source system"),
    _year("fiscal year"),
    _maybe("office_id", "the office, as parties name it (office.id)"),
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

code_use = _table(
    "code_use",
    _text("source", "source whose code table lacks the word"),
    _text("code_list", "list of the code table"),
    _text("word", "the word as it is compared: lower case, single blanks"),
    _text("service", "service whose row has it"),
    _text("field", "field of the row"),
    _text("ocid", "the process that was built of the row"),
    PrimaryKeyConstraint("source", "code_list", "word", "service", "field", "ocid"),
    comment="Words that no shipped code table knows, and the processes that use them: they are built again when a word "
    "gets a meaning or loses it.",
)
Index("code_use_ocid", code_use.c.ocid)

code_meaning = _table(
    "code_meaning",
    _text("source", "source whose code table lacks the word"),
    _text("code_list", "list of the code table"),
    _text("word", "the word as it is compared: lower case, single blanks"),
    _text("code", "OCDS code; empty text for a word that has none"),
    _text("decided_by", "the operator's account"),
    _time("decided_at", "when"),
    _maybe("note", "why, in the operator's words"),
    PrimaryKeyConstraint("source", "code_list", "word"),
    comment="Meanings that operators gave to words that no shipped code table knows; the shipped table comes first.",
)

decision = _table(
    "decision",
    Column("id", RowId, primary_key=True, comment="number of the decision"),
    _text("kind", "what was decided on: link or code"),
    _text("subject", "the link (link.id), or source, list and word of a code, separated by |"),
    _text("before", "state or meaning before; empty text for none"),
    _text("after", "state or meaning after; empty text for none"),
    _text("seen", "digest of what the operator had seen; empty text where nothing was shown"),
    _text("decided_by", "the operator's account"),
    _time("decided_at", "when"),
    _maybe("note", "why, in the operator's words"),
    comment="Every decision of an operator.",
)
Index("decision_subject", decision.c.kind, decision.c.subject)
Index("decision_when", decision.c.decided_at)

search_key = _table(
    "search_key",
    _text("key", "a number without signs, in capitals; a word of a title in small letters"),
    _text("kind", "what it is: contract, sp2d, spm, ..., title"),
    _text("holder_kind", "process, or the kind of a linked subject (subject.kind)"),
    _text("holder", "OCID, or the subject's code"),
    PrimaryKeyConstraint("key", "kind", "holder_kind", "holder"),
    comment="What processes and linked subjects are found by, beside their codes; no number of a person is among it.",
    sqlite_with_rowid=False,
)
Index("search_key_holder", search_key.c.holder_kind, search_key.c.holder)

# ---------------------------------------------------------------------------------------------------- releases, records

release = _table(
    "release",
    _text("id", "OCDS release id: a hash of ocid, date and body", primary_key=True),
    Column("number", Integer, comment="its place among the releases of its process, from 1", nullable=False),
    _text("ocid", "the contracting process"),
    _text("date", "release date (local time with offset)"),
    _time("made_at", "when it was written"),
    Column("tags", Json, comment="OCDS release tags", nullable=False),
    Column(
        "body",
        LargeBinary,
        comment="the whole OCDS release, JSON compressed by zlib; empty where `record.compiled` holds the same (a "
        "process with one release), or where it was erased",
    ),
    Column(
        "lineage",
        LargeBinary,
        nullable=False,
        comment="the row versions that it was made of, also those of what it withdraws: JSON compressed by zlib, "
        "[[kind, code, service, scope, key, observed_at]]",
    ),
    _run(),
    _time(
        "voided_at",
        "when it was found that it should never have been published; empty for a valid release",
        nullable=True,
    ),
    _maybe("void_reason", "why it was voided"),
    comment="OCDS releases: what was learned of a process at one time. Voided ones are neither compiled nor published.",
)
Index("release_order", release.c.ocid, release.c.number, unique=True)
Index("release_made", release.c.made_at)

record = _table(
    "record",
    _text("ocid", "the contracting process", primary_key=True),
    Column("compiled", Jsonb, comment="the compiled OCDS release", nullable=False),
    Column(
        "withdrawn",
        Json,
        comment="paths (names, ids of entries) that the rows no longer give and OCDS can't take back; empty if none",
    ),
    _number("releases", "releases that it was compiled from"),
    _text("date", "date of the latest of them (local time with offset)"),
    _time("rowless_since", "since when no current row is about the process; empty while one is", nullable=True),
    Column(
        "rows",
        LargeBinary,
        nullable=False,
        comment="the row versions of its state as in `release.lineage`, each with whether it is a tombstone, and its "
        "number: what differs from them makes the next release",
    ),
    _run(),
    comment="One compiled OCDS record per contracting process. Its state is the record without what is withdrawn.",
)

# -------------------------------------------------------------------------------------------------------- star schema


def _ocid(**options: Any) -> Column[str]:
    return _text("ocid", "the contracting process", ForeignKey("contracting_process.ocid"), **options)


def _amount_columns() -> list[Column[Any]]:
    """The four kinds of money spent, which are never added to one another."""
    return [
        _money("contracted_amount", "contracted: contracts and orders that stand, recorded purchases left out"),
        _money("certified_amount", "certified: payment certificates (BAP) on contracts that stand, each once"),
        _money("recorded_amount", "recorded: total_realisasi of recorded purchases and self-managed work that stand"),
        _money("recorded_cancelled_amount", "total_realisasi of recordings that were cancelled; part of no other sum"),
        _money("disbursed_amount", "disbursed: SP2D of the treasury (SIMDA) on contracts that stand"),
    ]


def _keys() -> list[Column[Any]]:
    """What most facts are grouped by."""
    return [
        _maybe("office_id", "the office (office.id)"),
        Column("fiscal_year", Integer, comment="fiscal year of its rows, else that of the process"),
        _text("family", "name shared by the processes that share a RUP"),
    ]


contracting_process = _table(
    "contracting_process",
    _text("ocid", "the contracting process", ForeignKey("record.ocid"), primary_key=True),
    _text("family", "name shared by the processes that share a RUP"),
    _maybe("origin", "the kind of code that opened the process: rup, swk, tender, nontender, ..."),
    _maybe("title", "title of the process, else of its tender or plan"),
    _maybe("office_id", "the office that buys (office.id)"),
    _maybe("office_name", "its name as this process's rows have it; office.name is the same everywhere"),
    _maybe("method", "OCDS procurementMethod: open, selective, limited or direct; empty for self-managed work"),
    _maybe("method_details", "the method in the source's words"),
    _maybe("category", "OCDS mainProcurementCategory: goods, works or services"),
    _maybe("tender_status", "OCDS status of the tender"),
    _maybe(
        "place_code",
        "Kemendagri's code of the village, else the district, that its texts name; of several villages their district",
    ),
    _maybe("village", "the official name of that village; empty where only a district is known"),
    _maybe("district", "the official name of the district"),
    Column(
        "fiscal_year",
        Integer,
        comment="fiscal year of the first budget line, else the first of its rows, else of the scopes they came in",
    ),
    _money(
        "planned_amount",
        "planned budget: of its own plans that stand, or what an attempt names where SIRUP announces no plan; empty "
        "where another process of the family has it, so that sums count each plan once",
    ),
    _money("tender_value", "value of the tender: the estimate (HPS)"),
    _money("awarded_amount", "sum of the awards that stand: neither cancelled, unsuccessful nor pending"),
    *_amount_columns(),
    _number("payments", "number of certificates, recorded payments and SP2D on contracts that stand"),
    _moment("last_payment_at", "the last of them"),
    _percent("physical_progress", "latest actual physical progress of contracts that stand, weighted by value"),
    _percent("financial_progress", "latest actual financial progress as the office reports it, weighted alike"),
    _day("last_report_on", "latest progress report on them"),
    _flag("has_planning", "a planning section is known"),
    _flag("has_tender", "a tender, selection or direct purchase was begun, not only planned"),
    _flag("has_award", "an award is known that was neither cancelled nor unsuccessful; a pending one counts"),
    _flag("has_contract", "a contract is known that was not cancelled"),
    _flag(
        "has_implementation",
        "something is known of the execution of a contract that was not cancelled: payments, progress, milestones met, "
        "documents, completion",
    ),
    _moment("first_date", "first event: announcement, award, signature, payment, milestone met"),
    _moment("last_date", "last event"),
    _time("updated_at", "the newest of its current rows"),
    comment="One row per contracting process: its stages and amounts. Every amount may be summed over processes; the "
    "kinds of money spent (contracted, certified, recorded, disbursed) are never added to one another.",
)
Index("contracting_process_family", contracting_process.c.family)
Index("contracting_process_office", contracting_process.c.office_id, contracting_process.c.fiscal_year)
# For `late_plan`, which asks this of every plan's family.
for _name, _stage in (("tendered", text("has_tender")), ("contracted", text("has_contract"))):
    Index(f"contracting_process_{_name}", contracting_process.c.family, sqlite_where=_stage, postgresql_where=_stage)

_WORDS_OF = "the record that these words are of: the first with a name for it, and its address or legal form if any has"
office = _table(
    "office",
    _text("id", "OCDS party id", primary_key=True),
    _text("name", "name, else its id"),
    _flag("named", "a record has a name for it"),
    _maybe("code", "kd_satker_str; empty where rows name the office without its code"),
    _maybe("institution", "kd_klpd, the regency or province"),
    _maybe("address", "street address of the office"),
    _text("ocid", _WORDS_OF),
    comment="Offices (satker): buyers, payers, those that proposals are given to.",
)
Index("office_ocid", office.c.ocid)

supplier = _table(
    "supplier",
    _text("id", "OCDS party id; a name that no code is known of has an id made of the name", primary_key=True),
    _text("name", "name, else its id"),
    _flag("named", "a record has a name for it; e-catalogue orders give codes alone"),
    _maybe("code", "kd_penyedia, LKPP's code"),
    _maybe("tax_number", "NPWP, of firms alone"),
    _maybe("legal_form", "bentuk_usaha, in the source's words"),
    _maybe("kind", "firm or person, where name or bentuk_usaha shows it"),
    _text("ocid", _WORDS_OF),
    comment="Suppliers, bidders, registrants and payees. All persons who were paid for self-managed work are one row, "
    "`perorangan`.",
)
Index("supplier_ocid", supplier.c.ocid)

process_party = _table(
    "process_party",
    _ocid(),
    _text("party_id", "office.id or supplier.id"),
    _text("role", "OCDS party role: buyer, procuringEntity, tenderer, supplier, payer, payee, ...; or registrant"),
    _maybe("name", "name as the rows of this process have it"),
    _maybe("code", "kd_satker_str of an office, kd_penyedia of a supplier"),
    _maybe("institution", "kd_klpd of an office"),
    _maybe("address", "street address of an office"),
    _maybe("tax_number", "NPWP of a firm"),
    _maybe("legal_form", "bentuk_usaha of a supplier"),
    _maybe("kind", "firm or person, where name or bentuk_usaha shows it"),
    PrimaryKeyConstraint("ocid", "party_id", "role"),
    comment="Who plays which role in which process, in the words of its rows.",
)
Index("process_party_party", process_party.c.party_id, process_party.c.role)

plan = _table(
    "plan",
    _ocid(),
    _text("id", "kind and RUP code: rup-1 or swk-1"),
    *_keys(),
    _text("kind", "rup (bought from providers) or swk (self-managed work)"),
    _text("kd_rup", "RUP code"),
    _maybe("title", "nama_paket"),
    _text(
        "status", "announced; withdrawn (deleted, inactive or cancelled by kaji ulang); revised (a newer RUP counts)"
    ),
    _maybe("status_details", "status_umumkan_rup"),
    _money("pagu", "budget of a plan that is announced; empty for one that is not, so that it may always be summed"),
    _money("pagu_not_counted", "budget of a plan that was withdrawn or revised"),
    _maybe("method", "OCDS procurementMethod of the plan"),
    _maybe("method_details", "metode_pengadaan"),
    _maybe("category", "OCDS mainProcurementCategory"),
    _maybe("category_details", "jenis_pengadaan, in the source's words"),
    _maybe("swakelola_type", "tipe_swakelola: 1 to 4"),
    _maybe("volume", "volume_pekerjaan, in the source's words"),
    _maybe("funds", "sumber_dana of its budget lines"),
    _moment("created_at", "tgl_buat_paket"),
    _moment("announced_at", "tgl_pengumuman_paket"),
    _moment("selection_start", "tgl_awal_pemilihan"),
    _moment("selection_end", "tgl_akhir_pemilihan; the plan's own date, not the tender's"),
    _moment("contract_start", "tgl_awal_kontrak, tgl_awal_pelaksanaan_kontrak"),
    _moment("contract_end", "tgl_akhir_kontrak, tgl_akhir_pelaksanaan_kontrak"),
    _moment("use_start", "tgl_awal_pemanfaatan"),
    _moment("use_end", "tgl_akhir_pemanfaatan"),
    _maybe("domestic_products", "status_pdn, in the source's words"),
    _maybe("small_enterprises", "status_ukm, in the source's words"),
    _maybe("not_small_reason", "alasan_non_ukm"),
    _maybe("before_budget", "status_pradipa: announced before the budget was fixed"),
    _maybe("consolidation", "status_konsolidasi"),
    _maybe("package_type", "tipe_paket"),
    Column("exempt", Boolean, comment="status_dikecualikan"),
    _maybe("exempt_reason", "alasan_dikecualikan"),
    _maybe("inside_swakelola", "kd_rup_swakelola: the self-managed work that it is part of"),
    _maybe("first_year_rup", "kode_rup_tahun_pertama: the RUP whose contract of several years it pays on"),
    Column("economic_aspect", Boolean, comment="spp_aspek_ekonomi"),
    Column("social_aspect", Boolean, comment="spp_aspek_sosial"),
    Column("environmental_aspect", Boolean, comment="spp_aspek_lingkungan"),
    _maybe("organiser", "nama_satker_penyelenggara: who carries out self-managed work of types 2 to 4"),
    _maybe("organiser_institution", "nama_klpd_penyelenggara"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="One row per RUP that SIRUP announces: the plan. Pagu may always be summed.",
)
Index("plan_code", plan.c.kd_rup)
Index("plan_office", plan.c.office_id, plan.c.fiscal_year)

plan_account = _table(
    "plan_account",
    _ocid(),
    _text("plan_id", "its plan (plan.id)"),
    _text("id", "number within the plan"),
    _maybe("mak", "budget account code as SIRUP has it"),
    _maybe("sub_activity", "its sub-activity without leading zeros: the join to budget_activity.code"),
    _maybe("account", "its account, as 5.1.02.01.01.0024"),
    _maybe("fund", "sumber_dana"),
    Column("fund_year", Integer, comment="tahun_anggaran_dana"),
    _maybe("fund_institution", "asal_dana_klpd"),
    _maybe("fund_office", "asal_dana_satker"),
    _money("amount", "the plan's share of the line, corrections taken off; not the line's total"),
    PrimaryKeyConstraint("ocid", "plan_id", "id"),
    comment="Budget lines of plans. Their sum is the plan's pagu, also of plans that do not count (plan.status) or "
    "that SIRUP's list lacks: join `plan` before summing.",
)
Index("plan_account_account", plan_account.c.account)

attempt = _table(
    "attempt",
    _ocid(),
    _text("id", "channel and code: tender-1, nontender-1, ... (OCDS tender.id)"),
    *_keys(),
    _text(
        "channel",
        "tender, nontender, pencatatan (recorded purchase), swakelola (recorded self-managed work), ecat (e-catalogue "
        "order), tokodaring (order in an online shop)",
    ),
    _text("code", "the source's own code, such as kd_tender"),
    _maybe("package", "kd_pkt_dce: the package that is attempted, several times where it failed"),
    Column("version", Integer, comment="versi_tender, versi_nontender: which attempt at the package"),
    _maybe("retry_of", "OCID of the process of the failed attempt that this one repeats"),
    _maybe("title", "title"),
    _maybe("status", "OCDS status: planned, active, complete, unsuccessful, cancelled"),
    _maybe("status_details", "status in the source's words"),
    _maybe("closed_reason", "ket_ditutup, alasan_pembatalan: why it was closed"),
    _maybe("repeated_reason", "ket_diulang: why it was repeated"),
    _money("pagu", "budget that the attempt names; plans are in plan.pagu, do not add the two"),
    _money("hps", "estimate (HPS)"),
    _maybe("method", "OCDS procurementMethod"),
    _maybe("method_details", "method in the source's words"),
    _maybe("evaluation", "mtd_evaluasi"),
    _maybe("qualification", "mtd_kualifikasi"),
    _maybe("business_size", "kualifikasi_paket: for which businesses it is meant"),
    _maybe("contract_type", "kontrak_pembayaran: lump sum, unit price, ..."),
    _maybe("category", "OCDS mainProcurementCategory"),
    _maybe("category_details", "jenis_pengadaan, kategori_pengadaan, in the source's words"),
    Column("consulting", Boolean, comment="consulting services"),
    _maybe("funds", "sumber_dana"),
    _maybe("swakelola_type", "tipe_swakelola"),
    _moment("created_at", "tgl_buat_paket; of an order the day of the order"),
    _moment("announced_at", "announcement"),
    Column("announced_day", Integer, comment="its day as a number, for differences (days since 1970-01-01)"),
    _moment("bids_from", "start of the time for bids, of its schedule"),
    _moment("bids_until", "end of the time for bids, of its schedule"),
    _moment("decided_at", "tgl_penetapan_pemenang"),
    _moment("schedule_end", "tgl_selesai_nontender: the end of its schedule, often still to come"),
    _moment("work_start", "tgl_mulai_paket of a recording"),
    _moment("work_end", "tgl_selesai_paket of a recording"),
    Column("registrants", Integer, comment="those who registered; empty where PesertaTender has no row of it"),
    Column("bidders", Integer, comment="those who bid; empty where PesertaTender has no row of it"),
    _maybe("place", "lokasi_pekerjaan"),
    _maybe("regency", "kabkota"),
    _maybe("province", "provinsi"),
    Column("repeat_order", Boolean, comment="repeat_order of a non-tender"),
    Column("product_kinds", Integer, comment="jml_jenis_produk of an order"),
    Column("quantity", Money, comment="jml_produk of an order"),
    _money("shipping", "ongkir of an order"),
    _maybe("delivery_status", "status_pengiriman of an order"),
    _maybe("marketplace", "online shop"),
    _maybe("payment_method", "metode_bayar of an order in an online shop"),
    _maybe("verification", "status_verif of an order in an online shop"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="One row per tender, non-tender, recorded purchase, recorded self-managed work or order.",
)
Index("attempt_code", attempt.c.code)
Index("attempt_package", attempt.c.package)
Index("attempt_family", attempt.c.family)
Index("attempt_office", attempt.c.office_id, attempt.c.fiscal_year)

plan_attempt = _table(
    "plan_attempt",
    _ocid(),
    _text("attempt_id", "the attempt (attempt.id)"),
    _text("plan_id", "the RUP that it names (plan.id, if that is announced)"),
    _text("kd_rup", "its code"),
    Column("share", Float, comment="1 / number of RUPs that the attempt names: shares of an attempt make up 1"),
    PrimaryKeyConstraint("ocid", "attempt_id", "plan_id"),
    comment="Which attempt fulfils which plans. To give an attempt's amount to plans, multiply it by share.",
)
Index("plan_attempt_plan", plan_attempt.c.plan_id)

attempt_account = _table(
    "attempt_account",
    _ocid(),
    _text("attempt_id", "the attempt (attempt.id)"),
    _text("mak", "budget account code as the source has it"),
    _maybe("sub_activity", "its sub-activity without leading zeros: the join to budget_activity.code"),
    _maybe("account", "its account, as 5.1.02.01.01.0024"),
    Column("share", Float, comment="1 / number of codes of the attempt; how they share its amount is not known"),
    PrimaryKeyConstraint("ocid", "attempt_id", "mak"),
    comment="Budget accounts that attempts and orders name.",
)
Index("attempt_account_account", attempt_account.c.account)

registrant = _table(
    "registrant",
    _ocid(),
    _text("id", "kd_peserta"),
    _text("attempt_id", "the attempt (attempt.id)"),
    _maybe("supplier_id", "who registered (supplier.id)"),
    _flag("has_bid", "whether a bid came of it (bid.id is the same)"),
    PrimaryKeyConstraint("ocid", "attempt_id", "id"),
    comment="Who registered for a tender, those who did not bid too.",
)
Index("registrant_supplier", registrant.c.supplier_id)

bid = _table(
    "bid",
    _ocid(),
    _text("id", "id of the bid within the process: kd_peserta"),
    _maybe("attempt_id", "the attempt (attempt.id)"),
    _maybe("supplier_id", "the bidder, or the first of a joint bid (supplier.id)"),
    _maybe("status", "OCDS bid status"),
    _money("value", "nilai_penawaran"),
    _money("corrected_value", "nilai_terkoreksi"),
    Column("won", Boolean, comment="pemenang"),
    Column("verified", Boolean, comment="pemenang_terverifikasi"),
    _maybe("reason", "alasan: why it was refused"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="The bids of tenders.",
)
Index("bid_supplier", bid.c.supplier_id)

award = _table(
    "award",
    _ocid(),
    _text("id", "id of the award within the process"),
    _maybe("attempt_id", "the attempt (attempt.id)"),
    _maybe("channel", "channel of the attempt (attempt.channel)"),
    *_keys(),
    _maybe("supplier_id", "the winner, or the first of several (supplier.id)"),
    Column("suppliers", Integer, comment="number of winners", nullable=False),
    _maybe("title", "title"),
    _maybe("status", "OCDS status; a winner who was replaced stays as cancelled"),
    _maybe("status_details", "status in the source's words"),
    _flag("stands", "neither cancelled, unsuccessful nor pending"),
    _maybe("number", "number of the appointment letter (SPPBJ)"),
    _moment("decided_at", "day of the decision or the letter; of an order the day of the order"),
    _money("value", "amount awarded; of awards that do not stand too, so sum it with `stands`"),
    _money("offered", "nilai_penawaran of the winner"),
    _money("corrected", "nilai_terkoreksi of the winner"),
    _money("negotiated", "nilai_negosiasi"),
    _money("contract_value", "nilai_kontrak as the list of finished attempts has it; contracts are in `contract`"),
    _money("local_content_value", "nilai_pdn_kontrak of that list"),
    _money("micro_enterprise_value", "nilai_umk_kontrak of that list"),
    _maybe("bid_id", "the winning bid (bid.id)"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="The awards of a process, those that no longer stand too.",
)
Index("award_supplier", award.c.supplier_id)

contract = _table(
    "contract",
    _ocid(),
    _text("id", "id of the contract within the process"),
    _maybe("attempt_id", "the attempt (attempt.id)"),
    _maybe("channel", "channel of the attempt: pencatatan and swakelola are recordings, the others contracts"),
    *_keys(),
    _maybe("award_id", "its award (award.id)"),
    _maybe("supplier_id", "the supplier, through its award (supplier.id)"),
    _maybe("number", "number of the contract or agreement"),
    _maybe("title", "title"),
    _maybe("status", "OCDS status"),
    _maybe("status_details", "status in the source's words"),
    _flag(
        "stands",
        "neither cancelled nor pending (an order that waits, a contract not signed yet); a contract stays though its "
        "attempt was closed as failed after the signature: some of them were paid",
    ),
    _moment("signed_at", "signature; of an order the day of the order, of a recording its first agreement"),
    Column("signed_day", Integer, comment="its day as a number, for differences (days since 1970-01-01)"),
    _moment("ordered_at", "order to start or to deliver (SPMK, SPP)"),
    _moment("period_start", "start of the work, of a recording too"),
    _moment("period_end", "end of the work as agreed"),
    Column("duration_days", Integer, comment="duration as agreed, where no dates are given (days)"),
    _moment("handed_over_at", "last handover certificate (BAST, PHO) that was met"),
    _moment("ended_at", "completion"),
    _money(
        "value",
        "contracted: with its addenda; empty for recordings. Of contracts that do not stand too: sum it with `stands`",
    ),
    _money("first_value", "value before the first addendum, where there is one"),
    Column("addenda", Integer, comment="number of addenda", nullable=False),
    _maybe("value_change_reason", "alasan_ubah_nilai_kontrak"),
    _maybe("over_10_percent_reason", "alasan_nilai_kontrak_10_persen"),
    _maybe("contract_type", "jenis_kontrak"),
    _money("local_content_value", "nilai_pdn: domestic products in it"),
    _money("micro_enterprise_value", "nilai_umk: micro and small enterprises in it"),
    _money("guarantee_value", "nilai_jaminan_pelaksanaan"),
    _money("recorded_amount", "recorded: total_realisasi of a recording; of cancelled ones too: sum it with `stands`"),
    _money("certified_amount", "certified: payment certificates (BAP) whose day has come"),
    _money("disbursed_amount", "disbursed: SP2D of the treasury (SIMDA)"),
    Column("payments", Integer, comment="number of certificates, recorded payments and SP2D", nullable=False),
    _moment("last_payment_at", "the last of them"),
    _percent("physical_progress", "latest actual physical progress"),
    _percent("financial_progress", "latest actual financial progress as the office reports it"),
    _day("last_report_on", "latest progress report"),
    _flag("is_executed", "something is known of its execution: payments, progress, milestones met, documents"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="Contracts, orders and recordings. Contracted, certified, recorded and disbursed amounts are never added "
    "to one another; `possible_duplicate` has recordings that repeat a contract.",
)
Index("contract_supplier", contract.c.supplier_id)
Index("contract_office", contract.c.office_id, contract.c.fiscal_year)
Index("contract_family", contract.c.family)

agreement = _table(
    "agreement",
    _ocid(),
    _text("contract_id", "its contract"),
    _text("id", "id within the contract"),
    _maybe("type", "Kontrak, Surat Perjanjian, Surat Pesanan"),
    _maybe("number", "number"),
    _moment("date", "day of the paper"),
    _money("value", "amount of the paper. It agrees a payment and is none"),
    PrimaryKeyConstraint("ocid", "contract_id", "id"),
    comment="The papers that make contracts. Their amounts are no payments.",
)

item = _table(
    "item",
    _ocid(),
    _text("contract_id", "its contract"),
    _text("id", "product of the e-catalogue"),
    _maybe("account", "budget account that pays for it; empty where several do"),
    Column("quantity", Money, comment="quantity; empty where the order has several products and one number for all"),
    _money("unit_price", "price of one"),
    PrimaryKeyConstraint("ocid", "contract_id", "id"),
    comment="Products of e-catalogue orders.",
)

stage_event = _table(
    "stage_event",
    _ocid(),
    _text("stage", "where it stands: planning, tender, contract or implementation"),
    _text("contract_id", "its contract; empty text for planning and tender"),
    _text("id", "id of the milestone"),
    _maybe("attempt_id", "its attempt (attempt.id)"),
    _maybe("title", "title"),
    _maybe("type", "OCDS milestone type"),
    _maybe("code", "code of the milestone: SPMK, BAP, BAST, or the stage's own"),
    _maybe("number", "number of the document"),
    _maybe("status", "OCDS milestone status; stages of a schedule have none"),
    _moment("start_at", "start, of a schedule"),
    _moment("due_at", "end, of a schedule; when it is due"),
    _moment("met_at", "when it was met"),
    _money("value", "amount of a payment certificate; certificates are in `payment` too"),
    PrimaryKeyConstraint("ocid", "stage", "contract_id", "id"),
    comment="Schedules of tenders, and what was delivered and certified under contracts.",
)

place = _table(
    "place",
    _ocid(),
    _text("id", "id of the item that is delivered there, or the attempt whose place of work it is"),
    _maybe("description", "the place as typed"),
    _maybe("village", "village or ward"),
    _maybe("district", "district"),
    _maybe("regency", "regency or city"),
    _maybe("province", "province"),
    _maybe("place_code", "Kemendagri's code of the village, else the district, that the text names first"),
    Column("longitude", Float, comment="longitude (degrees)"),
    Column("latitude", Float, comment="latitude (degrees)"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="Places of work and delivery. All processes of a family repeat those of its plan.",
)
Index("place_code", place.c.place_code)

proposal = _table(
    "proposal",
    _ocid(),
    _text("id", "id of the proposal within the plan"),
    _flag("repeated", "another process of the family has it too: leave it out of sums"),
    _maybe("title", "what is asked for"),
    _maybe("status", "proposed, verified, accepted, rejected or withdrawn; one that was taken back stays as withdrawn"),
    _maybe("status_details", "state in the source's words"),
    _maybe("village", "village or ward"),
    _maybe("district", "district"),
    _money("value", "amount asked for"),
    Column("quantity", Money, comment="quantity asked for"),
    _maybe("unit", "its unit"),
    _maybe("proposed_by", "the level or group that proposed it"),
    _maybe("office_id", "the office that should act (office.id)"),
    _moment("date", "when it was proposed"),
    PrimaryKeyConstraint("ocid", "id"),
    comment="Proposals behind the plan.",
)

document = _table(
    "document",
    _ocid(),
    _text("stage", "where it stands: planning, proposal, tender, award, contract or implementation"),
    _text(
        "parent_id",
        "what it is attached to: its contract (stages contract and implementation), award or proposal; "
        "empty text for planning and tender",
    ),
    _text("id", "id of the document"),
    _maybe("type", "OCDS document type"),
    _maybe("title", "title"),
    _maybe("url", "where it is published"),
    _maybe("format", "media type"),
    _moment("date", "publication"),
    PrimaryKeyConstraint("ocid", "stage", "parent_id", "id"),
    comment="Documents and photos. All processes of a family repeat those of planning and proposals.",
)

payment = _table(
    "payment",
    _ocid(),
    _text("contract_id", "its contract"),
    _text("id", "id of the payment"),
    _text(
        "kind",
        "sp2d (the treasury's order, SIMDA), bap (certificate, SPSE), recorded (payment of a recording): of one "
        "payment there may be one of each, so kinds are never added to one another",
    ),
    _maybe("type", "the source's words: SP2D, BAP, Kwitansi, ..."),
    _maybe("number", "number of the document"),
    _moment("date", "date"),
    _money("value", "amount"),
    _maybe("payer_id", "who paid (office.id)"),
    _maybe("payee_id", "who was paid (supplier.id)"),
    PrimaryKeyConstraint("ocid", "contract_id", "id"),
    comment="Payments by kind, those on cancelled contracts too (contract.stands).",
)
Index("payment_payee", payment.c.payee_id)
Index("payment_kind", payment.c.kind)

progress = _table(
    "progress",
    _ocid(),
    _text("contract_id", "its contract"),
    _text("metric_id", "id of the metric: one per job and kind"),
    _text("id", "id of the report"),
    _maybe("source", "source system: simpen, ..., or lpse (progress on a payment certificate)"),
    _maybe("kind", "physical or financial; empty for another metric"),
    _day("date", "day of the report"),
    _percent("plan", "what should have been reached by then"),
    _percent("actual", "what was reached"),
    _percent("deviation", "actual less plan; as the source gives it where one of them is missing"),
    _maybe("notes", "problems and actions"),
    PrimaryKeyConstraint("ocid", "contract_id", "metric_id", "id"),
    comment="Progress reports on contracts over time.",
)

flag = _table(
    "flag",
    _text("code", "the red flag; docs/redflags.md has its rule"),
    _text("subject_kind", "process, supplier or office"),
    _text("subject_id", "an OCID, or the id of a party"),
    _maybe("name", "title of the process, or name of the party"),
    _maybe("ocid", "the contracting process, where it is the subject"),
    Column("fiscal_year", Integer, comment="fiscal year, judged by itself; 0: the process names none", nullable=False),
    _flag("computable", "all inputs are there; else the flag says nothing of the subject, not that all is well"),
    _flag("flagged", "the rule holds: somebody should look"),
    Column("why", Json, comment="the figures that decided, or `missing`: the inputs that aren't there", nullable=False),
    _run(),
    PrimaryKeyConstraint("code", "subject_id", "fiscal_year"),
    comment="Red flags of processes, suppliers and offices. A flag is a sign that somebody should look, and no proof.",
)
Index("flag_ocid", flag.c.ocid)

# ------------------------------------------------------------------------------------- what the sources' masters give


def _master_row() -> list[Column[Any]]:
    return [
        Column("row_id", RowId, primary_key=True, autoincrement=False, comment="the row version (raw_record.id)"),
        Column("fiscal_year", Integer, comment="fiscal year of the list"),
        _maybe("sirup_code", "SIRUP's number of the office (kd_satker)"),
    ]


office_structure = _table(
    "office_structure",
    *_master_row(),
    _maybe("office_id", "the office (office.id)"),
    _maybe("office_name", "its name in SIRUP"),
    _money("operating", "belanja_operasi"),
    _money("capital", "belanja_modal"),
    _money("unforeseen", "belanja_btt"),
    _money("procurement", "belanja_pengadaan: what is to be announced in SIRUP"),
    _money("not_procurement", "belanja_non_pengadaan"),
    _money("total", "total_belanja"),
    comment="The budget of each office by kind of spending (RUP-StrukturAnggaranPD).",
)
Index("office_structure_office", office_structure.c.office_id, office_structure.c.fiscal_year)

budget_activity = _table(
    "budget_activity",
    *_master_row(),
    _text("level", "program, activity or sub_activity"),
    _maybe("code", "code without leading zeros: plan_account.sub_activity joins those of level sub_activity"),
    _maybe("written_code", "code as SIRUP writes it"),
    _maybe("name", "name"),
    _money("pagu", "its budget"),
    comment="Names of programmes, activities and sub-activities (SIRUP's masters). Accounts have no names in any "
    "source.",
)
Index("budget_activity_code", budget_activity.c.code, budget_activity.c.level)

quality_finding = _table(
    "quality_finding",
    Column("number", RowId, primary_key=True, comment="number of the finding", autoincrement=False),
    _text("code", "the rule; docs/quality.md explains it"),
    _text("level", "record, dataset (beside other records), time (what was known before), or source (its rows)"),
    _text("severity", "error (a contradiction), warning (missing or unlikely), notice"),
    _text("path", "where in the record, list entries by place from 0; of a source the field"),
    _text("message", "what is wrong"),
    _maybe("ocid", "the contracting process"),
    _maybe("title", "its title"),
    _maybe("office_id", "the buying office"),
    _maybe("office_name", "its name"),
    Column("fiscal_year", Integer, comment="fiscal year of the process"),
    _maybe("source", "source system, of a finding on its rows"),
    _maybe("service", "its service"),
    _money("amount", "money of the whole process: by it findings are ranked; never to be summed"),
    _run(),
    comment="What quality checks found, as of the run. A finding stops nothing.",
)
Index("quality_finding_code", quality_finding.c.code)
Index("quality_finding_ocid", quality_finding.c.ocid)
Index("quality_finding_office", quality_finding.c.office_id)

quality_measure = _table(
    "quality_measure",
    _text("kind", "filled (a field), values (each code), repeated (the most frequent), share (of money: largest ten)"),
    _text("subject", "plan, attempt, award, contract, record, office, supplier, or a service: its current rows"),
    _text("field", "the field"),
    _text("value", "the value counted; empty for filled"),
    Column("rows", BigInteger, comment="how many; of share IDR", nullable=False),
    Column("of", BigInteger, comment="of how many; of share IDR", nullable=False),
    _run(),
    PrimaryKeyConstraint("kind", "subject", "field", "value"),
    comment="Counts over the whole data set, as of the run: how often fields are filled, and which values occur.",
)

procurement_limit = _table(
    "procurement_limit",
    _text("method", "method in the source's words"),
    _text("category", "goods, services, works or consultingServices"),
    Column("since", Date, comment="first day of its validity", nullable=False),
    Column("most", Money, comment="the most for which the method may be used for the category (IDR)", nullable=False),
    _text("rule", "where that is written"),
    PrimaryKeyConstraint("method", "category", "since"),
    comment="Limits of procurement methods, as the settings of the last run had them (`flags.limits`).",
)

# What `warehouse.star` writes for a process, in the order that foreign keys ask for.
STAR = (
    contracting_process,
    process_party,
    plan,
    plan_account,
    attempt,
    plan_attempt,
    attempt_account,
    registrant,
    bid,
    award,
    contract,
    agreement,
    item,
    stage_event,
    place,
    proposal,
    document,
    payment,
    progress,
)
# Made of many processes, and of the sources' masters.
DIMENSIONS = (office, supplier)
MASTERS = (office_structure, budget_activity)
# What analysts may read, beside the views.
OPEN = (
    *STAR,
    *DIMENSIONS,
    *MASTERS,
    procurement_limit,
    subject,
    link,
    record,
    release,
    flag,
    quality_finding,
    quality_measure,
    process_rup,
    process_relation,
    run,
    run_service,
)
# Closed to analysts: rows as received and what was made of them to link them, which may hold personal data, and the
# keys made of tax numbers.
LINKING = (link_year, link_subject, link_key, link_pair)
PRIVATE = (
    staged_fetch,
    staged_page,
    raw_record,
    reject,
    supplier_name,
    supplier_key,
    supplier_use,
    evidence,
    code_use,
    *LINKING,
)
