"""The galaxies that supernovae and active nuclei live in.

Makes a Galaxy with the offset of its centre from the object, out of a redshift and a generator. Distances use
a flat cosmology with H0 70 and matter 0.3, in a second-order expansion good to 4 per cent below redshift 0.4 and
to 11 below 0.8.
"""

import numpy as np

from skystamp.synthetic.sources import Galaxy, draw_galaxy

_HUBBLE_DISTANCE = 299792.458 / 70.0  # Mpc
_DECELERATION = -0.55


def luminosity_distance(redshift: float) -> float:
    """Return the luminosity distance [Mpc] of a redshift below 0.8."""
    return _HUBBLE_DISTANCE * redshift * (1.0 + 0.5 * (1.0 - _DECELERATION) * redshift)


def distance_modulus(redshift: float) -> float:
    """Return 5 log10(distance / 10 pc)."""
    return float(5.0 * np.log10(luminosity_distance(redshift)) + 25.0)


def redshift_of(modulus: float) -> float:
    """Return the redshift at a distance modulus, the inverse of distance_modulus."""
    reach = 10.0 ** ((modulus - 25.0) / 5.0) / _HUBBLE_DISTANCE
    curvature = 0.5 * (1.0 - _DECELERATION)
    return float((-1.0 + np.sqrt(1.0 + 4.0 * curvature * reach)) / (2.0 * curvature))


def kpc_per_arcsec(redshift: float) -> float:
    """Return the transverse size of an arcsec [kpc]."""
    return luminosity_distance(redshift) / (1.0 + redshift) ** 2 * 1000.0 / 206265.0


def _radius(rng: np.random.Generator, absolute: float, redshift: float, early: bool) -> float:
    """Return a half-light radius [arcsec]: 4.5 kpc at M* growing as L^0.3, 0.18 dex scatter (Shen et al. 2003)."""
    slope = -0.22 if early else -0.12
    kpc = (4.0 if early else 5.0) * 10.0 ** (slope * (absolute + 21.2)) * rng.lognormal(0.0, 0.4)
    return float(kpc / kpc_per_arcsec(redshift))


def _made(
    rng: np.random.Generator, absolute: float, redshift: float, early: bool, x: float, y: float, dust: float
) -> Galaxy:
    k_correction = (2.0 if early else 0.8) * redshift
    r = absolute + distance_modulus(redshift) + k_correction + dust
    return draw_galaxy(rng, r, redshift, _radius(rng, absolute, redshift, early), x, y, early)


def bright_host(rng: np.random.Generator, redshift: float, dust: float) -> Galaxy:
    """Return the massive galaxy of a nearby active nucleus, centred on it."""
    absolute = float(rng.normal(-21.6, 0.7))
    return _made(rng, absolute, redshift, bool(rng.random() < 0.45), 0.0, 0.0, dust)


def faint_host(rng: np.random.Generator, redshift: float, nucleus_r: float, dust: float) -> Galaxy | None:
    """Return the host of a quasar or blazar, None where the nucleus outshines it by far."""
    if redshift > 0.7:
        return None
    host = _made(rng, float(rng.normal(-22.3, 0.6)), redshift, bool(rng.random() < 0.7), 0.0, 0.0, dust)
    return None if host.mags[1] > nucleus_r + 3.0 else host


def _along_light(rng: np.random.Generator, host: Galaxy, reach: float) -> tuple[float, float]:
    """Return an offset [arcsec] drawn from an elliptical exponential disc of the host's size."""
    radius = reach * host.radius / 1.678 * rng.gamma(2.0, 1.0)
    turn = rng.uniform(0.0, 2.0 * np.pi)
    along, across = radius * np.cos(turn), radius * np.sin(turn) * host.axis_ratio
    cos, sin = np.cos(host.angle), np.sin(host.angle)
    return float(along * cos - across * sin), float(along * sin + across * cos)


def supernova_host(rng: np.random.Generator, redshift: float, kind: str, dust: float) -> Galaxy:
    """Return the host of a supernova, offset from it as its light is spread.

    Type Ia follow mass (any galaxy, a quarter early); the others follow star formation, and superluminous
    ones live in dwarfs. Faint hosts fall below the reference image: those supernovae look hostless.
    """
    centre = {"Ia": -20.4, "SLSN": -18.2}.get(kind, -19.6)
    absolute = float(np.clip(rng.normal(centre, 1.4), -23.2, -13.5))
    early = kind == "Ia" and bool(rng.random() < 0.28)
    host = _made(rng, absolute, redshift, early, 0.0, 0.0, dust)
    x, y = _along_light(rng, host, 1.15 if kind == "Ia" else 1.35)
    return Galaxy(-x, -y, host.mags, host.radius, host.axis_ratio, host.angle, host.index)
