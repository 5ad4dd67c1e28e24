"""How much each token may still ask: a bucket that fills at its rate, and that a large answer may overdraw.

    level ── fills, `rate` a second, up to BURST_S seconds' worth
          ── a request is let in while there is 1, and takes 1; what it turns out to hold is taken afterwards

How many packets a body holds is known when it has been read, so it is paid then and the next request waits: over any
length of time no more than the rate gets through, plus one burst, plus what was on its way.
"""

from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 10.0  # seconds' worth that a token may ask at once after it was silent


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Buckets:
    """A bucket for each name; a class because it remembers their levels.

    Parameters
    ----------
    clock : callable
        Seconds that only grow, as `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, name: str, rate: float) -> float:
        """Return 0 after taking 1 from a name's bucket, or the seconds until there will be 1 in it."""
        bucket = self._filled(name, rate)
        if bucket.level < 1:
            return (1 - bucket.level) / rate
        bucket.level -= 1
        return 0.0

    def charge(self, name: str, rate: float, amount: int) -> None:
        """Take so much more, whether it is there or not."""
        self._filled(name, rate).level -= amount

    def _filled(self, name: str, rate: float) -> _Bucket:
        now, most = self._clock(), max(1.0, rate * BURST_S)
        bucket = self._buckets.setdefault(name, _Bucket(most, now))
        bucket.level = min(most, bucket.level + (now - bucket.at) * rate)
        bucket.at = now
        return bucket
