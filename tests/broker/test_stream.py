"""`skystamp stream` as an operator runs it: its own process, a real broker, a service over HTTP; killed and starved.

What must hold at any moment: a packet whose offset is committed has its outcome in the service's store. What must hold
at the end: every packet has exactly one.
"""

import io
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from tests import making
from tests.brokers import Broker
from tests.serving import FakeService

Topic = Callable[..., str]
Start = Callable[..., "Streaming"]

pytestmark = pytest.mark.timeout(240)


class Streaming:
    """A running `skystamp stream` and what it logs."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._log = log
        command = [sys.executable, "-c", "from skystamp.cli import app; app()", "stream", *arguments]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def events(self) -> list[dict[str, Any]]:
        lines = self._log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events() if one["event"] == event]

    def text(self) -> str:
        return self._log.read_text()

    def end(self, seconds: float = 120) -> int:
        """Return the exit status, or fail with what it logged."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it should end in {seconds} s:\n{self.text()[-8000:]}")

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path, settings_file: Path, service: FakeService) -> Iterator[Start]:
    """`start(source, *options)`: run the command against the service."""
    running: list[Streaming] = []

    def make(source: str, *options: str) -> Streaming:
        arguments = ["--source", source, "--service", service.url, "--kafka-settings", str(settings_file)]
        running.append(Streaming([*arguments, *options], tmp_path / f"{len(running)}.log"))
        return running[-1]

    yield make
    for one in running:
        one.kill()


def packets(count: int) -> list[bytes]:
    return [making.packet(making.record(i)) for i in range(count)]


def candids(count: int) -> list[int | None]:
    return [making.CANDIDATE["candid"] + i for i in range(count)]


def until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} should happen in {seconds} s"
        time.sleep(0.02)


