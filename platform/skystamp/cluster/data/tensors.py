"""Columns of fixed-shape tensors: numpy -> Arrow -> numpy, and chosen rows of many Parquet files in bounded memory."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64, Int64

from skystamp import stamps
from skystamp.errors import DatasetError


def column(values: np.ndarray, form: pa.FixedShapeTensorType) -> pa.Array:
    """Return an array whose first axis is the row as a column of this form."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    size = int(np.prod(form.shape))
    return pa.ExtensionArray.from_storage(form, pa.FixedSizeListArray.from_arrays(flat, size))


def array(values: pa.ChunkedArray) -> np.ndarray:
    """Return a column of tensors as one array, the row its first axis, to the bit."""
    shape = (-1, *values.type.shape)
    parts = [chunk.storage.flatten().to_numpy(zero_copy_only=False).reshape(shape) for chunk in values.chunks]
    return (
        np.concatenate(parts) if parts else np.empty((0, *values.type.shape), values.type.value_type.to_pandas_dtype())
    )


def read(
    files: Sequence[Path], rows: Int64[np.ndarray, " row"], crop: int | None
) -> tuple[Float32[np.ndarray, "row height width band"], Float64[np.ndarray, "row feature"]]:
    """Return the stamps, cropped around their centre, and the metadata of chosen rows, in the order asked for.

    Parameters
    ----------
    files : sequence of Path
        Of one form.
    rows : int64 (row,)
        Numbers of rows, counted through all files.
    crop : int, optional
        Pixels to keep.

    Raises
    ------
    DatasetError
        If there is no file.
    """
    if not files:
        raise DatasetError("a split should have at least one shard. Received: none")
    form = pq.read_schema(files[0])
    side, features = form.field("stamps").type.shape[0], form.field("metadata").type.shape[0]
    keep, size = stamps.central(side, crop or side), crop or side
    images = np.empty((len(rows), size, size, 3), np.float32)
    numbers = np.empty((len(rows), features), np.float64)
    for mine, part in _pieces(files, rows):
        images[mine] = array(part["stamps"])[:, keep, keep]
        numbers[mine] = array(part["metadata"])
    return images, numbers


def _pieces(files: Sequence[Path], rows: Int64[np.ndarray, " row"]) -> Iterator[tuple[Any, pa.Table]]:
    """Yield, a row group at a time, which of the chosen rows it has, and them."""
    order = np.argsort(rows, kind="stable")
    ordered, start = rows[order], 0
    for file in files:
        with pq.ParquetFile(file) as opened:
            for group in range(opened.num_row_groups):
                end = start + opened.metadata.row_group(group).num_rows
                mine = order[np.searchsorted(ordered, start) : np.searchsorted(ordered, end)]
                if len(mine):
                    part = opened.read_row_group(group, columns=["stamps", "metadata"])
                    yield mine, part.take(pa.array(rows[mine] - start))
                start = end
