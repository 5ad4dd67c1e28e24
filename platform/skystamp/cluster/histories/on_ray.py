"""An archive of any size by Ray Data: alerts by object and outcomes by packet, each written once and taken by number.

    sources ─ stage ─> alerts-*, index ── batches ──> one task each: take, classify.histories, outcomes-*
    outcomes-* ── take, in the order of the packets ──> tables

Memory is bounded by a batch, the largest object, and the driver's index of some hundred bytes a packet.
"""

import pickle
import tempfile
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from skystamp.classify import Models
from skystamp.cluster import score
from skystamp.cluster.data import staging
from skystamp.cluster.groups import Group, grouped
from skystamp.cluster.histories.answering import ROWS, Tally, batches, object_of, outcomes, read, tallied
from skystamp.sources import Found

CHUNK = 1 << 15  # outcomes put in order by one task
_INDEX = pa.schema({"packet": pa.int64(), "object": pa.string(), "file": pa.string(), "offset": pa.int64()})
_SOURCE_BITS = 40  # of a packet's number: above them its source, below them its row


def on_ray(
    found: Found,
    load: Callable[[], Models],
    out: Path,
    workers: int,
    address: str | None,
    told: Callable[[Tally, int], None],
) -> Generator[pa.Table, None, None]:
    """Yield the outcomes of all packets, in order; `told` gets the counts of each batch and its packets."""
    from skystamp.cluster import session

    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder,
        session.connected(address, cpus=max(workers, 1)),
        session.streaming(ordered=True),
    ):
        index = _staged(grouped(found), Path(folder))
        members = list(batches(index["object"].to_pylist()))
        if members:  # an archive may be empty
            _answered(index, members, load, Path(folder), workers, told)
            yield from _ordered(members, Path(folder))


def _staged(groups: list[Group], folder: Path) -> pa.Table:
    """Write all alerts and rejections to staged files and return their index, in the order of the packets."""
    import ray
    import ray.data

    numbers = ray.data.from_items(list(range(len(groups))), override_num_blocks=len(groups))
    items = numbers.map_batches(partial(_read_group, shared=ray.put(groups)), batch_size=1)
    # Another share of a core, so that the stages are not fused: what is between them is in the object store, bounded.
    staged = items.map_batches(
        partial(_write_staged, folder=folder), batch_size=None, batch_format="pyarrow", num_cpus=0.5
    )
    parts = [part.cast(_INDEX) for part in staged.iter_batches(batch_size=None, batch_format="pyarrow") if len(part)]
    return pa.concat_tables(parts or [_INDEX.empty_table()]).sort_by("packet")


def _read_group(batch: dict[str, Any], *, shared: Any) -> Iterator[pa.Table]:
    import ray

    group: Group = ray.get(shared)[batch["item"][0]]
    for number, source in enumerate(group.sources, group.start):
        numbered = enumerate(read(source), number << _SOURCE_BITS)
        while part := list(islice(numbered, ROWS)):
            columns = {
                "packet": pa.array([packet for packet, _ in part], pa.int64()),
                "object": pa.array([object_of(item) for _, item in part], pa.string()),
                "item": pa.array([pickle.dumps(item) for _, item in part], pa.large_binary()),
            }
            yield pa.table(columns)


def _write_staged(rows: pa.Table, *, folder: Path) -> pa.Table:
    if not len(rows):
        return _INDEX.empty_table()
    name = f"alerts-{rows['packet'][0].as_py():016x}"
    staging.write(folder / name, rows.select(["item"]))
    columns = {"file": pa.array([name] * len(rows)), "offset": pa.array(range(len(rows)), pa.int64())}
    return pa.table({name: rows[name] for name in ("packet", "object")} | columns, schema=_INDEX)


def _answered(
    index: pa.Table,
    members: list[Int64[np.ndarray, " _member"]],
    load: Callable[[], Models],
    folder: Path,
    workers: int,
    told: Callable[[Tally, int], None],
) -> None:
    """Write the outcomes of each batch to a staged file of its own."""
    import ray
    import ray.data

    shared = ray.put((index.select(["file", "offset"]), members))
    numbers = ray.data.from_items(list(range(len(members))), override_num_blocks=len(members))
    done = numbers.map_batches(
        _Answerer,
        fn_constructor_args=(load, shared, folder),
        batch_size=1,
        num_cpus=0.5,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    for part in done.iter_rows():
        told(pickle.loads(part["tally"]), part["packets"])  # noqa: S301  our own bytes, of the stage before


class _Answerer:
    """One worker's models; a class because it holds them."""

    def __init__(self, load: Callable[[], Models], shared: Any, folder: Path) -> None:
        import ray

        self._models, self._folder = load(), folder
        self._index, self._members = ray.get(shared)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        number = int(batch["item"][0])
        rows = self._index.take(pa.array(self._members[number]))
        names = np.asarray(rows["file"].to_pylist(), dtype=np.str_)
        items = staging.take(self._folder, names, rows["offset"].to_numpy())["item"].to_pylist()
        answered = outcomes([pickle.loads(item) for item in items], self._models)  # noqa: S301  our own bytes
        staging.write(self._folder / _answers(number), score.table(answered))
        return {"packets": [len(answered)], "tally": [pickle.dumps(tallied(answered))]}


def _ordered(members: list[Int64[np.ndarray, " _member"]], folder: Path) -> Iterator[pa.Table]:
    """Yield all outcomes in the order of the packets."""
    import ray
    import ray.data

    packets = np.concatenate(members)
    batch = np.repeat(np.arange(len(members)), [len(each) for each in members])
    offset = np.concatenate([np.arange(len(each)) for each in members])
    back = np.argsort(packets)
    shared = ray.put((batch[back], offset[back]))
    chunks = -(-len(packets) // CHUNK)
    numbers = ray.data.from_items(list(range(chunks)), override_num_blocks=chunks)
    ordered = numbers.map_batches(partial(_chunk, shared=shared, size=CHUNK, folder=folder), batch_size=1)
    for rows in ordered.iter_batches(batch_size=None, batch_format="pyarrow"):
        if len(rows):
            yield rows.cast(score.SCHEMA)


def _chunk(batch: dict[str, Any], *, shared: Any, size: int, folder: Path) -> pa.Table:
    import ray

    part = slice(batch["item"][0] * size, (batch["item"][0] + 1) * size)
    batches, offsets = (values[part] for values in ray.get(shared))
    return staging.take(folder, np.array([_answers(number) for number in batches.tolist()]), offsets)


def _answers(batch: int) -> str:
    return f"outcomes-{batch:08d}"
