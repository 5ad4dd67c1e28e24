"""Alert files and labels -> a folder of training shards, by Ray Data; larger than memory is fine.

    sources ─ read ─> pieces of labelled raw inputs ─ stage ─> DIR/.staging/*.arrow        one task a group of files
                 └──> rejections, tallies beside them     └──> index: a row a packet, without its arrays
    index ── unique, split_objects, grouping.plan ──> which rows make which shard, grouped by object
    plan ── gather ──> DIR/{train,validation,test}/*.parquet                               one task a shard

Two passes: the split is drawn over the labelled objects that are there, and an object's alerts lie scattered over many
nights, so what belongs together is known when all is read. The archive, which may be 70 GB, is read once; its rows are
written once to be taken by number, which groups them without any process holding more than a piece
(docs/decisions/0013). Shards and hash are a function of the packets, labels and split sizes: not of the number of
workers, the order in which they finish, or how the packets are shared out among files.
"""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray
import ray.data

from skystamp import metadata, sources
from skystamp.cluster import session
from skystamp.cluster.data import collect, describe, grouping, matching, shards, staging
from skystamp.cluster.data.grouping import INDEX, Plan
from skystamp.cluster.groups import Group, grouped
from skystamp.errors import DatasetError, UsageError
from skystamp.manifest import SPLITS, DatasetManifest, Labels, split_objects
from skystamp.sources import Found

_STAGING = ".staging"


def prepare(
    found: Found,
    labels: Labels,
    recipe: DatasetManifest,
    out: Path,
    *,
    catalogue: str | None = None,
    command: str = "",
    address: str | None = None,
    workers: int | None = None,
) -> dict[str, Any]:
    """Write prepared data to the folder `out` and return its manifest.

    A packet that comes twice (one alert number) is kept once, and counted.

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
    catalogue : str, optional
        Folder or URL for `crossmatch.open_catalogue`, in which each object's first accepted detection is looked up.
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
    folder = _claim(out)
    with session.connected(address, cpus=workers):
        index = _stage(found, labels, recipe, folder)
        if not len(index):
            raise DatasetError("at least one packet should be of a labelled object. Received: none among the sources")
        index, duplicates = grouping.unique(index)
        objects = dict(zip(index["object_id"].to_pylist(), index["label"].to_pylist(), strict=True))
        plan = grouping.plan(index, split_objects(objects, recipe.validation, recipe.test))
        matched = matching.match(plan.positions(), catalogue)
        _write_shards(plan, matched.wise, out)
    tallies = describe.join_rejections(folder, out, duplicates)
    content = describe.manifest(recipe, labels, found, plan, matched, tallies, command)
    shutil.rmtree(folder)
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
    folder = out / _STAGING
    folder.mkdir(parents=True)
    return folder


# ------------------------------------------------------------------------------------------------------- first pass


def _stage(found: Found, labels: Labels, recipe: DatasetManifest, folder: Path) -> pa.Table:
    """Write all labelled raw inputs to staged files and return their index, in no order."""
    groups = grouped(found)
    shared = ray.put((groups, dict(labels.classes)))
    read = partial(_read, shared=shared, survey=recipe.survey, folder=folder)
    with session.streaming():
        numbers = ray.data.from_items(list(range(len(groups))), override_num_blocks=len(groups))
        pieces = numbers.map_batches(read, batch_size=1)
        # A different share of a core keeps Ray from fusing the two stages: pieces then pass through the object store,
        # which bounds them, instead of being collected by one task.
        staged = pieces.map_batches(
            partial(_write_staged, folder=folder), batch_size=None, batch_format="pyarrow", num_cpus=0.5
        )
        parts = list(staged.iter_batches(batch_size=None, batch_format="pyarrow"))
    return pa.concat_tables([part for part in parts if len(part)] or [INDEX.empty_table()])


def _read(batch: dict[str, Any], *, shared: Any, survey: str, folder: Path) -> Iterator[pa.Table]:
    groups, classes = ray.get(shared)
    group: Group = groups[batch["item"][0]]
    for number, source in enumerate(group.sources, group.start):
        tally = collect.Tally(source.url)
        for packets, rows in collect.rows(sources.records(source), classes, tally, survey=survey):
            names = pa.array([f"{number:08d}-{packet:010d}.arrow" for packet in packets])
            yield rows.append_column("file", names)
        describe.save_tally(tally, folder, number)


def _write_staged(rows: pa.Table, *, folder: Path) -> pa.Table:
    """Write one block, named by its first packet: the same file again if the task is run again."""
    if not len(rows):
        return INDEX.empty_table()
    name = rows["file"][0].as_py()
    rows = rows.drop_columns(["file"])
    staging.write(folder / name, rows)
    numbers = shards.raw_of(rows).metadata
    added = {
        **{axis: numbers[:, metadata.FEATURES.index(axis)] for axis in ("ra", "dec")},
        "file": [name] * len(rows),
        "offset": range(len(rows)),
        "checksum": shards.checksums(rows),
    }
    for column, values in added.items():
        rows = rows.append_column(column, pa.array(values, INDEX.field(column).type))
    return rows.select(INDEX.names)


# ------------------------------------------------------------------------------------------------------ second pass


def _write_shards(plan: Plan, wise: np.ndarray, out: Path) -> None:
    for name in SPLITS:
        (out / name).mkdir(exist_ok=True)
    columns = plan.rows.select(["file", "offset", "place", "left_out"])
    write = partial(_write_shard, shared=ray.put((columns, plan.objects, wise, plan.shards)), out=out)
    with session.streaming():
        numbers = ray.data.from_items(list(range(len(plan.shards))), override_num_blocks=len(plan.shards))
        numbers.map_batches(write, batch_size=1).materialize()


def _write_shard(batch: dict[str, Any], *, shared: Any, out: Path) -> dict[str, list[int]]:
    """Gather one shard's rows from the staged files, and write it a row group at a time."""
    columns, objects, wise, planned = ray.get(shared)
    shard: grouping.Shard = planned[batch["item"][0]]
    starts = range(shard.start, shard.end, grouping.SHARD_ROWS)
    groups = (slice(start, min(start + grouping.SHARD_ROWS, shard.end)) for start in starts)
    parts = (_gathered(columns.slice(g.start, g.stop - g.start), wise[objects[g]], out / _STAGING) for g in groups)
    return {"rows": [shards.write_parts(out / shard.path, parts)]}


def _gathered(planned: pa.Table, wise: np.ndarray, folder: Path) -> pa.Table:
    names = np.asarray(planned["file"].to_pylist(), dtype=np.str_)
    rows = staging.take(folder, names, planned["offset"].to_numpy())
    return shards.placed(rows, planned["place"].to_numpy(), planned["left_out"].to_pylist(), wise)
