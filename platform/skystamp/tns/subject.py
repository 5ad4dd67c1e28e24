"""The store -> `Subject`: all that a report says of one object and all that its guards ask, and nothing of TNS.

    detections, and the histories of their packets ──> points and limits in time order, positions
    latest outcome ──────────────────────────────────> model, version, class, score

An earlier detection that a packet tells of and that never came as an alert is a detection like any other here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from skystamp import avro
from skystamp.alert import Alert, Previous
from skystamp.errors import Reject, UsageError
from skystamp.store import Candidate, Detection, ObjectKey, Store
from skystamp.surveys import HISTORIES

FIRST_PACKETS = 20  # whose histories are read, beside the last one's

_SAME_S = 5.0  # two reports of one exposure
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement; of those that came as alerts `is_accepted` says whether they are in the object's sequence."""

    mjd: float  # UTC, as the survey gives it
    band: str
    magnitude: float
    error: float  # mag; NaN where it is not known
    limit: float  # mag; NaN where it is not known
    is_negative: bool
    is_accepted: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A look that saw nothing brighter than `magnitude`."""

    mjd: float  # UTC, as the survey gives it
    band: str
    magnitude: float


@dataclass(frozen=True, slots=True)
class Subject:
    """One object as a report needs it.

    Attributes
    ----------
    points : sequence of Point
        Of alerts and of their packets' histories, in time order.
    limits : sequence of Limit
        In time order.
    positions : sequence of (float, float)
        ra and dec (deg, ICRS) of each positive detection that came as an alert.
    is_known : bool
        Whether a packet names a solar-system object near it.
    is_bogus_twice : bool
        Whether the first-detection model says bogus of its first two detections.
    label, score, model, model_version
        The latest answer: class, its probability (NaN where a rule gave it), who gave it.
    has_history : bool
        Whether a packet is kept, so that earlier looks are known at all.
    """

    survey: str
    object_id: str
    points: Sequence[Point]
    limits: Sequence[Limit]
    positions: Sequence[tuple[float, float]]
    is_known: bool
    is_bogus_twice: bool
    label: str
    score: float
    model: str
    model_version: str
    has_history: bool

    @property
    def key(self) -> ObjectKey:
        """Its name in the store."""
        return self.survey, self.object_id

    @property
    def positive(self) -> list[Point]:
        """The detections of something brighter than the template."""
        return [one for one in self.points if not one.is_negative]

    @property
    def discovery(self) -> Point | None:
        """The first positive detection of known magnitude that is accepted, or that a packet tells of earlier ones."""
        return next((one for one in self.positive if one.is_accepted and math.isfinite(one.magnitude)), None)

    @property
    def last_limit(self) -> Limit | None:
        """The last look before the discovery that saw nothing."""
        first = self.discovery
        earlier = [one for one in self.limits if first is not None and one.mjd < first.mjd]
        return earlier[-1] if earlier else None


def subject(store: Store, key: ObjectKey) -> Subject:
    """Return an object of the store.

    Raises
    ------
    UsageError
        If it is not stored, or nothing was answered for it.
    """
    found = store.candidate(*key)
    if found is None:
        raise UsageError(f"the store should have an answer for the object. Received: {'/'.join(key)}")
    detections = store.index([key])[key].detections
    known = store.alerts([one.key for one in detections], with_cutouts=False)
    alerts = [known[one.key] for one in detections if one.key in known]
    earlier, has_history = _histories(store, key[0], detections)
    accepted = {one.key for one in detections if one.place > 0}
    own = [_of_alert(one, is_accepted=(one.survey, one.alert_id) in accepted) for one in alerts]
    return _subject(found, alerts, own, earlier, has_history=has_history)


def _subject(
    found: Candidate, alerts: Sequence[Alert], own: Sequence[Point], earlier: Sequence[Previous], *, has_history: bool
) -> Subject:
    points, limits = merged(own, earlier)
    return Subject(
        survey=found.survey,
        object_id=found.object_id,
        points=points,
        limits=limits,
        positions=[(one.ra, one.dec) for one in alerts if not one.is_negative],
        is_known=found.is_solar_system or any(one.solar_system is not None for one in alerts),
        is_bogus_twice=found.is_bogus_twice,
        label=found.label,
        score=found.probabilities.get(found.label, math.nan),
        model=found.model,
        model_version=found.model_version,
        has_history=has_history,
    )


def merged(own: Sequence[Point], earlier: Sequence[Previous]) -> tuple[list[Point], list[Limit]]:
    """Return points and limits in time order, each exposure once: what came as an alert goes before what is told."""
    points, limits = list(own), []
    seen = {slot for one in own for slot in _slots(one.mjd, one.band)}
    for one in sorted(earlier, key=lambda one: (one.mjd, one.alert_id is None)):
        if (one.band, _slot(one.mjd)) in seen:
            continue
        seen |= _slots(one.mjd, one.band)
        if one.alert_id is None:
            limits.append(Limit(one.mjd, one.band, one.limit))
        else:
            points.append(Point(one.mjd, one.band, one.magnitude, one.error, one.limit, one.is_negative))
    return sorted(points, key=lambda one: one.mjd), limits


def _histories(store: Store, survey: str, detections: Sequence[Detection]) -> tuple[list[Previous], bool]:
    """Return what the packets tell of earlier looks, and whether any packet is kept."""
    reader = HISTORIES.get(survey)
    wanted = {one.key for one in [*detections[:FIRST_PACKETS], *detections[-1:]]}
    contents = store.contents(list(wanted)) if reader else {}
    found: list[Previous] = []
    for content in contents.values():
        try:
            found += reader(avro.record_of(content)) if reader else []
        except Reject:  # its history was damaged when it came; what models read was not, so it has an outcome
            continue
    return found, bool(contents)


def _of_alert(one: Alert, *, is_accepted: bool) -> Point:
    values = one.metadata
    magnitude, error, limit = (values.get(name, math.nan) for name in ("magpsf", "sigmapsf", "diffmaglim"))
    return Point(one.mjd, one.band, magnitude, error, limit, one.is_negative, is_accepted)


def _slots(mjd: float, band: str) -> set[tuple[str, int]]:
    return {(band, _slot(mjd) + step) for step in (-1, 0, 1)}


def _slot(mjd: float) -> int:
    return round(mjd * _DAY_S / _SAME_S)
