"""Rows a pixel -> partitions: each row in one, none too full, none divided without need."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skystamp.crossmatch.dividing import Counts, Partition, add, coarse, divide, gather, no_rows

HIGHEST = 3
LAST = (12 << 2 * HIGHEST) - 1
PIXELS = st.lists(st.one_of(st.integers(0, 20), st.integers(0, LAST)), max_size=60)


def counts(*batches: list[int]) -> Counts:
    made = no_rows(HIGHEST)
    for pixels in batches:
        add(made, np.array(pixels, np.int64))
    return made


@given(PIXELS, st.integers(1, 10))
def test_partitions_hold_every_row_once(pixels, most):
    partitions = divide(counts(pixels), most)

    for partition in partitions:
        shift = 2 * (HIGHEST - partition.order)
        assert sum(pixel >> shift == partition.pixel for pixel in pixels) == partition.rows > 0
    assert sum(partition.rows for partition in partitions) == len(pixels)
    assert [one.first for one in partitions] == sorted(one.first for one in partitions)


@given(PIXELS, st.integers(1, 10))
def test_only_the_smallest_pixels_may_be_too_full(pixels, most):
    assert all(one.rows <= most or one.order == HIGHEST for one in divide(counts(pixels), most))


@given(PIXELS, st.integers(1, 10))
def test_pixel_is_divided_only_if_it_is_too_full(pixels, most):
    for one in divide(counts(pixels), most):
        parent = one.pixel >> 2
        rows = sum(pixel >> 2 * (HIGHEST - one.order + 1) == parent for pixel in pixels)
        assert one.order == 0 or rows > most


def test_few_rows_stay_in_the_base_pixels():
    assert divide(counts([0, LAST, LAST]), 2) == [Partition(0, 0, 1), Partition(0, 11, 2)]


def test_counts_add_up_over_batches():
    both = counts([5, 5, 2], [2, 9])

    assert both[[2, 5, 9]].tolist() == [2, 2, 1]
    assert both.sum() == 5


def test_counts_of_a_lower_order_are_sums():
    found = coarse(counts([0, 1, 4, LAST]), HIGHEST - 1)

    assert found[[0, 1, LAST >> 2]].tolist() == [2, 1, 1]
    assert len(found) == 12 << 2 * (HIGHEST - 1)


def test_no_rows_make_no_partition():
    assert divide(no_rows(HIGHEST), 5) == []


def test_groups_are_neighbours_that_fit_together():
    partitions = [Partition(1, i, rows) for i, rows in enumerate([3, 4, 9, 1, 1])]

    groups = gather(partitions, 7)

    assert [[one.rows for one in group] for group in groups] == [[3, 4], [9], [1, 1]]
