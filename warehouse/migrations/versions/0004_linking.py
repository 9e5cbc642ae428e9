"""What linking keeps of a year, so that only what changed is linked again"""

import sqlalchemy as sa
from alembic import op

code = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
json = sa.JSON(none_as_null=True)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, code, nullable=False, comment=comment)


def year() -> sa.Column[int]:
    return sa.Column("year", sa.Integer(), autoincrement=False, nullable=False, comment="fiscal year")


def upgrade() -> None:
    op.drop_index("evidence_year", table_name="evidence")
    op.create_index("evidence_year", "evidence", ["year", "kind"])
    op.drop_table("pending_link")
    op.create_table(
        "pending_link",
        text("kind", "space of the subject's code"),
        text("code", "code of the subject"),
        sa.Column(
            "year", sa.Integer(), autoincrement=False, nullable=False, comment="fiscal year of its evidence; 0 for none"
        ),
        text("token", "changes whenever it is asked for anew: linking clears only what it has read"),
        sa.PrimaryKeyConstraint("kind", "code", "year", name=op.f("pending_link_pkey")),
        comment="Subjects whose links must be looked at again.",
    )
    # Nothing is kept of any year yet: all are linked anew.
    op.execute("INSERT INTO pending_link SELECT '', '', 0, 'all' WHERE EXISTS (SELECT 1 FROM evidence)")
    op.create_table(
        "link_year",
        year(),
        text("token", "changes whenever the year is linked: of two at once the second begins again"),
        text("fingerprint", "digest of rules, thresholds and code; where it is another one, the year is linked anew"),
        sa.Column(
            "namings", json, nullable=False, comment="kind, code and name of an office as subjects have them; how many"
        ),
        sa.Column(
            "resolved", json, nullable=False, comment="kind, code and name of an office, and the office that is meant"
        ),
        sa.Column("offices", json, nullable=False, comment="links of rule `office` that the year gives"),
        sa.PrimaryKeyConstraint("year", name=op.f("link_year_pkey")),
        comment="What linking keeps of a fiscal year between two builds; see also the tables link_subject, link_key and "
        "link_pair.",
    )
    op.create_table(
        "link_subject",
        year(),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="number within the year"),
        text("kind", "space of the subject's code"),
        text("code", "code of the subject"),
        text("facts", "what is compared of it, JSON text. May hold personal data"),
        text("mentions", "its texts as they are searched for names of places"),
        sa.PrimaryKeyConstraint("year", "id", name=op.f("link_subject_pkey")),
        comment="What linking compares of each subject of a year.",
    )
    op.create_index("link_subject_code", "link_subject", ["kind", "code"])
    op.create_table(
        "link_key",
        year(),
        text("key", "a value that subjects are found by, or whose rarity weighs. May hold personal data"),
        sa.Column(
            "subject",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="number of the subject (link_subject.id)",
        ),
        sa.PrimaryKeyConstraint("year", "key", "subject", name=op.f("link_key_pkey")),
        comment="Under which values the subjects of a year are found by linking.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_pair",
        year(),
        text("rule", "linking rule"),
        text("from_kind", "space of the code that may be linked"),
        text("from_code", "the code that may be linked"),
        text("to_kind", "space of the code that it may belong to"),
        text("to_code", "the code that it may belong to"),
        sa.Column("weight", sa.Float(), nullable=False, comment="logarithm of the odds that they belong together"),
        text("by", "the evidence that speaks for it"),
        sa.PrimaryKeyConstraint(
            "year", "rule", "from_kind", "from_code", "to_kind", "to_code", name=op.f("link_pair_pkey")
        ),
        comment="What was weighed of contracts that are paid or reported on, before they compete for purchases.",
    )
    op.create_index("link_pair_to", "link_pair", ["year", "rule", "to_kind", "to_code"])
    op.create_table(
        "office_name",
        text("source", "source system"),
        text("name", "name of an office there, in plain words"),
        text("code", "the office (kd_satker_str)"),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("office_name_pkey")),
        comment="Which office of the regency a system means by a name: from the links of rule `office` that stand.",
    )


def downgrade() -> None:
    for name in ("office_name", "link_pair", "link_key", "link_subject", "link_year"):
        op.drop_table(name)
    op.drop_column("pending_link", "token")
    op.drop_index("evidence_year", table_name="evidence")
    op.create_index("evidence_year", "evidence", ["year"])
