"""The tables of the warehouse. Comments and views are not of the migrations: `migrate` sets them from the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "budget_activity",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("sirup_code", sa.Text(), nullable=True),
        sa.Column("level", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("written_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("pagu", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("row_id", name=op.f("budget_activity_pkey")),
    )
    op.create_index("budget_activity_code", "budget_activity", ["code", "level"], unique=False)
    op.create_table(
        "code_meaning",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code_list", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("decided_by", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("decided_at", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "code_list", "word", name=op.f("code_meaning_pkey")),
    )
    op.create_table(
        "code_use",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code_list", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("field", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("source", "code_list", "word", "service", "field", "ocid", name=op.f("code_use_pkey")),
    )
    op.create_index("code_use_ocid", "code_use", ["ocid"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("subject", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("before", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("after", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("seen", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("decided_by", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("decided_at", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("decision_pkey")),
    )
    op.create_index("decision_subject", "decision", ["kind", "subject"], unique=False)
    op.create_index("decision_when", "decision", ["decided_at"], unique=False)
    op.create_table(
        "definition",
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("digest", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("definition_pkey")),
    )
    op.create_table(
        "due_event",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("day", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("ocid", "source", "service", "scope", "day", name=op.f("due_event_pkey")),
    )
    op.create_index("due_event_service", "due_event", ["source", "service", "scope"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("content", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("source", "service", "scope", "key", name=op.f("evidence_pkey")),
    )
    op.create_index("evidence_code", "evidence", ["kind", "code"], unique=False)
    op.create_index("evidence_year", "evidence", ["year", "kind"], unique=False)
    op.create_table(
        "fingerprint",
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("extraction", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("fingerprint_pkey")),
    )
    op.create_table(
        "link_key",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("subject", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("year", "key", "subject", name=op.f("link_key_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_pair",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("from_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("from_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("to_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("to_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("by", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint(
            "year", "rule", "from_kind", "from_code", "to_kind", "to_code", name=op.f("link_pair_pkey")
        ),
    )
    op.create_index("link_pair_to", "link_pair", ["year", "rule", "to_kind", "to_code"], unique=False)
    op.create_table(
        "link_subject",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("facts", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("mentions", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("year", "id", name=op.f("link_subject_pkey")),
    )
    op.create_index("link_subject_code", "link_subject", ["kind", "code"], unique=False)
    op.create_table(
        "link_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("fingerprint", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("office_counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("resolved", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("offices", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("link_year_pkey")),
    )
    op.create_table(
        "office",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("named", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("institution", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("office_pkey")),
    )
    op.create_index("office_ocid", "office", ["ocid"], unique=False)
    op.create_table(
        "office_name",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("office_name_pkey")),
    )
    op.create_table(
        "office_structure",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("sirup_code", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("office_name", sa.Text(), nullable=True),
        sa.Column("operating", sa.Double(), nullable=True),
        sa.Column("capital", sa.Double(), nullable=True),
        sa.Column("unforeseen", sa.Double(), nullable=True),
        sa.Column("procurement", sa.Double(), nullable=True),
        sa.Column("not_procurement", sa.Double(), nullable=True),
        sa.Column("total", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("row_id", name=op.f("office_structure_pkey")),
    )
    op.create_index("office_structure_office", "office_structure", ["office_id", "fiscal_year"], unique=False)
    op.create_table(
        "pending_code",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("token", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", "source", name=op.f("pending_code_pkey")),
    )
    op.create_table(
        "pending_link",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", "year", name=op.f("pending_link_pkey")),
    )
    op.create_table(
        "pending_process",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("token", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("ocid", name=op.f("pending_process_pkey")),
    )
    op.create_table(
        "process",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("ocid", name=op.f("process_pkey")),
    )
    op.create_index("process_family", "process", ["family"], unique=False)
    op.create_index("process_fingerprint", "process", ["fingerprint"], unique=False)
    op.create_table(
        "process_relation",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("relationship", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("related_ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint(
            "ocid", "relationship", "related_ocid", "by_kind", "by_code", name=op.f("process_relation_pkey")
        ),
    )
    op.create_index("process_relation_by", "process_relation", ["by_kind", "by_code"], unique=False)
    op.create_table(
        "process_rup",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("by_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("ocid", "kind", "code", "by_kind", "by_code", name=op.f("process_rup_pkey")),
    )
    op.create_index("process_rup_by", "process_rup", ["by_kind", "by_code"], unique=False)
    op.create_index("process_rup_code", "process_rup", ["kind", "code"], unique=False)
    op.create_table(
        "procurement_limit",
        sa.Column("method", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("category", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("most", sa.Double(), nullable=False),
        sa.Column("rule", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("method", "category", "since", name=op.f("procurement_limit_pkey")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("command", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("started_at", sa.String(length=20), nullable=False),
        sa.Column("finished_at", sa.String(length=20), nullable=True),
        sa.Column("status", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("built", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("run_pkey")),
    )
    op.create_index("run_number", "run", ["number"], unique=True)
    op.create_table(
        "search_key",
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("holder_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("holder", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("key", "kind", "holder_kind", "holder", name=op.f("search_key_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("search_key_holder", "search_key", ["holder_kind", "holder"], unique=False)
    op.create_table(
        "signal",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("field", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_seen", sa.String(length=20), nullable=False),
        sa.Column("last_seen", sa.String(length=20), nullable=False),
        sa.Column("run_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("source", "service", "field", "value", name=op.f("signal_pkey")),
    )
    op.create_table(
        "subject",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("office_name", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("village", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("mak", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("subject_pkey")),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("named", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("tax_number", sa.Text(), nullable=True),
        sa.Column("legal_form", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("supplier_pkey")),
    )
    op.create_index("supplier_ocid", "supplier", ["ocid"], unique=False)
    op.create_table(
        "supplier_key",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kd_penyedia", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("supplier_key_pkey")),
    )
    op.create_table(
        "supplier_use",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "ocid", name=op.f("supplier_use_pkey")),
    )
    op.create_index("supplier_use_ocid", "supplier_use", ["ocid"], unique=False)
    op.create_table(
        "answer",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("observed_at", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("answer_run_id_fkey")),
        sa.PrimaryKeyConstraint("source", "service", "scope", name=op.f("answer_pkey")),
    )
    op.create_table(
        "flag",
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("subject_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("subject_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("ocid", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("computable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("flagged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("why", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("flag_run_id_fkey")),
        sa.PrimaryKeyConstraint("code", "subject_id", "fiscal_year", name=op.f("flag_pkey")),
    )
    op.create_index("flag_ocid", "flag", ["ocid"], unique=False)
    op.create_table(
        "identity",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("identity_run_id_fkey")),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("identity_pkey")),
    )
    op.create_index("identity_ocid", "identity", ["ocid"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("rule", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("from_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("from_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("to_kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("to_code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("by", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("status", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("link_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("link_pkey")),
        sa.UniqueConstraint(
            "rule",
            "from_kind",
            "from_code",
            "to_kind",
            "to_code",
            name=op.f("link_rule_from_kind_from_code_to_kind_to_code_key"),
        ),
    )
    op.create_index("link_from", "link", ["from_kind", "from_code"], unique=False)
    op.create_index(
        "link_pending",
        "link",
        ["from_kind", "from_code"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "link_standing",
        "link",
        ["from_kind", "from_code"],
        unique=False,
        sqlite_where=sa.text("status IN ('auto', 'confirmed')"),
        postgresql_where=sa.text("status IN ('auto', 'confirmed')"),
    )
    op.create_index("link_status", "link", ["rule", "status"], unique=False)
    op.create_index("link_to", "link", ["to_kind", "to_code"], unique=False)
    op.create_table(
        "quality_finding",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("level", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("severity", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("path", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("message", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("ocid", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("office_name", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("quality_finding_run_id_fkey")),
        sa.PrimaryKeyConstraint("number", name=op.f("quality_finding_pkey")),
    )
    op.create_index("quality_finding_code", "quality_finding", ["code"], unique=False)
    op.create_index("quality_finding_ocid", "quality_finding", ["ocid"], unique=False)
    op.create_index("quality_finding_office", "quality_finding", ["office_id"], unique=False)
    op.create_table(
        "quality_measure",
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("subject", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("field", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("value", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("quality_measure_run_id_fkey")),
        sa.PrimaryKeyConstraint("kind", "subject", "field", "value", name=op.f("quality_measure_pkey")),
    )
    op.create_table(
        "raw_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("content_hash", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("wire_hash", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("observed_at", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("current", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("raw_record_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("raw_record_pkey")),
    )
    op.create_index(
        "raw_record_code",
        "raw_record",
        ["kind", "code"],
        unique=False,
        sqlite_where=sa.text("current = 1"),
        postgresql_where=sa.text("current"),
    )
    op.create_index(
        "raw_record_current",
        "raw_record",
        [
            "source",
            "service",
            "scope",
            "key",
            "wire_hash",
            "content_hash",
            "observed_at",
            "gone",
            "kind",
            "code",
            "current",
        ],
        unique=False,
        sqlite_where=sa.text("current = 1"),
        postgresql_where=sa.text("current"),
    )
    op.create_index(
        "raw_record_key",
        "raw_record",
        ["source", "service", "scope", "key"],
        unique=False,
        sqlite_where=sa.text("current = 0"),
        postgresql_where=sa.text("NOT current"),
    )
    op.create_index(
        "raw_record_replaced",
        "raw_record",
        ["kind", "code"],
        unique=False,
        sqlite_where=sa.text("current = 0"),
        postgresql_where=sa.text("NOT current"),
    )
    op.create_index("raw_record_run", "raw_record", ["run_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "compiled",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("withdrawn", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("releases", sa.Integer(), server_default="0", nullable=False),
        sa.Column("date", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("rowless_since", sa.String(length=20), nullable=True),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("record_run_id_fkey")),
        sa.PrimaryKeyConstraint("ocid", name=op.f("record_pkey")),
    )
    op.create_table(
        "reject",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("payload", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("observed_at", sa.String(length=20), nullable=False),
        sa.Column("rejected_at", sa.String(length=20), nullable=False),
        sa.Column("resolved_at", sa.String(length=20), nullable=True),
        sa.Column("ocid", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("reject_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("reject_pkey")),
    )
    op.create_index("reject_content", "reject", ["source", "service", "scope", "content_hash"], unique=False)
    op.create_index("reject_ocid", "reject", ["ocid"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("date", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("made_at", sa.String(length=20), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("lineage", sa.LargeBinary(), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("voided_at", sa.String(length=20), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("release_run_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("release_pkey")),
    )
    op.create_index("release_made", "release", ["made_at"], unique=False)
    op.create_index("release_order", "release", ["ocid", "number"], unique=True)
    op.create_table(
        "run_process",
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("change", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("newest_run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_process_run_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "ocid", name=op.f("run_process_pkey")),
    )
    op.create_index("run_process_ocid", "run_process", ["ocid"], unique=False)
    op.create_table(
        "run_service",
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("status", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("fetched", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gone", sa.Integer(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("observed_at", sa.String(length=20), nullable=True),
        sa.Column("finished_at", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_service_run_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "source", "service", "scope", name=op.f("run_service_pkey")),
    )
    op.create_index("run_service_scope", "run_service", ["source", "service", "scope"], unique=False)
    op.create_table(
        "staged_fetch",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("run_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("transport", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("observed_at", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.String(length=20), nullable=False),
        sa.Column("next_cursor", sa.Text(), nullable=True),
        sa.Column("complete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("staged_fetch_run_id_fkey")),
        sa.PrimaryKeyConstraint("source", "service", "scope", name=op.f("staged_fetch_pkey")),
    )
    op.create_table(
        "contracting_process",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("office_name", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("method_details", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("tender_status", sa.Text(), nullable=True),
        sa.Column("place_code", sa.Text(), nullable=True),
        sa.Column("village", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("planned_amount", sa.Double(), nullable=True),
        sa.Column("tender_value", sa.Double(), nullable=True),
        sa.Column("awarded_amount", sa.Double(), nullable=True),
        sa.Column("contracted_amount", sa.Double(), nullable=True),
        sa.Column("certified_amount", sa.Double(), nullable=True),
        sa.Column("recorded_amount", sa.Double(), nullable=True),
        sa.Column("recorded_cancelled_amount", sa.Double(), nullable=True),
        sa.Column("disbursed_amount", sa.Double(), nullable=True),
        sa.Column("payments", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_payment_at", sa.DateTime(), nullable=True),
        sa.Column("physical_progress", sa.Double(), nullable=True),
        sa.Column("financial_progress", sa.Double(), nullable=True),
        sa.Column("last_report_on", sa.Date(), nullable=True),
        sa.Column("has_planning", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_tender", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_award", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_contract", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_implementation", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("first_date", sa.DateTime(), nullable=True),
        sa.Column("last_date", sa.DateTime(), nullable=True),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["ocid"], ["record.ocid"], name=op.f("contracting_process_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", name=op.f("contracting_process_pkey")),
    )
    op.create_index(
        "contracting_process_contracted",
        "contracting_process",
        ["family"],
        unique=False,
        sqlite_where=sa.text("has_contract"),
        postgresql_where=sa.text("has_contract"),
    )
    op.create_index("contracting_process_family", "contracting_process", ["family"], unique=False)
    op.create_index("contracting_process_office", "contracting_process", ["office_id", "fiscal_year"], unique=False)
    op.create_index(
        "contracting_process_tendered",
        "contracting_process",
        ["family"],
        unique=False,
        sqlite_where=sa.text("has_tender"),
        postgresql_where=sa.text("has_tender"),
    )
    op.create_table(
        "plan_fact",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("first_year", sa.Text(), nullable=True),
        sa.Column("inside", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["row_id"], ["raw_record.id"], name=op.f("plan_fact_row_id_fkey")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("plan_fact_pkey")),
    )
    op.create_index("plan_fact_code", "plan_fact", ["kind", "code"], unique=False)
    op.create_table(
        "rup_reference",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("rups", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created", sa.Text(), nullable=True),
        sa.Column("package", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["row_id"], ["raw_record.id"], name=op.f("rup_reference_row_id_fkey")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("rup_reference_pkey")),
    )
    op.create_index("rup_reference_code", "rup_reference", ["kind", "code"], unique=False)
    op.create_index("rup_reference_package", "rup_reference", ["package"], unique=False)
    op.create_table(
        "rup_revision",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("older", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("newer", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("date", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["row_id"], ["raw_record.id"], name=op.f("rup_revision_row_id_fkey")),
        sa.PrimaryKeyConstraint("row_id", name=op.f("rup_revision_pkey")),
    )
    op.create_index("rup_revision_newer", "rup_revision", ["kind", "newer"], unique=False)
    op.create_index("rup_revision_older", "rup_revision", ["kind", "older"], unique=False)
    op.create_table(
        "staged_page",
        sa.Column("source", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("service", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("scope", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["source", "service", "scope"],
            ["staged_fetch.source", "staged_fetch.service", "staged_fetch.scope"],
            name=op.f("staged_page_source_service_scope_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "service", "scope", "number", name=op.f("staged_page_pkey")),
    )
    op.create_table(
        "supplier_name",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kd_penyedia", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.ForeignKeyConstraint(["row_id"], ["raw_record.id"], name=op.f("supplier_name_row_id_fkey")),
        sa.PrimaryKeyConstraint("row_id", "kind", "key", name=op.f("supplier_name_pkey")),
    )
    op.create_index("supplier_name_code", "supplier_name", ["kd_penyedia"], unique=False)
    op.create_index("supplier_name_key", "supplier_name", ["key"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("contract_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("date", sa.DateTime(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("agreement_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "id", name=op.f("agreement_pkey")),
    )
    op.create_table(
        "attempt",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("channel", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("code", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("package", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("retry_of", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("repeated_reason", sa.Text(), nullable=True),
        sa.Column("pagu", sa.Double(), nullable=True),
        sa.Column("hps", sa.Double(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("method_details", sa.Text(), nullable=True),
        sa.Column("evaluation", sa.Text(), nullable=True),
        sa.Column("qualification", sa.Text(), nullable=True),
        sa.Column("business_size", sa.Text(), nullable=True),
        sa.Column("contract_type", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("category_details", sa.Text(), nullable=True),
        sa.Column("consulting", sa.Boolean(), nullable=True),
        sa.Column("funds", sa.Text(), nullable=True),
        sa.Column("swakelola_type", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=True),
        sa.Column("announced_at", sa.DateTime(), nullable=True),
        sa.Column("announced_day", sa.Integer(), nullable=True),
        sa.Column("bids_from", sa.DateTime(), nullable=True),
        sa.Column("bids_until", sa.DateTime(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("schedule_end", sa.DateTime(), nullable=True),
        sa.Column("work_start", sa.DateTime(), nullable=True),
        sa.Column("work_end", sa.DateTime(), nullable=True),
        sa.Column("registrants", sa.Integer(), nullable=True),
        sa.Column("bidders", sa.Integer(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("regency", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("repeat_order", sa.Boolean(), nullable=True),
        sa.Column("product_kinds", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("shipping", sa.Double(), nullable=True),
        sa.Column("delivery_status", sa.Text(), nullable=True),
        sa.Column("marketplace", sa.Text(), nullable=True),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("verification", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("attempt_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("attempt_pkey")),
    )
    op.create_index("attempt_code", "attempt", ["code"], unique=False)
    op.create_index("attempt_family", "attempt", ["family"], unique=False)
    op.create_index("attempt_office", "attempt", ["office_id", "fiscal_year"], unique=False)
    op.create_index("attempt_package", "attempt", ["package"], unique=False)
    op.create_table(
        "attempt_account",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("mak", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("sub_activity", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("share", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("attempt_account_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "attempt_id", "mak", name=op.f("attempt_account_pkey")),
    )
    op.create_index("attempt_account_account", "attempt_account", ["account"], unique=False)
    op.create_table(
        "award",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=True),
        sa.Column("suppliers", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("stands", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("offered", sa.Double(), nullable=True),
        sa.Column("corrected", sa.Double(), nullable=True),
        sa.Column("negotiated", sa.Double(), nullable=True),
        sa.Column("contract_value", sa.Double(), nullable=True),
        sa.Column("local_content_value", sa.Double(), nullable=True),
        sa.Column("micro_enterprise_value", sa.Double(), nullable=True),
        sa.Column("bid_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("award_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("award_pkey")),
    )
    op.create_index("award_supplier", "award", ["supplier_id"], unique=False)
    op.create_table(
        "bid",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("supplier_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("corrected_value", sa.Double(), nullable=True),
        sa.Column("won", sa.Boolean(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("bid_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("bid_pkey")),
    )
    op.create_index("bid_supplier", "bid", ["supplier_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("award_id", sa.Text(), nullable=True),
        sa.Column("supplier_id", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("stands", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("signed_at", sa.DateTime(), nullable=True),
        sa.Column("signed_day", sa.Integer(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(), nullable=True),
        sa.Column("period_start", sa.DateTime(), nullable=True),
        sa.Column("period_end", sa.DateTime(), nullable=True),
        sa.Column("duration_days", sa.Integer(), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("first_value", sa.Double(), nullable=True),
        sa.Column("addenda", sa.Integer(), nullable=False),
        sa.Column("value_change_reason", sa.Text(), nullable=True),
        sa.Column("over_10_percent_reason", sa.Text(), nullable=True),
        sa.Column("contract_type", sa.Text(), nullable=True),
        sa.Column("local_content_value", sa.Double(), nullable=True),
        sa.Column("micro_enterprise_value", sa.Double(), nullable=True),
        sa.Column("guarantee_value", sa.Double(), nullable=True),
        sa.Column("recorded_amount", sa.Double(), nullable=True),
        sa.Column("certified_amount", sa.Double(), nullable=True),
        sa.Column("disbursed_amount", sa.Double(), nullable=True),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("last_payment_at", sa.DateTime(), nullable=True),
        sa.Column("physical_progress", sa.Double(), nullable=True),
        sa.Column("financial_progress", sa.Double(), nullable=True),
        sa.Column("last_report_on", sa.Date(), nullable=True),
        sa.Column("is_executed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("contract_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("contract_pkey")),
    )
    op.create_index("contract_family", "contract", ["family"], unique=False)
    op.create_index("contract_office", "contract", ["office_id", "fiscal_year"], unique=False)
    op.create_index("contract_supplier", "contract", ["supplier_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("stage", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("parent_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("date", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("document_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "stage", "parent_id", "id", name=op.f("document_pkey")),
    )
    op.create_table(
        "item",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("contract_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("unit_price", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("item_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "id", name=op.f("item_pkey")),
    )
    op.create_table(
        "payment",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("contract_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("date", sa.DateTime(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("payee_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("payment_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "id", name=op.f("payment_pkey")),
    )
    op.create_index("payment_kind", "payment", ["kind"], unique=False)
    op.create_index("payment_payee", "payment", ["payee_id"], unique=False)
    op.create_table(
        "place",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("village", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("regency", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("place_code", sa.Text(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("place_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("place_pkey")),
    )
    op.create_index("place_code", "place", ["place_code"], unique=False)
    op.create_table(
        "plan",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("family", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kd_rup", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("pagu", sa.Double(), nullable=True),
        sa.Column("pagu_not_counted", sa.Double(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("method_details", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("category_details", sa.Text(), nullable=True),
        sa.Column("swakelola_type", sa.Text(), nullable=True),
        sa.Column("volume", sa.Text(), nullable=True),
        sa.Column("funds", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=True),
        sa.Column("announced_at", sa.DateTime(), nullable=True),
        sa.Column("selection_start", sa.DateTime(), nullable=True),
        sa.Column("selection_end", sa.DateTime(), nullable=True),
        sa.Column("contract_start", sa.DateTime(), nullable=True),
        sa.Column("contract_end", sa.DateTime(), nullable=True),
        sa.Column("use_start", sa.DateTime(), nullable=True),
        sa.Column("use_end", sa.DateTime(), nullable=True),
        sa.Column("domestic_products", sa.Text(), nullable=True),
        sa.Column("small_enterprises", sa.Text(), nullable=True),
        sa.Column("not_small_reason", sa.Text(), nullable=True),
        sa.Column("before_budget", sa.Text(), nullable=True),
        sa.Column("consolidation", sa.Text(), nullable=True),
        sa.Column("package_type", sa.Text(), nullable=True),
        sa.Column("exempt", sa.Boolean(), nullable=True),
        sa.Column("exempt_reason", sa.Text(), nullable=True),
        sa.Column("inside_swakelola", sa.Text(), nullable=True),
        sa.Column("first_year_rup", sa.Text(), nullable=True),
        sa.Column("economic_aspect", sa.Boolean(), nullable=True),
        sa.Column("social_aspect", sa.Boolean(), nullable=True),
        sa.Column("environmental_aspect", sa.Boolean(), nullable=True),
        sa.Column("organiser", sa.Text(), nullable=True),
        sa.Column("organiser_institution", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("plan_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("plan_pkey")),
    )
    op.create_index("plan_code", "plan", ["kd_rup"], unique=False)
    op.create_index("plan_office", "plan", ["office_id", "fiscal_year"], unique=False)
    op.create_table(
        "plan_account",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("plan_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("mak", sa.Text(), nullable=True),
        sa.Column("sub_activity", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("fund", sa.Text(), nullable=True),
        sa.Column("fund_year", sa.Integer(), nullable=True),
        sa.Column("fund_institution", sa.Text(), nullable=True),
        sa.Column("fund_office", sa.Text(), nullable=True),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("plan_account_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "plan_id", "id", name=op.f("plan_account_pkey")),
    )
    op.create_index("plan_account_account", "plan_account", ["account"], unique=False)
    op.create_table(
        "plan_attempt",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("plan_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kd_rup", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("share", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("plan_attempt_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "attempt_id", "plan_id", name=op.f("plan_attempt_pkey")),
    )
    op.create_index("plan_attempt_plan", "plan_attempt", ["plan_id"], unique=False)
    op.create_table(
        "process_party",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("party_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("role", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("institution", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("tax_number", sa.Text(), nullable=True),
        sa.Column("legal_form", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("process_party_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "party_id", "role", name=op.f("process_party_pkey")),
    )
    op.create_index("process_party_party", "process_party", ["party_id", "role"], unique=False)
    op.create_table(
        "progress",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("contract_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("metric_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("plan", sa.Double(), nullable=True),
        sa.Column("actual", sa.Double(), nullable=True),
        sa.Column("deviation", sa.Double(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("progress_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "metric_id", "id", name=op.f("progress_pkey")),
    )
    op.create_table(
        "proposal",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("repeated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_details", sa.Text(), nullable=True),
        sa.Column("village", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Text(), nullable=True),
        sa.Column("date", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("proposal_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("proposal_pkey")),
    )
    op.create_table(
        "registrant",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=True),
        sa.Column("has_bid", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("registrant_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "attempt_id", "id", name=op.f("registrant_pkey")),
    )
    op.create_index("registrant_supplier", "registrant", ["supplier_id"], unique=False)
    op.create_table(
        "stage_event",
        sa.Column("ocid", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("stage", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("contract_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("start_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("met_at", sa.DateTime(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("stage_event_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "stage", "contract_id", "id", name=op.f("stage_event_pkey")),
    )


def downgrade() -> None:
    """Drop all tables, with their indexes."""
    there = sa.MetaData()
    there.reflect(op.get_bind())
    own = [table for table in there.sorted_tables if table.name != op.get_context().version_table]
    there.drop_all(op.get_bind(), own)
