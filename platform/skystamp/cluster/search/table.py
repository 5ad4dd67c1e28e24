"""Configurations that were tried -> a table: a row each, as numbers for a program and as Markdown for people."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skystamp.cluster.search.study import METRIC, Tried

NOTE = """\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings; with as many objects
of every class that is the accuracy. Chosen by validation. p: permutation test of a configuration's trainings against
those of the most accurate one, on validation, uncorrected for the number of comparisons. ms: of one object, by itself
and in a batch of 64, the network alone, warm, median.
"""


def spread(values: Sequence[float]) -> float:
    """Return the sample standard deviation; NaN of fewer than two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean over trainings of each score that is finite in all, and ``_std`` of the accuracies."""
    columns = {name: [row[name] for row in scores] for name in scores[0]}
    found = {name: float(np.mean(values)) for name, values in columns.items() if np.isfinite(values).all()}
    wide = {f"{name}_std": spread(columns[name]) for name in found if name.endswith("accuracy")}
    return {**found, **{name: value for name, value in wide.items() if np.isfinite(value)}}


def row(tried: Tried, chosen: str) -> dict[str, Any]:
    """Return one configuration's row: plain numbers, None for what there is not."""
    found = means(tried.scores)
    return {
        "configuration": tried.name,
        "settings": dict(tried.settings),
        "trainings": len(tried.scores),
        **{
            f"{split}{what}": found.get(f"{split}_{METRIC}{suffix}")
            for split in ("validation", "test")
            for what, suffix in (("", ""), ("_spread", "_std"))
        },
        "validation_each": tried.values(f"validation_{METRIC}"),
        "test_each": [scores[f"test_{METRIC}"] for scores in tried.scores if f"test_{METRIC}" in scores],
        "ms_single": 1e3 * tried.seconds["inference_s_batch_1"],
        "ms_batch": 1e3 * tried.seconds["inference_s_batch_64"],
        "multiply_adds": tried.cost if math.isfinite(tried.cost) else None,
        "p": tried.p,
        "chosen": tried.name == chosen,
    }


def rows(tried: Sequence[Tried], chosen: str) -> list[dict[str, Any]]:
    """Return the row of each configuration, in this order."""
    return [row(each, chosen) for each in tried]


def markdown(rows: Sequence[Mapping[str, Any]], lead: Sequence[str] = ()) -> str:
    """Return rows as a Markdown table, the chosen ones in bold; `lead` names columns that come before the others."""
    head = [*lead, "configuration", "trainings", "validation", "test", "ms single", "ms in 64", "p", ""]
    lines = [head, ["---"] * len(head), *(_cells(row, lead) for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: Mapping[str, Any], lead: Sequence[str]) -> list[str]:
    name = f"**{row['configuration']}**" if row["chosen"] else str(row["configuration"])
    scores = [_with_spread(row[split], row[f"{split}_spread"]) for split in ("validation", "test")]
    times = [f"{row['ms_single']:.2f}", f"{row['ms_batch']:.3f}"]
    mark = "chosen" if row["chosen"] else ""
    return [*(str(row[name]) for name in lead), name, str(row["trainings"]), *scores, *times, _p(row["p"]), mark]


def _with_spread(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.4f}" + (f" ± {deviation:.4f}" if deviation is not None else "")


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
