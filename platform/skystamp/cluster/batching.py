"""Single items in, lists through a handler, single results out: what waits while the handler works goes together.

    item ─┐                       ┌─ result
    item ─┼─ waiting ─ a batch ─ handler ─┼─ result
    item ─┘  (while busy)                 └─ result

An idle handler gets an item at once, alone; a busy one gets all that came meanwhile. Nobody waits for a batch to fill,
and a batch is made when the handler is free to take it, not before.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Calls `handler` with lists of items of at most `size` together, `at_once` lists at a time, in order of arrival.

    A caller that is cancelled gives up its place and disturbs nobody; an exception of the handler is raised for each
    item of its batch. Belongs to one event loop.

    Parameters
    ----------
    handler : async callable
        Gives one result for each item, in order.
    size : int
        Of the largest batch; one item alone may be larger.
    at_once : int
        How many batches may be on their way.
    weight : callable
        Size of an item; by default each counts as 1.
    """

    def __init__(
        self,
        handler: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        size: int,
        at_once: int = 1,
        weight: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        if size < 1 or at_once < 1:
            raise ValueError(f"size and at_once should be at least 1. Received: {size}, {at_once}")
        self._handler, self._size, self._weight, self._free = handler, size, weight, at_once
        self._tasks: set[asyncio.Task[Sequence[Result]]] = set()  # or the loop may lose them
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()

    async def __call__(self, item: Item) -> Result:
        """Return the result of one item."""
        return await self.submit(item)

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """Return the future result of one item, which keeps its place from now on."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free and len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._start)  # after the items that come in the same breath
        return future

    def _start(self) -> None:
        while self._free and (batch := self._next()):
            self._free -= 1
            self._tasks.add(task := asyncio.create_task(self._handle([item for item, _ in batch])))
            task.add_done_callback(partial(self._finish, [future for _, future in batch]))

    def _next(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        total = 0
        while self._waiting:
            item, future = self._waiting[0]
            weight = 0 if future.done() else self._weight(item)  # its caller went away
            if batch and total + weight > self._size:
                break
            self._waiting.popleft()
            total += weight
            if not future.done():
                batch.append((item, future))
        return batch

    async def _handle(self, items: list[Item]) -> Sequence[Result]:
        results = await self._handler(items)
        if len(results) != len(items):
            raise RuntimeError(f"a handler should give {len(items)} results. Received: {len(results)}")
        return results

    def _finish(self, futures: list["asyncio.Future[Result]"], task: "asyncio.Task[Sequence[Result]]") -> None:
        self._tasks.discard(task)
        self._free += 1
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        for i, future in enumerate(futures):
            if future.done():
                continue  # its caller went away
            if error is None:
                future.set_result(task.result()[i])
            elif isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
        self._start()
