"""Scores of objects that are alike: by magnitude, band, galactic latitude, detections so far, sign of the difference.

A way of slicing whose column the data do not have is still there, and says so.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

from skystamp import metrics, statistics, taxonomy
from skystamp.evaluation.judged import Judged
from skystamp.evaluation.spreads import spread

Chosen = Bool[np.ndarray, " object"]


@dataclass(frozen=True, slots=True)
class Way:
    """A way of slicing: the column it reads, and its rows, each a name and what of the column belongs to it."""

    name: str
    column: str
    rows: tuple[tuple[str, Callable[[Any], Chosen]], ...]


def _within(low: float, high: float, *, absolute: bool = False) -> Callable[[Any], Chosen]:
    return lambda values: (
        (low <= (np.abs(values) if absolute else values)) & ((np.abs(values) if absolute else values) < high)
    )


def _ranges(edges: Sequence[float], names: Sequence[str], **options: bool) -> Any:
    pairs = itertools.pairwise(edges)
    return tuple((name, _within(low, high, **options)) for name, (low, high) in zip(names, pairs, strict=True))


def _is(value: object) -> Callable[[Any], Chosen]:
    return lambda values: values == value


_INF = float("inf")
WAYS = (
    Way(
        "magnitude (magpsf)",
        "magpsf",
        _ranges(
            [-_INF, 16.0, 17.0, 18.0, 19.0, 20.0, _INF],
            ["brighter than 16", "16 to 17", "17 to 18", "18 to 19", "19 to 20", "fainter than 20"],
        ),
    ),
    Way("band", "band", tuple((name, _is(name)) for name in ("g", "r", "i"))),
    Way(
        "galactic latitude, either sign",
        "gal_lat",
        _ranges(
            [0.0, 10.0, 20.0, 40.0, 90.001],
            ["below 10°", "10° to 20°", "20° to 40°", "above 40°"],
            absolute=True,
        ),
    ),
    Way(
        "detections so far (ndethist)",
        "ndethist",
        _ranges([-_INF, 2.0, 3.0, 6.0, 11.0, 21.0, _INF], ["1", "2", "3 to 5", "6 to 10", "11 to 20", "over 20"]),
    ),
    Way("difference", "isdiffpos", (("positive", _is(1.0)), ("negative", _is(0.0)))),
)


def slices(judged: Judged, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return each way of slicing: ``name``, ``column``, ``missing`` (why there are no rows, or empty) and ``rows``.

    A row has ``name``, ``objects``, ``classes`` (objects of each), ``accuracy`` (mean over the trainings, with ``low``
    and ``high`` by draws of objects), ``balanced_accuracy``, and ``supernovae``: how many, and their share found.
    """
    return [_sliced(judged, way, rng) for way in WAYS]


def members(judged: Judged, way: Way) -> list[tuple[str, Shaped[np.ndarray, " member"]]]:
    """Return the rows of a way that have objects: name, and the objects' indices; none if the column is missing."""
    if way.column not in judged.columns:
        return []
    values = judged.columns[way.column]
    found = [(name, np.flatnonzero(belongs(values))) for name, belongs in way.rows]
    unknown = np.setdiff1d(np.arange(len(judged)), np.concatenate([rows for _, rows in found]))
    return [(name, rows) for name, rows in [*found, ("not known", unknown)] if len(rows)]


def _sliced(judged: Judged, way: Way, rng: np.random.Generator) -> dict[str, Any]:
    rows = [_row(name, judged.take(chosen), rng) for name, chosen in members(judged, way)]
    missing = "" if way.column in judged.columns else f"the data have no column {way.column}: prepare them again"
    return {"name": way.name, "column": way.column, "missing": missing, "rows": rows}


def _row(name: str, part: Judged, rng: np.random.Generator) -> dict[str, Any]:
    right = (part.answers == part.labels).mean(axis=0)
    found: dict[str, Any] = {"mean": float(right.mean()), "low": None, "high": None}
    if len(set(part.object_ids.tolist())) > 1:
        interval = statistics.mean_interval(right, part.object_ids.tolist(), rng=rng)
        found |= {"low": interval.low, "high": interval.high}
    counts = np.bincount(part.labels, minlength=len(part.classes)).tolist()
    return {
        "name": name,
        "objects": len(part),
        "classes": dict(zip(part.classes, counts, strict=True)),
        "accuracy": found,
        "balanced_accuracy": spread([metrics.balanced_accuracy(one) for one in part.matrices]),
        "supernovae": _supernovae(part, right),
    }


def _supernovae(part: Judged, right: Shaped[np.ndarray, " object"]) -> dict[str, Any]:
    own = part.names == taxonomy.SN
    return {"objects": int(own.sum()), "found": float(right[own].mean()) if own.any() else None}
