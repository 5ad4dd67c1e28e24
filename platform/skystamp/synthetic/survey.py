"""The survey's exposures of one position: when, in which filter, through what sky.

Makes the table of all exposures out of a position and a generator. Cadence, seeing, background and zero point
follow the public ZTF survey (Bellm et al. 2019, PASP 131, 018002): about eleven visited nights a month while
the position is up, two thirds of them with a g and an r exposure, the rest with one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from skystamp.synthetic.sky import Position

SURVEY_START = 2458194.5  # 2018-03-17
SURVEY_END = 2461193.5  # 2026-06-01
NIGHT_ZERO = 2457754.5  # night number 1 is 2017-01-01
PIXEL = 1.01  # arcsec
GAIN = 6.2  # electrons a DN
_LONGITUDE = -116.8633  # Palomar, deg


@dataclass(frozen=True)
class Exposures:
    """All exposures of one position, in time order.

    Attributes
    ----------
    jd : float64 ["exposure"], day
    fid : int64 ["exposure"], 1 g, 2 r
    fwhm : float64 ["exposure"], width of the point-spread function, pixel
    background : float64 ["exposure"], DN a pixel
    noise : float64 ["exposure"], DN a pixel, of the empty sky
    zero_point : float64 ["exposure"], mag
    limit : float64 ["exposure"], 5-sigma limit of the difference image, mag
    """

    jd: Float64[np.ndarray, "exposure"]
    fid: Int64[np.ndarray, "exposure"]
    fwhm: Float64[np.ndarray, "exposure"]
    background: Float64[np.ndarray, "exposure"]
    noise: Float64[np.ndarray, "exposure"]
    zero_point: Float64[np.ndarray, "exposure"]
    limit: Float64[np.ndarray, "exposure"]

    def flux_dn(self, flux: Float64[np.ndarray, "exposure"]) -> Float64[np.ndarray, "exposure"]:
        """Return AB-like fluxes (10^(-0.4 mag)) in DN of each exposure."""
        return flux * 10.0 ** (0.4 * self.zero_point)


def _up_at(nights: Float64[np.ndarray, "night"], here: Position) -> tuple[np.ndarray, np.ndarray]:
    """Return the nights on which the position rises well, and the UT hour of its transit then."""
    sidereal = (280.4606 + 360.9856473 * (nights - 2451545.0) + _LONGITUDE) % 360.0
    transit = ((here.ra - sidereal) % 360.0) / 15.0411
    transit = np.where(transit > 20.0, transit - 23.934, transit)
    reach = 4.6 if here.dec > -10.0 else 3.2
    return (transit + reach > 3.5) & (transit - reach < 12.0), transit


def _visits(rng: np.random.Generator, here: Position, end: float) -> tuple[np.ndarray, np.ndarray]:
    nights = np.arange(np.floor(SURVEY_START) + 0.5, end)
    up, transit = _up_at(nights, here)
    share = np.clip(0.45 * rng.lognormal(0.0, 0.4), 0.1, 0.95)
    weather = np.repeat(rng.random(nights.size // 5 + 1) > 0.16, 5)[: nights.size]
    visited = up & weather & (rng.random(nights.size) < share * 1.2)
    night, middle = nights[visited], transit[visited]
    hour = np.clip(middle + rng.normal(0.0, 2.0, night.size), 2.8, 12.6)
    repeats = 1 + rng.poisson(max(0.0, rng.lognormal(-1.0, 0.8)), night.size)
    index = np.repeat(np.arange(night.size), repeats)
    copy = np.concatenate([np.arange(n) for n in repeats]) if night.size else np.zeros(0)
    start = night[index] + hour[index] / 24.0 + copy * rng.uniform(0.012, 0.05, index.size)
    pair = rng.random(index.size) < 0.63
    gap = rng.uniform(0.02, 0.10, index.size)
    first = np.where(rng.random(index.size) < 0.5, 1, 2)
    jd = np.concatenate([start, (start + gap)[pair]])
    fid = np.concatenate([first, (3 - first)[pair]])
    order = np.argsort(jd, kind="stable")
    return np.round(jd[order], 7), fid[order].astype(np.int64)


def moonlight(jd: Float64[np.ndarray, "exposure"]) -> Float64[np.ndarray, "exposure"]:
    """Return the brightness of the Moon by its phase, 0 (new) to 1 (full)."""
    phase = ((jd - 2451550.1) / 29.530589) % 1.0
    return ((1.0 - np.cos(2.0 * np.pi * phase)) / 2.0) ** 3


def exposures(rng: np.random.Generator, here: Position, end: float = SURVEY_END) -> Exposures:
    """Return every exposure of a position from the first night of the survey to ``end`` (Julian date)."""
    jd, fid = _visits(rng, here, end)
    n, green = jd.size, fid == 1
    air = 1.0 + 0.2 * (1.0 - np.cos(np.deg2rad(np.clip(here.dec - 33.0, -70.0, 60.0))))
    fwhm = np.where(green, 2.30, 2.08) * air**0.6 * np.exp(rng.normal(0.0, 0.19, n) + 0.06 * rng.exponential(1.0, n))
    moon = moonlight(jd) * rng.uniform(0.4, 1.2, n)
    background = np.where(green, 100.0, 190.0) * air * np.exp(rng.normal(0.0, 0.15, n)) * (1.0 + 1.4 * moon)
    clouds = np.where(rng.random(n) < 0.12, rng.exponential(0.35, n), rng.exponential(0.03, n))
    zero_point = np.where(green, 26.31, 26.29) + rng.normal(0.0, 0.05, n) - clouds
    worse = np.where(rng.random(n) < 0.38, 1.0 + rng.exponential(0.7, n), 1.0)  # twilight, haze, crowding
    noise = np.sqrt(background / 7.0 + 11.0) * np.minimum(worse, 4.0)
    limit = zero_point - 2.5 * np.log10(5.0 * noise * 7.3 * (fwhm / 2.3) ** 0.8)
    return Exposures(jd, fid, np.clip(fwhm, 1.45, 5.5), background, noise, zero_point, limit)


def photometric_noise(
    table: Exposures, flux: Float64[np.ndarray, "exposure"], static: Float64[np.ndarray, "exposure"]
) -> Float64[np.ndarray, "exposure"]:
    """Return the noise of a difference flux in each exposure [DN].

    Parameters
    ----------
    flux : float64 ["exposure"]
        Difference flux of the source [DN].
    static : float64 ["exposure"]
        Flux of what lies under it in the reference [DN], which adds photon noise and imperfect subtraction.
    """
    sky = table.noise * 7.3 * (table.fwhm / 2.3) ** 0.8
    photons = (np.abs(flux) + np.abs(static)) / GAIN
    return np.sqrt(sky**2 + photons + (0.02 * flux) ** 2 + (0.006 * static) ** 2)


def in_range(table: Exposures, jd_range: tuple[float, float]) -> Bool[np.ndarray, "exposure"]:
    """Return which exposures start within ``jd_range``."""
    return (table.jd >= jd_range[0]) & (table.jd < jd_range[1])
