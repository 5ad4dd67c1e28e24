"""Objects as a report needs them, any part of them changed."""

from typing import Any

from skystamp.tns.subject import Point, Subject

MJD = 59000.25  # 2020-05-31 06:00:00 UTC


def point(days: float = 0.0, band: str = "g", magnitude: float = 18.5, error: float = 0.125, **changes: Any) -> Point:
    """Return a positive detection, so many days after the first."""
    return Point(MJD + days, band, magnitude, error, 20.5, **{"is_negative": False, **changes})


def made(*points: Point, **changes: Any) -> Subject:
    """Return a supernova of these detections, or of one."""
    values = {
        "survey": "ztf",
        "object_id": "ZTF20aaaaaaa",
        "points": points or (point(),),
        "limits": [],
        "positions": [(150.0, 60.0)],
        "is_known": False,
        "is_bogus_twice": False,
        "label": "SN",
        "score": 0.904,
        "model": "first-detection",
        "model_version": "7",
        "has_history": True,
    }
    return Subject(**{**values, **changes})
