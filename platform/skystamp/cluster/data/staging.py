"""Rows on a disk between two passes: written as they come, taken again in any order.

    table ── write ──> FOLDER/NAME       Arrow's file format, not compressed: each row lies where its number says
    (name, offset), ... ── take ──> table of those rows, in the order asked for

A file is mapped, not read, so taking a row costs that row: about its bytes, whatever the file's size, and none of a
process's own memory but for the rows taken. That makes a plan over an index (`grouping`) an external sort of the
data: each row is written once and read once, and no process or object store ever holds more than a piece.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int64, Shaped


def write(path: Path, rows: pa.Table) -> None:
    """Write rows as one file, whole or not at all; the same file again if a task is run again."""
    part = path.with_suffix(".part")
    with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    part.replace(path)


def take(
    folder: Path, names: Shaped[np.ndarray, " row"], offsets: Int64[np.ndarray, " row"], columns: Sequence[str] = ()
) -> pa.Table:
    """Return rows of the files in `folder`, in the order asked for.

    Parameters
    ----------
    names : str (row,)
        The file that each row is in.
    offsets : int64 (row,)
        Its number in that file, from 0.
    columns : sequence of str
        These columns alone; all by default.
    """
    order = np.argsort(names, kind="stable")
    parts = [_of_file(folder / str(name), offsets[mine], columns) for name, mine in _runs(names, order)]
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_tables(parts).combine_chunks().take(pa.array(back))


def _runs(
    names: Shaped[np.ndarray, " row"], order: Int64[np.ndarray, " row"]
) -> Iterator[tuple[str, Int64[np.ndarray, " member"]]]:
    """Yield each file's name with the numbers of the rows asked of it."""
    ordered = names[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    for start, end in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        yield ordered[start], order[start:end]


def _of_file(path: Path, offsets: Int64[np.ndarray, " row"], columns: Sequence[str]) -> pa.Table:
    with pa.memory_map(str(path)) as mapped:
        whole = pa.ipc.open_file(mapped).read_all()
        return (whole.select(columns) if columns else whole).take(pa.array(offsets))
