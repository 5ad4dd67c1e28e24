"""Networks in NumPy whose explanation is known beforehand, and bundles of them."""

import numpy as np

from skystamp import taxonomy
from skystamp.bundle import Bundle
from skystamp.inputs import DYNAMIC, STATIC, InputSpec, Raw, RawSequences, SequenceSpec
from skystamp.metadata import FEATURES, FEATURES_23
from skystamp.networks import Network

SN = taxonomy.FIRST_DETECTION.index("SN")


def logistic(read: dict[str, np.ndarray], classes: int, label: int) -> Network:
    """Return a network that gives `label` the probability 1 / (1 + exp(-sum of inputs times `read`)).

    What it reads not is left out of `read` or 0 there; the other classes share the rest equally.
    """

    def score(inputs):
        parts = [(inputs[name] * weights).reshape(len(inputs[name]), -1).sum(axis=1) for name, weights in read.items()]
        return 1 / (1 + np.exp(-sum(parts)))

    def answer(inputs):
        p = score(inputs)
        rest = np.repeat((1 - p)[:, None] / (classes - 1), classes, axis=1)
        rest[:, label] = p
        return rest.astype(np.float32)

    def pull(inputs, weights):
        p = score(inputs)
        others = np.delete(weights, label, axis=1).sum(axis=1) / (classes - 1)
        slope = (weights[:, label] - others) * p * (1 - p)
        none = {name: np.zeros_like(values) for name, values in inputs.items()}
        return none | {
            name: slope.reshape(-1, *[1] * weights.ndim) * np.broadcast_to(weights, inputs[name].shape)
            for name, weights in read.items()
        }

    return Network(answer, pull)


def first_detection(read: dict[str, np.ndarray], temperature: float = 1.0) -> Bundle:
    """Return a first-detection bundle of 21 pixels whose probability of SN is `logistic`."""
    count = len(FEATURES_23)
    spec = InputSpec(crop=21, means=(10.0,) * count, deviations=(5.0,) * count)
    network = logistic(read, len(taxonomy.FIRST_DETECTION), SN)
    return Bundle(taxonomy.FIRST_DETECTION, spec, {"name": "first-detection"}, network, temperature)


def temporal(read: dict[str, np.ndarray], detections: int = 3) -> Bundle:
    """Return a temporal bundle of 21 pixels whose probability of SN is `logistic`."""
    means = {"dynamic": (0.0,) * len(DYNAMIC), "static": (0.0,) * len(STATIC)}
    deviations = {name: (10.0,) * len(values) for name, values in means.items()}
    spec = SequenceSpec(detections, crop=21, means=means, deviations=deviations)
    network = logistic(read, len(taxonomy.TEMPORAL), taxonomy.TEMPORAL.index("SN"))
    return Bundle(taxonomy.TEMPORAL, spec, {"name": f"temporal-{detections}"}, network)


def raw(seed: int = 0) -> Raw:
    """Return the raw inputs of one detection."""
    rng = np.random.default_rng(seed)
    return Raw(rng.normal(100, 10, (1, 63, 63, 3)).astype(np.float32), rng.uniform(0, 30, (1, len(FEATURES))))


def raw_sequence(detections: int = 3, seed: int = 0) -> RawSequences:
    """Return the raw inputs of one sequence."""
    rng = np.random.default_rng(seed)
    return RawSequences(
        rng.normal(100, 10, (1, detections, 63, 63, 3)).astype(np.float32),
        rng.uniform(0, 30, (1, detections, len(FEATURES))),
        np.arange(detections, dtype=np.float64)[None] * 3,
        np.array([[0.3, 15.0, 14.0, 11.0, 8.0]]),
    )
