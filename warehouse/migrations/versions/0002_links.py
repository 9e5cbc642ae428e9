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

PROCESS_SUBJECT = """
CREATE VIEW process_subject AS
SELECT
    told.ocid,
    subject.kind,
    subject.code,
    max(subject.title) AS title,
    max(subject.amount) AS amount,
    max(link.confidence) AS confidence
FROM (
    SELECT ocid, kind, key AS code FROM identity
    UNION
    SELECT ocid, kind, code FROM process_rup
) AS told
JOIN link ON link.to_kind = told.kind AND link.to_code = told.code
JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
WHERE link.status IN ('auto', 'confirmed') AND NOT subject.gone
GROUP BY told.ocid, subject.kind, subject.code
"""

# Subqueries per row, not joins of groups: so the trace of one process costs no more than that process. Conditions on
# links stand in CASE, not in WHERE: without statistics a database would begin at all links of a kind, for every row.
PROCESS_TRACE = """
CREATE VIEW process_trace AS
SELECT
    ocid, family, title, buyer_id, buyer_name, fiscal_year,
    (
        SELECT count(*) FROM proposal
        WHERE proposal.ocid = traced.ocid AND coalesce(proposal.status, '') NOT IN ('withdrawn', 'rejected')
    ) AS proposals,
    (
        SELECT min(proposal.title) FROM proposal
        WHERE proposal.ocid = traced.ocid AND coalesce(proposal.status, '') NOT IN ('withdrawn', 'rejected')
    ) AS proposal_title,
    (
        SELECT count(DISTINCT CASE
            WHEN subject.kind = 'anggaran' AND NOT subject.gone AND link.status IN ('auto', 'confirmed')
            THEN subject.code
        END)
        FROM process_rup
        JOIN link ON link.to_kind = process_rup.kind AND link.to_code = process_rup.code
        JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
        WHERE process_rup.ocid = traced.ocid
    ) AS budget_lines,
    (
        SELECT sum(amount) FROM (
            SELECT DISTINCT subject.kind, subject.code, CASE
                WHEN subject.kind = 'anggaran' AND NOT subject.gone AND link.status IN ('auto', 'confirmed')
                THEN subject.amount
            END AS amount
            FROM process_rup
            JOIN link ON link.to_kind = process_rup.kind AND link.to_code = process_rup.code
            JOIN subject ON subject.kind = link.from_kind AND subject.code = link.from_code
            WHERE process_rup.ocid = traced.ocid
        ) AS lines
    ) AS line_total,
    planned_amount, tender_status, tender_value, awarded_amount, contracted_amount,
    payments, paid_amount, last_payment_at, physical_progress, financial_progress, last_report_on,
    CASE
        WHEN NOT has_planning THEN 'planning'
        WHEN NOT has_tender THEN 'tender'
        WHEN NOT has_award THEN 'award'
        WHEN NOT has_contract THEN 'contract'
        WHEN NOT has_implementation THEN 'implementation'
    END AS first_missing,
    (
        SELECT CASE
            WHEN max(CASE WHEN kin.has_planning THEN 1 ELSE 0 END) = 0 THEN 'planning'
            WHEN max(CASE WHEN kin.has_tender THEN 1 ELSE 0 END) = 0 THEN 'tender'
            WHEN max(CASE WHEN kin.has_award THEN 1 ELSE 0 END) = 0 THEN 'award'
            WHEN max(CASE WHEN kin.has_contract THEN 1 ELSE 0 END) = 0 THEN 'contract'
            WHEN max(CASE WHEN kin.has_implementation THEN 1 ELSE 0 END) = 0 THEN 'implementation'
        END
        FROM contracting_process AS kin WHERE kin.family = traced.family
    ) AS family_first_missing
FROM contracting_process AS traced
"""

PROPOSAL_WITHOUT_BUDGET = """
CREATE VIEW proposal_without_budget AS
SELECT
    kind, code, year, title, village, district, office_id, office_name, amount, status,
    (
        SELECT count(*) FROM link
        WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status = 'pending'
    ) AS pending
FROM subject
WHERE kind IN ('usulan', 'pokir') AND status IN ('accepted', 'verified') AND NOT gone AND NOT EXISTS (
    SELECT 1 FROM link
    WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
)
"""

