"""What PS1, Gaia and the survey's own reference catalogue say about the neighbourhood of an object.

Makes tables of entries out of the sources that are drawn, seen through each catalogue's limits: its depth,
its saturation, its star-galaxy confusion and its shredding of large galaxies.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic.sky import Position
from skystamp.synthetic.sources import NEAR, Field, Galaxy

_PS1_LIMITS = np.array([22.6, 22.4, 22.3, 21.6])
_PS1_SOUTH = -30.0


@dataclass(frozen=True)
class Entries:
    """Catalogue entries: offsets [arcsec], g r i z magnitudes (NaN missing), star-galaxy score (1 star)."""

    x: Float64[np.ndarray, "entry"]
    y: Float64[np.ndarray, "entry"]
    mags: Float64[np.ndarray, "entry 4"]
    score: Float64[np.ndarray, "entry"]

    def distance(self, x: float, y: float) -> Float64[np.ndarray, "entry"]:
        """Return the distance of each entry from (x, y) [arcsec]."""
        return np.hypot(self.x - x, self.y - y)


def star_scores(rng: np.random.Generator, r: Float64[np.ndarray, "entry"]) -> Float64[np.ndarray, "entry"]:
    """Return scores of true stars: near 1, unsure when faint, 0.5 (none given) for many saturated ones."""
    sure = 1.0 - rng.beta(0.35, 12.0, r.size)
    doubt = 1.0 / (1.0 + np.exp(-(r - 21.9) / 0.5))
    unsure = rng.beta(1.3, 1.3, r.size)
    score = np.where(rng.random(r.size) < doubt, unsure, sure)
    unscored = rng.random(r.size) < np.where(r < 14.6, 0.75, np.where(r > 21.0, 0.15, 0.03))
    return np.where(unscored, 0.5, score)


def galaxy_scores(
    rng: np.random.Generator, r: Float64[np.ndarray, "entry"], radius: Float64[np.ndarray, "entry"]
) -> Float64[np.ndarray, "entry"]:
    """Return scores of true galaxies: near 0, unsure when faint or small."""
    sure = rng.beta(0.35, 9.0, r.size)
    doubt = np.clip(1.0 / (1.0 + np.exp(-(r - 22.0) / 0.5)) + 0.5 * np.exp(-((radius / 0.45) ** 2)), 0.0, 0.9)
    unsure = rng.beta(1.0, 1.4, r.size)
    score = np.where(rng.random(r.size) < doubt, unsure, sure)
    unscored = rng.random(r.size) < np.where(radius > 4.0, 0.35, 0.12)
    return np.where(unscored, 0.5, score)


def _galaxy_entries(rng: np.random.Generator, galaxies: tuple[Galaxy, ...]) -> Entries:
    mags = np.array([g.psf_mags() for g in galaxies]).reshape(-1, 4)
    radius = np.array([g.radius for g in galaxies])
    score = galaxy_scores(rng, mags[:, 1], radius)
    return Entries(np.array([g.x for g in galaxies]), np.array([g.y for g in galaxies]), mags, score)


def _shreds(rng: np.random.Generator, galaxies: tuple[Galaxy, ...]) -> Entries:
    """Return the false entries that large galaxies break into: arms, knots, rings."""
    x: list[float] = []
    y: list[float] = []
    mags: list[np.ndarray] = []
    for galaxy in galaxies:
        if galaxy.radius < 2.0 or galaxy.mags[1] > 18.8:
            continue
        for _ in range(rng.poisson(min(0.5 * galaxy.radius, 8.0))):
            reach, turn = galaxy.radius * rng.gamma(2.0, 0.55), rng.uniform(0.0, 2.0 * np.pi)
            x.append(galaxy.x + float(reach * np.cos(turn)))
            y.append(galaxy.y + float(reach * np.sin(turn)))
            mags.append(galaxy.psf_mags() + rng.uniform(0.8, 3.5))
    table = np.array(mags).reshape(-1, 4)
    score = np.where(rng.random(len(x)) < 0.35, 0.5, rng.beta(0.5, 1.6, len(x)))
    return Entries(np.array(x, dtype=np.float64), np.array(y, dtype=np.float64), table, score)


def _joined(parts: list[Entries]) -> Entries:
    return Entries(
        np.concatenate([p.x for p in parts]),
        np.concatenate([p.y for p in parts]),
        np.concatenate([p.mags for p in parts]),
        np.concatenate([p.score for p in parts]),
    )


def _own_entry(rng: np.random.Generator, own_mags: np.ndarray, host: Galaxy | None) -> Entries:
    """Return the entry of the object itself, blended with the host it sits in the middle of."""
    mags = own_mags.copy()
    score = star_scores(rng, mags[1:2])
    if host is not None and np.hypot(host.x, host.y) < 0.8:
        psf = host.psf_mags()
        share = 10.0 ** (-0.4 * psf[1]) / (10.0 ** (-0.4 * psf[1]) + 10.0 ** (-0.4 * mags[1]))
        mags = -2.5 * np.log10(10.0 ** (-0.4 * mags) + 10.0 ** (-0.4 * psf))
        if rng.random() < share * 1.3:
            score = galaxy_scores(rng, mags[1:2], np.array([host.radius]))
    return Entries(np.zeros(1), np.zeros(1), mags[None, :], score)


def true_entries(rng: np.random.Generator, field: Field, host: Galaxy | None, own_mags: np.ndarray | None) -> Entries:
    """Return every source as a perfect catalogue would list it, the object's own (if it is static) first.

    ``own_mags`` are the g, r, i, z of the object in its mean state, None for what leaves no source behind.
    """
    inside = np.maximum(np.abs(field.stars.x), np.abs(field.stars.y)) < NEAR
    star_mags = field.stars.mags[inside]
    stars = Entries(field.stars.x[inside], field.stars.y[inside], star_mags, star_scores(rng, star_mags[:, 1]))
    alone = own_mags is None or (host is not None and np.hypot(host.x, host.y) >= 0.8)
    galaxies = field.galaxies + ((host,) if host is not None and alone else ())
    parts = [stars, _galaxy_entries(rng, galaxies), _shreds(rng, galaxies)]
    if own_mags is not None:
        parts.insert(0, _own_entry(rng, own_mags, host))
    return _joined(parts)


def ps1(rng: np.random.Generator, truth: Entries, here: Position) -> Entries:
    """Return the PS1 entries: within the depth of each filter, with 0.04 arcsec and 0.03 mag of error."""
    if here.dec < _PS1_SOUTH:
        return Entries(np.zeros(0), np.zeros(0), np.zeros((0, 4)), np.zeros(0))
    n = truth.x.size
    limits = _PS1_LIMITS + rng.normal(0.0, 0.25, (n, 4))
    mags = np.where(truth.mags + rng.normal(0.0, 0.03, (n, 4)) < limits, truth.mags, np.nan)
    mags = mags + rng.normal(0.0, 1.0, (n, 4)) * (0.01 + 0.1 * 10.0 ** (0.3 * (np.nan_to_num(mags, nan=20.0) - 22.0)))
    mags = np.where(rng.random((n, 4)) < 0.02, np.nan, mags)
    listed = np.isfinite(mags).sum(axis=1) >= 1
    error = rng.normal(0.0, 0.04, (2, n))
    return Entries(
        truth.x[listed] + error[0, listed], truth.y[listed] + error[1, listed], mags[listed], truth.score[listed]
    )


def gaia(
    field: Field, own_mags: np.ndarray | None, galaxies_seen: Entries
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, y [arcsec] and G of Gaia sources: stars to 20.7, and compact sources of the object itself."""
    keep = field.stars.mags[:, 1] < 20.7
    x, y, g = field.stars.x[keep], field.stars.y[keep], field.stars.mags[keep, 1]
    if own_mags is not None and own_mags[1] < 20.6 and galaxies_seen.score[0] > 0.4:
        x, y, g = np.append(x, 0.0), np.append(y, 0.0), np.append(g, own_mags[1])
    return x, y, g


def reference(rng: np.random.Generator, truth: Entries, fid: int, noise_peaks: float = 2.2e4) -> Entries:
    """Return the survey's reference catalogue in one filter, with its false faint entries.

    ``noise_peaks`` is the number of false entries in a square degree; their score is NaN, which marks them.
    Sources fade out about magnitude 22.4.
    """
    mags = truth.mags[:, fid - 1]
    listed = mags + rng.normal(0.0, 0.3, mags.size) < 22.6
    false = int(rng.poisson(noise_peaks * (2.0 * NEAR / 3600.0) ** 2))
    faint = 23.35 - rng.exponential(0.5, false)
    error = rng.normal(0.0, 0.07, (2, int(listed.sum())))
    return Entries(
        np.concatenate([truth.x[listed] + error[0], rng.uniform(-NEAR, NEAR, false)]),
        np.concatenate([truth.y[listed] + error[1], rng.uniform(-NEAR, NEAR, false)]),
        np.concatenate([truth.mags[listed], np.repeat(faint[:, None], 4, axis=1)]),
        np.concatenate([truth.score[listed], np.full(false, np.nan)]),
    )
