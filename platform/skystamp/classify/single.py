"""Packets -> outcomes, each packet by itself: one classification or one rejection for each, in order.

bytes ── avro.read ──> record ── surveys.read ──> Alert ── inputs.collect ──> Raw ── bundle.predict ──> probabilities
           │ Reject                │ Reject                  │ Reject
           └───────────────────────┴─────────────────────────┴──────────> Rejection
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from skystamp import avro, inputs, surveys
from skystamp.alert import Alert
from skystamp.avro import Decoded, Stream
from skystamp.classify.outcomes import (
    Classification,
    Model,
    Outcome,
    Rejection,
    flags_of,
    reject_outcome,
    rules_of,
)
from skystamp.errors import Reject, UsageError
from skystamp.inputs import InputSpec


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
    if not isinstance(spec, InputSpec):
        raise UsageError(f"a model of single detections should be given. Received: {model.name}, which reads sequences")
    raw, kept, rejects = inputs.collect(alerts, side=spec.side, crop=spec.crop)
    said = model.bundle.predict_with_spread(raw).named(model.bundle.classes)
    answers = dict(zip(kept, said, strict=True))
    return [
        _classification(alert, *answers[i], model) if i in answers else reject_outcome(rejects[i], alert)
        for i, alert in enumerate(alerts)
    ]


def _alert(item: Decoded | Reject) -> Alert:
    if isinstance(item, Reject):
        raise item
    return surveys.read(item.record, item.schema)


def _classification(
    alert: Alert, probabilities: dict[str, float], spread: dict[str, float] | None, model: Model
) -> Classification:
    return Classification(
        survey=alert.survey,
        object_id=alert.object_id,
        alert_id=alert.alert_id,
        mjd=alert.mjd,
        n_detections=1,
        probabilities=probabilities,
        model=model.name,
        model_version=model.version,
        flags=flags_of(alert),
        rules=rules_of(alert),
        spread=spread,
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
