"""The loop: read, send, answer for, save, tell, until the feed ends or someone says stop.

One thread owns the feed and reads, saves and tells; a few deliver, a batch each. When all of them have one and the next
is full, the feed is held, and polled all the same, so that a slow service slows the source and nothing piles up. Memory
holds at most the batches on their way, one that waits, and what the source's client reads ahead.
"""

import logging
import resource
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from skystamp.sources.feeds import Feed, Message, Partition
from skystamp.stream.delivery import Delivered
from skystamp.stream.gathering import Gathering

log = logging.getLogger(__name__)

_READ = 64  # messages at a time
_READ_S = 0.1  # until what is on its way is looked at again
_HOLD_AFTER_S = 1.0  # a hold gives up what was read ahead, so short ones are waited through
_SETTLE_S = 10.0  # that a rebalance may wait for what is on its way

Deliver = Callable[[Sequence[Message]], Delivered]
Counts = Callable[[], Mapping[str, int]]
Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch leaves, how many are on their way, when to end and how often to tell."""

    packets: int = 256
    size: int = 16 << 20  # bytes of a batch
    max_wait_s: float = 2.0
    in_flight: int = 4
    most: int | None = None  # messages to read
    every_s: float = 10.0
    grace_s: float = 30.0  # for what is on its way when told to stop


@dataclass(slots=True)
class Totals:
    """What became of all packets, and how many messages were given up when told to stop: they will be read again."""

    packets: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    abandoned: int = 0

    def add(self, delivered: Delivered) -> None:
        """Add a batch."""
        self.packets += delivered.packets
        self.classes += delivered.classes
        self.reasons += delivered.reasons


def run(
    feed: Feed,
    deliver: Deliver,
    limits: Limits,
    *,
    stop: Event,
    abandon: Event,
    counts: Callable[[], Mapping[str, int]],
    tell: Tell | None = None,
) -> Totals:
    """Return what became of a feed's packets, when it has ended or `stop` was set and what was on its way is done.

    Parameters
    ----------
    feed : Feed
        Read, saved and closed here.
    deliver : callable
        Returns when a batch is stored and published; raises `Abandoned` soon after `abandon` is set.
    limits : Limits
        Bounds and times.
    stop : Event
        Set from outside: read no more, finish what is on its way, and end.
    abandon : Event
        Set here when that took longer than it may.
    counts : callable
        Gives what else the statistics line says, as how often requests were asked again.
    tell : callable, optional
        Is given the fields of each statistics line, beside the log.

    Raises
    ------
    Fault
        What `deliver` or the feed raises. What was answered before is saved first.
    """
    loop = _Loop(feed, deliver, limits, stop, abandon, counts, tell)
    try:
        loop.run()
    finally:
        abandon.set()
        loop.close()
    return loop.totals


class _Loop:
    def __init__(
        self,
        feed: Feed,
        deliver: Deliver,
        limits: Limits,
        stop: Event,
        abandon: Event,
        counts: Counts,
        tell: Tell | None = None,
    ) -> None:
        self.totals = Totals()
        self._feed, self._deliver, self._limits = feed, deliver, limits
        self._stop, self._abandon, self._counts, self._told_to = stop, abandon, counts, tell
        self._gathering = Gathering(limits.packets, limits.size, limits.max_wait_s)
        self._pool = ThreadPoolExecutor(limits.in_flight, "deliver")
        self._on_way: dict[Future[Delivered], list[Message]] = {}
        self._read = 0
        self._closed = False
        self._busy_since: float | None = None
        self._deadline: float | None = None
        self._told, self._told_packets = time.monotonic(), 0

    def run(self) -> None:
        while not self._over():
            self._send()
            self._take()
            self._answer()
            self._tell(time.monotonic())
        self._tell(float("inf"))

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._feed.close()

    # ---------------------------------------------------------------------------------------------------------- steps

    def _over(self) -> bool:
        if self._stop.is_set() and self._deadline is None:
            self._deadline = time.monotonic() + self._limits.grace_s
            log.info("told to stop", extra={"fields": {"on_their_way": len(self._on_way)}})
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.totals.abandoned = sum(map(len, self._on_way.values()))
            return True
        return not self._on_way and (self._stop.is_set() or (self._all_read and not self._gathering))

    @property
    def _all_read(self) -> bool:
        return self._read == self._limits.most or self._feed.ended()

    def _send(self) -> None:
        while len(self._on_way) < self._limits.in_flight and not self._stop.is_set():
            batch = self._gathering.take(time.monotonic(), all_of_it=self._all_read)
            if batch is None:
                return
            batch = [message for message in batch if self._feed.holds(message)]
            if batch:
                self._on_way[self._pool.submit(self._deliver, batch)] = batch

    def _take(self) -> None:
        room = min(self._gathering.room, _READ)
        if self._limits.most is not None:
            room = min(room, self._limits.most - self._read)
        if room <= 0 or self._stop.is_set() or self._all_read:
            self._wait()
            return
        self._busy_since = None
        self._feed.hold(False)
        due_s = self._gathering.due_s(time.monotonic())
        soon = due_s is not None and len(self._on_way) < self._limits.in_flight
        self._add(self._feed.read(room, min(_READ_S, due_s or 0.0) if soon else _READ_S, self._settle))

    def _wait(self) -> None:
        """Wait for what is on its way, and be polled without reading where that takes longer."""
        now = time.monotonic()
        self._busy_since = self._busy_since or now
        wait(self._on_way, timeout=_READ_S, return_when=FIRST_COMPLETED)
        if now - self._busy_since > _HOLD_AFTER_S:
            self._feed.hold(True)
            self._add(self._feed.read(1, 0.0, self._settle))

    def _add(self, messages: Sequence[Message]) -> None:
        self._read += len(messages)
        self._gathering.add(messages, time.monotonic())

    def _answer(self) -> None:
        """Answer for the batches that are delivered, and save how far that brings us."""
        done = [future for future in self._on_way if future.done()]
        for future in sorted(done, key=_has_failed):  # what is delivered is answered for before a fault is raised
            batch = self._on_way.pop(future)
            self.totals.add(future.result())
            self._feed.answered(batch)
        if done:
            self._feed.save()

    def _settle(self, partitions: Collection[Partition]) -> None:
        """Give what is on its way from partitions that are taken away a moment to finish."""
        if self._closed:
            return
        taken = set(partitions)
        concerned = [f for f, batch in self._on_way.items() if any(m.partition in taken for m in batch)]
        wait(concerned, timeout=_SETTLE_S)
        self._answer()

    def _tell(self, now: float) -> None:
        seconds = time.monotonic() - self._told
        if now - self._told < self._limits.every_s:
            return
        rate = (self.totals.packets - self._told_packets) / max(seconds, 1e-3)
        fields = {
            "packets": self.totals.packets,
            "per_second": round(rate, 1),
            "classes": dict(self.totals.classes),
            "rejections": dict(self.totals.reasons),
            "on_their_way": len(self._on_way),
            "lag": dict(self._feed.lag()),
            "memory_mb": _memory_mb(),
            **self._counts(),
        }
        log.info("streaming", extra={"fields": fields})
        if self._told_to is not None:
            self._told_to(fields)
        self._told, self._told_packets = time.monotonic(), self.totals.packets


def _memory_mb() -> int:
    """Return what this process holds; where the system does not say, the most that it ever held."""
    told = Path("/proc/self/statm")
    if told.exists():
        return int(told.read_text().split()[1]) * resource.getpagesize() >> 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _has_failed(future: Future[Delivered]) -> bool:
    return future.exception() is not None
