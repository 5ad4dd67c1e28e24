"""api.receiving: bodies in, within limits of bytes, requests and time; the room is free again afterwards."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from typing import Any

import pytest

from skystamp.api.receiving import Limits, Receiver
from skystamp.errors import Reason, Reject
from tests.answering import AVRO, FakeAnswers, app, ask
from tests.making import packet, record

BODY = packet()
BIG = packet(*(record(i) for i in range(8)), codec="deflate")


def post(of: Any, content: Any, **headers: str) -> Any:
    return ask(of, "POST", "/v1/classify", content=content, headers={**AVRO, **headers})


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


class Waiting(FakeAnswers):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.asked = 0

    async def outcomes(self, containers: Any, *, keep: bool) -> Any:
        self.asked += 1
        await self.go.wait()
        return await super().outcomes(containers, keep=keep)


async def slowly() -> AsyncIterator[bytes]:
    for byte in BODY:
        await asyncio.sleep(0.05)
        yield bytes([byte])


def test_a_body_that_drips_in_is_given_up() -> None:
    of = app(limits=Limits(body_timeout_s=0.2))

    response = post(of, slowly())

    assert told(response) == (408, "body_too_slow")
    assert response.headers["connection"] == "close"
    assert of.state.receiver._room.free == Limits().waiting_bytes


@pytest.mark.parametrize(
    ("limits", "content", "headers", "status"),
    [
        (Limits(body_bytes=100), BODY, {}, 413),
        (Limits(unpacked_bytes=100), gzip.compress(BODY), {"content-encoding": "gzip"}, 413),
        (Limits(waiting_bytes=100), BODY, {}, 503),
        (Limits(waiting_bytes=len(gzip.compress(BODY)) + 9), gzip.compress(BODY), {"content-encoding": "gzip"}, 503),
    ],
    ids=["body", "unpacked", "no-room", "no-room-unpacked"],
)
def test_what_is_over_a_limit_is_refused_and_holds_nothing(
    limits: Limits, content: bytes, headers: dict[str, str], status: int
) -> None:
    of = app(limits=limits)

    response = post(of, content, **headers)

    assert response.status_code == status
    assert status != 503 or response.headers["retry-after"] == "1"
    assert of.state.receiver._room.free == limits.waiting_bytes
    assert of.state.receiver._room.free_requests == limits.waiting_requests


def test_a_body_without_a_length_is_stopped_at_the_limit() -> None:
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(1)
            yield bytes(1000)

    response = post(app(limits=Limits(body_bytes=10_000)), endless())

    assert told(response) == (413, "body_too_large")
    assert len(sent) <= 12


def test_more_requests_than_there_is_room_for_are_told_to_come_back_and_those_inside_are_answered() -> None:
    service = Waiting()
    of = app(service=service, limits=Limits(waiting_requests=3))

    async def many() -> list[Any]:
        import httpx

        async with httpx.AsyncClient(transport=httpx.ASGITransport(of), base_url="http://x") as client:
            tasks = [asyncio.create_task(client.post("/v1/classify", content=BODY, headers=AVRO)) for _ in range(5)]
            while sum(task.done() for task in tasks) < 2:
                await asyncio.sleep(0.01)
            service.go.set()
            return await asyncio.gather(*tasks)

    answers = asyncio.run(many())

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503, 503]
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
    assert post(of, BODY).status_code == 200


def test_a_receiver_that_is_closed_finishes_what_it_has_and_takes_nothing_more() -> None:
    service = Waiting()
    of = app(service=service)
    receiver = of.state.receiver

    async def closing() -> tuple[int, Any, Any, int]:
        import httpx

        async with httpx.AsyncClient(transport=httpx.ASGITransport(of), base_url="http://x") as client:
            first = asyncio.create_task(client.post("/v1/classify", content=BODY, headers=AVRO))
            while not service.asked:
                await asyncio.sleep(0.01)
            held = receiver.close()
            late = await client.post("/v1/classify", content=BODY, headers=AVRO)
            service.go.set()
            return held, late, await first, receiver.close()

    held, late, first, left = asyncio.run(closing())

    assert (held, first.status_code, left) == (1, 200, 0)
    assert told(late) == (503, "stopping")
    assert late.headers["retry-after"] == "5"


class Meter:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def stage(self, name: str) -> Any:
        @contextmanager
        def measured() -> Any:
            yield
            self.told.append(name)

        return measured()

    def received(self, size: int) -> None:
        self.told.append(size)

    def answered(self, status: int, code: str) -> None:
        self.told.append((status, code))


def test_who_measures_is_told_of_each_part_of_a_request() -> None:
    meter = Meter()
    of = app(meter=meter)

    post(of, BODY)
    post(of, b"junk")

    assert meter.told[:5] == ["read_body", len(BODY), "unpack", "request", (200, "")]
    assert meter.told[5:] == ["read_body", 4, (400, "not_avro")]


def test_a_frame_that_tells_a_fault_is_received_as_that() -> None:
    from skystamp import frames

    body = frames.pack([BODY, Reject(Reason.DAMAGED_ARCHIVE, "it ends early")])

    answer = post(app(), body, **{"content-type": frames.CONTENT_TYPE})

    assert answer.json()["containers"] == [1, 1]


def test_bodies_are_unpacked_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, now, most = Receiver(Limits()), [0], [0]

    def unpack(*_: Any) -> list[bytes]:
        import time

        now[0] += 1
        most[0] = max(most[0], now[0])
        time.sleep(0.02)
        now[0] -= 1
        return []

    async def many() -> None:
        parts: list[Callable[..., Any]] = [lambda: receiver._containers(b"", "gzip", "") for _ in range(8)]
        await asyncio.gather(*(part() for part in parts))

    monkeypatch.setattr(type(receiver._bodies), "containers", unpack)
    asyncio.run(many())

    assert most[0] == 2
