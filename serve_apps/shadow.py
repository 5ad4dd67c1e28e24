"""Challengers in shadow: a share of the alerts, scored again by the version that is proposed, stored, never answered.

    Router ── outcomes that are stored and answered ──> Shadow ── keys, a bounded queue a model ──> Challenger
                                                                                                    │ store: cutouts
                                                                     outcomes, shadow = true  <─────┘

A challenger has a deployment of its own (``temporal-2-challenger``), at the lowest priority of its machine. It holds
nothing while no version has the alias `challenger`, takes one up when there is one, and reads what it scores from the
store. So the champion waits for nothing: it is asked nothing more, and what happens to a challenger is told in the log
and in ``/readyz`` and changes no answer. What does not fit into the queue is counted and told;
``skystamp rescore --shadow`` scores it later.
"""

import asyncio
import hashlib
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from serve_apps import measures
from serve_apps.loopback import keep_on_loopback
from serve_apps.model_server import checked, network_environment
from serve_apps.named import store_url
from skystamp import crossmatch, live, routing
from skystamp.api import ShadowModel
from skystamp.classify import Classification, Matcher, Model, Models, Outcome
from skystamp.cluster.following import Following, Perhaps
from skystamp.errors import SkystampError
from skystamp.live import Served
from skystamp.store import AlertKey, ObjectKey, Store, open_store

log = logging.getLogger("ray.serve")

ROOM = 4096  # alerts that wait for one challenger
TOGETHER = 64  # alerts of one call
TOLD_S = 60.0  # between two lines of the log about what did not fit
NICENESS = 19  # the lowest priority
_STATUS_S = 2.0


