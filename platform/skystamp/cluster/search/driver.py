"""The driver of a study: shares the data, runs the trials, ends their runs, registers the best."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from skystamp import bundle, figures, routing, taxonomy, tracking
from skystamp.cluster import train
from skystamp.cluster.data.shards import read_manifest
from skystamp.cluster.search.study import METRIC, TRIAL_TAG, Shared, Study, Summary, check, input_key
from skystamp.cluster.search.trial import trial as run_trial
from skystamp.errors import UsageError
from skystamp.tracking import Tracker
from skystamp.tracking.runs import FAILED, FINISHED, KILLED

Trainable = Callable[[dict[str, Any]], None]


def search(study: Study, trainable: Callable[..., None] | None = None) -> Summary:
    """Run a study, or go on with it, to its end, and return how it ended.

    Parameters
    ----------
    study : Study
        What to do. Ray has to be connected.
    trainable : callable, optional
        In the place of `trial.trial`, for tests.

    Raises
    ------
    UsageError
        If the study can not be, or no trial completed.
    """
    check(study)
    tracker = tracking.open_tracker(routing.FIRST_DETECTION, study.tracking_uri)
    parent = tracker.find(study.name) or tracker.start(study.name, tags={"study": study.name, "commit": study.commit})
    shared = _share(study, tracker, parent)
    tracker.log(parent, params=_study_params(study))
    function = partial(trainable or run_trial, study=study, shared=shared)
    results = _tuner(study, function).fit()
    summary = _conclude(study, tracker, parent, results)
    tracker.finish(parent)
    return summary


def _share(study: Study, tracker: Tracker, parent: str) -> Shared:
    """Put the inputs for every input side and feature set of the space into the object store, once."""
    data = {split: train.load(study.data, split) for split in ("train", "validation")}
    combinations = {input_key({**study.fixed, **settings}): settings for settings in _corners(study.space)}
    references = {}
    for key, settings in combinations.items():
        spec = train.spec_for(train.configuration({**study.fixed, **settings}), data["train"])
        made = (train.examples(spec, data["train"]), train.examples(spec, data["validation"]))
        references[key] = ray.put((*made, spec, train.example_of(data["train"])))
    return Shared(references, _about(study), tracker, parent)


def _corners(space: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the combinations of those settings of a space that decide what the inputs are."""
    out: list[dict[str, Any]] = [{}]
    for name in ("crop", "k", "theta", "features"):
        if name in space:
            out = [{**settings, name: value} for settings in out for value in space[name]]
    return out


def _about(study: Study) -> dict[str, Any]:
    sources = [read_manifest(folder) for folder in study.data]
    return {
        "study": study.name,
        "commit": study.commit,
        "data": [str(source["name"]) for source in sources],
        "data_hash": train.data_hash(study.data),
        "limits": "Learned from simulated alerts." if all(s["name"] == "synthetic" for s in sources) else "",
    }


def _study_params(study: Study) -> dict[str, Any]:
    shown = ("trials", "seeds", "sampler", "prune", "seed")
    return {**{name: getattr(study, name) for name in shown}, **{f"fixed_{k}": v for k, v in study.fixed.items()}}


