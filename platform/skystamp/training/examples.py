"""What a model learns from, and the batches it is shown: balanced, drawn by iteration, augmented on request.

A batch is a function of (seed, iteration) alone. Training that was interrupted goes on with the very batches it
would have had, and no state of a generator has to be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int64

from skystamp.training.config import TrainConfig


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled inputs of one model. Arrays may be read-only and shared; they are never written to.

    Parameters
    ----------
    inputs : mapping of str to float32 (example, ...)
        By the names of the model's inputs, without NaN: ``stamps`` (..., side, side, band) scaled to 0..1, any other
        (..., feature) standardised.
    labels : int64 (example,)
        Class numbers from 0, in the model's order.
    """

    inputs: Mapping[str, Float32[np.ndarray, "example *rest"]]
    labels: Int64[np.ndarray, " example"]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.inputs.items()}
        if not lengths or set(lengths.values()) != {len(self.labels)}:
            raise ValueError(f"inputs and labels should be of one length. Received: {lengths}, {len(self.labels)}")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Int64[np.ndarray, " chosen"]) -> "Examples":
        """Return a copy of the examples at `indices`, in that order."""
        return Examples({name: values[indices] for name, values in self.inputs.items()}, self.labels[indices])


def require_finite(examples: Examples, name: str) -> None:
    """Pass if every number of `examples` is finite; one NaN would turn all weights into NaN.

    Raises
    ------
    ValueError
        With the first example at fault.
    """
    for first in range(0, len(examples), 1024):
        parts = (values[first : first + 1024] for values in examples.inputs.values())
        finite = np.logical_and.reduce([np.isfinite(part).all(axis=tuple(range(1, part.ndim))) for part in parts])
        if not finite.all():
            raise ValueError(f"{name} inputs should be finite. Received: example {first + int(finite.argmin())}")


@dataclass(frozen=True, eq=False)
class BalancedBatches:
    """Indices of batches in which every class has the same share.

    Shares are quotas of each batch, not oversampling of the whole set (the published code's way, balanced only on
    average): every step then sees every class, also at batch 16 and with classes of ninety examples. What does not
    divide goes to the classes in turn. A class is dealt like a pack of cards, shuffled anew each time it runs out.

    Parameters
    ----------
    labels : int64 (example,)
        Class numbers; every class below `classes` should occur.
    classes, batch, seed : int
        Number of classes, examples a batch, seed of the shuffles.
    """

    labels: Int64[np.ndarray, " example"]
    classes: int
    batch: int
    seed: int
    members: tuple[Int64[np.ndarray, " member"], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        counts = np.bincount(self.labels, minlength=self.classes)
        if len(counts) != self.classes or not counts.all():
            raise ValueError(
                f"labels should name each of {self.classes} classes and no other. Received: counts={counts.tolist()}"
            )
        members = tuple(np.flatnonzero(self.labels == number) for number in range(self.classes))
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "_pack", lru_cache(maxsize=2 * self.classes)(self._shuffled))

    def indices(self, iteration: int) -> Int64[np.ndarray, " batch"]:
        """Return which examples the batch of `iteration` (from 0) holds, class by class."""
        dealt = [
            self._deal(number, self._before(iteration, number), self._before(iteration + 1, number))
            for number in range(self.classes)
        ]
        return np.concatenate(dealt)

    def _before(self, iteration: int, number: int) -> int:
        """Return how many examples of class `number` the batches before `iteration` held."""
        share, left_over = divmod(self.batch, self.classes)
        return iteration * share + (iteration * left_over + self.classes - 1 - number) // self.classes

    def _deal(self, number: int, first: int, last: int) -> Int64[np.ndarray, " dealt"]:
        places = np.arange(first, last)
        rounds, cards = np.divmod(places, len(self.members[number]))
        packs = {int(turn): self._pack(number, int(turn)) for turn in np.unique(rounds)}  # type: ignore[attr-defined]
        return np.array([packs[int(t)][c] for t, c in zip(rounds, cards, strict=True)], dtype=np.int64)

    def _shuffled(self, number: int, turn: int) -> Int64[np.ndarray, " member"]:
        return np.random.default_rng([self.seed, number, turn]).permutation(self.members[number])


def augmented(batch: Examples, config: TrainConfig, iteration: int) -> Examples:
    """Return `batch` with the augmentations `config` asks for, drawn from (seed, iteration); by default itself.

    What is done to a sequence is done to all its detections: one mirror, one set of dropped features.
    """
    if not (config.flips or config.stamp_noise or config.metadata_dropout or config.feature_dropout):
        return batch
    rng = np.random.default_rng([config.seed, iteration])
    made = dict(batch.inputs)
    if "stamps" in made:
        made["stamps"] = _augmented_stamps(made["stamps"], config, rng)
    kept = rng.random((len(batch), 1)) >= config.metadata_dropout
    for name in sorted(set(made) - {"stamps"}):
        values = made[name]
        here = kept & (rng.random((len(batch), values.shape[-1])) >= config.feature_dropout)
        shape = (len(batch), *(1,) * (values.ndim - 2), values.shape[-1])
        made[name] = np.where(here.reshape(shape), values, np.float32(0))
    return Examples(made, batch.labels)


def _augmented_stamps(stamps: np.ndarray, config: TrainConfig, rng: np.random.Generator) -> np.ndarray:
    if config.flips:
        mirrored = (rng.random(len(stamps)) < 0.5).reshape(-1, *(1,) * (stamps.ndim - 1))
        stamps = np.where(mirrored, np.flip(stamps, axis=-2), stamps)
    if config.stamp_noise:
        stamps = stamps + np.float32(config.stamp_noise) * rng.standard_normal(stamps.shape, dtype=np.float32)
    return stamps
