"""The HTTP face of `serve_apps.alerts`: routes, limits, and every refusal as JSON with one sentence."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from serve_apps.calls import call
from serve_apps.loopback import keep_on_loopback
from skystamp import frames
from skystamp.api import Answer, Bodies, Refusal, Room, Share, answer_json, pages, refusals
from skystamp.api.answers import Readiness, ServedModel
from skystamp.api.bodies import CONTENT_TYPES
from skystamp.api.refusals import ErrorAnswer
from skystamp.classify import Outcome
from skystamp.cluster.batching import Batcher
from skystamp.frames import Framed

log = logging.getLogger("ray.serve")

_HOP_BYTES = 8 << 20  # of bodies that travel to the router together
_HOPS = 4  # on their way at once
_STATUS_S = 5
_GONE = 499  # the client went away; nobody reads this status but the log

app = FastAPI(
    title="skystamp",
    description="Classifies astronomical alerts from their first detection on: Avro packets in, one outcome each out.",
    version="1",
    docs_url=None,
    redoc_url=None,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost; see `serve_apps.alerts.Args`."""

    body_bytes: int
    unpacked_bytes: int
    waiting_bytes: int
    timeout_s: float


_STORE = Query(description="Whether detections and outcomes are remembered, where the service has a store.")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(CONTENT_TYPES, _BINARY)}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The body is empty, damaged gzip, no Avro container or no frames."},
    413: {"model": ErrorAnswer, "description": "Too many bytes or packets; send them in parts."},
    415: {"model": ErrorAnswer, "description": "Another content type or encoding than those above."},
    503: {"model": ErrorAnswer, "description": "No room, or a part is starting; `Retry-After` says when to come back."},
    504: {"model": ErrorAnswer, "description": "It took too long."},
}


@app.exception_handler(Refusal)
async def _refused(_: Request, refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


@app.exception_handler(HTTPException)
async def _not_ours(request: Request, error: HTTPException) -> JSONResponse:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    sentence = f"{request.method} {request.url.path[:80]} is not a route of this service; /docs lists them."
    return JSONResponse(Refusal(error.status_code, code, sentence).body, error.status_code, error.headers)


@app.exception_handler(ClientDisconnect)
async def _gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=_GONE)


@serve.deployment(
    max_ongoing_requests=512,
    max_queued_requests=512,
    graceful_shutdown_timeout_s=20,
    ray_actor_options={"num_cpus": 0.25},
)
@serve.ingress(app)
class Ingress:
    """Requests in, answers out; bodies that wait for the router travel to it together."""

    def __init__(self, router: DeploymentHandle, limits: Limits) -> None:
        keep_on_loopback()
        self._router, self._limits = router, limits
        self._bodies = Bodies(limits.body_bytes, limits.unpacked_bytes)
        self._room = Room(limits.waiting_bytes)
        self._batcher: Batcher[tuple[list[Framed], bool], list[list[Outcome]] | Refusal] = Batcher(
            partial(call, router.classify.remote),
            size=_HOP_BYTES,
            at_once=_HOPS,
            weight=lambda body: frames.weight(body[0]),
        )

    @app.post(
        "/v1/classify",
        summary="Classify packets",
        response_class=Response,
        responses={200: {"model": Answer, "description": "One outcome for each packet, in order."}, **_REFUSED},
        openapi_extra=_BODY,
    )
    async def classify(self, request: Request, store: Annotated[bool, _STORE] = True) -> Response:
        """Answer one outcome for each packet of the body, in order.

        The body is an Avro object container with one packet or many, or many containers in frames
        (`application/x-skystamp-packets`), as it is or with `Content-Encoding: gzip`. A packet that can not be
        classified gets a rejection in its place and costs the others nothing; so does a frame that is no container.

        Each packet is answered by its object's detections up to it. Where the service has a store these are all that
        ever came, and the answer is given when the store has it; otherwise, and with `store=false`, those of the body.
        """
        header = request.headers.get
        kind, encoding = header("content-type", ""), header("content-encoding", "")
        self._bodies.check_headers(kind, encoding, header("content-length", ""))
        with self._room.share() as share:
            body = await self._received(request, share)
            containers = await self._containers(body, encoding, kind)
            share.take(max(0, frames.weight(containers) - len(body)))
            parts = await self._outcomes(containers, keep=store)
        outcomes = [outcome for part in parts for outcome in part]
        return Response(answer_json(outcomes, [len(part) for part in parts]), media_type="application/json")

    @app.get("/healthz", summary="Whether the process is up")
    async def healthz(self) -> dict[str, str]:
        """Answer 200 as long as the process that speaks HTTP runs."""
        return {"status": "up"}

    @app.get(
        "/readyz",
        summary="Whether packets can be classified",
        response_model=Readiness,
        responses={503: {"model": ErrorAnswer, "description": "Not yet, or not now."}},
    )
    async def readyz(self) -> Readiness:
        """Answer 200 with the models that are loaded, and what is wrong with a newer version, or 503."""
        return Readiness(ready=True, models=await self._status())

    @app.get("/v1/models", summary="The models that answer", responses={503: {"model": ErrorAnswer}})
    async def models(self) -> list[ServedModel]:
        """Answer name, version and classes of each model."""
        return await self._status()

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def docs(self, request: Request) -> HTMLResponse:
        """Answer the page that lists the routes."""
        return HTMLResponse(pages.page(app.openapi(), str(request.base_url).rstrip("/")))

    async def _received(self, request: Request, share: Share) -> bytes:
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            self._bodies.check_size(size)
            share.take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    async def _containers(self, body: bytes, encoding: str, kind: str) -> list[Framed]:
        if encoding:
            return await asyncio.to_thread(self._bodies.containers, body, encoding, kind)
        return self._bodies.containers(body, encoding, kind)

    async def _outcomes(self, containers: list[Framed], *, keep: bool) -> list[list[Outcome]]:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                found = await self._batcher((containers, keep))
        except TimeoutError as error:
            raise refusals.too_slow(self._limits.timeout_s) from error
        except BackPressureError as error:
            raise refusals.busy() from error
        except (RayActorError, DeploymentUnavailableError) as error:
            raise refusals.unavailable() from error
        if isinstance(found, Refusal):
            raise found
        return found

    async def _status(self) -> list[ServedModel]:
        try:
            async with asyncio.timeout(_STATUS_S):
                return await call(self._router.status.remote)
        except (TimeoutError, BackPressureError, RayActorError, DeploymentUnavailableError) as error:
            raise refusals.unavailable() from error
