"""The sequence rule: time order, no repeated alert, six hours between accepted detections, arrival order irrelevant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skystamp import sequences
from skystamp.sequences import LeftOut

HOUR = 1 / 24


def select(hours, alert_ids=None, **options):
    numbers = np.arange(len(hours)) if alert_ids is None else np.array(alert_ids)
    return sequences.select(np.array(hours, float) * HOUR + 59000.0, numbers.astype(np.int64), **options)


def test_detections_are_taken_in_time_order():
    assert select([48, 0, 24]).accepted.tolist() == [1, 2, 0]


def test_one_nearer_than_six_hours_to_the_last_accepted_is_left_out():
    chosen = select([0, 5.9, 24])

    assert chosen.accepted.tolist() == [0, 2]
    assert chosen.left_out == {1: LeftOut.TOO_CLOSE}


def test_the_gap_is_measured_from_the_last_accepted_not_from_the_last():
    chosen = select([0, 4, 8, 12])

    assert chosen.accepted.tolist() == [0, 2]
    assert chosen.left_out == {1: LeftOut.TOO_CLOSE, 3: LeftOut.TOO_CLOSE}


def test_six_hours_exactly_are_enough():
    assert sequences.select(np.array([0.0, 0.25]), np.array([1, 2])).accepted.tolist() == [0, 1]


def test_a_repeated_alert_counts_once_and_the_repetition_keeps_its_reason():
    chosen = select([0, 0, 24, 24], [7, 7, 8, 8])

    assert chosen.accepted.tolist() == [0, 2]
    assert chosen.left_out == {1: LeftOut.DUPLICATE, 3: LeftOut.DUPLICATE}


def test_a_repetition_of_one_that_was_too_close_is_a_duplicate():
    chosen = select([0, 1, 1], [7, 8, 8])

    assert list(chosen.left_out.values()) == [LeftOut.TOO_CLOSE, LeftOut.DUPLICATE]


def test_detections_of_one_instant_are_taken_by_their_numbers():
    assert select([0, 0], [9, 3]).accepted.tolist() == [1]


def test_no_detection_makes_an_empty_sequence():
    chosen = select([])

    assert chosen.accepted.tolist() == []
    assert chosen.left_out == {}


def test_another_gap_can_be_asked_for():
    assert len(select([0, 1, 2], min_gap_hours=0.5).accepted) == 3


DETECTIONS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 12)), min_size=1, max_size=14)


@given(DETECTIONS, st.randoms(use_true_random=False))
def test_arrival_order_and_repetition_do_not_matter(detections, random):
    fixed = {number: hours for hours, number in detections}  # one alert has one time
    arrived = [(hours, number) for number, hours in fixed.items()]
    again = arrived + random.choices(arrived, k=3)
    random.shuffle(again)

    assert chosen_numbers(again) == chosen_numbers(arrived)


def chosen_numbers(detections):
    hours, numbers = zip(*detections, strict=True)
    return [numbers[i] for i in select(hours, numbers).accepted]


@given(DETECTIONS)
def test_every_detection_is_accepted_or_left_out_and_gaps_hold(detections):
    hours, numbers = zip(*detections, strict=True)
    chosen = select(hours, numbers)

    assert sorted([*chosen.accepted.tolist(), *chosen.left_out]) == list(range(len(hours)))
    assert all(np.diff(np.array(hours)[chosen.accepted]) >= 6)
    assert len({numbers[i] for i in chosen.accepted}) == len(chosen.accepted)


@given(DETECTIONS, st.integers(201, 400))
def test_a_later_detection_changes_nothing_before_it(detections, later):
    hours, numbers = zip(*detections, strict=True)
    before = select(hours, numbers).accepted.tolist()

    after = select([*hours, later], [*numbers, 99]).accepted.tolist()

    assert after[: len(before)] == before


def test_places_are_those_of_each_object_by_itself():
    names = ["b", "a", "b", "a", "b"]
    mjd = np.array([2.0, 1.0, 0.0, 1.1, 1.0])

    place, left_out = sequences.places(names, mjd, np.arange(5))

    assert place.tolist() == [3, 1, 1, 0, 2]
    assert left_out == ["", "", "", "too_close", ""]


def test_differences_are_days_since_the_detection_before():
    mjd = np.array([[1.0, 1.5, 4.0], [0.0, 1.0, 2.0]])

    assert sequences.differences(mjd).tolist() == [[0, 0.5, 2.5], [0, 1, 1]]


@pytest.mark.parametrize("count", [1, 2])
def test_first_difference_is_zero(count):
    assert sequences.differences(np.arange(float(count)))[0] == 0
