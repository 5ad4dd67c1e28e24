"""One exposure of an object: scene, sky, detector, flaws, subtraction.

Makes a Triplet out of a scene and the object's flux now and in the template; promises that one generator
state always gives the same pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from skystamp.synthetic import images, optics
from skystamp.synthetic.flaws import Flaw
from skystamp.synthetic.images import Conditions, Grain, Scene, Triplet
from skystamp.synthetic.optics import CENTRE, GRID, Psf

GOOD = Flaw()


@dataclass(frozen=True)
class Reference:
    """The template's making: its point-spread function, the number of frames in it, its noise once it is made."""

    psf: Psf
    frames: int
    grain: Grain | None = None


@dataclass(frozen=True)
class Source:
    """The object in one exposure: flux now and in the template [DN], trail [pixel, rad]."""

    now: float
    before: float
    trail: float = 0.0
    angle: float = 0.0
    flashes: int = 1


def draw_reference(rng: np.random.Generator, fid: int) -> Reference:
    """Return a reference image's making: 15 frames or more, of better seeing than most nights."""
    fwhm = float(np.clip((2.15 if fid == 1 else 1.95) * rng.lognormal(0.0, 0.1), 1.5, 3.2))
    frames = 15 if rng.random() < 0.7 else int(15 + rng.exponential(9.0))
    return Reference(Psf(fwhm, float(rng.normal(0.0, 0.02)), float(rng.normal(0.0, 0.02))), frames)


def _edges(rng: np.random.Generator, flaw: Flaw) -> Bool[np.ndarray, "y x"]:
    """Return the pixels beyond the detector: a ragged or straight side, rarely, or beside an edge flaw."""
    masked = np.zeros((GRID, GRID), dtype=bool)
    if not flaw.edge and rng.random() > 0.025:
        return masked
    distance = int(rng.integers(2, 9) if flaw.edge else rng.integers(8, 34))
    ragged = rng.integers(0, 4, GRID) if rng.random() < 0.5 else np.zeros(GRID, dtype=np.int64)
    slope = rng.normal(0.0, 0.8) if flaw.edge and rng.random() < 0.25 else 0.0
    start = CENTRE + distance + np.repeat(ragged, 4)[:GRID] + (slope * np.abs(np.arange(GRID) - CENTRE)).astype(int)
    masked = np.arange(GRID)[:, None] >= start[None, :]
    return np.rot90(masked, int(rng.integers(0, 4))).copy()


def _saturated(rng: np.random.Generator, here: Scene, conditions: Conditions) -> Bool[np.ndarray, "y x"]:
    """Return the boxes that the survey blanks over stars too bright for the detector."""
    masked = np.zeros((GRID, GRID), dtype=bool)
    bright = here.star_mags[:, conditions.fid - 1] < 12.4 + rng.normal(0.0, 0.3)
    for (x, y), mags in zip(here.stars[bright], here.star_mags[bright], strict=True):
        half = 2.5 + 2.2 * max(12.6 - float(mags[conditions.fid - 1]), 0.0) ** 0.8
        column, row = here.x + x / 1.01, here.y + y / 1.01
        tall = half * rng.uniform(0.9, 1.6)
        rows = slice(max(0, round(row - tall)), max(0, round(row + tall + 1)))
        columns = slice(max(0, round(column - half)), max(0, round(column + half + 1)))
        masked[rows, columns] = True
    return masked


def _source_light(here: Scene, source: Source, flux: float) -> np.ndarray:
    light = flux * optics.phase(here.x, here.y)
    if source.flashes > 1:
        steps = np.arange(source.flashes) - (source.flashes - 1) // 2
        dx, dy = source.trail * np.cos(source.angle), source.trail * np.sin(source.angle)
        return sum((light * optics.phase(s * dx, s * dy) for s in steps), np.zeros_like(light))
    if source.trail > 0.2:
        return light * optics.trail(source.trail, source.angle)
    return light


def _estimated(rng: np.random.Generator, psf: Psf, flaw: Flaw) -> Float64[np.ndarray, "y x"]:
    error = 0.008 + 0.020 * rng.random() + flaw.psf_error
    return optics.stamp(optics.kernel(images.almost(rng, psf, error)))


def expose(
    rng: np.random.Generator,
    here: Scene,
    conditions: Conditions,
    reference: Reference,
    source: Source,
    flaw: Flaw = GOOD,
) -> Triplet:
    """Return the three images of one exposure.

    Masked pixels are flagged, not yet NaN: packets.cutouts blanks them.
    """
    light = images.static_light(here, conditions)
    psf = Psf(conditions.fwhm, float(rng.normal(0.0, 0.035)), float(rng.normal(0.0, 0.035)))
    turn, slip = rng.uniform(0.0, 2.0 * np.pi), abs(rng.normal(0.0, 0.06)) + flaw.misregistration
    shift = (float(slip * np.cos(turn)), float(slip * np.sin(turn)))
    now, before = _source_light(here, source, source.now), source.before * optics.phase(here.x, here.y)
    science = images.science_image(rng, light, now, psf, shift, conditions)
    template, template_noise, grain = images.template_image(
        rng, light + before, reference.psf, conditions, reference.frames, reference.grain
    )
    if flaw.painter is not None and flaw.on_template:
        template = flaw.painter(rng, template, conditions.noise)
    elif flaw.painter is not None:
        science = flaw.painter(rng, science, conditions.noise)
    scaled = (science - conditions.background) * (1.0 + float(rng.normal(0.0, 0.004)) + flaw.flux_error)
    difference, difference_psf = images.subtract(
        scaled,
        template - conditions.background,
        _estimated(rng, psf, flaw),
        _estimated(rng, reference.psf, flaw),
        conditions.noise,
        template_noise,
    )
    noise = float(np.hypot(conditions.noise, template_noise))
    return Triplet(
        science=science,
        template=template,
        difference=difference + rng.normal(0.1, 0.3),
        psf=difference_psf,
        template_psf=optics.stamp(optics.kernel(reference.psf)),
        noise=noise,
        template_noise=template_noise,
        background=conditions.background,
        fwhm=conditions.fwhm,
        masked=_edges(rng, flaw) | _saturated(rng, here, conditions),
        grain=grain,
    )
