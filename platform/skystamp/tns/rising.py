"""Magnitudes in time -> how fast it rises, in g and in r, as a phrase for a report's remarks.

    two detections of a band            g-rise 0.42+-0.05 mag/day      from the first to the last
    one, and a limit of the band before r-rise > 0.80 mag/day          from the last limit to the detection

Told only where it is more than `LEAST` beyond its own error, and over at least half a day: a rise within an hour is
noise divided by little. After ALeRCE's reports (``alercebroker/TNS_upload``), which take the limits alone.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

from skystamp.tns.subject import Limit, Point, Subject

Look = TypeVar("Look", Point, Limit)

BANDS = ("g", "r")
LEAST = 0.05  # mag/day
SHORTEST = 0.5  # days


def rises(subject: Subject) -> list[str]:
    """Return a phrase for each of `BANDS` in which the object rises."""
    found = (_rise(band, _of(band, subject.positive), _of(band, subject.limits)) for band in BANDS)
    return [phrase for phrase in found if phrase]


def _rise(band: str, points: Sequence[Point], limits: Sequence[Limit]) -> str:
    measured = [one for one in points if math.isfinite(one.magnitude + one.error)]
    if not measured:
        return ""
    first, last = measured[0], measured[-1]
    if last.mjd - first.mjd >= SHORTEST:
        days = last.mjd - first.mjd
        rise, error = (first.magnitude - last.magnitude) / days, math.hypot(first.error, last.error) / days
        return f"{band}-rise {rise:.2f}+-{error:.2f} mag/day" if rise - error > LEAST else ""
    before = [one for one in limits if first.mjd - one.mjd >= SHORTEST]
    if not before:
        return ""
    days = first.mjd - before[-1].mjd
    least = (before[-1].magnitude - first.magnitude - first.error) / days
    return f"{band}-rise > {least:.2f} mag/day" if least > LEAST else ""


def _of(band: str, found: Sequence[Look]) -> list[Look]:
    return [one for one in found if one.band == band]
