"""How fast the bundles of a study answer, measured side by side when nothing else of it runs.

Trials run beside each other, each on its share of a machine, so the times that they measure themselves do not compare.
"""

import shutil
from collections.abc import Mapping
from typing import Any

import ray

from skystamp import bundle, timing, tracking

SIZES = (1, 64)
ROUNDS = 3
"""Every bundle is timed in each round, and its quietest round counts: other work on the machine only ever adds."""


def timed(
    models: Mapping[str, str], example: ray.ObjectRef, uri: str, cpus: float, gpus: float
) -> dict[str, dict[str, float]]:
    """Return of each bundle the seconds an object takes, by itself and in a batch of 64.

    Warm, the network alone, the median of 20 calls in the best of three rounds, in one process with a trial's
    resources.

    Parameters
    ----------
    models : dict
        Name -> URI of the logged model.
    example : ObjectRef
        Raw inputs, of which as many are made as a batch needs.
    uri : str
        Of MLflow.
    cpus, gpus : float
        Of a trial.
    """
    function = ray.remote(num_cpus=cpus, num_gpus=gpus)(_timed)
    found: dict[str, dict[str, float]] = ray.get(function.remote(dict(models), example, uri))
    return found


def _timed(models: Mapping[str, str], example: Any, uri: str) -> dict[str, dict[str, float]]:
    loaded = {name: _loaded(model, uri) for name, model in models.items()}
    feeds = {name: each.spec.feed(example) for name, each in loaded.items()}
    rounds = [
        {name: timing.time_sizes(each.predict_inputs, feeds[name], SIZES, repeats=20) for name, each in loaded.items()}
        for _ in range(ROUNDS)
    ]
    return {
        name: {f"inference_s_batch_{size}": min(found[name][size].per_example_s for found in rounds) for size in SIZES}
        for name in models
    }


def _loaded(model: str, uri: str) -> bundle.Bundle:
    folder = tracking.fetch(model, uri)
    try:
        return bundle.load(folder)
    finally:
        shutil.rmtree(folder.parent)
