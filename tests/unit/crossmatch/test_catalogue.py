"""A crossmatch against the plain answer: every source measured from every position."""

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skystamp import crossmatch
from skystamp.crossmatch import Catalogue
from skystamp.crossmatch.layout import read_layout
from skystamp.errors import UsageError
from tests.skies import Sky, Watched, moved, sky

NAN = np.nan


@pytest.fixture(scope="module")
def hard(hard_folder: Path) -> Catalogue:
    return crossmatch.open_catalogue(str(hard_folder))


def made(found: Sky, place: Path, **settings: object) -> Catalogue:
    crossmatch.build_catalogue(found.write(place / "table.parquet"), place / "sky", **settings)
    return crossmatch.open_catalogue(str(place / "sky"))


def watched(folder: Path, **settings: object) -> tuple[Catalogue, Watched]:
    watch = Watched()
    layout = dataclasses.replace(read_layout(str(folder), {}), system=watch.system)
    return Catalogue(layout, **settings), watch


AWAY = st.floats(0, 5).filter(lambda away: abs(away - 2) > 1e-6)  # where rounding does not decide
NEAR = st.tuples(st.integers(0, 639), AWAY, st.floats(0, 6.283), st.sampled_from([-720.0, -360.0, 0.0, 360.0]))


@settings(max_examples=200, deadline=None)
@given(st.lists(NEAR, min_size=1, max_size=20))
def test_match_is_that_of_measuring_every_source(hard, hard_sky, asked):
    source, away, towards, turn = (np.array(column) for column in zip(*asked, strict=True))
    ra, dec = moved(hard_sky.ra[source], hard_sky.dec[source], away, towards)

    found = hard.match(ra + turn, dec)

    np.testing.assert_allclose(found, hard_sky.answer(ra, dec), atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-90, 90)), max_size=10))
def test_match_anywhere_is_that_of_measuring_every_source(hard, hard_sky, asked):
    ra, dec = np.array(asked, float).reshape(-1, 2).T

    found = hard.match(ra, dec)

    np.testing.assert_allclose(found, hard_sky.answer(ra, dec), atol=1e-6)


def test_each_source_finds_itself(hard, hard_sky):
    found = hard.match(hard_sky.ra, hard_sky.dec)

    assert np.all(found[:, 0] < 1e-6)
    np.testing.assert_array_equal(found[:, 1:], hard_sky.magnitudes)


def test_answer_does_not_depend_on_what_else_is_asked(hard, hard_sky):
    together = hard.match(hard_sky.ra, hard_sky.dec)

    alone = np.concatenate([hard.match(hard_sky.ra[i : i + 1], hard_sky.dec[i : i + 1]) for i in range(0, 640, 7)])

    np.testing.assert_array_equal(alone, together[::7])


@pytest.mark.parametrize(
    ("ra", "dec"), [(NAN, 0.0), (0.0, NAN), (np.inf, 0.0), (0.0, -np.inf), (0.0, 90.0001), (10.0, -91.0)]
)
def test_what_is_no_position_has_no_match_and_leaves_the_others_alone(hard, hard_sky, ra, dec):
    found = hard.match(np.array([ra, hard_sky.ra[0]]), np.array([dec, hard_sky.dec[0]]))

    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1, 1:], hard_sky.magnitudes[0])


def test_no_positions_give_no_rows(hard):
    assert hard.match(np.empty(0), np.empty(0)).shape == (0, 5)


@pytest.mark.parametrize(("arcsec", "is_found"), [(0.0, True), (1.999999, True), (2.000001, False), (6.0, False)])
@pytest.mark.parametrize("dec", [0.0, 60.0, -89.999])
def test_source_is_found_up_to_two_arcsec_away(tmp_path, arcsec, is_found, dec):
    catalogue = made(sky([100.0], [dec]), tmp_path)

    found = catalogue.match(*moved(np.array([100.0]), np.array([dec]), np.array([arcsec]), np.array([1.0])))

    assert np.isfinite(found[0, 0]) == is_found


