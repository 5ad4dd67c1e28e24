"""One model behind a deployment: alerts or sequences in, answers out; it follows its alias."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ray import serve

from serve_apps import measures
from serve_apps.loopback import keep_on_loopback
from skystamp import classify, crossmatch
from skystamp.alert import Alert
from skystamp.api import ServedModel
from skystamp.classify import Answer, Model, Outcome, Read
from skystamp.cluster.batching import Batcher
from skystamp.inputs import Raw


@serve.deployment(
    max_ongoing_requests=64,
    max_queued_requests=256,  # of one router, which has at most 16 on their way; and of health and status
    health_check_period_s=5,
    graceful_shutdown_timeout_s=20,
    ray_actor_options={"num_cpus": 0.5},
)
class ModelServer:
    """One model: lists of alerts in, their outcomes out, batched over all who ask; or questions in, answers out."""

    def __init__(
        self,
        name: str,
        reference: str,
        tracking_uri: str,
        follow_s: float,
        batch: int,
        threads: int,
        catalogue: str | None = None,
    ) -> None:
        keep_on_loopback()
        for variable, value in network_environment(threads).items():
            os.environ.setdefault(variable, value)  # read once, when the network's library is loaded below
        from skystamp import tracking
        from skystamp.cluster.following import Following

        registered, alias = tracking.parsed(reference)
        self._name, self._reference = name, reference
        self._served = Following(
            checked(name, partial(tracking.load, reference, tracking_uri)),
            partial(tracking.alias_version, registered, alias, tracking_uri),
            follow_s if alias else 0.0,
            before=partial(tracking.load_answering, registered, alias, tracking_uri) if alias else None,
            taken=partial(_note, registered, alias, tracking_uri) if alias else None,
        )
        self._catalogue = crossmatch.open_catalogue(catalogue) if catalogue else None
        self._threads = ThreadPoolExecutor(2, "model")  # one decodes while the other's network runs
        self._batcher: Batcher[Alert, Outcome] = Batcher(self._answer, size=batch, at_once=2)

    async def classify(self, alerts: list[Alert]) -> list[Outcome]:
        """Return the outcome of each alert by itself, in order; of a model of single detections."""
        with measures.held(self._name, len(alerts)):
            return await asyncio.gather(*(self._batcher.submit(alert) for alert in alerts))

    async def ask(self, reads: list[Read], seen: list[Alert], raw: Raw) -> list[Answer]:
        """Return the answer to each of `reads`, which are indices of `seen` (without cutouts) and rows of `raw`."""
        work = partial(classify.answered, self._served.model, reads, seen, raw, self._catalogue)
        with measures.held(self._name, len(reads)):
            return await self._in_thread(work, len(reads))

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
        return await self._in_thread(partial(classify.alert_outcomes, alerts, self._served.model), len(alerts))

    async def check_health(self) -> None:
        """Tell the metrics which version answers; Serve asks every few seconds, and a version may change between."""
        measures.serving(self._name, self._served.model.version, problem=self._served.problem is not None)

    async def _in_thread(self, work: Callable[[], Any], alerts: int) -> Any:
        def measured() -> Any:
            with measures.batch(self._name, alerts):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, measured)


def _note(name: str, alias: str, uri: str, version: str) -> None:
    from skystamp import tracking

    tracking.note_answering(name, alias, version, uri)


def checked(name: str, load: Callable[[], Model]) -> Callable[[], Model]:
    """Return `load` with the refusal of a model that reads another number of detections than its name says."""
    return lambda: classify.require_detections(name, load())


def network_environment(threads: int) -> dict[str, str]:
    """Return the settings of a network's library, which reads them once, when it is loaded."""
    return {
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }
