"""A client of the service: alert files in, one outcome a packet out, in order, as the dicts that the service answers.

    files ─ sources ─ containers ─ blocks ─ bodies of about 256 packets ─ POST, a few at once ─ outcomes, in order

Bodies are made from the unpacked blocks of the files, whatever codec those use, without decoding a record; blocks of
one schema share a body, so that a folder of single packets travels in few requests. A packet that can not even be sent
gets its rejection here, the one that the service would give.
"""

import gzip
import io
import random
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from skystamp import api, sources
from skystamp.avro import EMPTY, Limits
from skystamp.avro.container import blocks, read_header
from skystamp.classify import Rejection
from skystamp.errors import Fault, Reason, Reject
from skystamp.refused import is_absent

PACKETS = 256  # in one body, about
BYTES = 8 << 20  # of one body, about
AT_ONCE = 4  # requests on their way

_TRIES = 8
_SYNC = bytes(range(16))  # the marker between blocks; any 16 bytes
_LONGEST_S = 60.0  # that a service may ask to wait
_AGAIN = {408, 429, 500, 502, 503, 504}  # a classification changes nothing, so a request may be sent again
_HEADERS = {"content-type": "application/avro"}

OutcomeDict = dict[str, Any]


class ServiceError(Fault):
    """The service refused a request, or did not answer."""


@dataclass(frozen=True, slots=True)
class Body:
    """A container to send, and how many packets it declares."""

    data: bytes
    packets: int


def classify_files(
    url: str, paths: Sequence[Path], *, timeout_s: float = 120.0, token: str = ""
) -> Iterator[OutcomeDict]:
    """Yield the outcome of every packet of alert files, archives and folders of them, in order.

    Parameters
    ----------
    url : str
        Of the service, for example ``http://127.0.0.1:8000``.
    paths : sequence of Path
        What `skystamp.sources.find` takes.
    timeout_s : float
        Of one request.
    token : str
        That the service asks for; "" where it asks for none.

    Raises
    ------
    ServiceError
        If the service does not answer, or refuses a body.
    UsageError
        If a path holds no alerts.
    """
    items = chain.from_iterable(map(sources.packets, sources.find(paths).sources))
    with _client(url, timeout_s, token) as client, ThreadPoolExecutor(AT_ONCE, "post") as pool:

        def send(part: Body | Reject) -> Future[list[OutcomeDict]]:
            return pool.submit(_outcomes, client, part)

        for outcomes in _in_order(bodies(items), send):
            yield from outcomes


def post(url: str, body: bytes, *, timeout_s: float = 120.0, token: str = "") -> dict[str, Any]:
    """Return the service's answer, counts and outcomes, to one container.

    Raises
    ------
    ServiceError
        If the service does not answer, or refuses the body.
    """
    with _client(url, timeout_s, token) as client:
        return _answer(client, body)


def bodies(
    items: Iterable[sources.Packet | Reject], *, packets: int = PACKETS, size: int = BYTES
) -> Iterator[Body | Reject]:
    """Yield what the packets of alert files travel in: containers of neighbours, or the fault in a packet's place.

    A body ends with the block that brings it to `packets` packets or `size` bytes.
    """
    waiting: list[tuple[int, bytes]] = []
    schema = b""
    for piece in _pieces(items):
        full = sum(count for count, _ in waiting) >= packets or sum(len(data) for _, data in waiting) >= size
        if waiting and (full or isinstance(piece, Reject) or piece[0] != schema):
            yield _body(schema, waiting)
            waiting = []
        if isinstance(piece, Reject):
            yield piece
        else:
            schema, block = piece
            waiting.append(block)
    if waiting:
        yield _body(schema, waiting)


