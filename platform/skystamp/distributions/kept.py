"""What a model read and answered on validation -> the distributions of each number, and the file that keeps them."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from skystamp.errors import BundleError, UsageError
from skystamp.inputs import InputSpec, Spec, tables
from skystamp.statistics import drift

FILE = "distributions.npz"
FORMAT = 1
BINS = 10
POINTS = 101
METADATA, SCORE = "metadata", "score"


@dataclass(frozen=True, slots=True)
class Column:
    """One number of an alert, on validation: how it lies, for each class that was answered.

    Attributes
    ----------
    name, kind : str
        The feature, or the class whose probability it is; `METADATA` or `SCORE`.
    fill : float
        What stands for a missing value; NaN where there is none.
    values : float64 array
        Each value there is, if there are few; otherwise empty.
    edges : float64 array
        Upper edges of all bins but the last, of those that have many values.
    counts : int64 array, axes (class, bin)
        The first bin is of missing values, the last of values that validation did not have.
    points : float64 array
        Quantiles of all values, `POINTS` or fewer.
    below : int64 array, axes (2, class, point)
        Values at or below each point, and below it.
    """

    name: str
    kind: str
    fill: float
    values: Float64[np.ndarray, " value"]
    edges: Float64[np.ndarray, " edge"]
    counts: Int64[np.ndarray, "class bin"]
    points: Float64[np.ndarray, " point"]
    below: Int64[np.ndarray, "2 class point"]


@dataclass(frozen=True, slots=True)
class Distributions:
    """Those of all numbers of a model, on validation.

    `temperature` is that of the probabilities; a bundle may have got another since, which is allowed for.
    """

    classes: tuple[str, ...]
    temperature: float
    columns: tuple[Column, ...]
    answered: Int64[np.ndarray, " class"]

    def save(self, folder: Path) -> Path:
        """Write the file of a bundle's folder and return its path."""
        about = {
            "format": FORMAT,
            "classes": list(self.classes),
            "temperature": self.temperature,
            "columns": [[one.name, one.kind] for one in self.columns],
        }
        arrays = {
            f"{i}/{field}": np.asarray(getattr(one, field)) for i, one in enumerate(self.columns) for field in _ARRAYS
        }
        kept: dict[str, Any] = {"about": np.array(json.dumps(about)), "answered": self.answered, **arrays}
        np.savez_compressed(folder / FILE, **kept)
        return folder / FILE


_ARRAYS = ("fill", "values", "edges", "counts", "points", "below")


def columns_of(
    spec: Spec, inputs: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], Float64[np.ndarray, "alert column"], tuple[float, ...]]:
    """Return the names of a model's numbers, the numbers themselves as it reads them, and what a missing one becomes.

    Parameters
    ----------
    spec : InputSpec or SequenceSpec
        Fitted.
    inputs : mapping
        What it feeds. Of a sequence the dynamic numbers are those of its last detection.
    """
    if isinstance(spec, InputSpec):
        parts = {"": (spec.features, inputs.get("metadata"), spec.means, spec.deviations)}
    else:
        last = inputs["dynamic"][:, -1] if "dynamic" in inputs else None
        found = {"dynamic": (spec.dynamic, last), "static": (spec.static, inputs.get("static"))}
        parts = {f"{k}/": (*found[k], spec.means.get(k, ()), spec.deviations.get(k, ())) for k in found}
    kept = {prefix: part for prefix, part in parts.items() if part[1] is not None and part[0]}
    names = tuple(f"{prefix}{name}" for prefix, part in kept.items() for name in part[0])
    fills = [_fill(spec, chosen, means, deviations) for chosen, _, means, deviations in kept.values()]
    size = len(next(iter(inputs.values())))
    numbers = np.concatenate(
        [np.empty((size, 0)), *(np.asarray(part[1], np.float64) for part in kept.values())], axis=1
    )
    return names, numbers, tuple(float(value) for each in fills for value in each)


