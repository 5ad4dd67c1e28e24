"""Detections -> statistics of their magnitudes in each filter, and the mean position of an object.

Magnitudes are those of the difference image. A spread is the sample's standard deviation (n - 1); null of one value.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from skystamp.alert import Alert

Row = dict[str, Any]

_NEAR, _STAR = 1.4, 0.4  # arcsec, sgscore: ALeRCE's of a likely star (Förster et al. 2021, sec. 3)


def magstats(detections: Sequence[Mapping[str, Any]], *, stellar: bool) -> list[Row]:
    """Return one row a filter, of the detections that `photometry.detections` returns."""
    fids = sorted({one["fid"] for one in detections})
    return [_of_filter([one for one in detections if one["fid"] == fid], fid, stellar) for fid in fids]


def _of_filter(mine: Sequence[Mapping[str, Any]], fid: int, stellar: bool) -> Row:
    """Return the row of detections in one filter, which come in time order."""
    values = [one["magpsf"] for one in mine if one["magpsf"] is not None]
    return {
        "fid": fid,
        "stellar": stellar,
        "corrected": False,
        "ndet": len(mine),
        "ndubious": 0,
        "magmean": statistics.fmean(values) if values else None,
        "magmedian": statistics.median(values) if values else None,
        "magmax": max(values, default=None),
        "magmin": min(values, default=None),
        "magsigma": spread(values),
        "maglast": mine[-1]["magpsf"],
        "magfirst": mine[0]["magpsf"],
        "firstmjd": mine[0]["mjd"],
        "lastmjd": mine[-1]["mjd"],
        "step_id_corr": None,
    }


def is_stellar(alerts: Sequence[Alert]) -> bool:
    """Return whether the nearest Pan-STARRS source of the first detection is near and looks like a star."""
    if not alerts:
        return False
    told = alerts[0].metadata
    return told.get("distpsnr1", math.nan) < _NEAR and told.get("sgscore1", math.nan) > _STAR


def position(alerts: Sequence[Alert]) -> tuple[float, float, float | None, float | None]:
    """Return mean and spread of ra and dec: ra, dec, spread of ra, spread of dec, all in deg; across ra 0 too."""
    origin = alerts[0].ra
    away = [(one.ra - origin + 180.0) % 360.0 - 180.0 for one in alerts]
    decs = [one.dec for one in alerts]
    return (origin + sum(away) / len(away)) % 360.0, sum(decs) / len(decs), spread(away), spread(decs)


def colours(alerts: Sequence[Alert]) -> tuple[float | None, float | None]:
    """Return g - r of the brightest magnitudes, and of the means; None where one filter has no detection."""
    values = {band: [one.metadata["magpsf"] for one in alerts if one.band == band] for band in "gr"}
    if not all(values.values()):
        return None, None
    brightest, means = ([of(values[band]) for band in "gr"] for of in (min, statistics.fmean))
    return brightest[0] - brightest[1], means[0] - means[1]


def spread(values: Sequence[float]) -> float | None:
    """Return the sample's standard deviation, None of less than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)  # by hand: `statistics.stdev` takes a hundred times as long
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
