"""Stars, galaxies and point-spread functions as images, drawn with GalSim.

Makes pixel images of GRID x GRID out of positions and fluxes. Everything is summed in Fourier space on a grid
of half pixels, so that undersampled stars are aliased as a real detector aliases them::

    stars: exact phases ──┐
    galaxies: GalSim ─────┴─ sum ── x kernel (GalSim: Kolmogorov with the pixel) ── inverse transform ── every 2nd

Coordinates are pixels of the grid, (0, 0) the centre of its first pixel, CENTRE its middle.
"""

from dataclasses import dataclass

import galsim
import numpy as np
from jaxtyping import Complex128, Float64

from skystamp.synthetic.sources import Galaxy
from skystamp.synthetic.survey import PIXEL

GRID = 80
CENTRE = 40
_FINE = 2 * GRID
_STEP = 2.0 * np.pi / GRID
_BOUNDS = galsim.BoundsI(0, GRID, -GRID, GRID - 1)
_KX = np.arange(GRID + 1) * _STEP
_KY = np.fft.fftfreq(_FINE, 1.0 / _FINE) * _STEP
_PARAMS = galsim.GSParams(kvalue_accuracy=1e-4, maximum_fft_size=16384)


@dataclass(frozen=True)
class Psf:
    """A point-spread function: width [pixel] and the two components of its ellipticity."""

    fwhm: float
    e1: float = 0.0
    e2: float = 0.0


def _transform(shape: galsim.GSObject) -> Complex128[np.ndarray, "ky kx"]:
    image = galsim.ImageCD(_BOUNDS)
    shape.drawKImage(image, scale=_STEP, recenter=False)
    return np.fft.ifftshift(image.array, axes=0)


def kernel(psf: Psf) -> Float64[np.ndarray, "ky kx"]:
    """Return the transform of a point-spread function and the pixel, 1 at the origin."""
    seeing = galsim.Kolmogorov(fwhm=psf.fwhm, gsparams=_PARAMS).shear(e1=psf.e1, e2=psf.e2)
    response = np.sinc(_KX / (2.0 * np.pi))[None, :] * np.sinc(_KY / (2.0 * np.pi))[:, None]
    return np.ascontiguousarray(_transform(seeing).real) * response


def phase(x: float, y: float) -> Complex128[np.ndarray, "ky kx"]:
    """Return the transform of a unit point at pixel (x, y)."""
    return np.exp(-1j * _KY * y)[:, None] * np.exp(-1j * _KX * x)[None, :]


def points(
    x: Float64[np.ndarray, "star"], y: Float64[np.ndarray, "star"], flux: Float64[np.ndarray, "star"]
) -> Complex128[np.ndarray, "ky kx"]:
    """Return the transform of point sources at pixels (x, y)."""
    along_y = np.exp(-1j * _KY[:, None] * y[None, :]) * flux[None, :]
    return along_y @ np.exp(-1j * x[:, None] * _KX[None, :])


def profile(galaxy: Galaxy) -> Complex128[np.ndarray, "ky kx"]:
    """Return the transform of a galaxy of unit flux centred at the origin."""
    radius = galaxy.radius / PIXEL * np.sqrt(galaxy.axis_ratio)
    sersic = galsim.Sersic(galaxy.index, half_light_radius=radius, gsparams=_PARAMS)
    tilted = sersic.shear(q=galaxy.axis_ratio, beta=galaxy.angle * galsim.radians)
    return _transform(tilted)


def trail(length: float, angle: float) -> Float64[np.ndarray, "ky kx"]:
    """Return the transform of a uniform line of ``length`` pixels at ``angle`` [rad], centred at the origin."""
    along = _KX[None, :] * np.cos(angle) + _KY[:, None] * np.sin(angle)
    return np.sinc(length * along / (2.0 * np.pi))


def image(transform: np.ndarray) -> Float64[np.ndarray, "y x"]:
    """Return the GRID x GRID pixel image of a transform, in the flux unit of the sources."""
    fine = np.fft.irfft2(transform, s=(_FINE, _FINE))
    return np.ascontiguousarray(fine[::2, ::2]) * 4.0


def stamp(psf_kernel: Float64[np.ndarray, "ky kx"], dx: float = 0.0, dy: float = 0.0) -> Float64[np.ndarray, "y x"]:
    """Return the image of a unit point source at the CENTRE plus (dx, dy) pixels."""
    return image(psf_kernel * phase(CENTRE + dx, CENTRE + dy))
