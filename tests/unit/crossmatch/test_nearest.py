"""The nearest of sorted sources, and distances on the sphere."""

import numpy as np
import pytest

from skystamp.crossmatch import pixels
from skystamp.crossmatch.nearest import Sources, nearest, separation
from tests.skies import ARCSEC, angle


def sources(ra: list[float], dec: list[float]) -> Sources:
    at, up = np.array(ra, float), np.array(dec, float)
    cell = pixels.index(at, up)
    order = np.argsort(cell, kind="stable")
    return Sources(cell[order], at[order], up[order], np.zeros((len(at), 4)))


def ask(found: Sources, ra: list[float], dec: list[float], radius: float = 2.0):
    at, up = np.array(ra, float), np.array(dec, float)
    cells = pixels.around(pixels.index(at, up))
    return nearest(found, np.repeat(np.arange(len(at)), 9), cells.ravel(), at, up, radius)


def test_nearest_of_several_is_taken():
    found = ask(sources([10.0, 10.0, 10.0], [0.0, ARCSEC, -1.5 * ARCSEC]), [10.0], [0.8 * ARCSEC])

    assert found.position.tolist() == [0]
    assert found.distance[0] == pytest.approx(0.2)


def test_position_without_a_source_is_not_named():
    found = ask(sources([10.0], [0.0]), [50.0, 10.0], [0.0, 0.0])

    assert (found.position.tolist(), found.source.tolist()) == ([1], [0])


def test_two_positions_may_share_a_source():
    found = ask(sources([10.0], [0.0]), [10.0, 10.0], [ARCSEC, -ARCSEC])

    assert found.source.tolist() == [0, 0]


def test_no_source_gives_no_match():
    found = ask(sources([], []), [10.0], [0.0])

    assert len(found.position) == len(found.source) == len(found.distance) == 0


@pytest.mark.parametrize(("radius", "matches"), [(1.0, 0), (1.0001, 1)])
def test_radius_bounds_the_match(radius, matches):
    found = ask(sources([10.0], [0.0]), [10.0], [1.00005 * ARCSEC], radius)

    assert len(found.position) == matches


def test_first_of_equals_is_taken_whatever_the_rest():
    crowd = sources([10.0, 10.0, 10.0, 10.0], [0.0, 0.0, 0.0, 1.5 * ARCSEC])

    assert ask(crowd, [10.0], [0.0]).source.tolist() == [0]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0), (0, 0), 0.0),
        ((0, 0), (360, 0), 0.0),
        ((359.9999, 0), (0.0001, 0), 0.72),
        ((17, 90), (200, 90), 0.0),
        ((0, 89.9999), (180, 89.9999), 0.72),
        ((0, 0), (180, 0), 648_000.0),
        ((0, 60), (1 / 3600, 60), 0.5),
    ],
    ids=["same", "turn", "across-zero", "pole", "over-the-pole", "opposite", "parallel"],
)
def test_separation(one, other, expected):
    at = [np.array([value], float) for value in (*one, *other)]

    assert separation(*at)[0] == pytest.approx(expected, abs=1e-6)


def test_separation_is_that_of_another_formula():
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, (2, 500)), np.degrees(np.arcsin(rng.uniform(-1, 1, (2, 500))))

    plain = [angle(*one)[0] for one in zip(ra[0], dec[0], ra[1][:, None], dec[1][:, None], strict=True)]

    np.testing.assert_allclose(separation(ra[0], dec[0], ra[1], dec[1]), plain, atol=1e-6)
