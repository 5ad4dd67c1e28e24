"""Probabilities that say how often they are right: one temperature, fitted on data that the network did not learn from.

Dividing a softmax network's logits by T and raising its probabilities to 1/T, normalised again, are the same, so a
network that answers with probabilities alone can be calibrated too. No answer changes its most probable class.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
"""

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from skystamp.metrics import TINY

BOUNDS = (0.05, 20.0)
"""Of a fitted temperature: data that are all right, or all wrong, would have it at zero or infinity."""

_HALVINGS = 60


def tempered(
    probabilities: Float[np.ndarray, "*leading class"], temperature: float
) -> Float32[np.ndarray, "*leading class"]:
    """Return probabilities at a temperature, float32: softmax(logits / temperature) of a softmax network's answers.

    Above 1 they become flatter, below 1 sharper, at 1 they stay what they are to the bit. A probability of 0 stays 0.

    Raises
    ------
    ValueError
        If the temperature is not a positive number.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"a temperature should be positive. Received: {temperature}")
    if temperature == 1:
        return probabilities.astype(np.float32)
    largest = probabilities.max(axis=-1, keepdims=True).astype(np.float64)
    powers = (probabilities / largest) ** (1 / temperature)
    return (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)


def fitted_temperature(
    probabilities: Float[np.ndarray, "example class"], labels: Int64[np.ndarray, " example"]
) -> float:
    """Return the temperature at which the true classes are most probable (least cross-entropy), within `BOUNDS`.

    The cross-entropy is convex in 1 / T, so its slope has one root, which halving finds.

    Raises
    ------
    ValueError
        If there are no examples.
    """
    if not len(labels):
        raise ValueError("a temperature should be fitted on one example at least. Received: none")
    logits = np.log(np.maximum(probabilities.astype(np.float64), TINY))
    low, high = np.log(1 / BOUNDS[1]), np.log(1 / BOUNDS[0])
    if _slope(logits, labels, np.exp(low)) >= 0:
        return BOUNDS[1]
    if _slope(logits, labels, np.exp(high)) <= 0:
        return BOUNDS[0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _slope(logits, labels, np.exp(middle)) > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def _slope(
    logits: Float64[np.ndarray, "example class"], labels: Int64[np.ndarray, " example"], inverse: float
) -> float:
    """Return the derivative of the mean cross-entropy by 1 / T."""
    scaled = logits * inverse
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    expected = (weights * logits).sum(axis=1) / weights.sum(axis=1)
    return float((expected - logits[np.arange(len(labels)), labels]).mean())
