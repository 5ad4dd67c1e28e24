"""Science, template and difference images of one exposure.

Makes three GRID x GRID images out of a scene and an exposure: the science image is the scene through tonight's
seeing with the object as bright as it is now, the template a deep coadd of earlier frames with its own seeing,
and the difference is taken as the survey does it (Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27, "ZOGY") with
point-spread functions, registration and flux scale known only nearly, so that bright stars leave residuals.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Complex128, Float64

from skystamp.synthetic import optics
from skystamp.synthetic.optics import CENTRE, GRID, Psf
from skystamp.synthetic.photometry import Searched
from skystamp.synthetic.sources import Field, Galaxy
from skystamp.synthetic.survey import GAIN, PIXEL

Pixels = Float64[np.ndarray, "y x"]
SATURATION = 48000.0  # DN above the background in one pixel
_REACH = (GRID / 2 - 0.6) * PIXEL


@dataclass(frozen=True)
class Conditions:
    """What one exposure is taken through: see survey.Exposures for the units."""

    fwhm: float
    background: float
    noise: float
    zero_point: float
    fid: int


@dataclass(frozen=True)
class Scene:
    """What lies on the grid: the object's place on it and all static sources near it.

    ``x, y`` is the object's pixel; shapes are transforms of unit flux, so that exposures share them.
    """

    x: float
    y: float
    stars: np.ndarray
    star_mags: np.ndarray
    galaxies: tuple[Galaxy, ...]
    shapes: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Grain:
    """The noise of one template, as flux (10^(-0.4 mag)): its level and its pixels, in every exposure the same."""

    level: float
    pixels: Pixels


@dataclass(frozen=True)
class Triplet:
    """The three images [DN], the point-spread function of the difference, its noise, and what is masked."""

    science: Pixels
    template: Pixels
    difference: Pixels
    psf: Pixels
    template_psf: Pixels
    noise: float
    template_noise: float
    background: float
    fwhm: float
    masked: Bool[np.ndarray, "y x"]
    grain: Grain


def _is_point(galaxy: Galaxy) -> bool:
    return bool(galaxy.mags[1] > 21.8) or galaxy.radius < 0.3


def scene(rng: np.random.Generator, field: Field, host: Galaxy | None) -> Scene:
    """Return the scene about an object at a random fraction of the central pixel."""
    x, y = CENTRE + rng.uniform(-0.5, 0.5), CENTRE + rng.uniform(-0.5, 0.5)
    near = [g for g in field.galaxies if max(abs(g.x), abs(g.y)) < _REACH]
    if host is not None and max(abs(host.x), abs(host.y)) < _REACH:
        near.append(host)
    round_ones = [g for g in near if not _is_point(g)]
    dots = [g for g in near if _is_point(g)]
    close = np.maximum(np.abs(field.stars.x), np.abs(field.stars.y)) < _REACH
    where = np.stack([field.stars.x[close], field.stars.y[close]], axis=1)
    mags = field.stars.mags[close]
    if dots:
        where = np.concatenate([where, [[g.x, g.y] for g in dots]])
        mags = np.concatenate([mags, [g.mags for g in dots]])
    return Scene(x, y, where, mags, tuple(round_ones), tuple(optics.profile(g) for g in round_ones))


def static_light(here: Scene, conditions: Conditions) -> Complex128[np.ndarray, "ky kx"]:
    """Return the transform of all static sources of a scene in one filter [DN]."""
    band = conditions.fid - 1
    scale = 10.0 ** (0.4 * conditions.zero_point)
    flux = np.power(10.0, -0.4 * here.star_mags[:, band]) * scale
    flux = np.minimum(flux, 60.0 * SATURATION)
    light = optics.points(here.x + here.stars[:, 0] / PIXEL, here.y + here.stars[:, 1] / PIXEL, flux)
    for galaxy, shape in zip(here.galaxies, here.shapes, strict=True):
        total = 10.0 ** (-0.4 * galaxy.mags[band]) * scale
        light = light + total * shape * optics.phase(here.x + galaxy.x / PIXEL, here.y + galaxy.y / PIXEL)
    return light


def _noisy(rng: np.random.Generator, light: Pixels, background: float, noise: float) -> Pixels:
    variance = noise**2 + np.maximum(light, 0.0) / GAIN
    return light + background + rng.normal(0.0, 1.0, light.shape) * np.sqrt(variance)


def stripes(rng: np.random.Generator, noise: float) -> Pixels:
    """Return the pattern of the readout: mostly nothing, at times columns a fraction of the noise apart."""
    if rng.random() > 0.15:
        return np.zeros((GRID, GRID))
    columns = rng.normal(0.0, rng.uniform(0.1, 0.5) * noise, GRID)
    period = int(rng.integers(2, 5))
    columns += rng.uniform(0.1, 0.6) * noise * np.cos(2.0 * np.pi * np.arange(GRID) / period)
    return np.tile(columns, (GRID, 1))


def science_image(
    rng: np.random.Generator,
    light: Complex128[np.ndarray, "ky kx"],
    source: Complex128[np.ndarray, "ky kx"],
    psf: Psf,
    shift: tuple[float, float],
    conditions: Conditions,
) -> Pixels:
    """Return the science image [DN]: static light and source through ``psf``, moved by ``shift`` pixels."""
    moved = optics.phase(*shift)
    clean = optics.image((light + source) * moved * optics.kernel(psf))
    clean = np.minimum(clean, SATURATION)
    return _noisy(rng, clean, conditions.background, conditions.noise) + stripes(rng, conditions.noise)


def template_image(
    rng: np.random.Generator,
    light: Complex128[np.ndarray, "ky kx"],
    psf: Psf,
    conditions: Conditions,
    frames: int,
    grain: Grain | None = None,
) -> tuple[Pixels, float, Grain]:
    """Return the template [DN, on the science image's scale], its noise a pixel, and that noise to use it again.

    The coadd resamples its frames, which smooths the noise over neighbours. With ``grain`` it is the template that was
    made before, on this exposure's scale: a survey has one for all exposures in a filter.
    """
    clean = np.minimum(optics.image(light * optics.kernel(psf)), SATURATION)
    scale = 10.0 ** (0.4 * conditions.zero_point)
    if grain is not None:
        return clean + conditions.background + grain.pixels * scale, grain.level * scale, grain
    noise = float(np.sqrt(conditions.background / 7.0 + 11.0) / np.sqrt(frames) * rng.uniform(0.85, 1.4))
    white = rng.normal(0.0, 1.0, clean.shape)
    smooth = white + 0.35 * (np.roll(white, 1, 0) + np.roll(white, 1, 1)) + 0.12 * np.roll(white, (1, 1), (0, 1))
    smooth /= np.sqrt(1.0 + 2 * 0.35**2 + 0.12**2)
    photons = np.maximum(clean, 0.0) / (GAIN * frames)
    pixels = smooth * np.sqrt(noise**2 + photons)
    return clean + conditions.background + pixels, noise, Grain(noise / scale, pixels / scale)


def subtract(
    new: Pixels, reference: Pixels, new_psf: Pixels, reference_psf: Pixels, new_noise: float, reference_noise: float
) -> tuple[Pixels, Pixels]:
    """Return the proper difference [DN of the new image] and its point-spread function (ZOGY eq. 13-16).

    Both images come without background; the point-spread functions are centred at CENTRE with unit sum.
    """
    p_new = np.fft.rfft2(np.roll(new_psf, (-CENTRE, -CENTRE), (0, 1)))
    p_ref = np.fft.rfft2(np.roll(reference_psf, (-CENTRE, -CENTRE), (0, 1)))
    deep = new_noise**2 * np.abs(p_ref) ** 2 + reference_noise**2 * np.abs(p_new) ** 2
    root = np.sqrt(deep + 1e-6 * new_noise**2)
    scale = 1.0 / np.sqrt(new_noise**2 + reference_noise**2)
    spectrum = (p_ref * np.fft.rfft2(new) - p_new * np.fft.rfft2(reference)) / root / scale
    psf = np.fft.irfft2(p_ref * p_new / root / scale, s=new.shape)
    return np.fft.irfft2(spectrum, s=new.shape), np.roll(psf, (CENTRE, CENTRE), (0, 1))


def almost(rng: np.random.Generator, psf: Psf, error: float) -> Psf:
    """Return a point-spread function as the pipeline would estimate it, wrong by about ``error``."""
    return replace(
        psf,
        fwhm=psf.fwhm * (1.0 + rng.normal(0.0, error)),
        e1=psf.e1 + rng.normal(0.0, error),
        e2=psf.e2 + rng.normal(0.0, error),
    )


def searched(triplet: Triplet, sign: int) -> Searched:
    """Return what the detection stage measures on, the difference taken with ``sign`` (1 or -1)."""
    return Searched(
        image=triplet.difference * sign,
        static=triplet.template - triplet.background,
        psf=triplet.psf,
        noise=triplet.noise,
        masked=triplet.masked,
    )
