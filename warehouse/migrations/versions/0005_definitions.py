"""Which text of views and comments the database has: both are made from the code, no longer by migrations"""

import sqlalchemy as sa
from alembic import op

code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "definition",
        sa.Column("name", code, nullable=False),
        sa.Column("digest", code, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("definition_pkey")),
    )


def downgrade() -> None:
    op.drop_table("definition")