def _tuner(study: Study, function: Trainable) -> tune.Tuner:
    cluster_gpus = ray.cluster_resources().get("GPU", 0)
    gpus = study.gpus if study.gpus is not None else (0.25 if cluster_gpus else 0)
    trainable = tune.with_resources(function, {"cpu": study.cpus, "gpu": gpus})
    path = study.storage / study.name
    if tune.Tuner.can_restore(str(path)):
        return tune.Tuner.restore(str(path), trainable, resume_unfinished=True, resume_errored=True)
    return tune.Tuner(
        trainable,
        param_space=None,
        tune_config=tune.TuneConfig(
            search_alg=_searcher(study),
            scheduler=_scheduler(study),
            num_samples=study.trials,
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


def _searcher(study: Study) -> OptunaSearch:
    import optuna

    sampler = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[study.sampler]
    space = {name: optuna.distributions.CategoricalDistribution(list(values)) for name, values in study.space.items()}
    first = [{**{name: values[0] for name, values in study.space.items()}, **given} for given in study.first]
    return OptunaSearch(
        space=space, metric=METRIC, mode="max", sampler=sampler(seed=study.seed), points_to_evaluate=first or None
    )


def _scheduler(study: Study) -> ASHAScheduler | None:
    if not study.prune:
        return None
    length = study.seeds * int(train.configuration(study.fixed).training.max_iterations)
    return ASHAScheduler(
        time_attr="iteration",
        metric=METRIC,
        mode="max",
        max_t=100 * length,  # out of reach: a trial ends itself, and the extension rule may let it run on
        grace_period=max(1, length // 9),
        reduction_factor=3,
    )


def _conclude(study: Study, tracker: Tracker, parent: str, results: Any) -> Summary:
    runs = {run.data.tags.get(TRIAL_TAG, ""): run for run in tracker.children(parent)}
    complete, stopped, failed = _ended(tracker, runs, results)
    if not complete:
        raise UsageError(f"no trial of study {study.name} completed; failed: {failed or 'none'}, stopped: {stopped}")
    best = max(complete, key=lambda result: result.metrics[METRIC])
    run = runs[best.metrics["trial_id"]].info.run_id
    folder = tracking.fetch(tracker.client.get_run(run).data.tags["model_uri"], tracker.uri)
    test, matrix = train.evaluate(folder, train.load(study.data, "test"))
    _log_test(tracker, parent, test, matrix)
    version, alias = _register(study, tracker, parent, folder, test)
    shutil.rmtree(folder.parent)
    return Summary(
        run=parent,
        trials=len(results),
        complete=len(complete),
        stopped=stopped,
        failed=failed,
        best={**best.config, METRIC: best.metrics[METRIC]},
        test=test,
        matrix=matrix,
        version=version,
        alias=alias,
    )


def _ended(tracker: Tracker, runs: Mapping[str, Any], results: Any) -> tuple[list[Any], int, tuple[str, ...]]:
    """End every trial's run; return the complete results, how many ASHA stopped, and what killed the others."""
    complete, stopped, failed = [], 0, []
    for result in results:
        number = (result.metrics or {}).get("trial_id") or Path(result.path).name.split("_")[1]
        run = runs[number].info.run_id if number in runs else None
        if result.error is not None:
            failed.append(f"{number}: {_last_line(str(result.error))}")
            status = FAILED
        elif (result.metrics or {}).get("complete"):
            complete.append(result)
            status = FINISHED
        else:
            stopped += 1
            status = KILLED
            if run:
                tracker.log(run, tags={"stopped_by": "asha"})
        if run:
            tracker.finish(run, status)
    return complete, stopped, tuple(failed)


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:200] if text.strip() else "no message"


def _log_test(tracker: Tracker, parent: str, test: Mapping[str, float], matrix: np.ndarray) -> None:
    tracker.log(parent, metrics={f"test_{name}": value for name, value in test.items()})
    tracker.log_json(parent, {"classes": list(taxonomy.FIRST_DETECTION), "matrix": matrix.tolist()}, "test.json")
    tracker.log_figure(parent, figures.confusion_figure(matrix, taxonomy.FIRST_DETECTION, "test"), "test_confusion.png")


def _register(study: Study, tracker: Tracker, parent: str, folder: Path, test: Mapping[str, float]) -> tuple[str, str]:
    """Register the best bundle, with its test scores in it, and propose it."""
    bundle.amend(
        folder, {"test": dict(test)}, card=lambda facts: train.model_card(facts["name"], facts, facts["classes"])
    )
    model = tracker.log_bundle(parent, folder, {f"test_{name}": value for name, value in test.items()})
    tags = {"study": study.name, "data_hash": train.data_hash(study.data), "test_accuracy": f"{test['accuracy']:.4f}"}
    version = tracking.register(model, routing.FIRST_DETECTION, tracker.uri, run=parent, tags=tags)
    return version, tracking.propose(routing.FIRST_DETECTION, version, tracker.uri)
