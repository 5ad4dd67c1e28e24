"""How far the members of an ensemble are apart, beside each outcome; null of a single model, as of all before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column where outcomes are kept."""
    for table in ("outcomes", "superseded"):
        op.add_column(table, sa.Column("spread", sa.JSON, nullable=True))
