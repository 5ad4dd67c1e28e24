"""What makes one vector of a sequence of detections: the cells of the temporal stamp classifier, by name.

    cell(sequence (batch, n, features), CellConfig, seeds) -> (batch, cell's width)

A cell is a function that adds layers to a network. n is known when the network is built, and no detection is padding.
`lstm`, `gru`, `simple_rnn`, `gamma`, `tdnn` and `conv1d` are the paper's (Neira, Estevez and Forster 2024);
`transformer` is what it names as future work. To add one: a function in a file of its own, and its place in `CELLS`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from skystamp.models.cells.config import CellConfig
from skystamp.models.cells.convolution import TDNN_WINDOW, conv1d, require_fit, tdnn
from skystamp.models.cells.gamma import gamma
from skystamp.models.cells.recurrent import gru, lstm, simple_rnn
from skystamp.models.cells.transformer import require_heads, transformer

Cell = Callable[[Any, CellConfig, Iterator[int]], Any]


def by_name(*cells: Cell) -> dict[str, Cell]:
    """Return cells by the names of their functions.

    Raises
    ------
    ValueError
        If two have one name.
    """
    table: dict[str, Cell] = {}
    for cell in cells:
        if cell.__name__ in table:
            raise ValueError(f"cells should have names of their own. Received: {cell.__name__!r} twice")
        table[cell.__name__] = cell
    return table


CELLS = by_name(lstm, gru, simple_rnn, gamma, tdnn, conv1d, transformer)


def named(name: str) -> Cell:
    """Return the cell called `name`.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in CELLS:
        raise ValueError(f"cell should be one of {sorted(CELLS)}. Received: cell={name!r}")
    return CELLS[name]


def require(name: str, config: CellConfig, detections: int) -> None:
    """Pass if the cell called `name` can be built by `config` for sequences of `detections`.

    Raises
    ------
    ValueError
        If there is no such cell, its window and depth need more detections, or its heads do not divide its units.
    """
    named(name)
    windows = {"conv1d": config.window, "tdnn": TDNN_WINDOW}
    if name in windows:
        require_fit(detections, windows[name], config.depth)
    if name == "transformer":
        require_heads(config)
