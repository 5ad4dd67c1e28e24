"""delivery: a batch is delivered when the service and the topics have it."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx
import pytest

from skystamp.sources.feeds import Message, Partition
from skystamp.sources.kafka import Abandoned, Entry
from skystamp.stream import Delivered, Delivery, Service
from tests import making
from tests.serving import FakeService

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Topic:
    """Takes entries, or refuses them once abandoned."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def publish(self, entries: Sequence[Entry], abandon: threading.Event) -> None:
        if abandon.is_set():
            raise Abandoned
        self.entries += entries


def batch() -> list[Message]:
    values = [making.packet(making.record(0)), b"junk", making.packet(making.record(1), making.record(2))]
    return [Message(value, Partition("alerts"), i) for i, value in enumerate(values)]


def test_a_batch_goes_to_the_service_then_to_the_topics(service: FakeService) -> None:
    out, dead = Topic(), Topic()

    with httpx.Client(base_url=service.url) as client:
        abandon = threading.Event()
        delivered = Delivery(Service(client, abandon), abandon, lambda: NOW, out, dead)(batch())

    assert isinstance(delivered, Delivered)
    assert (delivered.packets, delivered.reasons) == (4, Counter({"not_avro": 1}))
    assert delivered.classes.total() == 3
    assert [entry.value for entry in dead.entries] == [b"junk"]
    assert len(out.entries) == 4
    assert len(service.stored) == 4


def test_a_topic_that_does_not_take_it_keeps_the_batch_undelivered(service: FakeService) -> None:
    with httpx.Client(base_url=service.url) as client:
        abandon = threading.Event()
        delivery = Delivery(Service(client, abandon), abandon, lambda: NOW, Topic())
        abandon.set()

        with pytest.raises(Abandoned):
            delivery(batch())


def test_without_topics_the_service_alone_has_it(service: FakeService) -> None:
    with httpx.Client(base_url=service.url) as client:
        abandon = threading.Event()

        assert Delivery(Service(client, abandon), abandon, lambda: NOW)(batch()).packets == 4
