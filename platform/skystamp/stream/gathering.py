"""Messages -> batches that leave when they are full or when their first message is old enough."""

from collections import deque
from collections.abc import Iterable

from skystamp.sources.feeds import Message

Batch = list[Message]


class Gathering:
    """Batches of at most `packets` packets and `size` bytes, one message alone excepted, none older than `max_wait_s`.

    Times are seconds of one clock that never goes back.
    """

    def __init__(self, packets: int, size: int, max_wait_s: float) -> None:
        self._most_packets, self._most_bytes, self._max_wait_s = packets, size, max_wait_s
        self._full: deque[Batch] = deque()
        self._open: Batch = []
        self._packets = self._bytes = 0
        self._since = 0.0

    def add(self, messages: Iterable[Message], now: float) -> None:
        """Add messages that were read at `now`."""
        for message in messages:
            packets, size = self._packets + message.packets, self._bytes + message.size
            if self._open and (packets > self._most_packets or size > self._most_bytes):
                self._close()
            if not self._open:
                self._since = now
            self._open.append(message)
            self._packets += message.packets
            self._bytes += message.size
            if self._packets >= self._most_packets or self._bytes >= self._most_bytes:
                self._close()

    def take(self, now: float, *, all_of_it: bool = False) -> Batch | None:
        """Return the oldest batch that is to leave at `now`, or, with `all_of_it`, the oldest there is."""
        if not self._full and self._open and (all_of_it or now >= self._since + self._max_wait_s):
            self._close()
        return self._full.popleft() if self._full else None

    def due_s(self, now: float) -> float | None:
        """Return in how many seconds a batch is to leave; None if nothing waits."""
        if self._full:
            return 0.0
        return max(0.0, self._since + self._max_wait_s - now) if self._open else None

    @property
    def room(self) -> int:
        """How many packets the open batch takes still; 0 if a full one waits."""
        return 0 if self._full else self._most_packets - self._packets

    def __bool__(self) -> bool:
        return bool(self._full or self._open)

    def _close(self) -> None:
        self._full.append(self._open)
        self._open, self._packets, self._bytes = [], 0, 0
