"""Tests of two samples of scores, or of two models on the same objects: does chance alone explain the difference."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64
from scipy import stats

WAYS = 200_000
"""Regroupings up to which all are counted; beyond, as many are drawn. 10 against 10 has 184,756."""

BATCH = 20_000
"""Regroupings held in memory at once."""

SAME = 1e-12
"""Differences of means nearer than this share of the largest value are ties: rounding must not decide them."""

Values = Sequence[float] | Float64[np.ndarray, "_"]


@dataclass(frozen=True, slots=True)
class Welch:
    """Welch's t, its degrees of freedom (Welch-Satterthwaite; NaN where nothing varies), and p."""

    t: float
    degrees: float
    p: float


@dataclass(frozen=True, slots=True)
class Permutation:
    """A difference of means (first minus second) and the share of regroupings that differ at least as much.

    `exact` says that all regroupings were counted. `smallest_p` is the least that samples of this size can give.
    """

    difference: float
    p: float
    exact: bool
    smallest_p: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """How many objects only the first model got right, how many only the second, and p."""

    first_only: int
    second_only: int
    p: float


def welch(first: Values, second: Values) -> Welch:
    """Return Welch's t test of two samples, whose variances may differ.

    Samples that do not vary at all have p 1 if they are the same value, otherwise p 0.

    Raises
    ------
    ValueError
        If a sample has fewer than two values, or one that is not finite.
    """
    x, y = sample(first, least=2), sample(second, least=2)
    if np.ptp(x) == 0 and np.ptp(y) == 0:
        t = 0.0 if x[0] == y[0] else math.copysign(math.inf, x[0] - y[0])
        return Welch(t, math.nan, 1.0 if t == 0 else 0.0)
    found = stats.ttest_ind(x, y, equal_var=False)
    return Welch(float(found.statistic), float(found.df), float(found.pvalue))


def permutation_test(
    first: Values, second: Values, *, ways: int = WAYS, rng: np.random.Generator | None = None
) -> Permutation:
    """Return the permutation test of two independent samples' means.

    Parameters
    ----------
    first, second : sequence of float
        For example accuracies of the trainings of two configurations.
    ways : int
        All regroupings are counted if they are no more than this; otherwise so many are drawn, and p is
        (1 + those as far apart) / (1 + ways) (Phipson & Smyth 2010), which is never 0.
    rng : np.random.Generator
        Draws regroupings; only needed where they are drawn.

    Raises
    ------
    ValueError
        If a sample is empty or not finite, or `rng` is needed and missing.
    """
    x, y = sample(first), sample(second)
    total = math.comb(len(x) + len(y), len(x))
    unit = SAME * max(float(np.abs(np.concatenate([x, y])).max()), np.finfo(float).tiny / SAME)

    def distance(a: np.ndarray, b: np.ndarray, axis: int) -> Any:
        return np.round(np.abs(a.mean(axis) - b.mean(axis)) / unit)

    p = _permuted((x, y), distance, "independent", total, ways, rng)
    # of equal samples the regrouping with both exchanged is as far apart
    least = (2 if len(x) == len(y) else 1) / total if total <= ways else 1 / (1 + ways)
    return Permutation(float(x.mean() - y.mean()), p, total <= ways, least)


def paired_permutation_test(
    first: Values, second: Values, *, ways: int = WAYS, rng: np.random.Generator | None = None
) -> Permutation:
    """Return the permutation test of paired values: the sign of each pair's difference may as well be the other.

    Parameters
    ----------
    first, second : sequence of float
        In the same order, for example the scores of two models trained on the same splits.
    ways, rng
        As in `permutation_test`; there are 2 to the number of pairs ways.

    Raises
    ------
    ValueError
        If the samples are of unequal length, of fewer than two values or not finite, or `rng` is needed and missing.
    """
    x, y = sample(first, least=2), sample(second, least=2)
    if len(x) != len(y):
        raise ValueError(f"paired samples should be of one length. Received: {len(x)}, {len(y)}")
    unit = SAME * max(float(np.abs(np.concatenate([x, y])).max()), np.finfo(float).tiny / SAME)

    def distance(d: np.ndarray, axis: int) -> Any:
        return np.round(np.abs(d.mean(axis)) / unit)

    total = 2 ** len(x)
    p = _permuted((x - y,), distance, "samples", total, ways, rng)
    return Permutation(float((x - y).mean()), p, total <= ways, 2 / total if total <= ways else 1 / (1 + ways))


def mcnemar(first_right: Bool[np.ndarray, "_"], second_right: Bool[np.ndarray, "_"]) -> McNemar:
    """Return McNemar's test, exact, of two models on the same objects, from what each got right.

    Only objects that one got right and the other wrong count; without any, p is 1.

    Raises
    ------
    ValueError
        If the two are of unequal length.
    """
    if len(first_right) != len(second_right):
        raise ValueError(f"both should be of the same objects. Received: {len(first_right)}, {len(second_right)}")
    first_only = int((first_right & ~second_right).sum())
    second_only = int((second_right & ~first_right).sum())
    differing = first_only + second_only
    p = float(stats.binomtest(first_only, differing, 0.5).pvalue) if differing else 1.0
    return McNemar(first_only, second_only, p)


def _one_alone(pooled: Float64[np.ndarray, " value"], observed: Any, distance: Callable[..., Any]) -> float:
    """Return the same for a sample of one, which SciPy does not take: every value in its turn is the one."""
    found = [distance(pooled[[i]], np.delete(pooled, i), axis=-1) for i in range(len(pooled))]
    return float(np.mean(np.array(found) >= observed))


def sample(values: Values, least: int = 1) -> Float64[np.ndarray, " value"]:
    """Return values as float64 (value), of which there have to be `least`, all finite; ValueError otherwise."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) < least or not np.isfinite(array).all():
        raise ValueError(f"a sample should be {least} finite values or more. Received: {values}")
    return array


def _permuted(
    data: tuple[np.ndarray, ...],
    distance: Callable[..., Any],
    kind: str,
    total: int,
    ways: int,
    rng: np.random.Generator | None,
) -> float:
    """Return the share of regroupings whose distance is at least the one observed."""
    if kind == "independent" and min(map(len, data)) == 1:
        return _one_alone(np.concatenate(data), distance(*data, axis=-1), distance)
    if total > ways and rng is None:
        raise ValueError(f"rng should be given where not all ways are counted. Received: {total} ways, {ways} at most")
    found = stats.permutation_test(
        data,
        distance,
        permutation_type=kind,
        alternative="greater",
        n_resamples=ways,
        batch=BATCH,
        rng=rng,
    )
    return float(found.pvalue)
