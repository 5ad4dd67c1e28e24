"""A request's headers and bytes -> its Avro containers in memory, never larger than the limits say.

    content type ── content encoding ── chunks, counted ── gunzip, bounded ── header of the container, or frames
       415              415              413, 503           400, 413           400

A body is one container, or many in `frames`. What is wrong with one packet inside a container, or with one frame's
container, is no concern of this module: it becomes that packet's rejection.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from skystamp import frames
from skystamp.api import refusals
from skystamp.api.refusals import Refusal
from skystamp.avro import Limits
from skystamp.avro.container import read_header
from skystamp.errors import Reject
from skystamp.frames import Framed, FrameError

CONTENT_TYPES = ("application/avro", "application/octet-stream", frames.CONTENT_TYPE)
ENCODINGS = ("", "identity", "gzip")


@dataclass(frozen=True, slots=True)
class Bodies:
    """The limits on a body, and what turns one that keeps them into containers."""

    sent: int = 64 << 20  # bytes, as they travel
    unpacked: int = 128 << 20  # bytes, after gzip
    frames: int = 10_000  # containers in one body

    def check_headers(self, content_type: str, encoding: str, length: str) -> None:
        """Refuse a body by its headers (``Content-Type``, ``Content-Encoding``, ``Content-Length``; "" if absent).

        Raises
        ------
        Refusal
            415 for a type or an encoding that is not ours, 413 for a length over the limit.
        """
        kind = _kind(content_type)
        if kind not in CONTENT_TYPES:
            hint = " (gzip is said by 'Content-Encoding: gzip')" if "gzip" in kind else ""
            raise Refusal(
                415,
                "unsupported_media_type",
                f"The content type should be {' or '.join(CONTENT_TYPES)}{hint}. Received: {kind[:80]!r}",
            )
        if encoding.strip().lower() not in ENCODINGS:
            sentence = f"The content encoding should be gzip or none. Received: {encoding[:80]!r}"
            raise Refusal(415, "unsupported_encoding", sentence)
        if length.isascii() and length.isdigit():
            self.check_size(int(length))

    def check_size(self, size: int) -> None:
        """Refuse (413) a body of so many bytes, or of so many up to now."""
        if size > self.sent:
            raise refusals.too_large("A body", self.sent)

    def containers(self, body: bytes, encoding: str, content_type: str = CONTENT_TYPES[0]) -> list[Framed]:
        """Return the containers of a body, or the faults that its sender tells in their places, in order.

        Raises
        ------
        Refusal
            400 if it is empty, damaged gzip, no Avro container or no frames; 413 if it unpacks to more than the
            limits.
        """
        data = self._gunzip(body) if encoding.strip().lower() == "gzip" else body
        if not data:
            raise Refusal(
                400, "empty_body", "The body should be an Avro packet or a container of packets. It is empty."
            )
        return self._framed(data) if _kind(content_type) == frames.CONTENT_TYPE else [_container(data)]

    def _framed(self, data: bytes) -> list[Framed]:
        try:
            found = list(islice(frames.unpack(data), self.frames + 1))
        except FrameError as error:
            raise Refusal(400, "bad_frames", f"The body should consist of frames: {_ascii(str(error))}.") from error
        if len(found) > self.frames:
            raise refusals.too_many(self.frames)
        return found

    def _gunzip(self, body: bytes) -> bytes:
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(body)).read(self.unpacked + 1)
        except EOFError as error:
            raise Refusal(400, "truncated_gzip", "The body's gzip data end early.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise Refusal(400, "corrupt_gzip", f"The body's gzip data are damaged: {error}.") from error
        if len(data) > self.unpacked:
            raise refusals.too_large("An unpacked body", self.unpacked)
        return data


class Room:
    """Room for bodies: what is taken is bounded, in bytes and in requests, and who finds none is told to come back.

    Belongs to one thread.
    """

    def __init__(self, size: int, requests: int = 256) -> None:
        self.free = size
        self.free_requests = requests
        self._requests = requests

    @property
    def held(self) -> int:
        """How many requests have a share."""
        return self._requests - self.free_requests

    @contextmanager
    def share(self) -> "Iterator[Share]":
        """Hold what one request takes, until it ends, however it ends.

        Raises
        ------
        Refusal
            503, with Retry-After, if so many are held already.
        """
        if not self.free_requests:
            raise refusals.busy()
        self.free_requests -= 1
        share = Share(self)
        try:
            yield share
        finally:
            self.free += share.taken
            self.free_requests += 1


class Share:
    """One request's part of the room."""

    def __init__(self, room: Room) -> None:
        self._room, self.taken = room, 0

    def take(self, size: int) -> None:
        """Take so many bytes more.

        Raises
        ------
        Refusal
            503, with Retry-After, if there is not so much room.
        """
        if size > self._room.free:
            raise refusals.busy()
        self._room.free -= size
        self.taken += size


def _container(data: bytes) -> bytes:
    try:
        read_header(io.BytesIO(data), Limits())
    except Reject as reject:
        raise Refusal(400, reject.reason.value, _sentence(reject)) from reject
    return data


def _kind(content_type: str) -> str:
    return content_type.split(";", maxsplit=1)[0].strip().lower()


def _sentence(reject: Reject) -> str:
    return f"{reject.reason.sentence.removesuffix('.')}: {_ascii(reject.detail)}"


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
