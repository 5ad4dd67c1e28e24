"""Bundles that answer without Keras: probabilities worked out in NumPy from the inputs they are given."""

from dataclasses import replace

import numpy as np

from skystamp import taxonomy
from skystamp.bundle import Bundle
from skystamp.classify import Model
from skystamp.ensemble import joined
from skystamp.inputs import DYNAMIC, STATIC, InputSpec, SequenceSpec
from skystamp.metadata import FEATURES_23


def model(crop: int = 21, name: str = "first-detection", version: str = "7") -> Model:
    """Return a model whose answers depend on every pixel and every number, and are the same for the same alert."""
    count = len(FEATURES_23)
    spec = InputSpec(crop=crop, means=(0.0,) * count, deviations=(100.0,) * count)
    return Model(name, version, Bundle(taxonomy.FIRST_DETECTION, spec, {"name": name}, predict))


def predict(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return float32 probabilities (alert, 5); asserts what every model may rely on."""
    stamps, metadata = arrays["stamps"], arrays["metadata"]
    assert stamps.dtype == metadata.dtype == np.float32
    assert np.isfinite(stamps).all()
    assert np.isfinite(metadata).all()
    scores = np.stack([stamps[:, :, :, i].sum(axis=(1, 2)) / 100 for i in range(3)], axis=1)
    scores = np.concatenate([scores, np.tanh(metadata[:, :2])], axis=1)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def temporal(n: int, version: str = "3", **changes) -> Model:
    """Return a temporal model whose answers depend on every detection, on their order, and on AllWISE."""
    means = {"dynamic": (0.0,) * len(DYNAMIC), "static": (0.0,) * len(STATIC)}
    deviations = {name: (100.0,) * len(values) for name, values in means.items()}
    spec = SequenceSpec(n, **{"crop": 21, "means": means, "deviations": deviations, **changes})
    name = f"temporal-{n}"
    return Model(name, version, Bundle(taxonomy.TEMPORAL, spec, {"name": name}, predict_sequences))


def predict_sequences(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return float32 probabilities (sequence, 3); asserts what every model may rely on."""
    stamps, dynamic, static = arrays["stamps"], arrays["dynamic"], arrays["static"]
    assert all(values.dtype == np.float32 and np.isfinite(values).all() for values in arrays.values())
    order = np.arange(1, dynamic.shape[1] + 1)
    scores = np.stack(
        [
            (stamps.sum(axis=(2, 3, 4)) * order).sum(axis=1) / 3000,
            (dynamic.sum(axis=2) * order).sum(axis=1) / 10,
            static.sum(axis=1) + static[:, -3:].sum(axis=1) * 20,
        ],
        axis=1,
    )
    powers = np.exp(np.tanh(scores))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def by_magnitude(version: str = "7") -> Model:
    """Return a first-detection model that says bogus of what is fainter than magnitude 20, else SN."""
    made = model(version=version)
    magnitude = FEATURES_23.index("magpsf")

    def answer(arrays: dict[str, np.ndarray]) -> np.ndarray:
        faint = arrays["metadata"][:, magnitude] > 0.2  # of magnitudes divided by a hundred
        return np.where(faint[:, None], [0.0, 0.1, 0.0, 0.0, 0.9], [0.0, 0.9, 0.0, 0.0, 0.1]).astype(np.float32)

    return Model(made.name, version, Bundle(made.bundle.classes, made.bundle.spec, made.bundle.about, answer))


def ensemble(version: str = "7") -> Model:
    """Return a first-detection model of two members: the one of `model`, and one that says the first class of all."""
    one = model(version=version)

    def certain(arrays: dict[str, np.ndarray]) -> np.ndarray:
        return np.tile(np.eye(5, dtype=np.float32)[0], (len(arrays["stamps"]), 1))

    return Model(
        one.name, version, joined([one.bundle, replace(one.bundle, predict_inputs=certain)], {"name": one.name})
    )
