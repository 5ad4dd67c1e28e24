"""The family of one: the first-detection stamp classifier (Carrasco-Davis et al. 2021; enhanced: Neira et al. 2024)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skystamp import manifest, metadata, routing, taxonomy
from skystamp.cluster.data.shards import LabelledRaw, load_split
from skystamp.cluster.families.configuration import TRAINING, Configuration, Family, checked, chosen, fed_side
from skystamp.errors import UsageError
from skystamp.inputs import InputSpec
from skystamp.models import stamp
from skystamp.models.stamp import StampConfig
from skystamp.training import TrainConfig

FEATURE_SETS = {"23": metadata.FEATURES_23, "26": metadata.FEATURES_26, "none": ()}
_NETWORK = {"crop", "k", "theta", "kernel", "dropout", "dropout_at", "mirrored"}


def family() -> Family:
    """Return the family."""
    return Family(routing.FIRST_DETECTION, 1, taxonomy.FIRST_DETECTION, configuration, load)


def configuration(settings: Mapping[str, Any]) -> Configuration:
    """Return the configuration of flat settings; what they leave out is as published.

    Parameters
    ----------
    settings : mapping
        Fields of `TrainConfig`; crop, k, theta (rad), kernel, dropout, dropout_at, mirrored of `StampConfig`; and
        features: ``"23"``, ``"26"`` or ``"none"``.

    Raises
    ------
    UsageError
        If a setting is unknown or can not be.
    """
    given = checked(settings, {*_NETWORK, "features"})
    if given.get("features", "23") not in FEATURE_SETS:
        raise UsageError(f"features should be one of {sorted(FEATURE_SETS)}. Received: {given['features']}")
    features = FEATURE_SETS[given.get("features", "23")]
    parts = {"crop": 21, **chosen(given, _NETWORK)}
    side = fed_side(parts["crop"], parts.get("k", 4), parts.get("theta", 0.0))
    try:
        network = StampConfig(**parts, side=side, metadata=len(features), classes=len(taxonomy.FIRST_DETECTION))
        training = TrainConfig(**chosen(given, TRAINING))
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    spec = InputSpec(crop=side, features=features)
    return Configuration(spec, (side, *features), network, training, lambda seed: stamp.build(network, seed=seed))


def load(folder: Path, split: str) -> LabelledRaw:
    """Return one split of prepared data; of validation and test only the first packet of each object.

    Raises
    ------
    DatasetError
        If the folder holds no prepared data.
    """
    return load_split(folder, split, earliest=split != manifest.TRAIN)
