"""An `Explanation` -> a picture: every stamp with what spoke for and against the class, and the strongest numbers."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skystamp.explanation.explaining import Explanation
from skystamp.explanation.occlusion import STAMPS

NUMBERS = 12  # shown of all
METHODS = {"integrated": "integrated gradients", "occluded": "occlusion"}
COLOURS = "RdBu_r"  # red raises the probability, blue lowers it
PANEL, BARS = 2.1, 4.2  # inches


def png(explanation: Explanation, *, title: str = "", dpi: int = 110) -> bytes:
    """Return the picture as a PNG file."""
    out = io.BytesIO()
    figure(explanation, title=title).savefig(out, format="png", dpi=dpi)
    return out.getvalue()


def figure(explanation: Explanation, *, title: str = "") -> Figure:
    """Return the picture: stamps by band under both methods, a bar a number.

    One detection: a row a method; several: a row a detection, both methods side by side. Red raises the probability of
    the class, blue lowers it; each method has one scale for all its stamps.
    """
    panels = _panels(explanation)
    rows, columns = panels.shape if panels.size else (1, 0)
    height = max(rows * PANEL + 1.1, 3.6)
    made = Figure(figsize=(columns * PANEL + BARS, height), layout="constrained")
    grid = made.add_gridspec(rows, columns + 1, width_ratios=[*[PANEL] * columns, BARS])
    for place in np.ndindex(panels.shape if panels.size else (0,)):
        _stamp(made.add_subplot(grid[place[0], place[1]]), explanation, *panels[place])
    _bars(made.add_subplot(grid[:, columns]), explanation)
    lead = f"{title}: " if title else ""
    answer = f"{lead}{explanation.label} {explanation.probability:.3f}"
    made.suptitle(f"{answer} (baseline {explanation.baseline_probability:.3f}); red raises it, blue lowers it")
    return made


def _panels(explanation: Explanation) -> np.ndarray:
    """Return which (method, detection, band) stands where: an array of tuples, axes (row, column)."""
    if STAMPS not in explanation.inputs:
        return np.empty((0, 0), object)
    detections, bands = explanation.stamps("inputs").shape[0], len(explanation.bands)
    order = [(method, n, band) for n in range(detections) for method in METHODS for band in range(bands)]
    rows = len(METHODS) if detections == 1 else detections
    made = np.empty(len(order), object)
    made[:] = order
    return made.reshape(rows, -1)


def _stamp(axes: Axes, explanation: Explanation, method: str, detection: int, band: int) -> None:
    image = explanation.stamps("inputs")[detection, :, :, band]
    every = explanation.stamps(method)
    values, most = every[detection, :, :, band], max(float(np.abs(every).max()), 1e-12)
    axes.imshow(image, cmap="gray", origin="lower", vmin=0, vmax=1)
    strength = np.sqrt(np.abs(values) / most)  # the square root lets weaker pixels be seen
    axes.imshow(values, cmap=COLOURS, origin="lower", vmin=-most, vmax=most, alpha=0.85 * strength)
    number = f" {detection + 1}" if len(every) > 1 else ""
    axes.set_title(f"{explanation.bands[band]}{number}\n{METHODS[method]}", fontsize=8)
    axes.set(xticks=[], yticks=[])


def _bars(axes: Axes, explanation: Explanation) -> None:
    shown = explanation.numbers[:NUMBERS][::-1]
    places = np.arange(len(shown))
    axes.barh(
        places + 0.2, [one.integrated_gradient for one in shown], 0.38, color="tab:purple", label="int. gradients"
    )
    axes.barh(places - 0.2, [one.occlusion for one in shown], 0.38, color="tab:orange", label="occlusion")
    names = [f"{one.name}{f' ({one.detection})' if one.detection else ''} = {one.value:.4g}" for one in shown]
    axes.set_yticks(places, labels=names, fontsize=8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel(f"added to the probability of {explanation.label}", fontsize=8)
    if shown:
        axes.legend(fontsize=7, loc="best")
