"""What goes into the store and comes out: histories of objects, batches to write, filters to read by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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


Span = tuple[float | None, float | None]
"""From and until, both included; None where it is open."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model's version that has scores, with its classes in our order."""

    model: str
    version: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """Which objects to list, in which order.

    Attributes
    ----------
    names : tuple of str, optional
        These alone; `prefix`: those whose name begins so.
    label : str, optional
        The class that the answer gives; with a `ranking` over 1, a class that comes so far after it.
    model, version : str, optional
        Those whose answer stands by it.
    by : tuple of Scorer, optional
        The list is by the newest answers of these models, in one version, whatever stands.
    place : tuple, optional
        ra, dec, radius: deg, ICRS.
    order : str, optional
        An attribute of `ListedObject`; by default names as given, a place's nearest first, all else by name.
    """

    survey: str
    names: tuple[str, ...] | None = None
    prefix: str = ""
    label: str | None = None
    ranking: int = 1
    model: str | None = None
    version: str | None = None
    by: tuple[Scorer, ...] | None = None
    min_probability: float | None = None
    n_detections: Span | None = None
    first_mjd: Span | None = None
    last_mjd: Span | None = None
    place: tuple[float, float, float] | None = None
    order: str | None = None
    descending: bool = False
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object of a list with the answer that the list is by; that is None of an object without one."""

    survey: str
    object_id: str
    ra: float
    dec: float
    first_mjd: float
    last_mjd: float
    n_detections: int
    alert_id: int | None
    model: str | None
    model_version: str | None
    label: str | None
    probability: float | None  # of the label
    probabilities: Mapping[str, float]

    @property
    def delta_mjd(self) -> float:
        """Days from the first detection to the last."""
        return self.last_mjd - self.first_mjd


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


class ReportState(StrEnum):
    """How far a report to the Transient Name Server is."""

    BUILT = "built"  # nothing of it has left, or it is known not to have arrived
    SENT = "sent"  # on its way, or its sender ended meanwhile
    UNKNOWN = "unknown"  # it may have arrived: the server has to be asked before it is sent again
    ACCEPTED = "accepted"  # the server gave a receipt and has not said yet what became of it
    POSTED = "posted"  # it has a name there
    REJECTED = "rejected"  # the server said why not; another one may follow


@dataclass(frozen=True, slots=True)
class Report:
    """An object's report to the Transient Name Server at an address; `number` counts those of the object there, from 1.

    `content` is the JSON as sent, `overridden` has the guards that were passed by name (code, why, by), `replies` what
    the server answered (at, state, said, body), `said` the last of it for people.
    """

    survey: str
    object_id: str
    address: str
    content: Mapping[str, Any]
    author: str
    created: float  # when it was sent, Unix time, s
    state: ReportState = ReportState.BUILT
    number: int = 1
    updated: float = 0.0  # Unix time, s
    overridden: Sequence[Mapping[str, str]] = ()
    report_id: str | None = None
    tns_name: str | None = None
    said: str = ""
    replies: Sequence[Mapping[str, Any]] = ()

    @property
    def key(self) -> ObjectKey:
        """The object's name in the store."""
        return self.survey, self.object_id


@dataclass(frozen=True, slots=True)
class Status:
    """What a store holds: rows by table, outcomes by model and version, rejections by reason."""

    url: str
    revision: str
    rows: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    rejections: Mapping[str, int] = field(default_factory=dict)
