"""One alert file -> its packets, and their records, in order.

A file or archive member is one packet by ZTF's habit, or a container of many; `avro.read` makes one outcome of each
record either way. Damage of a gzip file costs one `Reject` and what would have followed it in that file.
"""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from skystamp import avro
from skystamp.avro import Decoded, Stream
from skystamp.errors import Reason, Reject
from skystamp.sources import tar
from skystamp.sources.places import Source, kind_of
from skystamp.sources.unpacking import DamagedStreamError, Unpacked

_AVRO = b"Obj\x01"
_NAMED = 5  # of the members passed over, so many are named

log = logging.getLogger(__name__)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Packet:
    """One Avro container (of one alert or many) as a stream, under its file's or member's name."""

    name: str
    stream: Stream


def packets(source: Source) -> Iterator[Packet | Reject]:
    """Yield each Avro container of a source, in order, or the `Reject` of what stands in its place.

    Each should be read before the next is asked for. A member of an archive is an alert file if its name ends in .avro
    or .avro.gz, or if it begins as Avro does; how many others were passed over is logged when the archive ends.

    Raises
    ------
    OSError
        If the source can not be opened or its disk or network fails: a fault of ours, not of an alert.
    """
    with source.open() as packed:
        stream = Unpacked(packed) if source.kind.endswith(".gz") else packed
        if source.kind.startswith("avro"):
            yield Packet(source.name, stream)
        else:
            yield from _guarded(_members(stream, source.name), source.name)


def records(source: Source, *, history: bool = False) -> Iterator[Decoded | Reject]:
    """Yield one `Decoded` or one `Reject` for each packet of a source, in order.

    Parameters
    ----------
    source : Source
        From `find`.
    history : bool
        Whether records keep their history; see `avro.read`.

    Raises
    ------
    OSError
        As `packets`.
    """
    for packet in packets(source):
        if isinstance(packet, Reject):
            yield packet
        else:
            yield from _guarded(avro.read(packet.stream, history=history), packet.name)


def _members(stream: Stream, archive: str) -> Iterator[Packet | Reject]:
    passed = 0
    named: list[str] = []
    for member in tar.members(stream):
        if isinstance(member, Reject):
            yield member
        elif kind_of(member.name) == "avro.gz":
            yield Packet(member.name, Unpacked(io.BytesIO(member.data)))
        elif kind_of(member.name) == "avro" or member.data.startswith(_AVRO):
            yield Packet(member.name, io.BytesIO(member.data))
        else:
            passed += 1
            named = [*named, member.name][:_NAMED]
    if passed:
        log.warning("%s: %d members are no alert files and were passed over: %s", archive, passed, ", ".join(named))


def _guarded(items: Iterator[Item], name: str) -> Iterator[Item | Reject]:
    try:
        yield from items
    except DamagedStreamError as error:
        yield Reject(Reason.DAMAGED_ARCHIVE, f"{name[:200]} does not unpack: {error}")
