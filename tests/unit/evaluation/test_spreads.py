"""Means and deviations over trainings, intervals over objects."""

import numpy as np
import pytest

from skystamp import metrics, statistics
from skystamp.evaluation import spreads
from tests.judging import judged


def test_a_single_training_has_no_deviation():
    assert spreads.spread([0.5]) == {"mean": 0.5, "std": None, "values": [0.5]}


def test_deviation_is_that_of_a_sample():
    assert spreads.spread([1.0, 2.0, 4.0])["std"] == pytest.approx(np.sqrt(7 / 3))


def test_scores_are_those_of_each_training_and_lie_in_their_intervals(three):
    found = spreads.scores(three, np.random.default_rng(0))

    expected = [metrics.accuracy(matrix) for matrix in three.matrices]
    assert found["accuracy"]["values"] == pytest.approx(expected)
    for name in spreads.OF_MATRIX:
        assert found[name]["low"] < found[name]["mean"] < found[name]["high"]
        assert found[name]["high"] - found[name]["low"] < 0.2


def test_an_interval_narrows_with_objects():
    many = judged()
    few = many.take(np.arange(20))

    wide, narrow = (spreads.intervals(one, np.random.default_rng(0))["accuracy"] for one in (few, many))

    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_one_object_has_no_interval(one):
    assert np.isnan(spreads.intervals(one.take(np.array([0])), np.random.default_rng(0))["accuracy"]).all()


def test_classes_have_their_scores_and_counts(three):
    found = spreads.of_classes(three)

    assert list(found) == list(three.classes)
    assert found["SN"]["objects"] == 24
    assert found["SN"]["recall"]["values"] == pytest.approx([metrics.recall(one)[1] for one in three.matrices])


def test_confusion_is_shares_of_rows(three):
    found = spreads.confusion(three)

    assert np.sum(found["share_mean"], axis=1) == pytest.approx(np.ones(5))
    assert np.shape(found["share_std"]) == (5, 5)
    assert np.shape(found["counts"]) == (3, 5, 5)


def test_scores_of_many_matrices_are_those_of_each():
    matrices = np.random.default_rng(0).integers(0, 4, (50, 3, 3))
    matrices[0] = 0
    matrices[1, 2] = 0

    found = spreads.of_matrices(matrices)

    np.testing.assert_allclose(found["balanced_accuracy"], [metrics.balanced_accuracy(one) for one in matrices])
    np.testing.assert_allclose(found["macro_f1"], [metrics.macro_f1(one) for one in matrices])
    np.testing.assert_allclose(found["accuracy"][1:], [metrics.accuracy(one) for one in matrices[1:]])


def test_intervals_are_those_of_the_bootstrap_of_right_answers(one):
    low, high = spreads.intervals(one, np.random.default_rng(5))["accuracy"]

    right = one.answers[0] == one.labels
    expected = statistics.mean_interval(right, one.object_ids.tolist(), rng=np.random.default_rng(5))
    assert (low, high) == pytest.approx((expected.low, expected.high))
