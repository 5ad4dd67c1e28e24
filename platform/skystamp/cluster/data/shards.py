"""The form of prepared data on disk, and what is read of it.

    DIR/manifest.json                    what the data are: name, hash, classes, counts, split rule, sources, versions
    DIR/{train,validation,test}/*.parquet
        object_id string, alert_id int64, mjd float64 (days, UTC), label string,
        stamps    fixed-shape tensor (63, 63, 3) float32, NaN kept, in the survey's unit
        metadata  fixed-shape tensor (26,) float64, in the order of `metadata.FEATURES`, NaN = missing
    DIR/rejections.parquet, rejections.json

Tensors are Arrow's own extension type, so any reader of Parquet reads them. Values are raw: crop, clips and scaling are
the model's (`inputs.make`).
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64, Shaped

from skystamp import manifest, stamps
from skystamp.errors import DatasetError
from skystamp.inputs import Raw

MANIFEST = "manifest.json"
_PLAIN = {"object_id": pa.string(), "alert_id": pa.int64(), "mjd": pa.float64(), "label": pa.string()}


@dataclass(frozen=True, eq=False, slots=True)
class LabelledRaw:
    """One split in memory: raw inputs and, for each alert, its label, object and detection.

    Sorted by object, then time, then alert number, whatever the shards.
    """

    raw: Raw
    labels: Shaped[np.ndarray, " alert"]
    object_ids: Shaped[np.ndarray, " alert"]
    alert_ids: Int64[np.ndarray, " alert"]
    mjd: Float64[np.ndarray, " alert"]

    def __len__(self) -> int:
        return len(self.alert_ids)

    def take(self, indices: Any) -> "LabelledRaw":
        """Return the alerts at these indices."""
        return LabelledRaw(
            self.raw.take(indices),
            self.labels[indices],
            self.object_ids[indices],
            self.alert_ids[indices],
            self.mjd[indices],
        )

    def earliest(self) -> "LabelledRaw":
        """Return of each object its earliest packet alone."""
        return self.take(_sorted(self.object_ids, self.mjd, self.alert_ids, earliest=True))


def load_split(folder: Path, split: str, *, earliest: bool = False, crop: int | None = None) -> LabelledRaw:
    """Return one split of prepared data.

    Parameters
    ----------
    folder : Path
        That `prepare` wrote.
    split : str
        ``train``, ``validation`` or ``test``.
    earliest : bool
        Keep of each object its earliest packet alone, as validation and test do.
    crop : int, optional
        Keep so many pixels around the centre: what does not fit in memory whole may fit so.

    Raises
    ------
    DatasetError
        If the folder holds no finished data, or no such split.
    """
    read_manifest(folder)
    if split not in manifest.SPLITS:
        raise DatasetError(f"the split should be one of {', '.join(manifest.SPLITS)}. Received: {split}")
    files = sorted((folder / split).glob("*.parquet"))
    plain = [pq.read_table(file, columns=list(_PLAIN)) for file in files]
    order = _order(pa.concat_tables(plain) if plain else schema(1, 1).empty_table(), earliest=earliest)
    return _gathered(files, plain, order, crop)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of prepared data.

    Raises
    ------
    DatasetError
        If there is none: the folder is another, or its preparation did not finish.
    """
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} should hold prepared data with a {MANIFEST}. Received: {error}") from error
    return content


def schema(side: int, features: int) -> pa.Schema:
    """Return the columns of a shard of stamps of `side` pixels with so many metadata."""
    tensors = {
        "stamps": pa.fixed_shape_tensor(pa.float32(), [side, side, 3]),
        "metadata": pa.fixed_shape_tensor(pa.float64(), [features]),
    }
    return pa.schema({**_PLAIN, **tensors})


def table(plain: Mapping[str, Sequence[Any]], raw: Raw) -> pa.Table:
    """Return rows of a shard: the plain columns as given, the tensors from `raw`."""
    form = schema(raw.stamps.shape[1], raw.metadata.shape[1])
    columns = {name: pa.array(values, form.field(name).type) for name, values in plain.items()}
    columns["stamps"] = _tensor(raw.stamps, form.field("stamps").type)
    columns["metadata"] = _tensor(raw.metadata, form.field("metadata").type)
    return pa.table(columns, schema=form)


