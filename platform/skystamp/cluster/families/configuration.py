"""One choice of everything that a training needs, and the family that makes such choices of flat settings."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Shaped
from numpy import ndarray

from skystamp.errors import UsageError
from skystamp.inputs import Spec
from skystamp.training import TrainConfig

TURNED_SIDE = 45  # pixels given to a network that turns stamps by other than right angles and then crops them

TRAINING = frozenset(field.name for field in fields(TrainConfig))
"""The settings that are the training's own."""

SWITCHES = frozenset({"mirrored", "cosine_decay", "flips", "images", "metadata", "allwise"})
"""The settings that are true or false, of whatever family."""

WHOLE = frozenset({"crop", "k", "kernel", "units", "depth", "taps", "window", "heads"}) | {
    field.name for field in fields(TrainConfig) if type(field.default) is int
}
"""The settings that are whole numbers, of whatever family."""

NUMBERS = WHOLE | {"theta", "dropout"} | {field.name for field in fields(TrainConfig) if type(field.default) is float}
"""The settings that are numbers, of whatever family."""


@runtime_checkable
class Labelled(Protocol):
    """One split in memory: raw inputs of one kind, and the label and object of each."""

    @property
    def raw(self) -> Any:
        """`Raw` or `RawSequences`."""
        ...

    @property
    def labels(self) -> Shaped[ndarray, " example"]:
        """Class names."""
        ...

    @property
    def object_ids(self) -> Shaped[ndarray, " example"]:
        """The survey's names of the objects."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Configuration:
    """One choice of everything.

    Attributes
    ----------
    spec : InputSpec or SequenceSpec
        Not fitted yet.
    key : tuple
        What of the settings decides the inputs: equal keys, equal specs.
    network : StampConfig or TemporalConfig
    training : TrainConfig
    build : callable
        Seed -> an untrained Keras model.
    """

    spec: Spec
    key: tuple[Any, ...]
    network: Any
    training: TrainConfig
    build: Callable[[int], Any]


@dataclass(frozen=True)
class Family:
    """The models of one registered name.

    Attributes
    ----------
    name : str
        Of `routing.MODEL_FOR`.
    detections : int
        That a model reads.
    classes : tuple of str
        That it answers with.
    configuration : callable
        Flat settings -> `Configuration`; raises UsageError for those that are unknown or can not be.
    load : callable
        Prepared data's folder, split -> `Labelled`.
    """

    name: str
    detections: int
    classes: tuple[str, ...]
    configuration: Callable[[Mapping[str, Any]], Configuration]
    load: Callable[[Path, str], Labelled]


def checked(settings: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return settings with tuples where JSON and search spaces have lists.

    Raises
    ------
    UsageError
        If one is not of `known` or the training's, a number is something else, or a switch is anything but true or
        false: the word "False" of a command line is not false.
    """
    unknown = sorted(set(settings) - set(known) - TRAINING)
    if unknown:
        raise UsageError(f"settings should be of {sorted({*known, *TRAINING})}. Received: {unknown}")
    for name in sorted(SWITCHES & set(settings)):
        if not isinstance(settings[name], bool):
            raise UsageError(f"{name} should be true or false. Received: {name}={settings[name]!r}")
    for name in sorted(NUMBERS & set(settings)):
        kinds, kind = (int, "a whole number") if name in WHOLE else ((int, float), "a number")
        if not isinstance(settings[name], kinds) or isinstance(settings[name], bool):
            raise UsageError(f"{name} should be {kind}. Received: {name}={settings[name]!r}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}


def chosen(settings: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return those settings whose names are among `names`."""
    return {name: value for name, value in settings.items() if name in names}


def fed_side(crop: int, k: int, theta: float) -> int:
    """Return the pixels that a network which keeps `crop` of them is fed: more where it turns by odd angles."""
    return crop if theta == 0 and k in (1, 2, 4) else max(TURNED_SIDE, crop)
