"""A transformer encoder over the detections: the future work that the paper names, not a model of the paper.

    sequence (batch, n, features)
      dense units, plus the place in the sequence                   (batch, n, units)
      depth x  x + attention(norm(x));  x + dense(GELU(norm(x)))    pre-norm (Xiong et al. 2020)
      norm, mean over the detections                                (batch, units)

The order is known by learned positions that start as sinusoids. How long ago the detection before was is the first of
the dynamic features, so attention sees time by what it is given.
"""

from collections.abc import Iterator
from typing import Any, no_type_check

import keras
import numpy as np
from keras import layers, ops

from skystamp.models.cells.config import CellConfig
from skystamp.models.seeds import glorot

MOST_DROPOUT = 0.1
"""As in Vaswani et al. 2017. The half that suits a wide dense layer leaves too little of a narrow stream."""
WIDENING = 2
"""How much wider the dense part of a block is than the stream."""


@no_type_check
@keras.saving.register_keras_serializable(package="skystamp")
class Positions(keras.layers.Layer):
    """Adds to each place of a sequence a learned vector of its own, which starts as a sinusoid of the place.

    Input shape: `(batch, n, units)`, n known.
    Output shape: the same.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the vectors."""
        _, places, units = input_shape
        if places is None or units is None:
            raise ValueError(f"Sequences should be (batch, n, units) with n and units known. Received: {input_shape}")
        start = sinusoids(places, units)
        self.positions = self.add_weight(
            shape=start.shape, initializer=keras.initializers.Constant(start), name="positions"
        )

    def call(self, sequence: Any) -> Any:
        """Return `sequence` plus the vectors."""
        return sequence + self.positions

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape given."""
        return input_shape


def sinusoids(places: int, units: int) -> np.ndarray:
    """Return float32 (place, unit): sine and cosine of the place in turn, ever slower (Vaswani et al. 2017)."""
    unit = np.arange(units)
    angle = np.arange(places)[:, None] / 10_000 ** (2 * (unit // 2) / units)
    return np.where(unit % 2, np.cos(angle), np.sin(angle)).astype(np.float32)


def transformer(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return the mean over the detections of the encoder's last block, (batch, units)."""
    require_heads(config)
    x = layers.Dense(config.units, kernel_initializer=glorot(source), name="transformer_in")(sequence)
    x = Positions(name="transformer_positions")(x)
    for number in range(1, config.depth + 1):
        x = _block(x, config, source, f"transformer_{number}")
    return layers.GlobalAveragePooling1D(name="transformer_mean")(layers.LayerNormalization(name="transformer_norm")(x))


def require_heads(config: CellConfig) -> None:
    """Pass if the heads part the units evenly.

    Raises
    ------
    ValueError
        If they do not.
    """
    if config.units % config.heads:
        raise ValueError(f"heads should divide units. Received: heads={config.heads}, units={config.units}")


def _block(x: Any, config: CellConfig, source: Iterator[int], name: str) -> Any:
    attended = _attention(layers.LayerNormalization(name=f"{name}_norm_1")(x), config, source, f"{name}_attention")
    x = layers.Add(name=f"{name}_add_1")([x, _dropout(config, source, f"{name}_dropout_1")(attended)])
    wide = layers.Dense(
        WIDENING * config.units, activation="gelu", kernel_initializer=glorot(source), name=f"{name}_wide"
    )(layers.LayerNormalization(name=f"{name}_norm_2")(x))
    narrow = layers.Dense(config.units, kernel_initializer=glorot(source), name=f"{name}_narrow")(wide)
    return layers.Add(name=f"{name}_add_2")([x, _dropout(config, source, f"{name}_dropout_2")(narrow)])


def _dropout(config: CellConfig, source: Iterator[int], name: str) -> keras.layers.Layer:
    return layers.Dropout(min(config.dropout, MOST_DROPOUT), seed=next(source), name=name)


def _attention(x: Any, config: CellConfig, source: Iterator[int], name: str) -> Any:
    """Return self-attention, its four kernels drawn apart.

    Keras gives query, key and value copies of one initializer; with a seed, the three would be equal. There are no
    biases: the key's changes nothing, since softmax takes no notice of what is added to all.
    """
    width = config.units // config.heads
    attention = layers.MultiHeadAttention(config.heads, width, use_bias=False, seed=next(source), name=name)
    attended = attention(x, x)
    for dense in (attention.query_dense, attention.key_dense, attention.value_dense, attention.output_dense):
        dense.kernel.assign(ops.reshape(glorot(source)((config.units, config.units)), dense.kernel.shape))
    return attended
