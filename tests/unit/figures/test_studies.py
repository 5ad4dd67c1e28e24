"""figures.studies: what the points, bars and histograms say, read back from their axes."""

import numpy as np
import pytest

from skystamp import figures

SCORES, COSTS = np.array([0.9, 0.8, 0.95, 0.7]), np.array([2.0, 1.0, 50.0, 3.0])
NAMES = ["small", "least", "large", "bad"]
FRONT = np.array([True, True, True, False])


def test_a_tradeoff_shows_every_item_and_names_the_marked() -> None:
    made = figures.tradeoff_figure(SCORES, COSTS, names=NAMES, marked=FRONT, cost="ms for one object", join=True)

    (axes,) = made.axes
    points = np.concatenate([bars.lines[0].get_xydata() for bars in axes.containers])
    assert {tuple(point) for point in points.tolist()} == set(zip(COSTS, SCORES, strict=True))
    assert [text.get_text() for text in axes.texts] == ["least", "small", "large"]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "ms for one object")


def test_a_front_is_joined_cheapest_first() -> None:
    made = figures.tradeoff_figure(SCORES, COSTS, names=NAMES, marked=FRONT, cost="cost", join=True)

    line = made.axes[0].lines[-1].get_xydata()
    assert line[:, 0].tolist() == [1.0, 2.0, 50.0]


def test_spreads_are_bars_and_none_where_there_was_one_training() -> None:
    spreads = np.array([0.02, np.nan, 0.01, 0.03])

    made = figures.tradeoff_figure(SCORES, COSTS, names=NAMES, marked=np.ones(4, bool), cost="cost", spreads=spreads)

    (bars,) = made.axes[0].containers[0].lines[2]
    lengths = [segment[1][1] - segment[0][1] for segment in bars.get_segments()]
    assert lengths == pytest.approx([0.04, 0.0, 0.02, 0.06])


def test_confidence_has_a_histogram_and_a_point_a_configuration() -> None:
    sure = {"beta 0": np.array([0.9, 0.95, 0.99], np.float32), "beta 1": np.array([0.4, 0.5], np.float32)}
    accuracy = {"beta 0": [0.9, 0.8], "beta 1": [0.7]}

    made = figures.confidence_figure(sure, accuracy, {"beta 0": [0.1, 0.3], "beta 1": [0.05]})

    left, right = made.axes
    assert [patch.get_label() for patch in left.patches] == list(sure)
    assert [label.get_text() for label in right.get_xticklabels()] == list(sure)
    means = [container.lines[0].get_ydata().tolist() for container in right.containers]
    assert means == [pytest.approx([0.85, 0.7]), pytest.approx([0.2, 0.05])]
