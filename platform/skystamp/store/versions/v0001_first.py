"""The first tables: objects, detections, outcomes, rejections, labels, offsets.

Written out in full and never changed again, so that it keeps making what it made, whatever becomes of `tables`.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

PROBABILITIES = ("p_agn", "p_sn", "p_vs", "p_asteroid", "p_bogus", "p_satellite")


def upgrade() -> None:
    """Make all tables."""
    _objects()
    _detections()
    _outcomes()
    _rejections()
    _by_hand()


def _objects() -> None:
    op.create_table(
        "objects",
        *_texts("survey", "object_id"),
        *_wholes("revision"),
        *_numbers("ra", "dec", "first_mjd", "last_mjd"),
        *_wholes("n_detections", "n_accepted"),
        *_wholes("alert_id", null=True),
        *_texts("model", "model_version", "label", null=True),
        *_numbers("p_label", *PROBABILITIES, null=True),
        *_flags("is_negative", "is_solar_system", "is_bogus_twice"),
        sa.PrimaryKeyConstraint("survey", "object_id", name="pk_objects"),
    )
    op.create_index("ix_objects_label_p_label", "objects", ["label", "p_label"])
    op.create_index("ix_objects_label_first_mjd", "objects", ["label", "first_mjd"])
    op.create_index("ix_objects_last_mjd", "objects", ["last_mjd"])


def _detections() -> None:
    op.create_table(
        "detections",
        *_texts("survey"),
        *_wholes("alert_id"),
        *_texts("object_id"),
        *_numbers("mjd", "ra", "dec"),
        *_texts("band"),
        *_flags("is_negative"),
        sa.Column("metadata", sa.JSON, nullable=False),
        *_texts("ss_name", null=True),
        *_numbers("ss_distance", "ss_magnitude", null=True),
        *_texts("schema"),
        *_wholes("place"),
        *_texts("left_out"),
        *_wholes("n_accepted"),
        *_numbers("received"),
        sa.PrimaryKeyConstraint("survey", "alert_id", name="pk_detections"),
    )
    op.create_index("ix_detections_survey_object_id", "detections", ["survey", "object_id"])
    op.create_table(
        "cutouts",
        *_texts("survey"),
        *_wholes("alert_id"),
        *_texts("object_id"),
        *_numbers("mjd"),
        *(sa.Column(band, sa.LargeBinary, nullable=False) for band in ("science", "template", "difference")),
        sa.PrimaryKeyConstraint("survey", "alert_id", name="pk_cutouts"),
        _of_detection("cutouts"),
    )
    op.create_index("ix_cutouts_mjd", "cutouts", ["mjd"])
    if op.get_context().dialect.name == "postgresql":  # they are packed already: trying it again is half of the work
        for band in ("science", "template", "difference"):
            op.execute(f"ALTER TABLE cutouts ALTER COLUMN {band} SET STORAGE EXTERNAL")


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        *_texts("survey"),
        *_wholes("alert_id"),
        *_texts("model", "model_version"),
        *_answer(),
        sa.PrimaryKeyConstraint("survey", "alert_id", "model", "model_version", name="pk_outcomes"),
        _of_detection("outcomes"),
    )
    op.create_index("ix_outcomes_survey_object_id", "outcomes", ["survey", "object_id"])
    op.create_index("ix_outcomes_created", "outcomes", ["created"])
    op.create_table(
        "superseded",
        *_texts("survey"),
        *_wholes("alert_id"),
        *_texts("model", "model_version"),
        *_wholes("revision"),
        *_answer(),
        *_numbers("ended"),
        sa.PrimaryKeyConstraint("survey", "alert_id", "model", "model_version", "revision", name="pk_superseded"),
        _of_detection("superseded"),
    )
    op.create_index("ix_superseded_survey_object_id", "superseded", ["survey", "object_id"])


def _rejections() -> None:
    op.create_table(
        "rejections",
        *_texts("digest"),
        *_wholes("position"),
        *_texts("reason", "detail"),
        *_texts("survey", "object_id", null=True),
        *_wholes("alert_id", null=True),
        *_numbers("mjd", null=True),
        *_numbers("received"),
        sa.PrimaryKeyConstraint("digest", "position", name="pk_rejections"),
    )
    op.create_index("ix_rejections_received", "rejections", ["received"])
    op.create_table(
        "rejected_packets",
        *_texts("digest"),
        *_wholes("size"),
        sa.Column("packet", sa.LargeBinary, nullable=False),
        *_numbers("received"),
        sa.PrimaryKeyConstraint("digest", name="pk_rejected_packets"),
    )
    op.create_index("ix_rejected_packets_received_size", "rejected_packets", ["received", "size"])


def _by_hand() -> None:
    op.create_table(
        "labels",
        *_texts("survey", "object_id", "author"),
        *_numbers("created"),
        *_texts("label", "source"),
        *_numbers("withdrawn", null=True),
        sa.PrimaryKeyConstraint("survey", "object_id", "author", "created", name="pk_labels"),
    )
    op.create_table(
        "offsets",
        *_texts("source", "partition"),
        *_wholes("position"),
        *_numbers("updated"),
        sa.PrimaryKeyConstraint("source", "partition", name="pk_offsets"),
    )


def _answer() -> list["sa.Column[Any]"]:
    return [
        *_texts("object_id"),
        *_numbers("mjd"),
        *_wholes("n_detections"),
        *_texts("label"),
        *_numbers(*PROBABILITIES, null=True),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        *_flags("shadow"),
        *_numbers("created"),
    ]


def _of_detection(table: str) -> sa.ForeignKeyConstraint:
    names = ["survey", "alert_id"]
    theirs = [f"detections.{name}" for name in names]
    return sa.ForeignKeyConstraint(names, theirs, name=f"fk_{table}_detections")


def _texts(*names: str, null: bool = False) -> list["sa.Column[Any]"]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _wholes(*names: str, null: bool = False) -> list["sa.Column[Any]"]:
    return [sa.Column(name, sa.BigInteger, nullable=null, autoincrement=False) for name in names]


def _numbers(*names: str, null: bool = False) -> list["sa.Column[Any]"]:
    return [sa.Column(name, sa.Double, nullable=null) for name in names]


def _flags(*names: str) -> list["sa.Column[Any]"]:
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]
