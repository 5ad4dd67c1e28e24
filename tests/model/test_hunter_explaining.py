"""The page's explainer with a network: what it says of an alert is what the model answers."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import surveys
from tests import bundles, making

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve and pydantic among themselves


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return bundles.make(tmp_path_factory.mktemp("bundles"), ("first-detection", "temporal-2"))


@pytest.mark.parametrize(("name", "bands"), [("first-detection", 3), ("temporal-2", 2)])
def test_pixels_and_numbers_of_the_alert_are_told(folders, name, bands):
    from serve_apps.hunter import Explaining

    alerts = [
        surveys.read(making.record(i, {"jd": 2459000.5 + i}, objectId="ZTF20aaaaaaa"), "ztf.alert") for i in range(2)
    ]

    found = Explaining(str(folders[name]), "", None)(alerts, alerts[1].alert_id)

    assert len(found.pixels) == bands
    assert {values.shape for values in found.pixels.values()} == {(21, 21)}
    assert 0 < found.probability <= 1
    assert found.most > 0
    assert all(np.isfinite(one.added) for one in found.numbers)