def measured(
    names: Sequence[str],
    numbers: Float64[np.ndarray, "alert column"],
    fills: Sequence[float],
    probabilities: Float[np.ndarray, "alert class"],
    classes: Sequence[str],
    *,
    temperature: float = 1.0,
) -> Distributions:
    """Return the distributions of what a model read and answered.

    Raises
    ------
    UsageError
        If there is nothing to measure.
    """
    if not len(probabilities):
        raise UsageError("distributions should be of one alert at least. Received: none")
    answers = probabilities.argmax(axis=1)
    scores = probabilities.astype(np.float64)
    found = [
        *(_column(name, METADATA, numbers[:, i], fills[i], answers, len(classes)) for i, name in enumerate(names)),
        *(_column(name, SCORE, scores[:, i], np.nan, answers, len(classes)) for i, name in enumerate(classes)),
    ]
    counts = np.bincount(answers, minlength=len(classes)).astype(np.int64)
    return Distributions(tuple(classes), temperature, tuple(found), counts)


def load(folder: Path) -> Distributions | None:
    """Return the distributions that a bundle keeps; None for a bundle made before there were any.

    Raises
    ------
    BundleError
        If the file is damaged or of another format.
    """
    if not (folder / FILE).exists():
        return None
    try:
        with np.load(folder / FILE, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about["format"] != FORMAT:
                raise BundleError(f"{FILE} should have format {FORMAT}. Received: {about['format']}")
            columns = tuple(
                Column(name, kind, float(file[f"{i}/fill"]), *(file[f"{i}/{field}"] for field in _ARRAYS[1:]))
                for i, (name, kind) in enumerate(about["columns"])
            )
            return Distributions(tuple(about["classes"]), float(about["temperature"]), columns, file["answered"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{folder / FILE} should be whole. Received: {error}") from error


def _column(
    name: str,
    kind: str,
    numbers: Float64[np.ndarray, " alert"],
    fill: float,
    answers: Int64[np.ndarray, " alert"],
    classes: int,
) -> Column:
    known = np.unique(numbers[numbers != fill])
    values = known if len(known) <= BINS else np.empty(0)
    levels = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.empty(0) if len(values) else _quantiles(numbers[numbers != fill], levels)
    points = _quantiles(numbers, np.linspace(0, 1, POINTS))
    parts = [numbers[answers == label] for label in range(classes)]
    counts = np.stack([binned(part, fill, values, edges) for part in parts])
    below = np.stack([drift.cumulative(part, points) for part in parts], axis=1).astype(np.int64)
    return Column(name, kind, fill, values, edges, counts, points, below)


def _quantiles(
    numbers: Float64[np.ndarray, " alert"], levels: Float64[np.ndarray, " level"]
) -> Float64[np.ndarray, " point"]:
    """Return quantiles that are values themselves, each once; none of nothing."""
    return np.unique(np.quantile(numbers, levels, method="inverted_cdf")) if len(numbers) else np.empty(0)


def binned(
    numbers: Float64[np.ndarray, " alert"],
    fill: float,
    values: Float64[np.ndarray, " value"],
    edges: Float64[np.ndarray, " edge"],
) -> Int64[np.ndarray, " bin"]:
    """Return how many numbers lie in each bin of a `Column`."""
    missing = numbers == fill
    known = numbers[~missing]
    if len(values):
        place = np.minimum(np.searchsorted(values, known), len(values) - 1)
        place, bins = np.where(values[place] == known, place, len(values)), len(values)
    else:
        place, bins = np.searchsorted(edges, known), len(edges) + 1
    return np.concatenate([[missing.sum()], np.bincount(place, minlength=bins + 1)]).astype(np.int64)


def _fill(
    spec: Spec, names: Sequence[str], means: Sequence[float], deviations: Sequence[float]
) -> Float32[np.ndarray, " column"]:
    nothing = np.full((1, len(names)), np.nan)
    table = tables.clipped(nothing, tuple(names), tuple(names), spec.clips, spec.missing)
    return tables.standardised(table, means, deviations)[0]
