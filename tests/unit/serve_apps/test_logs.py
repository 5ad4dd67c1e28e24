"""The service's own lines: one for a rejection or a refusal, with ids, and none for what is only counted."""

import logging

import pytest

from serve_apps import logs
from skystamp.classify import Classification, Rejection
from skystamp.errors import Reason

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve and what it imports


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "ray.serve")
    logging.getLogger("ray.serve").propagate = True
    return caplog


def test_a_rejection_has_a_line_with_its_ids_and_a_classification_none(lines: pytest.LogCaptureFixture):
    answered = Classification("ztf", "ZTF1", 5, 59000.0, 1, {"SN": 1.0}, "first-detection", "1")

    logs.rejections([answered, Rejection(Reason.NOT_FITS, "a\nb", "ztf", "ZTF2", 6)])

    (line,) = lines.records
    assert (line.reason, line.survey, line.object_id, line.alert_id) == ("not_fits", "ztf", "ZTF2", 6)
    assert "\n" not in line.getMessage()


def test_what_is_not_known_is_left_out_and_what_is_long_is_cut(lines: pytest.LogCaptureFixture):
    logs.rejections([Rejection(Reason.NOT_AVRO, "x" * 2000)])

    (line,) = lines.records
    assert not hasattr(line, "alert_id")
    assert len(line.detail) == 500


def test_shed_requests_are_counted_and_not_logged(lines: pytest.LogCaptureFixture):
    for status, code in ((503, "busy"), (429, "too_often"), (413, "body_too_large"), (503, "unavailable")):
        logs.refused(status, code)

    assert [(line.levelname, line.code) for line in lines.records] == [
        ("INFO", "body_too_large"),
        ("WARNING", "unavailable"),
    ]
