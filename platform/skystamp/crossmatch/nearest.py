"""Sources sorted by cell, positions and the cells around them -> the nearest source within a radius.

    sources   cell  3 3 3 7 9 9 ...        a cell's sources stand together, found by bisection
    asked     position 0: cell 3           every (position, source) of such a cell is one candidate
              position 0: cell 4

No loop over positions: a few candidates each are measured at once, and the least distance is taken.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

_ARCSEC = 180.0 * 3600.0 / np.pi  # in one radian


@dataclass(frozen=True, slots=True)
class Sources:
    """Catalogued sources in ascending order of their cell: positions in deg, magnitudes W1..W4 with NaN for none."""

    cell: Int64[np.ndarray, " source"]
    ra: Float64[np.ndarray, " source"]
    dec: Float64[np.ndarray, " source"]
    magnitudes: Float64[np.ndarray, "source 4"]

    @property
    def nbytes(self) -> int:
        """Bytes of the four arrays."""
        return self.cell.nbytes + self.ra.nbytes + self.dec.nbytes + self.magnitudes.nbytes


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest source of each position that has one: indices of both, and their distance in arcsec."""

    position: Int64[np.ndarray, " match"]
    source: Int64[np.ndarray, " match"]
    distance: Float64[np.ndarray, " match"]


def nearest(
    sources: Sources,
    position: Int64[np.ndarray, " asked"],
    cell: Int64[np.ndarray, " asked"],
    ra: Float64[np.ndarray, " position"],
    dec: Float64[np.ndarray, " position"],
    radius: float,
) -> Nearest:
    """Return the nearest source within `radius` (arcsec, inclusive) of each position that has one.

    Parameters
    ----------
    sources : Sources
        Among which to search.
    position, cell : int64, axis (asked)
        Pairs of a position's index and a cell in which its sources may be. Each pair stands once.
    ra, dec : float64, axis (position)
        Of all positions, in deg.
    radius : float
        In arcsec.

    Of sources at the same distance the first in the catalogue's order is taken, always.
    """
    first = np.searchsorted(sources.cell, cell, "left")
    count = np.searchsorted(sources.cell, cell, "right") - first
    of = np.repeat(position, count)
    candidate = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(len(of))
    distance = separation(ra[of], dec[of], sources.ra[candidate], sources.dec[candidate])
    near = distance <= radius
    of, candidate, distance = of[near], candidate[near], distance[near]
    order = np.lexsort((candidate, distance, of))
    best = order[np.unique(of[order], return_index=True)[1]]
    return Nearest(of[best], candidate[best], distance[best])


def separation(
    ra1: Float64[np.ndarray, " pair"],
    dec1: Float64[np.ndarray, " pair"],
    ra2: Float64[np.ndarray, " pair"],
    dec2: Float64[np.ndarray, " pair"],
) -> Float64[np.ndarray, " pair"]:
    """Return great-circle distances in arcsec of positions in deg, by the haversine, which is exact for small ones."""
    a1, d1, a2, d2 = np.radians(ra1), np.radians(dec1), np.radians(ra2), np.radians(dec2)
    half = np.sin((d2 - d1) / 2) ** 2 + np.cos(d1) * np.cos(d2) * np.sin((a2 - a1) / 2) ** 2
    return 2.0 * np.arcsin(np.sqrt(np.minimum(half, 1.0))) * _ARCSEC
