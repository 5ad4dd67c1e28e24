"""One temperature: the same as dividing logits, found where it was put in, and no answer changes its class."""

import numpy as np
import pytest
from scipy import optimize, special

from skystamp import metrics
from skystamp.calibration import BOUNDS, fitted_temperature, tempered


def logits(n: int = 4000, classes: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (n, classes))


def drawn(probabilities: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return classes drawn by these probabilities: to them they are calibrated."""
    rng = np.random.default_rng(seed)
    return (probabilities.cumsum(axis=1) < rng.random((len(probabilities), 1))).sum(axis=1).clip(0, 4).astype(np.int64)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_a_temperature_on_probabilities_is_one_on_logits(temperature: float):
    given = logits()

    found = tempered(special.softmax(given, axis=1), temperature)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, special.softmax(given / temperature, axis=1), rtol=2e-6, atol=1e-7)


def test_temperature_one_changes_no_bit():
    given = special.softmax(logits(), axis=1).astype(np.float32)

    assert tempered(given, 1.0).tobytes() == given.tobytes()


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0, 10.0])
def test_no_answer_changes_its_class(temperature: float):
    given = special.softmax(logits(), axis=1).astype(np.float32)

    np.testing.assert_array_equal(tempered(given, temperature).argmax(1), given.argmax(1))


def test_certain_answers_stay_certain():
    given = np.array([[0, 1, 0], [1e-30, 1, 0]], np.float32)

    assert np.isfinite(tempered(given, 3.0)).all()
    np.testing.assert_array_equal(tempered(given, 3.0)[0], [0, 1, 0])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float):
    given = logits(20_000)
    labels = drawn(special.softmax(given / temperature, axis=1))

    found = fitted_temperature(special.softmax(given, axis=1), labels)

    assert found == pytest.approx(temperature, rel=0.05)


def test_fitted_temperature_has_the_least_cross_entropy():
    given = special.softmax(logits(500), axis=1)
    labels = drawn(special.softmax(logits(500) / 1.7, axis=1))

    found = fitted_temperature(given, labels)

    def loss(log_temperature: float) -> float:
        scaled = np.log(given) / np.exp(log_temperature)
        return float((special.logsumexp(scaled, axis=1) - scaled[np.arange(500), labels]).mean())

    expected = np.exp(
        optimize.minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded", options={"xatol": 1e-9}).x
    )
    assert found == pytest.approx(expected, rel=1e-5)


def test_calibration_error_falls():
    given = special.softmax(logits(20_000), axis=1)
    labels = drawn(special.softmax(logits(20_000) / 2.5, axis=1))

    after = tempered(given, fitted_temperature(given, labels))

    assert metrics.expected_calibration_error(given, labels) > 0.1
    assert metrics.expected_calibration_error(after, labels) < 0.02


def test_answers_that_are_all_right_or_all_wrong_stop_at_the_bounds():
    given = np.array([[0.9, 0.1], [0.8, 0.2]])

    assert fitted_temperature(given, np.array([0, 0])) == BOUNDS[0]
    assert fitted_temperature(given, np.array([1, 1])) == BOUNDS[1]


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_a_temperature_that_is_none_is_refused(temperature: float):
    with pytest.raises(ValueError, match="positive"):
        tempered(np.ones((1, 2)) / 2, temperature)


def test_nothing_can_not_be_fitted():
    with pytest.raises(ValueError, match="one example"):
        fitted_temperature(np.empty((0, 5)), np.empty(0, np.int64))
