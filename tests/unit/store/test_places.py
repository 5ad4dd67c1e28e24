"""Circles on the sky: what is in them, across ra 0 and at the poles too."""

import pytest
from astropy.coordinates import SkyCoord

from skystamp.errors import UsageError
from skystamp.store import engine as engines
from skystamp.store import places
from tests.storing import NOW, alert, batch_of


@pytest.fixture
def spread(store):
    """Objects about ra 0, about the pole, and elsewhere."""
    where = {"a": (359.999, 0.0), "b": (0.001, 0.0), "c": (10.0, 89.99), "d": (190.0, 89.99), "e": (180.0, -45.0)}
    for i, (name, (ra, dec)) in enumerate(where.items()):
        store.record(batch_of(alert(i, 0.0, name, ra=ra, dec=dec)), now=NOW)
    return store


def test_what_is_near_comes_nearest_first_and_too_many_are_refused(spread, monkeypatch):
    expected = {
        (0.0, 0.0, 0.0015): ["a", "b"],
        (0.0005, 0.0, 0.0006): ["b"],
        (10.0, 89.9, 0.2): ["c", "d"],
        (180.0, -45.0, 1e-6): ["e"],
        (90.0, -45.0, 1.0): [],
    }

    with engines.reading(spread.engine) as connection:
        assert {place: places.near(connection, *place) for place in expected} == expected
    monkeypatch.setattr(places, "MOST", 1)
    with engines.reading(spread.engine) as connection, pytest.raises(UsageError, match="smaller radius"):
        places.near(connection, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(("ra", "dec"), [(10.0, 20.0), (359.9999, -0.00001), (190.0, 89.0), (0.0, -90.0)])
def test_separation_is_astropys(ra, dec):
    one, other = SkyCoord(10.0, 20.0, unit="deg"), SkyCoord(ra, dec, unit="deg")

    assert places.separation(10.0, 20.0, ra, dec) == pytest.approx(one.separation(other).deg, abs=1e-10)


@pytest.mark.parametrize(("dec", "radius"), [(0.0, 1.0), (60.0, 0.5), (-80.0, 3.0)])
def test_a_circle_reaches_no_further_than_told(dec, radius):
    wide = places.reach(dec, radius)

    edge = max(places.separation(0.0, dec, wide, dec + radius * part / 100) for part in range(-100, 101))
    assert edge >= radius
    assert (
        min(places.separation(0.0, dec, wide * 1.001, dec + radius * part / 100) for part in range(-100, 101)) > radius
    )
