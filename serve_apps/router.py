"""Bodies in, the outcomes of their packets out: histories, the model for each alert, and the store.

    containers ── live.arrivals ──> arrivals ── live.plan ──> questions ── one deployment a model ──> answers
                                                  │ store                                               │
                                                  └── Store.record <── live.settle <────────────────────┘

With a store, an answer is given when the store has it (promise 5 of the design); packets of one object go one after the
other. Without one, or for a body that is not to be kept, the packets of a body are all that is known of their objects.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from ray import serve
from ray.serve.handle import DeploymentHandle

from serve_apps import logs, measures
from serve_apps.calls import call
from serve_apps.locks import Locks
from serve_apps.loopback import keep_on_loopback
from serve_apps.named import store_url
from serve_apps.shadow import Shadow, ShadowSettings
from skystamp import avro, classify, inputs, live
from skystamp.alert import Alert
from skystamp.api import Refusal, ServedModel, ShadowModel, refusals
from skystamp.classify import Answer, Outcome, Read, Rejection
from skystamp.cluster.batching import Batcher
from skystamp.errors import Reject, StoreUnavailable
from skystamp.frames import Framed
from skystamp.inputs import Raw
from skystamp.live import Arrival, Served
from skystamp.store import Outdated, Store, open_store
from skystamp.surveys import ztf

ASKING = 16  # questions of one router to one model at once; the others wait here, where a time-out takes them back
ATTEMPTS = 20  # to write what another router's writing made out of date; each that fails means another got on


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """See `serve_apps.alerts.Args`."""

    batch: int
    max_packets: int
    max_bytes: int
    store: str | None = field(default=None, repr=False)  # a URL that may hold a password, or the name of a variable
    timeout_s: float = 60.0  # of a request, and so of what it asks the database


@serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=64,  # of one ingress, which has at most a few on their way
    graceful_shutdown_timeout_s=30,
    ray_actor_options={"num_cpus": 0.25},
)
class Router:
    """Reads the packets of bodies, asks the models, and remembers."""

    def __init__(
        self,
        models: dict[str, DeploymentHandle],
        settings: RouterSettings,
        challengers: dict[str, DeploymentHandle] | None = None,
        shadow: ShadowSettings | None = None,
    ) -> None:
        keep_on_loopback()
        self._models, self._settings = models, settings
        self._shadow = Shadow(challengers or {}, shadow or ShadowSettings(0.0, 0.0))
        self._store = _opened(settings)
        self._versions: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(4, "router")
        self._storing = ThreadPoolExecutor(4, "store")  # of their own: when the database hangs, they hang alone
        self._locks = Locks()
        self._asking = {name: asyncio.Semaphore(ASKING) for name in models}
        self._alone: dict[str, Batcher[Alert, Outcome]] = {
            name: Batcher(partial(call, handle.classify.remote), size=settings.batch, at_once=4)
            for name, handle in models.items()
        }

    async def classify(self, bodies: list[tuple[list[Framed], bool]]) -> list[list[list[Outcome]] | Refusal]:
        """Return, for each body, the outcomes of each of its containers, or why it is refused, in order.

        A body is its containers, and whether its packets are to be remembered, if there is a store.
        """
        with measures.held("router", len(bodies)):
            return await self._classified(bodies)

    async def _classified(self, bodies: list[tuple[list[Framed], bool]]) -> list[list[list[Outcome]] | Refusal]:
        with measures.stage("read"):
            read = await asyncio.gather(*(self._in_thread(self._arrivals, body) for body, _ in bodies))
        kept = [i for i, (_, keep) in enumerate(bodies) if keep and self._store and not isinstance(read[i], Refusal)]
        together = [one for i in kept for part in read[i] for one in part]
        passing = [i for i in range(len(bodies)) if i not in kept and not isinstance(read[i], Refusal)]
        remembered, *others = await asyncio.gather(
            self._remembered(together), *(self._passing([one for part in read[i] for one in part]) for i in passing)
        )
        found: list[list[list[Outcome]] | Refusal] = list(read)
        for i, outcomes in zip(passing, others, strict=True):
            found[i] = _parted(outcomes, read[i])
        stored = iter(() if isinstance(remembered, Refusal) else remembered)
        for i in kept:
            found[i] = remembered if isinstance(remembered, Refusal) else _parted(stored, read[i])
        return found

    async def status(self) -> list[ServedModel]:
        """Return what each model's deployment serves."""
        return list(await asyncio.gather(*(call(handle.status.remote) for handle in self._models.values())))

    async def challengers(self) -> list[ShadowModel]:
        """Return what each challenger's deployment holds."""
        return await self._shadow.status()

    def _arrivals(self, body: Sequence[Framed]) -> list[list[Arrival]] | Refusal:
        found = read_arrivals(body, max_packets=self._settings.max_packets, max_bytes=self._settings.max_bytes)
        measures.count(measures.PACKETS, 0 if isinstance(found, Refusal) else sum(map(len, found)))
        return found

    # --------------------------------------------------------------------------------------------- with the store

    async def _remembered(self, arrivals: list[Arrival]) -> list[Outcome] | Refusal:
        """Return the outcome of each arrival when the store has all of them."""
        if not arrivals:
            return []
        objects = {(one.item.survey, one.item.object_id) for one in arrivals if isinstance(one.item, Alert)}
        begun = time.perf_counter()
        async with self._locks.held(objects):
            measures.observe(measures.STAGE_SECONDS, time.perf_counter() - begun, stage="locks")
            try:
                for _ in range(ATTEMPTS):
                    try:
                        return await self._answered(arrivals)
                    except Outdated:
                        measures.count(measures.STORE_ERRORS, kind="outdated")
                        continue
            except StoreUnavailable as error:
                measures.count(measures.STORE_ERRORS, kind="unavailable")
                logs.tell(logging.WARNING, "the store is not available", detail=str(error), alerts=len(arrivals))
        return refusals.unavailable()

    async def _answered(self, arrivals: list[Arrival]) -> list[Outcome]:
        store = self._store
        if store is None:
            raise StoreUnavailable("there should be a store. Received: none")
        served = await self._served()
        with measures.stage("plan"):
            made = await self._in_thread(live.plan, store, arrivals, served, pool=self._storing)
        with measures.stage("ask"):
            answers = await self._ask(made.questions, made.seen, made.raw)
        with measures.stage("settle"):
            outcomes, batch = await self._in_thread(live.settle, made, answers)
        with measures.stage("record"):
            await self._in_thread(partial(store.record, now=time.time()), batch, pool=self._storing)
        self._shadow.offer(outcomes)
        return outcomes

    # ------------------------------------------------------------------------------------------ without the store

    async def _passing(self, arrivals: list[Arrival]) -> list[Outcome]:
        """Return the outcome of each arrival, of which the others are all the history there is."""
        if len(self._models) == 1:
            return list(await asyncio.gather(*(self._by_itself(one.item) for one in arrivals)))
        alerts = [one.item for one in arrivals if isinstance(one.item, Alert)]
        answers = iter(await self._sequenced(alerts) if alerts else [])
        return [next(answers) if isinstance(one.item, Alert) else one.item for one in arrivals]

    async def _by_itself(self, item: Alert | Rejection) -> Outcome:
        (batcher,) = self._alone.values()
        return item if isinstance(item, Rejection) else await batcher(item)

    async def _sequenced(self, alerts: list[Alert]) -> list[Outcome]:
        served = await self._served()
        raw, kept, rejects = await self._in_thread(partial(inputs.collect, side=served.side), alerts)
        seen = [alerts[i] for i in kept]
        chosen = classify.as_of(seen)
        answers = await self._ask(classify.questions(chosen, served.versions), seen, raw)
        rows = {i: row for row, i in enumerate(kept)}
        return [
            classify.classification(alert, chosen[rows[i]], seen, answers, served.versions)
            if i in rows
            else classify.reject_outcome(rejects[i], alert)
            for i, alert in enumerate(alerts)
        ]

    # ---------------------------------------------------------------------------------------------------- the models

    async def _served(self) -> Served:
        """Return which versions answer, as far as is known; whole stamps, so that any later version can read them."""
        if not self._versions:
            self._versions = {model.name: model.version for model in await self.status()}
        return Served(dict(self._versions), ztf.SIDE, ztf.SIDE)

    async def _ask(
        self, questions: Mapping[str, Sequence[Read]], seen: Sequence[Alert], raw: Raw
    ) -> dict[tuple[str, Read], Answer]:
        size = self._settings.batch
        parts = [
            (name, reads[start : start + size])
            for name, reads in questions.items()
            for start in range(0, len(reads), size)
        ]
        found = await asyncio.gather(*(self._ask_part(name, reads, seen, raw) for name, reads in parts))
        answers = {
            (name, read): answer
            for (name, reads), told in zip(parts, found, strict=True)
            for read, answer in zip(reads, told, strict=True)
        }
        self._versions.update((name, answer.version) for (name, _), answer in answers.items())
        return answers

    async def _ask_part(self, name: str, reads: Sequence[Read], seen: Sequence[Alert], raw: Raw) -> list[Answer]:
        rows = sorted({row for read in reads for row in read})
        place = {row: i for i, row in enumerate(rows)}
        moved = [tuple(place[row] for row in read) for read in reads]
        alerts = [replace(seen[row], cutouts={}) for row in rows]
        async with self._asking[name]:
            return list(await call(self._models[name].ask.remote, moved, alerts, raw.take(rows)))

    async def _in_thread(self, work: Callable[..., Any], *values: Any, pool: ThreadPoolExecutor | None = None) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool or self._threads, work, *values)


