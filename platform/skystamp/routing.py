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
