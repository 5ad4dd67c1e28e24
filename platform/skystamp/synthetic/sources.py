"""Stars and galaxies of the sky around an object, and the catalogues made of them.

Makes two kinds of static sources, stars (arrays) and galaxies (Sersic profiles), out of a position and a
generator. Offsets are in arcsec east-west and north-south as they fall on the pixels (x, y) from the object.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic.sky import Position, extinction, galaxy_density, star_density, star_slope

SERSIC_INDICES = (0.7, 1.0, 1.5, 2.5, 4.0)
WIDE = 92.0  # arcsec: as far as the Gaia columns look
NEAR = 48.0  # arcsec: stamp corners and the PS1 columns
_FAINTEST = 23.4
_WIDE_LIMIT = 20.6


@dataclass(frozen=True)
class Stars:
    """Point sources: offsets [arcsec] and magnitudes in g, r, i, z."""

    x: Float64[np.ndarray, "star"]
    y: Float64[np.ndarray, "star"]
    mags: Float64[np.ndarray, "star 4"]


@dataclass(frozen=True)
class Galaxy:
    """A Sersic profile.

    Attributes
    ----------
    x, y : float
        Offset of the centre [arcsec].
    mags : float64 [4]
        Total g, r, i, z.
    radius : float
        Half-light radius along the major axis [arcsec].
    axis_ratio, angle : float
        Minor over major axis; angle of the major axis from x [rad].
    index : float
        Sersic index, one of SERSIC_INDICES.
    """

    x: float
    y: float
    mags: Float64[np.ndarray, "4"]
    radius: float
    axis_ratio: float
    angle: float
    index: float

    def psf_mags(self) -> Float64[np.ndarray, "4"]:
        """Return the magnitudes that a 1.2-arcsec point-spread fit gives: part of the light is missed."""
        return self.mags + 2.5 * np.log10(1.0 + (self.radius * np.sqrt(self.axis_ratio) / 0.75) ** 1.25)


@dataclass(frozen=True)
class Field:
    """Everything static around an object: field stars and galaxies, without the object's own sources."""

    stars: Stars
    galaxies: tuple[Galaxy, ...]


def star_colours(rng: np.random.Generator, r: Float64[np.ndarray, "star"]) -> Float64[np.ndarray, "star 4"]:
    """Return g, r, i, z of stars of given r: a bimodal stellar locus, redder when fainter."""
    faint = np.clip((r - 14.0) / 7.0, 0.0, 1.0)
    red = rng.random(r.size) < 0.15 + 0.45 * faint
    colour = np.where(red, rng.normal(1.3, 0.15, r.size), rng.normal(0.55, 0.22, r.size))
    colour = np.clip(colour, -0.35, 1.65)
    step = np.where(red, rng.uniform(0.5, 1.6, r.size), 0.38 * colour)
    return np.stack([r + colour, r, r - step, r - 1.55 * step], axis=1)


def galaxy_mags(rng: np.random.Generator, r: float, redshift: float, early: bool) -> Float64[np.ndarray, "4"]:
    """Return g, r, i, z of a galaxy: red and dimming blue-wards with redshift, or blue."""
    colour = (0.75 + 2.2 * min(redshift, 0.4) if early else 0.45 + 1.2 * min(redshift, 0.5)) + rng.normal(0.0, 0.1)
    return np.array([r + colour, r, r - 0.5 * colour, r - 0.75 * colour])


def _magnitudes(rng: np.random.Generator, n: int, slope: float, faintest: float) -> Float64[np.ndarray, "n"]:
    """Return n magnitudes of counts that rise as 10^(slope mag) up to ``faintest``."""
    return faintest + np.log10(rng.uniform(1e-9, 1.0, n)) / slope


def _scatter(rng: np.random.Generator, n: int, half: float) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(-half, half, n), rng.uniform(-half, half, n)


def _square_degrees(half_side: float) -> float:
    return (2.0 * half_side / 3600.0) ** 2


def field_stars(rng: np.random.Generator, here: Position) -> Stars:
    """Return the field stars: to r 20.6 within WIDE, to 23.4 within NEAR."""
    slope = star_slope(here)
    bright_n = rng.poisson(star_density(here, _WIDE_LIMIT) * _square_degrees(WIDE))
    faint_density = star_density(here, _FAINTEST) - star_density(here, _WIDE_LIMIT)
    faint_n = rng.poisson(faint_density * _square_degrees(NEAR))
    bright = np.maximum(_magnitudes(rng, bright_n, slope, _WIDE_LIMIT), 7.0)
    lowest = 10.0 ** (slope * (_WIDE_LIMIT - _FAINTEST))
    faint = _FAINTEST + np.log10(rng.uniform(lowest, 1.0, faint_n)) / slope
    wide, near = _scatter(rng, bright_n, WIDE), _scatter(rng, faint_n, NEAR)
    r = np.concatenate([bright, faint])
    x, y = (np.concatenate([wide[axis], near[axis]]) for axis in (0, 1))
    return Stars(x, y, star_colours(rng, r))


def draw_galaxy(
    rng: np.random.Generator, r: float, redshift: float, radius: float, x: float, y: float, early: bool
) -> Galaxy:
    """Return a galaxy of a given magnitude and size, early (round, concentrated) or late (flat, exponential)."""
    ratio = float(np.clip(rng.normal(0.75, 0.17) if early else rng.uniform(0.18, 1.0), 0.15, 1.0))
    index = float(rng.choice([2.5, 4.0]) if early else rng.choice([0.7, 1.0, 1.0, 1.5]))
    mags = galaxy_mags(rng, r, redshift, early)
    return Galaxy(x, y, mags, float(np.clip(radius, 0.2, 14.0)), ratio, float(rng.uniform(0.0, np.pi)), index)


def field_galaxies(rng: np.random.Generator, here: Position) -> tuple[Galaxy, ...]:
    """Return the field galaxies to r 23 within NEAR; sizes fall with magnitude (Shen et al. 2003, MNRAS 343)."""
    dust = extinction(here)
    n = int(rng.poisson(galaxy_density(here, 23.0) * _square_degrees(NEAR)))
    mags = _magnitudes(rng, n, 0.43, 23.0)
    x, y = _scatter(rng, n, NEAR)
    made = []
    for r, one_x, one_y in zip(mags, x, y, strict=True):
        radius = 10.0 ** (-0.12 * (r - dust - 17.5) + 0.35) * rng.lognormal(0.0, 0.35)
        redshift = float(np.clip(10.0 ** (0.16 * (r - 21.0) - 0.35), 0.01, 1.0))
        made.append(draw_galaxy(rng, float(r), redshift, radius, one_x, one_y, bool(rng.random() < 0.35)))
    return tuple(made)


def draw_field(rng: np.random.Generator, here: Position) -> Field:
    """Return the stars and galaxies about a position."""
    return Field(field_stars(rng, here), field_galaxies(rng, here))
