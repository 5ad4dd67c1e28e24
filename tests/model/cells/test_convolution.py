"""Convolutions over detections against plain loops, and what they need of a sequence."""

import keras
import numpy as np
import pytest

from skystamp.models.cells.config import CellConfig
from skystamp.models.cells.convolution import conv1d, require_fit, tdnn
from skystamp.models.seeds import seeds


def filtered(sequence: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """One layer by its sum: y(t) = relu(b + sum over delays d of x(t + d) W_d)."""
    window = len(kernel)
    times = []
    for t in range(len(sequence) - window + 1):
        total = bias.astype(float)
        for delay in range(window):
            total = total + sequence[t + delay] @ kernel[delay]
        times.append(np.maximum(total, 0))
    return np.array(times)


def model_of(cell, config: CellConfig, n: int) -> keras.Model:
    given = keras.Input((n, 3))
    model = keras.Model(given, cell(given, config, seeds(0)))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("cell", "window", "depth", "gather"),
    [
        (conv1d, 2, 1, np.ravel),
        (conv1d, 3, 2, np.ravel),
        (conv1d, 5, 1, np.ravel),
        (tdnn, 2, 1, lambda times: times.mean(axis=0)),
        (tdnn, 2, 3, lambda times: times.mean(axis=0)),
    ],
    ids=["conv1d", "conv1d, deep", "conv1d of all", "tdnn", "tdnn, deep"],
)
def test_a_cell_is_the_loop_of_its_equations(cell, window, depth, gather):
    model = model_of(cell, CellConfig(units=4, depth=depth, window=window), 5)
    sequences = np.random.default_rng(2).normal(size=(6, 5, 3)).astype(np.float32)

    expected = []
    for x in sequences.astype(float):
        for number in range(depth):
            x = filtered(x, *model.get_weights()[2 * number : 2 * number + 2])
        expected.append(gather(x))

    assert model.predict_on_batch(sequences) == pytest.approx(np.array(expected), abs=1e-4)


def test_tdnn_has_a_window_of_two_whatever_the_window():
    shapes = [weight.shape for weight in model_of(tdnn, CellConfig(units=4, window=4), 5).get_weights()]

    assert shapes == [(2, 3, 4), (4,)]


def test_of_two_detections_tdnn_is_conv1d():
    given = np.random.default_rng(0).normal(size=(3, 2, 3)).astype(np.float32)
    config = CellConfig(units=4)

    answers = [model_of(cell, config, 2).predict_on_batch(given) for cell in (tdnn, conv1d)]

    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


@pytest.mark.parametrize(("detections", "window", "depth"), [(2, 3, 1), (3, 2, 3), (5, 3, 3)])
def test_layers_that_would_leave_nothing_are_refused(detections, window, depth):
    with pytest.raises(ValueError, match=f"depth={depth}, window={window}, detections={detections}"):
        require_fit(detections, window, depth)


def test_layers_that_leave_one_time_fit():
    require_fit(5, 2, 4)
    require_fit(5, 5, 1)

    assert model_of(conv1d, CellConfig(units=4, window=5), 5).output_shape == (None, 4)
