"""What the trainings of one configuration answered about the same labelled objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from skystamp import metrics
from skystamp.errors import UsageError


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """Answers beside the truth.

    Attributes
    ----------
    classes : tuple of str
        That the models know, in their order.
    labels : int64 (object,)
        Numbers of the true classes.
    probabilities : float32 (seed, object, class)
        Of each training, as served.
    object_ids : str (object,)
    alert_ids : int64 (object,)
        The last detection that was read.
    columns : dict of str to array (object,)
        What else is known of each object, by name: metadata as of `metadata.FEATURES`, ``band``. A column that the
        data do not have is not here.
    features : tuple of str
        Those columns that the models read.
    """

    classes: tuple[str, ...]
    labels: Int64[np.ndarray, " object"]
    probabilities: Float32[np.ndarray, "seed object class"]
    object_ids: Shaped[np.ndarray, " object"]
    alert_ids: Int64[np.ndarray, " object"]
    columns: Mapping[str, Shaped[np.ndarray, " object"]] = field(default_factory=dict)
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse answers about nothing."""
        if not len(self.labels) or not len(self.probabilities):
            raise UsageError("there should be at least one object of a class that the model knows. Received: none")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def seeds(self) -> int:
        """How many trainings answered."""
        return len(self.probabilities)

    @property
    def mean(self) -> Float32[np.ndarray, "object class"]:
        """The mean of the trainings' probabilities."""
        return np.asarray(self.probabilities.mean(axis=0), np.float32)

    @property
    def answers(self) -> Int64[np.ndarray, "seed object"]:
        """The number of each training's most probable class."""
        return self.probabilities.argmax(axis=2).astype(np.int64)

    @property
    def matrices(self) -> Int64[np.ndarray, "seed true predicted"]:
        """The confusion matrix of each training."""
        return np.stack([metrics.confusion_matrix(self.labels, one, len(self.classes)) for one in self.answers])

    @property
    def names(self) -> Shaped[np.ndarray, " object"]:
        """The true classes' names."""
        return np.array(self.classes)[self.labels]

    def take(self, indices: Shaped[np.ndarray, " chosen"]) -> "Judged":
        """Return the objects at these indices, in their order."""
        columns = {name: values[indices] for name, values in self.columns.items()}
        return Judged(
            self.classes,
            self.labels[indices],
            self.probabilities[:, indices],
            self.object_ids[indices],
            self.alert_ids[indices],
            columns,
            self.features,
        )

    def among(self, classes: Sequence[str]) -> "Judged":
        """Return the objects of these classes with the answers among them, renormalised, in the order of `classes`."""
        kept = np.flatnonzero(np.isin(self.names, list(classes)))
        chosen = self.take(kept)
        places = [self.classes.index(name) for name in classes]
        inside = chosen.probabilities[:, :, places].astype(np.float64)
        total = inside.sum(axis=2, keepdims=True)
        shares = np.divide(inside, total, out=np.full_like(inside, 1 / len(places)), where=total > 0)
        labels = np.array([list(classes).index(name) for name in chosen.names], np.int64)
        return Judged(
            tuple(classes),
            labels,
            shares.astype(np.float32),
            chosen.object_ids,
            chosen.alert_ids,
            chosen.columns,
            self.features,
        )
