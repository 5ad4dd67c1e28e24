"""Bootstrap by object of sums over objects: means, confusion matrices and their differences, thousands at a time.

Where a score is a function of sums (an accuracy, a confusion matrix and all that follows from one), a drawn set of
objects need not be put together: drawing objects is giving each a whole number of votes, so a thousand draws are one
product of matrices. Models that are compared share each draw.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from skystamp.statistics.intervals import Interval

CHUNK = 4_000_000
"""Votes held in memory at once."""


def resampled_sums(
    contributions: Shaped[np.ndarray, "alert column"],
    object_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> Float64[np.ndarray, "resample column"]:
    """Return the columns' sums over each of many draws of objects, with all their alerts.

    Raises
    ------
    ValueError
        If there is no object.
    """
    _, group = np.unique(np.asarray(object_ids, dtype=str), return_inverse=True)
    count = int(group.max()) + 1 if len(group) else 0
    if not count:
        raise ValueError("there should be at least one object. Received: none")
    per_object = np.zeros((count, contributions.shape[1]))
    np.add.at(per_object, group, contributions)
    share, step = np.full(count, 1 / count), max(1, CHUNK // count)
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    return np.concatenate([rng.multinomial(count, share, size) @ per_object for size in sizes])


def mean_interval(
    values: Shaped[np.ndarray, " alert"],
    object_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> Interval:
    """Return the mean of values with its percentile interval by draws of objects.

    Raises
    ------
    ValueError
        If there are fewer than two objects.
    """
    if len(set(object_ids)) < 2:
        raise ValueError(f"there should be at least two objects. Received: {len(set(object_ids))}")
    columns = np.stack([values.astype(np.float64), np.ones(len(values))], axis=1)
    sums = resampled_sums(columns, object_ids, rng=rng, resamples=resamples)
    return interval_of(float(values.mean()), sums[:, 0] / sums[:, 1], confidence)


def resampled_matrices(
    labels: Int64[np.ndarray, " alert"],
    answers: Int64[np.ndarray, "model alert"],
    classes: int,
    object_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    resamples: int = 1000,
) -> Int64[np.ndarray, "model resample true predicted"]:
    """Return the confusion matrices of each model in each draw of objects; all models share the draws."""
    models, cells = len(answers), classes * classes
    places = labels * classes + answers + cells * np.arange(models)[:, None]
    contributions = np.zeros((len(labels), models * cells))
    np.put_along_axis(contributions, places.T, 1.0, axis=1)
    sums = resampled_sums(contributions, object_ids, rng=rng, resamples=resamples)
    shaped = np.rint(sums).astype(np.int64).reshape(resamples, models, classes, classes)
    return np.ascontiguousarray(shaped.transpose(1, 0, 2, 3))


def interval_of(estimate: float, drawn: Float64[np.ndarray, " resample"], confidence: float = 0.95) -> Interval:
    """Return the percentile interval of drawn values; NaN among them is left out, NaN if there are no others."""
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return Interval(estimate, float("nan"), float("nan"), confidence)
    low, high = np.percentile(known, [50 * (1 - confidence), 50 * (1 + confidence)])
    return Interval(estimate, float(low), float(high), confidence)
