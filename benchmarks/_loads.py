"""Loads on the service, and what became of every request: closed loops of clients, and open ones at a set rate.

A closed loop's clients each wait for their answer, so it finds how much the service can take. An open loop sends at its
times whatever comes back, as telescopes do, so it shows what happens beyond that.
"""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks._prefilled import Load
from skystamp import frames

HOST = "127.0.0.1"
TIMEOUT_S = 90.0  # beyond the service's own, so that none ends here
ENDS = (200, 408, 429, 503, 504)  # how a request may end
_OK = 200


@dataclass(frozen=True)
class Request:
    """One request: when it was to be sent, when it was answered (s), its status, and its alerts' numbers."""

    due: float
    done: float
    status: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """What became of a load's requests."""

    requests: list[Request]
    seconds: float

    @property
    def statuses(self) -> Counter[int]:
        """How many requests ended with each status."""
        return Counter(request.status for request in self.requests)

    @property
    def answered(self) -> list[int]:
        """The numbers of the alerts that were answered 200."""
        return [number for request in self.requests if request.status == _OK for number in request.numbers]

    @property
    def rate(self) -> float:
        """Alerts answered a second."""
        return len(self.answered) / self.seconds

    def latency_ms(self, percent: float) -> float:
        """Return a percentile of the time from when an answered request was to be sent until its answer, ms."""
        taken = [request.done - request.due for request in self.requests if request.status == _OK]
        return float(np.percentile(taken, percent)) * 1e3 if taken else float("nan")


@dataclass(frozen=True)
class Target:
    """Where requests go: the service's port and an application's route, with so many packets a request."""

    port: int
    load: Load
    together: int
    route: str = ""

    def send(self, due: float) -> Request:
        """Return what became of one request."""
        packets = [self.load.packet() for _ in range(self.together)]
        body = frames.pack([data for _, data in packets])
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", f"{self.route}/v1/classify", body, {"Content-Type": frames.CONTENT_TYPE})
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        if answer.status not in ENDS:
            raise RuntimeError(f"a request should end with one of {ENDS}. Received: {answer.status} {told[:300]!r}")
        if answer.status == _OK and len(json.loads(told)["outcomes"]) != self.together:
            raise RuntimeError(f"each of {self.together} packets should have an outcome. Received: {told[:300]!r}")
        return Request(due, time.perf_counter(), answer.status, tuple(number for number, _ in packets))


def closed(target: Target, clients: int, seconds: float) -> Result:
    """Return what so many clients got, each of which waits for its answer."""
    begin = time.perf_counter()

    def client(_: int) -> list[Request]:
        found = []
        while time.perf_counter() < begin + seconds:
            found.append(target.send(time.perf_counter()))
        return found

    with ThreadPoolExecutor(clients) as pool:
        requests = [request for some in pool.map(client, range(clients)) for request in some]
    return Result(requests, time.perf_counter() - begin)


def open_loop(target: Target, rate: float, seconds: float, *, at_once: int = 400) -> Result:
    """Return what became of requests that were sent at a rate of so many alerts a second, whatever came back."""
    begin = time.perf_counter()

    def sent(due: float) -> Request:
        time.sleep(max(0.0, due - time.perf_counter()))
        return target.send(due)

    with ThreadPoolExecutor(at_once) as pool:
        requests = list(pool.map(sent, _times(begin, rate / target.together, seconds)))
    return Result(requests, seconds)


def _times(begin: float, rate: float, seconds: float) -> Iterator[float]:
    """Yield times as of chance, the same in each run, and neither more nor fewer than of so many a second."""
    rng = np.random.default_rng(5)
    yield from begin + np.sort(rng.uniform(0, seconds, round(rate * seconds)))
