"""Entries -> one topic: `publish` comes back when the brokers have each of them, in all their replicas."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from skystamp.errors import Fault, SkystampError
from skystamp.sources.kafka.address import Address, Settings, client_settings, library

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

log = logging.getLogger(__name__)

_LARGEST = 64 << 20  # bytes of a message as far as we are asked; the brokers have their own bound
_TRY_MS = 30_000  # until the library gives a message back
_LONGEST_PAUSE_S = 30.0
_CLOSE_S = 10.0
_FINAL = {"TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "INVALID_TOPIC_EXCEPTION"}


class Abandoned(SkystampError):  # noqa: N818  no error: the stream is told to end
    """Work was given up before it was done; nothing of it is committed, and it will be done again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to publish."""

    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class _Round:
    """What becomes of the entries that were handed to the library together; threads only append to it."""

    ended: list[Entry] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)
    faults: list["KafkaError"] = field(default_factory=list)


class Publisher:
    """A topic to write to; may be used by several threads.

    Raises
    ------
    UsageError
        If the library is missing.
    """

    def __init__(self, address: Address, settings: Settings) -> None:
        kafka = library()
        self._topic = address.topics[0]
        self._error: type[Exception] = kafka.KafkaException
        self._refused = ""
        self._is_in = False
        self._producer: Producer = kafka.Producer(
            {
                "linger.ms": 5,
                "message.max.bytes": _LARGEST,
                "message.timeout.ms": _TRY_MS,
                **client_settings(address, settings.producer),
                "enable.idempotence": True,
                "acks": "all",
                "error_cb": self._told,
            },
            logger=log,
        )

    def publish(self, entries: Sequence[Entry], abandon: Event) -> None:
        """Come back when the brokers have taken all entries, however long that takes.

        One that is too large for the topic is logged and left out.

        Raises
        ------
        Abandoned
            If `abandon` is set before.
        Fault
            If the topic can not be written to, the producer can not go on, or the brokers have never let us in.
        """
        left, attempt = list(entries), 0
        while left:
            done = self._round(left, abandon)
            left = done.failed
            if left:
                fields = {"topic": self._topic, "messages": len(left), "error": done.faults[0].str()}
                log.warning("publishing failed and is tried again", extra={"fields": fields})
                if abandon.wait(min(0.5 * 2**attempt, _LONGEST_PAUSE_S)):
                    raise Abandoned
                attempt += 1

    def close(self) -> None:
        """Wait a little for what is on its way."""
        self._producer.flush(_CLOSE_S)

    def _round(self, entries: Sequence[Entry], abandon: Event) -> _Round:
        done = _Round()
        for entry in entries:
            self._produce(entry, done, abandon)
        while len(done.ended) < len(entries):
            self._producer.poll(0.05)
            if abandon.is_set():
                raise Abandoned
            if self._refused and not self._is_in:
                raise Fault(f"the brokers of {self._topic} should let us in. Received: {self._refused}")
        hopeless = [error for error in done.faults if error.fatal() or error.name() in _FINAL]
        if hopeless:
            raise Fault(f"the topic {self._topic} should be writable. Received: {hopeless[0].str()}")
        return done

    def _produce(self, entry: Entry, done: _Round, abandon: Event) -> None:
        def delivered(error: "KafkaError | None", _: object) -> None:
            self._note(entry, error, done)

        while True:
            try:
                self._producer.produce(
                    self._topic, entry.value, entry.key, headers=list(entry.headers), on_delivery=delivered
                )
            except BufferError:  # the library's queue is full
                self._producer.poll(0.1)
                if abandon.is_set():
                    raise Abandoned from None
            except self._error as error:
                self._note(entry, error.args[0], done)
                return
            else:
                return

    def _note(self, entry: Entry, error: "KafkaError | None", done: _Round) -> None:
        if error is not None and error.name() == "MSG_SIZE_TOO_LARGE":
            fields = {"topic": self._topic, "bytes": len(entry.value), "headers": repr(entry.headers)}
            log.error("a message is too large for the topic and is left out", extra={"fields": fields})
        elif error is not None:
            done.faults.append(error)
            done.failed.append(entry)
        else:
            self._is_in = True
        done.ended.append(entry)

    def _told(self, error: "KafkaError") -> None:
        """Note a login that was refused; the library would try it again for ever."""
        if error.name() == "_AUTHENTICATION":
            self._refused = error.str()
