"""Which model answers for how many detections (DESIGN, "Choosing a model by alert count").

    1          first-detection
    2 .. 5     temporal-2 .. temporal-5
    more       temporal-5 on the first five, flagged `beyond_range`

Where no model is served for a number, the one for the largest smaller number answers, flagged `fewer_detections_used`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from skystamp.errors import UsageError

FIRST_DETECTION = "first-detection"
MODEL_FOR = {1: FIRST_DETECTION, **{n: f"temporal-{n}" for n in range(2, 6)}}
LONGEST = max(MODEL_FOR)

BEYOND_RANGE = "beyond_range"
FEWER_DETECTIONS_USED = "fewer_detections_used"


@dataclass(frozen=True, slots=True)
class Route:
    """The registered name of the model, how many detections it reads, and what to say of the choice."""

    model: str
    detections: int
    flags: tuple[str, ...] = ()


def counts(model: str, served: Collection[str]) -> tuple[int, int | None]:
    """Return the fewest and most accepted detections that a model answers for; None for no limit.

    Raises
    ------
    UsageError
        If the model answers for none: it is not of `MODEL_FOR`, or not served.
    """
    able = [n for n in MODEL_FOR if any(MODEL_FOR[k] in served for k in range(1, n + 1))]
    found = [n for n in able if route(n, served).model == model]
    if not found:
        raise UsageError(f"the model should be one that is served, of {sorted(served)}. Received: {model}")
    return found[0], None if found[-1] == LONGEST else found[-1]


def route(detections: int, served: Collection[str]) -> Route:
    """Return the route of an object with so many accepted detections, given the models that are served.

    Raises
    ------
    UsageError
        If there is no detection, or not even a first-detection model is served.
    """
    if detections < 1:
        raise UsageError(f"detections should be at least 1. Received: {detections}")
    wanted = min(detections, LONGEST)
    usable = [n for n in range(wanted, 0, -1) if MODEL_FOR[n] in served]
    if not usable:
        raise UsageError(f"a model for {wanted} detections or fewer should be served. Received: {sorted(served)}")
    flags = (BEYOND_RANGE,) if detections > LONGEST else ()
    if usable[0] < wanted:
        flags = (*flags, FEWER_DETECTIONS_USED)
    return Route(MODEL_FOR[usable[0]], usable[0], flags)
