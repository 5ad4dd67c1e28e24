"""What is stored comes back equal, to the last bit."""

import dataclasses
import math

from hypothesis import given
from hypothesis import strategies as st

from skystamp import taxonomy
from skystamp.alert import SolarSystemMatch
from skystamp.classify import RuleOutcome
from skystamp.store import Change, Detection, rows
from tests import storing
from tests.storing import alert, score

PLACED = Detection("ztf", "ZTF20aaaaaaa", 1250123456789015000, 59000.0, 150.0, 2.5, 1, "", 1)
FLOATS = st.floats(allow_infinity=False)


@given(st.dictionaries(st.sampled_from(["magpsf", "rb", "sgscore1"]), FLOATS), st.none() | st.tuples(st.text(), FLOATS))
def test_an_alert_is_its_row(metadata, match):
    given_match = match and SolarSystemMatch("42", 1.5, match[1])
    one = dataclasses.replace(alert(0, 0.0), metadata=metadata, solar_system=given_match)

    read = rows.alert({**rows.detection_row(one, PLACED, 0.0), **rows.cutouts_row(one)})

    plain = dataclasses.replace(one, solar_system=None)
    assert storing.same(dataclasses.replace(read, solar_system=None), plain)
    assert (read.solar_system is None) == (match is None)
    if match:
        assert repr(read.solar_system) == repr(given_match)


def test_an_alert_without_cutouts_says_so_by_having_none():
    row = rows.detection_row(alert(0, 0.0), PLACED, 0.0)

    assert rows.alert(row).cutouts == {}
    assert rows.alert({**row, "science": None}).cutouts == {}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_classification_is_its_row(probabilities):
    rule = RuleOutcome("bogus_twice", "bogus", "said")
    named = dict(zip(taxonomy.CLASSES, probabilities, strict=False))
    said = {"probabilities": named, "flags": ("a", "b"), "rules": (rule,), "spread": named}
    one = dataclasses.replace(score(alert(0, 0.0)), **said)

    found = rows.stored_outcome(rows.outcome_row(one, shadow=True, created=5.0))

    assert (found.classification, found.shadow, found.created) == (one, True, 5.0)


def test_an_objects_row_is_of_its_first_and_last_detection_in_time():
    later = dataclasses.replace(PLACED, alert_id=5, mjd=59001.0, ra=151.0, place=0)

    row = rows.object_row(Change("ztf", "ZTF20aaaaaaa", 4, (later, PLACED)))

    assert (row["ra"], row["first_mjd"], row["last_mjd"]) == (150.0, 59000.0, 59001.0)
    assert (row["n_detections"], row["n_accepted"], row["revision"]) == (2, 1, 5)
    assert row["model"] is None


def test_a_class_by_rule_has_no_probability():
    rule = RuleOutcome("bogus_twice", "bogus", "said")
    one = dataclasses.replace(score(alert(0, 0.0)), probabilities={"AGN": 0.5, "SN": 0.5}, rules=(rule,))

    row = rows.object_row(Change("ztf", "ZTF20aaaaaaa", 0, (PLACED,), one))

    assert (row["label"], row["p_label"], row["is_bogus_twice"]) == ("bogus", 0.0, True)
    assert not math.isnan(row["p_sn"])
