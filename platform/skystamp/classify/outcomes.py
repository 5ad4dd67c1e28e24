"""The two outcomes of a packet, what they say, and their form as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skystamp import taxonomy
from skystamp.alert import Alert
from skystamp.bundle import Bundle
from skystamp.errors import Reason, Reject

NEGATIVE_DIFFERENCE = "negative_difference"
NOT_FIRST_DETECTION = "not_first_detection"
TOO_CLOSE = "too_close"
NO_CATALOGUE = "no_catalogue"
NO_WISE_MATCH = "no_wise_match"
CUTOUTS_DROPPED = "cutouts_dropped"

SOLAR_SYSTEM_RULE = "solar_system_match"
BOGUS_TWICE = "bogus_twice"


@dataclass(frozen=True, slots=True)
class Model:
    """A bundle under the name and version that its scores are keyed by."""

    name: str
    version: str
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A classification by a stated rule and no model; it stands beside the model's probabilities, which stay."""

    rule: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Classification:
    """A model's answer for one alert, or for its object's sequence as of that alert."""

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
    spread: dict[str, float] | None = None  # of each probability over an ensemble's members; None of a single model

    @property
    def label(self) -> str:
        """The most probable class; but bogus where `BOGUS_TWICE` says so, a class that temporal models do not know."""
        if any(rule.rule == BOGUS_TWICE for rule in self.rules):
            return taxonomy.BOGUS
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


def columns(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """Return outcomes as the columns of the results table (`skystamp classify --out`), one row a packet.

    survey, object_id, alert_id, mjd, n_detections, outcome, class, p_AGN .. p_satellite (null for a class that the
    model does not know), model, model_version, flags, reason, detail, spread (of the answered class's probability over
    the members of an ensemble; null of a single model). Rules are flags here: ``solar_system_match``.
    """
    rows = [_row(outcome) for outcome in outcomes]
    return {name: [row.get(name) for row in rows] for name in COLUMNS}


COLUMNS = (
    *("survey", "object_id", "alert_id", "mjd", "n_detections", "outcome", "class"),
    *(f"p_{name}" for name in taxonomy.CLASSES),
    *("model", "model_version", "flags", "reason", "detail", "spread"),
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
        "spread": outcome.spread.get(outcome.label) if outcome.spread else None,
    }
