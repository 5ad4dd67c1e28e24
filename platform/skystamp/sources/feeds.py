"""What a stream reads from: messages in partitions, each answered for at its position, each position saved after.

    feed ── read ──> Message, Message, ...      (partition, position) of each
    feed <── answered ── the same, in any order
    feed ── save                                up to the first message of a partition that is not answered yet

`Progress` keeps that last promise for one partition.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from skystamp.frames import Framed


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A sequence of messages in order: a topic and its partition's number, or a file."""

    name: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.name}[{self.number}]"


@dataclass(frozen=True, slots=True)
class Message:
    """An Avro container as a source gave it, of one packet or many, or the fault of what stands in its place."""

    data: Framed
    partition: Partition
    position: int
    packets: int = 1  # that it is thought to hold
    term: int = 0  # of our holding the partition; one that was taken away and given back has another

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data) if isinstance(self.data, bytes) else 0


Settle = Callable[[Collection[Partition]], None]
"""Waits a while for messages of some partitions that are on their way, and answers for them."""


@runtime_checkable
class Feed(Protocol):
    """A source of messages. Belongs to one thread."""

    def read(self, most: int, timeout_s: float, settle: Settle) -> list[Message]:
        """Return the next messages, at most `most`; none if none came in time or the feed is held.

        Partitions may be taken away meanwhile: `settle` is called with them first.
        """
        ...

    def hold(self, held: bool) -> None:
        """Give no messages until told otherwise; `read` must still be called."""
        ...

    def holds(self, message: Message) -> bool:
        """Return whether the message's partition is ours still."""
        ...

    def answered(self, messages: Sequence[Message]) -> None:
        """Note that the outcomes of these messages are stored."""
        ...

    def save(self) -> None:
        """Save the positions up to which everything is answered."""
        ...

    def ended(self) -> bool:
        """Whether no more messages will come."""
        ...

    def lag(self) -> Mapping[str, int]:
        """How many messages of each partition are not answered yet, as far as is known."""
        ...

    def close(self) -> None:
        """Save what is answered and leave."""
        ...


class Progress:
    """Which messages of one partition were read, in order, and up to where all of them are answered."""

    def __init__(self) -> None:
        self.safe: int | None = None  # the first position that is not answered; None before there is one
        self.last: int | None = None  # the newest position that was read
        self._open: deque[int] = deque()
        self._answered: set[int] = set()

    def read(self, position: int) -> None:
        """Note that a message was read; positions rise but need not be neighbours."""
        self._open.append(position)
        self.last = position

    def answered(self, position: int) -> None:
        """Note that the outcomes of a message that was read are stored."""
        self._answered.add(position)
        while self._open and self._open[0] in self._answered:
            done = self._open.popleft()
            self._answered.remove(done)
            self.safe = done + 1
