import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skystamp.synthetic import sky


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (10.68, 41.27), (266.4, -28.9), (359.9, 88.0)], ids=str)
def test_galactic_and_ecliptic_coordinates_agree_with_astropy(ra: float, dec: float):
    here, reference = sky.position(ra, dec), SkyCoord(ra, dec, unit="deg")

    assert here.gal_b == pytest.approx(reference.galactic.b.deg, abs=1e-4)
    assert here.gal_l == pytest.approx(reference.galactic.l.deg, abs=1e-3)
    assert here.ecl_b == pytest.approx(reference.barycentricmeanecliptic.lat.deg, abs=1e-3)


def test_galactic_coordinates_go_there_and_back():
    here = sky.from_galactic(120.0, 20.0)

    assert (here.gal_l, here.gal_b) == pytest.approx((120.0, 20.0), abs=1e-6)


def test_the_plane_is_more_crowded_than_the_pole():
    plane, pole = sky.from_galactic(90.0, 3.0), sky.from_galactic(90.0, 88.0)

    assert sky.star_density(plane, 20.0) > 10.0 * sky.star_density(pole, 20.0)
    assert sky.galaxy_density(plane, 21.0) < sky.galaxy_density(pole, 21.0)


def test_positions_stay_within_the_surveys_reach():
    rng = np.random.default_rng(0)

    for draw in (sky.isotropic, sky.near_ecliptic, lambda r: sky.near_plane(r, 10.0)):
        assert all(draw(rng).dec > sky.SOUTHERN_LIMIT - 1e-6 for _ in range(50))
