"""The columns of a candidate, all of the ZTF 4.02 schema.

Makes dicts out of one exposure, what was measured on its difference image and what lies nearby; promises that
derived columns (magdiff, seeratio, elong, dsdiff, ...) follow from the ones they derive from.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from skystamp.synthetic.photometry import Measured
from skystamp.synthetic.survey import NIGHT_ZERO

RB_VERSION, DRB_VERSION = "t17_f5_c3", "d6_m7"
_FILTERS = {1: "g", 2: "r", 3: "i"}


@dataclass(frozen=True)
class Chip:
    """Where an object falls on the camera: field, readout channel and pixel, and the reference's dates."""

    field: int
    rcid: int
    x: float
    y: float
    reference_start: float
    reference_end: float


@dataclass(frozen=True)
class Night:
    """One exposure's own numbers: time, filter, identifiers and calibration."""

    jd: float
    fid: int
    limit: float
    zero_point: float
    calibrators: int


def draw_chip(rng: np.random.Generator, ra: float, dec: float, jd_start: float) -> Chip:
    """Return the place of a position on the camera; fields number the sky from south to north."""
    row = int((dec + 31.5) / 7.0)
    field = 245 + row * 52 + int(ra / 360.0 * 52.0 * max(np.cos(np.deg2rad(dec)), 0.15))
    start = jd_start + float(rng.exponential(60.0)) - 60.0
    end = start + float(rng.uniform(10.0, 320.0))
    x, y = rng.uniform(20.0, 3052.0), rng.uniform(20.0, 3060.0)
    return Chip(field, int(rng.integers(0, 64)), float(x), float(y), round(start, 6), round(end, 6))


def process_id(jd: float, rcid: int) -> int:
    """Return the identifier of a science image: night, fraction of the day, readout channel."""
    night, fraction = divmod(jd - NIGHT_ZERO, 1.0)
    return (int(night) * 10**5 + int(fraction * 1e5)) * 10**4 + rcid * 100 + 15


def candidate_id(jd: float, rcid: int, index: int) -> int:
    """Return a candid: the image's identifier and six digits of the object's index, unique within a seed."""
    return process_id(jd, rcid) * 10**6 + index % 10**6


def image_name(jd: float, fid: int, chip: Chip) -> str:
    """Return the file name of a difference image."""
    date = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=float(np.floor(jd - NIGHT_ZERO)))
    fraction = int(((jd - NIGHT_ZERO) % 1.0) * 1e6)
    quadrant = f"c{chip.rcid // 4 + 1:02d}_o_q{chip.rcid % 4 + 1}"
    return f"ztf_{date:%Y%m%d}{fraction:06d}_{chip.field:06d}_z{_FILTERS[fid]}_{quadrant}_scimrefdiffimg.fits"


def exposure_columns(night: Night, chip: Chip) -> dict[str, Any]:
    """Return the columns that an upper limit has too."""
    return {
        "jd": night.jd,
        "fid": night.fid,
        "pid": process_id(night.jd, chip.rcid),
        "diffmaglim": night.limit,
        "pdiffimfilename": image_name(night.jd, night.fid, chip),
        "programpi": "Kulkarni",
        "programid": 1,
    }


def _magnitude(flux: float, error: float, zero_point: float) -> tuple[float, float]:
    floor = max(abs(flux), 0.3 * error, 1e-3)
    return zero_point - 2.5 * float(np.log10(floor)), 1.0857 * error / floor


def real_bogus(rng: np.random.Generator, seen: Measured) -> float:
    """Return a real-bogus score from the measurements alone, as a forest of measured features does."""
    elong = seen.a / seen.b
    logit = 2.6 + 1.4 * np.tanh((seen.scorr - 9.0) / 12.0) - 0.25 * seen.negatives
    logit -= 4.0 * max(elong - 1.15, 0.0) + 3.5 * (1.0 - seen.sum_ratio) + 0.35 * np.log1p(max(seen.chi - 2.0, 0.0))
    score = 1.0 / (1.0 + np.exp(-(logit + rng.normal(0.0, 0.6))))
    return float(np.round(np.clip(score, 0.0, 0.98), 7))


