import numpy as np
import pytest

from skystamp.synthetic import curves

GREEN = np.ones(2000, dtype=np.int64)
DAYS = np.linspace(2459000.0, 2460000.0, 2000)


def _magnitudes(curve: curves.Curve) -> np.ndarray:
    return -2.5 * np.log10(curve(DAYS, GREEN))


def test_damped_random_walk_has_its_amplitude():
    spreads = [
        _magnitudes(curves.damped_random_walk(np.random.default_rng(s), 18.0, 17.8, 0.3, 30.0)).std() for s in range(10)
    ]

    assert np.mean(spreads) == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize("shape", ["saw", "sine"])
def test_periodic_curve_repeats_and_has_its_amplitude(shape: str):
    curve = curves.periodic(np.random.default_rng(1), 16.0, 15.7, 0.8, 0.55, shape)

    np.testing.assert_allclose(curve(DAYS, GREEN), curve(DAYS + 55.0, GREEN), rtol=1e-5)
    assert np.ptp(_magnitudes(curve)) == pytest.approx(0.8, abs=0.03)


def test_transient_is_dark_before_it_explodes_and_peaks_at_its_peak():
    curve = curves.transient(2459500.0, 18.0, 18.1, 17.0, (13.0, 19.0), 0.1)

    flux = curve(DAYS, GREEN)

    assert (flux[DAYS < 2459480.0] == 0.0).all()
    assert abs(DAYS[flux.argmax()] - 2459500.0) < 1.0
    assert -2.5 * np.log10(flux.max()) == pytest.approx(18.0, abs=0.02)


def test_outbursts_rise_by_their_height_and_return():
    curve = curves.outbursts(np.random.default_rng(2), 20.0, 19.8, 4.0, 60.0, 4.0)

    magnitudes = _magnitudes(curve)

    assert np.percentile(magnitudes, 75) == pytest.approx(20.0, abs=0.3)
    assert magnitudes.min() < 17.5
