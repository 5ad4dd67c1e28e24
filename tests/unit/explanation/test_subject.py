"""explanation.subject: which detections an alert's model reads, as raw inputs of one."""

import numpy as np
import pytest

from skystamp import explanation, surveys
from skystamp.errors import Reject, UsageError
from tests import explaining, making


def alert(number: int, days: float, name: str = "ZTF20aaaaaaa", **changes):
    made = making.record(number, {"jd": 2459000.5 + days, "magpsf": 18.0 + number / 10}, objectId=name, **changes)
    made["candid"] = made["candidate"]["candid"] = 1000 + number
    return surveys.read(made, "ztf.alert")


ALERTS = [alert(3, 3.0), alert(1, 1.0), alert(9, 0.5, "ZTF20bbbbbbb"), alert(2, 2.0), alert(4, 2.1)]
ONE, THREE = explaining.first_detection({}).spec, explaining.temporal({}).spec


def test_a_model_of_single_detections_reads_the_alert_alone() -> None:
    raw, read = explanation.subject(ALERTS, 1002, ONE)

    assert [each.alert_id for each in read] == [1002]
    assert raw.metadata.shape[0] == len(raw.stamps) == 1


def test_a_model_of_sequences_reads_its_objects_first_accepted_detections_up_to_it() -> None:
    raw, read = explanation.subject(ALERTS, 1003, THREE)

    assert [each.alert_id for each in read] == [1001, 1002, 1003]
    assert raw.stamps.shape[:2] == (1, 3)
    assert np.diff(raw.mjd[0]).tolist() == [1.0, 1.0]
    assert np.isnan(raw.wise).all()


def test_a_catalogue_is_asked_for_the_first_detection() -> None:
    class Sky:
        def match(self, ra, dec):
            return np.array([[0.5, 15.0, 14.0, 12.0, 9.0]] * len(ra))

    raw, _ = explanation.subject(ALERTS, 1003, THREE, Sky())

    assert raw.wise[0].tolist() == [0.5, 15.0, 14.0, 12.0, 9.0]


def test_what_comes_later_is_not_read() -> None:
    with pytest.raises(UsageError, match=r"should have 3 accepted detections up to 1002\. Received: 2"):
        explanation.subject(ALERTS, 1002, THREE)


def test_an_alert_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="the alert 77 should be among the packets"):
        explanation.subject(ALERTS, 77, ONE)


def test_stamps_that_can_not_be_read_are_a_reject() -> None:
    broken = {"fileName": "x", "stampData": b"no image"}

    with pytest.raises(Reject):
        explanation.subject([alert(5, 5.0, cutoutScience=broken)], 1005, ONE)
