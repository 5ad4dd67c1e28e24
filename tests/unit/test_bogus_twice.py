"""tune_jobs.bogus_twice: the rates of the rule of two detections, by what the object really is."""

import numpy as np

from skystamp import surveys
from tests import faking, making
from tune_jobs.bogus_twice import Rates, count, first_two

FAINT, BRIGHT = 20.5, 18.0  # bogus and SN to faking.by_magnitude


def detections(name: str, magnitudes: list[float], days: list[float]):
    found = []
    for i, (magnitude, day) in enumerate(zip(magnitudes, days, strict=True)):
        made = making.record(i, {"jd": 2459000.5 + day, "magpsf": magnitude}, objectId=name)
        made["candid"] = made["candidate"]["candid"] = 1000 * sum(map(ord, name)) + i
        found.append(surveys.read(made, "ztf.alert"))
    return found


def test_an_object_counts_by_its_first_two_accepted_detections():
    alerts = [
        *detections("ZTF20bogus00", [FAINT, FAINT, BRIGHT], [0.0, 1.0, 2.0]),
        *detections("ZTF20bogus01", [FAINT, BRIGHT, FAINT], [0.0, 0.1, 1.0]),  # the second is too close
        *detections("ZTF20sn00000", [FAINT, BRIGHT], [0.0, 1.0]),
        *detections("ZTF20sn00001", [BRIGHT, BRIGHT], [0.0, 1.0]),
        *detections("ZTF20single0", [FAINT], [0.0]),
    ]
    np.random.default_rng(0).shuffle(alerts)
    labels = {"ZTF20bogus00": "bogus", "ZTF20bogus01": "bogus", "ZTF20sn00000": "SN", "ZTF20sn00001": "SN"}

    rates = count(first_two(alerts), labels, faking.by_magnitude())

    assert rates == [Rates("SN", 2, 1, 0), Rates("bogus", 2, 2, 2)]


def test_objects_without_a_label_are_left_out():
    pairs = first_two(detections("ZTF20nobody0", [FAINT, FAINT], [0.0, 1.0]))

    assert len(pairs) == 1
    assert count(pairs, {}, faking.by_magnitude()) == []
