"""What a study is, what its trials share, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ray

from skystamp.cluster import train
from skystamp.errors import UsageError
from skystamp.tracking import Tracker

METRIC = "balanced_accuracy"
"""What trials are compared by: unlike the loss it means the same for every beta."""

TRIAL_TAG = "trial"
"""Tag of a trial's MLflow run: Tune's number of the trial."""

SAMPLERS = ("tpe", "random")


@dataclass(frozen=True)
class Study:
    """What is searched, and how.

    Attributes
    ----------
    name : str
        Of the study; the same name goes on with the same study.
    data : tuple of Path
        Prepared data; their splits are joined.
    space : dict
        Setting -> the values it may take (`train.configuration` says which settings there are).
    fixed : dict
        Settings that all trials share.
    first : tuple of dict
        Settings to try first.
    trials, seeds : int
        Configurations, and trainings of each.
    sampler : str
        ``tpe`` or ``random``.
    storage : Path
        Folder of Tune's results and the checkpoints; every node has to reach it.
    tracking_uri : str
        Of MLflow.
    concurrent : int
        Trials at once; 0 for as many as fit.
    cpus, gpus : float
        Of one trial; `gpus` may be a fraction, and None takes a quarter of one where there are any.
    prune : bool
        Whether ASHA may end trials early.
    """

    name: str
    data: tuple[Path, ...]
    space: Mapping[str, Sequence[Any]]
    storage: Path
    tracking_uri: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[Mapping[str, Any], ...] = ()
    trials: int = 10
    seeds: int = 1
    sampler: str = "tpe"
    concurrent: int = 0
    cpus: float = 1
    gpus: float | None = None
    prune: bool = True
    seed: int = 0
    commit: str = "unknown"
    max_failures: int = 2


@dataclass(frozen=True)
class Summary:
    """How a study ended."""

    run: str
    trials: int
    complete: int
    stopped: int
    failed: tuple[str, ...]
    best: Mapping[str, Any]
    test: Mapping[str, float]
    matrix: np.ndarray
    version: str
    alias: str


@dataclass(frozen=True)
class Shared:
    """What all trials read: references to arrays in the object store, by input side and feature set."""

    inputs: Mapping[tuple[int, str], ray.ObjectRef]
    about: Mapping[str, Any]
    tracker: Tracker
    parent: str


def check(study: Study) -> None:
    """Pass if a study can be run.

    Raises
    ------
    UsageError
        Otherwise.
    """
    if study.sampler not in SAMPLERS:
        raise UsageError(f"the sampler should be one of {', '.join(SAMPLERS)}. Received: {study.sampler}")
    if min(study.trials, study.seeds) < 1:
        raise UsageError(
            f"a study should have at least one trial and one seed. Received: {study.trials}, {study.seeds}"
        )
    for settings in study.first:
        outside = {name for name, value in settings.items() if value not in study.space.get(name, ())}
        if outside:
            raise UsageError(f"a first configuration should lie in the space. Received: {sorted(outside)} outside it")


def input_key(settings: Mapping[str, Any]) -> tuple[int, str]:
    """Return what of the settings decides which inputs a trial reads: their side and the set of features."""
    return train.configuration(settings).side, str(settings.get("features", "23"))
