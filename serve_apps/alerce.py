"""ALeRCE's read API beside the service: `serve run serve_apps/local.yaml`, then http://127.0.0.1:8000/ztf/v1/objects.

    alerce client, browser ── Alerce ── store <── the service (`serve_apps.alerts`) writes outcomes

An application of its own with replicas of its own, so that who reads a million objects takes nothing from who
classifies but the database's time. It needs the same `store` and the same `tokens` as the service.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from serve_apps.loopback import keep_on_loopback
from serve_apps.named import made_absolute, store_url
from skystamp.alerce_api.application import application
from skystamp.api.access import Access
from skystamp.api.tokens import TokenFile
from skystamp.store import open_store

log = logging.getLogger("ray.serve")

STATEMENT_S = 60.0  # that a question may take the database


class Args(BaseModel):
    """Settings of the application, `args` in its YAML file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)  # which may be a URL with a password

    store: str = Field(repr=False, description="The service's store, as there: a URL, or env:NAME of a variable.")
    tokens: str | None = Field(
        default=None,
        description="File of tokens (`skystamp tokens`), of which those with the scope read may ask; without one "
        "anybody who reaches it.",
    )


def build(args: Args) -> serve.Application:
    """Return the application."""
    tokens = str(Path(args.tokens).absolute()) if args.tokens else None
    return Alerce.bind(Args(store=made_absolute(args.store), tokens=tokens))


# num_cpus 0: on two cores what it would reserve keeps a night from being simulated or scored beside the service
@serve.deployment(max_ongoing_requests=64, graceful_shutdown_timeout_s=20, ray_actor_options={"num_cpus": 0})
@serve.ingress()
class Alerce:
    """The API, in a process of its own."""

    def __init__(self, args: Args) -> None:
        keep_on_loopback()
        self._tokens = args.tokens
        self._store = open_store(store_url(args.store), connections=8, statement_s=STATEMENT_S)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application that Serve passes requests to."""
        tokens = TokenFile(Path(self._tokens), time.monotonic, log.error) if self._tokens else None
        return application(self._store, Access(tokens, time.monotonic, lambda: datetime.now(UTC)))

    async def check_health(self) -> None:
        """Ask the store, so that a replica that has lost it for good is replaced."""
        await asyncio.to_thread(self._store.offset, "alerce")
