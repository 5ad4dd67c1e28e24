"""Keras models of skystamp: `layers`, `losses` and the architectures `stamp` (one detection) and `temporal` (more).

Written with `keras.ops` and layers alone, so `KERAS_BACKEND` chooses TensorFlow or JAX. Importing this package imports
Keras, by way of `loading`, which costs seconds.
"""

from skystamp.models.loading import keras

__all__ = ["keras"]
