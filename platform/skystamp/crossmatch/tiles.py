"""Partitions -> their sources, one row group at a time, each read once and kept in bounded memory.

A tile is one row group of a partition's file: what is read and kept as a whole. The column of HEALPix indices has its
least and greatest value a row group in the file's footer, so a file of a million rows costs only the groups that hold
the cells asked for; without such a column the whole file is one tile. The tiles used longest ago are dropped when the
bound is reached. Several partitions are read at once, since an object store takes its time to answer.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from skystamp.crossmatch import pixels
from skystamp.crossmatch.layout import Layout
from skystamp.crossmatch.nearest import Sources

CACHE_BYTES = 256 << 20  # 4.8 million sources at 56 bytes each
READERS = 4  # partitions read at once

Wanted = tuple[int, Int64[np.ndarray, "_"]]
"""A partition's number and the cells that are asked of it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One row group, or a whole file: the first and the last cell of which it may have sources."""

    path: str
    groups: tuple[int, ...]
    first: int
    last: int


class Tiles:
    """The tiles of one catalogue. Threads may share it; two that ask for the same tile at once both read it."""

    def __init__(self, layout: Layout, cache_bytes: int = CACHE_BYTES) -> None:
        self._layout = layout
        self._bound = cache_bytes
        self._kept: OrderedDict[Tile, Sources] = OrderedDict()
        self._bytes = 0
        self._known: dict[int, tuple[Tile, ...]] = {}
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of the sources kept now: at most the bound, or one tile if that alone is larger."""
        return self._bytes

    def each(self, wanted: Sequence[Wanted]) -> Iterator[list[Sources]]:
        """Yield what `of` returns for each partition and its cells, in order, reading a few partitions ahead."""
        if len(wanted) == 1:
            yield self.of(*wanted[0])
            return
        with ThreadPoolExecutor(READERS) as pool:
            ahead: deque[Future[list[Sources]]] = deque()
            for one in wanted:
                ahead.append(pool.submit(self.of, *one))
                if len(ahead) > READERS:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def of(self, partition: int, cells: Int64[np.ndarray, " cell"]) -> list[Sources]:
        """Return the sources of each tile of a partition that may have some in these cells, in the file's order."""
        cells = np.sort(cells)
        footers: dict[str, pq.FileMetaData] = {}
        tiles = self._tiles(partition, footers)
        first = np.searchsorted(cells, [tile.first for tile in tiles], "left")
        return [
            self._sources(tile, footers.get(tile.path))
            for tile, at in zip(tiles, first.tolist(), strict=True)
            if at < len(cells) and cells[at] <= tile.last
        ]

    def _tiles(self, partition: int, footers: dict[str, pq.FileMetaData]) -> tuple[Tile, ...]:
        """Return a partition's tiles, which stay known (100 bytes each); put what was read for them in `footers`."""
        if partition not in self._known:
            paths = self._layout.files(partition)
            self._known[partition] = tuple(tile for path in paths for tile in self._split(path, footers))
        return self._known[partition]

    def _split(self, path: str, footers: dict[str, pq.FileMetaData]) -> Iterator[Tile]:
        with self._layout.system.open_input_file(path) as file:
            metadata = footers[path] = pq.read_metadata(file)
        bounds = [_bounds(metadata.row_group(i), self._layout.index) for i in range(metadata.num_row_groups)]
        if all(bound is not None for bound in bounds):
            yield from (Tile(path, (i,), *bound) for i, bound in enumerate(bounds) if bound)
        else:
            yield Tile(path, tuple(range(len(bounds))), 0, 12 << 2 * pixels.ORDER)

    def _sources(self, tile: Tile, footer: pq.FileMetaData | None) -> Sources:
        with self._lock:
            if tile in self._kept:
                self._kept.move_to_end(tile)
                return self._kept[tile]
        sources = read(self._layout, tile, footer)
        with self._lock:
            self._keep(tile, sources)
        return sources

    def _keep(self, tile: Tile, sources: Sources) -> None:
        if tile not in self._kept:
            self._bytes += sources.nbytes
        self._kept[tile] = sources
        while self._bytes > self._bound and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.nbytes


def read(layout: Layout, tile: Tile, footer: pq.FileMetaData | None = None) -> Sources:
    """Return the sources of a tile in ascending order of their cells, within a cell in the file's; no row without one.

    Only the six columns of the layout are read, and the file's footer where it is not given.
    """
    names = list(layout.columns)
    with layout.system.open_input_file(tile.path) as file:
        table = pq.ParquetFile(file, metadata=footer, pre_buffer=True).read_row_groups(list(tile.groups), columns=names)
    ra, dec, *magnitudes = (_floats(table.column(name)) for name in names)
    placed = pixels.on_sky(ra, dec)
    ra, dec = ra[placed], dec[placed]
    cell = pixels.index(ra, dec)
    order = np.argsort(cell, kind="stable")
    columns = [values[placed][order] for values in magnitudes]
    return Sources(cell[order], ra[order], dec[order], np.stack(columns, axis=1))


def _floats(column: pa.ChunkedArray) -> Float64[np.ndarray, " source"]:
    """Return a column as float64, NaN for null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _bounds(group: pq.RowGroupMetaData, index: str) -> tuple[int, int] | None:
    """Return the least and the greatest cell of a row group by its statistics, None where it has none."""
    for i in range(group.num_columns):
        column = group.column(i)
        if column.path_in_schema == index:
            statistics = column.statistics
            if statistics is None or not statistics.has_min_max:
                return None
            shift = 2 * (pixels.FINEST - pixels.ORDER)
            return int(statistics.min) >> shift, int(statistics.max) >> shift
    return None
