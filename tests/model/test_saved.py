"""A model on disk is one file that gives the same answers and carries nothing of the training."""

import keras
import numpy as np

from skystamp.models import saved
from skystamp.models.stamp import StampConfig, build


def feed(n):
    rng = np.random.default_rng(0)
    return {"stamps": rng.random((n, 21, 21, 3), np.float32), "metadata": rng.random((n, 23), np.float32)}


def test_loaded_model_answers_as_the_saved_one(tmp_path):
    model = build(StampConfig(), seed=1)

    saved.save(model, tmp_path / "model.keras")

    again = saved.load(tmp_path / "model.keras")
    assert np.abs(again.predict_on_batch(feed(4)) - model.predict_on_batch(feed(4))).max() < 1e-6


def test_optimiser_is_not_saved(tmp_path):
    model = build(StampConfig(), seed=1)
    saved.save(model, tmp_path / "plain.keras")
    model.compile(keras.optimizers.Adam(), "categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)

    saved.save(model, tmp_path / "trained.keras")

    sizes = [(tmp_path / name).stat().st_size for name in ("plain.keras", "trained.keras")]
    assert sizes[1] < 1.1 * sizes[0]
