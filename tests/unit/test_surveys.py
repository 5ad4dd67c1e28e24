"""Which survey reads a record is chosen by the name of its schema."""

import pytest

from skystamp import surveys
from skystamp.errors import Reason, Reject
from skystamp.surveys import ztf
from tests import making


def test_name_of_the_schema_chooses_the_reader():
    assert surveys.READERS["ztf.alert"] is ztf.read
    assert surveys.read(making.record(), "ztf.alert") == ztf.read(making.record(), "ztf.alert")


@pytest.mark.parametrize("name", surveys.READERS)
def test_readers_are_named_by_the_full_name_of_a_schema(name):
    assert name.count(".") == 1


def test_schema_of_no_survey_is_rejected_with_those_that_are_known():
    with pytest.raises(Reject, match=r"ztf\.alert.*'panstarrs\.alert'") as caught:
        surveys.read(making.record(), "panstarrs.alert")

    assert caught.value.reason is Reason.UNKNOWN_SCHEMA


def test_a_record_tells_the_earlier_looks_of_its_history():
    base = {"jd": 2459000.5, "fid": 2, "pid": 1, "programid": 1, "diffmaglim": 20.25}
    seen = {**base, "jd": 2459001.5, "candid": 7, "magpsf": 19.5, "sigmapsf": 0.1, "isdiffpos": "f"}
    unusable = [
        {**base, "fid": 9},
        {**base, "diffmaglim": None},
        {**base, "diffmaglim": -999.0},
        {**base, "jd": None},
        "nonsense",
    ]

    found = surveys.HISTORIES["ztf"]({"prv_candidates": [seen, *unusable, base]})

    assert [(one.mjd, one.band, one.limit, one.alert_id, one.is_negative) for one in found] == [
        (59000.0, "r", 20.25, None, False),
        (59001.0, "r", 20.25, 7, True),
    ]
    assert found[1].magnitude == 19.5
    assert surveys.HISTORIES["ztf"]({"prv_candidates": None}) == []