BUDGET_LINE_WITHOUT_PACKAGE = """
CREATE VIEW budget_line_without_package AS
SELECT
    year,
    office_id,
    max(office_name) AS office_name,
    max(mak) AS mak,
    min(title) AS title,
    count(*) AS lines,
    sum(amount) AS amount,
    sum(pending) AS pending
FROM (
    SELECT
        subject.year,
        subject.office_id,
        subject.office_name,
        subject.mak,
        coalesce(subject.mak, subject.code) AS line,
        subject.title,
        subject.amount,
        coalesce(linked.standing, 0) AS standing,
        coalesce(linked.pending, 0) AS pending
    FROM subject
    LEFT JOIN (
        SELECT
            from_code,
            CAST(sum(CASE WHEN status IN ('auto', 'confirmed') THEN 1 ELSE 0 END) AS integer) AS standing,
            CAST(sum(CASE WHEN status = 'pending' THEN 1 ELSE 0 END) AS integer) AS pending
        FROM link
        WHERE from_kind = 'anggaran'
        GROUP BY from_code
    ) AS linked ON linked.from_code = subject.code
    WHERE subject.kind = 'anggaran' AND NOT subject.gone
) AS lines
GROUP BY year, office_id, line
HAVING sum(standing) = 0
"""

PACKAGE_WITHOUT_TENDER = """
CREATE VIEW package_without_tender AS
SELECT
    package.ocid, package.family, package.title, package.buyer_id, package.buyer_name, package.fiscal_year,
    package.planned_amount,
    tender.period_end AS planned_until,
    (
        SELECT max(CASE WHEN kin.has_contract THEN 1 ELSE 0 END)
        FROM contracting_process AS kin WHERE kin.family = package.family
    ) AS has_contract
FROM contracting_process AS package
CROSS JOIN (SELECT max(started_at) AS started_at FROM run) AS latest
LEFT JOIN tender ON tender.ocid = package.ocid
WHERE package.origin = 'rup'
    AND package.has_planning
    AND coalesce(package.tender_status, '') NOT IN ('cancelled', 'withdrawn')
    AND CASE
        WHEN tender.period_end IS NOT NULL THEN {day} < substr(latest.started_at, 1, 10)
        ELSE CAST(package.fiscal_year AS text) < substr(latest.started_at, 1, 4)
    END
    AND NOT EXISTS (
        SELECT 1 FROM contracting_process AS kin WHERE kin.family = package.family AND kin.has_tender
    )
"""

CONTRACT_WITHOUT_PAYMENT = """
CREATE VIEW contract_without_payment AS
SELECT
    process.ocid, process.family, process.title, process.buyer_id, process.buyer_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, contract.supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    (
        SELECT count(DISTINCT CASE
            WHEN link.from_kind = 'kontrak' AND link.status = 'pending' THEN link.from_code
        END)
        FROM identity
        JOIN link ON link.to_kind = identity.kind AND link.to_code = identity.key
        WHERE identity.ocid = contract.ocid
    ) AS pending
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
WHERE coalesce(contract.status, '') <> 'cancelled' AND contract.payments = 0
"""

CONTRACT_WITHOUT_REPORT = """
CREATE VIEW contract_without_report AS
SELECT
    process.ocid, process.family, process.title, process.buyer_id, process.buyer_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, contract.supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    (
        SELECT count(DISTINCT CASE
            WHEN link.from_kind = 'pekerjaan' AND link.status = 'pending' THEN link.from_code
        END)
        FROM identity
        JOIN link ON link.to_kind = identity.kind AND link.to_code = identity.key
        WHERE identity.ocid = contract.ocid
    ) AS pending
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
WHERE coalesce(contract.status, '') <> 'cancelled' AND process.category = 'works' AND contract.last_report_on IS NULL
"""

PAID_AHEAD_OF_PROGRESS = """
CREATE VIEW paid_ahead_of_progress AS
SELECT
    process.ocid, process.family, process.title, process.buyer_id, process.buyer_name, process.fiscal_year,
    contract.id AS contract_id, contract.supplier_id, contract.supplier_name,
    contract.signed_at, contract.period_end, contract.value,
    contract.paid_amount,
    100.0 * contract.paid_amount / contract.value AS paid_percent,
    contract.physical_progress,
    contract.last_report_on,
    100.0 * contract.paid_amount / contract.value - contract.physical_progress AS ahead
FROM contract
JOIN contracting_process AS process ON process.ocid = contract.ocid
WHERE coalesce(contract.status, '') <> 'cancelled'
    AND contract.value > 0
    AND 100.0 * contract.paid_amount - contract.physical_progress * contract.value > 10 * contract.value
"""

SUBJECT_WITHOUT_LINK = """
CREATE VIEW subject_without_link AS
SELECT
    kind, code, source, year, title, number, amount, date, office_id, office_name,
    (
        SELECT count(*) FROM link
        WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status = 'pending'
    ) AS pending
FROM subject
WHERE NOT gone AND NOT EXISTS (
    SELECT 1 FROM link
    WHERE link.from_kind = subject.kind AND link.from_code = subject.code AND link.status IN ('auto', 'confirmed')
)
"""

