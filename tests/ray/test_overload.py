"""serve_apps when it is asked too much, too slowly, by strangers, or while it stops: an answer, never a hang."""

import socket
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
import schemathesis
from hypothesis import given

from skystamp import bundle, inputs, metadata, taxonomy
from skystamp.api import tokens
from skystamp.api.tokens import LOOK_S, Scope
from skystamp.inputs import InputSpec, Raw
from tests import fuzzing, making, postgres

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and Starlette among themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.timeout(420),
]

NAME = "first-detection"
ROOM, BODY_S, TIMEOUT_S = 6, 1.5, 5.0
HANG_S = 30.0  # longer than any answer may take

fuzzing.register()


@dataclass(frozen=True)
class Running:
    """A service, its files, and a client with a token that may classify and read."""

    client: httpx.Client
    port: int
    store: Path
    tokens: Path
    deploy: Callable[..., None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skystamp.models import stamp

    rng, root = np.random.default_rng(0), tmp_path_factory.mktemp("bundle")
    raw = Raw(rng.normal(100, 10, (4, 63, 63, 3)).astype(np.float32), rng.uniform(0, 1, (4, len(metadata.FEATURES))))
    spec, network = inputs.fitted(InputSpec(), raw.metadata), stamp.build(stamp.StampConfig(k=1), seed=1)
    classes = taxonomy.FIRST_DETECTION
    return bundle.save(root / "b", network, name=NAME, spec=spec, classes=classes, example=raw, about={}, card="# toy")


@pytest.fixture(scope="module")
def running(cluster: None, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    from ray import serve

    from serve_apps.alerts import Args, build

    root = tmp_path_factory.mktemp("overload")
    store, file = root / "store.db", root / "tokens.json"
    secret = tokens.add(file, "tests", {Scope.CLASSIFY, Scope.READ})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def deploy(**changes: Any) -> None:
        args = Args(
            models={NAME: str(folder)},
            tokens=str(file),
            shadow=0,
            max_waiting_requests=ROOM,
            body_timeout_s=BODY_S,
            timeout_s=TIMEOUT_S,
            **{"store": f"sqlite:///{store}", **changes},
        )
        serve.run(build(args), name="alerts")

    serve.start(http_options={"host": "127.0.0.1", "port": port})
    deploy()
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/avro"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=HANG_S, headers=headers) as client:
        yield Running(client, port, store, file, deploy)
    serve.shutdown()


def body(number: int, prefix: str = "over") -> bytes:
    record = making.record(number % 7, objectId=f"ZTF20{prefix}{number}")
    record["candid"] = record["candidate"]["candid"] = 1_000_000 * sum(map(ord, prefix)) + number
    return making.packet(record)


def post(running: Running, number: int, prefix: str = "over", query: str = "") -> httpx.Response:
    return running.client.post(f"/v1/classify{query}", content=body(number, prefix))


def stored(running: Running, prefix: str) -> set[str]:
    """Return the objects that have an outcome."""
    with sqlite3.connect(f"file:{running.store}?mode=ro", uri=True) as database:
        rows = database.execute("select distinct object_id from outcomes where object_id like ?", (f"ZTF20{prefix}%",))
        return {row[0] for row in rows}


# ---------------------------------------------------------------------------------------------------------- strangers


def test_a_token_is_asked_for_and_taken_back_without_a_restart(running: Running) -> None:
    secret = tokens.add(running.tokens, "reader", {Scope.READ})

    def status(path: str) -> int:
        headers = {"authorization": f"Bearer {secret}"}
        return running.client.request("GET" if "models" in path else "POST", path, headers=headers).status_code

    time.sleep(LOOK_S + 0.1)
    assert (status("/v1/models"), status("/v1/classify")) == (200, 403)
    assert httpx.get(f"{running.client.base_url}/v1/models").status_code == 401
    assert httpx.get(f"{running.client.base_url}/readyz", timeout=10).status_code == 200
    tokens.revoke(running.tokens, "reader")
    time.sleep(LOOK_S + 0.1)
    assert status("/v1/models") == 401


@pytest.mark.parametrize(
    "count", [pytest.param(40, id="short"), pytest.param(1500, id="long", marks=[pytest.mark.slow])]
)
def test_answers_are_as_documented(running: Running, count: int) -> None:
    document = schemathesis.openapi.from_url(f"{running.client.base_url}/openapi.json")
    secret = running.client.headers["authorization"]

    @fuzzing.examples(count)
    @given(case=fuzzing.cases(document), headers=fuzzing.HEADERS)
    def answered(case: Any, headers: dict[str, str]) -> None:
        more = {name: value for name, value in headers.items() if name not in {"host", "content-type"}}
        fuzzing.judge(case, case.call(headers={**more, "authorization": secret}))

    answered()


RAW = {
    "no-http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no-length": b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/avro\r\n\r\n",
    "wrong-length": b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two-lengths": b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "bad-chunks": b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "long-header": b"GET /readyz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "bytes-in-path": b"GET /\xff\xfe%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown-method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "http-0.9": b"GET /\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_what_is_hardly_http_is_refused_or_cut_and_the_next_is_answered(running: Running, name: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=BODY_S + 8) as connection:
        connection.sendall(RAW[name])
        connection.shutdown(socket.SHUT_WR)
        try:
            told = connection.recv(1000)
        except ConnectionError:
            told = b""  # cut

    assert not told or told.startswith(b"HTTP/1.1 4"), told
    assert running.client.get("/healthz").status_code == 200


# ------------------------------------------------------------------------------------------------------------ too much


def test_a_client_that_drips_gives_up_its_room_and_keeps_nobody_waiting(running: Running) -> None:
    def drip() -> Iterator[bytes]:
        for byte in body(0):
            yield bytes([byte])
            time.sleep(0.2)

    with ThreadPoolExecutor(ROOM - 1) as pool:
        dripping = [pool.submit(_status_of_drip, running, drip) for _ in range(ROOM - 1)]
        good = post(running, 1, "drip")
        found = [one.result() for one in dripping]

    assert good.status_code == 200
    assert set(found) <= {408, "cut"}
    assert all(post(running, number, "drip").status_code == 200 for number in range(2, 5))


def _status_of_drip(running: Running, drip: Callable[[], Iterator[bytes]]) -> int | str:
    try:
        return running.client.post("/v1/classify", content=drip()).status_code
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return "cut"


def test_more_than_there_is_room_for_is_told_to_come_back_and_nothing_hangs_or_is_lost(running: Running) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda number: post(running, number, "much"), range(120)))

    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) <= {200, 503, 504}, counts
    assert {200, 503} <= set(counts), counts
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code != 200)
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 503} == {"busy"}
    assert time.monotonic() - begun < HANG_S
    told = {f"ZTF20much{number}" for number, answer in enumerate(answers) if answer.status_code == 200}
    assert told <= stored(running, "much")


