"""What the survey saw of an object through the years: fluxes, detections, counts.

Makes the table of all exposures of a Target with its flux in each and whether it was detected, so that the
history columns (ndethist, ncovhist, jdstarthist) and the previous candidates of any exposure are read off it.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from skystamp.synthetic import survey
from skystamp.synthetic.populations import Target
from skystamp.synthetic.survey import Exposures

Table = Float64[np.ndarray, "exposure"]
THRESHOLD = 5.0
_REFERENCE_FRAMES = 15
_SAME_PLACE = 1.5  # arcsec


@dataclass(frozen=True)
class History:
    """An object as the survey saw it.

    Attributes
    ----------
    table : Exposures
    flux : float64 ["exposure"]
        Total flux of the object [DN].
    reference : float64 ["exposure"]
        Its flux in the template of that filter [DN].
    noise : float64 ["exposure"]
        Noise of the difference flux [DN].
    detected : bool ["exposure"]
    measured : float64 ["exposure"]
        Difference flux with its noise [DN].
    reference_start : float
        First frame of the template [day].
    commissioning : int
        Exposures before the public survey, those of the template among them; they count as coverage.
    """

    table: Exposures
    flux: Table
    reference: Table
    noise: Table
    detected: Bool[np.ndarray, "exposure"]
    measured: Table
    reference_start: float
    commissioning: int

    def counts(self, index: int) -> tuple[int, int, float]:
        """Return (ndethist, ncovhist, jdstarthist) at an exposure, itself included."""
        seen = np.flatnonzero(self.detected[: index + 1])
        first = seen[0] if seen.size else index
        return max(int(seen.size), 1), self.commissioning + index + 1, float(self.table.jd[first])

    def without(self, index: int) -> "History":
        """Return the history with one exposure no longer a detection."""
        detected = self.detected.copy()
        detected[index] = False
        return replace(self, detected=detected)


def _reference_flux(rng: np.random.Generator, table: Exposures, flux: Table) -> tuple[Table, float]:
    """Return the flux in the template of each exposure's filter: the mean of fifteen frames early in the survey."""
    out = np.zeros_like(flux)
    start = survey.SURVEY_START + float(rng.exponential(120.0))
    scale = 10.0 ** (0.4 * table.zero_point)
    for fid in (1, 2):
        mine = np.flatnonzero(table.fid == fid)
        if mine.size:
            first = int(np.searchsorted(table.jd[mine], start))
            span = int(rng.integers(_REFERENCE_FRAMES, 4 * _REFERENCE_FRAMES))
            window = mine[max(0, min(first, mine.size - 1)) :][:span]
            frames = rng.choice(window, min(_REFERENCE_FRAMES, window.size), replace=False)
            out[mine] = float(np.mean(flux[frames] / scale[frames])) * scale[mine]
    return out, start


def _commissioning(rng: np.random.Generator) -> int:
    return _REFERENCE_FRAMES + int(rng.exponential(60.0))


def of_shining(rng: np.random.Generator, target: Target, table: Exposures) -> History:
    """Return the history of an object with a light curve that stays where it is."""
    if target.curve is None:
        raise ValueError(f"Target should have a light curve. Received: {target.cls} {target.subtype}")
    flux = table.flux_dn(target.curve(table.jd, table.fid))
    reference, start = _reference_flux(rng, table, flux)
    change = flux - reference
    noise = survey.photometric_noise(table, change, np.minimum(flux, reference))
    measured = change + rng.normal(0.0, 0.45, flux.size) * noise
    return History(
        table, flux, reference, noise, np.abs(measured) > THRESHOLD * noise, measured, start, _commissioning(rng)
    )


def of_passing(
    rng: np.random.Generator, target: Target, table: Exposures, jd_range: tuple[float, float]
) -> History | None:
    """Return the history of a position that something passes once, None if no exposure is deep enough.

    Exposures of the same night see it again when it has moved less than 1.5 arcsec.
    """
    start = survey.SURVEY_START + float(rng.exponential(120.0))
    zero = np.zeros(table.jd.size)
    flux = zero if target.curve is None else table.flux_dn(target.curve(table.jd, table.fid))
    noise = survey.photometric_noise(table, flux, zero)
    able = survey.in_range(table, jd_range)
    if target.curve is not None:
        able &= flux > THRESHOLD * noise
    if not able.any():
        return None
    chosen = int(rng.choice(np.flatnonzero(able)))
    hours = np.abs(table.jd - table.jd[chosen]) * 24.0
    still = (hours * max(target.rate, 1e-9) < _SAME_PLACE) & (hours < 8.0) & able & (target.cls == "asteroid")
    still[chosen] = True
    if rng.random() < 0.05:
        still[int(rng.integers(0, chosen + 1))] = True  # something else was once seen here
    shown = np.where(still, flux, 0.0)
    return History(
        table, shown, zero, noise, still, shown + rng.normal(0.0, 0.45, zero.size) * noise, start, _commissioning(rng)
    )


def of_flawed(rng: np.random.Generator, table: Exposures) -> History:
    """Return the history of a place where subtractions keep failing, as beside bright stars."""
    zero = np.zeros(table.jd.size)
    often = 10.0 ** rng.uniform(-3.3, -0.8)
    detected = rng.random(table.jd.size) < often
    noise = survey.photometric_noise(table, zero, zero)
    strength = noise * rng.uniform(5.0, 20.0, zero.size) * np.where(rng.random(zero.size) < 0.6, 1.0, -1.0)
    start = survey.SURVEY_START + float(rng.exponential(120.0))
    return History(
        table,
        zero,
        zero,
        noise,
        detected,
        np.where(detected, strength, 0.4 * strength / 5.0),
        start,
        _commissioning(rng),
    )


def choose(
    rng: np.random.Generator, history: History, jd_range: tuple[float, float], first_share: float, most: int
) -> list[int]:
    """Return up to ``most`` successive detections within ``jd_range`` (indices of exposures).

    With probability ``first_share`` they begin with the object's first detection, else with one drawn among
    all its detections; empty where there are none.
    """
    seen = np.flatnonzero(history.detected)
    allowed = np.flatnonzero(survey.in_range(history.table, jd_range)[seen])
    if allowed.size == 0:
        return []
    begins_at_first = rng.random() < first_share
    if begins_at_first and allowed[0] != 0:
        return []
    begin = int(allowed[0]) if begins_at_first else int(rng.choice(allowed))
    last = int(allowed[-1]) + 1
    return [int(i) for i in seen[begin : min(begin + most, last)]]
