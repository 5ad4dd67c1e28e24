"""Pictures of one training: confusion matrix, learning curve, calibration."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.figure import Figure

from skystamp.metrics import accuracy, balanced_accuracy, calibration_bins, expected_calibration_error, recall

DARK = 0.6
"""Share of a row above which its cell is dark enough for white text."""


def confusion_figure(
    matrix: Int64[np.ndarray, "true predicted"], classes: Sequence[str], title: str = "Confusion"
) -> Figure:
    """Return the confusion matrix: counts in the cells, shade and per cent by row, scores in the title.

    `classes` names rows and columns in order. Rows without examples stay white.
    """
    if matrix.shape != (len(classes), len(classes)):
        raise ValueError(f"matrix should have a row and a column a class. Received: {matrix.shape}, {classes}")
    total = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros(matrix.shape), where=total > 0)
    figure = Figure(figsize=(1.5 + 0.95 * len(classes), 1.2 + 0.95 * len(classes)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        color = "white" if share[row, column] > DARK else "black"
        text = f"{count}\n{share[row, column]:.0%}"
        axes.text(column, row, text, ha="center", va="center", color=color)
    axes.set_xticks(range(len(classes)), labels=list(classes), rotation=30, ha="right")
    found = ["none" if np.isnan(value) else f"{value:.0%}" for value in recall(matrix)]
    names = [f"{name} ({part})" for name, part in zip(classes, found, strict=True)]
    axes.set_yticks(range(len(classes)), labels=names)
    axes.set(xlabel="predicted", ylabel="true (recall)")
    axes.set_title(f"{title}\naccuracy {accuracy(matrix):.3f}, balanced {balanced_accuracy(matrix):.3f}")
    return figure


def learning_curve_figure(history: Mapping[str, Sequence[float]], best_iteration: int | None = None) -> Figure:
    """Return losses (above) and accuracy with macro F1 (below) by iteration, the best iteration marked.

    `history` is `FitResult.history`: `iteration` and, of equal length, `train_loss`, `loss`, `accuracy`,
    `macro_f1`.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, names in ((above, ("train_loss", "loss")), (below, ("accuracy", "macro_f1"))):
        for name in names:
            label = {"loss": "validation loss"}.get(name, name.replace("_", " "))
            axes.plot(history["iteration"], history[name], label=label, linewidth=1)
        if best_iteration is not None:
            axes.axvline(best_iteration, color="black", linestyle=":", label=f"best, {best_iteration}")
        axes.legend()
        axes.grid(alpha=0.3)
    above.set(ylabel="loss (nats)", title="Learning curve")
    below.set(xlabel="iteration", ylabel="validation score")
    return figure


def calibration_figure(
    probabilities: Float[np.ndarray, "example class"], labels: Int64[np.ndarray, " example"], bins: int = 10
) -> Figure:
    """Return accuracy against confidence: bars on the diagonal mean that probabilities can be believed."""
    counts, confidence, share_right = calibration_bins(probabilities, labels, bins)
    known = counts > 0
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="black", linestyle=":", label="calibrated")
    axes.bar(confidence[known], share_right[known], width=0.7 / bins, alpha=0.6, label="accuracy")
    for x, y, count in zip(confidence[known], share_right[known], counts[known], strict=True):
        axes.annotate(str(count), (x, y), ha="center", va="bottom", fontsize="small")
    error = expected_calibration_error(probabilities, labels, bins)
    axes.set(xlim=(0, 1), ylim=(0, 1.08), xlabel="confidence", ylabel="share right")
    axes.set_title(f"Calibration, expected error {error:.3f}")
    axes.legend(loc="upper left")
    return figure
