"""The index of all accepted packets -> which rows stand together in which shard: the group-by, as a plan.

    index ── unique ──> each alert number once
          ── plan ──> split, object, time; place in the object's sequence; cut into shards between objects

All of it is a function of the packets alone: not of their order, of the files they lie in, or of who read them. The
index takes some five hundred bytes a packet, the packets fifty thousand; only the index is held in memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from skystamp import sequences
from skystamp.manifest import SPLITS

SHARD_ROWS = 512  # 24 MB of stamps

INDEX = pa.schema(
    {
        "object_id": pa.string(),
        "alert_id": pa.int64(),
        "mjd": pa.float64(),
        "label": pa.string(),
        "ra": pa.float64(),  # deg
        "dec": pa.float64(),
        "file": pa.string(),  # staged
        "offset": pa.int64(),  # of the row in that file
        "checksum": pa.int64(),  # of the tensors' bytes
    }
)


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """All rows in the order in which they are written, and where each shard begins.

    Attributes
    ----------
    rows : Table
        Of the index's columns and `split`, `place`, `left_out`; the alerts of one object in time order (mjd, then
        alert number), one after the other.
    objects : int64 (row,)
        The number of each row's object, from 0, in the order of the rows.
    firsts : int64 (object,)
        The row of each object's first accepted detection.
    shards : tuple of Shard
        In the order of the rows.
    """

    rows: pa.Table
    objects: Int64[np.ndarray, " row"]
    firsts: Int64[np.ndarray, " object"]
    shards: tuple["Shard", ...]

    def positions(self) -> Float64[np.ndarray, "object axis"]:
        """Return ra and dec (deg) of each object's first accepted detection."""
        return np.stack([self.rows[name].to_numpy()[self.firsts] for name in ("ra", "dec")], axis=1)


@dataclass(frozen=True, slots=True)
class Shard:
    """One file to write: its path in the output folder, and the rows that it takes."""

    path: str
    start: int
    end: int


def unique(index: pa.Table) -> tuple[pa.Table, int]:
    """Return the index with one row for each alert number, and how many rows that left out.

    Of rows that differ, which can not come from one survey's packets, the one that sorts first is kept.
    """
    ordered = index.sort_by([(name, "ascending") for name in ("alert_id", "object_id", "mjd", "checksum")])
    alerts = ordered["alert_id"].to_numpy()
    first = np.ones(len(alerts), bool)
    first[1:] = alerts[1:] != alerts[:-1]
    return ordered.filter(pa.array(first)), int(len(first) - first.sum())


def plan(index: pa.Table, splits: Mapping[str, str], *, shard_rows: int = SHARD_ROWS) -> Plan:
    """Return the plan of an index without duplicates.

    Parameters
    ----------
    splits : mapping of str to str
        Object -> split.
    shard_rows : int
        Of a shard at most, unless one object alone has more: its alerts are never parted.
    """
    named = index.append_column("split", pa.array([splits[o] for o in index["object_id"].to_pylist()], pa.string()))
    rows = named.sort_by([(name, "ascending") for name in ("split", "object_id", "mjd", "alert_id")])
    names = rows["object_id"].to_pylist()
    place, left_out = sequences.places(names, rows["mjd"].to_numpy(), rows["alert_id"].to_numpy())
    rows = rows.append_column("place", pa.array(place, pa.int32()))
    rows = rows.append_column("left_out", pa.array(left_out, pa.string()))
    starts = np.array([i for i, name in enumerate(names) if i == 0 or name != names[i - 1]], np.int64)
    objects = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(names)]))
    shards = tuple(_shards(rows["split"].to_pylist(), starts, shard_rows))
    return Plan(rows, objects, np.flatnonzero(place == 1).astype(np.int64), shards)


def _shards(split_of: list[str], starts: Int64[np.ndarray, " object"], shard_rows: int) -> Iterator[Shard]:
    """Yield the shards of each split: as many whole objects as fit, and at least one."""
    number, begin, ends = 0, 0, [*starts.tolist()[1:], len(split_of)]
    for start, end in zip(starts.tolist(), ends, strict=True):
        other = split_of[start] != split_of[begin]
        if start > begin and (other or end - begin > shard_rows):
            yield Shard(f"{split_of[begin]}/{number:06d}.parquet", begin, start)
            number, begin = 0 if other else number + 1, start
    if split_of:
        yield Shard(f"{split_of[begin]}/{number:06d}.parquet", begin, len(split_of))


def lengths(planned: Plan) -> dict[str, Any]:
    """Return split -> class -> number of objects by accepted detections (``"more"`` beyond the longest sequence)."""
    length = np.zeros(len(planned.firsts), np.int64)
    np.maximum.at(length, planned.objects, planned.rows["place"].to_numpy())
    first = planned.rows.take(pa.array(planned.firsts))
    names = [*(str(n) for n in range(1, sequences.LONGEST + 1)), "more"]
    classes = sorted(set(first["label"].to_pylist()))
    found: dict[str, Any] = {s: {c: dict.fromkeys(names, 0) for c in classes} for s in SPLITS}
    for split, label, n in zip(first["split"].to_pylist(), first["label"].to_pylist(), length.tolist(), strict=True):
        found[split][label][str(n) if n <= sequences.LONGEST else "more"] += 1
    return found
