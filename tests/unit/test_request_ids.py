"""request_ids: what a client may call its request."""

import asyncio
from typing import Any

import pytest

from skystamp.request_ids import OnlyFit, is_fit, middlewares
from tests.answering import AVRO, app, ask
from tests.making import packet

UNFIT = {
    "newline": "a\nlevel=ERROR all is lost",
    "return": "a\rb",
    "long": "a" * 10_000,
    "one-too-long": "a" * 129,
    "line-separator": "a\u2028b",
    "next-line": "a\x85b",
    "letters-of-others": "é",
    "digits-of-others": "٣",
    "space": "a b",
    "tab": "a\tb",
    "quote": 'a"b',
    "escape": "a\x1b[31mb",
    "nothing": "",
}
FIT = ["night-7:part.1", "302926b5-8dc6-4dae-8d9f-b827c8e8915e", "Root=1-67891233-abcdef;Self=1", "a" * 128, "7"]


def passed(*sent: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that come through with these ids and another header."""
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])

    headers = [(b"accept", b"*/*"), *((b"X-Request-Id", value) for value in sent)]
    asyncio.run(OnlyFit(inner)({"type": "http", "headers": headers}, None, None))  # type: ignore[arg-type]
    return seen


@pytest.mark.parametrize("request_id", FIT)
def test_a_plain_name_passes_as_it_is(request_id: str) -> None:
    assert is_fit(request_id)
    assert passed(request_id.encode()) == [(b"accept", b"*/*"), (b"X-Request-Id", request_id.encode())]


@pytest.mark.parametrize("name", UNFIT)
def test_any_other_is_dropped_and_the_rest_of_the_request_is_not(name: str) -> None:
    assert not is_fit(UNFIT[name])
    assert passed(UNFIT[name].encode()) == [(b"accept", b"*/*")]


def test_bytes_that_are_no_text_and_two_ids_are_dropped() -> None:
    assert passed(b"\xff\xfe") == [(b"accept", b"*/*")]
    assert passed(b"one", b"two") == [(b"accept", b"*/*")]


def test_what_has_no_headers_passes() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        assert scope == {"type": "lifespan"}

    asyncio.run(OnlyFit(inner)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_serve_is_given_the_class_that_wraps_its_application() -> None:
    assert [one.cls for one in middlewares()] == [OnlyFit]


@pytest.mark.parametrize("name", ["long", "letters-of-others", "space", "nothing"])
def test_the_service_itself_refuses_what_came_past_the_proxy(name: str) -> None:
    headers = {**AVRO, "x-request-id": UNFIT[name].encode()}

    for method, path in (("POST", "/v1/classify"), ("GET", "/readyz")):
        answer = ask(app(), method, path, content=packet() if method == "POST" else b"", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request_id")
        assert len(answer.content) < 300


def test_the_service_takes_what_is_fit() -> None:
    headers = {**AVRO, "x-request-id": FIT[0]}

    assert ask(app(), "POST", "/v1/classify", content=packet(), headers=headers).status_code == 200
