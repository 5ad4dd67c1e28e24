"""Many packets in one request: each a frame, so that one that is no Avro at all costs the others nothing.

    kind, 1 byte │ length, 4 bytes, big-endian │ data │ the next frame ...

Kind ``P`` is a packet's own bytes, whatever they are. Kind ``R`` stands where the sender knows of a packet that it can
not read, as a tar archive that ends early: JSON with the reason and what was found, for the rejection in its place.
"""

import json
import struct
from collections.abc import Iterable, Iterator

from skystamp.errors import Reason, Reject, SkystampError

CONTENT_TYPE = "application/x-skystamp-packets"

_HEAD = struct.Struct(">cI")
_PACKET, _REJECT = b"P", b"R"
_LONGEST_DETAIL = 1000  # letters

Framed = bytes | Reject


class FrameError(SkystampError):
    """A body does not consist of whole frames."""


def pack(items: Iterable[Framed]) -> bytes:
    """Return the body that holds these packets, or the faults in their places, in order."""
    return b"".join(part for item in items for part in _frame(item))


def unpack(body: bytes) -> Iterator[Framed]:
    """Yield the packets of a body, or the faults in their places, in order.

    Raises
    ------
    FrameError
        If a frame is of another kind, ends early, or tells no reason that there is.
    """
    at = 0
    while at < len(body):
        if len(body) - at < _HEAD.size:
            raise FrameError(f"a frame should begin with {_HEAD.size} bytes. Received: {len(body) - at} at byte {at}")
        kind, size = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if size > len(body) - at:
            raise FrameError(f"the frame at byte {at} should have {size} bytes. Received: {len(body) - at}")
        yield _item(kind, body[at : at + size])
        at += size


def weight(items: Iterable[Framed]) -> int:
    """Return how many bytes of memory packets take, about."""
    return sum(len(item) if isinstance(item, bytes) else _LONGEST_DETAIL for item in items)


def _frame(item: Framed) -> tuple[bytes, bytes]:
    if isinstance(item, bytes):
        return _HEAD.pack(_PACKET, len(item)), item
    told = json.dumps({"reason": item.reason.value, "detail": item.detail[:_LONGEST_DETAIL]}).encode()
    return _HEAD.pack(_REJECT, len(told)), told


def _item(kind: bytes, data: bytes) -> Framed:
    if kind == _PACKET:
        return data
    if kind != _REJECT:
        raise FrameError(f"a frame should be of kind P or R. Received: {kind!r}")
    try:
        told = json.loads(data)
        return Reject(Reason(told["reason"]), str(told["detail"])[:_LONGEST_DETAIL])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError(f"a frame of kind R should tell a reason and a detail. Received: {data[:80]!r}") from error
