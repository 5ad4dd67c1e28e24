"""The recurrent cells against plain loops over time, with their own weights."""

import keras
import numpy as np
import pytest

from skystamp.models.cells.config import CellConfig
from skystamp.models.cells.recurrent import gru, lstm, simple_rnn
from skystamp.models.seeds import seeds

N, FEATURES, UNITS = 4, 3, 5


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def simple_rnn_step(x, state, kernel, recurrent, bias):
    h = np.tanh(x @ kernel + state[0] @ recurrent + bias)
    return h, (h, state[1])


def lstm_step(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, (h, c)


def gru_step(x, state, kernel, recurrent, bias):
    """The form in which the reset gate is applied after the product, which Keras uses."""
    h = state[0]
    xz, xr, xg = np.split(x @ kernel + bias[0], 3)
    hz, hr, hg = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    h = z * h + (1 - z) * np.tanh(xg + r * hg)
    return h, (h, state[1])


def looped(step, sequence: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    for first in range(0, len(weights), 3):
        state = (np.zeros(UNITS), np.zeros(UNITS))
        outputs = []
        for x in sequence:
            h, state = step(x, state, *weights[first : first + 3])
            outputs.append(h)
        sequence = np.array(outputs)
    return sequence[-1]


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize(
    ("cell", "step"), [(simple_rnn, simple_rnn_step), (lstm, lstm_step), (gru, gru_step)], ids=["rnn", "lstm", "gru"]
)
def test_a_cell_is_the_loop_of_its_equations(cell, step, depth):
    rng = np.random.default_rng(1)
    given = keras.Input((N, FEATURES))
    model = keras.Model(given, cell(given, CellConfig(units=UNITS, depth=depth), seeds(0)))
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    sequences = rng.normal(size=(6, N, FEATURES)).astype(np.float32)

    expected = [looped(step, one.astype(float), model.get_weights()) for one in sequences]

    assert model.predict_on_batch(sequences) == pytest.approx(np.array(expected), abs=1e-5)
    assert len(model.get_weights()) == 3 * depth
