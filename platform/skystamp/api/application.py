"""The HTTP application: its routers, what they share, and every refusal as JSON with one sentence.

    FastAPI ── Access (who may) ── routers ── Service (who answers)

A router finds what it needs in ``request.app.state``: `access`, `receiver`, `service`. More of them are added by
``application(..., routers=[...])``.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from skystamp import request_ids
from skystamp.api import routes
from skystamp.api.access import Access
from skystamp.api.receiving import Receiver
from skystamp.api.refusals import ErrorAnswer, Refusal

_GONE = 499  # the client went away; nobody reads this status but the log
_UNFIT = f"X-Request-ID should be {request_ids.WANTED}."
_ABOUT = "Classifies astronomical alerts from their first detection on: Avro packets in, one outcome each out."


def application(
    service: routes.Service, access: Access, receiver: Receiver, *, routers: Sequence[APIRouter] = ()
) -> FastAPI:
    """Return the application of a service, with the routes that every service has and those of `routers`."""
    app = FastAPI(
        title="skystamp",
        description=_ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_named)],
        responses={400: {"model": ErrorAnswer, "description": _UNFIT}},
    )
    app.state.service, app.state.access, app.state.receiver = service, access, receiver
    for router in (routes.router, *routers):
        app.include_router(router)
    for fault, handler in _HANDLERS.items():
        app.add_exception_handler(fault, handler)
    return app


async def _named(request: Request) -> None:
    """Refuse what calls itself something that no log should hold, where the proxy has let it pass."""
    if not all(map(request_ids.is_fit, request.headers.getlist(request_ids.HEADER))):
        raise Refusal(400, "bad_request_id", _UNFIT)


async def _refused(request: Request, refusal: Any) -> JSONResponse:
    if request.url.path == routes.CLASSIFY:
        request.app.state.receiver.meter.answered(refusal.status, refusal.code)
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


async def _not_a_route(request: Request, error: Any) -> JSONResponse:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    sentence = f"{request.method} {request.url.path[:80]} is not a route of this service; /docs lists them."
    if code == "refused":
        sentence = str(error.detail)
    return JSONResponse(Refusal(error.status_code, code, sentence).body, error.status_code, error.headers)


async def _bad_parameter(request: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    where = " ".join(str(part) for part in first["loc"])
    return await _refused(request, Refusal(422, "bad_parameter", f"{where}: {first['msg']}."))


async def _gone(_: Request, __: Any) -> Response:
    return Response(status_code=_GONE)


async def _fault(request: Request, _: Any) -> JSONResponse:
    """Answer a fault of ours, which the log has in full and the client not at all."""
    return await _refused(request, Refusal(500, "fault", "The service made a mistake, which its log tells."))


_HANDLERS: dict[Any, Any] = {
    Refusal: _refused,
    HTTPException: _not_a_route,
    RequestValidationError: _bad_parameter,
    ClientDisconnect: _gone,
    500: _fault,
}
