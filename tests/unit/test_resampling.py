"""Draws of objects by their votes are draws of objects: against SciPy's bootstrap and against cases worked by hand."""

import numpy as np
import pytest

from skystamp import metrics, statistics

OBJECTS = ["a", "b", "b", "c", "d", "d", "d", "e"]
VALUES = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])


def test_sums_of_one_object_are_always_its_own():
    found = statistics.resampled_sums(
        np.array([[1.0, 2.0], [3.0, 4.0]]), ["a", "a"], rng=np.random.default_rng(0), resamples=5
    )

    np.testing.assert_array_equal(found, np.tile([4.0, 6.0], (5, 1)))


def test_two_objects_are_drawn_as_often_as_chance_has_it():
    found = statistics.resampled_sums(
        np.array([[0.0], [1.0]]), ["a", "b"], rng=np.random.default_rng(0), resamples=20_000
    )

    shares = np.bincount(found[:, 0].astype(int)) / 20_000
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.01)


def test_chunks_change_nothing_of_the_form(monkeypatch):
    monkeypatch.setattr("skystamp.statistics.resampling.CHUNK", 10)

    found = statistics.resampled_sums(VALUES[:, None], OBJECTS, rng=np.random.default_rng(0), resamples=7)

    assert found.shape == (7, 1)


def test_mean_interval_agrees_with_scipys_bootstrap_of_the_same_objects():
    rng = np.random.default_rng(3)
    values, objects = rng.random(300), [str(i // 3) for i in range(300)]

    fast = statistics.mean_interval(values, objects, rng=rng, resamples=20_000)
    slow = statistics.bootstrap_interval(lambda rows: float(values[rows].mean()), objects, rng=rng, resamples=5_000)

    assert fast.estimate == pytest.approx(slow.estimate)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.003)


def test_alerts_of_one_object_are_not_independent():
    values = np.repeat(np.random.default_rng(0).random(20), 50)
    together, apart = [str(i // 50) for i in range(1000)], [str(i) for i in range(1000)]

    wide, narrow = (
        statistics.mean_interval(values, objects, rng=np.random.default_rng(1)) for objects in (together, apart)
    )

    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def test_matrices_of_models_share_their_draws():
    rng = np.random.default_rng(0)
    labels, answers = rng.integers(0, 3, 40), rng.integers(0, 3, 40)

    drawn = statistics.resampled_matrices(
        labels, np.stack([answers, answers]), 3, [str(i // 2) for i in range(40)], rng=rng, resamples=50
    )

    assert drawn.shape == (2, 50, 3, 3)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn.sum(axis=(2, 3)) == 40).all()
    np.testing.assert_allclose(drawn[0].mean(axis=0), metrics.confusion_matrix(labels, answers, 3), atol=2.5)


def test_draws_without_a_score_are_left_out():
    found = statistics.interval_of(0.5, np.array([np.nan, 0.4, 0.6]))

    assert (found.low, found.high) == pytest.approx((0.405, 0.595))
    assert np.isnan(statistics.interval_of(0.5, np.array([np.nan])).low)


def test_one_object_has_no_interval():
    with pytest.raises(ValueError, match="two objects"):
        statistics.mean_interval(np.ones(3), ["a", "a", "a"], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="one object"):
        statistics.resampled_sums(np.empty((0, 1)), [], rng=np.random.default_rng(0))
