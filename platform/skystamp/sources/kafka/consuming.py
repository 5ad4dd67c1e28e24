"""Topics -> messages, with a consumer group: nothing is committed before it is answered, whoever holds the partition.

    assigned ─ a term of the partition begins at the committed offset
    read     ─ messages, remembered as open
    answered ─ committed up to the first open one (`save`)
    revoked  ─ what is on its way may finish, for a moment; that is committed; the rest the next holder reads again
    lost     ─ nothing more is committed: another holds the partition already

A held feed goes on being polled, so that a slow service never costs the membership of the group.
"""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from skystamp.errors import Fault, UsageError
from skystamp.sources.feeds import Message, Partition, Progress, Settle
from skystamp.sources.kafka.address import Address, Settings, client_settings, library

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, TopicPartition
    from confluent_kafka import Message as Received

log = logging.getLogger(__name__)

_FETCHED_KIB = 32 << 10  # that the client reads ahead
_ASK_S = 15.0  # for the brokers' answers
_LOOK_S = 1.0  # between two looks at what other members have committed
_NONE = -1001  # the library's word for no offset


@dataclass(slots=True)
class _Term:
    """Our holding one partition, from its assignment until it is taken away."""

    number: int
    committed: int  # by the group, when it began; negative if nothing was
    progress: Progress = field(default_factory=Progress)
    saved: int | None = None


