"""The end of a study: its runs ended, a configuration chosen, its best bundle scored on test and registered."""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import bundle, figures, manifest, statistics, tracking
from skystamp.cluster import train
from skystamp.cluster.families import Family
from skystamp.cluster.search import speed, table
from skystamp.cluster.search.study import (
    BEST,
    CONFIGURATION,
    COST,
    ENSEMBLE_TAG,
    FASTEST_OF_EQUALS,
    METRIC,
    TRIAL_TAG,
    Shared,
    Study,
    Summary,
    Tried,
)
from skystamp.cluster.search.tuner import resources
from skystamp.errors import UsageError
from skystamp.statistics import Choice
from skystamp.tracking import Tracker
from skystamp.tracking.runs import FAILED, FINISHED, KILLED

BEST_TAG = "model_uri"
"""Tag of a trial's run: the bundle of its best seed."""

P_VALUE = "p_against_best"
"""Metric of a trial's run, logged when its study came to its end."""


def conclude(study: Study, family: Family, shared: Shared, results: Any) -> Summary:
    """End the runs of a study's trials, choose, and return how it ended.

    Raises
    ------
    UsageError
        If no trial completed.
    """
    tracker, parent = shared.tracker, shared.parent
    runs = {run.data.tags.get(TRIAL_TAG, ""): run for run in tracker.children(parent)}
    tried, stopped, failed = _ended(study, tracker, runs, results)
    if not tried:
        raise UsageError(f"no trial of study {study.name} completed; failed: {failed or 'none'}, stopped: {stopped}")
    tried, choice = _chosen(study, shared, tried)
    winner = next(each for each in tried if each.name == choice.chosen)
    _log_choice(tracker, parent, tried, choice)
    folder = tracking.fetch(_model(tracker, winner.run, ENSEMBLE_TAG if study.ensemble else BEST_TAG), tracker.uri)
    test, matrix = train.evaluate(folder, train.load(family, study.data, manifest.TEST))
    _log_test(tracker, parent, family, test, matrix)
    version, alias = _register(study, family, shared, winner, folder, test) if study.register else ("", "")
    shutil.rmtree(folder.parent)
    return Summary(
        model=family.name,
        classes=family.classes,
        run=parent,
        trials=len(results),
        complete=len(tried),
        stopped=stopped,
        failed=failed,
        best={**winner.settings, METRIC: float(np.mean(winner.values(f"validation_{METRIC}")))},
        choice=choice,
        tried=tried,
        test=test,
        matrix=matrix,
        version=version,
        alias=alias,
    )


def _ended(
    study: Study, tracker: Tracker, runs: Mapping[str, Any], results: Any
) -> tuple[tuple[Tried, ...], int, tuple[str, ...]]:
    """End every trial's run; return the complete ones, how many ASHA stopped, and what killed the others."""
    complete, stopped, failed = [], 0, []
    for result in results:
        number = (result.metrics or {}).get("trial_id") or Path(result.path).name.split("_")[1]
        run = runs[number].info.run_id if number in runs else None
        if result.error is not None:
            failed.append(f"{number}: {_last_line(str(result.error))}")
            status = FAILED
        elif (result.metrics or {}).get("complete"):
            complete.append(_tried(study, number, runs[number].info.run_id, result))
            status = FINISHED
        else:
            stopped += 1
            status = KILLED
            if run:
                tracker.log(run, tags={"stopped_by": "asha"})
        if run:
            tracker.finish(run, status)
    return tuple(complete), stopped, tuple(failed)


def _tried(study: Study, number: str, run: str, result: Any) -> Tried:
    name = result.config[CONFIGURATION] if study.configurations else number
    settings = study.configurations[name] if study.configurations else result.config
    scores, seconds = tuple(json.loads(result.metrics["scores"])), result.metrics["seconds"]
    return Tried(name, settings, run, scores, seconds, cost=result.metrics.get(COST, float("nan")))


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:200] if text.strip() else "no message"