def deep_real_bogus(rng: np.random.Generator, is_real: bool) -> float:
    """Return a deep score: right nearly always, for real candidates near 1, for bogus ones mostly below 0.2."""
    right = rng.random() < (0.97 if is_real else 0.85)
    near_one = is_real == right
    return float(1.0 - rng.beta(0.25, 12.0)) if near_one else float(rng.beta(0.35, 7.0))


def measured_columns(seen: Measured, night: Night, sign: int) -> dict[str, Any]:
    """Return the columns measured on the difference image; ``sign`` is 1, or -1 where the source has faded."""
    magpsf, sigmapsf = _magnitude(seen.flux, seen.flux_error, night.zero_point)
    magap, sigmagap = _magnitude(seen.aperture, seen.aperture_error, night.zero_point)
    magapbig, sigmagapbig = _magnitude(seen.aperture_big, seen.aperture_big_error, night.zero_point)
    a, b, fwhm = round(seen.a, 3), round(min(seen.b, seen.a), 3), seen.fwhm
    return {
        "isdiffpos": "t" if sign > 0 else "f",
        "magpsf": magpsf,
        "sigmapsf": sigmapsf,
        "chipsf": seen.chi,
        "magap": round(magap, 4),
        "sigmagap": round(sigmagap, 4),
        "sky": seen.sky * sign,
        "magdiff": round(magap, 4) - magpsf,
        "fwhm": fwhm,
        "classtar": seen.classtar,
        "magfromlim": night.limit - round(magap, 4),
        "aimage": a,
        "bimage": b,
        "aimagerat": a / fwhm,
        "bimagerat": b / fwhm,
        "elong": a / b,
        "nneg": seen.negatives,
        "nbad": seen.bad,
        "sumrat": seen.sum_ratio,
        "magapbig": round(magapbig, 4),
        "sigmagapbig": round(sigmagapbig, 4),
        "scorr": seen.scorr,
    }


def calibration_columns(rng: np.random.Generator, night: Night) -> dict[str, Any]:
    """Return the columns of the photometric calibration."""
    green = night.fid == 1
    scatter = float(rng.lognormal(-3.5, 0.35))
    few = float(np.sqrt(night.calibrators))
    return {
        "magzpsci": night.zero_point,
        "magzpsciunc": scatter / few * 0.01,
        "magzpscirms": scatter,
        "nmatches": night.calibrators,
        "clrcoeff": float(rng.normal(-0.055, 0.02) if green else rng.normal(0.092, 0.012)),
        "clrcounc": scatter / few * 0.015,
        "zpclrcov": -scatter / few * 0.01,
        "zpmed": night.zero_point + float(rng.normal(-0.03 if green else 0.07, 0.01)),
        "clrmed": float(rng.normal(0.62, 0.08)),
        "clrrms": float(rng.uniform(0.15, 0.32)),
    }


def passes(columns: dict[str, Any]) -> bool:
    """Return whether the survey would send this candidate out (its published filter, Masci et al. 2019).

    5-sigma in both the matched filter and the fit, not too long, not mostly negative, aperture and fit agreeing.
    """
    number = {name: float(columns[name]) for name in _FILTERED}
    return (
        number["scorr"] >= 5.0
        and number["sigmapsf"] <= 0.2171
        and number["elong"] <= 1.6
        and number["nneg"] <= 13
        and number["nbad"] <= 4
        and number["sumrat"] >= 0.4
        and 0.9 < number["fwhm"] < 7.0
        and -0.4 <= number["magdiff"] <= 0.75
    )


_FILTERED = ("scorr", "sigmapsf", "elong", "nneg", "nbad", "sumrat", "fwhm", "magdiff")
