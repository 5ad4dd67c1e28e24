"""The frame of an Avro object container: its header and its blocks, read from a stream without trusting a number in it.

A block that can not be read is still a block: it carries the `Reject` that all its records get. How many those are is
what the block declares, unless its size makes that absurd; then it counts as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from skystamp.avro import codecs
from skystamp.errors import Reason, Reject

_MAGIC = b"Obj\x01"
_SMALLEST_ALERT = 100  # bytes, unpacked
_BEST_PACKING = 50  # no alert, with its noisy images, packs better than this
_MOST_PAIRS = 100  # entries of a header; it needs two
_FEW = 1000  # so many records of any size are believed, of at least a byte each


@runtime_checkable
class Stream(Protocol):
    """Whatever bytes can be read from, in order: a file, a socket, a member of an archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes beyond which data are rejected as too large."""

    header: int = 1 << 20  # bytes
    block: int = 1 << 26  # bytes, packed and unpacked alike


@dataclass(frozen=True, slots=True)
class Header:
    """What a container says of itself: the writer's schema (JSON), the codec's name, the marker between blocks."""

    schema: bytes
    codec: str
    sync: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """`count` records in `data` (unpacked), or `count` records lost to `damage`."""

    count: int
    data: bytes = b""
    damage: Reject | None = None


def read_header(stream: Stream, limits: Limits) -> Header:
    """Return the header that begins the stream.

    Raises
    ------
    Reject
        NOT_AVRO, TRUNCATED_AVRO or TOO_LARGE.
    """
    magic = stream.read(4)
    if magic != _MAGIC:
        raise Reject(Reason.NOT_AVRO, f"the first bytes should be {_MAGIC!r}. Received: {magic!r}")
    try:
        meta = dict(_pairs(stream, limits.header))
        sync = _exactly(stream, 16)
    except EOFError as error:
        raise Reject(Reason.TRUNCATED_AVRO, "the container ends in its header") from error
    codec = meta.get("avro.codec", b"null").decode("ascii", "replace")
    if codec not in codecs.NAMES:
        raise Reject(Reason.NOT_AVRO, f"the codec should be one of {codecs.NAMES}. Received: {codec[:40]!r}")
    return Header(meta.get("avro.schema", b""), codec, sync)


def blocks(stream: Stream, header: Header, limits: Limits) -> Iterator[Block]:
    """Yield the blocks that follow the header; a damaged frame yields its damage and ends the stream."""
    while first := stream.read(1):
        try:
            count, size = _varint(stream, first), _varint(stream)
        except (EOFError, Reject):
            yield Block(1, damage=Reject(Reason.TRUNCATED_AVRO, "the container ends in the head of a block"))
            return
        if count < 0 or size < 0:
            yield Block(1, damage=Reject(Reason.TRUNCATED_AVRO, f"a block has {count} records in {size} bytes"))
            return
        if size > limits.block:
            detail = f"a block should have at most {limits.block} bytes. Received: {size}"
            yield Block(1, damage=Reject(Reason.TOO_LARGE, detail))
            return
        packed, sync = stream.read(size), stream.read(16)
        if len(packed) < size or sync != header.sync:
            detail = "the container ends inside a block" if len(sync) < 16 else "the marker after a block is damaged"
            yield Block(_lost(count, packed, header.codec), damage=Reject(Reason.TRUNCATED_AVRO, detail))
            return
        block = _unpacked(count, packed, header.codec, limits)
        if block.count:
            yield block


def pack(out: Any, plain: Stream, codec: str) -> None:
    """Write `plain`, a container whose blocks are not packed, to a binary file with blocks packed by `codec`."""
    header = read_header(plain, Limits())
    meta = {b"avro.codec": codec.encode(), b"avro.schema": header.schema}
    pairs = b"".join(_long(len(part)) + part for pair in meta.items() for part in pair)
    out.write(_MAGIC + _long(len(meta)) + pairs + _long(0) + header.sync)
    for block in blocks(plain, header, Limits()):
        data = codecs.pack(codec, block.data)
        out.write(_long(block.count) + _long(len(data)) + data + header.sync)


def _long(value: int) -> bytes:
    """Return a whole number of at least 0 as Avro writes it."""
    rest, out = value << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes((*out, rest))


def _unpacked(count: int, packed: bytes, codec: str, limits: Limits) -> Block:
    try:
        data = codecs.unpack(codec, packed, limits.block)
    except Reject as reject:
        return Block(_lost(count, packed, codec), damage=reject)
    if not _plausible(count, len(data), "null") or (data and not count):
        detail = f"a block of {len(data)} bytes declares {count} records"
        return Block(1, damage=Reject(Reason.TRUNCATED_AVRO, detail))
    return Block(count, data)


def _lost(count: int, packed: bytes, codec: str) -> int:
    """Return how many records a damaged block stands for: as many as it declares, if it may, and at least one."""
    return max(1, count) if _plausible(count, len(packed), codec) else 1


def _plausible(count: int, size: int, codec: str) -> bool:
    """Return whether so many bytes, packed with this codec, may hold so many records."""
    unpacked = size if codec == "null" else size * _BEST_PACKING
    return count <= max(1, unpacked // _SMALLEST_ALERT, min(unpacked, _FEW))


def _pairs(stream: Stream, budget: int) -> Iterator[tuple[str, bytes]]:
    pairs = 0
    while count := _varint(stream):
        if count < 0:
            _varint(stream)  # an optional size in bytes of this part of the map
        pairs += abs(count)
        if pairs > _MOST_PAIRS:
            raise Reject(Reason.TOO_LARGE, f"the header should have at most {_MOST_PAIRS} entries. Received: {pairs}")
        for _ in range(abs(count)):
            key, value = _short(stream, budget), _short(stream, budget)
            budget -= len(key) + len(value) + 2
            yield key.decode("utf-8", "replace"), value


def _short(stream: Stream, budget: int) -> bytes:
    size = _varint(stream)
    if not 0 <= size <= budget:
        raise Reject(Reason.TOO_LARGE, f"the header should have at most 1 MiB. Received: a value of {size} bytes")
    return _exactly(stream, size)


def _varint(stream: Stream, first: bytes = b"") -> int:
    value = shift = 0
    while shift < 70:
        byte = first or _exactly(stream, 1)
        first = b""
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        shift += 7
    raise Reject(Reason.TRUNCATED_AVRO, "a number in the container is longer than 64 bits")


def _exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
