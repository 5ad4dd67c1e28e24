"""Two configurations on the same objects: who is better, by how much, and whether chance explains it."""

import dataclasses

import numpy as np
import pytest

from skystamp import metrics
from skystamp.errors import UsageError
from skystamp.evaluation import aligned, compared
from tests.judging import judged


def test_objects_are_matched_by_their_names_in_whatever_order(one):
    turned = one.take(np.arange(len(one))[::-1][20:])

    first, second = aligned(one, turned)

    assert len(first) == 100
    assert first.object_ids.tolist() == second.object_ids.tolist()
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_models_of_other_classes_meet_on_those_that_both_know(one):
    first, second = aligned(one, one.among(("SN", "VS", "AGN")))

    assert first.classes == second.classes == ("AGN", "SN", "VS")
    assert len(first) == 72
    np.testing.assert_allclose(first.probabilities, second.probabilities, rtol=1e-5)


def test_models_with_nothing_in_common_are_refused(one):
    other = dataclasses.replace(one, object_ids=np.array([f"x{i}" for i in range(len(one))]))
    wrong = dataclasses.replace(one, labels=(one.labels + 1) % 5)

    with pytest.raises(UsageError, match="the same objects"):
        aligned(one, other)
    with pytest.raises(UsageError, match="true classes"):
        aligned(one, wrong)
    with pytest.raises(UsageError, match="two classes"):
        aligned(one.among(("AGN", "SN")), one.among(("VS", "bogus")))


def test_a_model_does_not_differ_from_itself(three):
    found = compared(three, three)

    assert found["differences"]["accuracy"] == pytest.approx(
        {**found["differences"]["accuracy"], "difference": 0.0, "low": 0.0, "high": 0.0}
    )
    assert (found["mcnemar"]["first_only"], found["mcnemar"]["second_only"], found["mcnemar"]["p"]) == (0, 0, 1.0)
    assert found["trainings"]["permutation_p"] == 1.0


def test_a_better_model_is_told_from_a_worse_one():
    worse, better = judged(4, skill=1.0), judged(4, seed=1, skill=4.0)

    found = compared(worse, better)

    accuracy = found["differences"]["accuracy"]
    expected = np.mean([metrics.accuracy(m) for m in better.matrices]) - np.mean(
        [metrics.accuracy(m) for m in worse.matrices]
    )
    assert accuracy["difference"] == pytest.approx(expected)
    assert 0 < accuracy["low"] < accuracy["difference"] < accuracy["high"]
    assert found["mcnemar"]["p"] < 1e-3
    assert found["mcnemar"]["second_only"] > found["mcnemar"]["first_only"]
    assert found["trainings"]["permutation_p"] == pytest.approx(2 / 70)
    assert found["trainings"]["difference"] > 0
    assert all(row["difference"] >= 0 for row in found["by_class"].values())


def test_mcnemars_table_has_every_object(three):
    found = compared(three, judged(2, seed=3))["mcnemar"]

    assert found["both"] + found["first_only"] + found["second_only"] + found["neither"] == 120


def test_intervals_are_paired():
    """A model that is right wherever the other is, and once more, moves in one direction in every draw."""
    first = judged()
    second = dataclasses.replace(first, probabilities=first.probabilities.copy())
    wrong = np.flatnonzero(first.answers[0] != first.labels)[:10]
    second.probabilities[0, wrong] = np.eye(5, dtype=np.float32)[first.labels[wrong]]

    found = compared(first, second)

    assert found["differences"]["accuracy"]["low"] > 0
    assert found["differences"]["accuracy"]["difference"] == pytest.approx(10 / 120)


def test_single_trainings_are_not_tested_over_seeds(one, three):
    assert "single training" in compared(one, three)["trainings"]["missing"]


def test_slices_have_their_differences_or_say_why_not(three):
    other = judged(3, seed=4)
    del three.columns["band"]

    found = {way["column"]: way for way in compared(three, other)["slices"]}

    assert "no column band" in found["band"]["missing"]
    assert sum(row["objects"] for row in found["gal_lat"]["rows"]) == 120
    assert all(row["low"] <= row["difference"] <= row["high"] for row in found["gal_lat"]["rows"])
