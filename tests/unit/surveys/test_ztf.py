"""A ZTF record becomes an alert, or says which of its fields is at fault."""

import math

import pytest

from skystamp import surveys
from skystamp.errors import Reason, Reject
from skystamp.surveys import ztf
from tests import making

REQUIRED = ("jd", "ra", "dec", "magpsf", "sigmapsf", "ndethist", "ncovhist")


def rejected(record, schema="ztf.alert"):
    with pytest.raises(Reject) as caught:
        surveys.read(record, schema)
    return caught.value


def test_alert_has_the_identity_of_its_packet():
    alert = surveys.read(making.record(3), "ztf.alert")

    assert (alert.survey, alert.object_id, alert.alert_id) == ("ztf", "ZTF20test003", 1250123456789015004)
    assert (alert.ra, alert.dec, alert.band, alert.schema) == (150.0, 2.5, "g", "ztf.alert 4.02")


def test_mjd_is_jd_less_2400000_and_a_half():
    assert surveys.read(making.record(candidate={"jd": 2459000.75}), "ztf.alert").mjd == 59000.25


def test_metadata_have_the_survey_names_and_values():
    metadata = surveys.read(making.record(), "ztf.alert").metadata

    assert all(metadata[name] == making.CANDIDATE[name] for name in metadata)
    assert {"sgscore1", "distpsnr3", "fwhm", "rb", "drb", "classtar", "ndethist", "chinr", "magnr"} <= set(metadata)


def test_cutouts_are_the_bytes_as_received():
    record = making.record()
    cutouts = surveys.read(record, "ztf.alert").cutouts

    assert cutouts["science"] == record["cutoutScience"]["stampData"]
    assert cutouts["template"] == record["cutoutTemplate"]["stampData"]
    assert cutouts["difference"] == record["cutoutDifference"]["stampData"]


@pytest.mark.parametrize(("fid", "band"), [(1, "g"), (2, "r"), (3, "i")])
def test_band_of_a_filter_number(fid, band):
    assert surveys.read(making.record(candidate={"fid": fid}), "ztf.alert").band == band


@pytest.mark.parametrize("value", [None, -999.0, -999, math.nan, math.inf, -math.inf, -1e30], ids=str)
def test_optional_number_that_is_none_becomes_nan(value):
    alert = surveys.read(making.record(candidate={"rb": value, "distnr": value}), "ztf.alert")

    assert math.isnan(alert.metadata["rb"])
    assert math.isnan(alert.metadata["distnr"])


def test_optional_field_that_an_older_schema_lacks_becomes_nan():
    record = making.record()
    del record["candidate"]["drb"]

    assert math.isnan(surveys.read(record, "ztf.alert").metadata["drb"])


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, -999.0], ids=str)
def test_required_number_that_is_none_is_a_missing_field(name, value):
    reject = rejected(making.record(candidate={name: value}))

    assert reject.reason is Reason.MISSING_FIELD
    assert name in reject.detail


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30, -1e30, True, "17.5", b"1", [1.0]], ids=str)
def test_required_number_that_can_not_be_is_a_bad_field(name, value):
    reject = rejected(making.record(candidate={name: value}))

    assert reject.reason is Reason.BAD_FIELD
    assert name in reject.detail


@pytest.mark.parametrize(
    ("name", "value"), [("ra", -0.1), ("ra", 360.1), ("dec", 90.1), ("dec", -90.1), ("magpsf", 41.0), ("ndethist", -1)]
)
def test_value_out_of_its_range_is_a_bad_field(name, value):
    assert rejected(making.record(candidate={name: value})).reason is Reason.BAD_FIELD


@pytest.mark.parametrize("value", ["0.5", True, [0.5]], ids=str)
def test_optional_field_of_another_type_is_a_bad_field(value):
    assert rejected(making.record(candidate={"rb": value})).reason is Reason.BAD_FIELD


@pytest.mark.parametrize("fid", [0, 4, "g", -999, 1.5, [1], {}], ids=str)
def test_unknown_filter_is_a_bad_field(fid):
    assert rejected(making.record(candidate={"fid": fid})).reason is Reason.BAD_FIELD


@pytest.mark.parametrize("name", ["objectId", "candid", "schemavsn"])
def test_missing_identity_is_a_missing_field(name):
    assert rejected(making.record(**{name: None})).reason is Reason.MISSING_FIELD