def _opened(settings: RouterSettings) -> Store | None:
    return open_store(store_url(settings.store), statement_s=settings.timeout_s) if settings.store else None


def read_arrivals(body: Sequence[Framed], *, max_packets: int, max_bytes: int) -> list[list[Arrival]] | Refusal:
    """Return the arrivals of each container of a body.

    A `Refusal` if there are more than `max_packets` packets, or more than `max_bytes` of cutouts in all of them.
    """
    found: list[list[Arrival]] = []
    packets = size = 0
    for container in body:
        part: list[Arrival] = []
        # A fault that the sender tells has no bytes; what it says stands for them, so that it is stored once.
        packet = f"{container.reason}: {container.detail}".encode() if isinstance(container, Reject) else container
        items = [container] if isinstance(container, Reject) else avro.read(container, contents=True)
        for position, item in enumerate(items):
            (read,) = classify.alerts([item])
            size += sum(map(len, read.cutouts.values())) if isinstance(read, Alert) else 0
            part.append(Arrival(read, packet, position, None if isinstance(item, Reject) else item.content))
            if packets + len(part) > max_packets:
                return refusals.too_many(max_packets)
            if size > max_bytes:
                return refusals.too_large("The cutouts of a body", max_bytes)
        packets += len(part)
        found.append(part)
    return found


def _parted(outcomes: Any, containers: Sequence[Sequence[Arrival]]) -> list[list[Outcome]]:
    each = iter(outcomes)
    return [list(islice(each, len(part))) for part in containers]
