"""sources.kafka.publishing: entries that a real broker has."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from skystamp.sources.kafka import Abandoned, Entry, Publisher, Settings, parse
from tests.brokers import Broker

Topic = Callable[..., str]


def test_what_is_published_is_there_with_key_and_headers(broker: Broker, settings: Settings, topic: Topic) -> None:
    name = topic(partitions=1)
    publisher = Publisher(parse(broker.url(name), reader=False), settings)

    publisher.publish([Entry(b"one", b"key", (("reason", b"x"),)), Entry(b"two")], threading.Event())
    publisher.close()
    found = broker.messages(name, 2, partitions=1)

    assert [(m.value(), m.key(), m.headers()) for m in found] == [
        (b"one", b"key", [("reason", b"x")]),
        (b"two", None, None),
    ]


def test_several_threads_share_a_publisher(broker: Broker, settings: Settings, topic: Topic) -> None:
    name = topic(partitions=1)
    publisher = Publisher(parse(broker.url(name), reader=False), settings)

    def publish(part: int) -> None:
        publisher.publish([Entry(f"{part} {i}".encode()) for i in range(50)], threading.Event())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))
    publisher.close()

    assert {m.value() for m in broker.messages(name, 200, partitions=1)} == {
        f"{part} {i}".encode() for part in range(4) for i in range(50)
    }


def test_a_full_queue_is_waited_for(broker: Broker, settings: Settings, topic: Topic) -> None:
    name = topic(partitions=1)
    small = Settings({}, {**settings.producer, "queue.buffering.max.messages": "5"})
    publisher = Publisher(parse(broker.url(name), reader=False), small)

    publisher.publish([Entry(bytes(1000))] * 60, threading.Event())
    publisher.close()

    assert len(broker.messages(name, 60, partitions=1)) == 60


def test_brokers_that_are_away_are_waited_for_until_it_is_abandoned(settings: Settings) -> None:
    publisher = Publisher(parse("kafka://127.0.0.1:9/alerts", reader=False), settings)
    abandon = threading.Event()
    threading.Timer(1.0, abandon.set).start()
    start = time.monotonic()

    with pytest.raises(Abandoned):
        publisher.publish([Entry(b"x")], abandon)

    assert 0.9 < time.monotonic() - start < 20


def test_what_is_too_large_is_logged_and_the_rest_is_published(
    broker: Broker, settings: Settings, topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    name = topic(partitions=1)
    tight = Settings({}, {**settings.producer, "message.max.bytes": "2000"})
    publisher = Publisher(parse(broker.url(name), reader=False), tight)

    publisher.publish([Entry(b"a"), Entry(bytes(5000)), Entry(b"b")], threading.Event())
    publisher.close()

    assert [m.value() for m in broker.messages(name, 2, partitions=1)] == [b"a", b"b"]
    assert "too large for the topic" in caplog.text
