"""Positions -> HEALPix cells small enough to search and large enough that nothing within 2 arcsec is two cells away.

Cells are pixels of order 15 in the nested scheme: 6.4 arcsec wide on average, at least 4 arcsec where they are
narrowest, so that what lies within 2 arcsec of a position is in its cell or in one of the eight around it. A pixel of a
lower order is an unbroken range of cells, which is why a sorted list of pixels finds them.
"""

import numpy as np
from astropy import units
from astropy.coordinates import Latitude, Longitude
from cdshealpix import nested
from jaxtyping import Bool, Float64, Int64

ORDER = 15
FINEST = 29  # order of the index column that HATS catalogues carry


def on_sky(
    ra: Float64[np.ndarray, " position"], dec: Float64[np.ndarray, " position"]
) -> Bool[np.ndarray, " position"]:
    """Return which positions (deg) are on the sky: both numbers finite and the declination from -90 to 90."""
    return np.isfinite(ra) & (np.abs(dec) <= 90.0)


def index(
    ra: Float64[np.ndarray, " position"], dec: Float64[np.ndarray, " position"], order: int = ORDER
) -> Int64[np.ndarray, " position"]:
    """Return the nested HEALPix pixel of an order that each position (deg, ICRS) lies in; all should be `on_sky`."""
    longitude, latitude = Longitude(ra % 360.0, units.deg), Latitude(dec, units.deg)
    return np.asarray(nested.lonlat_to_healpix(longitude, latitude, order, num_threads=1), np.int64)


def around(cells: Int64[np.ndarray, " cell"]) -> Int64[np.ndarray, "cell 9"]:
    """Return each cell with its eight neighbours, in ascending order; -1 where three cells meet and one is lacking."""
    if not len(cells):
        return np.empty((0, 9), np.int64)
    return np.sort(nested.neighbours(cells.astype(np.uint64), ORDER, num_threads=1), axis=1)


def span(
    orders: Int64[np.ndarray, " pixel"], pixels: Int64[np.ndarray, " pixel"]
) -> tuple[Int64[np.ndarray, " pixel"], Int64[np.ndarray, " pixel"]]:
    """Return the first cell of each pixel and the one after its last; orders are at most `ORDER`."""
    shift = 2 * (ORDER - orders)
    return pixels << shift, (pixels + 1) << shift
