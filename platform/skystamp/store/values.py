"""What goes into the store and comes out: histories of objects, batches to write, filters to read by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skystamp.alert import Alert
from skystamp.avro import Content
from skystamp.classify import Classification, Rejection

ObjectKey = tuple[str, str]
"""Survey and object id."""

AlertKey = tuple[str, int]
"""Survey and alert id."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A stored detection as its object's sequence sees it (`classify.Detected`).

    `place` is its place among the accepted ones, from 1, or 0 with the reason in `left_out`; `count` is how many are
    accepted up to it.
    """

    survey: str
    object_id: str
    alert_id: int
    mjd: float
    ra: float  # deg, ICRS
    dec: float
    place: int
    left_out: str
    count: int

    @property
    def key(self) -> AlertKey:
        """Its name in the store."""
        return self.survey, self.alert_id


@dataclass(frozen=True, slots=True)
class History:
    """All stored detections of one object, and the revision at which they were read; 0 for an unknown object."""

    revision: int = 0
    detections: tuple[Detection, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """A classification as it is stored."""

    classification: Classification
    shadow: bool  # a challenger's, never answered
    created: float  # Unix time, s


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejection with the packet it is of, by the container's SHA-256 and the packet's position in it, from 0."""

    rejection: Rejection
    digest: str
    position: int = 0
    packet: bytes = b""  # the container


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a source was read."""

    source: str
    partition: str
    position: int


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one object by a batch.

    Attributes
    ----------
    seen : int
        The revision at which its history was read; if it is another when the batch is written, nothing is.
    detections : sequence of Detection
        All of them, stored and new, with their places.
    latest : Classification or None
        The outcome of the last one in time, None if it stays.
    """

    survey: str
    object_id: str
    seen: int
    detections: Sequence[Detection]
    latest: Classification | None = None

    @property
    def key(self) -> ObjectKey:
        """The object's name in the store."""
        return self.survey, self.object_id


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written in one transaction.

    Attributes
    ----------
    objects : sequence of Change
        Of every object whose detections or outcomes are written.
    new : sequence of (Alert, Detection)
        Detections that are not stored yet.
    contents : mapping of AlertKey to Content
        The bytes of their records without the cutouts, where these are known.
    moved : sequence of Detection
        Stored ones whose place has changed.
    superseded : sequence of AlertKey
        Stored ones whose sequence has changed: their outcomes, whatever the model, are of a sequence that is no more.
    outcomes : sequence of Classification
        A stored score of the same key stays as it is.
    shadow : bool
        Whether these are a challenger's.
    """

    objects: Sequence[Change] = ()
    new: Sequence[tuple[Alert, Detection]] = ()
    contents: Mapping[AlertKey, Content] = field(default_factory=dict)
    moved: Sequence[Detection] = ()
    superseded: Sequence[AlertKey] = ()
    outcomes: Sequence[Classification] = ()
    shadow: bool = False
    rejections: Sequence[Rejected] = ()
    offsets: Sequence[Offset] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.moved or self.superseded or self.outcomes or self.rejections or self.offsets)


@dataclass(frozen=True, slots=True)
class CandidateFilter:
    """Which objects to list, of the latest outcome's class `label`, most probable first.

    By default those of negative differences, known solar-system objects and twice-bogus ones are left out; with
    `bogus_twice` also those come whose most probable class is `label` but that a rule calls bogus.
    """

    label: str = "SN"
    min_probability: float = 0.0
    first_mjd: tuple[float, float] | None = None  # from, until
    min_detections: int = 1
    negative: bool = False
    solar_system: bool = False
    bogus_twice: bool = False
    newest_first: bool = False
    limit: int = 1000
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object with its latest outcome, one row of the list of candidates."""

    survey: str
    object_id: str
    ra: float
    dec: float
    first_mjd: float
    last_mjd: float
    n_detections: int
    n_accepted: int
    alert_id: int
    model: str
    model_version: str
    label: str
    probabilities: Mapping[str, float]
    is_negative: bool
    is_solar_system: bool
    is_bogus_twice: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A person's word on an object; `withdrawn` (Unix time, s) is None while it stands."""

    survey: str
    object_id: str
    label: str
    author: str
    created: float  # Unix time, s
    source: str
    withdrawn: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What a store holds: rows by table, outcomes by model and version, rejections by reason."""

    url: str
    revision: str
    rows: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    rejections: Mapping[str, int] = field(default_factory=dict)
