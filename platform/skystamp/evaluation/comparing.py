"""Two configurations on the same objects: differences, second minus first, with intervals and p-values.

Each test answers its own question. McNemar's: do the two differ on these objects, so many of which only one got right
(answers by the mean of the trainings). The interval of a difference: how far would it move with other objects, both
models on the same draws. The permutation test over trainings: would other seeds have turned it round.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skystamp import metrics, statistics
from skystamp.errors import UsageError
from skystamp.evaluation import slices, spreads
from skystamp.evaluation.judged import Judged


def aligned(first: Judged, second: Judged) -> tuple[Judged, Judged]:
    """Return the answers of both about the objects that both know, among the classes that both know.

    Raises
    ------
    UsageError
        If they have no object or fewer than two classes in common, or disagree on what an object is.
    """
    classes = tuple(name for name in first.classes if name in second.classes)
    if len(classes) < 2:
        raise UsageError(f"both models should know two classes or more. Received: {first.classes}, {second.classes}")
    first, second = (one if one.classes == classes else one.among(classes) for one in (first, second))
    common, one, two = np.intersect1d(first.object_ids, second.object_ids, return_indices=True)
    if not len(common):
        raise UsageError("both models should be given the same objects. Received: none in common")
    first, second = first.take(one), second.take(two)
    if not np.array_equal(first.labels, second.labels):
        raise UsageError("both models' objects should have the same true classes. Received: different ones")
    return first, second


def compared(first: Judged, second: Judged, *, seed: int = 0) -> dict[str, Any]:
    """Return the comparison of aligned answers as one JSON value.

    ``differences`` of each score (``first``, ``second``, ``difference`` with ``low`` and ``high``), ``mcnemar``,
    ``trainings`` (permutation and Welch over seeds, or why there are none), ``classes`` and ``slices``.
    """
    rng = np.random.default_rng(seed)
    return {
        "objects": len(first),
        "classes": list(first.classes),
        "seeds": [first.seeds, second.seeds],
        "differences": _differences(first, second, rng),
        "mcnemar": mcnemar(first, second),
        "trainings": trainings(first, second, rng),
        "by_class": _of_classes(first, second, rng),
        "slices": [_of_slice(way, first, second, rng) for way in slices.WAYS],
    }


def mcnemar(first: Judged, second: Judged) -> dict[str, Any]:
    """Return how many objects only one of the two gets right, by the mean of its trainings, and McNemar's p."""
    right = [one.mean.argmax(axis=1) == one.labels for one in (first, second)]
    found = statistics.mcnemar(*right)
    both = int((right[0] & right[1]).sum())
    return {
        "both": both,
        "first_only": found.first_only,
        "second_only": found.second_only,
        "neither": len(first) - both - found.first_only - found.second_only,
        "p": found.p,
    }


def trainings(first: Judged, second: Judged, rng: np.random.Generator) -> dict[str, Any]:
    """Return permutation and Welch tests of the trainings' accuracies; ``missing`` says why there are none."""
    if min(first.seeds, second.seeds) < 2:
        return {"missing": "one of the two is a single training: give several of each to test over seeds"}
    values = [[metrics.accuracy(matrix) for matrix in one.matrices] for one in (second, first)]
    permuted, welch = statistics.permutation_test(*values, rng=rng), statistics.welch(*values)
    return {
        "missing": "",
        "difference": permuted.difference,
        "permutation_p": permuted.p,
        "smallest_p": permuted.smallest_p,
        "exact": permuted.exact,
        "welch_t": welch.t,
        "welch_p": welch.p,
    }


def _differences(first: Judged, second: Judged, rng: np.random.Generator) -> dict[str, Any]:
    drawn = [spreads.of_matrices(matrices) for matrices in _drawn(first, second, rng)]
    each = [spreads.of_matrices(one.matrices.sum(axis=0)[None]) for one in (first, second)]
    return {
        name: _difference([float(one[name][0]) for one in each], drawn[1][name] - drawn[0][name])
        for name in spreads.OF_MATRIX
    }


def _drawn(first: Judged, second: Judged, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the confusion matrix of each configuration, its trainings together, in the same draws of objects."""
    answers = np.concatenate([first.answers, second.answers])
    drawn = statistics.resampled_matrices(first.labels, answers, len(first.classes), first.object_ids.tolist(), rng=rng)
    return drawn[: first.seeds].sum(axis=0), drawn[first.seeds :].sum(axis=0)


def _of_classes(first: Judged, second: Judged, rng: np.random.Generator) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for number, name in enumerate(first.classes):
        own = np.flatnonzero(first.labels == number)
        found[name] = {"objects": len(own), "recall": None} if not len(own) else _right(first, second, own, rng)
    return found


def _of_slice(way: slices.Way, first: Judged, second: Judged, rng: np.random.Generator) -> dict[str, Any]:
    rows = [{"name": name, **_right(first, second, chosen, rng)} for name, chosen in slices.members(first, way)]
    missing = "" if way.column in first.columns else f"the data have no column {way.column}: prepare them again"
    return {"name": way.name, "column": way.column, "missing": missing, "rows": rows}


def _right(first: Judged, second: Judged, chosen: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Return the shares right of both among some objects, their difference with its interval, and McNemar's p."""
    one, two = first.take(chosen), second.take(chosen)
    shares = [(judged.answers == judged.labels).mean(axis=0) for judged in (one, two)]
    moved = shares[1] - shares[0]
    found: dict[str, Any] = {"objects": len(one), "first": float(shares[0].mean()), "second": float(shares[1].mean())}
    found |= {"difference": float(moved.mean()), "low": None, "high": None, "p": mcnemar(one, two)["p"]}
    if len(set(one.object_ids.tolist())) > 1:
        interval = statistics.mean_interval(moved, one.object_ids.tolist(), rng=rng)
        found |= {"low": interval.low, "high": interval.high}
    return found


def _difference(values: list[float], moved: np.ndarray) -> dict[str, float]:
    interval = statistics.interval_of(values[1] - values[0], moved)
    return {
        "first": values[0],
        "second": values[1],
        "difference": interval.estimate,
        "low": interval.low,
        "high": interval.high,
    }