def _pieces(items: Iterable[sources.Packet | Reject]) -> Iterator[tuple[bytes, tuple[int, bytes]] | Reject]:
    """Yield each block's schema, count and unpacked bytes, or, for each packet that is lost, the fault."""
    for item in items:
        if isinstance(item, Reject):
            yield item
            continue
        try:
            yield from _pieces_of(item)
        except Reject as reject:
            yield reject
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            yield Reject(Reason.DAMAGED_ARCHIVE, f"{item.name[:200]} does not unpack: {error}")


def _pieces_of(packet: sources.Packet) -> Iterator[tuple[bytes, tuple[int, bytes]] | Reject]:
    header = read_header(packet.stream, Limits())
    any_block = False
    for block in blocks(packet.stream, header, Limits()):
        any_block = True
        if block.damage:
            yield from (block.damage for _ in range(block.count))
        else:
            yield header.schema, (block.count, block.data)
    if not any_block:
        yield Reject(Reason.TRUNCATED_AVRO, EMPTY)


def _body(schema: bytes, parts: Sequence[tuple[int, bytes]]) -> Body:
    """Return a container, without compression, of blocks that were written with one schema."""
    out = io.BytesIO()
    out.write(b"Obj\x01" + _long(1) + _string(b"avro.schema") + _string(schema) + _long(0) + _SYNC)
    for count, data in parts:
        out.write(_long(count) + _long(len(data)) + data + _SYNC)
    return Body(out.getvalue(), sum(count for count, _ in parts))


def _string(data: bytes) -> bytes:
    return _long(len(data)) + data


def _long(value: int) -> bytes:
    """Return a number that is not negative in Avro's zigzag form."""
    value <<= 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# ------------------------------------------------------------------------------------------------------------- sending


def _client(url: str, timeout_s: float, token: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, timeout=timeout_s, headers=headers)


def _in_order(
    parts: Iterable[Body | Reject], send: Callable[[Body | Reject], "Future[list[OutcomeDict]]"]
) -> Iterator[list[OutcomeDict]]:
    on_way: deque[Future[list[OutcomeDict]]] = deque()
    for part in parts:
        on_way.append(send(part))
        if len(on_way) > AT_ONCE:
            yield on_way.popleft().result()
    while on_way:
        yield on_way.popleft().result()


def _outcomes(client: httpx.Client, part: Body | Reject) -> list[OutcomeDict]:
    if isinstance(part, Reject):
        rejection = api.outcome_answer(Rejection(part.reason, part.detail))
        return [rejection.model_dump(mode="json", by_alias=True)]
    outcomes: list[OutcomeDict] = _answer(client, part.data)["outcomes"]
    if len(outcomes) != part.packets:
        raise ServiceError(f"the service should answer {part.packets} outcomes. Received: {len(outcomes)}")
    return outcomes


def _answer(client: httpx.Client, body: bytes) -> dict[str, Any]:
    fault = "nothing was sent"
    for attempt in range(_TRIES):
        asked_s = 0.0
        try:
            response = client.post("/v1/classify", content=body, headers=_HEADERS)
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            fault = f"{type(error).__name__} {error}"
        else:
            if response.status_code == httpx.codes.OK:
                answer: dict[str, Any] = response.json()
                return answer
            fault = f"status {response.status_code} {response.text[:300]}"
            if response.status_code not in _AGAIN and not is_absent(response.status_code, response.content):
                raise ServiceError(f"{client.base_url} refused the packets: {fault}")
            asked_s = _seconds(response.headers.get("retry-after", ""))
        time.sleep(max(asked_s, _pause_s(attempt)))
    raise ServiceError(f"{client.base_url} should answer; is it up? Received, {_TRIES} times: {fault}")


def _seconds(retry_after: str) -> float:
    """Return what Retry-After asks for, within bounds; 0 for the form that is a date."""
    return min(float(retry_after), _LONGEST_S) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _pause_s(attempt: int) -> float:
    """Return how long to wait, longer each time, and not all clients at the same time."""
    return float(min(0.1 * 2**attempt, 5.0) * random.uniform(0.5, 1.0))  # noqa: S311  no secret hangs on it
