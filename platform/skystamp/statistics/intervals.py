"""How sure a score is: bootstrap intervals, by object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from scipy import stats


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval that holds it with a confidence in 0..1."""

    estimate: float
    low: float
    high: float
    confidence: float


def bootstrap_interval(
    score: Callable[[Int64[np.ndarray, " alert"]], float],
    object_ids: Sequence[str],
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 1000,
    method: str = "percentile",
) -> Interval:
    """Return the bootstrap interval of a score, resampling objects: alerts of one object are not independent.

    Parameters
    ----------
    score : callable
        Takes int64 numbers of alerts (those of an object drawn twice come twice) and returns a finite score.
    object_ids : sequence of str
        The object of each alert.
    confidence, resamples, method
        As `scipy.stats.bootstrap` takes them: ``percentile``, ``basic`` or ``BCa``.

    Raises
    ------
    ValueError
        If there are fewer than two objects.
    """
    members = _members(object_ids)
    if len(members) < 2:
        raise ValueError(f"there should be at least two objects. Received: {len(members)}")

    def of_objects(drawn: np.ndarray) -> float:
        return score(np.concatenate([members[number] for number in drawn]))

    everything = np.arange(len(members))
    found = stats.bootstrap(
        (everything,),
        of_objects,
        vectorized=False,
        n_resamples=resamples,
        confidence_level=confidence,
        method=method,
        rng=rng,
    ).confidence_interval
    return Interval(float(of_objects(everything)), float(found.low), float(found.high), confidence)


def _members(object_ids: Sequence[str]) -> list[Int64[np.ndarray, " alert"]]:
    """Return the numbers of the alerts of each object."""
    _, group = np.unique(np.asarray(object_ids, dtype=str), return_inverse=True)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group))[:-1]) if len(order) else []
