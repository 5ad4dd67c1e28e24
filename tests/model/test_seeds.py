"""One seed gives one series of seeds, and no two layers the same weights."""

from itertools import islice

import numpy as np
from keras import ops

from skystamp.models.seeds import glorot, seeds


def test_a_seed_gives_its_own_series_each_time():
    first, again, other = (list(islice(seeds(seed), 20)) for seed in (5, 5, 6))

    assert first == again
    assert not set(first) & set(other)
    assert all(0 <= one < 2**31 for one in first)


def test_layers_of_one_source_start_apart_and_again_the_same():
    source, again = seeds(1), seeds(1)

    first, second = (ops.convert_to_numpy(glorot(source)((4, 6))) for _ in range(2))

    assert not np.allclose(first, second)
    assert np.array_equal(first, ops.convert_to_numpy(glorot(again)((4, 6))))
    assert np.abs(first).max() <= np.sqrt(6 / 10)
