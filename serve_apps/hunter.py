"""The Hunter page beside the service: `make serve`, then http://127.0.0.1:8000/hunter.

    browser ── Hunter ── store <── the service (`serve_apps.alerts`) writes outcomes
                  └ a bundle, loaded when somebody first asks why: nothing of it is in the service's processes

An application of its own with replicas of its own, so that who browses takes nothing from who classifies but the
database's time. It needs the same `store` and the same `tokens` as the service.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from serve_apps.alerts import tracking_uri
from serve_apps.loopback import keep_on_loopback
from serve_apps.named import made_absolute, store_url
from skystamp import tns
from skystamp.alert import Alert
from skystamp.api.access import Access
from skystamp.api.tokens import TokenFile
from skystamp.classify import Matcher, Model
from skystamp.hunter.application import application
from skystamp.hunter.doors import Doors
from skystamp.hunter.explaining import Spoke, Why
from skystamp.hunter.reporting import Reporting
from skystamp.hunter.routes import HunterSettings
from skystamp.store import open_store

log = logging.getLogger("ray.serve")

STATEMENT_S = 60.0  # that a page's question may take the database


class Args(BaseModel):
    """Settings of the application, `args` in its YAML file."""

    model_config = ConfigDict(extra="forbid")

    store: str = Field(description="The service's store: sqlite:///FILE, postgresql://... or env:NAME of a variable.")
    tokens: str | None = Field(
        default=None,
        description="File of tokens (`skystamp tokens`); without one anybody who reaches the page may look, and only "
        "this machine may vote, under a name that is typed.",
    )
    required: int = Field(default=2, ge=1, description="People who have to agree until a candidate is confirmed.")
    tns: str | None = Field(
        default=None,
        description="TOML file of who reports to TNS (docs/tns.md); the key is SKYSTAMP_TNS_KEY of the environment.",
    )
    pictures: bool = Field(default=True, description="Whether readers are offered pictures of the sky from CDS.")
    explain: str | None = Field(
        default=None, description="The model that explains: NAME@ALIAS, NAME/VERSION or a bundle's folder."
    )
    catalogue: str | None = Field(default=None, description="AllWISE in HATS layout, where that model reads it.")
    tracking_uri: str | None = Field(
        default=None, description="Of MLflow; by default MLFLOW_TRACKING_URI, else .skystamp/mlflow.db of this folder."
    )


def build(args: Args) -> serve.Application:
    """Return the application."""
    resolved = {
        "store": made_absolute(args.store),
        "tokens": str(Path(args.tokens).absolute()) if args.tokens else None,
        "tns": str(Path(args.tns).absolute()) if args.tns else None,
        "tracking_uri": tracking_uri(args.tracking_uri) if args.explain else None,
    }
    return Hunter.bind(args.model_copy(update=resolved))


# num_cpus 0: on two cores what it would reserve keeps a night from being simulated or scored beside the service
@serve.deployment(max_ongoing_requests=64, graceful_shutdown_timeout_s=20, ray_actor_options={"num_cpus": 0})
@serve.ingress()
class Hunter:
    """The page, in a process of its own."""

    def __init__(self, args: Args) -> None:
        keep_on_loopback()
        self._args = args
        self._store = open_store(store_url(args.store), connections=8, statement_s=STATEMENT_S)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application that Serve passes requests to."""
        args = self._args
        tokens = TokenFile(Path(args.tokens), time.monotonic, log.error) if args.tokens else None
        access = Access(tokens, time.monotonic, lambda: datetime.now(UTC))
        return application(
            self._store,
            Doors(tokens, access, time.time),
            time.time,
            settings=HunterSettings(args.required, args.pictures, reporting(args.tns)),
            explainer=Explaining(args.explain, args.tracking_uri or "", args.catalogue) if args.explain else None,
        )

    async def check_health(self) -> None:
        """Ask the store, so that a replica that has lost it for good is replaced."""
        await asyncio.to_thread(self._store.offset, "hunter")


def reporting(file: str | None) -> Reporting:
    """Return who reports to TNS: as a file says, with the key that this process was started with."""
    if file is None:
        return Reporting()
    return Reporting(tns.read(Path(file)), os.environ.get(tns.KEY, ""))


class Explaining:
    """Explains by one model, which is loaded with the first question; a class because it holds the model."""

    def __init__(self, reference: str, uri: str, catalogue: str | None) -> None:
        self._reference, self._uri, self._catalogue = reference, uri, catalogue
        self._lock = threading.Lock()
        self._loaded: tuple[Model, Matcher | None] | None = None

    def __call__(self, alerts: Sequence[Alert], alert_id: int) -> Why:
        """Return why the model answers so for an alert, by integrated gradients."""
        from skystamp import explanation

        model, matcher = self._model()
        raw, _ = explanation.subject(alerts, alert_id, model.bundle.spec, matcher)
        found = explanation.explain(model.bundle, raw)
        pixels = found.stamps("integrated")[-1] if "stamps" in found.inputs else None
        return Why(
            model=f"{model.name} {model.version}",
            label=found.label,
            probability=found.probability,
            pixels={} if pixels is None else {band: pixels[:, :, i] for i, band in enumerate(found.bands)},
            numbers=[Spoke(one.name, one.value, one.integrated_gradient) for one in found.numbers],
        )

    def _model(self) -> tuple[Model, Matcher | None]:
        from skystamp import crossmatch, tracking

        with self._lock:
            if self._loaded is None:
                matcher = crossmatch.open_catalogue(self._catalogue) if self._catalogue else None
                self._loaded = tracking.load(self._reference, self._uri), matcher
            return self._loaded
