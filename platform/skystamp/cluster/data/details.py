"""What an evaluation asks of prepared data beyond a model's inputs: bands of detections, and whole stamps of a few."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Int64, Shaped

from skystamp.cluster.data import tensors
from skystamp.cluster.data.shards import BAND, split_files


def bands(folder: Path, split: str, alert_ids: Int64[np.ndarray, " alert"]) -> Shaped[np.ndarray, " alert"] | None:
    """Return the band of each alert, empty where it is not known; None of data that were prepared without bands.

    Raises
    ------
    DatasetError
        If the folder holds no such split.
    """
    files = split_files(folder, split)
    if any(BAND not in pq.read_schema(file).names for file in files):
        return None
    rows = pa.concat_tables([pq.read_table(file, columns=["alert_id", BAND]) for file in files])
    known = dict(zip(rows["alert_id"].to_pylist(), rows[BAND].to_pylist(), strict=True))
    return np.array([known.get(alert) or "" for alert in alert_ids.tolist()], dtype=np.str_)


def stamps_of(
    folder: Path, split: str, alert_ids: Sequence[int]
) -> dict[int, Float32[np.ndarray, "height width band"]]:
    """Return the whole stamps of alerts, of those that the split has.

    Raises
    ------
    DatasetError
        If the folder holds no such split.
    """
    files = split_files(folder, split)
    numbers = np.concatenate([pq.read_table(file, columns=["alert_id"])["alert_id"].to_numpy() for file in files])
    rows = np.flatnonzero(np.isin(numbers, np.array(list(alert_ids), np.int64)))
    images, _ = tensors.read(files, rows.astype(np.int64), None)
    return dict(zip(numbers[rows].tolist(), images, strict=True))
