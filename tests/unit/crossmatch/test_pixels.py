"""Cells: the scheme is that of `hats`, and eight neighbours are enough for two arcsec anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skystamp.crossmatch import pixels
from tests.skies import moved


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 2.0), st.floats(0, 6.283))
def test_what_is_two_arcsec_away_is_in_the_cell_or_a_neighbour(ra, dec, away, towards):
    there = moved(np.array([ra]), np.array([dec]), np.array([away]), np.array([towards]))

    around = pixels.around(pixels.index(np.array([ra]), np.array([dec])))

    assert pixels.index(*there)[0] in around[0]


def test_two_arcsec_stay_in_the_neighbours_over_the_whole_sky():
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 200_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 200_000)))
    dec[:20_000] = np.sign(dec[:20_000]) * (90 - rng.uniform(0, 0.01, 20_000))
    there = moved(ra, dec, np.full(len(ra), 2.0), rng.uniform(0, 2 * np.pi, len(ra)))

    around = pixels.around(pixels.index(ra, dec))

    assert (around == pixels.index(*there)[:, None]).any(axis=1).all()


@pytest.mark.parametrize("order", [0, 3, 10, 29])
def test_index_is_that_of_hats(order):
    from hats.pixel_math.spatial_index import compute_spatial_index

    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 1000), np.degrees(np.arcsin(rng.uniform(-1, 1, 1000)))

    np.testing.assert_array_equal(pixels.index(ra, dec, order), compute_spatial_index(ra, dec, order))


def test_a_whole_turn_changes_no_cell():
    ra, dec = np.array([0.0, 360.0, -360.0, 720.0]), np.zeros(4)

    assert len(set(pixels.index(ra, dec))) == 1


def test_a_cell_at_a_corner_of_three_base_pixels_has_seven_neighbours():
    corner = pixels.index(np.array([90.0]), np.array([np.degrees(np.arcsin(2 / 3))]))

    lacking = (pixels.around(np.unique(pixels.around(corner).clip(0))) == -1).any(axis=1)

    assert lacking.any()


def test_no_cells_have_no_neighbours():
    assert pixels.around(np.empty(0, np.int64)).shape == (0, 9)


def test_span_of_a_pixel_holds_its_positions_alone():
    ra, dec = np.array([10.0, 200.0]), np.array([20.0, -40.0])

    first, after = pixels.span(np.array([4, 4]), pixels.index(ra, dec, 4))

    cell = pixels.index(ra, dec)
    assert ((first <= cell) & (cell < after)).tolist() == [True, True]
    assert (first <= cell[::-1]).tolist() != (cell[::-1] < after).tolist()


@pytest.mark.parametrize(
    ("ra", "dec", "is_on"),
    [(0, 0, True), (-5, 90, True), (400, -90, True), (0, 90.1, False), (np.nan, 0, False), (0, np.nan, False)],
)
def test_on_sky(ra, dec, is_on):
    assert pixels.on_sky(np.array([ra], float), np.array([dec], float)).tolist() == [is_on]
