"""How a model is trained: the paper's loop by default, the extensions off."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """Parameters of `loop.fit`. Defaults: Carrasco-Davis et al. 2021 with their best learning rate and beta.

    Parameters
    ----------
    learning_rate, adam_betas : float, (float, float)
        Of the Adam optimiser.
    beta : float
        Weight of the prediction's entropy in the loss, `losses.EntropyRegularisedCrossEntropy`.
    batch : int
        Examples a step, shared equally among the classes.
    max_iterations, validate_every : int
        Steps in all, and between two looks at the whole validation set.
    extension_after, extension : int
        A new best validation loss at iteration i >= `extension_after` moves the end to i + `extension`, if that is
        later. 0 for `extension` turns the rule off.
    seed : int
        Of the batches and their augmentation; the model has its own.
    cosine_decay : bool
        Lets the learning rate fall to a hundredth along a half cosine over `max_iterations`.
    label_smoothing : float
        Share of each label spread evenly over all classes.
    class_weights : tuple of float or None
        Weight of each class in the training loss, on top of the equal shares.
    flips : bool
        Mirrors each stamp left-right with probability 1/2 in training (turning is the model's own).
    stamp_noise : float
        Standard deviation of Gaussian noise added to stamps, in their scaled unit.
    metadata_dropout, feature_dropout : float
        Probability that all of an example's metadata, or each feature by itself, becomes 0, the training mean.
    """

    learning_rate: float = 1e-3
    beta: float = 0.5
    batch: int = 64
    adam_betas: tuple[float, float] = (0.5, 0.9)
    max_iterations: int = 30_000
    validate_every: int = 10
    extension_after: int = 20_000
    extension: int = 10_000
    seed: int = 0
    cosine_decay: bool = False
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    flips: bool = False
    stamp_noise: float = 0.0
    metadata_dropout: float = 0.0
    feature_dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch", "max_iterations", "validate_every"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} should be above 0. Received: {name}={getattr(self, name)}")
        for name in ("beta", "extension_after", "extension", "seed", "stamp_noise"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} should be at least 0. Received: {name}={getattr(self, name)}")
        for name in ("label_smoothing", "metadata_dropout", "feature_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} should be in [0, 1). Received: {name}={getattr(self, name)}")
