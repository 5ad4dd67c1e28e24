"""The form of prepared data on disk, and what is read of it.

    DIR/manifest.json                    what the data are: name, hash, classes, counts, split rule, sources, versions
    DIR/{train,validation,test}/*.parquet
        object_id string, alert_id int64, mjd float64 (days, UTC), label string, band string (g, r, i; an evaluation
        slices by it; data that were prepared without it have none),
        stamps    fixed-shape tensor (63, 63, 3) float32, NaN kept, in the survey's unit
        metadata  fixed-shape tensor (26,) float64, in the order of `metadata.FEATURES`, NaN = missing
        place     int32, of the detection in its object's sequence from 1; 0 if it is left out
        left_out  string, why; empty if it is not
        wise      fixed-shape tensor (5,) float64, in the order of `crossmatch.COLUMNS`: the catalogue's match of the
                  object's first accepted detection; NaN where there is none, or no catalogue was given
    DIR/rejections.parquet, rejections.json

All alerts of an object stand in one shard, one after the other, in time order. Tensors are Arrow's own extension type,
so any reader of Parquet reads them. Values are raw: crop, clips and scaling are the model's (`inputs`).
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64, Shaped

from skystamp import crossmatch, manifest
from skystamp.cluster.data import tensors
from skystamp.errors import DatasetError, UsageError
from skystamp.inputs import Raw, RawSequences

FORMAT = 2  # 1 had no sequences
MANIFEST = "manifest.json"
_PLAIN = {"object_id": pa.string(), "alert_id": pa.int64(), "mjd": pa.float64(), "label": pa.string()}
BAND = "band"
_WISE = pa.fixed_shape_tensor(pa.float64(), [len(crossmatch.COLUMNS)])


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


@dataclass(frozen=True, eq=False, slots=True)
class LabelledSequences:
    """One split's sequences of n detections in memory, sorted by object: raw inputs, labels, objects, detections."""

    raw: RawSequences
    labels: Shaped[np.ndarray, " sequence"]
    object_ids: Shaped[np.ndarray, " sequence"]
    alert_ids: Int64[np.ndarray, "sequence detection"]
    mjd: Float64[np.ndarray, "sequence detection"]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Any) -> "LabelledSequences":
        """Return the sequences at these indices."""
        return LabelledSequences(
            self.raw.take(indices),
            self.labels[indices],
            self.object_ids[indices],
            self.alert_ids[indices],
            self.mjd[indices],
        )


def load_split(folder: Path, split: str, *, earliest: bool = False, crop: int | None = None) -> LabelledRaw:
    """Return one split of prepared data, detection by detection.

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
    files = split_files(folder, split)
    plain = _read(files, list(_PLAIN))
    order = _sorted(_strings(plain["object_id"]), plain["mjd"].to_numpy(), plain["alert_id"].to_numpy(), earliest)
    chosen = plain.take(pa.array(order))
    return LabelledRaw(
        Raw(*tensors.read(files, order, crop)),
        _strings(chosen["label"]),
        _strings(chosen["object_id"]),
        chosen["alert_id"].to_numpy(),
        chosen["mjd"].to_numpy(),
    )


def load_sequences(folder: Path, split: str, detections: int, *, crop: int | None = None) -> LabelledSequences:
    """Return of each object with so many accepted detections the first so many, as one sequence.

    Parameters
    ----------
    folder, split, crop
        As of `load_split`; only the chosen detections' cropped stamps are ever held.
    detections : int
        Of each sequence, n.

    Raises
    ------
    DatasetError
        If the folder holds no finished data, no such split, or data that were prepared before there were sequences.
    UsageError
        If `detections` is less than 1.
    """
    if detections < 1:
        raise UsageError(f"detections should be at least 1. Received: {detections}")
    if read_manifest(folder).get("format") != FORMAT:
        raise DatasetError(f"{folder} should hold prepared data of format {FORMAT}, with sequences: prepare them again")
    files = split_files(folder, split)
    plain = _read(files, [*_PLAIN, "place", "wise"])
    rows = _long_enough(_strings(plain["object_id"]), plain["place"].to_numpy(), detections)
    chosen = plain.take(pa.array(rows.reshape(-1)))
    first = chosen.take(pa.array(np.arange(len(rows)) * detections))
    mjd = chosen["mjd"].to_numpy().reshape(rows.shape)
    images, numbers = (a.reshape(*rows.shape, *a.shape[1:]) for a in tensors.read(files, rows.reshape(-1), crop))
    return LabelledSequences(
        RawSequences(images, numbers, mjd, tensors.array(first["wise"])),
        _strings(first["label"]),
        _strings(first["object_id"]),
        chosen["alert_id"].to_numpy().reshape(rows.shape),
        mjd,
    )


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


# ---------------------------------------------------------------------------------------------------------- writing


def schema(side: int, features: int) -> pa.Schema:
    """Return the columns of labelled alerts, with stamps of `side` pixels, so many metadata, and no places yet."""
    values = {
        "stamps": pa.fixed_shape_tensor(pa.float32(), [side, side, 3]),
        "metadata": pa.fixed_shape_tensor(pa.float64(), [features]),
    }
    return pa.schema({**_PLAIN, BAND: pa.string(), **values})


def table(plain: Mapping[str, Sequence[Any]], raw: Raw) -> pa.Table:
    """Return labelled alerts as rows: the plain columns as given, the tensors from `raw`."""
    form = schema(raw.stamps.shape[1], raw.metadata.shape[1])
    known = {BAND: [None] * len(raw), **plain}
    columns = {name: pa.array(values, form.field(name).type) for name, values in known.items()}
    columns["stamps"] = tensors.column(raw.stamps, form.field("stamps").type)
    columns["metadata"] = tensors.column(raw.metadata, form.field("metadata").type)
    return pa.table(columns, schema=form)


def placed(
    rows: pa.Table, place: Sequence[int] | np.ndarray, left_out: Sequence[str], wise: Float64[np.ndarray, "row 5"]
) -> pa.Table:
    """Return rows of a shard: labelled alerts with their places in sequences and their objects' catalogue matches."""
    rows = rows.append_column("place", pa.array(place, pa.int32()))
    rows = rows.append_column("left_out", pa.array(left_out, pa.string()))
    return rows.append_column("wise", tensors.column(wise, _WISE))


