"""What a version has not scored -> scored: pages of stored alerts, each to whichever worker is free.

    Store.unscored ── pages of 256 keys ──> workers (Ray actors, or this process) ── live.rescore ──> store

The store is all that is remembered: a score is there or it is not. Killed at any moment, the next run finds what is not
and scores that alone; two runs at once do no harm. Alerts that can not be scored, because retention has dropped cutouts
that the model reads, are counted as left.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Any

from skystamp import live, routing
from skystamp.classify import Models
from skystamp.errors import SkystampError, StoreUnavailable
from skystamp.live import Served
from skystamp.store import AlertKey, ObjectKey, Store, open_store

PAGE = 256  # alerts that a worker scores at once, and writes in one transaction
COUNTED = 10_000  # alerts of a page that is only counted
SMALL = 2000  # alerts that are not worth a cluster's start
AHEAD = 2  # pages on their way to each worker
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)  # before a page is tried again, when the store was not available

Page = Sequence[tuple[AlertKey, ObjectKey]]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be scored, by which version of which model.

    Attributes
    ----------
    url : str
        Of the store.
    name, version : str
        Of the model, the name as in `routing.MODEL_FOR`.
    served : tuple of str
        Names of all models that are served, by which each alert has its model.
    shadow : bool
        Whether the scores are kept and never answered.
    """

    url: str
    name: str
    version: str
    served: tuple[str, ...]
    shadow: bool = False

    def pages(self, store: Store, size: int) -> Iterator[Page]:
        """Yield pages of the alerts that this model answers for and this version has not scored."""
        counts = routing.counts(self.name, self.served)
        return store.unscored(self.name, self.version, counts=counts, shadow=self.shadow, page=size)


@dataclass(frozen=True, slots=True)
class Rescored:
    """What a run did: alerts scored, alerts left because cutouts are dropped, and whether it came to its end."""

    scored: int
    left: int
    seconds: float
    workers: int
    finished: bool

    @property
    def rate(self) -> float:
        """Alerts a second."""
        return self.scored / self.seconds if self.seconds else 0.0


def waiting(job: Job) -> int:
    """Return how many stored alerts the version has not scored."""
    store = open_store(job.url, create=False)
    try:
        return sum(len(page) for page in job.pages(store, COUNTED))
    finally:
        store.close()


def default_workers(count: int) -> int:
    """Return how many Ray actors are worth their start for so many alerts: none for few, else all cores."""
    return 0 if count <= SMALL else os.cpu_count() or 1


def rescore(
    job: Job,
    load: Callable[[], Models],
    *,
    workers: int,
    clock: Callable[[], float],
    address: str | None = None,
    page: int = PAGE,
    stop: Event | None = None,
    told: Callable[[int, int], object] = lambda _scored, _left: None,
) -> Rescored:
    """Score what a version has not scored.

    Parameters
    ----------
    job : Job
    load : callable
        Gives the model and, beside a temporal one, the first-detection model; called once in each worker.
    workers : int
        Ray actors; 0 scores in this process.
    clock : callable
        Gives the Unix time, s; it travels to the workers.
    address : str, optional
        Of a running Ray cluster; a local one is started by default.
    page : int
        Alerts of one transaction.
    stop : Event, optional
        When it is set, what is on its way is finished and nothing new begun.
    told : callable
        Gets how many are scored and how many left, after each page.

    Raises
    ------
    StoreUnavailable
        If the store is, longer than `PAUSES_S` add up to; what was written stays.
    """
    started, scored, left = time.perf_counter(), 0, 0
    stop = stop or Event()
    store = open_store(job.url, create=False)
    pages = _until(stop, job.pages(store, page))
    done = (
        _here(pages, Worker(job, load, clock)) if workers == 0 else _on_ray(pages, job, load, clock, workers, address)
    )
    try:
        with closing(done):
            for of_page, count in done:
                scored, left = scored + count, left + of_page - count
                told(scored, left)
    finally:
        store.close()
    return Rescored(scored, left, time.perf_counter() - started, workers, not stop.is_set())


class Worker:
    """One worker's store and models, opened with its first page; a class because it holds them."""

    def __init__(self, job: Job, load: Callable[[], Models], clock: Callable[[], float]) -> None:
        self._job, self._load, self._clock = job, load, clock
        self._opened: tuple[Store, Models, Served] | None = None

    def score(self, page: Page) -> int:
        """Score a page of alerts and return how many have a score now that had none."""
        for pause_s in PAUSES_S:
            try:
                return self._scored(page)
            except StoreUnavailable:
                time.sleep(pause_s)
        return self._scored(page)

    def _scored(self, page: Page) -> int:
        if self._opened is None:
            self._opened = self._open()
        store, models, served = self._opened
        now, shadow = self._clock(), self._job.shadow
        return live.rescore(store, models, self._job.name, dict(page), now=now, shadow=shadow, served=served)

    def _open(self) -> tuple[Store, Models, Served]:
        models = self._load()
        own = {name: model.version for name, model in models.by_name.items()}
        versions = {**dict.fromkeys(self._job.served, ""), **own}
        return open_store(self._job.url, create=False), models, Served(versions, models.side, models.crop)


def _until(stop: Event, pages: Iterator[Page]) -> Iterator[Page]:
    while not stop.is_set() and (page := next(pages, None)):
        yield page


def _here(pages: Iterator[Page], worker: Worker) -> Generator[tuple[int, int], None, None]:
    for page in pages:
        yield len(page), worker.score(page)


# ----------------------------------------------------------------------------------------------------------- on Ray


def _on_ray(
    pages: Iterator[Page],
    job: Job,
    load: Callable[[], Models],
    clock: Callable[[], float],
    workers: int,
    address: str | None,
) -> Generator[tuple[int, int], None, None]:
    """Yield the size of each page and how many of it were scored, as they are done."""
    import ray

    from skystamp.cluster import session

    with session.connected(address, cpus=workers):
        made = ray.remote(num_cpus=0.5, max_restarts=-1, max_task_retries=-1)(Worker)
        free = deque([made.remote(job, load, clock) for _ in range(workers)] * AHEAD)
        under_way: dict[Any, tuple[Any, int]] = {}
        for page in pages:
            actor = free.popleft()
            under_way[actor.score.remote(page)] = actor, len(page)
            if not free:
                yield _next(under_way, free)
        while under_way:
            yield _next(under_way, free)


def _next(under_way: dict[Any, tuple[Any, int]], free: deque[Any]) -> tuple[int, int]:
    """Wait for one page and return its size and how many of it were scored."""
    import ray
    from ray.exceptions import RayTaskError

    (ready,), _ = ray.wait(list(under_way), num_returns=1)
    actor, size = under_way.pop(ready)
    free.append(actor)
    try:
        return size, ray.get(ready)
    except RayTaskError as error:
        if isinstance(error.cause, SkystampError):
            raise error.cause from error  # its own sentence, without the worker's traceback
        raise
