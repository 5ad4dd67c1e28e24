"""The compiled model gives what the model gives, for any number of alerts, without being traced again."""

import keras
import numpy as np
import pytest

from skystamp.models import engine
from skystamp.models.stamp import StampConfig, build


@pytest.fixture(scope="module")
def model():
    return build(StampConfig(), seed=2)


def feed(n, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "stamps": rng.random((n, 21, 21, 3), np.float32),
        "metadata": rng.normal(size=(n, 23)).astype(np.float32),
    }


@pytest.mark.parametrize("n", [1, 2, 17, 64])
def test_compiled_model_gives_what_the_model_gives(model, n):
    answers = engine.compiled(model)(feed(n))

    assert (answers.shape, answers.dtype) == ((n, 5), np.float32)
    assert np.abs(answers - model.predict_on_batch(feed(n))).max() < 1e-6


def test_compiled_model_is_traced_once_for_all_numbers_of_alerts():
    traced = []

    class Counted(keras.layers.Layer):
        def call(self, inputs):
            traced.append(1)
            return inputs

    images = keras.Input((4,), name="stamps")
    predict = engine.compiled(keras.Model({"stamps": images}, keras.layers.Dense(2)(Counted()(images))))
    traced.clear()

    for n in range(1, 9):
        predict({"stamps": np.ones((n, 4), np.float32)})

    limit = 1 if keras.backend.backend() == "tensorflow" else 8
    assert len(traced) <= limit


def test_other_arrays_are_left_out(model):
    extra = {**feed(2), "unused": np.zeros(3, np.float32)}
    if keras.backend.backend() != "tensorflow":
        pytest.skip("JAX takes the arrays as they are")

    assert np.array_equal(engine.compiled(model)(extra), engine.compiled(model)(feed(2)))


def test_dropout_is_off(model):
    predict = engine.compiled(model)

    assert np.array_equal(predict(feed(3)), predict(feed(3)))


def test_unknown_backend_is_refused(model, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")

    with pytest.raises(ValueError, match="KERAS_BACKEND should be one of"):
        engine.compiled(model)
