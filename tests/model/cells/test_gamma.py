"""The gamma memory against its recursion, tap by tap, against its impulse response, and at its limits."""

from math import comb

import keras
import numpy as np
import pytest
from keras import ops

from skystamp.models.cells.config import CellConfig
from skystamp.models.cells.gamma import GammaMemory, gamma
from skystamp.models.seeds import seeds


def memory(taps: int, rate: np.ndarray, n: int, *, return_sequences: bool = True) -> GammaMemory:
    layer = GammaMemory(taps, return_sequences)
    layer.build((None, n, len(rate)))
    layer.rate.assign(rate)
    return layer


def recursion(u: np.ndarray, taps: int, mu: np.ndarray) -> np.ndarray:
    """x_k(t) = (1 - mu) x_k(t-1) + mu x_{k-1}(t-1) for one sequence (n, features) -> (n, taps + 1, features)."""
    n, features = u.shape
    x = np.zeros((n, taps + 1, features))
    for feature in range(features):
        for t in range(n):
            x[t, 0, feature] = u[t, feature]
            for k in range(1, taps + 1):
                before = x[t - 1, :, feature] if t else np.zeros(taps + 1)
                x[t, k, feature] = (1 - mu[feature]) * before[k] + mu[feature] * before[k - 1]
    return x


@pytest.mark.parametrize("taps", [1, 3, 8])
@pytest.mark.parametrize("n", [2, 5])
def test_memory_is_the_recursion_of_the_paper(n, taps):
    rng = np.random.default_rng(0)
    rate, u = rng.normal(size=3), rng.normal(size=(4, n, 3)).astype(np.float32)
    expected = np.array([recursion(one, taps, 1 / (1 + np.exp(-rate))) for one in u]).reshape(4, n, -1)

    whole = ops.convert_to_numpy(memory(taps, rate, n)(u))
    last = ops.convert_to_numpy(memory(taps, rate, n, return_sequences=False)(u))

    assert whole == pytest.approx(expected, abs=1e-6)
    assert last == pytest.approx(expected[:, -1], abs=1e-6)


def test_an_impulse_leaves_the_gamma_kernel_behind():
    n, taps, mu = 6, 3, 0.3
    impulse = np.zeros((1, n, 1), np.float32)
    impulse[0, 0] = 1

    found = ops.convert_to_numpy(memory(taps, np.array([np.log(mu / (1 - mu))]), n)(impulse))[0]

    kernel = [
        [comb(j - 1, k - 1) * mu**k * (1 - mu) ** (j - k) if j >= k else 0 for k in range(1, taps + 1)]
        for j in range(1, n)
    ]
    assert found[1:, 1:] == pytest.approx(np.array(kernel), abs=1e-6)


def test_a_rate_of_one_is_a_plain_delay_line():
    u = np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1)

    found = ops.convert_to_numpy(memory(3, np.array([40.0]), 4, return_sequences=False)(u))

    assert found == pytest.approx(np.array([[4, 3, 2, 1]]))


def test_rates_start_at_a_half_stay_between_zero_and_one_and_are_learned():
    given = keras.Input((4, 2))
    model = keras.Model(given, GammaMemory(2, name="memory")(given))
    layer = model.get_layer("memory")
    start = ops.convert_to_numpy(layer.mu)
    model.compile(keras.optimizers.SGD(50.0), lambda y, p: ops.mean(ops.square(p)), jit_compile=False)

    for _ in range(5):
        model.train_on_batch(np.random.default_rng(0).random((8, 4, 2), np.float32), np.zeros(8, np.float32))

    after = ops.convert_to_numpy(layer.mu)
    assert start == pytest.approx(0.5)
    assert np.abs(after - start).min() > 0.05
    assert 0 < after.min() < after.max() < 1


@pytest.mark.parametrize("depth", [1, 2])
def test_the_cell_is_a_memory_before_each_dense_layer(depth):
    rng = np.random.default_rng(2)
    given = keras.Input((4, 3))
    model = keras.Model(given, gamma(given, CellConfig(units=5, depth=depth, taps=2), seeds(0)))
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    u = rng.normal(size=(6, 4, 3)).astype(np.float32)

    expected = u.astype(float)
    for number in range(depth):
        rate, kernel, bias = model.get_weights()[3 * number : 3 * number + 3]
        mu = 1 / (1 + np.exp(-rate))
        taps = np.array([recursion(one, 2, mu).reshape(4, -1) for one in expected])
        expected = np.maximum(taps @ kernel + bias, 0)

    assert model.predict_on_batch(u) == pytest.approx(expected[:, -1], abs=1e-4)


@pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all times"])
def test_the_layer_keeps_its_promises_as_a_layer(return_sequences):
    layer = GammaMemory(2, return_sequences)
    expected = (None, 4, 9) if return_sequences else (None, 9)

    symbolic = layer(keras.KerasTensor((None, 4, 3)))
    rebuilt = keras.layers.deserialize(keras.layers.serialize(layer))
    half = GammaMemory(2, return_sequences, dtype="mixed_bfloat16")(np.ones((2, 4, 3), np.float32))

    assert symbolic.shape == layer.compute_output_shape((None, 4, 3)) == expected
    assert rebuilt.get_config() == layer.get_config()
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"


def test_impossible_memories_say_what_should_be():
    with pytest.raises(ValueError, match=r"taps should be at least 1\. Received: taps=0"):
        GammaMemory(0)
    with pytest.raises(ValueError, match=r"n and features known\. Received: \(None, None, 3\)"):
        GammaMemory(2)(keras.KerasTensor((None, None, 3)))
