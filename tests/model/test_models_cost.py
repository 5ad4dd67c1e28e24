"""models.cost: multiply-adds as counted by hand."""

import dataclasses

import keras
import pytest

from skystamp.models import cost, stamp, temporal
from skystamp.models.stamp import StampConfig
from skystamp.models.temporal import TemporalConfig

TINY = StampConfig(side=9, crop=9, k=1, kernel=3, metadata=2)


def by_hand(config: StampConfig) -> int:
    """Return what the drawing in `models.stamp` costs: convolutions of one view, the dense layers, and the head."""
    side = config.crop + 2 * stamp.PADDING - 3
    views = config.k
    first = side**2 * 16 * config.channels * 32
    second = side**2 * config.kernel**2 * 32 * 32
    half = side // 2
    others = half**2 * config.kernel**2 * (32 * 64 + 2 * 64 * 64)
    flat = (half // 2) ** 2 * 64
    head = (64 + config.metadata) * 64 + 64 * 64 + 64 * config.classes
    return views * (first + second + others + flat * 64) + head


@pytest.mark.parametrize(
    "config", [TINY, dataclasses.replace(TINY, k=4), StampConfig()], ids=["one view", "four views", "published"]
)
def test_a_stamp_classifier_costs_what_its_layers_do(config: StampConfig) -> None:
    assert cost.multiply_adds(stamp.build(config)) == by_hand(config)


def test_the_published_one_costs_a_fifth_of_a_billion() -> None:
    """Worked by hand from the layers of the published classifier."""
    # Four views of 27 pixels: 24 x 24 after the first convolution, 12 x 12 after one pooling, 6 x 6 after the other.
    first, second = 24 * 24 * 32 * (4 * 4 * 3), 24 * 24 * 32 * (5 * 5 * 32)
    third, others = 12 * 12 * 64 * (5 * 5 * 32), 2 * 12 * 12 * 64 * (5 * 5 * 64)
    joint = (64 + 23) * 64 + 64 * 64 + 64 * 5

    assert (
        cost.multiply_adds(stamp.build(StampConfig()))
        == 4 * (first + second + third + others + 6 * 6 * 64 * 64) + joint
        == 210_577_152
    )


def test_convolutions_over_time_are_counted() -> None:
    config = TemporalConfig(2, side=9, crop=9, k=1, kernel=3, cell="conv1d", window=2, units=8, images=False)

    assert cost.multiply_adds(temporal.build(config)) == 2 * 10 * 8 + (8 + 17) * 64 + 64 * 64 + 64 * 3


def test_layers_that_it_does_not_know_are_refused() -> None:
    sequence = keras.Input((3, 4), name="dynamic")

    with pytest.raises(ValueError, match="Received: memory"):
        cost.multiply_adds(keras.Model(sequence, keras.layers.GRU(2, name="memory")(sequence)))
