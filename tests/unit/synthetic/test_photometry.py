import numpy as np
import pytest

from skystamp.synthetic import optics, photometry, reference
from skystamp.synthetic.optics import CENTRE, GRID, Psf
from skystamp.synthetic.photometry import Measured, Searched

PSF = optics.stamp(optics.kernel(Psf(2.2)))


def _measure(flux: float, noise: float = 5.0, dx: float = 0.0, width: float = 2.2, static: float = 0.0) -> Measured:
    rng = np.random.default_rng(7)
    image = flux * optics.stamp(optics.kernel(Psf(width)), dx, 0.0) + rng.normal(0.0, noise, (GRID, GRID))
    seen = Searched(image, static * PSF, PSF, noise, np.zeros((GRID, GRID), dtype=bool))
    return photometry.measure(rng, seen, CENTRE, CENTRE)


def test_fit_recovers_flux_and_position():
    found = _measure(5000.0, dx=0.3)

    assert found.flux == pytest.approx(5000.0, rel=0.03)
    assert found.dx == pytest.approx(0.3, abs=0.08)
    assert found.aperture == pytest.approx(5000.0, rel=0.08)


def test_width_follows_the_point_spread_function():
    assert _measure(9000.0, width=1.7).fwhm < _measure(9000.0, width=2.6).fwhm


def test_chi_is_near_one_for_a_point_and_large_for_what_is_wider():
    assert 0.5 < _measure(5000.0).chi < 2.0
    assert _measure(9000.0, width=4.0).chi > 3.0


def test_signal_to_noise_is_lower_on_top_of_a_bright_source():
    assert _measure(1500.0, static=60000.0).scorr < 0.8 * _measure(1500.0).scorr


def test_faint_candidates_have_larger_errors_in_magnitude():
    assert _measure(600.0).flux_error / 600.0 > _measure(6000.0).flux_error / 6000.0


def test_shift_moves_a_point_spread_function():
    moved = photometry.shifted(PSF, 1.0, 0.0)

    np.testing.assert_allclose(moved[:, 5:-5], np.roll(PSF, 1, axis=1)[:, 5:-5], atol=1e-6)


def test_star_is_sharper_than_galaxy_in_the_template():
    rng = np.random.default_rng(0)
    template = 20000.0 * PSF + rng.normal(0.0, 1.5, (GRID, GRID))
    wide = 20000.0 * optics.stamp(optics.kernel(Psf(3.6))) + rng.normal(0.0, 1.5, (GRID, GRID))

    star = reference.reference_shape(template, PSF, float(CENTRE), float(CENTRE), 1.5, 6.2)
    galaxy = reference.reference_shape(wide, PSF, float(CENTRE), float(CENTRE), 1.5, 6.2)

    assert star[0] < 1.0 < galaxy[0]
    assert abs(star[1]) < 0.1 < galaxy[1]
