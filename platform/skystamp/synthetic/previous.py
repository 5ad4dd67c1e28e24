"""The thirty days before a detection: earlier detections, upper limits, forced photometry.

Makes the lists ``prv_candidates`` and ``fp_hists`` out of an object's history. Detections that were sent as
packets of their own repeat those packets' columns; others are measured as their flux and noise would give.
"""

from typing import Any

import numpy as np

from skystamp.synthetic import candidate
from skystamp.synthetic.candidate import Night
from skystamp.synthetic.history import History
from skystamp.synthetic.packets import Record, previous_columns
from skystamp.synthetic.photometry import Measured
from skystamp.synthetic.subject import Subject, night, sky_offset
from skystamp.synthetic.survey import NIGHT_ZERO

WINDOW = 30.0  # days


def _expected(rng: np.random.Generator, history: History, index: int) -> Measured:
    """Return measurements as a point source of this exposure's flux would give them, without an image."""
    table = history.table
    flux, error = abs(float(history.measured[index])), float(history.noise[index])
    snr = 2.1 * flux / error
    blur = 1.0 / max(snr, 5.0)
    fwhm = float(table.fwhm[index]) * float(rng.normal(1.03, 0.9 * blur + 0.03))
    a = 0.325 * fwhm * float(rng.normal(1.0, 0.4 * blur + 0.02))
    stretched = 1.0 + abs(float(rng.normal(0.0, 0.6 * blur + 0.05)))
    noise = float(table.noise[index])
    return Measured(
        flux=flux,
        flux_error=error,
        white_snr=snr,
        chi=float(rng.lognormal(0.3, 0.4)) * (1.0 + flux / (4000.0 * noise)),
        aperture=flux * float(rng.normal(1.0, 1.5 * blur)),
        aperture_error=7.0 * noise,
        aperture_big=flux * float(rng.normal(1.0, 2.5 * blur)),
        aperture_big_error=13.0 * noise,
        sky=float(rng.normal(0.1, 0.4)),
        fwhm=float(np.round(np.clip(fwhm, 1.0, 7.0), 2)),
        a=float(np.clip(a, 0.35, 3.0)),
        b=float(np.clip(a / stretched, 0.3, 3.0)),
        dx=0.0,
        dy=0.0,
        classtar=float(np.round(1.0 / (1.0 + np.exp(-rng.normal(3.9 - 20.0 * blur, 0.6))), 3)),
        negatives=int(rng.binomial(12, min(0.6, 3.0 * blur))),
        bad=0,
        sum_ratio=float(np.clip(1.0 - rng.exponential(0.6 * blur), 0.5, 1.0)),
        scorr=0.78 * snr,
        dsnrms=0.6 * snr,
        ssnrms=snr,
    )


def _detection(rng: np.random.Generator, subject: Subject, history: History, index: int, now: Night) -> dict[str, Any]:
    """Return the columns of a detection that was not sent as one of these packets."""
    seen = _expected(rng, history, index)
    sign = 1 if history.measured[index] >= 0 else -1
    scatter = 0.12 + 1.0 / max(seen.white_snr, 5.0) * now_width(history, index)
    x, y = float(rng.normal(0.0, scatter)), float(rng.normal(0.0, scatter))
    ra, dec = sky_offset(subject, x, y)
    entries = subject.near.reference[now.fid]
    nearest = int(np.argmin(entries.distance(x, y)))
    ranr, decnr = sky_offset(subject, float(entries.x[nearest]), float(entries.y[nearest]))
    chip = subject.chip
    px = float(np.clip(chip.x + rng.normal(0.0, 6.0), 11.0, 3061.0))
    py = float(np.clip(chip.y + rng.normal(0.0, 6.0), 11.0, 3069.0))
    return {
        **candidate.measured_columns(seen, now, sign),
        **candidate.calibration_columns(rng, now),
        "candid": candidate.candidate_id(now.jd, chip.rcid, subject.index),
        "tblid": int(rng.integers(0, 60)),
        "nid": int(now.jd - NIGHT_ZERO),
        "rcid": chip.rcid,
        "field": chip.field,
        "xpos": px,
        "ypos": py,
        "mindtoedge": min(px, py, 3072.0 - px, 3080.0 - py),
        "ra": ra,
        "dec": dec,
        "ranr": ranr,
        "decnr": decnr,
        "distnr": float(entries.distance(x, y)[nearest]),
        "magnr": float(entries.mags[nearest, now.fid - 1]),
        "sigmagnr": 0.02,
        "chinr": float(rng.lognormal(-0.3, 0.4)),
        "sharpnr": float(rng.normal(0.0, 0.05)),
        "seeratio": min(float(history.table.fwhm[index]) * 1.15 / seen.fwhm, 2.0),
        "rb": candidate.real_bogus(rng, seen),
        "rbversion": candidate.RB_VERSION,
    }