VIEWS = (
    PROCESS_SUBJECT,
    PROCESS_TRACE,
    PROPOSAL_WITHOUT_BUDGET,
    BUDGET_LINE_WITHOUT_PACKAGE,
    PACKAGE_WITHOUT_TENDER,
    CONTRACT_WITHOUT_PAYMENT,
    CONTRACT_WITHOUT_REPORT,
    PAID_AHEAD_OF_PROGRESS,
    SUBJECT_WITHOUT_LINK,
)

COMMENTS = """
COMMENT ON VIEW process_subject IS
    'What each process is linked with in the other systems. All processes of a family repeat budget lines, '
    'proposals and planning documents.';
COMMENT ON VIEW process_trace IS
    'One row per process: proposal, budget, package, tender, contract, payments, progress. Planning is repeated '
    'in a family: add it up over rup and swk processes, or take family_trace.';
COMMENT ON VIEW proposal_without_budget IS
    'Proposals that were accepted or verified and are linked to no plan.';
COMMENT ON VIEW budget_line_without_package IS
    'Budget lines of SIMDA, per office and account code, of which none is linked to a package. Salaries (account '
    '5.1.1) and transfers never have one.';
COMMENT ON VIEW package_without_tender IS
    'Provider packages (RUP) that were not withdrawn, whose planned selection had ended, or whose fiscal year was '
    'over, on the day of the last run, and of whose family no process has reached the stage tender.';
COMMENT ON VIEW contract_without_payment IS
    'Contracts that stand and on which no payment is known.';
COMMENT ON VIEW contract_without_report IS
    'Contracts for works (category works: progress on goods and services is not reported) that stand and on which '
    'no progress report is known.';
COMMENT ON VIEW paid_ahead_of_progress IS
    'Contracts of which the share that was paid exceeds the latest actual physical progress by more than 10 '
    'points. An advance at the start is no irregularity in itself.';
COMMENT ON VIEW subject_without_link IS
    'What a system has that is linked to nothing: payments and reports without a contract, documents without a '
    'plan, and so on.';
COMMENT ON VIEW office_stage_completeness IS
    'Per office and fiscal year: how many families of processes have reached each stage, how many all five.';
COMMENT ON COLUMN staged_fetch.transport IS
    'how it is read: isb, rest, sql, files; a fetch resumes only over the transport that began it';
COMMENT ON COLUMN contracting_process.fiscal_year IS
    'fiscal year of the first budget line, else the first of its rows, else of the scopes they came in';
COMMENT ON COLUMN contracting_process.paid_amount IS
    'sum of the payments on contracts that stand (IDR)';
COMMENT ON COLUMN contracting_process.has_implementation IS
    'something is known of the execution of a contract that stands: payments, progress, milestones met, '
    'documents, completion';
"""

COMMENTS_BEFORE = """
COMMENT ON VIEW office_stage_completeness IS
    'Per office and fiscal year: how many families of processes have reached each stage.';
COMMENT ON COLUMN staged_fetch.transport IS
    'how it is read: isb, rest, files; a fetch resumes only over the transport that began it';
COMMENT ON COLUMN contracting_process.fiscal_year IS
    'fiscal year of the first budget line, else the first that the source filed its rows under';
COMMENT ON COLUMN contracting_process.paid_amount IS
    'sum of the payments (IDR)';
COMMENT ON COLUMN contracting_process.has_implementation IS
    'something is known of the contract''s execution: milestones, payments, completion';
"""


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
    postgresql = op.get_context().dialect.name == "postgresql"
    for view in VIEWS:
        op.execute(
            view.replace(
                "{day}",
                "to_char(tender.period_end, 'YYYY-MM-DD')" if postgresql else "substr(tender.period_end, 1, 10)",
            )
        )
    if postgresql:
        op.execute(COMMENTS)


def downgrade() -> None:
    op.execute("DROP VIEW subject_without_link")
    op.execute("DROP VIEW paid_ahead_of_progress")
    op.execute("DROP VIEW contract_without_report")
    op.execute("DROP VIEW contract_without_payment")
    op.execute("DROP VIEW package_without_tender")
    op.execute("DROP VIEW budget_line_without_package")
    op.execute("DROP VIEW proposal_without_budget")
    op.execute("DROP VIEW process_trace")
    op.execute("DROP VIEW process_subject")
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
    if op.get_context().dialect.name == "postgresql":
        op.execute(COMMENTS_BEFORE)