def _chosen(study: Study, shared: Shared, tried: tuple[Tried, ...]) -> tuple[tuple[Tried, ...], Choice]:
    """Return what was tried, most accurate first, with p-values, and which of it to take."""
    if study.time_each or study.choose == FASTEST_OF_EQUALS:
        seconds = _timed(study, shared, tried)
        tried = tuple(dataclasses.replace(each, seconds=seconds[each.name]) for each in tried)
    accuracies = {each.name: each.values(f"validation_{METRIC}") for each in tried}
    choice = statistics.fastest_of_equals(
        accuracies,
        {each.name: each.seconds["inference_s_batch_1"] for each in tried},
        alpha=study.alpha,
        rng=np.random.default_rng(study.seed),
    )
    if study.choose == BEST:
        choice = dataclasses.replace(choice, chosen=choice.best, note=f"{choice.best}: the best of {len(tried)}")
    tried = tuple(dataclasses.replace(each, p=choice.p[each.name]) for each in tried)
    return tuple(sorted(tried, key=lambda each: -float(np.mean(accuracies[each.name])))), choice


def _timed(study: Study, shared: Shared, tried: tuple[Tried, ...]) -> dict[str, dict[str, float]]:
    """Return how fast each answers, timed side by side; a study that had come to its end keeps the times it had."""
    logged = {each.name: shared.tracker.client.get_run(each.run).data.metrics for each in tried}
    if all(P_VALUE in metrics for metrics in logged.values()):
        return {name: {key: metrics[key] for key in tried[0].seconds} for name, metrics in logged.items()}
    models = {each.name: _model(shared.tracker, each.run) for each in tried}
    example = next(iter(shared.inputs.values())).example
    return speed.timed(models, example, shared.tracker.uri, *resources(study))


def _model(tracker: Tracker, run: str, tag: str = BEST_TAG) -> str:
    return str(tracker.client.get_run(run).data.tags[tag])


def _log_choice(tracker: Tracker, parent: str, tried: tuple[Tried, ...], choice: Choice) -> None:
    """Log each configuration's p-value and times with its run, and the table of all with the study's."""
    for each in tried:
        numbers = {P_VALUE: each.p, COST: each.cost, **each.seconds}
        tracker.log(each.run, metrics=numbers, tags={"chosen": str(each.name == choice.chosen)})
    rows = table.rows(tried, choice.chosen)
    tracker.log(parent, tags={"chosen": choice.chosen, "choice": choice.note, "testable": str(choice.testable)})
    tracker.log_json(parent, {"choice": dataclasses.asdict(choice), "rows": rows}, "configurations.json")
    tracker.log_text(parent, f"{table.markdown(rows)}\n{choice.note}\n\n{table.NOTE}", "configurations.md")


def _log_test(tracker: Tracker, parent: str, family: Family, test: Mapping[str, float], matrix: np.ndarray) -> None:
    tracker.log(parent, metrics={f"test_{name}": value for name, value in test.items()})
    tracker.log_json(parent, {"classes": list(family.classes), "matrix": matrix.tolist()}, "test.json")
    tracker.log_figure(parent, figures.confusion_figure(matrix, family.classes, "test"), "test_confusion.png")


def _register(
    study: Study, family: Family, shared: Shared, winner: Tried, folder: Path, test: Mapping[str, float]
) -> tuple[str, str]:
    """Register the chosen bundle, with its test scores in it, and propose it; once, however often a study is run."""
    tracker, parent, chosen = shared.tracker, shared.parent, winner.run
    before = tracker.client.get_run(parent).data.tags
    if before.get("registered_run") == chosen:
        return str(before["registered_version"]), str(before["registered_as"])
    bundle.amend(
        folder, {"test": dict(test)}, card=lambda facts: train.model_card(facts["name"], facts, facts["classes"])
    )
    model = tracker.log_bundle(parent, folder, {f"test_{name}": value for name, value in test.items()})
    tags = {"study": study.name, **train.figures_tags(test, study.data, winner.seconds)}
    version = tracking.register(model, family.name, tracker.uri, run=parent, tags=tags)
    alias = tracking.propose(family.name, version, tracker.uri)
    tracker.log(parent, tags={"registered_run": chosen, "registered_version": version, "registered_as": alias})
    return version, alias
