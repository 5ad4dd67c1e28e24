"""The API as a whole application, which stands below `PREFIX`; and the way there from addresses without it."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import HTMLResponse, RedirectResponse

from skystamp.alerce_api import errors
from skystamp.alerce_api.routes import address, routes
from skystamp.api import pages
from skystamp.api.access import Access
from skystamp.store import Store

PREFIX = "/ztf"

_SMALL = 4_000  # bytes that are not worth packing
_ABOUT = "Objects, light curves, scores, stamps and packets of the store, by the names of ALeRCE's ZTF API."
_ELSEWHERE = ("/get_stamp", "/get_avro", "/get_avro_info", "/v2/lightcurve/forced-photometry/{oid:path}")


def application(store: Store, access: Access) -> FastAPI:
    """Return the application over a store, for those whom `access` lets read."""
    app = FastAPI(title="skystamp, ALeRCE's API", description=_ABOUT, version="1", docs_url=None, redoc_url=None)
    app.state.access = access
    app.include_router(routes(store))
    app.add_api_route("/docs", _docs, include_in_schema=False)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALL, compresslevel=1)
    errors.add(app)
    return app


def elsewhere() -> APIRouter:
    """Return routes for the application at `/` that send on what ALeRCE's client asks there and `PREFIX` has.

    So `http://host:8000` alone is enough as the client's addresses.
    """
    router = APIRouter(include_in_schema=False)
    for path in _ELSEWHERE:
        router.add_api_route(path, _sent_on)
    return router


def _sent_on(request: Request) -> RedirectResponse:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}{request.url.path}{query}", 307)


def _docs(request: Request) -> HTMLResponse:
    """Answer the page that lists the routes."""
    return HTMLResponse(pages.page(request.app.openapi(), address(request)))
