"""Runs and models in MLflow: the only module that knows it.

    runs.py      experiments, a study's run with its trials' runs nested under it, what they log
    registry.py  registered models: versions, aliases, and the bundle behind a reference

A reference is ``NAME@ALIAS``, ``NAME/VERSION``, or the folder of a bundle.
"""

from skystamp.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    RegisteredModel,
    Resolved,
    alias_version,
    fetch,
    load,
    propose,
    register,
    registered,
    resolve,
    set_alias,
)
from skystamp.tracking.runs import (
    Tracker,
    default_uri,
    open_tracker,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "RegisteredModel",
    "Resolved",
    "Tracker",
    "alias_version",
    "default_uri",
    "fetch",
    "load",
    "open_tracker",
    "propose",
    "register",
    "registered",
    "resolve",
    "set_alias",
]
