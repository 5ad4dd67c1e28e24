"""How streams log in: TLS to a broker behind a certificate, SASL to one that asks who we are, and no secret anywhere.

The broker's own TLS can not be switched on from its command line, so a door of Python's `ssl` stands before it. Its
SASL can, but it forgets the users that it is given: who it refuses is seen there, who gets in at the door of
`tests.sasl`.
"""

import asyncio
import logging
import ssl
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from skystamp.errors import Fault
from skystamp.sources.kafka import Entry, KafkaFeed, Publisher, Settings, consuming, parse, read_settings
from tests import brokers, clusters, making, sasl

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate that signs itself, for localhost."""
    path = tmp_path / "broker.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*asked, *names, "-keyout", path, "-out", tmp_path / "own.pem"], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "own.pem").read_text())
    return path


@contextmanager
def door(port: int, behind: int, certificate: Path) -> Iterator[None]:
    """Let TLS in at a port, and out in the clear at another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        try:
            with suppress(ssl.SSLError):
                await asyncio.gather(sasl.copied(reader, inner_writer), sasl.copied(inner_reader, writer))
        finally:
            for each in (writer, inner_writer):
                each.transport.abort()

    with opened(through, port, context):
        yield


@contextmanager
def opened(
    through: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    port: int,
    context: ssl.SSLContext | None = None,
) -> Iterator[None]:
    """Serve connections at a port, in a thread."""
    is_open, closed = threading.Event(), threading.Event()

    async def serve() -> None:
        async with await asyncio.start_server(through, "127.0.0.1", port, ssl=context):
            is_open.set()
            while not closed.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert is_open.wait(10)
    try:
        yield
    finally:
        closed.set()
        thread.join(10)


def settings_of(folder: Path, *lines: str) -> Path:
    path = folder / "kafka.conf"
    path.write_text(brokers.SETTINGS + "\n".join(lines))
    return path


def there_and_back(at: str, settings: Settings) -> list[bytes]:
    """Publish a packet and return what a stream then reads."""
    publisher = Publisher(parse(f"kafka://{at}/alerts", reader=False), settings)
    publisher.publish([Entry(making.packet())], threading.Event())
    feed = KafkaFeed(parse(f"kafka://{at}/alerts?group=g", reader=True), settings, until_end=True)
    messages = []
    while not feed.ended():
        messages += feed.read(10, 0.1, lambda _: None)
    feed.close()
    publisher.close()
    return [message.data for message in messages]


def test_a_stream_reads_and_publishes_through_tls(tmp_path: Path, certificate: Path) -> None:
    port = clusters.free_port()
    lines = ("security.protocol=SSL", f"ssl.ca.location={tmp_path / 'own.pem'}")
    settings = read_settings(settings_of(tmp_path, *lines))
    with brokers.running(tmp_path, advertised=f"localhost:{port}") as broker, door(port, broker.port, certificate):
        assert there_and_back(f"localhost:{port}", settings) == [making.packet()]


def test_a_certificate_that_nobody_signed_is_a_fault(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "_ASK_S", 2.0)
    port, settings = clusters.free_port(), read_settings(settings_of(tmp_path, "security.protocol=SSL"))
    with (
        brokers.running(tmp_path, advertised=f"localhost:{port}") as broker,
        door(port, broker.port, certificate),
        pytest.raises(Fault, match="should answer"),
    ):
        KafkaFeed(parse(f"kafka://localhost:{port}/alerts?group=g", reader=True), settings)


def test_a_login_that_is_refused_is_a_fault_and_its_password_is_not_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consuming, "_ASK_S", 2.0)
    path = settings_of(tmp_path, "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-512")
    settings = read_settings(path, {"sasl.username": "me", "sasl.password": "hunter2"})
    with (
        brokers.running(tmp_path, "--authentication") as broker,
        caplog.at_level(logging.DEBUG),
        pytest.raises(Fault, match="should answer"),
    ):
        KafkaFeed(parse(broker.url("alerts", "g"), reader=True), settings)

    assert "SCRAM" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_user_and_password_let_a_stream_in(tmp_path: Path, mechanism: str, caplog: pytest.LogCaptureFixture) -> None:
    port = clusters.free_port()
    path = settings_of(tmp_path, "security.protocol=SASL_PLAINTEXT", f"sasl.mechanism={mechanism}")
    settings = read_settings(path, {"sasl.username": "me", "sasl.password": "hunter2"})
    with brokers.running(tmp_path, advertised=f"localhost:{port}") as broker, caplog.at_level(logging.DEBUG):
        guard = sasl.Door("me", "hunter2", broker.port)
        with opened(guard, port):
            found = there_and_back(f"localhost:{port}", settings)

    assert found == [making.packet()]
    assert set(guard.came) == {mechanism}
    assert guard.came[mechanism] >= 2  # the publisher and the feed
    assert "hunter2" not in caplog.text + repr(settings)


def test_a_publisher_that_is_refused_is_a_fault_and_does_not_try_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = clusters.free_port()
    path = settings_of(tmp_path, "security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-512")
    settings = read_settings(path, {"sasl.username": "me", "sasl.password": "hunter3"})
    with brokers.running(tmp_path, advertised=f"localhost:{port}") as broker:
        guard = sasl.Door("me", "hunter2", broker.port)
        with opened(guard, port):
            publisher = Publisher(parse(f"kafka://localhost:{port}/alerts", reader=False), settings)
            with pytest.raises(Fault, match="should let us in"):
                publisher.publish([Entry(b"x")], threading.Event())

    assert set(guard.came) == {"refused"}
    assert "hunter3" not in caplog.text
