"""Locks by name: who holds some of the same names waits, nobody else does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Hashable
from contextlib import AsyncExitStack, asynccontextmanager


class Locks:
    """Makes the writers of one object go one after the other; a class because it holds the locks of one event loop."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._users: Counter[Hashable] = Counter()

    @asynccontextmanager
    async def held(self, names: Collection[Hashable]) -> AsyncIterator[None]:
        """Hold the locks of all these names; taken in one order everywhere, so that nobody waits in a circle."""
        ordered = sorted(set(names), key=repr)
        self._users.update(ordered)
        try:
            async with AsyncExitStack() as stack:
                for name in ordered:
                    await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
                yield
        finally:
            for name in ordered:
                self._users[name] -= 1
                if not self._users[name]:
                    del self._users[name], self._locks[name]

    def __len__(self) -> int:
        return len(self._users)
