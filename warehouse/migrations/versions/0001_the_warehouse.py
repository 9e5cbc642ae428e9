"""The warehouse"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# Flags are 1 and 0, so that both databases can add them up.
def upgrade() -> None:
    op.create_table(
        "naming",
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="space of the code: tender, nontender, pencatatan, swakelola, ecat, tokodaring",
        ),
        sa.Column(
            "code",
            code,
            nullable=False,
            comment="the attempt's, order's or recorded purchase's own code",
        ),
        sa.Column(
            "rups", sa.JSON(none_as_null=True), nullable=False, comment="the RUP codes it names, as [kind, code] pairs"
        ),
        sa.Column(
            "rank", sa.Integer(), nullable=False, comment="how good a witness the naming service is; lower is better"
        ),
        sa.Column("created", sa.Text(), nullable=True, comment="tgl_buat_paket (local time)"),
        sa.Column("package", sa.Text(), nullable=True, comment="kd_pkt_dce: attempts of one package"),
        sa.Column("version", sa.Integer(), nullable=False, comment="versi_tender, versi_nontender"),
        sa.Column(
            "failed", sa.Boolean(), server_default=sa.false(), nullable=False, comment="the attempt came to nothing"
        ),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("naming_pkey")),
        comment="What attempts, orders and recorded purchases say of the RUPs they fulfil.",
    )
    op.create_index("naming_package", "naming", ["package"])
    op.create_table(
        "organization",
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="OCDS party id, such as an office's or a supplier's code with its scheme",
        ),
        sa.Column(
            "name",
            code,
            nullable=False,
            comment="name in the latest record that has the organisation",
        ),
        sa.Column("scheme", sa.Text(), nullable=True, comment="scheme of the identifier"),
        sa.Column("identifier", sa.Text(), nullable=True, comment="the identifier in that scheme"),
        sa.Column("locality", sa.Text(), nullable=True, comment="town"),
        sa.Column("region", sa.Text(), nullable=True, comment="province or regency"),
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the record that these words are taken from",
        ),
        sa.Column("updated_at", sa.String(length=20), nullable=False, comment="date of that record (UTC)"),
        sa.PrimaryKeyConstraint("id", name=op.f("organization_pkey")),
        comment="One row per organisation of any role: offices, suppliers, bidders.",
    )
    op.create_index("organization_ocid", "organization", ["ocid"])
    op.create_table(
        "pending_build",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.PrimaryKeyConstraint("ocid", name=op.f("pending_build_pkey")),
        comment="Processes whose record must be compiled again: written with their releases, cleared with their record.",
    )
    op.create_table(
        "pending_derive",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "asked",
            code,
            nullable=False,
            comment="token of the latest demand: a derivation clears only the demand that it has answered",
        ),
        sa.PrimaryKeyConstraint("ocid", name=op.f("pending_derive_pkey")),
        comment="Processes whose releases must be derived again.",
    )
    op.create_table(
        "process",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "family",
            code,
            nullable=False,
            comment="name shared by the processes that share a RUP, directly or through others",
        ),
        sa.PrimaryKeyConstraint("ocid", name=op.f("process_pkey")),
        comment="Every contracting process that was ever opened, and its family.",
    )
    op.create_index("process_family", "process", ["family"])
    op.create_table(
        "process_relation",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "relationship",
            code,
            nullable=False,
            comment="OCDS relatedProcess code: planning, unsuccessfulProcess, replacementProcess, parent",
        ),
        sa.Column(
            "related_ocid",
            code,
            nullable=False,
            comment="the process it is related to",
        ),
        sa.PrimaryKeyConstraint("ocid", "relationship", "related_ocid", name=op.f("process_relation_pkey")),
        comment="Relations between contracting processes.",
    )
    op.create_table(
        "process_rup",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="rup (provider package) or swk (self-managed work)",
        ),
        sa.Column("code", code, nullable=False, comment="RUP code"),
        sa.PrimaryKeyConstraint("ocid", "kind", "code", name=op.f("process_rup_pkey")),
        comment="The RUP codes whose planning section a process carries.",
    )
    op.create_index("process_rup_code", "process_rup", ["kind", "code"])
    op.create_table(
        "run",
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="name of the run",
        ),
        sa.Column(
            "command",
            code,
            nullable=False,
            comment="what was asked for: sync, retry, identity import, ...",
        ),
        sa.Column("started_at", sa.String(length=20), nullable=False, comment="start (UTC)"),
        sa.Column(
            "finished_at",
            sa.String(length=20),
            nullable=True,
            comment="end; empty while it runs, or if it was killed (UTC)",
        ),
        sa.Column(
            "status",
            code,
            nullable=False,
            comment="running, success or failed",
        ),
        sa.Column("message", sa.Text(), nullable=True, comment="why it failed, with the remedy"),
        sa.Column("built", sa.Integer(), server_default="0", nullable=False, comment="records that it built"),
        sa.PrimaryKeyConstraint("id", name=op.f("run_pkey")),
        comment="One row per run of a command that writes.",
    )
    op.create_table(
        "rup_revision",
        sa.Column("kind", code, nullable=False, comment="rup or swk"),
        sa.Column(
            "code",
            code,
            nullable=False,
            comment="the newer RUP code",
        ),
        sa.Column(
            "older",
            code,
            nullable=False,
            comment="the RUP code that it revises",
        ),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("rup_revision_pkey")),
        comment="Revisions of RUP codes (kaji ulang).",
    )
    op.create_index("rup_revision_older", "rup_revision", ["kind", "older"])
    op.create_table(
        "signal",
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "field",
            code,
            nullable=False,
            comment="field of the row",
        ),
        sa.Column(
            "value",
            code,
            nullable=False,
            comment="the unknown code value; empty for a new field",
        ),
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="code (a value that no code table knows) or field (a column that the schema does not know)",
        ),
        sa.Column(
            "rows",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows that had it in the last run that saw it",
        ),
        sa.Column("first_seen", sa.String(length=20), nullable=False, comment="first run that saw it (UTC)"),
        sa.Column("last_seen", sa.String(length=20), nullable=False, comment="last run that saw it (UTC)"),
        sa.PrimaryKeyConstraint("source", "service", "field", "value", name=op.f("signal_pkey")),
        comment="What the sources say that Jejak does not know yet: code values and fields to map or to ignore on purpose.",
    )
    op.create_table(
        "supplier_key",
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="npwp (SHA-256 of the digits) or name (normalised)",
        ),
        sa.Column(
            "key",
            code,
            nullable=False,
            comment="the key itself",
        ),
        sa.Column(
            "kd_penyedia",
            code,
            nullable=False,
            comment="LKPP's code of the supplier",
        ),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("supplier_key_pkey")),
        comment="The crosswalk from tax numbers and names to LKPP's supplier codes.",
    )
    op.create_table(
        "supplier_wanted",
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="npwp or name, as in supplier_key",
        ),
        sa.Column(
            "key",
            code,
            nullable=False,
            comment="the key itself",
        ),
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the process whose supplier has only a surrogate id for want of this key",
        ),
        sa.PrimaryKeyConstraint("kind", "key", "ocid", name=op.f("supplier_wanted_pkey")),
        comment="Supplier keys that could not be answered: their processes are derived again once they can.",
    )
    op.create_table(
        "identity",
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="space of the code: rup, swk, tender, nontender, ...",
        ),
        sa.Column(
            "key",
            code,
            nullable=False,
            comment="the source's own code",
        ),
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the process that the code belongs to",
        ),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("identity_run_id_fkey")),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("identity_pkey")),
        comment="The crosswalk from codes to contracting processes: written once per code, never rewritten.",
    )
    op.create_index("identity_ocid", "identity", ["ocid"])
    op.create_table(
        "raw_record",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="number of the row version",
        ),
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "scope",
            code,
            nullable=False,
            comment="what was asked of the service: a fiscal year, or `all`",
        ),
        sa.Column(
            "key",
            code,
            nullable=False,
            comment="what a row is known by within its scope: its service's key fields",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=True,
            comment="space of the code: rup, swk, tender, nontender, ...; empty for a master list",
        ),
        sa.Column(
            "code",
            code,
            nullable=False,
            comment="the source's own code of the subject, such as kd_tender",
        ),
        sa.Column(
            "content_hash",
            code,
            nullable=False,
            comment="hash of the content without volatile fields, lists taken as sets",
        ),
        sa.Column(
            "observed_at", sa.String(length=20), nullable=False, comment="when the row was true at the source (UTC)"
        ),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.Column(
            "payload", sa.JSON(none_as_null=True), nullable=False, comment="the row as received. May hold personal data"
        ),
        sa.Column(
            "gone",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="a tombstone: a complete answer no longer brought this key",
        ),
        sa.Column(
            "current", sa.Boolean(), server_default=sa.true(), nullable=False, comment="the latest version of its key"
        ),
        sa.Column(
            "placed",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="its process has been found, and derived from it or queued for that",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("raw_record_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("raw_record_pkey")),
        comment="Every version of every row ever received, in the source's own words.",
    )
    op.create_index("raw_record_code", "raw_record", ["kind", "code"])
    op.create_index(
        "raw_record_key",
        "raw_record",
        ["source", "service", "scope", "key", "content_hash", "observed_at", "current", "gone"],
    )
    op.create_index(
        "raw_record_unplaced",
        "raw_record",
        ["source", "service"],
        sqlite_where=sa.text("placed = 0"),
        postgresql_where=sa.text("NOT placed"),
    )
    op.create_table(
        "record",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "compiled",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
            comment="the compiled OCDS release",
        ),
        sa.Column(
            "releases", sa.Integer(), server_default="0", nullable=False, comment="releases that it was compiled from"
        ),
        sa.Column("date", sa.String(length=20), nullable=False, comment="date of the latest of them (UTC)"),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("record_run_id_fkey")),
        sa.PrimaryKeyConstraint("ocid", name=op.f("record_pkey")),
        comment="One compiled OCDS record per contracting process.",
    )
    op.create_table(
        "reject",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="number of the reject"
        ),
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "scope",
            code,
            nullable=False,
            comment="what was asked of the service: a fiscal year, or `all`",
        ),
        sa.Column("key", sa.Text(), nullable=True, comment="the row's key where it has one"),
        sa.Column(
            "content_hash",
            code,
            nullable=False,
            comment="hash of the row: the same row rejected again is the same reject",
        ),
        sa.Column(
            "reason",
            code,
            nullable=False,
            comment="why the row can't be used, naming fields, never their values",
        ),
        sa.Column(
            "payload",
            code,
            nullable=False,
            comment="the row as received, JSON text. May hold personal data",
        ),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.Column(
            "observed_at", sa.String(length=20), nullable=False, comment="when the row was true at the source (UTC)"
        ),
        sa.Column("rejected_at", sa.String(length=20), nullable=False, comment="when it was rejected (UTC)"),
        sa.Column(
            "resolved_at",
            sa.String(length=20),
            nullable=True,
            comment="when a retry or a mended row at the source settled it (UTC)",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("reject_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reject_pkey")),
        comment="Rows that could not be used, kept whole with the reason.",
    )
    op.create_index("reject_content", "reject", ["source", "service", "scope", "content_hash"])
    op.create_table(
        "release",
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="OCDS release id: a hash of ocid, subject and body",
        ),
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "subject",
            code,
            nullable=False,
            comment="what the release speaks of: an announcement, its bidders, one contract, ...",
        ),
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system that it was derived from",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service that it was derived from",
        ),
        sa.Column("date", sa.String(length=20), nullable=False, comment="release date (UTC)"),
        sa.Column(
            "position", sa.Integer(), nullable=False, comment="order among the releases of a process with the same date"
        ),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False, comment="OCDS release tags"),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False, comment="the whole OCDS release"),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.Column(
            "voided_at",
            sa.String(length=20),
            nullable=True,
            comment="when it was found never to have been true; empty for a valid release (UTC)",
        ),
        sa.Column("void_reason", sa.Text(), nullable=True, comment="why it was voided"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("release_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("release_pkey")),
        comment="OCDS releases: what a service says of one subject at one time. Voided ones are not compiled or exported.",
    )
    op.create_index("release_order", "release", ["ocid", "date", "position"])
    op.create_table(
        "run_service",
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "scope",
            code,
            nullable=False,
            comment="what was asked of the service: a fiscal year, or `all`",
        ),
        sa.Column(
            "status",
            code,
            nullable=False,
            comment="success, failed, or absent (a folder of dumps without this service)",
        ),
        sa.Column(
            "fetched",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows received = new + changed + unchanged + duplicate + rejected",
        ),
        sa.Column(
            "new", sa.Integer(), server_default="0", nullable=False, comment="rows whose key was not known in the scope"
        ),
        sa.Column(
            "changed",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows whose key was known with other content",
        ),
        sa.Column(
            "unchanged",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows known with the same content, or older than what is known",
        ),
        sa.Column(
            "duplicate",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows that the same answer had already brought with the same content",
        ),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False, comment="rows kept aside in `reject`"),
        sa.Column(
            "gone",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="known rows that a complete answer no longer brought (not part of fetched)",
        ),
        sa.Column("message", sa.Text(), nullable=True, comment="why the service failed, with the remedy"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_service_run_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "source", "service", "scope", name=op.f("run_service_pkey")),
        comment="What a run did with each service and scope: every row received is in exactly one count.",
    )
    op.create_index("run_service_scope", "run_service", ["source", "service", "scope"])
    op.create_table(
        "staged_fetch",
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "scope",
            code,
            nullable=False,
            comment="what is asked of the service: a fiscal year, or `all`",
        ),
        sa.Column(
            "run_id",
            code,
            nullable=False,
            comment="the run that wrote the row",
        ),
        sa.Column(
            "transport",
            code,
            nullable=False,
            comment="how it is read: isb, rest, files; a fetch resumes only over the transport that began it",
        ),
        sa.Column(
            "observed_at",
            sa.String(length=20),
            nullable=False,
            comment="when the rows were true at the source: fixed when the fetch began (UTC)",
        ),
        sa.Column("started_at", sa.String(length=20), nullable=False, comment="start of the fetch (UTC)"),
        sa.Column(
            "next_cursor",
            sa.Text(),
            nullable=True,
            comment="the transport's token for the next page; empty at the start and at the end",
        ),
        sa.Column(
            "complete",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="all pages are in; the fetch may be promoted",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("staged_fetch_run_id_fkey")),
        sa.PrimaryKeyConstraint("source", "service", "scope", name=op.f("staged_fetch_pkey")),
        comment="Fetches that have begun and are not promoted yet; what a later run resumes.",
    )
    op.create_table(
        "contracting_process",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "family",
            code,
            nullable=False,
            comment="name shared by the processes that share a RUP; count planning once per family",
        ),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=True,
            comment="the kind of code that opened the process: rup, swk, tender, nontender, ...; the planning amounts of a family are those of its rup and swk processes, the others repeat them",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="title of the process, else of its tender or plan"),
        sa.Column("buyer_id", sa.Text(), nullable=True, comment="the office that buys (organization.id)"),
        sa.Column("buyer_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column(
            "method",
            sa.Text(),
            nullable=True,
            comment="OCDS procurementMethod: open, selective, limited or direct; empty for self-managed work",
        ),
        sa.Column("method_details", sa.Text(), nullable=True, comment="the method in the source's words"),
        sa.Column(
            "category", sa.Text(), nullable=True, comment="OCDS mainProcurementCategory: goods, works or services"
        ),
        sa.Column("tender_status", sa.Text(), nullable=True, comment="OCDS status of the tender"),
        sa.Column(
            "fiscal_year",
            sa.Integer(),
            nullable=True,
            comment="fiscal year of the first budget line, else the first that the source filed its rows under",
        ),
        sa.Column("planned_amount", sa.Numeric(asdecimal=False), nullable=True, comment="planned budget (IDR)"),
        sa.Column("tender_value", sa.Numeric(asdecimal=False), nullable=True, comment="value of the tender (IDR)"),
        sa.Column(
            "awarded_amount",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="sum of the awards that stand (not cancelled, not unsuccessful) (IDR)",
        ),
        sa.Column(
            "contracted_amount",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="sum of the contracts that stand (not cancelled) (IDR)",
        ),
        sa.Column("paid_amount", sa.Numeric(asdecimal=False), nullable=True, comment="sum of the payments (IDR)"),
        sa.Column(
            "has_planning",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="a planning section is known",
        ),
        sa.Column(
            "has_tender",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="a tender, selection or direct purchase was begun, not only planned",
        ),
        sa.Column("has_award", sa.Boolean(), server_default=sa.false(), nullable=False, comment="an award stands"),
        sa.Column("has_contract", sa.Boolean(), server_default=sa.false(), nullable=False, comment="a contract stands"),
        sa.Column(
            "has_implementation",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="something is known of the contract's execution: milestones, payments, completion",
        ),
        sa.Column(
            "first_date",
            sa.DateTime(),
            nullable=True,
            comment="first event: publication, bid, award, signature, payment, milestone met (local time)",
        ),
        sa.Column("last_date", sa.DateTime(), nullable=True, comment="last event (local time)"),
        sa.Column("updated_at", sa.String(length=20), nullable=False, comment="date of the latest release (UTC)"),
        sa.ForeignKeyConstraint(["ocid"], ["record.ocid"], name=op.f("contracting_process_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", name=op.f("contracting_process_pkey")),
        comment="One row per contracting process: its stages and amounts.",
    )
    op.create_index("contracting_process_buyer", "contracting_process", ["buyer_id", "fiscal_year"])
    op.create_index("contracting_process_family", "contracting_process", ["family"])
    op.create_table(
        "lineage",
        sa.Column(
            "release_id",
            code,
            nullable=False,
            comment="the release",
        ),
        sa.Column(
            "raw_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="a row version it was derived from",
        ),
        sa.ForeignKeyConstraint(["raw_id"], ["raw_record.id"], name=op.f("lineage_raw_id_fkey")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("lineage_release_id_fkey")),
        sa.PrimaryKeyConstraint("release_id", "raw_id", name=op.f("lineage_pkey")),
        comment="Which source rows each release was derived from.",
    )
    op.create_index("lineage_raw_id", "lineage", ["raw_id"])
    op.create_table(
        "staged_page",
        sa.Column(
            "source",
            code,
            nullable=False,
            comment="source system",
        ),
        sa.Column(
            "service",
            code,
            nullable=False,
            comment="service, named as LKPP's ISB names it",
        ),
        sa.Column(
            "scope",
            code,
            nullable=False,
            comment="what is asked of the service: a fiscal year, or `all`",
        ),
        sa.Column("number", sa.Integer(), nullable=False, comment="place of the page in the fetch, from 0"),
        sa.Column(
            "rows",
            code,
            nullable=False,
            comment="JSON array of the rows as received",
        ),
        sa.Column(
            "name",
            code,
            nullable=False,
            comment="where the rows came from (file name, endpoint), without secrets",
        ),
        sa.ForeignKeyConstraint(
            ["source", "service", "scope"],
            ["staged_fetch.source", "staged_fetch.service", "staged_fetch.scope"],
            name=op.f("staged_page_source_service_scope_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "service", "scope", "number", name=op.f("staged_page_pkey")),
        comment="The pages of a fetch that is not promoted yet. May hold personal data.",
    )
    op.create_table(
        "award",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="id of the award within the process",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column(
            "status", sa.Text(), nullable=True, comment="OCDS status; a winner who was replaced stays as cancelled"
        ),
        sa.Column("status_details", sa.Text(), nullable=True, comment="status in the source's words"),
        sa.Column("date", sa.DateTime(), nullable=True, comment="date of the award (local time)"),
        sa.Column("value", sa.Numeric(asdecimal=False), nullable=True, comment="amount awarded (IDR)"),
        sa.Column(
            "supplier_id", sa.Text(), nullable=True, comment="the winner, or the first of several (organization.id)"
        ),
        sa.Column("supplier_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column("suppliers", sa.Integer(), nullable=False, comment="number of winners"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("award_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("award_pkey")),
        comment="The awards of a process, those that no longer stand too.",
    )
    op.create_index("award_supplier", "award", ["supplier_id"])
    op.create_table(
        "bid",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="id of the bid within the process",
        ),
        sa.Column("status", sa.Text(), nullable=True, comment="OCDS bid status"),
        sa.Column("date", sa.DateTime(), nullable=True, comment="when it was submitted (local time)"),
        sa.Column("value", sa.Numeric(asdecimal=False), nullable=True, comment="amount of the bid (IDR)"),
        sa.Column(
            "tenderer_id", sa.Text(), nullable=True, comment="the bidder, or the first of a joint bid (organization.id)"
        ),
        sa.Column("tenderer_name", sa.Text(), nullable=True, comment="its name"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("bid_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("bid_pkey")),
        comment="The bids of a tender.",
    )
    op.create_index("bid_tenderer", "bid", ["tenderer_id"])
    op.create_table(
        "budget_line",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="id of the line within the plan",
        ),
        sa.Column("description", sa.Text(), nullable=True, comment="source of the money and code of the budget line"),
        sa.Column(
            "amount",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="the plan's share of the line, not the line's total (IDR)",
        ),
        sa.Column("source_party_id", sa.Text(), nullable=True, comment="who pays (organization.id)"),
        sa.Column("source_party_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column("period_start", sa.Date(), nullable=True, comment="start of the budget's period"),
        sa.Column("period_end", sa.Date(), nullable=True, comment="end of the budget's period"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("budget_line_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("budget_line_pkey")),
        comment="Budget lines of the plan. All processes of a family repeat them: count those of rup and swk processes.",
    )
    op.create_table(
        "contract",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="id of the contract within the process",
        ),
        sa.Column("award_id", sa.Text(), nullable=True, comment="its award"),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column("status", sa.Text(), nullable=True, comment="OCDS status"),
        sa.Column("status_details", sa.Text(), nullable=True, comment="status in the source's words"),
        sa.Column("signed_at", sa.DateTime(), nullable=True, comment="signature (local time)"),
        sa.Column("period_start", sa.DateTime(), nullable=True, comment="start of the work (local time)"),
        sa.Column("period_end", sa.DateTime(), nullable=True, comment="end of the work as agreed (local time)"),
        sa.Column(
            "value",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="amount of the contract, with its addenda (IDR)",
        ),
        sa.Column("supplier_id", sa.Text(), nullable=True, comment="the supplier, through its award (organization.id)"),
        sa.Column("supplier_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column("ended_at", sa.DateTime(), nullable=True, comment="completion (local time)"),
        sa.Column("final_value", sa.Numeric(asdecimal=False), nullable=True, comment="final amount (IDR)"),
        sa.Column("paid_amount", sa.Numeric(asdecimal=False), nullable=True, comment="sum of the payments (IDR)"),
        sa.Column("payments", sa.Integer(), nullable=False, comment="number of payments"),
        sa.Column("last_payment_at", sa.DateTime(), nullable=True, comment="the last of them (local time)"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("contract_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("contract_pkey")),
        comment="The contracts of a process.",
    )
    op.create_index("contract_supplier", "contract", ["supplier_id"])
    op.create_table(
        "milestone",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "stage",
            code,
            nullable=False,
            comment="where it stands: planning, tender, contract or implementation",
        ),
        sa.Column(
            "contract_id",
            code,
            nullable=False,
            comment="its contract; empty text for planning and tender",
        ),
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="id of the milestone",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column("type", sa.Text(), nullable=True, comment="OCDS milestone type"),
        sa.Column("code", sa.Text(), nullable=True, comment="code of the milestone"),
        sa.Column("status", sa.Text(), nullable=True, comment="OCDS milestone status"),
        sa.Column("due_at", sa.DateTime(), nullable=True, comment="when it is due (local time)"),
        sa.Column("met_at", sa.DateTime(), nullable=True, comment="when it was met (local time)"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("milestone_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "stage", "contract_id", "id", name=op.f("milestone_pkey")),
        comment="Schedules of tenders, and what was delivered and certified under contracts.",
    )
    op.create_table(
        "process_party",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "organization_id",
            code,
            nullable=False,
            comment="the organisation (organization.id)",
        ),
        sa.Column(
            "role",
            code,
            nullable=False,
            comment="OCDS party role: buyer, procuringEntity, tenderer, supplier, ...",
        ),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("process_party_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "organization_id", "role", name=op.f("process_party_pkey")),
        comment="Who plays which role in which process.",
    )
    op.create_index("process_party_organization", "process_party", ["organization_id", "role"])
    op.create_table(
        "tender",
        sa.Column(
            "ocid",
            code,
            nullable=False,
            comment="the contracting process",
        ),
        sa.Column(
            "id",
            sa.Text(),
            nullable=True,
            comment="the source's code of the attempt, such as kd_tender; the RUP code while it is only planned",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column("status", sa.Text(), nullable=True, comment="OCDS status"),
        sa.Column("status_details", sa.Text(), nullable=True, comment="status in the source's words"),
        sa.Column("method", sa.Text(), nullable=True, comment="OCDS procurementMethod"),
        sa.Column("method_details", sa.Text(), nullable=True, comment="the method in the source's words"),
        sa.Column("category", sa.Text(), nullable=True, comment="OCDS mainProcurementCategory"),
        sa.Column("procuring_entity_id", sa.Text(), nullable=True, comment="the office that runs it (organization.id)"),
        sa.Column("procuring_entity_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column("value", sa.Numeric(asdecimal=False), nullable=True, comment="estimated value (IDR)"),
        sa.Column(
            "tenderers",
            sa.BigInteger(),
            nullable=True,
            comment="number of tenderers: those who bid, not all who registered",
        ),
        sa.Column("published_at", sa.DateTime(), nullable=True, comment="publication (local time)"),
        sa.Column("period_start", sa.DateTime(), nullable=True, comment="start of the submission period (local time)"),
        sa.Column("period_end", sa.DateTime(), nullable=True, comment="end of the submission period (local time)"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("tender_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", name=op.f("tender_pkey")),
        comment="The tender, selection or direct purchase of a process.",
    )


def downgrade() -> None:
    op.drop_table("tender")
    op.drop_index("process_party_organization", table_name="process_party")
    op.drop_table("process_party")
    op.drop_table("milestone")
    op.drop_index("contract_supplier", table_name="contract")
    op.drop_table("contract")
    op.drop_table("budget_line")
    op.drop_index("bid_tenderer", table_name="bid")
    op.drop_table("bid")
    op.drop_index("award_supplier", table_name="award")
    op.drop_table("award")
    op.drop_table("staged_page")
    op.drop_index("lineage_raw_id", table_name="lineage")
    op.drop_table("lineage")
    op.drop_index("contracting_process_family", table_name="contracting_process")
    op.drop_index("contracting_process_buyer", table_name="contracting_process")
    op.drop_table("contracting_process")
    op.drop_table("staged_fetch")
    op.drop_index("run_service_scope", table_name="run_service")
    op.drop_table("run_service")
    op.drop_index("release_order", table_name="release")
    op.drop_table("release")
    op.drop_index("reject_content", table_name="reject")
    op.drop_table("reject")
    op.drop_table("record")
    op.drop_index("raw_record_unplaced", table_name="raw_record")
    op.drop_index("raw_record_key", table_name="raw_record")
    op.drop_index("raw_record_code", table_name="raw_record")
    op.drop_table("raw_record")
    op.drop_index("identity_ocid", table_name="identity")
    op.drop_table("identity")
    op.drop_table("supplier_wanted")
    op.drop_table("supplier_key")
    op.drop_table("signal")
    op.drop_index("rup_revision_older", table_name="rup_revision")
    op.drop_table("rup_revision")
    op.drop_table("run")
    op.drop_index("process_rup_code", table_name="process_rup")
    op.drop_table("process_rup")
    op.drop_table("process_relation")
    op.drop_index("process_family", table_name="process")
    op.drop_table("process")
    op.drop_table("pending_derive")
    op.drop_table("pending_build")
    op.drop_index("organization_ocid", table_name="organization")
    op.drop_table("organization")
    op.drop_index("naming_package", table_name="naming")
    op.drop_table("naming")
