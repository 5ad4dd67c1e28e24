"""Packets over HTTP in, outcomes out: `serve run serve_apps/local.yaml`.

    HTTP ─ Ingress ── bodies ──> Router ── alerts ──> first-detection
           limits, JSON          Avro to alerts,      stamps, inputs, network;
                                 the model for each   follows its alias

Each arrow is a `Batcher`: what waits while a call is on its way travels together in the next, so a lone packet goes at
once and many share the cost of a hop. A classification changes nothing, so a call whose replica died is made again.
"""

import asyncio
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.serve.handle import DeploymentHandle

from serve_apps.calls import call
from serve_apps.ingress import Ingress, Limits
from serve_apps.loopback import keep_on_loopback
from skystamp import avro, classify, routing
from skystamp.alert import Alert
from skystamp.api import Refusal, ServedModel, refusals
from skystamp.classify import Classification, Outcome, Rejection
from skystamp.cluster.batching import Batcher

log = logging.getLogger("ray.serve")


class Args(BaseModel):
    """Settings of the application, `args` in its YAML file."""

    model_config = ConfigDict(extra="forbid")

    models: dict[str, str] = Field(
        default={routing.FIRST_DETECTION: f"{routing.FIRST_DETECTION}@champion"},
        description="For each model that is served: NAME@ALIAS, NAME/VERSION or a bundle's folder.",
    )
    tracking_uri: str | None = Field(
        default=None, description="Of MLflow; by default MLFLOW_TRACKING_URI, else .skystamp/mlflow.db of this folder."
    )
    follow_s: float = Field(default=30, ge=0, description="Seconds between two looks at an alias; 0 never looks.")
    batch: int = Field(default=64, ge=1, description="Alerts through a model at once, at most.")
    threads: int = Field(default=2, ge=1, description="CPU threads of a model's network.")
    max_body_bytes: int = Field(default=64 << 20, ge=1, description="Of a body as it travels; 413 over it.")
    max_unpacked_bytes: int = Field(default=128 << 20, ge=1, description="Of a body after gzip; 413 over it.")
    max_packets: int = Field(default=10_000, ge=1, description="In one body; 413 over it.")
    max_waiting_bytes: int = Field(
        default=512 << 20,
        ge=1,
        description="Of all bodies in hand of one ingress replica; 503 over it.",
    )
    timeout_s: float = Field(default=60, gt=0, description="Seconds until a request is answered 504.")


def build(args: Args) -> serve.Application:
    """Return the application: an ingress before a router before one deployment a model."""
    unknown = sorted(set(args.models) - set(routing.MODEL_FOR.values()))
    if unknown or routing.FIRST_DETECTION not in args.models:
        names = ", ".join(routing.MODEL_FOR.values())
        raise ValueError(f"models should be of {names}, the first among them. Received: {sorted(args.models)}")
    uri = args.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or _default_uri()
    served = {
        name: ModelServer.options(name=name).bind(reference, uri, args.follow_s, args.batch, args.threads)
        for name, reference in args.models.items()
    }
    router = Router.bind(served, args.batch, args.max_packets, args.max_unpacked_bytes)
    limits = Limits(args.max_body_bytes, args.max_unpacked_bytes, args.max_waiting_bytes, args.timeout_s)
    return Ingress.bind(router, limits)


def _default_uri() -> str:
    from skystamp import tracking

    return tracking.default_uri()


# ------------------------------------------------------------------------------------------------------------ the model


