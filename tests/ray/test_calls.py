"""serve_apps.calls: a question is taken back when whoever asked gives up. Starts no cluster."""

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and Starlette among themselves
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]


class Response:
    """Is answered never, or with a value, as a deployment's response is."""

    def __init__(self, value: Any = None) -> None:
        self.cancelled = False
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        if self._value is None:
            yield from asyncio.Event().wait().__await__()
        return self._value

    def cancel(self) -> None:
        self.cancelled = True


def test_an_answer_is_passed_on() -> None:
    from serve_apps.calls import call

    assert asyncio.run(call(lambda *values: Response(sum(values)), 1, 2)) == 3


def test_a_question_is_taken_back_after_a_time_out() -> None:
    from serve_apps.calls import call

    response = Response()

    async def asked() -> None:
        async with asyncio.timeout(0.05):
            await call(lambda: response)

    with pytest.raises(TimeoutError):
        asyncio.run(asked())
    assert response.cancelled
