"""The stamp classifier and the enhanced one: one architecture of the first detection, by its parameters.

    stamps (batch, side, side, 3) in 0..1              metadata (batch, features), standardised
      Rotations    (views * batch, crop, crop, 3)        BatchNormalization
      zero padding 3 pixels on each side                   |
      conv 4x4x32 valid, conv kxkx32, max-pool 2           |
      three conv kxkx64, max-pool 2, flatten               |
      dense 64, dropout                                    |
      CyclicPooling (batch, 64) ------ concatenate --------+
                                           |
                     dense 64, dropout, dense 64, softmax (batch, classes)

Sources: Carrasco-Davis et al. 2021 (AJ 162, 231) for `StampConfig()`; Reyes-Jainaga et al. 2023 for other angles,
jitter and crops, `ENHANCED`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import layers

from skystamp.models.layers import CyclicPooling, Rotations
from skystamp.models.seeds import glorot, seeds

PADDING = 3
UNITS = 64
DropoutPlace = Literal["view", "joint", "last"]


@dataclass(frozen=True)
class StampConfig:
    """Parameters of the architecture. The defaults are the published best of the stamp classifier.

    Parameters
    ----------
    side, crop : int
        Sides of the stamps given and, after turning, of the views, pixels. side - crop should be even.
    k : int
        Number of equally spaced angles.
    theta : float
        Jitter of the angles in training, radians, uniform in [-theta, theta].
    kernel : int
        Side of the kernels after the first, pixels.
    dropout : float
        Share of units dropped at each place of `dropout_at`.
    dropout_at : tuple of str
        After which dense layers: `view` (before pooling), `joint` (first after the metadata), `last`. The paper
        shows `joint` alone, the published code drops at all three; in short trainings the third slows learning
        much and `joint` alone learns fastest.
    metadata : int
        Number of metadata features; 0 leaves the metadata input out.
    channels, classes : int
        Bands of a stamp, and classes of the answer.
    mirrored : bool
        Adds mirrored views, which makes the answer indifferent to reflections too (not in the papers).
    """

    side: int = 21
    crop: int = 21
    k: int = 4
    theta: float = 0.0
    kernel: int = 5
    dropout: float = 0.5
    dropout_at: tuple[DropoutPlace, ...] = ("view", "joint")
    metadata: int = 23
    channels: int = 3
    classes: int = 5
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout should be in [0, 1). Received: dropout={self.dropout}")
        if self.metadata < 0 or self.classes < 2:
            raise ValueError(
                "metadata should be at least 0 and classes at least 2. "
                f"Received: metadata={self.metadata}, classes={self.classes}"
            )


ENHANCED = StampConfig(side=45, crop=33, k=6, theta=0.08)
"""The published best of the enhanced stamp classifier."""


def build(config: StampConfig, *, seed: int = 0) -> keras.Model:
    """Return an untrained model; `seed` decides its weights, its dropout and its jitter.

    Inputs by name: `stamps` float32 (batch, side, side, channels) in 0..1 without NaN, and, unless
    `config.metadata` is 0, `metadata` float32 (batch, features) without NaN. Output: float32 probabilities
    (batch, classes).
    """
    source = seeds(seed)
    stamps = keras.Input((config.side, config.side, config.channels), name="stamps")
    inputs, joint = [stamps], view_features(stamps, config, source)
    if config.metadata:
        metadata = keras.Input((config.metadata,), name="metadata")
        inputs.append(metadata)
        joint = layers.Concatenate(name="joint")([joint, layers.BatchNormalization(name="metadata_norm")(metadata)])
    return keras.Model(inputs, head(joint, config, source), name="stamp_classifier")


def view_features(stamps: Any, config: StampConfig, source: Iterator[int]) -> Any:
    """Return the image half of the network applied to `stamps`: (batch, 64), the mean over the views."""
    rotations = Rotations(config.k, config.crop, config.theta, config.mirrored, next(source), name="rotations")
    x = layers.ZeroPadding2D(PADDING, name="padding")(rotations(stamps))
    x = _conv(32, 4, "valid", source, "conv_1")(x)
    x = _conv(32, config.kernel, "same", source, "conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    for number in (3, 4, 5):
        x = _conv(64, config.kernel, "same", source, f"conv_{number}")(x)
    x = layers.Flatten(name="flatten")(layers.MaxPooling2D(2, name="pool_2")(x))
    return CyclicPooling(rotations.views, name="cyclic_pooling")(_dense("view", config, source)(x))


def head(joint: Any, config: StampConfig, source: Iterator[int]) -> Any:
    """Return the class probabilities of `joint` (batch, features): float32 (batch, classes)."""
    places: tuple[DropoutPlace, ...] = ("joint", "last")
    for place in places:
        joint = _dense(place, config, source)(joint)
    logits = layers.Dense(config.classes, kernel_initializer=glorot(source), name="logits")(joint)
    return layers.Activation("softmax", dtype="float32", name="probabilities")(logits)


def _conv(filters: int, kernel: int, padding: str, source: Iterator[int], name: str) -> keras.layers.Layer:
    return layers.Conv2D(
        filters, kernel, padding=padding, activation="relu", kernel_initializer=glorot(source), name=name
    )


def _dense(place: DropoutPlace, config: StampConfig, source: Iterator[int]) -> Callable[[Any], Any]:
    """Return dense 64 with ReLU, and dropout where `config` has it."""
    dense = layers.Dense(UNITS, activation="relu", kernel_initializer=glorot(source), name=f"{place}_dense")
    if place not in config.dropout_at:
        return dense
    dropout = layers.Dropout(config.dropout, seed=next(source), name=f"{place}_dropout")
    return lambda x: dropout(dense(x))
