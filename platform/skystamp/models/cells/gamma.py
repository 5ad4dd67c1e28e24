"""Gamma memory: a delay line whose taps leak, so that a few of them remember long, with a rate that is learned.

    sequence (batch, n, features) -> GammaMemory (batch, n, (taps + 1) * features) -> dense units -> ...

De Vries and Principe 1992 (Neural Networks 5, 565), equation of the memory, for every feature by itself:

    x_0(t) = u(t)
    x_k(t) = (1 - mu) x_k(t-1) + mu x_{k-1}(t-1)        k = 1..K,    x_k(t) = 0 before the first detection

so that x_k is u passed through the kernel g_k(j) = C(j-1, k-1) mu^k (1-mu)^(j-k) of the delay j >= k. At mu = 1 it is
a plain delay line; the smaller mu, the longer and the coarser the memory. In the paper it is stable for 0 < mu < 2;
here mu is a logistic function of a weight, in (0, 1), where the kernel is positive and does not ring.
"""

from collections.abc import Iterator
from typing import Any, no_type_check

import keras
from keras import layers, ops

from skystamp.models.cells.config import CellConfig
from skystamp.models.seeds import glorot

Shape = tuple[int | None, ...]


@no_type_check
@keras.saving.register_keras_serializable(package="skystamp")
class GammaMemory(keras.layers.Layer):
    """Leaky delay lines, one for each feature, each with its own learned rate mu, which starts at 0.5.

    Parameters
    ----------
    taps : int
        Filters in a row behind each feature, K. In a sequence of n, those beyond n - 1 stay zero.
    return_sequences : bool
        Whether to give the memory at every time or at the last alone.

    Input shape: `(batch, n, features)`, n known.
    Output shape: `(batch, n, (taps + 1) * features)`, or `(batch, (taps + 1) * features)`: the features at that time,
    then the first tap of all, the second of all, ...
    """

    def __init__(self, taps: int, return_sequences: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if taps < 1:
            raise ValueError(f"taps should be at least 1. Received: taps={taps}")
        self.taps, self.return_sequences = taps, return_sequences

    def build(self, input_shape: Shape) -> None:
        """Make the weight from which the rates come."""
        _, n, features = input_shape
        if n is None or features is None:
            raise ValueError(f"Sequences should be (batch, n, features), n and features known. Received: {input_shape}")
        self.rate = self.add_weight(shape=(features,), initializer="zeros", name="rate")

    @property
    def mu(self) -> Any:
        """The rates, (features,), in (0, 1)."""
        return ops.sigmoid(self.rate)

    def call(self, sequence: Any) -> Any:
        """Return the memory of `sequence`."""
        mu = self.mu
        now = ops.expand_dims(sequence[:, 0], 1)
        taps = ops.repeat(ops.zeros_like(now), self.taps, axis=1)
        times = [ops.concatenate([now, taps], axis=1)]
        for t in range(1, sequence.shape[1]):
            taps = (1 - mu) * taps + mu * times[-1][:, :-1]
            times.append(ops.concatenate([ops.expand_dims(sequence[:, t], 1), taps], axis=1))
        width = (self.taps + 1) * sequence.shape[2]
        if self.return_sequences:
            return ops.reshape(ops.stack(times, axis=1), (-1, len(times), width))
        return ops.reshape(times[-1], (-1, width))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, n, (taps + 1) * features)`, without n unless sequences are returned."""
        batch, n, features = input_shape
        times = (n,) if self.return_sequences else ()
        return (batch, *times, None if features is None else (self.taps + 1) * features)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "taps": self.taps, "return_sequences": self.return_sequences}


def gamma(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return a gamma network's answer at the last detection, (batch, units).

    With depth 1 it is the focused gamma network: one memory, at the input, before a dense layer with ReLU. Deeper
    ones put a memory before every dense layer, which runs at each detection.
    """
    x = sequence
    for number in range(1, config.depth + 1):
        x = GammaMemory(config.taps, return_sequences=number < config.depth, name=f"gamma_{number}")(x)
        x = layers.Dense(
            config.units, activation="relu", kernel_initializer=glorot(source), name=f"gamma_dense_{number}"
        )(x)
    return x
