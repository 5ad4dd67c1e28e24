"""Which pictures an evaluation has, by what its data hold."""

import base64

from skystamp.evaluation import compared, pictures, summary
from tests.judging import INFERENCE, about, judged


def test_pictures_hold_themselves(three):
    found = pictures.pictures(three, summary(three, about=about(3), inference=INFERENCE))

    assert {"confusion", "roc", "thresholds", "reliability", "histograms", "slices", "sky", "features"} == set(found)
    kind, _, data = found["confusion"].address.partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert base64.b64decode(data).lstrip().startswith(b"<?xml")


def test_slices_that_nobody_can_be_sorted_into_have_no_picture(three):
    three.columns.clear()

    assert pictures.compared_slices(compared(three, judged(2))) is None
