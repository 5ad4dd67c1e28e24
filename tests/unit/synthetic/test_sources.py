import numpy as np
import pytest

from skystamp.synthetic import hosts, optics, sky, sources


def test_fields_near_the_plane_hold_more_stars():
    rng = np.random.default_rng(0)

    plane = np.mean([sources.field_stars(rng, sky.from_galactic(80.0, 4.0)).x.size for _ in range(5)])
    pole = np.mean([sources.field_stars(rng, sky.from_galactic(80.0, 80.0)).x.size for _ in range(5)])

    assert plane > 5.0 * pole


def test_a_fit_of_the_point_spread_function_misses_light_of_large_galaxies():
    rng = np.random.default_rng(0)
    small, large = (sources.draw_galaxy(rng, 17.0, 0.05, radius, 0.0, 0.0, False) for radius in (0.3, 6.0))

    assert small.psf_mags()[1] < large.psf_mags()[1]
    assert large.psf_mags()[1] > 18.0


@pytest.mark.parametrize("early", [True, False], ids=["early", "late"])
def test_galaxy_profile_has_unit_flux_and_is_wider_than_a_star(early: bool):
    galaxy = sources.draw_galaxy(np.random.default_rng(1), 17.0, 0.05, 2.5, 0.0, 0.0, early)
    light = (
        optics.profile(galaxy)
        * optics.kernel(optics.Psf(2.0))
        * optics.phase(float(optics.CENTRE), float(optics.CENTRE))
    )

    image = optics.image(light)

    assert image.sum() == pytest.approx(1.0, abs=0.02)
    assert image.max() < optics.stamp(optics.kernel(optics.Psf(2.0))).max()


@pytest.mark.parametrize("redshift", [0.01, 0.1, 0.5])
def test_redshift_and_distance_modulus_are_inverse(redshift: float):
    assert hosts.redshift_of(hosts.distance_modulus(redshift)) == pytest.approx(redshift)


def test_distance_agrees_with_the_cosmology_to_a_few_per_cent():
    from astropy.cosmology import FlatLambdaCDM

    expected = FlatLambdaCDM(H0=70, Om0=0.3).luminosity_distance([0.05, 0.2, 0.4]).value

    np.testing.assert_allclose([hosts.luminosity_distance(z) for z in (0.05, 0.2, 0.4)], expected, rtol=0.05)


def test_faint_quasars_outshine_distant_hosts():
    assert hosts.faint_host(np.random.default_rng(0), 1.5, 18.0, 0.0) is None
