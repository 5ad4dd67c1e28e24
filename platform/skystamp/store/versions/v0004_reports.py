"""What was reported to the Transient Name Server, beside the labels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reports",
        sa.Column("survey", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("overridden", sa.JSON, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("report_id", sa.Text, nullable=True),
        sa.Column("tns_name", sa.Text, nullable=True),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("replies", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("survey", "object_id", "address", "number", name="pk_reports"),
    )
    op.create_index("ix_reports_state", "reports", ["state"])