@serve.deployment(
    max_ongoing_requests=64,
    health_check_period_s=5,
    graceful_shutdown_timeout_s=20,
    ray_actor_options={"num_cpus": 0.5},
)
class ModelServer:
    """One model: lists of alerts in, their outcomes out, batched over all who ask."""

    def __init__(self, reference: str, tracking_uri: str, follow_s: float, batch: int, threads: int) -> None:
        keep_on_loopback()
        for name, value in _network_environment(threads).items():
            os.environ.setdefault(name, value)  # read once, when the network's library is loaded below
        from skystamp import tracking
        from skystamp.cluster.following import Following

        name, _, alias = reference.partition("@")
        self._reference = reference
        self._served = Following(
            partial(tracking.load, reference, tracking_uri),
            partial(tracking.alias_version, name, alias, tracking_uri),
            follow_s if alias and not Path(reference).is_dir() else 0.0,
        )
        self._threads = ThreadPoolExecutor(2, "model")  # one decodes while the other's network runs
        self._batcher: Batcher[Alert, Outcome] = Batcher(self._answer, size=batch, at_once=2)

    async def classify(self, alerts: list[Alert]) -> list[Outcome]:
        """Return the outcome of each alert, in order."""
        return await asyncio.gather(*(self._batcher.submit(alert) for alert in alerts))

    async def status(self) -> ServedModel:
        """Return what is served here."""
        served = self._served
        return ServedModel(
            name=served.model.name,
            version=served.model.version,
            reference=self._reference,
            classes=list(served.model.bundle.classes),
            loaded=served.loaded,
            problem=served.problem,
        )

    async def _answer(self, alerts: list[Alert]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, classify.alert_outcomes, alerts, self._served.model)


def _network_environment(threads: int) -> dict[str, str]:
    return {
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


# ----------------------------------------------------------------------------------------------------------- the router


@serve.deployment(max_ongoing_requests=64, ray_actor_options={"num_cpus": 0.25})
class Router:
    """Containers in, the outcomes of their packets out: reads the alerts and sends each to the model that is for it."""

    def __init__(self, models: dict[str, DeploymentHandle], batch: int, max_packets: int, max_bytes: int) -> None:
        keep_on_loopback()
        self._models = models
        self._read = partial(read_alerts, max_packets=max_packets, max_bytes=max_bytes)
        self._batchers: dict[str, Batcher[Alert, Outcome]] = {
            name: Batcher(partial(call, handle.classify.remote), size=batch, at_once=4)
            for name, handle in models.items()
        }
        self._reader = ThreadPoolExecutor(1, "reader")

    async def classify(self, containers: list[bytes]) -> list[list[Outcome] | Refusal]:
        """Return the outcomes of each container's packets, or why the container is refused, in order."""
        return await asyncio.gather(*(self._outcomes(container) for container in containers))

    async def status(self) -> list[ServedModel]:
        """Return what each model's deployment serves."""
        return list(await asyncio.gather(*(call(handle.status.remote) for handle in self._models.values())))

    async def _outcomes(self, container: bytes) -> list[Outcome] | Refusal:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._reader, self._read, container)
        if isinstance(found, Refusal):
            return found
        outcomes = await asyncio.gather(*(self._outcome(item) for item in found))
        for outcome in outcomes:
            if isinstance(outcome, Rejection):
                log.info(json.dumps({"rejected": outcome.alert_id, "reason": outcome.reason, "detail": outcome.detail}))
        return outcomes

    async def _outcome(self, item: Alert | Rejection) -> Outcome:
        if isinstance(item, Rejection):
            return item
        route = routing.route(1, self._models)  # each packet is its object's only one until histories are stored
        outcome = await self._batchers[route.model](item)
        flagged = isinstance(outcome, Classification) and route.flags
        return replace(outcome, flags=(*outcome.flags, *route.flags)) if flagged else outcome


def read_alerts(container: bytes, *, max_packets: int, max_bytes: int) -> list[Alert | Rejection] | Refusal:
    """Return the alert of each packet of a container, or the rejection in its place.

    A `Refusal` if there are more than `max_packets` packets, or more than `max_bytes` of cutouts in all of them.
    """
    found: list[Alert | Rejection] = []
    size = 0
    for item in avro.read(container):
        read = classify.alerts([item])
        size += sum(len(cutout) for alert in read if isinstance(alert, Alert) for cutout in alert.cutouts.values())
        found += read
        if len(found) > max_packets:
            return refusals.too_many(max_packets)
        if size > max_bytes:
            return refusals.too_large("The cutouts of a body", max_bytes)
    return found
