"""How far two distributions are apart, and how far they would be if they were draws of one.

    psi    population stability index: sum over bins of (observed - expected) ln(observed / expected)
    ks     Kolmogorov-Smirnov: the largest distance of two cumulative distributions

With many alerts any test's p-value is tiny though nothing of weight has changed, so it is the distance that is judged;
with few, chance alone makes distances, so it is also asked what chance would make (`psi_by_chance`, `ks_by_chance`).

Sources: Siddiqi 2006, "Credit Risk Scorecards" (PSI, and 0.1 and 0.25 as its usual limits); Yurdakul 2018, "Statistical
Properties of Population Stability Index", section 3 (its distribution); Smirnov 1948 (KS).
"""

import math

import numpy as np
from jaxtyping import Float64, Int64
from scipy.stats import chi2

SMOOTHING = 0.5
"""Added to each bin's count, so that an empty one is rare and not impossible (Jeffreys)."""


def fractions(counts: Int64[np.ndarray, "*groups bin"]) -> Float64[np.ndarray, "*groups bin"]:
    """Return the share of each bin, none of them 0: `SMOOTHING` is added to every count."""
    more = counts + SMOOTHING
    shares: Float64[np.ndarray, "*groups bin"] = more / more.sum(axis=-1, keepdims=True)
    return shares


def psi(expected: Float64[np.ndarray, " bin"], observed: Float64[np.ndarray, " bin"]) -> float:
    """Return the population stability index of two sets of shares: 0 if they are the same, and it has no upper end.

    Parameters
    ----------
    expected, observed : float64 array, axis (bin)
        Shares above 0 that sum to 1.

    Raises
    ------
    ValueError
        If a share is not above 0.
    """
    if not (np.all(expected > 0) and np.all(observed > 0)):
        raise ValueError("shares should be above 0. Received: an empty bin, see `fractions`")
    return float(np.sum((observed - expected) * np.log(observed / expected)))


def psi_by_chance(sizes: tuple[float, float], bins: int, alpha: float) -> float:
    """Return the index that two draws of one distribution exceed with probability `alpha`.

    Divided by 1/n + 1/m it is distributed as chi-squared with one degree of freedom less than there are bins.

    Parameters
    ----------
    sizes : tuple of float
        n and m: how many were drawn for each.
    bins : int
    alpha : float
    """
    return 0.0 if bins < 2 else float(chi2.isf(alpha, bins - 1) * _spread(sizes))


def ks(
    expected: tuple[Float64[np.ndarray, " point"], Float64[np.ndarray, " point"]],
    observed: tuple[Float64[np.ndarray, " point"], Float64[np.ndarray, " point"]],
) -> float:
    """Return the largest distance of two cumulative distributions at some points.

    It is the Kolmogorov-Smirnov statistic if every value of one of both is among the points, and never above it.

    Parameters
    ----------
    expected, observed : tuple of two float64 arrays, axis (point)
        The share of values at or below each point, and the share below it, as `cumulative` gives them.
    """
    return float(max((np.abs(a - b).max(initial=0.0) for a, b in zip(expected, observed, strict=True)), default=0.0))


def cumulative(
    values: Float64[np.ndarray, " value"], points: Float64[np.ndarray, " point"]
) -> tuple[Int64[np.ndarray, " point"], Int64[np.ndarray, " point"]]:
    """Return how many values are at or below each point, and how many below it; NaN counts as above all."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, points, side="right"), np.searchsorted(ordered, points, side="left")


def ks_by_chance(sizes: tuple[float, float], alpha: float) -> float:
    """Return the distance that two draws of one continuous distribution exceed with a probability of about `alpha`.

    With many in each; less where values are few and often the same.
    """
    return math.sqrt(-math.log(alpha / 2) / 2 * _spread(sizes))


def _spread(sizes: tuple[float, float]) -> float:
    if min(sizes) <= 0:
        raise ValueError(f"both should have values. Received: {sizes}")
    return 1 / sizes[0] + 1 / sizes[1]
