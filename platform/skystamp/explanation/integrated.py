"""Integrated gradients: inputs minus baseline, times the mean gradient on the straight way between the two.

Source: Sundararajan, Taly and Yan 2017 (ICML), equation 1. Their completeness: all attributions together are the answer
for the inputs minus that for the baseline; what is left over is the error of the numerical integral.
"""

import numpy as np

from skystamp.networks import Arrays, Network

STEPS = 128
AT_ONCE = 16  # points on the way that pass the network together


def integrated_gradients(
    network: Network, inputs: Arrays, baseline: Arrays, label: int, *, steps: int = STEPS
) -> dict[str, np.ndarray]:
    """Return what each value of one example's inputs added to a class's probability, float32, in the inputs' shapes.

    Parameters
    ----------
    network : Network
        What answers.
    inputs, baseline : mapping
        A model's inputs by name, of one example each: axes (1, ...).
    label : int
        Class number.
    steps : int
        Points on the way, placed and weighted by Gauss and Legendre.
    """
    which = np.zeros_like(network(baseline))
    which[:, label] = 1
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    ways = {name: inputs[name] - baseline[name] for name in inputs}
    totals = {name: np.zeros(way.shape[1:], np.float64) for name, way in ways.items()}
    for start in range(0, steps, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        points = {name: _points(baseline[name], ways[name], (nodes[part] + 1) / 2) for name in inputs}
        found = network.pull(points, np.repeat(which, len(nodes[part]), axis=0))
        for name in totals:
            totals[name] += np.tensordot(weights[part] / 2, np.asarray(found[name], np.float64), axes=1)
    return {name: (ways[name][0] * total).astype(np.float32) for name, total in totals.items()}


def _points(baseline: np.ndarray, way: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return baseline + share * way for each share, float32, axes (share, ...)."""
    columns = shares.reshape(-1, *[1] * (way.ndim - 1))
    return (baseline + columns * way).astype(np.float32)
