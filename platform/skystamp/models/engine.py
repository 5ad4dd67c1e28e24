"""A Keras model -> a function from NumPy arrays to NumPy arrays, compiled for the backend that Keras runs on.

`keras.Model.predict` costs tens of milliseconds a call; a live alert can not wait for that. The compiled function
accepts any number of alerts without being traced again.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np

Predict = Callable[[Mapping[str, np.ndarray]], np.ndarray]


def compiled(model: keras.Model) -> Predict:
    """Return a function from a dict of input arrays (by the model's input names) to its output array, float32.

    Raises
    ------
    ValueError
        If Keras runs on a backend other than tensorflow or jax.
    """
    backend = keras.backend.backend()
    if backend not in _COMPILERS:
        raise ValueError(f"KERAS_BACKEND should be one of {sorted(_COMPILERS)}. Received: {backend!r}")
    return _COMPILERS[backend](model)


def _tensorflow(model: keras.Model) -> Predict:
    import tensorflow as tf

    signature = {tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}
    function = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])
    return lambda inputs: np.asarray(function({name: inputs[name] for name in signature}))


def _jax(model: keras.Model) -> Predict:
    import jax

    def forward(trainable: list[object], fixed: list[object], inputs: Mapping[str, np.ndarray]) -> object:
        return model.stateless_call(trainable, fixed, inputs, training=False)[0]

    function = jax.jit(forward)
    trainable = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]
    return lambda inputs: np.asarray(function(trainable, fixed, dict(inputs)))


_COMPILERS: dict[str, Callable[[keras.Model], Predict]] = {"tensorflow": _tensorflow, "jax": _jax}
