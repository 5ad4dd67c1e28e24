"""Shapes of sources in the template, in the manner of DAOPHOT.

Makes chi and sharpness out of a template and its point-spread function.
"""

import numpy as np
from jaxtyping import Float64

from skystamp.synthetic.photometry import centroid, cut, offsets, shifted

Pixels = Float64[np.ndarray, "y x"]
_FIT = 4
_CORE = 2.4  # pixels: what DAOPHOT fits
_PROFILE_ERROR = 0.10  # of the point-spread function, what DAOPHOT calls the profile error
_CHI_CEILING = 9.0
_SHARP_SCALE = 0.05


def _ring_level(image: Pixels, row: int, column: int) -> float:
    box = cut(image, row, column, 9)
    away = np.hypot(*offsets(9))
    return float(np.median(box[away > 7.0]))


def _wider(psf: Pixels) -> Pixels:
    """Return a point-spread function a little blurred."""
    side = [shifted(psf, dx, dy) for dx, dy in ((0.6, 0.0), (-0.6, 0.0), (0.0, 0.6), (0.0, -0.6))]
    return 0.5 * psf + 0.125 * sum(side, np.zeros_like(psf))


def reference_shape(
    template: Pixels, psf: Pixels, x: float, y: float, noise: float, gain: float
) -> tuple[float, float]:
    """Return DAOPHOT-like chi and sharpness of a template source at pixel (x, y), 10 pixels from any side.

    Chi is the scatter of the residuals of a point-spread fit over what noise and the profile error explain,
    near 0.7 for stars and rising towards 9 for resolved galaxies; sharpness is 0 for stars, positive for what
    is wider, negative for noise peaks.
    """
    row, column, middle = round(y), round(x), psf.shape[0] // 2
    data = cut(template, row, column, _FIT) - _ring_level(template, row, column)
    dx, dy = centroid(data, noise, 1.1)
    model = cut(shifted(psf, dx, dy), middle, middle, _FIT)
    growth = cut(shifted(_wider(psf) - psf, dx, dy), middle, middle, _FIT)
    flux = max(float((data * model).sum() / (model**2).sum()), 3.0 * noise)
    expected = np.sqrt(noise**2 + np.clip(data, 0.0, None) / gain / 15.0 + (_PROFILE_ERROR * flux * model) ** 2)
    core = np.hypot(*offsets(_FIT)) < _CORE
    rest = data - flux * model
    chi = float(np.sqrt(np.mean((rest / expected)[core] ** 2)))
    weight = np.where(core, 1.0 / expected**2, 0.0)
    slope = float((weight * rest * growth).sum() / max(float((weight * growth**2).sum()) * flux, 1e-9))
    return _CHI_CEILING * float(np.tanh(chi / _CHI_CEILING)), float(np.tanh(_SHARP_SCALE * slope)) - 0.02
