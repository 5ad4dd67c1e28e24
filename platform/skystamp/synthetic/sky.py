"""Where objects of each class lie on the sky, and how crowded it is there.

Makes positions (deg, ICRS) out of a generator; promises declinations above -30, the reach of the survey,
and densities of stars and galaxies that follow star counts to about a factor of two.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

SOUTHERN_LIMIT = -29.5
OBLIQUITY = np.deg2rad(23.43928)

# J2000 equatorial to galactic: Hipparcos catalogue (ESA SP-1200), volume 1, eq. 1.5.11.
_TO_GALACTIC = np.array(
    [
        [-0.0548755604, -0.8734370902, -0.4838350155],
        [+0.4941094279, -0.4448296300, +0.7469822445],
        [-0.8676661490, -0.1980763734, +0.4559837762],
    ]
)
_TO_ECLIPTIC = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, np.cos(OBLIQUITY), np.sin(OBLIQUITY)],
        [0.0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)],
    ]
)


@dataclass(frozen=True)
class Position:
    """A direction: ra, dec, galactic longitude and latitude, ecliptic longitude and latitude, all in deg."""

    ra: float
    dec: float
    gal_l: float
    gal_b: float
    ecl_l: float
    ecl_b: float


def _vector(longitude: float, latitude: float) -> Float64[np.ndarray, "3"]:
    lon, lat = np.deg2rad(longitude), np.deg2rad(latitude)
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _angles(vector: Float64[np.ndarray, "3"]) -> tuple[float, float]:
    longitude = float(np.rad2deg(np.arctan2(vector[1], vector[0])) % 360.0)
    return longitude, float(np.rad2deg(np.arcsin(np.clip(vector[2], -1.0, 1.0))))


def position(ra: float, dec: float) -> Position:
    """Return the position of (ra, dec) in deg with its galactic and ecliptic coordinates."""
    vector = _vector(ra, dec)
    gal_l, gal_b = _angles(_TO_GALACTIC @ vector)
    ecl_l, ecl_b = _angles(_TO_ECLIPTIC @ vector)
    return Position(ra, dec, gal_l, gal_b, ecl_l, ecl_b)


def from_galactic(gal_l: float, gal_b: float) -> Position:
    """Return the position of galactic (l, b) in deg."""
    return position(*_angles(_TO_GALACTIC.T @ _vector(gal_l, gal_b)))


def from_ecliptic(ecl_l: float, ecl_b: float) -> Position:
    """Return the position of ecliptic (longitude, latitude) in deg."""
    return position(*_angles(_TO_ECLIPTIC.T @ _vector(ecl_l, ecl_b)))


def isotropic(rng: np.random.Generator, min_gal_b: float = 0.0) -> Position:
    """Return a position anywhere in the survey's reach with ``|b| > min_gal_b`` (deg).

    The acceptance thins the zone of avoidance smoothly, as extinction does, not at a sharp edge.
    """
    while True:
        dec = float(np.rad2deg(np.arcsin(rng.uniform(np.sin(np.deg2rad(SOUTHERN_LIMIT)), 1.0))))
        here = position(float(rng.uniform(0.0, 360.0)), dec)
        if rng.random() < 1.0 / (1.0 + np.exp(-(abs(here.gal_b) - min_gal_b) / 2.0)):
            return here


def near_plane(rng: np.random.Generator, scale_b: float) -> Position:
    """Return a position whose galactic latitude is exponential with the scale ``scale_b`` (deg)."""
    while True:
        gal_b = float(rng.exponential(scale_b)) * (1.0 if rng.random() < 0.5 else -1.0)
        if abs(gal_b) < 88.0:
            here = from_galactic(float(rng.uniform(0.0, 360.0)), gal_b)
            if here.dec > SOUTHERN_LIMIT:
                return here


def near_ecliptic(rng: np.random.Generator) -> Position:
    """Return a position of the main belt and the scattered bodies around it.

    Latitudes are a mixture of a thin (5 deg) and a thick (14 deg) belt; the crowded galactic plane is thinned.
    """
    while True:
        scale = 5.0 if rng.random() < 0.6 else 14.0
        here = from_ecliptic(float(rng.uniform(0.0, 360.0)), float(rng.normal(0.0, scale)))
        visible = here.dec > SOUTHERN_LIMIT
        if visible and rng.random() < 1.0 / (1.0 + np.exp(-(abs(here.gal_b) - 10.0) / 3.0)):
            return here


def star_density(here: Position, magnitude: float) -> float:
    """Return the number of stars brighter than ``magnitude`` (r) in a square degree at a position.

    An exponential in ``|b|`` and a cosine in longitude through counts of the Besancon kind: 1,700 stars
    brighter than 20 at the pole, 60,000 at low latitude; the slope steepens towards the plane.
    """
    thick = np.exp(-abs(here.gal_b) / 14.0)
    at_20 = 3.33 + 1.45 * thick + 0.25 * np.cos(np.deg2rad(here.gal_l)) * np.exp(-abs(here.gal_b) / 30.0)
    slope = 0.185 + 0.085 * thick
    return float(10.0 ** (at_20 + slope * (magnitude - 20.0)))


def star_slope(here: Position) -> float:
    """Return d log10(N) / d mag of the star counts at a position."""
    return float(0.185 + 0.085 * np.exp(-abs(here.gal_b) / 14.0))


def galaxy_density(here: Position, magnitude: float) -> float:
    """Return the number of galaxies brighter than ``magnitude`` (r) in a square degree, dimmed by dust."""
    return float(10.0 ** (4.02 + 0.43 * (magnitude - extinction(here) - 22.0)))


def extinction(here: Position) -> float:
    """Return the r-band extinction of a slab of dust [mag], 0.05 at the poles and at most 2.5."""
    return float(min(2.5, 0.06 / max(np.sin(np.deg2rad(abs(here.gal_b))), 0.02)))
