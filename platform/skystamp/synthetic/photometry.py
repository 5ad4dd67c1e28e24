"""Measurements on a difference image as the survey's pipeline makes them.

Makes numbers out of a difference image and its point-spread function: fluxes by fit and in apertures, widths
and shapes in the manner of SExtractor, counts of odd pixels. Every number comes from the pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from skystamp.synthetic.survey import GAIN

Pixels = Float64[np.ndarray, "y x"]
_FIT = 4  # half side of the fitting box
_NOISE_FACTOR = 2.1  # the survey's uncertainties exceed those of white noise by this factor
_SCORR_FACTOR = 0.78
_PYRAMID = np.array([0.25, 0.5, 0.25])


@dataclass(frozen=True)
class Searched:
    """A difference image to measure on, its sign turned so that the candidate is positive.

    Attributes
    ----------
    image, static : float64 ["y x"]
        The difference, and the template without its background [DN]; no NaN.
    psf : float64 ["y x"]
        Point-spread function of the difference, at the middle of its array, unit sum.
    noise : float
        White noise a pixel [DN].
    masked : bool ["y x"]
        Pixels that the survey has marked bad.
    """

    image: Pixels
    static: Pixels
    psf: Pixels
    noise: float
    masked: Bool[np.ndarray, "y x"]


@dataclass(frozen=True)
class Measured:
    """What a difference image says about its candidate; fluxes in DN, lengths in pixels.

    ``dx, dy`` is the offset of the centroid from the pixel asked about.
    """

    flux: float
    flux_error: float
    white_snr: float
    chi: float
    aperture: float
    aperture_error: float
    aperture_big: float
    aperture_big_error: float
    sky: float
    fwhm: float
    a: float
    b: float
    dx: float
    dy: float
    classtar: float
    negatives: int
    bad: int
    sum_ratio: float
    scorr: float
    dsnrms: float
    ssnrms: float


def cut(image: np.ndarray, row: int, column: int, half: int) -> np.ndarray:
    """Return the square of half side ``half`` about a pixel."""
    return image[row - half : row + half + 1, column - half : column + half + 1]


def offsets(half: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of a square about its middle."""
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    return rows, columns


def shifted(psf: Pixels, dx: float, dy: float) -> Pixels:
    """Return a point-spread function moved by a fraction of a pixel, by its Fourier phases."""
    ky = np.fft.fftfreq(psf.shape[0])[:, None]
    kx = np.fft.rfftfreq(psf.shape[1])[None, :]
    return np.fft.irfft2(np.fft.rfft2(psf) * np.exp(-2j * np.pi * (kx * dx + ky * dy)), s=psf.shape)


