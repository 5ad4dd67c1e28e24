"""An alert's stamps as a person looks at them."""

import numpy as np
from jaxtyping import Float32
from matplotlib.figure import Figure

from skystamp.alert import BANDS

MISSING = "#f2c6c6"


def stamps_figure(stamps: Float32[np.ndarray, "detection height width band"]) -> Figure:
    """Return the stamps of an object, a row for each detection: science, template, difference.

    Each stamp is stretched from its 1st to its 99.5th percentile, north up as the survey sends it; missing pixels
    (NaN) are pink.
    """
    count = len(stamps)
    figure = Figure(figsize=(3 * 1.15, count * 1.15 + 0.16))
    top = 1 - 0.16 / (count * 1.15 + 0.16)
    grid = figure.subplots(count, len(BANDS), squeeze=False)
    figure.subplots_adjust(0, 0, 1, top, 0.02, 0.02)
    for row, detection in zip(grid, stamps, strict=True):
        for number, axes in enumerate(row):
            _draw(axes, detection[:, :, number])
    for axes, band in zip(grid[0], BANDS, strict=True):
        axes.set_title(band, fontsize=7, pad=2)
    return figure


def _draw(axes: object, image: Float32[np.ndarray, "height width"]) -> None:
    known = image[np.isfinite(image)]
    low, high = np.percentile(known, [1, 99.5]) if known.size else (0.0, 1.0)
    axes.set_facecolor(MISSING)  # type: ignore[attr-defined]
    axes.imshow(image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), origin="lower", interpolation="nearest")  # type: ignore[attr-defined]
    axes.set_xticks([])  # type: ignore[attr-defined]
    axes.set_yticks([])  # type: ignore[attr-defined]
    axes.spines[:].set_visible(False)  # type: ignore[attr-defined]
