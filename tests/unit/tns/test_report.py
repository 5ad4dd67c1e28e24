"""What a report says, number by number, worked by hand."""

import json
import math
from dataclasses import replace

import pytest

from skystamp.errors import UsageError
from skystamp.tns import Settings, report
from skystamp.tns.subject import Limit, subject
from tests.unit.tns.making import MJD, made, point

NAN = math.nan
FULL = Settings("https://tns.example/api", "42", "a_bot", "74", "48", "A. Astronomer (Institute)")


def told(one, people=2, settings=FULL):
    return report.bulk_report(one, settings, people=people)["at_report"]["0"]


def test_all_of_a_report_of_one_detection():
    found = told(made(limits=[Limit(MJD - 3, "r", 20.25), Limit(MJD - 5, "g", 19.0)][::-1]))

    seen = {"flux_units": "1", "instrument_value": "196", "exptime": "30", "observer": "Robot"}
    seen["comments"] = "Data provided by ZTF"
    assert found == {
        "ra": {"value": "150.0000000", "error": "0.085", "units": "arcsec"},
        "dec": {"value": "60.0000000", "error": "0.085", "units": "arcsec"},
        "reporting_group_id": "74",
        "discovery_data_source_id": "48",
        "reporter": "A. Astronomer (Institute)",
        "discovery_datetime": "2020-05-31 06:00:15.000",
        "at_type": "1",
        "internal_name": "ZTF20aaaaaaa",
        "remarks": "SN candidate in the ZTF alert stream: model first-detection version 7 says SN (0.90) and 2 people "
        "agree; g-rise > 0.07 mag/day.",
        "non_detection": {
            "obsdate": "2020-05-28 06:00:15.000",
            "limiting_flux": "20.250",
            "filter_value": "111",
            **seen,
        },
        "photometry": {
            "photometry_group": {
                "0": {
                    "obsdate": "2020-05-31 06:00:15.000",
                    "flux": "18.500",
                    "flux_error": "0.125",
                    "limiting_flux": "20.500",
                    "filter_value": "110",
                    **seen,
                }
            }
        },
    }
    json.dumps(found, allow_nan=False)


def test_errors_are_the_scatter_on_the_sky_and_that_of_dec_is_its_own():
    # 0.3 and 0.6 arcsec from one another: the standard deviation of two is their distance over the root of two
    positions = [(150.0, 60.0), (150.0 + 0.6 / 3600, 60.0 + 0.6 / 3600)]  # half of it in ra on the sky at dec 60

    ra, dec, ra_error, dec_error = report.position(made(positions=positions))

    assert (ra, dec) == pytest.approx((150.0 + 0.3 / 3600, 60.0 + 0.3 / 3600), abs=1e-9)
    assert ra_error == pytest.approx(0.3 / math.sqrt(2), rel=1e-4)
    assert dec_error == pytest.approx(0.6 / math.sqrt(2), rel=1e-6)


def test_positions_on_both_sides_of_ra_0_have_their_mean_there():
    ra, _, ra_error, _ = report.position(made(positions=[(359.9999, 0.0), (0.0003, 0.0)]))

    assert ra == pytest.approx(0.0001, abs=1e-9)
    assert ra_error == pytest.approx(0.0004 * 3600 / math.sqrt(2), rel=1e-6)


@pytest.mark.parametrize(
    ("has_history", "said"),
    [
        (True, "No non-detection before the discovery in the ZTF alert stream"),
        (False, "ZTF non-detection limits not available"),
    ],
)
def test_without_a_limit_before_there_are_archival_remarks(has_history, said):
    later = [Limit(MJD + 1, "g", 20.0), Limit(MJD, "g", 20.0)]

    found = told(made(limits=later, has_history=has_history))

    assert found["non_detection"] == {"archiveid": "0", "archival_remarks": said}


def test_the_discovery_is_the_first_positive_accepted_detection_that_has_a_magnitude():
    points = [
        point(0, is_negative=True),
        point(1, magnitude=NAN),
        point(2, is_accepted=False),
        point(3, band="r", magnitude=19.0),
        point(4),
    ]

    found = told(made(*points))

    assert found["discovery_datetime"] == "2020-06-03 06:00:15.000"
    assert [one["filter_value"] for one in found["photometry"]["photometry_group"].values()] == ["111", "110"]


def test_of_many_detections_the_first_nine_and_the_newest_are_told():
    found = told(made(*(point(i) for i in range(14))))["photometry"]["photometry_group"]

    assert list(found) == [str(i) for i in range(10)]
    assert [found[name]["obsdate"][:10] for name in ("0", "8", "9")] == ["2020-05-31", "2020-06-08", "2020-06-13"]


def test_nothing_positive_is_no_report():
    with pytest.raises(UsageError, match="brighter than before"):
        told(made(point(is_negative=True)))


