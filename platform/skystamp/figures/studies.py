"""Pictures of a study's table: what accuracy costs, and how sure the answers of its configurations are."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.figure import Figure

BINS = 25  # of a probability, 0..1


def tradeoff_figure(
    scores: Float[np.ndarray, " item"],
    costs: Float[np.ndarray, " item"],
    *,
    names: Sequence[str],
    marked: Bool[np.ndarray, " item"],
    cost: str,
    score: str = "balanced accuracy, validation",
    spreads: Float[np.ndarray, " item"] | None = None,
    join: bool = False,
) -> Figure:
    """Return scores against costs, the latter in powers of ten: a point an item, with its spread as a bar.

    Parameters
    ----------
    scores, costs : array
        Costs above 0.
    names : sequence of str
        Shown at the marked items.
    marked : array
        Items that stand out, such as the Pareto front.
    cost, score : str
        Names of the axes.
    spreads : array, optional
        Of the scores; NaN where there is none.
    join : bool
        Draw a line of steps through the marked ones, as suits a front.
    """
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    bars = np.nan_to_num(spreads) if spreads is not None else np.zeros(len(scores))
    for chosen, colour, label in ((~marked, "0.6", "others"), (marked, "tab:red", "marked")):
        if chosen.any():
            axes.errorbar(costs[chosen], scores[chosen], bars[chosen], fmt="o", color=colour, capsize=2, label=label)
    order = np.flatnonzero(marked)[np.argsort(costs[marked])]
    if join:
        axes.step(costs[order], scores[order], where="post", color="tab:red", linewidth=1)
    for rank, item in enumerate(order.tolist()):
        offset = (6, 8 if rank % 2 else -14)
        axes.annotate(names[item], (costs[item], scores[item]), offset, textcoords="offset points", fontsize=7)
    axes.margins(x=0.12)
    axes.set(xscale="log", xlabel=cost, ylabel=score)
    axes.grid(alpha=0.3)
    return figure


def confidence_figure(
    confidence: Mapping[str, Float[np.ndarray, " example"]],
    accuracy: Mapping[str, Sequence[float]],
    error: Mapping[str, Sequence[float]],
) -> Figure:
    """Return how sure configurations are: histograms of the top probability, and accuracy and calibration beside them.

    Parameters
    ----------
    confidence : mapping
        Configuration -> the probability of the answered class of each example.
    accuracy, error : mapping
        Configuration -> accuracy and calibration error of each training, 0..1.
    """
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 1])
    colours = [f"C{number}" for number in range(len(confidence))]
    for colour, (name, values) in zip(colours, confidence.items(), strict=True):
        left.hist(values, BINS, range=(0, 1), histtype="step", color=colour, linewidth=1.5, label=name)
    left.set(xlabel="probability of the answered class", ylabel="test objects", title="Confidence of the best training")
    left.legend(loc="upper left", fontsize=8)
    places = np.arange(len(confidence))
    for scores, colour, label in ((accuracy, "black", "accuracy"), (error, "tab:red", "calibration error")):
        means = [float(np.mean(scores[name])) for name in confidence]
        spreads = [float(np.std(scores[name], ddof=1)) if len(scores[name]) > 1 else 0.0 for name in confidence]
        right.errorbar(places, means, spreads, fmt="o-", color=colour, capsize=3, label=label)
    right.set_xticks(places, labels=list(confidence), rotation=20, ha="right")
    right.set(ylim=(0, 1), title="Test, mean and spread over the trainings")
    right.grid(alpha=0.3)
    right.legend(fontsize=8)
    return figure
