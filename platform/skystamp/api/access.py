"""A request's headers and peer -> who asks, if they may: 401, 403, 429 otherwise.

    Authorization: Bearer TOKEN ──> a token of the file ──> its scopes ──> its rate ──> Caller
                                          401                 403           429

Without a file of tokens anybody who reaches the service may classify and read, and what changes models or labels is
for this machine alone. "This machine" is the other end of the connection and never what a header says of it: one header
that a proxy adds is enough to be a stranger, and so is a page of another site in a browser on this machine.

Routes ask by ``guarded``, a router as a whole or a route alone::

    router = APIRouter(prefix="/v1/labels", **guarded(Scope.LABEL))
"""

import ipaddress
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from skystamp.api.rates import Buckets
from skystamp.api.refusals import ErrorAnswer, Refusal
from skystamp.api.tokens import Scope, Token, TokenFile, holder

__all__ = ["Access", "Asked", "Caller", "Scope", "asked", "guarded", "is_local", "require"]

_CHANGES = {Scope.LABEL, Scope.ADMIN}
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
_BEARER = HTTPBearer(auto_error=False, description="Made by `skystamp tokens add`; where the service has such a file.")
_RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorAnswer, "description": "No token, or none that is known and has not ended."},
    403: {
        "model": ErrorAnswer,
        "description": "The token does not allow it; or, without tokens, not from here.",
    },
    429: {"model": ErrorAnswer, "description": "The token's rate is used up; `Retry-After` says when to come back."},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of where it comes from; header names in lower case."""

    peer: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name of the token, "" for somebody without one."""

    name: str = ""
    rate: float | None = None


class Access:
    """Decides who may; a class because it holds the tokens and what each has asked.

    Parameters
    ----------
    tokens : TokenFile, optional
    clock, now : callable
        Seconds that only grow, and the date.
    """

    def __init__(self, tokens: TokenFile | None, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._file, self._buckets, self._now = tokens, Buckets(clock), now

    @property
    def problem(self) -> str | None:
        """What is wrong with the file of tokens now."""
        return self._file.problem if self._file else None

    def caller(self, scope: Scope, asked: Asked) -> Caller:
        """Return who asks for what needs `scope`, after counting the request.

        Raises
        ------
        Refusal
            401, 403 or 429.
        """
        if self._file is None:
            if scope in _CHANGES and not is_local(asked):
                raise _not_from_there()
            return Caller()
        token = self._holder(self._file.tokens, asked)
        if not token.allows(scope):
            raise _not_allowed(scope)
        caller = Caller(token.name, token.rate)
        if caller.rate and (wait_s := self._buckets.admit(caller.name, caller.rate)):
            raise _too_often(caller.rate, wait_s)
        return caller

    def charge(self, caller: Caller, packets: int) -> None:
        """Count the packets of a caller's request, of which one was counted when it came."""
        if caller.rate and packets > 1:
            self._buckets.charge(caller.name, caller.rate, packets - 1)

    def _holder(self, tokens: tuple[Token, ...], asked: Asked) -> Token:
        kind, _, secret = asked.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise _no_token()
        token = holder(tokens, secret.strip())
        if token is None or (token.expires is not None and token.expires <= self._now()):
            raise _unknown_token()
        return token


def require(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that lets a request in if its token allows `scope`, and gives the `Caller`.

    Who asks stands in ``request.state.caller`` from then on.
    """

    async def allowed(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Caller:
        access: Access = request.app.state.access
        caller = access.caller(scope, asked(request))
        request.state.caller = caller
        return caller

    return allowed


def guarded(scope: Scope) -> dict[str, Any]:
    """Return what an APIRouter or a route takes, by ``**``, to need `scope`: the check, and its refusals' document."""
    return {"dependencies": [Depends(require(scope))], "responses": dict(_RESPONSES)}


def asked(request: Request) -> Asked:
    """Return what a request says of where it comes from."""
    return Asked(request.client.host if request.client else "", request.headers)


def is_local(asked: Asked) -> bool:
    """Return whether a request comes from this machine and from no other site's page in a browser here."""
    if not _is_loopback(asked.peer) or any(name in asked.headers for name in _FORWARDING):
        return False
    host, origin = asked.headers.get("host", ""), asked.headers.get("origin")
    return _is_loopback(_name(f"//{host}")) and origin in (None, f"http://{host}", f"https://{host}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _no_token() -> Refusal:
    sentence = "A token should come with the request, as 'Authorization: Bearer TOKEN'."
    return Refusal(401, "no_token", sentence, {"WWW-Authenticate": 'Bearer realm="skystamp"'})


def _unknown_token() -> Refusal:
    told = 'Bearer realm="skystamp", error="invalid_token"'
    sentence = "The token should be one that was given out, and was neither revoked nor ended."
    return Refusal(401, "unknown_token", sentence, {"WWW-Authenticate": told})


def _not_allowed(scope: Scope) -> Refusal:
    told = f'Bearer realm="skystamp", error="insufficient_scope", scope="{scope}"'
    sentence = f"The token should have the scope {scope}."
    return Refusal(403, "not_allowed", sentence, {"WWW-Authenticate": told})


def _not_from_there() -> Refusal:
    sentence = "Without tokens (setting `tokens`) only this machine itself, not through a proxy, may change anything."
    return Refusal(403, "not_local", sentence)


def _too_often(rate: float, wait_s: float) -> Refusal:
    retry_s = math.ceil(wait_s)
    sentence = f"The token may ask {rate:g} packets a second; send the request again in {retry_s} s."
    return Refusal(429, "too_often", sentence, {"Retry-After": str(retry_s)})