def is_chosen(key: AlertKey, share: float) -> bool:
    """Return whether an alert is of the share that challengers score: the same one whenever and wherever it is asked.

    Parameters
    ----------
    key : tuple
        Survey and alert id.
    share : float
        0 to 1.
    """
    digest = hashlib.blake2b(f"{key[0]} {key[1]}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


@dataclass(frozen=True, slots=True)
class ShadowSettings:
    """See `serve_apps.alerts.Args`."""

    share: float
    idle_s: float  # how long nothing is sent to a challenger that has said that it holds no model


class Shadow:
    """The alerts that wait for challengers; a class because it holds the queues of one event loop.

    Parameters
    ----------
    challengers : mapping of str to DeploymentHandle
        By the name of the model that is challenged.
    settings : ShadowSettings
    room : int
        Alerts that wait for one challenger, at most.
    """

    def __init__(
        self,
        challengers: Mapping[str, DeploymentHandle],
        settings: ShadowSettings,
        *,
        room: int = ROOM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._challengers, self._settings, self._room, self._clock = challengers, settings, room, clock
        self._waiting: dict[str, dict[AlertKey, ObjectKey]] = {name: {} for name in challengers}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._idle_until: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._untold: Counter[str] = Counter()
        self.scored: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def offer(self, outcomes: Sequence[Outcome]) -> None:
        """Take what was answered and is stored; returns at once."""
        for one in outcomes:
            if isinstance(one, Classification) and one.model in self._waiting:
                self._take(one.model, (one.survey, one.alert_id), (one.survey, one.object_id))

    async def status(self) -> list[ShadowModel]:
        """Return what each challenger holds; one that does not say so in time says that."""
        return list(await asyncio.gather(*(self._status(name) for name in self._challengers)))

    def _take(self, name: str, key: AlertKey, its_object: ObjectKey) -> None:
        if not is_chosen(key, self._settings.share) or self._clock() < self._idle_until.get(name, 0.0):
            return
        waiting = self._waiting[name]
        if key not in waiting and len(waiting) >= self._room:
            self._miss(name, 1, "the queue is full", "queue_full")
            return
        waiting[key] = its_object
        if name not in self._tasks:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._send(name))
            self._tasks[name].add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _send(self, name: str) -> None:
        waiting = self._waiting[name]
        while waiting:
            part = dict(list(waiting.items())[:TOGETHER])
            for key in part:
                del waiting[key]
            await self._score(name, part)

    async def _score(self, name: str, part: dict[AlertKey, ObjectKey]) -> None:
        try:
            scored = await self._challengers[name].score.remote(part)
        except (RayError, RayServeException) as error:
            self._miss(name, len(part), f"{type(error).__name__}: {str(error).strip()[-300:]}", "failed")
            return
        if scored is None:
            self._idle_until[name] = self._clock() + self._settings.idle_s
            self._waiting[name].clear()
        else:
            self.scored[name] += scored
            measures.count(measures.SHADOW_OUTCOMES, scored, model=name)

    def _miss(self, name: str, count: int, why: str, reason: str) -> None:
        self.missed[name] += count
        measures.count(measures.SHADOW_SKIPPED, count, model=name, reason=reason)
        self._untold[name] += count
        now = self._clock()
        if now - self._told_at.get(name, -TOLD_S) >= TOLD_S:
            log.warning("the challenger of %s has missed %d alerts, for %s", name, self._untold[name], why)
            self._told_at[name], self._untold[name] = now, 0

    async def _status(self, name: str) -> ShadowModel:
        try:
            async with asyncio.timeout(_STATUS_S):
                found: ShadowModel = await self._challengers[name].status.remote()
        except (TimeoutError, RayError, RayServeException) as error:
            return ShadowModel(name=name, problem=f"it does not answer: {type(error).__name__}")
        return found.model_copy(update={"share": self._settings.share})


@dataclass(frozen=True, slots=True)
class ChallengerSettings:
    """What a challenger is and reads; see `serve_apps.alerts.Args`."""

    name: str  # of the model that is challenged
    reference: str  # NAME@challenger
    champion: str  # the reference of the model that is challenged
    first: str  # the reference of the first-detection model, which the rule `BOGUS_TWICE` asks
    names: tuple[str, ...]  # of all models that are served, by which each alert has its model
    tracking_uri: str = field(repr=False)
    store: str = field(repr=False)  # URLs that may hold passwords
    catalogue: str | None = None
    follow_s: float = 30.0
    threads: int = 1


@serve.deployment(
    max_ongoing_requests=4,
    health_check_period_s=10,
    health_check_timeout_s=60,
    graceful_shutdown_timeout_s=5,
    ray_actor_options={"num_cpus": 0},
)
class Challenger:
    """The version that is proposed for one model, or none; making one never fails, so it keeps no service down."""

    def __init__(self, settings: ChallengerSettings) -> None:
        keep_on_loopback()
        os.nice(NICENESS)
        for name, value in network_environment(settings.threads).items():
            os.environ.setdefault(name, value)
        from skystamp import tracking

        uri = settings.tracking_uri
        self._settings, self._problem = settings, ""
        self._threads = ThreadPoolExecutor(1, "challenger")
        self._store: Store | None = None
        self._first: Following | None = None
        self._catalogue: Matcher | None = None
        self._perhaps = Perhaps(
            f"the challenger of {settings.name}",
            checked(settings.name, partial(tracking.load, settings.reference, uri)),
            partial(_challenging, settings, uri),
            settings.follow_s,
        )

    async def score(self, keys: dict[AlertKey, ObjectKey]) -> int | None:
        """Score stored alerts that this version has not scored, return how many; None if there is no version."""
        model = self._perhaps.model
        if model is None:
            return None
        try:
            scored = await asyncio.get_running_loop().run_in_executor(self._threads, self._score, model, keys)
        except (SkystampError, OSError) as error:
            self._problem = f"{type(error).__name__}: {error}"[:500]
            raise
        self._problem = ""
        return scored

    async def status(self) -> ShadowModel:
        """Return what is held here, and what is wrong with it."""
        held, model = self._perhaps, self._perhaps.model
        return ShadowModel(
            name=self._settings.name,
            reference=self._settings.reference,
            version=None if model is None else model.version,
            loaded=held.loaded,
            problem=held.problem or self._problem or None,
        )

    def _score(self, model: Model, keys: dict[AlertKey, ObjectKey]) -> int:
        if self._store is None:
            self._store = open_store(store_url(self._settings.store))
        name, models = self._settings.name, self._models(model)
        served = Served(
            {**dict.fromkeys(self._settings.names, ""), **{each: one.version for each, one in models.by_name.items()}},
            models.side,
            models.crop,
        )
        return live.rescore(self._store, models, name, keys, now=time.time(), shadow=True, served=served)

    def _models(self, model: Model) -> Models:
        """Return the challenger and, beside a temporal one, the first-detection model that is answered by."""
        if self._settings.name == routing.FIRST_DETECTION:
            return Models({routing.FIRST_DETECTION: model})
        if self._catalogue is None and self._settings.catalogue:
            self._catalogue = crossmatch.open_catalogue(self._settings.catalogue)
        if self._first is None:
            self._first = _following(self._settings)
        return Models({routing.FIRST_DETECTION: self._first.model, self._settings.name: model}, self._catalogue)


def challenger_of(reference: str) -> str | None:
    """Return the reference of a model's challenger; None for a bundle's folder, or a challenger that is served."""
    from skystamp import tracking

    name, alias = tracking.parsed(reference)
    return f"{name}@{tracking.CHALLENGER}" if name and alias != tracking.CHALLENGER else None


def _following(settings: ChallengerSettings) -> Following:
    from skystamp import tracking

    name, alias = tracking.parsed(settings.first)
    return Following(
        checked(routing.FIRST_DETECTION, partial(tracking.load, settings.first, settings.tracking_uri)),
        partial(tracking.alias_version, name, alias, settings.tracking_uri),
        settings.follow_s if name and alias else 0.0,
    )


def _challenging(settings: ChallengerSettings, uri: str) -> str | None:
    """Return the version that is proposed now; None if that is the one which answers, or there is none."""
    from skystamp import tracking

    name, alias = tracking.parsed(settings.champion)
    version = tracking.alias_version(name, tracking.CHALLENGER, uri)
    answers = tracking.alias_version(name, alias, uri) if alias else settings.champion.rpartition("/")[2]
    return None if version == answers else version
