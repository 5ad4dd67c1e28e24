"""What a study is, what its trials share, and how it ended."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ray

from skystamp import ensemble, routing
from skystamp.errors import UsageError
from skystamp.statistics import Choice
from skystamp.tracking import Tracker

METRIC = "balanced_accuracy"
"""What trials are compared by: unlike the loss it means the same for every beta, and where every class has as many
objects, as in the papers' validation and test sets, it is the accuracy."""

TRIAL_TAG = "trial"
"""Tag of a trial's MLflow run: Tune's number of the trial."""

ENSEMBLE_TAG = "ensemble_uri"
"""Tag of a trial's MLflow run: the ensemble of its seeds, where the study asks for one."""

CONFIGURATION = "configuration"
"""What a trial of a study of named configurations is given: the name of its one."""

COST = "multiply_adds"
"""What of a configuration is made small beside `METRIC`: `models.cost` of one answer, the same on every machine."""

SAMPLERS = ("tpe", "random", "nsga2")

BEST, FASTEST_OF_EQUALS = "best", "fastest_of_equals"


@dataclass(frozen=True)
class Study:
    """What is searched, and how.

    Attributes
    ----------
    name : str
        Of the study; the same name goes on with the same study.
    data : tuple of Path
        Prepared data; their splits are joined.
    storage : Path
        Folder of Tune's results and the checkpoints; every node has to reach it.
    tracking_uri : str
        Of MLflow.
    model : str
        Which family, by the name it is registered under: one of `routing.MODEL_FOR`.
    space : dict
        Setting -> the values it may take (`Family.configuration` says which settings there are), to be searched.
    configurations : dict
        In the place of a space: name -> settings, each of which is tried.
    fixed : dict
        Settings that all trials share.
    first : tuple of dict
        Settings of the space to try first.
    trials, seeds : int
        Configurations to try of a space, and trainings of each.
    sampler : str
        ``tpe``, ``random``, or, of two objectives, ``nsga2``; of a space.
    cheap : bool
        Whether `COST` is a second objective, to be made small. No trial is then ended early.
    choose : str
        ``best``: the highest mean of `METRIC` on validation. ``fastest_of_equals``: the fastest to answer for a single
        object of those that a permutation test does not tell from the best (`statistics.fastest_of_equals`).
    alpha : float
        p below which two configurations differ.
    test_each : bool
        Whether every training is scored on test too, for a table; choosing never looks at it.
    time_each : bool
        Whether all bundles are timed side by side at the end, as `fastest_of_equals` does anyway; without it the times
        are those that trials measured beside each other.
    calibrate : bool
        Whether each bundle's answers pass a temperature fitted on validation (`calibration`).
    ensemble : bool
        Whether the seeds of the chosen configuration are tested and registered as one ensemble, in the place of the
        best of them.
    register : bool
        Whether the bundle that was chosen is registered under the family's name and proposed.
    concurrent : int
        Trials at once; 0 for as many as fit.
    cpus, gpus : float
        Of one trial; `gpus` may be a fraction, and None takes a quarter of one where there are any.
    prune : bool
        Whether ASHA may end trials early.
    """

    name: str
    data: tuple[Path, ...]
    storage: Path
    tracking_uri: str
    model: str = routing.FIRST_DETECTION
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    configurations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[Mapping[str, Any], ...] = ()
    trials: int = 10
    seeds: int = 1
    sampler: str = "tpe"
    cheap: bool = False
    choose: str = BEST
    alpha: float = 0.05
    test_each: bool = False
    time_each: bool = False
    calibrate: bool = True
    ensemble: bool = False
    register: bool = True
    concurrent: int = 0
    cpus: float = 1.0
    gpus: float | None = None
    prune: bool = True
    seed: int = 0
    commit: str = "unknown"
    max_failures: int = 2

    def settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return all settings of the trial that Tune gave `config`."""
        own = self.configurations[config[CONFIGURATION]] if self.configurations else config
        return {**self.fixed, **own}


@dataclass(frozen=True)
class Tried:
    """A configuration whose trainings all came to their end.

    Attributes
    ----------
    name : str
        Of the configuration; Tune's number of the trial if it was searched.
    settings : dict
        Without those that all trials share.
    run : str
        Its run in MLflow.
    scores : tuple of dict
        Of each training: ``validation_NAME`` and, if the study asked for it, ``test_NAME``.
    seconds : dict
        ``inference_s_batch_1`` and ``inference_s_batch_64``: seconds an object, by itself and in a batch of 64.
    p : float
        Against the most accurate configuration of the study, on validation; 1 for that one.
    cost : float
        `COST`, where the study asked for it; NaN otherwise.
    """

    name: str
    settings: Mapping[str, Any]
    run: str
    scores: tuple[Mapping[str, float], ...]
    seconds: Mapping[str, float]
    p: float = 1.0
    cost: float = math.nan

    def values(self, name: str) -> list[float]:
        """Return a score of each training, for example ``validation_accuracy``."""
        return [scores[name] for scores in self.scores]


@dataclass(frozen=True)
class Summary:
    """How a study ended.

    `best` are the settings that were chosen, with their mean `METRIC`; `choice` says why; `tried` are all complete
    configurations, most accurate first. `test` and `matrix` are of the registered bundle: the best training of the
    chosen configuration. `version` and `alias` are empty where the study registers nothing.
    """

    model: str
    classes: tuple[str, ...]
    run: str
    trials: int
    complete: int
    stopped: int
    failed: tuple[str, ...]
    best: Mapping[str, Any]
    choice: Choice
    tried: tuple[Tried, ...]
    test: Mapping[str, float]
    matrix: np.ndarray
    version: str
    alias: str


@dataclass(frozen=True)
class Shared:
    """What all trials read: references into the object store, by what of a configuration decides its inputs."""

    inputs: Mapping[Hashable, "SharedInputs"]
    test: ray.ObjectRef | None
    about: Mapping[str, Any]
    tracker: Tracker
    parent: str


@dataclass(frozen=True)
class SharedInputs:
    """One spec, its example, and references to the arrays it made of training and validation: labels and inputs."""

    spec: Any
    example: ray.ObjectRef
    labels: Mapping[str, ray.ObjectRef]
    arrays: Mapping[str, Mapping[str, ray.ObjectRef]]


def check(study: Study) -> None:
    """Pass if a study can be run.

    Raises
    ------
    UsageError
        Otherwise.
    """
    if study.sampler not in SAMPLERS:
        raise UsageError(f"the sampler should be one of {', '.join(SAMPLERS)}. Received: {study.sampler}")
    if study.cheap and (study.prune or not study.space):
        raise UsageError("a study of two objectives should have a space and no pruning. Received: another one")
    if study.sampler == "nsga2" and not study.cheap:
        raise UsageError("the sampler nsga2 should have two objectives. Received: a study of accuracy alone")
    if study.choose not in (BEST, FASTEST_OF_EQUALS):
        raise UsageError(f"choose should be {BEST} or {FASTEST_OF_EQUALS}. Received: {study.choose}")
    if bool(study.space) == bool(study.configurations):
        given = f"{sorted(study.space)}, {sorted(study.configurations)}"
        raise UsageError(f"a study should have a space or configurations, and not both. Received: {given}")
    if min(study.trials, study.seeds) < 1:
        raise UsageError(
            f"a study should have at least one trial and one seed. Received: {study.trials}, {study.seeds}"
        )
    if study.ensemble and study.seeds < ensemble.LEAST:
        raise UsageError(f"an ensemble should have {ensemble.LEAST} seeds or more. Received: {study.seeds}")
    for settings in study.first:
        outside = {name for name, value in settings.items() if value not in study.space.get(name, ())}
        if outside:
            raise UsageError(f"a first configuration should lie in the space. Received: {sorted(outside)} outside it")
