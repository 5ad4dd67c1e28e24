"""Which model answers for how many detections."""

import pytest

from skystamp import routing
from skystamp.errors import UsageError
from skystamp.routing import BEYOND_RANGE, FEWER_DETECTIONS_USED, Route, route

ALL = ("first-detection", "temporal-2", "temporal-3", "temporal-4", "temporal-5")


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        (1, Route("first-detection", 1)),
        (2, Route("temporal-2", 2)),
        (5, Route("temporal-5", 5)),
        (6, Route("temporal-5", 5, (BEYOND_RANGE,))),
        (1000, Route("temporal-5", 5, (BEYOND_RANGE,))),
    ],
)
def test_route_when_every_model_is_served(detections, expected):
    assert route(detections, ALL) == expected


@pytest.mark.parametrize(
    ("detections", "served", "expected"),
    [
        (2, ["first-detection"], Route("first-detection", 1, (FEWER_DETECTIONS_USED,))),
        (4, ["first-detection", "temporal-3", "temporal-5"], Route("temporal-3", 3, (FEWER_DETECTIONS_USED,))),
        (7, ["first-detection"], Route("first-detection", 1, (BEYOND_RANGE, FEWER_DETECTIONS_USED))),
    ],
)
def test_largest_smaller_number_answers_where_a_model_is_absent(detections, served, expected):
    assert route(detections, served) == expected


def test_no_detection_is_refused():
    with pytest.raises(UsageError, match=r"at least 1\. Received: 0"):
        route(0, ALL)


def test_nothing_served_is_refused():
    with pytest.raises(UsageError, match="for 1 detections or fewer"):
        route(1, ["temporal-2"])


def test_names_of_models_are_stable():
    assert tuple(routing.MODEL_FOR.values()) == ALL


@pytest.mark.parametrize(
    ("model", "served", "expected"),
    [
        ("first-detection", ALL, (1, 1)),
        ("temporal-3", ALL, (3, 3)),
        ("temporal-5", ALL, (5, None)),
        ("first-detection", ["first-detection"], (1, None)),
        ("temporal-2", ["first-detection", "temporal-2", "temporal-4"], (2, 3)),
        ("temporal-4", ["temporal-2", "temporal-4"], (4, None)),
    ],
)
def test_the_counts_that_a_model_answers_for_are_those_that_are_routed_to_it(model, served, expected):
    assert routing.counts(model, served) == expected


@pytest.mark.parametrize("model", ["temporal-3", "other"])
def test_a_model_that_is_not_served_answers_for_no_count(model):
    with pytest.raises(UsageError, match=f"Received: {model}"):
        routing.counts(model, ["first-detection"])
