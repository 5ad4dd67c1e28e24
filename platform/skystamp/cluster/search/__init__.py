"""A study: configurations and prepared data -> trials on Ray Tune, all of them runs in MLflow, one of them registered.

    study.py       what is searched and how it ended: plain values
    driver.py      finds or begins the study, runs the trials, concludes
    sharing.py     data -> inputs once for each kind of configuration -> object store (one copy for all trials)
    tuner.py       a space: Optuna proposes; named configurations: each is tried; ASHA stops the hopeless, Tune retries
                   what dies
    trial.py       seeds one after another: fit -> bundle -> MLflow run nested under the study's
    conclusion.py  ends every run, chooses by validation (the best, or the fastest of those equal to it), scores that
                   bundle once on test, registers, proposes
    speed.py       times bundles side by side, when nothing else runs
    table.py       what was tried, as a table

ASHA may stop a trial before a third of its length, never later, so nothing that matters comes after a report: a trial
logs its bundle first and reports ``complete`` last; the driver ends the runs of trials that were stopped or died. A
study is found again by its name: its MLflow run, its Tune results, and each trial's checkpoints.
"""

from skystamp.cluster.search.driver import search
from skystamp.cluster.search.study import BEST, COST, FASTEST_OF_EQUALS, METRIC, Shared, Study, Summary, Tried
from skystamp.cluster.search.trial import run_of_trial, trial

__all__ = [
    "BEST",
    "COST",
    "FASTEST_OF_EQUALS",
    "METRIC",
    "Shared",
    "Study",
    "Summary",
    "Tried",
    "run_of_trial",
    "search",
    "trial",
]