@pytest.mark.parametrize(
    "value", ["", "a" * 65, "two\nlines", "\x00", 17], ids=["empty", "long", "newline", "null byte", "number"]
)
def test_object_id_that_is_no_name_is_a_bad_field(value):
    assert rejected(making.record(objectId=value)).reason is Reason.BAD_FIELD


@pytest.mark.parametrize("value", [-1, 1.5, "12", True], ids=str)
def test_candid_that_is_no_number_of_a_detection_is_a_bad_field(value):
    assert rejected(making.record(candid=value)).reason is Reason.BAD_FIELD


def test_candidate_that_is_no_record_is_a_missing_field():
    record = making.record()
    record["candidate"] = None

    assert rejected(record).reason is Reason.MISSING_FIELD


def test_empty_record_is_a_missing_field():
    assert rejected({}).reason is Reason.MISSING_FIELD


@pytest.mark.parametrize("name", making.CUTOUTS)
@pytest.mark.parametrize("value", [None, {}, {"stampData": None}, {"stampData": b""}, b"x"], ids=str)
def test_cutout_that_is_not_there_is_a_missing_cutout(name, value):
    reject = rejected(making.record(**{name: value}))

    assert reject.reason is Reason.MISSING_CUTOUT
    assert name in reject.detail


@pytest.mark.parametrize("schema", ["lsst.alert", "ztf.alerts", "", "x" * 10_000], ids=lambda s: s[:12])
def test_schema_of_no_survey_is_unknown(schema):
    assert rejected(making.record(), schema).reason is Reason.UNKNOWN_SCHEMA


@pytest.mark.parametrize("version", ["1.8", "2.0", "3.0", "3.1", "3.2", "3.3", "4.01", "4.02"])
def test_versions_of_the_schema_are_read(version):
    assert surveys.read(making.record(schemavsn=version), "ztf.alert").schema == f"ztf.alert {version}"


@pytest.mark.parametrize("version", ["", "four", "4.02\n", 4.02], ids=repr)
def test_version_that_is_none_is_an_unknown_schema(version):
    assert rejected(making.record(schemavsn=version)).reason is Reason.UNKNOWN_SCHEMA


@pytest.mark.parametrize("spelling", ["f", "0", "-1", "false"])
def test_negative_difference(spelling):
    assert surveys.read(making.record(candidate={"isdiffpos": spelling}), "ztf.alert").is_negative


def test_missing_sign_is_a_missing_field():
    assert rejected(making.record(candidate={"isdiffpos": None})).reason is Reason.MISSING_FIELD


def test_solar_system_match():
    candidate = {"ssnamenr": "433", "ssdistnr": 0.5, "ssmagnr": 16.5}

    match = surveys.read(making.record(candidate=candidate), "ztf.alert").solar_system

    assert (match.name, match.distance, match.magnitude) == ("433", 0.5, 16.5)


@pytest.mark.parametrize(
    "candidate",
    [
        {"ssnamenr": "null", "ssdistnr": 0.5},
        {"ssnamenr": None, "ssdistnr": 0.5},
        {"ssnamenr": "", "ssdistnr": 0.5},
        {"ssnamenr": "433", "ssdistnr": -999.0},
        {"ssnamenr": "433", "ssdistnr": None},
        {"ssnamenr": "433", "ssdistnr": -1.0},
    ],
    ids=str,
)
def test_no_solar_system_match_without_a_name_and_a_distance(candidate):
    assert surveys.read(making.record(candidate=candidate), "ztf.alert").solar_system is None


def test_magnitude_of_a_match_may_be_missing():
    candidate = {"ssnamenr": "433", "ssdistnr": 0.5, "ssmagnr": -999.0}

    match = surveys.read(making.record(candidate=candidate), "ztf.alert").solar_system

    assert math.isnan(match.magnitude)


def test_survey_facts():
    assert (ztf.SURVEY, ztf.SIDE, ztf.PIXEL_SCALE) == ("ztf", 63, 1.01)


@pytest.mark.real
def test_every_real_record_becomes_an_alert(real_alerts):
    from skystamp import avro

    alerts = [
        surveys.read(item.record, item.schema)
        for path in sorted((real_alerts / "ztf").glob("*.avro"))
        for item in avro.read(path.read_bytes())
    ]

    assert len(alerts) == len((real_alerts / "ztf" / "index.csv").read_text().splitlines()) - 1
    assert {alert.schema.split()[1] for alert in alerts} >= {"1.8", "3.3", "4.02"}
