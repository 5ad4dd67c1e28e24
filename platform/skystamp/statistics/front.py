"""The Pareto front: of things with a score and a cost, those that nothing beats in both."""

import numpy as np
from jaxtyping import Bool, Float


def front(scores: Float[np.ndarray, "_"], costs: Float[np.ndarray, "_"]) -> Bool[np.ndarray, " item"]:
    """Return which items no other one dominates: has a score as high and a cost as low, and one of the two better.

    Items with the same score and cost are all on the front or none is.

    Raises
    ------
    ValueError
        If there are not as many costs as scores, or one of them is not finite.
    """
    if scores.shape != costs.shape or not (np.isfinite(scores).all() and np.isfinite(costs).all()):
        raise ValueError(f"scores and costs should be finite, one of each an item. Received: {scores}, {costs}")
    as_good = (scores[:, None] >= scores[None]) & (costs[:, None] <= costs[None])
    better = (scores[:, None] > scores[None]) | (costs[:, None] < costs[None])
    return np.asarray(~(as_good & better).any(axis=0))
