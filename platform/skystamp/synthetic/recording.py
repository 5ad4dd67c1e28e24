"""Records of an object's detections: images, measurements and history put into the schema's dicts.

Makes one record for each detection asked for. A detection that the survey's own filter would not send, once
drawn and measured, is exposed anew a few times and then struck from the history. An object's template in a filter is
made with its first packet and stays, and so do the entries of its reference catalogue.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skystamp.synthetic import candidate, exposing, images, neighbourhood, photometry
from skystamp.synthetic.exposing import Reference, Source
from skystamp.synthetic.history import History
from skystamp.synthetic.images import Conditions, Triplet
from skystamp.synthetic.optics import CENTRE
from skystamp.synthetic.packets import Record, cutouts
from skystamp.synthetic.photometry import Measured
from skystamp.synthetic.previous import forced_photometry, previous_candidates
from skystamp.synthetic.subject import Subject, night, sky_offset
from skystamp.synthetic.survey import NIGHT_ZERO, PIXEL

SCHEMA_VERSION = "4.02"
PUBLISHER = "skystamp synthetic"
_RETAKES = 6
_WANDER = 7


@dataclass(frozen=True)
class Shot:
    """One exposure that passed the filter: images, measurements, the candidate's pixel and sign."""

    triplet: Triplet
    seen: Measured
    columns: dict[str, Any]
    row: int
    column: int
    sign: int


@dataclass(frozen=True)
class _Standing:
    """What stays the same from one packet of an object to the next, by filter: templates and catalogue entries."""

    references: dict[int, Reference]
    entries: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)


def _conditions(history: History, index: int) -> Conditions:
    table = history.table
    return Conditions(
        fwhm=float(table.fwhm[index]),
        background=float(table.background[index]),
        noise=float(table.noise[index]),
        zero_point=float(table.zero_point[index]),
        fid=int(table.fid[index]),
    )


def _source(subject: Subject, history: History, index: int) -> Source:
    target = subject.target
    now, before = float(history.flux[index]), float(history.reference[index])
    if target.cls == "satellite":
        spans = {"glint": (0.0, 1), "glints": (9.0, 7), "trail": (120.0, 1)}
        length, flashes = spans[target.subtype]
        return Source(now * (14.0 if target.subtype == "trail" else 1.0), before, length, target.heading, flashes)
    return Source(now, before, target.rate * 30.0 / 3600.0 / PIXEL, target.heading)


def _candidate_pixel(triplet: Triplet, bogus: bool, expected: float) -> tuple[int, int, int]:
    """Return (row, column, sign) of what the detection stage would find near the centre."""
    if not bogus:
        sign = 1 if expected >= 0 else -1
        return *photometry.local_peak(triplet.difference * sign, CENTRE, CENTRE, 1), sign
    image = np.where(triplet.masked, 0.0, triplet.difference)
    bright = photometry.local_peak(image, CENTRE, CENTRE, _WANDER)
    faint = photometry.local_peak(-image, CENTRE, CENTRE, _WANDER)
    if image[bright] >= -image[faint]:
        return *bright, 1
    return *faint, -1


def _shoot(
    rng: np.random.Generator, subject: Subject, standing: _Standing, history: History, index: int
) -> Shot | None:
    conditions = _conditions(history, index)
    source = _source(subject, history, index)
    reference = standing.references[conditions.fid]
    now = night(history, index, subject.calibrators)
    for _ in range(_RETAKES):
        triplet = exposing.expose(rng, subject.scene, conditions, reference, source, subject.flaw)
        bogus = subject.target.cls == "bogus"
        row, column, sign = _candidate_pixel(triplet, bogus, source.now - source.before)
        if triplet.masked[row, column]:
            continue
        seen = photometry.measure(rng, images.searched(triplet, sign), row, column)
        columns = candidate.measured_columns(seen, now, sign)
        if candidate.passes(columns):
            standing.references[conditions.fid] = replace(reference, grain=triplet.grain)
            return Shot(triplet, seen, columns, row, column, sign)
    return None


def _place(subject: Subject, shot: Shot) -> tuple[float, float]:
    """Return the measured offset of the candidate from the object's true position [arcsec]."""
    x = (shot.column + shot.seen.dx - subject.scene.x) * PIXEL
    y = (shot.row + shot.seen.dy - subject.scene.y) * PIXEL
    return float(x), float(y)


