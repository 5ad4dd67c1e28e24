"""An open catalogue: positions -> distance and magnitudes of the nearest source within 2 arcsec.

The radius is that of the temporal stamp classifier's Table 3: AllWISE within 2 arcsec.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64, Int64

from skystamp.crossmatch import pixels
from skystamp.crossmatch.columns import BANDS
from skystamp.crossmatch.layout import Layout, read_layout
from skystamp.crossmatch.nearest import Nearest, Sources, nearest
from skystamp.crossmatch.tiles import CACHE_BYTES, Tiles

COLUMNS = ("distance", *BANDS)
RADIUS_ARCSEC = 2.0


class Catalogue:
    """A catalogue that can be asked; `open_catalogue` makes it.

    It keeps the sources read last, at most `cache_bytes` of them, 56 bytes each. It pickles without them, so each
    worker fills its own memory.
    """

    def __init__(self, layout: Layout, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._layout = layout
        self._cache_bytes = cache_bytes
        self._tiles = Tiles(layout, cache_bytes)

    @property
    def name(self) -> str:
        """What the catalogue calls itself."""
        return self._layout.name

    @property
    def url(self) -> str:
        """Where it was opened."""
        return self._layout.url

    @property
    def nbytes(self) -> int:
        """Bytes of the sources that are kept now."""
        return self._tiles.nbytes

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made of, without the sources that it keeps."""
        return _catalogue, (self._layout, self._cache_bytes)

    def match(
        self, ra: Float64[np.ndarray, " position"], dec: Float64[np.ndarray, " position"]
    ) -> Float64[np.ndarray, "position 5"]:
        """Return the nearest source of each position within `RADIUS_ARCSEC`: float64, axes (position, `COLUMNS`).

        Distance in arcsec, magnitudes in Vega mag. A whole row is NaN where no source is so near and where the position
        is none on the sky (NaN, infinite, declination beyond 90 deg); one magnitude is NaN where the source has none.
        Right ascension may be of any turn. Of sources at the same distance the first in the catalogue's order is taken.

        Parameters
        ----------
        ra, dec : float64, axis (position)
            ICRS, in deg.

        Raises
        ------
        OSError
            If a file of the catalogue can not be read: a fault of ours, not of a position.
        """
        out = np.full((len(ra), len(COLUMNS)), np.nan)
        placed = np.flatnonzero(pixels.on_sky(ra, dec))
        cells = pixels.around(pixels.index(ra[placed], dec[placed]))
        position, cell = np.repeat(placed, cells.shape[1]), cells.ravel()
        groups = _grouped(self._layout.partitions(cell))
        tiles = self._tiles.each([(partition, cell[asked]) for partition, asked in groups])
        for (_, asked), several in zip(groups, tiles, strict=True):
            for sources in several:
                _improve(out, sources, nearest(sources, position[asked], cell[asked], ra, dec, RADIUS_ARCSEC))
        return out


def open_catalogue(url: str, *, columns: Mapping[str, str] | None = None, cache_bytes: int = CACHE_BYTES) -> Catalogue:
    """Return the catalogue in HATS layout at a folder or URL; its small text files are read, no partition yet.

    Parameters
    ----------
    url : str
        A folder, or file://, s3://, gs:// or hdfs:// of one; S3 as the AWS_* variables say.
    columns : mapping, optional
        Our name (ra, dec, W1..W4) to the catalogue's, where its spelling is not known: `columns.SPELLINGS`.
    cache_bytes : int
        Of sources to keep in memory at most; the tile in use is kept in any case.

    Raises
    ------
    UsageError
        If there is no such catalogue or its columns are not understood.
    """
    return Catalogue(read_layout(url, columns or {}), cache_bytes=cache_bytes)


def _improve(out: Float64[np.ndarray, "position 5"], sources: Sources, found: Nearest) -> None:
    """Write into `out` what is nearer than what stands there."""
    nearer = ~(out[found.position, 0] <= found.distance)
    rows = found.position[nearer]
    out[rows, 0] = found.distance[nearer]
    out[rows, 1:] = sources.magnitudes[found.source[nearer]]


def _catalogue(layout: Layout, cache_bytes: int) -> Catalogue:
    return Catalogue(layout, cache_bytes=cache_bytes)


def _grouped(number: Int64[np.ndarray, " asked"]) -> list[tuple[int, Int64[np.ndarray, " member"]]]:
    """Return each number that is not negative with the indices that have it, in ascending order."""
    order = np.argsort(number, kind="stable")
    order = order[np.searchsorted(number[order], 0) :]
    values = number[order]
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    return list(zip(values[starts].tolist(), np.split(order, starts[1:]), strict=True)) if len(values) else []
