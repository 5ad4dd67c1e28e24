"""How many rows each small pixel has -> pixels of adaptive order that hold about as many rows each.

    order 0   the whole pixel if it has at most N rows, else its four quarters
    ...
    order 10  3.4 arcmin; this small a pixel is a partition however many rows it has

So a crowded field is divided finely and an empty one not at all, as HATS catalogues are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from skystamp.crossmatch import pixels

HIGHEST = 10

Counts = Int64[np.ndarray, " finest"]
"""Rows in every pixel of one order, by its nested number: 100 MB at order `HIGHEST`, however large the table."""


def no_rows(order: int = HIGHEST) -> Counts:
    """Return the counts of an empty table in pixels of an order."""
    return np.zeros(12 << 2 * order, np.int64)


def add(counts: Counts, pixel: Int64[np.ndarray, " row"]) -> None:
    """Count more rows, given by their pixels of the counts' order."""
    more, rows = np.unique(pixel, return_counts=True)
    counts[more] += rows


def coarse(counts: Counts, order: int) -> Int64[np.ndarray, " pixel"]:
    """Return the rows in every pixel of a lower order."""
    return counts.reshape(12 << 2 * order, -1).sum(axis=1)


@dataclass(frozen=True, slots=True)
class Partition:
    """One pixel that becomes a file: order, nested number, rows."""

    order: int
    pixel: int
    rows: int

    @property
    def first(self) -> int:
        """The first of its cells of order `pixels.ORDER`."""
        return self.pixel << 2 * (pixels.ORDER - self.order)


def divide(counts: Counts, most: int) -> list[Partition]:
    """Return partitions that hold every row once, in ascending order on the sky.

    Parameters
    ----------
    counts : int64, axis (pixel of the highest order)
        Of all rows.
    most : int
        Rows of a partition; only a pixel of the counts' own order may have more.
    """
    partitions: list[Partition] = []
    left = np.ones(12, np.bool_)  # which pixels of this order are in no partition yet
    highest = (len(counts) // 12).bit_length() // 2
    for order in range(highest + 1):
        rows = coarse(counts, order)
        whole = left & (rows > 0) & ((rows <= most) | (order == highest))
        partitions += [Partition(order, pixel, int(rows[pixel])) for pixel in np.flatnonzero(whole).tolist()]
        left = np.repeat(left & ~whole, 4)
    return sorted(partitions, key=lambda partition: partition.first)


def gather(partitions: Sequence[Partition], most: int) -> list[list[Partition]]:
    """Return neighbouring partitions in groups of at most `most` rows each, or of one partition that has more."""
    groups: list[list[Partition]] = []
    room = 0
    for partition in partitions:
        if not groups or partition.rows > room:
            groups.append([])
            room = most
        groups[-1].append(partition)
        room -= partition.rows
    return groups