def _columns(
    rng: np.random.Generator, subject: Subject, standing: _Standing, history: History, index: int, shot: Shot
) -> dict[str, Any]:
    now, chip = night(history, index, subject.calibrators), subject.chip
    place = _place(subject, shot)
    place = place[0] + float(rng.normal(0.0, 0.04)), place[1] + float(rng.normal(0.0, 0.04))
    ra, dec = sky_offset(subject, *place)
    origin = subject.scene.x, subject.scene.y
    found = neighbourhood.reference_columns(rng, subject.near, now.fid, place, origin, shot.triplet, standing.entries)
    ranr, decnr = sky_offset(subject, float(found.pop("x")), float(found.pop("y")))
    x, y = chip.x + float(rng.normal(0.0, 6.0)), chip.y + float(rng.normal(0.0, 6.0))
    x, y = float(np.clip(x, 11.0, 3061.0)), float(np.clip(y, 11.0, 3069.0))
    n_detected, n_covered, first = history.counts(index)
    is_real = subject.target.cls not in ("bogus", "satellite")
    columns: dict[str, Any] = {
        **candidate.exposure_columns(now, chip),
        **shot.columns,
        **found,
        **neighbourhood.ps1_columns(subject.near, *place),
        **neighbourhood.gaia_columns(subject.near, *place),
        **neighbourhood.solar_system_columns(
            rng, subject.target, float(shot.columns["magpsf"]), subject.near.unmatched
        ),
        **candidate.calibration_columns(rng, now),
        "candid": candidate.candidate_id(now.jd, chip.rcid, subject.index),
        "tblid": int(rng.integers(0, 60)),
        "nid": int(now.jd - NIGHT_ZERO),
        "rcid": chip.rcid,
        "field": chip.field,
        "xpos": x,
        "ypos": y,
        "mindtoedge": min(x, y, 3072.0 - x, 3080.0 - y),
        "ra": ra,
        "dec": dec,
        "ranr": ranr,
        "decnr": decnr,
        "seeratio": min(shot.triplet.fwhm * 1.15 / shot.seen.fwhm, 2.0),
        "dsnrms": shot.seen.dsnrms,
        "ssnrms": shot.seen.ssnrms,
        "dsdiff": shot.seen.dsnrms - shot.seen.ssnrms,
        "ndethist": n_detected,
        "ncovhist": n_covered,
        "jdstarthist": first,
        "jdendhist": now.jd,
        "tooflag": 0,
        "rfid": chip.field * 10**6 + 120000 + now.fid * 100 + chip.rcid,
        "jdstartref": chip.reference_start,
        "jdendref": chip.reference_end,
        "nframesref": subject.references[now.fid].frames,
        "rb": candidate.real_bogus(rng, shot.seen),
        "rbversion": candidate.RB_VERSION,
        "drb": candidate.deep_real_bogus(rng, is_real),
        "drbversion": candidate.DRB_VERSION,
        "exptime": 30.0,
    }
    return columns


def records(
    rng: np.random.Generator, subject: Subject, history: History, chosen: list[int]
) -> tuple[list[Record], History]:
    """Return the records of the chosen exposures, in time order, and the history as it turned out."""
    made: list[Record] = []
    sent: dict[int, dict[str, Any]] = {}
    standing = _Standing(dict(subject.references))
    for index in chosen:
        shot = _shoot(rng, subject, standing, history, index)
        if shot is None:
            history = history.without(index)
            continue
        columns = _columns(rng, subject, standing, history, index, shot)
        candid = int(columns["candid"])
        image = f"pid{columns['pid']}"
        made.append(
            {
                "schemavsn": SCHEMA_VERSION,
                "publisher": PUBLISHER,
                "objectId": subject.object_id,
                "candid": candid,
                "candidate": columns,
                "prv_candidates": previous_candidates(rng, subject, history, index, sent),
                "fp_hists": forced_photometry(rng, subject, history, index),
                **cutouts(shot.triplet, shot.row, shot.column, shot.sign, candid, image),
            }
        )
        sent[index] = columns
    return made, history
