"""cluster.batching: lists for a busy handler, one at a time for an idle one, and nobody left hanging."""

import asyncio

import pytest

from skystamp.cluster.batching import Batcher


class Recorder:
    """A handler that doubles numbers, and remembers the lists it got; it waits for `open` before it answers."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.open.wait()
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_waits_while_the_handler_works_goes_together() -> None:
    async def story() -> tuple[list[list[int]], list[int]]:
        handler = Recorder()
        batcher = Batcher(handler, size=3)
        first = batcher.submit(1)
        await _settle()
        rest = [batcher.submit(item) for item in (2, 3, 4, 5)]
        handler.open.set()
        return handler.batches, list(await asyncio.gather(first, *rest))

    batches, results = asyncio.run(story())

    assert batches == [[1], [2, 3, 4], [5]]
    assert results == [2, 4, 6, 8, 10]


def test_a_caller_that_went_away_disturbs_nobody() -> None:
    async def story() -> tuple[list[list[int]], int]:
        handler = Recorder()
        batcher = Batcher(handler, size=8)
        first = batcher.submit(1)
        await _settle()
        gone, stays = batcher.submit(2), batcher.submit(3)
        gone.cancel()
        first.cancel()
        handler.open.set()
        return handler.batches, await stays

    batches, result = asyncio.run(story())

    assert batches == [[1], [3]]
    assert result == 6


def test_an_exception_of_the_handler_reaches_each_of_its_batch_and_no_other() -> None:
    async def story() -> list[object]:
        handler = Recorder()
        handler.open.set()
        batcher = Batcher(handler, size=2)
        futures = [batcher.submit(item) for item in (13, 1, 2)]
        return list(await asyncio.gather(*futures, return_exceptions=True))

    results = asyncio.run(story())

    assert [type(result) for result in results] == [ValueError, ValueError, int]


def test_a_batch_is_bounded_by_weight_but_one_item_always_fits() -> None:
    async def story() -> list[list[int]]:
        handler = Recorder()
        batcher = Batcher(handler, size=10, weight=lambda item: item)
        first = batcher.submit(1)
        await _settle()
        rest = [batcher.submit(item) for item in (4, 5, 99, 2)]
        handler.open.set()
        await asyncio.gather(first, *rest)
        return handler.batches

    assert asyncio.run(story()) == [[1], [4, 5], [99], [2]]


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Batcher(Recorder, size=0)  # type: ignore[arg-type]
