"""All about one object."""

import pytest

from skystamp.hunter import panel
from tests.hunting import HOSTILE, MJD_NOW


def test_it_has_detections_answers_curve_neighbours_and_links(store):
    found = panel.panel(store, ("ztf", "ZTF23aaa"), "SN")

    assert [shown.alert.alert_id for shown in found.shown] == [found.row.candidate.alert_id]
    assert [outcome.classification.model for outcome in found.shown[0].outcomes] == ["first-detection"]
    assert [mark.look.kind for mark in found.light.marks] == ["limit", "earlier", "alert"]
    assert found.light.marks[1].look.mjd == pytest.approx(MJD_NOW - 3)
    assert [near.distance for near in found.neighbours] == [1.25, 7.5, 9.5]
    assert not found.history_lacks
    assert found.shown[0].numbers["magpsf"] == 18.5


def test_an_object_of_two_detections_has_both_and_the_rule(store):
    found = panel.panel(store, ("ztf", "ZTF23twice"), "SN")

    assert len(found.shown) == 2
    assert found.row.hidden == ("bogus at its first two detections",)
    assert len(dict(found.probabilities.lines)["SN"]) == 2


def test_nobody_is_none(store):
    assert panel.panel(store, ("ztf", "ZTF00none"), "SN") is None


def test_without_packets_it_says_that_the_past_is_unknown(store):
    store.drop_cutouts(1e9)

    found = panel.panel(store, ("ztf", "ZTF23aaa"), "SN")

    assert found.history_lacks
    assert [mark.look.kind for mark in found.light.marks] == ["alert"]
    assert [near.distance for near in found.neighbours] == [1.25, 7.5, 9.5]
    assert panel.record(store, found.shown[0].detection.key) is None


def test_a_packet_comes_back_with_its_history_and_without_images(store):
    (one,) = store.named(["ztf"], "ZTF23aaa")

    found = panel.record(store, ("ztf", one.alert_id))

    assert found["candidate"]["magpsf"] == 18.5
    assert len(found["prv_candidates"]) == 2
    assert not any(name.startswith("cutout") for name in found)


def test_links_hold_the_position_and_a_name_that_is_quoted():
    found = panel.links(HOSTILE, 150.123456, -2.5)

    assert set(found) == {"ALeRCE", "NED", "TNS", "SIMBAD", "Aladin"}
    assert all(url.startswith("https://") for url in found.values())
    assert all(not set(url) & set("\"<> '") for url in found.values())
    assert "ra=150.123456" in found["TNS"]
    assert "-2.500000" in found["SIMBAD"]
    assert "%2B2.500000" in panel.links("x", 1.0, 2.5)["SIMBAD"]
