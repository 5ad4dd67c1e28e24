"""How streams log in: TLS to a broker behind a certificate, SASL to one that asks who we are, and no secret anywhere.

The broker's own TLS can not be switched on from its command line, so a door of Python's `ssl` stands before it; its
SASL (SCRAM) can, but it makes users only for those who are logged in already, so what is seen of it is the refusal.
"""

import asyncio
import logging
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from skystamp.errors import Fault
from skystamp.sources.kafka import Entry, KafkaFeed, Publisher, consuming, parse, read_settings
from tests import brokers, clusters, making

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
    opened, closed = threading.Event(), threading.Event()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        try:
            await asyncio.gather(_copied(reader, inner_writer), _copied(inner_reader, writer))
        finally:
            for each in (writer, inner_writer):
                each.transport.abort()

    async def serve() -> None:
        async with await asyncio.start_server(through, "127.0.0.1", port, ssl=context):
            opened.set()
            while not closed.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert opened.wait(10)
    try:
        yield
    finally:
        closed.set()
        thread.join(10)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until either side has gone."""
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def settings_of(folder: Path, *lines: str) -> Path:
    path = folder / "kafka.conf"
    path.write_text(brokers.SETTINGS + "\n".join(lines))
    return path


def test_a_stream_reads_and_publishes_through_tls(tmp_path: Path, certificate: Path) -> None:
    port = clusters.free_port()
    lines = ("security.protocol=SSL", f"ssl.ca.location={tmp_path / 'own.pem'}")
    settings = read_settings(settings_of(tmp_path, *lines))
    with brokers.running(tmp_path, advertised=f"localhost:{port}") as broker, door(port, broker.port, certificate):
        publisher = Publisher(parse(f"kafka://localhost:{port}/alerts", reader=False), settings)
        publisher.publish([Entry(making.packet())], threading.Event())
        feed = KafkaFeed(parse(f"kafka://localhost:{port}/alerts?group=g", reader=True), settings, until_end=True)
        messages = []
        while not feed.ended():
            messages += feed.read(10, 0.1, lambda _: None)
        feed.close()
        publisher.close()

    assert [message.data for message in messages] == [making.packet()]


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
