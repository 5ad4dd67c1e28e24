"""A ZTF record (schema versions 1.8 to 4.02) -> `Alert`.

ZTF writes -999 for "none" in most numbers and null in some; both become NaN here. Positions and magnitudes that the
pipeline always measures must be there, finite and possible, or the alert is rejected.

Schema: Zwicky Transient Facility, ``ztf-avro-alert``.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from skystamp.alert import Alert, Previous, SolarSystemMatch
from skystamp.errors import Reason, Reject
from skystamp.polarity import is_negative

SURVEY = "ztf"
SIDE = 63  # pixels, of a whole cutout
PIXEL_SCALE = 1.01  # arcsec

_NONE = -999.0  # the survey's mark of a missing number
_JD_OF_MJD = 2400000.5
_BAND = {1: "g", 2: "r", 3: "i"}
_CUTOUTS = {"science": "cutoutScience", "template": "cutoutTemplate", "difference": "cutoutDifference"}

# Candidate fields without which there is no alert, with the range that a value must lie in.
_REQUIRED = {
    "jd": (2457000.0, 2500000.0),
    "ra": (0.0, 360.0),
    "dec": (-90.0, 90.0),
    "magpsf": (-5.0, 40.0),
    "sigmapsf": (0.0, 100.0),
    "ndethist": (0.0, 1e6),
    "ncovhist": (0.0, 1e7),
}
# Candidate fields that may be missing.
_OPTIONAL = (
    *("sgscore1", "distpsnr1", "sgscore2", "distpsnr2", "sgscore3", "distpsnr3", "fwhm", "diffmaglim"),
    *("rb", "drb", "distnr", "magnr", "classtar", "chinr", "sharpnr"),
)

_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}")


def read(record: Mapping[str, Any], schema: str = "ztf.alert") -> Alert:
    """Return the alert of a ZTF record.

    Raises
    ------
    Reject
        UNKNOWN_SCHEMA, MISSING_FIELD, BAD_FIELD or MISSING_CUTOUT.
    """
    candidate = record.get("candidate")
    if not isinstance(candidate, Mapping):
        raise Reject(Reason.MISSING_FIELD, "candidate should be a record")
    metadata = {name: _required(candidate, name) for name in _REQUIRED}
    metadata.update((name, _optional(candidate, name)) for name in _OPTIONAL)
    negative = is_negative(_present(candidate, "isdiffpos"))
    return Alert(
        survey=SURVEY,
        object_id=_text(record, "objectId"),
        alert_id=_whole(record, "candid"),
        mjd=metadata["jd"] - _JD_OF_MJD,
        ra=metadata["ra"],
        dec=metadata["dec"],
        band=_band(candidate),
        is_negative=negative,
        metadata=metadata,
        cutouts={band: _cutout(record, field) for band, field in _CUTOUTS.items()},
        solar_system=_solar_system(candidate),
        schema=f"{schema} {_version(record)}",
    )


def previous(record: Mapping[str, Any]) -> list[Previous]:
    """Return the earlier looks at the position of a record that was read with its history, oldest first.

    Those without a time, a filter that we know, or any brightness are left out: nothing could be drawn of them.
    """
    listed = record.get("prv_candidates") or []
    found = (_previous(one) for one in listed if isinstance(one, Mapping))
    return sorted((one for one in found if one is not None), key=lambda one: one.mjd)


def _previous(fields: Mapping[str, Any]) -> Previous | None:
    band, jd = _BAND.get(fields.get("fid") or 0), _measured(fields, "jd")
    number, limit, magnitude = fields.get("candid"), _measured(fields, "diffmaglim"), _measured(fields, "magpsf")
    if band is None or math.isnan(jd) or (math.isnan(limit) and math.isnan(magnitude)):
        return None
    if number is None or math.isnan(magnitude):
        return None if math.isnan(limit) else Previous(jd - _JD_OF_MJD, band, limit)
    sign = str(fields.get("isdiffpos")).strip().lower()
    error = _measured(fields, "sigmapsf")
    return Previous(jd - _JD_OF_MJD, band, limit, int(number), magnitude, error, sign not in ("t", "true", "1"))


def _measured(fields: Mapping[str, Any], name: str) -> float:
    value = fields.get(name)
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and _NONE < value < math.inf else math.nan  # type: ignore[operator,arg-type]


def _present(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name)
    if value is None:
        raise Reject(Reason.MISSING_FIELD, f"{name} is missing")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Reject(Reason.BAD_FIELD, f"{name} should be a number. Received: {str(value)[:40]!r}")
    return float(value)


def _required(candidate: Mapping[str, Any], name: str) -> float:
    value = _present(candidate, name)
    value = value if type(value) is float else _number(name, value)
    low, high = _REQUIRED[name]
    if value == _NONE:
        raise Reject(Reason.MISSING_FIELD, f"{name} is -999")
    if not low <= value <= high:
        raise Reject(Reason.BAD_FIELD, f"{name} should be from {low:g} to {high:g}. Received: {value}")
    return value


def _optional(candidate: Mapping[str, Any], name: str) -> float:
    value = candidate.get(name)
    if value is None:
        return math.nan
    number = value if type(value) is float else _number(name, value)
    return number if _NONE < number < math.inf else math.nan


def _text(record: Mapping[str, Any], name: str) -> str:
    value = _present(record, name)
    if not isinstance(value, str) or not 0 < len(value) <= 64 or not value.isprintable():
        raise Reject(Reason.BAD_FIELD, f"{name} should be 1 to 64 printable characters. Received: {str(value)[:80]!r}")
    return value


def _whole(record: Mapping[str, Any], name: str) -> int:
    value = _present(record, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Reject(Reason.BAD_FIELD, f"{name} should be a whole number of at least 0. Received: {str(value)[:40]!r}")
    return value


def _version(record: Mapping[str, Any]) -> str:
    value = _present(record, "schemavsn")
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise Reject(
            Reason.UNKNOWN_SCHEMA, f"schemavsn should be a version such as 4.02. Received: {str(value)[:40]!r}"
        )
    return value


def _band(candidate: Mapping[str, Any]) -> str:
    fid = _present(candidate, "fid")
    if not isinstance(fid, int) or fid not in _BAND:
        raise Reject(Reason.BAD_FIELD, f"fid should be 1 (g), 2 (r) or 3 (i). Received: {str(fid)[:40]!r}")
    return _BAND[fid]


def _cutout(record: Mapping[str, Any], field: str) -> bytes:
    cutout = record.get(field)
    data = cutout.get("stampData") if isinstance(cutout, Mapping) else None
    if not isinstance(data, bytes) or not data:
        raise Reject(Reason.MISSING_CUTOUT, f"{field} is missing or empty")
    return data


def _solar_system(candidate: Mapping[str, Any]) -> SolarSystemMatch | None:
    distance, name = _optional(candidate, "ssdistnr"), candidate.get("ssnamenr")
    if not distance >= 0 or not isinstance(name, str) or name in ("", "null"):
        return None
    return SolarSystemMatch(name=name[:64], distance=distance, magnitude=_optional(candidate, "ssmagnr"))
