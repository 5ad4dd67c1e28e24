"""Our names and ALeRCE's: filters have numbers, a model is a classifier, and the answer that stands has a name too.

ours                                    ALeRCE's
model first-detection, version 7        classifier first-detection, version 7
the answer that stands, by any model    classifier stamp_classifier, version first-detection_7
label, and the classes after it         ranking 1, 2, ...
"""

import math
from collections.abc import Mapping
from typing import Any

from skystamp import taxonomy
from skystamp.surveys import ztf

SURVEY = ztf.SURVEY
STANDING = "stamp_classifier"
"""The classifier whose answer is the one that stands for an object, by whichever of our models gave it."""

FID = {"g": 1, "r": 2, "i": 3}
BAND = {number: band for band, number in FID.items()}

JD_OF_MJD = 2_400_000.5


def standing_version(model: str | None, version: str | None) -> str:
    """Return the version of `STANDING` that tells by which model and version an answer stands."""
    return f"{model}_{version}"


def ranked(label: str, probabilities: Mapping[str, float]) -> list[tuple[str, float, int]]:
    """Return class, probability and ranking: the answer's class first, then the others by probability.

    The answer's class has the probability 0 where a rule gave it and the model does not know it.
    """
    order = {name: i for i, name in enumerate(taxonomy.CLASSES)}
    rest = [name for name in probabilities if name != label]
    rest.sort(key=lambda name: (-probabilities[name], order[name]))
    return [(name, probabilities.get(name, 0.0), place) for place, name in enumerate([label, *rest], 1)]


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """Return a field's number; None for one that is missing, not finite, or the survey's mark of none (-999)."""
    value = fields.get(name)
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and -999.0 < value < math.inf else None  # type: ignore[operator,arg-type]


def whole(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a field's whole number; None for one that is missing or the survey's mark of none (-999)."""
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value != -999 else None


def text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return a field's text; None for one that is missing or empty."""
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
