"""Packets of many objects -> batches of whole objects -> their outcomes and counts; the same here and on Ray."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

import numpy as np
from jaxtyping import Int64

from skystamp import classify, sources
from skystamp.alert import Alert
from skystamp.classify import Classification, Models, Outcome, Rejection
from skystamp.sources import Source

BATCH = 256  # alerts answered at once, of whole objects; one object may have more
ROWS = 64  # records read at once

Item = Alert | Rejection


def read(source: Source) -> Iterator[Item]:
    """Yield the alert or the rejection of each packet of a source, in order."""
    records = sources.records(source)
    while part := list(islice(records, ROWS)):
        yield from classify.alerts(part)


def object_of(item: Item) -> str | None:
    """Return the name of an alert's object among all surveys, None for a rejection."""
    return f"{item.survey} {item.object_id}" if isinstance(item, Alert) else None


def batches(objects: Sequence[str | None], size: int = BATCH) -> Iterator[Int64[np.ndarray, " member"]]:
    """Yield the packets, by their place in `objects`, in batches of about `size`, all packets of an object in one.

    A rejected packet is of no object, None. Batches are a function of the objects' names and the packets' order.
    """
    order = sorted(range(len(objects)), key=lambda i: (objects[i] is None, objects[i] or "", i))
    batch: list[int] = []
    for _, run in groupby(order, key=lambda i: i if objects[i] is None else objects[i]):
        members = list(run)
        if batch and len(batch) + len(members) > size:
            yield np.array(batch, np.int64)
            batch = []
        batch += members
    if batch:
        yield np.array(batch, np.int64)


def outcomes(items: Sequence[Item], models: Models) -> list[Outcome]:
    """Return the outcome of each alert among all of them, and each rejection as it is, in order."""
    alerts = [item for item in items if isinstance(item, Alert)]
    answers = iter(classify.histories(alerts, models) if alerts else [])
    return [next(answers) if isinstance(item, Alert) else item for item in items]


@dataclass(frozen=True, slots=True)
class Tally:
    """Which models answered how many packets and objects, and how often each rule spoke."""

    packets: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)

    def join(self, other: "Tally") -> None:
        """Add what another has counted."""
        self.packets.update(other.packets)
        self.objects.update(other.objects)
        self.rules.update(other.rules)


def tallied(answered: Sequence[Outcome]) -> Tally:
    """Return the counts of the outcomes of whole objects."""
    found = [outcome for outcome in answered if isinstance(outcome, Classification)]
    objects = {(f"{one.model} {one.model_version}", one.survey, one.object_id) for one in found}
    return Tally(
        packets=Counter(f"{one.model} {one.model_version}" for one in found),
        objects=Counter(model for model, _, _ in objects),
        rules=Counter(rule.rule for one in found for rule in one.rules),
    )
