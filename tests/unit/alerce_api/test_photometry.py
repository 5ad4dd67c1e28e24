"""Packets -> detections, non-detections and forced photometry: nothing twice, nothing made up."""

import math

import pytest

from skystamp import surveys
from skystamp.alerce_api import forced, names, photometry
from skystamp.alerce_api.photometry import Known
from tests import making

KEY = ("ztf", 99)
EARLIER = {**making.history(1)[0], "candid": 5, "isdiffpos": "1", "rfid": -999, "rbversion": ""}


@pytest.fixture
def rows(opening, tmp_path):
    """`rows(alerts, record)`: their detections, by a store of which cutouts and packets were dropped."""
    empty = opening(f"sqlite:///{tmp_path}/store.db")
    return lambda alerts, record: photometry.detections(empty, Known(alerts, {KEY: record}))


def test_an_alert_whose_packet_was_dropped_keeps_what_the_store_measured(rows):
    alert = surveys.read(making.record(1, {"rb": -999.0}), "ztf.alert")

    (row,) = rows([alert], {})

    assert (row["magpsf"], row["diffmaglim"], row["distnr"], row["has_stamp"]) == (18.5, 20.5, 0.625, False)
    assert (row["rb"], row["pid"], row["magap"], row["corrected"]) == (None, None, None, False)


def test_an_earlier_detection_that_came_as_an_alert_is_there_once(rows):
    alert = surveys.read(making.record(1), "ztf.alert")

    found = rows([alert], {"prv_candidates": [{**EARLIER, "candid": alert.alert_id}, EARLIER, EARLIER]})

    assert [row["candid"] for row in found] == ["5", str(alert.alert_id)]
    assert (found[0]["parent_candid"], found[0]["isdiffpos"], found[0]["rfid"], found[0]["rbversion"]) == (
        99,
        1,
        None,
        None,
    )


def test_what_is_no_detection_is_left_out(rows):
    changes = [{"candid": None}, {"candid": True}, {"magpsf": None}, {"magpsf": -999.0}, {"fid": 4}, {"jd": math.nan}]

    assert rows([], {"prv_candidates": [*({**EARLIER, **change} for change in changes), "what"]}) == []


def test_an_upper_limit_at_a_detections_time_is_none():
    alert = surveys.read(making.record(1), "ztf.alert")
    limit = {"jd": making.CANDIDATE["jd"], "fid": 1, "diffmaglim": 20.0}

    found = photometry.non_detections(Known([alert], {KEY: {"prv_candidates": [limit, {**limit, "fid": 2}]}}))

    assert found == [{"mjd": making.CANDIDATE["jd"] - 2400000.5, "fid": 2, "diffmaglim": 20.0}]


FORCED = {"pid": 5, "fid": 1, "jd": 2459000.5, "magzpsci": 26.0, "forcediffimflux": 1000.0, "forcediffimfluxunc": 10.0}


def test_a_forced_flux_becomes_a_magnitude():
    (row,) = forced.forced_photometry(Known([], {KEY: {"candidate": {"ra": 1.0}, "fp_hists": [FORCED]}}), "a")

    assert (row["mag"], row["isdiffpos"], row["mjd"], row["ra"], row["dec"]) == (18.5, 1, 59000.0, 1.0, None)
    assert row["e_mag"] == pytest.approx(0.01086, abs=1e-5)
    assert row["extra_fields"]["pid"] == 5


@pytest.mark.parametrize(
    "change",
    [
        {"forcediffimflux": -99999.0},
        {"forcediffimflux": 0.0},
        {"forcediffimfluxunc": None},
        {"fid": None},
        {"pid": None},
    ],
    ids=str,
)
def test_an_exposure_without_a_flux_is_left_out(change):
    assert forced.forced_photometry(Known([], {KEY: {"fp_hists": [{**FORCED, **change}, None]}}), "a") == []


@pytest.mark.parametrize(
    ("label", "said", "expected"),
    [
        ("SN", {"AGN": 0.2, "SN": 0.5, "VS": 0.3}, [("SN", 0.5, 1), ("VS", 0.3, 2), ("AGN", 0.2, 3)]),
        ("bogus", {"AGN": 0.5, "SN": 0.5}, [("bogus", 0.0, 1), ("AGN", 0.5, 2), ("SN", 0.5, 3)]),
    ],
)
def test_ranked(label, said, expected):
    assert names.ranked(label, said) == expected


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [(1, 1.0, 1), (2.5, 2.5, None), (-999, None, None), (True, None, None), ("1", None, None), (math.inf, None, None)],
)
def test_numbers_of_packets(value, number, whole):
    assert (names.number({"a": value}, "a"), names.whole({"a": value}, "a")) == (number, whole)