def now_width(history: History, index: int) -> float:
    """Return the seeing of an exposure [arcsec, about]: the scale of a faint source's position error."""
    return float(history.table.fwhm[index])


def _before(history: History, index: int) -> range:
    jd = history.table.jd
    return range(int(np.searchsorted(jd, jd[index] - WINDOW)), index)


def previous_candidates(
    rng: np.random.Generator, subject: Subject, history: History, index: int, sent: dict[int, dict[str, Any]]
) -> list[Record] | None:
    """Return the detections and upper limits of the 30 days before an exposure, in time order, None if none.

    ``sent`` holds the candidate columns of this object's earlier packets by exposure.
    """
    names = previous_columns()
    out: list[Record] = []
    for earlier in _before(history, index):
        now = night(history, earlier, subject.calibrators)
        columns: dict[str, Any] = dict(candidate.exposure_columns(now, subject.chip))
        if earlier in sent:
            columns.update(sent[earlier])
        elif history.detected[earlier]:
            columns.update(_detection(rng, subject, history, earlier, now))
        else:
            columns["rbversion"] = candidate.RB_VERSION
        out.append({name: columns.get(name) for name in names})
    return out or None


def forced_photometry(rng: np.random.Generator, subject: Subject, history: History, index: int) -> list[Record] | None:
    """Return the forced photometry of the 30 days before an exposure, in time order, None if there is none."""
    table, chip = history.table, subject.chip
    out: list[Record] = []
    for earlier in _before(history, index):
        fid, jd = int(table.fid[earlier]), float(table.jd[earlier])
        entries = subject.near.reference[fid]
        nearest = int(np.argmin(entries.distance(0.0, 0.0)))
        ranr, decnr = sky_offset(subject, float(entries.x[nearest]), float(entries.y[nearest]))
        out.append(
            {
                "field": chip.field,
                "rcid": chip.rcid,
                "fid": fid,
                "pid": candidate.process_id(jd, chip.rcid),
                "rfid": chip.field * 10**6 + 120000 + fid * 100 + chip.rcid,
                "sciinpseeing": float(table.fwhm[earlier]),
                "scibckgnd": float(table.background[earlier]),
                "scisigpix": float(table.noise[earlier]),
                "magzpsci": float(table.zero_point[earlier]),
                "magzpsciunc": 5e-6,
                "magzpscirms": float(rng.lognormal(-3.5, 0.35)),
                "clrcoeff": float(rng.normal(-0.055, 0.02) if fid == 1 else rng.normal(0.092, 0.012)),
                "clrcounc": 6e-6,
                "exptime": 30.0,
                "adpctdif1": float(rng.lognormal(-2.45, 0.2)),
                "adpctdif2": float(rng.lognormal(-2.45, 0.2)),
                "diffmaglim": float(table.limit[earlier]),
                "programid": 1,
                "jd": jd,
                "forcediffimflux": float(history.measured[earlier]),
                "forcediffimfluxunc": float(history.noise[earlier]),
                "procstatus": "0",
                "distnr": float(entries.distance(0.0, 0.0)[nearest]),
                "ranr": ranr,
                "decnr": decnr,
                "magnr": float(entries.mags[nearest, fid - 1]),
                "sigmagnr": 0.02,
                "chinr": float(rng.lognormal(-0.3, 0.4)),
                "sharpnr": float(rng.normal(0.0, 0.05)),
            }
        )
    return out or None
