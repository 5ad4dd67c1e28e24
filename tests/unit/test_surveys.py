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
