"""Every way in which a request, as opposed to a packet in it, can be refused: an HTTP status, a code, one sentence.

A code is stable; the sentence is for people. The codes of a body that is no Avro container are those of `Reason`.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from skystamp.errors import SkystampError


class Refusal(SkystampError):  # noqa: N818  one of the words of the design's kind, as `Reject` is
    """A request that gets no outcomes, only `status`, `code` and `message`; `headers` go out with it."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def __reduce__(self) -> tuple[type["Refusal"], tuple[Any, ...]]:
        """Pickle by its arguments, so that it crosses processes."""
        return Refusal, (self.status, self.code, self.message, self.headers)

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """The JSON of the answer, of type `ErrorAnswer`."""
        return {"error": {"code": self.code, "message": self.message}}


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="Stable, for programs.", examples=["not_avro"])
    message: str = Field(description="One sentence, for people.")


class ErrorAnswer(BaseModel):
    """The answer to a request that was refused."""

    error: ErrorDetail


def too_large(what: str, limit: int) -> Refusal:
    """Return the refusal of a body over a limit of bytes."""
    return Refusal(413, "body_too_large", f"{what} should have at most {limit} bytes; send the packets in parts.")


def too_many(limit: int) -> Refusal:
    """Return the refusal of a body with more packets than one request may have."""
    return Refusal(413, "too_many_packets", f"A body should have at most {limit} packets; send them in parts.")


def too_slow_a_body(limit_s: float) -> Refusal:
    """Return the refusal of a body that did not come in time."""
    sentence = f"The body should be here within {limit_s:g} s; send fewer packets at once."
    return Refusal(408, "body_too_slow", sentence, {"Connection": "close"})


def busy(retry_s: int = 1) -> Refusal:
    """Return the refusal of a request for which there is no room now."""
    sentence = f"The service has as much work as it can hold; send the request again in {retry_s} s."
    return Refusal(503, "busy", sentence, {"Retry-After": str(retry_s)})


def unavailable(retry_s: int = 5) -> Refusal:
    """Return the refusal of a request while a part of the service starts again."""
    sentence = f"A part of the service is starting; send the request again in {retry_s} s."
    return Refusal(503, "unavailable", sentence, {"Retry-After": str(retry_s)})


def stopping(retry_s: int = 5) -> Refusal:
    """Return the refusal of a request to a service that only finishes what it has."""
    return Refusal(
        503, "stopping", f"The service is stopping; ask again in {retry_s} s.", {"Retry-After": str(retry_s)}
    )


def too_slow(limit_s: float) -> Refusal:
    """Return the refusal of a request that took longer than it may."""
    sentence = f"The answer took longer than {limit_s:g} s; send fewer packets at once, or send them again later."
    return Refusal(504, "too_slow", sentence, {"Retry-After": "5"})
