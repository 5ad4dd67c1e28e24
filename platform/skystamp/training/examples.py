"""What a model learns from, and the batches it is shown: balanced, drawn by iteration, augmented on request.

A batch is a function of (seed, iteration) alone. Training that was interrupted goes on with the very batches it
would have had, and no state of a generator has to be kept.
"""

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
    stamps : float32 (example, side, side, band)
        Scaled to 0..1, without NaN.
    metadata : float32 (example, feature)
        Standardised, without NaN. (example, 0) for a model without metadata.
    labels : int64 (example,)
        Class numbers from 0, in the model's order.
    """

    stamps: Float32[np.ndarray, "example side side band"]
    metadata: Float32[np.ndarray, "example feature"]
    labels: Int64[np.ndarray, " example"]

    def __post_init__(self) -> None:
        lengths = [len(self.stamps), len(self.metadata), len(self.labels)]
        if len(set(lengths)) > 1:
            raise ValueError(f"stamps, metadata and labels should be of one length. Received: {lengths}")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Int64[np.ndarray, " chosen"]) -> "Examples":
        """Return a copy of the examples at `indices`, in that order."""
        return Examples(self.stamps[indices], self.metadata[indices], self.labels[indices])


def require_finite(examples: Examples, name: str) -> None:
    """Pass if every number of `examples` is finite; one NaN would turn all weights into NaN.

    Raises
    ------
    ValueError
        With the first example at fault.
    """
    for first in range(0, len(examples), 1024):
        part = slice(first, first + 1024)
        finite = np.isfinite(examples.stamps[part]).all(axis=(1, 2, 3)) & np.isfinite(examples.metadata[part]).all(
            axis=1
        )
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
    """Return `batch` with the augmentations `config` asks for, drawn from (seed, iteration); by default itself."""
    if not (config.flips or config.stamp_noise or config.metadata_dropout or config.feature_dropout):
        return batch
    rng = np.random.default_rng([config.seed, iteration])
    stamps, metadata, size = batch.stamps, batch.metadata, len(batch)
    if config.flips:
        mirrored = rng.random(size) < 0.5
        stamps = np.where(mirrored[:, None, None, None], stamps[:, :, ::-1], stamps)
    if config.stamp_noise:
        stamps = stamps + np.float32(config.stamp_noise) * rng.standard_normal(stamps.shape, dtype=np.float32)
    kept = rng.random((size, 1)) >= config.metadata_dropout
    kept = kept & (rng.random(metadata.shape) >= config.feature_dropout)
    return Examples(stamps, np.where(kept, metadata, np.float32(0)), batch.labels)
