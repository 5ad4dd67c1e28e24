"""Layers that make a network indifferent to how a stamp is turned.

    stamps (batch, side, side, channels)
      Rotations      (views * batch, crop, crop, channels)   all stamps in view 0, then all in view 1, ...
      any network of one view                                (views * batch, features)
      CyclicPooling  (batch, features)                       the mean over the views

Views turn anticlockwise, like `numpy.rot90`. Quarter turns are exact, other angles are bilinear with zero
outside the stamp. At inference a layer is a fixed function of its input; only in training are angles drawn.

The classes are `no_type_check` for jaxtyping's import hook: Keras reads the arguments of a layer's `__init__` from its
code, which a checked `__init__` hides. mypy checks them as ever.
"""

from typing import Any, no_type_check

import keras
import numpy as np
from keras import ops

Shape = tuple[int | None, ...]


@no_type_check
@keras.saving.register_keras_serializable(package="skystamp")
class Rotations(keras.layers.Layer):
    """Views of each stamp at `copies` equally spaced angles, cropped at the centre.

    Parameters
    ----------
    copies : int
        Number of angles, 360 / `copies` degrees apart (k of the enhanced stamp classifier).
    crop : int
        Side of the views, pixels; input side minus `crop` should be even, so that both have one centre.
    theta : float
        In training every angle of every stamp gets its own uniform draw from [-theta, theta] radians. At
        inference, and in training when `theta` is 0, angles are exact.
    mirrored : bool
        Adds the left-right mirror image of every view after the views, which doubles them.
    seed : int or None
        Of the draws.

    Input shape: `(batch, side, side, channels)`.
    Output shape: `(views * batch, crop, crop, channels)`, view by view; `views` is `copies`, doubled if mirrored.
    """

    def __init__(
        self,
        copies: int,
        crop: int,
        theta: float = 0.0,
        mirrored: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if copies < 1:
            raise ValueError(f"copies should be at least 1. Received: copies={copies}")
        if theta < 0:
            raise ValueError(f"theta should be at least 0 radians. Received: theta={theta}")
        self.copies, self.crop, self.theta, self.mirrored, self.seed = copies, crop, theta, mirrored, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    @property
    def views(self) -> int:
        """How many views are made of each stamp."""
        return self.copies * (2 if self.mirrored else 1)

    def build(self, input_shape: Shape) -> None:
        """Check that the stamps are square and share their centre pixel with the crop."""
        height, width = input_shape[1:3]
        if height is None or height != width:
            raise ValueError(f"Stamps should be square, (batch, side, side, channels). Received: {input_shape}")
        if not 1 <= self.crop <= height or (height - self.crop) % 2:
            raise ValueError(
                f"crop should be at most side and side - crop even. Received: crop={self.crop}, side={height}"
            )

    def call(self, stamps: Any, training: bool | None = None) -> Any:
        """Return the views of `stamps`."""
        turned = self._jittered(stamps) if training and self.theta > 0 else self._exact(stamps)
        return ops.concatenate([turned, ops.flip(turned, axis=2)], axis=0) if self.mirrored else turned

    def _exact(self, stamps: Any) -> Any:
        """Turn by the nominal angles: one resampling for each angle within a quarter, then quarter turns."""
        quarters = [divmod(4 * view, self.copies) for view in range(self.copies)]
        upright = {part: self._upright(stamps, part) for part in sorted({part for _, part in quarters})}
        return ops.concatenate([ops.rot90(upright[part], k=turns, axes=(1, 2)) for turns, part in quarters], axis=0)

    def _upright(self, stamps: Any, part: int) -> Any:
        """Crop after a turn by `part / copies` of a quarter, at angles known when the layer is built."""
        if part == 0:
            return _centre_crop(stamps, self.crop)
        side, channels = stamps.shape[1], stamps.shape[-1]
        flat = ops.reshape(_framed(stamps), (-1, (side + 2) ** 2, channels))
        corners = _corners(np.float64(part * np.pi / 2 / self.copies), self.crop, side, np)
        parts = (
            ops.take(flat, index.astype("int32"), axis=1) * ops.cast(weight[:, None], stamps.dtype)
            for index, weight in corners
        )
        return ops.reshape(sum(parts), (-1, self.crop, self.crop, channels))

    def _jittered(self, stamps: Any) -> Any:
        """Turn every stamp by its own angles: nominal plus a draw from [-theta, theta]."""
        batch, side, channels = ops.shape(stamps)[0], stamps.shape[1], stamps.shape[-1]
        nominal = np.arange(self.copies, dtype="float32")[:, None] * np.float32(2 * np.pi / self.copies)
        draw = keras.random.uniform(
            (self.copies, batch), -self.theta, self.theta, dtype="float32", seed=self.seed_generator
        )
        flat = ops.reshape(_framed(stamps), (-1, channels))
        first = ops.reshape(ops.arange(batch, dtype="int32") * (side + 2) ** 2, (1, -1, 1))
        parts = (
            ops.take(flat, ops.cast(index, "int32") + first, axis=0)
            * ops.cast(ops.expand_dims(weight, -1), stamps.dtype)
            for index, weight in _corners(nominal + draw, self.crop, side, ops)
        )
        return ops.reshape(sum(parts), (-1, self.crop, self.crop, channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(views * batch, crop, crop, channels)`."""
        batch = input_shape[0]
        return (None if batch is None else batch * self.views, self.crop, self.crop, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        own = {name: getattr(self, name) for name in ("copies", "crop", "theta", "mirrored", "seed")}
        return {**super().get_config(), **own}


@no_type_check
@keras.saving.register_keras_serializable(package="skystamp")
class CyclicPooling(keras.layers.Layer):
    """Mean over the views that `Rotations` laid along the batch axis.

    Input shape: `(views * batch, ...)`, view by view.
    Output shape: `(batch, ...)`.
    """

    def __init__(self, views: int, **kwargs: Any):
        super().__init__(**kwargs)
        if views < 1:
            raise ValueError(f"views should be at least 1. Received: views={views}")
        self.views = views

    def call(self, features: Any) -> Any:
        """Return the mean of `features` over the views."""
        return ops.mean(ops.reshape(features, (self.views, -1, *features.shape[1:])), axis=0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(batch, ...)`."""
        batch = input_shape[0]
        return (None if batch is None else batch // self.views, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "views": self.views}


def _centre_crop(stamps: Any, crop: int) -> Any:
    start = (stamps.shape[1] - crop) // 2
    return stamps[:, start : start + crop, start : start + crop, :]


def _framed(stamps: Any) -> Any:
    """Put one pixel of zeros around stamps, so that bilinear sampling fades to zero outside them."""
    return ops.pad(stamps, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _corners(angle: Any, crop: int, side: int, xp: Any) -> list[tuple[Any, Any]]:
    """Where each pixel of a turned, cropped view comes from: its four neighbours in the framed stamp.

    Parameters
    ----------
    angle : array (...)
        Radians, anticlockwise as in `numpy.rot90`.
    crop, side : int
        Sides of the view and of the stamp without its frame, pixels.
    xp : module
        `numpy` for angles known beforehand, `keras.ops` for drawn ones.

    Returns
    -------
    list of four (index, weight)
        Arrays (..., crop * crop): flat index into (side + 2) ** 2 pixels, as whole floats, and weight in 0..1.
        The four weights of a pixel add up to 1.
    """
    rows, columns = np.divmod(np.arange(crop * crop), crop)
    y, x = ((axis - (crop - 1) / 2).astype("float32") for axis in (rows, columns))
    cos, sin = xp.cos(angle)[..., None], xp.sin(angle)[..., None]
    row, column = (xp.clip(centred + (side + 1) / 2, 0, side + 1) for centred in (y * cos + x * sin, x * cos - y * sin))
    top, left = (xp.minimum(xp.floor(axis), side) for axis in (row, column))
    down, right = row - top, column - left
    corner = top * (side + 2) + left
    return [
        (corner, (1 - down) * (1 - right)),
        (corner + 1, (1 - down) * right),
        (corner + side + 2, down * (1 - right)),
        (corner + side + 3, down * right),
    ]
