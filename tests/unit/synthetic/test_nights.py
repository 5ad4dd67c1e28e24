import pytest

from skystamp.synthetic import fresh_night


def test_a_night_holds_records_of_that_night_alone_in_time_order():
    night = fresh_night(3, 6, jd=2460235.5)

    times = [record["candidate"]["jd"] for record in night.records]
    assert times == sorted(times)
    assert all(2460235.5 <= jd < 2460236.5 for jd in times)
    assert {record["objectId"] for record in night.records} == set(night.truths)


def test_a_night_outside_the_survey_is_refused():
    with pytest.raises(ValueError, match="jd should be within"):
        fresh_night(3, 1, jd=2450000.0)
