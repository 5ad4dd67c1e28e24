"""Who may ask for what: a file of tokens, of which it holds only the digests.

    {"tokens": [{"name": "stream", "scopes": ["classify"], "sha256": "9f86...", "rate": 500, "expires": null}]}

A token is 256 random bits, so its SHA-256 tells nothing of it and needs no salt. The file is read again when it
changes; one that can not be read leaves the tokens as they were, and `problem` says so: a slip of an editor must
neither open the service nor stop a night.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from skystamp.errors import UsageError

LOOK_S = 1.0  # between two looks at the file

_PREFIX = "skystamp_"  # so that a secret that was committed or pasted somewhere can be searched for


class Scope(StrEnum):
    """What a token allows; `admin` allows everything."""

    CLASSIFY = "classify"
    READ = "read"
    LABEL = "label"
    ADMIN = "admin"


class Token(BaseModel):
    """What the file holds of one token."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Whose it is; stands in logs and metrics.")
    scopes: frozenset[Scope] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the token.")
    rate: float | None = Field(default=None, gt=0, description="Packets a second that it may ask, of one replica.")
    expires: AwareDatetime | None = Field(default=None, description="When it ends.")

    def allows(self, scope: Scope) -> bool:
        """Return whether this token is enough for what needs `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    tokens: list[Token]


class TokenFile:
    """The tokens of a file as it is now, or as it last was in order.

    A class because it remembers them. Belongs to one thread.

    Parameters
    ----------
    path : Path
    clock : callable
        Seconds that only grow, as `time.monotonic`.
    tell : callable
        Called with one sentence when the file can no longer be read.

    Raises
    ------
    UsageError
        If it can not be read at the beginning.
    """

    def __init__(self, path: Path, clock: Callable[[], float], tell: Callable[[str], object]) -> None:
        self.problem: str | None = None
        self._path, self._clock, self._tell = path, clock, tell
        self._seen, self._looked = _signature(path), clock()
        self._tokens = read(path)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens, at most `LOOK_S` seconds old."""
        if self._clock() - self._looked >= LOOK_S:
            self._looked = self._clock()
            self._look()
        return self._tokens

    def _look(self) -> None:
        try:
            signature = _signature(self._path)
            if signature == self._seen:
                return
            self._seen = signature  # before it is read: what changes meanwhile is seen next time
            self._tokens = read(self._path)
        except UsageError as error:
            told = f"{error}; the tokens stay as they were"
            if told != self.problem:
                self._tell(told)
            self.problem = told
        else:
            self.problem = None


def holder(tokens: Sequence[Token], secret: str) -> Token | None:
    """Return whose secret this is, in a time that does not depend on which of them, or how nearly."""
    given = _digest(secret)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.sha256, given):
            found = token
    return found


def read(path: Path) -> tuple[Token, ...]:
    """Return the tokens of a file.

    Raises
    ------
    UsageError
        If there is no such file, or it is not one of tokens, each name and digest once.
    """
    try:
        tokens = _File.model_validate_json(path.read_bytes()).tokens
    except OSError as error:
        raise UsageError(f"a file of tokens should be readable. Received: {path}, {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path} should be a file of tokens. Received: {where} {first['msg']}".rstrip()) from None
    for what in ("name", "sha256"):
        if len({getattr(token, what) for token in tokens}) < len(tokens):
            raise UsageError(f"each {what} in {path} should stand there once. Received: one twice")
    return tuple(tokens)


def add(
    path: Path, name: str, scopes: Collection[Scope], *, rate: float | None = None, expires: datetime | None = None
) -> str:
    """Return the secret of a new token, whose digest is added to the file; nothing keeps the secret itself.

    Raises
    ------
    UsageError
        If there is a token of this name, or the values are not those of a token.
    """
    secret = _PREFIX + secrets.token_urlsafe(32)
    try:
        token = Token(name=name, scopes=frozenset(scopes), sha256=_digest(secret), rate=rate, expires=expires)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        wanted = f"{'.'.join(map(str, first['loc']))} of a token"
        raise UsageError(f"{wanted}: {first['msg']}. Received: {name!r}, {sorted(scopes)}, {rate}") from None
    with _changing(path):
        tokens = read(path) if path.exists() else ()
        if any(other.name == name for other in tokens):
            raise UsageError(f"the name should be a new one; revoke the old first. Received: {name}")
        _write(path, (*tokens, token))
    return secret


def revoke(path: Path, name: str) -> None:
    """Take a token out of the file.

    Raises
    ------
    UsageError
        If there is none of this name.
    """
    with _changing(path):
        tokens = read(path)
        left = tuple(token for token in tokens if token.name != name)
        if len(left) == len(tokens):
            names = ", ".join(token.name for token in tokens)
            raise UsageError(f"the name should be one of: {names}. Received: {name}")
        _write(path, left)


def _write(path: Path, tokens: Sequence[Token]) -> None:
    """Put a whole new file in the place of the old one, readable by its owner alone."""
    told = {"tokens": [token.model_dump(mode="json") for token in tokens]}
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Let one process at a time change the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"a file of tokens should be readable. Received: {path}, {error.strerror}") from None
    return found.st_mtime_ns, found.st_size, found.st_ino
