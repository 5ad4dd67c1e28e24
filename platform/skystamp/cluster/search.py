"""A study: a search space and prepared data -> trials on Ray Tune, all of them runs in MLflow, the best one registered.

    driver   data -> inputs once for each input side -> object store (one copy for all trials)
             Optuna proposes, ASHA stops the hopeless, Tune retries what dies
    trial    seeds one after another: fit -> bundle -> MLflow run nested under the study's
    driver   ends every run, takes the best by validation, scores it once on test, registers, proposes

ASHA may stop a trial at any report, so nothing that matters comes after one: a trial logs its bundle first and reports
``complete`` last; the driver ends the runs of trials that were stopped or died. A study is found again by its name: its
MLflow run, its Tune results, and each trial's checkpoints.
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from skystamp import figures, metrics, routing, taxonomy, tracking
from skystamp.cluster import train
from skystamp.cluster.data.shards import read_manifest
from skystamp.errors import UsageError
from skystamp.tracking import Tracker
from skystamp.tracking.runs import FAILED, FINISHED, KILLED

METRIC = "balanced_accuracy"
"""What trials are compared by: unlike the loss it means the same for every beta."""

SAMPLERS = ("tpe", "random")
_TRIAL_TAG = "trial"


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


Trainable = Callable[[dict[str, Any]], None]


def search(study: Study, trainable: Callable[..., None] | None = None) -> Summary:
    """Run a study, or go on with it, to its end, and return how it ended.

    Parameters
    ----------
    study : Study
        What to do. Ray has to be connected.
    trainable : callable, optional
        In the place of `trial`, for tests.

    Raises
    ------
    UsageError
        If the study can not be, or no trial completed.
    """
    _check(study)
    tracker = tracking.open_tracker(routing.FIRST_DETECTION, study.tracking_uri)
    parent = tracker.find(study.name) or tracker.start(study.name, tags={"study": study.name, "commit": study.commit})
    shared = _share(study, tracker, parent)
    tracker.log(parent, params=_study_params(study))
    function = partial(trainable or trial, study=study, shared=shared)
    results = _tuner(study, function).fit()
    summary = _conclude(study, tracker, parent, results)
    tracker.finish(parent)
    return summary


def trial(config: dict[str, Any], *, study: Study, shared: Shared) -> None:
    """Train one configuration with every seed, log it, and report; Tune calls this in a process of its own."""
    run = run_of_trial(shared, tune.get_context().get_trial_id(), config)
    settings = {**study.fixed, **config}
    train_examples, validation, spec, example = ray.get(shared.inputs[_key(settings)])
    work = _restored()
    done: list[train.Trained] = []
    length = int(train.configuration(settings).training.max_iterations)
    for number in range(study.seeds):
        trained = train.train(
            settings,
            train_examples,
            validation,
            spec,
            example,
            work / f"bundle-{number}",
            seed=study.seed + number,
            name=routing.FIRST_DETECTION,
            about=shared.about,
            on_validation=partial(_report, done, number * length, work),
            checkpoints=work / f"seed-{number}",
            checkpoint_every=_checkpoint_every(settings),
        )
        done.append(trained)
    _log_trial(shared.tracker, run, done)
    tune.report({METRIC: _mean(done), "iteration": study.seeds * length + 1, "complete": True})


# ---------------------------------------------------------------------------------------------------------- the driver


def _check(study: Study) -> None:
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


def _share(study: Study, tracker: Tracker, parent: str) -> Shared:
    """Put the inputs for every input side and feature set of the space into the object store, once."""
    data = {split: train.load(study.data, split) for split in ("train", "validation")}
    combinations = {_key({**study.fixed, **settings}): settings for settings in _corners(study.space)}
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


def _key(settings: Mapping[str, Any]) -> tuple[int, str]:
    return train.configuration(settings).side, str(settings.get("features", "23"))


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
        max_t=length + 2,  # a trial that completes ends itself, one iteration before
        grace_period=max(1, length // 9),
        reduction_factor=3,
    )


def _conclude(study: Study, tracker: Tracker, parent: str, results: Any) -> Summary:
    runs = {run.data.tags.get(_TRIAL_TAG, ""): run for run in tracker.children(parent)}
    complete, stopped, failed = _ended(tracker, runs, results)
    if not complete:
        raise UsageError(f"no trial of study {study.name} completed; failed: {failed or 'none'}, stopped: {stopped}")
    best = max(complete, key=lambda result: result.metrics[METRIC])
    run = runs[best.metrics["trial_id"]].info.run_id
    folder = _best_bundle(tracker, run)
    test, matrix = train.evaluate(folder, train.load(study.data, "test"))
    _log_test(tracker, parent, test, matrix)
    version, alias = _register(study, tracker, parent, folder, test)
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


def _best_bundle(tracker: Tracker, run: str) -> Path:
    import mlflow

    model = tracker.client.get_run(run).data.tags["model_uri"]
    source = tracker.client.get_logged_model(model.removeprefix("models:/")).artifact_location
    path = Path(mlflow.artifacts.download_artifacts(artifact_uri=source, tracking_uri=tracker.uri))
    copy = Path(tempfile.mkdtemp(prefix="skystamp-best-")) / "bundle"
    shutil.copytree(next(iter(sorted(path.glob("**/bundle.json")))).parent, copy)
    return copy


def _log_test(tracker: Tracker, parent: str, test: Mapping[str, float], matrix: np.ndarray) -> None:
    tracker.log(parent, metrics={f"test_{name}": value for name, value in test.items()})
    tracker.log_json(parent, {"classes": list(taxonomy.FIRST_DETECTION), "matrix": matrix.tolist()}, "test.json")
    tracker.log_figure(parent, figures.confusion_figure(matrix, taxonomy.FIRST_DETECTION, "test"), "test_confusion.png")


def _register(study: Study, tracker: Tracker, parent: str, folder: Path, test: Mapping[str, float]) -> tuple[str, str]:
    """Register the best bundle, with its test scores in it, and propose it."""
    from skystamp import bundle

    bundle.amend(
        folder, {"test": dict(test)}, card=lambda facts: train.model_card(facts["name"], facts, facts["classes"])
    )
    model = tracker.log_bundle(parent, folder, {f"test_{name}": value for name, value in test.items()})
    tags = {"study": study.name, "data_hash": train.data_hash(study.data), "test_accuracy": f"{test['accuracy']:.4f}"}
    version = tracking.register(model, routing.FIRST_DETECTION, tracker.uri, run=parent, tags=tags)
    return version, tracking.propose(routing.FIRST_DETECTION, version, tracker.uri)


# ---------------------------------------------------------------------------------------------------------- in a trial


def run_of_trial(shared: Shared, number: str, config: Mapping[str, Any]) -> str:
    """Return the MLflow run of this trial: the one it had before it died or was interrupted, or a new one."""
    for run in shared.tracker.children(shared.parent):
        if run.data.tags.get(_TRIAL_TAG) == number:
            return str(run.info.run_id)
    run = shared.tracker.start(f"trial-{number}", parent=shared.parent, tags={_TRIAL_TAG: number})
    about = {name: shared.about[name] for name in ("data_hash", "commit")}
    shared.tracker.log(run, params={**config, **about})
    return run


def _restored() -> Path:
    """Return this trial's work folder, filled from its last checkpoint if it had one."""
    work = Path(tempfile.mkdtemp(prefix="skystamp-trial-"))
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            shutil.copytree(folder, work, dirs_exist_ok=True)
    return work


