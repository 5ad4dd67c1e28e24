"""Alert files and labels -> a folder of training shards, streamed by Ray Data; larger than memory is fine.

    sources ─ read ─> pieces of labelled raw inputs ─ stage ─> DIR/.staging/*.parquet      one task a group of files
                 └──> rejections, tallies beside them
    which objects are there ── split_objects ──> DIR/{train,validation,test}/*.parquet     one task a shard

Two passes, because a label table may name a million objects of which a night has a hundred: a split is drawn over the
labelled objects that are there, and the archive, which may be 70 GB, is still read once. The shards and the hash do not
depend on the number of workers or the order in which they finish.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data

from skystamp import sources
from skystamp.cluster import session
from skystamp.cluster.data import collect, describe, shards
from skystamp.errors import DatasetError, UsageError
from skystamp.manifest import SPLITS, DatasetManifest, Labels, split_objects
from skystamp.sources import Found, Source

GROUP_BYTES = 1 << 26  # of alert files, for one task
SHARD_ROWS = 512  # 24 MB of stamps
_STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive sources for one task, and the number of the first."""

    start: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard to write: for each staged file, the rows of it that the shard takes, in order."""

    path: str
    rows: tuple[tuple[str, tuple[int, ...]], ...]


def prepare(
    found: Found,
    labels: Labels,
    recipe: DatasetManifest,
    out: Path,
    *,
    command: str = "",
    address: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """Write prepared data to the folder `out` and return its manifest.

    A packet that comes twice (one alert number) is kept once, the first; both are counted.

    Parameters
    ----------
    found : Found
        From `sources.find`.
    labels : Labels
        From `manifest.read_labels`.
    recipe : DatasetManifest
        Name, classes and split sizes.
    out : Path
        Absent, empty, or left by a preparation that did not finish; on a disk that all workers share.
    command : str
        What the user typed, for the manifest.
    address, workers
        Of the Ray cluster; by default the one that is connected, or a new one here with so many cores.

    Raises
    ------
    UsageError
        If `out` holds something else.
    DatasetError
        If no packet of a labelled object is found.
    """
    staging = _claim(out)
    with session.connected(address, cpus=workers):
        index = _stage(found, labels, recipe, staging)
        if not len(index):
            raise DatasetError("at least one packet should be of a labelled object. Received: none among the sources")
        index, duplicates = describe.first_of_each(index)
        objects = dict(zip(index["object_id"].to_pylist(), index["label"].to_pylist(), strict=True))
        splits = split_objects(objects, recipe.validation, recipe.test)
        _write_shards(index, splits, out)
    tallies = describe.join_rejections(staging, out, duplicates)
    content = describe.manifest(recipe, labels, found, index, splits, tallies, command)
    shutil.rmtree(staging)
    (out / shards.MANIFEST).write_text(json.dumps(content, indent=1))
    return content


def _claim(out: Path) -> Path:
    """Return the empty staging folder of an `out` that is empty but for what an unfinished preparation left."""
    own = {_STAGING, "rejections.parquet", "rejections.json", "train", "validation", "test"}
    found = {path.name for path in out.iterdir()} - {"packets"} if out.exists() else set()
    if found and (_STAGING not in found or found - own):
        raise UsageError(f"the output folder should be empty. Received: {out} with {', '.join(sorted(found)[:3])}")
    for name in found:
        path = out / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    staging = out / _STAGING
    staging.mkdir(parents=True)
    return staging


def grouped(found: Found, size: int = GROUP_BYTES) -> list[Group]:
    """Return the sources in groups of about `size` bytes, in order, so that a folder of small files is few tasks."""
    groups: list[Group] = []
    taken: list[Source] = []
    for i, source in enumerate(found.sources):
        taken.append(source)
        if sum(s.size for s in taken) >= size or i == len(found.sources) - 1:
            groups.append(Group(i + 1 - len(taken), tuple(taken)))
            taken = []
    return groups


# ------------------------------------------------------------------------------------------------------- first pass


def _stage(found: Found, labels: Labels, recipe: DatasetManifest, staging: Path) -> pa.Table:
    """Write all labelled raw inputs to staged files and return their index, in the order of the packets.

    Index: object_id, alert_id, mjd, label, source, row, file, place (row within the staged file), checksum.
    """
    groups = grouped(found)
    shared = ray.put((groups, dict(labels.classes)))
    read = partial(_read, shared=shared, survey=recipe.survey, staging=staging)
    with session.streaming():
        numbers = ray.data.from_items(list(range(len(groups))), override_num_blocks=len(groups))
        pieces = numbers.map_batches(read, batch_size=1)
        # A different share of a core keeps Ray from fusing the two stages: pieces then pass through the object store,
        # which bounds them, instead of being collected by one task.
        staged = pieces.map_batches(
            partial(_write_staged, staging=staging), batch_size=None, batch_format="pyarrow", num_cpus=0.5
        )
        parts = list(staged.iter_batches(batch_size=None, batch_format="pyarrow"))
    index = pa.concat_tables([part for part in parts if len(part)] or [describe.INDEX.empty_table()])
    return index.sort_by([("source", "ascending"), ("row", "ascending")])


def _read(batch: dict[str, Any], *, shared: Any, survey: str, staging: Path) -> Iterator[pa.Table]:
    groups, classes = ray.get(shared)
    group: Group = groups[batch["item"][0]]
    for number, source in enumerate(group.sources, group.start):
        tally = collect.Tally(source.url)
        for packets, rows in collect.rows(sources.records(source), classes, tally, survey=survey):
            yield rows.append_column("source", pa.array([number] * len(rows), pa.int32())).append_column(
                "row", pa.array(packets, pa.int64())
            )
        describe.save_tally(tally, staging, number)


def _write_staged(rows: pa.Table, *, staging: Path) -> pa.Table:
    """Write one block, named by its first packet: the same file again if the task is run again."""
    if not len(rows):
        return describe.INDEX.empty_table()
    file = staging / f"{rows['source'][0].as_py():08d}-{rows['row'][0].as_py():010d}.parquet"
    shards.write(file, rows)
    index = rows.drop_columns(["stamps", "metadata"])
    index = index.append_column("file", pa.array([file.name] * len(rows)))
    index = index.append_column("place", pa.array(range(len(rows)), pa.int32()))
    return index.append_column("checksum", pa.array(shards.checksums(rows), pa.int64())).cast(describe.INDEX)


# ------------------------------------------------------------------------------------------------------ second pass


def _write_shards(index: pa.Table, splits: dict[str, str], out: Path) -> None:
    plans = list(_plans(index, splits, out))
    write = partial(_write_shard, shared=ray.put(plans), staging=out / _STAGING)
    with session.streaming():
        numbers = ray.data.from_items(list(range(len(plans))), override_num_blocks=len(plans))
        numbers.map_batches(write, batch_size=1).materialize()


def _plans(index: pa.Table, splits: dict[str, str], out: Path) -> Iterator[ShardPlan]:
    places: dict[str, list[tuple[str, int]]] = {name: [] for name in SPLITS}
    columns = (index[name].to_pylist() for name in ("object_id", "file", "place"))
    for object_id, file, place in zip(*columns, strict=True):
        places[splits[object_id]].append((file, place))
    for name, taken in places.items():
        (out / name).mkdir(exist_ok=True)
        for start in range(0, len(taken), SHARD_ROWS):
            by_file: dict[str, list[int]] = {}
            for file, place in taken[start : start + SHARD_ROWS]:
                by_file.setdefault(file, []).append(place)
            path = out / name / f"{start // SHARD_ROWS:06d}.parquet"
            yield ShardPlan(str(path), tuple((file, tuple(rows)) for file, rows in by_file.items()))


def _write_shard(batch: dict[str, Any], *, shared: Any, staging: Path) -> dict[str, list[int]]:
    plan: ShardPlan = ray.get(shared)[batch["item"][0]]
    parts = [pq.read_table(staging / file).take(pa.array(rows)) for file, rows in plan.rows]
    whole = pa.concat_tables(parts).drop_columns(["source", "row"]).combine_chunks()
    shards.write(Path(plan.path), whole)
    return {"rows": [len(whole)]}
