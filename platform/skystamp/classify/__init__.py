"""Packets + histories -> outcomes: every packet in gives exactly one classification or one rejection, in order.

asof         which detections each is answered for
single       each packet by itself, by one first-detection model
sequenced    each packet with the earlier detections of its object, by the model for their number
outcomes     what is answered
"""

from skystamp.classify.asof import AsOf, Detected, as_of
from skystamp.classify.outcomes import (
    BOGUS_TWICE,
    COLUMNS,
    CUTOUTS_DROPPED,
    NEGATIVE_DIFFERENCE,
    NO_CATALOGUE,
    NO_WISE_MATCH,
    NOT_FIRST_DETECTION,
    SOLAR_SYSTEM_RULE,
    TOO_CLOSE,
    Classification,
    Model,
    Outcome,
    Rejection,
    RuleOutcome,
    columns,
    flags_of,
    reject_outcome,
    rules_of,
)
from skystamp.classify.sequenced import (
    Answer,
    Answers,
    Matcher,
    Models,
    Read,
    answered,
    ask,
    classification,
    classified,
    histories,
    history_records,
    questions,
    require_detections,
)
from skystamp.classify.single import alert_outcomes, alerts, packets, records

__all__ = [
    "BOGUS_TWICE",
    "COLUMNS",
    "CUTOUTS_DROPPED",
    "NEGATIVE_DIFFERENCE",
    "NOT_FIRST_DETECTION",
    "NO_CATALOGUE",
    "NO_WISE_MATCH",
    "SOLAR_SYSTEM_RULE",
    "TOO_CLOSE",
    "Answer",
    "Answers",
    "AsOf",
    "Classification",
    "Detected",
    "Matcher",
    "Model",
    "Models",
    "Outcome",
    "Read",
    "Rejection",
    "RuleOutcome",
    "alert_outcomes",
    "alerts",
    "answered",
    "as_of",
    "ask",
    "classification",
    "classified",
    "columns",
    "flags_of",
    "histories",
    "history_records",
    "packets",
    "questions",
    "records",
    "reject_outcome",
    "require_detections",
    "rules_of",
]
