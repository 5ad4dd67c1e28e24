"""A Keras model -> functions from NumPy arrays to NumPy arrays, compiled for the backend that Keras runs on.

`keras.Model.predict` costs tens of milliseconds a call; a live alert can not wait for that. The compiled functions
accept any number of alerts without being traced again, and are traced when they are first asked: a process that only
answers pays nothing for being able to differentiate.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from skystamp.networks import Network, Predict, Pull

__all__ = ["Predict", "compiled"]


def compiled(model: keras.Model) -> Network:
    """Return a function from a dict of input arrays (by the model's input names) to its output array, float32.

    Its `pull` gives the gradient by the inputs; an input that the answer does not depend on has gradient 0.

    Raises
    ------
    ValueError
        If Keras runs on a backend other than tensorflow or jax.
    """
    backend = keras.backend.backend()
    if backend not in _COMPILERS:
        raise ValueError(f"KERAS_BACKEND should be one of {sorted(_COMPILERS)}. Received: {backend!r}")
    answer, pull = _COMPILERS[backend]
    return Network(answer(model), pull(model))


def _tensorflow(model: keras.Model) -> Predict:
    import tensorflow as tf

    signature = {tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}
    function = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])
    return lambda inputs: np.asarray(function({name: inputs[name] for name in signature}))


def _tensorflow_pull(model: keras.Model) -> Pull:
    import tensorflow as tf

    signature = {tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}
    weights = tf.TensorSpec((None, *model.outputs[0].shape[1:]), model.outputs[0].dtype)

    @tf.function(input_signature=[signature, weights])
    def function(inputs, weights):  # type: ignore[no-untyped-def]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            answer = model(inputs, training=False)
        return tape.gradient(answer, inputs, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def pull(inputs: Mapping[str, np.ndarray], weights: np.ndarray) -> dict[str, np.ndarray]:
        found = function({name: inputs[name] for name in signature}, weights)
        return {name: np.asarray(gradient) for name, gradient in found.items()}

    return pull


def _jax(model: keras.Model) -> Predict:
    import jax

    function, trainable, fixed = jax.jit(_forward(model)), *_values(model)
    return lambda inputs: np.asarray(function(trainable, fixed, dict(inputs)))


def _jax_pull(model: keras.Model) -> Pull:
    import jax

    forward, (trainable, fixed) = _forward(model), _values(model)

    def gradient(trainable: list[object], fixed: list[object], inputs: object, weights: object) -> object:
        _, back = jax.vjp(lambda each: forward(trainable, fixed, each), inputs)
        return back(weights)[0]

    function = jax.jit(gradient)

    def pull(inputs: Mapping[str, np.ndarray], weights: np.ndarray) -> dict[str, np.ndarray]:
        found = function(trainable, fixed, dict(inputs), weights)
        return {name: np.asarray(each) for name, each in found.items()}

    return pull


def _forward(model: keras.Model) -> Callable[[list[object], list[object], Mapping[str, np.ndarray]], object]:
    return lambda trainable, fixed, inputs: model.stateless_call(trainable, fixed, inputs, training=False)[0]


def _values(model: keras.Model) -> tuple[list[object], list[object]]:
    trainable = [variable.value for variable in model.trainable_variables]
    return trainable, [variable.value for variable in model.non_trainable_variables]


_COMPILERS: dict[str, tuple[Callable[[keras.Model], Predict], Callable[[keras.Model], Pull]]] = {
    "tensorflow": (_tensorflow, _tensorflow_pull),
    "jax": (_jax, _jax_pull),
}
