"""sources.kafka.consuming: a group's messages from a real broker, committed up to what is answered."""

import time
from collections.abc import Callable, Collection

import pytest

from skystamp.errors import Fault, UsageError
from skystamp.sources.feeds import Message, Partition
from skystamp.sources.kafka import KafkaFeed, Settings, parse
from tests.brokers import Broker

Topic = Callable[..., str]


def nothing(_: Collection[Partition]) -> None:
    return


def take(feed: KafkaFeed, count: int, seconds: float = 30) -> list[Message]:
    """Return the next messages, `count` of them or what comes in time."""
    messages: list[Message] = []
    until = time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < until:
        messages += feed.read(count - len(messages), 0.1, nothing)
    return messages


def numbers(count: int) -> list[bytes | None]:
    return [str(i).encode() for i in range(count)]


def test_the_offset_of_a_partition_is_that_of_its_first_message_that_is_not_answered(
    broker: Broker, settings: Settings, topic: Topic
) -> None:
    name = topic(partitions=2)
    broker.produce(name, numbers(20), partitions=2)
    feed = KafkaFeed(parse(broker.url(name, name), reader=True), settings)

    messages = take(feed, 20)
    lag_before = feed.lag()
    feed.answered([m for m in messages if m.partition.number == 0 and m.position != 4])
    feed.answered([m for m in messages if m.partition.number == 1])
    feed.save()
    committed = broker.committed(name, name, 2)
    lag_after = feed.lag()
    feed.close()

    assert sorted(int(m.data) for m in messages if isinstance(m.data, bytes)) == list(range(20))
    assert committed == [4, 10]
    assert lag_before == {f"{name}[0]": 10, f"{name}[1]": 10}
    assert lag_after == {f"{name}[0]": 6, f"{name}[1]": 0}


def test_a_group_goes_on_where_it_committed_and_has_ended_when_it_has_it_all(
    broker: Broker, settings: Settings, topic: Topic
) -> None:
    name = topic(partitions=1)
    broker.produce(name, numbers(10), partitions=1)
    feed = KafkaFeed(parse(broker.url(name, name), reader=True), settings)
    messages = take(feed, 10)
    feed.answered(messages[:6])
    feed.close()

    again = KafkaFeed(parse(broker.url(name, name), reader=True), settings, until_end=True)
    rest = take(again, 4)
    again.answered(rest)
    again.close()
    third = KafkaFeed(parse(broker.url(name, name), reader=True), settings, until_end=True)
    ended_at_once = third.ended()
    third.close()

    assert ended_at_once
    assert [m.data for m in rest] == numbers(10)[6:]


def test_until_the_end_is_until_where_the_topic_ended_at_the_start(
    broker: Broker, settings: Settings, topic: Topic
) -> None:
    name = topic(partitions=3)
    broker.produce(name, numbers(10), partitions=2)  # the third partition stays empty
    feed = KafkaFeed(parse(broker.url(name, name), reader=True), settings, until_end=True)
    broker.produce(name, [b"later"] * 6, partitions=3)

    messages: list[Message] = []
    until = time.monotonic() + 30
    while not feed.ended() and time.monotonic() < until:
        messages += feed.read(100, 0.1, nothing)
    feed.answered(messages)
    feed.close()

    assert feed._ends
    assert sorted(int(m.data) for m in messages if isinstance(m.data, bytes)) == list(range(10))
    assert broker.committed(name, name)[:2] == [5, 5]


def test_a_held_feed_stays_in_its_group_and_gives_everything_afterwards(
    broker: Broker, topic: Topic, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    name = topic(partitions=2)
    broker.produce(name, numbers(50), partitions=2)
    impatient = Settings({**settings.consumer, "max.poll.interval.ms": "3500"})
    feed = KafkaFeed(parse(broker.url(name, name), reader=True), impatient)
    first = take(feed, 7)
    feed.hold(True)

    held: list[Message] = []
    until = time.monotonic() + 5
    while time.monotonic() < until:
        held += feed.read(10, 0.2, nothing)
    feed.hold(False)
    rest = take(feed, 43)
    feed.close()

    assert held == []
    assert {int(m.data) for m in first + rest if isinstance(m.data, bytes)} == set(range(50))
    assert "MAXPOLL" not in caplog.text


def test_a_partition_that_another_member_takes_is_settled_first_and_not_committed_afterwards(
    broker: Broker, settings: Settings, topic: Topic
) -> None:
    name = topic(partitions=2)
    broker.produce(name, numbers(20), partitions=2)
    one = KafkaFeed(parse(broker.url(name, name), reader=True), settings)
    messages = take(one, 20)
    settled: list[Partition] = []

    def settle(partitions: Collection[Partition]) -> None:
        settled.extend(partitions)
        one.answered([m for m in messages if m.partition in partitions and m.position < 5])

    other = KafkaFeed(parse(broker.url(name, name), reader=True), settings)
    others: list[Message] = []
    until = time.monotonic() + 40
    while len(others) < 5 and time.monotonic() < until:
        one.read(1, 0.1, settle)
        others += other.read(20, 0.1, nothing)
    (taken,) = set(settled)
    late = [m for m in messages if m.partition == taken and m.position >= 5]
    one.answered(late)
    one.save()
    committed = broker.committed(name, name, 2)
    held = {one.holds(m) for m in late}
    for feed in (one, other):
        feed.close()

    assert {m.partition for m in others} == {taken}
    assert sorted(m.position for m in others) == [5, 6, 7, 8, 9]
    assert held == {False}
    assert committed[taken.number] == 5


def test_a_tombstone_is_a_message_of_no_bytes(broker: Broker, settings: Settings, topic: Topic) -> None:
    name = topic(partitions=1)
    broker.produce(name, [None], partitions=1)
    feed = KafkaFeed(parse(broker.url(name, name), reader=True), settings)

    (message,) = take(feed, 1)
    feed.close()

    assert message.data == b""


def test_topics_by_a_pattern(broker: Broker, settings: Settings, topic: Topic) -> None:
    names = [topic("ztf_1", 1), topic("ztf_2", 1), topic("other", 1)]
    for name in names:
        broker.produce(name, [name.encode()], partitions=1)
    pattern = f"%5E{names[0].partition('ztf_1')[0]}ztf_.*"
    feed = KafkaFeed(parse(broker.url(pattern, names[0]), reader=True), settings, until_end=True)

    messages = take(feed, 2)
    feed.close()

    assert sorted(m.partition.name for m in messages) == names[:2]


def test_a_topic_that_is_not_there_is_a_usage_error(broker: Broker, settings: Settings) -> None:
    with pytest.raises(UsageError, match="the topic should exist"):
        KafkaFeed(parse(broker.url("no_such_topic", "g"), reader=True), settings)


def test_brokers_that_do_not_answer_are_a_fault(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("skystamp.sources.kafka.consuming._ASK_S", 0.5)

    with pytest.raises(Fault, match="should answer"):
        KafkaFeed(parse("kafka://127.0.0.1:9/alerts?group=g", reader=True), settings)
