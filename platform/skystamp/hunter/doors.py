"""A request -> who asks and what they may: look, vote, or neither; and whether a write comes from our own page.

    with a file of tokens    the token is typed once into a form; a cookie stands for it until the session ends
    without                  anybody looks; only this machine votes, under a name that is typed

The cookie is HttpOnly and SameSite=Strict. Of a token it holds the name and when it ends, signed (HMAC-SHA256) with the
digest that the file has of the token: nothing is kept here, any replica can tell, and a revoked token takes its
sessions with it. A write needs, beside the cookie, that the browser names our own origin, and a word that only a page
which we made for this cookie has.
"""

import base64
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from skystamp.api import Refusal
from skystamp.api.access import Access, Asked, is_local
from skystamp.api.tokens import Scope, Token, TokenFile, holder

COOKIE = "skystamp_hunter"
SESSION_S = 12 * 3600.0

_NAME = re.compile(r"[\w][\w .'@-]{0,62}[\w.]?")
_FORM = "hunter1"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the name under which votes are kept, "" for somebody unknown; `cookie` is the session's.

    `how` says why a visitor who may not vote may not, for people.
    """

    name: str = ""
    may_look: bool = False
    may_vote: bool = False
    cookie: str = ""
    how: str = ""

    @property
    def word(self) -> str:
        """A word for forms and requests of pages made for this visitor, another each time."""
        nonce = secrets.token_urlsafe(12)
        return f"{nonce}.{_signed(self.cookie, nonce)}"

    def knows(self, word: str) -> bool:
        """Return whether a word was made for this visitor's session."""
        nonce, _, signature = word.partition(".")
        return bool(self.cookie) and hmac.compare_digest(signature.encode(), _signed(self.cookie, nonce).encode())


class Doors:
    """Decides who may; a class because it holds the tokens.

    Parameters
    ----------
    tokens : TokenFile, optional
    access : Access
        For programs that send a token with each request.
    clock : callable
        Unix time, s.
    """

    def __init__(self, tokens: TokenFile | None, access: Access, clock: Callable[[], float]) -> None:
        self._file, self._access, self._clock = tokens, access, clock
        self._lock = threading.Lock()

    @property
    def needs_token(self) -> bool:
        """Whether there is a file of tokens."""
        return self._file is not None

    def visitor(self, asked: Asked, cookie: str) -> Visitor:
        """Return who asks, by the cookie or by the token in the header.

        Raises
        ------
        Refusal
            401, 403 or 429 for a token in the header that is not enough to look.
        """
        if self._file is None:
            return self._neighbour(asked, cookie)
        if "authorization" in asked.headers:
            return self._program(asked)
        token = self._of_session(cookie)
        if token is None or not token.allows(Scope.READ):
            return Visitor(how="Sign in with a token to look at candidates.")
        may_vote = token.allows(Scope.LABEL)
        return Visitor(token.name, True, may_vote, cookie, "" if may_vote else "This token may look but not vote.")

    def sign_in(self, asked: Asked, secret: str) -> str:
        """Return the cookie of a new session, for a token or, where there are none, for a name.

        Raises
        ------
        Refusal
            401 for a token that is not known or has ended, 403 from another machine, 400 for what is no name.
        """
        if self._file is None:
            if not is_local(asked):
                raise Refusal(403, "not_local", NOT_LOCAL)
            name = " ".join(secret.split())
            if not _NAME.fullmatch(name):
                raise Refusal(400, "bad_name", "A name should have 1 to 64 letters, digits, spaces or .'@-")
            return f"{secrets.token_urlsafe(18)}~{_coded(name)}"
        with self._lock:
            token = holder(self._file.tokens, secret.strip())
        now = self._clock()
        if token is None or _ended(token, now):
            raise Refusal(401, "unknown_token", "The token should be one that was given out and is still good.")
        if not token.allows(Scope.READ):
            raise Refusal(403, "not_allowed", "The token should have the scope read, and label to vote.")
        content = f"{_FORM}~{int(now + SESSION_S)}~{secrets.token_urlsafe(9)}~{_coded(token.name)}"
        return f"{content}~{_signed(token.sha256, content)}"

    def _neighbour(self, asked: Asked, cookie: str) -> Visitor:
        """Return a visitor of a service without tokens."""
        if not is_local(_without_origin(asked)):
            return Visitor("", True, False, "", NOT_LOCAL)
        nonce, _, coded = cookie.partition("~")
        name = _decoded(coded)
        if not nonce or not _NAME.fullmatch(name):
            return Visitor("", True, False, "", "Say who you are to vote.")
        return Visitor(name, True, True, cookie)

    def _program(self, asked: Asked) -> Visitor:
        with self._lock:
            caller = self._access.caller(Scope.READ, asked)
            try:
                self._access.caller(Scope.LABEL, asked)
            except Refusal as refusal:
                return Visitor(caller.name, True, False, "", refusal.message)
        return Visitor(caller.name, True, True)

    def _of_session(self, cookie: str) -> Token | None:
        content, _, signature = cookie.rpartition("~")
        form, _, rest = content.partition("~")
        until, _, rest = rest.partition("~")
        name = _decoded(rest.rpartition("~")[2])
        if self._file is None or form != _FORM or not until.isdigit() or int(until) <= self._clock():
            return None
        with self._lock:
            tokens = self._file.tokens
        token = next((one for one in tokens if one.name == name), None)
        if token is None or _ended(token, self._clock()):
            return None
        good = hmac.compare_digest(signature.encode(), _signed(token.sha256, content).encode())
        return token if good else None


NOT_LOCAL = "Without tokens only this machine itself, not through a proxy, may vote."


def check_write(visitor: Visitor, asked: Asked, word: str) -> None:
    """Refuse a write that no page of ours asked for, or by somebody who may not.

    A program that sends its token with the request needs no word: no other site's page can send the header.

    Raises
    ------
    Refusal
        403.
    """
    check_origin(asked)
    if not visitor.may_vote:
        raise Refusal(403, "not_allowed", visitor.how or "Sign in to vote.")
    if "authorization" not in asked.headers and not visitor.knows(word):
        raise Refusal(403, "stale_page", "This page is of another session; load it again.")


def check_origin(asked: Asked) -> None:
    """Refuse what a page of another site sends.

    Raises
    ------
    Refusal
        403.
    """
    origin, host = asked.headers.get("origin"), asked.headers.get("host", "")
    if origin is None and "authorization" in asked.headers:
        return
    if origin is None or origin == "null" or not host or urlsplit(origin).netloc.lower() != host.lower():
        raise Refusal(403, "other_site", "Votes should come from the page itself.")


def _without_origin(asked: Asked) -> Asked:
    return Asked(asked.peer, {name: value for name, value in asked.headers.items() if name.lower() != "origin"})


def _ended(token: Token, now: float) -> bool:
    return token.expires is not None and token.expires.timestamp() <= now


def _signed(key: str, text: str) -> str:
    return hmac.new(f"hunter {key}".encode(), text.encode(), hashlib.sha256).hexdigest()


def _coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""
