"""Points and axes of the charts."""

import math

import pytest

from skystamp.alert import Previous
from skystamp.hunter import curves
from skystamp.hunter.curves import Look
from skystamp.store import StoredOutcome
from tests.storing import alert, score


def test_an_earlier_look_that_came_as_an_alert_is_drawn_once():
    one = alert(1, 10.0)
    same = Previous(one.mjd + 1e-6, one.band, 20.5, 5, 18.1, 0.1)
    other_band = Previous(one.mjd, "r", 20.5, 6, 18.1, 0.1)

    found = curves.looks([one], [same, other_band, same])

    assert [(look.kind, look.band) for look in found] == [("alert", "g"), ("earlier", "r")]


def test_limits_are_drawn_at_the_limit():
    (found,) = curves.looks([], [Previous(60000.0, "i", 20.25)])

    assert (found.kind, found.magnitude) == ("limit", 20.25)
    assert "fainter than 20.25" in curves.light_curve([found]).marks[0].text


def test_bright_is_up_and_later_is_right_and_all_lies_within_the_axes():
    looks = [Look(60000.0 + i, "gri"[i % 3], 18.0 + i, 0.1, "alert", is_negative=False) for i in range(5)]
    looks.append(Look(60003.5, "r", 19.0, math.nan, "limit", is_negative=False))

    chart = curves.light_curve(sorted(looks, key=lambda one: one.mjd))

    assert chart.marks[0].look.kind == "limit"
    detections = chart.marks[1:]
    assert [one.x for one in detections] == sorted(one.x for one in detections)
    assert [one.y for one in detections] == sorted(one.y for one in detections)
    for mark in chart.marks:
        assert curves.LEFT <= mark.x <= curves.WIDTH - curves.RIGHT
        assert curves.TOP <= mark.high <= mark.y <= mark.low <= curves.HEIGHT - curves.BOTTOM
    assert chart.bands == ["g", "r", "i"]


def test_one_look_alone_has_axes():
    chart = curves.light_curve([Look(60000.0, "g", 19.0, math.nan, "alert", is_negative=True)])

    assert len(chart.times) >= 2
    assert len(chart.magnitudes) >= 2
    assert "fainter than the template" in chart.marks[0].text


def test_nothing_has_no_chart():
    assert curves.light_curve([]) is None
    assert curves.probabilities([]) is None


@pytest.mark.parametrize("span", [0.01, 0.3, 1.0, 3.0, 20.0, 90.0, 700.0])
def test_times_are_few_and_in_order(span):
    ticks = curves._times(60000.123, 60000.123 + span)

    assert 1 <= len(ticks) + (span < 0.04) <= 9
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)


def test_the_newest_answer_for_each_detection_is_drawn_and_no_challengers():
    first, second = alert(1, 0.0), alert(2, 1.0)
    outcomes = [
        StoredOutcome(score(first, "7", 0.2), shadow=False, created=1.0),
        StoredOutcome(score(first, "8", 0.9), shadow=False, created=2.0),
        StoredOutcome(score(second, "9", 0.1), shadow=True, created=3.0),
        StoredOutcome(score(second, "8", 0.7), shadow=False, created=2.0),
    ]

    chart = curves.probabilities(outcomes)

    steps = dict(chart.lines)["SN"]
    assert [step.text.split(" by ")[0] for step in steps] == ["SN 0.900", "SN 0.700"]
    assert steps[0].y < steps[1].y
    assert "first-detection 8" in steps[0].text


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (18.21, 20.9), (-3.0, 1000.0), (19.0, 19.01)])
def test_round_numbers_lie_between(low, high):
    found = curves.nice(low, high, 5)

    assert 2 <= len(found) <= 9
    assert all(low <= value <= high for value in found)
