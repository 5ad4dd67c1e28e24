"""published: outcomes and dead letters as messages."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import fastavro

from skystamp import api, classify
from skystamp.classify import Rejection
from skystamp.errors import Reason, Reject
from skystamp.sources.feeds import Message, Partition
from skystamp.stream.published import dead_letter, outcome_entry, record, schema
from tests import faking, making

NOW = datetime(2026, 11, 21, 3, 4, 5, 678000, tzinfo=UTC)


def answered(*records: dict[str, Any]) -> list[dict[str, Any]]:
    outcomes = list(classify.packets(making.packet(*records), faking.model()))
    return list(json.loads(api.answer_json(outcomes))["outcomes"])


def read(data: bytes) -> Any:
    (one,) = fastavro.reader(io.BytesIO(data))
    return one


def test_a_classification_is_read_back_by_the_names_that_alerce_uses() -> None:
    known = making.record(1, candidate={"ssdistnr": 0.5, "ssmagnr": 18.0, "ssnamenr": "Ceres", "isdiffpos": "f"})
    (outcome,) = answered(known)

    entry = outcome_entry(outcome, NOW)
    found = read(entry.value)

    assert entry.key == known["objectId"].encode()
    assert (found["oid"], found["candid"], found["mjd"]) == (known["objectId"], known["candid"], outcome["mjd"])
    assert found["probabilities"] == outcome["probabilities"]
    assert (found["classifier_name"], found["classifier_version"]) == ("first-detection", "7")
    assert found["brokerPublishTimestamp"] == NOW
    assert (found["outcome"], found["class_name"]) == ("classification", outcome["class"])
    assert found["flags"] == ["negative_difference"]
    assert found["rules"] == [{"rule": "solar_system_match", "class_name": "asteroid", "detail": "Ceres at 0.5 arcsec"}]


def test_a_rejection_says_its_reason_and_what_is_known_of_the_packet() -> None:
    (outcome,) = answered(making.record(2, cutoutScience=None))

    found = read(outcome_entry(outcome, NOW).value)

    assert (found["outcome"], found["reason"]) == ("rejection", "missing_cutout")
    assert found["candid"] == outcome["alert_id"]
    assert found["probabilities"] is None


def test_a_packet_without_identity_has_no_key() -> None:
    told = api.outcome_answer(Rejection(Reason.NOT_AVRO, "x")).model_dump(mode="json", by_alias=True)

    entry = outcome_entry(told, NOW)

    assert entry.key is None
    assert read(entry.value)["oid"] is None


def test_the_record_has_every_field_of_the_schema() -> None:
    (outcome,) = answered(making.record(1))

    assert list(record(outcome, NOW)) == [field["name"] for field in schema()["fields"]]


def test_a_dead_letter_is_the_packet_and_says_why_and_whence() -> None:
    message = Message(b"junk", Partition("alerts", 2), 17)

    entry = dead_letter(message, [{"reason": "not_avro", "detail": "no \N{SNOWMAN}"}] * 2)

    assert entry.value == b"junk"
    assert dict(entry.headers) == {
        "reason": b"not_avro",
        "detail": "no \N{SNOWMAN}".encode(),
        "rejected": b"2",
        "source_topic": b"alerts",
        "source_partition": b"2",
        "source_offset": b"17",
    }


def test_the_dead_letter_of_damage_has_no_bytes() -> None:
    message = Message(Reject(Reason.DAMAGED_ARCHIVE, "it ends early"), Partition("a.tar"), 0)

    assert dead_letter(message, [{"reason": "damaged_archive", "detail": ""}]).value == b""