def _report(
    done: list[train.Trained], before: int, work: Path, iteration: int, scores: Mapping[str, float]
) -> bool | None:
    """Report the mean over the seeds so far, this one's present score included, with the checkpoint if one is due."""
    value = float(np.mean([*(trained.scores[METRIC] for trained in done), scores[METRIC]]))
    row = {METRIC: value, "iteration": before + iteration, "loss": scores["loss"], "complete": False}
    has_checkpoint = any(work.glob("seed-*/checkpoint.npz"))
    tune.report(row, checkpoint=tune.Checkpoint.from_directory(str(work)) if has_checkpoint else None)
    return None


def _checkpoint_every(settings: Mapping[str, Any]) -> int:
    """Return a tenth of the training, in whole validations."""
    training = train.configuration(settings).training
    return max(1, training.max_iterations // 10 // training.validate_every) * training.validate_every


def _mean(done: Sequence[train.Trained]) -> float:
    return float(np.mean([trained.scores[METRIC] for trained in done]))


def _log_trial(tracker: Tracker, run: str, done: Sequence[train.Trained]) -> None:
    """Log means and spreads over the seeds, and curves, confusion matrix and bundle of the best of them."""
    names = [name for name in done[0].scores if np.isfinite(done[0].scores[name])]
    means = {name: float(np.mean([trained.scores[name] for trained in done])) for name in names}
    spread = {f"{name}_std": float(np.std([trained.scores[name] for trained in done])) for name in (METRIC, "accuracy")}
    best = max(done, key=lambda trained: trained.scores[METRIC])
    tracker.log_curves(run, best.history)
    tracker.log(run, metrics={**{f"validation_{k}": v for k, v in {**means, **spread}.items()}, **best.seconds})
    title = f"validation, accuracy {metrics.accuracy(best.matrix):.3f}"
    tracker.log_figure(run, figures.confusion_figure(best.matrix, taxonomy.FIRST_DETECTION, title), "confusion.png")
    tracker.log_figure(run, figures.learning_curve_figure(best.history), "curves.png")
    model = tracker.log_bundle(run, best.folder, {f"validation_{k}": best.scores[k] for k in names})
    tracker.log(run, tags={"model_uri": model})
