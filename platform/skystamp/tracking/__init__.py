"""Runs and models in MLflow: the only module that knows it.

    runs.py      experiments, a study's run with its trials' runs nested under it, what they log
    registry.py  registered models: versions, aliases, and the bundle behind a reference
    gate.py      whether a version may become champion, by its figures
    promotion.py moves of `champion` and their record

A reference is ``NAME@ALIAS``, ``NAME/VERSION``, or the folder of a bundle.
"""

from skystamp.tracking.gate import Figures, Thresholds
from skystamp.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    RegisteredModel,
    Resolved,
    alias_version,
    described,
    drop_alias,
    fetch,
    load,
    load_answering,
    model_tags,
    note_answering,
    parsed,
    propose,
    register,
    registered,
    resolve,
    set_alias,
)
from skystamp.tracking.runs import (
    Tracker,
    default_uri,
    find_tracker,
    open_tracker,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Figures",
    "RegisteredModel",
    "Resolved",
    "Thresholds",
    "Tracker",
    "alias_version",
    "default_uri",
    "described",
    "drop_alias",
    "fetch",
    "find_tracker",
    "load",
    "load_answering",
    "model_tags",
    "note_answering",
    "open_tracker",
    "parsed",
    "propose",
    "register",
    "registered",
    "resolve",
    "set_alias",
]