def below(committed: list[int], count: int, partitions: int = 3) -> set[int | None]:
    """Return the alert ids of the packets whose offsets are committed, of `count` sent to the partitions in turn."""
    return {candids(count)[i] for i in range(count) if i // partitions < committed[i % partitions]}


def test_packets_become_outcomes_in_a_topic_and_poison_becomes_rejections_and_dead_letters(
    broker: Broker, service: FakeService, topic: Topic, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, out, dead = topic(), topic("out"), topic("dead")
    monkeypatch.setenv("SKYSTAMP_TOKEN", "hunter2")
    service.misbehave = [503]
    poison = {3: b"junk", 40: b"\0\0\0\0\1 in another frame", 60: None, 70: packets(1)[0][:9000]}
    values = [poison.get(i, packet) for i, packet in enumerate(packets(90))]
    values.append(making.packet(making.record(200), making.record(201, cutoutScience=None), making.record(202)))
    broker.produce(name, values)

    streaming = start(
        broker.url(name, name),
        *("--out", broker.url(out), "--dead-letter", dead, "--until-end", "--batch", "16", "--every", "0.5"),
    )

    assert streaming.end() == 0, streaming.text()
    assert len(service.stored) == 93
    assert set(service.sent.values()) == {1}
    assert broker.committed(name, name) == [31, 30, 30]
    outcomes = [one for m in broker.messages(out, 93) for one in fastavro.reader(io.BytesIO(m.value() or b""))]
    assert len(outcomes) == 93
    good = {one["candid"] for one in outcomes if one["outcome"] == "classification"}
    assert good == {candids(90)[i] for i in range(90) if i not in poison} | {candids(203)[200], candids(203)[202]}
    letters = {int(dict(m.headers() or [])["source_offset"]): m for m in broker.messages(dead, 5)}
    assert {offset: m.value() or None for offset, m in letters.items()} == {
        **{i // 3: value for i, value in poison.items()},
        30: values[-1],
    }
    assert dict(letters[30].headers() or [])["reason"] == b"missing_cutout"
    last = streaming.told("streaming")[-1]
    assert (last["packets"], sum(last["classes"].values())) == (93, 88)
    assert sum(last["lag"].values()) == 0
    assert streaming.told("ended")[0]["rejections"] == 5
    assert {headers["authorization"] for headers in service.headers} == {"Bearer hunter2"}
    assert "hunter2" not in streaming.text()


@pytest.mark.parametrize(
    ("count", "most_kills"), [(240, 2), pytest.param(3000, 12, marks=(pytest.mark.slow, pytest.mark.timeout(1200)))]
)
def test_killed_at_any_moment_it_loses_nothing_and_doubles_nothing(
    broker: Broker, service: FakeService, topic: Topic, start: Start, count: int, most_kills: int
) -> None:
    """The consumer is killed with SIGKILL while the service misbehaves."""
    rng = random.Random(4)
    name, out = topic(), topic("out")
    broker.produce(name, packets(count))
    service.slow_s = 0.05
    options = ("--out", broker.url(out), "--batch", "8", "--in-flight", "3", "--max-wait", "0.3", "--timeout", "5")

    kills = 0
    while kills < most_kills:
        streaming = start(broker.url(name, name), *options)
        goal = len(service.stored) + rng.randrange(20, 70)
        service.misbehave = rng.choices(["die", "die after", 503, 500, 200], k=8)
        until(lambda goal=goal: len(service.stored) >= goal, "progress")  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.1))
        streaming.kill()
        kills += 1
        committed = broker.committed(name, name)
        assert below([max(offset, 0) for offset in committed], count) <= set(service.alert_ids)
    finishing = start(broker.url(name, name), *options, "--until-end")

    assert finishing.end(600) == 0, finishing.text()
    assert service.alert_ids == candids(count)
    assert len(service.stored) == count
    assert broker.committed(name, name) == [count // 3] * 3
    published = [one for m in broker.messages(out, count) for one in fastavro.reader(io.BytesIO(m.value() or b""))]
    keys = {(one["survey"], one["candid"], one["classifier_name"], one["classifier_version"]) for one in published}
    assert sorted(key[1] for key in keys) == candids(count)


def test_told_to_stop_it_finishes_commits_and_leaves(
    broker: Broker, service: FakeService, topic: Topic, start: Start
) -> None:
    count, name = 300, topic()
    broker.produce(name, packets(count))
    service.slow_s = 0.2
    streaming = start(broker.url(name, name), "--batch", "8", "--in-flight", "2")
    until(lambda: len(service.stored) >= 20, "progress")

    streaming.process.send_signal(signal.SIGTERM)
    status = streaming.end(30)

    assert status == 0, streaming.text()
    assert len(service.stored) < count
    assert below(broker.committed(name, name), count) == set(service.alert_ids)
    assert streaming.told("stopped")[0]["packets"] == len(service.stored)


def test_told_to_stop_while_the_service_is_away_it_ends_in_time_and_commits_nothing(
    broker: Broker, service: FakeService, topic: Topic, start: Start
) -> None:
    name = topic()
    broker.produce(name, packets(30))
    service.misbehave = [503] * 10_000
    streaming = start(broker.url(name, name), "--batch", "8", "--grace", "0.5")
    until(lambda: bool(streaming.told("the service is asked again")), "a retry")

    streaming.process.send_signal(signal.SIGINT)
    status = streaming.end(30)

    assert status == 1, streaming.text()
    assert streaming.told("stopped")[0]["given_up"] > 0
    assert max(broker.committed(name, name)) < 0


def test_two_share_a_topic_and_one_takes_over_what_the_other_leaves(
    broker: Broker, service: FakeService, topic: Topic, start: Start
) -> None:
    count, name = 320, topic(partitions=4)
    broker.produce(name, packets(count), partitions=4)
    service.slow_s = 0.2
    options = ("--batch", "8", "--in-flight", "2", "--max-wait", "0.2")
    one = start(broker.url(name, name), *options)
    until(lambda: len(service.stored) >= 20, "progress")

    other = start(broker.url(name, name), *options, "--until-end")
    until(lambda: bool(other.told("partitions are ours")), "a rebalance")
    until(lambda: any(event["packets"] for event in one.told("streaming")) or len(service.stored) >= 60, "progress")
    one.process.send_signal(signal.SIGTERM)
    service.slow_s = 0.02

    assert one.end(60) == 0, one.text()
    assert other.end(60) == 0, other.text()
    assert one.told("partitions were given back")
    assert service.alert_ids == candids(count)
    if not any(stream.told("partitions were lost: others hold them already") for stream in (one, other)):
        assert set(service.sent.values()) == {1}, "what is on its way is finished before a partition is given back"
    assert broker.committed(name, name, 4) == [80] * 4


@pytest.mark.slow
def test_a_service_that_hangs_longer_than_the_groups_patience_costs_neither_packets_nor_memory(
    broker: Broker, service: FakeService, topic: Topic, start: Start, tmp_path: Path, settings_file: Path
) -> None:
    count, name = 800, topic()
    broker.produce(name, packets(count))  # 50 MB
    impatient = tmp_path / "impatient.conf"
    impatient.write_text(settings_file.read_text() + "consumer.max.poll.interval.ms=3500\n")
    service.misbehave = ["hang"] * 2
    streaming = start(
        broker.url(name, name),
        *(
            "--kafka-settings",
            str(impatient),
            "--batch",
            "16",
            "--in-flight",
            "2",
            "--until-end",
            "--timeout",
            "5",
            "--every",
            "0.5",
        ),
    )

    status = streaming.end(150)
    peak_mb = max(event["memory_mb"] for event in streaming.told("streaming"))

    assert status == 0, streaming.text()
    assert service.alert_ids == candids(count)
    assert "MAXPOLL" not in streaming.text(), "it was polled all the time"
    assert 0 < peak_mb < 250  # 85 before the first packet, 32 that the client reads ahead


def test_a_folder_goes_on_where_it_was_killed(service: FakeService, start: Start, tmp_path: Path) -> None:
    folder, count = tmp_path / "night", 120
    folder.mkdir()
    for i, packet in enumerate(packets(count)):
        (folder / f"{i:03d}.avro").write_bytes(packet)
    service.slow_s = 0.05
    options = ("--state", str(tmp_path / "state"), "--batch", "8", "--in-flight", "2")

    streaming = start(str(folder), *options)
    until(lambda: len(service.stored) >= 30, "progress")
    streaming.kill()
    killed_at = len(service.stored)
    again = start(str(folder), *options)

    assert again.end() == 0, again.text()
    assert service.alert_ids == candids(count)
    assert again.told("ended")[0]["packets"] <= count - killed_at + 3 * 8
    assert sum(n - 1 for n in service.sent.values()) <= 3 * 8
