"""Answers beside the truth: their mean, their matrices, and what is left when classes are."""

import numpy as np
import pytest

from skystamp.errors import UsageError
from skystamp.evaluation import Judged
from tests.judging import OBJECTS


def test_matrices_are_of_each_training(three):
    assert three.matrices.shape == (3, 5, 5)
    assert (three.matrices.sum(axis=(1, 2)) == OBJECTS).all()
    np.testing.assert_array_equal(
        three.matrices[1].diagonal(), np.bincount(three.labels[three.answers[1] == three.labels])
    )


def test_taken_objects_keep_all_that_is_known_of_them(three):
    part = three.take(np.array([5, 3]))

    assert part.object_ids.tolist() == three.object_ids[[5, 3]].tolist()
    assert part.columns["magpsf"].tolist() == three.columns["magpsf"][[5, 3]].tolist()
    np.testing.assert_array_equal(part.probabilities, three.probabilities[:, [5, 3]])


def test_answers_among_some_classes_are_renormalised_in_their_order(one):
    part = one.among(("VS", "AGN"))

    assert set(part.names.tolist()) == {"VS", "AGN"}
    np.testing.assert_allclose(part.probabilities.sum(axis=2), 1, rtol=1e-6)
    kept = np.isin(one.names, ["VS", "AGN"])
    inside = one.probabilities[0, kept][:, [2, 0]]
    np.testing.assert_allclose(part.probabilities[0], inside / inside.sum(axis=1, keepdims=True), rtol=1e-5)


def test_answers_that_are_certain_of_another_class_say_nothing_among_the_rest():
    certain = np.array([[[0.0, 0.0, 1.0]]], np.float32)
    given = Judged(("a", "b", "c"), np.array([0]), certain, np.array(["x"]), np.array([1]))

    np.testing.assert_allclose(given.among(("a", "b")).probabilities, 0.5)


def test_answers_about_nothing_are_refused(one):
    with pytest.raises(UsageError, match="at least one object"):
        one.take(np.array([], np.int64))
