"""explanation.occlusion: zero for what is not read, the whole loss for what alone is read."""

import numpy as np
import pytest

from skystamp.explanation import occlusion
from tests import explaining

SHAPE = (1, 2, 13, 13, 3)  # detections, y, x, bands
RNG = np.random.default_rng(5)
INPUTS = {"stamps": RNG.random(SHAPE, np.float32), "static": RNG.normal(size=(1, 4)).astype(np.float32)}
BASELINE = {name: np.zeros_like(values) for name, values in INPUTS.items()}


def reads(**places: tuple) -> dict[str, np.ndarray]:
    """Return the weights of a network that reads these places alone."""
    read = {name: np.zeros(values.shape[1:]) for name, values in INPUTS.items()}
    for name, place in places.items():
        read[name][place] = 1.0
    return read


def test_a_region_that_is_not_read_loses_nothing() -> None:
    network = explaining.logistic(reads(stamps=(1, 6, 6, 0)), classes=3, label=1)

    found = occlusion(network, INPUTS, BASELINE, 1)

    nonzero = np.argwhere(found["stamps"])
    assert nonzero[:, [0, 3]].tolist() == [[1, 0]] * len(nonzero)
    assert np.abs(nonzero[:, 1:3] - 6).max() <= 4
    assert not found["static"].any()


def test_the_pixel_that_alone_is_read_loses_the_most() -> None:
    network = explaining.logistic(reads(stamps=(0, 6, 8, 2)), classes=3, label=1)

    found = occlusion(network, INPUTS, BASELINE, 1, patch=3, stride=1)["stamps"]

    whole, empty = network(INPUTS)[0, 1], network(BASELINE)[0, 1]
    assert found[0, 6, 8, 2] == found.max() == pytest.approx(whole - empty, abs=1e-6)
    assert np.argwhere(found > 0.99 * found.max()).shape == (1, 4)


def test_a_number_that_alone_is_read_loses_all() -> None:
    network = explaining.logistic(reads(static=(2,)), classes=3, label=1)

    found = occlusion(network, INPUTS, BASELINE, 1)

    expected = network(INPUTS)[0, 1] - network(BASELINE)[0, 1]
    assert found["static"] == pytest.approx([0, 0, expected, 0], abs=1e-6)
    assert not found["stamps"].any()


@pytest.mark.parametrize(("patch", "stride"), [(5, 3), (4, 4), (13, 1), (20, 3), (1, 1)])
def test_every_pixel_is_covered(patch: int, stride: int) -> None:
    network = explaining.logistic({"stamps": np.ones(SHAPE[1:]) / 1000}, classes=2, label=0)
    inputs = {"stamps": INPUTS["stamps"] + 1}

    found = occlusion(network, inputs, {"stamps": BASELINE["stamps"]}, 0, patch=patch, stride=stride)["stamps"]

    assert (found > 0).all()