class KafkaFeed:
    """The messages of an address's topics for its group; see `skystamp.sources.feeds.Feed`.

    Parameters
    ----------
    address : Address
        Of a reader.
    settings : Settings
        Of the client library.
    until_end : bool
        Whether to end where the partitions end now.

    Raises
    ------
    UsageError
        If the library is missing, or there is no such topic.
    Fault
        If no broker answers.
    """

    def __init__(self, address: Address, settings: Settings, *, until_end: bool = False) -> None:
        self._kafka = library()
        self._terms: dict[Partition, _Term] = {}
        self._count = 0
        self._held = False
        self._settle: Settle = _nothing_on_its_way
        self._consumer: Consumer = self._kafka.Consumer(
            {
                "queued.max.messages.kbytes": _FETCHED_KIB,
                **client_settings(address, settings.consumer),
                "group.id": address.group,
                "auto.offset.reset": address.start,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": until_end,
                "partition.assignment.strategy": "cooperative-sticky",
                "error_cb": partial(_told, self._kafka),
            },
            logger=log,
        )
        partitions = self._partitions(address)
        self._ends = self._found_ends(partitions) if until_end else {}
        self._reached: set[Partition] = set()
        self._looked = -_LOOK_S
        self._until_end = until_end
        self._consumer.subscribe(
            list(address.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def read(self, most: int, timeout_s: float, settle: Settle) -> list[Message]:
        """Return the next messages, at most `most`; partitions may come and go meanwhile."""
        self._settle = settle
        try:
            received = self._consumer.consume(most, timeout_s)
        except self._kafka.KafkaException as error:
            raise Fault(f"the brokers should give messages. Received: {error}") from error
        messages = (self._message(one) for one in received)
        return [message for message in messages if message is not None]

    def hold(self, held: bool) -> None:
        """Give no messages until told otherwise."""
        if held != self._held:
            change = self._consumer.pause if held else self._consumer.resume
            change(self._consumer.assignment())
            self._held = held

    def holds(self, message: Message) -> bool:
        """Return whether the message came in the term of its partition that lasts still."""
        term = self._terms.get(message.partition)
        return term is not None and term.number == message.term

    def answered(self, messages: Sequence[Message]) -> None:
        """Note that the outcomes of these messages are stored; those of ended terms are the next holder's."""
        for message in messages:
            if self.holds(message):
                self._terms[message.partition].progress.answered(message.position)

    def save(self) -> None:
        """Commit, for each partition, the offset up to which everything is answered."""
        due = {
            partition: term.progress.safe
            for partition, term in self._terms.items()
            if term.progress.safe is not None and term.progress.safe != term.saved
        }
        if due and self._commit(due):
            for partition, position in due.items():
                self._terms[partition].saved = position

    def ended(self) -> bool:
        """Whether every partition was read up to where it ended at the start, by us or by other members."""
        if not self._until_end:
            return False
        left = {p: end for p, end in self._ends.items() if p not in self._reached or p not in self._terms}
        if left and time.monotonic() - self._looked > _LOOK_S:
            self._looked = time.monotonic()
            committed = self._committed(left)
            left = {p: end for p, end in left.items() if committed.get(p, _NONE) < end}
        return not left

    def lag(self) -> Mapping[str, int]:
        """How many messages of each of our partitions are not answered yet, as of the last fetch."""
        lags = {}
        for partition, term in self._terms.items():
            low, high = self._consumer.get_watermark_offsets(self._place(partition), cached=True)
            if high >= 0:
                safe = term.progress.safe if term.progress.safe is not None else term.committed
                lags[str(partition)] = max(0, high - max(safe, low, 0))
        return lags

    def close(self) -> None:
        """Commit what is answered and leave the group."""
        self.save()
        self._consumer.close()

    # ------------------------------------------------------------------------------------------------------- messages

    def _message(self, received: "Received") -> Message | None:
        partition = Partition(str(received.topic()), received.partition() or 0)
        position = received.offset() or 0
        term = self._terms.get(partition)
        if (error := received.error()) is not None:
            self._note(error, partition, position)
            return None
        end = self._ends.get(partition, 0) if self._until_end else None  # 0: it was empty, or was not, at the start
        if end is not None and position + 1 >= end:
            self._reached.add(partition)
        if term is None or (end is not None and position >= end):
            return None
        if term.progress.last is None:
            _check_start(partition, position, term.committed)
        term.progress.read(position)
        value = received.value()
        return Message(value if isinstance(value, bytes) else b"", partition, position, term=term.number)

    def _note(self, error: "KafkaError", partition: Partition, position: int) -> None:
        if error.name() == "_PARTITION_EOF":
            if position >= self._ends.get(partition, 0):
                self._reached.add(partition)
        elif error.fatal() or error.name() in {"TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED"}:
            raise Fault(f"the brokers should let us read {partition}. Received: {error.str()}")
        else:
            log.warning("a fetch failed", extra={"fields": {"partition": str(partition), "error": error.str()}})

    # ----------------------------------------------------------------------------------------------------- partitions

    def _assigned(self, consumer: "Consumer", places: "list[TopicPartition]") -> None:
        committed = self._committed({_partition(place): 0 for place in places})
        for place in places:
            self._count += 1
            partition = _partition(place)
            self._terms[partition] = _Term(self._count, committed.get(partition, _NONE))
            self._reached.discard(partition)
        consumer.incremental_assign(places)
        if self._held:
            consumer.pause(places)
        _tell("partitions are ours", places)

    def _revoked(self, consumer: "Consumer", places: "list[TopicPartition]") -> None:
        self._settle([_partition(place) for place in places])
        self.save()
        self._forget(consumer, places)
        _tell("partitions were given back", places)

    def _lost(self, consumer: "Consumer", places: "list[TopicPartition]") -> None:
        self._forget(consumer, places)
        _tell("partitions were lost: others hold them already", places)

    def _forget(self, consumer: "Consumer", places: "list[TopicPartition]") -> None:
        for place in places:
            self._terms.pop(_partition(place), None)
        consumer.incremental_unassign(places)

    def _partitions(self, address: Address) -> list[Partition]:
        """Return the partitions that the topics have now."""
        try:
            known = self._consumer.list_topics(timeout=_ASK_S).topics
        except self._kafka.KafkaException as error:
            self._consumer.poll(0)  # so that what the library knows of it is logged
            raise Fault(f"the brokers {address.brokers} should answer. Received: {error}") from error
        missing = [topic for topic in address.topics if not topic.startswith("^") and topic not in known]
        if missing:
            raise UsageError(f"the topic should exist at {address.brokers}. Received: {', '.join(missing)}")
        named = [name for name in known if any(_is_of(name, topic) for topic in address.topics)]
        return [Partition(name, number) for name in sorted(named) for number in sorted(known[name].partitions)]

    def _found_ends(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return where each partition that holds anything ends now."""
        ends = {}
        for partition in partitions:
            low, high = self._consumer.get_watermark_offsets(self._place(partition), timeout=_ASK_S, cached=False)
            if high > low:
                ends[partition] = high
        return ends

    # -------------------------------------------------------------------------------------------------------- offsets

    def _commit(self, due: Mapping[Partition, int]) -> bool:
        """Return whether the brokers took the offsets; if not, the messages come again and nothing is lost."""
        places = [self._place(partition, position) for partition, position in due.items()]
        try:
            taken = self._consumer.commit(offsets=places, asynchronous=False) or []
        except self._kafka.KafkaException as error:
            log.warning("a commit failed", extra={"fields": {"error": str(error)}})
            return False
        faults = {str(_partition(place)): str(place.error) for place in taken if place.error is not None}
        if faults:
            log.warning("a commit failed", extra={"fields": {"error": faults}})
        return not faults

    def _committed(self, partitions: Mapping[Partition, int]) -> dict[Partition, int]:
        places = [self._place(partition) for partition in partitions]
        try:
            return {_partition(place): place.offset for place in self._consumer.committed(places, timeout=_ASK_S)}
        except self._kafka.KafkaException as error:
            log.warning("the committed offsets are not known", extra={"fields": {"error": str(error)}})
            return {}

    def _place(self, partition: Partition, position: int = _NONE) -> "TopicPartition":
        place: TopicPartition = self._kafka.TopicPartition(partition.name, partition.number, position)
        return place


def _partition(place: "TopicPartition") -> Partition:
    return Partition(place.topic, place.partition)


def _is_of(name: str, topic: str) -> bool:
    return re.match(topic, name) is not None if topic.startswith("^") else name == topic


def _nothing_on_its_way(_: object) -> None:
    return


def _check_start(partition: Partition, position: int, committed: int) -> None:
    if 0 <= committed < position:
        fields = {"partition": str(partition), "from": committed, "to": position}
        log.error("messages were deleted before they were read", extra={"fields": fields})


def _tell(what: str, places: "list[TopicPartition]") -> None:
    log.info(what, extra={"fields": {"partitions": sorted(str(_partition(place)) for place in places)}})


def _told(kafka: Any, error: "KafkaError") -> None:
    """Log what the library says of connections; it connects again by itself."""
    log.warning("the Kafka client reports an error", extra={"fields": {"error": f"{error.name()} {error.str()}"}})
    if error.fatal():
        raise kafka.KafkaException(error)
