"""explanation.integrated: completeness, and nothing for what is not read."""

import numpy as np
import pytest

from skystamp.explanation import integrated_gradients
from tests import explaining

RNG = np.random.default_rng(4)
INPUTS = {"x": RNG.normal(size=(1, 6)).astype(np.float32), "y": RNG.normal(size=(1, 2, 3)).astype(np.float32)}
BASELINE = {name: np.zeros_like(values) for name, values in INPUTS.items()}
READ = {"x": np.array([0.0, 2.0, 0.0, -1.0, 0.0, 0.0]), "y": np.zeros((2, 3))}
NETWORK = explaining.logistic(READ, classes=3, label=1)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_attributions_add_up_to_what_the_answer_gained_over_the_baseline(label: int) -> None:
    found = integrated_gradients(NETWORK, INPUTS, BASELINE, label)

    gained = NETWORK(INPUTS)[0, label] - NETWORK(BASELINE)[0, label]
    assert sum(values.sum() for values in found.values()) == pytest.approx(gained, abs=1e-6)
    assert abs(gained) > 0.01


def test_only_what_is_read_is_given_a_part() -> None:
    found = integrated_gradients(NETWORK, INPUTS, BASELINE, 1)

    assert np.flatnonzero(found["x"]).tolist() == [1, 3]
    assert not found["y"].any()
    assert np.sign(found["x"][[1, 3]]) == pytest.approx(np.sign(INPUTS["x"][0, [1, 3]] * [2, -1]))


def test_shapes_are_the_inputs_without_the_batch() -> None:
    found = integrated_gradients(NETWORK, INPUTS, BASELINE, 1, steps=5)

    assert {name: (values.shape, values.dtype) for name, values in found.items()} == {
        "x": ((6,), np.float32),
        "y": ((2, 3), np.float32),
    }


def test_the_baseline_itself_has_no_attributions() -> None:
    found = integrated_gradients(NETWORK, BASELINE, BASELINE, 1)

    assert not any(values.any() for values in found.values())
