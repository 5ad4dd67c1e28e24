"""A service on loopback that behaves as the real one does, in this process: the library's own bodies, classify and
answers behind a plain HTTP server. It remembers every outcome it has stored, and can be told to misbehave.
"""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from skystamp import api, avro, classify
from skystamp.api import Bodies, Refusal
from skystamp.classify import Classification, Model, Outcome
from skystamp.errors import Reject
from skystamp.frames import Framed
from tests import faking

Key = tuple[Any, ...]


class FakeService(ThreadingHTTPServer):
    """Outcomes by key in `stored`, how often each was sent in `sent`.

    `misbehave` has a word for each of the next requests: a status to answer, "absent" (Serve's proxy answers, which has
    no application yet), "hang", "die" (the connection is cut before anything is stored) or "die after" (it is cut when
    all is stored). `max_bytes` and `max_packets` are its
    limits, `slow_s` what each request takes longer, `poisonous` bytes that break whatever request holds them.
    """

    daemon_threads = True

    def __init__(self, model: Model | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model or faking.model()
        self.stored: dict[Key, Outcome] = {}
        self.sent: Counter[Key] = Counter()
        self.requests: list[int] = []  # how many containers each had
        self.headers: list[dict[str, str]] = []
        self.misbehave: list[int | str] = []
        self.retry_after = ""
        self.slow_s = 0.0
        self.max_bytes, self.max_packets = 64 << 20, 10_000
        self.poisonous = b""
        self.let_go = threading.Event()  # ends what hangs
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def alert_ids(self) -> list[int | None]:
        return sorted(o.alert_id for o in self.stored.values() if isinstance(o, Classification))

    def store(self, containers: list[Framed], parts: list[list[Outcome]]) -> None:
        with self.lock:
            for container, outcomes in zip(containers, parts, strict=True):
                for i, outcome in enumerate(outcomes):
                    key = _key(container, i, outcome)
                    self.stored.setdefault(key, outcome)
                    self.sent[key] += 1


def _key(container: Framed, i: int, outcome: Outcome) -> Key:
    if isinstance(outcome, Classification):
        return (outcome.survey, outcome.alert_id, outcome.model, outcome.model_version)
    data = container if isinstance(container, bytes) else container.detail.encode()
    return (hashlib.sha256(data).hexdigest(), i)


class _Handler(BaseHTTPRequestHandler):
    server: FakeService
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            word = self.server.misbehave.pop(0) if self.server.misbehave else 200
            self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if word == "hang":
            self.server.let_go.wait(60)
        if word in {"hang", "die"}:
            self.close_connection = True
            return
        time.sleep(self.server.slow_s)
        if isinstance(word, int) and word != 200:
            self._answer(word, b'{"error": {"code": "told_so", "message": "No."}}')
        elif word == "absent":
            self._answer(404, b"Path '/v1/classify' not found. Ping http://.../-/routes for available routes.")
        else:
            self._classify(body, die=word == "die after")

    def _classify(self, body: bytes, *, die: bool) -> None:
        server = self.server
        try:
            containers = self._containers(body)
        except Refusal as refusal:
            self._answer(refusal.status, json.dumps(refusal.body).encode())
            return
        parts = [_outcomes(container, server.model) for container in containers]
        if sum(map(len, parts)) > server.max_packets:
            self._answer(413, b"too many")
            return
        server.store(containers, parts)
        if die:
            self.close_connection = True
            return
        flat = [outcome for part in parts for outcome in part]
        self._answer(200, api.answer_json(flat, [len(part) for part in parts]))

    def _containers(self, body: bytes) -> list[Framed]:
        bodies = Bodies(sent=self.server.max_bytes)
        kind = self.headers["content-type"]
        bodies.check_headers(kind, "", self.headers["content-length"])
        containers = bodies.containers(body, "", kind)
        with self.server.lock:
            self.server.requests.append(len(containers))
        if self.server.poisonous and any(self.server.poisonous == container for container in containers):
            raise Refusal(500, "broken", "A fault of ours.")
        return containers

    def _answer(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if self.server.retry_after and status != 200:
                self.send_header("retry-after", self.server.retry_after)
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the client was killed

    def log_message(self, *_: Any) -> None:
        pass


def _outcomes(container: Framed, model: Model) -> list[Outcome]:
    items = [container] if isinstance(container, Reject) else list(avro.read(container))
    return classify.records(items, model)


@contextmanager
def running(model: Model | None = None) -> Iterator[FakeService]:
    """Run a service for as long as this lasts."""
    server = FakeService(model)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
