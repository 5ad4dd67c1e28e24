"""Keras models on disk: one `.keras` file with architecture and weights, and nothing of the training.

Importing this module registers skystamp's own layers, so `load` works in a process that built no model.
"""

from pathlib import Path

import keras

import skystamp.models.cells
import skystamp.models.layers  # noqa: F401  both register their layers


def save(model: keras.Model, path: Path | str) -> None:
    """Write `model` to `path`, which should end in .keras.

    A compiled model would take its optimiser along, which triples the file, so what is written is an uncompiled
    model of the same layers.
    """
    keras.Model(model.inputs, model.outputs[0], name=model.name).save(path)


def load(path: Path | str) -> keras.Model:
    """Return the model in `path`, compiled for `predict_on_batch` alone.

    XLA is off under TensorFlow: on a CPU it is slower for these networks at any batch from 64 on.
    """
    model = keras.saving.load_model(path, compile=False)
    model.compile(jit_compile=False if keras.backend.backend() == "tensorflow" else "auto")
    return model