def raw_of(rows: pa.Table) -> Raw:
    """Return the raw inputs of rows of a shard, exactly as they were written."""
    return Raw(tensors.array(rows["stamps"]), tensors.array(rows["metadata"]))


def checksums(rows: pa.Table) -> list[int]:
    """Return a CRC-32 of each row's tensors: equal rows on any machine have equal ones."""
    raw = raw_of(rows)
    return [zlib.crc32(row, zlib.crc32(image)) for image, row in zip(raw.stamps, raw.metadata, strict=True)]


def write(path: Path, rows: pa.Table) -> None:
    """Write rows as one Parquet file, whole or not at all."""
    write_parts(path, [rows])


def write_parts(path: Path, parts: Iterable[pa.Table]) -> int:
    """Write one Parquet file of parts as they come, each a row group, so that one at a time is in memory.

    Returns how many rows they have.
    """
    unfinished = path.with_suffix(".part")
    rows, writer = 0, None
    for part in parts:
        if writer is None:
            writer = pq.ParquetWriter(
                unfinished, part.schema, compression="zstd", compression_level=1, use_dictionary=["object_id", "label"]
            )
        writer.write_table(part)
        rows += len(part)
    if writer is None:
        raise DatasetError(f"a shard should have at least one row. Received: none for {path}")
    writer.close()
    unfinished.replace(path)
    return rows


# ---------------------------------------------------------------------------------------------------------- reading


def split_files(folder: Path, split: str) -> list[Path]:
    """Return the shards of a split; DatasetError if there is none."""
    if split not in manifest.SPLITS:
        raise DatasetError(f"the split should be one of {', '.join(manifest.SPLITS)}. Received: {split}")
    files = sorted((folder / split).glob("*.parquet"))
    if not files:
        raise DatasetError("a split should have at least one shard. Received: none")
    return files


def _read(files: Sequence[Path], columns: list[str]) -> pa.Table:
    return pa.concat_tables([pq.read_table(file, columns=columns) for file in files])


def _strings(column: pa.ChunkedArray) -> Shaped[np.ndarray, " row"]:
    return np.asarray(column.to_pylist(), dtype=np.str_)


def _long_enough(
    object_ids: Shaped[np.ndarray, " row"], place: Shaped[np.ndarray, " row"], detections: int
) -> Int64[np.ndarray, "sequence detection"]:
    """Return the rows of each object's first so many accepted detections, of those objects that have them."""
    rows = np.flatnonzero((place >= 1) & (place <= detections))
    rows = rows[np.lexsort((place[rows], object_ids[rows]))]
    last = np.flatnonzero(place[rows] == detections)
    return rows[last[:, None] + np.arange(1 - detections, 1)].astype(np.int64)


def _sorted(
    object_ids: Shaped[np.ndarray, " alert"],
    mjd: Float64[np.ndarray, " alert"],
    alert_ids: Int64[np.ndarray, " alert"],
    earliest: bool,
) -> Int64[np.ndarray, " kept"]:
    """Return the alerts' numbers sorted by object, time and alert; of each object the first alone if `earliest`."""
    order = np.lexsort((alert_ids, mjd, object_ids))
    if earliest and len(order):
        first = np.ones(len(order), bool)
        first[1:] = object_ids[order][1:] != object_ids[order][:-1]
        order = order[first]
    return order.astype(np.int64)
