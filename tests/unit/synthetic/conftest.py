"""A few synthetic objects of each class, made once for the tests that read them."""

import pytest

from skystamp.synthetic import CLASSES, SyntheticObject, simulate_object


@pytest.fixture(scope="session")
def objects() -> dict[str, list[SyntheticObject]]:
    """Return six objects a class, up to four detections each."""
    return {cls: [simulate_object(11, i, cls=cls, max_detections=4) for i in range(6)] for cls in CLASSES}


@pytest.fixture(scope="session")
def every_object(objects: dict[str, list[SyntheticObject]]) -> list[SyntheticObject]:
    return [one for made in objects.values() for one in made]
