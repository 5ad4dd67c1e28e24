"""One synthetic object: its truth and its packets' records, from a seed and an index alone.

Makes object ``index`` of seed ``seed`` the same whatever else is simulated, in any process and any order::

    draw_target -> exposures -> history -> neighbourhood -> for each detection: expose -> measure -> record

Promises: records in time order under one objectId, candids unique within a seed, every record valid under
ztf_alert.avsc, nothing in identifiers or order that tells the class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from skystamp.synthetic import (
    exposing,
    flaws,
    history,
    images,
    neighbourhood,
    populations,
    recording,
    sky,
    sources,
    survey,
)
from skystamp.synthetic.candidate import draw_chip
from skystamp.synthetic.flaws import Flaw
from skystamp.synthetic.history import History
from skystamp.synthetic.packets import Record
from skystamp.synthetic.populations import CLASSES, Target
from skystamp.synthetic.subject import Subject, object_id

PRIORS: Mapping[str, float] = {"AGN": 0.2, "SN": 0.2, "VS": 0.2, "asteroid": 0.2, "bogus": 0.2, "satellite": 0.0}
JD_RANGE = (survey.SURVEY_START, survey.SURVEY_END)
_ATTEMPTS = 4000
_FIRST_ATTEMPTS = 20  # then a first detection is too rare within the range to wait for


@dataclass(frozen=True)
class Truth:
    """What an object is: the label, and what it was made from.

    ``redshift``, the host's columns and the object's own are None where they have no meaning. ``mjd_first`` is its
    first detection, before or among the packets made. ``own_g`` and ``own_r`` are the mean magnitudes of a source that
    lasts, an AGN or a star.
    """

    object_id: str
    cls: str
    subtype: str
    ra: float
    dec: float
    mjd_first: float
    n_detections: int
    redshift: float | None = None
    host_r: float | None = None
    host_offset: float | None = None
    own_g: float | None = None
    own_r: float | None = None


@dataclass(frozen=True)
class SyntheticObject:
    """An object's truth and its records, in time order."""

    truth: Truth
    records: list[Record] = field(default_factory=list)


def object_class(rng: np.random.Generator, priors: Mapping[str, float]) -> str:
    """Return a class drawn from priors (need not sum to 1).

    Raises
    ------
    ValueError
        If a name is unknown, a prior negative, or all are zero.
    """
    unknown = sorted(set(priors) - set(CLASSES))
    weights = np.array([float(priors.get(name, 0.0)) for name in CLASSES])
    if unknown or (weights < 0).any() or weights.sum() <= 0:
        raise ValueError(f"Priors should give non-negative weights to {', '.join(CLASSES)}. Received: {dict(priors)}")
    return str(rng.choice(np.array(CLASSES), p=weights / weights.sum()))


def _history(
    rng: np.random.Generator, target: Target, table: survey.Exposures, jd_range: tuple[float, float]
) -> History | None:
    if target.lasting and target.curve is not None:
        return history.of_shining(rng, target, table)
    if target.lasting:
        return history.of_flawed(rng, table)
    return history.of_passing(rng, target, table, jd_range)


def _own_mags(target: Target, seen: History) -> np.ndarray | None:
    """Return the mean g, r, i, z that catalogues list for the object, None if it leaves no static source."""
    if target.curve is None or not target.lasting or target.cls == "SN":
        return None
    scale = 10.0 ** (0.4 * seen.table.zero_point)
    mags = []
    for fid in (1, 2):
        mine = seen.table.fid == fid
        if not mine.any():
            return None
        mags.append(-2.5 * np.log10(float(np.mean((seen.reference / scale)[mine]))))
    colour = mags[0] - mags[1]
    return np.array([mags[0], mags[1], mags[1] - 0.4 * colour, mags[1] - 0.6 * colour])


def _with_star(surroundings: sources.Field, flaw: Flaw, rng: np.random.Generator) -> sources.Field:
    if flaw.star is None:
        return surroundings
    x, y, r = flaw.star
    stars = surroundings.stars
    mags = sources.star_colours(rng, np.array([r]))
    joined = sources.Stars(np.append(stars.x, x), np.append(stars.y, y), np.concatenate([stars.mags, mags]))
    return sources.Field(joined, surroundings.galaxies)