def test_a_store_that_hangs_is_a_504_in_time_for_who_asks_it_and_no_more_once_it_is_free(running: Running) -> None:
    with sqlite3.connect(running.store, isolation_level=None) as database:
        database.execute("begin immediate")
        begun = time.monotonic()
        with ThreadPoolExecutor(ROOM) as pool:
            hanging = [pool.submit(post, running, number, "hang") for number in range(ROOM - 1)]
            time.sleep(1)
            statuses = [post(running, 0, "hang", "?store=false").status_code for _ in range(2)]
            statuses.append(running.client.get("/healthz").status_code)
            all_hang = not any(one.done() for one in hanging)
            answers = [one.result() for one in hanging]
        took_s = time.monotonic() - begun
        database.execute("rollback")

    assert {answer.status_code for answer in answers} == {504}
    assert took_s < TIMEOUT_S + 5
    assert (statuses, all_hang) == ([200, 200, 200], True)
    assert _until(lambda: post(running, 0, "hang").status_code == 200, HANG_S)


@pytest.mark.slow
@pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING)
def test_a_database_that_stands_still_loses_and_doubles_nothing(running: Running) -> None:
    """PostgreSQL is stopped in its tracks for 20 s, which no time-out of TCP sees, while requests come."""
    slowest_s, answers, others = [0.0], Counter(), Counter()

    def ask(first: int, still: threading.Event) -> None:
        for number in range(first, first + 1000):
            begun = time.monotonic()
            answers[post(running, number, "still").status_code] += 1
            slowest_s[0] = max(slowest_s[0], time.monotonic() - begun)
            sent.add(number)
            if still.is_set():
                return

    def ask_others(still: threading.Event) -> None:
        while not still.wait(0.5):
            others["alone", post(running, 7, "still", "?store=false").status_code] += 1
            others["healthz", running.client.get("/healthz").status_code] += 1

    sent: set[int] = set()
    with tempfile.TemporaryDirectory() as place, postgres.running(_open_to_all(place) / "server") as server:
        running.deploy(store=server.make_database("still"))
        over = threading.Event()
        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask, 1000 * i, over) for i in range(3)]
            time.sleep(2)
            with server.standing_still():
                quiet = threading.Event()
                beside = pool.submit(ask_others, quiet)
                time.sleep(20)
                quiet.set()
                beside.result()
            time.sleep(5)
            over.set()
            for one in asking:
                one.result()
        assert all(_until(lambda n=n: post(running, n, "still").status_code == 200, HANG_S) for n in sorted(sent))
        with psycopg.connect(server.url("still")) as database:
            rows = database.execute("select object_id, count(*) from outcomes group by object_id").fetchall()
        running.deploy()

    assert set(answers) <= {200, 503, 504}, answers
    assert {200, 504} <= set(answers), answers
    assert slowest_s[0] < TIMEOUT_S + 5
    assert set(others) == {("alone", 200), ("healthz", 200)}, others
    assert dict(rows) == {f"ZTF20still{number}": 1 for number in sent}


