"""Sources -> the table of outcomes: in this process for a small input, by Ray for a large one, with the same bytes."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from skystamp.classify import Models, Outcome
from skystamp.cluster import score
from skystamp.cluster.histories.answering import Tally, batches, object_of, outcomes, read, tallied
from skystamp.cluster.histories.on_ray import on_ray
from skystamp.cluster.score import Scored
from skystamp.sources import Found


def score_histories(
    found: Found,
    load: Callable[[], Models],
    out: Path,
    *,
    workers: int | None = None,
    address: str | None = None,
    on_rows: Callable[[int], object] = lambda _: None,
) -> tuple[Scored, Tally]:
    """Write the outcome of every packet, as of that packet, to the Parquet file `out`; return what was done.

    Parameters
    ----------
    found, out, workers, address
        As of `score.score`; the folder of `out` should be on a disk that all workers share, with room for the packets.
    load : callable
        Gives the models; called once here, or once in each worker.
    on_rows : callable
        Told how many packets were answered, for a progress bar.
    """
    workers = score.default_workers(found) if workers is None else workers
    count, tally = score.Count(), Tally()

    def told(done: Tally, packets: int) -> None:
        tally.join(done)
        on_rows(packets)

    tables = _here(found, load(), told) if workers == 0 else on_ray(found, load, out, workers, address, told)
    started = time.perf_counter()
    with closing(tables):
        packets = score.write(out, (count.add(rows) for rows in tables))
    seconds = time.perf_counter() - started
    return Scored(packets, dict(count.classes), dict(count.reasons), seconds, workers), tally


def _here(found: Found, models: Models, told: Callable[[Tally, int], None]) -> Generator[pa.Table, None, None]:
    items = [item for source in found.sources for item in read(source)]
    answered: dict[int, Outcome] = {}
    for members in batches([object_of(item) for item in items]):
        batch = outcomes([items[i] for i in members], models)
        answered.update(zip(members.tolist(), batch, strict=True))
        told(tallied(batch), len(batch))
    for start in range(0, len(items), score.ROW_GROUP):
        yield score.table([answered[i] for i in range(start, min(start + score.ROW_GROUP, len(items)))])
