"""Links between systems, what they join, and the results that only joined data can give"""

import sqlalchemy as sa
from alembic import op

code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


# Records that are there have no rows yet in the new star tables.
BUILD_AGAIN = """
INSERT INTO pending_build (ocid)
SELECT ocid FROM record WHERE ocid NOT IN (SELECT ocid FROM pending_build)
"""

# Nobody has listened yet to what the rows that are there say of links: they take the way of new rows once more, which
# leads them to the processes that they have.
HEAR_AGAIN = "UPDATE raw_record SET placed = false WHERE current AND NOT gone"


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("source", code, nullable=False, comment="source system"),
        sa.Column("service", code, nullable=False, comment="service, named as LKPP's ISB names it"),
        sa.Column("scope", code, nullable=False, comment="what was asked of the service: a fiscal year, or `all`"),
        sa.Column("key", code, nullable=False, comment="what the row is known by within its scope, as in raw_record"),
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="space of the subject's code: rup, tender, anggaran, usulan, kontrak, pekerjaan, ...",
        ),
        sa.Column("code", code, nullable=False, comment="the source's own code of the subject that the row tells of"),
        sa.Column("year", sa.Integer(), nullable=True, comment="fiscal year of the row; empty where it says none"),
        sa.Column(
            "says",
            code,
            nullable=False,
            comment="what the row says that tells to whom it belongs, JSON text. May hold personal data",
        ),
        sa.PrimaryKeyConstraint("source", "service", "scope", "key", name=op.f("evidence_pkey")),
        comment="What the current version of each row says that links are made of.",
    )
    op.create_index("evidence_code", "evidence", ["kind", "code"])
    op.create_index("evidence_year", "evidence", ["year"])
    op.create_table(
        "pending_link",
        sa.Column("kind", code, nullable=False, comment="space of the subject's code"),
        sa.Column("code", code, nullable=False, comment="code of the subject"),
        sa.Column(
            "year", sa.Integer(), autoincrement=False, nullable=False, comment="fiscal year of its evidence; 0 for none"
        ),
        sa.PrimaryKeyConstraint("kind", "code", "year", name=op.f("pending_link_pkey")),
        comment="Subjects whose links must be looked at again.",
    )
    op.create_table(
        "subject",
        sa.Column(
            "kind",
            code,
            nullable=False,
            comment="anggaran (SIMDA budget line), usulan and pokir (proposals), kontrak (contract in SIMDA), pekerjaan (job in SIMPEN), dokumen (planning document)",
        ),
        sa.Column("code", code, nullable=False, comment="its code in the system of its own"),
        sa.Column("source", code, nullable=False, comment="source system"),
        sa.Column("year", sa.Integer(), nullable=True, comment="fiscal year"),
        sa.Column("office_id", sa.Text(), nullable=True, comment="the office, as parties name it (organization.id)"),
        sa.Column("office_name", sa.Text(), nullable=True, comment="its name in that system"),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column(
            "amount",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="amount: of the budget line, asked for, of the contract with its addenda (IDR)",
        ),
        sa.Column("date", sa.Date(), nullable=True, comment="date"),
        sa.Column("village", sa.Text(), nullable=True, comment="village or ward"),
        sa.Column("district", sa.Text(), nullable=True, comment="district"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=True,
            comment="of a proposal: proposed, verified, accepted, rejected or withdrawn",
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="number of the document, such as a contract's"),
        sa.Column(
            "mak",
            sa.Text(),
            nullable=True,
            comment="budget account code without leading zeros: sub-activity (6 segments), account (6 segments); account 5.1.1 is salaries, which no package spends",
        ),
        sa.Column(
            "gone", sa.Boolean(), server_default=sa.false(), nullable=False, comment="its system no longer has it"
        ),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("subject_pkey")),
        comment="What stands in a system of its own and opens no process: links join it to the processes it belongs to.",
    )
    op.create_table(
        "link",
        sa.Column(
            "id",
            code,
            nullable=False,
            comment="digest of rule and both ends: the same link has the same id in every warehouse",
        ),
        sa.Column(
            "rule",
            code,
            nullable=False,
            comment="what was compared: office, budget-package, contract-payment, contract-report, proposal-package, document-package, ...",
        ),
        sa.Column(
            "from_kind",
            code,
            nullable=False,
            comment="space of the code that is linked: anggaran, usulan, pokir, kontrak, pekerjaan, dokumen, ...",
        ),
        sa.Column("from_code", code, nullable=False, comment="the code that is linked (subject.code)"),
        sa.Column(
            "to_kind",
            code,
            nullable=False,
            comment="space of the code that it belongs to: rup, swk, tender, nontender, ...",
        ),
        sa.Column("to_code", code, nullable=False, comment="the code that it belongs to"),
        sa.Column("year", sa.Integer(), nullable=True, comment="fiscal year in which both were compared"),
        sa.Column("confidence", sa.Float(), nullable=False, comment="how sure the rule is, from 0 to 1"),
        sa.Column(
            "by", code, nullable=False, comment="the evidence that decided, such as `mak`, `number`, `place+title`"
        ),
        sa.Column(
            "status",
            code,
            nullable=False,
            comment="auto (sure enough to link), pending (waits for an operator), confirmed or rejected (an operator's word); auto and confirmed ones stand",
        ),
        sa.Column(
            "decided_by",
            sa.Text(),
            nullable=True,
            comment="the operator's account, not a person's name; empty while nobody has decided",
        ),
        sa.Column("decided_at", sa.String(length=20), nullable=True, comment="when an operator decided (UTC)"),
        sa.Column("note", sa.Text(), nullable=True, comment="why, in the operator's words"),
        sa.Column("run_id", code, nullable=False, comment="the run that wrote the row"),
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
        comment="What belongs together across systems that share no key, how sure that is, and who decided it.",
    )
    op.create_index("link_from", "link", ["from_kind", "from_code"])
    op.create_index("link_status", "link", ["rule", "status"])
    op.create_index("link_to", "link", ["to_kind", "to_code"])
    op.create_table(
        "document",
        sa.Column("ocid", code, nullable=False, comment="the contracting process"),
        sa.Column(
            "stage",
            code,
            nullable=False,
            comment="where it stands: planning, proposal, tender, award, contract or implementation",
        ),
        sa.Column(
            "holder_id",
            code,
            nullable=False,
            comment="what it is attached to: its contract (stages contract and implementation), award or proposal; empty text for planning and tender",
        ),
        sa.Column("id", code, nullable=False, comment="id of the document"),
        sa.Column("type", sa.Text(), nullable=True, comment="OCDS document type"),
        sa.Column("title", sa.Text(), nullable=True, comment="title"),
        sa.Column("url", sa.Text(), nullable=True, comment="where it is published"),
        sa.Column("format", sa.Text(), nullable=True, comment="media type"),
        sa.Column("date", sa.DateTime(), nullable=True, comment="publication (local time)"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("document_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "stage", "holder_id", "id", name=op.f("document_pkey")),
        comment="Documents and photos. All processes of a family repeat those of planning and proposals.",
    )
    op.create_table(
        "payment",
        sa.Column("ocid", code, nullable=False, comment="the contracting process"),
        sa.Column("contract_id", code, nullable=False, comment="its contract"),
        sa.Column("id", code, nullable=False, comment="id of the payment, such as a SP2D's number"),
        sa.Column("date", sa.DateTime(), nullable=True, comment="date (local time)"),
        sa.Column("value", sa.Numeric(asdecimal=False), nullable=True, comment="amount (IDR)"),
        sa.Column("payer_id", sa.Text(), nullable=True, comment="who paid (organization.id)"),
        sa.Column("payee_id", sa.Text(), nullable=True, comment="who was paid (organization.id)"),
        sa.Column("payee_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column(
            "source", code, nullable=False, comment="system that tells of it: simda (SP2D), lpse (recorded purchases)"
        ),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("payment_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "id", name=op.f("payment_pkey")),
        comment="Payments on contracts, those on cancelled contracts too.",
    )
    op.create_index("payment_payee", "payment", ["payee_id"])
    op.create_table(
        "progress",
        sa.Column("ocid", code, nullable=False, comment="the contracting process"),
        sa.Column("contract_id", code, nullable=False, comment="its contract"),
        sa.Column("metric_id", code, nullable=False, comment="id of the metric: one per job and kind"),
        sa.Column("id", code, nullable=False, comment="id of the report"),
        sa.Column("kind", sa.Text(), nullable=True, comment="physical or financial; empty for another metric"),
        sa.Column("date", sa.Date(), nullable=True, comment="day that the report tells of"),
        sa.Column(
            "plan",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="what should have been reached by then (percent)",
        ),
        sa.Column("actual", sa.Numeric(asdecimal=False), nullable=True, comment="what was reached (percent)"),
        sa.Column(
            "deviation",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="actual less plan, as the source says it (percent)",
        ),
        sa.Column("notes", sa.Text(), nullable=True, comment="problems and actions"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("progress_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "contract_id", "metric_id", "id", name=op.f("progress_pkey")),
        comment="Progress reports on contracts over time.",
    )
    op.create_table(
        "proposal",
        sa.Column("ocid", code, nullable=False, comment="the contracting process"),
        sa.Column("id", code, nullable=False, comment="id of the proposal within the plan"),
        sa.Column("title", sa.Text(), nullable=True, comment="what is asked for"),
        sa.Column(
            "status",
            sa.Text(),
            nullable=True,
            comment="proposed, verified, accepted, rejected or withdrawn; one that was taken back stays as withdrawn",
        ),
        sa.Column("status_details", sa.Text(), nullable=True, comment="state in the source's words"),
        sa.Column("village", sa.Text(), nullable=True, comment="village or ward"),
        sa.Column("district", sa.Text(), nullable=True, comment="district"),
        sa.Column("value", sa.Numeric(asdecimal=False), nullable=True, comment="amount asked for (IDR)"),
        sa.Column("quantity", sa.Numeric(asdecimal=False), nullable=True, comment="quantity asked for"),
        sa.Column("unit", sa.Text(), nullable=True, comment="its unit"),
        sa.Column("proposed_by", sa.Text(), nullable=True, comment="the level or group that proposed it"),
        sa.Column("office_id", sa.Text(), nullable=True, comment="the office that should act (organization.id)"),
        sa.Column("office_name", sa.Text(), nullable=True, comment="its name"),
        sa.Column("date", sa.DateTime(), nullable=True, comment="when it was proposed (local time)"),
        sa.ForeignKeyConstraint(["ocid"], ["contracting_process.ocid"], name=op.f("proposal_ocid_fkey")),
        sa.PrimaryKeyConstraint("ocid", "id", name=op.f("proposal_pkey")),
        comment="Proposals behind the plan. All processes of a family repeat them: count those of rup and swk processes.",
    )
    op.add_column(
        "contract",
        sa.Column(
            "physical_progress",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="latest actual physical progress (percent)",
        ),
    )
    op.add_column(
        "contract",
        sa.Column(
            "financial_progress",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="latest actual financial progress as the office reports it (percent)",
        ),
    )
    op.add_column("contract", sa.Column("last_report_on", sa.Date(), nullable=True, comment="latest progress report"))
    op.add_column(
        "contracting_process",
        sa.Column("payments", sa.Integer(), server_default="0", nullable=False, comment="number of them"),
    )
    op.add_column(
        "contracting_process",
        sa.Column("last_payment_at", sa.DateTime(), nullable=True, comment="the last of them (local time)"),
    )
    op.add_column(
        "contracting_process",
        sa.Column(
            "physical_progress",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="latest actual physical progress of contracts that stand, weighted by value (percent)",
        ),
    )
    op.add_column(
        "contracting_process",
        sa.Column(
            "financial_progress",
            sa.Numeric(asdecimal=False),
            nullable=True,
            comment="latest actual financial progress as the office reports it, weighted alike (percent)",
        ),
    )
    op.add_column(
        "contracting_process",
        sa.Column("last_report_on", sa.Date(), nullable=True, comment="latest progress report on them"),
    )
    op.execute(BUILD_AGAIN)
    op.execute(HEAR_AGAIN)


def downgrade() -> None:
    op.drop_column("contracting_process", "last_report_on")
    op.drop_column("contracting_process", "financial_progress")
    op.drop_column("contracting_process", "physical_progress")
    op.drop_column("contracting_process", "last_payment_at")
    op.drop_column("contracting_process", "payments")
    op.drop_column("contract", "last_report_on")
    op.drop_column("contract", "financial_progress")
    op.drop_column("contract", "physical_progress")
    op.drop_table("proposal")
    op.drop_table("progress")
    op.drop_index("payment_payee", table_name="payment")
    op.drop_table("payment")
    op.drop_table("document")
    op.drop_index("link_to", table_name="link")
    op.drop_index("link_status", table_name="link")
    op.drop_index("link_from", table_name="link")
    op.drop_table("link")
    op.drop_table("subject")
    op.drop_table("pending_link")
    op.drop_index("evidence_year", table_name="evidence")
    op.drop_index("evidence_code", table_name="evidence")
    op.drop_table("evidence")