def _open_to_all(folder: str) -> Path:
    """Return a folder through which PostgreSQL's own user may go."""
    path = Path(folder)
    path.chmod(0o711)
    return path


def _until(told: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not told() and time.monotonic() < until:
        time.sleep(0.2)
    return told()


# ------------------------------------------------------------------------------------------------------ while it stops


class Asking:
    """Asks again and again until it is told to stop; `answers` has what came of each object."""

    def __init__(self, running: Running, prefix: str, at_once: int = 3) -> None:
        self.answers: dict[str, int | str] = {}
        self._running, self._prefix, self._stop = running, prefix, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(at_once)]

    def __enter__(self) -> "Asking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, first: int) -> None:
        number = 1000 * first
        while not self._stop.is_set():
            name = f"ZTF20{self._prefix}{number}"
            try:
                answer = post(self._running, number, self._prefix)
                self.answers[name] = answer.status_code
                self._stop.wait(float(answer.headers.get("retry-after", 0)))
            except httpx.ConnectError:
                self.answers[name] = "refused"  # nobody listens any more, which cuts nothing
                time.sleep(0.2)
            except httpx.TransportError as error:
                self.answers[name] = f"cut: {error!r}"
            number += 1

    def with_status(self, status: int | str) -> set[str]:
        return {name for name, found in self.answers.items() if found == status}


def test_a_redeployment_cuts_nothing_and_what_was_answered_is_stored(running: Running) -> None:
    with Asking(running, "again") as asking:
        time.sleep(1)
        running.deploy(max_body_bytes=10_000_000, batch=32)  # other settings: each deployment is replaced
        time.sleep(1)

    statuses = set(asking.answers.values())
    assert 200 in statuses
    assert statuses <= {200, 503, 504}, Counter(asking.answers.values())  # 504: the new router was long in coming
    assert asking.with_status(200) <= stored(running, "again")


def test_a_stop_cuts_nothing_and_what_was_answered_is_stored(running: Running) -> None:
    from serve_apps.stop import stop

    with Asking(running, "end") as asking:
        time.sleep(1)
        held = stop()
        time.sleep(1)

    assert held == 0
    statuses = set(asking.answers.values())
    assert 200 in statuses
    assert statuses <= {200, 503, "refused"}, Counter(asking.answers.values())
    assert asking.with_status(200) <= stored(running, "end")
