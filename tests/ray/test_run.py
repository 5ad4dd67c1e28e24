"""`python -m serve_apps.run` as an operator runs it: told to stop, it answers what it has in hand and then ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from skystamp.cluster import environment
from skystamp.store import open_store
from tests import bundles, clusters, making

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
NAME = "first-detection"


def settings(folder: Path, port: int) -> Path:
    models = {NAME: str(bundles.make(folder / "bundles", (NAME,))[NAME])}
    args = {"models": models, "store": "env:SKYSTAMP_STORE", "tracking_uri": "sqlite://", "shadow": 0}
    app = {"name": "alerts", "route_prefix": "/", "import_path": "serve_apps.alerts:build", "args": args}
    told = {"proxy_location": "HeadOnly", "http_options": {"host": "127.0.0.1", "port": port}, "applications": [app]}
    path = folder / "serve.yaml"
    path.write_text(yaml.safe_dump(told))
    return path


class Asking:
    """A client that sends each body in drips, so that requests are in hand; `answers` by object, with their begin."""

    def __init__(self, port: int, first: int, stop: threading.Event) -> None:
        self.answers: dict[str, tuple[float, int | str]] = {}
        self._url, self._first, self._stop = f"http://127.0.0.1:{port}", first, stop

    def __call__(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60, headers={"content-type": "application/avro"}) as client:
            for number in range(self._first, self._first + 1000):
                name, begun = f"ZTF20run{number}", time.monotonic()
                try:
                    answer: int | str = client.post("/v1/classify", content=self._drips(number)).status_code
                except httpx.ConnectError:
                    answer = "refused"
                except httpx.TransportError as error:
                    answer = f"cut: {error!r}"
                self.answers[name] = begun, answer
                if self._stop.wait(0.0 if answer == 200 else 0.5):
                    return

    def _drips(self, number: int) -> Iterator[bytes]:
        record = making.record(number % 7, objectId=f"ZTF20run{number}")
        record["candid"] = record["candidate"]["candid"] = 77_000_000 + number
        data = making.packet(record)
        for start in range(0, len(data), len(data) // 6 + 1):
            yield data[start : start + len(data) // 6 + 1]
            time.sleep(0.2)


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C"])
def test_what_is_in_hand_is_answered_and_stored_before_the_end(tmp_path: Path, how: str) -> None:
    port = clusters.free_port()
    command = [sys.executable, "-m", "serve_apps.run", str(settings(tmp_path, port))]
    url = f"sqlite:///{tmp_path}/store.db"
    given = {**os.environ, **environment.LOCAL_ENVIRONMENT, "PYTHONWARNINGS": "ignore", "SKYSTAMP_STORE": url}
    given.pop("RAY_ADDRESS", None)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log, start_new_session=True)
    try:
        clusters.until(lambda: clusters.is_ready(port), "the service", clusters.PATIENCE_S)
        stop = threading.Event()
        clients = [Asking(port, 1000 * i, stop) for i in range(4)]
        threads = [threading.Thread(target=client) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(4)
        told = time.monotonic()
        # Ctrl-C reaches every process of the terminal, Ray's own among them; SIGTERM is sent to one.
        os.kill(process.pid, signal.SIGTERM) if how == "SIGTERM" else os.killpg(process.pid, signal.SIGINT)
        status = process.wait(120)
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        for pid in (process.pid, *clusters.descendants(process.pid)):
            clusters.end(pid)

    answers = {name: answer for client in clients for name, answer in client.answers.items()}
    in_hand = {answer for begun, answer in answers.values() if begun < told - 0.1}
    assert (status, in_hand) == (0, {200}), answers
    assert 503 in {answer for begun, answer in answers.values() if begun > told}
    store = open_store(url)
    stored = store.index([("ztf", name) for name in answers])
    store.close()
    assert {name for name, (_, answer) in answers.items() if answer == 200} == {
        name for (_, name), history in stored.items() if history.detections
    }
