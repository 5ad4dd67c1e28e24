"""An outcome -> its message in the output topic; a packet with a rejection -> its dead letter.

An outcome is an Avro container of one record of `outcome.avsc`, as the surveys send their packets, under the object's
name as its key, so that one object's outcomes stay in order. A dead letter is the packet's own bytes with headers.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from skystamp import avro
from skystamp.avro import Record
from skystamp.sources.feeds import Message
from skystamp.sources.kafka import Entry
from skystamp.stream.service import OutcomeDict

SCHEMA_FILE = "outcome.avsc"


@cache
def schema() -> dict[str, Any]:
    """Return the parsed schema of the output topic's messages."""
    return avro.parse_schema(json.loads(resources.files(__package__).joinpath(SCHEMA_FILE).read_text()))


def outcome_entry(outcome: OutcomeDict, now: datetime) -> Entry:
    """Return the message of an outcome, as the service answers it, that is published at `now`."""
    name = outcome.get("object_id")
    return Entry(avro.encode(record(outcome, now), schema()), name.encode() if name else None)


def record(outcome: OutcomeDict, now: datetime) -> Record:
    """Return an outcome under the names of the output schema, which are ALeRCE's where it has one."""
    model = outcome.get("model") or {}
    rules = [{**rule, "class_name": rule["class"]} for rule in outcome.get("rules", ())]
    return {
        "survey": outcome.get("survey"),
        "oid": outcome.get("object_id"),
        "candid": outcome.get("alert_id"),
        "mjd": outcome.get("mjd"),
        "outcome": outcome["outcome"],
        "class_name": outcome.get("class"),
        "probabilities": outcome.get("probabilities"),
        "spread": outcome.get("spread"),
        "classifier_name": model.get("name"),
        "classifier_version": model.get("version"),
        "brokerPublishTimestamp": now,
        "n_detections": outcome.get("n_detections"),
        "flags": list(outcome.get("flags", ())),
        "rules": rules,
        "reason": outcome.get("reason"),
        "detail": outcome.get("detail"),
    }


def dead_letter(message: Message, rejections: Sequence[OutcomeDict]) -> Entry:
    """Return a message with rejections among its outcomes as its source gave it, saying why and whence in its headers.

    Where the message holds many packets the headers are those of the first that was rejected.
    """
    first = rejections[0]
    headers = {
        "reason": first["reason"],
        "detail": first["detail"],
        "rejected": str(len(rejections)),
        "source_topic": message.partition.name,
        "source_partition": str(message.partition.number),
        "source_offset": str(message.position),
    }
    value = message.data if isinstance(message.data, bytes) else b""
    return Entry(value, headers=tuple((name, text.encode()) for name, text in headers.items()))
