"""Distributions of the metadata, class by class (Carrasco-Davis et al. 2021, Figure A1)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Shaped
from matplotlib.figure import Figure

from skystamp.figures.drawing import INK, colour, quiet

COLUMNS, BINS = 4, 30


def features_figure(
    values: Float64[np.ndarray, "object feature"],
    names: Sequence[str],
    labels: Shaped[np.ndarray, " object"],
    classes: Sequence[str],
) -> Figure:
    """Return a panel for each feature with the share of each class's objects in bins of it.

    Bins reach from the 0.5th to the 99.5th percentile of all values, what lies beyond is in the outermost; NaN is
    counted in the panel's title and left out.

    Parameters
    ----------
    values : float64 (object, feature)
        In the order of `names`.
    names : sequence of str
    labels : str (object,)
    classes : sequence of str
        Those that are drawn.
    """
    rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(12.4, 1.95 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, name, column in zip(grid, names, values.T, strict=False):
        known = column[np.isfinite(column)]
        missing = 1 - len(known) / max(len(column), 1)
        axes.set_title(name + _missing(missing), fontsize=9.5, loc="left", color=INK)
        quiet(axes, grid="y").set_yticklabels([])
        if len(known):
            edges = _edges(known)
            for each in classes:
                own = column[(labels == each) & np.isfinite(column)]
                weights = np.full(len(own), 1 / max(len(own), 1))
                axes.hist(
                    own.clip(edges[0], edges[-1]),
                    edges,
                    weights=weights,
                    histtype="step",
                    color=colour(each),
                    linewidth=1.3,
                    label=each if axes is grid[0] else None,
                )
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(classes), fontsize=10, frameon=False)
    return figure


def _missing(share: float) -> str:
    if not share:
        return ""
    return f"  ({share:.0%} missing)" if share >= 0.005 else "  (under 1% missing)"


def _edges(known: Float64[np.ndarray, " value"]) -> Float64[np.ndarray, " edge"]:
    low, high = np.percentile(known, [0.5, 99.5])
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)
