"""Rows of numbers -> the cells of the studies' Markdown tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, a line a row."""
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def score(row: Mapping[str, Any], split: str) -> str:
    """Return a split's mean score with its spread over the trainings, as `cluster.search.table.row` has them."""
    mean, spread = row[split], row[f"{split}_spread"]
    if mean is None:
        return "-"
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"


def p(value: float | None) -> str:
    """Return a p-value in three decimals, in powers of ten below 0.001; ``-`` where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
