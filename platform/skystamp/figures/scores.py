"""Pictures of scores: what is confused with what, at which threshold, how sure, and where.

Several trainings of one configuration give a spread, which each figure shows: as a deviation in a cell, as a band or
as thin lines.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped
from matplotlib.figure import Figure

from skystamp.figures.drawing import FAINT, FIRST, INK, SECOND, colour, quiet

DARK = 0.55
"""Share of a row above which its cell is dark enough for white text."""

FEWEST = 5
"""Answers that a bin of the reliability curve needs to be drawn."""

Curves = Sequence[tuple[Shaped[np.ndarray, " _"], Shaped[np.ndarray, " _"]]]


def confusion_spread_figure(
    counts: Float64[np.ndarray, "seed true predicted"], classes: Sequence[str], title: str = ""
) -> Figure:
    """Return the mean confusion matrix over seeds: per cent of each row, deviation over the seeds, mean counts.

    `classes` names rows and columns in order. Rows without examples stay white.
    """
    totals = counts.sum(axis=2, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    mean, several = shares.mean(axis=0), len(counts) > 1
    figure = Figure(figsize=(1.9 + 1.1 * len(classes), 1.3 + 0.85 * len(classes)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(mean, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(mean):
        ink = "white" if share > DARK else INK
        spread = f" ± {100 * shares[:, row, column].std(ddof=1):.1f}" if several else ""
        axes.text(column, row - 0.12, f"{100 * share:.1f}{spread} %", ha="center", va="center", color=ink, fontsize=10)
        number = f"{counts[:, row, column].mean():.{1 if several else 0}f}"
        axes.text(column, row + 0.24, number, ha="center", va="center", color=ink, fontsize=8, alpha=0.8)
    axes.set_xticks(range(len(classes)), labels=list(classes))
    axes.set_yticks(range(len(classes)), labels=list(classes))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="answered", ylabel="true")
    if title:
        axes.set_title(title, fontsize=11)
    return figure


def roc_figure(named: Mapping[str, Curves], labels: Mapping[str, str], positive: str) -> Figure:
    """Return receiver operating curves, linear and with a logarithmic rate of false positives.

    Parameters
    ----------
    named : dict
        Model -> of each seed, rates of false and of true positives, ascending.
    labels : dict
        Model -> what the legend says of it.
    positive : str
        The class that is told from the rest.
    """
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    whole, near = (quiet(axes) for axes in figure.subplots(1, 2))
    for (name, curves), ink in zip(named.items(), (FIRST, SECOND), strict=False):
        for number, (false, true) in enumerate(curves):
            style: dict[str, Any] = {"color": ink, "alpha": 0.9 if len(curves) == 1 else 0.55, "linewidth": 1.4}
            style |= {"label": labels[name]} if number == 0 else {}
            whole.step(false, true, where="post", **style)
            near.step(np.maximum(false, 1e-6), true, where="post", **style)
    whole.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    whole.set(xlim=(-0.01, 1.01), ylim=(0, 1.01), xlabel="rate of false positives", ylabel=f"share of {positive} found")
    near.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1.01), xlabel="rate of false positives, logarithmic")
    whole.legend(loc="lower right", fontsize=9, frameon=False)
    return figure


def thresholds_figure(
    thresholds: Shaped[np.ndarray, " threshold"],
    purity: Float64[np.ndarray, "seed threshold"],
    completeness: Float64[np.ndarray, "seed threshold"],
    positive: str,
) -> Figure:
    """Return purity and completeness against the threshold, a band of one deviation over the seeds about each mean."""
    figure = Figure(figsize=(4.8, 4.2), layout="constrained")
    axes = quiet(figure.add_subplot())
    for name, values, ink in (("purity", purity, FIRST), ("completeness", completeness, SECOND)):
        known = ~np.isnan(values).any(axis=0)
        mean, spread = values[:, known].mean(axis=0), values[:, known].std(axis=0)
        axes.plot(thresholds[known], mean, color=ink, label=name)
        axes.fill_between(thresholds[known], mean - spread, mean + spread, color=ink, alpha=0.2, linewidth=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=f"threshold on the probability of {positive}", ylabel="share")
    axes.legend(loc="lower left", fontsize=9, frameon=False)
    return figure


def reliability_figure(
    named: Mapping[str, tuple[Shaped[np.ndarray, " bin"], Shaped[np.ndarray, " bin"], Shaped[np.ndarray, " bin"]]],
    labels: Mapping[str, str],
) -> Figure:
    """Return share right against confidence, and below it how often each confidence is given.

    Parameters
    ----------
    named : dict
        Model -> counts, mean confidence and share right of equal bins (`metrics.calibration_bins`).
    labels : dict
        Model -> what the legend says of it.
    """
    figure = Figure(figsize=(4.8, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    quiet(above).plot([0, 1], [0, 1], color=FAINT, linestyle=":", label="calibrated")
    width = 0.9 / max(len(counts) for counts, _, _ in named.values()) / len(named)
    for number, ((name, bins), ink) in enumerate(zip(named.items(), (FIRST, SECOND), strict=False)):
        counts, confidence, right = bins
        known = counts >= FEWEST
        error = np.sqrt(right[known] * (1 - right[known]) / counts[known])
        above.errorbar(confidence[known], right[known], error, fmt="o-", ms=4, lw=1.2, color=ink, label=labels[name])
        edges = (np.arange(len(counts)) + 0.5) / len(counts) + (number - (len(named) - 1) / 2) * width
        quiet(below).bar(edges, counts / counts.sum(), width=width, color=ink, alpha=0.75)
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share right")
    above.legend(loc="upper left", fontsize=9, frameon=False)
    below.set(xlabel="confidence (probability of the answered class)", ylabel="share given")
    return figure


def histograms_figure(
    probabilities: Shaped[np.ndarray, "example class"], labels: Shaped[np.ndarray, " example"], classes: Sequence[str]
) -> Figure:
    """Return for each class the probability it is given: of objects that are of it (filled) and of all others."""
    columns = min(3, len(classes))
    rows = -(-len(classes) // columns)
    figure = Figure(figsize=(3.3 * columns, 2.5 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    edges = np.linspace(0, 1, 26).tolist()
    for number, (axes, name) in enumerate(zip(grid, classes, strict=False)):
        own = labels == number
        quiet(axes).hist(probabilities[own, number], edges, color=colour(name), alpha=0.75, label=f"{name}")
        axes.hist(probabilities[~own, number], edges, histtype="step", color=INK, linewidth=1.1, label="others")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper center", fontsize=8.5, frameon=False)
        if number >= len(classes) - columns:
            axes.set_xlabel("probability")
            axes.tick_params(labelbottom=True)
        if number % columns == 0:
            axes.set_ylabel("objects")
    for axes in grid[len(classes) :]:
        axes.set_visible(False)
    return figure


def slices_figure(
    slices: Sequence[tuple[str, Sequence[str], Sequence[Shaped[np.ndarray, "_ 3"]]]],
    overall: Sequence[float],
    labels: Sequence[str],
    *,
    what: str = "accuracy",
) -> Figure:
    """Return a score in each slice with its interval, a panel for each way of slicing.

    Parameters
    ----------
    slices : sequence
        Of each way: its name, its rows' names, and of each model float (row, 3): estimate, low, high; NaN is left out.
    overall : sequence of float
        Of each model; a line through all panels.
    labels : sequence of str
        Of each model.
    what : str
        The score, on the common axis.
    """
    sizes = [len(rows) for _, rows, _ in slices]
    figure = Figure(figsize=(7.6, 0.9 + 0.36 * sum(sizes) + 0.42 * len(sizes)), layout="constrained")
    panels = figure.subplots(len(slices), 1, sharex=True, squeeze=False, height_ratios=[s + 0.6 for s in sizes]).ravel()
    for axes, (name, rows, models) in zip(panels, slices, strict=True):
        quiet(axes, grid="x")
        for number, (values, ink) in enumerate(zip(models, (FIRST, SECOND), strict=False)):
            shift = (number - (len(models) - 1) / 2) * 0.26
            estimate, low, high = values.T
            reach = np.abs(np.stack([estimate - low, high - estimate]))
            place = np.arange(len(rows)) + shift
            label = labels[number] if axes is panels[0] else None
            axes.errorbar(estimate, place, xerr=reach, fmt="o", ms=5, lw=1.6, color=ink, label=label)
            axes.axvline(overall[number], color=ink, linestyle=":", linewidth=1, alpha=0.7)
        axes.set_yticks(range(len(rows)), labels=list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_title(name, loc="left", fontsize=10, color=INK)
    panels[-1].set_xlabel(f"{what}; bars hold 95 % of draws of objects")
    if len(labels) > 1:
        figure.legend(loc="outside upper center", ncols=len(labels), fontsize=9, frameon=False)
    return figure
