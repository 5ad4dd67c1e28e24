"""Convolutions over the detections: `conv1d`, and `tdnn`, the time-delay network.

    sequence (batch, n, features)
      depth x  conv `window` x units, valid, ReLU    (batch, n - depth * (window - 1), units)
      conv1d: flatten                                (batch, times * units)     knows which detections it saw
      tdnn:   mean over the times                    (batch, units)             adds up evidence wherever it was

A time-delay layer (Waibel et al. 1989) is a dense layer over a detection and those just before it with the same weights
at all times, which is a convolution; the network's output integrates over time. Its window is 2, as the paper has it,
and for n = 2 it is `conv1d` of window 2.
"""

from collections.abc import Iterator
from typing import Any

from keras import layers

from skystamp.models.cells.config import CellConfig
from skystamp.models.seeds import glorot

TDNN_WINDOW = 2


def conv1d(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return all that the filters of the last convolution found, (batch, times * units)."""
    return layers.Flatten(name="conv1d_flatten")(_filtered("conv1d", sequence, config, config.window, source))


def tdnn(sequence: Any, config: CellConfig, source: Iterator[int]) -> Any:
    """Return the mean over time of the last time-delay layer, (batch, units)."""
    return layers.GlobalAveragePooling1D(name="tdnn_mean")(_filtered("tdnn", sequence, config, TDNN_WINDOW, source))


def require_fit(detections: int, window: int, depth: int) -> None:
    """Pass if `depth` convolutions of `window` leave something of a sequence.

    Raises
    ------
    ValueError
        If they need more than `detections`.
    """
    needed = 1 + depth * (window - 1)
    if needed > detections:
        raise ValueError(
            f"depth * (window - 1) should be below the number of detections. "
            f"Received: depth={depth}, window={window}, detections={detections}"
        )


def _filtered(name: str, x: Any, config: CellConfig, window: int, source: Iterator[int]) -> Any:
    require_fit(x.shape[1], window, config.depth)
    for number in range(1, config.depth + 1):
        x = layers.Conv1D(
            config.units, window, activation="relu", kernel_initializer=glorot(source), name=f"{name}_{number}"
        )(x)
    return x
