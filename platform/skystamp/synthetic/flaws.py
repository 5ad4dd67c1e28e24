"""What goes wrong in exposures: the kinds of bogus candidates.

Makes changes to a science image or a template, before they are subtracted, out of a kind's name and a
generator, so that the difference shows each flaw as the survey's subtraction would (ringing included).
The kinds are those of Duev et al. 2019 (MNRAS 489, 3582) and Carrasco-Davis et al. 2021 (AJ 162, 231).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic import optics
from skystamp.synthetic.optics import CENTRE, GRID

Pixels = Float64[np.ndarray, "y x"]
Painter = Callable[[np.random.Generator, Pixels, float], Pixels]


@dataclass(frozen=True)
class Flaw:
    """How one exposure departs from a good one.

    Attributes
    ----------
    star : (x, y, r) or None
        A bright star [arcsec, mag] that must lie near the candidate.
    misregistration : float
        Shift between science image and template [pixel].
    psf_error : float
        Relative error of the estimated point-spread functions.
    flux_error : float
        Relative error of the flux scale between science image and template.
    on_template : bool
        Whether the painter works on the template instead of the science image.
    painter : Painter or None
        Takes (generator, image, noise) and returns the flawed image.
    edge : bool
        Whether the detector ends beside the candidate.
    """

    star: tuple[float, float, float] | None = None
    misregistration: float = 0.0
    psf_error: float = 0.0
    flux_error: float = 0.0
    on_template: bool = False
    painter: Painter | None = None
    edge: bool = False


def _strength(rng: np.random.Generator, noise: float) -> float:
    return float(noise * np.clip(rng.lognormal(3.5, 0.85), 5.0, 900.0))


def _cosmic_ray(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with a sharp track through the centre, its ends uneven."""
    out = image.copy()
    length, angle = rng.exponential(2.0), rng.uniform(0.0, np.pi)
    steps = np.arange(-length / 2.0, length / 2.0 + 0.3, 0.3)
    strength = _strength(rng, noise) * rng.uniform(0.6, 1.4, steps.size) * 0.6
    rows = np.rint(CENTRE + steps * np.sin(angle)).astype(int)
    columns = np.rint(CENTRE + steps * np.cos(angle)).astype(int)
    np.add.at(out, (rows, columns), strength)
    return out


