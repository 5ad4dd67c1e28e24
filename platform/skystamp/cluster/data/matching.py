"""The catalogue's match of each object, by workers: positions in pieces of one part of the sky, a catalogue a worker.

    positions ── sorted along the sky ──> pieces ── match ──> distance, magnitudes

Objects are named by date, not by place, so neighbours in a shard lie all over the sky; a piece of neighbours on the sky
asks a catalogue for few of its pixels, and each of those about once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import ray
import ray.data
from jaxtyping import Bool, Float64, Int64

from skystamp import crossmatch
from skystamp.cluster import session

PIECE = 4096  # positions a task
_BAND = 5.0  # deg of declination


@dataclass(frozen=True, eq=False, slots=True)
class Matched:
    """What a catalogue says of each object: float64 (object, column) in the order of `crossmatch.COLUMNS`, NaN none."""

    wise: Float64[np.ndarray, "object column"]
    url: str | None = None
    name: str | None = None

    @property
    def hits(self) -> Bool[np.ndarray, " object"]:
        """Whether each object has a match."""
        return ~np.isnan(self.wise[:, crossmatch.COLUMNS.index("distance")])


def match(positions: Float64[np.ndarray, "object axis"], url: str | None) -> Matched:
    """Return the matches of positions (ra and dec, deg) in the catalogue at `url`, or none without a catalogue."""
    wise = np.full((len(positions), len(crossmatch.COLUMNS)), np.nan)
    if url is None:
        return Matched(wise)
    name = crossmatch.open_catalogue(url).name  # a wrong address is told here, before any task starts
    pieces = list(_pieces(positions))
    shared = ray.put((positions, pieces))
    with session.streaming():
        numbers = ray.data.from_items(list(range(len(pieces))), override_num_blocks=len(pieces))
        found = numbers.map_batches(partial(_match, shared=shared, url=url), batch_size=1)
        for batch in found.iter_batches(batch_size=None, batch_format="numpy"):
            wise[batch["object"]] = np.stack([batch[column] for column in crossmatch.COLUMNS], axis=1)
    return Matched(wise, url, name)


def _pieces(positions: Float64[np.ndarray, "object axis"]) -> Iterator[Int64[np.ndarray, " member"]]:
    order = np.lexsort((positions[:, 0], np.floor(positions[:, 1] / _BAND)))
    yield from (order[start : start + PIECE] for start in range(0, len(order), PIECE))


def _match(batch: dict[str, Any], *, shared: Any, url: str) -> dict[str, np.ndarray]:
    positions, pieces = ray.get(shared)
    piece = pieces[batch["item"][0]]
    found = _opened(url).match(positions[piece, 0], positions[piece, 1])
    return {"object": piece, **{column: found[:, i] for i, column in enumerate(crossmatch.COLUMNS)}}


@cache
def _opened(url: str) -> crossmatch.Catalogue:
    """Return this worker's catalogue, which keeps the pixels that it has read."""
    return crossmatch.open_catalogue(url)
