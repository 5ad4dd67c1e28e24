"""Archives in, one Parquet table of outcomes out: one row a packet, in the order of the sources (`skystamp classify`).

    sources ─ read ─> parts of 256 records ─ score ─> 256 outcomes ─ in order ─> OUT.parquet
              one task a group of files      an actor a worker, the model loaded once

A small input is scored in this process, a large one by Ray. Both make the same parts, so both write the same bytes.
Memory is bounded by parts in flight and one row group.
"""

import os
import pickle
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skystamp import classify, sources, taxonomy
from skystamp.classify import Model
from skystamp.cluster.groups import grouped
from skystamp.sources import Found, Source

PART = 256  # records through the model at once
ROW_GROUP = 8192  # rows of the table
SMALL = 200_000_000  # bytes of input that are not worth a cluster's start

SCHEMA = pa.schema(
    [
        ("survey", pa.string()),
        ("object_id", pa.string()),
        ("alert_id", pa.int64()),
        ("mjd", pa.float64()),
        ("n_detections", pa.int64()),
        ("outcome", pa.string()),
        ("class", pa.string()),
        *((f"p_{name}", pa.float32()) for name in taxonomy.CLASSES),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("spread", pa.float32()),
    ]
)
"""Columns of the table of outcomes; null where a value has no meaning."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run did: packets by class and rejections by reason, and the seconds it took from the first record on."""

    packets: int
    classes: dict[str, int]
    reasons: dict[str, int]
    seconds: float
    workers: int

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Count:
    """Outcomes as they pass."""

    classes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table) -> pa.Table:
        """Count rows and return them."""
        self.classes.update(name for name in rows["class"].to_pylist() if name)
        self.reasons.update(reason for reason in rows["reason"].to_pylist() if reason)
        return rows


def score(
    found: Found,
    load: Callable[[], Model],
    out: Path,
    *,
    workers: int | None = None,
    address: str | None = None,
    on_rows: Callable[[int], object] = lambda _: None,
) -> Scored:
    """Write the outcome of every packet to the Parquet file `out` and return what was done.

    Parameters
    ----------
    found : Found
        From `sources.find`.
    load : callable
        Gives the model; called once here, or once in each worker.
    out : Path
        Replaced when all is done, and not before.
    workers : int, optional
        Ray actors; 0 scores in this process, which is the default for less than `SMALL` bytes.
    address : str, optional
        Of a running Ray cluster.
    on_rows : callable
        Told how many rows were added, for a progress bar.
    """
    workers = default_workers(found) if workers is None else workers
    count = Count()
    tables = _here(found, load()) if workers == 0 else _on_ray(found, load, workers, address)
    started = time.perf_counter()
    with closing(tables):
        packets = write(out, (count.add(rows) for rows in tables), on_rows)
    seconds = time.perf_counter() - started
    return Scored(packets, dict(count.classes), dict(count.reasons), seconds, workers)


def default_workers(found: Found) -> int:
    """Return how many Ray actors are worth their start for so many bytes: none for a small input, else all cores."""
    return 0 if 0 < found.size < SMALL else os.cpu_count() or 1


def table(outcomes: list[classify.Outcome]) -> pa.Table:
    """Return outcomes as rows of the table."""
    columns = classify.columns(outcomes)
    return pa.table([pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names], schema=SCHEMA)


def _here(found: Found, model: Model) -> Generator[pa.Table, None, None]:
    for source in found.sources:
        for part in _parts(source):
            yield table(classify.records(part, model))


def _parts(source: Source) -> Iterator[list[Any]]:
    """Yield a source's records, `PART` at a time: never of two sources together, so that parts are always the same."""
    records = sources.records(source)
    while part := list(islice(records, PART)):
        yield part


def write(out: Path, tables: Iterable[pa.Table], on_rows: Callable[[int], object] = lambda _: None) -> int:
    """Write rows in groups of `ROW_GROUP`, however they come, and return their number."""
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    waiting, total = SCHEMA.empty_table(), 0
    with pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer:
        for rows in tables:
            waiting, total = pa.concat_tables([waiting, rows]), total + len(rows)
            on_rows(len(rows))
            while len(waiting) >= ROW_GROUP:
                writer.write_table(waiting.slice(0, ROW_GROUP).combine_chunks())
                waiting = waiting.slice(ROW_GROUP).combine_chunks()
        writer.write_table(waiting.combine_chunks())
    part.replace(out)
    return total


# ----------------------------------------------------------------------------------------------------------- on Ray


def _on_ray(
    found: Found, load: Callable[[], Model], workers: int, address: str | None
) -> Generator[pa.Table, None, None]:
    import ray
    import ray.data

    from skystamp.cluster import session

    groups = grouped(found)
    with session.connected(address, cpus=max(workers, 1)), session.streaming(ordered=True):
        numbers = ray.data.from_items(list(range(len(groups))), override_num_blocks=len(groups))
        parts = numbers.map_batches(partial(_read, shared=ray.put(groups)), batch_size=1, num_cpus=0.25)
        scored = parts.map_batches(
            _Scorer,
            fn_constructor_args=(load,),
            batch_size=1,
            num_cpus=0.5,
            compute=ray.data.ActorPoolStrategy(size=workers),
        )
        for rows in scored.iter_batches(batch_size=None, batch_format="pyarrow"):
            if len(rows):
                yield rows.cast(SCHEMA)


def _read(batch: dict[str, Any], *, shared: Any) -> Iterator[dict[str, list[bytes]]]:
    import ray

    for source in ray.get(shared)[batch["item"][0]].sources:
        for part in _parts(source):
            yield {"records": [pickle.dumps(part)]}


class _Scorer:
    """One worker's model; a class because it holds one."""

    def __init__(self, load: Callable[[], Model]) -> None:
        self._records = partial(classify.records, model=load())

    def __call__(self, batch: dict[str, Any]) -> pa.Table:
        return table(self._records(pickle.loads(batch["records"][0])))  # noqa: S301  our own bytes, of the stage before