def _hot_pixel(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with one or two hot pixels side by side."""
    out = image.copy()
    strength = _strength(rng, noise)
    for _ in range(int(rng.integers(1, 5))):
        row, column = CENTRE + int(rng.integers(0, 2)), CENTRE + int(rng.integers(0, 2))
        out[row, column] += strength * rng.uniform(0.4, 1.0)
    return out


def _cluster(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with a small cluster of bad pixels, dark or bright, of no regular shape."""
    row, column, spots = CENTRE, CENTRE, np.zeros_like(image)
    for _ in range(int(rng.integers(2, 9))):
        spots[row, column] += rng.uniform(0.3, 1.0)
        row = int(np.clip(row + rng.integers(-1, 2), CENTRE - 3, CENTRE + 3))
        column = int(np.clip(column + rng.integers(-1, 2), CENTRE - 2, CENTRE + 2))
    spread = rng.uniform(0.0, 0.25)
    spots = (1.0 - spread) * spots + 0.25 * spread * sum(np.roll(spots, s, a) for s in (-1, 1) for a in (0, 1))
    return image + (1.0 if rng.random() < 0.4 else -1.0) * _strength(rng, noise) * spots / spots.max()


def _bad_column(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with a column off its level and a blob or a gap on it, dark or bright."""
    out = image.copy()
    sign = 1.0 if rng.random() < 0.45 else -1.0
    width = int(rng.integers(1, 3))
    out[:, CENTRE : CENTRE + width] += rng.normal(0.0, 2.0) * noise
    half = int(rng.integers(0, 3))
    blob = sign * _strength(rng, noise) * rng.uniform(0.1, 1.0, (2 * half + 1, width))
    out[CENTRE - half : CENTRE + half + 1, CENTRE : CENTRE + width] += blob
    if rng.random() < 0.4:
        beside = CENTRE + (width if rng.random() < 0.5 else -1)
        out[CENTRE - half : CENTRE + half + 1, beside] -= 0.5 * blob[:, 0]
    return out


def _noise_peak(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with a bump of correlated noise that has no shape of its own."""
    out = image.copy()
    sign = 1.0 if rng.random() < 0.55 else -1.0
    half = 2
    bump = rng.normal(0.0, 1.0, (2 * half + 1, 2 * half + 1))
    bump[half, half] += rng.uniform(3.0, 5.0)
    bump[half + int(rng.integers(-1, 2)), half + int(rng.integers(-1, 2))] += rng.uniform(1.0, 4.0)
    bump = bump + 0.4 * (np.roll(bump, 1, 0) + np.roll(bump, 1, 1))
    rows = columns = slice(CENTRE - half, CENTRE + half + 1)
    out[rows, columns] += sign * noise * rng.uniform(1.3, 4.0) * bump
    return out


def _multiple(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with equally spaced copies of one spot: crosstalk, or an exposure that jumped."""
    spacing, angle = rng.uniform(8.0, 26.0), rng.choice([0.0, 0.0, np.pi / 2.0, rng.uniform(0.0, np.pi)])
    spot = optics.Psf(float(rng.uniform(1.6, 2.8)), float(rng.uniform(0.0, 0.25)))
    here = np.zeros((2 * GRID, GRID + 1), dtype=np.complex128)
    for step in range(-3, 4):
        x, y = CENTRE + step * spacing * np.cos(angle), CENTRE + step * spacing * np.sin(angle)
        if 2 < x < GRID - 3 and 2 < y < GRID - 3:
            here = here + optics.phase(float(x), float(y))
    return image + optics.image(here * optics.kernel(spot)) * _strength(rng, noise) * 4.0


def _ghost(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return the image with a wide faint reflection whose rim or core passes for a source."""
    rows, columns = np.mgrid[0:GRID, 0:GRID].astype(np.float64)
    radius = rng.uniform(3.0, 14.0)
    turn = rng.uniform(0.0, 2.0 * np.pi)
    away = np.hypot(columns - CENTRE - radius * np.cos(turn), rows - CENTRE - radius * np.sin(turn))
    rim = np.exp(-((away - radius) ** 2) / (2.0 * rng.uniform(0.8, 2.5) ** 2))
    knot = np.exp(-((columns - CENTRE) ** 2 + (rows - CENTRE) ** 2) / (2.0 * rng.uniform(1.0, 2.5) ** 2))
    return image + noise * (rng.uniform(0.5, 4.0) * rim + rng.uniform(2.0, 10.0) * knot)


def _template_defect(rng: np.random.Generator, image: Pixels, noise: float) -> Pixels:
    """Return a template with a leftover: a cosmic ray, a hole, a satellite that was not rejected."""
    painter = _PAINTERS[str(rng.choice(["cosmic ray", "hot pixel", "cluster", "noise"]))]
    return painter(rng, image, noise)


_PAINTERS: dict[str, Painter] = {
    "cosmic ray": _cosmic_ray,
    "hot pixel": _hot_pixel,
    "cluster": _cluster,
    "bad column": _bad_column,
    "noise": _noise_peak,
    "multiple": _multiple,
    "ghost": _ghost,
}


def _beside(rng: np.random.Generator, distance: float, r: float) -> tuple[float, float, float]:
    turn = rng.uniform(0.0, 2.0 * np.pi)
    return float(distance * np.cos(turn)), float(distance * np.sin(turn)), r


def _scale(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.02, 0.14) * rng.choice([-1.0, 1.0]))


def flaw(kind: str, rng: np.random.Generator) -> Flaw:
    """Return a flaw of a kind (a key of populations.BOGUS_KINDS)."""
    if kind == "dipole":
        star = _beside(rng, float(rng.uniform(0.0, 1.2)), float(rng.uniform(13.0, 19.0)))
        return Flaw(star=star, misregistration=float(rng.uniform(0.08, 0.5)), psf_error=0.02, flux_error=_scale(rng))
    if kind == "bright star":
        star = _beside(rng, float(rng.exponential(2.0)), float(rng.uniform(11.8, 17.0)))
        return Flaw(star=star, misregistration=0.08, psf_error=float(rng.uniform(0.01, 0.06)), flux_error=_scale(rng))
    if kind == "saturated":
        star = _beside(rng, float(rng.uniform(3.0, 22.0)), float(rng.uniform(7.5, 12.0)))
        painter = _PAINTERS["cluster"] if rng.random() < 0.6 else _PAINTERS["noise"]
        return Flaw(star=star, misregistration=0.15, psf_error=0.04, flux_error=_scale(rng), painter=painter)
    if kind == "edge":
        return Flaw(painter=_PAINTERS["noise" if rng.random() < 0.5 else "cluster"], edge=True)
    if kind == "template defect":
        return Flaw(on_template=True, painter=_template_defect)
    return Flaw(painter=_PAINTERS[kind])
