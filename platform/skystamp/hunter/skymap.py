"""Positions -> places on an Aitoff map, east to the left, 12 h in the middle; the Milky Way and the ecliptic.

    x from -180 to 180, y from -90 (north) to 90: the units of the SVG's view box, degrees where nothing is bent

The band of the Milky Way is drawn from galactic latitude -10 to 10, as quadrangles that may reach over the map's edge,
where the SVG clips them: so nothing has to be cut at 0 h.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64

from skystamp import metadata

MIDDLE = 180.0  # right ascension, deg
Angles = Float64[np.ndarray, " point"]
Frame = Callable[[Angles, Angles], tuple[Angles, Angles]]

LATITUDES = (4.0, 10.0)  # of the two bands, deg

_STEP = 3.0  # deg


@dataclass(frozen=True, slots=True)
class Circle:
    """Where an object stands on the map, and how large it is drawn."""

    x: float
    y: float
    radius: float


def circles(ra: Sequence[float], dec: Sequence[float], scores: Sequence[float]) -> list[Circle]:
    """Return the circles of objects, ra and dec in deg (ICRS), the area growing with the score (0 to 1)."""
    x, y = project(np.asarray(ra, np.float64), np.asarray(dec, np.float64))
    radii = 0.8 + 3.2 * np.clip(np.asarray(scores, np.float64), 0.0, 1.0) ** 1.5
    return [
        Circle(*each) for each in zip(x.round(2).tolist(), y.round(2).tolist(), radii.round(2).tolist(), strict=True)
    ]


def project(
    ra: Float64[np.ndarray, " position"], dec: Float64[np.ndarray, " position"]
) -> tuple[Float64[np.ndarray, " position"], Float64[np.ndarray, " position"]]:
    """Return the place of each position by Aitoff's projection; an ra beyond 0..360 lies beyond the map's edge.

    Source: Calabretta and Greisen 2002 (A&A 395, 1077), Section 5.4 without Hammer's change.
    """
    half, latitude = np.radians(MIDDLE - ra) / 2, np.radians(dec)
    angle = np.arccos(np.clip(np.cos(latitude) * np.cos(half), -1.0, 1.0))
    stretch = 1.0 / np.maximum(np.sinc(angle / np.pi), 1e-9)
    return (
        np.degrees(2 * np.cos(latitude) * np.sin(half) * stretch),
        -np.degrees(np.sin(latitude) * stretch),
    )


@cache
def milky_way() -> tuple[str, ...]:
    """Return the SVG paths of the two bands about the galactic equator, the wider one first."""
    return tuple(_band(latitude) for latitude in sorted(LATITUDES, reverse=True))


@cache
def ecliptic() -> str:
    """Return the SVG path of the ecliptic."""
    longitude = np.arange(0.0, 360.0 + _STEP, _STEP)
    ra, dec = _inverse(metadata.ecliptic, longitude, np.zeros_like(longitude))
    return _line(ra, dec)


@cache
def graticule() -> tuple[str, ...]:
    """Return the SVG paths of meridians every 3 h (the map's edge among them) and parallels every 30 deg."""
    up, across = np.arange(-90.0, 90.0 + _STEP, _STEP), np.arange(0.0, 360.0 + _STEP, _STEP)
    meridians = [_path(np.full_like(up, ra), up) for ra in np.arange(0.0, 361.0, 45.0)]
    return (*meridians, *(_path(across, np.full_like(across, dec)) for dec in (-60.0, -30.0, 0.0, 30.0, 60.0)))


@cache
def outline() -> str:
    """Return the SVG path of the map's edge."""
    up = np.arange(-90.0, 90.0 + _STEP, _STEP)
    return _path(np.concatenate([np.full_like(up, 360.0), np.zeros_like(up)]), np.concatenate([up, up[::-1]])) + "Z"


def _band(latitude: float) -> str:
    longitude = np.arange(0.0, 360.0 + _STEP, _STEP)
    low = _inverse(metadata.galactic, longitude, np.full_like(longitude, -latitude))
    high = _inverse(metadata.galactic, longitude, np.full_like(longitude, latitude))
    parts = []
    for i in range(len(longitude) - 1):
        ra = np.array([low[0][i], low[0][i + 1], high[0][i + 1], high[0][i]])
        dec = np.array([low[1][i], low[1][i + 1], high[1][i + 1], high[1][i]])
        near = (ra - ra[0] + 180.0) % 360.0 - 180.0 + ra[0]  # all on the first one's side
        shifts = (0.0, -360.0) if near.max() > 360.0 else (0.0, 360.0) if near.min() < 0.0 else (0.0,)
        parts += [_path(near + shift, dec) + "Z" for shift in shifts]
    return "".join(parts)


def _line(ra: Angles, dec: Angles) -> str:
    """Return the path of a line, lifted where it leaves the map on one side and enters on the other."""
    cuts = np.flatnonzero(np.abs(np.diff(ra)) > 180.0) + 1
    pieces = zip(np.split(ra, cuts), np.split(dec, cuts), strict=True)
    return "".join(_path(one, other) for one, other in pieces)


def _path(ra: Angles, dec: Angles) -> str:
    x, y = project(ra, dec)
    return "M" + "L".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _inverse(forward: Frame, longitude: Angles, latitude: Angles) -> tuple[Angles, Angles]:
    """Return the ICRS positions of longitudes and latitudes of the frame that `forward` goes to.

    A frame is a rotation: its columns are the images of the three axes, and its inverse is its transpose.
    """
    images = forward(np.array([0.0, 90.0, 0.0]), np.array([0.0, 0.0, 90.0]))
    x, y, z = _vectors(*images).T @ _vectors(longitude, latitude)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))


def _vectors(longitude: Angles, latitude: Angles) -> Float64[np.ndarray, "axis point"]:
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
