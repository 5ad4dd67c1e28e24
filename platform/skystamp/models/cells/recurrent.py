"""LSTM, GRU and simple recurrent cells: Keras's own layers, one on the other; the last gives its last state.

    sequence (batch, n, features) -> ... -> (batch, units)

They are unrolled: n is two to five, and a loop inside a compiled function costs more than what it loops over
(docs/decisions/0014 has the figures).
"""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from skystamp.models.cells.config import CellConfig
from skystamp.models.seeds import glorot

UNROLL = True


def lstm(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return the last output of stacked LSTM layers, (batch, units)."""
    return _stacked(layers.LSTM, "lstm", sequence, config, source, use_cudnn=False)


def gru(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return the last output of stacked GRU layers, (batch, units)."""
    return _stacked(layers.GRU, "gru", sequence, config, source, use_cudnn=False)


def simple_rnn(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return the last output of stacked Elman layers, h(t) = tanh(W x(t) + U h(t-1) + b), (batch, units)."""
    return _stacked(layers.SimpleRNN, "simple_rnn", sequence, config, source)


def _stacked(
    layer: type[keras.layers.Layer], name: str, x: Any, config: CellConfig, source: Iterator[int], **own: Any
) -> Any:
    for number in range(1, config.depth + 1):
        x = layer(
            config.units,
            kernel_initializer=glorot(source),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(source)),
            return_sequences=number < config.depth,
            unroll=UNROLL,
            seed=next(source),
            name=f"{name}_{number}",
            **own,
        )(x)
    return x
