"""networks: what is made of networks answers and differentiates as its parts say."""

import numpy as np
import pytest

from skystamp import calibration, networks
from skystamp.networks import Network


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def linear(seed: int) -> Network:
    """Return softmax(x W) of four numbers and three classes, with its gradient worked out by hand."""
    matrix = np.random.default_rng(seed).normal(size=(4, 3))

    def pull(inputs, weights):
        p = softmax(inputs["x"] @ matrix)
        return {"x": (p * (weights - (weights * p).sum(axis=1, keepdims=True))) @ matrix.T}

    return Network(lambda inputs: softmax(inputs["x"] @ matrix), pull)


X = np.random.default_rng(9).normal(size=(2, 4))
WEIGHTS = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, -2.0]])


def numerical(network, x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Return the gradient of each example's weighted answer by central differences."""
    found = np.zeros_like(x)
    for place in range(x.shape[1]):
        moved = np.zeros_like(x)
        moved[:, place] = step
        ends = [network({"x": x + sign * moved}).astype(np.float64) for sign in (1, -1)]
        found[:, place] = ((ends[0] - ends[1]) * WEIGHTS).sum(axis=1) / (2 * step)
    return found


MADE = {
    "itself": linear(0),
    "tempered": networks.tempered(linear(0), 2.5),
    "sharpened": networks.tempered(linear(0), 0.4),
    "mean": networks.mean([linear(0), networks.tempered(linear(1), 1.7), linear(2)]),
    "tempered mean": networks.tempered(networks.mean([linear(0), linear(1)]), 0.7),
}


@pytest.mark.parametrize("name", MADE)
def test_gradients_are_those_of_the_answers(name: str) -> None:
    network = MADE[name]

    found = network.pull({"x": X}, WEIGHTS)["x"]

    assert found == pytest.approx(numerical(network, X), abs=2e-4)
    assert np.abs(found).max() > 0.01


def test_answers_are_those_of_calibration_and_of_the_mean() -> None:
    inputs = {"x": X}
    expected = calibration.tempered((linear(0)(inputs) + linear(1)(inputs)) / 2, 0.7)

    assert np.array_equal(MADE["tempered mean"](inputs), expected)


def test_a_class_that_is_all_but_impossible_has_no_infinite_gradient() -> None:
    network = networks.tempered(linear(0), 3.0)

    found = network.pull({"x": 300 * X}, WEIGHTS)["x"]

    assert np.isfinite(found).all()


def test_temperature_one_changes_nothing() -> None:
    network = linear(0)

    assert networks.tempered(network, 1.0) is network


def test_what_is_made_of_plain_functions_answers_and_does_not_differentiate() -> None:
    plain = linear(0).answer

    mean, cold = networks.mean([plain, linear(1)]), networks.tempered(plain, 2.0)

    assert not isinstance(mean, Network)
    assert not isinstance(cold, Network)
    assert mean({"x": X}).shape == cold({"x": X}).shape == (2, 3)
