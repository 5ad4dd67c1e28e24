"""A request -> its containers, as long as there is room for them and no slower than a body may come.

    headers ── room ── chunks, each counted, before a deadline ── gunzip, two at once ── containers
      415       503        413, 503, 408                             400, 413

What is held is bounded in bytes and in requests, and a client that sends a byte now and then gives up its room when the
time for a body is over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from skystamp import frames
from skystamp.api import refusals
from skystamp.api.bodies import Bodies, Room, Share
from skystamp.api.metering import Meter, Unmeasured
from skystamp.frames import Framed

_UNPACKING = 2  # at once; each may unpack to the limit before it is counted


@dataclass(frozen=True, slots=True)
class Limits:
    """What requests may cost one process; see `serve_apps.alerts.Args`."""

    body_bytes: int = 64 << 20
    unpacked_bytes: int = 128 << 20
    packets: int = 10_000
    waiting_bytes: int = 512 << 20
    waiting_requests: int = 256
    body_timeout_s: float = 30.0


class Receiver:
    """Takes bodies in; a class because it holds the room for them. Belongs to one event loop."""

    def __init__(self, limits: Limits, meter: Meter | None = None) -> None:
        self.meter = meter or Unmeasured()
        self._bodies = Bodies(limits.body_bytes, limits.unpacked_bytes, limits.packets)
        self._room = Room(limits.waiting_bytes, limits.waiting_requests)
        self._timeout_s = limits.body_timeout_s
        self._unpacking = asyncio.Semaphore(_UNPACKING)
        self._closed = False

    def close(self) -> int:
        """Take in nothing more, and return how many requests are in hand."""
        self._closed = True
        return self._room.held

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[list[Framed]]:
        """Give the containers of a request's body; their room is free again at the end.

        Raises
        ------
        Refusal
            400, 408, 413, 415 or 503.
        """
        if self._closed:
            raise refusals.stopping()
        header = request.headers.get
        kind, encoding = header("content-type", ""), header("content-encoding", "")
        self._bodies.check_headers(kind, encoding, header("content-length", ""))
        with self._room.share() as share:
            try:
                async with asyncio.timeout(self._timeout_s):
                    with self.meter.stage("read_body"):
                        body = await self._body(request, share)
                    self.meter.received(len(body))
                    with self.meter.stage("unpack"):
                        containers = await self._containers(body, encoding, kind)
            except TimeoutError as error:
                raise refusals.too_slow_a_body(self._timeout_s) from error
            share.take(max(0, frames.weight(containers) - len(body)))
            del body
            yield containers

    async def _body(self, request: Request, share: Share) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            self._bodies.check_size(size)
            share.take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    async def _containers(self, body: bytes, encoding: str, kind: str) -> list[Framed]:
        if not encoding:
            return self._bodies.containers(body, encoding, kind)
        async with self._unpacking:
            return await asyncio.to_thread(self._bodies.containers, body, encoding, kind)
