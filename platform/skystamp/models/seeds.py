"""One seed -> the seeds of a network's layers, so that two builds of one seed are the same network."""

from collections.abc import Iterator

import keras
import numpy as np


def seeds(seed: int) -> Iterator[int]:
    """Yield non-negative 31-bit seeds, each for one layer's use."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(2**31))


def glorot(source: Iterator[int]) -> keras.initializers.Initializer:
    """Return Glorot's uniform initializer with the next seed of `source`."""
    return keras.initializers.GlorotUniform(seed=next(source))