def centroid(box: Pixels, noise: float, width: float) -> tuple[float, float]:
    """Return a Gaussian-weighted centroid, three rounds, kept within 1.2 pixels of the box's centre."""
    rows, columns = offsets(box.shape[0] // 2)
    dx = dy = 0.0
    for _ in range(3):
        weight = np.exp(-((columns - dx) ** 2 + (rows - dy) ** 2) / (2.0 * width**2)) * box
        total = weight.sum()
        if total <= noise:
            break
        dx += 1.6 * float((weight * (columns - dx)).sum() / total)
        dy += 1.6 * float((weight * (rows - dy)).sum() / total)
        dx, dy = float(np.clip(dx, -1.2, 1.2)), float(np.clip(dy, -1.2, 1.2))
    return dx, dy


def _softened(box: Pixels) -> Pixels:
    """Return a box convolved with the 3 x 3 pyramid with which sources are detected."""
    return ndimage.convolve1d(ndimage.convolve1d(box, _PYRAMID, axis=0), _PYRAMID, axis=1)


def _windowed(box: Pixels, dx: float, dy: float, width: float) -> tuple[float, float]:
    """Return the RMS of the profile along its axes within a Gaussian window of its own width."""
    rows, columns = offsets(box.shape[0] // 2)
    x, y = columns - dx, rows - dy
    weight = np.exp(-(x**2 + y**2) / (2.0 * width**2)) * box
    total = max(float(weight.sum()), 1e-6)
    xx, yy = float((weight * x * x).sum() / total), float((weight * y * y).sum() / total)
    xy = float((weight * x * y).sum() / total)
    middle, spread = (xx + yy) / 2.0, float(np.hypot((xx - yy) / 2.0, xy))
    return float(np.sqrt(max(middle + spread, 0.04))), float(np.sqrt(max(middle - spread, 0.03)))


def _core_fwhm(box: Pixels, threshold: float) -> float:
    """Return the width of a Gaussian core from the areas above eight levels, as SExtractor does.

    Where only a few pixels reach the threshold the width says little more than their number, as there.
    """
    half = box.shape[0] // 2
    labels, _ = ndimage.label(box > threshold)
    mine = labels[half, half]
    if mine == 0:
        return 1.15
    inside = np.where(labels == mine, box, 0.0)
    count = int((inside > threshold).sum())
    if count < 5:
        return 1.08 + 0.085 * count
    peak = float(inside.max())
    levels = threshold * (peak / threshold) ** (np.arange(8) / 8.0)
    areas = (inside[None, :, :] > levels[:, None, None]).sum(axis=(1, 2))
    depth = np.log(peak / levels)
    sigma2 = float((areas * depth).sum() / max((depth**2).sum(), 1e-9) / (2.0 * np.pi))
    return float(np.clip(2.3548 * np.sqrt(max(sigma2, 0.05)), 0.9, 12.0))


def _classtar(rng: np.random.Generator, fwhm: float, psf_fwhm: float, scorr: float, beneath: float) -> float:
    """Return a star-galaxy score: near 1 for what is bright and narrow, less sure when faint or wide.

    1 - score is log-normal, its median falling with the signal as SExtractor's network does; ``beneath`` is
    the share of the noise that comes from a source under the candidate, whose sharp core looks like a star.
    """
    faint = 8.0 / max(scorr, 4.0)
    median = 0.012 + 0.036 * faint**2.2
    median *= 1.0 + 2.5 * max(fwhm / psf_fwhm - 1.7, 0.0)
    median *= 1.0 - 0.7 * beneath
    return float(np.round(1.0 - min(median * rng.lognormal(0.0, min(0.2 + 0.6 * faint, 1.0)), 0.6), 3))


def _aperture(image: Pixels, centre: tuple[float, float], radius: float, sky: float) -> tuple[float, float]:
    """Return the flux within a radius above ``sky`` (soft-edged) and the number of pixels."""
    half = int(radius + 3.0)
    row, column = round(centre[0]), round(centre[1])
    box = cut(image, row, column, half)
    rows, columns = offsets(half)
    away = np.hypot(rows - (centre[0] - row), columns - (centre[1] - column))
    weight = np.clip(radius + 0.5 - away, 0.0, 1.0)
    return float((weight * (box - sky)).sum()), float(weight.sum())


def _fit(image: Pixels, psf: Pixels, row: int, column: int, noise: float) -> tuple[float, float, float]:
    """Return flux, its white-noise error and the reduced chi-square of a point-spread fit."""
    middle = psf.shape[0] // 2
    data, model = cut(image, row, column, _FIT), cut(psf, middle, middle, _FIT)
    norm = float((model**2).sum())
    flux = float((data * model).sum() / norm)
    variance = noise**2 + np.abs(flux) * np.clip(model, 0.0, None) / GAIN
    chi = float((((data - flux * model) ** 2) / variance).sum() / (data.size - 3))
    error = float(np.sqrt((variance * model**2).sum()) / norm)
    return flux, error, chi


def _signal(seen: Searched, fit: tuple[float, float, float], row: int, column: int) -> tuple[float, float]:
    """Return the corrected signal-to-noise ratio, and the share of its noise due to light under the candidate.

    The survey's Scorr adds the photon and registration noise of the reference source to that of the sky.
    """
    flux, error, _ = fit
    under = max(float(cut(seen.static, row, column, 2).sum()), 0.0)
    extra = under / GAIN + (0.007 * under) ** 2
    total = float(np.sqrt(error**2 + extra))
    return _SCORR_FACTOR * flux / total, float(np.sqrt(extra) / total)


def measure(rng: np.random.Generator, seen: Searched, row: int, column: int) -> Measured:
    """Return the measurements of a positive candidate at pixel (row, column)."""
    image, psf, noise = seen.image, seen.psf, seen.noise
    psf_fwhm = float(1.0 / (1.505 * np.sqrt((psf**2).sum())))
    ring = cut(image, row, column, 10)
    away = np.hypot(*offsets(10))
    sky = float(np.median(ring[(away > 8.0) & (away < 10.4)]))
    box = cut(image, row, column, 6) - sky
    dx, dy = centroid(box, noise, psf_fwhm / 2.3548)
    fit = _fit(image - sky, shifted(psf, dx, dy), row, column, noise)
    flux, error, chi = fit
    scorr, beneath = _signal(seen, fit, row, column)
    peak = float(box[5:8, 5:8].max())
    soft = _softened(box)
    fwhm = _core_fwhm(0.75 * box + 0.25 * soft, max(1.5 * noise, peak * min(3.0 / max(scorr, 4.5), 0.85)))
    a, b = _windowed(soft, dx, dy, psf_fwhm / 2.3548)
    small, small_n = _aperture(image, (row + dy, column + dx), 4.0, sky)
    big, big_n = _aperture(image, (row + dy, column + dx), 7.0, sky)
    centre = cut(image, row, column, 2)
    smoothed = ndimage.median_filter(centre, 3)
    rms = max(float(1.4826 * np.median(np.abs(ring[away > 5.0] - sky))), 1e-9)
    return Measured(
        flux=flux,
        flux_error=float(np.hypot(_NOISE_FACTOR * error, 0.015 * flux)) * max(chi, 1.0) ** 0.25,
        white_snr=flux / error,
        chi=chi,
        aperture=small,
        aperture_error=float(np.sqrt(small_n * noise**2 * 1.6 + abs(small) / GAIN)),
        aperture_big=big,
        aperture_big_error=float(np.sqrt(big_n * noise**2 * 2.0 + abs(big) / GAIN)),
        sky=sky,
        fwhm=float(np.round(fwhm, 2)),
        a=a,
        b=b,
        dx=dx,
        dy=dy,
        classtar=_classtar(rng, fwhm, psf_fwhm, scorr, beneath),
        negatives=int((centre < 0.0).sum()),
        bad=int(cut(seen.masked, row, column, 2).sum()),
        sum_ratio=float(smoothed.sum() / max(np.abs(smoothed).sum(), 1e-9)),
        scorr=scorr,
        dsnrms=peak / rms,
        ssnrms=flux / error * noise / rms,
    )


def local_peak(image: Pixels, row: int, column: int, reach: int) -> tuple[int, int]:
    """Return (row, column) of the brightest pixel within ``reach`` of a pixel."""
    box = cut(image, row, column, reach)
    at = np.unravel_index(int(np.argmax(box)), box.shape)
    return row - reach + int(at[0]), column - reach + int(at[1])
