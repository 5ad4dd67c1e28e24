"""Losses of the stamp models: from class numbers and probabilities, one loss an example."""

from typing import Any

import keras
from keras import ops

TINY = 1e-30
"""Probabilities are taken as at least this before the logarithm. It is far below Keras's 1e-7, so that an example
of which the model is surely wrong keeps its gradient, and above float32's smallest normal number."""


@keras.saving.register_keras_serializable(package="skystamp")
class EntropyRegularisedCrossEntropy(keras.losses.Loss):
    """Cross-entropy minus `beta` times the entropy of the prediction (Carrasco-Davis et al. 2021).

    With `beta` above zero a model pays for certainty, and its probabilities spread over 0..1, so that an
    astronomer can rank candidates by them.

    Parameters
    ----------
    beta : float
        Weight of the entropy; 0 is plain cross-entropy.
    label_smoothing : float
        Share of each label spread evenly over all classes, in 0..1.

    Inputs: `y_true` (batch,) class numbers of any number type, `y_pred` (batch, classes) probabilities.
    """

    def __init__(self, beta: float = 0.0, label_smoothing: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        if beta < 0:
            raise ValueError(f"beta should be at least 0. Received: beta={beta}")
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing should be in [0, 1). Received: label_smoothing={label_smoothing}")
        self.beta, self.label_smoothing = beta, label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each example, (batch,), in nats."""
        classes = y_pred.shape[-1]
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        target = ops.one_hot(labels, classes, dtype=y_pred.dtype)
        target = target * (1 - self.label_smoothing) + self.label_smoothing / classes
        log_probability = ops.log(ops.maximum(y_pred, TINY))
        return -ops.sum((target - self.beta * y_pred) * log_probability, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the loss."""
        return {**super().get_config(), "beta": self.beta, "label_smoothing": self.label_smoothing}
