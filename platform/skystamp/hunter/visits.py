"""A request -> its visitor, its form and the page's answers; and the routes by which a session begins and ends."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from jinja2 import Environment

from skystamp.api import Refusal
from skystamp.api.access import asked
from skystamp.hunter import doors, pages, query
from skystamp.hunter.doors import COOKIE, SESSION_S, Doors, Visitor

_LARGEST_FORM = 16 << 10
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_DRAWN = "1"  # grows when stamps are drawn otherwise, so that browsers ask again


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form, of ours alone: a few short ones.

    Raises
    ------
    Refusal
        413 or 415.
    """
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refusal(415, "no_form", "The content type should be application/x-www-form-urlencoded.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise Refusal(413, "body_too_large", f"A form should have at most {_LARGEST_FORM} bytes.")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40))
    except ValueError as error:
        raise Refusal(400, "bad_form", f"The form should have a few fields: {error}.") from error


Fields = Annotated[dict[str, str], Depends(form)]


@dataclass(frozen=True, slots=True)
class Page:
    """What every route needs: the templates, the doors, and what a page is told about itself."""

    templates: Environment
    doors: Doors
    pictures: bool

    def base(self, request: Request) -> str:
        """Return where the page is mounted, without a slash at the end."""
        return str(request.scope.get("root_path", "")).rstrip("/")

    def visitor(self, request: Request) -> Visitor:
        """Return who asks."""
        return self.doors.visitor(asked(request), request.cookies.get(COOKIE, ""))

    def looking(self, request: Request) -> Visitor:
        """Return who asks, if they may look; 401 otherwise."""
        visitor = self.visitor(request)
        if not visitor.may_look:
            raise Refusal(401, "not_signed_in", visitor.how or "Sign in to look at candidates.")
        return visitor

    def writing(self, request: Request, fields: dict[str, str]) -> Visitor:
        """Return who asks, if they may write and our own page asks for it; 401 or 403 otherwise."""
        visitor = self.looking(request)
        doors.check_write(visitor, asked(request), request.headers.get("x-word") or fields.get("word", ""))
        return visitor

    def html(self, request: Request, visitor: Visitor, name: str, status: int = 200, **content: Any) -> Response:
        """Return a template as an answer."""
        return pages.html(self.templates, name, status, **self._told(request, visitor), **content)

    def part(self, request: Request, visitor: Visitor, name: str, **content: Any) -> str:
        """Return a template as text, to be put into a page."""
        return self.templates.get_template(name).render(**self._told(request, visitor), **content)

    def kept(self, request: Request, name: str, kind: str, make: Callable[[], bytes]) -> Response:
        """Return bytes that never change under their name, made only if the browser has not got them."""
        tag = f'"{hashlib.sha256(f"{_DRAWN} {name}".encode()).hexdigest()[:24]}"'
        headers = {**pages.HEADERS, **pages.FOREVER, "ETag": tag, "Vary": "Cookie"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(make(), media_type=kind, headers=headers)

    def _told(self, request: Request, visitor: Visitor) -> dict[str, Any]:
        needs_token = self.doors.needs_token
        return {"base": self.base(request), "visitor": visitor, "needs_token": needs_token, "pictures": self.pictures}


def add(router: APIRouter, page: Page) -> None:
    """Add the routes of sessions and of the page's own files."""

    @router.get("/session")
    def session(request: Request) -> Response:
        visitor = page.visitor(request)
        content = {"name": visitor.name, "may_look": visitor.may_look, "may_vote": visitor.may_vote}
        return JSONResponse(content, headers={**pages.HEADERS, **pages.PRIVATE})

    @router.post("/session")
    def begin(request: Request, fields: Fields) -> Response:
        doors.check_origin(asked(request))
        try:
            cookie = page.doors.sign_in(asked(request), fields.get("secret", ""))
        except Refusal as refusal:
            told = {"problem": refusal.message, "back": fields.get("back", "")}
            return page.html(request, Visitor(), "signin.html", refusal.status, **told)
        answer = back(page, request, fields)
        answer.set_cookie(COOKIE, cookie, int(SESSION_S), path=page.base(request) or "/", **_guards(request))
        return answer

    @router.post("/session/end")
    def end(request: Request, fields: Fields) -> Response:
        doors.check_origin(asked(request))
        answer = back(page, request, fields)
        answer.delete_cookie(COOKIE, path=page.base(request) or "/", **_guards(request))
        return answer

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        found = {path.name: path for path in (pages.FOLDER / "static").iterdir() if path.suffix in _TYPES}
        if name not in found:
            raise Refusal(404, "no_file", "There is no such file.")
        headers = {**pages.HEADERS, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"}
        return FileResponse(found[name], media_type=_TYPES[found[name].suffix], headers=headers)

    @router.get("/aladin")
    def aladin(request: Request) -> Response:
        told: dict[str, Any] = {"base": page.base(request), "aladin": pages.ALADIN}
        return pages.html(page.templates, "aladin.html", headers=pages.ALADIN_HEADERS, **told)


def back(page: Page, request: Request, fields: dict[str, str]) -> RedirectResponse:
    """Return the way back to the list as it was."""
    return RedirectResponse(f"{page.base(request)}/{query.read(_back_values(fields)).url()}", 303)


def _back_values(fields: dict[str, str]) -> dict[str, str]:
    return dict(parse_qsl(fields.get("back", "").removeprefix("?"), max_num_fields=40))


def _guards(request: Request) -> dict[str, Any]:
    return {"httponly": True, "samesite": "strict", "secure": request.url.scheme == "https"}
