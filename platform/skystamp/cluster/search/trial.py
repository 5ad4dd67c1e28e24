"""One trial of a study: a configuration, trained with every seed, logged and reported, in a process of its own."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune

from skystamp import figures, metrics
from skystamp.cluster import families, train
from skystamp.cluster.search import sharing, table
from skystamp.cluster.search.study import CONFIGURATION, COST, ENSEMBLE_TAG, METRIC, TRIAL_TAG, Shared, Study
from skystamp.tracking import Tracker


def trial(config: dict[str, Any], *, study: Study, shared: Shared) -> None:
    """Train one configuration with every seed, log it, and report; Tune calls this in a process of its own."""
    own = study.configurations[config[CONFIGURATION]] if study.configurations else {}
    cost = _cost(study, config)
    run = run_of_trial(shared, tune.get_context().get_trial_id(), {**config, **own})
    with tempfile.TemporaryDirectory(prefix="skystamp-trial-") as folder:
        work = Path(folder)
        _restore(work)
        done: list[train.Trained] = []
        scores: list[dict[str, float]] = []
        for number in range(study.seeds):
            done.append(_trained(number, done, study.settings(config), work, study, shared, cost))
            scores.append(_scores(done[-1], shared))
        _log_trial(shared.tracker, run, done, scores, families.of(study.model).classes)
        if study.ensemble:
            _log_ensemble(run, done, work / "ensemble", study, shared, study.settings(config))
        seconds = dict(_best(done).seconds)
    last = {METRIC: _mean(done), **cost, "iteration": _iterations(done) + 1, "complete": True}
    tune.report({**last, "scores": json.dumps(scores), "seconds": seconds})


def _cost(study: Study, config: Mapping[str, Any]) -> dict[str, float]:
    """Return what an answer of this configuration costs, if the study wants it small; it takes no training to know."""
    if not study.cheap:
        return {}
    from skystamp.models import cost

    chosen = families.of(study.model).configuration(study.settings(config))
    return {COST: float(cost.multiply_adds(chosen.build(0)))}


def _trained(
    number: int,
    done: Sequence[train.Trained],
    settings: Mapping[str, Any],
    work: Path,
    study: Study,
    shared: Shared,
    cost: Mapping[str, float],
) -> train.Trained:
    family = families.of(study.model)
    chosen = family.configuration(settings)
    inputs = shared.inputs[chosen.key]
    every = _checkpoint_every(chosen.training)
    return train.train(
        family,
        settings,
        *sharing.taken(inputs),
        inputs.spec,
        ray.get(inputs.example),
        work / f"bundle-{number}",
        seed=study.seed + number,
        about=shared.about,
        on_validation=partial(_report, tuple(done), work, every, cost),
        checkpoints=work / f"seed-{number}",
        checkpoint_every=every,
        calibrate=study.calibrate,
    )


def _log_ensemble(
    run: str, done: Sequence[train.Trained], folder: Path, study: Study, shared: Shared, settings: Mapping[str, Any]
) -> None:
    """Log the ensemble of all seeds beside the bundle of the best."""
    inputs = shared.inputs[families.of(study.model).configuration(settings).key]
    _, validation = sharing.taken(inputs)
    train.ensemble([each.folder for each in done], validation, folder, calibrate=study.calibrate)
    shared.tracker.log(run, tags={ENSEMBLE_TAG: shared.tracker.log_bundle(run, folder)})


def _scores(trained: train.Trained, shared: Shared) -> dict[str, float]:
    """Return the scores of one training under the split they are of; of test only if the study shares it."""
    found = {f"validation_{name}": value for name, value in trained.scores.items()}
    if shared.test is not None:
        test, _ = train.evaluate(trained.folder, ray.get(shared.test))
        found |= {f"test_{name}": value for name, value in test.items()}
    return found


def run_of_trial(shared: Shared, number: str, params: Mapping[str, Any]) -> str:
    """Return the MLflow run of this trial: the one it had before it died or was interrupted, or a new one."""
    for run in shared.tracker.children(shared.parent):
        if run.data.tags.get(TRIAL_TAG) == number:
            return str(run.info.run_id)
    run = shared.tracker.start(f"trial-{number}", parent=shared.parent, tags={TRIAL_TAG: number})
    about = {name: shared.about[name] for name in ("data_hash", "commit")}
    shared.tracker.log(run, params={**params, **about})
    return run


def _restore(work: Path) -> None:
    """Fill this trial's work folder from its last checkpoint, if it had one."""
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as folder:
            shutil.copytree(folder, work, dirs_exist_ok=True)


def _report(
    done: Sequence[train.Trained],
    work: Path,
    checkpoint_every: int,
    cost: Mapping[str, float],
    iteration: int,
    scores: Mapping[str, float],
) -> bool | None:
    """Report the mean over the seeds so far, this one's present score included, with the checkpoint if it is new."""
    value = float(np.mean([*(trained.scores[METRIC] for trained in done), scores[METRIC]]))
    row = {METRIC: value, **cost, "iteration": _iterations(done) + iteration, "loss": scores["loss"], "complete": False}
    is_new = iteration % checkpoint_every == 0
    tune.report(row, checkpoint=tune.Checkpoint.from_directory(str(work)) if is_new else None)
    return None


def _iterations(done: Sequence[train.Trained]) -> int:
    return sum(int(trained.history["iteration"][-1]) for trained in done)


def _checkpoint_every(training: Any) -> int:
    """Return a tenth of the training, in whole validations."""
    return max(1, training.max_iterations // 10 // training.validate_every) * training.validate_every


def _mean(done: Sequence[train.Trained]) -> float:
    return float(np.mean([trained.scores[METRIC] for trained in done]))


def _best(done: Sequence[train.Trained]) -> train.Trained:
    return max(done, key=lambda trained: trained.scores[METRIC])


def _log_trial(
    tracker: Tracker,
    run: str,
    done: Sequence[train.Trained],
    scores: Sequence[Mapping[str, float]],
    classes: Sequence[str],
) -> None:
    """Log scores of each seed, means and spreads; and curves, confusion matrix and bundle of the best seed."""
    best = _best(done)
    model = tracker.log_bundle(run, best.folder, {f"validation_{k}": v for k, v in best.scores.items()})
    tracker.log(run, tags={"model_uri": model})
    for number, row in enumerate(scores):
        tracker.log(run, metrics={f"seed_{name}": row[name] for name in row if name.endswith("accuracy")}, step=number)
    tracker.log_json(run, list(scores), "seeds.json")
    tracker.log_curves(run, best.history)
    # after the bundle: MLflow gives the run the scores of the model, which are those of one seed
    tracker.log(run, metrics={**table.means(scores), **best.seconds})
    title = f"validation, accuracy {metrics.accuracy(best.matrix):.3f}"
    tracker.log_figure(run, figures.confusion_figure(best.matrix, classes, title), "confusion.png")
    tracker.log_figure(run, figures.learning_curve_figure(best.history), "curves.png")
