"""Alerts -> the named numbers that stand beside their stamps, as one float64 table with NaN for what is missing.

The order is that of the published training code (Carrasco-Davis et al. 2021, Table 1): `FEATURES_23` is what was
deployed, `FEATURES_26` what the paper lists, with rb, distnr and magnr after diffmaglim. `FEATURES` are all that an
alert can give; a spec picks its own by name.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from astropy import units
from astropy.coordinates import BarycentricMeanEcliptic, CartesianRepresentation, Galactic, SkyCoord
from jaxtyping import Float64

from skystamp import polarity
from skystamp.alert import Alert

FEATURES_26 = (
    *(
        "sgscore1",
        "distpsnr1",
        "sgscore2",
        "distpsnr2",
        "sgscore3",
        "distpsnr3",
        "isdiffpos",
        "fwhm",
        "magpsf",
        "sigmapsf",
    ),
    *("ra", "dec", "diffmaglim", "rb", "distnr", "magnr", "classtar", "ndethist", "ncovhist"),
    *("ecl_lat", "ecl_long", "gal_lat", "gal_long", "non_detections", "chinr", "sharpnr"),
)
FEATURES_23 = tuple(name for name in FEATURES_26 if name not in ("rb", "distnr", "magnr"))
FEATURES = FEATURES_26

_DERIVED = ("isdiffpos", "ecl_lat", "ecl_long", "gal_lat", "gal_long", "non_detections")


def table(alerts: Sequence[Alert]) -> Float64[np.ndarray, "alert feature"]:
    """Return `FEATURES` of each alert: float64, axes (alert, feature); NaN where the packet has no value.

    Units are the survey's: distances to Pan-STARRS sources in arcsec, fwhm and distnr in pixels, magnitudes in mag,
    angles in deg (ecliptic: mean ecliptic and equinox of J2000; longitudes from 0 to 360), isdiffpos 1.0 for a
    positive and 0.0 for a negative difference, non_detections = ncovhist - ndethist.
    """
    out = np.full((len(alerts), len(FEATURES)), np.nan)
    column = {name: i for i, name in enumerate(FEATURES)}
    for name in FEATURES:
        if name not in _DERIVED:
            out[:, column[name]] = [alert.metadata.get(name, np.nan) for alert in alerts]
    out[:, column["isdiffpos"]] = [polarity.feature(alert.is_negative) for alert in alerts]
    out[:, column["non_detections"]] = out[:, column["ncovhist"]] - out[:, column["ndethist"]]
    ra, dec = out[:, column["ra"]], out[:, column["dec"]]
    out[:, column["ecl_long"]], out[:, column["ecl_lat"]] = ecliptic(ra, dec)
    out[:, column["gal_long"]], out[:, column["gal_lat"]] = galactic(ra, dec)
    return out


def ecliptic(
    ra: Float64[np.ndarray, " alert"], dec: Float64[np.ndarray, " alert"]
) -> tuple[Float64[np.ndarray, " alert"], Float64[np.ndarray, " alert"]]:
    """Return mean ecliptic longitude and latitude of J2000 (deg) of ICRS positions (deg)."""
    return _rotated(_matrix("ecliptic"), ra, dec)


def galactic(
    ra: Float64[np.ndarray, " alert"], dec: Float64[np.ndarray, " alert"]
) -> tuple[Float64[np.ndarray, " alert"], Float64[np.ndarray, " alert"]]:
    """Return galactic longitude and latitude (deg) of ICRS positions (deg)."""
    return _rotated(_matrix("galactic"), ra, dec)


def galactic_plane(points: int = 361) -> tuple[Float64[np.ndarray, " point"], Float64[np.ndarray, " point"]]:
    """Return ICRS ra and dec (deg) of points along galactic latitude 0."""
    return _circle("galactic", points)


def ecliptic_circle(points: int = 361) -> tuple[Float64[np.ndarray, " point"], Float64[np.ndarray, " point"]]:
    """Return ICRS ra and dec (deg) of points along ecliptic latitude 0."""
    return _circle("ecliptic", points)


def _circle(frame: str, points: int) -> tuple[Float64[np.ndarray, " point"], Float64[np.ndarray, " point"]]:
    return _rotated(_matrix(frame).T, np.linspace(0, 360, points), np.zeros(points))


@cache
def _matrix(frame: str) -> Float64[np.ndarray, "axis axis"]:
    """Return the rotation from ICRS, as astropy has it: its images of the three axes.

    Both are fixed rotations of directions, so one product of matrices replaces a transformation graph a packet.
    """
    target = {"ecliptic": BarycentricMeanEcliptic(equinox="J2000"), "galactic": Galactic()}[frame]
    axes = SkyCoord(CartesianRepresentation(np.eye(3) * units.one), frame="icrs")
    turned = axes.transform_to(target).represent_as("unitspherical").to_cartesian()
    return np.asarray(turned.xyz.value, np.float64)


def _rotated(
    matrix: Float64[np.ndarray, "axis axis"], ra: Float64[np.ndarray, " alert"], dec: Float64[np.ndarray, " alert"]
) -> tuple[Float64[np.ndarray, " alert"], Float64[np.ndarray, " alert"]]:
    lon, lat = np.radians(ra), np.radians(dec)
    x, y, z = matrix @ np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
