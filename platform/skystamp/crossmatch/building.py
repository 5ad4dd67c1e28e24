"""A table of sources -> a catalogue in HATS layout, also where the table is larger than memory.

    first reading   rows a pixel of order 10 ── divide ──> partitions ── gather ──> groups that fit in memory
    second reading  rows ──> one file a group in a scratch folder
    group by group  rows in the order of their HEALPix index ──> one Parquet file a partition, in small row groups

The folder appears under its name only when it is whole. The table's columns are kept as they are.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from skystamp.crossmatch import pixels
from skystamp.crossmatch.columns import BANDS, resolve
from skystamp.crossmatch.dividing import HIGHEST, Counts, Partition, add, coarse, divide, gather, no_rows
from skystamp.crossmatch.tables import Table
from skystamp.errors import UsageError

PARTITION_ROWS = 1_000_000
GROUP_ROWS = 1 << 15  # of a Parquet row group: what a crossmatch reads at least
MEMORY_ROWS = 2_000_000

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: rows and partitions, and rows left out because their position is none on the sky."""

    rows: int
    partitions: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """A table, the names of its position and magnitudes, and how its rows are divided."""

    table: Table
    columns: tuple[str, ...]
    groups: tuple[tuple[Partition, ...], ...]
    counts: Counts
    left_out: int

    @property
    def schema(self) -> pa.Schema:
        """Of the partitions: the HEALPix index before the table's columns."""
        from skystamp.crossmatch.publishing import INDEX

        return self.table.schema(self.columns).insert(0, pa.field(INDEX, pa.int64()))


def build_catalogue(
    table: Path,
    out: Path,
    *,
    name: str = "",
    columns: Mapping[str, str] | None = None,
    partition_rows: int = PARTITION_ROWS,
    properties: Mapping[str, str] | None = None,
    on_rows: Progress = lambda _: None,
) -> Built:
    """Make the catalogue `out` of a table and return what was built.

    Parameters
    ----------
    table : Path
        A CSV or Parquet file, or a folder of them, with positions (ICRS, deg) and magnitudes W1..W4.
    out : Path
        The folder to make; it should not be there yet.
    name : str
        What the catalogue calls itself; by default the folder's name.
    columns : mapping, optional
        Our name (ra, dec, W1..W4) to the table's, where its spelling is not in `columns.SPELLINGS`.
    partition_rows : int
        Rows of a partition at most; only a pixel of 3.4 arcmin may have more.
    properties : mapping, optional
        Further properties to write, as hats_creation_date.
    on_rows : callable
        Told the number of rows of each batch written to its partition.

    Raises
    ------
    UsageError
        If the table can not be read or lacks a column, or if `out` is there already.
    """
    if out.exists():
        raise UsageError(f"the catalogue's folder should not be there yet. Received: {out}")
    if partition_rows < 1:
        raise UsageError(f"a partition should have at least one row. Received: partition_rows={partition_rows}")
    plan = _planned(Table(table), columns or {}, partition_rows)
    with _appearing(out) as (folder, scratch):
        _write(plan, folder, scratch, on_rows)
        _publish(plan, folder, name or out.resolve().name, properties or {})
    partitions = [partition for group in plan.groups for partition in group]
    return Built(sum(partition.rows for partition in partitions), len(partitions), plan.left_out)


def _planned(table: Table, chosen: Mapping[str, str], most: int) -> _Plan:
    names = tuple(resolve(table.names, chosen, needed=("ra", "dec", *BANDS)))
    counts, left_out = no_rows(), 0
    for batch in table.batches(names, only=names[:2]):
        ra, dec = _position(batch, names)
        placed = pixels.on_sky(ra, dec)
        add(counts, pixels.index(ra[placed], dec[placed], HIGHEST))
        left_out += int(np.count_nonzero(~placed))
    groups = gather(divide(counts, most), MEMORY_ROWS)
    return _Plan(table, names, tuple(map(tuple, groups)), counts, left_out)


