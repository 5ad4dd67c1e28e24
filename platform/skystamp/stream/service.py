"""A batch -> the outcomes of each of its messages: asked for until the service has stored them, however long it takes.

    200        done
    413        the halves, each by itself; one message alone by its parts, or as the rejection `too_large`
    500, 504   again; after a few times the halves, so that what breaks it breaks alone
    other 5xx, 408, 425, 429, no answer: again, later each time, and no sooner than Retry-After says
    404 in words that are not the service's: likewise; its proxy is up and the application is not yet
    other      the settings are wrong or the service is another: a fault

A classification changes nothing and the store takes a packet once, so a request may be sent any number of times.
"""

import hashlib
import io
import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from threading import Event, Lock
from typing import Any

import httpx

from skystamp import frames
from skystamp.errors import Fault, Reason, Reject
from skystamp.frames import Framed
from skystamp.refused import is_absent
from skystamp.sources.kafka import Abandoned

log = logging.getLogger(__name__)

OutcomeDict = dict[str, Any]

_PATH = "/v1/classify"
_AGAIN = {0, 408, 425, 429}
_BREAKS = {500, 504}
_BREAKS_TIMES = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_ASKED_S = 0.2, 30.0, 300.0


class ServiceError(Fault):
    """The service refused a request for good, or answered what it should not."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why there are no outcomes; status 0 is no answer at all, `is_absent` an answer that the service did not give."""

    status: int
    told: str
    retry_s: float = 0.0
    is_absent: bool = False

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered later."""
        return self.status in _AGAIN or self.status >= 500 or self.is_absent


class Service:
    """The service at a URL; may be used by several threads.

    Parameters
    ----------
    client : httpx.Client
        With the service's base URL, time-outs and headers.
    abandon : Event
        Set when nothing is to be tried again.
    """

    def __init__(self, client: httpx.Client, abandon: Event) -> None:
        self._client, self._abandon = client, abandon
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._told_absent = False

    def outcomes(self, items: Sequence[Framed]) -> list[list[OutcomeDict]]:
        """Return the outcomes of each item's packets, in order, when the service has all of them.

        Raises
        ------
        ServiceError
            If it refuses for good.
        Abandoned
            If that is asked for first.
        """
        body = frames.pack(items)
        for attempt in count():
            answer = self._ask(body, len(items))
            if isinstance(answer, list):
                return answer
            if answer.status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return self._in_parts(items) if len(items) > 1 else [self._alone(items[0])]
            if not answer.may_pass:
                raise ServiceError(f"{self._client.base_url} should classify packets. Received: {answer.told}")
            self._wait(answer, attempt, len(items))
            if answer.status in _BREAKS and attempt + 1 >= _BREAKS_TIMES and len(items) > 1:
                return self._in_parts(items)
        raise AssertionError("count() never ends")

    @property
    def counts(self) -> Mapping[str, int]:
        """How many requests, and how many of them were asked again or in parts."""
        with self._lock:
            return dict(self._counts)

    def _ask(self, body: bytes, items: int) -> list[list[OutcomeDict]] | _Refused:
        self._count("requests")
        try:
            response = self._client.post(_PATH, content=body, headers={"content-type": frames.CONTENT_TYPE})
        except httpx.TransportError as error:
            return _Refused(0, f"{type(error).__name__} {error}")
        if response.status_code == httpx.codes.OK:
            self._told_absent = False
            return _parts(response, items)
        told, retry_s = f"status {response.status_code} {response.text[:300]}", response.headers.get("retry-after", "")
        absent = is_absent(response.status_code, response.content)
        return _Refused(response.status_code, told, _seconds(retry_s), absent)

    def _in_parts(self, items: Sequence[Framed]) -> list[list[OutcomeDict]]:
        self._count("split")
        middle = len(items) // 2
        return self.outcomes(items[:middle]) + self.outcomes(items[middle:])

    def _alone(self, item: Framed) -> list[OutcomeDict]:
        """Return the outcomes of a message that is too large for the service as it is."""
        from skystamp import client, sources

        self._count("split")
        data = item if isinstance(item, bytes) else b""
        parts = list(client.bodies([sources.Packet("message", io.BytesIO(data))], packets=1))
        if len(parts) < 2:
            detail = f"a packet of {len(data)} bytes is larger than the service takes, sha256 {_digest(data)}"
            return self.outcomes([Reject(Reason.TOO_LARGE, detail)])[0]
        each = (self.outcomes([part if isinstance(part, Reject) else part.data]) for part in parts)
        return [outcome for answered in each for outcome in answered[0]]

    def _wait(self, refused: _Refused, attempt: int, items: int) -> None:
        """Wait before the next try, longer each time, and not all clients at the same time."""
        self._count("retries")
        pause_s = min(_FIRST_PAUSE_S * 2 ** min(attempt, 20), _LONGEST_PAUSE_S) * random.uniform(0.5, 1)  # noqa: S311
        pause_s = max(pause_s, min(refused.retry_s, _LONGEST_ASKED_S) * random.uniform(1, 1.1))  # noqa: S311
        fields = {"messages": items, "attempt": attempt + 1, "pause_s": round(pause_s, 2), "answer": refused.told}
        if not refused.is_absent:
            log.warning("the service is asked again", extra={"fields": fields})
        elif self._is_news_of_absence():
            log.warning("the service is not there yet", extra={"fields": {**fields, "url": str(self._client.base_url)}})
        if self._abandon.wait(pause_s):
            raise Abandoned

    def _is_news_of_absence(self) -> bool:
        """Return True once until the service has answered: a proxy without an application may stay so for hours."""
        with self._lock:
            was_told, self._told_absent = self._told_absent, True
        return not was_told

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1


def _parts(response: httpx.Response, items: int) -> list[list[OutcomeDict]]:
    try:
        answer = response.json()
        sizes, outcomes = list(answer["containers"]), list(answer["outcomes"])
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceError(f"the service should answer outcomes. Received: {response.text[:300]}") from error
    if len(sizes) != items or sum(sizes) != len(outcomes) or min(sizes) < 1:
        raise ServiceError(f"the service should answer for each of {items} messages. Received: {sizes[:10]}")
    each = iter(outcomes)
    return [list(islice(each, size)) for size in sizes]


def _seconds(retry_after: str) -> float:
    """Return what Retry-After asks for; 0 for the form that is a date."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
