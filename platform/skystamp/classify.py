"""Packets -> outcomes, on one page: every packet in gives exactly one classification or one rejection, in order.

bytes ── avro.read ──> record ── surveys.read ──> Alert ── inputs.collect ──> Raw ── bundle.predict ──> probabilities
           │ Reject                │ Reject                  │ Reject
           └───────────────────────┴─────────────────────────┴──────────> Rejection
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from skystamp import avro, inputs, surveys, taxonomy
from skystamp.alert import Alert
from skystamp.avro import Decoded, Stream
from skystamp.bundle import Bundle
from skystamp.errors import Reason, Reject

NEGATIVE_DIFFERENCE = "negative_difference"
NOT_FIRST_DETECTION = "not_first_detection"
SOLAR_SYSTEM_RULE = "solar_system_match"


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle under the name and version that its scores are keyed by."""

    name: str
    version: str
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A classification by a stated rule and no model; it stands beside the model's own, never instead of it."""

    rule: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Classification:
    """A model's answer for one alert."""

    survey: str
    object_id: str
    alert_id: int
    mjd: float  # days, UTC
    n_detections: int  # that the model read
    probabilities: dict[str, float]  # of the model's classes, in its order
    model: str
    model_version: str
    flags: tuple[str, ...] = ()
    rules: tuple[RuleOutcome, ...] = ()

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a packet has no classification, with as much of its identity as could be read."""

    reason: Reason
    detail: str
    survey: str | None = None
    object_id: str | None = None
    alert_id: int | None = None
    mjd: float | None = None


Outcome = Classification | Rejection


def packets(source: bytes | Stream, model: Model, *, batch: int = 256) -> Iterator[Outcome]:
    """Yield the outcome of each packet of an Avro container, in order, `batch` packets through the model at a time."""
    stream = avro.read(source)
    while part := list(islice(stream, batch)):
        yield from records(part, model)


def records(items: Sequence[Decoded | Reject], model: Model) -> list[Outcome]:
    """Return the outcome of each record, or of the fault in its place, in order."""
    found = alerts(items)
    outcomes = iter(alert_outcomes([alert for alert in found if isinstance(alert, Alert)], model))
    return [item if isinstance(item, Rejection) else next(outcomes) for item in found]


def alerts(items: Sequence[Decoded | Reject]) -> list[Alert | Rejection]:
    """Return the alert of each record, or the rejection in its place, in order."""
    found: list[Alert | Rejection] = []
    for item in items:
        try:
            found.append(_alert(item))
        except Reject as reject:
            found.append(_rejection(reject, item))
    return found


def alert_outcomes(alerts: Sequence[Alert], model: Model) -> list[Outcome]:
    """Return the outcome of each alert by a first-detection model, in order."""
    spec = model.bundle.spec
    raw, kept, rejects = inputs.collect(alerts, side=spec.side, crop=spec.crop)
    answers = dict(zip(kept, model.bundle.predict(raw).tolist(), strict=True))
    return [
        _classification(alert, answers[i], model) if i in answers else reject_outcome(rejects[i], alert)
        for i, alert in enumerate(alerts)
    ]


def reject_outcome(reject: Reject, alert: Alert) -> Rejection:
    """Return the rejection of an alert whose record was read."""
    return Rejection(reject.reason, reject.detail, alert.survey, alert.object_id, alert.alert_id, alert.mjd)


def flags_of(alert: Alert) -> tuple[str, ...]:
    """Return what a reader of the classification should know of the alert itself."""
    flags = []
    if alert.is_negative:
        flags.append(NEGATIVE_DIFFERENCE)
    if alert.metadata.get("ndethist", 1) > 1:
        flags.append(NOT_FIRST_DETECTION)
    return tuple(flags)


def rules_of(alert: Alert) -> tuple[RuleOutcome, ...]:
    """Return the rule outcomes of an alert: a known solar-system object in its packet says asteroid."""
    match = alert.solar_system
    if match is None:
        return ()
    detail = f"{match.name} at {match.distance:.1f} arcsec"
    return (RuleOutcome(SOLAR_SYSTEM_RULE, taxonomy.ASTEROID, detail),)


def _alert(item: Decoded | Reject) -> Alert:
    if isinstance(item, Reject):
        raise item
    return surveys.read(item.record, item.schema)


def _classification(alert: Alert, probabilities: Iterable[float], model: Model) -> Classification:
    return Classification(
        survey=alert.survey,
        object_id=alert.object_id,
        alert_id=alert.alert_id,
        mjd=alert.mjd,
        n_detections=1,
        probabilities=dict(zip(model.bundle.classes, probabilities, strict=True)),
        model=model.name,
        model_version=model.version,
        flags=flags_of(alert),
        rules=rules_of(alert),
    )


def _rejection(reject: Reject, item: Decoded | Reject) -> Rejection:
    if isinstance(item, Reject):
        return Rejection(reject.reason, reject.detail)
    object_id, alert_id = item.record.get("objectId"), item.record.get("candid")
    return Rejection(
        reject.reason,
        reject.detail,
        survey=item.schema.split(".")[0][:16],
        object_id=object_id[:64] if isinstance(object_id, str) else None,
        alert_id=alert_id if isinstance(alert_id, int) else None,
    )


def columns(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """Return outcomes as the columns of the results table (`skystamp classify --out`), one row a packet.

    survey, object_id, alert_id, mjd, n_detections, outcome, class, p_AGN .. p_satellite (null for a class that the
    model does not know), model, model_version, flags, reason, detail. Rules are flags here: ``solar_system_match``.
    """
    rows = [_row(outcome) for outcome in outcomes]
    return {name: [row.get(name) for row in rows] for name in COLUMNS}


COLUMNS = (
    *("survey", "object_id", "alert_id", "mjd", "n_detections", "outcome", "class"),
    *(f"p_{name}" for name in taxonomy.CLASSES),
    *("model", "model_version", "flags", "reason", "detail"),
)


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        "survey": outcome.survey,
        "object_id": outcome.object_id,
        "alert_id": outcome.alert_id,
        "mjd": outcome.mjd,
        "flags": [],
    }
    if isinstance(outcome, Rejection):
        return {**row, "outcome": "rejection", "reason": outcome.reason.value, "detail": outcome.detail}
    return {
        **row,
        "n_detections": outcome.n_detections,
        "outcome": "classification",
        "class": outcome.label,
        **{f"p_{name}": value for name, value in outcome.probabilities.items()},
        "model": outcome.model,
        "model_version": outcome.model_version,
        "flags": [*outcome.flags, *(rule.rule for rule in outcome.rules)],
    }
