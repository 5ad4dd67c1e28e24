"""Infrared magnitudes of the kinds of objects: W1, W2, W3, W4 (Vega) of stars, galaxies and active nuclei.

Makes true magnitudes out of an optical magnitude (r, AB, free of dust), a colour or a redshift, and a generator. Mean
relations of the literature with their scatter: the classes separate as they do in the real AllWISE catalogue, and no
better. Wavelengths 3.35, 4.60, 11.56 and 22.09 micron; Vega's zero points follow Jarrett et al. (2011, ApJ 735, 112).
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic import hosts

Bands = Float64[np.ndarray, "4"]

_WAVELENGTHS = np.array([3.3526, 4.6028, 11.5608, 22.0883])  # micron
_R_WAVELENGTH = 0.62
_VEGA_TO_AB = np.array([2.699, 3.339, 5.174, 6.620])

# g - r: r - W1 and W1 - W2 of photospheres (Davenport et al. 2014, MNRAS 440, 3430; the Sun: Willmer 2018, ApJS 236,
# 47). Reddening moves a star along the first relation, by 2.1 for each magnitude of g - r.
_STAR_COLOUR = [-0.4, -0.25, 0.15, 0.44, 0.75, 1.2, 1.45, 2.2, 3.0]
_STAR_TO_W1 = [0.0, 0.15, 0.8, 1.39, 2.05, 2.95, 3.8, 5.3, 7.0]
_STAR_W1_W2 = [-0.02, -0.02, -0.02, -0.04, -0.05, -0.02, 0.12, 0.10, 0.10]

# redshift: r - W1 and W1 - W2 of an old and of a star-forming galaxy (tracks of Assef et al. 2010, ApJ 713, 970)
_GALAXY_REDSHIFT = [0.0, 0.1, 0.2, 0.35, 0.7, 1.0]
_EARLY_TO_W1 = [2.75, 3.1, 3.5, 4.0, 4.9, 5.4]
_LATE_TO_W1 = [2.2, 2.4, 2.65, 3.0, 3.7, 4.1]
_EARLY_W1_W2 = [-0.02, 0.08, 0.17, 0.24, 0.10, 0.15]
_LATE_W1_W2 = [0.12, 0.20, 0.27, 0.30, 0.20, 0.25]

# redshift: W1 - W2 of a bare quasar (Assef et al. 2013, ApJ 772, 26; Stern et al. 2012, ApJ 753, 30)
_QUASAR_REDSHIFT = [0.0, 0.3, 0.7, 1.2, 1.8, 2.5, 3.2, 4.0]
_QUASAR_W1_W2 = [0.95, 1.0, 1.08, 1.20, 1.18, 1.00, 0.75, 0.55]


def bands(w1: float, w1_w2: float, w2_w3: float, w3_w4: float) -> Bands:
    """Return W1 to W4 [mag] out of W1 and the three colours."""
    return w1 - np.cumsum(np.array([0.0, w1_w2, w2_w3, w3_w4], dtype=np.float64))


def together(one: Bands, other: Bands) -> Bands:
    """Return the magnitudes of two sources seen as one."""
    return -2.5 * np.log10(10.0 ** (-0.4 * one) + 10.0 ** (-0.4 * other))


def photosphere(rng: np.random.Generator, r: float, colour: float) -> Bands:
    """Return the magnitudes of a star of ``colour`` g - r: no infrared excess, W1-W2 about 0."""
    w1 = r - float(np.interp(colour, _STAR_COLOUR, _STAR_TO_W1)) + float(rng.normal(0.0, 0.18))
    w1_w2 = float(np.interp(colour, _STAR_COLOUR, _STAR_W1_W2)) + float(rng.normal(0.0, 0.03))
    return bands(w1, w1_w2, float(rng.normal(0.06, 0.06)), float(rng.normal(0.05, 0.06)))


def red_giant(rng: np.random.Generator, r: float, colour: float) -> Bands:
    """Return the magnitudes of a long-period variable: cool, molecules dim its r, dust adds as it loses mass.

    Oxygen-rich ones spread from the giants' W1-W2 of -0.1 to about 1 with W2-W3 up to 2 (Lian et al. 2014, A&A 564,
    A84).
    """
    dust = float(rng.exponential(0.17))
    w1 = photosphere(rng, r, colour)[0] - float(rng.normal(1.3, 0.6)) - 1.5 * dust
    w2_w3 = 0.25 + 1.6 * min(dust, 0.9) + float(rng.normal(0.0, 0.15))
    return bands(w1, float(rng.normal(-0.08, 0.07)) + dust, w2_w3, 0.25 + 0.9 * min(dust, 0.9))


def young_star(rng: np.random.Generator, r: float, colour: float) -> Bands:
    """Return the magnitudes of a star with a disc (class II of Koenig & Leisawitz 2014, ApJ 791, 131)."""
    w1 = photosphere(rng, r, colour)[0] - float(rng.gamma(4.0, 0.22))
    w1_w2 = float(np.clip(rng.normal(0.58, 0.2), 0.2, 1.4))
    return bands(w1, w1_w2, float(np.clip(rng.normal(2.0, 0.5), 0.9, 3.6)), float(rng.normal(2.1, 0.35)))


def cataclysmic(rng: np.random.Generator, r: float, colour: float) -> Bands:
    """Return the magnitudes of a cataclysmic variable: a blue disc that a red dwarf outshines in the infrared."""
    w1 = photosphere(rng, r, colour)[0] - float(np.clip(rng.normal(0.9, 0.5), -0.2, 2.5))
    return bands(w1, float(rng.normal(0.12, 0.1)), float(rng.normal(0.35, 0.3)), float(rng.normal(0.4, 0.3)))


def power_law(r: float, slope: float) -> Bands:
    """Return the magnitudes of a source whose flux density falls as frequency to the power ``-slope``."""
    ab = r - 2.5 * slope * np.log10(_WAVELENGTHS / _R_WAVELENGTH)
    return np.asarray(ab - _VEGA_TO_AB, dtype=np.float64)


def quasar(rng: np.random.Generator, r: float, redshift: float) -> Bands:
    """Return the magnitudes of a quasar: W1-W2 0.8 to 1.2 to redshift 2.5, bluer beyond (Stern et al. 2012)."""
    w1_w2 = float(np.interp(redshift, _QUASAR_REDSHIFT, _QUASAR_W1_W2)) + float(rng.normal(0.0, 0.14))
    return bands(r - float(rng.normal(3.35, 0.4)), w1_w2, float(rng.normal(2.95, 0.33)), float(rng.normal(2.45, 0.28)))


def blazar(rng: np.random.Generator, r: float, redshift: float) -> Bands:
    """Return the magnitudes of a blazar: a power law on the strip of Massaro et al. (2011, ApJ 740, L48).

    Flat-spectrum radio quasars, more of them when farther, lie at its red end, BL Lac objects along the rest.
    """
    flat = rng.random() < np.clip(redshift - 0.1, 0.05, 0.95)
    slope = float(rng.normal(1.1, 0.2) if flat else rng.normal(0.4, 0.35))
    optical = float(rng.normal(0.75, 0.25)) if flat else slope + float(rng.normal(0.1, 0.12))
    strip = power_law(0.0, slope) - power_law(0.0, slope)[0] + power_law(r, optical)[0]
    return np.asarray(strip + rng.normal(0.0, 0.05, 4), dtype=np.float64)


def seyfert_nucleus(rng: np.random.Generator, r: float) -> Bands:
    """Return the magnitudes of a nearby active nucleus with its dusty torus; its galaxy comes on top (Assef et al.)."""
    w1 = r - float(rng.normal(4.0, 0.6))
    return bands(w1, float(rng.normal(0.98, 0.13)), float(rng.normal(3.0, 0.3)), float(rng.normal(2.45, 0.3)))


def galaxy(rng: np.random.Generator, r: float, redshift: float, *, early: bool) -> Bands:
    """Return the magnitudes of a galaxy: old ones W2-W3 0.5 to 1, star-forming 2.5 to 4.5 (Jarrett et al. 2011).

    Dwarfs are bluer in r - W1: fewer old stars, fewer metals.
    """
    absolute = r - hosts.distance_modulus(redshift)
    faint = float(np.clip(0.14 * (absolute + 20.5), 0.0, 0.8))
    to_w1, w1_w2 = (_EARLY_TO_W1, _EARLY_W1_W2) if early else (_LATE_TO_W1, _LATE_W1_W2)
    w1 = r - float(np.interp(redshift, _GALAXY_REDSHIFT, to_w1)) + faint + float(rng.normal(0.0, 0.25))
    colour = float(np.interp(redshift, _GALAXY_REDSHIFT, w1_w2)) + float(rng.normal(0.0, 0.04 if early else 0.08))
    if early:
        return bands(w1, colour, float(rng.normal(0.8, 0.3)), float(rng.normal(1.6, 0.4)))
    return bands(w1, colour, float(np.clip(rng.normal(3.5, 0.5), 2.0, 5.0)), float(rng.normal(2.1, 0.3)))


STARS: dict[str, Callable[[np.random.Generator, float, float], Bands]] = {
    "LPV": red_giant,
    "YSO": young_star,
    "CV": cataclysmic,
}
"""Kinds of variable stars that are no bare photosphere."""
