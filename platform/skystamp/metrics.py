"""Scores of a classifier, from probabilities or a confusion matrix; NumPy alone.

Matrices are (true, predicted). A score that has no cases (recall of a class that does not occur) is NaN, and means
over classes leave NaN out.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy.typing import ArrayLike

TINY = 1e-30
"""Probabilities are taken as at least this before the logarithm, as in `models.losses`."""

Probabilities = Float[np.ndarray, "example class"]
Labels = Int64[np.ndarray, " example"]
Matrix = Int64[np.ndarray, "true predicted"]
PerClass = Float64[np.ndarray, " class"]


def confusion_matrix(labels: Labels, predicted: Labels, classes: int) -> Matrix:
    """Return int64 (true, predicted) counts of class numbers 0..`classes` - 1.

    Raises
    ------
    ValueError
        If a class number is outside that range.
    """
    both = np.concatenate([labels, predicted])
    if both.size and (both.min() < 0 or both.max() >= classes):
        raise ValueError(f"Class numbers should be in 0..{classes - 1}. Received: {int(both.min())}..{int(both.max())}")
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def recall(matrix: Matrix) -> PerClass:
    """Return the share of each true class that was found; NaN for a class that does not occur."""
    return _ratio(np.diag(matrix), matrix.sum(axis=1))


def precision(matrix: Matrix) -> PerClass:
    """Return the share of each predicted class that was right; NaN for a class never predicted."""
    return _ratio(np.diag(matrix), matrix.sum(axis=0))


def f1(matrix: Matrix) -> PerClass:
    """Return each class's harmonic mean of precision and recall.

    0 if a class occurs or is predicted and never rightly; NaN if it neither occurs nor is predicted.
    """
    return _ratio(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1))


def accuracy(matrix: Matrix) -> float:
    """Return the share of examples that are right; NaN without examples."""
    return float(_ratio(np.trace(matrix), matrix.sum()))


def balanced_accuracy(matrix: Matrix) -> float:
    """Return the mean recall of the classes that occur; NaN without examples."""
    return _mean(recall(matrix))


def macro_f1(matrix: Matrix) -> float:
    """Return the mean F1 of the classes that occur or are predicted; NaN without examples."""
    return _mean(f1(matrix))


def cross_entropy(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean of -log of the probability given to the true class, nats; NaN without examples."""
    given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return _mean(-np.log(np.maximum(given, TINY)))


def entropy(probabilities: Probabilities) -> float:
    """Return the mean entropy of the predictions, nats; NaN without examples."""
    p = probabilities.astype(np.float64)
    return _mean(-(p * np.log(np.maximum(p, TINY))).sum(axis=1))


def calibration_bins(
    probabilities: Probabilities, labels: Labels, bins: int = 15
) -> tuple[Int64[np.ndarray, " bin"], Float64[np.ndarray, " bin"], Float64[np.ndarray, " bin"]]:
    """Return counts, mean confidence and accuracy in equal bins of the top probability, 0..1.

    Confidence and accuracy are NaN in an empty bin.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins).astype(np.int64)
    sums = (np.bincount(place, weights=values, minlength=bins) for values in (confidence, right))
    mean_confidence, share_right = (_ratio(total, counts) for total in sums)
    return counts, mean_confidence, share_right


def expected_calibration_error(probabilities: Probabilities, labels: Labels, bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over the bins, weighted by their counts.

    Source: Guo et al. 2017, equation 3. NaN without examples.
    """
    counts, confidence, share_right = calibration_bins(probabilities, labels, bins)
    return float(_ratio(np.nansum(counts * np.abs(confidence - share_right)), counts.sum()))


def scores(probabilities: Probabilities, labels: Labels) -> dict[str, float]:
    """Return the scores that sum up a classifier, by the names they are logged under."""
    matrix = confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1])
    return {
        "cross_entropy": cross_entropy(probabilities, labels),
        "entropy": entropy(probabilities),
        "accuracy": accuracy(matrix),
        "balanced_accuracy": balanced_accuracy(matrix),
        "macro_f1": macro_f1(matrix),
        "calibration_error": expected_calibration_error(probabilities, labels),
    }


def class_scores(matrix: Matrix, classes: tuple[str, ...]) -> dict[str, float]:
    """Return `precision_NAME`, `recall_NAME` and `f1_NAME` of each class; NaN as in their functions."""
    if len(classes) != len(matrix):
        raise ValueError(f"classes should name each row of matrix. Received: {classes}, {len(matrix)} rows")
    kinds = {"precision": precision(matrix), "recall": recall(matrix), "f1": f1(matrix)}
    return {
        f"{kind}_{name}": float(value)
        for kind, values in kinds.items()
        for name, value in zip(classes, values, strict=True)
    }


def _ratio(above: ArrayLike, below: ArrayLike) -> Float64[np.ndarray, "..."]:
    """Return `above` / `below`, NaN where `below` is 0."""
    divisor = np.asarray(below, np.float64)
    return np.divide(above, divisor, out=np.full_like(divisor, np.nan), where=divisor != 0)


def _mean(values: Float64[np.ndarray, " value"]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
