"""``kafka://HOST:PORT[,HOST:PORT]/TOPIC?group=NAME`` and a settings file -> what the client library is given.

The URL says where and what, and may be logged. How to log in stands in the settings file, in the client's own words
(``security.protocol=SASL_SSL``, a line each), or comes from the environment through the command line; none of it is
ever shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from skystamp.errors import UsageError

SCHEME = "kafka://"
STARTS = ("earliest", "latest")

# Settings that would break what this package promises: offsets are committed after the store has the outcomes.
_OURS = (
    *("bootstrap.servers", "group.id", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof"),
    *("partition.assignment.strategy", "auto.offset.reset", "enable.idempotence", "acks"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Brokers, topics and, for a reader, its group."""

    brokers: str
    topics: tuple[str, ...]  # one that begins with ^ is a pattern
    group: str = ""
    start: str = "earliest"  # where a group without offsets begins

    def __str__(self) -> str:
        return f"{SCHEME}{self.brokers}/{','.join(self.topics)}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The client library's settings, secrets among them: they are not shown."""

    consumer: Mapping[str, str] = field(default_factory=dict, repr=False)
    producer: Mapping[str, str] = field(default_factory=dict, repr=False)


def is_kafka(url: str) -> bool:
    """Return whether a source or a target is a Kafka topic by its URL."""
    return url.startswith(SCHEME)


def parse(url: str, *, reader: bool) -> Address:
    """Return the address that a URL says; a reader's needs a group, a writer's one topic.

    Raises
    ------
    UsageError
        If the URL is of another form. It is not repeated where it might hold a secret.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise UsageError("a Kafka URL should have no user and no password: they belong in the settings file")
    shown, _, _ = url.partition("?")
    topics = tuple(unquote(topic) for topic in parts.path.strip("/").split(",") if topic)
    if not is_kafka(url) or not _are_brokers(parts.netloc) or not topics:
        raise UsageError(f"a Kafka URL should be {SCHEME}HOST:PORT[,HOST:PORT]/TOPIC. Received: {shown}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - ({"group", "start"} if reader else set()))
    if unknown:
        raise UsageError(
            f"a Kafka URL should have no option but group and start, and those for reading alone; "
            f"what else the client takes belongs in the settings file. Received: {', '.join(unknown)}"
        )
    address = Address(parts.netloc, topics, options.get("group", ""), options.get("start", STARTS[0]))
    return _reader(address) if reader else _writer(address)


def read_settings(path: Path | None, login: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file of ``name=value`` lines, with those of `login` before them.

    A name that begins with ``consumer.`` or ``producer.`` is for that side alone. Lines with # first are comments.

    Raises
    ------
    UsageError
        If the file can not be read, a line has no ``=``, or a setting is one that is not free.
    """
    both: dict[str, str] = dict(login or {})
    sides: dict[str, dict[str, str]] = {"consumer": {}, "producer": {}}
    for number, line in _lines(path):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise UsageError(f"line {number} of {path} should be NAME=VALUE")
        side, _, rest = name.partition(".")
        target, name = (sides[side], rest) if side in sides else (both, name)
        if name in _OURS:
            raise UsageError(f"{name} should not be set: delivery hangs on it. It is in line {number} of {path}")
        target[name] = value
    return Settings({**both, **sides["consumer"]}, {**both, **sides["producer"]})


def library() -> ModuleType:
    """Return the client library.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import confluent_kafka
    except ModuleNotFoundError as error:
        raise UsageError("Kafka needs its client library: pip install skystamp[kafka]") from error
    return confluent_kafka


def client_settings(address: Address, settings: Mapping[str, str]) -> dict[str, Any]:
    """Return what both sides of the client library are given first."""
    return {"bootstrap.servers": address.brokers, "client.id": "skystamp", **settings}


def _are_brokers(netloc: str) -> bool:
    return bool(netloc) and all(
        host and port.isdigit() for host, _, port in (broker.rpartition(":") for broker in netloc.split(","))
    )


def _reader(address: Address) -> Address:
    if not address.group:
        raise UsageError(f"a Kafka source should name its consumer group: {address}?group=NAME")
    if address.start not in STARTS:
        raise UsageError(f"start should be {' or '.join(STARTS)}. Received: {address.start[:40]}")
    return address


def _writer(address: Address) -> Address:
    if len(address.topics) != 1 or address.topics[0].startswith("^"):
        raise UsageError(f"a Kafka target should be one topic. Received: {address}")
    return address


def _lines(path: Path | None) -> list[tuple[int, str]]:
    """Return the lines that say something, with their numbers."""
    if path is None:
        return []
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the Kafka settings should be a readable file. Received: {path} ({error})") from error
    lines = enumerate(text.splitlines(), start=1)
    return [(number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("#")]
