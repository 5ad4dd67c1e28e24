"""Refusals in the form that ALeRCE's client raises: `detail` is its message, `errors` its data.

400  a parameter that can not be understood: ParseError       404  nothing of that name: ObjectNotFoundError
401, 403, 429  who asks (`skystamp.api.access`)               503  the store is busy or away: APIError
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from skystamp.api import Refusal
from skystamp.errors import Reject, StoreUnavailable, UsageError


def add(app: FastAPI) -> None:
    """Let an application answer every refusal in this form."""
    handlers: dict[Any, Any] = {
        Refusal: _refused,
        RequestValidationError: _not_understood,
        UsageError: _not_possible,
        Reject: _damaged,
        StoreUnavailable: _away,
        HTTPException: _no_route,
        500: _fault,
    }
    for fault, handler in handlers.items():
        app.add_exception_handler(fault, handler)


def not_found(sentence: str, code: str = "not_found") -> Refusal:
    """Return the refusal for what is not there."""
    return Refusal(404, code, sentence)


def answer(refusal: Refusal, errors: dict[str, str] | None = None) -> JSONResponse:
    """Return a refusal as JSON; `errors` says of each parameter what is wrong."""
    told = {"code": refusal.code, "message": refusal.message, "detail": refusal.message, "errors": errors or {}}
    return JSONResponse(told, refusal.status, refusal.headers)


async def _refused(_: Request, refusal: Any) -> JSONResponse:
    return answer(refusal)


async def _not_understood(_: Request, error: Any) -> JSONResponse:
    said = {".".join(str(part) for part in one["loc"][1:]) or "query": str(one["msg"]) for one in error.errors()}
    sentence = "; ".join(f"{name}: {each}" for name, each in said.items())
    return answer(Refusal(400, "bad_parameter", f"{sentence}."), said)


async def _not_possible(_: Request, fault: Any) -> JSONResponse:
    return answer(Refusal(400, "bad_parameter", f"{fault}."), {"query": str(fault)})


async def _damaged(_: Request, reject: Any) -> JSONResponse:
    return answer(not_found(f"It is damaged and can not be read: {reject.detail}.", "damaged"))


async def _away(_: Request, __: Any) -> JSONResponse:
    sentence = "The store is busy or away; ask again in a few seconds."
    return answer(Refusal(503, "unavailable", sentence, {"Retry-After": "5"}))


async def _no_route(request: Request, error: Any) -> JSONResponse:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    sentence = f"{request.method} {request.url.path[:80]} is not a route here."
    return answer(Refusal(error.status_code, code, sentence, error.headers))


async def _fault(_: Request, __: Any) -> JSONResponse:
    return answer(Refusal(500, "fault", "The service made a mistake, which its log tells."))
