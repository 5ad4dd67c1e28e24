"""A study: a search space and prepared data -> trials on Ray Tune, all of them runs in MLflow, the best one registered.

    study.py    what is searched and how it ended: plain values
    driver.py   data -> inputs once for each input side -> object store (one copy for all trials);
                Optuna proposes, ASHA stops the hopeless, Tune retries what dies;
                ends every run, takes the best by validation, scores it once on test, registers, proposes
    trial.py    seeds one after another: fit -> bundle -> MLflow run nested under the study's

ASHA may stop a trial at any report, so nothing that matters comes after one: a trial logs its bundle first and reports
``complete`` last; the driver ends the runs of trials that were stopped or died. A study is found again by its name: its
MLflow run, its Tune results, and each trial's checkpoints.
"""

from skystamp.cluster.search.driver import search
from skystamp.cluster.search.study import METRIC, Shared, Study, Summary
from skystamp.cluster.search.trial import run_of_trial, trial

__all__ = ["METRIC", "Shared", "Study", "Summary", "run_of_trial", "search", "trial"]
