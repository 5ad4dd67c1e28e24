"""What an answer costs: multiplications and additions of a network for one example, counted and not timed.

A count is the same on every machine and however busy it is, which a time is not, so searches can compare by it. Counted
are convolutions and dense layers, where these networks spend all but a few per cent.
"""

import keras
import numpy as np

_COUNTED = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Dense)
_WITH_WEIGHTS = (*_COUNTED, keras.layers.BatchNormalization)


def multiply_adds(model: keras.Model) -> int:
    """Return how many multiply-adds the convolutions and dense layers of a model make for one example.

    Raises
    ------
    ValueError
        If the model has a layer whose weights this does not know how to count, such as a recurrent one.
    """
    unknown = [layer.name for layer in model.layers if layer.trainable_weights and not isinstance(layer, _WITH_WEIGHTS)]
    if unknown:
        raise ValueError(f"layers should be convolutions and dense ones. Received: {', '.join(unknown)}")
    counted = [layer for layer in model.layers if isinstance(layer, _COUNTED)]
    probe = keras.Model(model.inputs, [layer.output for layer in counted])
    outputs = probe({tensor.name: np.zeros((1, *tensor.shape[1:]), np.float32) for tensor in model.inputs})
    # each value of an output is a sum over one filter; the batch axis of an output holds the views
    return sum(
        int(np.prod(output.shape)) * int(np.prod(layer.kernel.shape[:-1]))
        for layer, output in zip(counted, outputs, strict=True)
    )
