"""Folders and archives as a feed: the same messages in the same order each time, so that a position is a number.

A file or archive member of at most 1 MiB is one message, damaged or not: the service says what is wrong with it. A
larger container comes in parts of its blocks, so that none is held in memory whole. What damage to an archive costs
is a message that tells it.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from skystamp import sources
from skystamp.avro import Stream
from skystamp.errors import Reason, Reject
from skystamp.frames import Framed
from skystamp.sources import Found, Packet, Source
from skystamp.sources.feeds import Message, Partition, Progress, Settle
from skystamp.sources.unpacking import DamagedStreamError
from skystamp.stream.journal import FINISHED, Journal, Key

_WHOLE = 1 << 20  # bytes of a container that travels as it is
_PACKETS, _BYTES = 64, 4 << 20  # of a part of a larger one, about
_READ = 16 << 20  # bytes that one read gives, about


@dataclass(slots=True)
class _File:
    """A file whose messages are not all answered for yet."""

    key: Key
    progress: Progress = field(default_factory=Progress)
    length: int | None = None  # in messages; None until its end was read

    @property
    def place(self) -> int | None:
        """Where to begin next time; None if that did not change."""
        if self.length is not None and (self.progress.last is None or self.progress.safe == self.length):
            return FINISHED
        return self.progress.safe


class FileFeed:
    """The messages of alert files, each file a partition; see `skystamp.sources.feeds.Feed`.

    Parameters
    ----------
    found : Found
        From `skystamp.sources.find`.
    journal : Journal, optional
        Where the files were left, and where that is kept. Without it everything is read.
    """

    def __init__(self, found: Found, journal: Journal | None = None) -> None:
        self._journal = journal
        self._files: dict[Partition, _File] = {}
        self._messages = self._all({source.url: source for source in found.sources}.values())
        self._held = self._ended = False

    def read(self, most: int, timeout_s: float, settle: Settle) -> list[Message]:  # noqa: ARG002  files wait for nobody
        """Return the next messages, of about `most` packets."""
        messages: list[Message] = []
        packets = size = 0
        while not (self._held or self._ended) and packets < most and size < _READ:
            message = next(self._messages, None)
            if message is None:
                self._ended = True
                break
            self._files[message.partition].progress.read(message.position)
            messages.append(message)
            packets, size = packets + message.packets, size + message.size
        return messages

    def hold(self, held: bool) -> None:
        """Give no messages until told otherwise."""
        self._held = held

    def holds(self, message: Message) -> bool:  # noqa: ARG002  nobody takes files away
        """Return True."""
        return True

    def answered(self, messages: Sequence[Message]) -> None:
        """Note that the outcomes of these messages are stored."""
        for message in messages:
            self._files[message.partition].progress.answered(message.position)

    def save(self) -> None:
        """Note in the journal how far each file is answered for."""
        places = {file.key: file.place for file in self._files.values()}
        self._files = {name: file for name, file in self._files.items() if places[file.key] != FINISHED}
        if self._journal is not None:
            self._journal.save({key: place for key, place in places.items() if place is not None})

    def ended(self) -> bool:
        """Whether all files were read."""
        return self._ended

    def lag(self) -> Mapping[str, int]:
        """Nothing: how many packets are in an archive nobody knows before its end."""
        return {}

    def close(self) -> None:
        """Save what is answered."""
        self.save()
        if self._journal is not None:
            self._journal.close()

    def _all(self, files: Iterable[Source]) -> Iterator[Message]:
        for source in files:
            file, partition = _File((source.url, source.size)), Partition(source.url)
            start = 0 if self._journal is None else self._journal.position(*file.key)
            if start == FINISHED:
                continue
            self._files[partition] = file
            length = 0
            for position, (data, packets) in enumerate(_parts(source)):
                length = position + 1
                if position >= start:
                    yield Message(data, partition, position, packets)
            file.length = length


def _parts(source: Source) -> Iterator[tuple[Framed, int]]:
    """Yield what a file's packets travel in, and how many of them each is thought to hold."""
    for item in sources.packets(source):
        if isinstance(item, Reject):
            yield item, 1
            continue
        try:
            yield from _parts_of(item)
        except DamagedStreamError as error:
            yield Reject(Reason.DAMAGED_ARCHIVE, f"{item.name[:200]} does not unpack: {error}"), 1


def _parts_of(packet: Packet) -> Iterator[tuple[Framed, int]]:
    head, is_all = _head(packet.stream)
    if is_all:
        yield head, 1
        return
    from skystamp import client  # which brings the whole of classify, 2 s that a Kafka stream does without

    whole = Packet(packet.name, _Again(head, packet.stream))
    for part in client.bodies([whole], packets=_PACKETS, size=_BYTES):
        yield (part, 1) if isinstance(part, Reject) else (part.data, part.packets)


def _head(stream: Stream) -> tuple[bytes, bool]:
    """Return what comes first, and whether that is all there is; of a damaged file, all that came before the damage."""
    try:
        head = stream.read(_WHOLE + 1)
    except DamagedStreamError as error:
        return error.before, False
    return head, len(head) <= _WHOLE


class _Again:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: Stream) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        data = self._head.read(size)
        return data if 0 <= size == len(data) else data + self._rest.read(size - len(data) if size >= 0 else -1)
