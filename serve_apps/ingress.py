"""The HTTP face of `serve_apps.alerts`: the application of `skystamp.api` before the router, on Ray Serve.

    request ── who may, limits, JSON: skystamp.api ── outcomes ── bodies that wait travel together ──> Router

What is in hand is bounded (`skystamp.api.receiving`), a call to the router that takes too long is given up with what it
asked for, and whatever a part of the service that stops or starts does to a request, its client is told to come back.
Routes, their scopes and refusals are in `skystamp.api`; another router is added in `__serve_build_asgi_app__`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.config import BackpressureConfig
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from serve_apps import logs, measures
from serve_apps.calls import call
from serve_apps.loopback import keep_on_loopback
from skystamp import frames
from skystamp.alerce_api.application import elsewhere
from skystamp.api import Refusal, refusals
from skystamp.api.access import Access
from skystamp.api.answers import ServedModel, ShadowModel
from skystamp.api.application import application
from skystamp.api.receiving import Limits, Receiver
from skystamp.api.tokens import TokenFile
from skystamp.classify import Outcome
from skystamp.cluster.batching import Batcher
from skystamp.frames import Framed

log = logging.getLogger("ray.serve")

_HOP_BYTES = 8 << 20  # of bodies that travel to the router together
_HOPS = 4  # on their way at once
_STATUS_S = 5


@dataclass(frozen=True, slots=True)
class IngressSettings:
    """See `serve_apps.alerts.Args`."""

    limits: Limits = field(default_factory=Limits)
    timeout_s: float = 60.0
    tokens: str | None = None


@serve.deployment(
    max_ongoing_requests=512,  # over it, and the queue below, Serve itself answers; `Limits.waiting_requests` is before
    max_queued_requests=128,
    backpressure_config=BackpressureConfig(retry_after_s=1),
    graceful_shutdown_timeout_s=60,
    ray_actor_options={"num_cpus": 0.25},
)
@serve.ingress()
class Ingress:
    """Requests in, answers out; bodies that wait for the router travel to it together."""

    def __init__(self, router: DeploymentHandle, settings: IngressSettings) -> None:
        keep_on_loopback()
        self._router, self._settings = router, settings
        self._access = _access(settings.tokens)
        self._receiver = Receiver(settings.limits, measures)
        # What is kept and what is not travel apart, so that a database that hangs keeps only its own waiting.
        self._batchers: dict[bool, Batcher[tuple[list[Framed], bool], list[list[Outcome]] | Refusal]] = {
            keep: Batcher(self._hop, size=_HOP_BYTES, at_once=_HOPS, weight=lambda body: frames.weight(body[0]))
            for keep in (True, False)
        }

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application that Serve passes requests to."""
        return application(self, self._access, self._receiver, routers=[elsewhere()])

    async def outcomes(self, containers: list[Framed], *, keep: bool) -> list[list[Outcome]]:
        """Return the outcomes of each container's packets, in order, when the store has them if they are to be kept.

        Raises
        ------
        Refusal
            503 or 504, or what the router refuses.
        """
        try:
            with measures.held("ingress"), measures.stage("wait"):
                async with asyncio.timeout(self._settings.timeout_s):
                    found = await self._batchers[keep]((containers, keep))
        except TimeoutError as error:
            raise refusals.too_slow(self._settings.timeout_s) from error
        except BackPressureError as error:
            raise refusals.busy() from error
        except DeploymentUnavailableError as error:
            raise refusals.unavailable() from error
        except RayError as error:
            if _is_mistake(error):
                raise
            raise refusals.unavailable() from error
        if isinstance(found, Refusal):
            raise found
        told = [outcome for part in found for outcome in part]
        measures.outcomes(told)
        logs.rejections(told)
        return found

    async def status(self) -> list[ServedModel]:
        """Return what each model's deployment serves."""
        return await self._asked(self._router.status.remote)

    async def challengers(self) -> list[ShadowModel]:
        """Return what each challenger's deployment holds."""
        return await self._asked(self._router.challengers.remote)

    async def drain(self) -> int:
        """Take in nothing more, and return how many requests are in hand; for `serve_apps.stop`."""
        return self._receiver.close()

    async def _hop(self, bodies: list[tuple[list[Framed], bool]]) -> list[list[list[Outcome]] | Refusal]:
        """Return the router's answer for each body; given up when nobody can be waiting for it any more."""
        async with asyncio.timeout(self._settings.timeout_s):
            return await call(self._router.classify.remote, bodies)

    async def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(_STATUS_S):
                return await call(question)
        except (TimeoutError, BackPressureError, DeploymentUnavailableError) as error:
            raise refusals.unavailable() from error
        except RayError as error:
            if _is_mistake(error):
                raise
            raise refusals.unavailable() from error


def _access(path: str | None) -> Access:
    tokens = TokenFile(Path(path), time.monotonic, log.error) if path else None
    return Access(tokens, time.monotonic, lambda: datetime.now(UTC))


def _is_mistake(error: RayError) -> bool:
    """Return whether another part made a mistake; otherwise it stops, starts or is gone."""
    return isinstance(error, RayTaskError) and not isinstance(error, RayActorError)
