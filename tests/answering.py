"""The service's application in this process: the library's own routes before a model without a network."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from skystamp import avro, classify
from skystamp.api import Refusal, tokens
from skystamp.api.access import Access, Scope
from skystamp.api.answers import ServedModel, ShadowModel
from skystamp.api.application import application
from skystamp.api.metering import Meter
from skystamp.api.receiving import Limits, Receiver
from skystamp.api.tokens import TokenFile
from skystamp.classify import Outcome
from skystamp.errors import Reject
from skystamp.frames import Framed
from tests import faking

LOCAL, REMOTE = "127.0.0.1", "203.0.113.7"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AVRO = {"content-type": "application/avro"}


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeAnswers:
    """Answers with the library's outcomes; `fault` is raised instead, `kept` has what was asked to be kept."""

    fault: BaseException | None = None
    kept: list[bool] = field(default_factory=list)

    async def outcomes(self, containers: list[Framed], *, keep: bool) -> list[list[Outcome]]:
        if self.fault is not None:
            raise self.fault
        self.kept.append(keep)
        return [_outcomes(container) for container in containers]

    async def status(self) -> list[ServedModel]:
        if isinstance(self.fault, Refusal):
            raise self.fault
        classes = ["AGN", "SN", "VS", "asteroid", "bogus"]
        return [ServedModel(name="first-detection", version="7", reference="a@b", classes=classes, loaded=NOW)]

    async def challengers(self) -> list[ShadowModel]:
        return []


def app(
    *,
    tokens: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    service: FakeAnswers | None = None,
    limits: Limits | None = None,
    meter: Meter | None = None,
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """Return the application over `FakeAnswers`."""
    file = TokenFile(tokens, clock, lambda _: None) if tokens else None
    access = Access(file, clock, lambda: NOW)
    return application(service or FakeAnswers(), access, Receiver(limits or Limits(), meter), routers=routers)


def ask(
    app: FastAPI, method: str, path: str, *, peer: str = LOCAL, base: str = "http://127.0.0.1:8000", **request: Any
) -> httpx.Response:
    """Return the application's answer to a request that comes from `peer`."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **request)

    return asyncio.run(asked())


def bearer(secret: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"authorization": f"Bearer {secret}"}


def token(path: Path, *scopes: Scope, name: str = "somebody", **more: Any) -> str:
    """Return the secret of a new token in a file."""
    return tokens.add(path, name, scopes, **more)


def _outcomes(container: Framed) -> list[Outcome]:
    items = [container] if isinstance(container, Reject) else list(avro.read(container))
    return classify.records(items, faking.model())
