"""One trial of a study: a configuration, trained with every seed, logged and reported, in a process of its own."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune

from skystamp import figures, metrics, routing, taxonomy
from skystamp.cluster import train
from skystamp.cluster.search.study import METRIC, TRIAL_TAG, Shared, Study, input_key
from skystamp.tracking import Tracker


def trial(config: dict[str, Any], *, study: Study, shared: Shared) -> None:
    """Train one configuration with every seed, log it, and report; Tune calls this in a process of its own."""
    run = run_of_trial(shared, tune.get_context().get_trial_id(), config)
    with tempfile.TemporaryDirectory(prefix="skystamp-trial-") as folder:
        work = Path(folder)
        _restore(work)
        done: list[train.Trained] = []
        for number in range(study.seeds):
            done.append(_trained(number, done, {**study.fixed, **config}, work, study, shared))
        _log_trial(shared.tracker, run, done)
    tune.report({METRIC: _mean(done), "iteration": _iterations(done) + 1, "complete": True})


def _trained(
    number: int, done: Sequence[train.Trained], settings: Mapping[str, Any], work: Path, study: Study, shared: Shared
) -> train.Trained:
    train_examples, validation, spec, example = ray.get(shared.inputs[input_key(settings)])
    every = _checkpoint_every(settings)
    return train.train(
        settings,
        train_examples,
        validation,
        spec,
        example,
        work / f"bundle-{number}",
        seed=study.seed + number,
        name=routing.FIRST_DETECTION,
        about=shared.about,
        on_validation=partial(_report, tuple(done), work, every),
        checkpoints=work / f"seed-{number}",
        checkpoint_every=every,
    )


def run_of_trial(shared: Shared, number: str, config: Mapping[str, Any]) -> str:
    """Return the MLflow run of this trial: the one it had before it died or was interrupted, or a new one."""
    for run in shared.tracker.children(shared.parent):
        if run.data.tags.get(TRIAL_TAG) == number:
            return str(run.info.run_id)
    run = shared.tracker.start(f"trial-{number}", parent=shared.parent, tags={TRIAL_TAG: number})
    about = {name: shared.about[name] for name in ("data_hash", "commit")}
    shared.tracker.log(run, params={**config, **about})
    return run


def _restore(work: Path) -> None:
    """Fill this trial's work folder from its last checkpoint, if it had one."""
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            shutil.copytree(folder, work, dirs_exist_ok=True)


def _report(
    done: Sequence[train.Trained], work: Path, checkpoint_every: int, iteration: int, scores: Mapping[str, float]
) -> bool | None:
    """Report the mean over the seeds so far, this one's present score included, with the checkpoint if it is new."""
    value = float(np.mean([*(trained.scores[METRIC] for trained in done), scores[METRIC]]))
    row = {METRIC: value, "iteration": _iterations(done) + iteration, "loss": scores["loss"], "complete": False}
    is_new = iteration % checkpoint_every == 0
    tune.report(row, checkpoint=tune.Checkpoint.from_directory(str(work)) if is_new else None)
    return None


def _iterations(done: Sequence[train.Trained]) -> int:
    return sum(int(trained.history["iteration"][-1]) for trained in done)


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
