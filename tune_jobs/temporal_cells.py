"""The configurations that the temporal studies try: name -> settings, of the cell and nothing else.

Table 5 of Neira, Estevez and Forster (2024) as far as we know it, and the transformer of its future work. What is left
open there (the width of the Gamma network and of the convolutions) is our default, 128 units.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Configurations = dict[str, dict[str, Any]]

RECURRENT = ("lstm", "gru", "simple_rnn")
CELLS = (*RECURRENT, "gamma", "tdnn", "conv1d", "transformer")
UNITS = (32, 64, 128)
DEPTHS = (1, 2, 3)
TAPS = tuple(range(1, 9))

PUBLISHED: Mapping[int, Mapping[str, Any]] = {
    2: {"cell": "conv1d", "window": 2},
    3: {"cell": "conv1d", "window": 3},
    4: {"cell": "conv1d", "window": 4},
    5: {"cell": "lstm", "units": 128, "depth": 1},
}
"""The cells that the paper chose, by the number of detections; of its convolutions the one over all of them."""


def table5(detections: int, units: Sequence[int] = UNITS) -> Configurations:
    """Return all of Table 5 for n detections, and eight transformers."""
    found = {
        f"{cell} {width}x{depth}": {"cell": cell, "units": width, "depth": depth}
        for cell in RECURRENT
        for width in units
        for depth in DEPTHS
    }
    found |= {f"gamma K={taps}": {"cell": "gamma", "taps": taps} for taps in TAPS}
    found["tdnn 2"] = {"cell": "tdnn"}
    found |= {f"conv1d {window}": {"cell": "conv1d", "window": window} for window in range(2, detections + 1)}
    return found | {
        f"transformer {width}x{depth} h{heads}": {"cell": "transformer", "units": width, "depth": depth, "heads": heads}
        for width in (64, 128)
        for depth in (1, 2)
        for heads in (2, 4)
    }


def short(detections: int, units: Sequence[int] = UNITS) -> Configurations:
    """Return one configuration of each cell: recurrent ones widest in one layer, the convolution over all n."""
    found = table5(detections, units)
    recurrent = [f"{cell} {max(units)}x1" for cell in RECURRENT]
    names = (*recurrent, "gamma K=4", "tdnn 2", f"conv1d {detections}", "transformer 64x1 h2")
    return {name: found[name] for name in names}


def smoke(detections: int, units: Sequence[int] = UNITS) -> Configurations:
    """Return two, as small as they get."""
    del detections, units
    return {"lstm 8x1": {"cell": "lstm", "units": 8}, "conv1d 2": {"cell": "conv1d", "window": 2, "units": 8}}


SPACES: Mapping[str, Callable[[int, Sequence[int]], Configurations]] = {
    "table5": table5,
    "short": short,
    "smoke": smoke,
}


def of(space: str, detections: int, cells: Sequence[str], units: Sequence[int] = UNITS) -> Configurations:
    """Return the configurations of a space whose cells are among `cells`.

    Raises
    ------
    ValueError
        If there are none, or a cell is unknown.
    """
    found = {name: one for name, one in SPACES[space](detections, units).items() if one["cell"] in cells}
    if not found or not set(cells) <= set(CELLS):
        raise ValueError(f"cells should be of {', '.join(CELLS)}. Received: {', '.join(cells)}")
    return found
