"""Training of a model: what is learned from (`examples`), how (`config`), and the loop (`loop`).

`Examples`, `TrainConfig` and the batches need no Keras. `skystamp.training.loop` has `fit` and `predict`; importing
it imports Keras, which costs seconds.
"""

from skystamp.training.config import TrainConfig
from skystamp.training.examples import BalancedBatches, Examples

__all__ = ["BalancedBatches", "Examples", "TrainConfig"]
