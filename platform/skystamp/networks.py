"""Networks that can be asked how their answer changes with their inputs, and what is made of them: mean, temperature.

    inputs by name (example, ...) ── __call__ ──> probabilities (example, class)
    inputs, weights of the probabilities (example, class) ── pull ──> gradient of the weighted sum, by input

Plain NumPy; `models.engine` makes one of a Keras model. What is made of plain functions is a plain function again, that
answers and does not differentiate.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skystamp import calibration
from skystamp.metrics import TINY

Arrays = Mapping[str, np.ndarray]
Predict = Callable[[Arrays], np.ndarray]
"""Inputs by name -> probabilities, float32 (example, class)."""

Pull = Callable[[Arrays, np.ndarray], dict[str, np.ndarray]]
"""Inputs by name, weights float32 (example, class) -> gradient of each example's weighted probabilities, by name."""


@dataclass(frozen=True, slots=True)
class Network:
    """A `Predict` that differentiates."""

    answer: Predict
    pull: Pull

    def __call__(self, inputs: Arrays) -> np.ndarray:
        """Return the probabilities."""
        return self.answer(inputs)


def mean(members: Sequence[Predict]) -> Predict:
    """Return what answers with the mean of several networks' probabilities."""

    def answer(inputs: Arrays) -> np.ndarray:
        return np.mean([member(inputs) for member in members], axis=0)

    def pull(inputs: Arrays, weights: np.ndarray) -> dict[str, np.ndarray]:
        found = [member.pull(inputs, weights) for member in members if isinstance(member, Network)]
        return {name: np.mean([each[name] for each in found], axis=0) for name in found[0]}

    return Network(answer, pull) if all(isinstance(member, Network) for member in members) else answer


def tempered(network: Predict, temperature: float) -> Predict:
    """Return what answers as a network does at a temperature (`calibration.tempered`)."""

    def answer(inputs: Arrays) -> np.ndarray:
        return calibration.tempered(network(inputs), temperature)

    if not isinstance(network, Network):
        return answer

    def pull(inputs: Arrays, weights: np.ndarray) -> dict[str, np.ndarray]:
        # q = p^(1/T) / sum p^(1/T), so dq_c/dp_j = q_c (1 if c = j, less q_j) / (T p_j)
        before = network(inputs).astype(np.float64)
        after = calibration.tempered(before, temperature)
        centred = weights - (weights * after).sum(axis=1, keepdims=True)
        own = after * centred / (temperature * np.maximum(before, TINY))
        return network.pull(inputs, own.astype(np.float32))

    return network if temperature == 1 else Network(answer, pull)