def test_what_is_not_set_is_left_out():
    found = told(made(), settings=Settings())

    assert {"reporting_group_id", "discovery_data_source_id", "reporter"}.isdisjoint(found)


def test_rubin_has_its_own_numbers_names_and_times():
    found = told(made(point(band="z"), survey="lsst", object_id="313708289005715533"))

    one = found["photometry"]["photometry_group"]["0"]
    assert found["internal_name"] == "LSST-P-DO-313708289005715533"
    assert (one["instrument_value"], one["filter_value"], one["obsdate"]) == ("287", "164", "2020-05-31 06:00:00.000")


@pytest.mark.parametrize(("survey", "band"), [("ztf", "z"), ("other", "g")])
def test_what_tns_has_no_number_of_is_told(survey, band):
    with pytest.raises(UsageError, match="should be one of"):
        told(made(point(band=band), survey=survey))


def test_a_class_by_rule_has_no_score():
    assert "says asteroid (by rule) and 1 person agrees." in report.remarks(made(label="asteroid", score=NAN), 1)


# The second dates are Python's own of the Unix time (MJD - 40587) * 86400.
@pytest.mark.parametrize(
    ("mjd", "said"),
    [
        (59000.0, "2020-05-31 00:00:00.000"),
        (59000.999999999, "2020-06-01 00:00:00.000"),
        (60676.5, "2025-01-01 12:00:00.000"),
        (2459000.7083333335 - 2400000.5, "2020-05-31 05:00:00.000"),
        (51544.123456, "2000-01-01 02:57:46.598"),
    ],
)
def test_dates_are_exact_to_the_millisecond(mjd, said):
    assert report.obsdate(mjd) == said


def test_a_digest_is_of_the_content():
    one = report.bulk_report(made(), FULL, people=2)

    assert report.digest(one) == report.digest(json.loads(json.dumps(one)))
    assert report.digest(one) != report.digest(report.bulk_report(made(), FULL, people=3))


# ---------------------------------------------------------------------------------------------------------------- rises


def test_two_detections_of_a_band_tell_its_rise():
    one = made(point(0, "g", 19.0, 0.3), point(2, "g", 18.0, 0.4), point(0, "r", 18.0), point(4, "r", 18.0))

    assert report.rises(one) == ["g-rise 0.50+-0.25 mag/day"]


def test_a_limit_tells_the_least_rise_in_each_band():
    limits = [Limit(MJD - 2, "g", 20.625), Limit(MJD - 1, "r", 20.0)]

    assert report.rises(made(point(0, "g"), point(0, "r"), limits=limits)) == [
        "g-rise > 1.00 mag/day",
        "r-rise > 1.38 mag/day",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"limits": [Limit(MJD - 0.1, "g", 22.0)]}, id="within hours"),
        pytest.param({"limits": [Limit(MJD - 2, "g", 18.7)]}, id="within the error"),
        pytest.param({"limits": [Limit(MJD - 2, "i", 22.0)]}, id="of another band"),
        pytest.param({"points": [point(0, "i", 20.0), point(2, "i", 18.0)]}, id="in i"),
        pytest.param({"points": [point(0, "g", 18.0), point(2, "g", 19.0)]}, id="it fades"),
        pytest.param({"points": [point(0, "g", 19.0, NAN), point(2, "g", 18.0, NAN)]}, id="no errors"),
    ],
)
def test_a_rise_that_is_none_is_not_told(changes):
    assert report.rises(replace(made(), **changes)) == []


# ------------------------------------------------------------------------------------------------------- from the store


def test_an_object_of_the_store_with_the_looks_that_its_packet_tells(store):
    found = subject(store, ("ztf", "ZTF23aaa"))

    assert [one.magnitude for one in found.points] == [19.5, 18.5]  # the first came as no alert: its packet tells it
    assert [one.magnitude for one in found.limits] == [20.25]
    assert (found.label, found.model, found.model_version) == ("SN", "first-detection", "7")
    assert found.positions == [(150.0, 2.5)]
    assert found.has_history
    assert told(found)["non_detection"]["limiting_flux"] == "20.250"


def test_an_object_whose_packets_are_dropped_says_so(store):
    store.drop_cutouts(1e9)

    found = subject(store, ("ztf", "ZTF23aaa"))

    assert not found.has_history
    assert told(found)["non_detection"]["archival_remarks"] == "ZTF non-detection limits not available"


def test_what_speaks_against_an_object_is_read(store):
    assert subject(store, ("ztf", "ZTF23negative")).positive == []
    assert subject(store, ("ztf", "ZTF23asteroid")).is_known
    assert subject(store, ("ztf", "ZTF23twice")).is_bogus_twice


def test_an_object_that_is_not_there_is_told(store):
    with pytest.raises(UsageError, match="ZTF00none"):
        subject(store, ("ztf", "ZTF00none"))
