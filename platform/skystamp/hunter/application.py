"""The page as a whole application: its routes, refusals as a sentence on a page or as JSON, and small answers."""

from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from skystamp.api import Refusal
from skystamp.errors import StoreUnavailable
from skystamp.hunter import pages
from skystamp.hunter.doors import Doors
from skystamp.hunter.explaining import Explainer
from skystamp.hunter.routes import HunterSettings, routes
from skystamp.store import Store

_SMALL = 4_000  # bytes that are not worth packing


def application(
    store: Store,
    gate: Doors,
    clock: Callable[[], float],
    *,
    settings: HunterSettings | None = None,
    explainer: Explainer | None = None,
) -> FastAPI:
    """Return the application of the page; see `routes.routes` for what it takes."""
    app = FastAPI(title="skystamp hunter", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(routes(store, gate, clock, settings=settings, explainer=explainer))
    app.add_middleware(GZipMiddleware, minimum_size=_SMALL, compresslevel=1)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(StoreUnavailable, _away)
    app.add_exception_handler(HTTPException, _not_ours)
    app.add_exception_handler(RequestValidationError, _not_understood)
    return app


async def _refused(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    if "text/html" in request.headers.get("accept", ""):
        base = str(request.scope.get("root_path", "")).rstrip("/")
        return pages.html(pages.environment(), "message.html", refusal.status, message=refusal.message, base=base)
    headers = {**pages.HEADERS, **pages.PRIVATE, **refusal.headers}
    return JSONResponse(refusal.body, refusal.status, headers)


async def _away(request: Request, _: Exception) -> Response:
    sentence = "The store is busy or away; nothing was written. Try again in a few seconds."
    return await _refused(request, Refusal(503, "unavailable", sentence, {"Retry-After": "5"}))


async def _not_ours(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return await _refused(request, Refusal(status, "not_found", "There is no such page."))


async def _not_understood(request: Request, _: Exception) -> Response:
    return await _refused(request, Refusal(422, "bad_address", "A part of the address is no number."))
