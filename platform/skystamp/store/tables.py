"""The store's tables, one definition for SQLite and PostgreSQL.

    objects              one row an object, with its latest outcome: a list of candidates is one indexed query
    detections, cutouts  one row an alert; cutouts lie apart, so that they can be dropped and nothing else is rewritten
    packets, schemas     the record as it came, with its history, for who looks at it
    outcomes             one row an (alert, model, version), made from the alert's sequence as it is now known
    superseded           outcomes made from a sequence that a late packet has changed since
    rejections, rejected_packets   why, and the bytes themselves up to a bound
    labels, offsets
    reports              what was sent to the Transient Name Server, and what it said

Numbers are 64 bit, NaN is null, times of ours are Unix seconds, times of the sky MJD (UTC). `versions` makes the same
tables by migrations; a test compares both.
"""

from typing import Any

import sqlalchemy as sa

from skystamp import taxonomy

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

PROBABILITIES = {name: f"p_{name.lower()}" for name in taxonomy.CLASSES}
"""The column of each class's probability; null for a class that the model does not know."""

DETECTION_KEY = ("survey", "alert_id")


def _text(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, primary_key=key, nullable=null)


def _whole(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _number(name: str, *, key: bool = False, null: bool = False) -> "sa.Column[float]":
    return sa.Column(name, sa.Double, primary_key=key, nullable=null)


def _flag(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=False)


def _json(name: str, *, null: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=null)


def _answer() -> list["sa.Column[Any]"]:
    """Return the columns of a classification beside its key."""
    return [
        _text("object_id"),
        _number("mjd"),
        _whole("n_detections"),
        _text("label"),
        *(_number(column, null=True) for column in PROBABILITIES.values()),
        _json("flags"),
        _json("rules"),
        _flag("shadow"),
        _number("created"),
        _json("spread", null=True),  # over the members of an ensemble, by class
    ]


def _of_detection() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(DETECTION_KEY, [f"detections.{name}" for name in DETECTION_KEY])


objects = sa.Table(
    "objects",
    metadata,
    _text("survey", key=True),
    _text("object_id", key=True),
    _whole("revision"),  # grows with each change: who read another one writes nothing
    _number("ra"),  # of the first detection
    _number("dec"),
    _number("first_mjd"),
    _number("last_mjd"),
    _whole("n_detections"),
    _whole("n_accepted"),
    # The outcome of the last detection in time.
    _whole("alert_id", null=True),
    _text("model", null=True),
    _text("model_version", null=True),
    _text("label", null=True),
    _number("p_label", null=True),  # 0 where a rule gave a class that the model does not know
    *(_number(column, null=True) for column in PROBABILITIES.values()),
    _flag("is_negative"),
    _flag("is_solar_system"),
    _flag("is_bogus_twice"),
    sa.Index(None, "label", "p_label"),
    sa.Index(None, "label", "first_mjd"),
    sa.Index(None, "is_bogus_twice", "first_mjd"),
    sa.Index(None, "last_mjd"),
    sa.Index(None, "dec", "ra"),
)

detections = sa.Table(
    "detections",
    metadata,
    _text("survey", key=True),
    _whole("alert_id", key=True),
    _text("object_id"),
    _number("mjd"),
    _number("ra"),
    _number("dec"),
    _text("band"),
    _flag("is_negative"),
    _json("metadata"),
    _text("ss_name", null=True),
    _number("ss_distance", null=True),
    _number("ss_magnitude", null=True),
    _text("schema"),
    _whole("place"),  # in its object's sequence, from 1; 0 if left out
    _text("left_out"),  # why, or empty
    _whole("n_accepted"),  # accepted detections up to it: what it is answered for
    _number("received"),
    sa.Index(None, "survey", "object_id"),
)

cutouts = sa.Table(
    "cutouts",
    metadata,
    _text("survey", key=True),
    _whole("alert_id", key=True),
    _text("object_id"),
    _number("mjd"),
    *(sa.Column(band, sa.LargeBinary, nullable=False) for band in ("science", "template", "difference")),
    _of_detection(),
    sa.Index(None, "mjd"),
)

schemas = sa.Table(
    "schemas",
    metadata,
    _text("digest", key=True),  # SHA-256
    sa.Column("text", sa.LargeBinary, nullable=False),  # JSON, packed
)

packets = sa.Table(
    "packets",
    metadata,
    _text("survey", key=True),
    _whole("alert_id", key=True),
    _text("object_id"),
    _text("schema"),  # its digest
    _flag("whole"),  # of unusual packets the cutouts are here too
    sa.Column("content", sa.LargeBinary, nullable=False),  # the record as it came, without cutouts, packed
    _of_detection(),
    sa.ForeignKeyConstraint(["schema"], ["schemas.digest"]),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    _text("survey", key=True),
    _whole("alert_id", key=True),
    _text("model", key=True),
    _text("model_version", key=True),
    *_answer(),
    _of_detection(),
    sa.Index(None, "survey", "object_id"),
    sa.Index(None, "model", "model_version", "label"),
    sa.Index(None, "created"),
)

superseded = sa.Table(
    "superseded",
    metadata,
    _text("survey", key=True),
    _whole("alert_id", key=True),
    _text("model", key=True),
    _text("model_version", key=True),
    _whole("revision", key=True),  # of the object, when a late packet changed the sequence
    *_answer(),
    _number("ended"),
    _of_detection(),
    sa.Index(None, "survey", "object_id"),
)

rejections = sa.Table(
    "rejections",
    metadata,
    _text("digest", key=True),  # SHA-256 of the container
    _whole("position", key=True),  # of the packet in it, from 0
    _text("reason"),
    _text("detail"),
    _text("survey", null=True),
    _text("object_id", null=True),
    _whole("alert_id", null=True),
    _number("mjd", null=True),
    _number("received"),
    sa.Index(None, "received"),
)

rejected_packets = sa.Table(
    "rejected_packets",
    metadata,
    _text("digest", key=True),
    _whole("size"),  # bytes
    sa.Column("packet", sa.LargeBinary, nullable=False),
    _number("received"),
    sa.Index(None, "received", "size"),
)

labels = sa.Table(
    "labels",
    metadata,
    _text("survey", key=True),
    _text("object_id", key=True),
    _text("author", key=True),
    _number("created", key=True),
    _text("label"),
    _text("source"),
    _number("withdrawn", null=True),
)

reports = sa.Table(
    "reports",
    metadata,
    _text("survey", key=True),
    _text("object_id", key=True),
    _text("address", key=True),  # of the server: a sandbox's report is none on the real one
    _whole("number", key=True),  # from 1; the highest is the one that counts
    _text("state"),
    _json("content"),  # the report as sent
    _text("author"),
    _json("overridden"),
    _number("created"),
    _number("updated"),
    _text("report_id", null=True),  # the server's receipt
    _text("tns_name", null=True),
    _text("said"),
    _json("replies"),
    sa.Index(None, "state"),
)

offsets = sa.Table(
    "offsets",
    metadata,
    _text("source", key=True),
    _text("partition", key=True),
    _whole("position"),
    _number("updated"),
)
