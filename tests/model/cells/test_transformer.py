"""The encoder against its equations, its positions, and how it starts."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from skystamp.models.cells.config import CellConfig
from skystamp.models.cells.transformer import Positions, require_heads, sinusoids, transformer
from skystamp.models.seeds import seeds

N, FEATURES = 4, 3


def encoder(config: CellConfig, seed: int = 0) -> keras.Model:
    given = keras.Input((N, FEATURES))
    return keras.Model(given, transformer(given, config, seeds(seed)))


def normed(x: np.ndarray, layer) -> np.ndarray:
    scale, shift = layer.get_weights()
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + layer.epsilon) * scale + shift


def gelu(x: np.ndarray) -> np.ndarray:
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def attended(x: np.ndarray, layer) -> np.ndarray:
    query, key, value, output = layer.get_weights()
    result = np.zeros_like(x)
    for head in range(query.shape[1]):
        q, k, v = x @ query[:, head], x @ key[:, head], x @ value[:, head]
        for t in range(len(x)):
            weights = np.exp(q[t] @ k.T / math.sqrt(q.shape[1]))
            result[t] += (weights / weights.sum()) @ v @ output[head]
    return result


def looped(model: keras.Model, x: np.ndarray, depth: int) -> np.ndarray:
    def dense(name, x):
        kernel, bias = model.get_layer(name).get_weights()
        return x @ kernel + bias

    x = dense("transformer_in", x) + model.get_layer("transformer_positions").get_weights()[0]
    for number in range(1, depth + 1):
        name = f"transformer_{number}"
        x = x + attended(normed(x, model.get_layer(f"{name}_norm_1")), model.get_layer(f"{name}_attention"))
        wide = gelu(dense(f"{name}_wide", normed(x, model.get_layer(f"{name}_norm_2"))))
        x = x + dense(f"{name}_narrow", wide)
    return normed(x, model.get_layer("transformer_norm")).mean(axis=0)


@pytest.mark.parametrize("depth", [1, 2])
def test_the_cell_is_the_loop_of_its_equations(depth):
    rng = np.random.default_rng(1)
    model = encoder(CellConfig(units=6, depth=depth, heads=2))
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    given = rng.normal(size=(5, N, FEATURES)).astype(np.float32)

    expected = np.array([looped(model, one.astype(float), depth) for one in given])

    assert model.predict_on_batch(given) == pytest.approx(expected, abs=1e-4)


def test_query_key_value_and_output_start_apart_and_are_decided_by_the_seed():
    kernels = encoder(CellConfig(units=6, heads=2)).get_layer("transformer_1_attention").get_weights()
    again = encoder(CellConfig(units=6, heads=2)).get_layer("transformer_1_attention").get_weights()

    flat = [kernel.reshape(-1) for kernel in kernels]
    assert all(not np.allclose(flat[i], flat[j]) for i in range(4) for j in range(i))
    assert all(np.array_equal(one, other) for one, other in zip(kernels, again, strict=True))


def test_positions_start_as_sinusoids_and_are_learned():
    given = keras.Input((N, 6))
    model = keras.Model(given, Positions()(given))
    start = ops.convert_to_numpy(model.trainable_variables[0])
    model.compile("sgd", lambda y, p: ops.mean(ops.square(p)), jit_compile=False)

    model.train_on_batch(np.zeros((2, N, 6), np.float32), np.zeros(2, np.float32))

    assert np.array_equal(start, sinusoids(N, 6))
    assert not np.array_equal(ops.convert_to_numpy(model.trainable_variables[0]), start)


def test_sinusoids_tell_places_apart():
    found = sinusoids(5, 6)

    assert found[0] == pytest.approx([0, 1, 0, 1, 0, 1])
    assert found[2, :2] == pytest.approx([math.sin(2), math.cos(2)])
    assert min(np.abs(found[i] - found[j]).max() for i in range(5) for j in range(i)) > 0.1


def test_positions_need_a_known_length():
    with pytest.raises(ValueError, match="n and units known"):
        Positions()(keras.KerasTensor((None, None, 6)))


def test_dropout_is_at_most_a_tenth_and_off_at_inference():
    model = encoder(CellConfig(units=6, heads=2, dropout=0.5))
    given = np.ones((2, N, FEATURES), np.float32)

    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]

    assert rates == [0.1, 0.1]
    assert np.array_equal(model.predict_on_batch(given), model.predict_on_batch(given))


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(ValueError, match="Received: heads=4, units=6"):
        require_heads(CellConfig(units=6, heads=4))
