"""Kept distributions and a night -> how far each number is away, and how far chance alone would bring it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from skystamp.calibration import tempered
from skystamp.distributions.kept import METADATA, SCORE, Column, Distributions, binned
from skystamp.errors import UsageError
from skystamp.statistics import drift

ALPHA = 0.001
"""How often chance alone may make a night drift, over all its rows together."""

CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Row:
    """How far one number of a night is from validation.

    `ks` is NaN for the shares of the classes; `psi_by_chance` and `ks_by_chance` are what two draws of one distribution
    stay below; `missing` are the shares of missing values, before and now.
    """

    name: str
    kind: str
    psi: float
    ks: float
    psi_by_chance: float
    ks_by_chance: float
    missing: tuple[float, float]

    def drifted(self, max_psi: float, max_ks: float) -> bool:
        """Return whether the number is farther away than it may be, and farther than chance makes it."""
        return self.psi > max(max_psi, self.psi_by_chance) or self.ks > max(max_ks, self.ks_by_chance)


def compared(
    before: Distributions,
    names: Sequence[str],
    numbers: Float64[np.ndarray, "alert column"],
    probabilities: Float[np.ndarray, "alert class"],
    *,
    temperature: float = 1.0,
) -> list[Row]:
    """Return a row for each number that both have, a row for each class's probability, and one for the classes' shares.

    Alerts of a class that was never answered before have nothing to be compared with and are in the last row alone.

    Parameters
    ----------
    names, numbers
        Of the night, as `columns_of` gives them; some may be left out.
    probabilities : float array, axes (alert, class)
        In the order of the bundle's classes, at the bundle's `temperature` now.

    Raises
    ------
    UsageError
        If no alert was answered with a class that was answered before.
    """
    scores = _at(probabilities, temperature, before.temperature).astype(np.float64)
    answers = scores.argmax(axis=1)
    now = np.bincount(answers, minlength=len(before.classes)).astype(np.int64)
    shares = _classes_row(before.answered, now, ALPHA / (2 * len(before.columns) + 1))
    known = before.answered[answers] > 0
    if not known.any():
        raise UsageError("the night's answers should be of classes that validation had. Received: none of them is")
    numbers, scores, now = numbers[known], scores[known], np.where(before.answered > 0, now, 0)
    place = {name: i for i, name in enumerate(names)}
    values = {METADATA: (place, numbers), SCORE: ({name: i for i, name in enumerate(before.classes)}, scores)}
    shared = [one for one in before.columns if one.name in values[one.kind][0]]
    alpha = ALPHA / (2 * len(shared) + 1)
    rows = [
        _row(one, values[one.kind][1][:, values[one.kind][0][one.name]], before.answered, now, alpha) for one in shared
    ]
    return [*rows, shares]


def _row(
    column: Column,
    numbers: Float64[np.ndarray, " alert"],
    answered: Int64[np.ndarray, " class"],
    now: Int64[np.ndarray, " class"],
    alpha: float,
) -> Row:
    """Return the row of one number; what was before is mixed in the shares that the classes have now."""
    known = answered > 0
    weights = now[known] / now.sum()
    expected = weights @ drift.fractions(column.counts[known])
    counts = binned(numbers, column.fill, column.values, column.edges)
    sizes = (float(1 / np.sum(weights**2 / answered[known])), float(len(numbers)))
    mixed = weights @ (column.below[:, known] / answered[known][:, None])
    here = drift.cumulative(numbers, column.points)
    filled = column.counts[known].any(axis=0) | (counts > 0)
    return Row(
        name=column.name,
        kind=column.kind,
        psi=drift.psi(expected, drift.fractions(counts)),
        ks=drift.ks((mixed[0], mixed[1]), (here[0] / len(numbers), here[1] / len(numbers))),
        psi_by_chance=drift.psi_by_chance(sizes, int(filled.sum()), alpha),
        ks_by_chance=drift.ks_by_chance(sizes, alpha),
        missing=(float(weights @ (column.counts[known, 0] / answered[known])), float(counts[0] / len(numbers))),
    )


def _classes_row(before: Int64[np.ndarray, " class"], now: Int64[np.ndarray, " class"], alpha: float) -> Row:
    sizes = (float(before.sum()), float(now.sum()))
    index = drift.psi(drift.fractions(before), drift.fractions(now))
    return Row("shares", CLASSES, index, np.nan, drift.psi_by_chance(sizes, len(now), alpha), np.nan, (0.0, 0.0))


def _at(probabilities: np.ndarray, now: float, wanted: float) -> np.ndarray:
    """Return probabilities of one temperature at another."""
    return probabilities if now == wanted else tempered(probabilities, wanted / now)
