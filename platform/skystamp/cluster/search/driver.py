"""The driver of a study: shares the data, runs the trials, and concludes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from skystamp import tracking
from skystamp.cluster import families, train
from skystamp.cluster.families import Family
from skystamp.cluster.search.conclusion import conclude
from skystamp.cluster.search.sharing import settings_of, share
from skystamp.cluster.search.study import Study, Summary, check
from skystamp.cluster.search.trial import trial as run_trial
from skystamp.cluster.search.tuner import tuner
from skystamp.errors import UsageError
from skystamp.tracking import Tracker

DATA_TAG = "data_hash"
"""Tag of a study's run: what it learns from, so that it never goes on with other data under its name."""


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
        If the study can not be, was begun otherwise under this name, or no trial completed.
    """
    check(study)
    family = families.of(study.model)
    length, validate_every = _length(study, family)
    tracker = tracking.open_tracker(study.model, study.tracking_uri)
    parent = _parent(study, tracker)
    shared = share(study, family, tracker, parent)
    function = partial(trainable or run_trial, study=study, shared=shared)
    results = tuner(study, function, length, validate_every).fit()
    require_ended(study, results)
    summary = conclude(study, family, shared, results)
    tracker.finish(parent)
    return summary


def require_ended(study: Study, results: Any) -> None:
    """Pass if every trial has ended: completed, failed, or was stopped early; Tune returns when it is interrupted too.

    Raises
    ------
    UsageError
        If some have not, since a table of the others would compare less than was asked for.
    """
    rows = [result.metrics or {} for result in results if result.error is None]
    running = sum(not (row.get("complete") or row.get("done")) for row in rows)
    missing = (len(study.configurations) or study.trials) - len(results)
    if running or missing > 0:
        raise UsageError(
            f"all trials of {study.name} should have ended; its name goes on with it. "
            f"Received: an interruption, {running} running, {max(missing, 0)} not begun"
        )


def _length(study: Study, family: Family) -> tuple[int, int]:
    """Return the iterations of a trial, of all its trainings, and between two reports; of the longest configuration."""
    trainings = [family.configuration(settings).training for settings in settings_of(study)]
    iterations = max(training.max_iterations for training in trainings)
    return study.seeds * iterations, max(training.validate_every for training in trainings)


def _parent(study: Study, tracker: Tracker) -> str:
    """Return the study's run: the one of this name, if it was begun with the same parameters, or a new one."""
    params, digest = _params(study), train.data_hash(study.data)
    found = tracker.find(study.name)
    if found is None:
        found = tracker.start(study.name, tags={"study": study.name, "commit": study.commit, DATA_TAG: digest})
        tracker.log(found, params=params)
        return found
    data = tracker.client.get_run(found).data
    before: Mapping[str, str] = data.params
    other = sorted(name for name in {*before, *params} if before.get(name) != params.get(name))
    if data.tags.get(DATA_TAG, digest) != digest:
        other.append("data")
    if other:
        wanted = f"the study {study.name} should go on with what it began with, or have another name"
        raise UsageError(f"{wanted}. Received: other {', '.join(other)}")
    return found


def _params(study: Study) -> dict[str, str]:
    shown: dict[str, Any] = {name: getattr(study, name) for name in ("seeds", "prune", "seed", "choose")}
    if study.configurations:
        shown["configurations"] = ", ".join(study.configurations)
    else:
        shown |= {"trials": study.trials, "sampler": study.sampler, **({"cheap": True} if study.cheap else {})}
    return {name: str(value) for name, value in {**shown, **{f"fixed_{k}": v for k, v in study.fixed.items()}}.items()}
