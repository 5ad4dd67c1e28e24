"""synthetic.spectra: mean relations and their limits."""

import numpy as np
import pytest

from skystamp.synthetic import spectra


def test_bands_follow_from_the_colours():
    assert spectra.bands(14.0, 1.0, 3.0, 2.5).tolist() == [14.0, 13.0, 10.0, 7.5]


def test_two_equal_sources_are_three_quarters_of_a_magnitude_brighter():
    one = spectra.bands(14.0, 0.5, 1.0, 1.0)

    assert spectra.together(one, one) == pytest.approx(one - 2.5 * np.log10(2.0))


@pytest.mark.parametrize(("slope", "w1_w2", "w2_w3"), [(0.0, 0.64, 1.835), (1.0, 0.984, 2.835)])
def test_a_power_law_lies_on_the_blazar_strip(slope: float, w1_w2: float, w2_w3: float):
    """Vega's zero points put a flat spectrum at 0.64, 1.84 and each unit of slope 0.34, 1.00 redder."""
    w1, w2, w3, _ = spectra.power_law(17.0, slope)

    assert (w1 - w2, w2 - w3) == pytest.approx((w1_w2, w2_w3), abs=0.01)


def test_the_sun_has_its_known_colour():
    """r - W1 of the Sun is 1.39 at g - r 0.44 (Willmer 2018)."""
    rng = np.random.default_rng(0)
    made = [15.0 - spectra.photosphere(rng, 15.0, 0.44)[0] for _ in range(400)]

    assert np.mean(made) == pytest.approx(1.39, abs=0.05)


def test_redder_stars_are_brighter_in_the_infrared():
    rng = np.random.default_rng(0)
    means = [np.mean([spectra.photosphere(rng, 15.0, c)[0] for _ in range(50)]) for c in (0.0, 0.5, 1.0, 1.5, 2.5)]

    assert means == sorted(means, reverse=True)


def test_old_galaxies_are_bluer_than_star_forming_ones_beyond_w2():
    rng = np.random.default_rng(0)
    old, young = (np.array([spectra.galaxy(rng, 16.0, 0.05, early=e) for _ in range(200)]) for e in (True, False))

    assert np.median(old[:, 1] - old[:, 2]) < 1.0
    assert np.median(young[:, 1] - young[:, 2]) > 2.5
    assert np.median(old[:, 0]) < np.median(young[:, 0])


def test_dwarfs_are_bluer_than_large_galaxies():
    rng = np.random.default_rng(0)
    large, dwarf = (
        np.median([r - spectra.galaxy(rng, r, 0.03, early=False)[0] for _ in range(200)]) for r in (14.0, 18.0)
    )

    assert large - dwarf > 0.3


def test_far_quasars_lose_their_red_colour():
    rng = np.random.default_rng(0)
    colours = [np.median([-np.diff(spectra.quasar(rng, 18.0, z))[0] for _ in range(200)]) for z in (1.3, 3.8)]

    assert colours[0] > 1.1
    assert colours[1] < 0.75


@pytest.mark.parametrize("kind", spectra.STARS)
def test_every_kind_with_an_excess_is_redder_than_a_photosphere(kind: str):
    rng = np.random.default_rng(0)
    bare = np.median([-np.diff(spectra.photosphere(rng, 15.0, 1.0))[1] for _ in range(200)])

    excess = np.median([-np.diff(spectra.STARS[kind](rng, 15.0, 1.0))[1] for _ in range(200)])

    assert excess > bare + 0.15
