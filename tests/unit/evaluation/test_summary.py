"""All numbers of an evaluation as JSON."""

import json

import numpy as np

from skystamp.evaluation import summary
from skystamp.evaluation.summary import finite
from tests.judging import INFERENCE, about


def test_summary_is_json_with_every_part(three):
    found = summary(three, about=about(3), inference=INFERENCE, mistakes=5)

    again = json.loads(json.dumps(finite(found), allow_nan=False))
    assert {"scores", "by_class", "confusion", "supernovae", "calibration", "slices", "mistakes"} <= set(again)
    assert (again["objects"], again["seeds"], len(again["mistakes"])) == (120, 3, 5)
    assert again["calibration"]["error"]["mean"] == np.mean(found["scores"]["calibration_error"]["values"])


def test_the_same_answers_have_the_same_summary(one):
    first, second = (summary(one, about=about(), inference=INFERENCE) for _ in range(2))

    assert finite(first) == finite(second)


def test_a_model_that_knows_no_supernovae_has_no_part_on_them(one):
    found = summary(one.among(("AGN", "VS")), about=about(), inference=INFERENCE)

    assert found["supernovae"] is None


def test_json_has_none_where_there_is_no_number():
    assert finite({"a": [1.0, float("nan"), {"b": float("inf")}], "c": "x"}) == {
        "a": [1.0, None, {"b": None}],
        "c": "x",
    }
