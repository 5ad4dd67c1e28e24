"""A packet -> arrivals: the alert or the rejection of each record, with the bytes that it came in."""

from collections.abc import Sequence
from dataclasses import dataclass

from skystamp import avro, classify
from skystamp.alert import Alert
from skystamp.avro import Content, Decoded, Limits
from skystamp.classify import Rejection


@dataclass(frozen=True, slots=True)
class Arrival:
    """An alert, or why there is none, and where it stood.

    `packet` is the container, whose bytes are kept if this ends as a rejection; `position` that of the record in it;
    `content` the record's bytes without its cutouts, which are kept beside an alert.
    """

    item: Alert | Rejection
    packet: bytes = b""
    position: int = 0
    content: Content | None = None


def arrivals(packet: bytes, *, limits: Limits | None = None) -> list[Arrival]:
    """Return the arrivals of a container, in order."""
    items = list(avro.read(packet, limits=limits, contents=True))
    found: Sequence[Alert | Rejection] = classify.alerts(items)
    return [
        Arrival(read, packet, position, item.content if isinstance(item, Decoded) else None)
        for position, (read, item) in enumerate(zip(found, items, strict=True))
    ]
