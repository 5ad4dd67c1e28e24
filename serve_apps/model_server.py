"""One model behind a deployment: alerts or sequences in, answers out; it follows its alias."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ray import serve

from serve_apps.loopback import keep_on_loopback
from skystamp import classify, crossmatch
from skystamp.alert import Alert
from skystamp.api import ServedModel
from skystamp.classify import Answer, Outcome, Read
from skystamp.cluster.batching import Batcher
from skystamp.inputs import Raw


@serve.deployment(
    max_ongoing_requests=64,
    health_check_period_s=5,
    graceful_shutdown_timeout_s=20,
    ray_actor_options={"num_cpus": 0.5},
)
class ModelServer:
    """One model: lists of alerts in, their outcomes out, batched over all who ask; or questions in, answers out."""

    def __init__(
        self, reference: str, tracking_uri: str, follow_s: float, batch: int, threads: int, catalogue: str | None = None
    ) -> None:
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
        self._catalogue = crossmatch.open_catalogue(catalogue) if catalogue else None
        self._threads = ThreadPoolExecutor(2, "model")  # one decodes while the other's network runs
        self._batcher: Batcher[Alert, Outcome] = Batcher(self._answer, size=batch, at_once=2)

    async def classify(self, alerts: list[Alert]) -> list[Outcome]:
        """Return the outcome of each alert by itself, in order; of a model of single detections."""
        return await asyncio.gather(*(self._batcher.submit(alert) for alert in alerts))

    async def ask(self, reads: list[Read], seen: list[Alert], raw: Raw) -> list[Answer]:
        """Return the answer to each of `reads`, which are indices of `seen` (without cutouts) and rows of `raw`."""
        work = partial(classify.answered, self._served.model, reads, seen, raw, self._catalogue)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

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
