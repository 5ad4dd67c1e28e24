"""What each detection is answered for, from names, numbers and times alone."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skystamp import classify

ALL = ("first-detection", "temporal-2", "temporal-3", "temporal-4", "temporal-5")


@dataclass(frozen=True)
class Seen:
    alert_id: int
    mjd: float
    object_id: str = "a"
    survey: str = "ztf"


def test_each_is_answered_for_the_accepted_ones_up_to_it():
    found = classify.as_of([Seen(3, 3.0), Seen(1, 1.0), Seen(2, 1.1), Seen(4, 2.0, "b")])

    assert [one.accepted for one in found] == [(1, 0), (1,), (1,), (3,)]
    assert [(one.place, one.count, one.left_out) for one in found] == [
        (2, 2, ""),
        (1, 1, ""),
        (0, 1, "too_close"),
        (1, 1, ""),
    ]


def test_more_than_any_model_reads_are_counted_and_not_listed():
    found = classify.as_of([Seen(i, float(i)) for i in range(8)])

    assert found[7].accepted == (0, 1, 2, 3, 4)
    assert (found[7].count, found[7].place) == (8, 8)
    assert found[7].route(ALL).flags == ("beyond_range",)


def test_one_number_in_two_surveys_is_two_detections():
    found = classify.as_of([Seen(1, 1.0), Seen(1, 1.0, survey="lsst")])

    assert [one.accepted for one in found] == [(0,), (1,)]


def test_what_is_read_depends_on_what_is_served():
    one = classify.as_of([Seen(i, float(i)) for i in range(3)])[2]

    assert one.read(ALL) == (0, 1, 2)
    assert one.read(("first-detection", "temporal-2")) == (0, 1)


def test_indices_may_be_those_of_another_list():
    one = classify.as_of([Seen(1, 1.0), Seen(2, 2.0)])[1]

    assert one.moved([5, 7]).accepted == (5, 7)


@pytest.mark.parametrize("count", [0, 1])
def test_few_or_none(count):
    assert len(classify.as_of([Seen(1, 1.0)] * count)) == count


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), min_size=1, max_size=9), st.randoms())
def test_arrival_order_does_not_matter(drawn, random):
    detections = [Seen(number, hours / 10) for number, hours in dict(drawn).items()]
    mixed = random.sample(detections, len(detections))

    def said(of):
        found = classify.as_of(of)
        return {of[i].alert_id: ([of[k].alert_id for k in one.accepted], one.count) for i, one in enumerate(found)}

    assert said(mixed) == said(detections)
