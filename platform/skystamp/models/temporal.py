"""The temporal stamp classifier: one architecture of n detections, by its parameters.

    stamps (batch, n, side, side, 2)      dynamic (batch, n, 10)             static (batch, 17)
      all detections as one batch           BatchNormalization                 BatchNormalization
      (n * batch, side, side, 2)              |                                  |
      the stamp classifier's image half       |                                  |
      (batch, n, 64) ---- concatenate --------+                                  |
                              |  (batch, n, 74)                                  |
                          a cell of `cells.CELLS` ------- concatenate -----------+
                                                              |
                                    dense 64, dropout, dense 64, softmax (batch, classes)

Source: Neira, Estevez and Forster 2024 (arXiv 2405.15073). What it leaves open, and where its table and its widths
disagree, stands in docs/decisions/0014.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from skystamp.models import cells
from skystamp.models.cells.config import NAMES, CellConfig
from skystamp.models.seeds import seeds
from skystamp.models.stamp import UNITS, DropoutPlace, StampConfig, head, view_features


@dataclass(frozen=True)
class TemporalConfig:
    """Parameters of the architecture. The defaults are those of the published model, with the LSTM of five detections.

    Parameters
    ----------
    detections : int
        n, at least 2; a model takes sequences of just this length.
    side, crop, k, theta, kernel, dropout, dropout_at, channels, classes, mirrored
        As of `StampConfig`; one network reads the stamps of all detections.
    cell : str
        Of `cells.CELLS`.
    units, depth, taps, window, heads : int
        As of `CellConfig`.
    images : bool
        False leaves the stamps out.
    dynamic, static : int
        Number of features of a detection, the time difference among them, and of a sequence; 0 leaves the input out.
        Without images and dynamic features there is no sequence, and no cell.
    """

    detections: int
    side: int = 33
    crop: int = 33
    k: int = 6
    theta: float = 0.0
    kernel: int = 5
    dropout: float = 0.5
    dropout_at: tuple[DropoutPlace, ...] = ("view", "joint")
    cell: str = "lstm"
    units: int = 128
    depth: int = 1
    taps: int = 4
    window: int = 2
    heads: int = 4
    images: bool = True
    dynamic: int = 10
    static: int = 17
    channels: int = 2
    classes: int = 3
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.detections < 2:
            raise ValueError(f"detections should be at least 2. Received: detections={self.detections}")
        if self.dynamic < 0 or self.static < 0:
            raise ValueError(
                f"dynamic and static should be at least 0. Received: dynamic={self.dynamic}, static={self.static}"
            )
        if not (self.images or self.dynamic or self.static):
            raise ValueError("a model should read something. Received: images=False, dynamic=0, static=0")
        cells.require(self.cell, self.cell_config, self.detections)
        _ = self.stamp_config

    @property
    def cell_config(self) -> CellConfig:
        """The part that its cell reads."""
        return CellConfig(**{name: getattr(self, name) for name in NAMES})

    @property
    def stamp_config(self) -> StampConfig:
        """The part that the network of one detection and the last layers read."""
        return StampConfig(metadata=0, **{name: getattr(self, name) for name in _OF_STAMPS})


_OF_STAMPS = ("side", "crop", "k", "theta", "kernel", "dropout", "dropout_at", "channels", "classes", "mirrored")


def build(config: TemporalConfig, *, seed: int = 0) -> keras.Model:
    """Return an untrained model; `seed` decides its weights, its dropout and its jitter.

    Inputs by name, float32 without NaN, each only if `config` has it: `stamps` (batch, n, side, side, channels) in
    0..1, `dynamic` (batch, n, features), `static` (batch, features). Output: float32 probabilities (batch, classes).
    """
    source = seeds(seed)
    inputs = {name: keras.Input(shape, name=name) for name, shape in _shapes(config).items()}
    found = []
    sequence = _sequence(inputs, config, source)
    if sequence:
        found.append(cells.named(config.cell)(_joined(sequence, "sequence"), config.cell_config, source))
    if "static" in inputs:
        found.append(layers.BatchNormalization(name="static_norm")(inputs["static"]))
    answer = head(_joined(found, "joint"), config.stamp_config, source)
    return keras.Model(list(inputs.values()), answer, name="temporal_stamp_classifier")


def _shapes(config: TemporalConfig) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    if config.images:
        shapes["stamps"] = (config.detections, config.side, config.side, config.channels)
    if config.dynamic:
        shapes["dynamic"] = (config.detections, config.dynamic)
    if config.static:
        shapes["static"] = (config.static,)
    return shapes


def _sequence(inputs: dict[str, Any], config: TemporalConfig, source: Iterator[int]) -> list[Any]:
    """Return what is known of each detection: (batch, n, 64) of the images, (batch, n, dynamic) of the metadata."""
    parts = []
    if "stamps" in inputs:
        together = ops.reshape(inputs["stamps"], (-1, config.side, config.side, config.channels))
        features = view_features(together, config.stamp_config, source)
        parts.append(ops.reshape(features, (-1, config.detections, UNITS)))
    if "dynamic" in inputs:
        parts.append(layers.BatchNormalization(name="dynamic_norm")(inputs["dynamic"]))
    return parts


def _joined(parts: list[Any], name: str) -> Any:
    return parts[0] if len(parts) == 1 else layers.Concatenate(name=name)(parts)
