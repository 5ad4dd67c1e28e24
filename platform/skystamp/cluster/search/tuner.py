"""How a study's trials are proposed, compared early and run: Optuna, ASHA and Tune."""

from collections.abc import Callable
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from skystamp.cluster.search.study import CONFIGURATION, COST, METRIC, Study

Trainable = Callable[[dict[str, Any]], None]


def tuner(study: Study, function: Trainable, length: int, validate_every: int) -> tune.Tuner:
    """Return what runs a study's trials, going on where an interrupted one was.

    Parameters
    ----------
    study : Study
        What to run.
    function : callable
        Runs one trial, given its configuration.
    length, validate_every : int
        Iterations of a trial in all, and between its reports.
    """
    cpus, gpus = resources(study)
    trainable = tune.with_resources(function, {"cpu": cpus, "gpu": gpus})
    path = study.storage / study.name
    if tune.Tuner.can_restore(str(path)):
        return tune.Tuner.restore(str(path), trainable, resume_unfinished=True, resume_errored=True)
    named = list(study.configurations)
    return tune.Tuner(
        trainable,
        param_space={CONFIGURATION: tune.grid_search(named)} if named else None,
        tune_config=tune.TuneConfig(
            search_alg=None if named else _searcher(study),
            scheduler=scheduler(length, validate_every) if study.prune else None,
            num_samples=1 if named else study.trials,
            max_concurrent_trials=study.concurrent or None,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=study.name,
            storage_path=str(study.storage),
            failure_config=tune.FailureConfig(max_failures=study.max_failures),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
            verbose=1,
        ),
    )


def resources(study: Study) -> tuple[float, float]:
    """Return CPUs and GPUs of one trial: a quarter of a GPU where there are any and the study does not say."""
    some = 0.25 if ray.cluster_resources().get("GPU", 0) else 0.0
    return float(study.cpus), float(some if study.gpus is None else study.gpus)


def scheduler(length: int, validate_every: int) -> ASHAScheduler | None:
    """Return ASHA with rungs at a ninth and a third of a trial's length, and none beyond.

    A trial past the second rung is never stopped: it would lose its bundle, which it logs at its end. ASHA makes a
    rung at each threefold of the first below `max_t`, so `max_t` lies between the second and what would be the third;
    `stop_last_trials` off means that reaching it ends nothing, and that no lower rung is looked at again.

    None where a trial reports so rarely that the second rung would be its last report.
    """
    if 3 * validate_every > length:
        return None
    first = max(1, length // 9)
    return ASHAScheduler(
        time_attr="iteration",
        metric=METRIC,
        mode="max",
        grace_period=first,
        reduction_factor=3,
        max_t=6 * first,
        stop_last_trials=False,
    )


def _searcher(study: Study) -> OptunaSearch:
    import optuna

    samplers = optuna.samplers
    named = {"tpe": samplers.TPESampler, "random": samplers.RandomSampler, "nsga2": samplers.NSGAIISampler}
    sampler = named[study.sampler](seed=study.seed)
    space = {name: optuna.distributions.CategoricalDistribution(list(values)) for name, values in study.space.items()}
    first = [{**{name: values[0] for name, values in study.space.items()}, **given} for given in study.first]
    metric, mode = ([METRIC, COST], ["max", "min"]) if study.cheap else (METRIC, "max")
    return OptunaSearch(space=space, metric=metric, mode=mode, sampler=sampler, points_to_evaluate=first or None)
