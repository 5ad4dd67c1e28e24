"""Indexes by which programs list objects: of a place of the sky, and of what one version answered."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the indexes; some seconds for a million objects."""
    op.create_index("ix_objects_dec_ra", "objects", ["dec", "ra"])
    op.create_index("ix_outcomes_model_model_version_label", "outcomes", ["model", "model_version", "label"])
