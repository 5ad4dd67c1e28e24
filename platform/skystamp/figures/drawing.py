"""What all figures of a report share: a colour for each class, quiet axes, and their form inside a page."""

import base64
import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skystamp import taxonomy

COLOURS = dict(zip(taxonomy.CLASSES, ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#6b6b6b", "#e69f00"), strict=True))
"""Of each class; told apart without red and green (Okabe & Ito)."""

FIRST, SECOND = "#0072b2", "#d55e00"
"""Of the two models of a comparison; the first also of a model alone."""

INK, FAINT = "#1f2933", "#9aa5b1"


def colour(name: str) -> str:
    """Return the colour of a class; ink for a name that is none."""
    return COLOURS.get(name, INK)


def quiet(axes: Axes, *, grid: str = "both") -> Axes:
    """Take the frame's upper and right side away, draw a faint grid behind the data, and return the axes."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis=grid, color="#e4e7eb", linewidth=0.8)  # type: ignore[arg-type]
    return axes


def as_svg(figure: Figure) -> str:
    """Return a figure as a ``data:`` address of an SVG picture, which needs nothing from outside a page."""
    return _address(figure, "svg", "image/svg+xml", metadata={"Date": None})


def as_png(figure: Figure, *, dpi: int = 110) -> str:
    """Return a figure as a ``data:`` address of a PNG picture; for those with more points than letters."""
    return _address(figure, "png", "image/png", dpi=dpi)


def _address(figure: Figure, form: str, kind: str, **options: object) -> str:
    out = io.BytesIO()
    figure.savefig(out, format=form, **options)  # type: ignore[arg-type]
    return f"data:{kind};base64,{base64.b64encode(out.getvalue()).decode()}"
