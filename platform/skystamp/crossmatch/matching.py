"""A table of positions -> the same rows with their matches, in order, batch by batch."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from skystamp.crossmatch.catalogue import COLUMNS, Catalogue
from skystamp.crossmatch.columns import resolve
from skystamp.crossmatch.tables import Table
from skystamp.errors import UsageError

WRITERS: dict[str, Callable[[Path, pa.Schema], csv.CSVWriter | pq.ParquetWriter]] = {
    ".csv": csv.CSVWriter,
    ".parquet": pq.ParquetWriter,
}


@dataclass(frozen=True, slots=True)
class Matched:
    """How many positions were asked, and how many have a source."""

    rows: int
    matched: int


def match_table(
    catalogue: Catalogue, positions: Path, out: Path, *, columns: Mapping[str, str] | None = None
) -> Matched:
    """Write the rows of a table with `COLUMNS` behind them, null where there is no match; return how many have one.

    Parameters
    ----------
    catalogue : Catalogue
        To match with.
    positions : Path
        A CSV or Parquet file, or a folder of them, with right ascension and declination (ICRS, deg).
    out : Path
        A ``.csv`` or ``.parquet`` file; one that is there is written over.
    columns : mapping, optional
        ``ra`` and ``dec`` to the table's names, where they are not in `columns.SPELLINGS`.

    Raises
    ------
    UsageError
        If the table can not be read, has no position or has a column of the answer already, or if `out` has another
        ending.
    """
    table = Table(positions)
    names = resolve(table.names, columns or {}, needed=("ra", "dec"))
    taken = [name for name in COLUMNS if name in table.names]
    if taken:
        raise UsageError(f"the positions should have no column {', '.join(COLUMNS)} yet. Received: {', '.join(taken)}")
    schema = table.schema(names)
    for name in COLUMNS:
        schema = schema.append(pa.field(name, pa.float64()))
    rows = matched = 0
    with _writer(out, schema) as writer:
        for batch in table.batches(names):
            ra, dec = (np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float64) for name in names)
            found = catalogue.match(ra, dec)
            added = [pa.array(values, from_pandas=True) for values in found.T]
            writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema))
            rows += len(found)
            matched += int(np.count_nonzero(np.isfinite(found[:, 0])))
    return Matched(rows, matched)


@contextmanager
def _writer(out: Path, schema: pa.Schema) -> Iterator[csv.CSVWriter | pq.ParquetWriter]:
    if out.suffix not in WRITERS:
        raise UsageError(f"the matches' file should end in {' or '.join(WRITERS)}. Received: {out}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with WRITERS[out.suffix](out, schema) as writer:
        yield writer
