"""Parameters -> filters."""

import pytest
from pydantic import ValidationError

from skystamp.alerce_api import asking
from skystamp.alerce_api.asking import ObjectsAsked, wanted
from skystamp.store import ObjectFilter, Scorer

SCORERS = [Scorer("first-detection", "7"), Scorer("temporal-2", "7"), Scorer("temporal-2", "local-1_b")]


def filter_of(**asked):
    return wanted(ObjectsAsked(**asked), lambda: SCORERS).chosen


def test_a_page_asks_for_one_object_more_to_know_whether_there_is_a_next_one():
    assert filter_of(page=3, page_size=20) == ObjectFilter("ztf", limit=21, offset=40)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"oid": ["ZTF20*"]}, {"prefix": "ZTF20"}),
        ({"oid": ["b", "a"]}, {"names": ("b", "a")}),
        ({"oid": ["a\0b"]}, {"names": ("a\ufffdb",)}),
        ({"ndet": [2]}, {"n_detections": (2.0, None)}),
        ({"lastmjd": [1.5, 2.5]}, {"last_mjd": (1.5, 2.5)}),
        ({"ra": 0, "dec": -1, "radius": 36}, {"place": (0.0, -1.0, 0.01)}),
        ({"order_by": "deltajd", "order_mode": "DESC"}, {"order": "delta_mjd", "descending": True}),
        ({"classifier": "stamp_classifier"}, {}),
        ({"classifier": "temporal-2"}, {"model": "temporal-2"}),
        (
            {"classifier": "stamp_classifier", "classifier_version": "temporal-2_local-1_b"},
            {"model": "temporal-2", "version": "local-1_b"},
        ),
        ({"classifier": "temporal-2", "classifier_version": "7"}, {"by": (SCORERS[1],)}),
        ({"classifier_version": "7"}, {"by": (SCORERS[0], SCORERS[1])}),
    ],
    ids=str,
)
def test_filter(asked, expected):
    assert filter_of(page_size=9, **asked) == ObjectFilter("ztf", **{"limit": 10, **expected})


@pytest.mark.parametrize(
    "asked",
    [
        {"class": "LPV"},
        {"class": "sn"},
        {"classifier": "lc_classifier", "classifier_version": "1"},
        {"classifier": "stamp_classifier", "classifier_version": "1.0.4"},
    ],
    ids=str,
)
def test_what_we_do_not_have_matches_nothing(asked):
    assert filter_of(**asked) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"page": "x"},
        {"page": 10**20},
        {"page_size": -1},
        {"oid": ["a*b"]},
        {"oid": [""]},
        {"oid": ["a"] * (asking.MOST_NAMES + 1)},
        {"radius": "nan", "ra": 1, "dec": 1},
        {"dec": 91, "ra": 1},
        {"firstmjd": ["-inf"]},
        {"ndet": [10**30]},
        {"ranking": 7, "class": "SN"},
        {"order_by": "meanra"},
        {"class_name": "SN"},
    ],
    ids=lambda asked: str(asked)[:60],
)
def test_what_can_not_be_is_refused(asked):
    with pytest.raises(ValidationError):
        ObjectsAsked(**asked)
