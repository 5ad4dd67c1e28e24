"""Aitoff maps: where on the sky objects get which answer, with the galactic plane and the ecliptic.

The first-detection paper's check of its unlabelled answers (Carrasco-Davis et al. 2021, Figure 8): extragalactic
classes should avoid the plane, asteroids should lie along the ecliptic.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Shaped
from matplotlib.figure import Figure

from skystamp import metadata
from skystamp.figures.drawing import FAINT, INK, colour

PLANE, ECLIPTIC = "#7048a8", "#b08900"


def sky_figure(
    ra: Float64[np.ndarray, " object"],
    dec: Float64[np.ndarray, " object"],
    answers: Shaped[np.ndarray, " object"],
    classes: Sequence[str],
) -> Figure:
    """Return an equatorial map for each class: the objects that are answered with it, east to the left.

    Parameters
    ----------
    ra, dec : float64 (object,)
        deg, ICRS; objects at NaN are not drawn.
    answers : str (object,)
        Names among `classes`.
    classes : sequence of str
        A map each, in this order.
    """
    columns = 2 if len(classes) < 5 else 3
    rows = -(-len(classes) // columns)
    figure = Figure(figsize=(12.4 if columns == 3 else 11, 2.75 * rows if columns == 3 else 3.5 * rows))
    figure.set_layout_engine("constrained")
    for number, name in enumerate(classes):
        axes = figure.add_subplot(rows, columns, number + 1, projection="aitoff")
        for lines, ink, label in (
            (metadata.galactic_plane, PLANE, "galactic plane"),
            (metadata.ecliptic_circle, ECLIPTIC, "ecliptic"),
        ):
            _draw_circle(axes, *lines(), ink, label if number == 0 else None)
        here = (answers == name) & np.isfinite(ra) & np.isfinite(dec)
        size = float(np.clip(4000 / max(int(here.sum()), 1), 2, 14))
        axes.scatter(_x(ra[here]), np.radians(dec[here]), s=size, color=colour(name), alpha=0.6, linewidths=0)
        axes.set_title(f"{name}, {int(here.sum())}", fontsize=11, color=INK, pad=12)
        axes.grid(visible=True, color="#e4e7eb", linewidth=0.7)
        axes.set_xticks(np.radians([-120, -60, 0, 60, 120]), labels=["20h", "16h", "12h", "8h", "4h"])
        axes.set_yticks(np.radians([-60, -30, 0, 30, 60]), labels=["-60°", "-30°", "0°", "30°", "60°"])
        axes.tick_params(labelsize=7.5, colors=FAINT)
        axes.spines[:].set_color(FAINT)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    return figure


def _x(ra: Float64[np.ndarray, " object"]) -> Float64[np.ndarray, " object"]:
    """Return the map's longitude (rad) of right ascensions (deg): 12 hours in the middle, growing to the left."""
    return np.radians(180.0 - ra)


def _draw_circle(
    axes: object, ra: Float64[np.ndarray, " point"], dec: Float64[np.ndarray, " point"], ink: str, label: str | None
) -> None:
    order = np.argsort(_x(ra))
    axes.plot(_x(ra)[order], np.radians(dec)[order], color=ink, linewidth=1.1, label=label, zorder=1)  # type: ignore[attr-defined]
