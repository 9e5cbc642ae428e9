"""What operators ask of runs: how fresh each service is, which records a build changed, who reads a fetch"""

import sqlalchemy as sa
from alembic import op

code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What runs took over so far was at least as new as the newest row version that they wrote.
OBSERVED = """
UPDATE run_service SET observed_at = seen.observed_at
FROM (
    SELECT run_id, source, service, scope, max(observed_at) AS observed_at
    FROM raw_record
    GROUP BY run_id, source, service, scope
) AS seen
WHERE seen.run_id = run_service.run_id AND seen.source = run_service.source
    AND seen.service = run_service.service AND seen.scope = run_service.scope
"""

# Others changed nothing. Nobody wrote down how they read, so only where no version is of before its run, as those of
# dumps are, what they took over is known to be of their own time.
ASKED = """
UPDATE run_service SET observed_at = run.started_at
FROM run, (
    SELECT raw_record.source, raw_record.service, raw_record.scope
    FROM raw_record JOIN run ON run.id = raw_record.run_id
    GROUP BY raw_record.source, raw_record.service, raw_record.scope
    HAVING min(CASE WHEN raw_record.observed_at < run.started_at THEN 0 ELSE 1 END) = 1
) AS live
WHERE run_service.status = 'success' AND run_service.observed_at IS NULL AND run.id = run_service.run_id
    AND live.source = run_service.source AND live.service = run_service.service AND live.scope = run_service.scope
"""


def upgrade() -> None:
    op.create_table(
        "run_process",
        sa.Column("run_id", code, nullable=False, comment="the run that wrote the row"),
        sa.Column("ocid", code, nullable=False, comment="the contracting process"),
        sa.Column("change", code, nullable=False, comment="what happened to its record: new, changed or removed"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("run_process_run_id_fkey")),
        sa.PrimaryKeyConstraint("run_id", "ocid", name=op.f("run_process_pkey")),
        comment="Which records a build wrote otherwise than they were.",
    )
    op.create_index("run_process_ocid", "run_process", ["ocid"])
    op.add_column(
        "run_service",
        sa.Column(
            "observed_at",
            sa.String(length=20),
            nullable=True,
            comment="when the newest answer that the run took over was true at the source (UTC)",
        ),
    )
    op.add_column(
        "run_service",
        sa.Column("finished_at", sa.String(length=20), nullable=True, comment="end of the service's reading (UTC)"),
    )
    op.add_column(
        "staged_fetch",
        sa.Column(
            "reader",
            sa.Text(),
            nullable=True,
            comment="token of the one that reads it now: pages and promotion of any other are refused",
        ),
    )
    op.execute(OBSERVED)
    op.execute(ASKED)


def downgrade() -> None:
    op.drop_column("staged_fetch", "reader")
    op.drop_column("run_service", "finished_at")
    op.drop_column("run_service", "observed_at")
    op.drop_index("run_process_ocid", table_name="run_process")
    op.drop_table("run_process")
