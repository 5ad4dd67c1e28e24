"""Keras models of skystamp: `layers`, `losses` and the architectures `stamp` (one detection).

Written with `keras.ops` and layers alone, so `KERAS_BACKEND` chooses TensorFlow or JAX. Importing this
package imports no Keras; importing one of its modules does, which costs seconds.
"""
