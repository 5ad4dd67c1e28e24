"""A `Subject` and `Settings` -> the JSON of a bulk AT report, as TNS takes it (``POST .../set/bulk-report``).

    discovery            first positive detection: date (UTC, middle of the exposure), position, internal name
    non_detection        the last limit before it, or archival remarks where none is known
    photometry           up to ten detections: the first nine and the newest (TNS takes no more of one kind)
    remarks              which model says what, how many people confirm it, how fast it rises

Positions are means of the positive detections. Their errors are the scatter (sample standard deviation) about it, in
arcsec on the sky: that of ra is times cos(dec), that of dec is dec's own (published reports have told ra's twice).
Neither is told smaller than the survey's floor, which is also that of a single detection.

Every value is a text, as in the reports that TNS has from ATLAS and ALeRCE. Names of fields are theirs too; the manual
of TNS 2.0 has others, see docs/decisions/0026.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from skystamp import taxonomy
from skystamp.errors import UsageError
from skystamp.tns import codes
from skystamp.tns.rising import rises
from skystamp.tns.settings import Settings
from skystamp.tns.subject import Limit, Point, Subject

MOST_POINTS = 10

_MJD_ZERO = datetime(1858, 11, 17)  # TNS's dates say no zone; they are UTC
_DAY_MS = 86_400_000
_NO_LIMIT = "No non-detection before the discovery in the {name} alert stream"
_NO_HISTORY = "{name} non-detection limits not available"

Json = dict[str, Any]


def bulk_report(subject: Subject, settings: Settings, *, people: int) -> Json:
    """Return the report of one object; `people` is how many say that it is a supernova.

    Settings that are missing are left out of it, so that it can be looked at before.

    Raises
    ------
    UsageError
        If it has no positive detection, or TNS has no number of its survey or filter as far as we know.
    """
    first = subject.discovery
    if first is None:
        raise UsageError(f"a report should be of something brighter than before. Received: {subject.object_id}")
    own = {
        "reporting_group_id": settings.reporting_group,
        "discovery_data_source_id": settings.data_source,
        "reporter": settings.reporter,
    }
    made = {
        **_position(subject),
        **{name: value for name, value in own.items() if value},
        "discovery_datetime": _middle(subject.survey, first.mjd),
        "at_type": codes.POSSIBLE_SUPERNOVA,
        "internal_name": codes.internal_name(subject.survey, subject.object_id),
        "remarks": remarks(subject, people),
        "non_detection": _non_detection(subject),
        "photometry": {
            "photometry_group": {str(i): _photometry(subject.survey, one) for i, one in enumerate(told(subject))}
        },
    }
    return {"at_report": {"0": made}}


def told(subject: Subject) -> list[Point]:
    """Return the detections that a report tells: all, or the first nine from the discovery on and the newest."""
    first = subject.discovery
    found = [
        one
        for one in subject.positive
        if math.isfinite(one.magnitude) and first is not None and (one.mjd, one.band) >= (first.mjd, first.band)
    ]
    return found if len(found) <= MOST_POINTS else [*found[: MOST_POINTS - 1], found[-1]]


def remarks(subject: Subject, people: int) -> str:
    """Return who says that it is a supernova, and how fast it rises."""
    name = codes.instrument(subject.survey).name
    kind = {taxonomy.SN: "SN"}.get(subject.label, subject.label)
    score = "by rule" if math.isnan(subject.score) else f"{subject.score:.2f}"
    said = f"SN candidate in the {name} alert stream: model {subject.model} version {subject.model_version} says {kind}"
    agree = f"{people} {'person agrees' if people == 1 else 'people agree'}"
    return "; ".join([f"{said} ({score}) and {agree}", *rises(subject)]) + "."


def obsdate(mjd: float) -> str:
    """Return a time (MJD, UTC) as TNS reads it, to the millisecond: ``2026-11-20 03:51:39.673``."""
    day = math.floor(mjd)
    moment = _MJD_ZERO + timedelta(days=day, milliseconds=round((mjd - day) * _DAY_MS))
    return moment.isoformat(sep=" ", timespec="milliseconds")


def digest(report: Json) -> str:
    """Return a short name of a report's content: what was shown is what is sent."""
    return hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()[:16]


def position(subject: Subject) -> tuple[float, float, float, float]:
    """Return ra and dec (deg, ICRS) and their errors (arcsec, on the sky); of a single detection the survey's floor."""
    if not subject.positions:
        raise UsageError(f"a report should be of something with a position. Received: {subject.object_id}")
    floor = codes.instrument(subject.survey).floor
    start = subject.positions[0][0]
    east = [_turn(ra - start) for ra, _ in subject.positions]  # deg; the sky has no edge at ra 0
    dec = _mean([one for _, one in subject.positions])
    ra = (start + _mean(east)) % 360.0
    width = math.cos(math.radians(dec))
    return (
        ra,
        dec,
        max(_scatter(east) * width * 3600.0, floor),
        max(_scatter([one for _, one in subject.positions]) * 3600.0, floor),
    )


def _position(subject: Subject) -> Json:
    ra, dec, ra_error, dec_error = position(subject)
    return {
        "ra": {"value": f"{ra:.7f}", "error": f"{ra_error:.3f}", "units": "arcsec"},
        "dec": {"value": f"{dec:.7f}", "error": f"{dec_error:.3f}", "units": "arcsec"},
    }


def _non_detection(subject: Subject) -> Json:
    last, name = subject.last_limit, codes.instrument(subject.survey).name
    if last is None:
        why = _NO_LIMIT if subject.has_history else _NO_HISTORY
        return {"archiveid": codes.OTHER_ARCHIVE, "archival_remarks": why.format(name=name)}
    return {
        "obsdate": _middle(subject.survey, last.mjd),
        "limiting_flux": f"{last.magnitude:.3f}",
        **_instrument(subject.survey, last),
    }


def _photometry(survey: str, one: Point) -> Json:
    measured = {"flux": one.magnitude, "flux_error": one.error, "limiting_flux": one.limit}
    return {
        "obsdate": _middle(survey, one.mjd),
        **{name: f"{value:.3f}" for name, value in measured.items() if math.isfinite(value)},
        **_instrument(survey, one),
    }


def _instrument(survey: str, one: Point | Limit) -> Json:
    known = codes.instrument(survey)
    return {
        "flux_units": codes.AB_MAGNITUDE,
        "filter_value": codes.filter_of(survey, one.band),
        "instrument_value": known.number,
        "exptime": f"{known.exposure_s:g}",
        "observer": "Robot",
        "comments": f"Data provided by {known.name}",
    }


def _middle(survey: str, mjd: float) -> str:
    known = codes.instrument(survey)
    return obsdate(mjd + (known.exposure_s / 2 / 86_400.0 if known.from_start else 0.0))


def _turn(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _scatter(values: Sequence[float]) -> float:
    """Return the sample standard deviation, 0 of one value."""
    if len(values) < 2:
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
