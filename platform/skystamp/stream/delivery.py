"""A batch -> outcomes that the service has stored and the topics have taken: only then is it answered for."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol, runtime_checkable

from skystamp.sources.feeds import Message
from skystamp.sources.kafka import Entry
from skystamp.stream.published import dead_letter, outcome_entry
from skystamp.stream.service import OutcomeDict, Service


@runtime_checkable
class Topic(Protocol):
    """Where entries are published, as `skystamp.sources.kafka.Publisher`."""

    def publish(self, entries: Sequence[Entry], abandon: Event) -> None:
        """Come back when all of them are there."""
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many packets a batch held, and what became of them."""

    packets: int
    classes: Counter[str]
    reasons: Counter[str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a batch goes; called by several threads."""

    service: Service
    abandon: Event
    now: Callable[[], datetime]
    outcomes: Topic | None = None
    dead_letters: Topic | None = None

    def __call__(self, batch: Sequence[Message]) -> Delivered:
        """Return what became of a batch, when everything that is to have its outcomes has them.

        Raises
        ------
        Abandoned
            If `abandon` is set first.
        Fault
            If the service or a topic refuses for good.
        """
        answered = self.service.outcomes([message.data for message in batch])
        flat = [outcome for outcomes in answered for outcome in outcomes]
        if self.outcomes is not None:
            now = self.now()
            self.outcomes.publish([outcome_entry(outcome, now) for outcome in flat], self.abandon)
        if self.dead_letters is not None:
            rejected = ((message, _rejections(outcomes)) for message, outcomes in zip(batch, answered, strict=True))
            letters = [dead_letter(message, rejections) for message, rejections in rejected if rejections]
            self.dead_letters.publish(letters, self.abandon)
        classes = Counter(outcome["class"] for outcome in flat if outcome["outcome"] == "classification")
        return Delivered(len(flat), classes, Counter(outcome["reason"] for outcome in _rejections(flat)))


def _rejections(outcomes: Sequence[OutcomeDict]) -> list[OutcomeDict]:
    return [outcome for outcome in outcomes if outcome["outcome"] == "rejection"]
