"""X-Request-ID as a client sends it -> a short plain name, or none: before it is answered and before it is logged.

    client ── Serve's HTTP proxy: OnlyFit drops what is not fit ── Serve makes one where there is none ── replicas, logs

Serve answers and logs whatever a client calls its request, tens of kilobytes or line separators of Unicode too, and
breaks at bytes that are no UTF-8. Its proxies find `middlewares` by an environment variable, which
`cluster.environment` sets; where a proxy was started without it, `skystamp.api` refuses such a request.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

HEADER = "x-request-id"
WANTED = "1 to 128 letters, digits and -_.:;,/+=@~ of ASCII"

_FIT = re.compile(r"[A-Za-z0-9._:;,/+=@~-]{1,128}", re.ASCII)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


def is_fit(request_id: str) -> bool:
    """Return whether an id may be answered and logged as it is."""
    return _FIT.fullmatch(request_id) is not None


@dataclass(frozen=True, slots=True)
class OnlyFit:
    """An ASGI application that sees no id that is not fit, and at most one."""

    app: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if "headers" in scope:
            scope = {**scope, "headers": _only_fit(scope["headers"])}
        await self.app(scope, receive, send)


def middlewares() -> list[Any]:
    """Return what Serve is to put before its proxies' own application."""
    from starlette.middleware import Middleware

    return [Middleware(OnlyFit)]


def _only_fit(headers: Iterable[Header]) -> list[Header]:
    name = HEADER.encode()
    every = [(key, value) for key, value in headers if key.lower() == name]
    others = [(key, value) for key, value in headers if key.lower() != name]
    return [*others, *every] if len(every) == 1 and is_fit(every[0][1].decode("latin-1")) else others
