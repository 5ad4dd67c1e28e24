"""running: the loop against a feed in memory, whose partitions come and go, and a deliverer that does as it is told."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest

from skystamp.errors import Fault
from skystamp.sources.feeds import Message, Partition, Settle
from skystamp.sources.kafka import Abandoned
from skystamp.stream import Delivered, Limits, Totals, run

PARTITION = Partition("t")


class MemoryFeed:
    """Gives `count` messages, remembers what is answered and saved."""

    def __init__(self, count: int, *, at_once: int = 1000, revoked_at: int | None = None) -> None:
        self.count, self.at_once, self.revoked_at = count, at_once, revoked_at
        self.given = 0
        self.positions: set[int] = set()
        self.saved: list[int] = []
        self.held = self.closed = self.revoked = False
        self.polls_while_held = 0

    def read(self, most: int, timeout_s: float, settle: Settle) -> list[Message]:
        if self.held:
            self.polls_while_held += 1
            return []
        if self.revoked_at is not None and self.given >= self.revoked_at and not self.revoked:
            settle([PARTITION])
            self.revoked = True
            return []
        size = min(most, self.at_once, self.count - self.given)
        if size == 0:
            time.sleep(timeout_s)
        messages = [Message(b"x", PARTITION, self.given + i) for i in range(size)]
        self.given += size
        return messages

    def hold(self, held: bool) -> None:
        self.held = held

    def holds(self, message: Message) -> bool:
        return not (self.revoked and message.position < (self.revoked_at or 0))

    def answered(self, messages: Sequence[Message]) -> None:
        self.positions |= {message.position for message in messages}

    def save(self) -> None:
        self.saved.append(len(self.positions))

    def ended(self) -> bool:
        return self.given >= self.count

    def lag(self) -> Mapping[str, int]:
        return {"t[0]": self.count - len(self.positions)}

    def close(self) -> None:
        self.save()
        self.closed = True


def delivered(batch: Sequence[Message]) -> Delivered:
    return Delivered(len(batch), Counter({"SN": len(batch)}), Counter())


def go(
    feed: MemoryFeed,
    deliver: Callable[[Sequence[Message]], Delivered] = delivered,
    limits: Limits | None = None,
    stop: threading.Event | None = None,
    abandon: threading.Event | None = None,
) -> Totals:
    return run(
        feed,
        deliver,
        limits or Limits(packets=10, max_wait_s=0.05),
        stop=stop or threading.Event(),
        abandon=abandon or threading.Event(),
        counts=lambda: {"retries": 3},
    )


def test_everything_is_delivered_once_answered_and_saved() -> None:
    feed = MemoryFeed(95)
    seen: Counter[int] = Counter()

    def deliver(batch: Sequence[Message]) -> Delivered:
        seen.update(message.position for message in batch)
        return delivered(batch)

    totals = go(feed, deliver)

    assert (totals.packets, totals.classes, totals.abandoned) == (95, Counter({"SN": 95}), 0)
    assert seen == Counter(range(95))
    assert feed.saved[-1] == 95
    assert feed.closed


def test_nothing_is_saved_before_it_is_delivered() -> None:
    feed = MemoryFeed(40)
    let_go = threading.Event()

    def deliver(batch: Sequence[Message]) -> Delivered:
        let_go.wait(30)
        return delivered(batch)

    thread = threading.Thread(target=go, args=(feed, deliver))
    thread.start()
    time.sleep(0.3)
    early = set(feed.positions)
    let_go.set()
    thread.join()

    assert early == set()
    assert feed.positions == set(range(40))


def test_a_slow_service_slows_the_source_which_is_polled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skystamp.stream.running._HOLD_AFTER_S", 0.1)
    feed = MemoryFeed(10_000)
    most_open = 0
    stop = threading.Event()

    def deliver(batch: Sequence[Message]) -> Delivered:
        nonlocal most_open
        time.sleep(0.4)
        most_open = max(most_open, feed.given - len(feed.positions))
        return delivered(batch)

    threading.Timer(2.0, stop.set).start()
    totals = go(feed, deliver, Limits(packets=10, in_flight=2), stop)

    assert 20 <= totals.packets < 200
    assert most_open <= 10 * (2 + 2)
    assert feed.polls_while_held > 0


def test_a_batch_that_is_not_full_leaves_when_it_is_old_enough() -> None:
    feed = MemoryFeed(3, at_once=1)
    feed.count = 10**6
    stop = threading.Event()
    times: list[float] = []
    start = time.monotonic()

    def deliver(batch: Sequence[Message]) -> Delivered:
        times.append(time.monotonic() - start)
        stop.set()
        return delivered(batch)

    original = feed.read

    def slowly(most: int, timeout_s: float, settle: Settle) -> list[Message]:
        time.sleep(0.05)
        return original(most, timeout_s, settle)

    feed.read = slowly  # type: ignore[method-assign]
    go(feed, deliver, Limits(packets=10**6, max_wait_s=0.3), stop)

    assert 0.2 < times[0] < 5


def test_told_to_stop_it_finishes_what_is_on_its_way_and_sends_no_more() -> None:
    feed = MemoryFeed(10_000)
    stop = threading.Event()
    started = threading.Event()

    def deliver(batch: Sequence[Message]) -> Delivered:
        if batch[-1].position == 19:
            started.set()
        time.sleep(0.3)
        return delivered(batch)

    threading.Thread(target=lambda: (started.wait(30), stop.set())).start()
    totals = go(feed, deliver, Limits(packets=10, in_flight=2), stop)

    assert totals.packets == len(feed.positions) == feed.saved[-1] == 20
    assert totals.abandoned == 0


def test_what_does_not_finish_in_time_is_given_up_and_not_answered() -> None:
    feed = MemoryFeed(20)
    stop, abandon = threading.Event(), threading.Event()

    def deliver(batch: Sequence[Message]) -> Delivered:
        if batch[-1].position == 19:
            stop.set()
        abandon.wait(60)
        raise Abandoned

    totals = go(feed, deliver, Limits(packets=10, in_flight=2, grace_s=0.2), stop, abandon)

    assert totals.abandoned == 20
    assert feed.positions == set()
    assert feed.closed


def test_a_fault_stops_the_stream_after_saving_what_was_delivered() -> None:
    feed = MemoryFeed(100)

    def deliver(batch: Sequence[Message]) -> Delivered:
        if batch[0].position >= 30:
            raise Fault("no such route")
        return delivered(batch)

    with pytest.raises(Fault, match="no such route"):
        go(feed, deliver, Limits(packets=10, in_flight=1))

    assert feed.positions == set(range(30))
    assert feed.saved[-1] == 30
    assert feed.closed


def test_partitions_that_are_taken_away_are_settled_and_their_waiting_messages_dropped() -> None:
    feed = MemoryFeed(100, at_once=5, revoked_at=25)
    sent: list[int] = []

    def deliver(batch: Sequence[Message]) -> Delivered:
        time.sleep(0.2)
        sent.extend(message.position for message in batch)
        return delivered(batch)

    go(feed, deliver, Limits(packets=10, max_wait_s=60.0, in_flight=8))

    assert feed.revoked
    assert sorted(sent) == [*range(20), *range(25, 100)]
    assert feed.positions == set(sent)


def test_it_ends_after_as_many_messages_as_it_may_read() -> None:
    feed = MemoryFeed(10_000)

    totals = go(feed, limits=Limits(packets=10, most=37))

    assert (totals.packets, feed.given) == (37, 37)


def test_statistics_say_rate_lag_and_retries(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    go(MemoryFeed(30))

    told = [record.fields for record in caplog.records if record.message == "streaming"]  # type: ignore[attr-defined]
    assert told[-1]["packets"] == 30
    assert told[-1]["lag"] == {"t[0]": 0}
    assert told[-1]["retries"] == 3
    assert told[-1]["per_second"] > 0


def test_what_the_log_says_is_told_to_who_asks_for_it():
    told: list[Mapping[str, object]] = []

    run(
        MemoryFeed(5),
        delivered,
        Limits(every_s=0.1),
        stop=threading.Event(),
        abandon=threading.Event(),
        counts=lambda: {"requests": 1},
        tell=told.append,
    )

    assert (told[-1]["packets"], told[-1]["requests"], told[-1]["lag"]) == (5, 1, {"t[0]": 0})
