"""Occlusion: what a class's probability loses when a part of the inputs is put back to the baseline.

Source: Zeiler and Fergus 2014 (ECCV), Section 4.2. A part is a square patch of one band of one stamp, or one number. A
pixel's value is the mean over the patches that cover it. Positive: the part spoke for the class.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from skystamp.networks import Arrays, Predict

Part = tuple[int | slice, ...]

PATCH, STRIDE = 5, 3  # pixels
AT_ONCE = 64  # occluded copies that pass the network together
STAMPS = "stamps"


def occlusion(
    predict: Predict,
    inputs: Arrays,
    baseline: Arrays,
    label: int,
    *,
    patch: int = PATCH,
    stride: int = STRIDE,
) -> dict[str, np.ndarray]:
    """Return the loss of a class's probability by each part of one example's inputs, float32, in the inputs' shapes.

    Parameters
    ----------
    predict : callable
        Inputs by name (example, ...) -> probabilities (example, class).
    inputs, baseline : mapping
        A model's inputs by name, of one example each: axes (1, ...); ``stamps`` end in (y, x, band), all others are
        numbers.
    label : int
        Class number.
    patch, stride : int
        Side of a patch and the distance between two, pixels.
    """
    whole = float(predict(inputs)[0, label])
    found = {}
    for name, values in inputs.items():
        shape = values.shape[1:]
        parts = list(_patches(shape, patch, stride) if name == STAMPS else np.ndindex(shape))
        total, count = np.zeros(shape), np.zeros(shape)
        for start in range(0, len(parts), AT_ONCE):
            some = parts[start : start + AT_ONCE]
            left = predict(_occluded(inputs, baseline, name, some))[:, label]
            for part, probability in zip(some, left.tolist(), strict=True):
                total[part] += whole - probability
                count[part] += 1
        found[name] = (total / count).astype(np.float32)
    return found


def _patches(shape: tuple[int, ...], patch: int, stride: int) -> Iterator[Part]:
    """Yield the patches of every band of every stamp; together they cover it, its edges too."""
    *leading, height, width, bands = shape
    rows, columns = (_windows(side, patch, stride) for side in (height, width))
    yield from (
        (*lead, row, column, band)
        for lead, row, column, band in itertools.product(np.ndindex(*leading), rows, columns, range(bands))
    )


def _windows(side: int, patch: int, stride: int) -> list[slice]:
    last = max(side - patch, 0)
    starts = sorted({*range(0, last, stride), last})
    return [slice(start, min(start + patch, side)) for start in starts]


def _occluded(inputs: Arrays, baseline: Arrays, name: str, parts: list[Part]) -> dict[str, np.ndarray]:
    """Return as many copies of the example as there are parts, in each of which one part is the baseline's."""
    copies = {key: np.repeat(values, len(parts), axis=0) for key, values in inputs.items()}
    for copy, part in zip(copies[name], parts, strict=True):
        copy[part] = baseline[name][0][part]
    return copies
