"""The surest of the wrong answers, of each class its share first."""

import numpy as np

from skystamp.evaluation import Judged, worst
from tests.judging import judged


def test_mistakes_are_wrong_and_the_surest_first():
    found = worst(judged(3, skill=1.0), 10)

    assert len(found) == 10
    assert all(one.true != one.answered for one in found)
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    assert found[0].probabilities[found[0].answered] == max(found[0].probabilities.values())
    assert found[0].spread is not None


def test_one_class_does_not_fill_the_list():
    labels = np.array([0] * 10 + [1] * 2)
    probabilities = np.where(labels[:, None] == [0, 1], 0.1, 0.9) + np.linspace(0, 0.05, 12)[::-1, None] * [[0, 0]]
    given = Judged(("a", "b"), labels, probabilities[None].astype(np.float32), np.arange(12).astype(str), np.arange(12))

    found = worst(given, 4)

    assert sorted(one.true for one in found) == ["a", "a", "b", "b"]


def test_right_answers_are_no_mistakes():
    assert worst(judged(skill=50.0)) == []


def test_facts_leave_out_what_is_not_known(one):
    one.columns["magpsf"][:] = np.nan

    facts = worst(one, 1)[0].facts

    assert "magpsf" not in facts
    assert facts["band"] in ("g", "r")
