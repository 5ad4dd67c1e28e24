"""Timing with a clock of our own, so that the answers are known."""

import numpy as np
import pytest

from skystamp.timing import time_inference, time_sizes

INPUTS = {"stamps": np.zeros((4, 2, 2, 3), np.float32), "metadata": np.zeros((4, 5), np.float32)}


class SlowPredict:
    """A fake model whose calls take the given seconds on its own clock."""

    def __init__(self, *seconds):
        self.seconds, self.now, self.sizes = list(seconds), 0.0, []

    def __call__(self, inputs):
        self.sizes.append(len(inputs["stamps"]))
        self.now += self.seconds.pop(0)

    def clock(self):
        return self.now


def test_timing_leaves_out_warm_up_and_takes_the_median():
    predict = SlowPredict(9, 9, 1, 2, 6)

    timing = time_inference(predict, INPUTS, repeats=3, warm=2, clock=predict.clock)

    assert (timing.examples, timing.median_s, timing.per_example_s) == (4, 2, 0.5)
    assert timing.p95_s == pytest.approx(5.6)


def test_timing_wants_at_least_one_repeat():
    with pytest.raises(ValueError, match="repeats should be at least 1"):
        time_inference(SlowPredict(), INPUTS, repeats=0)


def test_sizes_are_reached_by_cutting_and_by_repeating():
    predict = SlowPredict(1, 3)

    timings = time_sizes(predict, INPUTS, (1, 6), repeats=1, warm=0, clock=predict.clock)

    assert predict.sizes == [1, 6]
    assert {size: timing.median_s for size, timing in timings.items()} == {1: 1, 6: 3}
