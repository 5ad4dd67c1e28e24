"""The packets' own records beside the detections, and an index by which twice-bogus objects are shown on demand."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables; what was stored before has no packets."""
    op.create_table(
        "schemas",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_schemas"),
    )
    op.create_table(
        "packets",
        sa.Column("survey", sa.Text, nullable=False),
        sa.Column("alert_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("survey", "alert_id", name="pk_packets"),
        sa.ForeignKeyConstraint(
            ["survey", "alert_id"], ["detections.survey", "detections.alert_id"], name="fk_packets_detections"
        ),
        sa.ForeignKeyConstraint(["schema"], ["schemas.digest"], name="fk_packets_schemas"),
    )
    op.create_index("ix_objects_is_bogus_twice_first_mjd", "objects", ["is_bogus_twice", "first_mjd"])
    if op.get_context().dialect.name == "postgresql":  # they are packed already
        op.execute("ALTER TABLE packets ALTER COLUMN content SET STORAGE EXTERNAL")