def _write(plan: _Plan, folder: Path, scratch: Path, on_rows: Progress) -> None:
    _spool(plan, scratch)
    (folder / "dataset").mkdir()
    for number, group in enumerate(plan.groups):
        _write_group(group, scratch / str(number), folder, on_rows)


def _spool(plan: _Plan, scratch: Path) -> None:
    """Write each group's rows, with their index, to one file."""
    starts = np.array([group[0].first for group in plan.groups], np.int64)
    with ExitStack() as opened:
        files = [opened.enter_context(pa.OSFile(str(scratch / str(i)), "wb")) for i in range(len(starts))]
        writers = [opened.enter_context(pa.ipc.new_stream(file, plan.schema)) for file in files]
        for batch in plan.table.batches(plan.columns):
            rows = _indexed(batch, plan)
            group = np.searchsorted(starts, _at(rows, pixels.ORDER), "right") - 1
            for i in np.unique(group).tolist():
                writers[i].write_batch(rows.take(pa.array(np.flatnonzero(group == i))))


def _indexed(batch: pa.RecordBatch, plan: _Plan) -> pa.RecordBatch:
    """Return a batch's rows that are on the sky, with their HEALPix index."""
    ra, dec = _position(batch, plan.columns)
    placed = np.flatnonzero(pixels.on_sky(ra, dec))
    index = pa.array(pixels.index(ra[placed], dec[placed], pixels.FINEST))
    return pa.RecordBatch.from_arrays([index, *batch.take(pa.array(placed)).columns], schema=plan.schema)


def _write_group(group: Sequence[Partition], spooled: Path, folder: Path, on_rows: Progress) -> None:
    with pa.memory_map(str(spooled)) as file:
        rows = pa.ipc.open_stream(file).read_all()
        order = np.argsort(rows.column(0).to_numpy(), kind="stable")
        first = 0
        for partition in group:
            path = folder / "dataset" / _file(partition)
            path.parent.mkdir(parents=True, exist_ok=True)
            here = rows.take(pa.array(order[first : first + partition.rows]))
            pq.write_table(here.combine_chunks(), path, row_group_size=GROUP_ROWS, compression="zstd")
            first += partition.rows
            on_rows(partition.rows)
    spooled.unlink()


def _publish(plan: _Plan, folder: Path, name: str, properties: Mapping[str, str]) -> None:
    from skystamp.crossmatch.publishing import SKYMAP_ORDER, publish

    partitions = {(one.order, one.pixel): one.rows for group in plan.groups for one in group}
    if not partitions:
        pq.write_metadata(plan.schema, folder / "dataset" / "_common_metadata")
    position = (plan.columns[0], plan.columns[1])
    builder = f"skystamp v{version('skystamp')}, hats v{version('hats')}"
    density = coarse(plan.counts, SKYMAP_ORDER)
    publish(folder, name, position, partitions, density, {"hats_builder": builder, **properties})


@contextmanager
def _appearing(out: Path) -> Iterator[tuple[Path, Path]]:
    """Give a folder that becomes `out` at the end, and one for scratch; both are gone if that fails."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as place:
        folder, scratch = Path(place, "catalogue"), Path(place, "scratch")
        folder.mkdir()
        scratch.mkdir()
        yield folder, scratch
        shutil.move(folder, out)


def _file(partition: Partition) -> str:
    folder = partition.pixel // 10_000 * 10_000
    return f"Norder={partition.order}/Dir={folder}/Npix={partition.pixel}.parquet"


def _at(rows: pa.RecordBatch, order: int) -> Int64[np.ndarray, " row"]:
    return np.asarray(rows.column(0).to_numpy() >> 2 * (pixels.FINEST - order), np.int64)


def _position(
    batch: pa.RecordBatch, names: Sequence[str]
) -> tuple[Float64[np.ndarray, " row"], Float64[np.ndarray, " row"]]:
    """Return right ascension and declination of a batch, NaN for null."""
    ra, dec = (batch.column(name).to_numpy(zero_copy_only=False) for name in names[:2])
    return np.asarray(ra, np.float64), np.asarray(dec, np.float64)
