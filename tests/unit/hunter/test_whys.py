"""The seam to what explains: asked once, told plainly where there is nothing to explain."""

import numpy as np
import pytest

from skystamp.api import Refusal
from skystamp.errors import UsageError
from skystamp.hunter.explaining import Spoke, Why
from skystamp.hunter.whys import Whys
from tests import hunting
from tests.hunting import Person


def why_of(alerts, alert_id):
    """Explain by the alert's brightness."""
    (one,) = [each for each in alerts if each.alert_id == alert_id]
    pixels = {"science": np.full((21, 21), 0.5, np.float32), "difference": np.full((21, 21), -1.0, np.float32)}
    return Why("first-detection 8", "SN", 0.75, pixels, [Spoke("magpsf<b>", one.metadata["magpsf"], -0.25)])


def number(store, name="ZTF23aaa"):
    return store.named(["ztf"], name)[0].alert_id


def test_it_is_shown_over_the_stamps(store):
    person = Person(hunting.page(store, explainer=why_of)[0])

    answer = person.get(f"/why/ztf/{number(store)}")

    assert answer.status_code == 200
    assert answer.text.count('href="data:image/png;base64,') == 2
    assert "Why first-detection 8 says SN (0.750)" in answer.text
    assert "magpsf&lt;b&gt;" in answer.text
    assert 'x="21" y="21" width="21"' in answer.text


def test_it_is_asked_once(store):
    calls = []
    whys = Whys(store, lambda alerts, alert_id: calls.append(alert_id) or why_of(alerts, alert_id))

    first, second = (whys.why("ztf", number(store)) for _ in range(2))

    assert first is second
    assert len(calls) == 1
    assert first.most == 1.0


@pytest.mark.parametrize("case", ["no model", "no alert", "dropped", "unable"])
def test_where_there_is_none_it_says_so(store, case):
    def unable(alerts, alert_id):
        raise UsageError("it should have 2 detections. Received: 1")

    known = number(store)
    if case == "dropped":
        store.drop_cutouts(1e9)
    whys = Whys(store, None if case == "no model" else unable)

    with pytest.raises(Refusal) as told:
        whys.why("ztf", 12 if case == "no alert" else known)

    codes = {"no model": "no_explainer", "no alert": "no_cutout", "dropped": "no_cutout", "unable": "no_explanation"}
    assert told.value.code == codes[case]