def raw_of(rows: pa.Table) -> Raw:
    """Return the raw inputs of rows of a shard, exactly as they were written."""
    return Raw(_array(rows["stamps"]), _array(rows["metadata"]))


def checksums(rows: pa.Table) -> list[int]:
    """Return a CRC-32 of each row's tensors: equal rows on any machine have equal ones."""
    raw = raw_of(rows)
    return [zlib.crc32(row, zlib.crc32(image)) for image, row in zip(raw.stamps, raw.metadata, strict=True)]


def write(path: Path, rows: pa.Table) -> None:
    """Write rows as one Parquet file, whole or not at all."""
    part = path.with_suffix(".part")
    pq.write_table(rows, part, compression="zstd", compression_level=1, use_dictionary=["object_id", "label"])
    part.replace(path)


def _tensor(values: np.ndarray, form: pa.FixedShapeTensorType) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    size = int(np.prod(form.shape))
    return pa.ExtensionArray.from_storage(form, pa.FixedSizeListArray.from_arrays(flat, size))


def _array(column: pa.ChunkedArray) -> np.ndarray:
    shape = (-1, *column.type.shape)
    parts = [chunk.storage.flatten().to_numpy(zero_copy_only=False).reshape(shape) for chunk in column.chunks]
    return (
        np.concatenate(parts) if parts else np.empty((0, *column.type.shape), column.type.value_type.to_pandas_dtype())
    )


def _order(rows: pa.Table, *, earliest: bool) -> Int64[np.ndarray, " kept"]:
    objects = np.asarray(rows["object_id"].to_pylist(), dtype=np.str_)
    return _sorted(objects, rows["mjd"].to_numpy(), rows["alert_id"].to_numpy(), earliest=earliest)


def _sorted(
    object_ids: Shaped[np.ndarray, " alert"],
    mjd: Float64[np.ndarray, " alert"],
    alert_ids: Int64[np.ndarray, " alert"],
    *,
    earliest: bool,
) -> Int64[np.ndarray, " kept"]:
    """Return the alerts' numbers sorted by object, time and alert; of each object the first alone if `earliest`."""
    order = np.lexsort((alert_ids, mjd, object_ids))
    if earliest and len(order):
        first = np.ones(len(order), bool)
        first[1:] = object_ids[order][1:] != object_ids[order][:-1]
        order = order[first]
    return order.astype(np.int64)


def _gathered(files: list[Path], plain: list[pa.Table], order: np.ndarray, crop: int | None) -> LabelledRaw:
    """Read the tensors file by file into arrays of the final size, so that no more than one file is held twice."""
    if not files:
        raise DatasetError("a split should have at least one shard. Received: none")
    form = pq.read_schema(files[0])
    side, features = form.field("stamps").type.shape[0], form.field("metadata").type.shape[0]
    keep = stamps.central(side, crop or side)
    size = crop or side
    images = np.empty((len(order), size, size, 3), np.float32)
    numbers = np.empty((len(order), features), np.float64)
    start = 0
    for file, rows in zip(files, plain, strict=True):
        mine = np.flatnonzero((order >= start) & (order < start + len(rows)))
        if len(mine):
            raw = raw_of(pq.read_table(file, columns=["stamps", "metadata"]))
            images[mine] = raw.stamps[order[mine] - start][:, keep, keep]
            numbers[mine] = raw.metadata[order[mine] - start]
        start += len(rows)
    chosen = pa.concat_tables(plain).take(pa.array(order))
    return LabelledRaw(
        Raw(images, numbers),
        np.asarray(chosen["label"].to_pylist(), dtype=np.str_),
        np.asarray(chosen["object_id"].to_pylist(), dtype=np.str_),
        chosen["alert_id"].to_numpy(),
        chosen["mjd"].to_numpy(),
    )
