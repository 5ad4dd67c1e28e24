"""client: packets to a service on loopback and back, against a real HTTP server that answers as told."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skystamp import api, classify, client
from tests import faking, making


class Service(ThreadingHTTPServer):
    """Classifies with the fake model; answers the statuses in `failures`, and what is `told`, first."""

    failures: list[int]
    bodies: list[bytes]
    tokens: list[str | None]
    retry_after: str
    told: bytes = b"no"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(body)
        self.server.tokens.append(self.headers.get("authorization"))
        status = self.server.failures.pop(0) if self.server.failures else 200
        answer = api.answer_json(list(classify.packets(body, faking.model()))) if status == 200 else self.server.told
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        if status != 200 and self.server.retry_after:
            self.send_header("retry-after", self.server.retry_after)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service(("127.0.0.1", 0), Handler)
    server.failures, server.bodies, server.tokens, server.retry_after = [], [], [], ""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(service: Service) -> str:
    return f"http://127.0.0.1:{service.server_port}"


def expected(packets: list[bytes]) -> list[Any]:
    outcomes = [outcome for packet in packets for outcome in classify.packets(packet, faking.model())]
    return list(json.loads(api.answer_json(outcomes))["outcomes"])


def test_outcomes_come_in_the_order_of_the_files_whatever_they_travelled_in(service: Service, tmp_path: Path) -> None:
    packets = [making.packet(*(making.record(10 * i + j) for j in range(i + 1)), codec="deflate") for i in range(4)]
    packets[2] = b"no Avro at all"
    for i, packet in enumerate(packets):
        (tmp_path / f"{i}.avro").write_bytes(packet)

    outcomes = list(client.classify_files(url(service), [tmp_path]))

    assert [o["outcome"] for o in outcomes] == 3 * ["classification"] + ["rejection"] + 4 * ["classification"]
    assert [o["alert_id"] for o in outcomes] == [o["alert_id"] for o in expected(packets)]
    assert [o for o in outcomes if o["outcome"] == "classification"] == expected([packets[0], packets[1], packets[3]])


def test_neighbours_travel_together(service: Service, tmp_path: Path) -> None:
    for i in range(20):
        (tmp_path / f"{i:02d}.avro").write_bytes(making.packet(making.record(i)))

    outcomes = list(client.classify_files(url(service), [tmp_path]))

    assert len(outcomes) == 20
    assert len(service.bodies) < 20


def test_a_service_that_is_busy_is_asked_again(service: Service) -> None:
    service.failures = [503]

    answer = client.post(url(service), making.packet())

    assert answer["counts"]["packets"] == 1
    assert len(service.bodies) == 2


def test_a_proxy_without_an_application_is_asked_again(service: Service) -> None:
    service.failures = [404]

    assert client.post(url(service), making.packet())["counts"]["packets"] == 1


def test_a_404_of_the_service_itself_is_an_error(service: Service) -> None:
    service.failures, service.told = [404], b'{"error": {"code": "not_found", "message": "No route."}}'

    with pytest.raises(client.ServiceError, match="404"):
        client.post(url(service), making.packet())


def test_a_refusal_is_an_error_with_the_services_words(service: Service) -> None:
    service.failures = [415]

    with pytest.raises(client.ServiceError, match="415 no"):
        client.post(url(service), making.packet())


def test_a_token_is_shown_and_no_header_without_one(service: Service) -> None:
    client.post(url(service), making.packet(), token="hush")
    client.post(url(service), making.packet())

    assert service.tokens == ["Bearer hush", None]


def test_a_service_that_asks_to_wait_is_waited_for(service: Service) -> None:
    service.failures, service.retry_after = [429], "1"
    begun = time.monotonic()

    client.post(url(service), making.packet())

    assert time.monotonic() - begun >= 1
    assert len(service.bodies) == 2
