"""A score of each training -> its mean, its deviation over them, and the interval that draws of objects give."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from skystamp import metrics, statistics
from skystamp.evaluation.judged import Judged

OF_MATRIX = ("accuracy", "balanced_accuracy", "macro_f1")
"""Scores that follow from a confusion matrix, and so have an interval by draws of objects."""

Spread = dict[str, Any]
"""``mean``, ``std`` over the trainings (None of one alone) and ``values``; ``low`` and ``high`` where there are any."""


def spread(values: Sequence[float] | Sequence[int]) -> Spread:
    """Return mean, sample standard deviation and the values themselves; NaN stays NaN."""
    found = np.asarray(values, np.float64)
    deviation = float(found.std(ddof=1)) if len(found) > 1 else None
    return {"mean": float(found.mean()), "std": deviation, "values": found.tolist()}


def scores(judged: Judged, rng: np.random.Generator) -> dict[str, Spread]:
    """Return every score of `metrics.scores`, those of `OF_MATRIX` with 95 % intervals.

    The interval is of all trainings' answers together: each draw of objects is the same for all of them.
    """
    each = [metrics.scores(one, judged.labels) for one in judged.probabilities]
    found = {name: spread([row[name] for row in each]) for name in each[0]}
    for name, (low, high) in intervals(judged, rng).items():
        found[name] |= {"low": low, "high": high}
    return found


def intervals(judged: Judged, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Return low and high of each score of `OF_MATRIX`; NaN where there are fewer than two objects."""
    if len(set(judged.object_ids.tolist())) < 2:
        return dict.fromkeys(OF_MATRIX, (float("nan"), float("nan")))
    drawn = statistics.resampled_matrices(
        judged.labels, judged.answers, len(judged.classes), judged.object_ids.tolist(), rng=rng
    )
    found = {name: statistics.interval_of(0.0, one) for name, one in of_matrices(drawn.sum(axis=0)).items()}
    return {name: (one.low, one.high) for name, one in found.items()}


def of_matrices(
    matrices: Int64[np.ndarray, "matrix true predicted"],
) -> dict[str, Float64[np.ndarray, " matrix"]]:
    """Return the scores of `OF_MATRIX` of many confusion matrices at once, each as `metrics` has it of one."""
    right, rows, columns = np.einsum("nii->ni", matrices), matrices.sum(axis=2), matrices.sum(axis=1)
    return {
        "accuracy": right.sum(axis=1) / np.maximum(rows.sum(axis=1), 1),
        "balanced_accuracy": _mean_ratio(right, rows),
        "macro_f1": _mean_ratio(2 * right, rows + columns),
    }


def _mean_ratio(above: np.ndarray, below: np.ndarray) -> Float64[np.ndarray, " matrix"]:
    """Return the mean of the ratios of each row, of those that have one."""
    known = below > 0
    ratios = np.divide(above, below, out=np.zeros(above.shape), where=known)
    counts = known.sum(axis=1)
    return np.divide(ratios.sum(axis=1), counts, out=np.full(len(above), np.nan), where=counts > 0)


def of_classes(judged: Judged) -> dict[str, dict[str, Any]]:
    """Return precision, recall and F1 of each class, and how many objects are of it."""
    kinds = {"precision": metrics.precision, "recall": metrics.recall, "f1": metrics.f1}
    values = {kind: np.array([score(one) for one in judged.matrices]) for kind, score in kinds.items()}
    counts = np.bincount(judged.labels, minlength=len(judged.classes))
    return {
        name: {
            "objects": int(counts[number]),
            **{kind: spread(found[:, number].tolist()) for kind, found in values.items()},
        }
        for number, name in enumerate(judged.classes)
    }


def confusion(judged: Judged) -> dict[str, Any]:
    """Return the share of each true class (rows) that got each answer: mean and deviation, and each seed's counts."""
    counts = judged.matrices
    totals = counts.sum(axis=2, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    deviation = shares.std(axis=0, ddof=1).tolist() if judged.seeds > 1 else None
    return {"share_mean": shares.mean(axis=0).tolist(), "share_std": deviation, "counts": counts.tolist()}
