"""tracking.gate: what lets a version become champion, and what each refusal says."""

import math
from dataclasses import replace

import pytest

from skystamp.tracking import gate
from skystamp.tracking.gate import Figures, Thresholds

CHAMPION = Figures(accuracy=0.90, calibration_error=0.05, latency_s=0.010, data="abc")


def judged(champion: Figures | None = CHAMPION, **changes) -> dict[str, str]:
    return gate.judge(replace(CHAMPION, **changes), champion, Thresholds())


@pytest.mark.parametrize(
    "changes",
    [{}, {"accuracy": 0.895}, {"accuracy": 0.99}, {"calibration_error": 0.069}, {"latency_s": 0.0149}],
    ids=["the-same", "a-little-worse", "better", "a-little-less-calibrated", "a-little-slower"],
)
def test_a_version_as_good_as_the_champion_passes(changes):
    assert judged(**changes) == {}


@pytest.mark.parametrize(
    ("changes", "check", "sentence"),
    [
        ({"accuracy": 0.889}, "accuracy", "at least 0.8900, the champion's 0.9000 less 0.01. Received: 0.8890"),
        ({"calibration_error": 0.08}, "calibration", "at most 0.0700, the champion's 0.0500 and 0.02. Received: 0.08"),
        ({"latency_s": 0.016}, "latency", "at most 15.00 ms, 1.5 times the champion's 10.00 ms. Received: 16.00 ms"),
    ],
    ids=["less-accurate", "less-calibrated", "slower"],
)
def test_a_worse_figure_refuses_by_one_sentence_with_both_numbers(changes, check, sentence):
    found = judged(**changes)

    assert list(found) == [check]
    assert sentence in found[check]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"accuracy": None}, "accuracy"),
        ({"calibration_error": math.nan}, "calibration"),
        ({"latency_s": None}, "latency"),
    ],
)
def test_a_missing_figure_of_either_refuses(changes, check):
    of_new, of_champion = judged(**changes), judged(replace(CHAMPION, **changes))

    assert list(of_new) == list(of_champion) == [check]
    assert "of the new version should be known" in of_new[check]
    assert "of the champion should be known" in of_champion[check]


@pytest.mark.parametrize("data", ["other", ""])
def test_scores_on_other_or_unknown_data_do_not_compare(data):
    found = judged(data=data)

    assert list(found) == ["accuracy", "calibration"]
    assert all("the same data; test both by --data FOLDER" in sentence for sentence in found.values())


def test_the_first_champion_needs_figures_and_nobody_to_beat():
    assert judged(None, data="") == {}
    assert list(judged(None, accuracy=None, calibration_error=None, latency_s=None)) == list(gate.CHECKS)


def test_each_failing_check_has_its_own_sentence():
    found = judged(accuracy=0.1, calibration_error=0.9, latency_s=9.0)

    assert list(found) == list(gate.CHECKS)


def test_thresholds_are_what_a_version_may_be_worse_by():
    lenient = Thresholds(accuracy_loss=0.5, calibration_loss=0.5, slowdown=10.0)

    assert gate.judge(Figures(0.5, 0.5, 0.09, "abc"), CHAMPION, lenient) == {}


def test_known_figures_are_shown_by_name():
    assert gate.shown(replace(CHAMPION, latency_s=None)) == {"accuracy": 0.90, "calibration_error": 0.05}
    assert gate.shown(None) == {}
