"""The routes that every service has: packets in, outcomes out; whether it is up; its models; its own documentation."""

from typing import Annotated, Any, Protocol, runtime_checkable

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from skystamp.api import pages
from skystamp.api.access import Access, Scope, guarded
from skystamp.api.answers import Answer, Readiness, ServedModel, ShadowModel, answer_json
from skystamp.api.bodies import CONTENT_TYPES
from skystamp.api.receiving import Receiver
from skystamp.api.refusals import ErrorAnswer
from skystamp.classify import Outcome
from skystamp.frames import Framed


@runtime_checkable
class Service(Protocol):
    """What answers behind the routes."""

    async def outcomes(self, containers: list[Framed], *, keep: bool) -> list[list[Outcome]]:
        """Return the outcomes of each container's packets, in order; remembered if `keep` and there is a store.

        Raises
        ------
        Refusal
        """
        ...

    async def status(self) -> list[ServedModel]:
        """Return what each model's deployment serves.

        Raises
        ------
        Refusal
        """
        ...

    async def challengers(self) -> list[ShadowModel]:
        """Return what runs in shadow.

        Raises
        ------
        Refusal
        """
        ...


CLASSIFY = "/v1/classify"

router = APIRouter()


class _Asked(BaseModel):
    """Parameters of a request to classify; one that is not known is refused, for it may be `store` misspelt."""

    model_config = ConfigDict(extra="forbid")

    store: bool = Field(
        default=True, description="Whether detections and outcomes are remembered, where the service has a store."
    )


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(CONTENT_TYPES, _BINARY)}}
_BUSY: dict[str, Any] = {
    "model": ErrorAnswer,
    "description": "No room, or a part is starting; `Retry-After` says when to come back.",
}
_READ, _CLASSIFY = guarded(Scope.READ), guarded(Scope.CLASSIFY)
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {
        "model": ErrorAnswer,
        "description": "The body is empty, damaged gzip, no Avro container or no frames; or no such X-Request-ID.",
    },
    408: {"model": ErrorAnswer, "description": "The body did not come in time."},
    413: {"model": ErrorAnswer, "description": "Too many bytes or packets; send them in parts."},
    415: {"model": ErrorAnswer, "description": "Another content type or encoding than those above."},
    422: {"model": ErrorAnswer, "description": "A parameter has a value that it cannot have."},
    503: _BUSY,
    504: {"model": ErrorAnswer, "description": "It took too long."},
}


@router.post(
    CLASSIFY,
    summary="Classify packets",
    response_class=Response,
    dependencies=_CLASSIFY["dependencies"],
    responses={
        200: {"model": Answer, "description": "One outcome for each packet, in order."},
        **_CLASSIFY["responses"],
        **_REFUSED,
    },
    openapi_extra=_BODY,
)
async def classify(request: Request, asked: Annotated[_Asked, Query()]) -> Response:
    """Answer one outcome for each packet of the body, in order.

    The body is an Avro object container with one packet or many, or many containers in frames
    (`application/x-skystamp-packets`), as it is or with `Content-Encoding: gzip`. A packet that can not be
    classified gets a rejection in its place and costs the others nothing; so does a frame that is no container.

    Each packet is answered by its object's detections up to it. Where the service has a store these are all that
    ever came, and the answer is given when the store has it; otherwise, and with `store=false`, those of the body.
    """
    service: Service = request.app.state.service
    access: Access = request.app.state.access
    receiver: Receiver = request.app.state.receiver
    with receiver.meter.stage("request"):
        async with receiver.received(request) as containers:
            parts = await service.outcomes(containers, keep=asked.store)
        outcomes = [outcome for part in parts for outcome in part]
        access.charge(request.state.caller, len(outcomes))
        told = answer_json(outcomes, [len(part) for part in parts])
    receiver.meter.answered(200, "")
    return Response(told, media_type="application/json")


@router.get("/healthz", summary="Whether the process is up")
async def healthz() -> dict[str, str]:
    """Answer 200 as long as the process that speaks HTTP runs."""
    return {"status": "up"}


@router.get("/readyz", summary="Whether packets can be classified", responses={503: _BUSY})
async def readyz(request: Request) -> Readiness:
    """Answer 200 with the models that are loaded, and what is wrong with a newer version, or 503."""
    service: Service = request.app.state.service
    access: Access = request.app.state.access
    problems = [access.problem] if access.problem else []
    found, challengers = await service.status(), await service.challengers()
    return Readiness(ready=True, models=found, problems=problems, challengers=challengers)


@router.get(
    "/v1/models",
    summary="The models that answer",
    dependencies=_READ["dependencies"],
    responses={**_READ["responses"], 503: _BUSY},
)
async def models(request: Request) -> list[ServedModel]:
    """Answer name, version and classes of each model."""
    service: Service = request.app.state.service
    return await service.status()


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
@router.get("/", response_class=HTMLResponse, include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Answer the page that lists the routes."""
    return HTMLResponse(pages.page(request.app.openapi(), str(request.base_url).rstrip("/")))
