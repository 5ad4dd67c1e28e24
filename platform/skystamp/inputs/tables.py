"""A table of named numbers -> standardised ones: missing values replaced, clipped, centred and scaled.

The order is that of the published training code (Carrasco-Davis et al. 2021): a missing value gets its rule, then every
value is clipped, then the mean of the training split is subtracted and its deviation divided by. Where the paper is
silent we say what we do: each feature has a rule for a missing value.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32, Float64

Clips = Mapping[str, tuple[float | None, float | None]]

_SGSCORES = ("sgscore1", "sgscore2", "sgscore3")
_DISTANCES = ("distpsnr1", "distpsnr2", "distpsnr3", "distnr")

CLIPS: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys((*_SGSCORES, *_DISTANCES, "magnr"), (-1.0, None)),
    "fwhm": (None, 10.0),
    "ndethist": (None, 20.0),
    "ncovhist": (None, 3000.0),
    "non_detections": (None, 2000.0),
    "chinr": (-1.0, 15.0),
    "sharpnr": (-1.0, 1.5),
}
"""Lower and upper bound of each clipped feature (the published training code)."""

MISSING: dict[str, float] = dict.fromkeys((*_SGSCORES, *_DISTANCES, "magnr", "chinr", "sharpnr"), -1.0)
"""What stands for a missing value: -1 where the survey writes -999 for "no such source", as clipping made it in the
paper; any feature not named here gets the mean of the training split."""


def clipped(
    table: Float64[np.ndarray, "*rows column"],
    columns: Sequence[str],
    names: Sequence[str],
    clips: Clips,
    missing: Mapping[str, float],
) -> Float64[np.ndarray, "*rows selected"]:
    """Return the columns `names` of a table with missing values replaced where there is a rule, and clipped.

    NaN stays where a missing value has no rule of its own.
    """
    out = table[..., [columns.index(name) for name in names]]
    for i, name in enumerate(names):
        values = out[..., i]
        if name in missing:
            values[np.isnan(values)] = missing[name]
        low, high = clips.get(name, (None, None))
        if low is not None or high is not None:
            np.clip(values, low, high, out=values)
    return out


def statistics(table: Float64[np.ndarray, "*rows feature"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the deviation of each feature over all rows, NaN left out.

    A feature that never varies gets deviation 1. One that is always missing gets mean 0 and deviation 0, by which
    `standardised` leaves it out for good: nothing was learned of it.
    """
    rows = table.reshape(math.prod(table.shape[:-1]), table.shape[-1])
    known = ~np.isnan(rows)
    count = np.maximum(known.sum(0), 1)
    means = np.where(known, rows, 0).sum(0) / count
    deviations = np.sqrt(np.where(known, (rows - means) ** 2, 0).sum(0) / count)
    deviations[deviations == 0] = 1.0
    deviations[~known.any(axis=0)] = 0.0
    return tuple(means.tolist()), tuple(deviations.tolist())


def standardised(
    table: Float64[np.ndarray, "*rows feature"], means: Sequence[float], deviations: Sequence[float]
) -> Float32[np.ndarray, "*rows feature"]:
    """Return a clipped table minus the means, divided by the deviations; 0, which is the mean, for NaN.

    Where the deviation is 0 everything is 0: a model that learned without AllWISE must not be moved by it later.
    """
    known = np.array(deviations) > 0
    scaled = np.where(known, table - np.array(means), 0.0) / np.where(known, deviations, 1.0)
    return np.nan_to_num(scaled, nan=0.0).astype(np.float32)
