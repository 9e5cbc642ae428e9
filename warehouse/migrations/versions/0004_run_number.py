"""Runs are numbered in the order of their start: several may start in one second"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FILL = """
UPDATE run SET number = numbered.number
FROM (SELECT id, row_number() OVER (ORDER BY started_at, id) AS number FROM run) AS numbered
WHERE numbered.id = run.id
"""
COMMENT = "order in which runs started; a run that is started again gets a new number"


def upgrade() -> None:
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        op.add_column("run", sa.Column("number", sa.BigInteger(), comment=COMMENT))
        op.execute(FILL)
        op.alter_column("run", "number", nullable=False)
    else:
        # SQLite can't add a column that must have a value: the table is made again, by its own statement.
        create = conn.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'run'"))
        op.execute("PRAGMA defer_foreign_keys = ON")
        op.execute("CREATE TEMPORARY TABLE numbered AS SELECT * FROM run")
        op.execute("DROP TABLE run")
        op.execute(create.replace("command TEXT NOT NULL", "number INTEGER NOT NULL, \n\tcommand TEXT NOT NULL"))
        columns = "id, command, started_at, finished_at, status, message, built"
        op.execute(
            f"INSERT INTO run (number, {columns}) "
            f"SELECT row_number() OVER (ORDER BY started_at, id), {columns} FROM numbered"
        )
        op.execute("DROP TABLE numbered")
    op.create_index("run_number", "run", ["number"], unique=True)


def downgrade() -> None:
    op.drop_index("run_number", table_name="run")
    op.drop_column("run", "number")
