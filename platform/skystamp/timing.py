"""How long a model takes to answer: warm, and as the median of many calls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

Inputs = Mapping[str, Shaped[np.ndarray, "example ..."]]


@dataclass(frozen=True)
class Timing:
    """Seconds of one call with `examples` examples: the median and the 95th percentile of the calls timed."""

    examples: int
    median_s: float
    p95_s: float

    @property
    def per_example_s(self) -> float:
        """Seconds an example at the median."""
        return self.median_s / self.examples


def time_inference(
    predict: Callable[[Inputs], Any],
    inputs: Inputs,
    *,
    repeats: int = 50,
    warm: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> Timing:
    """Return how long `predict(inputs)` takes, after `warm` calls that do not count.

    Parameters
    ----------
    predict : callable
        Takes `inputs` and returns when the answer is in main memory, for example `model.predict_on_batch`.
    inputs : dict of array (example, ...)
        What the model reads, by name.
    repeats, warm : int
        Calls timed, and calls before them.
    clock : callable
        Returns seconds.
    """
    if repeats < 1:
        raise ValueError(f"repeats should be at least 1. Received: repeats={repeats}")
    for _ in range(warm):
        predict(inputs)
    seconds = [_seconds(predict, inputs, clock) for _ in range(repeats)]
    examples = len(next(iter(inputs.values())))
    return Timing(examples, float(np.median(seconds)), float(np.percentile(seconds, 95)))


def time_sizes(
    predict: Callable[[Inputs], Any], inputs: Inputs, sizes: tuple[int, ...] = (1, 64), **options: Any
) -> dict[int, Timing]:
    """Return the timing of each batch size, the first examples of `inputs` repeated where there are too few."""
    return {
        size: time_inference(
            predict, {name: np.resize(a, (size, *a.shape[1:])) for name, a in inputs.items()}, **options
        )
        for size in sizes
    }


def _seconds(predict: Callable[[Inputs], Any], inputs: Inputs, clock: Callable[[], float]) -> float:
    start = clock()
    predict(inputs)
    return clock() - start