def test_match_crosses_the_border_of_a_partition(hard_folder):
    """Two arcsec across the border of base pixels at right ascension 0: the source is in another file."""
    layout = read_layout(str(hard_folder), {})
    catalogue, watch = watched(hard_folder)

    catalogue.match(np.array([0.0]), np.array([0.0]))

    assert len(watch.partitions) > 1
    assert len(watch.partitions) < len(layout.orders)


def test_magnitude_that_is_not_there_is_nan_and_the_others_stay(tmp_path):
    one = sky([5.0], [5.0])
    one.magnitudes[0, 2] = NAN

    found = made(one, tmp_path).match(np.array([5.0]), np.array([5.0]))

    np.testing.assert_array_equal(found[0, 1:], one.magnitudes[0])


def test_of_sources_equally_far_the_first_in_the_table_is_taken(tmp_path):
    twins = sky([5.0, 5.0, 5.0], [5.0, 5.0, 5.0])

    found = made(twins, tmp_path).match(np.array([5.0, 5.0]), np.array([5.0, 5.0 + 1 / 7200]))

    np.testing.assert_array_equal(found[:, 1:], twins.magnitudes[[0, 0]])


def test_empty_catalogue_matches_nothing(tmp_path):
    catalogue = made(sky([], []), tmp_path)

    assert np.isnan(catalogue.match(np.array([1.0, 2.0]), np.array([3.0, 4.0]))).all()


def test_only_partitions_near_the_positions_are_opened(hard_folder, hard_sky):
    catalogue, watch = watched(hard_folder)
    lonely = len(hard_sky.ra) - 1

    catalogue.match(hard_sky.ra[lonely:], hard_sky.dec[lonely:])

    assert len(watch.partitions) == 1


def test_position_far_from_every_partition_opens_none(tmp_path):
    made(sky([100.0, 101.0, 100.0], [10.0, 10.0, 11.0]), tmp_path, partition_rows=1)
    catalogue, watch = watched(tmp_path / "sky")

    catalogue.match(np.array([280.0]), np.array([-10.0]))

    assert watch.opened == []


def test_what_was_read_is_not_read_again(hard_folder, hard_sky):
    catalogue, watch = watched(hard_folder)
    first = catalogue.match(hard_sky.ra, hard_sky.dec)
    opened = len(watch.opened)

    second = catalogue.match(hard_sky.ra, hard_sky.dec)

    assert len(watch.opened) == opened
    np.testing.assert_array_equal(first, second)


def test_bounded_memory_changes_no_answer(hard_folder, hard_sky):
    catalogue = crossmatch.open_catalogue(str(hard_folder), cache_bytes=2_000)
    free = crossmatch.open_catalogue(str(hard_folder)).match(hard_sky.ra, hard_sky.dec)

    found = catalogue.match(hard_sky.ra, hard_sky.dec)

    np.testing.assert_array_equal(found, free)
    assert catalogue.nbytes <= 2_000


def test_pickled_catalogue_answers_alike_and_carries_no_sources(hard, hard_sky):
    hard.match(hard_sky.ra, hard_sky.dec)

    copy = pickle.loads(pickle.dumps(hard))

    assert (copy.name, copy.url, copy.nbytes) == (hard.name, hard.url, 0)
    np.testing.assert_array_equal(copy.match(hard_sky.ra, hard_sky.dec), hard.match(hard_sky.ra, hard_sky.dec))


def test_threads_share_a_catalogue(hard_folder, hard_sky):
    catalogue = crossmatch.open_catalogue(str(hard_folder), cache_bytes=5_000)
    expected = hard_sky.answer(hard_sky.ra, hard_sky.dec)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: catalogue.match(hard_sky.ra, hard_sky.dec), range(16)))

    assert all(np.allclose(answer, expected, atol=1e-6) for answer in answers)
    assert catalogue.nbytes <= 5_000


def test_columns_are_in_the_stated_order():
    assert crossmatch.COLUMNS == ("distance", "W1", "W2", "W3", "W4")


def test_missing_catalogue_is_told_with_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="skystamp catalog build"):
        crossmatch.open_catalogue(str(tmp_path))