def _subject(rng: np.random.Generator, index: int, seed: int, target: Target, seen: History) -> Subject:
    here = sky.position(round(target.here.ra, 7), round(target.here.dec, 7))
    flaw = flaws.flaw(target.subtype, rng) if target.cls == "bogus" else exposing.GOOD
    surroundings = _with_star(sources.draw_field(rng, here), flaw, rng)
    return Subject(
        index=index,
        target=target,
        object_id=object_id(seed, index, seen),
        flaw=flaw,
        scene=images.scene(rng, surroundings, target.host),
        near=neighbourhood.neighbourhood(rng, surroundings, target, _own_mags(target, seen), here),
        chip=draw_chip(rng, here.ra, here.dec, seen.reference_start),
        references={fid: exposing.draw_reference(rng, fid) for fid in (1, 2)},
        calibrators=int(np.clip(0.55 * sky.star_density(here, 18.0) * rng.lognormal(0.0, 0.25), 150, 2180)),
    )


def _attempt(
    rng: np.random.Generator,
    seed: int,
    index: int,
    cls: str,
    flaw: str,
    most: int,
    first: float,
    jd_range: tuple[float, float],
) -> SyntheticObject | None:
    target = populations.draw_target(cls, rng, jd_range, flaw)
    table = survey.exposures(rng, target.here, jd_range[1])
    seen = _history(rng, target, table, jd_range) if table.jd.size else None
    chosen = history.choose(rng, seen, jd_range, first, most) if seen is not None else []
    if seen is None or not chosen:
        return None
    subject = _subject(rng, index, seed, target, seen)
    records, seen = recording.records(rng, subject, seen, chosen)
    if not records:
        return None
    return SyntheticObject(_truth(subject, target, seen), records)


def _truth(subject: Subject, target: Target, seen: History) -> Truth:
    host, own = target.host, _own_mags(target, seen)
    return Truth(
        object_id=subject.object_id,
        cls=target.cls,
        subtype=target.subtype,
        ra=target.here.ra,
        dec=target.here.dec,
        mjd_first=float(seen.table.jd[np.flatnonzero(seen.detected)[0]] - 2400000.5),
        n_detections=int(seen.detected.sum()),
        redshift=target.redshift,
        host_r=None if host is None else float(host.mags[1]),
        host_offset=None if host is None else float(np.hypot(host.x, host.y)),
        own_g=None if own is None else float(own[0]),
        own_r=None if own is None else float(own[1]),
    )


def simulate_object(
    seed: int,
    index: int,
    *,
    cls: str | None = None,
    priors: Mapping[str, float] = PRIORS,
    max_detections: int = 1,
    first_share: float = 0.4,
    jd_range: tuple[float, float] = JD_RANGE,
) -> SyntheticObject:
    """Return object ``index`` of a seed: its truth and 1 to ``max_detections`` records in time order.

    Parameters
    ----------
    seed, index : int
        Non-negative; together they fix everything, whatever process runs it.
    cls : str or None
        Class to make; drawn from ``priors`` where None.
    max_detections : int
        Longest run of successive detections; asteroids and many bogus have one.
    first_share : float
        Share of objects whose records begin with the very first detection; the others begin anywhere in their
        history, as most alerts of lasting objects do. Where ``jd_range`` is a night or so, hardly any lasting
        object is seen for the first time: such objects then begin later, too.
    jd_range : tuple of float
        Julian dates that the records' exposures fall in, within the survey's years.

    Raises
    ------
    ValueError
        If an argument is out of its range, or no such object can be detected within ``jd_range``.
    """
    if index < 0 or seed < 0 or max_detections < 1 or not 0.0 <= first_share <= 1.0:
        raise ValueError(
            "seed and index should be at least 0, max_detections at least 1, first_share within 0..1. "
            f"Received: {seed=}, {index=}, {max_detections=}, {first_share=}"
        )
    rng = np.random.default_rng([seed, index])
    chosen = cls if cls is not None else object_class(rng, priors)
    flaw = populations.draw_flaw(rng)
    first = 1.0 if rng.random() < first_share else 0.0
    for attempt in range(_ATTEMPTS):
        wanted = first if attempt < _FIRST_ATTEMPTS else 0.0
        made = _attempt(rng, seed, index, chosen, flaw, max_detections, wanted, jd_range)
        if made is not None:
            return made
    raise ValueError(f"jd_range should hold nights on which {chosen} are detected. Received: jd_range={jd_range}")
