"""Records of one source -> labelled raw inputs in pieces of bounded size, and what became of every other packet.

    records ── surveys.read ──> Alert ── label? ──> inputs.collect ──> rows of a shard
       │ Reject                   │ Reject  └ unlabelled: counted   └ Reject
       └──────────────────────────┴─────────────────────────────────┴──> rejections

Every packet is exactly one of accepted, rejected, unlabelled. An unlabelled packet's cutouts are not decoded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from skystamp import inputs, surveys
from skystamp.alert import Alert
from skystamp.avro import Decoded
from skystamp.cluster.data import shards
from skystamp.errors import Reason, Reject

PIECE = 64  # alerts; 3 MB of stamps

REJECTIONS = pa.schema(
    {
        "source": pa.string(),
        "row": pa.int64(),  # of the packet in its source, from 0
        "reason": pa.string(),
        "detail": pa.string(),
        "survey": pa.string(),
        "object_id": pa.string(),
        "alert_id": pa.int64(),
    }
)


@dataclass(slots=True)
class Tally:
    """What became of the packets of one source; grows while `rows` is read."""

    source: str
    packets: int = 0
    accepted: int = 0
    unlabelled: int = 0
    rejections: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, row: int, reject: Reject, alert: Alert | None = None) -> None:
        """Count a rejection."""
        known = {"survey": alert.survey, "object_id": alert.object_id, "alert_id": alert.alert_id} if alert else {}
        self.rejections.append(
            {"source": self.source, "row": row, "reason": reject.reason.value, "detail": reject.detail, **known}
        )


def rows(
    records: Iterable[Decoded | Reject], labels: Mapping[str, str], tally: Tally, *, survey: str = "ztf", side: int = 63
) -> Iterator[tuple[list[int], pa.Table]]:
    """Yield the accepted alerts of a source in pieces: the numbers of their packets, and their rows of a shard.

    Parameters
    ----------
    records : iterable of Decoded or Reject
        Of one source, in order.
    labels : mapping of str to str
        Object -> class.
    tally : Tally
        Gets what became of every packet.
    survey : str
        Alerts of another survey are rejected: their numbers mean something else.
    side : int
        Pixels that a stamp has to have.
    """
    waiting: list[tuple[int, Alert, str]] = []
    for row, item in enumerate(records):
        tally.packets += 1
        alert = _alert(item, row, survey, tally)
        if alert is None:
            continue
        label = labels.get(alert.object_id)
        if label is None:
            tally.unlabelled += 1
            continue
        waiting.append((row, alert, label))
        if len(waiting) == PIECE:
            yield from _piece(waiting, tally, side)
            waiting = []
    yield from _piece(waiting, tally, side)


def _alert(item: Decoded | Reject, row: int, survey: str, tally: Tally) -> Alert | None:
    """Return the alert, or None after its rejection was counted."""
    if isinstance(item, Reject):
        tally.reject(row, item)
        return None
    try:
        alert = surveys.read(item.record, item.schema)
    except Reject as reject:
        tally.reject(row, reject)
        return None
    if alert.survey != survey:
        wrong = Reject(Reason.UNKNOWN_SCHEMA, f"the survey should be {survey}. Received: {alert.survey}")
        tally.reject(row, wrong, alert)
        return None
    return alert


def _piece(waiting: list[tuple[int, Alert, str]], tally: Tally, side: int) -> Iterator[tuple[list[int], pa.Table]]:
    raw, kept, rejects = inputs.collect([alert for _, alert, _ in waiting], side=side)
    for i, reject in rejects.items():
        tally.reject(waiting[i][0], reject, waiting[i][1])
    tally.accepted += len(kept)
    if not kept:
        return
    chosen = [waiting[i] for i in kept]
    plain: dict[str, list[Any]] = {
        "object_id": [alert.object_id for _, alert, _ in chosen],
        "alert_id": [alert.alert_id for _, alert, _ in chosen],
        "mjd": [alert.mjd for _, alert, _ in chosen],
        "label": [label for _, _, label in chosen],
        shards.BAND: [alert.band for _, alert, _ in chosen],
    }
    yield [row for row, _, _ in chosen], shards.table(plain, raw)
