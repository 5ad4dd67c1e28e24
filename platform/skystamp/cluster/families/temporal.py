"""The families of two to five: the temporal stamp classifiers (Neira, Estevez and Forster 2024)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import taxonomy
from skystamp.cluster.data.shards import LabelledSequences, load_sequences
from skystamp.cluster.families.configuration import (
    TRAINING,
    TURNED_SIDE,
    Configuration,
    Family,
    checked,
    chosen,
    fed_side,
)
from skystamp.errors import UsageError
from skystamp.inputs import DYNAMIC, STATIC, WISE, SequenceSpec
from skystamp.models import temporal
from skystamp.models.temporal import TemporalConfig
from skystamp.training import TrainConfig

PUBLISHED: dict[str, Any] = {
    "learning_rate": 1e-4,
    "batch": 128,
    "beta": 0.0,
    "adam_betas": (0.9, 0.999),
    "crop": 33,
    "k": 6,
    "theta": 0.08,
}
"""What settings leave out: the paper's training, and the enhanced network of its best first-detection model."""

_NETWORK = {"crop", "k", "theta", "kernel", "dropout", "dropout_at", "mirrored"}
_CELL = {"cell", "units", "depth", "taps", "window", "heads"}
_PARTS = {"images", "metadata", "allwise"}


def family(name: str, detections: int) -> Family:
    """Return the family that reads so many detections."""
    return Family(
        name, detections, taxonomy.TEMPORAL, partial(configuration, detections), partial(load, detections=detections)
    )


def configuration(detections: int, settings: Mapping[str, Any]) -> Configuration:
    """Return the configuration of flat settings; what they leave out is `PUBLISHED`.

    Parameters
    ----------
    detections : int
        That the model reads.
    settings : mapping
        Fields of `TrainConfig`; crop, k, theta (rad), kernel, dropout, dropout_at, mirrored of the enhanced network;
        cell, units, depth, taps, window, heads of `TemporalConfig`; and the paper's ablations, all true by default:
        images, metadata (dynamic and static, AllWISE apart), allwise.

    Raises
    ------
    UsageError
        If a setting is unknown or can not be.
    """
    given = {**PUBLISHED, **checked(settings, _NETWORK | _CELL | _PARTS)}
    images, numbers, allwise = (bool(given.get(part, True)) for part in ("images", "metadata", "allwise"))
    spec = _spec(detections, given, images=images, numbers=numbers, allwise=allwise)
    try:
        network = TemporalConfig(
            detections=detections,
            side=spec.crop,
            images=images,
            dynamic=len(spec.dynamic),
            static=len(spec.static),
            channels=len(spec.bands),
            classes=len(taxonomy.TEMPORAL),
            **chosen(given, _NETWORK | _CELL),
        )
        training = TrainConfig(**chosen(given, TRAINING))
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    key = (spec.crop, spec.bands, spec.dynamic, spec.static)
    return Configuration(spec, key, network, training, lambda seed: temporal.build(network, seed=seed))


def load(folder: Path, split: str, *, detections: int) -> LabelledSequences:
    """Return the objects of a split of prepared data that have so many accepted detections, and the first of them.

    Only those of `taxonomy.TEMPORAL`: means, deviations and a bundle's example are of what the model learns from.

    Raises
    ------
    DatasetError
        If the folder holds no prepared data, or of an earlier format.
    """
    found = load_sequences(folder, split, detections, crop=TURNED_SIDE)
    known = np.isin(found.labels, taxonomy.TEMPORAL)
    return found if known.all() else found.take(np.flatnonzero(known))


def _spec(detections: int, given: Mapping[str, Any], *, images: bool, numbers: bool, allwise: bool) -> SequenceSpec:
    crop, k, theta = int(given["crop"]), int(given["k"]), float(given["theta"])
    if crop > TURNED_SIDE:
        raise UsageError(f"the crop of a temporal model should be at most {TURNED_SIDE} pixels. Received: {crop}")
    static = tuple(name for name in STATIC if (allwise if name in WISE else numbers))
    return SequenceSpec(
        detections,
        crop=fed_side(crop, k, theta),
        bands=("science", "template") if images else (),
        dynamic=DYNAMIC if numbers else (),
        static=static,
    )
